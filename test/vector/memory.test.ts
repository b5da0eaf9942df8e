/**
 * Refused memory: an error, and nothing is lost. The test refuses the memory, because the engine
 * may end a process that really has no more.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { Vector } from '../../src/vector/index.js';
import { rejected, throws } from '../helpers/errors.js';

const Real = SharedArrayBuffer;
let limit = Infinity;
let asked = 0;

function check(bytes: number): void {
  asked++;
  if (bytes > limit) throw new RangeError('Array buffer allocation failed');
}

class Limited extends Real {
  constructor(length: number, options?: object) {
    check(length);
    super(length, options);
  }
  override grow(length: number): void {
    check(length);
    super.grow(length);
  }
}

/** Limits the size of buffers from now on. */
function allow(bytes: number): void {
  limit = bytes;
  asked = 0;
  globalThis.SharedArrayBuffer = Limited as never;
}

afterEach(() => {
  globalThis.SharedArrayBuffer = Real;
});

describe('where no buffer can be larger', () => {
  it.each([1000, 100_000, 5_000_000])('than %i bytes', async (bytes) => {
    allow(bytes);
    const vector = new Vector('f64');
    let before = 0;
    throws(() => {
      for (;;) before = vector.push(before);
    }, 'ERR_OFFHEAP_OOM');
    // It grew by steps smaller than doubling, but not element by element.
    expect(before * 8).toBeGreaterThan(bytes / 2);
    expect(asked).toBeLessThan(200);
    const { capacity } = vector.stats();
    throws(() => vector.push(1, 2, 3), 'ERR_OFFHEAP_OOM');
    throws(() => vector.pushMany(new Float64Array(bytes)), 'ERR_OFFHEAP_OOM');
    throws(() => vector.reserve(bytes), 'ERR_OFFHEAP_OOM');
    expect(vector.stats()).toMatchObject({ length: before, capacity });
    expect(vector.view.every((x, i) => x === i)).toBe(true);
    vector.sort();
    vector.truncate(10);
    vector.pushMany([7]);
    expect([...vector].slice(-2)).toEqual([9, 7]);
    allow(Infinity);
    for (let i = 0; i < capacity; i++) vector.push(i);
    expect(vector.length).toBe(capacity + 11);
    await vector.sortAsync();
    expect(vector.at(-1)).toBe(capacity - 1);
  });

  it('the first share() needs a larger buffer', async () => {
    const vector = Vector.from('f64', [3, 1, 2]);
    // A buffer that is not shared is shorter than its maximum.
    class None extends Real {
      constructor() {
        super(0);
        throw new RangeError('Array buffer allocation failed');
      }
    }
    globalThis.SharedArrayBuffer = None;
    throws(() => vector.share(), 'ERR_OFFHEAP_OOM');
    throws(() => new Vector('u8'), 'ERR_OFFHEAP_OOM');
    expect((await rejected(vector.sortAsync())).code).toBe('ERR_OFFHEAP_OOM');
    globalThis.SharedArrayBuffer = Real;
    expect([...vector.sort()]).toEqual([1, 2, 3]);
    expect([...Vector.attach(vector.share())]).toEqual([1, 2, 3]);
  });
});
