/** Writes to a full map with a function `choose` of its own. */
import { workerData } from 'node:worker_threads';
import { SharedMap } from '../../dist/sharedmap/index.js';

const { token, id } = workerData;
const map = SharedMap.attach(token, {
  choose: (candidates) => candidates.slice(0, 4).map(({ key }) => key),
});
for (let i = 0; i < 3000; i++) {
  const key = id * 10_000 + i;
  map.set(key, new Uint8Array((i * 7) % 900).fill(key));
}
map.close();
