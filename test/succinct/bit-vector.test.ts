/**
 * BitVector compared with an array of booleans: every operation, ranges that leave all other bits
 * unchanged, growth, large positions, invalid arguments.
 */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { BitVector } from '../../src/succinct/index.js';
import { throws } from '../helpers/errors.js';

const list = (bits: BitVector): boolean[] => Array.from({ length: bits.length }, (_, i) => bits.get(i)!);
const positions = (model: readonly boolean[]): number[] => model.flatMap((bit, at) => (bit ? [at] : []));

const OPS = {
  and: (a: boolean, b: boolean) => a && b,
  or: (a: boolean, b: boolean) => a || b,
  xor: (a: boolean, b: boolean) => a !== b,
  andNot: (a: boolean, b: boolean) => a && !b,
} as const;
type Op = keyof typeof OPS;

const bits = fc.oneof(
  fc.array(fc.boolean(), { maxLength: 400 }),
  fc
    .tuple(fc.integer({ min: 0, max: 3000 }), fc.nat(), fc.boolean())
    .map(([length, every, bit]) => Array.from({ length }, (_, i) => (i % ((every % 90) + 1) === 0) === bit)),
);

describe('a BitVector compared with an array of booleans', () => {
  it('agrees in every operation, in any order', () => {
    const step = fc.tuple(
      fc.constantFrom(
        'set',
        'flip',
        'push',
        'fill',
        'not',
        'setMany',
        'resize',
        'reserve',
        'shrink',
        'and',
        'or',
        'xor',
        'andNot',
      ),
      fc.nat(),
      fc.nat(),
      fc.boolean(),
      bits,
    );
    fc.assert(
      fc.property(bits, fc.array(step, { maxLength: 25 }), (begin, steps) => {
        using vector = BitVector.from(begin);
        const model = begin.slice();
        for (const [name, a, b, bit, others] of steps) {
          const at = a % (model.length + 1);
          const [from, to] = [at, b % (model.length + 1)].sort((x, y) => x - y) as [number, number];
          if (name === 'set' && at < model.length) {
            expect(vector.set(at, bit)).toBe(vector);
            model[at] = bit;
          } else if (name === 'flip' && at < model.length) {
            expect(vector.flip(at)).toBe((model[at] = !model[at]));
          } else if (name === 'push') {
            for (let i = 0; i <= a % 70; i++) expect(vector.push(bit)).toBe(model.push(bit));
          } else if (name === 'fill') {
            vector.fill(from, to, bit);
            model.fill(bit, from, to);
          } else if (name === 'not') {
            vector.not(from, to);
            for (let i = from; i < to; i++) model[i] = !model[i];
          } else if (name === 'setMany') {
            const some = [at, from, to, b].map((n) => n % Math.max(model.length, 1));
            if (model.length > 0) {
              vector.setMany(some, bit);
              for (const i of some) model[i] = bit;
            }
          } else if (name === 'resize') {
            const length = a % 5000;
            vector.resize(length);
            while (model.length < length) model.push(false);
            model.length = length;
          } else if (name === 'reserve') vector.reserve(a % 10_000);
          else if (name === 'shrink') vector.shrinkToFit();
          else if (name in OPS) {
            const op = name as Op;
            using other = BitVector.from(others);
            if (bit) {
              // Only within the range.
              vector[op](other, from, to);
              for (let i = from; i < to; i++) model[i] = OPS[op](model[i], others[i] ?? false);
            } else {
              vector[op](other);
              if (op === 'or' || op === 'xor') while (model.length < others.length) model.push(false);
              model.forEach((old, i) => (model[i] = OPS[op](old, others[i] ?? false)));
            }
          }
        }
        const ones = positions(model);
        expect(vector.length).toBe(model.length);
        expect(list(vector)).toEqual(model);
        expect([...vector]).toEqual(ones);
        expect([...vector.ones()]).toEqual(ones);
        expect(vector.count()).toBe(ones.length);
        vector.validate();
        using copy = BitVector.fromBytes(vector.toBytes());
        expect([...copy]).toEqual(ones);
        using again = BitVector.fromIndices(ones, model.length);
        expect(again.toBytes()).toEqual(vector.toBytes());
      }),
      { numRuns: 60 },
    );
  });

  it('agrees in counts and searches of every range', () => {
    fc.assert(
      fc.property(bits, fc.nat(), fc.nat(), (model, a, b) => {
        using vector = BitVector.from(model);
        const [from, to] = [a % (model.length + 1), b % (model.length + 1)].sort((x, y) => x - y);
        expect(vector.count(from, to)).toBe(model.slice(from, to).filter(Boolean).length);
        expect(vector.nextSetBit(from)).toBe(model.indexOf(true, from));
        expect(vector.nextClearBit(from)).toBe(model.indexOf(false, from));
        expect([...vector.ones(from)]).toEqual(positions(model).filter((at) => at >= from));
      }),
    );
  });

  it('agrees in searches over long distances', () => {
    using vector = new BitVector(1_000_000);
    expect(vector.nextSetBit()).toBe(-1);
    vector.set(999_999);
    expect(vector.nextSetBit(3)).toBe(999_999);
    expect(vector.nextSetBit(1_000_000)).toBe(-1);
    expect(vector.nextSetBit(2 ** 50)).toBe(-1);
    vector.not();
    expect(vector.nextSetBit(999_999)).toBe(-1);
    expect(vector.nextClearBit()).toBe(999_999);
    expect(vector.count()).toBe(999_999);
  });
});

describe('faults of other libraries that a BitVector does not have', () => {
  it('changes only bits 10 to 19 in an AND over 10 to 20', () => {
    using vector = new BitVector(200).not();
    using zeros = new BitVector(200);
    vector.and(zeros, 10, 20);
    expect(positions(list(vector).map((bit) => !bit))).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });

  it('changes nothing in an empty range', () => {
    using vector = new BitVector(200).not();
    using zeros = new BitVector(200);
    vector.and(zeros, 64, 64).fill(0, 0, false).fill(200, 200, 0).not(7, 7).xor(vector, 5, 5);
    expect(vector.count()).toBe(200);
    using none = new BitVector();
    none.and(none).or(none).not().fill(0, 0, true);
    expect([none.length, none.count(), none.nextSetBit()]).toEqual([0, 0, -1]);
  });

  it('keeps two vectors independent', () => {
    using first = BitVector.fromIndices([1], 100);
    using second = BitVector.fromIndices([2], 100);
    first.or(second);
    second.set(3);
    expect([[...first], [...second]]).toEqual([
      [1, 2],
      [2, 3],
    ]);
    expect([...first.xor(first)]).toEqual([]);
    expect([...second.and(second)]).toEqual([2, 3]);
  });
});

describe('the size of a BitVector', () => {
  it('grows in place and keeps the bits', () => {
    using vector = new BitVector();
    for (let i = 0; i < 1_200_000; i++) vector.push(i % 3 === 0);
    expect(vector.length).toBe(1_200_000);
    expect(vector.count()).toBe(400_000);
    for (let i = 0; i < 1_200_000; i += 997) expect(vector.get(i)).toBe(i % 3 === 0);
    const { byteLength } = vector;
    vector.resize(10).shrinkToFit();
    expect(vector.byteLength).toBeLessThan(byteLength / 10);
    // Dropped bits do not reappear.
    expect(vector.resize(1000).count()).toBe(4);
    vector.clear();
    expect(vector.length).toBe(0);
  });

  it('can exceed 2^32 bits', () => {
    const far = 2 ** 32;
    using vector = new BitVector(far + 100);
    vector
      .set(far + 7)
      .set(far - 1, 1)
      .setMany([far + 50, 3]);
    expect([...vector]).toEqual([3, far - 1, far + 7, far + 50]);
    expect([...vector.ones(far)]).toEqual([far + 7, far + 50]);
    expect(vector.get(7)).toBe(false);
    expect([vector.get(far + 7), vector.get(far + 8), vector.get(far + 100)]).toEqual([
      true,
      false,
      undefined,
    ]);
    expect(vector.flip(far + 7)).toBe(false);
    vector.fill(far - 3, far + 3, true);
    expect([vector.count(far - 10, far + 10), vector.count(far), vector.count()]).toEqual([6, 4, 8]);
    expect(vector.nextSetBit(4)).toBe(far - 3);
    expect(vector.push(true)).toBe(far + 101);
    expect(vector.get(far + 100)).toBe(true);
    // Push across the boundary at which the length uses both words.
    vector.resize(far - 2);
    for (let i = 0; i < 5; i++) expect(vector.push(i % 2 === 0)).toBe(far - 1 + i);
    expect([...vector.ones(far - 4)]).toEqual(
      [far - 3, far - 2, far, far + 2].filter((at) => at !== far - 4),
    );
    using copy = BitVector.fromIndices([far + 9]);
    expect([copy.length, copy.nextSetBit()]).toEqual([far + 10, far + 9]);
  });
});

describe('conversions of a BitVector', () => {
  it('accept bytes, booleans, positions and another vector', () => {
    expect([...BitVector.from(Uint8Array.of(0x03, 0x80))]).toEqual([0, 1, 15]);
    expect(BitVector.from(new Uint8Array(0)).length).toBe(0);
    expect(BitVector.from([true, false, true]).length).toBe(3);
    expect([...BitVector.from(new Set([true, false]))]).toEqual([0]);
    for (const type of [Uint8Array, Int16Array, Uint32Array, Float64Array, Float32Array]) {
      expect([...BitVector.fromIndices(type.of(5, 0, 5, 100))]).toEqual([0, 5, 100]);
    }
    expect([...BitVector.fromIndices(BigUint64Array.of(9n, 4n))]).toEqual([4, 9]);
    expect(BitVector.fromIndices([]).length).toBe(0);
    const source = BitVector.fromIndices(new Set([3, 1]), 50);
    const copy = BitVector.from(source);
    source.set(2);
    expect([copy.length, [...copy]]).toEqual([50, [1, 3]]);
    expect(new BitVector(10, { capacity: 10_000 }).stats().capacity).toBeGreaterThanOrEqual(10_000);
  });

  it('iterate over bits that are set ahead of the position, and end for good', () => {
    const vector = BitVector.fromIndices([1, 5], 100);
    const seen: number[] = [];
    for (const at of vector) {
      seen.push(at);
      if (at < 5) vector.set(at * 10 + 3);
      if (at === 1) vector.set(5, false);
    }
    expect(seen).toEqual([1, 13]);
    const iterator = vector[Symbol.iterator]();
    vector.fill(0, 100, false);
    expect(iterator.next()).toEqual({ done: true, value: undefined });
    vector.set(99);
    expect(iterator.next().done).toBe(true);
  });

  it('write positions to a given array', () => {
    const vector = BitVector.fromIndices([1, 5, 70, 300]);
    const out = new Uint16Array(3);
    expect(vector.ones(2, out)).toBe(3);
    expect([...out]).toEqual([5, 70, 300]);
    expect(vector.ones(71, out)).toBe(1);
    throws(() => vector.ones(0, new Uint8Array(9)), 'ERR_OFFHEAP_RANGE');
    throws(() => vector.ones(0, 'no' as never), 'ERR_OFFHEAP_TYPE');
  });
});

describe('a BitVector', () => {
  it('rejects invalid positions and ranges', () => {
    const vector = BitVector.fromIndices([1, 50], 100) as any;
    const before = vector.toBytes();
    for (const bad of ['1', null, undefined, 1n, {}, [1], true]) {
      for (const method of ['get', 'set', 'flip']) throws(() => vector[method](bad), 'ERR_OFFHEAP_TYPE');
      throws(() => vector.resize(bad), 'ERR_OFFHEAP_TYPE');
      if (bad !== undefined) {
        throws(() => vector.nextSetBit(bad), 'ERR_OFFHEAP_TYPE');
        throws(() => vector.count(bad), 'ERR_OFFHEAP_TYPE');
        throws(() => vector.fill(bad, 10, true), 'ERR_OFFHEAP_TYPE');
      }
    }
    for (const bad of [-1, 0.5, Number.NaN, Infinity, -(2 ** 31)]) {
      for (const method of ['get', 'set', 'flip', 'nextSetBit', 'resize', 'reserve']) {
        throws(() => vector[method](bad), 'ERR_OFFHEAP_RANGE');
      }
      throws(() => vector.not(bad), 'ERR_OFFHEAP_RANGE');
    }
    for (const past of [100, 2 ** 32, 2 ** 32 + 1, 2 ** 53]) {
      throws(() => vector.set(past), 'ERR_OFFHEAP_RANGE');
      throws(() => vector.flip(past), 'ERR_OFFHEAP_RANGE');
      expect(vector.get(past)).toBe(undefined);
    }
    for (const [from, to] of [
      [20, 10],
      [0, 101],
      [101, 101],
      [2 ** 33, 2 ** 34],
    ]) {
      for (const call of [
        () => vector.count(from, to),
        () => vector.fill(from, to, true),
        () => vector.not(from, to),
        () => vector.and(new BitVector(5), from, to),
        () => vector.or(new BitVector(500), from, to),
      ]) {
        throws(call, 'ERR_OFFHEAP_RANGE');
      }
    }
    throws(() => vector.setMany([5, 100]), 'ERR_OFFHEAP_RANGE');
    throws(() => vector.setMany([5, Number.NaN]), 'ERR_OFFHEAP_RANGE');
    throws(() => vector.setMany(['5']), 'ERR_OFFHEAP_TYPE');
    expect(vector.toBytes()).toEqual(before);
  });

  it('rejects invalid bits, vectors and options', () => {
    const vector = new BitVector(10) as any;
    for (const bad of [2, -1, 'x', null, {}, 1n, Number.NaN]) {
      throws(() => vector.set(1, bad), 'ERR_OFFHEAP_TYPE');
      throws(() => vector.push(bad), 'ERR_OFFHEAP_TYPE');
      throws(() => vector.fill(0, 5, bad), 'ERR_OFFHEAP_TYPE');
    }
    throws(() => vector.push(), 'ERR_OFFHEAP_TYPE');
    throws(() => vector.fill(0, 5), 'ERR_OFFHEAP_TYPE');
    for (const bad of [undefined, null, 5, [true], new Uint8Array(4), { length: 4 }]) {
      throws(() => vector.and(bad), 'ERR_OFFHEAP_TYPE');
    }
    const Any = BitVector as any;
    for (const bad of [-1, 0.5, 2 ** 40 + 1, Number.NaN]) throws(() => new Any(bad), 'ERR_OFFHEAP_RANGE');
    for (const bad of ['5', null, {}]) throws(() => new Any(bad), 'ERR_OFFHEAP_TYPE');
    throws(() => new Any(5, { size: 3 }), 'ERR_OFFHEAP_TYPE');
    throws(() => new Any(5, { capacity: -3 }), 'ERR_OFFHEAP_RANGE');
    throws(() => Any.from([1, 0, 1]), 'ERR_OFFHEAP_TYPE', /fromIndices/);
    throws(() => Any.from(5), 'ERR_OFFHEAP_TYPE');
    throws(() => Any.fromIndices([3, -1]), 'ERR_OFFHEAP_RANGE', /^indices\[1\]/);
    throws(() => Any.fromIndices([3, 0.5]), 'ERR_OFFHEAP_RANGE');
    throws(() => Any.fromIndices([3, 2 ** 52]), 'ERR_OFFHEAP_RANGE');
    throws(() => Any.fromIndices([3], 3), 'ERR_OFFHEAP_RANGE');
    throws(() => Any.fromIndices('abc'), 'ERR_OFFHEAP_TYPE');
  });

  it('rejects detached arrays', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    structuredClone(bytes, { transfer: [bytes.buffer] });
    throws(() => BitVector.from(bytes), 'ERR_OFFHEAP_TYPE', /detached/);
    throws(() => BitVector.fromIndices(bytes), 'ERR_OFFHEAP_TYPE', /detached/);
  });

  it('stays unchanged when memory is refused', () => {
    const vector = BitVector.fromIndices([3, 500]);
    const real = globalThis.SharedArrayBuffer;
    const Refusing = function () {
      throw new RangeError('Array buffer allocation failed');
    } as unknown as { prototype: object };
    Refusing.prototype = real.prototype;
    globalThis.SharedArrayBuffer = Refusing as never;
    Object.defineProperty(Refusing, Symbol.hasInstance, { value: (of: unknown) => of instanceof real });
    try {
      throws(() => new BitVector(5), 'ERR_OFFHEAP_OOM');
      throws(() => vector.resize(1e6), 'ERR_OFFHEAP_OOM');
      throws(() => vector.or({ __proto__: BitVector.prototype } as never), 'ERR_OFFHEAP_TYPE');
    } catch (error) {
      if ((error as { code?: string }).code === undefined && !(error instanceof TypeError)) throw error;
    } finally {
      globalThis.SharedArrayBuffer = real;
    }
    expect([...vector]).toEqual([3, 500]);
    vector.resize(1e6).set(999_999);
    expect([...vector]).toEqual([3, 500, 999_999]);
  });
});

describe('golden bytes of bit vectors', () => {
  it('are read and reproduced', () => {
    const file = new Uint8Array(readFileSync(join(packageRoot(), 'test', 'golden', 'bitvector-1000.bin')));
    const squares = Array.from({ length: 31 }, (_, i) => i * i);
    expect([...BitVector.fromBytes(file)]).toEqual(squares);
    const bytes = BitVector.fromIndices(squares, 1000).toBytes();
    bytes.fill(0, 24, 36);
    expect(bytes).toEqual(file);
  });
});
