import { describe, expect, it, vi } from 'vitest';
import { SharedMap } from '../../src/sharedmap/index.js';
import { thrown } from '../helpers/errors.js';

const codeOf = (run: () => unknown): string => thrown(run).code;

const make = (): SharedMap<'string', 'f64'> =>
  new SharedMap({ key: 'string', value: 'f64', maxBytes: 1 << 20 });

describe('transaction', () => {
  it('makes all changes at its end, and shows them inside', () => {
    using map = make();
    map.set('a', 10).set('b', 1).set('gone', 5);
    const result = map.transaction((tx) => {
      const moved = tx.get('a')!;
      tx.set('b', tx.get('b')! + moved).delete('a');
      expect(tx.get('a')).toBe(undefined);
      expect(tx.get('b')).toBe(11);
      expect([tx.has('a'), tx.has('b'), tx.has('c')]).toEqual([false, true, false]);
      expect(tx.delete('gone')).toBe(true);
      expect(tx.delete('absent')).toBe(false);
      expect([map.get('a'), map.get('b')]).toEqual([10, 1]);
      return moved;
    });
    expect(result).toBe(10);
    expect([...map].sort()).toEqual([['b', 11]]);
    map.validate();
  });

  it('runs again if a key that it read was changed, inserted or deleted', () => {
    using map = make();
    map.set('a', 1).set('b', 2);
    for (const disturb of [() => map.set('a', 5), () => map.set('new', 1), () => map.delete('b')]) {
      let first = true;
      const run = vi.fn((tx: Parameters<Parameters<typeof map.transaction>[0]>[0]) => {
        const sum = (tx.get('a') ?? 0) + (tx.get('b') ?? 0) + (tx.get('new') ?? 0);
        if (first) disturb();
        first = false;
        tx.set('sum', sum);
      });
      map.transaction(run);
      expect(run).toHaveBeenCalledTimes(2);
      expect(map.get('sum')).toBe((map.get('a') ?? 0) + (map.get('b') ?? 0) + (map.get('new') ?? 0));
    }
  });

  it('throws ERR_OFFHEAP_CONFLICT when the retries are used up, with nothing changed', () => {
    using map = make();
    const run = vi.fn((tx: Parameters<Parameters<typeof map.transaction>[0]>[0]) => {
      tx.get('a');
      map.increment('a');
      tx.set('b', 1);
    });
    expect(codeOf(() => map.transaction(run, { retries: 3 }))).toBe('ERR_OFFHEAP_CONFLICT');
    expect(run).toHaveBeenCalledTimes(4);
    expect(map.has('b')).toBe(false);
  });

  it('changes nothing if the function throws, is asynchronous, or changes too many keys', () => {
    using map = make();
    const fail = (run: (tx: { set(key: string, value: number): unknown }) => unknown): string =>
      codeOf(() => map.transaction(run));
    expect(() =>
      map.transaction((tx) => {
        tx.set('a', 1);
        throw new Error('mine');
      }),
    ).toThrow('mine');
    expect(fail((tx) => Promise.resolve(tx.set('a', 1)))).toBe('ERR_OFFHEAP_TYPE');
    expect(
      fail((tx) => {
        for (let i = 0; i < 65; i++) tx.set(`k${i}`, i);
      }),
    ).toBe('ERR_OFFHEAP_RANGE');
    expect(fail((tx) => tx.set('a', 'x' as never))).toBe('ERR_OFFHEAP_TYPE');
    let kept: { set(key: string, value: number): unknown } | undefined;
    map.transaction((tx) => (kept = tx));
    expect(codeOf(() => kept!.set('a', 1))).toBe('ERR_OFFHEAP_TYPE');
    expect(map.size).toBe(0);
  });

  it('works with every type of key and value, expiry, and values that are long', () => {
    using mixed = new SharedMap({ key: 'bytes', value: 'mixed', maxBytes: 1 << 20 });
    const values = [1.5, 'text', true, 5n, new Uint8Array([1, 2]), { a: 1 }, 'x'.repeat(20_000), null];
    const key = (i: number): Uint8Array => new Uint8Array([i, 255]);
    mixed.transaction((tx) => values.forEach((value, i) => tx.set(key(i), value, { ttl: 60_000 })));
    values.forEach((value, i) => expect(mixed.get(key(i))).toEqual(value));
    expect(mixed.remainingTtl(key(0))).toBeGreaterThan(0);
    for (const value of ['u8', 'i16', 'f32', 'u64', 'bool'] as const) {
      using map = new SharedMap({ key: 'u64', value, maxBytes: 1 << 20 });
      const sample = (value === 'u64' ? 7n : value === 'bool' ? true : 7) as never;
      map.transaction((tx) => tx.set(2n ** 63n, sample));
      expect(map.get(2n ** 63n)).toBe(sample);
    }
  });
});
