/** A Block whose memory was freed by its offset could free the block that came after it. */
import { describe, expect, it } from 'vitest';
import { BumpArena, FixedPool, LockFreePool, type Pool, ThreadLocalPool } from '../../src/pools/index.js';
import { throws } from '../helpers/errors.js';

const POOLS: Record<string, () => Pool> = {
  FixedPool: () => new FixedPool({ blockSize: 64, blocks: 4 }),
  LockFreePool: () => new LockFreePool({ capacityBytes: 65_536 }),
  ThreadLocalPool: () => new ThreadLocalPool(new LockFreePool({ capacityBytes: 65_536 })),
};

describe.each(Object.entries(POOLS))('a Block of a %s', (_name, make) => {
  it('frees only its own block', () => {
    const pool = make();
    const first = pool.acquire(16);
    pool.free(first.offset);
    const second = pool.acquire(16);
    expect(second.offset).toBe(first.offset);
    throws(() => first.free(), 'ERR_OFFHEAP_STALE');
    throws(() => first.bytes, 'ERR_OFFHEAP_STALE');
    second.bytes.fill(7);
    second.free();
    second.free();
    expect(pool.stats().usedBlocks).toBe(0);
  });

  it('throws ERR_OFFHEAP_STALE after it was freed by its offset', () => {
    const pool = make();
    const block = pool.acquire(16);
    pool.free(block.offset);
    throws(() => block.free(), 'ERR_OFFHEAP_STALE');
  });

  it('is freed at the end of a using declaration, many times', () => {
    const pool = make();
    for (let i = 0; i < 100; i++) {
      using block = pool.acquire(16);
      block.bytes[0] = i;
    }
    expect(pool.stats().usedBlocks).toBe(0);
  });
});

describe('a Block of a BumpArena', () => {
  it('does not reach the block that took its place after a reset', () => {
    const arena = new BumpArena({ chunkBytes: 4096 });
    const first = arena.acquire(16);
    arena.reset();
    const second = arena.acquire(16);
    expect(second.offset).toBe(first.offset);
    first.free();
    throws(() => first.bytes, 'ERR_OFFHEAP_STALE');
    expect(second.bytes.length).toBe(16);
  });
});
