/**
 * SharedMap compared with a Map: the same random operations on both, and all results compared, for
 * every type of key and of value. The bound is so large that nothing is evicted. A second
 * attachment makes half of the changes. After each batch the contents are compared, regardless of
 * their order, and the region is validated.
 */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { throws } from '../helpers/errors.js';
import type { SharedHandle } from '../../src/sharedmap/index.js';
import { identity, KEY_TYPES, keyOf } from '../helpers/samples.js';
import { arbitraryKey, arbitraryValue, SharedMap, stored, VALUE_TYPES, type AnyShared } from './samples.js';

interface Entry {
  key: unknown;
  value: unknown;
}

/** Two attachments of a SharedMap, and the plain Map that both should equal. */
class Pair {
  readonly plain = new Map<unknown, Entry>();
  readonly handles: { handle: SharedHandle; entry: Entry }[] = [];
  readonly maps: [AnyShared, AnyShared];
  private turn = 0;

  constructor(
    key: string,
    readonly value: string,
    seed: bigint,
  ) {
    const map: AnyShared = new SharedMap({
      key,
      value,
      seed,
      maxBytes: 1 << 22,
      onFull: 'reject',
    } as never);
    this.maps = [map, SharedMap.attach(map.share()) as AnyShared];
  }

  /** Each attachment in turn. */
  get map(): AnyShared {
    return this.maps[this.turn++ & 1];
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

  compare(): void {
    const expected = byKey([...this.plain.values()].map(({ key, value }) => [key, value]));
    for (const map of this.maps) {
      expect(map.size).toBe(expected.length);
      expect(byKey([...map])).toEqual(expected);
      expect(byKey([...map.keys()].map((key) => [key, map.peek(key)]))).toEqual(expected);
      expect([...map.values()]).toHaveLength(expected.length);
      const seen: [unknown, unknown][] = [];
      map.forEach((value: unknown, key: unknown) => seen.push([key, value]));
      expect(byKey(seen)).toEqual(expected);
      for (const { handle, entry } of this.handles) {
        const isAlive = this.find(entry.key) === entry;
        expect(map.hasHandle(handle)).toBe(isAlive);
        expect(map.getByHandle(handle)).toEqual(isAlive ? entry.value : undefined);
        expect(map.keyByHandle(handle)).toEqual(isAlive ? entry.key : undefined);
      }
      map.validate();
    }
  }

  close(): void {
    for (const map of this.maps) map.close();
  }
}

function byKey(entries: [unknown, unknown][]): [unknown, unknown][] {
  const name = (key: unknown): string => String(identity(key));
  return entries.sort(([a], [b]) => (name(a) < name(b) ? -1 : 1));
}

interface Step {
  run(pair: Pair): void;
  /** What a counterexample shows. */
  [fc.toStringMethod](): string;
}

/** One operation on both, from random keys and values. */
function steps(key: string, value: string): fc.Arbitrary<Step> {
  const k = arbitraryKey(key);
  const v = arbitraryValue(value);
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
      const { map } = pair;
      expect(map.set(key, value)).toBe(map);
      pair.set(key, value);
    }),
    step(3, k, (pair, key) => {
      const entry = pair.find(key);
      const { map } = pair;
      expect(map.get(key)).toEqual(entry?.value);
      expect(map.peek(key)).toEqual(entry?.value);
      expect(map.entry(key)?.value).toEqual(entry?.value);
      expect(map.remainingTtl(key)).toBe(entry === undefined ? undefined : Infinity);
      expect(map.has(key)).toBe(entry !== undefined);
    }),
    step(3, k, (pair, key) => expect(pair.map.delete(key)).toBe(pair.plain.delete(identity(key)))),
    step(1, fc.nat(8), (pair, n) => {
      if (n > 1) return;
      expect(pair.map.clear()).toBeUndefined();
      pair.plain.clear();
    }),
    step(1, fc.tuple(k, v), (pair, [key, value]) => {
      const isNew = pair.find(key) === undefined;
      expect(pair.map.add(key, value)).toBe(isNew);
      if (isNew) pair.set(key, value);
    }),
    step(1, fc.tuple(k, v), (pair, [key, value]) => {
      const isPresent = pair.find(key) !== undefined;
      expect(pair.map.replace(key, value)).toBe(isPresent);
      if (isPresent) pair.set(key, value);
    }),
    step(1, fc.tuple(k, v, fc.nat(2)), (pair, [key, value, stale]) => {
      const { map } = pair;
      const version = ((map.entry(key)?.version ?? 0) as number) + stale;
      const isCurrent = stale === 0;
      expect(map.compareAndSet(key, version, value)).toBe(isCurrent);
      if (!isCurrent) return;
      pair.set(key, value);
      expect(map.entry(key)!.version).not.toBe(version);
    }),
    step(1, k, (pair, key) => {
      expect(pair.map.getAndDelete(key)).toEqual(pair.find(key)?.value);
      pair.plain.delete(identity(key));
    }),
    step(1, fc.tuple(k, v), (pair, [key, value]) => {
      if (pair.find(key) === undefined) pair.set(key, value);
      expect(pair.map.getOrInsert(key, value)).toEqual(pair.find(key)!.value);
    }),
    step(1, fc.tuple(k, v), (pair, [key, value]) => {
      const isMissing = pair.find(key) === undefined;
      let calls = 0;
      const result = pair.map.getOrInsertComputed(key, (given: unknown) => {
        calls++;
        expect(given).toEqual(key === 0 ? 0 : key);
        return value;
      });
      if (isMissing) pair.set(key, value);
      expect(calls).toBe(isMissing ? 1 : 0);
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
      if (known === undefined || pair.find(known.entry.key) !== known.entry) return;
      const { map } = pair;
      expect(map.setByHandle(known.handle, value)).toBe(map);
      known.entry.value = stored(pair.value, value);
    }),
    step(1, fc.nat(), (pair, n) => {
      const known = pair.handles[n % Math.max(1, pair.handles.length)];
      if (known === undefined) return;
      const isAlive = pair.find(known.entry.key) === known.entry;
      expect(pair.map.deleteByHandle(known.handle)).toBe(isAlive);
      if (isAlive) pair.plain.delete(identity(known.entry.key));
    }),
    step(2, few, (pair, entries) => {
      const { map } = pair;
      expect(
        map.setMany(
          entries.map(([key]) => key),
          entries.map(([, value]) => value),
        ),
      ).toBe(map);
      for (const [key, value] of entries) pair.set(key, value);
    }),
    step(1, fc.array(k, { maxLength: 8 }), (pair, keys) => {
      const { map } = pair;
      const out: unknown[] = keys.map((_, i) => `untouched ${i}`);
      const expected = keys.map((key, i) => {
        const entry = pair.find(key);
        return entry === undefined ? `untouched ${i}` : entry.value;
      });
      expect(map.getMany(keys, out)).toBe(out);
      expect(out).toEqual(expected);
      expect([...map.hasMany(keys)]).toEqual(keys.map((key) => (pair.find(key) === undefined ? 0 : 1)));
      const handles = map.handlesOf(keys);
      expect([...handles]).toEqual(keys.map((key) => map.handleOf(key) ?? -1));
      const byHandle: unknown[] = keys.map((_, i) => `untouched ${i}`);
      expect(map.getManyByHandle(handles, byHandle)).toEqual(expected);
    }),
    step(1, fc.array(k, { maxLength: 8 }), (pair, keys) => {
      const deleted = keys.filter((key) => pair.plain.delete(identity(key))).length;
      expect(pair.map.deleteMany(keys)).toBe(deleted);
    }),
    step(1, fc.tuple(fc.nat(150), v), (pair, [n, value]) => {
      for (let i = 0; i < n; i++) {
        const key_ = keyOf(key as 'u32', i);
        pair.map.set(key_, value);
        pair.set(key_, value);
      }
    }),
    step(1, fc.nat(2), (pair, n) => {
      [...pair.plain.values()].forEach(({ key }, at) => {
        if (at % 3 === n) return;
        expect(pair.map.delete(key)).toBe(true);
        pair.plain.delete(identity(key));
      });
    }),
  );
}

const seeds = fc.oneof(
  fc.constantFrom(0n, 2n ** 64n - 1n, 0xffffffffn, 0xffffffff00000000n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

describe.each(KEY_TYPES)('a shared map of %s keys equals a Map', (key) => {
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
        pair.close();
      }),
      { numRuns: 5 },
    );
  });
});

describe('keys', () => {
  const maps: AnyShared[] = [];
  const make = (key: string): AnyShared => {
    const map: AnyShared = new SharedMap({ key, value: 'u32', maxBytes: 65_536 } as never);
    maps.push(map);
    return map;
  };
  afterAll(() => maps.forEach((map) => map.close()));

  it('are compared as those of a Map: NaN equals NaN, whatever its bits, and -0 is 0', () => {
    const map = make('f64');
    const odd = new Float64Array(new BigUint64Array([0xfff8000000000001n, 0x7ff8dead00000000n]).buffer);
    map.set(NaN, 1).set(odd[0], 2).set(odd[1], 3).set(-0, 4).set(0, 5);
    expect(byKey([...map])).toEqual([
      [0, 5],
      [NaN, 3],
    ]);
    expect(Object.is(map.keyByHandle(map.handleOf(-0)), 0)).toBe(true);
    expect([...map.getMany(odd)]).toEqual([3, 3]);
    map.setMany(odd, Uint32Array.of(8, 9)).setMany(Float64Array.of(-0), Uint32Array.of(10));
    expect(map.size).toBe(2);
    expect(map.get(NaN)).toBe(9);
    expect(map.deleteMany(odd)).toBe(1);
    expect(map.deleteMany(Float64Array.of(-0))).toBe(1);
    map.validate();
  });

  it('of 4 bytes are not confused with numbers that have the same bits', () => {
    const [unsigned, signed] = [make('u32'), make('i32')];
    unsigned.set(0xffff_fffb, 1).set(0, 2);
    signed.set(-5, 1).set(0, 2);
    for (const key of [-5, 2 ** 32, 0.5, NaN, Infinity, -(2 ** 32)]) {
      throws(() => unsigned.get(key), 'ERR_OFFHEAP_RANGE');
    }
    for (const key of [0xffff_fffb, 2 ** 32, 0.5, NaN]) throws(() => signed.get(key), 'ERR_OFFHEAP_RANGE');
    expect([unsigned.get(0xffff_fffb), unsigned.get(-0), signed.get(-5), signed.get(-0)]).toEqual([
      1, 2, 1, 2,
    ]);
  });

  it('of text are distinct whatever their encoding and length, at the edges of the short form', () => {
    const map = make('string');
    const texts = ['', 'a', 'é', '\ud800', '\ud800\udc00'];
    for (const unit of ['x', 'ü', '日']) {
      for (const length of [19, 20, 21, 30, 31, 32, 61, 62, 63, 64, 127, 128])
        texts.push(unit.repeat(length));
    }
    texts.forEach((text, n) => map.set(text, n));
    expect(map.size).toBe(texts.length);
    texts.forEach((text, n) => {
      expect(map.get(text)).toBe(n);
      expect(map.keyByHandle(map.handleOf(text))).toBe(text);
    });
    map.validate();
  });
});
