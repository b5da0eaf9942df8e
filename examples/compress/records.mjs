/** A store of small records, each compressed on its own and readable without the others. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BloomFilter, Compressor, Dictionary, RecordStore, SuffixArray } from 'offheap/compress';

const order = (i) =>
  JSON.stringify({
    id: i,
    customer: `customer-${(i * 37) % 1000}`,
    total: (i * 7919) % 10_000,
    paid: i % 3 === 0,
  });
const orders = Array.from({ length: 20_000 }, (_, i) => order(i));

// Built from any iterable; a dictionary is trained on the first records.
const store = await RecordStore.build(orders);
assert.equal(store.getString(123), order(123));
assert.deepEqual(store.getMany([5, 7]).map(String).length, 2);
const { rawBytes } = store.stats();
console.log(`${store.length} records of ${rawBytes} bytes in ${store.byteLength}`);

// Opening maps the file; no record is read before it is requested.
const folder = mkdtempSync(join(tmpdir(), 'offheap-'));
await store.save(join(folder, 'orders'));
const opened = RecordStore.open(join(folder, 'orders'));
assert.equal(opened.getString(19_999), order(19_999));
opened.close();
rmSync(folder, { recursive: true });

// Single records: train once, keep the dictionary, compress with it.
const dictionary = await Dictionary.train(orders.slice(0, 2000), { maxBytes: 16 * 1024 });
const compressor = new Compressor(dictionary, { level: 9 });
const record = new TextEncoder().encode(order(20_001));
const packed = compressor.compress(record);
assert.deepEqual(compressor.decompress(packed), record);
console.log(`${record.length} bytes became ${packed.length} bytes`);

// The building blocks are available on their own.
const seen = new BloomFilter(orders.length, 0.01).addMany(orders);
assert.equal(seen.has(order(7)), true);
const suffixes = SuffixArray.build(new TextEncoder().encode(orders.slice(0, 100).join('\n')));
console.log(`customer-37 occurs ${suffixes.search('customer-37').count} times`);
