/**
 * Tests run on the sources, except those under test/package, which look at what would be published.
 */
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Workers of ours start inside tests; a process for each file keeps their exits apart.
    pool: 'forks',
    // Two files at a time on two cores, too, where the default is one: many of them wait for
    // threads or disks.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
    hookTimeout: 120_000,
    typecheck: {
      // `vitest --typecheck` runs test/types only; scripts/test.mjs asks for it as its own suite.
      tsconfig: './tsconfig.test.json',
      include: ['test/types/**/*.test-d.ts'],
    },
  },
});
