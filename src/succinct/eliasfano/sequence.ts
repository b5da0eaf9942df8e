/**
 * An Elias-Fano sequence, read in place: all of an EliasFano's region, or a part of another
 * structure's (`layoutOf` with an offset says where it lies). `native/core/src/succinct/eliasfano/`
 * does the same with larger words.
 *
 * The upper bits are a bit vector with select for ones and zeros. A line of sixteen words is two
 * words of counts and fourteen of bits. A table tells the line of every 256th one, another that of
 * every 256th zero; between two entries there are seldom more than two lines, and where there are
 * many the search halves. Differences of counts are taken modulo 2^32: between neighbouring lines
 * they are small, however many bits there are.
 *
 * Indices and values are checked by the caller. Damaged bytes give wrong answers, and end every
 * loop.
 */
import { field } from '../fields.js';
import { popcount32, popcount64, select32 } from '../word.js';
import { LINE_BITS, layoutOf, type Layout } from './layout.js';

/** What {@link Sequence.select} looks for. */
const ONES = 0;
const ZEROS = -1;
type Target = typeof ONES | typeof ZEROS;

const TWO_32 = 4_294_967_296;
/** Up to so many lines more are walked, not halved. */
const NEAR = 4;

/** Up to so many values with the same upper bits are compared one by one, more by halving. */
const FEW = 8;
/** How often the search for a missing integer goes by the average before it halves. */
const GUESSES = 4;
const NOTHING = new Int32Array(2);

export class Sequence {
  /** One with no values. */
  static readonly EMPTY = new Sequence(new ArrayBuffer(layoutOf(0, 0).bytes), layoutOf(0, 0));

  readonly length: number;
  /** The largest value. */
  readonly max: number;
  private readonly lowBits: number;
  /** 2^lowBits. */
  private readonly scale: number;
  /** Lines and both tables. */
  private readonly words: Int32Array;
  /** The lower bits: fields of `lowBits`. */
  private readonly low: Int32Array;
  private readonly lines: number;
  /** Where the tables are. */
  private readonly ones: number;
  private readonly zeros: number;
  /** How many zeros there are: buckets, of values with the same upper bits. */
  private readonly buckets: number;

  // What the last search found.
  /** The line of the bit that {@link Sequence.select} found. */
  private line = 0;
  /** Where in that line the bucket begins whose {@link Sequence.run} was asked for. */
  private bit = 0;
  /** The index of its first value. */
  private first = 0;

  constructor(buffer: ArrayBufferLike, layout: Layout) {
    const { length, max, lowBits, lines, upper, ones, zeros, low, bytes } = layout;
    this.length = length;
    this.max = max;
    this.lowBits = lowBits;
    this.scale = 2 ** lowBits;
    this.words = new Int32Array(buffer, upper, (low - upper) / 4);
    this.low = lowBits === 0 ? NOTHING : new Int32Array(buffer, low, (bytes - low) / 4);
    this.lines = lines;
    this.ones = (ones - upper) / 4;
    this.zeros = (zeros - upper) / 4;
    this.buckets = Math.floor(max / this.scale) + 1;
  }

  /** The value at an index that there is. */
  at(index: number): number {
    const { lowBits } = this;
    const bit = this.select(index, ONES);
    const high = this.line * LINE_BITS + bit - index;
    return lowBits === 0 ? high : high * this.scale + field(this.low, index, lowBits);
  }

  /**
   * How many values are less than an integer from 0 to the largest value, of which there is one.
   */
  rank(value: number): number {
    const high = this.bucketOf(value);
    const run = this.run(high);
    return this.first + this.smaller(value - high * this.scale, run);
  }

  /**
   * The first value that is not less than an integer from 0 to the largest value, of which there is
   * one.
   */
  nextGeq(value: number): number {
    const high = this.bucketOf(value);
    const run = this.run(high);
    const { first, lowBits } = this;
    const smaller = this.smaller(value - high * this.scale, run);
    const index = first + smaller;
    if (smaller < run) return high * this.scale + (lowBits === 0 ? 0 : field(this.low, index, lowBits));
    // All of the bucket are less. The next value's bucket is that of the next one, most often in
    // the same word.
    const bit = this.bit + run;
    const rest = this.words[this.line * 16 + 2 + (bit >>> 5)] >>> (bit & 31);
    if (rest === 0 || bit >= LINE_BITS) return this.at(index);
    const next = this.line * LINE_BITS + bit + 31 - Math.clz32(rest & -rest) - index;
    return lowBits === 0 ? next : next * this.scale + field(this.low, index, lowBits);
  }

  /** Whether some value is this one, an integer from 0 on. */
  has(value: number): boolean {
    return value <= this.max && this.length > 0 && this.nextGeq(value) === value;
  }

  /**
   * The k-th integer from 0 on, counted from 0, that is no value; below 2^53. The sequence has no
   * duplicates.
   *
   * In which bucket it is is guessed by how many are missing from each on the average, and again
   * from there; where the values cluster, the logarithm of the number of buckets bounds how often.
   */
  missing(k: number): number {
    const { length, max, scale, buckets } = this;
    if (length === 0 || k + length > max) return k + length;
    // There are at most k missing before this bucket, and more than k before the one after that.
    let from = Math.min(Math.floor(k / scale), buckets - 1);
    let to = Math.min(Math.floor((k + length) / scale), buckets - 1);
    const each = (max - length + 1) / buckets;
    let guess = Math.floor(k / each);
    for (let guesses = 1; ; guesses++) {
      const high = Math.max(from, Math.min(guess, to));
      const run = this.run(high);
      const rest = k - (high * scale - this.first);
      if (rest < 0 && high > from) to = high - 1;
      else if (rest >= scale - run && high < to) from = high + 1;
      else return k + this.first + this.passed(rest, run);
      guess = guesses < GUESSES ? high + Math.floor(rest / each) : from + Math.floor((to - from) / 2);
    }
  }

  /**
   * How many values of the bucket that was found come before the missing integer number `rest` of
   * it.
   */
  private passed(rest: number, run: number): number {
    const { low, lowBits, first } = this;
    // Value j of the bucket has `lower part - j` missing ones before it, which ascends.
    let from = 0;
    for (let to = run; from < to;) {
      const middle = from + Math.floor((to - from) / 2);
      const part = lowBits === 0 ? 0 : field(low, first + middle, lowBits);
      if (part - middle <= rest) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  private bucketOf(value: number): number {
    const { lowBits } = this;
    return lowBits < 32 && value >>> 0 === value ? value >>> lowBits : Math.floor(value / this.scale);
  }

  /** How many values have these upper bits. Notes where they begin. */
  private run(high: number): number {
    let line = 0;
    let bit = 0;
    if (high !== 0) {
      bit = this.select(high - 1, ZEROS) + 1;
      line = this.line;
      if (bit === LINE_BITS) {
        line++;
        bit = 0;
      }
    }
    // They are a run of ones; usually a short one, that ends in its word.
    const gaps = ~(this.words[line * 16 + 2 + (bit >>> 5)] >> (bit & 31));
    let run = gaps === 0 ? 32 : 31 - Math.clz32(gaps & -gaps);
    if (run >= 32 - (bit & 31)) {
      const end = this.select(high, ZEROS);
      run = Math.max(0, (this.line - line) * LINE_BITS + end - bit);
    }
    this.line = line;
    this.bit = bit;
    this.first = line * LINE_BITS + bit - high;
    return run;
  }

  /** How many of a bucket's values have a lower part that is less. */
  private smaller(wanted: number, run: number): number {
    const { low, lowBits, first } = this;
    if (lowBits === 0) return 0;
    let from = 0;
    if (run <= FEW) {
      while (from < run && field(low, first + from, lowBits) < wanted) from++;
      return from;
    }
    for (let to = run; from < to;) {
      const middle = from + Math.floor((to - from) / 2);
      if (field(low, first + middle, lowBits) < wanted) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /**
   * The position of the k-th one, or zero, within its line, which is then {@link Sequence.line}.
   * There are more than `k`.
   */
  private select(k: number, target: Target): number {
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
      // Which of four runs of 128 bits, of two halves, of two words: random queries foretell no
      // branch, so none is taken.
      const past2 = (two - 1 - rest) >> 31;
      const past4 = (four - 1 - rest) >> 31;
      const past6 = (six - 1 - rest) >> 31;
      let at = base + 2 - ((past2 + past4 + past6) << 2);
      let left = rest - (two & past2) - ((four - two) & past4) - ((six - four) & past6);
      const half = popcount64(words[at] ^ target, words[at + 1] ^ target);
      const pastHalf = (half - 1 - left) >> 31;
      // The last run has one half.
      if ((pastHalf & past6) === 0) {
        at -= pastHalf << 1;
        left -= half & pastHalf;
        const count = popcount32(words[at] ^ target);
        const pastWord = (count - 1 - left) >> 31;
        at -= pastWord;
        this.line = line;
        return (at - base - 2) * 32 + select32(words[at] ^ target, left - (count & pastWord));
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
