/**
 * The types of SmallMapArena and SmallMap: the keys, values and bulk calls of a schema. Checked,
 * never run.
 */
import { describe, expectTypeOf, test } from 'vitest';
import { SmallMap, SmallMapArena, type SmallMapId } from '../../src/index.js';

describe('SmallMapArena', () => {
  const arena = new SmallMapArena({ key: 'u32', value: 'f64' });

  test('accepts and returns keys and values of its schema', () => {
    expectTypeOf(arena).toEqualTypeOf<SmallMapArena<'u32', 'f64'>>();
    const id = arena.create();
    expectTypeOf(id).toEqualTypeOf<SmallMapId>();
    expectTypeOf(arena.get(id, 1)).toEqualTypeOf<number | undefined>();
    expectTypeOf([...arena.entries(id)]).toEqualTypeOf<[number, number][]>();
    expectTypeOf(arena.map(id)).toEqualTypeOf<SmallMap<'u32', 'f64'>>();
    // @ts-expect-error a string is not a number
    arena.get(id, 'a');
    // @ts-expect-error a plain number is not an id
    arena.get(0, 1);
    // @ts-expect-error bytes are not a type of an arena
    new SmallMapArena({ key: 'bytes', value: 'f64' });
    // @ts-expect-error booleans are not keys
    new SmallMapArena({ key: 'bool', value: 'f64' });
  });

  test('has bulk results in typed arrays of its types', () => {
    expectTypeOf(arena.getMany([1], [1])).toEqualTypeOf<Float64Array>();
    expectTypeOf(arena.getMany([1], [1], [0])).toEqualTypeOf<number[]>();
    const names = new SmallMapArena({ key: 'i64', value: 'string' });
    expectTypeOf(names.getMany([1], [1n])).toEqualTypeOf<(string | undefined)[]>();
  });

  test('has the type of its schema, or an unknown one, when it is attached or opened', () => {
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
    // @ts-expect-error a number is not a bigint
    map.get(1);
    // @ts-expect-error entries must fit the schema
    new SmallMap({ key: 'u32', value: 'f64' }, [['a', 1]]);
  });
});
