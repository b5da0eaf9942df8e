/** Growth of an arena: room for more of everything, and the release of unused memory. */
import { native } from '../native.js';
import { readLong, WORD as COMMON } from '../region/format.js';
import type { ArenaTable } from './arena-table.js';

/**
 * Grows the region in one native call, to fit that many more maps, blocks of slots, table
 * positions, strings, and bytes of strings. Throws `ERR_OFFHEAP_FULL` or `ERR_OFFHEAP_OOM` with
 * nothing changed.
 */
export function makeRoom(
  table: ArenaTable,
  maps: number,
  blocks: number,
  positions: number,
  ids: number,
  bytes: number,
): void {
  const addon = native();
  const { region } = table;
  const length = addon.smallmapArenaRoomRegionSize(region.bytes, maps, blocks, positions, ids, bytes);
  try {
    region.ensure(length);
    addon.smallmapArenaMakeRoom(region.bytes, maps, blocks, positions, ids, bytes);
  } finally {
    // Also after a refusal: the region may have moved to a larger buffer.
    table.rebindAfterNativeCall();
  }
}

/** Releases unused memory. */
export function releaseUnused(table: ArenaTable): void {
  native().smallmapArenaFit(table.region.bytes);
  table.region.shrink(readLong(table.region.head, COMMON.lengthLow));
  table.rebindAfterNativeCall();
}
