/** MmapVector: numbers in a file that survive a crash up to the last flush. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MmapVector } from 'offheap/mmap';

const folder = mkdtempSync(join(tmpdir(), 'offheap-'));
const path = join(folder, 'temperatures');

// One handle writes. A push is a store to memory, without a call or a copy.
const writer = MmapVector.create(path, 'f64');
writer.push(17.5, 18, 18.25);
writer.pushMany(Float64Array.of(19, 21.5));

// From here on the five elements survive a killed process, and a power failure if the device honors
// syncs.
await writer.flush();
assert.equal(writer.flushed, 5);

// Readers in this or another process see the flushed elements, and more as they are flushed.
const reader = MmapVector.open(path);
writer.push(23);
assert.equal(reader.length, 5);
writer.flushSync();
assert.equal(reader.at(-1), 23);
assert.equal(reader.max(), 23);
assert.throws(() => MmapVector.open(path, { mode: 'rw' }), { code: 'ERR_OFFHEAP_LOCKED' });

// Flushed elements cannot be changed, only dropped; the others can be changed.
assert.throws(() => writer.set(0, 0), { code: 'ERR_OFFHEAP_UNSUPPORTED' });
writer.push(24);
writer.set(6, 24.5);
writer.truncate(2);
await writer.flush();
assert.deepEqual([...reader], [17.5, 18]);

// close() flushes; close({ flush: false }) drops the elements that were not flushed.
writer.push(99);
writer.close();
assert.equal(reader.refresh(), 3);
reader.validate(); // compares all elements with their checksum
reader.close();

// For a writer that must never wait: blocks and pages exist before the first push.
const steady = MmapVector.create(join(folder, 'steady'), 'u32', MmapVector.realTime(1000));
steady.pushMany(new Uint32Array(1000));
assert.throws(() => steady.push(1), { code: 'ERR_OFFHEAP_FULL' });
steady.close();

rmSync(folder, { recursive: true });
