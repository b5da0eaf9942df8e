/**
 * MappedFile: the bytes of a file, read or mapped by the strategy that suits its size.
 * `native/core/src/mmap/strategy.rs` chooses the strategy; this module allocates the memory that
 * the file is read into or mapped over.
 *
 * Memory: mapped files are in growable SharedArrayBuffers, which the engine reference-counts. So
 * slices stay valid after `close()` for as long as they are referenced, and the pages are unmapped
 * with the last of them.
 *
 * Truncation by another program: pages that are gone read as zeros, and the next operation here
 * throws `ERR_OFFHEAP_IO`. Code that reads `bytes` directly may use zeros before it notices: call
 * {@link MappedFile.check} after such reads, or open with `strategy: 'copy'`, which no other
 * program can affect.
 *
 * A small file that is only read holds no resources of the system: it is opened, read and closed at
 * once, and opened again by `refresh()`.
 */
import type { PathLike } from 'node:fs';
import { resolve } from 'node:path';
import { inspect, type InspectOptionsStylized } from 'node:util';
import { isUint8Array } from 'node:util/types';
import { markAsUntransferable } from 'node:worker_threads';
import { allocating, offheapError, rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { setTag } from '../region/face.js';
import { checkPath, withDirectoryCause } from '../region/file.js';
import { lengthOf, toNumbers, type NumberArray } from '../region/numbers.js';
import { MAX_MAPPINGS } from '../region/region.js';
import {
  booleanOption,
  checkInteger,
  choiceOption,
  describe,
  integerOption,
  readOptions,
} from '../region/options.js';
import { intrinsicBuffer, intrinsicOffset, refuseDetached } from '../region/typed-array.js';
import { Uncloneable } from '../region/uncloneable.js';
import { Cursor, type Source } from './cursor.js';
import { ADVICE, PATTERNS, WILL_NEED, type Pattern } from './pattern.js';

/** The way in which the bytes are accessed: the actual strategy, not the requested one. */
export type Strategy = 'buffered' | 'mmap' | 'hugepage' | 'copy';

/** By number, as in `offheap.h`. */
const STRATEGIES: readonly Strategy[] = ['buffered', 'mmap', 'hugepage', 'copy'];
const COPY = STRATEGIES.indexOf('copy');
const AUTO = 4;
/** How many bytes ahead of a sequential cursor the kernel is asked to read; renewed at half. */
const WINDOW = 8 * 2 ** 20;

export interface MappedFileOptions {
  /** `'r'`, the default: stores to `bytes` stay private. `'rw'`: stores reach the file. */
  mode?: 'r' | 'rw';
  /** The access pattern. Default: unknown. */
  pattern?: Pattern;
  /** Load all pages into memory before `open` returns. */
  populate?: boolean;
  /** Lock the pages in memory; throws `ERR_OFFHEAP_FULL` past the limit of the process. */
  lock?: boolean;
  /**
   * The strategy to use. Default: by size. `'hugepage'` becomes `'mmap'` if the system has no huge
   * pages for the file.
   */
  strategy?: Strategy;
  /** Files up to this size in bytes are read instead of mapped. */
  bufferedUpTo?: number;
  /** Huge pages are requested for files from this size in bytes on. */
  hugeFrom?: number;
}

const OPTIONS = [
  'mode',
  'pattern',
  'populate',
  'lock',
  'strategy',
  'bufferedUpTo',
  'hugeFrom',
] as const satisfies readonly (keyof MappedFileOptions)[];

/** The result of {@link MappedFile.stats}. */
export interface MappedFileStats {
  path: string;
  size: number;
  strategy: Strategy;
  pattern: Pattern;
  writable: boolean;
  locked: boolean;
}

/** The native handle of a file: opaque. */
type Handle = object & { readonly native: unique symbol };

/**
 * A file in memory.
 *
 * ```ts
 * using file = MappedFile.open('words.bin', { pattern: 'sequential' });
 * const cursor = file.cursor();
 * while (cursor.remaining > 0) console.log(cursor.readString());
 * ```
 *
 * Errors of every method: `ERR_OFFHEAP_CLOSED` after `close()`, `ERR_OFFHEAP_IO` if the file was
 * truncated or the system fails, `ERR_OFFHEAP_RANGE` for bytes outside the file.
 */
export class MappedFile extends Uncloneable {
  static {
    setTag(this.prototype, 'MappedFile');
  }
  declare readonly [Symbol.toStringTag]: string;

  #closed = false;
  /** The open file; undefined for a small file, which was read and closed at once. */
  #handle: Handle | undefined;
  readonly #path: string;
  /** The same path, independent of the working directory. */
  readonly #absolute: string;
  readonly #writable: boolean;
  readonly #requested: number;
  readonly #bufferedUpTo: number;
  readonly #hugeFrom: number;
  #pattern: Pattern;
  #strategy: Strategy = 'buffered';
  /** The bytes, and the functions that cursors need. */
  readonly #source: Source = {
    bytes: EMPTY,
    assertOpen: () => this.#assertOpen(),
    readAhead: (position) => this.#readAhead(position),
  };
  #locked = false;

  private constructor(path: string, options: MappedFileOptions | undefined) {
    super();
    const read = options === undefined ? NO_OPTIONS : readOptions(options, OPTIONS, 'MappedFile');
    this.#path = path;
    this.#writable = read.mode !== undefined && choiceOption(read, 'mode', ['r', 'rw']) === 'rw';
    this.#pattern = read.pattern === undefined ? 'unknown' : choiceOption(read, 'pattern', PATTERNS);
    const populate = booleanOption(read, 'populate', false);
    const lock = booleanOption(read, 'lock', false);
    this.#requested =
      read.strategy === undefined ? AUTO : STRATEGIES.indexOf(choiceOption(read, 'strategy', STRATEGIES));
    this.#bufferedUpTo = integerOption(read, 'bufferedUpTo', 0, Number.MAX_SAFE_INTEGER, 0);
    this.#hugeFrom = integerOption(read, 'hugeFrom', 0, Number.MAX_SAFE_INTEGER, 0);
    this.#absolute = path.startsWith('/') ? path : resolve(path);
    try {
      this.#load(false);
      if (populate) this.#touchPages();
      if (lock) this.lock();
    } catch (error) {
      this.close();
      throw withDirectoryCause(error, this.#absolute);
    }
  }

  /**
   * Opens a regular file. Cost: for small files the time to read them, otherwise some 20 µs,
   * whatever the size.
   */
  static open(path: PathLike, options?: MappedFileOptions): MappedFile {
    return new MappedFile(checkPath(path), options);
  }

  /** The way in which the bytes are accessed. */
  get strategy(): Strategy {
    this.#assertOpen();
    return this.#strategy;
  }

  /** The size of the file in bytes when it was opened or last refreshed. */
  get size(): number {
    this.#assertOpen();
    return this.#source.bytes.length;
  }

  /** All bytes, without a copy. They stay readable after `close()`. */
  get bytes(): Uint8Array {
    this.#assertOpen();
    return this.#source.bytes;
  }

  /** A part of the bytes, without a copy; it stays readable after `close()`. */
  slice(offset: number, length: number): Uint8Array {
    const [from, to] = this.#range(offset, length);
    this.check();
    return this.#source.bytes.subarray(from, to);
  }

  /**
   * Throws `ERR_OFFHEAP_IO` if the file is now shorter than its mapping, or if bytes that were read
   * had been lost. Call it before and after work on many bytes. A third of a microsecond.
   */
  check(): void {
    this.#assertOpen();
    if (this.#handle !== undefined) native().openfileCheck(this.#handle);
  }

  /**
   * Copies `length` bytes from each of many offsets, contiguously, to `out` or a new array. For
   * random reads: about ten times as fast as single reads, because the cache misses overlap. It
   * includes `check()`.
   *
   * Throws `ERR_OFFHEAP_RANGE`, with nothing written, if fewer bytes follow an offset, or `out` is
   * too small.
   */
  readMany(offsets: NumberArray | Iterable<number>, length: number, out?: Uint8Array): Uint8Array {
    // Reading the elements of an iterable runs user code, so everything else comes after it.
    const places = toNumbers(offsets, 'offsets');
    this.#assertOpen();
    const each = checkInteger(length, 'length', 0, Number.MAX_SAFE_INTEGER);
    if (out !== undefined) {
      if (!isUint8Array(out)) throw typeError(`out must be a Uint8Array, not ${describe(out)}`);
      refuseDetached(out, 'out');
    }
    const count = lengthOf(places);
    const bytes = count * each;
    const room = out === undefined ? bytes : lengthOf(out);
    if (room < bytes) throw rangeError(`out holds ${room} bytes, but ${bytes} are read`);
    const source = this.#source;
    // Before allocating memory for bytes that the file does not have.
    if (count > 0 && each > source.bytes.length) {
      throw rangeError(`cannot read ${each} bytes of a file of ${source.bytes.length}`);
    }
    const target = out ?? memory(bytes);
    this.check();
    const exactly = new Uint8Array(intrinsicBuffer(target), intrinsicOffset(target), bytes);
    native().memoryGather(source.bytes, places, each, exactly);
    this.check();
    return target;
  }

  /**
   * Asks the system to start reading a part of the file. Returns whether it accepted the request:
   * `false` if the bytes are in memory anyway.
   */
  prefetch(offset: number, length: number): boolean {
    const [from, to] = this.#range(offset, length);
    return this.#isMapped && native().memoryAdvise(this.#source.bytes.subarray(from, to), WILL_NEED);
  }

  /** Sets the access pattern from now on. Returns whether the system accepted the advice. */
  advise(pattern: Pattern): boolean {
    this.#assertOpen();
    this.#pattern = choiceOption({ pattern }, 'pattern', PATTERNS);
    return this.#isMapped && native().memoryAdvise(this.#source.bytes, ADVICE[this.#pattern]);
  }

  /**
   * Keeps the bytes in memory until `unlock()` or `close()`. Throws `ERR_OFFHEAP_FULL` past the
   * limit of the process for locked memory, and `ERR_OFFHEAP_OOM` if it has nearly used all of its
   * memory mappings, which locking splits.
   */
  lock(): void {
    this.#assertOpen();
    const { bytes } = this.#source;
    if (!this.#locked && !native().mappingsReserve(2, MAX_MAPPINGS)) {
      throw offheapError('ERR_OFFHEAP_OOM', 'this process has used nearly all of its memory mappings');
    }
    native().memoryLock(bytes);
    if (!this.#locked) LOCKED.set(bytes.buffer, (LOCKED.get(bytes.buffer) ?? 0) + 1);
    this.#locked = true;
  }

  /** Undoes {@link MappedFile.lock}. */
  unlock(): void {
    this.#assertOpen();
    if (this.#locked) unlockShared(this.#source.bytes);
    this.#locked = false;
  }

  /** The number of pages of the file that are in memory. */
  residentPages(): number {
    this.#assertOpen();
    return native().memoryResident(this.#source.bytes);
  }

  /**
   * Writes all stores to `bytes` to the disk. Throws `ERR_OFFHEAP_UNSUPPORTED` if the file was
   * opened with mode `r`.
   */
  flush(): void {
    this.#assertOpen();
    const handle = this.#handle;
    if (handle === undefined)
      throw offheapError('ERR_OFFHEAP_UNSUPPORTED', 'the file was opened with mode r');
    // A copy is written back completely; a mapping is the file.
    if (!this.#isMapped) native().openfileWrite(handle, this.#source.bytes);
    native().openfileSync(handle);
    this.check();
  }

  /**
   * Picks up that the file became longer or was rewritten: `bytes` then shows all of it. Slices
   * that were returned before keep their contents. Returns the size. If it throws, nothing has
   * changed.
   */
  refresh(): number {
    this.#assertOpen();
    const locked = this.#locked;
    const before = this.#source.bytes;
    this.#load(true);
    if (locked && this.#source.bytes !== before) {
      this.#locked = false;
      unlockShared(before);
      this.lock();
    }
    return this.#source.bytes.length;
  }

  /** A cursor at `position`, which reads numbers, varints and strings. */
  cursor(position = 0): Cursor {
    this.#assertOpen();
    return new Cursor(this.#source, position);
  }

  /** Reads ahead of a cursor's position. Returns the position at which to call it again. */
  #readAhead(position: number): number {
    this.check();
    const { bytes } = this.#source;
    if (!this.#isMapped || this.#pattern === 'random' || this.#pattern === 'unknown') return bytes.length;
    const to = Math.min(position + WINDOW, bytes.length);
    if (to > position) native().memoryAdvise(bytes.subarray(position, to), WILL_NEED);
    return to === bytes.length ? to : position + WINDOW / 2;
  }

  /** Figures for logs. Sizes are in bytes. */
  stats(): MappedFileStats {
    this.#assertOpen();
    return {
      path: this.#path,
      size: this.#source.bytes.length,
      strategy: this.#strategy,
      pattern: this.#pattern,
      writable: this.#writable,
      locked: this.#locked,
    };
  }

  /** Closes the file. Slices stay readable; every other operation throws. Idempotent. */
  close(): void {
    if (this.#closed) return;
    if (this.#locked) this.unlock();
    if (this.#handle !== undefined) native().openfileClose(this.#handle);
    this.#handle = undefined;
    this.#source.bytes = EMPTY;
    this.#closed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const name = options.stylize('MappedFile', 'special');
    if (this.#closed) return `${name} { closed }`;
    return `${name} ${inspect(this.stats(), options)}`;
  }

  get #isMapped(): boolean {
    return this.#strategy === 'mmap' || this.#strategy === 'hugepage';
  }

  #assertOpen(): void {
    if (this.#closed) throw offheapError('ERR_OFFHEAP_CLOSED', 'this file was closed');
  }

  #range(offset: number, length: number): [number, number] {
    this.#assertOpen();
    const { length: size } = this.#source.bytes;
    const from = checkInteger(offset, 'offset', 0, size);
    return [from, from + checkInteger(length, 'length', 0, size - from)];
  }

  /** Reads the file into new memory, or maps it; `again` queries its size again. */
  #load(again: boolean): void {
    this.#assertOpen();
    if (this.#handle !== undefined) {
      native().openfilePlan(this.#handle, again, FACTS);
    } else {
      const slab = currentSlab();
      const from = slabUsed;
      const opened = native().openfileOpen(
        this.#absolute,
        this.#writable,
        this.#requested,
        this.#bufferedUpTo,
        this.#hugeFrom,
        slab,
        from,
        FACTS,
      );
      if (typeof opened === 'number') {
        slabUsed = (from + opened + (SLAB_ALIGNMENT - 1)) & -SLAB_ALIGNMENT;
        this.#useContents(new Uint8Array(slab.buffer, from, opened));
        return;
      }
      if (isUint8Array(opened)) {
        this.#useContents(new Uint8Array(opened.buffer, opened.byteOffset, opened.byteLength));
        return;
      }
      this.#handle = opened as Handle;
    }
    this.#loadWith(this.#handle, again);
  }

  /** Uses contents that native code read at once. */
  #useContents(content: Uint8Array): void {
    this.#source.bytes = content;
    this.#strategy = this.#requested === COPY ? 'copy' : 'buffered';
  }

  /** Loads the file by the strategy in `FACTS`. */
  #loadWith(handle: Handle, again: boolean): void {
    const [size, strategy, alignment, page] = FACTS;
    const wanted = STRATEGIES[strategy];
    if (wanted === 'mmap' || wanted === 'hugepage') {
      if (again && this.#isMapped && size === this.#source.bytes.length && !native().openfileLost(handle))
        return;
      if (this.#map(handle, size, alignment, page)) return;
    }
    const content = memory(size);
    native().openfileRead(handle, content);
    native().openfileForget(handle);
    this.#source.bytes = content;
    this.#strategy = wanted === 'buffered' ? 'buffered' : 'copy';
  }

  /**
   * Maps the file into a new buffer; returns `false` where the runtime does not support that.
   * Besides the file, the buffer reserves room for aligning its start, and the page by which native
   * code knows that the buffer still exists.
   */
  #map(handle: Handle, size: number, alignment: number, page: number): boolean {
    if (!native().mappingsReserve(2, MAX_MAPPINGS)) return false;
    const slack = alignment > page ? alignment : 0;
    const whole = Math.ceil((size + slack) / page) * page;
    let buffer: SharedArrayBuffer;
    try {
      // The engine reserves whole pages, so these 8 bytes add one that no program reaches.
      buffer = new SharedArrayBuffer(size + slack, { maxByteLength: whole + 8 });
    } catch {
      return false;
    }
    const start = slack === 0 ? 0 : native().alignmentGap(new Uint8Array(buffer, 0, 1), alignment);
    const target = new Uint8Array(buffer, start, size);
    try {
      const advice = ADVICE[this.#pattern];
      this.#strategy = STRATEGIES[native().openfileMap(handle, target, whole + page - start, advice)]!;
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ERR_OFFHEAP_UNSUPPORTED') return false;
      throw error;
    }
    this.#source.bytes = target;
    return true;
  }

  /** Reads a byte of each page. */
  #touchPages(page = 4096): void {
    const { bytes: content } = this.#source;
    if (this.#isMapped) native().memoryAdvise(content, WILL_NEED);
    let sum = 0;
    for (let at = 0; at < content.length; at += page) sum += content[at];
    if (sum >= 0) this.check();
  }
}

const EMPTY = new Uint8Array(0);
const NO_OPTIONS = readOptions(undefined, OPTIONS, 'MappedFile');
/** Native code writes here, for a file: its size, the strategy, the alignment, the page size. */
const FACTS = new Float64Array(4);

/**
 * Small files are read into one shared buffer, as Node's own small Buffers are: a buffer per file
 * would cost more than reading. The shared buffer cannot be transferred. Files of up to an eighth
 * of its size are read into it.
 */
const SLAB_BYTES = 32 * 1024;
/** A cache line, and enough for any typed array. */
const SLAB_ALIGNMENT = 64;
let slab = EMPTY;
let slabUsed = 0;

/** The shared buffer, replaced when it is nearly full. */
function currentSlab(): Uint8Array<ArrayBuffer> {
  // A program may have detached it by `ArrayBuffer.prototype.transfer`.
  if (slab.length < SLAB_BYTES || slabUsed > SLAB_BYTES - SLAB_BYTES / 8) {
    slab = new Uint8Array(SLAB_BYTES);
    markAsUntransferable(slab.buffer);
    slabUsed = 0;
  }
  return slab;
}

/**
 * The number of files with locked bytes in a buffer. They may share pages, which the system unlocks
 * for all of them at once.
 */
const LOCKED = new WeakMap<ArrayBufferLike, number>();

/** Unlocks the bytes of a file that were locked. */
function unlockShared({ buffer }: Uint8Array): void {
  const others = LOCKED.get(buffer)! - 1;
  LOCKED.set(buffer, others);
  // The last one also unlocks pages that stayed locked for others.
  if (others === 0 && buffer.byteLength > 0) native().memoryUnlock(new Uint8Array(buffer));
}

function memory(size: number): Uint8Array {
  return allocating('the bytes of a file', size, () => new Uint8Array(size));
}
