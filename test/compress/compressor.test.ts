/**
 * Dictionaries and compressors: round trips, sizes, identity, aborts, corrupt records, wrong
 * arguments.
 */
import { inspect } from 'node:util';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { Compressor, Dictionary } from '../../src/compress/index.js';
import { rejected, throws } from '../helpers/errors.js';
import { town, towns, utf8 } from '../helpers/records.js';

let dictionary: Dictionary;
let compressor: Compressor;

beforeAll(async () => {
  dictionary = await Dictionary.train(towns(1000), { maxBytes: 8192 });
  compressor = new Compressor(dictionary);
}, 60_000);

function back(bytes: Uint8Array, by = compressor): void {
  const packed = by.compress(bytes);
  expect(packed.length).toBeLessThanOrEqual(bytes.length + 1);
  expect(Buffer.from(by.decompress(packed)).equals(bytes)).toBe(true);
}

describe('a compressor', () => {
  it('compresses records and decompresses them, at every level', () => {
    for (let level = 1; level <= 9; level++) {
      const by = new Compressor(dictionary, { level });
      let [before, after] = [0, 0];
      for (let i = 1000; i < 1050; i++) {
        const record = utf8(town(i));
        back(record, by);
        before += record.length;
        after += by.compress(record).length;
      }
      expect(after).toBeLessThan(before / 2.5);
    }
  });

  it('reproduces records that are unlike the samples', () => {
    back(new Uint8Array(0));
    for (let byte = 0; byte < 256; byte++) back(Uint8Array.of(byte));
    back(new Uint8Array(300_000));
    back(utf8('abcdefg'.repeat(30_000)));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => back(bytes)),
      { numRuns: 200 },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => back(utf8(text))),
      { numRuns: 200 },
    );
  });

  it('returns memory that later results do not overwrite', () => {
    for (const length of [100, 5000, 40_000, 65_000, 70_000]) {
      const [first, second] = [1, 2].map((seed) => {
        let state = seed;
        return Uint8Array.from(
          { length },
          () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24,
        );
      });
      const packed = compressor.compress(first);
      const text = compressor.decompress(packed);
      compressor.compress(second);
      compressor.decompress(compressor.compress(second));
      expect(Buffer.from(text).equals(first), `${length} bytes`).toBe(true);
      expect(Buffer.from(compressor.decompress(packed)).equals(first), `${length} bytes`).toBe(true);
    }
  });

  it('accepts views of any memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(100), 10, 50).fill(7);
    back(shared);
    back(Buffer.from('{"id":3}'));
  });

  it('rejects bytes that another dictionary compressed', async () => {
    const others = await Promise.all(
      [300, 400, 500].map((n) => Dictionary.train(towns(n), { maxBytes: 4096 })),
    );
    for (const other of others) {
      const { identity } = other.stats();
      expect(identity).not.toBe(dictionary.stats().identity);
      if (identity % 255n === dictionary.stats().identity % 255n) continue;
      for (let i = 0; i < 20; i++) {
        const packed = new Compressor(other).compress(utf8(town(i)));
        throws(() => compressor.decompress(packed), 'ERR_OFFHEAP_CORRUPT');
      }
    }
  });

  it('allocates no more memory than maxBytes allows', () => {
    const packed = compressor.compress(new Uint8Array(500_000));
    expect(packed.length).toBeLessThan(5000);
    for (const maxBytes of [0, 1, 65_536, 499_999]) {
      throws(() => compressor.decompress(packed, { maxBytes }), 'ERR_OFFHEAP_RANGE', /more than/);
    }
    expect(compressor.decompress(packed, { maxBytes: 500_000 }).length).toBe(500_000);
  });

  it('rejects corrupt bytes, or decompresses them to other bytes', () => {
    throws(() => compressor.decompress(new Uint8Array(0)), 'ERR_OFFHEAP_CORRUPT');
    const packed = compressor.compress(utf8(town(1)));
    for (let cut = 0; cut < packed.length; cut++) {
      throws(() => compressor.decompress(packed.subarray(0, cut)), 'ERR_OFFHEAP_CORRUPT');
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          expect(compressor.decompress(bytes, { maxBytes: 1000 }).length).toBeLessThanOrEqual(1000);
        } catch (error) {
          expect((error as { code: string }).code).toMatch(/^ERR_OFFHEAP_(CORRUPT|RANGE)$/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('rejects wrong arguments', () => {
    for (const bad of [undefined, null, 'text', 5, [1, 2], new Float64Array(2), new ArrayBuffer(3)]) {
      throws(() => compressor.compress(bad as never), 'ERR_OFFHEAP_TYPE');
      throws(() => compressor.decompress(bad as never), 'ERR_OFFHEAP_TYPE');
      throws(() => new Compressor(bad as never), 'ERR_OFFHEAP_TYPE');
    }
    for (const level of [0, 10, 1.5, NaN, -1, Infinity]) {
      throws(() => new Compressor(dictionary, { level }), 'ERR_OFFHEAP_RANGE');
    }
    throws(() => new Compressor(dictionary, { level: '3' as never }), 'ERR_OFFHEAP_TYPE');
    throws(() => new Compressor(dictionary, { lvl: 3 } as never), 'ERR_OFFHEAP_TYPE');
    throws(() => compressor.decompress(new Uint8Array(1), { maxBytes: -1 }), 'ERR_OFFHEAP_RANGE');
  });
});

describe('a dictionary', () => {
  it('is the same for the same samples in any form', async () => {
    const samples = towns(200);
    const options = { maxBytes: 4096 };
    const first = await Dictionary.train(samples, options);
    async function* later(): AsyncGenerator<string> {
      for (const sample of samples) yield await Promise.resolve(sample);
    }
    const others = [
      samples.map(utf8),
      new Set(samples),
      later(),
      samples.map((sample) => Buffer.from(sample)),
    ];
    for (const list of others) {
      const again = await Dictionary.train(list as never, options);
      expect(Buffer.from(again.bytes).equals(first.bytes)).toBe(true);
    }
    expect(first.bytes.length).toBeLessThanOrEqual(4096);
  });

  it('can be trained on very few samples', async () => {
    for (const samples of [[], [''], ['a'], ['ab'], ['', '', 'abc'], ['x'.repeat(100_000)]]) {
      for (const maxBytes of [1024, 4096, 'auto'] as const) {
        const made = await Dictionary.train(samples, { maxBytes });
        back(utf8('anything else'), new Compressor(made));
        back(utf8(samples[0] ?? ''), new Compressor(made));
      }
    }
  });

  it('grows as long as it helps with maxBytes auto', async () => {
    const small = await Dictionary.train(towns(100), { maxBytes: 'auto' });
    expect(small.bytes.length).toBeLessThanOrEqual(16_384);
  });

  it('reports progress and can be aborted', async () => {
    const steps: number[] = [];
    await Dictionary.train(towns(50), {
      maxBytes: 1024,
      onProgress: ({ done, total }) => steps.push(done / total),
    });
    expect(steps.at(-1)).toBe(1);
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(Dictionary.train(towns(50), { signal: aborted })).rejects.toThrow('enough');
    const controller = new AbortController();
    const training = Dictionary.train(towns(3000), { maxBytes: 'auto', signal: controller.signal });
    setImmediate(() => controller.abort(new Error('later')));
    await expect(training).rejects.toThrow('later');
  });

  it('rejects wrong arguments', async () => {
    for (const bad of [undefined, null, 5, 'text', new Uint8Array(3), {}]) {
      expect((await rejected(Dictionary.train(bad as never))).code).toBe('ERR_OFFHEAP_TYPE');
    }
    for (const bad of [[5], [null], [undefined], [{}], [new Float64Array(1)]]) {
      expect((await rejected(Dictionary.train(bad as never))).code).toBe('ERR_OFFHEAP_TYPE');
    }
    for (const maxBytes of [0, 1023, 2 ** 24 + 1, 2000.5, NaN]) {
      expect((await rejected(Dictionary.train([], { maxBytes }))).code).toBe('ERR_OFFHEAP_RANGE');
    }
    expect((await rejected(Dictionary.train([], { maxBytes: 'most' as never }))).code).toBe(
      'ERR_OFFHEAP_TYPE',
    );
  });

  it('survives conversion to bytes, a file and another thread', async () => {
    const packed = compressor.compress(utf8(town(5)));
    const folder = mkdtempSync(join(tmpdir(), 'offheap-'));
    try {
      await dictionary.save(join(folder, 'towns'));
      const copies = [
        Dictionary.fromBytes(dictionary.bytes),
        Dictionary.open(join(folder, 'towns')),
        Dictionary.attach(structuredClone(dictionary.share())),
      ];
      for (const copy of copies) {
        copy.validate();
        expect(copy.stats().identity).toBe(dictionary.stats().identity);
        expect(new TextDecoder().decode(new Compressor(copy).decompress(packed))).toBe(town(5));
        copy.close();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('throws ERR_OFFHEAP_CLOSED after close()', async () => {
    const made = await Dictionary.train(['abc'], { maxBytes: 1024 });
    const by = new Compressor(made);
    made.close();
    made.close();
    throws(() => by.compress(new Uint8Array(1)), 'ERR_OFFHEAP_CLOSED');
    throws(() => by.decompress(new Uint8Array(1)), 'ERR_OFFHEAP_CLOSED');
    throws(() => new Compressor(made), 'ERR_OFFHEAP_CLOSED');
    throws(() => made.bytes, 'ERR_OFFHEAP_CLOSED');
    throws(() => made.stats(), 'ERR_OFFHEAP_CLOSED');
    expect(inspect(made)).toContain('closed');
    expect(inspect(dictionary)).toMatch(/^Dictionary\(\d+\) \{ content: \d+, phrases: \d+/);
  });
});
