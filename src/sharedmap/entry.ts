/** Operations that read an entry with its properties, and change it if it has not changed since. */
import { offheapError, typeError } from '../errors.js';
import { normalized } from '../region/map-like.js';
import { describe } from '../region/options.js';
import { calls } from './diagnostics.js';
import { DOUBLES } from './message.js';
import { lookUp, MISSING, resultOf } from './read.js';
import { readExpiry } from './schema.js';
import type { SharedMapTable } from './table.js';
import { MODE, STORED, write } from './write.js';

/** The result of {@link SharedMap.entry}. */
export interface Entry<V> {
  value: V;
  /** For `compareAndSet`. It differs after each change, and after a deletion and an insertion. */
  version: number;
  /** Milliseconds since 1970; `Infinity`: never. */
  expiresAt: number;
  /** Bytes of the entry, without its part of the index. */
  bytes: number;
}

/** Attempts of {@link update} to store a value before another participant changes the key. */
const MAX_UPDATES = 1000;

/** The value of a key with its properties; see {@link SharedMap.entry}. */
export function entryOf(table: SharedMapTable, key: unknown): Entry<unknown> | undefined {
  if (!table.prepareLookup(key)) return undefined;
  const found = table.call(() => calls().sharedmapGet(table.id, true));
  if (found === 0) return undefined;
  const { doubles } = table.message;
  const expiresAt = doubles[DOUBLES.resultExpiresAt];
  const version = doubles[DOUBLES.resultVersion];
  const bytes = doubles[DOUBLES.resultBytes];
  return { value: resultOf(table), version, expiresAt: expiresAt === 0 ? Infinity : expiresAt, bytes };
}

/** Gives an entry a new time of expiry; see {@link SharedMap.touch}. */
export function touch(table: SharedMapTable, key: unknown, options: unknown): boolean {
  const expiresAt = readExpiry(options);
  if (Number.isNaN(expiresAt)) throw typeError('touch needs a ttl or expiresAt');
  table.checkChange();
  if (!table.prepareLookup(key)) return false;
  table.message.doubles[DOUBLES.expiresAt] = expiresAt === Infinity ? 0 : expiresAt;
  return table.change(() => calls().sharedmapTouch(table.id)) !== 0;
}

/** The value of a key; if it is absent, the result of `compute` is inserted first. */
export function getOrAdd(table: SharedMapTable, key: unknown, compute: (key: never) => unknown): unknown {
  table.encode(key);
  const found = lookUp(table, true);
  if (found !== MISSING) return found;
  const value = compute(normalized(key) as never);
  write(table, key, value, undefined, MODE.add, 0);
  table.encode(key);
  const stored = lookUp(table, false);
  // Another participant may have deleted it, or it was evicted.
  return stored === MISSING ? value : stored;
}

/** Sets a key to the result of `change`; see {@link SharedMap.update}. */
export function update(
  table: SharedMapTable,
  key: unknown,
  change: (value: unknown, key: never) => unknown,
): unknown {
  for (let attempt = 0; attempt < MAX_UPDATES; attempt++) {
    const before = entryOf(table, key);
    const value = change(before?.value, normalized(key) as never);
    const version = before?.version ?? 0;
    const done = write(table, key, value, undefined, MODE.compare, version, version !== 0);
    if ((done & STORED) !== 0) return value;
  }
  throw offheapError(
    'ERR_OFFHEAP_CONFLICT',
    `${describe(key)} was changed during each of ${MAX_UPDATES} attempts to update it`,
  );
}
