/**
 * SmallMapArena: millions of small maps with one key type and one value type, in one region outside
 * the JavaScript heap that can be shared with workers, saved, and opened by mapping its file.
 * `docs/formats/smallmap.md` specifies the bytes.
 *
 * Cost: a map of two entries from `u32` to `f64` takes 32 bytes and one of eight 104, where a `Map`
 * takes 225 and 435. `get` and `set` touch at most three cache lines for maps of up to 8 entries;
 * larger maps are stored in a hash table that all maps of the arena share. The garbage collector
 * sees one object, however many maps there are.
 */
import type { PathLike } from 'node:fs';
import { inspect, type InspectOptionsStylized } from 'node:util';
import { native } from '../native.js';
import { TYPE_NAMES, type Column, type JsType } from '../region/element.js';
import {
  attachStructure,
  constructing,
  inspectIfOpen,
  openStructure,
  regionStats,
  setTag,
  structureFromBytes,
  tableFromSource,
  type RegionStats,
} from '../region/face.js';
import { type OpenOptions } from '../region/file.js';
import { readLong, WORD as COMMON } from '../region/format.js';
import { ENTRIES, KEYS, VALUES } from '../region/iteration.js';
import { checkFunction } from '../region/map-like.js';
import { checkInteger } from '../region/options.js';
import { ownTable, Structure } from '../region/structure.js';
import { OWNER, RegionSource } from '../region/table.js';
import { type Token } from '../region/token.js';
import { Arena, arenaFromOptions } from './arena.js';
import { getMany, setMany } from './bulk.js';
import { getEntry, hasEntry, remove, setEntry } from './entries.js';
import { makeRoom, releaseUnused } from './growth.js';
import { iterate } from './iteration.js';
import { INLINE_CAPACITY, MAX_MAPS, WORD } from './layout.js';
import { clearMap, createMap, isAlive, isPromoted, mapIds, releaseMap, sizeOf } from './maps.js';
import { type SmallKeyType, type SmallMapId, type SmallValueType } from './schema.js';
import { smallMapOf, type SmallMap } from './small-map.js';

/** The schema, initial capacity and placement of a new arena. */
export interface SmallMapArenaOptions<K extends SmallKeyType, V extends SmallValueType> {
  key: K;
  value: V;
  /**
   * Number of maps to reserve room for, with four entries each: 1 to 2^30. The arena grows beyond
   * it on demand.
   */
  capacity?: number;
  /** Advise the system to back the arena with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /**
   * Keep the memory on this NUMA node. Default: the node of the thread that first writes each page.
   */
  numaNode?: number;
  /**
   * The 64-bit key of the hash functions. Default: random. Set it only to get reproducible bytes.
   */
  seed?: bigint;
}

/** Many ids: a Float64Array is fastest, or a Uint32Array if all ids are below 2^32. */
export type SmallMapIds = Float64Array | Uint32Array | Iterable<number> | ArrayLike<number>;
/** Keys or values for a bulk call: a typed array of the column's type is fastest. */
export type SmallItems<T extends SmallKeyType | SmallValueType> =
  Column<T> | Iterable<JsType<T>> | ArrayLike<JsType<T>>;
/** The destination of a bulk call: a typed array of the column's type, or any array. */
export type SmallOutput<V extends SmallValueType> = Column<V> | JsType<V>[];

/** The result of {@link SmallMapArena.stats}. Sizes are in bytes. */
export interface SmallMapArenaStats extends RegionStats {
  key: SmallKeyType;
  value: SmallValueType;
  /** Number of maps, and how many of them are promoted. */
  count: number;
  promotedCount: number;
  /** Number of maps that fit before the directory must grow. */
  capacity: number;
  /**
   * Number of entries that the slots can hold, and how many of those are in blocks already handed
   * out.
   */
  slotCapacity: number;
  slotsUsed: number;
  /**
   * Positions in the table of promoted maps, and how many are in use: one per entry and one per
   * map.
   */
  tableCapacity: number;
  tableUsed: number;
  strings: number;
  heapCapacity: number;
  heapUsed: number;
  /** How many times the region has been rearranged. */
  rearrangements: number;
}

/**
 * Many small maps in one region.
 *
 * ```ts
 * const arena = new SmallMapArena({ key: 'u32', value: 'f64' });
 * const scores = arena.create();
 * arena.set(scores, 42, 9.5).get(scores, 42); // 9.5
 * ```
 *
 * Each map behaves like a `Map`: it keeps insertion order, can change during iteration, and treats
 * `NaN` as equal to `NaN` and `-0` as `0`. Up to {@link SmallMapArena.INLINE_CAPACITY} entries of a
 * map are stored side by side. A ninth entry promotes the map to a hash table that all maps of the
 * arena share; it stays promoted until it is cleared. `arena.map(id)` returns an object with the
 * interface of `Map` for one of them.
 *
 * Every method throws `ERR_OFFHEAP_STALE` for an id whose map has been released, `ERR_OFFHEAP_TYPE`
 * or `ERR_OFFHEAP_RANGE` for a key or value that the schema cannot store, `ERR_OFFHEAP_CLOSED`
 * after `close()`, `ERR_OFFHEAP_UNSUPPORTED` for a change to a read-only arena, `ERR_OFFHEAP_OOM`
 * or `ERR_OFFHEAP_FULL` when the arena cannot grow, and `ERR_OFFHEAP_IO` when a mapped file has
 * been truncated. A refused operation changes nothing.
 */
export class SmallMapArena<
  K extends SmallKeyType = SmallKeyType,
  V extends SmallValueType = SmallValueType,
> extends Structure<'smallmap'> {
  /** The number of entries that a map can have before it is promoted. */
  static readonly INLINE_CAPACITY = INLINE_CAPACITY;

  static {
    setTag(this.prototype, 'SmallMapArena');
  }

  readonly #table = ownTable<Arena>(this);

  /** Creates an arena without maps. */
  constructor(options: SmallMapArenaOptions<K, V>);
  /** @internal */
  constructor(source: RegionSource);
  constructor(options: SmallMapArenaOptions<K, V> | RegionSource) {
    const existing = options instanceof RegionSource;
    super(existing ? tableFromSource(Arena, options, 'SmallMapArena') : arenaFromOptions(options));
  }

  declare readonly [Symbol.toStringTag]: string;

  // ---- maps

  /** The number of maps. */
  get count(): number {
    this.#table.beforeRead();
    return this.#table.head[WORD.maps];
  }

  /** The number of promoted maps. */
  get promotedCount(): number {
    this.#table.beforeRead();
    return this.#table.head[WORD.promoted];
  }

  /** Creates an empty map. Its id is valid until {@link SmallMapArena.release}. */
  create(): SmallMapId {
    return createMap(this.#table) as SmallMapId;
  }

  /** Releases a map: its entries are removed, and its id becomes stale. */
  release(id: SmallMapId): void {
    releaseMap(this.#table, id);
  }

  /** Whether an id identifies a map that has not been released. */
  isAlive(id: SmallMapId): boolean {
    return isAlive(this.#table, id);
  }

  /** The number of entries of a map. */
  size(id: SmallMapId): number {
    return sizeOf(this.#table, id);
  }

  /**
   * Whether a map is promoted: it has had more than 8 entries since it was created or last cleared.
   */
  promoted(id: SmallMapId): boolean {
    return isPromoted(this.#table, id);
  }

  /** Removes all entries of a map and demotes it. */
  clear(id: SmallMapId): void {
    clearMap(this.#table, id);
  }

  /**
   * The map with an id, as an object with the interface of `Map`. The object is a view: the arena
   * keeps the map until it is released with {@link SmallMapArena.release}.
   */
  map(id: SmallMapId): SmallMap<K, V> {
    const table = this.#table;
    if (table.role === OWNER) table.mapOf(id);
    else table.readStable(() => table.mapOf(id));
    return smallMapOf(table, id);
  }

  // ---- entries

  /** The value of a key in a map, or `undefined` if the key is missing. */
  get(id: SmallMapId, key: JsType<K>): JsType<V> | undefined {
    return getEntry(this.#table, id, key) as JsType<V> | undefined;
  }

  /** Whether a map has a key. */
  has(id: SmallMapId, key: JsType<K>): boolean {
    return hasEntry(this.#table, id, key);
  }

  /** Sets the value of a key in a map. Returns the arena. */
  set(id: SmallMapId, key: JsType<K>, value: JsType<V>): this {
    setEntry(this.#table, id, key, value);
    return this;
  }

  /**
   * Removes a key from a map. Returns whether the key was present. The order of the other entries
   * does not change.
   */
  delete(id: SmallMapId, key: JsType<K>): boolean {
    return remove(this.#table, id, key);
  }

  // ---- iteration

  /**
   * The keys of a map in insertion order. The iterator follows changes to the map as those of `Map`
   * do.
   */
  keys(id: SmallMapId): MapIterator<JsType<K>> {
    return iterate(this.#table, id, KEYS) as MapIterator<JsType<K>>;
  }

  /** The values of a map in insertion order. */
  values(id: SmallMapId): MapIterator<JsType<V>> {
    return iterate(this.#table, id, VALUES) as MapIterator<JsType<V>>;
  }

  /** The entries of a map in insertion order, each as a new `[key, value]` array. */
  entries(id: SmallMapId): MapIterator<[JsType<K>, JsType<V>]> {
    return iterate(this.#table, id, ENTRIES) as MapIterator<[JsType<K>, JsType<V>]>;
  }

  /**
   * Calls `callback(value, key, id)` for each entry of a map in insertion order, including entries
   * that the callback adds.
   */
  forEach(
    id: SmallMapId,
    callback: (value: JsType<V>, key: JsType<K>, id: SmallMapId) => void,
    // eslint-disable-next-line @typescript-eslint/no-useless-default-assignment -- length 1
    thisArg: unknown = undefined,
  ): void {
    checkFunction(callback);
    for (const [key, value] of this.entries(id)) callback.call(thisArg, value, key, id);
  }

  /** The ids of all maps, in directory order. */
  ids(): Generator<SmallMapId, undefined, undefined> {
    return mapIds(this.#table) as Generator<SmallMapId, undefined, undefined>;
  }

  // ---- bulk

  /**
   * The values of many keys. `out[i]` receives the value of `keys[i]` in the map `ids[i]`, and is
   * left unchanged if that key is missing (so it is 0 in a new typed array). `out` must have room
   * for all values. Returns `out`. Takes about 10 to 25 ns per lookup if ids, keys and `out` are
   * typed arrays, several times less than single calls. Throws `ERR_OFFHEAP_STALE` at the first
   * stale id; part of `out` may have been written by then.
   */
  getMany(
    ids: SmallMapIds,
    keys: SmallItems<K>,
  ): Column<V> extends never ? (JsType<V> | undefined)[] : Column<V>;
  getMany<O extends SmallOutput<V>>(ids: SmallMapIds, keys: SmallItems<K>, out: O): O;
  getMany(ids: unknown, keys: unknown, out?: unknown): unknown {
    this.#table.beforeRead();
    return getMany(this.#table, ids, keys, out);
  }

  /**
   * Sets `keys[i]` to `values[i]` in the map `ids[i]`, for all i, in order. Nothing is changed if
   * any id is stale or any key or value has the wrong type. Returns the arena.
   */
  setMany(ids: SmallMapIds, keys: SmallItems<K>, values: SmallItems<V>): this {
    this.#table.beforeRead();
    setMany(this.#table, ids, keys, values);
    return this;
  }

  // ---- memory

  /**
   * Reserves room for `maps` maps in total, with four entries each, so that growing to that number
   * moves nothing.
   */
  reserve(maps: number): this {
    const table = this.#table;
    const wanted = checkInteger(maps, 'maps', 0, MAX_MAPS);
    table.beforeWrite();
    const more = Math.max(0, wanted - table.head[WORD.maps]);
    if (more > 0) makeRoom(table, more, Math.ceil(more / 2), 0, 0, 0);
    return this;
  }

  /**
   * Releases the memory that the maps do not need. A shared arena keeps its address space and
   * therefore its bytes.
   */
  shrinkToFit(): this {
    this.#table.beforeWrite();
    releaseUnused(this.#table);
    return this;
  }

  /** Counts and sizes, for logs and dashboards. */
  stats(): SmallMapArenaStats {
    const table = this.#table;
    return table.readStable(() => {
      const { head } = table;
      return {
        key: TYPE_NAMES[table.keyType] as SmallKeyType,
        value: TYPE_NAMES[table.valueType] as SmallValueType,
        count: head[WORD.maps],
        promotedCount: head[WORD.promoted],
        capacity: head[WORD.mapCapacity],
        slotCapacity: head[WORD.blockCapacity] * INLINE_CAPACITY,
        slotsUsed: head[WORD.blocksUsed] * INLINE_CAPACITY,
        tableCapacity: head[WORD.tableCapacity],
        tableUsed: head[WORD.tableUsed] - head[WORD.tableFree],
        strings: head[WORD.strings],
        heapCapacity: readLong(head, WORD.heapCapacityLow),
        heapUsed: readLong(head, WORD.heapUsedLow),
        rearrangements: (head[COMMON.sequence] >>> 0) / 2,
        ...regionStats(table.region),
      };
    });
  }

  /**
   * Verifies the entire contents, which opening does not. O(bytes). Throws `ERR_OFFHEAP_CORRUPT`;
   * in a reader, also for a change of which the owner has made only a part yet.
   */
  validate(): void {
    const table = this.#table;
    table.read(() => native().smallmapArenaValidate(table.region.bytes));
  }

  // ---- sharing and saving

  /** Attaches to an arena that another thread shared, for reading. O(1). */
  static attach<K extends SmallKeyType = SmallKeyType, V extends SmallValueType = SmallValueType>(
    token: Token,
  ): SmallMapArena<K, V> {
    return attachStructure(token, 'smallmap', constructing<SmallMapArena<K, V>>(this, SmallMapArena));
  }

  /**
   * Opens a saved arena by mapping its file. Only the header is read, whatever the size. Mode `r`
   * is read-only. In mode `rw` the first change copies the arena to memory, and the file does not
   * change before the next `save`.
   */
  static open<K extends SmallKeyType = SmallKeyType, V extends SmallValueType = SmallValueType>(
    path: PathLike,
    options?: OpenOptions,
  ): SmallMapArena<K, V> {
    return openStructure(path, options, constructing<SmallMapArena<K, V>>(this, SmallMapArena));
  }

  /** Creates an arena from the bytes of one, which are copied. O(bytes). */
  static fromBytes<K extends SmallKeyType = SmallKeyType, V extends SmallValueType = SmallValueType>(
    bytes: Uint8Array,
  ): SmallMapArena<K, V> {
    return structureFromBytes(bytes, constructing<SmallMapArena<K, V>>(this, SmallMapArena));
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    return inspectIfOpen('SmallMapArena', this.#table.describeState(), options, () => {
      const { key, value, count, promotedCount, byteLength } = this.stats();
      const title = `SmallMapArena<${key}, ${value}>(${count})`;
      if (depth < 0) return options.stylize(`[${title}]`, 'special');
      return `${title} ${inspect({ promotedCount, byteLength }, options)}`;
    });
  }
}
