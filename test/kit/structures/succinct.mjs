import { commonOperations } from './common.mjs';

/** @param {typeof import('../../../src/index.js')} offheap */
export function succinct({ BitVector, RankSelect, EliasFano, PackedInts }) {
  const every = (step, length) => {
    const bits = new BitVector(length);
    for (let at = 0; at < length; at += step) bits.set(at);
    return bits;
  };
  const values = Array.from({ length: 1000 }, (_, i) => i * 7 + (i % 5));
  const list = (s) => [...s];

  const bitVector = {
    name: 'BitVector',
    kind: 'bitvector',
    Class: BitVector,
    make: () => every(3, 3000),
    contents: list,
    metadataWords: 64,
    golden: ['bitvector-1000'],
    iterator: (s) => s[Symbol.iterator](),
    operations: {
      ...commonOperations(list),
      length: { run: (s) => s.length, result: 3000 },
      get: { run: (s) => [s.get(3), s.get(4), s.get(3000)], result: [true, false, undefined] },
      count: { run: (s) => [s.count(), s.count(1, 9)], result: [1000, 2] },
      nextSetBit: { run: (s) => s.nextSetBit(1), result: 3 },
      nextClearBit: { run: (s) => s.nextClearBit(3), result: 4 },
      ones: { run: (s) => s.ones(0, new Float64Array(3)), result: 3 },
      'Symbol(Symbol.iterator)': { run: (s) => [...s].length, result: 1000 },
      set: { run: (s) => s.set(1).get(1), writes: true, result: true },
      flip: { run: (s) => s.flip(0), writes: true, result: false },
      push: { run: (s) => s.push(true), writes: true, result: 3001 },
      fill: { run: (s) => s.fill(0, 10, true).count(0, 10), writes: true, result: 10 },
      not: { run: (s) => s.not().count(), writes: true, result: 2000 },
      setMany: { run: (s) => s.setMany([1, 2]).count(0, 3), writes: true, result: 3 },
      and: { run: (s) => s.and(every(2, 3000)).count(), writes: true, result: 500 },
      or: { run: (s) => s.or(every(2, 3000)).count(), writes: true, result: 2000 },
      xor: { run: (s) => s.xor(every(3, 3000)).count(), writes: true, result: 0 },
      andNot: { run: (s) => s.andNot(every(2, 3000)).count(), writes: true, result: 500 },
      resize: { run: (s) => s.resize(10).length, writes: true, result: 10 },
      clear: { run: (s) => s.clear(), writes: true },
      reserve: { run: (s) => s.reserve(9000).length, writes: true, result: 3000 },
      shrinkToFit: { run: (s) => s.shrinkToFit().length, writes: true, result: 3000 },
    },
    misuse: (s, attempt) => {
      for (const at of [0, 1, 2999, 3000, 2 ** 31]) attempt(() => s.get(at));
      for (const at of [0, 1, 2999]) attempt(() => s.nextClearBit(Number(s.nextSetBit(at)) + 1));
      attempt(() => s.count(s.length >> 1));
      attempt(() => s.set(s.length - 1));
      attempt(() => s.push(true));
    },
  };

  const rankSelect = (variant, golden) => ({
    name: 'RankSelect',
    kind: 'rankselect',
    Class: RankSelect,
    immutable: true,
    make: () => RankSelect.from(every(3, 3000), { variant }),
    contents: (s) => [...s.select1Many(Uint32Array.from({ length: s.ones }, (_, i) => i))],
    metadataWords: 64 + 100,
    golden: [golden],
    operations: {
      ...commonOperations((s) => s.ones),
      length: { run: (s) => s.length, result: 3000 },
      ones: { run: (s) => s.ones, result: 1000 },
      zeros: { run: (s) => s.zeros, result: 2000 },
      variant: { run: (s) => s.variant, result: variant },
      overhead: { run: (s) => typeof s.overhead, result: 'number' },
      get: { run: (s) => [s.get(3), s.get(4)], result: [true, false] },
      rank1: { run: (s) => s.rank1(1000), result: 334 },
      rank0: { run: (s) => s.rank0(1000), result: 666 },
      select1: { run: (s) => [s.select1(10), s.select1(1000)], result: [30, undefined] },
      select0: { run: (s) => s.select0(2), result: 4 },
      rank1Many: { run: (s) => s.rank1Many([0, 1000]), result: [0, 334] },
      rank0Many: { run: (s) => s.rank0Many([0, 1000]), result: [0, 666] },
      select1Many: { run: (s) => s.select1Many([0, 10]), result: [0, 30] },
      select0Many: { run: (s) => s.select0Many([0, 2]), result: [1, 4] },
    },
    misuse: (s, attempt) => {
      for (const at of [0, 1, 500, 511, 512, s.length >> 1, s.length]) {
        for (const method of ['rank1', 'rank0', 'get', 'select1', 'select0']) attempt(() => s[method](at));
        attempt(() => s.rank1Many([at]));
      }
      attempt(() => s.select1Many([0, s.ones - 1, s.ones >> 1]));
      attempt(() => s.select0Many([0, s.zeros - 1, s.zeros >> 1]));
    },
  });

  const eliasFano = {
    name: 'EliasFano',
    kind: 'eliasfano',
    Class: EliasFano,
    immutable: true,
    make: () => EliasFano.from(values),
    contents: list,
    metadataWords: 64 + 100,
    golden: ['eliasfano-even', 'eliasfano-clusters'],
    iterator: (s) => s[Symbol.iterator](),
    operations: {
      ...commonOperations(list),
      length: { run: (s) => s.length, result: 1000 },
      at: { run: (s) => [s.at(3), s.at(-1), s.at(1000)], result: [24, 6997, undefined] },
      rank: { run: (s) => s.rank(3000), result: 429 },
      nextGeq: { run: (s) => s.nextGeq(25), result: 32 },
      getMany: { run: (s) => s.getMany([3, 4]), result: [24, 32] },
      rankMany: { run: (s) => s.rankMany([0, 3000]), result: [0, 429] },
      slice: { run: (s) => s.slice(0, 3), result: [0, 8, 16] },
      'Symbol(Symbol.iterator)': { run: (s) => [...s], result: values },
    },
    misuse: (s, attempt) => {
      for (const index of [0, 1, 500, 999, -1]) attempt(() => s.at(index));
      for (const at of [0, 5, 999, s.length - 1]) attempt(() => s.getMany([at]));
      attempt(() => s.slice(0, 100));
      for (const value of [0, 1, 3000.5, 6996, 7000, 1e9]) {
        attempt(() => s.rank(value));
        attempt(() => s.nextGeq(value));
      }
      attempt(() => s.rankMany([0, 3000, 1e9]));
    },
  };

  const packedInts = {
    name: 'PackedInts',
    kind: 'packedints',
    Class: PackedInts,
    immutable: true,
    make: () => PackedInts.from(values),
    contents: list,
    metadataWords: 64,
    golden: ['packedints-10', 'packedints-64'],
    iterator: (s) => s[Symbol.iterator](),
    operations: {
      ...commonOperations(list),
      length: { run: (s) => s.length, result: 1000 },
      bitsPerValue: { run: (s) => s.bitsPerValue, result: 13 },
      at: { run: (s) => [s.at(3), s.at(-1), s.at(1000)], result: [24, 6997, undefined] },
      getMany: { run: (s) => s.getMany([3, 4]), result: [24, 32] },
      slice: { run: (s) => s.slice(0, 3), result: [0, 8, 16] },
      'Symbol(Symbol.iterator)': { run: (s) => [...s], result: values },
    },
    misuse: (s, attempt) => {
      for (const index of [0, 1, 500, 999, -1]) attempt(() => s.at(index));
      for (const at of [0, 5, 999, s.length - 1]) attempt(() => s.getMany([at]));
      attempt(() => s.slice(0, 100));
    },
  };

  /** Every bit set: a variant without samples. */
  const constant = {
    ...rankSelect('flat', 'rankselect-flat'),
    make: () => RankSelect.from(new BitVector(1000).not(), { variant: 'auto' }),
    contents: (s) => [s.length, s.ones, s.zeros, s.variant],
    golden: [],
    metadataWords: 64,
    // The header is all: there are no contents to change.
    series: [
      ['fromBytes', 'bits'],
      ['fromBytes', 'words'],
      ['attach', 'bits'],
      ['attach', 'words'],
      ['open r', 'words'],
      ['open rw', 'lengths'],
    ],
  };
  constant.operations = Object.fromEntries(
    Object.entries(constant.operations).map(([name, { run }]) => [name, { run }]),
  );
  Object.assign(constant.operations, {
    select0: { run: (s) => s.select0(0) },
    select0Many: { run: (s) => s.select0Many([]) },
    rank1: { run: (s) => s.rank1(1000), result: 1000 },
    rank0: { run: (s) => s.rank0(1000), result: 0 },
    select1: { run: (s) => [s.select1(999), s.select1(1000)], result: [999, undefined] },
  });

  return {
    'bit vector': bitVector,
    'rank/select, flat': rankSelect('flat', 'rankselect-flat'),
    'rank/select, interleaved': rankSelect('interleaved', 'rankselect-interleaved'),
    'rank/select, sparse': rankSelect('sparse', 'rankselect-sparse'),
    'rank/select, constant': constant,
    'Elias-Fano': eliasFano,
    'packed integers': packedInts,
  };
}
