/** The messages of each channel of `node:diagnostics_channel`. */
import { execFileSync, spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import type { Occurrences, SharedMapChannels, SlowOperation } from '../../src/sharedmap/index.js';
import { throws } from '../helpers/errors.js';
import { SharedMap, type AnyShared } from './samples.js';

const dist = join(packageRoot(), 'dist');
const folder = mkdtempSync(join(tmpdir(), 'offheap-diagnostics-'));
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The messages of a channel until the test ends; `also` is called with each. */
function listen<C extends keyof SharedMapChannels>(
  name: C,
  also?: (message: SharedMapChannels[C]) => void,
): SharedMapChannels[C][] {
  const messages: SharedMapChannels[C][] = [];
  const note = (message: unknown): void => {
    messages.push(message as SharedMapChannels[C]);
    also?.(message as SharedMapChannels[C]);
  };
  subscribe(name, note);
  ends.push(() => unsubscribe(name, note));
  return messages;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

const make = (options: object = {}): AnyShared =>
  new SharedMap({ key: 'u32', value: 'f64', maxBytes: 1 << 18, ...options } as never);

describe('offheap:sharedmap:slow', () => {
  const operations: [operation: string, run: (map: AnyShared) => unknown][] = [
    ['set', (map) => map.set(1, 2)],
    ['set', (map) => map.add(9, 2)],
    ['delete', (map) => map.delete(1)],
    ['getAndDelete', (map) => map.getAndDelete(1)],
    ['increment', (map) => map.increment(1)],
    ['touch', (map) => map.touch(1, { ttl: 5000 })],
    ['get', (map) => map.entry(1)],
    ['getMany', (map) => map.getMany(Uint32Array.of(1))],
    ['setMany', (map) => map.setMany(Uint32Array.of(1), Float64Array.of(1))],
    ['deleteMany', (map) => map.deleteMany(Uint32Array.of(1))],
    ['setByHandle', (map) => map.setByHandle(map.handleOf(1), 5)],
    ['deleteByHandle', (map) => map.deleteByHandle(map.handleOf(1))],
    ['transaction', (map) => map.transaction((change: AnyShared) => void change.set(1, 3))],
    ['scan', (map) => map.scan(0)],
    ['purgeExpired', (map) => map.purgeExpired()],
    ['clear', (map) => map.clear()],
    ['validate', (map) => map.validate()],
  ];
  it.each(operations)('reports the operation %s, and a result as without it', async (operation, run) => {
    const expected = run(make().set(1, 10));
    const messages = listen('offheap:sharedmap:slow');
    const map = make({ slowMilliseconds: 0 });
    map.set(1, 10);
    const result = run(map);
    if (!(expected instanceof SharedMap) && operation !== 'get') expect(result).toEqual(expected);
    expect(messages).toEqual([]);
    await sleep(0);
    const found = messages.findLast((message) => message.operation === operation)!;
    expect(found.map).toBe(map);
    expect(found.milliseconds).toBeGreaterThanOrEqual(0);
    expect(found.dropped).toBe(0);
    expect(Object.keys(found).sort()).toEqual(['dropped', 'map', 'milliseconds', 'operation']);
  });

  it('reports operations that throw, and nothing below the threshold', async () => {
    const messages = listen('offheap:sharedmap:slow');
    const map: AnyShared = new SharedMap({
      ...{ key: 'u32', value: 'bytes', maxBytes: 65_536, slowMilliseconds: 0 },
    } as never);
    throws(() => map.set(1, new Uint8Array(100_000)), 'ERR_OFFHEAP_FULL');
    const fast = make({ slowMilliseconds: 1e9 });
    fast.set(1, 1);
    await sleep(0);
    expect(messages.map((message) => message.operation)).toEqual(['set']);
  });

  it('has a threshold for each holder, and 10 ms without one', async () => {
    const messages = listen('offheap:sharedmap:slow');
    const map = make({ slowMilliseconds: 1e9 });
    const other: AnyShared = SharedMap.attach(map.share(), { slowMilliseconds: 0 });
    other.set(1, 1);
    map.set(1, 2);
    await sleep(0);
    expect(messages.map((message) => message.map)).toEqual([other]);
    for (const wrong of ['1', null, 1n]) throws(() => make({ slowMilliseconds: wrong }), 'ERR_OFFHEAP_TYPE');
    for (const wrong of [-1, NaN, 2e9]) {
      throws(() => SharedMap.attach(map.share(), { slowMilliseconds: wrong }), 'ERR_OFFHEAP_RANGE');
    }
    if (process.platform === 'linux') {
      const path = join(folder, 'wrong');
      const options = { key: 'u32', value: 'u32', maxBytes: 65_536, slowMilliseconds: -1 } as const;
      throws(() => SharedMap.open(path, options), 'ERR_OFFHEAP_RANGE');
    }
  });

  it('allows a subscriber to use the map', async () => {
    const map = make({ slowMilliseconds: 0 });
    let calls = 0;
    listen('offheap:sharedmap:slow', () => {
      if (calls++ < 5) map.set(100 + calls, calls);
    });
    expect(map.increment(1, 5)).toBe(5);
    expect(map.increment(1, 5)).toBe(10);
    await until(() => calls >= 7);
    expect(map.get(105)).toBe(5);
  });

  it('keeps a bounded number of messages, and tells how many were dropped', async () => {
    const messages = listen('offheap:sharedmap:slow');
    const map = make({ slowMilliseconds: 0 });
    for (let i = 0; i < 3000; i++) map.set(i & 7, i);
    await sleep(0);
    const dropped = messages.reduce((sum, message: SlowOperation) => sum + message.dropped, 0);
    expect(messages.length).toBe(1024);
    expect(messages.length + dropped).toBe(3000);
  });

  it('reports nothing of maps that were closed, or after the last subscriber left', async () => {
    const map = make({ slowMilliseconds: 0 });
    const messages = listen('offheap:sharedmap:slow');
    map.close();
    throws(() => map.set(1, 1), 'ERR_OFFHEAP_CLOSED');
    ends.pop()!();
    make({ slowMilliseconds: 0 }).set(1, 1);
    await sleep(0);
    expect(messages).toEqual([]);
  });
});

describe('offheap:sharedmap:lock-wait', () => {
  it('counts the waits of all threads', async () => {
    const messages: Occurrences[] = listen('offheap:sharedmap:lock-wait');
    const map: AnyShared = new SharedMap({ key: 'u32', value: 'string', maxBytes: 1 << 18, shards: 1 });
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const workers = [1, 2, 3].map(
      (seed) =>
        new Worker(new URL('./worker.mjs', import.meta.url), {
          workerData: { dist, token: map.share(), role: 'churn', seed, stop, keys: 500 },
        }),
    );
    await until(() => messages.length >= 2);
    Atomics.store(stop, 0, 1);
    await Promise.all(workers.map((worker) => once(worker, 'exit')));
    const counted = messages.reduce((sum, { count }) => sum + count, 0);
    expect(counted).toBeGreaterThanOrEqual(2);
    expect(counted).toBeLessThanOrEqual(map.stats().lockWaits);
    for (const message of messages) expect(message.map).toBe(map);
  });
});

/** A process that holds all locks of a map, as if it had been stopped inside of native code. */
const HOLDER = `
  const { SharedMap } = await import(${JSON.stringify(`file://${dist}/sharedmap/index.js`)});
  const map = SharedMap.open(process.argv[1]);
  const words = new Int32Array(map.share().buffer);
  const [participants, slots, shards, stride] = [words[24] / 4, words[19], words[25] / 4, words[26] / 4];
  for (let slot = 0; slot < slots; slot++) {
    const state = words[participants + slot * 64];
    if (words[participants + slot * 64 + 1] !== process.pid || state === 0) continue;
    for (let shard = 0; shard < 1 << words[18]; shard++) {
      Atomics.store(words, shards + shard * stride + 16, (slot + 1) | (state & ~0x7ff));
    }
  }
  console.log('held');
  setInterval(() => map.isOpen, 1000);`;

describe.runIf(process.platform === 'linux')('offheap:sharedmap:repair', () => {
  it('counts the shards that were repaired after a process was killed', async () => {
    const path = join(folder, 'repair');
    const map = SharedMap.open(path, { key: 'u32', value: 'f64', maxBytes: 1 << 18 });
    for (let key = 0; key < 100; key++) map.set(key, key);
    const messages = listen('offheap:sharedmap:repair');
    const evicted = listen('offheap:sharedmap:evict');
    await sleep(250); // the first figures, with which later ones are compared
    const child = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, path]);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (let key = 0; key < 100; key++) map.set(key, key + 1);
    await until(() => messages.reduce((sum, { count }) => sum + count, 0) === map.stats().repairs);
    expect(map.stats().repairs).toBeGreaterThan(0);
    for (const message of messages) expect(message).toEqual({ count: message.count, map });
    expect(evicted).toEqual([]);
    map.validate();
    map.close();
  });
});

describe('a process without subscribers', () => {
  it('loads no measuring functions: operations call the addon itself', () => {
    const source = `
      const { SharedMap } = await import(${JSON.stringify(`file://${dist}/sharedmap/index.js`)});
      const { native } = await import(${JSON.stringify(`file://${dist}/native.js`)});
      const { calls } = await import(${JSON.stringify(`file://${dist}/sharedmap/diagnostics.js`)});
      const { subscribe, unsubscribe } = await import('node:diagnostics_channel');
      const note = () => {};
      const seen = [calls() === native()];
      subscribe('offheap:sharedmap:slow', note);
      seen.push(calls() === native());
      unsubscribe('offheap:sharedmap:slow', note);
      seen.push(calls() === native());
      console.log(seen.join());`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', source], {
      encoding: 'utf8',
    });
    expect(output).toBe('true,false,true\n');
  });
});
