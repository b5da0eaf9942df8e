/**
 * The header of a BumpArena: its words, options and constant-time check. `docs/formats/pools.md` is
 * the contract; `native/core/src/pools/bump/layout.rs` is its other reader.
 */
import { checkHeader, corrupt, HEADER_BYTES, writeHeader } from '../region/format.js';

/** Bytes of a granule, which positions count. */
export const GRANULE = 8;
/** The largest alignment that an arena can be made for. */
export const MAX_ALIGN = 4096;
/** Granules that an arena can have: positions are small integers. */
export const MAX_GRANULES = 2 ** 31 - 1;

/** Words of the header, by index. */
export const WORD = {
  options: 16,
  /** The largest alignment. */
  align: 17,
  /** Granules that are taken. */
  top: 18,
  /** 1 + the granule where the block begins that was allocated last; 0 where that is not known. */
  last: 19,
  /** Allocated blocks. */
  blocks: 20,
  /** The most that `top` had been when it was last lowered. */
  peak: 21,
  failures: 22,
  resets: 23,
  /** Granules that were taken when the innermost scope began. */
  floor: 24,
} as const;

/** Bits of the options word. */
export const ZERO_ON_FREE = 1;
export const GUARDS = 2;

export interface Shape {
  options: number;
  align: number;
  /** Where the data begins, in bytes. */
  data: number;
  /** Bytes of the region. */
  length: number;
}

/** Where the data of an arena for these alignments begins, in bytes. */
export function dataOffset(align: number): number {
  return Math.max(align, HEADER_BYTES);
}

/** Writes the header of an empty arena into zeroed memory. */
export function writeShape(head: Int32Array, { options, align, length }: Shape): void {
  writeHeader(head, 'bumparena', length, [0, 0]);
  head[WORD.options] = options;
  head[WORD.align] = align;
}

/** Reads and checks what a region says of itself, in constant time. */
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
  if (!sound) throw corrupt(what, 'its options, alignment, length and top do not fit together');
  return { options, align, data, length };
}
