/**
 * The functions of `native/binding/lockfreepool.cc`. LockFreePool and ThreadLocalPool. `bytes`
 * views the whole buffer of a pool. A size of 0 selects the default.
 */

/** The result of {@link Binding.lockfreepoolAttach}: an opaque value. */
export type PoolHandle = object & { readonly __brand: 'PoolHandle' };

export interface Binding {
  /** `oh_lockfreepool_region_size`: The size of a pool's region in bytes. */
  lockfreepoolRegionSize(
    capacity: number,
    chunk: number,
    smallest: number,
    handles: number,
    flags: number,
  ): number;
  /** `oh_lockfreepool_init`: Creates an empty pool in zeroed memory. */
  lockfreepoolInit(
    bytes: Uint8Array,
    capacity: number,
    chunk: number,
    smallest: number,
    handles: number,
    flags: number,
  ): void;
  /**
   * `oh_lockfreepool_attach` and `oh_threadlocalpool_attach`: A handle for this thread, with a
   * cache if `cacheBytes` is given. It returns its blocks to the pool when it is collected or the
   * thread ends.
   */
  lockfreepoolAttach(bytes: Uint8Array, cacheBytes: number | undefined): PoolHandle;
  /** `oh_lockfreepool_close` and `oh_threadlocalpool_close` */
  lockfreepoolClose(handle: PoolHandle): void;
  /**
   * `oh_lockfreepool_get_layout` and `oh_threadlocalpool_largest`: The positions of the words: the
   * fields of `oh_lockfreepool_layout`, then the largest request that the cache serves.
   */
  lockfreepoolLayout(handle: PoolHandle, out: Float64Array): void;
  /** `oh_lockfreepool_alloc` and `oh_threadlocalpool_alloc`: Returns an offset, or -1. */
  lockfreepoolAlloc(handle: PoolHandle, bytes: number): number;
  /** `oh_lockfreepool_free` and `oh_threadlocalpool_free` */
  lockfreepoolFree(handle: PoolHandle, offset: number): void;
  /** `oh_lockfreepool_room`: The size of the allocated block at an offset. */
  lockfreepoolRoom(handle: PoolHandle, offset: number): number;
  /**
   * `oh_lockfreepool_alloc` and `oh_threadlocalpool_alloc`: Allocates blocks until the pool or
   * `offsets` is full; returns their number.
   */
  lockfreepoolAllocMany(handle: PoolHandle, size: number, offsets: Float64Array): number;
  /**
   * `oh_lockfreepool_free` and `oh_threadlocalpool_free`: Frees blocks. Stops at the first invalid
   * offset, with its error.
   */
  lockfreepoolFreeMany(handle: PoolHandle, offsets: Float64Array): void;
  /**
   * `oh_lockfreepool_get_stats` and `oh_threadlocalpool_held`: The fields of
   * `oh_lockfreepool_stats`, then the number of bytes in the cache.
   */
  lockfreepoolStats(handle: PoolHandle, out: Float64Array): void;
  /** `oh_lockfreepool_suspects` */
  lockfreepoolSuspects(handle: PoolHandle): number[];
  /** `oh_threadlocalpool_flush`: Only for handles with a cache. */
  lockfreepoolFlush(handle: PoolHandle): void;
  /** `oh_lockfreepool_validate` */
  lockfreepoolValidate(bytes: Uint8Array): void;
}
