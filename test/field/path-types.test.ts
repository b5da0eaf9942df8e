/** Paths used to be strings only; `node:fs` takes `file:` URLs and Buffers as well. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { BloomFilter, Dictionary, RecordStore, SuffixArray } from '../../src/compress/index.js';
import { HashMap } from '../../src/hashmap/index.js';
import { MappedFile, MmapVector } from '../../src/mmap/index.js';
import { checkPath } from '../../src/region/file.js';
import { SmallMapArena } from '../../src/smallmap/index.js';
import { BitVector, EliasFano, PackedInts, RankSelect } from '../../src/succinct/index.js';
import { Vector } from '../../src/vector/index.js';
import { throws } from '../helpers/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-paths-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'a name with spaces, % and ö');
const FORMS = {
  URL: pathToFileURL(path),
  Buffer: Buffer.from(path),
  Uint8Array: new TextEncoder().encode(path) as Buffer,
};

const STRUCTURES = {
  HashMap: () => new HashMap({ key: 'u32', value: 'u32' }, [[1, 2]]),
  SmallMapArena: () => new SmallMapArena({ key: 'u32', value: 'u32' }),
  Vector: () => Vector.from('u32', [1, 2]),
  BitVector: () => BitVector.fromIndices([1]),
  RankSelect: () => RankSelect.from(BitVector.fromIndices([1])),
  EliasFano: () => EliasFano.from([1]),
  PackedInts: () => PackedInts.from([1]),
  BloomFilter: () => new BloomFilter(10, 0.1),
  SuffixArray: () => SuffixArray.build(Buffer.from('banana')),
  Dictionary: () => Dictionary.train(['banana']),
  RecordStore: () => RecordStore.build(['banana']),
};

describe.each(Object.entries(FORMS))('a path as a %s', (_name, form) => {
  it.each(Object.entries(STRUCTURES))('is accepted by save and open of %s', async (_structure, make) => {
    const structure = await make();
    await structure.save(form);
    expect(existsSync(path)).toBe(true);
    const Class = structure.constructor as unknown as { open(path: unknown): typeof structure };
    expect(Class.open(form).toBytes()).toEqual(structure.toBytes());
    rmSync(path);
  });

  it('is accepted by MmapVector.create and open, and by MappedFile.open', () => {
    const vector = MmapVector.create(form, 'u8');
    vector.push(1);
    vector.close();
    expect([...MmapVector.open(form)]).toEqual([1]);
    expect(MappedFile.open(form).stats().path).toBe(path);
    rmSync(path);
  });
});

describe('a path', () => {
  it('that is another URL, text that is not UTF-8, or another value is rejected', () => {
    const detached = Uint8Array.of(65);
    structuredClone(detached, { transfer: [detached.buffer] });
    for (const wrong of [
      new URL('https://example.org/x'),
      new URL('file:///a%00b'),
      Buffer.of(0x2f, 0xff),
      Buffer.alloc(0),
      detached,
      {},
      5,
      null,
      undefined,
      'a\0b',
      '',
    ]) {
      throws(() => checkPath(wrong), 'ERR_OFFHEAP_TYPE');
      throws(() => HashMap.open(wrong as string), 'ERR_OFFHEAP_TYPE');
      throws(() => MappedFile.open(wrong as string), 'ERR_OFFHEAP_TYPE');
    }
  });
});
