/**
 * One owner and many readers: values that workers read while the owner sets, removes, promotes,
 * clears, releases, compacts and grows are consistent, and a thread that is terminated anywhere
 * leaves an arena that other threads can still read. A value encodes its map and key, so each
 * result can be checked by itself. Workers run the built package.
 */
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { SmallMapArena, type SmallMapId } from '../../src/smallmap/index.js';
import type { Token } from '../../src/index.js';
import type { AnyArena } from './arenas.js';

const built = new URL('../../dist/smallmap/index.js', import.meta.url).href;
const workers: Worker[] = [];
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.terminate()));
});

/** The code that both sides share: a value encodes its map, its key and a counter. */
const COMMON = `
  let x = 1;
  const below = (n) => { x ^= x << 13; x ^= x >>> 17; x ^= x << 5; return (x >>> 0) % n; };
  const keyOf = (kind, n) => (kind === 'number' ? n * 7 : 'key ' + n);
  const valueOf = (kind, id, n, version) => {
    const map = id % 2 ** 32;
    return kind === 'number' ? map * 2 ** 24 + n * 2 ** 16 + (version & 0xffff) : map + '|' + n + '|' + 'x'.repeat(version & 31);
  };
  const fits = (kind, id, n, value) => {
    const map = id % 2 ** 32;
    return kind === 'number' ? Math.floor(value / 2 ** 16) === map * 256 + n : value.startsWith(map + '|' + n + '|');
  };
  const numberOf = (kind, key) => (kind === 'number' ? key / 7 : Number(key.slice(4)));
  function change(arena, kind, alive, version) {
    const dice = below(1000);
    const at = below(alive.length);
    const id = alive[at];
    if (dice < 600) { const n = below(14); arena.set(id, keyOf(kind, n), valueOf(kind, id, n, version)); }
    else if (dice < 930) arena.delete(id, keyOf(kind, below(14)));
    else if (dice < 950) arena.clear(id);
    else if (dice < 970) { arena.release(id); alive[at] = arena.create(); }
    else if (dice < 985 && alive.length < 400) alive.push(arena.create());
    else if (dice < 986) arena.shrinkToFit();
    else {
      const ns = [below(14), below(14), below(14)];
      arena.setMany(ns.map(() => id), ns.map((n) => keyOf(kind, n)), ns.map((n) => valueOf(kind, id, n, version)));
    }
  }
`;
// eslint-disable-next-line @typescript-eslint/no-implied-eval -- workers run the same text
const common = new Function(`${COMMON} return { keyOf, valueOf, fits, numberOf, change }`)() as {
  keyOf(kind: string, n: number): any;
  valueOf(kind: string, id: number, n: number, version: number): any;
  fits(kind: string, id: number, n: number, value: unknown): boolean;
  numberOf(kind: string, key: unknown): number;
  change(arena: AnyArena, kind: string, alive: SmallMapId[], version: number): void;
};

function start(body: string, data: unknown): Worker {
  const code = `import('${built}').then(async ({ SmallMapArena }) => {
    const { parentPort, workerData: data } = require('node:worker_threads');
    const post = (message) => parentPort.postMessage(message);
    ${COMMON}
    x = data.seed | 1;
    ${body}
  }).catch((error) => setImmediate(() => { throw error; }));`;
  const worker = new Worker(code, { eval: true, workerData: data });
  workers.push(worker);
  return worker;
}

function next(worker: Worker): Promise<any> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the worker exited with ${code}`)));
  });
}

const READER = `
  const { kind } = data, arena = SmallMapArena.attach(data.token), stop = new Int32Array(data.stop);
  const wrong = []; let looks = 0, found = 0, stale = 0;
  const check = (id, n, value) => { found++; if (!fits(kind, id, n, value)) wrong.push([id, n, value]); };
  const attempt = (work) => { try { work(); } catch (error) { if (error.code !== 'ERR_OFFHEAP_STALE') throw error; stale++; } };
  post('ready');
  for (; Atomics.load(stop, 0) === 0 || looks < 300; looks++) {
    const id = below(40), n = below(14);
    attempt(() => { const value = arena.get(id, keyOf(kind, n)); if (value !== undefined) check(id, n, value); });
    attempt(() => { for (const [key, value] of arena.entries(id)) check(id, numberOf(kind, key), value); });
    attempt(() => {
      const ids = Array.from({ length: 40 }, () => below(30)), ns = ids.map(() => below(14));
      const out = arena.getMany(ids, ns.map((n) => keyOf(kind, n)), new Array(40).fill(undefined));
      out.forEach((value, i) => value !== undefined && check(ids[i], ns[i], value));
    });
    if (arena.count > 1000 || wrong.length > 5) { wrong.push('count ' + arena.count); break; }
  }
  arena.validate();
  post({ looks, found, stale, wrong: wrong.slice(0, 5) });
`;

const make = (kind: string): AnyArena =>
  (kind === 'number'
    ? new SmallMapArena({ key: 'u32', value: 'f64', capacity: 4 })
    : new SmallMapArena({ key: 'string', value: 'string', capacity: 4 })) as AnyArena;

describe.each(['number', 'string'])('arenas of %ss', (kind) => {
  it('are read correctly by two workers while their owner makes every kind of change', async () => {
    const arena = make(kind);
    const alive = Array.from({ length: 40 }, () => arena.create());
    const stop = new SharedArrayBuffer(4);
    const readers = [1, 2].map((seed) => start(READER, { kind, stop, seed, token: arena.share() }));
    await Promise.all(readers.map(next));
    const results = Promise.all(readers.map(next));
    for (let version = 0; version < 40_000; version++) {
      common.change(arena, kind, alive, version);
      if (version % 4000 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    Atomics.store(new Int32Array(stop), 0, 1);
    for (const { looks, found, wrong } of await results) {
      expect(wrong).toEqual([]);
      expect(looks).toBeGreaterThanOrEqual(300);
      expect(found).toBeGreaterThan(0);
    }
    arena.validate();
    arena.close();
  });

  it('survive readers and owners that are terminated at any point', async () => {
    let entries = 0;
    for (let round = 0; round < 7; round++) {
      const owner = start(
        `const { kind } = data;
         const arena = new SmallMapArena(kind === 'number' ? { key: 'u32', value: 'f64' } : { key: 'string', value: 'string' });
         const alive = Array.from({ length: 40 }, () => arena.create());
         for (let version = 0; version < 300; version++) change(arena, kind, alive, version);
         post(arena.share());
         for (let version = 0; ; version++) change(arena, kind, alive, version);`,
        { kind, seed: round + 3 },
      );
      const token = (await next(owner)) as Token;
      const reader = start(READER, { kind, stop: new SharedArrayBuffer(4), seed: round, token });
      await next(reader);
      await new Promise((resolve) => setTimeout(resolve, round % 5));
      await Promise.all([reader.terminate(), owner.terminate()]);
      const arena = SmallMapArena.attach(token) as AnyArena;
      arena.validate();
      for (const id of arena.ids()) {
        for (const [key, value] of arena.entries(id)) {
          const n = common.numberOf(kind, key);
          if (!common.fits(kind, id, n, value)) throw new Error(`${id} ${n} ${String(value)}`);
          expect(arena.get(id, key)).toBe(value);
          entries++;
        }
      }
      // A copy is valid again and can be changed.
      const copy = SmallMapArena.fromBytes(arena.toBytes()) as AnyArena;
      copy.validate();
      expect([...copy.ids()]).toEqual([...arena.ids()]);
      const alive = [...copy.ids()];
      for (let version = 0; version < 2000; version++) common.change(copy, kind, alive, version);
      copy.validate();
      copy.close();
      arena.close();
    }
    expect(entries).toBeGreaterThan(100);
  });
});
