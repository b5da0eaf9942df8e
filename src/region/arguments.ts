/**
 * Arguments of bulk calls. Native code takes typed arrays of exactly the column's type; any other
 * iterable is checked element by element and copied into one first, so that a wrong element is
 * found before anything changes.
 */
import { isBigInt64Array, isBigUint64Array, isTypedArray } from 'node:util/types';
import { allocating, rangeError, typeError } from '../errors.js';
import { COLUMN_ARRAYS, isNumeric, TYPE } from './element.js';
import type { AnyTypedArray, TypedArrayConstructor } from './typed-array.js';
import { describe } from './options.js';
import {
  isForgedTypedArray,
  intrinsicBuffer,
  intrinsicLength,
  intrinsicName,
  intrinsicOffset,
  refuseDetached,
} from './typed-array.js';

type Check = (value: unknown) => void;
type Copy = new (of: AnyTypedArray) => AnyTypedArray;

function newArray(Column: TypedArrayConstructor, length: number): AnyTypedArray {
  const bytes = length * Column.BYTES_PER_ELEMENT;
  return allocating(
    'an array',
    bytes,
    () => new (Column as unknown as new (n: number) => AnyTypedArray)(length),
  );
}

/**
 * Keys or values as a typed array of the column's type, or, for blobs, as an array. `avoid` is the
 * structure's own buffer: an array over it is copied, because the call may move the bytes. More
 * than `most` elements are refused.
 */
export function column(
  items: unknown,
  code: number,
  what: string,
  check: Check,
  avoid: ArrayBufferLike | undefined,
  most = Infinity,
): AnyTypedArray | unknown[] {
  const Column = COLUMN_ARRAYS[code];
  const packed = hasColumn(code);
  if (packed && isArrayOf(items, Column!)) {
    const plain = plainView(items, Column!, what);
    if (code === TYPE.bool) checkBooleans(plain as Uint8Array, what);
    if ((plain.buffer as unknown) !== avoid) return plain;
    // Not slice(), which lets a subclass choose the class of the copy.
    return allocating('a copy', plain.byteLength, () => new (Column as unknown as Copy)(plain));
  }
  const list = toArray(items, what, check, most);
  if (!packed) return list;
  const array = newArray(Column!, list.length);
  for (let i = 0; i < list.length; i++) (array as unknown as unknown[])[i] = list[i];
  return array;
}

/** Whether `items` is a typed array of this type, of any realm. */
function isArrayOf(items: unknown, Column: TypedArrayConstructor): items is AnyTypedArray {
  return ArrayBuffer.isView(items) && intrinsicName(items) === Column.name;
}

/** A typed array whose `length` is the real one. Refuses one that is detached. */
function plainView<A extends AnyTypedArray>(items: A, Column: TypedArrayConstructor, what: string): A {
  refuseDetached(items, what);
  if (Object.getPrototypeOf(items) === Column.prototype && !Object.hasOwn(items, 'length')) return items;
  return new Column(intrinsicBuffer(items), intrinsicOffset(items), intrinsicLength(items)) as A;
}

/**
 * Whether bulk calls pass values of this type as a typed array: numbers, and booleans as bytes 0
 * and 1.
 */
export function hasColumn(code: number): boolean {
  return isNumeric(code) || code === TYPE.bool;
}

function checkBooleans(bytes: Uint8Array, what: string): void {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] > 1) throw rangeError(`${what} of type bool in a Uint8Array are 0 or 1, not ${bytes[i]}`);
  }
}

/** Handles as a Float64Array; other values than numbers are refused. */
export function handleList(handles: unknown): Float64Array {
  if (isArrayOf(handles, Float64Array)) return plainView(handles as Float64Array, Float64Array, 'handles');
  const list = toArray(handles, 'handles', (handle) => {
    if (typeof handle !== 'number') throw typeError(`a handle is a number, not ${describe(handle)}`);
  });
  return Float64Array.from(list as number[]);
}

/**
 * Copies anything iterable or array-like into an array. Runs user code, so it is the first step of
 * an operation. Each element is checked as soon as it is read, and more than `most` are refused: an
 * object that claims billions of elements fails at the first invalid one.
 */
export function toArray(
  items: unknown,
  what: string,
  check: Check = () => undefined,
  most = Infinity,
): unknown[] {
  if (typeof items !== 'object' || items === null || isForgedTypedArray(items)) throw notItems(items, what);
  const list: unknown[] = [];
  const take = (item: unknown): void => {
    if (list.length >= most) throw rangeError(`${what} are more than ${most}`);
    check(item);
    list.push(item);
  };
  if (isTypedArray(items)) refuseDetached(items as AnyTypedArray, what);
  if (typeof (items as { [Symbol.iterator]?: unknown })[Symbol.iterator] === 'function') {
    for (const item of items as Iterable<unknown>) take(item);
    return list;
  }
  const { length } = items as { length?: unknown };
  if (typeof length !== 'number' || !Number.isInteger(length) || length < 0 || length > 2 ** 32 - 1) {
    throw notItems(items, what);
  }
  for (let i = 0; i < length; i++) take((items as ArrayLike<unknown>)[i]);
  return list;
}

function notItems(items: unknown, what: string): Error {
  return typeError(`${what} must be a typed array or iterable, not ${describe(items)}`);
}

/** The target of results: the caller's typed array or array, or a new one. */
export function output(
  out: unknown,
  count: number,
  code: number,
): { native: AnyTypedArray | undefined; list: unknown[] | undefined; result: unknown } {
  const Column = COLUMN_ARRAYS[code];
  if (out === undefined) {
    if (!hasColumn(code)) {
      const list = new Array<unknown>(count).fill(undefined);
      return { native: undefined, list, result: list };
    }
    const array = newArray(Column!, count);
    return { native: array, list: undefined, result: array };
  }
  if (
    typeof out !== 'object' ||
    out === null ||
    isForgedTypedArray(out) ||
    typeof (out as { length?: unknown }).length !== 'number'
  ) {
    throw typeError(`out must be an array, not ${describe(out)}`);
  }
  if ((out as ArrayLike<unknown>).length < count) {
    throw rangeError(
      `out holds ${(out as ArrayLike<unknown>).length} elements where there are ${count} keys`,
    );
  }
  if (ArrayBuffer.isView(out)) {
    if (hasColumn(code) && isArrayOf(out, Column!)) {
      const plain = plainView(out, Column!, 'out');
      if (plain.length < count)
        throw rangeError(`out holds ${plain.length} elements where there are ${count} keys`);
      return { native: plain, list: undefined, result: out };
    }
    checkConvertible(out, code);
  }
  return { native: undefined, list: out as unknown[], result: out };
}

/** A typed array of another type takes numbers from numbers, and bigints from bigints. */
function checkConvertible(out: ArrayBufferView, code: number): void {
  const wideOut = isBigInt64Array(out) || isBigUint64Array(out);
  const wide = code === TYPE.u64 || code === TYPE.i64;
  if (!isTypedArray(out) || !isNumeric(code) || wide !== wideOut) {
    throw typeError('out is a typed array that cannot hold these values');
  }
  refuseDetached(out as AnyTypedArray, 'out');
}
