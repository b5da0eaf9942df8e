/**
 * Records before the blocks of a BumpArena and guards behind them, where it has the option
 * `guards`. The same stands in `native/core/src/pools/bump/guarded.rs`, where the idea is told;
 * tests compare the bytes.
 *
 * `i32` and `u8` are the arena's views; positions are granules of 8 bytes.
 */
import { offheapError } from '../errors.js';
import { GRANULE } from './bump-layout.js';
import { brokenGuard, GUARD_BYTES, writeGuard } from './pool.js';

/** What released memory is filled with, if not with zeros. */
export const POISON = 0xdb;
/** Eight of them, as the number that they are. */
export const POISON_WORD = new Float64Array(new Uint8Array(8).fill(POISON).buffer)[0];
/** Granules of a record. */
export const RECORD_GRANULES = 2;
const TWO_32 = 2 ** 32;

/** What stands before a block. */
export interface BlockRecord {
  /** 1 + the granule where the block before begins; 0: none. */
  previous: number;
  /** Bytes that were asked for. */
  bytes: number;
  /** Whether the block was not freed yet. */
  live: boolean;
}

/**
 * The fourth word of a record: made of the others and the place; the lowest bit is set while the
 * block is live.
 */
function stampOf(start: number, { previous, bytes, live }: BlockRecord): number {
  let h = Math.imul(start, 0x9e3779b1) ^ previous;
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b) ^ (bytes | 0);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) ^ Math.floor(bytes / TWO_32);
  return ((h ^ (h >>> 16)) & ~1) | (live ? 1 : 0);
}

/** Where the guard of a block ends, in granules, rounded up. */
export function guardedEnd(start: number, bytes: number): number {
  return Math.ceil((start * GRANULE + bytes + GUARD_BYTES) / GRANULE);
}

export function writeRecord(i32: Int32Array, start: number, record: BlockRecord): void {
  const at = (start - RECORD_GRANULES) * 2;
  i32[at] = record.previous;
  i32[at + 1] = record.bytes | 0;
  i32[at + 2] = Math.floor(record.bytes / TWO_32);
  i32[at + 3] = stampOf(start, record);
}

/**
 * The record of a block that begins at granule `start`, if there is one: within `top`, and
 * unharmed.
 */
export function readRecord(i32: Int32Array, start: number, top: number): BlockRecord | undefined {
  if (start < RECORD_GRANULES || start >= top) return undefined;
  const at = (start - RECORD_GRANULES) * 2;
  const record: BlockRecord = {
    previous: i32[at] >>> 0,
    bytes: (i32[at + 1] >>> 0) + (i32[at + 2] >>> 0) * TWO_32,
    live: (i32[at + 3] & 1) !== 0,
  };
  const sound =
    i32[at + 3] === stampOf(start, record) &&
    record.previous < start &&
    start * GRANULE + record.bytes + GUARD_BYTES <= top * GRANULE;
  return sound ? record : undefined;
}

/** Writes the guard behind a block. */
export function guardBlock(u8: Uint8Array, start: number, bytes: number): void {
  writeGuard(u8, start * GRANULE + bytes, start * GRANULE);
}

/** What is wrong with the guard behind a block; `undefined` if nothing is. */
export function checkGuard(u8: Uint8Array, start: number, { bytes }: BlockRecord): Error | undefined {
  const offset = start * GRANULE;
  const broken = brokenGuard(u8, offset + bytes, offset);
  if (broken < 0) return undefined;
  return overwritten(`the block at ${offset} has ${bytes} bytes, and byte ${bytes + broken} behind them`);
}

/**
 * Looks at the guards of all blocks from granule `from` on, the last block first: what is wrong
 * with one of them.
 */
export function firstBroken(
  i32: Int32Array,
  u8: Uint8Array,
  last: number,
  from: number,
  top: number,
): Error | undefined {
  let broken: Error | undefined;
  // Each block begins before the one that named it, so this ends.
  for (let next = last >>> 0; next > from;) {
    const start = next - 1;
    const record = readRecord(i32, start, top);
    if (record === undefined) return overwritten(`the bytes before the block at ${start * GRANULE}`);
    broken = checkGuard(u8, start, record) ?? broken;
    next = record.previous;
  }
  return broken;
}

function overwritten(what: string): Error {
  return offheapError('ERR_OFFHEAP_CORRUPT', `${what} was overwritten`);
}
