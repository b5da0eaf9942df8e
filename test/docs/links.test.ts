/**
 * Relative links in Markdown lead to files and headings that exist, and so do paths in inline code.
 * Links in code, and links to other sites, are not followed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

/** The text without fenced blocks and inline code. */
function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^ *```.*?^ *```$/gms, '').replaceAll(/`[^`\n]*`/g, '');
}

/** The anchor that GitHub gives to a heading. */
function anchorOf(heading: string): string {
  const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*_]/g, '');
  return text
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
    .replaceAll(' ', '-');
}

/** All anchors of a document; repeated headings are numbered. */
function anchorsOf(markdown: string): Set<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, heading] of markdown.replaceAll(/^ *```.*?^ *```$/gms, '').matchAll(/^#{1,6} (.*)$/gm)) {
    const anchor = anchorOf(heading);
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    anchors.add(count === 0 ? anchor : `${anchor}-${count}`);
  }
  return anchors;
}

/** The targets of all links and images of a document. */
function targetsOf(markdown: string): string[] {
  const text = withoutCode(markdown);
  const inline = [...text.matchAll(/\]\(\s*<?([^()\s>]+(?:\([^()\s]*\))?)>?(?:\s+"[^"]*")?\s*\)/g)];
  const definitions = [...text.matchAll(/^\[[^\]]+\]:\s*(\S+)/gm)];
  return [...inline, ...definitions].map(([, target]) => target);
}

/** Repository paths in inline code. Patterns such as `src/<module>` are left out. */
function pathsOf(markdown: string): string[] {
  const path = /^(?:src|native|test|scripts|bench|examples|docs)\/[\w./-]+\.\w+$/;
  const text = markdown.replaceAll(/^ *```.*?^ *```$/gms, '');
  return [...text.matchAll(/`([^`\n]*)`/g)].map(([, code]) => code).filter((code) => path.test(code));
}

/** Why a link of the document at `path` leads nowhere, or undefined if it does not. */
function fault(path: string, target: string): string | undefined {
  if (/^[a-z][a-z+.-]*:/i.test(target)) return undefined;
  const [file, anchor] = target.split('#');
  const destination = file === '' ? path : resolve(dirname(path), decodeURIComponent(file));
  if (relative(root, destination).startsWith('..')) return `${target}: outside the repository`;
  if (!existsSync(destination)) return `${target}: no such file`;
  if (anchor === undefined || statSync(destination).isDirectory() || !destination.endsWith('.md'))
    return undefined;
  return anchorsOf(readFileSync(destination, 'utf8')).has(anchor) ? undefined : `${target}: no such heading`;
}

const documents = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)));

describe('relative links', () => {
  test.each(documents)('of %s lead to files and headings that exist', (path) => {
    const markdown = readFileSync(join(root, path), 'utf8');
    const faults = targetsOf(markdown).map((target) => fault(join(root, path), target));
    expect(faults.filter((reason) => reason !== undefined)).toEqual([]);
  });
});

describe('paths in inline code', () => {
  test.each(documents)('of %s exist', (path) => {
    const paths = pathsOf(readFileSync(join(root, path), 'utf8'));
    expect(paths.filter((named) => !existsSync(join(root, named)))).toEqual([]);
  });
});

describe('the link check', () => {
  const page = join(root, 'docs', 'page.md');
  test.each([
    ['errors.md', undefined],
    ['missing.md', 'missing.md: no such file'],
    ['errors.md#errors', undefined],
    ['errors.md#no-such-heading', 'errors.md#no-such-heading: no such heading'],
    ['../../elsewhere.md', '../../elsewhere.md: outside the repository'],
    ['https://example.org/missing.md', undefined],
  ])('judges a link to %s', (target, expected) => expect(fault(page, target)).toBe(expected));

  test('finds inline links, images, and definitions, but no code', () => {
    const markdown =
      '[a](one.md) ![b](two.svg "title") `[c](three.md)`\n\n[d]: four.md\n\n```\n[e](five.md)\n```\n';
    expect(targetsOf(markdown)).toEqual(['one.md', 'two.svg', 'four.md']);
  });

  test('finds paths in inline code', () => {
    expect(pathsOf('`src/index.ts`, `src/<module>`, `index.ts`, [a](docs/a.md)')).toEqual(['src/index.ts']);
  });

  test('derives anchors from headings as GitHub does', () => {
    expect([...anchorsOf('# C and C++\n## `open()`, and more\n## Cost\n## Cost\n')]).toEqual([
      'c-and-c',
      'open-and-more',
      'cost',
      'cost-1',
    ]);
  });
});
