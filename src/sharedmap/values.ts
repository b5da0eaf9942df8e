/**
 * Values: from JavaScript to a message, and from the bytes of a region or message to JavaScript.
 *
 * A value that is read from a region may be torn until the lookup is validated. So the bytes are
 * only copied (`read.ts`), and are parsed ({@link decode}) after that.
 */
import { deserialize, serialize } from 'node:v8';
import { isUint8Array } from 'node:util/types';
import { messageOf, typeError } from '../errors.js';
import { ENCODING, jsonText, readText, Scratch, type TextBuffer } from '../region/blob.js';
import { badElement, isElement, SHARED_TYPE, TYPE } from '../region/element.js';
import { corrupt } from '../region/format.js';
import { describe } from '../region/options.js';
import { WORDS, type Message } from './message.js';
import type { SharedMapTable } from './table.js';

const scratch = new Scratch();
const { structured: STRUCTURED, mixed: MIXED } = SHARED_TYPE;

/** The type of a stored value: the map's, or the value's own in a map of mixed values. */
export function typeOf(table: SharedMapTable, value: unknown): number {
  return table.valueType === MIXED ? mixedType(value) : table.valueType;
}

/**
 * Checks a value, and runs its own code: JSON becomes text, and a structured value becomes bytes.
 * Other values stay as they are.
 */
export function rawOf(type: number, value: unknown): unknown {
  switch (type) {
    case TYPE.json:
      return jsonText(value);
    case STRUCTURED:
      return serialized(value);
    default:
      if (!isElement(value, type)) throw badElement('a value of this map', type, value);
      return value;
  }
}

/** Puts what {@link rawOf} returned into the message at byte `at`. Runs no code of the caller's. */
export function putRaw(table: SharedMapTable, type: number, raw: unknown, at: number): void {
  const { message, valueType } = table;
  switch (type) {
    case TYPE.string:
    case TYPE.json:
      scratch.string(raw as string);
      break;
    case TYPE.bytes:
    case STRUCTURED:
      scratch.byteSequence(raw as Uint8Array);
      break;
    default:
      putNumber(message, type, raw, at);
      if (valueType === MIXED) {
        message.words[WORDS.valueHead] = ((type === TYPE.bool ? 1 : 8) << 2) | ENCODING.bytes;
        message.words[WORDS.valueType] = type;
      }
      return;
  }
  // First, because it may replace `message.words`.
  const head = message.putBlob(scratch, at);
  message.words[WORDS.valueHead] = head;
  message.words[WORDS.valueType] = valueType === MIXED ? type : 0;
  scratch.trim();
}

function putNumber(message: Message, type: number, value: unknown, at: number): void {
  message.ensure(at + 8);
  switch (type) {
    case TYPE.f64:
      message.doubles[at >> 3] = value as number;
      return;
    case TYPE.f32:
      message.bytes.writeFloatLE(value as number, at);
      return;
    case TYPE.u64:
    case TYPE.i64:
      message.integers[at >> 3] = value as bigint;
      return;
    case TYPE.bool:
      message.words[at >> 2] = value === true ? 1 : 0;
      return;
    default:
      message.words[at >> 2] = value as number;
  }
}

function mixedType(value: unknown): number {
  switch (typeof value) {
    case 'number':
      return TYPE.f64;
    case 'string':
      return TYPE.string;
    case 'boolean':
      return TYPE.bool;
    case 'bigint':
      if (isElement(value, TYPE.i64)) return TYPE.i64;
      return isElement(value, TYPE.u64) ? TYPE.u64 : STRUCTURED;
    default:
      return isUint8Array(value) ? TYPE.bytes : STRUCTURED;
  }
}

function serialized(value: unknown): Uint8Array {
  try {
    return serialize(value);
  } catch (cause) {
    throw typeError(`${describe(value)} cannot be stored: ${messageOf(cause)}; store plain data instead`, {
      cause,
    });
  }
}

/** The value of some bytes. */
export function decode(
  type: number,
  encoding: number,
  bytes: TextBuffer,
  start: number,
  end: number,
): unknown {
  switch (type) {
    case TYPE.string:
      return readText(bytes, start, end, encoding);
    case TYPE.json:
      return parse(readText(bytes, start, end, encoding));
    case TYPE.bytes:
      return new Uint8Array(bytes.subarray(start, end));
    case STRUCTURED:
      return deserialized(bytes.subarray(start, end));
    case TYPE.f64:
      return bytes.readDoubleLE(start);
    case TYPE.f32:
      return bytes.readFloatLE(start);
    case TYPE.u64:
      return bytes.readBigUInt64LE(start);
    case TYPE.i64:
      return bytes.readBigInt64LE(start);
    case TYPE.bool:
      return bytes[start] !== 0;
    case TYPE.u8:
      return bytes[start];
    case TYPE.i8:
      return bytes.readInt8(start);
    case TYPE.u16:
      return bytes.readUInt16LE(start);
    case TYPE.i16:
      return bytes.readInt16LE(start);
    case TYPE.u32:
      return bytes.readUInt32LE(start);
    case TYPE.i32:
      return bytes.readInt32LE(start);
    default:
      throw corrupt('the map', `a value of the invalid type ${type}`);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw corrupt('the map', 'a value that is not JSON');
  }
}

function deserialized(bytes: Uint8Array): unknown {
  try {
    // A copy, because the result may contain views of the bytes.
    return deserialize(new Uint8Array(bytes)) as unknown;
  } catch (cause) {
    throw corrupt('the map', `a value that V8 cannot read (${messageOf(cause)})`);
  }
}
