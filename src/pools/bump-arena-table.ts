/** The state of a BumpArena: its header, growth, release of blocks, and the slow paths. */
import { offheapError, rangeError, typeError } from '../errors.js';
import { describe } from '../region/options.js';
import type { RegionSource } from '../region/table.js';
import {
  checkGuard,
  firstBroken,
  guardBlock,
  guardedEnd,
  POISON_WORD,
  readRecord,
  RECORD_GRANULES,
  writeRecord,
} from './bump-arena-guards.js';
import {
  GRANULE,
  GUARDS,
  MAX_ALIGN,
  MAX_GRANULES,
  readShape,
  WORD,
  ZERO_ON_FREE,
  type Shape,
} from './bump-arena-layout.js';
import { fillWords } from './guards.js';
import { isSize, NO_ROOM, PoolMemory, sizeError, type NoRoom, type Offset } from './pool-memory.js';
import type { PoolStats, PoolTable } from './pool.js';

/** The result of {@link BumpArena.stats}. Sizes are in bytes. */
export interface BumpArenaStats extends PoolStats {
  /** The maximum that `usedBytes` has reached. */
  peakBytes: number;
  /** The maximum size of the arena. */
  maxBytes: number;
  /** The number of resets. */
  resets: number;
}

/** Words and bits of the header. V8 folds constants of the same module only. */
const TOP = WORD.top;
const LAST = WORD.last;
const BLOCKS = WORD.blocks;
const PEAK = WORD.peak;
const FAILURES = WORD.failures;
const RESETS = WORD.resets;
const FLOOR = WORD.floor;
const CLOSED_HEAD = new Int32Array(64);

export class BumpArenaTable implements PoolTable {
  readonly memory: PoolMemory;
  /** The words of the header; zeros once closed. */
  head: Int32Array = CLOSED_HEAD;
  /**
   * The number of granules up to which the fast path allocates, by raising `top`: 0 for another
   * thread's arena, for a closed one, and with guards.
   */
  fastGranules = 0;
  private granules = 0;
  private shape!: Shape;
  private guards = false;
  /** The value that fills released memory; `undefined` if memory keeps its contents. */
  private fill: number | undefined;

  constructor(
    source: RegionSource,
    /** The arena grows by multiples of this number of bytes. */
    private readonly chunk: number,
  ) {
    this.memory = new PoolMemory('BumpArena', source);
    this.bindViews(source.what);
  }

  /** Reads the shape from the header, checks it, and recreates all views. */
  private bindViews(what: string): void {
    const { memory } = this;
    const { region } = memory;
    const shape = readShape(region.head, region.bytes.length, what);
    const zeros = (shape.options & ZERO_ON_FREE) !== 0;
    this.shape = shape;
    this.guards = (shape.options & GUARDS) !== 0;
    this.fill = zeros ? 0 : this.guards ? POISON_WORD : undefined;
    this.head = region.head;
    // An integer: a field that ever held a double costs a conversion at every read.
    this.granules = ((shape.length - shape.data) / GRANULE) | 0;
    this.fastGranules = memory.owner && !this.guards ? this.granules : 0;
    memory.mapViews(region.buffer, shape.data, shape.length - shape.data);
  }

  release(): void {
    this.head = CLOSED_HEAD;
    this.fastGranules = this.granules = 0;
  }

  // ---- allocation

  /** Allocation with growth or guards, and every refusal. */
  allocSlow(bytes: unknown, align: unknown): Offset | NoRoom {
    if (!isSize(bytes)) throw sizeError(bytes);
    const step = checkAlign(align);
    this.memory.checkOwner();
    const { head, guards } = this;
    const top = this.top();
    const units = Math.max(step / GRANULE, 1);
    const start = Math.ceil((guards ? top + RECORD_GRANULES : top) / units) * units;
    const end = guards ? guardedEnd(start, bytes) : start + Math.max(1, Math.ceil(bytes / GRANULE));
    if (end > this.granules && !this.grow(end)) {
      head[FAILURES]++;
      return NO_ROOM;
    }
    head[TOP] = end;
    if (guards) {
      writeRecord(this.memory.i32, start, { previous: head[LAST], bytes, live: true });
      guardBlock(this.memory.u8, start, bytes);
    }
    head[LAST] = start + 1;
    head[BLOCKS]++;
    return (start * GRANULE) as Offset;
  }

  /** The maximum number of bytes of the region. */
  private limit(): number {
    const { buffer } = this.memory.region;
    return buffer instanceof SharedArrayBuffer ? buffer.maxByteLength : buffer.byteLength;
  }

  /**
   * Makes room for `granules` granules, by whole chunks as far as the limit allows. Throws
   * `ERR_OFFHEAP_OOM`.
   */
  private grow(granules: number): boolean {
    const { memory, shape, chunk } = this;
    const { region } = memory;
    const most = Math.floor(Math.min(this.limit(), shape.data + MAX_GRANULES * GRANULE) / 64) * 64;
    const needed = shape.data + granules * GRANULE;
    if (needed > most) return false;
    const length = Math.min(shape.length + Math.ceil((needed - shape.length) / chunk) * chunk, most);
    region.ensure(length);
    // One store, so that a thread that attaches reads a valid length at any moment.
    new BigUint64Array(region.buffer, 16, 1)[0] = BigInt(length);
    this.bindViews('this BumpArena');
    return true;
  }

  /** Recreates the views of another thread's arena if that has grown. */
  private refresh(): void {
    const { memory } = this;
    if (memory.owner || this.head[TOP] <= this.granules) return;
    memory.region.refresh();
    this.bindViews('the shared BumpArena');
  }

  // ---- release

  /** See {@link BumpArena.free}. */
  free(offset: unknown): void {
    const { memory, head } = this;
    memory.checkOwner();
    const start = this.usedGranule(offset);
    const blocks = head[BLOCKS] - 1;
    if (!this.guards) {
      if (head[LAST] === start + 1 && start >= head[FLOOR]) this.lowerTop(start, 0, blocks);
      return;
    }
    const record = readRecord(memory.i32, start, head[TOP]);
    if (record?.live !== true) throw memory.notAllocatedError(offset);
    const broken = checkGuard(memory.u8, start, record);
    if (broken !== undefined) throw broken;
    const from = start - RECORD_GRANULES;
    if (head[LAST] === start + 1 && from >= head[FLOOR]) {
      this.lowerTop(from, record.previous, blocks);
    } else {
      writeRecord(memory.i32, start, { ...record, live: false });
      head[BLOCKS] = blocks;
    }
  }

  /**
   * Releases the blocks that were allocated since a scope began: all blocks if the arena was reset
   * in between, none if it was closed. Returns the error of a broken guard.
   */
  endScope(top: number, last: number, blocks: number, resets: number, floor: number): Error | undefined {
    const { head } = this;
    if (this.memory.closed) return undefined;
    if (head[RESETS] !== resets) return this.releaseFrom(0, 0, 0, 0);
    return top <= head[TOP] ? this.releaseFrom(top, last, blocks, floor) : undefined;
  }

  /** See {@link BumpArena.reset}. Returns the error of a broken guard. */
  reset(): Error | undefined {
    this.memory.checkOwner();
    const broken = this.releaseFrom(0, 0, 0, 0);
    this.head[RESETS]++;
    return broken;
  }

  private releaseFrom(from: number, last: number, blocks: number, floor: number): Error | undefined {
    const { head, memory } = this;
    const top = this.top();
    const broken = this.guards ? firstBroken(memory.i32, memory.u8, head[LAST], from, top) : undefined;
    this.lowerTop(from, last, blocks);
    head[FLOOR] = floor;
    return broken;
  }

  /**
   * Clears the memory from granule `from` on if an option requires it, and lowers `top` to `from`.
   */
  private lowerTop(from: number, last: number, blocks: number): void {
    const { head, fill } = this;
    const top = head[TOP];
    if (fill !== undefined) fillWords(this.memory.f64, fill, from, top);
    if (top > head[PEAK]) head[PEAK] = top;
    head[LAST] = last;
    head[BLOCKS] = blocks;
    head[TOP] = from;
  }

  // ---- reading

  roomAt(offset: number): number {
    const { memory } = this;
    memory.checkOpen();
    this.refresh();
    const start = this.usedGranule(offset);
    const top = this.head[TOP];
    if (!this.guards) return (top - start) * GRANULE;
    const record = readRecord(memory.i32, start, top);
    if (record?.live !== true) throw memory.notAllocatedError(offset);
    return record.bytes;
  }

  stats(): BumpArenaStats {
    const { memory } = this;
    memory.checkOpen();
    this.refresh();
    const { head, granules } = this;
    const top = head[TOP];
    return {
      byteLength: memory.region.buffer.byteLength,
      capacityBytes: granules * GRANULE,
      usedBytes: top * GRANULE,
      peakBytes: Math.max(top, head[PEAK]) * GRANULE,
      maxBytes: this.limit() - this.shape.data,
      usedBlocks: head[BLOCKS] >>> 0,
      failures: head[FAILURES] >>> 0,
      resets: head[RESETS] >>> 0,
    };
  }

  /** The number of granules in use, checked: any thread that has the buffer can write the word. */
  private top(): number {
    const top = this.head[TOP];
    if (top >= 0 && top <= this.granules) return top;
    throw offheapError('ERR_OFFHEAP_CORRUPT', 'the top of this BumpArena is outside of its data');
  }

  /** The granule of an offset below the top; throws for any other offset. */
  private usedGranule(offset: unknown): number {
    const start = typeof offset === 'number' ? offset / GRANULE : -1;
    if (!(start >= 0 && start < this.granules && Math.floor(start) === start)) {
      throw this.memory.notBlockError(offset);
    }
    if (start >= this.top()) throw this.memory.notAllocatedError(offset);
    return start;
  }
}

function checkAlign(align: unknown): number {
  if (typeof align !== 'number') throw typeError(`an alignment must be a number, not ${describe(align)}`);
  if (!(align >= 1 && align <= MAX_ALIGN && (align & (align - 1)) === 0 && Math.floor(align) === align)) {
    throw rangeError(`an alignment must be a power of two up to ${MAX_ALIGN}, not ${align}`);
  }
  return align;
}
