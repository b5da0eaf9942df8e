/** The words of a SharedMap's region that TypeScript reads (`docs/formats/sharedmap.md`). */
import { TYPE } from '../region/element.js';

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
  policyAt: 32,
  maxEntry: 36,
  maxKey: 37,
  seed0: 9,
  seed1: 10,
} as const;

/** Words of a participant. */
export const PARTICIPANT = {
  words: 64,
  pid: 1,
  thread: 2,
  marking: 3,
  attached: 4,
  hits: 8,
  misses: 10,
  sample: 12,
  samples: 32,
  sampleCount: 32,
  /** One hit of this number is sampled. */
  sampleOneIn: 64,
} as const;

/** Words of a shard. */
export const SHARD = { expiring: 34 } as const;

/** Flags of an extended entry. */
export const FLAG = { expires: 1, longKey: 2, longValue: 4, chained: 8, pending: 16 } as const;

/** Whether closing loads are plain loads. */
export const PLAIN_LOADS = process.arch === 'x64' || process.arch === 'ia32';

/** Whether `quick.ts` has a way to the values of a map, and which values they are. */
export const QUICK = { never: 0, f64: 1, signed: 2, unsigned: 3 } as const;

/** The kind for a map of these types. */
export function quickKind(keyType: number, valueType: number): number {
  // Where a validation needs read-modify-writes, it costs more than the calls that are saved.
  if (!PLAIN_LOADS || (keyType !== TYPE.u32 && keyType !== TYPE.i32)) return QUICK.never;
  switch (valueType) {
    case TYPE.f64:
      return QUICK.f64;
    case TYPE.i8:
    case TYPE.i16:
    case TYPE.i32:
      return QUICK.signed;
    case TYPE.u8:
    case TYPE.u16:
    case TYPE.u32:
      return QUICK.unsigned;
    default:
      return QUICK.never;
  }
}
