/** The measurements of `npm run bench -- mmap`, one section to a process. Contenders take turns in each round. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  createWriteStream,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MappedFile, MmapVector } from '../../dist/mmap/index.js';
import { serve } from '../lib/child.mjs';
import { compile, median, nanoseconds } from '../lib/measure.mjs';

/** Places that are read at once. */
const BATCH = 4096;
const KiB = 1024;
const MiB = 1024 * KiB;
const folder = () => mkdtempSync(join(tmpdir(), 'offheap-bench-'));

/** The functions of @riaskov/mmap-io, where it is installed. */
async function mmapIo() {
  try {
    const loaded = await import('@riaskov/mmap-io');
    return loaded.default ?? loaded;
  } catch {
    return undefined;
  }
}

/** A file of numbers that differ. @param {string} path @param {number} bytes */
function makeFile(path, bytes) {
  const block = new Uint32Array(Math.min(bytes, MiB) / 4);
  const file = openSync(path, 'w');
  for (let at = 0; at < bytes; at += block.byteLength) {
    for (let i = 0; i < block.length; i++) block[i] = Math.imul(at + i, 2_654_435_761);
    writeSync(file, block);
  }
  closeSync(file);
  return path;
}

/**
 * Runs contenders in turns, each round `times` times. @param {Record<string, () => unknown>} contenders
 * @param {number} rounds @param {number} [times] @param {number} [units] what one call does of what is counted
 */
function turns(contenders, rounds, times = 1, units = 1) {
  /** @type {Record<string, number[]>} */
  const samples = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = -2; round < rounds; round++) {
    for (const [name, work] of Object.entries(contenders)) {
      const spent = nanoseconds(() => {
        for (let i = 0; i < times; i++) work();
      });
      // Two rounds to warm up.
      if (round >= 0) samples[name].push(spent / times / units);
    }
  }
  return results(samples);
}

const results = (/** @type {Record<string, number[]>} */ samples) =>
  Object.fromEntries(Object.entries(samples).map(([name, rounds]) => [name, { ns: median(rounds), rounds }]));

const SUM = 'let sum = 0; for (let i = 0; i < m.length; i++) sum = (sum + m[i]) | 0; return sum;';
const size = (/** @type {number} */ bytes) => (bytes >= MiB ? `${bytes / MiB} MiB` : `${bytes / KiB} KiB`);

/** @param {{ quick: boolean, sizes?: number[] }} options */
async function open({ quick, sizes }) {
  const io = await mmapIo();
  const within = folder();
  const all = [KiB, 16 * KiB, 64 * KiB, 128 * KiB, 256 * KiB, MiB, 4 * MiB, 16 * MiB, 64 * MiB];
  const rows = [];
  for (const bytes of sizes ?? (quick ? all : [...all, 256 * MiB, 1024 * MiB])) {
    const path = makeFile(join(within, 'file'), bytes);
    const [ours, theirs, others, mapped, read] = Array.from({ length: 5 }, () => compile(SUM, 'm'));
    const opened = (/** @type {(m: Uint8Array) => number} */ sum, /** @type {object} */ options) => () => {
      const file = MappedFile.open(path, options);
      const result = sum(file.bytes);
      file.close();
      return result;
    };
    const contenders = {
      offheap: opened(ours, { pattern: 'sequential' }),
      readFileSync: () => theirs(readFileSync(path)),
      ...(io && {
        'mmap-io': () => {
          const file = openSync(path, 'r');
          const sum = others(io.map(bytes, io.PROT_READ, io.MAP_SHARED, file, 0, io.MADV_SEQUENTIAL));
          closeSync(file);
          return sum;
        },
      }),
    };
    const rounds = bytes > 16 * MiB ? 5 : 15;
    const times = Math.max(1, Math.floor(MiB / bytes));
    const goals = ['readFileSync', 'mmap-io'].map((against) => ({ against, within: 1.05 }));
    rows.push({ title: size(bytes), results: turns(contenders, rounds, times), goals });
    // Where the one way overtakes the other: what the limits in plan.rs rest on.
    const ways = {
      offheap: opened(mapped, { strategy: 'mmap', pattern: 'sequential' }),
      readFileSync: opened(read, { strategy: 'buffered' }),
    };
    rows.push({ title: `${size(bytes)}, mapped (and, second, read)`, results: turns(ways, rounds, times) });
  }
  rmSync(within, { recursive: true });
  return rows;
}

/**
 * Has the system forget what it keeps of a file. Whether it did: not every file system does, nor without `dd`.
 * @param {string} path
 */
function forget(path) {
  // posix_fadvise(POSIX_FADV_DONTNEED), of which Node has nothing; it spares what was not written to the disk yet.
  spawnSync('sync', [path]);
  spawnSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none']);
  const file = MappedFile.open(path, { strategy: 'mmap' });
  const cold = file.residentPages() < file.size / 4096 / 100;
  file.close();
  return cold;
}

/** As `turns`, with a file that is not in memory, at each turn. */
function coldTurns(
  /** @type {string} */ path,
  /** @type {Record<string, () => unknown>} */ contenders,
  rounds = 3,
  units = 1,
) {
  /** @type {Record<string, number[]>} */
  const samples = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, work] of Object.entries(contenders)) {
      if (!forget(path)) return undefined;
      samples[name].push(nanoseconds(work) / units);
    }
  }
  return results(samples);
}

/** @param {{ quick: boolean }} options */
function cold({ quick }) {
  const bytes = (quick ? 64 : 1024) * MiB;
  const count = quick ? 2000 : 10_000;
  const within = folder();
  const path = makeFile(join(within, 'file'), bytes);
  const [ours, theirs] = Array.from({ length: 2 }, () => compile(SUM, 'm'));
  const summed = coldTurns(path, {
    offheap: () => {
      const file = MappedFile.open(path, { pattern: 'sequential' });
      ours(file.bytes);
      file.check();
      file.close();
    },
    readFileSync: () => theirs(readFileSync(path)),
  });
  const random = coldTurns(
    path,
    {
      offheap: () => {
        const file = MappedFile.open(path, { pattern: 'random' });
        const words = new Uint32Array(file.bytes.buffer, file.bytes.byteOffset, bytes / 4);
        let sum = 0;
        for (let i = 0; i < count; i++) sum += words[place(i, bytes) * 16];
        file.close();
        return sum;
      },
      readSync: () => {
        const descriptor = openSync(path, 'r');
        const buffer = Buffer.alloc(64);
        for (let i = 0; i < count; i++) readSync(descriptor, buffer, 0, 64, place(i, bytes) * 64);
        closeSync(descriptor);
      },
    },
    3,
    count,
  );
  rmSync(within, { recursive: true });
  const rows = [];
  if (summed !== undefined) rows.push({ title: `open and sum ${size(bytes)}`, results: summed });
  if (random !== undefined) rows.push({ title: `64 bytes of ${size(bytes)}, each`, results: random });
  return rows;
}

/** Which 64 bytes the `i`-th read is of. @param {number} i @param {number} bytes */
const place = (i, bytes) => (Math.imul(i + 1, 2_654_435_761) >>> 0) % (bytes / 64);

/** @param {{ quick: boolean }} options */
function reads({ quick }) {
  const bytes = (quick ? 256 : 1024) * MiB;
  const count = quick ? 1e5 : 1e6;
  const within = folder();
  const path = makeFile(join(within, 'file'), bytes);
  const offsets = Float64Array.from({ length: count }, (_, i) => place(i, bytes));
  const file = MappedFile.open(path, { pattern: 'random' });
  const words = new Uint32Array(file.bytes.buffer, file.bytes.byteOffset, bytes / 4);
  const descriptor = openSync(path, 'r');
  const buffer = Buffer.alloc(64);
  const here = new Uint32Array(buffer.buffer, buffer.byteOffset, 16);
  const inPlace = compile(
    'let sum = 0; for (let i = 0; i < a.length; i++) { const at = a[i] * 16; for (let k = 0; k < 16; k++) sum = (sum + m[at + k]) | 0; } return sum;',
    'm, a',
  );
  const copied = compile(
    'let sum = 0; for (let i = 0; i < a.length; i++) { b(a[i] * 64); for (let k = 0; k < 16; k++) sum = (sum + m[k]) | 0; } return sum;',
    'm, a, b',
  );
  const readAt = (/** @type {number} */ at) => readSync(descriptor, buffer, 0, 64, at);
  // In batches that stay in the cache until they were summed.
  const out = new Uint8Array(BATCH * 64);
  const outWords = new Uint32Array(out.buffer);
  const sumAll = compile(
    'let sum = 0; for (let k = 0; k < n; k++) sum = (sum + m[k]) | 0; return sum;',
    'm, n',
  );
  const places = offsets.map((at) => at * 64);
  const batches = Array.from({ length: Math.ceil(count / BATCH) }, (_, i) =>
    places.subarray(i * BATCH, (i + 1) * BATCH),
  );
  const many = () => {
    let sum = 0;
    for (const batch of batches) {
      file.readMany(batch, 64, out);
      sum = (sum + sumAll(outWords, batch.length * 16)) | 0;
    }
    return sum;
  };
  const expected = copied(here, offsets, readAt);
  if (inPlace(words, offsets) !== expected || many() !== expected) throw new Error('the reads differ');
  const theirs = () => copied(here, offsets, readAt);
  const goals = [{ against: 'readSync', times: 20 }];
  const rows = [
    {
      title: `of ${size(bytes)}, readMany`,
      results: turns({ offheap: many, readSync: theirs }, 5, 1, count),
      goals,
    },
    {
      title: `of ${size(bytes)}, one after another in bytes`,
      results: turns({ offheap: () => inPlace(words, offsets), readSync: theirs }, 5, 1, count),
      goals,
    },
  ];
  closeSync(descriptor);
  file.close();
  rmSync(within, { recursive: true });
  return rows;
}

/** @param {{ quick: boolean }} options */
async function push({ quick }) {
  const within = folder();
  const count = quick ? 1e6 : 1e7;
  const few = 2000;
  const streamed = quick ? 5e4 : 5e5;
  /** @type {Record<string, number[]>} */
  const samples = { offheap: [], appendFileSync: [], stream: [] };
  const eight = Buffer.alloc(8);
  const fill = compile('for (let i = a; i < b; i++) m.push(i + 0.5);', 'm, a, b');
  for (let round = 0; round < 5; round++) {
    // Several vectors pass through the loop; making and flushing them is counted elsewhere.
    const vectors = [0, 1, 2].map((i) => MmapVector.create(join(within, `vector ${round} ${i}`), 'f64'));
    samples.offheap.push(
      nanoseconds(() => vectors.forEach((vector) => fill(vector, 0, count))) / (count * vectors.length),
    );
    for (const vector of vectors) {
      if (vector.at(-1) !== count - 0.5) throw new Error('a push was lost');
      vector.close();
      rmSync(join(within, `vector ${round} ${vectors.indexOf(vector)}`));
    }
    const path = join(within, 'appended');
    samples.appendFileSync.push(
      nanoseconds(() => {
        for (let i = 0; i < few; i++) appendFileSync(path, eight);
      }) / few,
    );
    const stream = createWriteStream(join(within, 'streamed'));
    const started = process.hrtime.bigint();
    for (let i = 0; i < streamed; i++) {
      const element = Buffer.allocUnsafe(8);
      element.writeDoubleLE(i + 0.5);
      if (!stream.write(element)) await new Promise((resolve) => stream.once('drain', resolve));
    }
    await new Promise((resolve) => stream.end(resolve));
    samples.stream.push(Number(process.hrtime.bigint() - started) / streamed);
  }
  // Where there are blocks and pages already: what a push is by itself. The same ones again and again.
  const few8 = 1e5;
  const options = { capacity: few8, populate: true };
  const vectors = [0, 1, 2].map((i) => MmapVector.create(join(within, `room ${i}`), 'f64', options));
  const refill = compile('for (let i = a; i < b; i++) m.push(i + 0.5);', 'm, a, b');
  const alone = turns(
    {
      offheap: () =>
        vectors.forEach((vector) => {
          vector.truncate(0);
          refill(vector, 0, few8);
        }),
    },
    25,
    1,
    few8 * vectors.length,
  );
  vectors.forEach((vector) => vector.close());
  rmSync(within, { recursive: true });
  const goals = [
    { against: 'appendFileSync', times: 100 },
    { against: 'stream', times: 20 },
  ];
  return [
    { title: 'an f64, where there is room', results: alone, goals: [{ below: 5 }] },
    { title: 'an f64, growth included', results: results(samples), goals },
  ];
}

function flush() {
  const within = folder();
  const data = new Float64Array(MiB / 8).fill(1.5);
  const vector = MmapVector.create(join(within, 'vector'), 'f64');
  const descriptor = openSync(join(within, 'file'), 'w');
  const contenders = {
    offheap: () => {
      vector.pushMany(data);
      vector.flushSync();
    },
    'write, fdatasync': () => {
      writeSync(descriptor, data);
      fdatasyncSync(descriptor);
    },
  };
  const result = turns(contenders, 25);
  vector.close();
  closeSync(descriptor);
  rmSync(within, { recursive: true });
  return [
    {
      title: 'of 1 MiB, appended before',
      results: result,
      goals: [{ against: 'write, fdatasync', within: 1.2 }],
    },
  ];
}

/** @param {{ quick: boolean }} options */
function reopen({ quick }) {
  const within = folder();
  const path = join(within, 'vector');
  const count = quick ? 1e7 : 1e8;
  const vector = MmapVector.create(path, 'f64', { capacity: count });
  const block = new Float64Array(1e6).fill(2.5);
  for (let i = 0; i < count; i += block.length) vector.pushMany(block);
  vector.flushSync();
  vector.close();
  const contenders = {
    offheap: () => {
      const again = MmapVector.open(path);
      if (again.at(count >> 1) !== 2.5) throw new Error('what was read is wrong');
      again.close();
    },
    readFileSync: () => readFileSync(path).readDoubleLE(65_536 + (count >> 1) * 8),
  };
  const goals = [{ below: 5e6 }];
  const rows = [{ title: `${count} elements, first read`, results: turns(contenders, 5), goals }];
  rmSync(within, { recursive: true });
  return rows;
}

export const SECTIONS = {
  open: { title: 'Open and sum all bytes', unit: 'ms', run: open },
  reads: { title: 'Random reads of 64 bytes', unit: 'ns', run: reads },
  cold: { title: 'Of a file that is not in memory', unit: 'ms', run: cold },
  push: { title: 'Append a number', unit: 'ns', run: push },
  flush: { title: 'Flush', unit: 'ms', run: flush },
  reopen: { title: 'Reopen', unit: 'ms', run: reopen },
};

if (process.send !== undefined) serve((options) => SECTIONS[options.id].run(options));
