/** PackedInts: integers in as many bits as they need, outside the JavaScript heap. */
import assert from 'node:assert/strict';
import { PackedInts } from 'offheap/succinct';

// A million ages take seven bits each; an array of numbers takes 64.
const ages = PackedInts.from(Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 37) % 101));
assert.equal(ages.bitsPerValue, 7);
assert.equal(ages.at(2), 74);
assert.equal(ages.at(-1), (999_999 * 37) % 101);
console.log(`${ages.length} ages in ${ages.byteLength} bytes`);

// Many integers, or a range, in one call: to a new array, or to a given one.
assert.deepEqual(ages.getMany([0, 1, 2]), Uint32Array.of(0, 37, 74));
assert.deepEqual(ages.slice(0, 3, new Uint8Array(3)), Uint8Array.of(0, 37, 74));

// Integers wider than a number: bigints go in, and bigints come out.
const hashes = PackedInts.from([0xfeed_beef_cafe_f00dn, 42n]);
assert.equal(hashes.at(0), 0xfeed_beef_cafe_f00dn);

// Values that do not fit are rejected, and nothing is created.
assert.throws(() => PackedInts.from([1, 2, 300], { bits: 8 }), { code: 'ERR_OFFHEAP_RANGE' });

ages.close();
hashes.close();
