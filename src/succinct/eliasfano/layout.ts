/**
 * The layout of an EliasFano region (`docs/formats/succinct.md`): where its parts lie, and the
 * constant-time check of bytes that come from elsewhere. All follows from how many values there
 * are, and the largest. `native/core/src/succinct/eliasfano/layout.rs` computes the same.
 */
import { offheapError } from '../../errors.js';
import { align, checkHeader, corrupt, HEADER_BYTES, readLong } from '../../region/format.js';
import { fieldBytes } from '../packedints/layout.js';

/** Words of the header, by index. */
export const WORD = { lengthLow: 16, maxLow: 18 } as const;

/** The most values. */
export const MAX_LENGTH = 2 ** 37;
/** Bits of the sequence in a line of 512 bits of the upper part; the others count. */
export const LINE_BITS = 448;
const LINE_BYTES = 64;
/** Of how many ones, or zeros, the line of one is noted. */
const STEP = 256;

export interface Layout {
  /** How many values. */
  length: number;
  /** The largest; 0 if there is none. */
  max: number;
  /** Bits of a value that are stored as they are. */
  lowBits: number;
  lines: number;
  // Bytes from the beginning of the region.
  upper: number;
  ones: number;
  zeros: number;
  low: number;
  bytes: number;
}

/** The most, l, for which `length` · 2^l is not above the largest value. Doubling is exact. */
function lowBitsOf(length: number, max: number): number {
  let bits = 0;
  if (length > 0) for (let next = length * 2; next <= max; next *= 2) bits++;
  return bits;
}

/**
 * Where everything lies for `length` values up to `max`, which is below 2^53: in a region of their
 * own, or in the region of another structure from byte `upper` on, a multiple of 64; then `bytes`
 * is where it ends.
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

/** The line of every 256th of `count` bits, and the last line at the end. */
function hintBytes(count: number): number {
  return (Math.ceil(count / STEP) + 1) * 4;
}

/** The constant-time check: after it, every section lies within the region. */
export function readLayout(words: Int32Array, available: number, what: string): Layout {
  const bytes = checkHeader(words, available, 'eliasfano', what);
  const length = readLong(words, WORD.lengthLow);
  const max = readLong(words, WORD.maxLow);
  if (length > MAX_LENGTH || (length === 0 && max !== 0)) {
    throw corrupt(what, `${length} values, ${max} the largest`);
  }
  if (max > Number.MAX_SAFE_INTEGER) {
    throw offheapError(
      'ERR_OFFHEAP_UNSUPPORTED',
      `${what}: values from 2^53 on are no numbers in JavaScript`,
    );
  }
  const layout = layoutOf(length, max);
  if (layout.bytes !== bytes) {
    throw corrupt(what, `its length is ${bytes} bytes where its counts make ${layout.bytes}`);
  }
  return layout;
}
