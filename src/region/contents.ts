/** How a module describes a saved structure for `offheap inspect`. */

/** Counts, sizes in bytes and names, in the order in which they are shown. */
export type Contents = Record<string, number | string>;

/**
 * Reads a structure's contents from the words of its header, after the checks that opening makes.
 * `available` is the size of the file at `path`.
 */
export type ReadContents = (words: Int32Array, available: number, path: string) => Contents;
