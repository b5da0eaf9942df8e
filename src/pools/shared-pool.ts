/**
 * The state that LockFreePool and ThreadLocalPool have in common: a handle on one region that all
 * threads share. `native/core/src/pools/lockfree/mod.rs` describes the protocol,
 * `docs/formats/pools.md` the bytes.
 *
 * JavaScript allocates and frees single blocks, each by one atomic step, so that `terminate()` may
 * come between any two statements. Everything that takes several steps (searching other groups,
 * chunks, caches, slots) is one native call, for whose end `terminate()` waits.
 */
import { native } from '../native.js';
import type { PoolHandle } from '../native/lockfreepool.js';
import type { RegionSource } from '../region/table.js';
import { shareRegion, type Token } from '../region/token.js';
import { isSize, NO_ROOM, PoolMemory, sizeError, type NoRoom, type Offset } from './pool-memory.js';
import type { PoolStats, PoolTable } from './pool.js';

/**
 * The result of `stats()` of {@link LockFreePool} and {@link ThreadLocalPool}. While other threads
 * allocate and free, the numbers are of slightly different moments.
 */
export interface SharedPoolStats extends PoolStats {
  /** Bytes of free blocks that caches hold. */
  cachedBytes: number;
  /** The number of handles: pools and caches in all threads. */
  handles: number;
  /**
   * Blocks that may be leaked: each was the last allocation of a thread that ended without
   * `close()`, and is still allocated. The thread may have ended before its program received the
   * offset.
   */
  suspects: Offset[];
}

/** Bits of the region's option word. */
const ZERO_ON_FREE = 1;
const GUARDS = 2;

// Descriptors of chunks.
const KIND = 7;
const CUT = 1;
const CHANGING = 3;

// Group words: bits of free blocks, the class plus one, and a count or an owner. The modules of the
// fast paths repeat these constants: V8 folds constants of the same module only.
const CLASS = 31 << 16;
const CLASS_ONE = 1 << 16;
const COUNT = 1023 << 21;
const OWNED = 1 << 31;
const COUNT_ONE = 1 << 21;

/** Words of a slot. */
const INTENT = 1;
const CURRENT = 16;

const NO_WORDS = new Int32Array(0);

export class SharedPoolTable implements PoolTable {
  readonly memory: PoolMemory;
  /** The bookkeeping; empty once closed. */
  words: Int32Array;
  /**
   * The largest request of the fast path; -1 if there is none: once closed, with guards, or with
   * zeroing.
   */
  fastLimit = -1;
  readonly chunkShift: number;
  readonly minShift: number;
  readonly groupShift: number;
  /** The number of chunks whose blocks the fast path frees: 0 where `fastLimit` is -1. */
  chunks = 0;
  groups = 0;
  readonly chunksAt: number;
  readonly hintsAt: number;
  readonly groupsAt: number;
  readonly cachesAt: number;
  readonly intentAt: number;
  /** The position of the current group of each class in the handle's slot. */
  readonly currentAt: number;
  /** The owner's bits in words of groups that this handle owns. */
  readonly mine: number;
  readonly handle: PoolHandle;

  constructor(label: string, source: RegionSource, cacheBytes: number | undefined) {
    const { region } = source;
    this.handle = native().lockfreepoolAttach(region.bytes, cacheBytes);
    const layout = new Float64Array(14);
    native().lockfreepoolLayout(this.handle, layout);
    const [data, capacity] = layout;
    // As integers: a field that ever held a double costs a conversion at every read.
    const [options, chunkShift, minShift, groupShift, slot, slotAt, ...sections] = Int32Array.from(
      layout.subarray(2),
    );
    const [chunksAt, hintsAt, groupsAt, cachesAt, words, cached] = sections;
    this.memory = new PoolMemory(label, source);
    this.memory.mapViews(region.buffer, data, capacity);
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
      this.fastLimit = cacheBytes === undefined ? 1 << (chunkShift - 1) : cached === 0 ? -1 : cached;
    }
  }

  release(): void {
    this.fastLimit = -1;
    this.chunks = 0;
    this.words = NO_WORDS;
    native().lockfreepoolClose(this.handle);
  }

  roomAt(offset: number): number {
    this.memory.checkOpen();
    return native().lockfreepoolRoom(this.handle, this.checkOffset(offset));
  }

  /** The figures that native code counts; the last is the cache's `heldBytes`. */
  private figures(): Float64Array {
    this.memory.checkOpen();
    const figures = new Float64Array(7);
    native().lockfreepoolStats(this.handle, figures);
    return figures;
  }

  stats(): SharedPoolStats {
    const [capacityBytes, usedBytes, cachedBytes, usedBlocks, failures, handles] = this.figures();
    return {
      byteLength: this.memory.region.buffer.byteLength,
      capacityBytes,
      usedBytes,
      usedBlocks,
      failures,
      cachedBytes,
      handles,
      suspects: native().lockfreepoolSuspects(this.handle) as Offset[],
    };
  }

  heldBytes(): number {
    return this.figures()[6];
  }

  validate(): void {
    this.memory.checkOpen();
    native().lockfreepoolValidate(this.memory.region.bytes);
  }

  share(): Token<'lockfreepool'> {
    this.memory.checkOpen();
    return shareRegion(this.memory.region, 'lockfreepool');
  }

  /**
   * Frees a block that begins at `offset` in a chunk, by one compare-and-swap. Returns false where
   * that is not possible.
   */
  freeBlock(chunk: number, offset: number): boolean {
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
    // A plain load costs a sixth of an atomic one; the swap fails if the value was outdated.
    let word = words[index];
    for (;;) {
      if ((word & CLASS) !== (ofClass + 1) * CLASS_ONE || (word & bit) !== 0) return false;
      const owned = (word & OWNED) !== 0;
      if (owned && (words[this.cachesAt + at] & bit) !== 0) return false;
      const next = owned ? word | bit : ((word | bit) & ~COUNT) | ((word + COUNT_ONE) & COUNT);
      const seen = Atomics.compareExchange(words, index, word, next);
      if (seen === word) {
        if (owned) return true;
        this.setHint(chunk);
        // In a chunk that this handle prefers: the next block comes from here, without a search.
        if ((((descriptor << 13) ^ this.mine) & COUNT) === 0) words[this.currentAt + ofClass] = at + 1;
        return true;
      }
      word = seen;
    }
  }

  /**
   * Sets the hint that a chunk may have a free block. If the swap fails, another thread set the
   * hint after our free. The load may be plain: a thread that cleared the hint before our free has
   * since swapped the same group word, so this load comes after the clearing.
   */
  private setHint(chunk: number): void {
    const index = this.hintsAt + chunk;
    const hint = this.words[index];
    if ((hint & 1) === 0) Atomics.compareExchange(this.words, index, hint, (hint + 1) | 0);
  }

  // ---- slow paths

  allocSlow(bytes: unknown): Offset | NoRoom {
    if (!isSize(bytes)) throw sizeError(bytes);
    this.memory.checkOpen();
    const offset = native().lockfreepoolAlloc(this.handle, bytes);
    return offset < 0 ? NO_ROOM : (offset as Offset);
  }

  freeSlow(offset: unknown): void {
    this.memory.checkOpen();
    native().lockfreepoolFree(this.handle, this.checkOffset(offset));
  }

  private checkOffset(offset: unknown): number {
    if (isSize(offset)) return offset;
    throw this.memory.notBlockError(offset);
  }
}
