/**
 * PackedInts compared with a typed array of the next wider type: the cost of packing, and the
 * memory it saves.
 */
import { PackedInts } from '../../dist/succinct/index.js';
import { serve } from '../lib/child.mjs';
import { count } from '../lib/table.mjs';
import { contest, every, generator, instancesOf } from './measures.mjs';

const QUERIES = 1 << 16;

serve(({ n, quick }) => {
  const random = generator();
  return [
    { bits: 11, Type: Uint16Array },
    { bits: 25, Type: Uint32Array },
    { bits: 40, Type: Float64Array },
  ].map(({ bits, Type }) => {
    const arrays = Array.from({ length: instancesOf(n) }, () =>
      Type.from({ length: n }, () => Math.floor(random() * 2 ** bits)),
    );
    const made = arrays.map((array) => PackedInts.from(array, { bits }));
    const indices = arrays.map(() => Float64Array.from({ length: QUERIES }, () => Math.floor(random() * n)));
    const asked = indices.map((list) => Uint32Array.from(list));
    const outs = arrays.map(() => new Type(QUERIES));
    const into = {
      ours: `const o = m.out.subarray(0, to - from); m.ints.getMany(a.subarray(from, to), o);
        let sum = 0; for (let i = 0; i < 64; i++) sum += o[i]; return sum;`,
      peer: `const o = m.out; for (let i = from; i < to; i++) o[i - from] = m.array[a[i]];
        let sum = 0; for (let i = 0; i < 64; i++) sum += o[i]; return sum;`,
    };
    const whole = outs.map(() => new Type(n));
    // Three instances and the queries fit the caches of the core.
    const inCache = n <= 1e4;
    const rows = [
      contest('at', quick, {
        queries: asked,
        ours: { body: every('m.at(a[i])'), on: made },
        peer: { name: 'array[i]', body: every('m[a[i]]'), on: arrays },
        goals: inCache ? { below: 4 } : {},
      }),
      contest('getMany, random indices', quick, {
        queries: asked,
        ours: { body: into.ours, on: made.map((ints, i) => ({ ints, out: outs[i] })) },
        peer: {
          name: 'loop over the array',
          body: into.peer,
          on: arrays.map((array, i) => ({ array, out: outs[i] })),
        },
        goals: inCache ? { below: 1 } : {},
      }),
      contest('slice, all of it', quick, {
        queries: arrays,
        ours: {
          body: 'm.ints.slice(0, undefined, m.out); return m.out[1];',
          on: made.map((ints, i) => ({ ints, out: whole[i] })),
        },
        peer: {
          name: 'typed array set',
          body: 'm.out.set(m.array); return m.out[1];',
          on: arrays.map((array, i) => ({ array, out: whole[i] })),
        },
        whole: true,
        goals: { below: 1 },
      }),
      {
        title: 'memory',
        unit: 'bits',
        ours: (made[0].byteLength * 8) / n,
        peer: Type.name,
        theirs: Type.BYTES_PER_ELEMENT * 8,
      },
    ];
    return { title: `PackedInts, ${count(n)} of ${bits} bits (per integer)`, rows };
  });
});
