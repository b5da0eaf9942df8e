/**
 * `npm run bench -- vector`: Vector beside Array, typed arrays and mnemonist's Vector.
 *
 * Every size runs in a process of its own. "memory" is the time to read or write the same number of
 * bytes: the median of several runs of the C library's memchr and memset over memory of the same
 * kind.
 */
import { inChild } from '../lib/child.mjs';
import { known } from '../lib/options.mjs';
import { count } from '../lib/table.mjs';
import { BULK, ELEMENTS } from './operations.mjs';

/** The meaning of the columns. */
export const headline = 'medians; lower is better; "vs" is how many times as fast Vector is';

const SECTION = new URL('section.mjs', import.meta.url);
const NAMES = ['Vector', 'Array', 'TypedArray', 'mnemonist', 'memory'];
const LARGE = 1e7;

/**
 * @param {{ quick: boolean, only?: string[], sizes?: number[], keys?: string[], say: (text: string)
 * => void, show: (part: object) => void }} options
 */
export async function measure({
  quick,
  only,
  sizes = quick ? [1e5, LARGE] : [1e3, 1e5, 1e6, LARGE],
  keys,
  show,
}) {
  known('keys', keys, []);
  known('only', only, [...new Set([...ELEMENTS, ...BULK].map(({ id }) => id))]);
  const wanted = (/** @type {{ id: string }} */ { id }) => only === undefined || only.includes(id);
  const found = { names: NAMES, tables: /** @type {import('../lib/report.mjs').Table[]} */ ([]) };
  const section = async (/** @type {object} */ table, /** @type {object} */ options) => {
    const rows = await inChild(SECTION, { ...options, quick });
    found.tables.push({ ...table, rows });
    show({ names: NAMES, tables: [{ ...table, rows }] });
  };
  for (const n of sizes) {
    const title = `${count(n)} elements`;
    const elements = ELEMENTS.filter(wanted).map(({ id }) => id);
    if (elements.length > 0) {
      await section(
        { title: `${title} of f64, for one of them`, unit: 'ns' },
        { what: 'elements', n, ids: elements },
      );
    }
    const bulk = BULK.filter(wanted).map(({ id }) => id);
    for (const type of ['f64', 'u32']) {
      if (bulk.length === 0) continue;
      const options = { what: 'bulk', n, type, ids: bulk };
      await section({ title: `${title} of ${type}, for all of them`, unit: 'ms' }, options);
    }
  }
  return found;
}
