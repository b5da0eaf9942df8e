/**
 * NumaPool: against a model and against Rust on the same bytes, with nodes that need not exist
 * (nothing is placed then), and with those of this machine. Placement on several nodes:
 * `scripts/numa-guest.sh`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { offheapError } from '../../src/errors.js';
import { native, packageRoot } from '../../src/native.js';
import { numa, NumaPool, type NumaPoolOptions } from '../../src/pools/index.js';
import { throws } from '../helpers/errors.js';
import { Random } from '../helpers/random.js';

const CAPACITY = 65_536;
const LARGEST = 16_384;
const IDS = [5, 0, 9];

/** A pool on nodes 5, 0 and 9, regardless of where its pages are. */
function made(options: NumaPoolOptions = {}): NumaPool {
  const place = vi.spyOn(native(), 'numapoolPlace').mockImplementation(() => undefined);
  try {
    return new NumaPool({ nodes: IDS, node: 'interleave', capacityBytes: CAPACITY, ...options });
  } finally {
    place.mockRestore();
  }
}

function regionOf(pool: NumaPool): Uint8Array {
  return new Uint8Array(pool.share().buffer!);
}

afterEach(() => vi.restoreAllMocks());

describe('compared with a model', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ alloc: fc.nat(400), node: fc.constantFrom(undefined, ...IDS) }) },
    { weight: 1, arbitrary: fc.record({ alloc: fc.nat(20_000), node: fc.constantFrom(undefined, ...IDS) }) },
    { weight: 4, arbitrary: fc.record({ free: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ foreign: fc.nat(250_000) }) },
  );

  it('keeps blocks apart and their contents intact, and counts them', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 150 }),
        fc.boolean(),
        fc.boolean(),
        (steps, zeroOnFree, guards) => {
          const pool = made({ zeroOnFree, guards });
          const live: { at: number; room: Uint8Array; fill: number }[] = [];
          let served = 0;
          let refused = 0;
          steps.forEach((todo, n) => {
            if ('alloc' in todo) {
              const at = pool.tryAlloc(todo.alloc, todo.node);
              if (at < 0) {
                refused++;
                return;
              }
              served++;
              const room = pool.view(at, todo.alloc);
              if (zeroOnFree) expect(room.every((byte) => byte === 0)).toBe(true);
              room.fill((n % 255) + 1);
              const clash = live.some(
                (other) => at < other.at + other.room.length && other.at < at + todo.alloc,
              );
              expect(clash || live.some((other) => other.at === at)).toBe(false);
              live.push({ at, room, fill: (n % 255) + 1 });
            } else if ('free' in todo) {
              if (live.length === 0) return;
              const [{ at, room, fill }] = live.splice(todo.free % live.length, 1);
              expect(room.every((byte) => byte === fill)).toBe(true);
              pool.free(at);
              if (zeroOnFree) expect(room.every((byte) => byte === 0)).toBe(true);
              throws(() => pool.free(at), 'ERR_OFFHEAP_STALE');
            } else if (!live.some(({ at }) => at === todo.foreign)) {
              expect(() => pool.free(todo.foreign)).toThrow();
            }
          });
          const stats = pool.stats();
          expect(stats).toMatchObject({ usedBlocks: live.length, failures: refused });
          expect(stats.hits + stats.misses).toBe(served);
          pool.validate();
          for (const { at } of live) pool.free(at);
          expect(pool.stats()).toMatchObject({ usedBlocks: 0, usedBytes: 0 });
          pool.validate();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('writes the same bytes as Rust', () => {
    const random = new Random(11);
    for (const guards of [false, true]) {
      const [ours, theirs] = [made({ guards }), made({ guards })];
      const bytes = regionOf(theirs);
      const offsets: number[] = [];
      for (let n = 0; n < 400; n++) {
        if (random.below(5) < 3) {
          const size = random.below(random.below(10) === 0 ? 20_000 : 500);
          const at = ours.tryAlloc(size);
          if (at < 0) throws(() => native().numapoolAlloc(bytes, size), 'ERR_OFFHEAP_FULL');
          else {
            expect(native().numapoolAlloc(bytes, size)).toBe(at);
            offsets.push(at);
          }
        } else if (offsets.length > 0) {
          const [at] = offsets.splice(random.below(offsets.length), 1);
          ours.free(at);
          native().numapoolFree(bytes, at);
        }
      }
      expect(Buffer.compare(regionOf(ours), bytes)).toBe(0);
      ours.validate();
    }
  });
});

describe('policies', () => {
  it('interleave: uses all nodes in turn', () => {
    const pool = made();
    const nodes = Array.from({ length: 7 }, () => pool.nodeOf(pool.alloc(100)));
    expect(nodes).toEqual([5, 0, 9, 5, 0, 9, 5]);
    expect(pool.stats()).toMatchObject({ policy: 'interleave', hits: 7, misses: 0 });
  });

  it('local: uses the node of the thread, which is queried again after 256 requests', () => {
    const pool = made({ node: 'local' });
    const near = vi.spyOn(native(), 'numapoolNear').mockReturnValue(2);
    for (let n = 0; n < 100; n++) expect(pool.nodeOf(pool.alloc(64))).toBe(9);
    near.mockReturnValue(1);
    const nodes = Array.from({ length: 300 }, () => pool.nodeOf(pool.alloc(64)));
    expect(nodes.indexOf(0)).toBe(156);
    expect(nodes.lastIndexOf(9)).toBe(155);
    expect(near).toHaveBeenCalledTimes(2);
  });

  it('one node: allocates there only, and fails when it is full', () => {
    const id = numa.topology().nodes.find(({ memoryBytes }) => memoryBytes > 0)!.id;
    const pool = new NumaPool({ node: id, capacityBytes: 1 });
    expect(pool.stats()).toMatchObject({ policy: 'node', capacityBytes: CAPACITY, largestBytes: LARGEST });
    for (let n = 0; n < 4; n++) expect(pool.nodeOf(pool.alloc(LARGEST))).toBe(id);
    expect(pool.tryAlloc(1)).toBe(-1);
    throws(() => pool.alloc(1), 'ERR_OFFHEAP_FULL', /NumaPool/);
  });

  it('serve a request from the nearest node with room, and count a miss', () => {
    const pool = made();
    const offsets: number[] = [];
    for (let at; (at = pool.tryAlloc(LARGEST, 0)) >= 0;) offsets.push(at);
    expect(offsets.length).toBe(12);
    expect(offsets.slice(0, 4).every((at) => pool.nodeOf(at) === 0)).toBe(true);
    const { nodes, hits, misses, failures } = pool.stats();
    expect({ hits, misses, failures }).toEqual({ hits: 4, misses: 8, failures: 1 });
    expect(nodes.find(({ id }) => id === 0)).toMatchObject({ hits: 4, misses: 0, foreign: 8 });
    expect(nodes.filter(({ id }) => id !== 0).map((node) => node.misses)).toEqual([4, 4]);
    pool.free(offsets[0]);
    expect(pool.alloc(LARGEST, 9)).toBe(offsets[0]);
  });

  it('are chosen by a string, by node, or by policy', () => {
    for (const options of ['local', { node: 'local' }, { policy: 'local' }, undefined, {}] as const) {
      const pool = new NumaPool(options);
      expect(pool.stats()).toMatchObject({ policy: 'local', largestBytes: 2 ** 24 });
      expect(pool.stats().nodes[0].capacityBytes).toBe(2 ** 26);
      pool.close();
    }
    for (const options of ['interleave', { node: 'interleave' }, { policy: 'interleave' }] as const) {
      const pool = new NumaPool(options);
      expect(pool.stats().policy).toBe('interleave');
      pool.close();
    }
    expect(NumaPool.local({ guards: true }).stats().largestBytes).toBe(2 ** 24 - 16);
    expect(NumaPool.interleaved().stats().policy).toBe('interleave');
  });
});

describe('this machine', () => {
  it('has the pages on the nodes that the pool reports', () => {
    for (const node of ['local', 'interleave'] as const) {
      const pool = new NumaPool({ node, capacityBytes: 2 ** 20, hugePages: false });
      const nodes = numa.topology().nodes.filter(({ memoryBytes }) => memoryBytes > 0);
      expect(pool.stats().nodes.map(({ id }) => id)).toEqual(nodes.map(({ id }) => id));
      for (let n = 0; n < 50; n++) {
        const at = pool.alloc(5000);
        const block = pool.view(at, 5000).fill(1);
        expect(numa.nodeOf(block)).toBe(numa.available ? pool.nodeOf(at) : 0);
      }
      expect(pool.stats()).toMatchObject({ hits: 50, misses: 0 });
      for (const { here, elsewhere } of pool.placement()) {
        expect(here).toBeGreaterThan(0);
        expect(elsewhere).toBe(0);
      }
    }
  });

  it('populates memory on request', () => {
    const lazy = new NumaPool({ capacityBytes: 2 ** 20, hugePages: false });
    if (numa.available) expect(lazy.placement()[0].nowhere).toBeGreaterThan(200);
    // The first page of a block, however, is placed when the block is allocated.
    expect(numa.nodeOf(lazy.view(lazy.alloc(64), 64))).toBe(lazy.nodeOf(0));
    const pool = new NumaPool({ capacityBytes: 2 ** 20, populate: true });
    for (const { here, nowhere } of pool.placement()) {
      expect(here).toBeGreaterThan(0);
      expect(nowhere).toBe(0);
    }
  });

  it('rejects nodes that do not exist', () => {
    throws(() => new NumaPool({ node: 1000 }), 'ERR_OFFHEAP_RANGE', /1000/);
    throws(() => new NumaPool({ nodes: [0, 1001] }), 'ERR_OFFHEAP_RANGE', /1001/);
  });
});

describe('guards and zeros', () => {
  it('fill freed blocks with zeros only with zeroOnFree', () => {
    const pool = made({ zeroOnFree: true });
    for (const bytes of [64, 300, LARGEST]) {
      const at = pool.alloc(bytes);
      pool.u8.fill(7, at, at + bytes);
      pool.free(at);
      expect(pool.u8.subarray(at, at + bytes).every((byte) => byte === 0)).toBe(true);
    }
    const plain = made();
    const at = plain.alloc(64);
    plain.u8.fill(7, at, at + 64);
    plain.free(at);
    expect(plain.u8[at]).toBe(7);
  });

  it('detect an overrun of each guard byte, and leave the block allocated', () => {
    const pool = made({ guards: true });
    pool.alloc(1);
    const at = pool.alloc(100);
    expect(at).toBe(CAPACITY);
    for (let i = 0; i < 16; i++) {
      const byte = at + 100 + i;
      const before = pool.u8[byte];
      pool.u8[byte] = i % 2 === 0 ? 0 : before ^ 0x80;
      throws(() => pool.free(at), 'ERR_OFFHEAP_CORRUPT', new RegExp(`byte ${100 + i} `));
      pool.u8[byte] = before;
    }
    expect(pool.stats().usedBlocks).toBe(2);
    throws(() => pool.view(at, 101), 'ERR_OFFHEAP_RANGE', /100/);
    pool.free(at);
    expect(pool.tryAlloc(LARGEST - 15)).toBe(-1);
    expect(pool.alloc(LARGEST - 16)).toBeGreaterThanOrEqual(0);
  });
});

describe('calls', () => {
  it('are rejected if an option is invalid', () => {
    const bad: [unknown, 'TYPE' | 'RANGE'][] = [
      [5, 'TYPE'],
      ['nearby', 'TYPE'],
      [null, 'TYPE'],
      [{ node: 'nearby' }, 'TYPE'],
      [{ node: null }, 'TYPE'],
      [{ node: -1 }, 'RANGE'],
      [{ node: 0.5 }, 'RANGE'],
      [{ node: NaN }, 'RANGE'],
      [{ node: 1024 }, 'RANGE'],
      [{ node: 0n }, 'TYPE'],
      [{ policy: 0 }, 'TYPE'],
      [{ policy: 'node' }, 'TYPE'],
      [{ node: 0, policy: 'local' }, 'TYPE'],
      [{ node: 0, nodes: [0] }, 'TYPE'],
      [{ nodes: 5 }, 'TYPE'],
      [{ nodes: [] }, 'RANGE'],
      [{ nodes: ['0'] }, 'TYPE'],
      [{ nodes: [0, 0] }, 'RANGE'],
      [{ nodes: new Array<number>(65).fill(0) }, 'RANGE'],
      [{ capacityBytes: 0 }, 'RANGE'],
      [{ capacityBytes: -1 }, 'RANGE'],
      [{ capacityBytes: 1.5 }, 'RANGE'],
      [{ capacityBytes: 2 ** 34 + 1 }, 'RANGE'],
      [{ capacityBytes: '1' }, 'TYPE'],
      [{ hugePages: 1 }, 'TYPE'],
      [{ populate: 'yes' }, 'TYPE'],
      [{ guards: 0 }, 'TYPE'],
      [{ capacity: 5 }, 'TYPE'],
    ];
    for (const [options, code] of bad) throws(() => new NumaPool(options as never), `ERR_OFFHEAP_${code}`);
  });

  it('are rejected if a size, node or offset is invalid', () => {
    const pool = made();
    const at = pool.alloc(0);
    for (const size of [-1, 1.5, NaN, Infinity, 2 ** 53]) {
      throws(() => pool.tryAlloc(size), 'ERR_OFFHEAP_RANGE');
    }
    for (const size of [undefined, null, '5', 5n, {}]) {
      throws(() => pool.tryAlloc(size as never), 'ERR_OFFHEAP_TYPE');
    }
    for (const size of [LARGEST + 1, 2 ** 31, 2 ** 32 + 64, 2 ** 53 - 1])
      expect(pool.tryAlloc(size)).toBe(-1);
    for (const node of [1, 1023]) throws(() => pool.alloc(1, node), 'ERR_OFFHEAP_RANGE', /node/);
    throws(() => pool.alloc(1, -1), 'ERR_OFFHEAP_RANGE');
    throws(() => pool.alloc(1, '0' as never), 'ERR_OFFHEAP_TYPE');
    for (const offset of [-64, 0.5, at + 1, 32, 3 * CAPACITY, 2 ** 40, NaN, -0.1, Infinity]) {
      throws(() => pool.free(offset), 'ERR_OFFHEAP_RANGE');
      throws(() => pool.view(offset, 0), 'ERR_OFFHEAP_RANGE');
    }
    for (const offset of [64, CAPACITY, 3 * CAPACITY - 64])
      throws(() => pool.free(offset), 'ERR_OFFHEAP_STALE');
    for (const offset of [undefined, '0', 0n, {}])
      throws(() => pool.free(offset as never), 'ERR_OFFHEAP_TYPE');
    for (const offset of [-1, 3 * CAPACITY, NaN]) throws(() => pool.nodeOf(offset), 'ERR_OFFHEAP_RANGE');
    throws(() => pool.nodeOf('0' as never), 'ERR_OFFHEAP_TYPE');
    expect(pool.nodeOf(3 * CAPACITY - 1)).toBe(9);
    // No refused call changed the pool.
    expect(pool.stats().usedBlocks).toBe(1);
    pool.validate();
  });

  it('lead to an error if memory or its placement is refused', () => {
    const length = vi.spyOn(native(), 'numapoolRegionSize').mockReturnValue(2 ** 50);
    throws(() => new NumaPool(), 'ERR_OFFHEAP_OOM');
    length.mockRestore();
    const place = vi.spyOn(native(), 'numapoolPlace').mockImplementation(() => {
      throw offheapError('ERR_OFFHEAP_UNSUPPORTED', 'a container that forbids placing');
    });
    throws(() => new NumaPool({ capacityBytes: 1 }), 'ERR_OFFHEAP_UNSUPPORTED', /forbids/);
    place.mockRestore();
  });

  it('are rejected with ERR_OFFHEAP_CLOSED after close(), and printing never throws', () => {
    const pool = made();
    const block = pool.acquire(10);
    expect(inspect(pool)).toMatch(/^NumaPool \{/);
    expect(Object.prototype.toString.call(pool)).toBe('[object NumaPool]');
    expect(() => structuredClone(pool)).toThrow(/clone/i);
    pool.close();
    pool.close();
    expect(inspect(pool)).toBe('NumaPool { closed }');
    expect(pool.u8.length).toBe(0);
    const calls = [
      () => pool.alloc(1),
      () => pool.tryAlloc(1),
      () => pool.free(0),
      () => pool.view(0, 1),
      () => pool.acquire(1),
      () => pool.nodeOf(0),
      () => pool.placement(),
      () => pool.stats(),
      () => pool.validate(),
      () => pool.share(),
      () => pool.byteLength,
      () => block.free(),
    ];
    for (const call of calls) throws(call, 'ERR_OFFHEAP_CLOSED');
  });
});

describe('other threads', () => {
  it('read and write blocks, but cannot allocate or free', async () => {
    const pool = made();
    const at = pool.alloc(64);
    pool.u32[at / 4] = 77;
    const seen = NumaPool.attach(pool.share());
    expect(seen.view(at, 4)[0]).toBe(77);
    expect(seen.stats()).toEqual(pool.stats());
    for (const call of [() => seen.alloc(1), () => seen.tryAlloc(1), () => seen.free(at)]) {
      throws(call, 'ERR_OFFHEAP_UNSUPPORTED');
    }
    const worker = new Worker(
      `const { workerData } = require('node:worker_threads');
       new Uint32Array(workerData.token.buffer, workerData.at)[0] = 78;`,
      { eval: true, workerData: { token: pool.share(), at: pool.u8.byteOffset + at } },
    );
    await new Promise((resolve) => worker.once('exit', resolve));
    expect(pool.u32[at / 4]).toBe(78);
  }, 60_000);

  it('cannot attach anything but a token of this kind', () => {
    for (const token of [undefined, 5, {}, { offheap: 'fixedpool' }, { offheap: 'numapool' }]) {
      throws(() => NumaPool.attach(token as never), 'ERR_OFFHEAP_TYPE');
    }
    const buffer = new SharedArrayBuffer(1024);
    throws(() => NumaPool.attach({ offheap: 'numapool', buffer }), 'ERR_OFFHEAP_CORRUPT');
  });
});

describe('bytes', () => {
  it('equal the golden file', () => {
    const pool = made({ guards: true });
    const offsets = [10, 100, 5000, 0, 2000, 16_368, 48].map((bytes) => pool.alloc(bytes));
    for (const i of [2, 3, 6]) pool.free(offsets[i]);
    expect(pool.tryAlloc(16_369)).toBe(-1);
    const golden = readFileSync(join(packageRoot(), 'test', 'golden', 'numapool.bin'));
    const bytes = regionOf(pool).slice(0, golden.length);
    // The order of the other nodes depends on the machine.
    for (const at of [0, 1, 2]) bytes.fill(0, 256 + 128 * at + 65, 256 + 128 * at + 67);
    expect(Buffer.compare(bytes, golden)).toBe(0);
  });

  it('are refused, or do no harm, after a flip of any bit of header and records', () => {
    const whole = made({ guards: true });
    for (const bytes of [40, 10, 1]) whole.alloc(bytes);
    const buffer = new SharedArrayBuffer(whole.byteLength);
    const bytes = new Uint8Array(buffer);
    bytes.set(regionOf(whole));
    let refused = 0;
    for (let bit = 0; bit < (256 + 3 * 128) * 8; bit++) {
      bytes[bit >> 3] ^= 1 << (bit & 7);
      try {
        const pool = NumaPool.attach({ offheap: 'numapool', buffer });
        pool.stats();
        for (const offset of [0, 64, CAPACITY, 2 * CAPACITY]) {
          try {
            pool.view(offset, 1);
            pool.nodeOf(offset);
          } catch (error) {
            expect((error as { code: string }).code).toMatch(/STALE|CORRUPT|RANGE/);
          }
        }
        try {
          pool.validate();
        } catch (error) {
          expect((error as { code: string }).code).toMatch(/CORRUPT|STALE/);
        }
      } catch (error) {
        expect((error as { code: string }).code).toMatch(/CORRUPT|VERSION/);
        refused++;
      }
      bytes[bit >> 3] ^= 1 << (bit & 7);
    }
    expect(refused).toBeGreaterThan(300);
  });

  it('cause errors if the words of an owner are overwritten, but never an offset outside of the data', () => {
    const random = new Random(5);
    let errors = 0;
    for (let round = 0; round < 150; round++) {
      const pool = made();
      const words = new Int32Array(pool.share().buffer!);
      for (let n = 0; n < 12; n++) pool.tryAlloc(random.below(5000));
      const bookkeeping = pool.u8.byteOffset / 4;
      for (let n = 0; n < 4; n++) {
        const at = 16 + random.below(random.below(2) === 0 ? 400 : bookkeeping - 16);
        words[at] = random.pick([0, 1, 2, -1, -0x80000000, 0x7fffffff, random.u32() | 0]);
      }
      for (let n = 0; n < 100; n++) {
        try {
          const at = random.below(2) === 0 ? pool.tryAlloc(random.below(5000)) : -1;
          if (at < 0) pool.free(random.below(3 * 1024) * 64);
          else expect(at).toBeLessThan(pool.u8.length);
        } catch (error) {
          expect((error as { code: string }).code).toMatch(/ERR_OFFHEAP_(STALE|CORRUPT|RANGE)/);
          errors++;
        }
      }
      pool.close();
    }
    expect(errors).toBeGreaterThan(100);
  });
});
