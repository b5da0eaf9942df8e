/**
 * RankSelect: immutable bits with rank (the number of ones before any position) and select (the
 * position of the k-th one) in a few nanoseconds. It copies the bits, so that its region is
 * self-contained. `docs/formats/succinct.md` specifies the bytes and cites the papers.
 *
 * Cost: a rank reads two cache lines (one if interleaved), a select about four, plus the logarithm
 * of the distance between two samples if ones are clustered. Bulk calls cross into Rust once and
 * prefetch.
 */
import type { PathLike } from 'node:fs';
import { inspect, type InspectOptionsStylized } from 'node:util';
import { rangeError, typeError } from '../../errors.js';
import { native } from '../../native.js';
import {
  attachStructure,
  constructing,
  inspectIfOpen,
  openStructure,
  PLACEMENT_OPTIONS,
  placementOptions,
  regionStats,
  setTag,
  structureFromBytes,
  tableFromSource,
  type RegionStats,
} from '../../region/face.js';
import type { OpenOptions } from '../../region/file.js';
import { choiceOption, describe, readOptions } from '../../region/options.js';
import { Region } from '../../region/region.js';
import { ownTable, Structure } from '../../region/structure.js';
import { RegionSource } from '../../region/table.js';
import type { Token } from '../../region/token.js';
import { answers, lengthOf, toNumbers, type BigIntArray, type NumberArray } from '../arguments.js';
import { BitVector, stableBytes } from '../bitvector/bit-vector.js';
import { ONES, ZEROS, type Target } from './engine.js';
import { VARIANT, VARIANT_NAMES, type VariantName } from './layout.js';
import { RankSelectTable } from './rank-select-table.js';

/** The layout of bits and index: see {@link RankSelect}. */
export type RankSelectVariant = VariantName;

/** The variant and the placement. */
export interface RankSelectOptions {
  /** Default: `'flat'`. `'auto'` chooses a variant by the size. */
  variant?: RankSelectVariant | 'auto';
  /** Advise the system to back the memory with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /**
   * Keep the memory on this NUMA node. Default: the node of the thread that first writes each page.
   */
  numaNode?: number;
}

/** The result of {@link RankSelect.stats}. */
export interface RankSelectStats extends RegionStats {
  variant: RankSelectVariant;
  /** The number of bits. */
  length: number;
  /** The number of ones. */
  ones: number;
  /** See {@link RankSelect.overhead}. */
  overhead: number;
}

/** Positions, or numbers of ones or zeros, to query: a typed array is fastest. */
export type IndexInput = NumberArray | BigIntArray | Iterable<number> | ArrayLike<number>;
/** The array that bulk calls create if the caller passes none. */
export type IndexOutput = Uint32Array | Float64Array;

const OPTIONS = ['variant', ...PLACEMENT_OPTIONS] as const;
const VARIANTS = ['auto', ...VARIANT_NAMES] as const;
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
 * | `'auto'` | constant if all bits are equal; sparse if that takes a third less than flat; else flat | |
 *
 * Every method throws `ERR_OFFHEAP_TYPE` if an argument is not a number, `ERR_OFFHEAP_RANGE` if it
 * is not a non-negative integer or lies past the end, `ERR_OFFHEAP_CLOSED` after `close()`, and
 * `ERR_OFFHEAP_IO` when a mapped file has been truncated.
 */
export class RankSelect extends Structure<'rankselect'> {
  static {
    setTag(this.prototype, 'RankSelect');
  }
  declare readonly [Symbol.toStringTag]: string;
  readonly #table = ownTable<RankSelectTable>(this);

  private constructor(source: RegionSource) {
    super(tableFromSource(RankSelectTable, source, 'RankSelect'));
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
    const placement = placementOptions(read);
    const source = stableBytes(given);
    const plan = native().rankselectPlan(source, variant === 'auto' ? 0 : VARIANT[variant]);
    const region = Region.allocate(plan.regionSize, placement, true);
    native().rankselectBuild(region.bytes, source, plan.variant, plan.length, plan.ones);
    return construct(this)(new RegionSource(region, true, 'the new structure'));
  }

  // ---- properties

  /** The number of bits. */
  get length(): number {
    const table = this.#table;
    table.beforeRead();
    return table.bits;
  }

  /** The number of ones. */
  get ones(): number {
    const table = this.#table;
    table.beforeRead();
    return table.oneCount;
  }

  /** The number of zeros. */
  get zeros(): number {
    const table = this.#table;
    table.beforeRead();
    return table.bits - table.oneCount;
  }

  /** The layout of the bits. */
  get variant(): RankSelectVariant {
    const table = this.#table;
    table.beforeRead();
    return table.name;
  }

  /**
   * The space overhead, in bits per bit of the vector: index, samples, header and padding. Negative
   * if the bits are not stored as such, 0 if there are none.
   */
  get overhead(): number {
    const table = this.#table;
    table.beforeRead();
    const { bits } = table;
    return bits === 0 ? 0 : (table.region.buffer.byteLength * 8 - bits) / bits;
  }

  // ---- single queries

  /** The bit at a position, or `undefined` past the end. */
  get(position: number): boolean | undefined {
    const table = this.#table;
    if (typeof position === 'number' && position >>> 0 === position && position < table.direct) {
      const { flat } = table;
      return (flat !== undefined ? flat.bit(position) : table.engine.bit(position)) !== 0;
    }
    this.#checkQuery(position, 'a position');
    if (position >= table.bits) return undefined;
    return table.read(() => table.engine.bit(position) !== 0);
  }

  /** The number of ones before a position, which is at most `length`. */
  rank1(position: number): number {
    const table = this.#table;
    if (typeof position === 'number' && position >>> 0 === position && position <= table.direct) {
      const { flat } = table;
      // -0 is 0
      return flat !== undefined ? flat.rank(position >>> 0) : table.engine.rank(position >>> 0);
    }
    return this.#rankSlow(position);
  }

  /** The number of zeros before a position, which is at most `length`. */
  rank0(position: number): number {
    const rank = this.rank1(position);
    return position + 0 - rank; // -0 is 0
  }

  #rankSlow(position: number): number {
    const table = this.#table;
    this.#checkQuery(position, 'a position');
    if (position > table.bits)
      throw rangeError(`position ${position} is out of range for ${table.bits} bits`);
    const { engine } = table;
    const rank = engine.rank(position + 0);
    return this.#isSteady() ? rank : table.read(() => table.engine.rank(position));
  }

  /** The position of the k-th one, counted from 0, or `undefined` if there are at most `k` ones. */
  select1(k: number): number | undefined {
    const table = this.#table;
    if (typeof k === 'number' && k >>> 0 === k && k < table.oneCount && table.direct >= 0) {
      const { flat } = table;
      return flat !== undefined ? flat.select(k >>> 0, ONES) : table.engine.select(k >>> 0, ONES);
    }
    return this.#selectSlow(k, ONES);
  }

  /**
   * The position of the k-th zero, counted from 0, or `undefined` if there are at most `k` zeros.
   */
  select0(k: number): number | undefined {
    const table = this.#table;
    if (typeof k === 'number' && k >>> 0 === k && k < table.bits - table.oneCount && table.direct >= 0) {
      const { flat } = table;
      return flat !== undefined ? flat.select(k >>> 0, ZEROS) : table.engine.select(k >>> 0, ZEROS);
    }
    return this.#selectSlow(k, ZEROS);
  }

  #selectSlow(k: number, target: Target): number | undefined {
    const table = this.#table;
    this.#checkQuery(k, 'k');
    if (k >= (target === ONES ? table.oneCount : table.bits - table.oneCount)) return undefined;
    const position = table.engine.select(k + 0, target);
    return this.#isSteady() ? position : table.read(() => table.engine.select(k, target));
  }

  /** Whether the last read is valid: the structure is not on a file, or the file is intact. */
  #isSteady(): boolean {
    const table = this.#table;
    return table.direct >= 0 || table.readIsValid();
  }

  #checkQuery(query: unknown, name: string): void {
    this.#table.beforeRead();
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
    return this.#many(RANK1, positions, out);
  }

  /** {@link RankSelect.rank0} of many positions, like {@link RankSelect.rank1Many}. */
  rank0Many(positions: IndexInput): IndexOutput;
  rank0Many<O extends NumberArray | number[]>(positions: IndexInput, out: O): O;
  rank0Many(positions: IndexInput, out?: unknown): unknown {
    return this.#many(RANK0, positions, out);
  }

  /**
   * {@link RankSelect.select1} of many numbers: `out[i]` is the result for `ks[i]`. Throws
   * `ERR_OFFHEAP_RANGE`, with nothing written, if any of them is not less than the number of ones.
   */
  select1Many(ks: IndexInput): IndexOutput;
  select1Many<O extends NumberArray | number[]>(ks: IndexInput, out: O): O;
  select1Many(ks: IndexInput, out?: unknown): unknown {
    return this.#many(SELECT1, ks, out);
  }

  /** {@link RankSelect.select0} of many numbers, like {@link RankSelect.select1Many}. */
  select0Many(ks: IndexInput): IndexOutput;
  select0Many<O extends NumberArray | number[]>(ks: IndexInput, out: O): O;
  select0Many(ks: IndexInput, out?: unknown): unknown {
    return this.#many(SELECT0, ks, out);
  }

  #many(query: number, queries: unknown, out: unknown): unknown {
    const table = this.#table;
    table.beforeRead();
    const list = toNumbers(queries, query === RANK1 || query === RANK0 ? 'positions' : 'ks');
    const { native: array, finish } = answers(out, lengthOf(list), false, (count) =>
      table.bits < 2 ** 32 ? new Uint32Array(count) : new Float64Array(count),
    );
    table.read(() => native().rankselectMany(table.region.bytes, query, list, array));
    return finish();
  }

  // ---- sharing and saving

  /** Counts and sizes. */
  stats(): RankSelectStats {
    const table = this.#table;
    table.beforeRead();
    const { region } = table;
    return {
      variant: table.name,
      length: table.bits,
      ones: table.oneCount,
      overhead: this.overhead,
      ...regionStats(region),
    };
  }

  /**
   * Verifies the entire contents, which opening does not, by recomputing all counts. Throws
   * `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    const table = this.#table;
    table.read(() => native().rankselectValidate(table.region.bytes));
  }

  /** Attaches to a structure that another thread shared. O(1). */
  static attach(token: Token): RankSelect {
    return attachStructure(token, 'rankselect', construct(this));
  }

  /** Opens a saved structure by mapping its file. Only the header is read, whatever the size. */
  static open(path: PathLike, options?: OpenOptions): RankSelect {
    return openStructure(path, options, construct(this));
  }

  /**
   * Creates a structure from the bytes of {@link RankSelect.toBytes}, which are copied. O(bytes).
   */
  static fromBytes(bytes: Uint8Array): RankSelect {
    return structureFromBytes(bytes, construct(this), true);
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    return inspectIfOpen('RankSelect', this.#table.describeState(), options, () => {
      const { variant, length, ones, overhead } = this.stats();
      const title = options.stylize('RankSelect', 'special');
      return `${title} ${inspect({ variant, length, ones, overhead }, options)}`;
    });
  }
}

/** See `constructing`. The constructor is private. */
function construct(called: unknown): (source: RegionSource) => RankSelect {
  return constructing<RankSelect>(called, RankSelect as never);
}
