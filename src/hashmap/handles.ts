/**
 * Handles of entries (`docs/formats/hashmap.md`, "Handles"): the lower 32 bits are a slot, the
 * upper ones its generation. As long as no entry was relocated after a handle was issued, slots are
 * positions and the generation is the map's epoch; then handles need no slot table.
 */
import { typeError } from '../errors.js';
import { TWO_32 } from '../region/format.js';
import { describe } from '../region/options.js';
import { OWNER } from '../region/table.js';
import { GENERATIONS, HANDLES_ISSUED, HAS_SLOTS, WORD } from './layout.js';
import type { HashMapTable } from './table.js';

/** The position of the entry that a handle names, or −1 if the handle is stale or forged. */
export function positionOf(table: HashMapTable, handle: unknown): number {
  if (typeof handle !== 'number') throw typeError(`a handle is a number, not ${describe(handle)}`);
  const { head } = table;
  const slot = handle >>> 0;
  const generation = (handle - slot) / TWO_32;
  const used = head[WORD.used];
  if ((head[WORD.state] & HAS_SLOTS) === 0) {
    return generation === head[WORD.epoch] && slot < used && !table.isDead(slot) ? slot : -1;
  }
  if (slot >= head[WORD.slotsUsed] >>> 0 || table.generations[slot] !== generation) return -1;
  const position = table.entryOfSlot[slot] >>> 0;
  if (position >= used || table.slotOfEntry[position] >>> 0 !== slot || table.isDead(position)) return -1;
  if (table.role === OWNER) return position;
  // The slot may have been given to another entry in between; its generation increased before that.
  return table.loadAfterReads(table.generations, slot) === generation ? position : -1;
}

/** The handle of the entry at a position. */
export function handleAt(table: HashMapTable, position: number): number {
  const { head } = table;
  if ((head[WORD.state] & HAS_SLOTS) === 0) return head[WORD.epoch] * TWO_32 + position;
  const slot = table.slotOfEntry[position] >>> 0;
  return table.generations[slot] * TWO_32 + slot;
}

/** The handle of the entry of a key, or `undefined` if the key is missing. */
export function handleOf(table: HashMapTable, key: unknown): number | undefined {
  return table.read(() => {
    // Before the lookup: a rearrangement after it must know that handles exist.
    noteHandle(table);
    const position = table.find(key);
    if (position < 0 || position >= table.usedNow()) return undefined;
    const handle = handleAt(table, position);
    // If the entry was deleted in the meantime, its slot may belong to another one.
    return table.isDead(position) ? undefined : handle;
  });
}

/** Notes that a handle exists, so that from now on positions change only with a slot table. */
export function noteHandle(table: HashMapTable): void {
  if (table.role === OWNER) {
    if ((table.head[WORD.state] & HANDLES_ISSUED) === 0) Atomics.or(table.head, WORD.state, HANDLES_ISSUED);
  } else if (table.region.origin === 'attached') {
    Atomics.or(table.head, WORD.state, HANDLES_ISSUED);
  } else {
    table.handlesIssued = true;
  }
}

/** Gives the new entry at `position` a slot. The caller guarantees that there is one. */
export function takeSlot(table: HashMapTable, position: number): number {
  const { head, entryOfSlot } = table;
  const free = head[WORD.freeSlot];
  let slot: number;
  if (free !== 0) {
    slot = (free >>> 0) - 1;
    head[WORD.freeSlot] = entryOfSlot[slot]!;
  } else {
    slot = head[WORD.slotsUsed] >>> 0;
    table.generations[slot] = head[WORD.epoch]!;
    head[WORD.slotsUsed] = slot + 1;
  }
  table.publish(entryOfSlot, slot, position);
  return slot;
}

/** Makes the handle of a deleted entry stale, and its slot free. */
export function freeSlot(table: HashMapTable, slot: number): void {
  const { head, generations } = table;
  const generation = generations[slot] + 1;
  // Before the slot can lead to another entry: a thread that follows a handle checks this last.
  table.publish(generations, slot, generation);
  if (generation >= GENERATIONS - 1) return; // retired: see the format
  table.entryOfSlot[slot] = head[WORD.freeSlot]!;
  head[WORD.freeSlot] = slot + 1;
}
