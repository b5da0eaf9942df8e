/**
 * Maps on files: every type, copying to memory, foreign files, and files that change under a
 * mapping.
 */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, it } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';
import { native } from '../../src/native.js';
import { rejected, throws } from '../helpers/errors.js';
import { EDGES, KEY_TYPES, keyOf, VALUE_TYPES, type AnyMap } from '../helpers/samples.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-files-'));
afterAll(() => {
  if (small !== undefined) spawnSync('umount', ['-l', small], { stdio: 'ignore' });
  rmSync(folder, { recursive: true, force: true });
});
let files = 0;
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;
const fresh = (): string => join(folder, `${files++}.bin`);

function numbers(count: number, from = 0): HashMap<'u32', 'f64'> {
  const map = new HashMap({ key: 'u32', value: 'f64' });
  const keys = Uint32Array.from({ length: count }, (_, n) => n + from);
  return map.setMany(
    keys,
    Float64Array.from(keys, (n) => n / 2),
  );
}

/** A file system of 256 KiB, where one can be had. */
const small = mountSmall();
function mountSmall(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  const at = join(folder, 'small');
  mkdirSync(at);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', at], { stdio: 'ignore' });
  return status === 0 ? at : undefined;
}

/** The temporary files that a save left. */
const leftovers = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.tmp'));

describe('save and open', () => {
  it.each(KEY_TYPES)('keep every value type, with %s keys', async (key) => {
    for (const value of VALUE_TYPES) {
      if (value === 'any') continue;
      const map: AnyMap = new HashMap({ key, value });
      EDGES[value].forEach((item, n) => map.set(keyOf(key, n), item));
      map.delete(keyOf(key, 1));
      const path = fresh();
      await map.save(path);
      for (const mode of ['r', 'rw'] as const) {
        using opened: AnyMap = HashMap.open(path, { mode });
        expect([...opened]).toEqual([...map]);
        expect(opened.stats()).toMatchObject({ key, value, origin: 'file', size: map.size });
        opened.validate();
      }
      expect(readFileSync(path).equals(map.toBytes())).toBe(true);
      expect(statSync(path).size).toBe(map.toBytes().length);
    }
  });

  it('copy a file opened for rw to memory at the first change, and change the file at the next save', async () => {
    const path = fresh();
    await numbers(1000).save(path);
    const before = readFileSync(path);
    const map = HashMap.open<'u32', 'f64'>(path, { mode: 'rw' });
    const iterator = map.keys();
    expect(iterator.next().value).toBe(0);
    const live = native().fileMappings();
    expect(map.stats().origin).toBe('file');
    map.set(5, -5);
    expect(map.stats().origin).toBe('heap');
    expect([...iterator]).toHaveLength(999); // begun on the file, ended in memory
    for (let n = 1000; n < 3000; n++) map.set(n, n);
    map.delete(0);
    map.validate();
    for (let i = 0; i < 100 && native().fileMappings() >= live; i++) await turn();
    expect(native().fileMappings()).toBeLessThan(live);
    expect(readFileSync(path).equals(before)).toBe(true);
    await map.save(path);
    expect([...HashMap.open(path)]).toEqual([...map]);
    expect(map.size).toBe(2999);
  });

  it('leave no mapping when repeated many times', async () => {
    const path = fresh();
    await numbers(100).save(path);
    const before = native().fileMappings();
    for (let i = 0; i < 300; i++) {
      const map = HashMap.open<'u32', 'f64'>(path, { mode: i % 2 === 0 ? 'r' : 'rw' });
      expect(map.get(99)).toBe(49.5);
      if (i % 4 === 1) map.set(1, 1);
      map.close();
      if (i % 50 === 0) await turn();
    }
    for (let i = 0; i < 50 && native().fileMappings() > before; i++) {
      gc();
      await turn();
    }
    expect(native().fileMappings()).toBeLessThanOrEqual(before);
  });

  it('accept symbolic links, relative paths and unusual names', async () => {
    const path = join(folder, 'päth with späces 日本 %20 ?.bin');
    await numbers(3).save(path);
    expect(HashMap.open(path).size).toBe(3);
    const link = join(folder, 'link');
    symlinkSync(path, link);
    expect(HashMap.open(link).size).toBe(3);
  });

  it('saves through a link, also to a file that does not exist yet, and keeps the link', async () => {
    const below = join(folder, 'below');
    mkdirSync(below);
    const [target, first, second, ring] = ['target', 'first', 'second', 'ring'].map((name) =>
      join(below, name),
    );
    symlinkSync('target', first);
    symlinkSync(first, second);
    for (const size of [3, 4]) {
      await numbers(size).save(second);
      expect([HashMap.open(target).size, HashMap.open(first).size]).toEqual([size, size]);
      expect([first, second].map((path) => lstatSync(path).isSymbolicLink())).toEqual([true, true]);
    }
    symlinkSync('ring', ring);
    expect((await rejected(numbers(1).save(ring))).code).toBe('ERR_OFFHEAP_IO');
    expect(readdirSync(below).sort()).toEqual(['first', 'ring', 'second', 'target']);
  });

  it('accept the longest names of the system, and keep the permissions of the file', async () => {
    const path = join(folder, 'n'.repeat(255));
    await numbers(3).save(path);
    expect(HashMap.open(path).size).toBe(3);
    chmodSync(path, 0o640);
    await numbers(4).save(path);
    expect(HashMap.open(path).size).toBe(4);
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o640);
    expect((await rejected(numbers(1).save(`${path}n`))).code).toBe('ERR_OFFHEAP_IO');
    expect(leftovers()).toEqual([]);
  });

  // Needs the right to mount.
  it.skipIf(!small)(
    'rejects with ERR_OFFHEAP_IO on a full disk, keeps the old file, and leaves no temporary file',
    async () => {
      const path = join(small!, 'map');
      await numbers(3).save(path);
      expect((await rejected(numbers(100_000).save(path))).message).toMatch(/ENOSPC/);
      expect(readdirSync(small!)).toEqual(['map']);
      expect(HashMap.open(path).size).toBe(3);
      await numbers(4).save(path);
      expect(HashMap.open(path).size).toBe(4);
    },
  );
});

describe('the checksum', () => {
  it('is stored unless it is declined, and is checked by validate()', async () => {
    const path = fresh();
    for (const checksum of [true, false]) {
      await numbers(1000).save(path, { checksum });
      HashMap.open(path).validate();
      const bytes = readFileSync(path);
      // A byte of a value: nothing but a checksum can tell.
      bytes[bytes.indexOf(Buffer.from(Float64Array.of(250).buffer)) + 2] ^= 1;
      writeFileSync(path, bytes);
      const opened = HashMap.open<'u32', 'f64'>(path);
      expect(opened.get(500)).not.toBe(250);
      if (checksum) throws(() => opened.validate(), 'ERR_OFFHEAP_CORRUPT', /checksum/);
      else opened.validate();
    }
  });
});

describe('a path that cannot be saved to or opened', () => {
  const map = numbers(10);

  it.each([['missing/folder/x'], ['.'], ['a-file/x']])('is rejected: %s', async (name) => {
    writeFileSync(join(folder, 'a-file'), 'x');
    const error = await rejected(map.save(join(folder, name)));
    expect(error.code).toBe('ERR_OFFHEAP_IO');
    // A path to something that is not a regular file is rejected before the system is asked.
    if (error.cause === undefined) expect(error.message).toMatch(/regular file/);
    else expect((error.cause as NodeJS.ErrnoException).code).toMatch(/^E[A-Z]+$/);
    throws(() => HashMap.open(join(folder, name)), 'ERR_OFFHEAP_IO');
    expect(leftovers()).toEqual([]);
  });

  it('is rejected if it is no path, as are wrong options', async () => {
    for (const path of [undefined, null, 5, {}, '', 'a\0b', new URL('https://example.org/x')]) {
      expect((await rejected(map.save(path as never))).code).toBe('ERR_OFFHEAP_TYPE');
      throws(() => HashMap.open(path as never), 'ERR_OFFHEAP_TYPE');
    }
    for (const options of [
      { signal: {} },
      { onProgress: 5 },
      { checksum: 'yes' },
      { sync: true },
      null,
      'x',
    ]) {
      expect((await rejected(map.save(fresh(), options as never))).code).toBe('ERR_OFFHEAP_TYPE');
    }
    for (const options of [{ mode: 'w' }, { mode: 'R' }, { mode: 0 }, { write: true }, null, 'rw']) {
      throws(() => HashMap.open('x', options as never), 'ERR_OFFHEAP_TYPE');
    }
  });

  it('is rejected if the file contains no map', async () => {
    const path = fresh();
    for (const contents of ['', 'x', 'x'.repeat(255), 'x'.repeat(256), 'PK\x03\x04'.repeat(1000)]) {
      writeFileSync(path, contents);
      throws(() => HashMap.open(path), 'ERR_OFFHEAP_CORRUPT');
      throws(() => HashMap.open(path, { mode: 'rw' }), 'ERR_OFFHEAP_CORRUPT');
    }
    await map.save(path);
    truncateSync(path, statSync(path).size - 64);
    throws(() => HashMap.open(path), 'ERR_OFFHEAP_CORRUPT', /long/);
    throws(() => HashMap.open(join(folder, 'not there')), 'ERR_OFFHEAP_IO', /ENOENT/);
    throws(() => HashMap.open(folder), 'ERR_OFFHEAP_IO');
  });

  // Root may write everywhere.
  it.runIf(process.getuid?.() !== 0)('a folder that may not be written', async () => {
    const locked = join(folder, 'locked');
    mkdirSync(locked);
    await map.save(join(locked, 'x'));
    chmodSync(locked, 0o555);
    expect((await rejected(map.save(join(locked, 'x')))).code).toBe('ERR_OFFHEAP_IO');
    expect(HashMap.open(join(locked, 'x')).size).toBe(10);
    chmodSync(locked, 0o755);
  });
});

describe('a file that changes under a mapping', () => {
  it('keeps its old contents in the mapping when a save replaces it', async () => {
    const path = fresh();
    await numbers(1000).save(path);
    const old = HashMap.open<'u32', 'f64'>(path);
    await numbers(50, 5000).save(path);
    expect([...old]).toEqual([...numbers(1000)]);
    old.validate();
    expect([...HashMap.open(path)]).toEqual([...numbers(50, 5000)]);
  });

  it('keeps its contents in the mapping when it is deleted or renamed', async () => {
    const path = fresh();
    await numbers(1000).save(path);
    const map = HashMap.open<'u32', 'f64'>(path, { mode: 'rw' });
    renameSync(path, `${path}.moved`);
    unlinkSync(`${path}.moved`);
    expect(existsSync(path)).toBe(false);
    expect([...map]).toEqual([...numbers(1000)]);
    map.set(7, 7);
    await map.save(path);
    expect(HashMap.open<'u32', 'f64'>(path).get(7)).toBe(7);
  });

  it('may become longer, which has no effect', async () => {
    const path = fresh();
    await numbers(10).save(path);
    appendFileSync(path, Buffer.alloc(64, 7));
    const map = HashMap.open<'u32', 'f64'>(path);
    expect([...map]).toEqual([...numbers(10)]);
    map.validate();
  });

  it.each(['get', 'iterate', 'getMany', 'validate', 'toBytes', 'save', 'columns', 'thaw', 'hasHandle'])(
    'truncated: %s is ERR_OFFHEAP_IO, and the process lives',
    async (name) => {
      const path = fresh();
      await numbers(200_000).save(path);
      const map = HashMap.open<'u32', 'f64'>(path, { mode: 'rw' });
      const keys = Uint32Array.from({ length: 200_000 }, (_, n) => n);
      truncateSync(path, 4096);
      const calls: Record<string, () => unknown> = {
        get: () => keys.forEach((key) => map.get(key)),
        iterate: () => [...map],
        getMany: () => map.getMany(keys),
        validate: () => map.validate(),
        toBytes: () => map.toBytes(),
        columns: () => map.columns().values.reduce((sum, value) => sum + value, 0) + map.size,
        thaw: () => map.set(1, 1),
        hasHandle: () => map.handlesOf(keys),
      };
      if (name === 'save') expect((await rejected(map.save(fresh()))).code).toBe('ERR_OFFHEAP_IO');
      else throws(calls[name], 'ERR_OFFHEAP_IO', /truncated/);
      // From then on everything says so.
      throws(() => map.size, 'ERR_OFFHEAP_IO');
      throws(() => map.get(0), 'ERR_OFFHEAP_IO');
      map.close();
      throws(() => map.get(0), 'ERR_OFFHEAP_CLOSED');
    },
  );
});

describe('columns of a file opened for rw', () => {
  it('show the file as long as they are referenced, also after the map is closed', async () => {
    const path = fresh();
    await numbers(5000).save(path);
    const map = HashMap.open<'u32', 'f64'>(path, { mode: 'rw' });
    const { keys, values } = map.columns();
    map.set(1, 77).set(9999, 9);
    expect(map.stats().origin).toBe('heap');
    expect([keys.length, values[1], values[4999], map.get(1)]).toEqual([5000, 0.5, 2499.5, 77]);
    map.close();
    gc();
    expect([keys[4999], values[4999]]).toEqual([4999, 2499.5]);
  });

  it('keep the file mapped only while they exist', async () => {
    const path = fresh();
    await numbers(50).save(path);
    for (let i = 0; i < 20 && native().fileMappings() > 0; i++) {
      gc();
      await turn();
    }
    const before = native().fileMappings();
    const map = HashMap.open<'u32', 'f64'>(path, { mode: 'rw' }).set(1, 2);
    expect(native().fileMappings()).toBe(before);
    (() => {
      const viewed = HashMap.open<'u32', 'f64'>(path, { mode: 'rw' });
      viewed.columns();
      viewed.set(1, 2);
      expect(native().fileMappings()).toBe(before + 1);
    })();
    for (let i = 0; i < 100 && native().fileMappings() > before; i++) {
      gc();
      await turn();
    }
    expect(native().fileMappings()).toBe(before);
    expect(map.get(1)).toBe(2);
  });
});
