/** The copy of an attached map whose header is overwritten could end with an error of V8. */
import { describe, expect, it } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';
import { copyBytes } from '../../src/hashmap/copy.js';
import { WORD } from '../../src/hashmap/layout.js';
import { WORD as HEADER } from '../../src/region/format.js';
import type { Region } from '../../src/region/region.js';
import { throws } from '../helpers/errors.js';

function copyAfter(change: (head: Int32Array) => void): Uint8Array {
  const map = new HashMap({ key: 'string', value: 'string' }, [['a key of some length', 'a value']]);
  const bytes = map.toBytes();
  const head = new Int32Array(bytes.buffer, 0, 64);
  const heap = bytes.subarray(bytes.length - head[WORD.heapCapacityLow]);
  change(head);
  return copyBytes({ bytes, head } as unknown as Region, heap, (words, at) => Atomics.load(words, at));
}

describe('the copy of a shared map', () => {
  it('is made while its header is intact', () => {
    expect(copyAfter(() => undefined).length).toBeGreaterThan(500);
  });

  it('is ERR_OFFHEAP_CORRUPT if its heap ends past the region, or the region before its heap', () => {
    throws(() => copyAfter((head) => (head[WORD.heapUsedLow] = -1)), 'ERR_OFFHEAP_CORRUPT', /heap/);
    throws(() => copyAfter((head) => (head[WORD.heapUsedLow + 1] = 1)), 'ERR_OFFHEAP_CORRUPT', /heap/);
    throws(() => copyAfter((head) => (head[HEADER.lengthLow] = 8)), 'ERR_OFFHEAP_CORRUPT', /heap/);
  });
});
