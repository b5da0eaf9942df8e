/** The tools that a build needs, their versions, and how to get missing ones. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Complaint, root, run } from './run.mjs';

/** @param {string} version @param {string} wanted */
export function atLeast(version, wanted) {
  const [have, want] = [version, wanted].map((text) => text.split('.').map(Number));
  for (let i = 0; i < want.length; i++) {
    if ((have[i] ?? 0) !== want[i]) return (have[i] ?? 0) > want[i];
  }
  return true;
}

export function checkNode() {
  const wanted = '20.19';
  if (!atLeast(process.versions.node, wanted)) {
    throw new Complaint(
      `Node ${wanted} or newer is required; this is ${process.versions.node}. Get it from nodejs.org or your version manager.`,
    );
  }
}

function rustVersion() {
  const manifest = readFileSync(join(root, 'native', 'Cargo.toml'), 'utf8');
  return /^rust-version = "([\d.]+)"/m.exec(manifest)?.[1] ?? '1.85';
}

/** The first of these commands that can be run, with its version. @param {string[]} commands */
async function find(...commands) {
  for (const command of commands) {
    const { code, output } = await run(command, ['--version']);
    if (code === 0) return { command, version: /\d+\.\d+(\.\d+)?/.exec(output)?.[0] ?? '0' };
  }
  return undefined;
}

/** Throws one line that lists all missing tools, and how to get them. */
export async function checkBuildTools() {
  const debian = process.platform === 'linux';
  const cxx = process.env.CXX !== undefined ? [process.env.CXX] : ['c++', 'g++', 'clang++'];
  const wanted = [
    {
      name: 'Rust (cargo)',
      found: await find('cargo'),
      least: rustVersion(),
      get: 'rustup.rs, then `rustup update stable`',
    },
    {
      name: 'CMake',
      found: await find('cmake'),
      least: '3.22',
      get: debian ? '`apt-get install cmake` or cmake.org' : 'cmake.org',
    },
    {
      name: 'a C++ compiler',
      found: process.platform === 'win32' ? { command: 'cl', version: '99' } : await find(...cxx),
      least: '9',
      get: debian ? '`apt-get install g++`' : '`xcode-select --install`',
    },
    {
      name: 'make or Ninja',
      found:
        process.platform === 'win32' ? { command: 'msbuild', version: '99' } : await find('ninja', 'make'),
      least: '1',
      get: debian ? '`apt-get install make`' : '`xcode-select --install`',
    },
  ];
  const problems = wanted
    .filter(({ found, least }) => found === undefined || !atLeast(found.version, least))
    .map(({ name, found, least, get }) => {
      const what = found === undefined ? 'is missing' : `${found.version} is too old (${least} or newer)`;
      return `${name} ${what}: ${get}`;
    });
  if (problems.length > 0) throw new Complaint(`cannot build. ${problems.join('; ')}.`);
}

/**
 * The name of a binary for this machine, such as `linux-x64-musl`, by the C library that Node was
 * linked with.
 */
export function target() {
  const plain = `${process.platform}-${process.arch}`;
  if (process.platform !== 'linux') return plain;
  const header = /** @type {any} */ (process.report.getReport()).header;
  return header.glibcVersionRuntime === undefined ? `${plain}-musl` : plain;
}
