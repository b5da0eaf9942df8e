/** Keys and values of every type of a SharedMap. */
import fc from 'fast-check';
import { SharedMap } from '../../src/sharedmap/index.js';
import { arbitrary, stored as storedAs, VALUE_TYPES as COMMON } from '../helpers/samples.js';

export { SharedMap };

/** A SharedMap of types that are known at run time only; tests also call it with wrong types. */
export type AnyShared = any;

export const VALUE_TYPES: readonly string[] = [
  ...COMMON.filter((type) => type !== 'any'),
  'structured',
  'mixed',
];

/** Values that only structured cloning keeps. */
const STRUCTURED: readonly unknown[] = [
  undefined,
  null,
  new Date(86_400_000),
  new Map([['a', new Set([1, 2])]]),
  /ab+c/giu,
  { nested: [Uint16Array.of(1, 2), 10n ** 30n] },
  Float64Array.of(1.5, NaN),
  [undefined, -0],
];
/** Values that a mixed map keeps as they are. */
const PLAIN: readonly unknown[] = [
  0,
  -0,
  NaN,
  1.5,
  Infinity,
  true,
  false,
  0n,
  -(2n ** 63n),
  2n ** 63n,
  2n ** 64n - 1n,
  2n ** 64n,
  '',
  'text',
  'straße \ud800',
  'y'.repeat(62),
  'y'.repeat(63),
  Uint8Array.of(),
  Uint8Array.of(1, 2, 3),
];
/** Text and bytes whose length is at an edge: of the short form, and of an entry without chunks. */
const LENGTHS = [0, 1, 3, 4, 61, 62, 63, 64, 255, 1500, 2500, 6000];

export function arbitraryKey(type: string): fc.Arbitrary<unknown> {
  return arbitrary(type as 'u32');
}

export function arbitraryValue(type: string): fc.Arbitrary<unknown> {
  if (type === 'structured') return fc.constantFrom(...STRUCTURED);
  if (type === 'mixed') return fc.constantFrom(...STRUCTURED, ...PLAIN);
  const short = arbitrary(type as 'u32');
  const length = fc.constantFrom(...LENGTHS);
  const fill = fc.constantFrom('a', 'é');
  switch (type) {
    case 'string':
      return often(
        short,
        fc.tuple(fill, length).map(([unit, count]) => unit.repeat(count)),
      );
    case 'bytes':
      return often(
        short,
        length.map((count) => new Uint8Array(count).fill(count)),
      );
    case 'json':
      return often(
        short,
        fc.tuple(fill, length).map(([unit, count]) => ({ text: unit.repeat(count) })),
      );
    default:
      return short;
  }
}

function often(short: fc.Arbitrary<unknown>, long: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 4, arbitrary: short }, { weight: 1, arbitrary: long });
}

/** What a map of this type returns for a value. */
export function stored(type: string, value: unknown): unknown {
  return storedAs(type as 'u32', value);
}
