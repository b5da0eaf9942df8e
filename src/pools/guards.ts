/**
 * Guards and zeros: the options `guards` and `zeroOnFree`. A guard is a run of known bytes that
 * follows a block; `native/core/src/pools/guard.rs` writes the same bytes.
 */
import { offheapError } from '../errors.js';

/** The length of a guard. With guards, a size class must have room for the block and its guard. */
export const GUARD_BYTES = 16;

/**
 * Writes the guard of the block at `block` to `at`, the end of the block. The bytes differ between
 * blocks and none is 0, so that neither a run of zeros nor a copy of another guard is valid.
 */
export function writeGuard(u8: Uint8Array, at: number, block: number): void {
  for (let i = 0; i < GUARD_BYTES; i++) u8[at + i] = guardByte(block, i);
}

/** The index of the first guard byte at `at` that differs from {@link writeGuard}'s, or -1. */
export function brokenGuard(u8: Uint8Array, at: number, block: number): number {
  for (let i = 0; i < GUARD_BYTES; i++) if (u8[at + i] !== guardByte(block, i)) return i;
  return -1;
}

function guardByte(block: number, i: number): number {
  return (Math.imul((block >>> 3) + i, 0x9e3779b1) >>> 24) | 1;
}

export function guardError(offset: number, bytes: number, broken: number): Error {
  return offheapError(
    'ERR_OFFHEAP_CORRUPT',
    `the block at ${offset} has ${bytes} bytes, and byte ${bytes + broken} was overwritten; it stays allocated`,
  );
}

/** Fills a block with zeros. */
export function zero(f64: Float64Array, offset: number, bytes: number): void {
  fillWords(f64, 0, offset / 8, (offset + bytes) / 8);
}

/**
 * Fills words of 8 bytes. On shared memory `fill` stores one element at a time, so that wide
 * elements are 7 times as fast as bytes. A call of `fill` costs 15 ns, so a loop is faster for few
 * words.
 */
export function fillWords(f64: Float64Array, value: number, from: number, to: number): void {
  if (to - from > 16) f64.fill(value, from, to);
  else for (let at = from; at < to; at++) f64[at] = value;
}
