/**
 * The descriptions of pools that `offheap inspect` prints. This library does not save pools, but a
 * C program may write a pool's memory to a file.
 */
import type { Contents } from '../region/contents.js';
import { GRANULE, WORD as BUMP } from './bump-arena-layout.js';
import { GUARDS, WORD as FIXEDPOOL, ZERO_ON_FREE } from './fixed-pool-layout.js';
import { readShape as readNumaPool, WORD as NUMAPOOL } from './numa-pool-layout.js';

export function fixedpool(words: Int32Array): Contents {
  return {
    classes: words[FIXEDPOOL.classes],
    smallestBlocks: words[FIXEDPOOL.units],
    used: words[FIXEDPOOL.used],
    peak: words[FIXEDPOOL.peak],
    failures: words[FIXEDPOOL.failures] >>> 0,
    zeroOnFree: String((words[FIXEDPOOL.options] & ZERO_ON_FREE) !== 0),
    guards: String((words[FIXEDPOOL.options] & GUARDS) !== 0),
  };
}

export function lockfreepool(words: Int32Array): Contents {
  const [options, chunkShift, chunks, minShift, handles, failures] = words.subarray(16, 22);
  return {
    capacityBytes: chunks * 2 ** chunkShift,
    chunkBytes: 2 ** chunkShift,
    minBlockBytes: 2 ** minShift,
    handles,
    failures: failures >>> 0,
    zeroOnFree: String((options & ZERO_ON_FREE) !== 0),
    guards: String((options & GUARDS) !== 0),
  };
}

export function bumparena(words: Int32Array): Contents {
  return {
    align: words[BUMP.align],
    usedBytes: words[BUMP.top] * GRANULE,
    peakBytes: Math.max(words[BUMP.peak], words[BUMP.top]) * GRANULE,
    blocks: words[BUMP.blocks] >>> 0,
    failures: words[BUMP.failures] >>> 0,
    resets: words[BUMP.resets] >>> 0,
    zeroOnFree: String((words[BUMP.options] & ZERO_ON_FREE) !== 0),
    guards: String((words[BUMP.options] & GUARDS) !== 0),
  };
}

export function numapool(words: Int32Array, available: number, path: string): Contents {
  const { nodes, policy, capacity, largest, options } = readNumaPool(words, available, path);
  return {
    nodes,
    policy,
    bytesOnEach: capacity,
    largestBlock: largest,
    failures: words[NUMAPOOL.failures] >>> 0,
    zeroOnFree: String((options & ZERO_ON_FREE) !== 0),
    guards: String((options & GUARDS) !== 0),
  };
}
