/**
 * The states that only a vector has: elements that were just pushed, a sort in the background, and
 * views. (test/kit runs every operation in the states of all structures.)
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { native } from '../../src/native.js';
import { Vector } from '../../src/vector/index.js';
import { rejected, throws } from '../helpers/errors.js';
import { TYPES, type AnyVector } from '../helpers/vectors.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-vector-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Operation = [name: string, run: (vector: Vector<'f64'>) => unknown];
const reads: Operation[] = [
  ['length', (v) => v.length],
  ['type', (v) => v.type],
  ['at', (v) => v.at(0)],
  ['at a negative index', (v) => v.at(-1)],
  ['view', (v) => v.view],
  ['indexOf', (v) => v.indexOf(1)],
  ['includes', (v) => v.includes(1)],
  ['sum', (v) => v.sum()],
  ['min', (v) => v.min()],
  ['max', (v) => v.max()],
  ['argsort', (v) => v.argsort()],
  ['binarySearch', (v) => v.binarySearch(1)],
  ['binarySearchMany', (v) => v.binarySearchMany([1])],
  ['forEach', (v) => v.forEach(() => undefined)],
  ['values', (v) => [...v.values()]],
  ['keys', (v) => [...v.keys()]],
  ['entries', (v) => [...v.entries()]],
  ['iteration', (v) => [...v]],
  ['byteLength', (v) => v.byteLength],
  ['stats', (v) => v.stats()],
  ['validate', (v) => v.validate()],
  ['toBytes', (v) => v.toBytes()],
  ['share', (v) => v.share()],
];
const writes: Operation[] = [
  ['push', (v) => v.push(1)],
  ['push of none', (v) => v.push()],
  ['push of two', (v) => v.push(1, 2)],
  ['pop', (v) => v.pop()],
  ['set', (v) => v.set(0, 1)],
  ['pushMany', (v) => v.pushMany([1])],
  ['fill', (v) => v.fill(1)],
  ['sort', (v) => v.sort()],
  ['swapRemove', (v) => v.swapRemove(0)],
  ['truncate', (v) => v.truncate(0)],
  ['clear', (v) => v.clear()],
  ['reserve', (v) => v.reserve(10)],
  ['shrinkToFit', (v) => v.shrinkToFit()],
];

describe('a closed vector', () => {
  it.each(['push of none', 'push of two'])('throws ERR_OFFHEAP_CLOSED from %s', (name) => {
    const vector = Vector.from('f64', [1, 2]);
    vector.close();
    const [, run] = writes.find(([each]) => each === name)!;
    throws(() => run(vector), 'ERR_OFFHEAP_CLOSED', /this vector was closed/);
  });

  it('leaves its views readable', () => {
    const vector = Vector.from('f64', [1, 2]);
    const view = vector.view;
    vector.close();
    expect([...view]).toEqual([1, 2]);
  });
});

describe('elements that were just pushed', () => {
  const plain = (value: unknown): unknown =>
    value instanceof Float64Array || value instanceof Uint8Array ? [...value] : value;

  it.each([...reads, ...writes])('are seen by %s', (name, run) => {
    const pushed = Vector.from('f64', [4, 1]);
    pushed.push(3);
    const whole = Vector.from('f64', [4, 1, 3]);
    const [result, expected] = [run(pushed), run(whole)];
    if (result !== pushed && !['byteLength', 'stats', 'share'].includes(name)) {
      expect(plain(result)).toEqual(plain(expected));
    }
    expect(pushed.toBytes()).toEqual(whole.toBytes());
  });

  it('are seen by files, attached vectors, background work and inspect', async () => {
    const pushing = (): Vector<'u32'> => {
      const vector = new Vector('u32');
      for (let i = 0; i < 5; i++) vector.push(5 - i);
      return vector;
    };
    const path = join(folder, 'pushed.bin');
    await pushing().save(path);
    expect([...Vector.open(path)]).toEqual([5, 4, 3, 2, 1]);
    expect([...Vector.attach(pushing().share())]).toEqual([5, 4, 3, 2, 1]);
    expect([...(await pushing().sortAsync())]).toEqual([1, 2, 3, 4, 5]);
    expect([...(await pushing().argsortAsync())]).toEqual([4, 3, 2, 1, 0]);
    expect(inspect(pushing())).toBe('Vector<u32>(5) [ 5, 4, 3, 2, 1 ]');
    const vector = pushing();
    const sorting = vector.sortAsync();
    // The other thread may have sorted them by now.
    expect([1, 5]).toContain(vector.at(-1));
    expect([vector.length, [...vector].length]).toEqual([5, 5]);
    await sorting;
    const attached = Vector.attach<'u32'>(vector.share());
    vector.push(6);
    expect([...attached]).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('a vector that can only be read', () => {
  const owner = Vector.from('f64', [3, 1, 2]);
  const attached = Vector.attach<'f64'>(owner.share());

  it.each(writes)('rejects %s with a message that says why', async (name, run) => {
    const path = join(folder, `${name}.bin`);
    await owner.save(path);
    using opened = Vector.open<'f64'>(path, { mode: 'r' });
    throws(() => run(attached), 'ERR_OFFHEAP_UNSUPPORTED', /another thread/);
    throws(() => run(opened), 'ERR_OFFHEAP_UNSUPPORTED', /mode r/);
    expect([...attached]).toEqual([3, 1, 2]);
  });

  it('can be argsorted in the background, but not sorted', async () => {
    expect([...(await attached.argsortAsync())]).toEqual([1, 2, 0]);
    expect((await rejected(attached.sortAsync())).code).toBe('ERR_OFFHEAP_UNSUPPORTED');
  });
});

describe('a vector that is being sorted', () => {
  const unsorted = (): Vector<'f64'> =>
    Vector.from(
      'f64',
      Float64Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 300_007),
    );

  it.each(writes)('rejects %s with ERR_OFFHEAP_LOCKED until it is done', async (_name, run) => {
    const vector = unsorted();
    const sorting = vector.sortAsync();
    throws(() => run(vector), 'ERR_OFFHEAP_LOCKED', /being sorted/);
    await sorting;
    expect(vector.at(-1)).toBe(300_006);
    run(vector);
  });

  it.each(reads)('answers %s', async (name, run) => {
    const vector = unsorted();
    if (name === 'share') vector.share();
    const sorting = vector.sortAsync();
    run(vector);
    await sorting;
    const view = vector.view;
    expect(view.every((x, i) => i === 0 || view[i - 1] <= x)).toBe(true);
  });

  it('rejects the first share(), which would move it', async () => {
    const vector = unsorted();
    const sorting = vector.sortAsync();
    throws(() => vector.share(), 'ERR_OFFHEAP_LOCKED');
    await sorting;
    expect(Vector.attach(vector.share()).length).toBe(300_000);
  });

  it('rejects a second sort', async () => {
    const vector = unsorted();
    const sorting = vector.sortAsync();
    expect((await rejected(vector.sortAsync())).code).toBe('ERR_OFFHEAP_LOCKED');
    expect((await rejected(vector.argsortAsync())).code).toBe('ERR_OFFHEAP_LOCKED');
    await sorting;
    await vector.sortAsync();
  });

  it('cancels the sort when it is closed', async () => {
    for (const what of ['sortAsync', 'argsortAsync'] as const) {
      const vector = unsorted();
      const view = vector.view;
      const before = view.slice();
      const sorting = vector[what]();
      vector.close();
      expect((await rejected(sorting)).code).toBe('ERR_OFFHEAP_CLOSED');
      expect([before, view.slice().sort()].some((state) => state.every((x, i) => x === view[i]))).toBe(true);
    }
  });
});

describe('views', () => {
  it.each(TYPES)(
    'of %s start at a multiple of 64 and show the vector’s own memory, also after growth',
    (type) => {
      for (let round = 0; round < 5; round++) {
        const vector: AnyVector = new Vector(type);
        const one = type === 'u64' || type === 'i64' ? 1n : 1;
        for (let i = 0; i < 20_000; i++) {
          vector.push(one);
          if (i % 3001 === 0) expect(native().probe(vector.view).alignment).toBeGreaterThanOrEqual(64);
        }
        vector.view[5] = type === 'u64' || type === 'i64' ? 7n : 7;
        expect(Number(vector.at(5))).toBe(7);
        expect(vector.view.length).toBe(20_000);
        expect(vector.view).toBe(vector.view);
        for (const other of [Vector.fromBytes(vector.toBytes()), Vector.attach(vector.share())]) {
          expect(native().probe(other.view).alignment).toBeGreaterThanOrEqual(64);
        }
      }
    },
  );

  it('stay valid after growth, which copies nothing', () => {
    const vector = new Vector('f64', { capacity: 10_000 });
    vector.push(1);
    const early = vector.view;
    for (let i = 0; i < 500_000; i++) vector.push(i);
    early[0] = 42;
    expect(vector.at(0)).toBe(42);
    expect(vector.view.buffer).toBe(early.buffer);
  });

  it('keep their length when the vector changes its own', () => {
    const vector = Vector.from('f64', [1, 2]);
    const { view } = vector;
    vector.push(3);
    expect(view.length).toBe(2);
    expect(vector.view.length).toBe(3);
    vector.pop();
    vector.pop();
    expect(vector.view.length).toBe(1);
  });
});

describe('iteration', () => {
  it('includes added elements and skips removed ones, as for an array', () => {
    for (const change of [
      (v: { push(x: number): unknown; pop(): unknown }, i: number) => (i < 5 ? v.push(i) : undefined),
      (v: { push(x: number): unknown; pop(): unknown }) => v.pop(),
    ]) {
      const seen: number[][] = [[], []];
      const vector = Vector.from('f64', [10, 20, 30, 40]);
      const array = [10, 20, 30, 40];
      let i = 0;
      for (const x of vector) {
        seen[0].push(x);
        change(vector, i++);
      }
      i = 0;
      for (const x of array) {
        seen[1].push(x);
        change(array, i++);
      }
      expect(seen[0]).toEqual(seen[1]);
    }
  });

  it('stays at the end once it has reached it', () => {
    const vector = Vector.from('u8', [1]);
    const iterator = vector.entries();
    expect(iterator.next()).toEqual({ value: [0, 1], done: false });
    expect(iterator.next()).toEqual({ value: undefined, done: true });
    vector.push(2);
    expect(iterator.next()).toEqual({ value: undefined, done: true });
    expect([...vector.keys()]).toEqual([0, 1]);
    expect(Object.prototype.toString.call(iterator)).toBe('[object Vector Iterator]');
    expect(iterator[Symbol.iterator]()).toBe(iterator);
  });

  it('by forEach() visits the elements that exist at the call', () => {
    const vector = Vector.from('u8', [1, 2, 3]);
    const seen: unknown[] = [];
    vector.forEach(function (this: unknown, value, index, self) {
      seen.push([value, index, self === vector, this]);
      if (index === 0) vector.push(9);
      if (index === 1) vector.truncate(2);
    }, 'me');
    expect(seen).toEqual([
      [1, 0, true, 'me'],
      [2, 1, true, 'me'],
    ]);
  });
});
