/** Workers read the owner's map while the owner writes to it. Nothing is copied or registered. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { HashMap } from 'offheap/hashmap';

if (isMainThread) {
  const squares = new HashMap({ key: 'u32', value: 'f64' });
  for (let i = 0; i < 1000; i++) squares.set(i, i * i);

  // The token is a plain object for workerData or postMessage.
  const worker = new Worker(new URL(import.meta.url), { workerData: squares.share() });
  const [first] = await once(worker, 'message');
  assert.equal(first, 999 * 999);

  // The owner continues to write, and the map grows far beyond its size at the time of attach().
  for (let i = 1000; i < 50_000; i++) squares.set(i, i * i);
  worker.postMessage(49_999);
  const [second] = await once(worker, 'message');
  assert.equal(second, 49_999 ** 2);
  console.log(`the worker read ${second} from the owner’s memory`);
  await worker.terminate();
  squares.close();
} else {
  const squares = HashMap.attach(workerData);
  // A reader cannot change the map.
  assert.throws(() => squares.set(1, 1), { code: 'ERR_OFFHEAP_UNSUPPORTED' });
  parentPort.on('message', (key) => parentPort.postMessage(squares.get(key)));
  parentPort.postMessage(squares.get(999));
}
