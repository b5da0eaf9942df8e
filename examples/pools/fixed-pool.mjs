/**
 * A fixed number of blocks: allocated and freed in a few nanoseconds, read and written through
 * typed arrays.
 */
import assert from 'node:assert/strict';
import { FixedPool } from 'offheap/pools';

// Particles of six doubles each, in memory that the garbage collector does not trace.
const particles = new FixedPool({ blockSize: 48, blocks: 10_000 });
const { f64 } = particles;
const spawned = [];
for (let i = 0; i < 100; i++) {
  const at = particles.alloc(48) / 8;
  f64[at] = i;
  f64[at + 1] = i / 2;
  spawned.push(at);
}
assert.equal(f64[spawned[10] + 1], 5);
for (const at of spawned) particles.free(at * 8);
assert.throws(() => particles.free(spawned[0] * 8), { code: 'ERR_OFFHEAP_STALE' });
assert.equal(particles.stats().peakBytes, 4800);

// Several sizes: freed small blocks merge and serve larger requests.
const buffers = FixedPool.buffers(4);
const small = [];
for (let at; (at = buffers.tryAlloc(64)) >= 0;) small.push(at);
assert.equal(buffers.tryAlloc(16_384), -1);
for (const at of small) buffers.free(at);
// With `using packet = …` (TypeScript, Node 24) the block would be freed automatically.
const packet = buffers.acquire(1500);
packet.bytes.set([1, 2, 3]);
packet.free();
assert.equal(buffers.stats().usedBlocks, 0);
console.log(`${small.length} small blocks were allocated and freed; peak ${buffers.stats().peakBytes} bytes`);
