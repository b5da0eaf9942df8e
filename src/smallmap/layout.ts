/**
 * The layout of an arena's region (`docs/formats/smallmap.md`): the words of its header, the
 * offsets of its sections, and the constant-time check of untrusted bytes.
 * `native/core/src/smallmap/arena/layout.rs` computes the same.
 */
import { bucketsFor } from '../region/buckets.js';
import { TYPE, WIDTHS } from '../region/element.js';
import {
  align,
  checkHeader,
  corrupt,
  HEADER_BYTES,
  readLong,
  WORD as COMMON,
  writeHeader,
  writeLong,
} from '../region/format.js';

/** The words of the header, by index. */
export const WORD = {
  kindVersion: COMMON.kindVersion,
  seed0: COMMON.seed0,
  seed1: COMMON.seed1,
  schema: 16,
  mapCapacity: 17,
  mapsUsed: 18,
  freeMap: 19,
  maps: 20,
  promoted: 21,
  recycles: 22,
  blockCapacity: 23,
  blocksUsed: 24,
  freeSlot2: 25,
  freeSlot4: 26,
  freeSlot8: 27,
  tableCapacity: 28,
  tableUsed: 29,
  freePosition: 30,
  tableFree: 31,
  idCapacity: 32,
  idsUsed: 33,
  freeId: 34,
  strings: 35,
  heapCapacityLow: 36,
  heapUsedLow: 38,
  end: 40,
} as const;

/** The maximum number of inline entries of a map. */
export const INLINE_CAPACITY = 8;
/** The low bits of a place count the entries of an inline map; this value marks a promoted map. */
export const PROMOTED = 15;
/** The bit of a generation word that marks a free directory entry. */
export const FREE = 0x80000000 | 0;
export const TWO_32 = 4_294_967_296;
/**
 * The spot of an entry is its index in the slot columns or, if the map is promoted, this plus its
 * position in the table. −1: absent.
 */
export const TABLE = 2 ** 29;
export const MAX_MAPS = 2 ** 30;
export const MAX_BLOCKS = 2 ** 26;
export const MAX_TABLE = 2 ** 28;
export const MAX_IDS = 2 ** 28;
export const MAX_HEAP = 2 ** 33;
/** One more than the largest generation of an id. */
export const GENERATIONS = 2 ** 21;

/** The number of string ids, and of bytes of text, that a new arena has room for. */
const FIRST_IDS = 12;
const FIRST_HEAP = 256;

/** The capacities that determine the layout. */
export interface Shape {
  key: number;
  value: number;
  maps: number;
  blocks: number;
  table: number;
  ids: number;
  heap: number;
}

/** Byte offsets of the sections. */
export interface Layout {
  directory: number;
  keys: number;
  values: number;
  index: number;
  links: number;
  tableKeys: number;
  tableValues: number;
  stringIndex: number;
  refs: number;
  heap: number;
  length: number;
}

export function hasStrings(key: number, value: number): boolean {
  return key === TYPE.string || value === TYPE.string;
}

export function layoutOf({ key, value, maps, blocks, table, ids, heap }: Shape): Layout {
  let at = HEADER_BYTES;
  const section = (bytes: number): number => {
    const start = at;
    at = align(at + bytes);
    return start;
  };
  return {
    directory: section(8 * maps),
    keys: section(WIDTHS[key] * 8 * blocks),
    values: section(WIDTHS[value] * 8 * blocks),
    index: section(64 * bucketsFor(table)),
    links: section(16 * table),
    tableKeys: section(WIDTHS[key] * table),
    tableValues: section(WIDTHS[value] * table),
    stringIndex: section(64 * bucketsFor(ids)),
    refs: section(4 * ids),
    heap: section(heap),
    length: at,
  };
}

/** The shape of a new arena with room for `maps` maps of four entries. */
export function newShape(key: number, value: number, maps: number): Shape {
  const strings = hasStrings(key, value);
  return {
    key,
    value,
    maps,
    blocks: Math.min(Math.ceil(maps / 2), MAX_BLOCKS),
    table: 0,
    ids: strings ? FIRST_IDS : 0,
    heap: strings ? FIRST_HEAP : 0,
  };
}

/** Writes the header of an empty arena to zeroed words. */
export function initialize(
  words: Int32Array,
  shape: Shape,
  length: number,
  seed: readonly [number, number],
): void {
  writeHeader(words, 'smallmap', length, seed);
  words[WORD.schema] = shape.key | (shape.value << 8);
  words[WORD.mapCapacity] = shape.maps;
  words[WORD.blockCapacity] = shape.blocks;
  words[WORD.tableCapacity] = shape.table;
  words[WORD.idCapacity] = shape.ids;
  writeLong(words, WORD.heapCapacityLow, shape.heap);
}

/**
 * The constant-time check: after it, every section is known to lie within the region and every
 * count within its section. Contents are not checked; reads of them are bounds-checked.
 */
export function readShape(words: Int32Array, available: number, what: string): Shape & { layout: Layout } {
  const length = checkHeader(words, available, 'smallmap', what);
  const word = (at: number): number => Atomics.load(words, at) >>> 0;
  const schema = word(WORD.schema);
  const key = schema & 0xff;
  const value = schema >>> 8;
  const isKey = (key >= TYPE.u8 && key <= TYPE.i64) || key === TYPE.string;
  if (!isKey || value < TYPE.u8 || value > TYPE.string) throw corrupt(what, `invalid schema: ${schema}`);
  const shape = {
    key,
    value,
    maps: word(WORD.mapCapacity),
    blocks: word(WORD.blockCapacity),
    table: word(WORD.tableCapacity),
    ids: word(WORD.idCapacity),
    heap: readLong(words, WORD.heapCapacityLow),
  };
  const { maps, blocks, table, ids, heap } = shape;
  const strings = hasStrings(key, value);
  if (
    maps < 1 ||
    maps > MAX_MAPS ||
    blocks < 1 ||
    blocks > MAX_BLOCKS ||
    table > MAX_TABLE ||
    ids > MAX_IDS ||
    heap > MAX_HEAP ||
    heap % 64 !== 0 ||
    ids > 0 !== strings ||
    heap > 0 !== strings
  ) {
    throw corrupt(
      what,
      `invalid capacities: ${maps} maps, ${blocks} blocks, ${table} positions, ${ids} strings, ${heap} heap bytes`,
    );
  }
  const bounded: readonly (readonly [number, number])[] = [
    [WORD.mapsUsed, maps],
    [WORD.freeMap, maps],
    [WORD.maps, maps],
    [WORD.promoted, maps],
    [WORD.blocksUsed, blocks],
    [WORD.freeSlot2, blocks * 4],
    [WORD.freeSlot4, blocks * 4],
    [WORD.freeSlot8, blocks * 4],
    [WORD.tableUsed, table],
    [WORD.freePosition, table],
    [WORD.tableFree, table],
    [WORD.idsUsed, ids],
    [WORD.freeId, ids],
    [WORD.strings, ids],
  ];
  for (const [at, limit] of bounded) {
    if (word(at) > limit) throw corrupt(what, `header word ${at} is ${word(at)}, more than ${limit}`);
  }
  const heapUsed = readLong(words, WORD.heapUsedLow);
  if (heapUsed > heap || heapUsed % 4 !== 0)
    throw corrupt(what, `invalid size of the used heap: ${heapUsed} of ${heap} bytes`);
  const layout = layoutOf(shape);
  if (layout.length !== length) {
    throw corrupt(what, `its length is ${length} bytes, but its capacities require ${layout.length}`);
  }
  return { ...shape, layout };
}

export function badLinks(): Error {
  return corrupt('this arena', 'the links of a promoted map contain an invalid position');
}

export function badList(what: string): Error {
  return corrupt('this arena', `the free list of ${what} contains an invalid index`);
}
