/** One and two threads that read and write one map. */
import { Worker } from 'node:worker_threads';
import { SharedMap } from '../../dist/sharedmap/index.js';
import { median } from '../lib/measure.mjs';

const ENTRIES = 1e5;
const ORDER = 1 << 20;

/** Keys that follow Zipf's law with exponent 0.99, or are uniform. @param {boolean} zipf */
function orderOf(zipf) {
  const cumulative = new Float64Array(ENTRIES);
  let sum = 0;
  for (let rank = 0; rank < ENTRIES; rank++) {
    sum += 1 / (rank + 1) ** 0.99;
    cumulative[rank] = sum;
  }
  const shared = new SharedArrayBuffer(ORDER * 4);
  const order = new Uint32Array(shared);
  let state = 1;
  for (let i = 0; i < ORDER; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    const unit = (state >>> 0) / 2 ** 32;
    if (!zipf) {
      order[i] = Math.floor(unit * ENTRIES);
      continue;
    }
    let [low, high] = [0, ENTRIES - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle] < unit * sum) low = middle + 1;
      else high = middle;
    }
    order[i] = Math.imul(low, 7919) % ENTRIES;
  }
  return shared;
}

/**
 * Nanoseconds from the start of the threads to the end of the last, divided by the operations of
 * all.
 * @param {number} threads @param {SharedArrayBuffer} keys @param {number} writes of 256
 * @param {number} rounds @param {number} operations of each thread and round
 */
async function measure(threads, keys, writes, rounds, operations) {
  const map = new SharedMap({ key: 'u32', value: 'f64', maxBytes: ENTRIES * 100 });
  for (let key = 0; key < ENTRIES; key++) map.set(key, key);
  const gate = new SharedArrayBuffer(8);
  const start = new Int32Array(gate);
  const workers = Array.from(
    { length: threads },
    (_, index) =>
      new Worker(new URL('worker.mjs', import.meta.url), {
        workerData: { token: map.share(), keys, writes, gate, operations, from: index * 123_457 },
      }),
  );
  const answers = () =>
    Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
  await answers();
  const samples = [];
  for (let round = 1; round <= rounds; round++) {
    const done = answers();
    Atomics.store(start, 1, 0);
    for (const worker of workers) worker.postMessage(round);
    while (Atomics.load(start, 1) !== threads) await new Promise((resolve) => setImmediate(resolve));
    Atomics.store(start, 0, round);
    const times = /** @type {number[]} */ (await done);
    samples.push(Math.max(...times) / (operations * threads));
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
  map.close();
  return { ns: median(samples), rounds: samples };
}

/** @param {{ quick: boolean }} options */
export async function threads({ quick }) {
  const rows = [];
  const [rounds, operations] = quick ? [3, 300_000] : [9, 1_000_000];
  for (const zipf of [false, true]) {
    const keys = orderOf(zipf);
    for (const [title, writes, times] of /** @type {const} */ ([
      ['read only', 0, 1.9],
      ['95% reads', 13, 1.7],
      ['50% reads', 128, 1.3],
    ])) {
      rows.push({
        title: `${title}, ${zipf ? 'Zipf 0.99' : 'uniform'}`,
        results: {
          SharedMap: await measure(2, keys, writes, rounds, operations),
          'one thread': await measure(1, keys, writes, rounds, operations),
        },
        goals: [{ against: 'one thread', times }],
      });
    }
  }
  return rows;
}
