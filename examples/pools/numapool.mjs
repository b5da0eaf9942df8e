/** Memory on the node where it is used; on a machine with one node, simply a pool. */
import assert from 'node:assert/strict';
import { numa, NumaPool } from 'offheap/pools';

// In each worker one of these: blocks on the worker's own node, as long as that has room.
const local = new NumaPool({ node: 'local', capacityBytes: 1 << 20 });
const at = local.alloc(4096);
local.f64.fill(1.5, at / 8, at / 8 + 512);
console.log(`the pool says node ${local.nodeOf(at)}, the kernel ${numa.nodeOf(local.view(at, 4096))}`);
local.free(at);

// For what threads on all nodes read: blocks on all nodes in turns. Brought in now, so that pages
// have their place.
const shared = new NumaPool({ node: 'interleave', capacityBytes: 1 << 20, populate: true });
const blocks = Array.from({ length: 8 }, () => shared.alloc(1000));
for (const { id, here, elsewhere } of shared.placement()) {
  console.log(`node ${id}: ${here} pages are there, ${elsewhere} are not`);
}
const { hits, misses } = shared.stats();
assert.equal(hits, 8, 'each block is where its turn was');
assert.equal(misses, 0);
for (const block of blocks) shared.free(block);
assert.throws(() => shared.free(blocks[0]), { code: 'ERR_OFFHEAP_STALE' });
shared.close();
local.close();
