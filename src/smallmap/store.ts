/**
 * The views of an arena's region, and the directory that locates its maps. Entries are the business
 * of slots.ts and table.ts, all in JIT code. `docs/formats/smallmap.md` is the contract;
 * `native/core/src/smallmap/arena/` implements the same operations in Rust for C callers and bulk
 * calls, and tests compare the two byte for byte.
 *
 * Invariants: all typed arrays have a fixed length and are replaced by {@link ArenaStore.bindViews}
 * whenever the region changes. A store without direct access (closed, on a file, or reading another
 * thread's region) has an all-zero `fastHead`, which says that there are no maps, so that its fast
 * paths always fall through to the slow path at no cost for owners.
 */
import { offheapError, typeError } from '../errors.js';
import { native } from '../native.js';
import type { TextBuffer } from '../region/blob.js';
import { Buckets, bucketsFor } from '../region/buckets.js';
import { COLUMN_ARRAYS, WIDTHS, type AnyTypedArray } from '../region/element.js';
import { corrupt, HEADER_WORDS, readLong, WORD as COMMON } from '../region/format.js';
import { describe } from '../region/options.js';
import type { Region } from '../region/region.js';
import { LegacyStructure } from '../region/legacy.js';
import { OWNER } from '../region/table.js';
import { ChangeLog } from './iteration.js';
import { hasStrings, INLINE_CAPACITY, readShape, WORD } from './layout.js';
import { Strings } from './strings.js';

const MAPS_USED = WORD.mapsUsed;

/** The low bits of a place that mark a promoted map. */
export const PROMOTED = 15;
/** The bit of a generation word that marks a free directory entry. */
export const FREE = 0x80000000 | 0;
export const TWO_32 = 4_294_967_296;

/** Key columns as bits: one word per 4-byte key, two words per 8-byte key. */
export type KeyBits = Uint8Array | Uint16Array | Int32Array;

const NO_WORDS = new Int32Array(0);
const NO_MAPS = new Int32Array(HEADER_WORDS);

export abstract class ArenaStore extends LegacyStructure<'smallmap'> {
  // The fields of the fast path come first. Numbers are initialized to small integers, so that V8
  // stores them unboxed.
  /** The header if the fast path may read it, else zeros: no maps. */
  protected fastHead: Int32Array = NO_MAPS;
  protected directory: Int32Array = NO_WORDS;
  /**
   * All words of the region if the fast path may read them, else none; and the index of the first
   * slot key in them, which is valid if `keys32` is not empty.
   */
  protected fastWords: Int32Array = NO_WORDS;
  protected keysAt = 0;
  /** The slot keys if keys are 4-byte integers or strings, else empty. */
  protected keys32: Int32Array = NO_WORDS;
  /** Slot values in a typed array of their type. Strings are stored as unsigned ids. */
  protected valueColumn: AnyTypedArray = NO_WORDS;
  protected keyType = 0;
  protected valueType = 0;
  /**
   * Incremented whenever a map loses a key or the views are replaced. It invalidates the caches of
   * SmallMaps (key-cache.ts).
   */
  protected epoch = 0;
  /** Number of entries in the smallest slot. */
  protected smallest = 2;
  /** Whether plain stores suffice for a change. */
  protected plain = false;
  protected head: Int32Array = NO_MAPS;
  protected keyColumn: AnyTypedArray = NO_WORDS;
  protected keyBits: KeyBits = NO_WORDS;
  /** Whether keys have 8 bytes and take two words in `keyBits`. */
  protected wide = false;
  /**
   * The column that holds the links of free slots, and log2 of the number of half words of it per
   * unit.
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
   * Set while this thread replaces the views after its own rearrangement: the strings whose caches
   * are kept.
   */
  private keptStrings: Strings | undefined;
  /** The bits of the key that the current operation works on. */
  protected low = 0;
  protected high = 0;
  /** The log of changes to maps that are being iterated over. */
  protected readonly changes = new ChangeLog();

  protected constructor(region: Region) {
    super(region);
  }

  protected get kind(): 'smallmap' {
    return 'smallmap';
  }
  protected get label(): string {
    return 'arena';
  }

  /** Reads and checks the shape in the region's header and replaces all views. */
  protected bindViews(what: string, direct: boolean): void {
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
    this.index = new Buckets(words(layout.index, bucketsFor(shape.table) * 64), this.hasReaders);
    this.links = words(layout.links, shape.table * 16);
    this.tableKeys = new COLUMN_ARRAYS[shape.key]!(buffer, layout.tableKeys, shape.table);
    this.tableValues = new COLUMN_ARRAYS[shape.value]!(buffer, layout.tableValues, shape.table);
    this.tableKeyBits = bits(layout.tableKeys, shape.table);
    this.strings = hasStrings(shape.key, shape.value)
      ? new Strings(
          this.head,
          new Buckets(words(layout.stringIndex, bucketsFor(shape.ids) * 64), this.hasReaders),
          words(layout.refs, shape.ids * 4),
          words(layout.heap, shape.heap),
          Buffer.from(buffer as ArrayBuffer, layout.heap, shape.heap) as TextBuffer,
          this.hasReaders,
          this.exclusive,
          this.keptStrings,
        )
      : undefined;
    this.epoch++;
    this.fastHead = direct ? this.head : NO_MAPS;
    this.fastWords = direct ? words(0, region.buffer.byteLength & ~3) : NO_WORDS;
    this.keysAt = layout.keys / 4;
    this.plain = direct && !this.hasReaders;
  }

  protected check(region: Region, length: number, what: string): void {
    readShape(region.head, length, what);
  }

  protected dropViews(): void {
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
   * Runs a read like {@link Structure.read}, and repeats it if memory was recycled in the meantime.
   * `operation` must neither change anything nor run user code.
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
        // The calling `read` detects rearrangements.
        if (this.loadAfterReads(head, WORD.recycles) !== before && this.readIsValid()) continue;
        if (failed) throw failure;
        return result as T;
      }
    });
  }

  // ---- maps

  /** The directory entry of the map with an id. Throws `ERR_OFFHEAP_STALE` if there is none. */
  protected mapOf(id: unknown): number {
    if (typeof id !== 'number') throw typeError(`a map id must be a number, not ${describe(id)}`);
    const map = id >>> 0;
    if (map < this.entriesUsed()) {
      const generation = this.directory[map * 2 + 1];
      if (generation >= 0 && generation * TWO_32 + map === id) return map;
    }
    throw offheapError(
      'ERR_OFFHEAP_STALE',
      `there is no map with id ${id}: it has been released or never existed`,
    );
  }

  /** Number of directory entries that have ever been handed out. */
  protected entriesUsed(): number {
    return Math.min(this.head[MAPS_USED], this.directory.length >>> 1);
  }

  /** The place word of a map. Throws if it is invalid. */
  protected placeOf(map: number): number {
    const place = this.directory[map * 2];
    const count = place & 15;
    if (count <= INLINE_CAPACITY) {
      if (count === 0 || ((place >>> 4) << 1) + this.slotFor(count) <= this.valueColumn.length) return place;
    } else if (count === PROMOTED && place >>> 4 < this.links.length >>> 2) {
      return place;
    }
    throw corrupt('this arena', `the directory entry of map ${map} is invalid`);
  }

  protected slotFor(count: number): number {
    return count > 4 ? 8 : count > 2 ? 4 : this.smallest;
  }

  /**
   * Stores a word that makes a change visible: other threads that see it also see all earlier
   * stores.
   */
  protected publish(words: Int32Array, at: number, value: number): void {
    if (this.hasReaders) Atomics.store(words, at, value);
    else words[at] = value;
  }

  /** Called between the store that unlinks memory and its reuse. */
  protected recycle(): void {
    this.publish(this.head, WORD.recycles, (this.head[WORD.recycles] + 1) | 0);
  }

  /** Creates an empty map and returns its id. The directory must have room. */
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
   * Grows the region in one native call, to fit that many more maps, blocks of slots, table
   * positions, strings, and bytes of strings. Throws `ERR_OFFHEAP_FULL` or `ERR_OFFHEAP_OOM` with
   * nothing changed.
   */
  protected makeRoom(maps: number, blocks: number, positions: number, ids: number, bytes: number): void {
    const addon = native();
    const { region } = this;
    const length = addon.smallmapArenaRoomRegionSize(region.bytes, maps, blocks, positions, ids, bytes);
    try {
      region.ensure(length);
      addon.smallmapArenaMakeRoom(region.bytes, maps, blocks, positions, ids, bytes);
    } finally {
      // Also after a refusal: the region may have moved to a larger buffer.
      this.readoptOwn();
    }
  }

  /** Releases unused memory. */
  protected fit(): void {
    native().smallmapArenaFit(this.region.bytes);
    this.region.shrink(readLong(this.region.head, COMMON.lengthLow));
    this.readoptOwn();
  }

  /** Replaces the views after a native call of this thread. */
  private readoptOwn(): void {
    this.keptStrings = this.strings;
    this.rebindViews();
    this.keptStrings = undefined;
  }
}

export function badLinks(): Error {
  return corrupt('this arena', 'the links of a promoted map contain an invalid position');
}

export function badList(what: string): Error {
  return corrupt('this arena', `the free list of ${what} contains an invalid index`);
}
