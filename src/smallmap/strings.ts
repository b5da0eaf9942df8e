/**
 * The strings of an arena: each stands once in the heap, and keys and values hold its id
 * (`docs/formats/smallmap.md`, "Strings"). `native/core/src/smallmap/arena/strings.rs` is the same
 * in Rust.
 *
 * Cost: a string that was looked up lately is found by comparing it with the one remembered in its
 * place, some 4 ns; any other is encoded, hashed and probed for, 50 to 100 ns. What is remembered
 * is forgotten whenever views are remade, but for the strings that stay where this thread
 * rearranged the region itself: ids change their meaning in no other way.
 */
import { Scratch, readBlob, type TextBuffer } from '../region/blob.js';
import { Buckets } from '../region/buckets.js';
import { corrupt, readLong, writeLong } from '../region/format.js';
import { WORD } from './layout.js';

/** How many strings are remembered each way; a power of two. */
const REMEMBERED = 4096;
const PLACE_SHIFT = 32 - Math.log2(REMEMBERED);
/** Longer strings are not: the JavaScript heap is not to fill with them. */
export const LONGEST_REMEMBERED = 128;
/** The bit of a free id's ref. */
const FREE = 0x80000000 | 0;

/** The string in flight; nothing stays in it between operations. */
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
     * What was remembered before this thread's own native call rearranged the region, which gives
     * no id another string.
     */
    before?: Strings,
  ) {
    this.seed0 = head[WORD.seed0]!;
    this.seed1 = head[WORD.seed1]!;
    this.texts = before?.texts ?? new Array<string | undefined>(REMEMBERED).fill(undefined);
    this.textIds = before?.textIds ?? new Int32Array(REMEMBERED);
    this.decoded = before?.decoded ?? new Array<string | undefined>(REMEMBERED).fill(undefined);
    this.decodedIds = before?.decodedIds ?? new Int32Array(REMEMBERED).fill(-1);
    if (before !== undefined) this.forgetDropped();
  }

  /** Forgets strings that the arena has no more: it took out those that no entry referred to. */
  private forgetDropped(): void {
    const used = this.head[WORD.idsUsed];
    for (let place = 0; place < REMEMBERED; place++) {
      const textId = this.textIds[place];
      if (textId >= used || this.refs[textId] < 0) this.texts[place] = undefined;
      const id = this.decodedIds[place];
      if (id < 0 || (id < used && this.refs[id] >= 0)) continue;
      this.decoded[place] = undefined;
      this.decodedIds[place] = -1;
    }
  }

  /** The id of a string, or −1. */
  find(text: string): number {
    const place = placeOf(text);
    return this.texts[place] === text ? this.textIds[place] : this.search(text, place);
  }

  private search(text: string, place: number): number {
    scratch.string(text);
    const id = this.probe(scratch.hash(this.seed0, this.seed1));
    scratch.trim();
    if (id >= 0) this.remember(text, place, id);
    return id;
  }

  private remember(text: string, place: number, id: number): void {
    if (text.length > LONGEST_REMEMBERED) return;
    this.texts[place] = text;
    this.textIds[place] = id;
    this.rememberDecoded(text, id);
  }

  /** Of what another thread may change, what was read may yet turn out to be nothing. */
  private rememberDecoded(text: string, id: number): void {
    if (!this.steady) return;
    const place = id & (REMEMBERED - 1);
    this.decoded[place] = text;
    this.decodedIds[place] = id;
  }

  private probe(h: number): number {
    const used = this.head[WORD.idsUsed];
    for (let id = this.index.first(h); id >= 0; id = this.index.next()) {
      if (id < used && scratch.equals(this.heapWords, this.refs[id] >>> 0)) return id;
    }
    return -1;
  }

  /** Bytes that a string would take in the heap. */
  sizeOf(text: string): number {
    scratch.string(text);
    const { size } = scratch;
    scratch.trim();
    return size;
  }

  /**
   * The id of a string, which is made if there is none; −1 if there is no room for it: nothing was
   * changed.
   */
  intern(text: string): number {
    const place = placeOf(text);
    if (this.texts[place] === text) return this.textIds[place];
    scratch.string(text);
    const h = scratch.hash(this.seed0, this.seed1);
    let id = this.probe(h);
    if (id < 0) id = this.add(h);
    scratch.trim();
    if (id >= 0) this.remember(text, place, id);
    return id;
  }

  /** Makes an id for the string in flight, whose hash is `h`; −1 if there is no room. */
  private add(h: number): number {
    const { head, refs } = this;
    const free = head[WORD.freeId];
    const used = head[WORD.idsUsed];
    const heapUsed = readLong(head, WORD.heapUsedLow);
    if (heapUsed + scratch.size > this.heapWords.length * 4) return -1;
    const id = free === 0 ? used : free - 1;
    const next = free === 0 ? 0 : refs[id] & ~FREE;
    if (free !== 0) {
      if (id >= used || (refs[id] & FREE) === 0 || next > used) throw badList();
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

  /** The string with an id. Throws `ERR_OFFHEAP_CORRUPT` where there is none. */
  text(id: number): string {
    const place = id & (REMEMBERED - 1);
    if (this.decodedIds[place] === id) return this.decoded[place]!;
    return this.decode(id);
  }

  private decode(id: number): string {
    const ref = this.refs[id];
    if (ref === undefined || ref < 0 || id >= this.head[WORD.idsUsed]) {
      throw corrupt('the region', `a string with id ${id}`);
    }
    const text = readBlob(this.heapWords, this.heapBytes, ref, this.steady);
    if (typeof text !== 'string') throw corrupt('the region', `string ${id} is none`);
    if (text.length <= LONGEST_REMEMBERED) this.rememberDecoded(text, id);
    return text;
  }
}

/**
 * Where a string is remembered: by its length and up to six of its characters. The last four tell
 * numbered names apart, the first and the middle one tell those of other kinds.
 */
function placeOf(text: string): number {
  const { length } = text;
  if (length === 0) return 0;
  const last = length - 1;
  let h = Math.imul(text.charCodeAt(last), 33) + text.charCodeAt(Math.max(0, last - 1));
  h = Math.imul(h, 33) + text.charCodeAt(Math.max(0, last - 2));
  h = Math.imul(h, 33) + text.charCodeAt(Math.max(0, last - 3));
  h = Math.imul(h, 33) + text.charCodeAt(length >>> 1);
  h = Math.imul(h, 33) + text.charCodeAt(0) + length;
  return Math.imul(h, 0x9e3779b1) >>> PLACE_SHIFT;
}

function badList(): Error {
  return corrupt('this arena', 'its list of free strings leads nowhere');
}
