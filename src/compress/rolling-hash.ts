/**
 * RollingHash: a hash of the last n bytes that advances by one byte in constant time (Karp and
 * Rabin, 1987). Used for content-defined chunking, and for finding repeated data.
 *
 * The hash is the polynomial of the bytes, each plus one so that zeros count, at {@link BASE}
 * modulo 2^32. Its low bits depend only on the low bits of the bytes: use the high bits.
 */
import { isUint8Array } from 'node:util/types';
import { allocating, typeError } from '../errors.js';
import { native } from '../native.js';
import { intrinsicLength, refuseDetached } from '../region/typed-array.js';
import { checkInteger, describe } from '../region/options.js';
import { Uncloneable } from '../region/uncloneable.js';

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
 * A window over bytes and its hash.
 *
 * ```ts
 * const rolling = new RollingHash(48);
 * for (const byte of bytes) {
 *   if (rolling.push(byte) >>> 19 === 0) cut(); // every 8,192 bytes on average
 * }
 * ```
 */
export class RollingHash extends Uncloneable {
  /** The bytes of the window, as a ring buffer. */
  readonly #ring: Uint8Array;
  /** The weight of the byte that leaves the window. */
  readonly #oldest: number;
  #at = 0;
  #filled = 0;
  #hash = 0;

  /** An empty window for 1 to 2^24 bytes. */
  constructor(window: number) {
    super();
    const length = checkInteger(window, 'window', 1, MAX_WINDOW);
    this.#ring = allocating('the window', length, () => new Uint8Array(length));
    this.#oldest = power(length);
  }

  /**
   * Adds a byte (the low 8 bits of a number), removes the oldest from a full window, and returns
   * the hash: an unsigned 32-bit integer. About 2 ns.
   */
  push(byte: number): number {
    if (typeof byte !== 'number') throw typeError(`a byte is a number, not ${describe(byte)}`);
    const ring = this.#ring;
    const low = byte & 255;
    let hash = (Math.imul(this.#hash, BASE) + low + 1) | 0;
    if (this.#filled === ring.length) hash = (hash - Math.imul(ring[this.#at] + 1, this.#oldest)) | 0;
    else this.#filled++;
    ring[this.#at] = low;
    this.#at = this.#at + 1 === ring.length ? 0 : this.#at + 1;
    this.#hash = hash;
    return hash >>> 0;
  }

  /**
   * Adds many bytes, and returns the hash after the last one. At most O(window): bytes that would
   * leave the window again are not read.
   */
  update(bytes: Uint8Array): number {
    const length = lengthOf(bytes);
    const skip = length - this.#ring.length;
    if (skip < 0) for (let i = 0; i < length; i++) this.push(bytes[i]);
    else this.#fill(bytes, length, hashOf(bytes, skip, length));
    return this.value;
  }

  /** Fills the window with the last bytes before `end`, whose hash is known. */
  #fill(bytes: Uint8Array, end: number, hash: number): void {
    const ring = this.#ring;
    for (let i = 0, from = end - ring.length; i < ring.length; i++) ring[i] = bytes[from + i];
    this.#at = 0;
    this.#filled = ring.length;
    this.#hash = hash | 0;
  }

  /**
   * Adds bytes until the window is full and the highest `bits` bits of its hash (1 to 32) are
   * zeros, which is the case at one in 2^bits positions. Returns the number of bytes that were
   * added; −1 if all were added without finding such a position. Equivalent to calling `push` for
   * each byte, and about twice as fast.
   *
   * ```ts
   * const rolling = new RollingHash(48);
   * const pieces: Uint8Array[] = [];
   * for (let rest = bytes; ;) {
   *   const length = rolling.find(rest, 13); // 8,192 bytes on average
   *   pieces.push(length < 0 ? rest : rest.subarray(0, length));
   *   if (length < 0) break;
   *   rest = rest.subarray(length);
   * }
   * ```
   */
  find(bytes: Uint8Array, bits: number): number {
    const length = lengthOf(bytes);
    checkInteger(bits, 'bits', 1, 32);
    const window = this.#ring.length;
    const head = Math.min(window, length);
    const end = 2 ** (32 - bits);
    for (let i = 0; i < head; i++) {
      if (this.push(bytes[i]) < end && this.#filled === window) return i + 1;
    }
    if (length <= head) return -1;
    native().rollinghashScan(bytes, window, this.#hash >>> 0, bits, scanned);
    const [taken, hash, isCut] = scanned;
    this.#fill(bytes, taken, hash);
    return isCut === 1 ? taken : -1;
  }

  /** The hash of the bytes in the window. */
  get value(): number {
    return this.#hash >>> 0;
  }

  /** The size of the window in bytes. */
  get window(): number {
    return this.#ring.length;
  }

  /** Whether the window contains as many bytes as its size. */
  get full(): boolean {
    return this.#filled === this.#ring.length;
  }

  /** Empties the window. */
  reset(): void {
    this.#at = this.#filled = this.#hash = 0;
  }

  /** The hash of bytes in a window of their length. */
  static of(bytes: Uint8Array): number {
    return hashOf(bytes, 0, lengthOf(bytes));
  }
}

/**
 * The result of a native scan: the number of bytes added, the hash after them, and whether that is
 * a match.
 */
const scanned = new Float64Array(3);

function lengthOf(bytes: unknown): number {
  if (!isUint8Array(bytes)) throw typeError(`bytes must be a Uint8Array, not ${describe(bytes)}`);
  refuseDetached(bytes, 'bytes');
  return intrinsicLength(bytes);
}

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0;
  for (let i = from; i < to; i++) hash = (Math.imul(hash, BASE) + bytes[i] + 1) | 0;
  return hash >>> 0;
}
