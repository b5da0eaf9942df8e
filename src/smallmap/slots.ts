/**
 * Inline maps: their entries, and the slots that store them (`docs/formats/smallmap.md`).
 * `native/core/src/smallmap/arena/write.rs` does the same, and tests compare the two byte for byte.
 *
 * Cost: all keys of a slot are compared without branching on the slot, because each misprediction
 * would discard the cache misses that are already in flight.
 */
import { TYPE, badElement, isElement } from '../region/element.js';
import type { AnyTypedArray } from '../region/typed-array.js';
import { GENERATIONS, WORD } from './layout.js';
import { badList, FREE, ArenaStore, type KeyBits } from './store.js';

/** Type codes used by hot code are module constants, because V8 folds those. */
const U32 = TYPE.u32;
const I32 = TYPE.i32;
const F64 = TYPE.f64;
const STRING = TYPE.string;
const MAPS_USED = WORD.mapsUsed;

/**
 * An entry's spot is an entry of the slot columns if it is below this, else this plus a position of
 * the table. −1: absent.
 */
export const TABLE = 2 ** 29;

/** Converts one float or bigint to its bits. */
const wideNumber = new Float64Array(1);
const wideInteger = new BigInt64Array(wideNumber.buffer);
const wideWords = new Int32Array(wideNumber.buffer);
const narrowNumber = new Float32Array(wideNumber.buffer);
const NAN_BITS = 0x7ff8000000000000n;
const NAN_WORD = 0x7fc00000;

export abstract class ArenaSlots extends ArenaStore {
  // ---- giving back

  /** Releases an inline map. */
  protected dropMap(map: number, place: number): void {
    const { head, directory } = this;
    const generation = directory[map * 2 + 1] + 1;
    this.epoch++;
    this.publish(directory, map * 2 + 1, generation | FREE);
    this.dropSlot(place);
    if (generation < GENERATIONS) {
      directory[map * 2] = head[WORD.freeMap]!;
      head[WORD.freeMap] = map + 1;
    } else {
      directory[map * 2] = 0; // retired, as the format specifies
    }
    head[WORD.maps] = head[WORD.maps] - 1;
  }

  /** Sets the generation of a new map. Used by copies. */
  protected renumber(map: number, generation: number): void {
    this.directory[map * 2 + 1] = generation;
  }

  /** Frees a new map so that its next generation is `generation`. Used by copies. */
  protected retire(map: number, generation: number): void {
    this.renumber(map, Math.max(0, generation - 1));
    this.dropMap(map, 0);
    if (generation === 0) this.renumber(map, FREE);
  }

  /** Frees the slot of a place that is no longer reachable. */
  protected dropSlot(place: number): void {
    const count = place & 15;
    if (count === 0) return;
    this.recycle();
    this.giveSlot(place >>> 4, this.slotFor(count));
  }

  // ---- keys and values

  /**
   * Stores the bits of a key in `low` and `high`. Returns `false` for a string that the arena does
   * not contain and therefore no map can. Throws if the key is not of the arena's type.
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

  /** Throws if a key or value is not of the arena's type. */
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
    // The common types are handled separately, so that each read sees one kind of array, whatever
    // other arenas store.
    const { valueType } = this;
    if (valueType === F64) return (this.valueColumn as Float64Array)[entry];
    if (valueType === U32) return (this.valueColumn as Uint32Array)[entry];
    if (valueType === I32) return (this.valueColumn as Int32Array)[entry];
    return this.otherValue(this.valueColumn, entry);
  }

  /** Replaces the value of a slot entry if one plain store suffices. Returns `false` otherwise. */
  protected replaceValue(entry: number, value: unknown): boolean {
    if (!this.plain || this.valueType !== F64 || typeof value !== 'number') return false;
    (this.valueColumn as Float64Array)[entry] = value;
    return true;
  }

  private otherValue(column: AnyTypedArray, at: number): unknown {
    const value = column[at];
    if (this.valueType === TYPE.bool) return value !== 0;
    return this.valueType === STRING ? this.strings!.text(value as number) : value;
  }

  /** Writes a value of the arena's type. Strings have been replaced by their ids. */
  protected writeValue(spot: number, value: unknown): void {
    const column = spot < TABLE ? this.valueColumn : this.tableValues;
    const at = spot < TABLE ? spot : spot - TABLE;
    if (this.valueType === F64) (column as Float64Array)[at] = value as number;
    else
      (column as unknown as unknown[])[at] = this.valueType === TYPE.bool ? (value === true ? 1 : 0) : value;
  }

  /** Writes the key in `low` and `high`. */
  protected writeKey(bits: KeyBits, at: number): void {
    if (this.wide) {
      bits[at * 2] = this.low;
      bits[at * 2 + 1] = this.high;
    } else {
      bits[at] = this.low;
    }
  }

  // ---- finding

  /**
   * The fast path of a lookup of a 4-byte key in an inline map. Returns the entry in the slot
   * columns, −1 if the key is absent, or −2 if the slow path has to decide (another key type, a
   * promoted map, a stale id, no direct access).
   *
   * Written out in full and without branches on the position of a key, so that the processor runs
   * ahead through the cache misses of several lookups. Lanes outside the map may match by accident,
   * so the result is masked to the lanes of the map.
   */
  protected locate(id: unknown, given: unknown): number {
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

  // ---- changing entries in line

  /**
   * Adds the key in `low` and `high`, which the inline map does not have. Returns `false`, with
   * nothing changed, if there is no free slot. The map must have fewer than 8 entries.
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

  /**
   * Removes an entry from an inline map. Returns `false`, with nothing changed, if there is no free
   * slot for the remaining entries.
   */
  protected removeInline(map: number, place: number, entry: number): boolean {
    const count = place & 15;
    const first = (place >>> 4) << 1;
    const left = count - 1;
    const lane = entry - first;
    this.epoch++;
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
    if (this.changes.enabled) this.changes.removed(map, lane);
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

  /** Allocates a slot of 2, 4 or 8 entries. Returns its first unit, or −1 if there is none. */
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
}
