/**
 * SmallMap: one map of an arena, with the whole interface of `Map`. The arena stores the entries
 * (`docs/formats/smallmap.md`); the object knows their location.
 *
 * Cost: `get` and `has` of an inline map use the object's cache of its keys (key-cache.ts), without
 * crossing into native code and without garbage. All other operations are the arena's. The object
 * takes about 180 bytes of the JavaScript heap and caches up to 8 key strings: for millions of
 * maps, use the arena and ids.
 *
 * A standalone map, `new SmallMap(schema)`, is stored in an arena that all standalone maps of its
 * schema share. It is released by `close()`, or else some time after the object has been
 * garbage-collected. An iterator over the map keeps the object alive.
 */
import { inspect, type InspectOptionsStylized } from 'node:util';
import { offheapError } from '../errors.js';
import { TYPE, TYPE_NAMES, WIDTHS, type JsType } from '../region/element.js';
import { inspectEntries, setIterator, setTag } from '../region/face.js';
import { HEADER_WORDS } from '../region/format.js';
import { ENTRIES, KEYS, VALUES } from '../region/iteration.js';
import { addEntries, checkFunction, getOrInsert, getOrInsertComputed, update } from '../region/map-like.js';
import { Uncloneable } from '../region/uncloneable.js';
import type { Arena } from './arena.js';
import { slotValue } from './columns.js';
import { getEntry, hasEntry, remove, setEntry } from './entries.js';
import { iterate } from './iteration.js';
import { candidates, laneOf, readKeys, tagOfNumber, tagOfString } from './key-cache.js';
import { INLINE_CAPACITY, TWO_32 } from './layout.js';
import { clearMap, isAlive, isPromoted, releaseMap, sizeOf } from './maps.js';
import type { SmallKeyType, SmallMapId, SmallValueType } from './schema.js';
import { createOwned, finalizers, MapReference, OwnedMap } from './standalone.js';

/** The schema of a SmallMap. */
export interface SmallMapOptions<K extends SmallKeyType, V extends SmallValueType> {
  key: K;
  value: V;
}

/** The result of {@link SmallMap.stats}. */
export interface SmallMapStats {
  key: SmallKeyType;
  value: SmallValueType;
  size: number;
  promoted: boolean;
  /** Bytes of the arena that only this map uses. */
  byteLength: number;
}

/** Type codes used by hot code are module constants, because V8 folds those. */
const U32 = TYPE.u32;
const I32 = TYPE.i32;
const F64 = TYPE.f64;
const STRING = TYPE.string;

/** The epoch of an empty cache. */
const NO_EPOCH = -1;
/** The bits of a place that hold the number of entries. More than 8 marks a promoted map. */
const COUNT = 15;
/** Results of a lookup other than an entry: the key is absent, or the slow path has to decide. */
const ABSENT = -1;
const UNKNOWN = -2;

/**
 * The arena of the map that is being constructed. It initializes a field, because after a first
 * value of `undefined` V8 would check the type of the arena at each access (see `ownTable`).
 */
let pending: Arena;

let contentsOf: (map: SmallMap) => unknown;

/** Creates the object for a map of an arena; see `SmallMapArena.map`. */
export function smallMapOf<K extends SmallKeyType, V extends SmallValueType>(
  arena: Arena,
  id: number,
): SmallMap<K, V> {
  return new SmallMap<K, V>(new MapReference(arena, id));
}

/**
 * Deep equality compares own enumerable properties only, so without one all SmallMaps would be
 * equal (see `region/structure.ts`). The value is computed when it is read, by a proxy, because
 * defining a getter costs 90 ns for each object, and a proxy 20.
 */
const CONTENTS = Symbol('contents');
const handler: ProxyHandler<{ contents: SmallMap }> = {
  get: ({ contents: map }, name) => (name === 'contents' ? contentsOf(map) : undefined),
};
function defineContents(map: SmallMap): void {
  (map as unknown as Record<symbol, unknown>)[CONTENTS] = new Proxy({ contents: map }, handler);
}

/**
 * A small map outside the JavaScript heap, with keys and values of fixed types.
 *
 * ```ts
 * const scores = new SmallMap({ key: 'u32', value: 'f64' }, [[42, 9.5]]);
 * scores.get(42); // 9.5
 * ```
 *
 * Everything in `Map` works the same way: insertion order, changes during iteration, `NaN` equal to
 * `NaN`, `-0` stored as `0`. For thousands of maps, a {@link SmallMapArena} with ids costs less
 * than one object per map.
 *
 * Every method throws `ERR_OFFHEAP_TYPE` or `ERR_OFFHEAP_RANGE` for a key or value that the schema
 * cannot store, `ERR_OFFHEAP_CLOSED` after `close()` of the map or its arena, `ERR_OFFHEAP_STALE`
 * if the arena has released the map, `ERR_OFFHEAP_UNSUPPORTED` for a change in a read-only arena,
 * and `ERR_OFFHEAP_OOM` or `ERR_OFFHEAP_FULL` when the arena cannot grow. A refused operation
 * changes nothing.
 */
export class SmallMap<K extends SmallKeyType = SmallKeyType, V extends SmallValueType = SmallValueType>
  extends Uncloneable
  implements Map<JsType<K>, JsType<V>>
{
  static {
    setTag(this.prototype, 'SmallMap');
    setIterator(this.prototype, 'entries');
    contentsOf = (map) => {
      const state = map.#state();
      return state === 'open' ? [map.#arena.keyType, map.#arena.valueType, new Map(map)] : state;
    };
  }

  // The cache of keys (key-cache.ts) is part of the map object, because a separate object would be
  // another cache miss.
  readonly #arena = pending;
  /** The index of the map's place word in the region. The generation word follows it. */
  readonly #at: number = 0;
  /** The high half of the id; negative after `close()`. */
  #generation = 0;
  /**
   * The arena's epoch when the cache was filled. A value of −2 − e means that it is empty and was
   * asked for in epoch e; {@link NO_EPOCH} that it is empty.
   */
  #epoch = NO_EPOCH;
  /** The map's place at that time. */
  #place = 0;
  /**
   * The tags of the first four keys, from the highest byte on, and of the other four. 0 for absent
   * keys.
   */
  #tags = 0;
  #moreTags = 0;
  /** The keys of a map with string keys. A single key is stored by itself and needs no tag. */
  #texts: string[] | undefined = undefined;
  #only: string | undefined = undefined;

  /** Set if the map is standalone: the object owns it. */
  readonly #owned: OwnedMap | undefined;

  /**
   * Creates an empty map, or one with the entries of `iterable`, in the arena shared by all
   * standalone maps of the schema.
   */
  constructor(options: SmallMapOptions<K, V>, iterable?: Iterable<readonly [JsType<K>, JsType<V>]> | null);
  /** @internal */
  constructor(reference: MapReference);
  constructor(
    options: SmallMapOptions<K, V> | MapReference,
    iterable?: Iterable<readonly [JsType<K>, JsType<V>]> | null,
  ) {
    const map = options instanceof MapReference ? options : createOwned(options);
    pending = map.arena;
    super();
    this.#at = HEADER_WORDS + (map.id >>> 0) * 2;
    this.#generation = Math.floor(map.id / TWO_32);
    defineContents(this);
    if (!(map instanceof OwnedMap)) {
      this.#owned = undefined;
      return;
    }
    this.#owned = map;
    finalizers.register(this, map);
    try {
      const plain = this.set === SmallMap.prototype.set;
      addEntries(plain ? { set: (key, value) => setEntry(map.arena, map.id, key, value) } : this, iterable);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  // ---- Map

  /** The number of entries. */
  get size(): number {
    const { fastWords } = this.#arena;
    const at = this.#at;
    if (fastWords[at + 1] === this.#generation) {
      const count = fastWords[at] & COUNT;
      if (count <= INLINE_CAPACITY) return count;
    }
    return sizeOf(this.#arena, this.#id());
  }

  /** The value of a key, or `undefined` if the key is missing. */
  get(key: JsType<K>): JsType<V> | undefined {
    const entry = this.#find(key);
    if (entry >= 0) return slotValue(this.#arena, entry) as JsType<V>;
    if (entry === ABSENT) return undefined;
    return getEntry(this.#arena, this.#id(), key) as JsType<V> | undefined;
  }

  /** Whether a key is present. */
  has(key: JsType<K>): boolean {
    const entry = this.#find(key);
    if (entry !== UNKNOWN) return entry >= 0;
    return hasEntry(this.#arena, this.#id(), key);
  }

  /** Inserts an entry or replaces its value. Returns the map. */
  set(key: JsType<K>, value: JsType<V>): this {
    const entry = this.#find(key);
    const arena = this.#arena;
    // A cached entry of f64 takes one plain store. A call here, even if inlined, would cost 10%
    // more.
    if (entry >= 0 && arena.plain && arena.valueType === F64 && typeof value === 'number') {
      arena.valueColumn[entry] = value;
      return this;
    }
    setEntry(arena, this.#id(), key, value);
    return this;
  }

  /** Removes an entry. Returns whether the key was present. */
  delete(key: JsType<K>): boolean {
    return remove(this.#arena, this.#id(), key);
  }

  /** Removes all entries and demotes the map. */
  clear(): void {
    clearMap(this.#arena, this.#id());
  }

  /**
   * Calls `callback(value, key, map)` for each entry in insertion order, including entries that the
   * callback adds.
   */
  forEach(
    callback: (value: JsType<V>, key: JsType<K>, map: Map<JsType<K>, JsType<V>>) => void,
    // eslint-disable-next-line @typescript-eslint/no-useless-default-assignment -- length 1
    thisArg: unknown = undefined,
  ): void {
    checkFunction(callback);
    for (const [key, value] of this.entries()) callback.call(thisArg, value, key, this);
  }

  /** The keys in insertion order. */
  keys(): MapIterator<JsType<K>> {
    return iterate(this.#arena, this.#id(), KEYS, this) as MapIterator<JsType<K>>;
  }

  /** The values in insertion order. */
  values(): MapIterator<JsType<V>> {
    return iterate(this.#arena, this.#id(), VALUES, this) as MapIterator<JsType<V>>;
  }

  /** The entries in insertion order, each as a new `[key, value]` array. */
  entries(): MapIterator<[JsType<K>, JsType<V>]> {
    return iterate(this.#arena, this.#id(), ENTRIES, this) as MapIterator<[JsType<K>, JsType<V>]>;
  }

  declare readonly [Symbol.iterator]: () => MapIterator<[JsType<K>, JsType<V>]>;

  // Defined on the prototype, as in `Map`: see the static block.
  declare readonly [Symbol.toStringTag]: string;

  // ---- beyond Map

  /**
   * Whether the map is promoted: it has had more than 8 entries since it was created or last
   * cleared, and they are stored in a hash table.
   */
  get promoted(): boolean {
    return isPromoted(this.#arena, this.#id());
  }

  /** The map's id in its arena. */
  get id(): SmallMapId {
    return this.#id() as SmallMapId;
  }

  /** The value of a key. If the key is missing, `value` is inserted first. */
  getOrInsert(key: JsType<K>, value: JsType<V>): JsType<V> {
    return getOrInsert(SmallMap.prototype, this, key, value) as JsType<V>;
  }

  /** The value of a key. If the key is missing, `compute(key)` is inserted first. */
  getOrInsertComputed(key: JsType<K>, compute: (key: JsType<K>) => JsType<V>): JsType<V> {
    return getOrInsertComputed(SmallMap.prototype, this, key, compute as never) as JsType<V>;
  }

  /**
   * Sets a key to `change(value, key)`, where `value` is its current value or `undefined`. Returns
   * the new value. `map.update(word, (n = 0) => n + 1)` counts words.
   */
  update(key: JsType<K>, change: (value: JsType<V> | undefined, key: JsType<K>) => JsType<V>): JsType<V> {
    return update(SmallMap.prototype, this, key, change as never) as JsType<V>;
  }

  /**
   * Bytes of the arena that only this map uses: 8 in the directory, and its slot or its part of the
   * hash table.
   */
  get byteLength(): number {
    return this.stats().byteLength;
  }

  /** Counts and sizes. */
  stats(): SmallMapStats {
    const arena = this.#arena;
    const id = this.#id();
    const size = sizeOf(arena, id);
    const promoted = isPromoted(arena, id);
    const key = TYPE_NAMES[arena.keyType] as SmallKeyType;
    const value = TYPE_NAMES[arena.valueType] as SmallValueType;
    const entry = WIDTHS[arena.keyType] + WIDTHS[arena.valueType];
    // An entry of the table takes 16 bytes of links and about 6 of the index, and each map has a
    // sentinel.
    const bytes = promoted ? (size + 1) * (entry + 22) : (size === 0 ? 0 : arena.slotFor(size)) * entry;
    return { key, value, size, promoted, byteLength: 8 + bytes };
  }

  /** `{}`, as for a `Map`. */
  toJSON(): object {
    return {};
  }

  /**
   * Ends the use of this object: every later operation throws `ERR_OFFHEAP_CLOSED`. Releases the
   * map, unless the object came from `SmallMapArena.map`: then the map stays in its arena.
   */
  close(): void {
    if (this.#generation < 0) return;
    const id = this.#id();
    const owned = this.#owned;
    this.#generation = this.#epoch = NO_EPOCH;
    this.#texts = this.#only = undefined;
    if (owned === undefined) return;
    owned.id = -1;
    releaseMap(owned.arena, id);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    const state = this.#state();
    if (state !== 'open') return `${options.stylize('SmallMap', 'special')} { ${state} }`;
    const { key, value, size } = this.stats();
    return inspectEntries(`SmallMap<${key}, ${value}>(${size})`, this.entries(), size, depth, options);
  }

  // ---- internals

  /** Why the contents cannot be read, for `util.inspect`, which must not throw. */
  #state(): 'open' | 'closed' | 'released' {
    if (this.#generation < 0) return 'closed';
    try {
      return isAlive(this.#arena, this.#id()) ? 'open' : 'released';
    } catch {
      return 'closed';
    }
  }

  /** Throws after `close()`. */
  #id(): number {
    if (this.#generation < 0) throw offheapError('ERR_OFFHEAP_CLOSED', 'this map has been closed');
    return this.#generation * TWO_32 + (this.#at - HEADER_WORDS) / 2;
  }

  /** The entry of a key in the slot columns, {@link ABSENT}, or {@link UNKNOWN}. */
  #find(key: unknown): number {
    const arena = this.#arena;
    const place = this.#place;
    if (this.#epoch !== arena.epoch || arena.fastWords[this.#at] !== place) return this.#fill();
    if (typeof key === 'number') {
      const bits = key | 0;
      if (arena.keyType === U32 ? bits >>> 0 !== key : arena.keyType !== I32 || bits !== key) return UNKNOWN;
      let hits = candidates(this.#tags, this.#moreTags, tagOfNumber(bits));
      while (hits !== 0) {
        const lane = Math.clz32(hits);
        const entry = ((place >>> 4) << 1) + laneOf(lane);
        if (arena.fastWords[arena.keysAt + entry] === bits) return entry;
        hits ^= 0x80000000 >>> lane;
      }
      return ABSENT;
    }
    if (typeof key !== 'string') return UNKNOWN;
    const only = this.#only;
    const texts = this.#texts;
    if (only !== undefined) return only === key ? (place >>> 4) << 1 : ABSENT;
    if (texts === undefined) return UNKNOWN;
    let hits = candidates(this.#tags, this.#moreTags, tagOfString(key));
    while (hits !== 0) {
      const lane = Math.clz32(hits);
      if (texts[laneOf(lane)] === key) return ((place >>> 4) << 1) + laneOf(lane);
      hits ^= 0x80000000 >>> lane;
    }
    return ABSENT;
  }

  /**
   * Fills the cache on the second lookup without a change in between. The current lookup is left to
   * the arena.
   */
  #fill(): typeof UNKNOWN {
    const arena = this.#arena;
    const at = this.#at;
    const { epoch, fastWords: words, keysAt, keyType } = arena;
    if (keyType !== U32 && keyType !== I32 && keyType !== STRING) return UNKNOWN;
    if (at >= words.length || words[at + 1] !== this.#generation) return UNKNOWN;
    const place = words[at];
    const count = place & COUNT;
    const first = (place >>> 4) << 1;
    if (count > INLINE_CAPACITY || keysAt + first + count > words.length) return UNKNOWN;
    const asked = -2 - epoch;
    if (this.#epoch !== asked || this.#place !== place) {
      this.#epoch = asked;
      this.#place = place;
      return UNKNOWN;
    }
    const keys = readKeys(arena, first, count);
    if (keys === undefined) return UNKNOWN;
    this.#tags = keys.tags;
    this.#moreTags = keys.moreTags;
    this.#texts = keys.texts;
    this.#only = keys.texts?.length === 1 ? keys.texts[0] : undefined;
    this.#epoch = epoch;
    return UNKNOWN;
  }
}
