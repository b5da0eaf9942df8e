/**
 * What scripts/numa-guest.sh runs under Node in a guest with several nodes: NumaPool, and its pages
 * asked back.
 */
import assert from 'node:assert/strict';
import { numa, NumaPool } from './dist/pools/index.js';

const { nodes } = numa.topology();
console.log(`nodes ${nodes.map(({ id }) => id).join(' ')}, this thread on ${numa.topology().current}`);

for (const populate of [false, true]) {
  for (const hugePages of [false, true]) {
    const pool = new NumaPool({ node: 'interleave', capacityBytes: 8 << 20, populate, hugePages });
    const blocks = Array.from({ length: 40 }, (_, n) => pool.alloc(n % 2 === 0 ? 70_000 : 3000));
    for (const [n, at] of blocks.entries()) {
      const block = pool.view(at, n % 2 === 0 ? 70_000 : 3000).fill(n);
      assert.equal(pool.nodeOf(at), nodes[n % nodes.length].id);
      assert.equal(numa.nodeOf(block), pool.nodeOf(at));
    }
    const placement = pool.placement();
    console.log(`populate ${populate}, huge pages ${hugePages}:`, JSON.stringify(placement));
    for (const { here, elsewhere, nowhere } of placement) {
      assert.ok(here > 0 && elsewhere === 0 && (nowhere === 0 || !populate));
    }
    for (const at of blocks) pool.free(at);
    pool.validate();
    pool.close();
  }
}

// One node; and that node full.
const last = nodes.at(-1).id;
const pool = new NumaPool({ node: last, capacityBytes: 1 << 20 });
assert.equal(numa.nodeOf(pool.view(pool.alloc(5000), 5000).fill(1)), last);
const both = new NumaPool({ policy: 'local', capacityBytes: 1 << 20 });
const largest = both.stats().largestBytes;
let blocks = 0;
for (let at; (at = both.tryAlloc(largest, last)) >= 0; blocks++) {
  assert.equal(numa.nodeOf(both.view(at, largest).fill(1)), both.nodeOf(at));
}
const { hits, misses } = both.stats();
assert.deepEqual({ hits, misses }, { hits: 4, misses: 4 * (nodes.length - 1) });
console.log(`${blocks} blocks for node ${last}: ${hits} there, ${misses} on the others when it was full`);
