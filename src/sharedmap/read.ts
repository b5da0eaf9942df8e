/**
 * Reading the entry of the key, or the handle, in flight. See `table.ts` for the protocol.
 */
import { native } from '../native.js';
import type { TextBuffer } from '../region/blob.js';
import { SHARED_TYPE, TYPE } from '../region/element.js';
import { calls } from './diagnostics.js';
import { decodeNumber } from './keys.js';
import { FLAG } from './layout.js';
import { PAYLOAD, WORDS } from './message.js';
import { ABSENT, MAX_ATTEMPTS, type SharedMapTable } from './table.js';
import { decode } from './values.js';

/** The result of a lookup of an absent key. */
export const MISSING = Symbol('missing');

/** Constants of hot code, as constants of this module: V8 folds those, but not imported ones. */
const F64 = TYPE.f64;
const STRING = TYPE.string;
const MIXED = SHARED_TYPE.mixed;
const IS_ABSENT = ABSENT;
const NOT_FOUND = MISSING;
const UNREADABLE = Symbol('unreadable');

/** Copies of bytes that others may overwrite. A large one is not kept. */
let copies = Buffer.allocUnsafeSlow(4096) as TextBuffer;
const KEPT = 1 << 18;

/**
 * The value of the key in flight, or {@link MISSING}. `counted`: counts a hit or a miss, and tells
 * the policy.
 */
export function lookUp(table: SharedMapTable, counted: boolean): unknown {
  let at = table.locate();
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (at === IS_ABSENT) {
      if (table.isValid()) {
        if (counted) table.recordMiss();
        return NOT_FOUND;
      }
    } else if (!table.isLive(at)) {
      if (table.isValid()) {
        if (counted) table.recordMiss();
        return NOT_FOUND;
      }
    } else {
      const value = valueAt(table, at);
      if (table.isValid() && value !== UNREADABLE) {
        if (counted) table.recordHit();
        return value instanceof Pending ? value.decode() : value;
      }
    }
    at = table.locate();
  }
  return readLocked(table, counted);
}

/** Whether the key in flight is present. Counts nothing. */
export function isPresent(table: SharedMapTable): boolean {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const at = table.locate();
    const found = at !== IS_ABSENT && table.isLive(at);
    if (table.isValid()) return found;
  }
  return readLocked(table, false) !== NOT_FOUND;
}

/** A value whose bytes were copied, and are parsed after validation. */
class Pending {
  constructor(
    private readonly type: number,
    private readonly encoding: number,
    private readonly bytes: TextBuffer,
    private readonly length: number,
  ) {}

  decode(): unknown {
    return decode(this.type, this.encoding, this.bytes, 0, this.length);
  }
}

/** The value of the entry at a word; it may be torn. */
function valueAt(table: SharedMapTable, at: number): unknown {
  const { words, valueType } = table;
  const second = words[at + 1];
  const content = second < 0 ? table.contentAt(at) : at + 2;
  if (table.valueWords !== 0) {
    if (valueType === F64) return table.doubles[content >> 1];
    return fixedValue(table, content);
  }
  const flags = second < 0 ? words[at + 2] : 0;
  const keyByte = words[at] >>> 24;
  let keyBytes = 8;
  if (table.keyClass === 0) keyBytes = 4;
  else if (table.keyClass === 2) keyBytes = keyByte >>> 2 === 63 ? words[at + 3] >>> 2 : keyByte >>> 2;
  let head = (second >>> 22) & 0xff;
  if (head >>> 2 === 63) head = words[at + 3 + ((flags & 2) >> 1)]!;
  const start = content + ((keyBytes + 3) >>> 2);
  const length = head >>> 2;
  if ((flags & FLAG.chained) !== 0) return chained(table, words[start], head, flags);
  const from = start << 2;
  const { bytes } = table;
  if (from + length > bytes.length) return UNREADABLE;
  if (valueType === STRING && (head & 3) === 0) return bytes.latin1Slice(from, from + length);
  return copyOf(table, from, length, head & 3, flags);
}

function fixedValue(table: SharedMapTable, at: number): unknown {
  const { words, valueType } = table;
  return table.valueWords === 2 ? decodeNumber(valueType, words, at) : table.narrowValue(words, at);
}

function room(length: number): TextBuffer {
  if (copies.length >= length) return copies;
  const bytes = Buffer.allocUnsafeSlow(Math.max(length, 2 * copies.length)) as TextBuffer;
  if (bytes.length <= KEPT) copies = bytes;
  return bytes;
}

function copyOf(
  table: SharedMapTable,
  from: number,
  length: number,
  encoding: number,
  flags: number,
): unknown {
  const copy = room(length);
  const { bytes } = table;
  if (length > 64) copy.set(bytes.subarray(from, from + length));
  else for (let i = 0; i < length; i++) copy[i] = bytes[from + i]!;
  return new Pending(typeOf(table, flags), encoding, copy, length);
}

function typeOf(table: SharedMapTable, flags: number): number {
  return table.valueType === MIXED ? (flags >>> 8) & 0xff : table.valueType;
}

/** A value in chunks. */
function chained(table: SharedMapTable, first: number, head: number, flags: number): unknown {
  const { words, bytes } = table;
  const length = head >>> 2;
  if (length > bytes.length) return UNREADABLE;
  const copy = room(length);
  let chunk = first;
  for (let done = 0; done < length;) {
    const at = chunk << 1;
    const count = words[at + 4] ?? 0;
    const from = (at + 6) << 2;
    if (words[at] !== 0xfffffe || count <= 0 || count > length - done || from + count > bytes.length) {
      return UNREADABLE;
    }
    copy.set(bytes.subarray(from, from + count), done);
    done += count;
    chunk = words[at + 3]!;
  }
  return new Pending(typeOf(table, flags), head & 3, copy, length);
}

/** Reads the key in flight in native code, which takes the lock if it has to. */
export function readLocked(table: SharedMapTable, counted: boolean): unknown {
  const found = table.call(() => {
    table.putKey();
    return calls().sharedmapGet(table.id, !counted);
  });
  return found === 0 ? NOT_FOUND : resultOf(table);
}

/** The value that native code returned in the message. */
export function resultOf(table: SharedMapTable): unknown {
  const { message } = table;
  const { words } = message;
  const type = table.valueType === MIXED ? words[WORDS.resultType] : table.valueType;
  const head = words[WORDS.resultHead];
  const value = decode(type, head & 3, message.bytes, PAYLOAD, PAYLOAD + (head >>> 2));
  message.trim();
  return value;
}

/** The entry of a handle: as {@link SharedMapTable.locate}, by tag and birth. */
export function locateHandle(table: SharedMapTable, handle: number): number {
  const birth = Math.floor(handle / 2 ** 31);
  table.hash = (handle % 2 ** 31) | 0;
  table.birth = birth;
  return table.locateBirth();
}

/** Whether a handle is valid. Counts nothing. */
export function isValidHandle(table: SharedMapTable, handle: number): boolean {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const at = locateHandle(table, handle);
    const isLive = at !== IS_ABSENT && table.isLive(at);
    if (table.isValid()) return isLive;
  }
  return table.call(() => native().sharedmapKeyByHandle(table.id, handle)) !== 0;
}

/** The value of a handle, or {@link MISSING} if it is stale. */
export function readHandle(table: SharedMapTable, handle: number): unknown {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const at = locateHandle(table, handle);
    const value = at !== IS_ABSENT && table.isLive(at) ? valueAt(table, at) : NOT_FOUND;
    if (table.isValid() && value !== UNREADABLE) {
      if (value === NOT_FOUND) table.recordMiss();
      else table.recordHit();
      return value instanceof Pending ? value.decode() : value;
    }
  }
  const found = table.call(() => calls().sharedmapGetByHandle(table.id, handle));
  return found === 0 ? NOT_FOUND : resultOf(table);
}
