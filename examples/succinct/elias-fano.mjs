/** EliasFano: sorted integers in few bits each, searched in place. */
import assert from 'node:assert/strict';
import { EliasFano } from 'offheap/succinct';

// The arrival times of a million requests, in milliseconds: ascending, about 40 ms apart.
let now = 1_700_000_000_000;
const times = Float64Array.from(
  { length: 1_000_000 },
  (_, i) => (now += (i * 7919) % 80) - 1_700_000_000_000,
);
const log = EliasFano.from(times);
assert.equal(log.at(1000), times[1000]);

// The number of requests before a moment, and the time of the next one.
const moment = 60_000;
const before = log.rank(moment);
assert.ok(times[before - 1] < moment && times[before] >= moment);
assert.equal(log.nextGeq(moment), times[before]);

// A span of time is therefore a range of indices.
const minute = log.rank(2 * moment) - before;
console.log(
  `${minute} requests in the second minute; ${log.stats().bitsPerValue.toFixed(1)} bits for each time`,
);

// Many queries in one call.
assert.deepEqual([...log.getMany([0, 1, 2])], [...times.subarray(0, 3)]);
assert.equal(log.rankMany([0, moment])[1], before);

// Unsorted input is rejected.
assert.throws(() => EliasFano.from([3, 1, 2]), { code: 'ERR_OFFHEAP_RANGE', message: /sort them first/ });

log.close();
