/**
 * Promoted maps: entries in the hash table that all maps of the arena share, linked in a circular
 * list per map (`docs/formats/smallmap.md`, "Table"). `native/core/src/smallmap/arena/table.rs`
 * does the same.
 */
import { hashNarrow, hashRounds, hashWide } from '../region/hash.js';
import type { ArenaTable } from './arena-table.js';
import { writeKey, writeValue } from './columns.js';
import { badLinks, badList, PROMOTED, TABLE, WORD } from './layout.js';

/** Words of a position's links. */
const OWNER_LINK = 0;
const NEXT = 1;
const PREV = 2;
const HASH = 3;
/** The owner of a free position. */
const NOBODY = -1;

export function findPromoted(table: ArenaTable, map: number): number {
  const { index, links, tableKeyBits: bits, low } = table;
  const used = Math.min(table.head[WORD.tableUsed], links.length >>> 2);
  const h = hashKey(table, map);
  for (let position = index.first(h); position >= 0; position = index.next()) {
    if (position >= used || links[position * 4] !== map) continue;
    if (
      table.wide
        ? bits[position * 2] === low && bits[position * 2 + 1] === table.high
        : bits[position] === low
    ) {
      return TABLE + position;
    }
  }
  return -1;
}

/** The hash of a map and the key in `low` and `high`. */
function hashKey(table: ArenaTable, map: number): number {
  const { head, low } = table;
  const seed0 = head[WORD.seed0];
  const seed1 = head[WORD.seed1];
  if (!table.wide) return hashNarrow(low, map, seed0, seed1);
  if (head[WORD.kindVersion] === 1) return hashRounds(low, table.high, map, seed0, seed1);
  return hashWide(low, table.high, map, seed0, seed1, table.multiplier0, table.multiplier1);
}

/** Number of free positions. */
export function positionsLeft(table: ArenaTable): number {
  const { head } = table;
  return (table.links.length >>> 2) - head[WORD.tableUsed] + head[WORD.tableFree];
}

/**
 * Appends the key in `low` and `high`, which the promoted map does not have. There must be a free
 * position.
 */
export function appendPromoted(table: ArenaTable, map: number, sentinel: number, value: unknown): void {
  const { head, links } = table;
  const used = head[WORD.tableUsed];
  const last = links[sentinel * 4 + PREV] >>> 0;
  if (sentinel >= used || last >= used) throw badLinks();
  const position = takePosition(table);
  const h = hashKey(table, map);
  writeKey(table, table.tableKeyBits, position);
  writeValue(table, TABLE + position, value);
  links[position * 4 + HASH] = h;
  links[position * 4 + PREV] = last;
  links[position * 4 + NEXT] = sentinel;
  links[position * 4 + OWNER_LINK] = map;
  table.index.enter(h, position);
  table.publish(links, last * 4 + NEXT, position);
  links[sentinel * 4 + PREV] = position;
  links[sentinel * 4 + HASH] = links[sentinel * 4 + HASH] + 1;
}

function takePosition(table: ArenaTable): number {
  const { head, links } = table;
  const free = head[WORD.freePosition];
  const used = head[WORD.tableUsed];
  if (free === 0) {
    if (used >= links.length >>> 2) throw badList('positions');
    table.publish(head, WORD.tableUsed, used + 1);
    return used;
  }
  const position = free - 1;
  const next = links[position * 4 + NEXT];
  if (position >= used || links[position * 4] !== NOBODY || next >>> 0 > used) throw badList('positions');
  head[WORD.freePosition] = next;
  head[WORD.tableFree] = head[WORD.tableFree] - 1;
  return position;
}

/** Removes an entry of a promoted map. */
export function removePromoted(table: ArenaTable, map: number, sentinel: number, position: number): void {
  const { head, links } = table;
  const used = head[WORD.tableUsed];
  const next = links[position * 4 + NEXT] >>> 0;
  const prev = links[position * 4 + PREV] >>> 0;
  if (next >= used || prev >= used || sentinel >= used) throw badLinks();
  const h = links[position * 4 + HASH];
  const passed = table.index.leave(h, position);
  table.publish(links, prev * 4 + NEXT, next);
  links[next * 4 + PREV] = prev;
  const count = links[sentinel * 4 + HASH];
  if (count !== 0) links[sentinel * 4 + HASH] = count - 1;
  table.index.countDown(h, passed);
  table.recycle();
  links[position * 4] = NOBODY;
  links[position * 4 + NEXT] = head[WORD.freePosition]!;
  head[WORD.freePosition] = position + 1;
  head[WORD.tableFree] = head[WORD.tableFree] + 1;
  if (table.changes.enabled) table.changes.unlinked(map, position, prev);
}

/** The positions of a promoted map's sentinel and its first entries, in order. */
export function firstPositions(table: ArenaTable, sentinel: number, count: number): number[] {
  const positions = [sentinel];
  for (let at = sentinel; positions.length <= count; positions.push(at))
    at = table.links[at * 4 + NEXT] >>> 0;
  return positions;
}

/** The entry after `position` in a promoted map, or −1 at the end. */
export function nextPosition(table: ArenaTable, map: number, sentinel: number, position: number): number {
  const { links } = table;
  const used = Math.min(table.head[WORD.tableUsed], links.length >>> 2);
  if (position >= used) throw badLinks();
  const next = links[position * 4 + NEXT] >>> 0;
  if (next === sentinel) return -1;
  if (next >= used || links[next * 4] !== map) throw badLinks();
  return next;
}

/** The number of entries of a map with a place. */
export function sizeOfPlace(table: ArenaTable, place: number): number {
  const count = place & 15;
  return count === PROMOTED ? table.links[(place >>> 4) * 4 + HASH] >>> 0 : count;
}
