/**
 * RankSelect compared with counting: every variant, all critical positions, bulk calls, large
 * positions, and the arguments that it rejects.
 */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { BitVector, RankSelect, type RankSelectVariant } from '../../src/succinct/index.js';
import { throws } from '../helpers/errors.js';
import { Random } from '../helpers/random.js';

const VARIANTS = ['flat', 'interleaved', 'sparse'] as const;
const PLAIN = ['flat', 'interleaved'] as const;

/** Bits with alternating runs of ones and zeros. */
function runs(lengths: readonly number[]): BitVector {
  const bits = new BitVector(lengths.reduce((a, b) => a + b, 0));
  let at = 0;
  lengths.forEach((length, i) => {
    bits.fill(at, at + length, i % 2 === 1);
    at += length;
  });
  return bits;
}

function randomBits(length: number, percent: number): BitVector {
  const random = new Random(length + percent);
  const bits = new BitVector(length);
  for (let at = 0; at < length; at++) if (random.below(100) < percent) bits.set(at);
  return bits;
}

/** Like `toEqual`, which is slow for many elements. */
function same(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  let wrong = actual.length === expected.length ? -1 : 0;
  for (let i = 0; wrong < 0 && i < expected.length; i++) if (actual[i] !== expected[i]) wrong = i;
  if (wrong >= 0)
    expect([wrong, actual.length, actual[wrong]]).toEqual([wrong, expected.length, expected[wrong]]);
}

/**
 * Compares every result with counting; single queries at each `every`-th position and around all
 * edges.
 */
function check(bits: BitVector, variant: RankSelectVariant | 'auto', every = 1): void {
  using structure = RankSelect.from(bits, { variant });
  const { length } = bits;
  const ones = [...bits.ones()];
  const zeros: number[] = [];
  const ranks = new Float64Array(length + 1);
  for (let at = 0, next = 0; at < length; at++) {
    if (ones[next] === at) next++;
    else zeros.push(at);
    ranks[at + 1] = next;
  }
  expect([structure.length, structure.ones, structure.zeros]).toEqual([length, ones.length, zeros.length]);
  const asked: number[] = [];
  for (let at = 0; at <= length; at++) {
    const edge = at % 496 < 2 || at % 512 < 2 || at % 512 === 511 || length - at < 70;
    if (edge || at % every === 0) asked.push(at);
  }
  for (const at of asked) {
    if (structure.rank1(at) !== ranks[at]) expect([at, structure.rank1(at)]).toEqual([at, ranks[at]]);
    if (structure.rank0(at) !== at - ranks[at]) expect([at, structure.rank0(at)]).toBe(at - ranks[at]);
    if (structure.get(at) !== bits.get(at)) expect([at, structure.get(at)]).toEqual([at, bits.get(at)]);
  }
  for (let k = 0; k < ones.length; k += every) {
    if (structure.select1(k) !== ones[k]) expect([k, structure.select1(k)]).toEqual([k, ones[k]]);
  }
  for (let k = 0; k < zeros.length; k += every) {
    if (structure.select0(k) !== zeros[k]) expect([k, structure.select0(k)]).toEqual([k, zeros[k]]);
  }
  expect(structure.select1(ones.length)).toBe(undefined);
  expect(structure.select0(zeros.length)).toBe(undefined);
  expect(structure.get(length)).toBe(undefined);
  const numbers = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i);
  same(
    structure.rank1Many(asked),
    asked.map((at) => ranks[at]),
  );
  same(
    structure.rank0Many(Float64Array.from(asked)),
    asked.map((at) => at - ranks[at]),
  );
  same(structure.select1Many(numbers(ones.length)), ones);
  same(structure.select0Many(numbers(zeros.length)), zeros);
  structure.validate();
}

describe('a RankSelect compared with counting', () => {
  it.each(VARIANTS)('agrees for lengths around words, blocks and lines: %s', (variant) => {
    for (const length of [0, 1, 2, 31, 32, 33, 64, 480, 495, 496, 497, 511, 512, 513, 991, 992, 993, 1024]) {
      for (const percent of [0, 1, 50, 99, 100]) check(randomBits(length, percent), variant);
    }
    for (const length of [4095, 4096, 4097, 63_487, 63_488, 63_489, 65_536]) {
      for (const percent of [1, 10, 50, 90]) check(randomBits(length, percent), variant, 7);
    }
  });

  it.each(VARIANTS)('agrees for distant clusters: %s', (variant) => {
    const bits = new BitVector(1_500_000);
    bits.fill(0, 200_000, true).fill(900_000, 900_900, true);
    for (let at = 300_000; at < bits.length; at += 50_001) bits.set(at);
    check(bits, variant, 997);
    check(bits.not(), variant, 997);
  });

  it('agrees for runs of any length', () => {
    const run = fc.oneof(fc.nat(10), fc.nat(600), fc.nat(9000));
    fc.assert(
      fc.property(fc.array(run, { maxLength: 20 }), (lengths) => {
        const bits = runs(lengths);
        for (const variant of [...VARIANTS, 'auto'] as const) check(bits, variant, 61);
      }),
      { numRuns: 25 },
    );
  });

  it('takes no memory for bits that are all equal', () => {
    for (const length of [0, 1, 100, 5000]) {
      for (const bits of [new BitVector(length), new BitVector(length).not()]) {
        check(bits, 'constant');
        check(bits, 'auto');
        using structure = RankSelect.from(bits, { variant: 'auto' });
        expect([structure.variant, structure.toBytes().length]).toEqual(['constant', 256]);
        // The result has the requested variant.
        for (const variant of VARIANTS) expect(RankSelect.from(bits, { variant }).variant).toBe(variant);
      }
    }
    throws(() => RankSelect.from(randomBits(100, 50), { variant: 'constant' }), 'ERR_OFFHEAP_RANGE');
  });

  it('is a copy that later changes of the bits do not affect', () => {
    const bits = BitVector.fromIndices([1, 5, 9], 100);
    using structure = RankSelect.from(bits);
    bits.set(2).close();
    expect([structure.rank1(100), structure.select1(1)]).toEqual([3, 5]);
  });
});

describe('faults of other libraries that a RankSelect does not have', () => {
  it('selects without a scan, by samples and counts', () => {
    // If bits before the block were examined, these would be found there.
    const bits = new BitVector(1_000_000).not();
    using structure = RankSelect.from(bits, { variant: 'flat' });
    const damaged = structure.toBytes();
    damaged.fill(0, 28, 36);
    damaged.fill(0, 256, 256 + 100_000);
    expect(RankSelect.fromBytes(damaged).select1(900_000)).toBe(900_000);
  });

  it('counts all ones past the last word, and throws past the end', () => {
    for (const variant of VARIANTS) {
      using structure = RankSelect.from(new BitVector(128).not(), { variant });
      expect([...structure.rank1Many([127, 128])]).toEqual([127, 128]);
      expect(structure.rank1(128)).toBe(128);
      throws(() => structure.rank1(129), 'ERR_OFFHEAP_RANGE');
      throws(
        () => structure.rank1Many([129]),
        'ERR_OFFHEAP_RANGE',
        /^positions\[0\]: position out of range: 129/,
      );
    }
  });

  it('does the same for zeros, single and in bulk', () => {
    for (const length of [32, 64, 128, 512, 4096, 5000]) {
      for (const variant of [...VARIANTS, 'constant'] as const) {
        using structure = RankSelect.from(new BitVector(length), { variant });
        expect([structure.rank0(length), structure.rank1(length)]).toEqual([length, 0]);
        expect([...structure.rank0Many([length - 1, length])]).toEqual([length - 1, length]);
        throws(() => structure.rank0(length + 1), 'ERR_OFFHEAP_RANGE');
        throws(() => structure.rank0Many([length + 1]), 'ERR_OFFHEAP_RANGE', /^positions\[0\]/);
        throws(() => structure.select1Many([0]), 'ERR_OFFHEAP_RANGE', /^ks\[0\]/);
      }
    }
  });

  it('rejects a second vector, and keeps two structures independent', () => {
    const [first, second] = [BitVector.fromIndices([1, 4]), BitVector.fromIndices([2])];
    for (const call of [
      () => RankSelect.from(first, second as never),
      () => first.or(second, second as never),
      () => BitVector.from(first, second as never),
      () => BitVector.fromIndices([1], second as never),
    ]) {
      throws(call, 'ERR_OFFHEAP_TYPE');
    }
    using one = RankSelect.from(first);
    using two = RankSelect.from(second);
    expect([one.select1(1), two.select1(0), one.rank1(5), two.rank1(3)]).toEqual([4, 2, 2, 1]);
  });

  it('has distinct variants', () => {
    const bits = randomBits(20_000, 50);
    const layouts = VARIANTS.map((variant) => {
      const bytes = RankSelect.from(bits, { variant }).toBytes();
      return bytes.subarray(256).join();
    });
    expect(new Set(layouts).size).toBe(VARIANTS.length);
  });

  it('includes padding and samples in the overhead', () => {
    for (const percent of [1, 10, 50, 90]) {
      for (const variant of PLAIN) {
        using structure = RankSelect.from(randomBits(1_000_000, percent), { variant });
        const { overhead, length, byteLength } = structure;
        expect(overhead).toBe((byteLength * 8 - length) / length);
        expect(byteLength).toBeGreaterThanOrEqual(structure.toBytes().length);
        expect(overhead).toBeLessThan(0.05);
      }
    }
    for (const bits of [randomBits(1_000_000, 1), randomBits(1_000_000, 1).not()]) {
      using structure = RankSelect.from(bits, { variant: 'auto' });
      expect(structure.variant).toBe('sparse');
      // Fewer bits than the vector has: about 9.4 for each of ten thousand.
      expect(structure.overhead).toBeLessThan(-0.88);
    }
    expect(RankSelect.from(randomBits(10_000, 50), { variant: 'auto' }).variant).toBe('flat');
    expect(RankSelect.from(new BitVector()).overhead).toBe(0);
    expect(RankSelect.from(new BitVector(1e6), { variant: 'auto' }).overhead).toBeLessThan(0);
  });

  it('counts to 2^31 in small integers', () => {
    const length = 2 ** 31 - 1;
    const bits = new BitVector(length).not().set(length - 3, false);
    using structure = RankSelect.from(bits);
    expect([structure.rank1(length), structure.rank0(length)]).toEqual([length - 1, 1]);
    expect([structure.rank1(length - 3), structure.rank1(length - 2)]).toEqual([length - 3, length - 3]);
    expect([structure.select1(length - 2), structure.select1(length - 4)]).toEqual([length - 1, length - 4]);
    expect([structure.select1(length - 3), structure.select0(0)]).toEqual([length - 2, length - 3]);
  });

  it('can exceed 2^32 bits', () => {
    const far = 2 ** 32;
    const bits = new BitVector(far + 5000);
    bits
      .fill(10, 20, true)
      .fill(far - 5, far + 5, true)
      .set(far + 4999);
    for (const variant of VARIANTS) {
      using structure = RankSelect.from(bits, { variant });
      expect([structure.length, structure.ones]).toEqual([far + 5000, 21]);
      expect([structure.rank1(far), structure.rank1(far + 3), structure.rank1(far + 5000)]).toEqual([
        15, 18, 21,
      ]);
      expect(structure.rank0(far + 5000)).toBe(far + 4979);
      expect([structure.select1(9), structure.select1(15), structure.select1(20)]).toEqual([
        19,
        far,
        far + 4999,
      ]);
      expect(structure.select0(far - 15)).toBe(far + 5);
      expect([structure.get(far), structure.get(far + 5), structure.get(far + 5000)]).toEqual([
        true,
        false,
        undefined,
      ]);
      expect([...structure.rank1Many([far + 3, 15, far + 5000])]).toEqual([18, 5, 21]);
      expect([...structure.select1Many([20, 0])]).toEqual([far + 4999, 10]);
      expect(structure.select0Many([far - 15])).toEqual(Float64Array.of(far + 5));
      throws(() => structure.rank1Many([0], new Uint32Array(1)), 'ERR_OFFHEAP_RANGE');
    }
  });
});

describe('a RankSelect', () => {
  const structures = (): RankSelect[] =>
    [...VARIANTS].map((variant) => RankSelect.from(randomBits(1000, 50), { variant }));

  it('rejects invalid queries', () => {
    for (const structure of structures() as any[]) {
      for (const method of ['get', 'rank1', 'rank0', 'select1', 'select0']) {
        for (const bad of ['1', null, undefined, 1n, {}, true]) {
          throws(() => structure[method](bad), 'ERR_OFFHEAP_TYPE');
        }
        for (const bad of [-1, 0.5, Number.NaN, Infinity, -(2 ** 32)]) {
          throws(() => structure[method](bad), 'ERR_OFFHEAP_RANGE');
        }
      }
      for (const past of [1001, 2 ** 32, 2 ** 53]) {
        throws(() => structure.rank1(past), 'ERR_OFFHEAP_RANGE');
        throws(() => structure.rank0(past), 'ERR_OFFHEAP_RANGE');
        expect(structure.select1(past)).toBe(undefined);
      }
      expect([structure.rank1(-0), structure.select1(-0)]).toEqual([
        structure.rank1(0),
        structure.select1(0),
      ]);
    }
  });

  it('checks all bulk queries before it answers one', () => {
    for (const structure of structures() as any[]) {
      const out = new Uint32Array(3).fill(7);
      for (const method of ['rank1Many', 'rank0Many', 'select1Many', 'select0Many']) {
        for (const bad of [1001, -1, 0.5, Number.NaN, Infinity, 2 ** 60]) {
          throws(() => structure[method]([0, 1, bad], out), 'ERR_OFFHEAP_RANGE');
        }
        throws(() => structure[method]([0, '1', 2], out), 'ERR_OFFHEAP_TYPE');
        throws(() => structure[method](5, out), 'ERR_OFFHEAP_TYPE');
        throws(() => structure[method]([0, 1, 2, 3], out), 'ERR_OFFHEAP_RANGE');
        throws(() => structure[method]([0], new Uint8Array(1)), 'ERR_OFFHEAP_RANGE');
        throws(() => structure[method]([0], new BigUint64Array(1)), 'ERR_OFFHEAP_TYPE');
        throws(() => structure[method]([0], 'out'), 'ERR_OFFHEAP_TYPE');
        expect([...structure[method]([])]).toEqual([]);
      }
      expect([...out]).toEqual([7, 7, 7]);
      // Queries and results may be the same array.
      const both = Uint32Array.of(1000, 0, 500);
      const expected = [...both].map((at) => structure.rank1(at));
      expect(structure.rank1Many(both, both)).toBe(both);
      expect([...both]).toEqual(expected);
      expect(structure.rank1Many(new Set([5]), [0, 9])).toEqual([structure.rank1(5), 9]);
    }
  });

  it('rejects sources other than a BitVector', () => {
    const from = RankSelect.from as (...args: unknown[]) => RankSelect;
    for (const bad of [undefined, null, [true], new Uint8Array(4), {}, 5])
      throws(() => from(bad), 'ERR_OFFHEAP_TYPE');
    const bits = new BitVector(5);
    throws(() => from(bits, { variant: 'best' }), 'ERR_OFFHEAP_TYPE');
    throws(() => from(bits, { kind: 'flat' }), 'ERR_OFFHEAP_TYPE');
    throws(() => from(bits, null), 'ERR_OFFHEAP_TYPE');
    bits.close();
    throws(() => from(bits), 'ERR_OFFHEAP_CLOSED');
    // @ts-expect-error the constructor is private
    expect(() => new RankSelect(bits)).toThrow();
  });
});

describe('a RankSelect as a whole', () => {
  it('is inspected', () => {
    using structure = RankSelect.from(BitVector.fromIndices([1, 5, 9]));
    expect(inspect(structure)).toMatch(
      /^RankSelect \{ variant: 'flat', length: 10, ones: 3, overhead: [\d.]+ \}$/,
    );
    structure.close();
    expect(inspect(structure)).toBe('RankSelect { closed }');
  });

  it('reads and reproduces golden bytes', () => {
    const squares = Array.from({ length: 130 }, (_, i) => i * i);
    const bits = BitVector.fromIndices(squares, 17_000);
    for (const variant of VARIANTS) {
      const path = join(packageRoot(), 'test', 'golden', `rankselect-${variant}.bin`);
      const file = new Uint8Array(readFileSync(path));
      using structure = RankSelect.fromBytes(file);
      expect([...structure.select1Many(squares.map((_, i) => i))]).toEqual(squares);
      squares.forEach((at, i) => expect(structure.rank1(at)).toBe(i));
      const bytes = RankSelect.from(bits, { variant }).toBytes();
      bytes.fill(0, 24, 36);
      expect(bytes).toEqual(file);
    }
  });
});
