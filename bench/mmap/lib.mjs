/** The parts that the measurements of `npm run bench -- mmap` share. */
import { closeSync, mkdtempSync, openSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from '../lib/measure.mjs';

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const folder = () => mkdtempSync(join(tmpdir(), 'offheap-bench-'));

/** The functions of @riaskov/mmap-io, if it is installed. */
export async function mmapIo() {
  try {
    const loaded = await import('@riaskov/mmap-io');
    return loaded.default ?? loaded;
  } catch {
    return undefined;
  }
}

/** A file of numbers that differ. @param {string} path @param {number} bytes */
export function makeFile(path, bytes) {
  const block = new Uint32Array(Math.min(bytes, MiB) / 4);
  const file = openSync(path, 'w');
  for (let at = 0; at < bytes; at += block.byteLength) {
    for (let i = 0; i < block.length; i++) block[i] = Math.imul(at + i, 2_654_435_761);
    writeSync(file, block);
  }
  closeSync(file);
  return path;
}

export const results = (/** @type {Record<string, number[]>} */ samples) =>
  Object.fromEntries(Object.entries(samples).map(([name, rounds]) => [name, { ns: median(rounds), rounds }]));

export const SUM = 'let sum = 0; for (let i = 0; i < m.length; i++) sum = (sum + m[i]) | 0; return sum;';
export const size = (/** @type {number} */ bytes) =>
  bytes >= MiB ? `${bytes / MiB} MiB` : `${bytes / KiB} KiB`;

/** Which 64 bytes the `i`-th read is of. @param {number} i @param {number} bytes */
export const place = (i, bytes) => (Math.imul(i + 1, 2_654_435_761) >>> 0) % (bytes / 64);
