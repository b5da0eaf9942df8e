/**
 * PackedInts: n integers of b bits each, 1 to 64, in n·b bits outside the JavaScript heap: ages
 * take 7 bits each instead of 64. `docs/formats/succinct.md` specifies the bytes, which never
 * change.
 *
 * Cost: `at` reads two words, or three for more than 32 bits, about 2 ns in cache. `getMany` and
 * `slice` cross into Rust once and take under 1 ns per value.
 */
import { inspect, type InspectOptionsStylized } from 'node:util';
import { native } from '../../native.js';
import type { OpenOptions } from '../../region/file.js';
import { HEADER_BYTES } from '../../region/format.js';
import type { AnyTypedArray } from '../../region/typed-array.js';
import { booleanOption, integerOption, readOptions } from '../../region/options.js';
import { Region, type Origin } from '../../region/region.js';
import { attachStructure, openStructure, structureFromBytes } from '../../region/face.js';
import { LegacyStructure } from '../../region/legacy.js';
import { RegionSource, OWNER } from '../../region/table.js';
import type { Token } from '../../region/token.js';
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
import { bigField, field, maskOf, narrowField, nearFields, wideField } from '../fields.js';
import { IndexIterator } from '../iteration.js';
import { fieldBytes, readShape, regionBytes } from './layout.js';

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
export interface PackedIntsStats {
  /** The number of integers. */
  length: number;
  bitsPerValue: number;
  /** Whether they are bigints. */
  bigint: boolean;
  byteLength: number;
  /**
   * Where the bytes are stored: this thread's memory, another thread's memory, or a mapped file.
   */
  origin: Origin;
  shared: boolean;
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

const OPTIONS = ['bits', 'hugePages', 'numaNode'] as const;
const NOTHING = new Int32Array(2);

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
  extends LegacyStructure<'packedints'>
  implements Iterable<T>
{
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'PackedInts', configurable: true });
  }
  declare readonly [Symbol.toStringTag]: string;

  /** The integers, from the first word on. */
  private words: Int32Array = NOTHING;
  private bits = 1;
  /** The mask of the lowest `bits` bits; above 32 bits, of the bits beyond 32. */
  private mask = 0;
  /** The number of integers that `at` may read without a check. */
  private direct = 0;
  private count = 0;
  private bigint = false;

  private constructor(adopted: RegionSource) {
    super(adopted.region);
    this.initialize(adopted);
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
    const placement = {
      hugePages: booleanOption(read, 'hugePages', undefined),
      numaNode: integerOption(read, 'numaNode', 0, 1023, undefined),
    };
    const numbers = toNumbers(values, 'values');
    const bits = wanted ?? native().packedintsMeasure(numbers);
    const region = Region.allocate(regionBytes(lengthOf(numbers), bits), placement);
    native().packedintsInit(region.bytes, numbers, bits, isBigInts(numbers));
    return make<number>(new RegionSource(region, true, 'the new integers'));
  }

  protected get kind(): 'packedints' {
    return 'packedints';
  }

  protected get label(): string {
    return 'packed integers';
  }

  protected bindViews(what: string): void {
    const { region } = this;
    const { length, bits, bigint } = readShape(region.head, region.bytes.length, what);
    this.count = length;
    this.bits = bits;
    this.bigint = bigint;
    this.mask = maskOf(bits > 32 ? bits - 32 : bits);
    this.words = new Int32Array(region.buffer, HEADER_BYTES, fieldBytes(length, bits) / 4);
    // The bytes never change, so readers on other threads need no validation. Only a file can
    // vanish.
    this.direct = bigint || region.origin === 'file' ? 0 : Math.min(length, nearFields(bits));
  }

  protected dropViews(): void {
    this.words = NOTHING;
    this.direct = 0;
  }

  protected check(region: Region, length: number, what: string): void {
    readShape(region.head, length, what);
  }

  // ---- reading

  /** The number of integers. */
  get length(): number {
    this.beforeRead();
    return this.count;
  }

  /** Bits per integer. */
  get bitsPerValue(): number {
    this.beforeRead();
    return this.bits;
  }

  /**
   * The integer at an index, or `undefined` past the end. A negative index counts from the end, as
   * in typed arrays.
   */
  at(index: number): T | undefined {
    if (typeof index === 'number' && index >>> 0 === index && index < this.direct) {
      const { words, bits, mask } = this;
      return (
        bits <= 32 ? narrowField(words, index, bits, mask) >>> 0 : wideField(words, index, bits, mask)
      ) as T;
    }
    return this.atSlow(index);
  }

  private atSlow(index: unknown): T | undefined {
    this.beforeRead();
    const at = relativeIndex(index, this.count);
    if (at < 0) return undefined;
    const value = this.element(at);
    return this.role === OWNER || this.readIsValid() ? value : this.read(() => this.element(at));
  }

  private element(index: number): T {
    const { words, bits } = this;
    return (this.bigint ? bigField(words, index, bits) : field(words, index, bits)) as T;
  }

  /** The integers in order. */
  [Symbol.iterator](): IterableIterator<T> {
    this.beforeRead();
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
    this.beforeRead();
    const list = toNumbers(indices, 'indices');
    const { native: array, finish } = this.answers(out, lengthOf(list));
    this.read(() => native().packedintsGetMany(this.region.bytes, list, array));
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
    this.beforeRead();
    const [from, to] = rangeOf(start, end, this.count);
    const { native: array, finish } = this.answers(out, to - from);
    const part = lengthOf(array) === to - from ? array : array.subarray(0, to - from);
    this.read(() => native().packedintsUnpack(this.region.bytes, from, part));
    return finish();
  }

  private answers(out: unknown, count: number): { native: AnyTypedArray; finish: () => unknown } {
    return answers(out, count, this.bigint, (length) => {
      if (this.bigint) return new BigUint64Array(length);
      return this.bits <= 32 ? new Uint32Array(length) : new Float64Array(length);
    });
  }

  // ---- sharing and saving

  /** Counts and sizes. */
  stats(): PackedIntsStats {
    this.beforeRead();
    const { region } = this;
    return {
      length: this.count,
      bitsPerValue: this.bits,
      bigint: this.bigint,
      byteLength: region.buffer.byteLength,
      origin: region.origin,
      shared: region.shared || region.origin === 'attached',
    };
  }

  /**
   * Verifies the entire contents, which opening does not. O(bytes). Throws `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    this.read(() => native().packedintsValidate(this.region.bytes));
  }

  /** Attaches to integers that another thread shared. O(1). */
  static attach<T extends number | bigint = number>(token: Token): PackedInts<T> {
    return attachStructure(token, 'packedints', make<T>);
  }

  /** Opens saved integers by mapping their file. Only the header is read, whatever the size. */
  static open<T extends number | bigint = number>(path: string, options?: OpenOptions): PackedInts<T> {
    return openStructure(path, options, make<T>);
  }

  /** Creates integers from the bytes of {@link PackedInts.toBytes}, which are copied. O(bytes). */
  static fromBytes<T extends number | bigint = number>(bytes: Uint8Array): PackedInts<T> {
    return structureFromBytes(bytes, make<T>);
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    const state = this.describeState();
    if (state !== 'open') return `${options.stylize('PackedInts', 'special')} { ${state} }`;
    const title = `PackedInts(${this.count}) <${this.bits} bits>`;
    if (depth < 0) return options.stylize(`[${title}]`, 'special');
    const shown = Math.min(this.count, options.maxArrayLength ?? Infinity, 100);
    const list = inspect([...(this.slice(0, shown) as Iterable<T>)], { ...options, maxArrayLength: null });
    const more = this.count - shown;
    return more > 0 ? `${title} ${list.replace(/\s*\]$/, '')}, ... ${more} more ]` : `${title} ${list}`;
  }

  /** @internal */
  static adopted<T extends number | bigint>(adopted: RegionSource): PackedInts<T> {
    return new PackedInts<T>(adopted);
  }
}

function make<T extends number | bigint>(adopted: RegionSource): PackedInts<T> {
  return PackedInts.adopted<T>(adopted);
}
