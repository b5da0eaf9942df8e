/**
 * The interned strings of an arena: the heap stores each string once, and keys and values are
 * string ids (`docs/formats/smallmap.md`, "Strings"). `native/core/src/smallmap/arena/strings.rs`
 * is the same in Rust.
 *
 * Cost: a recently used string is found by comparing it with the one in its cache slot, about 4 ns;
 * any other string is encoded, hashed and probed for, 50 to 100 ns. The caches are dropped whenever
 * views are replaced, except for strings that survive a rearrangement by this thread: ids change
 * their meaning in no other way.
 */
import { Scratch, readBlob, type TextBuffer } from '../region/blob.js';
import { Buckets } from '../region/buckets.js';
import { corrupt, readLong, writeLong } from '../region/format.js';
import { badList, WORD } from './layout.js';

/** The number of cached strings per direction; a power of two. */
const CACHED = 4096;
const SLOT_SHIFT = 32 - Math.log2(CACHED);
/** Longer strings are not cached, so that the JavaScript heap does not fill up with them. */
export const LONGEST_CACHED = 128;
/** The bit that marks the ref of a free id. */
const FREE = 0x80000000 | 0;

/** Encodes the string of the current operation. It keeps nothing between operations. */
const scratch = new Scratch();

export class Strings {
  private readonly texts: (string | undefined)[];
  private readonly textIds: Int32Array;
  private readonly decoded: (string | undefined)[];
  private readonly decodedIds: Int32Array;
  private readonly seed0: number;
  private readonly seed1: number;

  constructor(
    private readonly head: Int32Array,
    private readonly index: Buckets,
    private readonly refs: Int32Array,
    private readonly heapWords: Int32Array,
    private readonly heapBytes: TextBuffer,
    private readonly published: boolean,
    private readonly steady: boolean,
    /**
     * The caches from before a rearrangement by this thread's own native call, which never assigns
     * an id to another string.
     */
    before?: Strings,
  ) {
    this.seed0 = head[WORD.seed0]!;
    this.seed1 = head[WORD.seed1]!;
    this.texts = before?.texts ?? new Array<string | undefined>(CACHED).fill(undefined);
    this.textIds = before?.textIds ?? new Int32Array(CACHED);
    this.decoded = before?.decoded ?? new Array<string | undefined>(CACHED).fill(undefined);
    this.decodedIds = before?.decodedIds ?? new Int32Array(CACHED).fill(-1);
    if (before !== undefined) this.evictDropped();
  }

  /**
   * Drops strings that the arena no longer contains: the rearrangement removed those that no entry
   * refers to.
   */
  private evictDropped(): void {
    const used = this.head[WORD.idsUsed];
    for (let slot = 0; slot < CACHED; slot++) {
      const textId = this.textIds[slot];
      if (textId >= used || this.refs[textId] < 0) this.texts[slot] = undefined;
      const id = this.decodedIds[slot];
      if (id < 0 || (id < used && this.refs[id] >= 0)) continue;
      this.decoded[slot] = undefined;
      this.decodedIds[slot] = -1;
    }
  }

  /** The id of a string, or −1 if the arena does not contain it. */
  find(text: string): number {
    const slot = cacheSlot(text);
    return this.texts[slot] === text ? this.textIds[slot] : this.search(text, slot);
  }

  private search(text: string, slot: number): number {
    scratch.string(text);
    const id = this.probe(scratch.hash(this.seed0, this.seed1));
    scratch.trim();
    if (id >= 0) this.cache(text, slot, id);
    return id;
  }

  private cache(text: string, slot: number, id: number): void {
    if (text.length > LONGEST_CACHED) return;
    this.texts[slot] = text;
    this.textIds[slot] = id;
    this.cacheDecoded(text, id);
  }

  /**
   * Decoded strings are cached only if no other thread can change the bytes: a read in a race may
   * return garbage.
   */
  private cacheDecoded(text: string, id: number): void {
    if (!this.steady) return;
    const slot = id & (CACHED - 1);
    this.decoded[slot] = text;
    this.decodedIds[slot] = id;
  }

  private probe(h: number): number {
    const used = this.head[WORD.idsUsed];
    for (let id = this.index.first(h); id >= 0; id = this.index.next()) {
      if (id < used && scratch.equals(this.heapWords, this.refs[id] >>> 0)) return id;
    }
    return -1;
  }

  /** The number of bytes that a string would take in the heap. */
  sizeOf(text: string): number {
    scratch.string(text);
    const { size } = scratch;
    scratch.trim();
    return size;
  }

  /**
   * The id of a string, which is created if necessary. Returns −1, with nothing changed, if there
   * is no room.
   */
  intern(text: string): number {
    const slot = cacheSlot(text);
    if (this.texts[slot] === text) return this.textIds[slot];
    scratch.string(text);
    const h = scratch.hash(this.seed0, this.seed1);
    let id = this.probe(h);
    if (id < 0) id = this.add(h);
    scratch.trim();
    if (id >= 0) this.cache(text, slot, id);
    return id;
  }

  /** Creates an id for the encoded string, whose hash is `h`. Returns −1 if there is no room. */
  private add(h: number): number {
    const { head, refs } = this;
    const free = head[WORD.freeId];
    const used = head[WORD.idsUsed];
    const heapUsed = readLong(head, WORD.heapUsedLow);
    if (heapUsed + scratch.size > this.heapWords.length * 4) return -1;
    const id = free === 0 ? used : free - 1;
    const next = free === 0 ? 0 : refs[id] & ~FREE;
    if (free !== 0) {
      if (id >= used || (refs[id] & FREE) === 0 || next > used) throw badList('strings');
    } else if (used >= refs.length) {
      return -1;
    }
    scratch.store(this.heapWords, heapUsed / 4);
    writeLong(head, WORD.heapUsedLow, heapUsed + scratch.size);
    if (free !== 0) head[WORD.freeId] = next;
    refs[id] = heapUsed / 4;
    if (free === 0) {
      if (this.published) Atomics.store(head, WORD.idsUsed, used + 1);
      else head[WORD.idsUsed] = used + 1;
    }
    this.index.enter(h, id);
    head[WORD.strings] = head[WORD.strings] + 1;
    return id;
  }

  /** The string with an id. Throws `ERR_OFFHEAP_CORRUPT` if there is none. */
  text(id: number): string {
    const slot = id & (CACHED - 1);
    if (this.decodedIds[slot] === id) return this.decoded[slot]!;
    return this.decode(id);
  }

  private decode(id: number): string {
    const ref = this.refs[id];
    if (ref === undefined || ref < 0 || id >= this.head[WORD.idsUsed]) {
      throw corrupt('the region', `string id ${id} is out of range`);
    }
    const text = readBlob(this.heapWords, this.heapBytes, ref, this.steady);
    if (typeof text !== 'string') throw corrupt('the region', `string ${id} is not text`);
    if (text.length <= LONGEST_CACHED) this.cacheDecoded(text, id);
    return text;
  }
}

/**
 * The cache slot of a string, from its length and up to six of its characters. The last four
 * distinguish numbered names, the first and the middle one distinguish other kinds.
 */
function cacheSlot(text: string): number {
  const { length } = text;
  if (length === 0) return 0;
  const last = length - 1;
  let h = Math.imul(text.charCodeAt(last), 33) + text.charCodeAt(Math.max(0, last - 1));
  h = Math.imul(h, 33) + text.charCodeAt(Math.max(0, last - 2));
  h = Math.imul(h, 33) + text.charCodeAt(Math.max(0, last - 3));
  h = Math.imul(h, 33) + text.charCodeAt(length >>> 1);
  h = Math.imul(h, 33) + text.charCodeAt(0) + length;
  return Math.imul(h, 0x9e3779b1) >>> SLOT_SHIFT;
}
