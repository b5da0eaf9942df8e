/**
 * The types of HashMap: what a schema makes of keys, values, columns and bulk calls. Checked, never
 * run.
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

  test('takes and gives keys and values of those types only', () => {
    const map = new HashMap({ key: 'string', value: 'u64' });
    expectTypeOf(map.get('a')).toEqualTypeOf<bigint | undefined>();
    expectTypeOf(map.set('a', 1n)).toEqualTypeOf<HashMap<'string', 'u64'>>();
    expectTypeOf(map.getOrInsert('a', 1n)).toEqualTypeOf<bigint>();
    expectTypeOf(map.update('a', (n = 0n) => n + 1n)).toEqualTypeOf<bigint>();
    expectTypeOf([...map]).toEqualTypeOf<[string, bigint][]>();
    // @ts-expect-error a number is no string
    map.get(1);
    // @ts-expect-error a number is no bigint
    map.set('a', 1);
  });

  test('refuses schemas that do not exist', () => {
    // @ts-expect-error there are no 8-bit keys
    new HashMap({ key: 'u8', value: 'f64' });
    // @ts-expect-error there is no such type of values
    new HashMap({ key: 'u32', value: 'complex' });
    // @ts-expect-error there is no such option
    new HashMap({ key: 'u32', value: 'f64', size: 1 });
    // @ts-expect-error entries must fit the schema
    new HashMap({ key: 'u32', value: 'f64' }, [['a', 1]]);
  });

  test('has columns and bulk results of the typed arrays that fit', () => {
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
    // @ts-expect-error strings are no keys of a u32 map
    map.getMany(['a']);
  });

  test('has handles that are no other numbers', () => {
    const map = new HashMap({ key: 'u32', value: 'u8' });
    expectTypeOf(map.handleOf(1)).toEqualTypeOf<Handle | undefined>();
    expectTypeOf(map.getByHandle).parameter(0).toEqualTypeOf<Handle>();
    // @ts-expect-error a plain number is no handle
    map.getByHandle(1);
  });

  test('has the type of its schema, or says that it is not known, when it comes from elsewhere', () => {
    expectTypeOf(HashMap.open('x')).toEqualTypeOf<HashMap>();
    expectTypeOf(HashMap.open<'u32', 'f64'>('x').get(1)).toEqualTypeOf<number | undefined>();
    expectTypeOf(HashMap.attach<'string', 'u32'>(HashMap.open('x').share()).get('a')).toEqualTypeOf<
      number | undefined
    >();
  });
});
