/**
 * The functions of `native/binding/hashmap.cc`. HashMap. `bytes` views the whole buffer of a map;
 * columns are typed arrays of exactly the map's types.
 */

export interface Binding {
  /**
   * `oh_hashmap_rebuild_region_size`: The size of the region after {@link Binding.hashmapRebuild}
   * with these capacities.
   */
  hashmapRebuildRegionSize(bytes: Uint8Array, capacity: number, heapCapacity: number): number;
  /**
   * `oh_hashmap_rebuild`: Removes deleted entries and gives the map new capacities, in place.
   * `bytes` must be long enough.
   */
  hashmapRebuild(bytes: Uint8Array, capacity: number, heapCapacity: number): void;
  /** `oh_hashmap_clear` */
  hashmapClear(bytes: Uint8Array): void;
  /**
   * `oh_hashmap_get_many`: Fills `values` for the keys that are found, and `found` with 1 and 0.
   * Returns the number of keys found.
   */
  hashmapGetMany(
    bytes: Uint8Array,
    keys: ArrayBufferView,
    values: ArrayBufferView,
    found: Uint8Array | undefined,
  ): number;
  /** `oh_hashmap_has_many` */
  hashmapHasMany(bytes: Uint8Array, keys: ArrayBufferView, found: Uint8Array): number;
  /**
   * `oh_hashmap_set_many`: Sets entries from index `from` on. Returns the index where it stopped:
   * the end, or the first entry that did not fit.
   */
  hashmapSetMany(bytes: Uint8Array, keys: ArrayBufferView, values: ArrayBufferView, from: number): number;
  /** `oh_hashmap_remove_many`: Returns the number of entries deleted. */
  hashmapDeleteMany(bytes: Uint8Array, keys: ArrayBufferView): number;
  /**
   * `oh_hashmap_handles_of`: The handles of keys, -1 for a missing key. Returns the number of keys
   * found.
   */
  hashmapHandlesOf(bytes: Uint8Array, keys: ArrayBufferView, out: Float64Array): number;
  /** `oh_hashmap_get_many_by_handle` */
  hashmapGetManyByHandle(
    bytes: Uint8Array,
    handles: Float64Array,
    values: ArrayBufferView,
    found: Uint8Array | undefined,
  ): number;
  /** `oh_hashmap_check`: The constant-time check made by opening. */
  hashmapCheck(bytes: Uint8Array): void;
  /** `oh_hashmap_validate` */
  hashmapValidate(bytes: Uint8Array): void;
}
