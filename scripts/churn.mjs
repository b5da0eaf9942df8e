/**
 * Runs a long churn by hand: entries are inserted and deleted at constant size, and neither memory
 * nor time may grow.
 *
 *   node scripts/churn.mjs [operations, default 1e8] [size, default 1e5] [key type] [value type]
 *
 * Prints a line for each tenth of the run. It fails if the map grows after the first tenth, if an
 * entry is wrong, or if `validate()` fails; the times are only printed. Needs a build (`npm run
 * build`).
 */
import { HashMap } from '../dist/hashmap/index.js';

const [operations = '1e8', size = '1e5', key = 'u32', value = 'f64'] = process.argv.slice(2);
const total = Number(operations);
const live = Number(size);
const blobs = ['string', 'bytes', 'json'];

/** @type {(n: number) => any} */
const keyOf = key === 'string' ? (n) => `key ${n}` : key.endsWith('64') && key !== 'f64' ? BigInt : (n) => n;
/** @type {(n: number) => any} */
const valueOf = blobs.includes(value) ? (n) => `value ${n}` : (n) => n & 127;

const map = new HashMap({ key, value });
for (let n = 0; n < live; n++) map.set(keyOf(n), valueOf(n));
// A handle from before the churn: it must refer to its entry until the end.
map.set(keyOf(total + live + 1), valueOf(5));
const kept = map.handleOf(keyOf(total + live + 1));

console.log(
  `${total.toLocaleString('en')} times one in, one out, of ${live.toLocaleString('en')} ${key} -> ${value}`,
);
let bytes = 0;
for (let tenth = 0; tenth < 10; tenth++) {
  const started = performance.now();
  const from = live + Math.floor((total * tenth) / 10);
  const to = live + Math.floor((total * (tenth + 1)) / 10);
  for (let n = from; n < to; n++) {
    map.set(keyOf(n), valueOf(n));
    if (!map.delete(keyOf(n - live))) throw new Error(`the entry of ${n - live} is gone`);
  }
  const nanoseconds = ((performance.now() - started) * 1e6) / Math.max(1, to - from);
  const { rearrangements, slots } = map.stats();
  console.log(
    `${tenth + 1}/10  ${nanoseconds.toFixed(0)} ns each  ${map.byteLength.toLocaleString('en')} bytes  ` +
      `${rearrangements} rearrangements  ${slots} slots`,
  );
  if (tenth === 0) bytes = map.byteLength;
  else if (map.byteLength > bytes) throw new Error(`it grew from ${bytes} to ${map.byteLength} bytes`);
  if (map.size !== live + 1) throw new Error(`${map.size} entries instead of ${live + 1}`);
}
if (map.getByHandle(kept) !== valueOf(5)) throw new Error('the handle from the beginning is stale');
map.validate();
console.log('no leak, and the contents are valid');
