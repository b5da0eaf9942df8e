/**
 * Arrays of numbers as arguments of bulk calls. Native code takes typed arrays of any element type
 * and checks their elements; any other iterable is converted to one here.
 */
import { isBigInt64Array, isBigUint64Array } from 'node:util/types';
import { rangeError, typeError } from '../errors.js';
import { toArray } from './arguments.js';
import type { AnyTypedArray } from './typed-array.js';
import { describe } from './options.js';
import { intrinsicLength, intrinsicName, refuseDetached } from './typed-array.js';

/** A typed array whose elements are numbers. */
export type NumberArray =
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Float32Array
  | Float64Array;
/** A typed array whose elements are bigints. */
export type BigIntArray = BigUint64Array | BigInt64Array;

/** By name, because the classes of another realm are other classes. */
const KNOWN = new Set<string | undefined>([
  'Uint8Array',
  'Uint8ClampedArray',
  'Uint16Array',
  'Uint32Array',
  'Int8Array',
  'Int16Array',
  'Int32Array',
  'Float32Array',
  'Float64Array',
  'BigUint64Array',
  'BigInt64Array',
]);

/** Whether native code reads it as it is. */
export function isNumbers(items: unknown): items is AnyTypedArray {
  return ArrayBuffer.isView(items) && KNOWN.has(intrinsicName(items));
}

/** Whether a typed array has bigints for elements. */
export function isBigInts(items: unknown): items is BigIntArray {
  return isBigUint64Array(items) || isBigInt64Array(items);
}

/** How many elements a typed array has, whatever a subclass says. */
export function lengthOf(items: AnyTypedArray): number {
  return intrinsicLength(items);
}

/**
 * Anything iterable as a typed array: numbers as doubles, bigints, which must be from 0 to 2^64 −
 * 1, as 64-bit integers. What the numbers are is for native code to check.
 */
export function toNumbers(items: unknown, what: string): AnyTypedArray {
  if (isNumbers(items)) {
    refuseDetached(items, what);
    return items;
  }
  const list = toArray(items, what);
  if (typeof list[0] === 'bigint') {
    for (let i = 0; i < list.length; i++) {
      const value = list[i];
      if (typeof value !== 'bigint') {
        throw typeError(`${what}[${i}] is ${describe(value)} where the first one is a bigint`);
      }
      if (BigInt.asUintN(64, value) !== value) {
        throw rangeError(`${what}[${i}] is ${describe(value)}, not an integer from 0 to 2^64 - 1`);
      }
    }
    return BigUint64Array.from(list as bigint[]);
  }
  const numbers = new Float64Array(list.length);
  for (let i = 0; i < list.length; i++) {
    const value = list[i];
    if (typeof value !== 'number') throw typeError(`${what}[${i}] must be a number, not ${describe(value)}`);
    numbers[i] = value;
  }
  return numbers;
}
