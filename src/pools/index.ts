/** offheap/pools: blocks of memory outside the JavaScript heap, handed out as offsets. */
export { BumpArena, type BumpArenaOptions, type BumpArenaStats } from './bump.js';
export { FixedPool, type FixedPoolOptions, type FixedPoolStats } from './fixed.js';
export { LockFreePool, type LockFreePoolOptions } from './lockfree.js';
export {
  NumaPool,
  type NumaPolicy,
  type NumaPoolNode,
  type NumaPoolOptions,
  type NumaPoolPlacement,
  type NumaPoolStats,
} from './numa.js';
export {
  Block,
  GUARD_BYTES,
  Pool,
  type NoRoom,
  type Offset,
  type PoolStats,
  type SafetyOptions,
} from './pool.js';
export { type SharedPoolStats } from './shared.js';
export { ThreadLocalPool, type ThreadLocalPoolOptions, type ThreadLocalPoolStats } from './threadlocal.js';
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
