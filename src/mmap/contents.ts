/** What `offheap inspect` shows of the file of an MmapVector. */
import { native } from '../native.js';
import type { Contents } from '../region/contents.js';
import { TYPE_NAMES } from '../region/element.js';

/**
 * The header contains only the type. The length is in the commits, each of which has a checksum.
 */
export function mmapvector(_words: Int32Array, _available: number, path: string): Contents {
  const file = native().vectorfileOpen(path, false);
  try {
    const { type, committed, recovered } = native().vectorfileInfo(file);
    return {
      type: TYPE_NAMES[type]!,
      length: committed,
      latestCommit: recovered ? 'incomplete, the previous one is used' : 'complete',
      elementChecksum: elementChecksum(file),
    };
  } finally {
    native().vectorfileClose(file);
  }
}

function elementChecksum(file: object): 'correct' | 'wrong' {
  try {
    native().vectorfileValidate(file);
    return 'correct';
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_OFFHEAP_CORRUPT') throw error;
    return 'wrong';
  }
}
