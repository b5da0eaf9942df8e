/** The bound in bytes: a full map evicts or rejects, and refuses values that never fit. */
import { describe, expect, it } from 'vitest';
import { Random } from '../helpers/random.js';
import { throws } from '../helpers/errors.js';
import { SharedMap, type AnyShared } from './samples.js';

const MIB = 1 << 20;

function make(options: object = {}): AnyShared {
  return new SharedMap({ key: 'u32', value: 'bytes', maxBytes: MIB, ...options } as never) as AnyShared;
}

describe('a full map that evicts', () => {
  it.each(['auto', 's3-fifo', 'lru', 'lfu', 'fifo', 'gdsf'] as const)(
    'with the policy %s stays within its bound and keeps the entry that was written last',
    (policy) => {
      const map = make({ policy });
      expect(map.policy).toBe(policy);
      const random = new Random(1);
      let most = 0;
      for (let key = 0; key < 6000; key++) {
        const value = new Uint8Array(random.below(2000)).fill(key);
        map.set(key, value);
        if (Buffer.compare(map.get(key), value) !== 0) throw new Error(`wrong value of ${key}`);
        most = Math.max(most, map.usedBytes);
      }
      expect(most).toBeLessThanOrEqual(MIB);
      expect(map.byteLength).toBeLessThanOrEqual(MIB);
      const { entries, evictions } = map.stats();
      expect(evictions).toBe(6000 - entries);
      // At least 70% of the bound is content.
      expect(map.stats().contentBytes).toBeGreaterThan(0.7 * MIB);
      for (const [key, value] of map) {
        const expected = new Uint8Array((value as Uint8Array).length).fill(key);
        if (Buffer.compare(value, expected) !== 0) throw new Error(`wrong value of ${key}`);
      }
      map.validate();
    },
  );

  it('keeps using its bound when the sizes of values change', () => {
    const map = make();
    const filled: number[] = [];
    for (let round = 0; round < 12; round++) {
      const length = round % 2 === 0 ? 16 : 3000;
      const count = (2 * MIB) / (length + 30);
      for (let key = 0; key < count; key++) map.set(key + round * 1e6, new Uint8Array(length));
      filled.push(map.stats().contentBytes);
    }
    map.validate();
    for (let round = 2; round < 12; round++) {
      expect(filled[round] / filled[round % 2]).toBeGreaterThan(0.9);
    }
  });

  it('takes an entry that is nearly as large as the map', () => {
    const map = make();
    for (let key = 0; key < 2000; key++) map.set(key, new Uint8Array(400));
    const large = new Uint8Array(0.75 * MIB).fill(7);
    map.set(1, large);
    expect(Buffer.compare(map.get(1), large)).toBe(0);
    map.validate();
  });

  it('refuses a value that can never fit, and evicts nothing for it', () => {
    const map = make();
    for (let key = 0; key < 500; key++) map.set(key, new Uint8Array(100));
    for (const length of [MIB, 2 * MIB]) {
      throws(() => map.set(1, new Uint8Array(length)), 'ERR_OFFHEAP_FULL', /never fits/);
      throws(() => map.add(9999, new Uint8Array(length)), 'ERR_OFFHEAP_FULL');
      throws(
        () => map.transaction((tx: AnyShared) => tx.set(1, new Uint8Array(length))),
        'ERR_OFFHEAP_FULL',
        /never fits/,
      );
    }
    expect(map.size).toBe(500);
    expect(map.stats().evictions).toBe(0);
    expect(map.get(1)).toEqual(new Uint8Array(100));
    map.validate();
  });
});

describe('a full map that rejects', () => {
  it('throws ERR_OFFHEAP_FULL, keeps all entries, and has room again after a deletion', () => {
    const map = make({ onFull: 'reject' });
    expect(map.onFull).toBe('reject');
    let key = 0;
    throws(() => {
      for (; key < 10_000; key++) map.set(key, new Uint8Array(500).fill(key));
    }, 'ERR_OFFHEAP_FULL');
    expect(map.size).toBe(key);
    expect(key * 500).toBeGreaterThan(0.8 * MIB);
    expect(map.has(key)).toBe(false);
    throws(() => map.set(key, new Uint8Array(500)), 'ERR_OFFHEAP_FULL');
    expect([...map].every(([k, value]) => value[0] === (k & 255))).toBe(true);
    expect(map.stats().evictions).toBe(0);
    for (let k = 0; k < 100; k++) map.delete(k);
    for (let k = 0; k < 50; k++) map.set(k, new Uint8Array(500));
    map.validate();
  });

  it('gives the room of expired entries to new ones', () => {
    const map = make({ onFull: 'reject' });
    for (let key = 0; key < 5000; key++) map.set(key, new Uint8Array(500), { expiresAt: 1 });
    for (let key = 0; key < 1500; key++) map.set(key, new Uint8Array(500).fill(key));
    expect([...map].every(([key, value]) => value[0] === (key & 255))).toBe(true);
    expect(map.stats().evictions).toBe(0);
    map.validate();
  });
});

describe('the bytes in use', () => {
  it('return to those of an empty map after everything was deleted', () => {
    for (const empty of [
      (map: AnyShared) => map.clear(),
      (map: AnyShared) => [...map.keys()].forEach((key) => map.delete(key)),
    ]) {
      const map = make({ maxBytes: 8 * MIB });
      const start = map.usedBytes;
      for (let key = 0; key < 20_000; key++) map.set(key, new Uint8Array(key % 300));
      expect(map.usedBytes).toBeGreaterThan(3 * MIB);
      empty(map);
      expect(map.size).toBe(0);
      // Each shard keeps a page or two.
      expect(map.usedBytes - start).toBeLessThanOrEqual(map.stats().shards * 3 * 16_384);
      map.validate();
    }
  });
});
