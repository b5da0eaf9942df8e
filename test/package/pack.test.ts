/**
 * The package as npm would publish it: packed once, checked by publint and attw, then installed
 * into an empty folder without scripts, network or compilers, and used from there.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';

const execute = promisify(execFile);
const root = packageRoot();
const work = mkdtempSync(join(tmpdir(), 'offheap-pack-'));
const require = createRequire(import.meta.url);

/** Runs npm. */
const npm = (
  args: string[],
  cwd: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ stdout: string }> => execute('npm', args, { cwd, env, maxBuffer: 1 << 26 });

/** A PATH with Node and no compilers. */
function barePath(): string {
  const folder = join(work, 'bin');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'node'), `#!/bin/sh\nexec "${process.execPath}" "$@"\n`, { mode: 0o755 });
  return folder;
}

interface Packed {
  filename: string;
  files: { path: string; size: number }[];
}
let packed: Packed;
let tarball: string;

beforeAll(async () => {
  const { stdout } = await npm(['pack', '--json', '--pack-destination', work], root);
  // The output of prepack precedes npm's JSON.
  const parsed: unknown = JSON.parse(stdout.slice(stdout.search(/^[[{]/m)));
  packed = (Array.isArray(parsed) ? parsed[0] : Object.values(parsed as object)[0]) as Packed;
  tarball = join(work, packed.filename);
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe('the packed files', () => {
  it('contain all that a user needs, and nothing else', () => {
    const paths = packed.files.map(({ path }) => path);
    const target = `${process.platform}-${process.arch}`;
    for (const wanted of [
      'package.json',
      'README.md',
      'CHANGELOG.md',
      'LICENSE-MIT',
      'LICENSE-APACHE',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cli/main.js',
      'native/capi/include/offheap.h',
      'native/capi/include/offheap.hpp',
      'native/capi/include/offheap/hashmap.hpp',
    ]) {
      expect(paths).toContain(wanted);
    }
    expect(paths.filter((path) => path.startsWith(`prebuilds/${target}`))).toHaveLength(1);
    const stray = paths.filter(
      (path) =>
        /\.gyp|\.rs$|\.cc$|\.tsbuildinfo$|(^|\/)(test|scripts|bench|node_modules|build)\//.test(path) ||
        (path.startsWith('native/') && !path.startsWith('native/capi/include/')),
    );
    expect(stray).toEqual([]);
  });

  it('have less than 8 MB, of which 3 MB are the addon', () => {
    expect(packed.files.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(8e6);
  });

  it('include a script in dist only if it has a source', () => {
    for (const { path } of packed.files) {
      const script = /^dist\/(.*)\.js$/.exec(path)?.[1];
      if (script !== undefined) expect(existsSync(join(root, 'src', `${script}.ts`)), path).toBe(true);
    }
  });
});

describe('the manifest', () => {
  const manifest = require(join(root, 'package.json')) as Record<string, Record<string, unknown> | undefined>;

  it('has no install script, no dependencies, and no binding.gyp, which would make npm run node-gyp', () => {
    expect(Object.keys(manifest.scripts ?? {}).filter((name) => /install|prepare$/.test(name))).toEqual([]);
    expect(manifest.dependencies ?? {}).toEqual({});
    expect(existsSync(join(root, 'binding.gyp'))).toBe(false);
  });

  it('exports every module folder of src, and only those', () => {
    const internal = ['cli', 'elements', 'native', 'region'];
    const modules = readdirSync(join(root, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !internal.includes(entry.name))
      .map(({ name }) => `./${name}`);
    const exported = Object.keys(manifest.exports ?? {}).filter(
      (name) => !['.', './package.json'].includes(name),
    );
    expect(exported.sort()).toEqual(modules.sort());
  });

  it('satisfies publint', async () => {
    const { publint } = await import('publint');
    const { messages } = await publint({ pkgDir: root, strict: true });
    expect(messages).toEqual([]);
  });

  it('satisfies arethetypeswrong', async () => {
    const cli = join(dirname(require.resolve('@arethetypeswrong/cli/package.json')), 'dist', 'index.js');
    const args = [cli, tarball, '--profile', 'esm-only', '--no-color', '--no-emoji'];
    // The exit code is the result; the text has the reasons.
    const { code = 0, stdout } = (await execute(process.execPath, args, { maxBuffer: 1 << 26 }).catch(
      (error: unknown) => error as { code: number; stdout: string },
    )) as { code?: number; stdout: string };
    expect(code, stdout).toBe(0);
    expect(stdout).toContain('offheap v');
  });
});

describe('installed without scripts, network and compilers', () => {
  const folder = join(work, 'app');
  const env = { HOME: work, PATH: barePath() };

  beforeAll(async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), '{"name":"app","private":true,"type":"module"}');
    await npm(['install', '--ignore-scripts', '--offline', '--no-audit', '--no-fund', tarball], folder);
  });

  const script = async (source: string): Promise<unknown> => {
    writeFileSync(join(folder, 'main.mjs'), source);
    const { stdout } = await execute(process.execPath, ['main.mjs'], { cwd: folder, env });
    return JSON.parse(stdout);
  };

  it('has no compiler', async () => {
    await expect(execute('/bin/sh', ['-c', 'command -v cc c++ cargo cmake'], { env })).rejects.toThrow();
  });

  it('runs native code from the shipped binary', async () => {
    const report = (await script(
      `import { doctor } from 'offheap'; console.log(JSON.stringify(doctor().native));`,
    )) as { loaded: boolean; source: string; sharedMemory: boolean; path: string };
    expect(report).toMatchObject({ loaded: true, source: 'prebuild', sharedMemory: true });
    expect(report.path).toContain(join('app', 'node_modules', 'offheap', 'prebuilds'));
  });

  it('has the command', async () => {
    const command = join(folder, 'node_modules', '.bin', 'offheap');
    const { stdout } = await execute(command, ['doctor', '--json'], { env });
    expect(JSON.parse(stdout)).toMatchObject({ native: { source: 'prebuild' } });
    await expect(execute(command, ['frobnicate'], { env })).rejects.toMatchObject({ code: 2 });
  });

  it('throws one clear error if no binary fits', async () => {
    rmSync(join(folder, 'node_modules', 'offheap', 'prebuilds'), { recursive: true });
    const error = await script(`
      import { cpu, doctor, OffheapError } from 'offheap';
      const errors = [0, 1].map(() => { try { cpu(); } catch (error) { return error; } });
      console.log(JSON.stringify({
        code: errors[0].code, message: errors[0].message, ours: errors[0] instanceof OffheapError,
        same: errors[0] === errors[1], doctor: doctor().native.loaded, fallbacks: doctor().fallbacks,
      }));`);
    expect(error).toMatchObject({ code: 'ERR_OFFHEAP_NATIVE', ours: true, same: true, doctor: false });
    expect((error as { message: string }).message).toMatch(/no native binary.*npm run build.*prebuilds/s);
    expect((error as { fallbacks: string[] }).fallbacks[0]).toContain('no native code');
  });
});
