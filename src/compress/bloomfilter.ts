/**
 * BloomFilter: whether a key was added, in about ten bits a key; sometimes it says yes of a
 * stranger, never no of a key. A key touches one cache line (Putze, Sanders and Singler, "Cache-,
 * hash- and space-efficient Bloom filters", 2007), and sets one bit in each of its eight lanes, as
 * in Impala and Parquet. `docs/formats/compress.md` specifies the bytes.
 *
 * Bits are only ever set, each by one atomic step, so readers on other threads see what was added
 * so far.
 */
import { inspect, type InspectOptionsStylized } from 'node:util';
import { isUint8Array } from 'node:util/types';
import { allocating, rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { toArray } from '../region/arguments.js';
import type { AnyTypedArray } from '../region/typed-array.js';
import { type OpenOptions } from '../region/file.js';
import { align, HEADER_BYTES, readLong, WORD, writeHeader, writeLong } from '../region/format.js';
import { checkInteger, describe } from '../region/options.js';
import { randomSeed, NO_PLACEMENT, Region, type Origin } from '../region/region.js';
import { attachStructure, openStructure, structureFromBytes } from '../region/face.js';
import { LegacyStructure } from '../region/legacy.js';
import { RegionSource, OWNER } from '../region/table.js';
import type { Token } from '../region/token.js';
import { intrinsicLength, intrinsicName } from '../region/typed-array.js';
import { FILTER, MAX_BLOCKS, readFilter, readRate } from './layout.js';

/**
 * What can be added: numbers by value, strings as their UTF-8, bytes; a string and its bytes are
 * one key.
 */
export type BloomKey = number | string | Uint8Array;

/** What {@link BloomFilter.stats} tells. */
export interface BloomFilterStats {
  /** For how many keys it was made. */
  capacity: number;
  /** At which rate of wrong answers, once there are so many. */
  rate: number;
  /** Cache lines of 64 bytes. */
  blocks: number;
  /** Of the bits, how many are set. */
  fill: number;
  byteLength: number;
  origin: Origin;
  shared: boolean;
}

/** Words of 32 bits in a block, two for each lane. */
const BLOCK_WORDS = 16;
const LANES = 8;
const TWO_32 = 2 ** 32;
const NOTHING = new Int32Array(BLOCK_WORDS);

const number = new Float64Array(1);
const numberWords = new Int32Array(number.buffer);
const text = new Uint8Array(256);
const encoder = new TextEncoder();

/** How often a filter with so many keys for each block says yes to a stranger. */
function rateOf(keysPerBlock: number): number {
  // Of a key in the same block the stranger may have all 32 bits that choose lanes.
  let sum = keysPerBlock / TWO_32;
  // Keys in a block follow Poisson's law; each sets one bit of 64 in each lane.
  let [weight, clear] = [Math.exp(-keysPerBlock), 1];
  const most = keysPerBlock + 12 * Math.sqrt(keysPerBlock) + 30;
  for (let keys = 0; keys < most;) {
    sum += weight * (1 - clear) ** LANES;
    keys++;
    weight *= keysPerBlock / keys;
    clear *= 63 / 64;
  }
  return sum;
}

/**
 * How many blocks keep so many keys below the rate. By halving: forty steps, so that the last still
 * are far from where Rust's rounding (`native/core/src/compress/bloom/layout.rs`) could decide
 * otherwise.
 */
function blocksFor(capacity: number, rate: number): number {
  let [low, high] = [1e-9, 600];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (rateOf(middle) < rate) low = middle;
    else high = middle;
  }
  return Math.max(1, Math.ceil(capacity / low));
}

function mix(word: number): number {
  let x = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

/** The two halves of the state between two words of a key: the first, then the second with it. */
function stirA(a: number, word: number): number {
  const x = Math.imul(a ^ word, 0x85ebca6b);
  return (x << 13) | (x >>> 19);
}

function stirB(a: number, b: number, word: number): number {
  const x = Math.imul(b ^ word, 0xc2b2ae35);
  return (((x << 17) | (x >>> 15)) + a) | 0;
}

/**
 * A set that may be wrong about strangers.
 *
 * ```ts
 * const seen = new BloomFilter(1_000_000, 0.01);
 * seen.add('apple');
 * seen.has('apple'); // true
 * seen.has('pear'); // false, or true for one stranger in a hundred
 * ```
 *
 * Errors, of every method: `ERR_OFFHEAP_TYPE` for what is no key, `ERR_OFFHEAP_CLOSED` after
 * `close()`, `ERR_OFFHEAP_UNSUPPORTED` for adding to another thread's filter or a file opened with
 * mode r.
 */
export class BloomFilter extends LegacyStructure<'bloomfilter'> {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'BloomFilter', configurable: true });
  }
  declare readonly [Symbol.toStringTag]: string;

  private words: Int32Array = NOTHING;
  private blocks = 1;
  private seed0 = 0;
  private seed1 = 0;
  /** The key at hand, hashed: what chooses the block, and what chooses the bits in it. */
  private first = 0;
  private lanes = 0;

  /**
   * For `n` keys, at this rate of wrong answers, more than 0 and less than 1. `ERR_OFFHEAP_RANGE`
   * for more than 4 GiB.
   */
  constructor(n: number, rate: number);
  /** @internal */
  constructor(adopted: RegionSource);
  constructor(from: number | RegionSource, rate?: number) {
    const adopted = from instanceof RegionSource ? from : create(from, rate);
    super(adopted.region);
    this.initialize(adopted);
  }

  protected get kind(): 'bloomfilter' {
    return 'bloomfilter';
  }

  protected get label(): string {
    return 'Bloom filter';
  }

  protected bindViews(what: string): void {
    const { region } = this;
    const { head } = region;
    this.blocks = readFilter(head, region.bytes.length, what).blocks;
    this.seed0 = head[WORD.seed0];
    this.seed1 = head[WORD.seed1];
    this.words = new Int32Array(region.buffer, HEADER_BYTES, this.blocks * BLOCK_WORDS);
  }

  protected dropViews(): void {
    this.words = NOTHING;
    this.blocks = 1;
  }

  protected check(region: Region, length: number, what: string): void {
    readFilter(region.head, length, what);
  }

  /** Hashes a key: which block, and of what its eight bits are made. */
  private hash(key: unknown): void {
    let [a, b] = [this.seed0, this.seed1];
    if (typeof key === 'number') {
      // −0 is 0, and all NaNs are one. Told apart from eight bytes by a length that none have.
      number[0] = key === 0 ? 0 : key;
      if (key !== key) numberWords.set([0, 0x7ff80000]);
      b ^= -1;
      a = stirA(a, numberWords[0]);
      b = stirB(a, b, numberWords[0]);
      a = stirA(a, numberWords[1]);
      b = stirB(a, b, numberWords[1]);
    } else {
      const bytes = bytesOf(key);
      const length = lengthOf;
      b ^= length;
      let i = 0;
      for (; i + 4 <= length; i += 4) {
        const word = bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
        a = stirA(a, word);
        b = stirB(a, b, word);
      }
      if (i < length) {
        let word = bytes[i];
        if (i + 1 < length) word |= bytes[i + 1] << 8;
        if (i + 2 < length) word |= bytes[i + 2] << 16;
        a = stirA(a, word);
        b = stirB(a, b, word);
      }
    }
    this.first = mix(a ^ ((b << 16) | (b >>> 16)));
    this.lanes = mix(b ^ this.first);
  }

  /** Where the block of the key at hand begins. */
  private get block(): number {
    const block = Math.floor(((this.first >>> 0) * this.blocks) / TWO_32);
    return Math.min(block, this.blocks - 1) * BLOCK_WORDS;
  }

  /** Adds a key. */
  add(key: BloomKey): this {
    if (this.role !== OWNER) this.beforeWrite();
    this.hash(key);
    const { words, block, lanes, hasReaders } = this;
    for (let lane = 0; lane < LANES; lane++) {
      const bit = Math.imul(lanes, SALTS[lane]) >>> 26;
      const at = block + lane * 2 + (bit >>> 5);
      const mask = 1 << (bit & 31);
      if ((words[at] & mask) !== 0) continue;
      // Only this thread writes.
      if (hasReaders) Atomics.or(words, at, mask);
      else words[at] |= mask;
    }
    return this;
  }

  /** Whether a key was added; at the filter's rate also where it was not. */
  has(key: BloomKey): boolean {
    if (this.role === OWNER) {
      this.hash(key);
      return this.found();
    }
    this.beforeRead();
    this.hash(key);
    return this.read(() => this.found());
  }

  private found(): boolean {
    const { words, block, lanes } = this;
    for (let lane = 0; lane < LANES; lane++) {
      const bit = Math.imul(lanes, SALTS[lane]) >>> 26;
      if ((words[block + lane * 2 + (bit >>> 5)] & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }

  /**
   * Adds many keys: a typed array of numbers, or any iterable. Where one is no key, those before it
   * were added. In filters larger than the caches several times as fast as one after the other.
   */
  addMany(keys: Iterable<BloomKey> | ArrayLike<number>): this {
    const list = listOf(keys);
    this.beforeWrite();
    const { bytes } = this.region;
    if (!Array.isArray(list)) {
      native().bloomfilterAddNumbers(bytes, list);
      return this;
    }
    const hashed = newHashes(list.length);
    let count = 0;
    try {
      for (; count < list.length; count++) this.put(hashed, count, list[count]);
    } finally {
      native().bloomfilterAddHashed(bytes, hashed.subarray(0, count * 2));
    }
    return this;
  }

  /** {@link BloomFilter.has} of many keys: 1 for yes, 0 for no. */
  hasMany(keys: Iterable<BloomKey> | ArrayLike<number>): Uint8Array {
    const list = listOf(keys);
    this.beforeRead();
    if (!Array.isArray(list)) {
      const out = newAnswers(intrinsicLength(list));
      this.read(() => native().bloomfilterHasNumbers(this.region.bytes, list, out));
      return out;
    }
    const hashed = newHashes(list.length);
    for (let i = 0; i < list.length; i++) this.put(hashed, i, list[i]);
    const out = newAnswers(list.length);
    this.read(() => native().bloomfilterHasHashed(this.region.bytes, hashed, out));
    return out;
  }

  private put(hashed: Uint32Array, index: number, key: unknown): void {
    this.hash(key);
    hashed[index * 2] = this.first;
    hashed[index * 2 + 1] = this.lanes;
  }

  /** Counts and sizes. Counts bits: O(bytes). */
  stats(): BloomFilterStats {
    this.beforeRead();
    const { region } = this;
    const set = this.read(() => native().bloomfilterOnes(this.region.bytes));
    return {
      capacity: readLong(region.head, FILTER.capacity),
      rate: readRate(region.head),
      blocks: this.blocks,
      fill: set / (this.blocks * 512),
      byteLength: region.buffer.byteLength,
      origin: region.origin,
      shared: region.shared || region.origin === 'attached',
    };
  }

  /**
   * Proves what opening does not: the checksum, and that header words without a meaning are zero.
   * Throws `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    this.read(() => native().bloomfilterValidate(this.region.bytes));
  }

  /** A filter that another thread shared: it sees what was added. */
  static attach(token: Token): BloomFilter {
    return attachStructure(token, 'bloomfilter', make);
  }

  /** Opens a saved filter by mapping its file. */
  static open(path: string, options?: OpenOptions): BloomFilter {
    return openStructure(path, options, make);
  }

  /** A filter out of what {@link BloomFilter.toBytes} gave, which is copied. */
  static fromBytes(bytes: Uint8Array): BloomFilter {
    return structureFromBytes(bytes, make);
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const state = this.describeState();
    if (state !== 'open') return `${options.stylize('BloomFilter', 'special')} { ${state} }`;
    return `BloomFilter(${this.blocks * 64} bytes) { rate: ${readRate(this.region.head)} }`;
  }
}

/** Odd numbers that make eight positions of one hash. */
const SALTS = Int32Array.of(
  0x47b6137b,
  0x44974d91,
  0x8824ad5b,
  0xa2b7289d,
  0x705495c7,
  0x2df1424b,
  0x9efc4947,
  0x5c6bfb31,
);

function make(adopted: RegionSource): BloomFilter {
  return new BloomFilter(adopted);
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
  number[0] = rate;
  region.head.set(numberWords, FILTER.rate);
  return new RegionSource(region, true, 'the new filter');
}

/** Bytes of the key that {@link bytesOf} was given last. */
let lengthOf = 0;

function bytesOf(key: unknown): Uint8Array {
  if (typeof key === 'string') {
    if (key.length * 3 > text.length) {
      const long = encoder.encode(key);
      lengthOf = long.length;
      return long;
    }
    lengthOf = encoder.encodeInto(key, text).written;
    return text;
  }
  if (!isUint8Array(key))
    throw typeError(`a key is a number, a string or a Uint8Array, not ${describe(key)}`);
  lengthOf = intrinsicLength(key);
  return key;
}

/** Arrays of numbers that native code reads as they are. */
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
  return NUMBERS.has(intrinsicName(keys)!) ? (keys as AnyTypedArray) : toArray(keys, 'keys');
}

function newHashes(count: number): Uint32Array {
  return allocating('hashes', count * 8, () => new Uint32Array(count * 2));
}

function newAnswers(count: number): Uint8Array {
  return allocating('answers', count, () => new Uint8Array(count));
}
