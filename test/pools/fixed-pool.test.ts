/**
 * FixedPool: compared with a model, and with Rust on the same bytes; guards and zeros, errors,
 * other threads, golden and damaged bytes.
 */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { native, packageRoot } from '../../src/native.js';
import { FixedPool, GUARD_BYTES, type FixedPoolOptions } from '../../src/pools/index.js';
import { throws } from '../helpers/errors.js';
import { Random } from '../helpers/random.js';

const golden = (): Uint8Array => readFileSync(join(packageRoot(), 'test', 'golden', 'fixedpool.bin'));
/** The whole region of a pool, bookkeeping included. */
const regionOf = (pool: FixedPool): Uint8Array => new Uint8Array(pool.share().buffer!);

interface Live {
  room: number;
  fill: number;
}

const shapes: Record<string, FixedPoolOptions> = {
  'one class': { blockSize: 64, blocks: 20 },
  'a size that is not a power of two': { blockSize: 40, blocks: 20 },
  'several classes': { classes: [16, 64, 256], blocks: [20, 10, 3] },
  'odd classes': { classes: [300, 24, 100], blocks: 4 },
  guards: { classes: [32, 200], blocks: 8, guards: true },
  'zeros and guards': { blockSize: 48, blocks: 12, guards: true, zeroOnFree: true },
};

describe.each(Object.entries(shapes))('compared with a model: %s', (_, options) => {
  it('keeps blocks apart and their contents intact, and refuses invalid frees', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ alloc: fc.nat(300) }) },
      { weight: 4, arbitrary: fc.record({ free: fc.nat(1000) }) },
      { weight: 1, arbitrary: fc.record({ foreign: fc.nat(2000) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
        const pool = new FixedPool(options);
        const live = new Map<number, Live>();
        const check = ([at, { room, fill }]: [number, Live]): void =>
          expect(pool.u8.subarray(at, at + room).every((byte) => byte === fill)).toBe(true);
        steps.forEach((what, n) => {
          if ('alloc' in what) {
            const at = pool.tryAlloc(what.alloc);
            if (at < 0) return;
            for (const [other, { room }] of live) {
              expect(at >= other + room || at + what.alloc <= other || what.alloc === 0).toBe(true);
            }
            const bytes = pool.view(at, what.alloc);
            if (options.zeroOnFree) expect(bytes.every((byte) => byte === 0)).toBe(true);
            bytes.fill((n & 127) + 1);
            live.set(at, { room: what.alloc, fill: (n & 127) + 1 });
          } else if ('free' in what) {
            const at = [...live.keys()][what.free % live.size];
            if (at === undefined) return;
            check([at, live.get(at)!]);
            pool.free(at);
            live.delete(at);
            expect(() => pool.free(at)).toThrow(/allocated|begins/);
          } else if (!live.has(what.foreign)) {
            expect(() => pool.free(what.foreign)).toThrow(/allocated|begins/);
          }
          expect(pool.stats().usedBlocks).toBe(live.size);
        });
        [...live].forEach(check);
        pool.validate();
        for (const at of live.keys()) pool.free(at);
        pool.validate();
        expect(pool.stats().usedBytes).toBe(0);
        const largest = pool.stats().classes.at(-1)!.size;
        let bytes = 0;
        while (pool.tryAlloc(largest) >= 0) bytes += largest + (options.guards ? GUARD_BYTES : 0);
        expect(bytes).toBe(pool.stats().capacityBytes);
        pool.close();
      }),
      { numRuns: 40 },
    );
  });

  it('writes the same bytes as Rust', () => {
    const ours = new FixedPool(options);
    const theirs = new Uint8Array(new SharedArrayBuffer(regionOf(ours).length));
    theirs.set(regionOf(ours));
    const random = new Random(11);
    const live: number[] = [];
    const out = new Float64Array(1);
    for (let n = 0; n < 600; n++) {
      if (random.below(5) < 3) {
        const bytes = random.below(280);
        const at = ours.tryAlloc(bytes);
        const count = native().fixedpoolAllocMany(theirs, bytes, out);
        expect(count === 1 ? out[0] : -1).toBe(at);
        if (at >= 0) live.push(at);
      } else if (live.length > 0) {
        const [at] = live.splice(random.below(live.length), 1);
        // Each implementation also frees blocks that the other one allocated.
        native().fixedpoolFreeMany(theirs, Float64Array.of(at));
        ours.free(at);
      }
      if (n % 20 === 0) expect(Buffer.compare(regionOf(ours), theirs)).toBe(0);
    }
    expect(Buffer.compare(regionOf(ours), theirs)).toBe(0);
    native().fixedpoolValidate(theirs);
  });
});

describe('size classes', () => {
  it('merge freed small blocks for a large request, and split the whole pool for any class', () => {
    const pool = new FixedPool({ classes: [64, 256, 1024], blocks: 4 });
    const small: number[] = [];
    for (let at: number; (at = pool.tryAlloc(64)) >= 0;) small.push(at);
    expect(small.length).toBe(pool.stats().capacityBytes / 64);
    expect(pool.tryAlloc(256)).toBe(-1);
    small.sort((a, b) => a - b);
    for (const at of small.splice(0, 16)) pool.free(at);
    expect(pool.alloc(1000)).toBe(0);
    expect(pool.tryAlloc(1)).toBe(-1);
    for (const at of small) pool.free(at);
    pool.free(0);
    for (let i = pool.stats().capacityBytes / 1024; i > 0; i--) pool.alloc(1024);
    expect(pool.tryAlloc(1)).toBe(-1);
    pool.validate();
  });

  it('are rounded up so that each divides the next', () => {
    const { classes } = new FixedPool({ classes: [1000, 100, 64], blocks: 1 }).stats();
    expect(classes.map(({ size }) => size)).toEqual([64, 128, 1024]);
  });

  it('have room for their number of blocks, allocated in any order', () => {
    for (const order of [
      [64, 200, 1000],
      [1000, 200, 64],
      [200, 64, 1000],
      [64, 1000, 200],
    ]) {
      const pool = new FixedPool({ classes: [64, 200, 1000], blocks: 7 });
      for (const size of order) for (let i = 0; i < 7; i++) pool.alloc(size);
      pool.validate();
    }
  });
});

describe('options', () => {
  it('guards detect a write past the end of a block, which stays allocated', () => {
    const pool = new FixedPool({ blockSize: 64, blocks: 4, guards: true });
    const at = pool.alloc(10);
    expect(at % 8).toBe(0);
    throws(() => pool.view(at, 11), 'ERR_OFFHEAP_RANGE', /10 bytes/);
    const kept = pool.u8[at + 13];
    pool.u8[at + 13] = 0;
    throws(() => pool.free(at), 'ERR_OFFHEAP_CORRUPT', /byte 13/);
    expect(pool.stats().usedBlocks).toBe(1);
    pool.u8[at + 13] = kept;
    pool.free(at);
    pool.alloc(64);
  });

  it('are off by default', () => {
    const pool = new FixedPool({ blockSize: 64, blocks: 1 });
    const at = pool.alloc(8);
    pool.u8[at + 8] = 9;
    pool.free(at);
    expect(pool.u8[pool.alloc(64) + 8]).toBe(9);
  });

  it('zeroOnFree zeros small and large blocks', () => {
    for (const blockSize of [24, 256, 4096]) {
      const pool = new FixedPool({ blockSize, blocks: 2, zeroOnFree: true });
      const at = pool.alloc(blockSize);
      pool.view(at, blockSize).fill(255);
      pool.free(at);
      expect(pool.u8.every((byte) => byte === 0)).toBe(true);
    }
  });

  it('are rejected if a value is invalid or two contradict each other', () => {
    const make = (options: unknown) => () => new FixedPool(options as FixedPoolOptions);
    throws(make(undefined), 'ERR_OFFHEAP_TYPE');
    throws(make({ blocks: 1 }), 'ERR_OFFHEAP_TYPE', /blockSize or classes/);
    throws(make({ blockSize: 8, classes: [8], blocks: 1 }), 'ERR_OFFHEAP_TYPE');
    throws(make({ blockSize: '8', blocks: 1 }), 'ERR_OFFHEAP_TYPE');
    throws(make({ classes: 8, blocks: 1 }), 'ERR_OFFHEAP_TYPE');
    throws(make({ blockSize: 8 }), 'ERR_OFFHEAP_TYPE');
    throws(make({ blockSize: 8, blocks: 1, guards: 1 }), 'ERR_OFFHEAP_TYPE');
    throws(make({ blockSize: 8, blocks: 1, size: 1 }), 'ERR_OFFHEAP_TYPE', /unknown option/);
    for (const blocks of [0, -1, 1.5, NaN, 2 ** 28 + 1, 2 ** 53]) {
      throws(make({ blockSize: 8, blocks }), 'ERR_OFFHEAP_RANGE');
    }
    for (const blockSize of [0, -8, 1.5, Infinity, 2 ** 31]) {
      throws(make({ blockSize, blocks: 1 }), 'ERR_OFFHEAP_RANGE');
    }
    throws(make({ classes: [], blocks: 1 }), 'ERR_OFFHEAP_RANGE');
    throws(make({ classes: [8, 16], blocks: [1] }), 'ERR_OFFHEAP_RANGE');
    throws(make({ classes: [8, 2 ** 20], blocks: 1 }), 'ERR_OFFHEAP_RANGE', /32768/);
    throws(make({ blockSize: 2 ** 30, blocks: 2 ** 27 }), 'ERR_OFFHEAP_OOM');
  });
});

describe('operations', () => {
  it('reject invalid sizes and offsets', () => {
    for (const options of Object.values(shapes)) {
      const pool = new FixedPool(options);
      const at = pool.alloc(8);
      for (const bytes of [-1, 0.5, NaN, Infinity, 2 ** 60]) {
        throws(() => pool.tryAlloc(bytes), 'ERR_OFFHEAP_RANGE');
      }
      for (const bytes of ['8', 8n, null, undefined, {}]) {
        throws(() => pool.alloc(bytes as never), 'ERR_OFFHEAP_TYPE');
      }
      for (const offset of [-8, at + 1, at + 0.5, NaN, Infinity, 2 ** 40, 2 ** 32 + at, -(2 ** 32)]) {
        throws(() => pool.free(offset), 'ERR_OFFHEAP_RANGE');
        throws(() => pool.view(offset, 1), 'ERR_OFFHEAP_RANGE');
      }
      for (const offset of ['0', 0n, undefined, [0]]) {
        throws(() => pool.free(offset as never), 'ERR_OFFHEAP_TYPE');
      }
      throws(() => pool.view(at, 2 ** 20), 'ERR_OFFHEAP_RANGE');
      throws(() => pool.view(at, -1), 'ERR_OFFHEAP_RANGE');
      pool.free(at);
      throws(() => pool.free(at), 'ERR_OFFHEAP_STALE');
      throws(() => pool.view(at, 1), 'ERR_OFFHEAP_STALE');
      expect(pool.stats().usedBlocks).toBe(0);
      pool.validate();
    }
  });

  it('fail with ERR_OFFHEAP_FULL on a full pool, and count the failures', () => {
    const pool = new FixedPool({ blockSize: 64, blocks: 2 });
    const [a, b] = [pool.alloc(0), pool.alloc(64)];
    expect(b - a).toBe(64);
    expect(pool.tryAlloc(1)).toBe(-1);
    throws(() => pool.alloc(1), 'ERR_OFFHEAP_FULL', /1 bytes/);
    throws(() => pool.alloc(65), 'ERR_OFFHEAP_FULL');
    pool.free(a);
    expect(pool.alloc(5)).toBe(a);
    pool.free(b);
    expect(pool.stats()).toMatchObject({
      usedBlocks: 1,
      usedBytes: 64,
      peakBytes: 128,
      failures: 3,
      capacityBytes: 128,
    });
  });

  it('write through one view and read through another', () => {
    const pool = new FixedPool({ blockSize: 64, blocks: 4 });
    pool.alloc(8);
    const at = pool.alloc(64);
    pool.f64[at / 8] = 1.5;
    pool.u32[at / 4 + 2] = 0xdeadbeef;
    pool.i64[at / 8 + 2] = -5n;
    const view = pool.view(at, 24);
    expect(view.length).toBe(24);
    const data = new DataView(view.buffer, view.byteOffset, view.byteLength);
    expect([data.getFloat64(0, true), data.getUint32(8, true), data.getBigInt64(16, true)]).toEqual([
      1.5,
      0xdeadbeef,
      -5n,
    ]);
    expect(pool.u8.length).toBe(256);
    expect(pool.u64.length).toBe(32);
  });

  it('free an acquired block once, by `using` or by hand', () => {
    const pool = new FixedPool({ blockSize: 64, blocks: 1 });
    const block = pool.acquire(10);
    expect(block.bytes.length).toBe(10);
    block.bytes[0] = 7;
    expect(pool.u8[block.offset]).toBe(7);
    throws(() => pool.acquire(1), 'ERR_OFFHEAP_FULL');
    block[Symbol.dispose]();
    const again = pool.acquire(1);
    block.free();
    expect(pool.stats().usedBlocks).toBe(1);
    throws(() => block.bytes, 'ERR_OFFHEAP_STALE');
    again.free();
    expect(pool.stats().usedBlocks).toBe(0);
  });

  it('include a preset for buffers', () => {
    const pool = FixedPool.buffers(4, { zeroOnFree: true });
    expect(pool.stats().classes.map(({ size }) => size)).toEqual([64, 256, 1024, 4096, 16_384]);
    pool.free(pool.alloc(16_384));
  });

  it('throw ERR_OFFHEAP_CLOSED after close(), with every kind of pool', () => {
    for (const options of Object.values(shapes)) {
      const pool = new FixedPool(options);
      const block = pool.acquire(8);
      pool.close();
      pool.close();
      const calls = [
        () => pool.alloc(8),
        () => pool.tryAlloc(8),
        () => pool.free(0),
        () => pool.view(0, 1),
        () => pool.acquire(1),
        () => block.free(),
        () => pool.stats(),
        () => pool.share(),
        () => pool.validate(),
        () => pool.byteLength,
      ];
      for (const call of calls) throws(call, 'ERR_OFFHEAP_CLOSED');
      expect(pool.u8.length).toBe(0);
      expect(inspect(pool)).toMatch(/closed/);
    }
  });

  it('prints its class and figures, and refuses structured cloning', () => {
    const pool = new FixedPool({ blockSize: 64, blocks: 2 });
    expect(inspect(pool)).toMatch(/FixedPool.*usedBlocks: 0/s);
    expect(Object.prototype.toString.call(pool)).toBe('[object FixedPool]');
    expect(JSON.stringify(pool)).toBe('{}');
    expect(() => structuredClone(pool)).toThrow(/clone/i);
  });
});

describe('other threads', () => {
  it('read and write blocks, but cannot allocate or free', async () => {
    const pool = new FixedPool({ blockSize: 64, blocks: 4 });
    const at = pool.alloc(64);
    pool.u32[at / 4] = 77;
    const seen = FixedPool.attach(pool.share());
    expect(seen.view(at, 4)[0]).toBe(77);
    expect(seen.stats()).toEqual(pool.stats());
    for (const call of [() => seen.alloc(1), () => seen.tryAlloc(1), () => seen.free(at)]) {
      throws(call, 'ERR_OFFHEAP_UNSUPPORTED');
    }
    seen.u32[at / 4 + 1] = 78;
    expect(pool.u32[at / 4 + 1]).toBe(78);
    const worker = new Worker(
      `const { workerData, parentPort } = require('node:worker_threads');
       parentPort.postMessage(new Uint32Array(workerData.buffer).length);`,
      { eval: true, workerData: pool.share() },
    );
    const length = await new Promise((resolve) => worker.once('message', resolve));
    expect(length).toBe(pool.byteLength / 4);
    await worker.terminate();
    seen.close();
    pool.free(at);
  });

  it('cannot attach anything but a token of this kind', () => {
    for (const token of [undefined, 5, {}, { offheap: 'hashmap' }, { offheap: 'fixedpool' }]) {
      throws(() => FixedPool.attach(token as never), 'ERR_OFFHEAP_TYPE');
    }
    throws(
      () => FixedPool.attach({ offheap: 'fixedpool', buffer: new SharedArrayBuffer(1024) }),
      'ERR_OFFHEAP_CORRUPT',
    );
  });
});

describe('bytes', () => {
  const attach = (bytes: Uint8Array): FixedPool => {
    const buffer = new SharedArrayBuffer(bytes.length);
    new Uint8Array(buffer).set(bytes);
    return FixedPool.attach({ offheap: 'fixedpool', buffer });
  };

  it('equal the golden file', () => {
    const pool = new FixedPool({ classes: [32, 128, 512], blocks: [4, 3, 2] });
    const offsets = [10, 100, 30, 400, 32, 1, 128].map((bytes) => pool.alloc(bytes));
    for (const i of [2, 1, 5]) pool.free(offsets[i]);
    expect(pool.tryAlloc(513)).toBe(-1);
    expect(Buffer.compare(regionOf(pool), golden())).toBe(0);
    expect(attach(golden()).stats()).toEqual(pool.stats());
  });

  it('are refused, or do no harm, after a flip of any bit of the header', () => {
    let refused = 0;
    for (let bit = 0; bit < (256 + 192) * 8; bit++) {
      const bytes = new Uint8Array(golden());
      bytes[bit >> 3] ^= 1 << (bit & 7);
      let pool: FixedPool;
      try {
        pool = attach(bytes);
      } catch (error) {
        expect((error as { code: string }).code).toMatch(/CORRUPT|VERSION/);
        refused++;
        continue;
      }
      pool.stats();
      for (let at = 0; at < 2048; at += 224) {
        try {
          pool.view(at, 1);
        } catch (error) {
          expect((error as { code: string }).code).toMatch(/STALE|CORRUPT|RANGE/);
        }
      }
    }
    expect(refused).toBeGreaterThan(400);
  });

  it('cause errors if the lists of an owner are overwritten, but no endless loop', () => {
    const random = new Random(5);
    let errors = 0;
    for (let round = 0; round < 400; round++) {
      const pool = new FixedPool({ classes: [32, 128, 512], blocks: [8, 4, 2] });
      const words = new Int32Array(pool.share().buffer!);
      for (let n = 0; n < 12; n++) pool.tryAlloc(random.below(500));
      const bookkeeping = (pool.byteLength - pool.u8.length) / 4;
      for (let n = 0; n < 3; n++) {
        // The owner keeps its own copy of the class table, so any other word may be overwritten.
        const at = 16 + random.below(bookkeeping - 16);
        words[at] = random.pick([0, 1, 2, -1, -0x80000000, 0x7fffffff, random.u32() | 0]);
      }
      for (let n = 0; n < 200; n++) {
        try {
          const at = random.below(2) === 0 ? pool.tryAlloc(random.below(500)) : -1;
          if (at < 0) pool.free(random.below(64) * 32);
          else expect(at).toBeLessThan(pool.u8.length);
        } catch (error) {
          expect((error as { code: string }).code).toMatch(/ERR_OFFHEAP_(STALE|CORRUPT|RANGE)/);
          errors++;
        }
      }
    }
    expect(errors).toBeGreaterThan(100);
  });
});
