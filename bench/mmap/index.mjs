/**
 * `npm run bench -- mmap`: MappedFile beside readFileSync, readSync and @riaskov/mmap-io;
 * MmapVector beside appendFileSync, a buffered stream, and write and fdatasync.
 *
 * @riaskov/mmap-io is measured if it is installed (`npm install --prefix bench @riaskov/mmap-io`).
 *   It
 * is not a dependency, because its installation downloads a binary. The files are in the folder for
 * temporary files, and in the page cache, except in the section `cold`, whose rows are left out if
 * the system does not drop the pages.
 */
import { createRequire } from 'node:module';
import { inChild } from '../lib/child.mjs';
import { known } from '../lib/options.mjs';
import { SECTIONS } from './section.mjs';

/** The meaning of the columns. */
export const headline = 'medians; lower is better; "vs" is how many times as fast offheap is';

const SECTION = new URL('section.mjs', import.meta.url);
const NAMES = [
  'offheap',
  'readFileSync',
  'mmap-io',
  'readSync',
  'array in memory',
  'appendFileSync',
  'stream',
  'write, fdatasync',
];

/**
 * @param {{ quick: boolean, only?: string[], sizes?: number[], keys?: string[], say: (text: string)
 * => void, show: (part: object) => void }} options
 */
export async function measure({ quick, only, sizes, keys, say, show }) {
  known('keys', keys, []);
  known('only', only, Object.keys(SECTIONS));
  try {
    createRequire(import.meta.url).resolve('@riaskov/mmap-io');
  } catch {
    say('@riaskov/mmap-io is not installed and is left out');
  }
  const found = { names: NAMES, tables: /** @type {import('../lib/report.mjs').Table[]} */ ([]) };
  for (const [id, { title, unit }] of Object.entries(SECTIONS)) {
    if (only !== undefined && !only.includes(id)) continue;
    const rows = await inChild(SECTION, { id, quick, sizes });
    found.tables.push({ title, unit, rows });
    show({ names: NAMES, tables: [{ title, unit, rows }] });
  }
  return found;
}
