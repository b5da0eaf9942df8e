/**
 * Arguments of bulk calls. Native code takes typed arrays of exactly the column's type; anything else iterable is
 * checked element by element and copied into one first, so that a wrong element is found before anything changes.
 */
import { rangeError, typeError } from '../errors.js';
import { COLUMN_ARRAYS, isNumeric, TYPE, type AnyTypedArray, type TypedArrayConstructor } from './element.js';
import { describe } from './options.js';

type Check = (value: unknown) => void;

/**
 * Keys or values as a typed array of the column's type, or, for blobs, as an array. `avoid` is the structure's own buffer:
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
  const packed = hasColumn(code);
  if (packed && ArrayBuffer.isView(items) && items instanceof Column!) {
    const plain = plainView(items, Column!);
    if (code === TYPE.bool) checkBooleans(plain as Uint8Array, what);
    if ((plain.buffer as unknown) !== avoid) return plain;
    // Not slice(), which asks the array what class the copy is to have.
    return new (Column as unknown as new (of: AnyTypedArray) => AnyTypedArray)(plain);
  }
  const list = toArray(items, what);
  for (const item of list) check(item);
  if (!packed) return list;
  const array = new (Column as unknown as new (length: number) => AnyTypedArray)(list.length);
  for (let i = 0; i < list.length; i++) (array as unknown as unknown[])[i] = list[i];
  return array;
}

const prototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
function getter<T>(name: string): (this: unknown) => T {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- bound by each call
  return Object.getOwnPropertyDescriptor(prototype, name)!.get as (this: unknown) => T;
}
const bufferOf = getter<ArrayBufferLike>('buffer');
const offsetOf = getter<number>('byteOffset');
const lengthOf = getter<number>('length');
const NOTHING = new ArrayBuffer(0);

/** How many elements there are: a subclass can say anything, and run code while it is asked. */
export function trueLength(items: AnyTypedArray): number {
  return lengthOf.call(items);
}

/** A typed array whose `length` is the real one. */
function plainView<A extends AnyTypedArray>(items: A, Column: TypedArrayConstructor): A {
  if (Object.getPrototypeOf(items) === Column.prototype && !Object.hasOwn(items, 'length')) return items;
  const length = lengthOf.call(items);
  // A detached one has no buffer to view.
  return (
    length === 0 ? new Column(NOTHING, 0, 0) : new Column(bufferOf.call(items), offsetOf.call(items), length)
  ) as A;
}

/** Whether bulk calls pass values of this type as a typed array: numbers, and booleans as bytes 0 and 1. */
export function hasColumn(code: number): boolean {
  return isNumeric(code) || code === TYPE.bool;
}

function checkBooleans(bytes: Uint8Array, what: string): void {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] > 1) throw rangeError(`${what} of type bool in a Uint8Array are 0 or 1, not ${bytes[i]}`);
  }
}

/** Handles as a Float64Array; anything else than numbers is refused. */
export function handleList(handles: unknown): Float64Array {
  if (ArrayBuffer.isView(handles) && handles instanceof Float64Array) return plainView(handles, Float64Array);
  const list = toArray(handles, 'handles');
  for (const handle of list) {
    if (typeof handle !== 'number') throw typeError(`a handle is a number, not ${describe(handle)}`);
  }
  return Float64Array.from(list as number[]);
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
    if (!hasColumn(code)) {
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
  if (ArrayBuffer.isView(out)) {
    if (hasColumn(code) && out instanceof Column!) {
      const plain = plainView(out, Column!);
      if (plain.length < count)
        throw rangeError(`out holds ${plain.length} elements where there are ${count} keys`);
      return { native: plain, list: undefined, result: out };
    }
    checkConvertible(out, code);
  }
  return { native: undefined, list: out as unknown[], result: out };
}

/** A typed array of another type takes numbers if the structure has numbers, and bigints if it has those. */
function checkConvertible(out: ArrayBufferView, code: number): void {
  const wideOut = out instanceof BigInt64Array || out instanceof BigUint64Array;
  const wide = code === TYPE.u64 || code === TYPE.i64;
  if (out instanceof DataView || !isNumeric(code) || wide !== wideOut) {
    throw typeError('out is a typed array that can not hold these values');
  }
}
