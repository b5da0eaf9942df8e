/** Small differences from the built-in classes: frozen objects, JSON, subclasses, iterators. */
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { BloomFilter, RollingHash } from '../../src/compress/index.js';
import { HashMap } from '../../src/hashmap/index.js';
import { SmallMap, SmallMapArena } from '../../src/smallmap/index.js';
import { BitVector, EliasFano, PackedInts, RankSelect } from '../../src/succinct/index.js';
import { MmapVector } from '../../src/mmap/index.js';
import { Vector } from '../../src/vector/index.js';
import { throws } from '../helpers/errors.js';

const STRUCTURES: Record<string, () => object> = {
  HashMap: () => new HashMap({ key: 'string', value: 'u32' }, [['a', 1]]),
  SmallMap: () => new SmallMap({ key: 'string', value: 'u32' }, [['a', 1]]),
  SmallMapArena: () => new SmallMapArena({ key: 'u32', value: 'u32' }),
  Vector: () => Vector.from('u32', [1, 2]),
  BitVector: () => BitVector.fromIndices([1]),
  RankSelect: () => RankSelect.from(BitVector.fromIndices([1])),
  EliasFano: () => EliasFano.from([1]),
  PackedInts: () => PackedInts.from([1]),
  BloomFilter: () => new BloomFilter(10, 0.1),
  RollingHash: () => new RollingHash(4),
};

describe.each(Object.entries(STRUCTURES))('a %s', (name, make) => {
  it('shows no internal names', () => {
    const structure = make();
    expect(Object.getOwnPropertyNames(structure)).toEqual([]);
    let text = '';
    const stdout = new Writable({
      write(chunk: Buffer, _encoding, done) {
        text += chunk.toString();
        done();
      },
    });
    new Console(stdout).table(structure);
    expect(text).not.toMatch(/region|table|role|words|#/);
    expect(text.length).toBeLessThan(400);
  });

  it('cannot be cloned', () => {
    expect(() => structuredClone(make())).toThrow(/clone/i);
  });

  it('is equal to another one with the same contents', () => {
    if (name === 'BloomFilter' || name === 'RollingHash') return; // random seeds; no contents to compare
    expect(isDeepStrictEqual(make(), make())).toBe(true);
    expect(make()).toEqual(make());
  });
});

describe('a frozen structure', () => {
  it('is read and changed as a frozen Map is', () => {
    const map = Object.freeze(new HashMap({ key: 'string', value: 'u32' }, [['a', 1]]));
    for (let i = 0; i < 1000; i++) map.set(`key ${i}`, i);
    expect([map.get('a'), map.get('key 999'), map.size]).toEqual([1, 999, 1001]);
    map.clear();
    expect(map.size).toBe(0);
    const vector = Object.freeze(Vector.from('u32', [1]));
    for (let i = 0; i < 1000; i++) vector.push(i);
    expect(vector.length).toBe(1001);
    const bits = Object.freeze(new BitVector(10));
    bits.resize(10_000).set(9_999);
    expect(bits.count()).toBe(1);
    const filter = Object.freeze(new BloomFilter(10, 0.1)).add('a');
    expect(filter.has('a')).toBe(true);
  });
});

describe('JSON.stringify', () => {
  it('writes vectors as arrays, and maps as {} like a Map', () => {
    expect(JSON.stringify(Vector.from('f64', [1, 2.5, NaN]))).toBe('[1,2.5,null]');
    expect(JSON.stringify({ v: new Vector('u8') })).toBe('{"v":[]}');
    expect(() => JSON.stringify(Vector.from('u64', [1n]))).toThrow(TypeError);
    expect(JSON.stringify(STRUCTURES['HashMap']())).toBe('{}');
    expect(JSON.stringify(STRUCTURES['SmallMap']())).toBe('{}');
  });
});

describe('a subclass', () => {
  class Lower extends HashMap<'string', 'u32'> {
    override set(key: string, value: number): this {
      return super.set(key.toLowerCase(), value);
    }
  }
  class SmallLower extends SmallMap<'string', 'u32'> {
    override set(key: string, value: number): this {
      return super.set(key.toLowerCase(), value);
    }
  }

  it('has its own set called by the constructor', () => {
    expect([...new Lower({ key: 'string', value: 'u32' }, [['A', 1]])]).toEqual([['a', 1]]);
    expect([...new SmallLower({ key: 'string', value: 'u32' }, [['A', 1]])]).toEqual([['a', 1]]);
  });

  it('is what its static methods make', () => {
    const lower = new Lower({ key: 'string', value: 'u32' }, [['A', 1]]);
    expect(Lower.fromBytes(lower.toBytes())).toBeInstanceOf(Lower);
    expect(Lower.attach(lower.share())).toBeInstanceOf(Lower);
  });
});

describe('the constructor of a map', () => {
  it.each([5, {}, true, () => undefined])('rejects %o instead of entries', (wrong) => {
    const options = { key: 'u32', value: 'u32' } as const;
    throws(() => new HashMap(options, wrong as never), 'ERR_OFFHEAP_TYPE', /entries/);
    throws(() => new SmallMap(options, wrong as never), 'ERR_OFFHEAP_TYPE', /entries/);
  });
});

describe('methods', () => {
  it('are the iterator where they are in the built-in classes', () => {
    for (const { prototype } of [HashMap, SmallMap]) {
      expect(prototype[Symbol.iterator]).toBe(Object.getOwnPropertyDescriptor(prototype, 'entries')?.value);
    }
    for (const { prototype } of [Vector, MmapVector]) {
      expect(prototype[Symbol.iterator]).toBe((prototype as unknown as { values: unknown }).values);
    }
    expect(Object.keys(Object.getPrototypeOf(Vector.prototype) as object)).toEqual([]);
  });

  it('have the length of the built-in ones', () => {
    for (const { prototype } of [HashMap, SmallMap, Vector, MmapVector]) {
      expect((prototype as unknown as { forEach: { length: number } }).forEach.length).toBe(1);
    }
  });

  it('throw ERR_OFFHEAP_TYPE for an index that is not a number', () => {
    const vector = Vector.from('u32', [1, 2, 3]);
    for (const wrong of ['1', null, 1n, {}] as never[]) {
      throws(() => vector.set(wrong, 1), 'ERR_OFFHEAP_TYPE');
      throws(() => vector.swapRemove(wrong), 'ERR_OFFHEAP_TYPE');
      throws(() => vector.at(wrong), 'ERR_OFFHEAP_TYPE');
    }
    throws(() => vector.set(1.5, 1), 'ERR_OFFHEAP_RANGE');
  });

  it('take fractions in `at` as Array does', () => {
    const array = [5, 6, 7];
    const all = [Vector.from('u32', array), EliasFano.from(array), PackedInts.from(array)];
    for (const index of [1.7, -1.5, -0.5, 0.99, NaN, -0, 3.1, -3.9, -4, Infinity, -Infinity]) {
      for (const sequence of all) expect(sequence.at(index), String(index)).toBe(array.at(index));
    }
  });
});
