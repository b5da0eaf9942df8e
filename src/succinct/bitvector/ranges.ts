/** Positions and ranges of bits: checks, counts and searches. */
import { rangeError, typeError } from '../../errors.js';
import { native } from '../../native.js';
import { describe } from '../../region/options.js';
import { READER } from '../../region/table.js';
import { popcount32 } from '../word.js';
import type { BitTable } from './bit-table.js';

/** A bit as an argument: 1 and 0 mean `true` and `false`. */
export type Bit = boolean | 0 | 1;

/**
 * The number of words scanned here before native code, which is faster over many words, is called.
 */
const FEW_WORDS = 32;

/** Converts a bit to a boolean. Throws for any other value. */
export function checkBit(bit: unknown): boolean {
  if (bit === true || bit === 1) return true;
  if (bit === false || bit === 0) return false;
  throw typeError(`a bit must be true, false, 1 or 0, not ${describe(bit)}`);
}

/** Checks that a position is that of a bit. */
export function checkPosition(table: BitTable, position: unknown): number {
  if (typeof position !== 'number') throw typeError(`a position must be a number, not ${describe(position)}`);
  if (!Number.isInteger(position) || position < 0 || position >= table.size) {
    throw rangeError(
      table.size === 0
        ? `position ${position} is out of range: this bit vector is empty`
        : `a position in this bit vector must be an integer from 0 to ${table.size - 1}, not ${position}`,
    );
  }
  return position + 0;
}

/** Checks the bounds of a range within `length` bits. Absent bounds mean all bits. */
export function checkRange(from: unknown, to: unknown, length: number): [number, number] {
  const begin = from === undefined ? 0 : checkBound(from, 'from');
  const end = to === undefined ? length : checkBound(to, 'to');
  if (begin > end || end > length) {
    throw rangeError(`the range from ${begin} to ${end} is invalid for a bit vector of ${length} bits`);
  }
  return [begin, end];
}

function checkBound(bound: unknown, name: string): number {
  if (typeof bound !== 'number') throw typeError(`${name} must be a position, not ${describe(bound)}`);
  if (!Number.isInteger(bound) || bound < 0) {
    throw rangeError(`${name} must be a non-negative integer, not ${bound}`);
  }
  return bound + 0;
}

/** The bit at a position of another thread's vector, of a file, or at or above 2^32. */
export function loadSlow(table: BitTable, position: number): boolean | undefined {
  if (table.role === READER) {
    const bit = position < table.lengthNow() ? table.load(position) : undefined;
    if (table.readIsValid()) return bit;
  }
  return table.read(() => (position < table.lengthNow() ? table.load(position) : undefined));
}

/** The number of ones in a range. */
export function countRange(table: BitTable, from: number, to: number): number {
  if (to - from > FEW_WORDS * 32) return native().bitvectorCount(table.region.bytes, from, to);
  if (from >= to) return 0;
  const { words } = table;
  const first = Math.floor(from / 32);
  const last = Math.floor((to - 1) / 32);
  const head = -1 << (from % 32);
  const tail = -1 >>> (31 - ((to - 1) % 32));
  if (first === last) return popcount32(words[first] & head & tail);
  let count = popcount32(words[first] & head) + popcount32(words[last] & tail);
  for (let at = first + 1; at < last; at++) count += popcount32(words[at]);
  return count;
}

/** The position of the first bit with the value `bit` at or after `from`, or −1. */
export function nextBit(table: BitTable, from: number, bit: boolean, length: number): number {
  if (from >= length) return -1;
  const { words } = table;
  const flip = bit ? 0 : -1;
  let at = Math.floor(from / 32);
  const end = Math.min(Math.ceil(length / 32), at + FEW_WORDS);
  let word = (words[at] ^ flip) & (-1 << (from % 32));
  while (word === 0) {
    if (++at === end) {
      return at * 32 < length ? native().bitvectorNext(table.region.bytes, at * 32, bit) : -1;
    }
    word = words[at] ^ flip;
  }
  const position = at * 32 + 31 - Math.clz32(word & -word);
  return position < length ? position : -1;
}
