/**
 * Hostile bytes. Every byte of header and index is flipped, bytes are cut off at many lengths,
 * payloads are scribbled over: opening either refuses with an OffheapError, or gives a map whose
 * every operation ends and throws nothing else. All of it runs in child processes with the built
 * package, so that a crash or a loop without end is a failure and not the end of the tests.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';
import { throws } from '../helpers/errors.js';

const built = new URL('../../dist/hashmap/index.js', import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), 'offheap-corruption-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a script that prints JSON. */
function child(script: string): any {
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', script],
    {
      encoding: 'utf8',
      timeout: 50_000,
    },
  );
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
  return JSON.parse(stdout);
}

/** Maps worth attacking: dead entries, a slot table, overflowing buckets; and blobs. */
const MAKE = `
  import { HashMap } from '${built}';
  /** Without the checksum, which would find out everything that is to be tried here. */
  function unsealed(map) {
    const bytes = map.toBytes();
    new Uint32Array(bytes.buffer).fill(0, 7, 9);
    return bytes;
  }
  function numbers() {
    const map = new HashMap({ key: 'u32', value: 'f64', capacity: 80, seed: 7n });
    for (let i = 0; i < 80; i++) map.set(i, i + 0.5);
    map.handleOf(3);
    for (let i = 0; i < 60; i += 2) map.delete(i);
    map.columns(); // squeezes: the slot table appears
    for (let i = 100; i < 110; i++) map.set(i, i);
    for (let i = 1; i < 12; i += 2) map.delete(i);
    return unsealed(map);
  }
  function texts() {
    const map = new HashMap({ key: 'string', value: 'json', seed: 7n });
    for (let i = 0; i < 40; i++) map.set('key ' + i, { i, text: 'x'.repeat(i) });
    for (let i = 0; i < 40; i += 3) map.delete('key ' + i);
    return unsealed(map);
  }
  /**
   * Does everything with bytes that may be anything. Returns what came of opening; throws if any
   * error is not ours.
   */
  function attack(bytes, number) {
    let map;
    try {
      map = HashMap.fromBytes(bytes);
    } catch (error) {
      if (!String(error.code).startsWith('ERR_OFFHEAP_')) throw error;
      return error.code;
    }
    const { key, value } = map.stats();
    const attempt = (operation) => {
      try {
        operation();
      } catch (error) {
        if (!String(error.code).startsWith('ERR_OFFHEAP_')) throw error;
      }
    };
    const k = key === 'string' ? 'key 4' : key === 'bytes' ? new Uint8Array(3) : key[1] === '6' && key !== 'f64' ? 5n : 5;
    attempt(() => map.validate());
    attempt(() => { for (let i = 0; i < 30; i++) map.get(key === 'string' ? 'key ' + i : k); });
    attempt(() => map.has(k));
    attempt(() => { for (const entry of map) entry; });
    attempt(() => map.forEach(() => undefined));
    attempt(() => map.getMany([k, k]));
    attempt(() => map.hasMany([k]));
    attempt(() => map.handlesOf([k]));
    for (const handle of [4294967296, 4294967299, 8589934592, 2 ** 52]) { attempt(() => map.getByHandle(handle)); attempt(() => map.keyByHandle(handle)); }
    attempt(() => map.getManyByHandle([4294967297, 8589934593]));
    const v = { string: 'x', bytes: new Uint8Array(2), bool: true, json: [1], u64: 1n, i64: 1n }[value] ?? 1;
    attempt(() => map.delete(k));
    attempt(() => map.set(k, v));
    attempt(() => map.deleteMany([k]));
    attempt(() => { for (let i = 0; i < 100; i++) map.set(key === 'string' ? 'new ' + i : typeof k === 'bigint' ? BigInt(i) : typeof k === 'number' ? i : Uint8Array.of(i), v); });
    attempt(() => map.setMany([k], [v]));
    attempt(() => map.columns());
    attempt(() => map.reserve(500));
    attempt(() => map.toBytes());
    attempt(() => map.shrinkToFit());
    attempt(() => map.clear());
    attempt(() => map.set(k, v));
    map.close();
    return 'opened';
  }
  const tally = {};
  const count = (outcome) => { tally[outcome] = (tally[outcome] ?? 0) + 1; };
`;

describe('bytes that were changed', () => {
  test.each(['numbers', 'texts'])('every byte of the header and index of %s', (what) => {
    const tally = child(`${MAKE}
      const good = ${what}();
      const length = new Uint32Array(good.buffer, 0, 64)[18] * 64 + 256;
      for (let at = 0; at < length; at++) for (const flip of [1, 0x80, 0xff]) {
        const bytes = good.slice();
        bytes[at] ^= flip;
        count(attack(bytes));
      }
      console.log(JSON.stringify(tally));`);
    expect(Object.keys(tally).sort()).toEqual(['ERR_OFFHEAP_CORRUPT', 'ERR_OFFHEAP_VERSION', 'opened']);
    expect(tally.ERR_OFFHEAP_CORRUPT).toBeGreaterThan(100);
  });

  test.each(['numbers', 'texts'])('the rest of %s, at random', (what) => {
    const tally = child(`${MAKE}
      const good = ${what}();
      let x = 1;
      const random = () => (x = (Math.imul(x, 1103515245) + 12345) >>> 0) / 4294967296;
      for (let round = 0; round < 600; round++) {
        const bytes = good.slice();
        for (let n = 0; n < 1 + round % 40; n++) bytes[256 + Math.floor(random() * (bytes.length - 256))] = random() * 256;
        if (round % 5 === 0) new Uint32Array(bytes.buffer)[64 + Math.floor(random() * (bytes.length / 4 - 64))] = 0xffffffff;
        count(attack(bytes));
      }
      console.log(JSON.stringify(tally));`);
    expect(tally).toEqual({ opened: 600 });
  });

  test('cut off at every length', () => {
    const tally = child(`${MAKE}
      const good = numbers();
      for (let length = 0; length < good.length; length++) count(attack(good.subarray(0, length)));
      console.log(JSON.stringify({ tally, all: good.length }));`);
    expect(tally.tally).toEqual({ ERR_OFFHEAP_CORRUPT: tally.all });
  });

  test('under the hands of native and TypeScript reads alike', () => {
    const outcome = child(`${MAKE}
      import { Worker } from 'node:worker_threads';
      const map = HashMap.fromBytes(numbers());
      const token = map.share();
      const worker = new Worker(
        "import('node:worker_threads').then(({ workerData }) => {" +
        "const bytes = new Uint8Array(workerData); let x = 9;" +
        "for (;;) { x = (Math.imul(x, 1103515245) + 12345) >>> 0; bytes[(x >>> 8) % bytes.length] = x; } })",
        { eval: true, workerData: token.buffer });
      await new Promise((resolve) => worker.once('online', resolve));
      const keys = Uint32Array.from({ length: 200 }, (_, i) => i), end = performance.now() + 3000;
      const out = new Float64Array(200);
      let operations = 0, refused = 0;
      const attempt = (operation) => { operations++; try { operation(); } catch (error) { if (!String(error.code).startsWith('ERR_OFFHEAP_')) throw error; refused++; } };
      while (performance.now() < end) {
        attempt(() => { for (let i = 0; i < 200; i++) map.get(i); });
        attempt(() => map.getMany(keys, out));
        attempt(() => { let n = 0; for (const entry of map) if (n++ > 1000) break; });
        attempt(() => map.handlesOf(keys));
        attempt(() => map.validate());
        attempt(() => map.set(3, 4));
        attempt(() => map.deleteMany(keys.subarray(0, 2)));
        attempt(() => map.toBytes());
      }
      await worker.terminate();
      console.log(JSON.stringify({ operations, refused }));`);
    expect(outcome.operations).toBeGreaterThan(50);
  });
});

describe('files that are something else', () => {
  const file = (name: string, bytes: Uint8Array | string): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };

  test('are refused with what they are', () => {
    throws(() => HashMap.open(join(folder, 'missing')), 'ERR_OFFHEAP_IO', /missing/);
    throws(() => HashMap.open(folder), 'ERR_OFFHEAP_IO');
    throws(() => HashMap.open('/dev/zero'), 'ERR_OFFHEAP_IO');
    for (const [name, bytes] of [
      ['empty', ''],
      ['short', 'OFHP'],
      ['text', 'x'.repeat(4096)],
      ['zeros', new Uint8Array(4096)],
    ] as const) {
      throws(() => HashMap.open(file(name, bytes)), 'ERR_OFFHEAP_CORRUPT');
    }
  });

  test('of another version or kind say so', () => {
    const bytes = new HashMap({ key: 'u32', value: 'f64' }).toBytes();
    for (const word of [1, 2, 3]) {
      const other = bytes.slice();
      new Uint32Array(other.buffer)[word] = 999;
      throws(() => HashMap.open(file(`word-${word}`, other)), 'ERR_OFFHEAP_VERSION', /999/);
    }
  });

  test('with a changed payload open, and validate finds it by the checksum', () => {
    const map = new HashMap({ key: 'u32', value: 'f64', capacity: 1000 });
    for (let i = 0; i < 1000; i++) map.set(i, i);
    const bytes = map.toBytes();
    bytes[bytes.length - 70] = bytes[bytes.length - 70] ^ 1; // within the values
    const opened = HashMap.open(file('payload', bytes));
    expect(opened.size).toBe(1000);
    throws(() => opened.validate(), 'ERR_OFFHEAP_CORRUPT', /checksum/i);
    opened.close();
  });
});
