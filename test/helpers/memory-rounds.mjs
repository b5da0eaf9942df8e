/**
 * A child process of test/field/memory-given-back.test.ts: builds structures again and again, and
 * prints by how much its resident memory grew, in MiB.
 */
import { BloomFilter, RecordStore, SuffixArray } from '../../dist/compress/index.js';
import { HashMap } from '../../dist/hashmap/index.js';
import { BumpArena, FixedPool, LockFreePool, NumaPool } from '../../dist/pools/index.js';
import { SmallMapArena } from '../../dist/smallmap/index.js';
import { BitVector, EliasFano, PackedInts, RankSelect } from '../../dist/succinct/index.js';
import { Vector } from '../../dist/vector/index.js';

const MIB = 2 ** 20;
const resident = () => process.memoryUsage.rss() / MIB;

const ramp = Uint32Array.from({ length: 1_000_000 }, (_, i) => i * 64);
const doubles = new Float64Array(1_000_000).fill(1.5);
const sorted = Float64Array.from(ramp, (value) => value * 2 ** 24);
const noise = new Uint8Array(MIB);
for (let i = 0, x = 1; i < noise.length; i++) {
  x = (Math.imul(x, 1664525) + 1013904223) | 0;
  noise[i] = x >>> 24;
}
const guarded = (pool) => {
  // The guard after each block touches its page, and no view is needed for it.
  for (let i = 0; i < 2000; i++) pool.alloc(4000);
  return pool;
};
const bits = () => new BitVector(2 ** 26).fill(0, 2 ** 26, true);
const oneBits = bits();
const arena = (() => {
  const maps = new SmallMapArena({ key: 'u32', value: 'f64' });
  const ids = Float64Array.from({ length: 400_000 }, () => maps.create());
  const some = [ramp.subarray(0, ids.length), doubles.subarray(0, ids.length)];
  return maps.setMany(ids, ...some).toBytes();
})();
const suffixes = SuffixArray.build(noise).toBytes();
const records = Array.from({ length: 16 }, (_, i) => noise.map((byte) => byte ^ i).subarray(0, MIB / 2));
const store = (await RecordStore.build(records)).toBytes();

/** Each takes from 3 to 20 MiB, nearly all of which are touched. */
const make = {
  HashMap: () => new HashMap({ key: 'u32', value: 'f64', capacity: ramp.length }).setMany(ramp, doubles),
  SmallMapArena: () => SmallMapArena.fromBytes(arena),
  Vector: () => Vector.from('f64', doubles),
  BitVector: bits,
  RankSelect: () => RankSelect.from(oneBits),
  EliasFano: () => EliasFano.from(sorted),
  PackedInts: () => PackedInts.from(ramp, { bits: 32 }),
  BloomFilter: () => new BloomFilter(5_000_000, 0.001).addMany(ramp),
  SuffixArray: () => SuffixArray.fromBytes(suffixes),
  RecordStore: () => RecordStore.fromBytes(store),
  FixedPool: () => guarded(new FixedPool({ blockSize: 4000, blocks: 2000, guards: true })),
  LockFreePool: () => guarded(new LockFreePool({ capacityBytes: 2 ** 24, guards: true })),
  BumpArena: () => guarded(new BumpArena({ guards: true })),
  NumaPool: () => new NumaPool({ capacityBytes: 2 ** 23, populate: true }),
};

/** Repeats a round, and reports how much memory that took, and how much a round needs. */
function measure(rounds, round) {
  round();
  const before = resident();
  let most = 0;
  let size = 0;
  for (let i = 0; i < rounds; i++) {
    size = round();
    most = Math.max(most, resident() - before);
  }
  return { size, grown: resident() - before, most };
}

const modes = {
  /** `close()`, without a view. */
  close: () =>
    Object.entries(make).map(([name, build]) => [
      name,
      measure(8, () => {
        const structure = build();
        const size = structure.byteLength / MIB;
        structure.close();
        return size;
      }),
    ]),
  /** `clear()` and `shrinkToFit()`; the structures stay in use. */
  shrink: () => {
    const kept = [];
    return ['HashMap', 'SmallMapArena', 'Vector', 'BitVector'].map((name) => [
      name,
      measure(8, () => {
        const structure = make[name]();
        const size = structure.byteLength / MIB;
        if (name === 'SmallMapArena') for (const id of structure.ids()) structure.release(id);
        else structure.clear();
        structure.shrinkToFit();
        kept.push(structure);
        return size;
      }),
    ]);
  },
  /** Nothing: the collector frees what the program dropped, views and all. */
  drop: () => [
    ['HashMap', measure(60, () => make.HashMap().byteLength / MIB)],
    ['Vector', measure(60, () => make.Vector().view.length / 2 ** 17)],
    ['FixedPool', measure(60, () => make.FixedPool().u8.length / MIB)],
  ],
};

console.log(JSON.stringify(modes[process.argv[2]]()));
