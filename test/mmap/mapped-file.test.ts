/**
 * MappedFile: every strategy shows the same bytes, survives changes of its file, and rejects bad
 * arguments.
 */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { MappedFile, MmapVector, type Strategy } from '../../src/mmap/index.js';
import { packageRoot } from '../../src/native.js';
import { throws } from '../helpers/errors.js';
import { Random } from '../helpers/random.js';

const PAGE = 65536; // A multiple of every page size there is.
const folder = mkdtempSync(join(tmpdir(), 'offheap-mapped-'));
/** A folder in a memory file system, on Linux. */
const memory = existsSync('/dev/shm') ? mkdtempSync('/dev/shm/offheap-mapped-') : folder;
afterAll(() => {
  for (const made of [folder, memory]) rmSync(made, { recursive: true, force: true });
});

let files = 0;
function file(content: Uint8Array | number): string {
  const path = join(folder, `file ${files++}`);
  writeFileSync(path, typeof content === 'number' ? noise(content) : content);
  return path;
}

function noise(length: number): Buffer {
  const random = new Random(length + 1);
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i += 1 + (i >> 6)) bytes[i] = random.below(256);
  return bytes;
}

const STRATEGIES: Strategy[] = ['buffered', 'mmap', 'hugepage', 'copy'];
const MAPS: Strategy[] = ['mmap', 'hugepage'];

describe('the contents', () => {
  it.each(STRATEGIES)('are those of the file, by %s', (strategy) => {
    for (const length of [0, 1, 4095, 4096, 4097, PAGE, PAGE * 3 + 17]) {
      const path = file(length);
      using mapped = MappedFile.open(path, { strategy });
      expect(mapped.size).toBe(length);
      expect(mapped.bytes).toHaveLength(length);
      expect(Buffer.compare(mapped.bytes, readFileSync(path))).toBe(0);
      const part = mapped.slice(length >> 1, length - (length >> 1));
      expect(Buffer.compare(part, readFileSync(path).subarray(length >> 1))).toBe(0);
      if (length > 0) expect(part.buffer).toBe(mapped.bytes.buffer);
      mapped.check();
    }
  });

  it('are read by the strategy that suits the size, or the requested one', () => {
    const options = { bufferedUpTo: 1000, hugeFrom: 1 << 20 };
    const strategy = (length: number, more: object = {}): Strategy => {
      using mapped = MappedFile.open(file(length), { ...options, ...more });
      expect(mapped.stats().strategy).toBe(mapped.strategy);
      return mapped.strategy;
    };
    expect(strategy(1000)).toBe('buffered');
    expect(strategy(1001)).toBe('mmap');
    expect(strategy(500, { mode: 'rw' })).toBe('mmap');
    expect(strategy(5000, { strategy: 'copy' })).toBe('copy');
    expect(strategy(5000, { strategy: 'buffered' })).toBe('buffered');
    expect(strategy(500, { strategy: 'mmap' })).toBe('mmap');
    expect(strategy(0, { strategy: 'mmap' })).toBe('buffered');
    // The actual strategy depends on whether the file system has huge pages.
    expect(['mmap', 'hugepage']).toContain(strategy(1 << 20));
  });

  it('can be inspected, advised, prefetched and locked', () => {
    for (const strategy of STRATEGIES) {
      using mapped = MappedFile.open(file(PAGE * 4), { strategy, pattern: 'sequential', populate: true });
      const maps = MAPS.includes(strategy);
      const pages = mapped.residentPages();
      expect(pages).toBeGreaterThan(0);
      expect(mapped.prefetch(PAGE, PAGE)).toBe(maps && process.platform !== 'win32');
      expect(mapped.prefetch(0, 0)).toBeTypeOf('boolean');
      for (const pattern of ['random', 'mixed', 'unknown', 'sequential'] as const) {
        expect(mapped.advise(pattern)).toBeTypeOf('boolean');
        expect(mapped.stats().pattern).toBe(pattern);
      }
      mapped.lock();
      expect(mapped.stats().locked).toBe(true);
      mapped.unlock();
      expect(mapped.stats().locked).toBe(false);
    }
  });

  it('are summarized by inspect', () => {
    const mapped = MappedFile.open(file(100));
    expect(inspect(mapped)).toMatch(/MappedFile \{.*size: 100.*strategy: 'buffered'/s);
    expect(Object.prototype.toString.call(mapped)).toBe('[object MappedFile]');
    mapped.close();
    expect(inspect(mapped)).toBe('MappedFile { closed }');
  });
});

describe('readMany', () => {
  it.each(STRATEGIES)('returns the bytes of slices, by %s', (strategy) => {
    const length = PAGE * 3 + 17;
    using mapped = MappedFile.open(file(length), { strategy });
    const random = new Random(5);
    for (const each of [0, 1, 8, 15, 64, 100, 300, PAGE]) {
      const offsets = Array.from({ length: 300 }, () => random.below(length - each + 1));
      offsets.push(length - each, 0);
      const expected = Buffer.concat(offsets.map((offset) => mapped.slice(offset, each)));
      for (const places of [
        offsets,
        Float64Array.from(offsets),
        Uint32Array.from(offsets),
        new Set(offsets),
      ]) {
        const found = mapped.readMany(places, each);
        if (places instanceof Set) expect(found).toHaveLength(places.size * each);
        else expect(Buffer.compare(found, expected)).toBe(0);
        expect(found.constructor).toBe(Uint8Array);
      }
      const out = new Uint8Array(expected.length + 10).fill(0xee);
      expect(mapped.readMany(Float64Array.from(offsets), each, out)).toBe(out);
      expect(Buffer.compare(out.subarray(0, expected.length), expected)).toBe(0);
      expect(out.subarray(expected.length).every((byte) => byte === 0xee)).toBe(true);
    }
    expect(mapped.readMany([], 10)).toHaveLength(0);
    // The target may be the file itself.
    const { bytes } = mapped;
    const before = bytes.slice();
    mapped.readMany([1, 2], 100, bytes);
    expect([...bytes.subarray(100, 200)]).not.toEqual([...before.subarray(100, 200)]);
  });

  it('writes nothing if one of the offsets is invalid', () => {
    const mapped = MappedFile.open(file(100));
    const out = new Uint8Array(16).fill(7);
    for (const offset of [-1, 93, 0.5, NaN, Infinity, 2 ** 53, 2 ** 64]) {
      throws(() => mapped.readMany([0, offset], 8, out), 'ERR_OFFHEAP_RANGE', /offsets\[1\]/);
    }
    throws(() => mapped.readMany([0], 101), 'ERR_OFFHEAP_RANGE');
    throws(() => mapped.readMany([0], 2 ** 52), 'ERR_OFFHEAP_RANGE');
    throws(() => mapped.readMany([0], -1), 'ERR_OFFHEAP_RANGE');
    throws(() => mapped.readMany([0, 0, 0], 8, out), 'ERR_OFFHEAP_RANGE', /out holds 16/);
    throws(() => mapped.readMany(['0'] as never, 8), 'ERR_OFFHEAP_TYPE');
    throws(() => mapped.readMany(7 as never, 8), 'ERR_OFFHEAP_TYPE');
    throws(() => mapped.readMany([0], '8' as never), 'ERR_OFFHEAP_TYPE');
    throws(() => mapped.readMany([0], 8, [] as never), 'ERR_OFFHEAP_TYPE');
    throws(() => mapped.readMany([0], 8, new Uint16Array(8) as never), 'ERR_OFFHEAP_TYPE');
    expect([...out]).toEqual(new Array(16).fill(7));
    const closes = {
      *[Symbol.iterator]() {
        mapped.close();
        yield 0;
      },
    };
    throws(() => mapped.readMany(closes, 8, out), 'ERR_OFFHEAP_CLOSED');
  });

  it('reads beyond 4 GiB where buffers can be that large', () => {
    const path = file(0);
    truncateSync(path, 5 * 2 ** 30);
    appendFileSync(path, 'hello');
    // A file that is too large for Node 20 is rejected, not truncated.
    if (Number(process.versions.node.split('.')[0]) < 22) {
      throws(() => MappedFile.open(path), 'ERR_OFFHEAP_OOM');
    } else {
      using mapped = MappedFile.open(path, { pattern: 'random' });
      expect(mapped.size).toBe(5 * 2 ** 30 + 5);
      const found = mapped.readMany([5 * 2 ** 30, 2 ** 32 - 2], 5);
      expect(Buffer.from(found).toString('latin1')).toBe('hello\0\0\0\0\0');
      expect(mapped.cursor(5 * 2 ** 30).readString(5)).toBe('hello');
    }
    unlinkSync(path);
  });

  it.each(MAPS)('throws if the file was truncated, by %s', (strategy) => {
    const path = file(Buffer.alloc(PAGE * 4, 7));
    using mapped = MappedFile.open(path, { strategy });
    truncateSync(path, PAGE);
    throws(() => mapped.readMany([0], 8), 'ERR_OFFHEAP_IO');
    throws(() => mapped.readMany([PAGE * 3], 8), 'ERR_OFFHEAP_IO');
  });
});

describe('closing', () => {
  it.each(STRATEGIES)('keeps slices valid, by %s', (strategy) => {
    const path = file(PAGE * 2);
    const expected = readFileSync(path);
    const mapped = MappedFile.open(path, { strategy });
    const slice = mapped.slice(PAGE - 5, 100);
    const { bytes } = mapped;
    mapped.close();
    mapped.close();
    unlinkSync(path);
    expect(Buffer.compare(slice, expected.subarray(PAGE - 5, PAGE + 95))).toBe(0);
    expect(Buffer.compare(bytes, expected)).toBe(0);
  });

  it('makes every other operation throw', () => {
    const mapped = MappedFile.open(file(100));
    const cursor = mapped.cursor();
    mapped.close();
    const operations: (() => unknown)[] = [
      () => mapped.size,
      () => mapped.strategy,
      () => mapped.bytes,
      () => mapped.slice(0, 1),
      () => mapped.check(),
      () => mapped.readMany([0], 1),
      () => mapped.prefetch(0, 1),
      () => mapped.advise('random'),
      () => mapped.lock(),
      () => mapped.unlock(),
      () => mapped.residentPages(),
      () => mapped.flush(),
      () => mapped.refresh(),
      () => mapped.cursor(),
      () => mapped.stats(),
      () => cursor.readU8(),
      () => cursor.readVarint(),
      () => cursor.readString(1),
      () => cursor.seek(0),
      () => cursor.remaining,
    ];
    for (const operation of operations) throws(operation, 'ERR_OFFHEAP_CLOSED');
  });

  it('releases the memory with the last slice', { timeout: 60_000 }, () => {
    const script = `
      import { MappedFile } from ${JSON.stringify(join(packageRoot(), 'dist', 'mmap', 'index.js'))};
      import { readFileSync } from 'node:fs';
      const path = process.argv[1];
      const mapped = () => readFileSync('/proc/self/maps', 'utf8').split('\\n').filter((line) => line.endsWith(path)).length;
      let slices = [];
      for (let i = 0; i < 200; i++) {
        const file = MappedFile.open(path, { strategy: 'mmap' });
        if (i % 2 === 0) slices.push(file.slice(4096, 10));
        if (i % 3 !== 0) file.close();
      }
      const before = mapped();
      if (slices.some((slice) => slice[0] !== 7)) process.exit(2);
      slices = [];
      for (let i = 0; i < 50 && mapped() > 0; i++) {
        gc();
        await new Promise((resolve) => setImmediate(resolve));
      }
      console.log(JSON.stringify([before, mapped()]));
    `;
    const path = file(Buffer.alloc(PAGE, 7));
    if (process.platform !== 'linux') return;
    const args = ['--expose-gc', '--input-type=module', '-e', script, path];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    const [before, after] = JSON.parse(stdout) as [number, number];
    expect(before).toBeGreaterThan(100);
    expect(after).toBeLessThan(4);
  });
});

describe('writing', () => {
  it.each(STRATEGIES)('reaches the file, by %s', (strategy) => {
    const path = file(PAGE + 10);
    using mapped = MappedFile.open(path, { strategy, mode: 'rw' });
    mapped.bytes.set([1, 2, 3], PAGE + 7);
    mapped.flush();
    expect([...readFileSync(path).subarray(-3)]).toEqual([1, 2, 3]);
    expect(readFileSync(path)).toHaveLength(PAGE + 10);
  });

  it.each(STRATEGIES)('to a file opened with mode r stays private, by %s', (strategy) => {
    const path = file(PAGE);
    const before = readFileSync(path);
    using mapped = MappedFile.open(path, { strategy });
    mapped.bytes.fill(255);
    throws(() => mapped.flush(), 'ERR_OFFHEAP_UNSUPPORTED');
    expect(Buffer.compare(readFileSync(path), before)).toBe(0);
  });
});

describe('a file that changes', () => {
  it.each(STRATEGIES)(
    'is complete after refresh(), while old slices keep their contents, by %s',
    (strategy) => {
      const path = file(Buffer.alloc(PAGE, 7));
      using mapped = MappedFile.open(path, { strategy });
      const cursor = mapped.cursor(PAGE);
      const old = mapped.slice(0, PAGE);
      expect(mapped.refresh()).toBe(PAGE);
      appendFileSync(path, Buffer.alloc(PAGE * 2 + 5, 9));
      expect(mapped.size).toBe(PAGE);
      expect(cursor.remaining).toBe(0);
      expect(mapped.refresh()).toBe(PAGE * 3 + 5);
      expect(mapped.bytes[PAGE * 3 + 4]).toBe(9);
      expect(old.every((byte) => byte === 7)).toBe(true);
      // Cursors see it too.
      expect(cursor.remaining).toBe(PAGE * 2 + 5);
      expect(cursor.readU8()).toBe(9);
    },
  );

  it('can grow from empty, and past the limits of the strategies', () => {
    const path = file(0);
    using mapped = MappedFile.open(path, { bufferedUpTo: 10 });
    expect(mapped.strategy).toBe('buffered');
    appendFileSync(path, 'short');
    mapped.refresh();
    expect(mapped.cursor().readString(5)).toBe('short');
    appendFileSync(path, 'and now long');
    mapped.refresh();
    expect(mapped.strategy).toBe('mmap');
    expect(mapped.cursor().readString(17)).toBe('shortand now long');
  });

  it.each(MAPS)('by truncation gives zeros and an error, by %s', (strategy) => {
    const path = file(Buffer.alloc(PAGE * 4, 7));
    using mapped = MappedFile.open(path, { strategy });
    const cursor = mapped.cursor();
    const { bytes } = mapped;
    truncateSync(path, PAGE);
    throws(() => mapped.slice(0, 10), 'ERR_OFFHEAP_IO', /truncated/);
    throws(() => mapped.check(), 'ERR_OFFHEAP_IO', /truncated/);
    throws(() => mapped.cursor(), 'ERR_OFFHEAP_IO');
    throws(() => cursor.seek(3), 'ERR_OFFHEAP_IO');
    expect(bytes[PAGE * 3]).toBe(0);
    expect(bytes[10]).toBe(7);
    throws(() => mapped.check(), 'ERR_OFFHEAP_IO');
    // Refreshing repairs it.
    expect(mapped.refresh()).toBe(PAGE);
    mapped.check();
    expect(cursor.seek(PAGE - 1).readU8()).toBe(7);
    throws(() => cursor.seek(PAGE + 1), 'ERR_OFFHEAP_RANGE');
  });

  it.runIf(existsSync('/dev/shm')).each(MAPS)('stays registered if a refresh fails, by %s', (strategy) => {
    // A file in memory can be longer than the address space. Some releases of Node map a file of
    // 2^43 bytes on a disk.
    const path = join(memory, strategy);
    writeFileSync(path, Buffer.alloc(PAGE * 4, 7));
    using mapped = MappedFile.open(path, { strategy });
    const { bytes } = mapped;
    truncateSync(path, 2 ** 50);
    throws(() => mapped.refresh(), 'ERR_OFFHEAP_OOM');
    mapped.check();
    expect(mapped.bytes).toBe(bytes);
    truncateSync(path, PAGE);
    throws(() => mapped.check(), 'ERR_OFFHEAP_IO');
    expect(bytes[PAGE * 2]).toBe(0);
    expect(mapped.refresh()).toBe(PAGE);
  });

  it('is found again by its path, from any folder', () => {
    const path = file(10);
    const home = process.cwd();
    const mapped = MappedFile.open(relative(home, path));
    unlinkSync(path);
    throws(() => mapped.refresh(), 'ERR_OFFHEAP_IO');
    expect(mapped.bytes).toHaveLength(10);
    writeFileSync(path, 'another');
    expect(mapped.refresh()).toBe(7);
    expect(mapped.cursor().readString(7)).toBe('another');
    mapped.close();
    throws(() => mapped.refresh(), 'ERR_OFFHEAP_CLOSED');
  });

  it.each(['copy', 'buffered'] as const)('by truncation does not affect the strategy %s', (strategy) => {
    const path = file(Buffer.alloc(PAGE * 4, 7));
    using mapped = MappedFile.open(path, { strategy });
    truncateSync(path, 1);
    mapped.check();
    expect(mapped.bytes.every((byte) => byte === 7)).toBe(true);
    expect(mapped.slice(PAGE, 1)[0]).toBe(7);
  });
});

describe('small files', () => {
  it('have separate bytes in one buffer', () => {
    const random = new Random(9);
    const opened = Array.from({ length: 60 }, (_, i) => {
      const content = noise(i === 0 ? 0 : random.below(6000));
      return { content, mapped: MappedFile.open(file(content)) };
    });
    for (const { content, mapped } of opened) {
      expect(mapped.strategy).toBe('buffered');
      expect(Buffer.compare(mapped.bytes, content)).toBe(0);
      // So that any typed array can view them.
      expect(mapped.bytes.byteOffset % 8).toBe(0);
    }
    // A store to one is not visible in another.
    for (const { content, mapped } of opened) {
      mapped.bytes.fill(255);
      content.fill(255);
      for (const other of opened) expect(Buffer.compare(other.mapped.bytes, other.content)).toBe(0);
    }
    for (const { mapped } of opened) mapped.close();
  });

  it('keep their bytes if the shared buffer is transferred', () => {
    using mapped = MappedFile.open(file(100));
    const buffer = mapped.bytes.buffer as ArrayBuffer & { transfer?(): ArrayBuffer };
    const before = Buffer.from(mapped.bytes);
    try {
      structuredClone(buffer, { transfer: [buffer] });
    } catch (error) {
      expect((error as Error).name).toBe('DataCloneError');
    }
    expect(Buffer.compare(mapped.bytes, before)).toBe(0);
    // Newer releases have `transfer`, which some refuse. Where it succeeds, later files are not
    // affected.
    try {
      buffer.transfer?.();
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError);
    }
    using next = MappedFile.open(file(100));
    expect(Buffer.compare(next.bytes, before)).toBe(0);
  });
});

describe('bad arguments', () => {
  it('are rejected by open()', () => {
    const path = file(10);
    throws(() => MappedFile.open(''), 'ERR_OFFHEAP_TYPE');
    throws(() => MappedFile.open('a\0b'), 'ERR_OFFHEAP_TYPE');
    throws(() => MappedFile.open(7 as never), 'ERR_OFFHEAP_TYPE');
    throws(() => MappedFile.open(path, { mode: 'w' as never }), 'ERR_OFFHEAP_TYPE');
    throws(() => MappedFile.open(path, { pattern: 'backwards' as never }), 'ERR_OFFHEAP_TYPE');
    throws(() => MappedFile.open(path, { strategy: 'auto' as never }), 'ERR_OFFHEAP_TYPE');
    throws(() => MappedFile.open(path, { lock: 1 as never }), 'ERR_OFFHEAP_TYPE');
    throws(() => MappedFile.open(path, { populate: 'yes' as never }), 'ERR_OFFHEAP_TYPE');
    throws(() => MappedFile.open(path, { bufferedUpTo: -1 }), 'ERR_OFFHEAP_RANGE');
    throws(() => MappedFile.open(path, { hugeFrom: NaN }), 'ERR_OFFHEAP_RANGE');
    throws(() => MappedFile.open(path, { size: 3 } as never), 'ERR_OFFHEAP_TYPE', /unknown option/);
    throws(() => MappedFile.open(path, null as never), 'ERR_OFFHEAP_TYPE');
  });

  it('include paths that are not regular files', () => {
    throws(() => MappedFile.open(join(folder, 'nothing')), 'ERR_OFFHEAP_IO');
    mkdirSync(join(folder, 'folder'));
    throws(() => MappedFile.open(join(folder, 'folder')), 'ERR_OFFHEAP_IO');
    if (process.platform === 'linux') throws(() => MappedFile.open('/dev/zero'), 'ERR_OFFHEAP_IO', /regular/);
  });

  it.runIf(process.platform === 'linux')('and a pipe, without waiting for it', () => {
    const pipe = join(folder, 'pipe');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    for (const mode of ['r', 'rw'] as const) {
      throws(() => MappedFile.open(pipe, { mode }), 'ERR_OFFHEAP_IO', /regular/);
      throws(() => MmapVector.open(pipe, { mode }), 'ERR_OFFHEAP_IO', /regular/);
    }
    throws(() => MmapVector.create(pipe, 'f64'), 'ERR_OFFHEAP_IO');
  });

  it('do not include links to files', () => {
    const path = file(PAGE);
    symlinkSync(path, `${path} link`);
    using mapped = MappedFile.open(`${path} link`, { strategy: 'mmap' });
    expect(Buffer.compare(mapped.bytes, readFileSync(path))).toBe(0);
    symlinkSync(`${path} circle`, `${path} circle`);
    throws(() => MappedFile.open(`${path} circle`), 'ERR_OFFHEAP_IO');
  });

  it.each([-1, 1.5, NaN, Infinity, 2 ** 53, 101])('are rejected as ranges: %s', (number) => {
    using mapped = MappedFile.open(file(100));
    throws(() => mapped.slice(number, 0), 'ERR_OFFHEAP_RANGE');
    throws(() => mapped.slice(0, number), 'ERR_OFFHEAP_RANGE');
    throws(() => mapped.prefetch(number, 0), 'ERR_OFFHEAP_RANGE');
    throws(() => mapped.prefetch(0, number), 'ERR_OFFHEAP_RANGE');
    throws(() => mapped.cursor(number), 'ERR_OFFHEAP_RANGE');
    throws(() => mapped.cursor().seek(number), 'ERR_OFFHEAP_RANGE');
    throws(() => mapped.slice('0' as never, 0), 'ERR_OFFHEAP_TYPE');
    throws(() => mapped.slice(0, undefined as never), 'ERR_OFFHEAP_TYPE');
    throws(() => mapped.advise('no' as never), 'ERR_OFFHEAP_TYPE');
  });
});

describe('the limit of locking', () => {
  const may = process.platform === 'linux' && process.getuid?.() === 0;
  it.runIf(may)('is an error that names it', { timeout: 60_000 }, () => {
    const script = `
      import { MappedFile } from ${JSON.stringify(join(packageRoot(), 'dist', 'mmap', 'index.js'))};
      const file = MappedFile.open(process.argv[1], { strategy: 'mmap' });
      process.setuid(65534);
      for (const lock of [() => file.lock(), () => MappedFile.open('/proc/self/exe', { lock: true })]) {
        try { lock(); } catch (error) { console.log(error.code, error.message); }
      }
      console.log(file.stats().locked, file.bytes.length);
    `;
    const command = `ulimit -l 64; exec "$0" --input-type=module -e "$1" "$2"`;
    const args = ['-c', command, process.execPath, script, file(PAGE * 16)];
    const { stdout, stderr, status } = spawnSync('bash', args, { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines[0]).toMatch(/^ERR_OFFHEAP_FULL .*65536.*ulimit/);
    expect(lines[1]).toMatch(/^ERR_OFFHEAP_FULL /);
    expect(lines[2]).toBe(`false ${PAGE * 16}`);
  });
});

describe('threads', () => {
  /** Opens the file in a worker, posts its bytes, and then waits or ends. */
  const script = (then: string): string => `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(({ MappedFile }) => {
      const file = MappedFile.open(workerData.path, { strategy: 'mmap' });
      parentPort.postMessage(file.bytes);
      ${then}
    });`;
  const open = (path: string, then: string): Worker =>
    new Worker(script(then), {
      eval: true,
      workerData: { path, module: join(packageRoot(), 'dist', 'mmap', 'index.js') },
    });
  const first = (worker: Worker): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });

  it(
    'keep bytes that were posted to them after the thread that opened the file ends',
    { timeout: 60_000 },
    async () => {
      const path = file(Buffer.alloc(PAGE * 3, 7));
      for (const then of ['file.close();', '', 'setInterval(() => {}, 1000);', 'for (;;) file.bytes[0];']) {
        const worker = open(path, then);
        const bytes = await first(worker);
        await worker.terminate();
        expect(bytes).toHaveLength(PAGE * 3);
        expect(bytes.every((byte) => byte === 7)).toBe(true);
      }
    },
  );

  it(
    'survive truncation of the file after the thread that opened it ended',
    { timeout: 60_000 },
    async () => {
      const path = file(Buffer.alloc(PAGE * 3, 7));
      const worker = open(path, '');
      const bytes = await first(worker);
      await worker.terminate();
      truncateSync(path, PAGE);
      expect(bytes[PAGE * 2]).toBe(0);
      expect(bytes[0]).toBe(7);
    },
  );
});

describe.runIf(process.platform === 'linux')('pages that small files share', () => {
  const locked = (): number =>
    Number(/VmLck:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))![1]);

  it('stay locked until the last of them is unlocked', () => {
    const before = locked();
    const [one, other] = [MappedFile.open(file(100)), MappedFile.open(file(100))] as const;
    expect(one.bytes.buffer).toBe(other.bytes.buffer);
    for (const mapped of [one, one, other]) mapped.lock();
    const both = locked();
    expect(both).toBeGreaterThan(before);
    one.close();
    expect(locked()).toBe(both);
    expect(other.stats().locked).toBe(true);
    other.unlock();
    other.unlock();
    expect(locked()).toBe(before);
    other.lock();
    expect(locked()).toBe(both);
    other.close();
    expect(locked()).toBe(before);
  });
});
