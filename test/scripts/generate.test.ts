/** The tables that scripts/generate writes from one list, and the list itself. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { MODULES } from '../../src/cli/kinds.js';
import { KINDS } from '../../src/region/format.js';
import { COLUMN_ARRAYS, SHARED_TYPE, TYPE, WIDTHS } from '../../src/region/element.js';

const script = (name: string): string =>
  pathToFileURL(join(packageRoot(), 'scripts', 'generate', `${name}.mjs`)).href;
const { generate } = (await import(script('main'))) as {
  generate: (options: { write: boolean }) => Promise<string[]>;
};
const schema = (await import(script('schema'))) as {
  KINDS: { code: number; name: string }[];
  ELEMENTS: { code: number; name: string; width: number }[];
};

describe('generated files', () => {
  it('are current (otherwise run `npm run generate`)', async () => {
    expect(await generate({ write: false })).toEqual([]);
  });
});

describe('the contents that inspect shows', () => {
  it.each(Object.entries(MODULES))('of a %s are read by src/%s/contents.ts', async (kind, module) => {
    const path = `../../src/${module}/contents.js`;
    const readers = (await import(path)) as Record<string, unknown>;
    expect(readers[kind]).toBeTypeOf('function');
  });
});

describe('the schema', () => {
  it.each(['KINDS', 'ELEMENTS'] as const)('numbers %s from 1 without gaps or duplicates', (list) => {
    expect(schema[list].map(({ code }) => code)).toEqual(schema[list].map((_, index) => index + 1));
    expect(new Set(schema[list].map(({ name }) => name)).size).toBe(schema[list].length);
  });

  it('agrees with the tables that the library uses', () => {
    expect(Object.entries(KINDS).map(([name, { code }]) => [name, code])).toEqual(
      schema.KINDS.map(({ name, code }) => [name, code]),
    );
    expect([...Object.entries(TYPE), ...Object.entries(SHARED_TYPE)]).toEqual(
      schema.ELEMENTS.map(({ name, code }) => [name, code]),
    );
  });

  it('gives each column an array with elements of its width', () => {
    for (const { code, width } of schema.ELEMENTS) {
      // The types that only a SharedMap has are not in these tables.
      expect(WIDTHS[code] ?? 0).toBe(width);
      expect(COLUMN_ARRAYS[code]?.BYTES_PER_ELEMENT ?? 0).toBe(width);
    }
  });
});
