/**
 * Values: from JavaScript to a message, and from the bytes of a region or message to JavaScript.
 *
 * A value that is read from a region may be torn until the lookup is validated. So the bytes are
 * only copied here ({@link RawValue}), and are parsed ({@link decode}) after that.
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

/** Puts a value into a message at byte `at`. Runs user code only for `json` and `structured`. */
export function putValue(table: SharedMapTable, message: Message, value: unknown, at: number): void {
  if (table.valueType === MIXED) {
    putMixed(message, value, at);
    return;
  }
  message.words[WORDS.valueType] = 0;
  putAs(message, table.valueType, value, at);
}

/** Code that calls the user's is run before anything is put into the message. */
function putAs(message: Message, type: number, value: unknown, at: number): void {
  switch (type) {
    case TYPE.string:
      check(value, type);
      scratch.string(value as string);
      break;
    case TYPE.bytes:
      check(value, type);
      scratch.byteSequence(value as Uint8Array);
      break;
    case TYPE.json:
      scratch.string(jsonText(value));
      break;
    case STRUCTURED:
      scratch.byteSequence(serialized(value));
      break;
    default:
      check(value, type);
      putNumber(message, type, value, at);
      return;
  }
  // First, because it may replace `message.words`.
  const head = message.putBlob(scratch, at);
  message.words[WORDS.valueHead] = head;
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

function putMixed(message: Message, value: unknown, at: number): void {
  let type: number = STRUCTURED;
  if (typeof value === 'number') type = TYPE.f64;
  else if (typeof value === 'string') type = TYPE.string;
  else if (typeof value === 'boolean') type = TYPE.bool;
  else if (typeof value === 'bigint' && isElement(value, TYPE.i64)) type = TYPE.i64;
  else if (typeof value === 'bigint' && isElement(value, TYPE.u64)) type = TYPE.u64;
  else if (isUint8Array(value)) type = TYPE.bytes;
  putAs(message, type, value, at);
  if (type === TYPE.f64 || type === TYPE.i64 || type === TYPE.u64) {
    message.words[WORDS.valueHead] = (8 << 2) | ENCODING.bytes;
  } else if (type === TYPE.bool) {
    message.words[WORDS.valueHead] = (1 << 2) | ENCODING.bytes;
  }
  message.words[WORDS.valueType] = type;
}

function check(value: unknown, type: number): void {
  if (!isElement(value, type)) throw badElement('a value of this map', type, value);
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

/** Bytes of a value, copied from a region, and what they are. */
export interface RawValue {
  readonly type: number;
  readonly encoding: number;
  readonly bytes: TextBuffer;
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
