/** native/binding/region.cc, called as src/region calls it, and as nobody should. */
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { OffheapError } from '../../src/errors.js';
import { native, nativeReport } from '../../src/native.js';

const PAGE = 65536; // A multiple of every page size there is.
const folder = mkdtempSync(join(tmpdir(), 'offheap-region-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file of sevens. */
function file(name: string, length: number): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.alloc(length, 7));
  return path;
}

function code(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(OffheapError);
    expect((error as OffheapError).message.length).toBeGreaterThan(10);
    return (error as OffheapError).code;
  }
  return 'none';
}

async function mappings(expected: number): Promise<void> {
  for (let i = 0; i < 100 && native().fileMappings() !== expected; i++) await turn();
  expect(native().fileMappings()).toBe(expected);
}

/** Runs a script in a process of its own, with `addon`, `fs`, `path`, `turn` and `print` at hand. */
function child(body: string, path = '', flags: string[] = []) {
  native();
  const script = `
    const addon = require(${JSON.stringify(nativeReport().path)});
    addon.setErrorFactory((code, message) => Object.assign(new Error(message), { code }));
    const fs = require('node:fs');
    const { Worker } = require('node:worker_threads');
    const path = ${JSON.stringify(path)};
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const print = (value) => fs.writeSync(1, JSON.stringify(value) + '\\n');
    (async () => { ${body} })();`;
  const result = spawnSync(process.execPath, ['--expose-gc', ...flags, '-e', script], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  const lines = result.stdout.split('\n').filter((line) => line !== '');
  return { ...result, values: lines.map((line) => JSON.parse(line) as unknown) };
}

const wrongViews = [undefined, null, 7, 'bytes', {}, [1], new ArrayBuffer(8), new SharedArrayBuffer(8)];
const wrongNumbers: [unknown, string][] = [
  [undefined, 'ERR_OFFHEAP_TYPE'],
  [null, 'ERR_OFFHEAP_TYPE'],
  ['1', 'ERR_OFFHEAP_TYPE'],
  [1n, 'ERR_OFFHEAP_TYPE'],
  [{}, 'ERR_OFFHEAP_TYPE'],
  [true, 'ERR_OFFHEAP_TYPE'],
  [NaN, 'ERR_OFFHEAP_RANGE'],
  [Infinity, 'ERR_OFFHEAP_RANGE'],
  [-1, 'ERR_OFFHEAP_RANGE'],
  [0.5, 'ERR_OFFHEAP_RANGE'],
  [2 ** 32, 'ERR_OFFHEAP_RANGE'],
  [2 ** 53, 'ERR_OFFHEAP_RANGE'],
  [1e300, 'ERR_OFFHEAP_RANGE'],
];
const wrongBooleans = [undefined, null, 0, 1, 'true', {}, []];

describe('crc32c', () => {
  const read10 = new Uint8Array(48);
  for (const [at, byte] of [
    [0, 0x01],
    [1, 0xc0],
    [16, 0x14],
    [22, 0x04],
    [27, 0x14],
    [31, 0x18],
    [32, 0x28],
    [40, 0x02],
  ] as const) {
    read10[at] = byte;
  }
  it.each([
    ['nothing', new Uint8Array(0), 0],
    ['zeros (RFC 3720)', new Uint8Array(32), 0x8a9136aa],
    ['ones (RFC 3720)', new Uint8Array(32).fill(255), 0x62a8ab43],
    ['ascending (RFC 3720)', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['descending (RFC 3720)', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    ['an iSCSI read command (RFC 3720)', read10, 0xd9963a56],
    ['the check value', Buffer.from('123456789'), 0xe3069283],
  ])('of %s', (_, bytes, expected) => {
    expect(native().crc32c(bytes, 0)).toBe(expected);
    const buffer = new SharedArrayBuffer(bytes.length + 3, { maxByteLength: 1 << 20 });
    const shared = new Uint8Array(buffer, 3, bytes.length);
    shared.set(bytes);
    expect(native().crc32c(shared, 0)).toBe(expected);
  });

  it('chains', () => {
    const bytes = Uint8Array.from({ length: 100_003 }, (_, i) => (i * i) >> 3);
    const whole = native().crc32c(bytes, 0);
    for (const at of [0, 1, 7, 8, 4095, 8192, 65_537, 100_003]) {
      const first = native().crc32c(bytes.subarray(0, at), 0);
      expect(native().crc32c(bytes.subarray(at), first)).toBe(whole);
    }
    expect(native().crc32c(new Float64Array(bytes.buffer.slice(0, 800)), 0)).toBe(
      native().crc32c(bytes.subarray(0, 800), 0),
    );
  });

  it('refuses everything else', () => {
    for (const wrong of wrongViews) {
      expect(code(() => native().crc32c(wrong as never, 0))).toBe('ERR_OFFHEAP_TYPE');
    }
    for (const [wrong, expected] of wrongNumbers) {
      expect(code(() => native().crc32c(new Uint8Array(8), wrong as never))).toBe(expected);
    }
  });
});

describe('a region', () => {
  function region(buffer: ArrayBuffer | SharedArrayBuffer) {
    const words = new Uint32Array(buffer, 0, 128);
    words.set([0x5048464f, 1, 1, 1, 320, 0]);
    return { words, bytes: new Uint8Array(buffer, 0, 512) };
  }
  const buffers = {
    ArrayBuffer: () => new ArrayBuffer(512),
    'growable SharedArrayBuffer': () => new SharedArrayBuffer(512, { maxByteLength: 1 << 30 }),
  };
  for (const [name, make] of Object.entries(buffers)) {
    it(`has a checksum that leaves out what changes, in a ${name}`, () => {
      const { words, bytes } = region(make());
      expect(native().regionCheck(bytes)).toBe(320);
      const expected = native().crc32c(bytes.subarray(0, 320), 0); // Words 6, 7 and 8 are still zero.
      expect(native().regionChecksum(bytes)).toBe(expected);
      words.set([4, 1, 12345], 6);
      words[80] = 1; // Past its end.
      expect(native().regionChecksum(bytes)).toBe(expected);
      words[79] = 1;
      expect(native().regionChecksum(bytes)).not.toBe(expected);
    });
  }

  it('is checked before it is summed', () => {
    const cases: [number, number, string][] = [
      [0, 1, 'ERR_OFFHEAP_CORRUPT'],
      [1, 2, 'ERR_OFFHEAP_VERSION'],
      [4, 319, 'ERR_OFFHEAP_CORRUPT'],
      [4, 192, 'ERR_OFFHEAP_CORRUPT'],
      [4, 576, 'ERR_OFFHEAP_CORRUPT'],
      [5, 0xffffffff, 'ERR_OFFHEAP_CORRUPT'],
      [7, 2, 'ERR_OFFHEAP_STALE'],
      [7, 0x80000000, 'ERR_OFFHEAP_CORRUPT'],
    ];
    for (const [word, value, expected] of cases) {
      const { words, bytes } = region(new ArrayBuffer(512));
      words[word] = value;
      expect(code(() => native().regionCheck(bytes))).toBe(expected);
      expect(code(() => native().regionChecksum(bytes))).toBe(expected);
    }
    const { bytes } = region(new ArrayBuffer(512));
    for (const length of [0, 1, 255, 256, 319]) {
      const short = length === 0 ? new Uint8Array(0) : bytes.subarray(0, length);
      expect(['ERR_OFFHEAP_CORRUPT', 'ERR_OFFHEAP_TYPE']).toContain(
        code(() => native().regionChecksum(short)),
      );
    }
    expect(code(() => native().regionCheck(bytes.subarray(4)))).toBe('ERR_OFFHEAP_TYPE'); // Misaligned.
    for (const wrong of wrongViews) {
      expect(code(() => native().regionChecksum(wrong as never))).toBe('ERR_OFFHEAP_TYPE');
      expect(code(() => native().regionCheck(wrong as never))).toBe('ERR_OFFHEAP_TYPE');
    }
  });
});

describe('advice and placement', () => {
  const growable = new SharedArrayBuffer(8 << 20, { maxByteLength: 1 << 30 });
  const bytes = new Uint8Array(growable, 0, 8 << 20).fill(7);

  it('reach growable shared memory and change nothing in it', () => {
    if (process.platform === 'linux') {
      const setting = '/sys/kernel/mm/transparent_hugepage/enabled';
      let huge = false;
      try {
        huge = !readFileSync(setting, 'utf8').includes('[never]');
      } catch {
        // A kernel without huge pages takes neither advice.
      }
      expect(native().regionAdvise(bytes, true)).toBe(huge);
      expect(native().regionAdvise(bytes, false) || !huge).toBe(true);
    } else {
      expect(native().regionAdvise(bytes, true)).toBe(false);
    }
    growable.grow(16 << 20);
    expect(typeof native().regionAdvise(new Uint8Array(growable, 0, 16 << 20), true)).toBe('boolean');
    expect(native().regionAdvise(bytes.subarray(0, 100), true)).toBe(false);
    expect(native().regionAdvise(new Uint8Array(0), true)).toBe(false);
    expect(bytes.every((byte) => byte === 7)).toBe(true);
  });

  it('bind to a node that is there', () => {
    expect(['none', 'ERR_OFFHEAP_UNSUPPORTED']).toContain(code(() => native().regionBind(bytes, 0)));
    for (const node of [1023, 1024, 2 ** 31, 2 ** 32 - 1]) {
      expect(['ERR_OFFHEAP_RANGE', 'ERR_OFFHEAP_UNSUPPORTED']).toContain(
        code(() => native().regionBind(bytes, node)),
      );
    }
    expect(bytes.every((byte) => byte === 7)).toBe(true);
  });

  it('refuse everything else', () => {
    for (const wrong of wrongViews) {
      expect(code(() => native().regionAdvise(wrong as never, true))).toBe('ERR_OFFHEAP_TYPE');
      expect(code(() => native().regionBind(wrong as never, 0))).toBe('ERR_OFFHEAP_TYPE');
    }
    for (const wrong of wrongBooleans) {
      expect(code(() => native().regionAdvise(bytes, wrong as never))).toBe('ERR_OFFHEAP_TYPE');
    }
    for (const [wrong, expected] of wrongNumbers) {
      expect(code(() => native().regionBind(bytes, wrong as never))).toBe(expected);
    }
  });
});

describe('a mapped file', () => {
  it('shows the bytes of the file, and keeps what is written to itself', async () => {
    const path = file('shown', 3 * PAGE + 64);
    const read = native().fileMap(path, false);
    const write = native().fileMap(path, true);
    expect(read.copied || write.copied).toBe(false);
    expect(read.buffer).toBeInstanceOf(ArrayBuffer);
    expect(read.buffer.byteLength).toBe(3 * PAGE + 64);
    expect([...read.status]).toEqual([0]);
    expect(native().fileMappings()).toBe(2);
    const view = new Uint8Array(write.buffer);
    expect(view.every((byte) => byte === 7)).toBe(true);
    view.fill(9);
    expect(new Uint8Array(read.buffer).every((byte) => byte === 7)).toBe(true);
    expect(native().crc32c(view, 0)).toBe(native().crc32c(Buffer.alloc(3 * PAGE + 64, 9), 0));
    native().fileUnmap(read.buffer);
    native().fileUnmap(write.buffer);
    await mappings(0);
    expect(readFileSync(path).every((byte) => byte === 7)).toBe(true);
  });

  it('detaches every view, twice, and keeps its status', async () => {
    const path = file('detached', PAGE);
    const { buffer, status } = native().fileMap(path, true);
    const views = [new Uint8Array(buffer), new Float64Array(buffer, 64), new DataView(buffer, 8)] as const;
    native().fileUnmap(buffer);
    expect([buffer.byteLength, views[0].length, views[1].length]).toEqual([0, 0, 0]);
    expect(views[0][5]).toBeUndefined();
    expect(() => views[2].getUint8(0)).toThrow(TypeError);
    expect(native().crc32c(views[0], 0)).toBe(0);
    expect(native().regionAdvise(views[0], true)).toBe(false);
    native().fileUnmap(buffer);
    await mappings(0);
    native().fileUnmap(buffer);
    status[0] = 3; // Its memory is still there.
    expect(Atomics.load(status, 0)).toBe(3);
  });

  it('is a copy where external buffers are refused', async () => {
    const path = file('copied', PAGE);
    const { buffer, status, copied } = native().fileMap(path, false, true);
    expect([copied, status.length, status[0]]).toEqual([true, 1, 0]);
    await mappings(0);
    expect(new Uint8Array(buffer).every((byte) => byte === 7)).toBe(true);
    native().fileUnmap(buffer);
    expect(buffer.byteLength).toBe(0);
    native().fileUnmap(buffer);
  });

  it('survives that the file is renamed and replaced', async () => {
    const path = file('replaced', PAGE);
    const { buffer, status } = native().fileMap(path, false);
    renameSync(file('other', 2 * PAGE), path);
    rmSync(path);
    expect(new Uint8Array(buffer).every((byte) => byte === 7)).toBe(true);
    expect(status[0]).toBe(0);
    native().fileUnmap(buffer);
    await mappings(0);
  });

  it('refuses what is no region, by name', () => {
    mkdirSync(join(folder, 'directory'));
    const cases: [string, string][] = [
      [join(folder, 'missing'), 'ERR_OFFHEAP_IO'],
      [join(folder, 'directory'), 'ERR_OFFHEAP_IO'],
      [join(folder, 'ein schöner Name 🗺'), 'ERR_OFFHEAP_IO'],
      [file('empty', 0), 'ERR_OFFHEAP_CORRUPT'],
      [file('short', 255), 'ERR_OFFHEAP_CORRUPT'],
      [file('odd', 321), 'ERR_OFFHEAP_CORRUPT'],
      ['x'.repeat(100_000), 'ERR_OFFHEAP_IO'],
    ];
    if (process.platform !== 'win32') cases.push(['/dev/zero', 'ERR_OFFHEAP_IO']);
    for (const [path, expected] of cases) {
      expect(code(() => native().fileMap(path, false))).toBe(expected);
      expect(() => native().fileMap(path, true)).toThrow(path.slice(0, 100));
      expect(code(() => native().fileMap(path, true, true))).toBe(expected);
    }
    expect(code(() => native().fileMap('', false))).toBe('ERR_OFFHEAP_TYPE');
    expect(code(() => native().fileMap('a\0b', false))).toBe('ERR_OFFHEAP_TYPE');
    expect(code(() => native().fileMap('\ud800', false))).toBe('ERR_OFFHEAP_IO');
    expect(native().fileMappings()).toBe(0);
  });

  it('refuses arguments of the wrong type', () => {
    const path = file('typed', PAGE);
    for (const wrong of [undefined, null, 7, {}, Buffer.from(path), new URL(`file://${path}`)]) {
      expect(code(() => native().fileMap(wrong as never, false))).toBe('ERR_OFFHEAP_TYPE');
    }
    for (const wrong of wrongBooleans) {
      expect(code(() => native().fileMap(path, wrong as never))).toBe('ERR_OFFHEAP_TYPE');
      if (wrong !== undefined) {
        expect(code(() => native().fileMap(path, true, wrong as never))).toBe('ERR_OFFHEAP_TYPE');
      }
    }
    const others = [undefined, null, 7, 'x', {}, [], new Uint8Array(8), new SharedArrayBuffer(8)];
    const mine = new ArrayBuffer(8);
    for (const wrong of [...others, mine, Object.create(mine)]) {
      expect(code(() => native().fileUnmap(wrong as never))).toBe('ERR_OFFHEAP_TYPE');
    }
    expect(mine.byteLength).toBe(8);
    expect(native().fileMappings()).toBe(0);
  });

  it('that is too large for one buffer of this Node is refused, and unmapped', async () => {
    const path = join(folder, 'large');
    closeSync(openSync(path, 'w'));
    truncateSync(path, 5 * 2 ** 30);
    for (const copyOnWrite of [false, true]) {
      let buffer: ArrayBuffer | undefined;
      const outcome = code(() => (buffer = native().fileMap(path, copyOnWrite).buffer));
      expect(['none', 'ERR_OFFHEAP_UNSUPPORTED']).toContain(outcome);
      if (buffer !== undefined) {
        expect(new DataView(buffer).getUint8(5 * 2 ** 30 - 1)).toBe(0);
        native().fileUnmap(buffer);
      }
      await mappings(0);
    }
    rmSync(path);
  });
});

describe.skipIf(process.platform === 'win32')('a file that shrinks while it is mapped', () => {
  it('reads as zeros, in JavaScript and in native code, and is marked', () => {
    const { values, signal, stderr } = child(
      `
      const all = addon.fileMap(path, false), bulk = addon.fileMap(path, true), idle = addon.fileMap(path, true);
      fs.truncateSync(path, ${PAGE});
      const view = new Uint8Array(all.buffer);
      let sum = 0;
      for (let round = 0; round < 50; round++) for (let i = 0; i < view.length; i++) sum += view[i];
      print([sum, all.status[0] !== 0, bulk.status[0], idle.status[0]]);
      const zeros = Buffer.alloc(${8 * PAGE}); zeros.fill(7, 0, ${PAGE});
      print([addon.crc32c(new Uint8Array(bulk.buffer), 0) === addon.crc32c(zeros, 0), bulk.status[0] !== 0]);
      new Uint8Array(bulk.buffer).fill(1);
      print([new Uint8Array(bulk.buffer).every((byte) => byte === 1), idle.status[0]]);
      for (const { buffer } of [all, bulk, idle]) addon.fileUnmap(buffer);
      await turn(); await turn();
      print([addon.fileMappings(), all.status[0] !== 0]);
      try { addon.fileMap(path + '-gone', true); } catch (error) { print(error.code); }`,
      file('shrinks', 8 * PAGE),
    );
    expect({ values, signal, stderr }).toEqual({
      values: [[7 * PAGE * 50, true, 0, 0], [true, true], [true, 0], [0, true], 'ERR_OFFHEAP_IO'],
      signal: null,
      stderr: '',
    });
  });

  it('is survived by all threads that read it', () => {
    const { values, signal, stderr } = child(
      `
      const reader = \`
        const { parentPort, workerData: [addonPath, path] } = require('node:worker_threads');
        const addon = require(addonPath);
        const { buffer, status } = addon.fileMap(path, true);
        const view = new Uint8Array(buffer);
        parentPort.postMessage('ready');
        while (Atomics.load(status, 0) === 0) for (let i = 0; i < view.length; i += 64) { const byte = view[i]; if (byte !== 0 && byte !== 7) throw new Error(byte); }
        parentPort.postMessage('lost');\`;
      const workers = [1, 2, 3].map(() => new Worker(reader, { eval: true, workerData: [${JSON.stringify(nativeReport().path)}, path] }));
      await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
      const lost = Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
      fs.truncateSync(path, 0);
      print(await lost);
      await Promise.all(workers.map((worker) => worker.terminate()));
      print(addon.fileMappings());`,
      file('shrinks for all', 32 * PAGE),
    );
    expect({ values, signal, stderr }).toEqual({
      values: [['lost', 'lost', 'lost'], 0],
      signal: null,
      stderr: '',
    });
  });

  it('and a SIGBUS from elsewhere still ends the process', () => {
    const { signal, values } = child(
      `
      addon.fileMap(path, false);
      print('mapped');
      process.kill(process.pid, 'SIGBUS');
      setTimeout(() => print('alive'), 10_000);`,
      file('elsewhere', PAGE),
    );
    expect([values, signal]).toEqual([['mapped'], 'SIGBUS']);
  });
});

describe('nothing is left behind', () => {
  it('after 10,000 times, closed or forgotten', () => {
    const { values, signal, stderr } = child(
      `
      const count = () => process.platform !== 'linux' ? [] : [
        fs.readdirSync('/proc/self/fd').length,
        fs.readFileSync('/proc/self/maps', 'utf8').split('\\n').filter((line) => line.includes(path)).length,
      ];
      const before = count();
      for (let i = 0; i < 10_000; i++) {
        const { buffer, status } = addon.fileMap(path, i % 3 === 0);
        if (new Uint8Array(buffer)[i] !== 7 || status[0] !== 0) print('wrong');
        if (i % 2 === 0) { addon.fileUnmap(buffer); addon.fileUnmap(buffer); }
        try { addon.fileMap(path, true, 7); } catch { /* Expected. */ }
        if (i % 1000 === 0) await turn();
      }
      for (let i = 0; i < 20 && addon.fileMappings() > 0; i++) { gc(); await turn(); }
      print(addon.fileMappings());
      print(JSON.stringify(count()) === JSON.stringify(before));`,
      file('often', PAGE),
    );
    expect({ values, signal, stderr }).toEqual({ values: [0, true], signal: null, stderr: '' });
  });

  it('when the process ends with mappings open', () => {
    for (const end of ['', 'process.exit(0);', 'addon.fileUnmap(maps[0].buffer); process.exit(0);']) {
      const { status, signal, stderr } = child(
        `globalThis.maps = [addon.fileMap(path, true), addon.fileMap(path, false)];
        addon.fileUnmap(maps[1].buffer); ${end}`,
        file('at exit', PAGE),
      );
      expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
    }
  });

  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    const addon = require(workerData.addon);
    addon.setErrorFactory((code, message) => new Error(message));
    const maps = [];
    for (let i = 0; i < 20; i++) maps.push(addon.fileMap(workerData.path, i % 2 === 0));
    let sum = 0;
    for (const { buffer } of maps) sum += new Uint8Array(buffer)[workerData.at];
    for (let i = 0; i < 5; i++) addon.fileUnmap(maps[i].buffer);
    if (workerData.how !== 'silent') parentPort.postMessage(sum);
    if (workerData.how === 'throw') throw new Error('on purpose');
    if (workerData.how === 'exit') process.exit(3);
    // In the middle of mapping and reading when it is terminated.
    if (workerData.how === 'busy' || workerData.how === 'silent') for (;;) {
      const { buffer } = addon.fileMap(workerData.path, true);
      addon.crc32c(new Uint8Array(buffer), 0);
      if (Math.random() < 0.5) addon.fileUnmap(buffer);
      maps.push(buffer);
      if (maps.length > 100) maps.length = 50;
    }
  `;

  it.each(['return', 'throw', 'exit', 'busy', 'silent'])(
    'by workers that end in their own way: %s',
    async (how) => {
      const path = file('by workers', 4 * PAGE);
      native();
      const mine = native().fileMap(path, false);
      for (let round = 0; round < 3; round++) {
        const ends = Array.from({ length: 3 }, async () => {
          const worker = new Worker(script, {
            eval: true,
            workerData: { addon: nativeReport().path, path, at: 100, how },
          });
          worker.on('error', () => undefined);
          const exited = new Promise((resolve) => worker.once('exit', resolve));
          if (how === 'silent') {
            await new Promise((resolve) => worker.once('online', resolve));
            for (let i = 0; i < round * 5; i++) await turn();
          } else {
            expect(await new Promise((resolve) => worker.once('message', resolve))).toBe(140);
          }
          if (how === 'busy' || how === 'silent') await worker.terminate();
          await exited;
        });
        await Promise.all(ends);
        await mappings(1);
        expect(new Uint8Array(mine.buffer)[100]).toBe(7);
      }
      native().fileUnmap(mine.buffer);
      await mappings(0);
    },
  );
});
