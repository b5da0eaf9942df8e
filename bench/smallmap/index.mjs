/**
 * `npm run bench -- smallmap`: SmallMap and SmallMapArena compared with `Map`.
 *
 * Each section is a script that runs in a process of its own and returns titles and rows
 * (lib/report.mjs). Criterion measures the search among eight keys in Rust: `cargo bench -p
 * offheap-benches --bench smallmap`.
 */
import { inChild } from '../lib/child.mjs';

/**
 * @type {Record<string, { script: string, sizes: number[], quickSizes: number[] }>} sizes are
 * numbers of maps
 */
const sections = {
  single: { script: './single.mjs', sizes: [64, 4096], quickSizes: [64] },
  arena: { script: './arena.mjs', sizes: [1e3, 1e5, 1e6], quickSizes: [1e3, 1e6] },
  memory: { script: './memory.mjs', sizes: [1e6], quickSizes: [1e6] },
};

export const headline = 'medians; lower is better; "ratio" is how many times better than Map';

/**
 * @param {{ quick: boolean, only?: string[], sizes?: number[], say: (text: string) => void,
 *   show: (part: object) => void }} options `only` names sections
 */
export async function measure({ quick, only, sizes, say, show }) {
  const unknown = only?.filter((name) => !(name in sections)) ?? [];
  if (unknown.length > 0) {
    throw new Error(`--only accepts ${Object.keys(sections).join(', ')}, not ${unknown.join(', ')}`);
  }
  /** @type {import('../lib/report.mjs').Found} */
  const found = { sections: [] };
  for (const [name, { script, sizes: full, quickSizes }] of Object.entries(sections)) {
    if (only?.includes(name) === false) continue;
    for (const n of sizes ?? (quick ? quickSizes : full)) {
      /** @type {import('../lib/report.mjs').Section[]} */
      const parts = await inChild(new URL(script, import.meta.url), { n, quick });
      found.sections.push(...parts);
      show({ sections: parts });
    }
  }
  say('');
  return found;
}
