/**
 * RollingHash: a hash of the last n bytes, that moves on by a byte in constant time (Karp and
 * Rabin, 1987). For cutting data where its contents say so, and for finding what stands twice.
 *
 * The polynomial of the bytes, each plus one so that zeros count, at {@link BASE} modulo 2^32. The
 * low bits depend on the low bits of the bytes only: decide by the high ones.
 */
import { isUint8Array } from 'node:util/types';
import { allocating, typeError } from '../errors.js';
import { native } from '../native.js';
import { intrinsicLength } from '../region/typed-array.js';
import { checkInteger, describe } from '../region/options.js';

const BASE = 0x0100_0193;
const MAX_WINDOW = 2 ** 24;

/** `BASE` to a power, modulo 2^32. */
function power(exponent: number): number {
  let [result, square] = [1, BASE];
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = Math.imul(result, square);
    square = Math.imul(square, square);
  }
  return result;
}

/**
 * A window over bytes, and its hash.
 *
 * ```ts
 * const rolling = new RollingHash(48);
 * for (const byte of bytes) {
 *   if (rolling.push(byte) >>> 19 === 0) cut(); // on the average every 8,192 bytes
 * }
 * ```
 */
export class RollingHash {
  private readonly ring: Uint8Array;
  /** The weight of a byte that leaves the window. */
  private readonly oldest: number;
  private at = 0;
  private filled = 0;
  private hash = 0;

  /** A window of 1 to 2^24 bytes, of which none was seen. */
  constructor(window: number) {
    const length = checkInteger(window, 'window', 1, MAX_WINDOW);
    this.ring = allocating('the window', length, () => new Uint8Array(length));
    this.oldest = power(length);
  }

  /**
   * Takes in a byte (the low 8 bits of a number), lets go of the oldest, and returns the hash: an
   * unsigned 32-bit integer. About 2 ns.
   */
  push(byte: number): number {
    if (typeof byte !== 'number') throw typeError(`a byte is a number, not ${describe(byte)}`);
    const { ring } = this;
    const low = byte & 255;
    let hash = (Math.imul(this.hash, BASE) + low + 1) | 0;
    if (this.filled === ring.length) hash = (hash - Math.imul(ring[this.at] + 1, this.oldest)) | 0;
    else this.filled++;
    ring[this.at] = low;
    this.at = this.at + 1 === ring.length ? 0 : this.at + 1;
    this.hash = hash;
    return hash >>> 0;
  }

  /**
   * Takes in many bytes, and returns the hash after the last. O(window) at most: what leaves the
   * window again is not read.
   */
  update(bytes: Uint8Array): number {
    const length = lengthOf(bytes);
    const skip = length - this.ring.length;
    if (skip < 0) for (let i = 0; i < length; i++) this.push(bytes[i]);
    else this.fill(bytes, length, hashOf(bytes, skip, length));
    return this.value;
  }

  /** The window is the last bytes before `end` now, whose hash is known. */
  private fill(bytes: Uint8Array, end: number, hash: number): void {
    const { ring } = this;
    for (let i = 0, from = end - ring.length; i < ring.length; i++) ring[i] = bytes[from + i];
    this.at = 0;
    this.filled = ring.length;
    this.hash = hash | 0;
  }

  /**
   * Takes in bytes up to where the window is full and the `bits` highest bits of its hash (1 to 32)
   * are zeros, which is in one of 2^bits places, and returns how many those were; −1 if all were
   * taken in without that. What `push` does one by one, and about twice as fast.
   *
   * ```ts
   * const rolling = new RollingHash(48);
   * const pieces: Uint8Array[] = [];
   * for (let rest = bytes; ;) {
   *   const length = rolling.find(rest, 13); // 8,192 bytes on the average
   *   pieces.push(length < 0 ? rest : rest.subarray(0, length));
   *   if (length < 0) break;
   *   rest = rest.subarray(length);
   * }
   * ```
   */
  find(bytes: Uint8Array, bits: number): number {
    const length = lengthOf(bytes);
    checkInteger(bits, 'bits', 1, 32);
    const window = this.ring.length;
    const head = Math.min(window, length);
    const end = 2 ** (32 - bits);
    for (let i = 0; i < head; i++) {
      if (this.push(bytes[i]) < end && this.filled === window) return i + 1;
    }
    if (length <= head) return -1;
    native().rollinghashScan(bytes, window, this.hash >>> 0, bits, place);
    const [taken, hash, isCut] = place;
    this.fill(bytes, taken, hash);
    return isCut === 1 ? taken : -1;
  }

  /** The hash of the bytes in the window. */
  get value(): number {
    return this.hash >>> 0;
  }

  /** Bytes that the window holds. */
  get window(): number {
    return this.ring.length;
  }

  /** Whether as many bytes were seen as the window holds. */
  get full(): boolean {
    return this.filled === this.ring.length;
  }

  /** Forgets all bytes. */
  reset(): void {
    this.at = this.filled = this.hash = 0;
  }

  /** The hash of bytes that fill a window of their length. */
  static of(bytes: Uint8Array): number {
    return hashOf(bytes, 0, lengthOf(bytes));
  }
}

/**
 * Where {@link RollingHash.find} ended: how many bytes were taken in, the hash there, whether the
 * search was for this one.
 */
const place = new Float64Array(3);

function lengthOf(bytes: unknown): number {
  if (!isUint8Array(bytes)) throw typeError(`bytes must be a Uint8Array, not ${describe(bytes)}`);
  return intrinsicLength(bytes);
}

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0;
  for (let i = from; i < to; i++) hash = (Math.imul(hash, BASE) + bytes[i] + 1) | 0;
  return hash >>> 0;
}
