/**
 * Operations on many keys. If keys and values are plain numbers, the whole call crosses into native
 * code once; otherwise it is a loop over the single operations.
 */
import { rangeError } from '../errors.js';
import { native } from '../native.js';
import { column, handleList, output } from '../region/arguments.js';
import { isNumeric, type Column, type ElementType, type JsType } from '../region/element.js';
import type { AnyTypedArray } from '../region/typed-array.js';
import { isPresent, lookUp, MISSING, readHandle } from './read.js';
import type { ValueOf, ValueType, KeyType } from './schema.js';
import type { SharedMapTable } from './table.js';

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

function keyList(table: SharedMapTable, keys: unknown): AnyTypedArray | unknown[] {
  return column(keys, table.keyType, 'keys', (key) => table.encode(key), table.region.buffer);
}

function hasColumns(table: SharedMapTable): boolean {
  return isNumeric(table.keyType) && table.valueWords !== 0;
}

export function getMany(table: SharedMapTable, keys: unknown, out: unknown): unknown {
  const list = keyList(table, keys);
  const count = list.length;
  const { native: target, list: sink, result } = output(out, count, table.valueType);
  if (hasColumns(table) && target !== undefined && !Array.isArray(list)) {
    native().sharedmapGetMany(table.id, list, target, undefined);
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

export function setMany(
  table: SharedMapTable,
  keys: unknown,
  values: unknown,
  set: (key: unknown, value: unknown) => void,
): void {
  const list = keyList(table, keys);
  const count = list.length;
  if (hasColumns(table) && !Array.isArray(list)) {
    const items = column(values, table.valueType, 'values', () => undefined, table.region.buffer);
    if (items.length < count) throw rangeError(`values holds ${items.length} of ${count} values`);
    if (!Array.isArray(items)) {
      native().sharedmapSetMany(table.id, list, items);
      return;
    }
  }
  const items = Array.from(values as Iterable<unknown>);
  if (items.length < count) throw rangeError(`values holds ${items.length} of ${count} values`);
  for (let i = 0; i < count; i++) set(list[i], items[i]);
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
  if (!Array.isArray(list)) return native().sharedmapDeleteMany(table.id, list);
  let count = 0;
  for (const key of list) {
    table.prepare(key);
    count += native().sharedmapDelete(table.id);
  }
  return count;
}

export function handlesOf(table: SharedMapTable, keys: unknown): Float64Array {
  const list = keyList(table, keys);
  const handles = new Float64Array(list.length);
  for (let i = 0; i < list.length; i++) {
    table.prepare(list[i]);
    handles[i] = native().sharedmapHandleOf(table.id) || -1;
  }
  return handles;
}

export function getManyByHandle(table: SharedMapTable, handles: unknown, out: unknown): unknown {
  const list = handleList(handles);
  const { native: target, list: sink, result } = output(out, list.length, table.valueType);
  const values = (sink ?? target) as unknown[];
  for (let i = 0; i < list.length; i++) {
    const handle = list[i]!;
    const value = handle >= 0 ? readHandle(table, handle) : MISSING;
    if (value !== MISSING) values[i] = value;
  }
  return result;
}
