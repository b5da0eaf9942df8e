/**
 * What the object of a SmallMap remembers of its map, so that a lookup among up to 8 keys is a few
 * instructions: where its entries are, a tag of a byte for each key, and the keys themselves where
 * they are strings.
 *
 * Tags of 8 keys are compared at once, four to a word, as those of a bucket of the HashMap are
 * (`region/buckets.ts`); a key whose tag is there is compared by itself. A string is thus neither
 * encoded nor hashed nor looked up among all strings of the arena, and all sizes take the same
 * time: some 5 to 8 ns for numbers, 8 to 12 ns for strings.
 *
 * What is remembered holds while two words are what they were. The arena counts up its `epoch`
 * wherever a map loses a key, and wherever views are remade: on growth, on `close()`. The map's
 * place in the directory changes with every key that it gains. So a map that only gains values
 * costs nothing, one that others share an arena with loses what it remembers when they delete. It
 * is learnt anew at the second lookup that finds both words unchanged, so that maps which change
 * all the time are not relearnt all the time.
 */
import { TYPE } from '../region/element.js';
import { HEADER_WORDS } from '../region/format.js';
import { INLINE_CAPACITY } from './layout.js';
import { TWO_32 } from './store.js';
import { LONGEST_REMEMBERED } from './strings.js';

/** Codes that hot code compares with, as constants of this module: V8 folds those. */
const U32 = TYPE.u32;
const I32 = TYPE.i32;
const STRING = TYPE.string;

/** What the fast paths use of an arena. */
export interface Inside {
  /** Counts what makes remembered things wrong: never −1 nor less. */
  readonly epoch: number;
  /** All words of the region where they may be read directly, else none. */
  readonly fastWords: Int32Array;
  /** Which of them is the first key in a slot, if keys have 4 bytes. */
  readonly keysAt: number;
  readonly keyType: number;
  keyAt(entry: number): unknown;
  slotValue(entry: number): unknown;
  /** Gives an entry of a slot another value, if that takes one store. */
  replaceValue(entry: number, value: unknown): boolean;
  /** Entries of the slot that so many are in. */
  slotFor(count: number): number;
}

/** No epoch: nothing is remembered. */
const NOTHING = -1;

/** The bits of a place that count the entries; more than 8 says that the map is promoted. */
export const COUNT = 15;

/** A spot that is none: the key is absent; or only the slow road can tell. */
export const ABSENT = -1;
export const UNSURE = -2;

export abstract class Recall {
  protected readonly inside: Inside;
  /** Which words of the region are the map's place and generation. */
  protected readonly at: number;
  /** The high half of the id; negative after `close()`. */
  protected generation: number;
  /**
   * The arena's epoch when this was learnt; below −1: not yet learnt, but asked for in epoch −2 −
   * this; {@link NOTHING}.
   */
  private epoch = NOTHING;
  /** The map's place then. */
  private place = 0;
  /**
   * The tags of the first four keys, from the highest byte on, and of the others; 0 where there are
   * none.
   */
  private tags = 0;
  private moreTags = 0;
  /** The keys of a map of strings; and the only one by itself, which needs no tag. */
  private texts: string[] | undefined = undefined;
  private only: string | undefined = undefined;

  protected constructor(inside: Inside, id: number) {
    this.inside = inside;
    this.at = HEADER_WORDS + (id >>> 0) * 2;
    this.generation = Math.floor(id / TWO_32);
  }

  /** The entry of a key in the slot columns; {@link ABSENT}; or {@link UNSURE}. */
  protected find(key: unknown): number {
    const { inside, place } = this;
    if (this.epoch !== inside.epoch || inside.fastWords[this.at] !== place) return this.learn();
    if (typeof key === 'number') {
      const bits = key | 0;
      if (inside.keyType === U32 ? bits >>> 0 !== key : inside.keyType !== I32 || bits !== key) return UNSURE;
      let hits = this.candidates(tagOfNumber(bits));
      while (hits !== 0) {
        const lane = Math.clz32(hits);
        const entry = ((place >>> 4) << 1) + laneOf(lane);
        if (inside.fastWords[inside.keysAt + entry] === bits) return entry;
        hits ^= 0x80000000 >>> lane;
      }
      return ABSENT;
    }
    if (typeof key !== 'string') return UNSURE;
    const { only, texts } = this;
    if (only !== undefined) return only === key ? (place >>> 4) << 1 : ABSENT;
    if (texts === undefined) return UNSURE;
    let hits = this.candidates(tagOfString(key));
    while (hits !== 0) {
      const lane = Math.clz32(hits);
      if (texts[laneOf(lane)] === key) return ((place >>> 4) << 1) + laneOf(lane);
      hits ^= 0x80000000 >>> lane;
    }
    return ABSENT;
  }

  /**
   * The lanes of keys with a tag: that of a lane is bit 31 − 8 × lane, and 30 − 8 × (lane − 4) from
   * the fifth on.
   */
  private candidates(tag: number): number {
    const tags = Math.imul(tag, 0x01010101);
    return (
      ((-0x7f7f7f80 - (this.tags ^ tags)) & -0x7f7f7f80) |
      (((-0x7f7f7f80 - (this.moreTags ^ tags)) & -0x7f7f7f80) >>> 1)
    );
  }

  /** Forgets all: for `close()`. */
  protected forget(): void {
    this.generation = this.epoch = NOTHING;
    this.texts = this.only = undefined;
  }

  /**
   * Learns a map that has been asked before and did not change since. This time its arena is asked.
   */
  private learn(): typeof UNSURE {
    const { inside, at } = this;
    const { epoch, fastWords: words, keysAt, keyType } = inside;
    if (keyType !== U32 && keyType !== I32 && keyType !== STRING) return UNSURE;
    if (at >= words.length || words[at + 1] !== this.generation) return UNSURE;
    const place = words[at];
    const count = place & COUNT;
    const first = (place >>> 4) << 1;
    if (count > INLINE_CAPACITY || keysAt + first + count > words.length) return UNSURE;
    const asked = -2 - epoch;
    if (this.epoch !== asked || this.place !== place) {
      this.epoch = asked;
      this.place = place;
      return UNSURE;
    }
    const texts: string[] = [];
    const tags = [0, 0];
    for (let lane = 0; lane < count; lane++) {
      let tag: number;
      if (keyType === STRING) {
        const text = inside.keyAt(first + lane) as string;
        if (text.length > LONGEST_REMEMBERED) return UNSURE;
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
    return UNSURE;
  }
}

/** Which lane a bit of the candidates stands for, by how many zeros are before it. */
function laneOf(zeros: number): number {
  return (zeros >>> 3) | ((zeros & 1) << 2);
}

/** The tag of a key: 1 to 64. */
function tagOfNumber(key: number): number {
  return (Math.imul(key, 0x9e3779b1) >>> 26) + 1;
}

/**
 * By the last character, the middle one and the length: those tell numbered names apart, and words
 * mostly.
 */
function tagOfString(text: string): number {
  const { length } = text;
  if (length === 0) return 1;
  const last = length - 1;
  return (((text.charCodeAt(last) << 3) ^ (text.charCodeAt(last >>> 1) + length)) & 63) + 1;
}
