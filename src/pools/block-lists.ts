/**
 * The lists of free blocks of a FixedPool and of each section of a NumaPool: taking and returning
 * blocks of any size class. One function for each step of `native/core/src/pools/fixed/split.rs`,
 * which explains the algorithm.
 *
 * Links and counts are checked as they are read: damaged bytes cause `ERR_OFFHEAP_CORRUPT` or wrong
 * blocks, never an endless loop.
 */
import {
  ALLOCATED,
  listError,
  CLASS,
  CLASS_TABLE,
  CLASS_WORDS,
  LINK,
  WORD,
  type Shape,
} from './fixed-pool-layout.js';

/** Words of a split record. */
const FREE = 0;
const COUNTS = 1;
const NEXT = 2;
const PREVIOUS = 3;

export class BlockLists {
  /** The index of the largest class. */
  private readonly last: number;

  constructor(
    /** The header and the bookkeeping, without the data. */
    readonly words: Int32Array,
    readonly shape: Shape,
  ) {
    this.last = shape.classes.length - 1;
  }

  /** Takes a block of a class. Returns its unit, or -1 if no block is free. */
  take(wanted: number): number {
    let unit = this.find(wanted);
    if (unit < 0 && this.mergeReserves()) unit = this.find(wanted);
    if (unit < 0) return -1;
    this.words[this.shape.unitWords + unit] = ALLOCATED | wanted;
    this.count(wanted, 1);
    return unit;
  }

  /** Takes a block out of the list of its class, or splits a larger block. */
  private find(wanted: number): number {
    const { words, last } = this;
    let level = wanted;
    while (level < last && words[partialOf(level)] === 0) level++;
    const unit = level === last ? this.popRoot() : this.popPart(level);
    if (unit < 0) return -1;
    while (level > wanted) {
      level--;
      const record = this.recordOf(level, unit);
      words[record + FREE] = 0;
      words[record + COUNTS] = 0x10001;
      this.enlist(level, record);
    }
    return unit;
  }

  /** Returns a block, and merges blocks all parts of which are free. */
  give(unit: number, ofClass: number): void {
    this.count(ofClass, -1);
    this.put(unit, ofClass);
  }

  /** Puts a free block into its list, or merges it. */
  private put(block: number, ofClass: number): void {
    const { words, shape, last } = this;
    let unit = block;
    for (let level = ofClass; level < last; level++) {
      const below = shape.classes[level];
      const above = shape.classes[level + 1];
      const index = Math.floor(unit / above.units);
      const record = above.splits + index * 4;
      const part = (unit - index * above.units) / below.units;
      const counts = words[record + COUNTS];
      const out = counts & 0xffff;
      const given = counts >>> 16;
      if (out === 0 || part >= given || given > below.ratio) throw listError();
      const reserve = out === 1 && words[reserveOf(level)] === 0;
      if (out > 1 || reserve) {
        words[shape.unitWords + unit] = words[record + FREE] & LINK;
        words[record + FREE] = part + 1;
        words[record + COUNTS] = counts - 1;
        if (reserve) words[reserveOf(level)] = index + 1;
        if (out === below.ratio) this.enlist(level, record);
        return;
      }
      // This was the last allocated part: the block is whole again, and a part of the next class.
      words[shape.unitWords + unit] = 0;
      unit = this.join(level, record);
    }
    const root = unit / shape.classes[last].units;
    words[shape.unitWords + unit] = (words[WORD.free] - root - 1) & LINK;
    words[WORD.free] = root;
  }

  /** Merges the parts of a split block, all of which are free. Returns its unit. */
  private join(level: number, record: number): number {
    this.delist(level, record);
    const { splits, units } = this.shape.classes[level + 1];
    const unit = ((record - splits) / 4) * units;
    this.words[this.shape.unitWords + unit] = 0;
    return unit;
  }

  /**
   * Merges the reserve of each class, from the smallest class up. Returns whether there were any.
   */
  private mergeReserves(): boolean {
    const { words, last } = this;
    let any = false;
    for (let level = 0; level < last; level++) {
      const link = words[reserveOf(level)];
      if (link === 0) continue;
      const record = this.listed(level, link);
      if ((words[record + COUNTS] & 0xffff) !== 0) throw listError();
      words[reserveOf(level)] = 0;
      this.put(this.join(level, record), level + 1);
      any = true;
    }
    return any;
  }

  private popRoot(): number {
    const { words, shape } = this;
    const { units, blocks } = shape.classes[this.last];
    const head = words[WORD.free];
    if (head === blocks) return -1;
    if (head >>> 0 > blocks) throw listError();
    const link = words[shape.unitWords + head * units];
    const next = (head + 1 + link) & LINK;
    if (link < 0 || next > blocks) throw listError();
    words[WORD.free] = next;
    return head * units;
  }

  /** Takes a part of class `level` out of the first split block that has a free one. */
  private popPart(level: number): number {
    const { words, shape } = this;
    const part = shape.classes[level];
    const above = shape.classes[level + 1];
    const record = this.listed(level, words[partialOf(level)]);
    const counts = words[record + COUNTS];
    const out = counts & 0xffff;
    const given = counts >>> 16;
    const free = words[record + FREE];
    const number = free === 0 ? given : (free >>> 0) - 1;
    if (out >= part.ratio || given > part.ratio || number >= part.ratio) throw listError();
    const unit = ((record - above.splits) / 4) * above.units + number * part.units;
    const link = words[shape.unitWords + unit];
    if (link < 0 || (free !== 0 && link > part.ratio)) throw listError();
    if (out === 0) words[reserveOf(level)] = 0;
    if (free !== 0) words[record + FREE] = link;
    words[record + COUNTS] = counts + (free === 0 ? 0x10001 : 1);
    if (out + 1 === part.ratio) this.delist(level, record);
    return unit;
  }

  private enlist(level: number, record: number): void {
    const { words, shape } = this;
    const head = words[partialOf(level)];
    const link = (record - shape.classes[level + 1].splits) / 4 + 1;
    if (head !== 0) words[this.listed(level, head) + PREVIOUS] = link;
    words[record + NEXT] = head;
    words[record + PREVIOUS] = 0;
    words[partialOf(level)] = link;
  }

  private delist(level: number, record: number): void {
    const { words } = this;
    const next = words[record + NEXT];
    const previous = words[record + PREVIOUS];
    const after = next === 0 ? -1 : this.listed(level, next);
    if (previous === 0) words[partialOf(level)] = next;
    else words[this.listed(level, previous) + NEXT] = next;
    if (after >= 0) words[after + PREVIOUS] = previous;
  }

  /** The record to which a link of the list of class `level` refers. */
  private listed(level: number, link: number): number {
    const { splits, blocks } = this.shape.classes[level + 1];
    if ((link - 1) >>> 0 >= blocks) throw listError();
    return splits + (link - 1) * 4;
  }

  /** The record of the split block that contains the block of class `level` at `unit`. */
  private recordOf(level: number, unit: number): number {
    const { splits, units } = this.shape.classes[level + 1];
    return splits + Math.floor(unit / units) * 4;
  }

  /** Adds a step of 1 or -1 to the number of allocated blocks of a class. */
  private count(ofClass: number, step: 1 | -1): void {
    const { words, shape } = this;
    const used = words[WORD.used] + step * shape.classes[ofClass].units;
    words[WORD.used] = used;
    if (used > words[WORD.peak]) words[WORD.peak] = used;
    if (this.last === 0) return;
    const record = CLASS_TABLE + CLASS_WORDS * ofClass;
    const blocks = words[record + CLASS.used] + step;
    words[record + CLASS.used] = blocks;
    if (blocks > words[record + CLASS.peak]) words[record + CLASS.peak] = blocks;
  }
}

function partialOf(level: number): number {
  return CLASS_TABLE + CLASS_WORDS * level + CLASS.partial;
}

function reserveOf(level: number): number {
  return CLASS_TABLE + CLASS_WORDS * level + CLASS.reserve;
}
