/** Inserting, changing and deleting one entry. */
import { blobSize } from '../region/blob.js';
import { isBlob } from '../region/element.js';
import { corrupt } from '../region/format.js';
import { makeRoom } from './growth.js';
import { freeSlot, noteHandle, positionOf, takeSlot } from './handles.js';
import { HAS_SLOTS, WORD } from './layout.js';
import type { HashMapTable } from './table.js';
import * as values from './values.js';

/** Functions of hot code, as constants of this module: V8 folds those. */
const { encodeText, encodeValue, garbageOf, replaceValue, valueBytes, writeValue } = values;

/** Inserts or replaces. The value is encoded first, because that may run user code. */
export function put(table: HashMapTable, key: unknown, value: unknown): void {
  encodeValue(table, value);
  table.beforeWrite();
  putEncoded(table, key, value);
}

/** The same with a value that is JSON text already. */
export function putJson(table: HashMapTable, key: unknown, text: string): void {
  encodeText(text);
  putEncoded(table, key, text);
}

function putEncoded(table: HashMapTable, key: unknown, value: unknown): void {
  let position = table.find(key);
  if (position < 0) {
    const blobs = table.keyBytes + valueBytes(table);
    for (let attempts = 0; isFull(table, blobs); attempts++) {
      if (attempts === MAX_ATTEMPTS) throw remainsFull();
      makeRoom(table, 1, blobs);
    }
    append(table, key, value);
    return;
  }
  const blobs = valueBytes(table);
  if (blobs !== 0 && table.heapIsFull(blobs)) {
    makeRoom(table, 0, blobs);
    position = table.find(key); // positions may have changed
  }
  replaceValue(table, position, value);
}

/** Whether an insertion that appends `blobs` bytes to the heap needs a rebuild first. */
function isFull(table: HashMapTable, blobs: number): boolean {
  const { head } = table;
  return (
    head[WORD.used] === table.capacity ||
    (blobs !== 0 && table.heapIsFull(blobs)) ||
    ((head[WORD.state] & HAS_SLOTS) !== 0 &&
      head[WORD.freeSlot] === 0 &&
      head[WORD.slotsUsed] >>> 0 === table.entryOfSlot.length)
  );
}

/**
 * Appends an entry for the key that `find` just looked for in vain and the value that was encoded.
 * The caller guarantees that {@link isFull} returned false.
 */
function append(table: HashMapTable, key: unknown, value: unknown): void {
  const { head, hash } = table;
  const position = head[WORD.used];
  table.writeKey(position, key);
  writeValue(table, position, value);
  if ((head[WORD.state] & HAS_SLOTS) !== 0) table.slotOfEntry[position] = takeSlot(table, position);
  table.indexInsert(hash, position);
  table.publish(head, WORD.used, position + 1);
}

/** Deletes the entry that `find` just found. The map is valid after each step. */
export function remove(table: HashMapTable, position: number): void {
  const { head, index, hash } = table;
  const keyGarbage = isBlob(table.keyType) ? blobSize(table.heapWords, table.keyWords[position] >>> 0) : 0;
  const garbage = keyGarbage + garbageOf(table, position);
  const passed = table.indexRemove(hash, position);
  table.deadBits[position >>> 5] = table.deadBits[position >>> 5] | (1 << (position & 31));
  table.publish(head, WORD.dead, head[WORD.dead] + 1);
  let base = table.home(hash);
  for (let i = 0; i < passed; i++) {
    index[base | 3] = index[base | 3] - 1;
    base = (base + 16) | 0;
    if (base === index.length) base = 0;
  }
  if (garbage !== 0) table.countGarbage(garbage);
  if (table.anyValues !== undefined) table.anyValues[position] = undefined;
  if ((head[WORD.state] & HAS_SLOTS) !== 0) freeSlot(table, table.slotOfEntry[position] >>> 0);
}

/** Replaces the value of the entry that a handle names. Returns `false` if the handle is stale. */
export function putByHandle(table: HashMapTable, handle: unknown, value: unknown): boolean {
  encodeValue(table, value);
  table.beforeWrite();
  let position = positionOf(table, handle);
  if (position < 0) return false;
  const blobs = valueBytes(table);
  if (blobs !== 0 && table.heapIsFull(blobs)) {
    noteHandle(table);
    makeRoom(table, 0, blobs);
    position = positionOf(table, handle);
  }
  replaceValue(table, position, value);
  return true;
}

/** A second rebuild can be necessary if a reader takes the first handle during the first one. */
export const MAX_ATTEMPTS = 2;

export function remainsFull(): Error {
  return corrupt('this map', 'it has no room, however large it is made');
}
