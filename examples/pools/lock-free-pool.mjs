/**
 * Two workers and this thread share one pool: a thread allocates and fills a block, and the thread
 * that receives its offset frees it.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { LockFreePool, ThreadLocalPool } from 'offheap/pools';

const pool = new LockFreePool({ capacityBytes: 1 << 20 });

const script = `
  import { parentPort, workerData } from 'node:worker_threads';
  import { LockFreePool } from ${JSON.stringify(import.meta.resolve('offheap/pools'))};
  const pool = LockFreePool.attach(workerData);
  parentPort.on('message', (request) => {
    // The request is the offset of two numbers. The answer is a block allocated by this thread.
    const [a, b] = pool.f64.subarray(request / 8, request / 8 + 2);
    pool.free(request);
    const answer = pool.alloc(8);
    pool.f64[answer / 8] = a * b;
    parentPort.postMessage(answer);
  });
`;
const url = new URL(`data:text/javascript,${encodeURIComponent(script)}`);
const workers = [1, 2].map(() => new Worker(url, { workerData: pool.share() }));

// A cache of this thread: blocks freed by the workers return to it.
const local = new ThreadLocalPool(pool, { cacheBytes: 65_536 });
let sum = 0;
for (let i = 1; i <= 10; i++) {
  const worker = workers[i % 2];
  const request = local.alloc(16);
  local.f64.set([i, 10], request / 8);
  worker.postMessage(request);
  const [answer] = await once(worker, 'message');
  sum += pool.f64[answer / 8];
  local.free(answer);
}
assert.equal(sum, 550);
assert.equal(pool.stats().usedBlocks, 0);

// A terminated worker returns the resources of its handle.
await Promise.all(workers.map((worker) => worker.terminate()));
assert.equal(pool.stats().handles, 2);
local.close();
pool.validate();
console.log(`10 requests through shared memory: ${sum}`);
