/**
 * `npm run bench -- pools`: FixedPool, NumaPool, LockFreePool and ThreadLocalPool beside
 * `Buffer.allocUnsafe` and `@thi.ng/malloc`; BumpArena beside Node's short-lived memory.
 *
 * "two workers" is the time of one operation while two workers run at the same time: in one
 * LockFreePool, in one LockFreePool through caches, and each in a FixedPool of its own.
 */
import { Worker } from 'node:worker_threads';
import { LockFreePool } from '../../dist/pools/index.js';
import { inChild } from '../lib/child.mjs';
import { median } from '../lib/measure.mjs';
import { known } from '../lib/options.mjs';
import { CONTENDERS, OPERATIONS } from './operations.mjs';

/** The meaning of the columns. */
export const headline =
  'nanoseconds for an alloc and a free, medians; lower is better; "vs" is how many times as fast FixedPool is';

const SECTION = new URL('section.mjs', import.meta.url);
const BUMP = new URL('bump-arena.mjs', import.meta.url);
const BUMP_NAMES = ['BumpArena', 'Buffer.allocUnsafe', 'new Uint8Array'];
const WORKER = new URL('worker.mjs', import.meta.url);

/**
 * @param {{ quick: boolean, only?: string[], sizes?: number[], keys?: string[], show: (part:
 * object) => void }} options
 */
export async function measure({ quick, only, sizes, keys, show }) {
  known('keys', keys, []);
  known('only', only, ['pair', 'churn', 'workers', 'bump']);
  const wanted = (/** @type {string} */ name) => only === undefined || only.includes(name);
  const found = {
    names: [...CONTENDERS, ...BUMP_NAMES],
    tables: /** @type {import('../lib/report.mjs').Table[]} */ ([]),
  };
  const add = (/** @type {import('../lib/report.mjs').Table} */ table) => {
    found.tables.push(table);
    show({ names: CONTENDERS, tables: [table] });
  };
  const operations = OPERATIONS.filter(
    ({ what, size }) => wanted(what) && (sizes === undefined || sizes.includes(size)),
  );
  if (operations.length > 0) {
    add({ title: 'one thread', unit: 'ns', rows: await inChild(SECTION, { operations, quick }) });
  }
  if (wanted('workers')) {
    add({ title: 'two workers at the same time', unit: 'ns', rows: await twoWorkers(quick) });
  }
  if (wanted('bump')) {
    for (const { title, rows } of await inChild(BUMP, { quick })) {
      const table = { title, unit: /** @type {const} */ ('ns'), rows: besides(rows) };
      found.tables.push(table);
      show({ names: BUMP_NAMES, tables: [table] });
    }
  }
  return found;
}

/** BumpArena's rows name one peer each. */
function besides(rows) {
  /** @type {Map<string, import('../lib/report.mjs').Row>} */
  const merged = new Map();
  for (const { title, ours, peer, theirs } of rows) {
    const row = merged.get(title) ?? { title, results: { BumpArena: { ns: ours } } };
    row.results[peer] = { ns: theirs };
    merged.set(title, row);
  }
  return [...merged.values()];
}

/** @param {boolean} quick @returns {Promise<import('../lib/report.mjs').Row[]>} */
async function twoWorkers(quick) {
  const operations = quick ? 3e6 : 2e7;
  const rows = [];
  for (const what of /** @type {const} */ (['pair', 'churn'])) {
    /** @type {Record<string, number[]>} */
    const rounds = { FixedPool: [], ThreadLocalPool: [], LockFreePool: [], 'two swaps': [] };
    for (let round = 0; round < 5; round++) {
      for (const name of Object.keys(rounds)) rounds[name].push(await together(name, what, operations));
    }
    rows.push({
      title: what === 'pair' ? '64 B: alloc, write, free' : '64 B: one of 1,000 replaced',
      results: Object.fromEntries(
        Object.entries(rounds).map(([name, all]) => [name, { ns: median(all), rounds: all }]),
      ),
      goals: [{ of: 'LockFreePool', against: 'FixedPool', within: 2 }],
    });
  }
  return rows;
}

/**
 * Both workers warm up, wait for each other, and run.
 * @returns {Promise<number>} nanoseconds for one operation
 */
async function together(name, what, operations) {
  const pool = new LockFreePool({ capacityBytes: 2 ** 22 });
  const barrier = new Int32Array(new SharedArrayBuffer(4));
  const token = pool.share();
  const taken = await Promise.all(
    [1, 2].map(
      (seed) =>
        new Promise((resolve, reject) => {
          const workerData = { name, what, operations, token, barrier, seed };
          const worker = new Worker(WORKER, { workerData });
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    ),
  );
  pool.validate();
  if (pool.stats().usedBlocks !== 0) throw new Error('blocks were lost');
  return Math.max(.../** @type {number[]} */ (taken));
}
