/** A bundle of one module contains that module, the layers below it, and no other module. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';

const root = packageRoot();
/** The folders of dist that any module may use. */
const BELOW = ['elements', 'native', 'region'];

async function inputs(source: string): Promise<string[]> {
  const { metafile } = await build({
    stdin: { contents: source, resolveDir: root, loader: 'js' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    treeShaking: true,
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const [output] = Object.values(metafile.outputs);
  // Only files with bytes in the output: a file that tree shaking removed costs nothing.
  return Object.entries(output?.inputs ?? {})
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => path)
    .filter((path) => path.startsWith('dist/'));
}

const modules = readdirSync(join(root, 'dist'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !['cli', ...BELOW].includes(entry.name))
  .map(({ name }) => name);

describe('bundles', () => {
  it.each(modules)('of offheap/%s contain no other module', async (name) => {
    const found = await inputs(`export * from 'offheap/${name}';`);
    expect(found.some((path) => path.startsWith(`dist/${name}/`))).toBe(true);
    const allowed = new Set([name, ...BELOW]);
    const others = found.filter((path) => {
      const folder = /^dist\/([^/]+)\//.exec(path)?.[1];
      return folder !== undefined && !allowed.has(folder);
    });
    expect(others).toEqual([]);
    expect(found).not.toContain('dist/index.js');
  });

  it('of one name from the root contain only that name', async () => {
    const found = await inputs(`import { version } from 'offheap'; console.log(version);`);
    expect(found).toEqual(['dist/version.js']);
  });

  it('of an import alone are empty, because no module has side effects', async () => {
    expect(await inputs(`import 'offheap';`)).toEqual([]);
    for (const name of modules) {
      expect(existsSync(join(root, 'dist', name, 'index.js'))).toBe(true);
      expect(await inputs(`import 'offheap/${name}';`)).toEqual([]);
    }
  });
});
