/** What `offheap inspect` shows of the succinct structures. */
import type { Contents } from '../region/contents.js';
import { readShape as readBits } from './bitvector/layout.js';
import { readLayout } from './eliasfano/layout.js';
import { readShape as readPacked } from './packedints/layout.js';
import { readShape as readRanked } from './rankselect/layout.js';

export function bitvector(words: Int32Array, available: number, path: string): Contents {
  const { length, capacity } = readBits(words, available, path);
  return { length, capacity };
}

export function rankselect(words: Int32Array, available: number, path: string): Contents {
  const { variant, length, ones, layout } = readRanked(words, available, path);
  return {
    variant,
    length,
    ones,
    bitBytes: layout.index - layout.bits,
    indexBytes: layout.samples[0] - layout.index,
    sampleBytes: layout.length - layout.samples[0],
    overhead: length === 0 ? 0 : Number(((layout.length * 8 - length) / length).toFixed(5)),
  };
}

export function eliasfano(words: Int32Array, available: number, path: string): Contents {
  const { length, max, lowBits, bytes } = readLayout(words, available, path);
  const bitsPerValue = length === 0 ? 0 : Number(((bytes * 8) / length).toFixed(3));
  return { length, max, lowBits, bitsPerValue };
}

export function packedints(words: Int32Array, available: number, path: string): Contents {
  const { length, bits, bigint } = readPacked(words, available, path);
  return { length, bitsPerValue: bits, values: bigint ? 'bigint' : 'number' };
}
