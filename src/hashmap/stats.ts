import { readLong } from '../region/format.js';
import { HAS_SLOTS, WORD } from './layout.js';
import type { HashMapTable } from './table.js';

/** The part of `HashMap.stats()` that is about the table. Sizes of the heap are in bytes. */
export interface TableStats {
  size: number;
  /** Entries that fit before the next rebuild. */
  capacity: number;
  /** Deleted entries that still take a place in the columns. */
  dead: number;
  /** 64-byte buckets of the index, twelve lanes each. */
  buckets: number;
  /** Live entries divided by lanes of the index; at most about 0.85. */
  loadFactor: number;
  /** How many times the region was rearranged. */
  rearrangements: number;
  heapCapacity: number;
  heapUsed: number;
  /** Bytes in the heap that no entry refers to any more. */
  heapGarbage: number;
  /** Slots of the handle table; 0 while handles need none. */
  slots: number;
}

export function tableStats(table: HashMapTable): TableStats {
  const { head, capacity } = table;
  const state = head[WORD.state];
  const size = table.count();
  const buckets = head[WORD.buckets];
  return {
    size,
    capacity,
    dead: head[WORD.dead],
    buckets,
    loadFactor: size / (buckets * 12),
    rearrangements: (head[WORD.sequence] >>> 0) / 2,
    heapCapacity: readLong(head, WORD.heapCapacityLow),
    heapUsed: readLong(head, WORD.heapUsedLow),
    heapGarbage: readLong(head, WORD.heapGarbageLow),
    slots: (state & HAS_SLOTS) === 0 ? 0 : head[WORD.slotsUsed] >>> 0,
  };
}
