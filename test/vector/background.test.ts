/**
 * Background work: its results, its progress, aborting it, and the lifetime of the memory that it
 * needs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { Vector } from '../../src/vector/index.js';
import { rejected } from '../helpers/errors.js';
import { Random } from '../helpers/random.js';
import { elements, sorted, TYPES, type AnyVector } from '../helpers/vectors.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-background-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function unsorted(count: number): Vector<'f64'> {
  const random = new Random(count);
  return Vector.from(
    'f64',
    Float64Array.from({ length: count }, () => random.u32() - 2 ** 31),
  );
}

describe.each(TYPES)('%s', (type) => {
  it('is sorted and argsorted as on the main thread', async () => {
    const random = new Random(3);
    for (const count of [0, 1, 2, 600, 70_000]) {
      const values = elements(type, count, random);
      const vector: AnyVector = Vector.from(type, values as never);
      const order = vector.argsort();
      expect(await vector.argsortAsync()).toEqual(order);
      expect(await vector.sortAsync()).toBe(vector);
      expect([...vector]).toEqual(sorted(type, values));
    }
  });
});

describe('progress', () => {
  it('increases until the total is reached', async () => {
    const vector = unsorted(2_000_000);
    for (const what of ['argsortAsync', 'sortAsync'] as const) {
      const seen: [number, number][] = [];
      await vector[what]({ onProgress: ({ done, total }) => seen.push([done, total]) });
      expect(seen.length).toBeGreaterThan(0);
      const [done, total] = seen.at(-1)!;
      expect(done).toBe(total);
      expect(seen.every(([d, t], i) => d <= t && (i === 0 || d >= seen[i - 1][0]))).toBe(true);
    }
  });

  it('rejects with an error that the callback throws', async () => {
    const vector = unsorted(1000);
    const failing = vector.sortAsync({
      onProgress: () => {
        throw new Error('enough');
      },
    });
    await expect(failing).rejects.toThrow('enough');
    vector.push(1);
  });
});

describe('an abort', () => {
  it('before the start prevents the work', async () => {
    const vector = unsorted(1000);
    const before = [...vector];
    const reason = new Error('not today');
    await expect(vector.sortAsync({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(vector.argsortAsync({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect([...vector]).toEqual(before);
    vector.push(1);
  });

  it('at any time rejects with the reason and leaves the vector unchanged, or comes too late', async () => {
    const random = new Random(9);
    let aborted = 0;
    for (let round = 0; round < 12; round++) {
      const vector = unsorted(400_000);
      const before = vector.view.slice();
      const controller = new AbortController();
      const sorting = vector.sortAsync({ signal: controller.signal });
      if (round > 0) await sleep(random.below(6));
      controller.abort('stop');
      const outcome = await sorting.then(
        () => 'done',
        (reason: unknown) => reason,
      );
      if (outcome === 'stop') aborted++;
      else before.sort();
      expect(vector.view.every((x, i) => x === before[i])).toBe(true);
      vector.push(1);
    }
    expect(aborted).toBeGreaterThan(0);
  });
});

describe('background work', () => {
  it('keeps a closed file mapped until it ends', async () => {
    const path = join(folder, 'closed.bin');
    await unsorted(300_000).save(path);
    for (let round = 0; round < 5; round++) {
      const vector = Vector.open<'f64'>(path);
      const sorting = vector.argsortAsync();
      vector.close();
      expect((await rejected(sorting)).code).toBe('ERR_OFFHEAP_CLOSED');
    }
  });

  it('runs in a reader while the owner adds elements and sorts', async () => {
    const owner = unsorted(50_000);
    const reader = Vector.attach<'f64'>(owner.share());
    for (let round = 0; round < 10; round++) {
      const length = reader.length;
      const ordering = reader.argsortAsync();
      for (let i = 0; i < 5000; i++) owner.push(i);
      if (round % 3 === 0) owner.sort();
      const order = await ordering;
      // The elements at the call, or also some later ones if the region had to be refreshed.
      expect(order.length).toBeGreaterThanOrEqual(length);
      expect(new Set(order).size).toBe(order.length);
      expect(Math.max(...order.slice(0, 1000))).toBeLessThan(order.length);
    }
  });

  it('runs many times at once', async () => {
    const vectors = Array.from({ length: 12 }, (_, i) => unsorted(20_000 + i));
    await Promise.all(vectors.map((vector) => vector.sortAsync()));
    for (const { view } of vectors) expect(view.every((x, i) => i === 0 || view[i - 1] <= x)).toBe(true);
  });

  it('does no harm when its worker is terminated', async () => {
    const script = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(workerData).then(({ Vector }) => {
        const vector = new Vector('f64');
        for (let i = 0; i < 500000; i++) vector.push((i * 7919) % 500009);
        const sorting = [vector.sortAsync({ onProgress() {} })];
        const other = Vector.fromBytes(vector.toBytes());
        sorting.push(other.argsortAsync());
        if (process.argv.includes('never')) vector.close();
        parentPort.postMessage(vector.length);
      });`;
    const dist = new URL(`file://${join(packageRoot(), 'dist', 'vector', 'index.js')}`).href;
    for (let round = 0; round < 10; round++) {
      const worker = new Worker(script, { eval: true, workerData: dist });
      await new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      await sleep(round * 3);
      await worker.terminate();
    }
    expect(unsorted(1000).sort().length).toBe(1000);
  });

  it('does not keep the process from exiting', async () => {
    const script = `
      import(${JSON.stringify(new URL(`file://${join(packageRoot(), 'dist', 'vector', 'index.js')}`).href)}).then(({ Vector }) => {
        const vector = new Vector('f64');
        for (let i = 0; i < 2000000; i++) vector.push((i * 7919) % 2000003);
        vector.sortAsync();
        setTimeout(() => process.exit(7), 5);
      });`;
    const { spawnSync } = await import('node:child_process');
    const { status, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect(status, stderr).toBe(7);
  });
});
