/**
 * The layout of a rank/select region (`docs/formats/succinct.md`): its header's words, where its
 * sections lie, and the constant-time check of bytes that come from elsewhere. No offset is stored:
 * all follow from variant, length and number of ones.
 * `native/core/src/succinct/rankselect/layout.rs` computes the same.
 */
import { align, checkHeader, corrupt, HEADER_BYTES, readLong } from '../../region/format.js';
import { MAX_BITS } from '../bitvector/layout.js';
import { layoutOf as sequenceLayout, MAX_LENGTH } from '../eliasfano/layout.js';

/** Words of the header, by index. */
export const WORD = { variant: 16, lengthLow: 18, onesLow: 20, lastLow: 22 } as const;

/** How bits, and what helps to find them, are laid out, by the format's numbers. */
export const VARIANT = { flat: 1, interleaved: 2, sparse: 3, constant: 4 } as const;
export type VariantName = keyof typeof VARIANT;
export const VARIANT_NAMES = Object.keys(VARIANT) as VariantName[];

/** Bits of a block, and of a superblock of the flat variant. */
export const BLOCK = 512;
export const SUPERBLOCK = 4096;
/** From so many bits on positions are no small integers. */
export const FAR = 2 ** 31;
/** Bits that a line of the interleaved variant holds beside its count. */
export const LINE_BITS = 496;
/** Lines of a superblock of the interleaved variant, as a power of two. */
export const LINES_LOG2 = 7;
/** The fewest index entries. */
const MIN_ENTRIES = 8;
/** At the most one sample for so many bits. */
const SAMPLE_BITS = 8192;

export interface Shape {
  variant: VariantName;
  /** How many bits there are. */
  length: number;
  /** How many of them are ones. */
  ones: number;
  /** Of the sparse variant: the last position that is stored; else 0. */
  last: number;
}

/** Byte offsets of the sections; absent ones are empty. */
export interface Layout {
  /** Blocks, or lines, of 64 bytes; and the number of the last. */
  bits: number;
  lastBlock: number;
  /** Entries about superblocks; and the number of the last. */
  index: number;
  lastEntry: number;
  /** Samples of ones, then of zeros; every 2^shift-th has one. */
  samples: [number, number];
  shifts: [number, number];
  samplesEnd: number;
  /** Bytes of the whole region. */
  length: number;
}

/**
 * Every 2^shift-th one (or zero) has a sample: so many that there is at most one for each {@link
 * SAMPLE_BITS} bits.
 */
export function sampleShift(length: number, count: number): number {
  const most = Math.floor(length / SAMPLE_BITS) + 1;
  let shift = 0;
  while (Math.floor(count / 2 ** shift) > most) shift++;
  return shift;
}

/**
 * How many positions the sparse variant stores, and whether those of zeros: there are fewer of
 * them.
 */
export function sparseShape({ length, ones }: Shape): { count: number; zeros: boolean } {
  const zeros = ones > length - ones;
  return { count: zeros ? length - ones : ones, zeros };
}

/** Where the sections of a region lie. */
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

/** The constant-time check: after it, every section lies within the region. */
export function readShape(words: Int32Array, available: number, what: string): Shape & { layout: Layout } {
  const bytes = checkHeader(words, available, 'rankselect', what);
  const variant = VARIANT_NAMES.find((name) => VARIANT[name] === words[WORD.variant]);
  const length = readLong(words, WORD.lengthLow);
  const ones = readLong(words, WORD.onesLow);
  if (variant === undefined) throw corrupt(what, `${words[WORD.variant] >>> 0} is no variant`);
  if (length > MAX_BITS || ones > length) throw corrupt(what, `${length} bits with ${ones} ones`);
  if (variant === 'constant' && ones !== 0 && ones !== length) {
    throw corrupt(what, 'its bits are said to be alike and are not');
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
    throw corrupt(what, `its length is ${bytes} bytes where its counts make ${layout.length}`);
  }
  return { ...shape, layout };
}
