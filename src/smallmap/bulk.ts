/**
 * Bulk calls: one crossing into Rust for many lookups or insertions, with SIMD search and
 * prefetching. Strings are replaced by ids on this side.
 */
import { isFloat64Array, isUint32Array } from 'node:util/types';
import { rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { column, hasColumn, output, toArray } from '../region/arguments.js';
import { TYPE } from '../region/element.js';
import { describe } from '../region/options.js';
import { OWNER } from '../region/table.js';
import { intrinsicLength, type AnyTypedArray } from '../region/typed-array.js';
import type { ArenaTable } from './arena-table.js';
import { checkKey, checkValue } from './columns.js';
import { putChecked } from './entries.js';

/** The id that native code receives for a string that the arena does not contain. */
const NO_STRING = 0xffffffff;

/** See `SmallMapArena.getMany`. */
export function getMany(table: ArenaTable, ids: unknown, keys: unknown, out: unknown): unknown {
  const idList = toIds(table, ids);
  const keyList = toKeys(table, keys);
  const count = intrinsicLength(idList);
  if (keyList.length !== count) throw rangeError(`${count} ids with ${keyList.length} keys`);
  const sink = output(out, count, table.valueType);
  const text = table.valueType === TYPE.string;
  if (hasColumn(table.valueType) && sink.native !== undefined && table.role === OWNER) {
    native().smallmapArenaGetMany(
      table.region.bytes,
      idList,
      nativeKeys(table, keyList),
      sink.native,
      undefined,
    );
    return sink.result;
  }
  // Read into private arrays. Only values found in a pass that no rearrangement disturbed are
  // copied to `out`.
  const found = new Uint8Array(count);
  const values = table.readStable(() => {
    const raw = text ? new Uint32Array(count) : emptyColumn(table, count);
    native().smallmapArenaGetMany(table.region.bytes, idList, nativeKeys(table, keyList), raw, found);
    if (!text) return raw;
    return Array.from(raw as Uint32Array, (id, i) => (found[i] === 0 ? '' : table.strings!.text(id)));
  });
  const target = (sink.list ?? sink.native) as unknown[];
  const bool = table.valueType === TYPE.bool && sink.native === undefined;
  for (let i = 0; i < count; i++) if (found[i] !== 0) target[i] = bool ? values[i] !== 0 : values[i];
  return sink.result;
}

/** See `SmallMapArena.setMany`. */
export function setMany(table: ArenaTable, ids: unknown, keys: unknown, values: unknown): void {
  const idList = toIds(table, ids);
  const keyList = toKeys(table, keys);
  const valueList = column(
    values,
    table.valueType,
    'values',
    (value) => checkValue(table, value),
    table.region.buffer,
  );
  const count = intrinsicLength(idList);
  if (keyList.length !== count || valueList.length !== count) {
    throw rangeError(`${count} ids with ${keyList.length} keys and ${valueList.length} values`);
  }
  // The lists are private or plain numbers by now: no user code runs from here on.
  table.beforeWrite();
  const bool = table.valueType === TYPE.bool;
  if (table.strings !== undefined) {
    for (let i = 0; i < count; i++) table.mapOf(idList[i]);
    for (let i = 0; i < count; i++) {
      putChecked(table, idList[i], keyList[i], bool ? valueList[i] !== 0 : valueList[i]);
    }
    return;
  }
  for (let done = 0; ;) {
    done = table.changes.enabled
      ? done
      : native().smallmapArenaSetMany(
          table.region.bytes,
          idList,
          keyList as AnyTypedArray,
          valueList as AnyTypedArray,
          done,
        );
    if (done >= count) return;
    // Native code stopped at an entry for which the arena was full: insert that one here, which
    // makes room. While an iteration is in progress every change is logged, so all are made here.
    table.mapOf(idList[done]);
    putChecked(table, idList[done], keyList[done], bool ? valueList[done] !== 0 : valueList[done]);
    if (++done >= count) return;
  }
}

/** Converts ids to the form that native code accepts. */
function toIds(table: ArenaTable, ids: unknown): Float64Array | Uint32Array {
  if (isFloat64Array(ids)) {
    return column(ids, TYPE.f64, 'ids', () => undefined, table.region.buffer) as Float64Array;
  }
  if (isUint32Array(ids)) {
    return column(ids, TYPE.u32, 'ids', () => undefined, table.region.buffer) as Uint32Array;
  }
  const list = toArray(ids, 'ids', (id) => {
    if (typeof id !== 'number') throw typeError(`a map id must be a number, not ${describe(id)}`);
  });
  return Float64Array.from(list as number[]);
}

function toKeys(table: ArenaTable, keys: unknown): AnyTypedArray | unknown[] {
  return column(keys, table.keyType, 'keys', (key) => checkKey(table, key), table.region.buffer);
}

function emptyColumn(table: ArenaTable, count: number): AnyTypedArray {
  return output(undefined, count, table.valueType).native!;
}

/**
 * Converts keys to the form that native code accepts: strings become ids, or {@link NO_STRING} if
 * the arena does not contain them.
 */
function nativeKeys(table: ArenaTable, keys: AnyTypedArray | unknown[]): AnyTypedArray {
  if (table.keyType !== TYPE.string) return keys as AnyTypedArray;
  const strings = table.strings!;
  return Uint32Array.from(keys as string[], (key) => {
    const id = strings.find(key);
    return id < 0 ? NO_STRING : id;
  });
}
