/**
 * Tables of suites whose row is one measure, ours beside one peer. (report.mjs has those of several
 * contenders.)
 */
import { bold, dim, figure, green, red, table, times } from './table.mjs';

/**
 * @typedef {object} Row
 * @property {string} title what was measured
 * @property {string} [unit] of both figures; `ns` if absent
 * @property {number} ours
 * @property {string} [peer] what it is compared with
 * @property {number} [theirs]
 * @property {number} [below] the goal: less than this
 * @property {number} [ratio] the goal: at least so many times better than the peer
 * @property {number} [within] the goal: at most so many times what the peer takes
 * @property {object} [raw] all rounds
 *
 * @typedef {{ title: string, rows: Row[] }} Section
 * @typedef {{ sections: Section[] }} Found
 */

/** @param {Row} row */
const gain = ({ ours, theirs }) => (theirs === undefined ? NaN : theirs / ours);

/** Whether a row's goals were met, if it has any. @param {Row} row */
function met(row) {
  const { below, ratio, within } = row;
  if (below === undefined && ratio === undefined && within === undefined) return undefined;
  return (
    (below === undefined || row.ours < below) &&
    (ratio === undefined || gain(row) >= ratio) &&
    (within === undefined || gain(row) * within >= 1)
  );
}

/** @param {Row} row */
function goal({ below, ratio, within, unit = 'ns' }) {
  const parts = [];
  if (below !== undefined) parts.push(`< ${below} ${unit}`);
  if (ratio !== undefined) parts.push(ratio === 1 ? 'not slower' : `${ratio}x`);
  if (within !== undefined) parts.push(`within ${within}x`);
  return parts.join(', ');
}

/** @param {Row} row */
function cells(row) {
  const { title, ours, peer = '', theirs, unit = 'ns' } = row;
  const theirsText = theirs === undefined ? '' : `${figure(theirs)} ${unit}`;
  return [title, `${figure(ours)} ${unit}`, theirsText, peer, times(gain(row)), goal(row)];
}

/** @param {Found} found */
export function text({ sections }) {
  return sections
    .map(({ title, rows }) => {
      const lines = rows.map((row) => {
        const state = met(row);
        return [...cells(row), state === undefined ? '' : state ? 'met' : 'missed'];
      });
      const head = ['', 'ours', 'peer', '', 'ratio', 'goal', ''];
      const style = (cell, r, c) => {
        if (c === 6) return met(rows[r]) === false ? red(cell) : green(cell);
        if (c === 1 || c === 4) return bold(cell);
        return c === 3 || c === 5 ? dim(cell) : cell;
      };
      return `\n${bold(title)}\n${table(head, lines, style)}`;
    })
    .join('\n');
}

/** @param {Found} found */
export function summary({ sections }) {
  const states = sections.flatMap(({ rows }) => rows.map(met)).filter((state) => state !== undefined);
  return `${states.filter(Boolean).length} of ${states.length} goals met`;
}

/** For the README. @param {Found} found */
export function markdown({ sections }) {
  const lines = ['| | ours | peer | | ratio |', '| --- | ---: | ---: | --- | ---: |'];
  for (const { title, rows } of sections) {
    lines.push(`| **${title}** | | | | |`);
    for (const row of rows) lines.push(`| ${cells(row).slice(0, 5).join(' | ')} |`);
  }
  return lines.join('\n');
}
