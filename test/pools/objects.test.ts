/** Every pool behaves as an object does, and throws once it is closed. */
import {
  BumpArena,
  FixedPool,
  LockFreePool,
  NumaPool,
  ThreadLocalPool,
  type Pool,
} from '../../src/pools/index.js';
import { COMMON_OPERATIONS, describePool } from '../kit/pools.js';

/** Adds one block, so that the pool has contents. */
function used<P extends Pool>(pool: P): P {
  pool.u8.fill(1, pool.alloc(8), 8);
  return pool;
}
const attach = (Sub: typeof FixedPool, pool: FixedPool): FixedPool => Sub.attach(pool.share());

describePool({
  name: 'FixedPool',
  Class: FixedPool,
  make: () => used(new FixedPool({ blockSize: 64, blocks: 4 })),
  inherit: attach,
  operations: COMMON_OPERATIONS,
});

describePool({
  name: 'BumpArena',
  Class: BumpArena,
  make: () => used(new BumpArena({ chunkBytes: 64, maxBytes: 4096 })),
  inherit: attach,
  operations: {
    ...COMMON_OPERATIONS,
    reset: (arena) => arena.reset(),
    scope: (arena) => arena.scope(() => arena.alloc(1000)),
  },
});

describePool({
  name: 'LockFreePool',
  Class: LockFreePool,
  make: () => used(new LockFreePool({ capacityBytes: 4096 })),
  inherit: attach,
  operations: COMMON_OPERATIONS,
});

describePool({
  name: 'ThreadLocalPool',
  Class: ThreadLocalPool,
  make: () => used(new ThreadLocalPool(new LockFreePool({ capacityBytes: 65_536 }))),
  inherit: (Sub, local) => new Sub(LockFreePool.attach(local.share())),
  operations: { ...COMMON_OPERATIONS, flush: (local) => local.flush() },
});

describePool({
  name: 'NumaPool',
  Class: NumaPool,
  make: () => used(new NumaPool({ capacityBytes: 65_536 })),
  inherit: attach,
  operations: {
    ...COMMON_OPERATIONS,
    nodeOf: (pool) => pool.nodeOf(0),
    placement: (pool) => pool.placement(),
  },
});
