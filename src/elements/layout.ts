/**
 * The layout of a vector region (`docs/formats/vector.md`): words of its header, and the
 * constant-time check of bytes that come from outside. `native/core/src/vector/layout.rs` is its
 * counterpart.
 */
import { isNumeric, WIDTHS, type NumericType } from '../region/element.js';
import {
  align,
  checkHeader,
  corrupt,
  HEADER_BYTES,
  readLong,
  WORD as COMMON,
  writeHeader,
} from '../region/format.js';

/** Words of the header, by index. */
export const WORD = {
  lengthLow: COMMON.lengthLow,
  sequence: COMMON.sequence,
  type: 16,
  reserved: 17,
  /** The number of elements, in two words. */
  countLow: 18,
  countHigh: 19,
  end: 20,
} as const;

/** Where the elements begin. */
export const DATA = HEADER_BYTES;
/** The maximum number of elements: 2^53 bytes of 8-byte elements, less the header. */
export const MAX_CAPACITY = 2 ** 50 - 64;

export const VECTOR_TYPES: readonly NumericType[] = [
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
];

export interface Shape {
  /** The type code of the elements. */
  type: number;
  count: number;
  capacity: number;
}

/** Bytes of a region with room for `capacity` elements of a type. */
export function regionLength(type: number, capacity: number): number {
  return align(DATA + capacity * WIDTHS[type]);
}

/** Writes the header of an empty vector into zeroed words. */
export function initialize(words: Int32Array, type: number, length: number): void {
  writeHeader(words, 'vector', length, [0, 0]);
  words[WORD.type] = type;
}

/** The constant-time check: after it, all elements that the header counts lie within the region. */
export function readShape(words: Int32Array, available: number, what: string): Shape {
  // The count first: an owner that grows raises the length before it.
  const count = readLong(words, WORD.countLow);
  const length = checkHeader(words, available, 'vector', what);
  const type = words[WORD.type] >>> 0;
  if (!isNumeric(type)) throw corrupt(what, `elements of type ${type}`);
  const capacity = Math.floor((length - DATA) / WIDTHS[type]);
  if (count > capacity) throw corrupt(what, `${count} elements in room for ${capacity}`);
  return { type, count, capacity };
}
