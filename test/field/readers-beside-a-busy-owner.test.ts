/**
 * A reader repeats a read that a rearrangement disturbs. A read that takes longer than its owner
 * leaves between two rearrangements used to be repeated without end; now it ends with
 * ERR_OFFHEAP_LOCKED after a limit.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';
import { LIMITS } from '../../src/region/table.js';

/** Attaches, shortens the limit, reads all bytes, and posts the code of the error, or 'read'. */
const code = `
  import { parentPort, workerData } from 'node:worker_threads';
  const { HashMap } = await import(workerData.dist + 'hashmap/index.js');
  const { LIMITS } = await import(workerData.dist + 'region/table.js');
  LIMITS.waitMs = 100;
  const map = HashMap.attach(workerData.token);
  parentPort.postMessage('ready');
  let result = 'read';
  try {
    map.toBytes();
  } catch (error) {
    result = error.code;
  }
  workerData.flag[0] = 1;
  parentPort.postMessage(result);
`;

it('a long read ends beside an owner that never stops rearranging', { timeout: 60_000 }, async () => {
  expect(LIMITS.waitMs).toBe(30_000);
  const map = new HashMap({ key: 'u32', value: 'f64', capacity: 2_000_000 });
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const dist = new URL('../../dist/', import.meta.url).href;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
    workerData: { dist, token: map.share(), flag },
  });
  await once(worker, 'message');
  const message = once(worker, 'message');
  while (Atomics.load(flag, 0) === 0) {
    map.clear();
    map.set(1, 1);
  }
  const [result] = (await message) as [string];
  // On a fast machine the copy can fit between two rearrangements.
  expect(['ERR_OFFHEAP_LOCKED', 'read']).toContain(result);
  await worker.terminate();
  map.validate();
});
