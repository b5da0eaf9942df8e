/**
 * The queries of the log: each is known by its number, so whoever reads the log can tell that it is
 * right.
 */
export const queryOf = (/** @type {number} */ i) => (Math.imul(i + 1, 2_654_435_761) ^ (i >>> 7)) >>> 0;
