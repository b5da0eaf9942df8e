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

  it('is counted, and favors its entry if the bucket is unchanged', () => {
    const map: AnyShared = new SharedMap({ key: 'u32', value: 'f64', maxBytes: 65_536 });
    const table = new SharedMapTable(attachRegion(map.share(), 'sharedmap'), false);
    map.set(1, 1.5);
    table.encode(1);
    const marks: number[] = [];
    for (let i = 0; i < 5; i++) {
      expect(lookUp(table, true)).toBe(1.5);
      marks.push(table.bytes[table.metaAt]);
    }
    expect(marks).toEqual([1, 2, 3, 3, 3]);
    expect(lookUp(table, false)).toBe(1.5);
    expect(map.stats()).toMatchObject({ hits: 5, misses: 0 });
    table.close();
  });
});
