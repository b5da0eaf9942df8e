/**
 * HashMap: a `Map` whose entries are stored outside the JavaScript heap, in one region of bytes
 * that can be shared with workers, saved, and opened by mapping the file. `docs/formats/hashmap.md`
 * specifies the bytes.
 *
 * This class has the public operations. Its {@link HashMapTable} finds and changes single entries;
 * `entries.ts` inserts, `growth.ts` rebuilds, `bulk.ts` has the bulk operations, `iteration.ts` the
 * iterators, and `handles.ts` the handles.
 *
 * Cost: `get`, `has`, `set`, `delete`: O(1), two or three cache misses in a large map; growth is
 * amortized and pauses for about 5 ns an entry. Bulk calls cross into Rust once and prefetch. The
 * garbage collector sees one object, however many entries there are.
 */
import type { PathLike } from 'node:fs';
import { inspect, type InspectOptionsStylized } from 'node:util';
import { offheapError } from '../errors.js';
import { native } from '../native.js';
import { isNumeric, TYPE, TYPE_NAMES, type Column, type JsType } from '../region/element.js';
import {
  setIterator,
  attachStructure,
  constructing,
  inspectEntries,
  inspectIfOpen,
  openStructure,
  PLACEMENT_OPTIONS,
  placementOptions,
  regionStats,
  setTag,
  structureFromBytes,
  type RegionStats,
} from '../region/face.js';
import type { OpenOptions } from '../region/file.js';
import { readLong } from '../region/format.js';
import { ENTRIES } from '../region/iteration.js';
import {
  addEntries,
  checkFunction,
  getOrInsert,
  getOrInsertComputed,
  seedOption,
  update,
} from '../region/map-like.js';
import { checkInteger, choiceOption, integerOption, readOptions } from '../region/options.js';
import { Region } from '../region/region.js';
import { Structure } from '../region/structure.js';
import { OWNER, RegionSource } from '../region/table.js';
import type { Token } from '../region/token.js';
import type { AnyTypedArray } from '../region/typed-array.js';
import * as bulk from './bulk.js';
import * as entries from './entries.js';
import { clear, rebuild } from './growth.js';
import { handleOf, positionOf } from './handles.js';
import { cursorOf, END, EntryIterator, KeyIterator, stepSlow, ValueIterator } from './iteration.js';
import { initialize, layoutOf, MAX_CAPACITY, newShape, WORD } from './layout.js';
import { KEY_TYPES, VALUE_TYPES, type KeyType, type ValueType } from './schema.js';
import { tableStats, type TableStats } from './stats.js';
import { HashMapTable, LOCATED } from './table.js';
import { encodeValue } from './values.js';

/** The types of a HashMap, and where its memory is. */
export interface HashMapOptions<K extends KeyType, V extends ValueType> {
  key: K;
  value: V;
  /** Entries to make room for, 1 to 1,369,020,825. The map grows beyond it by itself. */
  capacity?: number;
  /** Ask the system to back the map with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /** Keep the memory on this NUMA node. Default: the node that first writes to it. */
  numaNode?: number;
  /**
   * 64 bits that key the hash function. Default: random. Set it only to get the same bytes again:
   * an attacker who knows the seed can choose keys that collide.
   */
  seed?: bigint;
}

declare const handleBrand: unique symbol;
/**
 * Names an entry until it is deleted; growth, and the deletion of other entries, do not affect it.
 * Its value is slot + 2^32 × generation. Access by handle needs neither hashing nor comparing.
 */
export type Handle = number & { readonly [handleBrand]: 'HashMap' };

/** The result of {@link HashMap.stats}. Sizes are in bytes. */
export interface HashMapStats extends TableStats, RegionStats {
  key: KeyType;
  value: ValueType;
}

/** Keys or values for a bulk call: a typed array of the column's type is fastest. */
export type Items<T extends KeyType | ValueType> = Column<T> | Iterable<JsType<T>> | ArrayLike<JsType<T>>;
/** The target of a bulk read: a typed array of the column's type, or any array. */
export type Output<V extends ValueType> = Column<V> | JsType<V>[];

/**
 * Constants and functions of hot code, as constants of this module: V8 folds those, but loads an
 * imported one at each use.
 */
const WORD_USED = WORD.used;
const WORD_DEAD = WORD.dead;
const F64 = TYPE.f64;
const OWNED = OWNER;
const ABSENT = LOCATED.absent;
const UNDECIDED = LOCATED.undecided;
const { put, remove } = entries;

const OPTIONS = ['key', 'value', 'capacity', ...PLACEMENT_OPTIONS, 'seed'] as const;

/**
 * A `Map` outside the JavaScript heap, for keys and values of fixed types.
 *
 * ```ts
 * const prices = new HashMap({ key: 'u32', value: 'f64' });
 * prices.set(42, 9.99).get(42); // 9.99
 * ```
 *
 * Everything that `Map` has works in the same way: insertion order, changes during an iteration,
 * `NaN` equal to `NaN`, `-0` equal to `0`. In addition a HashMap holds more than 2^24 entries, has
 * handles and bulk operations, is read by other workers without a copy ({@link HashMap.share}), and
 * is saved and opened without parsing ({@link HashMap.save}, {@link HashMap.open}).
 *
 * Errors, of every method: `ERR_OFFHEAP_TYPE` or `ERR_OFFHEAP_RANGE` for a key or value that is not
 * of the map's types, `ERR_OFFHEAP_CLOSED` after `close()`, `ERR_OFFHEAP_UNSUPPORTED` for a change
 * to a map that can only be read here, `ERR_OFFHEAP_OOM` or `ERR_OFFHEAP_FULL` when it cannot grow,
 * `ERR_OFFHEAP_IO` when a mapped file was truncated. An operation that throws changes nothing.
 */
export class HashMap<K extends KeyType = KeyType, V extends ValueType = ValueType>
  extends Structure<'hashmap'>
  implements Map<JsType<K>, JsType<V>>
{
  readonly #table: HashMapTable;

  static {
    setTag(this.prototype, 'HashMap');
    setIterator(this.prototype, 'entries');
  }

  /** An empty map, or one with the entries of `iterable`. */
  constructor(options: HashMapOptions<K, V>, iterable?: Iterable<readonly [JsType<K>, JsType<V>]> | null);
  /** @internal */
  constructor(source: RegionSource);
  constructor(
    options: HashMapOptions<K, V> | RegionSource,
    iterable?: Iterable<readonly [JsType<K>, JsType<V>]> | null,
  ) {
    const existing = options instanceof RegionSource;
    const table = new HashMapTable(existing ? options.region : create(options));
    super(table);
    this.#table = table;
    if (existing) {
      table.initialize(options);
    } else {
      table.becomeOwner('the new map');
      addEntries(this, iterable);
    }
  }

  // ---- Map

  /** The number of entries. */
  get size(): number {
    const table = this.#table;
    if (table.role === OWNED) return table.head[WORD_USED] - table.head[WORD_DEAD];
    return table.read(() => table.count());
  }

  /** The value of a key, or `undefined`. */
  get(key: JsType<K>): JsType<V> | undefined {
    const table = this.#table;
    const position = table.locate(key);
    if (position >= 0) {
      const { directType } = table;
      if (directType !== 0) return table.valueAs(directType, position) as JsType<V>;
      const value = table.valueAt(position) as JsType<V>;
      if (position < table.head[WORD_USED] && table.readIsValid()) return value;
    } else if (position === ABSENT && (table.role === OWNED || table.readIsValid())) {
      return undefined;
    }
    return table.getSlow(key) as JsType<V> | undefined;
  }

  /** Whether a key exists. */
  has(key: JsType<K>): boolean {
    const table = this.#table;
    const position = table.locate(key);
    if (position !== UNDECIDED && table.role === OWNED) return position >= 0;
    return table.hasSlow(key);
  }

  /** Inserts an entry, or replaces the value of an existing one. Returns the map. */
  set(key: JsType<K>, value: JsType<V>): this {
    const table = this.#table;
    const located = table.locate(key);
    // Doubles under 4-byte keys are plain stores. Everything else is one call, so that V8 need not
    // box key and value before it knows which of the two it will be.
    if (located !== UNDECIDED && table.directType === F64 && typeof value === 'number') {
      if (located >= 0) {
        table.valueColumn[located] = value;
        return this;
      }
      const position = table.head[WORD_USED];
      if (position < table.plainCapacity) {
        table.keyWords[position] = key as number;
        table.valueColumn[position] = value;
        table.indexInsert(table.hash, position);
        table.head[WORD_USED] = position + 1;
        return this;
      }
    }
    put(table, key, value);
    return this;
  }

  /** Removes an entry. Returns whether it existed. Handles of other entries remain valid. */
  delete(key: JsType<K>): boolean {
    const table = this.#table;
    table.beforeWrite();
    const position = table.find(key);
    if (position < 0) return false;
    remove(table, position);
    return true;
  }

  /** Removes all entries; keeps the memory (see {@link HashMap.shrinkToFit}). */
  clear(): void {
    this.#table.beforeWrite();
    clear(this.#table);
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
    const table = this.#table;
    checkFunction(callback);
    table.beforeRead();
    const cursor = cursorOf(table);
    for (;;) {
      while (table.advanceToLive(cursor)) {
        const { position } = cursor;
        cursor.position = position + 1;
        callback.call(
          thisArg,
          table.valueAt(position) as JsType<V>,
          table.keyAt(position) as JsType<K>,
          this,
        );
      }
      const entry = stepSlow(table, cursor, ENTRIES) as [JsType<K>, JsType<V>] | typeof END;
      if (entry === END) return;
      callback.call(thisArg, entry[1], entry[0], this);
    }
  }

  /** The keys in insertion order. */
  keys(): MapIterator<JsType<K>> {
    return new KeyIterator(this.#table) as unknown as MapIterator<JsType<K>>;
  }

  /** The values in insertion order. */
  values(): MapIterator<JsType<V>> {
    return new ValueIterator(this.#table) as unknown as MapIterator<JsType<V>>;
  }

  /** The entries in insertion order, each as a new `[key, value]`. */
  entries(): MapIterator<[JsType<K>, JsType<V>]> {
    return new EntryIterator(this.#table) as unknown as MapIterator<[JsType<K>, JsType<V>]>;
  }

  declare readonly [Symbol.iterator]: () => MapIterator<[JsType<K>, JsType<V>]>;

  // On the prototype, as in `Map`: see the static block.
  declare readonly [Symbol.toStringTag]: string;

  // ---- beyond Map

  /** The value of a key; if the key is missing, `value` is inserted first. */
  getOrInsert(key: JsType<K>, value: JsType<V>): JsType<V> {
    encodeValue(this.#table, value);
    return getOrInsert<JsType<K>, JsType<V>>(HashMap.prototype, this, key, value);
  }

  /** The value of a key; if the key is missing, `compute(key)` is inserted first. */
  getOrInsertComputed(key: JsType<K>, compute: (key: JsType<K>) => JsType<V>): JsType<V> {
    return getOrInsertComputed<JsType<K>, JsType<V>>(HashMap.prototype, this, key, compute);
  }

  /**
   * Sets a key to `change(value, key)`, where `value` is its present value, or `undefined`. Returns
   * the new value. `map.update(word, (n = 0) => n + 1)` counts words.
   */
  update(key: JsType<K>, change: (value: JsType<V> | undefined, key: JsType<K>) => JsType<V>): JsType<V> {
    return update<JsType<K>, JsType<V>>(HashMap.prototype, this, key, change);
  }

  // ---- handles

  /** A handle of the entry of a key, or `undefined` if the key is missing. */
  handleOf(key: JsType<K>): Handle | undefined {
    return handleOf(this.#table, key) as Handle | undefined;
  }

  /** The value of the entry that a handle names; `undefined` for a stale handle. */
  getByHandle(handle: Handle): JsType<V> | undefined {
    const table = this.#table;
    if (typeof handle === 'number' && table.head[WORD_DEAD] === 0) {
      // A direct handle in a map without deleted entries is a position. `handleBase` is NaN if
      // handles are not direct, or the map may not be read directly; then no comparison is true.
      const position = handle - table.handleBase;
      if (position >= 0 && position < table.head[WORD_USED] && position >>> 0 === position) {
        return table.valueAt(position) as JsType<V>;
      }
    }
    return getByHandleSlow(table, handle) as JsType<V> | undefined;
  }

  /**
   * Replaces the value of the entry that a handle names. Throws `ERR_OFFHEAP_STALE` if the entry
   * was deleted. Returns the map.
   */
  setByHandle(handle: Handle, value: JsType<V>): this {
    if (!entries.putByHandle(this.#table, handle, value)) {
      throw offheapError('ERR_OFFHEAP_STALE', `the entry of handle ${String(handle)} was deleted`);
    }
    return this;
  }

  /** The key of the entry that a handle names; `undefined` for a stale handle. */
  keyByHandle(handle: Handle): JsType<K> | undefined {
    const table = this.#table;
    return table.read(() => {
      const position = positionOf(table, handle);
      return position < 0 ? undefined : (table.keyAt(position) as JsType<K>);
    });
  }

  /** Whether the entry that a handle names still exists. */
  hasHandle(handle: Handle): boolean {
    const table = this.#table;
    return table.read(() => positionOf(table, handle) >= 0);
  }

  // ---- bulk

  /**
   * The values of many keys: `out[i]` is the value of `keys[i]`, and is not changed if that key is
   * missing (so it is 0 in a new typed array). `out` must have room for all values. Returns `out`.
   * About 5 to 20 ns a key if keys and values are numbers, and `keys` and `out` are typed arrays of
   * their types.
   */
  getMany(keys: Items<K>): Column<V> extends never ? (JsType<V> | undefined)[] : Column<V>;
  getMany<O extends Output<V>>(keys: Items<K>, out: O): O;
  getMany(keys: Items<K>, out?: unknown): unknown {
    return bulk.getMany(this.#table, keys, out, undefined);
  }

  /**
   * As {@link HashMap.getMany}; returns 1 for each key that exists and 0 for each that is missing.
   */
  getManyFound(keys: Items<K>, out: Output<V>): Uint8Array {
    return bulk.getManyFound(this.#table, keys, out);
  }

  /** 1 for each key that exists, 0 for each that is missing. */
  hasMany(keys: Items<K>): Uint8Array {
    return bulk.hasMany(this.#table, keys);
  }

  /**
   * Sets `keys[i]` to `values[i]` for all i, in order. Nothing is changed if any of them has a
   * wrong type.
   */
  setMany(keys: Items<K>, values: Items<V>): this {
    bulk.setMany(this.#table, keys, values);
    return this;
  }

  /** Deletes many keys. Returns how many of them existed. */
  deleteMany(keys: Items<K>): number {
    return bulk.deleteMany(this.#table, keys);
  }

  /** Handles of many keys; −1, which is never a handle, for each that is missing. */
  handlesOf(keys: Items<K>): Float64Array {
    return bulk.handlesOf(this.#table, keys);
  }

  /**
   * The values of many handles; `out[i]` is not changed if that handle is stale. Returns `out`.
   */
  getManyByHandle(
    handles: Float64Array | Iterable<number> | ArrayLike<number>,
  ): Column<V> extends never ? (JsType<V> | undefined)[] : Column<V>;
  getManyByHandle<O extends Output<V>>(
    handles: Float64Array | Iterable<number> | ArrayLike<number>,
    out: O,
  ): O;
  getManyByHandle(handles: unknown, out?: unknown): unknown {
    return bulk.getManyByHandle(this.#table, handles, out);
  }

  /**
   * Keys and values as typed arrays over the map's own memory, in insertion order, without a copy.
   * Deleted entries are removed first (a map that can only be read here returns copies then). The
   * arrays show the map until it next grows or compacts (one opened with mode `rw`: until its first
   * change); keep the map rather than the arrays, and do not write to the keys. Both types must be
   * numeric.
   */
  columns(): { keys: Column<K>; values: Column<V> } {
    const table = this.#table;
    const { keyType, valueType } = table;
    if (!isNumeric(keyType) || !(isNumeric(valueType) || valueType === TYPE.bool)) {
      table.beforeRead();
      throw offheapError(
        'ERR_OFFHEAP_UNSUPPORTED',
        `columns are of numbers; this map has ${TYPE_NAMES[keyType]} keys and ${TYPE_NAMES[valueType]} values`,
      );
    }
    if (table.role === OWNED && table.head[WORD.dead] !== 0) rebuild(table, table.capacity, 0);
    table.region.exposed = true;
    return table.read(() => {
      const used = table.usedNow();
      const live = (column: AnyTypedArray): AnyTypedArray =>
        table.head[WORD.dead] === 0
          ? column.subarray(0, used)
          : column.slice(0, used).filter((_: unknown, at: number) => !table.isDead(at));
      return { keys: live(table.keyColumn) as Column<K>, values: live(table.valueColumn) as Column<V> };
    });
  }

  // ---- memory

  /** Makes room for `entries` entries in total, so that growth up to that number moves nothing. */
  reserve(entries: number): this {
    const table = this.#table;
    const wanted = checkInteger(entries, 'entries', 0, MAX_CAPACITY);
    table.beforeWrite();
    if (wanted > table.capacity) rebuild(table, wanted, table.heapWords.length * 4);
    return this;
  }

  /**
   * Releases the memory that the entries do not need. A shared map keeps its address space, and so
   * its bytes.
   */
  shrinkToFit(): this {
    const table = this.#table;
    table.beforeWrite();
    rebuild(table, Math.max(1, table.count()), 0);
    table.region.shrink(readLong(table.head, WORD.lengthLow));
    table.rebindViews();
    return this;
  }

  /** Plain facts about the map, for logs and dashboards. */
  stats(): HashMapStats {
    const table = this.#table;
    return table.read(() => ({
      key: TYPE_NAMES[table.keyType] as KeyType,
      value: TYPE_NAMES[table.valueType]!,
      ...tableStats(table),
      ...regionStats(table.region),
    }));
  }

  /**
   * Checks the complete contents, beyond the checks of opening: O(bytes). Throws
   * `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    const table = this.#table;
    table.read(() => native().hashmapValidate(table.region.bytes));
  }

  // ---- sharing and saving

  /** A map that another thread shared, to read from. O(1). */
  static attach<K extends KeyType = KeyType, V extends ValueType = ValueType>(token: Token): HashMap<K, V> {
    return attachStructure(token, 'hashmap', constructing<HashMap<K, V>>(this, HashMap));
  }

  /**
   * Opens a saved map by mapping its file: only the header is read, whatever the size. Mode `r` is
   * for reading; in mode `rw` the first change copies the map to memory, and the file changes only
   * with the next `save`.
   */
  static open<K extends KeyType = KeyType, V extends ValueType = ValueType>(
    path: PathLike,
    options?: OpenOptions,
  ): HashMap<K, V> {
    return openStructure(path, options, constructing<HashMap<K, V>>(this, HashMap));
  }

  /** A map from a copy of the bytes that {@link HashMap.toBytes} returned. O(bytes). */
  static fromBytes<K extends KeyType = KeyType, V extends ValueType = ValueType>(
    bytes: Uint8Array,
  ): HashMap<K, V> {
    return structureFromBytes(bytes, constructing<HashMap<K, V>>(this, HashMap));
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    return inspectIfOpen('HashMap', this.#table.describeState(), options, () => {
      const { key, value, size } = this.stats();
      return inspectEntries(`HashMap<${key}, ${value}>(${size})`, this.entries(), size, depth, options);
    });
  }
}

function getByHandleSlow(table: HashMapTable, handle: unknown): unknown {
  return table.read(() => {
    const position = positionOf(table, handle);
    return position < 0 ? undefined : table.valueAt(position);
  });
}

/** The region of a new, empty map. */
function create(options: unknown): Region {
  const read = readOptions(options, OPTIONS, 'HashMap');
  const key = TYPE[choiceOption(read, 'key', KEY_TYPES)];
  const value = TYPE[choiceOption(read, 'value', VALUE_TYPES)];
  const capacity = integerOption(read, 'capacity', 1, MAX_CAPACITY, 12);
  const placement = placementOptions(read);
  const seed = seedOption(read);
  const shape = newShape(key, value, capacity);
  const { length } = layoutOf(shape);
  const region = Region.allocate(length, placement);
  initialize(region.head, shape, length, seed);
  return region;
}
