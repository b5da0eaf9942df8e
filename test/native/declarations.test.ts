/**
 * The TypeScript declarations of the addon's functions, compared with the functions that the
 * binding registers and with the C header.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { native, packageRoot } from '../../src/native.js';

const root = packageRoot();
const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8');
const header = read('native', 'capi', 'include', 'offheap.h');
/** The C functions that the header declares. */
const declared = new Set([...header.matchAll(/\b(oh_\w+)\(/g)].map(([, name]) => name));

/** The functions that a file of the binding registers. */
const registered = (file: string): string[] =>
  [...read('native', 'binding', file).matchAll(/Export<\w+>\(exports, "(\w+)"\)/g)].map(([, name]) => name);

interface Declaration {
  name: string;
  comment: string;
}
/** The functions of an interface, with the comment before each. */
const declarations = (file: string): Declaration[] => {
  const [, body = ''] = read('src', 'native', file).split('export interface Binding {');
  return [...body.matchAll(/^ {2}(?:(\/\*\*(?:(?!\*\/)[^])*\*\/)\n {2})?(\w+)\(/gm)].map(
    ([, comment = '', name]) => ({ name: name, comment }),
  );
};

const sources = readdirSync(join(root, 'native', 'binding'))
  .filter((file) => file.endsWith('.cc') && registered(file).length > 0)
  .map((file) => ({ source: file, file: file.replaceAll('_', '-').replace(/\.cc$/, '.ts') }));

describe('the declarations of the addon', () => {
  it('are the functions that it exports', () => {
    const names = sources.flatMap(({ file }) => declarations(file).map(({ name }) => name));
    expect([...new Set(names)].sort()).toEqual(Object.keys(native()).sort());
  });

  it('have one file for each file of the binding', () => {
    const files = readdirSync(join(root, 'src', 'native')).filter((file) => file !== 'binding.ts');
    expect(files.sort()).toEqual(sources.map(({ file }) => file).sort());
  });
});

describe.each(sources)('src/native/$file', ({ source, file }) => {
  const functions = declarations(file);

  it(`declares the functions of native/binding/${source}`, () => {
    expect([...new Set(functions.map(({ name }) => name))].sort()).toEqual(registered(source).sort());
  });

  it('names C functions that the header declares and the binding calls', () => {
    const code = read('native', 'binding', source);
    const named = functions.flatMap(({ comment }) =>
      [...comment.matchAll(/`(oh_\w+)`(?=:| and| \*|\n)/g)].map(([, name]) => name),
    );
    expect(named.filter((name) => !declared.has(name))).toEqual([]);
    expect(named.filter((name) => !new RegExp(`\\b${name}\\b`).test(code))).toEqual([]);
  });

  // The functions of these files have no counterpart in C: they concern JavaScript's own objects.
  it.skipIf(['module.ts', 'probe.ts'].includes(file))('names the C function of each function', () => {
    const without = functions.filter(({ comment }) => !comment.includes('`oh_'));
    const overloads = new Set(functions.filter(({ comment }) => comment !== '').map(({ name }) => name));
    const allowed = new Set(['dictionaryNew']); // An empty holder for the result of training.
    expect(without.filter(({ name }) => !overloads.has(name) && !allowed.has(name))).toEqual([]);
  });
});
