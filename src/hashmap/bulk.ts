/**
 * Bulk operations of a HashMap. If keys and values are plain numbers, the whole call crosses into
 * Rust once, which prefetches; otherwise it is a loop over the single operations, which blobs need
 * in any case, because strings are encoded on this side.
 *
 * A bulk call that finds a key or value of a wrong type changes nothing: all are checked first.
 */
import { isTypedArray } from 'node:util/types';
import { rangeError } from '../errors.js';
import { native } from '../native.js';
import { column, handleList, hasColumn, output, toArray } from '../region/arguments.js';
import { jsonText } from '../region/blob.js';
import { isNumeric, TYPE } from '../region/element.js';
import { OWNER } from '../region/table.js';
import { intrinsicLength, type AnyTypedArray } from '../region/typed-array.js';
import { MAX_ATTEMPTS, put, putJson, remainsFull, remove } from './entries.js';
import { makeRoom } from './growth.js';
import { handleOf, positionOf } from './handles.js';
import { MISSING, type HashMapTable } from './table.js';
import { checkValue } from './values.js';

/** Keys of the right type: a typed array if the map's keys are numbers, otherwise an array. */
function keyList(table: HashMapTable, keys: unknown): AnyTypedArray | unknown[] {
  return column(keys, table.keyType, 'keys', (key) => table.checkKey(key), table.region.buffer);
}

/** Whether one crossing suffices: keys and values are columns of numbers. */
function isPlain(table: HashMapTable): boolean {
  return isNumeric(table.keyType) && hasColumn(table.valueType);
}

/**
 * Fills `out` with the values of `keys`; `found` gets 1 for each key that exists. Returns the array
 * that it filled.
 */
export function getMany(
  table: HashMapTable,
  keys: unknown,
  out: unknown,
  found: Uint8Array | undefined,
): unknown {
  table.beforeRead();
  const list = keyList(table, keys);
  const count = list.length;
  const { native: column, list: sink, result } = output(out, count, table.valueType);
  if (found !== undefined && found.length < count)
    throw rangeError(`found holds ${found.length} of ${count} results`);
  if (isPlain(table) && column !== undefined && !Array.isArray(list)) {
    gather(table, column, found, count, (values, flags) =>
      native().hashmapGetMany(table.region.bytes, list, values, flags),
    );
    return result;
  }
  const target = (sink ?? column) as unknown[];
  for (let i = 0; i < count; i++) {
    const value = table.lookUp(list[i]);
    if (found !== undefined) found[i] = value === MISSING ? 0 : 1;
    if (value !== MISSING) target[i] = value;
  }
  return result;
}

/** As {@link getMany}; returns 1 for each key that exists, and 0 for each that is missing. */
export function getManyFound(table: HashMapTable, keys: unknown, out: unknown): Uint8Array {
  table.beforeRead();
  const length = countOf(keys);
  const list = length === undefined ? toArray(keys, 'keys', (key) => table.checkKey(key)) : keys;
  const found = new Uint8Array(length ?? (list as unknown[]).length);
  getMany(table, list, out, found);
  return found;
}

/** The number of items, if it is known without running user code. */
function countOf(items: unknown): number | undefined {
  return isTypedArray(items) ? intrinsicLength(items as AnyTypedArray) : undefined;
}

/** Fills `out` with the values that handles name. Returns the array that it filled. */
export function getManyByHandle(table: HashMapTable, handles: unknown, out: unknown): unknown {
  table.beforeRead();
  const list = handleList(handles);
  const { native: column, list: sink, result } = output(out, list.length, table.valueType);
  if (hasColumn(table.valueType) && column !== undefined) {
    gather(table, column, undefined, list.length, (values, flags) =>
      native().hashmapGetManyByHandle(table.region.bytes, list, values, flags),
    );
    return result;
  }
  const target = (sink ?? column) as unknown[];
  for (let i = 0; i < list.length; i++) {
    const value = table.read(() => {
      const position = positionOf(table, list[i]);
      return position < 0 ? MISSING : table.valueAt(position);
    });
    if (value !== MISSING) target[i] = value;
  }
  return result;
}

/**
 * A native gather. A reader of another thread's region gathers into a copy, and takes over only the
 * values found in a pass that no rearrangement disturbed, so that `out` keeps its values where a
 * key is missing.
 */
function gather(
  table: HashMapTable,
  out: AnyTypedArray,
  found: Uint8Array | undefined,
  count: number,
  call: (values: AnyTypedArray, found: Uint8Array | undefined) => void,
): void {
  if (table.role === OWNER || table.region.origin === 'file') {
    table.read(() => call(out, found));
    return;
  }
  const values = out.slice(0, count) as AnyTypedArray;
  const flags = new Uint8Array(count);
  table.read(() => call(values, flags));
  for (let i = 0; i < count; i++) if (flags[i] !== 0) (out as unknown as unknown[])[i] = values[i];
  found?.set(flags);
}

/** 1 for each key that exists, 0 for each that is missing. */
export function hasMany(table: HashMapTable, keys: unknown): Uint8Array {
  table.beforeRead();
  const list = keyList(table, keys);
  const found = new Uint8Array(list.length);
  if (isNumeric(table.keyType) && !Array.isArray(list)) {
    table.read(() => native().hashmapHasMany(table.region.bytes, list, found));
    return found;
  }
  for (let i = 0; i < list.length; i++) found[i] = table.hasSlow(list[i]) ? 1 : 0;
  return found;
}

/** Sets `keys[i]` to `values[i]` for all i, in order. */
export function setMany(table: HashMapTable, keys: unknown, values: unknown): void {
  table.beforeRead();
  const { valueType } = table;
  const list = keyList(table, keys);
  const count = list.length;
  const texts: string[] | undefined = valueType === TYPE.json ? [] : undefined;
  if (texts !== undefined) toArray(values, 'values', (value) => texts.push(jsonText(value)), count);
  const valueList =
    texts ??
    column(values, valueType, 'values', (value) => checkValue(table, value), table.region.buffer, count);
  if (valueList.length !== count) {
    throw rangeError(`${count} keys with ${valueList.length} values`);
  }
  // Both lists are copies or typed arrays by now: no user code runs from here on.
  table.beforeWrite();
  if (isPlain(table) && !Array.isArray(list) && !Array.isArray(valueList)) {
    for (let done = 0, attempts = 0; ;) {
      const next = native().hashmapSetMany(table.region.bytes, list, valueList, done);
      if (next >= count) return;
      if (next === done && attempts++ === MAX_ATTEMPTS) throw remainsFull();
      if (next !== done) attempts = 0;
      done = next;
      // All remaining keys may be new, but to make room for all of them at once would waste memory
      // if they are not.
      makeRoom(table, 1, 0);
    }
  }
  for (let i = 0; i < count; i++) {
    if (texts !== undefined) putJson(table, list[i], texts[i]);
    else put(table, list[i], valueType === TYPE.bool ? valueList[i] !== 0 : valueList[i]);
  }
}

/** Deletes many keys. Returns how many of them existed. */
export function deleteMany(table: HashMapTable, keys: unknown): number {
  table.beforeRead();
  const list = keyList(table, keys);
  table.beforeWrite();
  if (isNumeric(table.keyType) && table.anyValues === undefined && !Array.isArray(list)) {
    return native().hashmapDeleteMany(table.region.bytes, list);
  }
  let deleted = 0;
  for (let i = 0; i < list.length; i++) {
    const position = table.find(list[i]);
    if (position < 0) continue;
    remove(table, position);
    deleted++;
  }
  return deleted;
}

/** Handles of keys; −1 for those that are missing. */
export function handlesOf(table: HashMapTable, keys: unknown): Float64Array {
  table.beforeRead();
  const list = keyList(table, keys);
  const out = new Float64Array(list.length);
  if (isNumeric(table.keyType) && !Array.isArray(list) && table.role === OWNER) {
    native().hashmapHandlesOf(table.region.bytes, list, out);
    return out;
  }
  for (let i = 0; i < list.length; i++) out[i] = handleOf(table, list[i]) ?? -1;
  return out;
}
