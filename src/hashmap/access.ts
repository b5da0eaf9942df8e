/**
 * Who may do what with a HashMap's region, and how: the layer between the table and the public class.
 *
 * - An **owner** reads and writes directly. Its reads cost no check: where reading directly is not allowed the fast
 *   index is a trap (see table.ts), and the slow road comes here.
 * - A **reader** of another thread's region notes the region's sequence, reads, and repeats if a rearrangement came
 *   between (`docs/formats/region.md`, "Concurrency"). What it reads in a lost race is thrown away, errors included.
 * - A map on a **file** is a reader too: its pages can vanish if the file is truncated, which marks the mapping lost.
 *   In mode `rw` the first change copies the region to memory, and the map owns it from then on.
 */
import { offheapError } from '../errors.js';
import {
  corrupt,
  FLAG_SUPERSEDED,
  HEADER_WORDS,
  readLong,
  WORD as COMMON,
  writeLong,
} from '../region/format.js';
import { seal } from '../region/file.js';
import { native } from '../native.js';
import { Region, type Placement } from '../region/region.js';
import { Moves } from './iteration.js';
import {
  GENERATIONS,
  HANDLES_ISSUED,
  HAS_SLOTS,
  MAX_CAPACITY,
  MAX_HEAP,
  nextCapacity,
  readShape,
  WORD,
} from './layout.js';
import { isBlob, TYPE } from './schema.js';
import { Table } from './table.js';

export const OWNER = 0;
export const READER = 1;
export const CLOSED = 2;
export type Role = typeof OWNER | typeof READER | typeof CLOSED;

const NO_PLACEMENT: Placement = { hugePages: undefined, numaNode: undefined };
/** How long a reader sleeps between looks while the owner rearranges, and how long it waits at most, in milliseconds. */
const NAP = 1;
const PATIENCE = 30_000;
const RETRY = Symbol('retry');
/**
 * A load can be overtaken by a later atomic one where the processor reorders loads; a store-release in between, followed
 * by a load-acquire, is the barrier that JavaScript has. x86 keeps loads in order by itself.
 */
const WEAKLY_ORDERED = process.arch !== 'x64' && process.arch !== 'ia32';
const FENCE = new Int32Array(new SharedArrayBuffer(4));
/** The guard of maps that no one else writes, and of closed ones. */
const NEVER_CALM = Int32Array.of(-1);

export abstract class Access extends Table {
  protected role: Role = OWNER;
  /** The node that iterators of this map hold on to. */
  protected moves = new Moves();
  /** The word that a reader watches: the region's sequence, or the status of a mapped file. */
  private guard: Int32Array = NEVER_CALM;
  private guardAt = 0;
  /** What the guard says while the views are right: the sequence they belong to, or 0 for a file that is whole. */
  private seen = 0;
  /** A handle was handed out that a read-only file could not note. */
  private handlesIssued = false;

  /** Takes a region over as its owner. */
  protected own(what: string): void {
    this.role = OWNER;
    this.published = this.region.shared;
    this.steady = !this.published;
    this.adopt(what);
    if (this.valueType === TYPE.any) this.anyValues ??= [];
  }

  /** Takes a region to read from. */
  protected watch(what: string): void {
    this.role = READER;
    do this.seen = this.awaitEven();
    while (this.renew(this.seen, what) === RETRY);
    const { status, head } = this.region;
    this.guard = status ?? head;
    this.guardAt = status === undefined ? WORD.sequence : 0;
  }

  // ---- reading

  /**
   * Runs a read until no rearrangement came between. `operation` must not run user code or change anything
   * that a repetition would change again.
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
   * Whether what a reader just read stands: nothing was rearranged since its views were made, no file was lost. The
   * sequence only goes up, so one look after the reads tells all.
   */
  protected calm(): boolean {
    if (WEAKLY_ORDERED) Atomics.store(FENCE, 0, 0);
    return Atomics.load(this.guard, this.guardAt) === this.seen;
  }

  /** Begins a read: refuses a closed map or a lost file, waits for the owner, renews the views. */
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
      if (this.renew(sequence, 'the shared map') !== RETRY) return sequence;
    }
  }

  private unchanged(sequence: number): boolean {
    const { status, head } = this.region;
    if (status !== undefined) {
      if (status[0] !== 0) throw this.lostError();
      return true;
    }
    if (WEAKLY_ORDERED) Atomics.store(FENCE, 0, 0);
    return Atomics.load(head, WORD.sequence) === sequence;
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
          'this map is being rearranged, or its writer died while it was',
        );
      }
      Atomics.wait(head, WORD.sequence, sequence, NAP);
    }
  }

  /** Remakes the views after a rearrangement, unless another one came meanwhile. */
  private renew(sequence: number, what: string): typeof RETRY | undefined {
    const { head, status } = this.region;
    if (status === undefined && (Atomics.load(head, COMMON.flags) & FLAG_SUPERSEDED) !== 0) {
      throw offheapError(
        'ERR_OFFHEAP_STALE',
        'the owner of this map moved it to a larger buffer; attach again with a new token',
      );
    }
    try {
      this.region.refresh();
      this.adopt(what);
      // Numbers can be read and judged afterwards; reading a half-moved blob could throw.
      this.arm(!isBlob(this.valueType), false);
    } catch (error) {
      if (status !== undefined || Atomics.load(head, WORD.sequence) === sequence) throw error;
      return RETRY;
    }
    this.seen = sequence;
    return undefined;
  }

  /** Entries that a reader may see: those the header counts. */
  protected usedNow(): number {
    return Math.min(this.head[WORD.used] >>> 0, this.capacity);
  }

  // ---- writing

  /** Before any change. Copies a file opened for `rw` to memory. */
  protected beforeWrite(): void {
    if (this.role === OWNER) return;
    if (this.role === CLOSED) throw this.closedError();
    if (!this.region.writable) {
      const where = this.region.origin === 'file' ? 'was opened with mode r' : 'belongs to another thread';
      throw offheapError('ERR_OFFHEAP_UNSUPPORTED', `this map ${where}: it can be read, not changed`);
    }
    this.thaw();
  }

  private thaw(): void {
    const file = this.region;
    const length = readLong(file.head, COMMON.lengthLow);
    const region = Region.allocate(length, NO_PLACEMENT);
    region.bytes.set(file.bytes.subarray(0, length));
    if (file.status![0] !== 0) throw this.lostError();
    seal(region.bytes.subarray(0, length), false);
    // The file may have been overwritten in place since it was opened.
    readShape(region.head, length, 'the file');
    if (this.handlesIssued) region.head[WORD.state] = region.head[WORD.state] | HANDLES_ISSUED;
    this.region = region;
    this.own('the file');
    file.release();
  }

  /** Notes that a handle exists, so that from now on positions change only with a slot table. */
  protected noteHandle(): void {
    if (this.role === OWNER) {
      if ((this.head[WORD.state] & HANDLES_ISSUED) === 0) this.orState();
    } else if (this.region.origin === 'attached') {
      Atomics.or(this.head, WORD.state, HANDLES_ISSUED);
    } else {
      this.handlesIssued = true;
    }
  }

  private orState(): void {
    Atomics.or(this.head, WORD.state, HANDLES_ISSUED);
  }

  /** Live entries: two counts, that an owner on another thread may be raising, of one moment. */
  protected count(): number {
    const { head } = this;
    for (let patience = 1000; ; patience--) {
      const used = Atomics.load(head, WORD.used);
      const size = used - Atomics.load(head, WORD.dead);
      if (Atomics.load(head, WORD.used) === used || patience === 0) return Math.max(0, size);
    }
  }

  /**
   * Makes room for `entries` more entries and `blobs` more bytes of heap, by squeezing out the dead if they are many,
   * else by growing. Throws `ERR_OFFHEAP_FULL` or `ERR_OFFHEAP_OOM` with nothing changed.
   */
  protected makeRoom(entries: number, blobs: number): void {
    const { capacity, head } = this;
    const live = this.count();
    const dead = head[WORD.dead];
    let wanted = capacity;
    if (head[WORD.used] + entries > capacity) {
      const squeeze = dead * 4 >= capacity && live + entries <= capacity;
      if (!squeeze) {
        if (live + entries > MAX_CAPACITY) {
          throw offheapError('ERR_OFFHEAP_FULL', `a map holds at most ${MAX_CAPACITY} entries`);
        }
        wanted = Math.max(nextCapacity(capacity), live + entries);
      }
    }
    this.rebuild(wanted, this.heapFor(wanted, blobs));
  }

  /** The heap capacity to go with `capacity` entries when `blobs` more bytes are about to come. */
  private heapFor(capacity: number, blobs: number): number {
    if (!isBlob(this.keyType) && !isBlob(this.valueType)) return 0;
    const now = this.heapWords.length * 4;
    const garbage = readLong(this.head, WORD.heapGarbageLow);
    const needed = readLong(this.head, WORD.heapUsedLow) - garbage + blobs;
    if (needed > MAX_HEAP) {
      throw offheapError(
        'ERR_OFFHEAP_FULL',
        `the strings and bytes of one map can take ${MAX_HEAP} bytes at most`,
      );
    }
    // More entries will bring more text, in proportion. And a heap that would be over three quarters full after losing its
    // garbage grows by half, so that n bytes cost O(1) each under endless churn.
    const expected = needed * Math.max(1, capacity / this.capacity);
    const wanted =
      this.heapIsFull(blobs) && needed > now * 0.75 ? Math.max(now * 1.5, expected * 1.25) : expected;
    return Math.min(Math.ceil(Math.max(now, wanted) / 64) * 64, MAX_HEAP);
  }

  /** One native call that rearranges the region; every view and iterator follows. */
  protected rebuild(capacity: number, heapCapacity: number): void {
    const { region, head } = this;
    const addon = native();
    const moving = head[WORD.dead] !== 0;
    const used = head[WORD.used];
    const removed = moving ? this.deadBits.slice(0, Math.ceil(used / 32)) : undefined;
    let length = addon.hashmapRebuildLength(region.bytes, capacity, heapCapacity);
    try {
      for (;;) {
        region.ensure(length);
        this.head = region.head;
        try {
          addon.hashmapRebuild(region.bytes, capacity, heapCapacity);
          break;
        } catch (error) {
          // A reader that takes a first handle just now makes a slot table necessary.
          length = addon.hashmapRebuildLength(region.bytes, capacity, heapCapacity);
          if (length <= region.bytes.length) throw error;
        }
      }
    } finally {
      // Also after a refusal: the region may lie in a larger buffer by now.
      this.published = region.shared;
      this.steady = !this.published;
      this.adopt('this map');
    }
    if (removed !== undefined) {
      this.moves = this.moves.end(removed);
      if (this.anyValues !== undefined) {
        this.anyValues = this.anyValues.filter((_, at) => (removed[at >>> 5] & (1 << (at & 31))) === 0);
      }
    }
  }

  /** Empties the map in one native call. */
  protected empty(): void {
    native().hashmapClear(this.region.bytes);
    this.adopt('this map'); // without the slot table the sections lie elsewhere
    this.moves = this.moves.end(undefined);
    if (this.anyValues !== undefined) this.anyValues = [];
  }

  /** Gives up the memory; every later operation throws. */
  protected shut(): void {
    if (this.role === CLOSED) return;
    this.role = CLOSED;
    this.guard = NEVER_CALM;
    this.guardAt = 0;
    this.region.release();
    this.dismount();
    this.anyValues = undefined;
  }

  /** A copy of the region's bytes, sealed. */
  protected snapshot(checksum: boolean): Uint8Array {
    if (this.valueType === TYPE.any) {
      throw offheapError(
        'ERR_OFFHEAP_UNSUPPORTED',
        'a map with values of type any can not be saved or shared',
      );
    }
    const attached = this.region.origin === 'attached';
    const bytes = this.read(() => {
      const { region } = this;
      const taken = region.bytes.slice(0, readLong(region.head, COMMON.lengthLow));
      // The owner goes on meanwhile. What was copied after the header may refer to blobs appended since.
      if (attached) {
        const head = new Int32Array(taken.buffer, 0, HEADER_WORDS);
        writeLong(head, WORD.heapUsedLow, readLong(region.head, WORD.heapUsedLow));
      }
      return taken;
    });
    // Another thread's map is copied in the middle of a step, perhaps its last; a rebuild of the copy finishes it.
    const copy = attached ? this.rebuilt(bytes) : bytes;
    seal(copy, checksum);
    return copy;
  }

  private rebuilt(bytes: Uint8Array): Uint8Array {
    const addon = native();
    const head = new Int32Array(bytes.buffer, 0, HEADER_WORDS);
    seal(bytes, false);
    relinkSlots(bytes.buffer as ArrayBuffer, head, readShape(head, bytes.length, 'the shared map'));
    const heap = readLong(head, WORD.heapCapacityLow);
    const length = addon.hashmapRebuildLength(bytes, this.capacity, heap);
    let copy = bytes;
    if (length > bytes.length) {
      copy = new Uint8Array(length);
      copy.set(bytes);
    }
    addon.hashmapRebuild(copy, this.capacity, heap);
    return copy.length === length ? copy : copy.subarray(0, length).slice();
  }

  protected closedError(): Error {
    return offheapError('ERR_OFFHEAP_CLOSED', 'this map was closed');
  }

  private lostError(): Error {
    return offheapError(
      'ERR_OFFHEAP_IO',
      `${this.region.file?.path ?? 'the file'} became shorter while it was mapped`,
    );
  }

  /** Plain facts about the table, for `stats()`. */
  protected facts(): TableStats {
    const { head } = this;
    const state = head[WORD.state];
    const size = this.count();
    const buckets = head[WORD.buckets];
    return {
      size,
      capacity: this.capacity,
      dead: head[WORD.dead],
      buckets,
      loadFactor: size / (buckets * 12),
      rearrangements: (head[WORD.sequence] >>> 0) / 2,
      heapCapacity: readLong(head, WORD.heapCapacityLow),
      heapUsed: readLong(head, WORD.heapUsedLow),
      heapGarbage: readLong(head, WORD.heapGarbageLow),
      slots: (state & HAS_SLOTS) === 0 ? 0 : head[WORD.slotsUsed] >>> 0,
    };
  }
}

/**
 * Makes the slot table of a copied region one that its entries agree with: slots were taken and freed while they were
 * copied. All slots that no entry has are free then, the lowest first.
 */
function relinkSlots(
  buffer: ArrayBuffer,
  head: Int32Array,
  { layout, capacity, slotCapacity }: ReturnType<typeof readShape>,
): void {
  if (slotCapacity === 0) return;
  const used = head[WORD.used];
  const slotsUsed = head[WORD.slotsUsed] >>> 0;
  const dead = new Int32Array(buffer, layout.dead, Math.ceil(capacity / 32));
  const slotOfEntry = new Uint32Array(buffer, layout.slotOfEntry, capacity);
  const entryOfSlot = new Uint32Array(buffer, layout.entryOfSlot, slotCapacity);
  const generations = new Uint32Array(buffer, layout.generations, slotCapacity);
  const taken = new Uint8Array(slotsUsed);
  for (let position = 0; position < used; position++) {
    const slot = slotOfEntry[position];
    if ((dead[position >>> 5] & (1 << (position & 31))) !== 0 || slot >= slotsUsed) continue;
    entryOfSlot[slot] = position;
    taken[slot] = 1;
  }
  let free = 0;
  for (let slot = slotsUsed - 1; slot >= 0; slot--) {
    if (taken[slot] !== 0 || generations[slot] >= GENERATIONS - 1) continue;
    entryOfSlot[slot] = free;
    free = slot + 1;
  }
  head[WORD.freeSlot] = free | 0;
}

/** What `stats()` tells of a table. Sizes of the heap are in bytes. */
export interface TableStats {
  size: number;
  /** Entries that fit before the next rebuild. */
  capacity: number;
  /** Deleted entries that still take a place in the columns. */
  dead: number;
  /** 64-byte buckets of the index, twelve lanes each. */
  buckets: number;
  /** Live entries by lanes of the index; at most about 0.85. */
  loadFactor: number;
  /** How many times the region was rearranged. */
  rearrangements: number;
  heapCapacity: number;
  heapUsed: number;
  /** Bytes in the heap that no entry refers to any more. */
  heapGarbage: number;
  /** Slots of the handle table; 0 while handles need none. */
  slots: number;
}
