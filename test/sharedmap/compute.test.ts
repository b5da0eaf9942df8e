import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { SharedMap } from '../../src/sharedmap/index.js';

const make = (): SharedMap<'string', 'json'> =>
  new SharedMap({ key: 'string', value: 'json', maxBytes: 1 << 20 });

describe('getOrCompute', () => {
  it('computes once for all callers, and returns a value that is present at once', async () => {
    using map = make();
    using other = SharedMap.attach<'string', 'json'>(map.share());
    const compute = vi.fn(async (key: string) => {
      await sleep(20);
      return { key };
    });
    const callers = [map, other, map, other].map((one) => one.getOrCompute('k', compute));
    expect(map.get('k')).toBe(undefined);
    expect(map.size).toBe(0);
    expect(await Promise.all(callers)).toEqual(Array(4).fill({ key: 'k' }));
    expect(compute).toHaveBeenCalledTimes(1);
    expect(await other.getOrCompute('k', compute)).toEqual({ key: 'k' });
    expect(compute).toHaveBeenCalledTimes(1);
    map.validate();
  });

  it('lets another caller compute after one that throws', async () => {
    using map = make();
    const failing = map.getOrCompute('k', () => Promise.reject(new Error('no')));
    const other = map.getOrCompute('k', () => 2);
    await expect(failing).rejects.toThrow('no');
    expect(await other).toBe(2);
  });

  it('lets another caller compute when a lease has ended, whose value remains', async () => {
    using map = make();
    let reason: unknown;
    const slow = map.getOrCompute(
      'k',
      async (_, { signal }) => {
        signal.addEventListener('abort', () => (reason = signal.reason));
        await sleep(120);
        return 'late';
      },
      { lease: 20 },
    );
    await sleep(1);
    expect(await map.getOrCompute('k', () => 'early')).toBe('early');
    expect(await slow).toBe('late');
    expect(map.get('k')).toBe('early');
    expect(String(reason)).toContain('lease');
  });

  it('stops waiting and computing when the signal is aborted', async () => {
    using map = make();
    const controller = new AbortController();
    const computing = map.getOrCompute(
      'k',
      (_, { signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      { signal: controller.signal },
    );
    const waiting = map.getOrCompute('k', () => 1, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(computing).rejects.toThrow('enough');
    await expect(waiting).rejects.toThrow();
    expect(await map.getOrCompute('k', () => 3)).toBe(3);
  });

  it('takes over from a worker that is terminated while it computes', async () => {
    using map = make();
    const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
      workerData: { dist: join(packageRoot(), 'dist'), token: map.share(), role: 'compute' },
    });
    await new Promise((resolve) => worker.once('message', resolve));
    await worker.terminate();
    expect(await map.getOrCompute('k', () => 'mine')).toBe('mine');
  });

  it('gives values their time to live', async () => {
    using map = make();
    await map.getOrCompute('k', () => 1, { ttl: 5000 });
    expect(map.remainingTtl('k')).toBeLessThanOrEqual(5000);
    expect(map.remainingTtl('k')).toBeGreaterThan(0);
  });

  it('refuses wrong arguments', async () => {
    using map = make();
    const wrong = map.getOrCompute.bind(map) as (...given: unknown[]) => Promise<unknown>;
    await expect(wrong('k', 1)).rejects.toMatchObject({ code: 'ERR_OFFHEAP_TYPE' });
    await expect(wrong(1, () => 1)).rejects.toMatchObject({ code: 'ERR_OFFHEAP_TYPE' });
    for (const lease of [0, -1, NaN, 2 ** 31]) {
      await expect(wrong('k', () => 1, { lease })).rejects.toMatchObject({ code: 'ERR_OFFHEAP_RANGE' });
    }
    await expect(wrong('k', () => 1, { signal: {} })).rejects.toMatchObject({ code: 'ERR_OFFHEAP_TYPE' });
    await expect(wrong('k', () => 1n)).rejects.toMatchObject({ code: 'ERR_OFFHEAP_TYPE' });
    expect(await map.getOrCompute('k', () => 1)).toBe(1);
  });
});
