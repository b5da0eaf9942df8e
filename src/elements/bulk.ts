/**
 * Operations on many elements of a vector: one native call each, at the speed of memory.
 *
 * Readers of another thread's vector repeat a call that a rearrangement disturbed; see {@link
 * RegionTable.read}.
 */
import { isFloat64Array } from 'node:util/types';
import { allocating, rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { column } from '../region/arguments.js';
import { Background } from '../region/background.js';
import { badElement, COLUMN_ARRAYS, isElement, TYPE } from '../region/element.js';
import { TWO_32 } from '../region/format.js';
import { describe } from '../region/options.js';
import type { WorkOptions } from '../region/progress.js';
import { OWNER, READER } from '../region/table.js';
import { intrinsicLength, refuseDetached, type AnyTypedArray } from '../region/typed-array.js';
import type { VectorTable } from './table.js';

/** Up to this many elements are filled without a native call. */
const FILL_LIMIT = 256;
/** Up to this many indices fit `Uint32Array`; more need doubles. */
const MAX_NARROW = TWO_32;
/** How often `argsort` follows an owner that removes elements before it gives up. */
const ARGSORT_ATTEMPTS = 100;

/**
 * One array of one element for each type, in which single elements travel to and from native code.
 */
const ONE = COLUMN_ARRAYS.map((Column) =>
  Column === undefined ? undefined : new Column(new ArrayBuffer(8), 0, 1),
);

/** An array of one element, which the next call for the type reuses. */
function single(table: VectorTable, value: unknown): AnyTypedArray {
  const one = ONE[table.code]!;
  (one as unknown as unknown[])[0] = value;
  return one;
}

/**
 * Values as a typed array of the vector's type, all of them checked, in memory that growth does not
 * move.
 */
function toColumn(table: VectorTable, values: unknown): AnyTypedArray {
  const check = (value: unknown): void => {
    if (!isElement(value, table.code)) throw badElement('an element of values', table.code, value);
  };
  return column(values, table.code, 'values', check, table.region.buffer) as AnyTypedArray;
}

export function appendMany(table: VectorTable, values: unknown): number {
  table.beforeWrite();
  const list = toColumn(table, values);
  // Reading an iterable runs user code, which may have closed or changed the vector.
  table.beforeWrite();
  // A detached array has no elements, and reading them would throw.
  if (list.length === 0) return table.count;
  const count = table.count + list.length;
  table.grow(count);
  (table.items as Float64Array).set(list as Float64Array, table.count);
  table.setCount(count);
  return count;
}

export function fillRange(table: VectorTable, value: unknown, start: unknown, end: unknown): void {
  table.beforeWrite();
  table.checkElement(value);
  const from = relativeIndex(start, table.count, 0);
  const to = relativeIndex(end, table.count, table.count);
  // Conversions of the bounds may run user code.
  table.beforeWrite();
  const { items, count } = table;
  const first = Math.min(from, count);
  const last = Math.min(to, count);
  if (first < last) table.checkMutable(first);
  // V8 fills shared memory with a loop, which starts sooner than a native call but is slower.
  if (last - first < FILL_LIMIT) (items as Float64Array).fill(value as number, first, last);
  else native().vectorFill(table.region.bytes, single(table, value), first, last);
}

export function sum(table: VectorTable): number | bigint {
  return table.read(() => native().vectorSum(table.region.bytes, table.wide));
}

/** The greatest or the least element; `undefined` if there are none. */
export function extreme(table: VectorTable, greatest: boolean): unknown {
  return table.read(() => {
    const one = ONE[table.code]!;
    return native().vectorExtreme(table.region.bytes, greatest, one) ? one[0] : undefined;
  });
}

/** As `Array.prototype.indexOf`: a value that the type cannot represent is not found. */
export function find(table: VectorTable, value: unknown, from: unknown, nan: boolean): number {
  const start = relativeIndex(from, table.validCount(), 0);
  if (!isElement(value, table.code) || isRounded(table, value as number)) {
    table.beforeRead();
    return -1;
  }
  return table.read(() => native().vectorIndexOf(table.region.bytes, single(table, value), start, nan));
}

/** Whether the vector would store another number for this one. */
function isRounded(table: VectorTable, value: number): boolean {
  return table.code === TYPE.f32 && Math.fround(value) !== value && value === value;
}

/** Binary search in the order of sorting, in which all NaNs are equal, and −0 equals 0. */
export function searchOne(table: VectorTable, value: unknown): number {
  if (typeof value !== (table.wide ? 'bigint' : 'number')) {
    table.beforeRead();
    throw typeError(
      `this vector is searched for a ${table.wide ? 'bigint' : 'number'}, not for ${describe(value)}`,
    );
  }
  if (table.role === OWNER) return bisect(table.items, value as number, table.count);
  return table.read(() => bisect(table.items, value as number, table.currentCount()));
}

function bisect(array: AnyTypedArray, value: number, count: number): number {
  const items = array as Float64Array;
  let low = 0;
  let high = count;
  // NaN is after all numbers, and is not less than anything.
  const nan = value !== value;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const x = items[middle];
    if (nan ? x === x : x < value) low = middle + 1;
    else high = middle;
  }
  if (low < count) {
    const x = items[low];
    if (nan ? x !== x : x === value) return low;
  }
  return -low - 1;
}

export function searchMany(table: VectorTable, values: unknown, out: unknown): Float64Array {
  table.beforeRead();
  const list = toColumn(table, values);
  const answers =
    out === undefined
      ? allocating('indices', list.length * 8, () => new Float64Array(list.length))
      : checkOutput(out, list.length);
  table.read(() => native().vectorSearch(table.region.bytes, list, answers));
  return answers;
}

// ---- sorting

export function sort(table: VectorTable): void {
  table.beforeWrite();
  if (table.count > 0) table.checkMutable(0);
  native().vectorSort(table.region.bytes);
}

export async function sortInBackground(table: VectorTable, options: WorkOptions | undefined): Promise<void> {
  const job = Background.from(options, 'sortAsync');
  table.beforeWrite();
  if (table.count > 0) table.checkMutable(0);
  await table.inBackground(job, (bytes, control) => native().vectorSortAsync(bytes, control));
}

export function argsort(table: VectorTable): Uint32Array | Float64Array {
  // An owner on another thread may remove elements between the count and the call.
  for (let left = ARGSORT_ATTEMPTS; ; left--) {
    const out = newIndices(table.validCount());
    try {
      table.read(() => native().vectorArgsort(table.region.bytes, out));
      return out;
    } catch (error) {
      if (table.validCount() >= out.length || left === 0) throw error;
    }
  }
}

export async function argsortInBackground(
  table: VectorTable,
  options: WorkOptions | undefined,
): Promise<Uint32Array | Float64Array> {
  const job = Background.from(options, 'argsortAsync');
  for (;;) {
    const out = newIndices(table.validCount());
    const { bytes } = table.region;
    try {
      await table.inBackground(job, (_, control) => native().vectorArgsortAsync(bytes, out, control));
      // A file that was lost in the meantime reads as zeros.
      table.beforeRead();
      return out;
    } catch (error) {
      // The owner, on another thread, may have made the region longer than this thread knew.
      if (table.role !== READER) throw error;
      table.beforeRead();
      if (table.region.bytes === bytes) throw error;
    }
  }
}

/** The array for the results of a bulk search. */
function checkOutput(out: unknown, count: number): Float64Array {
  if (!isFloat64Array(out)) throw typeError(`out must be a Float64Array, not ${describe(out)}`);
  refuseDetached(out, 'out');
  const length = intrinsicLength(out);
  if (length < count) throw rangeError(`out holds ${length} elements where there are ${count} values`);
  return out;
}

function newIndices(count: number): Uint32Array | Float64Array {
  return allocating('indices', count * (count <= MAX_NARROW ? 4 : 8), () =>
    count <= MAX_NARROW ? new Uint32Array(count) : new Float64Array(count),
  );
}

/** An index in `0..=count`, where a negative one counts from the end, as in `Array`. */
function relativeIndex(value: unknown, count: number, absent: number): number {
  if (value === undefined) return absent;
  if (typeof value !== 'number') throw typeError(`an index must be a number, not ${describe(value)}`);
  const index = Number.isNaN(value) ? 0 : Math.trunc(value);
  return index < 0 ? Math.max(0, count + index) : Math.min(index, count);
}
