/** Record stores: compared with an array, built from any iterable, aborted, and misused. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectFile } from '../../src/cli/inspect.js';
import { Dictionary, RecordStore } from '../../src/compress/index.js';
import { rejected, throws } from '../helpers/errors.js';
import { town, towns, utf8 } from '../helpers/records.js';

let folder: string;
let store: RecordStore;
let dictionary: Dictionary;
const records = towns(3000);
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'offheap-'));
  store = await RecordStore.build(records);
  dictionary = await Dictionary.train(records.slice(0, 300), { maxBytes: 2048 });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

function same(found: RecordStore, expected: readonly string[]): void {
  expect(found.length).toBe(expected.length);
  expect([...found].map(text)).toEqual(expected);
  for (let i = 0; i < expected.length; i += 7) {
    expect(text(found.get(i))).toBe(expected[i]);
    expect(found.getString(i)).toBe(expected[i]);
  }
  const indices = expected.map((_, i) => (i * 7919) % expected.length);
  for (const list of [indices, Float64Array.from(indices), Uint32Array.from(indices), new Set(indices)]) {
    expect(found.getMany(list).map(text)).toEqual(indices.map((i) => expected[i]));
  }
}

describe('a record store', () => {
  it('returns its records and takes a fraction of their bytes', () => {
    same(store, records);
    store.validate();
    const { rawBytes, compressedBytes, longest, length } = store.stats();
    expect(length).toBe(3000);
    expect(rawBytes).toBe(records.reduce((sum, record) => sum + utf8(record).length, 0));
    expect(longest).toBe(Math.max(...records.map((record) => utf8(record).length)));
    expect(compressedBytes).toBeLessThan(rawBytes / 3);
    expect(store.byteLength).toBeLessThan(rawBytes / 2);
  });

  it('is as small if late records are unlike the first ones', async () => {
    // Long records, so that they soon exceed the bytes of the first training.
    const early = (i: number): string => `${i} `.padEnd(8192, 'lorem ipsum ');
    const late = (i: number): string => `{"id":${i},"town":"Town ${(i * 37) % 91}","open":${i % 3 === 0}}`;
    function* mixed(): Generator<string> {
      for (let i = 0; i < 2100; i++) yield early(i);
      for (let i = 0; i < 20_000; i++) yield late(i);
    }
    const all = [...mixed()];
    const fromArray = await RecordStore.build(all, { level: 1 });
    const onePass = await RecordStore.build(mixed(), { level: 1 });
    expect(onePass.length).toBe(all.length);
    for (let i = 0; i < all.length; i += 61) expect(onePass.getString(i)).toBe(all[i]);
    expect(onePass.byteLength).toBeLessThan(fromArray.byteLength * 1.1);
    const stopped = RecordStore.build(mixed(), { level: 1, signal: AbortSignal.timeout(1) });
    await expect(stopped).rejects.toThrow();
  }, 60_000);

  it('returns undefined where there is no record', () => {
    for (const index of [-1, 3000, 1.5, NaN, Infinity, 2 ** 40]) {
      expect(store.get(index)).toBe(undefined);
      expect(store.getString(index)).toBe(undefined);
      throws(() => store.getMany([0, index]), 'ERR_OFFHEAP_RANGE');
      throws(() => store.getMany(Float64Array.of(index)), 'ERR_OFFHEAP_RANGE');
    }
    for (const index of ['1', null, undefined, 1n, {}]) {
      throws(() => store.get(index as never), 'ERR_OFFHEAP_TYPE');
      throws(() => store.getString(index as never), 'ERR_OFFHEAP_TYPE');
      throws(() => store.getMany([index] as never), 'ERR_OFFHEAP_TYPE');
    }
    for (const list of [5, null, undefined]) throws(() => store.getMany(list as never), 'ERR_OFFHEAP_TYPE');
    expect(store.getMany([])).toEqual([]);
  });

  it('is built from any iterable', async () => {
    const some = records.slice(0, 40);
    async function* later(): AsyncGenerator<Uint8Array> {
      for (const record of some) yield await Promise.resolve(utf8(record));
    }
    function* now(): Generator<string> {
      yield* some;
    }
    for (const list of [some, new Set(some), now(), later(), some.map(utf8)]) {
      same(await RecordStore.build(list, { dictionary }), some);
    }
    same(await RecordStore.build(some, { train: { maxBytes: 1024 }, level: 9 }), some);
    same(await RecordStore.build([]), []);
    same(await RecordStore.build(['', '', '']), ['', '', '']);
  });

  it('stores records of every size', async () => {
    const sizes = [0, 1, 100, 65_535, 65_536, 65_537, 700_000, 3];
    const large = sizes.map((size) => 'abcdefgh'.repeat(Math.ceil(size / 8)).slice(0, size));
    const built = await RecordStore.build(large, { dictionary });
    same(built, large);
    built.validate();
    const mixed = await RecordStore.build([new Uint8Array(1_000_000), Uint8Array.of(255, 0, 254)], {
      dictionary,
    });
    expect(mixed.get(0)!.length).toBe(1_000_000);
    expect([...mixed.get(1)!]).toEqual([255, 0, 254]);
    expect(mixed.getString(1)).toBe('�\0�');
  });

  it('returns any selection of records', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 60 }), { maxLength: 30 }),
        async (list) => same(await RecordStore.build(list, { dictionary }), list),
      ),
      { numRuns: 30 },
    );
  });

  it('reports progress and can be aborted', async () => {
    const seen: number[] = [];
    const built = await RecordStore.build(records, {
      dictionary,
      onProgress: ({ done, total }) => {
        expect(total).toBe(3000);
        seen.push(done);
      },
    });
    expect(built.length).toBe(3000);
    expect(seen.at(-1)).toBe(3000);
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(RecordStore.build(records, { signal: aborted })).rejects.toThrow('enough');
    const controller = new AbortController();
    function* endless(): Generator<string> {
      for (let i = 0; ; i++) {
        if (i === 30_000) controller.abort(new Error('stop'));
        yield town(i);
      }
    }
    const building = RecordStore.build(endless(), { dictionary, signal: controller.signal });
    await expect(building).rejects.toThrow('stop');
    const thrown = RecordStore.build(records, {
      dictionary,
      onProgress: () => {
        throw new Error('from the caller');
      },
    });
    await expect(thrown).rejects.toThrow('from the caller');
  });

  it('can be aborted while it waits for a record', async () => {
    const waiting: [string, () => Promise<IteratorResult<string>>][] = [
      ['stuck', () => new Promise(() => undefined)],
      ['slow', () => new Promise((resolve) => setTimeout(resolve, 5, { done: false, value: 'a' }))],
    ];
    for (const [name, next] of waiting) {
      for (const run of [RecordStore.build.bind(RecordStore), Dictionary.train.bind(Dictionary)]) {
        let told = 0;
        const forever: AsyncIterable<string> = {
          [Symbol.asyncIterator]: () => ({ next, return: () => Promise.reject(new Error(`${++told}`)) }),
        };
        const controller = new AbortController();
        const running = run(forever, { signal: controller.signal });
        setTimeout(() => controller.abort(new Error('enough')), 30);
        await expect(running, name).rejects.toThrow('enough');
        expect(told).toBe(1);
      }
    }
    const { signal } = new AbortController();
    async function* some(): AsyncGenerator<string> {
      for (const record of records.slice(0, 100)) yield await Promise.resolve(record);
    }
    same(await RecordStore.build(some(), { dictionary, signal }), records.slice(0, 100));
    async function* failing(): AsyncGenerator<string> {
      yield await Promise.resolve('one');
      throw new Error('half-way');
    }
    await expect(RecordStore.build(failing(), { dictionary, signal })).rejects.toThrow('half-way');
  });

  it('rejects detached arrays', async () => {
    const [gone, cut] = [new ArrayBuffer(8), new ArrayBuffer(8, { maxByteLength: 16 })];
    const views = [new Uint8Array(gone), new Uint8Array(cut, 4, 4)];
    structuredClone(gone, { transfer: [gone] });
    cut.resize(2);
    for (const view of views) {
      const { code } = await rejected(RecordStore.build([utf8('here'), view], { dictionary }));
      expect(code).toBe('ERR_OFFHEAP_TYPE');
    }
  });

  it('rejects wrong arguments', async () => {
    for (const bad of [undefined, null, 5, 'text', new Uint8Array(3), {}, [5], [null], [{}]]) {
      expect((await rejected(RecordStore.build(bad as never, { dictionary }))).code).toBe('ERR_OFFHEAP_TYPE');
    }
    const options = [{ level: 0 }, { level: 10 }, { train: { maxBytes: 10 } }];
    for (const bad of options) {
      expect((await rejected(RecordStore.build([], bad))).code).toBe('ERR_OFFHEAP_RANGE');
    }
    const types = [{ dictionary: {} }, { onProgress: 5 }, { signal: {} }, { train: 5 }, { size: 5 }];
    for (const bad of types) {
      expect((await rejected(RecordStore.build([], bad as never))).code).toBe('ERR_OFFHEAP_TYPE');
    }
  });

  it('returns the same records when it is opened, copied or attached', async () => {
    const path = join(folder, 'towns');
    await store.save(path);
    const copies = [
      RecordStore.open(path),
      RecordStore.fromBytes(store.toBytes()),
      RecordStore.attach(structuredClone(store.share())),
    ];
    for (const copy of copies) same(copy, records);
    const found = await inspectFile(path);
    expect(found).toMatchObject({ kind: 'recordstore', checksum: 'correct', contents: { records: 3000 } });
    expect(store.dictionary.stats().phrases).toBeGreaterThan(10);
  });

  it('allocates no more memory than its records can need, for wrong sums', async () => {
    const bytes = (await RecordStore.build(records.slice(0, 50), { dictionary })).toBytes();
    const path = join(folder, 'hostile');
    const damaged = bytes.slice();
    damaged.fill(255, damaged.length - 400);
    writeFileSync(path, damaged);
    throws(() => RecordStore.open(path).validate(), 'ERR_OFFHEAP_CORRUPT');
    for (const [word, value] of [
      [23, 2 ** 20],
      [23, 2 ** 31],
      [21, 2 ** 20],
      [21, 2 ** 31],
    ]) {
      const lying = bytes.slice();
      new DataView(lying.buffer).setUint32(word * 4, value, true);
      writeFileSync(path, lying);
      expect(RecordStore.open(path).getMany([1, 2]).map(text)).toEqual(records.slice(1, 3));
    }
  });
});
