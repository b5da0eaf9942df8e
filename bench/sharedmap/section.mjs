/** The measurements of `npm run bench -- sharedmap`, one section in each process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { open as openLmdb } from 'lmdb';
import { LRUCache } from 'lru-cache';
import { LRUMap } from 'mnemonist';
import QuickLRU from 'quick-lru';
import { HashMap } from '../../dist/hashmap/index.js';
import { SharedMap } from '../../dist/sharedmap/index.js';
import { serve } from '../lib/child.mjs';
import { compile, median, nanoseconds, race } from '../lib/measure.mjs';
import { count } from '../lib/table.mjs';
import { memory } from './memory.mjs';
import { threads } from './threads.mjs';
import { worst } from './worst.mjs';

/** Instances of each structure at one call site. */
const INSTANCES = 2;
/** A bound that fits entries of 8 + 8 bytes with room to spare. */
const ROOM = 64;

/** @typedef {import('../lib/report.mjs').Row} Row */
/** @typedef {{ quick: boolean, sizes?: number[] }} Options */

/** Distinct keys in random order. @param {number} n @param {'u32' | 'string'} type */
function keysOf(n, type) {
  const numbers = Array.from({ length: n }, (_, i) => Math.imul(i + 1, 0x9e37_79b1) >>> 0);
  return type === 'u32' ? numbers : numbers.map((number) => `key:${number}`);
}

/** Indices of keys in random order. @param {number} n @param {number} count */
function queries(n, count) {
  let state = 12345;
  return Int32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return Math.floor(((state >>> 0) / 2 ** 32) * n);
  });
}

const PLAN = { rounds: 9, targetNs: 4e7, budgetNs: 4e9, least: 1 << 12, check: true };
const plan = (/** @type {boolean} */ quick) => (quick ? { ...PLAN, rounds: 3, targetNs: 1e7 } : PLAN);

/**
 * A lane that reads keys from several instances.
 * @param {string} name @param {{ get(key: any): any }[]} instances @param {any[]} keys
 * @param {Int32Array} order @param {string} [add] the summand for a value v
 */
function reading(name, instances, keys, order, add = 'v') {
  const loop = compile(
    `let sum = 0; for (let i = from; i < to; i++) { const v = m.get(a[b[i]]); sum += ${add}; } return sum;`,
  );
  return {
    name,
    limit: order.length,
    units: instances.length,
    warm: (/** @type {number} */ from, /** @type {number} */ to) =>
      instances.reduce((sum, m) => sum + loop(m, keys, order, from, to), 0),
    run: (/** @type {number} */ from, /** @type {number} */ to) => {
      for (const m of instances) loop(m, keys, order, from, to);
    },
  };
}

/** @param {Options} options */
async function get({ quick, sizes }) {
  /** @type {Row[]} */
  const rows = [];
  for (const type of /** @type {const} */ (['u32', 'string'])) {
    for (const n of sizes ?? (quick ? [1e3, 1e5] : [1e3, 1e5, 1e6])) {
      const keys = keysOf(n, type);
      const order = queries(n, Math.max(1 << 16, Math.min(n, 1 << 20)));
      const fill = (/** @type {{ set(key: any, value: number): unknown }} */ into) => {
        keys.forEach((key, i) => into.set(key, i));
        return /** @type {any} */ (into);
      };
      const made = (/** @type {() => any} */ make) => Array.from({ length: INSTANCES }, () => fill(make()));
      const readers = made(() => new HashMap({ key: type, value: 'f64' })).map((owner) =>
        HashMap.attach(owner.share()),
      );
      const lanes = [
        reading(
          'SharedMap',
          made(() => new SharedMap({ key: type, value: 'f64', maxBytes: Math.max(1 << 20, n * 2 * ROOM) })),
          keys,
          order,
        ),
        reading('HashMap', readers, keys, order),
        reading(
          'lru-cache',
          made(() => new LRUCache({ max: n })),
          keys,
          order,
        ),
        reading(
          'Map',
          made(() => new Map()),
          keys,
          order,
        ),
      ];
      rows.push({
        title: `${type} to f64, ${count(n)}`,
        results: race(lanes, plan(quick)),
        goals: [
          { against: 'HashMap', within: 1.3 },
          { against: 'lru-cache', times: n >= 1e6 ? 2 : 1 },
        ],
      });
    }
  }
  return rows;
}

/** A worker that owns a Map and answers messages. @param {[string, string][]} entries */
async function messenger(entries) {
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
    const map = new Map(workerData);
    parentPort.on('message', (key) => parentPort.postMessage(map.get(key)));
    parentPort.postMessage('ready');`,
    { eval: true, workerData: entries },
  );
  await new Promise((resolve) => worker.once('message', resolve));
  const ask = (/** @type {string} */ key) =>
    new Promise((resolve) => {
      worker.once('message', resolve);
      worker.postMessage(key);
    });
  return { ask, close: () => worker.terminate() };
}

/** @param {Options} options */
async function text({ quick, sizes }) {
  const within = mkdtempSync(join(tmpdir(), 'offheap-bench-'));
  /** @type {Row[]} */
  const rows = [];
  for (const n of sizes ?? (quick ? [1e5] : [1e3, 1e5, 1e6])) {
    const keys = /** @type {string[]} */ (keysOf(n, 'string'));
    const values = keys.map((key) => key.padEnd(100, '.'));
    const order = queries(n, Math.max(1 << 16, Math.min(n, 1 << 20)));
    const fill = (/** @type {any} */ into) => {
      keys.forEach((key, i) => into.set(key, values[i]));
      return into;
    };
    const made = (/** @type {() => any} */ make) => Array.from({ length: INSTANCES }, () => fill(make()));
    const database = openLmdb({ path: join(within, `lmdb-${n}`), noSync: true });
    await database.transaction(() => keys.forEach((key, i) => database.put(key, values[i])));
    const maxBytes = Math.max(1 << 20, n * 400);
    const results = race(
      [
        reading(
          'SharedMap',
          made(() => new SharedMap({ key: 'string', value: 'string', maxBytes })),
          keys,
          order,
          'v.length',
        ),
        reading(
          'lru-cache',
          made(() => new LRUCache({ max: n })),
          keys,
          order,
          'v.length',
        ),
        reading('lmdb', [database, database], keys, order, 'v.length'),
      ],
      plan(quick),
    );
    const { ask, close } = await messenger(keys.map((key, i) => [key, values[i]]));
    const asked = quick ? 2000 : 20_000;
    for (let i = 0; i < 1000; i++) await ask(keys[i]);
    const started = process.hrtime.bigint();
    for (let i = 0; i < asked; i++) await ask(keys[order[i]]);
    const spent = Number(process.hrtime.bigint() - started);
    await close();
    await database.close();
    rows.push({
      title: count(n),
      results: { ...results, message: { ns: spent / asked } },
      goals: [
        { against: 'lru-cache', within: 2 },
        { against: 'lmdb', times: 8 },
        { against: 'message', times: 100 },
      ],
    });
  }
  rmSync(within, { recursive: true });
  return rows;
}

/** @param {Options} options */
async function set({ quick, sizes }) {
  /** @type {Row[]} */
  const rows = [];
  for (const type of /** @type {const} */ (['u32', 'string'])) {
    for (const n of sizes ?? (quick ? [1e5] : [1e5, 1e6])) {
      // As many entries as the map has room for, for all.
      const maxBytes = n * (type === 'u32' ? 34 : 50);
      const ours = Array.from(
        { length: INSTANCES },
        () => new SharedMap({ key: type, value: 'f64', maxBytes }),
      );
      const all = 4 * n;
      const keys = keysOf(all, type);
      const caches = Array.from({ length: INSTANCES }, () => new LRUCache({ max: n }));
      const quicks = Array.from({ length: INSTANCES }, () => new QuickLRU({ maxSize: n / 2 }));
      const maps = Array.from({ length: INSTANCES }, () => new LRUMap(n));
      const lane = (/** @type {string} */ name, /** @type {any[]} */ instances) => {
        const loop = compile('for (let i = from; i < to; i++) m.set(a[i], i); return 0;');
        const run = (/** @type {number} */ from, /** @type {number} */ to) => {
          for (const m of instances) loop(m, keys, null, from, to);
          return 0;
        };
        run(0, all);
        return { name, limit: all, units: INSTANCES, warm: run, run, atLeast: n };
      };
      const results = race(
        [lane('SharedMap', ours), lane('lru-cache', caches), lane('quick-lru', quicks), lane('LRUMap', maps)],
        { ...plan(quick), check: false },
      );
      rows.push({
        title: `${type} to f64, ${count(n)}`,
        results,
        goals: [{ against: 'lru-cache', times: 2 }],
      });
    }
  }
  return rows;
}

/** @param {Options} options */
async function start({ quick }) {
  const within = mkdtempSync(join(tmpdir(), 'offheap-bench-'));
  const path = join(within, 'map');
  const maxBytes = quick ? 2 ** 28 : 2 ** 30;
  const filled = SharedMap.open(path, { key: 'u32', value: 'bytes', maxBytes, create: true });
  const value = new Uint8Array(1000);
  for (let key = 0; filled.stats().evictions === 0 && key * 1000 < maxBytes; key++) {
    for (let i = 0; i < 1000; i++) filled.set(key * 1000 + i, value);
  }
  const last = [...filled.scan(0, { count: 1 }).keys][0];
  filled.close();
  const opening = Array.from({ length: 15 }, () => {
    let map;
    const ns = nanoseconds(() => {
      map = SharedMap.open(path);
      map.get(last);
    });
    map?.close();
    return ns;
  });
  const shared = new SharedMap({ key: 'u32', value: 'f64', maxBytes: 2 ** 28 });
  for (let i = 0; i < 1e6; i++) shared.set(i, i);
  const worker = new Worker(new URL('worker.mjs', import.meta.url), {
    workerData: { work: 'attach', token: shared.share() },
  });
  const attaching = await new Promise((resolve) => worker.once('message', resolve));
  await worker.terminate();
  rmSync(within, { recursive: true });
  return [
    {
      title: `open a file of ${maxBytes / 2 ** 20} MiB`,
      results: { SharedMap: { ns: median(opening) } },
      goals: [{ below: 5e6 }],
    },
    {
      title: 'attach in a thread, 1,000,000 entries',
      results: { SharedMap: { ns: median(attaching) } },
      goals: [{ below: 1e5 }],
    },
  ];
}

/** @param {Options} options */
async function collection({ quick }) {
  const n = quick ? 1e5 : 1e6;
  const collect = () => {
    globalThis.gc?.();
    return median(Array.from({ length: 7 }, () => nanoseconds(() => globalThis.gc?.())));
  };
  const empty = collect();
  const maxBytes = n * 100;
  let map = new SharedMap({ key: 'string', value: 'f64', maxBytes });
  for (let i = 0; i < n; i++) map.set(`key:${i}`, i + 0.5);
  const ours = collect();
  map.close();
  const cache = new LRUCache({ max: n });
  for (let i = 0; i < n; i++) cache.set(`key:${i}`, { value: i + 0.5 });
  const theirs = collect();
  if (cache.size !== n) throw new Error('the cache lost entries');
  return [
    {
      title: `${count(n)} entries, beyond that of a process without any`,
      results: {
        SharedMap: { ns: Math.max(ours - empty, 1e4) },
        'lru-cache': { ns: theirs - empty },
      },
      goals: [{ against: 'lru-cache', times: 50 }],
    },
  ];
}

const sections = { get, text, set, threads, memory, worst, start, collection };

serve((/** @type {Options & { id: keyof typeof sections }} */ options) => sections[options.id](options));
