/**
 * BumpArena: blocks one behind the other, given back all at once or a scope at a time.
 * `docs/formats/pools.md` has the bytes; the same stands in Rust in `native/core/src/pools/bump/`.
 *
 * A word of the header, `top`, says how much is taken. To allocate is to raise it, about 2 ns; to
 * reset is to set it to zero, however many blocks there were. A scope remembers it and sets it
 * back. (Region-based memory: Hanson, "Fast allocation and deallocation of memory based on object
 * lifetimes", 1990.)
 *
 * The arena grows in place, a chunk at a time, inside address space that it reserved when it was
 * made: nothing moves, and views that were taken before stay right; they only end where the arena
 * ended then.
 */
import { isAsyncFunction, isGeneratorFunction } from 'node:util/types';
import { offheapError, rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { booleanOption, describe, integerOption, readOptions } from '../region/options.js';
import { Region } from '../region/region.js';
import { attachRegion, shareRegion, type Token } from '../region/token.js';
import {
  checkGuard,
  firstBroken,
  guardBlock,
  guardedEnd,
  POISON_WORD,
  readRecord,
  RECORD_GRANULES,
  writeRecord,
} from './bump-guards.js';
import {
  dataOffset,
  GRANULE,
  GUARDS,
  MAX_ALIGN,
  MAX_GRANULES,
  readShape,
  WORD,
  writeShape,
  ZERO_ON_FREE,
  type Shape,
} from './bump-layout.js';
import {
  badSize,
  Block,
  fillWords,
  isSize,
  NO_ROOM,
  Pool,
  SAFETY_OPTIONS,
  type NoRoom,
  type Offset,
  type PoolStats,
  type SafetyOptions,
} from './pool.js';

export interface BumpArenaOptions extends SafetyOptions {
  /** The arena grows by multiples of so many bytes, and begins with one. Default: 64 KiB. */
  chunkBytes?: number;
  /**
   * How far it grows. Address space for this is reserved at once, memory is taken as it is needed.
   * Default: 4 GiB, nearly; at most 16 GiB. Where the runtime reserves less, that is the limit:
   * `stats()` tells.
   */
  maxBytes?: number;
  /** Advise the system to back the arena with huge pages. Default: once it has 4 MiB. */
  hugePages?: boolean;
  /** Keep the memory on this NUMA node. Default: wherever it is first written. */
  numaNode?: number;
}

/** What {@link BumpArena.stats} tells. Sizes are in bytes. */
export interface BumpArenaStats extends PoolStats {
  /** The most that `usedBytes` has been. */
  peakBytes: number;
  /** How far the arena can grow. */
  maxBytes: number;
  /** How often it was reset. */
  resets: number;
}

/** Header words that hot code reads, as constants of this module. */
const TOP = WORD.top;
const LAST = WORD.last;
const BLOCKS = WORD.blocks;
const CLOSED_HEAD = new Int32Array(64);
const OPTIONS = ['chunkBytes', 'maxBytes', 'hugePages', 'numaNode', ...SAFETY_OPTIONS];

/**
 * Memory that is given back all at once.
 *
 * ```ts
 * const arena = new BumpArena();
 * for (const request of requests) {
 *   arena.scope(() => {
 *     const at = arena.alloc(1024);
 *     arena.f64[at / 8] = request;
 *   }); // whatever was allocated inside is gone
 * }
 * ```
 *
 * Blocks begin at multiples of 8, or of the alignment that was asked for, up to 4096: addresses
 * too. They are not zeroed, except the first time; see `zeroOnFree`. The views (`u8`, `f64`, ...)
 * are as long as the arena is now: read them from the arena again after `alloc`, which may have
 * made it longer. Other threads that {@link BumpArena.attach} see the contents of all blocks; only
 * the arena's own thread allocates.
 */
export class BumpArena extends Pool {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'BumpArena', configurable: true });
  }

  private head: Int32Array = CLOSED_HEAD;
  /**
   * Granules up to which allocating is just raising `top`: 0 for another thread's arena, a closed
   * one, or with guards.
   */
  private plain = 0;
  private granules = 0;
  private shape!: Shape;
  private readonly region: Region;
  private readonly chunk: number;
  private readonly owner: boolean;

  constructor(options?: BumpArenaOptions) {
    super();
    if ((options as unknown) instanceof Attached) {
      this.region = (options as unknown as Attached).region;
      this.owner = false;
      this.chunk = 0;
      this.lay();
      return;
    }
    const { chunk, most, flags, placement } = readArenaOptions(options);
    const data = dataOffset(MAX_ALIGN);
    this.chunk = chunk;
    this.owner = true;
    this.region = Region.growing(data + chunk, data + most, placement);
    writeShape(this.region.head, { options: flags, align: MAX_ALIGN, data, length: data + chunk });
    this.lay();
  }

  /**
   * An arena that another thread shared: its blocks and `stats()`; allocating throws
   * `ERR_OFFHEAP_UNSUPPORTED`.
   */
  static attach(token: Token<'bumparena'>): BumpArena {
    return new BumpArena(new Attached(attachRegion(token, 'bumparena')) as unknown as BumpArenaOptions);
  }

  /** For what one request, frame or message needs: 1 MiB at a time, with huge pages. */
  static scratch(options: SafetyOptions = {}): BumpArena {
    return new BumpArena({ chunkBytes: 2 ** 20, hugePages: true, ...options });
  }

  /** Takes the shape from the header, checked, and remakes all views. */
  private lay(): void {
    const { region } = this;
    const shape = readShape(
      region.head,
      region.bytes.length,
      this.owner ? 'this BumpArena' : 'the shared BumpArena',
    );
    this.shape = shape;
    this.head = region.head;
    this.granules = (shape.length - shape.data) / GRANULE;
    this.plain = this.owner && (shape.options & GUARDS) === 0 ? this.granules : 0;
    this.mount(region.buffer, shape.data, shape.length - shape.data);
  }

  protected get noun(): string {
    return 'BumpArena';
  }

  /**
   * A block of `bytes` bytes that begins at a multiple of `align`, a power of two up to 4096; less
   * than 8 is as good as 8, the default. Throws `ERR_OFFHEAP_FULL` past `maxBytes`,
   * `ERR_OFFHEAP_RANGE` for a size or alignment that can not be.
   */
  alloc(bytes: number, align = 8): Offset {
    const offset = this.tryAlloc(bytes, align);
    if (offset < 0) throw this.full(bytes);
    return offset as Offset;
  }

  /** As {@link BumpArena.alloc}, but -1 where there is no room. */
  tryAlloc(bytes: number, align = 8): Offset | NoRoom {
    if (typeof bytes === 'number' && typeof align === 'number') {
      const { head } = this;
      const mask = ((align + 7) >>> 3) - 1;
      const start = (head[TOP] + mask) & ~mask;
      const end = start + ((bytes - 1) >>> 3) + 1;
      if (
        end <= this.plain &&
        bytes >>> 0 === bytes &&
        bytes !== 0 &&
        align >>> 0 === align &&
        (align & (align - 1)) === 0 &&
        (align - 1) >>> 0 < MAX_ALIGN &&
        start >= 0
      ) {
        // `top` first: a thread that ends here leaves a valid arena, and the block taken.
        head[TOP] = end;
        head[LAST] = start + 1;
        head[BLOCKS] = head[BLOCKS] + 1;
        return (start * 8) as Offset;
      }
    }
    return this.allocElsewhere(bytes, align);
  }

  /**
   * Gives the block back that was allocated last, since the innermost scope began; any other one
   * stays until its scope ends or the arena is reset. So blocks freed last in, first out are free
   * at once where only the last is ever freed, and freeing otherwise is harmless. Throws
   * `ERR_OFFHEAP_STALE` for an offset that was released already, `ERR_OFFHEAP_RANGE` for one where
   * no block can begin. With guards each block is checked, and one that was freed before is stale;
   * without them an offset in the middle of a block is not noticed.
   */
  free(offset: number): void {
    this.checkOwner();
    const start = this.taken(offset);
    const { head, shape } = this;
    const blocks = head[BLOCKS] - 1;
    if ((shape.options & GUARDS) === 0) {
      if (head[LAST] === start + 1 && start >= head[WORD.floor]) this.goBack(start, 0, blocks);
      return;
    }
    const record = readRecord(this.i32, start, head[TOP]);
    if (record?.live !== true) throw this.notAllocated(offset, true);
    const broken = checkGuard(this.u8, start, record);
    if (broken !== undefined) throw broken;
    const from = start - RECORD_GRANULES;
    if (head[LAST] === start + 1 && from >= head[WORD.floor]) {
      this.goBack(from, record.previous, blocks);
    } else {
      writeRecord(this.i32, start, { ...record, live: false });
      head[BLOCKS] = blocks;
    }
  }

  /**
   * Runs `fn`, and gives back everything that was allocated inside, also if it throws. Scopes nest.
   * Returns what `fn` returned.
   *
   * `fn` must be done when it returns: an `async` function or a generator is refused with
   * `ERR_OFFHEAP_TYPE` before it runs, and a function that returns a promise after it ran (its
   * blocks are released then). With guards `ERR_OFFHEAP_CORRUPT` is thrown at the end if a block
   * was overrun, unless `fn` threw; everything is released all the same.
   */
  scope<T>(fn: (arena: this) => T): T {
    this.checkOwner();
    if (typeof fn !== 'function') throw typeError(`scope needs a function, not ${describe(fn)}`);
    // Asking the engine costs 50 ns, so what inherits as plain functions do is not asked about.
    const plain = Object.getPrototypeOf(fn) === Function.prototype;
    if (!plain && (isAsyncFunction(fn) || isGeneratorFunction(fn))) throw notDone('runs on');
    const { head } = this;
    const top = head[TOP];
    const last = head[LAST];
    const blocks = head[BLOCKS];
    const resets = head[WORD.resets];
    const floor = head[WORD.floor];
    head[WORD.floor] = top;
    let result: T;
    try {
      result = fn(this);
    } catch (error) {
      this.endScope(top, last, blocks, resets, floor);
      throw error;
    }
    const broken = this.endScope(top, last, blocks, resets, floor);
    if (broken !== undefined) throw broken;
    if (isThenable(result)) throw notDone('returned a promise, so it runs on');
    return result;
  }

  /**
   * Gives everything back. Memory stays with the arena, for the next blocks. O(1); with zeros or
   * guards O(bytes). With guards `ERR_OFFHEAP_CORRUPT` if a block was overrun; everything is
   * released all the same.
   */
  reset(): void {
    this.checkOwner();
    const broken = this.backTo(0, 0, 0, 0);
    this.head[WORD.resets]++;
    if (broken !== undefined) throw broken;
  }

  /**
   * Proves that the bookkeeping is sound, and with guards every guard; throws
   * `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    this.checkOpen();
    native().bumparenaValidate(this.region.bytes);
  }

  /**
   * As for every pool; its `bytes` throw `ERR_OFFHEAP_STALE` once the arena was reset, or released
   * that far.
   */
  override acquire(bytes: number): Block {
    const offset = this.alloc(bytes);
    const { head } = this;
    const resets = head[WORD.resets];
    const held = (): boolean =>
      this.head === head && head[WORD.resets] === resets && offset < head[TOP] * GRANULE;
    return new ArenaBlock(this, offset, this.u8.subarray(offset, offset + bytes), held);
  }

  get byteLength(): number {
    this.checkOpen();
    return this.region.buffer.byteLength;
  }

  stats(): BumpArenaStats {
    this.checkOpen();
    if (!this.owner) this.renew();
    const { head, granules } = this;
    const top = head[TOP];
    return {
      byteLength: this.byteLength,
      capacityBytes: granules * GRANULE,
      usedBytes: top * GRANULE,
      peakBytes: Math.max(top, head[WORD.peak]) * GRANULE,
      maxBytes: this.limit() - this.shape.data,
      usedBlocks: head[BLOCKS] >>> 0,
      failures: head[WORD.failures] >>> 0,
      resets: head[WORD.resets] >>> 0,
    };
  }

  /**
   * A token for other threads, which see the blocks of the arena through {@link BumpArena.attach}.
   */
  share(): Token<'bumparena'> {
    this.checkOpen();
    return shareRegion(this.region, 'bumparena');
  }

  protected roomAt(offset: number): number {
    this.checkOpen();
    if (!this.owner) this.renew();
    const start = this.taken(offset);
    const top = this.head[TOP];
    if ((this.shape.options & GUARDS) === 0) return (top - start) * GRANULE;
    const record = readRecord(this.i32, start, top);
    if (record?.live !== true) throw this.notAllocated(offset, true);
    return record.bytes;
  }

  protected release(): void {
    this.head = CLOSED_HEAD;
    this.plain = this.granules = 0;
    this.region.release();
  }

  // ---- the roads that are not plain

  private allocElsewhere(bytes: unknown, align: unknown): Offset | NoRoom {
    if (!isSize(bytes)) throw badSize(bytes);
    const step = checkAlign(align);
    this.checkOwner();
    const { head } = this;
    const guards = (this.shape.options & GUARDS) !== 0;
    const top = this.top();
    const units = Math.max(step / GRANULE, 1);
    const start = Math.ceil((guards ? top + RECORD_GRANULES : top) / units) * units;
    const end = guards ? guardedEnd(start, bytes) : start + Math.max(1, Math.ceil(bytes / GRANULE));
    if (end > this.granules && !this.grow(end)) {
      head[WORD.failures]++;
      return NO_ROOM;
    }
    head[TOP] = end;
    if (guards) {
      writeRecord(this.i32, start, { previous: head[LAST], bytes, live: true });
      guardBlock(this.u8, start, bytes);
    }
    head[LAST] = start + 1;
    head[BLOCKS]++;
    return (start * GRANULE) as Offset;
  }

  /** Bytes that the region can have. */
  private limit(): number {
    const { buffer } = this.region;
    return buffer instanceof SharedArrayBuffer ? buffer.maxByteLength : buffer.byteLength;
  }

  /**
   * Makes room for `granules` granules, by whole chunks while the limit allows. Throws
   * `ERR_OFFHEAP_OOM`.
   */
  private grow(granules: number): boolean {
    const { region, shape, chunk } = this;
    const most = Math.floor(Math.min(this.limit(), shape.data + MAX_GRANULES * GRANULE) / 64) * 64;
    const needed = shape.data + granules * GRANULE;
    if (needed > most) return false;
    const length = Math.min(shape.length + Math.ceil((needed - shape.length) / chunk) * chunk, most);
    region.ensure(length);
    // One store, so that at every moment the length is right to those who attach.
    new BigUint64Array(region.buffer, 16, 1)[0] = BigInt(length);
    this.lay();
    return true;
  }

  /** For another thread's arena: takes in that it grew. */
  private renew(): void {
    if (this.head[TOP] <= this.granules) return;
    this.region.refresh();
    this.lay();
  }

  /** Granules taken, checked: the words are memory that anybody with the buffer can write. */
  private top(): number {
    const top = this.head[TOP];
    if (top >= 0 && top <= this.granules) return top;
    throw offheapError('ERR_OFFHEAP_CORRUPT', 'the top of this BumpArena lies outside of it');
  }

  /** The granule of an offset at which something was allocated. */
  private taken(offset: unknown): number {
    const start = typeof offset === 'number' ? offset / GRANULE : -1;
    if (!(start >= 0 && start < this.granules && Math.floor(start) === start)) {
      throw this.notAllocated(offset, false);
    }
    if (start >= this.top()) throw this.notAllocated(offset, true);
    return start;
  }

  /**
   * Releases what was allocated since a scope began. If the arena was reset meanwhile, that is
   * everything; if it was closed, nothing.
   */
  private endScope(
    top: number,
    last: number,
    blocks: number,
    resets: number,
    floor: number,
  ): Error | undefined {
    const { head } = this;
    if (this.closed) return undefined;
    if (head[WORD.resets] !== resets) return this.backTo(0, 0, 0, 0);
    return top <= head[TOP] ? this.backTo(top, last, blocks, floor) : undefined;
  }

  private backTo(from: number, last: number, blocks: number, floor: number): Error | undefined {
    const { head } = this;
    const top = this.top();
    const broken =
      (this.shape.options & GUARDS) === 0 ? undefined : firstBroken(this.i32, this.u8, head[LAST], from, top);
    this.goBack(from, last, blocks);
    head[WORD.floor] = floor;
    return broken;
  }

  /** Cleans what lies behind granule `from`, and lowers `top` to there. */
  private goBack(from: number, last: number, blocks: number): void {
    const { head } = this;
    const { options } = this.shape;
    const top = head[TOP];
    if (options !== 0) {
      fillWords(this.f64, (options & ZERO_ON_FREE) !== 0 ? 0 : POISON_WORD, from, top);
    }
    if (top > head[WORD.peak]) head[WORD.peak] = top;
    head[LAST] = last;
    head[BLOCKS] = blocks;
    head[TOP] = from;
  }

  private checkOwner(): void {
    this.checkOpen();
    if (!this.owner) {
      throw offheapError(
        'ERR_OFFHEAP_UNSUPPORTED',
        'this BumpArena belongs to another thread: its blocks can be used here, not allocated or released',
      );
    }
  }
}

/** A block of an arena, which a reset or the end of a scope may release before it is freed. */
class ArenaBlock extends Block {
  constructor(
    arena: BumpArena,
    offset: Offset,
    view: Uint8Array,
    private readonly held: () => boolean,
  ) {
    super(arena, offset, view);
  }

  override get bytes(): Uint8Array {
    if (!this.held()) throw offheapError('ERR_OFFHEAP_STALE', `the block at ${this.offset} was released`);
    return super.bytes;
  }

  /** Gives the block back, if the arena has not released it yet. Twice is fine. */
  override free(): void {
    if (this.held()) super.free();
  }
}

class Attached {
  constructor(readonly region: Region) {}
}

function readArenaOptions(given: unknown) {
  const options = readOptions(given, OPTIONS, 'BumpArena');
  const most = MAX_GRANULES * GRANULE - 56; // whole lines
  const chunk = Math.ceil(integerOption(options, 'chunkBytes', 64, 2 ** 33, 65_536) / 64) * 64;
  const wanted =
    Math.ceil(integerOption(options, 'maxBytes', 64, 2 ** 34, Math.max(2 ** 32 - 2 ** 17, chunk)) / 64) * 64;
  if (wanted < chunk) throw rangeError(`maxBytes must be at least chunkBytes (${chunk}), not ${wanted}`);
  return {
    chunk,
    most: Math.min(wanted, most),
    flags:
      (booleanOption(options, 'zeroOnFree', false) ? ZERO_ON_FREE : 0) |
      (booleanOption(options, 'guards', false) ? GUARDS : 0),
    placement: {
      hugePages: booleanOption(options, 'hugePages', undefined),
      numaNode: integerOption(options, 'numaNode', 0, 1023, undefined),
    },
  };
}

function checkAlign(align: unknown): number {
  if (typeof align !== 'number') throw typeError(`an alignment is a number, not ${describe(align)}`);
  if (!(align >= 1 && align <= MAX_ALIGN && (align & (align - 1)) === 0 && Math.floor(align) === align)) {
    throw rangeError(`an alignment is a power of two up to ${MAX_ALIGN}, not ${align}`);
  }
  return align;
}

function isThenable(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

function notDone(why: string): Error {
  return typeError(
    `the function of a scope ${why} after the scope ended; use reset(), or an arena of its own`,
  );
}
