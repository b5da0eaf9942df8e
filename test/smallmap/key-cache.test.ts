/**
 * The key cache of a SmallMap object must never be used after it has become invalid: every lookup
 * is made three times (a miss, the fill, a hit), between changes made in every possible way.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SmallMap, SmallMapArena } from '../../src/smallmap/index.js';
import { thrown, throws } from '../helpers/errors.js';

type Key = number | string;
type Arena = SmallMapArena<any, any>;

const KEYS: Record<string, Key[]> = {
  u32: [0, 1, 7, 2 ** 31, 2 ** 32 - 1, 2654435761, 5, 6, 11, 12],
  i32: [0, -1, 7, -(2 ** 31), 2 ** 31 - 1, 1640531527, 5, 6, 11, 12],
  // Similar in their ends, middles and lengths. One is too long to be cached.
  string: ['', 'a', 'b', 'ab', 'cb', 'key 10', 'key 20', 'kex 10', 'ü😀', 'x'.repeat(200)],
};

function agrees(map: SmallMap<any, any>, model: Map<Key, number>, keys: Key[]): void {
  for (let time = 0; time < 3; time++) {
    for (const key of keys) {
      expect(map.get(key)).toBe(model.get(key));
      expect(map.has(key)).toBe(model.has(key));
    }
    expect(map.size).toBe(model.size);
  }
}

describe.each(Object.keys(KEYS))('maps of %s', (type) => {
  const keys = KEYS[type];
  const step = fc.record({
    // Through the object, through the arena, or in bulk, on this map or on the other one.
    what: fc.constantFrom(
      'set',
      'arena.set',
      'setMany',
      'delete',
      'arena.delete',
      'clear',
      'recreate',
      'fit',
      'grow',
    ),
    which: fc.nat(1),
    key: fc.nat(keys.length - 1),
    // A lookup lets the object notice a change, so not after every change.
    look: fc.boolean(),
  });

  it('agree with Maps after changes of every origin', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const arena: Arena = new SmallMapArena({ key: type as 'u32', value: 'f64' });
        const ids = [arena.create(), arena.create()];
        const maps = ids.map((id) => arena.map(id));
        const models = [new Map<Key, number>(), new Map<Key, number>()];
        for (const [n, { what, which, key: at, look }] of steps.entries()) {
          const key = keys[at];
          const [id, map, model] = [ids[which], maps[which], models[which]];
          if (what === 'delete') expect(map.delete(key)).toBe(model.delete(key));
          else if (what === 'arena.delete') expect(arena.delete(id, key)).toBe(model.delete(key));
          else if (what === 'clear') {
            map.clear();
            model.clear();
          } else if (what === 'fit') arena.shrinkToFit();
          else if (what === 'grow') arena.reserve(50 * n);
          else if (what === 'recreate') {
            // The same directory entry, and very likely the same slot.
            arena.release(id);
            ids[which] = arena.create();
            maps[which] = arena.map(ids[which]);
            model.clear();
            expect(thrown(() => map.get(key)).code).toBe('ERR_OFFHEAP_STALE');
          } else {
            if (what === 'set') map.set(key, n);
            else if (what === 'arena.set') arena.set(id, key, n);
            else arena.setMany([id], [key], [n]);
            model.set(key, n);
          }
          if (look) for (const other of [0, 1]) agrees(maps[other], models[other], keys);
        }
        arena.close();
      }),
      { numRuns: 30 },
    );
  });
});

it('finds a key that returns in the place of another key', () => {
  const arena = new SmallMapArena({ key: 'string', value: 'u32' });
  const id = arena.create();
  const map = arena.map(id);
  map.set('one', 1).set('two', 2);
  agrees(
    map,
    new Map([
      ['one', 1],
      ['two', 2],
    ]),
    ['one', 'two', 'three'],
  );
  // The place in the directory is unchanged, and the object was not asked in the meantime.
  arena.delete(id, 'two');
  arena.set(id, 'three', 3);
  agrees(
    map,
    new Map([
      ['one', 1],
      ['three', 3],
    ]),
    ['one', 'two', 'three'],
  );
});

it('distinguishes ids of one directory entry and entries of one slot', () => {
  const arena = new SmallMapArena({ key: 'u32', value: 'f64' });
  const id = arena.create();
  const map = arena.map(id);
  const refill = (change: () => void): void => {
    arena.set(id, 1, 1).set(id, 2, 2);
    agrees(
      map,
      new Map([
        [1, 1],
        [2, 2],
      ]),
      [1, 2, 3],
    );
    change();
    arena.set(id, 3, 3).set(id, 4, 4);
    agrees(
      map,
      new Map([
        [3, 3],
        [4, 4],
      ]),
      [1, 2, 3, 4],
    );
    arena.clear(id);
  };
  refill(() => arena.clear(id));
  refill(() => [1, 2].forEach((key) => arena.delete(id, key)));
  arena.set(id, 1, 1);
  agrees(map, new Map([[1, 1]]), [1, 2]);
  arena.release(id);
  arena.set(arena.create(), 1, 1);
  expect(thrown(() => map.get(1)).code).toBe('ERR_OFFHEAP_STALE');
});

it('notices that a map has been promoted and released', () => {
  const arena = new SmallMapArena({ key: 'u32', value: 'f64' });
  // Make room in the table, so that nothing is rearranged.
  const large = arena.create();
  for (let key = 0; key < 40; key++) arena.set(large, key, key);
  arena.clear(large);
  const id = arena.create();
  const map = arena.map(id);
  const keys = Array.from({ length: 8 }, (_, key) => key);
  for (const key of keys) arena.set(id, key, key);
  agrees(map, new Map(keys.map((key) => [key, key])), keys);
  arena.set(id, 8, 8);
  arena.release(id);
  const next = arena.create();
  for (const key of keys) arena.set(next, key, 100);
  expect(thrown(() => map.get(1)).code).toBe('ERR_OFFHEAP_STALE');
});

it('notices that strings have been dropped and their ids reused', () => {
  const arena = new SmallMapArena({ key: 'string', value: 'string' });
  const map = arena.map(arena.create());
  for (let n = 0; n < 500; n++) {
    map.clear();
    map.set(`key ${n}`, `value ${n}`).set(`more ${n}`, `${n}`);
    for (let time = 0; time < 3; time++) {
      expect(map.get(`key ${n}`)).toBe(`value ${n}`);
      expect(map.get(`key ${n - 1}`)).toBe(undefined);
    }
    expect([...map.keys()]).toEqual([`key ${n}`, `more ${n}`]);
    if (n % 100 === 0) arena.shrinkToFit();
  }
  expect(arena.stats().strings).toBeLessThan(500);
});

it('rejects invalid keys after the cache is filled', () => {
  for (const [type, good, wrong] of [
    ['u32', 1, [-1, 1.5, 2 ** 32, NaN, '1', 1n, undefined]],
    ['i32', 1, [2 ** 31, 1.5, NaN, '1', 1n, null]],
    ['string', 'a', [1, 0, NaN, 1n, undefined, {}]],
  ] as const) {
    const map = new SmallMap<any, any>({ key: type, value: 'f64' }, [[good, 4]]);
    for (let time = 0; time < 4; time++) {
      expect(map.get(good)).toBe(4);
      for (const key of wrong) {
        expect(thrown(() => map.get(key)).code).toMatch(/^ERR_OFFHEAP_(TYPE|RANGE)$/);
        expect(thrown(() => map.has(key)).code).toMatch(/^ERR_OFFHEAP_(TYPE|RANGE)$/);
        expect(thrown(() => map.set(key, 1)).code).toMatch(/^ERR_OFFHEAP_(TYPE|RANGE)$/);
      }
      throws(() => map.set(good, 'x'), 'ERR_OFFHEAP_TYPE');
    }
    expect(map.size).toBe(1);
  }
});

it('treats minus zero as zero', () => {
  const map = new SmallMap({ key: 'u32', value: 'f64' }, [[0, 1]]);
  for (let time = 0; time < 3; time++) expect(map.get(-0)).toBe(1);
});

it('is invalidated when the map or the arena is closed', () => {
  const arena = new SmallMapArena({ key: 'u32', value: 'f64' });
  const [one, two] = [arena.map(arena.create()), arena.map(arena.create())];
  for (const map of [one, two]) {
    map.set(1, 2);
    for (let time = 0; time < 3; time++) expect(map.get(1)).toBe(2);
  }
  one.close();
  throws(() => one.get(1), 'ERR_OFFHEAP_CLOSED');
  throws(() => one.set(1, 3), 'ERR_OFFHEAP_CLOSED');
  expect(two.get(1)).toBe(2);
  arena.share();
  for (let time = 0; time < 3; time++) expect(two.set(1, 3).get(1)).toBe(3);
  arena.close();
  throws(() => two.get(1), 'ERR_OFFHEAP_CLOSED');
});

it('follows maps of another thread, and maps from the bytes of a file', () => {
  const arena = new SmallMapArena({ key: 'u32', value: 'f64' });
  const id = arena.create();
  arena.set(id, 1, 2);
  const reader = SmallMapArena.attach<'u32', 'f64'>(arena.share());
  const map = reader.map(id);
  for (let time = 0; time < 3; time++) expect([map.get(1), map.get(3)]).toEqual([2, undefined]);
  arena.delete(id, 1);
  arena.set(id, 3, 4);
  for (let time = 0; time < 3; time++) expect([map.get(1), map.get(3)]).toEqual([undefined, 4]);
  const copy = SmallMapArena.fromBytes<'u32', 'f64'>(arena.toBytes()).map(id);
  for (let time = 0; time < 3; time++) expect([copy.get(1), copy.get(3)]).toEqual([undefined, 4]);
});
