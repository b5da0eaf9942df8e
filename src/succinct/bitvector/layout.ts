/**
 * The layout of a bit vector's region (`docs/formats/succinct.md`): its header's words, and the constant-time check of bytes that
 * come from elsewhere. `native/core/src/succinct/bitvector/layout.rs` computes the same.
 */
import { ALIGNMENT, checkHeader, corrupt, HEADER_BYTES, readLong } from '../../region/format.js';

/** Words of the header, by index. */
export const WORD = { lengthLow: 16, lengthHigh: 17, capacityLow: 18, capacityHigh: 19 } as const;

/** The most bits: 128 GiB of them. */
export const MAX_BITS = 2 ** 40;
/** Capacities are multiples of this many bits, which are 64 bytes. */
export const STEP = 8 * ALIGNMENT;

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

/** The constant-time check: after it, every bit lies within the region. */
export function readShape(words: Int32Array, available: number, what: string): Shape {
  const bytes = checkHeader(words, available, 'bitvector', what);
  const length = readLong(words, WORD.lengthLow);
  const capacity = readLong(words, WORD.capacityLow);
  if (capacity > MAX_BITS || capacity % STEP !== 0 || length > capacity) {
    throw corrupt(what, `${length} bits with room for ${capacity}`);
  }
  if (regionBytes(capacity) !== bytes) {
    throw corrupt(what, `its length is ${bytes} bytes where its capacity makes ${regionBytes(capacity)}`);
  }
  return { length, capacity };
}
