/** NUMA, on any machine. `scripts/numa-guest.sh` runs this with several nodes. */
import { describe, expect, it } from 'vitest';
import { native } from '../../src/native.js';
import { numa } from '../../src/pools/index.js';
import { Region } from '../../src/region/region.js';
import { throws } from '../helpers/errors.js';

const ids = numa.topology().nodes.map(({ id }) => id);

describe('numa', () => {
  it('reports the nodes with their processors, memory and distances', () => {
    const { nodes, current } = numa.topology();
    expect(typeof numa.available).toBe('boolean');
    expect(nodes.length).toBeGreaterThanOrEqual(1);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(ids).toContain(current);
    nodes.forEach(({ cpus, memoryBytes, freeBytes, distances }, at) => {
      expect(distances.length).toBe(nodes.length);
      expect(distances[at]).toBe(10);
      expect(cpus.every(Number.isInteger)).toBe(true);
      expect(freeBytes).toBeLessThanOrEqual(memoryBytes);
    });
    expect(nodes.flatMap(({ cpus }) => cpus).length).toBeGreaterThanOrEqual(1);
    if (!numa.available) expect(ids).toEqual([0]);
  });

  it('has counters that never decrease', () => {
    const before = numa.stats();
    expect(before.map(({ id }) => id)).toEqual(ids);
    // Writing to this memory counts as hits. The kernel adds them up with a delay, so the only
    // certain property is that counters never decrease.
    new Uint8Array(new SharedArrayBuffer(2 ** 24)).fill(1);
    numa.stats().forEach((now, at) => {
      for (const name of ['hit', 'miss', 'foreign', 'interleaveHit', 'local', 'other'] as const) {
        expect(now[name]).toBeGreaterThanOrEqual(before[at][name]);
      }
    });
  });

  it('reports the node of memory, and none for memory that was never written to', () => {
    const pages = 64;
    const region = Region.allocate(pages * 4096, { hugePages: false, numaNode: undefined });
    const view = region.bytes.subarray(4096);
    if (numa.available) {
      expect(numa.nodeOf(view)).toBeUndefined();
      expect(numa.placement(view).pages).toEqual([]);
    }
    view.fill(1);
    expect(ids).toContain(numa.nodeOf(view));
    const { pages: placed, nowhere } = numa.placement(view);
    expect(nowhere).toBe(0);
    expect(placed.reduce((sum, { pages }) => sum + pages, 0)).toBeGreaterThanOrEqual(1);
    // Any view works, also of part of a page.
    expect(ids).toContain(numa.nodeOf(view.subarray(100, 101)));
    expect(ids).toContain(numa.nodeOf(new Float64Array(region.buffer as ArrayBuffer, 8192, 1)));
    expect(ids).toContain(numa.nodeOf(new DataView(region.buffer, 8192)));
    expect(ids).toContain(numa.nodeOf(Buffer.alloc(100, 1)));
    expect(numa.nodeOf(new Uint8Array(0))).toBeUndefined();
    for (const bad of [undefined, null, 5, 'view', {}, new ArrayBuffer(8), [1, 2]]) {
      throws(() => numa.nodeOf(bad as never), 'ERR_OFFHEAP_TYPE');
      throws(() => numa.placement(bad as never), 'ERR_OFFHEAP_TYPE');
    }
  });

  it('places memory, and populates it', () => {
    const addon = native();
    const region = Region.allocate(2 ** 18, { hugePages: false, numaNode: undefined });
    const node = ids[0];
    for (const [policy, on] of [
      [1, node],
      [2, 0],
      [3, 0],
      [0, 0],
    ]) {
      addon.numaPlace(region.bytes, policy, on, true);
      expect(numa.placement(region.bytes).nowhere).toBe(0);
    }
    throws(() => addon.numaPlace(region.bytes, 4, 0, false), 'ERR_OFFHEAP_RANGE');
    throws(() => addon.numaPlace(region.bytes, 1, 1000, false), 'ERR_OFFHEAP_RANGE', /node/);
    throws(() => addon.numaPlace(region.bytes, 2, 1, false), 'ERR_OFFHEAP_RANGE');
    throws(() => addon.numaPlace(5 as never, 2, 1, false), 'ERR_OFFHEAP_TYPE');
  });
});
