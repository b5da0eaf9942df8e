/**
 * The operations beyond `get` and `set` that all maps of this package have, and the checks and
 * options that they share.
 *
 * `methods` is the prototype of the map's class: like the methods of `Map`, these functions do not
 * call methods that a subclass overrides.
 */
import { rangeError, typeError } from '../errors.js';
import { describe, type Options } from './options.js';
import { randomSeed } from './region.js';

interface MapMethods<K, V> {
  get(key: K): V | undefined;
  has(key: K): boolean;
  set(key: K, value: V): unknown;
}

export function checkFunction(callback: unknown): void {
  if (typeof callback !== 'function') throw typeError(`${describe(callback)} is not a function`);
}

/** Adds the entries that were given to a constructor. Calls `set` of a subclass, as `Map` does. */
export function addEntries<K, V>(
  map: Pick<MapMethods<K, V>, 'set'>,
  entries: Iterable<readonly [K, V]> | null | undefined,
): void {
  if (entries === undefined || entries === null) return;
  if (typeof (entries as { [Symbol.iterator]?: unknown })[Symbol.iterator] !== 'function') {
    throw typeError(`the entries must be an iterable of [key, value], not ${describe(entries)}`);
  }
  for (const entry of entries) {
    if (typeof entry !== 'object' || entry === null) {
      throw typeError(`an iterable of entries has ${describe(entry)} where [key, value] should be`);
    }
    map.set(entry[0], entry[1]);
  }
}

/** The key as a callback receives it: -0 is 0, as in a `Map`. */
export function normalized<K>(key: K): K {
  return (key === 0 ? 0 : key) as K;
}

/** The value of a key; if the key is missing, `value` is inserted first. */
export function getOrInsert<K, V>(methods: MapMethods<K, V>, map: MapMethods<K, V>, key: K, value: V): V {
  const found = methods.get.call(map, key);
  if (found !== undefined || methods.has.call(map, key)) return found as V;
  methods.set.call(map, key, value);
  return methods.get.call(map, key) as V;
}

/** The value of a key; if the key is missing, `compute(key)` is inserted first. */
export function getOrInsertComputed<K, V>(
  methods: MapMethods<K, V>,
  map: MapMethods<K, V>,
  key: K,
  compute: (key: K) => V,
): V {
  checkFunction(compute);
  const found = methods.get.call(map, key);
  if (found !== undefined || methods.has.call(map, key)) return found as V;
  methods.set.call(map, key, compute(normalized(key)));
  return methods.get.call(map, key) as V;
}

/** Sets a key to `change(value, key)`, and returns the new value. */
export function update<K, V>(
  methods: MapMethods<K, V>,
  map: MapMethods<K, V>,
  key: K,
  change: (value: V | undefined, key: K) => V,
): V {
  checkFunction(change);
  const value = change(methods.get.call(map, key), normalized(key));
  methods.set.call(map, key, value);
  return value;
}

/** The `seed` option as two words; random if it is absent. */
export function seedOption(options: Options): readonly [number, number] {
  const { seed } = options;
  if (seed === undefined) return randomSeed();
  if (typeof seed !== 'bigint' || BigInt.asUintN(64, seed) !== seed) {
    const message = `seed must be a bigint from 0 to 2^64 - 1, not ${describe(seed)}`;
    throw typeof seed === 'bigint' ? rangeError(message) : typeError(message);
  }
  return [Number(BigInt.asIntN(32, seed)), Number(BigInt.asIntN(32, seed >> 32n))];
}
