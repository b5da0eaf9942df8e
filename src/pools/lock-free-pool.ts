/**
 * LockFreePool: one region of memory in which all threads allocate and free, without locks. See
 * `shared-pool.ts`.
 *
 * The sizes of blocks are powers of two, from 64 bytes (16 if compact) to half a chunk; larger
 * requests take whole chunks. An alloc and a free are one compare-and-swap each, some 10 ns. About
 * every sixteenth alloc searches for other blocks, which costs up to a microsecond, and more when
 * memory is nearly used up.
 */
import { typeError } from '../errors.js';
import { native } from '../native.js';
import {
  attachStructure,
  constructing,
  PLACEMENT_OPTIONS,
  placementOptions,
  setTag,
} from '../region/face.js';
import { booleanOption, checkInteger, describe, integerOption, readOptions } from '../region/options.js';
import { Region } from '../region/region.js';
import { RegionSource } from '../region/table.js';
import type { Token } from '../region/token.js';
import type { NoRoom, Offset } from './pool-memory.js';
import { Pool, SAFETY_OPTIONS, safetyFlags, type SafetyOptions } from './pool.js';
import { SharedPoolTable, type SharedPoolStats } from './shared-pool.js';

/** The size of a LockFreePool, and the sizes of its chunks and blocks. */
export interface LockFreePoolOptions extends SafetyOptions {
  /** The number of bytes for blocks, up to 2^32; rounded up to whole chunks. */
  capacityBytes: number;
  /**
   * The size of a chunk, which is divided into blocks of one size: a power of two from 1 KiB to 1
   * MiB. Default: a 64th of the capacity.
   */
  chunkBytes?: number;
  /** The size of the smallest block: a power of two from 16 on. Default: 64, or 16 if compact. */
  minBlockBytes?: number;
  /**
   * The maximum number of handles at one time: pools and caches in all threads. Default: 128, or 32
   * if compact.
   */
  handles?: number;
  /**
   * Pack the bookkeeping instead of spreading it over cache lines: less memory, more contention.
   * Default: false.
   */
  compact?: boolean;
  /** Advise the system to back the pool with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /** Keep the memory on this NUMA node. Default: the node of the first write. */
  numaNode?: number;
}

/** A bit of the region's option word, as are those of the safety options. */
const COMPACT = 4;
/** Parts of a group's word; see `shared-pool.ts`. V8 folds constants of the same module only. */
const BITS = 0xffff;
const CLASS = 31 << 16;
const CLASS_ONE = 1 << 16;
const OWNED = 1 << 31;
/**
 * The number of groups, from the current one on, that JavaScript searches before native code does.
 */
const SEARCHED_GROUPS = 64;
const OPTIONS = [
  'capacityBytes',
  'chunkBytes',
  'minBlockBytes',
  'handles',
  'compact',
  ...PLACEMENT_OPTIONS,
  ...SAFETY_OPTIONS,
];

/**
 * Memory for blocks that any thread allocates and any thread frees.
 *
 * ```ts
 * const pool = new LockFreePool({ capacityBytes: 1 << 20 });
 * worker.postMessage(pool.share()); // LockFreePool.attach(token) there
 * const at = pool.alloc(100);
 * pool.f64[at / 8] = 1.5;
 * worker.postMessage(at); // pool.f64[at / 8] there, and pool.free(at)
 * ```
 *
 * A pool that has room never reports that it is full, whatever other threads do meanwhile. A thread
 * may end at any moment, by `terminate()` or otherwise: the pool stays valid and regains the
 * resources of the thread's handle, except the blocks that its program had allocated (see
 * `stats().suspects`).
 */
export class LockFreePool extends Pool {
  readonly #table: SharedPoolTable;

  static {
    setTag(this.prototype, 'LockFreePool');
  }

  constructor(options: LockFreePoolOptions);
  /** @internal */
  constructor(source: RegionSource);
  constructor(from: LockFreePoolOptions | RegionSource) {
    const source = from instanceof RegionSource ? from : create(from);
    const table = new SharedPoolTable('LockFreePool', source, undefined);
    super(table);
    this.#table = table;
  }

  /**
   * A pool that another thread shared, with equal rights. Throws `ERR_OFFHEAP_FULL` if the pool has
   * too many handles.
   */
  static attach(token: Token<'lockfreepool'>): LockFreePool {
    return attachStructure(token, 'lockfreepool', constructing<LockFreePool>(this, LockFreePool));
  }

  /** For many threads: room for 512 handles, and 64 MiB in large chunks by default. */
  static highPerformance(options: Partial<LockFreePoolOptions> = {}): LockFreePool {
    return preset('highPerformance', options, { capacityBytes: 2 ** 26, handles: 512 });
  }

  /**
   * For little memory: blocks from 16 bytes on, packed bookkeeping, 1 MiB in small chunks by
   * default.
   */
  static compact(options: Partial<LockFreePoolOptions> = {}): LockFreePool {
    return preset('compact', options, { capacityBytes: 2 ** 20, chunkBytes: 4096, compact: true });
  }

  alloc(bytes: number): Offset {
    const offset = this.tryAlloc(bytes);
    if (offset < 0) throw this.#table.memory.fullError(bytes);
    return offset as Offset;
  }

  tryAlloc(bytes: number): Offset | NoRoom {
    const table = this.#table;
    if (typeof bytes === 'number' && bytes <= table.fastLimit && bytes >>> 0 === bytes) {
      const { words } = table;
      const ofClass = classOf(bytes, table.minShift);
      const first = words[table.currentAt + ofClass] - 1;
      if (first >>> 0 < table.groups) {
        // The following groups of the same chunk, as long as they have the same class.
        const end = Math.min(first + SEARCHED_GROUPS, ((first >>> table.groupShift) + 1) << table.groupShift);
        for (let at = first; at < end; at++) {
          const index = table.groupsAt + at;
          const word = words[index];
          if ((word & (CLASS | OWNED)) !== (ofClass + 1) * CLASS_ONE) break;
          if ((word & BITS) === 0) continue;
          const bit = 31 - Math.clz32(word & -word);
          const within = (((at & ((1 << table.groupShift) - 1)) << 4) | bit) << (table.minShift + ofClass);
          const chunk = at >>> table.groupShift;
          // Before the block is taken: if this thread ends in between, the pool knows which block
          // it may have taken.
          words[table.intentAt] = (((chunk << table.chunkShift) | within) >>> table.minShift) + 1;
          if (Atomics.compareExchange(words, index, word, word & (word - 1)) === word) {
            if (at !== first) words[table.currentAt + ofClass] = at + 1;
            return (((chunk << table.chunkShift) | within) >>> 0) as Offset;
          }
        }
      }
    }
    return table.allocSlow(bytes);
  }

  free(offset: number): void {
    const table = this.#table;
    if (typeof offset === 'number' && offset >>> 0 === offset) {
      const chunk = offset >>> table.chunkShift;
      if (chunk < table.chunks && table.freeBlock(chunk, offset)) return;
    }
    table.freeSlow(offset);
  }

  /** Counts blocks, in O(capacity / block size / 16). */
  stats(): SharedPoolStats {
    return this.#table.stats();
  }

  /**
   * Verifies the bookkeeping; throws `ERR_OFFHEAP_CORRUPT`. O(blocks / 16). While other threads
   * allocate and free, a valid pool may be reported as corrupt.
   */
  validate(): void {
    this.#table.validate();
  }

  /**
   * A token for other threads, which allocate and free in the same memory through {@link
   * LockFreePool.attach}.
   */
  share(): Token<'lockfreepool'> {
    return this.#table.share();
  }
}

/** The size class of a request: class `i` has blocks of 2^(minShift + i) bytes. */
function classOf(bytes: number, minShift: number): number {
  return bytes <= 1 << minShift ? 0 : 32 - Math.clz32(bytes - 1) - minShift;
}

/** The region of a new pool. */
function create(given: unknown): RegionSource {
  const options = readOptions(given, OPTIONS, 'LockFreePool');
  const sizes = [
    checkInteger(options.capacityBytes, 'capacityBytes', 1, 2 ** 32),
    integerOption(options, 'chunkBytes', 1024, 2 ** 20, 0),
    integerOption(options, 'minBlockBytes', 16, 2 ** 19, 0),
    integerOption(options, 'handles', 1, 1023, 0),
    safetyFlags(options) | (booleanOption(options, 'compact', false) ? COMPACT : 0),
  ] as const;
  const placement = placementOptions(options);
  const region = Region.fixed(native().lockfreepoolRegionSize(...sizes), placement);
  native().lockfreepoolInit(region.bytes, ...sizes);
  return new RegionSource(region, true, 'this LockFreePool');
}

function preset(name: string, given: unknown, defaults: LockFreePoolOptions): LockFreePool {
  if (typeof given !== 'object' || given === null) {
    throw typeError(`LockFreePool.${name}: options must be an object, not ${describe(given)}`);
  }
  return new LockFreePool({ ...defaults, ...given });
}
