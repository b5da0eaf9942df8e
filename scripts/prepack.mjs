/**
 * `npm pack` and `npm publish` run this. It copies the addon to its place in the package,
 * prebuilds/<platform>-<arch>[-musl]/offheap.node, without debug information. A release runs it
 * once on each platform, and is published from a folder with all of the results.
 */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Complaint, fail, root, run } from './lib/run.mjs';
import { target } from './lib/tools.mjs';
import { setup } from './setup.mjs';

async function prepack() {
  await setup();
  const folder = join(root, 'prebuilds', target());
  const addon = join(folder, 'offheap.node');
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(root, 'build', 'Release', 'offheap.node'), addon);
  if (process.platform !== 'win32') {
    const args = process.platform === 'darwin' ? ['-x', addon] : ['--strip-unneeded', addon];
    const { code, output } = await run('strip', args);
    if (code !== 0) throw new Complaint(`strip failed: ${output}`);
  }
  if (!existsSync(join(root, 'dist', 'index.js'))) throw new Complaint('dist/index.js is missing');
}

await prepack().catch(fail);
