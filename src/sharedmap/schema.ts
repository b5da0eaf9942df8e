/** Types, policies and options of a SharedMap. */
import { rangeError, typeError } from '../errors.js';
import { SHARED_TYPE, TYPE, type ElementType, type JsType } from '../region/element.js';
import { describe, readOptions } from '../region/options.js';

/** Types of keys: those of a HashMap. */
export type KeyType = 'u32' | 'i32' | 'f64' | 'u64' | 'i64' | 'string' | 'bytes';

/**
 * Types of values: the numeric ones, `bool`, `string`, `bytes`, `json` (anything `JSON.stringify`
 * accepts), `structured` (anything that can be cloned: dates, maps, typed arrays) and `mixed`
 * (numbers, bigints of 64 bits, booleans, strings and bytes as such, everything else as
 * `structured`).
 */
export type ValueType = Exclude<ElementType, 'any'> | 'structured' | 'mixed';

/** The JavaScript type of a value of type `V`. */
export type ValueOf<V extends ValueType> = V extends Exclude<ElementType, 'any'> ? JsType<V> : unknown;

export const KEY_TYPES: readonly KeyType[] = ['u32', 'i32', 'f64', 'u64', 'i64', 'string', 'bytes'];

function without<T extends object, const K extends keyof T>(object: T, name: K): Omit<T, K> {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== name)) as Omit<T, K>;
}

/** Codes of the types of values in a region's header. */
export const VALUE_CODES: Readonly<Record<ValueType, number>> = { ...without(TYPE, 'any'), ...SHARED_TYPE };
export const VALUE_TYPES = Object.keys(VALUE_CODES) as readonly ValueType[];

/** The type of values with this code. */
export function valueTypeOf(code: number): ValueType | undefined {
  return VALUE_TYPES.find((name) => VALUE_CODES[name] === code);
}

/** How entries are chosen for eviction. */
export type Policy = 'auto' | 's3-fifo' | 'lru' | 'lfu' | 'fifo' | 'gdsf' | 'none';
/** The policies, in the order of their codes. */
export const POLICIES: readonly Policy[] = ['auto', 's3-fifo', 'lru', 'lfu', 'fifo', 'gdsf', 'none'];

/** What a full map does with a new value. */
export type OnFull = 'evict' | 'reject';

/** When an entry expires. */
export interface ExpiryOptions {
  /** Milliseconds from now on; `Infinity`: never. Default: the map's `ttl`. */
  ttl?: number;
  /** Milliseconds since 1970, or a `Date`. */
  expiresAt?: number | Date;
}

const EXPIRY_OPTIONS = ['ttl', 'expiresAt'] as const;

/** Codes of {@link readExpiry}, as in `oh_sharedmap_write`. */
export const EXPIRY = { default: 0, never: 1, at: 2, keep: 3 } as const;

/** A time to live in milliseconds: a positive number, or `Infinity`. */
export function checkTtl(ttl: unknown, name = 'ttl'): number {
  if (typeof ttl !== 'number')
    throw typeError(`${name} must be a number of milliseconds, not ${describe(ttl)}`);
  if (!(ttl > 0)) throw rangeError(`${name} must be positive, not ${ttl}`);
  return ttl;
}

/** The time at which an entry with these options expires: `Infinity` never, `NaN` the default. */
export function readExpiry(options: unknown): number {
  if (options === undefined) return NaN;
  const { ttl, expiresAt } = readOptions(options, EXPIRY_OPTIONS, 'an entry');
  if (expiresAt !== undefined) {
    if (ttl !== undefined) throw typeError('ttl and expiresAt exclude each other');
    const time = expiresAt instanceof Date ? expiresAt.getTime() : expiresAt;
    if (typeof time !== 'number')
      throw typeError(`expiresAt must be a number or a Date, not ${describe(expiresAt)}`);
    if (!(time > 0)) throw rangeError(`expiresAt must be a time after 1970, not ${time}`);
    return time;
  }
  return ttl === undefined ? NaN : Date.now() + checkTtl(ttl);
}
