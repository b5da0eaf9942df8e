/**
 * The strings of an arena: each stands once in the heap, and keys and values hold its id
 * (`docs/formats/smallmap.md`, "Strings"). `native/core/src/smallmap/arena/strings.rs` is the same in Rust.
 *
 * Cost: a string that was looked up lately is found by comparing it with the one remembered in its place, some 4 ns; any
 * other is encoded, hashed and probed for, 50 to 100 ns. What is remembered is forgotten whenever views are remade: ids
 * change their meaning in no other way.
 */
import { Scratch, readBlob, type TextBuffer } from '../region/blob.js';
import { Buckets } from '../region/buckets.js';
import { corrupt, readLong, writeLong } from '../region/format.js';
import { WORD } from './layout.js';

/** How many strings are remembered each way; a power of two. */
const REMEMBERED = 1024;
/** Longer strings are not: the JavaScript heap is not to fill with them. */
const LONGEST = 128;
/** The bit of a free id's ref. */
const FREE = 0x80000000 | 0;

/** The string in flight; nothing stays in it between operations. */
const scratch = new Scratch();

export class Strings {
  private readonly texts = new Array<string | undefined>(REMEMBERED).fill(undefined);
  private readonly textIds = new Int32Array(REMEMBERED);
  private readonly decoded = new Array<string | undefined>(REMEMBERED).fill(undefined);
  private readonly decodedIds = new Int32Array(REMEMBERED).fill(-1);
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
  ) {
    this.seed0 = head[WORD.seed0]!;
    this.seed1 = head[WORD.seed1]!;
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
    if (id >= 0 && text.length <= LONGEST) {
      this.texts[place] = text;
      this.textIds[place] = id;
    }
    return id;
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

  /** Whether so many new strings of so many bytes in all fit. */
  fits(ids: number, bytes: number): boolean {
    const { head } = this;
    const left = this.refs.length - head[WORD.idsUsed];
    // The length of the list of free ids is not known: what is not in use may be in it.
    const free = head[WORD.freeId] === 0 ? 0 : head[WORD.idsUsed] - head[WORD.strings];
    return left + free >= ids && readLong(head, WORD.heapUsedLow) + bytes <= this.heapWords.length * 4;
  }

  /** The id of a string, which is made if there is none. There is room for it: {@link fits} said so. */
  intern(text: string): number {
    const known = this.find(text);
    if (known >= 0) return known;
    const { head, refs } = this;
    scratch.string(text);
    const h = scratch.hash(this.seed0, this.seed1);
    const free = head[WORD.freeId];
    const used = head[WORD.idsUsed];
    const heapUsed = readLong(head, WORD.heapUsedLow);
    let id = used;
    if (free !== 0) {
      id = free - 1;
      const next = refs[id] & ~FREE;
      if (id >= used || (refs[id] & FREE) === 0 || next > used) throw badList();
      scratch.store(this.heapWords, heapUsed / 4);
      writeLong(head, WORD.heapUsedLow, heapUsed + scratch.size);
      head[WORD.freeId] = next;
      refs[id] = heapUsed / 4;
    } else {
      if (used >= refs.length) throw badList();
      scratch.store(this.heapWords, heapUsed / 4);
      writeLong(head, WORD.heapUsedLow, heapUsed + scratch.size);
      refs[id] = heapUsed / 4;
      if (this.published) Atomics.store(head, WORD.idsUsed, used + 1);
      else head[WORD.idsUsed] = used + 1;
    }
    this.index.enter(h, id);
    head[WORD.strings] = head[WORD.strings] + 1;
    scratch.trim();
    return id;
  }

  /** The string with an id. Throws `ERR_OFFHEAP_CORRUPT` where there is none. */
  text(id: number): string {
    const place = id & (REMEMBERED - 1);
    if (this.decodedIds[place] === id) return this.decoded[place]!;
    return this.decode(id, place);
  }

  private decode(id: number, place: number): string {
    const ref = this.refs[id];
    if (ref === undefined || ref < 0 || id >= this.head[WORD.idsUsed]) {
      throw corrupt('the region', `a string with id ${id}`);
    }
    const text = readBlob(this.heapWords, this.heapBytes, ref, this.steady);
    if (typeof text !== 'string') throw corrupt('the region', `string ${id} is none`);
    // Of another thread's region what was read may yet turn out to be nothing.
    if (this.steady && text.length <= LONGEST) {
      this.decoded[place] = text;
      this.decodedIds[place] = id;
    }
    return text;
  }
}

/** Where a string is remembered: by its length and some of its characters. */
function placeOf(text: string): number {
  const { length } = text;
  if (length === 0) return 0;
  const h =
    Math.imul(text.charCodeAt(0), 31) +
    Math.imul(text.charCodeAt(length >>> 1), 37) +
    Math.imul(text.charCodeAt(length - 1), 101);
  return (h + Math.imul(length, 59)) & (REMEMBERED - 1);
}

function badList(): Error {
  return corrupt('this arena', 'its list of free strings leads nowhere');
}
