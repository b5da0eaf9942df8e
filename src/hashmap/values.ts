/**
 * Encoding and writing values. A value in flight is kept in a module variable: {@link encodeValue}
 * leaves it there for the write that follows.
 */
import { blobSize, jsonText, Scratch } from '../region/blob.js';
import { badElement, isBlob, isElement, TYPE } from '../region/element.js';
import type { HashMapTable } from './table.js';

/** A blob value in flight; nothing remains in it between operations. */
const scratch = new Scratch();

/**
 * Checks that `value` is of the map's type, and encodes it for {@link writeValue}. Runs user code
 * only for `json` (`toJSON`), so it is the first step of an operation.
 */
export function encodeValue(table: HashMapTable, value: unknown): void {
  const { valueType } = table;
  if (valueType === TYPE.f64 && typeof value === 'number') return;
  switch (valueType) {
    case TYPE.string:
      checkValue(table, value);
      return scratch.string(value as string);
    case TYPE.bytes:
      checkValue(table, value);
      return scratch.byteSequence(value as Uint8Array);
    case TYPE.json:
      return scratch.string(jsonText(value));
    default:
      checkValue(table, value);
  }
}

/** Encodes a value that is JSON text already. */
export function encodeText(text: string): void {
  scratch.string(text);
}

/** Throws if a value is not of the map's type. */
export function checkValue({ valueType }: HashMapTable, value: unknown): void {
  if (!isElement(value, valueType)) throw badElement('a value of this map', valueType, value);
}

/** The number of heap bytes that the value in flight needs. */
export function valueBytes(table: HashMapTable): number {
  return isBlob(table.valueType) ? scratch.size : 0;
}

/**
 * Writes the value that {@link encodeValue} encoded. This is one aligned store, so a reader sees
 * either the old value or the new one.
 */
export function writeValue(table: HashMapTable, position: number, value: unknown): void {
  const { valueColumn } = table;
  switch (table.valueType) {
    case TYPE.f64:
      (valueColumn as Float64Array)[position] = value as number;
      return;
    case TYPE.u32:
      (valueColumn as Uint32Array)[position] = value as number;
      return;
    case TYPE.i32:
      (valueColumn as Int32Array)[position] = value as number;
      return;
    case TYPE.bool:
      (valueColumn as Uint8Array)[position] = value === true ? 1 : 0;
      return;
    case TYPE.u64:
    case TYPE.i64:
      (valueColumn as BigInt64Array)[position] = value as bigint;
      return;
    case TYPE.string:
    case TYPE.bytes:
    case TYPE.json:
      // The blob is stored before the reference to it. Publishing the tag of a new entry would
      // suffice; a new value of an existing entry has nothing else that publishes it.
      table.publish(valueColumn as Uint32Array, position, table.store(scratch));
      return;
    case TYPE.any:
      table.anyValues![position] = value;
      return;
    default:
      (valueColumn as Uint8Array)[position] = value as number;
  }
}

/**
 * Replaces the value at a position by the one that {@link encodeValue} encoded. The caller
 * guarantees that the heap has room.
 */
export function replaceValue(table: HashMapTable, position: number, value: unknown): void {
  const garbage = garbageOf(table, position);
  writeValue(table, position, value);
  if (garbage !== 0) table.countGarbage(garbage);
}

/** The number of heap bytes of the value at a position, which become garbage with it. */
export function garbageOf({ valueType, heapWords, valueColumn }: HashMapTable, position: number): number {
  return isBlob(valueType) ? blobSize(heapWords, valueColumn[position] as number) : 0;
}
