/**
 * The elements of a vector: where they are, and how one is read, written, added and taken away.
 *
 * The owner keeps what hot code needs in fields: a view of all elements that fit, how many there
 * are, how many fit. Where elements can not be accessed directly (another thread's vector, a file,
 * a closed one) `count` and `room` are 0, so that fast paths fail and the slow ones come here.
 *
 * An element is one aligned store, and the count is stored after it: atomically if the vector is
 * shared, so that no reader counts an element that it can not see. Where nobody else can look, the
 * header's count may lag behind the field: a push is a sixth faster that does not store it. {@link
 * Access.settle} makes up for it, before anything but a push, `at` or `set`.
 */
import { allocating, offheapError, rangeError } from '../errors.js';
import { native } from '../native.js';
import { Background } from '../region/background.js';
import { badElement, COLUMN_ARRAYS, isElement, TYPE, WIDTHS } from '../region/element.js';
import type { AnyTypedArray } from '../region/typed-array.js';
import { align, readLong, writeLong, WORD as COMMON } from '../region/format.js';
import { HEADER_WORDS } from '../region/format.js';
import { describe } from '../region/options.js';
import type { Region } from '../region/region.js';
import { LegacyStructure } from '../region/legacy.js';
import { CLOSED, OWNER, READER } from '../region/table.js';
import { DATA, MAX_CAPACITY, readShape, regionLength, WORD } from './layout.js';

const COUNT = WORD.countLow;
const TWO_32 = 4_294_967_296;
const NOTHING: AnyTypedArray = new Uint8Array(0);
const CLOSED_HEAD = new Int32Array(HEADER_WORDS);

// Codes as constants of this module, which V8 folds.
const U8 = TYPE.u8;
const I8 = TYPE.i8;
const U16 = TYPE.u16;
const I16 = TYPE.i16;
const U32 = TYPE.u32;
const I32 = TYPE.i32;
const F32 = TYPE.f32;
const F64 = TYPE.f64;
const U64 = TYPE.u64;

export abstract class Access extends LegacyStructure<'vector'> {
  /** The type of the elements. */
  protected code = 0;
  /** How many elements there are, for the owner; else 0. The header's count can be behind it. */
  protected count = 0;
  /** How many fit, where a push is plain stores; else 0. */
  protected room = 0;
  /** How many fit. */
  protected capacity = 0;
  /** Elements below this index do not change any more: in a file, what was flushed. Else 0. */
  protected sealed = 0;
  /** All elements that fit. */
  protected items: AnyTypedArray = NOTHING;
  protected head: Int32Array = CLOSED_HEAD;
  /** What runs in the background and must end before anything else changes the vector. */
  private job: Background | undefined;
  private ended: Promise<unknown> = Promise.resolve();

  protected get kind(): 'vector' {
    return 'vector';
  }
  protected get label(): string {
    return 'vector';
  }

  protected override get aligned(): boolean {
    return true;
  }

  protected bindViews(what: string, direct: boolean): void {
    const { head, bytes, buffer } = this.region;
    const { type, count, capacity } = readShape(head, bytes.length, what);
    this.items = new COLUMN_ARRAYS[type]!(buffer, bytes.byteOffset + DATA, capacity);
    this.head = head;
    this.code = type;
    this.capacity = capacity;
    this.count = direct ? count : 0;
    // Past 2^32 the count takes two stores, which is native code's to do.
    this.room = direct && !this.hasReaders ? Math.min(capacity, TWO_32 - 1) : 0;
  }

  protected dropViews(): void {
    this.items = NOTHING;
    this.head = CLOSED_HEAD;
    this.count = this.room = this.capacity = 0;
  }

  protected check(region: Region, length: number, what: string): void {
    readShape(region.head, length, what);
  }

  /** Stores the count where it belongs, for whoever goes by the header next. */
  private settle(): void {
    if (this.role === OWNER && !this.hasReaders) this.head[COUNT] = this.count;
  }

  protected override beforeRead(): void {
    super.beforeRead();
    this.settle();
  }

  protected override read<T>(operation: () => T): T {
    this.settle();
    return super.read(operation);
  }

  /**
   * How many elements there are. Readers, who go by the header, must check that what they read
   * still stands.
   */
  protected countNow(): number {
    if (this.role === OWNER) return this.count;
    const { head } = this;
    const count = (Atomics.load(head, COUNT) >>> 0) + (Atomics.load(head, COUNT + 1) >>> 0) * TWO_32;
    return Math.min(count, this.capacity);
  }

  /** How many elements there are. */
  protected total(): number {
    return this.role === OWNER ? this.count : this.read(() => this.countNow());
  }

  // ---- one element

  /** The element at an index that is below the capacity. */
  protected load(index: number): unknown {
    // Each type by itself, so that each read sees one kind of array, whatever other vectors hold.
    // And all numbers here: a result that might come from a call, of which V8 knows nothing, would
    // be boxed for every caller, five times slower.
    const { items, code } = this;
    if (code === F64) return (items as Float64Array)[index];
    if (code === U32) return (items as Uint32Array)[index];
    if (code === I32) return (items as Int32Array)[index];
    if (code === F32) return (items as Float32Array)[index];
    if (code === U8) return (items as Uint8Array)[index];
    if (code === I8) return (items as Int8Array)[index];
    if (code === U16) return (items as Uint16Array)[index];
    if (code === I16) return (items as Int16Array)[index];
    return this.loadWide(index);
  }

  protected loadWide(index: number): bigint {
    const { items } = this;
    return this.code === U64 ? (items as BigUint64Array)[index] : (items as BigInt64Array)[index];
  }

  /** Stores an element of the right type at an index below the capacity. */
  protected store(index: number, value: unknown): void {
    const { items } = this;
    switch (this.code) {
      case F64:
        (items as Float64Array)[index] = value as number;
        return;
      case U32:
        (items as Uint32Array)[index] = value as number;
        return;
      case I32:
        (items as Int32Array)[index] = value as number;
        return;
      case U8:
        (items as Uint8Array)[index] = value as number;
        return;
      case I8:
        (items as Int8Array)[index] = value as number;
        return;
      case U16:
        (items as Uint16Array)[index] = value as number;
        return;
      case I16:
        (items as Int16Array)[index] = value as number;
        return;
      case F32:
        (items as Float32Array)[index] = value as number;
        return;
      case U64:
        (items as BigUint64Array)[index] = value as bigint;
        return;
      default:
        (items as BigInt64Array)[index] = value as bigint;
    }
  }

  /** Refuses what is no element. */
  protected checkElement(value: unknown): void {
    if (!isElement(value, this.code)) throw badElement('an element of this vector', this.code, value);
  }

  /**
   * The elements as another thread's, or a file's, may be read: the value, or `undefined` past the
   * end.
   */
  protected loadElsewhere(index: number): unknown {
    if (this.role === READER) {
      const count = this.countNow();
      const at = index < 0 ? index + count : index;
      const value = at >= 0 && at < count ? this.load(at) : undefined;
      if (this.readIsValid()) return value;
    }
    return this.read(() => {
      const count = this.role === OWNER ? this.count : this.countNow();
      const at = index < 0 ? index + count : index;
      return at >= 0 && at < count ? this.load(at) : undefined;
    });
  }

  /** An index of an element that is there. */
  protected checkIndex(index: unknown): number {
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= this.count) {
      throw rangeError(
        `an index of this vector must be an integer from 0 to ${this.count - 1}, not ${describe(index)}`,
      );
    }
    return index + 0;
  }

  /** Refuses to store to elements from `index` on if some of them do not change any more. */
  protected checkOpen(index: number): void {
    if (index < this.sealed) {
      throw offheapError(
        'ERR_OFFHEAP_UNSUPPORTED',
        `element ${index} was flushed, and flushed elements do not change`,
      );
    }
  }

  // ---- how many

  /** Publishes that there are `count` elements, all of which are stored. */
  protected setCount(count: number): void {
    if (count >= TWO_32 || this.count >= TWO_32) native().vectorSetLength(this.region.bytes, count);
    else if (this.hasReaders) Atomics.store(this.head, COUNT, count | 0);
    else this.head[COUNT] = count;
    this.count = count;
  }

  /** Makes room for `count` elements in all, and more, so that n pushes cost O(n). */
  protected grow(count: number): void {
    if (count <= this.capacity) return;
    if (count > MAX_CAPACITY) {
      throw offheapError('ERR_OFFHEAP_FULL', `a vector holds at most ${MAX_CAPACITY} elements`);
    }
    try {
      this.resize(Math.max(count, Math.min(this.capacity * 2, MAX_CAPACITY)));
    } catch (error) {
      // Where memory is short less may fit. But not so little that every push has to ask again, and
      // not the last there is, for without any the engine ends the process.
      const less = Math.max(count, this.capacity + Math.floor(this.capacity / 4));
      if ((error as { code?: unknown }).code !== 'ERR_OFFHEAP_OOM' || less >= this.capacity * 2) throw error;
      this.resize(less);
    }
  }

  /** Makes room for exactly `capacity` elements, at least those that are there. */
  protected resize(capacity: number): void {
    this.settle();
    const length = regionLength(this.code, capacity);
    try {
      this.region.ensure(length);
      native().vectorSetRegion(this.region.bytes, length);
    } finally {
      // Also after a refusal: the region may lie in a larger buffer by now.
      this.rebindViews();
    }
  }

  // ---- work in the background

  protected override beforeWrite(): void {
    if (this.job !== undefined && this.role !== CLOSED && this.region.writable) throw this.lockedError();
    super.beforeWrite();
    this.settle();
  }

  override share(): ReturnType<LegacyStructure<'vector'>['share']> {
    // The first call may move the region.
    if (this.job !== undefined && this.region.origin === 'heap' && !this.region.shared)
      throw this.lockedError();
    return super.share();
  }

  private lockedError(): Error {
    return offheapError('ERR_OFFHEAP_LOCKED', 'this vector is being sorted; wait for the promise');
  }

  /**
   * Runs native work on the region while this thread goes on. Meanwhile the vector can be read, as
   * if it were another thread's, and closed, which cancels the work; changes throw
   * `ERR_OFFHEAP_LOCKED`.
   */
  protected async inBackground(
    job: Background,
    start: (bytes: Uint8Array, control: Int32Array) => Promise<boolean>,
  ): Promise<void> {
    if (this.job !== undefined) throw this.lockedError();
    const owner = this.role === OWNER;
    this.settle();
    this.job = job;
    if (owner) this.becomeReader('this vector');
    const { bytes } = this.region;
    let finished: boolean;
    const work = job.run((control) => start(bytes, control));
    this.ended = work.catch(() => undefined);
    try {
      finished = await work;
    } finally {
      this.job = undefined;
      if (owner && !this.isClosed) this.becomeOwner('this vector');
    }
    // Also where the work was done just before it was closed: what it did is not seen any more.
    if (!finished || this.isClosed) throw this.closedError();
  }

  /** For code that waited. */
  protected get isClosed(): boolean {
    return this.role === CLOSED;
  }

  protected override releaseRegion(): void {
    if (this.job === undefined) return super.releaseRegion();
    this.job.cancel();
    // Work holds on to a shared buffer by itself. A file must stay mapped until it ends.
    const { region } = this;
    void this.ended.then(() => region.release());
  }

  // ---- copies

  /**
   * A copy that is as long as the elements need, and zero past them, so that its bytes follow from
   * them.
   */
  protected override copyRegion(): Uint8Array {
    return this.read(() => {
      const count = this.countNow();
      const used = DATA + count * WIDTHS[this.code];
      const copy = allocating('a copy', used, () => new Uint8Array(align(used)));
      copy.set(this.region.bytes.subarray(0, used));
      const head = new Int32Array(copy.buffer, 0, HEADER_WORDS);
      writeLong(head, COMMON.lengthLow, copy.length);
      writeLong(head, COUNT, count);
      return copy;
    });
  }

  /** What the header says, for `stats()`. */
  protected facts(): { capacity: number; length: number; rearrangements: number } {
    return {
      length: this.countNow(),
      capacity: this.capacity,
      rearrangements: Math.floor((this.head[WORD.sequence] >>> 0) / 2),
    };
  }

  /** Bytes of the region: what the elements and those that fit take. */
  protected get regionBytes(): number {
    return readLong(this.head, WORD.lengthLow);
  }
}
