/** A temporary folder for the files of one test file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/**
 * Creates the folder, removes it after the tests, and returns a function that makes fresh paths.
 */
export function temporaryFolder(): { folder: string; fresh: () => string } {
  const folder = mkdtempSync(join(tmpdir(), 'offheap-kit-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let files = 0;
  return { folder, fresh: () => join(folder, `${files++}.bin`) };
}
