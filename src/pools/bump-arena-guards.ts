/**
 * The option `guards` of a BumpArena: a record before each block and a guard after it.
 * `native/core/src/pools/bump/guarded.rs` explains the scheme and writes the same bytes, which
 * tests compare.
 *
 * `i32` and `u8` are the arena's views; positions are granules of 8 bytes.
 */
import { offheapError } from '../errors.js';
import { GRANULE } from './bump-arena-layout.js';
import { brokenGuard, GUARD_BYTES, writeGuard } from './guards.js';

/** The byte that fills released memory, unless zeros do. */
export const POISON = 0xdb;
/** Eight of them as a number. */
export const POISON_WORD = new Float64Array(new Uint8Array(8).fill(POISON).buffer)[0];
/** The number of granules of a record. */
export const RECORD_GRANULES = 2;
const TWO_32 = 2 ** 32;

/** The record before a block. */
export interface BlockRecord {
  /** 1 + the first granule of the previous block; 0: none. */
  previous: number;
  /** The number of bytes that were requested. */
  bytes: number;
  /** Whether the block is allocated, not freed. */
  live: boolean;
}

/**
 * The fourth word of a record: a hash of the other words and the position. The lowest bit is set
 * while the block is live.
 */
function stampOf(start: number, { previous, bytes, live }: BlockRecord): number {
  let h = Math.imul(start, 0x9e3779b1) ^ previous;
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b) ^ (bytes | 0);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) ^ Math.floor(bytes / TWO_32);
  return ((h ^ (h >>> 16)) & ~1) | (live ? 1 : 0);
}

/** The end of a block's guard, in granules, rounded up. */
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
 * The record of the block at granule `start`, if a block below `top` begins there and its record is
 * valid.
 */
export function readRecord(i32: Int32Array, start: number, top: number): BlockRecord | undefined {
  if (start < RECORD_GRANULES || start >= top) return undefined;
  const at = (start - RECORD_GRANULES) * 2;
  const record: BlockRecord = {
    previous: i32[at] >>> 0,
    bytes: (i32[at + 1] >>> 0) + (i32[at + 2] >>> 0) * TWO_32,
    live: (i32[at + 3] & 1) !== 0,
  };
  const valid =
    i32[at + 3] === stampOf(start, record) &&
    record.previous < start &&
    start * GRANULE + record.bytes + GUARD_BYTES <= top * GRANULE;
  return valid ? record : undefined;
}

/** Writes the guard after a block. */
export function guardBlock(u8: Uint8Array, start: number, bytes: number): void {
  writeGuard(u8, start * GRANULE + bytes, start * GRANULE);
}

/** Checks the guard after a block. Returns the error, or `undefined` if the guard is intact. */
export function checkGuard(u8: Uint8Array, start: number, { bytes }: BlockRecord): Error | undefined {
  const offset = start * GRANULE;
  const broken = brokenGuard(u8, offset + bytes, offset);
  if (broken < 0) return undefined;
  return overwritten(`the block at ${offset} has ${bytes} bytes, and byte ${bytes + broken}`);
}

/**
 * Checks the guards of all blocks from granule `from` on, the last block first. Returns the error
 * of the first broken block, or `undefined`.
 */
export function firstBroken(
  i32: Int32Array,
  u8: Uint8Array,
  last: number,
  from: number,
  top: number,
): Error | undefined {
  let broken: Error | undefined;
  // Each block begins before the one that refers to it, so this terminates.
  for (let next = last >>> 0; next > from;) {
    const start = next - 1;
    const record = readRecord(i32, start, top);
    if (record === undefined) return overwritten(`the record of the block at ${start * GRANULE}`);
    broken = checkGuard(u8, start, record) ?? broken;
    next = record.previous;
  }
  return broken;
}

function overwritten(what: string): Error {
  return offheapError('ERR_OFFHEAP_CORRUPT', `${what} was overwritten`);
}
