/**
 * Bytes from strangers: a region or file with any bit changed, cut off at any length, or filled
 * with harmful numbers is refused with an error of ours, or it is a map on which every operation
 * ends without harm. Each series runs in a process of its own, so that a crash or an endless loop
 * is a failed test that names the case. (corruption.test.ts makes a quick round of each byte; this
 * is each bit, harmful numbers, and every road that leads to a map.)
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';
import { throws } from '../helpers/errors.js';
import { packageRoot } from '../../src/native.js';
import { header, unseal, WORD } from '../helpers/words.js';

const folder = mkdtempSync(join(tmpdir(), 'offheap-hostile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs one series; returns how many regions were opened and how many refused. */
async function series(
  road: string,
  schema: string,
  way: string,
): Promise<{ opened: number; refused: number }> {
  const scratch = mkdtempSync(join(folder, 'series-'));
  const script = join(import.meta.dirname, '..', 'helpers', 'hostile.mjs');
  const child = spawn(process.execPath, [script, join(packageRoot(), 'dist'), scratch, road, schema, way]);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const limit = setTimeout(() => child.kill('SIGKILL'), 50_000);
  const how = await new Promise<string>((resolve) => {
    child.on('close', (code, signal) => resolve(signal ?? `exit ${code}`));
  });
  clearTimeout(limit);
  const last = readFileSync(join(scratch, 'last'), 'utf8');
  expect(how, `at ${last}: ${output.slice(-2000)}`).toBe('exit 0');
  return JSON.parse(output) as { opened: number; refused: number };
}

const SERIES = ['u32 f64', 'string string'].flatMap((schema) => [
  [schema, 'fromBytes', 'all bits'],
  [schema, 'fromBytes', 'words'],
  [schema, 'attach', 'some bytes'],
  [schema, 'attach', 'words'],
  [schema, 'open r', 'words'],
  [schema, 'open rw', 'some bytes'],
  [schema, 'open rw', 'lengths'],
]);
SERIES.push(['u64 json', 'fromBytes', 'words'], ['u64 json', 'attach', 'words']);

describe('a spoilt map', () => {
  it.each(SERIES)('of %s, through %s, %s', async (schema, road, way) => {
    const { opened, refused } = await series(road, schema, way);
    // Both happen, or the series tests nothing.
    expect(opened).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(5);
  });
});

describe('bytes of another kind', () => {
  const good = new HashMap({ key: 'u32', value: 'f64' }, [[1, 2]]).toBytes();
  const spoilt = (word: number, value: number): Uint8Array => {
    const bytes = good.slice();
    header(bytes)[word] = value;
    return bytes;
  };

  it('another version or structure is ERR_OFFHEAP_VERSION, and the message says which', () => {
    throws(
      () => HashMap.fromBytes(spoilt(WORD.version, 2)),
      'ERR_OFFHEAP_VERSION',
      /format 2, this release reads 1/,
    );
    throws(() => HashMap.fromBytes(spoilt(WORD.kind, 77)), 'ERR_OFFHEAP_VERSION', /kind 77/);
    throws(() => HashMap.fromBytes(spoilt(WORD.kindVersion, 9)), 'ERR_OFFHEAP_VERSION', /hashmap format 9/);
  });

  it('another magic, or nothing of a region at all, is ERR_OFFHEAP_CORRUPT', () => {
    throws(() => HashMap.fromBytes(spoilt(WORD.magic, 0)), 'ERR_OFFHEAP_CORRUPT', /magic/);
    throws(() => HashMap.fromBytes(new Uint8Array(0)), 'ERR_OFFHEAP_CORRUPT', /0 bytes/);
    throws(() => HashMap.fromBytes(new Uint8Array(255)), 'ERR_OFFHEAP_CORRUPT', /255 bytes/);
    throws(() => HashMap.fromBytes(new Uint8Array(4096)), 'ERR_OFFHEAP_CORRUPT');
    throws(() => HashMap.fromBytes(Buffer.from('PNG or so '.repeat(100))), 'ERR_OFFHEAP_CORRUPT');
  });

  it('what is no Uint8Array is ERR_OFFHEAP_TYPE', () => {
    for (const wrong of [
      undefined,
      null,
      'text',
      [1, 2],
      good.buffer,
      new DataView(good.buffer),
      new Float64Array(99),
    ]) {
      throws(() => HashMap.fromBytes(wrong as never), 'ERR_OFFHEAP_TYPE');
    }
  });

  it('one bit of difference from the checksum is ERR_OFFHEAP_CORRUPT, whatever it is', () => {
    let refused = 0;
    for (let at = 64; at < good.length; at += 3) {
      const bytes = good.slice();
      bytes[at] ^= 1 << (at & 7);
      throws(() => HashMap.fromBytes(bytes), 'ERR_OFFHEAP_CORRUPT');
      refused++;
    }
    expect(refused).toBeGreaterThan(100);
    throws(() => HashMap.fromBytes(spoilt(WORD.checksum, 1)), 'ERR_OFFHEAP_CORRUPT', /checksum/);
    expect([...HashMap.fromBytes(unseal(good.slice()))]).toEqual([[1, 2]]);
  });

  it('a view at any offset will do, also a Buffer, and shared memory', () => {
    const padded = new Uint8Array(good.length + 3);
    padded.set(good, 3);
    const shared = new Uint8Array(new SharedArrayBuffer(good.length));
    shared.set(good);
    for (const bytes of [padded.subarray(3), Buffer.from(good), shared]) {
      expect([...HashMap.fromBytes(bytes)]).toEqual([[1, 2]]);
    }
  });
});

describe('validate', () => {
  it('finds contents that opening does not look at', () => {
    const map = new HashMap({ key: 'string', value: 'string' }, [
      ['a', 'x'],
      ['b', 'y'],
    ]);
    const good = unseal(map.toBytes());
    let found = 0;
    for (let at = 256; at < good.length; at++) {
      const bytes = good.slice();
      bytes[at] ^= 4;
      try {
        HashMap.fromBytes(bytes).validate();
      } catch {
        found++;
      }
    }
    // All of the index and the references; not what no entry uses, and not every letter.
    expect(found).toBeGreaterThan(60);
  });
});
