/** A vector: push, read, sort, and search; a typed-array view; saving and opening. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Vector } from 'offheap/vector';

const readings = new Vector('f64');
for (let i = 0; i < 100_000; i++) readings.push(Math.sin(i));
assert.equal(readings.at(-1), Math.sin(99_999));

// A value that does not fit the type is rejected.
const bytes = new Vector('u8');
assert.throws(() => bytes.push(300), { code: 'ERR_OFFHEAP_RANGE' });

// pushMany appends a typed array; view is a typed array over the vector's own memory.
readings.pushMany(Float64Array.of(1.5, -1.5));
const { view } = readings;
assert.equal(view.length, 100_002);
view[0] = 0.25;
assert.equal(readings.at(0), 0.25);

// These run at memory speed.
console.log(readings.sum(), readings.min(), readings.max(), readings.indexOf(1.5));

// argsort returns the order without moving the elements; sort moves them.
const order = readings.argsort();
assert.equal(readings.at(order[0]), -1.5);
readings.sort();
assert.equal(readings.binarySearch(1.5), 100_001);
assert.ok(readings.binarySearch(7) < 0);

const folder = mkdtempSync(join(tmpdir(), 'offheap-'));
const path = join(folder, 'readings.offheap');
await readings.save(path);
const opened = Vector.open(path); // mapped, not parsed
assert.equal(opened.at(0), -1.5);
opened.close();
readings.close();
rmSync(folder, { recursive: true });
