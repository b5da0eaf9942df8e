/**
 * Sorting off the main thread: it reports progress and can be aborted, and the vector can be read
 * meanwhile.
 */
import assert from 'node:assert/strict';
import { Vector } from 'offheap/vector';

const vector = new Vector('u32', { capacity: 2_000_000 });
for (let i = 0; i < 2_000_000; i++) vector.push(Math.imul(i, 2654435761) >>> 0);

const controller = new AbortController();
const sorting = vector.sortAsync({
  signal: controller.signal,
  onProgress: ({ done, total }) => console.log(`${Math.round((100 * done) / total)}%`),
});
assert.equal(vector.at(1), 2654435761); // unchanged until the sort ends
assert.throws(() => vector.push(1), { code: 'ERR_OFFHEAP_LOCKED' });
await sorting;
assert.equal(vector.at(0), 0);

const hopeless = vector.argsortAsync({ signal: controller.signal });
controller.abort();
await assert.rejects(hopeless, { name: 'AbortError' });
vector.close();
