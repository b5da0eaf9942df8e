/**
 * offheap/compress: dictionaries for small records, a compressor, a store of records that are
 * readable one by one, and structures for text: suffix arrays, Bloom filters, rolling hashes.
 */
export { BloomFilter, type BloomFilterStats, type BloomKey } from './bloom-filter.js';
export { Compressor, type CompressorOptions, type DecompressOptions } from './compressor.js';
export { Dictionary, type DictionaryStats, type TrainOptions } from './dictionary.js';
export { RecordStore, type BuildOptions, type RecordStoreStats } from './record-store.js';
export { RollingHash } from './rolling-hash.js';
export { SuffixArray, type Found, type SuffixArrayStats } from './suffix-array.js';
export { type Text, type Texts } from './texts.js';
export { type WorkOptions } from '../region/progress.js';
export { type Structure } from '../region/structure.js';
export { type OpenOptions, type SaveOptions } from '../region/file.js';
export { type Progress } from '../region/progress.js';
export { type Token } from '../region/token.js';
export { OffheapError, type ErrorCode } from '../errors.js';
