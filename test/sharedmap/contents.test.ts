/** The contents that `offheap inspect` reads from a header. */
import { describe, expect, it } from 'vitest';
import { sharedmap } from '../../src/sharedmap/contents.js';
import { throws } from '../helpers/errors.js';
import { SharedMap } from './samples.js';

function header(options: object): Int32Array {
  const { buffer } = new SharedMap({
    key: 'string',
    value: 'mixed',
    maxBytes: 1 << 24,
    ...options,
  } as never).share();
  return new Int32Array(buffer as SharedArrayBuffer, 0, 64).slice();
}

describe('the contents of a SharedMap', () => {
  it('are its types, bound and layout', () => {
    const options = { policy: 'lru', ttl: 2500, onFull: 'reject', shards: 8 };
    expect(sharedmap(header(options), 1 << 24, 'file')).toMatchObject({
      key: 'string',
      value: 'mixed',
      policy: 'lru',
      onFull: 'reject',
      ttl: 2500,
      maxBytes: 1 << 24,
      shards: 8,
    });
    expect(sharedmap(header({}), 1 << 24, 'file')).toMatchObject({ onFull: 'evict', ttl: 'none' });
  });

  it.each([
    [16, 0],
    [16, 0x000f_0001],
    [16, 0xff],
    [17, 40],
    [18, -1],
  ])('are corrupt if word %s is %s', (word, value) => {
    const words = header({});
    words[word] = value;
    throws(() => sharedmap(words, 1 << 24, 'file'), 'ERR_OFFHEAP_CORRUPT', /^file is corrupt/);
  });
});
