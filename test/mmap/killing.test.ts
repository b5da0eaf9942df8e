/**
 * Processes that are killed while they append leave every element that a flush guaranteed: see
 * helpers/killing.mjs.
 */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { kill } from '../helpers/killing.mjs';

it('200 killed writers leave complete states', { timeout: 600_000 }, async () => {
  const dist = join(packageRoot(), 'dist');
  const tallies = await Promise.all([1000, 2000].map((seed) => kill(dist, 100, seed)));
  for (const { flushes, between } of tallies) {
    // The loop covered the interesting cases, however busy the machine was.
    expect(flushes).toBeGreaterThan(0);
    expect(between).toBeGreaterThan(0);
  }
});
