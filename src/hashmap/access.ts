/**
 * What a HashMap adds to the life of a structure (`src/region/structure.ts`): handles that readers
 * take, growth and compaction, copies of a map whose owner goes on.
 */
import { allocating, offheapError } from '../errors.js';
import { native } from '../native.js';
import { isBlob, TYPE } from '../region/element.js';
import { clearChecksum } from '../region/file.js';
import { HEADER_WORDS, readLong, writeLong } from '../region/format.js';
import type { Region } from '../region/region.js';
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
import { Table } from './table.js';
import { copyOf, OWNER } from '../region/table.js';

export abstract class Access extends Table {
  /** The node that iterators of this map hold on to. */
  protected moves = new Moves();
  /** A handle was handed out that a read-only file could not note. */
  private handlesIssued = false;

  protected override becomeOwner(what: string): void {
    super.becomeOwner(what);
    if (this.valueType === TYPE.any) this.anyValues ??= [];
  }

  /**
   * Entries that a reader may see: those the header counts. What it reads of them afterwards is
   * there.
   */
  protected usedNow(): number {
    return Math.min(Atomics.load(this.head, WORD.used) >>> 0, this.capacity);
  }

  // ---- writing

  protected override onCopiedToMemory(region: Region): void {
    if (this.handlesIssued) region.head[WORD.state] = region.head[WORD.state] | HANDLES_ISSUED;
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
   * Makes room for `entries` more entries and `blobs` more bytes of heap, by squeezing out the dead
   * if they are many, else by growing. Throws `ERR_OFFHEAP_FULL` or `ERR_OFFHEAP_OOM` with nothing
   * changed.
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
    // More entries will bring more text, in proportion. And a heap that would be over three
    // quarters full after losing its garbage grows by half, so that n bytes cost O(1) each under
    // endless churn.
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
    let length = addon.hashmapRebuildRegionSize(region.bytes, capacity, heapCapacity);
    try {
      for (;;) {
        region.ensure(length);
        this.head = region.head;
        try {
          addon.hashmapRebuild(region.bytes, capacity, heapCapacity);
          break;
        } catch (error) {
          // A reader that takes a first handle just now makes a slot table necessary.
          length = addon.hashmapRebuildRegionSize(region.bytes, capacity, heapCapacity);
          if (length <= region.bytes.length) throw error;
        }
      }
    } finally {
      // Also after a refusal: the region may lie in a larger buffer by now.
      this.rebindViews();
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
    this.rebindViews(); // without the slot table the sections lie elsewhere
    this.moves = this.moves.end(undefined);
    if (this.anyValues !== undefined) this.anyValues = [];
  }

  override close(): void {
    super.close();
    this.anyValues = undefined;
  }

  protected override checkPortable(): void {
    if (this.valueType === TYPE.any) {
      throw offheapError('ERR_OFFHEAP_UNSUPPORTED', 'values of type any exist in one thread only');
    }
  }

  protected override copyRegion(): Uint8Array {
    if (this.region.origin !== 'attached') return super.copyRegion();
    const bytes = this.read(() => {
      const { region, heapBytes } = this;
      const before = heapUsedOf(region.head, Atomics.load(region.head, WORD.heapUsedLow));
      const taken = copyOf(region.bytes, readLong(region.head, WORD.lengthLow));
      // The owner goes on meanwhile: what was copied may refer to blobs that were appended behind
      // the copying. So those are copied once more, now that every reference has been read; each
      // was stored after its blob.
      const after = heapUsedOf(region.head, this.loadAfterReads(region.head, WORD.heapUsedLow));
      if (after > before) {
        const heap = taken.subarray(taken.length - heapBytes.length);
        heap.set(heapBytes.subarray(before, after), before);
      }
      writeLong(new Int32Array(taken.buffer, 0, HEADER_WORDS), WORD.heapUsedLow, after);
      return taken;
    });
    // Another thread's map is copied in the middle of a step, perhaps its last; a rebuild of the
    // copy finishes it.
    return this.rebuilt(bytes);
  }

  private rebuilt(bytes: Uint8Array): Uint8Array {
    const addon = native();
    const head = new Int32Array(bytes.buffer, 0, HEADER_WORDS);
    clearChecksum(bytes);
    relinkSlots(bytes.buffer as ArrayBuffer, head, readShape(head, bytes.length, 'the shared map'));
    const heap = readLong(head, WORD.heapCapacityLow);
    const length = addon.hashmapRebuildRegionSize(bytes, this.capacity, heap);
    let copy = bytes;
    if (length > bytes.length) {
      copy = allocating('a copy', length, () => new Uint8Array(length));
      copy.set(bytes);
    }
    addon.hashmapRebuild(copy, this.capacity, heap);
    return copy.length === length ? copy : copyOf(copy, length);
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

/** The bytes of the heap in use, from the low word of their number. */
function heapUsedOf(head: Int32Array, low: number): number {
  return (low >>> 0) + (head[WORD.heapUsedLow + 1] >>> 0) * 2 ** 32;
}

/**
 * Makes the slot table of a copied region one that its entries agree with: slots were taken and
 * freed while they were copied. All slots that no entry has are free then, the lowest first. Their
 * generations go up: one that was copied between the deletion of its entry and the step that counts
 * it up would otherwise name the next entry by the handles of the last.
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
    if (++generations[slot] >= GENERATIONS - 1) continue;
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
