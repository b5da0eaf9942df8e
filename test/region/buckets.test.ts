/** `Buckets`, compared with the index of a HashMap, whose insertion and removal are written out. */
import { describe, expect, it } from 'vitest';
import type { HashMapTable } from '../../src/hashmap/table.js';
import { HashMap } from '../../src/hashmap/index.js';
import { Buckets } from '../../src/region/buckets.js';
import { tableOf } from '../../src/region/structure.js';
import { Random } from '../helpers/random.js';

describe('Buckets', () => {
  it('change an index as a HashMap does, word by word', () => {
    const map = new HashMap({ key: 'u32', value: 'u8', capacity: 2000 });
    const table = tableOf(map) as unknown as HashMapTable;
    const words = new Int32Array(table.index.length);
    const buckets = new Buckets(words, false);
    const random = new Random(7);
    const entries: { key: number; hash: number; position: number }[] = [];
    const overflows = (): number => words.filter((_, at) => at % 16 === 3).reduce((sum, n) => sum + n, 0);
    const check = (): void => expect(Buffer.from(words.buffer).equals(index())).toBe(true);
    const index = (): Buffer => Buffer.from(table.index.buffer, table.index.byteOffset, words.byteLength);
    const insert = (): void => {
      const position = entries.length + map.stats().dead;
      const key = random.u32();
      map.set(key, 0);
      buckets.enter(table.hash, position);
      entries.push({ key, hash: table.hash, position });
      check();
    };
    for (let n = 0; n < 1900; n++) insert();
    // Buckets have twelve lanes, so some of them are full.
    expect(overflows()).toBeGreaterThan(0);
    for (let n = 0; n < 1900; n++) {
      if (n % 20 === 0) insert();
      const [{ key, hash, position }] = entries.splice(random.below(entries.length), 1);
      map.delete(key);
      buckets.countDown(hash, buckets.leave(hash, position));
      check();
    }
    while (entries.length > 0) {
      const { key, hash, position } = entries.pop()!;
      map.delete(key);
      buckets.countDown(hash, buckets.leave(hash, position));
    }
    check();
    expect(overflows()).toBe(0);
  });
});
