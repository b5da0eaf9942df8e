/**
 * EliasFano: sorted integers in about 2.7 + log2(largest / n) bits each outside the JavaScript
 * heap, with constant-time access to each and search that does not scan the others.
 * `docs/formats/succinct.md` specifies the bytes, which never change, and cites the papers.
 *
 * Cost: `at`, `rank` and `nextGeq` touch three to five cache lines, whatever the size, and take 10
 * to 25 ns in cache, plus the logarithm of the number of values that share their upper bits. Bulk
 * calls cross into Rust once and prefetch.
 */
import { inspect, type InspectOptionsStylized } from 'node:util';
import { rangeError, typeError } from '../../errors.js';
import { native } from '../../native.js';
import type { AnyTypedArray } from '../../region/typed-array.js';
import type { OpenOptions } from '../../region/file.js';
import { booleanOption, describe, integerOption, readOptions } from '../../region/options.js';
import { Region, type Origin } from '../../region/region.js';
import { attachStructure, openStructure, structureFromBytes } from '../../region/face.js';
import { LegacyStructure } from '../../region/legacy.js';
import { RegionSource, OWNER } from '../../region/table.js';
import type { Token } from '../../region/token.js';
import {
  answers,
  lengthOf,
  rangeOf,
  relativeIndex,
  toNumbers,
  type BigIntArray,
  type NumberArray,
} from '../arguments.js';
import { ChunkIterator } from '../iteration.js';
import { layoutOf, MAX_LENGTH, readLayout, type Layout } from './layout.js';
import { Sequence } from './sequence.js';

/** The placement of sorted integers. */
export interface EliasFanoOptions {
  /** Advise the system to back the values with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /**
   * Keep the memory on this NUMA node. Default: the node of the thread that first writes each page.
   */
  numaNode?: number;
}

/** The result of {@link EliasFano.stats}. */
export interface EliasFanoStats {
  /** The number of values. */
  length: number;
  /** The largest value, or 0 if there is none. */
  max: number;
  /** Bits of memory per value, counting the whole region. */
  bitsPerValue: number;
  /** How many of these bits are stored verbatim. */
  lowBits: number;
  byteLength: number;
  /**
   * Where the bytes are stored: this thread's memory, another thread's memory, or a mapped file.
   */
  origin: Origin;
  shared: boolean;
}

/** Integers to query or to build from: a typed array is fastest. */
export type Integers = NumberArray | BigIntArray | Iterable<number | bigint> | ArrayLike<number | bigint>;

const OPTIONS = ['hugePages', 'numaNode'] as const;
const EMPTY = layoutOf(0, 0);

/**
 * An immutable sequence of sorted integers from 0 to 2^53 − 1. Duplicates are allowed.
 *
 * ```ts
 * const squares = EliasFano.from([0, 1, 4, 9, 16, 25]);
 * squares.at(3); // 9
 * squares.rank(10); // 4 values are less than 10
 * squares.nextGeq(10); // 16 is the first value that is not
 * ```
 *
 * Every method throws `ERR_OFFHEAP_TYPE` if an argument is not a number, `ERR_OFFHEAP_RANGE` if it
 * is out of range, `ERR_OFFHEAP_CLOSED` after `close()`, and `ERR_OFFHEAP_IO` when a mapped file
 * has been truncated.
 */
export class EliasFano extends LegacyStructure<'eliasfano'> implements Iterable<number> {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'EliasFano', configurable: true });
  }
  declare readonly [Symbol.toStringTag]: string;

  private sequence = Sequence.EMPTY;
  private layout: Layout = EMPTY;
  /** The number of values that may be read without a check. */
  private direct = 0;

  private constructor(adopted: RegionSource) {
    super(adopted.region);
    this.initialize(adopted);
  }

  /**
   * Stores the integers of any typed array, array or iterable of numbers or bigints. Throws
   * `ERR_OFFHEAP_RANGE` and creates nothing unless they are in ascending order (duplicates are
   * allowed) and all are from 0 to 2^53 − 1. Takes about 3 ns per value from a typed array.
   */
  static from(sorted: Integers, options?: EliasFanoOptions): EliasFano {
    const read = options === undefined ? {} : readOptions(options, OPTIONS, 'EliasFano.from');
    const placement = {
      hugePages: booleanOption(read, 'hugePages', undefined),
      numaNode: integerOption(read, 'numaNode', 0, 1023, undefined),
    };
    const values = toNumbers(sorted, 'values');
    const max = native().eliasfanoMeasure(values);
    if (max > Number.MAX_SAFE_INTEGER) {
      throw rangeError(`the largest value is ${max}, more than 2^53 - 1`);
    }
    const length = lengthOf(values);
    if (length > MAX_LENGTH) throw rangeError(`${length} values are more than 2^37`);
    const region = Region.allocate(layoutOf(length, max).bytes, placement);
    native().eliasfanoInit(region.bytes, values, max);
    return EliasFano.adopted(new RegionSource(region, true, 'the new values'));
  }

  protected get kind(): 'eliasfano' {
    return 'eliasfano';
  }

  protected get label(): string {
    return 'Elias-Fano sequence';
  }

  protected bindViews(what: string): void {
    const { region } = this;
    const layout = readLayout(region.head, region.bytes.length, what);
    this.layout = layout;
    this.sequence = new Sequence(region.buffer, layout);
    // The bytes never change, so readers on other threads need no validation. Only a file can
    // vanish.
    this.direct = region.origin === 'file' ? 0 : layout.length;
  }

  protected dropViews(): void {
    this.sequence = Sequence.EMPTY;
    this.direct = 0;
  }

  protected check(region: Region, length: number, what: string): void {
    readLayout(region.head, length, what);
  }

  // ---- reading

  /** The number of values. */
  get length(): number {
    this.beforeRead();
    return this.layout.length;
  }

  /**
   * The value at an index, in ascending order, or `undefined` past the end. A negative index counts
   * from the end, as in typed arrays.
   */
  at(index: number): number | undefined {
    if (typeof index === 'number' && index >>> 0 === index && index < this.direct)
      return this.sequence.at(index);
    return this.atSlow(index);
  }

  private atSlow(index: unknown): number | undefined {
    this.beforeRead();
    const at = relativeIndex(index, this.layout.length);
    if (at < 0) return undefined;
    const value = this.sequence.at(at);
    return this.role === OWNER || this.readIsValid() ? value : this.read(() => this.sequence.at(at));
  }

  /**
   * The number of values less than `value`, which is the index of the first value that is not.
   * `value` is any number except NaN.
   */
  rank(value: number): number {
    if (this.hasNext(value)) return this.sequence.rank(Math.ceil(value));
    return this.ask(value, (asked) => this.rankOf(asked));
  }

  /**
   * The first value that is not less than `value`, or `undefined` past the largest. Its index is
   * `rank(value)`. `value` is any number except NaN.
   */
  nextGeq(value: number): number | undefined {
    if (this.hasNext(value)) return this.sequence.nextGeq(Math.ceil(value));
    return this.ask(value, (asked) => {
      const { length, max } = this.layout;
      if (length === 0 || asked > max) return undefined;
      return this.sequence.nextGeq(Math.max(0, Math.ceil(asked)));
    });
  }

  /** Whether some value is not less than `value` and may be read without a check. */
  private hasNext(value: number): boolean {
    return typeof value === 'number' && this.direct !== 0 && value >= 0 && value <= this.layout.max;
  }

  private ask<T>(value: unknown, answer: (value: number) => T): T {
    this.beforeRead();
    if (typeof value !== 'number') throw typeError(`a value must be a number, not ${describe(value)}`);
    if (Number.isNaN(value)) throw rangeError('a value cannot be NaN');
    return this.read(() => answer(value));
  }

  private rankOf(value: number): number {
    const { length, max } = this.layout;
    if (value <= 0 || length === 0) return 0;
    return value > max ? length : this.sequence.rank(Math.ceil(value));
  }

  /** The values in ascending order. */
  [Symbol.iterator](): IterableIterator<number> {
    this.beforeRead();
    return new ChunkIterator<number>(this) as IterableIterator<number>;
  }

  // ---- bulk

  /**
   * The values at many indices: `out[i]` is the value at `indices[i]`. Without `out` it returns a
   * new `Uint32Array` if the largest value fits, else a `Float64Array`. Throws `ERR_OFFHEAP_RANGE`,
   * with nothing written, for an index past the end.
   */
  getMany(indices: Integers): Uint32Array | Float64Array;
  getMany<O extends NumberArray | number[]>(indices: Integers, out: O): O;
  getMany(indices: Integers, out?: unknown): unknown {
    this.beforeRead();
    const list = toNumbers(indices, 'indices');
    const { native: array, finish } = this.answers(out, lengthOf(list), this.layout.max);
    this.read(() => native().eliasfanoGetMany(this.region.bytes, list, array));
    return finish();
  }

  /**
   * {@link EliasFano.rank} of many non-negative integers: `out[i]` is the result for `values[i]`.
   * Without `out` it returns a new `Uint32Array`, or a `Float64Array` for more than 2^32 values.
   */
  rankMany(values: Integers): Uint32Array | Float64Array;
  rankMany<O extends NumberArray | number[]>(values: Integers, out: O): O;
  rankMany(values: Integers, out?: unknown): unknown {
    this.beforeRead();
    const list = toNumbers(values, 'values');
    const { native: array, finish } = this.answers(out, lengthOf(list), this.layout.length);
    this.read(() => native().eliasfanoRankMany(this.region.bytes, list, array));
    return finish();
  }

  /**
   * The values from index `start` up to but not including `end`, with bounds as in
   * `TypedArray.prototype.slice`. They are written to the beginning of `out`, or to a new array as
   * in {@link EliasFano.getMany}.
   */
  slice(start?: number, end?: number): Uint32Array | Float64Array;
  slice<O extends NumberArray | number[]>(start: number | undefined, end: number | undefined, out: O): O;
  slice(start?: number, end?: number, out?: unknown): unknown {
    this.beforeRead();
    const [from, to] = rangeOf(start, end, this.layout.length);
    const { native: array, finish } = this.answers(out, to - from, this.layout.max);
    const part = lengthOf(array) === to - from ? array : array.subarray(0, to - from);
    this.read(() => native().eliasfanoUnpack(this.region.bytes, from, part));
    return finish();
  }

  private answers(
    out: unknown,
    count: number,
    most: number,
  ): { native: AnyTypedArray; finish: () => unknown } {
    return answers(out, count, false, (length) =>
      most < 2 ** 32 ? new Uint32Array(length) : new Float64Array(length),
    );
  }

  // ---- sharing and saving

  /** Counts and sizes. */
  stats(): EliasFanoStats {
    this.beforeRead();
    const { region, layout } = this;
    return {
      length: layout.length,
      max: layout.max,
      bitsPerValue: layout.length === 0 ? 0 : (layout.bytes * 8) / layout.length,
      lowBits: layout.lowBits,
      byteLength: region.buffer.byteLength,
      origin: region.origin,
      shared: region.shared || region.origin === 'attached',
    };
  }

  /**
   * Verifies the entire contents, which opening does not. O(bytes). Throws `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    this.read(() => native().eliasfanoValidate(this.region.bytes));
  }

  /** Attaches to values that another thread shared. O(1). */
  static attach(token: Token): EliasFano {
    return attachStructure(token, 'eliasfano', EliasFano.adopted);
  }

  /** Opens saved values by mapping their file. Only the header is read, whatever the size. */
  static open(path: string, options?: OpenOptions): EliasFano {
    return openStructure(path, options, EliasFano.adopted);
  }

  /** Creates values from the bytes of {@link EliasFano.toBytes}, which are copied. O(bytes). */
  static fromBytes(bytes: Uint8Array): EliasFano {
    return structureFromBytes(bytes, EliasFano.adopted);
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    const state = this.describeState();
    if (state !== 'open') return `${options.stylize('EliasFano', 'special')} { ${state} }`;
    const { length } = this.layout;
    const title = `EliasFano(${length})`;
    if (depth < 0) return options.stylize(`[${title}]`, 'special');
    const shown = Math.min(length, options.maxArrayLength ?? Infinity, 100);
    const list = inspect([...this.slice(0, shown)], { ...options, maxArrayLength: null });
    const more = length - shown;
    return more > 0 ? `${title} ${list.replace(/\s*\]$/, '')}, ... ${more} more ]` : `${title} ${list}`;
  }

  private static readonly adopted = (adopted: RegionSource): EliasFano => new EliasFano(adopted);
}
