/** Every structure that is one region and can be saved. */
import { compress } from './compress.mjs';
import { hashmap } from './hashmap.mjs';
import { smallmap } from './smallmap.mjs';
import { succinct } from './succinct.mjs';
import { vector } from './vector.mjs';

/**
 * @param {typeof import('../../../src/index.js')} offheap the library: its sources or its build
 * @returns {Record<string, import('../description.js').Description>}
 */
export function describeAll(offheap) {
  return {
    ...hashmap(offheap),
    ...smallmap(offheap),
    ...vector(offheap),
    ...succinct(offheap),
    ...compress(offheap),
  };
}
