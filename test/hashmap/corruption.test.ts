/**
 * Corruption that the structure kit does not make: a thread that overwrites the bytes during reads
 * and writes, and contents that only validate() checks. (test/kit opens hostile bytes.)
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { HashMap } from '../../src/hashmap/index.js';
import { unseal } from '../helpers/words.js';

const built = new URL('../../dist/hashmap/index.js', import.meta.url).href;

/** A map with dead entries, a slot table and overflowing buckets. */
const MAKE = `
  import { HashMap } from '${built}';
  function numbers() {
    const map = new HashMap({ key: 'u32', value: 'f64', capacity: 80, seed: 7n });
    for (let i = 0; i < 80; i++) map.set(i, i + 0.5);
    map.handleOf(3);
    for (let i = 0; i < 60; i += 2) map.delete(i);
    map.columns(); // removes the dead entries: the slot table appears
    for (let i = 100; i < 110; i++) map.set(i, i);
    for (let i = 1; i < 12; i += 2) map.delete(i);
    return map;
  }
`;

describe('a map whose bytes another thread overwrites at random', () => {
  test('ends every operation, with an OffheapError or a result', () => {
    // A process of its own, because a crash must fail the test and not end it.
    const script = `${MAKE}
      import { Worker } from 'node:worker_threads';
      const map = numbers();
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
      console.log(JSON.stringify({ operations, refused }));`;
    const { status, signal, stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', script],
      { encoding: 'utf8', timeout: 50_000 },
    );
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
    expect((JSON.parse(stdout) as { operations: number }).operations).toBeGreaterThan(50);
  });
});

describe('validate()', () => {
  test('detects changes that opening does not check', () => {
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
    // The index and the references; not the bytes that no entry uses, and not every letter.
    expect(found).toBeGreaterThan(60);
  });
});
