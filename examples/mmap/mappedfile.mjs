/** MappedFile: a file's bytes, read in place. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MappedFile } from 'offheap/mmap';

const folder = mkdtempSync(join(tmpdir(), 'offheap-'));
const path = join(folder, 'readings');

// A file of records: a number, and a string preceded by its length.
const record = (/** @type {number} */ celsius, /** @type {string} */ place) => {
  const bytes = Buffer.alloc(8 + 1 + Buffer.byteLength(place));
  bytes.writeDoubleLE(celsius);
  bytes.writeUInt8(Buffer.byteLength(place), 8);
  bytes.write(place, 9);
  return bytes;
};
writeFileSync(path, Buffer.concat([record(17.5, 'Zürich'), record(31, 'Nairobi')]));

// Small files are read, larger ones are mapped; `strategy` reports which.
const file = MappedFile.open(path, { pattern: 'sequential' });
console.log(`${file.size} bytes, ${file.strategy}`);

// A cursor checks every length in the file.
const cursor = file.cursor();
assert.equal(cursor.readF64(), 17.5);
assert.equal(cursor.readString(), 'Zürich');
assert.equal(cursor.readF64(), 31);
assert.throws(() => cursor.readString(1000), { code: 'ERR_OFFHEAP_RANGE' });
assert.equal(cursor.readString(), 'Nairobi');

// After the file grew, refresh() makes the rest visible; existing slices stay unchanged.
const slice = file.slice(9, 7);
appendFileSync(path, record(-4, 'Oslo'));
file.refresh();
assert.equal(cursor.readF64(), -4);

// Slices stay valid after close(), as long as they are referenced.
file.close();
assert.equal(Buffer.from(slice).toString(), 'Zürich');

// If another program truncates the file, operations throw; a copy is not affected.
const mapped = MappedFile.open(path, { strategy: 'mmap' });
const copied = MappedFile.open(path, { strategy: 'copy' });
truncateSync(path, 4);
assert.throws(() => mapped.check(), { code: 'ERR_OFFHEAP_IO' });
assert.equal(copied.cursor(8).readString(), 'Zürich');

mapped.close();
copied.close();
rmSync(folder, { recursive: true });
