/**
 * Keys and queries. Distinct keys come from a bijection on the 32-bit numbers, so that 10 million
 * of them need no set to find duplicates, and absent keys are the ones that follow.
 */

/** Queries prepared for one measurement; a power of two. */
export const QUERIES = 1 << 20;

/** The finalizer of MurmurHash3: a bijection on 32 bits. @param {number} x */
export function mix(x) {
  x ^= x >>> 16;
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** A bijection on 31 bits: distinct keys that V8 keeps as small integers. @param {number} x */
export function mix31(x) {
  x = Math.imul(x, 0x9e3779b1) & 0x7fffffff;
  x ^= x >>> 15;
  x = Math.imul(x, 0x85ebca6b) & 0x7fffffff;
  return x ^ (x >>> 13);
}

/** A small generator of its own (xorshift), so that runs repeat. @param {number} seed */
export function random(seed) {
  let x = seed | 0 || 1;
  return (/** @type {number} */ below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return Math.floor(((x >>> 0) / 4294967296) * below);
  };
}

export const PREFIX = 'user:';

/**
 * @typedef {object} Kind how keys of one kind are made
 * @property {string} title
 * @property {string} key HashMap's key type
 * @property {(i: number) => any} at returns the i-th distinct key
 * @property {(length: number) => any} array creates the array for them
 */

/** @type {Record<string, Kind>} */
export const kinds = {
  u32: {
    title: 'random u32 keys -> f64',
    key: 'u32',
    at: (i) => mix(i + 12345),
    array: (length) => new Uint32Array(length),
  },
  'smi-sequential': {
    title: 'small integer keys 0..n-1 -> f64',
    key: 'u32',
    at: (i) => i,
    array: (length) => new Uint32Array(length),
  },
  'smi-random': {
    title: 'random 31-bit integer keys -> f64',
    key: 'i32',
    at: (i) => mix31(i + 777),
    array: (length) => new Int32Array(length),
  },
  f64: {
    title: 'random f64 keys -> f64',
    key: 'f64',
    at: (i) => mix(i + 999) * 1.1 + 0.37,
    array: (length) => new Float64Array(length),
  },
  string: {
    title: `string keys ('${PREFIX}' + u32) -> f64`,
    key: 'string',
    // A string from a Buffer is flat; a concatenation would remain a pair of strings.
    at: (i) => Buffer.from(PREFIX + mix(i + 4242), 'latin1').latin1Slice(),
    array: (length) => new Array(length),
  },
};

/** @param {Kind} kind @param {number} n */
export function makeKeys(kind, n, first = 0) {
  const keys = kind.array(n);
  for (let i = 0; i < n; i++) keys[i] = kind.at(first + i);
  return keys;
}

/** Random picks out of these keys. @param {Kind} kind @param {any} keys */
export function makeQueries(kind, keys, length = QUERIES, seed = 1) {
  const pick = random(seed);
  const queries = kind.array(length);
  for (let i = 0; i < length; i++) queries[i] = keys[pick(keys.length)];
  return queries;
}

/**
 * The same strings as new objects: flat, not internalized, without a cached hash, like strings read
 * from a socket or a file.
 *
 * @param {string[]} strings
 */
export function freshCopies(strings, from = 0, to = strings.length) {
  const text = Buffer.from(strings.slice(from, to).join(''), 'latin1');
  const copies = new Array(to - from);
  for (let i = from, at = 0; i < to; i++) {
    const end = at + strings[i].length;
    copies[i - from] = text.latin1Slice(at, end);
    at = end;
  }
  return copies;
}
