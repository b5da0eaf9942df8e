/**
 * `offheap/succinct`: bit vectors, rank and select, sorted integers and packed integers in little
 * more than the bits that they need.
 */
export {
  BitVector,
  type BitPositions,
  type BitVectorOptions,
  type BitVectorStats,
} from './bitvector/bit-vector.js';
export { type Bit } from './bitvector/ranges.js';
export {
  EliasFano,
  type EliasFanoOptions,
  type EliasFanoStats,
  type Integers,
} from './eliasfano/elias-fano.js';
export {
  PackedInts,
  type PackedArray,
  type PackedIntsOptions,
  type PackedIntsStats,
  type PackedOutput,
  type Positions,
} from './packedints/packed-ints.js';
export {
  RankSelect,
  type IndexOutput,
  type IndexInput,
  type RankSelectOptions,
  type RankSelectStats,
  type RankSelectVariant,
} from './rankselect/rank-select.js';
export { type BigIntArray, type NumberArray } from './arguments.js';
export { type OpenOptions, type SaveOptions } from '../region/file.js';
export { type Progress } from '../region/progress.js';
export { type Structure } from '../region/structure.js';
export { type Token } from '../region/token.js';
export { OffheapError, type ErrorCode } from '../errors.js';
