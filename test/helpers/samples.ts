/**
 * Keys and values of every type a HashMap holds: edges, arbitrary ones, and how a plain Map would
 * keep them.
 */
import fc from 'fast-check';
import { HashMap, type KeyType, type ValueType } from '../../src/hashmap/index.js';

export const KEY_TYPES: readonly KeyType[] = ['u32', 'i32', 'f64', 'u64', 'i64', 'string', 'bytes'];
export const VALUE_TYPES: readonly ValueType[] = [
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
  'bool',
  'string',
  'bytes',
  'json',
  'any',
];

/** A HashMap of types that are known at run time only. */
export type AnyMap = HashMap<any, any>;

const symbol = Symbol('a value of type any');
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** Values at the edges of each type; keys too, where the type has keys. */
export const EDGES: Record<ValueType, readonly unknown[]> = {
  u8: [0, 1, 127, 128, 255],
  i8: [-128, -1, 0, 1, 127],
  u16: [0, 1, 0x7fff, 0x8000, 0xffff],
  i16: [-0x8000, -1, 0, 1, 0x7fff],
  u32: [0, 1, 2, 3, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff],
  i32: [-0x80000000, -2, -1, 0, 1, 2, 0x7fffffff],
  f32: [0, -1.5, Math.fround(1e-40), 3.4028234663852886e38, Infinity, -Infinity, NaN],
  f64: [0, -0, 1, 1.5, -1, 5e-324, Number.MAX_VALUE, 2 ** 32, 2 ** 53, Infinity, -Infinity, NaN],
  u64: [0n, 1n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n],
  i64: [-(2n ** 63n), -(2n ** 32n), -1n, 0n, 1n, 2n ** 32n, 2n ** 63n - 1n],
  bool: [false, true],
  string: [
    '',
    '\0',
    'a',
    'abc',
    'abcd',
    'abcde',
    'é',
    '日本',
    '😀',
    '\ud83d',
    '\ude00',
    '\ude00\ud83d',
    'x\ud800y',
    'a'.repeat(95),
    'a'.repeat(96),
    'é'.repeat(97),
  ],
  bytes: [
    bytes(),
    bytes(0),
    bytes(0, 0),
    bytes(97),
    bytes(255, 254, 253),
    bytes(1, 2, 3, 4, 5),
    bytes(97, 98, 99),
  ],
  json: [null, true, 0, -1.5, '', 'ü\ud800', [], [1, [2]], {}, { a: { b: [null] } }],
  any: [undefined, null, NaN, symbol, 'text', { a: 1 }, Math.max, 7n],
};

/** Arbitrary values (or keys) of a type, the edges among them often. */
export function arbitrary(type: ValueType): fc.Arbitrary<unknown> {
  const edge = fc.constantFrom(...EDGES[type]);
  return fc.oneof({ weight: 2, arbitrary: edge }, { weight: 1, arbitrary: plain(type) });
}

function plain(type: ValueType): fc.Arbitrary<unknown> {
  switch (type) {
    case 'u8':
      return fc.integer({ min: 0, max: 255 });
    case 'i8':
      return fc.integer({ min: -128, max: 127 });
    case 'u16':
      return fc.integer({ min: 0, max: 0xffff });
    case 'i16':
      return fc.integer({ min: -0x8000, max: 0x7fff });
    case 'u32':
      return fc.integer({ min: 0, max: 0xffffffff });
    case 'i32':
      return fc.integer({ min: -0x80000000, max: 0x7fffffff });
    case 'f32':
      return fc.float();
    case 'f64':
      return fc.double();
    case 'u64':
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case 'i64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'bool':
      return fc.boolean();
    case 'string':
      // Units, not characters: lone surrogates turn up.
      return fc
        .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 120 })
        .map((units) => String.fromCharCode(...units));
    case 'bytes':
      return fc.uint8Array({ maxLength: 40 });
    case 'json':
      return fc.jsonValue({ maxDepth: 2 });
    default:
      return fc.anything();
  }
}

/** The n-th of many different keys of a type. */
export function keyOf(type: KeyType, n: number): any {
  switch (type) {
    case 'i32':
      return n % 2 === 0 ? n : -n;
    case 'f64':
      return n / 4 - 3;
    case 'u64':
      return BigInt.asUintN(64, BigInt(n) * 0x9e3779b97f4a7c15n);
    case 'i64':
      return BigInt.asIntN(64, BigInt(n) * 0x9e3779b97f4a7c15n);
    case 'string':
      return n % 3 === 0 ? `ключ ${n}` : `key ${n}`;
    case 'bytes':
      return bytes(n & 255, n >> 8, 7);
    default:
      return Math.imul(n, 2654435761) >>> 0;
  }
}

/** The key to use in a plain Map: the same, or a string for byte keys, which compare by content. */
export function identity(key: unknown): unknown {
  return key instanceof Uint8Array ? Buffer.from(key).toString('hex') : key;
}

/** What a map of this type gives back for a value. */
export function stored(type: ValueType, value: unknown): unknown {
  if (type === 'f32') return Math.fround(value as number);
  if (type === 'json') return JSON.parse(JSON.stringify(value));
  return value;
}

/** A map with the first `count` keys, the n-th with the value `n`. For numeric values. */
export function counted(key: KeyType, value: ValueType, count: number): AnyMap {
  const map: AnyMap = new HashMap({ key, value });
  for (let n = 0; n < count; n++) map.set(keyOf(key, n), n);
  return map;
}
