/**
 * The hash of a Bloom filter's keys, and the number of blocks for a rate of false positives.
 * `native/core/src/compress/bloom` computes the same (`docs/formats/compress.md`).
 */
import { isUint8Array } from 'node:util/types';
import { typeError } from '../errors.js';
import { TWO_32 } from '../region/format.js';
import { describe } from '../region/options.js';
import { intrinsicLength } from '../region/typed-array.js';

/** A block has this many lanes of 64 bits; a key sets one bit in each. */
export const LANES = 8;

/** Odd numbers that derive a bit position in each of the eight lanes from one hash. */
export const SALTS = Int32Array.of(
  0x47b6137b,
  0x44974d91,
  0x8824ad5b,
  0xa2b7289d,
  0x705495c7,
  0x2df1424b,
  0x9efc4947,
  0x5c6bfb31,
);

export const number = new Float64Array(1);
export const numberWords = new Int32Array(number.buffer);
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

/** Updates the first half of the state with a word of the key. */
function stirA(a: number, word: number): number {
  const x = Math.imul(a ^ word, 0x85ebca6b);
  return (x << 13) | (x >>> 19);
}

/** Updates the second half of the state with a word of the key and the first half. */
function stirB(a: number, b: number, word: number): number {
  const x = Math.imul(b ^ word, 0xc2b2ae35);
  return (((x << 17) | (x >>> 15)) + a) | 0;
}

/** Hashes keys under a seed, one at a time: the result is in `block` and `lanes`. */
export class KeyHasher {
  seed0 = 0;
  seed1 = 0;
  /** 32 bits that choose the block. */
  block = 0;
  /** 32 bits that choose the positions in the block. */
  lanes = 0;

  hash(key: unknown): void {
    let [a, b] = [this.seed0, this.seed1];
    if (typeof key === 'number') {
      // −0 is 0, and all NaNs are one key. The impossible length −1 distinguishes a number from a
      // key of eight bytes.
      number[0] = key === 0 ? 0 : key;
      if (key !== key) numberWords.set([0, 0x7ff80000]);
      b ^= -1;
      a = stirA(a, numberWords[0]);
      b = stirB(a, b, numberWords[0]);
      a = stirA(a, numberWords[1]);
      b = stirB(a, b, numberWords[1]);
    } else {
      const bytes = bytesOf(key);
      const length = byteLength;
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
    this.block = mix(a ^ ((b << 16) | (b >>> 16)));
    this.lanes = mix(b ^ this.block);
  }
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
  return key;
}
