/**
 * BloomFilter: approximate membership in about ten bits per key, with false positives at a chosen
 * rate and without false negatives. A key touches one cache line (Putze, Sanders and Singler,
 * "Cache-, hash- and space-efficient Bloom filters", 2007), and sets one bit in each of its eight
 * lanes, as in Impala and Parquet. `docs/formats/compress.md` specifies the bytes.
 *
 * Bits are only ever set, each by one atomic step, so readers on other threads see all keys that
 * were added so far.
 */
import type { PathLike } from 'node:fs';
import { inspect, type InspectOptionsStylized } from 'node:util';
import { allocating, rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { toArray } from '../region/arguments.js';
import {
  attachStructure,
  constructing,
  inspectIfOpen,
  openStructure,
  regionStats,
  setTag,
  structureFromBytes,
  type RegionStats,
} from '../region/face.js';
import type { OpenOptions } from '../region/file.js';
import { align, HEADER_BYTES, readLong, WORD, writeHeader, writeLong } from '../region/format.js';
import { checkInteger, describe } from '../region/options.js';
import { NO_PLACEMENT, randomSeed, Region } from '../region/region.js';
import { Structure } from '../region/structure.js';
import { OWNER, RegionSource, RegionTable } from '../region/table.js';
import type { Token } from '../region/token.js';
import { intrinsicLength, intrinsicName, type AnyTypedArray, refuseDetached } from '../region/typed-array.js';
import {
  addHashed,
  BLOCK_WORDS,
  blocksFor,
  hasHashed,
  hashKey,
  rateWords,
  type HashedFilter,
} from './bloom-hash.js';
import { FILTER, MAX_BLOCKS, readFilter, readRate } from './layout.js';

/**
 * A key: numbers by value, strings as their UTF-8, or bytes. A string and its bytes are the same
 * key.
 */
export type BloomKey = number | string | Uint8Array;

/** The result of {@link BloomFilter.stats}. */
export interface BloomFilterStats extends RegionStats {
  /** The number of keys that the filter was made for. */
  capacity: number;
  /** The rate of false positives once it contains that many keys. */
  rate: number;
  /** Cache lines of 64 bytes. */
  blocks: number;
  /** The fraction of bits that are set. */
  fill: number;
}

const NO_WORDS = new Int32Array(BLOCK_WORDS);

class BloomFilterTable extends RegionTable<'bloomfilter'> implements HashedFilter {
  words: Int32Array = NO_WORDS;
  blocks = 1;
  seed0 = 0;
  seed1 = 0;
  version = 0;
  blockHash = 0;
  lanes = 0;

  get kind(): 'bloomfilter' {
    return 'bloomfilter';
  }

  get label(): string {
    return 'Bloom filter';
  }

  bindViews(what: string): void {
    const { region } = this;
    const { head } = region;
    this.blocks = readFilter(head, region.bytes.length, what).blocks;
    this.seed0 = head[WORD.seed0];
    this.seed1 = head[WORD.seed1];
    this.version = head[WORD.kindVersion];
    this.words = new Int32Array(region.buffer, HEADER_BYTES, this.blocks * BLOCK_WORDS);
  }

  dropViews(): void {
    this.words = NO_WORDS;
    this.blocks = 1;
  }

  check(region: Region, length: number, what: string): void {
    readFilter(region.head, length, what);
  }
}

/**
 * A set with false positives, but no false negatives.
 *
 * ```ts
 * const seen = new BloomFilter(1_000_000, 0.01);
 * seen.add('apple');
 * seen.has('apple'); // true
 * seen.has('pear'); // false; true for one absent key in a hundred
 * ```
 *
 * Errors, of every method: `ERR_OFFHEAP_TYPE` for a value that cannot be a key,
 * `ERR_OFFHEAP_CLOSED` after `close()`, `ERR_OFFHEAP_UNSUPPORTED` for adding to another thread's
 * filter or a file opened with mode `r`.
 */
export class BloomFilter extends Structure<'bloomfilter'> {
  readonly #table: BloomFilterTable;

  static {
    setTag(this.prototype, 'BloomFilter');
  }
  declare readonly [Symbol.toStringTag]: string;

  /**
   * A filter for `n` keys at this rate of false positives, greater than 0 and less than 1. Throws
   * `ERR_OFFHEAP_RANGE` if it would need more than 4 GiB.
   */
  constructor(n: number, rate: number);
  /** @internal */
  constructor(source: RegionSource);
  constructor(from: number | RegionSource, rate?: number) {
    const source = from instanceof RegionSource ? from : create(from, rate);
    const table = new BloomFilterTable(source.region);
    table.initialize(source);
    super(table);
    this.#table = table;
  }

  /** Adds a key. O(1), one cache line. */
  add(key: BloomKey): this {
    const table = this.#table;
    if (table.role !== OWNER) table.beforeWrite();
    hashKey(table, key);
    addHashed(table);
    return this;
  }

  /** Whether a key was added; `true` for absent keys at the filter's rate. O(1), one cache line. */
  has(key: BloomKey): boolean {
    const table = this.#table;
    if (table.role === OWNER) {
      hashKey(table, key);
      return hasHashed(table);
    }
    table.beforeRead();
    hashKey(table, key);
    return table.read(() => hasHashed(table));
  }

  /**
   * Adds many keys: a typed array of numbers, or any iterable. If one is not a key, those before it
   * were added. For filters larger than the caches several times as fast as single calls.
   */
  addMany(keys: Iterable<BloomKey> | ArrayLike<number>): this {
    const list = listOf(keys);
    const table = this.#table;
    table.beforeWrite();
    const { bytes } = table.region;
    if (!Array.isArray(list)) {
      native().bloomfilterAddNumbers(bytes, list);
      return this;
    }
    const hashed = newHashes(list.length);
    let count = 0;
    try {
      for (; count < list.length; count++) putHash(table, hashed, count, list[count]);
    } finally {
      native().bloomfilterAddHashed(bytes, hashed.subarray(0, count * 2));
    }
    return this;
  }

  /** {@link BloomFilter.has} for many keys: 1 for true, 0 for false. */
  hasMany(keys: Iterable<BloomKey> | ArrayLike<number>): Uint8Array {
    const list = listOf(keys);
    const table = this.#table;
    table.beforeRead();
    if (!Array.isArray(list)) {
      const out = newAnswers(intrinsicLength(list));
      table.read(() => native().bloomfilterHasNumbers(table.region.bytes, list, out));
      return out;
    }
    const hashed = newHashes(list.length);
    for (let i = 0; i < list.length; i++) putHash(table, hashed, i, list[i]);
    const out = newAnswers(list.length);
    table.read(() => native().bloomfilterHasHashed(table.region.bytes, hashed, out));
    return out;
  }

  /** Counts and sizes. Counts the bits that are set: O(bytes). */
  stats(): BloomFilterStats {
    const table = this.#table;
    table.beforeRead();
    const { region, blocks } = table;
    const set = table.read(() => native().bloomfilterOnes(table.region.bytes));
    return {
      capacity: readLong(region.head, FILTER.capacity),
      rate: readRate(region.head),
      blocks,
      fill: set / (blocks * 512),
      ...regionStats(region),
    };
  }

  /**
   * Verifies what opening does not check: the checksum, and header words that must be zero. Throws
   * `ERR_OFFHEAP_CORRUPT`. O(bytes).
   */
  validate(): void {
    const table = this.#table;
    table.read(() => native().bloomfilterValidate(table.region.bytes));
  }

  /** A filter that another thread shared: it sees the keys that are added. */
  static attach(token: Token): BloomFilter {
    return attachStructure(token, 'bloomfilter', constructing<BloomFilter>(this, BloomFilter));
  }

  /** Opens a saved filter by mapping its file. */
  static open(path: PathLike, options?: OpenOptions): BloomFilter {
    return openStructure(path, options, constructing<BloomFilter>(this, BloomFilter));
  }

  /** A filter from the bytes of {@link BloomFilter.toBytes}, which are copied. */
  static fromBytes(bytes: Uint8Array): BloomFilter {
    return structureFromBytes(bytes, constructing<BloomFilter>(this, BloomFilter));
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const table = this.#table;
    return inspectIfOpen('BloomFilter', table.describeState(), options, () => {
      return `BloomFilter(${table.blocks * 64} bytes) { rate: ${readRate(table.region.head)} }`;
    });
  }
}

function create(n: unknown, rate: unknown): RegionSource {
  const capacity = checkInteger(n, 'n', 0, Number.MAX_SAFE_INTEGER);
  if (typeof rate !== 'number') throw typeError(`rate must be a number, not ${describe(rate)}`);
  if (!(rate > 0 && rate < 1)) throw rangeError(`rate must be more than 0 and less than 1, not ${rate}`);
  const blocks = blocksFor(capacity, rate);
  if (blocks > MAX_BLOCKS) throw rangeError(`${capacity} keys at a rate of ${rate} take more than 4 GiB`);
  const length = align(HEADER_BYTES + blocks * 64);
  const region = Region.allocate(length, NO_PLACEMENT);
  writeHeader(region.head, 'bloomfilter', length, randomSeed());
  writeLong(region.head, FILTER.blocks, blocks);
  writeLong(region.head, FILTER.capacity, capacity);
  region.head.set(rateWords(rate), FILTER.rate);
  return new RegionSource(region, true, 'the new filter');
}

/** Typed arrays of numbers that native code reads as they are. */
const NUMBERS = new Set([
  'Uint8Array',
  'Uint8ClampedArray',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float32Array',
  'Float64Array',
]);

/** A typed array of numbers as it is, anything else as an array. Runs user code. */
function listOf(keys: unknown): AnyTypedArray | unknown[] {
  if (typeof keys !== 'object' || keys === null)
    throw typeError(`keys must be an iterable of keys, not ${describe(keys)}`);
  if (!NUMBERS.has(intrinsicName(keys)!)) return toArray(keys, 'keys');
  refuseDetached(keys as AnyTypedArray, 'keys');
  return keys as AnyTypedArray;
}

function putHash(state: HashedFilter, hashed: Uint32Array, index: number, key: unknown): void {
  hashKey(state, key);
  hashed[index * 2] = state.blockHash;
  hashed[index * 2 + 1] = state.lanes;
}

function newHashes(count: number): Uint32Array {
  return allocating('hashes', count * 8, () => new Uint32Array(count * 2));
}

function newAnswers(count: number): Uint8Array {
  return allocating('answers', count, () => new Uint8Array(count));
}
