/** What every structure inherits, shown on a HashMap. */
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';

describe('a structure', () => {
  test('is not cloned: its token is what another thread needs', () => {
    const map = new HashMap({ key: 'u32', value: 'f64' });
    expect(() => structuredClone(map)).toThrow(/share\(\)/);
    expect(structuredClone(map.share())).toHaveProperty('offheap', 'hashmap');
  });

  test('is printed whatever became of it', () => {
    const map = new HashMap({ key: 'u32', value: 'f64' });
    const reader = HashMap.attach(map.share());
    expect(inspect(reader)).toContain('HashMap<u32, f64>(0)');
    // Past its reservation the owner moves, and the old buffer is marked as superseded.
    const head = new Int32Array(map.share().buffer!);
    Atomics.or(head, 7, 2);
    Atomics.add(head, 6, 2);
    expect(inspect(reader)).toBe('HashMap { stale }');
    reader.close();
    expect(inspect(reader)).toBe('HashMap { closed }');
  });
});
