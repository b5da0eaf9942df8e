/**
 * Arguments of succinct structures: numbers to build from, positions to query, arrays for results.
 * Native code accepts typed arrays of any element type and checks their elements; any other
 * iterable is converted to a typed array here.
 */
import { rangeError, typeError } from '../errors.js';
import { refuseDetached, type AnyTypedArray } from '../region/typed-array.js';
import { isBigInts, isNumbers, lengthOf } from '../region/numbers.js';
import { describe } from '../region/options.js';

export {
  isBigInts,
  isNumbers,
  lengthOf,
  toNumbers,
  type BigIntArray,
  type NumberArray,
} from '../region/numbers.js';

/**
 * The destination of `count` results: the typed array for native code to fill, and a function that
 * completes the call afterward. `made` creates an array if the caller passed none; `bigint` tells
 * whether the results are bigints.
 */
export function answers(
  out: unknown,
  count: number,
  bigint: boolean,
  made: (count: number) => AnyTypedArray,
): { native: AnyTypedArray; finish: () => unknown } {
  if (out === undefined) {
    const array = made(count);
    return { native: array, finish: () => array };
  }
  if (typeof out !== 'object' || out === null) throw typeError(`out must be an array, not ${describe(out)}`);
  const typed = isNumbers(out);
  if (!typed && !Array.isArray(out)) throw typeError('out must be an array or a typed array of numbers');
  if (typed) refuseDetached(out, 'out');
  const room = typed ? lengthOf(out) : out.length;
  if (room < count) throw rangeError(`out has room for ${room} of ${count} elements`);
  if (typed) {
    if (isBigInts(out) !== bigint) {
      throw typeError(`out must be an array of ${bigint ? 'bigints' : 'numbers'}`);
    }
    return { native: out, finish: () => out };
  }
  const array = made(count);
  const list: unknown[] = out;
  return {
    native: array,
    finish: () => {
      for (let i = 0; i < count; i++) list[i] = array[i];
      return list;
    },
  };
}

/**
 * An index with the semantics of `TypedArray.prototype.at`: negative indices count from the end,
 * fractions are cut off, and NaN is 0. Returns −1 for an index out of range.
 */
export function relativeIndex(index: unknown, length: number): number {
  if (typeof index !== 'number') throw typeError(`an index must be a number, not ${describe(index)}`);
  const whole = Number.isNaN(index) ? 0 : Math.trunc(index);
  const at = whole < 0 ? whole + length : whole + 0;
  return at >= 0 && at < length ? at : -1;
}

/**
 * Bounds with the semantics of `TypedArray.prototype.slice`: clamped to [0, length], negative ones
 * from the end.
 */
export function rangeOf(start: unknown, end: unknown, length: number): [number, number] {
  const bound = (value: unknown, name: string, fallback: number): number => {
    if (value === undefined) return fallback;
    if (typeof value !== 'number') throw typeError(`${name} must be a number, not ${describe(value)}`);
    if (Number.isNaN(value)) throw rangeError(`${name} cannot be NaN`);
    const whole = Math.trunc(value);
    return whole < 0 ? Math.max(0, whole + length) : Math.min(whole, length);
  };
  const from = bound(start, 'start', 0);
  return [from, Math.max(from, bound(end, 'end', length))];
}
