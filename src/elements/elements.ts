/**
 * The public operations of a vector, for both kinds of memory: a heap or shared region ({@link
 * Vector}), or a file that grows (`MmapVector`, in `src/mmap/`).
 */
import { inspect, type InspectOptionsStylized } from 'node:util';
import { typeError } from '../errors.js';
import {
  COLUMN_ARRAYS,
  TYPE,
  TYPE_NAMES,
  type Column,
  type JsType,
  type NumericType,
} from '../region/element.js';
import { setIterator, inspectElements, inspectIfOpen, shownElements } from '../region/face.js';
import { ENTRIES, KEYS, VALUES, type IterationKind } from '../region/iteration.js';
import { checkInteger, describe } from '../region/options.js';
import type { WorkOptions } from '../region/progress.js';
import { Structure } from '../region/structure.js';
import { OWNER } from '../region/table.js';
import * as bulk from './bulk.js';
import { VectorIterator } from './iteration.js';
import { MAX_CAPACITY } from './layout.js';
import type { VectorTable } from './table.js';

/** Elements for a bulk call: a typed array of the vector's type is fastest. */
export type Values<T extends NumericType> = Column<T> | Iterable<JsType<T>> | ArrayLike<JsType<T>>;

/** The sum of a vector's elements: a bigint if the elements are bigints. */
export type SumOf<T extends NumericType> = JsType<T>;

const U32 = TYPE.u32;
const F64 = TYPE.f64;

let getTable: (vector: Elements<NumericType>) => VectorTable;

/** The table of a vector, for the subclasses. */
export function vectorTableOf<T extends NumericType>(vector: Elements<T>): VectorTable {
  return getTable(vector);
}

/** The operations that all vectors have: see {@link Vector}. */
export abstract class Elements<T extends NumericType>
  extends Structure<'vector'>
  implements Iterable<JsType<T>>
{
  readonly #table: VectorTable;
  /** The view that was returned last. */
  #view: Column<T> | undefined;

  static {
    getTable = (vector) => vector.#table;
    setIterator(this.prototype, 'values');
  }

  /** @internal */
  constructor(table: VectorTable) {
    super(table);
    this.#table = table;
  }

  /** The type of the elements. */
  get type(): T {
    this.#table.beforeRead();
    return TYPE_NAMES[this.#table.code] as T;
  }

  /** The number of elements. */
  get length(): number {
    return this.#table.validCount();
  }

  // ---- one element

  /** Appends elements. Returns the new length. All are checked before any is stored. */
  push(...values: JsType<T>[]): number;
  push(value?: unknown): number {
    const table = this.#table;
    // `arguments`, because a rest parameter creates an array at each call.
    /* eslint-disable prefer-rest-params */
    if (arguments.length === 1) {
      const { count } = table;
      if (count < table.room && typeof value === 'number') {
        // Plain stores for the most common types. The header is updated later: see `flushCount`.
        if (table.code === F64) {
          (table.items as Float64Array)[count] = value;
          return (table.count = count + 1);
        }
        if (table.code === U32 && value >>> 0 === value) {
          (table.items as Uint32Array)[count] = value;
          return (table.count = count + 1);
        }
      }
      return pushSlow(table, value);
    }
    table.beforeWrite();
    for (let i = 0; i < arguments.length; i++) table.checkElement(arguments[i]);
    const { count } = table;
    table.grow(count + arguments.length);
    for (let i = 0; i < arguments.length; i++) table.store(count + i, arguments[i]);
    table.setCount(count + arguments.length);
    return table.count;
    /* eslint-enable prefer-rest-params */
  }

  /** Removes and returns the last element; returns `undefined` if there is none. */
  pop(): JsType<T> | undefined {
    const table = this.#table;
    table.beforeWrite();
    const last = table.count - 1;
    if (last < 0) return undefined;
    const value = table.loadAny(last) as JsType<T>;
    table.setCount(last);
    return value;
  }

  /**
   * The element at an index; a negative index counts from the end. Returns `undefined` if there is
   * no such element, as `Array.prototype.at`.
   */
  at(index: number): JsType<T> | undefined {
    const table = this.#table;
    if (typeof index === 'number') {
      const position = index >>> 0;
      if (position === index && position < table.count) return table.load(position) as JsType<T>;
      const fromEnd = (index + table.count) >>> 0;
      if (index < 0 && fromEnd === index + table.count) return table.load(fromEnd) as JsType<T>;
    }
    return atSlow(table, index) as JsType<T> | undefined;
  }

  /**
   * Replaces the element at an index from 0 to length − 1; throws `ERR_OFFHEAP_RANGE` for any
   * other. Returns the vector.
   */
  set(index: number, value: JsType<T>): this {
    const table = this.#table;
    if (table.code === F64 && typeof value === 'number' && typeof index === 'number') {
      const position = index >>> 0;
      if (position === index && position < table.count && position >= table.sealed) {
        (table.items as Float64Array)[position] = value;
        return this;
      }
    }
    table.beforeWrite();
    const at = table.checkIndex(index);
    table.checkElement(value);
    table.checkMutable(at);
    table.store(at, value);
    return this;
  }

  /**
   * Removes and returns the element at an index, and moves the last element there: O(1). Throws
   * `ERR_OFFHEAP_RANGE` as `set`.
   */
  swapRemove(index: number): JsType<T> {
    const table = this.#table;
    table.beforeWrite();
    const at = table.checkIndex(index);
    const last = table.count - 1;
    const value = table.loadAny(at) as JsType<T>;
    if (at !== last) {
      table.checkMutable(at);
      table.store(at, table.loadAny(last));
    }
    table.setCount(last);
    return value;
  }

  // ---- many elements

  /**
   * Appends the elements of a typed array or any iterable. Returns the new length. All are checked
   * first.
   */
  pushMany(values: Values<T>): number {
    return bulk.appendMany(this.#table, values);
  }

  /**
   * The elements as a typed array over the vector's own memory, which starts at a multiple of 64
   * bytes; nothing is copied. It shows the elements that existed when it was taken: take it again
   * after the length changed. Writing to it changes the vector.
   */
  get view(): Column<T> {
    const table = this.#table;
    if (table.role === OWNER) {
      const { items, count } = table;
      const view = this.#view;
      if (view?.length === count && view.buffer === items.buffer) return view;
      return (this.#view = makeView<T>(table, count));
    }
    return table.read(() => makeView<T>(table, table.currentCount()));
  }

  /**
   * Sets the elements from `start` to `end`, or all, to a value. Negative bounds count from the
   * end. Returns the vector.
   */
  fill(value: JsType<T>, start?: number, end?: number): this {
    bulk.fillRange(this.#table, value, start, end);
    return this;
  }

  /**
   * The index of the first element equal to a value (`===`, so NaN is never found), from `from` on;
   * −1 if there is none.
   */
  indexOf(value: JsType<T>, from?: number): number {
    return bulk.find(this.#table, value, from, false);
  }

  /** Whether there is an element equal to a value. NaN is found, and −0 is 0, as in `Array`. */
  includes(value: JsType<T>, from?: number): boolean {
    return bulk.find(this.#table, value, from, true) >= 0;
  }

  /**
   * The sum. For integers it is exact: a bigint of any size for `u64` and `i64`; otherwise a
   * number, the exact sum rounded once, so exact below 2^53. Floats are added in 16 lanes with
   * compensation (TwoSum): the error is at most 2^−53 of the sum plus about (2^−53 n)² of the sum
   * of magnitudes, and the result is the same on every machine. 0 if there are no elements.
   */
  sum(): SumOf<T> {
    return bulk.sum(this.#table) as SumOf<T>;
  }

  /**
   * The least element: NaN if there is one, and −0 is less than 0, as in `Math.min`. `undefined` if
   * there are no elements.
   */
  min(): JsType<T> | undefined {
    return bulk.extreme(this.#table, false) as JsType<T> | undefined;
  }

  /**
   * The greatest element: NaN if there is one, as in `Math.max`. `undefined` if there are no
   * elements.
   */
  max(): JsType<T> | undefined {
    return bulk.extreme(this.#table, true) as JsType<T> | undefined;
  }

  // ---- order

  /**
   * Sorts as `TypedArray.prototype.sort` does without a comparator: ascending, −0 before 0, NaN
   * last (NaNs may lose their sign). O(n): a radix sort, which temporarily needs as much memory
   * again; where that is refused it sorts in place, about as fast. Returns the vector.
   */
  sort(): this {
    bulk.sort(this.#table);
    return this;
  }

  /**
   * Sorts off the main thread. Until it is done the vector keeps its old order and can be read;
   * changes throw `ERR_OFFHEAP_LOCKED`. Typed arrays from {@link Vector.view} show the elements
   * move at the end. After {@link Vector.close} it rejects with `ERR_OFFHEAP_CLOSED`. It needs
   * twice the vector's memory temporarily, and rejects with `ERR_OFFHEAP_OOM` if not even a copy
   * can be allocated.
   */
  async sortAsync(options?: WorkOptions): Promise<this> {
    await bulk.sortInBackground(this.#table, options);
    return this;
  }

  /**
   * The indices of the elements in the order that {@link Vector.sort} would give them; equal
   * elements keep their order. A `Uint32Array`; beyond 2^32 elements a `Float64Array`. Needs 16 to
   * 32 bytes per element temporarily.
   */
  argsort(): Uint32Array | Float64Array {
    return bulk.argsort(this.#table);
  }

  /** `argsort` off the main thread; changes throw `ERR_OFFHEAP_LOCKED` until it is done. */
  async argsortAsync(options?: WorkOptions): Promise<Uint32Array | Float64Array> {
    return bulk.argsortInBackground(this.#table, options);
  }

  /**
   * Searches a vector that is sorted as {@link Vector.sort} sorts. Returns the index of the first
   * element equal to the value; or, if there is none, −(i + 1), where i is the index at which to
   * insert it. So the value was found exactly if the result is not negative. NaN is found, and −0
   * is 0. (Java's `Arrays.binarySearch` and C#'s `Array.BinarySearch` return the same.) O(log n).
   */
  binarySearch(value: JsType<T>): number {
    return bulk.searchOne(this.#table, value);
  }

  /**
   * The same for many values at once, several times faster, because their cache misses overlap. The
   * values must be ones that the vector can hold: they travel as a typed array of its type. Returns
   * `out`.
   */
  binarySearchMany(values: Values<T>, out?: Float64Array): Float64Array {
    return bulk.searchMany(this.#table, values, out);
  }

  // ---- iteration

  /** Calls `callback(value, index, vector)` for each element that exists at the call. */
  forEach(
    callback: (value: JsType<T>, index: number, vector: this) => void,
    // eslint-disable-next-line @typescript-eslint/no-useless-default-assignment -- length 1
    thisArg: unknown = undefined,
  ): void {
    if (typeof callback !== 'function') throw typeError(`${describe(callback)} is not a function`);
    const { length } = this;
    for (let i = 0; i < length; i++) {
      const value = this.at(i);
      if (value === undefined) return;
      callback.call(thisArg, value, i, this);
    }
  }

  /** Iterates over the elements in order, including those that are added in the meantime. */
  values(): ArrayIterator<JsType<T>> {
    return iterate(this.#table, VALUES) as ArrayIterator<JsType<T>>;
  }

  /** Iterates over the indices in order. */
  keys(): ArrayIterator<number> {
    return iterate(this.#table, KEYS) as ArrayIterator<number>;
  }

  /** Iterates over fresh `[index, element]` pairs in order. */
  entries(): ArrayIterator<[number, JsType<T>]> {
    return iterate(this.#table, ENTRIES) as ArrayIterator<[number, JsType<T>]>;
  }

  declare readonly [Symbol.iterator]: () => ArrayIterator<JsType<T>>;

  // On the prototype, where `Array` has its iterator's: see the static blocks of the subclasses.
  declare readonly [Symbol.toStringTag]: string;

  // ---- memory

  /**
   * Makes room for `capacity` elements in total, so that growing to that number takes no time.
   * Returns the vector.
   */
  reserve(capacity: number): this {
    const wanted = checkInteger(capacity, 'capacity', 0, MAX_CAPACITY);
    this.#table.beforeWrite();
    this.#table.reserve(wanted);
    return this;
  }

  /**
   * Keeps the first `length` elements; does nothing if there are no more. Keeps the memory. Returns
   * the vector.
   */
  truncate(length: number): this {
    const wanted = checkInteger(length, 'length', 0, MAX_CAPACITY);
    const table = this.#table;
    table.beforeWrite();
    if (wanted < table.count) table.setCount(wanted);
    return this;
  }

  /** Removes all elements. Keeps the memory: see {@link Vector.shrinkToFit}. */
  clear(): void {
    this.truncate(0);
  }

  /** The elements as an array, for `JSON.stringify`, which refuses bigints as it does elsewhere. */
  override toJSON(): JsType<T>[] {
    return Array.from(this.values());
  }

  override close(): void {
    super.close();
    this.#view = undefined;
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    const name = this[Symbol.toStringTag];
    return inspectIfOpen(name, this.#table.describeState(), options, () => {
      const { type, length } = this;
      const shown: unknown[] = [];
      for (let i = 0; i < shownElements(length, options); i++) shown.push(this.at(i));
      return inspectElements(`${name}<${type}>(${length})`, shown, length, depth, options);
    });
  }
}

// ---- slow paths

function pushSlow(table: VectorTable, value: unknown): number {
  table.beforeWrite();
  table.checkElement(value);
  const { count } = table;
  table.grow(count + 1);
  table.store(count, value);
  table.setCount(count + 1);
  return count + 1;
}

/** `at` where the fast path does not apply: readers, both ends, indices that are not integers. */
export function atSlow(table: VectorTable, index: unknown): unknown {
  if (typeof index !== 'number') throw typeError(`an index must be a number, not ${describe(index)}`);
  return table.loadSlow(Number.isNaN(index) ? 0 : Math.trunc(index));
}

/**
 * `at` for bigints. Classes of vectors of bigints call it in an `at` of their own: then V8 knows
 * that the other `at` returns numbers, and boxes none. They are read five times as fast in a
 * program that has both.
 */
export function atWide(table: VectorTable, index: number): unknown {
  if (typeof index === 'number') {
    const position = index >>> 0;
    if (position === index && position < table.count) return table.loadWide(position);
  }
  return atSlow(table, index);
}

function makeView<T extends NumericType>(table: VectorTable, count: number): Column<T> {
  const { items } = table;
  table.region.exposed = true;
  return new COLUMN_ARRAYS[table.code]!(items.buffer, items.byteOffset, count) as Column<T>;
}

function iterate(table: VectorTable, kind: IterationKind): unknown {
  table.beforeRead();
  const read = (index: number): unknown =>
    index < table.count ? table.loadAny(index) : table.loadSlow(index);
  return new VectorIterator(read, kind);
}
