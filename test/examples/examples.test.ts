/**
 * The examples are programs that check themselves; each must end well. So must every JavaScript
 * block of README.md, in a process of its own: what is printed there is what runs here.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const examples = join(root, 'examples');

function run(file: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
    cwd: dirname(file),
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

function blocks(markdown: string): string[] {
  return [...markdown.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
}

const modules = readdirSync(examples).filter((name) => name !== 'demo');

describe.each(modules)('examples/%s', (folder) => {
  const files = readdirSync(join(examples, folder)).filter((name) => name.endsWith('.mjs'));
  test('are there', () => expect(files.length).toBeGreaterThan(0));
  test.each(files)('%s', (name) => {
    const { status, output } = run(join(examples, folder, name));
    expect(status, output).toBe(0);
  });
});

describe('README.md', () => {
  // Inside the package, where `offheap` names it; ignored by git.
  const scratch = join(root, 'build', 'readme');
  mkdirSync(scratch, { recursive: true });
  const found = blocks(readFileSync(join(root, 'README.md'), 'utf8'));
  test('has examples', () => expect(found.length).toBeGreaterThan(0));
  test.each(found.map((code, i) => [i + 1, code] as const))('example %i', (number, code) => {
    writeFileSync(join(scratch, `${number}.mjs`), code);
    const { status, output } = run(join(scratch, `${number}.mjs`));
    expect(status, output).toBe(0);
  });
});
