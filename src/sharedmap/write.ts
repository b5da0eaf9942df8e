/**
 * Changes: each puts its key and value into the message of the attachment and makes one native
 * call, which locks one shard.
 *
 * Code of the caller's (getters of options, `toJSON`) may use the map, close it, or change the
 * bytes of a key, so it runs first: after that nothing comes between the key's encoding and the
 * call.
 */
import { typeError } from '../errors.js';
import { TYPE } from '../region/element.js';
import { describe } from '../region/options.js';
import { calls } from './diagnostics.js';
import { DOUBLES, PAYLOAD, WORDS } from './message.js';
import { EXPIRY, readExpiry } from './schema.js';
import type { SharedMapTable } from './table.js';
import { putRaw, rawOf, typeOf } from './values.js';

/** Conditions of a write, as in `oh_sharedmap_write`. */
export const MODE = { set: 0, add: 1, replace: 2, compare: 3 } as const;
/** Bits of the result of a write. */
export const STORED = 1;
export const EXISTED = 2;

/**
 * Stores a value if the condition of `mode` holds. `keep`: without an expiry of its own the entry
 * keeps the one it has. Returns bits: {@link STORED}, {@link EXISTED}.
 */
export function write(
  table: SharedMapTable,
  key: unknown,
  value: unknown,
  options: unknown,
  mode: number,
  version: number,
  keep = false,
): number {
  table.checkOpen();
  const expiresAt = readExpiry(options);
  const type = typeOf(table, value);
  return writeRaw(table, key, type, rawOf(type, value), expiresAt, mode, version, keep);
}

/** As {@link write}, for a value that {@link rawOf} returned. */
export function writeRaw(
  table: SharedMapTable,
  key: unknown,
  type: number,
  raw: unknown,
  expiresAt: number,
  mode: number,
  version: number,
  keep: boolean,
): number {
  const at = table.prepare(key);
  const { message } = table;
  putRaw(table, type, raw, at);
  putExpiry(table, expiresAt, keep);
  message.doubles[DOUBLES.version] = version;
  const { chooser } = table;
  // Without a closure where there is no chooser: it would cost a tenth of the write.
  const result =
    chooser === undefined
      ? calls().sharedmapSet(table.id, mode)
      : chooser.changeOne(() => calls().sharedmapSet(table.id, mode));
  message.trim();
  return result;
}

/** Stores a value by handle. Returns bits: {@link STORED}, {@link EXISTED}. */
export function writeByHandle(
  table: SharedMapTable,
  handle: number,
  value: unknown,
  options: unknown,
): number {
  const expiresAt = readExpiry(options);
  const type = typeOf(table, value);
  const raw = rawOf(type, value);
  table.checkOpen();
  const { message } = table;
  putRaw(table, type, raw, PAYLOAD);
  putExpiry(table, expiresAt, false);
  message.doubles[DOUBLES.version] = 0;
  const { chooser } = table;
  const result =
    chooser === undefined
      ? calls().sharedmapSetByHandle(table.id, handle)
      : chooser.changeByHandle(handle, () => calls().sharedmapSetByHandle(table.id, handle));
  message.trim();
  return result;
}

function putExpiry(table: SharedMapTable, expiresAt: number, keep: boolean): void {
  const { words, doubles } = table.message;
  if (expiresAt !== expiresAt) {
    words[WORDS.expiry] = keep ? EXPIRY.keep : EXPIRY.default;
  } else if (expiresAt === Infinity) {
    words[WORDS.expiry] = EXPIRY.never;
  } else {
    words[WORDS.expiry] = EXPIRY.at;
    doubles[DOUBLES.expiresAt] = expiresAt;
  }
}

/** Adds to the number of a key. Returns the sum. */
export function increment(table: SharedMapTable, key: unknown, by: unknown): unknown {
  const { message, valueType } = table;
  table.prepare(key);
  if (valueType === TYPE.u64 || valueType === TYPE.i64 || typeof by === 'bigint') {
    const step = by === undefined ? 1n : by;
    if (typeof step !== 'bigint') throw typeError(`the increment must be a bigint, not ${describe(step)}`);
    if (BigInt.asIntN(64, step) !== step) throw typeError('the increment must be a bigint of 64 bits');
    message.integers[DOUBLES.expiresAt] = step;
    table.change(() => calls().sharedmapIncrementInteger(table.id));
    const sum = message.integers[DOUBLES.resultVersion];
    return valueType === TYPE.u64 ? BigInt.asUintN(64, sum) : sum;
  }
  const step = by === undefined ? 1 : by;
  if (typeof step !== 'number') throw typeError(`the increment must be a number, not ${describe(step)}`);
  message.doubles[DOUBLES.expiresAt] = step;
  table.change(() => calls().sharedmapIncrement(table.id));
  return message.doubles[DOUBLES.resultVersion];
}
