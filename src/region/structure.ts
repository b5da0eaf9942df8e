/**
 * The life of a structure that is one region: who may do what with the bytes, and how they are
 * shared, saved and given up. Every structure of the library extends {@link Structure} and adds
 * what the bytes mean.
 *
 * - An **owner** reads and writes directly; its reads need no check.
 * - A **reader** of another thread's region notes the region's sequence, reads, and repeats if a
 *   rearrangement came between (`docs/formats/region.md`, "Concurrency"). What it reads in a lost
 *   race is thrown away, errors included.
 * - A structure on a **file** is a reader too: its pages can vanish if the file is truncated, which
 *   marks the mapping lost. In mode `rw` the first change copies the region to memory, and the
 *   structure owns it from then on.
 *
 * Fast paths cost nothing here: a structure arranges its fields so that where reading directly is
 * not allowed (closed, or a reader) the fast path leads to the slow road, which calls {@link
 * Structure.read} or {@link Structure.beforeRead}.
 */
import { isUint8Array } from 'node:util/types';
import { allocating, offheapError, typeError } from '../errors.js';
import { trueLength } from './views.js';
import {
  checkPath,
  fitsSeal,
  readSaveOptions,
  mapRegion,
  readOpenOptions,
  seal,
  writeRegionFile,
  type OpenOptions,
  type SaveOptions,
} from './file.js';
import { corrupt, FLAG_SUPERSEDED, HEADER_BYTES, readLong, WORD, type Kind } from './format.js';
import { describe } from './options.js';
import { Region, type Placement } from './region.js';
import { attachRegion, shareRegion, type Token } from './token.js';

export const OWNER = 0;
export const READER = 1;
export const CLOSED = 2;
export type Role = typeof OWNER | typeof READER | typeof CLOSED;

const NO_PLACEMENT: Placement = { hugePages: undefined, numaNode: undefined };
/**
 * How long a reader sleeps between looks while the owner rearranges, and how long it waits at most,
 * in milliseconds.
 */
const NAP = 1;
const PATIENCE = 30_000;
const RETRY = Symbol('retry');
/**
 * A load can be overtaken by a later atomic one where the processor reorders loads; a store-release
 * in between, followed by a load-acquire, is the barrier that JavaScript has. x86 keeps loads in
 * order by itself.
 */
const WEAKLY_ORDERED = process.arch !== 'x64' && process.arch !== 'ia32';
const FENCE = new Int32Array(new SharedArrayBuffer(4));
/** The guard of structures that no one else writes, and of closed ones. */
const NEVER_CALM = Int32Array.of(-1);

/**
 * Structured cloning would copy a structure's fields into a dead object without a word. It refuses
 * functions, and shows their text in its error.
 */
const uncloneable = (): string => 'post the token that share() gives, not the structure';

/** What {@link Structure.describeState} says of structures whose contents can not be shown. */
export type State = 'open' | 'closed' | 'lost' | 'stale';

export abstract class Structure<K extends Kind> {
  protected role: Role = OWNER;
  protected region: Region;
  /** Whether other threads may be reading: then the stores that publish are atomic. */
  protected published = false;
  /**
   * Whether nobody but this thread can change the bytes: not those of other threads' structures, of
   * shared ones, of files.
   */
  protected steady = false;
  /** The word that a reader watches: the region's sequence, or the status of a mapped file. */
  private guard: Int32Array = NEVER_CALM;
  private guardAt = 0;
  /**
   * What the guard says while the views are right: the sequence they belong to, or 0 for a file
   * that is whole.
   */
  private seen = 0;
  protected readonly uncloneable = uncloneable;

  protected constructor(region: Region) {
    this.region = region;
  }

  /** Which structure this is, by its name in tokens. A getter of the prototype. */
  protected abstract get kind(): K;
  /** What messages call it: `map`, `vector`. A getter of the prototype. */
  protected abstract get noun(): string;

  /**
   * Takes the shape from the region's header, checked, and remakes all views. `direct` is false for
   * a reader: fast paths that do not look whether what they read still stands must not be opened
   * then. `what` names the bytes in errors.
   */
  protected abstract adopt(what: string, direct: boolean): void;
  /** Forgets all views, so that nothing is read from memory that was given up. */
  protected abstract dismount(): void;
  /** The constant-time check of a region that was just copied out of a file. */
  protected abstract check(region: Region, length: number, what: string): void;
  /**
   * Whether regions start at multiples of 64, for structures that go by the offset of {@link
   * Region.bytes}.
   */
  protected get aligned(): boolean {
    return false;
  }
  /** Brings into a region copied from a file what this structure noted besides the bytes. */
  protected thawed?(region: Region): void;
  /** Whether the structure can leave this thread; throws `ERR_OFFHEAP_UNSUPPORTED` where not. */
  protected checkPortable(): void {
    // Most can.
  }

  /** Takes the region over as its owner. */
  protected own(what: string): void {
    this.role = OWNER;
    this.published = this.region.shared;
    this.steady = !this.published;
    this.adopt(what, true);
  }

  /** Takes the region to read from. */
  protected watch(what: string): void {
    this.role = READER;
    do this.seen = this.awaitEven();
    while (this.renew(this.seen, what) === RETRY);
    const { status, head } = this.region;
    this.guard = status ?? head;
    this.guardAt = status === undefined ? WORD.sequence : 0;
  }

  /** For constructors: takes over a region that exists already. */
  protected settleIn({ owner, what }: Adopted): void {
    if (owner) this.own(what);
    else this.watch(what);
  }

  // ---- reading

  /**
   * Before a read that makes sure of its result by itself, or can not be repeated: refuses what can
   * not be read.
   */
  protected beforeRead(): void {
    if (this.role !== OWNER) this.beginRead();
  }

  /**
   * Runs a read until no rearrangement came between. `operation` must not run user code or change
   * anything that a repetition would change again.
   */
  protected read<T>(operation: () => T): T {
    if (this.role === OWNER) return operation();
    for (;;) {
      const sequence = this.beginRead();
      try {
        const result = operation();
        if (this.unchanged(sequence)) return result;
      } catch (error) {
        // Half-moved bytes can look corrupt; only what stays wrong is wrong.
        if (this.unchanged(sequence)) throw error;
      }
    }
  }

  /**
   * Whether what a reader just read stands: nothing was rearranged since its views were made, no
   * file was lost. The sequence only goes up, so one look after the reads tells all.
   */
  protected calm(): boolean {
    return this.loadAfterReads(this.guard, this.guardAt) === this.seen;
  }

  /**
   * Loads a word after everything that this thread has read before: what a reader looks at last, to
   * judge the rest.
   */
  protected loadAfterReads(words: Int32Array, at: number): number {
    if (WEAKLY_ORDERED) Atomics.store(FENCE, 0, 0);
    return Atomics.load(words, at);
  }

  /**
   * Begins a read: refuses a closed structure or a lost file, waits for the owner, renews the
   * views.
   */
  private beginRead(): number {
    if (this.role === CLOSED) throw this.closedError();
    const { status } = this.region;
    if (status !== undefined) {
      if (status[0] !== 0) throw this.lostError();
      return 0;
    }
    for (;;) {
      const sequence = this.awaitEven();
      if (sequence === this.seen) return sequence;
      if (this.renew(sequence, `the shared ${this.noun}`) !== RETRY) return sequence;
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

  private awaitEven(): number {
    const { head, status } = this.region;
    if (status !== undefined) {
      if ((head[WORD.sequence] & 1) === 0) return 0;
      throw corrupt(
        this.region.file?.path ?? 'the file',
        'it is a copy made in the middle of a rearrangement',
      );
    }
    for (let begun = 0; ;) {
      const sequence = Atomics.load(head, WORD.sequence);
      if ((sequence & 1) === 0) return sequence;
      const now = performance.now();
      if (begun === 0) begun = now;
      else if (now - begun > PATIENCE) {
        throw offheapError(
          'ERR_OFFHEAP_LOCKED',
          `this ${this.noun} is being rearranged, or its writer died while it was`,
        );
      }
      Atomics.wait(head, WORD.sequence, sequence, NAP);
    }
  }

  /** Remakes the views after a rearrangement, unless another one came meanwhile. */
  private renew(sequence: number, what: string): typeof RETRY | undefined {
    const { head, status } = this.region;
    if (status === undefined && (Atomics.load(head, WORD.flags) & FLAG_SUPERSEDED) !== 0) {
      throw offheapError(
        'ERR_OFFHEAP_STALE',
        `the owner of this ${this.noun} moved it to a larger buffer; attach again with a new token`,
      );
    }
    try {
      this.region.refresh();
      this.adopt(what, false);
    } catch (error) {
      if (status !== undefined || Atomics.load(head, WORD.sequence) === sequence) throw error;
      return RETRY;
    }
    this.seen = sequence;
    return undefined;
  }

  // ---- writing

  /** Before any change. Copies a file opened for `rw` to memory. */
  protected beforeWrite(): void {
    if (this.role === OWNER) return;
    if (this.role === CLOSED) throw this.closedError();
    if (!this.region.writable) {
      const where = this.region.origin === 'file' ? 'was opened with mode r' : 'belongs to another thread';
      throw offheapError(
        'ERR_OFFHEAP_UNSUPPORTED',
        `this ${this.noun} ${where}: it can be read, not changed`,
      );
    }
    this.thaw();
  }

  private thaw(): void {
    const file = this.region;
    const length = readLong(file.head, WORD.lengthLow);
    const region = Region.allocate(length, NO_PLACEMENT, this.aligned);
    region.bytes.set(file.bytes.subarray(0, length));
    if (file.status![0] !== 0) throw this.lostError();
    seal(region.bytes.subarray(0, length), false);
    // The file may have been overwritten in place since it was opened.
    this.check(region, length, 'the file');
    this.thawed?.(region);
    this.region = region;
    this.own('the file');
    // Views of the file stay what they are; the engine frees it with the last of them.
    if (!file.exposed) file.release();
  }

  /** After the region changed its buffer or length under an owner. */
  protected readopt(): void {
    this.published = this.region.shared;
    this.steady = !this.published;
    this.adopt(`this ${this.noun}`, true);
  }

  // ---- sharing and saving

  /**
   * A token for other threads: post it, and `attach` it there. They read the same bytes while this
   * one goes on changing. There is one writer: this one. The first call may copy the region once,
   * to where it can grow.
   */
  share(): Token<K> {
    this.beforeRead();
    this.checkPortable();
    const token = shareRegion(this.region, this.kind);
    if (this.role === OWNER) this.readopt();
    return token;
  }

  /**
   * Saves to a file, whole or not at all, through a copy made at the call: changes made while it is
   * being written are not in it. Rejects with `ERR_OFFHEAP_IO`, or the signal's reason.
   */
  async save(path: string, options?: SaveOptions): Promise<void> {
    const { signal, onProgress, checksum } = readSaveOptions(options);
    const target = checkPath(path);
    signal?.throwIfAborted();
    await writeRegionFile(this.snapshot(checksum), target, signal, onProgress);
  }

  /** The region as bytes, with a checksum: what `save` writes. */
  toBytes(): Uint8Array {
    this.beforeRead();
    return this.snapshot(true);
  }

  /** A copy of the region's bytes, sealed. */
  protected snapshot(checksum: boolean): Uint8Array {
    this.checkPortable();
    const copy = this.copyRegion();
    seal(copy, checksum);
    return copy;
  }

  /** A copy of the region's bytes of one moment. */
  protected copyRegion(): Uint8Array {
    return this.read(() => {
      const { region } = this;
      return copyOf(region.bytes, readLong(region.head, WORD.lengthLow));
    });
  }

  /** Bytes held outside the JavaScript heap. */
  get byteLength(): number {
    this.beforeRead();
    return this.region.buffer.byteLength;
  }

  /**
   * `{}`, as for a `Map`: otherwise `JSON.stringify` would write out the structure's memory, a
   * number at a time.
   */
  toJSON(): object {
    return {};
  }

  /** For `util.inspect`, which must not throw: whether the contents can be read. */
  protected describeState(): State {
    if (this.role === CLOSED) return 'closed';
    try {
      this.beforeRead();
      return 'open';
    } catch {
      return this.region.status !== undefined ? 'lost' : 'stale';
    }
  }

  // ---- the end

  /**
   * Gives the memory up. Every later operation throws `ERR_OFFHEAP_CLOSED`, except `close()`
   * itself.
   */
  close(): void {
    if (this.role === CLOSED) return;
    this.role = CLOSED;
    this.guard = NEVER_CALM;
    this.guardAt = 0;
    this.releaseRegion();
    this.dismount();
  }

  /**
   * Drops the memory. For structures whose background work may still read it: they wait for that.
   */
  protected releaseRegion(): void {
    this.region.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  protected closedError(): Error {
    return offheapError('ERR_OFFHEAP_CLOSED', `this ${this.noun} was closed`);
  }

  private lostError(): Error {
    return offheapError(
      'ERR_OFFHEAP_IO',
      `${this.region.file?.path ?? 'the file'} became shorter while it was mapped`,
    );
  }
}

/** The first bytes of a region, in memory of their own. */
export function copyOf(bytes: Uint8Array, length: number): Uint8Array {
  return allocating('a copy', length, () => bytes.slice(0, length));
}

/** A region that exists already, for the constructor of the structure that it holds. */
export class Adopted {
  constructor(
    readonly region: Region,
    /**
     * Whether the bytes are this thread's own: else they are read, of a file or of another thread.
     */
    readonly owner: boolean,
    /** What errors call the bytes. */
    readonly what: string,
  ) {}
}

/** Makes a structure of a region, which is released if it holds something else. */
function adoptWith<S>(make: (adopted: Adopted) => S, region: Region, owner: boolean, what: string): S {
  try {
    return make(new Adopted(region, owner, what));
  } catch (error) {
    region.release();
    throw error;
  }
}

/** `S.attach`: a structure that another thread shared, to read from. O(1). */
export function attachStructure<S>(token: unknown, kind: Kind, make: (adopted: Adopted) => S): S {
  return adoptWith(make, attachRegion(token, kind), false, `the shared ${kind}`);
}

/** `S.open`: a saved structure, by mapping its file. */
export function openStructure<S>(
  path: unknown,
  options: OpenOptions | undefined,
  make: (adopted: Adopted) => S,
): S {
  const target = checkPath(path);
  return adoptWith(make, mapRegion(target, readOpenOptions(options)), false, target);
}

/**
 * `S.fromBytes`: a structure out of the bytes of one, which are copied and compared with their
 * checksum. O(bytes).
 */
export function structureFromBytes<S>(bytes: unknown, make: (adopted: Adopted) => S, aligned = false): S {
  if (!isUint8Array(bytes)) throw typeError(`bytes must be a Uint8Array, not ${describe(bytes)}`);
  const length = trueLength(bytes);
  if (length < HEADER_BYTES) {
    throw offheapError('ERR_OFFHEAP_CORRUPT', `${length} bytes are too few for a region`);
  }
  const region = Region.allocate(length, NO_PLACEMENT, aligned);
  region.bytes.set(bytes);
  const fits = fitsSeal(region.bytes);
  seal(region.bytes, false);
  const structure = adoptWith(make, region, true, 'these bytes');
  if (fits) return structure;
  // What the header gives away, another version say, is the better message, and was thrown by now.
  region.release();
  throw corrupt('these bytes', 'the contents do not fit the checksum');
}
