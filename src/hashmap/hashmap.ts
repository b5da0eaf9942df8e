/**
 * HashMap: a `Map` whose entries live outside the JavaScript heap, in one region of bytes that can
 * be shared with workers, saved, and opened by mapping. `docs/formats/hashmap.md` specifies the
 * bytes; table.ts does the work.
 *
 * Cost: `get`, `has`, `set`, `delete`: O(1), two or three cache misses in a large map; growth is
 * amortised and pauses for about 5 ns an entry. Bulk calls cross into Rust once and prefetch. The
 * garbage collector sees one object, however many entries there are.
 */
import { inspect, type InspectOptionsStylized } from 'node:util';
import { offheapError, rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { toArray } from '../region/arguments.js';
import { intrinsicLength } from '../region/typed-array.js';
import { isNumeric, TYPE, TYPE_NAMES, type Column, type JsType } from '../region/element.js';
import type { AnyTypedArray } from '../region/typed-array.js';
import { type OpenOptions } from '../region/file.js';
import { readLong } from '../region/format.js';
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
import { type TableStats } from './access.js';
import { BulkAccess } from './bulk.js';
import {
  END,
  ENTRIES,
  EntryIterator,
  KeyIterator,
  KEYS,
  ValueIterator,
  VALUES,
  type Cursor,
  type Moves,
  type Walked,
  type Yield,
} from './iteration.js';
import { initialise, layoutOf, MAX_CAPACITY, newShape, WORD } from './layout.js';
import { KEY_TYPES, VALUE_TYPES, type KeyType, type ValueType } from './schema.js';

/** What a HashMap holds, and where. */
export interface HashMapOptions<K extends KeyType, V extends ValueType> {
  key: K;
  value: V;
  /** Entries to make room for, 1 to 1,369,020,825. The map grows past it by itself. */
  capacity?: number;
  /** Advise the system to back the map with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /** Keep the memory on this NUMA node. Default: wherever it is first written. */
  numaNode?: number;
  /**
   * 64 bits that key the hash function. Default: random. Give it only to get the same bytes again;
   * whoever knows it can choose keys that collide.
   */
  seed?: bigint;
}

declare const handleBrand: unique symbol;
/**
 * Names an entry for as long as it lives, through growth and other entries' deletion: slot + 2^32 ×
 * generation. Getting a value by handle skips hashing and comparing.
 */
export type Handle = number & { readonly [handleBrand]: 'HashMap' };

/** What {@link HashMap.stats} tells. Sizes are in bytes. */
export interface HashMapStats extends TableStats {
  key: KeyType;
  value: ValueType;
  byteLength: number;
  /** Where the bytes are: this thread's memory, another thread's, or a mapped file. */
  origin: 'heap' | 'attached' | 'file';
  shared: boolean;
}

/** Keys or values for a bulk call: a typed array of the column's type is fastest. */
export type Items<T extends KeyType | ValueType> = Column<T> | Iterable<JsType<T>> | ArrayLike<JsType<T>>;
/** Where a bulk call puts values: a typed array of the column's type, or any array. */
export type Output<V extends ValueType> = Column<V> | JsType<V>[];

/** Header words that hot code reads, as constants of this module. */
const WORD_USED = WORD.used;
const WORD_DEAD = WORD.dead;
/** The role that needs no check after a read. */
const DIRECT = OWNER;

const OPTIONS = ['key', 'value', 'capacity', 'hugePages', 'numaNode', 'seed'] as const;

/**
 * A `Map` outside the JavaScript heap, for keys and values of fixed types.
 *
 * ```ts
 * const prices = new HashMap({ key: 'u32', value: 'f64' });
 * prices.set(42, 9.99).get(42); // 9.99
 * ```
 *
 * All of `Map` works as there: insertion order, changes while iterating, `NaN` equal to `NaN`, `-0`
 * to `0`. It also holds more than 2^24 entries, gives handles, does bulk calls, is read by other
 * workers without a copy ({@link HashMap.share}), and is saved and opened without parsing ({@link
 * HashMap.save}, {@link HashMap.open}).
 *
 * Errors, of every method: `ERR_OFFHEAP_TYPE` or `ERR_OFFHEAP_RANGE` for a key or value that the
 * schema does not hold, `ERR_OFFHEAP_CLOSED` after `close()`, `ERR_OFFHEAP_UNSUPPORTED` for a
 * change to a map that is only read here, `ERR_OFFHEAP_OOM` or `ERR_OFFHEAP_FULL` when it can not
 * grow, `ERR_OFFHEAP_IO` when a mapped file was truncated. A refused operation changes nothing.
 */
export class HashMap<K extends KeyType = KeyType, V extends ValueType = ValueType>
  extends BulkAccess
  implements Map<JsType<K>, JsType<V>>
{
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'HashMap', configurable: true });
  }

  /** An empty map, or one with the entries of `iterable`. */
  constructor(options: HashMapOptions<K, V>, iterable?: Iterable<readonly [JsType<K>, JsType<V>]> | null) {
    super(options instanceof RegionSource ? options.region : create(options));
    if (options instanceof RegionSource) {
      this.initialize(options);
      if (this.valueType === TYPE.any) {
        throw offheapError(
          'ERR_OFFHEAP_UNSUPPORTED',
          `${options.what}: values of type any exist in one thread only`,
        );
      }
      return;
    }
    this.becomeOwner('the new map');
    if (iterable === undefined || iterable === null) return;
    for (const entry of iterable) {
      if (typeof entry !== 'object' || entry === null) {
        throw typeError(`an iterable of entries has ${describe(entry)} where [key, value] should be`);
      }
      this.put(entry[0], entry[1]);
    }
  }

  // ---- Map

  /** How many entries there are. */
  get size(): number {
    if (this.role === OWNER) return this.head[WORD.used] - this.head[WORD.dead];
    return this.read(() => this.count());
  }

  /** The value of a key, or `undefined`. */
  get(key: JsType<K>): JsType<V> | undefined {
    const position = this.locate(key);
    if (position >= 0) {
      const value = this.valueAt(position) as JsType<V>;
      if (this.role === DIRECT || (position < this.head[WORD_USED] && this.readIsValid())) return value;
    } else if (position === -1 && (this.role === DIRECT || this.readIsValid())) {
      return undefined;
    }
    return this.getElsewhere(key) as JsType<V> | undefined;
  }

  private getElsewhere(key: unknown): unknown {
    if (this.role === OWNER) {
      const position = this.find(key);
      return position < 0 ? undefined : this.valueAt(position);
    }
    try {
      const position = this.find(key);
      const value = position < 0 || position >= this.head[WORD_USED] ? undefined : this.valueAt(position);
      if (this.readIsValid()) return value;
    } catch {
      // Looked up again below: an error that came of a lost race does not come twice.
    }
    const value = this.lookUp(key);
    return value === MISSING ? undefined : value;
  }

  /** Whether a key is there. */
  has(key: JsType<K>): boolean {
    const position = this.locate(key);
    if (position !== -2 && this.role === DIRECT) return position >= 0;
    return this.hasElsewhere(key);
  }

  private hasElsewhere(key: unknown): boolean {
    if (this.role === OWNER) return this.find(key) >= 0;
    return this.read(() => {
      const position = this.find(key);
      return position >= 0 && position < this.usedNow();
    });
  }

  /** Inserts an entry, or replaces the value of one. Returns the map. */
  set(key: JsType<K>, value: JsType<V>): this {
    const located = this.locate(key);
    // Doubles (type 8) under 4-byte keys in plain stores. Everything else has one call, so that V8
    // need not box key and value before it knows which it will be.
    if (located !== -2 && this.role === DIRECT && this.valueType === 8 && typeof value === 'number') {
      if (located >= 0) {
        this.valueColumn[located] = value;
        return this;
      }
      const position = this.head[WORD_USED];
      if (position < this.plainCapacity) {
        this.keyWords[position] = key as number;
        this.valueColumn[position] = value;
        this.enter(this.hash, position);
        this.head[WORD_USED] = position + 1;
        return this;
      }
    }
    this.put(key, value);
    return this;
  }

  /** Removes an entry. Returns whether it was there. Handles of other entries stay valid. */
  delete(key: JsType<K>): boolean {
    this.beforeWrite();
    const position = this.find(key);
    if (position < 0) return false;
    this.remove(position);
    return true;
  }

  /** Removes all entries; keeps the memory (see {@link HashMap.shrinkToFit}). */
  clear(): void {
    this.beforeWrite();
    this.empty();
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
    this.beforeRead();
    const cursor: Cursor = { position: 0, moves: this.moves, seen: this.head[WORD.moves], last: END };
    for (;;) {
      while (this.settle(cursor)) {
        const { position } = cursor;
        cursor.position = position + 1;
        callback.call(thisArg, this.valueAt(position) as JsType<V>, this.keyAt(position) as JsType<K>, this);
      }
      const entry = this.stepAside(cursor, ENTRIES) as [JsType<K>, JsType<V>] | typeof END;
      if (entry === END) return;
      callback.call(thisArg, entry[1], entry[0], this);
    }
  }

  /** The keys in insertion order. */
  keys(): MapIterator<JsType<K>> {
    return this.iterate(KeyIterator) as MapIterator<JsType<K>>;
  }

  /** The values in insertion order. */
  values(): MapIterator<JsType<V>> {
    return this.iterate(ValueIterator) as MapIterator<JsType<V>>;
  }

  /** The entries in insertion order, each a fresh `[key, value]`. */
  entries(): MapIterator<[JsType<K>, JsType<V>]> {
    return this.iterate(EntryIterator) as MapIterator<[JsType<K>, JsType<V>]>;
  }

  [Symbol.iterator](): MapIterator<[JsType<K>, JsType<V>]> {
    return this.entries();
  }

  // On the prototype, where `Map` has it: see the static block.
  declare readonly [Symbol.toStringTag]: string;

  // ---- beyond Map

  /** The value of a key; if it is missing, `value` is inserted first. */
  getOrInsert(key: JsType<K>, value: JsType<V>): JsType<V> {
    this.encodeValue(value);
    const found = this.lookUp(key);
    if (found !== MISSING) return found as JsType<V>;
    this.put(key, value);
    return this.get(key) as JsType<V>;
  }

  /** The value of a key; if it is missing, `compute(key)` is inserted first. */
  getOrInsertComputed(key: JsType<K>, compute: (key: JsType<K>) => JsType<V>): JsType<V> {
    if (typeof compute !== 'function') throw typeError(`${describe(compute)} is not a function`);
    const found = this.lookUp(key);
    if (found !== MISSING) return found as JsType<V>;
    this.put(key, compute((key === 0 ? 0 : key) as JsType<K>)); // -0 is 0, as for Map
    return this.get(key) as JsType<V>;
  }

  /**
   * Sets a key to `change(value, key)`, where `value` is what it has, or `undefined`. Returns the
   * new value. `map.update(word, (n = 0) => n + 1)` counts words.
   */
  update(key: JsType<K>, change: (value: JsType<V> | undefined, key: JsType<K>) => JsType<V>): JsType<V> {
    if (typeof change !== 'function') throw typeError(`${describe(change)} is not a function`);
    const value = change(this.get(key), (key === 0 ? 0 : key) as JsType<K>);
    this.put(key, value);
    return value;
  }

  // ---- handles

  /** A handle of the entry of a key, or `undefined` if the key is missing. */
  handleOf(key: JsType<K>): Handle | undefined {
    return this.handleFor(key) as Handle | undefined;
  }

  /** The value of the entry that a handle names; `undefined` for a stale handle. */
  getByHandle(handle: Handle): JsType<V> | undefined {
    if (typeof handle === 'number' && this.head[WORD_DEAD] === 0) {
      // A direct handle in a map without dead entries is a position. `handleBase` is NaN where
      // handles are not direct, or the map not ours to read directly, and then no comparison holds.
      const position = handle - this.handleBase;
      if (position >= 0 && position < this.head[WORD_USED] && position >>> 0 === position) {
        return this.valueAt(position) as JsType<V>;
      }
    }
    return this.getByHandleElsewhere(handle) as JsType<V> | undefined;
  }

  private getByHandleElsewhere(handle: unknown): unknown {
    if (this.role === OWNER) {
      const position = this.positionOf(handle);
      return position < 0 ? undefined : this.valueAt(position);
    }
    return this.read(() => {
      const position = this.positionOf(handle);
      return position < 0 ? undefined : this.valueAt(position);
    });
  }

  /**
   * Replaces the value of the entry that a handle names. Throws `ERR_OFFHEAP_STALE` if it is gone.
   * Returns the map.
   */
  setByHandle(handle: Handle, value: JsType<V>): this {
    this.encodeValue(value);
    this.beforeWrite();
    let position = this.positionOf(handle);
    if (position < 0) {
      throw offheapError('ERR_OFFHEAP_STALE', `the entry that handle ${String(handle)} named is gone`);
    }
    const blobs = this.blobBytes(false);
    if (blobs !== 0 && this.heapIsFull(blobs)) {
      this.noteHandle();
      this.makeRoom(0, blobs);
      position = this.positionOf(handle);
    }
    this.replaceValue(position, value);
    return this;
  }

  /** The key of the entry that a handle names; `undefined` for a stale handle. */
  keyByHandle(handle: Handle): JsType<K> | undefined {
    return this.read(() => {
      const position = this.positionOf(handle);
      return position < 0 ? undefined : (this.keyAt(position) as JsType<K>);
    });
  }

  /** Whether the entry that a handle names still lives. */
  hasHandle(handle: Handle): boolean {
    return this.read(() => this.positionOf(handle) >= 0);
  }

  // ---- bulk

  /**
   * The values of many keys: `out[i]` belongs to `keys[i]`, and stays as it was where that key is
   * missing (so in a new typed array it is 0). `out` must have room for all. Returns `out`. About 5
   * to 20 ns a key where keys and values are numbers, and `keys` and `out` typed arrays of their
   * types.
   */
  getMany(keys: Items<K>): Column<V> extends never ? (JsType<V> | undefined)[] : Column<V>;
  getMany<O extends Output<V>>(keys: Items<K>, out: O): O;
  getMany(keys: Items<K>, out?: unknown): unknown {
    this.beforeRead();
    return this.readMany(keys, out, undefined);
  }

  /**
   * As {@link HashMap.getMany}; returns 1 for each key that is there and 0 for each that is
   * missing.
   */
  getManyFound(keys: Items<K>, out: Output<V>): Uint8Array {
    this.beforeRead();
    const length = countOf(keys);
    const list = length === undefined ? toArray(keys, 'keys', (key) => this.checkKey(key)) : keys;
    const found = new Uint8Array(length ?? (list as unknown[]).length);
    this.readMany(list, out, found);
    return found;
  }

  /** 1 for each key that is there, 0 for each that is missing. */
  hasMany(keys: Items<K>): Uint8Array {
    this.beforeRead();
    return this.hasEach(keys);
  }

  /**
   * Sets `keys[i]` to `values[i]` for all i, in order. Nothing is changed if any of them is of a
   * wrong type.
   */
  setMany(keys: Items<K>, values: Items<V>): this {
    this.beforeRead();
    this.writeMany(keys, values);
    return this;
  }

  /** Deletes many keys. Returns how many were there. */
  deleteMany(keys: Items<K>): number {
    this.beforeRead();
    return this.deleteEach(keys);
  }

  /** Handles of many keys; −1, which names nothing, where a key is missing. */
  handlesOf(keys: Items<K>): Float64Array {
    this.beforeRead();
    return this.handlesOfEach(keys);
  }

  /**
   * The values that many handles name; `out[i]` stays as it was where a handle is stale. Returns
   * `out`.
   */
  getManyByHandle(
    handles: Float64Array | Iterable<number> | ArrayLike<number>,
  ): Column<V> extends never ? (JsType<V> | undefined)[] : Column<V>;
  getManyByHandle<O extends Output<V>>(
    handles: Float64Array | Iterable<number> | ArrayLike<number>,
    out: O,
  ): O;
  getManyByHandle(handles: unknown, out?: unknown): unknown {
    return this.readManyByHandle(handles, out);
  }

  /**
   * Keys and values as typed arrays over the map's own memory, in insertion order; nothing is
   * copied. Deleted entries are squeezed out first (a map that is only read here gives copies
   * then). They show the map until it next grows or compacts (one opened for `rw`: until it is
   * first changed); keep the map, not them, and do not write to the keys. Both types must be
   * numeric.
   */
  columns(): { keys: Column<K>; values: Column<V> } {
    if (!isNumeric(this.keyType) || !(isNumeric(this.valueType) || this.valueType === TYPE.bool)) {
      this.beforeRead();
      throw offheapError(
        'ERR_OFFHEAP_UNSUPPORTED',
        `columns are of numbers; this map has ${TYPE_NAMES[this.keyType]} keys and ${TYPE_NAMES[this.valueType]} values`,
      );
    }
    if (this.role === OWNER && this.head[WORD.dead] !== 0) this.rebuild(this.capacity, 0);
    this.region.exposed = true;
    return this.read(() => {
      const used = this.usedNow();
      const live = (column: AnyTypedArray): AnyTypedArray =>
        this.head[WORD.dead] === 0
          ? column.subarray(0, used)
          : column.slice(0, used).filter((_: unknown, at: number) => !this.isDead(at));
      return { keys: live(this.keyColumn) as Column<K>, values: live(this.valueColumn) as Column<V> };
    });
  }

  // ---- memory

  /** Makes room for `entries` entries in all, so that growing to that many moves nothing. */
  reserve(entries: number): this {
    const wanted = checkInteger(entries, 'entries', 0, MAX_CAPACITY);
    this.beforeWrite();
    if (wanted > this.capacity) this.rebuild(wanted, this.heapWords.length * 4);
    return this;
  }

  /**
   * Gives back the memory that the entries do not need. A shared map keeps its address space, and
   * so its bytes.
   */
  shrinkToFit(): this {
    this.beforeWrite();
    this.rebuild(Math.max(1, this.count()), 0);
    this.region.shrink(readLong(this.head, WORD.lengthLow));
    this.rebindViews();
    return this;
  }

  /** Plain facts about the map, for logs and dashboards. */
  stats(): HashMapStats {
    return this.read(() => ({
      key: TYPE_NAMES[this.keyType] as KeyType,
      value: TYPE_NAMES[this.valueType]!,
      ...this.facts(),
      byteLength: this.region.buffer.byteLength,
      origin: this.region.origin,
      shared: this.region.shared || this.region.origin === 'attached',
    }));
  }

  /**
   * Proves the whole contents, beyond what opening checks: O(bytes). Throws `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    this.read(() => native().hashmapValidate(this.region.bytes));
  }

  // ---- sharing and saving

  /** A map that another thread shared, to read from. O(1). */
  static attach<K extends KeyType = KeyType, V extends ValueType = ValueType>(token: Token): HashMap<K, V> {
    return attachStructure(token, 'hashmap', adopt<K, V>);
  }

  /**
   * Opens a saved map by mapping its file: nothing is read but the header, whatever the size. Mode
   * `r` is for reading; in mode `rw` the first change copies the map to memory, and the file
   * changes with the next `save` only.
   */
  static open<K extends KeyType = KeyType, V extends ValueType = ValueType>(
    path: string,
    options?: OpenOptions,
  ): HashMap<K, V> {
    return openStructure(path, options, adopt<K, V>);
  }

  /** A map out of what {@link HashMap.toBytes} gave, which is copied. O(bytes). */
  static fromBytes<K extends KeyType = KeyType, V extends ValueType = ValueType>(
    bytes: Uint8Array,
  ): HashMap<K, V> {
    return structureFromBytes(bytes, adopt<K, V>);
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    const state = this.describeState();
    if (state !== 'open') return `${options.stylize('HashMap', 'special')} { ${state} }`;
    const { key, value, size } = this.stats();
    const title = `HashMap<${key}, ${value}>(${size})`;
    if (depth < 0) return options.stylize(`[${title}]`, 'special');
    const shown = new Map<unknown, unknown>();
    const limit = options.maxArrayLength ?? Infinity;
    for (const [k, v] of this.entries()) {
      if (shown.size >= Math.min(limit, 100)) break;
      shown.set(k, v);
    }
    const more = size - shown.size;
    const list = inspect(shown, { ...options, depth: options.depth === null ? null : depth });
    const body = list.slice(list.indexOf('{'));
    return more > 0 ? `${title} ${body.replace(/\s*\}$/, '')}, ... ${more} more }` : `${title} ${body}`;
  }

  // ---- iteration

  private iterate<T>(Iterator: new (map: Walked, moves: Moves, seen: number) => T): unknown {
    this.beforeRead();
    return new Iterator(this as unknown as Walked, this.moves, this.head[WORD.moves]);
  }

  /**
   * Moves an owner's cursor to the next live entry. `false` if there is none, and always for those
   * who only read.
   */
  private settle(cursor: Cursor): boolean {
    if (cursor.moves.next !== undefined) this.follow(cursor);
    const { head } = this;
    const { position } = cursor;
    if (head[WORD_DEAD] !== 0 && position < this.liveLimit && this.isDead(position)) this.skipDead(cursor);
    return cursor.position < Math.min(head[WORD_USED], this.liveLimit);
  }

  /** Takes a cursor through the compactions that happened since it was last used. */
  private follow(cursor: Cursor): void {
    for (let next = cursor.moves.next; next !== undefined; next = next.next) {
      cursor.position = cursor.moves.map(cursor.position);
      cursor.moves = next;
    }
  }

  private skipDead(cursor: Cursor): void {
    const used = this.head[WORD_USED];
    let { position } = cursor;
    while (position < used && this.isDead(position)) position++;
    cursor.position = position;
  }

  /**
   * A step where {@link settle} gives none: the end of a map of our own, or a step in one that
   * another thread writes, or in a file. If entries moved since the last step, the cursor finds its
   * place again by the key it last gave; if that key was deleted there is no telling, and the
   * iteration ends with `ERR_OFFHEAP_STALE`.
   */
  private stepAside(cursor: Cursor, what: Yield): unknown {
    if (this.role === OWNER) return END;
    const { position, seen, item, last } = this.read(() => {
      const moves = this.head[WORD.moves];
      let at = cursor.position;
      if (moves !== cursor.seen && at !== 0) {
        at = this.find(cursor.last) + 1;
        if (at === 0) {
          throw offheapError(
            'ERR_OFFHEAP_STALE',
            'the owner of this map moved its entries during the iteration',
          );
        }
      }
      const used = this.usedNow();
      while (at < used && this.isDead(at)) at++;
      return at < used
        ? { position: at + 1, seen: moves, item: this.itemAt(at, what), last: this.keyAt(at) }
        : { position: at, seen: moves, item: END, last: cursor.last };
    });
    cursor.position = position;
    cursor.seen = seen;
    cursor.last = last;
    return item;
  }

  private itemAt(position: number, what: Yield): unknown {
    if (what === KEYS) return this.keyAt(position);
    if (what === VALUES) return this.valueAt(position);
    return [this.keyAt(position), this.valueAt(position)];
  }

  private lookUp(key: unknown): unknown {
    return this.read(() => {
      const position = this.find(key);
      return position < 0 || position >= this.usedNow() ? MISSING : this.valueAt(position);
    });
  }
}

const MISSING = Symbol('missing');

function adopt<K extends KeyType, V extends ValueType>(adopted: RegionSource): HashMap<K, V> {
  return new HashMap<K, V>(adopted as never);
}

/** The region of a new, empty map. */
function create(options: unknown): Region {
  const read = readOptions(options, OPTIONS, 'HashMap');
  const key = TYPE[choiceOption(read, 'key', KEY_TYPES)];
  const value = TYPE[choiceOption(read, 'value', VALUE_TYPES)];
  const capacity = integerOption(read, 'capacity', 1, MAX_CAPACITY, 12);
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
  initialise(region.head, shape, length, seed === undefined ? randomSeed() : splitSeed(seed));
  return region;
}

function splitSeed(seed: bigint): [number, number] {
  return [Number(BigInt.asIntN(32, seed)), Number(BigInt.asIntN(32, seed >> 32n))];
}

/** How many items there are, where that can be told without running user code. */
function countOf(items: unknown): number | undefined {
  return ArrayBuffer.isView(items) && !(items instanceof DataView)
    ? intrinsicLength(items as AnyTypedArray)
    : undefined;
}
