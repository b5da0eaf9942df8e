/**
 * Sparse rows: sets and looks up many entries in one call, then shares them with a worker and saves
 * them.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { SmallMapArena } from 'offheap/smallmap';

const rows = new SmallMapArena({ key: 'u32', value: 'f64' });
const count = 1000;
for (let row = 0; row < count; row++) rows.create(); // ids 0, 1, 2, …

// Three entries per row, as they come from a file: row, column, value.
const row = Uint32Array.from({ length: 3 * count }, (_, i) => Math.floor(i / 3));
const column = Uint32Array.from({ length: 3 * count }, (_, i) => ((i % 3) * 31 + row[i]) % count);
rows.setMany(
  row,
  column,
  Float64Array.from(row, (_, i) => i / 2),
);

// One call into native code for all lookups. Missing keys leave `out` unchanged, which is 0 in a
// new array.
const found = rows.getMany(Uint32Array.of(0, 1, 1), Uint32Array.of(31, 32, 999));
assert.deepEqual(found, Float64Array.of(0.5, 2, 0));

// A worker reads the same memory.
const worker = new Worker(
  `import('offheap/smallmap').then(({ SmallMapArena }) => {
     const { parentPort, workerData } = require('node:worker_threads');
     parentPort.postMessage([...SmallMapArena.attach(workerData).entries(1)]);
   });`,
  { eval: true, workerData: rows.share() },
);
const seen = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
assert.deepEqual(seen, [...rows.entries(1)]);

const folder = mkdtempSync(join(tmpdir(), 'offheap-example-'));
await rows.save(join(folder, 'rows'));
const again = SmallMapArena.open(join(folder, 'rows')); // mapped, not parsed
assert.deepEqual([...again.entries(999)], [...rows.entries(999)]);
again.close();
rmSync(folder, { recursive: true });
console.log('rows in bulk, in a worker, and out of a file');
