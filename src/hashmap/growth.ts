/**
 * Growth and compaction of a HashMap: making room, rebuilding, clearing. Each is one native call,
 * after which every view and every iterator is updated.
 */
import { offheapError } from '../errors.js';
import { native } from '../native.js';
import { isBlob } from '../region/element.js';
import { readLong } from '../region/format.js';
import { MAX_CAPACITY, MAX_HEAP, nextCapacity, WORD } from './layout.js';
import type { HashMapTable } from './table.js';

/**
 * Makes room for `entries` more entries and `blobs` more bytes of heap, by removing the deleted
 * entries if there are many, otherwise by growing. Throws `ERR_OFFHEAP_FULL` or `ERR_OFFHEAP_OOM`
 * with nothing changed.
 */
export function makeRoom(table: HashMapTable, entries: number, blobs: number): void {
  const { capacity, head } = table;
  const live = table.count();
  const dead = head[WORD.dead];
  let wanted = capacity;
  if (head[WORD.used] + entries > capacity) {
    const compact = dead * 4 >= capacity && live + entries <= capacity;
    if (!compact) {
      if (live + entries > MAX_CAPACITY) {
        throw offheapError('ERR_OFFHEAP_FULL', `a map holds at most ${MAX_CAPACITY} entries`);
      }
      wanted = Math.max(nextCapacity(capacity), live + entries);
    }
  }
  rebuild(table, wanted, heapFor(table, wanted, blobs));
}

/** The heap capacity for `capacity` entries when `blobs` more bytes are about to be added. */
function heapFor(table: HashMapTable, capacity: number, blobs: number): number {
  if (!isBlob(table.keyType) && !isBlob(table.valueType)) return 0;
  const now = table.heapWords.length * 4;
  const garbage = readLong(table.head, WORD.heapGarbageLow);
  const needed = readLong(table.head, WORD.heapUsedLow) - garbage + blobs;
  if (needed > MAX_HEAP) {
    throw offheapError(
      'ERR_OFFHEAP_FULL',
      `the strings and bytes of one map can take ${MAX_HEAP} bytes at most`,
    );
  }
  // More entries will bring more text, in proportion. A heap that would be over three quarters full
  // without its garbage grows by half, so that n bytes cost O(1) each under endless churn.
  const expected = needed * Math.max(1, capacity / table.capacity);
  const wanted =
    table.heapIsFull(blobs) && needed > now * 0.75 ? Math.max(now * 1.5, expected * 1.25) : expected;
  return Math.min(Math.ceil(Math.max(now, wanted) / 64) * 64, MAX_HEAP);
}

/** Rearranges the region for other capacities, without its deleted entries. */
export function rebuild(table: HashMapTable, capacity: number, heapCapacity: number): void {
  const { region, head } = table;
  const addon = native();
  const moving = head[WORD.dead] !== 0;
  const used = head[WORD.used];
  const removed = moving ? table.deadBits.slice(0, Math.ceil(used / 32)) : undefined;
  let length = addon.hashmapRebuildRegionSize(region.bytes, capacity, heapCapacity);
  try {
    for (;;) {
      region.ensure(length);
      table.head = region.head;
      try {
        addon.hashmapRebuild(region.bytes, capacity, heapCapacity);
        break;
      } catch (error) {
        // If a reader takes the first handle at this moment, a slot table becomes necessary.
        length = addon.hashmapRebuildRegionSize(region.bytes, capacity, heapCapacity);
        if (length <= region.bytes.length) throw error;
      }
    }
  } finally {
    // Also after a refusal: the region may be in a larger buffer by now.
    table.rebindViews();
  }
  if (removed !== undefined) {
    table.relocations = table.relocations.end(removed);
    if (table.anyValues !== undefined) {
      table.anyValues = table.anyValues.filter((_, at) => (removed[at >>> 5] & (1 << (at & 31))) === 0);
    }
  }
}

/** Removes all entries; keeps the capacity. */
export function clear(table: HashMapTable): void {
  native().hashmapClear(table.region.bytes);
  table.rebindViews(); // without the slot table, sections start elsewhere
  table.relocations = table.relocations.end(undefined);
  if (table.anyValues !== undefined) table.anyValues = [];
}
