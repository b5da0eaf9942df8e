/**
 * ThreadLocalPool: a per-thread cache in front of a LockFreePool. See `shared-pool.ts`.
 *
 * The cache owns groups of sixteen blocks. Allocating and freeing in them takes plain loads and
 * stores, some 10 ns for both; a block freed by another thread returns to the cache that owns its
 * group. Each cache is a handle of its own, so several caches in one thread, on the same pool or on
 * different ones, are independent.
 *
 * The groups' words record which blocks are free. In addition a stack of notes for each class lists
 * blocks that were freed recently, which avoids a search. A note may be outdated, because native
 * code returned the group or took the block; the words are authoritative.
 */
import { typeError } from '../errors.js';
import { native } from '../native.js';
import { setTag } from '../region/face.js';
import { describe, integerOption, readOptions } from '../region/options.js';
import { RegionSource } from '../region/table.js';
import { attachRegion, type Token } from '../region/token.js';
import { LockFreePool } from './lock-free-pool.js';
import type { NoRoom, Offset } from './pool-memory.js';
import { Pool } from './pool.js';
import { SharedPoolTable, type SharedPoolStats } from './shared-pool.js';

/** The size of a ThreadLocalPool's cache. */
export interface ThreadLocalPoolOptions {
  /**
   * The maximum number of bytes that the cache withholds from other threads, in allocated and free
   * blocks. A block size of which fewer than 64 fit is not cached. Default: an eighth of the pool,
   * at most 1 MiB.
   */
  cacheBytes?: number;
}

/** The result of {@link ThreadLocalPool.stats}: figures of the whole pool, and of the cache. */
export interface ThreadLocalPoolStats extends SharedPoolStats {
  /** Bytes that this cache withholds from other threads, in allocated and free blocks. */
  heldBytes: number;
}

/**
 * The logarithm of the number of words for the notes of a class. The first is the number of words
 * that follow, two for each block: 16 times its group plus its bit, and its offset.
 */
const NOTES_SHIFT = 7;
const MAX_CLASSES = 16;
/** Parts of a group's word; see `shared-pool.ts`. V8 folds constants of the same module only. */
const BITS = 0xffff;
const CLASS = 31 << 16;
const CLASS_ONE = 1 << 16;
const COUNT = 1023 << 21;
const OWNED = 1 << 31;
/** The bits of a group's word that identify its owner and its class. */
const OF_GROUP = OWNED | COUNT | CLASS;
/** The count at which there is no room for another note. */
const NOTES_END = (1 << NOTES_SHIFT) - 3;

/**
 * A cache for this thread in front of a pool that all threads share.
 *
 * ```ts
 * const local = new ThreadLocalPool(pool, { cacheBytes: 65_536 });
 * const at = local.alloc(64);
 * local.free(at); // or pool.free(at), or in any other thread
 * ```
 *
 * Offsets and views are those of the pool. The cache's blocks return to the pool when the thread
 * ends, and by {@link ThreadLocalPool.close}.
 */
export class ThreadLocalPool extends Pool {
  readonly #table: SharedPoolTable;
  /** For each class the blocks that were freed recently; see {@link NOTES_SHIFT}. */
  readonly #notes = new Int32Array(MAX_CLASSES << NOTES_SHIFT);

  static {
    setTag(this.prototype, 'ThreadLocalPool');
  }

  constructor(pool: LockFreePool, options?: ThreadLocalPoolOptions) {
    if (!(pool instanceof LockFreePool)) {
      throw typeError(`pool must be a LockFreePool, not ${describe(pool)}`);
    }
    const token = pool.share();
    const most = Math.min(2 ** 20, Math.floor(pool.u8.length / 8));
    const given = readOptions(options, ['cacheBytes'], 'ThreadLocalPool');
    const cacheBytes = integerOption(given, 'cacheBytes', 0, 2 ** 32, most);
    const region = attachRegion(token, 'lockfreepool');
    const source = new RegionSource(region, false, 'the shared lockfreepool');
    const table = new SharedPoolTable('ThreadLocalPool', source, cacheBytes);
    super(table);
    this.#table = table;
  }

  alloc(bytes: number): Offset {
    const offset = this.tryAlloc(bytes);
    if (offset < 0) throw this.#table.memory.fullError(bytes);
    return offset as Offset;
  }

  tryAlloc(bytes: number): Offset | NoRoom {
    const table = this.#table;
    if (typeof bytes === 'number' && bytes <= table.fastLimit && bytes >>> 0 === bytes) {
      const notes = this.#notes;
      const { words } = table;
      const ofClass = classOf(bytes, table.minShift);
      const noted = ofClass << NOTES_SHIFT;
      const mine = table.mine | ((ofClass + 1) * CLASS_ONE);
      for (let count = notes[noted]; count > 0; count -= 2) {
        const place = notes[noted + count - 1];
        const offset = notes[noted + count];
        notes[noted] = count - 2;
        const bit = 1 << (place & 15);
        const at = table.cachesAt + (place >>> 4);
        const cache = words[at];
        if ((cache & bit) === 0 || (words[table.groupsAt + (place >>> 4)] & OF_GROUP) !== mine) continue;
        // Before the block is taken: if this thread ends in between, the pool knows which block it
        // may have taken.
        words[table.intentAt] = (offset >>> table.minShift) + 1;
        words[at] = cache ^ bit;
        return (offset >>> 0) as Offset;
      }
      const offset = table.allocSlow(bytes);
      if (offset >= 0) noteGroup(table, notes, offset, ofClass);
      return offset;
    }
    return table.allocSlow(bytes);
  }

  free(offset: number): void {
    const table = this.#table;
    if (typeof offset === 'number' && offset >>> 0 === offset) {
      const chunk = offset >>> table.chunkShift;
      if (chunk < table.chunks) {
        if (freeOwned(table, this.#notes, chunk, offset) || table.freeBlock(chunk, offset)) return;
      }
    }
    table.freeSlow(offset);
  }

  /** Returns all cached blocks to the pool. */
  flush(): void {
    this.#table.memory.checkOpen();
    this.#notes.fill(0);
    native().lockfreepoolFlush(this.#table.handle);
  }

  /** Counts blocks, in O(capacity / block size / 16). */
  stats(): ThreadLocalPoolStats {
    return { ...this.#table.stats(), heldBytes: this.#table.heldBytes() };
  }

  /**
   * Verifies the bookkeeping; throws `ERR_OFFHEAP_CORRUPT`. O(blocks / 16). While other threads
   * allocate and free, a valid pool may be reported as corrupt.
   */
  validate(): void {
    this.#table.validate();
  }

  /** A token of the underlying pool, for {@link LockFreePool.attach} in other threads. */
  share(): Token<'lockfreepool'> {
    return this.#table.share();
  }
}

// ---- the cache's groups and notes

/** The size class of a request: class `i` has blocks of 2^(minShift + i) bytes. */
function classOf(bytes: number, minShift: number): number {
  return bytes <= 1 << minShift ? 0 : 32 - Math.clz32(bytes - 1) - minShift;
}

/** Frees a block of a group that this cache owns. */
function freeOwned(table: SharedPoolTable, notes: Int32Array, chunk: number, offset: number): boolean {
  const { words } = table;
  // If the chunk has groups of this cache, its blocks have the class that the groups' words say, so
  // checking the group's word is enough.
  const ofClass = (words[table.chunksAt + chunk] >>> 3) & 31;
  const shift = table.minShift + ofClass;
  const block = (offset & ((1 << table.chunkShift) - 1)) >>> shift;
  const group = (chunk << table.groupShift) + (block >>> 4);
  const word = words[table.groupsAt + group];
  if ((word & OF_GROUP) !== (table.mine | ((ofClass + 1) * CLASS_ONE))) return false;
  const cache = words[table.cachesAt + group];
  const bit = 1 << (block & 15);
  if (((word | cache) & bit) !== 0 || (offset & ((1 << shift) - 1)) !== 0) return false;
  words[table.cachesAt + group] = cache | bit;
  addNote(notes, ofClass, (group << 4) | (block & 15), offset);
  return true;
}

function addNote(notes: Int32Array, ofClass: number, place: number, offset: number): void {
  const noted = ofClass << NOTES_SHIFT;
  const count = notes[noted];
  if (count >= NOTES_END) return;
  notes[noted + count + 1] = place;
  notes[noted + count + 2] = offset;
  notes[noted] = count + 2;
}

/** Notes the free blocks in the group of a block that native code allocated, the lowest last. */
function noteGroup(table: SharedPoolTable, notes: Int32Array, offset: number, ofClass: number): void {
  const shift = table.minShift + ofClass;
  const chunk = offset >>> table.chunkShift;
  const first = ((offset & ((1 << table.chunkShift) - 1)) >>> shift) & ~15;
  const group = (chunk << table.groupShift) + (first >>> 4);
  // Otherwise the block is of a larger class, or its group does not belong to the cache.
  if ((table.words[table.groupsAt + group] & OF_GROUP) !== (table.mine | ((ofClass + 1) * CLASS_ONE))) return;
  const cache = table.words[table.cachesAt + group] & BITS;
  for (let bit = 15; bit >= 0; bit--) {
    if (((cache >>> bit) & 1) === 0) continue;
    addNote(notes, ofClass, (group << 4) | bit, (chunk << table.chunkShift) + ((first | bit) << shift));
  }
}
