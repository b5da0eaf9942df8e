/**
 * Samples: the block of every 2^shift-th one (or zero), from which the search for those after it
 * starts (`native/core/src/succinct/rankselect/samples.rs`).
 */
import { ONES, type Target } from './engine.js';
import type { Layout } from './layout.js';

export class Samples {
  /** The first and the last block that can contain the bit of the last query. */
  low = 0;
  high = 0;
  private readonly ones: number;
  private readonly zeros: number;
  private readonly oneShift: number;
  private readonly zeroShift: number;

  /** `last` is the last existing block, to which corrupt samples are clamped. */
  constructor(
    private readonly words: Int32Array,
    { samples, shifts, bits }: Layout,
    private readonly last: number,
  ) {
    this.ones = (samples[0] - bits) / 4;
    this.zeros = (samples[1] - bits) / 4;
    [this.oneShift, this.zeroShift] = shifts;
  }

  /** Finds the blocks between which the k-th one, or zero, lies. There are more than `k`. */
  find(k: number, target: Target): void {
    const { words, last } = this;
    const shift = target === ONES ? this.oneShift : this.zeroShift;
    const first = target === ONES ? this.ones : this.zeros;
    // Shifts are less than 32: no sample covers more than 16384 bits' worth of ones.
    const sample = first + (k >>> 0 === k ? k >>> shift : Math.floor(k / (1 << shift)));
    const low = words[sample] >>> 0;
    const high = words[sample + 1] >>> 0;
    this.low = low < last ? low : last;
    this.high = high < this.low ? this.low : high < last ? high : last;
  }

  /**
   * The relative distance, from 0 to 1, of the k-th target bit from the sample before it to the
   * next sample.
   */
  part(k: number, target: Target): number {
    const step = 1 << (target === ONES ? this.oneShift : this.zeroShift);
    return (k & (step - 1)) / step;
  }
}
