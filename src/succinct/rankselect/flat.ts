/**
 * The default variant: plain bits, and an index with four words per 4096 bits.
 * `docs/formats/succinct.md` specifies it, and `native/core/src/succinct/rankselect/flat.rs` does
 * the same with larger words.
 *
 * This class handles fewer than {@link WIDE_FROM_BITS} bits, where no number in the arithmetic is a
 * double; flat64.ts handles more. As within a block, nothing branches on the query or on
 * intermediate results: a mispredicted branch costs as much as a dozen words.
 */
import { countHalf, rankFromEnd, selectInBlock } from './block.js';
import { ONES, type Engine, type Target } from './engine.js';
import { BLOCK, WIDE_FROM_BITS, SUPERBLOCK, type Layout } from './layout.js';

/**
 * Up to this number of superblocks after the first candidate are examined at once. A longer range
 * is first narrowed by binary search. The region continues for sixteen words after the last entry:
 * a single read past the end of an array would make all other reads slow.
 */
const AT_ONCE = 4;

export class Flat implements Engine {
  private readonly index: number;
  private readonly lastBlock: number;
  private readonly last: number;
  /** The one block whose end no entry gives: the last block of the last superblock. */
  private readonly open: number;
  private readonly oneSamples: number;
  private readonly zeroSamples: number;
  private readonly oneShift: number;
  private readonly zeroShift: number;

  /** `words`: the whole region after its header. */
  constructor(
    private readonly words: Int32Array,
    layout: Layout,
    length: number,
  ) {
    const { bits, index, samples, shifts, lastBlock } = layout;
    this.index = (index - bits) / 4;
    this.lastBlock = lastBlock;
    this.last = Math.floor(length / SUPERBLOCK);
    this.open = this.last * 8 + 7;
    this.oneSamples = (samples[0] - bits) / 4;
    this.zeroSamples = (samples[1] - bits) / 4;
    [this.oneShift, this.zeroShift] = shifts;
  }

  bit(position: number): number {
    return (this.words[position >>> 5] >>> (position & 31)) & 1;
  }

  rank(position: number): number {
    const { words } = this;
    const block = position >>> 9;
    if (block === this.open) return this.rankAtEnd(position);
    // Count back from the block's end, where the next block begins, if the end is nearer.
    const flip = -((position >>> 8) & 1);
    const edge = block - flip;
    const entry = this.index + (edge >>> 3) * 4;
    return words[entry] + this.count(entry, edge & 7) + rankFromEnd(words, block * 16, position & 511, flip);
  }

  private rankAtEnd(position: number): number {
    const { words } = this;
    const entry = this.index + this.last * 4;
    const base = this.open * 16;
    const before = words[entry] + this.count(entry, 7);
    const bits = position & 255;
    if ((position & 256) === 0) return before + rankFromEnd(words, base, bits, 0);
    return before + countHalf(words, base) + rankFromEnd(words, base + 8, bits, 0);
  }

  /**
   * The number of ones in an entry's superblock before its block `number`. Fields have 12 bits and
   * start at bit 44. The field of block 0 would coincide with the high bits of the total, which are
   * zero.
   */
  private count(entry: number, number: number): number {
    const { words } = this;
    const bit = 32 + 12 * number;
    const at = entry + (bit >>> 5);
    return ((words[at] >>> (bit & 31)) | ((words[at + 1] << 1) << (31 - (bit & 31)))) & 0xfff;
  }

  select(k: number, target: Target): number {
    const { words, index, last } = this;
    // The superblocks between two samples. Corrupt samples lead to some existing superblock.
    const sample =
      target === ONES ? this.oneSamples + (k >>> this.oneShift) : this.zeroSamples + (k >>> this.zeroShift);
    let superblock = Math.min(words[sample] & (WIDE_FROM_BITS - 1), last);
    const high = Math.min(words[sample + 1] & (WIDE_FROM_BITS - 1), last);
    if (high - superblock > AT_ONCE) superblock = this.halve(k, target, superblock, high);

    // The last of the next few superblocks with at most k of the target bits before it.
    const more = high - superblock;
    const step = SUPERBLOCK & target;
    let at = index + superblock * 4;
    const above = k - ((superblock << 12) & target);
    let passed = ((above - step - (words[at + 4] ^ target) + target) >> 31) | ((more - 1) >> 31);
    passed += ((above - 2 * step - (words[at + 8] ^ target) + target) >> 31) | ((more - 2) >> 31);
    passed += ((above - 3 * step - (words[at + 12] ^ target) + target) >> 31) | ((more - 3) >> 31);
    passed += ((above - 4 * step - (words[at + 16] ^ target) + target) >> 31) | ((more - 4) >> 31);
    passed += AT_ONCE;
    superblock += passed;
    at += passed * 4;

    // Below 4096, unless the bytes are corrupt.
    const rest = (above - passed * step - (words[at] ^ target) + target) & (SUPERBLOCK - 1);
    // The index of the block: the number of blocks with at most `rest` target bits before them.
    const a = words[at + 1];
    const b = words[at + 2];
    const c = words[at + 3];
    const number =
      notAbove((a >>> 12) & 0xfff, 512, rest, target) +
      notAbove(((a >>> 24) | (b << 8)) & 0xfff, 1024, rest, target) +
      notAbove((b >>> 4) & 0xfff, 1536, rest, target) +
      notAbove((b >>> 16) & 0xfff, 2048, rest, target) +
      notAbove(((b >>> 28) | (c << 4)) & 0xfff, 2560, rest, target) +
      notAbove((c >>> 8) & 0xfff, 3072, rest, target) +
      notAbove(c >>> 20, 3584, rest, target);
    const before = (this.count(at, number) ^ target) - target + ((number << 9) & target);
    const block = Math.min(superblock * 8 + number, this.lastBlock);
    return block * BLOCK + selectInBlock(words, block * 16, (rest - before) & (BLOCK - 1), target);
  }

  /**
   * A superblock from `low` to `high` that is at most {@link AT_ONCE} before the last one with at
   * most k of the target bits before it.
   */
  private halve(k: number, target: Target, low: number, high: number): number {
    const { words, index } = this;
    while (high - low > AT_ONCE) {
      const middle = (low + high + 1) >>> 1;
      const before = (words[index + middle * 4] ^ target) - target + ((middle << 12) & target);
      if (before <= k) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** 1 if the number of ones (or zeros) among the first `bits` bits is at most `rest`, else 0. */
function notAbove(ones: number, bits: number, rest: number, target: Target): number {
  return ((rest - ((ones ^ target) - target + (bits & target))) >>> 31) ^ 1;
}
