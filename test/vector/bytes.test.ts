/** A vector's bytes: golden, saved, shared and corrupt ones. (test/kit opens hostile bytes.) */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { inspectFile } from '../../src/cli/inspect.js';
import { HashMap } from '../../src/hashmap/index.js';
import { packageRoot } from '../../src/native.js';
import { Vector, type Token } from '../../src/vector/index.js';
import { rejected, throws } from '../helpers/errors.js';
import { Random } from '../helpers/random.js';
import { elements, TYPES, type AnyVector } from '../helpers/vectors.js';
import { header, unseal } from '../helpers/words.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-vector-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const fresh = (): string => join(folder, `${files++}.bin`);

/** The bytes without the words that a copy does not keep: sequence, flags, checksum. */
function meaning(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy.fill(0, 24, 36);
  return copy;
}

describe('golden bytes', () => {
  const golden = (name: string): Uint8Array =>
    new Uint8Array(readFileSync(join(packageRoot(), 'test', 'golden', `vector-${name}.bin`)));
  const made: Record<string, AnyVector> = {
    f64: Vector.from('f64', [...Array.from({ length: 20 }, (_, i) => i * 1.5 - 7), NaN, Infinity, -0]),
    u8: Vector.from(
      'u8',
      Array.from({ length: 200 }, (_, i) => (i * 37) % 256),
    ).sort(),
    i64: Vector.from(
      'i64',
      Array.from({ length: 9 }, (_, i) => -(1n << BigInt(i * 7))),
    ),
  };

  it.each(Object.keys(made))('of %s are read, and made the same', (name) => {
    const bytes = golden(name);
    const vector: AnyVector = Vector.fromBytes(bytes);
    vector.validate();
    expect(vector.type).toBe(name);
    expect([...vector]).toEqual([...made[name]]);
    expect(meaning(made[name].toBytes())).toEqual(meaning(bytes));
    vector.push(vector.at(0));
    expect(vector.at(-1)).toBe(made[name].at(0));
  });
});

describe.each(TYPES)('a vector of %s', (type) => {
  it('can be saved, opened, changed and saved again', async () => {
    const path = fresh();
    const vector: AnyVector = Vector.from(type, elements(type, 1000, new Random(1)) as never);
    await vector.save(path);
    for (const mode of ['r', 'rw'] as const) {
      using opened: AnyVector = Vector.open(path, { mode });
      expect([...opened]).toEqual([...vector]);
      expect(opened.stats()).toMatchObject({ type, length: 1000, origin: 'file' });
      opened.validate();
      expect(opened.sum()).toEqual(vector.sum());
      if (mode === 'r') continue;
      expect(opened.push(vector.at(0))).toBe(1001);
      expect(opened.stats().origin).toBe('heap');
      await opened.save(path);
    }
    using again: AnyVector = Vector.open(path);
    expect([...again]).toEqual([...vector, vector.at(0)]);
    const told = await inspectFile(path);
    expect(told).toMatchObject({ kind: 'vector', checksum: 'correct', contents: { type, length: 1001 } });
  });

  it('has bytes that depend only on its elements', () => {
    const values = elements(type, 100, new Random(2));
    const a: AnyVector = Vector.from(type, values as never);
    const b: AnyVector = new Vector(type, { capacity: 5000 });
    for (const value of values) b.push(value, value);
    b.sort();
    b.truncate(0);
    b.pushMany(values);
    expect(a.toBytes()).toEqual(b.toBytes());
    expect(a.toBytes().length % 64).toBe(0);
  });
});

describe('files', () => {
  it('throw ERR_OFFHEAP_IO after they were truncated under the mapping', async () => {
    const path = fresh();
    await Vector.from('f64', new Float64Array(100_000).fill(1)).save(path);
    using vector = Vector.open<'f64'>(path);
    const ordering = vector.argsortAsync();
    await ordering;
    truncateSync(path, 4096);
    throws(() => {
      vector.sum();
      vector.at(0);
    }, 'ERR_OFFHEAP_IO');
    expect((await rejected(vector.argsortAsync())).code).toBe('ERR_OFFHEAP_IO');
  });

  it('of another kind are rejected with a message that names both kinds', async () => {
    const path = fresh();
    await new HashMap({ key: 'u32', value: 'f64' }).save(path);
    throws(() => Vector.open(path), 'ERR_OFFHEAP_VERSION', /it holds a hashmap, not a vector/);
  });

  it('keep their views valid after the first change, which copies them to memory', async () => {
    const path = fresh();
    await Vector.from('f64', [1, 2, 3]).save(path);
    const vector = Vector.open<'f64'>(path, { mode: 'rw' });
    const { view } = vector;
    vector.push(4);
    vector.set(0, 9);
    vector.close();
    expect([...view]).toEqual([1, 2, 3]);
  });

  it('are not written by an aborted save', async () => {
    const vector = Vector.from('f64', [1]);
    await expect(vector.save(fresh(), { signal: AbortSignal.abort('no') })).rejects.toBe('no');
  });
});

describe('corrupt bytes', () => {
  const good = unseal(Vector.from('f64', [1, 2, 3, NaN]).toBytes());

  it('are found by validate() where opening does not check', async () => {
    throws(
      () => {
        const bytes = Vector.from('u8', [1, 2, 3]).toBytes();
        bytes[257] ^= 1;
        Vector.fromBytes(bytes);
      },
      'ERR_OFFHEAP_CORRUPT',
      /checksum/,
    );
    for (const word of [11, 17, 20, 63]) {
      const bytes = good.slice();
      header(bytes)[word] = 1;
      throws(() => Vector.fromBytes(bytes).validate(), 'ERR_OFFHEAP_CORRUPT');
    }
    const path = fresh();
    const vector = Vector.from('u8', [1, 2, 3]);
    await vector.save(path);
    const bytes = readFileSync(path);
    bytes[257] ^= 1;
    writeFileSync(path, bytes);
    throws(() => Vector.open(path).validate(), 'ERR_OFFHEAP_CORRUPT', /checksum/);
  });
});

describe('threads', () => {
  const dist = new URL(`file://${join(packageRoot(), 'dist', 'vector', 'index.js')}`).href;
  const start = (body: string, token?: Token): Worker =>
    new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       import(${JSON.stringify(dist)}).then(({ Vector }) => { ${body} });`,
      { eval: true, workerData: token },
    );
  const message = (worker: Worker): Promise<any> =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });

  it('count only elements that they can see while the owner changes the vector', async () => {
    // Element i is i + 1, or it does not exist.
    const owner = new Vector('u32');
    const readers = [1, 2].map(() =>
      start(
        `const vector = Vector.attach(workerData);
         let looks = 0, wrong = 0;
         const end = Date.now() + 1500;
         while (Date.now() < end) {
           const { view } = vector;
           for (let i = Math.max(0, view.length - 50); i < view.length; i++) if (view[i] !== i + 1) wrong++;
           const n = vector.length;
           if (n > 0) { const x = vector.at(n - 1); if (x !== undefined && x !== n) wrong++; }
           const sum = vector.sum(), m = Math.round((Math.sqrt(8 * sum + 1) - 1) / 2);
           if (m * (m + 1) / 2 !== sum) wrong++;
           looks++;
         }
         parentPort.postMessage({ looks, wrong });`,
        owner.share(),
      ),
    );
    const reports = Promise.all(readers.map(message));
    let done = false;
    void reports.then(() => (done = true));
    for (let round = 0; !done; round++) {
      const { length } = owner;
      if (length < 200_000) for (let i = 0; i < 100; i++) owner.push(owner.length + 1);
      owner.pushMany(Uint32Array.from({ length: 20 }, (_, i) => owner.length + i + 1));
      if (round % 50 === 0) owner.reserve(owner.length + 10_000);
      if (round % 70 === 0) owner.shrinkToFit();
      if (round % 90 === 0) owner.sort();
      if (round % 20 === 0) await sleep(1);
    }
    for (const { looks, wrong } of await reports) {
      expect(wrong).toBe(0);
      expect(looks).toBeGreaterThan(5);
    }
  }, 30_000);

  it('leave a valid vector when the owner is terminated at any moment', async () => {
    const random = new Random(4);
    for (let round = 0; round < 16; round++) {
      const worker = start(`const vector = new Vector('f64');
        parentPort.postMessage(vector.share());
        for (let i = 0; ; i++) {
          if (i % 1000 === 999) vector.sort(); else if (i % 7 === 6) vector.pop(); else vector.push(i, i);
          if (i % 3000 === 2999) vector.truncate(10);
        }`);
      const reader = Vector.attach<'f64'>(await message(worker));
      await sleep(random.below(8));
      await worker.terminate();
      reader.validate();
      const { length } = reader;
      expect([...reader].length).toBe(length);
      const copy = Vector.fromBytes<'f64'>(reader.toBytes());
      copy.push(1);
      expect(copy.length).toBe(length + 1);
    }
  });
});
