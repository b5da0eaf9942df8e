/** Corrupt arenas: invalid schemas, and contents that only validate() checks. (See test/kit.) */
import { describe, expect, it } from 'vitest';
import { SmallMapArena } from '../../src/smallmap/index.js';
import { throws } from '../helpers/errors.js';
import { header, unseal } from '../helpers/words.js';

describe('opening an arena', () => {
  const good = unseal(new SmallMapArena({ key: 'u32', value: 'f64' }).toBytes());

  it('rejects an invalid schema with ERR_OFFHEAP_CORRUPT', () => {
    for (const schema of [0, 0x0b08, 0x0805 + 0x0b, 0x1005, 0xffffffff]) {
      const bytes = good.slice();
      header(bytes)[16] = schema;
      throws(() => SmallMapArena.fromBytes(bytes), 'ERR_OFFHEAP_CORRUPT');
    }
  });
});

describe('validate', () => {
  it('detects changes that opening does not, in every section', () => {
    const arena = new SmallMapArena({ key: 'string', value: 'string', capacity: 4, seed: 3n });
    const ids = [3, 8, 10].map((size) => {
      const id = arena.create();
      for (let n = 0; n < size; n++) arena.set(id, `key ${n}`, `value ${n}`);
      return id;
    });
    arena.release(ids[0]);
    arena.shrinkToFit();
    const good = unseal(arena.toBytes());
    SmallMapArena.fromBytes(good).validate();
    let found = 0;
    for (let at = 256; at < good.length; at++) {
      const bytes = good.slice();
      bytes[at] ^= 4;
      try {
        SmallMapArena.fromBytes(bytes).validate();
      } catch {
        found++;
      }
    }
    // All bytes except unused ones, overflow counts, and the letters of values.
    expect(found).toBeGreaterThan((good.length - 256) / 3);
  });
});
