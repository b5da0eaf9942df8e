/**
 * The hashes of numbers in the tables of structures (`docs/formats/hashmap.md`, "Hash").
 * `native/core/src/table/hash.rs` computes the same and explains the design. Blobs are hashed in
 * `blob.ts`, keys of Bloom filters in `src/compress/bloom-hash.ts`.
 *
 * The constants are literals, because V8 does not fold imported ones. All functions are small
 * enough to be inlined.
 */

/** The odd multipliers of {@link hashWide}, which depend on the seeds. */
export function hashMultipliers(seed0: number, seed1: number): [number, number] {
  return [scramble(seed0 ^ 0x9e3779b9) | 1, scramble(seed1 ^ 0x7f4a7c15) | 1];
}

function scramble(word: number): number {
  let x = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

/** The hash of a 4-byte key; `map` is 0 in a HashMap. */
export function hashNarrow(low: number, map: number, seed0: number, seed1: number): number {
  return hashRounds(low, 0, map, seed0, seed1);
}

/** Three rounds over the words of a key: the hash of 8-byte keys in SmallMapArena's version 1. */
export function hashRounds(low: number, high: number, map: number, seed0: number, seed1: number): number {
  let h = Math.imul(low ^ seed0, 0x85ebca6b);
  h = Math.imul(((h ^ (h >>> 15)) + seed1) ^ high, 0xc2b2ae35);
  h = Math.imul(((h ^ (h >>> 16)) + seed0) ^ map, 0x9e3779b1);
  return h ^ (h >>> 15);
}

/** The hash of an 8-byte key; `map` is 0 in a HashMap. */
export function hashWide(
  low: number,
  high: number,
  map: number,
  seed0: number,
  seed1: number,
  multiplier0: number,
  multiplier1: number,
): number {
  let a = Math.imul(low ^ seed0, 0x85ebca6b);
  a = Math.imul(a ^ (a >>> 15), multiplier1);
  let b = Math.imul(high ^ seed1, 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), multiplier0);
  let h = ((a ^ (a >>> 15)) + (b ^ (b >>> 16))) | 0;
  h = Math.imul(((h ^ (h >>> 16)) + seed0) ^ map, 0x9e3779b1);
  return h ^ (h >>> 15);
}

/** The hash of a 4-byte key in version 1 of HashMap's format. */
export function firstHashNarrow(key: number, seed0: number, seed1: number): number {
  let h = Math.imul(key ^ seed0, 0x85ebca6b);
  h = Math.imul((h ^ (h >>> 15)) + seed1, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** The hash of an 8-byte key in version 1 of HashMap's format. */
export function firstHashWide(low: number, high: number, seed0: number, seed1: number): number {
  let h = Math.imul(low ^ seed0, 0x85ebca6b);
  h = Math.imul(((h ^ (h >>> 15)) + seed1) ^ high, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x9e3779b1);
  return h ^ (h >>> 15);
}
