/**
 * Saving and opening: the contents of the file, changes of the file, and the map when the file is
 * truncated or removed.
 */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';
import { native } from '../../src/native.js';
import { rejected, throws } from '../helpers/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-files-'));
const path = join(folder, 'map.offheap');
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(path, { force: true }));

function numbers(count = 1000): HashMap<'u32', 'f64'> {
  const map = new HashMap({ key: 'u32', value: 'f64' });
  for (let i = 0; i < count; i++) map.set(i * 7, i + 0.5);
  return map;
}

describe('save and open', () => {
  test('give back every type, in order, with handles', async () => {
    const map = new HashMap({ key: 'string', value: 'json' });
    for (let i = 0; i < 500; i++) map.set(`key ${i}`, { i, text: 'é'.repeat(i % 9) });
    for (let i = 0; i < 500; i += 3) map.delete(`key ${i}`);
    const handle = map.handleOf('key 100')!;
    await map.save(path);
    const opened = HashMap.open<'string', 'json'>(path);
    expect([...opened]).toEqual([...map]);
    expect(opened.getByHandle(handle)).toEqual({ i: 100, text: 'é'.repeat(1) });
    expect(opened.stats()).toMatchObject({ origin: 'file', key: 'string', value: 'json' });
    opened.validate();
    opened.close();
    throws(() => opened.get('key 1'), 'ERR_OFFHEAP_CLOSED');
  });

  test('another process reads the same', async () => {
    await numbers().save(path);
    const built = new URL('../../dist/hashmap/index.js', import.meta.url).href;
    const script = `import { HashMap } from '${built}'; const map = HashMap.open(${JSON.stringify(path)}); console.log(map.size, map.get(700));`;
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })).toBe(
      '1000 100.5\n',
    );
  });

  test('the file is the region: its length, and nothing beside it in the folder', async () => {
    const map = numbers();
    await map.save(path);
    expect(statSync(path).size).toBe(map.toBytes().length);
    expect(new Uint8Array(readFileSync(path))).toEqual(map.toBytes());
    expect(readdirSync(folder)).toEqual(['map.offheap']);
  });

  test('mode r refuses changes; mode rw takes them to memory until the next save', async () => {
    await numbers().save(path);
    const before = readFileSync(path);
    const reader = HashMap.open<'u32', 'f64'>(path);
    throws(() => reader.set(1, 1), 'ERR_OFFHEAP_UNSUPPORTED', /mode r/);
    const writer = HashMap.open<'u32', 'f64'>(path, { mode: 'rw' });
    const handle = writer.handleOf(7)!;
    expect(writer.stats().origin).toBe('file');
    writer.set(1, 1).delete(0);
    for (let i = 0; i < 10_000; i++) writer.set(i + 1_000_000, i);
    expect(writer.stats().origin).toBe('heap');
    expect(writer.getByHandle(handle)).toBe(1.5);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(reader.size).toBe(1000);
    await writer.save(path);
    expect(reader.get(1)).toBe(undefined); // still the old file
    expect(HashMap.open<'u32', 'f64'>(path).get(1)).toBe(1);
    throws(() => HashMap.open(path, { mode: 'w' as 'r' }), 'ERR_OFFHEAP_TYPE');
  });

  test('save is of the moment it was called', async () => {
    const map = numbers(200_000);
    const saving = map.save(path);
    map.clear();
    await saving;
    expect(HashMap.open(path).size).toBe(200_000);
  });

  test('files are shared by token, and a replaced one is not mistaken for it', async () => {
    await numbers().save(path);
    const map = HashMap.open<'u32', 'f64'>(path);
    const token = structuredClone(map.share());
    expect(HashMap.attach<'u32', 'f64'>(token).get(7)).toBe(1.5);
    await numbers(5).save(path);
    throws(() => HashMap.attach(token), 'ERR_OFFHEAP_STALE');
    expect(map.size).toBe(1000);
  });
});

describe('a save that fails, or a file that disappears', () => {
  test('progress is reported, and an abort leaves the old file and nothing else', async () => {
    await numbers(10).save(path);
    const map = numbers(1_200_000);
    const steps: number[] = [];
    const controller = new AbortController();
    const aborted = map.save(path, {
      signal: controller.signal,
      onProgress: ({ done, total }) => {
        steps.push(done / total);
        controller.abort(new Error('enough'));
      },
    });
    await expect(aborted).rejects.toThrow('enough');
    expect(steps.length).toBe(1);
    await expect(map.save(path, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    await expect(
      map.save(path, {
        onProgress: () => {
          throw new Error('mine');
        },
      }),
    ).rejects.toThrow('mine');
    expect(HashMap.open(path).size).toBe(10);
    expect(readdirSync(folder)).toEqual(['map.offheap']);
    steps.length = 0;
    await map.save(path, { onProgress: ({ done, total }) => steps.push(done / total) });
    expect(steps.at(-1)).toBe(1);
    expect(steps.length).toBeGreaterThan(1);
  });

  test('folders that are missing, paths that are none, values that are not saved', async () => {
    const map = numbers(3);
    expect((await rejected(map.save(join(folder, 'no', 'where')))).code).toBe('ERR_OFFHEAP_IO');
    mkdirSync(join(folder, 'sub'), { recursive: true });
    expect((await rejected(map.save(join(folder, 'sub')))).code).toBe('ERR_OFFHEAP_IO');
    rmSync(join(folder, 'sub'), { recursive: true });
    for (const bad of ['', 'a\0b', 5, null] as string[]) {
      expect((await rejected(map.save(bad))).code).toBe('ERR_OFFHEAP_TYPE');
      throws(() => HashMap.open(bad), 'ERR_OFFHEAP_TYPE');
    }
    const any = new HashMap({ key: 'u32', value: 'any' }, [[1, () => 1]]);
    expect((await rejected(any.save(path))).code).toBe('ERR_OFFHEAP_UNSUPPORTED');
    map.close();
    expect((await rejected(map.save(path))).code).toBe('ERR_OFFHEAP_CLOSED');
    expect(readdirSync(folder)).toEqual([]);
  });

  test.runIf(process.platform === 'linux')('a full disk is an error, and the old file stays', async () => {
    const map = numbers(1000);
    // Files of this process may not exceed 4 KiB: the write fails as on a full disk.
    const built = new URL('../../dist/hashmap/index.js', import.meta.url).href;
    await map.save(path);
    const script = `import { HashMap } from '${built}';
      const map = new HashMap({ key: 'u32', value: 'f64' }); for (let i = 0; i < 10000; i++) map.set(i, i);
      process.on('SIGXFSZ', () => undefined);
      try { await map.save(${JSON.stringify(path)}); console.log('saved'); } catch (error) { console.log(error.code, error.cause.code); }`;
    const said = execFileSync(
      'sh',
      ['-c', 'ulimit -f 8; exec "$0" --input-type=module -e "$1"', process.execPath, script],
      {
        encoding: 'utf8',
      },
    );
    expect(said).toBe('ERR_OFFHEAP_IO EFBIG\n');
    expect(HashMap.open(path).size).toBe(1000);
    expect(readdirSync(folder)).toEqual(['map.offheap']);
  });

  test('two saves to one path: one of them wins, whole', async () => {
    await Promise.all([numbers(100_000).save(path), numbers(50_000).save(path)]);
    const map = HashMap.open(path);
    map.validate();
    expect([50_000, 100_000]).toContain(map.size);
    expect(readdirSync(folder)).toEqual(['map.offheap']);
  });

  test.runIf(process.platform === 'linux')('a file that shrinks under its map', async () => {
    await numbers(100_000).save(path);
    const map = HashMap.open<'u32', 'f64'>(path);
    expect(map.get(7)).toBe(1.5);
    truncateSync(path, 4096);
    throws(
      () => {
        for (let i = 0; i < 100_000; i++) map.get(i * 7);
      },
      'ERR_OFFHEAP_IO',
      /truncated/,
    );
    throws(() => map.toBytes(), 'ERR_OFFHEAP_IO');
    throws(() => map.columns(), 'ERR_OFFHEAP_IO');
    map.close();
    writeFileSync(path, readFileSync(path).subarray(0, 100));
    throws(() => HashMap.open(path), 'ERR_OFFHEAP_CORRUPT');
  });

  test('opening and closing leaves no mappings', async () => {
    await numbers(1000).save(path);
    const before = native().fileMappings(); // of the tests above, which did not close all theirs
    for (let i = 0; i < 300; i++) {
      const map = HashMap.open<'u32', 'f64'>(path);
      expect(map.get(7)).toBe(1.5);
      map.close();
      map.close();
    }
    for (let i = 0; i < 100; i++) {
      writeFileSync(path, 'x'.repeat(512));
      throws(() => HashMap.open(path), 'ERR_OFFHEAP_CORRUPT');
    }
    // Mappings go when their buffers are collected, or before.
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    for (let i = 0; i < 20 && native().fileMappings() > before; i++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(native().fileMappings()).toBeLessThanOrEqual(before);
  });
});
