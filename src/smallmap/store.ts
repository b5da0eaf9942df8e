/**
 * The store under SmallMapArena: finding, inserting and removing one entry of one map in a region, in JIT code.
 * `docs/formats/smallmap.md` is the contract; the same operations stand in Rust in `native/core/src/smallmap/arena/`,
 * for C callers and bulk calls, and tests compare the two byte for byte.
 *
 * Cost: a lookup in line reads one cache line of directory, one of keys, one of values; all keys of a slot are compared
 * without a branch on which it is, because each misprediction would discard the cache misses already under way.
 *
 * Invariants: all typed arrays here have a fixed length and are remade by {@link Store.adopt} when the region changed. A store
 * that may not read directly (closed, on a file, or watching another thread's region) has an all-zero `fastHead`, which
 * says that there are no maps, so the fast paths always take the slow road there, and cost nothing here.
 */
import { offheapError, typeError } from '../errors.js';
import { native } from '../native.js';
import type { TextBuffer } from '../region/blob.js';
import { Buckets, bucketsFor } from '../region/buckets.js';
import { badElement, COLUMN_ARRAYS, isElement, TYPE, WIDTHS, type AnyTypedArray } from '../region/element.js';
import { corrupt, HEADER_WORDS, readLong, WORD as COMMON } from '../region/format.js';
import { describe } from '../region/options.js';
import type { Region } from '../region/region.js';
import { OWNER, Structure } from '../region/structure.js';
import { Trail } from './iteration.js';
import { GENERATIONS, hasStrings, INLINE_CAPACITY, readShape, WORD } from './layout.js';
import { Strings } from './strings.js';

/** Codes that hot code compares with, as constants of this module: V8 folds those. */
const U32 = TYPE.u32;
const I32 = TYPE.i32;
const F64 = TYPE.f64;
const STRING = TYPE.string;
const MAPS_USED = WORD.mapsUsed;

/** Low bits of a place that say that the map is promoted. */
export const PROMOTED = 15;
/** Words of a position's links. */
const OWNER_LINK = 0;
const NEXT = 1;
const PREV = 2;
const HASH = 3;
/** The owner of a free position. */
const NOBODY = -1;
/** The bit of a generation word that says that the directory entry is free. */
export const FREE = 0x80000000 | 0;
/** Where an entry is: below this an entry of the slots, from it on a position of the table. −1: there is none. */
export const TABLE = 2 ** 29;
export const TWO_32 = 4_294_967_296;

/** Columns of keys by their bits: words for keys of 4 bytes, two words to a key for those of 8. */
export type KeyBits = Uint8Array | Uint16Array | Int32Array;

/** The bits of one float or bigint in flight. */
const wideNumber = new Float64Array(1);
const wideInteger = new BigInt64Array(wideNumber.buffer);
const wideWords = new Int32Array(wideNumber.buffer);
const narrowNumber = new Float32Array(wideNumber.buffer);
const NAN_BITS = 0x7ff8000000000000n;
const NAN_WORD = 0x7fc00000;

const NO_WORDS = new Int32Array(0);
const NO_MAPS = new Int32Array(HEADER_WORDS);

export abstract class Store extends Structure<'smallmap'> {
  // The fast path's fields come first. Numbers are initialised to small integers, so that V8 stores them unboxed.
  /** The header where the fast path may read, else zeros: no maps. */
  protected fastHead: Int32Array = NO_MAPS;
  protected directory: Int32Array = NO_WORDS;
  /** The directory where the fast path may read, else empty. */
  protected fastDirectory: Int32Array = NO_WORDS;
  /** Keys of 4 bytes in slots, where keys are integers of 4 bytes or strings; else empty. */
  protected keys32: Int32Array = NO_WORDS;
  /** Slot values as their type; string ids as unsigned words. */
  protected valueColumn: AnyTypedArray = NO_WORDS;
  protected keyType = 0;
  protected valueType = 0;
  /** Entries of the smallest slot. */
  protected smallest = 2;
  /** Whether a change may be made by plain stores. */
  protected plain = false;
  protected head: Int32Array = NO_MAPS;
  protected keyColumn: AnyTypedArray = NO_WORDS;
  protected keyBits: KeyBits = NO_WORDS;
  /** Whether keys have 8 bytes: two words in `keyBits`. */
  protected wide = false;
  /** The column that holds the links of free slots, and how many half words of it there are to a unit, as a power of two. */
  protected slotLinks: Int32Array = NO_WORDS;
  protected slotLinkShift = 0;
  protected index = new Buckets(NO_WORDS, false);
  protected links: Int32Array = NO_WORDS;
  protected tableKeys: AnyTypedArray = NO_WORDS;
  protected tableKeyBits: KeyBits = NO_WORDS;
  protected tableValues: AnyTypedArray = NO_WORDS;
  protected strings: Strings | undefined;
  /** The key in flight: its bits, and whether it can be in any map (a string that is nowhere can not). */
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
        )
      : undefined;
    this.fastHead = direct ? this.head : NO_MAPS;
    this.fastDirectory = direct ? this.directory : NO_WORDS;
    this.plain = direct && !this.published;
  }

  protected check(region: Region, length: number, what: string): void {
    readShape(region.head, length, what);
  }

  protected dismount(): void {
    this.fastHead = this.head = NO_MAPS;
    this.plain = false;
    this.directory = this.fastDirectory = this.keys32 = this.slotLinks = this.links = NO_WORDS;
    this.keyColumn = this.valueColumn = this.tableKeys = this.tableValues = NO_WORDS;
    this.keyBits = this.tableKeyBits = NO_WORDS;
    this.index = new Buckets(NO_WORDS, false);
    this.strings = undefined;
  }

  /**
   * Runs a read as {@link Structure.read} does, and repeats it where memory was recycled meanwhile. What it is given must not
   * change anything nor run user code.
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

  /** The directory entry of the map that an id names. Throws `ERR_OFFHEAP_STALE` where there is none. */
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

  /** A store that makes a change visible: after it, other threads see all that was stored before it. */
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

  /** Gives back a map in line. */
  protected dropMap(map: number, place: number): void {
    const { head, directory } = this;
    const generation = directory[map * 2 + 1] + 1;
    this.publish(directory, map * 2 + 1, generation | FREE);
    this.dropSlot(place);
    if (generation < GENERATIONS) {
      directory[map * 2] = head[WORD.freeMap]!;
      head[WORD.freeMap] = map + 1;
    } else {
      directory[map * 2] = 0; // retired: see the format
    }
    head[WORD.maps] = head[WORD.maps] - 1;
  }

  /** For copies: gives a new map another generation. */
  protected renumber(map: number, generation: number): void {
    this.directory[map * 2 + 1] = generation;
  }

  /** For copies: frees a new map so that it has this generation next. */
  protected retire(map: number, generation: number): void {
    this.renumber(map, Math.max(0, generation - 1));
    this.dropMap(map, 0);
    if (generation === 0) this.renumber(map, FREE);
  }

  /** Gives back the slot of a place that nothing leads to any more. */
  protected dropSlot(place: number): void {
    const count = place & 15;
    if (count === 0) return;
    this.recycle();
    this.giveSlot(place >>> 4, this.slotFor(count));
  }

  // ---- keys and values

  /**
   * Readies a key: leaves its bits in `low` and `high`. Returns `false` for a string that the arena does not have, which no
   * map can have. Throws where the key is not of the arena's type.
   */
  protected readyKey(key: unknown): boolean {
    if (!isElement(key, this.keyType)) throw badElement('a key of this arena', this.keyType, key);
    switch (this.keyType) {
      case TYPE.u8:
      case TYPE.i8:
        this.low = (key as number) & 0xff;
        return true;
      case TYPE.u16:
      case TYPE.i16:
        this.low = (key as number) & 0xffff;
        return true;
      case TYPE.u32:
      case TYPE.i32:
        this.low = (key as number) | 0;
        return true;
      case TYPE.f32:
        narrowNumber[0] = (key as number) + 0; // -0 + 0 is 0
        this.low = key !== key ? NAN_WORD : wideWords[0];
        // A number that rounds to -0 in 32 bits.
        if (this.low === (0x80000000 | 0)) this.low = 0;
        return true;
      case TYPE.f64:
        if (key !== key) wideInteger[0] = NAN_BITS;
        else wideNumber[0] = (key as number) + 0;
        break;
      case TYPE.u64:
      case TYPE.i64:
        wideInteger[0] = key as bigint;
        break;
      default:
        this.low = this.strings!.find(key as string);
        return this.low >= 0;
    }
    this.low = wideWords[0]!;
    this.high = wideWords[1]!;
    return true;
  }

  /** Throws where a key or value is not of the arena's type. */
  protected checkKey(key: unknown): void {
    if (!isElement(key, this.keyType)) throw badElement('a key of this arena', this.keyType, key);
  }
  protected checkValue(value: unknown): void {
    if (!isElement(value, this.valueType)) throw badElement('a value of this arena', this.valueType, value);
  }

  /** The key of an entry. */
  protected keyAt(spot: number): unknown {
    const key = spot < TABLE ? this.keyColumn[spot] : this.tableKeys[spot - TABLE];
    return this.keyType === STRING ? this.strings!.text(key as number) : key;
  }

  /** The value of an entry. */
  protected valueAt(spot: number): unknown {
    if (spot < TABLE) return this.slotValue(spot);
    return this.otherValue(this.tableValues, spot - TABLE);
  }

  /** The value of an entry in a slot. */
  protected slotValue(entry: number): unknown {
    // The common ones by themselves, so that each read sees one kind of array, whatever other arenas hold.
    const { valueType } = this;
    if (valueType === F64) return (this.valueColumn as Float64Array)[entry];
    if (valueType === U32) return (this.valueColumn as Uint32Array)[entry];
    if (valueType === I32) return (this.valueColumn as Int32Array)[entry];
    return this.otherValue(this.valueColumn, entry);
  }

  private otherValue(column: AnyTypedArray, at: number): unknown {
    const value = column[at];
    if (this.valueType === TYPE.bool) return value !== 0;
    return this.valueType === STRING ? this.strings!.text(value as number) : value;
  }

  /** Writes a value that is of the arena's type; strings are ids by now. */
  protected writeValue(spot: number, value: unknown): void {
    const column = spot < TABLE ? this.valueColumn : this.tableValues;
    const at = spot < TABLE ? spot : spot - TABLE;
    if (this.valueType === F64) (column as Float64Array)[at] = value as number;
    else
      (column as unknown as unknown[])[at] = this.valueType === TYPE.bool ? (value === true ? 1 : 0) : value;
  }

  /** Writes the key in flight. */
  private writeKey(bits: KeyBits, at: number): void {
    if (this.wide) {
      bits[at * 2] = this.low;
      bits[at * 2 + 1] = this.high;
    } else {
      bits[at] = this.low;
    }
  }

  // ---- finding

  /** Where a map has the key in flight, or −1. `place` is what {@link placeOf} said. */
  protected findIn(map: number, place: number): number {
    const count = place & 15;
    if (count === PROMOTED) return this.findInTable(map);
    const first = (place >>> 4) << 1;
    const { keyBits, low } = this;
    if (this.wide) {
      for (let entry = first; entry < first + count; entry++) {
        if (keyBits[entry * 2] === low && keyBits[entry * 2 + 1] === this.high) return entry;
      }
      return -1;
    }
    for (let entry = first; entry < first + count; entry++) if (keyBits[entry] === low) return entry;
    return -1;
  }

  private findInTable(map: number): number {
    const { index, links, tableKeyBits: bits, low } = this;
    const used = Math.min(this.head[WORD.tableUsed], links.length >>> 2);
    const h = this.hash(map);
    for (let position = index.first(h); position >= 0; position = index.next()) {
      if (position >= used || links[position * 4] !== map) continue;
      if (
        this.wide
          ? bits[position * 2] === low && bits[position * 2 + 1] === this.high
          : bits[position] === low
      ) {
        return TABLE + position;
      }
    }
    return -1;
  }

  /** The hash of a map and the key in flight. */
  protected hash(map: number): number {
    const seed0 = this.head[WORD.seed0];
    let h = Math.imul(this.low ^ seed0, 0x85ebca6b);
    h = Math.imul(((h ^ (h >>> 15)) + this.head[WORD.seed1]) ^ (this.wide ? this.high : 0), 0xc2b2ae35);
    h = Math.imul(((h ^ (h >>> 16)) + seed0) ^ map, 0x9e3779b1);
    return h ^ (h >>> 15);
  }

  // ---- changing entries in line

  /**
   * Adds the key in flight, which the map in line does not have, with a value. `false` if there is no slot for it: nothing
   * was changed. The map has fewer than 8 entries.
   */
  protected insertInline(map: number, place: number, value: unknown): boolean {
    const count = place & 15;
    const first = (place >>> 4) << 1;
    const size = this.slotFor(count + 1);
    if (count > 0 && this.slotFor(count) === size) {
      this.writeValue(first + count, value);
      this.writeKey(this.keyBits, first + count);
      this.publish(this.directory, map * 2, place + 1);
      return true;
    }
    const unit = this.takeSlot(size);
    if (unit < 0) return false;
    for (let i = 0; i < count; i++) this.copyEntry(first + i, unit * 2 + i);
    this.writeValue(unit * 2 + count, value);
    this.writeKey(this.keyBits, unit * 2 + count);
    this.publish(this.directory, map * 2, (unit << 4) | (count + 1));
    this.dropSlot(place);
    return true;
  }

  /** Takes an entry out of a map in line. `false` if there is no slot for those that stay: nothing was changed. */
  protected removeInline(map: number, place: number, entry: number): boolean {
    const count = place & 15;
    const first = (place >>> 4) << 1;
    const left = count - 1;
    const lane = entry - first;
    if (left > 0 && lane === left && this.slotFor(left) === this.slotFor(count)) {
      this.publish(this.directory, map * 2, place - 1);
      this.recycle();
    } else {
      let now = 0;
      if (left > 0) {
        const unit = this.takeSlot(this.slotFor(left));
        if (unit < 0) return false;
        for (let i = 0; i < left; i++) this.copyEntry(first + i + (i >= lane ? 1 : 0), unit * 2 + i);
        now = (unit << 4) | left;
      }
      this.publish(this.directory, map * 2, now);
      this.dropSlot(place);
    }
    if (this.trail.walked) this.trail.removed(map, lane);
    return true;
  }

  private copyEntry(from: number, to: number): void {
    const { keyBits, valueColumn } = this;
    (valueColumn as unknown as unknown[])[to] = valueColumn[from];
    if (this.wide) {
      keyBits[to * 2] = keyBits[from * 2]!;
      keyBits[to * 2 + 1] = keyBits[from * 2 + 1]!;
    } else {
      keyBits[to] = keyBits[from]!;
    }
  }

  // ---- slots

  /** Takes a slot of 2, 4 or 8 entries: its first unit; −1 if there is none. */
  protected takeSlot(size: number): number {
    const { head } = this;
    const list = size === 8 ? WORD.freeSlot8 : size === 4 ? WORD.freeSlot4 : WORD.freeSlot2;
    const free = head[list];
    if (free !== 0) {
      const unit = free - 1;
      const limit = this.valueColumn.length >>> 1;
      if (unit + (size >>> 1) > limit || (unit & ((size >>> 1) - 1)) !== 0) throw badList('slots');
      const next = this.slotLinks[(unit << this.slotLinkShift) >>> 1];
      if (next >>> 0 > limit) throw badList('slots');
      head[list] = next;
      return unit;
    }
    if (size === 8) {
      const used = head[WORD.blocksUsed];
      if (used >= this.valueColumn.length >>> 3) return -1;
      head[WORD.blocksUsed] = used + 1;
      return used * 4;
    }
    const unit = this.takeSlot(size * 2);
    if (unit >= 0) this.giveSlot(unit + (size >>> 1), size);
    return unit;
  }

  private giveSlot(unit: number, size: number): void {
    const { head } = this;
    const list = size === 8 ? WORD.freeSlot8 : size === 4 ? WORD.freeSlot4 : WORD.freeSlot2;
    this.slotLinks[(unit << this.slotLinkShift) >>> 1] = head[list]!;
    head[list] = unit + 1;
  }

  // ---- the table

  /** Positions that can still be taken. */
  protected positionsLeft(): number {
    const { head } = this;
    return (this.links.length >>> 2) - head[WORD.tableUsed] + head[WORD.tableFree];
  }

  /** Appends the key in flight, which the promoted map does not have. There is a position for it. */
  protected append(map: number, sentinel: number, value: unknown): void {
    const { head, links } = this;
    const used = head[WORD.tableUsed];
    const last = links[sentinel * 4 + PREV] >>> 0;
    if (sentinel >= used || last >= used) throw badList('links');
    const position = this.takePosition();
    const h = this.hash(map);
    this.writeKey(this.tableKeyBits, position);
    this.writeValue(TABLE + position, value);
    links[position * 4 + HASH] = h;
    links[position * 4 + PREV] = last;
    links[position * 4 + NEXT] = sentinel;
    links[position * 4 + OWNER_LINK] = map;
    this.index.enter(h, position);
    this.publish(links, last * 4 + NEXT, position);
    links[sentinel * 4 + PREV] = position;
    links[sentinel * 4 + HASH] = links[sentinel * 4 + HASH] + 1;
  }

  private takePosition(): number {
    const { head, links } = this;
    const free = head[WORD.freePosition];
    const used = head[WORD.tableUsed];
    if (free === 0) {
      if (used >= links.length >>> 2) throw badList('positions');
      this.publish(head, WORD.tableUsed, used + 1);
      return used;
    }
    const position = free - 1;
    const next = links[position * 4 + NEXT];
    if (position >= used || links[position * 4] !== NOBODY || next >>> 0 > used) throw badList('positions');
    head[WORD.freePosition] = next;
    head[WORD.tableFree] = head[WORD.tableFree] - 1;
    return position;
  }

  /** Removes an entry of a promoted map. */
  protected unlink(map: number, sentinel: number, position: number): void {
    const { head, links } = this;
    const used = head[WORD.tableUsed];
    const next = links[position * 4 + NEXT] >>> 0;
    const prev = links[position * 4 + PREV] >>> 0;
    if (next >= used || prev >= used || sentinel >= used) throw badList('links');
    const h = links[position * 4 + HASH];
    const passed = this.index.leave(h, position);
    this.publish(links, prev * 4 + NEXT, next);
    links[next * 4 + PREV] = prev;
    const count = links[sentinel * 4 + HASH];
    if (count !== 0) links[sentinel * 4 + HASH] = count - 1;
    this.index.countDown(h, passed);
    this.recycle();
    links[position * 4] = NOBODY;
    links[position * 4 + NEXT] = head[WORD.freePosition]!;
    head[WORD.freePosition] = position + 1;
    head[WORD.tableFree] = head[WORD.tableFree] + 1;
    if (this.trail.walked) this.trail.unlinked(map, position, prev);
  }

  /** The positions of a promoted map's sentinel and first entries, in order. */
  protected firstPositions(sentinel: number, count: number): number[] {
    const positions = [sentinel];
    for (let at = sentinel; positions.length <= count; positions.push(at))
      at = this.links[at * 4 + NEXT] >>> 0;
    return positions;
  }

  /** The entry after `position` of a promoted map; −1 at the end. */
  protected after(map: number, sentinel: number, position: number): number {
    const { links } = this;
    const used = Math.min(this.head[WORD.tableUsed], links.length >>> 2);
    if (position >= used) throw badList('links');
    const next = links[position * 4 + NEXT] >>> 0;
    if (next === sentinel) return -1;
    if (next >= used || links[next * 4] !== map) throw badList('links');
    return next;
  }

  /** How many entries a map has. */
  protected sizeOf(place: number): number {
    const count = place & 15;
    return count === PROMOTED ? this.links[(place >>> 4) * 4 + HASH] >>> 0 : count;
  }

  // ---- room

  /**
   * One native call that makes room for so many maps, blocks of slots, positions, strings and bytes of them. Throws
   * `ERR_OFFHEAP_FULL` or `ERR_OFFHEAP_OOM` with nothing changed.
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
      this.readopt();
    }
  }

  /** Gives up what is not in use. */
  protected fit(): void {
    native().smallmapFit(this.region.bytes);
    this.region.shrink(readLong(this.region.head, COMMON.lengthLow));
    this.readopt();
  }
}

function badList(what: string): Error {
  return corrupt('this arena', `a list of its ${what} leads nowhere`);
}
