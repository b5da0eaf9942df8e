/**
 * BumpArena: consecutive blocks that are released all at once or a scope at a time.
 * `docs/formats/pools.md` specifies the bytes, `native/core/src/pools/bump/` is the implementation
 * in Rust.
 *
 * A word of the header, `top`, is the amount of memory in use. An allocation raises it, about 2 ns;
 * a reset sets it to zero, whatever the number of blocks. A scope saves it and restores it.
 * (Region-based memory: Hanson, "Fast allocation and deallocation of memory based on object
 * lifetimes", 1990.)
 *
 * The arena grows in place, a chunk at a time, within address space that it reserved at
 * construction. Nothing moves, and views that were read before remain valid; they only end where
 * the arena ended then.
 */
import { isAsyncFunction, isGeneratorFunction } from 'node:util/types';
import { offheapError, rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import {
  attachStructure,
  constructing,
  PLACEMENT_OPTIONS,
  placementOptions,
  setTag,
} from '../region/face.js';
import { describe, integerOption, readOptions, type Options } from '../region/options.js';
import { Region } from '../region/region.js';
import { RegionSource } from '../region/table.js';
import { shareRegion, type Token } from '../region/token.js';
import { dataOffset, MAX_GRANULES, WORD, writeShape } from './bump-arena-layout.js';
import { BumpArenaTable, type BumpArenaStats } from './bump-arena-table.js';
import type { NoRoom, Offset } from './pool-memory.js';
import { Block, Pool, SAFETY_OPTIONS, safetyFlags, type SafetyOptions } from './pool.js';

export interface BumpArenaOptions extends SafetyOptions {
  /** The initial size, and the unit of growth. Default: 64 KiB. */
  chunkBytes?: number;
  /**
   * The maximum size. Address space for it is reserved at once, memory is taken as it is needed.
   * Default: nearly 4 GiB; at most 16 GiB. If the runtime reserves less, that is the limit, which
   * `stats()` reports.
   */
  maxBytes?: number;
  /** Advise the system to back the arena with huge pages. Default: once it has 4 MiB. */
  hugePages?: boolean;
  /** Keep the memory on this NUMA node. Default: the node of the first write. */
  numaNode?: number;
}

/** Words and limits that the fast path uses. V8 folds constants of the same module only. */
const TOP = WORD.top;
const LAST = WORD.last;
const BLOCKS = WORD.blocks;
const RESETS = WORD.resets;
const FLOOR = WORD.floor;
const GRANULE = 8;
const MAX_ALIGN = 4096;
const OPTIONS = ['chunkBytes', 'maxBytes', ...PLACEMENT_OPTIONS, ...SAFETY_OPTIONS];

/**
 * Memory that is released all at once.
 *
 * ```ts
 * const arena = new BumpArena();
 * for (const request of requests) {
 *   arena.scope(() => {
 *     const at = arena.alloc(1024);
 *     arena.f64[at / 8] = request;
 *   }); // releases all blocks that were allocated inside
 * }
 * ```
 *
 * Blocks and their addresses begin at multiples of 8, or of the requested alignment, up to 4096.
 * Memory is zero only the first time it is used; see `zeroOnFree`. The views (`u8`, `f64`, …) have
 * the arena's present length: read them from the arena again after an `alloc`, which may have
 * extended it. Other threads that {@link BumpArena.attach} see the contents of all blocks; only the
 * arena's own thread allocates.
 */
export class BumpArena extends Pool {
  readonly #table: BumpArenaTable;
  /** The words of the header, a view that remains valid when the arena grows. */
  readonly #head: Int32Array;
  /** The table's `fastGranules`: here the fast path reads it without a detour, which costs 5 %. */
  #limit: number;

  static {
    setTag(this.prototype, 'BumpArena');
  }

  constructor(options?: BumpArenaOptions);
  /** @internal */
  constructor(source: RegionSource);
  constructor(from?: BumpArenaOptions | RegionSource) {
    const table = from instanceof RegionSource ? new BumpArenaTable(from, 0) : create(from);
    super(table);
    this.#table = table;
    this.#head = table.head;
    this.#limit = table.fastGranules;
  }

  /**
   * An arena that another thread shared: its blocks and `stats()`. Allocating throws
   * `ERR_OFFHEAP_UNSUPPORTED`.
   */
  static attach(token: Token<'bumparena'>): BumpArena {
    return attachStructure(token, 'bumparena', constructing<BumpArena>(this, BumpArena));
  }

  /** An arena for the temporaries of one request, frame or message: chunks of 1 MiB, huge pages. */
  static scratch(options: SafetyOptions = {}): BumpArena {
    return new BumpArena({ chunkBytes: 2 ** 20, hugePages: true, ...options });
  }

  /**
   * Allocates a block of `bytes` bytes at a multiple of `align`, a power of two up to 4096; values
   * below 8, the default, mean 8. Throws `ERR_OFFHEAP_FULL` past `maxBytes`, `ERR_OFFHEAP_RANGE`
   * for an invalid size or alignment.
   */
  alloc(bytes: number, align = 8): Offset {
    const offset = this.tryAlloc(bytes, align);
    if (offset < 0) throw this.#table.memory.fullError(bytes);
    return offset as Offset;
  }

  /** Like {@link BumpArena.alloc}, but returns -1 if the arena has no room. */
  tryAlloc(bytes: number, align = 8): Offset | NoRoom {
    if (typeof bytes === 'number' && typeof align === 'number') {
      const head = this.#head;
      const mask = ((align + 7) >>> 3) - 1;
      const start = (head[TOP] + mask) & ~mask;
      const end = start + ((bytes - 1) >>> 3) + 1;
      if (
        end <= this.#limit &&
        bytes >>> 0 === bytes &&
        bytes !== 0 &&
        align >>> 0 === align &&
        (align & (align - 1)) === 0 &&
        (align - 1) >>> 0 < MAX_ALIGN &&
        start >= 0
      ) {
        // `top` first: if this thread ends here, the arena is valid and the block allocated.
        head[TOP] = end;
        head[LAST] = start + 1;
        head[BLOCKS] = head[BLOCKS] + 1;
        return (start * 8) as Offset;
      }
    }
    const offset = this.#table.allocSlow(bytes, align);
    this.#limit = this.#table.fastGranules;
    return offset;
  }

  /**
   * Releases the block that was allocated last, if that was within the innermost scope. Any other
   * block stays until its scope ends or the arena is reset. Throws `ERR_OFFHEAP_STALE` for an
   * offset that was already released, `ERR_OFFHEAP_RANGE` for one at which no block can begin. With
   * guards each block is checked, and a second free throws `ERR_OFFHEAP_STALE`; without guards an
   * offset inside a block is not detected.
   */
  free(offset: number): void {
    this.#table.free(offset);
  }

  /**
   * Calls `fn`, and releases all blocks that were allocated inside, even if it throws. Scopes nest.
   * Returns the result of `fn`.
   *
   * The work must be finished when `fn` returns. `ERR_OFFHEAP_TYPE` is thrown for an `async`
   * function or a generator before it runs, and for a function that returns a promise after it ran;
   * its blocks are released then. With guards `ERR_OFFHEAP_CORRUPT` is thrown at the end if a block
   * was overrun, unless `fn` threw; the blocks are released in any case.
   */
  scope<T>(fn: (arena: this) => T): T {
    const table = this.#table;
    table.memory.checkOwner();
    if (typeof fn !== 'function') throw typeError(`scope needs a function, not ${describe(fn)}`);
    // These checks cost 50 ns, so functions with the prototype of plain functions skip them.
    const plain = Object.getPrototypeOf(fn) === Function.prototype;
    if (!plain && (isAsyncFunction(fn) || isGeneratorFunction(fn))) throw unfinishedError('continues');
    const { head } = table;
    const top = head[TOP];
    const last = head[LAST];
    const blocks = head[BLOCKS];
    const resets = head[RESETS];
    const floor = head[FLOOR];
    head[FLOOR] = top;
    let result: T;
    try {
      result = fn(this);
    } catch (error) {
      table.endScope(top, last, blocks, resets, floor);
      throw error;
    }
    const broken = table.endScope(top, last, blocks, resets, floor);
    if (broken !== undefined) throw broken;
    if (isThenable(result)) throw unfinishedError('returned a promise, so it continues');
    return result;
  }

  /**
   * Releases all blocks. The arena keeps its memory for the next ones. O(1); with zeros or guards
   * O(bytes). With guards it throws `ERR_OFFHEAP_CORRUPT` if a block was overrun; the blocks are
   * released in any case.
   */
  reset(): void {
    const broken = this.#table.reset();
    if (broken !== undefined) throw broken;
  }

  /**
   * Verifies the bookkeeping, and with guards each guard; throws `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    const { memory } = this.#table;
    memory.checkOpen();
    native().bumparenaValidate(memory.region.bytes);
  }

  /**
   * Allocates a block that is freed automatically, like {@link Pool.acquire}. Its `bytes` throw
   * `ERR_OFFHEAP_STALE` once a reset or the end of a scope released it.
   */
  override acquire(bytes: number): Block {
    const offset = this.alloc(bytes);
    const { head, memory } = this.#table;
    const resets = head[RESETS];
    const isHeld = (): boolean => !memory.closed && head[RESETS] === resets && offset < head[TOP] * GRANULE;
    return new ArenaBlock(this, offset, this.u8.subarray(offset, offset + bytes), isHeld);
  }

  stats(): BumpArenaStats {
    return this.#table.stats();
  }

  override close(): void {
    super.close();
    this.#limit = 0;
  }

  /**
   * A token for other threads, which access the arena's blocks through {@link BumpArena.attach}.
   */
  share(): Token<'bumparena'> {
    const { memory } = this.#table;
    memory.checkOpen();
    return shareRegion(memory.region, 'bumparena');
  }
}

/** A block of an arena, which a reset or the end of a scope may release before it is freed. */
class ArenaBlock extends Block {
  readonly #isHeld: () => boolean;

  constructor(arena: BumpArena, offset: Offset, bytes: Uint8Array, isHeld: () => boolean) {
    super(arena, offset, bytes);
    this.#isHeld = isHeld;
  }

  override get bytes(): Uint8Array {
    if (!this.#isHeld()) {
      throw offheapError('ERR_OFFHEAP_STALE', `the block at ${this.offset} was released`);
    }
    return super.bytes;
  }

  /** Returns the block, unless the arena has already released it. Further calls do nothing. */
  override free(): void {
    if (this.#isHeld()) super.free();
  }
}

/** The table of a new arena. */
function create(given: unknown): BumpArenaTable {
  const options = readOptions(given, OPTIONS, 'BumpArena');
  const { chunk, most } = readSizes(options);
  const flags = safetyFlags(options);
  const data = dataOffset(MAX_ALIGN);
  const region = Region.growing(data + chunk, data + most, placementOptions(options));
  writeShape(region.head, { options: flags, align: MAX_ALIGN, data, length: data + chunk });
  return new BumpArenaTable(new RegionSource(region, true, 'this BumpArena'), chunk);
}

/** The options of size, rounded up to whole cache lines. */
function readSizes(options: Options): { chunk: number; most: number } {
  const limit = MAX_GRANULES * GRANULE - 56;
  const chunk = Math.ceil(integerOption(options, 'chunkBytes', 64, 2 ** 33, 65_536) / 64) * 64;
  const most =
    Math.ceil(integerOption(options, 'maxBytes', 64, 2 ** 34, Math.max(2 ** 32 - 2 ** 17, chunk)) / 64) * 64;
  if (most < chunk) throw rangeError(`maxBytes must be at least chunkBytes (${chunk}), not ${most}`);
  return { chunk, most: Math.min(most, limit) };
}

function isThenable(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

function unfinishedError(why: string): Error {
  return typeError(`the function of a scope ${why} after the scope ended; use reset(), or a separate arena`);
}
