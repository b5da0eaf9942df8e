/**
 * The queries of the log. Each is a function of its number, so any reader of the log can verify it.
 */
export const queryOf = (/** @type {number} */ i) => (Math.imul(i + 1, 2_654_435_761) ^ (i >>> 7)) >>> 0;
