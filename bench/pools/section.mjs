/** One thread, in a process of its own: every operation, every contender, in turns. */
import { MemPool } from '@thi.ng/malloc';
import { Buffer } from 'node:buffer';
import { FixedPool, LockFreePool, NumaPool, ThreadLocalPool } from '../../dist/pools/index.js';
import { serve } from '../lib/child.mjs';
import { compile, race } from '../lib/measure.mjs';
import { body, CONTENDERS, LIVE, TwoSwaps } from './operations.mjs';

const QUERIES = 1 << 16;
/** Pools that pass through one loop. */
const INSTANCES = 3;

/** @type {Record<string, (size: number) => any>} */
const make = {
  FixedPool: (size) => new FixedPool({ blockSize: size, blocks: 2 * LIVE }),
  NumaPool: (size) => new NumaPool({ capacityBytes: 4 * LIVE * size }),
  LockFreePool: (size) => new LockFreePool({ capacityBytes: 4 * LIVE * size }),
  ThreadLocalPool: (size) =>
    new ThreadLocalPool(new LockFreePool({ capacityBytes: 4 * LIVE * size }), {
      cacheBytes: 2 * LIVE * size,
    }),
  'two swaps': () => new TwoSwaps(),
  '@thi.ng/malloc'(size) {
    const pool = new MemPool({ size: 4 * LIVE * size });
    // The same interface as the others.
    return {
      u8: pool.u8,
      alloc: (/** @type {number} */ bytes) => pool.malloc(bytes),
      free: (/** @type {number} */ at) => pool.free(at),
    };
  },
  allocUnsafe: () => Buffer,
};

serve(({ operations, quick }) => {
  const plan = {
    rounds: quick ? 5 : 9,
    targetNs: quick ? 2e7 : 6e7,
    budgetNs: 2e9,
    least: 2048,
    check: false,
    amortized: false,
  };
  return operations.map(
    (/** @type {import('./operations.mjs').OPERATIONS[0]} */ { size, what, title, goals }) => {
      const random = Uint32Array.from({ length: QUERIES }, (_, i) => Math.imul(i, 2_654_435_761) >>> 0).map(
        (x) => x % LIVE,
      );
      const lanes = CONTENDERS.map((name) => {
        const run = compile(body(name, what, size));
        const instances = Array.from({ length: INSTANCES }, () => {
          const m = make[name](size);
          const allocate = () => (name === 'allocUnsafe' ? Buffer.allocUnsafe(size) : m.alloc(size));
          const live = what === 'churn' ? Array.from({ length: LIVE }, allocate) : [];
          return { m, b: { live, kept: [undefined] } };
        });
        const all = (/** @type {number} */ from, /** @type {number} */ to) => {
          for (const { m, b } of instances) run(m, random, b, from, to);
          return 0;
        };
        return { name, warm: all, run: all, limit: QUERIES, units: INSTANCES };
      });
      return { title, results: race(lanes, plan), goals };
    },
  );
});
