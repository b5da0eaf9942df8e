/**
 * The bits of a Bloom filter: the hash of a key, the positions that it chooses, and the number of
 * blocks for a rate of false positives. `native/core/src/compress/bloom` computes the same
 * (`docs/formats/compress.md`).
 *
 * The constants are local to this module: V8 folds them into the code, which it does not do for
 * imported ones. Importing the salts made a lookup a quarter slower.
 */
import { TextEncoder } from 'node:util';
import { isUint8Array } from 'node:util/types';
import { typeError } from '../errors.js';
import { describe } from '../region/options.js';
import { intrinsicLength, refuseDetached } from '../region/typed-array.js';

/** A block has this many lanes of 64 bits; a key sets one bit in each. */
const LANES = 8;
/** Words of 32 bits in a block, two for each lane. */
export const BLOCK_WORDS = 16;
const WORDS = BLOCK_WORDS;
const TWO_32 = 2 ** 32;

/** Odd numbers that derive a bit position in each of the eight lanes from one hash. */
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

const number = new Float64Array(1);
const numberWords = new Int32Array(number.buffer);
const numberBytes = new Uint8Array(number.buffer);
const text = new Uint8Array(256);
const encoder = new TextEncoder();

/** The rate of false positives of a filter with this many keys per block. */
function rateOf(keysPerBlock: number): number {
  // An absent key may share all 32 bits that choose positions with a key in the same block.
  let sum = keysPerBlock / TWO_32;
  // The number of keys in a block has a Poisson distribution; each sets one bit of 64 in each lane.
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
 * The number of blocks that keep the rate of false positives below `rate`. Bisection in forty
 * steps: the last ones are still far larger than the differences between this rounding and Rust's
 * (`native/core/src/compress/bloom/layout.rs`).
 */
export function blocksFor(capacity: number, rate: number): number {
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

/**
 * Updates the first half of the state with a word of the key. Every bit of the word affects every
 * bit of the result, so that the next word cannot cancel it.
 */
function stirA(a: number, word: number): number {
  let x = Math.imul(a ^ word, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 15), 0x9e3779b1);
  return x ^ (x >>> 16);
}

/** The same in version 1 of the format, where the high bits of a word reach only a few bits. */
function firstStirA(a: number, word: number): number {
  const x = Math.imul(a ^ word, 0x85ebca6b);
  return (x << 13) | (x >>> 19);
}

/** Updates the second half of the state with a word of the key and the first half. */
function stirB(a: number, b: number, word: number): number {
  const x = Math.imul(b ^ word, 0xc2b2ae35);
  return (((x << 17) | (x >>> 15)) + a) | 0;
}

/** The words and the seed of a filter, and the hash of one key under that seed. */
export interface HashedFilter {
  words: Int32Array;
  blocks: number;
  hasReaders: boolean;
  seed0: number;
  seed1: number;
  /** The version of the format, which determines the hash. */
  version: number;
  /** 32 bits of the hash that choose the block. */
  blockHash: number;
  /** 32 bits of the hash that choose the positions in the block. */
  lanes: number;
}

/** Hashes a key: the result is in `blockHash` and `lanes`. */
export function hashKey(filter: HashedFilter, key: unknown): void {
  // Several functions, because V8 inlines small ones only.
  if (filter.version === 1) hashFirst(filter, key);
  else if (typeof key === 'number') hashNumber(filter, key);
  else hashBytes(filter, bytesOf(key), byteLength);
}

function hashNumber(filter: HashedFilter, key: number): void {
  setNumber(key);
  // The impossible length −1 distinguishes a number from a key of eight bytes.
  let a = stirA(filter.seed0, numberWords[0]);
  let b = stirB(a, filter.seed1 ^ -1, numberWords[0]);
  a = stirA(a, numberWords[1]);
  b = stirB(a, b, numberWords[1]);
  finish(filter, a, b);
}

function hashBytes(filter: HashedFilter, bytes: Uint8Array, length: number): void {
  let a = filter.seed0;
  let b = filter.seed1 ^ length;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const word = bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    a = stirA(a, word);
    b = stirB(a, b, word);
  }
  if (i < length) {
    const word = wordAt(bytes, i, length);
    a = stirA(a, word);
    b = stirB(a, b, word);
  }
  finish(filter, a, b);
}

/** The word at a byte; bytes past the end are zero. */
function wordAt(bytes: Uint8Array, at: number, length: number): number {
  let word = 0;
  for (let i = Math.min(4, length - at) - 1; i >= 0; i--) word = (word << 8) | bytes[at + i];
  return word;
}

/** Hashes a key as version 1 of the format does. */
function hashFirst(filter: HashedFilter, key: unknown): void {
  if (typeof key === 'number') setNumber(key);
  const bytes = typeof key === 'number' ? numberBytes : bytesOf(key);
  const length = typeof key === 'number' ? 8 : byteLength;
  let a = filter.seed0;
  let b = filter.seed1 ^ (typeof key === 'number' ? -1 : length);
  for (let i = 0; i < length; i += 4) {
    const word = wordAt(bytes, i, length);
    a = firstStirA(a, word);
    b = stirB(a, b, word);
  }
  finish(filter, a, b);
}

/** Stores a key as its words: −0 is 0, and all NaNs are one key. */
function setNumber(key: number): void {
  number[0] = key === 0 ? 0 : key;
  if (key !== key) numberWords.set([0, 0x7ff80000]);
}

function finish(filter: HashedFilter, a: number, b: number): void {
  filter.blockHash = mix(a ^ ((b << 16) | (b >>> 16)));
  filter.lanes = mix(b ^ filter.blockHash);
}

/** The index of the first word of the block that the hash chooses. */
function blockStart(filter: HashedFilter): number {
  const { blocks } = filter;
  const block = Math.floor(((filter.blockHash >>> 0) * blocks) / TWO_32);
  return Math.min(block, blocks - 1) * WORDS;
}

/** Whether all bits of the hashed key are set. */
export function hasHashed(filter: HashedFilter): boolean {
  const { words, lanes } = filter;
  const block = blockStart(filter);
  for (let lane = 0; lane < LANES; lane++) {
    const bit = Math.imul(lanes, SALTS[lane]) >>> 26;
    if ((words[block + lane * 2 + (bit >>> 5)] & (1 << (bit & 31))) === 0) return false;
  }
  return true;
}

/** Sets all bits of the hashed key. */
export function addHashed(filter: HashedFilter): void {
  const { words, lanes, hasReaders } = filter;
  const block = blockStart(filter);
  for (let lane = 0; lane < LANES; lane++) {
    const bit = Math.imul(lanes, SALTS[lane]) >>> 26;
    const at = block + lane * 2 + (bit >>> 5);
    const mask = 1 << (bit & 31);
    if ((words[at] & mask) !== 0) continue;
    // Only this thread writes.
    if (hasReaders) Atomics.or(words, at, mask);
    else words[at] |= mask;
  }
}

/** The words of a rate, a double. */
export function rateWords(rate: number): Int32Array {
  number[0] = rate;
  return numberWords;
}

/** The number of bytes of the key that {@link bytesOf} returned last. */
let byteLength = 0;

/** A string as UTF-8, or bytes as they are; the length is in {@link byteLength}. */
function bytesOf(key: unknown): Uint8Array {
  if (typeof key === 'string') {
    if (key.length * 3 > text.length) {
      const long = encoder.encode(key);
      byteLength = long.length;
      return long;
    }
    byteLength = encoder.encodeInto(key, text).written;
    return text;
  }
  if (!isUint8Array(key))
    throw typeError(`a key is a number, a string or a Uint8Array, not ${describe(key)}`);
  byteLength = intrinsicLength(key);
  if (byteLength === 0) refuseDetached(key, 'a key');
  return key;
}
