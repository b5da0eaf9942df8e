/**
 * The examples are programs that check themselves; each must exit with status 0. The same holds for
 * every JavaScript block of README.md and docs/, each in a process of its own. If a block of
 * output (```text) follows a JavaScript block, the program must print exactly that.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const examples = join(root, 'examples');

function run(file: string): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
    cwd: dirname(file),
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

interface Block {
  code: string;
  /** The output that the document shows, if it shows any. */
  output: string | undefined;
}

function blocks(markdown: string): Block[] {
  const found = markdown.matchAll(/^```js\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?/gms);
  return [...found].map(([, code, output]) => ({ code, output }));
}

const modules = readdirSync(examples).filter((name) => name !== 'demo');

describe.each(modules)('examples/%s', (folder) => {
  const files = readdirSync(join(examples, folder)).filter((name) => name.endsWith('.mjs'));
  test('contains programs', () => expect(files.length).toBeGreaterThan(0));
  test.each(files)('%s exits with status 0', (name) => {
    const { status, stdout, stderr } = run(join(examples, folder, name));
    expect(status, stdout + stderr).toBe(0);
  });
});

const documents = ['README.md', ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })]
  .filter((path) => path.endsWith('.md') && !path.startsWith('site'))
  .map((path) => (path === 'README.md' ? path : join('docs', path)))
  .map((path) => ({ path, found: blocks(readFileSync(join(root, path), 'utf8')) }))
  .filter(({ found }) => found.length > 0);

test('README.md and the guides contain examples', () => {
  const paths = documents.map(({ path }) => path);
  expect(paths).toContain('README.md');
  expect(paths).toContain(join('docs', 'guides', 'getting-started.md'));
});

describe.each(documents)('$path', ({ path, found }) => {
  // Inside the package, so that `offheap` resolves to it; ignored by git.
  const scratch = join(root, 'build', 'documents', path.replaceAll(/[^\w-]/g, '_'));
  mkdirSync(scratch, { recursive: true });
  test.each(found.map((block, i) => [i + 1, block] as const))(
    'example %i runs',
    (number, { code, output }) => {
      const file = join(scratch, `${number}.mjs`);
      writeFileSync(file, code);
      const { status, stdout, stderr } = run(file);
      expect(status, stdout + stderr).toBe(0);
      if (output !== undefined) expect(stdout).toBe(output);
    },
  );
});
