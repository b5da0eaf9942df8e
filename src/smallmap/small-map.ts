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
import { TYPE, TYPE_NAMES, WIDTHS, type JsType } from '../region/element.js';
import { inspectEntries, setTag } from '../region/face.js';
import { ENTRIES, KEYS, VALUES } from '../region/iteration.js';
import { addEntries, checkFunction, getOrInsert, getOrInsertComputed, update } from '../region/map-like.js';
import { choiceOption, readOptions, type Options } from '../region/options.js';
import { newArena, type Arena } from './arena.js';
import { slotValue } from './columns.js';
import { getEntry, hasEntry, remove, setEntry } from './entries.js';
import { iterate } from './iteration.js';
import {
  ABSENT,
  arenaOf,
  find,
  idOf,
  inlineSize,
  invalidate,
  isClosed,
  KeyCache,
  UNKNOWN,
} from './key-cache.js';
import { clearMap, createMap, isAlive, isPromoted, releaseMap, sizeOf } from './maps.js';
import {
  SMALL_KEY_TYPES,
  SMALL_VALUE_TYPES,
  type SmallKeyType,
  type SmallMapId,
  type SmallValueType,
} from './schema.js';

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

const OPTIONS = ['key', 'value'] as const;
/** A module constant, because V8 folds those. */
const F64 = TYPE.f64;

/**
 * The arenas in which `new SmallMap` creates maps: one per schema, kept for the life of the
 * process.
 */
const defaultArenas = new Map<unknown, Map<unknown, Arena>>();
/** A map of an arena, for the constructor of its object. */
class MapReference {
  constructor(
    readonly arena: Arena,
    public id: number,
  ) {}
}
/**
 * A standalone map, for its finalizer. The id is −1 once the map has been closed, which costs less
 * than the tokens of a registry.
 */
class OwnedMap extends MapReference {}
/** Releases the maps of objects that have been garbage-collected. */
const finalizers = new FinalizationRegistry<OwnedMap>(({ arena, id }) => {
  if (id >= 0) releaseMap(arena, id);
});

function defaultArena(options: unknown): Arena {
  const read = readOptions(options, OPTIONS, 'SmallMap');
  const arena = defaultArenas.get(read['key'])?.get(read['value']);
  return arena ?? newDefaultArena(read);
}

function createOwned(options: unknown): OwnedMap {
  const arena = defaultArena(options);
  return new OwnedMap(arena, createMap(arena));
}

function newDefaultArena(options: Options): Arena {
  const key = choiceOption(options, 'key', SMALL_KEY_TYPES);
  const value = choiceOption(options, 'value', SMALL_VALUE_TYPES);
  const arena = newArena(TYPE[key], TYPE[value]);
  const arenas = defaultArenas.get(key) ?? new Map<unknown, Arena>();
  defaultArenas.set(key, arenas.set(value, arena));
  return arena;
}

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
  get({ contents: map }, name) {
    if (name !== 'contents') return undefined;
    const state = stateOf(map);
    if (state !== 'open') return state;
    const { keyType, valueType } = arenaOf(map);
    return [keyType, valueType, new Map(map)];
  },
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
  extends KeyCache
  implements Map<JsType<K>, JsType<V>>
{
  static {
    setTag(this.prototype, 'SmallMap');
  }

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
    super(map.arena, map.id);
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
    const size = inlineSize(this);
    return size >= 0 ? size : sizeOf(arenaOf(this), idOf(this));
  }

  /** The value of a key, or `undefined` if the key is missing. */
  get(key: JsType<K>): JsType<V> | undefined {
    const entry = find(this, key);
    if (entry >= 0) return slotValue(arenaOf(this), entry) as JsType<V>;
    if (entry === ABSENT) return undefined;
    return getEntry(arenaOf(this), idOf(this), key) as JsType<V> | undefined;
  }

  /** Whether a key is present. */
  has(key: JsType<K>): boolean {
    const entry = find(this, key);
    if (entry !== UNKNOWN) return entry >= 0;
    return hasEntry(arenaOf(this), idOf(this), key);
  }

  /** Inserts an entry or replaces its value. Returns the map. */
  set(key: JsType<K>, value: JsType<V>): this {
    const entry = find(this, key);
    const arena = arenaOf(this);
    // A cached entry of f64 takes one plain store. A call here, even if inlined, would cost 10%
    // more.
    if (entry >= 0 && arena.plain && arena.valueType === F64 && typeof value === 'number') {
      arena.valueColumn[entry] = value;
      return this;
    }
    setEntry(arena, idOf(this), key, value);
    return this;
  }

  /** Removes an entry. Returns whether the key was present. */
  delete(key: JsType<K>): boolean {
    return remove(arenaOf(this), idOf(this), key);
  }

  /** Removes all entries and demotes the map. */
  clear(): void {
    clearMap(arenaOf(this), idOf(this));
  }

  /**
   * Calls `callback(value, key, map)` for each entry in insertion order, including entries that the
   * callback adds.
   */
  forEach(
    callback: (value: JsType<V>, key: JsType<K>, map: Map<JsType<K>, JsType<V>>) => void,
    thisArg?: unknown,
  ): void {
    checkFunction(callback);
    for (const [key, value] of this.entries()) callback.call(thisArg, value, key, this);
  }

  /** The keys in insertion order. */
  keys(): MapIterator<JsType<K>> {
    return iterate(arenaOf(this), idOf(this), KEYS, this) as MapIterator<JsType<K>>;
  }

  /** The values in insertion order. */
  values(): MapIterator<JsType<V>> {
    return iterate(arenaOf(this), idOf(this), VALUES, this) as MapIterator<JsType<V>>;
  }

  /** The entries in insertion order, each as a new `[key, value]` array. */
  entries(): MapIterator<[JsType<K>, JsType<V>]> {
    return iterate(arenaOf(this), idOf(this), ENTRIES, this) as MapIterator<[JsType<K>, JsType<V>]>;
  }

  [Symbol.iterator](): MapIterator<[JsType<K>, JsType<V>]> {
    return this.entries();
  }

  // Defined on the prototype, as in `Map`: see the static block.
  declare readonly [Symbol.toStringTag]: string;

  // ---- beyond Map

  /**
   * Whether the map is promoted: it has had more than 8 entries since it was created or last
   * cleared, and they are stored in a hash table.
   */
  get promoted(): boolean {
    return isPromoted(arenaOf(this), idOf(this));
  }

  /** The map's id in its arena. */
  get id(): SmallMapId {
    return idOf(this) as SmallMapId;
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
    const arena = arenaOf(this);
    const id = idOf(this);
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
    if (isClosed(this)) return;
    const id = idOf(this);
    const owned = this.#owned;
    invalidate(this);
    if (owned === undefined) return;
    owned.id = -1;
    releaseMap(owned.arena, id);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    const state = stateOf(this);
    if (state !== 'open') return `${options.stylize('SmallMap', 'special')} { ${state} }`;
    const { key, value, size } = this.stats();
    return inspectEntries(`SmallMap<${key}, ${value}>(${size})`, this.entries(), size, depth, options);
  }
}

/** Why the contents cannot be read, for `util.inspect`, which must not throw. */
function stateOf(map: KeyCache): 'open' | 'closed' | 'released' {
  if (isClosed(map)) return 'closed';
  try {
    return isAlive(arenaOf(map), idOf(map)) ? 'open' : 'released';
  } catch {
    return 'closed';
  }
}
