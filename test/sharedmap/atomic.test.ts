/** Operations that read and change a key as one step, with two attachments of one map. */
import { describe, expect, it } from 'vitest';
import { throws } from '../helpers/errors.js';
import { SharedMap, type AnyShared } from './samples.js';

/** A map, attached twice. */
function pair(value: string, options: object = {}): [AnyShared, AnyShared] {
  const map: AnyShared = new SharedMap({ key: 'string', value, maxBytes: 1 << 20, ...options } as never);
  return [map, SharedMap.attach(map.share()) as AnyShared];
}

describe('compareAndSet', () => {
  it('stores a value only if no one changed the entry since its version was read', () => {
    const [map, other] = pair('string');
    map.set('a', 'one');
    const { version } = map.entry('a');
    other.set('a', 'two');
    expect(map.compareAndSet('a', version, 'three')).toBe(false);
    expect(map.get('a')).toBe('two');
    expect(map.compareAndSet('a', other.entry('a').version, 'three')).toBe(true);
    expect(other.get('a')).toBe('three');
  });

  it('with version 0 stores a value only if the key is absent or expired', () => {
    const [map, other] = pair('string');
    expect(map.compareAndSet('a', 0, 'one')).toBe(true);
    expect(other.compareAndSet('a', 0, 'two')).toBe(false);
    expect(map.delete('a')).toBe(true);
    expect(other.compareAndSet('a', 0, 'two')).toBe(true);
  });

  it('notices that an entry was deleted and added again, or touched', () => {
    const [map, other] = pair('string');
    map.set('a', 'one');
    const { version } = map.entry('a');
    other.delete('a');
    other.set('a', 'one');
    expect(map.compareAndSet('a', version, 'two')).toBe(false);
    const second = map.entry('a').version;
    other.touch('a', { ttl: 1000 });
    expect(map.compareAndSet('a', second, 'two')).toBe(false);
    expect(map.get('a')).toBe('one');
  });
});

describe('update', () => {
  it('calls the function again if another attachment changed the key meanwhile', () => {
    const [map, other] = pair('f64');
    map.set('a', 1);
    const seen: unknown[] = [];
    const result = map.update('a', (value: number) => {
      seen.push(value);
      if (value === 1) other.set('a', 10);
      return value + 1;
    });
    expect(result).toBe(11);
    expect(seen).toEqual([1, 10]);
    expect(other.get('a')).toBe(11);
  });

  it('calls the function again if the key was deleted meanwhile, and inserts it', () => {
    const [map, other] = pair('f64');
    map.set('a', 1);
    const seen: unknown[] = [];
    map.update('a', (value: number | undefined) => {
      seen.push(value);
      other.delete('a');
      return 5;
    });
    expect(seen).toEqual([1, undefined]);
    expect(map.get('a')).toBe(5);
  });

  it.each([0, 1])('throws ERR_OFFHEAP_CONFLICT if its function changes the key itself (%s)', (which) => {
    const maps = pair('f64');
    const map = maps[0];
    map.set('a', 1);
    let calls = 0;
    throws(
      () =>
        map.update('a', () => {
          calls++;
          maps[which].set('a', 7);
          return 8;
        }),
      'ERR_OFFHEAP_CONFLICT',
      /"a" was changed during each of 1000 attempts/,
    );
    expect(calls).toBe(1000);
    expect(map.get('a')).toBe(7);
    map.validate();
  });

  it('keeps the time of expiry, and changes nothing if the function throws', () => {
    const [map] = pair('f64');
    map.set('a', 1, { ttl: 60_000 });
    const { expiresAt } = map.entry('a');
    map.update('a', (value: number) => value + 1);
    expect(map.entry('a')).toMatchObject({ value: 2, expiresAt });
    const before = map.entry('a');
    expect(() =>
      map.update('a', () => {
        throw new Error('refused');
      }),
    ).toThrow('refused');
    expect(map.entry('a')).toEqual(before);
  });
});

describe('increment', () => {
  it.each(['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'f64', 'mixed'])(
    'adds to a number of type %s, and counts an absent key as 0',
    (value) => {
      const [map, other] = pair(value);
      expect(map.increment('a')).toBe(1);
      expect(other.increment('a', 100)).toBe(101);
      expect(map.get('a')).toBe(101);
    },
  );

  it.each(['u64', 'i64'])('adds bigints to a number of type %s', (value) => {
    const [map] = pair(value);
    expect(map.increment('a')).toBe(1n);
    map.set('a', 2n ** 62n);
    expect(map.increment('a', 5n)).toBe(2n ** 62n + 5n);
    expect(map.get('a')).toBe(2n ** 62n + 5n);
  });

  it('refuses a sum that the type cannot represent, and leaves the value', () => {
    const cases: [string, unknown, unknown][] = [
      ['u8', 250, 6],
      ['u8', 1, -2],
      ['u8', 1, 0.5],
      ['i8', 127, 1],
      ['u32', 0xffffffff, 1],
      ['i32', -0x80000000, -1],
      ['u64', 2n ** 64n - 1n, 1n],
      ['u64', 0n, -1n],
      ['i64', 2n ** 63n - 1n, 1n],
    ];
    for (const [value, start, by] of cases) {
      const [map] = pair(value);
      map.set('a', start);
      throws(() => map.increment('a', by), 'ERR_OFFHEAP_RANGE');
      expect(map.get('a')).toBe(start);
      map.validate();
    }
  });

  it('refuses values and increments that are not numbers', () => {
    for (const value of ['bool', 'string', 'bytes', 'json', 'structured']) {
      const [map] = pair(value);
      throws(() => map.increment('a'), 'ERR_OFFHEAP_TYPE');
      expect(map.size).toBe(0);
    }
    const [map] = pair('f64');
    for (const by of ['1', null, {}, 1n]) throws(() => map.increment('a', by), 'ERR_OFFHEAP_TYPE');
    const [mixed] = pair('mixed');
    mixed.set('a', 'text');
    throws(() => mixed.increment('a'), 'ERR_OFFHEAP_TYPE');
    expect(mixed.get('a')).toBe('text');
  });

  it('keeps the time of expiry', () => {
    const [map] = pair('f64');
    map.set('a', 1, { ttl: 60_000 });
    const { expiresAt } = map.entry('a');
    map.increment('a');
    expect(map.entry('a')).toMatchObject({ value: 2, expiresAt });
  });
});

describe('getOrInsertComputed', () => {
  it('returns what another attachment inserted meanwhile', () => {
    const [map, other] = pair('string');
    const value = map.getOrInsertComputed('a', () => {
      other.set('a', 'first');
      return 'second';
    });
    expect(value).toBe('first');
    expect(other.get('a')).toBe('first');
  });

  it('inserts nothing if the function throws', () => {
    const [map] = pair('string');
    expect(() =>
      map.getOrInsertComputed('a', () => {
        throw new Error('refused');
      }),
    ).toThrow('refused');
    expect(map.size).toBe(0);
  });
});

describe('code of the caller that runs in the middle of an operation', () => {
  it('may use the map while a value is serialized', () => {
    const [map] = pair('json');
    map.set('outer', {
      toJSON() {
        map.set('inner', 'x'.repeat(20_000));
        expect(map.delete('absent')).toBe(false);
        return [...map.keys()];
      },
    });
    expect(map.get('outer')).toEqual(['inner']);
    expect(map.get('inner')).toBe('x'.repeat(20_000));
    map.validate();
  });

  it('may change the bytes of the key, and even their number', () => {
    const map: AnyShared = new SharedMap({ key: 'bytes', value: 'json', maxBytes: 1 << 20 });
    const buffer = new ArrayBuffer(4, { maxByteLength: 64 });
    const key = new Uint8Array(buffer);
    map.set(key, {
      toJSON() {
        (buffer as ArrayBuffer & { resize(length: number): void }).resize(40);
        return 'a value that the longer key would overlap';
      },
    });
    expect([...map]).toEqual([[new Uint8Array(40), 'a value that the longer key would overlap']]);
    map.validate();
  });

  it('may close the map, which the operation then reports', () => {
    const closing = [
      (map: AnyShared) => map.set('a', { toJSON: () => map.close() ?? 1 }),
      (map: AnyShared) =>
        map.set('a', 1, {
          get ttl() {
            map.close();
            return 5;
          },
        }),
      (map: AnyShared) => map.update('a', () => map.close() ?? 1),
      (map: AnyShared) => map.getOrInsertComputed('a', () => map.close() ?? 1),
      (map: AnyShared) => map.setMany(['a'], [{ toJSON: () => map.close() ?? 1 }]),
      (map: AnyShared) => map.setByHandle(map.set('a', 1).handleOf('a'), { toJSON: () => map.close() ?? 1 }),
      (map: AnyShared): unknown => {
        map.set('a', 1).set('b', 2);
        map.forEach(() => map.close());
        return map.size;
      },
    ];
    for (const run of closing) {
      const [map, other] = pair('json');
      throws(() => run(map), 'ERR_OFFHEAP_CLOSED');
      expect(other.set('still', 'usable').get('still')).toBe('usable');
      other.validate();
      other.close();
    }
  });
});
