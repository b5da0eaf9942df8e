/**
 * SmallMap: one map of an arena, with the whole interface of `Map`. The entries are the arena's
 * (`docs/formats/smallmap.md`); this is an object that knows where.
 *
 * Cost: `get` and `has` of a map in line go by what the object remembers of its keys (recall.ts),
 * no crossing, no garbage. Everything else is the arena's operation. The object takes some 130
 * bytes of the JavaScript heap, and remembers up to 8 key strings: where there are millions of
 * maps, use the arena and ids.
 *
 * A map of its own, `new SmallMap(schema)`, lives in an arena that all maps of its schema share. It
 * is released by `close()`, and otherwise some time after the object was collected, as an iterator
 * over it holds the object.
 */
import { inspect, type InspectOptionsStylized } from 'node:util';
import { offheapError, typeError } from '../errors.js';
import { TYPE, WIDTHS, type JsType } from '../region/element.js';
import { HEADER_WORDS } from '../region/format.js';
import { choiceOption, describe, readOptions } from '../region/options.js';
import { SmallMapArena, type SmallMapId } from './arena.js';
import { ENTRIES, KEYS, SmallMapIterator, VALUES, type Walked, type Yield } from './iteration.js';
import { INLINE_CAPACITY } from './layout.js';
import { ABSENT, COUNT, Recall, UNSURE, type Inside } from './recall.js';
import { SMALL_KEY_TYPES, SMALL_VALUE_TYPES, type SmallKeyType, type SmallValueType } from './schema.js';
import { TWO_32 } from './store.js';

/** What a SmallMap holds. */
export interface SmallMapOptions<K extends SmallKeyType, V extends SmallValueType> {
  key: K;
  value: V;
}

/** What {@link SmallMap.stats} tells. */
export interface SmallMapStats {
  key: SmallKeyType;
  value: SmallValueType;
  size: number;
  promoted: boolean;
  /** Bytes of the arena that are this map's alone. */
  byteLength: number;
}

const OPTIONS = ['key', 'value'] as const;

/** Where `new SmallMap` makes its maps: one arena for each schema, which stays. */
const homes = new Map<string, SmallMapArena>();
/**
 * A map of its own, for the collector: the id is −1 once it was closed, which costs less than a
 * registry's tokens.
 */
interface Held {
  arena: SmallMapArena;
  id: number;
}
/** Releases the maps of objects that are no more. */
const orphans = new FinalizationRegistry<Held>(({ arena, id }) => {
  if (id >= 0) arena.release(id as SmallMapId);
});

function homeOf(options: unknown): SmallMapArena {
  const read = readOptions(options, OPTIONS, 'SmallMap');
  const key = choiceOption(read, 'key', SMALL_KEY_TYPES);
  const value = choiceOption(read, 'value', SMALL_VALUE_TYPES);
  const schema = `${key} ${value}`;
  let home = homes.get(schema);
  if (home === undefined) {
    home = new SmallMapArena({ key, value });
    homes.set(schema, home);
  }
  return home;
}

/** A map that exists already, for the constructor of its object. */
class Existing {
  constructor(
    readonly arena: SmallMapArena,
    readonly id: SmallMapId,
  ) {}
}

/** The object of a map of an arena; see `SmallMapArena.map`. */
export function smallMapOf<K extends SmallKeyType, V extends SmallValueType>(
  arena: SmallMapArena<K, V>,
  id: SmallMapId,
): SmallMap<K, V> {
  return new SmallMap<K, V>(new Existing(arena, id) as never);
}

/** See `Structure`: structured cloning would make a dead object without a word. */
const uncloneable = (): string => 'post the token that share() of its arena gives, and the id';

/**
 * A small map outside the JavaScript heap, for keys and values of fixed types.
 *
 * ```ts
 * const scores = new SmallMap({ key: 'u32', value: 'f64' }, [[42, 9.5]]);
 * scores.get(42); // 9.5
 * ```
 *
 * All of `Map` works as there: insertion order, changes while iterating, `NaN` equal to `NaN`, `-0`
 * to `0`. Where there are thousands of maps, a {@link SmallMapArena} and ids cost less than an
 * object for each.
 *
 * Errors, of every method: `ERR_OFFHEAP_TYPE` or `ERR_OFFHEAP_RANGE` for a key or value that the
 * schema does not hold, `ERR_OFFHEAP_CLOSED` after `close()` of the map or its arena,
 * `ERR_OFFHEAP_STALE` where the arena released the map, `ERR_OFFHEAP_UNSUPPORTED` for a change in
 * an arena that is only read here, `ERR_OFFHEAP_OOM` or `ERR_OFFHEAP_FULL` when the arena can not
 * grow. A refused operation changes nothing.
 */
export class SmallMap<K extends SmallKeyType = SmallKeyType, V extends SmallValueType = SmallValueType>
  extends Recall
  implements Map<JsType<K>, JsType<V>>
{
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'SmallMap', configurable: true });
  }

  private readonly arena: SmallMapArena<K, V>;
  /** Where the map is this object's own: in a shared default arena. */
  private readonly held: Held | undefined;
  protected readonly uncloneable = uncloneable;

  /**
   * An empty map, or one with the entries of `iterable`, in an arena that all maps of its schema
   * share.
   */
  constructor(options: SmallMapOptions<K, V>, iterable?: Iterable<readonly [JsType<K>, JsType<V>]> | null) {
    const existing = options instanceof Existing;
    const arena = (existing ? options.arena : homeOf(options)) as unknown as SmallMapArena<K, V>;
    const id = existing ? options.id : arena.create();
    super(arena as unknown as Inside, id);
    this.arena = arena;
    this.held = existing ? undefined : { arena: arena as unknown as SmallMapArena, id };
    if (this.held === undefined) return;
    orphans.register(this, this.held);
    if (iterable === undefined || iterable === null) return;
    try {
      for (const entry of iterable) {
        if (typeof entry !== 'object' || entry === null) {
          throw typeError(`an iterable of entries has ${describe(entry)} where [key, value] should be`);
        }
        arena.set(id, entry[0], entry[1]);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  // ---- Map

  /** How many entries there are. */
  get size(): number {
    const { fastWords } = this.inside;
    const { at } = this;
    if (fastWords[at + 1] === this.generation) {
      const count = fastWords[at] & COUNT;
      if (count <= INLINE_CAPACITY) return count;
    }
    return this.arena.size(this.id);
  }

  /** The value of a key, or `undefined`. */
  get(key: JsType<K>): JsType<V> | undefined {
    const entry = this.find(key);
    if (entry >= 0) return this.inside.slotValue(entry) as JsType<V>;
    if (entry === ABSENT) return undefined;
    return this.arena.get(this.id, key);
  }

  /** Whether a key is there. */
  has(key: JsType<K>): boolean {
    const entry = this.find(key);
    if (entry !== UNSURE) return entry >= 0;
    return this.arena.has(this.id, key);
  }

  /** Inserts an entry, or replaces the value of one. Returns the map. */
  set(key: JsType<K>, value: JsType<V>): this {
    const entry = this.find(key);
    if (entry < 0 || !this.inside.replaceValue(entry, value)) this.arena.set(this.id, key, value);
    return this;
  }

  /** Removes an entry. Returns whether it was there. */
  delete(key: JsType<K>): boolean {
    return this.arena.delete(this.id, key);
  }

  /** Removes all entries, and demotes the map. */
  clear(): void {
    this.arena.clear(this.id);
  }

  /**
   * Calls `callback(value, key, map)` for each entry in insertion order, those included that it
   * adds.
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

  /** The entries in insertion order, each a fresh `[key, value]`. */
  entries(): MapIterator<[JsType<K>, JsType<V>]> {
    return this.iterate(ENTRIES) as MapIterator<[JsType<K>, JsType<V>]>;
  }

  private iterate(what: Yield): unknown {
    this.arena.size(this.id); // throws where there is no map any more
    return new SmallMapIterator(this.arena as unknown as Walked, this, what);
  }

  [Symbol.iterator](): MapIterator<[JsType<K>, JsType<V>]> {
    return this.entries();
  }

  // On the prototype, where `Map` has it: see the static block.
  declare readonly [Symbol.toStringTag]: string;

  // ---- beyond Map

  /**
   * Whether there are, or were since the map was last cleared, more than 8 entries: they are in a
   * hash table then.
   */
  get promoted(): boolean {
    return this.arena.promoted(this.id);
  }

  /** The map's id in its arena. */
  get id(): SmallMapId {
    if (this.generation < 0) throw offheapError('ERR_OFFHEAP_CLOSED', 'this map was closed');
    return (this.generation * TWO_32 + (this.at - HEADER_WORDS) / 2) as SmallMapId;
  }

  /** The value of a key; if it is missing, `value` is inserted first. */
  getOrInsert(key: JsType<K>, value: JsType<V>): JsType<V> {
    if (!this.has(key)) this.set(key, value);
    return this.get(key) as JsType<V>;
  }

  /** The value of a key; if it is missing, `compute(key)` is inserted first. */
  getOrInsertComputed(key: JsType<K>, compute: (key: JsType<K>) => JsType<V>): JsType<V> {
    if (typeof compute !== 'function') throw typeError(`${describe(compute)} is not a function`);
    if (!this.has(key)) this.set(key, compute((key === 0 ? 0 : key) as JsType<K>)); // -0 is 0, as for Map
    return this.get(key) as JsType<V>;
  }

  /**
   * Sets a key to `change(value, key)`, where `value` is what it has, or `undefined`. Returns the
   * new value. `map.update(word, (n = 0) => n + 1)` counts words.
   */
  update(key: JsType<K>, change: (value: JsType<V> | undefined, key: JsType<K>) => JsType<V>): JsType<V> {
    if (typeof change !== 'function') throw typeError(`${describe(change)} is not a function`);
    const value = change(this.get(key), (key === 0 ? 0 : key) as JsType<K>);
    this.set(key, value);
    return value;
  }

  /**
   * Bytes of the arena that are this map's alone: its 8 of the directory, its slot or its part of
   * the hash table.
   */
  get byteLength(): number {
    return this.stats().byteLength;
  }

  /** Plain facts about the map. */
  stats(): SmallMapStats {
    const { arena, id } = this;
    const { key, value } = arena.stats();
    const size = arena.size(id);
    const promoted = arena.promoted(id);
    const entry = WIDTHS[TYPE[key]] + WIDTHS[TYPE[value]];
    // An entry of the table has 16 bytes of links and about 6 of the index, and there is a sentinel
    // for each map.
    const bytes = promoted ? (size + 1) * (entry + 22) : (size === 0 ? 0 : this.inside.slotFor(size)) * entry;
    return { key, value, size, promoted, byteLength: 8 + bytes };
  }

  /** `{}`, as for a `Map`. */
  toJSON(): object {
    return {};
  }

  /**
   * Ends the use of this object: every later operation throws `ERR_OFFHEAP_CLOSED`. Releases the
   * map, unless it came from `SmallMapArena.map`: then it is the arena's, and stays.
   */
  close(): void {
    if (this.generation < 0) return;
    const { arena, id, held } = this;
    this.forget();
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

  /** For `util.inspect`, which must not throw: why the contents can not be read. */
  private describeState(): string | undefined {
    if (this.generation < 0) return 'closed';
    try {
      return this.arena.isAlive(this.id) ? undefined : 'released';
    } catch {
      return 'closed';
    }
  }
}
