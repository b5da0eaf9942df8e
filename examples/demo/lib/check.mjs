/** Counts the compared answers, and keeps the first few that differ. */

export class Checks {
  compared = 0;
  /** @type {string[]} */
  wrong = [];
  wrongCount = 0;

  /**
   * Both answers must be the same value.
   * @param {string} what
   * @param {unknown} ours
   * @param {unknown} expected
   */
  same(what, ours, expected) {
    this.compared++;
    if (!Object.is(ours, expected)) this.fail(`${what}: ${String(ours)}, expected ${String(expected)}`);
  }

  /** Both lists must contain the same values in the same order. */
  sameList(what, ours, expected) {
    this.same(`number of ${what}`, ours.length, expected.length);
    for (let i = 0; i < Math.min(ours.length, expected.length); i++) {
      this.compared++;
      if (!Object.is(ours[i], expected[i])) this.fail(`${what} [${i}]: ${ours[i]}, expected ${expected[i]}`);
    }
  }

  fail(message) {
    this.wrongCount++;
    if (this.wrong.length < 10) this.wrong.push(message);
  }
}
