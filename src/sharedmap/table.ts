/**
 * The table of a SharedMap: lookups without a lock, in JavaScript that V8 compiles
 * (`docs/formats/sharedmap.md`, "Reading"). All changes are made by native code.
 *
 * {@link SharedMapTable.locate} finds the entry of the key in flight (`keys.ts`), and leaves in the
 * table what {@link SharedMapTable.isValid} needs to tell whether the bucket changed since. A
 * caller reads the value in between, and starts again if it did. After {@link MAX_ATTEMPTS}
 * attempts it reads in native code, under the lock.
 *
 * The closing loads are plain on x64, where loads are not reordered. Elsewhere they are atomic
 * read-modify-writes, which are ordered after the loads before them.
 *
 * Cost: one cache line of the shard, one or two of the bucket, one or two of the entry.
 */
import { offheapError } from '../errors.js';
import { native } from '../native.js';
import { isBlob, SHARED_TYPE, TYPE } from '../region/element.js';
import { readText, type TextBuffer } from '../region/blob.js';
import { hashMultipliers } from '../region/hash.js';
import type { Region } from '../region/region.js';
import { forgetCalls } from './diagnostics.js';
import { BLOB, decodeNumber, encodeKey, keyScratch, NARROW, putKey, WIDE } from './keys.js';
import { FLAG, HEAD, PARTICIPANT, QUICK, quickKind } from './layout.js';
import { Message, PAYLOAD, WORDS } from './message.js';
import { AUTO_STATE, clockMaskOf, metaAfterHit, mostHitsOf, POLICY, policyOf } from './policy.js';
import type { RoomMaker } from './room.js';
import { firstSlot, slotsWithTag } from './tags.js';

/** Attempts to read a value that others change before native code reads it under the lock. */
export const MAX_ATTEMPTS = 64;
/** No chain of buckets is longer. */
const MAX_CHAIN = 1000;
/** Whether closing loads are plain loads. */
const PLAIN_LOADS = process.arch === 'x64' || process.arch === 'ia32';
/** One hit in 64 is sampled for `hotKeys`. */
const SAMPLE_MASK = 63;

/** The slot of an attachment that only reads. */
const NO_SLOT = 0xffff_ffff;

/** The result of {@link SharedMapTable.locate} for an absent key. */
export const ABSENT = 0;

const EMPTY_WORDS = new Int32Array(0);
const EMPTY_DOUBLES = new Float64Array(0);
const EMPTY_BYTES = Buffer.alloc(0) as TextBuffer;

export class SharedMapTable {
  // The fields of the fast path come first. Numbers are small integers, which V8 stores unboxed.
  words: Int32Array = EMPTY_WORDS;
  /** Whether `quick.ts` has a way to values of these types. */
  quick = 0;
  keyType = 0;
  keyClass = NARROW;
  valueType = 0;
  /** The key in flight: its word or words, or the head of a blob; and its hash. */
  low = 0;
  high = 0;
  hash = 0;
  /** The birth in the handle in flight. */
  birth = 0;
  /** Words of a value of fixed size: 0, 1 or 2. */
  valueWords = 0;
  seed0 = 0;
  seed1 = 0;
  multiplier0 = 0;
  multiplier1 = 0;
  shardMask = 0;
  shardBits = 0;
  shardsAt = 0;
  shardStride = 0;
  directoriesAt = 0;
  directoryLength = 0;
  pagesAt = 0;
  /** log2 of the words of a page, and of its buckets. */
  pageWordShift = 0;
  pageBucketShift = 0;
  /** What the last lookup saw: the words of its chain's version and its shard's epoch. */
  homeAt = 0;
  version = 0;
  epochAt = 0;
  epoch = 0;
  /** The byte of the policy's byte of the slot found last. */
  metaAt = 0;
  /** The policy's rule for hits: see `policy.ts`. */
  clockMask = 0;
  mostHits = 0;
  /** From a shard to the counts of hits of `auto` in words; 0: other policies. */
  hitCountsAt = 0;
  doubles: Float64Array = EMPTY_DOUBLES;
  bytes: TextBuffer = EMPTY_BYTES;
  /** The index in `doubles` of this participant's hits; that of its misses follows. */
  hitsAt = 0;
  maxKey = 0;
  maxBytes = 0;
  shards = 0;
  defaultTtl = 0;
  id = -1;
  /** Whether the map was opened for reading: nothing may be stored to its memory. */
  isReader = false;
  readonly message = new Message();
  /** Makes room in a map that does not evict. */
  chooser: RoomMaker | undefined = undefined;

  constructor(
    public region: Region,
    discard: boolean,
  ) {
    const { message } = this;
    this.id = native().sharedmapAttach(region.bytes, message.bytes, discard);
    message.id = this.id;
    this.bind();
    registry.register(this, this.id, this);
  }

  get isOpen(): boolean {
    return this.id >= 0;
  }

  private bind(): void {
    const { buffer, bytes } = this.region;
    const start = bytes.byteOffset;
    const words = new Int32Array(buffer, start, bytes.length >> 2);
    this.words = words;
    this.doubles = new Float64Array(buffer, start, bytes.length >> 3);
    this.bytes = Buffer.from(buffer as ArrayBuffer, start, bytes.length) as TextBuffer;
    const schema = words[HEAD.schema];
    this.keyType = schema & 0xff;
    this.valueType = (schema >> 8) & 0xff;
    const policy = policyOf(schema);
    this.clockMask = clockMaskOf(policy);
    this.mostHits = mostHitsOf(policy);
    this.hitCountsAt = policy === POLICY.auto ? (words[HEAD.policyAt] >> 2) + AUTO_STATE.hits : 0;
    this.keyClass =
      this.keyType === TYPE.u32 || this.keyType === TYPE.i32 ? NARROW : isBlob(this.keyType) ? BLOB : WIDE;
    const isVariable =
      isBlob(this.valueType) ||
      this.valueType === SHARED_TYPE.structured ||
      this.valueType === SHARED_TYPE.mixed;
    const isWide = this.valueType === TYPE.f64 || this.valueType === TYPE.u64 || this.valueType === TYPE.i64;
    this.valueWords = isVariable ? 0 : isWide ? 2 : 1;
    this.quick = quickKind(this.keyType, this.valueType);
    this.seed0 = words[HEAD.seed0]!;
    this.seed1 = words[HEAD.seed1]!;
    [this.multiplier0, this.multiplier1] = hashMultipliers(this.seed0, this.seed1);
    this.shardBits = words[HEAD.shardBits]!;
    this.shards = 1 << this.shardBits;
    this.shardMask = this.shards - 1;
    this.shardsAt = words[HEAD.shardsAt] >>> 2;
    this.shardStride = words[HEAD.shardStride] >>> 2;
    this.directoriesAt = words[HEAD.directoriesAt] >>> 2;
    this.directoryLength = words[HEAD.directoryLength]!;
    this.pagesAt = words[HEAD.pagesAt] >>> 2;
    this.pageWordShift = words[HEAD.pageShift] - 2;
    this.pageBucketShift = words[HEAD.pageShift] - 7;
    this.maxKey = words[HEAD.maxKey]!;
    this.maxBytes = this.doubleWord(HEAD.maxBytes);
    this.defaultTtl = this.doubles[HEAD.ttl / 2]!;
    const slot = native().sharedmapSlot(this.id);
    this.isReader = slot === NO_SLOT;
    this.hitsAt = ((words[HEAD.participantsAt] >>> 2) + slot * PARTICIPANT.words + PARTICIPANT.hits) / 2;
  }

  private doubleWord(at: number): number {
    return (this.words[at] >>> 0) + (this.words[at + 1] >>> 0) * 2 ** 32;
  }

  /** Closes the attachment. The map remains for its other participants. */
  close(): void {
    if (this.id < 0) return;
    const { id } = this;
    this.id = -1;
    this.quick = QUICK.never;
    this.words = EMPTY_WORDS;
    this.doubles = EMPTY_DOUBLES;
    this.bytes = EMPTY_BYTES;
    registry.unregister(this);
    forgetCalls(id);
    native().sharedmapClose(id);
    this.region.release();
  }

  /** Throws `ERR_OFFHEAP_CLOSED` after {@link SharedMapTable.close}. */
  checkOpen(): void {
    if (this.id < 0) throw closed();
  }

  /** Throws if the map must not be changed: it was closed, or the option `choose` is running. */
  checkChange(): void {
    this.checkOpen();
    this.chooser?.check();
  }

  /** Calls native code with a change of the key in flight that stores no value of the message. */
  change<T>(call: () => T): T {
    if (this.chooser === undefined) return call();
    this.message.words[WORDS.valueHead] = 0;
    return this.chooser.changeOne(call);
  }

  /**
   * The word of the entry with the key in flight, or {@link ABSENT}. The result is only to be
   * trusted if {@link SharedMapTable.isValid} is true after everything else was read.
   */
  locate(): number {
    const { words, hash } = this;
    const home = this.enter();
    const tags = Math.imul((hash >>> 23) & 0xff, 0x01010101);
    let slots = slotsWithTag(words, home, tags);
    while (slots !== 0) {
      const slot = firstSlot(slots);
      slots &= slots - 1;
      const ref = words[home + 12 + slot];
      if (ref !== 0 && this.hasKey(ref << 1)) {
        this.metaAt = (home << 2) + 28 + slot;
        return ref << 1;
      }
    }
    return words[home + 1] === 0 ? ABSENT : this.locateInChain(words[home + 1], tags);
  }

  /** Whether the entry at a word has the key in flight. */
  private hasKey(at: number): boolean {
    const { words } = this;
    const second = words[at + 1];
    const keyAt = (second < 0 ? this.contentAt(at) : at + 2) + this.valueWords;
    if (this.keyClass === NARROW) return words[keyAt] === this.low;
    if (this.keyClass === WIDE) return words[keyAt] === this.low && words[keyAt + 1] === this.high;
    const head = this.low;
    const byte = words[at] >>> 24;
    if (byte >>> 2 === 63 ? words[at + 3] !== head : byte !== head) return false;
    const source = keyScratch.words;
    const count = keyScratch.length;
    for (let i = 1; i < count; i++) if (words[keyAt + i - 1] !== source[i]) return false;
    return true;
  }

  /** The word after the extension of an entry. */
  contentAt(at: number): number {
    const flags = this.words[at + 2];
    const length =
      1 + ((flags & FLAG.longKey) >> 1) + ((flags & FLAG.longValue) >> 2) + ((flags & FLAG.expires) << 1);
    return at + 2 + length + (length & 1);
  }

  private locateInChain(first: number, tags: number): number {
    const { words } = this;
    let next = first;
    for (let step = 0; next !== 0 && step < MAX_CHAIN; step++) {
      const at = next << 5;
      for (let slot = 0; slot < 20; slot++) {
        const shift = (slot & 3) << 3;
        const ref = words[at + 12 + slot];
        if (
          ((words[at + 2 + (slot >> 2)] ^ tags) >>> shift) << 24 === 0 &&
          ref !== 0 &&
          this.hasKey(ref << 1)
        ) {
          this.metaAt = (at << 2) + 28 + slot;
          return ref << 1;
        }
      }
      next = words[at + 1] ?? 0;
    }
    return ABSENT;
  }

  /** The word of the entry with the birth in flight in the chain of the hash in flight. */
  locateBirth(): number {
    const { words, hash, birth } = this;
    const tags = Math.imul((hash >>> 23) & 0xff, 0x01010101);
    let at = this.enter();
    for (let step = 0; step < MAX_CHAIN; step++) {
      for (let slot = 0; slot < 20; slot++) {
        const shift = (slot & 3) << 3;
        const ref = words[at + 12 + slot];
        if (
          ((words[at + 2 + (slot >> 2)] ^ tags) >>> shift) << 24 === 0 &&
          ref !== 0 &&
          (words[(ref << 1) + 1] & 0x3fffff) === birth
        ) {
          this.metaAt = (at << 2) + 28 + slot;
          return ref << 1;
        }
      }
      const next = words[at + 1] ?? 0;
      if (next === 0) break;
      at = next << 5;
    }
    return ABSENT;
  }

  /** The births of the entries in the chain of the hash in flight that have its tag. */
  birthsOf(): number[] {
    const { words, hash } = this;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const births: number[] = [];
      let at = this.enter();
      for (let step = 0; step < MAX_CHAIN; step++) {
        for (let slot = 0; slot < 20; slot++) {
          const tag = words[at + 2 + (slot >> 2)] >>> ((slot & 3) << 3);
          const ref = words[at + 12 + slot];
          if (((tag ^ (hash >>> 23)) & 0xff) === 0 && ref !== 0) {
            births.push(words[(ref << 1) + 1] & 0x3fffff);
          }
        }
        const next = words[at + 1] ?? 0;
        if (next === 0) break;
        at = next << 5;
      }
      if (this.isValid()) return births;
    }
    return [];
  }

  /** The word of the first bucket of the hash in flight. Notes what {@link isValid} compares. */
  private enter(): number {
    const { words, hash } = this;
    const shard = hash & this.shardMask;
    const shardAt = this.shardsAt + shard * this.shardStride;
    this.epochAt = shardAt + 2;
    this.epoch = words[shardAt + 2];
    const buckets = words[shardAt];
    const mask = (1 << (32 - Math.clz32(buckets - 1))) - 1;
    // Without a branch, which would be mispredicted half of the time.
    const whole = (hash >>> this.shardBits) & mask;
    const bucket = whole & ((mask >>> 1) | ((whole - buckets) >> 31));
    const page =
      words[this.directoriesAt + shard * this.directoryLength + (bucket >>> this.pageBucketShift)] - 1;
    const home =
      this.pagesAt + (page << this.pageWordShift) + ((bucket & ((1 << this.pageBucketShift) - 1)) << 5);
    this.homeAt = home;
    this.version = words[home];
    return home;
  }

  /** Puts the key in flight into the message. Returns the byte at which a value may follow. */
  putKey(): number {
    return putKey(this, this.message);
  }

  /** Whether everything that was read since {@link SharedMapTable.locate} belongs together. */
  isValid(): boolean {
    const { words } = this;
    if (PLAIN_LOADS) return words[this.homeAt] === this.version && words[this.epochAt] === this.epoch;
    // A word past the end of the region is that of a torn read.
    if (this.homeAt >= words.length) return false;
    return (
      Atomics.or(words, this.homeAt, 0) === this.version && Atomics.or(words, this.epochAt, 0) === this.epoch
    );
  }

  /** Counts a hit of the slot found last, and tells the policy. */
  recordHit(): void {
    if (this.isReader) return;
    const { doubles, hitsAt, bytes, metaAt } = this;
    const hits = doubles[hitsAt] + 1;
    doubles[hitsAt] = hits;
    const meta = bytes[metaAt];
    const clock = this.words[this.epochAt - 1];
    const marked = metaAfterHit(meta, clock, this.clockMask, this.mostHits);
    if (marked !== meta) {
      this.mark(marked);
      if (this.hitCountsAt !== 0) this.countHit(meta, clock);
    }
    if ((hits & SAMPLE_MASK) === 0) this.sample();
  }

  /**
   * Stores the policy byte of the slot found last, unless the slot may be used for something else
   * by now: this thread may have been interrupted for long. While a participant is marking, no page
   * with buckets is used for anything else, so validity lasts until the store.
   */
  private mark(meta: number): void {
    const { words } = this;
    const markingAt = this.hitsAt * 2 - PARTICIPANT.hits + PARTICIPANT.marking;
    // Atomic, so that the loads of the validation come after it.
    Atomics.store(words, markingAt, 1);
    if (this.isValid()) this.bytes[this.metaAt] = meta;
    if (PLAIN_LOADS) words[markingAt] = 0;
    else Atomics.store(words, markingAt, 0);
  }

  /** Tells `auto` how many hits an entry had, and how old it was, when it was hit again. */
  private countHit(meta: number, clock: number): void {
    const { clockMask } = this;
    const cell = (meta & ~clockMask) | ((clock - meta) & clockMask);
    this.words[this.epochAt - 2 + this.hitCountsAt + cell] += AUTO_STATE.event;
  }

  recordMiss(): void {
    if (this.isReader) return;
    this.doubles[this.hitsAt + 1]++;
  }

  private sample(): void {
    const { words } = this;
    const at = this.hitsAt * 2 - PARTICIPANT.hits;
    const count = words[at + PARTICIPANT.sample];
    words[at + PARTICIPANT.samples + (count & (PARTICIPANT.sampleCount - 1))] = this.hash;
    words[at + PARTICIPANT.sample] = count + 1;
  }

  /** Flags of an entry; 0 for one without extension. */
  flagsOf(at: number): number {
    return this.words[at + 1] < 0 ? this.words[at + 2] : 0;
  }

  /** The time at which an entry expires, in milliseconds since 1970; 0: never. */
  expiresAt(at: number, flags: number): number {
    if ((flags & FLAG.expires) === 0) return 0;
    const word = at + 3 + ((flags & FLAG.longKey) >> 1) + ((flags & FLAG.longValue) >> 2);
    timeWords[0] = this.words[word]!;
    timeWords[1] = this.words[word + 1]!;
    return time[0];
  }

  /** Whether an entry counts as present. */
  isLive(at: number): boolean {
    const flags = this.flagsOf(at);
    if ((flags & (FLAG.expires | FLAG.pending)) === 0) return true;
    return (flags & FLAG.pending) === 0 && this.expiresAt(at, flags) > Date.now();
  }

  /** Checks and hashes a key, which is in flight afterward. */
  encode(key: unknown): void {
    this.checkOpen();
    encodeKey(this, key);
  }

  /** A value of up to 4 bytes in the words of a message. */
  narrowValue(words: Int32Array, at: number): unknown {
    switch (this.valueType) {
      case TYPE.u32:
      case TYPE.u16:
      case TYPE.u8:
        return words[at] >>> 0;
      case TYPE.bool:
        return words[at] !== 0;
      case TYPE.f32:
        floatBits[0] = words[at]!;
        return float[0];
      default:
        return words[at];
    }
  }

  /** The key of `length` bytes that native code wrote to the message. */
  keyFromResult(length: number): unknown {
    const { message } = this;
    if (this.keyClass !== BLOB) return decodeNumber(this.keyType, message.words, PAYLOAD >> 2);
    const { bytes } = message;
    if (this.keyType === TYPE.bytes) return new Uint8Array(bytes.subarray(PAYLOAD, PAYLOAD + length));
    // The encoding is not returned: text that is valid UTF-8 is decoded as such.
    return readText(bytes, PAYLOAD, PAYLOAD + length, encodingOf(bytes, PAYLOAD, PAYLOAD + length));
  }

  /** Checks a key and puts it into the message. Returns the byte at which a value may follow. */
  prepare(key: unknown): number {
    this.checkOpen();
    encodeKey(this, key);
    return putKey(this, this.message);
  }

  /** Checks a key and puts it into the message. False for a key that is too long to be present. */
  prepareLookup(key: unknown): boolean {
    this.checkOpen();
    encodeKey(this, key);
    if (this.keyClass === BLOB && this.low >>> 2 > this.maxKey) return false;
    putKey(this, this.message);
    return true;
  }

  /** A key that native code returned in the message: of `length` bytes. */
  keyOf(head: number, at: number): unknown {
    const { message } = this;
    if (this.keyClass !== BLOB) return decodeNumber(this.keyType, message.words, at >> 2);
    return this.blobKey(message.bytes, head, at);
  }

  private blobKey(bytes: TextBuffer, head: number, at: number): unknown {
    const end = at + (head >>> 2);
    if (this.keyType === TYPE.bytes) return new Uint8Array(bytes.subarray(at, end));
    return readText(bytes, at, end, head & 3);
  }

  /** Repeats a call until the message is large enough. */
  call(run: () => number): number {
    for (;;) {
      const result = run();
      if (result >= 0) return result;
      const { message } = this;
      // The key is in the message, and is kept.
      message.ensure(-result);
    }
  }
}

const float = new Float32Array(1);
const floatBits = new Int32Array(float.buffer);
const time = new Float64Array(1);
const timeWords = new Int32Array(time.buffer);

/** The encoding of text: ASCII, or WTF-8, which includes UTF-8. */
function encodingOf(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) if (bytes[at] > 0x7f) return 2;
  return 0;
}

/** Closes the attachments of maps that were dropped. */
const registry = new FinalizationRegistry<number>((id) => {
  forgetCalls(id);
  native().sharedmapClose(id);
});

export function closed(): Error {
  return offheapError('ERR_OFFHEAP_CLOSED', 'the map was closed');
}
