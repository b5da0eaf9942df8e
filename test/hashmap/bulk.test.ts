/**
 * Bulk calls: every kind of argument, aliasing, what a refused call leaves, and a million entries
 * against a Map.
 */
import { describe, expect, it, vi } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';
import { throws } from '../helpers/errors.js';
import { Random } from '../helpers/random.js';
import { KEY_TYPES, keyOf, VALUE_TYPES, type AnyMap } from '../helpers/samples.js';

const ARRAYS = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
} as const;

type Numeric = keyof typeof ARRAYS;
const NUMERIC = Object.keys(ARRAYS) as Numeric[];
const wide = (type: string): boolean => type === 'u64' || type === 'i64';
const typed = (type: Numeric, items: Iterable<number>): any =>
  (ARRAYS[type] as any).from(wide(type) ? [...items].map(BigInt) : [...items]);

/** Every shape in which a list of numbers can come. */
function shapes(list: readonly unknown[]): Record<string, unknown> {
  return {
    array: [...list],
    set: new Set(list),
    generator: (function* () {
      yield* list;
    })(),
    'array-like': Object.assign({ length: list.length }, list),
    'map keys': new Map(list.map((item) => [item, 0])).keys(),
  };
}

describe.each(KEY_TYPES)('keys of type %s', (key) => {
  const keys = Array.from({ length: 40 }, (_, n) => keyOf(key, n));
  const some = [keys[3], keys[39], keyOf(key, 500), keys[0]];

  it('come as typed arrays, arrays, sets, generators, array-likes', () => {
    const lists: Record<string, unknown> = shapes(some);
    if (key in ARRAYS) lists.typed = (ARRAYS[key as Numeric] as any).from(some);
    for (const [name, list] of Object.entries(lists)) {
      const again = (): any => (name === 'generator' || name === 'map keys' ? shapes(some)[name] : list);
      const map: AnyMap = new HashMap({ key, value: 'f64' });
      expect(map.setMany(keys, keys.keys())).toBe(map);
      const out = new Float64Array(4).fill(-1);
      expect(map.getMany(again(), out)).toBe(out);
      expect([...out], name).toEqual([3, 39, -1, 0]);
      expect([...map.getMany(again())]).toEqual([3, 39, 0, 0]);
      expect([...map.hasMany(again())]).toEqual([1, 1, 0, 1]);
      expect([...map.getManyFound(again(), out)]).toEqual([1, 1, 0, 1]);
      expect([...map.handlesOf(again())].map((handle) => handle > 0)).toEqual([true, true, false, true]);
      expect(map.deleteMany(again())).toBe(3);
      expect(map.setMany(again(), [1, 2, 3, 4]).size).toBe(41);
      map.validate();
    }
  });

  it('come in no number at all', () => {
    const map: AnyMap = new HashMap({ key, value: 'u32' }, [[keys[1], 1]]);
    for (const none of [
      [],
      new Set(),
      { length: 0 },
      ...(key in ARRAYS ? [typed(key as Numeric, [])] : []),
    ]) {
      expect(map.getMany(none)).toEqual(new Uint32Array(0));
      expect(map.getMany(none, [])).toEqual([]);
      expect(map.hasMany(none)).toEqual(new Uint8Array(0));
      expect(map.handlesOf(none)).toEqual(new Float64Array(0));
      expect(map.getManyByHandle(none)).toEqual(new Uint32Array(0));
      expect(map.deleteMany(none)).toBe(0);
      expect(map.setMany(none, none).size).toBe(1);
    }
  });

  it('may repeat: the last value counts, one deletion counts', () => {
    const map: AnyMap = new HashMap({ key, value: 'u32' });
    map.setMany([keys[0], keys[1], keys[0]], [1, 2, 3]);
    expect([...map.values()]).toEqual([3, 2]);
    expect(map.deleteMany([keys[0], keys[0], keys[0]])).toBe(1);
  });

  it('of which one is wrong change nothing', () => {
    const map: AnyMap = new HashMap({ key, value: 'f64' });
    map.setMany(keys, keys.keys());
    const before = map.toBytes();
    const wrong = [...keys.slice(0, 20), Symbol('no key'), ...keys.slice(20)];
    const out = new Array<unknown>(60).fill('untouched');
    throws(() => map.setMany(wrong, new Float64Array(41)), 'ERR_OFFHEAP_TYPE', /symbol/);
    throws(() => map.getMany(wrong, out), 'ERR_OFFHEAP_TYPE');
    throws(() => map.hasMany(wrong), 'ERR_OFFHEAP_TYPE');
    throws(() => map.deleteMany(wrong), 'ERR_OFFHEAP_TYPE');
    throws(
      () =>
        map.setMany(
          keys,
          keys.map((_, n) => (n === 20 ? '20' : n)),
        ),
      'ERR_OFFHEAP_TYPE',
      /"20"/,
    );
    throws(() => map.setMany(keys, new Float64Array(39)), 'ERR_OFFHEAP_RANGE', /40 keys with 39 values/);
    expect(out.every((item) => item === 'untouched')).toBe(true);
    expect(map.toBytes()).toEqual(before);
    throws(() => map.handlesOf(wrong), 'ERR_OFFHEAP_TYPE');
    expect([...map.values()]).toEqual([...keys.keys()]);
  });
});

describe.each(VALUE_TYPES)('values of type %s', (value) => {
  const sample: any = { bool: true, string: 'ß', bytes: Uint8Array.of(1), json: { a: 1 }, any: Math }[
    value as string
  ];
  const given = sample ?? (wide(value) ? 7n : 7);

  it('go out to typed arrays of their type, to arrays, and by default where they fit', () => {
    for (const key of ['u32', 'string'] as const) {
      const map: AnyMap = new HashMap({ key, value });
      map.setMany([keyOf(key, 0), keyOf(key, 1)], [given, given]);
      const keys = [keyOf(key, 0), keyOf(key, 9)];
      const handles = map.handlesOf(keys);
      const out = ['a', 'b', 'c'];
      expect(map.getMany(keys, out)).toEqual([given, 'b', 'c']);
      expect(map.getManyByHandle(handles, ['x', 'y'])).toEqual([given, 'y']);
      const fresh = map.getMany(keys);
      expect(map.getManyByHandle(handles)).toEqual(fresh);
      if (value in ARRAYS) expect(fresh).toEqual(typed(value as Numeric, [7, 0]));
      else if (value === 'bool') expect(fresh).toEqual(Uint8Array.of(1, 0));
      else expect(fresh).toEqual([given, undefined]);
    }
  });

  it('do not go into typed arrays of a type that cannot represent them', () => {
    for (const key of ['u32', 'string'] as const) {
      const map: AnyMap = new HashMap({ key, value }, [[keyOf(key, 0), given]]);
      const before = map.toBytes.bind(map);
      for (const type of NUMERIC) {
        const out = new ARRAYS[type](1);
        const fits = value in ARRAYS ? wide(value) === wide(type) : value === 'bool' && type === 'u8';
        const call = (): unknown => map.getMany([keyOf(key, 0)], out);
        if (!fits) throws(call, 'ERR_OFFHEAP_TYPE');
        else expect(Number((call() as any)[0])).toBe(value === 'bool' ? 1 : 7);
      }
      throws(() => map.getMany([keyOf(key, 0)], new DataView(new ArrayBuffer(8))), 'ERR_OFFHEAP_TYPE');
      throws(() => map.getMany([keyOf(key, 0)], []), 'ERR_OFFHEAP_RANGE', /out holds 0 elements/);
      for (const out of [null, 5, 'text', {}, () => 0]) {
        throws(() => map.getMany([keyOf(key, 0)], out), 'ERR_OFFHEAP_TYPE');
        throws(() => map.getManyFound([keyOf(key, 0)], out), 'ERR_OFFHEAP_TYPE');
      }
      if (value !== 'any') before();
    }
  });
});

describe('arguments that are no lists', () => {
  const map = new HashMap({ key: 'u32', value: 'u32' }, [[1, 1]]);
  const impostor = Object.create(Uint32Array.prototype) as object;
  const wrong = [
    undefined,
    null,
    5,
    5n,
    'text',
    true,
    {},
    { length: -1 },
    { length: 1.5 },
    () => 0,
    impostor,
  ];

  it.each(wrong.map((value) => [value]))('%o', (value: any) => {
    const before = map.toBytes();
    const calls = [
      () => map.getMany(value),
      () => map.getManyFound(value, new Uint32Array(4)),
      () => map.hasMany(value),
      () => map.deleteMany(value),
      () => map.setMany(value, [1]),
      () => map.setMany([1], value),
      () => map.handlesOf(value),
      () => map.getManyByHandle(value),
    ];
    for (const call of calls) {
      if (value !== impostor) throws(call, 'ERR_OFFHEAP_TYPE');
      else expect(call).toThrow(TypeError);
    }
    expect(map.toBytes()).toEqual(before);
  });
});

describe('typed arrays that are not the usual ones', () => {
  const map = new HashMap({ key: 'u32', value: 'f64' }, [
    [1, 10],
    [2, 20],
  ]);

  it('of other element types are converted, or refused where an element does not fit', () => {
    expect([...map.getMany(Float64Array.of(1, 2))]).toEqual([10, 20]);
    expect([...map.getMany(Uint8Array.of(1, 2) as never)]).toEqual([10, 20]);
    throws(() => map.getMany(Float64Array.of(1, 2.5)), 'ERR_OFFHEAP_RANGE', /2\.5/);
    throws(() => map.getMany(Int32Array.of(1, -2)), 'ERR_OFFHEAP_RANGE', /-2/);
    throws(() => map.getMany(BigInt64Array.of(1n) as never), 'ERR_OFFHEAP_TYPE', /1n/);
    expect(map.getMany([1, 2], new Float32Array(2) as never)).toEqual(Float32Array.of(10, 20));
  });

  it('shared, resizable, or offset ones, not detached ones', () => {
    const shared = new Uint32Array(new SharedArrayBuffer(8));
    shared.set([2, 1]);
    expect([...map.getMany(shared)]).toEqual([20, 10]);
    const resizable = new ArrayBuffer(16, { maxByteLength: 64 });
    const tracking = new Uint32Array(resizable);
    tracking.set([1, 2, 1, 2]);
    resizable.resize(12);
    expect([...map.getMany(tracking)]).toEqual([10, 20, 10]);
    const offset = new Float64Array(4).fill(-1).subarray(1, 3);
    map.getMany(Uint32Array.of(1, 2), offset);
    expect([...new Float64Array(offset.buffer)]).toEqual([-1, 10, 20, -1]);
    const gone = Uint32Array.of(1, 2);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    throws(() => map.getMany(gone), 'ERR_OFFHEAP_TYPE', /detached/);
  });

  it("the map's own columns, as keys, values and out", () => {
    const own = new HashMap({ key: 'u32', value: 'u32' });
    for (let n = 0; n < 100; n++) own.set(n, n * 3);
    own.deleteMany([5, 50, 95]);
    let { keys, values } = own.columns();
    expect([...own.getMany(keys)]).toEqual([...values]);
    own.setMany(keys, values);
    own.setMany(values, keys); // grows and moves what both show
    own.validate();
    const model = new Map<number, number>();
    for (let n = 0; n < 100; n++) if (n % 45 !== 5) model.set(n, n * 3);
    for (const [key, value] of [...model]) model.set(value, key);
    expect([...own]).toEqual([...model]);
    ({ keys, values } = own.columns());
    own.getMany(keys, values);
    expect([...own]).toEqual([...model]);
    expect(own.deleteMany(own.columns().keys)).toBe(model.size);
    own.validate();
  });
});

describe('user code in arguments', () => {
  it('may change the map, which is then as the code and the call left it', () => {
    const map = new HashMap({ key: 'u32', value: 'json' }, [[0, 0]]);
    const keys = {
      *[Symbol.iterator]() {
        yield 1;
        for (let n = 100; n < 200; n++) map.set(n, n);
        yield 2;
        map.clear();
      },
    };
    map.setMany(keys, [{ toJSON: () => map.set(9, 9).size }, 'two']);
    expect(new Map(map)).toEqual(
      new Map([
        [9, 9],
        [1, 1],
        [2, 'two'],
      ] as [number, any][]),
    );
    map.validate();
  });

  it('may close the map, which is then closed', () => {
    for (const key of ['u32', 'string'] as const) {
      const calls = ['getMany', 'hasMany', 'deleteMany', 'handlesOf', 'getManyByHandle', 'setMany'] as const;
      for (const name of calls) {
        const map: AnyMap = new HashMap({ key, value: 'f64' }, [[keyOf(key, 1), 1]]);
        const list = (function* () {
          yield name === 'getManyByHandle' ? 1 : keyOf(key, 1);
          map.close();
        })();
        throws(() => (map as any)[name](list, [1]), 'ERR_OFFHEAP_CLOSED');
      }
    }
  });

  it('may throw, and nothing has changed', () => {
    const map = new HashMap({ key: 'u32', value: 'u32' }, [[1, 1]]);
    const error = new Error('stop');
    const list = (function* () {
      yield 2;
      throw error;
    })();
    expect(() => map.setMany(list, [1, 2])).toThrow(error);
    expect([...map]).toEqual([[1, 1]]);
  });
});

describe('columns', () => {
  it('show the memory itself, in order, without deleted entries', () => {
    const map = new HashMap({ key: 'i32', value: 'f64' });
    for (let n = 0; n < 50; n++) map.set(-n, n / 2);
    map.deleteMany([-1, -49]);
    const { keys, values } = map.columns();
    expect([...keys]).toEqual([...map.keys()]);
    expect([...values]).toEqual([...map.values()]);
    values[0] = 99;
    expect(map.get(0)).toBe(99);
    map.set(-2, 7);
    expect(values[1]).toBe(7);
    expect(new HashMap({ key: 'u32', value: 'u8' }).columns()).toEqual({
      keys: new Uint32Array(0),
      values: new Uint8Array(0),
    });
    expect(new HashMap({ key: 'u32', value: 'bool' }, [[1, true]]).columns().values).toEqual(
      Uint8Array.of(1),
    );
  });

  it('are of numbers', () => {
    const pairs = [
      ['string', 'u32'],
      ['bytes', 'u32'],
      ['u32', 'string'],
      ['u32', 'json'],
      ['u32', 'any'],
    ] as const;
    for (const [key, value] of pairs) {
      throws(
        () => new HashMap({ key, value }).columns(),
        'ERR_OFFHEAP_UNSUPPORTED',
        new RegExp(`${key}.*${value}`),
      );
    }
  });
});

it('a million entries agree with a Map', () => {
  const count = 1_000_000;
  const random = new Random(1);
  const keys = Uint32Array.from({ length: count }, () => random.below(700_000));
  const values = Float64Array.from({ length: count }, (_, i) => i);
  const map = new HashMap({ key: 'u32', value: 'f64' });
  const model = new Map<number, number>();
  map.setMany(keys, values);
  keys.forEach((key, i) => model.set(key, values[i]));
  const gone = keys.filter((_, i) => i % 3 === 0);
  let deleted = 0;
  for (const key of gone) if (model.delete(key)) deleted++;
  expect(map.deleteMany(gone)).toBe(deleted);
  expect(map.size).toBe(model.size);
  const handles = map.handlesOf(keys);
  map.reserve(2_000_000);
  const out = new Float64Array(count).fill(-1);
  const byHandle = new Float64Array(count).fill(-1);
  const found = map.getManyFound(keys, out);
  map.getManyByHandle(handles, byHandle);
  const has = map.hasMany(keys);
  let wrong = 0;
  for (let i = 0; i < count; i++) {
    const value = model.get(keys[i]);
    const ok =
      out[i] === (value ?? -1) &&
      byHandle[i] === out[i] &&
      found[i] === (value === undefined ? 0 : 1) &&
      has[i] === found[i];
    if (!ok) wrong++;
  }
  expect(wrong).toBe(0);
  const columns = map.columns();
  expect(columns.keys).toEqual(Uint32Array.from(model.keys()));
  expect(columns.values).toEqual(Float64Array.from(model.values()));
  map.validate();
});

describe('arguments with misleading lengths', () => {
  const map = () => new HashMap({ key: 'u32', value: 'f64' }, [[1, 2]]);
  const detached = <A extends Uint8Array | Float64Array>(array: A): A => {
    structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
    return array;
  };

  it('an array-like that claims to have billions of elements fails at the first that is none', () => {
    const endless = { length: 4e9, 0: 1, 1: 2 };
    const any = new HashMap({ key: 'u32', value: 'any' });
    const json = new HashMap({ key: 'u32', value: 'json' });
    for (const call of [
      () => map().getMany(endless as never),
      () => map().getManyFound(endless as never, []),
      () => map().setMany(endless as never, [1, 2]),
      () => map().deleteMany(endless as never),
      () => map().handlesOf(endless as never),
      () => map().getManyByHandle(endless as never),
      () => map().hasMany(new Array(4e9) as never),
    ]) {
      throws(call, 'ERR_OFFHEAP_TYPE');
    }
    throws(() => map().setMany([1, 2, 3], endless as never), 'ERR_OFFHEAP_TYPE');
    throws(() => any.setMany([1, 2, 3], endless as never), 'ERR_OFFHEAP_RANGE', /more than 3/);
    throws(() => json.setMany([1], endless as never), 'ERR_OFFHEAP_RANGE', /more than 1/);
    const naturals = (function* () {
      for (let n = 0; ; n++) yield n;
    })();
    throws(() => any.setMany([1, 2], naturals), 'ERR_OFFHEAP_RANGE');
    expect([any.size, json.size]).toEqual([0, 0]);
  });

  it('an object that only inherits from a typed array is of the wrong type', () => {
    const fakes = [Uint32Array, Float64Array, BigInt64Array].map(
      (type) => Object.create(type.prototype) as never,
    );
    for (const fake of fakes) {
      throws(() => map().getMany(fake), 'ERR_OFFHEAP_TYPE');
      throws(() => map().getMany([1], fake), 'ERR_OFFHEAP_TYPE');
      throws(() => map().getManyFound(fake, []), 'ERR_OFFHEAP_TYPE');
      throws(() => map().setMany([1], fake), 'ERR_OFFHEAP_TYPE');
      throws(() => map().getManyByHandle(fake), 'ERR_OFFHEAP_TYPE');
    }
  });

  it('a detached array of another type is of the wrong type, as one of the type is', () => {
    throws(() => map().getMany(detached(new Float64Array(4))), 'ERR_OFFHEAP_TYPE', /detached/);
  });

  it('a detached key or value of bytes is of the wrong type, and a bulk call with one changes nothing', () => {
    const bytes = new HashMap({ key: 'bytes', value: 'bytes' });
    const gone = detached(new Uint8Array(4));
    const buffer = new ArrayBuffer(8, { maxByteLength: 16 });
    const shrunk = new Uint8Array(buffer, 4, 4);
    buffer.resize(2);
    for (const wrong of [gone, shrunk]) {
      throws(() => bytes.get(wrong), 'ERR_OFFHEAP_TYPE', /detached/);
      throws(() => bytes.set(wrong, new Uint8Array(1)), 'ERR_OFFHEAP_TYPE', /detached/);
      throws(() => bytes.set(new Uint8Array(1), wrong), 'ERR_OFFHEAP_TYPE', /detached/);
      throws(() => bytes.setMany([new Uint8Array(1), wrong], [wrong, wrong]), 'ERR_OFFHEAP_TYPE');
      throws(() => bytes.setMany([new Uint8Array(1)], [wrong]), 'ERR_OFFHEAP_TYPE');
    }
    expect(bytes.size).toBe(0);
    bytes.set(new Uint8Array(0), new Uint8Array(0));
    expect(bytes.get(new Uint8Array(0))).toEqual(new Uint8Array(0));
  });

  it('refused memory is ERR_OFFHEAP_OOM', () => {
    const own = map();
    const reader = HashMap.attach<'u32', 'f64'>(own.share());
    const slice = vi.spyOn(Uint8Array.prototype, 'slice').mockImplementation(() => {
      throw new RangeError('Array buffer allocation failed');
    });
    try {
      throws(() => own.toBytes(), 'ERR_OFFHEAP_OOM', /bytes/);
      throws(() => reader.toBytes(), 'ERR_OFFHEAP_OOM', /bytes/);
    } finally {
      slice.mockRestore();
    }
    expect([...HashMap.fromBytes(reader.toBytes())]).toEqual([[1, 2]]);
  });
});
