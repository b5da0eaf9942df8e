/**
 * The index of tagged buckets that finds a position by its hash (`docs/formats/hashmap.md`, "Index
 * bucket"). A bucket is 16 words: twelve tags, an overflow count, twelve positions.
 * `native/core/src/table/index.rs` does the same.
 *
 * {@link Buckets} is the whole of it, for structures whose fast path is elsewhere; HashMap writes
 * its search out in full, with the functions here (`src/hashmap/table.ts`).
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

/**
 * The word of a bucket that holds the position of a lane, and the byte of its tag word, from
 * `clz32`.
 */
export function positionWord(lane: number): number {
  return 4 + (lane >>> 3) + ((lane & 3) << 2);
}
export function tagMask(lane: number): number {
  return 0xff000000 >>> (lane & 24);
}

/**
 * How many buckets index `capacity` entries: at most 10.2 to each, or 12 in a single one; none for
 * no entries.
 */
export function bucketsFor(capacity: number): number {
  if (capacity <= 12) return capacity > 0 ? 1 : 0;
  const wanted = Math.ceil((capacity * 5) / 51);
  if (wanted <= 4) return wanted;
  const scale = 2 ** (29 - Math.clz32(wanted)); // 4 scale <= wanted < 8 scale
  return Math.ceil(wanted / scale) * scale;
}

/**
 * An index. A search is {@link Buckets.first}, then {@link Buckets.next} until the position is the
 * right one or −1.
 */
export class Buckets {
  private readonly mul: number;
  private readonly shift: number;
  private tags = 0;
  private base = 0;
  private hits = 0;
  private left = 0;

  /** `published`: other threads may be reading. */
  constructor(
    private readonly words: Int32Array,
    private readonly published: boolean,
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
   * The first position that may have the hash, or −1. From elsewhere it can be anything: compare it
   * as unsigned.
   */
  first(h: number): number {
    this.left = this.words.length;
    if (this.left === 0) return -1;
    this.tags = tagsOf(h);
    this.base = this.home(h);
    this.hits = lanesEqual(this.words, this.base, this.tags);
    return this.next();
  }

  /** The next such position, or −1. Ends, whatever the index holds. */
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

  /**
   * Puts an absent position in: overflow counts, then the position, then the tag, which publishes
   * it.
   */
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
   * Takes a position out, where it stands under `h`. Returns how many full buckets it had passed,
   * or −1.
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

  /** Counts down the overflow of the buckets that a position had passed. */
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
    if (this.published) Atomics.store(this.words, at, value);
    else this.words[at] = value;
  }
}
