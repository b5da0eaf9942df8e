/** The types of offheap/compress. Checked, never run. */
import { describe, expectTypeOf, it } from 'vitest';
import {
  BloomFilter,
  Compressor,
  Dictionary,
  RecordStore,
  RollingHash,
  SuffixArray,
} from '../../src/compress/index.js';

declare const store: RecordStore;
declare const dictionary: Dictionary;
declare const words: AsyncIterable<string>;

describe('offheap/compress', () => {
  it('has the types of its documentation', () => {
    expectTypeOf(Dictionary.train(words, { maxBytes: 'auto' })).resolves.toEqualTypeOf<Dictionary>();
    expectTypeOf(RecordStore.build(['a'], { dictionary, level: 3 })).resolves.toEqualTypeOf<RecordStore>();
    expectTypeOf(store.get(1)).toEqualTypeOf<Uint8Array | undefined>();
    expectTypeOf(store.getString(1)).toEqualTypeOf<string | undefined>();
    expectTypeOf(store.getJSON<{ a: number }>(1)).toEqualTypeOf<{ a: number } | undefined>();
    expectTypeOf(store.getMany([1])).toEqualTypeOf<Uint8Array[]>();
    expectTypeOf(new Compressor(dictionary).compress(new Uint8Array(1))).toEqualTypeOf<Uint8Array>();
    expectTypeOf(SuffixArray.build(new Uint8Array(1)).search('a')).toEqualTypeOf<{
      start: number;
      count: number;
    }>();
    expectTypeOf(new BloomFilter(1, 0.1).has('a')).toEqualTypeOf<boolean>();
    expectTypeOf(new RollingHash(4).push(1)).toEqualTypeOf<number>();
    expectTypeOf(new RollingHash(4).find(new Uint8Array(9), 3)).toEqualTypeOf<number>();
    expectTypeOf(SuffixArray.buildAsync(new Uint8Array(1), {})).toEqualTypeOf<Promise<SuffixArray>>();
  });

  it('rejects records of a wrong type and unknown options', () => {
    // @ts-expect-error: records are bytes or strings
    void RecordStore.build([1, 2]);
    // @ts-expect-error: there is no such option
    void Dictionary.train(['a'], { size: 3 });
    // @ts-expect-error: the constructor is private
    expectTypeOf(() => new RecordStore()).toBeFunction();
  });
});
