/**
 * The keys and values of entries: checks, conversion to and from the bits that the columns store.
 * The key that the current operation works on is kept in `low` and `high` of the table.
 */
import { badElement, isElement, TYPE } from '../region/element.js';
import type { AnyTypedArray } from '../region/typed-array.js';
import type { ArenaTable, KeyBits } from './arena-table.js';
import { TABLE } from './layout.js';

/** Type codes used by hot code are module constants, because V8 folds those. */
const U32 = TYPE.u32;
const I32 = TYPE.i32;
const F64 = TYPE.f64;
const STRING = TYPE.string;

/** Converts one float or bigint to its bits. */
const wideNumber = new Float64Array(1);
const wideInteger = new BigInt64Array(wideNumber.buffer);
const wideWords = new Int32Array(wideNumber.buffer);
const narrowNumber = new Float32Array(wideNumber.buffer);
const NAN_BITS = 0x7ff8000000000000n;
const NAN_WORD = 0x7fc00000;

/**
 * Stores the bits of a key in `low` and `high`. Returns `false` for a string that the arena does
 * not contain and therefore no map can. Throws if the key is not of the arena's type.
 */
export function encodeKey(table: ArenaTable, key: unknown): boolean {
  if (!isElement(key, table.keyType)) throw badElement('a key of table arena', table.keyType, key);
  switch (table.keyType) {
    case TYPE.u8:
    case TYPE.i8:
      table.low = (key as number) & 0xff;
      return true;
    case TYPE.u16:
    case TYPE.i16:
      table.low = (key as number) & 0xffff;
      return true;
    case TYPE.u32:
    case TYPE.i32:
      table.low = (key as number) | 0;
      return true;
    case TYPE.f32:
      narrowNumber[0] = (key as number) + 0; // -0 + 0 is 0
      table.low = key !== key ? NAN_WORD : wideWords[0];
      // A number that rounds to -0 in 32 bits.
      if (table.low === (0x80000000 | 0)) table.low = 0;
      return true;
    case TYPE.f64:
      if (key !== key) wideInteger[0] = NAN_BITS;
      else wideNumber[0] = (key as number) + 0;
      break;
    case TYPE.u64:
    case TYPE.i64:
      wideInteger[0] = key as bigint;
      break;
    default:
      table.low = table.strings!.find(key as string);
      return table.low >= 0;
  }
  table.low = wideWords[0]!;
  table.high = wideWords[1]!;
  return true;
}

/** Throws if a key or value is not of the arena's type. */
export function checkKey(table: ArenaTable, key: unknown): void {
  if (!isElement(key, table.keyType)) throw badElement('a key of table arena', table.keyType, key);
}

export function checkValue(table: ArenaTable, value: unknown): void {
  if (!isElement(value, table.valueType)) throw badElement('a value of table arena', table.valueType, value);
}

/** The key of an entry. */
export function keyAt(table: ArenaTable, spot: number): unknown {
  const key = spot < TABLE ? table.keyColumn[spot] : table.tableKeys[spot - TABLE];
  return table.keyType === STRING ? table.strings!.text(key as number) : key;
}

/** The value of an entry. */
export function valueAt(table: ArenaTable, spot: number): unknown {
  if (spot < TABLE) return slotValue(table, spot);
  return decodeValue(table, table.tableValues, spot - TABLE);
}

/** The value of an entry in a slot. */
export function slotValue(table: ArenaTable, entry: number): unknown {
  // The common types are handled separately, so that each read sees one kind of array, whatever
  // other arenas store.
  const { valueType } = table;
  if (valueType === F64) return (table.valueColumn as Float64Array)[entry];
  if (valueType === U32) return (table.valueColumn as Uint32Array)[entry];
  if (valueType === I32) return (table.valueColumn as Int32Array)[entry];
  return decodeValue(table, table.valueColumn, entry);
}

function decodeValue(table: ArenaTable, column: AnyTypedArray, at: number): unknown {
  const value = column[at];
  if (table.valueType === TYPE.bool) return value !== 0;
  return table.valueType === STRING ? table.strings!.text(value as number) : value;
}

/** Writes a value of the arena's type. Strings have been replaced by their ids. */
export function writeValue(table: ArenaTable, spot: number, value: unknown): void {
  const column = spot < TABLE ? table.valueColumn : table.tableValues;
  const at = spot < TABLE ? spot : spot - TABLE;
  if (table.valueType === F64) (column as Float64Array)[at] = value as number;
  else
    (column as unknown as unknown[])[at] = table.valueType === TYPE.bool ? (value === true ? 1 : 0) : value;
}

/** Writes the key in `low` and `high`. */
export function writeKey(table: ArenaTable, bits: KeyBits, at: number): void {
  if (table.wide) {
    bits[at * 2] = table.low;
    bits[at * 2 + 1] = table.high;
  } else {
    bits[at] = table.low;
  }
}
