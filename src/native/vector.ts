/**
 * The functions of `native/binding/vector.cc`. Vector. `bytes` views the buffer from the region's
 * first byte; `value` is an array of one element, whose type must be the vector's.
 */

export interface Binding {
  /** `oh_vector_set_region`: Sets the length of the region, for which the buffer is long enough. */
  vectorSetRegion(bytes: Uint8Array, length: number): void;
  /** `oh_vector_set_count` */
  vectorSetLength(bytes: Uint8Array, length: number): void;
  /** `oh_vector_zero_unused`: Writes zeros after the elements. */
  vectorZeroUnused(bytes: Uint8Array): void;
  /** `oh_vector_check` */
  vectorCheck(bytes: Uint8Array): void;
  /** `oh_vector_validate` */
  vectorValidate(bytes: Uint8Array): void;
  /** `oh_vector_fill` */
  vectorFill(bytes: Uint8Array, value: ArrayBufferView, from: number, to: number): void;
  /** `oh_vector_sum` */
  vectorSum(bytes: Uint8Array, wide: false): number;
  /** `oh_vector_sum` */
  vectorSum(bytes: Uint8Array, wide: boolean): number | bigint;
  /**
   * `oh_vector_extreme`: Writes the least or greatest element to `out`. `false` if there is none.
   */
  vectorExtreme(bytes: Uint8Array, greatest: boolean, out: ArrayBufferView): boolean;
  /** `oh_vector_index_of`: Returns -1 if the value is not found. */
  vectorIndexOf(bytes: Uint8Array, value: ArrayBufferView, from: number, nan: boolean): number;
  /**
   * `oh_vector_search`: For each value, its index, or -(i + 1) with the index i at which to insert
   * it.
   */
  vectorSearch(bytes: Uint8Array, values: ArrayBufferView, out: Float64Array): void;
  /** `oh_vector_sort` */
  vectorSort(bytes: Uint8Array): void;
  /**
   * `oh_vector_sort`: Resolves to whether the work was completed; `control` is defined in
   * `src/region/background.ts`.
   */
  vectorSortAsync(bytes: Uint8Array, control: Int32Array): Promise<boolean>;
  /** `oh_vector_argsort` */
  vectorArgsort(bytes: Uint8Array, out: Uint32Array | Float64Array): void;
  /** `oh_vector_argsort` */
  vectorArgsortAsync(
    bytes: Uint8Array,
    out: Uint32Array | Float64Array,
    control: Int32Array,
  ): Promise<boolean>;
}
