/**
 * RankSelect: bits that do not change, with the number of ones before any position, and the
 * position of the k-th one, in a few nanoseconds. It holds a copy of the bits: a region is complete
 * in itself. `docs/formats/succinct.md` specifies the bytes, and names the papers.
 *
 * Cost: a rank reads two cache lines (one if interleaved), a select about four; where ones stand in
 * clusters, the logarithm of the distance between two samples more. Bulk calls cross into Rust once
 * and prefetch.
 */
import { inspect, type InspectOptionsStylized } from 'node:util';
import { rangeError, typeError } from '../../errors.js';
import { native } from '../../native.js';
import type { OpenOptions } from '../../region/file.js';
import { HEADER_BYTES } from '../../region/format.js';
import { booleanOption, choiceOption, describe, integerOption, readOptions } from '../../region/options.js';
import { Region, type Origin } from '../../region/region.js';
import {
  Adopted,
  attachStructure,
  openStructure,
  Structure,
  structureFromBytes,
} from '../../region/structure.js';
import type { Token } from '../../region/token.js';
import { answers, lengthOf, toNumbers, type BigIntArray, type NumberArray } from '../arguments.js';
import { BitVector, steadyBytes } from '../bitvector/bitvector.js';
import { Constant, ONES, ZEROS, type Engine, type Target } from './engine.js';
import { FlatFar } from './far.js';
import { Flat } from './flat.js';
import { Interleaved } from './interleaved.js';
import { Sparse } from './sparse.js';
import { FAR, readShape, VARIANT, VARIANT_NAMES, type VariantName } from './layout.js';

/** How bits, and what helps to find them, are laid out: see {@link RankSelect}. */
export type RankSelectVariant = VariantName;

/** Which layout, and where. */
export interface RankSelectOptions {
  /** Default `'flat'`; `'auto'` picks one by density. */
  variant?: RankSelectVariant | 'auto';
  /** Advise the system to back the memory with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /** Keep the memory on this NUMA node. Default: wherever it is first written. */
  numaNode?: number;
}

/** What {@link RankSelect.stats} tells. */
export interface RankSelectStats {
  variant: RankSelectVariant;
  /** How many bits. */
  length: number;
  /** How many of them are ones. */
  ones: number;
  /** See {@link RankSelect.overhead}. */
  overhead: number;
  byteLength: number;
  /** Where the bytes are: this thread's memory, another thread's, or a mapped file. */
  origin: Origin;
  shared: boolean;
}

/** Positions or numbers to ask for: a typed array is fastest. */
export type Questions = NumberArray | BigIntArray | Iterable<number> | ArrayLike<number>;
/** What bulk calls make where the caller brings no array. */
export type Answers = Uint32Array | Float64Array;

const OPTIONS = ['variant', 'hugePages', 'numaNode'] as const;
const VARIANTS = ['auto', ...VARIANT_NAMES] as const;
const NONE: Engine = new Constant(false);
// As in `oh_rankselect_query`.
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
 * | variant | what it is | for |
 * | --- | --- | --- |
 * | `'flat'` | plain bits, and an index of 3.1% beside them | anything |
 * | `'interleaved'` | counts and bits in one cache line, 3.4% | ranks in more bits than fit the caches; `select` is slower |
 * | `'sparse'` | the positions of ones, or of zeros if they are fewer, as in {@link EliasFano}: about 2.7 + log2(n / m) bits for each of m | few ones, or few zeros |
 * | `'constant'` | nothing | bits that are all alike |
 * | `'auto'` | one of them | |
 *
 * Errors, of every method: `ERR_OFFHEAP_TYPE` for what is no number, `ERR_OFFHEAP_RANGE` for what
 * is no integer from 0 on or a position past the end, `ERR_OFFHEAP_CLOSED` after `close()`,
 * `ERR_OFFHEAP_IO` when a mapped file was truncated.
 */
export class RankSelect extends Structure<'rankselect'> {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'RankSelect', configurable: true });
  }
  declare readonly [Symbol.toStringTag]: string;

  private name: VariantName = 'constant';
  private bits = 0;
  private oneCount = 0;
  private engine: Engine = NONE;
  /**
   * The engine if it is the default one, so that calls of it are inlined whatever other variants a
   * program uses.
   */
  private flat: Flat | undefined;
  /** The last position that is read without looking whether it may be; −1 for none. */
  private direct = -1;

  private constructor(adopted: Adopted) {
    super(adopted.region);
    this.settleIn(adopted);
  }

  /**
   * Rank and select for the bits of a vector, as they are now. Throws `ERR_OFFHEAP_RANGE` if
   * `'constant'` is asked for and the bits are not alike. About 0.05 ns a bit.
   */
  static from(bits: BitVector, options?: RankSelectOptions): RankSelect {
    const given: unknown = bits;
    if (!(given instanceof BitVector)) throw typeError(`bits is a BitVector, not ${describe(given)}`);
    const read = readOptions(options, OPTIONS, 'RankSelect.from');
    const variant = read['variant'] === undefined ? 'flat' : choiceOption(read, 'variant', VARIANTS);
    const placement = {
      hugePages: booleanOption(read, 'hugePages', undefined),
      numaNode: integerOption(read, 'numaNode', 0, 1023, undefined),
    };
    const source = steadyBytes(given);
    const plan = native().rankselectPlan(source, variant === 'auto' ? 0 : VARIANT[variant]);
    const region = Region.allocate(plan.regionLength, placement, true);
    native().rankselectBuild(region.bytes, source, plan.variant, plan.length, plan.ones);
    return RankSelect.adopted(new Adopted(region, true, 'the new structure'));
  }

  protected get kind(): 'rankselect' {
    return 'rankselect';
  }
  protected get noun(): string {
    return 'rank/select structure';
  }
  protected override get aligned(): boolean {
    return true;
  }

  protected adopt(what: string): void {
    const { head, bytes, buffer, origin } = this.region;
    const shape = readShape(head, bytes.length, what);
    const { variant, length, ones, layout } = shape;
    const words = new Int32Array(buffer, bytes.byteOffset + HEADER_BYTES, (layout.length - HEADER_BYTES) / 4);
    this.name = variant;
    this.bits = length;
    this.oneCount = ones;
    this.flat = variant === 'flat' && length < FAR ? new Flat(words, layout, length) : undefined;
    if (this.flat !== undefined) this.engine = this.flat;
    else if (variant === 'flat') this.engine = new FlatFar(words, layout, length);
    else if (variant === 'interleaved') this.engine = new Interleaved(words, layout, length);
    else if (variant === 'sparse') this.engine = new Sparse(buffer, bytes.byteOffset + HEADER_BYTES, shape);
    else this.engine = new Constant(ones !== 0);
    // The bytes never change, so readers on other threads need no care; only a file can vanish.
    this.direct = origin === 'file' ? -1 : length;
  }

  protected dismount(): void {
    this.engine = NONE;
    this.flat = undefined;
    this.direct = -1;
  }

  protected check(region: Region, length: number, what: string): void {
    readShape(region.head, length, what);
  }

  // ---- what it is

  /** How many bits there are. */
  get length(): number {
    this.beforeRead();
    return this.bits;
  }

  /** How many of them are ones. */
  get ones(): number {
    this.beforeRead();
    return this.oneCount;
  }

  /** How many of them are zeros. */
  get zeros(): number {
    this.beforeRead();
    return this.bits - this.oneCount;
  }

  /** How the bits are laid out. */
  get variant(): RankSelectVariant {
    this.beforeRead();
    return this.name;
  }

  /**
   * What is held beyond the bits themselves, for each bit: everything counts, index, samples,
   * header and padding. Below zero where the bits are not stored as such. 0 without bits.
   */
  get overhead(): number {
    this.beforeRead();
    const { bits } = this;
    return bits === 0 ? 0 : (this.region.buffer.byteLength * 8 - bits) / bits;
  }

  // ---- single questions

  /** The bit at a position; `undefined` past the end. */
  get(position: number): boolean | undefined {
    if (typeof position === 'number' && position >>> 0 === position && position < this.direct) {
      const { flat } = this;
      return (flat !== undefined ? flat.bit(position) : this.engine.bit(position)) !== 0;
    }
    this.checkQuestion(position, 'a position');
    if (position >= this.bits) return undefined;
    return this.read(() => this.engine.bit(position) !== 0);
  }

  /** How many ones there are before a position, which is at most `length`. */
  rank1(position: number): number {
    if (typeof position === 'number' && position >>> 0 === position && position <= this.direct) {
      const { flat } = this;
      // -0 is 0
      return flat !== undefined ? flat.rank(position >>> 0) : this.engine.rank(position >>> 0);
    }
    return this.rankElsewhere(position);
  }

  /** How many zeros there are before a position, which is at most `length`. */
  rank0(position: number): number {
    const rank = this.rank1(position);
    return position + 0 - rank; // -0 is 0
  }

  private rankElsewhere(position: number): number {
    this.checkQuestion(position, 'a position');
    if (position > this.bits) throw rangeError(`there is no position ${position} in ${this.bits} bits`);
    const { engine } = this;
    const rank = engine.rank(position + 0);
    return this.isSteady() ? rank : this.read(() => this.engine.rank(position));
  }

  /** The position of the k-th one, counted from 0; `undefined` if there are no more than `k`. */
  select1(k: number): number | undefined {
    if (typeof k === 'number' && k >>> 0 === k && k < this.oneCount && this.direct >= 0) {
      const { flat } = this;
      return flat !== undefined ? flat.select(k >>> 0, ONES) : this.engine.select(k >>> 0, ONES);
    }
    return this.selectElsewhere(k, ONES);
  }

  /** The position of the k-th zero, counted from 0; `undefined` if there are no more than `k`. */
  select0(k: number): number | undefined {
    if (typeof k === 'number' && k >>> 0 === k && k < this.bits - this.oneCount && this.direct >= 0) {
      const { flat } = this;
      return flat !== undefined ? flat.select(k >>> 0, ZEROS) : this.engine.select(k >>> 0, ZEROS);
    }
    return this.selectElsewhere(k, ZEROS);
  }

  private selectElsewhere(k: number, target: Target): number | undefined {
    this.checkQuestion(k, 'k');
    if (k >= (target === ONES ? this.oneCount : this.bits - this.oneCount)) return undefined;
    const position = this.engine.select(k + 0, target);
    return this.isSteady() ? position : this.read(() => this.engine.select(k, target));
  }

  /** Whether what was just read stands: it is no file, or one that is whole. */
  private isSteady(): boolean {
    return this.direct >= 0 || this.calm();
  }

  private checkQuestion(question: unknown, name: string): void {
    this.beforeRead();
    if (typeof question !== 'number') throw typeError(`${name} is a number, not ${describe(question)}`);
    if (!Number.isInteger(question) || question < 0) {
      throw rangeError(`${name} is an integer from 0 on, not ${question}`);
    }
  }

  // ---- many questions

  /**
   * {@link RankSelect.rank1} of many positions: `out[i]` belongs to `positions[i]`. Without `out`
   * it makes a `Uint32Array`, or from 2^32 bits on a `Float64Array`. Throws `ERR_OFFHEAP_RANGE`,
   * with nothing written, for a position past the end, or an `out` whose elements do not hold every
   * answer.
   */
  rank1Many(positions: Questions): Answers;
  rank1Many<O extends NumberArray | number[]>(positions: Questions, out: O): O;
  rank1Many(positions: Questions, out?: unknown): unknown {
    return this.many(RANK1, positions, out);
  }

  /** {@link RankSelect.rank0} of many positions, as {@link RankSelect.rank1Many}. */
  rank0Many(positions: Questions): Answers;
  rank0Many<O extends NumberArray | number[]>(positions: Questions, out: O): O;
  rank0Many(positions: Questions, out?: unknown): unknown {
    return this.many(RANK0, positions, out);
  }

  /**
   * {@link RankSelect.select1} of many numbers: `out[i]` belongs to `ks[i]`. Throws
   * `ERR_OFFHEAP_RANGE`, with nothing written, if there are not more ones than one of them.
   */
  select1Many(ks: Questions): Answers;
  select1Many<O extends NumberArray | number[]>(ks: Questions, out: O): O;
  select1Many(ks: Questions, out?: unknown): unknown {
    return this.many(SELECT1, ks, out);
  }

  /** {@link RankSelect.select0} of many numbers, as {@link RankSelect.select1Many}. */
  select0Many(ks: Questions): Answers;
  select0Many<O extends NumberArray | number[]>(ks: Questions, out: O): O;
  select0Many(ks: Questions, out?: unknown): unknown {
    return this.many(SELECT0, ks, out);
  }

  private many(query: number, questions: unknown, out: unknown): unknown {
    this.beforeRead();
    const list = toNumbers(questions, query === RANK1 || query === RANK0 ? 'positions' : 'ks');
    const { native: array, finish } = answers(out, lengthOf(list), false, (count) =>
      this.bits < 2 ** 32 ? new Uint32Array(count) : new Float64Array(count),
    );
    this.read(() => native().rankselectMany(this.region.bytes, query, list, array));
    return finish();
  }

  // ---- the whole

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
   * Proves the whole contents, beyond what opening checks: counts everything anew. Throws
   * `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    this.read(() => native().rankselectValidate(this.region.bytes));
  }

  /** A structure that another thread shared. O(1). */
  static attach(token: Token): RankSelect {
    return attachStructure(token, 'rankselect', RankSelect.adopted);
  }

  /**
   * Opens a saved structure by mapping its file: nothing is read but the header, whatever the size.
   */
  static open(path: string, options?: OpenOptions): RankSelect {
    return openStructure(path, options, RankSelect.adopted);
  }

  /** A structure out of what {@link RankSelect.toBytes} gave, which is copied. O(bytes). */
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

  private static readonly adopted = (adopted: Adopted): RankSelect => new RankSelect(adopted);
}
