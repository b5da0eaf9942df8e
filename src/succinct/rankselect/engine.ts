/** What every variant of rank and select answers, for arguments that were checked. */

/** What a question is about. As a mask it turns zeros into ones. */
export const ONES = 0;
export const ZEROS = -1;
export type Target = typeof ONES | typeof ZEROS;

export interface Engine {
  /**
   * The bit at a position below the length, 0 or 1: a boolean out of one of several engines would
   * be made by a branch.
   */
  bit(position: number): number;
  /** How many ones are before a position, which is at most the length. */
  rank(position: number): number;
  /** Where the k-th one, or zero, is, of which there are more than `k`. */
  select(k: number, target: Target): number;
}

/** All bits are alike. */
export class Constant implements Engine {
  constructor(private readonly ones: boolean) {}

  bit(): number {
    return this.ones ? 1 : 0;
  }
  rank(position: number): number {
    return this.ones ? position : 0;
  }
  select(k: number): number {
    return k;
  }
}
