/**
 * Copies of a map whose owner, another thread, continues to change it. Its bytes are copied in the
 * middle of a step of the owner, perhaps its last; a rebuild of the copy completes that step.
 */
import { allocating } from '../errors.js';
import { native } from '../native.js';
import { clearChecksum } from '../region/file.js';
import { corrupt, HEADER_WORDS, readLong, TWO_32, writeLong } from '../region/format.js';
import type { Region } from '../region/region.js';
import { copyOf } from '../region/table.js';
import { GENERATIONS, readShape, WORD } from './layout.js';

/**
 * Copies the bytes of an attached map. `heap` is its heap, and `loadAfterReads` loads a word after
 * everything that was read before.
 */
export function copyBytes(
  { bytes, head }: Region,
  heap: Uint8Array,
  loadAfterReads: (words: Int32Array, at: number) => number,
): Uint8Array {
  const before = heapUsedOf(head, Atomics.load(head, WORD.heapUsedLow));
  const copy = copyOf(bytes, readLong(head, WORD.lengthLow));
  // The copied entries may refer to blobs that were appended while they were copied. Each blob was
  // stored before the reference to it, so now that all references have been read, the blobs are
  // there, and are copied as well.
  const after = heapUsedOf(head, loadAfterReads(head, WORD.heapUsedLow));
  // A writer that breaks the protocol can write anything here.
  if (after > heap.length || copy.length < heap.length)
    throw corrupt('the shared map', 'the end of its heap');
  if (after > before) copy.subarray(copy.length - heap.length).set(heap.subarray(before, after), before);
  writeLong(new Int32Array(copy.buffer, 0, HEADER_WORDS), WORD.heapUsedLow, after);
  return copy;
}

/** Completes a copy made by {@link copyBytes}. Returns it, or a longer one. */
export function completeCopy(bytes: Uint8Array, capacity: number): Uint8Array {
  const addon = native();
  const head = new Int32Array(bytes.buffer, 0, HEADER_WORDS);
  clearChecksum(bytes);
  relinkSlots(bytes.buffer as ArrayBuffer, head, readShape(head, bytes.length, 'the shared map'));
  const heap = readLong(head, WORD.heapCapacityLow);
  const length = addon.hashmapRebuildRegionSize(bytes, capacity, heap);
  let copy = bytes;
  if (length > bytes.length) {
    copy = allocating('a copy', length, () => new Uint8Array(length));
    copy.set(bytes);
  }
  addon.hashmapRebuild(copy, capacity, heap);
  return copy.length === length ? copy : copyOf(copy, length);
}

/** The number of heap bytes in use, given its low word. */
function heapUsedOf(head: Int32Array, low: number): number {
  return (low >>> 0) + (head[WORD.heapUsedLow + 1] >>> 0) * TWO_32;
}

/**
 * Makes the slot table of a copied region agree with its entries: slots were taken and freed while
 * they were copied. Afterward all slots without an entry are free, the lowest first. Their
 * generations are increased: a slot that was copied after its entry was deleted and before its
 * generation was increased would otherwise let the handles of that entry name the next one.
 */
function relinkSlots(
  buffer: ArrayBuffer,
  head: Int32Array,
  { layout, capacity, slotCapacity }: ReturnType<typeof readShape>,
): void {
  if (slotCapacity === 0) return;
  const used = head[WORD.used];
  const slotsUsed = head[WORD.slotsUsed] >>> 0;
  const dead = new Int32Array(buffer, layout.dead, Math.ceil(capacity / 32));
  const slotOfEntry = new Uint32Array(buffer, layout.slotOfEntry, capacity);
  const entryOfSlot = new Uint32Array(buffer, layout.entryOfSlot, slotCapacity);
  const generations = new Uint32Array(buffer, layout.generations, slotCapacity);
  const taken = new Uint8Array(slotsUsed);
  for (let position = 0; position < used; position++) {
    const slot = slotOfEntry[position];
    if ((dead[position >>> 5] & (1 << (position & 31))) !== 0 || slot >= slotsUsed) continue;
    entryOfSlot[slot] = position;
    taken[slot] = 1;
  }
  let free = 0;
  for (let slot = slotsUsed - 1; slot >= 0; slot--) {
    if (taken[slot] !== 0 || generations[slot] >= GENERATIONS - 1) continue;
    if (++generations[slot] >= GENERATIONS - 1) continue;
    entryOfSlot[slot] = free;
    free = slot + 1;
  }
  head[WORD.freeSlot] = free | 0;
}
