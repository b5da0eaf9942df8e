/** The C and C++ programs of the guides compile against the headers of this version. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const guide = readFileSync(join(root, 'docs', 'guides', 'c-and-cpp.md'), 'utf8');
const programs = [...guide.matchAll(/^```(c|cpp)\n(.*?)^```$/gms)].map(([, language, code]) => ({
  language,
  code,
}));

function compile(language: string, code: string): string {
  const [compiler, name, standard] =
    language === 'c'
      ? [process.env.CC ?? 'cc', 'c', '-std=c11']
      : [process.env.CXX ?? 'c++', 'c++', '-std=c++17'];
  const flags = [standard, '-Wall', '-Wextra', '-Werror', '-fsyntax-only', '-x', name];
  const include = join(root, 'native', 'capi', 'include');
  const { error, status, stderr } = spawnSync(compiler, [...flags, '-I', include, '-'], {
    input: code,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  return status === 0 ? '' : stderr || `${compiler} exited with ${status}`;
}

describe('docs/guides/c-and-cpp.md', () => {
  it('contains programs in both languages', () => {
    expect(new Set(programs.map(({ language }) => language))).toEqual(new Set(['c', 'cpp']));
  });
  it.each(programs.map((program, i) => [i + 1, program] as const))(
    'has a program %i that compiles',
    (_, program) => {
      expect(compile(program.language, program.code)).toBe('');
    },
  );
  it('would report a function that does not exist', () => {
    const code = '#include <offheap.h>\nint main(void) { return oh_no_such_function(); }\n';
    expect(compile('c', code)).toContain('oh_no_such_function');
  });
});
