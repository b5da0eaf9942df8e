/**
 * The face of a vector, whoever owns its memory: a heap or shared region ({@link Vector}), or a
 * file that grows (`MmapVector`, in `src/mmap/`).
 */
import { inspect, type InspectOptionsStylized } from 'node:util';
import { typeError } from '../errors.js';
import type { WorkOptions } from '../region/progress.js';
import {
  COLUMN_ARRAYS,
  TYPE,
  TYPE_NAMES,
  type Column,
  type JsType,
  type NumericType,
} from '../region/element.js';
import { checkInteger, describe } from '../region/options.js';
import { OWNER } from '../region/table.js';
import { Bulk } from './bulk.js';
import { ENTRIES, KEYS, VALUES, VectorIterator } from './iteration.js';
import { MAX_CAPACITY } from './layout.js';

/** Elements for a bulk call: a typed array of the vector's type is fastest. */
export type Values<T extends NumericType> = Column<T> | Iterable<JsType<T>> | ArrayLike<JsType<T>>;

/** The sum of a vector's elements: a bigint where they are. */
export type SumOf<T extends NumericType> = JsType<T>;

const U32 = TYPE.u32;
const F64 = TYPE.f64;

/** What all vectors can do: see {@link Vector}. */
export abstract class Elements<T extends NumericType> extends Bulk implements Iterable<JsType<T>> {
  private shown: Column<T> | undefined;

  /** The type of the elements. */
  get type(): T {
    this.beforeRead();
    return TYPE_NAMES[this.code] as T;
  }

  /** How many elements there are. */
  get length(): number {
    return this.role === OWNER ? this.count : this.read(() => this.countNow());
  }

  // ---- one element

  /** Appends elements. Returns the new length. All are checked before any is stored. */
  push(...values: JsType<T>[]): number;
  push(value?: unknown): number {
    // `arguments`, because a rest parameter is an array that is made at each call.
    /* eslint-disable prefer-rest-params */
    if (arguments.length === 1) {
      const { count } = this;
      if (count < this.room && typeof value === 'number') {
        // The commonest by themselves, in plain stores. The header hears of them later: see
        // `settle`.
        if (this.code === F64) {
          (this.items as Float64Array)[count] = value;
          return (this.count = count + 1);
        }
        if (this.code === U32 && value >>> 0 === value) {
          (this.items as Uint32Array)[count] = value;
          return (this.count = count + 1);
        }
      }
      return this.append(value);
    }
    this.beforeWrite();
    for (let i = 0; i < arguments.length; i++) this.checkElement(arguments[i]);
    const { count } = this;
    this.grow(count + arguments.length);
    for (let i = 0; i < arguments.length; i++) this.store(count + i, arguments[i]);
    this.setCount(count + arguments.length);
    return this.count;
    /* eslint-enable prefer-rest-params */
  }

  private append(value: unknown): number {
    this.beforeWrite();
    this.checkElement(value);
    const { count } = this;
    this.grow(count + 1);
    this.store(count, value);
    this.setCount(count + 1);
    return count + 1;
  }

  /** Removes and returns the last element; `undefined` if there is none. */
  pop(): JsType<T> | undefined {
    this.beforeWrite();
    const last = this.count - 1;
    if (last < 0) return undefined;
    const value = this.load(last) as JsType<T>;
    this.setCount(last);
    return value;
  }

  /**
   * The element at an index, which counts from the end if it is negative; `undefined` where there
   * is none. As `Array.at`.
   */
  at(index: number): JsType<T> | undefined {
    if (typeof index === 'number') {
      const { count } = this;
      const from = index < 0 ? index + count : index;
      const position = from >>> 0;
      if (position === from && position < count) return this.load(position) as JsType<T>;
    }
    return this.atElsewhere(index) as JsType<T> | undefined;
  }

  protected atElsewhere(index: unknown): unknown {
    if (typeof index !== 'number') throw typeError(`an index must be a number, not ${describe(index)}`);
    return this.loadElsewhere(Number.isNaN(index) ? 0 : Math.trunc(index));
  }

  /**
   * Replaces the element at an index from 0 to length − 1; throws `ERR_OFFHEAP_RANGE` for any
   * other. Returns the vector.
   */
  set(index: number, value: JsType<T>): this {
    if (this.code === F64 && typeof value === 'number' && typeof index === 'number') {
      const position = index >>> 0;
      if (position === index && position < this.count && position >= this.sealed) {
        (this.items as Float64Array)[position] = value;
        return this;
      }
    }
    this.beforeWrite();
    const at = this.checkIndex(index);
    this.checkElement(value);
    this.checkOpen(at);
    this.store(at, value);
    return this;
  }

  /**
   * Removes and returns the element at an index, whose place the last one takes: O(1). Throws
   * `ERR_OFFHEAP_RANGE` as `set`.
   */
  swapRemove(index: number): JsType<T> {
    this.beforeWrite();
    const at = this.checkIndex(index);
    const last = this.count - 1;
    const value = this.load(at) as JsType<T>;
    if (at !== last) {
      this.checkOpen(at);
      this.store(at, this.load(last));
    }
    this.setCount(last);
    return value;
  }

  // ---- many elements

  /**
   * Appends the elements of a typed array, or of anything iterable. Returns the new length. All are
   * checked first.
   */
  pushMany(values: Values<T>): number {
    return this.appendMany(values);
  }

  /**
   * The elements as a typed array over the vector's own memory, which starts at an address that is
   * a multiple of 64; nothing is copied. It shows the elements that there were when it was taken:
   * take it anew after a change of the length. What is written to it is in the vector.
   */
  get view(): Column<T> {
    const { shown } = this;
    if (this.role === OWNER) {
      const { items, count } = this;
      if (shown?.length === count && shown.buffer === items.buffer) return shown;
      return (this.shown = this.makeView(count));
    }
    return this.read(() => this.makeView(this.countNow()));
  }

  private makeView(count: number): Column<T> {
    const { items } = this;
    this.region.exposed = true;
    return new COLUMN_ARRAYS[this.code]!(items.buffer, items.byteOffset, count) as Column<T>;
  }

  /**
   * Sets the elements from `start` to `end`, or all, to a value. Negative bounds count from the
   * end. Returns the vector.
   */
  fill(value: JsType<T>, start?: number, end?: number): this {
    this.fillRange(value, start, end);
    return this;
  }

  /**
   * The index of the first element equal to a value (`===`, so NaN is never found), from `from` on;
   * −1 if there is none.
   */
  indexOf(value: JsType<T>, from?: number): number {
    return this.find(value, from, false);
  }

  /** Whether a value is there. NaN is found, and −0 is 0, as `Array.includes` has it. */
  includes(value: JsType<T>, from?: number): boolean {
    return this.find(value, from, true) >= 0;
  }

  /**
   * The sum. Of integers it is exact: a bigint of any size for `u64` and `i64`; else a number, the
   * exact sum rounded once, so exact below 2^53. Floats are added in 16 lanes with compensation
   * (TwoSum): the error is at most 2^−53 of the sum plus about (2^−53 n)² of the sum of magnitudes,
   * and the result the same on every machine. 0 if there are no elements.
   */
  sum(): SumOf<T> {
    return this.summed() as SumOf<T>;
  }

  /**
   * The least element: NaN if there is one, and −0 is less than 0, as in `Math.min`. `undefined` if
   * there are no elements.
   */
  min(): JsType<T> | undefined {
    return this.extreme(false) as JsType<T> | undefined;
  }

  /**
   * The greatest element: NaN if there is one, as in `Math.max`. `undefined` if there are no
   * elements.
   */
  max(): JsType<T> | undefined {
    return this.extreme(true) as JsType<T> | undefined;
  }

  // ---- order

  /**
   * Sorts, as `TypedArray.prototype.sort` without a comparator: ascending, −0 before 0, NaN last
   * (NaNs may lose their sign). O(n): a radix sort, in as much memory again for the time, or in
   * place, about as fast, where that is refused. Returns the vector.
   */
  sort(): this {
    this.sortNow();
    return this;
  }

  /**
   * The same off the main thread. Until it is done the vector is as it was, and can be read;
   * changes throw `ERR_OFFHEAP_LOCKED`. Typed arrays from {@link Vector.view} show the elements go
   * to their places at the end. After {@link Vector.close} it rejects with `ERR_OFFHEAP_CLOSED`. It
   * takes twice the vector's memory for the time, and rejects with `ERR_OFFHEAP_OOM` if even a copy
   * is refused.
   */
  async sortAsync(options?: WorkOptions): Promise<this> {
    await this.sortLater(options);
    return this;
  }

  /**
   * The indices of the elements in the order that {@link Vector.sort} would give them; equal
   * elements keep theirs. A `Uint32Array`; beyond 2^32 elements a `Float64Array`. Takes 16 to 32
   * bytes an element for the time.
   */
  argsort(): Uint32Array | Float64Array {
    return this.order();
  }

  /** The same off the main thread; changes throw `ERR_OFFHEAP_LOCKED` until it is done. */
  async argsortAsync(options?: WorkOptions): Promise<Uint32Array | Float64Array> {
    return this.orderLater(options);
  }

  /**
   * Where a value is in a vector that is sorted, as {@link Vector.sort} sorts: the index of the
   * first element equal to it; or, if there is none, −(i + 1), where i is the index to insert it
   * at. So it is there exactly if the result is not negative. NaN is found, and −0 is 0. (Java's
   * `Arrays.binarySearch` and C#'s `Array.BinarySearch` answer so.)
   */
  binarySearch(value: JsType<T>): number {
    return this.searchFor(value);
  }

  /**
   * The same for many values at once, several times faster: their waits for memory overlap. They
   * must be what the vector can hold, for they travel as a typed array of its type. Returns `out`.
   */
  binarySearchMany(values: Values<T>, out?: Float64Array): Float64Array {
    return this.searchForMany(values, out);
  }

  // ---- iteration

  /** Calls `callback(value, index, vector)` for each element that there is at the call. */
  forEach(callback: (value: JsType<T>, index: number, vector: this) => void, thisArg?: unknown): void {
    if (typeof callback !== 'function') throw typeError(`${describe(callback)} is not a function`);
    const { length } = this;
    for (let i = 0; i < length; i++) {
      const value = this.at(i);
      if (value === undefined) return;
      callback.call(thisArg, value, i, this);
    }
  }

  /** The elements in order, those included that are added meanwhile. */
  values(): ArrayIterator<JsType<T>> {
    return this.iterate(VALUES) as ArrayIterator<JsType<T>>;
  }

  /** The indices in order. */
  keys(): ArrayIterator<number> {
    return this.iterate(KEYS) as ArrayIterator<number>;
  }

  /** Each a fresh `[index, element]`. */
  entries(): ArrayIterator<[number, JsType<T>]> {
    return this.iterate(ENTRIES) as ArrayIterator<[number, JsType<T>]>;
  }

  [Symbol.iterator](): ArrayIterator<JsType<T>> {
    return this.values();
  }

  private iterate(what: typeof KEYS | typeof VALUES | typeof ENTRIES): unknown {
    this.beforeRead();
    // Not `at`: that would have to expect `undefined` from then on, wherever it is compiled to.
    const read = (index: number): unknown =>
      index < this.count ? this.load(index) : this.loadElsewhere(index);
    return new VectorIterator(read, what);
  }

  // On the prototype, where `Array` has its iterator's: see the static block.
  declare readonly [Symbol.toStringTag]: string;

  // ---- memory

  /**
   * Makes room for `capacity` elements in all, so that growing to that many takes no time. Returns
   * the vector.
   */
  reserve(capacity: number): this {
    const wanted = checkInteger(capacity, 'capacity', 0, MAX_CAPACITY);
    this.beforeWrite();
    if (wanted > this.capacity) this.resize(wanted);
    return this;
  }

  /**
   * Keeps the first `length` elements; does nothing if there are no more. The memory stays. Returns
   * the vector.
   */
  truncate(length: number): this {
    const wanted = checkInteger(length, 'length', 0, MAX_CAPACITY);
    this.beforeWrite();
    if (wanted < this.count) this.setCount(wanted);
    return this;
  }

  /** Removes all elements. The memory stays: see {@link Vector.shrinkToFit}. */
  clear(): void {
    this.truncate(0);
  }

  override close(): void {
    super.close();
    this.shown = undefined;
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    const name = this[Symbol.toStringTag];
    const state = this.describeState();
    if (state !== 'open') return `${options.stylize(name, 'special')} { ${state} }`;
    const { type, length } = this;
    const title = `${name}<${type}>(${length})`;
    if (depth < 0) return options.stylize(`[${title}]`, 'special');
    const limit = Math.min(options.maxArrayLength ?? Infinity, 100);
    const shown: unknown[] = [];
    for (let i = 0; i < Math.min(length, limit); i++) shown.push(this.at(i));
    const list = inspect(shown, { ...options, depth: 0, maxArrayLength: null });
    const more = length - shown.length;
    if (more === 0) return `${title} ${list}`;
    const separator = shown.length === 0 ? ' ' : ', ';
    return `${title} ${list.replace(/\s*\]$/, '')}${separator}... ${more} more ]`;
  }
}
