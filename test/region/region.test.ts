/** Regions by themselves: how buffers grow, move, are shared and given up. */
import { describe, expect, it } from 'vitest';
import { native } from '../../src/native.js';
import { FLAG_SUPERSEDED, readLong, WORD, writeLong } from '../../src/region/format.js';
import { GROWABLE_FROM, randomSeed, Region } from '../../src/region/region.js';
import { attachRegion, shareRegion } from '../../src/region/token.js';
import { throws } from '../helpers/errors.js';

const anywhere = { hugePages: undefined, numaNode: undefined };

describe('a heap region', () => {
  it('is zeroed, and keeps its contents however it grows', () => {
    const region = Region.allocate(1024, anywhere);
    expect(region.bytes.every((byte) => byte === 0)).toBe(true);
    region.bytes.fill(7);
    for (const length of [
      1024,
      2048,
      GROWABLE_FROM - 64,
      GROWABLE_FROM,
      GROWABLE_FROM * 3,
      2 ** 22,
      2 ** 22 + 64,
    ]) {
      const before = region.bytes.length;
      region.ensure(length);
      expect(region.bytes.length).toBeGreaterThanOrEqual(length);
      expect(region.bytes.subarray(0, 1024).every((byte) => byte === 7)).toBe(true);
      expect(region.bytes.subarray(before, length).every((byte) => byte === 0)).toBe(true);
      expect(region.head.buffer).toBe(region.buffer);
      region.bytes.subarray(before).fill(0);
    }
  });

  it('from 64 KiB on grows in place', () => {
    const region = Region.allocate(GROWABLE_FROM, anywhere);
    const { buffer } = region;
    for (let length = GROWABLE_FROM; length <= GROWABLE_FROM * 32; length *= 2) region.ensure(length);
    expect(region.buffer).toBe(buffer);
    region.shrink(GROWABLE_FROM);
    expect(region.buffer).not.toBe(buffer);
    expect(region.bytes.length).toBe(GROWABLE_FROM);
  });

  it('that grows past 4 MiB moves there at the latest, and then stays', () => {
    const region = Region.allocate(4096, anywhere);
    for (let length = 8192; length <= 2 ** 22; length *= 2) region.ensure(length);
    const { buffer } = region;
    for (let length = 2 ** 23; length <= 2 ** 26; length *= 2) region.ensure(length);
    expect(region.buffer).toBe(buffer);
    // It ends with a whole huge page, wherever it begins.
    region.ensure(region.bytes.length + 1);
    expect((region.bytes.length - native().alignmentGap(region.bytes, 2 ** 21)) % 2 ** 21).toBe(0);
  });

  it('takes advice about where it lies', () => {
    const region = Region.allocate(2 ** 22, { hugePages: true, numaNode: undefined });
    region.ensure(2 ** 23);
    region.bytes.fill(1);
    expect(Region.allocate(4096, { hugePages: false, numaNode: undefined }).bytes.length).toBe(4096);
  });

  it('that is refused memory stays as it was', () => {
    const region = Region.allocate(4096, anywhere);
    region.bytes.fill(3);
    const { buffer } = region;
    throws(() => region.ensure(2 ** 52), 'ERR_OFFHEAP_OOM', /4503599627370496 bytes/);
    expect(region.buffer).toBe(buffer);
    expect(region.bytes.every((byte) => byte === 3)).toBe(true);
    throws(() => Region.allocate(2 ** 52, anywhere), 'ERR_OFFHEAP_OOM');
  });
});

describe('a shared region', () => {
  it('moves once, when it is shared first, and then grows under its readers', () => {
    const region = Region.allocate(4096, anywhere);
    region.bytes.fill(5);
    const token = shareRegion(region, 'hashmap');
    expect(shareRegion(region, 'hashmap').buffer).toBe(token.buffer);
    const reader = attachRegion(token, 'hashmap');
    region.ensure(2 ** 24);
    expect(region.buffer).toBe(token.buffer);
    region.bytes[2 ** 24 - 1] = 9;
    reader.refresh();
    expect(reader.bytes[2 ** 24 - 1]).toBe(9);
    expect(reader.bytes[0]).toBe(5);
    region.shrink(4096); // readers may be looking: it stays
    expect(region.bytes.length).toBeGreaterThanOrEqual(2 ** 24);
  });

  it('past its address space moves, and marks its old memory', () => {
    const region = Region.allocate(4096, anywhere);
    const token = shareRegion(region, 'hashmap');
    const old = new Int32Array(token.buffer!, 0, 64);
    old[WORD.seed0] = 77;
    const limit = (token.buffer as unknown as { maxByteLength: number }).maxByteLength;
    try {
      region.ensure(limit + 64);
    } catch (error) {
      // A runtime with room for one such buffer and not for two refuses, and nothing has changed.
      expect((error as { code: string }).code).toBe('ERR_OFFHEAP_OOM');
      expect(region.buffer).toBe(token.buffer);
      expect(old[WORD.flags]).toBe(0);
      return;
    }
    expect(region.buffer).not.toBe(token.buffer);
    expect(region.head[WORD.seed0]).toBe(77);
    expect(region.head[WORD.flags]).toBe(0);
    expect(old[WORD.flags] & FLAG_SUPERSEDED).toBe(FLAG_SUPERSEDED);
    expect(old[WORD.sequence]).toBe(2);
  });
});

describe('the header', () => {
  it('holds 64-bit numbers below 2^53 in two words', () => {
    const words = new Int32Array(4);
    for (const value of [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 34, 2 ** 53 - 1]) {
      writeLong(words, 1, value);
      expect(readLong(words, 1)).toBe(value);
      expect(words[3]).toBe(0);
    }
  });

  it('gets seeds that differ', () => {
    const seeds = Array.from({ length: 2000 }, () => randomSeed().join());
    expect(new Set(seeds).size).toBe(2000);
  });
});

describe('a region that was released', () => {
  it('has no bytes, and views taken before stay readable', () => {
    const region = Region.allocate(4096, anywhere);
    const view = new Uint8Array(region.buffer, 0, 10).fill(4);
    region.release();
    region.release();
    expect(region.bytes).toHaveLength(0);
    expect(view[0]).toBe(4);
  });
});
