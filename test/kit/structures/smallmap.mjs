import { commonOperations } from './common.mjs';

/** @param {typeof import('../../../src/index.js')} offheap */
export function smallmap({ SmallMapArena }) {
  const contents = (arena) => [...arena.ids()].map((id) => [id, [...arena.entries(id)]]);
  /** Slots of each size, free ones, promoted maps, a free map, and strings. */
  const make = () => {
    const arena = new SmallMapArena({ key: 'string', value: 'f64', capacity: 3, seed: 7n });
    const ids = Array.from({ length: 14 }, () => arena.create());
    ids.forEach((id, at) => {
      for (let n = 0; n < at; n++) arena.set(id, `key ${n}`, n + at);
    });
    arena.release(ids[2]);
    arena.delete(ids[12], 'key 3');
    arena.delete(ids[7], 'key 0');
    return arena;
  };
  const ids = (() => {
    const arena = make();
    const list = [...arena.ids()];
    arena.close();
    return list;
  })();
  // Ids are the same in each arena that `make` gives: the third was released.
  const [four, twelve] = [ids[3], ids[11]];
  const arena = {
    name: 'SmallMapArena',
    kind: 'smallmap',
    Class: SmallMapArena,
    make,
    contents,
    metadataWords: 64 + 200,
    golden: ['smallmap-numbers', 'smallmap-strings'],
    iterator: (s) => s.entries(four),
    operations: {
      ...commonOperations(contents),
      count: { run: (s) => s.count, result: 13 },
      promotedCount: { run: (s) => s.promotedCount, result: 5 },
      isAlive: { run: (s) => [s.isAlive(four), s.isAlive(2 ** 33)], result: [true, false] },
      size: { run: (s) => s.size(four), result: 4 },
      promoted: { run: (s) => [s.promoted(four), s.promoted(twelve)], result: [false, true] },
      map: { run: (s) => s.map(four).size, result: 4 },
      get: { run: (s) => [s.get(four, 'key 1'), s.get(four, 'no')], result: [5, undefined] },
      has: { run: (s) => [s.has(twelve, 'key 3'), s.has(twelve, 'key 4')], result: [false, true] },
      keys: { run: (s) => [...s.keys(four)].length, result: 4 },
      values: { run: (s) => [...s.values(four)].length, result: 4 },
      entries: { run: (s) => [...s.entries(twelve)].length, result: 11 },
      forEach: { run: (s) => s.forEach(four, () => undefined) },
      ids: { run: (s) => [...s.ids()].length, result: 13 },
      getMany: { run: (s) => s.getMany([four, twelve], ['key 1', 'key 4']), result: [5, 16] },
      set: { run: (s) => s.set(four, 'new', 1).size(four), writes: true, result: 5 },
      setMany: { run: (s) => s.setMany([four], ['key 1'], [9]).get(four, 'key 1'), writes: true, result: 9 },
      create: { run: (s) => typeof s.create(), writes: true, result: 'number' },
      delete: { run: (s) => s.delete(four, 'key 1'), writes: true, result: true },
      clear: { run: (s) => s.clear(twelve), writes: true },
      release: { run: (s) => s.release(four), writes: true },
      reserve: { run: (s) => s.reserve(40).count, writes: true, result: 13 },
      shrinkToFit: { run: (s) => s.shrinkToFit().count, writes: true, result: 13 },
    },
  };
  return { 'smallmap arena': arena };
}
