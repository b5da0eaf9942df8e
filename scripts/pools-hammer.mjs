/**
 * Runs 1e8 operations on one LockFreePool by threads in TypeScript, threads in Rust and threads
 * with caches at the same time, and checks that no block is lost or allocated twice. It takes
 * minutes; the short form is in test/pools/lock-free-pool.test.ts.
 *
 *   npm run build && node scripts/pools-hammer.mjs [operations = 1e8] [threads = 4]
 */
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { root } from './lib/run.mjs';

const dist = join(root, 'dist');
const { LockFreePool } = await import(join(dist, 'pools', 'index.js'));
const operations = Number(process.argv[2] ?? 1e8);
const threads = Number(process.argv[3] ?? 4);
const pool = new LockFreePool({ capacityBytes: 2 ** 20 });
const mailbox = new Int32Array(new SharedArrayBuffer(64 * 4));
const started = performance.now();
await Promise.all(
  Array.from({ length: threads }, async (_, i) => {
    const engine = ['js', 'js', 'rust', 'cached'][i % 4];
    const sizes = [16, 64, 100, 256, 1000, 5000];
    const share = Math.ceil(operations / threads);
    const worker = new Worker(join(root, 'test', 'helpers', 'pool-worker.mjs'), {
      workerData: { dist, token: pool.share(), engine, seed: i + 1, operations: share, sizes, mailbox },
    });
    const [{ failures }] = await once(worker, 'message');
    await worker.terminate();
    console.log(`${engine}: ${share} operations, ${failures} of them refused`);
  }),
);
for (const left of mailbox) if (left > 0) pool.free(left - 1);
pool.validate();
const { usedBlocks, cachedBytes, suspects } = pool.stats();
const whole = pool.tryAlloc(2 ** 20) === 0;
const sound = usedBlocks === 0 && cachedBytes === 0 && suspects.length === 0 && whole;
console.log(
  `${operations} operations in ${((performance.now() - started) / 1000).toFixed(0)} s: ${sound ? 'no block was lost or held twice' : 'BLOCKS WERE LOST'}`,
);
process.exitCode = sound ? 0 : 1;
