/**
 * The module of each kind of region, whose `contents.ts` describes a header.
 * Generated from scripts/generate/schema.mjs by `npm run generate`. Do not edit.
 */
import type { Kind } from '../region/format.js';

export const MODULES: Record<Kind, string> = {
  hashmap: 'hashmap',
  smallmap: 'smallmap',
  vector: 'vector',
  fixedpool: 'pools',
  lockfreepool: 'pools',
  bumparena: 'pools',
  numapool: 'pools',
  bitvector: 'succinct',
  rankselect: 'succinct',
  eliasfano: 'succinct',
  packedints: 'succinct',
  mmapvector: 'mmap',
  dictionary: 'compress',
  recordstore: 'compress',
  bloomfilter: 'compress',
  suffixarray: 'compress',
  sharedmap: 'sharedmap',
};
