/**
 * The layout of a FixedPool's region (`docs/formats/pools.md`): computed from options, or read from
 * a header and checked. `native/core/src/pools/fixed/layout.rs` computes the same.
 */
import { offheapError, rangeError } from '../errors.js';
import { align, checkHeader, corrupt, HEADER_BYTES, writeHeader } from '../region/format.js';
import { GUARD_BYTES } from './guards.js';

/** Words of the header, by index. */
export const WORD = {
  options: 16,
  classes: 17,
  units: 18,
  used: 19,
  peak: 20,
  failures: 21,
  free: 22,
} as const;

/** Words of the record of a size class, by index; a record has 16. */
export const CLASS = { size: 0, ratio: 1, used: 2, peak: 3, partial: 4, reserve: 5 } as const;
export const CLASS_WORDS = 16;
/** The class table follows the header. */
export const CLASS_TABLE = HEADER_BYTES / 4;

export const ZERO_ON_FREE = 1;
export const GUARDS = 2;

/** A bit of a unit's word: an allocated block begins there, and the low bits are its class. */
export const ALLOCATED = -0x80000000;
/** The other bits of a unit's word: a link. */
export const LINK = 0x7fffffff;

export const MAX_CLASSES = 16;
/** Bytes of the header and of the largest class table. */
export const MAX_HEADER_BYTES = HEADER_BYTES + 4 * CLASS_WORDS * MAX_CLASSES;
export const MAX_SIZE = 2 ** 31;
export const MAX_UNITS = 2 ** 28;
export const MAX_RATIO = 32_768;

/** A size class. */
export interface Class {
  /** The number of bytes of a block. */
  size: number;
  /** The number of smallest blocks in a block. */
  units: number;
  /** The number of blocks in a block of the next class; for the largest class, in the data. */
  ratio: number;
  /** The number of blocks that fit the data. */
  blocks: number;
  /** The position of the records of split blocks, in words. */
  splits: number;
}

export interface Shape {
  options: number;
  classes: readonly Class[];
  units: number;
  /**
   * The positions of the sections: the words of units and the requested sizes in words, the data in
   * bytes.
   */
  unitWords: number;
  requested: number;
  data: number;
  length: number;
}

/**
 * The shape of a pool with the given number of blocks of each size. Sizes are rounded up as the
 * format specifies.
 */
export function shapeOf(wanted: readonly { size: number; blocks: number }[], options: number): Shape {
  const guard = (options & GUARDS) === 0 ? 0 : GUARD_BYTES;
  const classes: Pick<Class, 'size' | 'ratio'>[] = [];
  let total = 0;
  for (const { size: requested, blocks } of [...wanted].sort((a, b) => a.size - b.size)) {
    let size = Math.ceil((requested + guard) / 8) * 8;
    const below = classes.at(-1);
    if (below !== undefined) {
      const ratio = Math.ceil(size / below.size);
      size = below.size * ratio;
      if (ratio > MAX_RATIO)
        throw rangeError(`a size class may be at most ${MAX_RATIO} times as large as the one below it`);
      if (ratio === 1) classes.pop();
      else below.ratio = ratio;
    }
    if (size > MAX_SIZE) throw rangeError(`a block of ${size} bytes is too large`);
    classes.push({ size, ratio: 1 });
    total += size * blocks;
  }
  const largest = classes.at(-1)!.size;
  const shape = complete(classes, Math.ceil(total / largest) * (largest / classes[0].size), options);
  if (shape.units > MAX_UNITS) {
    throw rangeError(`${shape.units} blocks of the smallest class are more than ${MAX_UNITS}`);
  }
  return shape;
}

/** The shape that follows from sizes, ratios and the number of units. */
export function complete(
  sizes: readonly Pick<Class, 'size' | 'ratio'>[],
  units: number,
  options: number,
): Shape {
  const smallest = sizes[0].size;
  const unitWords = HEADER_BYTES + 4 * CLASS_WORDS * sizes.length;
  const requested = unitWords + align(units * 4);
  let at = requested + ((options & GUARDS) === 0 ? 0 : align(units * 4));
  const classes = sizes.map(({ size, ratio }, i) => {
    const per = size / smallest;
    const blocks = Math.floor(units / per);
    const splits = i === 0 ? 0 : at / 4;
    if (i > 0) at += align(blocks * 16);
    return { size, units: per, ratio: i === sizes.length - 1 ? blocks : ratio, blocks, splits };
  });
  const length = at + align(units * smallest);
  return {
    options,
    classes,
    units,
    unitWords: unitWords / 4,
    requested: requested / 4,
    data: at,
    length,
  };
}

/** Writes an empty pool into zeroed memory. */
export function writeShape(words: Int32Array, shape: Shape): void {
  writeHeader(words, 'fixedpool', shape.length, [0, 0]);
  words[WORD.options] = shape.options;
  words[WORD.classes] = shape.classes.length;
  words[WORD.units] = shape.units;
  shape.classes.forEach(({ size, ratio }, i) => {
    words[CLASS_TABLE + CLASS_WORDS * i + CLASS.size] = size | 0;
    words[CLASS_TABLE + CLASS_WORDS * i + CLASS.ratio] = ratio | 0;
  });
}

/** Reads the shape from a header and checks it, in constant time. */
export function readShape(words: Int32Array, available: number, what: string): Shape {
  const length = checkHeader(words, available, 'fixedpool', what);
  const options = words[WORD.options];
  const count = words[WORD.classes];
  if ((options & ~(ZERO_ON_FREE | GUARDS)) !== 0 || count < 1 || count > MAX_CLASSES) {
    throw corrupt(what, 'its options or its number of size classes are invalid');
  }
  if (length < HEADER_BYTES + 4 * CLASS_WORDS * count) {
    throw corrupt(what, 'it is too short for its size classes');
  }
  const sizes: Pick<Class, 'size' | 'ratio'>[] = [];
  for (let i = 0; i < count; i++) {
    const size = words[CLASS_TABLE + CLASS_WORDS * i + CLASS.size] >>> 0;
    const ratio = words[CLASS_TABLE + CLASS_WORDS * i + CLASS.ratio] >>> 0;
    const below = sizes.at(-1);
    const divides =
      below === undefined ||
      (below.ratio > 1 && below.ratio <= MAX_RATIO && below.size * below.ratio === size);
    if (size === 0 || size % 8 !== 0 || size > MAX_SIZE || ratio === 0 || !divides) {
      throw corrupt(what, 'the size of a size class is invalid');
    }
    sizes.push({ size, ratio });
  }
  const largest = sizes.at(-1)!;
  const units = words[WORD.units] >>> 0;
  const fits = units <= MAX_UNITS && largest.ratio * (largest.size / sizes[0].size) === units;
  if (!fits) throw corrupt(what, 'its number of blocks does not match its size classes');
  const shape = complete(sizes, units, options);
  if (shape.length !== length) throw corrupt(what, 'its sections do not match its length');
  return shape;
}

/** The error for a list with an invalid link or count. */
export function listError(): Error {
  return offheapError('ERR_OFFHEAP_CORRUPT', 'a free list of the pool contains an invalid link');
}
