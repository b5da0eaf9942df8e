/**
 * HashMap compared with a Map: the same random operations on both, and all results compared, for
 * every type of key and of value. After each batch the order of entries is compared and the region
 * is validated.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HashMap, type Handle, type KeyType, type ValueType } from '../../src/hashmap/index.js';
import {
  arbitrary,
  identity,
  KEY_TYPES,
  keyOf,
  stored,
  VALUE_TYPES,
  type AnyMap,
} from '../helpers/samples.js';

const isNumber = (type: ValueType): boolean => !['bool', 'string', 'bytes', 'json', 'any'].includes(type);

interface Entry {
  key: unknown;
  value: unknown;
}

/** A HashMap, the plain Map that it should equal, and the handles that were given out. */
class Pair {
  readonly plain = new Map<unknown, Entry>();
  readonly handles: { handle: Handle; entry: Entry }[] = [];
  map: AnyMap;

  constructor(
    readonly key: KeyType,
    readonly value: ValueType,
    seed: bigint,
  ) {
    this.map = new HashMap({ key, value, seed });
  }

  set(key: unknown, value: unknown): void {
    const id = identity(key);
    const entry = this.plain.get(id);
    if (entry === undefined)
      this.plain.set(id, { key: key === 0 ? 0 : key, value: stored(this.value, value) });
    else entry.value = stored(this.value, value);
  }

  find(key: unknown): Entry | undefined {
    return this.plain.get(identity(key));
  }

  lives(entry: Entry): boolean {
    return this.find(entry.key) === entry;
  }

  entries(): [unknown, unknown][] {
    return [...this.plain.values()].map(({ key, value }) => [key, value]);
  }

  compare(): void {
    const { map } = this;
    const expected = this.entries();
    expect(map.size).toBe(expected.length);
    expect([...map]).toEqual(expected);
    expect([...map.keys()]).toEqual(expected.map(([key]) => key));
    expect([...map.values()]).toEqual(expected.map(([, value]) => value));
    const seen: unknown[] = [];
    map.forEach((value, key, self) => {
      expect(self).toBe(map);
      seen.push([key, value]);
    });
    expect(seen).toEqual(expected);
    for (const { handle, entry } of this.handles) {
      const alive = this.lives(entry);
      expect(map.hasHandle(handle)).toBe(alive);
      expect(map.getByHandle(handle)).toEqual(alive ? entry.value : undefined);
      expect(map.keyByHandle(handle)).toEqual(alive ? entry.key : undefined);
    }
    map.validate();
  }
}

/** What one operation does to both. */
interface Step {
  run(pair: Pair): void;
  /** What a counterexample shows. */
  [fc.toStringMethod](): string;
}

/** One operation on both, from random keys and values. */
function steps(key: KeyType, value: ValueType): fc.Arbitrary<Step> {
  const k = arbitrary(key);
  const v = arbitrary(value);
  const few = fc.array(fc.tuple(k, v), { maxLength: 8 });
  const step = <T>(weight: number, input: fc.Arbitrary<T>, run: (pair: Pair, input: T) => void) => ({
    weight,
    arbitrary: input.map((given): Step => ({
      run: (pair) => run(pair, given),
      [fc.toStringMethod]: () =>
        `${run.toString().replace(/\s+/g, ' ').slice(0, 90)} < ${fc.stringify(given)}\n`,
    })),
  });
  return fc.oneof(
    step(6, fc.tuple(k, v), (pair, [key, value]) => {
      expect(pair.map.set(key, value)).toBe(pair.map);
      pair.set(key, value);
    }),
    step(3, k, (pair, key) => {
      const entry = pair.find(key);
      expect(pair.map.get(key)).toEqual(entry?.value);
      expect(pair.map.has(key)).toBe(entry !== undefined);
    }),
    step(3, k, (pair, key) => expect(pair.map.delete(key)).toBe(pair.plain.delete(identity(key)))),
    step(1, fc.nat(8), (pair, n) => {
      if (n > 1) return;
      expect(pair.map.clear()).toBeUndefined();
      pair.plain.clear();
    }),
    step(1, fc.tuple(k, v), (pair, [key, value]) => {
      if (pair.find(key) === undefined) pair.set(key, value);
      expect(pair.map.getOrInsert(key, value)).toEqual(pair.find(key)!.value);
    }),
    step(1, fc.tuple(k, v), (pair, [key, value]) => {
      const missing = pair.find(key) === undefined;
      let calls = 0;
      const result = pair.map.getOrInsertComputed(key, (given: unknown) => {
        calls++;
        expect(given).toEqual(key === 0 ? 0 : key);
        return value;
      });
      if (missing) pair.set(key, value);
      expect(calls).toBe(missing ? 1 : 0);
      expect(result).toEqual(pair.find(key)!.value);
    }),
    step(1, fc.tuple(k, v), (pair, [key, value]) => {
      const before = pair.find(key)?.value;
      const result = pair.map.update(key, (old: unknown) => {
        expect(old).toEqual(before);
        return value;
      });
      expect(result).toBe(value);
      pair.set(key, value);
    }),
    step(2, k, (pair, key) => {
      const handle = pair.map.handleOf(key);
      const entry = pair.find(key);
      expect(handle !== undefined).toBe(entry !== undefined);
      if (handle === undefined) return;
      expect(handle).toBeLessThan(2 ** 53);
      // An entry has one handle for life.
      for (const other of pair.handles) expect(other.entry === entry).toBe(other.handle === handle);
      if (!pair.handles.some((other) => other.entry === entry)) pair.handles.push({ handle, entry: entry! });
    }),
    step(1, fc.tuple(fc.nat(), v), (pair, [n, value]) => {
      const known = pair.handles[n % Math.max(1, pair.handles.length)];
      if (known === undefined || !pair.lives(known.entry)) return;
      expect(pair.map.setByHandle(known.handle, value)).toBe(pair.map);
      known.entry.value = stored(pair.value, value);
    }),
    step(2, few, (pair, entries) => {
      expect(
        pair.map.setMany(
          entries.map(([key]) => key),
          entries.map(([, value]) => value),
        ),
      ).toBe(pair.map);
      for (const [key, value] of entries) pair.set(key, value);
    }),
    step(1, fc.array(k, { maxLength: 8 }), (pair, keys) => {
      const out: unknown[] = keys.map((_, i) => `untouched ${i}`);
      expect(pair.map.getMany(keys, out)).toBe(out);
      expect(out).toEqual(keys.map((key, i) => pair.find(key)?.value ?? blank(pair.find(key), i)));
      const found = keys.map((key) => (pair.find(key) === undefined ? 0 : 1));
      expect([...pair.map.hasMany(keys)]).toEqual(found);
      expect([...pair.map.getManyFound(keys, [...out])]).toEqual(found);
      const handles = pair.map.handlesOf(keys);
      expect([...handles]).toEqual(keys.map((key) => pair.map.handleOf(key) ?? -1));
      const byHandle: unknown[] = keys.map((_, i) => `untouched ${i}`);
      expect(pair.map.getManyByHandle(handles, byHandle)).toEqual(out);
    }),
    step(1, fc.array(k, { maxLength: 8 }), (pair, keys) => {
      const deleted = keys.filter((key) => pair.plain.delete(identity(key))).length;
      expect(pair.map.deleteMany(keys)).toBe(deleted);
    }),
    step(1, fc.nat(120), (pair, n) => {
      for (let i = 0; i < n; i++) {
        const given = EXAMPLE[pair.value];
        pair.map.set(keyOf(pair.key, i), given);
        pair.set(keyOf(pair.key, i), given);
      }
    }),
    step(1, fc.nat(2), (pair, n) => {
      [...pair.plain.values()].forEach(({ key }, at) => {
        if (at % 3 === n) return;
        expect(pair.map.delete(key)).toBe(true);
        pair.plain.delete(identity(key));
      });
    }),
    step(1, fc.nat(400), (pair, n) => expect(pair.map.reserve(n)).toBe(pair.map)),
    step(1, fc.constant(undefined), (pair) => {
      expect(pair.map.shrinkToFit()).toBe(pair.map);
      expect(pair.map.stats().dead).toBe(0);
    }),
    step(1, fc.constant(undefined), (pair) => {
      if (pair.value === 'any') return;
      pair.map = HashMap.fromBytes(pair.map.toBytes());
    }),
    step(1, fc.constant(undefined), (pair) => {
      if (!isNumber(pair.key) || !isNumber(pair.value)) return;
      const { keys, values } = pair.map.columns();
      expect([...(keys as Uint32Array)]).toEqual(pair.entries().map(([key]) => key));
      expect([...(values as Uint32Array)]).toEqual(pair.entries().map(([, value]) => value));
    }),
  );
}

/** What stays in `out`: nothing came (`untouched`), or the value was null or undefined itself. */
function blank(entry: Entry | undefined, i: number): unknown {
  return entry === undefined ? `untouched ${i}` : entry.value;
}

const EXAMPLE: Record<ValueType, unknown> = {
  u8: 7,
  i8: -7,
  u16: 700,
  i16: -700,
  u32: 4e9,
  i32: -2e9,
  f32: 0.5,
  f64: 0.1,
  u64: 7n,
  i64: -7n,
  bool: true,
  string: 'straße',
  bytes: Uint8Array.of(1, 2, 3),
  json: { a: [1, 'ß'] },
  any: undefined,
};

const seeds = fc.oneof(
  fc.constantFrom(0n, 2n ** 64n - 1n, 0xffffffffn, 0xffffffff00000000n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

describe.each(KEY_TYPES)('a map of %s keys equals a Map', (key) => {
  it.each(VALUE_TYPES)('with %s values', (value) => {
    const batches = fc.array(fc.array(steps(key, value), { maxLength: 24, size: 'max' }), {
      maxLength: 4,
      size: 'max',
    });
    fc.assert(
      fc.property(seeds, batches, (seed, all) => {
        const pair = new Pair(key, value, seed);
        for (const batch of all) {
          for (const step of batch) step.run(pair);
          pair.compare();
        }
        pair.map.close();
      }),
      { numRuns: 25 },
    );
  });
});

describe('order', () => {
  it('is that of insertion: a new value keeps the position, insertion after deletion comes last', () => {
    for (const key of KEY_TYPES) {
      const map: AnyMap = new HashMap({ key, value: 'u32' });
      for (let n = 0; n < 40; n++) map.set(keyOf(key, n), n);
      map.set(keyOf(key, 3), 300);
      map.delete(keyOf(key, 5));
      map.set(keyOf(key, 5), 500);
      const values = [...map.values()];
      expect(values.indexOf(300)).toBe(3);
      expect(values.at(-1)).toBe(500);
      expect(values).toHaveLength(40);
    }
  });
});

describe('SameValueZero', () => {
  it('treats NaN as equal to NaN, whatever its bits, and -0 as 0', () => {
    const map = new HashMap({ key: 'f64', value: 'u32' });
    const odd = new Float64Array(new BigUint64Array([0xfff8000000000001n, 0x7ff8dead00000000n]).buffer);
    map.set(NaN, 1).set(odd[0], 2).set(odd[1], 3).set(-0, 4).set(0, 5);
    expect([...map]).toEqual([
      [NaN, 3],
      [0, 5],
    ]);
    expect(Object.is([...map.keys()][1], 0)).toBe(true);
    expect([...map.getMany(odd)]).toEqual([3, 3]);
    expect(map.getMany(Float64Array.of(-0))[0]).toBe(5);
    map.setMany(odd, Uint32Array.of(8, 9)).setMany(Float64Array.of(-0), Uint32Array.of(10));
    expect(map.size).toBe(2);
    expect(map.get(NaN)).toBe(9);
    expect(map.deleteMany(odd)).toBe(1);
    expect(map.deleteMany(Float64Array.of(-0))).toBe(1);
    map.validate();
  });

  it('treats -0 as 0 for integers, in every call', () => {
    for (const key of ['u32', 'i32'] as const) {
      const map = new HashMap({ key, value: 'f64' }, [[-0, 1]]);
      expect(map.get(-0)).toBe(1);
      expect(map.has(0)).toBe(true);
      expect(Object.is([...map.keys()][0], 0)).toBe(true);
      const computed = map.getOrInsertComputed(7, (given) => (Object.is(given, 7) ? 2 : 3));
      expect(computed).toBe(2);
      expect(map.update(-0, (value, given) => (Object.is(given, 0) ? value! + 1 : NaN))).toBe(2);
      expect(map.delete(-0)).toBe(true);
    }
  });

  it('does not change values: they keep -0', () => {
    const map = new HashMap({ key: 'u32', value: 'f64' }, [[1, -0]]);
    expect(Object.is(map.get(1), -0)).toBe(true);
  });
});
