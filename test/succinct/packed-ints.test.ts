/**
 * PackedInts compared with plain arrays: every width, every input and output type, and the
 * arguments that it rejects.
 */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { PackedInts } from '../../src/succinct/index.js';
import { throws } from '../helpers/errors.js';

const most = (bits: number): number => Math.min(2 ** bits, 2 ** 53) - 1;

describe('a PackedInts compared with an array', () => {
  it('agrees for every width, for numbers and bigints', () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 1, max: 64 })
          .chain((bits) =>
            fc.tuple(
              fc.constant(bits),
              fc.array(fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n }), { maxLength: 300 }),
              fc.array(fc.nat(), { maxLength: 60 }),
            ),
          ),
        ([bits, values, picks]) => {
          using wide = PackedInts.from(BigUint64Array.from(values), { bits });
          const list = values.map((value) => Math.min(Number(value), most(bits)));
          using ints = PackedInts.from(list, { bits });
          expect([ints.length, ints.bitsPerValue, wide.bitsPerValue]).toEqual([list.length, bits, bits]);
          expect([...ints]).toEqual(list);
          expect([...wide]).toEqual(values);
          list.forEach((value, i) => expect(ints.at(i)).toBe(value));
          values.forEach((value, i) => expect(wide.at(i)).toBe(value));
          expect(ints.at(list.length)).toBe(undefined);
          expect(ints.at(-1)).toBe(list.at(-1));
          expect([...ints.slice()]).toEqual(list);
          expect([...wide.slice()]).toEqual(values);
          const [from, to] = [(picks[0] ?? 0) % 400, (picks[1] ?? 0) % 400];
          expect([...ints.slice(from, to)]).toEqual(list.slice(from, to));
          expect([...ints.slice(-from, -to)]).toEqual(list.slice(-from, -to));
          if (list.length === 0) return;
          const indices = picks.map((pick) => pick % list.length);
          const expected = indices.map((index) => list[index]);
          expect([...ints.getMany(indices)]).toEqual(expected);
          expect([...ints.getMany(Uint32Array.from(indices))]).toEqual(expected);
          expect([...wide.getMany(new Set(indices))]).toEqual([...new Set(indices)].map((i) => values[i]));
          ints.validate();
          wide.validate();
        },
      ),
    );
  });

  it('chooses the width', () => {
    expect(PackedInts.from([]).bitsPerValue).toBe(1);
    expect(PackedInts.from([0, 0]).bitsPerValue).toBe(1);
    expect(PackedInts.from([7]).bitsPerValue).toBe(3);
    expect(PackedInts.from([8]).bitsPerValue).toBe(4);
    expect(PackedInts.from([2 ** 53 - 1]).bitsPerValue).toBe(53);
    expect(PackedInts.from([2n ** 64n - 1n]).bitsPerValue).toBe(64);
  });

  it('accepts any typed array, array or iterable', () => {
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
      expect([...PackedInts.from(type.of(5, 0, 127))]).toEqual([5, 0, 127]);
    }
    expect([...PackedInts.from(BigInt64Array.of(5n, 2n ** 63n - 1n))]).toEqual([5n, 2n ** 63n - 1n]);
    expect([...PackedInts.from(new Set([3, 1]))]).toEqual([3, 1]);
    expect([...PackedInts.from([3n, 1n])]).toEqual([3n, 1n]);
    expect([...PackedInts.from({ length: 2, 0: 4, 1: 5 })]).toEqual([4, 5]);
    expect([...PackedInts.from([-0])]).toEqual([0]);
    expect([...PackedInts.from(PackedInts.from([9, 8]))]).toEqual([9, 8]);
  });

  it('writes results to a given array', () => {
    using ints = PackedInts.from([5, 200, 7]);
    const out = new Uint8Array(4);
    expect(ints.getMany([1, 1, 0], out)).toBe(out);
    expect([...out]).toEqual([200, 200, 5, 0]);
    const list = [0, 0, 0, 9];
    expect(ints.slice(0, 3, list)).toBe(list);
    expect(list).toEqual([5, 200, 7, 9]);
    expect([...ints.slice(1, 3, new Float64Array(3))]).toEqual([200, 7, 0]);
    expect(ints.getMany([0])).toBeInstanceOf(Uint32Array);
    expect(PackedInts.from([2 ** 40]).getMany([0])).toBeInstanceOf(Float64Array);
    expect(PackedInts.from([1n]).getMany([0])).toBeInstanceOf(BigUint64Array);
    // Numbers stay below 2^53, whatever the width.
    expect([...PackedInts.from([2 ** 53 - 1], { bits: 64 }).slice()]).toEqual([2 ** 53 - 1]);
  });

  it('can exceed 2^32 bits', () => {
    const count = 2 ** 26 + 40;
    const values = new Uint8Array(count);
    const at = [0, 2 ** 25, 2 ** 26 - 1, 2 ** 26, 2 ** 26 + 39];
    at.forEach((index, i) => (values[index] = 255 - i));
    using ints = PackedInts.from(values, { bits: 64 });
    at.forEach((index, i) => expect(ints.at(index)).toBe(255 - i));
    expect(ints.at(2 ** 26 + 1)).toBe(0);
    expect([...ints.getMany(Float64Array.from(at))]).toEqual(at.map((_, i) => 255 - i));
    expect([...ints.slice(2 ** 26 - 2, 2 ** 26 + 2)]).toEqual([0, 253, 252, 0]);
  });
});

describe('a PackedInts', () => {
  const from = PackedInts.from as (values: unknown, options?: unknown) => PackedInts;

  it.each([
    [[1, 2, 8], { bits: 3 }, 'ERR_OFFHEAP_RANGE', /values\[2\] is 8/],
    [Uint8Array.of(1, 255), { bits: 7 }, 'ERR_OFFHEAP_RANGE', /values\[1\] is 255/],
    [[1, -1], undefined, 'ERR_OFFHEAP_RANGE', /values\[1\] is -1/],
    [Int8Array.of(-128), undefined, 'ERR_OFFHEAP_RANGE', /is -128/],
    [[0.5], undefined, 'ERR_OFFHEAP_RANGE', /is 0.5/],
    [[Number.NaN], undefined, 'ERR_OFFHEAP_RANGE', /NaN/],
    [[Infinity], undefined, 'ERR_OFFHEAP_RANGE', /inf/],
    [[2 ** 53], { bits: 64 }, 'ERR_OFFHEAP_RANGE', /9007199254740992/],
    [[2n ** 64n], undefined, 'ERR_OFFHEAP_RANGE', /values\[0\]/],
    [[-1n], undefined, 'ERR_OFFHEAP_RANGE', /-1n/],
    [BigInt64Array.of(-1n), undefined, 'ERR_OFFHEAP_RANGE', /-1/],
    [BigUint64Array.of(2n ** 63n), { bits: 63 }, 'ERR_OFFHEAP_RANGE', /9223372036854775808/],
    [['1'], undefined, 'ERR_OFFHEAP_TYPE', /"1"/],
    [[1, 2n], undefined, 'ERR_OFFHEAP_TYPE', /2n/],
    [[1n, 2], undefined, 'ERR_OFFHEAP_TYPE', /bigint/],
    ['12', undefined, 'ERR_OFFHEAP_TYPE', /values/],
    [5, undefined, 'ERR_OFFHEAP_TYPE', /values/],
    [undefined, undefined, 'ERR_OFFHEAP_TYPE', /values/],
    [new DataView(new ArrayBuffer(8)), undefined, 'ERR_OFFHEAP_TYPE', /values/],
    [[1], { bits: 0 }, 'ERR_OFFHEAP_RANGE', /bits/],
    [[1], { bits: 65 }, 'ERR_OFFHEAP_RANGE', /bits/],
    [[1], { bits: 1.5 }, 'ERR_OFFHEAP_RANGE', /bits/],
    [[1], { bits: '3' }, 'ERR_OFFHEAP_TYPE', /bits/],
    [[1], { width: 3 }, 'ERR_OFFHEAP_TYPE', /width/],
    [[1], null, 'ERR_OFFHEAP_TYPE', /options/],
  ] as const)('rejects from(%s, %j)', (values, options, code, pattern) => {
    throws(() => from(values, options), code, pattern);
  });

  it('names an invalid integer at a large index', () => {
    const values = new Float64Array(5000).fill(3);
    values[4321] = 4;
    throws(() => from(values, { bits: 2 }), 'ERR_OFFHEAP_RANGE', /values\[4321\] is 4, which exceeds 3/);
  });

  it('rejects invalid indices and unsuitable outputs', () => {
    using ints = PackedInts.from([300, 2, 3]) as PackedInts & Record<string, (...a: unknown[]) => unknown>;
    for (const bad of ['0', null, undefined, 0n, {}])
      throws(() => ints.at(bad as number), 'ERR_OFFHEAP_TYPE');
    // Fractions are truncated, as by Array.prototype.at.
    for (const zero of [0.5, -0.5, Number.NaN]) expect(ints.at(zero)).toBe(300);
    expect(ints.at(Infinity)).toBe(undefined);
    for (const none of [3, -4, 2 ** 32, 2 ** 53, -(2 ** 31)]) expect(ints.at(none)).toBe(undefined);
    const out = new Uint32Array(4);
    for (const bad of [[0, 3], [-1], [0.5], Float64Array.of(Number.NaN), Int8Array.of(-1), [2 ** 53]]) {
      throws(() => ints.getMany(bad, out), 'ERR_OFFHEAP_RANGE');
    }
    expect([...out]).toEqual([0, 0, 0, 0]);
    throws(() => ints.getMany(['0'] as never), 'ERR_OFFHEAP_TYPE');
    throws(() => ints.getMany([0, 1], new Uint32Array(1)), 'ERR_OFFHEAP_RANGE');
    throws(() => ints.getMany([0], new Uint8Array(1)), 'ERR_OFFHEAP_RANGE', /9 bits/);
    throws(() => ints.getMany([0], new BigUint64Array(1) as never), 'ERR_OFFHEAP_TYPE');
    throws(() => ints.getMany([0], 'no' as never), 'ERR_OFFHEAP_TYPE');
    throws(() => ints.getMany([0], { length: 1 } as never), 'ERR_OFFHEAP_TYPE');
    throws(() => ints.slice(0, 3, new Uint16Array(2)), 'ERR_OFFHEAP_RANGE');
    throws(() => ints.slice('0' as never), 'ERR_OFFHEAP_TYPE');
    throws(() => ints.slice(Number.NaN), 'ERR_OFFHEAP_RANGE');
  });

  it('rejects detached arrays', () => {
    const array = Uint32Array.of(1, 2, 3);
    structuredClone(array, { transfer: [array.buffer] });
    throws(() => PackedInts.from(array), 'ERR_OFFHEAP_TYPE', /detached/);
  });

  it('has a private constructor', () => {
    // @ts-expect-error the constructor is private
    expect(() => new PackedInts([1])).toThrow();
  });
});

describe('golden bytes of packed integers', () => {
  const file = (name: string): Uint8Array =>
    new Uint8Array(readFileSync(join(packageRoot(), 'test', 'golden', `packedints-${name}.bin`)));
  /** Without checksum, as Rust wrote them. */
  const plain = (bytes: Uint8Array): Uint8Array => {
    const copy = bytes.slice();
    copy.fill(0, 24, 36);
    return copy;
  };

  it('are read and reproduced', () => {
    const narrow = Array.from({ length: 100 }, (_, i) => (i * 37) % 1000);
    const wide = Array.from({ length: 20 }, (_, i) => 2n ** 64n - 1n - BigInt(i * i) * 0x0123456789abn);
    const [first, second] = [PackedInts.fromBytes(file('10')), PackedInts.fromBytes<bigint>(file('64'))];
    expect([...first]).toEqual(narrow);
    expect([...second]).toEqual(wide);
    expect(plain(PackedInts.from(narrow).toBytes())).toEqual(file('10'));
    expect(plain(PackedInts.from(wide).toBytes())).toEqual(file('64'));
  });
});
