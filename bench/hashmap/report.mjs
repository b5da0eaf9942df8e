/**
 * The tables of a HashMap benchmark, from its results: for the terminal while it runs, and as
 * Markdown for the documents. Each row that has a goal says what it is, and whether it was met.
 */
import { bold, count, dim, figure, green, megabytes, red, table, times } from '../lib/table.mjs';
import { kinds } from './keys.mjs';
import { BUILD, FRESH, operations } from './operations.mjs';

const order = [operations[0], FRESH, ...operations.slice(1), BUILD];

/**
 * @typedef {object} Row
 * @property {string} title
 * @property {Record<string, string>} cells what each contender shows
 * @property {number} [ratio] how many times better than Map
 * @property {string} [goal]
 * @property {boolean} [met]
 *
 * @typedef {{ title: string, rows: Row[] }} Table
 */

/** @param {number | undefined} goal @param {number} ratio */
function judged(goal, ratio) {
  if (goal === undefined || !Number.isFinite(ratio)) return {};
  return { goal: goal === 1 ? 'not slower' : `${goal}x`, met: ratio >= goal };
}

/** @returns {Table} */
function sectionTable({ kindName, n, results }) {
  const rows = [];
  for (const operation of order) {
    const lanes = results[operation.id];
    if (lanes === undefined) continue;
    const ratio = (lanes.Map?.ns ?? NaN) / (lanes.HashMap?.ns ?? NaN);
    const cells = Object.fromEntries(Object.entries(lanes).map(([name, { ns }]) => [name, figure(ns)]));
    rows.push({ title: operation.title, cells, ratio, ...judged(operation.goal?.(n, kindName), ratio) });
  }
  return { title: `${kinds[kindName].title}, ${count(n)} entries (ns per operation)`, rows };
}

/** @returns {Table[]} */
function aloneTables({ memory = [], collection, open, schemas }) {
  const tables = [];
  if (memory.length > 0) {
    const rows = memory.flatMap(({ kindName, n, results }) => {
      const ratio = results.Map.bytes / results.HashMap.bytes;
      const goal = n === 1e6 ? { u32: 3, string: 2 }[kindName] : undefined;
      const cells = (what) =>
        Object.fromEntries(Object.entries(results).map(([name, found]) => [name, megabytes(found[what])]));
      const title = `${kindName} -> f64, ${count(n)} entries`;
      return [
        {
          title: `${title}: bytes held`,
          cells: off(cells('bytes'), 'MegaHash'),
          ratio,
          ...judged(goal, ratio),
        },
        {
          title: `${title}: growth of the process`,
          cells: cells('rss'),
          ratio: results.Map.rss / results.HashMap.rss,
        },
      ];
    });
    tables.push({ title: 'Memory', rows });
  }
  if (collection !== undefined) {
    const { HashMap, Map } = collection.results;
    const ratio = Map.ms / HashMap.ms;
    const cells = { HashMap: `${figure(HashMap.ms)} ms`, Map: `${figure(Map.ms)} ms` };
    const title = `full collection with ${count(collection.n)} entries alive`;
    tables.push({ title: 'Garbage collector', rows: [{ title, cells, ratio, ...judged(50, ratio) }] });
  }
  if (open !== undefined) {
    const cells = { HashMap: `${figure(open.openMs)} ms`, Map: `${figure(open.rebuildMs)} ms` };
    tables.push({
      title: 'Start of a process',
      rows: [
        {
          title: `open a saved map of ${count(open.n)} and get (Map: rebuild)`,
          cells,
          ratio: open.rebuildMs / open.openMs,
          goal: '< 5 ms',
          met: open.openMs < 5,
        },
      ],
    });
  }
  if (schemas !== undefined) {
    const rows = ['get', 'set'].map((what) => {
      const { alone, after } = schemas[what];
      const factor = after / alone;
      const title = `${what}, ${count(schemas.n)} entries: ${figure(alone)} ns alone, ${figure(after)} ns after`;
      const goal = what === 'get' ? { goal: '<= 1.2x', met: factor <= 1.2 } : {};
      return { title, cells: {}, ratio: factor, ...goal };
    });
    tables.push({ title: 'After five other schemas were used (ratio: after / alone)', rows });
  }
  return tables;
}

/** megahash keeps its entries where no account of them is given: only the process shows them. */
function off(cells, name) {
  return Object.fromEntries(Object.entries(cells).filter(([key]) => key !== name));
}

/** @returns {Table[]} */
export function tables(found) {
  return [...found.sections.map(sectionTable), ...aloneTables(found.alone)].filter(
    ({ rows }) => rows.length > 0,
  );
}

export function text(found) {
  const head = ['', ...found.names, 'vs Map', 'goal', ''];
  return tables(found)
    .map(({ title, rows }) => {
      const lines = rows.map((row) => [
        row.title,
        ...found.names.map((name) => row.cells[name] ?? ''),
        times(row.ratio ?? NaN),
        row.goal ?? '',
        row.met === undefined ? '' : row.met ? 'met' : 'missed',
      ]);
      const style = (cell, r, c) => {
        if (c === head.length - 1) return rows[r].met === false ? red(cell) : green(cell);
        if (c === 1 || c === head.length - 3) return bold(cell);
        return c === head.length - 2 ? dim(cell) : cell;
      };
      return `\n${bold(title)}\n${table(head, lines, style)}`;
    })
    .join('\n');
}

export function summary(found) {
  const goals = tables(found).flatMap(({ rows }) => rows.filter(({ met }) => met !== undefined));
  const met = goals.filter((row) => row.met).length;
  return `${met} of ${goals.length} goals met`;
}

/** For docs/benchmarks/hashmap.md: the operations that are asked about first. @param {any} found */
export function markdown(found) {
  const lines = ['| | HashMap | Map | ratio |', '| --- | ---: | ---: | ---: |'];
  const wanted = new Set(['get', 'miss', 'getMany', 'getByHandle', 'forEach', 'set', 'fresh', 'churn']);
  for (const section of found.sections) {
    if (!(section.kindName === 'u32' || section.kindName === 'string') || section.n < 1e5) continue;
    const results = Object.fromEntries(Object.entries(section.results).filter(([id]) => wanted.has(id)));
    const { rows } = sectionTable({ ...section, results });
    if (rows.length === 0) continue;
    lines.push(`| **${kinds[section.kindName].title}, ${count(section.n)} entries** | | | |`);
    for (const { title, cells, ratio } of rows) {
      lines.push(
        `| ${title.replace(' (others: get)', '')} | ${cells.HashMap} ns | ${cells.Map} ns | ${times(ratio ?? NaN)} |`,
      );
    }
  }
  for (const { title, rows } of aloneTables({ ...found.alone, schemas: undefined })) {
    lines.push(`| **${title}** | | | |`);
    for (const row of rows) {
      lines.push(`| ${row.title} | ${row.cells.HashMap} | ${row.cells.Map} | ${times(row.ratio ?? NaN)} |`);
    }
  }
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
    const { rows } = sectionTable({ ...section, results: { [id]: section.results[id] } });
    for (const { cells, ratio } of rows)
      lines.push(`| ${title} | ${cells.HashMap} ns | ${cells.Map} ns | ${times(ratio ?? NaN)} |`);
  }
  const alone = {
    memory: 'memory',
    collection: 'full garbage collection, map alive',
    open: 'open a saved map and get a value (Map: rebuild)',
  };
  for (const [part, title] of Object.entries(alone)) {
    const [row] = aloneTables({ [part]: found.alone[part] })[0].rows;
    lines.push(`| ${title} | ${row.cells.HashMap} | ${row.cells.Map} | ${times(row.ratio ?? NaN)} |`);
  }
  return lines.join('\n');
}
