/**
 * Untrusted bytes: a region or file with any bit of its header or any byte of its contents changed,
 * truncated anywhere, or filled with harmful numbers is either rejected with an OffheapError or
 * becomes an arena on which every operation ends without harm. Each series runs in a process of its
 * own, so that a crash or an endless loop is a failed test that names the case.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { SmallMapArena } from '../../src/smallmap/index.js';
import { throws } from '../helpers/errors.js';
import { header, unseal, WORD } from '../helpers/words.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-smallmap-hostile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs one series. Returns how many regions were opened and how many were rejected. */
async function series(
  entryPoint: string,
  schema: string,
  mutation: string,
): Promise<{ opened: number; refused: number }> {
  const scratch = mkdtempSync(join(folder, 'series-'));
  const script = join(import.meta.dirname, '..', 'helpers', 'smallmap-hostile.mjs');
  const child = spawn(process.execPath, [
    script,
    join(packageRoot(), 'dist'),
    scratch,
    entryPoint,
    schema,
    mutation,
  ]);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const limit = setTimeout(() => child.kill('SIGKILL'), 55_000);
  const how = await new Promise<string>((resolve) => {
    child.on('close', (code, signal) => resolve(signal ?? `exit ${code}`));
  });
  clearTimeout(limit);
  const last = readFileSync(join(scratch, 'last'), 'utf8');
  expect(how, `at ${last}: ${output.slice(-2000)}`).toBe('exit 0');
  return JSON.parse(output) as { opened: number; refused: number };
}

describe('a corrupt arena', () => {
  it.each([
    ['u32 f64', 'fromBytes', 'some bytes'],
    ['u32 f64', 'fromBytes', 'words'],
    ['u32 f64', 'attach', 'words'],
    ['u32 f64', 'open rw', 'words'],
    ['u32 f64', 'open r', 'lengths'],
    ['u8 u8', 'fromBytes', 'words'],
    ['i64 bool', 'fromBytes', 'words'],
    ['string string', 'fromBytes', 'header bits'],
    ['string string', 'fromBytes', 'some bytes'],
    ['string string', 'attach', 'words'],
    ['string u32', 'open rw', 'words'],
  ])('of %s opened by %s survives or is rejected: %s', async (schema, entryPoint, mutation) => {
    const { opened, refused } = await series(entryPoint, schema, mutation);
    // Both outcomes must occur, or the series tests nothing. Opening does not check bytes past the
    // header.
    expect(opened + refused).toBeGreaterThan(50);
    if (mutation !== 'some bytes') expect(refused).toBeGreaterThan(5);
    if (mutation !== 'lengths') expect(opened).toBeGreaterThan(20);
  });
});

describe('opening bytes of another kind', () => {
  const good = unseal(new SmallMapArena({ key: 'u32', value: 'f64' }).toBytes());
  const corrupted = (word: number, value: number): Uint8Array => {
    const bytes = good.slice();
    header(bytes)[word] = value;
    return bytes;
  };

  it('rejects another version or structure with ERR_OFFHEAP_VERSION and names it', () => {
    throws(() => SmallMapArena.fromBytes(corrupted(WORD.version, 2)), 'ERR_OFFHEAP_VERSION', /format 2/);
    throws(() => SmallMapArena.fromBytes(corrupted(WORD.kind, 1)), 'ERR_OFFHEAP_VERSION', /hashmap/);
    throws(() => SmallMapArena.fromBytes(corrupted(WORD.kindVersion, 9)), 'ERR_OFFHEAP_VERSION', /format 9/);
  });

  it('rejects an invalid schema, or bytes that are not a region, with ERR_OFFHEAP_CORRUPT', () => {
    for (const schema of [0, 0x0b08, 0x0805 + 0x0b, 0x1005, 0xffffffff]) {
      throws(() => SmallMapArena.fromBytes(corrupted(16, schema)), 'ERR_OFFHEAP_CORRUPT');
    }
    throws(() => SmallMapArena.fromBytes(new Uint8Array(0)), 'ERR_OFFHEAP_CORRUPT');
    throws(() => SmallMapArena.fromBytes(new Uint8Array(4096)), 'ERR_OFFHEAP_CORRUPT');
  });
});

describe('validate', () => {
  it('detects changes that opening does not, in every section', () => {
    const arena = new SmallMapArena({ key: 'string', value: 'string', capacity: 4, seed: 3n });
    const ids = [3, 8, 10].map((size) => {
      const id = arena.create();
      for (let n = 0; n < size; n++) arena.set(id, `key ${n}`, `value ${n}`);
      return id;
    });
    arena.release(ids[0]);
    arena.shrinkToFit();
    const good = unseal(arena.toBytes());
    SmallMapArena.fromBytes(good).validate();
    let found = 0;
    for (let at = 256; at < good.length; at++) {
      const bytes = good.slice();
      bytes[at] ^= 4;
      try {
        SmallMapArena.fromBytes(bytes).validate();
      } catch {
        found++;
      }
    }
    // All bytes except unused ones, overflow counts, and the letters of values.
    expect(found).toBeGreaterThan((good.length - 256) / 3);
  });
});
