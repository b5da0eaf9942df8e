/**
 * SmallMap compared with Map: the whole interface, the same random operations on both during
 * iterations, and its own features: maps of an arena and standalone maps, and their end by close,
 * `using` and the garbage collector.
 */
import { setFlagsFromString } from 'node:v8';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import assert from 'node:assert';
import { describe, expect, it } from 'vitest';
import { SmallMap, SmallMapArena, type SmallMapId } from '../../src/smallmap/index.js';
import { SMALL_KEY_TYPES, SMALL_VALUE_TYPES } from '../../src/smallmap/schema.js';
import { throws } from '../helpers/errors.js';
import { arbitrary } from '../helpers/samples.js';
import { normal, smallKey } from './arenas.js';

type AnySmallMap = SmallMap<any, any>;

describe('a SmallMap behaves like a Map', () => {
  const step = fc.tuple(fc.nat(99), fc.nat(14));
  for (const key of SMALL_KEY_TYPES) {
    const value = SMALL_VALUE_TYPES[SMALL_KEY_TYPES.indexOf(key) % SMALL_VALUE_TYPES.length];
    it(`${key} to ${value}, with open iterators`, () => {
      fc.assert(
        fc.property(fc.array(fc.tuple(step, arbitrary(value)), { maxLength: 120 }), (steps) => {
          const ours: AnySmallMap = new SmallMap<any, any>({ key, value });
          const plain = new Map<unknown, unknown>();
          const pairs = [[ours.keys(), plain.keys()] as [Iterator<unknown>, Iterator<unknown>]];
          for (const [[kind, n], given] of steps) {
            const name = smallKey(key, n);
            const k = normal(key, name);
            const v = normal(value, given, true);
            if (kind < 45) {
              expect(ours.set(name, given)).toBe(ours);
              plain.set(k, v);
            } else if (kind < 65) {
              expect(ours.delete(name)).toBe(plain.delete(k));
            } else if (kind < 70) {
              expect(ours.getOrInsert(name, given)).toEqual(plain.get(k) ?? v);
              if (!plain.has(k)) plain.set(k, v);
            } else if (kind < 75) {
              const before = plain.get(k);
              ours.update(name, (old, at) => {
                expect(old).toEqual(before);
                // The key as it was passed, with -0 as 0. `k` is rounded to 32 bits like the keys
                // of the map.
                expect(at).toEqual(name === 0 ? 0 : name);
                return given;
              });
              plain.set(k, v);
            } else if (kind < 77) {
              ours.clear();
              plain.clear();
              expect(ours.promoted).toBe(false);
            } else if (kind < 80) {
              pairs.push([ours.entries(), plain.entries()]);
            } else if (kind < 82) {
              pairs.push([ours.values(), plain.values()]);
            } else {
              for (const [mine, theirs] of pairs) expect(mine.next()).toEqual(theirs.next());
            }
            expect(ours.size).toBe(plain.size);
            expect(ours.get(name)).toEqual(plain.get(k));
            expect(ours.has(name)).toBe(plain.has(k));
          }
          expect([...ours]).toEqual([...plain]);
          const seen: unknown[] = [];
          ours.forEach(function (this: unknown, item, at, map) {
            expect(this).toBe(pairs);
            expect(map).toBe(ours);
            seen.push([at, item]);
          }, pairs);
          expect(seen).toEqual([...plain]);
          ours.close();
        }),
        { numRuns: 20 },
      );
    });
  }
});

describe('a standalone map', () => {
  it('accepts the entries of any iterable, and none if one is invalid', () => {
    expect([...new SmallMap({ key: 'u32', value: 'u8' }, new Map([[3, 4]]))]).toEqual([[3, 4]]);
    expect(new SmallMap({ key: 'u32', value: 'u8' }, null).size).toBe(0);
    throws(() => new SmallMap({ key: 'u32', value: 'u8' }, [[1, 256]]), 'ERR_OFFHEAP_RANGE');
    throws(
      () => new SmallMap({ key: 'u32', value: 'u8' }, [1] as never),
      'ERR_OFFHEAP_TYPE',
      /\[key, value\]/,
    );
    expect(() => new SmallMap({ key: 'u32', value: 'u8' }, 5 as never)).toThrow(TypeError);
    throws(() => new SmallMap({ key: 'u7', value: 'u8' } as never), 'ERR_OFFHEAP_TYPE');
    throws(() => new SmallMap(undefined as never), 'ERR_OFFHEAP_TYPE');
  });

  it('ends with close, which may be called twice, or with its block', () => {
    const map = new SmallMap({ key: 'string', value: 'f64' }, [['a', 1]]);
    const iterator = map.entries();
    iterator.next();
    map.close();
    map[Symbol.dispose]();
    for (const call of [
      () => map.size,
      () => map.get('a'),
      () => map.has('a'),
      () => map.set('a', 1),
      () => map.delete('a'),
      () => map.clear(),
      () => [...map],
      () => map.keys(),
      () => map.forEach(() => undefined),
      () => map.promoted,
      () => map.id,
      () => map.stats(),
      () => map.byteLength,
      () => map.getOrInsert('a', 1),
      () => map.update('a', () => 1),
      () => iterator.next(),
    ]) {
      throws(call, 'ERR_OFFHEAP_CLOSED');
    }
    expect(inspect(map)).toBe('SmallMap { closed }');
  });

  it('is released after collection, but not while an iterator is alive', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    // The position of a map in the directory of the arena that all maps of this schema share.
    const place = (): number => (new SmallMap({ key: 'i16', value: 'i8' }, [[7, 1]]).id as number) % 2 ** 32;
    const held = new SmallMap({ key: 'i16', value: 'i8' }, [[1, 2]]).entries();
    const places = new Set(Array.from({ length: 500 }, place));
    // Reused directory entries show it. The time is up to the collector.
    let recycled = false;
    for (let wait = 0; wait < 200 && !recycled; wait++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 5));
      for (let n = 0; n < 50; n++) recycled ||= places.has(place());
    }
    expect(recycled).toBe(true);
    expect(held.next().value).toEqual([1, 2]);
  });

  it('is unaffected when another map is collected or closed', () => {
    const map = new SmallMap({ key: 'u32', value: 'f64' }, [[1, 1]]);
    const other = new SmallMap({ key: 'u32', value: 'f64' }, [[1, 2]]);
    other.close();
    const third = new SmallMap({ key: 'u32', value: 'f64' });
    expect([map.get(1), third.get(1), third.size]).toEqual([1, undefined, 0]);
  });
});

describe('a map of an arena', () => {
  const make = (): { arena: SmallMapArena<'u32', 'f64'>; id: SmallMapId; map: SmallMap<'u32', 'f64'> } => {
    const arena = new SmallMapArena({ key: 'u32', value: 'f64' });
    const id = arena.create();
    return { arena, id, map: arena.map(id) };
  };

  it('shows changes made through the arena, and the arena shows its changes', () => {
    const { arena, id, map } = make();
    arena.set(id, 1, 0.5);
    expect(map.get(1)).toBe(0.5);
    for (let n = 0; n < 12; n++) map.set(n, n);
    expect([arena.size(id), arena.promoted(id), map.promoted]).toEqual([12, true, true]);
    map.clear();
    expect([arena.size(id), arena.promoted(id), map.size]).toEqual([0, false, 0]);
    expect(map.id).toBe(id);
  });

  it('is stale after its release, even if its directory entry is reused', () => {
    const { arena, id, map } = make();
    map.set(1, 2);
    arena.release(id);
    for (const call of [
      () => map.get(1),
      () => map.has(1),
      () => map.size,
      () => map.set(1, 2),
      () => [...map],
      () => arena.map(id),
    ]) {
      throws(call, 'ERR_OFFHEAP_STALE');
    }
    expect(inspect(map)).toBe('SmallMap { released }');
    const next = arena.create();
    arena.set(next, 1, 9);
    expect((next as number) % 2 ** 32).toBe((id as number) % 2 ** 32);
    throws(() => map.get(1), 'ERR_OFFHEAP_STALE');
  });

  it('stays in the arena when its object is closed', () => {
    const { arena, id, map } = make();
    map.set(1, 2).close();
    expect(arena.get(id, 1)).toBe(2);
    throws(() => map.get(1), 'ERR_OFFHEAP_CLOSED');
  });

  it('is closed with its arena', () => {
    const { arena, map } = make();
    map.set(1, 2);
    arena.close();
    throws(() => map.get(1), 'ERR_OFFHEAP_CLOSED');
    throws(() => map.size, 'ERR_OFFHEAP_CLOSED');
    throws(() => map.set(1, 1), 'ERR_OFFHEAP_CLOSED');
    expect(inspect(map)).toBe('SmallMap { closed }');
  });

  it('is read-only if its arena is', () => {
    const { arena, id, map } = make();
    map.set(1, 2);
    const there = SmallMapArena.attach<'u32', 'f64'>(arena.share()).map(id);
    expect([there.get(1), there.size, [...there]]).toEqual([2, 1, [[1, 2]]]);
    throws(() => there.set(1, 3), 'ERR_OFFHEAP_UNSUPPORTED');
    throws(() => there.delete(1), 'ERR_OFFHEAP_UNSUPPORTED');
    map.set(1, 7);
    expect(there.get(1)).toBe(7);
  });
});

describe('a SmallMap as an object', () => {
  it('is inspected like a Map', () => {
    const map = new SmallMap({ key: 'string', value: 'u8' }, [['a', 1]]);
    expect(inspect(map)).toBe("SmallMap<string, u8>(1) { 'a' => 1 }");
    expect(inspect({ map }, { depth: 0 })).toBe('{ map: [SmallMap<string, u8>(1)] }');
    expect(inspect(map.set('b', 2), { maxArrayLength: 1 })).toMatch(/'a' => 1, \.\.\. 1 more/);
    expect(Object.prototype.toString.call(map)).toBe('[object SmallMap]');
    expect(Object.prototype.toString.call(map.keys())).toBe('[object SmallMap Iterator]');
    expect(JSON.stringify(map)).toBe('{}');
    expect(map instanceof Map).toBe(false);
  });

  it('returns iterators that are iterable and end for good', () => {
    const map = new SmallMap({ key: 'u8', value: 'u8' });
    const iterator = map.values();
    expect(iterator[Symbol.iterator]()).toBe(iterator);
    expect(iterator.next()).toEqual({ value: undefined, done: true });
    map.set(1, 1);
    expect(iterator.next().done).toBe(true);
  });

  it('reports its size in bytes', () => {
    const map = new SmallMap({ key: 'u32', value: 'f64' });
    expect(map.byteLength).toBe(8);
    map.set(1, 1).set(2, 2);
    expect(map.byteLength).toBe(32);
    for (let n = 0; n < 8; n++) map.set(n, n);
    expect(map.stats()).toEqual({ key: 'u32', value: 'f64', size: 8, promoted: false, byteLength: 104 });
  });

  it('rejects structured cloning', () => {
    expect(() => structuredClone(new SmallMap({ key: 'u8', value: 'u8' }))).toThrow(/clone/);
  });

  it('shows no internals, and works when it is frozen', () => {
    const map = Object.freeze(new SmallMap({ key: 'u32', value: 'f64' }, [[1, 2]]));
    expect([Object.keys(map), Object.keys(map.entries())]).toEqual([[], []]);
    expect(map.set(3, 4).get(3)).toBe(4);
    expect([map.get(1), map.get(1), map.get(1)]).toEqual([2, 2, 2]);
    map.close();
    throws(() => map.size, 'ERR_OFFHEAP_CLOSED');
  });

  it('is deeply equal to a map with equal contents only', () => {
    const schema = { key: 'u32', value: 'f64' } as const;
    const map = new SmallMap(schema, [[1, 2]]);
    assert.deepStrictEqual(map, new SmallMap(schema, [[1, 2]]));
    assert.notDeepStrictEqual(map, new SmallMap(schema, [[1, 3]]));
    assert.notDeepStrictEqual(map, new SmallMap(schema));
    const [arena, other] = [new SmallMapArena(schema), new SmallMapArena({ ...schema, capacity: 99 })];
    arena.set(arena.create(), 1, 2);
    other.set(other.create(), 1, 2);
    assert.deepStrictEqual(arena, other);
    assert.notDeepStrictEqual(arena, new SmallMapArena(schema));
  });

  it('throws a TypeError when a method is called on another object', () => {
    for (const method of ['get', 'has', 'set', 'delete', 'clear', 'entries', 'close', 'stats'] as const) {
      expect(() => SmallMap.prototype[method].call({} as never, 1 as never, 2 as never)).toThrow(TypeError);
    }
  });

  it('calls the set method of a subclass for the entries of its constructor', () => {
    const seen: unknown[] = [];
    class Sub extends SmallMap<'u32', 'f64'> {
      override set(key: number, value: number): this {
        seen.push(key);
        return super.set(key, value);
      }
    }
    expect([...new Sub({ key: 'u32', value: 'f64' }, [[5, 6]])]).toEqual([[5, 6]]);
    expect(seen).toEqual([5]);
  });

  it('rejects callbacks that are not functions', () => {
    const map = new SmallMap({ key: 'u8', value: 'u8' });
    for (const call of [
      () => map.forEach(5 as never),
      () => map.update(1, undefined as never),
      () => map.getOrInsertComputed(1, null as never),
    ]) {
      throws(call, 'ERR_OFFHEAP_TYPE', /not a function/);
    }
  });

  it('survives callbacks that change it or throw', () => {
    const map = new SmallMap({ key: 'u32', value: 'u32' }, [[1, 1]]);
    expect(
      map.getOrInsertComputed(2, (key) => {
        map.set(key, 50);
        return 7;
      }),
    ).toBe(7);
    expect(() =>
      map.update(1, () => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect([...map]).toEqual([
      [1, 1],
      [2, 7],
    ]);
    map.update(1, () => {
      map.clear();
      return 3;
    });
    expect([...map]).toEqual([[1, 3]]);
  });
});
