/** A reader that is interrupted between its validation and the store of the policy byte. */
import { describe, expect, it } from 'vitest';
import { lookUp } from '../../src/sharedmap/read.js';
import { SharedMapTable } from '../../src/sharedmap/table.js';
import { attachRegion } from '../../src/region/token.js';
import { SharedMap, type AnyShared } from './samples.js';

/** A table whose hits are recorded when the test says so. */
class Interrupted extends SharedMapTable {
  pending: (() => void)[] = [];

  override recordHit(): void {
    const { metaAt, homeAt, version, epochAt, epoch } = this;
    this.pending.push(() => {
      Object.assign(this, { metaAt, homeAt, version, epochAt, epoch });
      super.recordHit();
    });
  }
}

describe('a hit that is recorded late', () => {
  it('changes nothing in a page that has entries instead of buckets by then', () => {
    const map: AnyShared = new SharedMap({ key: 'u32', value: 'bytes', maxBytes: 1 << 20, shards: 1 });
    const table = new Interrupted(attachRegion(map.share(), 'sharedmap'), false);
    const small = Uint8Array.of(1);
    for (let key = 0; key < 15_000; key++) map.set(key, small);
    for (let key = 0; key < 15_000; key += 11) {
      table.encode(key);
      expect(lookUp(table, true)).toEqual(small);
    }
    for (let key = 0; key < 15_000; key++) map.delete(key);
    const large = new Uint8Array(600).fill(1);
    for (let key = 0; key < 1400; key++) map.set(key, large);
    expect(table.pending.length).toBeGreaterThan(1000);
    for (const record of table.pending) record();
    for (const value of map.values()) expect(Buffer.compare(value, large)).toBe(0);
    map.validate();
    table.close();
  });

  it.each([
    ['auto', [1, 2, 3, 4, 5, 6, 7, 7, 7].map((hits) => hits << 5)],
    ['s3-fifo', [1, 2, 3, 3].map((hits) => hits << 6)],
    ['lfu', [1, 2, 3]],
    ['gdsf', [1, 2, 3]],
    ['fifo', [0, 0]],
    ['none', [0, 0]],
    ['lru', [0, 0]],
  ] as const)('is counted, and favors its entry if the bucket is unchanged: %s', (policy, expected) => {
    for (const key of ['u32', 'string'] as const) {
      const map: AnyShared = new SharedMap({ key, value: 'f64', maxBytes: 65_536, policy });
      const table = new SharedMapTable(attachRegion(map.share(), 'sharedmap'), false);
      const clockMask = policy === 'auto' ? 31 : policy === 's3-fifo' ? 63 : policy === 'lru' ? 255 : 0;
      map.set(key === 'u32' ? 1 : 'one', 1.5);
      table.encode(key === 'u32' ? 1 : 'one');
      const marks: number[] = [];
      const clocks: number[] = [];
      for (let i = 0; i < expected.length; i++) {
        expect(lookUp(table, true)).toBe(1.5);
        marks.push(table.bytes[table.metaAt] & ~clockMask);
        clocks.push((table.bytes[table.metaAt] ^ table.words[table.epochAt - 1]) & clockMask);
      }
      expect(marks).toEqual(expected);
      expect(clocks).toEqual(expected.map(() => 0));
      expect(lookUp(table, false)).toBe(1.5);
      expect(map.stats()).toMatchObject({ hits: expected.length, misses: 0 });
      table.close();
    }
  });

  it.each(['auto', 's3-fifo', 'lru', 'lfu', 'fifo', 'gdsf', 'none'] as const)(
    'changes the byte as native code does: %s',
    (policy) => {
      const maps = [0, 1].map((): AnyShared => {
        const map: AnyShared = new SharedMap({
          key: 'u32',
          value: 'f64',
          maxBytes: 65_536,
          policy,
          seed: 1n,
          onFull: policy === 'none' ? 'reject' : 'evict',
        });
        for (let key = 0; key < 300; key++) map.set(key, key);
        return map;
      });
      const tables = maps.map((map) => new SharedMapTable(attachRegion(map.share(), 'sharedmap'), false));
      for (let round = 0; round < 10; round++) {
        for (let key = 0; key < 300; key += 1 + round) {
          expect(maps[0]!.get(key)).toBe(key);
          // More than one key is read natively.
          expect([...(maps[1]!.getMany([key]) as number[])]).toEqual([key]);
          for (const table of tables) {
            table.encode(key);
            lookUp(table, false);
          }
          const [inTypeScript, natively] = tables.map((table) => table.bytes[table.metaAt]);
          expect(inTypeScript).toBe(natively);
        }
        for (const map of maps) map.set(1000 + round, 0);
      }
      for (const table of tables) table.close();
    },
  );
});
