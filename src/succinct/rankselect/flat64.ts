/**
 * The default variant from 2^31 bits on: like flat.ts, but with counts that exceed 32 bits.
 *
 * Counts of ones before nearby superblocks are compared modulo 2^32.
 */
import { countHalf, rankFromEnd, selectInBlock } from './block.js';
import { ONES, type Engine, type Target } from './engine.js';
import { BLOCK, SUPERBLOCK, type Layout } from './layout.js';
import { Samples } from './samples.js';

const TWO_32 = 4_294_967_296;
/** Up to this number of entries are scanned linearly, more by binary search. */
const LINEAR_ENTRIES = 8;

export class FlatWide implements Engine {
  private readonly index: number;
  private readonly lastBlock: number;
  private readonly samples: Samples;

  /** `words`: the whole region after its header. */
  constructor(
    private readonly words: Int32Array,
    layout: Layout,
    length: number,
  ) {
    this.index = (layout.index - layout.bits) / 4;
    this.lastBlock = layout.lastBlock;
    this.samples = new Samples(words, layout, Math.floor(length / SUPERBLOCK));
  }

  bit(position: number): number {
    const word =
      position >>> 0 === position ? this.words[position >>> 5] : this.words[Math.floor(position / 32)];
    return (word >>> (position & 31)) & 1;
  }

  rank(position: number): number {
    const { words } = this;
    const block = position >>> 0 === position ? position >>> 9 : Math.floor(position / 512);
    const entry = this.index + (block >>> 3) * 4;
    const total = (words[entry] >>> 0) + (words[entry + 1] & 0xfff) * TWO_32;
    const number = block & 7;
    const bits = position & 511;
    const base = block * 16;
    if (bits < 256) return total + this.count(entry, number) + rankFromEnd(words, base, bits, 0);
    if (number !== 7) return total + this.count(entry, number + 1) + rankFromEnd(words, base, bits, -1);
    const before = total + this.count(entry, 7) + countHalf(words, base);
    return before + rankFromEnd(words, base + 8, bits - 256, 0);
  }

  /**
   * The number of ones in an entry's superblock before its block `number`. Fields have 12 bits and
   * start at bit 44.
   */
  private count(entry: number, number: number): number {
    if (number === 0) return 0;
    const { words } = this;
    const bit = 32 + 12 * number;
    const at = entry + (bit >>> 5);
    return ((words[at] >>> (bit & 31)) | ((words[at + 1] << 1) << (31 - (bit & 31)))) & 0xfff;
  }

  /** The number of ones, or zeros, before one of the eight blocks of a superblock. */
  private before(entry: number, number: number, target: Target): number {
    return (this.count(entry, number) ^ target) - target + ((512 * number) & target);
  }

  select(k: number, target: Target): number {
    const { samples } = this;
    samples.find(k, target);
    let superblock = samples.low;
    let { high } = samples;
    if (high - superblock > LINEAR_ENTRIES) superblock = high = this.halve(k, target, superblock, high);
    let rest = (k - this.total(superblock, target)) | 0;
    while (superblock < high) {
      const next = (k - this.total(superblock + 1, target)) | 0;
      if (next < 0) break;
      rest = next;
      superblock++;
    }
    // Below 4096, unless the bytes are corrupt.
    rest &= SUPERBLOCK - 1;
    const entry = this.index + superblock * 4;
    let number = rest >= this.before(entry, 4, target) ? 4 : 0;
    if (rest >= this.before(entry, number + 2, target)) number += 2;
    if (rest >= this.before(entry, number + 1, target)) number += 1;
    const before = this.before(entry, number, target);
    const block = Math.min(superblock * 8 + number, this.lastBlock);
    return block * 512 + selectInBlock(this.words, block * 16, (rest - before) & (BLOCK - 1), target);
  }

  /** The number of ones, or zeros, before a superblock, modulo 2^32. */
  private total(superblock: number, target: Target): number {
    const ones = this.words[this.index + superblock * 4];
    return (ones ^ target) - target + (Math.imul(superblock, SUPERBLOCK) & target);
  }

  /** The last superblock from `low` to `high` with at most k of the target bits before it. */
  private halve(k: number, target: Target, low: number, high: number): number {
    const { words } = this;
    while (low < high) {
      const middle = low + Math.ceil((high - low) / 2);
      const entry = this.index + middle * 4;
      const ones = (words[entry] >>> 0) + (words[entry + 1] & 0xfff) * TWO_32;
      if ((target === ONES ? ones : middle * SUPERBLOCK - ones) <= k) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
