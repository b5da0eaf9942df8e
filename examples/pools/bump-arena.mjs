/** Memory that is released all at once: the temporaries of one request, frame, or message. */
import assert from 'node:assert/strict';
import { BumpArena } from 'offheap/pools';

const arena = new BumpArena({ chunkBytes: 1 << 20 });

/** The mean of the numbers common to two arrays, with temporaries that need no collector. */
function meanOfCommon(a, b) {
  return arena.scope(() => {
    const seen = arena.alloc(1000);
    arena.u8.fill(0, seen, seen + 1000);
    for (const number of a) arena.u8[seen + number] = 1;
    // A nested scope for the list, which is aligned to 64 bytes.
    return arena.scope(() => {
      const list = arena.alloc(8 * b.length, 64) / 8;
      let count = 0;
      for (const number of b) if (arena.u8[seen + number] === 1) arena.f64[list + count++] = number;
      return arena.f64.subarray(list, list + count).reduce((sum, x) => sum + x, 0) / count;
    });
  });
}

assert.equal(meanOfCommon([1, 2, 3, 500], [3, 500, 999, 1]), 168);
assert.equal(arena.stats().usedBytes, 0, 'everything is released');

// Without scopes, blocks stay allocated until the next reset.
const points = Array.from({ length: 100 }, (_, i) => {
  const at = arena.alloc(16) / 8;
  arena.f64[at] = i;
  arena.f64[at + 1] = i * i;
  return at;
});
assert.equal(arena.f64[points[7] + 1], 49);
arena.reset();
assert.throws(() => arena.view(points[7] * 8, 16), { code: 'ERR_OFFHEAP_STALE' });
console.log(`${arena.stats().peakBytes} bytes at the peak, ${arena.stats().usedBytes} now`);
arena.close();
