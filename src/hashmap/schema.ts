/**
 * Key and value types of a HashMap.
 */
import { TYPE, type ElementType } from '../region/element.js';

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
 * (anything `JSON.stringify` takes, stored as text, a fresh copy at each `get`) and `any` (any
 * value at all, kept on the JavaScript heap; such a map is neither shared nor saved).
 */
export type ValueType = ElementType;

export const KEY_TYPES: readonly KeyType[] = ['u32', 'i32', 'f64', 'u64', 'i64', 'string', 'bytes'];
export const VALUE_TYPES = Object.keys(TYPE) as readonly ValueType[];
