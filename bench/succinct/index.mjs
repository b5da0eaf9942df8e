/**
 * `npm run bench -- succinct`: succinct structures compared with plain arrays and other libraries.
 *
 * Each section is a script that runs in a process of its own, once for each size, and returns a
 * title and rows (see lib/report.mjs). To add one, add its script here.
 */
import { inChild } from '../lib/child.mjs';

/** @type {Record<string, { script: string, sizes: number[], quickSizes: number[] }>} */
const sections = {
  bits: { script: './rank-select.mjs', sizes: [1e5, 1e6, 2 ** 27], quickSizes: [1e5, 1e6] },
  algebra: { script: './algebra.mjs', sizes: [2 ** 30], quickSizes: [2 ** 30] },
  eliasfano: { script: './elias-fano.mjs', sizes: [1e3, 1e5, 1e6, 1e7], quickSizes: [1e3, 1e5, 1e6] },
  packedints: { script: './packed-ints.mjs', sizes: [1e3, 1e5, 1e6, 1e7], quickSizes: [1e3, 1e5, 1e6] },
};

/** Large sizes are opt-in by `--sizes`. */
export const mostElements = 2 ** 34;

export const headline = 'medians; lower is better; "ratio" is how many times better than the peer';

/**
 * @param {{ quick: boolean, only?: string[], sizes?: number[], say: (text: string) => void,
 *   show: (part: object) => void }} options `only` names sections
 */
export async function measure({ quick, only, sizes, say, show }) {
  const unknown = only?.filter((name) => !(name in sections));
  if (unknown !== undefined && unknown.length > 0) {
    throw new Error(`--only accepts ${Object.keys(sections).join(', ')}, not ${unknown.join(', ')}`);
  }
  /** @type {import('../lib/report.mjs').Found} */
  const found = { sections: [] };
  for (const [name, section] of Object.entries(sections)) {
    if (only?.includes(name) === false) continue;
    for (const n of sizes ?? (quick ? section.quickSizes : section.sizes)) {
      /** @type {import('../lib/report.mjs').Section[]} */
      const parts = await inChild(new URL(section.script, import.meta.url), { n, quick });
      found.sections.push(...parts);
      show({ sections: parts });
    }
  }
  say('');
  return found;
}
