/**
 * Runs programs, for the scripts in the parent folder. It uses only built-ins of Node, because the
 * scripts run before anything is installed.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A problem that is reported in one line, without a stack. */
export class Complaint extends Error {}

// A shell that was started before rustup ran does not have cargo on its PATH.
const cargoBin = join(homedir(), '.cargo', 'bin');
if (existsSync(cargoBin) && !process.env.PATH?.split(delimiter).includes(cargoBin)) {
  process.env.PATH = `${process.env.PATH}${delimiter}${cargoBin}`;
}

/**
 * Runs a program to its end. With `show` its output is printed; otherwise it is collected.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined>, show?: boolean }} [options]
 * @returns {Promise<{ code: number, output: string, missing: boolean }>}
 */
export function run(command, args, { cwd = root, env = {}, show = false } = {}) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
      shell: process.platform === 'win32',
    });
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => {
      const missing = /** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT';
      resolve({ code: 127, output: `${output}${error.message}\n`, missing });
    });
    child.on('close', (code, signal) => {
      if (signal !== null) output += `\nended by ${signal}\n`;
      resolve({ code: code ?? 1, output, missing: false });
    });
  });
}

/** Runs a program of node_modules with this Node. @param {string} path @param {string[]} args */
export function runNode(path, args, options = {}) {
  const { node = process.execPath, ...rest } = /** @type {{ node?: string }} */ (options);
  return run(node, [join(root, path), ...args], rest);
}

/** Ends the script. A {@link Complaint} is printed in one line, any other error with its stack. */
export function fail(/** @type {unknown} */ error) {
  if (error instanceof Complaint) console.error(`\noffheap: ${error.message}`);
  else console.error(error);
  process.exit(1);
}

/** @param {number} since from `performance.now()` */
export function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
