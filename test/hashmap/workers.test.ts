/**
 * Threads: readers see only valid entries while the owner inserts, deletes, grows, compacts and
 * clears; and any thread may be terminated between any two statements. Values name their keys, so a
 * wrong answer is known when it is seen.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { HashMap, type Token } from '../../src/hashmap/index.js';
import { packageRoot } from '../../src/native.js';
import { throws } from '../helpers/errors.js';
import { Random } from '../helpers/random.js';
import { WORD } from '../helpers/words.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-workers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Schema = 'numbers' | 'strings';
interface Start {
  role: 'own' | 'read' | 'ask';
  schema: Schema;
  token?: Token;
  stop?: Int32Array;
  seed?: number;
}

function start(data: Start): Worker {
  const script = join(import.meta.dirname, '..', 'helpers', 'worker.mjs');
  return new Worker(script, { workerData: { ...data, dist: join(packageRoot(), 'dist') } });
}

function message(worker: Worker): Promise<any> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the worker ended with ${code}`)));
  });
}

/** The schemas of the workers' script, for the side of the test. */
const schemas = {
  numbers: {
    make: () => new HashMap({ key: 'u32', value: 'f64' }) as HashMap<any, any>,
    key: (n: number): any => Math.imul(n, 2654435761) >>> 0,
    value: (key: any, version: number): any => (key as number) * 1024 + (version & 1023),
    fits: (key: any, value: any): boolean => Math.floor(value / 1024) === key,
  },
  strings: {
    make: () => new HashMap({ key: 'string', value: 'string' }) as HashMap<any, any>,
    key: (n: number): any => `key ${n} ${'é'.repeat(n % 9)}`,
    value: (key: any, version: number): any => `${key}|${'x'.repeat(version % 40)}`,
    fits: (key: any, value: any): boolean =>
      (value as string).startsWith(`${key}|`) &&
      /^x*$/.test((value as string).slice((key as string).length + 1)),
  },
};

describe.each(['numbers', 'strings'] as const)('a shared map of %s', (schema) => {
  const { make, key, value, fits } = schemas[schema];

  it('is read correctly by four workers while its owner changes it', async () => {
    const map = make();
    for (let n = 0; n < 500; n++) map.set(key(n), value(key(n), n));
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const token = map.share();
    const workers = Array.from({ length: 4 }, (_, seed) =>
      start({ role: 'read', schema, token, stop, seed: seed + 1 }),
    );
    await Promise.all(workers.map(message));
    const reports = workers.map(message);
    const random = new Random(7);
    const model = new Map<unknown, unknown>(map);
    for (let version = 0; version < 150; version++) {
      // Growth through several rebuilds, compaction, clearing, and all states in between.
      for (let i = 0; i < 400; i++) {
        const k = key(random.below(3000));
        if (random.below(3) === 0) {
          map.delete(k);
          model.delete(k);
        } else {
          map.set(k, value(k, version));
          model.set(k, value(k, version));
        }
      }
      if (version % 7 === 3) map.shrinkToFit();
      if (version % 11 === 5) map.reserve(version * 50);
      if (version % 40 === 39) {
        map.clear();
        model.clear();
      }
      if (version % 5 === 0) await sleep(1);
    }
    Atomics.store(stop, 0, 1);
    for (const report of await Promise.all(reports)) {
      expect(report.error).toBeUndefined();
      expect(report.wrong).toEqual([]);
      expect(report.looks).toBeGreaterThan(20);
    }
    expect([...map]).toEqual([...model]);
    map.validate();
    await Promise.all(workers.map((worker) => worker.terminate()));
  });

  it('survives readers that are terminated during reads', async () => {
    const map = make();
    for (let n = 0; n < 2000; n++) map.set(key(n), value(key(n), n));
    const token = map.share();
    const stop = new Int32Array(new SharedArrayBuffer(4));
    for (let round = 0; round < 8; round++) {
      const workers = [1, 2].map((seed) => start({ role: 'read', schema, token, stop, seed: seed + round }));
      await Promise.all(workers.map(message));
      for (let n = 0; n < 500; n++) map.set(key(n), value(key(n), round)).delete(key(n + 1000));
      await Promise.all(workers.map((worker) => worker.terminate()));
      map.validate();
      for (let n = 0; n < 500; n++) expect(map.get(key(n))).toBe(value(key(n), round));
      for (let n = 1000; n < 1500; n++) map.set(key(n), value(key(n), n));
    }
  });

  it('survives an owner that is terminated during writes: it stays valid and can be copied', async () => {
    const random = new Random(3);
    let alive = 0;
    for (let round = 0; round < 76; round += 2) {
      // Two at a time: the start of a thread is what costs here.
      const owners = [0, 1].map((i) => start({ role: 'own', schema, seed: round + i + 1 }));
      const tokens = (await Promise.all(owners.map(message))) as Token[];
      const readers = tokens.map((token) => HashMap.attach<any, any>(token));
      await sleep(random.below(6));
      await Promise.all(owners.map((worker) => worker.terminate()));
      for (const reader of readers) {
        reader.validate();
        let count = 0;
        for (const [k, v] of reader) {
          count++;
          if (!fits(k, v)) throw new Error(`${String(k)} => ${String(v)}`);
        }
        // One entry may have been appended and not indexed, or deleted and not counted, at that
        // moment.
        expect(Math.abs(count - reader.size)).toBeLessThanOrEqual(1);
        const copy = HashMap.fromBytes<any, any>(reader.toBytes());
        copy.validate();
        expect(new Set(copy.keys()).size).toBe(copy.size);
        for (const [k, v] of copy) expect(copy.get(k)).toBe(v);
        for (let n = 0; n < 300; n++) copy.set(key(n), value(key(n), 1));
        for (let n = 0; n < 300; n += 2) expect(copy.delete(key(n))).toBe(true);
        for (let n = 1; n < 300; n += 2) expect(copy.get(key(n))).toBe(value(key(n), 1));
        copy.validate();
        alive += copy.size;
        reader.close();
      }
    }
    expect(alive).toBeGreaterThan(1000);
  });

  it('is attached in workers, which can read but not write', async () => {
    const map = make();
    for (let n = 0; n < 20; n++) map.set(key(n), value(key(n), n));
    const path = join(folder, `${schema}.bin`);
    await map.save(path);
    const tokens = [map.share(), HashMap.open(path).share(), HashMap.attach(map.share()).share()];
    const answers = await Promise.all(
      [...tokens, tokens[0]].map(async (token) => {
        const worker = start({ role: 'ask', schema, token });
        const answer = await message(worker);
        await worker.terminate();
        return answer;
      }),
    );
    for (const { size, entries, codes } of answers) {
      expect(size).toBe(20);
      expect(entries).toEqual([...map]);
      expect(new Set(codes)).toEqual(new Set(['ERR_OFFHEAP_UNSUPPORTED']));
    }
  });
});

describe('a token', () => {
  it('is rejected if it is invalid', () => {
    const buffer = new SharedArrayBuffer(4096);
    const file = { path: '/no/such/file', mode: 'r', dev: 1, ino: 1, size: 1, mtimeMs: 1 };
    const wrong: [unknown, 'ERR_OFFHEAP_TYPE' | 'ERR_OFFHEAP_CORRUPT' | 'ERR_OFFHEAP_IO'][] = [
      [undefined, 'ERR_OFFHEAP_TYPE'],
      [null, 'ERR_OFFHEAP_TYPE'],
      ['hashmap', 'ERR_OFFHEAP_TYPE'],
      [{}, 'ERR_OFFHEAP_TYPE'],
      [{ offheap: 'vector', buffer }, 'ERR_OFFHEAP_TYPE'],
      [{ offheap: 'hashmap' }, 'ERR_OFFHEAP_TYPE'],
      [{ offheap: 'hashmap', buffer: new ArrayBuffer(4096) }, 'ERR_OFFHEAP_TYPE'],
      [{ offheap: 'hashmap', buffer: new SharedArrayBuffer(255) }, 'ERR_OFFHEAP_TYPE'],
      [{ offheap: 'hashmap', buffer }, 'ERR_OFFHEAP_CORRUPT'],
      [{ offheap: 'hashmap', file: 'x' }, 'ERR_OFFHEAP_TYPE'],
      [{ offheap: 'hashmap', file: { path: '' } }, 'ERR_OFFHEAP_TYPE'],
      [{ offheap: 'hashmap', file: { ...file, ino: '1' } }, 'ERR_OFFHEAP_TYPE'],
      [{ offheap: 'hashmap', file }, 'ERR_OFFHEAP_IO'],
    ];
    for (const [token, code] of wrong) throws(() => HashMap.attach(token as never), code);
  });

  it('is a plain object that can be cloned', () => {
    const map = new HashMap({ key: 'u32', value: 'u32' }, [[1, 1]]);
    const token = map.share();
    expect(Object.getPrototypeOf(token)).toBe(Object.prototype);
    expect([...HashMap.attach(structuredClone(token))]).toEqual([[1, 1]]);
  });

  it('of a file that was replaced is stale', async () => {
    const path = join(folder, 'changes.bin');
    const map = new HashMap({ key: 'u32', value: 'u32' }, [[1, 1]]);
    await map.save(path);
    const token = HashMap.open(path).share();
    expect(HashMap.attach(token).size).toBe(1);
    await map.save(path);
    throws(() => HashMap.attach(token), 'ERR_OFFHEAP_STALE', /changes\.bin/);
  });

  it('of a map that moved to a larger buffer is stale, as are attached maps', () => {
    const map = new HashMap({ key: 'u32', value: 'u32' }, [[1, 1]]);
    const token = map.share();
    const reader = HashMap.attach(token);
    const iterator = reader.keys();
    const head = new Int32Array(token.buffer!, 0, 64);
    head[WORD.flags] |= 2;
    head[WORD.sequence] += 2;
    for (const call of [
      () => reader.get(1),
      () => reader.has(1),
      () => reader.size,
      () => reader.getMany([1]),
      () => iterator.next(),
      () => reader.toBytes(),
      () => HashMap.attach(token),
    ]) {
      throws(call, 'ERR_OFFHEAP_STALE', /attach again/);
    }
    reader.close();
    throws(() => reader.get(1), 'ERR_OFFHEAP_CLOSED');
  });
});
