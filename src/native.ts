/**
 * The lazy loader of the addon.
 *
 * Nothing is loaded when a module is imported: `native()` loads at the first bulk call and is then
 * a variable read. It tries the binary that the package ships for this platform, then one that was
 * built here, and otherwise throws one error that says what to do. There is no install script: npm
 * does not run them unasked, so the binaries ship inside the package.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { offheapError, type OffheapError } from './errors.js';

/** What `lockfreepoolAttach` gives: a value that JavaScript can only hold. */
export type PoolHandle = object & { readonly __brand: 'PoolHandle' };
/**
 * A prepared dictionary, a store that was opened, a store that is being built: native objects, of
 * one thread.
 */
export interface DictionaryHandle {
  readonly dictionary: symbol;
}
export interface RecordStoreHandle {
  readonly records: symbol;
}
export interface RecordStoreBuilderHandle {
  readonly builder: symbol;
}

/**
 * What the addon exports: free functions over numbers and typed arrays. Every module adds its lines
 * under its own heading, in the order of `native/binding/`.
 */
export interface NativeBinding {
  // module.cc
  /** Tells the addon how to make errors of ours; called once for each thread, by {@link native}. */
  setErrorFactory(factory: typeof offheapError): void;
  /** The version of the native code. */
  version(): string;

  // bumparena.cc. `bytes` views the whole buffer of an arena. All but the last stand in TypeScript,
  // too, and are here for tests.
  bumparenaAlloc(bytes: Uint8Array, size: number, align: number): number;
  bumparenaFree(bytes: Uint8Array, offset: number): void;
  bumparenaBegin(bytes: Uint8Array): Uint32Array;
  bumparenaRelease(bytes: Uint8Array, mark: Uint32Array): void;
  bumparenaReset(bytes: Uint8Array): void;
  /** The whole proof. */
  bumparenaValidate(bytes: Uint8Array): void;

  // cpu.cc
  /** The processor's features, by the names people know them by. */
  cpuFeatures(): string[];
  /**
   * The set of vector kernels that was chosen: `'avx512'`, `'avx2'`, `'sse2'`, `'neon'` or
   * `'generic'`.
   */
  cpuKernel(): string;

  // numa.cc
  /** Whether the system tells about NUMA nodes. */
  numaAvailable(): boolean;
  /** The nodes as they are now, with the kernel's counters in pages. */
  numaNodes(): ({
    id: number;
    cpus: number[];
    memoryBytes: number;
    freeBytes: number;
    distances: number[];
  } & Record<'hit' | 'miss' | 'foreign' | 'interleaveHit' | 'local' | 'other', number>)[];
  /** The node on which this thread runs at this moment. */
  numaCurrentNode(): number;
  /**
   * Where the pages of a view come from: policy 0 the default, 1 one node, 2 the local one, 3 all
   * in turns.
   */
  numaPlace(bytes: ArrayBufferView, policy: number, node: number, populate: boolean): void;
  /** How many pages of a view are nowhere, on node 0, on node 1, and so on. */
  numaCountPages(bytes: ArrayBufferView): number[];

  // numapool.cc. Policies are numbered as for numaPlace; no nodes: all that have memory. `bytes`
  // views the whole buffer.
  /** Bytes of a pool's region. */
  numapoolRegionSize(
    policy: number,
    nodes: Uint32Array,
    capacity: number,
    zeroOnFree: boolean,
    guards: boolean,
  ): number;
  /** Makes an empty pool in zeroed memory. */
  numapoolInit(
    bytes: Uint8Array,
    policy: number,
    nodes: Uint32Array,
    capacity: number,
    zeroOnFree: boolean,
    guards: boolean,
  ): void;
  /** Puts the sections on their nodes. */
  numapoolPlace(bytes: Uint8Array, populate: boolean): void;
  /** The section of the node where this thread runs, or the nearest to it. */
  numapoolNear(bytes: Uint8Array): number;
  /** What TypeScript does itself, for comparison. */
  numapoolAlloc(bytes: Uint8Array, size: number): number;
  numapoolFree(bytes: Uint8Array, offset: number): void;
  numapoolValidate(bytes: Uint8Array): void;

  // probe.cc
  /**
   * How native code sees a view: its length in bytes, the alignment of its first byte (a power of
   * two up to 4096), and the sum of its bytes. The doctor uses it, and so do the tests of argument
   * reading. */
  probe(view: ArrayBufferView): { byteLength: number; alignment: number; sum: number };
  /**
   * How many bytes after the view's first one the next multiple of an alignment is, which is a
   * power of two.
   */
  alignmentGap(view: ArrayBufferView, alignment: number): number;

  // region.cc
  /** CRC-32C of the bytes; `seed` is 0, or the result for the bytes before these. */
  crc32c(bytes: ArrayBufferView, seed: number): number;
  /**
   * Checks what the header of every region has, in constant time; returns the length of the region.
   */
  regionCheck(bytes: ArrayBufferView): number;
  /** What word 8 of the region's header ought to hold. The buffer may be longer than the region. */
  regionChecksum(bytes: ArrayBufferView): number;
  /**
   * Asks for huge pages, or for small ones only; `false` where the system does not take the advice.
   */
  regionAdvise(bytes: ArrayBufferView, hugePages: boolean): boolean;
  /** Prefers a NUMA node for the pages, those that are there included. */
  regionBind(bytes: ArrayBufferView, node: number): void;
  /**
   * Maps a file. The bytes can be read and written, and what is written stays in this mapping, the
   * file never changes: `copyOnWrite` only says whether someone means to. `status[0]` becomes
   * non-zero once a part of the file could not be read and zeros took its place: look after the
   * reads it vouches for.
   *
   * The buffer is a SharedArrayBuffer where the file can be laid into one (`'shared'`), else an
   * external ArrayBuffer, else, where the runtime allows none, a copy, and then `copied` is true.
   * `strategy` names the first of these to try.
   */
  fileMap(
    path: string,
    copyOnWrite: boolean,
    strategy?: 'shared' | 'external' | 'copy',
  ): { buffer: ArrayBuffer | SharedArrayBuffer; status: Int32Array<ArrayBuffer>; copied: boolean };
  /**
   * Lets go of the file under a buffer of {@link fileMap}; twice is fine. A SharedArrayBuffer reads
   * as zeros from then on, and its memory goes when it is collected; an ArrayBuffer is detached,
   * its views have length 0, and the file is unmapped in the next turn of the event loop.
   */
  fileUnmap(buffer: ArrayBuffer | SharedArrayBuffer): void;
  /** How many files are mapped in this process. */
  fileMappings(): number;
  /**
   * Whether the process may make `count` more memory mappings and then have no more than `percent`
   * hundredths of what the system allows it. If so they count as made.
   */
  mappingsReserve(count: number, percent: number): boolean;

  // fixedpool.cc. `bytes` views the whole buffer of a pool.
  /** The check in constant time that attaching makes. */
  fixedpoolCheck(bytes: Uint8Array): void;
  /** The whole proof. */
  fixedpoolValidate(bytes: Uint8Array): void;
  /** Allocates blocks until the pool is full or `offsets` is; returns how many. */
  fixedpoolAllocMany(bytes: Uint8Array, size: number, offsets: Float64Array): number;
  /** Frees blocks; stops at the first that is none, with its error. */
  fixedpoolFreeMany(bytes: Uint8Array, offsets: Float64Array): void;

  // lockfreepool.cc. `bytes` views the whole buffer of a pool; sizes that are 0 are chosen.
  /** How many bytes a pool takes. */
  lockfreepoolRegionSize(
    capacity: number,
    chunk: number,
    smallest: number,
    handles: number,
    flags: number,
  ): number;
  /** Makes an empty pool of zeros. */
  lockfreepoolInit(
    bytes: Uint8Array,
    capacity: number,
    chunk: number,
    smallest: number,
    handles: number,
    flags: number,
  ): void;
  /**
   * A handle of this thread, with a cache if its size is given. It gives back what it holds when it
   * is collected or the thread ends.
   */
  lockfreepoolAttach(bytes: Uint8Array, cacheBytes: number | undefined): PoolHandle;
  lockfreepoolClose(handle: PoolHandle): void;
  /**
   * Where the words are: the fields of `oh_lockfreepool_layout`, then the largest request that the
   * cache serves.
   */
  lockfreepoolLayout(handle: PoolHandle, out: Float64Array): void;
  /** An offset, or -1. */
  lockfreepoolAlloc(handle: PoolHandle, bytes: number): number;
  lockfreepoolFree(handle: PoolHandle, offset: number): void;
  /** How many bytes the allocated block at an offset has. */
  lockfreepoolRoom(handle: PoolHandle, offset: number): number;
  /** Allocates blocks until the pool is full or `offsets` is; returns how many. */
  lockfreepoolAllocMany(handle: PoolHandle, size: number, offsets: Float64Array): number;
  /** Frees blocks; stops at the first that is none, with its error. */
  lockfreepoolFreeMany(handle: PoolHandle, offsets: Float64Array): void;
  /** The fields of `oh_lockfreepool_stats`, then the bytes that the cache holds. */
  lockfreepoolStats(handle: PoolHandle, out: Float64Array): void;
  lockfreepoolSuspects(handle: PoolHandle): number[];
  /** For handles with a cache. */
  lockfreepoolFlush(handle: PoolHandle): void;
  lockfreepoolValidate(bytes: Uint8Array): void;

  // hashmap.cc. `bytes` views the whole buffer of a map; columns are typed arrays of exactly the
  // map's types.
  /** How many bytes a region would take after {@link hashmapRebuild} with these capacities. */
  hashmapRebuildRegionSize(bytes: Uint8Array, capacity: number, heapCapacity: number): number;
  /**
   * Squeezes out dead entries and gives the map new capacities, in place. `bytes` must be long
   * enough.
   */
  hashmapRebuild(bytes: Uint8Array, capacity: number, heapCapacity: number): void;
  hashmapClear(bytes: Uint8Array): void;
  /** Fills `values` where keys are found, and `found` with 1 and 0. Returns how many were found. */
  hashmapGetMany(
    bytes: Uint8Array,
    keys: ArrayBufferView,
    values: ArrayBufferView,
    found: Uint8Array | undefined,
  ): number;
  hashmapHasMany(bytes: Uint8Array, keys: ArrayBufferView, found: Uint8Array): number;
  /**
   * Sets from index `from` on. Returns where it stopped: at the end, or at the first that found the
   * map full.
   */
  hashmapSetMany(bytes: Uint8Array, keys: ArrayBufferView, values: ArrayBufferView, from: number): number;
  /** Returns how many were there. */
  hashmapDeleteMany(bytes: Uint8Array, keys: ArrayBufferView): number;
  /** Handles of keys, -1 where a key is missing. Returns how many were found. */
  hashmapHandlesOf(bytes: Uint8Array, keys: ArrayBufferView, out: Float64Array): number;
  hashmapGetManyByHandle(
    bytes: Uint8Array,
    handles: Float64Array,
    values: ArrayBufferView,
    found: Uint8Array | undefined,
  ): number;
  /** The check in constant time that opening makes. */
  hashmapCheck(bytes: Uint8Array): void;
  /** The whole proof. */
  hashmapValidate(bytes: Uint8Array): void;

  // smallmap_arena.cc. `bytes` views the whole buffer of an arena; columns are typed arrays of its types,
  // Uint32Arrays of ids for strings.
  /** How many bytes a region would take after {@link smallmapArenaMakeRoom} with the same numbers. */
  smallmapArenaRoomRegionSize(
    bytes: Uint8Array,
    maps: number,
    blocks: number,
    positions: number,
    strings: number,
    heap: number,
  ): number;
  /** Rearranges an arena so that so much more fits. `bytes` must be long enough. */
  smallmapArenaMakeRoom(
    bytes: Uint8Array,
    maps: number,
    blocks: number,
    positions: number,
    strings: number,
    heap: number,
  ): void;
  /** Gives up all that is not in use. */
  smallmapArenaFit(bytes: Uint8Array): void;
  /** Moves the 8 entries of a map to the table. */
  smallmapArenaPromote(bytes: Uint8Array, id: number): void;
  smallmapArenaClear(bytes: Uint8Array, id: number): void;
  smallmapArenaRelease(bytes: Uint8Array, id: number): void;
  /** Fills `values` where keys are found, and `found` with 1 and 0. Returns how many were found. */
  smallmapArenaGetMany(
    bytes: Uint8Array,
    ids: Float64Array | Uint32Array,
    keys: ArrayBufferView,
    values: ArrayBufferView,
    found: Uint8Array | undefined,
  ): number;
  /**
   * Sets from index `from` on. Returns where it stopped: at the end, or at the first that found the
   * arena full.
   */
  smallmapArenaSetMany(
    bytes: Uint8Array,
    ids: Float64Array | Uint32Array,
    keys: ArrayBufferView,
    values: ArrayBufferView,
    from: number,
  ): number;
  /** The check in constant time that opening makes. */
  smallmapArenaCheck(bytes: Uint8Array): void;
  /** The whole proof. */
  smallmapArenaValidate(bytes: Uint8Array): void;

  // bitvector.cc. `bytes` views the whole buffer; positions and outputs are typed arrays of any
  // type.
  bitvectorSetLength(bytes: Uint8Array, length: number): void;
  bitvectorSetCapacity(bytes: Uint8Array, capacity: number): void;
  /** One more than the largest position. */
  bitvectorLengthFor(positions: ArrayBufferView): number;
  bitvectorSetMany(bytes: Uint8Array, positions: ArrayBufferView, bit: boolean): void;
  /** Copies bytes over the first bits. */
  bitvectorLoad(bytes: Uint8Array, from: ArrayBufferView): void;
  bitvectorCount(bytes: Uint8Array, from: number, to: number): number;
  bitvectorFill(bytes: Uint8Array, from: number, to: number, bit: boolean): void;
  bitvectorInvert(bytes: Uint8Array, from: number, to: number): void;
  /** `op`: 1 and, 2 or, 3 xor, 4 and not. */
  bitvectorCombine(bytes: Uint8Array, op: number, other: Uint8Array, from: number, to: number): void;
  /** The first bit of that value at `from` or after it; -1 if there is none. */
  bitvectorNext(bytes: Uint8Array, from: number, bit: boolean): number;
  /** Positions of ones from `from` on, as many as `out` has room for. Returns how many. */
  bitvectorOnes(bytes: Uint8Array, from: number, out: ArrayBufferView): number;
  bitvectorValidate(bytes: Uint8Array): void;

  // rankselect.cc
  /** Counts ones, picks a variant where it is 0, and tells how long the region will be. */
  rankselectPlan(
    bits: Uint8Array,
    variant: number,
  ): { variant: number; length: number; ones: number; regionSize: number };
  /** Fills the region that was planned. */
  rankselectBuild(bytes: Uint8Array, bits: Uint8Array, variant: number, length: number, ones: number): void;
  /** `query`: 1 rank1, 2 rank0, 3 select1, 4 select0. */
  rankselectMany(bytes: Uint8Array, query: number, questions: ArrayBufferView, out: ArrayBufferView): void;
  rankselectValidate(bytes: Uint8Array): void;

  // compress.cc
  /** A handle for {@link dictionaryTrain} to fill. */
  dictionaryNew(): DictionaryHandle;
  /**
   * Trains on texts, one after another; `ends` says where each ends. `maxBytes` 0: as many as help.
   */
  dictionaryTrain(
    into: DictionaryHandle,
    text: Uint8Array,
    ends: Float64Array,
    maxBytes: number,
    control: Int32Array,
  ): Promise<boolean>;
  /** Prepares a dictionary from a copy of its bytes. */
  dictionaryOpen(bytes: Uint8Array): DictionaryHandle;
  /** Bytes of its region, and a copy of those. */
  dictionaryRegionSize(dictionary: DictionaryHandle): number;
  dictionaryCopy(dictionary: DictionaryHandle, out: Uint8Array): void;
  dictionaryStats(dictionary: DictionaryHandle): {
    identity: bigint;
    content: number;
    phrases: number;
    contexts: number;
  };
  dictionaryValidate(dictionary: DictionaryHandle): void;
  /**
   * How many bytes were written to `out`, from `at` on; -1 where it has no room for one more than
   * `bytes` has, or they overlap. More than those may be written to.
   */
  compress(
    dictionary: DictionaryHandle,
    level: number,
    bytes: Uint8Array,
    out: Uint8Array,
    at: number,
  ): number;
  /**
   * How many bytes were written to `out`, from `at` on, or -1 where they do not fit, or it overlaps
   * `bytes`.
   */
  decompress(dictionary: DictionaryHandle, bytes: Uint8Array, out: Uint8Array, at: number): number;
  recordstoreBuilderNew(dictionary: DictionaryHandle, level: number): RecordStoreBuilderHandle;
  /** One at a time: wait for the promise. */
  recordstoreBuilderPush(
    builder: RecordStoreBuilderHandle,
    text: Uint8Array,
    ends: Float64Array,
  ): Promise<boolean>;
  /**
   * Resolves to whether the records were compressed anew with this dictionary, because it makes the
   * samples smaller.
   */
  recordstoreBuilderAdapt(
    builder: RecordStoreBuilderHandle,
    dictionary: DictionaryHandle,
    text: Uint8Array,
    ends: Float64Array,
    control: Int32Array,
  ): Promise<boolean>;
  recordstoreBuilderRegionSize(builder: RecordStoreBuilderHandle): number;
  recordstoreBuilderWrite(builder: RecordStoreBuilderHandle, bytes: Uint8Array): Promise<boolean>;
  /** Gives its memory back; it must not be used again. */
  recordstoreBuilderFree(builder: RecordStoreBuilderHandle): void;
  /** Opens a store where it lies: the region's memory must outlive every use of the handle. */
  recordstoreOpen(bytes: Uint8Array): RecordStoreHandle;
  /**
   * As {@link decompress}, for a record, for one as a string, and for many, whose ends are written
   * to `ends`.
   */
  recordstoreGet(records: RecordStoreHandle, index: number, out: Uint8Array, at: number): number;
  recordstoreGetString(records: RecordStoreHandle, index: number, out: Uint8Array): string | -1;
  recordstoreGetMany(
    records: RecordStoreHandle,
    indices: Float64Array,
    ends: Float64Array,
    out: Uint8Array,
  ): number;
  recordstoreValidate(records: RecordStoreHandle): void;

  // bloomfilter.cc. `bytes` views the whole buffer; keys are a typed array of numbers, or hashed,
  // two words each.
  bloomfilterAddNumbers(bytes: Uint8Array, keys: ArrayBufferView): void;
  /** 1 or 0 into `out` for each. */
  bloomfilterHasNumbers(bytes: Uint8Array, keys: ArrayBufferView, out: Uint8Array): void;
  bloomfilterAddHashed(bytes: Uint8Array, keys: Uint32Array): void;
  bloomfilterHasHashed(bytes: Uint8Array, keys: Uint32Array, out: Uint8Array): void;
  /** How many bits are set. */
  bloomfilterOnes(bytes: Uint8Array): number;
  bloomfilterValidate(bytes: Uint8Array): void;

  // rollinghash.cc.
  /**
   * Where the search for a small hash ended that begins behind the first `window` bytes, whose hash
   * is `hash`: how many bytes were taken in, the hash there, and whether the search was for this
   * one, into `out`.
   */
  rollinghashScan(bytes: Uint8Array, window: number, hash: number, bits: number, out: Float64Array): void;

  // suffixarray.cc. `bytes` views the region.
  /** Sorts the suffixes of a text that lies in its place already, and writes the header. */
  suffixarrayBuild(bytes: Uint8Array, length: number): void;
  /** Resolves to whether it was done; `control` is of `src/region/background.ts`. */
  suffixarrayBuildAsync(bytes: Uint8Array, length: number, control: Int32Array): Promise<boolean>;
  suffixarrayValidate(bytes: Uint8Array): void;

  // eliasfano.cc. As for packedints.cc, below.
  /** The largest of the values. Throws unless they ascend, and are integers from 0 on. */
  eliasfanoMeasure(values: ArrayBufferView): number;
  /** Stores values into `bytes`, header and all. */
  eliasfanoInit(bytes: Uint8Array, values: ArrayBufferView, max: number): void;
  eliasfanoGetMany(bytes: Uint8Array, indices: ArrayBufferView, out: ArrayBufferView): void;
  /** How many are less than each of the values. */
  eliasfanoRankMany(bytes: Uint8Array, values: ArrayBufferView, out: ArrayBufferView): void;
  /** As many values as `out` holds, from index `from` on. */
  eliasfanoUnpack(bytes: Uint8Array, from: number, out: ArrayBufferView): void;
  eliasfanoValidate(bytes: Uint8Array): void;

  // mappedfile.cc. Files are opaque; `bytes` and `target` are views of memory that is not collected
  // meanwhile.
  /**
   * Opens a regular file; one that is to be read, and small, comes as its content. `strategy` is
   * its number, 4 for the one that suits the size; limits of 0 are the defaults.
   */
  openfileOpen(
    path: string,
    writable: boolean,
    strategy: number,
    bufferedUpTo: number,
    hugeFrom: number,
    room: Uint8Array,
    from: number,
    facts: Float64Array,
  ): number | Buffer | object;
  /**
   * What to do with the file; with `look`, by its size now. To `facts`: its size, a strategy, what
   * its address should be a multiple of (1 if any page will do), and the size of a page.
   */
  openfilePlan(file: object, look: boolean, facts: Float64Array): void;
  openfileRead(file: object, bytes: Uint8Array): void;
  openfileWrite(file: object, bytes: Uint8Array): void;
  /**
   * Lays the file over `target`, which begins on a page in a buffer that reserves `capacity` bytes
   * from there on, the last page of which is native code's. What it was laid over before stays
   * until its buffer is collected, and is forgotten here. Returns the strategy obtained.
   * `ERR_OFFHEAP_UNSUPPORTED` where that can not be done.
   */
  openfileMap(file: object, target: Uint8Array, capacity: number, advice: number): number;
  /**
   * Throws `ERR_OFFHEAP_IO` if the file is shorter now than what is mapped of it, or some of that
   * could not be read.
   */
  openfileCheck(file: object): void;
  /** Whether a part of what is mapped could not be read, and zeros took its place. */
  openfileLost(file: object): boolean;
  /** Forgets what was mapped, which stays until its buffer is collected. */
  openfileForget(file: object): void;
  openfileSync(file: object): void;
  openfileClose(file: object): void;
  /** Copies `length` bytes from each of the offsets to `out`, which has room for exactly those. */
  memoryGather(bytes: Uint8Array, offsets: ArrayBufferView, length: number, out: Uint8Array): void;
  memoryLock(bytes: Uint8Array): void;
  memoryUnlock(bytes: Uint8Array): void;
  /** How many pages of these are in memory. */
  memoryResident(bytes: Uint8Array): number;
  /** An `OH_ADVICE_…`; `false` where the system does not take it. */
  memoryAdvise(bytes: Uint8Array, advice: number): boolean;

  // mmapvector.cc. Files are opaque, and as those of mappedfile.cc.
  vectorfileCreate(path: string, type: number): object;
  vectorfileOpen(path: string, writable: boolean): object;
  vectorfileInfo(file: object): { type: number; recovered: boolean; committed: number; page: number };
  /**
   * Room for `length` elements, on the disk (a writer) and from the start of `target` on. As {@link
   * openfileMap}.
   */
  vectorfileMap(file: object, target: Uint8Array, capacity: number, length: number): void;
  vectorfileLost(file: object): boolean;
  vectorfileForget(file: object): void;
  /** Makes the first `length` elements what survives a crash. */
  vectorfileCommit(file: object, length: number): void;
  /** The same off this thread. `false` if the file was closed before it began. */
  vectorfileCommitAsync(file: object, length: number): Promise<boolean>;
  /**
   * What was stored behind the first `length` elements may be forgotten; the blocks stay. Nobody
   * stores there meanwhile.
   */
  vectorfileDiscard(file: object, length: number): void;
  /** How many elements are committed now. */
  vectorfileRefresh(file: object): number;
  vectorfileValidate(file: object): void;
  /** Waits for the commit that runs. */
  vectorfileClose(file: object): void;

  // packedints.cc. `bytes` views the whole buffer; values, indices and outputs are typed arrays of
  // any type.
  /** How many bits the largest of the values needs. Throws for one that is no integer from 0 on. */
  packedintsMeasure(values: ArrayBufferView): number;
  /** Packs values into `bytes`, header and all. */
  packedintsInit(bytes: Uint8Array, values: ArrayBufferView, bits: number, bigint: boolean): void;
  /** As many integers as there are indices. */
  packedintsGetMany(bytes: Uint8Array, indices: ArrayBufferView, out: ArrayBufferView): void;
  /** As many integers as `out` holds, from index `from` on. */
  packedintsUnpack(bytes: Uint8Array, from: number, out: ArrayBufferView): void;
  packedintsValidate(bytes: Uint8Array): void;

  // vector.cc. `bytes` views the buffer from the region's first byte on; `value` is an array of one
  // element, whose type must be the vector's.
  /** Makes the region so long, in a buffer that is. */
  vectorSetRegion(bytes: Uint8Array, length: number): void;
  vectorSetLength(bytes: Uint8Array, length: number): void;
  /** Writes zeros past the elements. */
  vectorZeroUnused(bytes: Uint8Array): void;
  vectorCheck(bytes: Uint8Array): void;
  vectorValidate(bytes: Uint8Array): void;
  vectorFill(bytes: Uint8Array, value: ArrayBufferView, from: number, to: number): void;
  vectorSum(bytes: Uint8Array, wide: false): number;
  vectorSum(bytes: Uint8Array, wide: boolean): number | bigint;
  /** Puts the least or greatest element into `out`. `false`: there is none. */
  vectorExtreme(bytes: Uint8Array, greatest: boolean, out: ArrayBufferView): boolean;
  /** -1: it is not there. */
  vectorIndexOf(bytes: Uint8Array, value: ArrayBufferView, from: number, nan: boolean): number;
  /** For each value the index of it, or -(i + 1) with the index to insert it at. */
  vectorSearch(bytes: Uint8Array, values: ArrayBufferView, out: Float64Array): void;
  vectorSort(bytes: Uint8Array): void;
  /** Resolves to whether it was done; `control` is of `src/region/background.ts`. */
  vectorSortAsync(bytes: Uint8Array, control: Int32Array): Promise<boolean>;
  vectorArgsort(bytes: Uint8Array, out: Uint32Array | Float64Array): void;
  vectorArgsortAsync(
    bytes: Uint8Array,
    out: Uint32Array | Float64Array,
    control: Int32Array,
  ): Promise<boolean>;
}

/** Where the addon was looked for, and what came of it. The doctor shows this. */
export interface NativeReport {
  /** The file that was loaded, or `undefined` while none is. */
  path: string | undefined;
  /** Whether it is the one that the package ships, or was built on this machine. */
  source: 'prebuild' | 'build' | undefined;
  /** Each file that was tried before, with the reason it was not loaded. */
  failures: { path: string; reason: string }[];
}

let binding: NativeBinding | undefined;
let failure: OffheapError | undefined;
const report: NativeReport = { path: undefined, source: undefined, failures: [] };

/** The addon, loaded at the first call. Throws `ERR_OFFHEAP_NATIVE` where it can not be. */
export function native(): NativeBinding {
  return binding ?? load();
}

/** How loading went. Does not load. */
export function nativeReport(): NativeReport {
  return { ...report, failures: report.failures.map((entry) => ({ ...entry })) };
}

/**
 * The folder of this package: the nearest one above this file whose package.json is ours. The same
 * from `dist/`, from `src/` under a test runner, and, through `node_modules`, from within a bundle.
 */
export function packageRoot(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let folder = here; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) {
      const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: unknown };
      if (name === 'offheap') return folder;
    }
    if (folder === dirname(folder)) break;
  }
  try {
    return dirname(createRequire(import.meta.url).resolve('offheap/package.json'));
  } catch (cause) {
    throw offheapError(
      'ERR_OFFHEAP_NATIVE',
      `the folder of the package offheap was not found above ${here}`,
      {
        cause,
      },
    );
  }
}

function candidates(root: string): { path: string; source: 'prebuild' | 'build' }[] {
  const plain = `${platform}-${arch}`;
  const names = [plain];
  if (platform === 'linux') {
    // A binary for the other C library does not load, so both may be tried; the likely one goes
    // first.
    if (existsSync('/etc/alpine-release')) names.unshift(`${plain}-musl`);
    else names.push(`${plain}-musl`);
  }
  return [
    ...names.map((name) => ({
      path: join(root, 'prebuilds', name, 'offheap.node'),
      source: 'prebuild' as const,
    })),
    { path: join(root, 'build', 'Release', 'offheap.node'), source: 'build' as const },
  ];
}

function load(): NativeBinding {
  // A machine that could not load it once will not the next time: say the same again, quickly.
  if (failure !== undefined) throw failure;
  const root = packageRoot();
  const require = createRequire(join(root, 'package.json'));
  for (const { path, source } of candidates(root)) {
    if (!existsSync(path)) {
      report.failures.push({ path, reason: 'no such file' });
      continue;
    }
    try {
      const loaded = require(path) as NativeBinding;
      loaded.setErrorFactory(offheapError);
      report.path = path;
      report.source = source;
      return (binding = loaded);
    } catch (error) {
      report.failures.push({ path, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  const tried = report.failures.map(({ path, reason }) => `\n  ${path}: ${reason}`).join('');
  failure = offheapError(
    'ERR_OFFHEAP_NATIVE',
    `offheap has no native binary that loads on ${platform}-${arch} with Node ${process.version}. ` +
      'In a clone of the repository, `npm run build` makes one (it needs Rust, CMake and a C++ compiler); ' +
      `an installed package should contain it under prebuilds/. Tried:${tried}`,
  );
  throw failure;
}
