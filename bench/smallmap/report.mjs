/** The tables are those of the succinct structures: a row is one measure, ours beside one peer. */
export * from '../succinct/report.mjs';
/** @typedef {import('../succinct/report.mjs').Found} Found */
/** @typedef {import('../succinct/report.mjs').Section} Section */
/** @typedef {import('../succinct/report.mjs').Row} Row */
