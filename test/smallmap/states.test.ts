/**
 * Operations by states: the result of every public method of an arena that is owned, shared,
 * attached, mapped from a file with mode `r` or `rw`, or closed after any of these; and the errors
 * for invalid arguments.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { inspectFile } from '../../src/cli/inspect.js';
import { SmallMapArena, type SmallMapId } from '../../src/smallmap/index.js';
import { thrown, throws } from '../helpers/errors.js';
import type { AnyArena } from './arenas.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-smallmap-states-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

type Numbers = SmallMapArena<'u32', 'f64'>;
const small = 1 as SmallMapId;
const large = 2 as SmallMapId;
const entries = Array.from({ length: 12 }, (_, n): [number, number] => [n, n / 2]);

/** Three maps with 0, 3 and 12 entries. */
function fill(): Numbers {
  const arena = new SmallMapArena({ key: 'u32', value: 'f64' });
  arena.create();
  for (const [id, count] of [
    [arena.create(), 3],
    [arena.create(), 12],
  ] as const) {
    for (const [key, value] of entries.slice(0, count)) arena.set(id, key, value);
  }
  return arena;
}
const owners: Numbers[] = [];
async function saved(): Promise<string> {
  const path = join(folder, `${files++}.bin`);
  await fill().save(path);
  return path;
}

const states: Record<string, () => Promise<Numbers>> = {
  owned: () => Promise.resolve(fill()),
  shared: () => {
    const arena = fill();
    arena.share();
    return Promise.resolve(arena);
  },
  attached: () => {
    const owner = fill();
    owners.push(owner);
    return Promise.resolve(SmallMapArena.attach<'u32', 'f64'>(owner.share()));
  },
  'on a file, r': async () => SmallMapArena.open<'u32', 'f64'>(await saved()),
  'on a file, rw': async () => SmallMapArena.open<'u32', 'f64'>(await saved(), { mode: 'rw' }),
};
const writable = new Set(['owned', 'shared', 'on a file, rw']);

const operations: Record<string, { run: (arena: Numbers) => unknown; writes?: true; result?: unknown }> = {
  count: { run: (arena) => arena.count, result: 3 },
  promotedCount: { run: (arena) => arena.promotedCount, result: 1 },
  create: { run: (arena) => arena.create(), writes: true, result: 3 },
  release: { run: (arena) => arena.release(large), writes: true },
  isAlive: { run: (arena) => [arena.isAlive(small), arena.isAlive(9 as SmallMapId)], result: [true, false] },
  size: { run: (arena) => [arena.size(small), arena.size(large)], result: [3, 12] },
  promoted: { run: (arena) => [arena.promoted(small), arena.promoted(large)], result: [false, true] },
  clear: { run: (arena) => arena.clear(large), writes: true },
  map: { run: (arena) => [...arena.map(small)], result: entries.slice(0, 3) },
  get: {
    run: (arena) => [arena.get(small, 2), arena.get(large, 9), arena.get(small, 9)],
    result: [1, 4.5, undefined],
  },
  has: {
    run: (arena) => [arena.has(small, 2), arena.has(large, 9), arena.has(small, 9)],
    result: [true, true, false],
  },
  set: { run: (arena) => arena.set(small, 7, 1).set(large, 70, 2).get(large, 70), writes: true, result: 2 },
  delete: {
    run: (arena) => [arena.delete(small, 1), arena.delete(large, 1)],
    writes: true,
    result: [true, true],
  },
  keys: { run: (arena) => [...arena.keys(large)], result: entries.map(([key]) => key) },
  values: { run: (arena) => [...arena.values(small)], result: [0, 0.5, 1] },
  entries: { run: (arena) => [...arena.entries(large)], result: entries },
  forEach: { run: (arena) => arena.forEach(small, () => undefined) },
  ids: { run: (arena) => [...arena.ids()], result: [0, 1, 2] },
  getMany: {
    run: (arena) => [...arena.getMany(Float64Array.of(1, 2, 2), Uint32Array.of(2, 9, 99))],
    result: [1, 4.5, 0],
  },
  setMany: { run: (arena) => arena.setMany([1, 2], [2, 50], [8, 9]).get(large, 50), writes: true, result: 9 },
  reserve: { run: (arena) => arena.reserve(500).count, writes: true, result: 3 },
  shrinkToFit: { run: (arena) => arena.shrinkToFit().count, writes: true, result: 3 },
  byteLength: { run: (arena) => arena.byteLength > 500, result: true },
  stats: { run: (arena) => arena.stats().promotedCount, result: 1 },
  validate: { run: (arena) => arena.validate() },
  share: { run: (arena) => arena.share().offheap, result: 'smallmap' },
  toBytes: { run: (arena) => [...SmallMapArena.fromBytes(arena.toBytes()).entries(large)], result: entries },
};

describe.each(Object.entries(states))('an arena %s', (state, make) => {
  it.each(Object.entries(operations))('supports or rejects %s', async (_, { run, writes, result }) => {
    const arena = await make();
    if (writes === true && !writable.has(state)) {
      throws(() => run(arena), 'ERR_OFFHEAP_UNSUPPORTED', /can be read, not changed/);
      expect([...arena.entries(large)]).toEqual(entries);
    } else {
      expect(run(arena)).toEqual(result);
      arena.validate();
    }
    const iterator = arena.keys(small);
    iterator.next();
    arena.close();
    arena.close();
    expect(thrown(() => run(arena)).code).toBe('ERR_OFFHEAP_CLOSED');
    expect(thrown(() => iterator.next()).code).toBe('ERR_OFFHEAP_CLOSED');
    expect(inspect(arena)).toBe('SmallMapArena { closed }');
  });
});

describe('files of arenas', () => {
  it('are described by `offheap inspect`', async () => {
    const { kind, checksum, contents } = await inspectFile(await saved());
    expect([kind, checksum]).toEqual(['smallmap', 'correct']);
    expect(contents).toMatchObject({ key: 'u32', value: 'f64', maps: 3, promoted: 1 });
  });

  it('keep strings, and are copied to memory at the first change', async () => {
    const arena = new SmallMapArena({ key: 'string', value: 'string' });
    const id = arena.create();
    arena.set(id, 'größe', '\ud83d').set(id, '', 'x'.repeat(500));
    const path = join(folder, 'strings.bin');
    await arena.save(path);
    const opened = SmallMapArena.open<'string', 'string'>(path, { mode: 'rw' });
    expect([...opened.entries(id)]).toEqual([...arena.entries(id)]);
    opened.set(id, 'new', 'y');
    expect(SmallMapArena.open(path).size(id)).toBe(2);
    expect(opened.size(id)).toBe(3);
  });
});

describe('invalid arguments', () => {
  const arena: AnyArena = fill();
  const bytes = arena.toBytes();
  const unchanged = (): void => expect(arena.toBytes()).toEqual(bytes);

  it('are rejected as ids', () => {
    const none = [9, -1, 0.5, NaN, Infinity, 2 ** 32, 2 ** 32 + 1, 2 ** 53, -0.5, 2 ** 31 + 1, 2 ** 52 + 1];
    for (const id of none as SmallMapId[]) {
      for (const call of [
        () => arena.get(id, 1),
        () => arena.has(id, 1),
        () => arena.set(id, 1, 1),
        () => arena.delete(id, 1),
        () => arena.size(id),
        () => arena.promoted(id),
        () => arena.clear(id),
        () => arena.release(id),
        () => arena.map(id),
        () => arena.entries(id),
        () => arena.getMany(Float64Array.of(1, id), Uint32Array.of(1, 1)),
        () => arena.setMany(Float64Array.of(1, id), Uint32Array.of(1, 1), Float64Array.of(1, 1)),
      ]) {
        throws(call, 'ERR_OFFHEAP_STALE');
      }
    }
    for (const id of ['1', null, undefined, 1n, {}, [1]]) {
      throws(() => arena.get(id as never, 1), 'ERR_OFFHEAP_TYPE');
      throws(() => arena.set(id as never, 1, 1), 'ERR_OFFHEAP_TYPE');
      throws(() => arena.getMany([id as never], [1]), 'ERR_OFFHEAP_TYPE');
    }
    expect(arena.get(-0 as never, 1)).toBe(undefined);
    unchanged();
  });

  it('are rejected as keys and values', () => {
    for (const key of [-1, 2 ** 32, 0.5, NaN, Infinity]) {
      for (const call of [
        () => arena.get(small, key),
        () => arena.has(small, key),
        () => arena.set(small, key, 1),
        () => arena.delete(large, key),
        () => arena.getMany([small], [key]),
        () => arena.setMany([small], [key], [1]),
      ]) {
        throws(call, 'ERR_OFFHEAP_RANGE');
      }
    }
    for (const wrong of ['1', null, undefined, 1n, {}, true]) {
      throws(() => arena.get(small, wrong), 'ERR_OFFHEAP_TYPE');
      throws(() => arena.set(small, wrong, 1), 'ERR_OFFHEAP_TYPE');
      throws(() => arena.set(small, 1, wrong), 'ERR_OFFHEAP_TYPE');
      throws(() => arena.set(large, 77, wrong), 'ERR_OFFHEAP_TYPE');
      throws(() => arena.setMany([small], [1], [wrong]), 'ERR_OFFHEAP_TYPE');
    }
    unchanged();
  });

  it('are rejected as lists', () => {
    throws(() => arena.getMany([1, 2], [1]), 'ERR_OFFHEAP_RANGE');
    throws(() => arena.getMany([1], [1], new Float64Array(0)), 'ERR_OFFHEAP_RANGE');
    throws(() => arena.getMany(5 as never, [1]), 'ERR_OFFHEAP_TYPE');
    throws(() => arena.getMany([1], 'ab'), 'ERR_OFFHEAP_TYPE');
    throws(() => arena.setMany([1], [1], []), 'ERR_OFFHEAP_RANGE');
    throws(() => arena.setMany([1, 9], [50, 50], [1, 1]), 'ERR_OFFHEAP_STALE');
    const gone = new Uint32Array(4);
    structuredClone(gone, { transfer: [gone.buffer] });
    throws(() => arena.getMany([1, 1, 1, 1], gone), 'ERR_OFFHEAP_RANGE');
    unchanged();
  });

  it('are rejected as options', () => {
    const make = (options: unknown) => () => new SmallMapArena(options as never);
    throws(make(undefined), 'ERR_OFFHEAP_TYPE');
    throws(make({ key: 'u32' }), 'ERR_OFFHEAP_TYPE');
    throws(make({ key: 'bytes', value: 'f64' }), 'ERR_OFFHEAP_TYPE');
    throws(make({ key: 'bool', value: 'f64' }), 'ERR_OFFHEAP_TYPE');
    throws(make({ key: 'u32', value: 'json' }), 'ERR_OFFHEAP_TYPE');
    for (const capacity of [0, -1, 0.5, NaN, 2 ** 30 + 1, Infinity]) {
      throws(make({ key: 'u32', value: 'f64', capacity }), 'ERR_OFFHEAP_RANGE');
    }
    throws(make({ key: 'u32', value: 'f64', seed: 1 }), 'ERR_OFFHEAP_TYPE');
    throws(() => arena.reserve(2 ** 31), 'ERR_OFFHEAP_RANGE');
    unchanged();
  });

  it('leave an arena that cannot grow unchanged', () => {
    throws(() => arena.reserve(2 ** 30), 'ERR_OFFHEAP_FULL');
    expect([...arena.entries(large)]).toEqual(entries);
    arena.set(small, 1, 0.5);
    arena.validate();
  });
});
