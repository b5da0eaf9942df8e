/** The slowest single calls of many, while a map grows, evicts, and is saved. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { SharedMap } from '../../dist/sharedmap/index.js';
import { count } from '../lib/table.mjs';

/** Calls between two turns of the event loop, so that a snapshot can begin and end. */
const TURN = 50_000;

/**
 * Calls `set` with new keys.
 * @param {{ set(key: number, value: number): unknown }} into @param {number} calls
 * @param {() => void} [half] called after half of the calls
 * @returns {Promise<Float64Array>} milliseconds of each, sorted
 */
async function timed(into, calls, half) {
  const spent = new Float64Array(calls);
  for (let i = 0; i < calls; i += TURN) {
    if (i >= calls / 2 && half !== undefined) {
      half();
      half = undefined;
    }
    for (let k = i; k < Math.min(i + TURN, calls); k++) {
      const started = performance.now();
      into.set(k, k);
      spent[k] = performance.now() - started;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return spent.sort();
}

/** @param {{ quick: boolean }} options */
export async function worst({ quick }) {
  const calls = quick ? 1e6 : 1e7;
  const n = calls / 4;
  const within = mkdtempSync(join(tmpdir(), 'offheap-bench-'));
  const map = new SharedMap({ key: 'u32', value: 'f64', maxBytes: n * 36 });
  /** @type {Promise<unknown>[]} */
  const saves = [];
  const ours = await timed(map, calls, () => saves.push(map.save(join(within, 'saved'))));
  await Promise.all(saves);
  const theirs = await timed(new LRUCache({ max: n }), calls);
  rmSync(within, { recursive: true });
  const at = (/** @type {Float64Array} */ spent, /** @type {number} */ share) => ({
    value: spent[Math.min(spent.length - 1, Math.floor(spent.length * share))] * 1000,
  });
  return [
    { title: 'median', share: 0.5 },
    { title: '99.99%', share: 0.9999, goals: [{ below: 100 }] },
    { title: 'slowest', share: 1 },
  ].map(({ title, share, goals }) => ({
    title: `${title} of ${count(calls)}`,
    unit: 'µs',
    results: { SharedMap: at(ours, share), 'lru-cache': at(theirs, share) },
    goals,
  }));
}
