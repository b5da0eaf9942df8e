/**
 * Statistical tests of hash functions, after SMHasher (Appleby; Urban): avalanche, sets of similar
 * keys, crafted differences, and the cost that a hash table or a Bloom filter has with them.
 *
 * `scripts/hash-quality.mjs` runs them with many seeds, `test/field/hash-quality.test.ts` with a
 * few; `native/core/tests/hash_quality.rs` is the same for Rust.
 *
 * A hash function under test maps a key, given as its low and high word, to 32 bits. Functions for
 * 4-byte keys ignore the high word.
 *
 * @typedef {(low: number, high: number) => number} Hash
 * @typedef {(seed0: number, seed1: number) => Hash} Seeded
 * @typedef {{ name: string, bits: 32 | 64, seeded: Seeded }} Subject
 * @typedef {{ name: string, at: (i: number) => [number, number] }} Pattern
 */

/** Random 32-bit integers, the same in every run (xorshift). @param {number} state */
export function random(state = 0x9e3779b9) {
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.imul(state, 0x2c1b3c6d) ^ (state >>> 16);
  };
}

/** @param {number} x */
function swapBytes(x) {
  return ((x & 255) << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);
}

/** @param {number} x */
function reverseBits(x) {
  let y = 0;
  for (let i = 0; i < 32; i++) y |= ((x >>> i) & 1) << (31 - i);
  return y;
}

/** The words with at most five bits set, those with fewer bits first. */
const sparse = (() => {
  const found = new Uint32Array(242_825);
  let at = 1;
  for (let ones = 1; ones <= 5; ones++) {
    // Gosper's enumeration of the numbers with this many ones, in double precision.
    for (let x = 2 ** ones - 1; x < 2 ** 32;) {
      found[at++] = x;
      const lowest = 2 ** (31 - Math.clz32(x & -x));
      const ripple = x + lowest;
      x = ripple + Math.floor(((x ^ ripple) >>> 0) / lowest / 4);
      if (ripple >= 2 ** 32) break;
    }
  }
  return found;
})();

/** Sets of 4-byte keys. @type {[string, (i: number) => number][]} */
const words = [
  ['sequential', (i) => i],
  ['sequential from 10^9', (i) => 1e9 + i],
  ['stride 1000', (i) => i * 1000],
  ...[11, 12, 13, 14, 15].map(
    (k) => /** @type {[string, (i: number) => number]} */ ([`stride 2^${k}`, (i) => i * 2 ** k]),
  ),
  ['high half only', (i) => (i << 16) | (80 + (i >>> 16))],
  ['byte-swapped counter', swapBytes],
  ['byte-swapped 10.x.y.z', (i) => swapBytes(0x0a000000 + i)],
  ['IPv4 10.x.y.z', (i) => 0x0a000000 + i],
  ['IPv4 with two free bytes apart', (i) => ((i & 0xff) << 24) | (i >>> 8)],
  ['bit-reversed', reverseBits],
  ['seconds since 1970', (i) => 1_700_000_000 + i],
  ['every minute', (i) => 1_000_000_000 + i * 60],
  ['sparse', (i) => sparse[i]],
];

const number = new Float64Array(1);
const numberWords = new Int32Array(number.buffer);

/** The words of a double. @param {number} value @returns {[number, number]} */
export function wordsOf(value) {
  number[0] = value;
  return [numberWords[0], numberWords[1]];
}

/** Sets of doubles. @type {[string, (i: number) => number][]} */
export const doubles = [
  ['random', (i) => (Math.imul(i, 0x9e3779b1) >>> 0) + Math.imul(i, 0x85ebca6b) / 2 ** 33],
  ['from 0', (i) => i],
  ['from 1e6', (i) => 1e6 + i],
  ['from 1e8', (i) => 1e8 + i],
  ['from 1e9', (i) => 1e9 + i],
  ['from 3e9', (i) => 3e9 + i],
  ['from 1e12', (i) => 1e12 + i],
  ['IPv4 10.x.y.z', (i) => 0x0a000000 + i],
  ['seconds since 1970', (i) => 1_700_000_000 + i],
  ['milliseconds since 1970', (i) => 1.7e12 + i * 17],
  ['every minute', (i) => 1_699_999_980 + i * 60],
  ['hundredths', (i) => i / 100],
  ['stride 2^12', (i) => i * 4096],
  ['stride 2^20', (i) => i * 2 ** 20],
  ['stride 2^31', (i) => i * 2 ** 31],
  ['byte-swapped', (i) => swapBytes(i) >>> 0],
  ['bit-reversed', (i) => reverseBits(i) >>> 0],
  ['negative', (i) => -i - 1],
  ['powers', (i) => (1 + (i >>> 6) / 1024) * 2 ** (i & 63)],
];

/** The key sets for keys of this many bits. @param {32 | 64} bits @returns {Pattern[]} */
export function patterns(bits) {
  if (bits === 32) return words.map(([name, at]) => ({ name, at: (i) => [at(i) | 0, 0] }));
  return [
    ...words.map(([name, at]) => ({ name: `u64, ${name}`, at: low(at) })),
    ...words.map(([name, at]) => ({ name: `u64 high word, ${name}`, at: high(at) })),
    ...doubles.map(([name, at]) => ({
      name: `f64, ${name}`,
      at: (/** @type {number} */ i) => wordsOf(at(i)),
    })),
    // Sets of which a seventh had equal hashes under any seed in version 1, and more of the kind.
    { name: 'crafted for version 1', at: crafted },
    { name: 'high bits of both words', at: (i) => [i << 22, (i >>> 10) << 22] },
    { name: 'high bits and halves', at: (i) => [(i << 22) | ((i >>> 10) << 6), (i >>> 10) << 22] },
    { name: 'both words equal', at: (i) => [i, i] },
    { name: 'opposite words', at: (i) => [i, ~i] },
    { name: 'high bits equal', at: (i) => [(i << 16) | (i >>> 16), i << 16] },
  ];
}

/** @param {(i: number) => number} at @returns {(i: number) => [number, number]} */
function low(at) {
  return (i) => [at(i) | 0, 0];
}

/** @param {(i: number) => number} at @returns {(i: number) => [number, number]} */
function high(at) {
  return (i) => [0, at(i) | 0];
}

/** @param {number} i @returns {[number, number]} */
export function crafted(i) {
  const t = i & 1023;
  const u = (i >>> 10) & 1023;
  return [t << 22, (u << 22) ^ (u << 7)];
}

/**
 * The largest distance from one half of the probability that an output bit changes if an input bit
 * does, over random keys and seeds.
 * @param {Subject} subject @param {number} samples
 */
export function avalanche({ bits, seeded }, samples) {
  const next = random();
  const flips = new Uint32Array(bits * 32);
  for (let n = 0; n < samples; n++) {
    const hash = seeded(next(), next());
    const [a, b] = [next(), next()];
    const before = hash(a, b);
    for (let bit = 0; bit < bits; bit++) {
      const after = bit < 32 ? hash(a ^ (1 << bit), b) : hash(a, b ^ (1 << (bit - 32)));
      const changed = before ^ after;
      for (let out = 0; out < 32; out++) flips[bit * 32 + out] += (changed >>> out) & 1;
    }
  }
  return flips.reduce((worst, count) => Math.max(worst, Math.abs(count / samples - 0.5)), 0);
}

/**
 * The cost of one set of keys in the index of a HashMap that is as full as it gets.
 * @param {Hash} hash @param {Pattern['at']} at @param {number} count
 * @returns {{ buckets: number, equal: number }} the mean number of buckets that a lookup visits,
 *   and the number of keys whose 32-bit hash another key has
 */
export function tableCost(hash, at, count) {
  const wanted = Math.ceil((count * 5) / 51);
  const scale = 2 ** (29 - Math.clz32(wanted));
  const total = Math.ceil(wanted / scale) * scale;
  const exponent = Math.max(0, 29 - Math.clz32(total));
  const [multiplier, shift] = [total / 2 ** exponent, 29 - exponent];
  const load = new Uint8Array(total);
  const hashes = new Uint32Array(count);
  let visited = 0;
  for (let i = 0; i < count; i++) {
    const [a, b] = at(i);
    const h = hash(a, b);
    hashes[i] = h;
    let bucket = Math.imul(h >>> 3, multiplier) >>> shift;
    for (visited++; load[bucket] === 12; visited++) bucket = bucket + 1 === total ? 0 : bucket + 1;
    load[bucket]++;
  }
  hashes.sort();
  let equal = 0;
  for (let i = 1; i < count; i++) if (hashes[i] === hashes[i - 1]) equal++;
  return { buckets: visited / count, equal };
}

/**
 * Pairs of keys with a given difference that have equal hashes, over random seeds: searches the
 * differences of at most two bits in each word. Returns the most collisions of one difference.
 * @param {Subject} subject @param {number} samples for each difference
 */
export function differentials({ bits, seeded }, samples) {
  const next = random(0x1234567);
  const seeds = Array.from({ length: 16 }, () => seeded(next(), next()));
  const deltas = [0];
  for (let i = 0; i < 32; i++) for (let j = i; j < 32; j++) deltas.push((1 << i) | (1 << j));
  let worst = { collisions: 0, low: 0, high: 0 };
  for (const lowDelta of deltas) {
    for (const highDelta of bits === 32 ? [0] : deltas) {
      if (lowDelta === 0 && highDelta === 0) continue;
      let collisions = 0;
      for (let n = 0; n < samples; n++) {
        const hash = seeds[n % seeds.length];
        const [a, b] = [next(), next()];
        if (hash(a, b) === hash(a ^ lowDelta, b ^ highDelta)) collisions++;
      }
      if (collisions > worst.collisions) worst = { collisions, low: lowDelta >>> 0, high: highDelta >>> 0 };
    }
  }
  return worst;
}

/** Differences of the low and the high word that collided under half of all seeds in version 1. */
const KNOWN = [
  [0x80000000, 0x80010000],
  [0x80000000, 0x00010000],
  [0x40000000, 0x40008000],
  [0x80000000, 0x80000000],
  [0x80000000, 0x80018000],
];

/**
 * The number of pairs with a known difference that have equal hashes. For 8-byte keys.
 * @param {Subject} subject @param {number} samples
 */
export function knownDifferentials({ seeded }, samples) {
  const next = random(0x7654321);
  let collisions = 0;
  for (let n = 0; n < samples; n++) {
    const hash = seeded(next(), next());
    const [a, b] = [next(), next()];
    for (const [x, y] of KNOWN) if (hash(a, b) === hash(a ^ x, b ^ y)) collisions++;
  }
  return collisions;
}

/**
 * The fraction of absent keys that a Bloom filter of `count` even numbers of a set has, where the
 * absent keys are the odd ones.
 * @param {typeof import('../../src/compress/bloom-hash.js')} bloom
 * @param {[number, number]} seeds @param {(i: number) => number} at @param {number} count
 */
export function bloomRate(bloom, seeds, at, count) {
  const filter = filterOf(bloom.blocksFor(count, 0.01), seeds);
  for (let i = 0; i < count; i++) {
    bloom.hashKey(filter, at(2 * i));
    bloom.addHashed(filter);
  }
  let found = 0;
  for (let i = 0; i < count; i++) {
    bloom.hashKey(filter, at(2 * i + 1));
    if (bloom.hasHashed(filter)) found++;
  }
  return found / count;
}

/** @param {number} blocks @param {[number, number]} seeds */
function filterOf(blocks, [seed0, seed1]) {
  const words = new Int32Array(blocks * 16);
  return { words, blocks, seed0, seed1, hasReaders: false, version: 2, blockHash: 0, lanes: 0 };
}

/**
 * The hash functions of the library.
 * @param {object} modules
 * @param {typeof import('../../src/region/hash.js')} modules.hash
 * @param {typeof import('../../src/region/blob.js')} modules.blob
 * @param {typeof import('../../src/compress/bloom-hash.js')} modules.bloom
 * @returns {Subject[]}
 */
export function subjects({ hash, blob, bloom }) {
  const wide = (/** @type {number} */ map) => (/** @type {number} */ s, /** @type {number} */ t) => {
    const [m0, m1] = hash.hashMultipliers(s, t);
    return (/** @type {number} */ low, /** @type {number} */ high) =>
      hash.hashWide(low, high, map, s, t, m0, m1);
  };
  const narrow = (/** @type {number} */ map) => (/** @type {number} */ s, /** @type {number} */ t) => {
    return (/** @type {number} */ low) => hash.hashNarrow(low, map, s, t);
  };
  let nan = 0;
  const scratch = new blob.Scratch();
  const view = new Int32Array(2);
  const double = new Float64Array(view.buffer);
  const bytes = new Uint8Array(view.buffer);
  const blobs = (/** @type {number} */ length) => (/** @type {number} */ s, /** @type {number} */ t) => {
    const key = bytes.subarray(0, length);
    return (/** @type {number} */ low, /** @type {number} */ high) => {
      [view[0], view[1]] = [low, high];
      scratch.byteSequence(key);
      return scratch.hash(s, t);
    };
  };
  const filter =
    (/** @type {unknown} */ key, /** @type {'blockHash' | 'lanes'} */ half) =>
    (/** @type {number} */ s, /** @type {number} */ t) => {
      const hashed = filterOf(1, [s, t]);
      return (/** @type {number} */ low, /** @type {number} */ high) => {
        [view[0], view[1]] = [low, high];
        // All NaNs are one key: here they have hashes of their own.
        if (key === undefined && Number.isNaN(double[0])) return Math.imul(nan++, 0x9e3779b1);
        bloom.hashKey(hashed, key ?? double[0]);
        return hashed[half];
      };
    };
  return [
    { name: 'HashMap, 4-byte keys', bits: 32, seeded: narrow(0) },
    { name: 'HashMap, 8-byte keys', bits: 64, seeded: wide(0) },
    { name: 'SmallMapArena, 4-byte keys', bits: 32, seeded: narrow(0x12345) },
    { name: 'SmallMapArena, 8-byte keys', bits: 64, seeded: wide(0x12345) },
    { name: 'strings and bytes, 4 bytes', bits: 32, seeded: blobs(4) },
    { name: 'strings and bytes, 8 bytes', bits: 64, seeded: blobs(8) },
    { name: 'BloomFilter, block of numbers', bits: 64, seeded: filter(undefined, 'blockHash') },
    { name: 'BloomFilter, lanes of numbers', bits: 64, seeded: filter(undefined, 'lanes') },
    { name: 'BloomFilter, block of bytes', bits: 64, seeded: filter(bytes, 'blockHash') },
    { name: 'BloomFilter, lanes of bytes', bits: 64, seeded: filter(bytes, 'lanes') },
  ];
}

/** The most buckets that a lookup may visit on average in {@link tableCost}; random keys: 1.10. */
export const BUCKETS = 1.3;

/** A bound on equal hashes of `count` keys: three times those of random hashes, plus 20. */
export function equalHashes(/** @type {number} */ count) {
  return (3 * count ** 2) / 2 ** 33 + 20;
}
