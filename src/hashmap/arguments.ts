/**
 * Arguments of bulk calls. Native code takes typed arrays of exactly the column's type; anything else iterable is
 * checked element by element and copied into one first, so that a wrong element is found before anything changes.
 */
import { rangeError, typeError } from '../errors.js';
import { describe } from '../region/options.js';
import { COLUMN_ARRAYS, isNumeric, TYPE, type AnyTypedArray } from './schema.js';

type Check = (value: unknown) => void;

/**
 * Keys or values as a typed array of the column's type, or, for blobs, as an array. `avoid` is the map's own buffer:
 * an array that lies in it is copied, because the call may move what it shows.
 */
export function column(
  items: unknown,
  code: number,
  what: string,
  check: Check,
  avoid: ArrayBufferLike | undefined,
): AnyTypedArray | unknown[] {
  const Column = COLUMN_ARRAYS[code];
  const packed = isNumeric(code);
  if (packed && items instanceof Column!) {
    return (items.buffer as unknown) === avoid ? (items.slice() as AnyTypedArray) : items;
  }
  const list = toArray(items, what);
  for (const item of list) check(item);
  if (!packed) return list;
  const array = new (Column as unknown as new (length: number) => AnyTypedArray)(list.length);
  for (let i = 0; i < list.length; i++) (array as unknown as unknown[])[i] = list[i];
  return array;
}

/** Anything iterable or array-like as an array of its own. Runs user code, so it comes before all else. */
export function toArray(items: unknown, what: string): unknown[] {
  if (typeof items !== 'object' || items === null) {
    throw typeError(`${what} must be a typed array or iterable, not ${describe(items)}`);
  }
  if (typeof (items as { [Symbol.iterator]?: unknown })[Symbol.iterator] === 'function') {
    return Array.from(items as Iterable<unknown>);
  }
  const { length } = items as { length?: unknown };
  if (typeof length !== 'number' || !Number.isInteger(length) || length < 0 || length > 2 ** 32 - 1) {
    throw typeError(`${what} must be a typed array or iterable, not ${describe(items)}`);
  }
  return Array.from(items as ArrayLike<unknown>);
}

/** Where results go: the caller's typed array or array, or a new one. */
export function output(
  out: unknown,
  count: number,
  code: number,
): { native: AnyTypedArray | undefined; list: unknown[] | undefined; result: unknown } {
  const Column = COLUMN_ARRAYS[code];
  if (out === undefined) {
    if (!isNumeric(code)) {
      const list = new Array<unknown>(count).fill(undefined);
      return { native: undefined, list, result: list };
    }
    const array = new (Column as unknown as new (length: number) => AnyTypedArray)(count);
    return { native: array, list: undefined, result: array };
  }
  if (typeof out !== 'object' || out === null || typeof (out as { length?: unknown }).length !== 'number') {
    throw typeError(`out must be an array, not ${describe(out)}`);
  }
  if ((out as ArrayLike<unknown>).length < count) {
    throw rangeError(
      `out holds ${(out as ArrayLike<unknown>).length} elements where there are ${count} keys`,
    );
  }
  if (isNumeric(code) && out instanceof Column!) return { native: out, list: undefined, result: out };
  if (ArrayBuffer.isView(out)) checkConvertible(out, code);
  return { native: undefined, list: out as unknown[], result: out };
}

/** A typed array of another type takes numbers if the map has numbers, and bigints if it has those. */
function checkConvertible(out: ArrayBufferView, code: number): void {
  const wideOut = out instanceof BigInt64Array || out instanceof BigUint64Array;
  const wide = code === TYPE.u64 || code === TYPE.i64;
  if (out instanceof DataView || !isNumeric(code) || wide !== wideOut) {
    throw typeError('out is a typed array that can not hold the values of this map');
  }
}
