/** The key and value types of small maps. */
import type { NumericType } from '../region/element.js';

/**
 * Key types: numbers of any width, compared as `Map` compares them (all NaNs are equal, −0 is 0; an
 * `f32` key is rounded to the nearest 32-bit float), bigints for `u64` and `i64`, and `string`,
 * which is interned once per arena.
 */
export type SmallKeyType = NumericType | 'string';

/** Value types: the numeric ones, `bool` (1 byte) and `string` (interned). */
export type SmallValueType = NumericType | 'bool' | 'string';

export const SMALL_KEY_TYPES: readonly SmallKeyType[] = [
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'f32',
  'f64',
  'u64',
  'i64',
  'string',
];
export const SMALL_VALUE_TYPES: readonly SmallValueType[] = [...SMALL_KEY_TYPES, 'bool'];

declare const idBrand: unique symbol;
/**
 * Identifies a map of an arena until the map is released: directory entry + 2^32 × generation. The
 * first maps have ids 0, 1, 2, …
 */
export type SmallMapId = number & { readonly [idBrand]: 'SmallMap' };
