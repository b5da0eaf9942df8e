/** Maps in files: processes, workers, options, damaged files, and files that change while open. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { SharedMap, type AnyShared } from './samples.js';

const dist = join(packageRoot(), 'dist');
const script = new URL('./process.mjs', import.meta.url).pathname;
const OPTIONS = { key: 'string', value: 'structured', maxBytes: 1 << 20 } as const;

let folder: string;
let path: string;
const opened: AnyShared[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'offheap-map-'));
  path = join(folder, 'map');
});
afterEach(() => {
  for (const map of opened.splice(0)) map.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(options: object = OPTIONS, file: string | URL | Buffer = path): AnyShared {
  const map: AnyShared = SharedMap.open(file, options);
  opened.push(map);
  return map;
}

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, [script, dist, path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function output(child: ChildProcess): Promise<string> {
  const [text] = await once(child.stdout!, 'data');
  return String(text);
}

describe.skipIf(process.platform !== 'linux')('a map in a file', () => {
  it('is created once, and has its entries when it is opened again', () => {
    const map = open();
    map.set('a', { list: [1, 2] }).set('b', new Map([[1, 2]]));
    expect(map.repaired).toBeUndefined();
    expect(statSync(path).size).toBe(map.byteLength);
    map.close();
    expect(() => map.get('a')).toThrow(expect.objectContaining({ code: 'ERR_OFFHEAP_CLOSED' }));
    const again = open({ create: false });
    expect([...again.entries()].sort()).toEqual([
      ['a', { list: [1, 2] }],
      ['b', new Map([[1, 2]])],
    ]);
    expect(again.maxBytes).toBe(1 << 20);
    again.validate();
    expect(readdirSync(folder)).toEqual(['map']);
  });

  it('is shared with another process', () => {
    const map = open();
    const { stdout, status } = spawnSync(process.execPath, [script, dist, path, 'fill'], {
      encoding: 'utf8',
    });
    expect([stdout, status]).toEqual(['2', 0]);
    expect(map.size).toBe(1000);
    expect(map.get('key 999')).toEqual({ i: 999 });
    expect(map.stats().participants).toBe(1);
  });

  it('is shared with workers, each of which is a participant until it ends', async () => {
    const map: AnyShared = open({ key: 'u32', value: 'u32', maxBytes: 1 << 20 });
    const worker = (role: string): Worker =>
      new Worker(new URL('./worker.mjs', import.meta.url), {
        workerData: { dist, token: map.share(), role, seed: 1, rounds: 5000, keys: 7, stop },
      });
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const workers = [worker('count'), worker('count')];
    await Promise.all(workers.map(async (each) => once(each, 'message')));
    expect([...map.values()].reduce((sum: number, value: number) => sum + value, 0)).toBe(10_000);
    map.clear();
    await Promise.all(workers.map(async (each) => each.terminate()));
    for (let round = 0; round < 5; round++) {
      const busy: AnyShared = open({ key: 'u32', value: 'string', maxBytes: 1 << 20 }, join(folder, 'busy'));
      const other = new Worker(new URL('./worker.mjs', import.meta.url), {
        workerData: { dist, token: busy.share(), role: 'churn', seed: round, keys: 200, stop },
      });
      await once(other, 'message');
      expect(busy.stats().participants).toBe(2);
      await other.terminate();
      expect(busy.stats().participants).toBe(1);
      busy.validate();
      busy.close();
    }
  });

  it('cannot be attached after its last attachment in the process was closed', () => {
    const map = open();
    const token = map.share();
    const second: AnyShared = SharedMap.attach(token);
    map.close();
    second.set('a', 1);
    expect(second.get('a')).toBe(1);
    second.close();
    expect(() => SharedMap.attach(token)).toThrow(expect.objectContaining({ code: 'ERR_OFFHEAP_CLOSED' }));
    expect(open().get('a')).toBe(1);
  });

  it('loses nothing, and stays usable, when processes are killed', { timeout: 60_000 }, async () => {
    const map = open();
    for (let i = 0; i < 100; i++) map.set(`kept ${i}`, i);
    let seed = 1;
    const begin = async (): Promise<ChildProcess> => {
      const child = start('churn', String(seed++));
      expect(await output(child)).toBe('started');
      return child;
    };
    const children = await Promise.all([begin(), begin(), begin()]);
    for (let round = 0; round < 10; round++) {
      const victim = children[round % 3];
      expect(victim.exitCode).toBeNull();
      victim.kill('SIGKILL');
      await once(victim, 'exit');
      for (let i = 0; i < 100; i++) expect(map.get(`kept ${i}`)).toBe(i);
      map.set('last', round);
      children[round % 3] = await begin();
    }
    for (const child of children) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    map.validate();
    expect(map.stats().participants).toBe(1);
    expect(map.stats().evictions).toBe(0);
  });

  it('refuses more participants than it has slots', async () => {
    open({ ...OPTIONS, maxBytes: 65_536 });
    const child = start('crowd');
    expect(await output(child)).toBe('ERR_OFFHEAP_FULL 15');
    expect(() => open()).toThrow(expect.objectContaining({ code: 'ERR_OFFHEAP_RANGE' }));
    expect(() => open({})).toThrow(expect.objectContaining({ code: 'ERR_OFFHEAP_FULL' }));
    child.kill('SIGKILL');
    await once(child, 'exit');
    open({}).set('a', 1);
  });

  it('opened for reading shows changes, stores nothing, and refuses changes', () => {
    const map = open();
    map.set('a', 1);
    const reader = open({ mode: 'r' });
    const before = readFileSync(path);
    expect(reader.get('a')).toBe(1);
    expect(reader.get('b')).toBeUndefined();
    expect([...reader.keys()]).toEqual(['a']);
    expect(reader.size).toBe(1);
    expect(reader.stats().participants).toBe(1);
    for (const change of [
      () => reader.set('a', 2),
      () => reader.delete('a'),
      () => reader.clear(),
      () => reader.touch('a', { ttl: 1000 }),
      () => reader.getAndDelete('a'),
    ]) {
      expect(change).toThrow(expect.objectContaining({ code: 'ERR_OFFHEAP_UNSUPPORTED' }));
    }
    expect(readFileSync(path).equals(before)).toBe(true);
    for (let i = 0; i < 1000; i++) {
      map.set(`key ${i}`, i);
      expect(reader.get(`key ${i}`)).toBe(i);
    }
    // A reader remains one in another thread.
    const second: AnyShared = SharedMap.attach(reader.share());
    expect(second.get('key 5')).toBe(5);
    expect(() => second.set('a', 1)).toThrow(expect.objectContaining({ code: 'ERR_OFFHEAP_UNSUPPORTED' }));
    second.close();
  });

  it.skipIf(process.getuid?.() === 0)('without permission to write can be opened for reading only', () => {
    open().set('a', 1);
    chmodSync(path, 0o400);
    expect(() => open()).toThrow(expect.objectContaining({ code: 'ERR_OFFHEAP_IO' }));
    expect(open({ mode: 'r' }).get('a')).toBe(1);
  });

  it('refuses other types, another bound and other options', () => {
    open({ ...OPTIONS, policy: 'lru', ttl: 1000 });
    const refused = (options: object, code: string, text: string): void => {
      const message = expect.stringContaining(text);
      expect(() => open(options)).toThrow(expect.objectContaining({ code, message }));
    };
    refused({ ...OPTIONS, key: 'u32' }, 'ERR_OFFHEAP_TYPE', path);
    refused({ value: 'json' }, 'ERR_OFFHEAP_TYPE', path);
    refused({ maxBytes: 1 << 21 }, 'ERR_OFFHEAP_RANGE', '2097152');
    refused({ policy: 'fifo' }, 'ERR_OFFHEAP_TYPE', '"lru"');
    refused({ onFull: 'reject' }, 'ERR_OFFHEAP_TYPE', 'onFull');
    refused({ ttl: 2000 }, 'ERR_OFFHEAP_RANGE', '1000');
    refused({ mode: 'w' }, 'ERR_OFFHEAP_TYPE', 'mode');
    refused({ mode: 'r', create: true }, 'ERR_OFFHEAP_TYPE', 'mode');
    refused({ hugePages: true }, 'ERR_OFFHEAP_TYPE', 'hugePages');
    expect(open({ policy: 'lru', ttl: 1000, onFull: 'evict' }).stats().participants).toBe(2);
  });

  it('is not created without its types and its bound', () => {
    const missing = expect.objectContaining({
      code: 'ERR_OFFHEAP_TYPE',
      message: expect.stringContaining('maxBytes'),
    });
    expect(() => open({})).toThrow(missing);
    expect(() => open({ key: 'u32', value: 'u32' })).toThrow(missing);
    expect(() => open({ ...OPTIONS, create: false })).toThrow(
      expect.objectContaining({ code: 'ERR_OFFHEAP_IO' }),
    );
    expect(() => open({ mode: 'r' })).toThrow(expect.objectContaining({ code: 'ERR_OFFHEAP_IO' }));
    expect(existsSync(path)).toBe(false);
  });

  it('is refused if it is damaged, half written, or something else', () => {
    const map = open();
    map.set('a', 1);
    map.close();
    const whole = readFileSync(path);
    const file = join(folder, 'other');
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('text'),
      whole.subarray(0, whole.length / 2),
      Buffer.concat([whole, Buffer.alloc(64)]),
      Buffer.alloc(whole.length),
    ]) {
      writeFileSync(file, bytes);
      expect(() => open(OPTIONS, file)).toThrow(expect.objectContaining({ code: 'ERR_OFFHEAP_CORRUPT' }));
    }
    for (const other of [folder, '/proc/self/maps', '/dev/null']) {
      expect(() => open(OPTIONS, other)).toThrow(expect.objectContaining({ code: 'ERR_OFFHEAP_IO' }));
    }
    symlinkSync(join(folder, 'nothing'), join(folder, 'dangling'));
    expect(() => open(OPTIONS, join(folder, 'dangling'))).toThrow(
      expect.objectContaining({ code: 'ERR_OFFHEAP_IO' }),
    );
  });

  it('that was open when the machine stopped is refused, and can be repaired', () => {
    const map = open({ key: 'u32', value: 'string', maxBytes: 1 << 20 });
    for (let i = 0; i < 100; i++) map.set(i, `value ${i}`);
    map.close();
    const bytes = readFileSync(path);
    bytes.writeUInt32LE(1, 256); // in use
    bytes[264] ^= 1; // since another boot
    bytes[bytes.indexOf('value 17')] ^= 1;
    writeFileSync(path, bytes);
    for (const options of [{}, { mode: 'r' }]) {
      expect(() => open(options)).toThrow(
        expect.objectContaining({ code: 'ERR_OFFHEAP_CORRUPT', message: expect.stringContaining('repair') }),
      );
    }
    const repaired = open({ repair: true });
    expect(repaired.repaired).toEqual({ kept: 99, lost: 1 });
    expect([repaired.size, repaired.get(17), repaired.get(18)]).toEqual([99, undefined, 'value 18']);
    repaired.validate();
    expect(open({}).repaired).toBeUndefined();
  });

  it('may be renamed, replaced or removed while it is open', () => {
    const map = open();
    map.set('a', 1);
    renameSync(path, join(folder, 'renamed'));
    const other = open();
    expect(other.get('a')).toBeUndefined();
    rmSync(join(folder, 'renamed'));
    const second: AnyShared = SharedMap.attach(map.share());
    second.set('b', 2);
    expect(map.get('b')).toBe(2);
    second.close();
  });

  it('reports that it was truncated while it was open, and does not crash', () => {
    const map = open();
    for (let i = 0; i < 1000; i++) map.set(`key ${i}`, 'x'.repeat(100));
    truncateSync(path, 4096);
    for (let i = 0; i < 1000; i++) {
      try {
        expect([undefined, 'x'.repeat(100)]).toContain(map.get(`key ${i}`));
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_OFFHEAP_IO' });
      }
    }
    const lost = expect.objectContaining({ code: 'ERR_OFFHEAP_IO' });
    expect(() => map.set('a', 1)).toThrow(lost);
    expect(() => map.validate()).toThrow(lost);
    map.close();
    expect(statSync(path).size).toBe(4096);
  });

  it('may be given as a URL or a Buffer, and reached through a link', () => {
    open(OPTIONS, pathToFileURL(path)).set('a', 1);
    expect(open({}, Buffer.from(path)).get('a')).toBe(1);
    symlinkSync(path, join(folder, 'link'));
    expect(open({}, join(folder, 'link')).get('a')).toBe(1);
    for (const wrong of ['', 'a\0b', 5, null]) {
      expect(() => open({}, wrong as string)).toThrow(expect.objectContaining({ code: 'ERR_OFFHEAP_TYPE' }));
    }
  });

  it('can be copied while no process has it open', () => {
    const map = open();
    for (let i = 0; i < 500; i++) map.set(`key ${i}`, i);
    map.close();
    copyFileSync(path, join(folder, 'copy'));
    const copy = open({}, join(folder, 'copy'));
    expect(copy.size).toBe(500);
    copy.validate();
  });
});
