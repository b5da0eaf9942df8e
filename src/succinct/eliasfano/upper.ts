/**
 * The upper bits of an Elias-Fano sequence: a bit vector with select for ones and zeros, read in place.
 *
 * A line of sixteen words is two words of counts and fourteen of bits. A table tells the line of every 256th one, another that
 * of every 256th zero; between two entries there are seldom more than two lines, and where there are many the search halves.
 * `native/core/src/succinct/eliasfano/upper.rs` does the same with larger words.
 *
 * Differences of counts are taken modulo 2^32: between neighbouring lines they are small, however many bits there are.
 */
import { popcount32, select32 } from '../word.js';
import { LINE_BITS, type Layout } from './layout.js';

/** What {@link Upper.select} looks for. */
export const ONES = 0;
export const ZEROS = -1;
export type Target = typeof ONES | typeof ZEROS;

const TWO_32 = 4_294_967_296;
/** Up to so many lines more are walked, not halved. */
const NEAR = 4;

export class Upper {
  /** Lines and both tables. */
  words: Int32Array;
  /** The line of the bit that {@link Upper.select} found last. */
  line = 0;
  private readonly lines: number;
  private readonly ones: number;
  private readonly zeros: number;

  constructor(buffer: ArrayBufferLike, { upper, ones, zeros, low, lines }: Layout) {
    this.words = new Int32Array(buffer, upper, (low - upper) / 4);
    this.lines = lines;
    this.ones = (ones - upper) / 4;
    this.zeros = (zeros - upper) / 4;
  }

  /** The position of the k-th one, or zero, within its line, which is then {@link Upper.line}. There are more than `k`. */
  select(k: number, target: Target): number {
    const { words } = this;
    const entry =
      (target === ONES ? this.ones : this.zeros) + (k >>> 0 === k ? k >>> 8 : Math.floor(k / 256));
    const last = this.lines - 1;
    // Damaged tables lead to some line that there is.
    let low = Math.min(words[entry] >>> 0, last);
    let high = Math.max(low, Math.min(words[entry + 1] >>> 0, last));
    if (high - low > NEAR) low = high = this.halve(k, target, low, high);
    let line = low + (((high - low) * (k & 255) + 128) >>> 8);
    let rest = (k - this.before(line, target)) | 0;
    while (rest < 0 && line > low) rest = (k - this.before(--line, target)) | 0;
    for (;;) {
      const base = line * 16;
      const counts = words[base + 1];
      // Zeros are the ones of the complement: 128 - n for each 128 bits.
      const two = (((counts >>> 6) & 0xff) ^ target) - target + (target & 128);
      const four = (((counts >>> 14) & 0x1ff) ^ target) - target + (target & 256);
      const six = ((counts >>> 23) ^ target) - target + (target & 384);
      let at = base + 2;
      if (rest >= four) {
        if (rest >= six) {
          rest -= six;
          at += 12;
        } else {
          rest -= four;
          at += 8;
        }
      } else if (rest >= two) {
        rest -= two;
        at += 4;
      }
      const end = base + 16;
      for (; at < end; at++) {
        const word = words[at] ^ target;
        const count = popcount32(word);
        if (rest < count) {
          this.line = line;
          return (at - base - 2) * 32 + select32(word, rest);
        }
        rest -= count;
      }
      if (line >= high) break;
      rest = (k - this.before(++line, target)) | 0;
    }
    // Only in damaged bytes.
    this.line = line;
    return LINE_BITS - 1;
  }

  /** How many of the bits come before a line, modulo 2^32. */
  private before(line: number, target: Target): number {
    return (this.words[line * 16] ^ target) - target + (Math.imul(line, LINE_BITS) & target);
  }

  /** The last line from `low` to `high` with at most k of the bits before it. */
  private halve(k: number, target: Target, low: number, high: number): number {
    const { words } = this;
    while (low < high) {
      const middle = low + Math.ceil((high - low) / 2);
      const ones = (words[middle * 16] >>> 0) + (words[middle * 16 + 1] & 63) * TWO_32;
      const before = target === ONES ? ones : middle * LINE_BITS - ones;
      if (before <= k) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
