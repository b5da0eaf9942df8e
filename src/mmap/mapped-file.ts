/**
 * MappedFile: the bytes of a file, in the way that suits its size.
 * `native/core/src/mmap/strategy.rs` decides which; here the memory is made, read into or mapped
 * over.
 *
 * Memory: mapped files lie in growable SharedArrayBuffers, of which the engine counts the users; so
 * slices stay valid after `close()` for as long as someone holds them, and the pages go with the
 * last.
 *
 * Truncation by someone else: what is gone reads as zeros, and the next operation here throws
 * `ERR_OFFHEAP_IO`. What can not be promised: that code which reads `bytes` directly notices before
 * it used zeros. Call {@link MappedFile.check} after such reads, or open with `strategy: 'copy'`,
 * which nothing can touch.
 *
 * A small file that is to be read holds nothing of the system: it is opened, read and closed at
 * once, and opened anew to be refreshed.
 */
import { resolve } from 'node:path';
import { inspect, type InspectOptionsStylized } from 'node:util';
import { markAsUntransferable } from 'node:worker_threads';
import { allocating, offheapError, rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { checkPath } from '../region/file.js';
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
import { intrinsicBuffer, intrinsicOffset } from '../region/typed-array.js';
import { Cursor, type Source } from './cursor.js';
import { ADVICE, PATTERNS, WILL_NEED, type Pattern } from './pattern.js';

/** How the bytes are reached: what was obtained, not what was asked for. */
export type Strategy = 'buffered' | 'mmap' | 'hugepage' | 'copy';

/** By number, as in `offheap.h`. */
const STRATEGIES: readonly Strategy[] = ['buffered', 'mmap', 'hugepage', 'copy'];
const COPY = STRATEGIES.indexOf('copy');
const AUTO = 4;
/** How far ahead of a sequential cursor the kernel is asked to read, in bytes, and how often. */
const WINDOW = 8 * 2 ** 20;

export interface MappedFileOptions {
  /** `'r'`, the default: to read; stores to `bytes` stay here. `'rw'`: stores reach the file. */
  mode?: 'r' | 'rw';
  /** How it will be read. Default: unknown. */
  pattern?: Pattern;
  /** Have all pages in memory before `open` returns. */
  populate?: boolean;
  /** Keep them there; `ERR_OFFHEAP_FULL` past the limit of the process. */
  lock?: boolean;
  /**
   * Use this one. Default: by size. `'hugepage'` becomes `'mmap'` where the system has no huge page
   * for the file.
   */
  strategy?: Strategy;
  /** Files up to so many bytes are read rather than mapped. */
  bufferedUpTo?: number;
  /** Files from so many bytes on are asked to use huge pages. */
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

/** What {@link MappedFile.stats} tells. */
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
 * Errors of every method: `ERR_OFFHEAP_CLOSED` after `close()`, `ERR_OFFHEAP_IO` where the file was
 * cut short or the system refuses, `ERR_OFFHEAP_RANGE` for bytes that are not there.
 */
export class MappedFile {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'MappedFile', configurable: true });
  }
  declare readonly [Symbol.toStringTag]: string;

  private closed = false;
  /** What is open: nothing, of a file that was read at once. */
  private handle: Handle | undefined;
  private readonly where: string;
  /** The same from any folder. */
  private readonly absolute: string;
  private readonly writable: boolean;
  private readonly wish: number;
  private readonly bufferedUpTo: number;
  private readonly hugeFrom: number;
  private plan: Pattern;
  private obtained: Strategy = 'buffered';
  /** The bytes, and what cursors ask of this file. */
  private readonly source: Source = {
    bytes: EMPTY,
    open: () => this.open(),
    ahead: (position) => this.ahead(position),
  };
  private locked = false;

  private constructor(path: string, options: MappedFileOptions | undefined) {
    const read = options === undefined ? NO_OPTIONS : readOptions(options, OPTIONS, 'MappedFile');
    this.where = path;
    this.writable = read.mode !== undefined && choiceOption(read, 'mode', ['r', 'rw']) === 'rw';
    this.plan = read.pattern === undefined ? 'unknown' : choiceOption(read, 'pattern', PATTERNS);
    const populate = booleanOption(read, 'populate', false);
    const lock = booleanOption(read, 'lock', false);
    this.wish =
      read.strategy === undefined ? AUTO : STRATEGIES.indexOf(choiceOption(read, 'strategy', STRATEGIES));
    this.bufferedUpTo = integerOption(read, 'bufferedUpTo', 0, Number.MAX_SAFE_INTEGER, 0);
    this.hugeFrom = integerOption(read, 'hugeFrom', 0, Number.MAX_SAFE_INTEGER, 0);
    this.absolute = path.startsWith('/') ? path : resolve(path);
    try {
      this.load(false);
      if (populate) this.touch();
      if (lock) this.lock();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Opens a regular file. Cost: for small files what reading them costs, else some 20 µs, whatever
   * the size.
   */
  static open(path: string, options?: MappedFileOptions): MappedFile {
    return new MappedFile(checkPath(path), options);
  }

  /** How the bytes are reached. */
  get strategy(): Strategy {
    this.open();
    return this.obtained;
  }

  /** Bytes of the file when it was opened or last refreshed. */
  get size(): number {
    this.open();
    return this.source.bytes.length;
  }

  /** All bytes, without a copy. They stay readable after `close()`. */
  get bytes(): Uint8Array {
    this.open();
    return this.source.bytes;
  }

  /** A part of the bytes, without a copy; it stays readable after `close()`. */
  slice(offset: number, length: number): Uint8Array {
    const [from, to] = this.range(offset, length);
    this.check();
    return this.source.bytes.subarray(from, to);
  }

  /**
   * Throws `ERR_OFFHEAP_IO` if the file is shorter now than what is mapped of it, or bytes that
   * were read were lost: for before and after work on many bytes. A third of a microsecond.
   */
  check(): void {
    this.open();
    if (this.handle !== undefined) native().openfileCheck(this.handle);
  }

  /**
   * Copies `length` bytes from each of many offsets, one after another, to `out` or a new array.
   * For reading here and there: about ten times as fast as one place after another, because the
   * waits for memory overlap, and `check()` comes with it.
   *
   * `ERR_OFFHEAP_RANGE`, with nothing written, for an offset that has fewer bytes behind it, or an
   * `out` that is too small.
   */
  readMany(offsets: NumberArray | Iterable<number>, length: number, out?: Uint8Array): Uint8Array {
    // Whose elements are asked for runs code of theirs, so all else comes after.
    const places = toNumbers(offsets, 'offsets');
    this.open();
    const each = checkInteger(length, 'length', 0, Number.MAX_SAFE_INTEGER);
    if (out !== undefined && !(out instanceof Uint8Array)) {
      throw typeError(`out must be a Uint8Array, not ${describe(out)}`);
    }
    const count = lengthOf(places);
    const bytes = count * each;
    const room = out === undefined ? bytes : lengthOf(out);
    if (room < bytes) throw rangeError(`out holds ${room} bytes where there are ${bytes}`);
    const { source } = this;
    // Before there is memory for what can not be read.
    if (count > 0 && each > source.bytes.length) {
      throw rangeError(`${each} bytes of a file of ${source.bytes.length}`);
    }
    const target = out ?? memory(bytes);
    this.check();
    const exactly = new Uint8Array(intrinsicBuffer(target), intrinsicOffset(target), bytes);
    native().memoryGather(source.bytes, places, each, exactly);
    this.check();
    return target;
  }

  /**
   * Has the system begin to read a part of the file. Whether it listened: `false` where the bytes
   * are in memory anyway.
   */
  prefetch(offset: number, length: number): boolean {
    const [from, to] = this.range(offset, length);
    return this.maps && native().memoryAdvise(this.source.bytes.subarray(from, to), WILL_NEED);
  }

  /** Says how the file will be read from now on. Whether the system listened. */
  advise(pattern: Pattern): boolean {
    this.open();
    this.plan = choiceOption({ pattern }, 'pattern', PATTERNS);
    return this.maps && native().memoryAdvise(this.source.bytes, ADVICE[this.plan]);
  }

  /**
   * Keeps the bytes in memory until `unlock()` or `close()`. `ERR_OFFHEAP_FULL` past the limit of
   * the process.
   */
  lock(): void {
    this.open();
    const { bytes } = this.source;
    native().memoryLock(bytes);
    if (!this.locked) LOCKED.set(bytes.buffer, (LOCKED.get(bytes.buffer) ?? 0) + 1);
    this.locked = true;
  }

  /** Undoes {@link MappedFile.lock}. */
  unlock(): void {
    this.open();
    if (this.locked) unlockShared(this.source.bytes);
    this.locked = false;
  }

  /** How many of the pages that the bytes lie on are in memory. */
  residentPages(): number {
    this.open();
    return native().memoryResident(this.source.bytes);
  }

  /**
   * Returns when what was stored to `bytes` is on the disk. `ERR_OFFHEAP_UNSUPPORTED` if it was
   * opened to be read.
   */
  flush(): void {
    this.open();
    const { handle } = this;
    if (handle === undefined) throw offheapError('ERR_OFFHEAP_UNSUPPORTED', 'the file was opened to be read');
    // A copy is written back whole; a mapping is the file.
    if (!this.maps) native().openfileWrite(handle, this.source.bytes);
    native().openfileSync(handle);
    this.check();
  }

  /**
   * Takes in that the file became longer, or was written anew: afterwards `bytes` shows all of it.
   * Slices that were handed out go on showing what they showed. Returns the size. Where it is
   * refused, all is as it was.
   */
  refresh(): number {
    this.open();
    const { locked } = this;
    const before = this.source.bytes;
    this.load(true);
    if (locked && this.source.bytes !== before) {
      this.locked = false;
      unlockShared(before);
      this.lock();
    }
    return this.source.bytes.length;
  }

  /** A cursor at `position`, which reads numbers, varints and strings. */
  cursor(position = 0): Cursor {
    this.open();
    return new Cursor(this.source, position);
  }

  /** Reads ahead of a cursor's position, and says at which one to be called again. */
  private ahead(position: number): number {
    this.check();
    const { bytes } = this.source;
    if (!this.maps || this.plan === 'random' || this.plan === 'unknown') return bytes.length;
    const to = Math.min(position + WINDOW, bytes.length);
    if (to > position) native().memoryAdvise(bytes.subarray(position, to), WILL_NEED);
    return to === bytes.length ? to : position + WINDOW / 2;
  }

  /** Plain facts, for logs. Sizes are in bytes. */
  stats(): MappedFileStats {
    this.open();
    const { where: path, obtained: strategy, plan: pattern, writable, locked } = this;
    return { path, size: this.source.bytes.length, strategy, pattern, writable, locked };
  }

  /** Closes the file. Slices stay readable; every other operation throws. Twice is fine. */
  close(): void {
    if (this.closed) return;
    if (this.locked) this.unlock();
    if (this.handle !== undefined) native().openfileClose(this.handle);
    this.handle = undefined;
    this.source.bytes = EMPTY;
    this.closed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const name = options.stylize('MappedFile', 'special');
    if (this.closed) return `${name} { closed }`;
    return `${name} ${inspect(this.stats(), options)}`;
  }

  private get maps(): boolean {
    return this.obtained === 'mmap' || this.obtained === 'hugepage';
  }

  private open(): void {
    if (this.closed) throw offheapError('ERR_OFFHEAP_CLOSED', 'this file was closed');
  }

  private range(offset: number, length: number): [number, number] {
    this.open();
    const { length: size } = this.source.bytes;
    const from = checkInteger(offset, 'offset', 0, size);
    return [from, from + checkInteger(length, 'length', 0, size - from)];
  }

  /** Reads the file, or maps it, into new memory; `again` asks for its size anew. */
  private load(again: boolean): void {
    this.open();
    if (this.handle !== undefined) {
      native().openfilePlan(this.handle, again, FACTS);
    } else {
      const { absolute, writable, wish, bufferedUpTo, hugeFrom } = this;
      const slab = currentSlab();
      const from = slabUsed;
      const opened = native().openfileOpen(
        absolute,
        writable,
        wish,
        bufferedUpTo,
        hugeFrom,
        slab,
        from,
        FACTS,
      );
      if (typeof opened === 'number') {
        slabUsed = (from + opened + (SLAB_ALIGNMENT - 1)) & -SLAB_ALIGNMENT;
        this.adopt(new Uint8Array(slab.buffer, from, opened));
        return;
      }
      if (opened instanceof Uint8Array) {
        this.adopt(new Uint8Array(opened.buffer, opened.byteOffset, opened.byteLength));
        return;
      }
      this.handle = opened as Handle;
    }
    this.loadBy(this.handle, again);
  }

  /** Takes what was read at once. */
  private adopt(content: Uint8Array): void {
    this.source.bytes = content;
    this.obtained = this.wish === COPY ? 'copy' : 'buffered';
  }

  /** By the plan that is in `FACTS`. */
  private loadBy(handle: Handle, again: boolean): void {
    const [size, strategy, alignment, page] = FACTS;
    const wanted = STRATEGIES[strategy];
    if (wanted === 'mmap' || wanted === 'hugepage') {
      if (again && this.maps && size === this.source.bytes.length && !native().openfileLost(handle)) return;
      if (this.map(handle, size, alignment, page)) return;
    }
    const content = memory(size);
    native().openfileRead(handle, content);
    native().openfileForget(handle);
    this.source.bytes = content;
    this.obtained = wanted === 'buffered' ? 'buffered' : 'copy';
  }

  /**
   * Lays the file into a buffer of ours; `false` where this runtime can not do that. The buffer
   * reserves, besides the file, what its start is moved for alignment, and the page that tells
   * native code that it is still there.
   */
  private map(handle: Handle, size: number, alignment: number, page: number): boolean {
    if (!native().mappingsReserve(2, MAX_MAPPINGS)) return false;
    const slack = alignment > page ? alignment : 0;
    const whole = Math.ceil((size + slack) / page) * page;
    let buffer: SharedArrayBuffer;
    try {
      // The engine reserves whole pages, so these 8 bytes are one, whose end no program reaches.
      buffer = new SharedArrayBuffer(size + slack, { maxByteLength: whole + 8 });
    } catch {
      return false;
    }
    const start = slack === 0 ? 0 : native().alignmentGap(new Uint8Array(buffer, 0, 1), alignment);
    const target = new Uint8Array(buffer, start, size);
    try {
      const advice = ADVICE[this.plan];
      this.obtained = STRATEGIES[native().openfileMap(handle, target, whole + page - start, advice)]!;
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ERR_OFFHEAP_UNSUPPORTED') return false;
      throw error;
    }
    this.source.bytes = target;
    return true;
  }

  /** Reads a byte of each page. */
  private touch(page = 4096): void {
    const { bytes: content } = this.source;
    if (this.maps) native().memoryAdvise(content, WILL_NEED);
    let sum = 0;
    for (let at = 0; at < content.length; at += page) sum += content[at];
    if (sum >= 0) this.check();
  }
}

const EMPTY = new Uint8Array(0);
const NO_OPTIONS = readOptions(undefined, OPTIONS, 'MappedFile');
/**
 * Where native code writes the plan for a file: its size, the strategy, the alignment, the size of
 * a page.
 */
const FACTS = new Float64Array(4);

/**
 * Small files that are read lie side by side in one buffer, as Node's own small Buffers do: one of
 * their own would cost more than the reading. It can not be transferred. Files up to an eighth of
 * it come here.
 */
const SLAB_BYTES = 32 * 1024;
/** Lines of the processor; and any view can be laid over the bytes. */
const SLAB_ALIGNMENT = 64;
let slab = EMPTY;
let slabUsed = 0;

/** The buffer, with room for what comes here. */
function currentSlab(): Uint8Array<ArrayBuffer> {
  // A program may have detached it, by `ArrayBuffer.prototype.transfer`: the others are not to
  // suffer.
  if (slab.length < SLAB_BYTES || slabUsed > SLAB_BYTES - SLAB_BYTES / 8) {
    slab = new Uint8Array(SLAB_BYTES);
    markAsUntransferable(slab.buffer);
    slabUsed = 0;
  }
  return slab;
}

/**
 * How many files have bytes of a buffer locked. They lie on the same pages, which the system
 * unlocks for all at once.
 */
const LOCKED = new WeakMap<ArrayBufferLike, number>();

/** For a file whose bytes were locked. */
function unlockShared({ buffer }: Uint8Array): void {
  const others = LOCKED.get(buffer)! - 1;
  LOCKED.set(buffer, others);
  // The last takes along what was left locked for it.
  if (others === 0 && buffer.byteLength > 0) native().memoryUnlock(new Uint8Array(buffer));
}

function memory(size: number): Uint8Array {
  return allocating('the bytes of a file', size, () => new Uint8Array(size));
}
