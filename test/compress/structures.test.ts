/** SuffixArray, BloomFilter and RollingHash: compared with plain implementations, and misused. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectFile } from '../../src/cli/inspect.js';
import { BloomFilter, RollingHash, SuffixArray } from '../../src/compress/index.js';
import { throws } from '../helpers/errors.js';
import { utf8 } from '../helpers/records.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'offheap-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a suffix array', () => {
  const check = (text: Uint8Array): void => {
    const array = SuffixArray.build(text);
    array.validate();
    const suffix = (from: number): Buffer => Buffer.from(text.subarray(from));
    const expected = Array.from(text, (_, i) => i).sort((a, b) => Buffer.compare(suffix(a), suffix(b)));
    expect(Array.from(text, (_, rank) => array.at(rank))).toEqual(expected);
    expect(array.length).toBe(text.length);
    for (const pattern of ['a', 'aa', 'ab', 'ba', 'abc', '\0', 'ÿ', 'not there', '']) {
      const { start, count } = array.search(pattern);
      const found = expected.filter((from) =>
        suffix(from).subarray(0, utf8(pattern).length).equals(utf8(pattern)),
      );
      expect(count).toBe(found.length);
      expect(expected.slice(start, start + count)).toEqual(found);
      expect(array.search(utf8(pattern))).toEqual({ start, count });
    }
  };

  it('contains the suffixes in order', () => {
    for (const text of [
      '',
      'a',
      'ab',
      'ba',
      'banana',
      'mississippi',
      'a'.repeat(500),
      'ab'.repeat(300),
      'abcab'.repeat(99),
    ]) {
      check(utf8(text));
    }
    check(Uint8Array.from({ length: 256 }, (_, i) => 255 - i));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 97, max: 100 }), { maxLength: 200 }), (bytes) =>
        check(Uint8Array.from(bytes)),
      ),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => check(bytes)),
      { numRuns: 100 },
    );
  });

  it('is built in linear time for periodic texts', () => {
    // Comparing suffixes would take 10^11 steps.
    const array = SuffixArray.build(new Uint8Array(500_000).fill(120));
    expect(array.search('xxx').count).toBe(499_998);
    array.validate();
  });

  it('rejects wrong arguments, and returns undefined past its ends', () => {
    const array = SuffixArray.build(utf8('one two three two one'));
    for (const bad of [null, 'text', 5, [1]])
      throws(() => SuffixArray.build(bad as never), 'ERR_OFFHEAP_TYPE');
    throws(() => array.search(5 as never), 'ERR_OFFHEAP_TYPE');
    throws(() => array.at('1' as never), 'ERR_OFFHEAP_TYPE');
    for (const rank of [-1, 21, 0.5, NaN, Infinity]) expect(array.at(rank)).toBe(undefined);
  });

  it('is described by `offheap inspect`', async () => {
    const path = join(folder, 'suffixes');
    await SuffixArray.build(utf8('one two three two one')).save(path);
    expect(await inspectFile(path)).toMatchObject({ kind: 'suffixarray', contents: { length: 21 } });
  });
});

describe('a Bloom filter', () => {
  it('contains every added key, and has false positives at its rate', () => {
    for (const rate of [0.1, 0.01, 0.002]) {
      const filter = new BloomFilter(20_000, rate);
      for (let i = 0; i < 20_000; i++) filter.add(i);
      let [known, wrong] = [0, 0];
      for (let i = 0; i < 20_000; i++) if (filter.has(i)) known++;
      for (let i = 0; i < 200_000; i++) if (filter.has(i + 1e6)) wrong++;
      expect(known).toBe(20_000);
      // Seeds are random: the limit is five standard deviations, or a fifth.
      const slack = Math.max(0.2, 5 / Math.sqrt(rate * 200_000));
      expect(Math.abs(wrong / 200_000 / rate - 1)).toBeLessThan(slack);
      expect(filter.stats().fill).toBeLessThan(0.8);
    }
  });

  it('accepts numbers, strings and bytes', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.double(),
            fc.integer(),
            fc.string({ unit: 'grapheme' }),
            fc.uint8Array({ maxLength: 20 }),
          ),
        ),
        (keys) => {
          const filter = new BloomFilter(keys.length, 0.01).addMany(keys);
          expect(filter.hasMany(keys).every((yes) => yes === 1)).toBe(true);
          for (const key of keys) expect(filter.has(key)).toBe(true);
        },
      ),
    );
    const filter = new BloomFilter(10, 0.000_001).add(0).add(NaN).add('é').add('x'.repeat(1000));
    expect([-0, NaN, utf8('é'), utf8('x'.repeat(1000))].map((key) => filter.has(key))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect([1, 'e', '0', 'NaN', 'x'.repeat(999), ''].map((key) => filter.has(key))).toEqual(
      Array(6).fill(false),
    );
    expect(filter.addMany(Float64Array.of(5, 6)).hasMany([5, 6, 7])).toEqual(Uint8Array.of(1, 1, 0));
  });

  it('is described by `offheap inspect`', async () => {
    const path = join(folder, 'filter');
    await new BloomFilter(100, 0.001).save(path);
    expect(await inspectFile(path)).toMatchObject({ kind: 'bloomfilter', contents: { capacity: 100 } });
  });

  it('rejects wrong arguments', () => {
    const filter = new BloomFilter(100, 0.001);
    for (const rate of [0, 1, -1, NaN, Infinity])
      throws(() => new BloomFilter(10, rate), 'ERR_OFFHEAP_RANGE');
    for (const n of [-1, 1.5, NaN, 2 ** 53]) throws(() => new BloomFilter(n, 0.1), 'ERR_OFFHEAP_RANGE');
    throws(() => new BloomFilter('1' as never, 0.1), 'ERR_OFFHEAP_TYPE');
    throws(() => new BloomFilter(1, undefined as never), 'ERR_OFFHEAP_TYPE');
    for (const key of [null, undefined, {}, [], 1n, true]) {
      throws(() => filter.add(key as never), 'ERR_OFFHEAP_TYPE');
      throws(() => filter.has(key as never), 'ERR_OFFHEAP_TYPE');
    }
  });
});

describe('a rolling hash', () => {
  it('depends on the window alone', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 40 }), (bytes, window) => {
        const rolling = new RollingHash(window);
        bytes.forEach((byte, i) => {
          const from = Math.max(0, i + 1 - window);
          expect(rolling.push(byte)).toBe(RollingHash.of(bytes.subarray(from, i + 1)));
          expect(rolling.full).toBe(i + 1 >= window);
        });
        const { value } = rolling;
        rolling.reset();
        expect(rolling.value).toBe(0);
        expect(rolling.update(bytes)).toBe(value);
        expect(rolling.window).toBe(window);
      }),
    );
    expect(RollingHash.of(Uint8Array.of(0))).not.toBe(RollingHash.of(Uint8Array.of(0, 0)));
  });

  it('rejects wrong arguments', () => {
    for (const window of [0, -1, 1.5, NaN, 2 ** 24 + 1])
      throws(() => new RollingHash(window), 'ERR_OFFHEAP_RANGE');
    throws(() => new RollingHash('5' as never), 'ERR_OFFHEAP_TYPE');
    throws(() => new RollingHash(5).push('a' as never), 'ERR_OFFHEAP_TYPE');
    throws(() => new RollingHash(5).update('abc' as never), 'ERR_OFFHEAP_TYPE');
    throws(() => RollingHash.of([1] as never), 'ERR_OFFHEAP_TYPE');
  });
});
