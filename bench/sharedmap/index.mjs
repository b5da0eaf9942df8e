/**
 * `npm run bench -- sharedmap`: SharedMap beside HashMap, Map, lru-cache, quick-lru, mnemonist's
 * LRUMap, lmdb, messages to a worker that owns a Map, Redis, and memcached.
 *
 * Redis and memcached are measured if their servers are installed. They listen on free ports of the
 * loopback device.
 */
import { inChild } from '../lib/child.mjs';
import { known } from '../lib/options.mjs';
import { SECTIONS } from './sections.mjs';

/** The meaning of the columns. */
export const headline = 'lower is better; "vs" is how many times as fast, or as small, SharedMap is';

const SECTION = new URL('section.mjs', import.meta.url);
const NAMES = [
  'SharedMap',
  'one thread',
  'HashMap',
  'Map',
  'lru-cache',
  'quick-lru',
  'LRUMap',
  'lmdb',
  'message',
  'Redis',
  'memcached',
];

/**
 * @param {{ quick: boolean, only?: string[], sizes?: number[], keys?: string[], say: (text: string)
 * => void, show: (part: object) => void }} options
 */
export async function measure({ quick, only, sizes, keys, show }) {
  known('keys', keys, []);
  known('only', only, Object.keys(SECTIONS));
  const found = { names: NAMES, tables: /** @type {import('../lib/report.mjs').Table[]} */ ([]) };
  for (const [id, { title, unit }] of Object.entries(SECTIONS)) {
    if (only !== undefined && !only.includes(id)) continue;
    const rows = await inChild(SECTION, { id, quick, sizes });
    found.tables.push({ title, unit, rows });
    show({ names: NAMES, tables: [{ title, unit, rows }] });
  }
  return found;
}
