/** Growth of a bit vector, and changes of its length. */
import { offheapError } from '../../errors.js';
import { native } from '../../native.js';
import type { BitTable } from './bit-table.js';
import { MAX_BITS, regionBytes, STEP } from './layout.js';

export function append(table: BitTable, bit: boolean): void {
  const { size } = table;
  if (size === table.capacity) grow(table, size + 1);
  // Zeros too: a writer that was terminated may have left a one here.
  table.store(size, bit);
  table.publish(size + 1);
}

/** Makes room for `count` bits in total, and for more, so that n pushes cost O(n). */
export function grow(table: BitTable, count: number): void {
  if (count <= table.capacity) return;
  if (count > MAX_BITS) {
    throw offheapError('ERR_OFFHEAP_FULL', `a bit vector has at most ${MAX_BITS} bits`);
  }
  const wanted = Math.min(Math.max(table.capacity * 1.5, 8 * STEP), MAX_BITS);
  if (wanted > count) {
    try {
      setCapacity(table, wanted);
      return;
    } catch (error) {
      // There may be too little memory for growth by half, yet enough for `count` bits.
      if ((error as { code?: unknown }).code !== 'ERR_OFFHEAP_OOM') throw error;
    }
  }
  setCapacity(table, count);
}

/** Changes the capacity, which must be at least the length. */
export function setCapacity(table: BitTable, capacity: number): void {
  try {
    table.region.ensure(regionBytes(capacity));
    native().bitvectorSetCapacity(table.region.bytes, capacity);
  } finally {
    // Also after a refusal: the region may have moved to a larger buffer.
    table.rebindViews();
  }
}

export function setLength(table: BitTable, length: number): void {
  grow(table, length);
  native().bitvectorSetLength(table.region.bytes, length);
  table.size = length;
}
