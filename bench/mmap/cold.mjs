/**
 * The section `cold` of `npm run bench -- mmap`: files that are not in memory.
 *
 * The system drops the cached pages of a file only while no process maps it, and a mapping lasts
 * until the garbage collector runs. So each measurement has a process of its own, and this process,
 * which creates the files, maps none of them. A further process checks that no page of the file is
 * resident; if one is, the row is left out.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MappedFile } from '../../dist/mmap/index.js';
import { inChild, serve } from '../lib/child.mjs';
import { compile, nanoseconds } from '../lib/measure.mjs';
import { folder, makeFile, mmapIo, place, results, size, MiB, SUM } from './lib.mjs';

const HERE = new URL(import.meta.url);

/** Pages of a file that are in memory. @param {{ path: string }} options */
function resident({ path }) {
  const file = MappedFile.open(path, { strategy: 'mmap' });
  return file.residentPages();
}

/**
 * @type {Record<string, (options: { path: string, bytes: number }) => Promise<() => unknown> | (()
 *   => unknown)>}
 */
const SUMS = {
  offheap: ({ path }) => {
    const sum = compile(SUM, 'm');
    return () => {
      const file = MappedFile.open(path, { pattern: 'sequential' });
      const result = sum(file.bytes);
      file.check();
      return result;
    };
  },
  readFileSync: ({ path }) => {
    const sum = compile(SUM, 'm');
    return () => sum(readFileSync(path));
  },
  'mmap-io': async ({ path, bytes }) => {
    const io = await mmapIo();
    const sum = compile(SUM, 'm');
    return () => {
      const file = openSync(path, 'r');
      return sum(io.map(bytes, io.PROT_READ, io.MAP_SHARED, file, 0, io.MADV_SEQUENTIAL));
    };
  },
};

/** Single reads, `count` of them. */
/**
 * @type {Record<string, (options: { path: string, bytes: number, count: number }) => Promise<() =>
 *   unknown> | (() => unknown)>}
 */
const READS = {
  offheap: ({ path, bytes, count }) => {
    return () => {
      const file = MappedFile.open(path, { pattern: 'random' });
      const words = new Uint32Array(file.bytes.buffer, file.bytes.byteOffset, bytes / 4);
      let sum = 0;
      for (let i = 0; i < count; i++) sum = (sum + words[place(i, bytes) * 16]) | 0;
      file.check();
      return sum;
    };
  },
  readSync: ({ path, bytes, count }) => {
    const buffer = Buffer.alloc(64);
    return () => {
      const file = openSync(path, 'r');
      let sum = 0;
      for (let i = 0; i < count; i++) {
        readSync(file, buffer, 0, 64, place(i, bytes) * 64);
        sum = (sum + buffer.readUInt32LE(0)) | 0;
      }
      closeSync(file);
      return sum;
    };
  },
  'mmap-io': async ({ path, bytes, count }) => {
    const io = await mmapIo();
    return () => {
      const file = openSync(path, 'r');
      const mapped = io.map(bytes, io.PROT_READ, io.MAP_SHARED, file, 0, io.MADV_RANDOM);
      let sum = 0;
      for (let i = 0; i < count; i++) sum = (sum + mapped.readUInt32LE(place(i, bytes) * 64)) | 0;
      return sum;
    };
  },
};

const KINDS = { sums: SUMS, reads: READS };

/** One measurement, in nanoseconds, and the result. @param {any} options */
async function once(options) {
  // The measured code has run before, on a file that is in memory, so it is compiled.
  const rehearsal = await KINDS[options.kind][options.name]({ ...options, ...options.small });
  for (let i = 0; i < 20; i++) rehearsal();
  const work = await KINDS[options.kind][options.name](options);
  let result;
  return { ns: nanoseconds(() => (result = work())), result };
}

/**
 * Drops a file's cached pages with posix_fadvise(POSIX_FADV_DONTNEED), which Node does not offer.
 * @param {string} path
 */
async function forget(path) {
  // The call skips pages that have not been written to the disk yet.
  spawnSync('sync', [path]);
  spawnSync('dd', [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none']);
  const pages = /** @type {number} */ (await inChild(HERE, { work: 'resident', path }));
  return pages === 0;
}

/** @param {{ quick: boolean }} options */
export async function cold({ quick }) {
  const bytes = (quick ? 64 : 1024) * MiB;
  const count = quick ? 2000 : 10_000;
  const rounds = quick ? 3 : 5;
  const within = folder();
  const path = makeFile(join(within, 'file'), bytes);
  const small = { path: makeFile(join(within, 'small'), MiB), bytes: MiB, count: 1000 };
  const peers = (await mmapIo()) !== undefined;
  const rows = [];
  for (const [kind, contenders] of Object.entries(KINDS)) {
    const names = Object.keys(contenders).filter((name) => peers || name !== 'mmap-io');
    /** @type {Record<string, number[]>} */
    const samples = Object.fromEntries(names.map((name) => [name, []]));
    const found = new Set();
    let dropped = true;
    for (let round = 0; round < rounds && dropped; round++) {
      for (const name of names) {
        dropped = await forget(path);
        if (!dropped) break;
        const { ns, result } = /** @type {{ ns: number, result: number }} */ (
          await inChild(HERE, { work: 'once', kind, name, path, bytes, count, small })
        );
        samples[name].push(kind === 'reads' ? ns / count : ns);
        found.add(result);
      }
    }
    if (!dropped) continue;
    if (found.size !== 1) throw new Error('the contenders read different bytes');
    const title = kind === 'reads' ? `64 bytes of ${size(bytes)}, each` : `open and sum ${size(bytes)}`;
    rows.push({ title, results: results(samples) });
  }
  rmSync(within, { recursive: true });
  return rows;
}

const WORKS = { cold, once, resident };
if (process.send !== undefined && process.argv[1] === HERE.pathname) {
  serve((options) => WORKS[options.work ?? 'cold'](options));
}
