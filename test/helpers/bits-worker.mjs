/**
 * A thread that reads a bit vector while its owner changes it, until the shared word `stop` is 1.
 * Then it reports the number of wrong results and the greatest length.
 *
 *   workerData: { dist, token, stop }
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const { dist, token, stop } = workerData;
const { BitVector } = await import(pathToFileURL(join(dist, 'succinct', 'index.js')).href);

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

parentPort.postMessage(readBits());
