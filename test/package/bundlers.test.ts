/** Bundles of programs load the addon, or say what to do; so do programs in Jest. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { arch, execPath, platform } from 'node:process';
import { promisify } from 'node:util';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import { nodeFileTrace } from '@vercel/nft';
import { build as esbuild } from 'esbuild';
import { rollup } from 'rollup';
import { build as vite } from 'vite';
import webpack from 'webpack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { native, nativeReport, packageRoot } from '../../src/native.js';

const execute = promisify(execFile);
const work = mkdtempSync(join(tmpdir(), 'offheap-bundlers-'));
const app = join(work, 'app');
const prebuild = join('prebuilds', `${platform}-${arch}`, 'offheap.node');
const entry = join(app, 'app.mjs');
native();
const addon = nativeReport().path!;

beforeAll(() => {
  // The files of the published package.
  const installed = join(app, 'node_modules', 'offheap');
  mkdirSync(join(installed, dirname(prebuild)), { recursive: true });
  cpSync(join(packageRoot(), 'dist'), join(installed, 'dist'), { recursive: true });
  cpSync(join(packageRoot(), 'package.json'), join(installed, 'package.json'));
  cpSync(addon, join(installed, prebuild));
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "private": true }');
  // More than the twelve entries that need no native code.
  writeFileSync(
    entry,
    `import { HashMap } from 'offheap/hashmap';
    const map = new HashMap({ key: 'u32', value: 'f64' });
    try {
      for (let i = 0; i < 100; i++) map.set(i, i);
      console.log(JSON.stringify([...map.getMany(Uint32Array.of(1, 99))]));
    } catch (error) {
      console.log(JSON.stringify({ code: error.code, message: error.message }));
    }`,
  );
});
afterAll(() => {
  rmSync(work, { recursive: true });
});

async function run(file: string, env: Record<string, string> = {}): Promise<unknown> {
  const { stdout } = await execute(execPath, [file], { cwd: work, env });
  return JSON.parse(stdout);
}

async function bundleWithWebpack(file: string, output: webpack.Configuration): Promise<void> {
  const compiler = webpack({
    mode: 'production',
    target: 'node20',
    entry,
    ...output,
    output: { path: dirname(file), filename: file.slice(dirname(file).length + 1), ...output.output },
  });
  const stats = await new Promise<webpack.Stats | undefined>((done, fail) => {
    compiler.run((error, result) => (error ? fail(error) : done(result)));
  });
  expect(stats?.toJson({ errors: true }).errors).toEqual([]);
}

/** Each writes a bundle of the program to the file. */
const bundlers: Record<string, { extension: string; bundle: (file: string) => Promise<unknown> }> = {
  'esbuild, CommonJS': {
    extension: 'cjs',
    bundle: (outfile) =>
      esbuild({
        entryPoints: [entry],
        outfile,
        bundle: true,
        platform: 'node',
        format: 'cjs',
        logLevel: 'silent',
      }),
  },
  'esbuild, ESM': {
    extension: 'mjs',
    bundle: (outfile) =>
      esbuild({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm' }),
  },
  'webpack, CommonJS': { extension: 'cjs', bundle: (file) => bundleWithWebpack(file, {}) },
  'webpack, ESM': {
    extension: 'mjs',
    bundle: (file) =>
      bundleWithWebpack(file, {
        experiments: { outputModule: true },
        output: { module: true, library: { type: 'module' } },
      }),
  },
  'rollup, CommonJS': { extension: 'cjs', bundle: (file) => bundleWithRollup(file, 'cjs') },
  'rollup, ESM': { extension: 'mjs', bundle: (file) => bundleWithRollup(file, 'es') },
  'Vite SSR': {
    extension: 'mjs',
    bundle: (file) =>
      vite({
        root: app,
        configFile: false,
        logLevel: 'error',
        ssr: { noExternal: true },
        build: {
          ssr: entry,
          outDir: dirname(file),
          emptyOutDir: false,
          rolldownOptions: { output: { entryFileNames: file.slice(dirname(file).length + 1) } },
        },
      }),
  },
};

async function bundleWithRollup(file: string, format: 'cjs' | 'es'): Promise<void> {
  const bundle = await rollup({ input: entry, plugins: [nodeResolve()], logLevel: 'silent' });
  await bundle.write({ file, format });
  await bundle.close();
}

describe.each(Object.entries(bundlers))('%s', (name, { extension, bundle }) => {
  const file = join(app, 'out', `${name.replaceAll(/\W+/g, '-')}.${extension}`);

  it('loads the addon beside node_modules, and elsewhere from OFFHEAP_BINARY', async () => {
    await bundle(file);
    expect(readFileSync(file, 'utf8')).not.toContain("from 'offheap");
    expect(await run(file)).toEqual([1, 99]);

    // On another machine: neither the folders of the build nor a package are there.
    const moved = join(work, 'elsewhere', `moved.${extension}`);
    mkdirSync(dirname(moved), { recursive: true });
    const text = readFileSync(file, 'utf8').replaceAll(work, '/not/there');
    writeFileSync(moved, text);
    const error = (await run(moved)) as { code: string; message: string };
    expect(error.code).toBe('ERR_OFFHEAP_NATIVE');
    expect(error.message).toMatch(/mark offheap as external.*OFFHEAP_BINARY.*Tried:.*elsewhere/s);
    expect(await run(moved, { OFFHEAP_BINARY: addon })).toEqual([1, 99]);
  });
});

it('@vercel/nft lists the addon among the files of the program', async () => {
  const { fileList } = await nodeFileTrace([entry], { base: app });
  expect(fileList).toContain(join('node_modules', 'offheap', prebuild));
});

it('two Jest files, one of which resets the modules, load the addon each', { timeout: 30_000 }, async () => {
  const folder = join(app, 'jest');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const source = (reset: boolean) => `
    import { jest } from '@jest/globals';
    const check = async () => {
      const { HashMap } = await import('offheap/hashmap');
      const map = new HashMap({ key: 'u32', value: 'f64' });
      for (let i = 0; i < 100; i++) map.set(i, i);
      expect([...map.getMany(Uint32Array.of(1, 99))]).toEqual([1, 99]);
      await expect(map.save('missing/file')).rejects.toMatchObject({
        code: 'ERR_OFFHEAP_IO',
        cause: { code: 'ENOENT' },
      });
    };
    test('first', check);
    test('second', async () => {
      if (${String(reset)}) jest.resetModules();
      await check();
    });`;
  writeFileSync(join(folder, 'a.test.js'), source(false));
  writeFileSync(join(folder, 'b.test.js'), source(true));
  const script = join(packageRoot(), 'node_modules', 'jest', 'bin', 'jest.js');
  const configuration = { rootDir: folder, transform: {}, cacheDirectory: join(work, 'cache') };
  const flags = ['--experimental-vm-modules', '--no-warnings', script, '--runInBand'];
  const { stderr } = await execute(execPath, [...flags, '--config', JSON.stringify(configuration)], {
    cwd: folder,
  }).catch((error: unknown) => error as { stderr: string });
  expect(stderr).toContain('Tests:       4 passed, 4 total');
});

describe('OFFHEAP_BINARY', () => {
  it('is the only file that is tried', async () => {
    const named = join(work, 'not-there.node');
    const error = (await run(entry, { OFFHEAP_BINARY: named })) as { code: string; message: string };
    expect(error.code).toBe('ERR_OFFHEAP_NATIVE');
    expect(error.message).toContain(`Tried:\n  ${named}: no such file`);
    expect(error.message).not.toContain('prebuilds/linux');
  });

  it('is refused if it is another library', async () => {
    const named = join(work, 'other.node');
    writeFileSync(named, 'not a library');
    const error = (await run(entry, { OFFHEAP_BINARY: named })) as { code: string; message: string };
    expect(error.code).toBe('ERR_OFFHEAP_NATIVE');
    expect(error.message).toContain(`${named}: `);
  });
});
