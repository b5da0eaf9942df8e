/**
 * The message of an attachment: a buffer through which keys and values are passed to native code
 * (`native/binding/sharedmap.cc`).
 *
 * | bytes | contents |
 * | --- | --- |
 * | 0, 4, 8, 12 | heads of key and value, type of a mixed value, expiry |
 * | 16, 24 | time of expiry (or an increment, or a cursor), version: doubles |
 * | 32, 40, 48 | results: version (or a sum, or a length), time of expiry, bytes of the entry |
 * | 56, 60 | results: head and type of the value |
 * | 64 … | the key, padded to a multiple of 8, and the value; or a value returned |
 */
import { allocating } from '../errors.js';
import { native } from '../native.js';
import type { Scratch, TextBuffer } from '../region/blob.js';

/** The byte from which keys and values are stored. */
export const PAYLOAD = 64;
const SMALL = 4096;
/** A larger message is not kept after use. */
const KEPT = 1 << 20;

/** Indices into {@link Message.words}. */
export const WORDS = {
  keyHead: 0,
  valueHead: 1,
  valueType: 2,
  expiry: 3,
  resultHead: 14,
  resultType: 15,
} as const;
/** Indices into {@link Message.doubles}. */
export const DOUBLES = {
  expiresAt: 2,
  version: 3,
  resultVersion: 4,
  resultExpiresAt: 5,
  resultBytes: 6,
} as const;

export class Message {
  words!: Int32Array;
  doubles!: Float64Array;
  integers!: BigInt64Array;
  bytes!: TextBuffer;
  /** The attachment; −1 before it exists. */
  id = -1;

  constructor() {
    this.resize(SMALL);
  }

  /** Makes room for `length` bytes. The contents are kept. */
  ensure(length: number): void {
    if (this.bytes.length >= length) return;
    const { bytes } = this;
    this.resize(Math.max(length, bytes.length * 2));
    this.bytes.set(bytes.subarray(0, bytes.length));
    if (this.id >= 0) native().sharedmapMessage(this.id, this.bytes);
  }

  /** Releases a large message after use. */
  trim(): void {
    if (this.bytes.length <= KEPT) return;
    const { bytes } = this;
    this.resize(SMALL);
    this.bytes.set(bytes.subarray(0, PAYLOAD));
    if (this.id >= 0) native().sharedmapMessage(this.id, this.bytes);
  }

  private resize(length: number): void {
    const whole = Math.ceil(length / 8) * 8;
    const buffer = allocating('a message', whole, () => new ArrayBuffer(whole));
    this.bytes = Buffer.from(buffer) as TextBuffer;
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
    this.integers = new BigInt64Array(buffer);
  }

  /** Puts a blob at byte `at`, and returns its head. */
  putBlob(scratch: Scratch, at: number): number {
    const { length, words: source } = scratch;
    this.ensure(at + length * 4);
    const { words } = this;
    const to = (at >> 2) - 1;
    if (length > 64) words.set(source.subarray(1, length), to + 1);
    else for (let i = 1; i < length; i++) words[to + i] = source[i]!;
    return source[0];
  }
}
