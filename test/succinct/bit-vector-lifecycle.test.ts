/** Bit vectors that other threads read, and that a file or a closed operand provides. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { BitVector, RankSelect, type Token } from '../../src/succinct/index.js';
import { throws } from '../helpers/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-bits-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const dist = join(packageRoot(), 'dist');

const thirds = (length: number): BitVector => {
  const bits = new BitVector(length);
  for (let at = 0; at < length; at += 3) bits.set(at);
  return bits;
};
async function ended(worker: Worker): Promise<any> {
  const [message] = await once(worker, 'message');
  return message === 'ready' ? undefined : message;
}

describe('a closed bit vector', () => {
  it('is rejected as the other operand, and ends its iterators', () => {
    const closed = thirds(10);
    closed.close();
    const bits = new BitVector(10);
    for (const operation of ['and', 'or', 'xor', 'andNot'] as const) {
      throws(() => bits[operation](closed), 'ERR_OFFHEAP_CLOSED');
      throws(() => closed[operation](bits), 'ERR_OFFHEAP_CLOSED');
    }
    throws(() => closed[Symbol.iterator](), 'ERR_OFFHEAP_CLOSED');
  });
});

describe('threads', () => {
  const script = join(import.meta.dirname, '..', 'helpers', 'bits-worker.mjs');
  const start = (token: Token, stop: Int32Array): Worker =>
    new Worker(script, { workerData: { dist, token, stop } });

  it('read a bit vector while its owner changes and grows it', { timeout: 60_000 }, async () => {
    using bits = thirds(3000);
    const token = bits.share();
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const readers = [start(token, stop), start(token, stop)];
    await Promise.all(readers.map(ended));
    const other = new BitVector(5000).not();
    for (let round = 0; round < 300; round++) {
      for (let i = 0; i < 3000; i++) bits.push(bits.length % 3 === 0);
      // Each call inverts all of these at once: no reader sees half of them.
      bits.xor(other, 0, 999).xor(other, 0, 999);
      bits.set(4, false).set(3, true);
    }
    const answers = readers.map(ended);
    Atomics.store(stop, 0, 1);
    for (const { wrong, longest } of await Promise.all(answers)) {
      expect(longest).toBeGreaterThanOrEqual(3000);
      expect(wrong).toBe(0);
    }
    await Promise.all(readers.map((worker) => worker.terminate()));
    using near = BitVector.attach(token);
    expect(near.count()).toBe(bits.count());
    throws(() => near.set(0), 'ERR_OFFHEAP_UNSUPPORTED');
    throws(() => near.and(other), 'ERR_OFFHEAP_UNSUPPORTED');
    // An attached vector can be the other operand, and the source of a RankSelect.
    using copy = BitVector.from(near);
    expect(copy.xor(near).count()).toBe(0);
    using ranks = RankSelect.from(near);
    expect(ranks.ones).toBe(bits.count());
  });

  it('copy a file opened with mode rw at the first change', async () => {
    const path = join(folder, 'bits');
    await thirds(100).save(path);
    using opened = BitVector.open(path, { mode: 'rw' });
    opened.set(1).push(true);
    expect([opened.stats().origin, opened.count(), opened.length]).toEqual(['heap', 36, 101]);
    using other = BitVector.open(path);
    expect(other.count()).toBe(34);
    throws(() => other.set(1), 'ERR_OFFHEAP_UNSUPPORTED');
  });
});
