/**
 * EliasFano: sorted integers in about 2.7 + log2(largest / n) bits each outside the JavaScript
 * heap, with constant-time access to each and search that does not scan the others.
 * `docs/formats/succinct.md` specifies the bytes, which never change, and cites the papers.
 *
 * Cost: `at`, `rank` and `nextGeq` touch three to five cache lines, whatever the size, and take 10
 * to 25 ns in cache, plus the logarithm of the number of values that share their upper bits. Bulk
 * calls cross into Rust once and prefetch.
 */
import type { PathLike } from 'node:fs';
import { inspect, type InspectOptionsStylized } from 'node:util';
import { rangeError, typeError } from '../../errors.js';
import { native } from '../../native.js';
import {
  attachStructure,
  constructing,
  inspectElements,
  inspectIfOpen,
  openStructure,
  PLACEMENT_OPTIONS,
  placementOptions,
  regionStats,
  setTag,
  shownElements,
  structureFromBytes,
  tableFromSource,
  type RegionStats,
} from '../../region/face.js';
import type { OpenOptions } from '../../region/file.js';
import { describe, readOptions } from '../../region/options.js';
import { Region } from '../../region/region.js';
import { ownTable, Structure } from '../../region/structure.js';
import { OWNER, RegionSource } from '../../region/table.js';
import type { Token } from '../../region/token.js';
import type { AnyTypedArray } from '../../region/typed-array.js';
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
import { EliasFanoTable } from './elias-fano-table.js';
import { layoutOf, MAX_LENGTH } from './layout.js';

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
export interface EliasFanoStats extends RegionStats {
  /** The number of values. */
  length: number;
  /** The largest value, or 0 if there is none. */
  max: number;
  /** Bits of memory per value, counting the whole region. */
  bitsPerValue: number;
  /** How many of these bits are stored verbatim. */
  lowBits: number;
}

/** Integers to query or to build from: a typed array is fastest. */
export type Integers = NumberArray | BigIntArray | Iterable<number | bigint> | ArrayLike<number | bigint>;

const OPTIONS = [...PLACEMENT_OPTIONS] as const;

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
export class EliasFano extends Structure<'eliasfano'> implements Iterable<number> {
  static {
    setTag(this.prototype, 'EliasFano');
  }
  declare readonly [Symbol.toStringTag]: string;
  readonly #table = ownTable<EliasFanoTable>(this);

  private constructor(source: RegionSource) {
    super(tableFromSource(EliasFanoTable, source, 'EliasFano'));
  }

  /**
   * Stores the integers of any typed array, array or iterable of numbers or bigints. Throws
   * `ERR_OFFHEAP_RANGE` and creates nothing unless they are in ascending order (duplicates are
   * allowed) and all are from 0 to 2^53 − 1. Takes about 3 ns per value from a typed array.
   */
  static from(sorted: Integers, options?: EliasFanoOptions): EliasFano {
    const read = options === undefined ? {} : readOptions(options, OPTIONS, 'EliasFano.from');
    const placement = placementOptions(read);
    const values = toNumbers(sorted, 'values');
    const max = native().eliasfanoMeasure(values);
    if (max > Number.MAX_SAFE_INTEGER) {
      throw rangeError(`the largest value is ${max}, more than 2^53 - 1`);
    }
    const length = lengthOf(values);
    if (length > MAX_LENGTH) throw rangeError(`${length} values are more than 2^37`);
    const region = Region.allocate(layoutOf(length, max).bytes, placement);
    native().eliasfanoInit(region.bytes, values, max);
    return construct(this)(new RegionSource(region, true, 'the new values'));
  }

  // ---- reading

  /** The number of values. */
  get length(): number {
    const table = this.#table;
    table.beforeRead();
    return table.layout.length;
  }

  /**
   * The value at an index, in ascending order, or `undefined` past the end. A negative index counts
   * from the end, as in typed arrays.
   */
  at(index: number): number | undefined {
    const table = this.#table;
    if (typeof index === 'number' && index >>> 0 === index && index < table.direct)
      return table.sequence.at(index);
    return this.#atSlow(index);
  }

  #atSlow(index: unknown): number | undefined {
    const table = this.#table;
    table.beforeRead();
    const at = relativeIndex(index, table.layout.length);
    if (at < 0) return undefined;
    const value = table.sequence.at(at);
    return table.role === OWNER || table.readIsValid() ? value : table.read(() => table.sequence.at(at));
  }

  /**
   * The number of values less than `value`, which is the index of the first value that is not.
   * `value` is any number except NaN.
   */
  rank(value: number): number {
    if (this.#hasNext(value)) return this.#table.sequence.rank(Math.ceil(value));
    return this.#ask(value, (asked) => this.#rankOf(asked));
  }

  /**
   * The first value that is not less than `value`, or `undefined` past the largest. Its index is
   * `rank(value)`. `value` is any number except NaN.
   */
  nextGeq(value: number): number | undefined {
    const table = this.#table;
    if (this.#hasNext(value)) return table.sequence.nextGeq(Math.ceil(value));
    return this.#ask(value, (asked) => {
      const { length, max } = table.layout;
      if (length === 0 || asked > max) return undefined;
      return table.sequence.nextGeq(Math.max(0, Math.ceil(asked)));
    });
  }

  /** Whether some value is not less than `value` and may be read without a check. */
  #hasNext(value: number): boolean {
    const table = this.#table;
    return typeof value === 'number' && table.direct !== 0 && value >= 0 && value <= table.layout.max;
  }

  #ask<T>(value: unknown, answer: (value: number) => T): T {
    const table = this.#table;
    table.beforeRead();
    if (typeof value !== 'number') throw typeError(`a value must be a number, not ${describe(value)}`);
    if (Number.isNaN(value)) throw rangeError('a value cannot be NaN');
    return table.read(() => answer(value));
  }

  #rankOf(value: number): number {
    const table = this.#table;
    const { length, max } = table.layout;
    if (value <= 0 || length === 0) return 0;
    return value > max ? length : table.sequence.rank(Math.ceil(value));
  }

  /** The values in ascending order. */
  [Symbol.iterator](): IterableIterator<number> {
    this.#table.beforeRead();
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
    const table = this.#table;
    table.beforeRead();
    const list = toNumbers(indices, 'indices');
    const { native: array, finish } = this.#answers(out, lengthOf(list), table.layout.max);
    table.read(() => native().eliasfanoGetMany(table.region.bytes, list, array));
    return finish();
  }

  /**
   * {@link EliasFano.rank} of many non-negative integers: `out[i]` is the result for `values[i]`.
   * Without `out` it returns a new `Uint32Array`, or a `Float64Array` for more than 2^32 values.
   */
  rankMany(values: Integers): Uint32Array | Float64Array;
  rankMany<O extends NumberArray | number[]>(values: Integers, out: O): O;
  rankMany(values: Integers, out?: unknown): unknown {
    const table = this.#table;
    table.beforeRead();
    const list = toNumbers(values, 'values');
    const { native: array, finish } = this.#answers(out, lengthOf(list), table.layout.length);
    table.read(() => native().eliasfanoRankMany(table.region.bytes, list, array));
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
    const table = this.#table;
    table.beforeRead();
    const [from, to] = rangeOf(start, end, table.layout.length);
    const { native: array, finish } = this.#answers(out, to - from, table.layout.max);
    const part = lengthOf(array) === to - from ? array : array.subarray(0, to - from);
    table.read(() => native().eliasfanoUnpack(table.region.bytes, from, part));
    return finish();
  }

  #answers(out: unknown, count: number, most: number): { native: AnyTypedArray; finish: () => unknown } {
    return answers(out, count, false, (length) =>
      most < 2 ** 32 ? new Uint32Array(length) : new Float64Array(length),
    );
  }

  // ---- sharing and saving

  /** Counts and sizes. */
  stats(): EliasFanoStats {
    this.#table.beforeRead();
    const { region, layout } = this.#table;
    return {
      length: layout.length,
      max: layout.max,
      bitsPerValue: layout.length === 0 ? 0 : (layout.bytes * 8) / layout.length,
      lowBits: layout.lowBits,
      ...regionStats(region),
    };
  }

  /**
   * Verifies the entire contents, which opening does not. O(bytes). Throws `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    const table = this.#table;
    table.read(() => native().eliasfanoValidate(table.region.bytes));
  }

  /** Attaches to values that another thread shared. O(1). */
  static attach(token: Token): EliasFano {
    return attachStructure(token, 'eliasfano', construct(this));
  }

  /** Opens saved values by mapping their file. Only the header is read, whatever the size. */
  static open(path: PathLike, options?: OpenOptions): EliasFano {
    return openStructure(path, options, construct(this));
  }

  /** Creates values from the bytes of {@link EliasFano.toBytes}, which are copied. O(bytes). */
  static fromBytes(bytes: Uint8Array): EliasFano {
    return structureFromBytes(bytes, construct(this));
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    const table = this.#table;
    return inspectIfOpen('EliasFano', table.describeState(), options, () => {
      const { length } = table.layout;
      const elements = [...this.slice(0, shownElements(length, options))];
      return inspectElements(`EliasFano(${length})`, elements, length, depth, options);
    });
  }
}

/** See `constructing`. The constructor is private. */
function construct(called: unknown): (source: RegionSource) => EliasFano {
  return constructing<EliasFano>(called, EliasFano as never);
}
