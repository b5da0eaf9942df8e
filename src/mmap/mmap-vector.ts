/**
 * MmapVector: a vector whose elements lie in a file, grow there in place, and survive from one
 * `flush()` to the next. `docs/formats/mmapvector.md` specifies the file, `vector-file.ts` the
 * memory; what it can do otherwise is Vector's.
 *
 * Cost: `push`, `at`: as Vector's, about 1 ns. Growth: an allocation of blocks, by half of the size
 * but 64 MiB at the most. `flush`: a read of the new elements for their checksum, and one sync; two
 * for more than 4 MiB. Opening: three pages, whatever the size, and after a crash what the last
 * flush added, if that was no more than 4 MiB; to write, a sync.
 *
 * Elements below `sealed` are never stored to: the latest commit vouches for them, or one that is
 * under way. After some were dropped, a push in their place first commits the shorter length. Of a
 * reader, all elements are sealed.
 */
import { statSync, unlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { offheapError, rangeError, typeError } from '../errors.js';
import { TYPE, TYPE_NAMES, WIDTHS, type Column, type JsType, type NumericType } from '../region/element.js';
import { checkPath, ioError } from '../region/file.js';
import { checkInteger, choiceOption, describe, readOptions } from '../region/options.js';
import { CLOSED, OWNER } from '../region/table.js';
import type { Token } from '../region/token.js';
import { Elements } from '../vector/elements.js';
import { MAX_CAPACITY, VECTOR_TYPES } from '../vector/layout.js';
import { Growth, GROWTH_OPTIONS, type MmapVectorOptions } from './growth.js';
import { Pages } from './pages.js';
import { VectorFile } from './vector-file.js';

export interface MmapVectorOpenOptions extends MmapVectorOptions {
  /** `'r'`, the default: to read what was flushed, beside the writer perhaps. `'rw'`: to append. */
  mode?: 'r' | 'rw';
}

/** What {@link MmapVector.stats} tells. Sizes are in bytes. */
export interface MmapVectorStats {
  path: string;
  type: NumericType;
  /** Elements there are, those included that were not flushed. */
  length: number;
  /** Elements that would be there after a crash now. */
  flushed: number;
  /** Elements that fit before the file grows. */
  capacity: number;
  recovered: boolean;
  writable: boolean;
  byteLength: number;
}

/** Past so many elements the count takes two stores, which is native code's to do. */
const PLAIN_COUNT = 2 ** 32 - 1;

/**
 * A vector of numbers in a file.
 *
 * ```ts
 * using log = MmapVector.create('log.offheap', 'f64');
 * log.push(1, 2, 3);
 * await log.flush(); // from here on the three survive whatever happens to the process, or the power
 * ```
 *
 * One handle writes; a second is refused with `ERR_OFFHEAP_LOCKED`, in this process or another. Any
 * number of others read, and see what was flushed, as it is flushed.
 *
 * It has all of {@link Vector} but sharing of what was not flushed: elements are appended and
 * dropped, and those that were not flushed yet can be changed. **Flushed elements do not change**:
 * `set`, `fill`, `sort` and `swapRemove` throw `ERR_OFFHEAP_UNSUPPORTED` for them. Do not write to
 * flushed elements through `view` either: nothing can stop that, and `validate()` will find them
 * damaged. `save` and `toBytes` give a Vector's bytes.
 *
 * Errors, of every method: those of Vector; `ERR_OFFHEAP_UNSUPPORTED` for a change through a handle
 * that reads; `ERR_OFFHEAP_FULL` when the disk is full or the vector of fixed size;
 * `ERR_OFFHEAP_IO` when the disk refuses, or someone cut the file short, which `flush`, growth and
 * all calls for many elements notice.
 */
export class MmapVector<T extends NumericType = NumericType> extends Elements<T> {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'MmapVector', configurable: true });
  }

  private readonly file: VectorFile;
  private readonly growth: Growth;
  private readonly pages: Pages;
  /** Elements that survive a crash. */
  private durable: number;
  /** The flush under way, and the one that begins when that has ended. */
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;
  /** Commits made on this thread, by which one in the background sees that it was overtaken. */
  private commits = 0;
  /** Why the commit failed that `close()` made for a flush under way. */
  private failure: { error: unknown } | undefined;

  /** @internal */
  protected constructor(file: VectorFile, growth: Growth) {
    super(file.region);
    this.file = file;
    this.growth = growth;
    this.pages = new Pages(file, growth);
    this.durable = this.sealed = file.committed;
    this.becomeOwner(file.path);
    this.makeRoom(file.writable ? Math.max(file.committed, growth.capacity) : file.committed);
    this.setCount(file.committed);
  }

  /**
   * Makes a file with an empty vector. It appears whole or not at all; `ERR_OFFHEAP_IO` if
   * something is at `path` already.
   */
  static create<T extends NumericType>(path: string, type: T, options?: MmapVectorOptions): MmapVector<T> {
    const target = resolve(checkPath(path));
    const code = TYPE[choiceOption({ type }, 'type', VECTOR_TYPES)];
    const growth = new Growth(readOptions(options, GROWTH_OPTIONS, 'MmapVector.create'));
    const file = VectorFile.create(target, code);
    try {
      return MmapVector.over<T>(file, growth);
    } catch (error) {
      unlinkSync(target);
      throw error;
    }
  }

  /**
   * Opens the file of a vector: in constant time. `ERR_OFFHEAP_LOCKED` if it is to be written and
   * another handle has it, `ERR_OFFHEAP_CORRUPT` or `ERR_OFFHEAP_VERSION` for a file that makes no
   * sense.
   */
  static open<T extends NumericType = NumericType>(
    path: string,
    options?: MmapVectorOpenOptions,
  ): MmapVector<T> {
    const target = resolve(checkPath(path));
    const read = readOptions(options, [...GROWTH_OPTIONS, 'mode'], 'MmapVector.open');
    const writable = read['mode'] !== undefined && choiceOption(read, 'mode', ['r', 'rw']) === 'rw';
    // Refused options leave no file open, and no lock on it.
    const growth = new Growth(read);
    return MmapVector.over<T>(VectorFile.open(target, writable), growth);
  }

  private static over<T extends NumericType>(file: VectorFile, growth: Growth): MmapVector<T> {
    try {
      const wide = file.type === TYPE.u64 || file.type === TYPE.i64;
      return wide ? new WideMmapVector<T>(file, growth) : new MmapVector<T>(file, growth);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Opens, to read, the vector that another thread gave the token of: {@link MmapVector.share}. */
  static attach<T extends NumericType = NumericType>(token: Token): MmapVector<T> {
    const given: unknown = token;
    const { offheap, file } = (typeof given === 'object' && given !== null ? given : {}) as Partial<Token>;
    if (offheap !== 'vector' || typeof file?.path !== 'string') {
      throw typeError(`attach needs the token of an MmapVector, not ${describe(given)}`);
    }
    const vector = MmapVector.open<T>(file.path);
    const { dev, ino } = identify(file.path);
    if (dev === file.dev && ino === file.ino) return vector;
    vector.close();
    throw offheapError(
      'ERR_OFFHEAP_STALE',
      `${file.path} is not the file any more that it was when it was shared`,
    );
  }

  /** Options for many gigabytes that are scanned: large steps, read ahead. */
  static largeDataset(): MmapVectorOptions {
    return { stepMin: 64 * 2 ** 20, stepMax: 2 ** 30, pattern: 'sequential' };
  }

  /** Options for data that is looked up here and there: small steps, no reading ahead. */
  static cache(): MmapVectorOptions {
    return { stepMin: 64 * 2 ** 10, stepMax: 4 * 2 ** 20, pattern: 'random' };
  }

  /**
   * Options for writers that must not wait: room for `capacity` elements, on pages that are there,
   * and `ERR_OFFHEAP_FULL` past it.
   */
  static realTime(capacity: number): MmapVectorOptions {
    return { capacity: checkInteger(capacity, 'capacity', 0, MAX_CAPACITY), fixed: true, populate: true };
  }

  // ---- what a crash leaves

  /**
   * Resolves when the elements that there were at the call are on the disk, and will be found there
   * after the process is killed, or the power fails as far as the device honours a sync. Off the
   * main thread; pushes may go on meanwhile. Calls while one is under way share the next.
   *
   * Rejects with `ERR_OFFHEAP_IO` if the disk refuses. Then this handle can flush no more; opening
   * anew tells what is there.
   */
  async flush(): Promise<void> {
    this.beforeWrite();
    this.file.check();
    if (this.running === undefined) return this.flushNow();
    this.next ??= this.running.then(ignore, ignore).then(() => this.flushNow());
    return this.next;
  }

  private flushNow(): Promise<void> {
    this.next = undefined;
    const done = this.commitLater().finally(() => (this.running = undefined));
    // Whoever called flush() hears of a failure; this one is for those who wait for its end.
    done.catch(ignore);
    this.running = done;
    return done;
  }

  private async commitLater(): Promise<void> {
    if (this.isClosed) return this.checkClosing();
    const count = this.countNow();
    const { commits } = this;
    this.beginCommit(count);
    const finished = await this.file.commitAsync(count);
    if (this.isClosed) return this.checkClosing();
    if (!finished) throw this.closedError();
    if (commits === this.commits) {
      this.durable = count;
      this.seal(count);
    }
    // The file may have been cut off while it was synced.
    this.file.check();
  }

  /** The same, on this thread. */
  flushSync(): void {
    this.beforeWrite();
    this.file.check();
    this.commit();
    this.file.check();
  }

  private commit(): void {
    const count = this.countNow();
    this.beginCommit(count);
    this.file.commit(count);
    this.commits++;
    this.durable = count;
    this.seal(count);
  }

  private beginCommit(count: number): void {
    this.seal(Math.max(this.sealed, count));
    this.pages.beforeFlush(this.sealed, this.durable);
  }

  private seal(count: number): void {
    this.sealed = count;
    this.fit();
  }

  /** Elements that would be there after a crash now. */
  get flushed(): number {
    this.beforeRead();
    return this.file.writable ? this.durable : this.length;
  }

  /** Whether opening met a flush that was cut short, and fell back to the one before. */
  get recovered(): boolean {
    this.beforeRead();
    return this.file.recovered;
  }

  /**
   * For a handle that reads: takes in what was flushed since, as `length` and reads past the end
   * do. Returns the length.
   */
  refresh(): number {
    return this.read(() => this.countNow());
  }

  /** Compares the flushed elements with their checksum: O(bytes). Throws `ERR_OFFHEAP_CORRUPT`. */
  validate(): void {
    this.beforeRead();
    this.file.validate();
    this.file.check();
  }

  override at(index: number): JsType<T> | undefined {
    // The end of a reader may have moved.
    if (index < 0) this.look();
    return super.at(index);
  }

  override get length(): number {
    this.look();
    return super.length;
  }

  override get view(): Column<T> {
    this.look();
    return super.view;
  }

  stats(): MmapVectorStats {
    return this.read(() => ({
      path: this.file.path,
      type: TYPE_NAMES[this.code] as NumericType,
      length: this.countNow(),
      flushed: this.file.writable ? this.durable : this.countNow(),
      capacity: this.capacity,
      recovered: this.file.recovered,
      writable: this.file.writable,
      byteLength: this.region.bytes.byteLength,
    }));
  }

  override get byteLength(): number {
    this.beforeRead();
    // Not what stands before it in the buffer, which is address space.
    return this.region.bytes.byteLength;
  }

  /**
   * A token for other threads, which open the same file to read what was flushed: {@link
   * MmapVector.attach}.
   */
  override share(): Token<'vector'> {
    this.beforeRead();
    const { path } = this.file;
    return { offheap: 'vector', file: { path, mode: 'r', ...identify(path), size: 0, mtimeMs: 0 } };
  }

  /**
   * Closes the file, after the flushes that were asked for. What was not flushed is gone. Views
   * stay readable, as far as the file still holds their elements.
   */
  override close(): void {
    if (this.role === CLOSED) return;
    if (this.running !== undefined) {
      try {
        this.file.commit(this.countNow());
      } catch (error) {
        this.failure = { error };
      }
    }
    super.close();
    this.file.close();
  }

  /** For flushes that were under way at `close()`, which made a commit for them. */
  private checkClosing(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }

  // ---- elements

  override reserve(capacity: number): this {
    super.reserve(capacity);
    // What fits is rounded up, what was promised is not.
    this.checkCapacity(capacity);
    return this;
  }

  protected override bindViews(what: string, direct: boolean): void {
    super.bindViews(what, direct);
    if (direct) this.fit();
  }

  /** Works out how many elements fit where a push is a plain store. */
  private fit(): void {
    if (this.role !== OWNER) return;
    const most = Math.min(this.capacity, this.growth.most, PLAIN_COUNT);
    this.room = this.file.writable && this.count >= this.sealed ? most : 0;
  }

  protected override setCount(count: number): void {
    super.setCount(count);
    this.fit();
  }

  protected override beforeWrite(): void {
    if (this.role !== CLOSED && !this.file.writable) {
      throw offheapError(
        'ERR_OFFHEAP_UNSUPPORTED',
        'this vector was opened with mode r: it can be read, not changed',
      );
    }
    super.beforeWrite();
  }

  protected override beforeRead(): void {
    super.beforeRead();
    this.look();
  }

  /** A reader takes in what was flushed; and whoever read much looks whether it was there. */
  protected override read<R>(operation: () => R): R {
    this.look();
    const result = super.read(operation);
    this.file.check();
    return result;
  }

  /** For readers: takes in what was flushed since. */
  private look(): void {
    if (this.role !== OWNER || this.file.writable) return;
    const committed = this.file.refresh();
    if (committed === this.count) return;
    if (committed > this.capacity) this.makeRoom(committed);
    this.durable = this.sealed = committed;
    this.setCount(committed);
  }

  protected override grow(count: number): void {
    // The latest commit vouches for what would be overwritten.
    if (this.count < this.sealed) this.flushSync();
    if (count <= Math.min(this.capacity, this.growth.most)) return;
    this.checkCapacity(count);
    this.file.check();
    const much = this.pages.isMuch(this.unflushed(count));
    for (const wanted of this.growth.steps(this.capacity, count, WIDTHS[this.code], much)) {
      try {
        this.makeRoom(wanted, count);
        return;
      } catch (error) {
        // Where the disk is nearly full, less may still fit.
        const { code } = error as { code?: unknown };
        if (wanted === count || (code !== 'ERR_OFFHEAP_FULL' && code !== 'ERR_OFFHEAP_OOM')) throw error;
      }
    }
  }

  protected override resize(capacity: number): void {
    this.checkCapacity(capacity);
    this.file.check();
    this.makeRoom(capacity);
  }

  private checkCapacity(count: number): void {
    if (count > MAX_CAPACITY) throw rangeError(`no file holds ${count} elements`);
    if (count > this.growth.most) {
      throw offheapError(
        'ERR_OFFHEAP_FULL',
        `this vector holds ${this.growth.most} elements and was told not to grow`,
      );
    }
  }

  /** Blocks and pages for `count` elements in all, of which `needed` will be stored soon. */
  private makeRoom(count: number, needed = count): void {
    const { file } = this;
    const before = Math.max(this.capacity, this.sealed) * WIDTHS[file.type];
    try {
      file.makeRoom(count);
    } finally {
      // Also after a refusal: the buffer may have grown.
      this.region = file.region;
      this.rebindViews();
    }
    this.pages.laid(before, this.unflushed(needed));
  }

  /** Bytes that will have been stored since the last flush when there are `count` elements. */
  private unflushed(count: number): number {
    return Math.max(0, count - this.durable) * WIDTHS[this.file.type];
  }
}

/**
 * One of bigints, which reads by itself, so that V8 boxes no numbers of the others: see
 * `WideVector` in `src/vector/`.
 */
class WideMmapVector<T extends NumericType> extends MmapVector<T> {
  static {
    // To the outside there is one class.
    Object.defineProperty(this.prototype, 'constructor', { value: MmapVector });
  }

  protected override load(index: number): bigint {
    return this.loadWide(index);
  }

  override at(index: number): JsType<T> | undefined {
    const there = Number.isInteger(index) && index >= 0 && index < this.count;
    return (there ? this.load(index) : this.atElsewhere(index)) as JsType<T> | undefined;
  }
}

/** Which file this is, to tell whether a path still names it. */
function identify(path: string): { dev: number; ino: number } {
  try {
    const { dev, ino } = statSync(path);
    return { dev, ino };
  } catch (error) {
    throw ioError(`looking at ${path} failed`, error);
  }
}

function ignore(): void {
  // Heard elsewhere.
}
