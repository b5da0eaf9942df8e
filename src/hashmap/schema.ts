/**
 * Key and value types of a HashMap: their codes in the format, their widths, and what they are in
 * TypeScript.
 */

/** Types that a column of numbers can have. */
export type NumericType = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'f64' | 'u64' | 'i64';

/**
 * Types of keys.
 *
 * | type | in JavaScript | bytes |
 * | --- | --- | --- |
 * | `u32`, `i32` | integer numbers | 4 |
 * | `f64` | any number; all NaNs are equal, −0 is 0 | 8 |
 * | `u64`, `i64` | bigints | 8 |
 * | `string` | strings, lone surrogates and NULs included | 4, and the text (WTF-8) padded to 4, and 4 |
 * | `bytes` | Uint8Arrays, compared by content | the same |
 */
export type KeyType = 'u32' | 'i32' | 'f64' | 'u64' | 'i64' | 'string' | 'bytes';

/**
 * Types of values: the numeric ones, `bool` (1 byte), `string` and `bytes` (as for keys), `json`
 * (anything `JSON.stringify` takes, stored as text, a fresh copy at each `get`) and `any` (any value at all,
 * kept on the JavaScript heap; such a map is neither shared nor saved).
 */
export type ValueType = NumericType | 'bool' | 'string' | 'bytes' | 'json' | 'any';

/** What a value that `JSON.stringify` takes may be. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- JSON.parse's own type, as everywhere else
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

/** The JavaScript type of a key or value of type `T`: `JsType<'f64'>` is `number`. */
export type JsType<T extends KeyType | ValueType> = JavaScriptTypes[T];

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

/** The typed array that holds a column of type `T`; `never` for those that are not plain numbers. */
export type Column<T extends KeyType | ValueType> = T extends keyof ColumnTypes ? ColumnTypes[T] : never;

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
} as const satisfies Record<ValueType, number>;

/** Names by code; index 0 is no type. */
export const TYPE_NAMES = [undefined, ...(Object.keys(TYPE) as ValueType[])] as const;
/** Bytes of a column's element by code. Blobs hold a 4-byte reference; `any` has no column. */
export const WIDTHS: readonly number[] = [0, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 1, 4, 4, 4, 0];

export const KEY_TYPES: readonly KeyType[] = ['u32', 'i32', 'f64', 'u64', 'i64', 'string', 'bytes'];
export const VALUE_TYPES = Object.keys(TYPE) as readonly ValueType[];

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
