/**
 * Operations on many keys. If keys and values are plain numbers, the whole call crosses into native
 * code once; otherwise it is a loop over the single operations.
 */
import { rangeError } from '../errors.js';
import { native } from '../native.js';
import { column, handleList, output, toArray } from '../region/arguments.js';
import { isNumeric, TYPE, type Column, type ElementType, type JsType } from '../region/element.js';
import type { AnyTypedArray } from '../region/typed-array.js';
import { calls } from './diagnostics.js';
import { checkLength } from './keys.js';
import { isPresent, lookUp, MISSING, readHandle } from './read.js';
import type { ValueOf, ValueType, KeyType } from './schema.js';
import type { SharedMapTable } from './table.js';
import { rawOf, typeOf } from './values.js';
import { MODE, writeRaw } from './write.js';

type Value<T extends KeyType | ValueType> = T extends KeyType
  ? JsType<T>
  : T extends ValueType
    ? ValueOf<T>
    : never;
type ColumnOf<T extends KeyType | ValueType> = T extends ElementType ? Column<T> : never;
/** Keys or values for a bulk call: a typed array of the type is fastest. */
export type Items<T extends KeyType | ValueType> = ColumnOf<T> | Iterable<Value<T>> | ArrayLike<Value<T>>;
/** The target of a bulk read: a typed array of the type, or any array. */
export type Output<V extends ValueType> = ColumnOf<V> | ValueOf<V>[];

function keyList(
  table: SharedMapTable,
  keys: unknown,
  check: (key: unknown) => void = (key) => table.encode(key),
): AnyTypedArray | unknown[] {
  return column(keys, table.keyType, 'keys', check, table.region.buffer);
}

/** Whether values are numbers, so that a typed array can have them. */
function hasColumns(table: SharedMapTable): boolean {
  return table.valueWords !== 0;
}

export function getMany(table: SharedMapTable, keys: unknown, out: unknown): unknown {
  const list = keyList(table, keys);
  const count = list.length;
  const { native: target, list: sink, result } = output(out, count, table.valueType);
  if (hasColumns(table) && isNumeric(table.keyType) && target !== undefined && !Array.isArray(list)) {
    calls().sharedmapGetMany(table.id, list, target, undefined);
    return result;
  }
  const values = (sink ?? target) as unknown[];
  for (let i = 0; i < count; i++) {
    table.encode(list[i]);
    const value = lookUp(table, true);
    if (value !== MISSING) values[i] = value;
  }
  return result;
}

export function setMany(table: SharedMapTable, keys: unknown, values: unknown): void {
  const list = keyList(table, keys, (key) => {
    table.encode(key);
    checkLength(table);
  });
  const count = list.length;
  if (hasColumns(table)) {
    const items = column(values, table.valueType, 'values', checkValue, table.region.buffer, count);
    if (items.length !== count) throw unequal(count, items.length);
    table.checkChange();
    // With a chooser one by one, so that it makes room for each.
    if (!Array.isArray(list) && !Array.isArray(items) && table.chooser === undefined) {
      calls().sharedmapSetMany(table.id, list, items);
      return;
    }
    for (let i = 0; i < count; i++) store(table, list[i], table.valueType, valueOf(table, items[i]));
    return;
  }
  const types: number[] = [];
  const raw: unknown[] = [];
  const check = (value: unknown): void => {
    const type = typeOf(table, value);
    raw.push(rawOf(type, value));
    types.push(type);
  };
  toArray(values, 'values', check, count);
  if (raw.length !== count) throw unequal(count, raw.length);
  for (let i = 0; i < count; i++) store(table, list[i], types[i], raw[i]);

  function checkValue(value: unknown): void {
    rawOf(table.valueType, value);
  }
}

/** An element of a column: booleans are 0 and 1 there. */
function valueOf(table: SharedMapTable, item: unknown): unknown {
  return table.valueType === TYPE.bool ? item === 1 || item === true : item;
}

function store(table: SharedMapTable, key: unknown, type: number, raw: unknown): void {
  writeRaw(table, key, type, raw, NaN, MODE.set, 0, false);
}

function unequal(keys: number, values: number): Error {
  return rangeError(`${keys} keys with ${values} values`);
}

export function hasMany(table: SharedMapTable, keys: unknown): Uint8Array {
  const list = keyList(table, keys);
  const found = new Uint8Array(list.length);
  for (let i = 0; i < list.length; i++) {
    table.encode(list[i]);
    found[i] = isPresent(table) ? 1 : 0;
  }
  return found;
}

export function deleteMany(table: SharedMapTable, keys: unknown): number {
  const list = keyList(table, keys);
  table.checkChange();
  if (!Array.isArray(list)) return calls().sharedmapDeleteMany(table.id, list);
  let count = 0;
  for (const key of list) {
    if (table.prepareLookup(key)) count += calls().sharedmapDelete(table.id);
  }
  return count;
}

export function handlesOf(table: SharedMapTable, keys: unknown): Float64Array {
  const list = keyList(table, keys);
  const handles = new Float64Array(list.length);
  for (let i = 0; i < list.length; i++) {
    const handle = table.prepareLookup(list[i]) ? native().sharedmapHandleOf(table.id) : 0;
    handles[i] = handle === 0 ? -1 : handle;
  }
  return handles;
}

export function getManyByHandle(table: SharedMapTable, handles: unknown, out: unknown): unknown {
  const list = handleList(handles);
  const { native: target, list: sink, result } = output(out, list.length, table.valueType);
  const values = (sink ?? target) as unknown[];
  for (let i = 0; i < list.length; i++) {
    const handle = list[i];
    const value = handle >= 0 ? readHandle(table, handle) : MISSING;
    if (value !== MISSING) values[i] = value;
  }
  return result;
}
