/**
 * Reading of options. They are copied once, own properties only, into an object that inherits
 * nothing: a getter runs once, nothing inherited counts, and an option that does not exist is an
 * error rather than silence.
 */
import { rangeError, typeError } from '../errors.js';
import { Uncloneable } from './uncloneable.js';

export type Options = Readonly<Record<string, unknown>>;

/**
 * An object without a prototype to speak of. One by `Object.create(null)` is a hash table from the
 * start, which costs ten times this.
 */
class Bag {
  [name: string]: unknown;
}
Object.setPrototypeOf(Bag.prototype, null);
delete (Bag.prototype as { constructor?: unknown }).constructor;
Object.freeze(Bag.prototype);

/** Copies `options`, which may be absent, and refuses any name that is not in `known`. */
export function readOptions(options: unknown, known: readonly string[], what: string): Options {
  const copy = new Bag();
  if (options === undefined) return copy;
  if (typeof options !== 'object' || options === null) {
    throw typeError(`${what}: options must be an object, not ${describe(options)}`);
  }
  const names = Object.keys(options);
  // A structure has no properties that would be noticed as unknown options.
  if (names.length === 0 && options instanceof Uncloneable) {
    throw typeError(`${what}: options cannot be ${describe(options)}`);
  }
  for (const name of names) {
    if (!known.includes(name)) {
      throw typeError(`${what}: unknown option '${name}'; there are ${known.join(', ')}`);
    }
    copy[name] = (options as Record<string, unknown>)[name];
  }
  return copy;
}

/** An integer option within [min, max], or `fallback` where it is absent. */
export function integerOption<T>(
  options: Options,
  name: string,
  min: number,
  max: number,
  fallback: T,
): number | T {
  const value = options[name];
  return value === undefined ? fallback : checkInteger(value, name, min, max);
}

export function booleanOption<T>(options: Options, name: string, fallback: T): boolean | T {
  const value = options[name];
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw typeError(`${name} must be true or false, not ${describe(value)}`);
  return value;
}

/** One of a fixed set of strings. */
export function choiceOption<const C extends string>(
  options: Options,
  name: string,
  choices: readonly C[],
): C {
  const value = options[name];
  if (typeof value !== 'string' || !(choices as readonly string[]).includes(value)) {
    throw typeError(`${name} must be one of ${choices.join(', ')}, not ${describe(value)}`);
  }
  return value as C;
}

export function checkInteger(value: unknown, name: string, min: number, max: number): number {
  if (typeof value !== 'number') throw typeError(`${name} must be a number, not ${describe(value)}`);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw rangeError(`${name} must be an integer from ${min} to ${max}, not ${value}`);
  }
  return value + 0; // -0 becomes 0
}

/** A value for an error message: short, and never running code of the value's. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length <= 40 ? JSON.stringify(value) : `a string of ${value.length} characters`;
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'bigint':
      return value > -(2n ** 80n) && value < 2n ** 80n ? `${value}n` : 'a very large bigint';
    case 'function':
      return 'a function';
    case 'symbol':
      return 'a symbol';
    default:
      return value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object';
  }
}
