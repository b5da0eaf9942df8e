/**
 * `npm pack` and `npm publish` run this: puts the addon where the package ships it,
 * prebuilds/<platform>-<arch>[-musl]/offheap.node, without debug information. A release machine
 * runs it once for each platform and publishes from a folder that holds all of them.
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
  if (!existsSync(join(root, 'dist', 'index.js'))) throw new Complaint('dist is empty');
}

await prepack().catch(fail);
