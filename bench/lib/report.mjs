/**
 * The results of a suite as tables: for the terminal while it runs, and as Markdown for the
 * documents. All suites have one form of row, and one judge of goals.
 *
 * @typedef {object} Goal beside another contender: to be `times` as good, or to take at most
 *   `within`
 *   times as much; or, alone, to stay `below` a value
 * @property {string} [against]
 * @property {string} [of] the contender that has the goal; ours by default
 * @property {number} [times]
 * @property {number} [within]
 * @property {number} [below] in nanoseconds, or in the row's unit
 *
 * @typedef {{ ns: number } | { value: number }} Result nanoseconds, or a value in the row's unit
 *
 * @typedef {object} Row
 * @property {string} title
 * @property {string} [unit] of `value`s
 * @property {Record<string, Result>} results by contender; lower is better
 * @property {Goal[]} [goals]
 *
 * @typedef {object} Table
 * @property {string} title
 * @property {'ns' | 'ms'} [unit] in which nanoseconds are shown; in each cell if absent
 * @property {Row[]} rows
 *
 * @typedef {object} Pair the short form of a row that compares ours with one peer
 * @property {string} title
 * @property {string} [unit] `ns` if absent
 * @property {number} ours
 * @property {string} [peer]
 * @property {number} [theirs]
 * @property {number} [below] the goal: less than this
 * @property {number} [ratio] the goal: at least this many times better than the peer
 * @property {number} [within] the goal: at most this many times the peer's figure
 * @property {object} [raw] all rounds
 *
 * @typedef {{ title: string, rows: Pair[] }} Section
 *
 * @typedef {object} Found
 * @property {string[]} [names] the contenders, ours first
 * @property {string[]} [against] the contenders that have a column of ratios; all if absent
 * @property {Table[]} [tables]
 * @property {Section[]} [sections] tables of pairs
 */
import { bold, dim, figure, green, red, table, times } from './table.mjs';

const OURS = 'ours';

/** @param {Pair} pair @returns {Row} */
function rowOf({ title, unit = 'ns', ours, peer = 'peer', theirs, below, ratio, within }) {
  /** @type {Goal[]} */
  const goals = [];
  if (below !== undefined) goals.push({ below });
  if (ratio !== undefined) goals.push({ against: peer, times: ratio });
  if (within !== undefined) goals.push({ against: peer, within });
  const results = { [OURS]: { value: ours }, ...(theirs === undefined ? {} : { [peer]: { value: theirs } }) };
  return { title, unit, results, goals };
}

/** @param {Row} row @param {string} name */
function measured(row, name) {
  const result = row.results[name];
  if (result === undefined) return NaN;
  return 'ns' in result ? result.ns : result.value;
}

/**
 * How many times as good one contender is as another.
 * @param {Row} row @param {string} of @param {string} than
 */
export const ratio = (row, of, than) => measured(row, than) / measured(row, of);

/** A duration in a unit that keeps it readable. @param {number} ns */
const duration = (ns) => (ns < 1e6 ? `${figure(ns)} ns` : `${figure(ns / 1e6)} ms`);

/**
 * A cell, without its unit where the table's head has one.
 * @param {Row} row @param {string} name @param {string} [unit]
 */
export function cell(row, name, unit) {
  const result = row.results[name];
  if (result === undefined) return '';
  if ('value' in result) return `${figure(result.value)} ${row.unit ?? ''}`.trimEnd();
  if (unit === undefined) return duration(result.ns);
  return figure(unit === 'ms' ? result.ns / 1e6 : result.ns);
}

/**
 * Each goal of a row, and whether it was met. A goal against a contender that was not measured is
 * left out.
 * @param {Row} row @param {string} ours @param {boolean} [named] whether the text names the peer
 * @returns {{ text: string, met: boolean }[]}
 */
export function judged(row, ours, named = true) {
  return (row.goals ?? []).flatMap(({ of = ours, against = '', times: least, within, below }) => {
    const prefix = of === ours ? '' : `${of} `;
    if (below !== undefined) {
      const limit = row.unit === undefined ? duration(below) : `${below} ${row.unit}`;
      return [{ text: `${prefix}< ${limit}`, met: measured(row, of) < below }];
    }
    const found = ratio(row, of, against);
    if (!Number.isFinite(found)) return [];
    const peer = named ? ` ${against}` : '';
    if (within !== undefined) {
      return [{ text: `${prefix}within ${within}x${named ? ` of${peer}` : ''}`, met: found * within >= 1 }];
    }
    const text = least === 1 ? `not slower${named ? ` than${peer}` : ''}` : `${least}x${peer}`;
    return [{ text: prefix + text, met: found >= /** @type {number} */ (least) }];
  });
}

/** @param {{ text: string, met: boolean }[]} goals */
const verdict = (goals) => goals.map(({ met }) => (met ? 'met' : 'missed')).join(', ');

/**
 * @param {string} title @param {string[]} head @param {string[][]} lines whose last cell is the
 * verdict, and the one before it the goal
 * @param {number[]} strong columns in bold
 */
function printed(title, head, lines, strong) {
  const last = head.length - 1;
  const style = (/** @type {string} */ text, /** @type {number} */ r, /** @type {number} */ c) => {
    if (c === last) return lines[r][last].includes('missed') ? red(text) : green(text);
    if (strong.includes(c)) return bold(text);
    return c === last - 1 ? dim(text) : text;
  };
  return `\n${bold(title)}\n${table(head, lines, style)}`;
}

/** One column for each contender that takes part. @param {Table} part @param {Found} found */
function columns({ title, unit, rows }, { names: all = [], against = all }) {
  const [ours] = all;
  const names = all.filter((name) => name === ours || rows.some((row) => name in row.results));
  const peers = names.filter((name) => name !== ours && against.includes(name));
  const lines = rows.map((row) => {
    const goals = judged(row, ours, peers.length > 1);
    return [
      row.title,
      ...names.map((name) => cell(row, name, unit)),
      ...peers.map((name) => (name in row.results ? times(ratio(row, ours, name)) : '')),
      goals.map(({ text }) => text).join(', '),
      verdict(goals),
    ];
  });
  return printed(title, [unit ?? '', ...names, ...peers.map((name) => `vs ${name}`), 'goal', ''], lines, [1]);
}

/** The cells of a pair, whose peer differs from row to row. @param {Row} row */
function pairCells(row) {
  const peer = Object.keys(row.results).find((name) => name !== OURS) ?? '';
  return [row.title, cell(row, OURS), cell(row, peer), peer, times(ratio(row, OURS, peer))];
}

/** @param {Section} section */
function pairs({ title, rows }) {
  const lines = rows.map((pair) => {
    const row = rowOf(pair);
    const goals = judged(row, OURS, false);
    return [...pairCells(row), goals.map(({ text }) => text).join(', '), verdict(goals)];
  });
  return printed(title, ['', OURS, 'peer', '', 'ratio', 'goal', ''], lines, [1, 4]);
}

/** @param {Found} found */
export function text(found) {
  const { tables = [], sections = [] } = found;
  return [
    ...tables.filter(({ rows }) => rows.length > 0).map((part) => columns(part, found)),
    ...sections.filter(({ rows }) => rows.length > 0).map(pairs),
  ].join('\n');
}

/** @param {Found} found */
export function summary({ names = [], tables = [], sections = [] }) {
  const goals = [
    ...tables.flatMap(({ rows }) => rows.flatMap((row) => judged(row, names[0]))),
    ...sections.flatMap(({ rows }) => rows.flatMap((pair) => judged(rowOf(pair), OURS))),
  ];
  return `${goals.filter(({ met }) => met).length} of ${goals.length} goals met`;
}

/** For the documents. @param {Found} found */
export function markdown({ names = [], tables = [], sections = [] }) {
  const lines = [];
  if (tables.length > 0) {
    lines.push(`| | ${names.join(' | ')} |`, `| --- |${' ---: |'.repeat(names.length)}`);
    for (const { title, unit, rows } of tables) {
      lines.push(`| **${unit === undefined ? title : `${title}, ${unit}`}** |${' |'.repeat(names.length)}`);
      for (const row of rows) {
        lines.push(`| ${[row.title, ...names.map((name) => cell(row, name, unit))].join(' | ')} |`);
      }
    }
  }
  if (sections.length > 0) {
    lines.push('| | ours | peer | | ratio |', '| --- | ---: | ---: | --- | ---: |');
    for (const { title, rows } of sections) {
      lines.push(`| **${title}** | | | | |`);
      for (const pair of rows) lines.push(`| ${pairCells(rowOf(pair)).join(' | ')} |`);
    }
  }
  return lines.join('\n');
}
