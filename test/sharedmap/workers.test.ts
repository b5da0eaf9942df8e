/** Threads that write one map at the same time, and threads that are terminated while they do. */
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { SharedMap, type AnyShared } from './samples.js';

function start(map: AnyShared, data: object): Worker {
  return new Worker(new URL('./worker.mjs', import.meta.url), {
    workerData: { dist: join(packageRoot(), 'dist'), token: map.share(), ...data },
  });
}

/** The next message of a worker; its error rejects. */
async function message(worker: Worker): Promise<any> {
  const [value] = await once(worker, 'message');
  return value;
}

describe('threads that write one map', () => {
  it('lose no increment and no update', async () => {
    const map: AnyShared = new SharedMap({ key: 'u32', value: 'u32', maxBytes: 1 << 20 });
    const rounds = 20_000;
    const workers = [1, 2, 3, 4].map((seed) => start(map, { role: 'count', seed, rounds, keys: 7 }));
    await Promise.all(workers.map(message));
    let sum = 0;
    for (const value of map.values()) sum += value as number;
    expect(sum).toBe(4 * rounds);
    map.validate();
    await Promise.all(workers.map((worker) => worker.terminate()));
    expect(map.stats().participants).toBe(1);
  });

  it.each([
    ['with room for everything', 1 << 24],
    ['with eviction at all times', 1 << 18],
  ])('see only whole values of the right key, %s', async (_what, maxBytes) => {
    const map: AnyShared = new SharedMap({ key: 'u32', value: 'string', maxBytes });
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const workers = [1, 2, 3, 4].map((seed) => start(map, { role: 'churn', seed, stop, keys: 4000 }));
    await Promise.all(workers.map(message));
    const reports = Promise.all(workers.map(message));
    for (let round = 0; round < 20; round++) {
      await sleep(30);
      map.validate();
    }
    Atomics.store(stop, 0, 1);
    for (const { wrong, operations } of await reports) {
      expect(wrong).toEqual([]);
      expect(operations).toBeGreaterThan(100);
    }
    map.validate();
    await Promise.all(workers.map((worker) => worker.terminate()));
  });

  it('may be terminated at any time: the map remains whole and usable, and their slots are freed', async () => {
    const map: AnyShared = new SharedMap({ key: 'u32', value: 'string', maxBytes: 1 << 20 });
    const stop = new Int32Array(new SharedArrayBuffer(4));
    for (let round = 0; round < 10; round++) {
      const workers = [1, 2].map((i) => start(map, { role: 'churn', seed: round * 2 + i, stop, keys: 3000 }));
      await Promise.all(workers.map(message));
      await sleep(round);
      await Promise.all(workers.map((worker) => worker.terminate()));
      map.validate();
      expect(map.stats().participants).toBe(1);
      map.set(5, '5:ffff');
      expect(map.get(5)).toBe('5:ffff');
    }
  });
});

describe('a map', () => {
  it('stays usable for others after the one that created it closed it', () => {
    const map: AnyShared = new SharedMap({ key: 'u32', value: 'string', maxBytes: 1 << 20 });
    const token = map.share();
    const other = SharedMap.attach(token) as AnyShared;
    map.set(1, 'one');
    map.close();
    expect(other.set(2, 'two').get(1)).toBe('one');
    const third = SharedMap.attach(other.share()) as AnyShared;
    other.close();
    expect(new Map(third)).toEqual(
      new Map([
        [1, 'one'],
        [2, 'two'],
      ]),
    );
    third.close();
    // Memory lives as long as someone has a token.
    expect((SharedMap.attach(token) as AnyShared).get(2)).toBe('two');
  });

  it('has a limited number of participants, and takes new ones after others left', () => {
    const map: AnyShared = new SharedMap({ key: 'u32', value: 'u32', maxBytes: 65_536 });
    const others: AnyShared[] = [];
    let error: any;
    try {
      for (let i = 0; i < 2000; i++) others.push(SharedMap.attach(map.share()) as AnyShared);
    } catch (cause) {
      error = cause;
    }
    expect(error?.code).toBe('ERR_OFFHEAP_FULL');
    expect(map.stats().participants).toBe(others.length + 1);
    others.pop()!.close();
    const last = SharedMap.attach(map.share()) as AnyShared;
    expect(last.set(1, 2).get(1)).toBe(2);
    for (const other of others) other.close();
    last.close();
    expect(map.stats().participants).toBe(1);
    map.validate();
  });
});
