/**
 * One kind of keys at one size, in a process of its own: every operation with every contender, in
 * turns.
 */
import { serve } from '../lib/child.mjs';
import { compile, race } from '../lib/measure.mjs';
import { contenders } from './contenders.mjs';
import { freshCopies, kinds, makeKeys, makeQueries } from './keys.mjs';
import { BUILD, FRESH, operations, unitsOf } from './operations.mjs';

/**
 * Three instances pass through one loop. At the largest sizes only one of them is full, to save
 * memory; at large sizes of a peer too, to save time.
 */
const LARGE = 2e6;
const LARGE_FOR_PEERS = 2e5;
const COMPANION = 1000;

function fullInstances(
  /** @type {import('./contenders.mjs').Contender} */ { name },
  /** @type {number} */ n,
) {
  return n > (['HashMap', 'Map'].includes(name) ? LARGE : LARGE_FOR_PEERS) ? 1 : 3;
}

serve(async ({ kindName, n, only, names, quick, most }) => {
  const kind = kinds[kindName];
  const schema = { key: kind.key, value: 'f64' };
  const { contenders: present } = await contenders(names);
  const taking = present.filter(
    (contender) => n <= Math.min(contender.most, most[contender.name] ?? Infinity),
  );
  const keys = makeKeys(kind, n);
  const queries = makeQueries(kind, keys);
  const context = { kind, keys, queries, n };
  const plan = {
    rounds: quick ? 5 : 7,
    targetNs: quick ? 8e6 : 30e6,
    budgetNs: quick ? 6e8 : 3e9,
    least: 512,
    check: false,
  };
  const wants = (/** @type {string} */ id) => only === undefined || only.includes(id);
  const collect = () => globalThis.gc?.();

  // The instances that the lookups use.
  const instances = new Map();
  for (const contender of taking) {
    const fill = compile('for (let i = 0; i < to; i++) m.set(a[i], i + 0.5); return m;');
    const sizes = fullInstances(contender, n) === 1 ? [n, COMPANION, COMPANION] : [n, n, n];
    instances.set(
      contender.name,
      sizes.map((size) => fill(contender.make(schema), keys, undefined, 0, size)),
    );
  }
  /** @type {Record<string, unknown>} */
  const results = {};

  // First, while all values are those of the build, which the checksums depend on.
  if (wants(FRESH.id) && kindName === 'string')
    results[FRESH.id] = fresh(taking, instances, queries, n, plan);
  for (const operation of operations) {
    if (!wants(operation.id) || operation.only?.includes(kindName) === false) continue;
    const lanes = [];
    for (const contender of taking) {
      const { name } = contender;
      const measured = fullInstances(contender, n);
      const body = operation.body[name] ?? operation.body.any;
      if (body === '') continue;
      const run = compile(body);
      const prepared = instances.get(name).map((/** @type {any} */ map) => ({
        map,
        inputs: operation.inputs(context, map, name),
      }));
      const passes = operation.walk === 'passes';
      lanes.push({
        name,
        limit: passes ? Math.max(1, Math.floor(2e7 / n)) : Math.min(...prepared.map(lengthOfInput)),
        atLeast: operation.amortized === true && ['HashMap', 'Map'].includes(name) ? 1 << 16 : 0,
        units: measured * (passes ? n : (unitsOf[/** @type {'churn'} */ (operation.id)] ?? 1)),
        warm(/** @type {number} */ from, /** @type {number} */ to) {
          let first = 0;
          prepared.forEach(({ map, inputs: [a, b] }, /** @type {number} */ i) => {
            const sum = run(map, a, b, from, to);
            if (i === 0) first = sum;
          });
          return first;
        },
        run(/** @type {number} */ from, /** @type {number} */ to) {
          for (let i = 0; i < measured; i++) run(prepared[i].map, ...prepared[i].inputs, from, to);
        },
      });
    }
    const least = operation.walk === 'passes' ? 1 : plan.least;
    const { check, amortized } = operation;
    results[operation.id] = race(lanes, { ...plan, least, check: check === true, amortized });
    collect();
  }

  for (const maps of instances.values()) maps.forEach((/** @type {any} */ map, i) => (maps[i] = undefined));
  instances.clear();
  collect();
  if (wants(BUILD.id)) results[BUILD.id] = build(taking, schema, keys, plan);
  return { kindName, n, results };
});

/** The length of the shorter array, if there are two. */
function lengthOfInput({ inputs: [a, b] }) {
  return b === undefined || b.length < 1024 ? a.length : Math.min(a.length, b.length);
}

/**
 * Builds from empty, as often as the budget allows. The maps are dropped and collected outside the
 * timed part.
 */
function build(taking, schema, keys, plan) {
  const lanes = taking.map((contender) => {
    const out = [];
    const run = compile(BUILD.body, 'make, a, out, from, to').bind(undefined, () => contender.make(schema));
    const go = (/** @type {number} */ from, /** @type {number} */ to) => run(keys, out, from, to);
    return {
      name: contender.name,
      firstCounts: true,
      limit: Math.max(1, Math.floor(3e5 / keys.length)),
      units: keys.length,
      warm: go,
      run: go,
      after() {
        for (const map of out) contender.release(map);
        out.length = 0;
        globalThis.gc?.();
      },
    };
  });
  return race(lanes, { ...plan, rounds: Math.min(plan.rounds, keys.length > LARGE ? 3 : 5), least: 1 });
}

/** Every lookup uses a string that the engine has not hashed, made outside the timed part. */
function fresh(taking, instances, queries, n, plan) {
  const count = 1 << 15;
  const lanes = taking.map((contender) => {
    const { name } = contender;
    const maps = instances.get(name);
    const measured = fullInstances(contender, n);
    const run = compile(FRESH.body);
    let next = 0;
    let copies = [];
    const refill = () => {
      if (next + count > queries.length) next = 0;
      copies = maps.map(() => freshCopies(queries, next, next + count));
      next += count;
    };
    refill();
    const over = (/** @type {number} */ instances) => {
      let first = 0;
      for (let i = 0; i < instances; i++) {
        const sum = run(maps[i], copies[i], undefined, 0, count);
        if (i === 0) first = sum;
      }
      return first;
    };
    return {
      name,
      limit: 1,
      units: count * measured,
      warm: () => over(maps.length),
      run: () => over(measured),
      after: refill,
    };
  });
  return race(lanes, { ...plan, least: 1, check: true });
}
