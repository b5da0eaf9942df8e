/** A worker reads the owner's vector while it grows. Nothing is copied or registered. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { Vector } from 'offheap/vector';

if (isMainThread) {
  const squares = new Vector('f64');
  squares.push(0, 1, 4);
  const worker = new Worker(new URL(import.meta.url), { workerData: squares.share() });
  assert.deepEqual((await once(worker, 'message'))[0], [3, 5]);

  for (let i = 3; i < 100_000; i++) squares.push(i * i);
  worker.postMessage('again');
  const [[length, sum]] = await once(worker, 'message');
  assert.equal(length, 100_000);
  assert.equal(sum, squares.sum());
  console.log(`the worker summed ${length} squares: ${sum}`);
  await worker.terminate();
} else {
  const squares = Vector.attach(workerData);
  const report = () => parentPort.postMessage([squares.length, squares.sum()]);
  parentPort.on('message', report);
  report();
}
