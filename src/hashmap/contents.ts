/** What `offheap inspect` shows of a HashMap: counts and sizes from its header. */
import type { Contents } from '../region/contents.js';
import { TYPE_NAMES } from '../region/element.js';
import { readLong } from '../region/format.js';
import { readShape, WORD } from './layout.js';

export function hashmap(words: Int32Array, available: number, path: string): Contents {
  const shape = readShape(words, available, path);
  const used = words[WORD.used];
  const dead = words[WORD.dead];
  return {
    key: TYPE_NAMES[shape.key]!,
    value: TYPE_NAMES[shape.value]!,
    entries: used - dead,
    deleted: dead,
    capacity: shape.capacity,
    buckets: shape.buckets,
    loadFactor: Number(((used - dead) / (shape.buckets * 12)).toFixed(3)),
    indexBytes: shape.layout.dead - shape.layout.index,
    keyBytes: shape.layout.values - shape.layout.keys,
    valueBytes: shape.layout.slotOfEntry - shape.layout.values,
    slotTableBytes: shape.layout.heap - shape.layout.slotOfEntry,
    heapBytes: shape.heapCapacity,
    heapUsed: readLong(words, WORD.heapUsedLow),
    heapGarbage: readLong(words, WORD.heapGarbageLow),
  };
}
