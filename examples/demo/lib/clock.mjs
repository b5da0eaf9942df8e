/** Timing: the median of a few runs, the best rate, and a garbage collection on request. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The duration of a call in milliseconds, and its result. @template T @param {() => T} work */
export function timed(work) {
  const started = performance.now();
  const result = work();
  return { ms: performance.now() - started, result };
}

/** The median time of several calls, in milliseconds. @param {() => unknown} work */
export function median(work, runs = 5) {
  const times = Array.from({ length: runs }, () => timed(work).ms).sort((a, b) => a - b);
  return times[runs >> 1];
}

/**
 * Operations per second: the best of a few rounds. The contenders take turns, so that all of them
 * run under the same load. Each call performs `operations` of them.
 *
 * @param {number} operations @param {...(() => unknown)} contenders
 */
export function rates(operations, ...contenders) {
  const best = contenders.map(() => Infinity);
  for (let turn = 0; turn < 7; turn++) {
    contenders.forEach((work, i) => (best[i] = Math.min(best[i], timed(work).ms)));
  }
  return best.map((ms) => (operations * 1000) / ms);
}

/** A function that runs a full garbage collection, without a flag on the command line. */
export function collector() {
  setFlagsFromString('--expose-gc');
  return /** @type {() => void} */ (runInNewContext('gc'));
}

/** A small generator of random numbers that gives the same sequence on every run. */
export function repeatable(seed) {
  let x = seed | 0 || 1;
  return (/** @type {number} */ below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return Math.floor(((x >>> 0) / 4294967296) * below);
  };
}
