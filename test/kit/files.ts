/** Saving, opening by mapping, and files that are missing, foreign, truncated or replaced. */
import { execFileSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { HashMap, Vector } from '../../src/index.js';
import { native, packageRoot } from '../../src/native.js';
import { rejected, throws } from '../helpers/errors.js';
import type { Description } from './description.js';
import { temporaryFolder } from './folder.js';

export function testFiles({ name, kind, Class, make, contents, operations }: Description): void {
  const { folder, fresh } = temporaryFolder();

  it('is opened in both modes with the contents that were saved', async () => {
    const structure = await make();
    const path = fresh();
    await structure.save(path);
    for (const mode of ['r', 'rw']) {
      const opened = Class.open(path, { mode });
      expect(opened.stats()).toMatchObject({ origin: 'file' });
      expect(contents(opened)).toEqual(contents(structure));
      opened.validate();
      opened.close();
    }
    expect(native().regionChecksum(readFileSync(path))).not.toBe(0);
  });

  it('is shown by `offheap inspect`', async () => {
    const path = fresh();
    await (await make()).save(path);
    const command = join(packageRoot(), 'dist', 'cli', 'main.js');
    const printed = execFileSync(process.execPath, [command, 'inspect', path], { encoding: 'utf8' });
    expect(printed).toContain(kind);
    expect(printed).toMatch(/correct/);
  });

  it('reports a missing file, a folder, and a folder that does not exist as ERR_OFFHEAP_IO', async () => {
    throws(() => Class.open(join(folder, 'missing')), 'ERR_OFFHEAP_IO');
    throws(() => Class.open(folder), 'ERR_OFFHEAP_IO');
    throws(() => Class.open('/dev/zero'), 'ERR_OFFHEAP_IO');
    const structure = await make();
    expect((await rejected(structure.save(join(folder, 'no', 'such')))).code).toBe('ERR_OFFHEAP_IO');
    for (const wrong of [undefined, 1, {}, 'a\0b']) throws(() => Class.open(wrong), 'ERR_OFFHEAP_TYPE');
  });

  it('stays on the old file when that is replaced, whose token is then stale', async () => {
    const structure = await make();
    const path = fresh();
    await structure.save(path);
    const opened = Class.open(path);
    const token = structuredClone(opened.share());
    expect(contents(Class.attach(token))).toEqual(contents(structure));
    await new HashMap({ key: 'u32', value: 'f64' }).save(path);
    throws(() => Class.attach(token), 'ERR_OFFHEAP_STALE');
    expect(contents(opened)).toEqual(contents(structure));
    opened.validate();
  });

  it('reports a changed byte by validate(), which compares the checksum', async () => {
    const bytes = (await make()).toBytes();
    bytes[bytes.length > 300 ? bytes.length - 70 : 200] ^= 1;
    const path = fresh();
    writeFileSync(path, bytes);
    throws(() => Class.open(path).validate(), 'ERR_OFFHEAP_CORRUPT');
  });

  it('leaves the old file in place when saving is aborted', async () => {
    const structure = await make();
    const path = fresh();
    writeFileSync(path, 'old');
    await expect(structure.save(path, { signal: AbortSignal.abort() })).rejects.toThrow();
    expect(readFileSync(path, 'utf8')).toBe('old');
  });

  it('rejects a file of another kind with ERR_OFFHEAP_VERSION', async () => {
    const bytes = (await make()).toBytes();
    const words = new Uint32Array(bytes.buffer);
    words[2] = 77;
    const path = fresh();
    writeFileSync(path, bytes);
    throws(() => Class.open(path), 'ERR_OFFHEAP_VERSION', /kind 77/);
    const map = new HashMap({ key: 'u32', value: 'f64' });
    const other = map instanceof Class ? new Vector('u8') : map;
    await other.save(path);
    throws(() => Class.open(path), 'ERR_OFFHEAP_VERSION', /hashmap|vector/);
    throws(() => Class.fromBytes(other.toBytes()), 'ERR_OFFHEAP_VERSION', /hashmap|vector/);
  });

  it('rejects a file that is no region with ERR_OFFHEAP_CORRUPT', () => {
    for (const contentsOfFile of ['', 'text', 'x'.repeat(5000)]) {
      const path = fresh();
      writeFileSync(path, contentsOfFile);
      throws(() => Class.open(path), 'ERR_OFFHEAP_CORRUPT');
    }
  });

  it('survives the truncation of its file, with ERR_OFFHEAP_IO for pages that are gone', async () => {
    for (const length of [0, 300]) {
      const path = fresh();
      await (await make()).save(path);
      const opened = Class.open(path);
      truncateSync(path, length);
      for (const { run, writes } of Object.values(operations)) {
        if (writes === true) continue;
        try {
          run(opened);
        } catch (error) {
          // The rest of the last page reads as zeros, which are corrupt contents.
          const allowed = length === 0 ? ['ERR_OFFHEAP_IO'] : ['ERR_OFFHEAP_IO', 'ERR_OFFHEAP_CORRUPT'];
          expect(allowed).toContain((error as { code: string }).code);
        }
      }
      expect(inspect(opened)).toMatch(name);
      opened.close();
    }
  });
}
