/** The words of a SharedMap's region that TypeScript reads (`docs/formats/sharedmap.md`). */

/** Words of the header. Offsets in them are in bytes. */
export const HEAD = {
  schema: 16,
  pageShift: 17,
  shardBits: 18,
  participants: 19,
  maxBytes: 20,
  pages: 22,
  directoryLength: 23,
  participantsAt: 24,
  shardsAt: 25,
  shardStride: 26,
  directoriesAt: 27,
  pageTableAt: 28,
  pagesAt: 29,
  ttl: 30,
  maxEntry: 36,
  maxKey: 37,
  seed0: 9,
  seed1: 10,
} as const;

/** Words of a participant. */
export const PARTICIPANT = {
  words: 64,
  marking: 3,
  hits: 8,
  misses: 10,
  sample: 12,
  samples: 32,
  sampleCount: 32,
} as const;

/** Flags of an extended entry. */
export const FLAG = { expires: 1, longKey: 2, longValue: 4, chained: 8, pending: 16 } as const;
