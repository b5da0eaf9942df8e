/** Helpers of this suite: races between our structures and peers, and query values. */
import { compile, race } from '../lib/measure.mjs';

/**
 * A contender. `body` iterates over queries `a[from]` to `a[to - 1]` and returns a checksum.
 *
 * @typedef {object} Contender
 * @property {string} body of a function of `(m, a, out, from, to)`, and of the helpers
 * @property {any[]} on instances that pass through its one loop
 * @property {any[]} [queries] of each instance, if they differ from those of the others
 * @property {Record<string, Function>} [helpers]
 * @property {boolean} [slow] takes microseconds per query, so that only a few are made
 */

/** The number of queries of a slow contender. */
const SLOW = 8;

/**
 * Races contenders and returns nanoseconds per query.
 *
 * @param {boolean} quick
 * @param {Record<string, Contender>} contenders
 * @param {{ queries: any[], whole?: boolean, check?: boolean }} plan `queries` of each instance;
 * `whole`: one pass is over all of them; `check`: all must return the same
 */
export function rally(quick, contenders, { queries, whole = false, check = true }) {
  const lanes = Object.entries(contenders).map(([name, contender]) => {
    const { body, on, queries: asked = queries, helpers = {}, slow = false } = contender;
    const given = Object.values(helpers);
    const compiled = compile(body, [...Object.keys(helpers), 'm, a, out, from, to'].join(', '));
    const out = new Float64Array(asked[0].length);
    const once = (/** @type {number} */ from, /** @type {number} */ to) => {
      let sum = 0;
      for (let i = 0; i < on.length; i++) sum += compiled(...given, on[i], asked[i], out, from, to);
      return sum;
    };
    const { length } = asked[0];
    if (!whole) return { name, warm: once, run: once, limit: slow ? SLOW : length, units: on.length };
    const passes = (/** @type {number} */ from, /** @type {number} */ to) => {
      let sum = 0;
      for (let pass = from; pass < to; pass++) sum = once(0, length);
      return sum;
    };
    return { name, warm: passes, run: passes, limit: 1 << 16, units: on.length * length };
  });
  // Many short rounds, so that on a busy machine the median is a round without interruptions.
  const plan = { rounds: quick ? 41 : 101, targetNs: 1e6, budgetNs: 2e9, least: whole ? 1 : 512, check };
  return race(lanes, plan);
}

/**
 * Races two contenders and returns a row.
 *
 * @param {string} title
 * @param {boolean} quick
 * @param {{ queries: any[], ours: Contender, peer: Contender & { name: string }, whole?: boolean,
 *   check?: boolean, goals?: { below?: number, ratio?: number } }} contest
 * @returns {import('../lib/report.mjs').Pair}
 */
export function contest(title, quick, { queries, ours, peer, whole, check, goals = {} }) {
  const { ours: a, peer: b } = rally(quick, { ours, peer }, { queries, whole, check });
  const raw = { ours: a.rounds, peer: b.rounds };
  return { title, ours: a.ns, peer: peer.name, theirs: b.ns, ...goals, raw };
}

/** xorshift: the same numbers in every run. */
export function generator(seed = 12_345) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** A loop that sums the results of all queries. */
export const every = (answer) => `let sum = 0; for (let i = from; i < to; i++) sum += ${answer}; return sum;`;

/**
 * The number of instances of `n` elements each: several, because the engine folds a lone instance
 * into the code.
 */
export const instancesOf = (/** @type {number} */ n) => (n >= 5e6 ? 2 : 3);

/** The index of the first element that is not less, as a user would write it. */
export function lowerBound(sorted, value) {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (sorted[middle] < value) from = middle + 1;
    else to = middle;
  }
  return from;
}
