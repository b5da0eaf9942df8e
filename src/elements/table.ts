/**
 * The elements of a vector in memory: where they are, and how one is read, written, added and
 * removed. {@link Vector} keeps them in a region of its own, `MmapVector` in a file.
 *
 * The owner keeps what hot code needs in fields: a view of all elements that fit, their number, and
 * the number that fits. Where elements cannot be accessed directly (another thread's vector, a
 * file, a closed vector) `count` and `room` are 0, so that fast paths fail and slow paths run.
 *
 * An element is one aligned store, and the count is stored after it: atomically if the vector is
 * shared, so that a reader never counts an element that it cannot see. Where no other thread can
 * look, the header's count may be lower than the field, because a push is a sixth faster without
 * that store. {@link VectorTable.flushCount} updates the header before anything but a push, `at` or
 * `set`.
 */
import { allocating, offheapError, rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import type { Background } from '../region/background.js';
import { badElement, COLUMN_ARRAYS, isElement, TYPE, WIDTHS } from '../region/element.js';
import { align, HEADER_WORDS, TWO_32, WORD as COMMON, writeLong } from '../region/format.js';
import { describe } from '../region/options.js';
import type { Region } from '../region/region.js';
import { CLOSED, OWNER, READER, RegionTable } from '../region/table.js';
import type { Token } from '../region/token.js';
import type { AnyTypedArray } from '../region/typed-array.js';
import { DATA, MAX_CAPACITY, readShape, regionLength, WORD } from './layout.js';

const COUNT = WORD.countLow;
const NO_ITEMS: AnyTypedArray = new Uint8Array(0);
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
const I64 = TYPE.i64;

export class VectorTable extends RegionTable<'vector'> {
  /** The type code of the elements. */
  code = 0;
  /** Whether the elements are bigints. */
  wide = false;
  /** The number of elements, for the owner; otherwise 0. The header's count can be lower. */
  count = 0;
  /** The number of elements that fit where a push is plain stores; otherwise 0. */
  room = 0;
  /** The number of elements that fit. */
  capacity = 0;
  /** Elements below this index are immutable: in a file, those that were flushed. Otherwise 0. */
  sealed = 0;
  /** A view of all elements that fit. */
  items: AnyTypedArray = NO_ITEMS;
  head: Int32Array = CLOSED_HEAD;
  /** Background work that must end before anything else changes the vector. */
  private job: Background | undefined;
  private jobEnd: Promise<unknown> = Promise.resolve();

  get kind(): 'vector' {
    return 'vector';
  }
  get label(): string {
    return 'vector';
  }

  override get aligned(): boolean {
    return true;
  }

  bindViews(what: string, direct: boolean): void {
    const { head, bytes, buffer } = this.region;
    const { type, count, capacity } = readShape(head, bytes.length, what);
    this.items = new COLUMN_ARRAYS[type]!(buffer, bytes.byteOffset + DATA, capacity);
    this.head = head;
    this.code = type;
    this.wide = type === U64 || type === I64;
    this.capacity = capacity;
    this.count = direct ? count : 0;
    // From 2^32 on the count takes two stores, which native code performs.
    this.room = direct && !this.hasReaders ? Math.min(capacity, TWO_32 - 1) : 0;
  }

  dropViews(): void {
    this.items = NO_ITEMS;
    this.head = CLOSED_HEAD;
    this.count = this.room = this.capacity = 0;
  }

  check(region: Region, length: number, what: string): void {
    readShape(region.head, length, what);
  }

  /** Stores the count in the header, for code that reads the header next. */
  private flushCount(): void {
    if (this.role === OWNER && !this.hasReaders) this.head[COUNT] = this.count;
  }

  override beforeRead(): void {
    super.beforeRead();
    this.flushCount();
  }

  override read<T>(operation: () => T): T {
    this.flushCount();
    return super.read(operation);
  }

  /**
   * The current number of elements. A reader takes it from the header, and must validate its reads
   * after that.
   */
  currentCount(): number {
    if (this.role === OWNER) return this.count;
    const { head } = this;
    const count = (Atomics.load(head, COUNT) >>> 0) + (Atomics.load(head, COUNT + 1) >>> 0) * TWO_32;
    return Math.min(count, this.capacity);
  }

  /** The current number of elements, validated. */
  validCount(): number {
    return this.role === OWNER ? this.count : this.read(() => this.currentCount());
  }

  // ---- one element

  /** The element at an index below the capacity; fast for numbers. */
  load(index: number): unknown {
    // One branch per type, so that each read sees one kind of array, whatever other vectors
    // contain. All number types are here: a result that might come from a call, about which V8
    // knows nothing, would be boxed for every caller, five times slower.
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

  /** The same for bigints. */
  loadWide(index: number): bigint {
    const { items } = this;
    return this.code === U64 ? (items as BigUint64Array)[index] : (items as BigInt64Array)[index];
  }

  /** The same for elements of any type. {@link load} must not see bigints: its callers' do not. */
  loadAny(index: number): unknown {
    return this.wide ? this.loadWide(index) : this.load(index);
  }

  /** Stores an element of the right type at an index below the capacity. */
  store(index: number, value: unknown): void {
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

  /** Throws if a value is not an element of this vector's type. */
  checkElement(value: unknown): void {
    if (!isElement(value, this.code)) throw badElement('an element of this vector', this.code, value);
  }

  /** The element at an index, for readers of another thread's vector or a file, and at the ends. */
  loadSlow(index: number): unknown {
    if (this.role === READER) {
      const value = this.loadCounted(index, this.currentCount());
      if (this.readIsValid()) return value;
    }
    return this.read(() => this.loadCounted(index, this.currentCount()));
  }

  private loadCounted(index: number, count: number): unknown {
    const at = index < 0 ? index + count : index;
    return at >= 0 && at < count ? this.loadAny(at) : undefined;
  }

  /** Throws unless there is an element at the index. */
  checkIndex(index: unknown): number {
    if (typeof index !== 'number') throw typeError(`an index must be a number, not ${describe(index)}`);
    if (!Number.isInteger(index) || index < 0 || index >= this.count) {
      throw rangeError(
        `an index of this vector must be an integer from 0 to ${this.count - 1}, not ${describe(index)}`,
      );
    }
    return index + 0;
  }

  /** Throws if the elements from `index` on include immutable ones. */
  checkMutable(index: number): void {
    if (index < this.sealed) {
      throw offheapError(
        'ERR_OFFHEAP_UNSUPPORTED',
        `element ${index} was flushed, and flushed elements do not change`,
      );
    }
  }

  // ---- count and capacity

  /** Publishes that there are `count` elements, all of which are stored. */
  setCount(count: number): void {
    if (count >= TWO_32 || this.count >= TWO_32) native().vectorSetLength(this.region.bytes, count);
    else if (this.hasReaders) Atomics.store(this.head, COUNT, count | 0);
    else this.head[COUNT] = count;
    this.count = count;
  }

  /** Makes room for `count` elements in total, and for more, so that n pushes cost O(n). */
  grow(count: number): void {
    if (count <= this.capacity) return;
    if (count > MAX_CAPACITY) {
      throw offheapError('ERR_OFFHEAP_FULL', `a vector holds at most ${MAX_CAPACITY} elements`);
    }
    try {
      this.resize(Math.max(count, Math.min(this.capacity * 2, MAX_CAPACITY)));
    } catch (error) {
      // Where memory is short, less may fit. But not so little that every push has to ask again,
      // and not all that is left: without any memory the engine ends the process.
      const less = Math.max(count, this.capacity + Math.floor(this.capacity / 4));
      if ((error as { code?: unknown }).code !== 'ERR_OFFHEAP_OOM' || less >= this.capacity * 2) throw error;
      this.resize(less);
    }
  }

  /** Makes room for exactly `capacity` elements, at least the current ones. */
  resize(capacity: number): void {
    this.flushCount();
    const length = regionLength(this.code, capacity);
    try {
      this.region.ensure(length);
      native().vectorSetRegion(this.region.bytes, length);
    } finally {
      // After a refusal too: the region may be in a larger buffer by now.
      this.rebindViews();
    }
  }

  /** Makes room for `capacity` elements in total. */
  reserve(capacity: number): void {
    if (capacity > this.capacity) this.resize(capacity);
  }

  // ---- background work

  override beforeWrite(): void {
    if (this.job !== undefined && this.role !== CLOSED && this.region.writable) throw this.lockedError();
    super.beforeWrite();
    this.flushCount();
  }

  override share(): Token<'vector'> {
    // The first call may move the region.
    if (this.job !== undefined && this.region.origin === 'heap' && !this.region.shared)
      throw this.lockedError();
    return super.share();
  }

  private lockedError(): Error {
    return offheapError('ERR_OFFHEAP_LOCKED', 'this vector is being sorted; wait for the promise');
  }

  /**
   * Runs native work on the region while this thread continues. In the meantime the vector can be
   * read as if it were another thread's, and closed, which cancels the work; changes throw
   * `ERR_OFFHEAP_LOCKED`.
   */
  async inBackground(
    job: Background,
    start: (bytes: Uint8Array, control: Int32Array) => Promise<boolean>,
  ): Promise<void> {
    if (this.job !== undefined) throw this.lockedError();
    const owner = this.role === OWNER;
    this.flushCount();
    this.job = job;
    if (owner) this.becomeReader('this vector');
    const { bytes } = this.region;
    let finished: boolean;
    const work = job.run((control) => start(bytes, control));
    this.jobEnd = work.catch(() => undefined);
    try {
      finished = await work;
    } finally {
      this.job = undefined;
      if (owner && !this.isClosed) this.becomeOwner('this vector');
    }
    // Also if the work ended just before the vector was closed: nobody can see its result.
    if (!finished || this.isClosed) throw this.closedError();
  }

  /** For code that waited, across which the role can change. */
  get isClosed(): boolean {
    return this.role === CLOSED;
  }

  override releaseRegion(): void {
    if (this.job === undefined) return super.releaseRegion();
    this.job.cancel();
    // The work keeps a shared buffer alive by itself. A file must stay mapped until the work ends.
    const { region } = this;
    void this.jobEnd.then(() => region.release());
  }

  // ---- copies

  /**
   * A copy that is as long as the elements need, and zero after them, so that its bytes follow from
   * the elements.
   */
  override copyRegion(): Uint8Array {
    return this.read(() => {
      const count = this.currentCount();
      const used = DATA + count * WIDTHS[this.code];
      const copy = allocating('a copy', used, () => new Uint8Array(align(used)));
      copy.set(this.region.bytes.subarray(0, used));
      const head = new Int32Array(copy.buffer, 0, HEADER_WORDS);
      writeLong(head, COMMON.lengthLow, copy.length);
      writeLong(head, COUNT, count);
      return copy;
    });
  }

  /** The figures of the header, for `stats()`. */
  facts(): { length: number; capacity: number; rearrangements: number } {
    return {
      length: this.currentCount(),
      capacity: this.capacity,
      rearrangements: Math.floor((this.head[WORD.sequence] >>> 0) / 2),
    };
  }
}
