/** Figures: statistics, sizes, hot keys and metrics. */
import { join } from 'node:path';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { throws } from '../helpers/errors.js';
import { SharedMap, type AnyShared } from './samples.js';

function make(options: object = {}): AnyShared {
  return new SharedMap({ key: 'u32', value: 'f64', maxBytes: 1 << 20, ...options } as never);
}

describe('stats', () => {
  it('count what all participants did', () => {
    const map = make();
    const other = SharedMap.attach(map.share()) as AnyShared;
    map.set(1, 1).set(2, 2).set(2, 3);
    other.set(3, 3).delete(1);
    map.get(2);
    other.get(2);
    other.get(99);
    map.peek(2);
    map.has(99);
    expect(map.stats()).toMatchObject({
      entries: 2,
      hits: 2,
      misses: 1,
      sets: 4,
      deletes: 1,
      evictions: 0,
      participants: 2,
      maxBytes: 1 << 20,
      contentBytes: 24,
    });
    expect(other.stats()).toEqual(map.stats());
  });
});

describe('sizes', () => {
  it.each([
    ['u32', 'f64', 12],
    ['u64', 'u8', 9],
    ['f64', 'bool', 9],
  ])('of %s and %s are those of their types', (key, value, total) => {
    const map = make({ key, value });
    map.set(key === 'u64' ? 5n : 5, value === 'bool' ? true : 1);
    expect(map.sizes()).toEqual([{ bytes: 16, entries: 1, total }]);
  });

  it('are those of keys and values, in classes', () => {
    const map = make({ key: 'string', value: 'bytes', maxBytes: 1 << 22 });
    expect(map.sizes()).toEqual([]);
    for (let n = 10; n < 60; n++) map.set(`${n}`, new Uint8Array(n < 30 ? 6 : 1000));
    map.set('', new Uint8Array(0)).set('long', new Uint8Array(500_000));
    expect(map.sizes()).toEqual([
      { bytes: 1, entries: 1, total: 0 },
      { bytes: 8, entries: 20, total: 160 },
      { bytes: 1024, entries: 30, total: 30 * 1002 },
      { bytes: 2 ** 19, entries: 1, total: 500_004 },
    ]);
  });
});

describe('hotKeys', () => {
  it.each([
    ['u32', (n: number) => n],
    ['i64', (n: number) => -BigInt(n)],
    ['string', (n: number) => `key ü ${n}`],
  ])('are the keys of %s that are read most often', (key, keyOf) => {
    const map = make({ key });
    for (let n = 0; n < 500; n++) map.set(keyOf(n), n);
    expect(map.hotKeys()).toEqual([]);
    // Of 64 reads in a row one is sampled; 90% are of one key.
    for (let i = 0; i < 64 * 40; i++) map.get(keyOf(Math.floor(i / 64) % 10 === 9 ? i % 500 : 7));
    const hot = map.hotKeys(3);
    expect(hot.length).toBeGreaterThan(0);
    expect(hot.length).toBeLessThanOrEqual(3);
    expect(hot[0].key).toEqual(keyOf(7));
    expect(hot[0].count).toBeGreaterThan(64 * 20);
    map.delete(keyOf(7));
    expect(map.hotKeys().some((each: { key: unknown }) => each.key === keyOf(7))).toBe(false);
    expect(map.hotKeys(0)).toEqual([]);
    throws(() => map.hotKeys(-1), 'ERR_OFFHEAP_RANGE');
    throws(() => map.hotKeys('3'), 'ERR_OFFHEAP_TYPE');
  });

  it('include those of other threads', async () => {
    const map = make();
    map.set(42, 1);
    const source = `
      const { workerData, parentPort } = require('node:worker_threads');
      import(workerData.path).then(({ SharedMap }) => {
        const map = SharedMap.attach(workerData.token);
        for (let i = 0; i < 640; i++) map.get(42);
        parentPort.postMessage(0);
        parentPort.on('message', () => {});
      });`;
    const path = join(packageRoot(), 'dist', 'sharedmap', 'index.js');
    const worker = new Worker(source, { eval: true, workerData: { path, token: map.share() } });
    await once(worker, 'message');
    expect(map.hotKeys()).toEqual([{ key: 42, count: 640 }]);
    expect(map.stats()).toMatchObject({ hits: 640, participants: 2 });
    await worker.terminate();
  });
});

describe('metrics', () => {
  it('are Prometheus text: help, type and one sample for each name', () => {
    const map = make();
    map.set(1, 1).get(1);
    const lines = map.metrics().trimEnd().split('\n');
    expect(lines.length % 3).toBe(0);
    const names = new Set<string>();
    for (let i = 0; i < lines.length; i += 3) {
      const [, name] = /^# HELP ([a-z_]+) \S.*\.$/.exec(lines[i])!;
      const [, typed, type] = /^# TYPE ([a-z_]+) (counter|gauge)$/.exec(lines[i + 1])!;
      expect(typed).toBe(name);
      expect(lines[i + 2]).toMatch(new RegExp(`^${name} [0-9]+$`));
      expect(name.endsWith('_total')).toBe(type === 'counter');
      names.add(name);
    }
    expect(names.size).toBe(lines.length / 3);
    expect(lines).toContain('offheap_sharedmap_entries 1');
    expect(lines).toContain('offheap_sharedmap_hits_total 1');
    expect(lines).toContain(`offheap_sharedmap_max_bytes ${1 << 20}`);
  });

  it('take a prefix, and labels whose values are escaped', () => {
    const text = make().metrics({ prefix: 'app:cache_', labels: { name: 'a "b"\\\nc', zone: 'ü' } });
    expect(text).toContain('app:cache_entries{name="a \\"b\\"\\\\\\nc",zone="ü"} 0\n');
  });

  it('refuse other options', () => {
    const map = make();
    throws(() => map.metrics({ prefix: 5 }), 'ERR_OFFHEAP_TYPE');
    throws(() => map.metrics({ prefix: '0x' }), 'ERR_OFFHEAP_RANGE');
    throws(() => map.metrics({ prefix: 'a b' }), 'ERR_OFFHEAP_RANGE');
    throws(() => map.metrics({ labels: 'x' }), 'ERR_OFFHEAP_TYPE');
    throws(() => map.metrics({ labels: { 'a-b': 'x' } }), 'ERR_OFFHEAP_RANGE');
    throws(() => map.metrics({ labels: { a: 5 } }), 'ERR_OFFHEAP_TYPE');
    throws(() => map.metrics({ name: 'x' }), 'ERR_OFFHEAP_TYPE');
  });

  it('are measurements with a unit for OpenTelemetry', () => {
    const map = make();
    const measurements = map.measurements() as { name: string; unit: string; kind: string; value: number }[];
    const bytes = measurements.find(({ name }) => name === 'used_bytes');
    expect(bytes).toMatchObject({ unit: 'By', kind: 'gauge', value: map.usedBytes });
    for (const { value } of measurements) expect(Number.isFinite(value)).toBe(true);
  });
});
