#!/usr/bin/env node
/**
 * The command line: `offheap doctor`, `offheap inspect <file>`, `offheap demo`.
 *
 * Exit codes: 0 for success, 1 if the command failed (a corrupt file, no native code), 2 for wrong
 * arguments. Results go to stdout and errors to stderr; `--json` prints plain data for other
 * programs.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process, { argv, execPath, stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { doctor } from '../doctor.js';
import { messageOf, OffheapError } from '../errors.js';
import { packageRoot } from '../native.js';
import { version } from '../version.js';
import { doctorText, objectText, plainJson } from './text.js';

const HELP = `offheap ${version}: data structures outside the JavaScript heap

Usage: offheap <command> [options]

  doctor           report on this machine: CPU, NUMA, huge pages, how the addon
                   was loaded, and fallbacks
  inspect <file>   print header, sizes, checksums and statistics of a saved structure
  demo             build, query, save and reopen lookup tables over real data

Options:
  --json           print doctor or inspect as JSON
  -h, --help       print this text
  -v, --version    print the version
`;

/** Wrong arguments: reported in one line, with a pointer to the help. */
class UsageError extends Error {}

async function inspect(file: string | undefined, json: boolean): Promise<number> {
  if (file === undefined) throw new UsageError('inspect needs a file');
  // Imported here, so that the other commands do not load it.
  const { inspectFile } = await import('./inspect.js');
  const found = await inspectFile(file);
  stdout.write(json ? plainJson(found) : objectText(found));
  return 0;
}

function demo(): number {
  const script = join(packageRoot(), 'examples', 'demo', 'main.mjs');
  if (!existsSync(script)) throw new Error(`the demo is missing from this installation: ${script}`);
  const { status, error } = spawnSync(execPath, [script], { stdio: 'inherit' });
  if (error !== undefined) throw error;
  return status ?? 1;
}

async function run(args: string[]): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
        json: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
  const { values, positionals } = parsed;
  const [command, file, ...rest] = positionals;
  if (values.version === true) {
    stdout.write(`${version}\n`);
    return 0;
  }
  if (values.help === true || command === 'help') {
    stdout.write(HELP);
    return 0;
  }
  if (rest.length > 0 || (file !== undefined && command !== 'inspect')) {
    throw new UsageError(`unexpected argument: ${rest[0] ?? file}`);
  }
  switch (command) {
    case 'doctor': {
      const report = doctor();
      stdout.write(values.json === true ? plainJson(report) : doctorText(report));
      return report.native.loaded ? 0 : 1;
    }
    case 'inspect':
      return inspect(file, values.json === true);
    case 'demo':
      return demo();
    case undefined:
      throw new UsageError('no command given');
    default:
      throw new UsageError(`unknown command: ${command}`);
  }
}

// exitCode instead of exit(), because output to a pipe has to be flushed first.
try {
  process.exitCode = await run(argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) {
    stderr.write(`offheap: ${error.message}\nTry: offheap --help\n`);
    process.exitCode = 2;
  } else {
    const message = messageOf(error);
    const code = error instanceof OffheapError ? ` (${error.code})` : '';
    stderr.write(`offheap: ${message}${code}\n`);
    process.exitCode = 1;
  }
}
