/** How a file will be read, and what the system is told about it. */

/**
 * How a file will be read: not known, from front to back, here and there, or runs of some length
 * here and there.
 */
export type Pattern = 'unknown' | 'sequential' | 'random' | 'mixed';

export const PATTERNS: readonly Pattern[] = ['unknown', 'sequential', 'random', 'mixed'];
/** `OH_ADVICE_…` of each pattern. */
export const ADVICE: Record<Pattern, number> = { unknown: 5, sequential: 4, random: 3, mixed: 5 };
/** `OH_ADVICE_WILL_NEED`. */
export const WILL_NEED = 6;
/** `OH_ADVICE_HUGE_PAGES`. */
export const HUGE_PAGES = 1;
/** `OH_ADVICE_SMALL_PAGES`. */
export const SMALL_PAGES = 2;
