/**
 * SmallMap compared with Map, one call at a time: n maps of each kind pass through one call site,
 * each with its own keys, and are queried in random order.
 */
import { SmallMap } from '../../dist/smallmap/index.js';
import { serve } from '../lib/child.mjs';
import { compile, race } from '../lib/measure.mjs';

const QUERIES = 1 << 14;
const SIZES = [1, 2, 4, 8];

let x = 88172645;
function below(limit) {
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  return (x >>> 0) % limit;
}

const KEYS = {
  u32: () => ((below(2 ** 16) * 2 ** 16) >>> 0) + below(2 ** 16),
  string: () => `key ${below(1e9)}`,
};

const GET = `let sum = 0;
  for (let i = from; i < to; i++) { const value = m[a[i]].get(b[i]); if (value !== undefined) sum += value; }
  return sum;`;
const SET = `for (let i = from; i < to; i++) m[a[i]].set(b[i], i); return 0;`;
const FILL = `let sum = 0;
  for (let i = from; i < to; i++) {
    const map = m();
    for (let j = 0; j < b; j++) map.set(a[(i + j) & 16383], j);
    sum += map.size;
    if (map.close !== undefined) map.close();
  }
  return sum;`;

function lanes(body, contenders, a, b) {
  return contenders.map(([name, maps]) => {
    const run = compile(body);
    const work = (from, to) => run(maps, a, b, from, to);
    return { name, warm: work, run: work, limit: QUERIES, units: 1 };
  });
}

serve(({ n, quick }) => {
  const plan = {
    rounds: quick ? 9 : 25,
    targetNs: quick ? 3e6 : 2e7,
    budgetNs: 4e8,
    least: 2048,
    check: true,
  };
  const sections = [];
  for (const [kind, makeKey] of Object.entries(KEYS)) {
    const goal = kind === 'u32' ? 2 : 1;
    const rows = [];
    const add = (title, found, ratio) =>
      rows.push({ title, ours: found.ours.ns, peer: 'Map', theirs: found.map.ns, ratio, raw: found });
    for (const size of SIZES) {
      const keys = Array.from({ length: n }, () => Array.from({ length: size }, makeKey));
      const entries = keys.map((list) => list.map((key, i) => [key, i + 0.5]));
      const maps = entries.map((list) => new Map(list));
      const ours = entries.map((list) => new SmallMap({ key: kind, value: 'f64' }, list));
      const which = Uint32Array.from({ length: QUERIES }, () => below(n));
      const hits = Array.from(which, (at) => keys[at][below(size)]);
      // Keys of other maps, so that the strings are known to the arena, as in real use.
      const misses = Array.from(which, (at) => keys[(at + 1 + below(n - 1)) % n][below(size)]);
      const typed = (list) => (kind === 'u32' ? Uint32Array.from(list) : list);
      const contenders = [
        ['map', maps],
        ['ours', ours],
      ];
      add(`get, ${size} of ${size}, hit`, race(lanes(GET, contenders, which, typed(hits)), plan), goal);
      add(`get, ${size}, miss`, race(lanes(GET, contenders, which, typed(misses)), plan), goal);
      add(`set of a key that is there, ${size}`, race(lanes(SET, contenders, which, typed(hits)), plan));
    }
    const some = Array.from({ length: QUERIES }, makeKey);
    for (const size of [2, 4, 8]) {
      const contenders = [
        ['map', () => new Map()],
        ['ours', () => new SmallMap({ key: kind, value: 'f64' })],
      ];
      add(`make, fill with ${size}, close`, race(lanes(FILL, contenders, some, size), plan));
    }
    sections.push({ title: `${n} SmallMaps, ${kind} -> f64, and Maps`, rows });
  }
  return sections;
});
