import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { SharedMap, type MapEvent } from '../../src/sharedmap/index.js';
import { thrown } from '../helpers/errors.js';

const codeOf = (run: () => unknown): string => thrown(run).code;

const make = (maxBytes = 1 << 20): SharedMap<'string', 'string'> =>
  new SharedMap({ key: 'string', value: 'string', maxBytes });

/** Waits until the timer has delivered what happened before. */
async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 250 && !condition(); i++) await sleep(20);
}

describe('subscribe', () => {
  it('delivers what every participant does, in order for each key', async () => {
    using map = make();
    using other = SharedMap.attach<'string', 'string'>(map.share());
    map.set('before', 'x');
    const events: MapEvent<string>[] = [];
    const subscription = map.subscribe((event) => events.push(event));
    other.set('ä', '1');
    map.set('ä', '2').delete('ä');
    other.set('short', 'x', { ttl: 1 });
    await sleep(5);
    map.purgeExpired();
    await until(() => events.length >= 5);
    const of = (key: string): string[] => events.filter((event) => event.key === key).map(({ type }) => type);
    expect(of('ä')).toEqual(['set', 'set', 'delete']);
    expect(of('short')).toEqual(['set', 'expire']);
    expect(of('before')).toEqual([]);
    subscription.close();
    subscription.close();
    map.set('after', 'x');
    await sleep(50);
    expect(of('after')).toEqual([]);
  });

  it('delivers only the types that were asked for, and evictions', async () => {
    using map = make(1 << 16);
    const evicted = vi.fn();
    map.subscribe(evicted, { events: ['evict'] });
    for (let i = 0; i < 2000; i++) map.set(`key ${i}`, 'v'.repeat(100));
    await until(() => evicted.mock.calls.length > 0);
    expect(evicted.mock.calls.every(([event]) => (event as MapEvent<string>).type === 'evict')).toBe(true);
    expect(evicted.mock.calls.length).toBeGreaterThan(0);
  });

  it('tells how many events were overwritten', async () => {
    using map = make(1 << 16);
    let delivered = 0;
    let dropped = 0;
    map.subscribe(() => delivered++, { events: ['set'], onDropped: (count) => (dropped += count) });
    for (let i = 0; i < 5000; i++) map.set(`key ${i % 50}`, 'v');
    await until(() => delivered + dropped >= 5000);
    expect(delivered + dropped).toBe(5000);
    expect(delivered).toBeGreaterThan(0);
    expect(dropped).toBeGreaterThan(0);
  });

  it('lets listeners change the map, subscribe and close', async () => {
    using map = make();
    const seen: string[] = [];
    const subscription = map.subscribe(({ key }) => {
      seen.push(key);
      if (key === 'a') {
        map.set('from listener', 'x');
        map.subscribe(() => undefined).close();
      } else subscription.close();
    });
    map.set('a', '1');
    await until(() => seen.length >= 2);
    expect(seen).toEqual(['a', 'from listener']);
  });

  it('refuses wrong arguments, and ends when the map is closed', async () => {
    const map = make();
    const subscribe = map.subscribe.bind(map) as (...given: unknown[]) => unknown;
    expect(codeOf(() => subscribe(1))).toBe('ERR_OFFHEAP_TYPE');
    expect(codeOf(() => subscribe(() => 1, { events: ['other'] }))).toBe('ERR_OFFHEAP_TYPE');
    expect(codeOf(() => subscribe(() => 1, { events: 'set' }))).toBe('ERR_OFFHEAP_TYPE');
    const listener = vi.fn();
    const subscription = map.subscribe(listener);
    map.close();
    await sleep(30);
    subscription.close();
    expect(listener).not.toHaveBeenCalled();
    expect(codeOf(() => map.subscribe(listener))).toBe('ERR_OFFHEAP_CLOSED');
  });
});
