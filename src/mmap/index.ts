/** offheap/mmap: files in memory, and a vector that lives in one. */
export { MappedFile, type MappedFileOptions, type MappedFileStats, type Strategy } from './mapped-file.js';
export { type Pattern } from './pattern.js';
export { type MmapVectorOptions } from './growth.js';
export {
  MmapVector,
  type MmapVectorCloseOptions,
  type MmapVectorOpenOptions,
  type MmapVectorStats,
} from './mmap-vector.js';
export { type BigIntArray, type NumberArray } from '../region/numbers.js';
export { type Column, type JsType, type NumericType } from '../region/element.js';
export { Elements, type SumOf, type Values } from '../elements/elements.js';
export { type WorkOptions } from '../region/progress.js';
export { type Structure } from '../region/structure.js';
export { type SaveOptions } from '../region/file.js';
export { type Progress } from '../region/progress.js';
export { type Token } from '../region/token.js';
export { Cursor } from './cursor.js';
export { OffheapError, type ErrorCode } from '../errors.js';
