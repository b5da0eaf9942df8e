/** The types of bit vectors and of rank and select. Checked, never run. */
import { describe, expectTypeOf, test } from 'vitest';
import { BitVector, RankSelect, type RankSelectVariant } from '../../src/index.js';

describe('BitVector', () => {
  test('has bits at positions', () => {
    const bits = new BitVector(10);
    expectTypeOf(bits.get(0)).toEqualTypeOf<boolean | undefined>();
    expectTypeOf(bits.set(0).set(1, 0).fill(0, 1, true).not().and(bits, 0, 5)).toEqualTypeOf<BitVector>();
    expectTypeOf(bits.push(true)).toEqualTypeOf<number>();
    expectTypeOf([...bits]).toEqualTypeOf<number[]>();
    expectTypeOf(bits.ones()).toEqualTypeOf<Uint32Array | Float64Array>();
    expectTypeOf(bits.ones(0, new Uint32Array(4))).toEqualTypeOf<number>();
    expectTypeOf(BitVector.fromIndices(new Set([1]), 5)).toEqualTypeOf<BitVector>();
    // @ts-expect-error a bit is true or false, 1 or 0
    bits.set(0, 2);
    // @ts-expect-error bytes are in a Uint8Array
    BitVector.from([1, 0]);
    // @ts-expect-error there is no such option
    new BitVector(10, { size: 3 });
  });
});

describe('RankSelect', () => {
  test('answers with numbers', () => {
    const structure = RankSelect.from(new BitVector(10), { variant: 'auto' });
    expectTypeOf(structure.rank1(3)).toEqualTypeOf<number>();
    expectTypeOf(structure.select1(3)).toEqualTypeOf<number | undefined>();
    expectTypeOf(structure.variant).toEqualTypeOf<RankSelectVariant>();
    expectTypeOf(structure.rank1Many([1])).toEqualTypeOf<Uint32Array | Float64Array>();
    expectTypeOf(structure.select0Many([1], [0])).toEqualTypeOf<number[]>();
    // @ts-expect-error it is built from bits
    RankSelect.from('bits');
    // @ts-expect-error there is no such variant
    RankSelect.from(new BitVector(1), { variant: 'best' });
    // @ts-expect-error it cannot be changed
    structure.set(0);
  });
});
