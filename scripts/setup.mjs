/**
 * Prepares a clone: installs packages, builds the addon, compiles TypeScript. Every command of
 * package.json begins with it. It takes a fraction of a second if nothing has changed.
 *
 *   node scripts/setup.mjs [--for demo|bench|docs]
 */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Complaint, fail, root, run, runNode, seconds } from './lib/run.mjs';
import { checkBuildTools, checkNode, target } from './lib/tools.mjs';
import { ifStale, packagesAreCurrent } from './lib/stale.mjs';

const ADDON = 'build/Release/offheap.node';
/** Everything that the addon is made from. Tests and benchmarks are not. */
const NATIVE_INPUTS = [
  'CMakeLists.txt',
  'native/Cargo.toml',
  'native/Cargo.lock',
  'native/core/Cargo.toml',
  'native/core/src',
  'native/capi/Cargo.toml',
  'native/capi/src',
  'native/capi/include',
  'native/binding',
  'node_modules/node-addon-api/package.json',
];
const TYPESCRIPT_INPUTS = [
  'src',
  'tsconfig.json',
  'tsconfig.base.json',
  'node_modules/typescript/package.json',
];

/** @param {string} what @param {() => Promise<{ code: number, output: string }>} work */
async function step(what, work) {
  const started = performance.now();
  console.log(`\n> ${what}`);
  const { code, output } = await work();
  if (code !== 0) {
    process.stderr.write(output);
    throw new Complaint(`${what}: failed with exit code ${code}; the output above has the reason.`);
  }
  console.log(`> ${what}: done in ${seconds(started)}`);
}

/** `npm ci` where node_modules is not what the lock says. @param {string} folder */
async function installPackages(folder) {
  if (packagesAreCurrent(folder)) return;
  const where = folder === '.' ? '' : ` of ${folder}/`;
  await step(`Installing the packages${where} (npm ci)`, () =>
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: join(root, folder),
      show: true,
    }),
  );
}

async function buildNative() {
  await ifStale({
    name: 'native',
    inputs: NATIVE_INPUTS,
    outputs: [ADDON],
    make: async () => {
      await checkBuildTools();
      await step('Building the native addon (Rust, then C++)', () =>
        runNode('node_modules/cmake-js/bin/cmake-js', ['build', '--log-level', 'warn'], { show: true }),
      );
    },
  });
  removeOldPrebuild();
}

/**
 * Removes the binary of an earlier `npm pack`: the loader prefers it, so it would hide this build.
 */
function removeOldPrebuild() {
  const prebuild = join(root, 'prebuilds', target(), 'offheap.node');
  if (existsSync(prebuild) && statSync(prebuild).mtimeMs < statSync(join(root, ADDON)).mtimeMs)
    rmSync(prebuild);
}

/** Files in dist whose source is gone would be published. */
function removeOrphans(folder = 'dist') {
  for (const name of readdirSync(join(root, folder))) {
    const path = `${folder}/${name}`;
    if (statSync(join(root, path)).isDirectory()) {
      removeOrphans(path);
    } else {
      const source = path.replace(/^dist/, 'src').replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
      if (!existsSync(join(root, source))) rmSync(join(root, path));
    }
  }
}

async function compileTypeScript() {
  await ifStale({
    name: 'typescript',
    inputs: TYPESCRIPT_INPUTS,
    outputs: ['dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js'],
    make: async () => {
      await step('Compiling TypeScript', () =>
        runNode('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.json'], { show: true }),
      );
      removeOrphans();
    },
  });
}

/**
 * @param {{ purpose?: string }} [options] `bench` also installs the peers; a peer that cannot be
 * built here is left out of the comparison, with a message.
 */
export async function setup({ purpose } = {}) {
  checkNode();
  // On a fresh clone, report missing tools before the installation, which takes minutes.
  if (!existsSync(join(root, ADDON))) await checkBuildTools();
  await installPackages('.');
  await buildNative();
  await compileTypeScript();
  if (purpose === 'bench' && existsSync(join(root, 'bench', 'package-lock.json'))) {
    try {
      await installPackages('bench');
    } catch (error) {
      if (!(error instanceof Complaint)) throw error;
      console.warn('> Some peers could not be installed; the benchmark leaves them out.');
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { for: { type: 'string' } } });
  await setup({ purpose: values.for }).catch(fail);
}
