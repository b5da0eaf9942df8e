/** Output of the demo: aligned columns, and colors only on a terminal. */
import process from 'node:process';

const color = process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '';
const paint = (/** @type {string} */ code) => (/** @type {string} */ text) =>
  color ? `\x1b[${code}m${text}\x1b[0m` : text;
export const bold = paint('1');
export const dim = paint('2');
export const cyan = paint('36');
export const green = paint('32');
export const red = paint('31');

export const count = (/** @type {number} */ n) => n.toLocaleString('en-US');

function figure(/** @type {number} */ value) {
  if (value >= 100) return count(Math.round(value));
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function ms(/** @type {number} */ value) {
  return value >= 1000
    ? `${figure(value / 1000)} s`
    : value >= 0.1
      ? `${figure(value)} ms`
      : `${figure(value * 1000)} µs`;
}
export const megabytes = (/** @type {number} */ bytes) => `${figure(bytes / 1e6)} MB`;
export const perSecond = (/** @type {number} */ rate) =>
  rate >= 1e6 ? `${figure(rate / 1e6)} M/s` : `${figure(rate / 1e3)} k/s`;

/** Characters take one column, East Asian ones two, combining marks none. @param {string} text */
export function width(text) {
  let columns = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    columns += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/.test(
      character,
    )
      ? 2
      : 1;
  }
  return columns;
}

export const left = (/** @type {string} */ text, /** @type {number} */ to) =>
  text + ' '.repeat(Math.max(0, to - width(text)));
export const right = (/** @type {string} */ text, /** @type {number} */ to) =>
  ' '.repeat(Math.max(0, to - width(text))) + text;

export function heading(/** @type {string} */ text) {
  console.log(`\n${bold(text)}`);
}

/** Prints `label   answer`, with the labels aligned. @param {[string, string][]} pairs */
export function answers(pairs) {
  const widest = Math.max(...pairs.map(([label]) => width(label)));
  for (const [label, answer] of pairs) console.log(`  ${dim(left(label, widest))}  ${answer}`);
}

/**
 * @typedef {object} Row
 * @property {string} label
 * @property {string} ours
 * @property {string} [plain]
 * @property {number} [ratio] how many times better ours is
 */

/** Prints the table at the end. @param {{ title: string, rows: Row[] }[]} groups */
export function summary(groups) {
  const rows = groups.flatMap((group) => group.rows);
  const label = Math.max(...rows.map((row) => width(row.label))) + 2;
  const ours = Math.max(10, ...rows.map((row) => width(row.ours)));
  const plain = Math.max(16, ...rows.map((row) => width(row.plain ?? '')));
  const line = dim('  ' + '─'.repeat(label + ours + plain + 14));
  console.log(line);
  console.log(
    dim(
      `  ${left('', label)}  ${right('offheap', ours)}  ${right('plain JavaScript', plain)}  ${right('ratio', 8)}`,
    ),
  );
  for (const group of groups) {
    console.log(`  ${cyan(group.title)}`);
    for (const row of group.rows) {
      const ratio =
        row.ratio === undefined
          ? ''
          : `${row.ratio >= 10 ? count(Math.round(row.ratio)) : row.ratio.toFixed(row.ratio < 0.1 ? 2 : 1)}x`;
      const tint = row.ratio === undefined ? dim : row.ratio >= 1 ? green : red;
      console.log(
        `    ${left(row.label, label - 2)}  ${bold(right(row.ours, ours))}  ${right(row.plain ?? '', plain)}  ${tint(right(ratio, 8))}`,
      );
    }
  }
  console.log(line);
  console.log(dim('  ratio: how many times better offheap is; below 1x plain JavaScript is better'));
}
