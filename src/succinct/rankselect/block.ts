/** Blocks of 512 bits, sixteen words: counting and finding ones in one, from whichever end is nearer. */
import { popcount32, select32 } from '../word.js';
import type { Target } from './engine.js';

const WORDS = 16;

/** How many ones there are in the first `bits` bits of a block, below 512. `base` is its first word. */
export function rankInBlock(words: Int32Array, base: number, bits: number): number {
  const end = base + (bits >>> 5);
  return countWords(words, base, end) + popcount32(words[end] & ((1 << (bits & 31)) - 1));
}

/** How many ones there are from bit `bits` of a block on. */
export function rankToEnd(words: Int32Array, base: number, bits: number): number {
  const first = base + (bits >>> 5);
  return popcount32(words[first] & (-1 << (bits & 31))) + countWords(words, first + 1, base + WORDS);
}

/** How many ones there are in words `from` to before `to`, at most sixteen. */
function countWords(words: Int32Array, from: number, to: number): number {
  // Counts of each byte, summed side by side: at most 8 of each word.
  let sums = 0;
  for (let at = from; at < to; at++) {
    let x = words[at];
    x -= (x >>> 1) & 0x55555555;
    x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
    sums += (x + (x >>> 4)) & 0x0f0f0f0f;
  }
  const pairs = (sums & 0x00ff00ff) + ((sums >>> 8) & 0x00ff00ff);
  return (pairs + (pairs >>> 16)) & 0xffff;
}

/**
 * Where the `rest`-th one, or zero, of a block is, of which there are `count`. Some number below 512 if there are fewer, which
 * only damaged bytes make happen.
 */
export function selectInBlock(
  words: Int32Array,
  base: number,
  rest: number,
  count: number,
  target: Target,
): number {
  if (rest * 2 <= count) {
    for (let at = 0; at < WORDS; at++) {
      const word = words[base + at] ^ target;
      const ones = popcount32(word);
      if (rest < ones) return at * 32 + select32(word, rest);
      rest -= ones;
    }
    return 511;
  }
  // From the end: how many are to be left behind it.
  let behind = count - rest;
  for (let at = WORDS - 1; at >= 0; at--) {
    const word = words[base + at] ^ target;
    const ones = popcount32(word);
    if (behind <= ones) return at * 32 + Math.min(31, select32(word, ones - behind));
    behind -= ones;
  }
  return 0;
}
