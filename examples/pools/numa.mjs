/** The NUMA nodes of this machine, and the node of a piece of memory. */
import assert from 'node:assert/strict';
import { BumpArena, numa } from 'offheap/pools';

const { nodes, current } = numa.topology();
for (const { id, cpus, memoryBytes, distances } of nodes) {
  console.log(
    `node ${id}: ${cpus.length} processors, ${memoryBytes} bytes, distances ${distances.join(' ')}`,
  );
}

// Memory on this thread's node. A page is placed when it is first written to.
const arena = new BumpArena({ numaNode: current, chunkBytes: 1 << 20 });
const block = arena.view(arena.alloc(100_000), 100_000);
block.fill(1);
assert.equal(numa.nodeOf(block), current);
console.log(`the block is on node ${numa.nodeOf(block)}`, numa.placement(block));
arena.close();
