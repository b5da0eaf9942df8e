/**
 * Blocks of 512 bits, or sixteen words: counting and finding ones within one. Nothing branches on
 * the query or on intermediate results, because random queries make branches unpredictable.
 */
import { eight, find, sevenAnd } from '../counting.js';
import { select32 } from '../word.js';
import type { Target } from './engine.js';

/**
 * The signed number of ones between bit `bits`, below 512, and the nearer end of the block that
 * starts at word `base`. If `flip` is 0, it counts the ones before the bit. If `flip` is −1, it
 * counts the ones from the bit on and negates the result. At most eight words are counted: `flip`
 * is 0 if the bit is in the first half, and −1 if it is in the second half.
 */
export function rankFromEnd(words: Int32Array, base: number, bits: number, flip: number): number {
  const word = (bits >>> 5) & 15;
  // Words 0 to 6, or 9 to 15, and the word that contains the bit.
  const at = base + (9 & flip);
  const ones = sevenAnd(
    word & 7,
    flip,
    words[at],
    words[at + 1],
    words[at + 2],
    words[at + 3],
    words[at + 4],
    words[at + 5],
    words[at + 6],
    words[base + word] & ((-1 << (bits & 31)) ^ ~flip),
  );
  return (ones ^ flip) - flip;
}

/** The number of ones in eight words. */
export function countHalf(words: Int32Array, at: number): number {
  return eight(
    words[at],
    words[at + 1],
    words[at + 2],
    words[at + 3],
    words[at + 4],
    words[at + 5],
    words[at + 6],
    words[at + 7],
  );
}

/**
 * The position of the `rest`-th one, or zero, of a block, which must have more than `rest`.
 * Otherwise, which happens only in corrupt bytes, the result is some number below 520.
 */
export function selectInBlock(words: Int32Array, base: number, rest: number, target: Target): number {
  // Count the first half to decide which half contains it.
  const half = eight(
    words[base] ^ target,
    words[base + 1] ^ target,
    words[base + 2] ^ target,
    words[base + 3] ^ target,
    words[base + 4] ^ target,
    words[base + 5] ^ target,
    words[base + 6] ^ target,
    words[base + 7] ^ target,
  );
  const past = (half - 1 - rest) >> 31;
  const first = base + (past & 8);
  const found = find(
    rest - (half & past),
    words[first] ^ target,
    words[first + 1] ^ target,
    words[first + 2] ^ target,
    words[first + 3] ^ target,
    words[first + 4] ^ target,
    words[first + 5] ^ target,
    words[first + 6] ^ target,
  );
  const word = (past & 8) + ((found >>> 5) & 7);
  return word * 32 + select32(words[base + word] ^ target, found & 31);
}
