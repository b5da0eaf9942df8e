/**
 * EliasFano compared with binary search in a sorted Float64Array: the same results in 8 to 20 times
 * fewer bytes.
 */
import { EliasFano } from '../../dist/succinct/index.js';
import { serve } from '../lib/child.mjs';
import { count } from '../lib/table.mjs';
import { contest, every, generator, instancesOf, lowerBound } from './measures.mjs';

const QUERIES = 1 << 16;

serve(({ n, quick }) => {
  const random = generator();
  return [4, 1000].map((gap) => {
    const arrays = Array.from({ length: instancesOf(n) }, () => {
      let last = 0;
      return Float64Array.from({ length: n }, () => (last += Math.floor(random() * (2 * gap + 1))));
    });
    const made = arrays.map((array) => EliasFano.from(array));
    const indices = arrays.map(() => Float64Array.from({ length: QUERIES }, () => Math.floor(random() * n)));
    const values = arrays.map((array) =>
      Float64Array.from({ length: QUERIES }, () => Math.floor(random() * (array[n - 1] + 1))),
    );
    const bulk = (/** @type {string} */ call) =>
      `const part = out.subarray(0, to - from); m.${call}(a.subarray(from, to), part);
       let sum = 0; for (let i = 0; i < 64; i++) sum += part[i]; return sum;`;
    const partly = (/** @type {string} */ answer) =>
      `for (let i = from; i < to; i++) out[i - from] = ${answer};
       let sum = 0; for (let i = 0; i < 64; i++) sum += out[i]; return sum;`;
    const search = { name: 'binary search', on: arrays, helpers: { lowerBound } };
    const { bitsPerValue } = made[0].stats();
    // Goals: from about 100,000 values on, searching a plain array misses the caches.
    const faster = n >= 1e5 ? 2 : 1;
    const rows = [
      contest('at', quick, {
        queries: indices,
        ours: { body: every('m.at(a[i])'), on: made },
        peer: { name: 'array[i]', body: every('m[a[i]]'), on: arrays },
      }),
      contest('rank', quick, {
        queries: values,
        ours: { body: every('m.rank(a[i])'), on: made },
        peer: { ...search, body: every('lowerBound(m, a[i])') },
        goals: { ratio: faster },
      }),
      contest('nextGeq', quick, {
        queries: values,
        ours: { body: every('m.nextGeq(a[i])'), on: made },
        peer: { ...search, body: every('m[lowerBound(m, a[i])]') },
        goals: { ratio: faster },
      }),
      contest('getMany', quick, {
        queries: indices,
        ours: { body: bulk('getMany'), on: made },
        peer: { name: 'loop over at', body: partly('m.at(a[i])'), on: made },
        goals: n >= 1e6 ? { ratio: 2 } : {},
      }),
      contest('rankMany', quick, {
        queries: values,
        ours: { body: bulk('rankMany'), on: made },
        peer: { ...search, body: partly('lowerBound(m, a[i])') },
        goals: { ratio: faster },
      }),
      contest('iteration (for of)', quick, {
        queries: arrays,
        ours: { body: 'let s = 0; for (const v of m) s += v; return s;', on: made },
        peer: { name: 'array', body: 'let s = 0; for (const v of m) s += v; return s;', on: arrays },
        whole: true,
      }),
      contest('from', quick, {
        queries: arrays,
        ours: {
          body: 'const made = M.from(m); made.close(); return 0;',
          on: arrays,
          helpers: { M: EliasFano },
        },
        peer: { name: 'new Float64Array', body: 'new Float64Array(m); return 0;', on: arrays },
        whole: true,
      }),
      {
        title: 'memory',
        unit: 'bits',
        ours: bitsPerValue,
        peer: 'Float64Array',
        theirs: 64,
        below: n >= 1e5 ? Number((2.85 + Math.log2(gap)).toFixed(2)) : undefined,
      },
    ];
    return { title: `EliasFano, ${count(n)} values, gaps of ${count(gap)} (per value)`, rows };
  });
});
