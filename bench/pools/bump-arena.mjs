/**
 * BumpArena compared with Node's short-lived memory: batches of blocks, with one byte of each
 * written, all of which are then released (the peers' blocks are garbage collected, and the time of
 * the collector is included).
 *
 * The suite `pools` runs this script in a process of its own. Like the other sections, it answers
 * with a title and rows.
 */
import { BumpArena } from '../../dist/pools/index.js';
import { serve } from '../lib/child.mjs';
import { compile, race } from '../lib/measure.mjs';

/** Blocks in a batch. */
const BATCH = 256;
/** Three instances pass through each loop; a single one would be folded into the code. */
const INSTANCES = 3;

const ours = (/** @type {string} */ alloc) => `
  let sum = 0;
  for (let batch = from; batch < to; batch++) {
    for (let i = 0; i < ${BATCH}; i++) { const at = ${alloc}; m.u8[at] = i; b[i] = at; }
    sum += b[${BATCH - 1}];
    m.reset();
  }
  return sum;`;
const scoped = `
  let sum = 0;
  const work = (arena) => { const at = arena.alloc(a); arena.u8[at] = 1; return arena.u8[at]; };
  for (let batch = from; batch < to; batch++) for (let i = 0; i < ${BATCH}; i++) sum += m.scope(work);
  return sum;`;
const peer = (/** @type {string} */ alloc) => `
  let sum = 0;
  for (let batch = from; batch < to; batch++) {
    for (let i = 0; i < ${BATCH}; i++) { const block = ${alloc}; block[0] = i; b[i] = block; }
    sum += b[${BATCH - 1}][0];
  }
  return sum;`;

serve(({ quick }) =>
  [64, 1024, 16_384].map((bytes) => {
    const arenas = (/** @type {object} */ options = {}) =>
      Array.from({ length: INSTANCES }, () => new BumpArena({ chunkBytes: 2 ** 22, ...options }));
    const none = Array.from({ length: INSTANCES }, () => undefined);
    const contenders = {
      alloc: { body: ours('m.alloc(a)'), on: arenas() },
      'alloc, aligned to 64': { body: ours('m.alloc(a, 64)'), on: arenas() },
      zeroOnFree: { body: ours('m.alloc(a)'), on: arenas({ zeroOnFree: true }) },
      guards: { body: ours('m.alloc(a)'), on: arenas({ guards: true }) },
      'a scope for each block': { body: scoped, on: arenas() },
      'Buffer.allocUnsafe': { body: peer('Buffer.allocUnsafe(a)'), on: none },
      'new Uint8Array': { body: peer('new Uint8Array(a)'), on: none },
    };
    const lanes = Object.entries(contenders).map(([name, { body, on }]) => {
      const compiled = compile(body);
      // All blocks of a batch are alive until it ends.
      const held = new Array(BATCH).fill(0);
      const run = (/** @type {number} */ from, /** @type {number} */ to) => {
        let sum = 0;
        for (const instance of on) sum += compiled(instance, bytes, held, from, to);
        return sum;
      };
      return { name, warm: run, run, limit: 1 << 20, units: BATCH * on.length };
    });
    const raced = race(lanes, {
      rounds: quick ? 21 : 51,
      targetNs: 5e6,
      budgetNs: 2e9,
      least: 4,
      check: false,
    });
    const peers = ['Buffer.allocUnsafe', 'new Uint8Array'];
    return {
      title: `BumpArena, blocks of ${bytes} bytes`,
      rows: Object.keys(contenders)
        .filter((name) => !peers.includes(name))
        .flatMap((name) =>
          // The second peer is only compared with plain allocation.
          (name === 'alloc' ? peers : peers.slice(0, 1)).map((against) => ({
            title: name,
            ours: raced[name].ns,
            peer: against,
            theirs: raced[against].ns,
            raw: { ours: raced[name].rounds, peer: raced[against].rounds },
          })),
        ),
    };
  }),
);
