/** Operations on whole maps of an arena: creation, release, and the facts about one map. */
import { native } from '../native.js';
import { OWNER } from '../region/table.js';
import type { ArenaTable } from './arena-table.js';
import { makeRoom } from './growth.js';
import { PROMOTED, TWO_32, WORD } from './layout.js';
import { sizeOfPlace } from './promoted.js';
import { dropMap, dropSlot, takeMap } from './slots.js';

const MAPS_USED = WORD.mapsUsed;

/** Creates an empty map and returns its id. */
export function createMap(table: ArenaTable): number {
  if (table.role !== OWNER) table.beforeWrite();
  const { head } = table;
  if (head[WORD.freeMap] === 0 && head[MAPS_USED] === table.directory.length >>> 1)
    makeRoom(table, 1, 0, 0, 0, 0);
  return takeMap(table);
}

export function releaseMap(table: ArenaTable, id: number): void {
  table.beforeWrite();
  const map = table.mapOf(id);
  const place = table.placeOf(map);
  table.epoch++;
  if ((place & 15) === PROMOTED) native().smallmapArenaRelease(table.region.bytes, id);
  else dropMap(table, map, place);
}

/** Removes all entries of a map and demotes it. */
export function clearMap(table: ArenaTable, id: number): void {
  table.beforeWrite();
  const map = table.mapOf(id);
  const place = table.placeOf(map);
  table.epoch++;
  if ((place & 15) === PROMOTED) {
    native().smallmapArenaClear(table.region.bytes, id);
  } else if (place !== 0) {
    table.publish(table.directory, map * 2, 0);
    dropSlot(table, place);
  }
  if (table.changes.enabled) table.changes.cleared(map);
}

/** Whether an id identifies a map that has not been released. */
export function isAlive(table: ArenaTable, id: unknown): boolean {
  return table.readStable(() => {
    if (typeof id !== 'number') return false;
    const map = id >>> 0;
    if (map >= table.entriesUsed()) return false;
    const generation = table.directory[map * 2 + 1];
    return generation >= 0 && generation * TWO_32 + map === id;
  });
}

/** The number of entries of a map. */
export function sizeOf(table: ArenaTable, id: number): number {
  if (table.role === OWNER) return sizeOfPlace(table, table.placeOf(table.mapOf(id)));
  return table.readStable(() => sizeOfPlace(table, table.placeOf(table.mapOf(id))));
}

export function isPromoted(table: ArenaTable, id: number): boolean {
  if (table.role === OWNER) return (table.placeOf(table.mapOf(id)) & 15) === PROMOTED;
  return table.readStable(() => (table.placeOf(table.mapOf(id)) & 15) === PROMOTED);
}

/** The ids of all maps, in directory order. */
export function* mapIds(table: ArenaTable): Generator<number, undefined, undefined> {
  for (let map = 0; ; map++) {
    const id = table.readStable(() => {
      const used = table.entriesUsed();
      for (; map < used; map++) {
        const generation = table.directory[map * 2 + 1];
        if (generation >= 0) return generation * TWO_32 + map;
      }
      return -1;
    });
    if (id < 0) return undefined;
    yield id;
  }
}
