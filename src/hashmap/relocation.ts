/**
 * How iterators follow a HashMap whose entries change position.
 *
 * Entries change position only when deleted ones are removed from the columns. V8's own hash tables
 * leave their iterators a trail through the old tables; so does a HashMap: each time positions
 * change, its current {@link RelocationLog} records the removed positions and is linked to a new
 * one. An iterator holds the log that was current when it last looked, and follows the links. Logs
 * that no iterator holds are garbage at once.
 */

/** A period in which entries kept their positions, and the change at its end. */
export class RelocationLog {
  next: RelocationLog | undefined;
  /** One bit for each position that was deleted at the end; `undefined` after `clear`. */
  private removed: Int32Array | undefined;

  /** Ends the period. Returns the next one. */
  end(removed: Int32Array | undefined): RelocationLog {
    this.removed = removed;
    return (this.next = new RelocationLog());
  }

  /** The position in the next period of the entry at `position` in this one. */
  map(position: number): number {
    const { removed } = this;
    if (removed === undefined) return 0;
    let gone = 0;
    const whole = position >>> 5;
    for (let i = 0; i < whole; i++) gone += popcount(removed[i] ?? 0);
    const rest = position & 31;
    if (rest !== 0) gone += popcount((removed[whole] ?? 0) & ((1 << rest) - 1));
    return position - gone;
  }
}

/** A place in a map's order that remains valid while the map changes. */
export interface Cursor {
  /** The next position to look at. */
  position: number;
  relocations: RelocationLog;
  /**
   * For a map that another thread writes: its count of relocations when the cursor was last valid,
   * and the key before the cursor.
   */
  seen: number;
  last: unknown;
}

/** Moves a cursor through the relocations that happened since it was last used. */
export function applyRelocations(cursor: Cursor): void {
  for (let next = cursor.relocations.next; next !== undefined; next = next.next) {
    cursor.position = cursor.relocations.map(cursor.position);
    cursor.relocations = next;
  }
}

function popcount(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
