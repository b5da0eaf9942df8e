/** Helpers for the tests of arenas: keys and values by number, and their stored form. */
import type { SmallMapArena } from '../../src/smallmap/index.js';
import type { SmallKeyType, SmallValueType } from '../../src/smallmap/schema.js';

export type AnyArena = SmallMapArena<any, any>;

/** The n-th of several distinct keys of a type, for n below 100. */
export function smallKey(type: SmallKeyType, n: number): unknown {
  switch (type) {
    case 'u64':
      return BigInt.asUintN(64, BigInt(n) * 0x9e3779b97f4a7c15n);
    case 'i64':
      return BigInt.asIntN(64, BigInt(n) * 0x9e3779b97f4a7c15n);
    case 'string':
      return n % 3 === 0 ? `ключ ${n}` : `key ${n}`;
    case 'f32':
    case 'f64':
      return n === 3 ? NaN : n === 4 ? -0 : n / 4 - 3;
    case 'i8':
    case 'i16':
    case 'i32':
      return n % 2 === 0 ? n : -n;
    default:
      return n;
  }
}

/**
 * The stored form of a key or value: the result that an arena returns, and its equivalent in a
 * plain Map.
 */
export function normal(type: SmallKeyType | SmallValueType, item: unknown, value = false): unknown {
  if (typeof item !== 'number') return item;
  const number = type === 'f32' ? Math.fround(item) : item;
  return value || number !== 0 ? number : 0;
}
