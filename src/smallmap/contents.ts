/** What `offheap inspect` shows of a SmallMapArena: counts and sizes from its header. */
import type { Contents } from '../region/contents.js';
import { TYPE_NAMES } from '../region/element.js';
import { readLong } from '../region/format.js';
import { readShape, WORD } from './layout.js';

export function smallmap(words: Int32Array, available: number, path: string): Contents {
  const shape = readShape(words, available, path);
  return {
    key: TYPE_NAMES[shape.key]!,
    value: TYPE_NAMES[shape.value]!,
    maps: words[WORD.maps],
    promoted: words[WORD.promoted],
    capacity: shape.maps,
    slotEntries: words[WORD.blocksUsed] * 8,
    slotCapacity: shape.blocks * 8,
    tableUsed: words[WORD.tableUsed] - words[WORD.tableFree],
    tableCapacity: shape.table,
    strings: words[WORD.strings],
    heapBytes: shape.heap,
    heapUsed: readLong(words, WORD.heapUsedLow),
  };
}
