/**
 * Compressed bytes of earlier releases stay readable; `test/golden/README.md` describes the files.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Compressor, Dictionary, RecordStore } from '../../src/compress/index.js';
import { utf8 } from '../helpers/records.js';

const golden = (name: string): Uint8Array => readFileSync(join(import.meta.dirname, '..', 'golden', name));
const records = Array.from({ length: 300 }, (_, i) =>
  utf8(`{"id":${i},"town":"Town ${(i * 37) % 91}","open":${i % 3 > 0}}`),
);
records.push(utf8(''));
records.push(Uint8Array.from({ length: 256 }, (_, byte) => byte));
records.push(utf8('abcdefg'.repeat(300)));
records.push(utf8([7, 8, -1, 7].map((i) => (i < 0 ? '?' : Buffer.from(records[i]).toString())).join('')));

const same = (found: Uint8Array | undefined, i: number): void =>
  expect(Buffer.from(found!).equals(records[i])).toBe(true);

describe('golden bytes', () => {
  it('of a dictionary and of records compressed with it are read', () => {
    const dictionary = Dictionary.fromBytes(golden('dictionary.bin'));
    dictionary.validate();
    expect(dictionary.stats().contexts).toBeGreaterThan(1);
    const compressor = new Compressor(dictionary);
    const frames = golden('compressed.bin');
    let at = 0;
    for (let i = 0; i < records.length; i++) {
      const length = frames[at] | (frames[at + 1] << 8);
      same(compressor.decompress(frames.subarray(at + 2, at + 2 + length)), i);
      at += 2 + length;
    }
    expect(at).toBe(frames.length);
  });

  it('of a store are read', () => {
    const store = RecordStore.fromBytes(golden('recordstore.bin'));
    store.validate();
    expect(store.length).toBe(records.length);
    for (let i = 0; i < records.length; i++) same(store.get(i), i);
    store.getMany(records.map((_, i) => i)).forEach(same);
  });
});
