/** offheap/mmap: files in memory. */
export {
  MappedFile,
  type MappedFileOptions,
  type MappedFileStats,
  type Pattern,
  type Strategy,
} from './mapped-file.js';
export { Cursor } from './cursor.js';
export { OffheapError, type ErrorCode } from '../errors.js';
