/**
 * The measurements of `npm run bench -- mmap`, one section in each process. Contenders take turns
 * in each round.
 */
import {
  appendFileSync,
  closeSync,
  createWriteStream,
  fdatasyncSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { MappedFile, MmapVector } from '../../dist/mmap/index.js';
import { serve } from '../lib/child.mjs';
import { compile, nanoseconds } from '../lib/measure.mjs';
import { cold } from './cold.mjs';
import { KiB, MiB, SUM, folder, makeFile, mmapIo, place, results, size } from './lib.mjs';

/** Positions in one batch of reads. */
const BATCH = 4096;

/**
 * Runs contenders in turns, each round `times` times. @param {Record<string, () => unknown>}
 * contenders
 * @param {number} rounds @param {number} [times] @param {number} [units] what one call does of what
 * is counted
 * @param {() => unknown} [settle] what belongs to the time, once for all the times
 */
async function turns(contenders, rounds, times = 1, units = 1, settle = undefined) {
  /** @type {Record<string, number[]>} */
  const samples = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  const lanes = Object.entries(contenders);
  for (let round = -2; round < rounds; round++) {
    // The first contender finds the caches as the last one left them, so the order rotates.
    const first = (round + 2) % lanes.length;
    for (const [name, work] of [...lanes.slice(first), ...lanes.slice(0, first)]) {
      const started = process.hrtime.bigint();
      for (let i = 0; i < times; i++) work();
      if (settle !== undefined) await settle();
      const spent = Number(process.hrtime.bigint() - started);
      // Two warm-up rounds.
      if (round >= 0) samples[name].push(spent / times / units);
      // The collector's threads continue to unmap; wait, so that the next contender does not pay
      // for it.
      if (settle !== undefined) await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  return results(samples);
}

/**
 * Releases the opened files: buffers by a minor collection (a full one would also discard optimized
 * code), and the mappings of mmap-io by the turn of the event loop after it, without which they are
 * never unmapped.
 */
async function giveBack() {
  globalThis.gc?.({ type: 'minor' });
  await new Promise((resolve) => setImmediate(resolve));
}

/** @param {{ quick: boolean, sizes?: number[] }} options */
async function open({ quick, sizes }) {
  const io = await mmapIo();
  const within = folder();
  const all = [KiB, 16 * KiB, 64 * KiB, 128 * KiB, 256 * KiB, 512 * KiB, MiB, 4 * MiB, 16 * MiB, 64 * MiB];
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
    // Fewer than the 65,530 mappings that a process may have, and enough that the measurement is
    // not dominated by releasing them.
    const times = Math.max(1, Math.min(4096, Math.floor((16 * MiB) / bytes)));
    const goals = ['readFileSync', 'mmap-io'].map((against) => ({ against, within: 1.05 }));
    rows.push({ title: size(bytes), results: await turns(contenders, rounds, times, 1, giveBack), goals });
    // The size at which one way becomes faster than the other; the limits in strategy.rs depend on
    // it.
    const ways = {
      offheap: opened(mapped, { strategy: 'mmap', pattern: 'sequential' }),
      readFileSync: opened(read, { strategy: 'buffered' }),
    };
    rows.push({
      title: `${size(bytes)}, mapped (and, second, read)`,
      results: await turns(ways, rounds, times, 1, giveBack),
    });
  }
  rmSync(within, { recursive: true });
  return rows;
}

/** @param {{ quick: boolean }} options */
async function reads({ quick }) {
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
  // Each is a function of its own, which sees one kind of memory.
  const [inPlace, inMemory] = [0, 1].map(() =>
    compile(
      'let sum = 0; for (let i = 0; i < a.length; i++) { const at = a[i] * 16; for (let k = 0; k < 16; k++) sum = (sum + m[at + k]) | 0; } return sum;',
      'm, a',
    ),
  );
  const array = words.slice();
  const sliced = compile(
    'let sum = 0; for (let i = 0; i < a.length; i++) { const s = m.slice(a[i] * 64, 64); for (let k = 0; k < 64; k += 4) sum = (sum + s[k]) | 0; } return sum;',
    'm, a',
  );
  const copied = compile(
    'let sum = 0; for (let i = 0; i < a.length; i++) { b(a[i] * 64); for (let k = 0; k < 16; k++) sum = (sum + m[k]) | 0; } return sum;',
    'm, a, b',
  );
  const readAt = (/** @type {number} */ at) => readSync(descriptor, buffer, 0, 64, at);
  // In batches that stay in the cache until they are summed.
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
      results: await turns({ offheap: many, readSync: theirs }, 5, 1, count),
      goals,
    },
    {
      title: `of ${size(bytes)}, one after another in bytes`,
      results: await turns(
        {
          offheap: () => inPlace(words, offsets),
          readSync: theirs,
          // The limit set by memory bandwidth.
          'array in memory': () => inMemory(array, offsets),
        },
        5,
        1,
        count,
      ),
      goals,
    },
    {
      title: `of ${size(bytes)}, one after another by slice`,
      results: await turns({ offheap: () => sliced(file, offsets), readSync: theirs }, 5, 1, count),
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
    // Several vectors pass through the loop; creating and flushing them is not part of the time.
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
  // The cost of a push alone: the same blocks and pages are used again and again, so none have to
  // be allocated.
  const few8 = 1e5;
  const options = { capacity: few8, populate: true };
  const vectors = [0, 1, 2].map((i) => MmapVector.create(join(within, `room ${i}`), 'f64', options));
  const refill = compile('for (let i = a; i < b; i++) m.push(i + 0.5);', 'm, a, b');
  const alone = await turns(
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
  const goals = [{ below: 5 }, { against: 'appendFileSync', times: 100 }, { against: 'stream', times: 20 }];
  return [
    { title: 'an f64, with room available', results: alone, goals: [{ below: 5 }] },
    { title: 'an f64, growth included', results: results(samples), goals },
  ];
}

/** @param {{ quick: boolean }} options */
async function flush({ quick }) {
  const within = folder();
  const rows = [];
  for (const bytes of [4 * KiB, 64 * KiB, MiB, 16 * MiB]) {
    const data = new Float64Array(bytes / 8).fill(1.5);
    const vector = MmapVector.create(join(within, `vector ${bytes}`), 'f64');
    const descriptor = openSync(join(within, `file ${bytes}`), 'w');
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
    const result = await turns(contenders, bytes > MiB ? 9 : quick ? 25 : 75);
    vector.close();
    closeSync(descriptor);
    const goals = [{ against: 'write, fdatasync', within: 1.2 }];
    rows.push({ title: `of ${size(bytes)}, appended before`, results: result, goals });
  }
  rmSync(within, { recursive: true });
  return rows;
}

/** @param {{ quick: boolean }} options */
async function reopen({ quick }) {
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
      if (again.at(count >> 1) !== 2.5) throw new Error('a wrong value was read');
      again.close();
    },
    readFileSync: () => readFileSync(path).readDoubleLE(65_536 + (count >> 1) * 8),
  };
  const goals = [{ below: 5e6 }];
  const rows = [{ title: `${count} elements, first read`, results: await turns(contenders, 5), goals }];
  rmSync(within, { recursive: true });
  return rows;
}

export const SECTIONS = {
  open: { title: 'Open and sum all bytes', unit: 'ms', run: open },
  reads: { title: 'Random reads of 64 bytes', unit: 'ns', run: reads },
  cold: { title: 'A file that is not in memory', unit: 'ms', run: cold },
  push: { title: 'Append a number', unit: 'ns', run: push },
  flush: { title: 'Flush', unit: 'ms', run: flush },
  reopen: { title: 'Reopen', unit: 'ms', run: reopen },
};

if (process.send !== undefined) serve((options) => SECTIONS[options.id].run(options));
