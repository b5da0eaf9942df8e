import { commonOperations } from './common.mjs';

/** @param {typeof import('../../../src/index.js')} offheap */
export function hashmap({ HashMap }) {
  const contents = (map) => [...map];
  const handle = (map) => map.handleOf(4) ?? 0;
  /** Hostile bytes can turn values into bigints. */
  const plusOne = (value) => (typeof value === 'number' ? value + 1 : value);
  /** Deleted entries and a slot table, so that each section has contents. */
  const make = (key, value) => {
    const map = new HashMap({ key, value });
    const keyOf = key === 'string' ? (n) => `key ${n}` : key === 'u64' ? (n) => BigInt(n) << 30n : (n) => n;
    const valueOf = value === 'string' ? (n) => `value ${n}` : value === 'json' ? (n) => [n] : (n) => n / 2;
    for (let n = 0; n < 40; n++) map.set(keyOf(n), valueOf(n));
    map.handlesOf([keyOf(1), keyOf(2)]);
    map.delete(keyOf(3));
    map.shrinkToFit();
    for (let n = 5; n < 9; n++) map.delete(keyOf(n));
    return map;
  };
  const numbers = {
    name: 'HashMap',
    kind: 'hashmap',
    Class: HashMap,
    make: () => make('u32', 'f64'),
    contents,
    metadataWords: 64 + 16 * 6,
    golden: ['hashmap-numbers', 'hashmap-strings', 'hashmap-handles'],
    iterator: (map) => map.entries(),
    operations: {
      ...commonOperations(contents),
      size: { run: (map) => map.size, result: 35 },
      get: { run: (map) => [map.get(4), map.get(3), map.get(99)], result: [2, undefined, undefined] },
      has: { run: (map) => [map.has(4), map.has(3)], result: [true, false] },
      forEach: { run: (map) => map.forEach(() => undefined) },
      keys: { run: (map) => [...map.keys()].length, result: 35 },
      values: { run: (map) => [...map.values()].length, result: 35 },
      entries: { run: (map) => [...map.entries()].length, result: 35 },
      'Symbol(Symbol.iterator)': { run: (map) => [...map].length, result: 35 },
      handleOf: { run: (map) => typeof handle(map), result: 'number' },
      getByHandle: { run: (map) => map.getByHandle(handle(map)), result: 2 },
      keyByHandle: { run: (map) => map.keyByHandle(handle(map)), result: 4 },
      hasHandle: { run: (map) => map.hasHandle(handle(map)), result: true },
      getMany: { run: (map) => map.getMany(Uint32Array.of(4, 99)), result: [2, 0] },
      getManyFound: {
        run: (map) => map.getManyFound(Uint32Array.of(4, 99), new Float64Array(2)),
        result: [1, 0],
      },
      hasMany: { run: (map) => map.hasMany(Uint32Array.of(4, 99)), result: [1, 0] },
      handlesOf: { run: (map) => map.handlesOf([4])[0] === handle(map), result: true },
      getManyByHandle: { run: (map) => map.getManyByHandle([handle(map)]), result: [2] },
      columns: { run: (map) => map.columns().keys.length, result: 35 },
      set: { run: (map) => map.set(4, 9).get(4), writes: true, result: 9 },
      setByHandle: { run: (map) => map.setByHandle(handle(map), 7).get(4), writes: true, result: 7 },
      setMany: { run: (map) => map.setMany([4], [8]).get(4), writes: true, result: 8 },
      update: { run: (map) => map.update(4, plusOne), writes: true, result: 3 },
      getOrInsert: { run: (map) => map.getOrInsert(400, 1), writes: true, result: 1 },
      getOrInsertComputed: {
        run: (map) => map.getOrInsertComputed(400, (k) => k),
        writes: true,
        result: 400,
      },
      reserve: { run: (map) => map.reserve(500).size, writes: true, result: 35 },
      shrinkToFit: { run: (map) => map.shrinkToFit().size, writes: true, result: 35 },
      delete: { run: (map) => map.delete(4), writes: true, result: true },
      deleteMany: { run: (map) => map.deleteMany([4, 99]), writes: true, result: 1 },
      clear: { run: (map) => map.clear(), writes: true },
    },
  };
  return { hashmap: numbers };
}
