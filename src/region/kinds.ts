/**
 * The kinds of region: codes in headers, and versions of their formats.
 * Generated from scripts/generate/schema.mjs by `npm run generate`. Do not edit.
 */

/** The structure that a region contains, and the version of its format that this release uses. */
export const KINDS = {
  hashmap: { code: 1, version: 1 },
  smallmap: { code: 2, version: 1 },
  vector: { code: 3, version: 1 },
  fixedpool: { code: 4, version: 1 },
  lockfreepool: { code: 5, version: 1 },
  bumparena: { code: 6, version: 1 },
  numapool: { code: 7, version: 1 },
  bitvector: { code: 8, version: 1 },
  rankselect: { code: 9, version: 1 },
  eliasfano: { code: 10, version: 1 },
  packedints: { code: 11, version: 1 },
  mmapvector: { code: 12, version: 1 },
  dictionary: { code: 13, version: 1 },
  recordstore: { code: 14, version: 1 },
  bloomfilter: { code: 15, version: 1 },
  suffixarray: { code: 16, version: 1 },
} as const;
export type Kind = keyof typeof KINDS;
