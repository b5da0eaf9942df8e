/**
 * A worker of the demo: attaches to tables, or receives a Map, and answers random lookups from it.
 */
import { parentPort } from 'node:worker_threads';
import { HashMap } from 'offheap/hashmap';
import { repeatable } from './lib/clock.mjs';

/** Ids of one request. */
const BATCH = 250;

let lat;
let lng;
let rows;
let known;

function serve({ from, seed, lookups }) {
  // The worker reads the existing ids from the shared bytes, too.
  known ??= Uint32Array.from(lat.keys());
  const pick = repeatable(seed);
  const ids = Uint32Array.from({ length: lookups }, () => known[pick(known.length)]);
  const lats = new Float64Array(lookups);
  const lngs = new Float64Array(lookups);
  const started = performance.now();
  if (from === 'tables') {
    for (let i = 0; i < lookups; i++) {
      lats[i] = lat.get(ids[i]);
      lngs[i] = lng.get(ids[i]);
    }
  } else if (from === 'tables, in batches') {
    for (let i = 0; i < lookups; i += BATCH) {
      const batch = ids.subarray(i, i + BATCH);
      lat.getMany(batch, lats.subarray(i, i + BATCH));
      lng.getMany(batch, lngs.subarray(i, i + BATCH));
    }
  } else {
    for (let i = 0; i < lookups; i++) {
      const row = rows.get(ids[i]);
      lats[i] = row.lat;
      lngs[i] = row.lng;
    }
  }
  const workMs = performance.now() - started;
  return { ids, lats, lngs, lookups, workMs };
}

parentPort.on('message', (message) => {
  if (message.task === 'attach') {
    lat = HashMap.attach(message.tokens.lat);
    lng = HashMap.attach(message.tokens.lng);
  } else if (message.task === 'receive') {
    rows = message.rows;
  }
  if (message.task !== 'serve') {
    parentPort.postMessage('done');
    return;
  }
  const answer = serve(message);
  parentPort.postMessage(answer, [answer.ids.buffer, answer.lats.buffer, answer.lngs.buffer]);
});
