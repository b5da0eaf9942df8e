/** What the sections of this suite share: racing ours against a peer, and numbers to ask for. */
import { compile, race } from '../lib/measure.mjs';

/**
 * Races two bodies of `(m, a, out, from, to)`, each over several instances that pass through its one loop, and makes a row of
 * it. `body` walks queries `a[from]` to `a[to - 1]` and returns a checksum; both must return the same.
 *
 * @typedef {{ body: string, on: any[], helpers?: Record<string, Function> }} Contender
 * @param {string} title
 * @param {boolean} quick
 * @param {{ queries: any[], ours: Contender, peer: Contender & { name: string }, whole?: boolean,
 *   check?: boolean, goals?: { below?: number, ratio?: number } }} contest `queries` of each instance; `whole`: one pass
 *   is over all of them
 * @returns {import('../lib/pairs.mjs').Row}
 */
export function contest(title, quick, { queries, ours, peer, whole = false, check = true, goals = {} }) {
  const lanes = [
    { ...ours, name: 'ours' },
    { ...peer, name: 'peer' },
  ].map(({ name, body, on, helpers = {} }) => {
    const given = Object.values(helpers);
    const compiled = compile(body, [...Object.keys(helpers), 'm, a, out, from, to'].join(', '));
    const out = new Float64Array(queries[0].length);
    const once = (/** @type {number} */ from, /** @type {number} */ to) => {
      let sum = 0;
      for (let i = 0; i < on.length; i++) sum += compiled(...given, on[i], queries[i], out, from, to);
      return sum;
    };
    const { length } = queries[0];
    if (!whole) return { name, warm: once, run: once, limit: length, units: on.length };
    const passes = (/** @type {number} */ from, /** @type {number} */ to) => {
      let sum = 0;
      for (let pass = from; pass < to; pass++) sum = once(0, length);
      return sum;
    };
    return { name, warm: passes, run: passes, limit: 1 << 16, units: on.length * length };
  });
  // Many short rounds, so that on a busy machine the median is of rounds that nobody interrupted.
  const plan = { rounds: quick ? 41 : 101, targetNs: 1e6, budgetNs: 2e9, least: whole ? 1 : 512, check };
  const raced = race(lanes, plan);
  const { ours: a, peer: b } = raced;
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

/** How many instances of so many elements there are: several, or the engine folds a lone one into the code. */
export const instancesOf = (/** @type {number} */ n) => (n >= 5e6 ? 2 : 3);

/** The index of the first element that is not less: what one writes by hand. */
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
