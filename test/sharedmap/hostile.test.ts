/** A region whose words anyone may overwrite: nothing crashes, hangs, or reads elsewhere. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';

const run = promisify(execFile);
const script = join(import.meta.dirname, 'hostile.mjs');

describe('a map of which words are overwritten', () => {
  it.each([
    ['u32', 'f64', 1],
    ['string', 'string', 2],
    ['string', 'mixed', 3],
    ['u32', 'structured', 4],
  ])('of %s and %s reports errors of this library only', async (key, value, seed) => {
    const dist = join(packageRoot(), 'dist');
    const { stdout } = await run(process.execPath, [script, dist, key, value, `${seed}`, '25'], {
      timeout: 50_000,
    });
    const { run: calls, refused } = JSON.parse(stdout) as { run: number; refused: number };
    expect(calls).toBeGreaterThan(20_000);
    expect(refused).toBeGreaterThan(50);
  });
});
