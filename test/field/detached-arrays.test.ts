/** A typed array that had lost its buffer used to count as an empty one, without a word. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  BloomFilter,
  Compressor,
  Dictionary,
  RecordStore,
  RollingHash,
  SuffixArray,
} from '../../src/compress/index.js';
import { HashMap } from '../../src/hashmap/index.js';
import { MappedFile, MmapVector } from '../../src/mmap/index.js';
import { SmallMapArena } from '../../src/smallmap/index.js';
import { BitVector, EliasFano, PackedInts, RankSelect } from '../../src/succinct/index.js';
import { Vector } from '../../src/vector/index.js';
import { throws } from '../helpers/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-detached-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, 'file'), Buffer.alloc(64));

function detached<A extends { buffer: ArrayBufferLike }>(array: A): A {
  structuredClone(array, { transfer: [array.buffer as ArrayBuffer] });
  return array;
}
const u8 = (): Uint8Array => detached(Uint8Array.of(1, 2));
const u32 = (): Uint32Array => detached(Uint32Array.of(1, 2));
const f64 = (): Float64Array => detached(Float64Array.of(1, 2));

const map = new HashMap({ key: 'u32', value: 'f64' }, [[1, 2]]);
const blobs = new HashMap({ key: 'bytes', value: 'bytes' });
const arena = new SmallMapArena({ key: 'u32', value: 'f64' });
const vector = Vector.from('u8', [1, 2]);
const bits = BitVector.fromIndices([1, 2]);
const rank = RankSelect.from(bits);
const sequence = EliasFano.from([1, 2]);
const packed = PackedInts.from([1, 2]);
const filter = new BloomFilter(10, 0.1);
const suffixes = SuffixArray.build(Buffer.from('banana'));
const dictionary = await Dictionary.train(['banana']);
const compressor = new Compressor(dictionary);
const rolling = new RollingHash(4);
const file = MappedFile.open(join(folder, 'file'));
const log = MmapVector.create(join(folder, 'log'), 'u8');

const CALLS: Record<string, () => unknown> = {
  'HashMap.set, a key': () => blobs.set(u8(), Uint8Array.of(1)),
  'HashMap.set, a value': () => blobs.set(Uint8Array.of(1), u8()),
  'HashMap.get': () => blobs.get(u8()),
  'HashMap.setMany, keys': () => map.setMany(u32(), Float64Array.of()),
  'HashMap.setMany, values': () => map.setMany([], f64()),
  'HashMap.setMany, keys of another type': () => map.setMany(u8(), []),
  'HashMap.getMany': () => map.getMany(u32()),
  'HashMap.getMany, out': () => map.getMany([], f64()),
  'HashMap.getMany, out of another type': () => map.getMany([], u8() as never),
  'HashMap.getManyFound': () => map.getManyFound(u32(), []),
  'HashMap.hasMany': () => map.hasMany(u32()),
  'HashMap.deleteMany': () => map.deleteMany(u32()),
  'HashMap.handlesOf': () => map.handlesOf(u32()),
  'HashMap.getManyByHandle': () => map.getManyByHandle(f64() as never),
  'HashMap.fromBytes': () => HashMap.fromBytes(u8()),
  'SmallMapArena.getMany, ids': () => arena.getMany(u32() as never, []),
  'SmallMapArena.getMany, keys': () => arena.getMany([], u32()),
  'SmallMapArena.setMany, ids': () => arena.setMany(f64() as never, [], []),
  'Vector.from': () => Vector.from('u8', u8()),
  'Vector.pushMany': () => vector.pushMany(u8()),
  'Vector.pushMany, another type': () => vector.pushMany(f64() as never),
  'Vector.binarySearchMany': () => vector.binarySearchMany(u8()),
  'Vector.binarySearchMany, out': () => vector.binarySearchMany([], f64()),
  'MmapVector.pushMany': () => log.pushMany(u8()),
  'BitVector.from': () => BitVector.from(u8()),
  'BitVector.fromIndices': () => BitVector.fromIndices(u32()),
  'BitVector.ones, out': () => bits.ones(0, u32()),
  'RankSelect.rank1Many': () => rank.rank1Many(u32()),
  'RankSelect.select1Many, out': () => rank.select1Many([], u32()),
  'EliasFano.from': () => EliasFano.from(f64()),
  'EliasFano.getMany': () => sequence.getMany(u32()),
  'EliasFano.getMany, out': () => sequence.getMany([], u32()),
  'EliasFano.slice, out': () => sequence.slice(0, 0, u32()),
  'PackedInts.from': () => PackedInts.from(u32()),
  'PackedInts.getMany': () => packed.getMany(u32()),
  'PackedInts.slice, out': () => packed.slice(0, 0, u32()),
  'BloomFilter.add': () => filter.add(u8()),
  'BloomFilter.has': () => filter.has(u8()),
  'BloomFilter.addMany': () => filter.addMany(f64()),
  'BloomFilter.hasMany': () => filter.hasMany(f64()),
  'SuffixArray.build': () => SuffixArray.build(u8()),
  'SuffixArray.search': () => suffixes.search(u8()),
  'Dictionary.train': () => Dictionary.train([u8()]),
  'RecordStore.build': () => RecordStore.build([u8()]),
  'Compressor.compress': () => compressor.compress(u8()),
  'Compressor.decompress': () => compressor.decompress(u8()),
  'RollingHash.update': () => rolling.update(u8()),
  'RollingHash.find': () => rolling.find(u8(), 4),
  'RollingHash.of': () => RollingHash.of(u8()),
  'MappedFile.readMany': () => file.readMany(f64(), 2),
  'MappedFile.readMany, out': () => file.readMany([], 2, u8()),
};

describe('a detached typed array', () => {
  it.each(Object.entries(CALLS))('is rejected by %s', async (_name, call) => {
    let result: unknown;
    try {
      result = call();
    } catch (error) {
      expect((error as { code?: unknown }).code).toBe('ERR_OFFHEAP_TYPE');
      return;
    }
    await expect(Promise.resolve(result)).rejects.toMatchObject({ code: 'ERR_OFFHEAP_TYPE' });
  });

  it('is rejected by promises', async () => {
    await expect(SuffixArray.buildAsync(u8())).rejects.toMatchObject({ code: 'ERR_OFFHEAP_TYPE' });
    const store = await RecordStore.build(['a']);
    throws(() => store.getMany(f64()), 'ERR_OFFHEAP_TYPE');
    throws(() => store.getMany(u8()), 'ERR_OFFHEAP_TYPE');
  });

  it('does not make an empty array invalid', () => {
    expect(vector.pushMany(new Uint8Array(0))).toBe(2);
    expect(map.getMany(new Uint32Array(0), new Float64Array(0))).toEqual(new Float64Array(0));
    expect(BitVector.from(new Uint8Array(0)).length).toBe(0);
    expect(RollingHash.of(new Uint8Array(0))).toBe(0);
    filter.add(new Uint8Array(0));
    expect(filter.has('')).toBe(true);
  });
});
