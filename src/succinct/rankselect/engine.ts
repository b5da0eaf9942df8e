/** The interface of the variants of rank and select. Arguments have been checked. */

/** The target of a query. As a mask it turns zeros into ones. */
export const ONES = 0;
export const ZEROS = -1;
export type Target = typeof ONES | typeof ZEROS;

export interface Engine {
  /**
   * The bit at a position below the length, as 0 or 1: producing a boolean from one of several
   * engines would take a branch.
   */
  bit(position: number): number;
  /** The number of ones before a position, which is at most the length. */
  rank(position: number): number;
  /** The position of the k-th one, or zero. There are more than `k`. */
  select(k: number, target: Target): number;
}

/** All bits are equal. */
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
