/** The types of packed integers: numbers or bigints. Checked, never run. */
import { describe, expectTypeOf, test } from 'vitest';
import { EliasFano, PackedInts } from '../../src/index.js';

describe('PackedInts', () => {
  test('has elements of the type that it was made from', () => {
    expectTypeOf(PackedInts.from([1, 2])).toEqualTypeOf<PackedInts>();
    expectTypeOf(PackedInts.from(Uint8Array.of(1)).at(0)).toEqualTypeOf<number | undefined>();
    expectTypeOf(PackedInts.from(new Set([1n])).at(0)).toEqualTypeOf<bigint | undefined>();
    expectTypeOf(PackedInts.from(BigUint64Array.of(1n))).toEqualTypeOf<PackedInts<bigint>>();
    expectTypeOf([...PackedInts.from([1])]).toEqualTypeOf<number[]>();
    expectTypeOf(PackedInts.fromBytes<bigint>(new Uint8Array(0)).at(0)).toEqualTypeOf<bigint | undefined>();
    // @ts-expect-error text is not a number
    PackedInts.from(['1']);
    // @ts-expect-error there is no such option
    PackedInts.from([1], { width: 3 });
    // @ts-expect-error it cannot be changed
    PackedInts.from([1]).set(0, 1);
  });

  test('writes its results to arrays of that type', () => {
    const numbers = PackedInts.from([1]);
    expectTypeOf(numbers.getMany([0])).toEqualTypeOf<Uint32Array | Float64Array>();
    expectTypeOf(numbers.getMany([0], new Uint8Array(1))).toEqualTypeOf<Uint8Array<ArrayBuffer>>();
    expectTypeOf(PackedInts.from([1n]).slice()).toEqualTypeOf<BigUint64Array>();
    // @ts-expect-error numbers cannot be stored in an array of bigints
    numbers.getMany([0], new BigUint64Array(1));
  });
});

describe('EliasFano', () => {
  test('contains numbers, whatever it was built from', () => {
    expectTypeOf(EliasFano.from([1n, 2n])).toEqualTypeOf<EliasFano>();
    const values = EliasFano.from(Uint32Array.of(1, 2));
    expectTypeOf(values.at(0)).toEqualTypeOf<number | undefined>();
    expectTypeOf(values.nextGeq(0)).toEqualTypeOf<number | undefined>();
    expectTypeOf(values.rank(0)).toEqualTypeOf<number>();
    expectTypeOf([...values]).toEqualTypeOf<number[]>();
    expectTypeOf(values.getMany([0], [0])).toEqualTypeOf<number[]>();
    expectTypeOf(values.rankMany([0])).toEqualTypeOf<Uint32Array | Float64Array>();
    // @ts-expect-error text is not a number
    EliasFano.from(['1']);
    // @ts-expect-error a value is a number
    values.rank(1n);
  });
});
