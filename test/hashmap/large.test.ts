/** More entries than a Map can have, and enough operations to reveal a leak. */
import { describe, expect, test } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';

describe('large maps', () => {
  test('hold more than 2^24 entries', () => {
    const count = 2 ** 24 + 100_000;
    const map = new HashMap({ key: 'u32', value: 'u8', capacity: count });
    const block = 2 ** 20;
    for (let from = 0; from < count; from += block) {
      const length = Math.min(block, count - from);
      const keys = new Uint32Array(length);
      const values = new Uint8Array(length);
      for (let i = 0; i < length; i++) {
        keys[i] = Math.imul(from + i, 2_654_435_761);
        values[i] = keys[i] >>> 24;
      }
      map.setMany(keys, values);
    }
    expect(map.size).toBe(count);
    for (let i = 0; i < count; i += 9973) {
      const key = Math.imul(i, 2_654_435_761) >>> 0;
      expect(map.get(key)).toBe(key >>> 24);
    }
    expect(map.columns().keys.length).toBe(count);
    expect(map.set(Math.imul(count, 2_654_435_761) >>> 0, 1).size).toBe(count + 1);
    map.close();
  });

  test.each([
    ['numbers', { key: 'u32', value: 'f64' }, (i: number) => i, (i: number) => i / 2],
    ['texts', { key: 'string', value: 'string' }, (i: number) => `key ${i}`, (i: number) => `value ${i}`],
  ] as [string, any, (i: number) => any, (i: number) => any][])(
    'neither grow nor slow down under churn of %s at constant size',
    (_, schema, keyOf, valueOf) => {
      const live = 2000;
      const map = new HashMap<any, any>(schema);
      for (let i = 0; i < live; i++) map.set(keyOf(i), valueOf(i));
      const kept = map.handleOf(keyOf(0))!; // so that the slot table takes part
      const stale = map.handleOf(keyOf(1))!;
      map.delete(keyOf(1));
      let most = 0;
      for (let i = live; i < 300_000; i++) {
        map.set(keyOf(i), valueOf(i));
        map.delete(keyOf(i - live + 2));
        if (i % 1000 === 0) most = Math.max(most, map.byteLength);
        if (i === 20_000) most = 0; // it may settle first
      }
      expect(map.byteLength).toBeLessThanOrEqual(most);
      expect(most).toBeLessThan(live * 150); // bytes: both texts, twice over while they wait to be squeezed
      expect(map.getByHandle(kept)).toEqual(valueOf(0));
      expect(map.hasHandle(stale)).toBe(false);
      expect([...map.keys()].slice(-2)).toEqual([keyOf(299_998), keyOf(299_999)]);
      map.validate();
    },
  );
});
