/** Four workers fill and read one map. Whatever one of them stores, the others find. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { SharedMap } from 'offheap/sharedmap';

const WORKERS = 4;
const REQUESTS = 5000;
const PLACES = 2000;

/** As a query of a database would be: expensive, and the same for every caller. */
const describe = (id) => ({ id, name: `place ${id}`, visits: 0 });

if (isMainThread) {
  const answers = new SharedMap({ key: 'u32', value: 'json', maxBytes: 8 * 2 ** 20 });
  const counters = new SharedMap({ key: 'string', value: 'f64', maxBytes: 2 ** 16 });
  const workers = Array.from(
    { length: WORKERS },
    (_, id) =>
      new Worker(new URL(import.meta.url), {
        workerData: { id, answers: answers.share(), counters: counters.share() },
      }),
  );
  const hits = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));

  assert.equal(counters.get('requests'), WORKERS * REQUESTS);
  assert.deepEqual(answers.get(7), describe(7));
  const { entries, usedBytes, maxBytes } = answers.stats();
  assert.ok(entries <= PLACES && usedBytes <= maxBytes);
  // Alone, each worker would have had to compute all answers by itself.
  const rate = hits.reduce((sum, count) => sum + count, 0) / (WORKERS * REQUESTS);
  console.log(`${entries} answers in ${usedBytes} bytes; ${(rate * 100).toFixed(1)}% of the requests hit`);
} else {
  const answers = SharedMap.attach(workerData.answers);
  const counters = SharedMap.attach(workerData.counters);
  let hits = 0;
  for (let i = 0; i < REQUESTS; i++) {
    const id = (i * 7919 + workerData.id * 104_729) % PLACES;
    if (answers.get(id) === undefined) answers.set(id, describe(id), { ttl: 60_000 });
    else hits++;
    counters.increment('requests');
  }
  parentPort.postMessage(hits);
}
