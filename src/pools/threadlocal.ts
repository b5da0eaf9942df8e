/**
 * ThreadLocalPool: a cache in front of a LockFreePool, for one thread. See `shared.ts`.
 *
 * The cache owns groups of sixteen blocks. Allocating and freeing in them takes plain loads and stores, some 5 ns for both; a
 * block that another thread frees comes home to the cache that owns its group. Each cache is a handle of its own, so
 * several in one thread, on one pool or on many, have nothing in common.
 */
import { typeError } from '../errors.js';
import { native } from '../native.js';
import { describe, integerOption, readOptions } from '../region/options.js';
import { attachRegion } from '../region/token.js';
import { LockFreePool } from './lockfree.js';
import { type NoRoom, type Offset } from './pool.js';
import {
  CLASS,
  CLASS_ONE,
  classOf,
  COUNT,
  CUT,
  KIND,
  OWNED,
  SharedPool,
  type SharedPoolStats,
} from './shared.js';

/** How much a ThreadLocalPool may keep. */
export interface ThreadLocalPoolOptions {
  /**
   * How many bytes of blocks, allocated and free ones together, the cache may keep other threads from allocating. Blocks of which
   * it could not keep 64 are not cached. Default: an eighth of the pool, 1 MiB at most.
   */
  cacheBytes?: number;
}

/** What {@link ThreadLocalPool.stats} tells: of the whole pool, and of the cache. */
export interface ThreadLocalPoolStats extends SharedPoolStats {
  /** Bytes of blocks, allocated and free ones together, that this cache keeps other threads from allocating. */
  heldBytes: number;
}

/**
 * A cache for this thread in front of a pool that all threads share.
 *
 * ```ts
 * const local = new ThreadLocalPool(pool, { cacheBytes: 65_536 });
 * const at = local.alloc(64);
 * local.free(at); // or pool.free(at), or in any other thread
 * ```
 *
 * Offsets are those of the pool, and so are the views. A thread that ends gives its cache back, and so does {@link ThreadLocalPool.close}.
 */
export class ThreadLocalPool extends SharedPool {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, {
      value: 'ThreadLocalPool',
      configurable: true,
    });
  }

  constructor(pool: LockFreePool, options?: ThreadLocalPoolOptions) {
    if (!(pool instanceof LockFreePool)) {
      throw typeError(`a ThreadLocalPool needs a LockFreePool, not ${describe(pool)}`);
    }
    const token = pool.share();
    const most = Math.min(2 ** 20, Math.floor(pool.u8.length / 8));
    const given = readOptions(options, ['cacheBytes'], 'ThreadLocalPool');
    super(attachRegion(token, 'lockfreepool'), integerOption(given, 'cacheBytes', 0, 2 ** 32, most));
  }

  protected get noun(): string {
    return 'ThreadLocalPool';
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
      const at = words[this.currentAt + ofClass] - 1;
      if (at >>> 0 < this.groups) {
        const cache = words[this.cachesAt + at];
        if (cache !== 0) {
          const bit = 31 - Math.clz32(cache & -cache);
          const within = (((at & ((1 << this.groupShift) - 1)) << 4) | bit) << (this.minShift + ofClass);
          const offset = ((at >>> this.groupShift) << this.chunkShift) | within;
          // First which block it may have been that was lost if this thread ends in between.
          words[this.intentAt] = (offset >>> this.minShift) + 1;
          words[this.cachesAt + at] = cache & (cache - 1);
          return (offset >>> 0) as Offset;
        }
      }
    }
    return this.allocNatively(bytes);
  }

  free(offset: number): void {
    if (typeof offset === 'number' && offset >>> 0 === offset) {
      const chunk = offset >>> this.chunkShift;
      if (chunk < this.chunks && (this.freeMine(chunk, offset) || this.freeBlock(chunk, offset))) return;
    }
    this.freeNatively(offset);
  }

  /** Frees a block of a group that this cache owns. */
  private freeMine(chunk: number, offset: number): boolean {
    const { words } = this;
    const descriptor = words[this.chunksAt + chunk];
    const ofClass = (descriptor >>> 3) & 31;
    const shift = this.minShift + ofClass;
    const within = offset & ((1 << this.chunkShift) - 1);
    const block = within >>> shift;
    if ((descriptor & KIND) !== CUT || shift >= this.chunkShift || block << shift !== within) return false;
    const at = (chunk << this.groupShift) + (block >>> 4);
    const word = words[this.groupsAt + at];
    if ((word & (OWNED | COUNT | CLASS)) !== (this.mine | ((ofClass + 1) * CLASS_ONE))) return false;
    const cache = words[this.cachesAt + at];
    const bit = 1 << (block & 15);
    if (((word | cache) & bit) !== 0) return false;
    words[this.cachesAt + at] = cache | bit;
    if (cache === 0) this.refilled(at, ofClass);
    return true;
  }

  /** A group that had nothing has a block: the next to use, if the current one has none. */
  private refilled(at: number, ofClass: number): void {
    const { words } = this;
    const current = words[this.currentAt + ofClass] - 1;
    if (current >>> 0 >= this.groups || words[this.cachesAt + current] === 0) {
      words[this.currentAt + ofClass] = at + 1;
    }
  }

  /** Gives all cached blocks back to the pool. */
  flush(): void {
    this.checkOpen();
    native().lockfreepoolFlush(this.handle);
  }

  override stats(): ThreadLocalPoolStats {
    const stats = super.stats();
    const numbers = new Float64Array(7);
    native().lockfreepoolStats(this.handle, numbers);
    return { ...stats, heldBytes: numbers[6] };
  }
}
