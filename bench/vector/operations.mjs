/**
 * The operations. The body of a loop is given `m`, an instance; `a`, numbers (values to push, or
 * positions to read); and the range `from` to `to`. A contender without a body does not support the
 * operation.
 */

/** @typedef {import('../lib/report.mjs').Goal} Goal */

const INDEXED = 'let s = 0; for (let i = from; i < to; i++) s += m[a[i]]; return s;';
const STORED = 'for (let i = from; i < to; i++) m[a[i]] = i; return 0;';
const WALKED = 'let s = 0; for (const x of m) s += x; return s;';
const PUSHED = 'for (let i = 0; i < a.length; i++) m.push(a[i]); return m;';

/**
 * Operations on single elements.
 *
 * @type {{ id: string, title: string, walk: 'fill' | 'range' | 'whole', body: Record<string,
 *   string>,
 *   goals?: (n: number) => Goal[] }[]}
 */
export const ELEMENTS = [
  {
    id: 'push',
    title: 'push, from empty',
    walk: 'fill',
    body: { Vector: PUSHED, Array: PUSHED, mnemonist: PUSHED },
    goals: (n) =>
      n === 1e7
        ? [
            { against: 'Array', times: 3 },
            { against: 'mnemonist', times: 5 },
          ]
        : [],
  },
  {
    id: 'pushMany',
    title: 'pushMany of a typed array (Array: push; TypedArray: set into an existing one)',
    walk: 'fill',
    body: {
      Vector: 'm.pushMany(a); return m;',
      Array: PUSHED,
      TypedArray: 'm.set(a); return m;',
      mnemonist: PUSHED,
    },
  },
  {
    id: 'at',
    title: 'at, random order',
    walk: 'range',
    body: {
      Vector: 'let s = 0; for (let i = from; i < to; i++) s += m.at(a[i]); return s;',
      Array: INDEXED,
      TypedArray: INDEXED,
      mnemonist: 'let s = 0; for (let i = from; i < to; i++) s += m.get(a[i]); return s;',
    },
  },
  {
    id: 'set',
    title: 'set, random order',
    walk: 'range',
    body: {
      Vector: 'for (let i = from; i < to; i++) m.set(a[i], i); return 0;',
      Array: STORED,
      TypedArray: STORED,
      mnemonist: 'for (let i = from; i < to; i++) m.set(a[i], i); return 0;',
    },
  },
  {
    id: 'iterate',
    title: 'for … of',
    walk: 'whole',
    body: { Vector: WALKED, Array: WALKED, TypedArray: WALKED, mnemonist: WALKED },
  },
  {
    id: 'forEach',
    title: 'forEach',
    walk: 'whole',
    body: Object.fromEntries(
      ['Vector', 'Array', 'TypedArray'].map((name) => [
        name,
        'let s = 0; m.forEach((x) => { s += x; }); return s;',
      ]),
    ),
  },
  {
    id: 'view',
    title: 'a loop over view (others: over themselves)',
    walk: 'whole',
    body: {
      Vector: 'const v = m.view; let s = 0; for (let i = 0; i < v.length; i++) s += v[i]; return s;',
      Array: 'let s = 0; for (let i = 0; i < m.length; i++) s += m[i]; return s;',
      TypedArray: 'let s = 0; for (let i = 0; i < m.length; i++) s += m[i]; return s;',
    },
  },
];

/**
 * The goals of operations that read every element: the speed of memory.
 * @param {number} n
 * @returns {Goal[]}
 */
const streaming = (n) => (n === 1e7 ? [{ against: 'memory', within: 1.3 }] : []);
const LEAST = 'let r = Infinity; for (let i = 0; i < m.length; i++) if (m[i] < r) r = m[i]; return r;';
const MOST = 'let r = -Infinity; for (let i = 0; i < m.length; i++) if (m[i] > r) r = m[i]; return r;';
const ADDED = 'let r = 0; for (let i = 0; i < m.length; i++) r += m[i]; return r;';

/**
 * Operations on all elements at once. `body` is an expression or a loop over `m`, whose elements
 * are in random order, or sorted if `sorted`; it is refilled first if `changes`. `absent` is a
 * value that is not in `m`.
 *
 * @type {{ id: string, title: string, changes?: boolean, sorted?: boolean, body: Record<string,
 *   string>,
 *   goals?: (n: number, type: string) => Goal[], most?: Record<string, number> }[]}
 */
export const BULK = [
  {
    id: 'sort',
    title: 'sort',
    changes: true,
    body: { Vector: 'm.sort()', Array: 'm.sort((x, y) => x - y)', TypedArray: 'm.sort()' },
    most: { Array: 1e6 },
    goals: (n, type) => (n === 1e7 ? [{ against: 'TypedArray', times: type === 'f64' ? 5 : 8 }] : []),
  },
  {
    id: 'argsort',
    title: 'argsort (others: indices, by a comparator)',
    body: {
      Vector: 'm.argsort()',
      Array: 'm.map((_, i) => i).sort((i, j) => m[i] - m[j])',
      TypedArray: 'Uint32Array.from(m, (_, i) => i).sort((i, j) => m[i] - m[j])',
    },
    most: { Array: 1e5, TypedArray: 1e6 },
  },
  {
    id: 'sum',
    title: 'sum (exact, or compensated; others: a plain loop)',
    body: { Vector: 'm.sum()', Array: ADDED, TypedArray: ADDED },
    goals: streaming,
  },
  { id: 'min', title: 'min', body: { Vector: 'm.min()', Array: LEAST, TypedArray: LEAST }, goals: streaming },
  { id: 'max', title: 'max', body: { Vector: 'm.max()', Array: MOST, TypedArray: MOST }, goals: streaming },
  {
    id: 'indexOf',
    title: 'indexOf, of an absent value',
    body: { Vector: 'm.indexOf(absent)', Array: 'm.indexOf(absent)', TypedArray: 'm.indexOf(absent)' },
    goals: streaming,
  },
  {
    id: 'fill',
    title: 'fill',
    changes: true,
    body: { Vector: 'm.fill(7)', Array: 'm.fill(7)', TypedArray: 'm.fill(7)' },
  },
  {
    id: 'search',
    title: 'binarySearchMany, of 100,000 (others: a loop)',
    sorted: true,
    body: {
      Vector: 'm.binarySearchMany(asked)',
      TypedArray: `let found = 0;
        for (let k = 0; k < asked.length; k++) {
          const x = asked[k];
          let low = 0, high = m.length;
          while (low < high) { const i = (low + high) >>> 1; if (m[i] < x) low = i + 1; else high = i; }
          if (m[low] === x) found++;
        }
        return found;`,
    },
  },
];
