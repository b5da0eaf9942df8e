/** A vector's bytes: golden, saved, shared and hostile ones. */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { inspectFile } from '../../src/cli/inspect.js';
import { OffheapError } from '../../src/errors.js';
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

  it('of another kind are rejected with ERR_OFFHEAP_VERSION', async () => {
    const path = fresh();
    await new HashMap({ key: 'u32', value: 'f64' }).save(path);
    throws(() => Vector.open(path), 'ERR_OFFHEAP_VERSION', /it holds a hashmap, not a vector/);
    throws(() => HashMap.fromBytes(Vector.from('u8', [1]).toBytes()), 'ERR_OFFHEAP_VERSION', /vector/);
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

describe('hostile bytes', () => {
  /** Runs every operation of a vector; an OffheapError is fine. */
  function exercise(open: () => AnyVector): boolean {
    let vector: AnyVector;
    try {
      vector = open();
    } catch (error) {
      if (error instanceof OffheapError) return false;
      throw error;
    }
    const wide = vector.type === 'u64' || vector.type === 'i64';
    const one = wide ? 1n : 1;
    const operations: (() => unknown)[] = [
      () => vector.length,
      () => vector.at(0),
      () => vector.at(-1),
      () => vector.view.slice(),
      () => vector.sum(),
      () => vector.min(),
      () => vector.indexOf(one),
      () => vector.binarySearch(one),
      () => vector.argsort(),
      () => [...vector.entries()],
      () => vector.stats(),
      () => vector.validate(),
      () => vector.toBytes(),
      () => vector.push(one),
      () => vector.sort(),
      () => vector.fill(one),
      () => vector.pop(),
      () => vector.shrinkToFit(),
      () => vector.reserve(200),
      () => vector.share(),
      () => vector.close(),
    ];
    for (const operation of operations) {
      try {
        operation();
      } catch (error) {
        if (!(error instanceof OffheapError)) throw error;
      }
    }
    return true;
  }

  const good = unseal(Vector.from('f64', [1, 2, 3, NaN]).toBytes());

  it('do no harm for any wrong bit of the header', () => {
    let opened = 0;
    for (let bit = 0; bit < 256 * 8; bit++) {
      const bytes = good.slice();
      bytes[bit >> 3] ^= 1 << (bit & 7);
      if (exercise(() => Vector.fromBytes(bytes))) opened++;
    }
    expect(opened).toBeGreaterThan(1000);
    expect(opened).toBeLessThan(1900);
  });

  it('do no harm for extreme numbers in any word, opened in every way', () => {
    const numbers = [0, 1, 2, 5, 9, 11, 63, 64, 256, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 64, 2 ** 32 - 1];
    let opened = 0;
    for (let word = 0; word < 24; word++) {
      // A reader waits while the sequence is odd, because a writer may be active.
      for (const number of numbers) {
        const bytes = good.slice();
        header(bytes)[word] = number;
        const path = fresh();
        writeFileSync(path, bytes);
        const shared = new SharedArrayBuffer(bytes.length);
        new Uint8Array(shared).set(bytes);
        const roads: (() => AnyVector)[] = [
          () => Vector.fromBytes(bytes),
          () => Vector.open(path),
          () => Vector.open(path, { mode: 'rw' }),
        ];
        if (word !== 6) roads.push(() => Vector.attach({ offheap: 'vector', buffer: shared }));
        for (const road of roads) if (exercise(road)) opened++;
      }
    }
    expect(opened).toBeGreaterThan(100);
  });

  it('are rejected when truncated anywhere', () => {
    for (let length = 0; length < good.length; length++) {
      throws(() => Vector.fromBytes(good.slice(0, length)), 'ERR_OFFHEAP_CORRUPT');
    }
  });

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

  it('in tokens are rejected', () => {
    for (const token of [
      null,
      1,
      {},
      { offheap: 'vector' },
      { offheap: 'hashmap' },
      { offheap: 'vector', buffer: good.buffer },
    ]) {
      throws(() => Vector.attach(token as never), 'ERR_OFFHEAP_TYPE');
    }
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
