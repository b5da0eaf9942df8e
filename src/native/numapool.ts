/**
 * The functions of `native/binding/numapool.cc`. NumaPool. Policies are numbered as for {@link
 * numaPlace}; an empty list of nodes means all nodes with memory. `bytes` views the whole buffer.
 */

export interface Binding {
  /** `oh_numapool_region_size`: The size of a pool's region in bytes. */
  numapoolRegionSize(
    policy: number,
    nodes: Uint32Array,
    capacity: number,
    zeroOnFree: boolean,
    guards: boolean,
  ): number;
  /** `oh_numapool_init`: Creates an empty pool in zeroed memory. */
  numapoolInit(
    bytes: Uint8Array,
    policy: number,
    nodes: Uint32Array,
    capacity: number,
    zeroOnFree: boolean,
    guards: boolean,
  ): void;
  /** `oh_numapool_place`: Places the sections on their nodes. */
  numapoolPlace(bytes: Uint8Array, populate: boolean): void;
  /**
   * `oh_numapool_near`: The section of the node on which this thread runs, or of the nearest one.
   */
  numapoolNear(bytes: Uint8Array): number;
  /** `oh_numapool_alloc`: TypeScript has its own version; this one is for comparison. */
  numapoolAlloc(bytes: Uint8Array, size: number): number;
  /** `oh_numapool_free` */
  numapoolFree(bytes: Uint8Array, offset: number): void;
  /** `oh_numapool_validate` */
  numapoolValidate(bytes: Uint8Array): void;
}
