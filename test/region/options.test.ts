/**
 * Options: only own properties are read, once; messages describe values without running their code.
 */
import { describe, expect, it } from 'vitest';
import { checkInteger, describe as name, readOptions } from '../../src/region/options.js';
import { throws } from '../helpers/errors.js';

describe('readOptions', () => {
  it('copies own properties into an object that inherits nothing', () => {
    const copy = readOptions({ a: 1, [Symbol('s')]: 2 }, ['a', 'b'], 'test');
    const inherited = [];
    for (let from = Object.getPrototypeOf(copy); from !== null; from = Object.getPrototypeOf(from))
      inherited.push(...Reflect.ownKeys(from));
    expect(inherited).toEqual([]);
    expect('__proto__' in copy || 'constructor' in copy).toBe(false);
    expect({ ...copy }).toEqual({ a: 1 });
    expect({ ...readOptions(undefined, [], 'test') }).toEqual({});
    expect({ ...readOptions(Object.create({ b: 1 }), ['a'], 'test') }).toEqual({});
  });

  it('names an unknown option, and the known ones', () => {
    throws(
      () => readOptions({ c: 1 }, ['a', 'b'], 'test'),
      'ERR_OFFHEAP_TYPE',
      /test: unknown option 'c'; there are a, b/,
    );
    throws(() => readOptions([1], ['a'], 'test'), 'ERR_OFFHEAP_TYPE', /'0'/);
    for (const wrong of [null, 5, 'x', true, () => 0])
      throws(() => readOptions(wrong, ['a'], 'test'), 'ERR_OFFHEAP_TYPE');
  });
});

describe('checkInteger', () => {
  it('returns the number, and 0 for -0', () => {
    expect(Object.is(checkInteger(-0, 'n', 0, 5), 0)).toBe(true);
    expect(checkInteger(5, 'n', 0, 5)).toBe(5);
    for (const wrong of [-1, 6, 0.5, NaN, Infinity])
      throws(() => checkInteger(wrong, 'n', 0, 5), 'ERR_OFFHEAP_RANGE', /n must/);
    for (const wrong of ['5', 5n, null, undefined])
      throws(() => checkInteger(wrong, 'n', 0, 5), 'ERR_OFFHEAP_TYPE');
  });
});

describe('describe', () => {
  it('is short and runs no code of the value', () => {
    const trap = new Proxy(
      {},
      {
        get() {
          throw new Error('asked');
        },
      },
    );
    expect(name(trap)).toBe('an object');
    expect(name('x'.repeat(1e6))).toBe('a string of 1000000 characters');
    expect(name('a"b')).toBe('"a\\"b"');
    expect(name(2n ** 4000n)).toBe('a very large bigint');
    expect(name(-5n)).toBe('-5n');
    expect([null, undefined, true, [1], Symbol('s'), Math.max].map(name)).toEqual([
      'null',
      'undefined',
      'true',
      'an array',
      'a symbol',
      'a function',
    ]);
  });
});
