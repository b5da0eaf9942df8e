/**
 * The functions of `native/binding/sharedmap.cc`. SharedMap. `id` is an attachment. Keys and values
 * are passed in its message, whose layout is in `src/sharedmap/message.ts`.
 *
 * A call that returns a value returns 1 (found), 0 (absent), or the negated number of bytes that
 * the message must have; then nothing changed.
 */

/** `oh_sharedmap_options` */
export interface MapOptions {
  readonly maxBytes: number;
  readonly ttl: number;
  readonly key: number;
  readonly value: number;
  readonly policy: number;
  readonly shards: number;
  readonly reject: boolean;
  readonly seeded: boolean;
  readonly seed0: number;
  readonly seed1: number;
}

export interface Binding {
  /** `oh_sharedmap_region_size` */
  sharedmapRegionSize(options: MapOptions): number;
  /** `oh_sharedmap_init` */
  sharedmapInit(bytes: Uint8Array, options: MapOptions): void;
  /** `oh_binding_sharedmap_attach`: Returns the id of the attachment. */
  sharedmapAttach(bytes: Uint8Array, message: Uint8Array, discard: boolean): number;
  /** `oh_sharedmap_slot`: The slot of the participant. */
  sharedmapSlot(id: number): number;
  /** `oh_sharedmap_close` */
  sharedmapClose(id: number): void;
  /** Replaces the message by a larger one. */
  sharedmapMessage(id: number, message: Uint8Array): void;
  /** `oh_sharedmap_get` */
  sharedmapGet(id: number, peek: boolean): number;
  /** `oh_sharedmap_get_by_handle` */
  sharedmapGetByHandle(id: number, handle: number): number;
  /** `oh_sharedmap_take` */
  sharedmapTake(id: number): number;
  /** `oh_sharedmap_set`: Bit 0 of the result: stored; bit 1: the key was present. */
  sharedmapSet(id: number, mode: number): number;
  /** `oh_sharedmap_set_by_handle`: as {@link Binding.sharedmapSet}. */
  sharedmapSetByHandle(id: number, handle: number): number;
  /** `oh_sharedmap_remove` */
  sharedmapDelete(id: number): number;
  /** `oh_sharedmap_remove_by_handle` */
  sharedmapDeleteByHandle(id: number, handle: number): number;
  /** `oh_sharedmap_handle_of`: 0 for an absent key. */
  sharedmapHandleOf(id: number): number;
  /** `oh_sharedmap_key_by_handle`: The length of the key + 1; 0 for a stale handle. */
  sharedmapKeyByHandle(id: number, handle: number): number;
  /** `oh_sharedmap_increment` */
  sharedmapIncrement(id: number): void;
  /** `oh_sharedmap_increment_integer` */
  sharedmapIncrementInteger(id: number): void;
  /** `oh_sharedmap_touch` */
  sharedmapTouch(id: number): number;
  /** `oh_sharedmap_scan`: Returns the number of entries. */
  sharedmapScan(id: number, values: boolean, limit: number): number;
  /** `oh_sharedmap_fits` */
  sharedmapFits(id: number, keyLength: number, valueLength: number): boolean;
  /** `oh_sharedmap_sample`: Returns the number of entries. */
  sharedmapSample(id: number, shard: number, seed: number, limit: number): number;
  /** `oh_sharedmap_evict` */
  sharedmapEvict(id: number): number;
  /** `oh_sharedmap_lease`: 0 the key is present, 1 acquired, 2 held by another. */
  sharedmapLease(id: number, duration: number): number;
  /** `oh_sharedmap_end_lease` */
  sharedmapEndLease(id: number): void;
  /** `oh_sharedmap_commit`: of `count` records in the message. False after a conflict. */
  sharedmapCommit(id: number, count: number): boolean;
  /** `oh_sharedmap_subscribe` */
  sharedmapSubscribe(id: number, events: number): void;
  /** `oh_sharedmap_poll`: The bytes of the events in the message. */
  sharedmapPoll(id: number): number;
  /** `oh_sharedmap_clear` */
  sharedmapClear(id: number): void;
  /** `oh_sharedmap_validate` */
  sharedmapValidate(id: number): void;
  /** `oh_sharedmap_purge_expired` */
  sharedmapPurge(id: number, buckets: number): number;
  /** `oh_sharedmap_count` */
  sharedmapSize(id: number): number;
  /** `oh_sharedmap_get_stats`: Fills `out` with the members of `oh_sharedmap_stats`. */
  sharedmapStats(id: number, out: Float64Array): void;
  /** `oh_sharedmap_get_many` */
  sharedmapGetMany(
    id: number,
    keys: ArrayBufferView,
    values: ArrayBufferView | undefined,
    found: Uint8Array | undefined,
  ): number;
  /** `oh_sharedmap_set_many` */
  sharedmapSetMany(id: number, keys: ArrayBufferView, values: ArrayBufferView): void;
  /** `oh_sharedmap_remove_many` */
  sharedmapDeleteMany(id: number, keys: ArrayBufferView): number;
}
