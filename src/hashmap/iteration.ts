/**
 * Iteration in insertion order, as `Map` does it while the map changes: an iterator returns entries
 * that are added after its position, skips those that are deleted before it reaches them, and
 * starts again after `clear`.
 */
import { offheapError } from '../errors.js';
import { setTag } from '../region/face.js';
import {
  ENTRIES,
  IteratorPrototype,
  KEYS,
  VALUES,
  wrongReceiver,
  type IterationKind,
} from '../region/iteration.js';
import { OWNER } from '../region/table.js';
import { WORD } from './layout.js';
import type { Cursor, RelocationLog } from './relocation.js';
import type { HashMapTable } from './table.js';

/** No more entries. */
export const END = Symbol('end');

export function cursorOf(table: HashMapTable): Cursor {
  return { position: 0, relocations: table.relocations, seen: table.head[WORD.moves], last: END };
}

/**
 * A step where {@link HashMapTable.advanceToLive} returns `false`: the end of a map that this
 * thread owns, or a step in a map on a file or of another thread. Returns the item at the cursor,
 * which it moves on, or {@link END}. If entries were relocated since the last step, the cursor
 * finds its place again by the key that it last returned; if that key has been deleted, the
 * position cannot be recovered, and the iteration ends with `ERR_OFFHEAP_STALE`.
 */
export function stepSlow(table: HashMapTable, cursor: Cursor, kind: IterationKind): unknown {
  if (table.role === OWNER) return END;
  const { position, seen, item, last } = table.read(() => {
    const relocations = table.head[WORD.moves];
    let at = cursor.position;
    if (relocations !== cursor.seen && at !== 0) {
      at = table.find(cursor.last) + 1;
      if (at === 0) {
        throw offheapError(
          'ERR_OFFHEAP_STALE',
          'the owner of this map moved its entries during the iteration',
        );
      }
    }
    const used = table.usedNow();
    while (at < used && table.isDead(at)) at++;
    return at < used
      ? { position: at + 1, seen: relocations, item: itemAt(table, at, kind), last: table.keyAt(at) }
      : { position: at, seen: relocations, item: END, last: cursor.last };
  });
  cursor.position = position;
  cursor.seen = seen;
  cursor.last = last;
  return item;
}

function itemAt(table: HashMapTable, position: number, kind: IterationKind): unknown {
  if (kind === KEYS) return table.keyAt(position);
  if (kind === VALUES) return table.valueAt(position);
  return [table.keyAt(position), table.valueAt(position)];
}

/**
 * The base of the three iterators. Each of them writes out its `next`, so that V8 inlines all of it
 * into a `for…of` loop and removes the allocations that the loop takes apart at once.
 */
abstract class HashMapIterator implements Cursor {
  position = 0;
  relocations: RelocationLog;
  seen: number;
  last: unknown = END;
  /** Null after the end, which is final. Not named `map`: that is a method of iterators. */
  protected table: HashMapTable | null;

  constructor(table: HashMapTable) {
    table.beforeRead();
    this.table = table;
    this.relocations = table.relocations;
    this.seen = table.head[WORD.moves];
  }

  /** The next item where it cannot be read directly, or `undefined` at the end. */
  protected nextSlow(table: HashMapTable, kind: IterationKind): unknown {
    const item = stepSlow(table, this, kind);
    if (item !== END) return item;
    this.table = null;
    return undefined;
  }

  declare readonly [Symbol.toStringTag]: string;

  static {
    Object.setPrototypeOf(this.prototype, IteratorPrototype);
    setTag(this.prototype, 'HashMap Iterator');
  }
}

export class KeyIterator extends HashMapIterator {
  next(): IteratorResult<unknown, undefined> {
    const { table } = this;
    let value: unknown;
    let done = true;
    if (table === undefined) throw wrongReceiver('HashMap Iterator');
    if (table !== null) {
      if (table.advanceToLive(this)) {
        const { position } = this;
        this.position = position + 1;
        value = table.keyAt(position);
        done = false;
      } else {
        value = this.nextSlow(table, KEYS);
        done = this.table === null;
      }
    }
    return { value, done } as IteratorResult<unknown, undefined>;
  }
}

export class ValueIterator extends HashMapIterator {
  next(): IteratorResult<unknown, undefined> {
    const { table } = this;
    let value: unknown;
    let done = true;
    if (table === undefined) throw wrongReceiver('HashMap Iterator');
    if (table !== null) {
      if (table.advanceToLive(this)) {
        const { position } = this;
        this.position = position + 1;
        value = table.valueAt(position);
        done = false;
      } else {
        value = this.nextSlow(table, VALUES);
        done = this.table === null;
      }
    }
    return { value, done } as IteratorResult<unknown, undefined>;
  }
}

export class EntryIterator extends HashMapIterator {
  next(): IteratorResult<unknown, undefined> {
    const { table } = this;
    let value: unknown;
    let done = true;
    if (table === undefined) throw wrongReceiver('HashMap Iterator');
    if (table !== null) {
      if (table.advanceToLive(this)) {
        const { position } = this;
        this.position = position + 1;
        value = [table.keyAt(position), table.valueAt(position)];
        done = false;
      } else {
        value = this.nextSlow(table, ENTRIES);
        done = this.table === null;
      }
    }
    return { value, done } as IteratorResult<unknown, undefined>;
  }
}
