/**
 * The shortest way to a value: a key of 4 bytes, a number as value, an entry without extension in
 * the first bucket of its chain, and nobody who changes the bucket meanwhile. Everything else is
 * left to {@link lookUp} in `read.ts`.
 *
 * One function instead of `locate`, `isLive`, `valueAt`, `isValid` and `recordHit`, because calls
 * between functions that V8 does not inline cost as much as the rest.
 */
import { hashNarrow } from '../region/hash.js';
import { TYPE } from '../region/element.js';
import { QUICK } from './layout.js';
import type { SharedMapTable } from './table.js';
import { firstSlot, slotsWithTag } from './tags.js';

/** Constants of hot code, as constants of this module: V8 folds those, but not imported ones. */
const F64 = QUICK.f64;
const SIGNED = QUICK.signed;
const U32 = TYPE.u32;
const SAMPLE_MASK = 63;

/**
 * The value of a key, counted as a hit; `undefined` if this way does not lead to one, as for
 * a key that is not of the map's type.
 */
export function quickValue(table: SharedMapTable, key: number): number | undefined {
  const { words } = table;
  const low = key | 0;
  if ((table.keyType === U32 ? low >>> 0 : low) !== key) return undefined;
  const hash = hashNarrow(low, 0, table.seed0, table.seed1);
  const shard = hash & table.shardMask;
  const shardAt = table.shardsAt + shard * table.shardStride;
  const epoch = words[shardAt + 2];
  const buckets = words[shardAt];
  const mask = (1 << (32 - Math.clz32(buckets - 1))) - 1;
  // Without a branch, which would be mispredicted half of the time.
  const whole = (hash >>> table.shardBits) & mask;
  const bucket = whole & ((mask >>> 1) | ((whole - buckets) >> 31));
  const shift = table.pageBucketShift;
  const page = words[table.directoriesAt + shard * table.directoryLength + (bucket >>> shift)] - 1;
  const home = table.pagesAt + (page << table.pageWordShift) + ((bucket & ((1 << shift) - 1)) << 5);
  const version = words[home];
  const tags = Math.imul((hash >>> 23) & 0xff, 0x01010101);
  const valueWords = table.valueWords;
  let slots = slotsWithTag(words, home, tags);
  while (slots !== 0) {
    const slot = firstSlot(slots);
    slots &= slots - 1;
    const at = words[home + 12 + slot] << 1;
    // A word of an entry with an extension is negative.
    if (at !== 0 && words[at + 1] >= 0 && words[at + 2 + valueWords] === low) {
      const { quick } = table;
      const value =
        quick === F64 ? table.doubles[(at >> 1) + 1] : quick === SIGNED ? words[at + 2] : words[at + 2] >>> 0;
      if (words[home] !== version || words[shardAt + 2] !== epoch) return undefined;
      const metaAt = (home << 2) + 28 + slot;
      const counted = table.doubles[table.hitsAt] + 1;
      const meta = table.bytes[metaAt];
      if (
        meta >= table.mostHits &&
        ((meta ^ words[shardAt + 1]) & table.clockMask) === 0 &&
        (counted & SAMPLE_MASK) !== 0
      ) {
        table.doubles[table.hitsAt] = counted;
        return value;
      }
      table.hash = hash;
      table.metaAt = metaAt;
      table.homeAt = home;
      table.version = version;
      table.epochAt = shardAt + 2;
      table.epoch = epoch;
      table.recordHit();
      return value;
    }
  }
  return undefined;
}
