/**
 * The memory of one structure: a buffer that contains a region (`docs/formats/region.md`), its
 * origin, its growth, and how a reader notices that it changed.
 *
 * - `heap`: owned by this thread, which writes to it. Small regions are in a plain
 *   `SharedArrayBuffer`: each growable one costs a memory mapping of its own, of which a process
 *   has about 65,000, and V8 aborts when they run out. From {@link GROWABLE_FROM} bytes on the
 *   buffer is growable and reserves address space, so that growth copies nothing and the base
 *   address stays the same. Beyond its reservation the region moves to a larger buffer. A structure
 *   may also place its region in a buffer of its own ({@link Region.laid}), which it grows itself.
 * - `attached`: another thread's heap region, read only.
 * - `file`: a mapped file, read only or copy-on-write; an external `ArrayBuffer`.
 *
 * V8 does not count shared buffers as memory, so nothing would make it collect those of structures
 * that a program dropped. Regions of at least {@link COUNTED_FROM} bytes are reported to it. A
 * region that is released, or moves to a smaller buffer, returns its pages at once, unless a view
 * or another thread may still use them.
 *
 * Cost: growth in place is a commit of pages; a move copies the region once.
 */
import { isSharedArrayBuffer } from 'node:util/types';
import { randomFillSync } from 'node:crypto';
import { outOfMemory } from '../errors.js';
import { native } from '../native.js';
import { FLAG_SUPERSEDED, HEADER_BYTES, HEADER_WORDS, WORD } from './format.js';

export type Origin = 'heap' | 'attached' | 'file';

/** Heap regions of at least this many bytes are growable buffers with reserved address space. */
export const GROWABLE_FROM = 65_536;
/** Regions of at least this size are advised to use huge pages, unless an option says otherwise. */
const HUGE_PAGES_FROM = 4 * 2 ** 20;
/** The size of a huge page. On systems with larger ones, or none, this value does no harm. */
const HUGE_PAGE = 2 ** 21;
/** A shared region that moves makes its readers attach again, so it reserves at least this much. */
const SHARED_RESERVATION = 2 ** 32 - 65_536;
/**
 * Extra bytes in a buffer in which the region starts at an aligned address. Windows aligns buffers
 * to 8 bytes.
 */
const SLACK = 64;
/** A region of 64 KiB or more reserves this many times its length. */
const RESERVE_FACTOR = 64;
/**
 * A region that has grown to the size of huge pages is likely to continue to grow, so it reserves
 * at least this much when it moves, and does not move again. To move a large region copies it, and
 * touches as many new pages.
 */
const GROWN_RESERVATION = 2 ** 30;
/**
 * A region that grows below that size reserves this many times its length, so that it moves when it
 * reaches that size, and starts with huge pages.
 */
const SMALL_RESERVE_FACTOR = 32;

/**
 * Growable buffers take two memory mappings each, and V8 ends the process, or crashes, if the
 * system refuses one. So all threads of the process together stay below these percentages of its
 * limit: above the first, structures that are not shared get plain buffers, which move to grow;
 * above the second, no structure can be shared, and no file mapped.
 */
export const MANY_MAPPINGS = 25;
export const MAX_MAPPINGS = 75;

/**
 * If the address space is limited (`ulimit -v`), this part of the limit is left for V8, which ends
 * the process if it cannot get more, and no reservation takes more than this part of the rest.
 */
const FREE_SPACE_SHARE = 1 / 4;
const RESERVATION_SHARE = 1 / 8;
/** The smallest reservation that is made instead of one for which address space is short. */
const SMALL_RESERVATION = 2 ** 20;

/** Regions of at least this size are reported to V8. Smaller ones would not repay the call. */
const COUNTED_FROM = 2 ** 20;
/** `OH_ADVICE_DISCARD` */
const DISCARD = 7;
/** Returning less than this costs more than the memory is worth. */
const RETURNED_FROM = 65_536;

/** The largest reservation that this runtime has not refused yet; the limit of Node 20 is 4 GiB. */
let reservationLimit = 2 ** 40;

/** How a heap region is placed. */
export interface Placement {
  /** `undefined`: advise huge pages from 4 MiB on. */
  hugePages: boolean | undefined;
  numaNode: number | undefined;
}

/** The placement that the system chooses. */
export const NO_PLACEMENT: Placement = { hugePages: undefined, numaNode: undefined };

export class Region {
  buffer: SharedArrayBuffer | ArrayBuffer;
  /**
   * A fixed-length view of the buffer from the region's first byte; replaced when the buffer
   * grows.
   */
  bytes!: Uint8Array;
  /** The header. */
  head!: Int32Array;
  /** True after a token was issued: from then on every store that publishes must be atomic. */
  shared = false;
  /** True after a view of the bytes was returned: the mapping then stays until it is collected. */
  exposed = false;
  /** True after a token of a heap region was issued: then other threads may read it for ever. */
  private issued = false;
  /** Whether the pages of the buffer may get advice; those of later growth join their mappings. */
  private placed = false;
  /** The bytes of the buffer that were reported to V8. */
  private counted = 0;
  /** For a file: word 0 is not zero after the mapped file was truncated. */
  readonly status: Int32Array | undefined;

  private constructor(
    readonly origin: Origin,
    buffer: SharedArrayBuffer | ArrayBuffer,
    readonly placement: Placement,
    /** The file of a mapped region. */
    readonly file: FileIdentity | undefined,
    status?: Int32Array,
    /** Whether the region starts at a multiple of 64; plain buffers do not ensure that. */
    private readonly aligned = false,
    /** The offset of the region in the buffer, if its structure chose one. */
    private readonly start = 0,
  ) {
    this.buffer = buffer;
    this.status = status;
    this.remake();
  }

  /**
   * A zeroed heap region of at least `length` bytes. With `aligned` it starts at an address that is
   * a multiple of 64, and therefore not always at the start of its buffer: respect the offset of
   * {@link Region.bytes}.
   */
  static allocate(length: number, placement: Placement, aligned = false): Region {
    const buffer = newBuffer(length, length * RESERVE_FACTOR, aligned);
    return new Region('heap', buffer, placement, undefined, undefined, aligned).begin();
  }

  /**
   * A zeroed heap region of exactly `length` bytes that never grows, and so can be shared as it is.
   * From 64 KiB on it starts at a page.
   */
  static fixed(length: number, placement: Placement): Region {
    const region = new Region('heap', newBuffer(length, length), placement, undefined);
    region.shared = true;
    return region.begin();
  }

  /**
   * A zeroed heap region of `length` bytes that grows in place up to `most` bytes, or to the limit
   * of the runtime (see `buffer.maxByteLength`), and never moves. So it can be shared as it is.
   * Throws `ERR_OFFHEAP_OOM`.
   */
  static growing(length: number, most: number, placement: Placement): Region {
    const region = new Region('heap', newBuffer(length, most, false, true), placement, undefined);
    region.shared = true;
    return region.begin();
  }

  static attached(buffer: SharedArrayBuffer): Region {
    return new Region('attached', buffer, NO_PLACEMENT, undefined);
  }

  static mapped(buffer: ArrayBuffer | SharedArrayBuffer, status: Int32Array, file: FileIdentity): Region {
    return new Region('file', buffer, NO_PLACEMENT, file, status);
  }

  /** A region from byte `start` of a buffer on, to its end. */
  static laid(buffer: SharedArrayBuffer, start: number): Region {
    const region = new Region('heap', buffer, NO_PLACEMENT, undefined, undefined, true, start);
    // The structure returns the pages itself.
    region.exposed = true;
    return region;
  }

  /** Places and counts a new heap region. */
  private begin(): this {
    this.placed = this.mayPlace(this.bytes.length);
    this.place(0);
    this.count();
    return this;
  }

  /** Whether the owner may write here: a heap region, or a copy-on-write mapping. */
  get writable(): boolean {
    return this.origin === 'heap' || this.file?.mode === 'rw';
  }

  /**
   * Makes the buffer hold at least `length` bytes: in place if its reservation allows, else by
   * moving the region to a larger buffer, which leaves the old one marked as superseded for readers
   * to see. Throws `ERR_OFFHEAP_OOM` with nothing changed.
   */
  ensure(length: number): void {
    const before = this.bytes.length;
    if (length <= before) return;
    if (this.origin === 'heap' && isGrowable(this.buffer) && length <= this.buffer.maxByteLength) {
      const placed = this.placed || this.mayPlace(length);
      this.lengthen(this.buffer, length);
      this.remake();
      this.placed = placed;
      this.place(before);
      this.count();
    } else {
      const buffer = newBuffer(length, this.reservation(length), this.aligned);
      const placed = this.mayPlace(length);
      if (isGrowable(buffer)) this.lengthen(buffer, length);
      this.moveTo(buffer, placed);
    }
  }

  /**
   * Readies a heap region for readers on other threads: gives it a large reservation, so that it
   * can grow under them. Costs one copy if it had a small one.
   */
  prepareToShare(): SharedArrayBuffer {
    if (!this.shared) {
      const { buffer } = this;
      const wanted = Math.min(SHARED_RESERVATION, reservationLimit);
      if (!isSharedArrayBuffer(buffer) || buffer.maxByteLength < wanted) {
        const length = Math.max(buffer.byteLength, 1);
        this.moveTo(newBuffer(length, Math.max(wanted, length * RESERVE_FACTOR), false, true));
      }
      this.shared = true;
    }
    this.issued = true;
    return this.buffer as SharedArrayBuffer;
  }

  /**
   * Replaces the buffer by one of `length` bytes, and keeps the first bytes. For shrinking. The
   * pages of the old buffer are returned at once, as by {@link Region.release}.
   */
  shrink(length: number): void {
    if (this.shared || this.origin !== 'heap' || length >= this.bytes.length) return;
    const { bytes, buffer, counted } = this;
    this.moveTo(newBuffer(length, length * RESERVE_FACTOR, this.aligned));
    if (this.exposed) return;
    returnPages(buffer, bytes, counted);
  }

  /**
   * Releases the memory. Views that were returned remain readable; those of a file keep its mapping
   * if {@link Region.exposed} was set, and otherwise become empty. The pages of a heap region are
   * returned at once if no view was returned and no token issued; otherwise the engine frees them
   * after the last view.
   */
  release(): void {
    const { buffer, bytes, origin, counted } = this;
    if (origin === 'heap' && !this.exposed && !this.issued) returnPages(buffer, bytes, counted);
    this.counted = 0;
    this.buffer = EMPTY;
    this.bytes = EMPTY_BYTES;
    this.head = CLOSED_HEAD;
    if (origin === 'file') native().fileUnmap(buffer);
  }

  private reservation(length: number): number {
    if (this.shared) return Math.max(SHARED_RESERVATION, length * 4);
    if (length < HUGE_PAGES_FROM) return length * SMALL_RESERVE_FACTOR;
    return Math.max(GROWN_RESERVATION, length * RESERVE_FACTOR);
  }

  /**
   * Grows a buffer to `length` bytes, and to the end of a huge page if it is to be backed by huge
   * pages. Memory that ends within a huge page has small pages there, which remain when it grows
   * further; a thousand of them at each doubling took as long as all huge pages.
   */
  private lengthen(buffer: SharedArrayBuffer, length: number): void {
    if (this.placement.hugePages ?? length >= HUGE_PAGES_FROM) {
      const first = native().alignmentGap(new Uint8Array(buffer), HUGE_PAGE);
      const whole = first + Math.ceil((length - first) / HUGE_PAGE) * HUGE_PAGE;
      try {
        buffer.grow(Math.min(whole, buffer.maxByteLength));
        return;
      } catch {
        // Less may suffice.
      }
    }
    try {
      if (length > buffer.byteLength) buffer.grow(length);
    } catch (cause) {
      throw refused(length, cause);
    }
  }

  private moveTo(buffer: SharedArrayBuffer, placed = this.mayPlace(buffer.byteLength)): void {
    const old = this.buffer;
    const oldHead = this.head;
    const mapped = this.file !== undefined;
    if (mapped) {
      // A mapped region that outgrew its file becomes an ordinary one.
      (this as { origin: Origin }).origin = 'heap';
      (this as { file: FileIdentity | undefined }).file = undefined;
      (this as { status: Int32Array | undefined }).status = undefined;
    }
    const from = this.bytes;
    this.buffer = buffer;
    this.counted = 0; // The old buffer keeps its count until it is collected.
    this.remake();
    this.placed = placed;
    this.place(0);
    this.count();
    this.bytes.set(from.length <= this.bytes.length ? from : from.subarray(0, this.bytes.length));
    if (this.shared) {
      // After the copy, so that the new region does not have the flag.
      Atomics.or(oldHead, WORD.flags, FLAG_SUPERSEDED);
      Atomics.add(oldHead, WORD.sequence, 2);
    } else if (mapped) {
      native().fileUnmap(old);
    }
  }

  /** Updates the views of a buffer that another thread, or the structure itself, made longer. */
  refresh(): void {
    if (this.start + this.bytes.length !== this.buffer.byteLength) this.remake();
  }

  private remake(): void {
    const { buffer } = this;
    const whole = new Uint8Array(buffer, this.start, buffer.byteLength - this.start);
    const slack = this.aligned && this.origin === 'heap' && !isGrowable(buffer) ? SLACK : 0;
    const gap = slack === 0 ? this.start : native().alignmentGap(whole, 64);
    // Exactly the requested length: a region that was cut off must be noticed.
    this.bytes = slack === 0 ? whole : new Uint8Array(buffer, gap, buffer.byteLength - slack);
    // The caller guarantees that files and attached buffers have at least this length.
    this.head = new Int32Array(buffer, gap, HEADER_WORDS);
  }

  /**
   * Whether a region of `length` bytes may get the advice for its pages. They then differ
   * from their neighbors, so the system splits the mapping. Throws `ERR_OFFHEAP_OOM` if
   * it cannot be bound to its NUMA node.
   */
  private mayPlace(length: number): boolean {
    const { hugePages, numaNode } = this.placement;
    if (numaNode === undefined && !(hugePages ?? length >= HUGE_PAGES_FROM)) return false;
    const asked = numaNode !== undefined || hugePages === true;
    if (native().mappingsReserve(2, asked ? MAX_MAPPINGS : MANY_MAPPINGS)) return true;
    if (numaNode !== undefined) throw refused(length, new Error(NO_MAPPINGS));
    return false;
  }

  /**
   * Applies the placement to the pages from byte `from` on, if allowed. They have not been touched
   * yet, so it takes effect.
   */
  private place(from: number): void {
    const { hugePages, numaNode } = this.placement;
    const length = this.buffer.byteLength;
    // From the start of the page that existed in part; 64 KiB are whole pages on every system.
    if (numaNode !== undefined) native().regionBind(this.bytes.subarray(from - (from % 65_536)), numaNode);
    if (this.placed && (hugePages ?? (length >= HUGE_PAGES_FROM && from < length))) {
      native().regionAdvise(this.bytes, true);
    }
  }

  /** Tells V8 how much memory the buffer of a heap region has. */
  private count(): void {
    const { buffer } = this;
    const bytes = buffer.byteLength < COUNTED_FROM ? 0 : buffer.byteLength;
    if (bytes === this.counted) return;
    native().memoryCount(buffer as SharedArrayBuffer, bytes);
    this.counted = bytes;
  }
}

/** The identity of a mapped file, to check whether a path still names it. */
export interface FileIdentity {
  path: string;
  mode: 'r' | 'rw';
  dev: number;
  ino: number;
  size: number;
  mtimeMs: number;
}

const NO_MAPPINGS = 'this process has used nearly all of its memory mappings';
const EMPTY = new ArrayBuffer(0);
const EMPTY_BYTES = new Uint8Array(EMPTY);
const CLOSED_HEAD = new Int32Array(HEADER_WORDS);

/**
 * Returns the pages of a buffer that no view and no other thread uses, except those of the header.
 * They then read as zeros.
 */
function returnPages(buffer: SharedArrayBuffer | ArrayBuffer, bytes: Uint8Array, counted: number): void {
  if (bytes.length >= RETURNED_FROM) native().memoryAdvise(bytes.subarray(HEADER_BYTES), DISCARD);
  if (counted > 0) native().memoryCount(buffer as SharedArrayBuffer, 0);
}

function isGrowable(buffer: SharedArrayBuffer | ArrayBuffer): buffer is SharedArrayBuffer {
  return isSharedArrayBuffer(buffer) && buffer.growable;
}

/**
 * A zeroed buffer of `length` bytes that can grow to about `reserve` without moving; unless
 * `needed`, only if it is large enough and the process has mappings left. A buffer that cannot grow
 * is longer by {@link SLACK} if the region is to be aligned in it.
 */
function newBuffer(length: number, reserve: number, aligned = false, needed = false): SharedArrayBuffer {
  const growable = needed || length >= GROWABLE_FROM;
  if (growable && native().mappingsReserve(2, needed ? MAX_MAPPINGS : MANY_MAPPINGS)) {
    const room = addressSpace();
    if (length <= room) return newGrowable(length, reserve, room);
    if (needed) throw refused(length, new Error('this process has used nearly all of its address space'));
  } else if (needed) throw refused(length, new Error(NO_MAPPINGS));
  try {
    return new SharedArrayBuffer(Math.max(length, HEADER_BYTES) + (aligned ? SLACK : 0));
  } catch (cause) {
    throw refused(length, cause);
  }
}

/** A growable buffer that reserves `reserve` bytes, or less if the runtime or `room` limits it. */
function newGrowable(length: number, reserve: number, room: number): SharedArrayBuffer {
  // Twice the length rather than most of the free space, which V8 needs.
  const least = Math.min(Math.max(length * 2, SMALL_RESERVATION), room);
  let wanted = Math.max(length, Math.min(reserve, reservationLimit));
  if (wanted > room * RESERVATION_SHARE) wanted = Math.max(length, Math.min(wanted, least));
  for (;;) {
    try {
      return new SharedArrayBuffer(length, { maxByteLength: wanted });
    } catch (cause) {
      if (wanted <= length) throw refused(length, cause);
      // Either the runtime has a limit, which is remembered, or address space is short.
      if (wanted > 2 ** 32) {
        wanted = Math.max(length, 2 ** 32 - 65_536);
        reservationLimit = Math.min(reservationLimit, wanted);
      } else wanted = wanted > least ? Math.max(length, least) : length;
    }
  }
}

/** How much address space a region may take; infinite if the system does not limit it. */
function addressSpace(): number {
  const [limit, left] = native().addressSpace();
  return limit === Infinity ? Infinity : Math.max(0, left - limit * FREE_SPACE_SHARE);
}

function refused(length: number, cause: unknown): Error {
  return outOfMemory('a region', length, cause);
}

/** Random bits for hash seeds, taken from the system a block at a time. */
export function randomSeed(): [number, number] {
  if (seedAt === seeds.length) {
    randomFillSync(seeds);
    seedAt = 0;
  }
  return [seeds[seedAt++], seeds[seedAt++]];
}
const seeds = new Int32Array(256);
let seedAt = seeds.length;
