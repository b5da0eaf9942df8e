/**
 * Attaches a shared structure, and reports its contents, the results of its reads and its stats.
 * Then it ends, or reads until it is terminated.
 */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { describeAll } from './structures/index.mjs';

const { dist, title, token, forever } = workerData;
const offheap = await import(join(dist, 'index.js'));
const { operations, Class, contents } = describeAll(offheap)[title];
const structure = Class.attach(token);
const reads = Object.entries(operations).filter(([, { writes }]) => writes !== true);

const results = Object.fromEntries(reads.map(([name, { run }]) => [name, run(structure)]));
const { origin, shared } = structure.stats();
parentPort.postMessage({ origin, shared, results, contents: contents(structure) });
while (forever) {
  for (const [name, { run }] of reads) {
    // The owner may write, which moves the contents under an iteration or removes an entry, and is
    // between two steps of a change while the contents are verified.
    const allowed = ['ERR_OFFHEAP_STALE', 'ERR_OFFHEAP_RANGE'];
    if (name === 'validate') allowed.push('ERR_OFFHEAP_CORRUPT');
    try {
      run(structure);
    } catch (error) {
      if (!(error instanceof offheap.OffheapError) || !allowed.includes(error.code)) throw error;
    }
  }
}
