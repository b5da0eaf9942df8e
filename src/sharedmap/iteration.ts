/**
 * Iteration: native code visits a few buckets at a time and returns their entries in the message,
 * from which they are decoded at once, before any other call uses it.
 */
import { IteratorPrototype } from '../region/iteration.js';
import { SHARED_TYPE, WIDTHS } from '../region/element.js';
import { calls } from './diagnostics.js';
import { decodeNumber } from './keys.js';
import { DOUBLES, PAYLOAD } from './message.js';
import { closed, type SharedMapTable } from './table.js';
import { decode } from './values.js';

/** The result of {@link SharedMap.scan}. */
export interface ScanResult<K> {
  /** Where to continue; 0 at the end. */
  cursor: number;
  keys: K[];
}

/** Entries of one call. */
const BATCH = 64;
const ENTRY_HEADER = 24;

/**
 * Calls `visit` with about `limit` entries from a cursor on. Returns the next cursor, 0 at the end.
 */
function step(
  table: SharedMapTable,
  cursor: number,
  values: boolean,
  limit: number,
  visit: (key: unknown, value: unknown) => void,
): number {
  const { message } = table;
  const count = table.call(() => {
    message.doubles[DOUBLES.expiresAt] = cursor;
    return calls().sharedmapScan(table.id, values, limit);
  });
  const { words, doubles, bytes } = message;
  const next = doubles[DOUBLES.expiresAt];
  const valueType = table.valueType;
  let at = PAYLOAD;
  for (let i = 0; i < count; i++) {
    const keyHead = words[at >> 2];
    const valueHead = words[(at >> 2) + 1];
    const own = words[(at >> 2) + 2];
    const keyAt = at + ENTRY_HEADER;
    const keyLength = table.keyClass === 2 ? keyHead >>> 2 : 8;
    const key = table.keyOf(keyHead, keyAt);
    at = keyAt + ((keyLength + 7) & ~7);
    let value: unknown;
    if (values) {
      const length = table.valueWords === 0 ? valueHead >>> 2 : 8;
      if (table.valueWords === 0) {
        const type = valueType === SHARED_TYPE.mixed ? own : valueType;
        value = decode(type, valueHead & 3, bytes, at, at + length);
      } else {
        value =
          table.valueWords === 2
            ? decodeNumber(valueType, words, at >> 2)
            : table.narrowValue(words, at >> 2);
      }
      at += (length + 7) & ~7;
    }
    visit(key, value);
  }
  return next;
}

/** Calls `visit` with the bytes of key and value of each entry. */
export function visitSizes(table: SharedMapTable, visit: (bytes: number) => void): void {
  const { message } = table;
  const keyWidth = table.keyClass === 0 ? 4 : 8;
  const valueWidth = WIDTHS[table.valueType] ?? 0;
  let cursor = 0;
  do {
    const count = table.call(() => {
      message.doubles[DOUBLES.expiresAt] = cursor;
      return calls().sharedmapScan(table.id, false, BATCH);
    });
    const { words } = message;
    let at = PAYLOAD;
    for (let i = 0; i < count; i++) {
      const keyHead = words[at >> 2];
      const valueHead = words[(at >> 2) + 1];
      const key = table.keyClass === 2 ? keyHead >>> 2 : keyWidth;
      visit(key + (table.valueWords === 0 ? valueHead >>> 2 : valueWidth));
      at += ENTRY_HEADER + (table.keyClass === 2 ? (key + 7) & ~7 : 8);
    }
    cursor = message.doubles[DOUBLES.expiresAt];
  } while (cursor !== 0);
  message.trim();
}

export function scan(table: SharedMapTable, cursor: number, count: number): ScanResult<unknown> {
  const keys: unknown[] = [];
  const next = step(table, cursor, false, count, (key) => keys.push(key));
  table.message.trim();
  return { cursor: next, keys };
}

/** An iterator over all entries. It may be left at any time; it holds no resources. */
export function iterate<T>(
  table: SharedMapTable,
  values: boolean,
  make: (key: unknown, value: unknown) => T,
): IterableIterator<T> {
  let batch: T[] = [];
  let index = 0;
  let cursor = 0;
  let isLast = false;
  const iterator = {
    next(): IteratorResult<T, undefined> {
      while (index === batch.length) {
        if (isLast) return { done: true, value: undefined };
        if (!table.isOpen) throw closed();
        const found: T[] = [];
        cursor = step(table, cursor, values, BATCH, (key, value) => found.push(make(key, value)));
        table.message.trim();
        isLast = cursor === 0;
        batch = found;
        index = 0;
      }
      return { done: false, value: batch[index++] };
    },
  };
  return Object.setPrototypeOf(iterator, IteratorPrototype) as IterableIterator<T>;
}
