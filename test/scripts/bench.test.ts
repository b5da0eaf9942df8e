/** How the benchmark's tables are written, and how goals are judged. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';

interface Report {
  text: (found: object) => string;
  summary: (found: object) => string;
  markdown: (found: object) => string;
}
const bench = join(packageRoot(), 'bench');
const path = join(bench, 'lib', 'report.mjs');
const { text, summary, markdown } = (await import(pathToFileURL(path).href)) as Report;
const plain = (found: object): string => stripVTControlCharacters(text(found));

const columns = {
  names: ['Ours', 'Map', 'Array'],
  tables: [
    {
      title: 'Reads',
      unit: 'ns',
      rows: [
        {
          title: 'get',
          results: { Ours: { ns: 10 }, Map: { ns: 30 } },
          goals: [
            { against: 'Map', times: 3 },
            { against: 'Map', times: 4 },
            { against: 'Array', times: 2 },
            { below: 5 },
          ],
        },
      ],
    },
  ],
};
const pairs = {
  sections: [
    {
      title: 'Bits',
      rows: [
        { title: 'rank', ours: 4, peer: 'scan', theirs: 40, ratio: 1 },
        { title: 'size', unit: 'B', ours: 12, peer: 'array', theirs: 10, within: 1.1, below: 20 },
        { title: 'alone', unit: 'ms', ours: 2 },
      ],
    },
  ],
};

describe('a table with a column for each contender', () => {
  it('leaves out contenders and goals that were not measured', () => {
    expect(plain(columns)).toContain('Ours');
    expect(plain(columns)).not.toContain('Array');
    expect(plain(columns)).toMatch(/get +10\.0 +30\.0 +3\.00x +3x, 4x, < 5\.00 ns +met, missed, missed/);
  });

  it('counts each goal in the summary', () => {
    expect(summary(columns)).toBe('1 of 3 goals met');
  });
});

describe('a table of pairs', () => {
  it('names the peer of each row', () => {
    expect(plain(pairs)).toMatch(/rank +4\.00 ns +40\.0 ns +scan +10\.0x +not slower +met/);
    expect(plain(pairs)).toMatch(/size +12\.0 B +10\.0 B +array +0\.83x +< 20 B, within 1\.1x +met, missed/);
    expect(summary(pairs)).toBe('2 of 3 goals met');
  });

  it('is written as Markdown with the same cells', () => {
    expect(markdown(pairs).split('\n')).toContain('| rank | 4.00 ns | 40.0 ns | scan | 10.0x |');
  });
});

describe('every suite', () => {
  const suites = readdirSync(bench).filter((name) => existsSync(join(bench, name, 'index.mjs')));

  // Read, not imported: some of their sections wait for a message of the parent process.
  it.each(suites)('%s has the exports that main.mjs uses', (name) => {
    const source = readFileSync(join(bench, name, 'index.mjs'), 'utf8');
    expect(source).toMatch(/^export async function measure\(/m);
    expect(source).toMatch(/^export const headline\b/m);
  });
});
