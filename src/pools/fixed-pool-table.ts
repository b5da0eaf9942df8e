/** The state of a FixedPool: its bookkeeping, and the slow paths of its operations. */
import { offheapError } from '../errors.js';
import type { RegionSource } from '../region/table.js';
import { BlockLists } from './block-lists.js';
import {
  CLASS,
  CLASS_TABLE,
  CLASS_WORDS,
  GUARDS,
  LINK,
  MAX_HEADER_BYTES,
  readShape,
  WORD,
  ZERO_ON_FREE,
  type Shape,
} from './fixed-pool-layout.js';
import { brokenGuard, GUARD_BYTES, guardError, writeGuard, zero } from './guards.js';
import { isSize, NO_ROOM, PoolMemory, sizeError, type NoRoom, type Offset } from './pool-memory.js';
import type { PoolStats, PoolTable } from './pool.js';

/** The result of {@link FixedPool.stats}. */
export interface FixedPoolStats extends PoolStats {
  /** The maximum that `usedBytes` has reached. */
  peakBytes: number;
  /**
   * The size classes, smallest first: the size of a block, the number of allocated blocks, and the
   * maximum that this number has reached.
   */
  classes: { size: number; used: number; peak: number }[];
}

const NO_WORDS = new Int32Array(0);

export class FixedPoolTable implements PoolTable {
  readonly memory: PoolMemory;
  /**
   * The largest request of the fast path, which only pops a list: in an owner's pool of one size
   * class without options. Otherwise -1.
   */
  fastLimit: number;
  /** The header and the bookkeeping; empty once closed. */
  words: Int32Array;
  /** The number of units, the smallest blocks; 0 once closed. */
  units: number;
  /** The index of the first unit's word. */
  readonly unitWords: number;
  readonly unitBytes: number;
  /** The exponent of the size of a unit if that is a power of two, otherwise 32. */
  readonly shift: number;
  readonly inverse: number;
  /** Bytes of a guard: 0 without guards. */
  private readonly guard: number;
  private readonly zeroOnFree: boolean;
  private lists: BlockLists;

  constructor(source: RegionSource) {
    const { buffer } = source.region;
    const header = new Int32Array(buffer, 0, Math.min(buffer.byteLength, MAX_HEADER_BYTES) >>> 2);
    const shape = readShape(header, buffer.byteLength, source.what);
    const { size } = shape.classes[0];
    this.memory = new PoolMemory('FixedPool', source);
    this.memory.mapViews(buffer, shape.data, shape.length - shape.data);
    this.words = new Int32Array(buffer, 0, shape.data / 4);
    this.units = shape.units;
    this.unitWords = shape.unitWords;
    this.unitBytes = size;
    this.shift = (size & (size - 1)) === 0 ? 31 - Math.clz32(size) : 32;
    this.inverse = 1 / size;
    this.guard = (shape.options & GUARDS) === 0 ? 0 : GUARD_BYTES;
    this.zeroOnFree = (shape.options & ZERO_ON_FREE) !== 0;
    this.fastLimit = source.owner && shape.classes.length === 1 && shape.options === 0 ? size : -1;
    this.lists = new BlockLists(this.words, shape);
  }

  private get shape(): Shape {
    return this.lists.shape;
  }

  release(): void {
    this.fastLimit = -1;
    this.units = 0;
    this.words = NO_WORDS;
    this.lists = new BlockLists(NO_WORDS, this.shape);
  }

  /** Allocation from several size classes, with options, and every refusal. */
  allocSlow(bytes: unknown): Offset | NoRoom {
    if (!isSize(bytes)) throw sizeError(bytes);
    const { memory, guard, shape } = this;
    memory.checkOwner();
    const { classes } = shape;
    let ofClass = 0;
    while (ofClass < classes.length && bytes + guard > classes[ofClass].size) ofClass++;
    const unit = ofClass === classes.length ? -1 : this.lists.take(ofClass);
    if (unit < 0) {
      this.words[WORD.failures]++;
      return NO_ROOM;
    }
    const offset = unit * this.unitBytes;
    if (guard !== 0) {
      this.words[shape.requested + unit] = bytes;
      writeGuard(memory.u8, offset + bytes, offset);
    }
    return offset as Offset;
  }

  /** Freeing into several size classes, with options, and every refusal. */
  freeSlow(offset: unknown): void {
    const { memory } = this;
    memory.checkOwner();
    const unit = this.allocatedUnit(offset);
    const ofClass = this.words[this.unitWords + unit] & LINK;
    const { size } = this.shape.classes[ofClass];
    const at = unit * this.unitBytes;
    if (this.guard !== 0) {
      const bytes = this.requestedBytes(unit, size);
      const broken = brokenGuard(memory.u8, at + bytes, at);
      if (broken >= 0) throw guardError(at, bytes, broken);
    }
    if (this.zeroOnFree) zero(memory.f64, at, size);
    this.lists.give(unit, ofClass);
  }

  roomAt(offset: number): number {
    this.memory.checkOpen();
    const unit = this.allocatedUnit(offset);
    const { size } = this.shape.classes[this.words[this.unitWords + unit] & LINK];
    return this.guard === 0 ? size : this.requestedBytes(unit, size);
  }

  stats(): FixedPoolStats {
    this.memory.checkOpen();
    const { words, unitBytes, units } = this;
    const { classes } = this.shape;
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
      byteLength: this.memory.region.buffer.byteLength,
      capacityBytes: units * unitBytes,
      usedBytes: (words[WORD.used] >>> 0) * unitBytes,
      peakBytes: (words[WORD.peak] >>> 0) * unitBytes,
      usedBlocks: list.reduce((sum, { used }) => sum + used, 0),
      failures: words[WORD.failures] >>> 0,
      classes: list,
    };
  }

  /** The unit of the allocated block at an offset; throws for any other offset. */
  private allocatedUnit(offset: unknown): number {
    const { memory } = this;
    const unit =
      typeof offset !== 'number'
        ? -1
        : this.shift < 32 && offset >>> 0 === offset
          ? offset >>> this.shift
          : Math.floor((offset + 0.5) * this.inverse);
    if (!(unit >= 0 && unit < this.units && unit * this.unitBytes === offset)) {
      throw memory.notBlockError(offset);
    }
    const word = this.words[this.unitWords + unit];
    if (word >= 0) throw memory.notAllocatedError(offset);
    const { classes } = this.shape;
    if ((word & LINK) >= classes.length || unit % classes[word & LINK].units !== 0) {
      throw offheapError('ERR_OFFHEAP_CORRUPT', `the size class of the block at ${offset} is invalid`);
    }
    return unit;
  }

  /** With guards: the number of bytes that were requested. */
  private requestedBytes(unit: number, size: number): number {
    return Math.min(this.words[this.shape.requested + unit] >>> 0, size - GUARD_BYTES);
  }
}
