/**
 * The public base class of pools: memory outside the JavaScript heap, divided into blocks that are
 * handed out as offsets. `docs/formats/pools.md` specifies the bytes of each pool.
 *
 * An offset counts from the first byte of the pool's data, so `pool.f64[offset / 8]` is the first
 * double of a block. The bookkeeping lies outside the views: a wrong index can overwrite other
 * blocks, but never the pool's own state.
 *
 * A pool is not a {@link Structure}: it never moves and cannot be saved, so it needs neither the
 * checks of readers nor files. A pool that several threads use has a protocol of its own.
 *
 * # Recipe for a pool
 *
 * 1. Write a table class that implements {@link PoolTable}: the {@link PoolMemory}, the
 *    bookkeeping, and the slow paths.
 * 2. Write the public class: `class X extends Pool` with a `readonly #table: XTable`, which it also
 *    passes to `super`. Implement `alloc`, `tryAlloc` and `free` in each class, although they look
 *    alike: V8 collects type feedback per function, so a method that several classes share would be
 *    polymorphic, and its calls of overridden methods slow.
 * 3. A constructor also accepts a {@link RegionSource} (an `@internal` overload), for `attach`.
 */
import { inspect, type InspectOptionsStylized } from 'node:util';
import { offheapError, rangeError } from '../errors.js';
import { inspectIfOpen, setTag } from '../region/face.js';
import { booleanOption, type Options } from '../region/options.js';
import { Uncloneable } from '../region/uncloneable.js';
import {
  isSize,
  sizeError,
  type BlockObjects,
  type NoRoom,
  type Offset,
  type PoolMemory,
} from './pool-memory.js';

/** Options that every pool has. */
export interface SafetyOptions {
  /** Fill each block with zeros when it is freed. Default: false. Costs one write of the block. */
  zeroOnFree?: boolean;
  /**
   * Write {@link GUARD_BYTES} known bytes after each block, and compare them when it is freed. If
   * they changed, `free` throws `ERR_OFFHEAP_CORRUPT` and the block stays allocated for inspection.
   * Default: false.
   */
  guards?: boolean;
}
export const SAFETY_OPTIONS = ['zeroOnFree', 'guards'] as const;

/** The bits of the options word of every pool's header. */
const ZERO_ON_FREE = 1;
const GUARDS = 2;

/** The safety options as bits of the options word. */
export function safetyFlags(options: Options): number {
  return (
    (booleanOption(options, 'zeroOnFree', false) ? ZERO_ON_FREE : 0) |
    (booleanOption(options, 'guards', false) ? GUARDS : 0)
  );
}

/** The figures that `stats()` of every pool returns; each pool adds more. Sizes are in bytes. */
export interface PoolStats {
  /** Bytes held outside the JavaScript heap, bookkeeping included. */
  byteLength: number;
  /** The total number of bytes available to blocks. */
  capacityBytes: number;
  /** Bytes of the blocks that are allocated now, as rounded up by the pool. */
  usedBytes: number;
  /** The number of blocks that are allocated now. */
  usedBlocks: number;
  /** The number of requests that failed for lack of room. */
  failures: number;
}

/** The state of a pool, as the base class needs it. */
export interface PoolTable {
  readonly memory: PoolMemory;
  /** The number of bytes of the allocated block at `offset`; throws as {@link Pool.free} does. */
  roomAt(offset: number): number;
  /** Drops the bookkeeping, so that every fast path fails. Called once, before the memory goes. */
  release(): void;
}

/**
 * Deep equality compares own enumerable properties only, so without one all pools of a class would
 * be equal. Its key is a symbol, which `Object.keys`, `for…in` and `JSON.stringify` skip.
 */
const CONTENTS = Symbol('contents');
const contents: PropertyDescriptor & ThisType<Pool> = {
  enumerable: true,
  get(): unknown {
    return this.u8.length === 0 ? 'closed' : [this.stats(), this.u8];
  },
};

export abstract class Pool extends Uncloneable {
  static {
    setTag(this.prototype, 'Pool');
  }
  declare readonly [Symbol.toStringTag]: string;

  /**
   * Not a private field: methods of this class see objects of every pool's hidden class, and V8
   * reads a private field of many hidden classes by a hash lookup (12 ns).
   * @internal
   */
  declare protected readonly memory: PoolMemory;
  /** @internal */
  declare protected readonly table: PoolTable;

  /** @internal */
  constructor(table: PoolTable) {
    super();
    Object.defineProperties(this, {
      memory: { value: table.memory },
      table: { value: table },
      [CONTENTS]: contents,
    });
  }

  /** The pool's memory as unsigned bytes: `u8[offset]`. Empty once the pool is closed. */
  get u8(): Uint8Array {
    const { memory } = this;
    memory.exposed = true;
    return memory.u8;
  }

  /** The pool's memory as signed bytes: `i8[offset]`. */
  get i8(): Int8Array {
    const { memory } = this;
    memory.exposed = true;
    return memory.i8;
  }

  /** The pool's memory as unsigned integers of 16 bits: `u16[offset / 2]`. */
  get u16(): Uint16Array {
    const { memory } = this;
    memory.exposed = true;
    return memory.u16;
  }

  /** The pool's memory as signed integers of 16 bits: `i16[offset / 2]`. */
  get i16(): Int16Array {
    const { memory } = this;
    memory.exposed = true;
    return memory.i16;
  }

  /** The pool's memory as unsigned integers of 32 bits: `u32[offset / 4]`. */
  get u32(): Uint32Array {
    const { memory } = this;
    memory.exposed = true;
    return memory.u32;
  }

  /** The pool's memory as signed integers of 32 bits: `i32[offset / 4]`. */
  get i32(): Int32Array {
    const { memory } = this;
    memory.exposed = true;
    return memory.i32;
  }

  /** The pool's memory as floats of 32 bits: `f32[offset / 4]`. */
  get f32(): Float32Array {
    const { memory } = this;
    memory.exposed = true;
    return memory.f32;
  }

  /** The pool's memory as doubles: `f64[offset / 8]`. */
  get f64(): Float64Array {
    const { memory } = this;
    memory.exposed = true;
    return memory.f64;
  }

  /** The pool's memory as unsigned bigints of 64 bits: `u64[offset / 8]`. */
  get u64(): BigUint64Array {
    const { memory } = this;
    memory.exposed = true;
    return memory.u64;
  }

  /** The pool's memory as signed bigints of 64 bits: `i64[offset / 8]`. */
  get i64(): BigInt64Array {
    const { memory } = this;
    memory.exposed = true;
    return memory.i64;
  }

  /**
   * Allocates a block of at least `bytes` bytes. It has the contents that its memory had before:
   * zeros at first, and always with `zeroOnFree`. Throws `ERR_OFFHEAP_FULL` if the pool has no
   * room, `ERR_OFFHEAP_RANGE` if `bytes` is not an integer from 0 up.
   */
  abstract alloc(bytes: number): Offset;

  /** Like {@link Pool.alloc}, but returns -1 if the pool has no room. */
  abstract tryAlloc(bytes: number): Offset | NoRoom;

  /**
   * Returns a block to the pool. Any other offset is refused, and nothing changes:
   * `ERR_OFFHEAP_STALE` if the block was already freed, `ERR_OFFHEAP_RANGE` if no block begins
   * there.
   */
  abstract free(offset: number): void;

  abstract stats(): PoolStats;

  /** The number of bytes held outside the JavaScript heap, bookkeeping included. */
  get byteLength(): number {
    const { memory } = this;
    memory.checkOpen();
    return memory.region.buffer.byteLength;
  }

  /**
   * The first `bytes` bytes of an allocated block. Creates a `Uint8Array`, which costs some 30 ns:
   * index the views instead in inner loops. Throws `ERR_OFFHEAP_RANGE` if the block is shorter, and
   * like {@link Pool.free} if no block is allocated there.
   */
  view(offset: number, bytes: number): Uint8Array {
    const room = this.table.roomAt(offset);
    if (!isSize(bytes)) throw sizeError(bytes);
    if (bytes > room) throw rangeError(`the block at ${offset} has ${room} bytes, not ${bytes}`);
    return this.u8.subarray(offset, offset + bytes);
  }

  /**
   * Allocates a block that is freed automatically: `using block = pool.acquire(64)`. Creates two
   * objects; `alloc` creates none.
   */
  acquire(bytes: number): Block {
    const offset = this.alloc(bytes);
    return new Block(this, offset, this.u8.subarray(offset, offset + bytes), this.memory.blocks);
  }

  /**
   * Releases the memory. Every later operation throws `ERR_OFFHEAP_CLOSED`, except `close()`
   * itself.
   */
  close(): void {
    const { memory } = this;
    if (memory.closed) return;
    memory.closed = true;
    this.table.release();
    memory.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** `{}`: without this, `JSON.stringify` would write the memory as numbers. */
  toJSON(): object {
    return {};
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized, show: typeof inspect): string {
    const { label, closed } = this.memory;
    return inspectIfOpen(label, closed ? 'closed' : 'open', options, () =>
      depth < 0 ? `[${label}]` : `${label} ${show(this.stats(), { ...options, depth: 1 })}`,
    );
  }
}

/**
 * A block that is returned to its pool at the end of a `using` declaration or by {@link
 * Block.free}.
 */
export class Block {
  /** The position of the block in the pool's views. */
  readonly offset: Offset;
  #pool: Pool | undefined;
  readonly #bytes: Uint8Array;
  readonly #blocks: BlockObjects | undefined;

  /** @internal */
  constructor(pool: Pool, offset: Offset, bytes: Uint8Array, blocks?: BlockObjects) {
    this.offset = offset;
    this.#pool = pool;
    this.#bytes = bytes;
    this.#blocks = blocks;
    blocks?.set(offset, this);
  }

  /**
   * The bytes of the block, as many as were requested. Throws `ERR_OFFHEAP_STALE` once the block
   * was freed.
   */
  get bytes(): Uint8Array {
    if (this.#pool === undefined || !this.#isCurrent()) throw this.#staleError();
    return this.#bytes;
  }

  /**
   * Returns the block to its pool. Further calls do nothing. Throws `ERR_OFFHEAP_STALE` if the
   * block was freed by its offset and `acquire` has returned another one there since. (A block that
   * `alloc` returned there is not distinguished: do not free a `Block` by its offset.)
   */
  free(): void {
    const pool = this.#pool;
    if (pool === undefined) return;
    if (!this.#isCurrent()) throw this.#staleError();
    pool.free(this.offset);
    this.#blocks?.delete(this.offset);
    this.#pool = undefined;
  }

  /** Arenas release blocks by resets, and have a check of their own. */
  #isCurrent(): boolean {
    return this.#blocks === undefined || this.#blocks.get(this.offset) === this;
  }

  #staleError(): Error {
    return offheapError('ERR_OFFHEAP_STALE', `the block at ${this.offset} was freed`);
  }

  [Symbol.dispose](): void {
    this.free();
  }
}
