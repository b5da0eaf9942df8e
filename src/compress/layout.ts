/**
 * The headers of the structures of this module (`docs/formats/compress.md`), and the constant-time
 * check of bytes that come from outside. The counterparts in `native/core/src/compress` check the
 * rest of dictionaries and stores when they are opened.
 */
import { align, checkHeader, corrupt, HEADER_BYTES, readLong } from '../region/format.js';

/** Words of a dictionary's header. */
export const DICTIONARY = { content: 16, phrases: 17, contexts: 18, tables: 19 } as const;
/** Words of a Bloom filter's header, each of two. */
export const FILTER = { blocks: 16, capacity: 18, rate: 20 } as const;
/** The maximum number of blocks of a filter: 4 GiB. */
export const MAX_BLOCKS = 2 ** 26;
/** Words of a suffix array's header: two. */
export const SUFFIXES = { length: 16 } as const;
/** The maximum length of a suffix array's text. */
export const MAX_TEXT = 2 ** 31 - 2;
/** Words of a store's header; all but the last are two. */
export const STORE = { length: 16, payload: 18, longest: 20, total: 22, dictionary: 24 } as const;

export interface DictionaryShape {
  /** Bytes of text that matches refer to. */
  content: number;
  /** Strings that have their own symbol. */
  phrases: number;
  /** Contexts that choose the code of a symbol. */
  contexts: number;
  /** Bytes of the region. */
  bytes: number;
}

export function readDictionary(words: Int32Array, available: number, what: string): DictionaryShape {
  const bytes = checkHeader(words, available, 'dictionary', what);
  const content = words[DICTIONARY.content] >>> 0;
  const tables = words[DICTIONARY.tables] >>> 0;
  if (Math.ceil((HEADER_BYTES + content + tables) / 64) * 64 !== bytes) {
    throw corrupt(what, `its length is ${bytes} bytes, but its parts have ${content} and ${tables}`);
  }
  return {
    content,
    phrases: words[DICTIONARY.phrases] >>> 0,
    contexts: words[DICTIONARY.contexts] >>> 0,
    bytes,
  };
}

export interface StoreShape {
  /** The number of records. */
  length: number;
  /** Bytes of the compressed records. */
  payload: number;
  /** Bytes of the longest record before compression. */
  longest: number;
  /** Bytes of all records before compression. */
  total: number;
  /** Bytes of the dictionary. */
  dictionary: number;
  /** Bytes of the region. */
  bytes: number;
}

export function readStore(words: Int32Array, available: number, what: string): StoreShape {
  const bytes = checkHeader(words, available, 'recordstore', what);
  const shape = {
    length: readLong(words, STORE.length),
    payload: readLong(words, STORE.payload),
    longest: readLong(words, STORE.longest),
    total: readLong(words, STORE.total),
    dictionary: words[STORE.dictionary] >>> 0,
    bytes,
  };
  if (HEADER_BYTES + shape.dictionary + shape.payload > bytes || shape.dictionary % 64 !== 0) {
    throw corrupt(what, `its length is ${bytes} bytes, but its records have ${shape.payload}`);
  }
  return shape;
}

export interface FilterShape {
  /** Cache lines of 64 bytes. */
  blocks: number;
  /** The number of keys that it was made for. */
  capacity: number;
  /** The rate of false positives. */
  rate: number;
}

export function readFilter(words: Int32Array, available: number, what: string): FilterShape {
  const bytes = checkHeader(words, available, 'bloomfilter', what);
  const blocks = readLong(words, FILTER.blocks);
  if (blocks < 1 || blocks > MAX_BLOCKS || HEADER_BYTES + blocks * 64 !== bytes) {
    throw corrupt(what, `its length is ${bytes} bytes, but it has ${blocks} blocks`);
  }
  return { blocks, capacity: readLong(words, FILTER.capacity), rate: readRate(words) };
}

/** The rate of a filter: a double. */
export function readRate(words: Int32Array): number {
  return new Float64Array(Int32Array.of(words[FILTER.rate], words[FILTER.rate + 1]).buffer)[0];
}

/** Where the positions of a suffix array begin. */
export function positionsStart(length: number): number {
  return align(HEADER_BYTES + length);
}

/** The number of bytes of a suffix array's text. */
export function readSuffixes(words: Int32Array, available: number, what: string): number {
  const bytes = checkHeader(words, available, 'suffixarray', what);
  const length = readLong(words, SUFFIXES.length);
  if (length > MAX_TEXT || align(positionsStart(length) + length * 4) !== bytes) {
    throw corrupt(what, `its length is ${bytes} bytes, but its text has ${length}`);
  }
  return length;
}
