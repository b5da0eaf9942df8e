/** Churn in bounded space. `scripts/churn.mjs` does the same for any length of time. */
import { describe, expect, it } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';
import { Random } from '../helpers/random.js';
import { KEY_TYPES, keyOf, type AnyMap } from '../helpers/samples.js';

describe('churn at constant size', () => {
  it('leaks no space over a million deletions and insertions', () => {
    const map = new HashMap({ key: 'u32', value: 'f64' });
    const size = 1000;
    for (let n = 0; n < size; n++) map.set(n, n);
    for (let n = size; n < 20_000; n++) map.set(n, n).delete(n - size);
    const { byteLength } = map;
    for (let n = 20_000; n < 1_000_000; n++) {
      map.set(n, n);
      if (!map.delete(n - size)) throw new Error(`${n - size} is gone`);
    }
    expect(map.byteLength).toBe(byteLength);
    expect(map.size).toBe(size);
    expect([...map.keys()]).toEqual(Array.from({ length: size }, (_, i) => 1_000_000 - size + i));
    map.validate();
  });

  it.each(KEY_TYPES)('keeps handles valid, in random order, with %s keys', (key) => {
    const map: AnyMap = new HashMap({ key, value: 'string' });
    const random = new Random(5);
    const keep = map.set(keyOf(key, 0), 'kept').handleOf(keyOf(key, 0))!;
    const sizes: number[] = [];
    for (let n = 0; n < 60_000; n++) {
      map.set(keyOf(key, 1 + random.below(600)), `value ${n}`);
      map.delete(keyOf(key, 1 + random.below(600)));
      if (n % 1000 === 0) sizes.push(map.byteLength);
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2 * sizes[20]);
    expect(Math.max(...sizes.slice(20))).toBe(Math.max(...sizes.slice(40)));
    expect(map.getByHandle(keep)).toBe('kept');
    expect([...map.values()][0]).toBe('kept');
    map.validate();
  });

  it('returns the overflow counts of the index to zero', () => {
    const map = new HashMap({ key: 'u32', value: 'u32', capacity: 2000, seed: 0n });
    for (let round = 0; round < 20; round++) {
      for (let n = 0; n < 2000; n++) map.set(n, n);
      for (let n = 0; n < 2000; n++) map.delete(n);
    }
    map.validate();
    const words = new Uint32Array(map.toBytes().buffer);
    const overflows = Array.from({ length: words[18] }, (_, bucket) => words[64 + bucket * 16 + 3]);
    expect(overflows.every((count) => count === 0)).toBe(true);
  });
});
