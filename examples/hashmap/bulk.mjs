/** Bulk operations: one call into native code for all keys, and columns without copying. */
import assert from 'node:assert/strict';
import { HashMap } from 'offheap/hashmap';

const n = 100_000;
const ids = Uint32Array.from({ length: n }, (_, i) => Math.imul(i, 2654435761) >>> 0);
const weights = Float64Array.from(ids, (_, i) => i / 2);

const weightOf = new HashMap({ key: 'u32', value: 'f64', capacity: n });
weightOf.setMany(ids, weights);

// The values are written to an array of yours, which can be reused for the next batch.
const wanted = ids.slice(1000, 1256);
const out = new Float64Array(wanted.length);
weightOf.getMany(wanted, out);
assert.equal(out[0], 500);

// A missing key leaves its element of `out` unchanged; getManyFound also reports which keys exist.
const some = Uint32Array.of(ids[7], ids[7] + 1);
const found = weightOf.getManyFound(some, out);
assert.deepEqual([...found], [1, 0]);

// For keys that are looked up repeatedly, a handle skips hashing and comparing.
const handles = weightOf.handlesOf(wanted);
weightOf.getManyByHandle(handles, out);
assert.equal(out[255], weightOf.get(wanted[255]));

// The columns themselves, in place: scanning them is scanning plain typed arrays.
const { keys, values } = weightOf.columns();
let heaviest = 0;
for (let i = 0; i < values.length; i++) if (values[i] > values[heaviest]) heaviest = i;
assert.equal(keys[heaviest], ids[n - 1]);
console.log(`the heaviest key is ${keys[heaviest]} with ${values[heaviest]}`);
weightOf.close();
