/**
 * The words of a bit vector, and how a bit is read and written.
 *
 * An owner keeps the words, the length and the capacity in fields for hot code. Without direct
 * access (another thread's vector, a file, a closed vector) `size` and `room` are 0, so that the
 * fast paths fail and fall through to the slow paths.
 *
 * A bit changes by one store, and an appended bit by two, first the bit and then the length.
 * Readers therefore see each change as a whole, and a writer that is terminated leaves a valid
 * region. Changes of many words are rearrangements, which Rust makes.
 */
import { HEADER_BYTES, HEADER_WORDS, WORD as COMMON, writeLong } from '../../region/format.js';
import type { Region } from '../../region/region.js';
import { copyOf, OWNER, RegionTable } from '../../region/table.js';
import { readLength, readShape, regionBytes, STEP, WORD } from './layout.js';

const TWO_32 = 4_294_967_296;
const NOTHING = new Int32Array(0);
const CLOSED_HEAD = new Int32Array(HEADER_WORDS);

export class BitTable extends RegionTable<'bitvector'> {
  /** All words that fit. */
  words: Int32Array = NOTHING;
  head: Int32Array = CLOSED_HEAD;
  /** The number of bits for an owner, else 0. */
  size = 0;
  /** The number of bits up to which a push takes plain stores, else 0. */
  room = 0;
  /** The number of bits that fit. */
  capacity = 0;

  get kind(): 'bitvector' {
    return 'bitvector';
  }
  get label(): string {
    return 'bit vector';
  }

  bindViews(what: string, direct: boolean): void {
    const { head, bytes, buffer } = this.region;
    const { length, capacity } = readShape(head, bytes.length, what);
    this.words = new Int32Array(buffer, bytes.byteOffset + HEADER_BYTES, capacity / 32);
    this.head = head;
    this.capacity = capacity;
    this.size = direct ? length : 0;
    // The length takes two stores when it reaches a multiple of 2^32.
    this.room = direct && !this.hasReaders ? Math.min(capacity, TWO_32 - 1) : 0;
  }

  dropViews(): void {
    this.words = NOTHING;
    this.head = CLOSED_HEAD;
    this.size = this.room = this.capacity = 0;
  }

  check(region: Region, length: number, what: string): void {
    readShape(region.head, length, what);
  }

  /** The number of bits. Readers must validate it. */
  lengthNow(): number {
    return this.role === OWNER ? this.size : Math.min(readLength(this.head), this.capacity);
  }

  /** The bit at a position, which must be below the capacity. */
  load(position: number): boolean {
    const word = position < TWO_32 ? this.words[position >>> 5] : this.words[Math.floor(position / 32)];
    return ((word >>> (position % 32)) & 1) !== 0;
  }

  store(position: number, bit: boolean): void {
    const { words } = this;
    const at = Math.floor(position / 32);
    const mask = 1 << (position % 32);
    words[at] = bit ? words[at] | mask : words[at] & ~mask;
  }

  /** Publishes the length after the last bit has been stored. */
  publish(size: number): void {
    const { head } = this;
    if (size % TWO_32 === 0) {
      const words = new BigInt64Array(head.buffer, head.byteOffset + WORD.lengthLow * 4, 1);
      Atomics.store(words, 0, BigInt(size));
    } else if (this.hasReaders) Atomics.store(head, WORD.lengthLow, size | 0);
    else head[WORD.lengthLow] = size | 0;
    this.size = size;
  }

  /**
   * Bytes that do not change while native code reads them. For another thread's vector or a file
   * this is a copy, because the call that follows cannot be undone if they change or vanish.
   */
  stableBytes(): Uint8Array {
    return this.role === OWNER ? this.region.bytes : this.copyRegion();
  }

  /**
   * A copy that has exactly the length that the bits need, with zeros past them, so that its bytes
   * depend on the bits only.
   */
  override copyRegion(): Uint8Array {
    return this.read(() => {
      const length = this.lengthNow();
      const capacity = Math.ceil(length / STEP) * STEP;
      const used = regionBytes(capacity);
      const copy = copyOf(this.region.bytes, used);
      const words = new Int32Array(copy.buffer, 0, used / 4);
      writeLong(words, COMMON.lengthLow, used);
      writeLong(words, WORD.lengthLow, length);
      writeLong(words, WORD.capacityLow, capacity);
      // Drop bits that were pushed in the meantime.
      const end = HEADER_BYTES / 4 + Math.floor(length / 32);
      if (end < words.length) words[end] &= ~(-1 << (length % 32));
      words.fill(0, end + 1);
      return copy;
    });
  }

  /** The length and the bits. */
  override contents(): unknown {
    const bytes = this.copyRegion();
    const length = readLength(new Int32Array(bytes.buffer, 0, HEADER_WORDS));
    return [length, bytes.subarray(HEADER_BYTES)];
  }
}
