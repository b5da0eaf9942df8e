/** Other releases of Node: npm packages with the binary, installed in .cache/. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './run.mjs';

/**
 * @param {string} major `'22'`
 * @returns {Promise<{ path: string | undefined, output: string }>} no path if it
 *   cannot be installed
 */
export async function nodeBinary(major) {
  if (process.versions.node.startsWith(`${major}.`)) return { path: process.execPath, output: '' };
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = join(root, '.cache', `node${major}`);
  const binary = join(
    folder,
    'node_modules',
    name,
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    const { code, output } = await run('npm', [
      'install',
      '--prefix',
      folder,
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      `${name}@${major}`,
    ]);
    if (code !== 0 || !existsSync(binary)) return { path: undefined, output };
  }
  return { path: binary, output: '' };
}
