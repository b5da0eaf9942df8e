/**
 * The operations on an arena's entries that are not fast paths, and its bulk calls: one crossing
 * into Rust for many lookups or insertions, with SIMD search and prefetching. Strings are replaced
 * by ids on this side.
 */
import { rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { column, hasColumn, output, toArray } from '../region/arguments.js';
import { TYPE, type AnyTypedArray } from '../region/element.js';
import { corrupt } from '../region/format.js';
import { describe } from '../region/options.js';
import { OWNER } from '../region/table.js';
import { intrinsicLength } from '../region/typed-array.js';
import { END, ENTRIES, KEYS, NOTHING, type Cursor, type IterationKind } from './iteration.js';
import { INLINE_CAPACITY, WORD } from './layout.js';
import { TABLE } from './slots.js';
import { FREE, PROMOTED } from './store.js';
import { ArenaTable } from './table.js';

/** The result for a missing key. */
export const MISSING = Symbol('missing');
/** The id that native code receives for a string that the arena does not contain. */
const NO_STRING = 0xffffffff;

export abstract class Access extends ArenaTable {
  /** The value of a key in a map, or {@link MISSING}. */
  protected lookUp(id: unknown, key: unknown): unknown {
    return this.look(() => {
      const map = this.mapOf(id);
      if (!this.readyKey(key)) return MISSING;
      const spot = this.findIn(map, this.placeOf(map));
      return spot < 0 ? MISSING : this.valueAt(spot);
    });
  }

  /** Inserts an entry or replaces its value. */
  protected put(id: unknown, key: unknown, value: unknown): void {
    this.beforeRead();
    this.checkKey(key);
    this.checkValue(value);
    this.beforeWrite();
    this.mapOf(id);
    this.putChecked(id as number, key, value);
  }

  /** `put` for an owner, after all checks. */
  private putChecked(id: number, key: unknown, value: unknown): void {
    const stored =
      this.valueType === TYPE.string || this.keyType === TYPE.string ? this.intern(key, value) : value;
    this.readyKey(key);
    const map = this.mapOf(id);
    const spot = this.findIn(map, this.placeOf(map));
    if (spot >= 0) {
      this.writeValue(spot, stored);
      return;
    }
    for (let made = 0; !this.add(id, map, stored); made++) {
      if (made === 2) throw corrupt('this arena', 'growing it does not make room for one more entry');
      this.roomFor(map);
    }
  }

  /**
   * Adds the key in `low` and `high` to a map that does not have it. Returns `false`, with nothing
   * changed, if there is no room.
   */
  private add(id: number, map: number, value: unknown): boolean {
    let place = this.placeOf(map);
    const count = place & 15;
    if (count < INLINE_CAPACITY) return this.insertInline(map, place, value);
    if (count === INLINE_CAPACITY) {
      if (this.positionsLeft() < INLINE_CAPACITY + 2) return false;
      native().smallmapArenaPromote(this.region.bytes, id);
      place = this.placeOf(map);
      if ((place & 15) !== PROMOTED) throw corrupt('this arena', 'a map of 8 entries cannot be promoted');
      if (this.changes.enabled) this.changes.promoted(map, this.firstPositions(place >>> 4, INLINE_CAPACITY));
    } else if (this.positionsLeft() < 1) {
      return false;
    }
    this.append(map, place >>> 4, value);
    return true;
  }

  /** Makes room for one more entry of a map. */
  private roomFor(map: number): void {
    if ((this.placeOf(map) & 15) < INLINE_CAPACITY) this.makeRoom(0, 1, 0, 0, 0);
    else this.makeRoom(0, 0, INLINE_CAPACITY + 2, 0, 0);
  }

  /** Interns the strings of an entry. Returns the value in its stored form. */
  private intern(key: unknown, value: unknown): unknown {
    const keyText = this.keyType === TYPE.string ? (key as string) : undefined;
    const valueText = this.valueType === TYPE.string ? (value as string) : undefined;
    for (let made = 0; ; made++) {
      const strings = this.strings!;
      const room = keyText === undefined || strings.intern(keyText) >= 0;
      if (room && valueText === undefined) return value;
      const stored = room ? strings.intern(valueText!) : -1;
      if (stored >= 0) return stored;
      if (made === 2) throw corrupt('this arena', 'growing it does not make room for one more entry');
      const bytes = (text: string | undefined): number => (text === undefined ? 0 : strings.sizeOf(text));
      // This drops strings that no entry refers to, so both are looked up again.
      this.makeRoom(0, 0, 0, 2, bytes(keyText) + bytes(valueText));
    }
  }

  /** Removes a key from a map. Returns whether it was present. */
  protected remove(id: unknown, key: unknown): boolean {
    this.beforeRead();
    this.checkKey(key);
    this.beforeWrite();
    const map = this.mapOf(id);
    if (!this.readyKey(key)) return false;
    for (let made = 0; made < 3; made++) {
      const place = this.placeOf(map);
      const spot = this.findIn(map, place);
      if (spot < 0) return false;
      if (spot >= TABLE) {
        this.unlink(map, place >>> 4, spot - TABLE);
        return true;
      }
      if (this.removeInline(map, place, spot)) return true;
      this.makeRoom(0, 1, 0, 0, 0);
    }
    throw corrupt('this arena', 'growing it does not make room for one more entry');
  }

  // ---- iteration

  /** The item at a cursor, which is advanced, or {@link END}. */
  protected walk(id: number, cursor: Cursor, what: IterationKind): unknown {
    if (this.role !== OWNER) return this.walkSlow(id, cursor, what);
    const map = this.mapOf(id);
    if (cursor.step === undefined) {
      cursor.step = this.changes.begin();
    } else {
      for (let { next } = cursor.step; next !== undefined; { next } = next) {
        cursor.step.apply(map, cursor);
        cursor.step = next;
      }
    }
    const spot = this.advance(map, cursor);
    if (spot >= 0) return this.itemAt(spot, what);
    this.changes.end();
    return END;
  }

  /** The spot of the next entry, or −1. Advances the cursor. */
  private advance(map: number, cursor: Cursor): number {
    const place = this.placeOf(map);
    const count = place & 15;
    if (count !== PROMOTED) return cursor.lane < count ? ((place >>> 4) << 1) + cursor.lane++ : -1;
    const sentinel = place >>> 4;
    const next = this.after(map, sentinel, cursor.last < 0 ? sentinel : cursor.last);
    if (next < 0) return -1;
    this.countStep(map, cursor);
    cursor.last = next;
    return TABLE + next;
  }

  private countStep(map: number, cursor: Cursor): void {
    if (++cursor.steps > INLINE_CAPACITY + (this.links.length >>> 2)) {
      throw corrupt('this arena', `the entries of map ${map} form a cycle`);
    }
  }

  private itemAt(spot: number, what: IterationKind): unknown {
    if (what === KEYS) return this.keyAt(spot);
    return what === ENTRIES ? [this.keyAt(spot), this.valueAt(spot)] : this.valueAt(spot);
  }

  /**
   * The same for a reader, which does not receive the changes. It finds its position again by the
   * key that it returned last. If that key has been deleted, the position cannot be recovered and
   * the iteration throws `ERR_OFFHEAP_STALE`.
   */
  private walkSlow(id: number, cursor: Cursor, what: IterationKind): unknown {
    const found = this.look(() => {
      const map = this.mapOf(id);
      const recycles = Atomics.load(this.head, WORD.recycles);
      const steps = recycles === cursor.recycles ? cursor.steps : 0;
      const from = { lane: 0, last: -1, steps, step: undefined, key: cursor.key, recycles };
      if (cursor.key !== NOTHING) {
        const place = this.placeOf(map);
        const spot = this.readyKey(cursor.key) ? this.findIn(map, place) : -1;
        if (spot < 0) return undefined;
        if (spot >= TABLE) from.last = spot - TABLE;
        else from.lane = spot - ((place >>> 4) << 1) + 1;
      }
      const spot = this.advance(map, from);
      if (spot < 0) return { item: END, from };
      // Two equal inline keys, which only corrupt bytes contain, would lead backward.
      if (spot < TABLE) this.countStep(map, from);
      from.key = this.keyAt(spot);
      return { item: this.itemAt(spot, what), from };
    });
    if (found === undefined) throw this.lostPosition();
    const { from } = found;
    cursor.key = from.key;
    cursor.steps = from.steps;
    cursor.recycles = from.recycles;
    return found.item;
  }

  protected abstract lostPosition(): Error;

  /**
   * The generation of a directory entry, and the entries of its map: `undefined` if the entry is
   * free.
   */
  protected contentsOf(map: number): { generation: number; entries: [unknown, unknown][] | undefined } {
    const generation = this.directory[map * 2 + 1];
    if (generation < 0) return { generation: generation & ~FREE, entries: undefined };
    const entries: [unknown, unknown][] = [];
    const cursor = { lane: 0, last: -1, steps: 0, step: undefined, key: undefined, recycles: 0 };
    for (;;) {
      const spot = this.advance(map, cursor);
      if (spot < 0) break;
      entries.push([this.keyAt(spot), this.valueAt(spot)]);
    }
    return { generation, entries };
  }

  // ---- bulk

  /** Converts ids to the form that native code accepts. */
  private idList(ids: unknown): Float64Array | Uint32Array {
    if (ids instanceof Float64Array) {
      return column(ids, TYPE.f64, 'ids', () => undefined, this.region.buffer) as Float64Array;
    }
    if (ids instanceof Uint32Array) {
      return column(ids, TYPE.u32, 'ids', () => undefined, this.region.buffer) as Uint32Array;
    }
    const list = toArray(ids, 'ids', (id) => {
      if (typeof id !== 'number') throw typeError(`a map id must be a number, not ${describe(id)}`);
    });
    return Float64Array.from(list as number[]);
  }

  private keyList(keys: unknown): AnyTypedArray | unknown[] {
    return column(keys, this.keyType, 'keys', (key) => this.checkKey(key), this.region.buffer);
  }

  /** See `SmallMapArena.getMany`. */
  protected readMany(ids: unknown, keys: unknown, out: unknown): unknown {
    const idList = this.idList(ids);
    const keyList = this.keyList(keys);
    const count = intrinsicLength(idList);
    if (keyList.length !== count) throw rangeError(`${count} ids with ${keyList.length} keys`);
    const sink = output(out, count, this.valueType);
    const text = this.valueType === TYPE.string;
    if (hasColumn(this.valueType) && sink.native !== undefined && this.role === OWNER) {
      native().smallmapArenaGetMany(
        this.region.bytes,
        idList,
        this.plainKeys(keyList),
        sink.native,
        undefined,
      );
      return sink.result;
    }
    // Read into private arrays. Only values found in a pass that no rearrangement disturbed are
    // copied to `out`.
    const found = new Uint8Array(count);
    const values = this.look(() => {
      const raw = text ? new Uint32Array(count) : this.emptyColumn(count);
      native().smallmapArenaGetMany(this.region.bytes, idList, this.plainKeys(keyList), raw, found);
      if (!text) return raw;
      return Array.from(raw as Uint32Array, (id, i) => (found[i] === 0 ? '' : this.strings!.text(id)));
    });
    const target = (sink.list ?? sink.native) as unknown[];
    const bool = this.valueType === TYPE.bool && sink.native === undefined;
    for (let i = 0; i < count; i++) if (found[i] !== 0) target[i] = bool ? values[i] !== 0 : values[i];
    return sink.result;
  }

  private emptyColumn(count: number): AnyTypedArray {
    return output(undefined, count, this.valueType).native!;
  }

  /**
   * Converts keys to the form that native code accepts: strings become ids, or {@link NO_STRING} if
   * the arena does not contain them.
   */
  private plainKeys(keys: AnyTypedArray | unknown[]): AnyTypedArray {
    if (this.keyType !== TYPE.string) return keys as AnyTypedArray;
    const strings = this.strings!;
    return Uint32Array.from(keys as string[], (key) => {
      const id = strings.find(key);
      return id < 0 ? NO_STRING : id;
    });
  }

  /** See `SmallMapArena.setMany`. */
  protected writeMany(ids: unknown, keys: unknown, values: unknown): void {
    const idList = this.idList(ids);
    const keyList = this.keyList(keys);
    const valueList = column(
      values,
      this.valueType,
      'values',
      (value) => this.checkValue(value),
      this.region.buffer,
    );
    const count = intrinsicLength(idList);
    if (keyList.length !== count || valueList.length !== count) {
      throw rangeError(`${count} ids with ${keyList.length} keys and ${valueList.length} values`);
    }
    // The lists are private or plain numbers by now: no user code runs from here on.
    this.beforeWrite();
    const bool = this.valueType === TYPE.bool;
    if (this.strings !== undefined) {
      for (let i = 0; i < count; i++) this.mapOf(idList[i]);
      for (let i = 0; i < count; i++) {
        this.putChecked(idList[i], keyList[i], bool ? valueList[i] !== 0 : valueList[i]);
      }
      return;
    }
    for (let done = 0; ;) {
      done = this.changes.enabled
        ? done
        : native().smallmapArenaSetMany(
            this.region.bytes,
            idList,
            keyList as AnyTypedArray,
            valueList as AnyTypedArray,
            done,
          );
      if (done >= count) return;
      // Native code stopped at an entry for which the arena was full: insert that one here, which
      // makes room. While an iteration is in progress every change is logged, so all are made here.
      this.mapOf(idList[done]);
      this.putChecked(idList[done], keyList[done], bool ? valueList[done] !== 0 : valueList[done]);
      if (++done >= count) return;
    }
  }
}
