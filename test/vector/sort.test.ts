/**
 * Sorting, argsort and searching compared with typed arrays: each type, each size at which the
 * method changes, each pattern.
 */
import { describe, expect, it } from 'vitest';
import { Vector } from '../../src/vector/index.js';
import { Random } from '../helpers/random.js';
import { ARRAYS, EDGES, element, elements, sorted, TYPES, type AnyVector } from '../helpers/vectors.js';

/** Up to 512 elements are sorted on the stack; progress is reported in steps of 65,536. */
const SIZES = [0, 1, 2, 3, 31, 33, 511, 512, 513, 3000, 70_000];

/** Equality of elements: NaN equals NaN, and −0 does not equal 0. */
function same(a: ArrayLike<number | bigint>, b: ArrayLike<number | bigint>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

describe.each(TYPES)('%s', (type) => {
  const random = new Random(11);

  it.each(SIZES)('sorts %i random elements as a typed array does', (count) => {
    const values = elements(type, count, random);
    const vector: AnyVector = Vector.from(type, values as never);
    expect(vector.sort()).toBe(vector);
    expect(same(vector.view, sorted(type, values))).toBe(true);
    // And again, when it is sorted already.
    expect(same(vector.sort().view, sorted(type, values))).toBe(true);
  });

  it('sorts elements that share digits, are equal, or descend', () => {
    const few = EDGES[type];
    const patterns = [
      Array.from({ length: 2000 }, (_, i) => few[i % few.length]),
      Array.from({ length: 2000 }, () => few[1]),
      [...sorted(type, elements(type, 2000, random))].reverse(),
      Array.from({ length: 2000 }, (_, i) => few[Math.floor(i / 1000)]),
    ];
    for (const pattern of patterns) {
      const vector: AnyVector = Vector.from(type, pattern as never);
      expect(same(vector.sort().view, sorted(type, pattern))).toBe(true);
    }
  });

  it.each([0, 1, 40, 700, 70_000])('argsorts %i elements stably, in the order of sort()', (count) => {
    const values = elements(type, count, random);
    const vector: AnyVector = Vector.from(type, values as never);
    const order = vector.argsort();
    expect(order).toBeInstanceOf(Uint32Array);
    const plain = [...vector] as (number | bigint)[];
    const expected = sorted(type, plain);
    let wrong = 0;
    for (let i = 0; i < count; i++) {
      if (!Object.is(plain[order[i]], expected[i])) wrong++;
      if (i > 0 && Object.is(expected[i], expected[i - 1]) && order[i] <= order[i - 1]) wrong++;
    }
    expect([wrong, order.length]).toEqual([0, count]);
    expect(same([...vector] as number[], plain as number[]), 'the vector is as it was').toBe(true);
  });

  it('finds the first of equal elements by binary search, or the insertion point', () => {
    for (const count of [0, 1, 2, 7, 100, 1000]) {
      const values = elements(type, count, random);
      const vector: AnyVector = Vector.from(type, values as never).sort();
      const plain = [...vector] as (number | bigint)[];
      const probes = [...values.slice(0, 50), ...EDGES[type], element(type, random)];
      const many = vector.binarySearchMany(ARRAYS[type].from(probes));
      probes.forEach((given, i) => {
        const probe = type === 'f32' ? Math.fround(given as number) : given;
        const at = vector.binarySearch(probe);
        expect(many[i]).toBe(at);
        expect(at >= 0).toBe(plain.includes(probe));
        if (at >= 0) {
          expect(at).toBe(plain.findIndex((x) => x === probe || (x !== x && probe !== probe)));
        } else {
          const before = plain.filter((x) => x < probe || (x === x && probe !== probe)).length;
          expect(-at - 1).toBe(before);
        }
      });
    }
  });
});

describe('NaN', () => {
  it('is sorted last, whatever its sign and payload', () => {
    const bits = BigUint64Array.of(
      0xfff8000000000001n,
      0x7ff8000000000000n,
      0x3ff0000000000000n,
      0xfff0000000000000n,
    );
    const vector = Vector.from('f64', new Float64Array(bits.buffer));
    expect([...vector.sort()]).toEqual([-Infinity, 1, NaN, NaN]);
    const many = Vector.from(
      'f64',
      Array.from({ length: 1000 }, (_, i) => (i % 3 === 0 ? NaN : -i)),
    );
    new BigUint64Array(many.view.buffer, many.view.byteOffset, 1)[0] = 0xffffffffffffffffn;
    many.sort();
    expect([...many].findIndex(Number.isNaN)).toBe(666);
    expect(many.binarySearch(NaN)).toBe(666);
  });
});

describe('a search for a number that the type cannot represent', () => {
  it('returns the insertion point', () => {
    const vector = Vector.from('u8', [1, 3, 5]);
    expect(vector.binarySearch(2.5)).toBe(-2);
    expect(vector.binarySearch(-7)).toBe(-1);
    expect(vector.binarySearch(300)).toBe(-4);
    expect(Vector.from('f64', [-0]).binarySearch(0)).toBe(0);
    expect(Vector.from('i64', [1n]).binarySearch(2n ** 100n)).toBe(-2);
  });
});
