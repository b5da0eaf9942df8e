/**
 * FixedPool: a bounded pool for one thread, with O(1) alloc and free. It allocates nothing after
 * construction.
 *
 * The data is an array of blocks of the largest class. A free block can be split into blocks of the
 * class below, and is a block again once all parts are free, so freed small blocks serve larger
 * requests. With one class, alloc pops a list and free pushes, about 3 ns each; with several each
 * takes some 10 ns more for each class that it splits or merges. `docs/formats/pools.md` has the
 * bytes, `native/core/src/pools/fixed/` the same in Rust.
 *
 * Lists stand apart from the blocks, in one word for each smallest block: what a program writes
 * into a block, freed or not, spoils nothing, and a double or foreign free is seen for what it is.
 */
import { offheapError, rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { booleanOption, checkInteger, describe, readOptions } from '../region/options.js';
import { Region } from '../region/region.js';
import { attachRegion, shareRegion, type Token } from '../region/token.js';
import {
  ALLOCATED,
  CLASS,
  CLASS_TABLE,
  CLASS_WORDS,
  GUARDS,
  LINK,
  MAX_CLASSES,
  MAX_SIZE,
  MAX_UNITS,
  readShape,
  shapeOf,
  WORD,
  writeShape,
  ZERO_ON_FREE,
  type Shape,
} from './fixed-layout.js';
import { FixedTable } from './fixed-table.js';
import {
  badSize,
  brokenGuard,
  GUARD_BYTES,
  guardError,
  isSize,
  NO_ROOM,
  Pool,
  SAFETY_OPTIONS,
  writeGuard,
  zero,
  type NoRoom,
  type Offset,
  type PoolStats,
  type SafetyOptions,
} from './pool.js';

/** How large a FixedPool is, and how its memory is cut. */
export type FixedPoolOptions = SafetyOptions & {
  /** Advise the system to back the pool with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /** Keep the memory on this NUMA node. Default: wherever it is first written. */
  numaNode?: number;
} & (
    | {
        /** Bytes of each block, rounded up to a multiple of 8. */
        blockSize: number;
        /** How many blocks there are. */
        blocks: number;
      }
    | {
        /**
         * Sizes of blocks, 1 to 16 of them. Each is rounded up to a multiple of 8 and of the next
         * smaller one, so that freed blocks merge into larger ones.
         */
        classes: readonly number[];
        /** Room for so many blocks of each class at once: one number for all, or one for each. */
        blocks: number | readonly number[];
      }
  );

/** What {@link FixedPool.stats} tells. */
export interface FixedPoolStats extends PoolStats {
  /** The most that `usedBytes` has been. */
  peakBytes: number;
  /**
   * Each class, smallest first: bytes of a block, how many are allocated, and the most that were.
   */
  classes: { size: number; used: number; peak: number }[];
}

const NO_WORDS = new Int32Array(0);
const OPTIONS = ['blockSize', 'classes', 'blocks', 'hugePages', 'numaNode', ...SAFETY_OPTIONS];

/**
 * A fixed number of blocks, allocated and freed in O(1) by one thread.
 *
 * ```ts
 * const pool = new FixedPool({ blockSize: 64, blocks: 1000 });
 * const at = pool.alloc(48);
 * pool.f64[at / 8] = 1.5;
 * pool.free(at);
 * ```
 *
 * A block begins at a multiple of the largest power of two that divides its size. Other threads
 * that {@link FixedPool.attach} see the contents of all blocks; only the pool's own thread
 * allocates and frees.
 */
export class FixedPool extends Pool {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'FixedPool', configurable: true });
  }

  /**
   * The largest request that needs nothing but the list: in an owner's pool of one class without
   * options; else -1.
   */
  private plain = -1;
  private words: Int32Array = NO_WORDS;
  private units = 0;
  private unitWords = 0;
  private unitBytes = 1;
  /** Where the size of a unit is a power of two, its exponent; else 32. */
  private shift = 32;
  private inverse = 1;
  private options = 0;
  private table: FixedTable;
  private readonly region: Region;
  private readonly owner: boolean;

  constructor(options: FixedPoolOptions) {
    super();
    if ((options as unknown) instanceof Attached) {
      const { region } = options as unknown as Attached;
      this.region = region;
      this.owner = false;
      const words = new Int32Array(region.buffer, 0, region.buffer.byteLength >>> 2);
      this.table = this.lay(readShape(words, region.buffer.byteLength, 'the shared fixedpool'));
      return;
    }
    const { shape, placement } = readShapeOptions(options);
    this.region = Region.fixed(shape.length, placement);
    this.owner = true;
    writeShape(new Int32Array(this.region.buffer, 0, shape.data / 4), shape);
    this.table = this.lay(shape);
  }

  /**
   * A pool that another thread shared: its views and `stats()`; allocating and freeing throw
   * `ERR_OFFHEAP_UNSUPPORTED`.
   */
  static attach(token: Token<'fixedpool'>): FixedPool {
    return new FixedPool(new Attached(attachRegion(token, 'fixedpool')) as unknown as FixedPoolOptions);
  }

  /** Blocks for packets and buffers: `blocks` each of 64 B, 256 B, 1 KiB, 4 KiB and 16 KiB. */
  static buffers(blocks = 256, options: SafetyOptions = {}): FixedPool {
    return new FixedPool({ classes: [64, 256, 1024, 4096, 16_384], blocks, ...options });
  }

  private lay(shape: Shape): FixedTable {
    const { buffer } = this.region;
    const size = shape.classes[0].size;
    this.words = new Int32Array(buffer, 0, shape.data / 4);
    this.units = shape.units;
    this.unitWords = shape.unitWords;
    this.unitBytes = size;
    this.shift = (size & (size - 1)) === 0 ? 31 - Math.clz32(size) : 32;
    this.inverse = 1 / size;
    this.options = shape.options;
    this.plain = this.owner && shape.classes.length === 1 && shape.options === 0 ? size : -1;
    this.mount(buffer, shape.data, shape.length - shape.data);
    return new FixedTable(this.words, shape);
  }

  protected get noun(): string {
    return 'FixedPool';
  }

  alloc(bytes: number): Offset {
    const offset = this.tryAlloc(bytes);
    if (offset < 0) throw this.full(bytes);
    return offset as Offset;
  }

  tryAlloc(bytes: number): Offset | NoRoom {
    if (typeof bytes === 'number' && bytes <= this.plain && bytes >>> 0 === bytes) {
      const { words } = this;
      const head = words[WORD_FREE];
      if (head >>> 0 < this.units) {
        const at = this.unitWords + head;
        const link = words[at];
        const next = (head + 1 + link) & LINK;
        if (link >= 0 && next <= this.units) {
          words[WORD_FREE] = next;
          words[at] = ALLOCATED;
          const used = (words[WORD_USED] + 1) | 0;
          words[WORD_USED] = used;
          if (used > words[WORD_PEAK]) words[WORD_PEAK] = used;
          return (head * this.unitBytes) as Offset;
        }
      }
    }
    return this.allocElsewhere(bytes);
  }

  free(offset: number): void {
    if (this.plain >= 0 && typeof offset === 'number') {
      const unit = this.shift < 32 ? offset >>> this.shift : ((offset + 0.5) * this.inverse) >>> 0;
      if (unit < this.units && unit * this.unitBytes === offset) {
        const { words } = this;
        const at = this.unitWords + unit;
        if (words[at] === ALLOCATED) {
          words[at] = (words[WORD_FREE] - unit - 1) & LINK;
          words[WORD_FREE] = unit;
          words[WORD_USED] = words[WORD_USED] - 1;
          return;
        }
      }
    }
    this.freeElsewhere(offset);
  }

  /** Proves that the bookkeeping is sound; throws `ERR_OFFHEAP_CORRUPT`. O(blocks). */
  validate(): void {
    this.checkOpen();
    native().fixedpoolValidate(this.region.bytes);
  }

  get byteLength(): number {
    this.checkOpen();
    return this.region.buffer.byteLength;
  }

  stats(): FixedPoolStats {
    this.checkOpen();
    const { words, unitBytes, units } = this;
    const { classes } = this.table.shape;
    const single = classes.length === 1;
    const list = classes.map(({ size }, i) => {
      const record = CLASS_TABLE + CLASS_WORDS * i;
      return {
        size: size - this.guard,
        used: words[single ? WORD.used : record + CLASS.used] >>> 0,
        peak: words[single ? WORD.peak : record + CLASS.peak] >>> 0,
      };
    });
    return {
      byteLength: this.byteLength,
      capacityBytes: units * unitBytes,
      usedBytes: (words[WORD.used] >>> 0) * unitBytes,
      peakBytes: (words[WORD.peak] >>> 0) * unitBytes,
      usedBlocks: list.reduce((sum, { used }) => sum + used, 0),
      failures: words[WORD.failures] >>> 0,
      classes: list,
    };
  }

  /**
   * A token for other threads, which see the blocks of the pool through {@link FixedPool.attach}.
   */
  share(): Token<'fixedpool'> {
    this.checkOpen();
    return shareRegion(this.region, 'fixedpool');
  }

  protected roomAt(offset: number): number {
    this.checkOpen();
    const unit = this.allocated(offset);
    const { shape } = this.table;
    const { size } = shape.classes[this.words[this.unitWords + unit] & LINK];
    return this.guard === 0 ? size : this.requestedAt(unit, size);
  }

  protected release(): void {
    this.plain = -1;
    this.units = 0;
    this.words = NO_WORDS;
    this.table = new FixedTable(NO_WORDS, this.table.shape);
    this.region.release();
  }

  // ---- the roads that are not plain

  private get guard(): number {
    return (this.options & GUARDS) === 0 ? 0 : GUARD_BYTES;
  }

  private allocElsewhere(bytes: unknown): Offset | NoRoom {
    if (!isSize(bytes)) throw badSize(bytes);
    this.checkOwner();
    const { shape } = this.table;
    const { classes } = shape;
    let ofClass = 0;
    while (ofClass < classes.length && bytes + this.guard > classes[ofClass].size) ofClass++;
    const unit = ofClass === classes.length ? -1 : this.table.take(ofClass);
    if (unit < 0) {
      this.words[WORD.failures]++;
      return NO_ROOM;
    }
    const offset = unit * this.unitBytes;
    if (this.guard !== 0) {
      this.words[shape.requested + unit] = bytes;
      writeGuard(this.u8, offset + bytes, offset);
    }
    return offset as Offset;
  }

  private freeElsewhere(offset: unknown): void {
    this.checkOwner();
    const unit = this.allocated(offset);
    const ofClass = this.words[this.unitWords + unit] & LINK;
    const { size } = this.table.shape.classes[ofClass];
    const at = unit * this.unitBytes;
    if (this.guard !== 0) {
      const bytes = this.requestedAt(unit, size);
      const broken = brokenGuard(this.u8, at + bytes, at);
      if (broken >= 0) throw guardError(at, bytes, broken);
    }
    if ((this.options & ZERO_ON_FREE) !== 0) zero(this.f64, at, size);
    this.table.give(unit, ofClass);
  }

  /** The unit of the allocated block at an offset; throws for any other. */
  private allocated(offset: unknown): number {
    const unit =
      typeof offset !== 'number'
        ? -1
        : this.shift < 32 && offset >>> 0 === offset
          ? offset >>> this.shift
          : Math.floor((offset + 0.5) * this.inverse);
    if (!(unit >= 0 && unit < this.units && unit * this.unitBytes === offset)) {
      throw this.notAllocated(offset, false);
    }
    const word = this.words[this.unitWords + unit];
    if (word >= 0) throw this.notAllocated(offset, true);
    const { classes } = this.table.shape;
    if ((word & LINK) >= classes.length || unit % classes[word & LINK].units !== 0) {
      throw offheapError('ERR_OFFHEAP_CORRUPT', `the block at ${offset} is of a class that can not be there`);
    }
    return unit;
  }

  /** With guards: how many bytes were asked for. */
  private requestedAt(unit: number, size: number): number {
    return Math.min(this.words[this.table.shape.requested + unit] >>> 0, size - GUARD_BYTES);
  }

  private checkOwner(): void {
    this.checkOpen();
    if (!this.owner) {
      throw offheapError(
        'ERR_OFFHEAP_UNSUPPORTED',
        'this FixedPool belongs to another thread: its blocks can be used here, not allocated or freed',
      );
    }
  }
}

/** Header words that hot code reads, as constants of this module. */
const WORD_FREE = WORD.free;
const WORD_USED = WORD.used;
const WORD_PEAK = WORD.peak;

class Attached {
  constructor(readonly region: Region) {}
}

function readShapeOptions(given: unknown) {
  const options = readOptions(given, OPTIONS, 'FixedPool');
  const { blockSize, classes, blocks } = options;
  if ((blockSize === undefined) === (classes === undefined)) {
    throw typeError('FixedPool needs either blockSize or classes');
  }
  const sizes = numbers(
    classes ?? [blockSize],
    classes === undefined ? 'blockSize' : 'classes',
    MAX_SIZE - GUARD_BYTES,
  );
  if (sizes.length < 1 || sizes.length > MAX_CLASSES) {
    throw rangeError(`classes must be 1 to ${MAX_CLASSES} sizes, not ${sizes.length}`);
  }
  const counts = numbers(typeof blocks === 'object' ? blocks : sizes.map(() => blocks), 'blocks', MAX_UNITS);
  if (counts.length !== sizes.length) {
    throw rangeError(`blocks must be a number, or one for each of ${sizes.length} classes`);
  }
  const flags =
    (booleanOption(options, 'zeroOnFree', false) ? ZERO_ON_FREE : 0) |
    (booleanOption(options, 'guards', false) ? GUARDS : 0);
  const { numaNode } = options;
  return {
    shape: shapeOf(
      sizes.map((size, i) => ({ size, blocks: counts[i] })),
      flags,
    ),
    placement: {
      hugePages: booleanOption(options, 'hugePages', undefined),
      numaNode: numaNode === undefined ? undefined : checkInteger(numaNode, 'numaNode', 0, 1023),
    },
  };
}

function numbers(list: unknown, name: string, max: number): number[] {
  if (!Array.isArray(list)) throw typeError(`${name} must be an array of numbers, not ${describe(list)}`);
  return Array.from(list as unknown[], (item) => checkInteger(item, name, 1, max));
}
