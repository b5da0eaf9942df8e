/**
 * Formats all languages, or (without --write) lists the files that are not formatted: prettier for
 * TypeScript, JavaScript, JSON and Markdown; rustfmt for Rust; clang-format for C and C++, as
 * WebAssembly from npm, so that everyone has the same version without installing it.
 *
 *   node scripts/format.mjs [--write] [--only prettier|rustfmt|clang-format]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fail, root, run, runNode } from './lib/run.mjs';
import { filesUnder } from './lib/stale.mjs';

const { values } = parseArgs({ options: { write: { type: 'boolean' }, only: { type: 'string' } } });
const write = values.write === true;

async function clangFormat() {
  const { format } = await import('@wasm-fmt/clang-format');
  const style = readFileSync(join(root, '.clang-format'), 'utf8');
  const generated = 'native/capi/include/offheap.h';
  const files = filesUnder(['native']).filter((path) => /\.(h|hpp|c|cc)$/.test(path) && path !== generated);
  let wrong = 0;
  for (const path of files) {
    const source = readFileSync(join(root, path), 'utf8');
    const formatted = format(source, path, style);
    if (formatted === source) continue;
    if (write) {
      writeFileSync(join(root, path), formatted);
      continue;
    }
    wrong++;
    const have = source.split('\n');
    const line = formatted.split('\n').findIndex((text, i) => text !== have[i]);
    console.log(`${path}:${line + 1}: not formatted`);
  }
  return { code: wrong > 0 ? 1 : 0, output: '' };
}

const formatters = {
  prettier: () =>
    runNode('node_modules/prettier/bin/prettier.cjs', [
      write ? '--write' : '--check',
      '--log-level=warn',
      '.',
    ]),
  rustfmt: () =>
    run('cargo', [
      'fmt',
      '--all',
      '--manifest-path',
      'native/Cargo.toml',
      '--',
      ...(write ? [] : ['--check']),
    ]),
  'clang-format': clangFormat,
};

let failed = false;
for (const [name, formatter] of Object.entries(formatters)) {
  if (values.only !== undefined && values.only !== name) continue;
  const { code, output } = await formatter().catch(fail);
  if (code !== 0) {
    process.stdout.write(output);
    console.log(`${name}: run \`npm run format\``);
    failed = true;
  }
}
process.exit(failed ? 1 : 0);
