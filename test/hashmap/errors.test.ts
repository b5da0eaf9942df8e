/**
 * Bad input: the right code, a message that names the value, and an unchanged structure.
 */
import { describe, expect, it } from 'vitest';
import { HashMap, type ValueType } from '../../src/hashmap/index.js';
import { throws } from '../helpers/errors.js';
import { EDGES, KEY_TYPES, keyOf, VALUE_TYPES, type AnyMap } from '../helpers/samples.js';

/** What no key or value type of numbers takes, and how the message names it. */
const STRANGE: [unknown, RegExp][] = [
  [undefined, /undefined/],
  [null, /null/],
  [true, /true/],
  ['12', /"12"/],
  ['x'.repeat(100), /a string of 100 characters/],
  [Symbol('s'), /symbol/],
  [{}, /an object/],
  [[1], /an array/],
  [() => 1, /a function/],
  [Object(1), /an object/],
];

/** Numbers of the right JavaScript type that do not fit. */
const FAR: Partial<Record<ValueType, unknown[]>> = {
  u8: [-1, 256, 0.5, NaN, Infinity],
  i8: [-129, 128, 1.5, NaN],
  u16: [-1, 65536, 0.1],
  i16: [-32769, 32768, -0.5],
  u32: [-1, 2 ** 32, 0.5, NaN, Infinity, -Infinity, 1e300, 2 ** 53],
  i32: [-(2 ** 31) - 1, 2 ** 31, 0.5, NaN, -Infinity],
  u64: [-1n, 2n ** 64n, 2n ** 100n, -(2n ** 63n)],
  i64: [-(2n ** 63n) - 1n, 2n ** 63n, 2n ** 64n],
};

/** Every method that takes a key, called with one. */
const byKey: Record<string, (map: AnyMap, key: unknown) => unknown> = {
  get: (map, key) => map.get(key),
  has: (map, key) => map.has(key),
  set: (map, key) => map.set(key, undefined),
  delete: (map, key) => map.delete(key),
  getOrInsert: (map, key) => map.getOrInsert(key, 1),
  getOrInsertComputed: (map, key) => map.getOrInsertComputed(key, () => 1),
  update: (map, key) => map.update(key, () => 1),
  handleOf: (map, key) => map.handleOf(key),
  getMany: (map, key) => map.getMany([key]),
  getManyFound: (map, key) => map.getManyFound([key], [0]),
  hasMany: (map, key) => map.hasMany([key]),
  setMany: (map, key) => map.setMany([key], [1]),
  deleteMany: (map, key) => map.deleteMany([key]),
  handlesOf: (map, key) => map.handlesOf([key]),
};

function wrongFor(type: ValueType): [unknown, 'ERR_OFFHEAP_TYPE' | 'ERR_OFFHEAP_RANGE', RegExp][] {
  const takes = (value: unknown): boolean => {
    if (type === 'any') return true;
    if (type === 'json') return !['undefined', 'symbol', 'function'].includes(typeof value);
    if (type === 'string') return typeof value === 'string';
    return type === 'bool' && typeof value === 'boolean';
  };
  const list: [unknown, 'ERR_OFFHEAP_TYPE' | 'ERR_OFFHEAP_RANGE', RegExp][] = STRANGE.filter(
    ([value]) => !takes(value),
  ).map(([value, pattern]) => [value, 'ERR_OFFHEAP_TYPE', pattern]);
  const isWide = type === 'u64' || type === 'i64';
  if (type in FAR) {
    list.push([isWide ? 1 : 1n, 'ERR_OFFHEAP_TYPE', isWide ? /not 1$/ : /not 1n$/]);
    for (const value of FAR[type]!) {
      const text = typeof value === 'bigint' && value >= 2n ** 80n ? 'a very large bigint' : String(value);
      list.push([value, 'ERR_OFFHEAP_RANGE', new RegExp(`not ${text.replace(/[+.]/g, '\\$&')}`)]);
    }
  } else if (type === 'f64' || type === 'f32') list.push([1n, 'ERR_OFFHEAP_TYPE', /1n/]);
  else if (type === 'string' || type === 'bytes') list.push([5, 'ERR_OFFHEAP_TYPE', /not 5/]);
  return list;
}

describe.each(KEY_TYPES)('a wrong key in a map of %s', (key) => {
  it.each(Object.keys(byKey))('%s', (name) => {
    // With and without a slot table, whose paths differ; owned and shared, too.
    const map: AnyMap = new HashMap({ key, value: 'any' });
    const plain: AnyMap = new HashMap({ key, value: 'f64' });
    for (let n = 0; n < 20; n++) {
      map.set(keyOf(key, n), n);
      plain.set(keyOf(key, n), n);
    }
    plain.handleOf(keyOf(key, 0));
    const before = plain.toBytes();
    for (const [wrong, code, pattern] of wrongFor(key)) {
      throws(() => byKey[name](map, wrong), code, pattern);
      expect(map.size).toBe(20);
      if (name === 'set') throws(() => plain.set(wrong, 1), code, pattern);
      else throws(() => byKey[name](plain, wrong), code, pattern);
    }
    expect(plain.toBytes()).toEqual(before);
  });
});

describe.each(VALUE_TYPES)('a wrong value in a map to %s', (value) => {
  it('is rejected by every method that accepts one', () => {
    for (const key of ['u32', 'f64', 'string'] as const) {
      const map: AnyMap = new HashMap({ key, value });
      const given = EDGES[value][1];
      const here = keyOf(key, 1);
      map.set(here, given);
      const handle = map.handleOf(here)!;
      const before = value === 'any' ? undefined : map.toBytes();
      for (const [wrong, code, pattern] of wrongFor(value)) {
        const unused = keyOf(key, 77);
        const message = value === 'json' ? /JSON/ : pattern;
        for (const at of [here, unused]) {
          throws(() => map.set(at, wrong), code, message);
          throws(() => map.update(at, () => wrong), code, message);
          throws(() => map.getOrInsert(at, wrong), code, message);
          throws(() => map.setMany([here, at], [given, wrong]), code, message);
        }
        throws(() => map.getOrInsertComputed(unused, () => wrong), code, message);
        throws(() => map.setByHandle(handle, wrong), code, message);
        throws(() => new HashMap({ key, value }, [[here, wrong]] as never), code, message);
      }
      expect(map.size).toBe(1);
      if (before !== undefined) expect(map.toBytes()).toEqual(before);
    }
  });
});

describe('json', () => {
  it('that is undefined or throws changes nothing and keeps the cause', () => {
    const map = new HashMap({ key: 'u32', value: 'json' }, [[1, { a: 1 }]]);
    const ring: Record<string, unknown> = {};
    ring.self = ring;
    const cause = new Error('no');
    const angry = {
      toJSON() {
        throw cause;
      },
    };
    for (const value of [ring, 5n, undefined, () => 0, Symbol('x'), angry, { toJSON: () => undefined }]) {
      throws(() => map.set(1, value), 'ERR_OFFHEAP_TYPE', /JSON/);
    }
    try {
      map.set(1, angry);
    } catch (error) {
      expect((error as Error).cause).toBe(cause);
    }
    expect(map.get(1)).toEqual({ a: 1 });
    map.validate();
  });

  it('whose toJSON changes the map is set after that', () => {
    const map = new HashMap({ key: 'u32', value: 'json' });
    const value = {
      toJSON: () => {
        for (let n = 10; n < 100; n++) map.set(n, `text ${n}`);
        map.delete(5);
        return 'mine';
      },
    };
    map.set(5, value);
    expect(map.get(5)).toBe('mine');
    expect(map.size).toBe(91);
    map.validate();
  });
});

describe('callbacks', () => {
  it('that are not functions are rejected, also for existing keys', () => {
    const map = new HashMap({ key: 'u32', value: 'u32' }, [[1, 1]]);
    for (const wrong of [undefined, null, 5, {}]) {
      throws(() => map.getOrInsertComputed(1, wrong as never), 'ERR_OFFHEAP_TYPE');
      throws(() => map.update(1, wrong as never), 'ERR_OFFHEAP_TYPE');
    }
  });

  it('can change the map, close it, or throw', () => {
    const map = new HashMap({ key: 'u32', value: 'u32' });
    const fill = (from: number): void => {
      for (let n = from; n < from + 100; n++) map.set(n, n);
    };
    expect(
      map.getOrInsertComputed(1, () => {
        fill(100);
        map.set(1, 5);
        return 7;
      }),
    ).toBe(7);
    expect(map.get(1)).toBe(7);
    expect(
      map.update(1, (value) => {
        map.clear();
        fill(300);
        return value! + 1;
      }),
    ).toBe(8);
    expect(map.size).toBe(101);
    const error = new Error('stop');
    const stop = (): never => {
      throw error;
    };
    expect(() => map.update(1, stop)).toThrow(error);
    expect(() => map.getOrInsertComputed(9999, stop)).toThrow(error);
    expect(map.size).toBe(101);
    map.validate();
    const shut = (): number => {
      map.close();
      return 1;
    };
    throws(() => map.update(1, shut), 'ERR_OFFHEAP_CLOSED');
    throws(() => map.update(1, shut), 'ERR_OFFHEAP_CLOSED');
  });
});

describe('options', () => {
  const make = (options: unknown): unknown => new HashMap(options as never);
  const good = { key: 'u32', value: 'u32' };

  it.each<[unknown, 'ERR_OFFHEAP_TYPE' | 'ERR_OFFHEAP_RANGE', RegExp]>([
    [undefined, 'ERR_OFFHEAP_TYPE', /key/],
    [null, 'ERR_OFFHEAP_TYPE', /null/],
    ['u32', 'ERR_OFFHEAP_TYPE', /"u32"/],
    [{}, 'ERR_OFFHEAP_TYPE', /key must be one of u32/],
    [{ key: 'u32' }, 'ERR_OFFHEAP_TYPE', /value must be one of u8/],
    [{ key: 'u8', value: 'u32' }, 'ERR_OFFHEAP_TYPE', /"u8"/],
    [{ key: 'json', value: 'u32' }, 'ERR_OFFHEAP_TYPE', /"json"/],
    [{ key: 'u32', value: 'number' }, 'ERR_OFFHEAP_TYPE', /"number"/],
    [{ key: 'toString', value: 'u32' }, 'ERR_OFFHEAP_TYPE', /"toString"/],
    [{ key: 'u32', value: '__proto__' }, 'ERR_OFFHEAP_TYPE', /"__proto__"/],
    [{ key: ['u32'], value: 'u32' }, 'ERR_OFFHEAP_TYPE', /an array/],
    [{ ...good, size: 5 }, 'ERR_OFFHEAP_TYPE', /unknown option 'size'/],
    [
      JSON.parse('{"key":"u32","value":"u32","__proto__":1}'),
      'ERR_OFFHEAP_TYPE',
      /unknown option '__proto__'/,
    ],
    [{ ...good, capacity: '5' }, 'ERR_OFFHEAP_TYPE', /capacity must be a number, not "5"/],
    [{ ...good, capacity: 5n }, 'ERR_OFFHEAP_TYPE', /5n/],
    [{ ...good, capacity: 0 }, 'ERR_OFFHEAP_RANGE', /capacity/],
    [{ ...good, capacity: -1 }, 'ERR_OFFHEAP_RANGE', /-1/],
    [{ ...good, capacity: 1.5 }, 'ERR_OFFHEAP_RANGE', /1\.5/],
    [{ ...good, capacity: NaN }, 'ERR_OFFHEAP_RANGE', /NaN/],
    [{ ...good, capacity: 1_369_020_826 }, 'ERR_OFFHEAP_RANGE', /1369020826/],
    [{ ...good, hugePages: 1 }, 'ERR_OFFHEAP_TYPE', /hugePages/],
    [{ ...good, numaNode: -1 }, 'ERR_OFFHEAP_RANGE', /numaNode/],
    [{ ...good, numaNode: '0' }, 'ERR_OFFHEAP_TYPE', /numaNode/],
    [{ ...good, seed: 5 }, 'ERR_OFFHEAP_TYPE', /seed/],
    [{ ...good, seed: -1n }, 'ERR_OFFHEAP_RANGE', /-1n/],
    [{ ...good, seed: 2n ** 64n }, 'ERR_OFFHEAP_RANGE', /seed/],
  ])('%o', (options, code, pattern) => throws(() => make(options), code, pattern));

  it('are read once, own properties only', () => {
    let reads = 0;
    const once = {
      get key() {
        return reads++ === 0 ? 'u32' : 'string';
      },
      value: 'u32',
    };
    expect((make(once) as AnyMap).stats().key).toBe('u32');
    expect(reads).toBe(1);
    throws(() => make(Object.create(good)), 'ERR_OFFHEAP_TYPE', /key/);
    expect((make(new Proxy(good, {})) as AnyMap).stats()).toMatchObject(good);
    expect((make(Object.assign(Object.create(null), good)) as AnyMap).stats()).toMatchObject(good);
    expect((make({ ...good, capacity: undefined, seed: undefined, [Symbol('x')]: 1 }) as AnyMap).size).toBe(
      0,
    );
    const error = new Error('mine');
    const hostile = new Proxy(good, {
      ownKeys() {
        throw error;
      },
    });
    expect(() => make(hostile)).toThrow(error);
  });

  it('are rejected by a call without new', () => {
    expect(() => (HashMap as any)(good)).toThrow(TypeError);
  });
});

describe('the iterable of the constructor', () => {
  const options = { key: 'u32', value: 'u32' } as const;

  it('may be absent or null, and is closed when an entry is wrong', () => {
    expect(new HashMap(options, null).size).toBe(0);
    expect(new HashMap(options, undefined).size).toBe(0);
    let closed = 0;
    const entries = (wrong: unknown): any => ({
      [Symbol.iterator]: () => ({
        next: () => ({ value: wrong, done: false }),
        return: () => {
          closed++;
          return {};
        },
      }),
    });
    for (const wrong of [undefined, null, 5, 'ab', Symbol('entry')]) {
      throws(() => new HashMap(options, entries(wrong)), 'ERR_OFFHEAP_TYPE', /\[key, value\]/);
    }
    throws(() => new HashMap(options, entries([1, 'x'])), 'ERR_OFFHEAP_TYPE', /"x"/);
    expect(closed).toBe(6);
  });
});

describe('reserve', () => {
  it('accepts integers up to the maximum capacity, and throws if memory is refused', () => {
    const map: AnyMap = new HashMap({ key: 'u32', value: 'u32' }, [[1, 1]]);
    const before = map.toBytes();
    for (const wrong of [-1, 0.5, NaN, Infinity, 1_369_020_826]) {
      throws(() => map.reserve(wrong), 'ERR_OFFHEAP_RANGE', /entries/);
    }
    for (const wrong of ['5', null, undefined, 5n, {}])
      throws(() => map.reserve(wrong as never), 'ERR_OFFHEAP_TYPE');
    expect(map.toBytes()).toEqual(before);
    expect(map.reserve(-0).reserve(0).size).toBe(1);
  });
});
