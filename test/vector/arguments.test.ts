/**
 * Wrong values, indices, options and arguments: each is rejected with the right error and changes
 * nothing.
 */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Vector } from '../../src/vector/index.js';
import { rejected, throws } from '../helpers/errors.js';
import { EDGES, TYPES, WRONG, type AnyVector } from '../helpers/vectors.js';

describe.each(TYPES)('a vector of %s', (type) => {
  const bad = [
    ...WRONG[type].types.map((value) => [value, 'ERR_OFFHEAP_TYPE'] as const),
    ...WRONG[type].ranges.map((value) => [value, 'ERR_OFFHEAP_RANGE'] as const),
  ];

  it('accepts the limits of its type and rejects everything else', () => {
    const vector: AnyVector = new Vector(type);
    for (const edge of EDGES[type]) {
      vector.push(edge);
      expect(vector.at(-1)).toBe(edge);
      vector.set(0, edge);
      expect(vector.at(0)).toBe(edge);
      expect(vector.fill(edge, 0, 1).at(0)).toBe(edge);
    }
    const before = [...vector];
    const good = EDGES[type][1];
    for (const [value, code] of bad) {
      throws(() => vector.push(value), code);
      throws(() => vector.push(good, value), code);
      throws(() => vector.push(value, good, good), code);
      throws(() => vector.pushMany([good, value] as never), code);
      throws(() => vector.set(0, value), code);
      throws(() => vector.fill(value), code);
      expect([...vector]).toEqual(before);
    }
  });

  it('copies a typed array of its type, and converts others element by element', () => {
    const vector: AnyVector = new Vector(type);
    const one = EDGES[type].find((x) => x === 1 || x === 1n || x === 2 ** 53 || x === 1.5)!;
    expect(vector.pushMany([one])).toBe(1);
    if (typeof one === 'bigint') {
      throws(() => vector.pushMany(new Uint8Array(3)), 'ERR_OFFHEAP_TYPE');
    } else {
      expect(vector.pushMany(new Int8Array([7, 8]))).toBe(3);
      expect(vector.at(2)).toBe(8);
      throws(() => vector.pushMany(new BigInt64Array(1)), 'ERR_OFFHEAP_TYPE');
    }
  });
});

describe('construction', () => {
  it('rejects unknown types and options', () => {
    for (const type of ['bool', 'string', '', 'toString', 8, undefined, null, {}, 'F64']) {
      throws(() => new Vector(type as never), 'ERR_OFFHEAP_TYPE', /type must be one of/);
    }
    throws(() => new Vector('f64', { size: 3 } as never), 'ERR_OFFHEAP_TYPE', /unknown option 'size'/);
    throws(() => new Vector('f64', 3 as never), 'ERR_OFFHEAP_TYPE');
    for (const capacity of [-1, 0.5, NaN, Infinity, 2 ** 60]) {
      throws(() => new Vector('f64', { capacity }), 'ERR_OFFHEAP_RANGE');
    }
    throws(() => new Vector('f64', { capacity: '3' as never }), 'ERR_OFFHEAP_TYPE');
    throws(() => new Vector('f64', { numaNode: -1 }), 'ERR_OFFHEAP_RANGE');
    throws(() => new Vector('f64', { hugePages: 1 as never }), 'ERR_OFFHEAP_TYPE');
  });

  it('accepts every documented option', () => {
    expect(new Vector('f64', { capacity: 0 }).length).toBe(0);
    expect(new Vector('u8', { capacity: 1000 }).stats().capacity).toBeGreaterThanOrEqual(1000);
    expect(new Vector('u8', { hugePages: true, capacity: 5e6 }).push(1)).toBe(1);
    expect(new Vector('u8', { numaNode: 0 }).push(1)).toBe(1);
    expect([...Vector.from('u8', new Set([3, 4]))]).toEqual([3, 4]);
    expect([...Vector.from('u8', { length: 2, 0: 5, 1: 6 })]).toEqual([5, 6]);
  });

  it('throws ERR_OFFHEAP_OOM when memory is refused', () => {
    throws(() => new Vector('f64', { capacity: 2 ** 49 }), 'ERR_OFFHEAP_OOM');
    const vector = Vector.from('f64', [1, 2]);
    throws(() => vector.reserve(2 ** 49), 'ERR_OFFHEAP_OOM');
    expect([...vector]).toEqual([1, 2]);
    expect(vector.push(3)).toBe(3);
  });
});

describe('indices', () => {
  const vector = Vector.from('u16', [10, 20, 30]);

  it('of at() have the semantics of Array.prototype.at', () => {
    for (const index of [
      0,
      2,
      3,
      -1,
      -3,
      -4,
      1.9,
      -0.5,
      -1.5,
      NaN,
      Infinity,
      -Infinity,
      2 ** 32,
      2 ** 53,
      -0,
    ]) {
      expect(vector.at(index)).toBe([10, 20, 30].at(index));
    }
    for (const index of ['1', undefined, null, {}, 1n]) {
      throws(() => vector.at(index as never), 'ERR_OFFHEAP_TYPE');
    }
  });

  it('of set() and swapRemove() must exist', () => {
    for (const index of [3, -1, 0.5, NaN, Infinity, 2 ** 32]) {
      throws(() => vector.set(index, 1), 'ERR_OFFHEAP_RANGE');
      throws(() => vector.swapRemove(index), 'ERR_OFFHEAP_RANGE');
    }
    for (const index of ['0', undefined, null, 0n]) {
      throws(() => vector.set(index as never, 1), 'ERR_OFFHEAP_TYPE');
      throws(() => vector.swapRemove(index as never), 'ERR_OFFHEAP_TYPE');
    }
    throws(() => new Vector('u8').swapRemove(0), 'ERR_OFFHEAP_RANGE');
    expect([...vector]).toEqual([10, 20, 30]);
    expect(vector.set(-0, 10)).toBe(vector);
  });

  it('of all other methods are checked', () => {
    for (const wrong of [-1, 0.5, NaN, Infinity]) {
      throws(() => vector.truncate(wrong), 'ERR_OFFHEAP_RANGE');
      throws(() => vector.reserve(wrong), 'ERR_OFFHEAP_RANGE');
    }
    throws(() => vector.truncate('1' as never), 'ERR_OFFHEAP_TYPE');
    throws(() => vector.fill(1, '0' as never), 'ERR_OFFHEAP_TYPE');
    throws(() => vector.indexOf(10, {} as never), 'ERR_OFFHEAP_TYPE');
    throws(() => vector.binarySearch('10' as never), 'ERR_OFFHEAP_TYPE');
    throws(() => vector.binarySearch(10n as never), 'ERR_OFFHEAP_TYPE');
    throws(() => vector.binarySearchMany(['x'] as never), 'ERR_OFFHEAP_TYPE');
    throws(() => vector.binarySearchMany([10], new Float64Array(0)), 'ERR_OFFHEAP_RANGE');
    throws(() => vector.binarySearchMany([10], [] as never), 'ERR_OFFHEAP_TYPE');
    throws(() => vector.forEach(3 as never), 'ERR_OFFHEAP_TYPE');
    throws(() => vector.pushMany(5 as never), 'ERR_OFFHEAP_TYPE');
    throws(() => vector.pushMany('55' as never), 'ERR_OFFHEAP_TYPE');
    expect([...vector]).toEqual([10, 20, 30]);
  });

  it('of background work are checked', async () => {
    for (const options of [{ signal: 1 }, { onProgress: 1 }, { sginal: undefined }, 1]) {
      expect((await rejected(vector.sortAsync(options as never))).code).toBe('ERR_OFFHEAP_TYPE');
      expect((await rejected(vector.argsortAsync(options as never))).code).toBe('ERR_OFFHEAP_TYPE');
    }
  });
});

describe('source arrays', () => {
  it('may be resizable or the vector’s own, not detached', () => {
    const vector = Vector.from('u8', [1, 2, 3]);
    const gone = new Uint8Array(4);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    throws(() => vector.pushMany(gone), 'ERR_OFFHEAP_TYPE', /detached/);
    const resizable = new Uint8Array(new (ArrayBuffer as any)(2, { maxByteLength: 8 }));
    resizable.set([4, 5]);
    expect(vector.pushMany(resizable)).toBe(5);
    for (let i = 0; i < 16; i++) vector.pushMany(vector.view);
    expect(vector.length).toBe(5 * 2 ** 16);
    expect(vector.sum()).toBe(15 * 2 ** 16);
  });

  it('may change or close the vector during iteration', () => {
    const vector = Vector.from('u8', [1]);
    function* pushing(): Generator<number> {
      vector.push(2);
      yield 3;
    }
    vector.pushMany(pushing());
    expect([...vector]).toEqual([1, 2, 3]);
    function* closing(): Generator<number> {
      vector.close();
      yield 4;
    }
    throws(() => vector.pushMany(closing()), 'ERR_OFFHEAP_CLOSED');
  });
});

describe('a vector as an object', () => {
  it.each(TYPES)('of %s is an instance of Vector or of its subclass', (type) => {
    class Mine<T extends typeof type> extends Vector<T> {}
    const vector = new Vector(type);
    const mine = new Mine(type);
    const one = type === 'u64' || type === 'i64' ? 1n : 1;
    for (const some of [vector, mine, Vector.fromBytes(vector.toBytes()), Vector.attach(vector.share())]) {
      expect(some).toBeInstanceOf(Vector);
      expect(some.constructor).toBe(some === mine ? Mine : Vector);
      expect(Object.keys(some)).toEqual(Object.keys(mine));
    }
    for (const some of [vector, mine] as AnyVector[]) {
      some.push(one, one);
      expect([some.at(-1), some.at(1), some.at(2), some.at(-3), some.at(0.5), some.pop()]).toEqual([
        one,
        one,
        undefined,
        undefined,
        one,
        one,
      ]);
      throws(() => some.at('0' as never), 'ERR_OFFHEAP_TYPE');
      throws(() => some.at(0n as never), 'ERR_OFFHEAP_TYPE');
      throws(() => some.at(Symbol.iterator as never), 'ERR_OFFHEAP_TYPE');
    }
  });

  it('has a tag, is printed, and cannot be cloned', () => {
    const vector = Vector.from('f64', [1, 2.5, -0]);
    expect(Object.prototype.toString.call(vector)).toBe('[object Vector]');
    expect(inspect(vector)).toBe('Vector<f64>(3) [ 1, 2.5, -0 ]');
    expect(inspect(new Vector('u8'))).toBe('Vector<u8>(0) []');
    expect(inspect(Vector.from('i64', [1n]))).toBe('Vector<i64>(1) [ 1n ]');
    expect(inspect({ a: { b: vector } }, { depth: 0 })).toBe('{ a: [Object] }');
    expect(inspect({ vector }, { depth: 0 })).toBe('{ vector: [Vector<f64>(3)] }');
    expect(inspect(Vector.from('u8', new Uint8Array(500)), { breakLength: Infinity })).toMatch(
      /^Vector<u8>\(500\) \[[^]*\.\.\. 400 more \]$/,
    );
    expect(inspect(vector, { maxArrayLength: 1 })).toBe('Vector<f64>(3) [ 1, ... 2 more ]');
    expect(JSON.stringify(vector)).toBe('[1,2.5,0]');
    expect(() => structuredClone(vector)).toThrow(/clone/i);
    vector.close();
    expect(inspect(vector)).toBe('Vector { closed }');
  });
});
