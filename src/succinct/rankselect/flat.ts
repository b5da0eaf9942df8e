/**
 * The default: plain bits, and an index of four words about each 4096 of them.
 * `docs/formats/succinct.md` specifies it, `native/core/src/succinct/rankselect/flat.rs` does the
 * same with larger words.
 *
 * Here are fewer than {@link FAR} bits, in whose arithmetic no number is a double; far.ts has more
 * of them. As in a block, nothing branches on what was asked or found: each branch foretold wrongly
 * costs as much as a dozen words.
 */
import { countHalf, rankFromEnd, selectInBlock } from './block.js';
import { ONES, type Engine, type Target } from './engine.js';
import { BLOCK, FAR, SUPERBLOCK, type Layout } from './layout.js';

/**
 * Up to so many superblocks behind the first candidate are looked at at once; of more, halves are
 * dropped first. The region goes on for sixteen words behind the last entry: one read past the end
 * of an array would make all others slow.
 */
const NEAR = 4;

export class Flat implements Engine {
  private readonly index: number;
  private readonly lastBlock: number;
  private readonly last: number;
  /** The one block whose end no entry tells: the last of the last superblock. */
  private readonly open: number;
  private readonly oneSamples: number;
  private readonly zeroSamples: number;
  private readonly oneShift: number;
  private readonly zeroShift: number;

  /** `words`: all of the region behind its header. */
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
    // From the block's end if that is nearer, which is where the next one begins.
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
   * The ones of an entry's superblock before its block `number`. Fields have 12 bits, from bit 44
   * on; where one would be for block 0 are the high bits of the total, which are zero.
   */
  private count(entry: number, number: number): number {
    const { words } = this;
    const bit = 32 + 12 * number;
    const at = entry + (bit >>> 5);
    return ((words[at] >>> (bit & 31)) | ((words[at + 1] << 1) << (31 - (bit & 31)))) & 0xfff;
  }

  select(k: number, target: Target): number {
    const { words, index, last } = this;
    // Between two samples. Damaged ones lead to some superblock that there is.
    const sample =
      target === ONES ? this.oneSamples + (k >>> this.oneShift) : this.zeroSamples + (k >>> this.zeroShift);
    let superblock = Math.min(words[sample] & (FAR - 1), last);
    const high = Math.min(words[sample + 1] & (FAR - 1), last);
    if (high - superblock > NEAR) superblock = this.halve(k, target, superblock, high);

    // The last of the next few with at most k of the bits before it.
    const more = high - superblock;
    const step = SUPERBLOCK & target;
    let at = index + superblock * 4;
    const above = k - ((superblock << 12) & target);
    let passed = ((above - step - (words[at + 4] ^ target) + target) >> 31) | ((more - 1) >> 31);
    passed += ((above - 2 * step - (words[at + 8] ^ target) + target) >> 31) | ((more - 2) >> 31);
    passed += ((above - 3 * step - (words[at + 12] ^ target) + target) >> 31) | ((more - 3) >> 31);
    passed += ((above - 4 * step - (words[at + 16] ^ target) + target) >> 31) | ((more - 4) >> 31);
    passed += NEAR;
    superblock += passed;
    at += passed * 4;

    // Below 4096, unless the bytes are damaged.
    const rest = (above - passed * step - (words[at] ^ target) + target) & (SUPERBLOCK - 1);
    // Which of its blocks: as many as there are of which no more than `rest` come before.
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
   * A superblock from `low` to `high` that is at most {@link NEAR} before the last one with at most
   * k of the bits before it.
   */
  private halve(k: number, target: Target, low: number, high: number): number {
    const { words, index } = this;
    while (high - low > NEAR) {
      const middle = (low + high + 1) >>> 1;
      const before = (words[index + middle * 4] ^ target) - target + ((middle << 12) & target);
      if (before <= k) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** 1 if a count of ones among so many bits, or of zeros, is not above `rest`, or 0. */
function notAbove(ones: number, bits: number, rest: number, target: Target): number {
  return ((rest - ((ones ^ target) - target + (bits & target))) >>> 31) ^ 1;
}
