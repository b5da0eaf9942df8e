/**
 * The functions of `native/binding/smallmap_arena.cc`. SmallMapArena. `bytes` views the whole
 * buffer of an arena; columns are typed arrays of its types, and Uint32Arrays of ids for strings.
 */

export interface Binding {
  /**
   * `oh_smallmap_arena_room_region_size`: The size of the region after {@link
   * smallmapArenaMakeRoom} with the same numbers.
   */
  smallmapArenaRoomRegionSize(
    bytes: Uint8Array,
    maps: number,
    blocks: number,
    positions: number,
    strings: number,
    heap: number,
  ): number;
  /**
   * `oh_smallmap_arena_make_room`: Rearranges an arena so that this much more fits. `bytes` must be
   * long enough.
   */
  smallmapArenaMakeRoom(
    bytes: Uint8Array,
    maps: number,
    blocks: number,
    positions: number,
    strings: number,
    heap: number,
  ): void;
  /** `oh_smallmap_arena_make_room`: Releases all capacity that is not in use. */
  smallmapArenaFit(bytes: Uint8Array): void;
  /** `oh_smallmap_arena_promote`: Moves the 8 entries of a map to the table. */
  smallmapArenaPromote(bytes: Uint8Array, id: number): void;
  /** `oh_smallmap_arena_clear` */
  smallmapArenaClear(bytes: Uint8Array, id: number): void;
  /** `oh_smallmap_arena_release` */
  smallmapArenaRelease(bytes: Uint8Array, id: number): void;
  /**
   * `oh_smallmap_arena_get_many`: Fills `values` for the keys that are found, and `found` with 1
   * and 0. Returns the number of keys found.
   */
  smallmapArenaGetMany(
    bytes: Uint8Array,
    ids: Float64Array | Uint32Array,
    keys: ArrayBufferView,
    values: ArrayBufferView,
    found: Uint8Array | undefined,
  ): number;
  /**
   * `oh_smallmap_arena_set_many`: Sets entries from index `from` on. Returns the index where it
   * stopped: the end, or the first entry that did not fit.
   */
  smallmapArenaSetMany(
    bytes: Uint8Array,
    ids: Float64Array | Uint32Array,
    keys: ArrayBufferView,
    values: ArrayBufferView,
    from: number,
  ): number;
  /** `oh_smallmap_arena_check`: The constant-time check made by opening. */
  smallmapArenaCheck(bytes: Uint8Array): void;
  /** `oh_smallmap_arena_validate` */
  smallmapArenaValidate(bytes: Uint8Array): void;
}
