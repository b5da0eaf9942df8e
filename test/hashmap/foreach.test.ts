/** forEach: what its callback gets, and what the callback may do. */
import { describe, expect, it } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';
import { throws } from '../helpers/errors.js';

type Both = (map: Map<any, any>) => void;

describe('forEach', () => {
  const filled = (): HashMap<'u32', 'u32'> =>
    new HashMap({ key: 'u32', value: 'u32' }, [
      [1, 10],
      [2, 20],
      [3, 30],
    ]);

  it('passes value, key, map and thisArg', () => {
    const map = filled();
    const self = {};
    const calls: unknown[] = [];
    map.forEach(function (this: unknown, ...args) {
      calls.push([this === self, args[0], args[1], args[2] === map]);
    }, self);
    expect(calls).toEqual([
      [true, 10, 1, true],
      [true, 20, 2, true],
      [true, 30, 3, true],
    ]);
  });

  it('can be entered again, and sees what its callbacks do', () => {
    const run: Both = (map) => {
      for (let n = 0; n < 5; n++) map.set(n, n);
      const log: unknown[] = [];
      map.forEach((_, key) => {
        log.push(key);
        map.forEach((_, inner) => {
          log.push([inner]);
          if (inner === 3) map.delete(3);
          if (map.size < 8) map.set(100 + map.size, 0);
        });
        if (key === 1) {
          map.clear();
          map.set(9, 9);
        }
      });
      (map as any).log = log;
    };
    const map: any = new Map();
    const ours: any = new HashMap({ key: 'u32', value: 'u32' });
    run(map as Map<any, any>);
    run(ours as Map<any, any>);
    expect(ours.log).toEqual(map.log);
  });

  it('passes on what the callback throws, and the map is whole', () => {
    const map = filled();
    const error = new Error('stop');
    expect(() =>
      map.forEach(() => {
        map.set(map.size + 100, 1);
        throw error;
      }),
    ).toThrow(error);
    expect(map.size).toBe(4);
    map.validate();
  });

  it('rejects a callback that is not a function', () => {
    for (const value of [undefined, null, {}, 'x', 5])
      throws(() => filled().forEach(value as never), 'ERR_OFFHEAP_TYPE');
  });
});
