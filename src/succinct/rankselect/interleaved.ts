/**
 * Counts and bits in one cache line. `docs/formats/succinct.md` specifies it, and
 * `native/core/src/succinct/rankselect/interleaved.rs` does the same with larger words.
 */
import { popcount32 } from '../word.js';
import { countHalf, rankFromEnd, selectInBlock } from './block.js';
import { ONES, type Engine, type Target } from './engine.js';
import { WIDE_FROM_BITS, LINE_BITS, LINES_LOG2, type Layout } from './layout.js';
import { Samples } from './samples.js';

const TWO_32 = 4_294_967_296;
/** The size of the count at the beginning of each line, in bits. */
const COUNT_BITS = 16;

export class Interleaved implements Engine {
  private readonly table: number;
  /** Whether counts are small integers. */
  private readonly near: boolean;
  private readonly samples: Samples;

  /** `words`: the whole region after its header. */
  constructor(
    private readonly words: Int32Array,
    layout: Layout,
    length: number,
  ) {
    this.near = length < WIDE_FROM_BITS;
    this.table = (layout.index - layout.bits) / 4;
    this.samples = new Samples(words, layout, layout.lastBlock);
  }

  bit(position: number): number {
    const line = lineOf(position);
    const bit = position - line * LINE_BITS + COUNT_BITS;
    return (this.words[line * 16 + (bit >>> 5)] >>> (bit & 31)) & 1;
  }

  rank(position: number): number {
    const { words } = this;
    const line = lineOf(position);
    const bits = position - line * LINE_BITS + COUNT_BITS;
    const base = line * 16;
    // If the position is in the second half, add all of the first half. Subtract the ones of the
    // count itself, which is stored in the first word.
    const past = -(bits >>> 8);
    const own = words[base] & 0xffff;
    const ones = (countHalf(words, base) & past) + rankFromEnd(words, base + (8 & past), bits & 255, 0);
    const inSuperblock = own + ones - popcount32(own);
    const entry = this.table + (line >>> LINES_LOG2) * 2;
    return this.near
      ? words[entry] + inSuperblock
      : (words[entry] >>> 0) + words[entry + 1] * TWO_32 + inSuperblock;
  }

  /** The number of ones, or zeros, before a line. */
  private before(line: number, target: Target): number {
    const { words } = this;
    const entry = this.table + (line >>> LINES_LOG2) * 2;
    const ones = (words[entry] >>> 0) + words[entry + 1] * TWO_32 + (words[line * 16] & 0xffff);
    return target === ONES ? ones : line * LINE_BITS - ones;
  }

  select(k: number, target: Target): number {
    const { samples, words } = this;
    samples.find(k, target);
    let { low, high } = samples;
    let line = low + Math.floor((high - low) * samples.part(k, target));
    let before = this.before(line, target);
    // Move away from the guess in steps that double, or to the middle if that is nearer.
    for (let step = 1; low < high; step *= 2) {
      if (before <= k) {
        low = line;
        if (low === high) break;
        line = Math.min(low + step, low + Math.ceil((high - low) / 2));
      } else {
        high = Math.max(line - 1, low);
        line = Math.max(high - step + 1, low + Math.ceil((high - low) / 2));
      }
      before = this.before(line, target);
    }
    const count = words[line * 16] & 0xffff;
    const ones = popcount32(count);
    const rest = (k - before + (target === ONES ? ones : COUNT_BITS - ones)) & 511;
    const bit = selectInBlock(words, line * 16, rest, target);
    return line * LINE_BITS + Math.max(bit - COUNT_BITS, 0);
  }
}

/** The line of a position. Below 2^32 a multiplication replaces the division. */
function lineOf(position: number): number {
  return position >>> 0 === position
    ? ((position >>> 0) / LINE_BITS) >>> 0
    : Math.floor(position / LINE_BITS);
}
