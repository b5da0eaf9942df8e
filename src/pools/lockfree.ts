/**
 * LockFreePool: one region of memory in which all threads allocate and free, without locks. See
 * `shared.ts`.
 *
 * Blocks have powers of two, 64 bytes (16 if compact) up to half a chunk; larger requests take
 * whole chunks. An alloc and a free are a compare-and-swap each, some 10 ns; every sixteenth alloc
 * or so looks for other blocks, which costs up to a microsecond, more where memory is nearly used
 * up.
 */
import { typeError } from '../errors.js';
import { native } from '../native.js';
import { booleanOption, checkInteger, describe, readOptions } from '../region/options.js';
import { Region } from '../region/region.js';
import { attachRegion, type Token } from '../region/token.js';
import { SAFETY_OPTIONS, type NoRoom, type Offset, type SafetyOptions } from './pool.js';
import {
  BITS,
  CLASS,
  CLASS_ONE,
  classOf,
  COMPACT,
  GUARDS,
  OWNED,
  SharedPool,
  ZERO_ON_FREE,
} from './shared.js';

/** How large a LockFreePool is, and how its memory is cut. */
export interface LockFreePoolOptions extends SafetyOptions {
  /** Bytes for blocks, up to 2^32; rounded up to whole chunks. */
  capacityBytes: number;
  /**
   * Bytes of a chunk, which is cut into blocks of one size: a power of two from 1 KiB to 1 MiB.
   * Default: a 64th of the capacity.
   */
  chunkBytes?: number;
  /** Bytes of the smallest block: a power of two from 16 on. Default: 64, or 16 if compact. */
  minBlockBytes?: number;
  /**
   * How many handles there can be at once: pools and caches in all threads. Default: 128, or 32 if
   * compact.
   */
  handles?: number;
  /** Do not spread bookkeeping over cache lines: less memory, more contention. Default: false. */
  compact?: boolean;
  /** Advise the system to back the pool with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /** Keep the memory on this NUMA node. Default: wherever it is first written. */
  numaNode?: number;
}

/**
 * How many of the groups behind the current one JavaScript looks into before native code goes on.
 */
const LOOK_INTO = 64;
const OPTIONS = [
  'capacityBytes',
  'chunkBytes',
  'minBlockBytes',
  'handles',
  'compact',
  'hugePages',
  'numaNode',
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
 * A pool that has room is never reported full, whatever other threads do meanwhile. A thread that
 * ends at any moment, terminated or not, leaves the pool sound: what it had in hand is given back,
 * all but its program's blocks (`stats().suspects`).
 */
export class LockFreePool extends SharedPool {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'LockFreePool', configurable: true });
  }

  constructor(options: LockFreePoolOptions) {
    super(
      (options as unknown) instanceof Region ? (options as unknown as Region) : create(options),
      undefined,
    );
  }

  /**
   * The pool that another thread shared: an equal of that. `ERR_OFFHEAP_FULL` if there are too many
   * handles.
   */
  static attach(token: Token<'lockfreepool'>): LockFreePool {
    return new LockFreePool(attachRegion(token, 'lockfreepool') as unknown as LockFreePoolOptions);
  }

  /** For many threads: room for 512 handles, 64 MiB in large chunks unless said otherwise. */
  static highPerformance(options: Partial<LockFreePoolOptions> = {}): LockFreePool {
    return preset('highPerformance', options, { capacityBytes: 2 ** 26, handles: 512 });
  }

  /**
   * For little memory: blocks from 16 bytes on, bookkeeping packed, small chunks, 1 MiB unless said
   * otherwise.
   */
  static compact(options: Partial<LockFreePoolOptions> = {}): LockFreePool {
    return preset('compact', options, { capacityBytes: 2 ** 20, chunkBytes: 4096, compact: true });
  }

  protected get noun(): string {
    return 'LockFreePool';
  }

  alloc(bytes: number): Offset {
    const offset = this.tryAlloc(bytes);
    if (offset < 0) throw this.full(bytes);
    return offset as Offset;
  }

  tryAlloc(bytes: number): Offset | NoRoom {
    if (typeof bytes === 'number' && bytes <= this.most && bytes >>> 0 === bytes) {
      const { words } = this;
      const ofClass = classOf(bytes, this.minShift);
      const first = words[this.currentAt + ofClass] - 1;
      if (first >>> 0 < this.groups) {
        // The groups behind the current one are of its chunk, as long as that is cut alike.
        const end = Math.min(first + LOOK_INTO, ((first >>> this.groupShift) + 1) << this.groupShift);
        for (let at = first; at < end; at++) {
          const index = this.groupsAt + at;
          const word = words[index];
          if ((word & (CLASS | OWNED)) !== (ofClass + 1) * CLASS_ONE) break;
          if ((word & BITS) === 0) continue;
          const bit = 31 - Math.clz32(word & -word);
          const within = (((at & ((1 << this.groupShift) - 1)) << 4) | bit) << (this.minShift + ofClass);
          const chunk = at >>> this.groupShift;
          // Before the block is taken: if this thread ends in between, the pool knows which block
          // it may have been.
          words[this.intentAt] = (((chunk << this.chunkShift) | within) >>> this.minShift) + 1;
          if (Atomics.compareExchange(words, index, word, word & (word - 1)) === word) {
            if (at !== first) words[this.currentAt + ofClass] = at + 1;
            return (((chunk << this.chunkShift) | within) >>> 0) as Offset;
          }
        }
      }
    }
    return this.allocNatively(bytes);
  }

  free(offset: number): void {
    if (typeof offset === 'number' && offset >>> 0 === offset) {
      const chunk = offset >>> this.chunkShift;
      if (chunk < this.chunks && this.freeBlock(chunk, offset)) return;
    }
    this.freeNatively(offset);
  }
}

function create(given: unknown): Region {
  const options = readOptions(given, OPTIONS, 'LockFreePool');
  const { capacityBytes, chunkBytes, minBlockBytes, handles, numaNode } = options;
  const flags =
    (booleanOption(options, 'zeroOnFree', false) ? ZERO_ON_FREE : 0) |
    (booleanOption(options, 'guards', false) ? GUARDS : 0) |
    (booleanOption(options, 'compact', false) ? COMPACT : 0);
  const sizes = [
    checkInteger(capacityBytes, 'capacityBytes', 1, 2 ** 32),
    chunkBytes === undefined ? 0 : checkInteger(chunkBytes, 'chunkBytes', 1024, 2 ** 20),
    minBlockBytes === undefined ? 0 : checkInteger(minBlockBytes, 'minBlockBytes', 16, 2 ** 19),
    handles === undefined ? 0 : checkInteger(handles, 'handles', 1, 1023),
    flags,
  ] as const;
  const placement = {
    hugePages: booleanOption(options, 'hugePages', undefined),
    numaNode: numaNode === undefined ? undefined : checkInteger(numaNode, 'numaNode', 0, 1023),
  };
  const region = Region.fixed(native().lockfreepoolRegionSize(...sizes), placement);
  native().lockfreepoolInit(region.bytes, ...sizes);
  return region;
}

function preset(name: string, given: unknown, defaults: LockFreePoolOptions): LockFreePool {
  if (typeof given !== 'object' || given === null) {
    throw typeError(`LockFreePool.${name} takes an object of options, not ${describe(given)}`);
  }
  return new LockFreePool({ ...defaults, ...given });
}
