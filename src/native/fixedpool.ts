/**
 * The functions of `native/binding/fixedpool.cc`. FixedPool. `bytes` views the whole buffer of a
 * pool.
 */

export interface Binding {
  /** `oh_fixedpool_check`: The constant-time check made by attaching. */
  fixedpoolCheck(bytes: Uint8Array): void;
  /** `oh_fixedpool_validate` */
  fixedpoolValidate(bytes: Uint8Array): void;
  /**
   * `oh_fixedpool_alloc`: Allocates blocks until the pool or `offsets` is full; returns their
   * number.
   */
  fixedpoolAllocMany(bytes: Uint8Array, size: number, offsets: Float64Array): number;
  /** `oh_fixedpool_free`: Frees blocks. Stops at the first invalid offset, with its error. */
  fixedpoolFreeMany(bytes: Uint8Array, offsets: Float64Array): void;
}
