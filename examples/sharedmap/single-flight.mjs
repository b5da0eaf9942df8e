/** Many callers in four workers need the same value, and it is computed once. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { SharedMap } from 'offheap/sharedmap';

const WORKERS = 4;
const CALLERS = 25;

if (isMainThread) {
  const reports = new SharedMap({ key: 'string', value: 'mixed', maxBytes: 2 ** 20 });
  const workers = Array.from(
    { length: WORKERS },
    () => new Worker(new URL(import.meta.url), { workerData: reports.share() }),
  );
  const answers = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
  assert.deepEqual(new Set(answers.flat()), new Set(['the report']));
  assert.equal(reports.get('computed'), 1);

  // An error is the caller's, and is not stored: the next caller computes.
  const failing = reports.getOrCompute('other', () => Promise.reject(new Error('no connection')));
  await assert.rejects(failing, /no connection/);
  assert.equal(await reports.getOrCompute('other', async () => 'second attempt'), 'second attempt');
  console.log(`${answers.flat().length} callers, computed ${reports.get('computed')} time`);
} else {
  const reports = SharedMap.attach(workerData);
  const compute = async (key, { signal }) => {
    reports.increment('computed');
    await sleep(50, undefined, { signal }); // a slow query; it ends early if the lease is over
    return `the ${key}`;
  };
  const load = () => reports.getOrCompute('report', compute, { ttl: 60_000, lease: 10_000 });
  parentPort.postMessage(await Promise.all(Array.from({ length: CALLERS }, load)));
}
