import { expectTypeOf, test } from 'vitest';
import {
  BumpArena,
  numa,
  NumaPool,
  type Block,
  type BumpArenaStats,
  type NumaNode,
  type NumaPoolPlacement,
  type NumaPoolStats,
  type NoRoom,
  type Offset,
  type Pool,
} from '../../src/pools/index.js';

test('BumpArena is a pool', () => {
  const arena = new BumpArena({ chunkBytes: 4096, guards: true });
  expectTypeOf(arena).toExtend<Pool>();
  expectTypeOf(arena.alloc(8, 64)).toEqualTypeOf<Offset>();
  expectTypeOf(arena.tryAlloc(8)).toEqualTypeOf<Offset | NoRoom>();
  expectTypeOf(arena.acquire(8)).toEqualTypeOf<Block>();
  expectTypeOf(arena.stats()).toEqualTypeOf<BumpArenaStats>();
  expectTypeOf(arena.f64).toEqualTypeOf<Float64Array>();
  // @ts-expect-error A size is a number.
  arena.alloc(8n);
  // @ts-expect-error There is no such option.
  new BumpArena({ chunks: 5 });
});

test('a scope returns the result of its function', () => {
  const arena = new BumpArena();
  expectTypeOf(arena.scope(() => 'text')).toEqualTypeOf<string>();
  expectTypeOf(arena.scope((same) => same)).toEqualTypeOf<BumpArena>();
});

test('numa', () => {
  expectTypeOf(numa.available).toEqualTypeOf<boolean>();
  expectTypeOf(numa.topology().nodes).toEqualTypeOf<NumaNode[]>();
  expectTypeOf(numa.nodeOf(new Uint8Array(1))).toEqualTypeOf<number | undefined>();
  // @ts-expect-error A buffer is not a view.
  numa.nodeOf(new ArrayBuffer(8));
});

test('NumaPool is a pool', () => {
  const pool = new NumaPool({ node: 'interleave', capacityBytes: 4096, populate: true });
  expectTypeOf(pool).toExtend<Pool>();
  expectTypeOf(new NumaPool('local')).toEqualTypeOf<NumaPool>();
  expectTypeOf(pool.alloc(8, 0)).toEqualTypeOf<Offset>();
  expectTypeOf(pool.tryAlloc(8)).toEqualTypeOf<Offset | NoRoom>();
  expectTypeOf(pool.nodeOf(8)).toEqualTypeOf<number>();
  expectTypeOf(pool.stats()).toEqualTypeOf<NumaPoolStats>();
  expectTypeOf(pool.placement()).toEqualTypeOf<NumaPoolPlacement[]>();
  // @ts-expect-error There is no such policy.
  new NumaPool({ node: 'nearby' });
  // @ts-expect-error A size is a number.
  pool.alloc('8');
});
