/** BitVector and RankSelect: sets as bits, and the rows of a sorted table located by counting. */
import assert from 'node:assert/strict';
import { BitVector, RankSelect } from 'offheap/succinct';

// Sets of small numbers, an eighth of a byte per number, and their intersection.
const primes = new BitVector(1_000_000).fill(2, 1_000_000, true);
for (let p = 2; p * p < primes.length; p = primes.nextSetBit(p + 1)) {
  for (let multiple = p * p; multiple < primes.length; multiple += p) primes.set(multiple, false);
}
assert.equal(primes.count(), 78_498);
const twins = BitVector.fromIndices(
  primes.ones().map((p) => p + 2),
  primes.length + 2,
).and(primes);
assert.deepEqual([...twins.ones()].slice(0, 4), [5, 7, 13, 19]);

// The number of primes below a limit, and the k-th prime, without a scan.
const ranks = RankSelect.from(primes);
assert.equal(ranks.rank1(100), 25);
assert.equal(ranks.select1(9_999), 104_729);
assert.ok(ranks.overhead < 0.05);

// A table sorted by group needs no group column: it is enough to mark the first row of each group
// with a one.
const sizes = [3, 0, 5, 1];
const starts = new BitVector();
for (const size of sizes) {
  starts.push(true);
  for (let i = 0; i < size; i++) starts.push(false);
}
const groups = RankSelect.from(starts);
const groupOf = (row) => groups.select0(row) - row - 1;
const firstRow = (group) => groups.select1(group) - group;
assert.deepEqual([0, 2, 3, 7, 8].map(groupOf), [0, 0, 2, 2, 3]);
assert.deepEqual([0, 1, 2, 3].map(firstRow), [0, 3, 3, 8]);

// Many queries in one call.
assert.deepEqual([...ranks.select1Many([0, 1, 2, 3])], [2, 3, 5, 7]);

console.log(`${ranks.ones} primes below a million, ${(ranks.overhead * 100).toFixed(1)}% overhead`);
for (const structure of [primes, twins, ranks, starts, groups]) structure.close();
