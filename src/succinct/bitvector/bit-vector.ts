/**
 * BitVector: bits outside the JavaScript heap, eight to a byte, in one region that can be shared
 * with workers, saved, and opened by mapping its file. `docs/formats/succinct.md` specifies the
 * bytes.
 *
 * Cost: `get`, `set`, `flip` and `push` are O(1), about 2 ns. Growth is in place and copies nothing
 * until the reserved address space is exhausted. `count`, `fill` and set algebra run in Rust at the
 * speed of memory.
 */
import type { PathLike } from 'node:fs';
import { inspect, type InspectOptionsStylized } from 'node:util';
import { isUint8Array } from 'node:util/types';
import { allocating, rangeError, typeError } from '../../errors.js';
import { native } from '../../native.js';
import { toArray } from '../../region/arguments.js';
import {
  attachStructure,
  constructing,
  inspectIfOpen,
  openStructure,
  PLACEMENT_OPTIONS,
  placementOptions,
  regionStats,
  setTag,
  shownElements,
  structureFromBytes,
  type RegionStats,
} from '../../region/face.js';
import type { OpenOptions } from '../../region/file.js';
import { IteratorPrototype } from '../../region/iteration.js';
import { checkInteger, describe, integerOption, readOptions } from '../../region/options.js';
import { Region } from '../../region/region.js';
import { ownTable, Structure } from '../../region/structure.js';
import { OWNER, RegionSource } from '../../region/table.js';
import type { Token } from '../../region/token.js';
import { refuseDetached } from '../../region/typed-array.js';
import { answers, lengthOf, toNumbers, type BigIntArray, type NumberArray } from '../arguments.js';
import { BitTable } from './bit-table.js';
import { append, setCapacity, setLength } from './growth.js';
import { initialize, MAX_BITS, regionBytes, WORD } from './layout.js';
import { checkBit, checkPosition, checkRange, countRange, loadSlow, nextBit, type Bit } from './ranges.js';

/** The initial capacity and placement of a new bit vector. */
export interface BitVectorOptions {
  /** The number of bits to reserve room for. The vector grows beyond it on demand. */
  capacity?: number;
  /** Advise the system to back the bits with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /**
   * Keep the memory on this NUMA node. Default: the node of the thread that first writes each page.
   */
  numaNode?: number;
}

/** The result of {@link BitVector.stats}. */
export interface BitVectorStats extends RegionStats {
  /** The number of bits. */
  length: number;
  /** The number of bits that fit before the vector grows. */
  capacity: number;
}

/** Positions of bits as arguments: a typed array is fastest. */
export type BitPositions = NumberArray | BigIntArray | Iterable<number> | ArrayLike<number>;

const OPTIONS = ['capacity', ...PLACEMENT_OPTIONS] as const;
// The values of `oh_bitvector_op`.
const AND = 1;
const OR = 2;
const XOR = 3;
const AND_NOT = 4;

/**
 * The bytes of a bit vector, for structures built from it. No other thread changes them in the
 * meantime.
 */
export let stableBytes: (bits: BitVector) => Uint8Array;

/**
 * A growable vector of bits, addressed by positions from 0 on.
 *
 * ```ts
 * const primes = BitVector.fromIndices([2, 3, 5, 7, 11, 13]);
 * const odd = new BitVector(primes.length);
 * for (let i = 1; i < odd.length; i += 2) odd.set(i);
 * primes.and(odd);
 * [...primes]; // [3, 5, 7, 11, 13]
 * primes.count(0, 10); // 3
 * ```
 *
 * Methods that take a range change only bits from position `from` up to but not including `to`;
 * without bounds, the range is all bits. `set`, `fill` and the set algebra change the vector itself
 * and return it.
 *
 * Every method throws `ERR_OFFHEAP_TYPE` if an argument is not a number or not a bit,
 * `ERR_OFFHEAP_RANGE` for a position or range outside the bits, `ERR_OFFHEAP_CLOSED` after
 * `close()`, `ERR_OFFHEAP_UNSUPPORTED` for a change to a read-only vector, `ERR_OFFHEAP_OOM` or
 * `ERR_OFFHEAP_FULL` when the vector cannot grow, and `ERR_OFFHEAP_IO` when a mapped file has been
 * truncated. A refused operation changes nothing.
 */
export class BitVector extends Structure<'bitvector'> implements Iterable<number> {
  static {
    setTag(this.prototype, 'BitVector');
    stableBytes = (bits) => bits.#table.stableBytes();
  }
  declare readonly [Symbol.toStringTag]: string;
  readonly #table = ownTable<BitTable>(this);

  /** Creates a vector of `length` zeros, at most 2^40. */
  constructor(length?: number, options?: BitVectorOptions);
  /** @internal */
  constructor(source: RegionSource);
  constructor(from?: number | RegionSource, options?: BitVectorOptions) {
    const existing = from instanceof RegionSource;
    const table = new BitTable(existing ? from.region : create(from, options));
    if (existing) table.initialize(from);
    else table.becomeOwner('the new bit vector');
    super(table);
  }

  /**
   * Creates a vector with ones at the given positions, in any order, and zeros at all others. It
   * has `length` bits, or as many as the largest position requires.
   */
  static fromIndices(indices: BitPositions, length?: number, options?: BitVectorOptions): BitVector {
    const list = toNumbers(indices, 'indices');
    const needed = native().bitvectorLengthFor(list);
    const wanted = length === undefined ? needed : checkInteger(length, 'length', 0, MAX_BITS);
    if (needed > wanted || needed > MAX_BITS) {
      throw rangeError(`index ${needed - 1} is out of range for ${Math.min(wanted, MAX_BITS)} bits`);
    }
    const bits = new BitVector(wanted, options);
    native().bitvectorSetMany(bits.#table.region.bytes, list, true);
    return bits;
  }

  /**
   * Creates a vector from the bytes of a `Uint8Array`, eight bits from each with the lowest bit
   * first, from the bits of another bit vector, or from any iterable of booleans.
   */
  static from(source: Uint8Array | BitVector | Iterable<boolean>, options?: BitVectorOptions): BitVector {
    if (source instanceof BitVector) {
      const bits = new BitVector(source.length, options);
      return bits.or(source);
    }
    if (isUint8Array(source)) {
      refuseDetached(source, 'the bits');
      const bits = new BitVector(lengthOf(source) * 8, options);
      native().bitvectorLoad(bits.#table.region.bytes, source);
      return bits;
    }
    const list = toArray(source, 'the bits');
    for (const bit of list) {
      if (typeof bit !== 'boolean') {
        throw typeError(
          `bits must be a Uint8Array, a BitVector or booleans, not ${describe(bit)}; use fromIndices for positions`,
        );
      }
    }
    const bits = new BitVector(list.length, options);
    for (let i = 0; i < list.length; i++) if (list[i] === true) bits.#table.store(i, true);
    return bits;
  }

  // ---- one bit

  /** The number of bits. */
  get length(): number {
    const table = this.#table;
    return table.role === OWNER ? table.size : table.read(() => table.lengthNow());
  }

  /** The bit at a position, or `undefined` past the end. */
  get(position: number): boolean | undefined {
    const table = this.#table;
    if (typeof position === 'number' && position >>> 0 === position && position < table.size) {
      return ((table.words[position >>> 5] >>> (position & 31)) & 1) !== 0;
    }
    return this.#getSlow(position);
  }

  #getSlow(position: unknown): boolean | undefined {
    const table = this.#table;
    if (typeof position !== 'number')
      throw typeError(`a position must be a number, not ${describe(position)}`);
    if (!Number.isInteger(position) || position < 0) {
      table.beforeRead();
      throw rangeError(`a position must be a non-negative integer, not ${position}`);
    }
    return loadSlow(table, position);
  }

  /** Sets the bit at a position, to 1 by default. Throws `ERR_OFFHEAP_RANGE` past the end. */
  set(position: number, bit: Bit = true): this {
    const table = this.#table;
    if (
      typeof position === 'number' &&
      position >>> 0 === position &&
      position < table.size &&
      (bit === true || bit === false)
    ) {
      const { words } = table;
      const at = position >>> 5;
      const mask = 1 << (position & 31);
      words[at] = bit ? words[at] | mask : words[at] & ~mask;
      return this;
    }
    table.beforeWrite();
    const value = checkBit(bit);
    table.store(checkPosition(table, position), value);
    return this;
  }

  /**
   * Inverts the bit at a position and returns its new value. Throws `ERR_OFFHEAP_RANGE` past the
   * end.
   */
  flip(position: number): boolean {
    const table = this.#table;
    if (typeof position === 'number' && position >>> 0 === position && position < table.size) {
      const word = (table.words[position >>> 5] ^= 1 << (position & 31));
      return ((word >>> (position & 31)) & 1) !== 0;
    }
    table.beforeWrite();
    const at = checkPosition(table, position);
    const bit = !table.load(at);
    table.store(at, bit);
    return bit;
  }

  /** Appends a bit. Returns the new length. */
  push(bit: Bit): number {
    const table = this.#table;
    const { size } = table;
    if (size < table.room && (bit === true || bit === false)) {
      const { words } = table;
      const at = size >>> 5;
      const mask = 1 << (size & 31);
      words[at] = bit ? words[at] | mask : words[at] & ~mask;
      table.head[WORD.lengthLow] = size + 1;
      return (table.size = size + 1);
    }
    table.beforeWrite();
    append(table, checkBit(bit));
    return table.size;
  }

  // ---- ranges

  /** Sets all bits from position `from` up to but not including `to` to one value. */
  fill(from: number | undefined, to: number | undefined, bit: Bit): this {
    const table = this.#table;
    table.beforeWrite();
    const value = checkBit(bit);
    const [begin, end] = checkRange(from, to, table.size);
    if (begin < end) native().bitvectorFill(table.region.bytes, begin, end, value);
    return this;
  }

  /** Inverts all bits from position `from` up to but not including `to`. */
  not(from?: number, to?: number): this {
    const table = this.#table;
    table.beforeWrite();
    const [begin, end] = checkRange(from, to, table.size);
    if (begin < end) native().bitvectorInvert(table.region.bytes, begin, end);
    return this;
  }

  /**
   * Sets the bits at many positions to one value, 1 by default. If any position is invalid, no bit
   * changes.
   */
  setMany(positions: BitPositions, bit: Bit = true): this {
    const table = this.#table;
    table.beforeWrite();
    const value = checkBit(bit);
    const list = toNumbers(positions, 'positions');
    table.beforeWrite(); // reading the positions may have run user code
    native().bitvectorSetMany(table.region.bytes, list, value);
    return this;
  }

  /** The number of ones from position `from` up to but not including `to`. */
  count(from?: number, to?: number): number {
    const table = this.#table;
    return table.read(() => {
      const [begin, end] = checkRange(from, to, table.lengthNow());
      return countRange(table, begin, end);
    });
  }

  // ---- set algebra

  /** Keeps the ones that `other` also has. `other` counts as zeros past its end. */
  and(other: BitVector, from?: number, to?: number): this {
    return this.#combine(AND, other, from, to);
  }

  /**
   * Adds the ones of `other`. Without bounds, a longer `other` first extends this vector to its
   * length.
   */
  or(other: BitVector, from?: number, to?: number): this {
    return this.#combine(OR, other, from, to);
  }

  /**
   * Keeps the ones that exactly one of the two vectors has. Without bounds, a longer `other` first
   * extends this vector to its length.
   */
  xor(other: BitVector, from?: number, to?: number): this {
    return this.#combine(XOR, other, from, to);
  }

  /** Removes the ones of `other`. */
  andNot(other: BitVector, from?: number, to?: number): this {
    return this.#combine(AND_NOT, other, from, to);
  }

  #combine(op: number, other: unknown, from: unknown, to: unknown): this {
    const table = this.#table;
    table.beforeWrite();
    if (!(other instanceof BitVector))
      throw typeError(`the other operand must be a BitVector, not ${describe(other)}`);
    const bytes = other.#table.stableBytes();
    if (from === undefined && to === undefined && (op === OR || op === XOR)) {
      const { length } = other;
      if (length > table.size) setLength(table, length);
    }
    const [begin, end] = checkRange(from, to, table.size);
    // Growing may have moved the bytes of this vector, which may also be the other one.
    const others = other === this ? table.region.bytes : bytes;
    if (begin < end) native().bitvectorCombine(table.region.bytes, op, others, begin, end);
    return this;
  }

  // ---- search and iteration

  /** The position of the first one at `from` or after it; −1 if there is none. */
  nextSetBit(from = 0): number {
    return this.#search(from, true);
  }

  /** The position of the first zero at `from` or after it; −1 if there is none. */
  nextClearBit(from = 0): number {
    return this.#search(from, false);
  }

  #search(from: unknown, bit: boolean): number {
    const table = this.#table;
    const begin = typeof from === 'number' && from >>> 0 === from ? from : this.#checkFrom(from);
    if (table.role === OWNER) return nextBit(table, begin, bit, table.size);
    return table.read(() => nextBit(table, begin, bit, table.lengthNow()));
  }

  #checkFrom(from: unknown): number {
    this.#table.beforeRead();
    return checkInteger(from, 'from', 0, Number.MAX_SAFE_INTEGER);
  }

  /**
   * The positions of ones in ascending order, including ones that are set past the current position
   * during the iteration.
   */
  [Symbol.iterator](): IterableIterator<number> {
    this.#table.beforeRead();
    return new OnesIterator(this);
  }

  /**
   * The positions of ones at `from` or after it, in ascending order. With `out`, writes as many as
   * fit and returns their number; without it, returns all of them in a new array. Several times
   * faster than iterating.
   */
  ones(from?: number): Uint32Array | Float64Array;
  ones(from: number | undefined, out: NumberArray): number;
  ones(from = 0, out?: NumberArray): Uint32Array | Float64Array | number {
    const table = this.#table;
    const begin = this.#checkFrom(from);
    if (out !== undefined) {
      const { native: array } = answers(out, 0, false, (count) => new Float64Array(count));
      return table.read(() => native().bitvectorOnes(table.region.bytes, begin, array));
    }
    return table.read(() => {
      const length = table.lengthNow();
      const count = begin < length ? countRange(table, begin, length) : 0;
      const array = allocating('the positions', count * 8, () =>
        length < 2 ** 32 ? new Uint32Array(count) : new Float64Array(count),
      );
      const found = native().bitvectorOnes(table.region.bytes, begin, array);
      return found < count ? array.slice(0, found) : array;
    });
  }

  // ---- memory

  /** Changes the length by appending zeros or dropping bits. */
  resize(length: number): this {
    const table = this.#table;
    const wanted = checkInteger(length, 'length', 0, MAX_BITS);
    table.beforeWrite();
    if (wanted !== table.size) setLength(table, wanted);
    return this;
  }

  /** Removes all bits. The memory is kept: see {@link BitVector.shrinkToFit}. */
  clear(): void {
    this.resize(0);
  }

  /** Reserves room for `capacity` bits in total, so that growing to that length takes no time. */
  reserve(capacity: number): this {
    const table = this.#table;
    const wanted = checkInteger(capacity, 'capacity', 0, MAX_BITS);
    table.beforeWrite();
    if (wanted > table.capacity) setCapacity(table, wanted);
    return this;
  }

  /**
   * Releases the memory that the bits do not need. A shared vector keeps its address space and
   * therefore its bytes.
   */
  shrinkToFit(): this {
    const table = this.#table;
    table.beforeWrite();
    native().bitvectorSetCapacity(table.region.bytes, table.size);
    table.region.shrink(regionBytes(table.size));
    table.rebindViews();
    return this;
  }

  /** Counts and sizes, for logs and dashboards. */
  stats(): BitVectorStats {
    const table = this.#table;
    return table.read(() => ({
      length: table.lengthNow(),
      capacity: table.capacity,
      ...regionStats(table.region),
    }));
  }

  /**
   * Verifies what opening does not: the checksum, and the bits that must be zero. Throws
   * `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    const table = this.#table;
    table.read(() => native().bitvectorValidate(table.region.bytes));
  }

  // ---- sharing and saving

  /**
   * Attaches to a bit vector that another thread shared, for reading. O(1). Changes by the owner
   * are visible immediately.
   */
  static attach(token: Token): BitVector {
    return attachStructure(token, 'bitvector', constructing(this, BitVector));
  }

  /**
   * Opens a saved bit vector by mapping its file. Only the header is read, whatever the size. Mode
   * `r` is read-only. In mode `rw` the first change copies the bits to memory, and the file does
   * not change before the next `save`.
   */
  static open(path: PathLike, options?: OpenOptions): BitVector {
    return openStructure(path, options, constructing(this, BitVector));
  }

  /**
   * Creates a bit vector from the bytes of {@link BitVector.toBytes}, which are copied. O(bytes).
   */
  static fromBytes(bytes: Uint8Array): BitVector {
    return structureFromBytes(bytes, constructing(this, BitVector));
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    return inspectIfOpen('BitVector', this.#table.describeState(), options, () => {
      const title = `BitVector(${this.length})`;
      if (depth < 0) return options.stylize(`[${title}]`, 'special');
      const limit = shownElements(Infinity, options);
      const ones = new Float64Array(limit + 1);
      const count = this.ones(0, ones);
      const list = inspect([...ones.subarray(0, Math.min(count, limit))], {
        ...options,
        maxArrayLength: null,
      });
      return count > limit ? `${title} ${list.replace(/\s*\]$/, '')}, ... more ones ]` : `${title} ${list}`;
    });
  }
}

/** Iterates over the positions of ones, and searches for each when it is requested. */
class OnesIterator implements IterableIterator<number, undefined> {
  static {
    Object.setPrototypeOf(this.prototype, IteratorPrototype);
  }
  #bits: BitVector | undefined;
  #position = 0;

  constructor(bits: BitVector) {
    this.#bits = bits;
  }

  next(): IteratorResult<number, undefined> {
    const value = this.#bits?.nextSetBit(this.#position) ?? -1;
    if (value >= 0) {
      this.#position = value + 1;
      return { done: false, value };
    }
    this.#bits = undefined;
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }
}

/** Allocates and initializes the region of a new bit vector. */
function create(length: unknown, options: unknown): Region {
  const read = readOptions(options, OPTIONS, 'BitVector');
  const bits = length === undefined ? 0 : checkInteger(length, 'length', 0, MAX_BITS);
  const capacity = integerOption(read, 'capacity', 0, MAX_BITS, 0);
  const region = Region.allocate(regionBytes(Math.max(bits, capacity)), placementOptions(read));
  initialize(region.head, bits, Math.max(bits, capacity));
  return region;
}
