/**
 * Operations on single entries of a map, for all types of keys and values, inline and promoted.
 * Each tries {@link ArenaTable.locate} first, the fast path for keys of 4 bytes in inline maps.
 */
import { native } from '../native.js';
import { TYPE } from '../region/element.js';
import { corrupt } from '../region/format.js';
import type { ArenaTable } from './arena-table.js';
import { checkKey, checkValue, encodeKey, slotValue, valueAt, writeValue } from './columns.js';
import { makeRoom } from './growth.js';
import { INLINE_CAPACITY, PROMOTED, TABLE } from './layout.js';
import { appendPromoted, findPromoted, firstPositions, positionsLeft, removePromoted } from './promoted.js';
import { insertInline, removeInline } from './slots.js';

/** Type codes used by hot code are module constants, because V8 folds those. */
const F64 = TYPE.f64;
const STRING = TYPE.string;

/** The result for a missing key. */
const MISSING = Symbol('missing');

/** The value of a key in a map, or `undefined` if the key is missing. */
export function getEntry(table: ArenaTable, id: number, key: unknown): unknown {
  const entry = table.locate(id, key);
  if (entry >= 0) return slotValue(table, entry);
  if (entry === -1) return undefined;
  const value = lookUp(table, id, key);
  return value === MISSING ? undefined : value;
}

/** Whether a map has a key. */
export function hasEntry(table: ArenaTable, id: number, key: unknown): boolean {
  const entry = table.locate(id, key);
  if (entry !== -2) return entry >= 0;
  return lookUp(table, id, key) !== MISSING;
}

/** Sets the value of a key in a map. */
export function setEntry(table: ArenaTable, id: number, key: unknown, value: unknown): void {
  // f64 values take plain stores here. Everything else takes one call.
  if (table.plain && table.valueType === F64 && typeof value === 'number') {
    const entry = table.locate(id, key);
    if (entry >= 0) {
      table.valueColumn[entry] = value;
      return;
    }
    if (entry === -1 && table.keyType !== STRING) {
      const at = (id >>> 0) << 1;
      const place = table.directory[at];
      const count = place & 15;
      // One more entry fits the current slot if the count is 1, 3, 5, 6 or 7.
      if ((count & 1) !== 0 || count === 6) {
        const next = ((place >>> 4) << 1) + count;
        table.valueColumn[next] = value;
        table.keys32[next] = key as number;
        table.directory[at] = place + 1;
        return;
      }
      table.low = (key as number) | 0;
      if (count < INLINE_CAPACITY && insertInline(table, at >>> 1, place, value)) return;
    }
  }
  put(table, id, key, value);
}

/**
 * The spot of the key in `low` and `high` in a map, or −1. `place` is the result of {@link
 * ArenaTable.placeOf}.
 */
export function findKey(table: ArenaTable, map: number, place: number): number {
  const count = place & 15;
  if (count === PROMOTED) return findPromoted(table, map);
  const first = (place >>> 4) << 1;
  const { keyBits, low } = table;
  if (table.wide) {
    for (let entry = first; entry < first + count; entry++) {
      if (keyBits[entry * 2] === low && keyBits[entry * 2 + 1] === table.high) return entry;
    }
    return -1;
  }
  for (let entry = first; entry < first + count; entry++) if (keyBits[entry] === low) return entry;
  return -1;
}

/** The value of a key in a map, or {@link MISSING}. */
function lookUp(table: ArenaTable, id: unknown, key: unknown): unknown {
  return table.readStable(() => {
    const map = table.mapOf(id);
    if (!encodeKey(table, key)) return MISSING;
    const spot = findKey(table, map, table.placeOf(map));
    return spot < 0 ? MISSING : valueAt(table, spot);
  });
}

/** Inserts an entry or replaces its value. */
export function put(table: ArenaTable, id: unknown, key: unknown, value: unknown): void {
  table.beforeRead();
  checkKey(table, key);
  checkValue(table, value);
  table.beforeWrite();
  table.mapOf(id);
  putChecked(table, id as number, key, value);
}

/** `put` for an owner, after all checks. */
export function putChecked(table: ArenaTable, id: number, key: unknown, value: unknown): void {
  const stored =
    table.valueType === STRING || table.keyType === STRING ? internStrings(table, key, value) : value;
  encodeKey(table, key);
  const map = table.mapOf(id);
  const spot = findKey(table, map, table.placeOf(map));
  if (spot >= 0) {
    writeValue(table, spot, stored);
    return;
  }
  for (let made = 0; !add(table, id, map, stored); made++) {
    if (made === 2) throw corrupt('this arena', 'growing it does not make room for one more entry');
    makeRoomFor(table, map);
  }
}

/**
 * Adds the key in `low` and `high` to a map that does not have it. Returns `false`, with nothing
 * changed, if there is no room.
 */
function add(table: ArenaTable, id: number, map: number, value: unknown): boolean {
  let place = table.placeOf(map);
  const count = place & 15;
  if (count < INLINE_CAPACITY) return insertInline(table, map, place, value);
  if (count === INLINE_CAPACITY) {
    if (positionsLeft(table) < INLINE_CAPACITY + 2) return false;
    native().smallmapArenaPromote(table.region.bytes, id);
    place = table.placeOf(map);
    if ((place & 15) !== PROMOTED) throw corrupt('this arena', 'a map of 8 entries cannot be promoted');
    if (table.changes.enabled)
      table.changes.promoted(map, firstPositions(table, place >>> 4, INLINE_CAPACITY));
  } else if (positionsLeft(table) < 1) {
    return false;
  }
  appendPromoted(table, map, place >>> 4, value);
  return true;
}

/** Makes room for one more entry of a map. */
function makeRoomFor(table: ArenaTable, map: number): void {
  if ((table.placeOf(map) & 15) < INLINE_CAPACITY) makeRoom(table, 0, 1, 0, 0, 0);
  else makeRoom(table, 0, 0, INLINE_CAPACITY + 2, 0, 0);
}

/** Interns the strings of an entry. Returns the value in its stored form. */
function internStrings(table: ArenaTable, key: unknown, value: unknown): unknown {
  const keyText = table.keyType === STRING ? (key as string) : undefined;
  const valueText = table.valueType === STRING ? (value as string) : undefined;
  for (let made = 0; ; made++) {
    const strings = table.strings!;
    const room = keyText === undefined || strings.intern(keyText) >= 0;
    if (room && valueText === undefined) return value;
    const stored = room ? strings.intern(valueText!) : -1;
    if (stored >= 0) return stored;
    if (made === 2) throw corrupt('this arena', 'growing it does not make room for one more entry');
    const bytes = (text: string | undefined): number => (text === undefined ? 0 : strings.sizeOf(text));
    // This drops strings that no entry refers to, so both are looked up again.
    makeRoom(table, 0, 0, 0, 2, bytes(keyText) + bytes(valueText));
  }
}

/** Removes a key from a map. Returns whether it was present. */
export function remove(table: ArenaTable, id: unknown, key: unknown): boolean {
  table.beforeRead();
  checkKey(table, key);
  table.beforeWrite();
  const map = table.mapOf(id);
  if (!encodeKey(table, key)) return false;
  for (let made = 0; made < 3; made++) {
    const place = table.placeOf(map);
    const spot = findKey(table, map, place);
    if (spot < 0) return false;
    if (spot >= TABLE) {
      removePromoted(table, map, place >>> 4, spot - TABLE);
      return true;
    }
    if (removeInline(table, map, place, spot)) return true;
    makeRoom(table, 0, 1, 0, 0, 0);
  }
  throw corrupt('this arena', 'growing it does not make room for one more entry');
}
