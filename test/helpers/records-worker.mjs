/**
 * A thread that reads a store, or compresses. It reports whether the results were correct, and then
 * continues until it is terminated.
 *
 *   workerData: { dist, token, records, forever }
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const { dist, token, records, forever } = workerData;
const { Compressor, Dictionary, RecordStore } = await import(
  pathToFileURL(join(dist, 'compress', 'index.js')).href
);
const all = Float64Array.from(records, (_, i) => i);

function readAll(store) {
  const same = (text, i) => text === records[i];
  const texts = store.getMany(all).map((bytes) => Buffer.from(bytes).toString());
  return texts.every(same) && records.every((_, i) => same(store.getString(i), i));
}

function compressAll(compressor) {
  return records.every((record) => {
    const bytes = Buffer.from(record);
    return bytes.equals(compressor.decompress(compressor.compress(bytes)));
  });
}

const store = token.offheap === 'recordstore';
const opened = store ? RecordStore.attach(token) : new Compressor(Dictionary.attach(token));
const work = () => (store ? readAll(opened) : compressAll(opened));
parentPort.postMessage(work());
while (forever) work();
