/**
 * The types of elements: the tables of `element-types.ts`, and the checks of values against them.
 */
import { isUint8Array } from 'node:util/types';
import { rangeError, typeError } from '../errors.js';
import { EXPECTED, TYPE, TYPE_NAMES } from './element-types.js';
import { describe } from './options.js';
import { isDetached } from './typed-array.js';

export * from './element-types.js';

/** Whether elements of this type are references into the blob heap. */
export function isBlob(code: number): boolean {
  return code === TYPE.string || code === TYPE.bytes || code === TYPE.json;
}

/** Whether a column of this type contains numbers that a typed array can show. */
export function isNumeric(code: number): boolean {
  return code >= TYPE.u8 && code <= TYPE.i64;
}

/** Whether `value` is an element of type `code`. Floats accept every number. */
export function isElement(value: unknown, code: number): boolean {
  switch (code) {
    case TYPE.f64:
    case TYPE.f32:
      return typeof value === 'number';
    case TYPE.bool:
      return typeof value === 'boolean';
    case TYPE.string:
      return typeof value === 'string';
    case TYPE.bytes:
      return isUint8Array(value) && !isDetached(value);
    case TYPE.json:
    case TYPE.any:
      return true;
    default:
      return isInteger(value, code);
  }
}

/** Whether `value` is an integer or bigint in the range of the integer type `code`. */
export function isInteger(value: unknown, code: number): boolean {
  if (typeof value === 'number') {
    switch (code) {
      case TYPE.u32:
        return value >>> 0 === value;
      case TYPE.i32:
        return (value | 0) === value;
      case TYPE.u16:
        return (value & 0xffff) === value;
      case TYPE.i16:
        return (value << 16) >> 16 === value;
      case TYPE.u8:
        return (value & 0xff) === value;
      case TYPE.i8:
        return (value << 24) >> 24 === value;
      default:
        return false;
    }
  }
  if (typeof value !== 'bigint') return false;
  if (code === TYPE.u64) return BigInt.asUintN(64, value) === value;
  return code === TYPE.i64 && BigInt.asIntN(64, value) === value;
}

/**
 * The error for a `value` that is not an element of type `code`: a `RangeError` if only its size is
 * wrong. `what` names the element: `a key of this map`.
 */
export function badElement(what: string, code: number, value: unknown): Error {
  const wide = code === TYPE.u64 || code === TYPE.i64;
  const kindOk = isNumeric(code) && typeof value === (wide ? 'bigint' : 'number');
  const message = `${what} must be ${EXPECTED[TYPE_NAMES[code]!]}, not ${describe(value)}`;
  return kindOk ? rangeError(message) : typeError(message);
}
