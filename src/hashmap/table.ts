/**
 * The table under HashMap: finding, inserting and removing one entry in a region, in JIT code.
 * `docs/formats/hashmap.md` is the contract; the same operations stand in Rust in
 * `native/core/src/hashmap/`, for C callers and bulk calls, and tests compare the two byte for
 * byte.
 *
 * Cost: a lookup reads one cache line of index, one of keys, one of values. The twelve tags of a
 * bucket are compared without a branch in three 32-bit words: with t the tag in every byte,
 * (0x80808080 − (w ^ t)) has the high bit of a byte set exactly where the tags are equal, because
 * tags have seven bits. (The constant stands in the code as the int32 literal −0x7f7f7f80: through
 * a name it becomes a variable in a bundle, which doubles the cost.) Branches that depend on where
 * in a bucket an entry lies were measured: each misprediction discards the cache misses already
 * under way, which at a million entries costs more than the whole comparison.
 *
 * Invariants: all typed arrays here have a fixed length (a length-tracking view costs 20 ns a read)
 * and are remade by {@link Table.bindViews} when the region grew. A table that may not read directly
 * (closed, or watching another thread's region) has {@link TRAP} for its fast index, so the fast
 * path always takes the slow road there, and costs nothing here.
 */
import { isUint8Array } from 'node:util/types';
import { offheapError, typeError } from '../errors.js';
import { badElement, COLUMN_ARRAYS, isBlob, isElement, TYPE, WIDTHS } from '../region/element.js';
import type { AnyTypedArray } from '../region/typed-array.js';
import { blobSize, jsonText, readBlob, Scratch, type TextBuffer } from '../region/blob.js';
import { lanesEqual, positionWord, tagMask, tagsOf } from '../region/buckets.js';
import { corrupt, readLong, writeLong } from '../region/format.js';
import { describe } from '../region/options.js';
import type { Region } from '../region/region.js';
import { LegacyStructure } from '../region/legacy.js';
import { OWNER } from '../region/table.js';
import { GENERATIONS, HAS_SLOTS, readShape, WORD, type Layout, type Shape } from './layout.js';

/** A bucket in which nothing is found, and that says to look further: see {@link Table}. */
export const TRAP = Int32Array.of(0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

/** Codes that hot code compares with, as constants of this module: V8 folds those. */
const U32 = TYPE.u32;
const I32 = TYPE.i32;
const F64 = TYPE.f64;

/** How keys are compared: one word, two words, or as blobs. */
export const NARROW = 0;
const WIDE = 1;
const BLOB = 2;

/** The words of one 8-byte key in flight. */
const wideNumber = new Float64Array(1);
const wideWords = new Int32Array(wideNumber.buffer);
const wideInteger = new BigInt64Array(wideNumber.buffer);
/** What every NaN is stored as. */
const NAN_BITS = 0x7ff8000000000000n;

/** A key and a value in flight; nothing stays in them between operations. */
const keyScratch = new Scratch();
const valueScratch = new Scratch();

const EMPTY_WORDS = new Int32Array(0);
const CLOSED_HEAD = new Int32Array(64);
const EMPTY_HEAP = Buffer.alloc(0) as TextBuffer;

export abstract class Table extends LegacyStructure<'hashmap'> {
  // The fast path's fields come first. Numbers are initialised to small integers, so that V8 stores
  // them unboxed.
  /** The index where the fast path may read it, else {@link TRAP}. */
  protected fastIndex: Int32Array = TRAP;
  /** How keys are compared; {@link NARROW} ones, 4-byte integers, are looked up in `get` itself. */
  protected keyClass = NARROW;
  /** Multiplier of the home bucket: buckets = mul × 2^(29 − shift). 0 with {@link TRAP}. */
  protected fastMul = 0;
  protected shift = 29;
  protected seed0 = 0;
  protected seed1 = 0;
  protected keyType = 0;
  protected valueType = 0;
  /** The key column as its type; blob references as unsigned words. */
  protected keyColumn!: AnyTypedArray;
  /** The value column as its type; blob references as unsigned words. Empty for `any`. */
  protected valueColumn!: AnyTypedArray;
  protected mul = 0;
  protected index: Int32Array = EMPTY_WORDS;
  protected head: Int32Array = EMPTY_WORDS;
  protected capacity = 0;
  /** `capacity` where entries may be read directly, else 0. */
  protected liveLimit = 0;
  /**
   * What to take from a direct handle to get its position; NaN where handles are not direct, or
   * reads are not.
   */
  protected handleBase = NaN;
  /**
   * `capacity` where an insertion is plain stores; 0 where it must publish to other threads, or
   * take a slot.
   */
  protected plainCapacity = 0;
  /** One bit for each entry, set where it is deleted. */
  protected deadBits: Int32Array = EMPTY_WORDS;
  /** The key column by words: one to a key, or two for 8-byte keys. */
  protected keyWords: Int32Array = EMPTY_WORDS;
  protected heapWords: Int32Array = EMPTY_WORDS;
  protected heapBytes: TextBuffer = EMPTY_HEAP;
  /** The slot table; empty without one. */
  protected slotOfEntry: Int32Array = EMPTY_WORDS;
  protected entryOfSlot: Int32Array = EMPTY_WORDS;
  protected generations: Int32Array = EMPTY_WORDS;
  /** Values of type `any`, by position. */
  protected anyValues: unknown[] | undefined;
  /** The hash of the key that {@link find} looked for last. */
  protected hash = 0;

  protected get kind(): 'hashmap' {
    return 'hashmap';
  }
  protected get label(): string {
    return 'map';
  }

  protected bindViews(what: string, direct: boolean): void {
    const shape = readShape(this.region.head, this.region.bytes.length, what);
    this.head = this.region.head;
    this.mount(shape, shape.layout);
    // Numbers can be read and judged afterwards; reading a half-moved blob could throw.
    this.arm(direct || !isBlob(this.valueType), direct);
  }

  protected check(region: Region, length: number, what: string): void {
    readShape(region.head, length, what);
  }

  protected mount(shape: Shape, layout: Layout): void {
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
  }

  /** Forgets all views, so that nothing is read from memory that was given up. */
  protected dropViews(): void {
    this.arm(false, false);
    this.head = CLOSED_HEAD;
    this.index = this.deadBits = this.keyWords = this.heapWords = EMPTY_WORDS;
    this.slotOfEntry = this.entryOfSlot = this.generations = EMPTY_WORDS;
    this.keyColumn = this.valueColumn = EMPTY_WORDS;
    this.heapBytes = EMPTY_HEAP;
    this.capacity = 0;
  }

  /**
   * Opens the fast paths: `lookups` by key, which every caller of {@link locate} checks for itself,
   * and `direct` access, which only an owner has.
   */
  protected arm(lookups: boolean, direct: boolean): void {
    this.fastIndex = lookups ? this.index : TRAP;
    this.fastMul = lookups ? this.mul : 0;
    this.liveLimit = direct ? this.capacity : 0;
    const directHandles = direct && (this.head[WORD.state] & HAS_SLOTS) === 0;
    this.handleBase = directHandles ? this.head[WORD.epoch] * 4_294_967_296 : NaN;
    this.plainCapacity = direct && !this.hasReaders && this.slotOfEntry.length === 0 ? this.capacity : 0;
  }

  // ---- finding

  /**
   * The fast path of a lookup by a 4-byte key: its position; −1 if it is absent; or −2 where only
   * {@link find} can tell (another type of key, a bucket that overflowed, a second candidate, no
   * direct access). Leaves the hash of an absent key in `hash`.
   *
   * Written out in full and without branches on where a key lies, so that V8 takes it into the
   * caller's loop and the processor runs ahead through the cache misses of several lookups.
   */
  protected locate(key: unknown): number {
    if (this.keyClass !== 0 || typeof key !== 'number') return -2;
    const index = this.fastIndex;
    let h = Math.imul(key ^ this.seed0, 0x85ebca6b);
    h = Math.imul((h ^ (h >>> 15)) + this.seed1, 0xc2b2ae35);
    h ^= h >>> 16;
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
      return this.keyColumn[position] === key ? position : -2;
    }
    // Absent, if its home bucket never overflowed; but a key that no map of this type holds is for
    // `find` to refuse.
    if (index[base | 3] !== 0 || (this.keyType === 5 ? key >>> 0 : key | 0) !== key) return -2;
    this.hash = h;
    return -1;
  }

  /**
   * The position of a key, or −1. Leaves its hash in `hash`, and a blob key encoded in the scratch,
   * for an insertion that follows. Throws where the key is not of the map's type.
   */
  protected find(key: unknown): number {
    switch (this.keyType) {
      case TYPE.u32:
        if (typeof key !== 'number' || key >>> 0 !== key) throw this.badKey(key);
        return this.probe(hash32(key, this.seed0, this.seed1), key | 0, 0);
      case TYPE.i32:
        if (typeof key !== 'number' || (key | 0) !== key) throw this.badKey(key);
        return this.probe(hash32(key, this.seed0, this.seed1), key | 0, 0);
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

  /**
   * Throws where a key is not of the map's type. For bulk calls, which check before they change
   * anything.
   */
  protected checkKey(key: unknown): void {
    if (!isElement(key, this.keyType)) throw this.badKey(key);
  }

  private hash64(): number {
    let h = Math.imul(wideWords[0] ^ this.seed0, 0x85ebca6b);
    h = Math.imul(((h ^ (h >>> 15)) + this.seed1) ^ wideWords[1], 0xc2b2ae35);
    h = Math.imul(h ^ (h >>> 16), 0x9e3779b1);
    return h ^ (h >>> 15);
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
    // Bounded, for an index from elsewhere may have no end.
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

  /** First word, in the index, of the bucket where an entry with hash `h` belongs. */
  private home(h: number): number {
    return (Math.imul(h >>> 3, this.mul) >>> this.shift) << 4;
  }

  // ---- changing the index

  /**
   * Puts a position into the index under the hash `h`: overflow counts, then the position, then the
   * tag, which publishes it. There is an empty lane, because the index has more lanes than the
   * columns have entries.
   */
  protected enter(h: number, position: number): void {
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
   * Takes a position out of the index, where it stands under `h`. Returns how many full buckets it
   * had passed.
   */
  private leave(h: number, position: number): number {
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

  /**
   * A store that makes a change visible: after it, other threads see all that was stored before it.
   */
  private publish(words: Int32Array | Uint32Array, at: number, value: number): void {
    // Where a damaged region leads outside, the plain store is the one that does nothing.
    if (this.hasReaders && at < words.length) Atomics.store(words, at, value);
    else words[at] = value;
  }

  // ---- changing entries

  /** Deletes the entry that {@link find} just found, in steps that are each valid. */
  protected remove(position: number): void {
    const { head, index } = this;
    const h = this.hash;
    const garbage =
      (isBlob(this.keyType) ? blobSize(this.heapWords, this.keyWords[position] >>> 0) : 0) +
      (isBlob(this.valueType) ? blobSize(this.heapWords, this.valueColumn[position] as number) : 0);
    const passed = this.leave(h, position);
    this.deadBits[position >>> 5] = this.deadBits[position >>> 5] | (1 << (position & 31));
    this.publish(head, WORD.dead, head[WORD.dead] + 1);
    let base = this.home(h);
    for (let i = 0; i < passed; i++) {
      index[base | 3] = index[base | 3] - 1;
      base = (base + 16) | 0;
      if (base === index.length) base = 0;
    }
    if (garbage !== 0) this.countGarbage(garbage);
    if (this.anyValues !== undefined) this.anyValues[position] = undefined;
    if ((head[WORD.state] & HAS_SLOTS) !== 0) this.freeSlot(this.slotOfEntry[position] >>> 0);
  }

  /**
   * Appends an entry for the key that {@link find} just did not find and the value that {@link
   * encodeValue} took. There is room for it: {@link isFull} said no.
   */
  protected append(key: unknown, value: unknown): void {
    const { head, hash } = this;
    const position = head[WORD.used];
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
    this.writeValue(position, value);
    if ((head[WORD.state] & HAS_SLOTS) !== 0) this.slotOfEntry[position] = this.takeSlot(position);
    this.enter(hash, position);
    this.publish(head, WORD.used, position + 1);
  }

  /**
   * Whether the next insertion needs a rebuild first. `blobs`: bytes that it will append to the
   * heap.
   */
  protected isFull(blobs: number): boolean {
    const { head } = this;
    return (
      head[WORD.used] === this.capacity ||
      (blobs !== 0 && this.heapIsFull(blobs)) ||
      ((head[WORD.state] & HAS_SLOTS) !== 0 &&
        head[WORD.freeSlot] === 0 &&
        head[WORD.slotsUsed] >>> 0 === this.entryOfSlot.length)
    );
  }

  /** Whether `blobs` more bytes do not fit into the heap. */
  protected heapIsFull(blobs: number): boolean {
    return readLong(this.head, WORD.heapUsedLow) + blobs > this.heapWords.length * 4;
  }

  /** Bytes that the key and value in flight will take in the heap. */
  protected blobBytes(withKey: boolean): number {
    return (
      (withKey && this.keyClass === BLOB ? keyScratch.size : 0) +
      (isBlob(this.valueType) ? valueScratch.size : 0)
    );
  }

  /** Appends a scratch to the heap and returns its reference. */
  private store(scratch: Scratch): number {
    const used = readLong(this.head, WORD.heapUsedLow);
    scratch.store(this.heapWords, used / 4);
    writeLong(this.head, WORD.heapUsedLow, used + scratch.size);
    scratch.trim();
    return used / 4;
  }

  private countGarbage(bytes: number): void {
    writeLong(this.head, WORD.heapGarbageLow, readLong(this.head, WORD.heapGarbageLow) + bytes);
  }

  // ---- keys and values

  protected keyAt(position: number): unknown {
    return this.keyClass === BLOB
      ? readBlob(this.heapWords, this.heapBytes, this.keyWords[position] >>> 0, this.exclusive)
      : this.keyColumn[position];
  }

  protected valueAt(position: number): unknown {
    // The common ones by themselves, so that each read sees one kind of array, whatever other maps
    // hold.
    const { valueType } = this;
    if (valueType === F64) return (this.valueColumn as Float64Array)[position];
    if (valueType === U32) return (this.valueColumn as Uint32Array)[position];
    if (valueType === I32) return (this.valueColumn as Int32Array)[position];
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

  /**
   * Checks that `value` is of the map's type and readies it for {@link writeValue}. Runs user code
   * only for `json` (`toJSON`), and before anything else of the operation.
   */
  protected encodeValue(value: unknown): void {
    if (this.valueType === TYPE.f64 && typeof value === 'number') return;
    switch (this.valueType) {
      case TYPE.string:
        this.checkValue(value);
        return valueScratch.string(value as string);
      case TYPE.bytes:
        this.checkValue(value);
        return valueScratch.byteSequence(value as Uint8Array);
      case TYPE.json:
        return valueScratch.string(jsonText(value));
      default:
        this.checkValue(value);
    }
  }

  /** Readies text that is JSON already. */
  protected encodeText(text: string): void {
    valueScratch.string(text);
  }

  /** Throws where a value is not of the map's type. */
  protected checkValue(value: unknown): void {
    if (!isElement(value, this.valueType)) throw this.badValue(value);
  }

  /**
   * Writes the value that {@link encodeValue} took: one aligned store, so a reader sees the old one
   * or the new.
   */
  protected writeValue(position: number, value: unknown): void {
    switch (this.valueType) {
      case TYPE.f64:
        (this.valueColumn as Float64Array)[position] = value as number;
        return;
      case TYPE.u32:
        (this.valueColumn as Uint32Array)[position] = value as number;
        return;
      case TYPE.i32:
        (this.valueColumn as Int32Array)[position] = value as number;
        return;
      case TYPE.bool:
        (this.valueColumn as Uint8Array)[position] = value === true ? 1 : 0;
        return;
      case TYPE.u64:
      case TYPE.i64:
        (this.valueColumn as BigInt64Array)[position] = value as bigint;
        return;
      case TYPE.string:
      case TYPE.bytes:
      case TYPE.json:
        // The blob before the reference to it; for a new entry its tag would do, for a new value
        // nothing else does.
        this.publish(this.valueColumn as Uint32Array, position, this.store(valueScratch));
        return;
      case TYPE.any:
        this.anyValues![position] = value;
        return;
      default:
        (this.valueColumn as Uint8Array)[position] = value as number;
    }
  }

  /**
   * Replaces the value at a position by the one that {@link encodeValue} took. There is room in the
   * heap.
   */
  protected replaceValue(position: number, value: unknown): void {
    const garbage = isBlob(this.valueType)
      ? blobSize(this.heapWords, this.valueColumn[position] as number)
      : 0;
    this.writeValue(position, value);
    if (garbage !== 0) this.countGarbage(garbage);
  }

  // ---- slots

  private takeSlot(position: number): number {
    const { head, entryOfSlot } = this;
    const free = head[WORD.freeSlot];
    let slot: number;
    if (free !== 0) {
      slot = (free >>> 0) - 1;
      head[WORD.freeSlot] = entryOfSlot[slot]!;
    } else {
      slot = head[WORD.slotsUsed] >>> 0;
      this.generations[slot] = head[WORD.epoch]!;
      head[WORD.slotsUsed] = slot + 1;
    }
    this.publish(entryOfSlot, slot, position);
    return slot;
  }

  private freeSlot(slot: number): void {
    const { head, generations } = this;
    const generation = generations[slot] + 1;
    // Before the slot can lead to another entry: whoever follows a handle looks at this again
    // afterwards.
    this.publish(generations, slot, generation);
    if (generation >= GENERATIONS - 1) return; // retired: see the format
    this.entryOfSlot[slot] = head[WORD.freeSlot]!;
    head[WORD.freeSlot] = slot + 1;
  }

  /** The position that a handle names, or −1 for a stale one (or anything that is no handle). */
  protected positionOf(handle: unknown): number {
    if (typeof handle !== 'number') throw typeError(`a handle is a number, not ${describe(handle)}`);
    const { head } = this;
    const slot = handle >>> 0;
    const generation = (handle - slot) / 4_294_967_296;
    const used = head[WORD.used];
    if ((head[WORD.state] & HAS_SLOTS) === 0) {
      return generation === head[WORD.epoch] && slot < used && !this.isDead(slot) ? slot : -1;
    }
    if (slot >= head[WORD.slotsUsed] >>> 0 || this.generations[slot] !== generation) return -1;
    const position = this.entryOfSlot[slot] >>> 0;
    if (position >= used || this.slotOfEntry[position] >>> 0 !== slot || this.isDead(position)) return -1;
    if (this.role === OWNER) return position;
    // The slot may have been given to another entry in between; its generation went up before that.
    return this.loadAfterReads(this.generations, slot) === generation ? position : -1;
  }

  /** The handle of the entry at a position. */
  protected handleAt(position: number): number {
    const { head } = this;
    if ((head[WORD.state] & HAS_SLOTS) === 0) return head[WORD.epoch] * 4_294_967_296 + position;
    const slot = this.slotOfEntry[position] >>> 0;
    return this.generations[slot] * 4_294_967_296 + slot;
  }

  protected isDead(position: number): boolean {
    return (this.deadBits[position >>> 5] & (1 << (position & 31))) !== 0;
  }

  // ---- errors

  private badKey(key: unknown): Error {
    return badElement('a key of this map', this.keyType, key);
  }

  private badValue(value: unknown): Error {
    return badElement('a value of this map', this.valueType, value);
  }
}

function hash32(key: number, seed0: number, seed1: number): number {
  let h = Math.imul(key ^ seed0, 0x85ebca6b);
  h = Math.imul((h ^ (h >>> 15)) + seed1, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function parseJson(text: string | Uint8Array): unknown {
  try {
    return JSON.parse(text as string);
  } catch (cause) {
    throw offheapError('ERR_OFFHEAP_CORRUPT', 'the region is corrupt: a json value is not JSON', { cause });
  }
}
