/** `next` of an iterator, called on another object, used to say that the iteration had ended. */
import { describe, expect, it } from 'vitest';
import { RecordStore } from '../../src/compress/index.js';
import { HashMap } from '../../src/hashmap/index.js';
import { SmallMap } from '../../src/smallmap/index.js';
import { BitVector, EliasFano, PackedInts } from '../../src/succinct/index.js';
import { Vector } from '../../src/vector/index.js';

const map = new HashMap({ key: 'u32', value: 'u32' }, [[1, 2]]);
const small = new SmallMap({ key: 'u32', value: 'u32' }, [[1, 2]]);
const vector = Vector.from('u8', [1]);
const store = await RecordStore.build(['a']);

const ITERATORS: Record<string, () => Iterator<unknown>> = {
  'HashMap.keys': () => map.keys(),
  'HashMap.values': () => map.values(),
  'HashMap.entries': () => map.entries(),
  'SmallMap.keys': () => small.keys(),
  'SmallMap.entries': () => small.entries(),
  'Vector.values': () => vector.values(),
  'Vector.entries': () => vector.entries(),
  BitVector: () => BitVector.fromIndices([1])[Symbol.iterator](),
  EliasFano: () => EliasFano.from([1])[Symbol.iterator](),
  PackedInts: () => PackedInts.from([1])[Symbol.iterator](),
  RecordStore: () => store[Symbol.iterator](),
};

describe.each(Object.entries(ITERATORS))('next of an iterator of %s', (_name, make) => {
  it('throws a TypeError on another object', () => {
    const iterator = make();
    const { next } = iterator;
    for (const other of [{}, [], new Map(), map, vector]) {
      expect(() => next.call(other as never)).toThrow(TypeError);
    }
  });

  it('still ends for good at the end', () => {
    const iterator = make();
    expect(iterator.next().done).toBe(false);
    for (let i = 0; i < 3; i++) expect(iterator.next()).toEqual({ value: undefined, done: true });
  });
});
