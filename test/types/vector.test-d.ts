/** The types of Vector: the elements, views and bulk calls of a type. Checked, never run. */
import { describe, expectTypeOf, test } from 'vitest';
import { Vector } from '../../src/index.js';

describe('Vector', () => {
  test('has elements of the JavaScript type that its type names', () => {
    const prices = new Vector('f64');
    expectTypeOf(prices).toEqualTypeOf<Vector<'f64'>>();
    expectTypeOf(prices.at(0)).toEqualTypeOf<number | undefined>();
    expectTypeOf(prices.pop()).toEqualTypeOf<number | undefined>();
    expectTypeOf(prices.push(1, 2)).toEqualTypeOf<number>();
    expectTypeOf(prices.sum()).toEqualTypeOf<number>();
    expectTypeOf(prices.min()).toEqualTypeOf<number | undefined>();
    expectTypeOf([...prices]).toEqualTypeOf<number[]>();
    expectTypeOf([...prices.entries()]).toEqualTypeOf<[number, number][]>();
    expectTypeOf(prices.sort()).toEqualTypeOf<Vector<'f64'>>();
    expectTypeOf(prices.sortAsync()).toEqualTypeOf<Promise<Vector<'f64'>>>();
    const ids = new Vector('u64');
    expectTypeOf(ids.at(0)).toEqualTypeOf<bigint | undefined>();
    expectTypeOf(ids.sum()).toEqualTypeOf<bigint>();
    expectTypeOf(ids.swapRemove(0)).toEqualTypeOf<bigint>();
    // @ts-expect-error a bigint is not a number
    prices.push(1n);
    // @ts-expect-error a number is not a bigint
    ids.set(0, 1);
    // @ts-expect-error there is no such type
    new Vector('bool');
    // @ts-expect-error there is no such option
    new Vector('u8', { size: 3 });
  });

  test('has views of its type', () => {
    expectTypeOf(new Vector('f64').view).toEqualTypeOf<Float64Array>();
    expectTypeOf(new Vector('i64').view).toEqualTypeOf<BigInt64Array>();
    expectTypeOf(new Vector('u8').argsort()).toEqualTypeOf<Uint32Array | Float64Array>();
    expectTypeOf(Vector.from('u16', [1, 2])).toEqualTypeOf<Vector<'u16'>>();
    expectTypeOf(new Vector('f32').pushMany(new Float32Array(3))).toEqualTypeOf<number>();
    expectTypeOf(Vector.open<'i8'>('x')).toEqualTypeOf<Vector<'i8'>>();
    // @ts-expect-error bigints are not numbers
    new Vector('f32').pushMany([1n]);
  });
});
