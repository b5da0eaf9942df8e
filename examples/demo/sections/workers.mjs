/**
 * Two workers answer queries from the tables of this thread. They receive tokens instead of copies;
 * plain JavaScript has to clone its Map into each of them.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { answers, count, heading, megabytes, ms, perSecond } from '../lib/screen.mjs';

export const title = 'Workers';
const WORKERS = 2;
const LOOKUPS = 500_000;

/** Sends a request to every worker and waits for all replies. */
async function ask(workers, messageFor) {
  const replies = workers.map((worker) => once(worker, 'message'));
  const started = performance.now();
  workers.forEach((worker, i) => worker.postMessage(messageFor(i)));
  const results = (await Promise.all(replies)).map(([reply]) => reply);
  return { ms: performance.now() - started, results };
}

/** Each worker reports the ids that it looked up, and the coordinates that it found. */
function check(checks, plain, results) {
  results.forEach(({ ids, lats, lngs }, worker) => {
    for (let i = 0; i < ids.length; i++) {
      const city = plain.byId.get(ids[i]);
      checks.same(`worker ${worker}, latitude of ${ids[i]}`, lats[i], city?.lat);
      checks.same(`worker ${worker}, longitude of ${ids[i]}`, lngs[i], city?.lng);
    }
  });
}

export async function run(world) {
  heading(title);
  const { tables, plain, checks } = world;
  const workers = Array.from(
    { length: WORKERS },
    () => new Worker(new URL('../worker.mjs', import.meta.url)),
  );
  try {
    // Wait until the workers have started and loaded their modules before measuring.
    await ask(workers, () => ({ task: 'hello' }));
    const shared = await ask(workers, () => ({
      task: 'attach',
      tokens: { lat: tables.lat.share(), lng: tables.lng.share() },
    }));
    const served = await ask(workers, (i) => ({
      task: 'serve',
      from: 'tables',
      seed: i + 1,
      lookups: LOOKUPS,
    }));
    check(checks, plain, served.results);
    const bulk = await ask(workers, (i) => ({
      task: 'serve',
      from: 'tables, in batches',
      seed: i + 11,
      lookups: LOOKUPS,
    }));
    check(checks, plain, bulk.results);

    const rows = new Map(plain.all.map(({ id, lat, lng }) => [id, { lat, lng }]));
    const cloned = await ask(workers, () => ({ task: 'receive', rows }));
    const other = await ask(workers, (i) => ({ task: 'serve', from: 'rows', seed: i + 1, lookups: LOOKUPS }));
    check(checks, plain, other.results);

    const bytes = tables.lat.byteLength + tables.lng.byteLength;
    const rate = ({ results }) =>
      results.reduce((sum, { lookups, workMs }) => sum + (lookups * 1000) / workMs, 0);
    const [ours, oursBulk, plainRate] = [rate(served), rate(bulk), rate(other)];
    answers([
      ['shared', `two columns, ${megabytes(bytes)}, with ${WORKERS} workers, without copying`],
      ['answered', `${count(3 * WORKERS * LOOKUPS)} random coordinates, each compared with the record`],
    ]);
    return [
      {
        label: `give the tables to ${WORKERS} workers`,
        ours: ms(shared.ms),
        plain: ms(cloned.ms),
        ratio: cloned.ms / shared.ms,
      },
      {
        label: `id → coordinates, ${WORKERS} workers in total`,
        ours: perSecond(ours),
        plain: perSecond(plainRate),
        ratio: ours / plainRate,
      },
      {
        label: 'the same, 250 ids per request',
        ours: perSecond(oursBulk),
        plain: perSecond(plainRate),
        ratio: oursBulk / plainRate,
      },
    ];
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
