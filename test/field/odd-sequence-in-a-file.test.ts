/**
 * A mapped file whose sequence word becomes odd claims that a rearrangement is under way. Bulk
 * calls used to wait half a minute for its end, although a file has no writer.
 */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import * as offheap from '../../src/index.js';
import { throws } from '../helpers/errors.js';
import type { Description } from '../kit/description.js';
import { describeAll } from '../kit/structures/index.mjs';

const folder = mkdtempSync(join(tmpdir(), 'offheap-odd-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
/** The first byte of the sequence (docs/formats/region.md). */
const SEQUENCE = 24;

describe('a file whose sequence becomes odd after it was opened', () => {
  it.each(Object.entries<Description>(describeAll(offheap)))(
    'is rejected at once by validate() of a %s',
    async (title, { Class, make }) => {
      const path = join(folder, title.replaceAll(/\W/g, '-'));
      await (await make()).save(path);
      const opened = Class.open(path);
      const file = openSync(path, 'r+');
      writeSync(file, Uint8Array.of(1), 0, 1, SEQUENCE);
      closeSync(file);
      throws(() => opened.validate(), 'ERR_OFFHEAP_CORRUPT', /rearrangement/);
      opened.close();
    },
  );

  it('is rejected at once by bulk calls of a HashMap', async () => {
    const path = join(folder, 'bulk');
    await new offheap.HashMap({ key: 'u32', value: 'f64' }, [[1, 1]]).save(path);
    const map = offheap.HashMap.open<'u32', 'f64'>(path);
    const handle = map.handleOf(1)!;
    const file = openSync(path, 'r+');
    writeSync(file, Uint8Array.of(1), 0, 1, SEQUENCE);
    closeSync(file);
    throws(() => map.getMany(Uint32Array.of(1)), 'ERR_OFFHEAP_CORRUPT');
    throws(() => map.hasMany(Uint32Array.of(1)), 'ERR_OFFHEAP_CORRUPT');
    throws(() => map.getManyByHandle([handle]), 'ERR_OFFHEAP_CORRUPT');
  });
});
