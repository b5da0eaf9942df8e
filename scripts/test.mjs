/**
 * `npm test`: runs all checks, one after another, and prints a table and `N passed, N failed`.
 *
 *   npm test                            everything
 *   npm test -- --only vitest,ctest     these suites
 *   npm test -- --only vitest hashmap   further words are filters for vitest
 *   npm test -- --matrix                and vitest on Node 22 and 24
 *   npm test -- --list                  the names of the suites
 *
 * The output of a suite is printed if it fails, and written to build/test/<suite>.log.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Complaint, fail, root, seconds } from './lib/run.mjs';
import { setup } from './setup.mjs';
import { matrix, suites as base } from './lib/suites.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, matrix: { type: 'boolean' }, list: { type: 'boolean' } },
});

function chosen() {
  const all = [...base, ...(values.matrix === true ? matrix(['22', '24']) : [])];
  if (values.only === undefined) return all;
  const names = values.only.split(',');
  const unknown = names.filter((name) => !all.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    throw new Complaint(
      `unknown suite: ${unknown.join(', ')}. The suites are ${all.map(({ name }) => name).join(', ')}.`,
    );
  }
  return all.filter(({ name }) => names.includes(name));
}

async function main() {
  const suites = chosen();
  if (values.list === true) {
    for (const { name } of suites) console.log(name);
    return 0;
  }
  await setup();
  const logs = join(root, 'build', 'test');
  mkdirSync(logs, { recursive: true });
  const width = Math.max(...suites.map(({ name }) => name.length));
  console.log('\nsuite'.padEnd(width + 3), '  passed', 'failed', '    time');
  let passed = 0;
  let failed = 0;
  for (const suite of suites) {
    const started = performance.now();
    process.stdout.write(suite.name.padEnd(width + 2));
    const outcome = await suite.run(positionals).catch((/** @type {unknown} */ error) => ({
      passed: 0,
      failed: 1,
      output: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }));
    // A suite that ran no test has proved nothing.
    if (outcome.passed + outcome.failed === 0) {
      outcome.failed = 1;
      outcome.output += '\nno test ran\n';
    }
    passed += outcome.passed;
    failed += outcome.failed;
    const counts = `${String(outcome.passed).padStart(8)} ${String(outcome.failed).padStart(6)}`;
    console.log(`${counts} ${seconds(started).padStart(9)}`);
    const log = join(logs, `${suite.name.replaceAll(' ', '-')}.log`);
    writeFileSync(log, outcome.output);
    if (outcome.failed > 0)
      console.log(`\n${outcome.output.trimEnd()}\n\n(${suite.name} failed; the output is in ${log})\n`);
  }
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

process.exitCode = await main().catch(fail);
