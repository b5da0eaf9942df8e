/**
 * The tables of a HashMap benchmark, from its results: for the terminal while it runs, and as
 * Markdown for the documents.
 */
import * as common from '../lib/report.mjs';
import { count, times } from '../lib/table.mjs';
import { bars } from '../lib/plot.mjs';
import { kinds } from './keys.mjs';
import { BUILD, FRESH, operations } from './operations.mjs';

/** @typedef {import('../lib/report.mjs').Table} Table */

const order = [operations[0], FRESH, ...operations.slice(1), BUILD];

/** @param {number | undefined} least */
const beatsMap = (least) => (least === undefined ? [] : [{ against: 'Map', times: least }]);

/** @returns {Table} */
function sectionTable({ kindName, n, results }) {
  const rows = order
    .filter(({ id }) => results[id] !== undefined)
    .map(({ id, title, goal }) => ({ title, results: results[id], goals: beatsMap(goal?.(n, kindName)) }));
  return { title: `${kinds[kindName].title}, ${count(n)} entries, per operation`, unit: 'ns', rows };
}

/**
 * One value of each contender.
 * @param {Record<string, any>} results @param {(found: any) => number} value
 */
const each = (results, value) =>
  Object.fromEntries(Object.entries(results).map(([name, found]) => [name, { value: value(found) }]));

/** @returns {Table[]} */
function aloneTables({ memory = [], collection, open, schemas }) {
  /** @type {Table[]} */
  const tables = [];
  if (memory.length > 0) {
    const rows = memory.flatMap(({ kindName, n, results }) => {
      // megahash keeps its entries in memory that V8 does not count: only the process shows them.
      const counted = Object.fromEntries(Object.entries(results).filter(([name]) => name !== 'MegaHash'));
      const title = `${kindName} -> f64, ${count(n)} entries`;
      return [
        {
          title: `${title}: bytes held`,
          unit: 'MB',
          results: each(counted, ({ bytes }) => bytes / 1e6),
          goals: beatsMap(n === 1e6 ? { u32: 3, string: 2 }[kindName] : undefined),
        },
        {
          title: `${title}: growth of the process`,
          unit: 'MB',
          results: each(results, ({ rss }) => rss / 1e6),
        },
      ];
    });
    tables.push({ title: 'Memory', rows });
  }
  if (collection !== undefined) {
    const title = `full collection with ${count(collection.n)} entries alive`;
    const results = each(collection.results, ({ ms }) => ms);
    tables.push({
      title: 'Garbage collector',
      rows: [{ title, unit: 'ms', results, goals: beatsMap(50) }],
    });
  }
  if (open !== undefined) {
    const title = `open a saved map of ${count(open.n)} and get (Map: rebuild)`;
    const results = { HashMap: { value: open.openMs }, Map: { value: open.rebuildMs } };
    tables.push({
      title: 'Start of a process',
      rows: [{ title, unit: 'ms', results, goals: [{ below: 5 }] }],
    });
  }
  if (schemas !== undefined) {
    const rows = ['get', 'set'].map((what) => ({
      title: `${what}, ${count(schemas.n)} entries`,
      unit: 'ns',
      results: { HashMap: { value: schemas[what].after }, alone: { value: schemas[what].alone } },
      goals: what === 'get' ? [{ against: 'alone', within: 1.2 }] : [],
    }));
    tables.push({ title: 'After five other schemas were used, and alone', rows });
  }
  return tables;
}

/** The results in the form of lib/report.mjs. @returns {import('../lib/report.mjs').Found} */
function standard(found) {
  const tables = [...found.sections.map(sectionTable), ...aloneTables(found.alone)];
  return { names: [...found.names, 'alone'], against: ['Map', 'alone'], tables };
}

export const text = (found) => common.text(standard(found));
export const summary = (found) => common.summary(standard(found));

/** The cells of ours, of Map, and the ratio. @param {Table} table */
const beside = ({ unit, rows }) =>
  rows.map((row) => {
    const cells = ['HashMap', 'Map'].map((name) => {
      const text = common.cell(row, name, unit);
      return unit === undefined ? text : `${text} ${unit}`;
    });
    return [row.title, ...cells, times(common.ratio(row, 'HashMap', 'Map'))];
  });
const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`;

/** For docs/benchmarks/hashmap.md: the operations that are asked about first. @param {any} found */
export function markdown(found) {
  const lines = ['| | HashMap | Map | ratio |', '| --- | ---: | ---: | ---: |'];
  const wanted = new Set(['get', 'miss', 'getMany', 'getByHandle', 'forEach', 'set', 'fresh', 'churn']);
  const add = (/** @type {string} */ title, /** @type {Table} */ table) => {
    if (table.rows.length === 0) return;
    lines.push(`| **${title}** | | | |`);
    for (const [row, ...cells] of beside(table))
      lines.push(line([row.replace(' (others: get)', ''), ...cells]));
  };
  for (const section of found.sections) {
    if (!(section.kindName === 'u32' || section.kindName === 'string') || section.n < 1e5) continue;
    const results = Object.fromEntries(Object.entries(section.results).filter(([id]) => wanted.has(id)));
    add(
      `${kinds[section.kindName].title}, ${count(section.n)} entries`,
      sectionTable({ ...section, results }),
    );
  }
  for (const table of aloneTables({ ...found.alone, schemas: undefined })) add(table.title, table);
  return lines.join('\n');
}

/** For README.md: one table of a map of a million entries. @param {any} found */
export function brief(found) {
  const n = 1e6;
  const lines = [
    `| u32 to f64, ${count(n)} entries | HashMap | Map | ratio |`,
    '| --- | ---: | ---: | ---: |',
  ];
  const section = found.sections.find(({ kindName, n: size }) => kindName === 'u32' && size === n);
  const titles = {
    get: '`get`, key present',
    getMany: '`getMany`, per key',
    set: '`set`, growing from empty',
    forEach: '`forEach`, per entry',
  };
  for (const [id, title] of Object.entries(titles)) {
    const table = sectionTable({ ...section, results: { [id]: section.results[id] } });
    for (const [, ...cells] of beside(table)) lines.push(line([title, ...cells]));
  }
  const alone = {
    memory: 'memory',
    collection: 'full garbage collection, map alive',
    open: 'open a saved map and get a value (Map: rebuild)',
  };
  for (const [part, title] of Object.entries(alone)) {
    const [, ...cells] = beside(aloneTables({ [part]: found.alone[part] })[0])[0];
    lines.push(line([title, ...cells]));
  }
  return lines.join('\n');
}

/** The plots of docs/benchmarks/hashmap.md, by file name in docs/images. @param {any} found */
export function plots(found) {
  const sections = found.sections.filter(({ kindName }) => kindName === 'u32');
  const median = (section, id, name) => section.results[id][name].ns;
  return {
    'hashmap-lookups.svg': bars({
      title: 'Lookup of a random u32 key',
      unit: 'ns per key',
      series: ['HashMap getMany', 'HashMap get', 'Map get'],
      groups: sections.map((section) => ({
        label: `${count(section.n)} entries`,
        values: [
          median(section, 'getMany', 'HashMap'),
          median(section, 'get', 'HashMap'),
          median(section, 'get', 'Map'),
        ],
      })),
    }),
  };
}
