/**
 * The suites of `npm test`. A suite runs one tool and counts its tests. {@link Outcome.failed} is
 * never 0 for a tool that crashed, and a suite without any test has failed.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, runNode } from './run.mjs';
import { nodeBinary } from './nodes.mjs';

/** @typedef {{ passed: number, failed: number, output: string }} Outcome */
/** @typedef {{ name: string, run: (extra: string[]) => Promise<Outcome> }} Suite */

const manifest = ['--manifest-path', join(root, 'native', 'Cargo.toml')];
const locked = '--locked';

/**
 * A tool that passes or fails as a whole.
 * @param {Promise<{ code: number, output: string }>} running
 */
async function check(running) {
  const { code, output } = await running;
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, output };
}

/** @param {string} output @param {RegExp} pattern with one group */
function total(output, pattern) {
  return [...output.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0);
}

/**
 * Adds up the counts in a tool's output. An exit code that contradicts them is a failure too.
 * @param {{ code: number, output: string }} result @param {RegExp} passed @param {RegExp} failed */
export function counted({ code, output }, passed, failed) {
  const good = total(output, passed);
  const bad = total(output, failed);
  return { passed: good, failed: bad === 0 && (code !== 0 || good === 0) ? 1 : bad, output };
}

/**
 * @param {string} name
 * @param {string[]} args
 * @param {string} [node]
 * @returns {Promise<Outcome>}
 */
async function vitest(name, args, node) {
  const folder = join(root, 'build', 'test');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name.replaceAll(' ', '-')}.json`);
  rmSync(file, { force: true });
  const { code, output } = await runNode(
    'node_modules/vitest/vitest.mjs',
    ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...args],
    { node, env: { NO_COLOR: '1', FORCE_COLOR: undefined } },
  );
  if (!existsSync(file)) return { passed: 0, failed: 1, output };
  const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(readFileSync(file, 'utf8'));
  // A file that cannot be loaded has no tests that could fail.
  const failed = Math.max(numFailedTests, Math.min(numFailedTestSuites, 1));
  return { passed: numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed, output };
}

async function cTests() {
  const folder = join(root, 'build', 'capi');
  let result = await run('cmake', [
    '-S',
    root,
    '-B',
    folder,
    '-DOFFHEAP_TESTS=ON',
    '-DCMAKE_BUILD_TYPE=Release',
  ]);
  if (result.code === 0) result = await run('cmake', ['--build', folder, '--parallel', '2']);
  if (result.code === 0) {
    result = await run('ctest', ['--test-dir', folder, '--output-on-failure', '--timeout', '300']);
  }
  const [, failed, all] = /(\d+) tests failed out of (\d+)/.exec(result.output) ?? [];
  // Without this line, the build failed, or ctest found no tests.
  if (all === undefined) return { passed: 0, failed: 1, output: result.output };
  return { passed: Number(all) - Number(failed), failed: Number(failed), output: result.output };
}

const NOT_PACKAGE = ['--exclude', 'test/package/**'];

/** @type {Suite[]} */
export const suites = [
  {
    name: 'prettier',
    run: () => check(runNode('scripts/format.mjs', ['--only', 'prettier'])),
  },
  {
    name: 'rustfmt',
    run: () => check(runNode('scripts/format.mjs', ['--only', 'rustfmt'])),
  },
  {
    name: 'clang-format',
    run: () => check(runNode('scripts/format.mjs', ['--only', 'clang-format'])),
  },
  {
    name: 'prose',
    run: () => check(runNode('scripts/prose.mjs', [])),
  },
  {
    name: 'eslint',
    run: () => check(runNode('node_modules/eslint/bin/eslint.js', ['.', '--max-warnings=0'])),
  },
  {
    name: 'tsc',
    run: () => check(runNode('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.test.json', '--noEmit'])),
  },
  {
    name: 'docs',
    // Builds the API site without writing it. A broken link is an error.
    run: () => check(runNode('node_modules/typedoc/bin/typedoc', ['--emit', 'none'])),
  },
  {
    name: 'clippy',
    // With the benchmarks, which nothing else in `npm test` compiles.
    run: () =>
      check(
        run('cargo', ['clippy', ...manifest, locked, '--workspace', '--all-targets', '--', '-D', 'warnings']),
      ),
  },
  {
    name: 'cargo test',
    run: async () =>
      counted(
        await run('cargo', ['test', ...manifest, locked, '--no-fail-fast']),
        /^test result: .*?(\d+) passed/gm,
        /^test result: .*?(\d+) failed/gm,
      ),
  },
  { name: 'ctest', run: cTests },
  { name: 'vitest', run: (extra) => vitest('vitest', [...NOT_PACKAGE, ...extra]) },
  { name: 'types', run: () => vitest('types', ['--typecheck.only']) },
  { name: 'package', run: (extra) => vitest('package', ['test/package', '--maxWorkers=1', ...extra]) },
];

/** The same tests on other releases of Node. @param {string[]} majors @returns {Suite[]} */
export function matrix(majors) {
  return majors.map((major) => ({
    name: `vitest on Node ${major}`,
    run: async (extra) => {
      const found = await nodeBinary(major);
      if (found.path === undefined) return { passed: 0, failed: 1, output: found.output };
      return vitest(`node ${major}`, [...NOT_PACKAGE, ...extra], found.path);
    },
  }));
}
