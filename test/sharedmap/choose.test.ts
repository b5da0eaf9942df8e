/** The option `choose`: a function of the user's that selects the entries to evict. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { Candidate, Choose } from '../../src/sharedmap/index.js';
import { thrown, throws } from '../helpers/errors.js';
import { Random } from '../helpers/random.js';
import { SharedMap } from './samples.js';

const directory = mkdtempSync(join(tmpdir(), 'offheap-choose-'));
afterAll(() => rmSync(directory, { recursive: true }));

const BOUND = 1 << 18;
type Chosen = Choose<number>;

/** The largest candidates that together have the bytes needed. */
const largest = (candidates: Candidate<number>[], { bytes }: { bytes: number }): number[] => {
  const keys: number[] = [];
  for (const candidate of candidates.sort((a, b) => b.bytes - a.bytes)) {
    keys.push(candidate.key);
    bytes -= candidate.bytes;
    if (bytes <= 0) break;
  }
  return keys;
};

const make = (choose: Chosen, options: object = {}): SharedMap<'u32', 'bytes'> =>
  new SharedMap({ key: 'u32', value: 'bytes', maxBytes: BOUND, choose, ...options });

/** Sets keys until the map calls its function. Returns the first key that was not set before. */
function fill(map: SharedMap<'u32', 'bytes'>, calls: { mock: { calls: unknown[] } }, length = 200): number {
  let key = 0;
  while (calls.mock.calls.length === 0) map.set(key++, new Uint8Array(length).fill(key));
  return key;
}

describe('choose', () => {
  it('gets a sample of entries of a full map, and the keys that it returns are evicted', () => {
    const seen: Candidate<number>[][] = [];
    const choose = vi.fn((candidates: Candidate<number>[], { bytes }: { bytes: number }) => {
      seen.push(structuredClone(candidates));
      expect(bytes).toBeGreaterThanOrEqual(200);
      return largest(candidates, { bytes });
    });
    using map = make(choose, { ttl: 1e9 });
    expect([map.policy, map.onFull]).toEqual(['none', 'reject']);
    const events: unknown[] = [];
    map.set(1, new Uint8Array(200));
    const subscription = map.subscribe((event) => events.push(event), { events: ['evict'] });
    const count = fill(map, choose);
    expect(map.has(count - 1)).toBe(true);
    for (const candidate of seen[0]) {
      expect(candidate.key).toBeLessThan(count);
      expect(candidate.bytes).toBeGreaterThan(200);
      expect(candidate.expiresAt).toBeGreaterThan(Date.now());
      expect(candidate.version).toBeGreaterThan(0);
    }
    expect(seen[0].length).toBeGreaterThanOrEqual(16);
    expect(new Set(seen[0].map(({ key }) => key)).size).toBe(seen[0].length);
    const { evictions, entries } = map.stats();
    expect(evictions).toBeGreaterThan(0);
    expect(evictions + entries).toBe(count);
    subscription.close();
    map.validate();
  });

  it('decides what remains: with a preference for even keys, the odd ones go', () => {
    using map = make((candidates) => {
      const odd = candidates.filter(({ key }) => key % 2 === 1);
      return (odd.length > 0 ? odd : candidates.slice(0, 1)).map(({ key }) => key);
    });
    for (let key = 0; key < 1200; key += 2) map.set(key, new Uint8Array(100));
    for (let key = 1; key < 9000; key += 2) map.set(key, new Uint8Array(100));
    const even = [...map.keys()].filter((key) => key % 2 === 0);
    expect(even.length).toBeGreaterThan(550);
    map.validate();
  });

  it('keeps the bound and correct values while the mix of sizes changes', () => {
    using map = make(largest);
    const random = new Random(3);
    for (let round = 0; round < 4000; round++) {
      const large = Math.floor(round / 500) % 2 === 1;
      const value = new Uint8Array(random.below(large ? 6000 : 200)).fill(round);
      map.set(round % 3000, value);
      if (Buffer.compare(map.get(round % 3000)!, value) !== 0)
        throw new Error(`wrong value in round ${round}`);
    }
    expect(map.usedBytes).toBeLessThanOrEqual(BOUND);
    expect(map.stats().contentBytes).toBeGreaterThan(0.6 * BOUND);
    map.validate();
  });

  it.each([1, 8])('makes room for a value of half of the map, in %i shards', (shards) => {
    using map = make((candidates) => [candidates[0].key], { maxBytes: 1 << 20, shards });
    for (let key = 0; key < 12_000; key++) map.set(key, new Uint8Array(64));
    const large = new Uint8Array(1 << 19).fill(7);
    map.set(1, large);
    expect(Buffer.compare(map.get(1)!, large)).toBe(0);
    map.validate();
  });

  it('is not called for a value that never fits, and nothing is evicted', () => {
    const choose = vi.fn(largest);
    using map = make(choose);
    const full = fill(map, choose);
    const [{ length: calls }, size, { evictions }] = [choose.mock.calls, map.size, map.stats()];
    const never = new Uint8Array(BOUND);
    throws(() => map.set(1, never), 'ERR_OFFHEAP_FULL', /never fits/);
    throws(() => map.add(full, never), 'ERR_OFFHEAP_FULL', /never fits/);
    throws(() => map.update(1, () => never), 'ERR_OFFHEAP_FULL', /never fits/);
    throws(() => map.transaction((tx) => tx.set(1, never)), 'ERR_OFFHEAP_FULL', /never fits/);
    expect(choose.mock.calls.length).toBe(calls);
    expect([map.size, map.stats().evictions]).toEqual([size, evictions]);
  });

  it('makes room for every kind of change', async () => {
    const choose = vi.fn(largest);
    using map = make(choose);
    let next = fill(map, choose);
    const value = new Uint8Array(900).fill(9);
    const changes: [string, (key: number) => unknown][] = [
      ['add', (key) => map.add(key, value)],
      ['getOrInsert', (key) => map.getOrInsert(key, value)],
      ['getOrInsertComputed', (key) => map.getOrInsertComputed(key, () => value)],
      ['compareAndSet', (key) => map.compareAndSet(key, 0, value)],
      ['update', (key) => map.update(key, () => value)],
      ['setMany', (key) => map.setMany([key], [value])],
      ['getOrCompute', (key) => map.getOrCompute(key, () => Promise.resolve(value))],
      ['transaction', (key) => map.transaction((tx) => tx.set(key, value))],
      ['replace', (key) => (map.set(key, new Uint8Array(1)), map.replace(key, value))],
      ['setByHandle', (key) => map.set(key, new Uint8Array(1)).setByHandle(map.handleOf(key)!, value)],
    ];
    for (const [name, change] of changes) {
      choose.mockClear();
      // The room that was made for one change may suffice for several.
      for (let i = 0; i < 100 && choose.mock.calls.length === 0; i++) {
        const key = next++;
        await change(key);
        if (map.get(key)?.length !== 900) throw new Error(`${name} did not store a value`);
      }
      expect(choose, name).toHaveBeenCalled();
      map.validate();
    }
  });

  it('makes room for numbers: setMany with typed arrays, increment, and touch', () => {
    const choose = vi.fn((candidates: Candidate<number>[]) => [candidates[0].key]);
    using map = new SharedMap({ key: 'u32', value: 'f64', maxBytes: 65_536, choose });
    const keys = Uint32Array.from({ length: 6000 }, (_, i) => i);
    map.setMany(keys, Float64Array.from(keys));
    expect(choose).toHaveBeenCalled();
    expect(map.get(5999)).toBe(5999);
    choose.mockClear();
    for (let key = 10_000; key < 10_500; key++) expect(map.increment(key, 2)).toBe(2);
    expect(choose).toHaveBeenCalled();
    choose.mockClear();
    for (const key of [...map.keys()].slice(0, 500)) if (map.has(key)) map.touch(key, { ttl: 1e9 });
    expect(choose).toHaveBeenCalled();
    map.validate();
  });

  it.each([
    ['string', (i: number) => `key ${i} ${'é'.repeat(i % 90)}`],
    ['bytes', (i: number) => Uint8Array.of(1, i, i >> 8)],
    ['f64', (i: number) => (i === 0 ? NaN : i / 4)],
    ['i64', (i: number) => BigInt(-i)],
  ] as const)('gets and returns keys of the type %s', (type, keyOf) => {
    const choose = (candidates: Candidate<unknown>[]): unknown[] =>
      candidates.slice(0, 3).map(({ key }) => key);
    const options = { key: type, value: 'string', maxBytes: 65_536, choose } as never;
    using map = new SharedMap(options);
    for (let i = 0; i < 2500; i++) {
      const key = keyOf(i) as string;
      map.set(key, `value ${i}`);
      expect(map.get(key)).toBe(`value ${i}`);
    }
    expect(map.stats().evictions).toBeGreaterThan(0);
    map.validate();
  });

  it('does not take a key that is too long for the empty key', () => {
    const choose = vi.fn((candidates: Candidate<string>[]) =>
      candidates.some(({ key }) => key === '') ? ['x'.repeat(70_000)] : [candidates[0].key],
    );
    using map = new SharedMap({ key: 'string', value: 'bytes', maxBytes: 65_536, shards: 1, choose });
    map.set('', new Uint8Array(30_000)).set('a', new Uint8Array(10_000));
    throws(() => map.set('b', new Uint8Array(20_000)), 'ERR_OFFHEAP_RANGE', /not the key of a candidate/);
    expect([...map.keys()].sort()).toEqual(['', 'a']);
  });

  it('never selects the key that is changed, nor a key of the transaction', () => {
    const offered = new Set<number>();
    let protect: number[] = [];
    const choose: Chosen = (candidates) => {
      for (const { key } of candidates) if (protect.includes(key)) offered.add(key);
      return candidates.map(({ key }) => key);
    };
    using map = make(choose, { maxBytes: 65_536 });
    for (let key = 0; key < 20; key++) map.set(key, new Uint8Array(100));
    protect = [1, 2, 3];
    map.transaction((tx) => {
      tx.get(1);
      tx.set(2, new Uint8Array(20_000)).set(3, new Uint8Array(10_000));
    });
    map.update(1, (value) => new Uint8Array(value!.length + 5000));
    expect(map.get(1)!.length).toBe(5100);
    expect([...offered]).toEqual([2, 3].filter((key) => offered.has(key)));
    map.validate();
  });

  it('may read the map', () => {
    const choose = vi.fn((candidates: Candidate<number>[]) => {
      const [{ key, bytes, version }] = candidates;
      expect(map.entry(key)).toMatchObject({ bytes, version });
      expect(map.peek(key)![0]).toBe((key + 1) & 0xff);
      expect([...map.keys()].length).toBe(map.size);
      return [key];
    });
    using map = make(choose);
    const count = fill(map, choose);
    expect(map.get(count - 1)).toEqual(new Uint8Array(200).fill(count));
  });

  it('does not see later changes of the key and the value that the caller passed', () => {
    const value = new Uint8Array(300).fill(1);
    const key = Uint8Array.of(7, 7);
    let isLast = false;
    const choose = (candidates: Candidate<Uint8Array>[]): Uint8Array[] => {
      if (isLast) {
        value.fill(2);
        key.fill(8);
      }
      return [candidates[0].key];
    };
    using map = new SharedMap({ key: 'bytes', value: 'bytes', maxBytes: 65_536, choose });
    for (let i = 0; map.stats().evictions === 0; i++)
      map.set(Uint8Array.of(i, i >> 8, 1), new Uint8Array(300));
    isLast = true;
    for (let i = 0; value[0] === 1; i++) {
      map.set(key, value);
      map.set(Uint8Array.of(i, i >> 8, 2), new Uint8Array(300));
      if (value[0] === 1) map.delete(key);
    }
    if (map.has(Uint8Array.of(7, 7)))
      expect(map.get(Uint8Array.of(7, 7))).toEqual(new Uint8Array(300).fill(1));
    expect(map.has(Uint8Array.of(8, 8))).toBe(false);
  });
});

describe('a function choose that is wrong', () => {
  const cases: [
    string,
    (map: SharedMap<'u32', 'bytes'>, candidates: Candidate<number>[]) => unknown,
    string,
    RegExp,
  ][] = [
    ['returns nothing', () => undefined, 'ERR_OFFHEAP_TYPE', /must return an array of keys, not undefined/],
    ['returns no keys', () => [], 'ERR_OFFHEAP_FULL', /choose returned no keys/],
    ['returns a number', (_, [{ key }]) => key, 'ERR_OFFHEAP_TYPE', /must return an array of keys/],
    [
      'returns a promise',
      async () => Promise.resolve([1]),
      'ERR_OFFHEAP_TYPE',
      /must return an array of keys/,
    ],
    ['returns keys of another type', () => ['1'], 'ERR_OFFHEAP_TYPE', /choose returned "1"/],
    ['returns a candidate', (_, candidates) => candidates, 'ERR_OFFHEAP_TYPE', /choose returned/],
    ['returns unknown keys', (_, [{ key }]) => [key, 4e9], 'ERR_OFFHEAP_RANGE', /4000000000/],
    ['returns endlessly many', (_, [{ key }]) => endless(key), 'ERR_OFFHEAP_RANGE', /more keys than/],
    [
      'throws',
      () => {
        throw new Error('not now');
      },
      'ERR_OFFHEAP_FULL',
      /choose failed: not now/,
    ],
    [
      'throws no error',
      () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- JavaScript allows it
        throw null;
      },
      'ERR_OFFHEAP_FULL',
      /choose failed: null/,
    ],
    [
      'sets a key',
      (map) => [map.set(1, new Uint8Array())],
      'ERR_OFFHEAP_FULL',
      /cannot be changed while choose runs/,
    ],
    ['deletes a key', (map) => [map.delete(1)], 'ERR_OFFHEAP_FULL', /cannot be changed while choose runs/],
    ['deletes keys', (map) => [map.deleteMany(Uint32Array.of(1))], 'ERR_OFFHEAP_FULL', /cannot be changed/],
    [
      'takes a key',
      (map) => [map.getAndDelete(1)],
      'ERR_OFFHEAP_FULL',
      /cannot be changed while choose runs/,
    ],
    ['clears the map', (map) => [map.clear()], 'ERR_OFFHEAP_FULL', /cannot be changed while choose runs/],
    ['purges', (map) => [map.purgeExpired()], 'ERR_OFFHEAP_FULL', /cannot be changed while choose runs/],
    ['commits', (map) => [map.transaction((tx) => tx.delete(1))], 'ERR_OFFHEAP_FULL', /cannot be changed/],
    ['closes the map', (map) => (map.close(), []), 'ERR_OFFHEAP_CLOSED', /closed/],
  ];

  function* endless(key: number): Generator<number> {
    for (;;) yield key;
  }

  it.each(cases)('and %s changes nothing', (_, wrong, code, message) => {
    let isWrong = false;
    const choose = vi.fn((candidates: Candidate<number>[]) =>
      isWrong ? (wrong(map, candidates) as number[]) : [candidates[0].key],
    );
    const map = make(choose);
    const other = SharedMap.attach<'u32', 'bytes'>(map.share());
    const next = fill(map, choose);
    const contents = (): Map<number, number> => new Map([...other].map(([key, { length }]) => [key, length]));
    const before = contents();
    isWrong = true;
    let error: unknown;
    for (let key = next; error === undefined && key < next + 50; key++) {
      choose.mockClear();
      try {
        map.set(key, new Uint8Array(500));
        before.set(key, 500);
      } catch (caught) {
        error = caught;
      }
    }
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(choose).toHaveBeenCalledTimes(1);
    expect(contents()).toEqual(before);
    isWrong = false;
    if (code !== 'ERR_OFFHEAP_CLOSED') {
      map.set(9999, new Uint8Array(500));
      expect(map.has(9999)).toBe(true);
    }
    other.validate();
    other.close();
    map.close();
  });

  it('is refused as an option, and with a policy or a map that evicts', () => {
    for (const choose of [null, 5, 'lru', {}]) {
      throws(() => make(choose as never), 'ERR_OFFHEAP_TYPE', /choose must be a function/);
    }
    throws(() => make(largest, { policy: 'lru' }), 'ERR_OFFHEAP_TYPE', /exclude each other/);
    throws(() => make(largest, { onFull: 'reject' }), 'ERR_OFFHEAP_TYPE', /exclude each other/);
    make(largest, { policy: 'none', onFull: 'evict' }).close();
    using evicting = new SharedMap({ key: 'u32', value: 'bytes', maxBytes: BOUND });
    const attach = (): unknown => SharedMap.attach(evicting.share(), { choose: largest as never });
    throws(attach, 'ERR_OFFHEAP_TYPE', /does not evict, and this one has the policy "auto"/);
    throws(() => SharedMap.attach(evicting.share(), { choice: 1 } as never), 'ERR_OFFHEAP_TYPE', /choice/);
    expect(evicting.stats().participants).toBe(1);
  });
});

describe('a map with choose', () => {
  it('refuses what holders without the function write, and accepts it from those with their own', () => {
    const choose = vi.fn(largest);
    using map = make(choose);
    let key = fill(map, choose);
    using without = SharedMap.attach<'u32', 'bytes'>(map.share());
    throws(
      () => {
        for (;;) without.set(key++, new Uint8Array(400));
      },
      'ERR_OFFHEAP_FULL',
      /no room/,
    );
    const own = vi.fn(largest);
    using another = SharedMap.attach<'u32', 'bytes'>(map.share(), { choose: own });
    choose.mockClear();
    for (let i = 0; i < 100; i++) another.set(key++, new Uint8Array(400));
    expect(own).toHaveBeenCalled();
    expect(choose).not.toHaveBeenCalled();
    map.validate();
  });

  it('works while workers change the same map', async () => {
    using map = make(largest);
    const url = new URL('./choose-worker.mjs', import.meta.url);
    const workers = [1, 2].map((id) => new Worker(url, { workerData: { token: map.share(), id } }));
    const ended = Promise.all(
      workers.map(
        (worker) => new Promise((resolve, reject) => worker.on('error', reject).on('exit', resolve)),
      ),
    );
    for (let key = 0; key < 3000; key++) {
      map.set(key, new Uint8Array(key % 700).fill(key));
      if (key % 100 === 0) await new Promise(setImmediate);
    }
    expect(await ended).toEqual([0, 0]);
    map.validate();
    for (const [key, value] of map) {
      if (!value.every((byte) => byte === (key & 0xff))) throw new Error(`wrong value of ${key}`);
    }
    expect(map.stats().evictions).toBeGreaterThan(1000);
  });

  it.runIf(process.platform === 'linux')('lives in a file, and takes its function when it is opened', () => {
    const path = join(directory, 'map');
    const types = { key: 'u32', value: 'bytes', maxBytes: BOUND } as const;
    const choose = vi.fn(largest);
    const first = SharedMap.open(path, { ...types, choose });
    fill(first, choose);
    first.close();
    const again = SharedMap.open(path, { ...types, onFull: 'evict', choose });
    choose.mockClear();
    for (let key = 5000; key < 5100; key++) again.set(key, new Uint8Array(400));
    expect(choose).toHaveBeenCalled();
    again.validate();
    again.close();
    const without = SharedMap.open<'u32', 'bytes'>(path);
    expect(thrown(() => without.set(1, new Uint8Array(BOUND / 2))).code).toBe('ERR_OFFHEAP_FULL');
    without.close();
  });

  it('is restored from the snapshot of a map that evicts', async () => {
    const path = join(directory, 'snapshot');
    using source = new SharedMap({ key: 'u32', value: 'bytes', maxBytes: BOUND, policy: 'lru' });
    for (let key = 0; key < 100; key++) source.set(key, new Uint8Array(200).fill(key));
    await source.save(path);
    const choose = vi.fn(largest);
    using map = await SharedMap.restore<'u32', 'bytes'>(path, { choose });
    expect(new Map(map)).toEqual(new Map(source));
    expect([map.policy, map.onFull]).toEqual(['none', 'reject']);
    for (let key = 1000; key < 2500; key++) map.set(key, new Uint8Array(200));
    expect(choose).toHaveBeenCalled();
    map.validate();
  });
});
