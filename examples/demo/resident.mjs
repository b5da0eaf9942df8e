/**
 * A process that contains one of the two services and nothing else. sections/collector.mjs starts
 * it.
 */
import process from 'node:process';
import { loadCities } from './lib/cities.mjs';
import { collector, median } from './lib/clock.mjs';
import { buildPlain } from './lib/plain.mjs';
import { bytesOf, buildTables } from './lib/tables.mjs';

const collect = collector();

function heapNow() {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** A separate function, so that the records it reads are garbage when it returns. */
function build() {
  const { cities } = loadCities();
  return process.argv[2] === 'plain' ? buildPlain(cities) : buildTables(cities);
}

const before = heapNow();
const service = build();
const heap = heapNow() - before;
const bytes = heap + (process.argv[2] === 'plain' ? 0 : bytesOf(/** @type {any} */ (service)));
const pauseMs = median(collect, 9);
// Used last, so that it stays alive until here.
if (Object.keys(service).length === 0) throw new Error('nothing was built');
process.send?.({ pauseMs, heap, bytes }, () => process.disconnect());
