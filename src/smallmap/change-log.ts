/**
 * The log of changes to maps that are being iterated over, which keeps the positions of iterators
 * correct.
 *
 * Entries of an inline map move down when an entry before them is removed. So while any map is
 * being iterated over, each change that could invalidate the position of an iterator is logged: the
 * arena holds the last {@link Step} of the log, an iterator the last step that it has applied, and
 * steps are linked. Steps that no iterator holds are garbage at once. An abandoned iterator keeps
 * the log enabled, which costs a removal some nanoseconds and retains no memory.
 */

/** The key of a reader's cursor before the first entry. */
export const NO_KEY = Symbol('no key');

/** A position in a map's order that stays correct while the map changes. */
export class Cursor {
  /**
   * Promoted maps: the position of the last entry returned, or of the sentinel. −1 for inline maps.
   */
  last = -1;
  /**
   * Number of entries returned since one was last removed, for promoted maps and for readers. They
   * are all different, so a number above that of the positions reveals a cycle that bypasses the
   * sentinel, which only corrupt bytes contain.
   */
  steps = 0;
  /** For readers: the last key returned, and the count of recyclings at that time. */
  key: unknown = NO_KEY;
  recycles = 0;

  constructor(
    /** Inline maps: the next lane. */
    public lane = 0,
    /** The last step applied; `undefined` before the first entry was requested. */
    public step?: Step,
  ) {}
}

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
