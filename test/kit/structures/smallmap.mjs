import { commonOperations } from './common.mjs';

const ELEMENTS = {
  u8: (n) => n & 127,
  u32: (n) => n,
  i64: (n) => BigInt(n) << 30n,
  f64: (n) => n / 2,
  bool: (n) => n % 2 === 0,
  string: (n) => (n % 5 === 0 ? `\ud800${n}` : n % 3 === 0 ? `ключ ${n}` : `key ${n}`),
};

/** @param {typeof import('../../../src/index.js')} offheap */
export function smallmap({ SmallMapArena }) {
  const contents = (arena) => [...arena.ids()].map((id) => [id, [...arena.entries(id)]]);
  /** Maps of 4 and 11 entries, the second promoted. Ids are the same in each arena of `make`. */
  const [four, twelve] = [4, 12];
  /** Ids of maps that exist, that were released, and that never existed. */
  const IDS = [0, 1, 5, 8, 9, 13, 2 ** 32 + 2, 2 ** 32 + 11, 2 ** 33 + 6];

  /** Describes arenas of one pair of types. */
  function describe(key, value, golden) {
    const keyOf = ELEMENTS[key];
    const valueOf = ELEMENTS[value];
    /** Slots of each size, free ones, promoted maps, a free map, and a map in a released place. */
    const make = () => {
      const arena = new SmallMapArena({ key, value, capacity: 3, seed: 7n });
      const ids = Array.from({ length: 14 }, () => arena.create());
      ids.forEach((id, at) => {
        for (let n = 0; n < at; n++) arena.set(id, keyOf(n), valueOf(n + at));
      });
      for (const id of [ids[2], ids[6]]) arena.release(id);
      arena.delete(ids[12], keyOf(3));
      arena.delete(ids[7], keyOf(0));
      arena.delete(ids[3], keyOf(1));
      arena.set(arena.create(), keyOf(50), valueOf(50));
      return arena;
    };
    const small = [0, 1, 2, 3].map((n) => [keyOf(n), valueOf(n + four)]);
    const large = [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11].map((n) => [keyOf(n), valueOf(n + twelve)]);
    const byKey = (list) => new Map(list);

    return {
      name: 'SmallMapArena',
      kind: 'smallmap',
      Class: SmallMapArena,
      make,
      contents,
      metadataWords: 64,
      golden,
      iterator: (s) => s.entries(four),
      operations: {
        ...commonOperations(contents),
        count: { run: (s) => s.count, result: 13 },
        promotedCount: { run: (s) => s.promotedCount, result: 5 },
        isAlive: { run: (s) => [s.isAlive(four), s.isAlive(2 ** 33)], result: [true, false] },
        size: { run: (s) => [s.size(four), s.size(twelve)], result: [4, 11] },
        promoted: { run: (s) => [s.promoted(four), s.promoted(twelve)], result: [false, true] },
        map: { run: (s) => [...s.map(four)], result: small },
        get: {
          run: (s) => [s.get(four, keyOf(1)), s.get(twelve, keyOf(9)), s.get(four, keyOf(77))],
          result: [valueOf(5), valueOf(21), undefined],
        },
        has: {
          run: (s) => [s.has(twelve, keyOf(3)), s.has(twelve, keyOf(4)), s.has(four, keyOf(1))],
          result: [false, true, true],
        },
        keys: { run: (s) => [...s.keys(four)], result: small.map(([each]) => each) },
        values: { run: (s) => [...s.values(four)], result: small.map(([, each]) => each) },
        entries: { run: (s) => byKey(s.entries(twelve)), result: byKey(large) },
        forEach: {
          run: (s) => {
            const seen = [];
            s.forEach(four, (each, at) => seen.push([at, each]));
            return seen;
          },
          result: small,
        },
        ids: { run: (s) => [...s.ids()].length, result: 13 },
        getMany: {
          run: (s) => [...s.getMany([four, twelve], [keyOf(1), keyOf(4)])],
          result: [valueOf(5), valueOf(16)],
        },
        set: {
          run: (s) => [
            s.set(four, keyOf(60), valueOf(1)).size(four),
            s.set(twelve, keyOf(70), valueOf(2)).size(twelve),
          ],
          writes: true,
          result: [5, 12],
        },
        setMany: {
          run: (s) =>
            s.setMany([four, twelve], [keyOf(1), keyOf(50)], [valueOf(8), valueOf(9)]).get(twelve, keyOf(50)),
          writes: true,
          result: valueOf(9),
        },
        create: { run: (s) => typeof s.create(), writes: true, result: 'number' },
        delete: {
          run: (s) => [s.delete(four, keyOf(1)), s.delete(twelve, keyOf(1)), s.delete(twelve, keyOf(3))],
          writes: true,
          result: [true, true, false],
        },
        clear: { run: (s) => s.clear(twelve), writes: true },
        release: { run: (s) => s.release(four), writes: true },
        reserve: { run: (s) => s.reserve(40).count, writes: true, result: 13 },
        shrinkToFit: { run: (s) => s.shrinkToFit().count, writes: true, result: 13 },
      },
      misuse: (s, attempt) => {
        const drain = (list) => {
          let steps = 0;
          for (const item of list) if (++steps > 100_000) throw new Error(`no end, at ${String(item)}`);
        };
        const keys = IDS.map((_, n) => keyOf(n));
        attempt(() => drain(s.ids()));
        for (const id of IDS) {
          attempt(() => s.size(id));
          attempt(() => s.promoted(id));
          for (const n of [0, 3, 9]) {
            attempt(() => s.get(id, keyOf(n)));
            attempt(() => s.has(id, keyOf(n)));
          }
          attempt(() => drain(s.keys(id)));
          attempt(() => drain(s.values(id)));
          attempt(() => s.map(id).stats());
          attempt(() => s.getMany(new Float64Array(9).fill(id), keys));
        }
        attempt(() => s.getMany(IDS, keys));
        for (const id of IDS) {
          for (let n = 0; n < 12; n += 3) {
            attempt(() => s.set(id, keyOf(n), valueOf(n + 1)));
            attempt(() => s.delete(id, keyOf(n + 1)));
          }
          attempt(() => s.setMany([id, id], [keyOf(1), keyOf(20)], [valueOf(1), valueOf(2)]));
        }
        attempt(() => {
          for (const item of s.entries(9)) s.delete(9, item[0]);
        });
        for (let n = 0; n < 6; n++) {
          attempt(() => {
            const id = s.create();
            for (let i = 0; i < 11; i++) s.set(id, keyOf(i), valueOf(i));
            if (n % 2 === 0) s.clear(id);
          });
        }
        for (const id of IDS.slice(0, 5)) attempt(() => (id % 2 === 0 ? s.release(id) : s.clear(id)));
        attempt(() => s.reserve(40));
        attempt(() => s.shrinkToFit());
        attempt(() => s.validate());
        attempt(() => SmallMapArena.fromBytes(s.toBytes()).get(1, keyOf(2)));
        attempt(() => drain(s.ids()));
      },
    };
  }

  const words = ['fromBytes', 'words'];
  return {
    'smallmap arena of strings': {
      ...describe('string', 'string', ['smallmap-numbers', 'smallmap-strings']),
      series: [
        words,
        ['fromBytes', 'bits'],
        ['fromBytes', 'contents'],
        ['attach', 'bytes'],
        ['attach', 'words'],
        ['open rw', 'bytes'],
        ['open rw', 'words'],
        ['open rw', 'lengths'],
      ],
    },
    'smallmap arena of u32 and f64': {
      ...describe('u32', 'f64', []),
      series: [
        words,
        ['fromBytes', 'bytes'],
        ['attach', 'words'],
        ['open rw', 'words'],
        ['open rw', 'lengths'],
      ],
    },
    'smallmap arena of u8': { ...describe('u8', 'u8', []), hostileOnly: true, series: [words] },
    'smallmap arena of i64 and bool': { ...describe('i64', 'bool', []), hostileOnly: true, series: [words] },
    'smallmap arena of strings and u32': {
      ...describe('string', 'u32', []),
      hostileOnly: true,
      series: [['open rw', 'words']],
    },
  };
}
