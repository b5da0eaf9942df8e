import { commonOperations } from './common.mjs';

/** @param {typeof import('../../../src/index.js')} offheap */
export function vector({ Vector }) {
  const contents = (v) => [...v];
  const description = {
    name: 'Vector',
    kind: 'vector',
    Class: Vector,
    make: () => Vector.from('f64', [3, 1, 2, 5, 4]),
    contents,
    metadataWords: 64,
    golden: ['vector-f64', 'vector-u8', 'vector-i64'],
    iterator: (v) => v.values(),
    background: { sortAsync: (v) => v.sortAsync(), argsortAsync: (v) => v.argsortAsync() },
    operations: {
      ...commonOperations(contents),
      length: { run: (v) => v.length, result: 5 },
      type: { run: (v) => v.type, result: 'f64' },
      at: { run: (v) => [v.at(0), v.at(-1), v.at(9)], result: [3, 4, undefined] },
      view: { run: (v) => v.view, result: [3, 1, 2, 5, 4] },
      indexOf: { run: (v) => v.indexOf(2), result: 2 },
      includes: { run: (v) => v.includes(7), result: false },
      sum: { run: (v) => v.sum(), result: 15 },
      min: { run: (v) => v.min(), result: 1 },
      max: { run: (v) => v.max(), result: 5 },
      argsort: { run: (v) => v.argsort(), result: [1, 2, 0, 4, 3] },
      binarySearch: { run: (v) => typeof v.binarySearch(1), result: 'number' },
      binarySearchMany: { run: (v) => v.binarySearchMany([1, 2]).length, result: 2 },
      forEach: { run: (v) => v.forEach(() => undefined) },
      values: { run: (v) => [...v.values()], result: [3, 1, 2, 5, 4] },
      keys: { run: (v) => [...v.keys()], result: [0, 1, 2, 3, 4] },
      entries: { run: (v) => [...v.entries()].length, result: 5 },
      'Symbol(Symbol.iterator)': { run: (v) => [...v].length, result: 5 },
      push: { run: (v) => v.push(1, 2), writes: true, result: 7 },
      pop: { run: (v) => v.pop(), writes: true, result: 4 },
      set: { run: (v) => v.set(0, 9).at(0), writes: true, result: 9 },
      pushMany: { run: (v) => v.pushMany([1, 2]), writes: true, result: 7 },
      fill: { run: (v) => v.fill(1).sum(), writes: true, result: 5 },
      sort: { run: (v) => [...v.sort()], writes: true, result: [1, 2, 3, 4, 5] },
      swapRemove: { run: (v) => v.swapRemove(0), writes: true, result: 3 },
      truncate: { run: (v) => v.truncate(2).length, writes: true, result: 2 },
      clear: { run: (v) => v.clear(), writes: true },
      reserve: { run: (v) => v.reserve(100).length, writes: true, result: 5 },
      shrinkToFit: { run: (v) => v.shrinkToFit().length, writes: true, result: 5 },
    },
  };
  /** Hostile words can change the type of the elements. */
  const misuse = (v, attempt) => {
    const one = v.type === 'u64' || v.type === 'i64' ? 1n : 1;
    for (const run of [
      () => v.view.slice(),
      () => v.indexOf(one),
      () => v.binarySearch(one),
      () => [...v.entries()],
      () => v.push(one),
      () => v.sort(),
      () => v.fill(one),
      () => v.pop(),
      () => v.shrinkToFit(),
      () => v.reserve(200),
    ]) {
      attempt(run);
    }
  };
  const make = () => Vector.from('i64', [3n, 1n, 2n, -5n, 4n]);
  return {
    vector: { ...description, misuse },
    'vector of i64': {
      ...description,
      make,
      misuse,
      hostileOnly: true,
      series: [
        ['fromBytes', 'bits'],
        ['fromBytes', 'words'],
        ['open rw', 'words'],
      ],
    },
  };
}
