/**
 * Iteration over one map of an arena in insertion order, with the semantics of `Map` while the map
 * changes: an iterator visits entries that are added after its position, skips entries deleted
 * before it reached them, and starts over after `clear`. change-log.ts keeps positions correct.
 */
import { offheapError } from '../errors.js';
import { setTag } from '../region/face.js';
import { corrupt } from '../region/format.js';
import { ENTRIES, IteratorPrototype, KEYS, type IterationKind } from '../region/iteration.js';
import { OWNER } from '../region/table.js';
import type { ArenaTable } from './arena-table.js';
import { Cursor, NO_KEY, type Step } from './change-log.js';
import { encodeKey, keyAt, valueAt } from './columns.js';
import { findKey } from './entries.js';
import { FREE, INLINE_CAPACITY, PROMOTED, TABLE, WORD } from './layout.js';
import { nextPosition } from './promoted.js';

/** No more entries. */
const END = Symbol('end');
/** See {@link ArenaIterator}. */
const NEEDS_CURSOR = -2;

/** Checks that a map exists, and returns an iterator over it. */
export function iterate(
  table: ArenaTable,
  id: number,
  kind: IterationKind,
  owner?: { readonly id: number },
): unknown {
  if (table.role === OWNER) table.mapOf(id);
  else table.readStable(() => table.mapOf(id));
  return new ArenaIterator(table, id, kind, owner);
}

class ArenaIterator {
  /** `undefined` after the last entry. */
  #table: ArenaTable | undefined;
  readonly #id: number;
  readonly #kind: IterationKind;
  /**
   * The SmallMap, if one is iterated over. Its id is read again each time, because it may have been
   * closed; and it is kept alive, because a standalone map is released when its object is
   * collected.
   */
  readonly #owner: { readonly id: number } | undefined;
  /** The next lane and the last step of the log, as long as there is no cursor. */
  #lane = 0;
  #step: Step | undefined = undefined;
  /** Created when an inline map is promoted or a change is logged, and for readers. */
  #cursor: Cursor | undefined = undefined;

  static {
    Object.setPrototypeOf(this.prototype, IteratorPrototype);
    setTag(this.prototype, 'SmallMap Iterator');
  }

  constructor(
    table: ArenaTable,
    id: number,
    kind: IterationKind,
    owner: { readonly id: number } | undefined,
  ) {
    this.#table = table;
    this.#id = id;
    this.#kind = kind;
    this.#owner = owner;
  }

  next(): IteratorResult<unknown, undefined> {
    const table = this.#table;
    if (table === undefined) return { value: undefined, done: true };
    const id = this.#owner === undefined ? this.#id : this.#owner.id;
    const cursor = this.#cursor;
    if (cursor !== undefined) return this.#nextByCursor(table, id, cursor);
    const spot = this.#nextInline(table, id);
    if (spot >= 0) return { value: itemAt(table, spot, this.#kind), done: false };
    if (spot === NEEDS_CURSOR) {
      return this.#nextByCursor(table, id, (this.#cursor = new Cursor(this.#lane, this.#step)));
    }
    table.changes.end();
    this.#table = undefined;
    return { value: undefined, done: true };
  }

  #nextByCursor(table: ArenaTable, id: number, cursor: Cursor): IteratorResult<unknown, undefined> {
    const item = nextItem(table, id, cursor, this.#kind);
    if (item !== END) return { value: item, done: false };
    this.#table = undefined;
    return { value: undefined, done: true };
  }

  /**
   * The spot of the next entry of an inline map of which no change has been logged since the
   * iteration began; −1 at the end; or {@link NEEDS_CURSOR}.
   */
  #nextInline(table: ArenaTable, id: number): number {
    if (table.role !== OWNER) return NEEDS_CURSOR;
    const place = table.placeOf(table.mapOf(id));
    const count = place & 15;
    const step = this.#step;
    if (count === PROMOTED || step?.next !== undefined) return NEEDS_CURSOR;
    if (step === undefined) this.#step = table.changes.begin();
    return this.#lane < count ? ((place >>> 4) << 1) + this.#lane++ : -1;
  }

  declare readonly [Symbol.toStringTag]: string;
}

/** The item at a cursor, which is advanced, or {@link END}. */
function nextItem(table: ArenaTable, id: number, cursor: Cursor, kind: IterationKind): unknown {
  if (table.role !== OWNER) return nextItemSlow(table, id, cursor, kind);
  const map = table.mapOf(id);
  if (cursor.step === undefined) {
    cursor.step = table.changes.begin();
  } else {
    for (let { next } = cursor.step; next !== undefined; { next } = next) {
      cursor.step.apply(map, cursor);
      cursor.step = next;
    }
  }
  const spot = advance(table, map, cursor);
  if (spot >= 0) return itemAt(table, spot, kind);
  table.changes.end();
  return END;
}

/** The spot of the next entry, or −1. Advances the cursor. */
function advance(table: ArenaTable, map: number, cursor: Cursor): number {
  const place = table.placeOf(map);
  const count = place & 15;
  if (count !== PROMOTED) return cursor.lane < count ? ((place >>> 4) << 1) + cursor.lane++ : -1;
  const sentinel = place >>> 4;
  const next = nextPosition(table, map, sentinel, cursor.last < 0 ? sentinel : cursor.last);
  if (next < 0) return -1;
  countStep(table, map, cursor);
  cursor.last = next;
  return TABLE + next;
}

function countStep(table: ArenaTable, map: number, cursor: Cursor): void {
  if (++cursor.steps > INLINE_CAPACITY + (table.links.length >>> 2)) {
    throw corrupt('this arena', `the entries of map ${map} form a cycle`);
  }
}

function itemAt(table: ArenaTable, spot: number, kind: IterationKind): unknown {
  if (kind === KEYS) return keyAt(table, spot);
  return kind === ENTRIES ? [keyAt(table, spot), valueAt(table, spot)] : valueAt(table, spot);
}

/**
 * The same for a reader, which does not receive the changes. It finds its position again by the
 * key that it returned last. If that key has been deleted, the position cannot be recovered and
 * the iteration throws `ERR_OFFHEAP_STALE`.
 */
function nextItemSlow(table: ArenaTable, id: number, cursor: Cursor, kind: IterationKind): unknown {
  const found = table.readStable(() => {
    const map = table.mapOf(id);
    const recycles = Atomics.load(table.head, WORD.recycles);
    const from = new Cursor();
    from.steps = recycles === cursor.recycles ? cursor.steps : 0;
    from.key = cursor.key;
    from.recycles = recycles;
    if (cursor.key !== NO_KEY) {
      const place = table.placeOf(map);
      const spot = encodeKey(table, cursor.key) ? findKey(table, map, place) : -1;
      if (spot < 0) return undefined;
      if (spot >= TABLE) from.last = spot - TABLE;
      else from.lane = spot - ((place >>> 4) << 1) + 1;
    }
    const spot = advance(table, map, from);
    if (spot < 0) return { item: END, from };
    // Two equal inline keys, which only corrupt bytes contain, would lead backward.
    if (spot < TABLE) countStep(table, map, from);
    from.key = keyAt(table, spot);
    return { item: itemAt(table, spot, kind), from };
  });
  if (found === undefined)
    throw offheapError(
      'ERR_OFFHEAP_STALE',
      'the owner of this arena deleted the last entry that the iteration returned',
    );
  const { from } = found;
  cursor.key = from.key;
  cursor.steps = from.steps;
  cursor.recycles = from.recycles;
  return found.item;
}

/**
 * The generation of a directory entry, and the entries of its map: `undefined` if the entry is
 * free.
 */
export function contentsOf(
  table: ArenaTable,
  map: number,
): { generation: number; entries: [unknown, unknown][] | undefined } {
  const generation = table.directory[map * 2 + 1];
  if (generation < 0) return { generation: generation & ~FREE, entries: undefined };
  const entries: [unknown, unknown][] = [];
  const cursor = new Cursor();
  for (;;) {
    const spot = advance(table, map, cursor);
    if (spot < 0) break;
    entries.push([keyAt(table, spot), valueAt(table, spot)]);
  }
  return { generation, entries };
}
