/**
 * Bytes from strangers: a region or file with any bit of its header changed, any byte of its
 * contents, cut off anywhere, or filled with harmful numbers is refused with an error of ours, or
 * it is an arena on which every operation ends without harm. Each series runs in a process of its
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

/** Runs one series; returns how many regions were opened and how many refused. */
async function series(
  road: string,
  schema: string,
  way: string,
): Promise<{ opened: number; refused: number }> {
  const scratch = mkdtempSync(join(folder, 'series-'));
  const script = join(import.meta.dirname, '..', 'helpers', 'smallmap-hostile.mjs');
  const child = spawn(process.execPath, [script, join(packageRoot(), 'dist'), scratch, road, schema, way]);
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

describe('a spoilt arena', () => {
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
  ])('of %s, through %s: %s', async (schema, road, way) => {
    const { opened, refused } = await series(road, schema, way);
    // Both happen, or the series tests nothing; bytes past the header are not looked at by opening.
    expect(opened + refused).toBeGreaterThan(50);
    if (way !== 'some bytes') expect(refused).toBeGreaterThan(5);
    if (way !== 'lengths') expect(opened).toBeGreaterThan(20);
  });
});

describe('bytes of another kind', () => {
  const good = unseal(new SmallMapArena({ key: 'u32', value: 'f64' }).toBytes());
  const spoilt = (word: number, value: number): Uint8Array => {
    const bytes = good.slice();
    header(bytes)[word] = value;
    return bytes;
  };

  it('another version or structure is ERR_OFFHEAP_VERSION, and the message says which', () => {
    throws(() => SmallMapArena.fromBytes(spoilt(WORD.version, 2)), 'ERR_OFFHEAP_VERSION', /format 2/);
    throws(() => SmallMapArena.fromBytes(spoilt(WORD.kind, 1)), 'ERR_OFFHEAP_VERSION', /hashmap/);
    throws(() => SmallMapArena.fromBytes(spoilt(WORD.kindVersion, 9)), 'ERR_OFFHEAP_VERSION', /format 9/);
  });

  it('another schema, or nothing of a region at all, is ERR_OFFHEAP_CORRUPT', () => {
    for (const schema of [0, 0x0b08, 0x0805 + 0x0b, 0x1005, 0xffffffff]) {
      throws(() => SmallMapArena.fromBytes(spoilt(16, schema)), 'ERR_OFFHEAP_CORRUPT');
    }
    throws(() => SmallMapArena.fromBytes(new Uint8Array(0)), 'ERR_OFFHEAP_CORRUPT');
    throws(() => SmallMapArena.fromBytes(new Uint8Array(4096)), 'ERR_OFFHEAP_CORRUPT');
  });
});

describe('validate', () => {
  it('finds what opening does not look at, in every section', () => {
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
    // All but what no entry uses, overflow counts, and letters of values.
    expect(found).toBeGreaterThan((good.length - 256) / 3);
  });
});
