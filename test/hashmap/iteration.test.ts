/** Iteration while the map changes: whatever a script does, HashMap gives what Map gives. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HashMap, type KeyType } from '../../src/hashmap/index.js';
import { throws } from '../helpers/errors.js';
import { identity, KEY_TYPES, keyOf, type AnyMap } from '../helpers/samples.js';

/** What a map can do beyond Map, and what must not show in iteration. */
const invisible = {
  compact: (map: AnyMap) => map.shrinkToFit(),
  grow: (map: AnyMap) => map.reserve(map.size * 2 + 50),
  share: (map: AnyMap) => map.share(),
};

/** The keys that `script` sees in a map of 0 to count - 1, when it runs for each key. */
function visited(
  map: Map<any, any>,
  count: number,
  script: (map: Map<any, any>, key: number) => void,
): number[] {
  for (let n = 0; n < count; n++) map.set(n, n);
  const seen: number[] = [];
  for (const [key] of map) {
    seen.push(key as number);
    script(map, key as number);
    if (seen.length > 1000) throw new Error('this iteration does not end');
  }
  return seen;
}

const scripts: Record<string, (map: Map<any, any>, key: number) => void> = {
  'delete the current one': (map, key) => map.delete(key),
  'delete the next one': (map, key) => map.delete(key + 1),
  'delete all that follow': (map, key) => {
    for (let n = key + 1; n < 100; n++) map.delete(n);
  },
  'delete the one before': (map, key) => map.delete(key - 1),
  'delete and put back the current one, once': (map, key) => {
    if (key < 5 && map.get(key) === key) {
      map.delete(key);
      map.set(key, -1);
    }
  },
  'delete and put back one that was passed': (map, key) => {
    if (key === 7) {
      map.delete(3);
      map.set(3, 3);
    }
  },
  'add one for each, up to 100': (map, key) => {
    if (key < 100) map.set(key + 50, 0);
  },
  'add many at once, so that it grows': (map, key) => {
    if (key === 4) for (let n = 100; n < 400; n++) map.set(n, n);
  },
  'clear in the middle': (map, key) => {
    if (key === 5) map.clear();
  },
  'clear and add': (map, key) => {
    if (key !== 5) return;
    map.clear();
    for (let n = 20; n < 26; n++) map.set(n, n);
  },
  'clear, add the same entries, and clear again': (map, key) => {
    if (key === 5 && map.size > 8) {
      map.clear();
      for (let n = 0; n < 8; n++) map.set(n, n);
    } else if (key === 6 && map.size === 8) {
      map.clear();
      map.set(77, 7);
    }
  },
  'churn past many compactions': (map, key) => {
    if (key !== 6) return;
    for (let n = 1000; n < 3000; n++) {
      map.set(n, n);
      map.delete(n);
    }
    map.delete(2);
    for (let n = 1000; n < 1100; n++) map.set(n, n);
  },
  'replace values': (map, key) => map.has(key + 1) && map.set(key, key * 2).set(key + 1, -1),
};

describe('a change while iterating', () => {
  it.each(Object.entries(scripts))('%s', (_, script) => {
    for (const count of [0, 1, 9, 12, 13, 40]) {
      const expected = visited(new Map(), count, script);
      expect(visited(new HashMap({ key: 'u32', value: 'i32' }), count, checked(script))).toEqual(expected);
      expect(visited(new HashMap({ key: 'f64', value: 'any' }), count, checked(script))).toEqual(expected);
      for (const change of Object.values(invisible)) {
        const map: AnyMap = new HashMap({ key: 'i32', value: 'f64' });
        const seen = visited(map, count, (_, key) => {
          checked(script)(map, key);
          change(map);
        });
        expect(seen).toEqual(expected);
        map.validate();
      }
    }
  });

  /** Keys of HashMap are checked: leave out those that Map merely would not find. */
  function checked(script: (map: Map<any, any>, key: number) => void): typeof script {
    return (map, key) => {
      if (key === 0 && script === scripts['delete the one before']) return;
      script(map, key);
    };
  }
});

interface Run {
  map: Map<any, any>;
  iterators: Iterator<unknown>[];
  log: unknown[];
}

/** Random scripts with several iterators of every kind at once. */
function scriptOf(key: KeyType): fc.Arbitrary<{ run: (on: Run) => void }[]> {
  const n = fc.nat(40);
  const k = n.map((i) => keyOf(key, i));
  const act = (weight: number, run: fc.Arbitrary<(on: Run) => void>) => ({
    weight,
    arbitrary: run.map((run) => ({ run })),
  });
  const grown = (map: Map<any, any>, run: (map: AnyMap) => unknown): void => {
    if (map instanceof HashMap) run(map);
  };
  return fc.array(
    fc.oneof(
      act(
        8,
        n.map((i) => ({ iterators, log }) => {
          if (iterators.length === 0) return;
          const { done, value } = iterators[i % iterators.length].next();
          log.push(done, Array.isArray(value) ? value.map(identity) : identity(value));
        }),
      ),
      act(
        2,
        n.map((i) => ({ iterators, map }) => {
          iterators.push([map.keys(), map.values(), map.entries(), map[Symbol.iterator]()][i % 4]);
        }),
      ),
      act(
        4,
        k.map(
          (key) =>
            ({ map, log }) =>
              log.push(map.set(key, log.length & 0xffff).size),
        ),
      ),
      act(
        4,
        k.map(
          (key) =>
            ({ map, log }) =>
              log.push(map.delete(key)),
        ),
      ),
      act(
        1,
        fc.constant(({ map }: Run) => map.clear()),
      ),
      act(
        1,
        n.map((i) => ({ map }) => {
          for (let j = 0; j < i; j++) map.set(keyOf(key, 100 + j), j);
        }),
      ),
      act(
        1,
        n.map(
          (i) =>
            ({ map }) =>
              [...map.keys()].forEach((key, at) => at % 3 === i % 3 || map.delete(key)),
        ),
      ),
      act(
        1,
        n.map(
          (i) =>
            ({ map }) =>
              grown(map, i % 2 === 0 ? invisible.compact : invisible.grow),
        ),
      ),
    ),
    { maxLength: 120, size: 'max' },
  );
}

/** Byte keys by content, and otherwise a Map. */
class ByContent extends Map<unknown, unknown> {
  private readonly real = new Map<unknown, Uint8Array>();
  override set(key: unknown, value: unknown): this {
    if (!super.has(identity(key))) this.real.set(identity(key), key as Uint8Array);
    return super.set(identity(key), value);
  }
  override delete(key: unknown): boolean {
    return super.delete(identity(key));
  }
}

describe('many iterators, in random scripts', () => {
  it.each(KEY_TYPES)('over %s keys', (key) => {
    fc.assert(
      fc.property(scriptOf(key), (script) => {
        const ours: AnyMap = new HashMap({ key, value: 'u32' });
        const runs = [new ByContent(), ours].map((map): Run => ({
          map,
          iterators: [],
          log: [],
        }));
        for (const on of runs) for (const { run } of script) run(on);
        expect(runs[1].log).toEqual(runs[0].log);
        new HashMap({ key, value: 'u32' }, runs[1].map).validate();
      }),
      { numRuns: 150 },
    );
  });
});

describe('close while iterating', () => {
  it('ends iterators and forEach with ERR_OFFHEAP_CLOSED', () => {
    for (const key of KEY_TYPES) {
      const map: AnyMap = new HashMap({ key, value: 'string' });
      for (let n = 0; n < 20; n++) map.set(keyOf(key, n), 'x');
      const iterators = [map.keys(), map.values(), map.entries()];
      iterators[0].next();
      const done = map.keys();
      while (done.next().done !== true);
      let calls = 0;
      throws(
        () =>
          map.forEach(() => {
            calls++;
            map.close();
          }),
        'ERR_OFFHEAP_CLOSED',
      );
      expect(calls).toBe(1);
      for (const iterator of iterators) {
        throws(() => iterator.next(), 'ERR_OFFHEAP_CLOSED');
        throws(() => iterator.next(), 'ERR_OFFHEAP_CLOSED');
      }
      expect(done.next()).toEqual({ value: undefined, done: true });
    }
  });
});

describe('iterators', () => {
  const map = new HashMap({ key: 'u32', value: 'string' }, [
    [1, 'a'],
    [2, 'b'],
  ]);

  it('stay at their end', () => {
    const changing = new HashMap({ key: 'u32', value: 'u32' }, [[1, 1]]);
    const iterator = changing.keys();
    expect(iterator.next()).toEqual({ value: 1, done: false });
    expect(iterator.next()).toEqual({ value: undefined, done: true });
    changing.set(2, 2);
    expect(iterator.next()).toEqual({ value: undefined, done: true });
    changing.clear();
    changing.set(3, 3);
    expect(iterator.next()).toEqual({ value: undefined, done: true });
  });

  it('start when they are asked first, not when they are made', () => {
    const changing = new HashMap({ key: 'u32', value: 'u32' });
    const iterator = changing.values();
    changing.set(5, 50);
    expect([...iterator]).toEqual([50]);
  });

  it('give a fresh entry each time', () => {
    const [first, second] = [[...map][0], [...map][0]];
    expect(first).not.toBe(second);
    first[0] = 99;
    expect(map.has(99)).toBe(false);
  });

  it('are iterable, tagged, and have the helpers of the runtime', () => {
    const iterator = map.keys();
    expect(iterator[Symbol.iterator]()).toBe(iterator);
    expect(Object.prototype.toString.call(iterator)).toBe('[object HashMap Iterator]');
    expect(Object.prototype.toString.call(map)).toBe('[object HashMap]');
    const { Iterator } = globalThis as { Iterator?: { prototype: object } };
    if (Iterator !== undefined) {
      expect(iterator).toBeInstanceOf(Iterator);
      const chain = (map.keys() as any).map((n: number) => n * 10).filter((n: number) => n > 10);
      expect(chain.toArray()).toEqual([20]);
    }
    for (const name of ['keys', 'values', 'entries', 'forEach', 'get'] as const) {
      expect(Object.getOwnPropertyDescriptor(HashMap.prototype, name)?.enumerable).toBe(false);
    }
  });

  it('can be left early', () => {
    for (const key of map.keys()) {
      expect(key).toBe(1);
      break;
    }
    const [first] = map;
    expect(first).toEqual([1, 'a']);
  });

  it('carry over to and from Map, arrays and objects', () => {
    const entries: [number, string][] = [
      [1, 'a'],
      [2, 'b'],
    ];
    expect([...map]).toEqual(entries);
    expect(Array.from(map)).toEqual(entries);
    expect(Array.from(map.keys(), (n) => n + 1)).toEqual([2, 3]);
    expect(new Map(map)).toEqual(new Map(entries));
    expect(new Set(map.values())).toEqual(new Set(['a', 'b']));
    expect(Object.fromEntries(map)).toEqual({ 1: 'a', 2: 'b' });
    expect([...new HashMap({ key: 'u32', value: 'string' }, new Map(entries))]).toEqual(entries);
    expect([...new HashMap({ key: 'u32', value: 'string' }, map)]).toEqual(entries);
    expect(HashMap.prototype.entries.call(map).next().value).toEqual([1, 'a']);
  });

  it('of a map that is read only (attached, or a file thawed on the way) behave the same', () => {
    const owner = new HashMap({ key: 'u32', value: 'u32' });
    for (let n = 0; n < 30; n++) owner.set(n, n * 2);
    const reader = HashMap.attach<'u32', 'u32'>(owner.share());
    const iterator = reader.entries();
    expect(iterator.next().value).toEqual([0, 0]);
    for (let n = 1; n < 30; n += 2) owner.delete(n);
    for (let n = 30; n < 400; n++) owner.set(n, n * 2); // grows, and squeezes out the odd ones
    expect(iterator.next().value).toEqual([2, 4]);
    expect([...iterator].map(([key]) => key)).toEqual([...owner.keys()].slice(2));
    expect([...reader]).toEqual([...owner]);
    const late = reader.keys();
    expect(late.next().value).toBe(0);
    owner.delete(0);
    owner.shrinkToFit();
    // Entries moved, and the key at its position is gone.
    throws(() => late.next(), 'ERR_OFFHEAP_STALE');
  });
});
