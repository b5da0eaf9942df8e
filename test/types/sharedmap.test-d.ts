/**
 * The types of SharedMap: keys and values of a schema, options, and callbacks. Checked, never run.
 */
import { describe, expectTypeOf, test } from 'vitest';
import {
  SharedMap,
  type Candidate,
  type Entry,
  type MapEvent,
  type SharedHandle,
  type SharedMapStats,
  type Token,
} from '../../src/index.js';

declare const token: Token<'sharedmap'>;

describe('SharedMap', () => {
  test('has the keys and values that its schema names', () => {
    const map = new SharedMap({ key: 'string', value: 'u64', maxBytes: 65_536 }, [['a', 1n]]);
    expectTypeOf(map).toEqualTypeOf<SharedMap<'string', 'u64'>>();
    expectTypeOf(map.get('a')).toEqualTypeOf<bigint | undefined>();
    expectTypeOf(map.set('a', 1n, { ttl: 1 })).toEqualTypeOf<SharedMap<'string', 'u64'>>();
    expectTypeOf(map.entry('a')).toEqualTypeOf<Entry<bigint> | undefined>();
    expectTypeOf(map.increment('a', 2n)).toEqualTypeOf<bigint>();
    expectTypeOf(map.update('a', (n = 0n) => n + 1n)).toEqualTypeOf<bigint>();
    expectTypeOf([...map]).toEqualTypeOf<[string, bigint][]>();
    expectTypeOf(map.scan(0).keys).toEqualTypeOf<string[]>();
    expectTypeOf(map.hotKeys()[0].key).toEqualTypeOf<string>();
    expectTypeOf(map.stats()).toEqualTypeOf<SharedMapStats>();
    // @ts-expect-error a number is not a string
    map.get(1);
    // @ts-expect-error a number is not a bigint
    map.add('a', 1);
    // @ts-expect-error touch needs the new time of expiry
    map.touch('a');
  });

  test('rejects unknown schemas and options, and needs a bound', () => {
    // @ts-expect-error the bound is missing
    new SharedMap({ key: 'u32', value: 'f64' });
    // @ts-expect-error there are no 8-bit keys
    new SharedMap({ key: 'u8', value: 'f64', maxBytes: 65_536 });
    // @ts-expect-error values of type any stay on the heap
    new SharedMap({ key: 'u32', value: 'any', maxBytes: 65_536 });
    // @ts-expect-error there is no such policy
    new SharedMap({ key: 'u32', value: 'f64', maxBytes: 65_536, policy: 'random' });
    // @ts-expect-error there is no such option
    new SharedMap({ key: 'u32', value: 'f64', maxBytes: 65_536, max: 10 });
  });

  test('gives callbacks the keys and values', async () => {
    const map = new SharedMap({ key: 'u32', value: 'string', maxBytes: 65_536 });
    const value = map.getOrCompute(1, async (key, { signal }) => {
      expectTypeOf(key).toEqualTypeOf<number>();
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      return Promise.resolve('a');
    });
    expectTypeOf(await value).toEqualTypeOf<string>();
    const sum = map.transaction((tx) => {
      expectTypeOf(tx.get(1)).toEqualTypeOf<string | undefined>();
      // @ts-expect-error a number is not a string
      tx.set(1, 1);
      return 5;
    });
    expectTypeOf(sum).toEqualTypeOf<number>();
    map.subscribe((event) => expectTypeOf(event).toEqualTypeOf<MapEvent<number>>());
  });

  test('gives choose candidates, and expects keys', () => {
    const options = { key: 'u32', value: 'f64', maxBytes: 65_536 } as const;
    new SharedMap({
      ...options,
      choose: (candidates, { bytes }) => {
        expectTypeOf(candidates).toEqualTypeOf<Candidate<number>[]>();
        expectTypeOf(bytes).toEqualTypeOf<number>();
        return new Set(candidates.map(({ key }) => key));
      },
    });
    SharedMap.attach<'string', 'f64'>(token, { choose: ([{ key }]) => [key] });
    SharedMap.open<'string', 'f64'>('path', { choose: ([{ key }]) => [key] });
    // @ts-expect-error a candidate is not a key
    new SharedMap({ ...options, choose: (candidates) => candidates });
    // @ts-expect-error a promise of keys is not a list of keys
    new SharedMap({ ...options, choose: async () => Promise.resolve([1]) });
  });

  test('distinguishes handles from other numbers', () => {
    const map = SharedMap.attach<'u32', 'u8'>(token);
    expectTypeOf(map.handleOf(1)).toEqualTypeOf<SharedHandle | undefined>();
    // @ts-expect-error a number is not a handle
    map.getByHandle(1);
  });
});
