/**
 * `offheap/smallmap`: millions of small typed maps outside the JavaScript heap.
 *
 * @packageDocumentation
 */
export {
  SmallMapArena,
  type SmallItems,
  type SmallMapArenaOptions,
  type SmallMapArenaStats,
  type SmallMapIds,
  type SmallOutput,
} from './small-map-arena.js';
export type { SmallKeyType, SmallMapId, SmallValueType } from './schema.js';
export { SmallMap, type SmallMapOptions, type SmallMapStats } from './small-map.js';
