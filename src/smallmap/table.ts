/**
 * Promoted maps: entries in the hash table that all maps of the arena share, linked in a circular
 * list per map (`docs/formats/smallmap.md`, "Table"). `native/core/src/smallmap/arena/table.rs`
 * does the same.
 */
import { WORD } from './layout.js';
import { ArenaSlots, TABLE } from './slots.js';
import { badLinks, badList, PROMOTED } from './store.js';

/** Words of a position's links. */
const OWNER_LINK = 0;
const NEXT = 1;
const PREV = 2;
const HASH = 3;
/** The owner of a free position. */
const NOBODY = -1;

export abstract class ArenaTable extends ArenaSlots {
  // ---- finding

  /**
   * The spot of the key in `low` and `high` in a map, or −1. `place` is the result of {@link
   * placeOf}.
   */
  protected findIn(map: number, place: number): number {
    const count = place & 15;
    if (count === PROMOTED) return this.findInTable(map);
    const first = (place >>> 4) << 1;
    const { keyBits, low } = this;
    if (this.wide) {
      for (let entry = first; entry < first + count; entry++) {
        if (keyBits[entry * 2] === low && keyBits[entry * 2 + 1] === this.high) return entry;
      }
      return -1;
    }
    for (let entry = first; entry < first + count; entry++) if (keyBits[entry] === low) return entry;
    return -1;
  }

  private findInTable(map: number): number {
    const { index, links, tableKeyBits: bits, low } = this;
    const used = Math.min(this.head[WORD.tableUsed], links.length >>> 2);
    const h = this.hash(map);
    for (let position = index.first(h); position >= 0; position = index.next()) {
      if (position >= used || links[position * 4] !== map) continue;
      if (
        this.wide
          ? bits[position * 2] === low && bits[position * 2 + 1] === this.high
          : bits[position] === low
      ) {
        return TABLE + position;
      }
    }
    return -1;
  }

  /** The hash of a map and the key in `low` and `high`. */
  protected hash(map: number): number {
    const seed0 = this.head[WORD.seed0];
    let h = Math.imul(this.low ^ seed0, 0x85ebca6b);
    h = Math.imul(((h ^ (h >>> 15)) + this.head[WORD.seed1]) ^ (this.wide ? this.high : 0), 0xc2b2ae35);
    h = Math.imul(((h ^ (h >>> 16)) + seed0) ^ map, 0x9e3779b1);
    return h ^ (h >>> 15);
  }

  // ---- the table

  /** Number of free positions. */
  protected positionsLeft(): number {
    const { head } = this;
    return (this.links.length >>> 2) - head[WORD.tableUsed] + head[WORD.tableFree];
  }

  /**
   * Appends the key in `low` and `high`, which the promoted map does not have. There must be a free
   * position.
   */
  protected append(map: number, sentinel: number, value: unknown): void {
    const { head, links } = this;
    const used = head[WORD.tableUsed];
    const last = links[sentinel * 4 + PREV] >>> 0;
    if (sentinel >= used || last >= used) throw badLinks();
    const position = this.takePosition();
    const h = this.hash(map);
    this.writeKey(this.tableKeyBits, position);
    this.writeValue(TABLE + position, value);
    links[position * 4 + HASH] = h;
    links[position * 4 + PREV] = last;
    links[position * 4 + NEXT] = sentinel;
    links[position * 4 + OWNER_LINK] = map;
    this.index.enter(h, position);
    this.publish(links, last * 4 + NEXT, position);
    links[sentinel * 4 + PREV] = position;
    links[sentinel * 4 + HASH] = links[sentinel * 4 + HASH] + 1;
  }

  private takePosition(): number {
    const { head, links } = this;
    const free = head[WORD.freePosition];
    const used = head[WORD.tableUsed];
    if (free === 0) {
      if (used >= links.length >>> 2) throw badList('positions');
      this.publish(head, WORD.tableUsed, used + 1);
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
  protected unlink(map: number, sentinel: number, position: number): void {
    const { head, links } = this;
    const used = head[WORD.tableUsed];
    const next = links[position * 4 + NEXT] >>> 0;
    const prev = links[position * 4 + PREV] >>> 0;
    if (next >= used || prev >= used || sentinel >= used) throw badLinks();
    const h = links[position * 4 + HASH];
    const passed = this.index.leave(h, position);
    this.publish(links, prev * 4 + NEXT, next);
    links[next * 4 + PREV] = prev;
    const count = links[sentinel * 4 + HASH];
    if (count !== 0) links[sentinel * 4 + HASH] = count - 1;
    this.index.countDown(h, passed);
    this.recycle();
    links[position * 4] = NOBODY;
    links[position * 4 + NEXT] = head[WORD.freePosition]!;
    head[WORD.freePosition] = position + 1;
    head[WORD.tableFree] = head[WORD.tableFree] + 1;
    if (this.changes.enabled) this.changes.unlinked(map, position, prev);
  }

  /** The positions of a promoted map's sentinel and its first entries, in order. */
  protected firstPositions(sentinel: number, count: number): number[] {
    const positions = [sentinel];
    for (let at = sentinel; positions.length <= count; positions.push(at))
      at = this.links[at * 4 + NEXT] >>> 0;
    return positions;
  }

  /** The entry after `position` in a promoted map, or −1 at the end. */
  protected after(map: number, sentinel: number, position: number): number {
    const { links } = this;
    const used = Math.min(this.head[WORD.tableUsed], links.length >>> 2);
    if (position >= used) throw badLinks();
    const next = links[position * 4 + NEXT] >>> 0;
    if (next === sentinel) return -1;
    if (next >= used || links[next * 4] !== map) throw badLinks();
    return next;
  }

  /** The number of entries of a map. */
  protected sizeOf(place: number): number {
    const count = place & 15;
    return count === PROMOTED ? this.links[(place >>> 4) * 4 + HASH] >>> 0 : count;
  }
}
