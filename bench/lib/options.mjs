/**
 * Rejects unknown words of an option, which would silently measure nothing.
 * @param {string} option
 * @param {string[] | undefined} words
 * @param {string[]} names
 */
export function known(option, words, names) {
  const unknown = words?.filter((word) => !names.includes(word)) ?? [];
  if (unknown.length > 0)
    throw new Error(`--${option} accepts ${names.join(', ')}, not ${unknown.join(', ')}`);
}
