/**
 * The table of a HashMap: finding, inserting and removing one entry in a region, in JavaScript that
 * V8 compiles. `docs/formats/hashmap.md` is the contract; `native/core/src/hashmap/` implements the
 * same operations in Rust for C callers and bulk calls, and tests compare the two byte for byte.
 *
 * Cost: a lookup reads one cache line of index, one of keys, one of values. The twelve tags of a
 * bucket are compared without a branch in three 32-bit words: with t the tag in every byte,
 * (0x80808080 − (w ^ t)) has the high bit of a byte set exactly where the tags are equal, because
 * tags have seven bits. (The constant is written as the int32 literal −0x7f7f7f80: a named one
 * becomes a variable in a bundle, which doubles the cost.) Branches that depend on where in a
 * bucket an entry is were measured: each misprediction discards the cache misses that are already
 * under way, which at a million entries costs more than the whole comparison.
 *
 * Invariants: all typed arrays here have a fixed length (a length-tracking view costs 20 ns a read)
 * and are replaced by {@link HashMapTable.bindViews} when the region has grown. Without direct
 * access (closed, or reading another thread's region) `fastIndex` is {@link NO_INDEX}, so that the
 * fast path always falls through to the slow path there, at no cost for owners.
 *
 * A key in flight is kept in module variables, and its hash in `hash`: {@link HashMapTable.find}
 * leaves them there for the insertion or deletion that follows (`entries.ts`).
 */
import { isUint8Array } from 'node:util/types';
import { offheapError } from '../errors.js';
import { badElement, COLUMN_ARRAYS, isBlob, isElement, TYPE, WIDTHS } from '../region/element.js';
import { readBlob, Scratch, type TextBuffer } from '../region/blob.js';
import { lanesEqual, positionWord, tagMask, tagsOf } from '../region/buckets.js';
import { corrupt, readLong, TWO_32, writeLong } from '../region/format.js';
import { firstHashNarrow, firstHashWide, hashMultipliers, hashNarrow, hashWide } from '../region/hash.js';
import type { Region } from '../region/region.js';
import { OWNER, RegionTable, type RegionSource } from '../region/table.js';
import type { AnyTypedArray } from '../region/typed-array.js';
import { completeCopy, copyBytes } from './copy.js';
import { HANDLES_ISSUED, HAS_SLOTS, readShape, WORD, type Layout, type Shape } from './layout.js';
import { applyRelocations, RelocationLog, type Cursor } from './relocation.js';

/** An index of one bucket without entries that has overflowed, so that a lookup is undecided. */
const NO_INDEX = Int32Array.of(0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

/** Constants of hot code, as constants of this module: V8 folds those, but not imported ones. */
const U32 = TYPE.u32;
const I32 = TYPE.i32;
const F64 = TYPE.f64;
const WORD_USED = WORD.used;
const WORD_DEAD = WORD.dead;

const ABSENT = -1;
const UNDECIDED = -2;
/** The results of {@link HashMapTable.locate} other than a position. */
export const LOCATED = { absent: ABSENT, undecided: UNDECIDED } as const;

/** What {@link HashMapTable.lookUp} returns for an absent key. */
export const MISSING = Symbol('missing');

/** How keys are compared: as one word, as two words, or as blobs. */
const NARROW = 0;
const WIDE = 1;
const BLOB = 2;

/** The words of one 8-byte key in flight. */
const wideNumber = new Float64Array(1);
const wideWords = new Int32Array(wideNumber.buffer);
const wideInteger = new BigInt64Array(wideNumber.buffer);
/** The bits as which every NaN is stored. */
const NAN_BITS = 0x7ff8000000000000n;

/** A blob key in flight; nothing remains in it between operations. */
const keyScratch = new Scratch();

const EMPTY_WORDS = new Int32Array(0);
const CLOSED_HEAD = new Int32Array(64);
const EMPTY_HEAP = Buffer.alloc(0) as TextBuffer;

export class HashMapTable extends RegionTable<'hashmap'> {
  // The fields of the fast path come first. Numbers are initialized to small integers, so that V8
  // stores them unboxed.
  /** The index if the fast path may read it, otherwise {@link NO_INDEX}. */
  fastIndex: Int32Array = NO_INDEX;
  /**
   * {@link NARROW} if keys are looked up in `get` itself: 4-byte integers, except in a map of
   * version 1, which has another hash until it is rebuilt.
   */
  fastKeyClass = NARROW;
  /** How keys are compared. */
  keyClass = NARROW;
  /** Multiplier of the home bucket: buckets = mul × 2^(29 − shift). 0 with {@link NO_INDEX}. */
  fastMul = 0;
  shift = 29;
  seed0 = 0;
  seed1 = 0;
  /** The multipliers of the hash of 8-byte keys, which follow from the seeds. */
  multiplier0 = 0;
  multiplier1 = 0;
  /** The version of the format, which determines the hash of numbers. */
  version = 0;
  keyType = 0;
  valueType = 0;
  /** The key column as its type; blob references as unsigned words. */
  keyColumn!: AnyTypedArray;
  /** The value column as its type; blob references as unsigned words. Empty for `any`. */
  valueColumn!: AnyTypedArray;
  mul = 0;
  index: Int32Array = EMPTY_WORDS;
  head: Int32Array = EMPTY_WORDS;
  capacity = 0;
  /** `capacity` if entries may be read directly, otherwise 0. */
  liveLimit = 0;
  /** The type of values if they may be read and written directly, otherwise 0. */
  directType = 0;
  /**
   * The number to subtract from a direct handle to get its position; NaN if handles are not direct,
   * or reads are not.
   */
  handleBase = NaN;
  /**
   * `capacity` if an insertion consists of plain stores; 0 if it must publish to other threads, or
   * take a slot.
   */
  plainCapacity = 0;
  /** One bit for each entry, set if it is deleted. */
  deadBits: Int32Array = EMPTY_WORDS;
  /** The key column as words: one for each key, or two for 8-byte keys. */
  keyWords: Int32Array = EMPTY_WORDS;
  heapWords: Int32Array = EMPTY_WORDS;
  heapBytes: TextBuffer = EMPTY_HEAP;
  /** The slot table; empty without one. */
  slotOfEntry: Int32Array = EMPTY_WORDS;
  entryOfSlot: Int32Array = EMPTY_WORDS;
  generations: Int32Array = EMPTY_WORDS;
  /** Values of type `any`, by position. */
  anyValues: unknown[] | undefined;
  /** The hash of the key that {@link find} looked for last. */
  hash = 0;
  /** The log that iterators of this map hold. */
  relocations = new RelocationLog();
  /** Whether a handle was issued that a read-only file could not note. */
  handlesIssued = false;

  get kind(): 'hashmap' {
    return 'hashmap';
  }
  get label(): string {
    return 'map';
  }

  bindViews(what: string, direct: boolean): void {
    const shape = readShape(this.region.head, this.region.bytes.length, what);
    this.head = this.region.head;
    this.mapSections(shape, shape.layout);
    // Numbers can be read and validated afterward; to read a blob that is being moved could throw.
    this.enableFastPaths(direct || !isBlob(this.valueType), direct);
    if (this.valueType === TYPE.any) this.anyValues ??= [];
  }

  override initialize(source: RegionSource): void {
    super.initialize(source);
    if (this.valueType === TYPE.any) {
      throw offheapError(
        'ERR_OFFHEAP_UNSUPPORTED',
        `${source.what}: values of type any exist in one thread only`,
      );
    }
  }

  check(region: Region, length: number, what: string): void {
    readShape(region.head, length, what);
  }

  override onCopiedToMemory(region: Region): void {
    if (this.handlesIssued) region.head[WORD.state] = region.head[WORD.state] | HANDLES_ISSUED;
  }

  override checkPortable(): void {
    if (this.valueType === TYPE.any) {
      throw offheapError('ERR_OFFHEAP_UNSUPPORTED', 'values of type any exist in one thread only');
    }
  }

  override copyRegion(): Uint8Array {
    if (this.region.origin !== 'attached') return super.copyRegion();
    const bytes = this.read(() =>
      copyBytes(this.region, this.heapBytes, (words, at) => this.loadAfterReads(words, at)),
    );
    return completeCopy(bytes, this.capacity);
  }

  override contents(): unknown {
    return this.read(() => {
      const entries = new Map<unknown, unknown>();
      const used = this.usedNow();
      for (let at = 0; at < used; at++) if (!this.isDead(at)) entries.set(this.keyAt(at), this.valueAt(at));
      return { key: this.keyType, value: this.valueType, entries };
    });
  }

  override close(): void {
    super.close();
    this.anyValues = undefined;
  }

  private mapSections(shape: Shape, layout: Layout): void {
    const { buffer } = this.region;
    const words = (at: number, bytes: number): Int32Array => new Int32Array(buffer, at, bytes / 4);
    const column = (code: number, at: number): AnyTypedArray =>
      COLUMN_ARRAYS[code] === undefined ? EMPTY_WORDS : new COLUMN_ARRAYS[code](buffer, at, shape.capacity);
    const exponent = Math.max(0, 29 - Math.clz32(shape.buckets));
    this.keyType = shape.key;
    this.valueType = shape.value;
    this.capacity = shape.capacity;
    this.index = words(layout.index, shape.buckets * 64);
    this.mul = (shape.buckets / 2 ** exponent) | 0; // a small integer to V8, not a double
    this.shift = 29 - exponent;
    this.deadBits = words(layout.dead, Math.ceil(shape.capacity / 32) * 4);
    this.keyColumn = column(shape.key, layout.keys);
    this.valueColumn = column(shape.value, layout.values);
    this.keyClass = shape.key === U32 || shape.key === I32 ? NARROW : isBlob(shape.key) ? BLOB : WIDE;
    this.keyWords = words(layout.keys, shape.capacity * WIDTHS[shape.key]);
    const slots = shape.slotCapacity * 4;
    this.slotOfEntry = slots > 0 ? words(layout.slotOfEntry, shape.capacity * 4) : EMPTY_WORDS;
    this.entryOfSlot = slots > 0 ? words(layout.entryOfSlot, slots) : EMPTY_WORDS;
    this.generations = slots > 0 ? words(layout.generations, slots) : EMPTY_WORDS;
    const heap = shape.heapCapacity;
    this.heapWords = heap > 0 ? words(layout.heap, heap) : EMPTY_WORDS;
    this.heapBytes =
      heap > 0 ? (Buffer.from(buffer as ArrayBuffer, layout.heap, heap) as TextBuffer) : EMPTY_HEAP;
    this.seed0 = this.head[WORD.seed0]!;
    this.seed1 = this.head[WORD.seed1]!;
    [this.multiplier0, this.multiplier1] = hashMultipliers(this.seed0, this.seed1);
    this.version = this.head[WORD.kindVersion];
    this.fastKeyClass = this.version === 1 ? WIDE : this.keyClass;
  }

  dropViews(): void {
    this.enableFastPaths(false, false);
    this.head = CLOSED_HEAD;
    this.index = this.deadBits = this.keyWords = this.heapWords = EMPTY_WORDS;
    this.slotOfEntry = this.entryOfSlot = this.generations = EMPTY_WORDS;
    this.keyColumn = this.valueColumn = EMPTY_WORDS;
    this.heapBytes = EMPTY_HEAP;
    this.capacity = 0;
  }

  /**
   * Enables the fast paths: `lookups` by key, which every caller of {@link locate} validates, and
   * `direct` access, which only an owner has.
   */
  private enableFastPaths(lookups: boolean, direct: boolean): void {
    this.fastIndex = lookups ? this.index : NO_INDEX;
    this.fastMul = lookups ? this.mul : 0;
    this.liveLimit = direct ? this.capacity : 0;
    this.directType = direct ? this.valueType : 0;
    const directHandles = direct && (this.head[WORD.state] & HAS_SLOTS) === 0;
    this.handleBase = directHandles ? this.head[WORD.epoch] * TWO_32 : NaN;
    this.plainCapacity = direct && !this.hasReaders && this.slotOfEntry.length === 0 ? this.capacity : 0;
  }

  // ---- finding

  /**
   * The fast path of a lookup by a 4-byte key: its position; `absent`; or `undecided` where only
   * {@link find} can tell (another type of key, a bucket that overflowed, a second candidate, no
   * direct access). Leaves the hash of an absent key in `hash`.
   *
   * Written out in full, and without branches on where a key is stored, so that V8 inlines it into
   * the caller's loop and the processor runs ahead through the cache misses of several lookups.
   */
  locate(key: unknown): number {
    if (this.fastKeyClass !== NARROW || typeof key !== 'number') return UNDECIDED;
    const index = this.fastIndex;
    let h = Math.imul(key ^ this.seed0, 0x85ebca6b);
    h = Math.imul((h ^ (h >>> 15)) + this.seed1, 0xc2b2ae35);
    h = Math.imul((h ^ (h >>> 16)) + this.seed0, 0x9e3779b1);
    h ^= h >>> 15;
    const tag = h & 0x7f;
    const tags = Math.imul(tag | ((tag - 1) >>> 31), 0x01010101);
    const base = (Math.imul(h >>> 3, this.fastMul) >>> this.shift) << 4;
    const hits =
      ((-0x7f7f7f80 - (index[base] ^ tags)) & -0x7f7f7f80) |
      (((-0x7f7f7f80 - (index[base | 1] ^ tags)) & -0x7f7f7f80) >>> 1) |
      (((-0x7f7f7f80 - (index[base | 2] ^ tags)) & -0x7f7f7f80) >>> 2);
    if (hits !== 0) {
      const lane = Math.clz32(hits);
      const position = index[base | (4 + (lane >>> 3) + ((lane & 3) << 2))];
      return this.keyColumn[position] === key ? position : UNDECIDED;
    }
    return this.locateAbsent(key, h, index[base | 3]);
  }

  /**
   * The end of {@link locate} for a key whose tag is not in its home bucket. It is a separate
   * function because V8 inlines only functions of up to 460 bytes of bytecode: `locate` must stay
   * below that, or each lookup costs a call, 5 ns.
   */
  private locateAbsent(key: number, h: number, overflows: number): number {
    // The key is absent if its home bucket never overflowed. A key that is not of this type is left
    // to `find`, which throws.
    if (overflows !== 0 || (this.keyType === U32 ? key >>> 0 : key | 0) !== key) return UNDECIDED;
    this.hash = h;
    return ABSENT;
  }

  /**
   * The position of a key, or −1. Leaves its hash in `hash`, and a blob key encoded in the scratch,
   * for an insertion that follows. Throws if the key is not of the map's type.
   */
  find(key: unknown): number {
    switch (this.keyType) {
      case TYPE.u32:
        if (typeof key !== 'number' || key >>> 0 !== key) throw this.badKey(key);
        return this.probe(this.hash32(key), key | 0, 0);
      case TYPE.i32:
        if (typeof key !== 'number' || (key | 0) !== key) throw this.badKey(key);
        return this.probe(this.hash32(key), key | 0, 0);
      case TYPE.f64:
        if (typeof key !== 'number') throw this.badKey(key);
        if (key !== key) wideInteger[0] = NAN_BITS;
        else wideNumber[0] = key + 0; // -0 + 0 is 0
        return this.probe(this.hash64(), wideWords[0], wideWords[1]);
      case TYPE.u64:
        if (typeof key !== 'bigint' || BigInt.asUintN(64, key) !== key) throw this.badKey(key);
        wideInteger[0] = key;
        return this.probe(this.hash64(), wideWords[0], wideWords[1]);
      case TYPE.i64:
        if (typeof key !== 'bigint' || BigInt.asIntN(64, key) !== key) throw this.badKey(key);
        wideInteger[0] = key;
        return this.probe(this.hash64(), wideWords[0], wideWords[1]);
      case TYPE.string:
        if (typeof key !== 'string') throw this.badKey(key);
        keyScratch.string(key);
        return this.probe(keyScratch.hash(this.seed0, this.seed1), 0, 0);
      default:
        if (!isUint8Array(key)) throw this.badKey(key);
        keyScratch.byteSequence(key);
        return this.probe(keyScratch.hash(this.seed0, this.seed1), 0, 0);
    }
  }

  /** Throws if a key is not of the map's type: bulk calls check all keys before any change. */
  checkKey(key: unknown): void {
    if (!isElement(key, this.keyType)) throw this.badKey(key);
  }

  /** The value of a key where {@link locate} is undecided, or its result was not valid. */
  getSlow(key: unknown): unknown {
    if (this.role === OWNER) {
      const position = this.find(key);
      return position < 0 ? undefined : this.valueAt(position);
    }
    try {
      const position = this.find(key);
      const value = position < 0 || position >= this.head[WORD.used] ? undefined : this.valueAt(position);
      if (this.readIsValid()) return value;
    } catch {
      // Looked up again below: an error that a lost race caused does not occur twice.
    }
    const value = this.lookUp(key);
    return value === MISSING ? undefined : value;
  }

  /** Whether a key exists. */
  hasSlow(key: unknown): boolean {
    if (this.role === OWNER) return this.find(key) >= 0;
    return this.read(() => {
      const position = this.find(key);
      return position >= 0 && position < this.usedNow();
    });
  }

  /** The value of a key, or {@link MISSING}. */
  lookUp(key: unknown): unknown {
    return this.read(() => {
      const position = this.find(key);
      return position < 0 || position >= this.usedNow() ? MISSING : this.valueAt(position);
    });
  }

  private hash32(key: number): number {
    return this.version === 1
      ? firstHashNarrow(key, this.seed0, this.seed1)
      : hashNarrow(key, 0, this.seed0, this.seed1);
  }

  private hash64(): number {
    const { seed0, seed1 } = this;
    return this.version === 1
      ? firstHashWide(wideWords[0], wideWords[1], seed0, seed1)
      : hashWide(wideWords[0], wideWords[1], 0, seed0, seed1, this.multiplier0, this.multiplier1);
  }

  /**
   * Looks for the key whose hash is `h`: the words `low` and `high` of a number, or the blob in the
   * scratch.
   */
  private probe(h: number, low: number, high: number): number {
    this.hash = h;
    const { index, keyWords, keyClass } = this;
    const end = index.length;
    const tags = tagsOf(h);
    let base = this.home(h);
    // Bounded, because the index of a damaged region may have no empty lane.
    for (let left = end; left > 0; left -= 16) {
      let hits = lanesEqual(index, base, tags);
      while (hits !== 0) {
        const lane = Math.clz32(hits);
        const position = index[base | positionWord(lane)];
        if (keyClass === NARROW) {
          if (keyWords[position] === low) return position;
        } else if (keyClass === WIDE) {
          if (keyWords[position * 2] === low && keyWords[position * 2 + 1] === high) return position;
        } else if (keyScratch.equals(this.heapWords, keyWords[position] >>> 0)) {
          return position;
        }
        hits ^= 0x80000000 >>> lane;
      }
      if (index[base | 3] === 0) return -1;
      base = (base + 16) | 0;
      if (base === end) base = 0;
    }
    return -1;
  }

  /** The index word at which the home bucket of hash `h` starts. */
  home(h: number): number {
    return (Math.imul(h >>> 3, this.mul) >>> this.shift) << 4;
  }

  // ---- changing the index

  /**
   * Inserts a position into the index under the hash `h`: overflow counts, then the position, then
   * the tag, which publishes it. There is an empty lane, because the index has more lanes than the
   * columns have entries. `Buckets.enter` in `region/buckets.ts` does the same; here it is written
   * out for speed.
   */
  indexInsert(h: number, position: number): void {
    const { index } = this;
    const end = index.length;
    const tags = tagsOf(h);
    let base = this.home(h);
    for (let left = end; left > 0; left -= 16) {
      const free = lanesEqual(index, base, 0);
      if (free !== 0) {
        const lane = Math.clz32(free);
        index[base | positionWord(lane)] = position;
        const word = base | (lane & 3);
        this.publish(index, word, index[word] | (tags & tagMask(lane)));
        return;
      }
      index[base | 3] = index[base | 3] + 1;
      base = (base + 16) | 0;
      if (base === end) base = 0;
    }
    throw corrupt('this map', 'its index has no empty lane');
  }

  /**
   * Removes a position from the index, where it is stored under the hash `h`. Returns the number of
   * full buckets between its home bucket and its own.
   */
  indexRemove(h: number, position: number): number {
    const { index } = this;
    const end = index.length;
    const tags = tagsOf(h);
    let base = this.home(h);
    for (let passed = 0; passed * 16 < end; passed++) {
      let hits = lanesEqual(index, base, tags);
      while (hits !== 0) {
        const lane = Math.clz32(hits);
        if (index[base | positionWord(lane)] === position) {
          const word = base | (lane & 3);
          this.publish(index, word, index[word] & ~tagMask(lane));
          return passed;
        }
        hits ^= 0x80000000 >>> lane;
      }
      base = (base + 16) | 0;
      if (base === end) base = 0;
    }
    return 0;
  }

  /** A store that publishes a change: a thread that sees it also sees all earlier stores. */
  publish(words: Int32Array | Uint32Array, at: number, value: number): void {
    // An index outside the array, from a damaged region, makes an atomic store throw; a plain store
    // does nothing.
    if (this.hasReaders && at < words.length) Atomics.store(words, at, value);
    else words[at] = value;
  }

  // ---- the heap

  /** Whether the heap has no room for `blobs` more bytes. */
  heapIsFull(blobs: number): boolean {
    return readLong(this.head, WORD.heapUsedLow) + blobs > this.heapWords.length * 4;
  }

  /** Appends a scratch to the heap and returns its reference. */
  store(scratch: Scratch): number {
    const used = readLong(this.head, WORD.heapUsedLow);
    scratch.store(this.heapWords, used / 4);
    writeLong(this.head, WORD.heapUsedLow, used + scratch.size);
    scratch.trim();
    return used / 4;
  }

  /** Counts heap bytes to which no entry refers any more. */
  countGarbage(bytes: number): void {
    writeLong(this.head, WORD.heapGarbageLow, readLong(this.head, WORD.heapGarbageLow) + bytes);
  }

  /** The number of heap bytes that the key in flight needs. */
  get keyBytes(): number {
    return this.keyClass === BLOB ? keyScratch.size : 0;
  }

  // ---- keys and values

  /** Stores the key that {@link find} just looked for in vain at a position of the key column. */
  writeKey(position: number, key: unknown): void {
    switch (this.keyClass) {
      case NARROW:
        this.keyWords[position] = (key as number) | 0;
        break;
      case WIDE:
        this.keyWords[position * 2] = wideWords[0]!;
        this.keyWords[position * 2 + 1] = wideWords[1]!;
        break;
      default:
        this.keyWords[position] = this.store(keyScratch);
    }
  }

  keyAt(position: number): unknown {
    return this.keyClass === BLOB
      ? readBlob(this.heapWords, this.heapBytes, this.keyWords[position] >>> 0, this.exclusive)
      : this.keyColumn[position];
  }

  valueAt(position: number): unknown {
    return this.valueAs(this.valueType, position);
  }

  /** The value at a position. `type` is the type of values, for a caller that has loaded it. */
  valueAs(type: number, position: number): unknown {
    // The common types have a read of their own, so that each read sees one kind of array, whatever
    // the types of other maps are.
    if (type === F64) return (this.valueColumn as Float64Array)[position];
    if (type === U32) return (this.valueColumn as Uint32Array)[position];
    if (type === I32) return (this.valueColumn as Int32Array)[position];
    return this.otherValueAt(position);
  }

  private otherValueAt(position: number): unknown {
    switch (this.valueType) {
      case TYPE.bool:
        return this.valueColumn[position] !== 0;
      case TYPE.string:
      case TYPE.bytes:
        return readBlob(this.heapWords, this.heapBytes, this.valueColumn[position] as number, this.exclusive);
      case TYPE.json:
        return parseJson(
          readBlob(this.heapWords, this.heapBytes, this.valueColumn[position] as number, this.exclusive),
        );
      case TYPE.any:
        return this.anyValues![position];
      case TYPE.u64:
        return (this.valueColumn as BigUint64Array)[position];
      case TYPE.i64:
        return (this.valueColumn as BigInt64Array)[position];
      default:
        return (this.valueColumn as Uint8Array)[position];
    }
  }

  // ---- iteration and counts

  /**
   * Moves an owner's cursor to the next live entry, which may be read directly. `false` if there is
   * none, and always for a reader.
   */
  advanceToLive(cursor: Cursor): boolean {
    if (cursor.relocations.next !== undefined) applyRelocations(cursor);
    const { head } = this;
    const { position } = cursor;
    if (head[WORD_DEAD] !== 0 && position < this.liveLimit && this.isDead(position)) {
      this.skipDeleted(cursor);
    }
    return cursor.position < Math.min(head[WORD_USED], this.liveLimit);
  }

  private skipDeleted(cursor: Cursor): void {
    const used = this.head[WORD_USED];
    let { position } = cursor;
    while (position < used && this.isDead(position)) position++;
    cursor.position = position;
  }

  /**
   * The number of entries that a reader may look at: those that the header counts. Everything that
   * it reads of them afterward has been stored.
   */
  usedNow(): number {
    return Math.min(Atomics.load(this.head, WORD.used) >>> 0, this.capacity);
  }

  /**
   * The number of live entries: the difference of two counts at the same moment, which an owner on
   * another thread may be raising.
   */
  count(): number {
    const { head } = this;
    for (let attempts = 1000; ; attempts--) {
      const used = Atomics.load(head, WORD.used);
      const size = used - Atomics.load(head, WORD.dead);
      if (Atomics.load(head, WORD.used) === used || attempts === 0) return Math.max(0, size);
    }
  }

  /** Whether the entry at a position is deleted. */
  isDead(position: number): boolean {
    return (this.deadBits[position >>> 5] & (1 << (position & 31))) !== 0;
  }

  private badKey(key: unknown): Error {
    return badElement('a key of this map', this.keyType, key);
  }
}

function parseJson(text: string | Uint8Array): unknown {
  try {
    return JSON.parse(text as string);
  } catch (cause) {
    throw offheapError('ERR_OFFHEAP_CORRUPT', 'the region is corrupt: a json value is not JSON', { cause });
  }
}
