/**
 * Tests run on the sources, except those in test/package, which check the published package.
 */
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Tests start workers; with a process for each file, the exits of these do not interfere.
    pool: 'forks',
    // At least two files at the same time, because many of them wait for threads or disks. The
    // default on two cores is one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
    hookTimeout: 120_000,
    typecheck: {
      // `vitest --typecheck` runs only test/types, as a suite of its own in scripts/test.mjs.
      tsconfig: './tsconfig.test.json',
      include: ['test/types/**/*.test-d.ts'],
    },
  },
});
