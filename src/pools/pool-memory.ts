/**
 * The memory of a pool: its region, the typed-array views of its data, and whether this thread may
 * use it. Every pool has a table object that owns a {@link PoolMemory} and the bookkeeping.
 */
import { offheapError, rangeError, typeError } from '../errors.js';
import { describe } from '../region/options.js';
import type { Region } from '../region/region.js';
import type { RegionSource } from '../region/table.js';

declare const offsetBrand: unique symbol;
/**
 * The position of a block, in bytes from the start of the pool's views. An ordinary number: store
 * it anywhere.
 */
export type Offset = number & { readonly [offsetBrand]: 'Pool' };

/** The result of `tryAlloc` when the pool has no room. */
export type NoRoom = -1;
export const NO_ROOM: NoRoom = -1;

/** See {@link PoolMemory.blocks}. */
export type BlockObjects = Map<number, object>;

const NOTHING = new ArrayBuffer(0);

/**
 * The same class for all pools, so that the getters of the views, which all pools inherit, read
 * objects of one hidden class. With a subclass for each pool `pool.f64[i]` took 8 ns instead of 1.
 */
export class PoolMemory {
  u8!: Uint8Array;
  i8!: Int8Array;
  u16!: Uint16Array;
  i16!: Int16Array;
  u32!: Uint32Array;
  i32!: Int32Array;
  f32!: Float32Array;
  f64!: Float64Array;
  u64!: BigUint64Array;
  i64!: BigInt64Array;
  closed = false;
  /** The object of each block that `acquire` returned, by offset, until it is freed. */
  readonly blocks: BlockObjects = new Map();
  /** Whether the program has seen a view, which then stays valid after `close()`. */
  exposed = false;

  readonly region: Region;
  /** Whether the region is this thread's own, or was attached. */
  readonly owner: boolean;

  constructor(
    /** The class name for error messages: `FixedPool`. */
    readonly label: string,
    source: RegionSource,
  ) {
    this.region = source.region;
    this.owner = source.owner;
    source.consumed = true;
    this.mapViews(NOTHING, 0, 0);
  }

  /** Creates the views of `length` bytes from `start` on; both are multiples of 8. */
  mapViews(buffer: ArrayBufferLike, start: number, length: number): void {
    this.u8 = new Uint8Array(buffer, start, length);
    this.i8 = new Int8Array(buffer, start, length);
    this.u16 = new Uint16Array(buffer, start, length / 2);
    this.i16 = new Int16Array(buffer, start, length / 2);
    this.u32 = new Uint32Array(buffer, start, length / 4);
    this.i32 = new Int32Array(buffer, start, length / 4);
    this.f32 = new Float32Array(buffer, start, length / 4);
    this.f64 = new Float64Array(buffer, start, length / 8);
    this.u64 = new BigUint64Array(buffer, start, length / 8);
    this.i64 = new BigInt64Array(buffer, start, length / 8);
  }

  /** Releases the region and empties the views. */
  release(): void {
    if (this.exposed) this.region.exposed = true;
    this.region.release();
    this.mapViews(NOTHING, 0, 0);
  }

  checkOpen(): void {
    if (this.closed) throw offheapError('ERR_OFFHEAP_CLOSED', `this ${this.label} was closed`);
  }

  /** Before any allocation or free of a pool that one thread owns. */
  checkOwner(): void {
    this.checkOpen();
    if (this.owner) return;
    throw offheapError(
      'ERR_OFFHEAP_UNSUPPORTED',
      `this ${this.label} belongs to another thread: blocks can be read and written here, not allocated or freed`,
    );
  }

  fullError(bytes: number): Error {
    return offheapError('ERR_OFFHEAP_FULL', `this ${this.label} has no room for ${bytes} bytes`);
  }

  /** The error for an offset at which a block could begin, but none is allocated. */
  notAllocatedError(offset: unknown): Error {
    return offheapError(
      'ERR_OFFHEAP_STALE',
      `no block of this ${this.label} is allocated at ${String(offset)}`,
    );
  }

  /** The error for an offset at which no block can begin. */
  notBlockError(offset: unknown): Error {
    return typeof offset === 'number'
      ? rangeError(`no block of this ${this.label} begins at ${offset}`)
      : typeError(`an offset must be a number, not ${describe(offset)}`);
  }
}

/** Whether a value is a size: an integer from 0 up. */
export function isSize(bytes: unknown): bytes is number {
  return (
    typeof bytes === 'number' && bytes >= 0 && bytes <= Number.MAX_SAFE_INTEGER && Math.floor(bytes) === bytes
  );
}

/** The error for a value that is not a size. */
export function sizeError(bytes: unknown): Error {
  return typeof bytes === 'number'
    ? rangeError(`a size must be an integer from 0 up, not ${bytes}`)
    : typeError(`a size must be a number, not ${describe(bytes)}`);
}
