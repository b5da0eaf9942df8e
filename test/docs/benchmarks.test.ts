/**
 * The figures of README.md and docs/benchmarks come from committed results. After a new measurement
 * `npm run bench -- report <file> --readme` writes them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

interface Report {
  brief: (found: object) => string;
  markdown: (found: object) => string;
  plots: (found: object) => Record<string, string>;
}
const root = join(import.meta.dirname, '..', '..');
const text = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8');
const url = pathToFileURL(join(root, 'bench', 'hashmap', 'report.mjs')).href;
const report = (await import(url)) as Report;
const results = JSON.parse(text('bench', 'results', 'hashmap-reference.json')) as object;

/** The cells of each row, without the padding and the rule that the formatter adds. */
function rows(markdown: string): string[][] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[\s|:-]+\|$/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));
}

function betweenMarkers(markdown: string): string {
  return markdown.slice(
    markdown.indexOf('<!-- bench:hashmap -->'),
    markdown.indexOf('<!-- /bench:hashmap -->'),
  );
}

describe('the committed HashMap results', () => {
  it('are the table of README.md', () => {
    expect(rows(betweenMarkers(text('README.md')))).toEqual(rows(report.brief(results)));
  });
  it('are the table of docs/benchmarks/hashmap.md', () => {
    const page = text('docs', 'benchmarks', 'hashmap.md');
    expect(rows(betweenMarkers(page))).toEqual(rows(report.markdown(results)));
  });
  it('are the plots in docs/images', () => {
    for (const [name, svg] of Object.entries(report.plots(results)))
      expect(text('docs', 'images', name), name).toBe(svg);
  });
});
