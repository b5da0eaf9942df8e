/** Indices of records, in the form that native code takes. */
import { rangeError, typeError } from '../errors.js';
import { describe } from '../region/options.js';

/** A copy whose elements are numbers. Native code checks that the records exist. */
export function indexList(indices: unknown): Float64Array {
  if (indices instanceof Float64Array || indices instanceof Uint32Array || indices instanceof Int32Array) {
    return new Float64Array(indices);
  }
  if (typeof indices !== 'object' || indices === null) {
    throw typeError(`indices must be an array of numbers, not ${describe(indices)}`);
  }
  const list = Array.from(indices as ArrayLike<unknown>);
  for (const index of list) {
    if (typeof index !== 'number') throw typeError(`an index is a number, not ${describe(index)}`);
    if (!Number.isInteger(index)) throw rangeError(`an index is an integer, not ${index}`);
  }
  return Float64Array.from(list as number[]);
}
