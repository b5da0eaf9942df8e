/** Times to live: of a map and of an entry, and what becomes of entries that have expired. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { throws } from '../helpers/errors.js';
import { SharedMap, type AnyShared } from './samples.js';

function make(options: object = {}): AnyShared {
  return new SharedMap({ key: 'string', value: 'string', maxBytes: 1 << 20, ...options }) as AnyShared;
}

/** Waits until an entry with this time to live in milliseconds has expired. */
async function pass(ttl: number): Promise<void> {
  const end = Date.now() + ttl;
  while (Date.now() <= end) await sleep(1);
}

describe('an entry that expires', () => {
  it('counts as absent for every operation once its time has come', async () => {
    const map = make();
    map.set('a', 'one').set('b', 'two');
    const handle = map.handleOf('a');
    expect(map.touch('a', { ttl: 15 })).toBe(true);
    await pass(15);
    expect(map.get('a')).toBeUndefined();
    expect(map.peek('a')).toBeUndefined();
    expect(map.has('a')).toBe(false);
    expect(map.entry('a')).toBeUndefined();
    expect(map.remainingTtl('a')).toBeUndefined();
    expect(map.handleOf('a')).toBeUndefined();
    expect(map.getByHandle(handle)).toBeUndefined();
    expect(map.hasHandle(handle)).toBe(false);
    expect(map.keyByHandle(handle)).toBeUndefined();
    expect([...map]).toEqual([['b', 'two']]);
    expect(map.scan(0).keys).toEqual(['b']);
    expect([...map.hasMany(['a', 'b'])]).toEqual([0, 1]);
    expect(map.replace('a', 'x')).toBe(false);
    expect(map.touch('a', { ttl: 1000 })).toBe(false);
    expect(map.getAndDelete('a')).toBeUndefined();
    expect(map.delete('a')).toBe(false);
    map.validate();
  });

  it('can be added again, as a new entry', async () => {
    const map = make();
    map.set('a', 'one');
    const { version } = map.entry('a');
    const handle = map.handleOf('a');
    map.touch('a', { ttl: 15 });
    await pass(15);
    expect(map.add('a', 'two')).toBe(true);
    expect(map.entry('a').version).not.toBe(version);
    expect(map.handleOf('a')).not.toBe(handle);
    expect(map.getByHandle(handle)).toBeUndefined();
    expect(map.remainingTtl('a')).toBe(Infinity);
    expect(map.size).toBe(1);
  });

  it('is removed by purgeExpired, which returns how many there were', () => {
    const map = make();
    for (let n = 0; n < 500; n++) map.set(`k${n}`, 'v', n % 2 === 0 ? { ttl: 60_000 } : undefined);
    expect(map.stats().expiring).toBe(250);
    expect(map.purgeExpired()).toBe(0);
    for (let n = 0; n < 500; n += 2) map.touch(`k${n}`, { expiresAt: 1 });
    expect(map.get('k0')).toBeUndefined();
    // Changes may remove entries that have expired on their way.
    const before = map.size;
    expect(map.purgeExpired()).toBe(before - 250);
    expect(map.size).toBe(250);
    expect(map.stats()).toMatchObject({ expired: 250, expiring: 0 });
    map.validate();
  });
});

describe('the time to live', () => {
  it('of the map holds for entries without one of their own', () => {
    const map = make({ ttl: 60_000 });
    expect(map.ttl).toBe(60_000);
    map.set('a', 'v').set('b', 'v', { ttl: 1000 }).set('c', 'v', { ttl: Infinity });
    expect(map.remainingTtl('a')).toBeGreaterThan(59_000);
    expect(map.remainingTtl('b')).toBeLessThanOrEqual(1000);
    expect(map.remainingTtl('c')).toBe(Infinity);
    expect(make().ttl).toBe(Infinity);
  });

  it('starts again when a value is set, and can be given as a time', () => {
    const map = make({ ttl: 60_000 });
    const time = Date.now() + 5000;
    map.set('a', 'v', { expiresAt: time });
    expect(map.entry('a').expiresAt).toBe(time);
    map.set('a', 'v', { expiresAt: new Date(time + 1) });
    expect(map.entry('a').expiresAt).toBe(time + 1);
    map.set('a', 'w');
    expect(map.remainingTtl('a')).toBeGreaterThan(59_000);
  });

  it('is changed by touch, which keeps value and handle', () => {
    const map = make();
    map.set('a', 'v');
    const handle = map.handleOf('a');
    expect(map.touch('a', { ttl: 1000 })).toBe(true);
    expect(map.remainingTtl('a')).toBeLessThanOrEqual(1000);
    expect(map.touch('a', { ttl: Infinity })).toBe(true);
    expect(map.remainingTtl('a')).toBe(Infinity);
    expect(map.getByHandle(handle)).toBe('v');
    expect(map.touch('absent', { ttl: 1000 })).toBe(false);
  });

  it('is in the past: the entry is absent at once', () => {
    const map = make();
    map.set('a', 'v', { expiresAt: 1 });
    expect(map.get('a')).toBeUndefined();
    expect(map.size).toBe(1);
    expect(map.purgeExpired()).toBe(1);
  });

  it('must be a positive number of milliseconds', () => {
    const map = make();
    const wrong: [object, 'ERR_OFFHEAP_TYPE' | 'ERR_OFFHEAP_RANGE'][] = [
      [{ ttl: 0 }, 'ERR_OFFHEAP_RANGE'],
      [{ ttl: -1 }, 'ERR_OFFHEAP_RANGE'],
      [{ ttl: NaN }, 'ERR_OFFHEAP_RANGE'],
      [{ ttl: '5' }, 'ERR_OFFHEAP_TYPE'],
      [{ ttl: null }, 'ERR_OFFHEAP_TYPE'],
      [{ expiresAt: 0 }, 'ERR_OFFHEAP_RANGE'],
      [{ expiresAt: new Date(NaN) }, 'ERR_OFFHEAP_RANGE'],
      [{ expiresAt: '2030' }, 'ERR_OFFHEAP_TYPE'],
      [{ ttl: 1, expiresAt: 1 }, 'ERR_OFFHEAP_TYPE'],
      [{ tll: 1 }, 'ERR_OFFHEAP_TYPE'],
    ];
    for (const [options, code] of wrong) {
      throws(() => map.set('a', 'v', options), code);
      throws(() => map.touch('a', options), code);
      expect(map.size).toBe(0);
    }
    throws(() => map.touch('a', {}), 'ERR_OFFHEAP_TYPE', /ttl or expiresAt/);
    throws(() => make({ ttl: 0 }), 'ERR_OFFHEAP_RANGE');
  });
});
