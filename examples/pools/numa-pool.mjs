/** Memory on the node where it is used; on a machine with one node, an ordinary pool. */
import assert from 'node:assert/strict';
import { numa, NumaPool } from 'offheap/pools';

// One per worker: blocks on the worker's own node, as long as that node has room.
const local = new NumaPool({ node: 'local', capacityBytes: 1 << 20 });
const at = local.alloc(4096);
local.f64.fill(1.5, at / 8, at / 8 + 512);
console.log(
  `the pool reports node ${local.nodeOf(at)}, the kernel node ${numa.nodeOf(local.view(at, 4096))}`,
);
local.free(at);

// For data that threads on all nodes read: blocks on all nodes in turn. The memory is populated at
// once, so that its pages are placed.
const shared = new NumaPool({ node: 'interleave', capacityBytes: 1 << 20, populate: true });
const blocks = Array.from({ length: 8 }, () => shared.alloc(1000));
for (const { id, here, elsewhere } of shared.placement()) {
  console.log(`node ${id}: ${here} pages in place, ${elsewhere} on other nodes`);
}
const { hits, misses } = shared.stats();
assert.equal(hits, 8, 'each block is on the node whose turn it was');
assert.equal(misses, 0);
for (const block of blocks) shared.free(block);
assert.throws(() => shared.free(blocks[0]), { code: 'ERR_OFFHEAP_STALE' });
shared.close();
local.close();
