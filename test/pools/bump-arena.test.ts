/**
 * BumpArena: compared with a model, and with Rust on the same bytes; scopes, growth, guards and
 * zeros, errors, other threads. `bump-arena-bytes.test.ts` tests golden and damaged bytes.
 */
import fc from 'fast-check';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import { native } from '../../src/native.js';
import { BumpArena, type BumpArenaOptions } from '../../src/pools/index.js';
import { throws } from '../helpers/errors.js';
import { Random } from '../helpers/random.js';

const regionOf = (arena: BumpArena): Uint8Array => new Uint8Array(arena.share().buffer!);
const POISON = 0xdb;
const fail = (): never => {
  throw new Error('on purpose');
};

const shapes: Record<string, BumpArenaOptions> = {
  plain: { chunkBytes: 4096 },
  zeros: { chunkBytes: 1024, zeroOnFree: true },
  guards: { chunkBytes: 4096, guards: true },
  'zeros and guards': { chunkBytes: 64, zeroOnFree: true, guards: true },
};

interface Live {
  at: number;
  bytes: number;
  fill: number;
  freed: boolean;
}

describe.each(Object.entries(shapes))('compared with a model: %s', (_, options) => {
  it('keeps blocks apart and their contents intact, and nests scopes', () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ alloc: fc.nat(300), align: fc.nat(12) }) },
      { weight: 3, arbitrary: fc.record({ free: fc.nat(1000) }) },
      { weight: 2, arbitrary: fc.constant({ begin: true }) },
      { weight: 2, arbitrary: fc.constant({ end: true }) },
      { weight: 1, arbitrary: fc.constant({ reset: true }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const arena = new BumpArena(options);
        const live: Live[] = [];
        let next = 0;
        /** The number of blocks from before the innermost scope. */
        let floor = 0;
        const run = (depth: number): void => {
          while (next < steps.length) {
            const what = steps[next++];
            if ('alloc' in what) {
              const align = 2 ** what.align;
              const at = arena.alloc(what.alloc, align);
              expect(at % Math.max(8, align)).toBe(0);
              const end = live.reduce((most, { at, bytes }) => Math.max(most, at + bytes), 0);
              expect(at).toBeGreaterThanOrEqual(end);
              const bytes = arena.view(at, what.alloc);
              if (options.zeroOnFree) expect(bytes.every((byte) => byte === 0)).toBe(true);
              const fill = (next & 127) + 1;
              bytes.fill(fill);
              live.push({ at, bytes: what.alloc, fill, freed: false });
            } else if ('free' in what) {
              const block = live[what.free % live.length];
              if (block === undefined) continue;
              if (block.freed && options.guards) {
                throws(() => arena.free(block.at), 'ERR_OFFHEAP_STALE');
                continue;
              }
              const used = arena.stats().usedBytes;
              arena.free(block.at);
              block.freed = true;
              if (arena.stats().usedBytes < used) {
                expect(live.pop()).toBe(block);
                expect(live.length).toBeGreaterThanOrEqual(floor);
              }
            } else if ('begin' in what) {
              const used = arena.stats().usedBytes;
              const before = live.length;
              const outer = floor;
              floor = before;
              const { resets } = arena.stats();
              const returned = arena.scope((same) => {
                expect(same).toBe(arena);
                run(depth + 1);
                return next;
              });
              expect(returned).toBe(next);
              const reset = arena.stats().resets !== resets;
              expect(arena.stats().usedBytes).toBe(reset ? 0 : used);
              live.length = reset ? 0 : before;
              floor = reset ? 0 : outer;
            } else if ('end' in what) {
              if (depth > 0) return;
            } else {
              arena.reset();
              live.length = floor = 0;
              if (depth > 0) return;
            }
            arena.validate();
          }
        };
        run(0);
        for (const { at, bytes, fill, freed } of live) {
          if (!freed) expect(arena.view(at, bytes).every((byte) => byte === fill)).toBe(true);
        }
        const stats = arena.stats();
        expect(stats.usedBytes).toBeLessThanOrEqual(stats.peakBytes);
        expect(stats.peakBytes).toBeLessThanOrEqual(stats.capacityBytes);
        arena.close();
      }),
      { numRuns: 60 },
    );
  });

  it('writes the same bytes as Rust', () => {
    const ours = new BumpArena({ ...options, chunkBytes: 2 ** 18 });
    const theirs = new Uint8Array(new SharedArrayBuffer(regionOf(ours).length));
    theirs.set(regionOf(ours));
    const random = new Random(11);
    const rust = native();
    for (let round = 0; round < 4; round++) {
      const live: number[] = [];
      const outer = rust.bumparenaBegin(theirs);
      ours.scope(() => {
        for (let n = 0; n < 150; n++) {
          if (random.below(5) < 4) {
            const bytes = random.below(280);
            const align = 2 ** random.below(10);
            const at = ours.alloc(bytes, align);
            expect(rust.bumparenaAlloc(theirs, bytes, align)).toBe(at);
            live.push(at);
          } else if (live.length > 0) {
            const at = live.pop()!;
            rust.bumparenaFree(theirs, at);
            ours.free(at);
          }
          if (n % 10 === 0) expect(Buffer.compare(regionOf(ours), theirs)).toBe(0);
        }
        const mark = rust.bumparenaBegin(theirs);
        rust.bumparenaAlloc(theirs, 5000, 64);
        ours.scope(() => ours.alloc(5000, 64));
        rust.bumparenaRelease(theirs, mark);
        expect(Buffer.compare(regionOf(ours), theirs)).toBe(0);
      });
      rust.bumparenaRelease(theirs, outer);
      expect(Buffer.compare(regionOf(ours), theirs)).toBe(0);
      ours.alloc(8);
      rust.bumparenaAlloc(theirs, 8, 8);
      // Each implementation also continues from the other's bytes.
      theirs.set(regionOf(ours));
      if (round === 2) {
        ours.reset();
        rust.bumparenaReset(theirs);
      }
    }
    expect(Buffer.compare(regionOf(ours), theirs)).toBe(0);
    rust.bumparenaValidate(theirs);
    ours.close();
  });
});

describe('growth', () => {
  it('is in place: contents, offsets and earlier views remain valid', () => {
    const arena = new BumpArena({ chunkBytes: 128, maxBytes: 2 ** 20 });
    const first = arena.alloc(64);
    const before = arena.f64;
    before[first / 8] = 1.5;
    const large = arena.alloc(500_000, 4096);
    arena.u8[large + 499_999] = 9;
    expect(arena.f64).not.toBe(before);
    expect(arena.f64[first / 8]).toBe(1.5);
    before[first / 8] = 2.5;
    expect(arena.f64[first / 8]).toBe(2.5);
    expect(arena.view(large, 500_000)[499_999]).toBe(9);
    const { capacityBytes, byteLength } = arena.stats();
    expect(capacityBytes % 128).toBe(0);
    expect(byteLength - capacityBytes).toBe(4096);
    arena.validate();
    arena.reset();
    expect(arena.stats()).toMatchObject({ usedBytes: 0, usedBlocks: 0, capacityBytes, resets: 1 });
  });

  it('keeps acquired blocks valid', () => {
    const arena = new BumpArena({ chunkBytes: 64, maxBytes: 2 ** 20 });
    const block = arena.acquire(16);
    block.bytes.fill(3);
    arena.alloc(5000);
    expect([...block.bytes]).toEqual(new Array(16).fill(3));
    expect(arena.u8[block.offset]).toBe(3);
    block.free();
    throws(() => block.bytes, 'ERR_OFFHEAP_STALE');
  });

  it('ends at maxBytes, and a failed allocation changes nothing', () => {
    const arena = new BumpArena({ chunkBytes: 1000, maxBytes: 3000 });
    expect(arena.stats().maxBytes).toBe(3008);
    const at = arena.alloc(2000);
    throws(() => arena.alloc(1009), 'ERR_OFFHEAP_FULL');
    expect(arena.tryAlloc(2 ** 33)).toBe(-1);
    expect(arena.tryAlloc(Number.MAX_SAFE_INTEGER)).toBe(-1);
    expect(arena.stats()).toMatchObject({ failures: 3, usedBytes: 2000, usedBlocks: 1 });
    expect(arena.alloc(1008)).toBe(at + 2000);
    expect(arena.tryAlloc(0)).toBe(-1);
  });

  it('changes nothing if the system refuses memory', () => {
    const arena = new BumpArena({ chunkBytes: 4096 });
    const at = arena.alloc(4000);
    arena.u8.fill(7, at, at + 4000);
    const before = arena.stats();
    const grow = vi.spyOn(SharedArrayBuffer.prototype, 'grow').mockImplementation(() => {
      throw new RangeError('no memory');
    });
    try {
      throws(() => arena.alloc(5000), 'ERR_OFFHEAP_OOM');
      throws(() => arena.tryAlloc(5000), 'ERR_OFFHEAP_OOM');
      throws(() => arena.scope(() => arena.alloc(2 ** 30)), 'ERR_OFFHEAP_OOM');
    } finally {
      grow.mockRestore();
    }
    expect(arena.stats()).toEqual(before);
    expect(arena.u8.subarray(at, at + 4000).every((byte) => byte === 7)).toBe(true);
    arena.validate();
    arena.alloc(5000);
  });

  it('continues past 2 GiB, where offsets are no longer small integers', () => {
    const arena = new BumpArena({ chunkBytes: 2 ** 20 });
    const low = arena.alloc(8);
    const skipped = arena.alloc(2 ** 31);
    const at = arena.alloc(16, 64);
    expect(at).toBeGreaterThan(2 ** 31);
    expect(at % 64).toBe(0);
    arena.f64[at / 8] = 7;
    expect(new Float64Array(arena.view(at, 8).slice().buffer)[0]).toBe(7);
    expect([low, skipped]).toEqual([0, 8]);
    arena.reset();
    expect(arena.alloc(8)).toBe(0);
    arena.close();
  });
});

describe('scopes', () => {
  it('end when their function throws, and return its result', () => {
    const arena = new BumpArena();
    arena.alloc(100);
    const { usedBytes } = arena.stats();
    const thrown = new Error('on purpose');
    expect(() =>
      arena.scope(() => {
        arena.alloc(1000);
        arena.scope(() => arena.alloc(2000));
        throw thrown;
      }),
    ).toThrow(thrown);
    expect(arena.stats()).toMatchObject({ usedBytes, usedBlocks: 1 });
    expect(arena.scope(() => 'result')).toBe('result');
  });

  it('that contain a reset end with an empty arena', () => {
    const arena = new BumpArena();
    arena.alloc(100);
    arena.scope(() => {
      arena.alloc(100);
      arena.scope(() => {
        arena.reset();
        arena.alloc(300);
      });
      expect(arena.stats().usedBytes).toBe(0);
      arena.alloc(10);
    });
    expect(arena.stats()).toMatchObject({ usedBytes: 0, usedBlocks: 0 });
  });

  it('nest as deep as calls do, and each releases its own blocks', () => {
    const arena = new BumpArena({ chunkBytes: 64 });
    const down = (depth: number): void => {
      const at = arena.alloc(8);
      arena.u32[at / 4] = depth;
      const { usedBytes } = arena.stats();
      if (depth < 500) {
        if (depth % 50 === 49)
          expect(() => arena.scope(() => (down(depth + 1), fail()))).toThrow('on purpose');
        else arena.scope(() => down(depth + 1));
      }
      expect(arena.stats().usedBytes).toBe(usedBytes);
      expect(arena.u32[at / 4]).toBe(depth);
    };
    arena.scope(() => down(0));
    expect(arena.stats()).toMatchObject({ usedBytes: 0, usedBlocks: 0 });
  });

  it('refuse an asynchronous function that inherits like a plain one', () => {
    const arena = new BumpArena();
    // With the prototype of a plain function, only its result shows that it is asynchronous.
    const disguised = Object.setPrototypeOf(
      async () => Promise.resolve(arena.tryAlloc(8)),
      Function.prototype,
    ) as () => void;
    throws(() => arena.scope(disguised), 'ERR_OFFHEAP_TYPE', /promise/);
    const inherited = Object.setPrototypeOf(async () => Promise.resolve(), { call: 1 }) as () => void;
    throws(() => arena.scope(inherited), 'ERR_OFFHEAP_TYPE');
    throws(() => arena.scope(() => ({ then: () => undefined })), 'ERR_OFFHEAP_TYPE');
    expect(arena.stats().usedBlocks).toBe(0);
  });

  it('leave an arena closed that their function closed', () => {
    const arena = new BumpArena();
    expect(arena.scope(() => (arena.close(), 5))).toBe(5);
    throws(() => arena.scope(() => 5), 'ERR_OFFHEAP_CLOSED');
  });

  it('refuse functions that continue after they return', () => {
    const arena = new BumpArena();
    let ran = 0;
    throws(() => arena.scope(async () => (await Promise.resolve(), ran++)), 'ERR_OFFHEAP_TYPE');
    throws(
      () =>
        arena.scope(function* () {
          yield ran++;
        }),
      'ERR_OFFHEAP_TYPE',
    );
    expect(ran).toBe(0);
    throws(
      () =>
        arena.scope(() => {
          arena.alloc(100);
          return Promise.resolve();
        }),
      'ERR_OFFHEAP_TYPE',
      /promise/,
    );
    expect(arena.stats().usedBytes).toBe(0);
    for (const fn of [undefined, 5, {}, 'x']) throws(() => arena.scope(fn as never), 'ERR_OFFHEAP_TYPE');
  });

  it('make the blocks that were allocated inside stale', () => {
    const arena = new BumpArena();
    const kept = arena.alloc(8);
    const inside = arena.scope(() => arena.alloc(8));
    throws(() => arena.view(inside, 1), 'ERR_OFFHEAP_STALE');
    throws(() => arena.free(inside), 'ERR_OFFHEAP_STALE');
    arena.view(kept, 8);
    const block = arena.acquire(16);
    block.bytes.fill(3);
    arena.reset();
    throws(() => block.bytes, 'ERR_OFFHEAP_STALE');
    arena.alloc(64);
    throws(() => block.bytes, 'ERR_OFFHEAP_STALE');
    block.free();
    expect(arena.stats().usedBlocks).toBe(1);
  });

  it('free the last block at once, but never a block from before the scope', () => {
    const arena = new BumpArena();
    const first = arena.alloc(8);
    const second = arena.alloc(8);
    arena.scope(() => {
      arena.free(second);
      expect(arena.stats().usedBytes).toBe(16);
    });
    arena.free(second);
    expect(arena.stats().usedBytes).toBe(8);
    expect(arena.alloc(24)).toBe(second);
    const block = arena.acquire(100);
    block.free();
    block.free();
    expect(arena.stats().usedBytes).toBe(32);
    arena.free(first);
    expect(arena.stats().usedBytes).toBe(32);
  });
});

describe('guards and zeros', () => {
  it.each([
    [{ guards: true }, POISON],
    [{ zeroOnFree: true }, 0],
    [{ guards: true, zeroOnFree: true }, 0],
    [{}, 7],
  ])('fill released blocks: %o leaves %i', (options, expected) => {
    const arena = new BumpArena(options);
    const at = arena.alloc(50);
    arena.view(at, 50).fill(7);
    arena.reset();
    expect(arena.u8.subarray(at, at + 50).every((byte) => byte === expected)).toBe(true);
  });

  it.each([40, 41, 55, -1, -9, -16])(
    'detect a byte written %i bytes from the start of a block',
    (distance) => {
      const make = (): [BumpArena, number] => {
        const arena = new BumpArena({ guards: true });
        const first = arena.alloc(40);
        const second = arena.alloc(40);
        const at = distance > 0 ? first : second;
        arena.u8[at + distance] ^= 1;
        return [arena, at];
      };
      const [arena, at] = make();
      throws(() => arena.validate(), 'ERR_OFFHEAP_CORRUPT');
      throws(() => arena.free(at), distance > 0 ? 'ERR_OFFHEAP_CORRUPT' : 'ERR_OFFHEAP_STALE');
      throws(() => arena.reset(), 'ERR_OFFHEAP_CORRUPT', /overwritten/);
      expect(arena.stats().usedBytes).toBe(0);
      arena.alloc(8);
      arena.validate();
      arena.reset();

      const scoped = new BumpArena({ guards: true });
      const spoil = (): void => void (scoped.u8[scoped.alloc(13) + 13] ^= 1);
      throws(() => scoped.scope(spoil), 'ERR_OFFHEAP_CORRUPT');
      expect(scoped.stats().usedBytes).toBe(0);
      const mine = new Error('mine');
      expect(() =>
        scoped.scope(() => {
          spoil();
          throw mine;
        }),
      ).toThrow(mine);
    },
  );

  it('report a second free of a block, with guards, as ERR_OFFHEAP_STALE', () => {
    const arena = new BumpArena({ guards: true });
    const blocks = [10, 20, 30].map((bytes) => arena.alloc(bytes));
    arena.free(blocks[0]);
    throws(() => arena.free(blocks[0]), 'ERR_OFFHEAP_STALE');
    throws(() => arena.view(blocks[0], 1), 'ERR_OFFHEAP_STALE');
    throws(() => arena.free(blocks[1] + 8), 'ERR_OFFHEAP_STALE');
    throws(() => arena.view(blocks[1], 21), 'ERR_OFFHEAP_RANGE');
    arena.free(blocks[2]);
    arena.free(blocks[1]);
    expect(arena.stats().usedBlocks).toBe(0);
  });
});

describe('calls', () => {
  it('are rejected if an option is invalid', () => {
    for (const options of [
      { chunkBytes: 63 },
      { chunkBytes: 100.5 },
      { chunkBytes: NaN },
      { chunkBytes: -1 },
      { chunkBytes: 2 ** 40 },
      { chunkBytes: 4096, maxBytes: 1000 },
      { maxBytes: 2 ** 35 },
      { numaNode: 1024 },
    ]) {
      throws(() => new BumpArena(options), 'ERR_OFFHEAP_RANGE');
    }
    for (const options of [
      { chunkBytes: '64' },
      { chunk: 64 },
      { guards: 1 },
      { zeroOnFree: 'yes' },
      { hugePages: 0 },
      5,
      null,
    ]) {
      throws(() => new BumpArena(options as never), 'ERR_OFFHEAP_TYPE');
    }
    using scratch = BumpArena.scratch({ zeroOnFree: true });
    expect(scratch.stats().capacityBytes).toBe(2 ** 20);
  });

  it('are rejected if a size, alignment or offset is invalid', () => {
    for (const arena of [new BumpArena(), new BumpArena({ guards: true })]) {
      const at = arena.alloc(64);
      const used = arena.stats();
      for (const bytes of [-1, 0.5, NaN, Infinity, -Infinity, 2 ** 54]) {
        throws(() => arena.alloc(bytes), 'ERR_OFFHEAP_RANGE');
      }
      for (const bytes of ['8', 8n, null, undefined, {}]) {
        throws(() => arena.alloc(bytes as never), 'ERR_OFFHEAP_TYPE');
      }
      for (const align of [0, 3, 24, -8, 8.5, 0.5, NaN, Infinity, 8192, 2 ** 32, 2 ** 32 + 8]) {
        throws(() => arena.alloc(8, align), 'ERR_OFFHEAP_RANGE');
        throws(() => arena.tryAlloc(8, align), 'ERR_OFFHEAP_RANGE');
      }
      for (const align of ['8', 8n, null, {}]) {
        throws(() => arena.alloc(8, align as never), 'ERR_OFFHEAP_TYPE');
      }
      for (const offset of [-8, at + 1, at + 0.5, NaN, Infinity, 2 ** 40, -0.1]) {
        throws(() => arena.free(offset), 'ERR_OFFHEAP_RANGE');
        throws(() => arena.view(offset, 1), 'ERR_OFFHEAP_RANGE');
      }
      for (const offset of ['0', 0n, undefined, [0]])
        throws(() => arena.free(offset as never), 'ERR_OFFHEAP_TYPE');
      throws(() => arena.view(at, -1), 'ERR_OFFHEAP_RANGE');
      throws(() => arena.view(at, 65), 'ERR_OFFHEAP_RANGE');
      throws(() => arena.view(at, 1.5), 'ERR_OFFHEAP_RANGE');
      expect(arena.stats()).toEqual(used);
      expect(arena.alloc(0)).toBeGreaterThan(at);
    }
  });

  it('are rejected with ERR_OFFHEAP_CLOSED after close(), with and without guards', () => {
    for (const options of [{}, { guards: true }]) {
      const arena = new BumpArena(options);
      const block = arena.acquire(8);
      arena.close();
      arena[Symbol.dispose]();
      const calls = [
        () => arena.alloc(8),
        () => arena.tryAlloc(8, 64),
        () => arena.free(0),
        () => arena.view(0, 1),
        () => arena.acquire(1),
        () => arena.scope(() => 1),
        () => arena.reset(),
        () => arena.stats(),
        () => arena.share(),
        () => arena.validate(),
        () => arena.byteLength,
      ];
      for (const call of calls) throws(call, 'ERR_OFFHEAP_CLOSED');
      throws(() => block.bytes, 'ERR_OFFHEAP_STALE');
      block.free();
      expect(arena.f64.length).toBe(0);
      expect(inspect(arena)).toMatch(/closed/);
    }
  });

  it('prints its class and figures, and refuses structured cloning', () => {
    const arena = new BumpArena();
    expect(inspect(arena)).toMatch(/BumpArena.*usedBytes: 0/s);
    expect(Object.prototype.toString.call(arena)).toBe('[object BumpArena]');
    expect(JSON.stringify(arena)).toBe('{}');
    expect(() => structuredClone(arena)).toThrow(/clone/i);
  });
});

describe('other threads', () => {
  it('read and write blocks, also after the arena has grown, but cannot allocate or free', () => {
    const arena = new BumpArena({ chunkBytes: 1024, maxBytes: 2 ** 20 });
    const at = arena.alloc(64);
    arena.u32[at / 4] = 77;
    const seen = BumpArena.attach(arena.share());
    expect(seen.view(at, 4)[0]).toBe(77);
    const far = arena.alloc(50_000);
    arena.u8[far + 49_999] = 5;
    expect(seen.view(far, 50_000)[49_999]).toBe(5);
    expect(seen.stats()).toEqual(arena.stats());
    const calls = [
      () => seen.alloc(1),
      () => seen.tryAlloc(1),
      () => seen.free(at),
      () => seen.reset(),
      () => seen.scope(() => 1),
    ];
    for (const call of calls) throws(call, 'ERR_OFFHEAP_UNSUPPORTED');
    arena.reset();
    throws(() => seen.view(at, 4), 'ERR_OFFHEAP_STALE');
    arena.close();
    expect(seen.u8[at]).toBe(77);
  });

  it('may be terminated during an allocation, which leaves the arena valid', async () => {
    const arena = new BumpArena({ chunkBytes: 2 ** 16, maxBytes: 2 ** 24 });
    const token = arena.share();
    // The worker writes the header words in the same order as the class.
    const worker = new Worker(
      `const { workerData, parentPort } = require('node:worker_threads');
       const head = new Int32Array(workerData.buffer, 0, 64);
       parentPort.postMessage('ready');
       for (;;) {
         const start = head[18];
         if (start > 8000) { head[19] = 0; head[20] = 0; head[18] = 0; continue; }
         head[18] = start + 2; head[19] = start + 1; head[20] = head[20] + 1;
       }`,
      { eval: true, workerData: token },
    );
    await new Promise((resolve) => worker.once('message', resolve));
    await worker.terminate();
    arena.validate();
    arena.alloc(8);
    arena.reset();
    arena.validate();
  });

  it('cannot attach anything but a token of this kind', () => {
    for (const token of [undefined, 5, {}, { offheap: 'fixedpool' }, { offheap: 'bumparena' }]) {
      throws(() => BumpArena.attach(token as never), 'ERR_OFFHEAP_TYPE');
    }
    const buffer = new SharedArrayBuffer(1024);
    throws(() => BumpArena.attach({ offheap: 'bumparena', buffer }), 'ERR_OFFHEAP_CORRUPT');
  });
});
