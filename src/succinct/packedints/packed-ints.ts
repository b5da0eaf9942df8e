/**
 * PackedInts: n integers of b bits each, 1 to 64, in n·b bits outside the JavaScript heap: ages
 * take 7 bits each instead of 64. `docs/formats/succinct.md` specifies the bytes, which never
 * change.
 *
 * Cost: `at` reads two words, or three for more than 32 bits, about 2 ns in cache. `getMany` and
 * `slice` cross into Rust once and take under 1 ns per value.
 */
import type { PathLike } from 'node:fs';
import { inspect, type InspectOptionsStylized } from 'node:util';
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
import { integerOption, readOptions } from '../../region/options.js';
import { Region } from '../../region/region.js';
import { ownTable, Structure } from '../../region/structure.js';
import { OWNER, RegionSource } from '../../region/table.js';
import type { Token } from '../../region/token.js';
import type { AnyTypedArray } from '../../region/typed-array.js';
import {
  answers,
  isBigInts,
  lengthOf,
  rangeOf,
  relativeIndex,
  toNumbers,
  type BigIntArray,
  type NumberArray,
} from '../arguments.js';
import { bigField, field, narrowField, wideField } from '../fields.js';
import { IndexIterator } from '../iteration.js';
import { regionBytes } from './layout.js';
import { PackedIntsTable } from './packed-ints-table.js';

/** The width and placement of packed integers. */
export interface PackedIntsOptions {
  /** Bits per integer, 1 to 64. Default: the width of the largest integer. */
  bits?: number;
  /** Advise the system to back the integers with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /**
   * Keep the memory on this NUMA node. Default: the node of the thread that first writes each page.
   */
  numaNode?: number;
}

/** The result of {@link PackedInts.stats}. */
export interface PackedIntsStats extends RegionStats {
  /** The number of integers. */
  length: number;
  bitsPerValue: number;
  /** Whether they are bigints. */
  bigint: boolean;
}

/**
 * The destination of {@link PackedInts.getMany} and {@link PackedInts.slice} for integers of type
 * `T`.
 */
export type PackedOutput<T extends number | bigint> = T extends bigint
  ? BigIntArray | bigint[]
  : NumberArray | number[];
/** The array that they create if the caller passes none. */
export type PackedArray<T extends number | bigint> = T extends bigint
  ? BigUint64Array
  : Uint32Array | Float64Array;
/** Positions: a typed array is fastest. */
export type Positions = NumberArray | BigIntArray | Iterable<number> | ArrayLike<number>;

const OPTIONS = ['bits', ...PLACEMENT_OPTIONS] as const;

/**
 * An immutable array of non-negative integers, packed into 1 to 64 bits each.
 *
 * ```ts
 * const ages = PackedInts.from([31, 4, 77, 18]);
 * ages.at(2); // 77
 * ages.bitsPerValue; // 7
 * ```
 *
 * An array made from numbers returns numbers, which are below 2^53 even if `bits` is larger. An
 * array made from bigints (a `BigUint64Array`, say) returns bigints of up to 64 bits.
 *
 * Every method throws `ERR_OFFHEAP_TYPE` if an argument is not a number, `ERR_OFFHEAP_RANGE` if it
 * is not an integer or out of range, `ERR_OFFHEAP_CLOSED` after `close()`, and `ERR_OFFHEAP_IO`
 * when a mapped file has been truncated.
 */
export class PackedInts<T extends number | bigint = number>
  extends Structure<'packedints'>
  implements Iterable<T>
{
  static {
    setTag(this.prototype, 'PackedInts');
  }
  declare readonly [Symbol.toStringTag]: string;
  readonly #table = ownTable<PackedIntsTable>(this);

  private constructor(source: RegionSource) {
    super(tableFromSource(PackedIntsTable, source, 'PackedInts'));
  }

  /**
   * Packs the integers of any typed array, array or iterable. Throws `ERR_OFFHEAP_RANGE` and
   * creates nothing if one is negative, fractional, NaN, or needs more than `bits` bits. Takes
   * about 1 ns per integer from a typed array.
   */
  static from(
    values: BigIntArray | Iterable<bigint> | ArrayLike<bigint>,
    options?: PackedIntsOptions,
  ): PackedInts<bigint>;
  static from(
    values: NumberArray | Iterable<number> | ArrayLike<number>,
    options?: PackedIntsOptions,
  ): PackedInts;
  static from(values: unknown, options?: PackedIntsOptions): PackedInts | PackedInts<bigint> {
    const read = options === undefined ? {} : readOptions(options, OPTIONS, 'PackedInts.from');
    const wanted = integerOption(read, 'bits', 1, 64, undefined);
    const placement = placementOptions(read);
    const numbers = toNumbers(values, 'values');
    const bits = wanted ?? native().packedintsMeasure(numbers);
    const region = Region.allocate(regionBytes(lengthOf(numbers), bits), placement);
    native().packedintsInit(region.bytes, numbers, bits, isBigInts(numbers));
    return construct<number>(this)(new RegionSource(region, true, 'the new integers'));
  }

  // ---- reading

  /** The number of integers. */
  get length(): number {
    const table = this.#table;
    table.beforeRead();
    return table.count;
  }

  /** Bits per integer. */
  get bitsPerValue(): number {
    const table = this.#table;
    table.beforeRead();
    return table.bits;
  }

  /**
   * The integer at an index, or `undefined` past the end. A negative index counts from the end, as
   * in typed arrays.
   */
  at(index: number): T | undefined {
    const table = this.#table;
    if (typeof index === 'number' && index >>> 0 === index && index < table.direct) {
      const { words, bits, mask } = table;
      return (
        bits <= 32 ? narrowField(words, index, bits, mask) >>> 0 : wideField(words, index, bits, mask)
      ) as T;
    }
    return this.#atSlow(index);
  }

  #atSlow(index: unknown): T | undefined {
    const table = this.#table;
    table.beforeRead();
    const at = relativeIndex(index, table.count);
    if (at < 0) return undefined;
    const value = this.#element(at);
    return table.role === OWNER || table.readIsValid() ? value : table.read(() => this.#element(at));
  }

  #element(index: number): T {
    const table = this.#table;
    const { words, bits } = table;
    return (table.bigint ? bigField(words, index, bits) : field(words, index, bits)) as T;
  }

  /** The integers in order. */
  [Symbol.iterator](): IterableIterator<T> {
    this.#table.beforeRead();
    return new IndexIterator<T>(this) as IterableIterator<T>;
  }

  // ---- bulk

  /**
   * The integers at many indices: `out[i]` is the integer at `indices[i]`. Without `out` it returns
   * a new `Uint32Array` for up to 32 bits, else a `Float64Array`; for bigints, a `BigUint64Array`.
   * Throws `ERR_OFFHEAP_RANGE`, with nothing written, for an index past the end, or if the elements
   * of `out` cannot represent integers of this width.
   */
  getMany(indices: Positions): PackedArray<T>;
  getMany<O extends PackedOutput<T>>(indices: Positions, out: O): O;
  getMany(indices: Positions, out?: unknown): unknown {
    const table = this.#table;
    table.beforeRead();
    const list = toNumbers(indices, 'indices');
    const { native: array, finish } = this.#answers(out, lengthOf(list));
    table.read(() => native().packedintsGetMany(table.region.bytes, list, array));
    return finish();
  }

  /**
   * The integers from index `start` up to but not including `end`, with bounds as in
   * `TypedArray.prototype.slice`. They are written to the beginning of `out`, or to a new array as
   * in {@link PackedInts.getMany}.
   */
  slice(start?: number, end?: number): PackedArray<T>;
  slice<O extends PackedOutput<T>>(start: number | undefined, end: number | undefined, out: O): O;
  slice(start?: number, end?: number, out?: unknown): unknown {
    const table = this.#table;
    table.beforeRead();
    const [from, to] = rangeOf(start, end, table.count);
    const { native: array, finish } = this.#answers(out, to - from);
    const part = lengthOf(array) === to - from ? array : array.subarray(0, to - from);
    table.read(() => native().packedintsUnpack(table.region.bytes, from, part));
    return finish();
  }

  #answers(out: unknown, count: number): { native: AnyTypedArray; finish: () => unknown } {
    const table = this.#table;
    return answers(out, count, table.bigint, (length) => {
      if (table.bigint) return new BigUint64Array(length);
      return table.bits <= 32 ? new Uint32Array(length) : new Float64Array(length);
    });
  }

  // ---- sharing and saving

  /** Counts and sizes. */
  stats(): PackedIntsStats {
    const table = this.#table;
    table.beforeRead();
    const { region } = this.#table;
    return {
      length: table.count,
      bitsPerValue: table.bits,
      bigint: table.bigint,
      ...regionStats(region),
    };
  }

  /**
   * Verifies the entire contents, which opening does not. O(bytes). Throws `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    const table = this.#table;
    table.read(() => native().packedintsValidate(table.region.bytes));
  }

  /** Attaches to integers that another thread shared. O(1). */
  static attach<T extends number | bigint = number>(token: Token): PackedInts<T> {
    return attachStructure(token, 'packedints', construct<T>(this));
  }

  /** Opens saved integers by mapping their file. Only the header is read, whatever the size. */
  static open<T extends number | bigint = number>(path: PathLike, options?: OpenOptions): PackedInts<T> {
    return openStructure(path, options, construct<T>(this));
  }

  /** Creates integers from the bytes of {@link PackedInts.toBytes}, which are copied. O(bytes). */
  static fromBytes<T extends number | bigint = number>(bytes: Uint8Array): PackedInts<T> {
    return structureFromBytes(bytes, construct<T>(this));
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    const table = this.#table;
    return inspectIfOpen('PackedInts', table.describeState(), options, () => {
      const { count, bits } = table;
      const elements = [...(this.slice(0, shownElements(count, options)) as Iterable<T>)];
      return inspectElements(`PackedInts(${count}) <${bits} bits>`, elements, count, depth, options);
    });
  }
}

/** See `constructing`. The constructor is private. */
function construct<T extends number | bigint>(called: unknown): (source: RegionSource) => PackedInts<T> {
  return constructing<PackedInts<T>>(called, PackedInts as never);
}
