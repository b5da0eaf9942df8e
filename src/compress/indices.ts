/** Indices of records, in the form that native code takes. */
import { isFloat64Array, isInt32Array, isTypedArray, isUint32Array } from 'node:util/types';
import { rangeError, typeError } from '../errors.js';
import { describe } from '../region/options.js';
import { refuseDetached, type AnyTypedArray } from '../region/typed-array.js';

/** A copy whose elements are numbers. Native code checks that the records exist. */
export function indexList(indices: unknown): Float64Array {
  if (isFloat64Array(indices) || isUint32Array(indices) || isInt32Array(indices)) {
    refuseDetached(indices, 'indices');
    return new Float64Array(indices);
  }
  if (typeof indices !== 'object' || indices === null) {
    throw typeError(`indices must be an array of numbers, not ${describe(indices)}`);
  }
  if (isTypedArray(indices)) refuseDetached(indices as AnyTypedArray, 'indices');
  const list = Array.from(indices as ArrayLike<unknown>);
  for (const index of list) {
    if (typeof index !== 'number') throw typeError(`an index is a number, not ${describe(index)}`);
    if (!Number.isInteger(index)) throw rangeError(`an index is an integer, not ${index}`);
  }
  return Float64Array.from(list as number[]);
}
