/** Bad options and arguments: each is refused with a code, and changes nothing. */
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors.js';
import { thrown, throws } from '../helpers/errors.js';
import { KEY_TYPES } from '../helpers/samples.js';
import { SharedMap, VALUE_TYPES, type AnyShared } from './samples.js';

const GOOD = { key: 'u32', value: 'f64', maxBytes: 65_536 };
/** A number out of range has the first code, everything else of a wrong type the second. */
const CODES: readonly ErrorCode[] = ['ERR_OFFHEAP_RANGE', 'ERR_OFFHEAP_TYPE'];
const SAMPLES: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  -1,
  0.5,
  NaN,
  2 ** 32,
  1n,
  -1n,
  2n ** 64n,
  'text',
  Symbol('symbol'),
  () => 1,
  {},
  [],
  new Uint8Array(2),
  new Float64Array(1),
];

describe('the options of a SharedMap', () => {
  const wrong: [string, unknown, ErrorCode][] = [
    ['no options', undefined, 'ERR_OFFHEAP_TYPE'],
    ['null', null, 'ERR_OFFHEAP_TYPE'],
    ['a number', 5, 'ERR_OFFHEAP_TYPE'],
    ['no types', {}, 'ERR_OFFHEAP_TYPE'],
    ['a type that keys cannot have', { ...GOOD, key: 'u8' }, 'ERR_OFFHEAP_TYPE'],
    ['values on the heap', { ...GOOD, value: 'any' }, 'ERR_OFFHEAP_TYPE'],
    ['no bound', { ...GOOD, maxBytes: undefined }, 'ERR_OFFHEAP_TYPE'],
    ['a bound as text', { ...GOOD, maxBytes: '65536' }, 'ERR_OFFHEAP_TYPE'],
    ['a bound below 64 KiB', { ...GOOD, maxBytes: 65_535 }, 'ERR_OFFHEAP_RANGE'],
    ['a fractional bound', { ...GOOD, maxBytes: 65_536.5 }, 'ERR_OFFHEAP_RANGE'],
    ['an infinite bound', { ...GOOD, maxBytes: Infinity }, 'ERR_OFFHEAP_RANGE'],
    ['a bound of 1 TiB', { ...GOOD, maxBytes: 2 ** 40 }, 'ERR_OFFHEAP_RANGE'],
    ['an unknown policy', { ...GOOD, policy: 'random' }, 'ERR_OFFHEAP_TYPE'],
    ['an unknown onFull', { ...GOOD, onFull: 'wait' }, 'ERR_OFFHEAP_TYPE'],
    ['a negative ttl', { ...GOOD, ttl: -5 }, 'ERR_OFFHEAP_RANGE'],
    ['three shards', { ...GOOD, maxBytes: 2 ** 24, shards: 3 }, 'ERR_OFFHEAP_RANGE'],
    ['more shards than the bound allows', { ...GOOD, shards: 64 }, 'ERR_OFFHEAP_RANGE'],
    ['a seed that is a number', { ...GOOD, seed: 5 }, 'ERR_OFFHEAP_TYPE'],
    ['a seed of 65 bits', { ...GOOD, seed: 2n ** 64n }, 'ERR_OFFHEAP_RANGE'],
    ['an unknown option', { ...GOOD, max: 5 }, 'ERR_OFFHEAP_TYPE'],
    ['an option for the other kind of boolean', { ...GOOD, hugePages: 'yes' }, 'ERR_OFFHEAP_TYPE'],
  ];
  it.each(wrong)('refuse %s', (_what, options, code) => {
    throws(() => new SharedMap(options as never), code);
  });

  it('take entries for a start, as Map does', () => {
    const map = new SharedMap({ key: 'u32', value: 'f64', maxBytes: 65_536 }, [
      [1, 1.5],
      [2, 2.5],
    ]);
    expect(new Map(map)).toEqual(
      new Map([
        [1, 1.5],
        [2, 2.5],
      ]),
    );
    throws(() => new SharedMap(GOOD as never, 5 as never), 'ERR_OFFHEAP_TYPE');
    throws(() => new SharedMap(GOOD as never, [5] as never), 'ERR_OFFHEAP_TYPE');
  });
});

/** Neither JSON nor structured cloning takes it. */
const UNSTORABLE = { toJSON: () => undefined, call: () => 1 };

/** Whether a map of this type takes a value. */
function fits(type: string, value: unknown): boolean {
  const integers: Record<string, [number, number]> = {
    u8: [0, 255],
    i8: [-128, 127],
    u16: [0, 65_535],
    i16: [-32_768, 32_767],
    u32: [0, 2 ** 32 - 1],
    i32: [-(2 ** 31), 2 ** 31 - 1],
  };
  const bounds = integers[type];
  if (bounds !== undefined) {
    return Number.isInteger(value) && (value as number) >= bounds[0] && (value as number) <= bounds[1];
  }
  switch (type) {
    case 'f32':
    case 'f64':
      return typeof value === 'number';
    case 'u64':
      return typeof value === 'bigint' && BigInt.asUintN(64, value) === value;
    case 'i64':
      return typeof value === 'bigint' && BigInt.asIntN(64, value) === value;
    case 'bool':
      return typeof value === 'boolean';
    case 'string':
      return typeof value === 'string';
    case 'bytes':
      return value instanceof Uint8Array;
    case 'json':
      return !['undefined', 'bigint', 'symbol', 'function'].includes(typeof value);
    default:
      return typeof value !== 'symbol' && typeof value !== 'function';
  }
}

describe('a key', () => {
  it.each(KEY_TYPES)('that is not of the type %s is refused by every method', (key) => {
    const map: AnyShared = new SharedMap({ key, value: 'u32', maxBytes: 65_536 } as never);
    for (const sample of SAMPLES) {
      if (fits(key, sample)) continue;
      for (const run of [
        () => map.get(sample),
        () => map.peek(sample),
        () => map.has(sample),
        () => map.entry(sample),
        () => map.remainingTtl(sample),
        () => map.handleOf(sample),
        () => map.set(sample, 1),
        () => map.add(sample, 1),
        () => map.replace(sample, 1),
        () => map.compareAndSet(sample, 0, 1),
        () => map.increment(sample),
        () => map.touch(sample, { ttl: 1 }),
        () => map.delete(sample),
        () => map.getAndDelete(sample),
        () => map.update(sample, () => 1),
        () => map.getOrInsert(sample, 1),
        () => map.getOrInsertComputed(sample, () => 1),
        () => map.getMany([sample]),
        () => map.setMany([sample], [1]),
        () => map.hasMany([sample]),
        () => map.deleteMany([sample]),
        () => map.handlesOf([sample]),
      ]) {
        expect(CODES).toContain(thrown(run).code);
      }
    }
    expect(map.size).toBe(0);
    map.validate();
  });

  it('of text or bytes that is too long is refused by writes, and absent for the others', () => {
    for (const key of ['string', 'bytes'] as const) {
      const long = key === 'string' ? 'k'.repeat(70_000) : new Uint8Array(70_000);
      const map: AnyShared = new SharedMap({ key, value: 'u32', maxBytes: 65_536 } as never);
      for (const run of [
        () => map.set(long, 1),
        () => map.add(long, 1),
        () => map.increment(long),
        () => map.update(long, () => 1),
        () => map.setMany([long], [1]),
        () => map.getOrInsert(long, 1),
      ]) {
        throws(run, 'ERR_OFFHEAP_RANGE', /at most 2048 bytes, not 70000/);
      }
      expect(map.get(long)).toBeUndefined();
      expect(map.has(long)).toBe(false);
      expect(map.entry(long)).toBeUndefined();
      expect(map.delete(long)).toBe(false);
      expect(map.getAndDelete(long)).toBeUndefined();
      expect(map.touch(long, { ttl: 1 })).toBe(false);
      expect(map.handleOf(long)).toBeUndefined();
      expect(map.deleteMany([long])).toBe(0);
      expect([...map.handlesOf([long])]).toEqual([-1]);
      expect(map.size).toBe(0);
    }
  });
});

describe('a value', () => {
  it.each(VALUE_TYPES)('that is not of the type %s is refused, and the old one remains', (value) => {
    const good = SAMPLES.find((sample) => fits(value, sample));
    const map: AnyShared = new SharedMap({ key: 'u32', value, maxBytes: 65_536 } as never);
    map.set(1, good);
    const before = map.entry(1)!;
    let refused = 0;
    for (const sample of [...SAMPLES, UNSTORABLE]) {
      if (fits(value, sample) && sample !== UNSTORABLE) continue;
      refused++;
      for (const run of [
        () => map.set(1, sample),
        () => map.add(2, sample),
        () => map.replace(1, sample),
        () => map.compareAndSet(1, before.version, sample),
        () => map.update(1, () => sample),
        () => map.getOrInsert(2, sample),
        () => map.setByHandle(map.handleOf(1), sample),
        () => map.setMany([1, 2], [good, sample]),
      ]) {
        expect(CODES).toContain(thrown(run).code);
      }
    }
    expect(refused).toBeGreaterThan(0);
    expect(map.size).toBe(1);
    expect(map.entry(1)).toEqual(before);
    map.validate();
  });
});

describe('other arguments', () => {
  const map: AnyShared = new SharedMap({ key: 'u32', value: 'f64', maxBytes: 65_536 }, [[1, 1.5]]);
  /** Calls that TypeScript refuses. */
  const any = map;
  const wrong: [string, () => unknown, ErrorCode][] = [
    ['a handle of another type', () => any.getByHandle('5'), 'ERR_OFFHEAP_TYPE'],
    ['a negative handle', () => any.hasHandle(-5), 'ERR_OFFHEAP_RANGE'],
    ['a fractional handle', () => any.deleteByHandle(1.5), 'ERR_OFFHEAP_RANGE'],
    ['a stale handle in a write', () => any.setByHandle(12_345, 1), 'ERR_OFFHEAP_STALE'],
    ['a negative version', () => map.compareAndSet(1, -1, 1), 'ERR_OFFHEAP_RANGE'],
    ['a version as text', () => any.compareAndSet(1, '1', 1), 'ERR_OFFHEAP_TYPE'],
    ['something that is not a function', () => any.update(1, 5), 'ERR_OFFHEAP_TYPE'],
    ['no function', () => any.forEach(), 'ERR_OFFHEAP_TYPE'],
    ['no function to compute with', () => any.getOrInsertComputed(2), 'ERR_OFFHEAP_TYPE'],
    ['keys that are no list', () => any.getMany(5), 'ERR_OFFHEAP_TYPE'],
    ['values that are no list', () => any.setMany([1], 5), 'ERR_OFFHEAP_TYPE'],
    ['fewer values than keys', () => map.setMany([1, 2], [5]), 'ERR_OFFHEAP_RANGE'],
    ['more values than keys', () => map.setMany([1], [5, 6]), 'ERR_OFFHEAP_RANGE'],
    ['an output that is too short', () => map.getMany([1, 2], new Float64Array(1)), 'ERR_OFFHEAP_RANGE'],
    ['handles that are no list', () => any.getManyByHandle('12'), 'ERR_OFFHEAP_TYPE'],
    ['options of set that are no object', () => any.set(1, 1, 5), 'ERR_OFFHEAP_TYPE'],
    ['tokens of other kinds', () => SharedMap.attach({ offheap: 'hashmap' } as never), 'ERR_OFFHEAP_TYPE'],
    ['a map in place of its token', () => SharedMap.attach(map as never), 'ERR_OFFHEAP_TYPE'],
  ];
  it.each(wrong)('%s', (_what, run, code) => {
    throws(run, code);
    expect([...map]).toEqual([[1, 1.5]]);
  });

  it('a buffer without a map', () => {
    for (const bytes of [0, 255, 256, 65_536]) {
      const code = bytes < 256 ? 'ERR_OFFHEAP_TYPE' : 'ERR_OFFHEAP_CORRUPT';
      const buffer = new SharedArrayBuffer(bytes);
      throws(() => SharedMap.attach({ offheap: 'sharedmap', buffer } as never), code);
    }
  });
});
