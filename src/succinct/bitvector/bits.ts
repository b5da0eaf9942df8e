/**
 * The words of a bit vector, and how a bit is read, written and appended.
 *
 * An owner keeps the words, the length and the capacity in fields for hot code. Without direct
 * access (another thread's vector, a file, a closed vector) `size` and `room` are 0, so that the
 * fast paths fail and fall through to the slow paths here.
 *
 * A bit changes by one store, and an appended bit by two, first the bit and then the length.
 * Readers therefore see each change as a whole, and a writer that is terminated leaves a valid
 * region. Changes of many words are rearrangements, which Rust makes.
 */
import { offheapError, rangeError, typeError } from '../../errors.js';
import { native } from '../../native.js';
import { HEADER_BYTES, HEADER_WORDS, WORD as COMMON, writeLong } from '../../region/format.js';
import { describe } from '../../region/options.js';
import type { Region } from '../../region/region.js';
import { LegacyStructure } from '../../region/legacy.js';
import { copyOf, OWNER, READER } from '../../region/table.js';
import { popcount32 } from '../word.js';
import { MAX_BITS, readLength, readShape, regionBytes, STEP, WORD } from './layout.js';

/** A bit as an argument: 1 and 0 mean `true` and `false`. */
export type Bit = boolean | 0 | 1;

const TWO_32 = 4_294_967_296;
const NOTHING = new Int32Array(0);
const CLOSED_HEAD = new Int32Array(HEADER_WORDS);
/**
 * The number of words scanned here before native code, which is faster over many words, is called.
 */
const FEW_WORDS = 32;

export abstract class Bits extends LegacyStructure<'bitvector'> {
  /** All words that fit. */
  protected words: Int32Array = NOTHING;
  protected head: Int32Array = CLOSED_HEAD;
  /** The number of bits for an owner, else 0. */
  protected size = 0;
  /** The number of bits up to which a push takes plain stores, else 0. */
  protected room = 0;
  /** The number of bits that fit. */
  protected capacity = 0;

  protected get kind(): 'bitvector' {
    return 'bitvector';
  }
  protected get label(): string {
    return 'bit vector';
  }

  protected bindViews(what: string, direct: boolean): void {
    const { head, bytes, buffer } = this.region;
    const { length, capacity } = readShape(head, bytes.length, what);
    this.words = new Int32Array(buffer, bytes.byteOffset + HEADER_BYTES, capacity / 32);
    this.head = head;
    this.capacity = capacity;
    this.size = direct ? length : 0;
    // The length takes two stores when it reaches a multiple of 2^32.
    this.room = direct && !this.hasReaders ? Math.min(capacity, TWO_32 - 1) : 0;
  }

  protected dropViews(): void {
    this.words = NOTHING;
    this.head = CLOSED_HEAD;
    this.size = this.room = this.capacity = 0;
  }

  protected check(region: Region, length: number, what: string): void {
    readShape(region.head, length, what);
  }

  /** The number of bits. Readers must validate it. */
  protected lengthNow(): number {
    return this.role === OWNER ? this.size : Math.min(readLength(this.head), this.capacity);
  }

  // ---- one bit

  /** The bit at a position, which must be below the capacity. */
  protected load(position: number): boolean {
    const word = position < TWO_32 ? this.words[position >>> 5] : this.words[Math.floor(position / 32)];
    return ((word >>> (position % 32)) & 1) !== 0;
  }

  protected store(position: number, bit: boolean): void {
    const { words } = this;
    const at = Math.floor(position / 32);
    const mask = 1 << (position % 32);
    words[at] = bit ? words[at] | mask : words[at] & ~mask;
  }

  /** The bit at a position of another thread's vector, of a file, or at or above 2^32. */
  protected loadSlow(position: number): boolean | undefined {
    if (this.role === READER) {
      const bit = position < this.lengthNow() ? this.load(position) : undefined;
      if (this.readIsValid()) return bit;
    }
    return this.read(() => (position < this.lengthNow() ? this.load(position) : undefined));
  }

  /** Checks that a position is that of a bit. */
  protected checkPosition(position: unknown): number {
    if (typeof position !== 'number')
      throw typeError(`a position must be a number, not ${describe(position)}`);
    if (!Number.isInteger(position) || position < 0 || position >= this.size) {
      throw rangeError(
        this.size === 0
          ? `position ${position} is out of range: this bit vector is empty`
          : `a position in this bit vector must be an integer from 0 to ${this.size - 1}, not ${position}`,
      );
    }
    return position + 0;
  }

  /** Checks the bounds of a range within `length` bits. Absent bounds mean all bits. */
  protected checkRange(from: unknown, to: unknown, length: number): [number, number] {
    const begin = from === undefined ? 0 : checkBound(from, 'from');
    const end = to === undefined ? length : checkBound(to, 'to');
    if (begin > end || end > length) {
      throw rangeError(`the range from ${begin} to ${end} is invalid for a bit vector of ${length} bits`);
    }
    return [begin, end];
  }

  // ---- how many

  protected append(bit: boolean): void {
    const { size } = this;
    if (size === this.capacity) this.grow(size + 1);
    // Zeros too: a writer that was terminated may have left a one here.
    this.store(size, bit);
    this.publish(size + 1);
  }

  /** Publishes the length after the last bit has been stored. */
  private publish(size: number): void {
    const { head } = this;
    if (size % TWO_32 === 0) {
      const words = new BigInt64Array(head.buffer, head.byteOffset + WORD.lengthLow * 4, 1);
      Atomics.store(words, 0, BigInt(size));
    } else if (this.hasReaders) Atomics.store(head, WORD.lengthLow, size | 0);
    else head[WORD.lengthLow] = size | 0;
    this.size = size;
  }

  /** Makes room for `count` bits in total, and for more, so that n pushes cost O(n). */
  protected grow(count: number): void {
    if (count <= this.capacity) return;
    if (count > MAX_BITS) {
      throw offheapError('ERR_OFFHEAP_FULL', `a bit vector has at most ${MAX_BITS} bits`);
    }
    const wanted = Math.min(Math.max(this.capacity * 1.5, 8 * STEP), MAX_BITS);
    if (wanted > count) {
      try {
        this.resizeRegion(wanted);
        return;
      } catch (error) {
        // There may be too little memory for growth by half, yet enough for `count` bits.
        if ((error as { code?: unknown }).code !== 'ERR_OFFHEAP_OOM') throw error;
      }
    }
    this.resizeRegion(count);
  }

  /** Changes the capacity, which must be at least the length. */
  protected resizeRegion(capacity: number): void {
    try {
      this.region.ensure(regionBytes(capacity));
      native().bitvectorSetCapacity(this.region.bytes, capacity);
    } finally {
      // Also after a refusal: the region may have moved to a larger buffer.
      this.rebindViews();
    }
  }

  protected setLength(length: number): void {
    this.grow(length);
    native().bitvectorSetLength(this.region.bytes, length);
    this.size = length;
  }

  // ---- many bits

  /** The number of ones in a range. */
  protected countRange(from: number, to: number): number {
    if (to - from > FEW_WORDS * 32) return native().bitvectorCount(this.region.bytes, from, to);
    if (from >= to) return 0;
    const { words } = this;
    const first = Math.floor(from / 32);
    const last = Math.floor((to - 1) / 32);
    const head = -1 << (from % 32);
    const tail = -1 >>> (31 - ((to - 1) % 32));
    if (first === last) return popcount32(words[first] & head & tail);
    let count = popcount32(words[first] & head) + popcount32(words[last] & tail);
    for (let at = first + 1; at < last; at++) count += popcount32(words[at]);
    return count;
  }

  /** The position of the first bit with the value `bit` at or after `from`, or −1. */
  protected next(from: number, bit: boolean, length: number): number {
    if (from >= length) return -1;
    const { words } = this;
    const flip = bit ? 0 : -1;
    let at = Math.floor(from / 32);
    const end = Math.min(Math.ceil(length / 32), at + FEW_WORDS);
    let word = (words[at] ^ flip) & (-1 << (from % 32));
    while (word === 0) {
      if (++at === end) {
        return at * 32 < length ? native().bitvectorNext(this.region.bytes, at * 32, bit) : -1;
      }
      word = words[at] ^ flip;
    }
    const position = at * 32 + 31 - Math.clz32(word & -word);
    return position < length ? position : -1;
  }

  /**
   * Bytes that do not change while native code reads them. For another thread's vector or a file
   * this is a copy, because the call that follows cannot be undone if they change or vanish.
   */
  protected steadyBytes(): Uint8Array {
    return this.role === OWNER ? this.region.bytes : this.copyRegion();
  }

  /**
   * A copy that has exactly the length that the bits need, with zeros past them, so that its bytes
   * depend on the bits only.
   */
  protected override copyRegion(): Uint8Array {
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
}

function checkBound(bound: unknown, name: string): number {
  if (typeof bound !== 'number') throw typeError(`${name} must be a position, not ${describe(bound)}`);
  if (!Number.isInteger(bound) || bound < 0) {
    throw rangeError(`${name} must be a non-negative integer, not ${bound}`);
  }
  return bound + 0;
}

/** Converts a bit to a boolean. Throws for any other value. */
export function checkBit(bit: unknown): boolean {
  if (bit === true || bit === 1) return true;
  if (bit === false || bit === 0) return false;
  throw typeError(`a bit must be true, false, 1 or 0, not ${describe(bit)}`);
}
