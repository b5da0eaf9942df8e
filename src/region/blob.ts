/**
 * Blobs: strings and bytes as the heap of a region stores them (`docs/formats/hashmap.md`,
 * "Blobs"), and their hash, HalfSipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input
 * PRF", 2012). Keys may come from an attacker, so the hash resists chosen input; it needs only
 * 32-bit arithmetic.
 *
 * A string is first encoded into a scratch: to pack four characters into a word as they are read
 * costs about as much as to hash them, and words are then compared and stored. A call into native
 * code costs more than all of this for strings of up to about a hundred characters; longer ones are
 * encoded by Node's `Buffer`.
 */
import { constants } from 'node:buffer';
import { allocating, messageOf, offheapError, rangeError, typeError } from '../errors.js';
import { corrupt } from './format.js';
import { describe } from './options.js';
import { isDetached, intrinsicLength } from './typed-array.js';

/** The transcoders on the prototype of Node's Buffer, which toString calls. */
export interface TextBuffer extends Buffer {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
  utf8Write(text: string, offset: number, length: number): number;
}

/** The encoding of a blob's bytes; the low two bits of its first word. */
export const ENCODING = { ascii: 0, utf8: 1, wtf8: 2, bytes: 3 } as const;

/** The maximum number of bytes of one blob. */
export const MAX_BLOB = 2 ** 30 - 1;

/**
 * The most bytes of a string, encoded: Node decodes no more at once, and V8 has no longer strings
 * of ASCII.
 */
const MAX_TEXT = constants.MAX_STRING_LENGTH;

/** From this many characters on, Buffer's encoder is faster than the loop here. */
const LONG_STRING = 96;
/** A larger scratch than this is released after use. */
const KEPT_WORDS = 1 << 16;

/**
 * An encoded string or byte sequence: `words[0]` is the header (length × 4 + encoding), followed by
 * the bytes, padded with zeros to a whole word. Each structure module has one for a key and one for
 * a value in flight; nothing is kept in them between calls.
 */
export class Scratch {
  words = new Int32Array(256);
  bytes = Buffer.from(this.words.buffer) as TextBuffer;
  /** Words in use, header included. */
  length = 0;

  /**
   * Encodes a string. Lone surrogates are kept (WTF-8). Throws `ERR_OFFHEAP_RANGE` past 2^30 − 1
   * bytes.
   */
  string(text: string): void {
    const count = text.length;
    if (count >= LONG_STRING) return this.longString(text);
    const { words } = this;
    let word = 0;
    let at = 1;
    let seen = 0;
    for (let i = 0; i < count; i++) {
      const unit = text.charCodeAt(i);
      seen |= unit;
      word |= unit << ((i & 3) << 3);
      if ((i & 3) === 3) {
        words[at++] = word;
        word = 0;
      }
    }
    if (seen > 0x7f) return this.wideString(text);
    if ((count & 3) !== 0) words[at++] = word;
    words[0] = count << 2;
    this.length = at;
  }

  /** Copies bytes in. */
  byteSequence(bytes: Uint8Array): void {
    const count = intrinsicLength(bytes);
    if (count > MAX_BLOB) throw tooLong(count);
    if (isDetached(bytes)) throw typeError('a Uint8Array without bytes: its buffer was detached');
    this.room(count);
    this.bytes.set(bytes, 4);
    this.finish(count, ENCODING.bytes);
  }

  /** The hash of the content. `s0`, `s1` are the region's seeds. */
  hash(s0: number, s1: number): number {
    const { words } = this;
    const count = words[0] >>> 2;
    const whole = count >>> 2;
    let v0 = s0;
    let v1 = s1;
    let v2 = s0 ^ 0x6c796765;
    let v3 = s1 ^ 0x74656462;
    // The last word has the remaining bytes and the length; it is absorbed like the others.
    const last = ((count & 3) === 0 ? 0 : words[whole + 1]) | (count << 24);
    for (let i = 1; i <= whole + 4; i++) {
      let m = 0;
      if (i <= whole) m = words[i]!;
      else if (i === whole + 1) m = last;
      else if (i === whole + 2) v2 ^= 0xff;
      v3 ^= m;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= m;
    }
    return v1 ^ v3;
  }

  /** Whether the blob at word `ref` of a heap is the same; `false` past the end of the heap. */
  equals(heap: Int32Array, ref: number): boolean {
    const { words, length } = this;
    for (let i = 0; i < length; i++) if (heap[ref + i] !== words[i]) return false;
    return true;
  }

  /** The number of bytes that the blob takes in a heap. */
  get size(): number {
    return this.length * 4;
  }

  /** Writes the blob to word `ref` of a heap that has room. */
  store(heap: Int32Array, ref: number): void {
    const { words, length } = this;
    if (length > 64) heap.set(words.subarray(0, length), ref);
    else for (let i = 0; i < length; i++) heap[ref + i] = words[i]!;
  }

  /** Releases the memory that one large blob needed. */
  trim(): void {
    if (this.words.length > KEPT_WORDS) {
      this.words = new Int32Array(256);
      this.bytes = Buffer.from(this.words.buffer) as TextBuffer;
    }
  }

  private longString(text: string): void {
    if (!text.isWellFormed()) return this.wideString(text);
    const count = Buffer.byteLength(text, 'utf8');
    if (count > MAX_TEXT) throw tooLong(count, MAX_TEXT);
    this.room(count);
    this.bytes.utf8Write(text, 4, count);
    this.finish(count, count === text.length ? ENCODING.ascii : ENCODING.utf8);
  }

  /** Any string: pairs of surrogates are joined, lone ones are kept. */
  private wideString(text: string): void {
    if (text.length * 3 > MAX_TEXT && wtf8Length(text) > MAX_TEXT) throw tooLong(wtf8Length(text), MAX_TEXT);
    this.room(Math.min(text.length * 3, MAX_TEXT));
    const { bytes } = this;
    let at = 4;
    let encoding: number = ENCODING.ascii;
    for (let i = 0; i < text.length; i++) {
      let point = text.charCodeAt(i);
      if (point < 0x80) {
        bytes[at++] = point;
        continue;
      }
      if (encoding === ENCODING.ascii) encoding = ENCODING.utf8;
      if (point < 0x800) {
        bytes[at++] = 0xc0 | (point >> 6);
      } else {
        if ((point & 0xf800) === 0xd800) {
          const next = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
          if (point < 0xdc00 && (next & 0xfc00) === 0xdc00) {
            point = 0x10000 + ((point & 0x3ff) << 10) + (next & 0x3ff);
            i++;
          } else {
            encoding = ENCODING.wtf8;
          }
        }
        if (point < 0x10000) {
          bytes[at++] = 0xe0 | (point >> 12);
        } else {
          bytes[at++] = 0xf0 | (point >> 18);
          bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
        }
        bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
      }
      bytes[at++] = 0x80 | (point & 0x3f);
    }
    this.finish(at - 4, encoding);
  }

  /** Makes room for `count` bytes after the header. */
  private room(count: number): void {
    const needed = 1 + ((count + 3) >>> 2);
    if (this.words.length >= needed) return;
    const wanted = Math.max(needed, this.words.length * 2);
    this.words = allocating('a string or byte sequence', wanted * 4, () => new Int32Array(wanted));
    this.bytes = Buffer.from(this.words.buffer) as TextBuffer;
  }

  private finish(count: number, encoding: number): void {
    for (let at = 4 + count; (at & 3) !== 0; at++) this.bytes[at] = 0;
    this.words[0] = (count << 2) | encoding;
    this.length = 1 + ((count + 3) >>> 2);
  }
}

/**
 * A buffer for text that could change while it is decoded. One of more than {@link KEPT_TEXT} bytes
 * is not kept.
 */
let decoding = Buffer.alloc(4096) as TextBuffer;
const KEPT_TEXT = 1 << 18;

/**
 * The blob at byte `4 ref` of a heap, decoded. Throws `ERR_OFFHEAP_CORRUPT` for a reference outside
 * the heap. `exclusive`: no other thread can change the bytes during the call.
 */
export function readBlob(
  words: Int32Array,
  heap: TextBuffer,
  ref: number,
  exclusive: boolean,
): string | Uint8Array {
  const header = words[ref];
  const start = ref * 4 + 4;
  if (header === undefined) throw corrupt('the region', `a blob at byte ${start} of its heap`);
  const end = start + (header >>> 2);
  if (end > heap.length) throw corrupt('the region', `a blob of ${header >>> 2} bytes at its heap's end`);
  if (header >>> 2 > MAX_TEXT && (header & 3) !== ENCODING.bytes) throw unreadable(header >>> 2);
  switch (header & 3) {
    case ENCODING.ascii:
      return heap.latin1Slice(start, end);
    case ENCODING.utf8:
      return exclusive ? heap.utf8Slice(start, end) : readChangingText(heap, start, end);
    case ENCODING.wtf8:
      return readWtf8(heap, start, end);
    default:
      // A copy as a plain Uint8Array: slice() of a Buffer returns a view.
      return new Uint8Array(heap.subarray(start, end));
  }
}

/**
 * Text in bytes that another thread may change at any moment; the caller discards the result of a
 * lost race.
 */
export function readText(bytes: TextBuffer, start: number, end: number, encoding: number): string {
  if (end - start > MAX_TEXT) throw unreadable(end - start);
  if (encoding === ENCODING.ascii) return bytes.latin1Slice(start, end);
  return encoding === ENCODING.utf8 ? readChangingText(bytes, start, end) : readWtf8(bytes, start, end);
}

/** The number of bytes of the blob at word `ref`, including header and padding. */
export function blobSize(words: Int32Array, ref: number): number {
  const header = words[ref];
  return header === undefined ? 0 : 4 + (((header >>> 2) + 3) & ~3);
}

/**
 * Decodes UTF-8 that another thread, or a process that truncates the mapped file, may change at any
 * moment. V8's decoder counts the characters first and then writes them unchecked: bytes that
 * change in between would make it write past its string. So the bytes are copied first; the caller
 * discards the result of a lost race.
 */
function readChangingText(heap: Uint8Array, start: number, end: number): string {
  const count = end - start;
  let copy = decoding;
  if (copy.length < count) {
    copy = Buffer.allocUnsafeSlow(Math.max(count, 2 * copy.length)) as TextBuffer;
    if (copy.length <= KEPT_TEXT) decoding = copy;
  }
  if (count > 64) copy.set(heap.subarray(start, end));
  else for (let i = 0; i < count; i++) copy[i] = heap[start + i];
  return copy.utf8Slice(0, count);
}

function readWtf8(heap: Uint8Array, start: number, end: number): string {
  // Runs between lone surrogates could use the fast decoder, but such strings are too rare for that
  // to matter. They are decoded in pieces: one string per character would take 32 bytes of
  // JavaScript heap each.
  const units = new Uint16Array(Math.min(end - start, 8192) + 1);
  let filled = 0;
  let text = '';
  let at = start;
  const next = (): number => (at < end ? heap[at++] & 0x3f : 0);
  while (at < end) {
    const lead = heap[at++];
    let point = lead;
    if (lead >= 0xf0) point = ((lead & 0x07) << 18) | (next() << 12) | (next() << 6) | next();
    else if (lead >= 0xe0) point = ((lead & 0x0f) << 12) | (next() << 6) | next();
    else if (lead >= 0x80) point = ((lead & 0x1f) << 6) | next();
    if (point > 0x10ffff) throw corrupt('the region', 'text that is not WTF-8');
    if (point > 0xffff) {
      units[filled++] = 0xd7c0 + (point >> 10);
      point = 0xdc00 | (point & 0x3ff);
    }
    units[filled++] = point;
    if (filled >= 8192) {
      text += String.fromCharCode.apply(null, units.subarray(0, filled) as unknown as number[]);
      filled = 0;
    }
  }
  return text + String.fromCharCode.apply(null, units.subarray(0, filled) as unknown as number[]);
}

function wtf8Length(text: string): number {
  // U+FFFD, which a lone surrogate counts as, takes three bytes, as the surrogate does in WTF-8.
  return Buffer.byteLength(text, 'utf8');
}

function unreadable(count: number): Error {
  const message = `a string of ${count} bytes; Node decodes at most ${MAX_TEXT} bytes`;
  return offheapError('ERR_OFFHEAP_UNSUPPORTED', message);
}

function tooLong(count: number, most = MAX_BLOB): Error {
  return rangeError(`a string or byte sequence of ${count} bytes; the maximum is ${most}`);
}

/** The text of a JSON value. Runs its `toJSON`, so it is called before any change. */
export function jsonText(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw typeError(`this value has no JSON: ${messageOf(cause)}`, {
      cause,
    });
  }
  if (text === undefined) throw typeError(`${describe(value)} has no JSON`);
  return text;
}
