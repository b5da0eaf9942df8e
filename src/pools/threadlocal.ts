/**
 * ThreadLocalPool: a cache in front of a LockFreePool, for one thread. See `shared.ts`.
 *
 * The cache owns groups of sixteen blocks. Allocating and freeing in them takes plain loads and
 * stores, some 10 ns for both; a block that another thread frees comes home to the cache that owns
 * its group. Each cache is a handle of its own, so several in one thread, on one pool or on many,
 * have nothing in common.
 *
 * Which blocks are free stands in the groups' words. Blocks that were freed lately are noted, in a
 * stack for each class, so that nobody has to look for them; a note may be out of date (native code
 * gave the group back, or took the block), so the words decide.
 */
import { typeError } from '../errors.js';
import { native } from '../native.js';
import { describe, integerOption, readOptions } from '../region/options.js';
import { attachRegion } from '../region/token.js';
import { LockFreePool } from './lockfree.js';
import { type NoRoom, type Offset } from './pool.js';
import { BITS, CLASS, CLASS_ONE, classOf, COUNT, OWNED, SharedPool, type SharedPoolStats } from './shared.js';

/** How much a ThreadLocalPool may keep. */
export interface ThreadLocalPoolOptions {
  /**
   * How many bytes of blocks, allocated and free ones together, the cache may keep other threads
   * from allocating. Blocks of which it could not keep 64 are not cached. Default: an eighth of the
   * pool, 1 MiB at most.
   */
  cacheBytes?: number;
}

/** What {@link ThreadLocalPool.stats} tells: of the whole pool, and of the cache. */
export interface ThreadLocalPoolStats extends SharedPoolStats {
  /**
   * Bytes of blocks, allocated and free ones together, that this cache keeps other threads from
   * allocating.
   */
  heldBytes: number;
}

/**
 * Words of the notes on a class: 2 to this. The first counts those that follow: for each block 16
 * times its group plus its bit, and its offset.
 */
const NOTES_SHIFT = 7;
const MAX_CLASSES = 16;
/** Whose a group is, and of which class. */
const OF_GROUP = OWNED | COUNT | CLASS;
/** The count with which there is no room for another block. */
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
 * Offsets are those of the pool, and so are the views. A thread that ends gives its cache back, and
 * so does {@link ThreadLocalPool.close}.
 */
export class ThreadLocalPool extends SharedPool {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, {
      value: 'ThreadLocalPool',
      configurable: true,
    });
  }

  private readonly notes = new Int32Array(MAX_CLASSES << NOTES_SHIFT);

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
      const { words, notes } = this;
      const ofClass = classOf(bytes, this.minShift);
      const noted = ofClass << NOTES_SHIFT;
      const mine = this.mine | ((ofClass + 1) * CLASS_ONE);
      for (let count = notes[noted]; count > 0; count -= 2) {
        const place = notes[noted + count - 1];
        const offset = notes[noted + count];
        notes[noted] = count - 2;
        const bit = 1 << (place & 15);
        const at = this.cachesAt + (place >>> 4);
        const cache = words[at];
        if ((cache & bit) === 0 || (words[this.groupsAt + (place >>> 4)] & OF_GROUP) !== mine) continue;
        // First which block it may have been that was lost if this thread ends in between.
        words[this.intentAt] = (offset >>> this.minShift) + 1;
        words[at] = cache ^ bit;
        return (offset >>> 0) as Offset;
      }
      const offset = this.allocNatively(bytes);
      if (offset >= 0) this.noteGroup(offset, ofClass);
      return offset;
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
    // A chunk with groups of ours is cut into blocks of the class that their words say. So to look
    // at those is enough.
    const ofClass = (words[this.chunksAt + chunk] >>> 3) & 31;
    const shift = this.minShift + ofClass;
    const block = (offset & ((1 << this.chunkShift) - 1)) >>> shift;
    const group = (chunk << this.groupShift) + (block >>> 4);
    const word = words[this.groupsAt + group];
    if ((word & OF_GROUP) !== (this.mine | ((ofClass + 1) * CLASS_ONE))) return false;
    const cache = words[this.cachesAt + group];
    const bit = 1 << (block & 15);
    if (((word | cache) & bit) !== 0 || (offset & ((1 << shift) - 1)) !== 0) return false;
    words[this.cachesAt + group] = cache | bit;
    this.note(ofClass, (group << 4) | (block & 15), offset);
    return true;
  }

  private note(ofClass: number, place: number, offset: number): void {
    const { notes } = this;
    const noted = ofClass << NOTES_SHIFT;
    const count = notes[noted];
    if (count >= NOTES_END) return;
    notes[noted + count + 1] = place;
    notes[noted + count + 2] = offset;
    notes[noted] = count + 2;
  }

  /** Notes the free blocks in the group of a block that native code allocated, the lowest last. */
  private noteGroup(offset: number, ofClass: number): void {
    const shift = this.minShift + ofClass;
    const chunk = offset >>> this.chunkShift;
    const first = ((offset & ((1 << this.chunkShift) - 1)) >>> shift) & ~15;
    const group = (chunk << this.groupShift) + (first >>> 4);
    // Of a larger class, or not of the cache: that block was all there is.
    if ((this.words[this.groupsAt + group] & OF_GROUP) !== (this.mine | ((ofClass + 1) * CLASS_ONE))) return;
    const cache = this.words[this.cachesAt + group] & BITS;
    for (let bit = 15; bit >= 0; bit--) {
      if (((cache >>> bit) & 1) === 0) continue;
      this.note(ofClass, (group << 4) | bit, (chunk << this.chunkShift) + ((first | bit) << shift));
    }
  }

  /** Gives all cached blocks back to the pool. */
  flush(): void {
    this.checkOpen();
    this.notes.fill(0);
    native().lockfreepoolFlush(this.handle);
  }

  override stats(): ThreadLocalPoolStats {
    const stats = super.stats();
    const numbers = new Float64Array(7);
    native().lockfreepoolStats(this.handle, numbers);
    return { ...stats, heldBytes: numbers[6] };
  }
}
