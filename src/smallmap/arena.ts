/**
 * SmallMapArena: millions of small maps of one key and one value type, in one region of bytes
 * outside the JavaScript heap that can be shared with workers, saved, and opened by mapping.
 * `docs/formats/smallmap.md` specifies the bytes; store.ts does the work.
 *
 * Cost: a map of two entries from `u32` to `f64` takes 32 bytes, one of eight 104, where a `Map`
 * takes 225 and 435. `get` and `set` look at no more than three cache lines for maps of up to 8
 * entries; larger ones are in a hash table that all share. The garbage collector sees one object,
 * however many maps there are.
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
import { Adopted, attachStructure, openStructure, OWNER, structureFromBytes } from '../region/structure.js';
import { type Token } from '../region/token.js';
import { readLong } from '../region/format.js';
import { Access, MISSING } from './bulk.js';
import { ArenaIterator, END, ENTRIES, KEYS, VALUES, type Walked, type Yield } from './iteration.js';
import { initialise, INLINE_CAPACITY, layoutOf, MAX_MAPS, newShape, WORD } from './layout.js';
import { SMALL_KEY_TYPES, SMALL_VALUE_TYPES, type SmallKeyType, type SmallValueType } from './schema.js';
import { smallMapOf, type SmallMap } from './smallmap.js';
import { PROMOTED, TWO_32 } from './store.js';

/** What an arena's maps hold, and where. */
export interface SmallMapArenaOptions<K extends SmallKeyType, V extends SmallValueType> {
  key: K;
  value: V;
  /** Maps to make room for, of four entries each: 1 to 2^30. The arena grows past it by itself. */
  capacity?: number;
  /** Advise the system to back the arena with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /** Keep the memory on this NUMA node. Default: wherever it is first written. */
  numaNode?: number;
  /**
   * 64 bits that key the hash functions. Default: random. Give it only to get the same bytes again.
   */
  seed?: bigint;
}

declare const idBrand: unique symbol;
/**
 * Names a map of an arena until it is released: directory entry + 2^32 × generation. The first maps
 * have ids 0, 1, 2, …
 */
export type SmallMapId = number & { readonly [idBrand]: 'SmallMap' };

/** Many ids: a Float64Array is fastest, and a Uint32Array where they fit. */
export type SmallMapIds = Float64Array | Uint32Array | Iterable<number> | ArrayLike<number>;
/** Keys or values for a bulk call: a typed array of the column's type is fastest. */
export type SmallItems<T extends SmallKeyType | SmallValueType> =
  Column<T> | Iterable<JsType<T>> | ArrayLike<JsType<T>>;
/** Where a bulk call puts values: a typed array of the column's type, or any array. */
export type SmallOutput<V extends SmallValueType> = Column<V> | JsType<V>[];

/** What {@link SmallMapArena.stats} tells. Sizes are in bytes. */
export interface SmallMapArenaStats {
  key: SmallKeyType;
  value: SmallValueType;
  /** Maps there are, and how many of them are promoted. */
  count: number;
  promotedCount: number;
  /** Maps that fit before the directory must grow. */
  capacity: number;
  /** Entries that slots can hold, and how many are in blocks that were handed out. */
  slotCapacity: number;
  slotsUsed: number;
  /**
   * Positions of the table for promoted maps, and how many are in use: one for each entry and each
   * map.
   */
  tableCapacity: number;
  tableUsed: number;
  strings: number;
  heapCapacity: number;
  heapUsed: number;
  /** How many times the region was rearranged. */
  rearrangements: number;
  byteLength: number;
  /** Where the bytes are: this thread's memory, another thread's, or a mapped file. */
  origin: 'heap' | 'attached' | 'file';
  shared: boolean;
}

const OPTIONS = ['key', 'value', 'capacity', 'hugePages', 'numaNode', 'seed'] as const;
const DEFAULT_CAPACITY = 16;
/** Header words and codes that hot code uses, as constants of this module: V8 folds those. */
const MAPS_USED = WORD.mapsUsed;
const DIRECT = OWNER;

/**
 * Many small maps.
 *
 * ```ts
 * const arena = new SmallMapArena({ key: 'u32', value: 'f64' });
 * const scores = arena.create();
 * arena.set(scores, 42, 9.5).get(scores, 42); // 9.5
 * ```
 *
 * Each map behaves as a `Map`: insertion order, changes while iterating, `NaN` equal to `NaN`, `-0`
 * to `0`. Up to {@link SmallMapArena.INLINE_CAPACITY} entries of a map stand side by side; with a
 * ninth it is promoted to a hash table that the arena's maps share, until it is cleared.
 * `arena.map(id)` gives the interface of `Map` to one of them.
 *
 * Errors, of every method: `ERR_OFFHEAP_STALE` for an id whose map was released, `ERR_OFFHEAP_TYPE`
 * or `ERR_OFFHEAP_RANGE` for a key or value that the schema does not hold, `ERR_OFFHEAP_CLOSED`
 * after `close()`, `ERR_OFFHEAP_UNSUPPORTED` for a change to an arena that is only read here,
 * `ERR_OFFHEAP_OOM` or `ERR_OFFHEAP_FULL` when it can not grow, `ERR_OFFHEAP_IO` when a mapped file
 * was truncated. A refused operation changes nothing.
 */
export class SmallMapArena<
  K extends SmallKeyType = SmallKeyType,
  V extends SmallValueType = SmallValueType,
> extends Access {
  /** How many entries a map can have before it is promoted. */
  static readonly INLINE_CAPACITY = INLINE_CAPACITY;

  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'SmallMapArena', configurable: true });
  }

  /** An arena without maps. */
  constructor(options: SmallMapArenaOptions<K, V>) {
    super(options instanceof Adopted ? options.region : create(options));
    if (options instanceof Adopted) this.settleIn(options);
    else this.own('the new arena');
  }

  declare readonly [Symbol.toStringTag]: string;

  // ---- maps

  /** How many maps there are. */
  get count(): number {
    this.beforeRead();
    return this.head[WORD.maps];
  }

  /** How many of them are promoted. */
  get promotedCount(): number {
    this.beforeRead();
    return this.head[WORD.promoted];
  }

  /** Makes an empty map; its id is good until {@link SmallMapArena.release}. */
  create(): SmallMapId {
    if (this.role !== DIRECT) this.beforeWrite();
    const { head } = this;
    if (head[WORD.freeMap] === 0 && head[MAPS_USED] === this.directory.length >>> 1)
      this.makeRoom(1, 0, 0, 0, 0);
    return this.makeMap() as SmallMapId;
  }

  /** Gives a map back: its entries are gone, and its id is stale. */
  release(id: SmallMapId): void {
    this.beforeWrite();
    const map = this.mapOf(id);
    const place = this.placeOf(map);
    this.epoch++;
    if ((place & 15) === PROMOTED) native().smallmapRelease(this.region.bytes, id);
    else this.dropMap(map, place);
  }

  /** Whether an id names a map. */
  isAlive(id: SmallMapId): boolean {
    return this.look(() => {
      if (typeof id !== 'number') return false;
      const map = id >>> 0;
      if (map >= this.entriesUsed()) return false;
      const generation = this.directory[map * 2 + 1];
      return generation >= 0 && generation * TWO_32 + map === id;
    });
  }

  /** How many entries a map has. */
  size(id: SmallMapId): number {
    if (this.role === DIRECT) return this.sizeOf(this.placeOf(this.mapOf(id)));
    return this.look(() => this.sizeOf(this.placeOf(this.mapOf(id))));
  }

  /**
   * Whether a map has, or had since it was last empty by {@link SmallMapArena.clear}, more than 8
   * entries.
   */
  promoted(id: SmallMapId): boolean {
    if (this.role === DIRECT) return (this.placeOf(this.mapOf(id)) & 15) === PROMOTED;
    return this.look(() => (this.placeOf(this.mapOf(id)) & 15) === PROMOTED);
  }

  /** Removes all entries of a map, and demotes it. */
  clear(id: SmallMapId): void {
    this.beforeWrite();
    const map = this.mapOf(id);
    const place = this.placeOf(map);
    this.epoch++;
    if ((place & 15) === PROMOTED) {
      native().smallmapClear(this.region.bytes, id);
    } else if (place !== 0) {
      this.publish(this.directory, map * 2, 0);
      this.dropSlot(place);
    }
    if (this.trail.walked) this.trail.cleared(map);
  }

  /**
   * The map with an id, with the interface of `Map`. The object is a view: the map lives until it
   * is released here.
   */
  map(id: SmallMapId): SmallMap<K, V> {
    if (this.role === DIRECT) this.mapOf(id);
    else this.look(() => this.mapOf(id));
    return smallMapOf(this, id);
  }

  // ---- entries

  /** The value of a key in a map, or `undefined`. */
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

  /** Gives a key of a map a value. Returns the arena. */
  set(id: SmallMapId, key: JsType<K>, value: JsType<V>): this {
    // Doubles (type 8) in plain stores; everything else has one call.
    if (this.plain && this.valueType === 8 && typeof value === 'number') {
      const entry = this.locate(id, key);
      if (entry >= 0) {
        this.valueColumn[entry] = value;
        return this;
      }
      if (entry === -1 && this.keyType !== 12) {
        const at = (id >>> 0) << 1;
        const place = this.directory[at];
        const count = place & 15;
        // Where one more entry fits the slot: after 1, 3, 5, 6 and 7.
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

  /** Removes a key of a map. Returns whether it was there. The order of the others stays. */
  delete(id: SmallMapId, key: JsType<K>): boolean {
    return this.remove(id, key);
  }

  // ---- iteration

  /** The keys of a map in insertion order, as `Map`'s iterators give them while it changes. */
  keys(id: SmallMapId): MapIterator<JsType<K>> {
    return this.iterate(id, KEYS) as MapIterator<JsType<K>>;
  }

  /** The values of a map in insertion order. */
  values(id: SmallMapId): MapIterator<JsType<V>> {
    return this.iterate(id, VALUES) as MapIterator<JsType<V>>;
  }

  /** The entries of a map in insertion order, each a fresh `[key, value]`. */
  entries(id: SmallMapId): MapIterator<[JsType<K>, JsType<V>]> {
    return this.iterate(id, ENTRIES) as MapIterator<[JsType<K>, JsType<V>]>;
  }

  /**
   * Calls `callback(value, key, id)` for each entry of a map in insertion order, those included
   * that it adds.
   */
  forEach(
    id: SmallMapId,
    callback: (value: JsType<V>, key: JsType<K>, id: SmallMapId) => void,
    thisArg?: unknown,
  ): void {
    if (typeof callback !== 'function') throw typeError(`${describe(callback)} is not a function`);
    for (const [key, value] of this.entries(id)) callback.call(thisArg, value, key, id);
  }

  private iterate(id: SmallMapId, what: Yield): unknown {
    if (this.role === DIRECT) this.mapOf(id);
    else this.look(() => this.mapOf(id));
    return new ArenaIterator(this as unknown as Walked, id, what);
  }

  /** The ids of all maps, in the order of the directory. */
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

  protected lostPlace(): Error {
    return offheapError(
      'ERR_OFFHEAP_STALE',
      'the owner of this arena deleted the entry that an iteration had reached',
    );
  }

  // ---- bulk

  /**
   * The values of many keys: `out[i]` is that of `keys[i]` in the map `ids[i]`, and stays as it was
   * where that key is missing (so in a new typed array it is 0). `out` must have room for all.
   * Returns `out`. About 10 to 25 ns a lookup where ids, keys and `out` are typed arrays, several
   * times faster than one by one. Throws `ERR_OFFHEAP_STALE` at the first stale id; part of `out`
   * may be written by then.
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
   * any of them is of a wrong type, or stale. Returns the arena.
   */
  setMany(ids: SmallMapIds, keys: SmallItems<K>, values: SmallItems<V>): this {
    this.beforeRead();
    this.writeMany(ids, keys, values);
    return this;
  }

  // ---- memory

  /**
   * Makes room for so many maps in all, of four entries each, so that growing to that many moves
   * nothing.
   */
  reserve(maps: number): this {
    const wanted = checkInteger(maps, 'maps', 0, MAX_MAPS);
    this.beforeWrite();
    const more = Math.max(0, wanted - this.head[WORD.maps]);
    if (more > 0) this.makeRoom(more, Math.ceil(more / 2), 0, 0, 0);
    return this;
  }

  /**
   * Gives back the memory that the maps do not need. A shared arena keeps its address space, and so
   * its bytes.
   */
  shrinkToFit(): this {
    this.beforeWrite();
    this.fit();
    return this;
  }

  /** Plain facts about the arena, for logs and dashboards. */
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
        rearrangements: (head[6] >>> 0) / 2,
        byteLength: this.region.buffer.byteLength,
        origin: this.region.origin,
        shared: this.region.shared || this.region.origin === 'attached',
      };
    });
  }

  /**
   * Proves the whole contents, beyond what opening checks: O(bytes). Throws `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    this.read(() => native().smallmapValidate(this.region.bytes));
  }

  // ---- sharing and saving

  /** An arena that another thread shared, to read from. O(1). */
  static attach<K extends SmallKeyType = SmallKeyType, V extends SmallValueType = SmallValueType>(
    token: Token,
  ): SmallMapArena<K, V> {
    return attachStructure(token, 'smallmap', make<K, V>);
  }

  /**
   * Opens a saved arena by mapping its file: nothing is read but the header, whatever the size.
   * Mode `r` is for reading; in mode `rw` the first change copies the arena to memory, and the file
   * changes with the next `save` only.
   */
  static open<K extends SmallKeyType = SmallKeyType, V extends SmallValueType = SmallValueType>(
    path: string,
    options?: OpenOptions,
  ): SmallMapArena<K, V> {
    return openStructure(path, options, make<K, V>);
  }

  /** An arena out of the bytes of one, which are copied. O(bytes). */
  static fromBytes<K extends SmallKeyType = SmallKeyType, V extends SmallValueType = SmallValueType>(
    bytes: Uint8Array,
  ): SmallMapArena<K, V> {
    return structureFromBytes(bytes, make<K, V>);
  }

  /**
   * An owner's bytes are copied as they are. Another thread's arena is copied map by map, each as
   * it was at one moment, because its owner goes on changing it.
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

function make<K extends SmallKeyType, V extends SmallValueType>(adopted: Adopted): SmallMapArena<K, V> {
  return new SmallMapArena<K, V>(adopted as never);
}

/** The region of a new arena. */
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
  initialise(region.head, shape, length, words);
  return region;
}
