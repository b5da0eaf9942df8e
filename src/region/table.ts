/**
 * A region and its typed-array views, as one thread uses them: who may read and write the bytes,
 * and how they are shared, saved and released. The table object of every structure extends {@link
 * RegionTable}; the public class owns the table in a private field (see `structure.ts`).
 *
 * - An **owner** reads and writes directly; its reads need no check.
 * - A **reader** of another thread's region notes the region's sequence, reads, and retries if the
 *   owner rearranged the region in between (`docs/formats/region.md`, "Concurrency"). A reader that
 *   loses this race discards the result, or the error.
 * - A structure on a **file** is a reader too: truncating the file takes its pages away, which
 *   marks the mapping as lost. In mode `rw` the first change copies the region to memory, and the
 *   structure becomes its owner.
 *
 * # Recipe for a structure
 *
 * 1. Extend `RegionTable`. Implement `kind` and `label`; `bindViews`, which validates the header in
 *    constant time and creates all views; `dropViews`, which replaces them by empty ones; and
 *    `check`, the same validation for a region that was just copied out of a file. Override the
 *    optional hooks (`aligned`, `onCopiedToMemory`, `checkPortable`, `contents`) where they apply.
 * 2. Write the public class: `class X extends Structure` with a `readonly #table: XTable`, which it
 *    also passes to `super`. Single operations are methods of this class. Growth, bulk operations
 *    and iteration are modules of functions that take the table as their first argument.
 * 3. A constructor also accepts a {@link RegionSource} (an `@internal` overload) and passes it to
 *    `initialize`; without one it allocates a region and calls `becomeOwner`.
 * 4. Slow paths read through {@link RegionTable.read}, or call {@link RegionTable.beforeRead} where
 *    a read must not be repeated. Every change calls {@link RegionTable.beforeWrite} first, and
 *    {@link RegionTable.rebindViews} after the region moved or grew.
 *
 * A **fast path** must not test the role before every access: the test costs as much as the access.
 * Instead `bindViews` and `dropViews` set the fields of the fast path to values that make it fail
 * wherever direct access is not allowed, so that it falls through to the slow path: an index in
 * which nothing is found, a limit of 0, an offset of NaN. `bindViews` receives `direct: false` for
 * a reader. A fast path whose reads can be validated later may stay enabled for readers; it
 * must then return its result only if {@link RegionTable.readIsValid} confirms it. It must never
 * run user code or throw between the read and the confirmation.
 *
 * Members are public to the modules of a structure, and internal to the package.
 */
import type { PathLike } from 'node:fs';
import { allocating, offheapError } from '../errors.js';
import {
  checkPath,
  clearChecksum,
  readSaveOptions,
  writeChecksum,
  writeRegionFile,
  type SaveOptions,
} from './file.js';
import { corrupt, FLAG_SUPERSEDED, readLong, WORD, type Kind } from './format.js';
import { NO_PLACEMENT, Region } from './region.js';
import { shareRegion, type Token } from './token.js';

export const OWNER = 0;
export const READER = 1;
export const CLOSED = 2;
export type Role = typeof OWNER | typeof READER | typeof CLOSED;

/** How long a reader sleeps between two looks at a region that its owner is rearranging. */
const POLL_MS = 1;
/**
 * How long a reader waits for such a rearrangement to end, and how long it repeats a read that
 * rearrangements disturb. Mutable for tests.
 */
export const LIMITS = { waitMs: 30_000 };
const RETRY = Symbol('retry');
/**
 * Some processors reorder loads, so that an earlier load is overtaken by a later atomic one. A
 * store-release between them, followed by a load-acquire, is the barrier that JavaScript has. x86
 * keeps loads in order.
 */
const REORDERS_LOADS = process.arch !== 'x64' && process.arch !== 'ia32';
const FENCE = new Int32Array(new SharedArrayBuffer(4));
/** The watched words of structures that no other thread writes, and of closed ones. */
const NO_GUARD = Int32Array.of(-1);

/** The condition of a structure; only the contents of an open one can be read. */
export type State = 'open' | 'closed' | 'lost' | 'stale';

/** An existing region, for the constructor of the structure that it contains. */
export class RegionSource {
  /** Whether a structure was made of it; see `constructing` in `face.ts`. */
  consumed = false;

  constructor(
    readonly region: Region,
    /** Whether this thread owns the bytes; if not, they are those of a file or another thread. */
    readonly owner: boolean,
    /** The name of the bytes in error messages. */
    readonly what: string,
  ) {}
}

/** See the top of this file. */
export abstract class RegionTable<K extends Kind = Kind> {
  role: Role = OWNER;
  region: Region;
  /** Whether other threads may be reading, so that stores that publish must be atomic. */
  hasReaders = false;
  /**
   * Whether only this thread can change the bytes: false for another thread's region, a shared one,
   * and a file.
   */
  exclusive = false;
  /** Has the word that a reader watches: the sequence, or the status of a mapped file. */
  private watchedWords: Int32Array = NO_GUARD;
  private watchedIndex = 0;
  /**
   * The value of the watched word for which the views are valid: the sequence at which they were
   * made, or 0 for a file that is intact.
   */
  private validSequence = 0;

  constructor(region: Region) {
    this.region = region;
  }

  /** The name of this structure in tokens and headers. A getter of the prototype. */
  abstract get kind(): K;
  /** The name of this structure in messages: `map`, `vector`. A getter of the prototype. */
  abstract get label(): string;

  /**
   * Validates the header, takes the shape from it, and creates all views. `direct` is false for a
   * reader: fast paths that do not revalidate their reads must stay disabled. `what` names the
   * bytes in errors.
   */
  abstract bindViews(what: string, direct: boolean): void;
  /** Replaces all views by empty ones, so that no read reaches memory that was released. */
  abstract dropViews(): void;
  /** The constant-time validation of a region that was just copied out of a file. */
  abstract check(region: Region, length: number, what: string): void;
  /**
   * Whether regions start at multiples of 64, for structures that respect the offset of {@link
   * Region.bytes}.
   */
  get aligned(): boolean {
    return false;
  }
  /** Transfers state that this object keeps outside the bytes to a region copied from a file. */
  onCopiedToMemory?(region: Region): void;
  /** Throws `ERR_OFFHEAP_UNSUPPORTED` if the structure cannot leave this thread. */
  checkPortable(): void {
    // Most structures can.
  }
  /**
   * A value that is deeply equal to that of another structure exactly if the two have equal
   * contents. By default the region's bytes.
   */
  contents(): unknown {
    return this.snapshot(false);
  }

  /** Uses the region as its owner. */
  becomeOwner(what: string): void {
    this.role = OWNER;
    this.hasReaders = this.region.shared;
    this.exclusive = !this.hasReaders;
    this.bindViews(what, true);
  }

  /** Uses the region for reading only. */
  becomeReader(what: string): void {
    this.role = READER;
    do this.validSequence = this.waitUntilStable();
    while (this.refreshViews(this.validSequence, what) === RETRY);
    const { status, head } = this.region;
    this.watchedWords = status ?? head;
    this.watchedIndex = status === undefined ? WORD.sequence : 0;
  }

  /** For constructors: uses an existing region. */
  initialize(source: RegionSource): void {
    source.consumed = true;
    if (source.owner) this.becomeOwner(source.what);
    else this.becomeReader(source.what);
  }

  // ---- reading

  /**
   * Before a read that validates its result by itself, or that must not be repeated: throws if the
   * structure cannot be read.
   */
  beforeRead(): void {
    if (this.role !== OWNER) this.beginRead();
  }

  /**
   * Repeats a read until no rearrangement came in between. `operation` must not run user code, nor
   * change anything that a repetition would change again. Throws `ERR_OFFHEAP_LOCKED` if
   * rearrangements disturb it for half a minute.
   */
  read<T>(operation: () => T): T {
    if (this.role === OWNER) return operation();
    for (let begun = 0; ;) {
      const sequence = this.beginRead();
      try {
        const result = operation();
        if (this.unchanged(sequence)) return result;
      } catch (error) {
        // Bytes that are being moved can look corrupt; the error counts only if they were not.
        if (this.unchanged(sequence)) throw error;
      }
      // A read can take longer than an owner leaves between two rearrangements, every time.
      const now = performance.now();
      if (begun === 0) begun = now;
      else if (now - begun > LIMITS.waitMs) throw this.disturbedError();
    }
  }

  private disturbedError(): Error {
    return offheapError(
      'ERR_OFFHEAP_LOCKED',
      `the owner of this ${this.label} rearranges it faster than it can be read; read less at once`,
    );
  }

  /**
   * Whether the values that a reader just read are valid: the region was not rearranged since its
   * views were created, and its file is intact. The sequence only increases, so checking it once
   * after the reads is enough.
   */
  readIsValid(): boolean {
    return this.loadAfterReads(this.watchedWords, this.watchedIndex) === this.validSequence;
  }

  /**
   * Loads a word after all earlier reads of this thread: the word by which a reader judges those
   * reads.
   */
  loadAfterReads(words: Int32Array, at: number): number {
    if (REORDERS_LOADS) Atomics.store(FENCE, 0, 0);
    return Atomics.load(words, at);
  }

  /**
   * Begins a read: refuses a closed structure or a lost file, waits until the owner has finished,
   * and refreshes the views.
   */
  private beginRead(): number {
    if (this.role === CLOSED) throw this.closedError();
    const { status } = this.region;
    if (status !== undefined) {
      if (status[0] !== 0) throw this.lostError();
      // A file has no writer to wait for. Native code would wait half a minute for one.
      return this.waitUntilStable();
    }
    for (;;) {
      const sequence = this.waitUntilStable();
      if (sequence === this.validSequence) return sequence;
      if (this.refreshViews(sequence, `the shared ${this.label}`) !== RETRY) return sequence;
    }
  }

  private unchanged(sequence: number): boolean {
    const { status, head } = this.region;
    if (status !== undefined) {
      if (status[0] !== 0) throw this.lostError();
      return true;
    }
    return this.loadAfterReads(head, WORD.sequence) === sequence;
  }

  /** Waits for an even sequence, which says that no rearrangement is under way, and returns it. */
  private waitUntilStable(): number {
    const { head, status } = this.region;
    if (status !== undefined) {
      if ((head[WORD.sequence] & 1) === 0) return 0;
      throw corrupt(this.region.file?.path ?? 'the file', 'it was copied during a rearrangement');
    }
    for (let begun = 0; ;) {
      const sequence = Atomics.load(head, WORD.sequence);
      if ((sequence & 1) === 0) return sequence;
      const now = performance.now();
      if (begun === 0) begun = now;
      else if (now - begun > LIMITS.waitMs) {
        throw offheapError(
          'ERR_OFFHEAP_LOCKED',
          `this ${this.label} is being rearranged, or its writer was terminated during a rearrangement`,
        );
      }
      Atomics.wait(head, WORD.sequence, sequence, POLL_MS);
    }
  }

  /** Recreates the views after a rearrangement, unless another one came in the meantime. */
  private refreshViews(sequence: number, what: string): typeof RETRY | undefined {
    const { head, status } = this.region;
    if (status === undefined && (Atomics.load(head, WORD.flags) & FLAG_SUPERSEDED) !== 0) {
      throw offheapError(
        'ERR_OFFHEAP_STALE',
        `the owner of this ${this.label} moved it to a larger buffer; attach again with a new token`,
      );
    }
    try {
      this.region.refresh();
      this.bindViews(what, false);
    } catch (error) {
      if (status !== undefined || Atomics.load(head, WORD.sequence) === sequence) throw error;
      return RETRY;
    }
    this.validSequence = sequence;
    return undefined;
  }

  // ---- writing

  /** Before any change. Copies a file that was opened with mode `rw` to memory. */
  beforeWrite(): void {
    if (this.role === OWNER) return;
    if (this.role === CLOSED) throw this.closedError();
    if (!this.region.writable) {
      const where = this.region.origin === 'file' ? 'was opened with mode r' : 'belongs to another thread';
      throw offheapError(
        'ERR_OFFHEAP_UNSUPPORTED',
        `this ${this.label} ${where}: it can be read, not changed`,
      );
    }
    this.copyToMemory();
  }

  private copyToMemory(): void {
    const file = this.region;
    const length = readLong(file.head, WORD.lengthLow);
    const region = Region.allocate(length, NO_PLACEMENT, this.aligned);
    region.bytes.set(file.bytes.subarray(0, length));
    if (file.status![0] !== 0) throw this.lostError();
    clearChecksum(region.bytes.subarray(0, length));
    // The file may have been overwritten in place since it was opened.
    this.check(region, length, 'the file');
    this.onCopiedToMemory?.(region);
    this.region = region;
    this.becomeOwner('the file');
    // Views of the file that users have remain valid; the engine unmaps it with the last of them.
    if (!file.exposed) file.release();
  }

  /** After the buffer or the length of an owned region changed. */
  rebindViews(): void {
    this.hasReaders = this.region.shared;
    this.exclusive = !this.hasReaders;
    this.bindViews(`this ${this.label}`, true);
  }

  // ---- sharing and copies

  /** See `Structure.share`. */
  share(): Token<K> {
    this.beforeRead();
    this.checkPortable();
    const token = shareRegion(this.region, this.kind);
    if (this.role === OWNER) this.rebindViews();
    return token;
  }

  /** See `Structure.save`. */
  async save(path: PathLike, options?: SaveOptions): Promise<void> {
    const { signal, onProgress, checksum } = readSaveOptions(options);
    const target = checkPath(path);
    signal?.throwIfAborted();
    await writeRegionFile(this.snapshot(checksum), target, signal, onProgress);
  }

  /** See `Structure.toBytes`. */
  toBytes(): Uint8Array {
    this.beforeRead();
    return this.snapshot(true);
  }

  /** See `Structure.byteLength`. */
  get byteLength(): number {
    this.beforeRead();
    return this.region.buffer.byteLength;
  }

  /** A copy of the region's bytes as they are saved, with or without a checksum. */
  snapshot(checksum: boolean): Uint8Array {
    this.checkPortable();
    const copy = this.copyRegion();
    if (checksum) writeChecksum(copy);
    else clearChecksum(copy);
    return copy;
  }

  /** A consistent copy of the region's bytes. */
  copyRegion(): Uint8Array {
    return this.read(() => {
      const { region } = this;
      return copyOf(region.bytes, readLong(region.head, WORD.lengthLow));
    });
  }

  // ---- the end

  /** Whether the contents can be read. Never throws. */
  describeState(): State {
    if (this.role === CLOSED) return 'closed';
    try {
      this.beforeRead();
      return 'open';
    } catch {
      return this.region.status !== undefined ? 'lost' : 'stale';
    }
  }

  /** Releases the memory. Every later operation throws `ERR_OFFHEAP_CLOSED`, except `close`. */
  close(): void {
    if (this.role === CLOSED) return;
    this.role = CLOSED;
    this.watchedWords = NO_GUARD;
    this.watchedIndex = 0;
    this.releaseRegion();
    this.dropViews();
  }

  /** Releases the region. Structures with background work that may still read it delay this. */
  releaseRegion(): void {
    this.region.release();
  }

  closedError(): Error {
    return offheapError('ERR_OFFHEAP_CLOSED', `this ${this.label} was closed`);
  }

  private lostError(): Error {
    return offheapError(
      'ERR_OFFHEAP_IO',
      `${this.region.file?.path ?? 'the file'} was truncated while it was mapped`,
    );
  }
}

/** A copy of the first bytes of a region. */
export function copyOf(bytes: Uint8Array, length: number): Uint8Array {
  return allocating('a copy', length, () => bytes.slice(0, length));
}
