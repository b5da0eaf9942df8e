/** Typed arrays of another realm were inputs everywhere, but results for some calls only. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, it } from 'vitest';
import { RecordStore } from '../../src/compress/index.js';
import { HashMap } from '../../src/hashmap/index.js';
import { MappedFile } from '../../src/mmap/index.js';
import { SmallMapArena } from '../../src/smallmap/index.js';
import { BitVector, EliasFano, PackedInts, RankSelect } from '../../src/succinct/index.js';
import { Vector } from '../../src/vector/index.js';
import { throws } from '../helpers/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-realm-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, 'file'), Uint8Array.of(1, 2, 3, 4));

const foreign = (expression: string): any => runInNewContext(expression);
const numbers = (out: unknown): unknown[] => Array.from(out as ArrayLike<unknown>);

describe('an `out` of another realm', () => {
  it('is filled by HashMap', () => {
    const wide = new HashMap({ key: 'u64', value: 'u64' }, [[1n, 2n]]);
    expect(numbers(wide.getMany([1n], foreign('new BigUint64Array(1)')))).toEqual([2n]);
    const map = new HashMap({ key: 'u32', value: 'f64' }, [[1, 2]]);
    expect(numbers(map.getMany([1], foreign('new Float64Array(1)')))).toEqual([2]);
    expect(numbers(map.getMany([1], foreign('new Float32Array(1)')))).toEqual([2]);
    expect(numbers(map.getMany([1], foreign('[0]')))).toEqual([2]);
    expect(numbers(map.getManyByHandle(map.handlesOf([1]), foreign('new Float64Array(1)')))).toEqual([2]);
  });

  it('is filled by SmallMapArena', () => {
    const arena = new SmallMapArena({ key: 'u32', value: 'u64' });
    const id = arena.create();
    arena.set(id, 1, 2n);
    const ids = foreign(`Float64Array.of(${id})`);
    expect(numbers(arena.getMany(ids, [1], foreign('new BigUint64Array(1)')))).toEqual([2n]);
  });

  it('is filled by the succinct structures', () => {
    const bits = BitVector.fromIndices([1, 2]);
    const rank = RankSelect.from(bits);
    const out = (): never => foreign('new Uint32Array(2)') as never;
    expect(numbers(EliasFano.from([7, 8]).getMany([0, 1], out()))).toEqual([7, 8]);
    expect(numbers(EliasFano.from([7, 8]).slice(0, 2, out()))).toEqual([7, 8]);
    expect(numbers(EliasFano.from([7, 8]).rankMany([7, 8], out()))).toEqual([0, 1]);
    expect(numbers(PackedInts.from([7, 8]).getMany([0, 1], out()))).toEqual([7, 8]);
    expect(numbers(PackedInts.from([7n, 2n ** 60n]).getMany([0], foreign('new BigUint64Array(1)')))).toEqual([
      7n,
    ]);
    expect(numbers(rank.rank1Many([1, 2], out()))).toEqual([0, 1]);
    const ones = out();
    expect(bits.ones(0, ones)).toBe(2);
    expect(numbers(ones)).toEqual([1, 2]);
  });

  it('is filled by MappedFile.readMany and Vector.binarySearchMany', () => {
    const file = MappedFile.open(join(folder, 'file'));
    expect(numbers(file.readMany([1, 2], 1, foreign('new Uint8Array(2)')))).toEqual([2, 3]);
    const vector = Vector.from('u32', [5, 6]);
    expect(numbers(vector.binarySearchMany([6], foreign('new Float64Array(1)')))).toEqual([1]);
  });

  it('is rejected with ERR_OFFHEAP_TYPE where one of this realm is', () => {
    const map = new HashMap({ key: 'u32', value: 'f64' }, [[1, 1]]);
    throws(() => map.getMany([1], foreign('new BigUint64Array(4)')), 'ERR_OFFHEAP_TYPE');
    throws(() => map.getMany([1], foreign('new DataView(new ArrayBuffer(8))')), 'ERR_OFFHEAP_TYPE');
    throws(() => EliasFano.from([7]).getMany([0], foreign('new BigInt64Array(1)')), 'ERR_OFFHEAP_TYPE');
    expect(map.get(1)).toBe(1);
  });
});

describe('an input of another realm', () => {
  it('is accepted as one of this realm is', async () => {
    const vector = new Vector('u32');
    vector.pushMany(foreign('Uint32Array.of(1, 2)'));
    vector.pushMany(foreign('[3]'));
    expect([...vector]).toEqual([1, 2, 3]);
    const store = await RecordStore.build(['a', 'b']);
    expect(store.getMany(foreign('Uint32Array.of(1)')).map(String)).toEqual(['98']);
    expect([...EliasFano.from(foreign('BigUint64Array.of(1n, 2n)'))]).toEqual([1, 2]);
  });
});
