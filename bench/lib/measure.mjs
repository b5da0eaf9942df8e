/**
 * Timing. The rules that keep the numbers comparable:
 *
 * - Every contender runs its own copy of the measured loop, so that type feedback from one
 *   contender neither helps nor hurts another. The copies are made by `new Function` from texts
 *   that differ, because the engine shares code between equal texts.
 * - Several instances of a structure pass through the same loop. With a single instance, the engine
 *   would fold its fields into the code, which does not happen in real programs.
 * - Queries are computed in advance and read in order, so the harness costs less than a nanosecond.
 * - Contenders take turns within each round, so that a slow minute of the machine affects all of
 *   them.
 * - The median of the rounds is reported, and all rounds are kept.
 */

let copies = 0;

/** A copy of the loop that shares no feedback with any other copy. @param {string} body */
export function compile(body, parameters = 'm, a, b, from, to') {
  return new Function(`/* ${copies++} */ return function run(${parameters}) { ${body} }`)();
}

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((x, y) => x - y);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Nanoseconds for one call. @param {() => unknown} work */
export function nanoseconds(work) {
  const started = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - started);
}

/** The engine compiles in the background, so warm-up passes continue for at least this long. */
const WARM_MS = 20;

/**
 * Runs lanes (one for each contender) round by round, in turns.
 *
 * @typedef {object} Lane
 * @property {string} name
 * @property {(from: number, to: number) => number} warm runs every instance once over this range;
 *   returns a checksum
 * @property {(from: number, to: number) => void} run runs the measured instances over this range
 * @property {number} limit ranges end here
 * @property {number} units operations for each step of a range, over all measured instances
 * @property {() => void} [after] untimed, after each measurement
 * @property {boolean} [firstCounts] if the first pass exceeds the budget, it is the measurement
 * @property {number} [atLeast] the minimum number of steps, however slow, so that rare work is
 *   included
 *
 * @param {Lane[]} lanes
 * @param {{ rounds: number, targetNs: number, budgetNs: number, least: number, check: boolean,
 * amortized?: boolean }} plan `amortized`: the mean is reported, so that rare and long steps count
 * @returns {Record<string, { ns: number, best: number, rounds: number[], operations: number }>}
 */
export function race(lanes, { rounds, targetNs, budgetNs, least, check, amortized = false }) {
  let expected;
  const entries = lanes.map((lane) => {
    const probe = Math.min(least, lane.limit);
    // Interpreted, baseline, then optimized code. The fastest pass estimates the time of a step.
    let sum = 0;
    const first = nanoseconds(() => (sum = lane.warm(0, probe)));
    lane.after?.();
    if (lane.firstCounts === true && first > budgetNs) {
      return { lane, steps: probe, spent: first, samples: [first / (probe * lane.units)] };
    }
    let spent = Infinity;
    const started = performance.now();
    for (let pass = 0; pass < 4 || performance.now() - started < WARM_MS; pass++) {
      if (pass > 0) lane.warm(0, probe);
      lane.after?.();
      spent = Math.min(
        spent,
        nanoseconds(() => lane.run(0, probe)),
      );
      lane.after?.();
      if (spent > budgetNs / 4) break;
    }
    if (check) {
      expected ??= sum;
      if (sum !== expected) throw new Error(`${lane.name} answers ${sum} where ${expected} was expected`);
    }
    const wanted = Math.ceil((probe * targetNs) / Math.max(spent, 1));
    const steps = Math.max(1, Math.min(lane.limit, Math.max(probe, wanted, lane.atLeast ?? 0)));
    // The optimizing compiler sees the real length once before the measurement.
    if (steps > probe) {
      lane.warm(0, Math.min(steps, 1 << 17));
      lane.after?.();
    }
    return { lane, steps, spent: 0, samples: /** @type {number[]} */ ([]) };
  });
  for (let round = 0; round < rounds; round++) {
    for (const entry of entries) {
      if (entry.samples.length > 0 && entry.spent > budgetNs) continue;
      const { lane, steps } = entry;
      // Continue through the queries, so that a slow contender, which uses few of them, does not
      // repeat the same ones.
      let from = (round * steps) % lane.limit;
      if (from + steps > lane.limit) from = 0;
      const ns = nanoseconds(() => lane.run(from, from + steps));
      lane.after?.();
      entry.spent += ns;
      entry.samples.push(ns / (steps * lane.units));
    }
  }
  return Object.fromEntries(
    entries.map(({ lane, steps, samples }) => [
      lane.name,
      {
        ns: amortized ? samples.reduce((sum, ns) => sum + ns, 0) / samples.length : median(samples),
        best: Math.min(...samples),
        rounds: samples,
        operations: steps * lane.units,
      },
    ]),
  );
}

/** The total time of a lane's rounds up to which it gets more rounds. */
const SHORT_NS = 5e8;

/**
 * Work that takes milliseconds, in turns: in each round, each lane is prepared, untimed, and then
 * timed once.
 *
 * @typedef {object} Turn
 * @property {string} name
 * @property {() => void} [ready] untimed
 * @property {() => unknown} work
 *
 * @param {Turn[]} lanes
 * @param {{ rounds: number, budgetNs: number, units: number }} plan a lane that
 * has used up its budget is skipped; `units`: operations in one piece of work
 * @returns {Record<string, { ns: number, best: number, rounds: number[] }>} nanoseconds for one
 *   operation
 */
export function turns(lanes, { rounds, budgetNs, units }) {
  const entries = lanes.map((lane) => ({ lane, spent: 0, samples: /** @type {number[]} */ ([]) }));
  // On a busy machine, an interruption is long compared with short work. With many rounds, the
  // median is one that was not interrupted.
  const enough = (/** @type {number} */ round) =>
    round >= rounds && (round >= 8 * rounds || entries.some(({ spent }) => spent > SHORT_NS));
  for (let round = 0; !enough(round); round++) {
    for (const entry of entries) {
      if (entry.spent > budgetNs) continue;
      entry.lane.ready?.();
      const ns = nanoseconds(entry.lane.work);
      entry.spent += ns;
      entry.samples.push(ns / units);
    }
  }
  return Object.fromEntries(
    entries.map(({ lane: { name }, samples }) => [
      name,
      { ns: median(samples), best: Math.min(...samples), rounds: samples },
    ]),
  );
}
