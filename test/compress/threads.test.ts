/**
 * Dictionaries and stores in other threads, refused memory, and the memory that results share.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { Compressor, Dictionary, RecordStore } from '../../src/compress/index.js';
import { Sampler } from '../../src/compress/texts.js';
import { rejected, throws } from '../helpers/errors.js';
import { towns } from '../helpers/records.js';

const dist = join(import.meta.dirname, '..', '..', 'dist');
const script = join(import.meta.dirname, '..', 'helpers', 'records-worker.mjs');
const records = towns(500);
let dictionary: Dictionary;
let store: RecordStore;

beforeAll(async () => {
  dictionary = await Dictionary.train(records, { maxBytes: 8192 });
  store = await RecordStore.build(records, { dictionary });
}, 60_000);

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe('in other threads', () => {
  it(
    'stores and dictionaries are used by threads that may end at any moment',
    { timeout: 60_000 },
    async () => {
      for (const token of [store.share(), dictionary.share()]) {
        const workers = [false, true, true].map(
          (forever) => new Worker(script, { workerData: { dist, token, records, forever } }),
        );
        const answers = await Promise.all(
          workers.map(
            (worker) =>
              new Promise((resolve, reject) => {
                worker.once('message', resolve);
                worker.once('error', reject);
              }),
          ),
        );
        expect(answers).toEqual([true, true, true]);
        await Promise.all(workers.map((worker) => worker.terminate()));
      }
      expect(store.getString(7)).toBe(records[7]);
      store.validate();
      dictionary.validate();
    },
  );

  it('a thread can be terminated while it trains or builds', { timeout: 60_000 }, async () => {
    const source = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.url).then(async ({ Dictionary, RecordStore }) => {
        parentPort.postMessage('begun');
        for (;;) {
          await Dictionary.train(workerData.records, { maxBytes: 32768 });
          await RecordStore.build(workerData.records);
        }
      });`;
    const url = new URL(`file://${join(dist, 'compress', 'index.js')}`).href;
    for (const wait of [0, 5, 40]) {
      const worker = new Worker(source, { eval: true, workerData: { url, records } });
      await new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      await new Promise((resolve) => setTimeout(resolve, wait));
      await worker.terminate();
    }
    expect(store.getString(8)).toBe(records[8]);
  });
});

describe('refused memory', () => {
  it('is reported as an error and loses nothing', async () => {
    const real = globalThis.SharedArrayBuffer;
    globalThis.SharedArrayBuffer = function () {
      throw new RangeError('Array buffer allocation failed');
    } as never;
    try {
      for (const making of [
        Dictionary.train(records, { maxBytes: 2048 }),
        RecordStore.build(records, { dictionary }),
      ]) {
        expect((await rejected(making)).code).toBe('ERR_OFFHEAP_OOM');
      }
      throws(() => Dictionary.fromBytes(dictionary.bytes), 'ERR_OFFHEAP_OOM');
    } finally {
      globalThis.SharedArrayBuffer = real;
    }
    const slice = vi.spyOn(Uint8Array.prototype, 'slice').mockImplementation(() => {
      throw new RangeError('Array buffer allocation failed');
    });
    try {
      throws(() => store.toBytes(), 'ERR_OFFHEAP_OOM');
    } finally {
      slice.mockRestore();
    }
    expect((await RecordStore.build(records, { dictionary })).getString(3)).toBe(records[3]);
  });
});

describe('results that share memory', () => {
  it('do not change when others are read or changed later', () => {
    const found = records.map((_, i) => store.get(i)!);
    found[5].fill(0);
    for (let i = 0; i < records.length; i++) if (i !== 5) expect(text(found[i])).toBe(records[i]);
    expect(text(store.get(5)!)).toBe(records[5]);
    expect(new Set(found.map(({ buffer }) => buffer)).size).toBeLessThan(records.length / 4);
    for (const { byteOffset } of found) expect(byteOffset % 8).toBe(0);
  });

  it('can be the input of the next call, together with the memory around them', () => {
    const compressor = new Compressor(dictionary);
    for (let i = 0; i < 50; i++) {
      const record = store.get(i)!;
      const packed = compressor.compress(record);
      expect(text(compressor.decompress(packed))).toBe(records[i]);
      const around = new Uint8Array(packed.buffer);
      const copy = around.slice();
      expect(Buffer.from(compressor.decompress(compressor.compress(around))).equals(copy)).toBe(true);
      throws(
        () => compressor.decompress(new Uint8Array(packed.buffer, packed.byteOffset + 1)),
        'ERR_OFFHEAP_CORRUPT',
      );
    }
  });

  it('are copied to another thread, and detaching one does not affect others', () => {
    const first = store.get(0)!;
    try {
      structuredClone(first, { transfer: [first.buffer as ArrayBuffer] });
    } catch {
      // An error from Node 21 on; earlier releases copy it.
    }
    expect(text(structuredClone(first))).toBe(records[0]);
    // ArrayBuffer.prototype.transfer exists from Node 22 on. At first it ignored the mark, later
    // releases throw for such buffers.
    try {
      (first.buffer as unknown as { transfer?: () => void }).transfer?.();
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError);
    }
    for (let i = 0; i < 20; i++) expect(text(store.get(i)!)).toBe(records[i]);
  });

  it('of any sizes can follow each other', async () => {
    const sizes = [0, 1, 30, 400, 4000, 4096, 5000, 16_000, 17_000, 66_000, 3];
    const bytes = sizes.map((size, i) => Uint8Array.from({ length: size }, (_, j) => (j * j * 31 + i) >>> 3));
    const mixed = await RecordStore.build(bytes, { dictionary });
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < sizes.length; i++) {
        const at = (i * (round + 1)) % sizes.length;
        expect(Buffer.from(mixed.get(at)!).equals(bytes[at])).toBe(true);
      }
    }
  });
});

describe('the samples of many texts', () => {
  it('come from all texts and are limited in number', () => {
    const sampler = new Sampler(1000);
    for (let i = 0; i < 10_000; i++) sampler.push(`${i}`.padStart(10), 'texts');
    const { text: bytes, ends } = sampler.packer.packed();
    const numbers = Array.from(ends, (end) => Number(text(bytes.subarray(end - 10, end))));
    expect(numbers.length).toBeGreaterThanOrEqual(50);
    expect(numbers.length).toBeLessThanOrEqual(100);
    expect(numbers.every((number, i) => number === i * numbers[1])).toBe(true);
    expect(numbers.at(-1)).toBeGreaterThan(9800);
    // A single text that is too long is kept.
    const one = new Sampler(10);
    one.push('x'.repeat(50), 'texts');
    expect(one.packer.count).toBe(1);
  });
});
