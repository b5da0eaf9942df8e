/**
 * Counting in WebAssembly, in JavaScript, and bit by bit; the blocks built on it; the two
 * arithmetics of the default variant.
 */
import { describe, expect, it } from 'vitest';
import { HEADER_BYTES } from '../../src/region/format.js';
import { compile, plain, type Counting } from '../../src/succinct/counting.js';
import { BitVector, RankSelect } from '../../src/succinct/index.js';
import { rankFromEnd, selectInBlock } from '../../src/succinct/rankselect/block.js';
import { ONES, ZEROS } from '../../src/succinct/rankselect/engine.js';
import { FlatWide } from '../../src/succinct/rankselect/flat64.js';
import { Flat } from '../../src/succinct/rankselect/flat.js';
import { readShape } from '../../src/succinct/rankselect/layout.js';
import { Random } from '../helpers/random.js';

const random = new Random(5);
type Eight = [number, number, number, number, number, number, number, number];
type Seven = [number, number, number, number, number, number, number];

/** Words of ones, of zeros, of few ones, of few zeros, and random ones. */
function word(): number {
  const any = (): number => random.below(2 ** 32) | 0;
  return [0, -1, 1 << random.below(32), ~(1 << random.below(32)), any(), any() & any() & any()][
    random.below(6)
  ];
}
const words = (count: number): number[] => Array.from({ length: count }, word);
const ones = (list: readonly number[]): number =>
  list.reduce((sum, x) => sum + (x >>> 0).toString(2).replaceAll('0', '').length, 0);
/** Like `toBe`, which is slow. */
const same = (found: number, wanted: number): void => {
  if (found !== wanted) expect(found).toBe(wanted);
};

describe.each<[string, Counting | undefined]>([
  ['WebAssembly', compile()],
  ['JavaScript', plain],
])('in %s', (_, counting) => {
  const { sevenAnd, eight, find } = counting!;

  it('counts the ones of words', () => {
    for (let turn = 0; turn < 500; turn++) {
      const list = words(8);
      const [seven, last] = [list.slice(0, 7) as Seven, list[7]];
      expect(eight(...(list as Eight))).toBe(ones(list));
      for (let count = 0; count < 8; count++) {
        same(sevenAnd(count, 0, ...seven, last), ones([...seven.slice(0, count), last]));
        same(sevenAnd(count, -1, ...seven, last), ones([...seven.slice(count), last]));
      }
    }
  });

  it('finds the k-th one of words', () => {
    for (let turn = 0; turn < 500; turn++) {
      const list = words(8);
      let k = 0;
      list.forEach((x, at) => {
        for (let before = 0; before < ones([x]); before++) {
          same(find(k++, ...(list.slice(0, 7) as Seven)), at * 32 + before);
        }
      });
    }
  });
});

it('computes every rank and select of a block', () => {
  for (let turn = 0; turn < 200; turn++) {
    const block = Int32Array.from([7, ...words(16), 7]);
    const bits = Array.from({ length: 512 }, (_, i) => (block[1 + (i >>> 5)] >>> (i & 31)) & 1);
    const total = bits.reduce((a, b) => a + b, 0);
    let before = 0;
    bits.forEach((bit, i) => {
      same(rankFromEnd(block, 1, i, i < 256 ? 0 : -1), i < 256 ? before : before - total);
      if (bit === 1) same(selectInBlock(block, 1, before, ONES), i);
      else same(selectInBlock(block, 1, i - before, ZEROS), i);
      before += bit;
    });
  }
});

it('agrees between the arithmetic of long and of short vectors', () => {
  const bits = new BitVector(200_000);
  for (let at = 0; at < 100_000; at++) if (random.below(3) === 0) bits.set(at);
  bits.fill(120_000, 150_000, true);
  const bytes = RankSelect.from(bits).toBytes();
  const {
    length,
    layout,
    ones: total,
  } = readShape(new Int32Array(bytes.buffer, 0, 64), bytes.length, 'test');
  const region = new Int32Array(bytes.buffer, HEADER_BYTES, (layout.length - HEADER_BYTES) / 4);
  const [near, far] = [new Flat(region, layout, length), new FlatWide(region, layout, length)];
  const agree = (of: (engine: Flat | FlatWide) => unknown): void => {
    if (of(near) !== of(far)) expect(of(near)).toEqual(of(far));
  };
  for (let at = 0; at <= length; at++) agree((engine) => engine.rank(at));
  for (let at = 0; at < length; at++) agree((engine) => engine.bit(at));
  for (let k = 0; k < total; k++) agree((engine) => engine.select(k, ONES));
  for (let k = 0; k < length - total; k++) agree((engine) => engine.select(k, ZEROS));
});
