/**
 * The layout of a HashMap region (`docs/formats/hashmap.md`): words of its header, where sections
 * lie, and the constant-time check of bytes that come from elsewhere.
 * `native/core/src/hashmap/layout.rs` computes the same.
 */
import { bucketsFor } from '../region/buckets.js';
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
import { isBlob, TYPE, TYPE_NAMES, WIDTHS } from '../region/element.js';
import { KEY_TYPES, type KeyType } from './schema.js';

/** Words of the header, by index. */
export const WORD = {
  lengthLow: COMMON.lengthLow,
  sequence: COMMON.sequence,
  flags: COMMON.flags,
  kindVersion: COMMON.kindVersion,
  seed0: COMMON.seed0,
  seed1: COMMON.seed1,
  schema: 16,
  capacity: 17,
  buckets: 18,
  used: 19,
  dead: 20,
  state: 21,
  epoch: 22,
  slotCapacity: 23,
  slotsUsed: 24,
  freeSlot: 25,
  moves: 26,
  reserved: 27,
  heapCapacityLow: 28,
  heapUsedLow: 30,
  heapGarbageLow: 32,
  end: 34,
} as const;

/** Bits of the state word. */
export const HANDLES_ISSUED = 1;
export const HAS_SLOTS = 2;

/** 2^27 buckets at 10.2 entries each. */
export const MAX_CAPACITY = 1_369_020_825;
export const MAX_HEAP = 2 ** 34;
/** One more than the largest generation of a handle. */
export const GENERATIONS = 2 ** 21;
const BUCKET_BYTES = 64;

/** The most entries that `buckets` buckets index. */
export function capacityOf(buckets: number): number {
  return buckets === 1 ? 12 : Math.floor((buckets * 51) / 5);
}

/**
 * The capacity after `capacity`: four times the buckets while they are very few, because a rebuild
 * costs some microseconds whatever its size; then twice; then one and a half times, so that a large
 * map never wastes much.
 */
export function nextCapacity(capacity: number): number {
  const buckets = bucketsFor(capacity);
  const grown = buckets < 64 ? buckets * 4 : buckets < 4096 ? buckets * 2 : Math.ceil(buckets * 1.5);
  return Math.min(capacityOf(bucketsFor(capacityOf(grown))), MAX_CAPACITY);
}

export interface Layout {
  index: number;
  dead: number;
  keys: number;
  values: number;
  slotOfEntry: number;
  entryOfSlot: number;
  generations: number;
  heap: number;
  length: number;
}

export interface Shape {
  key: number;
  value: number;
  capacity: number;
  buckets: number;
  /** 0: no slot table. */
  slotCapacity: number;
  heapCapacity: number;
}

export function layoutOf({ key, value, capacity, buckets, slotCapacity, heapCapacity }: Shape): Layout {
  let at = HEADER_BYTES;
  const section = (bytes: number): number => {
    const start = at;
    at = align(at + bytes);
    return start;
  };
  const slots = slotCapacity > 0;
  return {
    index: section(buckets * BUCKET_BYTES),
    dead: section(Math.ceil(capacity / 32) * 4),
    keys: section(WIDTHS[key] * capacity),
    values: section(WIDTHS[value] * capacity),
    slotOfEntry: section(slots ? capacity * 4 : 0),
    entryOfSlot: section(slotCapacity * 4),
    generations: section(slotCapacity * 4),
    heap: section(heapCapacity),
    length: at,
  };
}

/** A new map's shape; blobs get a heap for about 16 bytes each. */
export function newShape(key: number, value: number, capacity: number): Shape {
  const blobs = (isBlob(key) ? 1 : 0) + (isBlob(value) ? 1 : 0);
  const heapCapacity = Math.min(align(blobs * capacity * 16), MAX_HEAP);
  return { key, value, capacity, buckets: bucketsFor(capacity), slotCapacity: 0, heapCapacity };
}

/** Writes the header of an empty map into zeroed words. */
export function initialize(
  words: Int32Array,
  shape: Shape,
  length: number,
  seed: readonly [number, number],
): void {
  writeHeader(words, 'hashmap', length, seed);
  words[WORD.schema] = shape.key | (shape.value << 8);
  words[WORD.capacity] = shape.capacity;
  words[WORD.buckets] = shape.buckets;
  words[WORD.epoch] = 1;
  writeLong(words, WORD.heapCapacityLow, shape.heapCapacity);
}

/**
 * The constant-time check: after it, every section lies within the region and every count within
 * its section. Contents are not looked at; reads of them are bounds-checked.
 */
export function readShape(words: Int32Array, available: number, what: string): Shape & { layout: Layout } {
  const length = checkHeader(words, available, 'hashmap', what);
  const schema = words[WORD.schema] >>> 0;
  const key = schema & 0xff;
  const value = schema >>> 8;
  const keyName = TYPE_NAMES[key];
  if (keyName === undefined || !(KEY_TYPES as readonly string[]).includes(keyName)) {
    throw corrupt(what, `keys of type ${key}`);
  }
  if (value < TYPE.u8 || value > TYPE.any) throw corrupt(what, `values of type ${value}`);
  const capacity = words[WORD.capacity] >>> 0;
  if (capacity < 1 || capacity > MAX_CAPACITY) throw corrupt(what, `a capacity of ${capacity}`);
  const buckets = words[WORD.buckets] >>> 0;
  if (buckets !== bucketsFor(capacity)) throw corrupt(what, `${buckets} buckets for ${capacity} entries`);
  // Of two counts the one that is bounded by the other is read first: the owner may be raising both
  // meanwhile.
  const dead = Atomics.load(words, WORD.dead) >>> 0;
  const used = Atomics.load(words, WORD.used) >>> 0;
  if (used > capacity || dead > used)
    throw corrupt(what, `${used} entries used, ${dead} of them dead, of ${capacity}`);
  const state = words[WORD.state] >>> 0;
  const slotCapacity = words[WORD.slotCapacity] >>> 0;
  if (state > (HANDLES_ISSUED | HAS_SLOTS) || ((state & HAS_SLOTS) !== 0) !== slotCapacity > 0) {
    throw corrupt(what, `state ${state} with ${slotCapacity} slots`);
  }
  const epoch = words[WORD.epoch] >>> 0;
  if (epoch < 1 || epoch >= GENERATIONS) throw corrupt(what, `epoch ${epoch}`);
  const freeSlot = Atomics.load(words, WORD.freeSlot) >>> 0;
  const slotsUsed = Atomics.load(words, WORD.slotsUsed) >>> 0;
  if (slotCapacity > 2 ** 32 - 64 || slotsUsed > slotCapacity || freeSlot > slotsUsed) {
    throw corrupt(what, `${slotsUsed} slots used of ${slotCapacity}`);
  }
  const heapCapacity = readLong(words, WORD.heapCapacityLow);
  const heapGarbage = readLong(words, WORD.heapGarbageLow);
  const heapUsed = readLong(words, WORD.heapUsedLow);
  const blobs = isBlob(key) || isBlob(value);
  if (
    heapCapacity > MAX_HEAP ||
    heapCapacity % 64 !== 0 ||
    heapUsed > heapCapacity ||
    heapUsed % 4 !== 0 ||
    heapGarbage > heapUsed ||
    (!blobs && heapCapacity > 0)
  ) {
    throw corrupt(what, `a heap of ${heapCapacity} bytes, ${heapUsed} used, ${heapGarbage} garbage`);
  }
  const shape = { key, value, capacity, buckets, slotCapacity, heapCapacity };
  const layout = layoutOf(shape);
  if (layout.length !== length) {
    throw corrupt(what, `its length is ${length} bytes where its counts make ${layout.length}`);
  }
  return { ...shape, layout };
}

export function keyTypeName(code: number): KeyType {
  return TYPE_NAMES[code] as KeyType;
}
