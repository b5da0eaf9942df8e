/**
 * MmapVector: a vector whose elements are stored in a file, grow there in place, and survive
 * crashes up to the last `flush()`. `docs/formats/mmapvector.md` specifies the file, `table.ts` and
 * `vector-file.ts` the memory; all other operations are those of Vector.
 *
 * Cost: `push`, `at`: as Vector's, about 1 ns. Growth: an allocation of blocks, by half of the size
 * but at most 64 MiB. `flush`: one read of the new elements for their checksum, and one sync; two
 * for more than 4 MiB. Opening: three pages, whatever the size; after a crash also the elements
 * that the last flush added, if those were no more than 4 MiB; to write, a sync.
 */
import type { PathLike } from 'node:fs';
import { unlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { atWide, Elements, vectorTableOf } from '../elements/elements.js';
import { MAX_CAPACITY, VECTOR_TYPES } from '../elements/layout.js';
import type { VectorTable } from '../elements/table.js';
import { offheapError, typeError } from '../errors.js';
import { TYPE, TYPE_NAMES, type Column, type JsType, type NumericType } from '../region/element.js';
import { setTag } from '../region/face.js';
import { checkPath } from '../region/file.js';
import { booleanOption, checkInteger, choiceOption, describe, readOptions } from '../region/options.js';
import type { Token } from '../region/token.js';
import { Growth, GROWTH_OPTIONS, type MmapVectorOptions } from './growth.js';
import { identify } from './identity.js';
import { MmapVectorTable } from './table.js';
import { VectorFile } from './vector-file.js';

export interface MmapVectorOpenOptions extends MmapVectorOptions {
  /**
   * `'r'`, the default, reads the flushed elements, also while another handle writes. `'rw'`
   * appends.
   */
  mode?: 'r' | 'rw';
}

/** The options of {@link MmapVector.close}. */
export interface MmapVectorCloseOptions {
  /** Whether to flush elements that were not flushed yet. Default: true. */
  flush?: boolean;
}

/** The result of {@link MmapVector.stats}. Sizes are in bytes. */
export interface MmapVectorStats {
  path: string;
  type: NumericType;
  /** The number of elements, including those that were not flushed. */
  length: number;
  /** The number of elements that would be there after a crash now. */
  flushed: number;
  /** The number of elements that fit before the file grows. */
  capacity: number;
  recovered: boolean;
  writable: boolean;
  byteLength: number;
}

/**
 * A vector of numbers in a file.
 *
 * ```ts
 * using log = MmapVector.create('log.offheap', 'f64');
 * log.push(1, 2, 3);
 * await log.flush(); // from now on the three survive a killed process and a power failure
 * ```
 *
 * One handle writes; a second one is refused with `ERR_OFFHEAP_LOCKED`, in this process or another.
 * Any number of others read, and see elements as they are flushed.
 *
 * It has all operations of {@link Vector}, except that only flushed elements are shared: elements
 * are appended and dropped, and those that were not flushed yet can be changed. **Flushed elements
 * do not change**: `set`, `fill`, `sort` and `swapRemove` throw `ERR_OFFHEAP_UNSUPPORTED` for them.
 * Do not write to flushed elements through `view` either: nothing can stop that, and `validate()`
 * will report them as corrupt. `save` and `toBytes` produce a Vector's bytes.
 *
 * Errors, of every method: those of Vector; `ERR_OFFHEAP_UNSUPPORTED` for a change through a handle
 * that reads; `ERR_OFFHEAP_FULL` when the disk or a vector of fixed capacity is full;
 * `ERR_OFFHEAP_IO` when the disk fails, or another program truncated the file, which `flush`,
 * growth and all calls for many elements notice.
 */
export class MmapVector<T extends NumericType = NumericType> extends Elements<T> {
  readonly #table: MmapVectorTable;

  static {
    setTag(this.prototype, 'MmapVector');
  }

  /** @internal */
  constructor(file: VectorFile, growth: Growth) {
    // Users may be JavaScript.
    if (!(file instanceof VectorFile)) throw typeError('use MmapVector.create or MmapVector.open');
    const table = new MmapVectorTable(file, growth);
    super(table);
    this.#table = table;
  }

  /**
   * Creates a file with an empty vector. The file appears complete or not at all; throws
   * `ERR_OFFHEAP_IO` if `path` exists already.
   */
  static create<T extends NumericType>(path: PathLike, type: T, options?: MmapVectorOptions): MmapVector<T> {
    const target = resolve(checkPath(path));
    const code = TYPE[choiceOption({ type }, 'type', VECTOR_TYPES)];
    const growth = new Growth(readOptions(options, GROWTH_OPTIONS, 'MmapVector.create'));
    const file = VectorFile.create(target, code);
    try {
      return construct<T>(this, file, growth);
    } catch (error) {
      unlinkSync(target);
      throw error;
    }
  }

  /**
   * Opens the file of a vector in constant time. Throws `ERR_OFFHEAP_LOCKED` if it is opened to be
   * written and another handle writes it, `ERR_OFFHEAP_CORRUPT` or `ERR_OFFHEAP_VERSION` if its
   * contents are invalid.
   */
  static open<T extends NumericType = NumericType>(
    path: PathLike,
    options?: MmapVectorOpenOptions,
  ): MmapVector<T> {
    const target = resolve(checkPath(path));
    const read = readOptions(options, [...GROWTH_OPTIONS, 'mode'], 'MmapVector.open');
    const writable = read['mode'] !== undefined && choiceOption(read, 'mode', ['r', 'rw']) === 'rw';
    // Options that are refused leave no file open, and no lock on it.
    const growth = new Growth(read);
    return construct<T>(this, VectorFile.open(target, writable), growth);
  }

  /** Opens for reading the vector whose token another thread got from {@link MmapVector.share}. */
  static attach<T extends NumericType = NumericType>(token: Token): MmapVector<T> {
    const given: unknown = token;
    const { offheap, file } = (typeof given === 'object' && given !== null ? given : {}) as Partial<Token>;
    if (offheap !== 'vector' || typeof file?.path !== 'string') {
      throw typeError(`attach needs the token of an MmapVector, not ${describe(given)}`);
    }
    const vector = MmapVector.open.call(this, file.path) as MmapVector<T>;
    const { dev, ino } = identify(file.path);
    if (dev === file.dev && ino === file.ino) return vector;
    vector.close();
    throw offheapError('ERR_OFFHEAP_STALE', `${file.path} was replaced by another file after it was shared`);
  }

  /** Options for many gigabytes that are scanned: large steps, read ahead. */
  static largeDataset(): MmapVectorOptions {
    return { stepMin: 64 * 2 ** 20, stepMax: 2 ** 30, pattern: 'sequential' };
  }

  /** Options for data with random lookups: small steps, no reading ahead. */
  static cache(): MmapVectorOptions {
    return { stepMin: 64 * 2 ** 10, stepMax: 4 * 2 ** 20, pattern: 'random' };
  }

  /**
   * Options for writers that must not wait: room for `capacity` elements on pages that are already
   * allocated, and `ERR_OFFHEAP_FULL` after that.
   */
  static realTime(capacity: number): MmapVectorOptions {
    return { capacity: checkInteger(capacity, 'capacity', 0, MAX_CAPACITY), fixed: true, populate: true };
  }

  // ---- durability

  /**
   * Resolves when the elements that existed at the call are on the disk, where they are found after
   * the process is killed, or after a power failure as far as the device honors a sync. Runs off
   * the main thread; pushes may continue. Calls while a flush is under way share the next one.
   *
   * Rejects with `ERR_OFFHEAP_IO` if the disk fails. Then this handle cannot flush any more; open
   * the file again to see which elements it contains.
   */
  async flush(): Promise<void> {
    return this.#table.flush();
  }

  /** The same, on this thread. */
  flushSync(): void {
    this.#table.flushSync();
  }

  /** The number of elements that would be there after a crash now. */
  get flushed(): number {
    this.#table.beforeRead();
    return this.#table.flushedCount();
  }

  /** Whether opening found an incomplete flush, and fell back to the one before. */
  get recovered(): boolean {
    this.#table.beforeRead();
    return this.#table.file.recovered;
  }

  /**
   * For a handle that reads: makes elements visible that were flushed since, as `length` and reads
   * past the end do. Returns the length.
   */
  refresh(): number {
    const table = this.#table;
    return table.read(() => table.currentCount());
  }

  /** Compares the flushed elements with their checksum: O(bytes). Throws `ERR_OFFHEAP_CORRUPT`. */
  validate(): void {
    const table = this.#table;
    table.beforeRead();
    table.file.validate();
    table.file.check();
  }

  override at(index: number): JsType<T> | undefined {
    // The end of a reader may have moved.
    if (index < 0) this.#table.look();
    return super.at(index);
  }

  override get view(): Column<T> {
    this.#table.look();
    return super.view;
  }

  stats(): MmapVectorStats {
    const table = this.#table;
    const { file } = table;
    return table.read(() => ({
      path: file.path,
      type: TYPE_NAMES[table.code] as NumericType,
      length: table.currentCount(),
      flushed: table.flushedCount(),
      capacity: table.capacity,
      recovered: file.recovered,
      writable: file.writable,
      byteLength: table.region.bytes.byteLength,
    }));
  }

  /**
   * A token for other threads, which open the same file to read the flushed elements: {@link
   * MmapVector.attach}.
   */
  override share(): Token<'vector'> {
    return super.share();
  }

  /**
   * Flushes all elements, so that none is lost without a word, and closes the file. With `{ flush:
   * false }` only the flushes that were requested before are completed, and other elements are
   * lost. Views stay readable, as far as the file still contains their elements.
   *
   * If the flush fails, the file is closed all the same, and the error is thrown: `ERR_OFFHEAP_IO`.
   */
  override close(options?: MmapVectorCloseOptions): void {
    const read = readOptions(options, ['flush'], 'MmapVector.close');
    const flush = booleanOption(read, 'flush', true);
    try {
      this.#table.finish(flush);
    } finally {
      super.close();
    }
  }
}

/** A vector of bigints: see {@link atWide}. */
class WideMmapVector<T extends NumericType> extends MmapVector<T> {
  readonly #table: VectorTable;

  static {
    // Users see one class.
    Object.defineProperty(this.prototype, 'constructor', { value: MmapVector });
  }

  constructor(file: VectorFile, growth: Growth) {
    super(file, growth);
    this.#table = vectorTableOf(this);
  }

  override at(index: number): JsType<T> | undefined {
    return atWide(this.#table, index) as JsType<T> | undefined;
  }
}

/** Makes a vector of the class that a static method was called on, or closes the file. */
function construct<T extends NumericType>(called: unknown, file: VectorFile, growth: Growth): MmapVector<T> {
  const Class = (typeof called === 'function' ? called : MmapVector) as typeof MmapVector;
  const wide = file.type === TYPE.u64 || file.type === TYPE.i64;
  try {
    return wide && Class === MmapVector ? new WideMmapVector<T>(file, growth) : new Class<T>(file, growth);
  } catch (error) {
    file.close();
    throw error;
  }
}
