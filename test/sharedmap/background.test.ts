/** The timer of a thread: sweeping, pressure, diagnostics, and no trace after that. */
import { execFile } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { throws } from '../helpers/errors.js';
import { SharedMap, type AnyShared } from './samples.js';

const run = promisify(execFile);

function make(options: object = {}): AnyShared {
  return new SharedMap({ key: 'u32', value: 'bytes', maxBytes: 1 << 18, ...options } as never);
}

/** Waits until a condition holds. The limit is that of the test. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

describe('entries that have expired', () => {
  it('are removed although no one reads them', async () => {
    const map = make();
    for (let key = 0; key < 100; key++) map.set(key, new Uint8Array(5), { ttl: 1 });
    map.set(500, new Uint8Array(5));
    await until(() => map.size === 1);
    expect(map.stats()).toMatchObject({ expired: 100, expiring: 0 });
  });
});

describe('onPressure', () => {
  it('calls the listener once when the ratio is reached, and again after it was below', async () => {
    const map = make({ onFull: 'reject' });
    const ratios: number[] = [];
    const others: number[] = [];
    const listener = map.onPressure(0.5, (ratio: number) => ratios.push(ratio));
    map.onPressure(1, (ratio: number) => others.push(ratio));
    const fill = (): void => {
      for (let key = 0; key < 180; key++) map.set(key, new Uint8Array(1000));
    };
    fill();
    await until(() => ratios.length === 1);
    expect(ratios[0]).toBeGreaterThanOrEqual(0.5);
    expect(ratios[0]).toBeLessThanOrEqual(1);
    await sleep(250);
    expect(ratios).toHaveLength(1);
    map.clear();
    await sleep(250);
    fill();
    await until(() => ratios.length === 2);
    expect(listener.close()).toBeUndefined();
    listener.close();
    map.clear();
    await sleep(250);
    fill();
    await sleep(250);
    expect(ratios).toHaveLength(2);
    expect(others).toEqual([]);
  });

  it('may close the map in a listener', async () => {
    const map = make();
    map.onPressure(0.01, () => map.close());
    map.set(1, new Uint8Array(50_000));
    await until(() => {
      try {
        return map.size < 0;
      } catch {
        return true;
      }
    });
    throws(() => map.size, 'ERR_OFFHEAP_CLOSED');
  });

  it('refuses wrong arguments, and closed maps', () => {
    const map = make();
    throws(() => map.onPressure('0.5', () => 1), 'ERR_OFFHEAP_TYPE');
    for (const ratio of [0, -1, 1.01, NaN]) throws(() => map.onPressure(ratio, () => 1), 'ERR_OFFHEAP_RANGE');
    throws(() => map.onPressure(0.5), 'ERR_OFFHEAP_TYPE');
    map.close();
    throws(() => map.onPressure(0.5, () => 1), 'ERR_OFFHEAP_CLOSED');
  });
});

describe('the diagnostics channel', () => {
  it('reports evictions while someone subscribes', async () => {
    const map = make();
    const messages: { count: number; map: unknown }[] = [];
    const note = (message: unknown): void => void messages.push(message as (typeof messages)[number]);
    subscribe('offheap:sharedmap:evict', note);
    try {
      let key = 0;
      await until(() => {
        for (let i = 0; i < 500; i++) map.set(key++, new Uint8Array(1000));
        return messages.length >= 2;
      });
      const counted = messages.reduce((sum, { count }) => sum + count, 0);
      expect(counted).toBeGreaterThan(0);
      expect(counted).toBeLessThanOrEqual(map.stats().evictions);
      for (const message of messages) expect(message.map).toBe(map);
    } finally {
      unsubscribe('offheap:sharedmap:evict', note);
    }
  });
});

describe('a process with a map', () => {
  it('ends when it has nothing else to do, whether or not the map was closed', async () => {
    const path = join(packageRoot(), 'dist', 'sharedmap', 'index.js');
    const source = `import { SharedMap } from ${JSON.stringify(`file://${path}`)};
      const map = new SharedMap({ key: 'u32', value: 'f64', maxBytes: 65536, ttl: 5000 }, [[1, 1]]);
      map.onPressure(0.5, () => {});
      console.log(map.size);`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', source], {
      timeout: 20_000,
    });
    expect(stdout).toBe('1\n');
  });

  it('does not end because a map is corrupt when the timer runs', async () => {
    const map = make();
    map.set(1, new Uint8Array(5), { ttl: 1 }).onPressure(0.1, () => undefined);
    const { buffer } = map.share();
    new Uint32Array(buffer).fill(0x7fff_ffff, 64);
    await sleep(300);
    new Uint32Array(buffer).fill(0, 64);
    map.close();
  });
});
