/**
 * The functions of `native/binding/rankselect.cc`. RankSelect. `bits` and `bytes` view the regions.
 */

export interface Binding {
  /**
   * `oh_rankselect_plan`: Counts the ones, chooses a variant if `variant` is 0, and returns the
   * size of the region.
   */
  rankselectPlan(
    bits: Uint8Array,
    variant: number,
  ): { variant: number; length: number; ones: number; regionSize: number };
  /** `oh_rankselect_build`: Fills the planned region. */
  rankselectBuild(bytes: Uint8Array, bits: Uint8Array, variant: number, length: number, ones: number): void;
  /** `oh_rankselect_many`: `query`: 1 rank1, 2 rank0, 3 select1, 4 select0. */
  rankselectMany(bytes: Uint8Array, query: number, questions: ArrayBufferView, out: ArrayBufferView): void;
  /** `oh_rankselect_validate` */
  rankselectValidate(bytes: Uint8Array): void;
}
