/**
 * The operations: for each of them the loop that is compiled for every contender (see
 * lib/measure.mjs), its inputs, and the goal compared with Map.
 *
 * A loop is given the map `m` and two arrays `a` and `b`, and runs from `from` to `to`. It returns
 * a checksum, which must be the same for all contenders.
 */
import { makeKeys, makeQueries, random } from './keys.mjs';

/**
 * @typedef {object} Context
 * @property {import('./keys.mjs').Kind} kind
 * @property {any} keys
 * @property {any} queries
 * @property {number} n
 *
 * @typedef {object} Operation
 * @property {string} id
 * @property {string} title
 * @property {Record<string, string>} body by contender; `any` for the others; a contender without
 *   one is left out
 * @property {(context: Context, map: any, contender: string) => [any, any]} inputs
 * @property {'queries' | 'passes'} walk whether a step is one query, or one pass over the map
 * @property {boolean} [amortized] some steps are long and rare (a rehash), so measurements are
 *   long and their mean is reported
 * @property {boolean} [check] whether the checksums are compared
 * @property {string[]} [only] kinds of keys that it is measured with; all if absent
 * @property {(n: number, kind: string) => number | undefined} [goal] how many times faster than Map
 */

const lookups = { 1e3: 3, 1e5: 3, 1e6: 4, 1e7: 4 };

/** Goals of single lookups, by kind of keys. @param {number} n @param {string} kind */
function lookupGoal(n, kind) {
  if (kind === 'u32') return lookups[/** @type {1e3} */ (n)];
  return kind.startsWith('smi') ? 1 : undefined;
}

const sumOfGets = 'let s = 0; for (let i = from; i < to; i++) s += m.get(a[i]); return s;';

/** Keys of the map in random order, each at most once. @param {Context} context */
function distinctPicks({ kind, keys, n }, most = 1 << 18) {
  const count = Math.min(n, most);
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  const pick = random(5);
  const picks = kind.array(count);
  for (let i = 0; i < count; i++) {
    const j = i + pick(n - i);
    picks[i] = keys[order[j]];
    order[j] = order[i];
  }
  return picks;
}

/** @type {Operation[]} */
export const operations = [
  {
    id: 'get',
    title: 'get, hit',
    walk: 'queries',
    check: true,
    body: { any: sumOfGets },
    inputs: ({ queries }) => [queries, undefined],
    goal: (n, kind) => (kind === 'string' ? 1.5 : lookupGoal(n, kind)),
  },
  {
    id: 'miss',
    title: 'get, miss',
    walk: 'queries',
    check: true,
    body: {
      any: 'let s = 0; for (let i = from; i < to; i++) if (m.get(a[i]) === undefined) s++; return s;',
    },
    inputs: ({ kind, n }) => [
      makeQueries(kind, makeKeys(kind, Math.min(n, 1e6), Math.max(n, 2e7)), 1 << 19, 3),
      undefined,
    ],
    goal: lookupGoal,
  },
  {
    id: 'has',
    title: 'has, hit',
    walk: 'queries',
    check: true,
    body: { any: 'let s = 0; for (let i = from; i < to; i++) if (m.has(a[i])) s++; return s;' },
    inputs: ({ queries }) => [queries, undefined],
    only: ['u32', 'string'],
  },
  {
    id: 'concat',
    title: "get, 'user:' + id built in the loop",
    walk: 'queries',
    check: true,
    body: { any: "let s = 0; for (let i = from; i < to; i++) s += m.get('user:' + a[i]); return s;" },
    inputs: ({ queries }) => [
      Float64Array.from(queries, (/** @type {string} */ query) => Number(query.slice(5))),
      undefined,
    ],
    only: ['string'],
  },
  {
    id: 'getMany',
    title: 'getMany, one call',
    walk: 'queries',
    check: true,
    body: {
      HashMap: 'm.getMany(a.subarray(from, to), b); return b[0] + b[to - from - 1];',
      any: 'for (let i = from; i < to; i++) b[i - from] = m.get(a[i]); return b[0] + b[to - from - 1];',
    },
    inputs: ({ queries }) => [queries, new Float64Array(queries.length)],
    only: ['u32', 'smi-random', 'f64'],
    goal: (n, kind) => (kind === 'u32' && n === 1e6 ? 20 : undefined),
  },
  {
    id: 'getMany128',
    title: 'getMany, 128 keys a call',
    walk: 'queries',
    check: true,
    body: {
      HashMap: `let s = 0;
        for (let i = from; i < to; i += 128) { m.getMany(a.subarray(i, i + 128), b); s += b[0]; }
        return s;`,
      any: `let s = 0;
        for (let i = from; i < to; i += 128) {
          for (let j = 0; j < 128; j++) b[j] = m.get(a[i + j]);
          s += b[0];
        }
        return s;`,
    },
    inputs: ({ queries }) => [queries, new Float64Array(128)],
    only: ['u32'],
  },
  {
    id: 'getByHandle',
    title: 'getByHandle (others: get)',
    walk: 'queries',
    check: true,
    body: {
      HashMap: 'let s = 0; for (let i = from; i < to; i++) s += m.getByHandle(a[i]); return s;',
      any: sumOfGets,
    },
    inputs: ({ queries }, map, contender) => [
      contender === 'HashMap' ? map.handlesOf(queries) : queries,
      undefined,
    ],
    only: ['u32'],
    goal: (n, kind) => (kind === 'u32' && n === 1e6 ? 20 : undefined),
  },
  {
    id: 'getManyByHandle',
    title: 'getManyByHandle (others: get)',
    walk: 'queries',
    check: true,
    body: {
      HashMap: 'm.getManyByHandle(a.subarray(from, to), b); return b[0] + b[to - from - 1];',
      any: 'for (let i = from; i < to; i++) b[i - from] = m.get(a[i]); return b[0] + b[to - from - 1];',
    },
    inputs: ({ queries }, map, contender) => [
      contender === 'HashMap' ? map.handlesOf(queries) : queries,
      new Float64Array(queries.length),
    ],
    only: ['u32'],
  },
  {
    id: 'forEach',
    title: 'forEach',
    walk: 'passes',
    check: true,
    body: {
      MegaHash: '',
      any: 'let s = 0; for (let i = from; i < to; i++) m.forEach((v) => { s += v; }); return s;',
    },
    inputs: () => [undefined, undefined],
    only: ['u32', 'string'],
    goal: (n, kind) => (kind === 'u32' ? 2 : undefined),
  },
  {
    id: 'iterate',
    title: 'for (const [key, value] of map)',
    walk: 'passes',
    check: true,
    body: {
      MegaHash: '',
      any: 'let s = 0; for (let i = from; i < to; i++) for (const [k, v] of m) s += v; return s;',
    },
    inputs: () => [undefined, undefined],
    only: ['u32', 'string'],
    goal: (n, kind) => (kind === 'u32' ? 2 : undefined),
  },
  {
    id: 'update',
    title: 'set, existing key',
    walk: 'queries',
    body: { any: 'for (let i = from; i < to; i++) m.set(a[i], i + 0.25); return 0;' },
    inputs: ({ queries }) => [queries, undefined],
  },
  {
    id: 'churn',
    title: 'delete one, insert one',
    walk: 'queries',
    amortized: true,
    // Each key is deleted and inserted again, so that the map has its original keys at the end: two
    // of both for every step.
    body: {
      any: `for (let i = from; i < to; i++) { m.delete(a[i]); m.set(b[i], i + 0.5); }
        for (let i = from; i < to; i++) { m.delete(b[i]); m.set(a[i], i + 0.5); }
        return 0;`,
    },
    inputs: (context) => {
      const picks = distinctPicks(context);
      return [picks, makeKeys(context.kind, picks.length, 3e7)];
    },
    only: ['u32', 'string'],
  },
];

/** Steps of {@link operations} that do more than one operation. */
export const unitsOf = { churn: 2 };

/** The two operations that are not loops over an existing map. */
export const BUILD = {
  id: 'set',
  title: 'set with growth, from empty',
  body: 'for (let r = from; r < to; r++) { const m = make(); for (let i = 0; i < a.length; i++) m.set(a[i], i + 0.5); out[r - from] = m; } return 0;',
  goal: (/** @type {number} */ n, /** @type {string} */ kind) =>
    kind === 'u32' && n === 1e6 ? 5 : undefined,
};

export const FRESH = {
  id: 'fresh',
  title: 'get, newly made strings',
  body: sumOfGets,
  goal: () => 2,
};
