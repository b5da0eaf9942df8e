/**
 * The types of elements: their names, codes, widths and arrays.
 * Generated from scripts/generate/schema.mjs by `npm run generate`. Do not edit.
 */

/** Types of plain numbers: `number`, and `bigint` for the last two. */
export type NumericType = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'f64' | 'u64' | 'i64';

/**
 * Types of elements: the numeric ones, `bool` (1 byte), `string` and `bytes`, `json`
 * (any value that `JSON.stringify` accepts, stored as text, a fresh copy at each read) and
 * `any` (any value, kept on the JavaScript heap).
 */
export type ElementType = NumericType | 'bool' | 'string' | 'bytes' | 'json' | 'any';

/** Types that only values of a SharedMap have. */
export type SharedType = 'structured' | 'mixed';

/** A value that `JSON.stringify` accepts. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the type that JSON.parse returns
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

/** The typed array of a column of type `T`; `never` for types that are not plain data. */
export type Column<T extends ElementType> = T extends keyof ColumnTypes ? ColumnTypes[T] : never;

export interface TypedArrayConstructor<A extends ArrayBufferView = AnyTypedArray> {
  new (buffer: ArrayBufferLike, offset: number, length: number): A;
  readonly BYTES_PER_ELEMENT: number;
}
export type AnyTypedArray = ColumnTypes[keyof ColumnTypes];

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

/** Codes of the types that only values of a SharedMap have. */
export const SHARED_TYPE = {
  structured: 16,
  mixed: 17,
} as const satisfies Record<SharedType, number>;

/** Names by code; no type has the code 0. */
export const TYPE_NAMES = [undefined, ...(Object.keys(TYPE) as ElementType[])] as const;

/** Bytes of a column's element by code. Blobs have a 4-byte reference; `any` has no column. */
export const WIDTHS: readonly number[] = [0, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 1, 4, 4, 4, 0];

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

/** The values that a type accepts, for error messages. */
export const EXPECTED: Record<ElementType, string> = {
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
