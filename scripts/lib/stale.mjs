/**
 * Decides whether an output is out of date: a stamp records the names, sizes and times of all its
 * inputs. Times are compared instead of contents, because reading a few hundred files on every `npm
 * test` would cost more than an occasional needless build, which cargo, Ninja and tsc cut short.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './run.mjs';

const SKIP = new Set(['node_modules', 'target', 'site', 'results']);

/** Every file under these paths, sorted. @param {string[]} paths @returns {string[]} */
export function filesUnder(paths) {
  /** @type {string[]} */
  const found = [];
  const visit = (/** @type {string} */ path) => {
    const full = join(root, path);
    if (!existsSync(full)) return;
    if (statSync(full).isFile()) {
      found.push(path);
      return;
    }
    for (const entry of readdirSync(full, { withFileTypes: true })) {
      if (SKIP.has(entry.name)) continue;
      if (entry.isDirectory()) visit(`${path}/${entry.name}`);
      else if (entry.isFile()) found.push(`${path}/${entry.name}`);
    }
  };
  paths.forEach(visit);
  return found.sort();
}

/** @param {string[]} paths */
function fingerprint(paths) {
  const hash = createHash('sha256').update(process.platform + process.arch);
  for (const path of filesUnder(paths)) {
    const { size, mtimeMs } = statSync(join(root, path));
    hash.update(`${path}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/**
 * Runs `make` if an input has changed since it last succeeded, or an output is missing. The
 *   fingerprint is
 * taken first, so that a file that is edited during the build is built next time.
 *
 * @param {{ name: string, inputs: string[], outputs: string[], make: () => Promise<void> }} step
 */
export async function ifStale({ name, inputs, outputs, make }) {
  const stamp = join(root, 'build', 'stamps', name);
  const now = fingerprint(inputs);
  const fresh =
    outputs.every((output) => existsSync(join(root, output))) &&
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === now;
  if (fresh) return;
  await make();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, now);
}

/**
 * Whether node_modules contains exactly the packages of the lock file, according to npm's record of
 * the installation. Optional packages for other platforms may be absent.
 *
 * @param {string} folder
 */
export function packagesAreCurrent(folder) {
  const read = (/** @type {string} */ name) =>
    JSON.parse(readFileSync(join(root, folder, name), 'utf8')).packages;
  try {
    const wanted = read('package-lock.json');
    const installed = read('node_modules/.package-lock.json');
    return Object.entries(wanted).every(([path, { version, optional, peer }]) => {
      if (path === '') return true;
      const have = installed[path];
      return have === undefined ? optional === true || peer === true : have.version === version;
    });
  } catch {
    return false; // One of the two files is missing.
  }
}
