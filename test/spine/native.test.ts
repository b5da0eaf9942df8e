import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { OffheapError } from '../../src/errors.js';
import { native, nativeReport, packageRoot } from '../../src/native.js';
import { version } from '../../src/version.js';

const root = packageRoot();

function thrown(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('the addon', () => {
  it('loads once, and reports its path', () => {
    expect(native()).toBe(native());
    expect(nativeReport().path).toMatch(/offheap\.node$/);
    expect(nativeReport().source).toMatch(/^(prebuild|build)$/);
  });

  it('has one version in every layer', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(manifest.version).toBe(version);
    expect(native().version()).toBe(version);
  });

  it('throws OffheapErrors', () => {
    const error = thrown(() => native().probe(7 as never));
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toBeInstanceOf(OffheapError);
    expect((error as OffheapError).code).toBe('ERR_OFFHEAP_TYPE');
    expect((error as OffheapError).message).toBe('view must be a typed array or DataView');
  });

  it.each([[undefined], [null], [{}], [[1, 2]], ['bytes'], [new ArrayBuffer(8)], [new SharedArrayBuffer(8)]])(
    'refuses %o in place of a view',
    (value) => {
      expect(() => native().probe(value as never)).toThrow(TypeError);
    },
  );
});

describe('native code and typed arrays see the same bytes', () => {
  const kinds = {
    ArrayBuffer: (bytes: number) => new ArrayBuffer(bytes),
    'resizable ArrayBuffer': (bytes: number) => new ArrayBuffer(bytes, { maxByteLength: bytes * 4 }),
    SharedArrayBuffer: (bytes: number) => new SharedArrayBuffer(bytes),
    'growable SharedArrayBuffer': (bytes: number) =>
      new SharedArrayBuffer(bytes, { maxByteLength: bytes * 4 }),
  };
  const types = [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ];
  for (const [name, make] of Object.entries(kinds)) {
    it(`over a ${name}`, () => {
      const buffer = make(1024);
      const bytes = new Uint8Array(buffer);
      for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 7) & 255;
      for (const Type of types) {
        const size = Type.BYTES_PER_ELEMENT;
        const view = new Type(buffer as ArrayBuffer, 3 * size, 5);
        const expected = bytes.subarray(3 * size, 8 * size).reduce((sum, byte) => sum + byte, 0);
        expect(native().probe(view)).toMatchObject({ byteLength: 5 * size, sum: expected });
      }
      const data = new DataView(buffer, 9, 100);
      const expected = bytes.subarray(9, 109).reduce((sum, byte) => sum + byte, 0);
      expect(native().probe(data)).toMatchObject({ byteLength: 100, sum: expected });
      expect(native().probe(bytes.subarray(5, 5))).toMatchObject({ byteLength: 0, sum: 0 });
    });
  }

  it('after a growable buffer grew', () => {
    const buffer = new SharedArrayBuffer(64, { maxByteLength: 1 << 20 });
    const before = new Uint8Array(buffer, 0, 64).fill(1);
    buffer.grow(1 << 20);
    new Uint8Array(buffer, (1 << 20) - 10, 10).fill(2);
    expect(native().probe(before).sum).toBe(64);
    expect(native().probe(new Uint8Array(buffer, 0, 1 << 20)).sum).toBe(84);
  });

  it('with no bytes for a detached buffer', () => {
    const view = new Uint8Array(8).fill(1);
    structuredClone(view.buffer, { transfer: [view.buffer] });
    expect(native().probe(view)).toMatchObject({ byteLength: 0, sum: 0 });
  });
});

describe('workers', () => {
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    const addon = require(workerData.path);
    let code = 'none';
    addon.setErrorFactory((code, message) => Object.assign(new Error(message), { code }));
    try { addon.probe(1); } catch (error) { code = error.code; }
    parentPort.postMessage({ code, sum: addon.probe(workerData.view).sum });
    if (workerData.linger) setInterval(() => addon.probe(workerData.view), 1);
  `;

  function start(view: Uint8Array, linger: boolean): { worker: Worker; message: Promise<unknown> } {
    const worker = new Worker(script, {
      eval: true,
      workerData: { path: nativeReport().path, view, linger },
    });
    const message = new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    return { worker, message };
  }

  it('load the addon concurrently and repeatedly, and outlive each other', async () => {
    native();
    const view = new Uint8Array(new SharedArrayBuffer(1000)).fill(2);
    for (let round = 0; round < 3; round++) {
      const started = Array.from({ length: 4 }, (_, i) => start(view, i % 2 === 1));
      for (const { message } of started) {
        expect(await message).toEqual({ code: 'ERR_OFFHEAP_TYPE', sum: 2000 });
      }
      // The lingering half is ended in the middle of its work.
      await Promise.all(started.map(({ worker }) => worker.terminate()));
      expect(native().probe(view).sum).toBe(2000);
      expect(thrown(() => native().probe(1 as never))).toBeInstanceOf(OffheapError);
    }
  });
});
