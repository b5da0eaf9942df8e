/** Aligned tables for a terminal, and the format of the numbers in them. */

const colour = process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '';
const paint = (/** @type {number} */ code) => (/** @type {string} */ text) =>
  colour ? `\x1b[${code}m${text}\x1b[0m` : text;
export const bold = paint(1);
export const dim = paint(2);
export const green = paint(32);
export const red = paint(31);

/**
 * Columns as wide as their contents; the first is aligned to the left, the others to the right.
 * Styles are applied last, so that they do not change the widths.
 * @param {string[]} head @param {string[][]} rows
 * @param {(text: string, row: number, column: number) => string} [style]
 */
export function table(head, rows, style = (text) => text) {
  const widths = head.map((title, c) => Math.max(title.length, ...rows.map((row) => row[c].length)));
  const cell = (/** @type {string} */ text, /** @type {number} */ c) =>
    c === 0 ? text.padEnd(widths[c]) : text.padStart(widths[c]);
  const lines = [dim(head.map(cell).join('  '))];
  rows.forEach((row, r) =>
    lines.push(
      row
        .map((text, c) => style(cell(text, c), r, c))
        .join('  ')
        .trimEnd(),
    ),
  );
  return lines.map((line) => `  ${line}`).join('\n');
}

/** @param {number} n `1,000,000` */
export const count = (n) => n.toLocaleString('en-US');

/** Three figures, without an exponent. @param {number} value */
export function figure(value) {
  if (!Number.isFinite(value)) return '-';
  if (value >= 100) return count(Math.round(value));
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** @param {number} value how many times */
export const times = (value) => (Number.isFinite(value) ? `${figure(value)}x` : '-');

/** @param {number} bytes */
export const megabytes = (bytes) => `${figure(bytes / 1e6)} MB`;
