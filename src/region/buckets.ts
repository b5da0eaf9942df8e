/**
 * The index of tagged buckets that finds a position by its hash (`docs/formats/hashmap.md`, "Index
 * bucket"). A bucket is 16 words: twelve tags, an overflow count, twelve positions.
 * `native/core/src/table/index.rs` does the same.
 *
 * {@link Buckets} is the complete index, for structures whose fast path does not use it.
 * `src/hashmap/table.ts` writes insertion and removal out for speed, with the functions here; a
 * test compares the two.
 */
import { corrupt } from './format.js';

/** The tag of a hash (1 to 127) in each byte. */
export function tagsOf(h: number): number {
  const tag = h & 0x7f;
  return Math.imul(tag | ((tag - 1) >>> 31), 0x01010101);
}

/**
 * The lanes of the bucket at `base` whose tag is the one in `tags`: the lane of byte b of word j is
 * bit 8b + 7 − j, so that `clz32` of the result, 8 (3 − b) + j, names the first such lane in the
 * order of the format.
 */
export function lanesEqual(index: Int32Array, base: number, tags: number): number {
  return (
    ((-0x7f7f7f80 - (index[base] ^ tags)) & -0x7f7f7f80) |
    (((-0x7f7f7f80 - (index[base | 1] ^ tags)) & -0x7f7f7f80) >>> 1) |
    (((-0x7f7f7f80 - (index[base | 2] ^ tags)) & -0x7f7f7f80) >>> 2)
  );
}

/** The word of a bucket with the position of a lane, which is a result of `clz32`. */
export function positionWord(lane: number): number {
  return 4 + (lane >>> 3) + ((lane & 3) << 2);
}
/** The byte of a lane in its tag word, as a mask. */
export function tagMask(lane: number): number {
  return 0xff000000 >>> (lane & 24);
}

/**
 * The number of buckets for `capacity` entries: at most 10.2 entries each, or 12 in a single one.
 */
export function bucketsFor(capacity: number): number {
  if (capacity <= 12) return capacity > 0 ? 1 : 0;
  const wanted = Math.ceil((capacity * 5) / 51);
  if (wanted <= 4) return wanted;
  const scale = 2 ** (29 - Math.clz32(wanted)); // 4 scale <= wanted < 8 scale
  return Math.ceil(wanted / scale) * scale;
}

/**
 * An index. A search calls {@link Buckets.first}, then {@link Buckets.next} until the position is
 * the right one or −1.
 */
export class Buckets {
  private readonly mul: number;
  private readonly shift: number;
  private tags = 0;
  private base = 0;
  private hits = 0;
  private left = 0;

  /** `hasReaders`: other threads may be reading, so publishing stores are atomic. */
  constructor(
    private readonly words: Int32Array,
    private readonly hasReaders: boolean,
  ) {
    const buckets = words.length / 16;
    const exponent = Math.max(0, 29 - Math.clz32(buckets));
    this.mul = (buckets / 2 ** exponent) | 0;
    this.shift = 29 - exponent;
  }

  private home(h: number): number {
    return (Math.imul(h >>> 3, this.mul) >>> this.shift) << 4;
  }

  /**
   * The first position that may have the hash, or −1. In a damaged region it can be any number:
   * compare it as unsigned.
   */
  first(h: number): number {
    this.left = this.words.length;
    if (this.left === 0) return -1;
    this.tags = tagsOf(h);
    this.base = this.home(h);
    this.hits = lanesEqual(this.words, this.base, this.tags);
    return this.next();
  }

  /** The next such position, or −1. Terminates even if the index is damaged. */
  next(): number {
    const { words } = this;
    for (;;) {
      if (this.hits !== 0) {
        const lane = Math.clz32(this.hits);
        this.hits ^= 0x80000000 >>> lane;
        return words[this.base | positionWord(lane)] & 0x7fffffff;
      }
      this.left -= 16;
      if (words[this.base | 3] === 0 || this.left <= 0) return -1;
      this.base = (this.base + 16) | 0;
      if (this.base === words.length) this.base = 0;
      this.hits = lanesEqual(words, this.base, this.tags);
    }
  }

  /** Inserts a position: overflow counts, then the position, then the tag, which publishes it. */
  enter(h: number, position: number): void {
    const { words } = this;
    const end = words.length;
    const tags = tagsOf(h);
    let base = this.home(h);
    for (let left = end; left > 0; left -= 16) {
      const free = lanesEqual(words, base, 0);
      if (free !== 0) {
        const lane = Math.clz32(free);
        words[base | positionWord(lane)] = position;
        const word = base | (lane & 3);
        this.store(word, words[word] | (tags & tagMask(lane)));
        return;
      }
      words[base | 3] = words[base | 3] + 1;
      base = (base + 16) | 0;
      if (base === end) base = 0;
    }
    throw corrupt('this region', 'its index has no empty lane');
  }

  /**
   * Removes a position, which is stored under the hash `h`. Returns the number of full buckets
   * between its home bucket and its own, or −1.
   */
  leave(h: number, position: number): number {
    const { words } = this;
    const end = words.length;
    const tags = tagsOf(h);
    let base = this.home(h);
    for (let passed = 0; passed * 16 < end; passed++) {
      let hits = lanesEqual(words, base, tags);
      while (hits !== 0) {
        const lane = Math.clz32(hits);
        if (words[base | positionWord(lane)] === position) {
          const word = base | (lane & 3);
          this.store(word, words[word] & ~tagMask(lane));
          return passed;
        }
        hits ^= 0x80000000 >>> lane;
      }
      if (words[base | 3] === 0) return -1;
      base = (base + 16) | 0;
      if (base === end) base = 0;
    }
    return -1;
  }

  /** Decreases the overflow counts of the buckets before the one of a removed position. */
  countDown(h: number, passed: number): void {
    const { words } = this;
    let base = this.home(h);
    for (let i = 0; i < passed; i++) {
      const count = words[base | 3];
      if (count !== 0) words[base | 3] = count - 1;
      base = (base + 16) | 0;
      if (base === words.length) base = 0;
    }
  }

  private store(at: number, value: number): void {
    if (this.hasReaders) Atomics.store(this.words, at, value);
    else this.words[at] = value;
  }
}
