/**
 * Iteration over one map of an arena in insertion order, as `Map` does it while the map changes: an
 * iterator sees entries that are added behind it, skips those deleted before it came to them, and
 * starts over after `clear`.
 *
 * Entries of a map in line move up when one before them is removed. So while any map is being
 * iterated over, each change that could lead an iterator astray is written down: the arena has the
 * last {@link Step} of a trail, an iterator the one it has taken last, and follows the links. Steps
 * that no iterator holds are garbage at once. An iterator that is left half-way leaves the trail
 * being written, which costs a removal some nanoseconds and keeps nothing.
 */

const REMOVED = 0;
const UNLINKED = 1;
const PROMOTED = 2;
const CLEARED = 3;

/** One change of a map. The last step of a trail has not happened yet. */
export class Step {
  next: Step | undefined;
  private kind = REMOVED;
  private map = -1;
  private a = 0;
  private b = 0;
  private positions: readonly number[] | undefined;

  happen(kind: number, map: number, a: number, b: number, positions: readonly number[] | undefined): Step {
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

/** The trail of an arena. */
export class Trail {
  /** Iterators that have begun and not ended. */
  private walkers = 0;
  private step = new Step();

  /** Whether any map is being iterated over. */
  get walked(): boolean {
    return this.walkers !== 0;
  }

  begin(): Step {
    this.walkers++;
    return this.step;
  }
  end(): void {
    this.walkers--;
  }

  /** A map in line lost the entry in a lane, and those behind it moved up. */
  removed(map: number, lane: number): void {
    this.step = this.step.happen(REMOVED, map, lane, 0, undefined);
  }
  /** A promoted map lost the entry at a position; `before` is the one before it. */
  unlinked(map: number, position: number, before: number): void {
    this.step = this.step.happen(UNLINKED, map, position, before, undefined);
  }
  /** A map was promoted: the positions of its sentinel and entries. */
  promoted(map: number, positions: readonly number[]): void {
    this.step = this.step.happen(PROMOTED, map, 0, 0, positions);
  }
  cleared(map: number): void {
    this.step = this.step.happen(CLEARED, map, 0, 0, undefined);
  }
}

/** What an iterator yields. */
export const KEYS = 0;
export const VALUES = 1;
export const ENTRIES = 2;
export type Yield = typeof KEYS | typeof VALUES | typeof ENTRIES;

/** A place in a map's order that stays right while the map changes. */
export interface Cursor {
  /** In line: the lane to look at next. */
  lane: number;
  /** Promoted: the position of the entry that was given last, or of the sentinel; −1 in line. */
  last: number;
  /**
   * Entries given since one was last removed: of promoted maps, and by readers. They are different,
   * so more of them than there are positions tell of a circle past the sentinel, which only spoilt
   * bytes have.
   */
  steps: number;
  /** The step to follow; `undefined` before the first entry was asked for. */
  step: Step | undefined;
  /** For readers: the key that was given last, and the count of recyclings then. */
  key: unknown;
  recycles: number;
}

/** What an iterator asks of its arena. */
export interface Walked {
  /** The item at the cursor, which is moved on; or {@link END}, which is final. */
  walk(id: number, cursor: Cursor, what: Yield): unknown;
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
    private source: Walked | undefined,
    private readonly id: number,
    private readonly what: Yield,
  ) {}

  /** The map's id. A SmallMap's iterator asks its map, which may have been closed. */
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
    // As Map's iterators: what every built-in iterator can do (helpers such as `map` and `take`
    // where there are any).
    Object.setPrototypeOf(this.prototype, IteratorPrototype);
    Object.defineProperty(this.prototype, Symbol.toStringTag, {
      value: 'SmallMap Iterator',
      configurable: true,
    });
  }
}

/**
 * An iterator over a SmallMap. It holds the object, because its map is released when that is
 * collected.
 */
export class SmallMapIterator extends ArenaIterator {
  constructor(
    source: Walked,
    private readonly holder: { readonly id: number },
    what: Yield,
  ) {
    super(source, holder.id, what);
  }

  protected override currentId(): number {
    return this.holder.id;
  }
}
