/**
 * Bit vectors and rank/select structures as regions: shared, grown during reads, saved, opened,
 * corrupted, closed.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';
import { packageRoot } from '../../src/native.js';
import { BitVector, RankSelect, type Token } from '../../src/succinct/index.js';
import { rejected, thrown, throws } from '../helpers/errors.js';
import { Random } from '../helpers/random.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-bits-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const fresh = (): string => join(folder, `${files++}.bin`);
const dist = join(packageRoot(), 'dist');

const thirds = (length: number): BitVector => {
  const bits = new BitVector(length);
  for (let at = 0; at < length; at += 3) bits.set(at);
  return bits;
};
/** The structures, and all queries of each. */
const STRUCTURES = {
  BitVector: {
    type: BitVector as any,
    make: (): any => thirds(3000),
    ask: (s: any): void => {
      for (const at of [0, 1, 2999, 3000]) s.get(at);
      for (const at of [0, 1, 2999]) s.nextClearBit(Number(s.nextSetBit(at)) + 1);
      s.count();
      s.count(s.length >> 1);
      const out = new Float64Array(50);
      s.ones(0, out);
      let steps = 0;
      for (const at of s) if (++steps > 100 || at < 0) break;
    },
    ones: (s: any): number[] => [...s],
  },
  flat: {
    type: RankSelect as any,
    make: (): any => RankSelect.from(thirds(3000)),
    ask: askRanks,
    ones: onesOf,
  },
  interleaved: {
    type: RankSelect as any,
    make: (): any => RankSelect.from(thirds(3000), { variant: 'interleaved' }),
    ask: askRanks,
    ones: onesOf,
  },
  sparse: {
    type: RankSelect as any,
    make: (): any => RankSelect.from(thirds(3000), { variant: 'sparse' }),
    ask: askRanks,
    ones: onesOf,
  },
  constant: {
    type: RankSelect as any,
    make: (): any => RankSelect.from(new BitVector(1000).not(), { variant: 'auto' }),
    ask: askRanks,
    ones: onesOf,
  },
};

function askRanks(s: any): void {
  for (const at of [0, 1, 500, 511, 512, s.length >> 1, s.length]) {
    if (at <= s.length) {
      s.rank1(at);
      s.rank1Many([at]);
    }
    s.get(at);
    s.select1(at);
    s.select0(at);
  }
  for (const [method, count] of [
    ['select1Many', s.ones],
    ['select0Many', s.zeros],
  ]) {
    if (count > 0) s[method]([0, count - 1, count >> 1]);
  }
}

function onesOf(s: any): number[] {
  return [...s.select1Many(Uint32Array.from({ length: s.ones }, (_, i) => i))];
}

async function ended(worker: Worker): Promise<any> {
  const [message] = await once(worker, 'message');
  return message === 'ready' ? undefined : message;
}

describe.each(Object.entries(STRUCTURES))('%s', (_name, { type, make, ask, ones }) => {
  const expected = ones(make());
  const kind = (make().share() as Token).offheap;

  it('is saved, and opened by mapping its file', async () => {
    const path = fresh();
    using structure = make();
    await structure.save(path);
    for (const mode of ['r', 'rw']) {
      using opened = type.open(path, { mode });
      expect(opened.stats()).toMatchObject({ origin: 'file', length: structure.length });
      expect(ones(opened)).toEqual(expected);
      ask(opened);
      opened.validate();
      using again = type.attach(opened.share());
      expect(ones(again)).toEqual(expected);
    }
    throws(() => HashMap.open(path), 'ERR_OFFHEAP_VERSION');
    const printed = execFileSync(process.execPath, [join(dist, 'cli', 'main.js'), 'inspect', path], {
      encoding: 'utf8',
    });
    expect(printed).toContain(kind);
    expect(printed).toMatch(/correct/);
    expect((await rejected(structure.save(join(folder, 'no', 'such')))).code).toBe('ERR_OFFHEAP_IO');
  });

  it('detects that its file has been truncated', async () => {
    const path = fresh();
    using structure = make();
    await structure.save(path);
    using opened = type.open(path);
    truncateSync(path, 0);
    // The result depends on whether the pages have been read before; it is never a wrong value or a
    // crash.
    try {
      expect(ones(opened)).toEqual(expected);
      ask(opened);
    } catch (error) {
      expect((error as { code: string }).code).toBe('ERR_OFFHEAP_IO');
    }
    expect(inspect(opened)).toMatch(/BitVector|RankSelect/);
  });

  it('is restored from its bytes', () => {
    using structure = make();
    const bytes = structure.toBytes();
    using copy = type.fromBytes(bytes);
    bytes.fill(0);
    expect(ones(copy)).toEqual(expected);
    throws(() => type.fromBytes(new Uint8Array(100)), 'ERR_OFFHEAP_CORRUPT');
    throws(() => type.fromBytes([1]), 'ERR_OFFHEAP_TYPE');
    throws(() => type.fromBytes(new HashMap({ key: 'u32', value: 'u32' }).toBytes()), 'ERR_OFFHEAP_VERSION');
  });

  it('rejects everything but close() after close()', () => {
    const structure = make();
    const iterator = structure[Symbol.iterator]?.();
    iterator?.next();
    structure.close();
    structure.close();
    const bits = new BitVector(10);
    const calls =
      type === BitVector
        ? {
            properties: ['length', 'byteLength'],
            methods: {
              get: [0],
              set: [0],
              flip: [0],
              push: [true],
              fill: [0, 1, true],
              not: [],
              count: [],
              and: [bits],
              or: [bits],
              xor: [bits],
              andNot: [bits],
              nextSetBit: [],
              nextClearBit: [],
              ones: [],
              setMany: [[0]],
              resize: [5],
              reserve: [5],
              shrinkToFit: [],
              clear: [],
            },
          }
        : {
            properties: ['length', 'ones', 'zeros', 'variant', 'overhead', 'byteLength'],
            methods: {
              get: [0],
              rank1: [0],
              rank0: [0],
              select1: [0],
              select0: [0],
              rank1Many: [[0]],
              rank0Many: [[0]],
              select1Many: [[0]],
              select0Many: [[0]],
            },
          };
    for (const name of calls.properties) throws(() => structure[name], 'ERR_OFFHEAP_CLOSED');
    for (const [name, args] of Object.entries({
      ...calls.methods,
      stats: [],
      validate: [],
      share: [],
      toBytes: [],
    })) {
      throws(() => structure[name](...(args as unknown[])), 'ERR_OFFHEAP_CLOSED');
    }
    if (iterator !== undefined) {
      throws(() => iterator.next(), 'ERR_OFFHEAP_CLOSED');
      throws(() => structure[Symbol.iterator](), 'ERR_OFFHEAP_CLOSED');
      throws(() => bits.or(structure), 'ERR_OFFHEAP_CLOSED');
    }
    expect(inspect(structure)).toMatch(/\{ closed \}$/);
    expect(JSON.stringify(make())).toBe('{}');
    expect(() => structuredClone(make())).toThrow(/clone/);
  });

  // ---- hostile bytes

  const ALLOWED = ['CORRUPT', 'VERSION', 'STALE', 'UNSUPPORTED', 'RANGE', 'OOM'].map(
    (c) => `ERR_OFFHEAP_${c}`,
  );
  const sealed = (): Uint8Array => make().toBytes();
  const plain = (): Uint8Array => sealed().fill(0, 28, 36);

  /** Opens corrupt bytes in every possible way and makes all queries. Results may be wrong. */
  function survive(bytes: Uint8Array, file: boolean): void {
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    const ways = [
      () => type.fromBytes(bytes),
      () => type.attach({ offheap: kind, buffer: shared.buffer }),
      () => {
        const path = fresh();
        writeFileSync(path, bytes);
        return type.open(path);
      },
    ];
    for (const way of file ? ways : ways.slice(0, 2)) {
      try {
        using structure = way();
        ask(structure);
        structure.validate();
      } catch (error) {
        expect(ALLOWED, String(error)).toContain((error as { code: string }).code);
      }
    }
  }

  it('survives a change of any bit of the header', () => {
    for (const bytes of [plain(), sealed()]) {
      for (let bit = 0; bit < 2048; bit++) {
        // An odd sequence makes a reader wait for a writer that does not exist.
        if (bit === 6 * 32) continue;
        bytes[bit >> 3] ^= 1 << (bit & 7);
        survive(bytes, bit % 256 === 0);
        bytes[bit >> 3] ^= 1 << (bit & 7);
      }
    }
  });

  it('rejects every truncation', () => {
    const bytes = plain();
    for (let length = 0; length < bytes.length; length += length < 320 ? 8 : 100) {
      expect(thrown(() => type.fromBytes(bytes.slice(0, length))).code).toBe('ERR_OFFHEAP_CORRUPT');
    }
  });

  it('survives random corruption', () => {
    const random = new Random(12);
    const whole = plain();
    for (let round = 0; round < 200; round++) {
      const bytes = whole.slice();
      const flips = 1 + random.below(40);
      for (let i = 0; i < flips; i++) bytes[256 + random.below(bytes.length - 256)] = random.below(256);
      if (round % 4 === 0) bytes.fill(255, 256);
      survive(bytes, round % 50 === 0);
    }
  });

  it('detects a changed byte by the checksum', () => {
    const bytes = sealed();
    bytes[bytes.length > 256 ? 300 : 200] ^= 1;
    throws(() => type.fromBytes(bytes), 'ERR_OFFHEAP_CORRUPT', /checksum/);
  });
});

describe('threads', () => {
  const script = join(import.meta.dirname, '..', 'helpers', 'bits-worker.mjs');
  const start = (token: Token, stop: Int32Array): Worker =>
    new Worker(script, { workerData: { dist, token, stop } });

  it('read a bit vector while its owner changes and grows it', { timeout: 60_000 }, async () => {
    using bits = thirds(3000);
    const token = bits.share();
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const readers = [start(token, stop), start(token, stop)];
    await Promise.all(readers.map(ended));
    const other = new BitVector(5000).not();
    for (let round = 0; round < 300; round++) {
      for (let i = 0; i < 3000; i++) bits.push(bits.length % 3 === 0);
      // Each call inverts all of these at once: no reader sees half of them.
      bits.xor(other, 0, 999).xor(other, 0, 999);
      bits.set(4, false).set(3, true);
    }
    const answers = readers.map(ended);
    Atomics.store(stop, 0, 1);
    for (const { wrong, longest } of await Promise.all(answers)) {
      expect(longest).toBeGreaterThanOrEqual(3000);
      expect(wrong).toBe(0);
    }
    await Promise.all(readers.map((worker) => worker.terminate()));
    using near = BitVector.attach(token);
    expect(near.count()).toBe(bits.count());
    throws(() => near.set(0), 'ERR_OFFHEAP_UNSUPPORTED');
    throws(() => near.and(other), 'ERR_OFFHEAP_UNSUPPORTED');
    // An attached vector can be the other operand, and the source of a RankSelect.
    using copy = BitVector.from(near);
    expect(copy.xor(near).count()).toBe(0);
    using ranks = RankSelect.from(near);
    expect(ranks.ones).toBe(bits.count());
  });

  it('may be terminated at any point', { timeout: 60_000 }, async () => {
    using ranks = RankSelect.from(thirds(30_000));
    using bits = thirds(30_000);
    for (const structure of [ranks, bits]) {
      const stop = new Int32Array(new SharedArrayBuffer(4));
      for (let round = 0; round < 2; round++) {
        const worker = start(structure.share(), stop);
        await ended(worker);
        await worker.terminate();
      }
    }
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const worker = start(ranks.share(), stop);
    await ended(worker);
    const answer = ended(worker);
    Atomics.store(stop, 0, 1);
    const { sum, stats } = await answer;
    expect(sum).toBe(10_000 + 15 + 34);
    expect(stats).toMatchObject({ origin: 'attached', shared: true, variant: 'flat' });
    await worker.terminate();
    using near = RankSelect.attach(ranks.share());
    ranks.close();
    expect(near.select1(1)).toBe(3);
  });

  it('copy a file opened with mode rw at the first change', async () => {
    const path = fresh();
    await thirds(100).save(path);
    using opened = BitVector.open(path, { mode: 'rw' });
    opened.set(1).push(true);
    expect([opened.stats().origin, opened.count(), opened.length]).toEqual(['heap', 36, 101]);
    using other = BitVector.open(path);
    expect(other.count()).toBe(34);
    throws(() => other.set(1), 'ERR_OFFHEAP_UNSUPPORTED');
  });
});
