/**
 * The cache that a SmallMap object keeps of its map, so that a lookup among up to 8 keys takes a
 * few instructions: the location of the entries, a one-byte tag per key, and the keys themselves if
 * they are strings.
 *
 * The tags of 8 keys are compared at once, four to a word, like those of a HashMap bucket
 * (`region/buckets.ts`); a key is compared only if its tag matches. A string is therefore neither
 * encoded nor hashed nor looked up among all strings of the arena, and maps of all sizes take the
 * same time: about 5 to 8 ns for numbers, 8 to 12 ns for strings.
 *
 * The cache is valid as long as two words are unchanged. The arena increments its `epoch` whenever
 * a map loses a key and whenever the views are replaced, on growth and on `close()`. The map's
 * place in the directory changes with every key that it gains. So changing values costs nothing,
 * and deleting a key from one map invalidates the caches of all maps in the same arena. The cache
 * is refilled on the second lookup that finds both words unchanged, so that maps which change all
 * the time are not cached again all the time.
 */
import { TYPE } from '../region/element.js';
import { HEADER_WORDS } from '../region/format.js';
import { INLINE_CAPACITY } from './layout.js';
import { TWO_32 } from './store.js';
import { LONGEST_CACHED } from './strings.js';

/** Type codes used by hot code are module constants, because V8 folds those. */
const U32 = TYPE.u32;
const I32 = TYPE.i32;
const STRING = TYPE.string;

/** The internals of an arena that the fast paths use. */
export interface ArenaInternals {
  /** Incremented when caches become invalid. Never negative. */
  readonly epoch: number;
  /** All words of the region if they may be read directly, else none. */
  readonly fastWords: Int32Array;
  /** The index of the first slot key in `fastWords`, if keys have 4 bytes. */
  readonly keysAt: number;
  readonly keyType: number;
  keyAt(entry: number): unknown;
  slotValue(entry: number): unknown;
  /** Replaces the value of a slot entry if one plain store suffices. Returns `false` otherwise. */
  replaceValue(entry: number, value: unknown): boolean;
  /** The number of entries in the slot of a map with `count` entries. */
  slotFor(count: number): number;
}

/** The epoch of an empty cache. */
const NO_EPOCH = -1;

/** The bits of a place that hold the number of entries. More than 8 marks a promoted map. */
export const COUNT = 15;

/** Results of a lookup other than an entry: the key is absent, or the slow path has to decide. */
export const ABSENT = -1;
export const UNKNOWN = -2;

export abstract class KeyCache {
  protected readonly inside: ArenaInternals;
  /** The index of the map's place word in the region. The generation word follows it. */
  protected readonly at: number;
  /** The high half of the id; negative after `close()`. */
  protected generation: number;
  /**
   * The arena's epoch when the cache was filled. A value of −2 − e means that it is empty and was
   * asked for in epoch e; {@link NO_EPOCH} that it is empty.
   */
  private epoch = NO_EPOCH;
  /** The map's place at that time. */
  private place = 0;
  /**
   * The tags of the first four keys, from the highest byte on, and of the other four. 0 for absent
   * keys.
   */
  private tags = 0;
  private moreTags = 0;
  /** The keys of a map with string keys. A single key is stored by itself and needs no tag. */
  private texts: string[] | undefined = undefined;
  private only: string | undefined = undefined;

  protected constructor(inside: ArenaInternals, id: number) {
    this.inside = inside;
    this.at = HEADER_WORDS + (id >>> 0) * 2;
    this.generation = Math.floor(id / TWO_32);
  }

  /** The entry of a key in the slot columns, {@link ABSENT}, or {@link UNKNOWN}. */
  protected find(key: unknown): number {
    const { inside, place } = this;
    if (this.epoch !== inside.epoch || inside.fastWords[this.at] !== place) return this.fill();
    if (typeof key === 'number') {
      const bits = key | 0;
      if (inside.keyType === U32 ? bits >>> 0 !== key : inside.keyType !== I32 || bits !== key)
        return UNKNOWN;
      let hits = this.candidates(tagOfNumber(bits));
      while (hits !== 0) {
        const lane = Math.clz32(hits);
        const entry = ((place >>> 4) << 1) + laneOf(lane);
        if (inside.fastWords[inside.keysAt + entry] === bits) return entry;
        hits ^= 0x80000000 >>> lane;
      }
      return ABSENT;
    }
    if (typeof key !== 'string') return UNKNOWN;
    const { only, texts } = this;
    if (only !== undefined) return only === key ? (place >>> 4) << 1 : ABSENT;
    if (texts === undefined) return UNKNOWN;
    let hits = this.candidates(tagOfString(key));
    while (hits !== 0) {
      const lane = Math.clz32(hits);
      if (texts[laneOf(lane)] === key) return ((place >>> 4) << 1) + laneOf(lane);
      hits ^= 0x80000000 >>> lane;
    }
    return ABSENT;
  }

  /**
   * A bit mask of the lanes whose tag matches: bit 31 − 8 × lane for the first four lanes, and 30 −
   * 8 × (lane − 4) from the fifth on.
   */
  private candidates(tag: number): number {
    const tags = Math.imul(tag, 0x01010101);
    return (
      ((-0x7f7f7f80 - (this.tags ^ tags)) & -0x7f7f7f80) |
      (((-0x7f7f7f80 - (this.moreTags ^ tags)) & -0x7f7f7f80) >>> 1)
    );
  }

  /** Empties the cache for good. Used by `close()`. */
  protected invalidate(): void {
    this.generation = this.epoch = NO_EPOCH;
    this.texts = this.only = undefined;
  }

  /**
   * Fills the cache on the second lookup without a change in between. The current lookup is left to
   * the arena.
   */
  private fill(): typeof UNKNOWN {
    const { inside, at } = this;
    const { epoch, fastWords: words, keysAt, keyType } = inside;
    if (keyType !== U32 && keyType !== I32 && keyType !== STRING) return UNKNOWN;
    if (at >= words.length || words[at + 1] !== this.generation) return UNKNOWN;
    const place = words[at];
    const count = place & COUNT;
    const first = (place >>> 4) << 1;
    if (count > INLINE_CAPACITY || keysAt + first + count > words.length) return UNKNOWN;
    const asked = -2 - epoch;
    if (this.epoch !== asked || this.place !== place) {
      this.epoch = asked;
      this.place = place;
      return UNKNOWN;
    }
    const texts: string[] = [];
    const tags = [0, 0];
    for (let lane = 0; lane < count; lane++) {
      let tag: number;
      if (keyType === STRING) {
        const text = inside.keyAt(first + lane) as string;
        if (text.length > LONGEST_CACHED) return UNKNOWN;
        texts.push(text);
        tag = tagOfString(text);
      } else {
        tag = tagOfNumber(words[keysAt + first + lane]);
      }
      tags[lane >>> 2] |= tag << (24 - 8 * (lane & 3));
    }
    [this.tags, this.moreTags] = tags as [number, number];
    this.texts = keyType === STRING ? texts : undefined;
    this.only = texts.length === 1 ? texts[0] : undefined;
    this.epoch = epoch;
    return UNKNOWN;
  }
}

/** The lane of a candidate bit, given the number of leading zeros. */
function laneOf(zeros: number): number {
  return (zeros >>> 3) | ((zeros & 1) << 2);
}

/** The tag of a key: 1 to 64. */
function tagOfNumber(key: number): number {
  return (Math.imul(key, 0x9e3779b1) >>> 26) + 1;
}

/**
 * Uses the last character, the middle character and the length. Those distinguish numbered names,
 * and most words.
 */
function tagOfString(text: string): number {
  const { length } = text;
  if (length === 0) return 1;
  const last = length - 1;
  return (((text.charCodeAt(last) << 3) ^ (text.charCodeAt(last >>> 1) + length)) & 63) + 1;
}
