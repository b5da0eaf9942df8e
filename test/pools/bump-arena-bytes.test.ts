/** The bytes of a BumpArena: the golden file, damaged headers and records. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { BumpArena } from '../../src/pools/index.js';
import { Random } from '../helpers/random.js';

const regionOf = (arena: BumpArena): Uint8Array => new Uint8Array(arena.share().buffer!);

describe('the bytes of a BumpArena', () => {
  const path = join(packageRoot(), 'test', 'golden', 'bumparena.bin');
  /** Two blocks with guards, one of which was freed, within a scope that is still open. */
  const sample = (then: (arena: BumpArena, bytes: Uint8Array) => void): void => {
    const arena = new BumpArena({ chunkBytes: 512, guards: true });
    arena.view(arena.alloc(20), 20).fill(1);
    arena.alloc(5000);
    arena.reset();
    const first = arena.alloc(40, 64);
    arena.scope(() => {
      arena.view(arena.alloc(13), 13).fill(2);
      arena.free(first);
      arena.u8.fill(0, 512);
      then(arena, regionOf(arena).slice(0, 4096 + 512));
    });
  };
  const attach = (bytes: Uint8Array): BumpArena => {
    const buffer = new SharedArrayBuffer(bytes.length);
    new Uint8Array(buffer).set(bytes);
    return BumpArena.attach({ offheap: 'bumparena', buffer });
  };

  it('equal the golden file', () => {
    sample((arena, bytes) => {
      if (process.env.OFFHEAP_BLESS !== undefined || !existsSync(path)) writeFileSync(path, bytes);
      expect(Buffer.compare(bytes, readFileSync(path))).toBe(0);
      expect(arena.stats().resets).toBe(1);
    });
  });

  it('are refused, or do no harm, after a flip of any bit of header and records', () => {
    let refused = 0;
    const whole = new BumpArena({ chunkBytes: 512, guards: true });
    for (const bytes of [40, 10, 1]) whole.alloc(bytes);
    const sound = regionOf(whole).slice();
    for (let bit = 0; bit < (256 + 64) * 8; bit++) {
      const bytes = sound.slice();
      const at = bit < 2048 ? bit : 4096 * 8 + bit - 2048;
      bytes[at >> 3] ^= 1 << (at & 7);
      let arena: BumpArena;
      try {
        arena = attach(bytes);
      } catch (error) {
        expect((error as { code: string }).code).toMatch(/CORRUPT|VERSION/);
        refused++;
        continue;
      }
      arena.stats();
      for (const offset of [0, 16, 96, 504, 2 ** 20]) {
        try {
          arena.view(offset, 1);
        } catch (error) {
          expect((error as { code: string }).code).toMatch(/STALE|CORRUPT|RANGE/);
        }
      }
      try {
        arena.validate();
      } catch (error) {
        expect((error as { code: string }).code).toMatch(/CORRUPT|STALE/);
      }
    }
    expect(refused).toBeGreaterThan(250);
  });

  it('cause errors if the words of an owner are overwritten, but never an offset outside of the data', () => {
    const random = new Random(5);
    let errors = 0;
    for (let round = 0; round < 300; round++) {
      const arena = new BumpArena({ chunkBytes: 1024, maxBytes: 4096, guards: round % 2 === 0 });
      const words = new Int32Array(arena.share().buffer!);
      for (let n = 0; n < 6; n++) arena.alloc(random.below(60));
      for (let n = 0; n < 3; n++) {
        const at = random.below(2) === 0 ? 16 + random.below(16) : 1024 + random.below(100);
        words[at] = random.pick([0, 1, 2, -1, -0x80000000, 0x7fffffff, random.u32() | 0]);
      }
      const attempts = [
        () => arena.tryAlloc(random.below(500), 2 ** random.below(8)),
        () => arena.free(random.below(64) * 8),
        () => arena.scope(() => arena.tryAlloc(8)),
        () => arena.reset(),
      ];
      for (let n = 0; n < 60; n++) {
        try {
          const at = random.pick(attempts)();
          if (typeof at === 'number') expect(at).toBeLessThan(arena.u8.length);
        } catch (error) {
          expect((error as { code: string }).code).toMatch(/ERR_OFFHEAP_(STALE|CORRUPT|RANGE|FULL)/);
          errors++;
        }
      }
      arena.close();
    }
    expect(errors).toBeGreaterThan(100);
  });
});
