/** The tables of docs/formats/region.md. */
import { ELEMENTS, KINDS } from './schema.mjs';

/** @param {string[][]} rows the first is the head */
function table([head, ...body]) {
  return [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export const kindsPage = () =>
  table([
    ['kind', 'structure', 'format'],
    ...KINDS.map(({ code, type, page }) => [String(code), type, `[${page}.md](${page}.md)`]),
  ]);

export const elementsPage = () =>
  table([
    ['code', ...ELEMENTS.map(({ code }) => String(code))],
    ['type', ...ELEMENTS.map(({ name }) => `\`${name}\``)],
    ['bytes', ...ELEMENTS.map(({ width }) => String(width))],
  ]);
