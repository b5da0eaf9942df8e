/** `RecordStore.getJSON` was documented and missing; lone surrogates became U+FFFD unannounced. */
import { describe, expect, it } from 'vitest';
import { RecordStore } from '../../src/compress/index.js';
import { throws } from '../helpers/errors.js';

describe('RecordStore.getJSON', () => {
  it('returns the value of a record, and a fresh one at each call', async () => {
    const values = [{ a: 1, b: ['x', null] }, 'text', 5, null, true, { ö: '日本' }];
    const store = await RecordStore.build(values.map((value) => JSON.stringify(value)));
    values.forEach((value, i) => expect(store.getJSON(i)).toEqual(value));
    expect(store.getJSON(0)).not.toBe(store.getJSON(0));
    expect(store.getJSON<{ a: number }>(0)?.a).toBe(1);
  });

  it('returns undefined where get does, and refuses what get refuses', async () => {
    const store = await RecordStore.build(['1']);
    expect([store.getJSON(-1), store.getJSON(1), store.getJSON(0.5)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    throws(() => store.getJSON('0' as never), 'ERR_OFFHEAP_TYPE');
    store.close();
    throws(() => store.getJSON(0), 'ERR_OFFHEAP_CLOSED');
  });

  it('throws ERR_OFFHEAP_TYPE with the cause for a record that is not JSON', async () => {
    const store = await RecordStore.build(['{"a":', '']);
    throws(() => store.getJSON(0), 'ERR_OFFHEAP_TYPE', /record 0 is not JSON/);
    throws(() => store.getJSON(1), 'ERR_OFFHEAP_TYPE', /record 1/);
  });
});

describe('a lone surrogate in a record', () => {
  it('becomes U+FFFD, as documented', async () => {
    expect((await RecordStore.build(['a\ud800b'])).getString(0)).toBe('a\ufffdb');
  });
});
