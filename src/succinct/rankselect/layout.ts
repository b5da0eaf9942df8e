/**
 * The layout of a rank/select region (`docs/formats/succinct.md`): the words of its header, the
 * offsets of its sections, and the constant-time check of untrusted bytes. No offset is stored: all
 * follow from the variant, the length and the number of ones.
 * `native/core/src/succinct/rankselect/layout.rs` computes the same.
 */
import { align, checkHeader, corrupt, HEADER_BYTES, readLong } from '../../region/format.js';
import { MAX_BITS } from '../bitvector/layout.js';
import { layoutOf as sequenceLayout, MAX_LENGTH } from '../eliasfano/layout.js';

/** The words of the header, by index. */
export const WORD = { variant: 16, lengthLow: 18, onesLow: 20, lastLow: 22 } as const;

/** The layouts of bits and index, by their numbers in the format. */
export const VARIANT = { flat: 1, interleaved: 2, sparse: 3, constant: 4 } as const;
export type VariantName = keyof typeof VARIANT;
export const VARIANT_NAMES = Object.keys(VARIANT) as VariantName[];

/** The size of a block, and of a superblock of the flat variant, in bits. */
export const BLOCK = 512;
export const SUPERBLOCK = 4096;
/** From this number of bits on, positions are no longer small integers. */
export const WIDE_FROM_BITS = 2 ** 31;
/** The number of bits in a line of the interleaved variant, in addition to its count. */
export const LINE_BITS = 496;
/** The number of lines in a superblock of the interleaved variant, as a power of two. */
export const LINES_LOG2 = 7;
/** The minimum number of index entries. */
const MIN_ENTRIES = 8;
/** There is at most one sample per this number of bits. */
const SAMPLE_BITS = 8192;

export interface Shape {
  variant: VariantName;
  /** The number of bits. */
  length: number;
  /** The number of ones. */
  ones: number;
  /** The last stored position of the sparse variant; 0 for other variants. */
  last: number;
}

/** Byte offsets of the sections. Absent sections are empty. */
export interface Layout {
  /** Blocks, or lines, of 64 bytes, and the number of the last one. */
  bits: number;
  lastBlock: number;
  /** Entries of the superblocks, and the number of the last one. */
  index: number;
  lastEntry: number;
  /** Samples of ones, then of zeros. Every 2^shift-th one or zero has a sample. */
  samples: [number, number];
  shifts: [number, number];
  samplesEnd: number;
  /** The size of the whole region in bytes. */
  length: number;
}

/**
 * The smallest shift such that sampling every 2^shift-th one (or zero) yields at most one sample
 * per {@link SAMPLE_BITS} bits.
 */
export function sampleShift(length: number, count: number): number {
  const most = Math.floor(length / SAMPLE_BITS) + 1;
  let shift = 0;
  while (Math.floor(count / 2 ** shift) > most) shift++;
  return shift;
}

/**
 * The number of positions that the sparse variant stores, and whether they are those of zeros,
 * which it stores if zeros are fewer.
 */
export function sparseShape({ length, ones }: Shape): { count: number; zeros: boolean } {
  const zeros = ones > length - ones;
  return { count: zeros ? length - ones : ones, zeros };
}

/** The offsets of the sections of a region. */
export function layoutOf(shape: Shape): Layout {
  const { variant, length, ones } = shape;
  const zeros = length - ones;
  if (variant === 'sparse') {
    const { bytes } = sequenceLayout(sparseShape(shape).count, shape.last);
    const none = { lastBlock: -1, lastEntry: -1, shifts: [0, 0] as [number, number] };
    return {
      ...none,
      bits: HEADER_BYTES,
      index: HEADER_BYTES,
      samples: [bytes, bytes],
      samplesEnd: bytes,
      length: bytes,
    };
  }
  const shifts: [number, number] = [sampleShift(length, ones), sampleShift(length, zeros)];
  const sampled = (count: number, shift: number): number =>
    variant === 'constant' ? 0 : 4 * (Math.ceil(count / 2 ** shift) + 1);
  const blocks =
    variant === 'constant' ? 0 : Math.floor(length / (variant === 'flat' ? BLOCK : LINE_BITS)) + 1;
  const lastEntry =
    variant === 'flat'
      ? Math.max(MIN_ENTRIES - 1, Math.floor(length / SUPERBLOCK))
      : Math.floor((blocks - 1) / 2 ** LINES_LOG2);
  const entryBytes = variant === 'flat' ? 16 : 8;
  const index = HEADER_BYTES + 64 * blocks;
  const first = align(variant === 'constant' ? index : index + entryBytes * (lastEntry + 1));
  const second = first + sampled(ones, shifts[0]);
  const samplesEnd = second + sampled(zeros, shifts[1]);
  return {
    bits: HEADER_BYTES,
    lastBlock: blocks - 1,
    index,
    lastEntry,
    samples: [first, second],
    shifts,
    samplesEnd,
    length: align(samplesEnd),
  };
}

/** The constant-time check: after it, every section is known to lie within the region. */
export function readShape(words: Int32Array, available: number, what: string): Shape & { layout: Layout } {
  const bytes = checkHeader(words, available, 'rankselect', what);
  const variant = VARIANT_NAMES.find((name) => VARIANT[name] === words[WORD.variant]);
  const length = readLong(words, WORD.lengthLow);
  const ones = readLong(words, WORD.onesLow);
  if (variant === undefined) throw corrupt(what, `invalid variant: ${words[WORD.variant] >>> 0}`);
  if (length > MAX_BITS || ones > length) throw corrupt(what, `invalid counts: ${length} bits, ${ones} ones`);
  if (variant === 'constant' && ones !== 0 && ones !== length) {
    throw corrupt(what, 'its variant is constant, but its bits differ');
  }
  const last = readLong(words, WORD.lastLow);
  const shape = { variant, length, ones, last };
  const { count } = sparseShape(shape);
  const fits =
    variant === 'sparse'
      ? count <= MAX_LENGTH && last >= count - 1 && last < Math.max(length, 1)
      : last === 0;
  if (!fits) throw corrupt(what, `${last} is not the last of ${count} positions`);
  const layout = layoutOf(shape);
  if (layout.length !== bytes) {
    throw corrupt(what, `its length is ${bytes} bytes, but its counts require ${layout.length}`);
  }
  return { ...shape, layout };
}
