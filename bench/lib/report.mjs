/**
 * Tables for suites whose results are rows of nanoseconds, ours first: for the terminal and for the
 * README.
 *
 * @typedef {object} Goal what is asked for beside one contender: to be `times` as fast, or to take at most `within` as long;
 * or, alone, to take less than `below` nanoseconds
 * @property {string} [against]
 * @property {string} [of] whose goal it is; ours, if not said
 * @property {number} [times]
 * @property {number} [within]
 * @property {number} [below]
 *
 * @typedef {object} Row
 * @property {string} title
 * @property {Record<string, { ns: number }>} results by contender
 * @property {Goal[]} [goals]
 *
 * @typedef {object} Table
 * @property {string} title
 * @property {'ns' | 'ms'} unit
 * @property {Row[]} rows
 *
 * @typedef {object} Found
 * @property {string[]} names ours first
 * @property {Table[]} tables
 */
import { bold, dim, figure, green, red, table, times } from './table.mjs';

/** How many times as fast ours is. @param {Row} row @param {string} ours @param {string} name */
function ratio(row, ours, name) {
  return (row.results[name]?.ns ?? NaN) / (row.results[ours]?.ns ?? NaN);
}

/** @param {Row} row @param {string} ours */
function judged(row, ours) {
  return (row.goals ?? []).flatMap(({ of = ours, against = '', times: least, within, below }) => {
    if (below !== undefined) {
      const text = below < 1e6 ? `under ${below} ns` : `under ${below / 1e6} ms`;
      return [{ text, met: (row.results[of]?.ns ?? Infinity) < below }];
    }
    const found = ratio(row, of, against);
    if (!Number.isFinite(found)) return [];
    const text = least === undefined ? `within ${within}x of ${against}` : `${least}x ${against}`;
    return [
      {
        text: of === ours ? text : `${of} ${text}`,
        met: least === undefined ? found * /** @type {number} */ (within) >= 1 : found >= least,
      },
    ];
  });
}

const shown = (/** @type {number} */ ns, /** @type {string} */ unit) => figure(unit === 'ms' ? ns / 1e6 : ns);

/** @param {Found} found */
export function text({ names: all, tables }) {
  const [ours] = all;
  return tables
    .filter(({ rows }) => rows.length > 0)
    .map((part) => {
      // Those that have a part in it.
      const names = all.filter((name) => name === ours || part.rows.some((row) => name in row.results));
      const peers = names.slice(1);
      const head = [part.unit, ...names, ...peers.map((name) => `vs ${name}`), 'goal', ''];
      const goals = part.rows.map((row) => judged(row, ours));
      const lines = part.rows.map((row, r) => [
        row.title,
        ...names.map((name) => (name in row.results ? shown(row.results[name].ns, part.unit) : '')),
        ...peers.map((name) => (name in row.results ? times(ratio(row, ours, name)) : '')),
        goals[r].map((goal) => goal.text).join(', '),
        goals[r].map(({ met }) => (met ? 'met' : 'missed')).join(', '),
      ]);
      const style = (/** @type {string} */ cell, /** @type {number} */ r, /** @type {number} */ c) => {
        const last = head.length - 1;
        if (c === last) return goals[r].every(({ met }) => met) ? green(cell) : red(cell);
        if (c === 1) return bold(cell);
        return c === last - 1 ? dim(cell) : cell;
      };
      return `\n${bold(part.title)}\n${table(head, lines, style)}`;
    })
    .join('\n');
}

/** @param {Found} found */
export function summary({ names: [ours], tables }) {
  const goals = tables.flatMap(({ rows }) => rows.flatMap((row) => judged(row, ours)));
  return `${goals.filter(({ met }) => met).length} of ${goals.length} goals met`;
}

/** @param {Found} found */
export function markdown({ names, tables }) {
  const lines = [`| | ${names.join(' | ')} |`, `| --- |${' ---: |'.repeat(names.length)}`];
  for (const { title, unit, rows } of tables) {
    lines.push(`| **${title}, ${unit}** |${' |'.repeat(names.length)}`);
    for (const { title: row, results } of rows) {
      const cells = names.map((name) => (name in results ? shown(results[name].ns, unit) : ''));
      lines.push(`| ${row} | ${cells.join(' | ')} |`);
    }
  }
  return lines.join('\n');
}
