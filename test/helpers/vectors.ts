/**
 * Elements of each type for tests of vectors: edges, random ones, and how a plain array of them
 * sorts.
 */
import type { NumericType } from '../../src/region/element.js';
import { Vector } from '../../src/vector/index.js';
import type { Random } from './random.js';

export type AnyVector = Vector<any>;

export const TYPES: readonly NumericType[] = [
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'f32',
  'f64',
  'u64',
  'i64',
];

/** A typed array's constructor, of elements of any type. */
interface ArrayOf {
  new (length: number): Float64Array;
  from(values: readonly (number | bigint)[]): Float64Array;
  of(...values: (number | bigint)[]): Float64Array;
}

export const ARRAYS = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
} as unknown as Record<NumericType, ArrayOf>;

/** Elements at the edges of each type. */
export const EDGES: Record<NumericType, readonly (number | bigint)[]> = {
  u8: [0, 1, 127, 128, 255],
  i8: [-128, -1, 0, 1, 127],
  u16: [0, 1, 255, 256, 32768, 65535],
  i16: [-32768, -256, -1, 0, 1, 32767],
  u32: [0, 1, 65536, 2 ** 31, 2 ** 32 - 1],
  i32: [-(2 ** 31), -65536, -1, 0, 1, 2 ** 31 - 1],
  f32: [-Infinity, -(2 ** 100), -1.5, -(2 ** -149), -0, 0, 2 ** -149, 1.5, 2 ** 100, Infinity, NaN],
  f64: [
    -Infinity,
    -1e300,
    -1.5,
    -Number.MIN_VALUE,
    -0,
    0,
    Number.MIN_VALUE,
    0.1,
    2 ** 53,
    1e300,
    Infinity,
    NaN,
  ],
  u64: [0n, 1n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n],
  i64: [-(2n ** 63n), -(2n ** 32n), -1n, 0n, 1n, 2n ** 63n - 1n],
};

/** What each type does not hold: of the wrong type, and out of range. */
export const WRONG: Record<NumericType, { types: unknown[]; ranges: unknown[] }> = {
  u8: { types: ['1', 1n, null, undefined, {}, true], ranges: [-1, 256, 0.5, NaN, Infinity] },
  i8: { types: ['1', 1n, []], ranges: [-129, 128, 0.5, NaN] },
  u16: { types: ['1', 1n], ranges: [-1, 65536, 0.5] },
  i16: { types: ['1', 1n], ranges: [-32769, 32768, 0.5] },
  u32: { types: ['1', 1n, Symbol('x')], ranges: [-1, 2 ** 32, 0.5, NaN] },
  i32: { types: ['1', 1n], ranges: [-(2 ** 31) - 1, 2 ** 31, 0.5] },
  f32: { types: ['1', 1n, null], ranges: [] },
  f64: { types: ['1', 1n, null, undefined, new Date(0)], ranges: [] },
  u64: { types: [1, '1', null], ranges: [-1n, 2n ** 64n] },
  i64: { types: [1, '1', null], ranges: [-(2n ** 63n) - 1n, 2n ** 63n] },
};

/** A random element: often a small one, so that some are equal, and often an edge. */
export function element(type: NumericType, random: Random): number | bigint {
  const dice = random.below(4);
  if (dice === 0) return random.pick(EDGES[type]);
  const array = new ARRAYS[type](1);
  const bytes = new Uint32Array(2);
  bytes[0] = dice === 1 ? random.below(5) : random.u32();
  bytes[1] = dice === 1 ? 0 : random.u32();
  new Uint8Array(array.buffer).set(new Uint8Array(bytes.buffer, 0, array.byteLength));
  return array[0];
}

export function elements(type: NumericType, count: number, random: Random): (number | bigint)[] {
  return Array.from({ length: count }, () => element(type, random));
}

/** The elements in the order of `TypedArray.prototype.sort`. */
export function sorted(type: NumericType, values: readonly (number | bigint)[]): (number | bigint)[] {
  return [...ARRAYS[type].from(values).sort()];
}
