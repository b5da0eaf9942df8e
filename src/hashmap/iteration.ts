/**
 * Iteration in insertion order, as `Map` does it while the map changes: an iterator sees entries
 * that are added behind it, skips those deleted before it came to them, and starts over after
 * `clear`.
 *
 * Entries change their positions only when dead ones are squeezed out. V8's own hash tables leave
 * their iterators a trail through the old tables; so do we: each time positions change, the map's
 * current {@link Moves} is filled in with what was removed and linked to a fresh one. An iterator
 * holds the node of the time it last looked, and follows the links. Nodes that no iterator holds
 * are garbage at once.
 */

/** One period in which entries kept their positions, and what happened at its end. */
export class Moves {
  next: Moves | undefined;
  /** One bit for each position that was dead at the end; `undefined` after `clear`. */
  private removed: Int32Array | undefined;

  /** Ends the period. Returns the next one. */
  end(removed: Int32Array | undefined): Moves {
    this.removed = removed;
    return (this.next = new Moves());
  }

  /** Where position `position` of this period went. */
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

function popcount(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** What an iterator yields. */
export const KEYS = 0;
export const VALUES = 1;
export const ENTRIES = 2;
export type Yield = typeof KEYS | typeof VALUES | typeof ENTRIES;

/** A place in a map's order that stays right while the map changes. */
export interface Cursor {
  /** The next position to look at. */
  position: number;
  moves: Moves;
  /**
   * For a map that another thread writes: its count of moves when the cursor was last right, and
   * the key before it.
   */
  seen: number;
  last: unknown;
}

/** What an iterator asks of its map. */
export interface Walked {
  /**
   * Moves the cursor to a live entry that may be read directly. `false`: there is none, or it must
   * be asked for.
   */
  settle(cursor: Cursor): boolean;
  keyAt(position: number): unknown;
  valueAt(position: number): unknown;
  /** The item at the cursor, which is moved on, however it is read; or {@link END}. */
  stepAside(cursor: Cursor, what: Yield): unknown;
}

/** No more entries. */
export const END = Symbol('end');

const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;

/**
 * What the three iterators share. Each writes out its `next`, so that V8 takes all of it into a
 * `for…of` loop and leaves away what would be allocated only to be taken apart again.
 */
abstract class HashMapIterator implements Cursor {
  position = 0;
  moves: Moves;
  seen: number;
  last: unknown = END;

  constructor(
    /** Not `map`: that is a method of every iterator. */
    protected source: Walked | undefined,
    moves: Moves,
    seen: number,
  ) {
    this.moves = moves;
    this.seen = seen;
  }

  /** The next item where it can not be read directly, or `undefined` at the end, which is final. */
  protected rest(source: Walked, what: Yield): unknown {
    const item = source.stepAside(this, what);
    if (item !== END) return item;
    this.source = undefined;
    return undefined;
  }

  declare readonly [Symbol.toStringTag]: string;

  static {
    // As Map's iterators: what every built-in iterator can do (helpers such as `map` and `take`
    // where there are any).
    Object.setPrototypeOf(this.prototype, IteratorPrototype);
    Object.defineProperty(this.prototype, Symbol.toStringTag, {
      value: 'HashMap Iterator',
      configurable: true,
    });
  }
}

export class KeyIterator extends HashMapIterator {
  next(): IteratorResult<unknown, undefined> {
    const { source } = this;
    let value: unknown;
    let done = true;
    if (source !== undefined) {
      if (source.settle(this)) {
        const { position } = this;
        this.position = position + 1;
        value = source.keyAt(position);
        done = false;
      } else {
        value = this.rest(source, KEYS);
        done = this.source === undefined;
      }
    }
    return { value, done } as IteratorResult<unknown, undefined>;
  }
}

export class ValueIterator extends HashMapIterator {
  next(): IteratorResult<unknown, undefined> {
    const { source } = this;
    let value: unknown;
    let done = true;
    if (source !== undefined) {
      if (source.settle(this)) {
        const { position } = this;
        this.position = position + 1;
        value = source.valueAt(position);
        done = false;
      } else {
        value = this.rest(source, VALUES);
        done = this.source === undefined;
      }
    }
    return { value, done } as IteratorResult<unknown, undefined>;
  }
}

export class EntryIterator extends HashMapIterator {
  next(): IteratorResult<unknown, undefined> {
    const { source } = this;
    let value: unknown;
    let done = true;
    if (source !== undefined) {
      if (source.settle(this)) {
        const { position } = this;
        this.position = position + 1;
        value = [source.keyAt(position), source.valueAt(position)];
        done = false;
      } else {
        value = this.rest(source, ENTRIES);
        done = this.source === undefined;
      }
    }
    return { value, done } as IteratorResult<unknown, undefined>;
  }
}
