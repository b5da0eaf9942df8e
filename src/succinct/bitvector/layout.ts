/**
 * The layout of a bit vector's region (`docs/formats/succinct.md`): the words of its header, and
 * the constant-time check of untrusted bytes. `native/core/src/succinct/bitvector/layout.rs`
 * computes the same.
 */
import {
  ALIGNMENT,
  checkHeader,
  corrupt,
  HEADER_BYTES,
  readLong,
  writeHeader,
  writeLong,
} from '../../region/format.js';

/** The words of the header, by index. */
export const WORD = { lengthLow: 16, lengthHigh: 17, capacityLow: 18, capacityHigh: 19 } as const;

/** The maximum number of bits, which take 128 GiB. */
export const MAX_BITS = 2 ** 40;
/** Capacities are multiples of this many bits, which are 64 bytes. */
export const STEP = 8 * ALIGNMENT;

const TWO_32 = 4_294_967_296;

export interface Shape {
  /** The number of bits. */
  length: number;
  /** The number of bits that the region has room for. */
  capacity: number;
}

/** Bytes of a region with room for `capacity` bits, rounded up. */
export function regionBytes(capacity: number): number {
  return HEADER_BYTES + Math.ceil(capacity / STEP) * ALIGNMENT;
}

/**
 * Writes the header of a vector of `length` zeros with room for `capacity` bits, rounded up. The
 * other words must be zero.
 */
export function initialize(words: Int32Array, length: number, capacity: number): void {
  writeHeader(words, 'bitvector', regionBytes(capacity), [0, 0]);
  writeLong(words, WORD.lengthLow, length);
  writeLong(words, WORD.capacityLow, Math.ceil(capacity / STEP) * STEP);
}

/**
 * The length in the header, to which another thread may be adding. Its high word changes once in
 * 2^32 bits and only increases until the sequence changes, so reading it twice tells whether the
 * low word belongs to it.
 */
export function readLength(words: Int32Array): number {
  for (;;) {
    const high = Atomics.load(words, WORD.lengthHigh);
    const low = Atomics.load(words, WORD.lengthLow) >>> 0;
    // No multiplication if it is 0: see `readLong`.
    if (Atomics.load(words, WORD.lengthHigh) === high) return high === 0 ? low : (high >>> 0) * TWO_32 + low;
  }
}

/** The constant-time check: after it, every bit is known to lie within the region. */
export function readShape(words: Int32Array, available: number, what: string): Shape {
  const bytes = checkHeader(words, available, 'bitvector', what);
  const length = readLength(words);
  const capacity = readLong(words, WORD.capacityLow);
  if (capacity > MAX_BITS || capacity % STEP !== 0 || length > capacity) {
    throw corrupt(what, `invalid length or capacity: ${length} of ${capacity} bits`);
  }
  if (regionBytes(capacity) !== bytes) {
    throw corrupt(what, `its length is ${bytes} bytes, but its capacity requires ${regionBytes(capacity)}`);
  }
  return { length, capacity };
}
