/**
 * The memory of one structure: a buffer that holds a region (`docs/formats/region.md`), where it
 * came from, how it grows, and how a reader tells that it changed.
 *
 * - `heap`: ours to write. Small regions live in a plain `SharedArrayBuffer`: each growable one
 *   costs a memory mapping of its own, of which a process has about 65,000, and V8 aborts when they
 *   run out. From {@link GROWABLE_FROM} bytes on the buffer is growable and reserves address space,
 *   so growth copies nothing and the base address stays. Past its reservation the region moves to a
 *   larger buffer. A structure may also lay its region into a buffer of its own ({@link
 *   Region.laid}), which it grows by itself.
 * - `attached`: another thread's heap region, read only.
 * - `file`: a mapped file, read only or copy-on-write; an external `ArrayBuffer`.
 *
 * Cost: growth in place is a commit of pages; a move copies the region once.
 */
import { randomFillSync } from 'node:crypto';
import { outOfMemory } from '../errors.js';
import { native } from '../native.js';
import { FLAG_SUPERSEDED, HEADER_BYTES, HEADER_WORDS, WORD } from './format.js';

export type Origin = 'heap' | 'attached' | 'file';

/** Heap regions of at least this many bytes are growable buffers with reserved address space. */
export const GROWABLE_FROM = 65_536;
/** Regions from this size on are advised to use huge pages unless the user said otherwise. */
const HUGE_PAGES_FROM = 4 * 2 ** 20;
/**
 * A huge page. Where they are larger, or there are none, nothing is lost by taking them for this
 * size.
 */
const HUGE_PAGE = 2 ** 21;
/**
 * A shared region can not move without its readers attaching anew, so it reserves at least this
 * much.
 */
const SHARED_RESERVATION = 2 ** 32 - 65_536;
/**
 * Bytes more than asked for in a buffer that is aligned by where the region starts in it; Windows
 * aligns to 8.
 */
const SLACK = 64;
/** Address space asked for by a region of 64 KiB or more: this many times what it needs. */
const RESERVE_FACTOR = 64;
/**
 * What has grown to the size of huge pages is likely to grow on, so it reserves at least this much
 * when it moves, and stays. A region that moves when it is large copies much, and touches as many
 * new pages again.
 */
const GROWN_RESERVATION = 2 ** 30;
/**
 * What grows below that size reserves this many times what it needs: so it moves there, and begins
 * with huge pages.
 */
const SMALL_RESERVE_FACTOR = 32;

/**
 * Growable buffers take two memory mappings each, and V8 ends the process, or crashes, where the
 * system refuses one. So the process stays below these hundredths of what it may have, whichever of
 * its threads make them: past the first, structures that are not shared get plain buffers, which
 * move to grow; past the second, none can be shared, nor a file be mapped.
 */
const MANY_MAPPINGS = 25;
export const MAX_MAPPINGS = 75;

/** The largest reservation that this runtime has not refused yet; Node 20 stops at 4 GiB. */
let reservationLimit = 2 ** 40;

/** How a heap region is placed. */
export interface Placement {
  /** `undefined`: advise huge pages from 4 MiB on. */
  hugePages: boolean | undefined;
  numaNode: number | undefined;
}

/** Where the system puts a region by itself. */
export const NO_PLACEMENT: Placement = { hugePages: undefined, numaNode: undefined };

export class Region {
  buffer: SharedArrayBuffer | ArrayBuffer;
  /**
   * A fixed-length view of the buffer, from the region's first byte on; remade when the buffer
   * grows.
   */
  bytes!: Uint8Array;
  /** The header. */
  head!: Int32Array;
  /** True once a token was handed out: from then on every published store must be atomic. */
  shared = false;
  /**
   * True once someone was given a view of the bytes: a mapping stays then until that is collected.
   */
  exposed = false;
  /** For a file: word 0 is not zero once the file was lost under the mapping. */
  readonly status: Int32Array | undefined;

  private constructor(
    readonly origin: Origin,
    buffer: SharedArrayBuffer | ArrayBuffer,
    readonly placement: Placement,
    /** Where a mapped region came from, and which file that was. */
    readonly file: FileIdentity | undefined,
    status?: Int32Array,
    /**
     * Whether the region starts at a multiple of 64, which only growable buffers and files do by
     * themselves.
     */
    private readonly aligned = false,
    /** Where in the buffer the region starts, if its structure says so. */
    private readonly start = 0,
  ) {
    this.buffer = buffer;
    this.status = status;
    this.remake();
  }

  /**
   * A zeroed heap region of at least `length` bytes. With `aligned` it starts at an address that is
   * a multiple of 64, and so not always at the start of its buffer: go by the offset of {@link
   * Region.bytes}.
   */
  static allocate(length: number, placement: Placement, aligned = false): Region {
    const buffer = newBuffer(length, length * RESERVE_FACTOR, aligned);
    const region = new Region('heap', buffer, placement, undefined, undefined, aligned);
    region.place(0);
    return region;
  }

  /**
   * A zeroed heap region of exactly `length` bytes that never grows, and so can be shared as it is.
   * From 64 KiB on it begins at a page.
   */
  static fixed(length: number, placement: Placement): Region {
    const region = new Region('heap', newBuffer(length, length), placement, undefined);
    region.shared = true;
    region.place(0);
    return region;
  }

  /**
   * A zeroed heap region of `length` bytes that grows in place to `most` bytes, or to what the
   * runtime reserves, and never moves: `buffer.maxByteLength` tells. So it can be shared as it is.
   * Throws `ERR_OFFHEAP_OOM`.
   */
  static growing(length: number, most: number, placement: Placement): Region {
    const region = new Region('heap', newBuffer(length, most, false, true), placement, undefined);
    region.shared = true;
    region.place(0);
    return region;
  }

  static attached(buffer: SharedArrayBuffer): Region {
    return new Region('attached', buffer, NO_PLACEMENT, undefined);
  }

  static mapped(buffer: ArrayBuffer | SharedArrayBuffer, status: Int32Array, file: FileIdentity): Region {
    return new Region('file', buffer, NO_PLACEMENT, file, status);
  }

  /** A region from byte `start` of a buffer on, to its end. */
  static laid(buffer: SharedArrayBuffer, start: number): Region {
    return new Region('heap', buffer, NO_PLACEMENT, undefined, undefined, true, start);
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
      this.lengthen(this.buffer, length);
      this.remake();
      this.place(before);
    } else {
      const buffer = newBuffer(length, this.reservation(length), this.aligned);
      if (isGrowable(buffer)) this.lengthen(buffer, length);
      this.moveTo(buffer);
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
      if (!(buffer instanceof SharedArrayBuffer) || buffer.maxByteLength < wanted) {
        const length = Math.max(buffer.byteLength, 1);
        this.moveTo(newBuffer(length, Math.max(wanted, length * RESERVE_FACTOR), false, true));
      }
      this.shared = true;
    }
    return this.buffer as SharedArrayBuffer;
  }

  /** Replaces the buffer by one of `length` bytes, the first ones kept. For shrinking. */
  shrink(length: number): void {
    if (this.shared || this.origin !== 'heap' || length >= this.bytes.length) return;
    this.moveTo(newBuffer(length, length * RESERVE_FACTOR, this.aligned));
  }

  /**
   * Drops the memory. Views that were handed out stay readable, except those of a file: they become
   * empty, or read as zeros.
   */
  release(): void {
    const { buffer, origin } = this;
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
   * Makes a growable buffer hold `length` bytes, and end where a huge page does if it is to be
   * backed by such. Memory that ends within a huge page has small ones there, which stay when it
   * grows on; a thousand of them at each doubling took as long as all huge ones.
   */
  private lengthen(buffer: SharedArrayBuffer, length: number): void {
    if (this.placement.hugePages ?? length >= HUGE_PAGES_FROM) {
      const first = native().alignmentGap(new Uint8Array(buffer), HUGE_PAGE);
      const whole = first + Math.ceil((length - first) / HUGE_PAGE) * HUGE_PAGE;
      try {
        buffer.grow(Math.min(whole, buffer.maxByteLength));
        return;
      } catch {
        // Less may do.
      }
    }
    try {
      if (length > buffer.byteLength) buffer.grow(length);
    } catch (cause) {
      throw refused(length, cause);
    }
  }

  private moveTo(buffer: SharedArrayBuffer): void {
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
    this.remake();
    this.place(0);
    this.bytes.set(from.length <= this.bytes.length ? from : from.subarray(0, this.bytes.length));
    if (this.shared) {
      // After the copy, so that the new region does not say so of itself.
      Atomics.or(oldHead, WORD.flags, FLAG_SUPERSEDED);
      Atomics.add(oldHead, WORD.sequence, 2);
    } else if (mapped) {
      native().fileUnmap(old);
    }
  }

  /**
   * Takes in that the buffer became longer: that of another thread, or one that its structure
   * grows.
   */
  refresh(): void {
    if (this.start + this.bytes.length !== this.buffer.byteLength) this.remake();
  }

  private remake(): void {
    const { buffer } = this;
    const whole = new Uint8Array(buffer, this.start, buffer.byteLength - this.start);
    const slack = this.aligned && this.origin === 'heap' && !isGrowable(buffer) ? SLACK : 0;
    const gap = slack === 0 ? this.start : native().alignmentGap(whole, 64);
    // Not a byte more than was asked for: what is cut off must look so.
    this.bytes = slack === 0 ? whole : new Uint8Array(buffer, gap, buffer.byteLength - slack);
    // Regions that come from elsewhere are checked for this length before they get here.
    this.head = new Int32Array(buffer, gap, HEADER_WORDS);
  }

  /**
   * Advice on where pages go, for those from `from` on. They are not touched yet, so it takes
   * effect.
   */
  private place(from: number): void {
    const { hugePages, numaNode } = this.placement;
    const length = this.buffer.byteLength;
    // From the begin of the page that was there in part; 64 KiB are whole pages everywhere.
    if (numaNode !== undefined) native().regionBind(this.bytes.subarray(from - (from % 65_536)), numaNode);
    if (hugePages ?? (length >= HUGE_PAGES_FROM && from < length)) native().regionAdvise(this.bytes, true);
  }
}

/** Which file a mapping is of, to tell whether a path still names it. */
export interface FileIdentity {
  path: string;
  mode: 'r' | 'rw';
  dev: number;
  ino: number;
  size: number;
  mtimeMs: number;
}

const EMPTY = new ArrayBuffer(0);
const EMPTY_BYTES = new Uint8Array(EMPTY);
const CLOSED_HEAD = new Int32Array(HEADER_WORDS);

function isGrowable(buffer: SharedArrayBuffer | ArrayBuffer): buffer is SharedArrayBuffer {
  return buffer instanceof SharedArrayBuffer && buffer.growable;
}

/**
 * A zeroed buffer of `length` bytes that can grow to about `reserve` without moving; if not
 * `needed`, only if it is large enough and mappings are not short. One that can not grow is longer
 * by {@link SLACK} if the region is to be aligned in it.
 */
function newBuffer(length: number, reserve: number, aligned = false, needed = false): SharedArrayBuffer {
  const growable = needed || length >= GROWABLE_FROM;
  if (!growable || !native().mappingsReserve(2, needed ? MAX_MAPPINGS : MANY_MAPPINGS)) {
    if (needed) throw refused(length, new Error('this process has nearly all mappings that it may have'));
    try {
      return new SharedArrayBuffer(Math.max(length, HEADER_BYTES) + (aligned ? SLACK : 0));
    } catch (cause) {
      throw refused(length, cause);
    }
  }
  let wanted = Math.max(length, Math.min(reserve, reservationLimit));
  for (;;) {
    try {
      return new SharedArrayBuffer(length, { maxByteLength: wanted });
    } catch (cause) {
      if (wanted <= length) throw refused(length, cause);
      // Either the runtime has a limit, which holds from now on, or address space is short.
      const smaller = wanted > 2 ** 32 ? 2 ** 32 - 65_536 : wanted / 2;
      if (wanted > 2 ** 32) reservationLimit = Math.min(reservationLimit, smaller);
      wanted = Math.max(length, Math.floor(smaller));
    }
  }
}

function refused(length: number, cause: unknown): Error {
  return outOfMemory('a region', length, cause);
}

/** Random bits for hash seeds, drawn from the system a block at a time. */
export function randomSeed(): [number, number] {
  if (seedAt === seeds.length) {
    randomFillSync(seeds);
    seedAt = 0;
  }
  return [seeds[seedAt++], seeds[seedAt++]];
}
const seeds = new Int32Array(256);
let seedAt = seeds.length;
