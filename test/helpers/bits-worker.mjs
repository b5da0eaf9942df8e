/**
 * A thread that reads bits of another: a bit vector that grows under it, or rank and select. It
 * says what it saw, and reads on until it is ended.
 *
 *   workerData: { dist, token, stop }: `stop` is a shared word; the thread ends by itself when it
 *   is 1
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const { dist, token, stop } = workerData;
const { BitVector, RankSelect } = await import(pathToFileURL(join(dist, 'succinct', 'index.js')).href);

/**
 * Ones at multiples of three; but all of the first 999 bits may be inverted, which happens at once.
 */
function readBits() {
  let wrong = 0;
  const bits = BitVector.attach(token);
  parentPort.postMessage('ready');
  let longest = 0;
  while (Atomics.load(stop, 0) === 0) {
    const { length } = bits;
    if (length < longest) wrong++;
    longest = length;
    for (let i = 50; i < 100; i++) {
      const at = Math.floor((length * i) / 100);
      if (bits.get(at) !== (at % 3 === 0)) wrong++;
    }
    const count = bits.count(0, 999);
    if (count !== 333 && count !== 666) wrong++;
    const first = bits.nextSetBit(1);
    if (first !== 3 && first !== 1) wrong++;
    if (bits.ones(0).some((at) => at >= 999 && at % 3 !== 0)) wrong++;
  }
  return { wrong, longest };
}

function readRanks() {
  const structure = RankSelect.attach(token);
  parentPort.postMessage('ready');
  let sum;
  do {
    sum = structure.rank1(structure.length) + structure.select1(5) + structure.rank1Many([100])[0];
  } while (Atomics.load(stop, 0) === 0);
  return { sum, stats: structure.stats() };
}

parentPort.postMessage(token.offheap === 'bitvector' ? readBits() : readRanks());
