/** Files of arenas, and the errors for invalid arguments. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { inspectFile } from '../../src/cli/inspect.js';
import { SmallMapArena, type SmallMapId } from '../../src/smallmap/index.js';
import { throws } from '../helpers/errors.js';
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
async function saved(): Promise<string> {
  const path = join(folder, `${files++}.bin`);
  await fill().save(path);
  return path;
}

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
    throws(() => arena.getMany([1, 1, 1, 1], gone), 'ERR_OFFHEAP_TYPE', /detached/);
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
