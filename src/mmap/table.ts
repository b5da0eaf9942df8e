/**
 * The state of an MmapVector: its elements in memory, the file that they are mapped from, and the
 * commits that make them survive a crash.
 *
 * Elements below `sealed` are never overwritten, because the latest commit, or one that is under
 * way, guarantees them. If elements were dropped, a push in their place first commits the shorter
 * length. All elements of a reader are sealed.
 */
import { VectorTable } from '../elements/table.js';
import { MAX_CAPACITY } from '../elements/layout.js';
import { offheapError, rangeError } from '../errors.js';
import { WIDTHS } from '../region/element.js';
import { CLOSED, OWNER } from '../region/table.js';
import type { Token } from '../region/token.js';
import { identify } from './identity.js';
import type { Growth } from './growth.js';
import { Pages } from './pages.js';
import type { VectorFile } from './vector-file.js';

/** From this number on the count takes two stores, which native code performs. */
const MAX_PLAIN_COUNT = 2 ** 32 - 1;

export class MmapVectorTable extends VectorTable {
  readonly file: VectorFile;
  private readonly growth: Growth;
  private readonly pages: Pages;
  /** The number of elements that survive a crash. */
  private durable: number;
  /** The flush under way, and the one that begins when that has ended. */
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;
  /** Counts the commits on this thread, so that one in the background notices a faster one. */
  private commits = 0;
  /** The error of the commit that `close()` made for a flush under way. */
  private closingError: { error: unknown } | undefined;

  constructor(file: VectorFile, growth: Growth) {
    super(file.region);
    this.file = file;
    this.growth = growth;
    this.pages = new Pages(file, growth);
    this.durable = this.sealed = file.committed;
    this.becomeOwner(file.path);
    this.makeRoom(file.writable ? Math.max(file.committed, growth.capacity) : file.committed);
    this.setCount(file.committed);
  }

  // ---- flushing

  async flush(): Promise<void> {
    this.beforeWrite();
    this.file.check();
    if (this.running === undefined) return this.startFlush();
    this.next ??= this.running.then(ignore, ignore).then(() => this.startFlush());
    return this.next;
  }

  private startFlush(): Promise<void> {
    this.next = undefined;
    const done = this.commitInBackground().finally(() => (this.running = undefined));
    // The caller of flush() receives the error; `running` is only awaited for its end.
    done.catch(ignore);
    this.running = done;
    return done;
  }

  private async commitInBackground(): Promise<void> {
    if (this.isClosed) return this.throwClosingError();
    const count = this.currentCount();
    const { commits } = this;
    this.beginCommit(count);
    const finished = await this.file.commitAsync(count);
    if (this.isClosed) return this.throwClosingError();
    if (!finished) throw this.closedError();
    if (commits === this.commits) {
      this.durable = count;
      this.seal(count);
    }
    // The file may have been truncated while it was synced.
    this.file.check();
  }

  flushSync(): void {
    this.beforeWrite();
    this.file.check();
    const count = this.currentCount();
    this.beginCommit(count);
    this.file.commit(count);
    this.commits++;
    this.durable = count;
    this.seal(count);
    this.file.check();
  }

  private beginCommit(count: number): void {
    this.seal(Math.max(this.sealed, count));
    this.pages.beforeFlush(this.sealed, this.durable);
  }

  private seal(count: number): void {
    this.sealed = count;
    this.updateRoom();
  }

  /** The number of elements that would be there after a crash now. */
  flushedCount(): number {
    return this.file.writable ? this.durable : this.currentCount();
  }

  /**
   * Commits before closing: for the flushes that are under way, and, if `flush`, all elements that
   * were not flushed. Throws the error of the latter.
   */
  finish(flush: boolean): void {
    if (this.role === CLOSED || !this.file.writable) return;
    const unflushed = flush && this.currentCount() !== this.durable;
    if (this.running === undefined && !unflushed) return;
    try {
      this.file.commit(this.currentCount());
    } catch (error) {
      this.closingError = { error };
      // Flushes under way report it themselves.
      if (this.running === undefined) throw error;
    }
  }

  override close(): void {
    if (this.role === CLOSED) return;
    super.close();
    this.file.close();
  }

  /** For flushes that were under way at `close()`, which made a commit for them. */
  private throwClosingError(): void {
    if (this.closingError !== undefined) throw this.closingError.error;
  }

  // ---- reading and writing

  /** Lets a reader see the elements that were flushed since it last looked. */
  look(): void {
    if (this.role !== OWNER || this.file.writable) return;
    const committed = this.file.refresh();
    if (committed === this.count) return;
    if (committed > this.capacity) this.makeRoom(committed);
    this.durable = this.sealed = committed;
    this.setCount(committed);
  }

  override beforeRead(): void {
    super.beforeRead();
    this.look();
  }

  /** Then checks that the file was intact: pages that are gone read as zeros. */
  override read<R>(operation: () => R): R {
    this.look();
    const result = super.read(operation);
    this.file.check();
    return result;
  }

  override validCount(): number {
    this.look();
    return super.validCount();
  }

  override beforeWrite(): void {
    if (this.role !== CLOSED && !this.file.writable) {
      throw offheapError(
        'ERR_OFFHEAP_UNSUPPORTED',
        'this vector was opened with mode r: it can be read, not changed',
      );
    }
    super.beforeWrite();
  }

  override share(): Token<'vector'> {
    this.beforeRead();
    const { path } = this.file;
    return { offheap: 'vector', file: { path, mode: 'r', ...identify(path), size: 0, mtimeMs: 0 } };
  }

  override get byteLength(): number {
    this.beforeRead();
    // Without the address space before it in the buffer.
    return this.region.bytes.byteLength;
  }

  // ---- count and capacity

  override bindViews(what: string, direct: boolean): void {
    super.bindViews(what, direct);
    if (direct) this.updateRoom();
  }

  override setCount(count: number): void {
    super.setCount(count);
    this.updateRoom();
  }

  /** Computes how many elements fit where a push is a plain store. */
  private updateRoom(): void {
    if (this.role !== OWNER) return;
    const most = Math.min(this.capacity, this.growth.maxElements, MAX_PLAIN_COUNT);
    this.room = this.file.writable && this.count >= this.sealed ? most : 0;
  }

  override grow(count: number): void {
    // The latest commit guarantees the elements that would be overwritten.
    if (this.count < this.sealed) this.flushSync();
    if (count <= Math.min(this.capacity, this.growth.maxElements)) return;
    this.checkCapacity(count);
    this.file.check();
    const large = this.pages.isLarge(this.unflushedBytes(count));
    for (const wanted of this.growth.steps(this.capacity, count, WIDTHS[this.code], large)) {
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

  override resize(capacity: number): void {
    this.checkCapacity(capacity);
    this.file.check();
    this.makeRoom(capacity);
  }

  override reserve(capacity: number): void {
    super.reserve(capacity);
    // The capacity is rounded up, but the limit of a vector of fixed size is not.
    this.checkCapacity(capacity);
  }

  private checkCapacity(count: number): void {
    if (count > MAX_CAPACITY) throw rangeError(`a file cannot hold ${count} elements`);
    const { maxElements } = this.growth;
    if (count > maxElements) {
      throw offheapError(
        'ERR_OFFHEAP_FULL',
        `this vector has a fixed capacity of ${maxElements} elements, which ${count} exceed`,
      );
    }
  }

  /** Allocates blocks and pages for `count` elements in total; `needed` of them are stored soon. */
  private makeRoom(count: number, needed = count): void {
    const { file } = this;
    const before = Math.max(this.capacity, this.sealed) * WIDTHS[file.type];
    try {
      file.makeRoom(count);
    } finally {
      // After a refusal too: the buffer may have grown.
      this.region = file.region;
      this.rebindViews();
    }
    this.pages.added(before, this.unflushedBytes(needed));
  }

  /** Bytes stored since the last flush once there are `count` elements. */
  private unflushedBytes(count: number): number {
    return Math.max(0, count - this.durable) * WIDTHS[this.file.type];
  }
}

function ignore(): void {
  // The error is reported by the promise that flush() returned.
}
