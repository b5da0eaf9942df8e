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
import { inspect, type InspectOptionsStylized } from 'node:util';
import { offheapError, rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { TYPE, TYPE_NAMES, type Column, type JsType } from '../region/element.js';
import { type OpenOptions } from '../region/file.js';
import {
  booleanOption,
  checkInteger,
  choiceOption,
  describe,
  integerOption,
  readOptions,
} from '../region/options.js';
import { randomSeed, Region } from '../region/region.js';
import { attachStructure, openStructure, structureFromBytes } from '../region/face.js';
import { RegionSource, OWNER } from '../region/table.js';
import { type Token } from '../region/token.js';
import { readLong, WORD as COMMON } from '../region/format.js';
import { Access, MISSING } from './bulk.js';
import {
  ArenaIterator,
  END,
  ENTRIES,
  KEYS,
  VALUES,
  type IterationSource,
  type IterationKind,
} from './iteration.js';
import { initialize, INLINE_CAPACITY, layoutOf, MAX_MAPS, newShape, WORD } from './layout.js';
import { SMALL_KEY_TYPES, SMALL_VALUE_TYPES, type SmallKeyType, type SmallValueType } from './schema.js';
import { smallMapOf, type SmallMap } from './small-map.js';
import { PROMOTED, TWO_32 } from './store.js';

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

declare const idBrand: unique symbol;
/**
 * Identifies a map of an arena until the map is released: directory entry + 2^32 × generation. The
 * first maps have ids 0, 1, 2, …
 */
export type SmallMapId = number & { readonly [idBrand]: 'SmallMap' };

/** Many ids: a Float64Array is fastest, or a Uint32Array if all ids are below 2^32. */
export type SmallMapIds = Float64Array | Uint32Array | Iterable<number> | ArrayLike<number>;
/** Keys or values for a bulk call: a typed array of the column's type is fastest. */
export type SmallItems<T extends SmallKeyType | SmallValueType> =
  Column<T> | Iterable<JsType<T>> | ArrayLike<JsType<T>>;
/** The destination of a bulk call: a typed array of the column's type, or any array. */
export type SmallOutput<V extends SmallValueType> = Column<V> | JsType<V>[];

/** The result of {@link SmallMapArena.stats}. Sizes are in bytes. */
export interface SmallMapArenaStats {
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
  byteLength: number;
  /**
   * Where the bytes are stored: this thread's memory, another thread's memory, or a mapped file.
   */
  origin: 'heap' | 'attached' | 'file';
  shared: boolean;
}

const OPTIONS = ['key', 'value', 'capacity', 'hugePages', 'numaNode', 'seed'] as const;
const DEFAULT_CAPACITY = 16;
/** Header words and codes used by hot code are module constants, because V8 folds those. */
const MAPS_USED = WORD.mapsUsed;
const F64 = TYPE.f64;
const STRING = TYPE.string;

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
> extends Access {
  /** The number of entries that a map can have before it is promoted. */
  static readonly INLINE_CAPACITY = INLINE_CAPACITY;

  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'SmallMapArena', configurable: true });
  }

  /** Creates an arena without maps. */
  constructor(options: SmallMapArenaOptions<K, V>) {
    super(options instanceof RegionSource ? options.region : create(options));
    if (options instanceof RegionSource) this.initialize(options);
    else this.becomeOwner('the new arena');
  }

  declare readonly [Symbol.toStringTag]: string;

  // ---- maps

  /** The number of maps. */
  get count(): number {
    this.beforeRead();
    return this.head[WORD.maps];
  }

  /** The number of promoted maps. */
  get promotedCount(): number {
    this.beforeRead();
    return this.head[WORD.promoted];
  }

  /** Creates an empty map. Its id is valid until {@link SmallMapArena.release}. */
  create(): SmallMapId {
    if (this.role !== OWNER) this.beforeWrite();
    const { head } = this;
    if (head[WORD.freeMap] === 0 && head[MAPS_USED] === this.directory.length >>> 1)
      this.makeRoom(1, 0, 0, 0, 0);
    return this.makeMap() as SmallMapId;
  }

  /** Releases a map: its entries are removed, and its id becomes stale. */
  release(id: SmallMapId): void {
    this.beforeWrite();
    const map = this.mapOf(id);
    const place = this.placeOf(map);
    this.epoch++;
    if ((place & 15) === PROMOTED) native().smallmapArenaRelease(this.region.bytes, id);
    else this.dropMap(map, place);
  }

  /** Whether an id identifies a map that has not been released. */
  isAlive(id: SmallMapId): boolean {
    return this.look(() => {
      if (typeof id !== 'number') return false;
      const map = id >>> 0;
      if (map >= this.entriesUsed()) return false;
      const generation = this.directory[map * 2 + 1];
      return generation >= 0 && generation * TWO_32 + map === id;
    });
  }

  /** The number of entries of a map. */
  size(id: SmallMapId): number {
    if (this.role === OWNER) return this.sizeOf(this.placeOf(this.mapOf(id)));
    return this.look(() => this.sizeOf(this.placeOf(this.mapOf(id))));
  }

  /**
   * Whether a map is promoted: it has had more than 8 entries since it was created or last cleared.
   */
  promoted(id: SmallMapId): boolean {
    if (this.role === OWNER) return (this.placeOf(this.mapOf(id)) & 15) === PROMOTED;
    return this.look(() => (this.placeOf(this.mapOf(id)) & 15) === PROMOTED);
  }

  /** Removes all entries of a map and demotes it. */
  clear(id: SmallMapId): void {
    this.beforeWrite();
    const map = this.mapOf(id);
    const place = this.placeOf(map);
    this.epoch++;
    if ((place & 15) === PROMOTED) {
      native().smallmapArenaClear(this.region.bytes, id);
    } else if (place !== 0) {
      this.publish(this.directory, map * 2, 0);
      this.dropSlot(place);
    }
    if (this.changes.enabled) this.changes.cleared(map);
  }

  /**
   * The map with an id, as an object with the interface of `Map`. The object is a view: the arena
   * keeps the map until it is released with {@link SmallMapArena.release}.
   */
  map(id: SmallMapId): SmallMap<K, V> {
    if (this.role === OWNER) this.mapOf(id);
    else this.look(() => this.mapOf(id));
    return smallMapOf(this, id);
  }

  // ---- entries

  /** The value of a key in a map, or `undefined` if the key is missing. */
  get(id: SmallMapId, key: JsType<K>): JsType<V> | undefined {
    const entry = this.locate(id, key);
    if (entry >= 0) return this.slotValue(entry) as JsType<V>;
    if (entry === -1) return undefined;
    const value = this.lookUp(id, key);
    return value === MISSING ? undefined : (value as JsType<V>);
  }

  /** Whether a map has a key. */
  has(id: SmallMapId, key: JsType<K>): boolean {
    const entry = this.locate(id, key);
    if (entry !== -2) return entry >= 0;
    return this.lookUp(id, key) !== MISSING;
  }

  /** Sets the value of a key in a map. Returns the arena. */
  set(id: SmallMapId, key: JsType<K>, value: JsType<V>): this {
    // f64 values take plain stores here. Everything else takes one call.
    if (this.plain && this.valueType === F64 && typeof value === 'number') {
      const entry = this.locate(id, key);
      if (entry >= 0) {
        this.valueColumn[entry] = value;
        return this;
      }
      if (entry === -1 && this.keyType !== STRING) {
        const at = (id >>> 0) << 1;
        const place = this.directory[at];
        const count = place & 15;
        // One more entry fits the current slot if the count is 1, 3, 5, 6 or 7.
        if ((count & 1) !== 0 || count === 6) {
          const next = ((place >>> 4) << 1) + count;
          this.valueColumn[next] = value;
          this.keys32[next] = key as number;
          this.directory[at] = place + 1;
          return this;
        }
        this.low = (key as number) | 0;
        if (count < 8 && this.insertInline(at >>> 1, place, value)) return this;
      }
    }
    this.put(id, key, value);
    return this;
  }

  /**
   * Removes a key from a map. Returns whether the key was present. The order of the other entries
   * does not change.
   */
  delete(id: SmallMapId, key: JsType<K>): boolean {
    return this.remove(id, key);
  }

  // ---- iteration

  /**
   * The keys of a map in insertion order. The iterator follows changes to the map as those of `Map`
   * do.
   */
  keys(id: SmallMapId): MapIterator<JsType<K>> {
    return this.iterate(id, KEYS) as MapIterator<JsType<K>>;
  }

  /** The values of a map in insertion order. */
  values(id: SmallMapId): MapIterator<JsType<V>> {
    return this.iterate(id, VALUES) as MapIterator<JsType<V>>;
  }

  /** The entries of a map in insertion order, each as a new `[key, value]` array. */
  entries(id: SmallMapId): MapIterator<[JsType<K>, JsType<V>]> {
    return this.iterate(id, ENTRIES) as MapIterator<[JsType<K>, JsType<V>]>;
  }

  /**
   * Calls `callback(value, key, id)` for each entry of a map in insertion order, including entries
   * that the callback adds.
   */
  forEach(
    id: SmallMapId,
    callback: (value: JsType<V>, key: JsType<K>, id: SmallMapId) => void,
    thisArg?: unknown,
  ): void {
    if (typeof callback !== 'function') throw typeError(`${describe(callback)} is not a function`);
    for (const [key, value] of this.entries(id)) callback.call(thisArg, value, key, id);
  }

  private iterate(id: SmallMapId, what: IterationKind): unknown {
    if (this.role === OWNER) this.mapOf(id);
    else this.look(() => this.mapOf(id));
    return new ArenaIterator(this as unknown as IterationSource, id, what);
  }

  /** The ids of all maps, in directory order. */
  *ids(): Generator<SmallMapId, undefined, undefined> {
    for (let map = 0; ; map++) {
      const id = this.look(() => {
        const used = this.entriesUsed();
        for (; map < used; map++) {
          const generation = this.directory[map * 2 + 1];
          if (generation >= 0) return generation * TWO_32 + map;
        }
        return END;
      });
      if (id === END) return undefined;
      yield id as SmallMapId;
    }
  }

  protected lostPosition(): Error {
    return offheapError(
      'ERR_OFFHEAP_STALE',
      'the owner of this arena deleted the last entry that the iteration returned',
    );
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
    this.beforeRead();
    return this.readMany(ids, keys, out);
  }

  /**
   * Sets `keys[i]` to `values[i]` in the map `ids[i]`, for all i, in order. Nothing is changed if
   * any id is stale or any key or value has the wrong type. Returns the arena.
   */
  setMany(ids: SmallMapIds, keys: SmallItems<K>, values: SmallItems<V>): this {
    this.beforeRead();
    this.writeMany(ids, keys, values);
    return this;
  }

  // ---- memory

  /**
   * Reserves room for `maps` maps in total, with four entries each, so that growing to that number
   * moves nothing.
   */
  reserve(maps: number): this {
    const wanted = checkInteger(maps, 'maps', 0, MAX_MAPS);
    this.beforeWrite();
    const more = Math.max(0, wanted - this.head[WORD.maps]);
    if (more > 0) this.makeRoom(more, Math.ceil(more / 2), 0, 0, 0);
    return this;
  }

  /**
   * Releases the memory that the maps do not need. A shared arena keeps its address space and
   * therefore its bytes.
   */
  shrinkToFit(): this {
    this.beforeWrite();
    this.fit();
    return this;
  }

  /** Counts and sizes, for logs and dashboards. */
  stats(): SmallMapArenaStats {
    return this.look(() => {
      const { head } = this;
      return {
        key: TYPE_NAMES[this.keyType] as SmallKeyType,
        value: TYPE_NAMES[this.valueType] as SmallValueType,
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
        byteLength: this.region.buffer.byteLength,
        origin: this.region.origin,
        shared: this.region.shared || this.region.origin === 'attached',
      };
    });
  }

  /**
   * Verifies the entire contents, which opening does not. O(bytes). Throws `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    this.read(() => native().smallmapArenaValidate(this.region.bytes));
  }

  // ---- sharing and saving

  /** Attaches to an arena that another thread shared, for reading. O(1). */
  static attach<K extends SmallKeyType = SmallKeyType, V extends SmallValueType = SmallValueType>(
    token: Token,
  ): SmallMapArena<K, V> {
    return attachStructure(token, 'smallmap', make<K, V>);
  }

  /**
   * Opens a saved arena by mapping its file. Only the header is read, whatever the size. Mode `r`
   * is read-only. In mode `rw` the first change copies the arena to memory, and the file does not
   * change before the next `save`.
   */
  static open<K extends SmallKeyType = SmallKeyType, V extends SmallValueType = SmallValueType>(
    path: string,
    options?: OpenOptions,
  ): SmallMapArena<K, V> {
    return openStructure(path, options, make<K, V>);
  }

  /** Creates an arena from the bytes of one, which are copied. O(bytes). */
  static fromBytes<K extends SmallKeyType = SmallKeyType, V extends SmallValueType = SmallValueType>(
    bytes: Uint8Array,
  ): SmallMapArena<K, V> {
    return structureFromBytes(bytes, make<K, V>);
  }

  /**
   * An owner's bytes are copied unchanged. Another thread's arena is copied map by map, each as it
   * was at one moment, because its owner may be changing it.
   */
  protected override copyRegion(): Uint8Array {
    if (this.region.origin !== 'attached') return super.copyRegion();
    const key = TYPE_NAMES[this.keyType] as K;
    const value = TYPE_NAMES[this.valueType] as V;
    const copy = new SmallMapArena<K, V>({ key, value });
    try {
      const free: { map: number; generation: number }[] = [];
      const used = (): number => this.look(() => this.entriesUsed());
      for (let map = 0; map < used(); map++) {
        const { generation, entries } = this.look(() => this.contentsOf(map));
        const id = copy.create();
        if (entries === undefined) free.push({ map, generation });
        else copy.renumber(map, generation);
        const name = entries === undefined ? id : generation * TWO_32 + map;
        for (const [k, v] of entries ?? []) copy.put(name, k, v);
      }
      for (const { map, generation } of free.reverse()) copy.retire(map, generation);
      return copy.copyRegion();
    } finally {
      copy.close();
    }
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    const state = this.describeState();
    if (state !== 'open') return `${options.stylize('SmallMapArena', 'special')} { ${state} }`;
    const { key, value, count, promotedCount, byteLength } = this.stats();
    const title = `SmallMapArena<${key}, ${value}>(${count})`;
    if (depth < 0) return options.stylize(`[${title}]`, 'special');
    return `${title} ${inspect({ promotedCount, byteLength }, options)}`;
  }
}

function make<K extends SmallKeyType, V extends SmallValueType>(adopted: RegionSource): SmallMapArena<K, V> {
  return new SmallMapArena<K, V>(adopted as never);
}

/** Allocates and initializes the region of a new arena. */
function create(options: unknown): Region {
  const read = readOptions(options, OPTIONS, 'SmallMapArena');
  const key = TYPE[choiceOption(read, 'key', SMALL_KEY_TYPES)];
  const value = TYPE[choiceOption(read, 'value', SMALL_VALUE_TYPES)];
  const capacity = integerOption(read, 'capacity', 1, MAX_MAPS, DEFAULT_CAPACITY);
  const placement = {
    hugePages: booleanOption(read, 'hugePages', undefined),
    numaNode: integerOption(read, 'numaNode', 0, 1023, undefined),
  };
  const { seed } = read;
  if (seed !== undefined && (typeof seed !== 'bigint' || BigInt.asUintN(64, seed) !== seed)) {
    const message = `seed must be a bigint from 0 to 2^64 - 1, not ${describe(seed)}`;
    throw typeof seed === 'bigint' ? rangeError(message) : typeError(message);
  }
  const shape = newShape(key, value, capacity);
  const { length } = layoutOf(shape);
  const region = Region.allocate(length, placement);
  const words: [number, number] =
    seed === undefined
      ? randomSeed()
      : [Number(BigInt.asIntN(32, seed)), Number(BigInt.asIntN(32, seed >> 32n))];
  initialize(region.head, shape, length, words);
  return region;
}
