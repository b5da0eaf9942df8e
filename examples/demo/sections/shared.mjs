/**
 * Four workers keep their answers in one SharedMap, and a second process finds all of them in its
 * file. Plain JavaScript has a Map in each worker, which computes everything again, or one Map
 * whose owner is asked by messages.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { SharedMap } from 'offheap/sharedmap';
import { POINTS, nearbyPlain } from '../lib/nearby.mjs';
import { answers, count, heading, megabytes, ms, perSecond } from '../lib/screen.mjs';

export const title = 'Answers of four workers';
const WORKERS = 4;
const REQUESTS = 5000;
const MAP = { key: 'u32', value: 'json', maxBytes: 4 * 2 ** 20 };
const program = new URL('../answers.mjs', import.meta.url);

/** Performs a task and returns its result. Replies of an owner of answers are in between. */
async function perform(target, task) {
  const done = new Promise((resolve, reject) => {
    const listener = ({ done }) => {
      if (done === undefined) return;
      target.off('message', listener);
      resolve(done);
    };
    target.on('message', listener);
    target.once('error', reject);
  });
  if (target instanceof Worker) target.postMessage(task);
  else target.send(task);
  return done;
}

/** All workers answer their requests. `seed` selects these. */
async function serveAll(workers, from, seed) {
  const started = performance.now();
  const results = await Promise.all(
    workers.map((worker, i) => perform(worker, { task: 'serve', from, seed: seed + i, requests: REQUESTS })),
  );
  const elapsed = performance.now() - started;
  const computed = results.reduce((sum, result) => sum + result.computed, 0);
  return { results, computed, perSecond: (workers.length * REQUESTS * 1000) / elapsed };
}

/** Answers requests of workers from a Map of this thread. */
function own(workers) {
  const kept = new Map();
  for (const worker of workers) {
    worker.on('message', ({ want, id, keep, answer }) => {
      if (want !== undefined) worker.postMessage({ reply: id, found: kept.get(want) });
      if (keep !== undefined) kept.set(keep, answer);
    });
  }
}

/** The requests of a process that was just started. */
async function startProcess(paths, answersPath) {
  const child = fork(program, { serialization: 'advanced' });
  const exited = once(child, 'exit');
  await perform(child, { task: 'open', paths, answers: answersPath });
  const serve = (from) => perform(child, { task: 'serve', from, seed: 91, requests: REQUESTS });
  const result = { shared: await serve('shared'), own: await serve('own') };
  await perform(child, { task: 'close' });
  child.disconnect();
  const [code] = await exited;
  if (code !== 0) throw new Error(`the second process exited with ${code}`);
  return result;
}

export async function run(world) {
  heading(title);
  const { plain, checks } = world;
  const { lat, lng, name, country } = world.tables;
  const tables = { lat, lng, name, country };
  const expected = Array.from({ length: POINTS }, (_, point) => {
    const found = nearbyPlain(plain, point);
    return { id: found[0].id, km: found.reduce((sum, place) => sum + place.km, 0) };
  });
  const check = ({ points, nearest, kilometers }) => {
    points.forEach((point, i) => {
      checks.same(`nearest place to point ${point}`, nearest[i], expected[point].id);
      checks.same(`distances from point ${point}`, kilometers[i], expected[point].km);
    });
  };
  const folder = mkdtempSync(join(tmpdir(), 'offheap-demo-'));
  const path = join(folder, 'answers');
  // Maps in files need Linux. Elsewhere the workers share memory, and there is no second process.
  const hasFiles = process.platform === 'linux';
  const map = hasFiles ? SharedMap.open(path, MAP) : new SharedMap(MAP);
  const workers = Array.from({ length: WORKERS }, () => new Worker(program));
  try {
    const tokens = Object.fromEntries(Object.entries(tables).map(([key, table]) => [key, table.share()]));
    const attach = (worker) => perform(worker, { task: 'attach', tokens, answers: map.share() });
    await Promise.all(workers.map(attach));
    own(workers);

    // Each side fills its store, and then answers more requests with it.
    const measured = {};
    for (const from of ['shared', 'own', 'owner']) {
      const filling = await serveAll(workers, from, 1);
      const known = await serveAll(workers, from, 11);
      [...filling.results, ...known.results].forEach(check);
      measured[from] = { filling, known, computed: filling.computed + known.computed };
    }
    const weights = await Promise.all(workers.map((worker) => perform(worker, { task: 'weigh' })));
    const ownBytes = weights.reduce((sum, bytes) => sum + bytes, 0);
    const { usedBytes, entries } = map.stats();
    const { shared, own: maps, owner } = measured;

    const rows = [
      {
        label: 'ten nearest, beside a Map per worker',
        ours: perSecond(shared.filling.perSecond),
        plain: perSecond(maps.filling.perSecond),
        ratio: shared.filling.perSecond / maps.filling.perSecond,
      },
      {
        label: 'ten nearest, beside messages to one owner',
        ours: perSecond(shared.filling.perSecond),
        plain: perSecond(owner.filling.perSecond),
        ratio: shared.filling.perSecond / owner.filling.perSecond,
      },
      {
        label: 'all answers known, beside a Map per worker',
        ours: perSecond(shared.known.perSecond),
        plain: perSecond(maps.known.perSecond),
        ratio: shared.known.perSecond / maps.known.perSecond,
      },
      {
        label: 'all answers known, beside messages',
        ours: perSecond(shared.known.perSecond),
        plain: perSecond(owner.known.perSecond),
        ratio: shared.known.perSecond / owner.known.perSecond,
      },
      {
        label: 'hit rate, beside a Map per worker (ratio: misses)',
        ours: hitRate(shared.computed, 2 * WORKERS * REQUESTS),
        plain: hitRate(maps.computed, 2 * WORKERS * REQUESTS),
        ratio: maps.computed / shared.computed,
      },
      {
        label: 'memory of the answers, beside 4 Maps',
        ours: megabytes(usedBytes),
        plain: megabytes(ownBytes),
        ratio: ownBytes / usedBytes,
      },
    ];
    const lines = [
      ['asked', `${count(2 * WORKERS * REQUESTS)} times for the ten nearest places, by ${WORKERS} workers`],
      [
        'computed',
        `${count(shared.computed)} answers with one SharedMap, ${count(maps.computed)} with a Map per worker, ` +
          `${count(owner.computed)} with one owner`,
      ],
    ];
    if (hasFiles) {
      const paths = {};
      for (const [key, table] of Object.entries(tables)) {
        paths[key] = join(folder, key);
        await table.save(paths[key]);
      }
      const second = await startProcess(paths, path);
      [second.shared, second.own].forEach(check);
      lines.push([
        'started',
        `a second process on the same file: ${hitRate(second.shared.computed, REQUESTS)} of its requests hit`,
      ]);
      rows.push({
        label: `a process starts: ${count(REQUESTS)} requests`,
        ours: ms(second.shared.workMs),
        plain: ms(second.own.workMs),
        ratio: second.own.workMs / second.shared.workMs,
      });
    }
    map.validate();
    checks.same('answers in the SharedMap', entries, shared.computed);
    answers(lines);
    return rows;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
    map.close();
    rmSync(folder, { recursive: true });
  }
}

const hitRate = (computed, requests) => `${(100 * (1 - computed / requests)).toFixed(1)}%`;
