/**
 * RankSelect: immutable bits with rank (the number of ones before any position) and select (the
 * position of the k-th one) in a few nanoseconds. It copies the bits, so that its region is
 * self-contained. `docs/formats/succinct.md` specifies the bytes and cites the papers.
 *
 * Cost: a rank reads two cache lines (one if interleaved), a select about four, plus the logarithm
 * of the distance between two samples if ones are clustered. Bulk calls cross into Rust once and
 * prefetch.
 */
import { inspect, type InspectOptionsStylized } from 'node:util';
import { rangeError, typeError } from '../../errors.js';
import { native } from '../../native.js';
import type { OpenOptions } from '../../region/file.js';
import { HEADER_BYTES } from '../../region/format.js';
import { booleanOption, choiceOption, describe, integerOption, readOptions } from '../../region/options.js';
import { Region, type Origin } from '../../region/region.js';
import { attachStructure, openStructure, structureFromBytes } from '../../region/face.js';
import { LegacyStructure } from '../../region/legacy.js';
import { RegionSource } from '../../region/table.js';
import type { Token } from '../../region/token.js';
import { answers, lengthOf, toNumbers, type BigIntArray, type NumberArray } from '../arguments.js';
import { BitVector, steadyBytes } from '../bitvector/bit-vector.js';
import { Constant, ONES, ZEROS, type Engine, type Target } from './engine.js';
import { FlatWide } from './flat64.js';
import { Flat } from './flat.js';
import { Interleaved } from './interleaved.js';
import { Sparse } from './sparse.js';
import { WIDE_FROM_BITS, readShape, VARIANT, VARIANT_NAMES, type VariantName } from './layout.js';

/** The layout of bits and index: see {@link RankSelect}. */
export type RankSelectVariant = VariantName;

/** The variant and the placement. */
export interface RankSelectOptions {
  /** Default: `'flat'`. `'auto'` chooses a variant by density. */
  variant?: RankSelectVariant | 'auto';
  /** Advise the system to back the memory with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /**
   * Keep the memory on this NUMA node. Default: the node of the thread that first writes each page.
   */
  numaNode?: number;
}

/** The result of {@link RankSelect.stats}. */
export interface RankSelectStats {
  variant: RankSelectVariant;
  /** The number of bits. */
  length: number;
  /** The number of ones. */
  ones: number;
  /** See {@link RankSelect.overhead}. */
  overhead: number;
  byteLength: number;
  /**
   * Where the bytes are stored: this thread's memory, another thread's memory, or a mapped file.
   */
  origin: Origin;
  shared: boolean;
}

/** Positions, or numbers of ones or zeros, to query: a typed array is fastest. */
export type IndexInput = NumberArray | BigIntArray | Iterable<number> | ArrayLike<number>;
/** The array that bulk calls create if the caller passes none. */
export type IndexOutput = Uint32Array | Float64Array;

const OPTIONS = ['variant', 'hugePages', 'numaNode'] as const;
const VARIANTS = ['auto', ...VARIANT_NAMES] as const;
const NONE: Engine = new Constant(false);
// The values of `oh_rankselect_query`.
const RANK1 = 1;
const RANK0 = 2;
const SELECT1 = 3;
const SELECT0 = 4;

/**
 * Bits with rank and select.
 *
 * ```ts
 * // Where the rows of each group begin, in a table sorted by group.
 * const groups = RankSelect.from(BitVector.fromIndices([0, 3, 4, 9]));
 * groups.rank1(7 + 1) - 1; // 2: the group of row 7,
 * groups.select1(2); // 4: where it begins
 * ```
 *
 * | variant | layout | use |
 * | --- | --- | --- |
 * | `'flat'` | plain bits, and a separate index of 3.1% | anything |
 * | `'interleaved'` | counts and bits in one cache line, 3.4% | ranks in bits that exceed the caches; `select` is slower |
 * | `'sparse'` | the positions of ones, or of zeros if they are fewer, as in {@link EliasFano}: about 2.7 + log2(n / m) bits for each of m | few ones, or few zeros |
 * | `'constant'` | nothing | bits that are all alike |
 * | `'auto'` | one of them | |
 *
 * Every method throws `ERR_OFFHEAP_TYPE` if an argument is not a number, `ERR_OFFHEAP_RANGE` if it
 * is not a non-negative integer or lies past the end, `ERR_OFFHEAP_CLOSED` after `close()`, and
 * `ERR_OFFHEAP_IO` when a mapped file has been truncated.
 */
export class RankSelect extends LegacyStructure<'rankselect'> {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'RankSelect', configurable: true });
  }
  declare readonly [Symbol.toStringTag]: string;

  private name: VariantName = 'constant';
  private bits = 0;
  private oneCount = 0;
  private engine: Engine = NONE;
  /**
   * The engine if it is the default one, so that its calls are inlined whatever other variants a
   * program uses.
   */
  private flat: Flat | undefined;
  /** The last position that may be read without a check; −1 for none. */
  private direct = -1;

  private constructor(adopted: RegionSource) {
    super(adopted.region);
    this.initialize(adopted);
  }

  /**
   * Builds rank and select for the current bits of a vector. Throws `ERR_OFFHEAP_RANGE` if the
   * variant is `'constant'` and the bits are not all equal. Takes about 0.05 ns per bit.
   */
  static from(bits: BitVector, options?: RankSelectOptions): RankSelect {
    const given: unknown = bits;
    if (!(given instanceof BitVector)) throw typeError(`bits must be a BitVector, not ${describe(given)}`);
    const read = readOptions(options, OPTIONS, 'RankSelect.from');
    const variant = read['variant'] === undefined ? 'flat' : choiceOption(read, 'variant', VARIANTS);
    const placement = {
      hugePages: booleanOption(read, 'hugePages', undefined),
      numaNode: integerOption(read, 'numaNode', 0, 1023, undefined),
    };
    const source = steadyBytes(given);
    const plan = native().rankselectPlan(source, variant === 'auto' ? 0 : VARIANT[variant]);
    const region = Region.allocate(plan.regionSize, placement, true);
    native().rankselectBuild(region.bytes, source, plan.variant, plan.length, plan.ones);
    return RankSelect.adopted(new RegionSource(region, true, 'the new structure'));
  }

  protected get kind(): 'rankselect' {
    return 'rankselect';
  }
  protected get label(): string {
    return 'rank/select structure';
  }
  protected override get aligned(): boolean {
    return true;
  }

  protected bindViews(what: string): void {
    const { head, bytes, buffer, origin } = this.region;
    const shape = readShape(head, bytes.length, what);
    const { variant, length, ones, layout } = shape;
    const words = new Int32Array(buffer, bytes.byteOffset + HEADER_BYTES, (layout.length - HEADER_BYTES) / 4);
    this.name = variant;
    this.bits = length;
    this.oneCount = ones;
    this.flat = variant === 'flat' && length < WIDE_FROM_BITS ? new Flat(words, layout, length) : undefined;
    if (this.flat !== undefined) this.engine = this.flat;
    else if (variant === 'flat') this.engine = new FlatWide(words, layout, length);
    else if (variant === 'interleaved') this.engine = new Interleaved(words, layout, length);
    else if (variant === 'sparse') this.engine = new Sparse(buffer, bytes.byteOffset + HEADER_BYTES, shape);
    else this.engine = new Constant(ones !== 0);
    // The bytes never change, so readers on other threads need no validation. Only a file can
    // vanish.
    this.direct = origin === 'file' ? -1 : length;
  }

  protected dropViews(): void {
    this.engine = NONE;
    this.flat = undefined;
    this.direct = -1;
  }

  protected check(region: Region, length: number, what: string): void {
    readShape(region.head, length, what);
  }

  // ---- properties

  /** The number of bits. */
  get length(): number {
    this.beforeRead();
    return this.bits;
  }

  /** The number of ones. */
  get ones(): number {
    this.beforeRead();
    return this.oneCount;
  }

  /** The number of zeros. */
  get zeros(): number {
    this.beforeRead();
    return this.bits - this.oneCount;
  }

  /** The layout of the bits. */
  get variant(): RankSelectVariant {
    this.beforeRead();
    return this.name;
  }

  /**
   * The space overhead, in bits per bit of the vector: index, samples, header and padding. Negative
   * if the bits are not stored as such, 0 if there are none.
   */
  get overhead(): number {
    this.beforeRead();
    const { bits } = this;
    return bits === 0 ? 0 : (this.region.buffer.byteLength * 8 - bits) / bits;
  }

  // ---- single queries

  /** The bit at a position, or `undefined` past the end. */
  get(position: number): boolean | undefined {
    if (typeof position === 'number' && position >>> 0 === position && position < this.direct) {
      const { flat } = this;
      return (flat !== undefined ? flat.bit(position) : this.engine.bit(position)) !== 0;
    }
    this.checkQuery(position, 'a position');
    if (position >= this.bits) return undefined;
    return this.read(() => this.engine.bit(position) !== 0);
  }

  /** The number of ones before a position, which is at most `length`. */
  rank1(position: number): number {
    if (typeof position === 'number' && position >>> 0 === position && position <= this.direct) {
      const { flat } = this;
      // -0 is 0
      return flat !== undefined ? flat.rank(position >>> 0) : this.engine.rank(position >>> 0);
    }
    return this.rankSlow(position);
  }

  /** The number of zeros before a position, which is at most `length`. */
  rank0(position: number): number {
    const rank = this.rank1(position);
    return position + 0 - rank; // -0 is 0
  }

  private rankSlow(position: number): number {
    this.checkQuery(position, 'a position');
    if (position > this.bits) throw rangeError(`position ${position} is out of range for ${this.bits} bits`);
    const { engine } = this;
    const rank = engine.rank(position + 0);
    return this.isSteady() ? rank : this.read(() => this.engine.rank(position));
  }

  /** The position of the k-th one, counted from 0, or `undefined` if there are at most `k` ones. */
  select1(k: number): number | undefined {
    if (typeof k === 'number' && k >>> 0 === k && k < this.oneCount && this.direct >= 0) {
      const { flat } = this;
      return flat !== undefined ? flat.select(k >>> 0, ONES) : this.engine.select(k >>> 0, ONES);
    }
    return this.selectSlow(k, ONES);
  }

  /**
   * The position of the k-th zero, counted from 0, or `undefined` if there are at most `k` zeros.
   */
  select0(k: number): number | undefined {
    if (typeof k === 'number' && k >>> 0 === k && k < this.bits - this.oneCount && this.direct >= 0) {
      const { flat } = this;
      return flat !== undefined ? flat.select(k >>> 0, ZEROS) : this.engine.select(k >>> 0, ZEROS);
    }
    return this.selectSlow(k, ZEROS);
  }

  private selectSlow(k: number, target: Target): number | undefined {
    this.checkQuery(k, 'k');
    if (k >= (target === ONES ? this.oneCount : this.bits - this.oneCount)) return undefined;
    const position = this.engine.select(k + 0, target);
    return this.isSteady() ? position : this.read(() => this.engine.select(k, target));
  }

  /** Whether the last read is valid: the structure is not on a file, or the file is intact. */
  private isSteady(): boolean {
    return this.direct >= 0 || this.readIsValid();
  }

  private checkQuery(query: unknown, name: string): void {
    this.beforeRead();
    if (typeof query !== 'number') throw typeError(`${name} must be a number, not ${describe(query)}`);
    if (!Number.isInteger(query) || query < 0) {
      throw rangeError(`${name} must be a non-negative integer, not ${query}`);
    }
  }

  // ---- bulk

  /**
   * {@link RankSelect.rank1} of many positions: `out[i]` is the result for `positions[i]`. Without
   * `out` it returns a new `Uint32Array`, or a `Float64Array` from 2^32 bits on. Throws
   * `ERR_OFFHEAP_RANGE`, with nothing written, for a position past the end, or if the elements of
   * `out` cannot represent every result.
   */
  rank1Many(positions: IndexInput): IndexOutput;
  rank1Many<O extends NumberArray | number[]>(positions: IndexInput, out: O): O;
  rank1Many(positions: IndexInput, out?: unknown): unknown {
    return this.many(RANK1, positions, out);
  }

  /** {@link RankSelect.rank0} of many positions, like {@link RankSelect.rank1Many}. */
  rank0Many(positions: IndexInput): IndexOutput;
  rank0Many<O extends NumberArray | number[]>(positions: IndexInput, out: O): O;
  rank0Many(positions: IndexInput, out?: unknown): unknown {
    return this.many(RANK0, positions, out);
  }

  /**
   * {@link RankSelect.select1} of many numbers: `out[i]` is the result for `ks[i]`. Throws
   * `ERR_OFFHEAP_RANGE`, with nothing written, if any of them is not less than the number of ones.
   */
  select1Many(ks: IndexInput): IndexOutput;
  select1Many<O extends NumberArray | number[]>(ks: IndexInput, out: O): O;
  select1Many(ks: IndexInput, out?: unknown): unknown {
    return this.many(SELECT1, ks, out);
  }

  /** {@link RankSelect.select0} of many numbers, like {@link RankSelect.select1Many}. */
  select0Many(ks: IndexInput): IndexOutput;
  select0Many<O extends NumberArray | number[]>(ks: IndexInput, out: O): O;
  select0Many(ks: IndexInput, out?: unknown): unknown {
    return this.many(SELECT0, ks, out);
  }

  private many(query: number, queries: unknown, out: unknown): unknown {
    this.beforeRead();
    const list = toNumbers(queries, query === RANK1 || query === RANK0 ? 'positions' : 'ks');
    const { native: array, finish } = answers(out, lengthOf(list), false, (count) =>
      this.bits < 2 ** 32 ? new Uint32Array(count) : new Float64Array(count),
    );
    this.read(() => native().rankselectMany(this.region.bytes, query, list, array));
    return finish();
  }

  // ---- sharing and saving

  /** Counts and sizes. */
  stats(): RankSelectStats {
    this.beforeRead();
    const { region } = this;
    return {
      variant: this.name,
      length: this.bits,
      ones: this.oneCount,
      overhead: this.overhead,
      byteLength: region.buffer.byteLength,
      origin: region.origin,
      shared: region.shared || region.origin === 'attached',
    };
  }

  /**
   * Verifies the entire contents, which opening does not, by recomputing all counts. Throws
   * `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    this.read(() => native().rankselectValidate(this.region.bytes));
  }

  /** Attaches to a structure that another thread shared. O(1). */
  static attach(token: Token): RankSelect {
    return attachStructure(token, 'rankselect', RankSelect.adopted);
  }

  /** Opens a saved structure by mapping its file. Only the header is read, whatever the size. */
  static open(path: string, options?: OpenOptions): RankSelect {
    return openStructure(path, options, RankSelect.adopted);
  }

  /**
   * Creates a structure from the bytes of {@link RankSelect.toBytes}, which are copied. O(bytes).
   */
  static fromBytes(bytes: Uint8Array): RankSelect {
    return structureFromBytes(bytes, RankSelect.adopted, true);
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const state = this.describeState();
    const title = options.stylize('RankSelect', 'special');
    if (state !== 'open') return `${title} { ${state} }`;
    const { variant, length, ones, overhead } = this.stats();
    return `${title} ${inspect({ variant, length, ones, overhead }, options)}`;
  }

  private static readonly adopted = (adopted: RegionSource): RankSelect => new RankSelect(adopted);
}
