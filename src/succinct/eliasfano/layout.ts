/**
 * The layout of an EliasFano region (`docs/formats/succinct.md`): the offsets of its parts, and the
 * constant-time check of untrusted bytes. Everything follows from the number of values and the
 * largest value. `native/core/src/succinct/eliasfano/layout.rs` computes the same.
 */
import { offheapError } from '../../errors.js';
import { align, checkHeader, corrupt, HEADER_BYTES, readLong } from '../../region/format.js';
import { fieldBytes } from '../packedints/layout.js';

/** The words of the header, by index. */
export const WORD = { lengthLow: 16, maxLow: 18 } as const;

/** The maximum number of values. */
export const MAX_LENGTH = 2 ** 37;
/**
 * The number of bits of the sequence in a line of 512 bits of the upper part. The other bits are
 * counts.
 */
export const LINE_BITS = 448;
const LINE_BYTES = 64;
/** The line of every 256th one, and of every 256th zero, is recorded. */
const STEP = 256;

export interface Layout {
  /** The number of values. */
  length: number;
  /** The largest value; 0 if there is none. */
  max: number;
  /** The number of lower bits of a value that are stored verbatim. */
  lowBits: number;
  lines: number;
  // Offsets in bytes from the beginning of the region.
  upper: number;
  ones: number;
  zeros: number;
  low: number;
  bytes: number;
}

/** The largest l for which `length` · 2^l is at most the largest value. Doubling is exact. */
function lowBitsOf(length: number, max: number): number {
  let bits = 0;
  if (length > 0) for (let next = length * 2; next <= max; next *= 2) bits++;
  return bits;
}

/**
 * The layout of `length` values up to `max`, which is below 2^53, in a region of their own or in
 * the region of another structure from byte `upper` on, a multiple of 64. In the second case
 * `bytes` is the end of the sequence.
 */
export function layoutOf(length: number, max: number, upper = HEADER_BYTES): Layout {
  const lowBits = lowBitsOf(length, max);
  const zeroCount = Math.floor(max / 2 ** lowBits) + 1;
  const lines = Math.ceil((length + zeroCount) / LINE_BITS);
  const ones = upper + lines * LINE_BYTES;
  const zeros = align(ones + hintBytes(length));
  const low = align(zeros + hintBytes(zeroCount));
  const bytes = align(low + (lowBits === 0 ? 0 : fieldBytes(length, lowBits)));
  return { length, max, lowBits, lines, upper, ones, zeros, low, bytes };
}

/**
 * The size of a table with the line of every 256th of `count` bits, and the last line at the end.
 */
function hintBytes(count: number): number {
  return (Math.ceil(count / STEP) + 1) * 4;
}

/** The constant-time check: after it, every section is known to lie within the region. */
export function readLayout(words: Int32Array, available: number, what: string): Layout {
  const bytes = checkHeader(words, available, 'eliasfano', what);
  const length = readLong(words, WORD.lengthLow);
  const max = readLong(words, WORD.maxLow);
  if (length > MAX_LENGTH || (length === 0 && max !== 0)) {
    throw corrupt(what, `invalid counts: ${length} values, the largest is ${max}`);
  }
  if (max > Number.MAX_SAFE_INTEGER) {
    throw offheapError(
      'ERR_OFFHEAP_UNSUPPORTED',
      `${what}: JavaScript numbers cannot represent values of 2^53 and more`,
    );
  }
  const layout = layoutOf(length, max);
  if (layout.bytes !== bytes) {
    throw corrupt(what, `its length is ${bytes} bytes, but its counts require ${layout.bytes}`);
  }
  return layout;
}
