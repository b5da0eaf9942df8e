/**
 * A thread that reads a shared Bloom filter or suffix array: attaches, answers, says so, and then
 * goes on until it is ended.
 *
 *   workerData: { dist, type: 'BloomFilter' | 'SuffixArray', token, asked, forever }
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const { dist, type, token, asked, forever } = workerData;
const compress = await import(pathToFileURL(join(dist, 'compress', 'index.js')).href);
const structure = compress[type].attach(token);
const answers = () =>
  type === 'BloomFilter'
    ? [...structure.hasMany(asked), ...asked.map((key) => Number(structure.has(key)))]
    : asked.map((pattern) => structure.search(pattern).count);
parentPort.postMessage(answers());
while (forever) answers();
