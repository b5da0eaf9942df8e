/**
 * `npm run bench -- hashmap`: HashMap beside Map, @keyv/bigmap and megahash.
 *
 * Every kind of keys and every size runs in a process of its own, and so do the measurements of
 * memory, garbage collection, files and other schemas. All results go into one plain object, from
 * which report.mjs prints the tables, so that saved results print the same tables again.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inChild } from '../lib/child.mjs';
import { median } from '../lib/measure.mjs';
import { known } from '../lib/options.mjs';
import { contenders } from './contenders.mjs';
import { kinds } from './keys.mjs';
import { BUILD, FRESH, operations } from './operations.mjs';

const SECTION = new URL('section.mjs', import.meta.url);
const ALONE = new URL('alone.mjs', import.meta.url);

/**
 * The kinds of keys, and the numbers of entries.
 * @param {boolean} quick
 * @param {number[] | undefined} sizes
 */
function sections(quick, sizes) {
  const full = {
    u32: [1e3, 1e5, 1e6, 1e7],
    'smi-sequential': [1e3, 1e5, 1e6, 1e7],
    'smi-random': [1e3, 1e5, 1e6],
    f64: [1e5, 1e6],
    string: [1e5, 1e6],
  };
  const short = {
    u32: [1e3, 1e5, 1e6],
    'smi-sequential': [1e5],
    'smi-random': [1e5],
    f64: [1e5],
    string: [1e5],
  };
  return Object.entries(quick ? short : full).flatMap(([kindName, own]) =>
    (sizes ?? own).map((n) => ({ kindName, n })),
  );
}

/** The names that `--only` accepts for the measurements of alone.mjs. */
const ALONE_IDS = ['memory', 'collection', 'open', 'schemas'];

/** The contenders of measurements that would take too long with all of them. */
const OURS = ['HashMap', 'Map'];

export * as report from './report.mjs';

export const headline = 'medians; lower is better; "vs Map" is how many times better than Map';

/**
 * @param {{ quick: boolean, only?: string[], sizes?: number[], keys?: string[], say: (text: string)
 * => void, show: (part: object) => void }} options
 */
export async function measure({ quick, only, sizes, keys, say, show }) {
  known('only', only, [...operations.map(({ id }) => id), BUILD.id, FRESH.id, ...ALONE_IDS]);
  known('keys', keys, Object.keys(kinds));
  const { contenders: present, absent } = await contenders();
  for (const { name, reason } of absent) say(`${name} is absent: ${reason}`);
  const names = present.map(({ name }) => name);
  const most = quick ? { BigMap: 1e5, MegaHash: 1e5 } : {};
  const found = { names, absent, sections: [], alone: {} };
  const wants = (/** @type {string} */ id) => only === undefined || only.includes(id);

  if (only === undefined || only.some((id) => !ALONE_IDS.includes(id))) {
    for (const section of sections(quick, sizes)) {
      if (keys !== undefined && !keys.includes(section.kindName)) continue;
      // The peers treat all kinds of numbers alike, so one size of the other kinds is enough.
      const { kindName } = section;
      const few = !['u32', 'string'].includes(kindName);
      const limits = few ? { BigMap: quick ? 0 : 1e5, MegaHash: quick ? 0 : 1e5 } : most;
      const result = await inChild(SECTION, { ...section, only, names, quick, most: limits });
      found.sections.push(result);
      if (Object.keys(result.results).length > 0) show({ names, sections: [result], alone: {} });
    }
  }
  const alone = (/** @type {string} */ what, /** @type {object} */ options) =>
    inChild(ALONE, { what, ...options });
  const step = async (/** @type {string} */ id, /** @type {() => Promise<object>} */ work) => {
    // With --sizes or --keys, only those are measured, unless --only names this measurement too.
    if (!wants(id) || (only === undefined && (sizes !== undefined || keys !== undefined))) return;
    found.alone[id] = await work();
    show({ names, sections: [], alone: { [id]: found.alone[id] } });
  };
  const large = quick ? 1e6 : 1e7;

  await step('memory', async () => {
    const rows = [];
    for (const [kindName, n] of quick
      ? [['u32', 1e6]]
      : [
          ['u32', 1e5],
          ['u32', 1e6],
          ['u32', 1e7],
          ['string', 1e6],
        ]) {
      const results = {};
      for (const { name, most: limit } of present) {
        if (n <= Math.min(limit, most[name] ?? Infinity)) {
          results[name] = await alone('memory', { name, kindName, n });
        }
      }
      rows.push({ kindName, n, results });
    }
    return rows;
  });
  await step('collection', async () => {
    const results = {};
    for (const name of OURS) results[name] = await alone('collection', { name, n: large });
    return { n: large, results };
  });
  await step('open', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'offheap-bench-'));
    try {
      const saved = await alone('save', { folder, n: large });
      const runs = [];
      for (let i = 0; i < 5; i++) runs.push(await alone('open', { folder, ...saved }));
      const rebuild = await alone('rebuild', { folder, ...saved });
      return {
        n: large,
        saveMs: saved.ms,
        byteLength: saved.byteLength,
        openMs: median(runs.map(({ ms }) => ms)),
        openAgainMs: median(runs.map(({ againMs }) => againMs)),
        rebuildMs: rebuild.ms,
        runs,
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
  await step('schemas', async () => {
    const runs = [];
    for (let i = 0; i < (quick ? 1 : 3); i++) {
      const first = await alone('schemas', { after: false, n: 1e5 });
      runs.push({ alone: first, after: await alone('schemas', { after: true, n: 1e5 }) });
    }
    const of = (when, what) => median(runs.map((run) => run[when][what]));
    const pair = (what) => ({ alone: of('alone', what), after: of('after', what) });
    return { n: 1e5, get: pair('get'), set: pair('set'), runs };
  });
  return found;
}
