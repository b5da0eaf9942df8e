/**
 * LockFreePool and ThreadLocalPool: compared with a model; TypeScript, Rust and caches on one
 * region at the same time; terminated threads, guards and zeros, errors, golden and damaged bytes.
 */
import fc from 'fast-check';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ErrorCode } from '../../src/errors.js';
import { native, packageRoot } from '../../src/native.js';
import type { PoolHandle } from '../../src/native/lockfreepool.js';
import {
  FixedPool,
  GUARD_BYTES,
  LockFreePool,
  ThreadLocalPool,
  type LockFreePoolOptions,
} from '../../src/pools/index.js';
import type { Token } from '../../src/region/token.js';
import { thrown, throws } from '../helpers/errors.js';
import { Random } from '../helpers/random.js';

const dist = join(packageRoot(), 'dist');
const script = new URL('../helpers/pool-worker.mjs', import.meta.url);
const goldenPath = join(packageRoot(), 'test', 'golden', 'lockfreepool.bin');
const regionOf = (pool: LockFreePool): Uint8Array => new Uint8Array(pool.share().buffer!);

const workers: Worker[] = [];
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

function start(data: object): Worker {
  const worker = new Worker(script, { workerData: { dist, ...data } });
  workers.push(worker);
  return worker;
}

async function answer(worker: Worker): Promise<unknown> {
  const [message] = (await Promise.race([
    once(worker, 'message'),
    once(worker, 'error').then(([error]) => {
      throw error as Error;
    }),
  ])) as [unknown];
  return message;
}

/** A token of a copy of these bytes. */
function copy(bytes: Uint8Array): Token<'lockfreepool'> {
  const buffer = new SharedArrayBuffer(bytes.length);
  new Uint8Array(buffer).set(bytes);
  return { offheap: 'lockfreepool', buffer };
}

/** A pool, and the handle that native code gave it. */
function withHandle<P>(make: () => P): [P, PoolHandle] {
  const attach = vi.spyOn(native(), 'lockfreepoolAttach');
  const pool = make();
  const handle = attach.mock.results[0].value as PoolHandle;
  attach.mockRestore();
  return [pool, handle];
}

const shapes: Record<string, LockFreePoolOptions> = {
  plain: { capacityBytes: 32_768 },
  compact: { capacityBytes: 16_384, compact: true },
  'large chunks': { capacityBytes: 32_768, chunkBytes: 8192, minBlockBytes: 32 },
  guards: { capacityBytes: 16_384, guards: true },
  'zeros and guards': { capacityBytes: 16_384, guards: true, zeroOnFree: true },
};

describe.each(Object.entries(shapes))('compared with a model: %s', (_, options) => {
  it('keeps blocks apart and their contents intact, and refuses invalid frees', () => {
    const step = fc.record({
      who: fc.nat(3),
      what: fc.oneof(
        { weight: 5, arbitrary: fc.record({ alloc: fc.oneof(fc.nat(300), fc.nat(12_000)) }) },
        { weight: 4, arbitrary: fc.record({ free: fc.nat(1000) }) },
        { weight: 1, arbitrary: fc.record({ foreign: fc.nat(40_000) }) },
      ),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
        const pool = new LockFreePool(options);
        const handles = [
          pool,
          LockFreePool.attach(pool.share()),
          new ThreadLocalPool(pool, { cacheBytes: 8192 }),
          new ThreadLocalPool(pool, { cacheBytes: 4096 }),
        ];
        const live = new Map<number, { bytes: number; fill: number }>();
        steps.forEach(({ who, what }, n) => {
          const handle = handles[who];
          if ('alloc' in what) {
            const at = handle.tryAlloc(what.alloc);
            if (at < 0) return;
            for (const [other, { bytes }] of live) {
              expect(other === at || (other < at && other + bytes > at)).toBe(false);
            }
            const view = handle.view(at, what.alloc);
            if (options.zeroOnFree) expect(view.every((byte) => byte === 0)).toBe(true);
            view.fill((n & 127) + 1);
            live.set(at, { bytes: what.alloc, fill: (n & 127) + 1 });
          } else if ('free' in what) {
            const at = [...live.keys()][what.free % live.size];
            if (at === undefined) return;
            const { bytes, fill } = live.get(at)!;
            expect(pool.view(at, bytes).every((byte) => byte === fill)).toBe(true);
            handle.free(at);
            live.delete(at);
            for (const any of handles) throws(() => any.free(at), 'ERR_OFFHEAP_STALE');
          } else if (!live.has(what.foreign)) {
            expect(thrown(() => handle.free(what.foreign)).code).toMatch(/STALE|RANGE/);
          }
          expect(pool.stats().usedBlocks).toBe(live.size);
        });
        pool.validate();
        for (const handle of handles.slice(1)) handle.close();
        expect(pool.stats()).toMatchObject({ cachedBytes: 0, handles: 1, suspects: [] });
        for (const at of live.keys()) pool.free(at);
        pool.validate();
        const guard = options.guards ? GUARD_BYTES : 0;
        expect(pool.alloc(pool.stats().capacityBytes - guard)).toBe(0);
      }),
      { numRuns: 40 },
    );
  });
});

describe('threads', () => {
  it.each([
    ['a roomy pool', { capacityBytes: 2 ** 20 }, [16, 64, 100, 256, 1000, 5000, 40_000]],
    ['a full pool', { capacityBytes: 8192 }, [64, 128, 500]],
    ['a compact pool', { capacityBytes: 2 ** 16, compact: true }, [16, 24, 100, 1500]],
  ])(
    'allocate and free from TypeScript, from Rust and through caches at the same time: %s',
    { timeout: 120_000 },
    async (_, options, sizes) => {
      const pool = new LockFreePool(options);
      const mailbox = new Int32Array(new SharedArrayBuffer(16 * 4));
      const engines = ['js', 'rust', 'cached', 'js'];
      await Promise.all(
        engines.map((engine, i) =>
          answer(
            start({ token: pool.share(), engine, seed: 77 * i + 5, operations: 60_000, sizes, mailbox }),
          ),
        ),
      );
      for (const left of mailbox) if (left > 0) pool.free(left - 1);
      await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
      const { usedBlocks, cachedBytes, handles, suspects, capacityBytes } = pool.stats();
      expect({ usedBlocks, cachedBytes, handles, suspects }).toEqual({
        usedBlocks: 0,
        cachedBytes: 0,
        handles: 1,
        suspects: [],
      });
      pool.validate();
      expect(pool.alloc(capacityBytes)).toBe(0);
    },
  );

  it('never find a pool full that has a free block', { timeout: 120_000 }, async () => {
    const pool = new LockFreePool({ capacityBytes: 1024, minBlockBytes: 256 });
    const answers = await Promise.all(
      ['js', 'js', 'rust'].map((engine, seed) =>
        answer(start({ token: pool.share(), engine, seed, operations: 60_000, single: true, sizes: [200] })),
      ),
    );
    expect(answers).toEqual([{ failures: 0 }, { failures: 0 }, { failures: 0 }]);
  });

  it.each(['js', 'cached'])(
    'leak at most one block, which the pool reports, when terminated at any moment: %s',
    { timeout: 120_000 },
    async (engine) => {
      const pool = new LockFreePool({ capacityBytes: 2 ** 16 });
      const sizes = [64, 200, 1000, 5000];
      for (let round = 0; round < 12; round++) {
        const worker = start({ token: pool.share(), engine, seed: round, operations: 0, sizes });
        await answer(worker);
        await new Promise((resolve) => setTimeout(resolve, round % 4));
        await worker.terminate();
        const { usedBlocks, cachedBytes, handles, suspects } = pool.stats();
        expect({ cachedBytes, handles, usedBlocks }).toEqual({
          cachedBytes: 0,
          handles: 1,
          usedBlocks: suspects.length,
        });
        expect(usedBlocks).toBeLessThanOrEqual(1);
        suspects.forEach((at) => pool.free(at));
        pool.validate();
      }
      expect(pool.alloc(2 ** 16)).toBe(0);
    },
  );
});

describe('ThreadLocalPool', () => {
  it('regains blocks that other threads free, and is independent of other caches', () => {
    const [one, two] = [
      new LockFreePool({ capacityBytes: 2 ** 16 }),
      new LockFreePool({ capacityBytes: 2 ** 16 }),
    ];
    const caches = [one, one, two].map((pool) => new ThreadLocalPool(pool, { cacheBytes: 8192 }));
    const blocks = caches.map((cache) => Array.from({ length: 16 }, () => cache.alloc(64)));
    expect(new Set([...blocks[0], ...blocks[1]]).size).toBe(32);
    expect(one.stats().usedBlocks).toBe(32);
    expect(two.stats().usedBlocks).toBe(16);
    blocks[0].forEach((at) => one.free(at));
    const again = Array.from({ length: 16 }, () => caches[0].alloc(64));
    expect(again.sort((a, b) => a - b)).toEqual(blocks[0]);
    blocks[1].forEach((at) => caches[0].free(at));
    expect(one.stats().usedBlocks).toBe(16);
    caches[1].flush();
    expect(caches[1].stats().heldBytes).toBe(0);
    expect(caches[0].stats().heldBytes).toBeGreaterThan(0);
    expect(two.stats().usedBlocks).toBe(16);
  });

  it('outlives the pool object that it was created from, and returns all blocks when closed', () => {
    const pool = new LockFreePool({ capacityBytes: 2 ** 16 });
    const other = LockFreePool.attach(pool.share());
    const local = new ThreadLocalPool(pool);
    pool.close();
    local.free(local.alloc(64));
    expect(other.stats().cachedBytes).toBeGreaterThan(0);
    local.close();
    local.close();
    expect(other.stats()).toMatchObject({ cachedBytes: 0, handles: 1 });
    throws(() => local.alloc(1), 'ERR_OFFHEAP_CLOSED');
    throws(() => local.flush(), 'ERR_OFFHEAP_CLOSED');
    throws(() => new ThreadLocalPool(pool), 'ERR_OFFHEAP_CLOSED');
  });

  it('rejects an argument that is not a LockFreePool, and an invalid size', () => {
    const pool = new LockFreePool({ capacityBytes: 2 ** 16 });
    throws(() => new ThreadLocalPool({} as never), 'ERR_OFFHEAP_TYPE');
    throws(
      () => new ThreadLocalPool(new FixedPool({ blockSize: 8, blocks: 1 }) as never),
      'ERR_OFFHEAP_TYPE',
    );
    throws(() => new ThreadLocalPool(pool, { cacheBytes: -1 }), 'ERR_OFFHEAP_RANGE');
    throws(() => new ThreadLocalPool(pool, { cache: 1 } as object), 'ERR_OFFHEAP_TYPE');
    const none = new ThreadLocalPool(pool, { cacheBytes: 0 });
    none.free(none.alloc(64));
    expect(none.stats().heldBytes).toBe(0);
  });
});

describe('guards and zeros', () => {
  it('detect an overrun, and leave the block allocated and unchanged', () => {
    const pool = new LockFreePool({ capacityBytes: 8192, guards: true, zeroOnFree: true });
    for (const handle of [pool, new ThreadLocalPool(pool)]) {
      for (const bytes of [0, 1, 48, 49, 500, 3000]) {
        const at = handle.alloc(bytes);
        expect(handle.view(at, bytes).length).toBe(bytes);
        throws(() => handle.view(at, bytes + 1), 'ERR_OFFHEAP_RANGE');
        for (const i of [0, GUARD_BYTES - 1]) {
          const kept = pool.u8[at + bytes + i];
          pool.u8[at + bytes + i] = 0;
          throws(() => handle.free(at), 'ERR_OFFHEAP_CORRUPT');
          pool.u8[at + bytes + i] = kept;
        }
        pool.view(at, bytes).fill(9);
        handle.free(at);
        expect(pool.u8.subarray(at, at + bytes + GUARD_BYTES).every((byte) => byte === 0)).toBe(true);
      }
    }
    expect(pool.stats().usedBlocks).toBe(0);
  });

  it('are off by default', () => {
    const pool = new LockFreePool({ capacityBytes: 8192 });
    const at = pool.alloc(64);
    pool.u8.fill(7);
    pool.free(at);
    expect(pool.u8[at]).toBe(7);
  });
});

describe('LockFreePool', () => {
  it('has presets', () => {
    const fast = LockFreePool.highPerformance({ capacityBytes: 2 ** 20 });
    const small = LockFreePool.compact({ capacityBytes: 2 ** 16 });
    expect(small.alloc(1) + small.alloc(1)).toBe(16);
    expect(fast.stats().capacityBytes).toBe(2 ** 20);
    expect(small.byteLength - 2 ** 16).toBeLessThan(8192);
    expect(LockFreePool.highPerformance().stats().capacityBytes).toBe(2 ** 26);
    expect(LockFreePool.compact().stats().capacityBytes).toBe(2 ** 20);
    throws(() => LockFreePool.compact(3 as never), 'ERR_OFFHEAP_TYPE');
  });

  it('rejects invalid options', () => {
    const bad = (options: unknown, code: ErrorCode): void => {
      throws(() => new LockFreePool(options as LockFreePoolOptions), code);
    };
    bad(undefined, 'ERR_OFFHEAP_TYPE');
    bad({}, 'ERR_OFFHEAP_TYPE');
    bad({ capacityBytes: '1' }, 'ERR_OFFHEAP_TYPE');
    bad({ capacity: 1 }, 'ERR_OFFHEAP_TYPE');
    bad({ capacityBytes: 64, compact: 1 }, 'ERR_OFFHEAP_TYPE');
    for (const capacityBytes of [0, -1, NaN, 1.5, 2 ** 32 + 1, Infinity])
      bad({ capacityBytes }, 'ERR_OFFHEAP_RANGE');
    bad({ capacityBytes: 64, chunkBytes: 3000 }, 'ERR_OFFHEAP_RANGE');
    bad({ capacityBytes: 64, minBlockBytes: 1024 }, 'ERR_OFFHEAP_RANGE');
    bad({ capacityBytes: 64, handles: 1024 }, 'ERR_OFFHEAP_RANGE');
  });

  it('rejects invalid sizes and offsets', () => {
    const pool = new LockFreePool({ capacityBytes: 8192 });
    for (const handle of [pool, new ThreadLocalPool(pool)]) {
      for (const bytes of [-1, 1.5, NaN, Infinity, 2 ** 53])
        throws(() => handle.alloc(bytes), 'ERR_OFFHEAP_RANGE');
      for (const bytes of ['1', undefined, null, {}, 1n])
        throws(() => handle.alloc(bytes as never), 'ERR_OFFHEAP_TYPE');
      for (const at of [-1, 0.5, NaN, 8192, 2 ** 32, 2 ** 53])
        throws(() => handle.free(at), 'ERR_OFFHEAP_RANGE');
      for (const at of ['0', undefined, null, [], 0n])
        throws(() => handle.free(at as never), 'ERR_OFFHEAP_TYPE');
      throws(() => handle.free(0), 'ERR_OFFHEAP_STALE');
      throws(() => handle.alloc(8193), 'ERR_OFFHEAP_FULL');
      expect(handle.tryAlloc(2 ** 50)).toBe(-1);
      const at = handle.alloc(64);
      throws(() => handle.free(at + 8), 'ERR_OFFHEAP_RANGE');
      handle.free(at);
      throws(() => handle.free(at), 'ERR_OFFHEAP_STALE');
      throws(() => handle.view(at, 1), 'ERR_OFFHEAP_STALE');
      const large = handle.alloc(5000);
      throws(() => handle.free(large + 64), 'ERR_OFFHEAP_RANGE');
      handle.free(large);
      throws(() => handle.free(large), 'ERR_OFFHEAP_STALE');
    }
  });

  it('reuses all blocks that were freed into a cache, also those without a note', () => {
    const pool = new LockFreePool({ capacityBytes: 2 ** 18 });
    const [local, handle] = withHandle(() => new ThreadLocalPool(pool, { cacheBytes: 2 ** 17 }));
    const blocks = Array.from({ length: 1008 }, () => local.alloc(64));
    for (let round = 0; round < 3; round++) {
      for (const at of blocks) local.free(at);
      const again = Array.from({ length: 504 }, () => local.alloc(64));
      // Native code keeps its own notes on the same groups.
      const more = new Float64Array(504);
      expect(native().lockfreepoolAllocMany(handle, 64, more)).toBe(504);
      const all = [...again, ...more].sort((a, b) => a - b);
      expect(all).toEqual([...blocks].sort((a, b) => a - b));
      native().lockfreepoolFreeMany(handle, more.subarray(0, 250));
      for (const at of [...again, ...more.subarray(250)]) local.free(at);
      for (const at of all) throws(() => local.free(at), 'ERR_OFFHEAP_STALE');
      const last = Array.from({ length: 1008 }, () => local.alloc(64));
      expect(new Set(last)).toEqual(new Set(blocks));
    }
    for (const at of blocks) local.free(at);
    pool.validate();
    local.close();
    expect(pool.stats()).toMatchObject({ usedBytes: 0, cachedBytes: 0, handles: 1 });
  });

  it('rejects a native handle of another kind, and a closed one', () => {
    const [closed, ended] = withHandle(() => new LockFreePool({ capacityBytes: 4096 }));
    closed.close();
    const others = [undefined, null, 1, {}, native().dictionaryNew()] as PoolHandle[];
    const out = new Float64Array(14);
    const calls: ((handle: PoolHandle) => unknown)[] = [
      (handle) => native().lockfreepoolLayout(handle, out),
      (handle) => native().lockfreepoolAlloc(handle, 64),
      (handle) => native().lockfreepoolFree(handle, 0),
      (handle) => native().lockfreepoolRoom(handle, 0),
      (handle) => native().lockfreepoolAllocMany(handle, 64, out),
      (handle) => native().lockfreepoolFreeMany(handle, out),
      (handle) => native().lockfreepoolStats(handle, out),
      (handle) => native().lockfreepoolSuspects(handle),
      (handle) => native().lockfreepoolFlush(handle),
    ];
    for (const call of calls) {
      for (const other of others) throws(() => call(other), 'ERR_OFFHEAP_TYPE');
      throws(() => call(ended), 'ERR_OFFHEAP_CLOSED');
    }
    for (const other of others) throws(() => native().lockfreepoolClose(other), 'ERR_OFFHEAP_TYPE');
    native().lockfreepoolClose(ended);
  });

  it('serves large requests from freed small blocks, and one size from all memory', () => {
    const pool = new LockFreePool({ capacityBytes: 2 ** 16 });
    const small: number[] = [];
    for (let at = pool.tryAlloc(64); at >= 0; at = pool.tryAlloc(64)) small.push(at);
    expect(small.length).toBe(1024);
    throws(() => pool.alloc(1), 'ERR_OFFHEAP_FULL');
    expect(pool.stats().failures).toBe(2);
    small.forEach((at) => pool.free(at));
    pool.free(pool.alloc(2 ** 16));
    expect(pool.alloc(20_000)).toBeGreaterThanOrEqual(0);
  });

  it('limits the number of handles, and reuses the slots of closed ones', () => {
    const pool = new LockFreePool({ capacityBytes: 4096, handles: 3 });
    for (let i = 0; i < 10; i++) {
      const others = [LockFreePool.attach(pool.share()), new ThreadLocalPool(pool)];
      throws(() => LockFreePool.attach(pool.share()), 'ERR_OFFHEAP_FULL');
      others.forEach((other) => other.close());
    }
  });

  it('prints its class, refuses cloning, and throws ERR_OFFHEAP_CLOSED after close()', () => {
    const pool = new LockFreePool({ capacityBytes: 4096 });
    expect(inspect(pool)).toContain('LockFreePool');
    expect(Object.prototype.toString.call(pool)).toBe('[object LockFreePool]');
    expect(JSON.stringify(pool)).toBe('{}');
    expect(() => structuredClone(pool)).toThrow(/clone/i);
    {
      using block = pool.acquire(100);
      block.bytes.fill(1);
      expect(pool.stats().usedBlocks).toBe(1);
    }
    expect(pool.stats().usedBlocks).toBe(0);
    pool.close();
    pool.close();
    expect(inspect(pool)).toBe('LockFreePool { closed }');
    for (const use of [
      () => pool.alloc(1),
      () => pool.tryAlloc(1),
      () => pool.free(0),
      () => pool.stats(),
      () => pool.share(),
      () => pool.validate(),
      () => pool.view(0, 1),
      () => pool.byteLength,
    ]) {
      throws(use, 'ERR_OFFHEAP_CLOSED');
    }
    expect(pool.u8.length).toBe(0);
  });
});

describe('bytes', () => {
  it('equal the golden file, whether TypeScript or Rust wrote them', () => {
    const regions = [false, true].map((rust) => {
      const pool = new LockFreePool({ capacityBytes: 4096, handles: 2 });
      const handle = rust ? native().lockfreepoolAttach(regionOf(pool), undefined) : undefined;
      const alloc = (bytes: number): number =>
        handle === undefined ? pool.alloc(bytes) : native().lockfreepoolAlloc(handle, bytes);
      const at = [10, 100, 64, 1500, 64].map(alloc);
      if (handle === undefined) pool.free(at[2]);
      else native().lockfreepoolFree(handle, at[2]);
      const bytes = regionOf(pool).slice();
      // The slots differ, because the handle of Rust is the second one.
      bytes.fill(0, 256, 256 + 2 * 128);
      for (let i = 512; i < 512 + 64; i += 4) bytes[i + 1] = 0;
      return bytes;
    });
    expect(Buffer.compare(regions[0], regions[1])).toBe(0);
    if (process.env.OFFHEAP_BLESS === '1') writeFileSync(goldenPath, regions[0]);
    expect(Buffer.compare(regions[0], readFileSync(goldenPath))).toBe(0);
  });

  it('are refused, or lead to wrong blocks, if they are damaged', () => {
    const pool = new LockFreePool({ capacityBytes: 4096, handles: 4 });
    for (const bytes of [10, 100, 64, 1500]) pool.alloc(bytes);
    const good = regionOf(pool).slice();
    const random = new Random(5);
    let refused = 0;
    const attempt = (change: (bytes: Uint8Array) => void): void => {
      const bytes = good.slice();
      change(bytes);
      const allowed = (use: () => void): boolean => {
        try {
          use();
          return true;
        } catch (error) {
          expect((error as { code?: string }).code).toMatch(/CORRUPT|VERSION|STALE|RANGE|FULL/);
          return false;
        }
      };
      let other: LockFreePool | undefined;
      if (!allowed(() => (other = LockFreePool.attach(copy(bytes))))) refused++;
      if (other === undefined) return;
      const handles = [other];
      allowed(() => handles.push(new ThreadLocalPool(other!, { cacheBytes: 4096 }) as never));
      for (const handle of handles) {
        for (let i = 0; i < 8; i++) {
          allowed(() => handle.tryAlloc(random.below(600)));
          allowed(() => handle.free(random.below(64) * 64));
        }
        allowed(() => handle.validate());
        allowed(() => handle.stats());
        handle.close();
      }
    };
    for (let bit = 0; bit < 256 * 8; bit++) attempt((bytes) => (bytes[bit >> 3] ^= 1 << (bit & 7)));
    expect(refused).toBeGreaterThan(300);
    for (let round = 0; round < 25; round++) {
      attempt((bytes) => {
        for (let i = 0; i <= round % 20; i++)
          bytes[256 + random.below(bytes.length - 256 - 4096)] = random.below(256);
      });
    }
  });

  it('are not attached if they are of another kind or truncated', () => {
    const pool = new LockFreePool({ capacityBytes: 4096 });
    throws(() => LockFreePool.attach({} as never), 'ERR_OFFHEAP_TYPE');
    throws(
      () => LockFreePool.attach(new FixedPool({ blockSize: 8, blocks: 1 }).share() as never),
      'ERR_OFFHEAP_TYPE',
    );
    for (const length of [256, 512, 4096]) {
      throws(() => LockFreePool.attach(copy(regionOf(pool).subarray(0, length))), 'ERR_OFFHEAP_CORRUPT');
    }
  });
});
