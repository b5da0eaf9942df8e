/**
 * offheap/succinct: bits with rank and select, sorted integers, packed integers, in little more
 * than the bits they need.
 */
export {
  BitVector,
  type BitPositions,
  type BitVectorOptions,
  type BitVectorStats,
} from './bitvector/bitvector.js';
export { type Bit } from './bitvector/bits.js';
export {
  EliasFano,
  type EliasFanoOptions,
  type EliasFanoStats,
  type Integers,
} from './eliasfano/eliasfano.js';
export {
  PackedInts,
  type PackedArray,
  type PackedIntsOptions,
  type PackedIntsStats,
  type PackedOutput,
  type Positions,
} from './packedints/packedints.js';
export {
  RankSelect,
  type Answers,
  type Questions,
  type RankSelectOptions,
  type RankSelectStats,
  type RankSelectVariant,
} from './rankselect/rankselect.js';
export { type BigIntArray, type NumberArray } from './arguments.js';
export { type OpenOptions, type Progress, type SaveOptions } from '../region/file.js';
export { type Structure } from '../region/structure.js';
export { type Token } from '../region/token.js';
export { OffheapError, type ErrorCode } from '../errors.js';
