/**
 * SharedMap: a map that every worker and process reads and writes, within a bound in bytes.
 * `docs/formats/sharedmap.md` specifies the bytes and the protocol.
 *
 * This class has the public operations. `table.ts` finds entries, `read.ts` reads them without a
 * lock, and native code makes all changes, each in one call that locks one shard.
 *
 * Cost: `get` is O(1), two or three cache misses, and takes no lock; a change costs a crossing into
 * native code and the lock of one shard, about 150 ns. No operation takes longer because the map is
 * large, apart from `clear`, `validate` and iteration.
 */
import type { PathLike } from 'node:fs';
import { inspect, type InspectOptionsStylized } from 'node:util';
import { offheapError, rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { TYPE_NAMES, type JsType } from '../region/element.js';
import { inspectEntries, setIterator, setTag } from '../region/face.js';
import { addEntries, checkFunction } from '../region/map-like.js';
import { checkInteger, describe, integerOption, readOptions } from '../region/options.js';
import type { WorkOptions } from '../region/progress.js';
import type { Region } from '../region/region.js';
import { attachRegion, type Token } from '../region/token.js';
import { Uncloneable } from '../region/uncloneable.js';
import { Watch } from './background.js';
import * as bulk from './bulk.js';
import { useChooser } from './choose.js';
import { getOrCompute, type ComputeContext, type ComputeOptions } from './compute.js';
import { calls, watchCalls } from './diagnostics.js';
import { Subscriptions, type MapEvent, type SubscribeOptions } from './events.js';
import {
  hotKeysOf,
  participantsOf,
  sizesOf,
  type HotKey,
  type Participant,
  type SizeClass,
} from './figures.js';
import { iterate, scan, type ScanResult } from './iteration.js';
import { entryOf, getOrAdd, touch, update, type Entry } from './entry.js';
import { openFile, type Repaired, type SharedMapOpenOptions } from './file.js';
import { HEAD } from './layout.js';
import { measurementsOf, prometheusText, type Measurement, type MetricsOptions } from './metrics.js';
import {
  attachOptions,
  createRegion,
  type HolderOptions,
  type SharedMapAttachOptions,
  type SharedMapOptions,
} from './options.js';
import { quickValue } from './quick.js';
import { isPresent, isValidHandle, lookUp, MISSING, readHandle, resultOf } from './read.js';
import {
  POLICIES,
  valueTypeOf,
  type ExpiryOptions,
  type KeyType,
  type OnFull,
  type Policy,
  type ValueOf,
  type ValueType,
} from './schema.js';
import { optionsOf, restoreSnapshot, saveSnapshot } from './snapshot.js';
import { readStats, type SharedMapStats } from './stats.js';
import { closed, SharedMapTable } from './table.js';
import { transact, type Transaction, type TransactionOptions } from './transaction.js';
import { EXISTED, increment, MODE, STORED, write, writeByHandle } from './write.js';

declare const handleBrand: unique symbol;
/**
 * Names an entry until it is deleted, evicted or expires. It stays valid when the value changes,
 * and has the same meaning for every participant.
 */
export type SharedHandle = number & { readonly [handleBrand]: 'SharedMap' };

/** A region that contains a map, and the options of its holder. */
class Source {
  constructor(
    readonly region: Region,
    readonly holder: HolderOptions,
  ) {}
}

/**
 * A map in shared memory, for keys and values of fixed types.
 *
 * ```ts
 * const cache = new SharedMap({ key: 'string', value: 'json', maxBytes: 64 * 2 ** 20 });
 * cache.set('user:42', { name: 'Ada' }, { ttl: 60_000 });
 * new Worker(url, { workerData: cache.share() }); // there: SharedMap.attach(workerData)
 * ```
 *
 * Every holder may write. Iteration is unordered and weakly consistent: it yields each key that is
 * present throughout exactly once.
 *
 * Errors, of every method: `ERR_OFFHEAP_TYPE` or `ERR_OFFHEAP_RANGE` for a key or value that is not
 * of the map's types, `ERR_OFFHEAP_FULL` for a value that never fits or that a full map refuses,
 * `ERR_OFFHEAP_CLOSED` after `close()`. An operation that throws changes nothing.
 */
export class SharedMap<K extends KeyType = KeyType, V extends ValueType = ValueType> extends Uncloneable {
  readonly #table: SharedMapTable;
  readonly #watch: Watch;
  #repaired: Repaired | undefined;
  #subscriptions: Subscriptions | undefined;

  static {
    setTag(this.prototype, 'SharedMap');
    setIterator(this.prototype, 'entries');
  }

  /** An empty map, or one with the entries of `iterable`. */
  constructor(options: SharedMapOptions<K, V>, iterable?: Iterable<readonly [JsType<K>, ValueOf<V>]> | null);
  constructor(
    options: SharedMapOptions<K, V> | Source,
    iterable?: Iterable<readonly [JsType<K>, ValueOf<V>]> | null,
  ) {
    super();
    const isSource = options instanceof Source;
    const { region, holder } = isSource ? options : createRegion(options);
    try {
      this.#table = new SharedMapTable(region, region.bytes.length >= 65_536);
    } catch (error) {
      region.release();
      throw error;
    }
    try {
      const evicts = this.onFull === 'evict' && this.policy !== 'none' ? this.policy : undefined;
      useChooser(this.#table, holder.choose, evicts);
    } catch (error) {
      this.#table.close();
      throw error;
    }
    const self = new WeakRef(this);
    this.#watch = new Watch(this.#table, self);
    watchCalls(this.#table.id, self, holder.slow);
    if (!isSource) addEntries(this, iterable);
  }

  /**
   * A map that another thread shared. It has the same rights as the one that created the map.
   * `choose` makes room for what this holder writes, in a map that does not evict.
   */
  static attach<K extends KeyType = KeyType, V extends ValueType = ValueType>(
    token: Token<'sharedmap'>,
    options?: SharedMapAttachOptions<K>,
  ): SharedMap<K, V> {
    const holder = attachOptions(options);
    const region = attachRegion(token, 'sharedmap');
    return new (this as unknown as new (source: Source) => SharedMap<K, V>)(new Source(region, holder));
  }

  /**
   * Opens the map in a file, which any number of processes may do at the same time, or creates it.
   * `key`, `value` and `maxBytes` are required to create the file, and otherwise compared with it.
   * A file on tmpfs is shared memory; one on a disk also survives a restart of the machine.
   *
   * Only Linux has the locks that this needs. Throws `ERR_OFFHEAP_IO` if there is no file and none
   * is to be created, or if it is not a regular file; `ERR_OFFHEAP_CORRUPT` if it is not a map, or
   * was open when the machine stopped; `ERR_OFFHEAP_TYPE` or `ERR_OFFHEAP_RANGE` if it has other
   * options; `ERR_OFFHEAP_FULL` if the disk is full or all participants' slots are in use.
   */
  static open<K extends KeyType = KeyType, V extends ValueType = ValueType>(
    path: string | URL | Uint8Array,
    options?: SharedMapOpenOptions<K, V>,
  ): SharedMap<K, V> {
    const { map, repaired } = openFile(
      path,
      options,
      (region, holder) =>
        new (this as unknown as new (source: Source) => SharedMap<K, V>)(new Source(region, holder)),
    );
    map.#repaired = repaired;
    return map;
  }

  /** What `open` with `repair: true` kept and removed; `undefined` if this map was not repaired. */
  get repaired(): Repaired | undefined {
    return this.#repaired;
  }

  /** A token for other threads: post it, and `attach` it there. */
  share(): Token<'sharedmap'> {
    const { region } = open(this.#table);
    return {
      offheap: 'sharedmap',
      buffer: region.origin === 'attached' ? (region.buffer as SharedArrayBuffer) : region.prepareToShare(),
    };
  }

  /** The number of entries. Entries that have expired count until they are removed. O(shards). */
  get size(): number {
    return native().sharedmapSize(open(this.#table).id);
  }

  /** The value of a key, or `undefined`. Takes no lock. */
  get(key: JsType<K>): ValueOf<V> | undefined {
    const table = this.#table;
    if (table.quick !== 0 && typeof key === 'number') {
      const quick = quickValue(table, key);
      if (quick !== undefined) return quick as ValueOf<V>;
    }
    table.encode(key);
    const value = lookUp(table, true);
    return value === MISSING ? undefined : (value as ValueOf<V>);
  }

  /** As `get`, but affects neither eviction nor statistics. */
  peek(key: JsType<K>): ValueOf<V> | undefined {
    const table = this.#table;
    table.encode(key);
    const value = lookUp(table, false);
    return value === MISSING ? undefined : (value as ValueOf<V>);
  }

  /** Whether a key is present. Affects neither eviction nor statistics. */
  has(key: JsType<K>): boolean {
    this.#table.encode(key);
    return isPresent(this.#table);
  }

  /** Sets a key. Evicts other entries if the map is full and may evict. */
  set(key: JsType<K>, value: ValueOf<V>, options?: ExpiryOptions): this {
    write(this.#table, key, value, options, MODE.set, 0);
    return this;
  }

  /** Sets a key if it is absent. Returns whether it did. */
  add(key: JsType<K>, value: ValueOf<V>, options?: ExpiryOptions): boolean {
    return (write(this.#table, key, value, options, MODE.add, 0) & STORED) !== 0;
  }

  /** Sets a key if it is present. Returns whether it did. */
  replace(key: JsType<K>, value: ValueOf<V>, options?: ExpiryOptions): boolean {
    return (write(this.#table, key, value, options, MODE.replace, 0) & STORED) !== 0;
  }

  /**
   * Sets a key if its entry has this version, as {@link SharedMap.entry} returned it; 0: if the key
   * is absent. Returns whether it did.
   */
  compareAndSet(key: JsType<K>, version: number, value: ValueOf<V>, options?: ExpiryOptions): boolean {
    checkInteger(version, 'version', 0, Number.MAX_SAFE_INTEGER);
    return (write(this.#table, key, value, options, MODE.compare, version) & STORED) !== 0;
  }

  /** Deletes a key. Returns whether it was present. */
  delete(key: JsType<K>): boolean {
    const table = this.#table;
    table.checkChange();
    return table.prepareLookup(key) && calls().sharedmapDelete(table.id) !== 0;
  }

  /** Deletes a key, and returns the value that it had. */
  getAndDelete(key: JsType<K>): ValueOf<V> | undefined {
    const table = this.#table;
    table.checkChange();
    if (!table.prepareLookup(key)) return undefined;
    const found = table.call(() => calls().sharedmapTake(table.id));
    return found === 0 ? undefined : (resultOf(table) as ValueOf<V>);
  }

  /** The value of a key with its properties, or `undefined`. Does not affect eviction. */
  entry(key: JsType<K>): Entry<ValueOf<V>> | undefined {
    return entryOf(this.#table, key) as Entry<ValueOf<V>> | undefined;
  }

  /**
   * Adds `by` (default 1) to the number of a key, which counts as 0 if it is absent, as one step.
   * Returns the sum. `ERR_OFFHEAP_RANGE` if the type of the values cannot represent it.
   */
  increment(key: JsType<K>, by?: ValueOf<V>): ValueOf<V> {
    return increment(this.#table, key, by) as ValueOf<V>;
  }

  /** Gives an entry a new time to live in milliseconds. Returns whether the key is present. */
  touch(key: JsType<K>, options: ExpiryOptions): boolean {
    return touch(this.#table, key, options);
  }

  /** Milliseconds until a key expires; `Infinity` if it does not; `undefined` if it is absent. */
  remainingTtl(key: JsType<K>): number | undefined {
    const entry = this.entry(key);
    if (entry === undefined) return undefined;
    return entry.expiresAt === Infinity ? Infinity : Math.max(0, entry.expiresAt - Date.now());
  }

  /** The value of a key; if it is absent, `value` is inserted first. */
  getOrInsert(key: JsType<K>, value: ValueOf<V>): ValueOf<V> {
    return getOrAdd(this.#table, key, () => value) as ValueOf<V>;
  }

  /** The value of a key; if it is absent, `compute(key)` is inserted first. */
  getOrInsertComputed(key: JsType<K>, compute: (key: JsType<K>) => ValueOf<V>): ValueOf<V> {
    checkFunction(compute);
    return getOrAdd(this.#table, key, compute) as ValueOf<V>;
  }

  /**
   * Sets a key to `change(value, key)` as one step, and returns the new value. `change` is called
   * again if the key was changed meanwhile, so it should have no side effects. The entry keeps its
   * time of expiry. `ERR_OFFHEAP_CONFLICT` if the key was changed during each of 1,000 attempts, as
   * it is by a `change` that changes the key itself.
   */
  update(key: JsType<K>, change: (value: ValueOf<V> | undefined, key: JsType<K>) => ValueOf<V>): ValueOf<V> {
    checkFunction(change);
    return update(this.#table, key, change as (value: unknown, key: never) => unknown) as ValueOf<V>;
  }

  /**
   * The value of a key; if it is absent, one caller of all threads and processes computes it, while
   * the others wait for it. Another one takes over if the first one throws, is terminated, or takes
   * longer than `lease` milliseconds. Rejects with the error of `compute`, or the signal's reason.
   */
  async getOrCompute(
    key: JsType<K>,
    compute: (key: JsType<K>, context: ComputeContext) => ValueOf<V> | Promise<ValueOf<V>>,
    options?: ComputeOptions,
  ): Promise<ValueOf<V>> {
    return (await getOrCompute(this.#table, key, compute, options)) as ValueOf<V>;
  }

  /**
   * Changes up to 64 keys, all of them or none. `run` reads and changes through its argument, and
   * is called again if another participant changed a key that it read, so it should have no side
   * effects. Returns its result. Throws `ERR_OFFHEAP_CONFLICT` when the retries are used up.
   */
  transaction<T>(
    run: (transaction: Transaction<JsType<K>, ValueOf<V>>) => T,
    options?: TransactionOptions,
  ): T {
    checkFunction(run);
    return transact(open(this.#table), run as (transaction: Transaction<never, never>) => T, options);
  }

  /**
   * Calls `listener` with what participants of all threads and processes do, in order for each key,
   * about every 20 ms while this thread's event loop runs. Only the last events are kept, so a
   * listener may miss some (`onDropped`). Close the result to end this.
   */
  subscribe(listener: (event: MapEvent<JsType<K>>) => void, options?: SubscribeOptions): { close(): void } {
    const table = open(this.#table);
    this.#subscriptions ??= new Subscriptions(table);
    return this.#subscriptions.add(listener, options);
  }

  /**
   * Saves the entries of one instant to a file atomically, while others write; nobody waits longer
   * than for a bucket. Entries that are evicted meanwhile may be missing. Rejects with
   * `ERR_OFFHEAP_IO`, `ERR_OFFHEAP_LOCKED` if another participant is saving, or the signal's
   * reason.
   */
  async save(path: PathLike, options?: WorkOptions): Promise<void> {
    await saveSnapshot(open(this.#table), path, options);
  }

  /**
   * A new map with the entries that {@link SharedMap.save} wrote, apart from those that have
   * expired. `options` replace those of the map that was saved. Rejects with `ERR_OFFHEAP_CORRUPT`
   * for a file that is damaged, and with `ERR_OFFHEAP_FULL` if the entries do not fit into a map
   * that does not evict; `choose` is not called for them.
   */
  static async restore<K extends KeyType = KeyType, V extends ValueType = ValueType>(
    path: PathLike,
    options?: Partial<SharedMapOptions<K, V>>,
  ): Promise<SharedMap<K, V>> {
    const map = new (this as unknown as new (options: unknown) => SharedMap<K, V>)(optionsOf(path, options));
    try {
      await restoreSnapshot(map.#table, path);
    } catch (error) {
      map.close();
      throw error;
    }
    return map;
  }

  /** Removes all entries. */
  clear(): void {
    calls().sharedmapClear(changing(this.#table).id);
  }

  /** Removes all entries that have expired, and returns their number. */
  purgeExpired(): number {
    return calls().sharedmapPurge(changing(this.#table).id, Number.MAX_SAFE_INTEGER);
  }

  // ---- handles

  /** The handle of a key, or `undefined`. */
  handleOf(key: JsType<K>): SharedHandle | undefined {
    const table = this.#table;
    if (!table.prepareLookup(key)) return undefined;
    const handle = native().sharedmapHandleOf(table.id);
    return handle === 0 ? undefined : (handle as SharedHandle);
  }

  /** The value of a handle; `undefined` if it is stale. Takes no lock. */
  getByHandle(handle: SharedHandle): ValueOf<V> | undefined {
    const value = readHandle(open(this.#table), checkHandle(handle));
    return value === MISSING ? undefined : (value as ValueOf<V>);
  }

  /** Whether a handle is valid. */
  hasHandle(handle: SharedHandle): boolean {
    return isValidHandle(open(this.#table), checkHandle(handle));
  }

  /** The key of a handle; `undefined` if it is stale. */
  keyByHandle(handle: SharedHandle): JsType<K> | undefined {
    const table = open(this.#table);
    checkHandle(handle);
    const length = table.call(() => native().sharedmapKeyByHandle(table.id, handle));
    if (length === 0) return undefined;
    return table.keyFromResult(length - 1) as JsType<K>;
  }

  /** Sets the value of a handle. Throws `ERR_OFFHEAP_STALE` if it is stale. */
  setByHandle(handle: SharedHandle, value: ValueOf<V>, options?: ExpiryOptions): this {
    const table = open(this.#table);
    checkHandle(handle);
    if ((writeByHandle(table, handle, value, options) & EXISTED) === 0) throw stale(handle);
    return this;
  }

  /** Deletes the entry of a handle. Returns whether it was valid. */
  deleteByHandle(handle: SharedHandle): boolean {
    return calls().sharedmapDeleteByHandle(changing(this.#table).id, checkHandle(handle)) !== 0;
  }

  // ---- bulk

  /**
   * Fills `out` with the values of keys, and leaves `out[i]` unchanged where a key is absent.
   * Returns `out`. One crossing if keys and values are numbers.
   */
  getMany(keys: bulk.Items<K>, out?: bulk.Output<V>): bulk.Output<V> {
    return bulk.getMany(open(this.#table), keys, out) as bulk.Output<V>;
  }

  /**
   * Sets `keys[i]` to `values[i]` for all i, in order. All are checked first: an invalid one
   * changes nothing. If the map is full and may not evict, the entries before the one that failed
   * remain.
   */
  setMany(keys: bulk.Items<K>, values: bulk.Items<V>): this {
    bulk.setMany(open(this.#table), keys, values);
    return this;
  }

  /** 1 for each key that is present, 0 for the others. */
  hasMany(keys: bulk.Items<K>): Uint8Array {
    return bulk.hasMany(open(this.#table), keys);
  }

  /** Deletes keys, and returns the number of those that were present. */
  deleteMany(keys: bulk.Items<K>): number {
    return bulk.deleteMany(open(this.#table), keys);
  }

  /** The handles of keys; −1 for an absent key. */
  handlesOf(keys: bulk.Items<K>): Float64Array {
    return bulk.handlesOf(open(this.#table), keys);
  }

  /** Fills `out` with the values of handles; leaves `out[i]` unchanged where a handle is stale. */
  getManyByHandle(handles: ArrayLike<number>, out?: bulk.Output<V>): bulk.Output<V> {
    return bulk.getManyByHandle(open(this.#table), handles, out) as bulk.Output<V>;
  }

  // ---- iteration

  /**
   * Some keys from a cursor on: 0 at first, then the cursor returned, which is 0 at the end. Each
   * key that is present throughout is returned exactly once.
   */
  scan(cursor: number, options?: { count?: number }): ScanResult<JsType<K>> {
    const table = open(this.#table);
    checkInteger(cursor, 'cursor', 0, Number.MAX_SAFE_INTEGER);
    const count = integerOption(readOptions(options, ['count'], 'scan'), 'count', 1, 2 ** 32, 100);
    return scan(table, cursor, count) as ScanResult<JsType<K>>;
  }

  keys(): IterableIterator<JsType<K>> {
    return iterate(open(this.#table), false, (key) => key) as IterableIterator<JsType<K>>;
  }

  values(): IterableIterator<ValueOf<V>> {
    return iterate(open(this.#table), true, (_, value) => value) as IterableIterator<ValueOf<V>>;
  }

  entries(): IterableIterator<[JsType<K>, ValueOf<V>]> {
    return iterate(open(this.#table), true, (key, value) => [key, value]) as IterableIterator<
      [JsType<K>, ValueOf<V>]
    >;
  }

  declare [Symbol.iterator]: () => IterableIterator<[JsType<K>, ValueOf<V>]>;

  forEach(
    callback: (value: ValueOf<V>, key: JsType<K>, map: SharedMap<K, V>) => void,
    thisArgument?: unknown,
  ): void {
    checkFunction(callback);
    for (const [key, value] of this.entries()) callback.call(thisArgument, value, key, this);
  }

  // ---- figures

  /** The bound in bytes. */
  get maxBytes(): number {
    return open(this.#table).maxBytes;
  }

  /** The bytes in use: header, tables, and all pages in use. At most `maxBytes`. */
  get usedBytes(): number {
    return this.stats().usedBytes;
  }

  /** Bytes held outside the JavaScript heap. Pages that are not in use take address space only. */
  get byteLength(): number {
    return open(this.#table).region.bytes.length;
  }

  get policy(): Policy {
    return POLICIES[(open(this.#table).words[HEAD.schema] >>> 16) & 0xff];
  }

  get onFull(): OnFull {
    return (open(this.#table).words[HEAD.schema] >>> 24) & 1 ? 'reject' : 'evict';
  }

  /** Milliseconds after which entries expire; `Infinity`: never. */
  get ttl(): number {
    const { defaultTtl } = open(this.#table);
    return defaultTtl === 0 ? Infinity : defaultTtl;
  }

  /** Figures of all participants together. */
  stats(): SharedMapStats {
    return readStats(open(this.#table));
  }

  /**
   * How many entries have which size, in classes of powers of two. O(entries): it visits all keys,
   * a few at a time.
   */
  sizes(): SizeClass[] {
    return sizesOf(open(this.#table));
  }

  /**
   * The keys that were read most often of late, by all participants, the most frequent first: at
   * most `most`, from samples of one read in 64.
   */
  hotKeys(most = 10): HotKey<JsType<K>>[] {
    const table = open(this.#table);
    return hotKeysOf(table, checkInteger(most, 'most', 0, 2 ** 32)) as HotKey<JsType<K>>[];
  }

  /**
   * The threads that attached the map, except those that only read. In a file, those of a process
   * that was killed remain until their slots are needed.
   */
  participants(): Participant[] {
    return participantsOf(open(this.#table));
  }

  /** Figures in Prometheus' text format. */
  metrics(options?: MetricsOptions): string {
    return prometheusText(this.stats(), options);
  }

  /** Figures with the names and units of OpenTelemetry's conventions. */
  measurements(): Measurement[] {
    return measurementsOf(this.stats());
  }

  /**
   * Calls `listener` with the ratio of `usedBytes` to `maxBytes` when it rises to `ratio` (above 0,
   * at most 1), and again when it was below in between. It is checked every 100 ms while this
   * thread's event loop runs. Close the result to end this.
   */
  onPressure(ratio: number, listener: (ratio: number) => void): { close(): void } {
    open(this.#table);
    if (typeof ratio !== 'number') throw typeError(`ratio must be a number, not ${describe(ratio)}`);
    if (!(ratio > 0 && ratio <= 1)) throw rangeError(`ratio must be above 0 and at most 1, not ${ratio}`);
    checkFunction(listener);
    return this.#watch.onPressure(ratio, listener);
  }

  /** Verifies the whole map. Throws `ERR_OFFHEAP_CORRUPT`. O(entries). */
  validate(): void {
    calls().sharedmapValidate(open(this.#table).id);
  }

  /**
   * Ends this participation. Every later operation throws `ERR_OFFHEAP_CLOSED`, except `close()`
   * itself. The map remains for other holders.
   */
  close(): void {
    this.#table.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    const table = this.#table;
    if (!table.isOpen) return `${options.stylize('SharedMap', 'special')} { closed }`;
    const types = `${TYPE_NAMES[table.keyType] ?? ''}, ${valueTypeOf(table.valueType) ?? ''}`;
    return inspectEntries(`SharedMap<${types}>(${this.size})`, this.entries(), this.size, depth, options);
  }
}

function open(table: SharedMapTable): SharedMapTable {
  if (!table.isOpen) throw closed();
  return table;
}

function changing(table: SharedMapTable): SharedMapTable {
  table.checkChange();
  return table;
}

function checkHandle(handle: unknown): number {
  return checkInteger(handle, 'a handle', 0, Number.MAX_SAFE_INTEGER);
}

function stale(handle: number): Error {
  return offheapError('ERR_OFFHEAP_STALE', `handle ${handle} is stale: its entry was deleted`);
}
