/** The parts that the iterators of all structures have in common. */

import { typeError } from '../errors.js';

/** The items that an iterator yields. */
export const KEYS = 0;
export const VALUES = 1;
export const ENTRIES = 2;
export type IterationKind = typeof KEYS | typeof VALUES | typeof ENTRIES;

/**
 * The prototype of all built-in iterators: iterators of structures inherit from it, so they have
 * the iterator helpers (`map`, `take`) where the runtime does.
 */
export const IteratorPrototype = Object.getPrototypeOf(
  Object.getPrototypeOf([][Symbol.iterator]()),
) as object;

/**
 * The error for `next` called on another object. The iterators on hot paths keep their state in
 * plain fields: `undefined` is a field that does not exist, `null` the end.
 */
export function wrongReceiver(name: string): Error {
  return typeError(`next was called on an object that is not a ${name}`);
}
