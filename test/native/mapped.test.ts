/** Mapped files of native/binding/region.cc: shown, lost, closed, forgotten and terminated. */
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

/** A file whose bytes are all 7. */
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

/**
 * Runs a script in its own process, where `addon`, `fs`, `path`, `turn` and `print` are defined.
 */
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

const wrongBooleans = [undefined, null, 0, 1, 'true', {}, []];
const strategies = ['shared', 'external', 'copy'] as const;

describe('a mapped file', () => {
  it('is a SharedArrayBuffer on Linux', async () => {
    const { buffer } = native().fileMap(file('kind', PAGE), false);
    expect(Object.prototype.toString.call(buffer)).toBe(
      process.platform === 'linux' ? '[object SharedArrayBuffer]' : '[object ArrayBuffer]',
    );
    native().fileUnmap(buffer);
    await mappings(0);
  });

  it.each(strategies)('shows the bytes of the file, and keeps writes to itself: %s', async (strategy) => {
    const path = file('shown', 3 * PAGE + 64);
    const read = native().fileMap(path, false, strategy);
    const write = native().fileMap(path, true, strategy);
    expect([read.copied, write.copied]).toEqual([strategy === 'copy', strategy === 'copy']);
    expect(read.buffer.byteLength).toBe(3 * PAGE + 64);
    expect([...read.status]).toEqual([0]);
    expect(native().fileMappings()).toBe(strategy === 'copy' ? 0 : 2);
    const view = new Uint8Array(write.buffer);
    expect(view.every((byte) => byte === 7)).toBe(true);
    view.fill(9);
    expect(new Uint8Array(read.buffer).every((byte) => byte === 7)).toBe(true);
    expect(readFileSync(path).every((byte) => byte === 7)).toBe(true);
    expect(native().crc32c(view, 0)).toBe(native().crc32c(Buffer.alloc(3 * PAGE + 64, 9), 0));
    native().fileUnmap(read.buffer);
    native().fileUnmap(write.buffer);
    await mappings(0);
    expect(readFileSync(path).every((byte) => byte === 7)).toBe(true);
  });

  it('reads as zeros in every thread once it is unmapped, as a SharedArrayBuffer', async () => {
    if (process.platform !== 'linux') return;
    const { buffer, status } = native().fileMap(file('unmapped', PAGE + 64), true);
    const view = new Uint8Array(buffer).fill(9, 0, 10);
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
      const view = new Uint8Array(workerData);
      parentPort.on('message', () => parentPort.postMessage(view.reduce((sum, byte) => sum + byte, 0)));`,
      { eval: true, workerData: buffer },
    );
    const ask = () => {
      const answer = new Promise((resolve) => worker.once('message', resolve));
      worker.postMessage('sum');
      return answer;
    };
    expect(await ask()).toBe(7 * (PAGE + 64) + 20);
    native().fileUnmap(buffer);
    expect(native().fileMappings()).toBe(0);
    expect([view.length, view.every((byte) => byte === 0), status[0]]).toEqual([PAGE + 64, true, 0]);
    expect(await ask()).toBe(0);
    native().fileUnmap(buffer);
    view[0] = 1; // Memory like any other.
    expect(await ask()).toBe(1);
    await worker.terminate();
  });

  it('detaches every view and keeps its status when unmapped twice, as an external buffer', async () => {
    const path = file('detached', PAGE);
    const { buffer, status } = native().fileMap(path, true, 'external');
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

  it('is a copy if external buffers are refused', async () => {
    const path = file('copied', PAGE);
    const { buffer, status, copied } = native().fileMap(path, false, 'copy');
    expect([copied, status.length, status[0]]).toEqual([true, 1, 0]);
    await mappings(0);
    expect(new Uint8Array(buffer).every((byte) => byte === 7)).toBe(true);
    native().fileUnmap(buffer);
    expect(buffer.byteLength).toBe(0);
    native().fileUnmap(buffer);
  });

  it('keeps its contents when the file is renamed and replaced', async () => {
    const path = file('replaced', PAGE);
    const { buffer, status } = native().fileMap(path, false);
    renameSync(file('other', 2 * PAGE), path);
    rmSync(path);
    expect(new Uint8Array(buffer).every((byte) => byte === 7)).toBe(true);
    expect(status[0]).toBe(0);
    native().fileUnmap(buffer);
    await mappings(0);
  });

  it('rejects a file that is not a region, and names it', () => {
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
      for (const strategy of strategies) {
        expect(code(() => native().fileMap(path, true, strategy))).toBe(expected);
      }
    }
    expect(code(() => native().fileMap('', false))).toBe('ERR_OFFHEAP_TYPE');
    expect(code(() => native().fileMap('a\0b', false))).toBe('ERR_OFFHEAP_TYPE');
    expect(code(() => native().fileMap('\ud800', false))).toBe('ERR_OFFHEAP_IO');
    expect(native().fileMappings()).toBe(0);
  });

  it('rejects arguments of the wrong type', () => {
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

  it('is rejected and unmapped if it is too large for a buffer of this Node', async () => {
    const path = join(folder, 'large');
    closeSync(openSync(path, 'w'));
    truncateSync(path, 5 * 2 ** 30);
    for (const strategy of ['shared', 'external'] as const) {
      let buffer: ArrayBuffer | SharedArrayBuffer | undefined;
      const outcome = code(() => (buffer = native().fileMap(path, false, strategy).buffer));
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
  it.each(['shared', 'external'])('reads as zeros, in JavaScript and in native code: %s', (strategy) => {
    const { values, signal, stderr } = child(
      `
      const [all, bulk, idle] = [1, 2, 3].map(() => addon.fileMap(path, true, '${strategy}'));
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

  it('does not terminate the threads that read it', () => {
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

  const opener = `
    const { parentPort, workerData: [addonPath, path, end] } = require('node:worker_threads');
    const addon = require(addonPath);
    const { buffer } = addon.fileMap(path, true);
    parentPort.postMessage(new Uint8Array(buffer));
    if (end === 'exit') process.exit();
    if (end === 'terminate') setInterval(() => undefined, 1000);`;

  it.skipIf(process.platform !== 'linux').each(['return', 'exit', 'terminate'])(
    'is survived by threads that hold a view when the one that opened it has ended: %s',
    (end) => {
      const { values, signal, stderr } = child(
        `
        const views = [];
        for (let round = 0; round < 5; round++) {
          fs.writeFileSync(path, Buffer.alloc(${8 * PAGE}, 7));
          const worker = new Worker(${JSON.stringify(opener)}, { eval: true, workerData: [${JSON.stringify(nativeReport().path)}, path, '${end}'] });
          const exited = new Promise((resolve) => worker.once('exit', resolve));
          const view = await new Promise((resolve) => worker.once('message', resolve));
          if ('${end}' === 'terminate') await worker.terminate();
          await exited;
          fs.truncateSync(path, ${PAGE});
          views.push(view);
        }
        gc();
        await turn();
        print([addon.fileMappings(), views.map((view) => view.reduce((sum, byte) => sum + byte, 0))]);
        views.length = 0;
        gc();`,
        file('outlives its opener', 64),
      );
      expect({ values, signal, stderr }).toEqual({
        values: [[0, Array(5).fill(7 * PAGE)]],
        signal: null,
        stderr: '',
      });
    },
  );

  it.skipIf(process.platform !== 'linux')(
    'is survived by a thread that holds a view when its opener has forgotten it',
    () => {
      const { values, signal, stderr } = child(
        `
      const worker = new Worker(\`
        const { parentPort } = require('node:worker_threads');
        let view;
        parentPort.on('message', (message) => {
          if (message !== 'read') view = message;
          parentPort.postMessage(view.reduce((sum, byte) => sum + byte, 0));
        });\`, { eval: true });
      const ask = (message) => {
        worker.postMessage(message);
        return new Promise((resolve) => worker.once('message', resolve));
      };
      await (async () => { await ask(new Uint8Array(addon.fileMap(path, true).buffer)); })();
      for (let i = 0; i < 20 && addon.fileMappings() > 0; i++) { gc(); await turn(); }
      fs.truncateSync(path, ${PAGE});
      print([addon.fileMappings(), await ask('read')]);
      await worker.terminate();`,
        file('forgotten by its opener', 8 * PAGE),
      );
      expect({ values, signal, stderr }).toEqual({ values: [[0, 7 * PAGE]], signal: null, stderr: '' });
    },
  );

  it('does not hide a SIGBUS with another cause, which terminates the process', () => {
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

describe('no resources remain in use', () => {
  it('after a buffer is collected and its address is reused', () => {
    const { values, signal, stderr } = child(
      `
      const lost = [];
      for (let i = 0; i < 100; i++) {
        fs.writeFileSync(path, Buffer.alloc(${4 * PAGE}, 7));
        // The engine frees its memory now; the finalizer has to wait for the event loop.
        (() => { addon.fileMap(path, true); })();
        gc();
        (() => {
          const next = addon.fileMap(path, true);
          fs.truncateSync(path, 0);
          if (new Uint8Array(next.buffer)[100] !== 0) print('not lost');
          lost.push(next.status[0]);
        })();
        if (i % 10 === 0) await turn();
      }
      print(lost.every((status) => status === 1));
      for (let i = 0; i < 20 && addon.fileMappings() > 0; i++) { gc(); await turn(); }
      print(addon.fileMappings());`,
      file('reused', PAGE),
    );
    expect({ values, signal, stderr }).toEqual({ values: [true, 0], signal: null, stderr: '' });
  });

  it.each(['shared', 'external'])('after 10,000 mappings that were closed or collected: %s', (strategy) => {
    const { values, signal, stderr } = child(
      `
      const count = () => process.platform !== 'linux' ? [] : [
        fs.readdirSync('/proc/self/fd').length,
        fs.readFileSync('/proc/self/maps', 'utf8').split('\\n').filter((line) => line.includes(path)).length,
      ];
      const before = count();
      // In its own function, because an async function that waits keeps its last variables alive.
      const once = (i) => {
        const { buffer, status } = addon.fileMap(path, i % 3 === 0, '${strategy}');
        if (new Uint8Array(buffer)[i] !== 7 || status[0] !== 0) print('wrong');
        if (i % 2 === 0) { addon.fileUnmap(buffer); addon.fileUnmap(buffer); }
        try { addon.fileMap(path, true, 7); } catch { /* Expected. */ }
      };
      for (let i = 0; i < 10_000; i++) {
        once(i);
        if (i % 1000 === 0) await turn();
      }
      // The engine may free memory on another thread, so wait for some turns, and then for time.
      const settled = () => addon.fileMappings() === 0 && JSON.stringify(count()) === JSON.stringify(before);
      for (let i = 0; i < 300 && !settled(); i++) {
        gc();
        await (i < 50 ? turn() : new Promise((done) => setTimeout(done, 10)));
      }
      print([addon.fileMappings(), count().map((n, i) => n - before[i])]);`,
      file('often', PAGE),
    );
    const none = process.platform === 'linux' ? [0, 0] : [];
    expect({ values, signal, stderr }).toEqual({ values: [[0, none]], signal: null, stderr: '' });
  });

  it('when the process ends with mappings open', () => {
    for (const end of ['', 'process.exit(0);', 'addon.fileUnmap(maps[0].buffer); process.exit(0);']) {
      const { status, signal, stderr } = child(
        `globalThis.maps = [addon.fileMap(path, true), addon.fileMap(path, true, 'external')];
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
    for (let i = 0; i < 20; i++) maps.push(addon.fileMap(workerData.path, true, i % 2 === 0 ? 'shared' : 'external'));
    let sum = 0;
    for (const { buffer } of maps) sum += new Uint8Array(buffer)[workerData.at];
    for (let i = 0; i < 5; i++) addon.fileUnmap(maps[i].buffer);
    if (workerData.how !== 'silent') parentPort.postMessage(sum);
    if (workerData.how === 'throw') throw new Error('on purpose');
    if (workerData.how === 'exit') process.exit(3);
    // In the middle of mapping and reading when it is terminated.
    if (workerData.how === 'busy' || workerData.how === 'silent') for (;;) {
      const { buffer } = addon.fileMap(workerData.path, true, Math.random() < 0.5 ? 'shared' : 'external');
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
