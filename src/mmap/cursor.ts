/**
 * Sequential reads of a file's bytes: numbers, varints, strings. Positions are byte offsets from
 * the start.
 *
 * Cost: about 2 ns per number. Every read is first checked against the end, whatever a length in
 * the file claims, and a read that throws does not change the position.
 */
import { TextDecoder } from 'node:util';
import { OffheapError, offheapError, rangeError } from '../errors.js';
import { checkInteger } from '../region/options.js';

/** The parts of a file that its cursors use. */
export interface Source {
  /** The current bytes: another array after a refresh, empty after closing. */
  bytes: Uint8Array;
  /** Throws if the file was closed. */
  assertOpen(): void;
  /**
   * Called when the position passes a mark: begins to read ahead, and returns the next mark. Throws
   * if bytes were lost.
   */
  readAhead(position: number): number;
}

/** A varint of 64 bits has at most ten bytes; the tenth contains one bit. */
const VARINT_BYTES = 10;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A position in a file. `readU8` to `readF64` read little-endian numbers and advance.
 *
 * Errors of all reads: `ERR_OFFHEAP_RANGE` past the end, `ERR_OFFHEAP_CORRUPT` for an invalid
 * varint or text, `ERR_OFFHEAP_IO` if the file was truncated, `ERR_OFFHEAP_CLOSED` after `close()`.
 */
export class Cursor {
  readonly #source: Source;
  #bytes: Uint8Array;
  #view: DataView;
  #at: number;
  #mark: number;

  /** @internal Use `file.cursor()`. */
  constructor(source: Source, position: number) {
    this.#source = source;
    this.#bytes = source.bytes;
    this.#view = viewOf(this.#bytes);
    this.#at = checkInteger(position, 'position', 0, this.#bytes.length);
    this.#mark = source.readAhead(this.#at);
  }

  /** The position of the next read. */
  get position(): number {
    return this.#at;
  }

  /** Bytes from the position to the end; 0 past the end of a file that became shorter. */
  get remaining(): number {
    this.#refresh();
    return Math.max(0, this.#bytes.length - this.#at);
  }

  /** Moves to `position`, at most the size of the file. Returns the cursor. */
  seek(position: number): this {
    this.#refresh();
    const to = checkInteger(position, 'position', 0, this.#bytes.length);
    this.#mark = this.#source.readAhead(to);
    this.#at = to;
    return this;
  }

  /** Skips `count` bytes. Returns the cursor. */
  skip(count: number): this {
    const from = this.#take(checkInteger(count, 'count', 0, Number.MAX_SAFE_INTEGER));
    this.#at = from + count;
    return this;
  }

  readU8(): number {
    const from = this.#take(1);
    this.#at = from + 1;
    return this.#bytes[from];
  }

  readI8(): number {
    return (this.readU8() << 24) >> 24;
  }

  readU16(): number {
    const from = this.#take(2);
    this.#at = from + 2;
    return this.#view.getUint16(from, true);
  }

  readI16(): number {
    const from = this.#take(2);
    this.#at = from + 2;
    return this.#view.getInt16(from, true);
  }

  readU32(): number {
    const from = this.#take(4);
    this.#at = from + 4;
    return this.#view.getUint32(from, true);
  }

  readI32(): number {
    const from = this.#take(4);
    this.#at = from + 4;
    return this.#view.getInt32(from, true);
  }

  readF32(): number {
    const from = this.#take(4);
    this.#at = from + 4;
    return this.#view.getFloat32(from, true);
  }

  readF64(): number {
    const from = this.#take(8);
    this.#at = from + 8;
    return this.#view.getFloat64(from, true);
  }

  readU64(): bigint {
    const from = this.#take(8);
    this.#at = from + 8;
    return this.#view.getBigUint64(from, true);
  }

  readI64(): bigint {
    const from = this.#take(8);
    this.#at = from + 8;
    return this.#view.getBigInt64(from, true);
  }

  /**
   * Reads an unsigned LEB128 varint as a number. Throws `ERR_OFFHEAP_RANGE` beyond 2^53 − 1; {@link
   * Cursor.readVarintBig} reads those.
   */
  readVarint(): number {
    const at = this.#take(1);
    const first = this.#bytes[at];
    if (first < 0x80) {
      this.#at = at + 1;
      return first;
    }
    const end = this.#varintEnd(at);
    let value = 0;
    for (let i = end - 1; i >= at; i--) value = value * 128 + (this.#bytes[i] & 0x7f);
    if (value > Number.MAX_SAFE_INTEGER) {
      throw rangeError(`the varint at ${at} is beyond 2^53 - 1: readVarintBig reads it`);
    }
    this.#at = end;
    return value;
  }

  /** Reads an unsigned LEB128 varint of up to 64 bits. */
  readVarintBig(): bigint {
    const at = this.#take(1);
    const end = this.#varintEnd(at);
    let value = 0n;
    for (let i = end - 1; i >= at; i--) value = (value << 7n) | BigInt(this.#bytes[i] & 0x7f);
    if (value > 0xffff_ffff_ffff_ffffn) throw corrupt(at, 'a varint of more than 64 bits');
    this.#at = end;
    return value;
  }

  /** The end of the varint at `at`; checks that all of it exists. */
  #varintEnd(at: number): number {
    const bytes = this.#bytes;
    for (let i = at; i < at + VARINT_BYTES; i++) {
      if (i >= bytes.length) throw this.#pastEnd(at, i + 1 - at);
      if (bytes[i] < 0x80) {
        this.#take(i + 1 - at);
        return i + 1;
      }
    }
    throw corrupt(at, 'a varint of more than ten bytes');
  }

  /** Reads the next `length` bytes as a view of the file, without a copy. */
  readBytes(length: number): Uint8Array {
    const from = this.#take(checkInteger(length, 'length', 0, Number.MAX_SAFE_INTEGER));
    this.#at = from + length;
    return this.#bytes.subarray(from, from + length);
  }

  /**
   * Reads `length` bytes of UTF-8 text. Without `length`, a varint before the text gives the number
   * of bytes.
   */
  readString(length?: number): string {
    const before = this.#at;
    try {
      const bytes = this.readBytes(length ?? this.readVarint());
      // TextDecoder does not accept shared memory.
      return decoder.decode(bytes.slice());
    } catch (error) {
      this.#at = before;
      // TextDecoder throws a TypeError.
      if (error instanceof OffheapError) throw error;
      throw corrupt(before, 'bytes that are not UTF-8');
    }
  }

  /** The position of the next `count` bytes; checks that they exist. */
  #take(count: number): number {
    const at = this.#at;
    const end = at + count;
    if (end > this.#mark || this.#bytes !== this.#source.bytes) this.#prepare(at, count);
    return at;
  }

  /** Prepares a read past the mark, or of a file that was refreshed or closed. */
  #prepare(at: number, count: number): void {
    this.#refresh();
    if (at + count > this.#bytes.length) throw this.#pastEnd(at, count);
    this.#mark = this.#source.readAhead(at + count);
  }

  /** Picks up the current bytes of the file. */
  #refresh(): void {
    const source = this.#source;
    source.assertOpen();
    if (this.#bytes === source.bytes) return;
    this.#bytes = source.bytes;
    this.#view = viewOf(this.#bytes);
    this.#mark = 0;
  }

  #pastEnd(at: number, count: number): Error {
    return rangeError(`cannot read ${count} bytes at ${at} of a file of ${this.#bytes.length}`);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function corrupt(at: number, what: string): Error {
  return offheapError('ERR_OFFHEAP_CORRUPT', `${what} at ${at}`);
}
