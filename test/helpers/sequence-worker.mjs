/**
 * A thread that reads an unchanging sequence: attaches, sums, says so, and then reads on until it
 * is ended.
 *
 *   workerData: { dist, type: 'PackedInts' | 'EliasFano', token, forever }
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const { dist, type, token, forever } = workerData;
const succinct = await import(pathToFileURL(join(dist, 'succinct', 'index.js')).href);
const sequence = succinct[type].attach(token);
const sum = () => {
  let total = 0;
  for (let i = 0; i < sequence.length; i++) total += Number(sequence.at(i));
  for (const value of sequence) total += Number(value);
  const all = sequence.getMany(Uint32Array.from({ length: sequence.length }, (_, i) => i));
  return all.reduce((a, b) => a + Number(b), total);
};
parentPort.postMessage({ sum: sum(), stats: sequence.stats() });
while (forever) sum();
