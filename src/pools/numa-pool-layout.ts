/**
 * The layout of a NumaPool's region (`docs/formats/pools.md`), read from its header and checked:
 * the positions of the sections and of their bookkeeping. `native/core/src/pools/numa/layout.rs`
 * computes the same, and writes the header.
 */
import { checkHeader, corrupt, HEADER_BYTES, readLong } from '../region/format.js';
import {
  complete,
  GUARDS,
  MAX_CLASSES,
  MAX_UNITS,
  ZERO_ON_FREE,
  type Shape as FixedShape,
} from './fixed-pool-layout.js';
import { GUARD_BYTES } from './guards.js';

/** Words of the header, by index. */
export const WORD = { options: 16, nodes: 17, policy: 18, turn: 19, capacity: 20, failures: 22 } as const;

/** Words of a node's record, by index. */
export const NODE = { id: 0, hits: 2, misses: 4, foreign: 6 } as const;
export const NODE_BYTES = 128;
/** The first byte of the order of nodes in a node's record. */
export const ORDER = 64;

/** Policies, in the order of their numbers in the C library. */
export const POLICIES = ['node', 'local', 'interleave'] as const;
export type PolicyName = (typeof POLICIES)[number];

export const MAX_NODES = 64;
/** The largest size of a section. */
export const MAX_CAPACITY = MAX_UNITS * 64;
/** The alignment of sections. */
const SECTION_ALIGN = 65_536;

/** The size of class `i`: doubled up to 4096, quadrupled after that. */
function sizeOf(i: number): number {
  return i <= 6 ? 64 << i : 4096 * 4 ** (i - 6);
}

/** The class of a request of up to 2^30 bytes. */
export function classOf(bytes: number): number {
  if (bytes <= 4096) return bytes <= 64 ? 0 : 26 - Math.clz32(bytes - 1);
  return 7 + ((19 - Math.clz32(bytes - 1)) >> 1);
}

export interface Shape {
  options: number;
  policy: PolicyName;
  nodes: number;
  /** The number of bytes of a section. */
  capacity: number;
  /** The positions of the bookkeeping and of the first section, in bytes. */
  books: number;
  data: number;
  length: number;
  /** The largest request that a section can serve. */
  largest: number;
  /**
   * The shape of a FixedPool with the contents of one section. Its `data`, the position of a
   * FixedPool's data, is the length of a section's bookkeeping.
   */
  book: FixedShape;
}

/** The shape of a pool, or `undefined` for an invalid capacity. */
function shapeOf(policy: PolicyName, nodes: number, capacity: number, options: number): Shape | undefined {
  if (capacity === 0 || capacity > MAX_CAPACITY || capacity % SECTION_ALIGN !== 0) return undefined;
  const classes: { size: number; ratio: number }[] = [];
  for (let i = 0; i < MAX_CLASSES && sizeOf(i) <= capacity / 2; i++) {
    classes.push({ size: sizeOf(i), ratio: i < 6 ? 2 : 4 });
  }
  const largest = classes.at(-1)!.size;
  if (capacity % largest !== 0) return undefined;
  const book = complete(classes, capacity / 64, options);
  const books = HEADER_BYTES + NODE_BYTES * nodes;
  const data = Math.ceil((books + book.data * nodes) / SECTION_ALIGN) * SECTION_ALIGN;
  return {
    options,
    policy,
    nodes,
    capacity,
    books,
    data,
    length: data + capacity * nodes,
    largest: largest - ((options & GUARDS) === 0 ? 0 : GUARD_BYTES),
    book,
  };
}

/** Reads the shape from a header and checks it, in constant time. */
export function readShape(words: Int32Array, available: number, what: string): Shape {
  const length = checkHeader(words, available, 'numapool', what);
  const options = words[WORD.options];
  const nodes = words[WORD.nodes];
  const policy = POLICIES[words[WORD.policy] - 1] as PolicyName | undefined;
  const known = (options & ~(ZERO_ON_FREE | GUARDS)) === 0 && nodes >= 1 && nodes <= MAX_NODES;
  const shape =
    known && policy !== undefined
      ? shapeOf(policy, nodes, readLong(words, WORD.capacity), options)
      : undefined;
  if (shape?.length !== length) {
    throw corrupt(what, 'its nodes, policy, options and sizes contradict each other');
  }
  return shape;
}
