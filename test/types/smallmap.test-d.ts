/**
 * The types of SmallMapArena and SmallMap: what a schema makes of keys, values and bulk calls.
 * Checked, never run.
 */
import { describe, expectTypeOf, test } from 'vitest';
import { SmallMap, SmallMapArena, type SmallMapId } from '../../src/index.js';

describe('SmallMapArena', () => {
  const arena = new SmallMapArena({ key: 'u32', value: 'f64' });

  test('takes and gives keys and values of its schema', () => {
    expectTypeOf(arena).toEqualTypeOf<SmallMapArena<'u32', 'f64'>>();
    const id = arena.create();
    expectTypeOf(id).toEqualTypeOf<SmallMapId>();
    expectTypeOf(arena.get(id, 1)).toEqualTypeOf<number | undefined>();
    expectTypeOf([...arena.entries(id)]).toEqualTypeOf<[number, number][]>();
    expectTypeOf(arena.map(id)).toEqualTypeOf<SmallMap<'u32', 'f64'>>();
    // @ts-expect-error a string is no number
    arena.get(id, 'a');
    // @ts-expect-error a plain number is no id
    arena.get(0, 1);
    // @ts-expect-error there are no bytes here
    new SmallMapArena({ key: 'bytes', value: 'f64' });
    // @ts-expect-error booleans are no keys
    new SmallMapArena({ key: 'bool', value: 'f64' });
  });

  test('has bulk results of the typed arrays that fit', () => {
    expectTypeOf(arena.getMany([1], [1])).toEqualTypeOf<Float64Array>();
    expectTypeOf(arena.getMany([1], [1], [0])).toEqualTypeOf<number[]>();
    const names = new SmallMapArena({ key: 'i64', value: 'string' });
    expectTypeOf(names.getMany([1], [1n])).toEqualTypeOf<(string | undefined)[]>();
  });

  test('has the type of its schema, or says that it is not known, when it comes from elsewhere', () => {
    expectTypeOf(SmallMapArena.open('x')).toEqualTypeOf<SmallMapArena>();
    expectTypeOf(SmallMapArena.open<'string', 'u8'>('x').create()).toEqualTypeOf<SmallMapId>();
  });
});

describe('SmallMap', () => {
  test('is a Map of the types that its schema names', () => {
    expectTypeOf(new SmallMap({ key: 'u8', value: 'f64' })).toExtend<Map<number, number>>();
    expectTypeOf(new SmallMap({ key: 'string', value: 'bool' }, [['a', true]])).toExtend<
      Map<string, boolean>
    >();
    const map = new SmallMap({ key: 'i64', value: 'string' });
    expectTypeOf(map.get(1n)).toEqualTypeOf<string | undefined>();
    expectTypeOf(map.set(1n, 'a')).toEqualTypeOf<SmallMap<'i64', 'string'>>();
    expectTypeOf(map.update(1n, (text = '') => text)).toEqualTypeOf<string>();
    // @ts-expect-error a number is no bigint
    map.get(1);
    // @ts-expect-error entries must fit the schema
    new SmallMap({ key: 'u32', value: 'f64' }, [['a', 1]]);
  });
});
