/**
 * The default: plain bits, and an index of four words about each 4096 of them. `docs/formats/succinct.md` specifies it,
 * `native/core/src/succinct/rankselect/flat.rs` does the same with larger words.
 *
 * Counts of ones before superblocks are compared modulo 2^32 where they are near each other.
 */
import { rankInBlock, rankToEnd, selectInBlock } from './block.js';
import { ONES, type Engine, type Target } from './engine.js';
import { SUPERBLOCK, type Layout } from './layout.js';
import { Samples } from './samples.js';

const TWO_32 = 4_294_967_296;
/** Up to so many entries are walked, more are halved. */
const NEAR = 8;

export class Flat implements Engine {
  private readonly index: number;
  private readonly lastBlock: number;
  private readonly samples: Samples;

  /** `words`: all of the region behind its header. */
  constructor(
    private readonly words: Int32Array,
    layout: Layout,
    length: number,
  ) {
    this.index = (layout.index - layout.bits) / 4;
    this.lastBlock = layout.lastBlock;
    this.samples = new Samples(words, layout, Math.floor(length / SUPERBLOCK));
  }

  get(position: number): boolean {
    const word =
      position >>> 0 === position ? this.words[position >>> 5] : this.words[Math.floor(position / 32)];
    return ((word >>> (position & 31)) & 1) !== 0;
  }

  rank(position: number): number {
    const { words } = this;
    const block = position >>> 0 === position ? position >>> 9 : Math.floor(position / 512);
    const entry = this.index + (block >>> 3) * 4;
    const total = (words[entry] >>> 0) + (words[entry + 1] & 0xfff) * TWO_32;
    const number = block & 7;
    const bits = position & 511;
    if (bits < 256 || number === 7) {
      return total + (number === 0 ? 0 : this.count(entry, number)) + rankInBlock(words, block * 16, bits);
    }
    return total + this.count(entry, number + 1) - rankToEnd(words, block * 16, bits);
  }

  /** Field 1 to 7 of an entry: the ones of its superblock before that block. Fields have 12 bits, from bit 44 on. */
  private count(entry: number, number: number): number {
    const { words } = this;
    const bit = 32 + 12 * number;
    const at = entry + (bit >>> 5);
    return ((words[at] >>> (bit & 31)) | ((words[at + 1] << 1) << (31 - (bit & 31)))) & 0xfff;
  }

  /** Ones, or zeros, before a block of a superblock, of which there are eight. */
  private before(entry: number, number: number, target: Target): number {
    return number === 0 ? 0 : (this.count(entry, number) ^ target) - target + ((512 * number) & target);
  }

  select(k: number, target: Target): number {
    const { samples } = this;
    samples.find(k, target);
    let superblock = samples.low;
    let { high } = samples;
    if (high - superblock > NEAR) superblock = high = this.halve(k, target, superblock, high);
    let rest = (k - this.total(superblock, target)) | 0;
    while (superblock < high) {
      const next = (k - this.total(superblock + 1, target)) | 0;
      if (next < 0) break;
      rest = next;
      superblock++;
    }
    // Below 4096, unless the bytes are damaged.
    rest &= SUPERBLOCK - 1;
    const entry = this.index + superblock * 4;
    let number = rest >= this.before(entry, 4, target) ? 4 : 0;
    if (rest >= this.before(entry, number + 2, target)) number += 2;
    if (rest >= this.before(entry, number + 1, target)) number += 1;
    const before = this.before(entry, number, target);
    // Beyond the last field nothing tells how many there are: half of the block's bits, then.
    const count = number === 7 ? 2 * (rest - before) : this.before(entry, number + 1, target) - before;
    const block = Math.min(superblock * 8 + number, this.lastBlock);
    return block * 512 + selectInBlock(this.words, block * 16, rest - before, count, target);
  }

  /** Ones, or zeros, before a superblock, modulo 2^32. */
  private total(superblock: number, target: Target): number {
    const ones = this.words[this.index + superblock * 4];
    return (ones ^ target) - target + (Math.imul(superblock, SUPERBLOCK) & target);
  }

  /** The last superblock from `low` to `high` with at most k of the bits before it. */
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
