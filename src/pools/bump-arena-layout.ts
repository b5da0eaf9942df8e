/**
 * The header of a BumpArena: its words, its options, and the constant-time check.
 * `docs/formats/pools.md` specifies it; `native/core/src/pools/bump/layout.rs` reads the same.
 */
import { checkHeader, corrupt, HEADER_BYTES, writeHeader } from '../region/format.js';

/** Bytes of a granule, the unit of positions. */
export const GRANULE = 8;
/** The largest alignment that an arena supports. */
export const MAX_ALIGN = 4096;
/** The maximum number of granules: positions are integers of 31 bits. */
export const MAX_GRANULES = 2 ** 31 - 1;

/** Words of the header, by index. */
export const WORD = {
  options: 16,
  /** The largest alignment. */
  align: 17,
  /** The number of granules in use. */
  top: 18,
  /** 1 + the first granule of the block that was allocated last; 0 if that is unknown. */
  last: 19,
  /** The number of allocated blocks. */
  blocks: 20,
  /** The maximum that `top` had reached when it was last lowered. */
  peak: 21,
  failures: 22,
  resets: 23,
  /** The number of granules in use when the innermost scope began. */
  floor: 24,
} as const;

/** Bits of the options word. */
export const ZERO_ON_FREE = 1;
export const GUARDS = 2;

export interface Shape {
  options: number;
  align: number;
  /** The position of the data, in bytes. */
  data: number;
  /** The number of bytes of the region. */
  length: number;
}

/** The position of the data of an arena with this largest alignment, in bytes. */
export function dataOffset(align: number): number {
  return Math.max(align, HEADER_BYTES);
}

/** Writes the header of an empty arena into zeroed memory. */
export function writeShape(head: Int32Array, { options, align, length }: Shape): void {
  writeHeader(head, 'bumparena', length, [0, 0]);
  head[WORD.options] = options;
  head[WORD.align] = align;
}

/** Reads the shape from a header and checks it, in constant time. */
export function readShape(head: Int32Array, available: number, what: string): Shape {
  const length = checkHeader(head, available, 'bumparena', what);
  const options = head[WORD.options];
  const align = head[WORD.align];
  const data = dataOffset(align);
  const granules = (length - data) / GRANULE;
  const sound =
    (options & ~(ZERO_ON_FREE | GUARDS)) === 0 &&
    align >= GRANULE &&
    align <= MAX_ALIGN &&
    (align & (align - 1)) === 0 &&
    granules > 0 &&
    granules <= MAX_GRANULES &&
    head[WORD.top] >= 0 &&
    head[WORD.top] <= granules;
  if (!sound) throw corrupt(what, 'its options, alignment, length and top contradict each other');
  return { options, align, data, length };
}
