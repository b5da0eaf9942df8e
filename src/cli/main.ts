#!/usr/bin/env node
/**
 * The command line: `offheap doctor`, `offheap inspect <file>`, `offheap top <file>`,
 * `offheap demo`.
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
  top <file>       show a SharedMap's figures live: hit rate, memory, evictions,
                   participants, hottest keys; q ends it
  demo             build, query, save and reopen lookup tables over real data

Options:
  --json           print doctor, inspect or top as JSON
  --interval <ms>  milliseconds between the frames of top (1000)
  --count <n>      end top after n frames
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

async function live(
  file: string | undefined,
  json: boolean,
  interval: string | undefined,
  count: string | undefined,
): Promise<number> {
  if (file === undefined) throw new UsageError('top needs a file');
  const { top } = await import('./top.js');
  return top(file, {
    interval: integer('interval', interval, 1000, 1),
    count: integer('count', count, Infinity, 1),
    json,
  });
}

function integer(name: string, text: string | undefined, fallback: number, least: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > 2 ** 31 - 1) {
    throw new UsageError(`--${name} must be an integer from ${least} to 2147483647, not ${text}`);
  }
  return value;
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
        interval: { type: 'string' },
        count: { type: 'string' },
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
  if (rest.length > 0 || (file !== undefined && command !== 'inspect' && command !== 'top')) {
    throw new UsageError(`unexpected argument: ${rest[0] ?? file}`);
  }
  if (command !== 'top' && (values.interval !== undefined || values.count !== undefined)) {
    throw new UsageError('--interval and --count are options of top');
  }
  switch (command) {
    case 'doctor': {
      const report = doctor();
      stdout.write(values.json === true ? plainJson(report) : doctorText(report));
      return report.native.loaded ? 0 : 1;
    }
    case 'inspect':
      return inspect(file, values.json === true);
    case 'top':
      return live(file, values.json === true, values.interval, values.count);
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
