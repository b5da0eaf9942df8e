/**
 * Arguments of succinct structures: numbers to build from, positions to ask for, arrays to answer
 * into. Native code takes typed arrays of any element type and checks what is in them; anything
 * else iterable becomes one here.
 */
import { rangeError, typeError } from '../errors.js';
import type { AnyTypedArray } from '../region/element.js';
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
 * Where `count` answers go: the typed array for native code to fill, and what is left to do after
 * it did. `made` gives a new array where the caller brought none; `bigint` says of what kind the
 * answers are.
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
  const room = typed ? lengthOf(out) : out.length;
  if (room < count) throw rangeError(`out holds ${room} elements where there are ${count}`);
  if (typed) {
    if (isBigInts(out) !== bigint) {
      throw typeError(`out is an array of ${bigint ? 'numbers' : 'bigints'}, which these integers are not`);
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
 * An index as `TypedArray.prototype.at` takes it: negative ones count from the end. −1 for one that
 * is outside. Throws for what is no integer.
 */
export function relativeIndex(index: unknown, length: number): number {
  if (typeof index !== 'number') throw typeError(`an index is a number, not ${describe(index)}`);
  if (!Number.isInteger(index)) throw rangeError(`an index is an integer, not ${index}`);
  const at = index < 0 ? index + length : index;
  return at >= 0 && at < length ? at : -1;
}

/**
 * Bounds of a part as `TypedArray.prototype.slice` takes them: cut to [0, length], negative ones
 * from the end.
 */
export function rangeOf(start: unknown, end: unknown, length: number): [number, number] {
  const bound = (value: unknown, name: string, fallback: number): number => {
    if (value === undefined) return fallback;
    if (typeof value !== 'number') throw typeError(`${name} must be a number, not ${describe(value)}`);
    if (Number.isNaN(value)) throw rangeError(`${name} is NaN`);
    const whole = Math.trunc(value);
    return whole < 0 ? Math.max(0, whole + length) : Math.min(whole, length);
  };
  const from = bound(start, 'start', 0);
  return [from, Math.max(from, bound(end, 'end', length))];
}
