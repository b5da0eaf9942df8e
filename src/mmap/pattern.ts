/** Access patterns of files, and the advice to the system that belongs to each. */

/**
 * The access pattern of reads: unknown, from front to back, at random positions, or in runs at
 * random positions.
 */
export type Pattern = 'unknown' | 'sequential' | 'random' | 'mixed';

export const PATTERNS: readonly Pattern[] = ['unknown', 'sequential', 'random', 'mixed'];
/** The `OH_ADVICE_…` constant of each pattern. */
export const ADVICE: Record<Pattern, number> = { unknown: 5, sequential: 4, random: 3, mixed: 5 };
/** `OH_ADVICE_WILL_NEED`. */
export const WILL_NEED = 6;
/** `OH_ADVICE_HUGE_PAGES`. */
export const HUGE_PAGES = 1;
/** `OH_ADVICE_SMALL_PAGES`. */
export const SMALL_PAGES = 2;
