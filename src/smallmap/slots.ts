/**
 * Inline maps: their entries, and the slots that store them (`docs/formats/smallmap.md`).
 * `native/core/src/smallmap/arena/write.rs` does the same, and tests compare the two byte for byte.
 */
import type { ArenaTable } from './arena-table.js';
import { writeKey, writeValue } from './columns.js';
import { badList, FREE, GENERATIONS, TWO_32, WORD } from './layout.js';

const MAPS_USED = WORD.mapsUsed;

// ---- maps

/** Takes a directory entry for an empty map and returns its id. The directory must have room. */
export function takeMap(table: ArenaTable): number {
  const { head, directory } = table;
  const free = head[WORD.freeMap];
  const used = head[MAPS_USED];
  let map = used;
  let generation = 0;
  if (free === 0) {
    table.publish(head, MAPS_USED, used + 1);
  } else {
    map = free - 1;
    const next = directory[map * 2];
    generation = directory[map * 2 + 1] & ~FREE;
    if (map >= used || directory[map * 2 + 1] >= 0 || next >>> 0 > used) throw badList('maps');
    head[WORD.freeMap] = next;
    directory[map * 2] = 0;
    table.publish(directory, map * 2 + 1, generation);
  }
  head[WORD.maps] = head[WORD.maps] + 1;
  return generation * TWO_32 + map;
}

/** Releases an inline map. */
export function dropMap(table: ArenaTable, map: number, place: number): void {
  const { head, directory } = table;
  const generation = directory[map * 2 + 1] + 1;
  table.epoch++;
  table.publish(directory, map * 2 + 1, generation | FREE);
  dropSlot(table, place);
  if (generation < GENERATIONS) {
    directory[map * 2] = head[WORD.freeMap]!;
    head[WORD.freeMap] = map + 1;
  } else {
    directory[map * 2] = 0; // retired, as the format specifies
  }
  head[WORD.maps] = head[WORD.maps] - 1;
}

/** Sets the generation of a new map. Used by copies. */
export function renumber(table: ArenaTable, map: number, generation: number): void {
  table.directory[map * 2 + 1] = generation;
}

/** Frees a new map so that its next generation is `generation`. Used by copies. */
export function retire(table: ArenaTable, map: number, generation: number): void {
  renumber(table, map, Math.max(0, generation - 1));
  dropMap(table, map, 0);
  if (generation === 0) renumber(table, map, FREE);
}

/** Frees the slot of a place that is no longer reachable. */
export function dropSlot(table: ArenaTable, place: number): void {
  const count = place & 15;
  if (count === 0) return;
  table.recycle();
  freeSlot(table, place >>> 4, table.slotFor(count));
}

/**
 * Adds the key in `low` and `high`, which the inline map does not have. Returns `false`, with
 * nothing changed, if there is no free slot. The map must have fewer than 8 entries.
 */
export function insertInline(table: ArenaTable, map: number, place: number, value: unknown): boolean {
  const count = place & 15;
  const first = (place >>> 4) << 1;
  const size = table.slotFor(count + 1);
  if (count > 0 && table.slotFor(count) === size) {
    writeValue(table, first + count, value);
    writeKey(table, table.keyBits, first + count);
    table.publish(table.directory, map * 2, place + 1);
    return true;
  }
  const unit = takeSlot(table, size);
  if (unit < 0) return false;
  for (let i = 0; i < count; i++) copyEntry(table, first + i, unit * 2 + i);
  writeValue(table, unit * 2 + count, value);
  writeKey(table, table.keyBits, unit * 2 + count);
  table.publish(table.directory, map * 2, (unit << 4) | (count + 1));
  dropSlot(table, place);
  return true;
}

/**
 * Removes an entry from an inline map. Returns `false`, with nothing changed, if there is no free
 * slot for the remaining entries.
 */
export function removeInline(table: ArenaTable, map: number, place: number, entry: number): boolean {
  const count = place & 15;
  const first = (place >>> 4) << 1;
  const left = count - 1;
  const lane = entry - first;
  table.epoch++;
  if (left > 0 && lane === left && table.slotFor(left) === table.slotFor(count)) {
    table.publish(table.directory, map * 2, place - 1);
    table.recycle();
  } else {
    let now = 0;
    if (left > 0) {
      const unit = takeSlot(table, table.slotFor(left));
      if (unit < 0) return false;
      for (let i = 0; i < left; i++) copyEntry(table, first + i + (i >= lane ? 1 : 0), unit * 2 + i);
      now = (unit << 4) | left;
    }
    table.publish(table.directory, map * 2, now);
    dropSlot(table, place);
  }
  if (table.changes.enabled) table.changes.removed(map, lane);
  return true;
}

function copyEntry(table: ArenaTable, from: number, to: number): void {
  const { keyBits, valueColumn } = table;
  (valueColumn as unknown as unknown[])[to] = valueColumn[from];
  if (table.wide) {
    keyBits[to * 2] = keyBits[from * 2]!;
    keyBits[to * 2 + 1] = keyBits[from * 2 + 1]!;
  } else {
    keyBits[to] = keyBits[from]!;
  }
}

/** Allocates a slot of 2, 4 or 8 entries. Returns its first unit, or −1 if there is none. */
function takeSlot(table: ArenaTable, size: number): number {
  const { head } = table;
  const list = size === 8 ? WORD.freeSlot8 : size === 4 ? WORD.freeSlot4 : WORD.freeSlot2;
  const free = head[list];
  if (free !== 0) {
    const unit = free - 1;
    const limit = table.valueColumn.length >>> 1;
    if (unit + (size >>> 1) > limit || (unit & ((size >>> 1) - 1)) !== 0) throw badList('slots');
    const next = table.slotLinks[(unit << table.slotLinkShift) >>> 1];
    if (next >>> 0 > limit) throw badList('slots');
    head[list] = next;
    return unit;
  }
  if (size === 8) {
    const used = head[WORD.blocksUsed];
    if (used >= table.valueColumn.length >>> 3) return -1;
    head[WORD.blocksUsed] = used + 1;
    return used * 4;
  }
  const unit = takeSlot(table, size * 2);
  if (unit >= 0) freeSlot(table, unit + (size >>> 1), size);
  return unit;
}

function freeSlot(table: ArenaTable, unit: number, size: number): void {
  const { head } = table;
  const list = size === 8 ? WORD.freeSlot8 : size === 4 ? WORD.freeSlot4 : WORD.freeSlot2;
  table.slotLinks[(unit << table.slotLinkShift) >>> 1] = head[list]!;
  head[list] = unit + 1;
}
