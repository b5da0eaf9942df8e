/**
 * The layout of a PackedInts region (`docs/formats/succinct.md`): the words of its header, and the
 * constant-time check of untrusted bytes. `native/core/src/succinct/packed/layout.rs` computes the
 * same.
 */
import { align, checkHeader, corrupt, HEADER_BYTES, readLong } from '../../region/format.js';

/** The words of the header, by index. */
export const WORD = { lengthLow: 16, bits: 18, flags: 19 } as const;

/** Flag: the integers are bigints in JavaScript. */
const BIGINT = 1;
/** The maximum number of integers. It keeps the positions of bits below 2^53. */
export const MAX_LENGTH = 2 ** 47;

export interface Shape {
  /** The number of integers. */
  length: number;
  bits: number;
  bigint: boolean;
}

/** The size of `length` fields of `bits` bits: whole 64-bit words, plus one of zeros. */
export function fieldBytes(length: number, bits: number): number {
  return Math.ceil((length * bits) / 64) * 8 + 8;
}

/** The size of a region of `length` integers of `bits` bits. */
export function regionBytes(length: number, bits: number): number {
  return align(HEADER_BYTES + fieldBytes(length, bits));
}

/** The constant-time check: after it, every integer is known to lie within the region. */
export function readShape(words: Int32Array, available: number, what: string): Shape {
  const bytes = checkHeader(words, available, 'packedints', what);
  const length = readLong(words, WORD.lengthLow);
  const bits = words[WORD.bits] >>> 0;
  const flags = words[WORD.flags] >>> 0;
  if (bits < 1 || bits > 64 || length > MAX_LENGTH || flags > BIGINT) {
    throw corrupt(what, `invalid shape: ${length} integers of ${bits} bits, flags ${flags}`);
  }
  if (regionBytes(length, bits) !== bytes) {
    throw corrupt(what, `its length is ${bytes} bytes, but its counts require ${regionBytes(length, bits)}`);
  }
  return { length, bits, bigint: flags === BIGINT };
}
