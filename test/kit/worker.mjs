/** Attaches a shared structure, reads it once or until it is terminated, and reports its stats. */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { describeAll } from './structures/index.mjs';

const { dist, name, token, forever } = workerData;
const offheap = await import(join(dist, 'index.js'));
const { operations, Class } = Object.values(describeAll(offheap)).find((each) => each.name === name);
const structure = Class.attach(token);
const reads = Object.values(operations).filter(({ writes }) => writes !== true);

function readAll() {
  for (const { run } of reads) run(structure);
}

readAll();
const { origin, shared } = structure.stats();
parentPort.postMessage({ origin, shared });
while (forever) readAll();
