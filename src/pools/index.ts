/** offheap/pools: blocks of memory outside the JavaScript heap, handed out as offsets. */
export { FixedPool, type FixedPoolOptions, type FixedPoolStats } from './fixed.js';
export {
  Block,
  GUARD_BYTES,
  Pool,
  type NoRoom,
  type Offset,
  type PoolStats,
  type SafetyOptions,
} from './pool.js';
export { type Token } from '../region/token.js';
export { OffheapError, type ErrorCode } from '../errors.js';
