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
import { offheapError } from '../errors.js';
import { TYPE } from '../region/element.js';
import { HEADER_WORDS } from '../region/format.js';
import { Uncloneable } from '../region/uncloneable.js';
import type { Arena } from './arena.js';
import { keyAt } from './columns.js';
import { INLINE_CAPACITY, TWO_32 } from './layout.js';
import { LONGEST_CACHED } from './strings.js';

/** Type codes used by hot code are module constants, because V8 folds those. */
const U32 = TYPE.u32;
const I32 = TYPE.i32;
const STRING = TYPE.string;

/** The epoch of an empty cache. */
const NO_EPOCH = -1;

/** The bits of a place that hold the number of entries. More than 8 marks a promoted map. */
const COUNT = 15;

/** Results of a lookup other than an entry: the key is absent, or the slow path has to decide. */
export const ABSENT = -1;
export const UNKNOWN = -2;

/** The arena of a map. */
export let arenaOf: (cache: KeyCache) => Arena;
/** The id of a map. Throws after `close()`. */
export let idOf: (cache: KeyCache) => number;
/** The number of entries, if the map is inline and may be read directly; else −1. */
export let inlineSize: (cache: KeyCache) => number;
/** Whether `close()` has been called. */
export let isClosed: (cache: KeyCache) => boolean;
/** The entry of a key in the slot columns, {@link ABSENT}, or {@link UNKNOWN}. */
export let find: (cache: KeyCache, key: unknown) => number;
/**
 * Fills the cache on the second lookup without a change in between. The current lookup is left to
 * the arena.
 */
let fill: (cache: KeyCache) => typeof UNKNOWN;
/** Empties the cache for good. Used by `close()`. */
export let invalidate: (cache: KeyCache) => void;

/**
 * The arena of the map that is being constructed. It initializes a field, because after a first
 * value of `undefined` V8 would check the type of the arena at each access (see `ownTable`).
 */
let pending: Arena;

/**
 * The base class of SmallMap. Its fields are part of the map object, because a separate object
 * would be another cache miss, and private, so that they are not enumerable.
 */
export class KeyCache extends Uncloneable {
  readonly #arena = pending;
  /** The index of the map's place word in the region. The generation word follows it. */
  readonly #at: number = 0;
  /** The high half of the id; negative after `close()`. */
  #generation = 0;
  /**
   * The arena's epoch when the cache was filled. A value of −2 − e means that it is empty and was
   * asked for in epoch e; {@link NO_EPOCH} that it is empty.
   */
  #epoch = NO_EPOCH;
  /** The map's place at that time. */
  #place = 0;
  /**
   * The tags of the first four keys, from the highest byte on, and of the other four. 0 for absent
   * keys.
   */
  #tags = 0;
  #moreTags = 0;
  /** The keys of a map with string keys. A single key is stored by itself and needs no tag. */
  #texts: string[] | undefined = undefined;
  #only: string | undefined = undefined;

  static {
    arenaOf = (cache) => cache.#arena;
    idOf = (cache) => {
      if (cache.#generation < 0) throw offheapError('ERR_OFFHEAP_CLOSED', 'this map has been closed');
      return cache.#generation * TWO_32 + (cache.#at - HEADER_WORDS) / 2;
    };
    inlineSize = (cache) => {
      const { fastWords } = cache.#arena;
      const at = cache.#at;
      if (fastWords[at + 1] !== cache.#generation) return -1;
      const count = fastWords[at] & COUNT;
      return count <= INLINE_CAPACITY ? count : -1;
    };
    isClosed = (cache) => cache.#generation < 0;
    find = (cache, key) => {
      const arena = cache.#arena;
      const place = cache.#place;
      if (cache.#epoch !== arena.epoch || arena.fastWords[cache.#at] !== place) return fill(cache);
      if (typeof key === 'number') {
        const bits = key | 0;
        if (arena.keyType === U32 ? bits >>> 0 !== key : arena.keyType !== I32 || bits !== key)
          return UNKNOWN;
        let hits = candidates(cache.#tags, cache.#moreTags, tagOfNumber(bits));
        while (hits !== 0) {
          const lane = Math.clz32(hits);
          const entry = ((place >>> 4) << 1) + laneOf(lane);
          if (arena.fastWords[arena.keysAt + entry] === bits) return entry;
          hits ^= 0x80000000 >>> lane;
        }
        return ABSENT;
      }
      if (typeof key !== 'string') return UNKNOWN;
      const only = cache.#only;
      const texts = cache.#texts;
      if (only !== undefined) return only === key ? (place >>> 4) << 1 : ABSENT;
      if (texts === undefined) return UNKNOWN;
      let hits = candidates(cache.#tags, cache.#moreTags, tagOfString(key));
      while (hits !== 0) {
        const lane = Math.clz32(hits);
        if (texts[laneOf(lane)] === key) return ((place >>> 4) << 1) + laneOf(lane);
        hits ^= 0x80000000 >>> lane;
      }
      return ABSENT;
    };
    fill = (cache) => {
      const arena = cache.#arena;
      const at = cache.#at;
      const { epoch, fastWords: words, keysAt, keyType } = arena;
      if (keyType !== U32 && keyType !== I32 && keyType !== STRING) return UNKNOWN;
      if (at >= words.length || words[at + 1] !== cache.#generation) return UNKNOWN;
      const place = words[at];
      const count = place & COUNT;
      const first = (place >>> 4) << 1;
      if (count > INLINE_CAPACITY || keysAt + first + count > words.length) return UNKNOWN;
      const asked = -2 - epoch;
      if (cache.#epoch !== asked || cache.#place !== place) {
        cache.#epoch = asked;
        cache.#place = place;
        return UNKNOWN;
      }
      const texts: string[] = [];
      const tags = [0, 0];
      for (let lane = 0; lane < count; lane++) {
        let tag: number;
        if (keyType === STRING) {
          const text = keyAt(arena, first + lane) as string;
          if (text.length > LONGEST_CACHED) return UNKNOWN;
          texts.push(text);
          tag = tagOfString(text);
        } else {
          tag = tagOfNumber(words[keysAt + first + lane]);
        }
        tags[lane >>> 2] |= tag << (24 - 8 * (lane & 3));
      }
      cache.#tags = tags[0]!;
      cache.#moreTags = tags[1]!;
      cache.#texts = keyType === STRING ? texts : undefined;
      cache.#only = texts.length === 1 ? texts[0] : undefined;
      cache.#epoch = epoch;
      return UNKNOWN;
    };
    invalidate = (cache) => {
      cache.#generation = cache.#epoch = NO_EPOCH;
      cache.#texts = cache.#only = undefined;
    };
  }

  constructor(arena: Arena, id: number) {
    pending = arena;
    super();
    this.#at = HEADER_WORDS + (id >>> 0) * 2;
    this.#generation = Math.floor(id / TWO_32);
  }
}

/**
 * A bit mask of the lanes whose tag matches: bit 31 − 8 × lane for the first four lanes, and 30 −
 * 8 × (lane − 4) from the fifth on.
 */
function candidates(first: number, more: number, tag: number): number {
  const tags = Math.imul(tag, 0x01010101);
  return (
    ((-0x7f7f7f80 - (first ^ tags)) & -0x7f7f7f80) | (((-0x7f7f7f80 - (more ^ tags)) & -0x7f7f7f80) >>> 1)
  );
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
