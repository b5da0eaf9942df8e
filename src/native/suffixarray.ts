/**
 * The functions of `native/binding/suffixarray.cc`. SuffixArray. `bytes` views the region.
 */

export interface Binding {
  /**
   * `oh_suffixarray_build_in_place`: Sorts the suffixes of a text that is already in place, and
   * writes the header.
   */
  suffixarrayBuild(bytes: Uint8Array, length: number): void;
  /**
   * `oh_suffixarray_build_in_place`: Resolves to whether the work was completed; `control` is
   * defined in `src/region/background.ts`.
   */
  suffixarrayBuildAsync(bytes: Uint8Array, length: number, control: Int32Array): Promise<boolean>;
  /** `oh_suffixarray_validate` */
  suffixarrayValidate(bytes: Uint8Array): void;
}
