/** offheap/pools: blocks of memory outside the JavaScript heap, handed out as offsets. */
export { type BumpArenaStats } from './bump-arena-table.js';
export { BumpArena, type BumpArenaOptions } from './bump-arena.js';
export { type FixedPoolStats } from './fixed-pool-table.js';
export { FixedPool, type FixedPoolOptions } from './fixed-pool.js';
export { GUARD_BYTES } from './guards.js';
export { LockFreePool, type LockFreePoolOptions } from './lock-free-pool.js';
export { type NumaPoolNode, type NumaPoolPlacement, type NumaPoolStats } from './numa-pool-table.js';
export { NumaPool, type NumaPolicy, type NumaPoolOptions } from './numa-pool.js';
export { type NoRoom, type Offset } from './pool-memory.js';
export { Block, Pool, type PoolStats, type SafetyOptions } from './pool.js';
export { type SharedPoolStats } from './shared-pool.js';
export {
  ThreadLocalPool,
  type ThreadLocalPoolOptions,
  type ThreadLocalPoolStats,
} from './thread-local-pool.js';
export {
  numa,
  type Numa,
  type NumaCounters,
  type NumaNode,
  type NumaPlacement,
  type NumaTopology,
} from '../region/numa.js';
export { type Token } from '../region/token.js';
export { OffheapError, type ErrorCode } from '../errors.js';
