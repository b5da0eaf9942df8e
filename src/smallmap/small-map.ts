/**
 * SmallMap: one map of an arena, with the whole interface of `Map`. The arena stores the entries
 * (`docs/formats/smallmap.md`); the object knows their location.
 *
 * Cost: `get` and `has` of an inline map use the object's cache of its keys (key-cache.ts), without
 * crossing into native code and without garbage. All other operations are the arena's. The object
 * takes about 130 bytes of the JavaScript heap and caches up to 8 key strings: for millions of
 * maps, use the arena and ids.
 *
 * A standalone map, `new SmallMap(schema)`, is stored in an arena that all standalone maps of its
 * schema share. It is released by `close()`, or else some time after the object has been
 * garbage-collected. An iterator over the map keeps the object alive.
 */
import { inspect, type InspectOptionsStylized } from 'node:util';
import { offheapError, typeError } from '../errors.js';
import { TYPE, WIDTHS, type JsType } from '../region/element.js';
import { HEADER_WORDS } from '../region/format.js';
import { choiceOption, describe, readOptions } from '../region/options.js';
import { SmallMapArena, type SmallMapId } from './small-map-arena.js';
import {
  ENTRIES,
  KEYS,
  SmallMapIterator,
  VALUES,
  type IterationSource,
  type IterationKind,
} from './iteration.js';
import { INLINE_CAPACITY } from './layout.js';
import { ABSENT, COUNT, KeyCache, UNKNOWN, type ArenaInternals } from './key-cache.js';
import { SMALL_KEY_TYPES, SMALL_VALUE_TYPES, type SmallKeyType, type SmallValueType } from './schema.js';
import { TWO_32 } from './store.js';

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

/**
 * The arenas in which `new SmallMap` creates maps: one per schema, kept for the life of the
 * process.
 */
const defaultArenas = new Map<string, SmallMapArena>();
/**
 * A standalone map, for its finalizer. The id is −1 once the map has been closed, which costs less
 * than the tokens of a registry.
 */
interface OwnedMap {
  arena: SmallMapArena;
  id: number;
}
/** Releases the maps of objects that have been garbage-collected. */
const finalizers = new FinalizationRegistry<OwnedMap>(({ arena, id }) => {
  if (id >= 0) arena.release(id as SmallMapId);
});

function defaultArena(options: unknown): SmallMapArena {
  const read = readOptions(options, OPTIONS, 'SmallMap');
  const key = choiceOption(read, 'key', SMALL_KEY_TYPES);
  const value = choiceOption(read, 'value', SMALL_VALUE_TYPES);
  const schema = `${key} ${value}`;
  let home = defaultArenas.get(schema);
  if (home === undefined) {
    home = new SmallMapArena({ key, value });
    defaultArenas.set(schema, home);
  }
  return home;
}

/** Passes an existing map to the constructor. */
class Existing {
  constructor(
    readonly arena: SmallMapArena,
    readonly id: SmallMapId,
  ) {}
}

/** Creates the object for a map of an arena; see `SmallMapArena.map`. */
export function smallMapOf<K extends SmallKeyType, V extends SmallValueType>(
  arena: SmallMapArena<K, V>,
  id: SmallMapId,
): SmallMap<K, V> {
  return new SmallMap<K, V>(new Existing(arena, id) as never);
}

/** As in `Structure`: structured cloning would silently create a dead object. */
const uncloneable = (): string => 'post the token from share() of its arena, and the id';

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
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'SmallMap', configurable: true });
  }

  private readonly arena: SmallMapArena<K, V>;
  /** Set if the map is standalone: the object owns it. */
  private readonly held: OwnedMap | undefined;
  protected readonly uncloneable = uncloneable;

  /**
   * Creates an empty map, or one with the entries of `iterable`, in the arena shared by all
   * standalone maps of the schema.
   */
  constructor(options: SmallMapOptions<K, V>, iterable?: Iterable<readonly [JsType<K>, JsType<V>]> | null) {
    const existing = options instanceof Existing;
    const arena = (existing ? options.arena : defaultArena(options)) as unknown as SmallMapArena<K, V>;
    const id = existing ? options.id : arena.create();
    super(arena as unknown as ArenaInternals, id);
    this.arena = arena;
    this.held = existing ? undefined : { arena: arena as unknown as SmallMapArena, id };
    if (this.held === undefined) return;
    finalizers.register(this, this.held);
    if (iterable === undefined || iterable === null) return;
    try {
      for (const entry of iterable) {
        if (typeof entry !== 'object' || entry === null) {
          throw typeError(`an iterable of entries must yield [key, value] arrays, not ${describe(entry)}`);
        }
        arena.set(id, entry[0], entry[1]);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  // ---- Map

  /** The number of entries. */
  get size(): number {
    const { fastWords } = this.inside;
    const { at } = this;
    if (fastWords[at + 1] === this.generation) {
      const count = fastWords[at] & COUNT;
      if (count <= INLINE_CAPACITY) return count;
    }
    return this.arena.size(this.id);
  }

  /** The value of a key, or `undefined` if the key is missing. */
  get(key: JsType<K>): JsType<V> | undefined {
    const entry = this.find(key);
    if (entry >= 0) return this.inside.slotValue(entry) as JsType<V>;
    if (entry === ABSENT) return undefined;
    return this.arena.get(this.id, key);
  }

  /** Whether a key is present. */
  has(key: JsType<K>): boolean {
    const entry = this.find(key);
    if (entry !== UNKNOWN) return entry >= 0;
    return this.arena.has(this.id, key);
  }

  /** Inserts an entry or replaces its value. Returns the map. */
  set(key: JsType<K>, value: JsType<V>): this {
    const entry = this.find(key);
    if (entry < 0 || !this.inside.replaceValue(entry, value)) this.arena.set(this.id, key, value);
    return this;
  }

  /** Removes an entry. Returns whether the key was present. */
  delete(key: JsType<K>): boolean {
    return this.arena.delete(this.id, key);
  }

  /** Removes all entries and demotes the map. */
  clear(): void {
    this.arena.clear(this.id);
  }

  /**
   * Calls `callback(value, key, map)` for each entry in insertion order, including entries that the
   * callback adds.
   */
  forEach(
    callback: (value: JsType<V>, key: JsType<K>, map: Map<JsType<K>, JsType<V>>) => void,
    thisArg?: unknown,
  ): void {
    if (typeof callback !== 'function') throw typeError(`${describe(callback)} is not a function`);
    for (const [key, value] of this.entries()) callback.call(thisArg, value, key, this);
  }

  /** The keys in insertion order. */
  keys(): MapIterator<JsType<K>> {
    return this.iterate(KEYS) as MapIterator<JsType<K>>;
  }

  /** The values in insertion order. */
  values(): MapIterator<JsType<V>> {
    return this.iterate(VALUES) as MapIterator<JsType<V>>;
  }

  /** The entries in insertion order, each as a new `[key, value]` array. */
  entries(): MapIterator<[JsType<K>, JsType<V>]> {
    return this.iterate(ENTRIES) as MapIterator<[JsType<K>, JsType<V>]>;
  }

  private iterate(what: IterationKind): unknown {
    this.arena.size(this.id); // throws if the map has been released
    return new SmallMapIterator(this.arena as unknown as IterationSource, this, what);
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
    return this.arena.promoted(this.id);
  }

  /** The map's id in its arena. */
  get id(): SmallMapId {
    if (this.generation < 0) throw offheapError('ERR_OFFHEAP_CLOSED', 'this map has been closed');
    return (this.generation * TWO_32 + (this.at - HEADER_WORDS) / 2) as SmallMapId;
  }

  /** The value of a key. If the key is missing, `value` is inserted first. */
  getOrInsert(key: JsType<K>, value: JsType<V>): JsType<V> {
    if (!this.has(key)) this.set(key, value);
    return this.get(key) as JsType<V>;
  }

  /** The value of a key. If the key is missing, `compute(key)` is inserted first. */
  getOrInsertComputed(key: JsType<K>, compute: (key: JsType<K>) => JsType<V>): JsType<V> {
    if (typeof compute !== 'function') throw typeError(`${describe(compute)} is not a function`);
    if (!this.has(key)) this.set(key, compute((key === 0 ? 0 : key) as JsType<K>)); // -0 is 0, as for Map
    return this.get(key) as JsType<V>;
  }

  /**
   * Sets a key to `change(value, key)`, where `value` is its current value or `undefined`. Returns
   * the new value. `map.update(word, (n = 0) => n + 1)` counts words.
   */
  update(key: JsType<K>, change: (value: JsType<V> | undefined, key: JsType<K>) => JsType<V>): JsType<V> {
    if (typeof change !== 'function') throw typeError(`${describe(change)} is not a function`);
    const value = change(this.get(key), (key === 0 ? 0 : key) as JsType<K>);
    this.set(key, value);
    return value;
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
    const { arena, id } = this;
    const { key, value } = arena.stats();
    const size = arena.size(id);
    const promoted = arena.promoted(id);
    const entry = WIDTHS[TYPE[key]] + WIDTHS[TYPE[value]];
    // An entry of the table takes 16 bytes of links and about 6 of the index, and each map has a
    // sentinel.
    const bytes = promoted ? (size + 1) * (entry + 22) : (size === 0 ? 0 : this.inside.slotFor(size)) * entry;
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
    if (this.generation < 0) return;
    const { arena, id, held } = this;
    this.invalidate();
    if (held === undefined) return;
    held.id = -1;
    arena.release(id);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    const state = this.describeState();
    if (state !== undefined) return `${options.stylize('SmallMap', 'special')} { ${state} }`;
    const { key, value, size } = this.stats();
    const title = `SmallMap<${key}, ${value}>(${size})`;
    if (depth < 0) return options.stylize(`[${title}]`, 'special');
    const shown = new Map<unknown, unknown>();
    const limit = Math.min(options.maxArrayLength ?? Infinity, 100);
    for (const [k, v] of this) {
      if (shown.size >= limit) break;
      shown.set(k, v);
    }
    const more = size - shown.size;
    const list = inspect(shown, { ...options, depth: options.depth === null ? null : depth });
    const body = list.slice(list.indexOf('{'));
    return more > 0 ? `${title} ${body.replace(/\s*\}$/, '')}, ... ${more} more }` : `${title} ${body}`;
  }

  /** For `util.inspect`, which must not throw: the reason why the contents cannot be read. */
  private describeState(): string | undefined {
    if (this.generation < 0) return 'closed';
    try {
      return this.arena.isAlive(this.id) ? undefined : 'released';
    } catch {
      return 'closed';
    }
  }
}
