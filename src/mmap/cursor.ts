/**
 * Reading of a file's bytes from front to back: numbers, varints, strings. Positions are bytes from
 * the start.
 *
 * Cost: about 2 ns a number. Every read is checked against the end first, whatever a length in the
 * file says, and a refused one leaves the position where it was.
 */
import { OffheapError, offheapError, rangeError } from '../errors.js';
import { checkInteger } from '../region/options.js';

/** What a cursor needs of its file. */
export interface Source {
  /** All bytes as they are now: another array after a refresh, none after closing. */
  bytes: Uint8Array;
  /** Throws where the file was closed. */
  open(): void;
  /**
   * Told when the position passes a mark: begins to read ahead, and returns the next mark. Throws
   * if bytes were lost.
   */
  ahead(position: number): number;
}

/** Varints of 64 bits have ten bytes at most, of which the tenth holds one bit. */
const VARINT_BYTES = 10;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A position in a file. `readU8` to `readF64` read little-endian numbers and move on.
 *
 * Errors of all reads: `ERR_OFFHEAP_RANGE` past the end, `ERR_OFFHEAP_CORRUPT` for a varint or text
 * that is none, `ERR_OFFHEAP_IO` where the file was cut short meanwhile, `ERR_OFFHEAP_CLOSED`.
 */
export class Cursor {
  private readonly source: Source;
  private bytes: Uint8Array;
  private view: DataView;
  private at: number;
  private mark: number;

  /** Files make them: `file.cursor()`. */
  constructor(source: Source, position: number) {
    this.source = source;
    this.bytes = source.bytes;
    this.view = viewOf(this.bytes);
    this.at = checkInteger(position, 'position', 0, this.bytes.length);
    this.mark = source.ahead(this.at);
  }

  /** The position of the next read. */
  get position(): number {
    return this.at;
  }

  /** Bytes from here to the end; 0 past the end of a file that became shorter. */
  get remaining(): number {
    this.renew();
    return Math.max(0, this.bytes.length - this.at);
  }

  /** Goes to `position`, at most the size of the file. Returns the cursor. */
  seek(position: number): this {
    this.renew();
    const to = checkInteger(position, 'position', 0, this.bytes.length);
    this.mark = this.source.ahead(to);
    this.at = to;
    return this;
  }

  /** Passes over `count` bytes. Returns the cursor. */
  skip(count: number): this {
    const from = this.take(checkInteger(count, 'count', 0, Number.MAX_SAFE_INTEGER));
    this.at = from + count;
    return this;
  }

  readU8(): number {
    const from = this.take(1);
    this.at = from + 1;
    return this.bytes[from];
  }

  readI8(): number {
    return (this.readU8() << 24) >> 24;
  }

  readU16(): number {
    const from = this.take(2);
    this.at = from + 2;
    return this.view.getUint16(from, true);
  }

  readI16(): number {
    const from = this.take(2);
    this.at = from + 2;
    return this.view.getInt16(from, true);
  }

  readU32(): number {
    const from = this.take(4);
    this.at = from + 4;
    return this.view.getUint32(from, true);
  }

  readI32(): number {
    const from = this.take(4);
    this.at = from + 4;
    return this.view.getInt32(from, true);
  }

  readF32(): number {
    const from = this.take(4);
    this.at = from + 4;
    return this.view.getFloat32(from, true);
  }

  readF64(): number {
    const from = this.take(8);
    this.at = from + 8;
    return this.view.getFloat64(from, true);
  }

  readU64(): bigint {
    const from = this.take(8);
    this.at = from + 8;
    return this.view.getBigUint64(from, true);
  }

  readI64(): bigint {
    const from = this.take(8);
    this.at = from + 8;
    return this.view.getBigInt64(from, true);
  }

  /**
   * An unsigned LEB128 varint, as a number. `ERR_OFFHEAP_RANGE` for one beyond 2^53 - 1, which
   * {@link Cursor.readVarintBig} reads.
   */
  readVarint(): number {
    const at = this.take(1);
    const first = this.bytes[at];
    if (first < 0x80) {
      this.at = at + 1;
      return first;
    }
    const end = this.varintEnd(at);
    let value = 0;
    for (let i = end - 1; i >= at; i--) value = value * 128 + (this.bytes[i] & 0x7f);
    if (value > Number.MAX_SAFE_INTEGER) {
      throw rangeError(`the varint at ${at} is beyond 2^53 - 1: readVarintBig reads it`);
    }
    this.at = end;
    return value;
  }

  /** An unsigned LEB128 varint of up to 64 bits. */
  readVarintBig(): bigint {
    const at = this.take(1);
    const end = this.varintEnd(at);
    let value = 0n;
    for (let i = end - 1; i >= at; i--) value = (value << 7n) | BigInt(this.bytes[i] & 0x7f);
    if (value > 0xffff_ffff_ffff_ffffn) throw corrupt(at, 'a varint of more than 64 bits');
    this.at = end;
    return value;
  }

  /** Where the varint at `at` ends; all of it is there. */
  private varintEnd(at: number): number {
    const { bytes } = this;
    for (let i = at; i < at + VARINT_BYTES; i++) {
      if (i >= bytes.length) throw this.ended(at, i + 1 - at);
      if (bytes[i] < 0x80) {
        this.take(i + 1 - at);
        return i + 1;
      }
    }
    throw corrupt(at, 'a varint of more than ten bytes');
  }

  /** The next `length` bytes, as a view of the file: nothing is copied. */
  readBytes(length: number): Uint8Array {
    const from = this.take(checkInteger(length, 'length', 0, Number.MAX_SAFE_INTEGER));
    this.at = from + length;
    return this.bytes.subarray(from, from + length);
  }

  /**
   * Text of `length` bytes of UTF-8. Without a length, the one that a varint before the text gives,
   * in bytes.
   */
  readString(length?: number): string {
    const before = this.at;
    try {
      const bytes = this.readBytes(length ?? this.readVarint());
      // TextDecoder refuses shared memory.
      return decoder.decode(bytes.slice());
    } catch (error) {
      this.at = before;
      // TextDecoder's own is a TypeError.
      if (error instanceof OffheapError) throw error;
      throw corrupt(before, 'bytes that are not UTF-8');
    }
  }

  /** Where the next `count` bytes begin; they are there. */
  private take(count: number): number {
    const { at } = this;
    const end = at + count;
    if (end > this.mark || this.bytes !== this.source.bytes) this.prepare(at, count);
    return at;
  }

  /** Before a read past the mark, or of a file that was refreshed or closed. */
  private prepare(at: number, count: number): void {
    this.renew();
    if (at + count > this.bytes.length) throw this.ended(at, count);
    this.mark = this.source.ahead(at + count);
  }

  /** Takes the bytes of the file as they are now. */
  private renew(): void {
    const { source } = this;
    source.open();
    if (this.bytes === source.bytes) return;
    this.bytes = source.bytes;
    this.view = viewOf(this.bytes);
    this.mark = 0;
  }

  private ended(at: number, count: number): Error {
    return rangeError(`${count} bytes at ${at} of a file of ${this.bytes.length}`);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function corrupt(at: number, what: string): Error {
  return offheapError('ERR_OFFHEAP_CORRUPT', `${what} at ${at}`);
}
