/**
 * The types of pools: offsets are branded numbers, options exclude each other. Checked, never run.
 */
import { describe, expectTypeOf, test } from 'vitest';
import {
  FixedPool,
  LockFreePool,
  ThreadLocalPool,
  type Block,
  type Offset,
  type Token,
} from '../../src/pools/index.js';

describe('pools', () => {
  test('return offsets, which are numbers', () => {
    const pool = new LockFreePool({ capacityBytes: 1 });
    expectTypeOf(pool.alloc(1)).toEqualTypeOf<Offset>();
    expectTypeOf(pool.alloc(1)).toExtend<number>();
    expectTypeOf(pool.tryAlloc(1)).toEqualTypeOf<Offset | -1>();
    expectTypeOf(pool.acquire(1)).toEqualTypeOf<Block>();
    expectTypeOf(pool.acquire(1)).toExtend<Disposable>();
    expectTypeOf(pool.share()).toEqualTypeOf<Token<'lockfreepool'>>();
    expectTypeOf(LockFreePool.compact({ capacityBytes: 1 })).toEqualTypeOf<LockFreePool>();
    expectTypeOf(pool.f64).toEqualTypeOf<Float64Array>();
  });

  test('require a size', () => {
    const pool = LockFreePool.attach({ offheap: 'lockfreepool' });
    expectTypeOf(new ThreadLocalPool(pool).stats().heldBytes).toEqualTypeOf<number>();
    // @ts-expect-error a size is needed
    new LockFreePool({});
    expectTypeOf<FixedPool>().not.toExtend<ConstructorParameters<typeof ThreadLocalPool>[0]>();
    // @ts-expect-error either one size or several
    new FixedPool({ blocks: 1 });
    // @ts-expect-error a token of another structure
    LockFreePool.attach(new FixedPool({ blockSize: 8, blocks: 1 }).share());
  });
});
