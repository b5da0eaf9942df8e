/** One of two workers: allocates and frees 64 bytes, and says how long one pair of that took. */
import { parentPort, workerData } from 'node:worker_threads';
import { FixedPool, LockFreePool, ThreadLocalPool } from '../../dist/pools/index.js';
import { compile, nanoseconds } from '../lib/measure.mjs';
import { body, LIVE, TwoSwaps } from './operations.mjs';

const { name, what, operations, token, barrier, seed } = workerData;
const shared = LockFreePool.attach(token);
/** @type {Record<string, () => any>} */
const make = {
  FixedPool: () => new FixedPool({ blockSize: 64, blocks: 2 * LIVE }),
  LockFreePool: () => shared,
  'two swaps': () => new TwoSwaps(),
  ThreadLocalPool: () => new ThreadLocalPool(shared, { cacheBytes: 2 * LIVE * 64 }),
};
const pool = make[name]();
const run = compile(body(name, what, 64));
const live = what === 'churn' ? Array.from({ length: LIVE }, () => pool.alloc(64)) : [];
const random = Uint32Array.from(
  { length: 1 << 16 },
  (_, i) => (Math.imul(i + seed, 2_654_435_761) >>> 0) % LIVE,
);
const rounds = Math.ceil(operations / random.length);
const go = (/** @type {number} */ count) => {
  for (let i = 0; i < count; i++) run(pool, random, { live }, 0, random.length);
};
go(Math.ceil(rounds / 10));

Atomics.add(barrier, 0, 1);
Atomics.notify(barrier, 0);
while (Atomics.load(barrier, 0) < 2) Atomics.wait(barrier, 0, 1, 10);
const taken = nanoseconds(() => go(rounds));
for (const at of live) pool.free(at);
pool.close();
shared.close();
parentPort?.postMessage(taken / (rounds * random.length));
