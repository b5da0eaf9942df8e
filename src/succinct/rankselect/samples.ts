/**
 * Samples: where every 2^shift-th one (or zero) is, and so where to begin looking for those that
 * follow it (`native/core/src/succinct/rankselect/samples.rs`).
 */
import { ONES, type Target } from './engine.js';
import type { Layout } from './layout.js';

export class Samples {
  /** The first place where the bit last asked for can be, and the last. */
  low = 0;
  high = 0;
  private readonly ones: number;
  private readonly zeros: number;
  private readonly oneShift: number;
  private readonly zeroShift: number;

  /** `last` is the last place there is: damaged samples lead there. */
  constructor(
    private readonly words: Int32Array,
    { samples, shifts, bits }: Layout,
    private readonly last: number,
  ) {
    this.ones = (samples[0] - bits) / 4;
    this.zeros = (samples[1] - bits) / 4;
    [this.oneShift, this.zeroShift] = shifts;
  }

  /** Looks up the places between which the k-th one, or zero, is. There are more than `k`. */
  find(k: number, target: Target): void {
    const { words, last } = this;
    const shift = target === ONES ? this.oneShift : this.zeroShift;
    const first = target === ONES ? this.ones : this.zeros;
    // Shifts are less than 32: no sample stands for more than 16384 bits' worth of ones.
    const sample = first + (k >>> 0 === k ? k >>> shift : Math.floor(k / (1 << shift)));
    const low = words[sample] >>> 0;
    const high = words[sample + 1] >>> 0;
    this.low = low < last ? low : last;
    this.high = high < this.low ? this.low : high < last ? high : last;
  }

  /** How far, from 0 to 1, the k-th is on its way from the sample before it to the next. */
  part(k: number, target: Target): number {
    const step = 1 << (target === ONES ? this.oneShift : this.zeroShift);
    return (k & (step - 1)) / step;
  }
}
