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
import type { ArenaTable } from './arena-table.js';
import { keyAt } from './columns.js';
import { LONGEST_CACHED } from './strings.js';

const STRING = TYPE.string;

/** The keys of an inline map in the form that lookups use. */
export interface CachedKeys {
  /**
   * The tags of the first four keys, from the highest byte on, and of the other four. 0 for absent
   * keys.
   */
  tags: number;
  moreTags: number;
  /** The keys, if they are strings. */
  texts: string[] | undefined;
}

/** Reads the keys of an inline map. Returns `undefined` if a string is too long to be cached. */
export function readKeys(table: ArenaTable, first: number, count: number): CachedKeys | undefined {
  const { keyType, keysAt, fastWords } = table;
  const texts: string[] = [];
  const tags: [number, number] = [0, 0];
  for (let lane = 0; lane < count; lane++) {
    let tag: number;
    if (keyType === STRING) {
      const text = keyAt(table, first + lane) as string;
      if (text.length > LONGEST_CACHED) return undefined;
      texts.push(text);
      tag = tagOfString(text);
    } else {
      tag = tagOfNumber(fastWords[keysAt + first + lane]);
    }
    tags[lane >>> 2] |= tag << (24 - 8 * (lane & 3));
  }
  return { tags: tags[0], moreTags: tags[1], texts: keyType === STRING ? texts : undefined };
}

/**
 * A bit mask of the lanes whose tag matches: bit 31 − 8 × lane for the first four lanes, and 30 −
 * 8 × (lane − 4) from the fifth on.
 */
export function candidates(first: number, more: number, tag: number): number {
  const tags = Math.imul(tag, 0x01010101);
  return (
    ((-0x7f7f7f80 - (first ^ tags)) & -0x7f7f7f80) | (((-0x7f7f7f80 - (more ^ tags)) & -0x7f7f7f80) >>> 1)
  );
}

/** The lane of a candidate bit, given the number of leading zeros. */
export function laneOf(zeros: number): number {
  return (zeros >>> 3) | ((zeros & 1) << 2);
}

/** The tag of a key: 1 to 64. */
export function tagOfNumber(key: number): number {
  return (Math.imul(key, 0x9e3779b1) >>> 26) + 1;
}

/**
 * Uses the last character, the middle character and the length. Those distinguish numbered names,
 * and most words.
 */
export function tagOfString(text: string): number {
  const { length } = text;
  if (length === 0) return 1;
  const last = length - 1;
  return (((text.charCodeAt(last) << 3) ^ (text.charCodeAt(last >>> 1) + length)) & 63) + 1;
}
