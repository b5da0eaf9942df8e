/**
 * The store under SmallMapArena: the views of a region, and which maps are where in it. Entries are
 * the business of slots.ts and table.ts, all in JIT code. `docs/formats/smallmap.md` is the
 * contract; the same operations stand in Rust in `native/core/src/smallmap/arena/`, for C callers
 * and bulk calls, and tests compare the two byte for byte.
 *
 * Invariants: all typed arrays here have a fixed length and are remade by {@link Store.adopt} when
 * the region changed. A store that may not read directly (closed, on a file, or watching another
 * thread's region) has an all-zero `fastHead`, which says that there are no maps, so the fast paths
 * always take the slow road there, and cost nothing here.
 */
import { offheapError, typeError } from '../errors.js';
import { native } from '../native.js';
import type { TextBuffer } from '../region/blob.js';
import { Buckets, bucketsFor } from '../region/buckets.js';
import { COLUMN_ARRAYS, WIDTHS, type AnyTypedArray } from '../region/element.js';
import { corrupt, HEADER_WORDS, readLong, WORD as COMMON } from '../region/format.js';
import { describe } from '../region/options.js';
import type { Region } from '../region/region.js';
import { OWNER, Structure } from '../region/structure.js';
import { Trail } from './iteration.js';
import { hasStrings, INLINE_CAPACITY, readShape, WORD } from './layout.js';
import { Strings } from './strings.js';

const MAPS_USED = WORD.mapsUsed;

/** Low bits of a place that say that the map is promoted. */
export const PROMOTED = 15;
/** The bit of a generation word that says that the directory entry is free. */
export const FREE = 0x80000000 | 0;
export const TWO_32 = 4_294_967_296;

/** Columns of keys by their bits: words for keys of 4 bytes, two words to a key for those of 8. */
export type KeyBits = Uint8Array | Uint16Array | Int32Array;

const NO_WORDS = new Int32Array(0);
const NO_MAPS = new Int32Array(HEADER_WORDS);

export abstract class Store extends Structure<'smallmap'> {
  // The fast path's fields come first. Numbers are initialised to small integers, so that V8 stores
  // them unboxed.
  /** The header where the fast path may read, else zeros: no maps. */
  protected fastHead: Int32Array = NO_MAPS;
  protected directory: Int32Array = NO_WORDS;
  /**
   * All words of the region where the fast path may read, else none; and where in them the keys in
   * slots begin, if they are in `keys32`.
   */
  protected fastWords: Int32Array = NO_WORDS;
  protected keysAt = 0;
  /** Keys of 4 bytes in slots, where keys are integers of 4 bytes or strings; else empty. */
  protected keys32: Int32Array = NO_WORDS;
  /** Slot values as their type; string ids as unsigned words. */
  protected valueColumn: AnyTypedArray = NO_WORDS;
  protected keyType = 0;
  protected valueType = 0;
  /**
   * Counts up wherever a map loses a key, and views are remade: for what a SmallMap remembers
   * (recall.ts).
   */
  protected epoch = 0;
  /** Entries of the smallest slot. */
  protected smallest = 2;
  /** Whether a change may be made by plain stores. */
  protected plain = false;
  protected head: Int32Array = NO_MAPS;
  protected keyColumn: AnyTypedArray = NO_WORDS;
  protected keyBits: KeyBits = NO_WORDS;
  /** Whether keys have 8 bytes: two words in `keyBits`. */
  protected wide = false;
  /**
   * The column that holds the links of free slots, and how many half words of it there are to a
   * unit, as a power of two.
   */
  protected slotLinks: Int32Array = NO_WORDS;
  protected slotLinkShift = 0;
  protected index = new Buckets(NO_WORDS, false);
  protected links: Int32Array = NO_WORDS;
  protected tableKeys: AnyTypedArray = NO_WORDS;
  protected tableKeyBits: KeyBits = NO_WORDS;
  protected tableValues: AnyTypedArray = NO_WORDS;
  protected strings: Strings | undefined;
  /**
   * While views are remade after this thread's own rearrangement: what knows the strings so far.
   */
  private keptStrings: Strings | undefined;
  /**
   * The key in flight: its bits, and whether it can be in any map (a string that is nowhere can
   * not).
   */
  protected low = 0;
  protected high = 0;
  /** What happened to maps that are being iterated over. */
  protected readonly trail = new Trail();

  protected constructor(region: Region) {
    super(region);
  }

  protected get kind(): 'smallmap' {
    return 'smallmap';
  }
  protected get noun(): string {
    return 'arena';
  }

  /** Takes the shape from the region's header, checked, and remakes all views. */
  protected adopt(what: string, direct: boolean): void {
    const { region } = this;
    const shape = readShape(region.head, region.bytes.length, what);
    const { layout } = shape;
    const { buffer } = region;
    const words = (at: number, bytes: number): Int32Array => new Int32Array(buffer, at, bytes / 4);
    const entries = shape.blocks * 8;
    const keyWidth = WIDTHS[shape.key];
    const valueWidth = WIDTHS[shape.value];
    const bits = (at: number, count: number): KeyBits => {
      if (keyWidth === 1) return new Uint8Array(buffer, at, count);
      if (keyWidth === 2) return new Uint16Array(buffer, at, count);
      return words(at, count * keyWidth);
    };
    this.head = region.head;
    this.keyType = shape.key;
    this.valueType = shape.value;
    this.smallest = keyWidth === 1 && valueWidth === 1 ? 4 : 2;
    this.directory = words(layout.directory, shape.maps * 8);
    this.keyColumn = new COLUMN_ARRAYS[shape.key]!(buffer, layout.keys, entries);
    this.valueColumn = new COLUMN_ARRAYS[shape.value]!(buffer, layout.values, entries);
    this.keyBits = bits(layout.keys, entries);
    this.wide = keyWidth === 8;
    this.keys32 = keyWidth === 4 ? (this.keyBits as Int32Array) : NO_WORDS;
    const linkWidth = Math.max(keyWidth, valueWidth);
    this.slotLinks = words(valueWidth >= keyWidth ? layout.values : layout.keys, entries * linkWidth);
    this.slotLinkShift = Math.log2(linkWidth);
    this.index = new Buckets(words(layout.index, bucketsFor(shape.table) * 64), this.published);
    this.links = words(layout.links, shape.table * 16);
    this.tableKeys = new COLUMN_ARRAYS[shape.key]!(buffer, layout.tableKeys, shape.table);
    this.tableValues = new COLUMN_ARRAYS[shape.value]!(buffer, layout.tableValues, shape.table);
    this.tableKeyBits = bits(layout.tableKeys, shape.table);
    this.strings = hasStrings(shape.key, shape.value)
      ? new Strings(
          this.head,
          new Buckets(words(layout.stringIndex, bucketsFor(shape.ids) * 64), this.published),
          words(layout.refs, shape.ids * 4),
          words(layout.heap, shape.heap),
          Buffer.from(buffer as ArrayBuffer, layout.heap, shape.heap) as TextBuffer,
          this.published,
          this.steady,
          this.keptStrings,
        )
      : undefined;
    this.epoch++;
    this.fastHead = direct ? this.head : NO_MAPS;
    this.fastWords = direct ? words(0, region.buffer.byteLength & ~3) : NO_WORDS;
    this.keysAt = layout.keys / 4;
    this.plain = direct && !this.published;
  }

  protected check(region: Region, length: number, what: string): void {
    readShape(region.head, length, what);
  }

  protected dismount(): void {
    this.epoch++;
    this.fastHead = this.head = NO_MAPS;
    this.plain = false;
    this.directory = this.fastWords = this.keys32 = this.slotLinks = this.links = NO_WORDS;
    this.keyColumn = this.valueColumn = this.tableKeys = this.tableValues = NO_WORDS;
    this.keyBits = this.tableKeyBits = NO_WORDS;
    this.index = new Buckets(NO_WORDS, false);
    this.strings = undefined;
  }

  /**
   * Runs a read as {@link Structure.read} does, and repeats it where memory was recycled meanwhile.
   * What it is given must not change anything nor run user code.
   */
  protected look<T>(operation: () => T): T {
    if (this.role === OWNER) return operation();
    return this.read(() => {
      for (;;) {
        const { head } = this;
        const before = Atomics.load(head, WORD.recycles);
        let result: T | undefined;
        let failure: unknown;
        let failed = false;
        try {
          result = operation();
        } catch (error) {
          failed = true;
          failure = error;
        }
        // A rearrangement is noticed by whoever called this.
        if (this.loadAfterReads(head, WORD.recycles) !== before && this.calm()) continue;
        if (failed) throw failure;
        return result as T;
      }
    });
  }

  // ---- maps

  /**
   * The directory entry of the map that an id names. Throws `ERR_OFFHEAP_STALE` where there is
   * none.
   */
  protected mapOf(id: unknown): number {
    if (typeof id !== 'number') throw typeError(`an id of a map is a number, not ${describe(id)}`);
    const map = id >>> 0;
    if (map < this.entriesUsed()) {
      const generation = this.directory[map * 2 + 1];
      if (generation >= 0 && generation * TWO_32 + map === id) return map;
    }
    throw offheapError('ERR_OFFHEAP_STALE', `there is no map with id ${id}: it was released, or never made`);
  }

  /** Directory entries ever handed out. */
  protected entriesUsed(): number {
    return Math.min(this.head[MAPS_USED], this.directory.length >>> 1);
  }

  /** What a map's place says, if that is possible. */
  protected placeOf(map: number): number {
    const place = this.directory[map * 2];
    const count = place & 15;
    if (count <= INLINE_CAPACITY) {
      if (count === 0 || ((place >>> 4) << 1) + this.slotFor(count) <= this.valueColumn.length) return place;
    } else if (count === PROMOTED && place >>> 4 < this.links.length >>> 2) {
      return place;
    }
    throw corrupt('this arena', `map ${map} is nowhere`);
  }

  protected slotFor(count: number): number {
    return count > 4 ? 8 : count > 2 ? 4 : this.smallest;
  }

  /**
   * A store that makes a change visible: after it, other threads see all that was stored before it.
   */
  protected publish(words: Int32Array, at: number, value: number): void {
    if (this.published) Atomics.store(words, at, value);
    else words[at] = value;
  }

  /** Between the store that hides memory and whatever uses it next. */
  protected recycle(): void {
    this.publish(this.head, WORD.recycles, (this.head[WORD.recycles] + 1) | 0);
  }

  /** A new, empty map's id. The directory has room. */
  protected makeMap(): number {
    const { head, directory } = this;
    const free = head[WORD.freeMap];
    const used = head[MAPS_USED];
    let map = used;
    let generation = 0;
    if (free === 0) {
      this.publish(head, MAPS_USED, used + 1);
    } else {
      map = free - 1;
      const next = directory[map * 2];
      generation = directory[map * 2 + 1] & ~FREE;
      if (map >= used || directory[map * 2 + 1] >= 0 || next >>> 0 > used) throw badList('maps');
      head[WORD.freeMap] = next;
      directory[map * 2] = 0;
      this.publish(directory, map * 2 + 1, generation);
    }
    head[WORD.maps] = head[WORD.maps] + 1;
    return generation * TWO_32 + map;
  }

  // ---- room

  /**
   * One native call that makes room for so many maps, blocks of slots, positions, strings and bytes
   * of them. Throws `ERR_OFFHEAP_FULL` or `ERR_OFFHEAP_OOM` with nothing changed.
   */
  protected makeRoom(maps: number, blocks: number, positions: number, ids: number, bytes: number): void {
    const addon = native();
    const { region } = this;
    const length = addon.smallmapRoomLength(region.bytes, maps, blocks, positions, ids, bytes);
    try {
      region.ensure(length);
      addon.smallmapMakeRoom(region.bytes, maps, blocks, positions, ids, bytes);
    } finally {
      // Also after a refusal: the region may lie in a larger buffer by now.
      this.readoptOwn();
    }
  }

  /** Gives up what is not in use. */
  protected fit(): void {
    native().smallmapFit(this.region.bytes);
    this.region.shrink(readLong(this.region.head, COMMON.lengthLow));
    this.readoptOwn();
  }

  /** Remakes the views after a native call of this thread. */
  private readoptOwn(): void {
    this.keptStrings = this.strings;
    this.readopt();
    this.keptStrings = undefined;
  }
}

export function badList(what: string): Error {
  return corrupt('this arena', `a list of its ${what} leads nowhere`);
}
