import { commonOperations } from './common.mjs';

const KEYS = {
  u32: (n) => n,
  u64: (n) => BigInt(n) << 30n,
  string: (n) => (n % 5 === 0 ? `\ud800${n}` : n % 3 === 0 ? `ключ ${n}` : `key ${n}`),
};
const VALUES = {
  f64: (n) => n / 2,
  string: (n) => `value ${n}`.repeat(n % 4),
  json: (n) => ({ n: [n, `${n}`] }),
};

/** @param {typeof import('../../../src/index.js')} offheap */
export function hashmap({ HashMap }) {
  const contents = (map) => [...map];

  /** Describes maps of one pair of types. */
  function describe(key, value, golden) {
    const keyOf = KEYS[key];
    const valueOf = VALUES[value];
    /** The entries: two updates, and deleted ones before and after the slot table exists. */
    const make = () => {
      const map = new HashMap({ key, value });
      for (let n = 0; n < 36; n++) map.set(keyOf(n), valueOf(n));
      map.handlesOf([keyOf(1), keyOf(2)]);
      map.delete(keyOf(3));
      map.shrinkToFit();
      for (let n = 40; n < 45; n++) map.set(keyOf(n), valueOf(n));
      for (let n = 5; n < 9; n++) map.delete(keyOf(n));
      map.set(keyOf(1), valueOf(77));
      return map;
    };
    const live = [0, 1, 2, 4, ...Array.from({ length: 27 }, (_, i) => i + 9), 40, 41, 42, 43, 44];
    const entries = live.map((n) => [keyOf(n), valueOf(n === 1 ? 77 : n)]);
    const [four, absent] = [keyOf(4), keyOf(99)];
    const numeric = value === 'f64';
    const many = Array.from({ length: 50 }, (_, n) => keyOf(n));
    const handle = (map) => map.handleOf(four) ?? 0;

    return {
      name: 'HashMap',
      kind: 'hashmap',
      Class: HashMap,
      make,
      contents,
      metadataWords: 64 + 16 * 6,
      golden,
      iterator: (map) => map.entries(),
      operations: {
        ...commonOperations(contents),
        size: { run: (map) => map.size, result: 36 },
        get: {
          run: (map) => [map.get(four), map.get(keyOf(3)), map.get(absent)],
          result: [valueOf(4), undefined, undefined],
        },
        has: { run: (map) => [map.has(four), map.has(keyOf(3))], result: [true, false] },
        forEach: {
          run: (map) => {
            const seen = [];
            map.forEach((each, at) => seen.push([at, each]));
            return seen;
          },
          result: entries,
        },
        keys: { run: (map) => [...map.keys()], result: entries.map(([each]) => each) },
        values: { run: (map) => [...map.values()], result: entries.map(([, each]) => each) },
        entries: { run: (map) => [...map.entries()], result: entries },
        'Symbol(Symbol.iterator)': { run: (map) => [...map], result: entries },
        handleOf: { run: (map) => typeof map.handleOf(four), result: 'number' },
        getByHandle: { run: (map) => map.getByHandle(handle(map)), result: valueOf(4) },
        keyByHandle: { run: (map) => map.keyByHandle(handle(map)), result: four },
        hasHandle: { run: (map) => map.hasHandle(handle(map)), result: true },
        getMany: {
          run: (map) => [...map.getMany([four, absent])],
          result: [valueOf(4), numeric ? 0 : undefined],
        },
        getManyFound: {
          run: (map) => map.getManyFound([four, absent], numeric ? new Float64Array(2) : [0, 0]),
          result: [1, 0],
        },
        hasMany: { run: (map) => map.hasMany([four, absent]), result: [1, 0] },
        handlesOf: { run: (map) => map.handlesOf([four])[0] === map.handleOf(four), result: true },
        getManyByHandle: { run: (map) => [...map.getManyByHandle([handle(map)])], result: [valueOf(4)] },
        columns: {
          run: (map) => {
            try {
              return [...map.columns().values];
            } catch (error) {
              // Columns are of numbers.
              if (numeric || error.code !== 'ERR_OFFHEAP_UNSUPPORTED') throw error;
              return [];
            }
          },
          result: numeric ? entries.map(([, each]) => each) : [],
        },
        set: { run: (map) => map.set(four, valueOf(9)).get(four), writes: true, result: valueOf(9) },
        setByHandle: {
          run: (map) => map.setByHandle(handle(map), valueOf(7)).get(four),
          writes: true,
          result: valueOf(7),
        },
        setMany: {
          run: (map) => map.setMany([four], [valueOf(8)]).get(four),
          writes: true,
          result: valueOf(8),
        },
        update: { run: (map) => map.update(four, () => valueOf(3)), writes: true, result: valueOf(3) },
        getOrInsert: { run: (map) => map.getOrInsert(absent, valueOf(1)), writes: true, result: valueOf(1) },
        getOrInsertComputed: {
          run: (map) => map.getOrInsertComputed(absent, () => valueOf(5)),
          writes: true,
          result: valueOf(5),
        },
        reserve: { run: (map) => map.reserve(500).size, writes: true, result: 36 },
        shrinkToFit: { run: (map) => map.shrinkToFit().size, writes: true, result: 36 },
        delete: { run: (map) => map.delete(four), writes: true, result: true },
        deleteMany: { run: (map) => map.deleteMany([four, absent]), writes: true, result: 1 },
        clear: { run: (map) => map.clear(), writes: true },
      },
      misuse: (map, attempt) => {
        const handles = attempt(() => map.handlesOf(many)) ?? new Float64Array(8).fill(2 ** 32);
        for (let n = 0; n < 36; n += 5) {
          attempt(() => map.get(keyOf(n)));
          attempt(() => map.has(keyOf(n)));
          attempt(() => map.getByHandle(handles[n % handles.length]));
          attempt(() => map.keyByHandle(2 ** 32 + n));
        }
        for (const each of [2 ** 33, 2 ** 32 + 3, 2 ** 52]) attempt(() => map.getByHandle(each));
        attempt(() => map.getMany(many));
        attempt(() => map.hasMany(many));
        attempt(() => map.getManyByHandle(handles));
        for (let n = 0; n < 50; n += 7) {
          attempt(() => map.set(keyOf(n), valueOf(n + 1)));
          attempt(() => map.setByHandle(handles[n % handles.length], valueOf(n)));
          attempt(() => map.delete(keyOf(n + 1)));
        }
        attempt(() =>
          map.setMany(
            many,
            many.map((_, n) => valueOf(n)),
          ),
        );
        attempt(() => map.deleteMany(many.slice(0, 9)));
        attempt(() => map.reserve(60));
        for (let n = 100; n < 140; n++) attempt(() => map.set(keyOf(n), valueOf(n)));
        attempt(() => map.shrinkToFit());
        attempt(() => map.columns());
        attempt(() => map.validate());
        attempt(() => HashMap.fromBytes(map.toBytes()).get(keyOf(2)));
        attempt(() => map.clear());
        for (let n = 0; n < 20; n++) attempt(() => map.set(keyOf(n), valueOf(n)));
        attempt(() => map.get(keyOf(5)));
      },
    };
  }

  return {
    'hashmap of u32 and f64': describe('u32', 'f64', [
      'hashmap-numbers',
      'hashmap-strings',
      'hashmap-handles',
    ]),
    'hashmap of strings': describe('string', 'string', []),
    'hashmap of u64 and json': {
      ...describe('u64', 'json', []),
      hostileOnly: true,
      series: [
        ['fromBytes', 'words'],
        ['fromBytes', 'contents'],
        ['attach', 'words'],
      ],
    },
  };
}
