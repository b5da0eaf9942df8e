/**
 * Blocks of 512 bits, sixteen words: counting and finding ones in one, without a branch on what is
 * asked or found, since random questions foretell none.
 */
import { eight, find, sevenAnd } from '../counting.js';
import { select32 } from '../word.js';
import type { Target } from './engine.js';

/**
 * The ones from the block's nearer end to bit `bits`, below 512, of the block whose first word is
 * `base`: those before the bit or, if `flip` is −1 instead of 0, less than nothing: minus those
 * from the bit on. No more than eight words are counted: the bit is in the first half, or in the
 * second if `flip` is −1.
 */
export function rankFromEnd(words: Int32Array, base: number, bits: number, flip: number): number {
  const word = (bits >>> 5) & 15;
  // Words 0 to 6, or 9 to 15; and the one in which the bit is.
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

/** How many ones there are in eight words. */
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
 * Where the `rest`-th one, or zero, of a block is, which has more than `rest`. Some number below
 * 520 if it has not, which only damaged bytes make happen.
 */
export function selectInBlock(words: Int32Array, base: number, rest: number, target: Target): number {
  // All of them: whether it is in the first half of the block.
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
