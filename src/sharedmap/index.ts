/** offheap/sharedmap: a map that every worker and process reads and writes, bounded by bytes. */
export { type Repaired, type SharedMapOpenOptions } from './file.js';
export { SharedMap, type SharedHandle } from './shared-map.js';
export { type Entry } from './entry.js';
export { type SharedMapAttachOptions, type SharedMapOptions } from './options.js';
export { type Candidate, type Choose, type NeededRoom } from './choose.js';
export {
  type ExpiryOptions,
  type KeyType as SharedKeyType,
  type OnFull,
  type Policy,
  type ValueOf,
  type ValueType as SharedValueType,
} from './schema.js';
export { type SharedMapStats } from './stats.js';
export { type HotKey, type Participant, type SizeClass } from './figures.js';
export { type Measurement, type MetricsOptions } from './metrics.js';
export { type ComputeContext, type ComputeOptions } from './compute.js';
export { type Occurrences, type SharedMapChannels, type SlowOperation } from './diagnostics.js';
export { type EventType, type MapEvent, type SubscribeOptions } from './events.js';
export { type Transaction, type TransactionOptions } from './transaction.js';
export { type ScanResult } from './iteration.js';
export { type Items as SharedItems, type Output as SharedOutput } from './bulk.js';
export { type JsType, type Json } from '../region/element.js';
export { type Token } from '../region/token.js';
export { OffheapError, type ErrorCode } from '../errors.js';
