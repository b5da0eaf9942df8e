/**
 * The views of an arena's region, the directory that locates its maps, and the fast path of
 * lookups. Everything else is in functions that take the table: keys and values of entries
 * (columns.ts), inline maps (slots.ts), promoted maps (promoted.ts), single entries (entries.ts),
 * whole maps (maps.ts), iteration and bulk calls. `docs/formats/smallmap.md` is the contract;
 * `native/core/src/smallmap/arena/` implements the same operations in Rust for C callers and bulk
 * calls, and tests compare the two byte for byte.
 *
 * Invariants: all typed arrays have a fixed length and are replaced by {@link ArenaTable.bindViews}
 * whenever the region changes. A table without direct access (closed, on a file, or reading another
 * thread's region) has an all-zero `fastHead`, which says that there are no maps, so that its fast
 * paths always fall through to the slow path at no cost for owners.
 *
 * Cost: all keys of a slot are compared without branching on the slot, because each misprediction
 * would discard the cache misses that are already in flight.
 */
import { offheapError, typeError } from '../errors.js';
import type { TextBuffer } from '../region/blob.js';
import { Buckets, bucketsFor } from '../region/buckets.js';
import { COLUMN_ARRAYS, TYPE, WIDTHS } from '../region/element.js';
import { corrupt, HEADER_WORDS } from '../region/format.js';
import { hashMultipliers } from '../region/hash.js';
import { describe } from '../region/options.js';
import type { Region } from '../region/region.js';
import { OWNER, RegionTable } from '../region/table.js';
import type { AnyTypedArray } from '../region/typed-array.js';
import { ChangeLog } from './change-log.js';
import { hasStrings, INLINE_CAPACITY, PROMOTED, readShape, TWO_32, WORD } from './layout.js';
import { Strings } from './strings.js';

/** Header words and type codes used by hot code are module constants, because V8 folds those. */
const MAPS_USED = WORD.mapsUsed;
const U32 = TYPE.u32;
const I32 = TYPE.i32;
const STRING = TYPE.string;

/** Key columns as bits: one word per 4-byte key, two words per 8-byte key. */
export type KeyBits = Uint8Array | Uint16Array | Int32Array;

const NO_WORDS = new Int32Array(0);
const NO_MAPS = new Int32Array(HEADER_WORDS);

export class ArenaTable extends RegionTable<'smallmap'> {
  // The fields of the fast path come first. Numbers are initialized to small integers, so that V8
  // stores them unboxed.
  /** The header if the fast path may read it, else zeros: no maps. */
  fastHead: Int32Array = NO_MAPS;
  directory: Int32Array = NO_WORDS;
  /**
   * All words of the region if the fast path may read them, else none; and the index of the first
   * slot key in them, which is valid if `keys32` is not empty.
   */
  fastWords: Int32Array = NO_WORDS;
  keysAt = 0;
  /** The slot keys if keys are 4-byte integers or strings, else empty. */
  keys32: Int32Array = NO_WORDS;
  /** Slot values in a typed array of their type. Strings are stored as unsigned ids. */
  valueColumn: AnyTypedArray = NO_WORDS;
  keyType = 0;
  valueType = 0;
  /**
   * Incremented whenever a map loses a key or the views are replaced. It invalidates the caches of
   * SmallMaps (key-cache.ts).
   */
  epoch = 0;
  /** Number of entries in the smallest slot. */
  smallest = 2;
  /** Whether plain stores suffice for a change. */
  plain = false;
  head: Int32Array = NO_MAPS;
  keyColumn: AnyTypedArray = NO_WORDS;
  keyBits: KeyBits = NO_WORDS;
  /** Whether keys have 8 bytes and take two words in `keyBits`. */
  wide = false;
  /**
   * The column that holds the links of free slots, and log2 of the number of half words of it per
   * unit.
   */
  slotLinks: Int32Array = NO_WORDS;
  slotLinkShift = 0;
  index = new Buckets(NO_WORDS, false);
  links: Int32Array = NO_WORDS;
  tableKeys: AnyTypedArray = NO_WORDS;
  tableKeyBits: KeyBits = NO_WORDS;
  tableValues: AnyTypedArray = NO_WORDS;
  strings: Strings | undefined;
  /**
   * Set while this thread replaces the views after its own rearrangement: the strings whose caches
   * are kept.
   */
  private keptStrings: Strings | undefined;
  /** The bits of the key that the current operation works on. */
  low = 0;
  high = 0;
  /** The multipliers of the hash of 8-byte keys, which follow from the seeds. */
  multiplier0 = 0;
  multiplier1 = 0;
  /** The log of changes to maps that are being iterated over. */
  readonly changes = new ChangeLog();

  get kind(): 'smallmap' {
    return 'smallmap';
  }
  get label(): string {
    return 'arena';
  }

  /** Reads and checks the shape in the region's header and replaces all views. */
  bindViews(what: string, direct: boolean): void {
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
    [this.multiplier0, this.multiplier1] = hashMultipliers(region.head[WORD.seed0], region.head[WORD.seed1]);
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

  check(region: Region, length: number, what: string): void {
    readShape(region.head, length, what);
  }

  dropViews(): void {
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
   * Runs a read like {@link RegionTable.read}, and repeats it if memory was recycled in the
   * meantime. `operation` must neither change anything nor run user code.
   */
  readStable<T>(operation: () => T): T {
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

  // ---- fast path

  /**
   * The fast path of a lookup of a 4-byte key in an inline map. Returns the entry in the slot
   * columns, −1 if the key is absent, or −2 if the slow path has to decide (another key type, a
   * promoted map, a stale id, no direct access).
   *
   * Written out in full and without branches on the position of a key, so that the processor runs
   * ahead through the cache misses of several lookups. Lanes outside the map may match by accident,
   * so the result is masked to the lanes of the map.
   */
  locate(id: unknown, given: unknown): number {
    if (typeof id !== 'number') return -2;
    const map = id >>> 0;
    if (map >= this.fastHead[MAPS_USED]) return -2;
    const at = map << 1;
    const generation = this.directory[at + 1];
    if (generation < 0 || generation * 4_294_967_296 + map !== id) return -2;
    return this.locateIn(at, given);
  }

  /** `locate` in the map whose directory words are at `at`. */
  private locateIn(at: number, given: unknown): number {
    const keys = this.keys32;
    if (keys.length === 0) return -2;
    let key: number;
    if (typeof given === 'number') {
      key = given | 0;
      if ((this.keyType === U32 ? key >>> 0 : key) !== given || this.keyType > I32) return -2;
    } else {
      if (this.keyType !== STRING || typeof given !== 'string') return -2;
      key = this.strings!.find(given);
      if (key < 0) return -1;
    }
    const place = this.directory[at];
    const count = place & 15;
    if (count > 8) return -2;
    const first = (place >>> 4) << 1;
    if (first + count > keys.length) return -2;
    // For more than two keys, compare the eight keys of the block, one cache line, whatever the
    // size of the slot. Branches on that size would be mispredicted while the place is still being
    // loaded from memory.
    const start = count > 2 ? first & -8 : first & -2;
    let equal = +(keys[start] === key) | (+(keys[start | 1] === key) << 1);
    if (count > 2) {
      equal |=
        (+(keys[start | 2] === key) << 2) |
        (+(keys[start | 3] === key) << 3) |
        (+(keys[start | 4] === key) << 4) |
        (+(keys[start | 5] === key) << 5) |
        (+(keys[start | 6] === key) << 6) |
        (+(keys[start | 7] === key) << 7);
    }
    const lane = 31 - Math.clz32((equal >>> (first - start)) & ((1 << count) - 1));
    return lane < 0 ? -1 : first + lane;
  }

  // ---- maps

  /** The directory entry of the map with an id. Throws `ERR_OFFHEAP_STALE` if there is none. */
  mapOf(id: unknown): number {
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
  entriesUsed(): number {
    return Math.min(this.head[MAPS_USED], this.directory.length >>> 1);
  }

  /** The place word of a map. Throws if it is invalid. */
  placeOf(map: number): number {
    const place = this.directory[map * 2];
    const count = place & 15;
    if (count <= INLINE_CAPACITY) {
      if (count === 0 || ((place >>> 4) << 1) + this.slotFor(count) <= this.valueColumn.length) return place;
    } else if (count === PROMOTED && place >>> 4 < this.links.length >>> 2) {
      return place;
    }
    throw corrupt('this arena', `the directory entry of map ${map} is invalid`);
  }

  slotFor(count: number): number {
    return count > 4 ? 8 : count > 2 ? 4 : this.smallest;
  }

  /**
   * Stores a word that makes a change visible: other threads that see it also see all earlier
   * stores.
   */
  publish(words: Int32Array, at: number, value: number): void {
    if (this.hasReaders) Atomics.store(words, at, value);
    else words[at] = value;
  }

  /** Called between the store that unlinks memory and its reuse. */
  recycle(): void {
    this.publish(this.head, WORD.recycles, (this.head[WORD.recycles] + 1) | 0);
  }

  // ---- views

  /** Replaces the views after a native call of this thread. */
  rebindAfterNativeCall(): void {
    this.keptStrings = this.strings;
    this.rebindViews();
    this.keptStrings = undefined;
  }
}
