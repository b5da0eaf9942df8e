/** offheap/hashmap: a `Map` outside the JavaScript heap. */
export {
  HashMap,
  type Handle,
  type HashMapOptions,
  type HashMapStats,
  type Items,
  type Output,
} from './hashmap.js';
export { type TableStats } from './access.js';
export {
  type Column,
  type JsType,
  type Json,
  type KeyType,
  type NumericType,
  type ValueType,
} from './schema.js';
export { type OpenOptions, type Progress, type SaveOptions } from '../region/file.js';
export { type Token } from '../region/token.js';
export { OffheapError, type ErrorCode } from '../errors.js';
