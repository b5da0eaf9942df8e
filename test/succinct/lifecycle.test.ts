/** The immutable sequences of integers as regions: shared, saved, opened, corrupted, closed. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';
import { native, packageRoot } from '../../src/native.js';
import { EliasFano, PackedInts } from '../../src/succinct/index.js';
import { rejected, thrown, throws } from '../helpers/errors.js';
import { Random } from '../helpers/random.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-succinct-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const fresh = (): string => join(folder, `${files++}.bin`);

const values = Array.from({ length: 1000 }, (_, i) => i * 7 + (i % 5));
const dist = join(packageRoot(), 'dist');

/** The structures, and all queries of each. */
const STRUCTURES = {
  EliasFano: {
    type: EliasFano,
    make: () => EliasFano.from(values),
    ask: (s: any): void => {
      for (const index of [0, 1, 500, 999, -1]) s.at(index);
      for (const value of [0, 1, 3000.5, 6996, 7000, 1e9]) {
        s.rank(value);
        s.nextGeq(value);
      }
      s.slice(0, 100);
      s.rankMany([0, 3000, 1e9]);
      for (const at of [0, 5, 999]) if (at < s.length) s.getMany([at]);
    },
    inspected: 'EliasFano(3) [ 1, 2, 300 ]',
  },
  PackedInts: {
    type: PackedInts,
    make: () => PackedInts.from(values),
    ask: (s: any): void => {
      s.at(0);
      s.at(-1);
      s.slice(0, 100);
      for (const at of [0, 5, 999]) if (at < s.length) s.getMany([at]);
    },
    inspected: 'PackedInts(3) <9 bits> [ 1, 2, 300 ]',
  },
};

describe.each(Object.entries(STRUCTURES))('%s', (name, { type, make, ask, inspected }) => {
  const Type = type as any;

  it('is shared with other threads, which may be terminated at any point', async () => {
    using sequence = make();
    const token = sequence.share();
    const expected = values.reduce((a, b) => a + b) * 3;
    const script = join(import.meta.dirname, '..', 'helpers', 'sequence-worker.mjs');
    for (const forever of [false, true, true]) {
      const worker = new Worker(script, { workerData: { dist, type: name, token, forever } });
      const answer = await new Promise<any>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      expect(answer.sum).toBe(expected);
      expect(answer.stats).toMatchObject({ origin: 'attached', shared: true, length: values.length });
      await worker.terminate();
    }
    using near = Type.attach(token);
    expect([...near]).toEqual(values);
    sequence.close();
    expect([...near]).toEqual(values);
    throws(() => sequence.at(0), 'ERR_OFFHEAP_CLOSED');
    expect(structuredClone(token)).toMatchObject({ offheap: name.toLowerCase() });
    throws(() => HashMap.attach(token), 'ERR_OFFHEAP_TYPE');
  });

  it('is saved, and opened by mapping its file', async () => {
    const path = fresh();
    using sequence = make();
    await sequence.save(path);
    for (const mode of ['r', 'rw'] as const) {
      using opened = Type.open(path, { mode });
      expect(opened.stats()).toMatchObject({ origin: 'file', length: values.length });
      expect([...opened]).toEqual(values);
      expect(opened.at(3)).toBe(values[3]);
      expect([...opened.getMany([3, 4])]).toEqual([values[3], values[4]]);
      opened.validate();
      using again = Type.attach(opened.share());
      expect(again.at(-1)).toBe(values.at(-1));
    }
    throws(() => HashMap.open(path), 'ERR_OFFHEAP_VERSION');
    throws(() => Type.open(join(folder, 'none')), 'ERR_OFFHEAP_IO');
    const printed = execFileSync(process.execPath, [join(dist, 'cli', 'main.js'), 'inspect', path], {
      encoding: 'utf8',
    });
    expect(printed).toContain(name.toLowerCase());
    expect(printed).toMatch(/correct/);
    const signal = AbortSignal.abort();
    await expect(sequence.save(fresh(), { signal })).rejects.toThrow();
    expect((await rejected(sequence.save(join(folder, 'no', 'such')))).code).toBe('ERR_OFFHEAP_IO');
  });

  it('detects that its file has been truncated', async () => {
    const path = fresh();
    using sequence = make();
    await sequence.save(path);
    using opened = Type.open(path);
    expect(opened.at(1)).toBe(values[1]);
    truncateSync(path, 0);
    // The result depends on whether the pages have been read before; it is never a wrong value or a
    // crash.
    for (const read of [() => opened.at(999), () => opened.at(5), () => [...opened.getMany([998])]]) {
      try {
        read();
      } catch (error) {
        expect((error as { code: string }).code).toBe('ERR_OFFHEAP_IO');
      }
    }
    expect(inspect(opened)).toMatch(name);
  });

  it('is restored from its bytes', () => {
    using sequence = make();
    const bytes = sequence.toBytes();
    using copy = Type.fromBytes(bytes);
    bytes.fill(0);
    expect([...copy]).toEqual(values);
    copy.validate();
    throws(() => Type.fromBytes(new Uint8Array(100)), 'ERR_OFFHEAP_CORRUPT');
    throws(() => Type.fromBytes(new Uint8Array(1000)), 'ERR_OFFHEAP_CORRUPT');
    throws(() => Type.fromBytes([1]), 'ERR_OFFHEAP_TYPE');
    throws(() => Type.fromBytes(new HashMap({ key: 'u32', value: 'u32' }).toBytes()), 'ERR_OFFHEAP_VERSION');
  });

  it('rejects everything but close() after close()', () => {
    const sequence = make() as any;
    const iterator = sequence[Symbol.iterator]();
    iterator.next();
    sequence.close();
    sequence.close();
    for (const operation of [
      () => sequence.length,
      () => sequence.byteLength,
      () => sequence.at(0),
      () => sequence.at(-1),
      () => sequence.getMany([0]),
      () => sequence[Symbol.iterator](),
      () => iterator.next(),
      () => sequence.stats(),
      () => sequence.validate(),
      () => sequence.share(),
      () => sequence.toBytes(),
      () => ask(sequence),
    ]) {
      throws(operation, 'ERR_OFFHEAP_CLOSED');
    }
    expect(inspect(sequence)).toBe(`${name} { closed }`);
  });

  it('is inspected', () => {
    expect(inspect(Type.from([1, 2, 300]))).toBe(inspected);
    const long = inspect(make());
    expect(long).toContain(`${name}(1000)`);
    expect(long).toContain('900 more');
    expect(inspect({ deep: { deeper: { deepest: make() } } }, { depth: 1 })).not.toContain('more items');
    expect(Object.prototype.toString.call(make())).toBe(`[object ${name}]`);
    expect(JSON.stringify(make())).toBe('{}');
    expect(() => structuredClone(make())).toThrow(/clone/);
  });

  it('throws ERR_OFFHEAP_OOM when memory is refused', () => {
    const real = globalThis.SharedArrayBuffer;
    globalThis.SharedArrayBuffer = function () {
      throw new RangeError('Array buffer allocation failed');
    } as never;
    try {
      throws(() => make(), 'ERR_OFFHEAP_OOM');
    } finally {
      globalThis.SharedArrayBuffer = real;
    }
  });

  // ---- hostile bytes

  const sealed = (): Uint8Array => make().toBytes();
  const plain = (): Uint8Array => {
    const bytes = sealed();
    bytes.fill(0, 28, 36); // clears the checksum and its flag
    return bytes;
  };
  const ALLOWED = [
    'ERR_OFFHEAP_CORRUPT',
    'ERR_OFFHEAP_VERSION',
    'ERR_OFFHEAP_STALE',
    'ERR_OFFHEAP_UNSUPPORTED',
  ];

  /** Opens corrupt bytes in every possible way and makes all queries. Results may be wrong. */
  function survive(bytes: Uint8Array, file: boolean): void {
    const ways = [() => Type.fromBytes(bytes)];
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    ways.push(() => Type.attach({ offheap: name.toLowerCase(), buffer: shared.buffer }));
    if (file) {
      const path = fresh();
      writeFileSync(path, bytes);
      ways.push(() => Type.open(path));
    }
    for (const way of ways) {
      let sequence: any;
      try {
        sequence = way();
      } catch (error) {
        expect(ALLOWED).toContain((error as { code: string }).code);
        continue;
      }
      try {
        ask(sequence);
        let count = 0;
        for (const value of sequence) if (++count > 2000 || value === undefined) break;
        sequence.validate();
      } catch (error) {
        expect([...ALLOWED, 'ERR_OFFHEAP_RANGE'], String(error)).toContain((error as { code: string }).code);
      }
      sequence.close();
    }
  }

  it('survives a change of any bit of the header', () => {
    for (const bytes of [plain(), sealed()]) {
      for (let bit = 0; bit < 2048; bit++) {
        // An odd sequence makes a reader wait for a writer that does not exist.
        if (bit === 6 * 32) continue;
        bytes[bit >> 3] ^= 1 << (bit & 7);
        survive(bytes, bit % 64 === 0);
        bytes[bit >> 3] ^= 1 << (bit & 7);
      }
    }
  });

  it('rejects every truncation', () => {
    const bytes = plain();
    for (let length = 0; length < bytes.length; length += length < 320 ? 8 : 1000) {
      const error = thrown(() => Type.fromBytes(bytes.slice(0, length)));
      expect(error.code).toBe('ERR_OFFHEAP_CORRUPT');
    }
  });

  it('survives random corruption', () => {
    const random = new Random(12);
    const whole = plain();
    for (let round = 0; round < 300; round++) {
      const bytes = whole.slice();
      const flips = 1 + random.below(40);
      for (let i = 0; i < flips; i++) bytes[64 + random.below(bytes.length - 64)] = random.below(256);
      survive(bytes, round % 50 === 0);
    }
  });

  it('detects a changed byte by the checksum', () => {
    const bytes = sealed();
    bytes[300] ^= 1;
    const path = fresh();
    writeFileSync(path, bytes);
    using opened = Type.open(path);
    throws(() => opened.validate(), 'ERR_OFFHEAP_CORRUPT', /checksum/);
    expect(native().regionChecksum(readFileSync(path))).not.toBe(0);
  });
});
