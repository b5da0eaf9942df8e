/**
 * BloomFilter, SuffixArray and RollingHash: TypeScript against Rust, golden bytes, background
 * builds, wrong arguments and refused memory.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BloomFilter, RollingHash, SuffixArray } from '../../src/compress/index.js';
import { packageRoot } from '../../src/native.js';
import { rejected, throws } from '../helpers/errors.js';
import { utf8 } from '../helpers/records.js';

const golden = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(join(import.meta.dirname, '..', 'golden', name)));
/** The bytes without a checksum, as in golden files. */
const unsealed = (bytes: Uint8Array): Uint8Array => bytes.slice().fill(0, 28, 36);

afterEach(() => vi.unstubAllGlobals());

describe('TypeScript and Rust', () => {
  it.each(['bloomfilter.bin', 'v2/bloomfilter.bin'])('read and produce the golden filter %s', (name) => {
    const bytes = golden(name);
    const filter = BloomFilter.fromBytes(bytes);
    filter.validate();
    const numbers = Array.from({ length: 50 }, (_, i) => i * 1.5);
    const strings = Array.from({ length: 50 }, (_, i) => `key ${i}`);
    for (const key of [...numbers, ...strings]) expect(filter.has(key)).toBe(true);
    expect(filter.stats()).toMatchObject({ capacity: 100, rate: 0.01, blocks: 2 });
    // Adding existing keys changes nothing, one by one and in bulk.
    filter.addMany(numbers).addMany(Float64Array.from(numbers));
    for (const key of strings) filter.add(key).add(utf8(key));
    expect(unsealed(filter.toBytes())).toEqual(bytes);
    // An empty filter with the same seeds becomes equal.
    for (const inBulk of [false, true]) {
      const empty = BloomFilter.fromBytes(bytes.slice().fill(0, 256));
      if (inBulk) empty.addMany(Float64Array.from(numbers)).addMany(strings);
      else for (const key of [...strings, ...numbers]) empty.add(key);
      expect(unsealed(empty.toBytes())).toEqual(bytes);
    }
    expect(new BloomFilter(100, 0.01).toBytes().length).toBe(bytes.length);
  });

  it('make filters of the same size', () => {
    // `native/core/tests/filters.rs` contains the same numbers.
    for (const [n, rate, blocks] of [
      [0, 0.5, 1],
      [1e6, 0.1, 11_483],
      [1e6, 0.01, 19_726],
      [1e6, 1e-5, 68_333],
      [10, 1e-12, 2329],
    ] as const) {
      expect(new BloomFilter(n, rate).stats().blocks, `${n} ${rate}`).toBe(blocks);
    }
  });

  it('read and produce the golden suffix array', () => {
    const text = utf8('she sells sea shells by the sea shore');
    const bytes = golden('suffixarray.bin');
    const array = SuffixArray.fromBytes(bytes);
    array.validate();
    expect(array.search('sea').count).toBe(2);
    expect(unsealed(SuffixArray.build(text).toBytes())).toEqual(bytes);
    const suffix = (from: number): Buffer => Buffer.from(text.subarray(from));
    const sorted = Array.from(text, (_, i) => i).sort((a, b) => Buffer.compare(suffix(a), suffix(b)));
    expect(new Uint32Array(bytes.buffer, 320, text.length)).toEqual(Uint32Array.from(sorted));
  });

  it('agree on keys of all kinds, single and in bulk', () => {
    const key = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.constantFrom(0, -0, NaN, Infinity),
      fc.string({ unit: 'grapheme' }),
      fc.uint8Array({ maxLength: 30 }),
    );
    fc.assert(
      fc.property(fc.array(key), fc.array(key), fc.boolean(), (added, absent, inBulk) => {
        const filter = new BloomFilter(added.length, 0.05);
        if (inBulk) filter.addMany(added);
        else for (const one of added) filter.add(one);
        const asked = [...added, ...absent];
        const answers = asked.map((one) => Number(filter.has(one)));
        expect([...filter.hasMany(asked)]).toEqual(answers);
        expect(answers.slice(0, added.length)).not.toContain(0);
        const numbers = asked.filter((one) => typeof one === 'number');
        expect([...filter.hasMany(Float64Array.from(numbers))]).toEqual(
          numbers.map((one) => Number(filter.has(one))),
        );
      }),
    );
    const arrays = [
      Uint8Array.of(1, 255),
      Uint8ClampedArray.of(1, 255),
      Int8Array.of(-1, 127),
      Uint16Array.of(65535),
      Int16Array.of(-5),
      Uint32Array.of(2 ** 32 - 1),
      Int32Array.of(-(2 ** 31)),
      Float32Array.of(0.5, NaN, -0),
      Float64Array.of(1e300, -0),
      new Float64Array(1000).map((_, i) => i),
      new Float64Array(new SharedArrayBuffer(64)),
    ];
    for (const keys of arrays) {
      const filter = new BloomFilter(1000, 1e-6).addMany(keys);
      expect(filter.hasMany(keys).every((yes) => yes === 1)).toBe(true);
      for (const one of keys) expect(filter.has(one)).toBe(true);
      expect(filter.has(0.123)).toBe(false);
    }
  });

  it('find the same cuts', () => {
    const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => ((i * i) >> 3) ^ (i >> 7));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 12 }),
        fc.nat(9000),
        fc.nat(9000),
        (window, bits, from, length) => {
          const text = bytes.subarray(from, from + length);
          const plain = new RollingHash(window);
          const expected: number[] = [];
          text.forEach((byte, i) => {
            if (plain.push(byte) < 2 ** (32 - bits) && plain.full) expected.push(i + 1);
          });
          const rolling = new RollingHash(window);
          const found: number[] = [];
          let done = 0;
          for (;;) {
            const taken = rolling.find(text.subarray(done), bits);
            if (taken < 0) break;
            found.push((done += taken));
          }
          expect(found).toEqual(expected);
          expect(rolling.value).toBe(plain.value);
          expect(rolling.full).toBe(plain.full);
          expect(rolling.push(1)).toBe(plain.push(1));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a suffix array built off the main thread', () => {
  const text = utf8('one two three two one');

  it('is the same', async () => {
    const seen: number[] = [];
    const array = await SuffixArray.buildAsync(text, {
      onProgress: ({ done, total }) => seen.push(done, total),
    });
    expect(array.toBytes()).toEqual(SuffixArray.build(text).toBytes());
    expect(seen.slice(-2)).toEqual([text.length, text.length]);
    const changing = text.slice();
    const promise = SuffixArray.buildAsync(changing);
    changing.fill(0);
    expect((await promise).search('two').count).toBe(2);
    expect((await SuffixArray.buildAsync(new Uint8Array(0))).length).toBe(0);
  });

  it('can be aborted', async () => {
    await expect(SuffixArray.buildAsync(text, { signal: AbortSignal.abort('no') })).rejects.toBe('no');
    const controller = new AbortController();
    const promise = SuffixArray.buildAsync(new Uint8Array(3_000_000), { signal: controller.signal });
    controller.abort('late');
    await expect(promise).rejects.toBe('late');
    const failing = SuffixArray.buildAsync(text, {
      onProgress: () => {
        throw new Error('mine');
      },
    });
    await expect(failing).rejects.toThrow('mine');
  });

  it('rejects wrong arguments', async () => {
    expect((await rejected(SuffixArray.buildAsync('text' as never))).code).toBe('ERR_OFFHEAP_TYPE');
    expect((await rejected(SuffixArray.buildAsync(text, { sign: 1 } as never))).code).toBe(
      'ERR_OFFHEAP_TYPE',
    );
    expect((await rejected(SuffixArray.buildAsync(text, 5 as never))).code).toBe('ERR_OFFHEAP_TYPE');
  });
});

describe('wrong arguments', () => {
  it('among many keys leave the keys before them added', () => {
    const filter = new BloomFilter(100, 1e-6);
    for (const bad of [null, undefined, 5, 'abc', 1n, true, {}, new DataView(new ArrayBuffer(8))]) {
      throws(() => filter.addMany(bad as never), 'ERR_OFFHEAP_TYPE');
      throws(() => filter.hasMany(bad as never), 'ERR_OFFHEAP_TYPE');
    }
    for (const bad of [[1n], [null], [{}], BigInt64Array.of(1n), [1, [2]]]) {
      throws(() => filter.hasMany(bad as never), 'ERR_OFFHEAP_TYPE');
    }
    throws(() => filter.addMany(['one', 'two', null, 'three'] as never), 'ERR_OFFHEAP_TYPE');
    expect([...filter.hasMany(['one', 'two', 'three'])]).toEqual([1, 1, 0]);
    const detached = new Float64Array(4);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    throws(() => filter.hasMany(detached), 'ERR_OFFHEAP_TYPE', /detached/);
    throws(() => filter.addMany(detached), 'ERR_OFFHEAP_TYPE', /detached/);
    filter.addMany([]).addMany(new Set(['four']));
    expect(filter.has('four')).toBe(true);
    class Liar extends Float64Array {
      override get length(): number {
        return 2 ** 40;
      }
    }
    expect(filter.hasMany(new Liar(3)).length).toBe(3);
    // User code that closes the filter while its keys are read.
    const closing = {
      *[Symbol.iterator]() {
        yield 'five';
        filter.close();
      },
    };
    throws(() => filter.addMany(closing), 'ERR_OFFHEAP_CLOSED');
    throws(() => filter.hasMany(['x']), 'ERR_OFFHEAP_CLOSED');
    throws(() => filter.addMany(Float64Array.of(1)), 'ERR_OFFHEAP_CLOSED');
    throws(() => filter.stats(), 'ERR_OFFHEAP_CLOSED');
    throws(() => filter.validate(), 'ERR_OFFHEAP_CLOSED');
    throws(() => filter.share(), 'ERR_OFFHEAP_CLOSED');
  });

  it('of find() add no bytes', () => {
    const rolling = new RollingHash(4);
    for (const bits of [0, 33, 1.5, NaN, -1])
      throws(() => rolling.find(new Uint8Array(9), bits), 'ERR_OFFHEAP_RANGE');
    throws(() => rolling.find(new Uint8Array(9), '5' as never), 'ERR_OFFHEAP_TYPE');
    throws(() => rolling.find('abc' as never, 5), 'ERR_OFFHEAP_TYPE');
    expect(rolling.value).toBe(0);
    expect(rolling.find(new Uint8Array(0), 5)).toBe(-1);
    expect(rolling.find(new Uint8Array(3), 32)).toBe(-1);
    expect(rolling.full).toBe(false);
  });

  it('include sizes for which memory is refused', () => {
    const sound = new BloomFilter(10, 0.1);
    const Refusing = function (): never {
      throw new RangeError('Array buffer allocation failed');
    };
    vi.stubGlobal('SharedArrayBuffer', Refusing);
    throws(() => new BloomFilter(1000, 0.1), 'ERR_OFFHEAP_OOM');
    throws(() => SuffixArray.build(new Uint8Array(1000)), 'ERR_OFFHEAP_OOM');
    vi.stubGlobal('Uint8Array', Refusing);
    throws(() => sound.hasMany(['a']), 'ERR_OFFHEAP_OOM');
    throws(() => new RollingHash(100), 'ERR_OFFHEAP_OOM');
    vi.unstubAllGlobals();
    expect(sound.add('a').has('a')).toBe(true);
    throws(() => new BloomFilter(1e10, 1e-6), 'ERR_OFFHEAP_RANGE', /4 GiB/);
  });
});

describe('threads that are terminated', () => {
  const dist = join(packageRoot(), 'dist');
  it('end after a build that is running when they are terminated', { timeout: 60_000 }, async () => {
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       import(${JSON.stringify(new URL(`file://${join(dist, 'compress', 'index.js')}`).href)}).then(({ SuffixArray }) => {
         for (let i = 0; i < 3; i++) SuffixArray.buildAsync(new Uint8Array(2_000_000)).catch(() => undefined);
         // Keeps the worker alive after the builds.
         setInterval(() => undefined, 1000);
         parentPort.postMessage('begun');
       });`,
      { eval: true },
    );
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    expect(await worker.terminate()).toBe(1);
  });
});
