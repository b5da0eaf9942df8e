/**
 * MmapVector: the operations of a vector on a file, closing and reopening, one writer and many
 * readers, full disks.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { MmapVector, type MmapVectorOptions, type NumericType } from '../../src/mmap/index.js';
import { packageRoot } from '../../src/native.js';
import { Vector } from '../../src/vector/index.js';
import { rejected, throws } from '../helpers/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-mmapvector-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const module = join(packageRoot(), 'dist', 'mmap', 'index.js');

let files = 0;
const fresh = (): string => join(folder, `vector ${files++}`);
const TYPES: NumericType[] = ['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'f64', 'u64', 'i64'];
const wide = (type: NumericType): boolean => type === 'u64' || type === 'i64';

describe('elements', () => {
  it.each(TYPES)('of %s are read back from the file', async (type) => {
    const path = fresh();
    const values: any[] = Array.from({ length: 100 }, (_, i) => (wide(type) ? BigInt(i) : i));
    const vector = MmapVector.create(path, type) as MmapVector<any>;
    for (const value of values) vector.push(value);
    vector.pushMany(values);
    await vector.flush();
    vector.close();
    for (const mode of ['r', 'rw'] as const) {
      using again = MmapVector.open<any>(path, { mode });
      expect(again.type).toBe(type);
      expect(again.recovered).toBe(false);
      expect([...again]).toEqual([...values, ...values]);
      expect(again.view).toHaveLength(200);
      expect(again.at(-1)).toBe(values[99]);
      expect(again.sum()).toEqual(wide(type) ? 9900n : 9900);
      expect(again.max()).toBe(values[99]);
      expect(again.indexOf(values[7], 8)).toBe(107);
      again.validate();
    }
  });

  it('equal those of a model under all operations', () => {
    const operation = fc.oneof(
      fc.record({ do: fc.constant('push' as const), count: fc.nat(300) }),
      fc.record({ do: fc.constant('pushMany' as const), count: fc.nat(30_000) }),
      fc.record({ do: fc.constant('pop' as const), count: fc.nat(5) }),
      fc.record({ do: fc.constant('truncate' as const), count: fc.nat(40_000) }),
      fc.record({ do: fc.constant('set' as const), count: fc.nat(40_000) }),
      fc.record({ do: fc.constant('swapRemove' as const), count: fc.nat(40_000) }),
      fc.record({ do: fc.constant('flush' as const), count: fc.nat(1) }),
      fc.record({ do: fc.constant('reserve' as const), count: fc.nat(50_000) }),
      fc.record({ do: fc.constant('reopen' as const), count: fc.nat(1) }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
        const path = fresh();
        let vector = MmapVector.create(path, 'f64', { stepMin: 4096 });
        using reader = MmapVector.open<'f64'>(path);
        let model: number[] = [];
        let flushed: number[] = [];
        let counter = 0;
        /** Elements below this index are immutable. */
        let sealed = 0;
        const appending = (): void => {
          // Replacing flushed elements flushes first.
          if (model.length >= sealed) return;
          flushed = [...model];
          sealed = model.length;
        };
        for (const { do: what, count } of operations) {
          switch (what) {
            case 'push':
              for (let i = 0; i < count; i++) {
                appending();
                expect(vector.push(++counter)).toBe(model.push(counter));
              }
              break;
            case 'pushMany': {
              const more = Array.from({ length: count }, () => ++counter);
              if (count > 0) appending();
              vector.pushMany(count % 2 === 0 ? more : Float64Array.from(more));
              model.push(...more);
              break;
            }
            case 'pop':
              for (let i = 0; i < count; i++) expect(vector.pop()).toBe(model.pop());
              break;
            case 'truncate':
              vector.truncate(count);
              model = model.slice(0, count);
              break;
            case 'set':
              if (count >= model.length) throws(() => vector.set(count, 0), 'ERR_OFFHEAP_RANGE');
              else if (count < sealed) throws(() => vector.set(count, 0), 'ERR_OFFHEAP_UNSUPPORTED');
              else vector.set(count, (model[count] = ++counter));
              break;
            case 'swapRemove':
              if (count >= model.length) throws(() => vector.swapRemove(count), 'ERR_OFFHEAP_RANGE');
              else if (count < sealed && count !== model.length - 1) {
                throws(() => vector.swapRemove(count), 'ERR_OFFHEAP_UNSUPPORTED');
              } else {
                const last = model.pop()!;
                expect(vector.swapRemove(count)).toBe(count === model.length ? last : model[count]);
                if (count < model.length) model[count] = last;
              }
              break;
            case 'flush':
              vector.flushSync();
              flushed = [...model];
              sealed = model.length;
              break;
            case 'reserve':
              vector.reserve(count);
              break;
            case 'reopen':
              vector.close({ flush: false });
              vector = MmapVector.open<'f64'>(path, { mode: 'rw', stepMin: 4096 });
              model = [...flushed];
              sealed = model.length;
          }
          expect(vector.length).toBe(model.length);
          expect(vector.flushed).toBe(flushed.length);
          expect(reader.length).toBe(flushed.length);
        }
        expect([...vector.view]).toEqual(model);
        expect([...reader.view]).toEqual(flushed);
        vector.validate();
        reader.validate();
        vector.close();
        expect([...MmapVector.open<'f64'>(path).view]).toEqual(model);
      }),
      { numRuns: 40 },
    );
  });

  it('that were flushed are immutable', () => {
    using vector = MmapVector.create(fresh(), 'u32');
    vector.pushMany([3, 1, 2]);
    vector.sort().fill(9, 2).set(0, 7);
    vector.flushSync();
    vector.push(5, 4);
    const refused = [
      () => vector.set(2, 1),
      () => vector.fill(0),
      () => vector.fill(0, 2, 3),
      () => vector.sort(),
      () => vector.swapRemove(0),
    ];
    for (const body of refused) throws(body, 'ERR_OFFHEAP_UNSUPPORTED', /flushed/);
    vector.fill(8, 3).set(4, 6);
    vector.fill(0, 1, 1);
    expect([...vector]).toEqual([7, 2, 9, 8, 6]);
    expect(vector.swapRemove(3)).toBe(8);
    vector.validate();
  });

  it('that were not flushed are lost with close({ flush: false })', () => {
    const path = fresh();
    const vector = MmapVector.create(path, 'u8');
    vector.push(1, 2);
    vector.flushSync();
    vector.push(3);
    vector.close({ flush: false });
    expect([...MmapVector.open(path)]).toEqual([1, 2]);
    expect(statSync(path).size).toBe(65_536 + 2);
  });

  it('become a Vector by save() and toBytes()', async () => {
    using vector = MmapVector.create(fresh(), 'i16');
    vector.push(5, -5);
    expect([...Vector.fromBytes(vector.toBytes())]).toEqual([5, -5]);
    const saved = fresh();
    await vector.save(saved);
    expect([...Vector.open(saved)]).toEqual([5, -5]);
    throws(() => MmapVector.open(saved), 'ERR_OFFHEAP_VERSION');
    throws(() => Vector.open(vector.stats().path), 'ERR_OFFHEAP_VERSION', /mmapvector/);
  });

  it('are sorted, searched and shown as in a Vector', async () => {
    using vector = MmapVector.create(fresh(), 'f64');
    vector.pushMany(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 5000));
    expect([...vector.argsort().subarray(0, 2)]).toEqual([0, vector.indexOf(1)]);
    const order = vector.argsortAsync();
    throws(() => vector.push(1), 'ERR_OFFHEAP_LOCKED');
    await order;
    await vector.sortAsync();
    expect(vector.binarySearch(77)).toBe(77);
    vector.push(5000);
    await vector.flush();
    expect([...vector.entries()].every(([i, x]) => i === x)).toBe(true);
    expect(vector.flushed).toBe(5001);
    expect(inspect(vector)).toMatch(/^MmapVector<f64>\(5001\) \[/);
    expect(Object.prototype.toString.call(vector)).toBe('[object MmapVector]');
  });

  it('do not move when the reserved address space is exceeded', () => {
    // On Node 20 a buffer is limited to 4 GiB. The room is requested, but never stored to.
    using vector = MmapVector.create(fresh(), 'f64');
    vector.pushMany(Float64Array.from({ length: 1000 }, (_, i) => i));
    const { view } = vector;
    vector.reserve(2_000_000);
    vector.set(0, 42);
    expect(view[0]).toBe(42);
    expect(vector.stats().capacity).toBeGreaterThanOrEqual(2_000_000);
  });
});

describe('flush', () => {
  it('resolves for every caller, also while one is under way', async () => {
    const path = fresh();
    const vector = MmapVector.create(path, 'u32');
    const flushes = [];
    for (let i = 0; i < 50; i++) {
      vector.push(i);
      flushes.push(vector.flush());
      // It overtakes the waiting flushes, which must not undo it.
      if (i % 10 === 9) vector.flushSync();
    }
    await Promise.all(flushes);
    expect(vector.flushed).toBe(50);
    vector.close();
    expect(MmapVector.open(path).length).toBe(50);
  });

  it('guarantees the elements at the call while others are pushed and dropped', async () => {
    const path = fresh();
    const vector = MmapVector.create(path, 'u32');
    vector.pushMany(Uint32Array.from({ length: 1000 }, (_, i) => i));
    const flush = vector.flush();
    throws(() => vector.set(999, 0), 'ERR_OFFHEAP_UNSUPPORTED');
    vector.push(7);
    vector.set(1000, 8);
    vector.truncate(500);
    // This waits, because the flush under way guarantees the element.
    vector.push(77);
    await flush;
    expect(vector.flushed).toBe(500);
    expect(vector.length).toBe(501);
    await vector.flush();
    vector.close();
    using again = MmapVector.open(path);
    again.validate();
    expect(again.length).toBe(501);
    expect(again.at(-1)).toBe(77);
  });

  it('still counts if the vector is closed while it is under way', async () => {
    const path = fresh();
    const vector = MmapVector.create(path, 'u32');
    vector.push(1);
    const one = vector.flush();
    vector.push(2);
    const two = vector.flush();
    vector.close();
    // Immediately: closing has waited.
    using again = MmapVector.open(path, { mode: 'rw' });
    expect([...again]).toEqual([1, 2]);
    await Promise.all([one, two]);
  });

  it('does not extend a truncated file, whose lost elements would silently become zeros', () => {
    const path = fresh();
    const vector = MmapVector.create(path, 'f64');
    vector.push(1);
    while (vector.length < vector.stats().capacity) vector.push(vector.length);
    vector.flushSync();
    truncateSync(path, 65_536 + 80);
    throws(() => vector.push(7), 'ERR_OFFHEAP_IO');
    throws(() => vector.reserve(100_000), 'ERR_OFFHEAP_IO');
    expect(vector.at(5000)).toBe(0);
    throws(() => vector.flushSync(), 'ERR_OFFHEAP_IO');
    expect(statSync(path).size).toBe(65_536 + 80);
    vector.close();
  });

  it('leaves no open file and no lock if open() rejects its options', () => {
    const path = fresh();
    MmapVector.create(path, 'f64').close();
    for (const options of [{ capacity: -1 }, { pattern: 'none' }, { fixed: 1 }, { stepMin: NaN }] as any[]) {
      expect(() => MmapVector.open(path, { mode: 'rw', ...options })).toThrow();
      MmapVector.open(path, { mode: 'rw' }).close();
    }
  });

  it('fails, as everything after it, if the file was truncated', async () => {
    const path = fresh();
    const vector = MmapVector.create(path, 'f64');
    vector.pushMany(new Float64Array(100_000).fill(1));
    truncateSync(path, 65_536);
    expect((await rejected(vector.flush())).code).toBe('ERR_OFFHEAP_IO');
    throws(() => vector.flushSync(), 'ERR_OFFHEAP_IO');
    expect(vector.at(99_999)).toBe(0);
    throws(() => vector.sum(), 'ERR_OFFHEAP_IO');
    throws(() => vector.reserve(1_000_000), 'ERR_OFFHEAP_IO');
    throws(() => vector.close(), 'ERR_OFFHEAP_IO');
    expect(MmapVector.open(path).length).toBe(0);
  });
});

describe('one writer', () => {
  it('excludes a second one, in this process and others, until it is closed', { timeout: 60_000 }, () => {
    const path = fresh();
    const vector = MmapVector.create(path, 'u8');
    throws(() => MmapVector.open(path, { mode: 'rw' }), 'ERR_OFFHEAP_LOCKED');
    const script = `
      import { MmapVector } from ${JSON.stringify(module)};
      try { MmapVector.open(process.argv[1], { mode: 'rw' }).close(); console.log('opened'); }
      catch (error) { console.log(error.code); }`;
    const args = ['--input-type=module', '-e', script, path];
    const other = (): string => execFileSync(process.execPath, args, { encoding: 'utf8' }).trim();
    expect(other()).toBe('ERR_OFFHEAP_LOCKED');
    // The view keeps the file mapped, but must not keep the lock.
    const { view } = vector;
    vector.close();
    expect(other()).toBe('opened');
    MmapVector.open(path, { mode: 'rw' }).close();
    expect(view).toHaveLength(0);
  });

  it('appends while other threads read, and can be terminated', { timeout: 60_000 }, async () => {
    const path = fresh();
    MmapVector.create(path, 'u32').close();
    const script = `
      import('node:worker_threads').then(({ parentPort, workerData }) =>
        import(workerData.module).then(async ({ MmapVector }) => {
          const vector = MmapVector.open(workerData.path, { mode: 'rw' });
          parentPort.postMessage('ready');
          for (let i = 0; ; i++) {
            vector.push(i);
            if (i % 1000 === 0) await vector.flush();
          }
        }));`;
    for (let round = 0; round < 3; round++) {
      const worker = new Worker(script, { eval: true, workerData: { path, module } });
      await new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      using reader = MmapVector.open<'u32'>(path);
      const until = reader.length + 5000;
      while (reader.length < until) {
        const { view } = reader;
        for (let i = 0; i < view.length; i += 997) if (view[i] > i) throw new Error(`${view[i]} at ${i}`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await worker.terminate();
      using again = MmapVector.open<'u32'>(path, { mode: 'rw' });
      again.validate();
      expect(again.length).toBeGreaterThanOrEqual(until);
      again.truncate(0);
      again.flushSync();
    }
  });

  it('is read through a token on other threads', async () => {
    using vector = MmapVector.create(fresh(), 'f64');
    vector.push(1, 2);
    vector.flushSync();
    using reader = MmapVector.attach(structuredClone(vector.share()));
    expect([...reader]).toEqual([1, 2]);
    vector.push(3);
    await vector.flush();
    expect(reader.at(2)).toBe(3);
    expect(reader.refresh()).toBe(3);
    vector.truncate(1);
    await vector.flush();
    expect([...reader]).toEqual([1]);
    for (const bad of [undefined, null, 7, {}, { offheap: 'vector' }, new Vector('u8').share()]) {
      throws(() => MmapVector.attach(bad as never), 'ERR_OFFHEAP_TYPE');
    }
    const token = vector.share();
    rmSync(vector.stats().path);
    MmapVector.create(vector.stats().path, 'f64').close();
    throws(() => MmapVector.attach(token), 'ERR_OFFHEAP_STALE');
  });

  it('is distinguished from readers, which change nothing', async () => {
    const path = fresh();
    const vector = MmapVector.create(path, 'u8');
    vector.push(1, 2, 3);
    vector.flushSync();
    vector.close();
    const before = readFileSync(path);
    using reader = MmapVector.open(path);
    const changes = [
      () => reader.push(1),
      () => reader.push(1, 2),
      () => reader.pushMany([1]),
      () => reader.pop(),
      () => reader.set(0, 1),
      () => reader.fill(1),
      () => reader.truncate(1),
      () => reader.clear(),
      () => reader.swapRemove(0),
      () => reader.reserve(100),
      () => reader.sort(),
      () => reader.flushSync(),
    ];
    for (const change of changes) throws(change, 'ERR_OFFHEAP_UNSUPPORTED');
    expect((await rejected(reader.flush())).code).toBe('ERR_OFFHEAP_UNSUPPORTED');
    // Stores through a view stay in this process.
    reader.view[0] = 99;
    expect(Buffer.compare(readFileSync(path), before)).toBe(0);
    expect(reader.stats()).toMatchObject({ length: 3, flushed: 3, writable: false, recovered: false, path });
  });
});

describe('room', () => {
  it('grows in steps, is released, and has presets', () => {
    const presets: MmapVectorOptions[] = [
      MmapVector.largeDataset(),
      MmapVector.cache(),
      MmapVector.realTime(5000),
    ];
    for (const options of presets) {
      const path = fresh();
      using vector = MmapVector.create(path, 'u32', options);
      vector.pushMany(Uint32Array.from({ length: 5000 }, (_, i) => i));
      expect(vector.stats().capacity).toBeGreaterThanOrEqual(5000);
      vector.flushSync();
      if (options.fixed === true) {
        throws(() => vector.push(1), 'ERR_OFFHEAP_FULL', /5000/);
        throws(() => vector.pushMany([1]), 'ERR_OFFHEAP_FULL');
        throws(() => vector.reserve(5001), 'ERR_OFFHEAP_FULL');
        vector.pop();
        vector.push(4);
      } else {
        vector.push(1);
      }
      vector.flushSync();
      const { length } = vector;
      vector.close();
      // Populating must not change existing elements.
      using again = MmapVector.open<'u32'>(path, { ...options, mode: 'rw' });
      expect(again.length).toBe(length);
      expect(again.at(4000)).toBe(4000);
      again.validate();
    }
  });

  it('keeps its elements while large pages are used and after they become small again', async () => {
    const path = fresh();
    const vector = MmapVector.create(path, 'u32');
    const model: number[] = [];
    const append = (count: number): void => {
      const more = Uint32Array.from({ length: count }, (_, i) => model.length + i);
      vector.pushMany(more.subarray(0, count >> 1));
      for (const value of more.subarray(count >> 1)) vector.push(value);
      for (const value of more) model.push(value);
    };
    const check = (found: MmapVector<'u32'>): void => {
      found.validate();
      const { buffer, byteOffset, byteLength } = found.view;
      const bytes = Buffer.from(buffer, byteOffset, byteLength);
      expect(bytes.equals(Buffer.from(Uint32Array.from(model).buffer))).toBe(true);
    };
    for (let round = 0; round < 4; round++) {
      append(1_000_000);
      // Dropped, but guaranteed until the next flush has ended.
      const flush = vector.flush();
      vector.truncate(model.length - 600_000);
      model.length -= 600_000;
      vector.flushSync();
      await flush;
      append(10);
      vector.flushSync();
      append(2000);
      await vector.flush();
      check(vector);
    }
    expect(vector.stats().capacity).toBeLessThan(4_000_000);
    vector.close();
    check(MmapVector.open<'u32'>(path));
  });

  const may = process.platform === 'linux' && process.getuid?.() === 0;
  it.runIf(may)(
    'is exhausted on a full disk with an error that keeps the elements',
    { timeout: 60_000 },
    () => {
      const small = join(folder, 'small');
      mkdirSync(small);
      if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', small]).status !== 0) return;
      try {
        const path = join(small, 'vector');
        throws(() => MmapVector.create(path, 'f64', { capacity: 1e6 }), 'ERR_OFFHEAP_FULL');
        expect(existsSync(path)).toBe(false);
        const vector = MmapVector.create(path, 'f64');
        let pushed = 0;
        throws(
          () => {
            for (;;) {
              vector.push(pushed);
              pushed++;
            }
          },
          'ERR_OFFHEAP_FULL',
          /room/,
        );
        expect(pushed).toBeGreaterThan(100_000);
        expect(vector.length).toBe(pushed);
        throws(() => vector.pushMany(new Float64Array(1e6)), 'ERR_OFFHEAP_FULL');
        throws(() => vector.reserve(1e6), 'ERR_OFFHEAP_FULL');
        vector.flushSync();
        vector.close();
        using again = MmapVector.open<'f64'>(path, { mode: 'rw' });
        expect(again.length).toBe(pushed);
        expect(again.at(-1)).toBe(pushed - 1);
        again.validate();
        throws(() => MmapVector.create(join(small, 'another'), 'f64'), 'ERR_OFFHEAP_FULL');
        throws(() => MmapVector.create(join(small, 'another'), 'f64', { capacity: 10 }), 'ERR_OFFHEAP_FULL');
        expect(existsSync(join(small, 'another'))).toBe(false);
      } finally {
        spawnSync('umount', ['-l', small]);
      }
    },
  );

  it('that cannot be allocated at creation leaves no file', () => {
    const path = fresh();
    throws(() => MmapVector.create(path, 'f64', { capacity: 2 ** 46 }), 'ERR_OFFHEAP_OOM');
    expect(existsSync(path)).toBe(false);
  });
});
