/**
 * The layout of a bit vector's region (`docs/formats/succinct.md`): its header's words, and the
 * constant-time check of bytes that come from elsewhere.
 * `native/core/src/succinct/bitvector/layout.rs` computes the same.
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

/** Words of the header, by index. */
export const WORD = { lengthLow: 16, lengthHigh: 17, capacityLow: 18, capacityHigh: 19 } as const;

/** The most bits: 128 GiB of them. */
export const MAX_BITS = 2 ** 40;
/** Capacities are multiples of this many bits, which are 64 bytes. */
export const STEP = 8 * ALIGNMENT;

const TWO_32 = 4_294_967_296;

export interface Shape {
  /** How many bits there are. */
  length: number;
  /** How many the region has room for. */
  capacity: number;
}

/** Bytes of a region with room for `capacity` bits, rounded up. */
export function regionBytes(capacity: number): number {
  return HEADER_BYTES + Math.ceil(capacity / STEP) * ALIGNMENT;
}

/**
 * Writes the header of `length` zeros with room for `capacity` bits, rounded up. The words are
 * taken to be zero.
 */
export function initialise(words: Int32Array, length: number, capacity: number): void {
  writeHeader(words, 'bitvector', regionBytes(capacity), [0, 0]);
  writeLong(words, WORD.lengthLow, length);
  writeLong(words, WORD.capacityLow, Math.ceil(capacity / STEP) * STEP);
}

/**
 * The length by the header, which another thread may be adding to. Its high word changes once in
 * 2^32 bits, and only goes up until the sequence changes, so two looks at it tell whether the low
 * one belongs to it.
 */
export function readLength(words: Int32Array): number {
  for (;;) {
    const high = Atomics.load(words, WORD.lengthHigh);
    const low = Atomics.load(words, WORD.lengthLow) >>> 0;
    // Not by the product if it is 0: see `readLong`.
    if (Atomics.load(words, WORD.lengthHigh) === high) return high === 0 ? low : (high >>> 0) * TWO_32 + low;
  }
}

/** The constant-time check: after it, every bit lies within the region. */
export function readShape(words: Int32Array, available: number, what: string): Shape {
  const bytes = checkHeader(words, available, 'bitvector', what);
  const length = readLength(words);
  const capacity = readLong(words, WORD.capacityLow);
  if (capacity > MAX_BITS || capacity % STEP !== 0 || length > capacity) {
    throw corrupt(what, `${length} bits with room for ${capacity}`);
  }
  if (regionBytes(capacity) !== bytes) {
    throw corrupt(what, `its length is ${bytes} bytes where its capacity makes ${regionBytes(capacity)}`);
  }
  return { length, capacity };
}
