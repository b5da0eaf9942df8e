/**
 * BitVector: bits outside the JavaScript heap, eight to a byte, in one region that can be shared
 * with workers, saved, and opened by mapping its file. `docs/formats/succinct.md` specifies the
 * bytes.
 *
 * Cost: `get`, `set`, `flip` and `push` are O(1), about 2 ns. Growth is in place and copies nothing
 * until the reserved address space is exhausted. `count`, `fill` and set algebra run in Rust at the
 * speed of memory.
 */
import { isUint8Array } from 'node:util/types';
import { inspect, type InspectOptionsStylized } from 'node:util';
import { allocating, rangeError, typeError } from '../../errors.js';
import { native } from '../../native.js';
import { toArray } from '../../region/arguments.js';
import type { OpenOptions } from '../../region/file.js';
import { booleanOption, checkInteger, describe, integerOption, readOptions } from '../../region/options.js';
import { Region, type Origin, type Placement } from '../../region/region.js';
import { attachStructure, openStructure, structureFromBytes } from '../../region/face.js';
import { RegionSource, OWNER } from '../../region/table.js';
import type { Token } from '../../region/token.js';
import { answers, lengthOf, toNumbers, type BigIntArray, type NumberArray } from '../arguments.js';
import { IteratorPrototype } from '../iteration.js';
import { Bits, checkBit, type Bit } from './bits.js';
import { initialize, MAX_BITS, regionBytes, WORD } from './layout.js';

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
export interface BitVectorStats {
  /** The number of bits. */
  length: number;
  /** The number of bits that fit before the vector grows. */
  capacity: number;
  byteLength: number;
  /**
   * Where the bytes are stored: this thread's memory, another thread's memory, or a mapped file.
   */
  origin: Origin;
  shared: boolean;
}

/** Positions of bits as arguments: a typed array is fastest. */
export type BitPositions = NumberArray | BigIntArray | Iterable<number> | ArrayLike<number>;

const OPTIONS = ['capacity', 'hugePages', 'numaNode'] as const;
// The values of `oh_bitvector_op`.
const AND = 1;
const OR = 2;
const XOR = 3;
const AND_NOT = 4;

/**
 * The bytes of a bit vector, for structures built from it. No other thread changes them in the
 * meantime.
 */
export let steadyBytes: (bits: BitVector) => Uint8Array;

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
export class BitVector extends Bits implements Iterable<number> {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'BitVector', configurable: true });
    steadyBytes = (bits) => bits.steadyBytes();
  }
  declare readonly [Symbol.toStringTag]: string;

  /** Creates a vector of `length` zeros, at most 2^40. */
  constructor(length?: number, options?: BitVectorOptions) {
    const given: unknown = length;
    super(given instanceof RegionSource ? given.region : create(given, options));
    if (given instanceof RegionSource) this.initialize(given);
    else this.becomeOwner('the new bit vector');
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
    native().bitvectorSetMany(bits.region.bytes, list, true);
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
      const bits = new BitVector(lengthOf(source) * 8, options);
      native().bitvectorLoad(bits.region.bytes, source);
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
    for (let i = 0; i < list.length; i++) if (list[i] === true) bits.store(i, true);
    return bits;
  }

  // ---- one bit

  /** The number of bits. */
  get length(): number {
    return this.role === OWNER ? this.size : this.read(() => this.lengthNow());
  }

  /** The bit at a position, or `undefined` past the end. */
  get(position: number): boolean | undefined {
    if (typeof position === 'number' && position >>> 0 === position && position < this.size) {
      return ((this.words[position >>> 5] >>> (position & 31)) & 1) !== 0;
    }
    return this.getSlow(position);
  }

  private getSlow(position: unknown): boolean | undefined {
    if (typeof position !== 'number')
      throw typeError(`a position must be a number, not ${describe(position)}`);
    if (!Number.isInteger(position) || position < 0) {
      this.beforeRead();
      throw rangeError(`a position must be a non-negative integer, not ${position}`);
    }
    return this.loadSlow(position);
  }

  /** Sets the bit at a position, to 1 by default. Throws `ERR_OFFHEAP_RANGE` past the end. */
  set(position: number, bit: Bit = true): this {
    if (
      typeof position === 'number' &&
      position >>> 0 === position &&
      position < this.size &&
      (bit === true || bit === false)
    ) {
      const { words } = this;
      const at = position >>> 5;
      const mask = 1 << (position & 31);
      words[at] = bit ? words[at] | mask : words[at] & ~mask;
      return this;
    }
    this.beforeWrite();
    const value = checkBit(bit);
    this.store(this.checkPosition(position), value);
    return this;
  }

  /**
   * Inverts the bit at a position and returns its new value. Throws `ERR_OFFHEAP_RANGE` past the
   * end.
   */
  flip(position: number): boolean {
    this.beforeWrite();
    const at = this.checkPosition(position);
    const bit = !this.load(at);
    this.store(at, bit);
    return bit;
  }

  /** Appends a bit. Returns the new length. */
  push(bit: Bit): number {
    const { size } = this;
    if (size < this.room && (bit === true || bit === false)) {
      const { words } = this;
      const at = size >>> 5;
      const mask = 1 << (size & 31);
      words[at] = bit ? words[at] | mask : words[at] & ~mask;
      this.head[WORD.lengthLow] = size + 1;
      return (this.size = size + 1);
    }
    this.beforeWrite();
    this.append(checkBit(bit));
    return this.size;
  }

  // ---- ranges

  /** Sets all bits from position `from` up to but not including `to` to one value. */
  fill(from: number | undefined, to: number | undefined, bit: Bit): this {
    this.beforeWrite();
    const value = checkBit(bit);
    const [begin, end] = this.checkRange(from, to, this.size);
    if (begin < end) native().bitvectorFill(this.region.bytes, begin, end, value);
    return this;
  }

  /** Inverts all bits from position `from` up to but not including `to`. */
  not(from?: number, to?: number): this {
    this.beforeWrite();
    const [begin, end] = this.checkRange(from, to, this.size);
    if (begin < end) native().bitvectorInvert(this.region.bytes, begin, end);
    return this;
  }

  /**
   * Sets the bits at many positions to one value, 1 by default. If any position is invalid, no bit
   * changes.
   */
  setMany(positions: BitPositions, bit: Bit = true): this {
    this.beforeWrite();
    const value = checkBit(bit);
    const list = toNumbers(positions, 'positions');
    this.beforeWrite(); // reading the positions may have run user code
    native().bitvectorSetMany(this.region.bytes, list, value);
    return this;
  }

  /** The number of ones from position `from` up to but not including `to`. */
  count(from?: number, to?: number): number {
    return this.read(() => {
      const [begin, end] = this.checkRange(from, to, this.lengthNow());
      return this.countRange(begin, end);
    });
  }

  // ---- set algebra

  /** Keeps the ones that `other` also has. `other` counts as zeros past its end. */
  and(other: BitVector, from?: number, to?: number): this {
    return this.combine(AND, other, from, to);
  }

  /**
   * Adds the ones of `other`. Without bounds, a longer `other` first extends this vector to its
   * length.
   */
  or(other: BitVector, from?: number, to?: number): this {
    return this.combine(OR, other, from, to);
  }

  /**
   * Keeps the ones that exactly one of the two vectors has. Without bounds, a longer `other` first
   * extends this vector to its length.
   */
  xor(other: BitVector, from?: number, to?: number): this {
    return this.combine(XOR, other, from, to);
  }

  /** Removes the ones of `other`. */
  andNot(other: BitVector, from?: number, to?: number): this {
    return this.combine(AND_NOT, other, from, to);
  }

  private combine(op: number, other: unknown, from: unknown, to: unknown): this {
    this.beforeWrite();
    if (!(other instanceof BitVector))
      throw typeError(`the other operand must be a BitVector, not ${describe(other)}`);
    const bytes = other.steadyBytes();
    if (from === undefined && to === undefined && (op === OR || op === XOR)) {
      const { length } = other;
      if (length > this.size) this.setLength(length);
    }
    const [begin, end] = this.checkRange(from, to, this.size);
    // Growing may have moved the bytes of this vector, which may also be the other one.
    const others = other === this ? this.region.bytes : bytes;
    if (begin < end) native().bitvectorCombine(this.region.bytes, op, others, begin, end);
    return this;
  }

  // ---- search and iteration

  /** The position of the first one at `from` or after it; −1 if there is none. */
  nextSetBit(from = 0): number {
    return this.search(from, true);
  }

  /** The position of the first zero at `from` or after it; −1 if there is none. */
  nextClearBit(from = 0): number {
    return this.search(from, false);
  }

  private search(from: unknown, bit: boolean): number {
    const begin = typeof from === 'number' && from >>> 0 === from ? from : this.checkFrom(from);
    if (this.role === OWNER) return this.next(begin, bit, this.size);
    return this.read(() => this.next(begin, bit, this.lengthNow()));
  }

  private checkFrom(from: unknown): number {
    this.beforeRead();
    return checkInteger(from, 'from', 0, Number.MAX_SAFE_INTEGER);
  }

  /**
   * The positions of ones in ascending order, including ones that are set past the current position
   * during the iteration.
   */
  [Symbol.iterator](): IterableIterator<number> {
    this.beforeRead();
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
    const begin = this.checkFrom(from);
    if (out !== undefined) {
      const { native: array } = answers(out, 0, false, (count) => new Float64Array(count));
      return this.read(() => native().bitvectorOnes(this.region.bytes, begin, array));
    }
    return this.read(() => {
      const length = this.lengthNow();
      const count = begin < length ? this.countRange(begin, length) : 0;
      const array = allocating('the positions', count * 8, () =>
        length < 2 ** 32 ? new Uint32Array(count) : new Float64Array(count),
      );
      const found = native().bitvectorOnes(this.region.bytes, begin, array);
      return found < count ? array.slice(0, found) : array;
    });
  }

  // ---- memory

  /** Changes the length by appending zeros or dropping bits. */
  resize(length: number): this {
    const wanted = checkInteger(length, 'length', 0, MAX_BITS);
    this.beforeWrite();
    if (wanted !== this.size) this.setLength(wanted);
    return this;
  }

  /** Removes all bits. The memory is kept: see {@link BitVector.shrinkToFit}. */
  clear(): void {
    this.resize(0);
  }

  /** Reserves room for `capacity` bits in total, so that growing to that length takes no time. */
  reserve(capacity: number): this {
    const wanted = checkInteger(capacity, 'capacity', 0, MAX_BITS);
    this.beforeWrite();
    if (wanted > this.capacity) this.resizeRegion(wanted);
    return this;
  }

  /**
   * Releases the memory that the bits do not need. A shared vector keeps its address space and
   * therefore its bytes.
   */
  shrinkToFit(): this {
    this.beforeWrite();
    native().bitvectorSetCapacity(this.region.bytes, this.size);
    this.region.shrink(regionBytes(this.size));
    this.rebindViews();
    return this;
  }

  /** Counts and sizes, for logs and dashboards. */
  stats(): BitVectorStats {
    return this.read(() => ({
      length: this.lengthNow(),
      capacity: this.capacity,
      byteLength: this.region.buffer.byteLength,
      origin: this.region.origin,
      shared: this.region.shared || this.region.origin === 'attached',
    }));
  }

  /**
   * Verifies what opening does not: the checksum, and the bits that must be zero. Throws
   * `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    this.read(() => native().bitvectorValidate(this.region.bytes));
  }

  // ---- sharing and saving

  /**
   * Attaches to a bit vector that another thread shared, for reading. O(1). Changes by the owner
   * are visible immediately.
   */
  static attach(token: Token): BitVector {
    return attachStructure(token, 'bitvector', adopted);
  }

  /**
   * Opens a saved bit vector by mapping its file. Only the header is read, whatever the size. Mode
   * `r` is read-only. In mode `rw` the first change copies the bits to memory, and the file does
   * not change before the next `save`.
   */
  static open(path: string, options?: OpenOptions): BitVector {
    return openStructure(path, options, adopted);
  }

  /**
   * Creates a bit vector from the bytes of {@link BitVector.toBytes}, which are copied. O(bytes).
   */
  static fromBytes(bytes: Uint8Array): BitVector {
    return structureFromBytes(bytes, adopted);
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    const state = this.describeState();
    if (state !== 'open') return `${options.stylize('BitVector', 'special')} { ${state} }`;
    const title = `BitVector(${this.length})`;
    if (depth < 0) return options.stylize(`[${title}]`, 'special');
    const limit = Math.min(options.maxArrayLength ?? Infinity, 100);
    const ones = new Float64Array(limit + 1);
    const count = this.ones(0, ones);
    const list = inspect([...ones.subarray(0, Math.min(count, limit))], { ...options, maxArrayLength: null });
    const more = count > limit;
    return more ? `${title} ${list.replace(/\s*\]$/, '')}, ... more ones ]` : `${title} ${list}`;
  }
}

/** Iterates over the positions of ones, and searches for each when it is requested. */
class OnesIterator implements IterableIterator<number, undefined> {
  static {
    Object.setPrototypeOf(this.prototype, IteratorPrototype);
  }
  private position = 0;

  constructor(private bits: BitVector | undefined) {}

  next(): IteratorResult<number, undefined> {
    const value = this.bits?.nextSetBit(this.position) ?? -1;
    if (value >= 0) {
      this.position = value + 1;
      return { done: false, value };
    }
    this.bits = undefined;
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
  const placement: Placement = {
    hugePages: booleanOption(read, 'hugePages', undefined),
    numaNode: integerOption(read, 'numaNode', 0, 1023, undefined),
  };
  const region = Region.allocate(regionBytes(Math.max(bits, capacity)), placement);
  initialize(region.head, bits, Math.max(bits, capacity));
  return region;
}

function adopted(region: RegionSource): BitVector {
  return new BitVector(region as never);
}
