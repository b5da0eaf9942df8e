/**
 * The cost of n maps: bytes, and the pause of a full garbage collection while they are alive. The
 * contenders run one after another in this process.
 */
import { SmallMapArena } from '../../dist/smallmap/index.js';
import { serve } from '../lib/child.mjs';
import { median, nanoseconds } from '../lib/measure.mjs';

const collect = /** @type {() => void} */ (globalThis.gc);
const heap = () => {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
};
const mix = (n) => Math.imul(n ^ 0x5bd1e995, 2654435761) >>> 0;
const pause = () => median(Array.from({ length: 7 }, () => nanoseconds(collect))) / 1e6;

function plain(n, size) {
  const before = heap();
  const quiet = pause();
  const maps = new Array(n);
  for (let i = 0; i < n; i++) {
    maps[i] = new Map();
    for (let j = 0; j < size; j++) maps[i].set(mix(i * 8 + j), j + 0.5);
  }
  const bytes = heap() - before;
  const ms = pause();
  if (maps[n - 1].size !== size) throw new Error('lost a map');
  return { bytes: bytes / n, ms, quiet };
}

function ours(n, size) {
  const before = heap();
  const quiet = pause();
  const arena = new SmallMapArena({ key: 'u32', value: 'f64' });
  const last = (() => {
    let id = arena.create();
    for (let i = 0; i < n; i++) {
      if (i > 0) id = arena.create();
      for (let j = 0; j < size; j++) arena.set(id, mix(i * 8 + j), j + 0.5);
    }
    return id;
  })();
  arena.shrinkToFit();
  const bytes = heap() - before + arena.byteLength;
  const ms = pause();
  if (arena.size(last) !== size) throw new Error('lost a map');
  arena.close();
  return { bytes: bytes / n, ms, quiet };
}

serve(({ n }) => {
  const rows = [];
  for (const size of [2, 4, 8]) {
    const mine = ours(n, size);
    const theirs = plain(n, size);
    const goal = size !== 4 ? 4 : undefined;
    rows.push({
      title: `bytes for a map of ${size}`,
      unit: 'B',
      ours: mine.bytes,
      peer: 'Map',
      theirs: theirs.bytes,
      ratio: goal,
      raw: { mine, theirs },
    });
    rows.push({
      title: `full collection, maps of ${size}`,
      unit: 'ms',
      ours: mine.ms,
      peer: 'Map',
      theirs: theirs.ms,
      ratio: 50,
      raw: { mine, theirs },
    });
    // The duration of a collection before there are any maps: the lower bound of both.
    rows.push({
      title: 'full collection, before there are any maps',
      unit: 'ms',
      ours: mine.quiet,
      peer: 'Map',
      theirs: theirs.quiet,
      raw: { mine, theirs },
    });
  }
  return [{ title: `${n.toLocaleString('en-US')} maps, u32 -> f64`, rows }];
});
