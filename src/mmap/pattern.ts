/** How a file will be read, and what the system is told about it. */

/** How a file will be read: not known, from front to back, here and there, or runs of some length here and there. */
export type Pattern = 'unknown' | 'sequential' | 'random' | 'mixed';

export const PATTERNS: readonly Pattern[] = ['unknown', 'sequential', 'random', 'mixed'];
/** `OH_ADVICE_…` of each pattern. */
export const ADVICE: Record<Pattern, number> = { unknown: 5, sequential: 4, random: 3, mixed: 5 };
/** `OH_ADVICE_WILL_NEED`. */
export const WILL_NEED = 6;
