/**
 * The kinds of region: codes in headers, and versions of their formats.
 * Generated from scripts/generate/schema.mjs by `npm run generate`. Do not edit.
 */

/**
 * The structure that a region contains, the oldest version of its format that this release reads,
 * and the one that it writes.
 */
export const KINDS = {
  hashmap: { code: 1, oldest: 1, version: 2 },
  smallmap: { code: 2, oldest: 1, version: 2 },
  vector: { code: 3, oldest: 1, version: 1 },
  fixedpool: { code: 4, oldest: 1, version: 1 },
  lockfreepool: { code: 5, oldest: 1, version: 1 },
  bumparena: { code: 6, oldest: 1, version: 1 },
  numapool: { code: 7, oldest: 1, version: 1 },
  bitvector: { code: 8, oldest: 1, version: 1 },
  rankselect: { code: 9, oldest: 1, version: 1 },
  eliasfano: { code: 10, oldest: 1, version: 1 },
  packedints: { code: 11, oldest: 1, version: 1 },
  mmapvector: { code: 12, oldest: 1, version: 1 },
  dictionary: { code: 13, oldest: 1, version: 1 },
  recordstore: { code: 14, oldest: 1, version: 1 },
  bloomfilter: { code: 15, oldest: 1, version: 2 },
  suffixarray: { code: 16, oldest: 1, version: 1 },
  sharedmap: { code: 17, oldest: 1, version: 1 },
} as const;
export type Kind = keyof typeof KINDS;
