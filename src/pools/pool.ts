/**
 * What all pools have in common: a run of bytes outside the JavaScript heap, cut into blocks that
 * are handed out as offsets. `docs/formats/pools.md` has the bytes of each pool.
 *
 * An offset counts from the first byte of the pool's data, so `pool.f64[offset / 8]` is the first
 * double of a block, and what bookkeeping the pool has lies outside its views: a wild index can
 * spoil other blocks, never the pool.
 *
 * A pool is no {@link Structure}: it does not grow, move or get saved, so it has neither readers'
 * checks nor files. Where several threads use one, its own protocol says how.
 *
 * For those who write a pool: `alloc`, `tryAlloc` and `free` stand in each class, not here, because
 * a method that classes share shares what the engine learns about it, and a call of an overridden
 * method in it would be a slow one.
 */
import { inspect, type InspectOptionsStylized } from 'node:util';
import { offheapError, rangeError, typeError } from '../errors.js';
import { describe } from '../region/options.js';

declare const offsetBrand: unique symbol;
/**
 * Where a block begins, in bytes from the start of the pool's views. An ordinary number: store it
 * anywhere.
 */
export type Offset = number & { readonly [offsetBrand]: 'Pool' };

/** What `tryAlloc` gives instead of an offset where there is no room. */
export type NoRoom = -1;
export const NO_ROOM: NoRoom = -1;

/** Options that every pool has. */
export interface SafetyOptions {
  /**
   * Fill each block with zeros when it is freed. Default: false. Costs the writing of the block.
   */
  zeroOnFree?: boolean;
  /**
   * Put {@link GUARD_BYTES} known bytes behind each block and look at them when it is freed. If
   * they changed, `free` throws `ERR_OFFHEAP_CORRUPT`, and the block stays as it is, to be looked
   * at. Default: false.
   */
  guards?: boolean;
}
export const SAFETY_OPTIONS = ['zeroOnFree', 'guards'] as const;

/** What `stats()` of every pool tells; each adds more. Sizes are in bytes. */
export interface PoolStats {
  /** Off-heap bytes held, bookkeeping included. */
  byteLength: number;
  /** Bytes that blocks can have in all. */
  capacityBytes: number;
  /** Bytes of the blocks that are allocated now, as rounded up by the pool. */
  usedBytes: number;
  /** How many blocks are allocated now. */
  usedBlocks: number;
  /** How many requests found no room. */
  failures: number;
}

export abstract class Pool {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'Pool', configurable: true });
  }
  declare readonly [Symbol.toStringTag]: string;

  /**
   * The pool's memory, as numbers of each type: `u32[offset / 4]`. Empty once the pool is closed.
   */
  declare readonly u8: Uint8Array;
  declare readonly i8: Int8Array;
  declare readonly u16: Uint16Array;
  declare readonly i16: Int16Array;
  declare readonly u32: Uint32Array;
  declare readonly i32: Int32Array;
  declare readonly f32: Float32Array;
  declare readonly f64: Float64Array;
  declare readonly u64: BigUint64Array;
  declare readonly i64: BigInt64Array;
  protected closed = false;
  /** Structured cloning would make a dead object; it refuses functions, and shows their text. */
  protected readonly uncloneable = uncloneable;

  /** Makes the views, of `length` bytes from `start` on; both are multiples of 8. */
  protected mount(buffer: ArrayBufferLike, start: number, length: number): void {
    const views: Views = {
      u8: new Uint8Array(buffer, start, length),
      i8: new Int8Array(buffer, start, length),
      u16: new Uint16Array(buffer, start, length / 2),
      i16: new Int16Array(buffer, start, length / 2),
      u32: new Uint32Array(buffer, start, length / 4),
      i32: new Int32Array(buffer, start, length / 4),
      f32: new Float32Array(buffer, start, length / 4),
      f64: new Float64Array(buffer, start, length / 8),
      u64: new BigUint64Array(buffer, start, length / 8),
      i64: new BigInt64Array(buffer, start, length / 8),
    };
    Object.assign(this, views);
  }

  /** What messages call it: `FixedPool`. */
  protected abstract get noun(): string;

  /**
   * A block of at least `bytes` bytes. Its contents are what was there before (zeros at first;
   * always with `zeroOnFree`). Throws `ERR_OFFHEAP_FULL` where there is no room,
   * `ERR_OFFHEAP_RANGE` if `bytes` is no integer from 0 up.
   */
  abstract alloc(bytes: number): Offset;

  /** As {@link Pool.alloc}, but -1 where there is no room. */
  abstract tryAlloc(bytes: number): Offset | NoRoom;

  /**
   * Gives a block back. An offset that is no allocated block's is refused, and nothing changes:
   * `ERR_OFFHEAP_STALE` for one that was freed already, `ERR_OFFHEAP_RANGE` for one where no block
   * begins.
   */
  abstract free(offset: number): void;

  /** Off-heap bytes held, bookkeeping included. */
  abstract get byteLength(): number;

  abstract stats(): PoolStats;

  /**
   * How many bytes the allocated block at `offset` has. Throws as {@link Pool.free} does for any
   * other offset.
   */
  protected abstract roomAt(offset: number): number;

  /** Drops what the subclass holds. Called once. */
  protected abstract release(): void;

  /**
   * The first `bytes` bytes of an allocated block. Costs a new `Uint8Array`, some 30 ns: in inner
   * loops index the views instead. Throws `ERR_OFFHEAP_RANGE` if the block is shorter, and as
   * {@link Pool.free} if there is none.
   */
  view(offset: number, bytes: number): Uint8Array {
    const room = this.roomAt(offset);
    if (!isSize(bytes)) throw badSize(bytes);
    if (bytes > room) throw rangeError(`the block at ${offset} has ${room} bytes, not ${bytes}`);
    return this.u8.subarray(offset, offset + bytes);
  }

  /**
   * Allocates a block that frees itself: `using block = pool.acquire(64)`. Costs two objects;
   * `alloc` costs none.
   */
  acquire(bytes: number): Block {
    const offset = this.alloc(bytes);
    return new Block(this, offset, this.u8.subarray(offset, offset + bytes));
  }

  /** Gives the memory up: every later operation throws `ERR_OFFHEAP_CLOSED`. Twice is fine. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.release();
    this.mount(NOTHING, 0, 0);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** `{}`: otherwise `JSON.stringify` would write out the memory, a number at a time. */
  toJSON(): object {
    return {};
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized, show: typeof inspect): string {
    if (this.closed) return `${this.noun} (closed)`;
    return depth < 0 ? `[${this.noun}]` : `${this.noun} ${show(this.stats(), { ...options, depth: 1 })}`;
  }

  // ---- for subclasses: errors, out of the way of the code that is fast

  protected checkOpen(): void {
    if (this.closed) throw offheapError('ERR_OFFHEAP_CLOSED', `this ${this.noun} was closed`);
  }

  protected full(bytes: number): Error {
    return offheapError('ERR_OFFHEAP_FULL', `this ${this.noun} has no room for ${bytes} bytes`);
  }

  /** For an offset that no allocated block has. `freed`: a block could begin there. */
  protected notAllocated(offset: unknown, freed: boolean): Error {
    if (typeof offset !== 'number') return typeError(`an offset is a number, not ${describe(offset)}`);
    return freed
      ? offheapError('ERR_OFFHEAP_STALE', `no block of this ${this.noun} is allocated at ${offset}`)
      : rangeError(`no block of this ${this.noun} begins at ${offset}`);
  }
}

/** A block of a pool that goes back when a `using` declaration ends, or by {@link Block.free}. */
export class Block {
  private pool: Pool | undefined;
  private readonly view: Uint8Array;

  /** @internal */
  constructor(
    pool: Pool,
    /** Where it begins in the pool's views. */
    readonly offset: Offset,
    view: Uint8Array,
  ) {
    this.pool = pool;
    this.view = view;
  }

  /**
   * The block's bytes, as many as were asked for. Throws `ERR_OFFHEAP_STALE` once the block was
   * freed.
   */
  get bytes(): Uint8Array {
    if (this.pool === undefined) {
      throw offheapError('ERR_OFFHEAP_STALE', `the block at ${this.offset} was freed`);
    }
    return this.view;
  }

  /** Gives the block back to its pool. Twice is fine. */
  free(): void {
    const { pool } = this;
    if (pool === undefined) return;
    pool.free(this.offset);
    this.pool = undefined;
  }

  [Symbol.dispose](): void {
    this.free();
  }
}

type Views = Pick<Pool, 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'f64' | 'u64' | 'i64'>;
const NOTHING = new ArrayBuffer(0);
const uncloneable = (): string => 'post the token that share() gives, or offsets, not the pool';

/** Whether a value is a size: an integer from 0 up. */
export function isSize(bytes: unknown): bytes is number {
  return (
    typeof bytes === 'number' && bytes >= 0 && bytes <= Number.MAX_SAFE_INTEGER && Math.floor(bytes) === bytes
  );
}

/** What is wrong with a size that is none. */
export function badSize(bytes: unknown): Error {
  return typeof bytes === 'number'
    ? rangeError(`a size must be an integer from 0 up, not ${bytes}`)
    : typeError(`a size must be a number, not ${describe(bytes)}`);
}

// ---- guards and zeros

/** How many bytes stand guard behind a block: its class is chosen for so many more. */
export const GUARD_BYTES = 16;

/**
 * Writes the guard at `at`, which follows the block that begins at `block`. The bytes differ from
 * block to block and none is 0, so that neither a run of zeros nor a neighbour's guard copied over
 * looks right.
 */
export function writeGuard(u8: Uint8Array, at: number, block: number): void {
  for (let i = 0; i < GUARD_BYTES; i++) u8[at + i] = guardByte(block, i);
}

/** The first guard byte at `at` that is not what {@link writeGuard} wrote, or -1. */
export function brokenGuard(u8: Uint8Array, at: number, block: number): number {
  for (let i = 0; i < GUARD_BYTES; i++) if (u8[at + i] !== guardByte(block, i)) return i;
  return -1;
}

/** Byte `i` of the guard of a block: the same in `native/core/src/pools/guard.rs`. */
function guardByte(block: number, i: number): number {
  return (Math.imul((block >>> 3) + i, 0x9e3779b1) >>> 24) | 1;
}

export function guardError(offset: number, bytes: number, broken: number): Error {
  return offheapError(
    'ERR_OFFHEAP_CORRUPT',
    `the block at ${offset} has ${bytes} bytes, and byte ${bytes + broken} behind them was overwritten; it stays allocated`,
  );
}

/** Zeros a block. */
export function zero(f64: Float64Array, offset: number, bytes: number): void {
  fillWords(f64, 0, offset / 8, (offset + bytes) / 8);
}

/**
 * Fills words of 8 bytes. `fill` on shared memory stores one element after the other, so wide ones
 * are 7 times as quick as bytes; a few are quicker by hand, as a call of it costs 15 ns.
 */
export function fillWords(f64: Float64Array, value: number, from: number, to: number): void {
  if (to - from > 16) f64.fill(value, from, to);
  else for (let at = from; at < to; at++) f64[at] = value;
}
