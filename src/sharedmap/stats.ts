/** Figures about a SharedMap. */
import { native } from '../native.js';
import type { SharedMapTable } from './table.js';

/** The result of {@link SharedMap.stats}. Sizes are in bytes. */
export interface SharedMapStats {
  entries: number;
  /** At most `maxBytes`. */
  usedBytes: number;
  maxBytes: number;
  /** Keys and values. */
  contentBytes: number;
  /** Free blocks in pages that are in use. */
  freeBytes: number;
  indexBytes: number;
  /** Values found and keys not found, by the participants that are attached now. */
  hits: number;
  misses: number;
  sets: number;
  deletes: number;
  evictions: number;
  /** Entries that were removed because they had expired. */
  expired: number;
  /** Times that a thread waited for a lock. */
  lockWaits: number;
  /** Shards that were repaired because their writer's process had terminated. */
  repairs: number;
  participants: number;
  /** Entries that have a time of expiry. */
  expiring: number;
  buckets: number;
  shards: number;
}

/** The members of `oh_sharedmap_stats`, in their order. */
const MEMBERS = [
  'entries',
  'usedBytes',
  'maxBytes',
  'contentBytes',
  'freeBytes',
  'indexBytes',
  'hits',
  'misses',
  'sets',
  'deletes',
  'evictions',
  'expired',
  'lockWaits',
  'repairs',
  'participants',
  'expiring',
  'buckets',
  'shards',
] as const satisfies readonly (keyof SharedMapStats)[];

export function readStats(table: SharedMapTable): SharedMapStats {
  const out = new Float64Array(MEMBERS.length);
  native().sharedmapStats(table.id, out);
  return Object.fromEntries(MEMBERS.map((name, i) => [name, out[i]])) as unknown as SharedMapStats;
}
