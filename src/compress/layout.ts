/**
 * The headers of dictionaries and record stores (`docs/formats/compress.md`), and the constant-time check of bytes that come from
 * elsewhere. `native/core/src/compress/{dictionary,store}.rs` read the same, and check the rest when they are opened.
 */
import { checkHeader, corrupt, HEADER_BYTES, readLong } from '../region/format.js';

/** Words of a dictionary's header. */
export const DICTIONARY = { content: 16, phrases: 17, contexts: 18, tables: 19 } as const;
/** Words of a store's header; all but the last are two. */
export const STORE = { length: 16, payload: 18, longest: 20, total: 22, dictionary: 24 } as const;

export interface DictionaryShape {
  /** Bytes of text that matches refer to. */
  content: number;
  /** Strings that have a symbol of their own. */
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
    throw corrupt(what, `its length is ${bytes} bytes where its parts have ${content} and ${tables}`);
  }
  return {
    content,
    phrases: words[DICTIONARY.phrases] >>> 0,
    contexts: words[DICTIONARY.contexts] >>> 0,
    bytes,
  };
}

export interface StoreShape {
  /** How many records. */
  length: number;
  /** Bytes of the compressed records. */
  payload: number;
  /** Bytes of the longest record, not compressed. */
  longest: number;
  /** Bytes of all records, not compressed. */
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
    throw corrupt(what, `its length is ${bytes} bytes where its records have ${shape.payload}`);
  }
  return shape;
}
