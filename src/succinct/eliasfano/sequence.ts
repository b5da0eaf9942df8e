/**
 * An Elias-Fano sequence, read in place: the whole region of an EliasFano, or part of another
 * structure's region (`layoutOf` with an offset computes its location).
 * `native/core/src/succinct/eliasfano/` does the same with larger words.
 *
 * The upper bits are a bit vector with select for ones and zeros. A line of sixteen words consists
 * of two words of counts and fourteen words of bits. One table gives the line of every 256th one,
 * another the line of every 256th zero. There are seldom more than two lines between two entries;
 * if there are many, a binary search follows. Differences of counts are taken modulo 2^32: between
 * adjacent lines they are small, however many bits there are.
 *
 * The caller checks indices and values. Corrupt bytes give wrong results, but every loop ends.
 */
import { field } from '../fields.js';
import { popcount32, popcount64, select32 } from '../word.js';
import { LINE_BITS, layoutOf, type Layout } from './layout.js';

/** The target of {@link Sequence.select}. */
const ONES = 0;
const ZEROS = -1;
type Target = typeof ONES | typeof ZEROS;

const TWO_32 = 4_294_967_296;
/** Up to this number of further lines are scanned linearly, more by binary search. */
const LINEAR_LINES = 4;

/**
 * Up to this number of values with the same upper bits are scanned linearly, more by binary search.
 */
const LINEAR_VALUES = 8;
/**
 * The number of interpolation steps in the search for a missing integer before it switches to
 * binary search.
 */
const GUESSES = 4;
const NOTHING = new Int32Array(2);

export class Sequence {
  /** A sequence without values. */
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
  /** The indices of the tables. */
  private readonly ones: number;
  private readonly zeros: number;
  /**
   * The number of zeros, which is that of buckets: values with the same upper bits form a bucket.
   */
  private readonly buckets: number;

  // Results of the last search.
  /** The line of the bit that {@link Sequence.select} found. */
  private line = 0;
  /** The position in that line where the bucket of the last {@link Sequence.run} begins. */
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

  /** The value at an index, which must be less than the length. */
  at(index: number): number {
    const { lowBits } = this;
    const bit = this.select(index, ONES);
    const high = this.line * LINE_BITS + bit - index;
    return lowBits === 0 ? high : high * this.scale + field(this.low, index, lowBits);
  }

  /**
   * The number of values less than an integer from 0 to the largest value. The sequence is not
   * empty.
   */
  rank(value: number): number {
    const high = this.bucketOf(value);
    const run = this.run(high);
    return this.first + this.smaller(value - high * this.scale, run);
  }

  /**
   * The first value that is not less than an integer from 0 to the largest value. The sequence is
   * not empty.
   */
  nextGeq(value: number): number {
    const high = this.bucketOf(value);
    const run = this.run(high);
    const { first, lowBits } = this;
    const smaller = this.smaller(value - high * this.scale, run);
    const index = first + smaller;
    if (smaller < run) return high * this.scale + (lowBits === 0 ? 0 : field(this.low, index, lowBits));
    // All values of the bucket are less. The next value is in the bucket of the next one, which is
    // usually in the same word.
    const bit = this.bit + run;
    const rest = this.words[this.line * 16 + 2 + (bit >>> 5)] >>> (bit & 31);
    if (rest === 0 || bit >= LINE_BITS) return this.at(index);
    const next = this.line * LINE_BITS + bit + 31 - Math.clz32(rest & -rest) - index;
    return lowBits === 0 ? next : next * this.scale + field(this.low, index, lowBits);
  }

  /** Whether a non-negative integer is a value of the sequence. */
  has(value: number): boolean {
    return value <= this.max && this.length > 0 && this.nextGeq(value) === value;
  }

  /**
   * The k-th non-negative integer, counted from 0, that is not a value. The result is below 2^53.
   * The sequence has no duplicates.
   *
   * The bucket is guessed from the average number of missing integers per bucket, and guessed again
   * from there. If the values are clustered, the logarithm of the number of buckets bounds the
   * number of steps.
   */
  missing(k: number): number {
    const { length, max, scale, buckets } = this;
    if (length === 0 || k + length > max) return k + length;
    // At most k integers are missing before bucket `from`, and more than k before the bucket after
    // `to`.
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

  /** The number of values of the found bucket that precede its missing integer number `rest`. */
  private passed(rest: number, run: number): number {
    const { low, lowBits, first } = this;
    // Value j of the bucket has `lower part - j` missing integers before it, which is ascending in
    // j.
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

  /** The number of values with these upper bits. Records where they begin. */
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
    // They form a run of ones, which is usually short and ends in its word.
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

  /** The number of a bucket's values whose lower part is less than `wanted`. */
  private smaller(wanted: number, run: number): number {
    const { low, lowBits, first } = this;
    if (lowBits === 0) return 0;
    let from = 0;
    if (run <= LINEAR_VALUES) {
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
   * The position of the k-th one, or zero, within its line, which is stored in {@link
   * Sequence.line}. There are more than `k`.
   */
  private select(k: number, target: Target): number {
    const { words } = this;
    const entry =
      (target === ONES ? this.ones : this.zeros) + (k >>> 0 === k ? k >>> 8 : Math.floor(k / 256));
    const last = this.lines - 1;
    // Corrupt tables lead to some existing line.
    let low = Math.min(words[entry] >>> 0, last);
    let high = Math.max(low, Math.min(words[entry + 1] >>> 0, last));
    if (high - low > LINEAR_LINES) low = high = this.halve(k, target, low, high);
    let line = low + (((high - low) * (k & 255) + 128) >>> 8);
    let rest = (k - this.before(line, target)) | 0;
    while (rest < 0 && line > low) rest = (k - this.before(--line, target)) | 0;
    for (;;) {
      const base = line * 16;
      const counts = words[base + 1];
      // Zeros are the ones of the complement: 128 - n per 128 bits.
      const two = (((counts >>> 6) & 0xff) ^ target) - target + (target & 128);
      const four = (((counts >>> 14) & 0x1ff) ^ target) - target + (target & 256);
      const six = ((counts >>> 23) ^ target) - target + (target & 384);
      // Choose among four runs of 128 bits, then two halves, then two words. Random queries make
      // branches unpredictable, so there are none.
      const past2 = (two - 1 - rest) >> 31;
      const past4 = (four - 1 - rest) >> 31;
      const past6 = (six - 1 - rest) >> 31;
      let at = base + 2 - ((past2 + past4 + past6) << 2);
      let left = rest - (two & past2) - ((four - two) & past4) - ((six - four) & past6);
      const half = popcount64(words[at] ^ target, words[at + 1] ^ target);
      const pastHalf = (half - 1 - left) >> 31;
      // The last run has only one half.
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
    // Reached only in corrupt bytes.
    this.line = line;
    return LINE_BITS - 1;
  }

  /** The number of target bits before a line, modulo 2^32. */
  private before(line: number, target: Target): number {
    return (this.words[line * 16] ^ target) - target + (Math.imul(line, LINE_BITS) & target);
  }

  /** The last line from `low` to `high` with at most k of the target bits before it. */
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
