/** Bytes: copies, checksums, golden files, truncations, and hostile bytes in child processes. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/native.js';
import { thrown, throws } from '../helpers/errors.js';
import type { Description } from './description.js';
import { temporaryFolder } from './folder.js';

/** Words of the region header (docs/formats/region.md). */
const WORD = { magic: 0, version: 1, kind: 2, kindVersion: 3, flags: 7, checksum: 8 };

/** Overwrites a header word, and clears the checksum, which would notice every change. */
function withWord(bytes: Uint8Array, word: number, value: number): Uint8Array {
  const copy = bytes.slice();
  const words = new Uint32Array(copy.buffer);
  words[WORD.flags] = 0;
  words[WORD.checksum] = 0;
  words[word] = value;
  return copy;
}

export function testBytes({ Class, make, contents, golden, kind }: Description): void {
  it('is copied by fromBytes, from a view at any offset and from shared memory', async () => {
    const structure = await make();
    const bytes: Uint8Array<ArrayBuffer> = structure.toBytes();
    const padded = new Uint8Array(bytes.length + 3);
    padded.set(bytes, 3);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    const expected = contents(structure);
    for (const source of [padded.subarray(3), Buffer.from(bytes), shared, bytes]) {
      const copy = Class.fromBytes(source);
      source.fill(0);
      expect(contents(copy)).toEqual(expected);
      copy.validate();
    }
  });

  it('rejects a value that is not a Uint8Array with ERR_OFFHEAP_TYPE', async () => {
    const { buffer } = (await make()).toBytes();
    for (const wrong of [
      undefined,
      null,
      'text',
      [1, 2],
      buffer,
      new DataView(buffer),
      new Float64Array(99),
    ]) {
      throws(() => Class.fromBytes(wrong), 'ERR_OFFHEAP_TYPE');
    }
  });

  it('rejects another magic, version, kind and kind version', async () => {
    const good = (await make()).toBytes();
    throws(() => Class.fromBytes(withWord(good, WORD.magic, 0)), 'ERR_OFFHEAP_CORRUPT', /magic/);
    throws(() => Class.fromBytes(withWord(good, WORD.version, 2)), 'ERR_OFFHEAP_VERSION', /2/);
    throws(() => Class.fromBytes(withWord(good, WORD.kind, 77)), 'ERR_OFFHEAP_VERSION', /77/);
    throws(() => Class.fromBytes(withWord(good, WORD.kindVersion, 9)), 'ERR_OFFHEAP_VERSION', /9/);
    for (const length of [0, 100, 255, 256, 4096]) {
      throws(() => Class.fromBytes(new Uint8Array(length)), 'ERR_OFFHEAP_CORRUPT');
    }
  });

  it('rejects every truncation with ERR_OFFHEAP_CORRUPT', async () => {
    const good = withWord((await make()).toBytes(), WORD.flags, 0);
    for (let length = 0; length < good.length; length += length < 4096 ? 1 : 97) {
      throws(() => Class.fromBytes(good.slice(0, length)), 'ERR_OFFHEAP_CORRUPT');
    }
  });

  it('notices any changed bit by its checksum', async () => {
    const good = (await make()).toBytes();
    const step = Math.max(3, Math.floor(good.length / 400));
    for (let at = 64; at < good.length; at += step) {
      const bytes = good.slice();
      bytes[at] ^= 1 << (at & 7);
      // The header of an embedded structure is checked before the checksum.
      const { code } = thrown(() => Class.fromBytes(bytes));
      expect(['ERR_OFFHEAP_CORRUPT', 'ERR_OFFHEAP_VERSION', 'ERR_OFFHEAP_UNSUPPORTED']).toContain(code);
    }
  });

  it.each(golden)('reads the golden file %s of an earlier release', (file) => {
    const bytes = new Uint8Array(readFileSync(join(packageRoot(), 'test', 'golden', `${file}.bin`)));
    const structure = Class.fromBytes(bytes);
    structure.validate();
    expect(structure.share()).toMatchObject({ offheap: kind });
    // A copy keeps every byte but the checksum and its flag.
    const again = Class.fromBytes(structure.toBytes());
    expect(contents(again)).toEqual(contents(structure));
  });
}

const SERIES = [
  ['fromBytes', 'bits'],
  ['fromBytes', 'words'],
  ['fromBytes', 'contents'],
  ['attach', 'bits'],
  ['attach', 'bytes'],
  ['attach', 'words'],
  ['open r', 'words'],
  ['open rw', 'bytes'],
  ['open rw', 'words'],
  ['open rw', 'lengths'],
];

export function testHostileBytes(title: string, which: string[][] = SERIES): void {
  const { folder } = temporaryFolder();

  /** Runs one series in a child process, where a crash or an endless loop fails the test. */
  async function series(route: string, mutation: string): Promise<{ opened: number; refused: number }> {
    const scratch = mkdtempSync(join(folder, 'series-'));
    const script = join(import.meta.dirname, 'hostile.mjs');
    const child = spawn(process.execPath, [
      script,
      join(packageRoot(), 'dist'),
      scratch,
      title,
      route,
      mutation,
    ]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => void (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => void (output += chunk.toString()));
    const limit = setTimeout(() => child.kill('SIGKILL'), 50_000);
    const end = await new Promise<string>((resolve) => {
      child.on('close', (code, signal) => resolve(signal ?? `exit ${code}`));
    });
    clearTimeout(limit);
    const last = readFileSync(join(scratch, 'last'), 'utf8');
    expect(end, `at ${last}: ${output.slice(-2000)}`).toBe('exit 0');
    return JSON.parse(output) as { opened: number; refused: number };
  }

  it.each(which)('never crash or hang: %s, %s', async (route, mutation) => {
    const { opened, refused } = await series(route, mutation);
    // Both outcomes must occur, or the series tests nothing. A changed length cannot be opened, and
    // opening checks all bytes after the header, or none of them.
    if (mutation === 'bits' || mutation === 'words') {
      expect(opened).toBeGreaterThan(20);
      expect(refused).toBeGreaterThan(5);
    }
    if (mutation === 'lengths') expect(refused).toBeGreaterThan(5);
    expect(opened + refused).toBeGreaterThan(10);
  });
}
