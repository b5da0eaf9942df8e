/** The behavior that every structure inherits from `Structure`, shown on a HashMap. */
import { isDeepStrictEqual, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';
import { tableOf } from '../../src/region/structure.js';
import { throws } from '../helpers/errors.js';

type Numbers = HashMap<'u32', 'f64'>;
const numbers = (entries: [number, number][] = []): Numbers =>
  new HashMap({ key: 'u32', value: 'f64' }, entries);

describe('a structure', () => {
  it('is not cloned: its token is what another thread needs', () => {
    const map = numbers();
    expect(() => structuredClone(map)).toThrow(/could not be cloned|Cannot clone/);
    expect(() => structuredClone({ map })).toThrow();
    expect(structuredClone(map.share())).toHaveProperty('offheap', 'hashmap');
  });

  it('inspects as its state when its contents cannot be read', () => {
    const map = numbers();
    const reader = HashMap.attach(map.share());
    expect(inspect(reader)).toContain('HashMap<u32, f64>(0)');
    // An owner that outgrows its reservation moves, and marks the old buffer as superseded.
    const head = new Int32Array(map.share().buffer!);
    Atomics.or(head, 7, 2);
    Atomics.add(head, 6, 2);
    expect(inspect(reader)).toBe('HashMap { stale }');
    reader.close();
    expect(inspect(reader)).toBe('HashMap { closed }');
  });

  it('has no own properties with a string key, and no public internals', () => {
    const map = numbers([[1, 2]]);
    expect(Object.keys(map)).toEqual([]);
    expect(Object.getOwnPropertyNames(map)).toEqual([]);
    expect(JSON.stringify({ map })).toBe('{"map":{}}');
    expect(Reflect.ownKeys(HashMap.prototype)).not.toContain('bindViews');
    expect(Object.getPrototypeOf(Object.getPrototypeOf(HashMap.prototype))).not.toBe(WeakRef.prototype);
    expect('deref' in map).toBe(false);
  });

  it('works when it is frozen, through growth and close()', () => {
    const map = Object.freeze(numbers());
    for (let n = 0; n < 10_000; n++) map.set(n, n / 2);
    expect(map.get(9999)).toBe(4999.5);
    expect(map.size).toBe(10_000);
    map.close();
    throws(() => map.size, 'ERR_OFFHEAP_CLOSED');
  });

  it('throws a TypeError for a method that is called on another object', () => {
    const { prototype } = HashMap;
    for (const other of [{}, new Map(), Object.create(prototype), undefined]) {
      expect(() => prototype.get.call(other as Numbers, 1)).toThrow(TypeError);
      expect(() => prototype.toJSON.call(other as Numbers)).toThrow(TypeError);
      expect(() => tableOf(other as Numbers)).toThrow(TypeError);
    }
  });
});

describe('deep equality', () => {
  it('holds between structures with the same contents', () => {
    const [a, b] = [numbers([[1, 2]]), numbers([[1, 2]])];
    expect(isDeepStrictEqual(a, b)).toBe(true);
    expect(a).toEqual(b);
    expect(a).toStrictEqual(b);
    const reader = HashMap.attach(a.share());
    expect(isDeepStrictEqual(reader, b)).toBe(true);
    expect(isDeepStrictEqual({ map: a }, { map: b })).toBe(true);
  });

  it('does not depend on the order of insertion, nor on deleted entries, as for Map', () => {
    const [a, b] = [numbers([[1, 2], [3, 4]]), numbers([[3, 4], [5, 6], [1, 2]])]; // prettier-ignore
    b.delete(5);
    expect(isDeepStrictEqual(a, b)).toBe(true);
  });

  it('does not hold between structures with other contents', () => {
    const a = numbers([[1, 2]]);
    for (const b of [
      numbers(),
      numbers([[1, 3]]),
      numbers([[2, 2]]),
      numbers([
        [1, 2],
        [2, 2],
      ]),
    ]) {
      // prettier-ignore
      expect(isDeepStrictEqual(a, b)).toBe(false);
      expect(a).not.toEqual(b);
    }
    expect(isDeepStrictEqual(a, new HashMap({ key: 'i32', value: 'f64' }, [[1, 2]]))).toBe(false);
    expect(isDeepStrictEqual(a, new Map([[1, 2]]))).toBe(false);
  });

  it('does not throw for a closed structure', () => {
    const [a, b] = [numbers([[1, 2]]), numbers([[1, 2]])];
    a.close();
    expect(isDeepStrictEqual(a, b)).toBe(false);
    b.close();
    expect(isDeepStrictEqual(a, b)).toBe(true);
  });
});

describe('a subclass', () => {
  class Clamped extends HashMap<'u32', 'f64'> {
    #changes = 0;
    override set(key: number, value: number): this {
      if (this.size > 0) this.#changes++;
      return super.set(key, Math.min(value, 10));
    }
    get changes(): number {
      return this.#changes;
    }
  }

  it('is what attach, fromBytes and open return on it', () => {
    const map = new Clamped({ key: 'u32', value: 'f64' });
    map.set(1, 99).set(2, 5);
    expect([...map]).toEqual([[1, 10], [2, 5]]); // prettier-ignore
    expect(map.changes).toBe(1);
    for (const copy of [
      Clamped.fromBytes(map.toBytes()),
      Clamped.attach(map.share()),
    ] as unknown as Clamped[]) {
      expect(copy).toBeInstanceOf(Clamped);
      expect(copy.changes).toBe(0);
      expect([...copy]).toEqual([...map]);
    }
  });

  it('has its `set` called by the constructor, and not by other methods, as for Map', () => {
    const calls: unknown[] = [];
    class Logged extends HashMap<'u32', 'f64'> {
      override set(key: number, value: number): this {
        calls.push([key, value]);
        return super.set(key, value);
      }
    }
    const map = new Logged({ key: 'u32', value: 'f64' }, [[1, 2]]);
    map.getOrInsert(3, 4);
    map.update(1, (value) => value! + 1);
    expect(calls).toEqual([[1, 2]]);
    expect([...map]).toEqual([[1, 3], [3, 4]]); // prettier-ignore
  });

  it('must pass its arguments on, or throws rather than returning an empty structure', () => {
    class Fixed extends HashMap<'u32', 'f64'> {
      constructor() {
        super({ key: 'u32', value: 'f64' });
      }
    }
    const bytes = numbers([[1, 2]]).toBytes();
    throws(() => Fixed.fromBytes(bytes), 'ERR_OFFHEAP_TYPE', /the constructor of Fixed must pass/);
  });

  it('is not needed: the static methods work when they are detached', () => {
    const { fromBytes } = HashMap;
    expect(fromBytes(numbers([[1, 2]]).toBytes()).get(1)).toBe(2);
  });
});
