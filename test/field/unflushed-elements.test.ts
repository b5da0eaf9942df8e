/** `MmapVector.close()` used to drop the elements that were not flushed, without a word. */
import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { MmapVector } from '../../src/mmap/index.js';
import { throws } from '../helpers/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-unflushed-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const fresh = (): string => join(folder, `${files++}.vec`);

describe('elements that were not flushed', () => {
  it('are in the file after close()', () => {
    const path = fresh();
    const log = MmapVector.create(path, 'f64');
    log.push(1, 2, 3);
    log.close();
    log.close();
    expect([...MmapVector.open(path)]).toEqual([1, 2, 3]);
  });

  it('are in the file after a `using` declaration ends', () => {
    const path = fresh();
    {
      using log = MmapVector.create(path, 'i64');
      log.push(1n, 2n);
      log.flushSync();
      log.push(3n);
      log.pop();
      log.push(4n);
    }
    expect([...MmapVector.open(path)]).toEqual([1n, 2n, 4n]);
  });

  it('include a shorter length after elements were dropped', () => {
    const path = fresh();
    const log = MmapVector.create(path, 'u8');
    log.push(1, 2, 3);
    log.flushSync();
    log.truncate(1);
    log.close();
    expect([...MmapVector.open(path)]).toEqual([1]);
  });

  it('are committed once for close() and the flushes under way', async () => {
    const path = fresh();
    const log = MmapVector.create(path, 'u8');
    log.push(1);
    const flushed = log.flush();
    log.push(2);
    log.close();
    await flushed;
    expect([...MmapVector.open(path)]).toEqual([1, 2]);
  });

  it('are dropped on request', () => {
    const path = fresh();
    const log = MmapVector.create(path, 'u8');
    log.push(1);
    log.close({ flush: false });
    expect([...MmapVector.open(path)]).toEqual([]);
  });

  it('make close() throw if they cannot be flushed, and the file is closed all the same', () => {
    const path = fresh();
    const log = MmapVector.create(path, 'u8');
    log.push(...Array.from({ length: 100 }, (_, i) => i));
    log.flushSync();
    log.push(1);
    truncateSync(path, 65_536);
    throws(() => log.close(), 'ERR_OFFHEAP_IO');
    throws(() => log.length, 'ERR_OFFHEAP_CLOSED');
    log.close();
    // The lock is free.
    MmapVector.open(path, { mode: 'rw' }).close();
  });

  it('of a reader do not exist', () => {
    const path = fresh();
    MmapVector.create(path, 'u8').close();
    const reader = MmapVector.open(path);
    reader.close();
    throws(() => reader.length, 'ERR_OFFHEAP_CLOSED');
  });

  it('leave the options of close() checked', () => {
    const log = MmapVector.create(fresh(), 'u8');
    throws(() => log.close({ flush: 1 } as never), 'ERR_OFFHEAP_TYPE');
    throws(() => log.close({ sync: true } as never), 'ERR_OFFHEAP_TYPE');
    expect(log.length).toBe(0);
    log.close();
  });
});
