/** Iteration and scan yield each key that is present throughout exactly once. */
import { describe, expect, it } from 'vitest';
import { Random } from '../helpers/random.js';
import { throws } from '../helpers/errors.js';
import { SharedMap, type AnyShared } from './samples.js';

function make(options: object = {}): AnyShared {
  return new SharedMap({
    key: 'u32',
    value: 'f64',
    maxBytes: 1 << 24,
    onFull: 'reject',
    ...options,
  } as never) as AnyShared;
}

/** Adds and deletes other keys so that the map grows and shrinks by a factor of 30. */
function disturb(map: AnyShared, random: Random, step: number): void {
  const isGrowing = Math.floor(step / 12) % 2 === 0;
  for (let i = 0; i < 700; i++) {
    const key = 1_000_000 + random.below(9000);
    if (isGrowing) map.set(key, key);
    else map.delete(key);
  }
}

describe('iteration while others insert and delete', () => {
  it.each([1, 4])('yields each key that stays exactly once, with %s shards', (shards) => {
    const map = make({ shards });
    const other = SharedMap.attach(map.share()) as AnyShared;
    for (let key = 0; key < 300; key++) map.set(key, key + 0.5);
    const random = new Random(shards);
    let step = 0;
    for (let round = 0; round < 12; round++) {
      const seen = new Map<number, number>();
      for (const [key, value] of map as Iterable<[number, number]>) {
        if (seen.size % 40 === 7) disturb(other, random, step++);
        if (key >= 300) continue;
        expect(seen.has(key)).toBe(false);
        expect(value).toBe(key + 0.5);
        seen.set(key, value);
      }
      expect(seen.size).toBe(300);
    }
    expect(step).toBeGreaterThan(40);
    map.validate();
  });

  it('does the same for scan, with any count, by another attachment at each step', () => {
    const map = make();
    const other = SharedMap.attach(map.share()) as AnyShared;
    for (let key = 0; key < 300; key++) map.set(key, key);
    const random = new Random(5);
    let step = 0;
    for (const count of [1, 10, 100, 5000]) {
      const seen: number[] = [];
      let cursor = 0;
      do {
        const from = step % 2 === 0 ? map : other;
        const result = from.scan(cursor, { count });
        seen.push(...result.keys.filter((key: number) => key < 300));
        ({ cursor } = result);
        if (step++ % 10 === 0) disturb(other, random, step);
      } while (cursor !== 0);
      expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, key) => key));
    }
  });

  it('may delete all keys on its way, and sees no key that was deleted before it came there', () => {
    const map = make();
    for (let key = 0; key < 2000; key++) map.set(key, key);
    const seen: number[] = [];
    for (const key of map.keys()) {
      seen.push(key);
      map.delete(key);
    }
    expect(new Set(seen).size).toBe(2000);
    expect(seen).toHaveLength(2000);
    expect(map.size).toBe(0);
  });
});

describe('an iterator', () => {
  it('behaves as that of a Map, and holds nothing when it is left open', () => {
    const map = make();
    map.set(1, 1.5).set(2, 2.5);
    const iterator = map.entries();
    expect(iterator[Symbol.iterator]()).toBe(iterator);
    expect(iterator.next().done).toBe(false);
    map.set(3, 3.5).validate();
    expect([...map.keys()].sort()).toEqual([1, 2, 3]);
    expect([...map.values()].sort()).toEqual([1.5, 2.5, 3.5]);
    const done = map.keys();
    while (done.next().done !== true);
    map.set(4, 4.5);
    expect(done.next()).toEqual({ done: true, value: undefined });
  });

  it('is refused after close()', () => {
    const map = make();
    for (let key = 0; key < 500; key++) map.set(key, key);
    const iterator = map.keys();
    iterator.next();
    map.close();
    throws(() => {
      while (iterator.next().done !== true);
    }, 'ERR_OFFHEAP_CLOSED');
  });

  it('returns entries that are larger than any buffer', () => {
    const map: AnyShared = new SharedMap({ key: 'string', value: 'string', maxBytes: 1 << 24 });
    const values = ['a'.repeat(3_000_000), 'é'.repeat(700_000), 'short'];
    values.forEach((value, n) => map.set(`${n}`, value));
    const found = new Map<string, string>(map);
    values.forEach((value, n) => expect(found.get(`${n}`) === value).toBe(true));
    expect(map.scan(0, { count: 10 }).keys.sort()).toEqual(['0', '1', '2']);
  });
});

describe('scan', () => {
  it('ends with cursor 0, also of an empty map, and takes any number as a cursor', () => {
    const map = make();
    expect(map.scan(0)).toEqual({ cursor: 0, keys: [] });
    for (let key = 0; key < 50; key++) map.set(key, key);
    for (const cursor of [1, 7, 2 ** 33, 2 ** 40 + 1, 2 ** 53 - 1]) {
      expect(map.scan(cursor).keys.length).toBeLessThanOrEqual(50);
    }
    throws(() => map.scan(-1), 'ERR_OFFHEAP_RANGE');
    throws(() => map.scan(1.5), 'ERR_OFFHEAP_RANGE');
    throws(() => map.scan('0'), 'ERR_OFFHEAP_TYPE');
    throws(() => map.scan(0, { count: 0 }), 'ERR_OFFHEAP_RANGE');
    throws(() => map.scan(0, { limit: 1 }), 'ERR_OFFHEAP_TYPE');
  });
});
