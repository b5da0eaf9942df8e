/**
 * Tests all hash functions of the library with many seeds: avalanche, sets of similar keys, crafted
 * differences, rates of Bloom filters.
 *
 *   node scripts/hash-quality.mjs [seeds, default 1000] [keys, default 100000]
 *
 * Prints the worst case of each test, and fails if one is past its bound. Takes hours with the
 * defaults. The tests contain a short form (`test/field/hash-quality.test.ts`). Needs a build (`npm
 * run build`).
 */
import * as bloom from '../dist/compress/bloom-hash.js';
import * as blob from '../dist/region/blob.js';
import * as hash from '../dist/region/hash.js';
import * as suite from './lib/hash-suite.mjs';

const [seeds = 1000, keys = 100_000] = process.argv.slice(2).map(Number);
let failed = false;

/** @param {string} what @param {number} value @param {number} bound */
function report(what, value, bound) {
  const bad = value > bound;
  if (bad) failed = true;
  console.log(
    `${bad ? 'FAIL' : 'ok  '}  ${what.padEnd(70)} ${value.toFixed(5)} (at most ${bound.toFixed(5)})`,
  );
}

for (const subject of suite.subjects({ hash, blob, bloom })) {
  report(`${subject.name}: avalanche`, suite.avalanche(subject, 10_000), 0.04);
  const samples = subject.bits === 32 ? 1000 : 50;
  report(
    `${subject.name}: sparse differences`,
    suite.differentials(subject, samples).collisions / samples,
    0.1,
  );
  if (subject.bits === 64)
    report(`${subject.name}: known differences`, suite.knownDifferentials(subject, 1e6), 400);
  for (const { name, at } of suite.patterns(subject.bits)) {
    const next = suite.random();
    let [buckets, equal] = [0, 0];
    for (let n = 0; n < seeds; n++) {
      const cost = suite.tableCost(subject.seeded(next(), next()), at, keys);
      buckets = Math.max(buckets, cost.buckets);
      equal = Math.max(equal, cost.equal);
    }
    report(`${subject.name}, ${name}: buckets per lookup`, buckets, suite.BUCKETS);
    report(`${subject.name}, ${name}: equal hashes`, equal, suite.equalHashes(keys));
  }
}
for (const [name, at] of suite.doubles) {
  const next = suite.random();
  let worst = 0;
  for (let n = 0; n < seeds; n++) worst = Math.max(worst, suite.bloomRate(bloom, [next(), next()], at, keys));
  report(`BloomFilter, ${name}: false positives, asked for 0.01`, worst, 0.013);
}
process.exitCode = failed ? 1 : 0;
