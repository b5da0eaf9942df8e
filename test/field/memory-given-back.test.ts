/**
 * `close()` and `shrinkToFit()` used to keep the memory until a collection, which nothing caused,
 * because V8 does not count growable buffers.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';
import { native } from '../../src/native.js';
import { BumpArena, FixedPool, LockFreePool } from '../../src/pools/index.js';
import { Vector } from '../../src/vector/index.js';
import { throws } from '../helpers/errors.js';

const script = fileURLToPath(new URL('../helpers/memory-rounds.mjs', import.meta.url));

interface Measured {
  /** The size of one structure, in MiB as all of them. */
  size: number;
  /** The growth of the resident memory over all rounds. */
  grown: number;
  /** The most that it had grown after a round. */
  most: number;
}

function rounds(mode: string): [string, Measured][] {
  // A small young generation, so that garbage of JavaScript hardly counts.
  const args = ['--max-semi-space-size=1', script, mode];
  const output = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 100_000 });
  return JSON.parse(output) as [string, Measured][];
}

describe.skipIf(process.platform !== 'linux')('the memory of many structures in a row', () => {
  it('is returned by close()', { timeout: 100_000 }, () => {
    const all = rounds('close');
    expect(all.length).toBe(14);
    for (const [name, { size, grown }] of all) {
      expect(size, name).toBeGreaterThan(3);
      // Without it: that of eight.
      expect(grown, name).toBeLessThan(4 * size);
    }
  });

  it('is returned by clear() with shrinkToFit()', { timeout: 100_000 }, () => {
    const all = rounds('shrink');
    expect(all.length).toBe(4);
    for (const [name, { size, grown }] of all) expect(grown, name).toBeLessThan(4 * size);
  });

  it('is collected if they are dropped without close(), or with views', { timeout: 100_000 }, () => {
    for (const [name, { size, most }] of rounds('drop')) {
      expect(size * 60, name).toBeGreaterThan(450);
      expect(most, name).toBeLessThan(300);
    }
  });
});

describe('memory that something still uses', () => {
  const elements = Float64Array.from({ length: 100_000 }, (_, i) => i + 1);

  it('stays in views after close() and after shrinkToFit()', () => {
    const vector = Vector.from('f64', elements);
    const { view } = vector;
    vector.clear();
    vector.shrinkToFit();
    expect(view).toEqual(elements);
    vector.close();
    expect(view).toEqual(elements);

    const map = new HashMap({ key: 'u32', value: 'f64' });
    map.setMany(Uint32Array.from(elements), elements);
    const { keys, values } = map.columns();
    map.close();
    expect([keys[99_999], values[99_999]]).toEqual([100_000, 100_000]);
  });

  it('stays in views of a pool, and in its blocks', () => {
    const pools = [
      new FixedPool({ blockSize: 100_000, blocks: 10 }),
      new LockFreePool({ capacityBytes: 2 ** 20 }),
      new BumpArena({ chunkBytes: 2 ** 20 }),
    ];
    for (const pool of pools) {
      const offset = pool.alloc(100_000);
      const { f64 } = pool;
      f64.fill(7, offset / 8, offset / 8 + 12_500);
      pool.close();
      expect(f64[offset / 8 + 10_000], pool.constructor.name).toBe(7);
    }
    for (const pool of [
      new FixedPool({ blockSize: 100_000, blocks: 10 }),
      new LockFreePool({ capacityBytes: 2 ** 20 }),
      new BumpArena({ chunkBytes: 2 ** 20 }),
    ]) {
      const { bytes } = pool.acquire(100_000);
      bytes.fill(9);
      pool.close();
      expect(bytes[90_000], pool.constructor.name).toBe(9);
    }
  });

  it('stays for threads that have a token', () => {
    const vector = Vector.from('f64', elements);
    const reader = Vector.attach(vector.share());
    vector.clear();
    vector.pushMany(elements);
    vector.close();
    expect([...reader]).toEqual([...elements]);

    const pool = new LockFreePool({ capacityBytes: 2 ** 20 });
    const offset = pool.alloc(100_000);
    const other = LockFreePool.attach(pool.share());
    other.u8.fill(5, offset, offset + 100_000);
    pool.close();
    expect(other.u8[offset + 90_000]).toBe(5);
  });

  it('stays while work in the background reads it', async () => {
    const vector = Vector.from('f64', elements);
    const order = vector.argsortAsync();
    vector.close();
    await expect(order).rejects.toMatchObject({ code: 'ERR_OFFHEAP_CLOSED' });
  });
});

describe('the count of bytes', () => {
  it('is replaced, not added, and ignores buffers that are wrapped otherwise', () => {
    const buffer = new SharedArrayBuffer(64, { maxByteLength: 2 ** 24 });
    for (let i = 0; i < 1000; i++) native().memoryCount(buffer, 2 ** 30);
    native().memoryCount(buffer, 0);
    native().memoryCount(buffer, 0);
    expect(buffer.byteLength).toBe(64);
  });

  it('rejects anything but a buffer and a size', () => {
    throws(() => native().memoryCount(1 as never, 1), 'ERR_OFFHEAP_TYPE');
    throws(() => native().memoryCount(new SharedArrayBuffer(8), -1), 'ERR_OFFHEAP_RANGE');
    throws(() => native().memoryCount(new SharedArrayBuffer(8), 'x' as never), 'ERR_OFFHEAP_TYPE');
  });
});
