/**
 * Bar charts as SVG, for the documents. Colors follow the reader's light or dark scheme, which
 * GitHub passes to images through `prefers-color-scheme`.
 *
 * @typedef {object} Group bars that are compared with each other
 * @property {string} label
 * @property {number[]} values one per series
 *
 * @typedef {object} Chart
 * @property {string} title
 * @property {string} unit
 * @property {string[]} series at most three
 * @property {Group[]} groups
 */
import { figure } from './table.mjs';

const [WIDTH, HEIGHT] = [760, 300];
const [LEFT, TOP, BOTTOM] = [16, 64, 34];
const STYLE = `
    .title { fill: #1f2328; font-weight: 600; font-size: 15px }
    .label { fill: #1f2328; font-size: 13px }
    .axis { stroke: #8c959f }
    .s0 { fill: #0969da }
    .s1 { fill: #54aeff }
    .s2 { fill: #9a6700 }
    @media (prefers-color-scheme: dark) {
      .title, .label { fill: #e6edf3 }
      .axis { stroke: #6e7681 }
      .s0 { fill: #58a6ff }
      .s1 { fill: #1f6feb }
      .s2 { fill: #d29922 }
    }`;

const round = (/** @type {number} */ x) => Math.round(x * 10) / 10;

/** @param {Chart} chart */
export function bars({ title, unit, series, groups }) {
  const most = Math.max(...groups.flatMap(({ values }) => values));
  const slot = (WIDTH - 2 * LEFT) / groups.length;
  const bar = Math.min(56, slot / (series.length + 1));
  const base = HEIGHT - BOTTOM;
  const text = (
    /** @type {number} */ x,
    /** @type {number} */ y,
    /** @type {string} */ content,
    anchor = 'middle',
  ) => `  <text class="label" x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${content}</text>`;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img"`,
    `  font-family="-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif">`,
    `  <title>${title}</title>`,
    `  <style>${STYLE}\n  </style>`,
    `  <text class="title" x="${LEFT}" y="24">${title}, ${unit}</text>`,
  ];
  series.forEach((name, i) => {
    lines.push(`  <rect class="s${i}" x="${LEFT + 170 * i}" y="36" width="12" height="12"/>`);
    lines.push(text(LEFT + 170 * i + 18, 47, name, 'start'));
  });
  groups.forEach(({ label, values }, g) => {
    const center = LEFT + slot * (g + 0.5);
    values.forEach((value, i) => {
      const x = center + (i - series.length / 2) * bar;
      const height = ((base - TOP - 18) * value) / most;
      lines.push(
        `  <rect class="s${i}" x="${round(x + 2)}" y="${round(base - height)}" width="${round(bar - 4)}" height="${round(height)}"/>`,
        text(x + bar / 2, base - height - 5, figure(value)),
      );
    });
    lines.push(text(center, HEIGHT - 12, label));
  });
  lines.push(`  <path class="axis" d="M${LEFT} ${base} H${WIDTH - LEFT}"/>`, '</svg>', '');
  return lines.join('\n');
}
