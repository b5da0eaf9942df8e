/**
 * The types of elements that structures hold: their codes in headers (`docs/formats/region.md`),
 * their widths, what they are in JavaScript, and which values each holds.
 * `native/core/src/region/element.rs` has the same codes.
 */
import { isUint8Array } from 'node:util/types';
import { rangeError, typeError } from '../errors.js';
import { describe } from './options.js';
import { isDetached } from './views.js';

/** Types of plain numbers: `number`, and `bigint` for the last two. */
export type NumericType = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'f64' | 'u64' | 'i64';

/**
 * Types of elements: the numeric ones, `bool` (1 byte), `string` and `bytes`, `json` (anything
 * `JSON.stringify` takes, stored as text, a fresh copy at each read) and `any` (any value at all,
 * kept on the JavaScript heap).
 */
export type ElementType = NumericType | 'bool' | 'string' | 'bytes' | 'json' | 'any';

/** What a value that `JSON.stringify` takes may be. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- JSON.parse's own type, as
// everywhere else
export type Json = any;

interface JavaScriptTypes {
  u8: number;
  i8: number;
  u16: number;
  i16: number;
  u32: number;
  i32: number;
  f32: number;
  f64: number;
  u64: bigint;
  i64: bigint;
  bool: boolean;
  string: string;
  bytes: Uint8Array;
  json: Json;
  any: unknown;
}

/** The JavaScript type of an element of type `T`: `JsType<'f64'>` is `number`. */
export type JsType<T extends ElementType> = JavaScriptTypes[T];

interface ColumnTypes {
  u8: Uint8Array;
  i8: Int8Array;
  u16: Uint16Array;
  i16: Int16Array;
  u32: Uint32Array;
  i32: Int32Array;
  f32: Float32Array;
  f64: Float64Array;
  u64: BigUint64Array;
  i64: BigInt64Array;
  bool: Uint8Array;
}

/**
 * The typed array that holds a column of type `T`; `never` for those that are not plain numbers.
 */
export type Column<T extends ElementType> = T extends keyof ColumnTypes ? ColumnTypes[T] : never;

/** Codes of the types in a region's header. */
export const TYPE = {
  u8: 1,
  i8: 2,
  u16: 3,
  i16: 4,
  u32: 5,
  i32: 6,
  f32: 7,
  f64: 8,
  u64: 9,
  i64: 10,
  bool: 11,
  string: 12,
  bytes: 13,
  json: 14,
  any: 15,
} as const satisfies Record<ElementType, number>;

/** Names by code; index 0 is no type. */
export const TYPE_NAMES = [undefined, ...(Object.keys(TYPE) as ElementType[])] as const;
/** Bytes of a column's element by code. Blobs hold a 4-byte reference; `any` has no column. */
export const WIDTHS: readonly number[] = [0, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 1, 4, 4, 4, 0];

/** Whether elements of this type are references into the blob heap. */
export function isBlob(code: number): boolean {
  return code === TYPE.string || code === TYPE.bytes || code === TYPE.json;
}

/** Whether a column of this type is plain numbers that a typed array can show. */
export function isNumeric(code: number): boolean {
  return code >= TYPE.u8 && code <= TYPE.i64;
}

export interface TypedArrayConstructor<A extends ArrayBufferView = AnyTypedArray> {
  new (buffer: ArrayBufferLike, offset: number, length: number): A;
  readonly BYTES_PER_ELEMENT: number;
}
export type AnyTypedArray = ColumnTypes[keyof ColumnTypes];

/** The typed array of a column by code; blob references are unsigned words. */
export const COLUMN_ARRAYS: readonly (TypedArrayConstructor | undefined)[] = [
  undefined,
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigUint64Array,
  BigInt64Array,
  Uint8Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  undefined,
] as const;

/** Whether an element of type `code` can hold a value. Floats hold every number. */
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

/** Whether a value is an integer, or bigint, that the integer type `code` holds. */
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
 * What is wrong with `value` as an element of type `code`: a `RangeError` if only its size is.
 * `what` names the element: `a key of this map`.
 */
export function badElement(what: string, code: number, value: unknown): Error {
  const wide = code === TYPE.u64 || code === TYPE.i64;
  const kindOk = isNumeric(code) && typeof value === (wide ? 'bigint' : 'number');
  const message = `${what} must be ${EXPECTED[TYPE_NAMES[code]!]}, not ${describe(value)}`;
  return kindOk ? rangeError(message) : typeError(message);
}

const EXPECTED: Record<ElementType, string> = {
  u8: 'an integer from 0 to 255',
  i8: 'an integer from -128 to 127',
  u16: 'an integer from 0 to 65535',
  i16: 'an integer from -32768 to 32767',
  u32: 'an integer from 0 to 4294967295',
  i32: 'an integer from -2147483648 to 2147483647',
  f32: 'a number',
  f64: 'a number',
  u64: 'a bigint from 0 to 2^64 - 1',
  i64: 'a bigint from -2^63 to 2^63 - 1',
  bool: 'true or false',
  string: 'a string',
  bytes: 'a Uint8Array that is not detached',
  json: 'a value that has JSON',
  any: 'anything',
};
