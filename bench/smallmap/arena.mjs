/**
 * One SmallMapArena of n maps compared with an array of n Maps: random lookups, single and bulk;
 * creation and filling.
 */
import { SmallMapArena } from '../../dist/smallmap/index.js';
import { serve } from '../lib/child.mjs';
import { compile, race } from '../lib/measure.mjs';

let x = 362436069;
function below(limit) {
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  return (x >>> 0) % limit;
}
const mix = (n) => Math.imul(n ^ 0x5bd1e995, 2654435761) >>> 0;

const MAP_GET = compile(`let sum = 0;
  for (let i = from; i < to; i++) { const value = m[a[i]].get(b[i]); if (value !== undefined) sum += value; }
  return sum;`);
const ARENA_GET = compile(`let sum = 0;
  for (let i = from; i < to; i++) { const value = m.get(a[i], b[i]); if (value !== undefined) sum += value; }
  return sum;`);
const MAP_FILL = compile(`for (let i = from; i < to; i++) {
    const map = new Map(); map.set(a[i], 1); map.set(a[i] + 7, 2); map.set(a[i] + 9, 3); map.set(a[i] + 20, 4); m.push(map);
  } return to - from;`);
const ARENA_FILL = compile(`for (let i = from; i < to; i++) {
    const id = m.create(); m.set(id, a[i], 1); m.set(id, a[i] + 7, 2); m.set(id, a[i] + 9, 3); m.set(id, a[i] + 20, 4);
  } return to - from;`);

const schema = { key: 'u32', value: 'f64' };

function making(n, plan) {
  // Each measurement fills a new arena or a new array.
  const starts = Uint32Array.from({ length: n }, (_, i) => mix(i) >>> 1);
  const fresh = (name, run, make, release) => {
    let target = make();
    const work = (from, to) => run(target, starts, 0, from, to);
    return {
      name,
      warm: work,
      run: work,
      limit: n,
      units: 1,
      after: () => (release(target), (target = make())),
      atLeast: Math.min(n, 1e5),
    };
  };
  const lanes = [
    fresh(
      'map',
      MAP_FILL,
      () => [],
      () => undefined,
    ),
    fresh(
      'ours',
      ARENA_FILL,
      () => new SmallMapArena(schema),
      (filled) => filled.close(),
    ),
  ];
  const made = race(lanes, { ...plan, least: Math.min(n, 1024), amortised: true });
  return {
    title: 'create and fill with 4',
    ours: made.ours.ns,
    peer: 'new Map',
    theirs: made.map.ns,
    ratio: 2,
    raw: made,
  };
}

serve(({ n, quick }) => {
  const plan = {
    rounds: quick ? 7 : 15,
    targetNs: quick ? 2e7 : 1e8,
    budgetNs: 2e9,
    least: 1024,
    check: true,
  };
  // Each call site sees two arenas and two arrays of Maps. The second ones are small.
  const fill = (maps) => {
    const arena = new SmallMapArena(schema);
    const plain = [];
    for (let map = 0; map < maps; map++) {
      const id = arena.create();
      const own = new Map();
      for (let i = 0, size = 4 + (map % 5); i < size; i++) {
        arena.set(id, mix(map * 8 + i), i + 0.5);
        own.set(mix(map * 8 + i), i + 0.5);
      }
      plain.push(own);
    }
    return { arena, plain };
  };
  const [{ arena, plain }, other] = [fill(n), fill(500)];
  const QUERIES = 1 << 20;
  const ids = new Uint32Array(QUERIES);
  const keys = new Uint32Array(QUERIES);
  for (let i = 0; i < QUERIES; i++) {
    ids[i] = below(n);
    // One key in nine is missing.
    keys[i] = mix(ids[i] * 8 + below(4 + (ids[i] % 5) + (i % 9 === 0 ? 4 : 0)));
  }
  const out = new Float64Array(QUERIES);
  const few = ids.map((id) => id % 500);
  const lane = (name, get, maps, small) => ({
    name,
    warm: (from, to) => (
      get(small, few, keys, from, Math.min(to, from + 4096)),
      get(maps, ids, keys, from, to)
    ),
    run: (from, to) => get(maps, ids, keys, from, to),
    limit: QUERIES,
    units: 1,
  });
  const bulk = {
    name: 'bulk',
    warm: (from, to) => bulk.run(from, to),
    run: (from, to) => {
      const found = arena.getMany(
        ids.subarray(from, to),
        keys.subarray(from, to),
        out.subarray(0, to - from).fill(0),
      );
      let sum = 0;
      for (let i = 0; i < 0; i++) sum += found[i];
      return sum;
    },
    limit: QUERIES,
    units: 1,
  };
  const gets = race(
    [lane('map', MAP_GET, plain, other.plain), lane('ours', ARENA_GET, arena, other.arena)],
    plan,
  );
  const many = race([{ ...lane('map', MAP_GET, plain, other.plain) }, bulk], { ...plan, check: false });
  const last = n >= 1e6;
  const rows = [
    {
      title: 'get, random',
      ours: gets.ours.ns,
      peer: 'Map[]',
      theirs: gets.map.ns,
      ratio: last ? 5 : undefined,
      raw: gets,
    },
    {
      title: 'getMany',
      ours: many.bulk.ns,
      peer: 'Map[] get',
      theirs: many.map.ns,
      ratio: last ? 15 : undefined,
      raw: many,
    },
  ];

  // A thousand maps take too little time to measure.
  if (n >= 1e5) rows.push(making(n, plan));
  return [{ title: `an arena of ${n.toLocaleString('en-US')} maps, 4 to 8 entries, u32 -> f64`, rows }];
});
