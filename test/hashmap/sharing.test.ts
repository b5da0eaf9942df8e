/**
 * One owner, many readers: workers read consistent entries while the owner writes, grows, compacts
 * and clears, and a thread that is terminated at any point leaves a region that others can read.
 * Values are a function of their keys, so a reader checks each answer alone. Workers run the built
 * package.
 */
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, test } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';
import { throws } from '../helpers/errors.js';

const built = new URL('../../dist/hashmap/index.js', import.meta.url).href;
const workers: Worker[] = [];
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.terminate()));
});

/** A worker that runs `body` with `HashMap`, `data` and `post` in scope. */
function start(body: string, data: unknown): Worker {
  const code = `import('${built}').then(async ({ HashMap }) => {
    const { parentPort, workerData: data } = require('node:worker_threads');
    const post = (message) => parentPort.postMessage(message);
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

/**
 * Reads until the first word of `stop` is not zero, and counts the entries found and the wrong
 * ones.
 */
const READER = `
  const map = HashMap.attach(data.token), stop = new Int32Array(data.stop);
  const number = data.kind === 'number';
  const value = (i) => (number ? i * 2 + 0.5 : 'value of ' + i);
  const keyOf = (i) => (number ? i : 'key ' + i);
  const wrong = [];
  let found = 0, passes = 0, stale = 0;
  const keys = number && new Uint32Array(512), out = number && new Float64Array(512);
  post('ready');
  for (; Atomics.load(stop, 0) === 0 || passes < 3; passes++) {
    for (let i = passes % 7; i < 4000; i += 7) {
      const got = map.get(keyOf(i));
      if (got === undefined) continue;
      found++;
      if (got !== value(i)) wrong.push([i, got]);
    }
    if (number) {
      for (let i = 0; i < 512; i++) keys[i] = i * 7;
      const flags = map.getManyFound(keys, out);
      for (let i = 0; i < 512; i++) if (flags[i] && out[i] !== value(keys[i])) wrong.push(['many', keys[i], out[i]]);
    }
    try {
      let previous = 0;
      for (const [k, v] of map) {
        if (v !== value(number ? k : Number(k.slice(4)))) wrong.push(['entry', k, v]);
        if (++previous > 300) break;
      }
    } catch (error) {
      if (error.code !== 'ERR_OFFHEAP_STALE') throw error;
      stale++;
    }
    if (wrong.length > 5) break;
  }
  post({ found, passes, wrong, stale });
`;

describe.each(['number', 'string'] as const)('readers of %s maps while the owner writes', (kind) => {
  test('see only consistent entries', async () => {
    const map: HashMap<any, any> =
      kind === 'number'
        ? new HashMap({ key: 'u32', value: 'f64' })
        : new HashMap({ key: 'string', value: 'string' });
    const keyOf = (i: number): unknown => (kind === 'number' ? i : `key ${i}`);
    const value = (i: number): unknown => (kind === 'number' ? i * 2 + 0.5 : `value of ${i}`);
    for (let i = 0; i < 100; i++) map.set(keyOf(i), value(i));
    const stop = new SharedArrayBuffer(4);
    const readers = [1, 2].map(() => start(READER, { token: map.share(), stop, kind }));
    await Promise.all(readers.map(next));
    const results = Promise.all(readers.map(next));
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 4000; i++) map.set(keyOf(i), value(i));
      for (let i = round % 3; i < 4000; i += 3) map.delete(keyOf(i));
      if (round % 4 === 3) map.shrinkToFit();
      if (round % 5 === 4) map.clear();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    for (let i = 0; i < 4000; i++) map.set(keyOf(i), value(i));
    Atomics.store(new Int32Array(stop), 0, 1);
    for (const { found, passes, wrong } of await results) {
      expect(wrong).toEqual([]);
      expect(found).toBeGreaterThan(0);
      expect(passes).toBeGreaterThanOrEqual(3);
    }
    map.validate();
    map.close();
  });
});

describe('terminating a thread', () => {
  test('that reads leaves the map valid', async () => {
    const map = new HashMap({ key: 'u32', value: 'f64' });
    for (let i = 0; i < 20_000; i++) map.set(i, i);
    for (let round = 0; round < 10; round++) {
      const worker = start(
        `const map = HashMap.attach(data); post('ready'); const keys = Uint32Array.from({ length: 5000 }, (_, i) => i);
         for (;;) { map.getMany(keys); for (const key of map.keys()) map.get(key); }`,
        map.share(),
      );
      await next(worker);
      map.set(20_000 + round, round);
      await new Promise((resolve) => setTimeout(resolve, round));
      await worker.terminate();
      expect(map.get(round)).toBe(round);
    }
    map.validate();
  });

  test.each(['number', 'string'])('that owns a %s map leaves a valid region', async (kind) => {
    for (let round = 0; round < 25; round++) {
      const worker = start(
        `const number = data === 'number';
         const map = number ? new HashMap({ key: 'u32', value: 'f64' }) : new HashMap({ key: 'string', value: 'string' });
         const key = (i) => number ? i : 'key ' + i, value = (i) => number ? i * 2 + 0.5 : 'value of ' + i;
         map.handleOf(key(1)); for (let i = 0; i < 50; i++) map.set(key(i), value(i));
         post(map.share());
         for (let n = 0; ; n++) { const i = (n * 7919) % 3000; map.set(key(i), value(i)); if (n % 2) map.delete(key((i * 31) % 3000)); }`,
        kind,
      );
      const token = await next(worker);
      await new Promise((resolve) => setTimeout(resolve, round % 9));
      await worker.terminate();
      const map: HashMap<any, any> = HashMap.attach(token);
      map.validate();
      let live = 0;
      for (const [key, value] of map) {
        const i = kind === 'number' ? (key as number) : Number((key as string).slice(4));
        expect(value).toBe(kind === 'number' ? i * 2 + 0.5 : `value of ${i}`);
        live++;
      }
      // One entry may be in the middle of being added or removed.
      expect(Math.abs(live - map.size)).toBeLessThanOrEqual(1);
      const copy: HashMap<any, any> = HashMap.fromBytes(map.toBytes());
      copy.validate();
      for (let i = 0; i < 5000; i++) {
        copy.set(kind === 'number' ? i : `key ${i}`, kind === 'number' ? i : `${i}`);
      }
      copy.validate();
      expect(copy.size).toBe(5000);
      copy.close();
      map.close();
    }
  });
});

describe('an attached map', () => {
  test('finds a key without decoding its value', () => {
    const map = new HashMap({ key: 'string', value: 'json' }, [['a', { b: 1 }]]);
    const reader = HashMap.attach<'string', 'json'>(map.share());
    const words = new Int32Array(map.share().buffer!);
    const text = words.indexOf(Buffer.from('{"b"').readInt32LE());
    words[text] = Buffer.from('oops').readInt32LE();
    expect([reader.has('a'), reader.has('b')]).toEqual([true, false]);
    throws(() => reader.get('a'), 'ERR_OFFHEAP_CORRUPT', /not JSON/);
  });

  test('shows writes at once, also after many rearrangements', () => {
    const map = new HashMap({ key: 'string', value: 'u32' }, [['a', 1]]);
    const one = HashMap.attach<'string', 'u32'>(map.share());
    const two = HashMap.attach<'string', 'u32'>(structuredClone(one.share()));
    map.set('a', 2).set('b', 3);
    expect([one.get('a'), two.get('b'), two.size]).toEqual([2, 3, 2]);
    for (let i = 0; i < 10_000; i++) map.set(`k${i}`, i); // through many rearrangements
    expect([one.get('k9999'), two.size]).toEqual([9999, 10_002]);
    map.close();
    expect(one.get('a')).toBe(2); // the owner is closed, the memory remains
  });
});
