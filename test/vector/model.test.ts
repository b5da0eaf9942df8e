/**
 * Random operations on a vector of each type and on a plain array: the results and the elements are
 * equal after each step.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Vector } from '../../src/vector/index.js';
import { Random } from '../helpers/random.js';
import { ARRAYS, element, elements, sorted, TYPES, type AnyVector } from '../helpers/vectors.js';

describe.each(TYPES)('a vector of %s', (type) => {
  it('behaves like an array', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 150 }), (seed, steps) => {
        const random = new Random(seed);
        let vector: AnyVector = new Vector(type, random.below(2) === 0 ? {} : { capacity: random.below(40) });
        let model: (number | bigint)[] = [];
        const index = (): number => random.below(model.length + 4) - 2;
        for (let step = 0; step < steps; step++) {
          const value = element(type, random);
          switch (random.below(16)) {
            case 0:
            case 1:
            case 2:
              expect(vector.push(value)).toBe(model.push(value));
              break;
            case 3: {
              const some = elements(type, random.below(4), random);
              expect(vector.push(...some)).toBe(model.push(...some));
              break;
            }
            case 4: {
              const many = elements(type, random.below(200), random);
              model.push(...many);
              const packed = random.below(2) === 0 ? many : ARRAYS[type].from(many);
              expect(vector.pushMany(packed)).toBe(model.length);
              break;
            }
            case 5:
              expect(vector.pop()).toBe(model.pop());
              break;
            case 6: {
              const at = index();
              expect(vector.at(at)).toBe(model.at(at));
              break;
            }
            case 7:
              if (model.length === 0) break;
              {
                const at = random.below(model.length);
                vector.set(at, value);
                model[at] = value;
              }
              break;
            case 8:
              if (model.length === 0) break;
              {
                const at = random.below(model.length);
                const last = model.at(-1)!;
                const removed = model[at];
                model[at] = last;
                model.pop();
                expect(vector.swapRemove(at)).toBe(removed);
              }
              break;
            case 9: {
              const [start, end] = [index(), index()];
              vector.fill(value, start, end);
              model.fill(value, start, end);
              break;
            }
            case 10:
              vector.sort();
              model = sorted(type, model);
              break;
            case 11: {
              const length = random.below(model.length + 3);
              vector.truncate(length);
              model.length = Math.min(model.length, length);
              break;
            }
            case 12: {
              const from = index();
              const probe = random.below(2) === 0 && model.length > 0 ? random.pick(model) : value;
              expect(vector.indexOf(probe, from)).toBe(model.indexOf(probe, from));
              expect(vector.includes(probe, from)).toBe(model.includes(probe, from));
              break;
            }
            case 13:
              vector.reserve(random.below(300));
              break;
            case 14:
              vector.shrinkToFit();
              break;
            default:
              vector = Vector.fromBytes(vector.toBytes());
          }
          // f32 rounds its elements, so the model must do the same.
          if (type === 'f32') model = model.map((x) => Math.fround(x as number));
          expect(vector.length).toBe(model.length);
        }
        expect([...vector]).toEqual(model);
        expect([...vector.view]).toEqual(model);
        expect(vector.view).toBeInstanceOf(ARRAYS[type]);
        vector.validate();
      }),
      { numRuns: 60 },
    );
  });

  it('fills ranges of any length', () => {
    const random = new Random(6);
    for (const count of [0, 1, 255, 256, 257, 1000]) {
      const values = elements(type, count, random);
      for (const [start, end] of [[], [1], [3, -2], [0, count], [-300], [-257, -1]]) {
        const model = ARRAYS[type].from(values);
        const vector: AnyVector = Vector.from(type, values as never);
        const value = element(type, random);
        expect(vector.fill(value, start, end).length).toBe(count);
        expect([...vector]).toEqual([...model.fill(value as number, start, end)]);
      }
    }
  });

  it('computes sums, extremes and positions like plain loops', () => {
    const random = new Random(5);
    for (const count of [0, 1, 2, 15, 16, 17, 63, 64, 65, 255, 256, 257, 2047, 2049, 5000]) {
      const values = elements(type, count, random).map((x) => (x !== x ? ARRAYS[type].of(1)[0] : x));
      const vector: AnyVector = Vector.from(type, values as never);
      const plain = [...vector] as (number | bigint)[];
      const total = plain.reduce(
        (sum, x) => (sum as number) + (x as number),
        type.endsWith('64') && type !== 'f64' ? 0n : 0,
      );
      if (type.startsWith('f')) {
        const same =
          Object.is(vector.sum(), total) ||
          Math.abs(vector.sum() - (total as number)) <= Math.abs(total as number) * 1e-3;
        expect(same || !Number.isFinite(total), `${vector.sum()} is not ${total}`).toBe(true);
      } else expect(vector.sum()).toBe(total);
      const order = sorted(type, plain);
      expect(vector.min()).toBe(order[0]);
      expect(vector.max()).toBe(order.at(-1));
      for (const probe of [...values.slice(-3), element(type, random)]) {
        expect(vector.indexOf(probe)).toBe(plain.indexOf(probe));
      }
    }
  });
});

describe('sums', () => {
  it('of integers are exact beyond the range of doubles and of 64 bits', () => {
    const big = Vector.from(
      'u64',
      Array.from({ length: 5000 }, () => 2n ** 64n - 1n),
    );
    expect(big.sum()).toBe((2n ** 64n - 1n) * 5000n);
    const low = Vector.from(
      'i64',
      Array.from({ length: 5000 }, () => -(2n ** 63n)),
    );
    expect(low.sum()).toBe(-(2n ** 63n) * 5000n);
    expect(Vector.from('i64', [-1n]).sum()).toBe(-1n);
    expect(Vector.from('i64', [-(2n ** 63n), -(2n ** 63n)]).sum()).toBe(-(2n ** 64n));
    expect(Vector.from('i64', []).sum()).toBe(0n);
    expect(Vector.from('u32', new Uint32Array(3000).fill(2 ** 32 - 1)).sum()).toBe((2 ** 32 - 1) * 3000);
    expect(Vector.from('i8', new Int8Array(3000).fill(-128)).sum()).toBe(-128 * 3000);
  });

  it('of floats keep bits that plain addition rounds away', () => {
    expect(
      Vector.from(
        'f64',
        Array.from({ length: 1e5 }, () => 0.1),
      ).sum(),
    ).toBe(10_000);
    const cancelling = Array.from({ length: 64 }, (_, i) => [1e100, 1, -1e100, 0][Math.floor(i / 16)]);
    expect(Vector.from('f64', cancelling).sum()).toBe(16);
    expect(Vector.from('f64', [1, Infinity]).sum()).toBe(Infinity);
    expect(Vector.from('f64', [Infinity, -Infinity]).sum()).toBe(NaN);
    expect(Vector.from('f64', [1, NaN, 2]).sum()).toBe(NaN);
    expect(Vector.from('f32', new Float32Array(1000).fill(0.5)).sum()).toBe(500);
  });
});

describe('min and max', () => {
  it('return the values of Math.min and Math.max', () => {
    for (const values of [[0, -0], [-0, 0], [3, NaN, 1], [NaN], [-Infinity, Infinity], [5], [-1, -2]]) {
      const vector = Vector.from('f64', values);
      expect(vector.min()).toBe(Math.min(...values));
      expect(vector.max()).toBe(Math.max(...values));
    }
    expect(new Vector('f64').min()).toBeUndefined();
    expect(new Vector('u64').max()).toBeUndefined();
  });
});

describe('indexOf', () => {
  it('finds the same elements as a typed array, and no value that the type cannot represent', () => {
    expect(Vector.from('f32', [0.5, Math.fround(0.1)]).indexOf(0.1)).toBe(-1);
    expect(Vector.from('f32', [Math.fround(0.1)]).indexOf(Math.fround(0.1))).toBe(0);
    expect(Vector.from('u8', [1, 2]).indexOf(257)).toBe(-1);
    expect(Vector.from('u8', [1, 2]).indexOf('1' as never)).toBe(-1);
    expect(Vector.from('f64', [NaN]).indexOf(NaN)).toBe(-1);
    expect(Vector.from('f64', [1, NaN]).includes(NaN)).toBe(true);
    expect(Vector.from('f64', [-0]).indexOf(0)).toBe(0);
    expect(Vector.from('f64', [1, 2, 1]).indexOf(1, -1)).toBe(2);
    expect(Vector.from('f64', [1, 2, 1]).indexOf(1, NaN)).toBe(0);
  });
});
