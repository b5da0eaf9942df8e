/** EliasFano compared with plain sorted arrays, and the arguments that it rejects. */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { EliasFano } from '../../src/succinct/index.js';
import { layoutOf } from '../../src/succinct/eliasfano/layout.js';
import { Sequence } from '../../src/succinct/eliasfano/sequence.js';
import { popcount32, popcount64, select32 } from '../../src/succinct/word.js';
import { throws } from '../helpers/errors.js';
import { Random } from '../helpers/random.js';

/** The number of smaller elements of a sorted array, by binary search, so that it is fast. */
function rankIn(sorted: readonly number[], value: number): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (sorted[middle] < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Compares all queries with the array. */
function compare(sorted: readonly number[]): void {
  using values = EliasFano.from(sorted);
  values.validate();
  expect(values.length).toBe(sorted.length);
  expect([...values]).toEqual(sorted);
  const wrong = sorted.findIndex((value, index) => values.at(index) !== value);
  expect(wrong, 'at').toBe(-1);
  expect(values.at(sorted.length)).toBe(undefined);
  expect(values.at(-1)).toBe(sorted.at(-1));
  const asked = [
    ...new Set(sorted.flatMap((value) => [value - 1, value, value + 0.5, value + 1])),
    0,
    1,
    1e15,
  ];
  for (const value of asked) {
    const rank = rankIn(sorted, value);
    const found = values.rank(value);
    if (found !== rank) expect(found, `rank(${value})`).toBe(rank);
    const next = values.nextGeq(value);
    if (next !== sorted[rank]) expect(next, `nextGeq(${value})`).toBe(sorted[rank]);
  }
  const whole = asked.filter((value) => Number.isSafeInteger(value) && value >= 0);
  expect([...values.rankMany(whole)]).toEqual(whole.map((value) => rankIn(sorted, value)));
  expect([values.rank(-Infinity), values.rank(Infinity)]).toEqual([0, sorted.length]);
  expect([values.nextGeq(-5), values.nextGeq(Infinity)]).toEqual([sorted[0], undefined]);
  if (sorted.length === 0) return;
  const indices = sorted.map((_, index) => sorted.length - 1 - index);
  expect([...values.getMany(indices)]).toEqual(sorted.toReversed?.() ?? [...sorted].reverse());
  const [from, to] = [sorted.length >> 2, sorted.length >> 1];
  expect([...values.slice(from, to)]).toEqual(sorted.slice(from, to));
  expect([...values.slice(-from)]).toEqual(sorted.slice(-from));
}

describe('an EliasFano compared with a sorted array', () => {
  it('agrees for gaps of all sizes: dense runs, clusters, wide spaces', () => {
    const gap = fc.oneof(
      { weight: 4, arbitrary: fc.nat(2) },
      { weight: 4, arbitrary: fc.nat(200) },
      { weight: 1, arbitrary: fc.nat(40).map((bits) => 2 ** bits) },
    );
    fc.assert(
      fc.property(fc.array(gap, { maxLength: 800 }), (gaps) => {
        let sum = 0;
        compare(gaps.map((step) => (sum += step)));
      }),
      { numRuns: 60 },
    );
  });

  it('agrees for values of any size', () => {
    fc.assert(
      fc.property(
        fc.nat(53).chain((bits) => fc.array(fc.maxSafeNat().map((value) => Math.floor(value / 2 ** bits)))),
        (values) => compare(values.sort((a, b) => a - b)),
      ),
      { numRuns: 100 },
    );
  });

  it.each([
    ['none', []],
    ['a zero', [0]],
    ['a one', [1]],
    ['the largest', [2 ** 53 - 1]],
    ['both ends', [0, 2 ** 53 - 1]],
    ['all equal', new Array<number>(3000).fill(7)],
    ['all zero', new Array<number>(3000).fill(0)],
    ['every integer', Array.from({ length: 5000 }, (_, i) => i)],
    ['even spaces', Array.from({ length: 5000 }, (_, i) => i * 1000 + (i % 7))],
    ['two clusters', Array.from({ length: 8000 }, (_, i) => (i < 4000 ? i >> 1 : 2 ** 40 + i))],
    ['a cluster and one far out', Array.from({ length: 6000 }, (_, i) => (i < 5999 ? i : 2 ** 50))],
    ['around 2^32', Array.from({ length: 900 }, (_, i) => 2 ** 32 - 450 + i)],
  ] as [string, number[]][])('agrees for %s', (_, sorted) => compare(sorted));

  it('accepts any typed array, array or iterable of numbers or bigints', () => {
    for (const type of [
      Uint8Array,
      Uint8ClampedArray,
      Int8Array,
      Uint16Array,
      Int16Array,
      Uint32Array,
      Int32Array,
      Float32Array,
      Float64Array,
    ]) {
      expect([...EliasFano.from(type.of(0, 5, 5, 127))]).toEqual([0, 5, 5, 127]);
    }
    for (const bigints of [
      [1n, 3n],
      BigUint64Array.of(1n, 3n),
      BigInt64Array.of(1n, 3n),
      new Set([1n, 3n]),
    ]) {
      expect([...EliasFano.from(bigints)]).toEqual([1, 3]);
    }
    expect([...EliasFano.from(new Set([1, 3]))]).toEqual([1, 3]);
    expect([...EliasFano.from({ length: 2, 0: 4, 1: 5 })]).toEqual([4, 5]);
    expect([...EliasFano.from(EliasFano.from([8, 9]))]).toEqual([8, 9]);
    expect(EliasFano.from([5n, 2n ** 53n - 1n]).at(1)).toBe(2 ** 53 - 1);
  });

  it('stays within its space bound', () => {
    const sorted = Float64Array.from({ length: 100_000 }, (_, i) => i * 1021 + (i % 7));
    const { bitsPerValue } = EliasFano.from(sorted).stats();
    expect(bitsPerValue).toBeLessThan(2.85 + Math.log2(1021));
  });

  it('writes results to a given array', () => {
    using values = EliasFano.from([1, 5, 300]);
    const out = new Uint16Array(4);
    expect(values.getMany([2, 0], out)).toBe(out);
    expect([...out]).toEqual([300, 1, 0, 0]);
    expect(values.rankMany([6, 1000], [0, 0])).toEqual([2, 3]);
  });
});

describe('an EliasFano', () => {
  const from = EliasFano.from as (values: unknown, options?: unknown) => EliasFano;
  it.each([
    [[1, 3, 2], undefined, 'ERR_OFFHEAP_RANGE', /values\[2\] is 2, less than the previous 3/],
    [Uint8Array.of(2, 1), undefined, 'ERR_OFFHEAP_RANGE', /sort them first/],
    [[-1], undefined, 'ERR_OFFHEAP_RANGE', /-1/],
    [[0.5], undefined, 'ERR_OFFHEAP_RANGE', /0.5/],
    [[0, Number.NaN], undefined, 'ERR_OFFHEAP_RANGE', /NaN/],
    [[2 ** 53], undefined, 'ERR_OFFHEAP_RANGE', /2\^53/],
    [[2n ** 53n], undefined, 'ERR_OFFHEAP_RANGE', /2\^53/],
    [[2n ** 64n], undefined, 'ERR_OFFHEAP_RANGE', /values/],
    [[3n, 2n], undefined, 'ERR_OFFHEAP_RANGE', /sort/],
    [['1'], undefined, 'ERR_OFFHEAP_TYPE', /"1"/],
    [[1, 2n], undefined, 'ERR_OFFHEAP_TYPE', /2n/],
    [7, undefined, 'ERR_OFFHEAP_TYPE', /values/],
    [null, undefined, 'ERR_OFFHEAP_TYPE', /values/],
    [[1], { bits: 3 }, 'ERR_OFFHEAP_TYPE', /bits/],
    [[1], { hugePages: 1 }, 'ERR_OFFHEAP_TYPE', /hugePages/],
  ] as const)('rejects from(%s, %j)', (values, options, code, pattern) => {
    throws(() => from(values, options), code, pattern);
  });

  it('rejects invalid queries', () => {
    using values = EliasFano.from([3, 4, 300]);
    for (const bad of ['3', null, undefined, 3n, {}] as never[]) {
      throws(() => values.at(bad), 'ERR_OFFHEAP_TYPE');
      throws(() => values.rank(bad), 'ERR_OFFHEAP_TYPE');
      throws(() => values.nextGeq(bad), 'ERR_OFFHEAP_TYPE');
    }
    throws(() => values.rank(Number.NaN), 'ERR_OFFHEAP_RANGE');
    throws(() => values.nextGeq(Number.NaN), 'ERR_OFFHEAP_RANGE');
    // Fractions are truncated, as by Array.prototype.at.
    expect(values.at(0.5)).toBe(values.at(0));
    for (const none of [3, -4, 2 ** 32, 2 ** 53]) expect(values.at(none)).toBe(undefined);
    const out = new Uint32Array(3);
    throws(() => values.getMany([0, 3], out), 'ERR_OFFHEAP_RANGE');
    throws(() => values.getMany([0, 1], new Uint32Array(1)), 'ERR_OFFHEAP_RANGE');
    throws(() => values.getMany([0], new Uint8Array(1)), 'ERR_OFFHEAP_RANGE');
    throws(() => values.getMany([0], new BigUint64Array(1) as never), 'ERR_OFFHEAP_TYPE');
    throws(() => values.rankMany([-1], out), 'ERR_OFFHEAP_RANGE');
    throws(() => values.slice(0, 3, new Uint16Array(2)), 'ERR_OFFHEAP_RANGE');
    expect([...out]).toEqual([0, 0, 0]);
  });
});

/** The queries that a vector with few ones makes of a sequence stored in its region. */
describe('a sequence of positions', () => {
  function compare(positions: readonly number[]): void {
    const bytes = EliasFano.from(positions).toBytes();
    // Moved to another offset, as a part of another structure.
    const layout = layoutOf(positions.length, positions.at(-1) ?? 0, 64);
    const part = new Uint8Array(layout.bytes);
    part.set(bytes.subarray(256), 64);
    const sequence = new Sequence(part.buffer, layout);
    const end = (positions.at(-1) ?? 0) + 5;
    const step = Math.max(1, Math.floor(end / 1500));
    for (let value = 0; value < end; value += step) {
      const rank = rankIn(positions, value);
      if (sequence.has(value) !== (positions[rank] === value)) expect.fail(`has(${value})`);
    }
    const missing = end - positions.length;
    for (let k = 0; k < missing; k = k === missing - 1 || k + step < missing ? k + step : missing - 1) {
      const found = sequence.missing(k);
      const rank = rankIn(positions, found);
      if (found - rank !== k || positions[rank] === found) expect.fail(`missing(${k}) is ${found}`);
    }
    expect(sequence.missing(2 ** 52)).toBe(2 ** 52 + positions.length);
  }
  const every = (count: number, position: (i: number) => number): number[] =>
    Array.from({ length: count }, (_, i) => position(i));
  it.each([
    ['none', []],
    ['one at 0', [0]],
    ['one far out', [2 ** 40]],
    ['all', every(3000, (i) => i)],
    ['every second', every(3000, (i) => i * 2)],
    ['even spaces', every(5000, (i) => i * 100 + (i % 91))],
    ['a cluster and one', [...every(4000, (i) => i), 2 ** 40]],
    ['one and a cluster', [0, ...every(4000, (i) => 2 ** 30 + i)]],
    ['clusters', every(9000, (i) => i + Math.floor(i / 1000) * 2 ** 33)],
    ['cubes', every(300, (i) => i ** 3)],
  ] as [string, number[]][])('finds missing values for %s', (_, positions) => compare(positions));

  it('finds random values', () => {
    const gap = fc.oneof(
      fc.constant(1),
      fc.integer({ min: 1, max: 300 }),
      fc.nat(30).map((bits) => 2 ** bits),
    );
    fc.assert(
      fc.property(fc.array(gap, { maxLength: 600 }), (gaps) => {
        let sum = -1;
        compare(gaps.map((step) => (sum += step)));
      }),
      { numRuns: 40 },
    );
  });
});

it('counts and selects in words', () => {
  const random = new Random(3);
  for (let i = 0; i < 3000; i++) {
    const word = i < 3 ? [0, -1, 1 << 31][i] : random.u32() & (i & 1 ? random.u32() : -1);
    const ones = Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => (word >>> bit) & 1);
    expect(popcount32(word)).toBe(ones.length);
    expect(popcount64(word, -1)).toBe(32 + ones.length);
    expect(popcount64(7, word)).toBe(3 + ones.length);
    ones.forEach((bit, k) => expect(select32(word, k)).toBe(bit));
  }
});

describe('golden bytes of Elias-Fano sequences', () => {
  const file = (name: string): Uint8Array =>
    new Uint8Array(readFileSync(join(packageRoot(), 'test', 'golden', `eliasfano-${name}.bin`)));
  it('are read and reproduced', () => {
    const made = {
      even: Array.from({ length: 1000 }, (_, i) => i * 1000 + ((i * i) % 997)),
      clusters: Array.from(
        { length: 1000 },
        (_, i) => Math.floor(i / 100) * 2 ** 40 + Math.floor((i % 100) / 3),
      ),
    };
    for (const [name, sorted] of Object.entries(made)) {
      expect([...EliasFano.fromBytes(file(name))]).toEqual(sorted);
      const bytes = EliasFano.from(sorted).toBytes();
      bytes.fill(0, 24, 36);
      expect(bytes).toEqual(file(name));
    }
  });
});
