/**
 * What LockFreePool and ThreadLocalPool have in common: a handle on one region that all threads
 * share. The protocol is told at the top of `native/core/src/pools/lockfree/mod.rs`, the bytes in
 * `docs/formats/pools.md`.
 *
 * JavaScript takes and gives single blocks, each by one atomic step, so that `terminate()` can come
 * between any two statements. Whatever takes more steps (finding another group, chunks, caches,
 * slots) is one native call, which it waits for.
 */
import { native } from '../native.js';
import type { PoolHandle } from '../native/lockfreepool.js';
import { describe } from '../region/options.js';
import type { Region } from '../region/region.js';
import { shareRegion, type Token } from '../region/token.js';
import { badSize, isSize, NO_ROOM, Pool, type NoRoom, type Offset, type PoolStats } from './pool.js';
import { rangeError, typeError } from '../errors.js';

/**
 * What `stats()` of {@link LockFreePool} and {@link ThreadLocalPool} tells. Each number was right
 * at a moment, not all at the same.
 */
export interface SharedPoolStats extends PoolStats {
  /** Bytes of free blocks that caches hold. */
  cachedBytes: number;
  /** How many handles there are: pools and caches in all threads. */
  handles: number;
  /**
   * Blocks that threads had allocated last when they ended without `close()`, and that are
   * allocated still: each may have been lost before its program got hold of it.
   */
  suspects: Offset[];
}

/** The option word of the region. */
export const ZERO_ON_FREE = 1;
export const GUARDS = 2;
export const COMPACT = 4;

// Descriptors of chunks.
export const KIND = 7;
export const CUT = 1;
export const CHANGING = 3;

// Group words: bits of free blocks, the class plus one, and a count or an owner.
export const BITS = 0xffff;
export const CLASS = 31 << 16;
export const CLASS_ONE = 1 << 16;
export const COUNT_ONE = 1 << 21;
export const COUNT = 1023 << 21;
export const OWNED = 1 << 31;

/** Words of a slot. */
export const INTENT = 1;
export const CURRENT = 16;

/** The class for so many bytes: blocks of 2^(minShift + class). */
export function classOf(bytes: number, minShift: number): number {
  return bytes <= 1 << minShift ? 0 : 32 - Math.clz32(bytes - 1) - minShift;
}

const NO_WORDS = new Int32Array(0);

export abstract class SharedPool extends Pool {
  /** The bookkeeping; empty once closed. */
  protected words: Int32Array = NO_WORDS;
  /**
   * The largest request that JavaScript serves; -1 where none (closed, or with guards or zeroing).
   */
  protected most = -1;
  protected chunkShift = 0;
  protected minShift = 0;
  protected groupShift = 0;
  /** How many chunks JavaScript frees blocks of: 0 where `most` is -1. */
  protected chunks = 0;
  protected groups = 0;
  protected chunksAt = 0;
  protected hintsAt = 0;
  protected groupsAt = 0;
  protected cachesAt = 0;
  protected intentAt = 0;
  /** Where the slot has the current group of each class. */
  protected currentAt = 0;
  /** The owner's bits in words of groups that this handle owns. */
  protected mine = 0;
  protected readonly handle: PoolHandle;

  protected constructor(
    protected readonly region: Region,
    cacheBytes: number | undefined,
  ) {
    super();
    this.handle = native().lockfreepoolAttach(region.bytes, cacheBytes);
    const layout = new Float64Array(14);
    native().lockfreepoolLayout(this.handle, layout);
    const [data, capacity] = layout;
    // As integers: fields that ever held a double cost a conversion wherever they are read.
    const [options, chunkShift, minShift, groupShift, slot, slotAt, ...sections] = Int32Array.from(
      layout.subarray(2),
    );
    const [chunksAt, hintsAt, groupsAt, cachesAt, words, cached] = sections;
    this.words = new Int32Array(region.buffer, 0, words);
    this.chunkShift = chunkShift;
    this.minShift = minShift;
    this.groupShift = groupShift;
    this.chunksAt = chunksAt;
    this.hintsAt = hintsAt;
    this.groupsAt = groupsAt;
    this.cachesAt = cachesAt;
    this.intentAt = slotAt + INTENT;
    this.currentAt = slotAt + CURRENT;
    this.mine = OWNED | (slot << 21);
    if ((options & (ZERO_ON_FREE | GUARDS)) === 0) {
      this.chunks = (capacity / 2 ** chunkShift) | 0;
      this.groups = this.chunks << groupShift;
      this.most = cacheBytes === undefined ? 1 << (chunkShift - 1) : cached === 0 ? -1 : cached;
    }
    this.mount(region.buffer, data, capacity);
  }

  get byteLength(): number {
    this.checkOpen();
    return this.region.buffer.byteLength;
  }

  /** Counts blocks, in O(capacity / block size / 16). */
  stats(): SharedPoolStats {
    this.checkOpen();
    const numbers = new Float64Array(7);
    native().lockfreepoolStats(this.handle, numbers);
    const [capacityBytes, usedBytes, cachedBytes, usedBlocks, failures, handles] = numbers;
    return {
      byteLength: this.byteLength,
      capacityBytes,
      usedBytes,
      usedBlocks,
      failures,
      cachedBytes,
      handles,
      suspects: native().lockfreepoolSuspects(this.handle) as Offset[],
    };
  }

  /**
   * Proves that the bookkeeping is sound; throws `ERR_OFFHEAP_CORRUPT`. O(blocks / 16). While other
   * threads allocate and free, a sound pool can look wrong.
   */
  validate(): void {
    this.checkOpen();
    native().lockfreepoolValidate(this.region.bytes);
  }

  /**
   * A token for other threads, which allocate and free in the same memory through {@link
   * LockFreePool.attach}.
   */
  share(): Token<'lockfreepool'> {
    this.checkOpen();
    return shareRegion(this.region, 'lockfreepool');
  }

  protected roomAt(offset: number): number {
    this.checkOpen();
    return native().lockfreepoolRoom(this.handle, this.checkOffset(offset));
  }

  protected release(): void {
    this.most = -1;
    this.chunks = 0;
    this.words = NO_WORDS;
    native().lockfreepoolClose(this.handle);
    this.region.release();
  }

  /**
   * Frees a block that begins at `offset` in a chunk, by one swap; false where it is not that
   * simple.
   */
  protected freeBlock(chunk: number, offset: number): boolean {
    const { words } = this;
    const descriptor = words[this.chunksAt + chunk];
    const kind = descriptor & KIND;
    if (kind !== CUT && kind !== CHANGING) return false;
    const ofClass = (descriptor >>> 3) & 31;
    const shift = this.minShift + ofClass;
    const within = offset & ((1 << this.chunkShift) - 1);
    const block = within >>> shift;
    if (shift >= this.chunkShift || block << shift !== within) return false;
    const at = (chunk << this.groupShift) + (block >>> 4);
    const bit = 1 << (block & 15);
    const index = this.groupsAt + at;
    // A plain load, at a sixth of the price: the swap finds out if it was late.
    let word = words[index];
    for (;;) {
      if ((word & CLASS) !== (ofClass + 1) * CLASS_ONE || (word & bit) !== 0) return false;
      const owned = (word & OWNED) !== 0;
      if (owned && (words[this.cachesAt + at] & bit) !== 0) return false;
      const next = owned ? word | bit : ((word | bit) & ~COUNT) | ((word + COUNT_ONE) & COUNT);
      const seen = Atomics.compareExchange(words, index, word, next);
      if (seen === word) {
        if (owned) return true;
        this.hint(chunk);
        // In a chunk that this handle prefers: the next block comes from here, instead of a search
        // for one.
        if ((((descriptor << 13) ^ this.mine) & COUNT) === 0) words[this.currentAt + ofClass] = at + 1;
        return true;
      }
      word = seen;
    }
  }

  /**
   * Says that a chunk may have a free block. If the swap fails, somebody else said so after our
   * free. The load may be plain: who took the hint back before our free swapped that same group
   * word since, so this comes after it.
   */
  private hint(chunk: number): void {
    const index = this.hintsAt + chunk;
    const hint = this.words[index];
    if ((hint & 1) === 0) Atomics.compareExchange(this.words, index, hint, (hint + 1) | 0);
  }

  // ---- the roads that are not plain

  protected allocNatively(bytes: unknown): Offset | NoRoom {
    if (!isSize(bytes)) throw badSize(bytes);
    this.checkOpen();
    const offset = native().lockfreepoolAlloc(this.handle, bytes);
    return offset < 0 ? NO_ROOM : (offset as Offset);
  }

  protected freeNatively(offset: unknown): void {
    this.checkOpen();
    native().lockfreepoolFree(this.handle, this.checkOffset(offset));
  }

  private checkOffset(offset: unknown): number {
    if (isSize(offset)) return offset;
    throw typeof offset === 'number'
      ? rangeError(`no block of this ${this.noun} begins at ${offset}`)
      : typeError(`an offset is a number, not ${describe(offset)}`);
  }
}
