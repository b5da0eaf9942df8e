/** offheap/hashmap: a `Map` outside the JavaScript heap. */
export {
  HashMap,
  type Handle,
  type HashMapOptions,
  type HashMapStats,
  type Items,
  type Output,
} from './hashmap.js';
export { type TableStats } from './stats.js';
export { type KeyType, type ValueType } from './schema.js';
export {
  type Column,
  type ElementType,
  type JsType,
  type Json,
  type NumericType,
} from '../region/element.js';
export { type Structure } from '../region/structure.js';
export { type OpenOptions, type SaveOptions } from '../region/file.js';
export { type Progress } from '../region/progress.js';
export { type Token } from '../region/token.js';
export { OffheapError, type ErrorCode } from '../errors.js';
