/** A thread of the measurements of SharedMap: attaches, or runs a mix of operations. */
import { parentPort, workerData } from 'node:worker_threads';
import { SharedMap } from '../../dist/sharedmap/index.js';
import { nanoseconds } from '../lib/measure.mjs';

if (workerData.work === 'attach') {
  const times = Array.from({ length: 15 }, () => {
    let map;
    const ns = nanoseconds(() => {
      map = SharedMap.attach(workerData.token);
      map.get(1);
    });
    map?.close();
    return ns;
  });
  parentPort?.postMessage(times);
} else {
  const { token, keys, writes, gate, operations } = workerData;
  const map = SharedMap.attach(token);
  const order = new Uint32Array(keys);
  const mask = order.length - 1;
  const start = new Int32Array(gate);
  // `writes` of 256 operations are writes, in an order that no branch predictor knows.
  const run = (/** @type {number} */ count, /** @type {number} */ from) => {
    let state = from | 1;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      const key = order[(from + i) & mask];
      if (((state >>> 16) & 255) < writes) map.set(key, i);
      else sum += map.get(key) ?? 0;
    }
    return sum;
  };
  run(200_000, 7);
  parentPort?.on('message', (/** @type {number} */ round) => {
    // All threads begin at the same time.
    Atomics.add(start, 1, 1);
    while (Atomics.load(start, 0) !== round);
    const ns = nanoseconds(() => run(operations, workerData.from + round * operations));
    parentPort?.postMessage(ns);
  });
  parentPort?.postMessage('ready');
}
