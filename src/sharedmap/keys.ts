/**
 * Keys in flight: checked, encoded and hashed. A key is kept in the fields of the table and in a
 * scratch of this module between {@link encodeKey} and the lookup or call that follows.
 */
import { isUint8Array } from 'node:util/types';
import { rangeError } from '../errors.js';
import { Scratch } from '../region/blob.js';
import { badElement, TYPE } from '../region/element.js';
import { hashNarrow, hashWide } from '../region/hash.js';
import { PAYLOAD, WORDS, type Message } from './message.js';

/** The key in flight, and the properties of the map that it depends on. */
export interface KeyState {
  readonly keyType: number;
  readonly keyClass: number;
  readonly seed0: number;
  readonly seed1: number;
  readonly multiplier0: number;
  readonly multiplier1: number;
  /** The bytes that a key may have. */
  readonly maxKey: number;
  /** Its word or words, or the head of a blob. */
  low: number;
  high: number;
  hash: number;
}

/** How keys are compared. */
export const NARROW = 0;
export const WIDE = 1;
export const BLOB = 2;

const wideNumber = new Float64Array(1);
const wideWords = new Int32Array(wideNumber.buffer);
const wideInteger = new BigInt64Array(wideNumber.buffer);
const NAN_BITS = 0x7ff8000000000000n;

/** The blob key in flight. */
export const keyScratch = new Scratch();

/** Checks a key, and leaves it and its hash in the table. */
export function encodeKey(table: KeyState, key: unknown): void {
  const { seed0, seed1 } = table;
  switch (table.keyType) {
    case TYPE.u32:
      if (typeof key !== 'number' || key >>> 0 !== key) throw badKey(table, key);
      table.low = key | 0;
      table.hash = hashNarrow(key, 0, seed0, seed1);
      return;
    case TYPE.i32:
      if (typeof key !== 'number' || (key | 0) !== key) throw badKey(table, key);
      table.low = key;
      table.hash = hashNarrow(key, 0, seed0, seed1);
      return;
    case TYPE.f64:
      if (typeof key !== 'number') throw badKey(table, key);
      if (key !== key) wideInteger[0] = NAN_BITS;
      else wideNumber[0] = key + 0; // -0 + 0 is 0
      return wide(table);
    case TYPE.u64:
      if (typeof key !== 'bigint' || BigInt.asUintN(64, key) !== key) throw badKey(table, key);
      wideInteger[0] = key;
      return wide(table);
    case TYPE.i64:
      if (typeof key !== 'bigint' || BigInt.asIntN(64, key) !== key) throw badKey(table, key);
      wideInteger[0] = key;
      return wide(table);
    case TYPE.string:
      if (typeof key !== 'string') throw badKey(table, key);
      keyScratch.string(key);
      break;
    default:
      if (!isUint8Array(key)) throw badKey(table, key);
      keyScratch.byteSequence(key);
  }
  table.low = keyScratch.words[0]!;
  table.hash = keyScratch.hash(seed0, seed1);
}

function wide(table: KeyState): void {
  const low = wideWords[0];
  const high = wideWords[1];
  table.low = low;
  table.high = high;
  table.hash = hashWide(low, high, 0, table.seed0, table.seed1, table.multiplier0, table.multiplier1);
}

/** Puts the key in flight into a message. Returns the byte at which a value may follow. */
export function putKey(table: KeyState, message: Message): number {
  if (table.keyClass === BLOB) {
    const length = keyScratch.words[0] >>> 2;
    if (length > table.maxKey) throw tooLong(table, length);
    // First, because it may replace `message.words`.
    const head = message.putBlob(keyScratch, PAYLOAD);
    message.words[WORDS.keyHead] = head;
    return PAYLOAD + ((length + 7) & ~7);
  }
  const { words } = message;
  words[PAYLOAD / 4] = table.low;
  words[PAYLOAD / 4 + 1] = table.high;
  return PAYLOAD + 8;
}

/** The key in the words of a region or message from word `at` on. */
export function decodeNumber(keyType: number, words: Int32Array, at: number): number | bigint {
  switch (keyType) {
    case TYPE.u32:
      return words[at] >>> 0;
    case TYPE.i32:
      return words[at];
    default:
      wideWords[0] = words[at]!;
      wideWords[1] = words[at + 1]!;
      if (keyType === TYPE.f64) return wideNumber[0];
      return keyType === TYPE.u64 ? BigInt.asUintN(64, wideInteger[0]) : wideInteger[0];
  }
}

/** Throws for a key in flight that is too long to be stored. */
export function checkLength(table: KeyState): void {
  const length = table.low >>> 2;
  if (table.keyClass === BLOB && length > table.maxKey) throw tooLong(table, length);
}

function tooLong(table: KeyState, length: number): Error {
  return rangeError(`a key of this map has at most ${table.maxKey} bytes, not ${length}`);
}

function badKey(table: KeyState, key: unknown): Error {
  return badElement('a key of this map', table.keyType, key);
}
