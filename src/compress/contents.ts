/** What `offheap inspect` shows of the structures for compression and for text. */
import type { Contents } from '../region/contents.js';
import { readDictionary, readFilter, readStore, readSuffixes } from './layout.js';

export function dictionary(words: Int32Array, available: number, path: string): Contents {
  const { content, phrases, contexts } = readDictionary(words, available, path);
  return { contentBytes: content, phrases, contexts };
}

export function recordstore(words: Int32Array, available: number, path: string): Contents {
  const { length, payload, longest, total, dictionary: dictionaryBytes } = readStore(words, available, path);
  const ratio = payload === 0 ? 0 : Number((total / payload).toFixed(3));
  return { records: length, rawBytes: total, compressedBytes: payload, ratio, longest, dictionaryBytes };
}

export function bloomfilter(words: Int32Array, available: number, path: string): Contents {
  const { blocks, capacity, rate } = readFilter(words, available, path);
  return { blocks, capacity, rate };
}

export function suffixarray(words: Int32Array, available: number, path: string): Contents {
  return { length: readSuffixes(words, available, path) };
}
