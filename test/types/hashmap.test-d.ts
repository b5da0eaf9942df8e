/**
 * The types of HashMap: the keys, values, columns and bulk calls of a schema. Checked, never run.
 */
import { describe, expectTypeOf, test } from 'vitest';
import { HashMap, type Handle } from '../../src/index.js';

describe('HashMap', () => {
  test('is a Map of the types that its schema names', () => {
    const prices = new HashMap({ key: 'u32', value: 'f64' });
    expectTypeOf(prices).toEqualTypeOf<HashMap<'u32', 'f64'>>();
    expectTypeOf(prices).toExtend<Map<number, number>>();
    expectTypeOf(new HashMap({ key: 'string', value: 'bool' })).toExtend<Map<string, boolean>>();
    expectTypeOf(new HashMap({ key: 'i64', value: 'u64' })).toExtend<Map<bigint, bigint>>();
    expectTypeOf(new HashMap({ key: 'bytes', value: 'string' })).toExtend<Map<Uint8Array, string>>();
    expectTypeOf(new HashMap({ key: 'f64', value: 'any' }).get(1)).toEqualTypeOf<unknown>();
  });

  test('accepts and returns only keys and values of those types', () => {
    const map = new HashMap({ key: 'string', value: 'u64' });
    expectTypeOf(map.get('a')).toEqualTypeOf<bigint | undefined>();
    expectTypeOf(map.set('a', 1n)).toEqualTypeOf<HashMap<'string', 'u64'>>();
    expectTypeOf(map.getOrInsert('a', 1n)).toEqualTypeOf<bigint>();
    expectTypeOf(map.update('a', (n = 0n) => n + 1n)).toEqualTypeOf<bigint>();
    expectTypeOf([...map]).toEqualTypeOf<[string, bigint][]>();
    // @ts-expect-error a number is not a string
    map.get(1);
    // @ts-expect-error a number is not a bigint
    map.set('a', 1);
  });

  test('rejects unknown schemas', () => {
    // @ts-expect-error there are no 8-bit keys
    new HashMap({ key: 'u8', value: 'f64' });
    // @ts-expect-error the type of values is unknown
    new HashMap({ key: 'u32', value: 'complex' });
    // @ts-expect-error there is no such option
    new HashMap({ key: 'u32', value: 'f64', size: 1 });
    // @ts-expect-error entries must fit the schema
    new HashMap({ key: 'u32', value: 'f64' }, [['a', 1]]);
  });

  test('has columns and bulk results in typed arrays of its types', () => {
    const map = new HashMap({ key: 'u32', value: 'f64' });
    expectTypeOf(map.columns().keys).toEqualTypeOf<Uint32Array>();
    expectTypeOf(map.columns().values).toEqualTypeOf<Float64Array>();
    expectTypeOf(map.getMany(Uint32Array.of(1))).toEqualTypeOf<Float64Array>();
    expectTypeOf(map.getMany([1, 2], new Float64Array(2))).toExtend<Float64Array>();
    expectTypeOf(map.hasMany(new Set([1]))).toEqualTypeOf<Uint8Array>();
    expectTypeOf(map.deleteMany([1])).toEqualTypeOf<number>();
    const names = new HashMap({ key: 'string', value: 'string' });
    expectTypeOf(names.getMany(['a'])).toEqualTypeOf<(string | undefined)[]>();
    expectTypeOf(names.columns().keys).toEqualTypeOf<never>();
    // @ts-expect-error the keys of a u32 map are not strings
    map.getMany(['a']);
  });

  test('distinguishes handles from other numbers', () => {
    const map = new HashMap({ key: 'u32', value: 'u8' });
    expectTypeOf(map.handleOf(1)).toEqualTypeOf<Handle | undefined>();
    expectTypeOf(map.getByHandle).parameter(0).toEqualTypeOf<Handle>();
    // @ts-expect-error a plain number is not a handle
    map.getByHandle(1);
  });

  test('has the type of its schema, or an unknown one, when it is attached or opened', () => {
    expectTypeOf(HashMap.open('x')).toEqualTypeOf<HashMap>();
    expectTypeOf(HashMap.open<'u32', 'f64'>('x').get(1)).toEqualTypeOf<number | undefined>();
    expectTypeOf(HashMap.attach<'string', 'u32'>(HashMap.open('x').share()).get('a')).toEqualTypeOf<
      number | undefined
    >();
  });
});
