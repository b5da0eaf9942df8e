/** Memory that is given back all at once: what one request, frame or message needs. */
import assert from 'node:assert/strict';
import { BumpArena } from 'offheap/pools';

const arena = new BumpArena({ chunkBytes: 1 << 20 });

/** The mean of what two arrays of numbers have in common, with temporaries that nobody collects. */
function meanOfCommon(a, b) {
  return arena.scope(() => {
    const seen = arena.alloc(1000);
    arena.u8.fill(0, seen, seen + 1000);
    for (const number of a) arena.u8[seen + number] = 1;
    // A scope of its own for the list; alignment where vector code wants it.
    return arena.scope(() => {
      const list = arena.alloc(8 * b.length, 64) / 8;
      let count = 0;
      for (const number of b) if (arena.u8[seen + number] === 1) arena.f64[list + count++] = number;
      return arena.f64.subarray(list, list + count).reduce((sum, x) => sum + x, 0) / count;
    });
  });
}

assert.equal(meanOfCommon([1, 2, 3, 500], [3, 500, 999, 1]), 168);
assert.equal(arena.stats().usedBytes, 0, 'all of it is free again');

// Without scopes: everything until the next reset.
const points = Array.from({ length: 100 }, (_, i) => {
  const at = arena.alloc(16) / 8;
  arena.f64[at] = i;
  arena.f64[at + 1] = i * i;
  return at;
});
assert.equal(arena.f64[points[7] + 1], 49);
arena.reset();
assert.throws(() => arena.view(points[7] * 8, 16), { code: 'ERR_OFFHEAP_STALE' });
console.log(`${arena.stats().peakBytes} bytes at most, ${arena.stats().usedBytes} now`);
arena.close();
