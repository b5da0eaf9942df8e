/**
 * NumaPool: a pool with memory on each NUMA node. `docs/formats/pools.md` specifies the bytes,
 * `native/core/src/pools/numa/` is the implementation in Rust.
 *
 * The data has one section for each node, placed there (`mbind`) at construction. Each section is
 * divided like a FixedPool, and the bookkeeping of all sections precedes all data. A request goes
 * to the section that the policy chooses, or if that has no room, to the nearest one that has: a
 * miss. An alloc and a free take eleven times as long as in a FixedPool (`npm run bench -- pools`):
 * the choice of the section, its counters and the access to the page are plain code around the same
 * lists.
 *
 * libnuma is not used: the Rust core itself makes the three system calls for placing memory and
 * querying its place. A library that has to be installed, or found at run time, would be one more
 * reason for the package to fail to load; see `native/core/src/region/numa/`.
 */
import { rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { attachStructure, constructing, setTag } from '../region/face.js';
import { booleanOption, checkInteger, describe, integerOption, readOptions } from '../region/options.js';
import { Region } from '../region/region.js';
import { RegionSource } from '../region/table.js';
import { shareRegion, type Token } from '../region/token.js';
import { WORD as BOOK, ZERO_ON_FREE } from './fixed-pool-layout.js';
import { brokenGuard, guardError, writeGuard, zero } from './guards.js';
import {
  classOf,
  MAX_CAPACITY,
  MAX_NODES,
  NODE,
  POLICIES,
  WORD,
  type PolicyName,
} from './numa-pool-layout.js';
import { NumaPoolTable, type NumaPoolPlacement, type NumaPoolStats } from './numa-pool-table.js';
import { isSize, NO_ROOM, sizeError, type NoRoom, type Offset } from './pool-memory.js';
import { Pool, SAFETY_OPTIONS, type SafetyOptions } from './pool.js';

/** Where a NumaPool serves requests: on the node of the thread, or on all nodes in turn. */
export type NumaPolicy = 'local' | 'interleave';

export interface NumaPoolOptions extends SafetyOptions {
  /**
   * The node of blocks: the one with this number; `'local'`, the default, for the node on which the
   * thread runs, as long as it has room; or `'interleave'` for all nodes in turn, block by block.
   */
  node?: number | NumaPolicy;
  /** The same as `node`, without numbers. */
  policy?: NumaPolicy;
  /**
   * The number of bytes for blocks on each node. Default: 64 MiB. Address space is reserved at
   * once; memory is taken as it is needed. Rounded up to a multiple of 64 KiB and of the largest
   * block, whose size is from an eighth to half of it.
   */
  capacityBytes?: number;
  /** For the policies: these nodes, at most 64, instead of all that have memory. */
  nodes?: readonly number[];
  /** Advise the system to back the pool with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /**
   * Take all memory now instead of at the first access, so that all pages are placed. Default:
   * false.
   */
  populate?: boolean;
}

const OPTIONS = ['node', 'policy', 'capacityBytes', 'nodes', 'hugePages', 'populate', ...SAFETY_OPTIONS];

/**
 * Memory on the node where it is used.
 *
 * ```ts
 * const pool = new NumaPool({ node: 'local', capacityBytes: 2 ** 26 });
 * const at = pool.alloc(4096);
 * pool.f64[at / 8] = 1.5;
 * numa.nodeOf(pool.view(at, 4096)) === pool.nodeOf(at); // the kernel agrees
 * pool.free(at);
 * ```
 *
 * One thread allocates and frees. On a machine with several nodes, create a pool in each worker and
 * pass blocks on; other threads that {@link NumaPool.attach} see the contents of all blocks. A
 * machine without NUMA has one node, 0.
 *
 * The sizes of blocks are 64, 128, 256, …, 4096, 16,384, 65,536, … bytes (quadrupled from 4096 on);
 * blocks begin at multiples of their size. With guards, 16 bytes of each block are the guard.
 */
export class NumaPool extends Pool {
  readonly #table: NumaPoolTable;

  static {
    setTag(this.prototype, 'NumaPool');
  }

  constructor(options?: NumaPoolOptions | NumaPolicy);
  /** @internal */
  constructor(source: RegionSource);
  constructor(from?: NumaPoolOptions | NumaPolicy | RegionSource) {
    const table = new NumaPoolTable(from instanceof RegionSource ? from : create(from));
    super(table);
    this.#table = table;
  }

  /**
   * A pool that another thread shared: its views and `stats()`. Allocating and freeing throw
   * `ERR_OFFHEAP_UNSUPPORTED`.
   */
  static attach(token: Token<'numapool'>): NumaPool {
    return attachStructure(token, 'numapool', constructing<NumaPool>(this, NumaPool));
  }

  /** For data of this thread alone: 64 MiB on each node, in huge pages. */
  static local(options: SafetyOptions = {}): NumaPool {
    return new NumaPool({ node: 'local', hugePages: true, ...options });
  }

  /** For data that threads on all nodes read: 64 MiB on each node in turn, in huge pages. */
  static interleaved(options: SafetyOptions = {}): NumaPool {
    return new NumaPool({ node: 'interleave', hugePages: true, ...options });
  }

  /**
   * Allocates a block of at least `bytes` bytes: on the node that the policy chooses, or on `node`
   * regardless of the policy. If that node has no room, the block is on the nearest of the pool's
   * nodes that has. Throws `ERR_OFFHEAP_FULL` if none has, `ERR_OFFHEAP_RANGE` for an invalid size,
   * or a node on which the pool has no memory.
   */
  alloc(bytes: number, node?: number): Offset {
    const offset = this.tryAlloc(bytes, node);
    if (offset < 0) throw this.#table.memory.fullError(bytes);
    return offset as Offset;
  }

  /** Like {@link NumaPool.alloc}, but returns -1 if the pool has no room. */
  tryAlloc(bytes: number, node?: number): Offset | NoRoom {
    const table = this.#table;
    if (!isSize(bytes)) throw sizeError(bytes);
    const { memory, shape, guard } = table;
    memory.checkOwner();
    const first = node === undefined ? table.preferredSection() : table.sectionOf(node);
    if (bytes <= shape.largest) {
      const { sections } = table;
      const ofClass = classOf(bytes + guard);
      for (let place = 0; place < sections.length; place++) {
        const at = table.orderedSection(first, place);
        const unit = sections[at].take(ofClass);
        if (unit >= 0) {
          if (at === first) table.count(at, NODE.hits);
          else {
            table.count(at, NODE.misses);
            table.count(first, NODE.foreign);
          }
          const within = unit * 64;
          const offset = at * table.capacity + within;
          // A write places the block's first page now, so that its node can be queried.
          const { u8 } = memory;
          const byte = u8[offset];
          u8[offset] = byte;
          if (guard !== 0) {
            sections[at].words[shape.book.requested + unit] = bytes;
            writeGuard(u8, offset + bytes, within);
          }
          return offset as Offset;
        }
        sections[at].words[BOOK.failures]++;
      }
    }
    table.head[WORD.failures]++;
    return NO_ROOM;
  }

  free(offset: number): void {
    const table = this.#table;
    const { memory } = table;
    memory.checkOwner();
    const { at, unit, ofClass } = table.find(offset);
    const { book } = table.shape;
    const { size } = book.classes[ofClass];
    const section = table.sections[at];
    if (table.guard !== 0) {
      const bytes = table.requestedBytes(section, unit, size);
      const broken = brokenGuard(memory.u8, offset + bytes, unit * 64);
      if (broken >= 0) throw guardError(offset, bytes, broken);
    }
    if ((book.options & ZERO_ON_FREE) !== 0) zero(memory.f64, offset, size);
    section.give(unit, ofClass);
  }

  /**
   * The number of the node to which the pool assigns an offset. {@link NumaPool.placement} returns
   * where the kernel placed the memory.
   */
  nodeOf(offset: number): number {
    return this.#table.nodeOf(offset);
  }

  /**
   * Queries the kernel for the nodes of the pages of each section (`move_pages`). About 0.1 µs a
   * page. Throws `ERR_OFFHEAP_UNSUPPORTED` where the kernel does not report it.
   */
  placement(): NumaPoolPlacement[] {
    return this.#table.placement();
  }

  /** Verifies the bookkeeping; throws `ERR_OFFHEAP_CORRUPT`. O(blocks). */
  validate(): void {
    const { memory } = this.#table;
    memory.checkOpen();
    native().numapoolValidate(memory.region.bytes);
  }

  stats(): NumaPoolStats {
    return this.#table.stats();
  }

  /** A token for other threads, which access the pool's blocks through {@link NumaPool.attach}. */
  share(): Token<'numapool'> {
    const { memory } = this.#table;
    memory.checkOpen();
    return shareRegion(memory.region, 'numapool');
  }
}

/** The region of a new pool. */
function create(given: unknown): RegionSource {
  const { policy, nodes, capacity, zeroOnFree, guards, hugePages, populate } = readPoolOptions(given);
  const addon = native();
  const number = POLICIES.indexOf(policy) + 1;
  const length = addon.numapoolRegionSize(number, nodes, capacity, zeroOnFree, guards);
  const region = Region.fixed(length, { hugePages, numaNode: undefined });
  addon.numapoolInit(region.bytes, number, nodes, capacity, zeroOnFree, guards);
  addon.numapoolPlace(region.bytes, populate);
  return new RegionSource(region, true, 'this NumaPool');
}

function readPoolOptions(given: unknown) {
  const options = readOptions(typeof given === 'string' ? { node: given } : given, OPTIONS, 'NumaPool');
  if (options.node !== undefined && options.policy !== undefined) {
    throw typeError('NumaPool takes either node or policy');
  }
  const chosen = options.node === undefined ? options.policy : options.node;
  const where = chosen === undefined ? 'local' : chosen;
  const one = options.policy === undefined && typeof where === 'number';
  if (!one && where !== 'local' && where !== 'interleave') {
    const choice =
      options.policy === undefined ? "a number, 'local' or 'interleave'" : "'local' or 'interleave'";
    const name = options.policy === undefined ? 'node' : 'policy';
    throw typeError(`${name} must be ${choice}, not ${describe(where)}`);
  }
  if (one && options.nodes !== undefined) throw typeError('nodes requires a policy, not one node');
  const policy: PolicyName = one ? 'node' : (where as NumaPolicy);
  return {
    policy,
    nodes: one ? Uint32Array.of(checkInteger(where, 'node', 0, 1023)) : readNodes(options.nodes),
    capacity: integerOption(options, 'capacityBytes', 1, MAX_CAPACITY, 2 ** 26),
    zeroOnFree: booleanOption(options, 'zeroOnFree', false),
    guards: booleanOption(options, 'guards', false),
    hugePages: booleanOption(options, 'hugePages', undefined),
    populate: booleanOption(options, 'populate', false),
  };
}

/** The numbers of nodes; empty for all nodes. */
function readNodes(list: unknown): Uint32Array {
  if (list === undefined) return new Uint32Array(0);
  if (!Array.isArray(list)) throw typeError(`nodes must be an array of numbers, not ${describe(list)}`);
  if (list.length < 1 || list.length > MAX_NODES) {
    throw rangeError(`nodes must be 1 to ${MAX_NODES} numbers, not ${list.length}`);
  }
  return Uint32Array.from(list as unknown[], (id) => checkInteger(id, 'node', 0, 1023));
}
