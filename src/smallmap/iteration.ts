/**
 * Iteration over one map of an arena in insertion order, with the semantics of `Map` while the map
 * changes: an iterator visits entries that are added after its position, skips entries deleted
 * before it reached them, and starts over after `clear`.
 *
 * Entries of an inline map move down when an entry before them is removed. So while any map is
 * being iterated over, each change that could invalidate the position of an iterator is logged: the
 * arena holds the last {@link Step} of a log, an iterator the last step that it has applied, and
 * steps are linked. Steps that no iterator holds are garbage at once. An abandoned iterator keeps
 * the log enabled, which costs a removal some nanoseconds and retains no memory.
 */

const REMOVED = 0;
const UNLINKED = 1;
const PROMOTED = 2;
const CLEARED = 3;

/** One change of a map. The last step of a log has not happened yet. */
export class Step {
  next: Step | undefined;
  private kind = REMOVED;
  private map = -1;
  private a = 0;
  private b = 0;
  private positions: readonly number[] | undefined;

  record(kind: number, map: number, a: number, b: number, positions: readonly number[] | undefined): Step {
    this.kind = kind;
    this.map = map;
    this.a = a;
    this.b = b;
    this.positions = positions;
    return (this.next = new Step());
  }

  apply(map: number, cursor: Cursor): void {
    if (map !== this.map) return;
    switch (this.kind) {
      case REMOVED:
        if (cursor.last < 0 && this.a < cursor.lane) cursor.lane--;
        return;
      case UNLINKED:
        if (cursor.last === this.a) cursor.last = this.b;
        cursor.steps = 0;
        return;
      case PROMOTED:
        if (cursor.last < 0) cursor.last = this.positions![cursor.lane]!;
        return;
      default:
        cursor.lane = 0;
        cursor.last = -1;
        cursor.steps = 0;
    }
  }
}

/** The change log of an arena. */
export class ChangeLog {
  /** Number of iterators that have started and not ended. */
  private active = 0;
  private step = new Step();

  /** Whether any map is being iterated over. */
  get enabled(): boolean {
    return this.active !== 0;
  }

  begin(): Step {
    this.active++;
    return this.step;
  }
  end(): void {
    this.active--;
  }

  /** An inline map lost the entry in a lane, and later entries moved down. */
  removed(map: number, lane: number): void {
    this.step = this.step.record(REMOVED, map, lane, 0, undefined);
  }
  /**
   * A promoted map lost the entry at a position; `before` is the position of the entry before it.
   */
  unlinked(map: number, position: number, before: number): void {
    this.step = this.step.record(UNLINKED, map, position, before, undefined);
  }
  /** A map was promoted: `positions` are those of its sentinel and entries. */
  promoted(map: number, positions: readonly number[]): void {
    this.step = this.step.record(PROMOTED, map, 0, 0, positions);
  }
  cleared(map: number): void {
    this.step = this.step.record(CLEARED, map, 0, 0, undefined);
  }
}

/** The items that an iterator yields. */
export const KEYS = 0;
export const VALUES = 1;
export const ENTRIES = 2;
export type IterationKind = typeof KEYS | typeof VALUES | typeof ENTRIES;

/** A position in a map's order that stays correct while the map changes. */
export interface Cursor {
  /** Inline maps: the next lane. */
  lane: number;
  /**
   * Promoted maps: the position of the last entry returned, or of the sentinel. −1 for inline maps.
   */
  last: number;
  /**
   * Number of entries returned since one was last removed, for promoted maps and for readers. They
   * are all different, so a number above that of the positions reveals a cycle that bypasses the
   * sentinel, which only corrupt bytes contain.
   */
  steps: number;
  /** The last step applied; `undefined` before the first entry was requested. */
  step: Step | undefined;
  /** For readers: the last key returned, and the count of recyclings at that time. */
  key: unknown;
  recycles: number;
}

/** The interface that an iterator needs from its arena. */
export interface IterationSource {
  /** Returns the item at the cursor and advances it, or returns {@link END}, which is final. */
  walk(id: number, cursor: Cursor, what: IterationKind): unknown;
}

/** No more entries. */
export const END = Symbol('end');
/** No key yet. */
export const NOTHING = Symbol('nothing');

const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;

export class ArenaIterator implements Cursor {
  lane = 0;
  last = -1;
  steps = 0;
  step: Step | undefined;
  key: unknown = NOTHING;
  recycles = 0;

  constructor(
    private source: IterationSource | undefined,
    private readonly id: number,
    private readonly what: IterationKind,
  ) {}

  /** The map's id. The iterator of a SmallMap asks its map, which may have been closed. */
  protected currentId(): number {
    return this.id;
  }

  next(): IteratorResult<unknown, undefined> {
    const { source } = this;
    if (source === undefined) return { value: undefined, done: true };
    const item = source.walk(this.currentId(), this, this.what);
    if (item !== END) return { value: item, done: false };
    this.source = undefined;
    return { value: undefined, done: true };
  }

  declare readonly [Symbol.toStringTag]: string;

  static {
    // Inherit from the prototype of built-in iterators, like the iterators of Map (helpers such as
    // `map` and `take` where available).
    Object.setPrototypeOf(this.prototype, IteratorPrototype);
    Object.defineProperty(this.prototype, Symbol.toStringTag, {
      value: 'SmallMap Iterator',
      configurable: true,
    });
  }
}

/**
 * An iterator over a SmallMap. It keeps the object alive, because the map is released when the
 * object is collected.
 */
export class SmallMapIterator extends ArenaIterator {
  constructor(
    source: IterationSource,
    private readonly holder: { readonly id: number },
    what: IterationKind,
  ) {
    super(source, holder.id, what);
  }

  protected override currentId(): number {
    return this.holder.id;
  }
}
