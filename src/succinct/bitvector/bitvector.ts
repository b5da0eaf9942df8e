/**
 * BitVector: bits, one after another, in an eighth of a byte each outside the JavaScript heap, in
 * one region of bytes that can be shared with workers, saved, and opened by mapping.
 * `docs/formats/succinct.md` specifies the bytes.
 *
 * Cost: `get`, `set`, `flip`, `push`: O(1), about 2 ns; growth is in place and copies nothing as
 * long as the address space reserved for it lasts. `count`, `fill` and set algebra: the speed of
 * memory, in Rust.
 */
import { isUint8Array } from 'node:util/types';
import { inspect, type InspectOptionsStylized } from 'node:util';
import { allocating, rangeError, typeError } from '../../errors.js';
import { native } from '../../native.js';
import { toArray } from '../../region/arguments.js';
import type { OpenOptions } from '../../region/file.js';
import { booleanOption, checkInteger, describe, integerOption, readOptions } from '../../region/options.js';
import { Region, type Origin, type Placement } from '../../region/region.js';
import {
  Adopted,
  attachStructure,
  openStructure,
  OWNER,
  structureFromBytes,
} from '../../region/structure.js';
import type { Token } from '../../region/token.js';
import { answers, lengthOf, toNumbers, type BigIntArray, type NumberArray } from '../arguments.js';
import { IteratorPrototype } from '../iteration.js';
import { Bits, checkBit, type Bit } from './bits.js';
import { initialise, MAX_BITS, regionBytes, WORD } from './layout.js';

/** How much room a new bit vector has, and where. */
export interface BitVectorOptions {
  /** Bits to make room for. The vector grows past it by itself. */
  capacity?: number;
  /** Advise the system to back the bits with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /** Keep the memory on this NUMA node. Default: wherever it is first written. */
  numaNode?: number;
}

/** What {@link BitVector.stats} tells. */
export interface BitVectorStats {
  /** How many bits there are. */
  length: number;
  /** How many fit before the vector grows. */
  capacity: number;
  byteLength: number;
  /** Where the bytes are: this thread's memory, another thread's, or a mapped file. */
  origin: Origin;
  shared: boolean;
}

/** Positions of bits, as arguments: a typed array is fastest. */
export type BitPositions = NumberArray | BigIntArray | Iterable<number> | ArrayLike<number>;

const OPTIONS = ['capacity', 'hugePages', 'numaNode'] as const;
// As in `oh_bitvector_op`.
const AND = 1;
const OR = 2;
const XOR = 3;
const AND_NOT = 4;

/**
 * The region of a bit vector, for what is built of it: bytes that no other thread changes
 * meanwhile.
 */
export let steadyBytes: (bits: BitVector) => Uint8Array;

/**
 * Bits that can be changed, in order, from position 0 on.
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
 * Methods that take a range from `from` to before `to` change nothing outside it; without bounds it
 * is all bits. `set`, `fill` and the algebra change the vector itself and return it.
 *
 * Errors, of every method: `ERR_OFFHEAP_TYPE` for what is no number, or no bit; `ERR_OFFHEAP_RANGE`
 * for a position or range that is not within the bits; `ERR_OFFHEAP_CLOSED` after `close()`;
 * `ERR_OFFHEAP_UNSUPPORTED` for a change to a vector that is only read here; `ERR_OFFHEAP_OOM` or
 * `ERR_OFFHEAP_FULL` when it can not grow; `ERR_OFFHEAP_IO` when a mapped file was truncated. A
 * refused operation changes nothing.
 */
export class BitVector extends Bits implements Iterable<number> {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'BitVector', configurable: true });
    steadyBytes = (bits) => bits.steadyBytes();
  }
  declare readonly [Symbol.toStringTag]: string;

  /** So many zeros; at most 2^40. */
  constructor(length?: number, options?: BitVectorOptions) {
    const given: unknown = length;
    super(given instanceof Adopted ? given.region : create(given, options));
    if (given instanceof Adopted) this.settleIn(given);
    else this.own('the new bit vector');
  }

  /**
   * Ones at these positions, in whatever order, and zeros elsewhere; `length` bits, or as many as
   * the largest position asks for.
   */
  static fromIndices(indices: BitPositions, length?: number, options?: BitVectorOptions): BitVector {
    const list = toNumbers(indices, 'indices');
    const needed = native().bitvectorLengthFor(list);
    const wanted = length === undefined ? needed : checkInteger(length, 'length', 0, MAX_BITS);
    if (needed > wanted || needed > MAX_BITS) {
      throw rangeError(`the largest index is ${needed - 1}, where ${Math.min(wanted, MAX_BITS)} bits can be`);
    }
    const bits = new BitVector(wanted, options);
    native().bitvectorSetMany(bits.region.bytes, list, true);
    return bits;
  }

  /**
   * Eight bits from each byte of a `Uint8Array`, the lowest first; or the bits of another bit
   * vector; or one bit from each boolean of anything iterable.
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
          `bits come from a Uint8Array, a BitVector or booleans, not from ${describe(bit)}; for positions there is fromIndices`,
        );
      }
    }
    const bits = new BitVector(list.length, options);
    for (let i = 0; i < list.length; i++) if (list[i] === true) bits.store(i, true);
    return bits;
  }

  // ---- one bit

  /** How many bits there are. */
  get length(): number {
    return this.role === OWNER ? this.size : this.read(() => this.lengthNow());
  }

  /** The bit at a position; `undefined` past the end. */
  get(position: number): boolean | undefined {
    if (typeof position === 'number' && position >>> 0 === position && position < this.size) {
      return ((this.words[position >>> 5] >>> (position & 31)) & 1) !== 0;
    }
    return this.getElsewhere(position);
  }

  private getElsewhere(position: unknown): boolean | undefined {
    if (typeof position !== 'number') throw typeError(`a position is a number, not ${describe(position)}`);
    if (!Number.isInteger(position) || position < 0) {
      this.beforeRead();
      throw rangeError(`a position is an integer from 0 on, not ${position}`);
    }
    return this.loadElsewhere(position);
  }

  /**
   * Gives the bit at a position a value: 1 unless another is given. Throws `ERR_OFFHEAP_RANGE` past
   * the end.
   */
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
   * Inverts the bit at a position, and returns what it is then. Throws `ERR_OFFHEAP_RANGE` past the
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

  /** Gives all bits from position `from` to before `to` one value. */
  fill(from: number | undefined, to: number | undefined, bit: Bit): this {
    this.beforeWrite();
    const value = checkBit(bit);
    const [begin, end] = this.checkRange(from, to, this.size);
    if (begin < end) native().bitvectorFill(this.region.bytes, begin, end, value);
    return this;
  }

  /** Inverts all bits from position `from` to before `to`. */
  not(from?: number, to?: number): this {
    this.beforeWrite();
    const [begin, end] = this.checkRange(from, to, this.size);
    if (begin < end) native().bitvectorInvert(this.region.bytes, begin, end);
    return this;
  }

  /**
   * Gives the bits at many positions one value, 1 unless another is given. If one is no position,
   * none changes.
   */
  setMany(positions: BitPositions, bit: Bit = true): this {
    this.beforeWrite();
    const value = checkBit(bit);
    const list = toNumbers(positions, 'positions');
    this.beforeWrite(); // reading the positions may have run anything
    native().bitvectorSetMany(this.region.bytes, list, value);
    return this;
  }

  /** How many ones there are from position `from` to before `to`. */
  count(from?: number, to?: number): number {
    return this.read(() => {
      const [begin, end] = this.checkRange(from, to, this.lengthNow());
      return this.countRange(begin, end);
    });
  }

  // ---- set algebra

  /** Keeps the ones that `other` has as well. Past its end `other` counts as zeros. */
  and(other: BitVector, from?: number, to?: number): this {
    return this.combine(AND, other, from, to);
  }

  /** Adds the ones of `other`. Without bounds a longer `other` makes this one as long first. */
  or(other: BitVector, from?: number, to?: number): this {
    return this.combine(OR, other, from, to);
  }

  /**
   * Keeps and adds the ones that only one of both has. Without bounds a longer `other` makes this
   * one as long first.
   */
  xor(other: BitVector, from?: number, to?: number): this {
    return this.combine(XOR, other, from, to);
  }

  /** Takes away the ones of `other`. */
  andNot(other: BitVector, from?: number, to?: number): this {
    return this.combine(AND_NOT, other, from, to);
  }

  private combine(op: number, other: unknown, from: unknown, to: unknown): this {
    this.beforeWrite();
    if (!(other instanceof BitVector)) throw typeError(`the other is a BitVector, not ${describe(other)}`);
    const bytes = other.steadyBytes();
    if (from === undefined && to === undefined && (op === OR || op === XOR)) {
      const { length } = other;
      if (length > this.size) this.setLength(length);
    }
    const [begin, end] = this.checkRange(from, to, this.size);
    // Growing may have moved this one's bytes, which may be the other's.
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

  /** The positions of ones, in order, those included that are set ahead meanwhile. */
  [Symbol.iterator](): IterableIterator<number> {
    this.beforeRead();
    return new OnesIterator(this);
  }

  /**
   * The positions of ones at `from` or after it, in order, as many as `out` has room for, and how
   * many that are; or all of them in a new array. Several times faster than iterating.
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

  /** Makes the vector so long: by zeros, or by dropping bits. */
  resize(length: number): this {
    const wanted = checkInteger(length, 'length', 0, MAX_BITS);
    this.beforeWrite();
    if (wanted !== this.size) this.setLength(wanted);
    return this;
  }

  /** Removes all bits. The memory stays: see {@link BitVector.shrinkToFit}. */
  clear(): void {
    this.resize(0);
  }

  /** Makes room for `capacity` bits in all, so that growing to that many takes no time. */
  reserve(capacity: number): this {
    const wanted = checkInteger(capacity, 'capacity', 0, MAX_BITS);
    this.beforeWrite();
    if (wanted > this.capacity) this.resizeRegion(wanted);
    return this;
  }

  /**
   * Gives back the memory that the bits do not need. A shared vector keeps its address space, and
   * so its bytes.
   */
  shrinkToFit(): this {
    this.beforeWrite();
    native().bitvectorSetCapacity(this.region.bytes, this.size);
    this.region.shrink(regionBytes(this.size));
    this.readopt();
    return this;
  }

  /** Plain facts, for logs and dashboards. */
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
   * Proves what opening does not look at: the checksum, and bits that must be zero. Throws
   * `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    this.read(() => native().bitvectorValidate(this.region.bytes));
  }

  // ---- sharing and saving

  /** A bit vector that another thread shared, to read from. O(1). It sees bits as they change. */
  static attach(token: Token): BitVector {
    return attachStructure(token, 'bitvector', adopted);
  }

  /**
   * Opens a saved bit vector by mapping its file: nothing is read but the header, whatever the
   * size. Mode `r` is for reading; in mode `rw` the first change copies the bits to memory, and the
   * file changes with the next `save` only.
   */
  static open(path: string, options?: OpenOptions): BitVector {
    return openStructure(path, options, adopted);
  }

  /** A bit vector out of the bytes of {@link BitVector.toBytes}, which are copied. O(bytes). */
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

/** The positions of ones, each looked for when it is asked for. */
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

/** The region of a new bit vector. */
function create(length: unknown, options: unknown): Region {
  const read = readOptions(options, OPTIONS, 'BitVector');
  const bits = length === undefined ? 0 : checkInteger(length, 'length', 0, MAX_BITS);
  const capacity = integerOption(read, 'capacity', 0, MAX_BITS, 0);
  const placement: Placement = {
    hugePages: booleanOption(read, 'hugePages', undefined),
    numaNode: integerOption(read, 'numaNode', 0, 1023, undefined),
  };
  const region = Region.allocate(regionBytes(Math.max(bits, capacity)), placement);
  initialise(region.head, bits, Math.max(bits, capacity));
  return region;
}

function adopted(region: Adopted): BitVector {
  return new BitVector(region as never);
}
