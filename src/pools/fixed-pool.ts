/**
 * FixedPool: a bounded pool for one thread, with O(1) alloc and free. It allocates nothing after
 * construction.
 *
 * The data is an array of blocks of the largest size class. A free block can be split into blocks
 * of the class below, and is merged again once all parts are free, so freed small blocks serve
 * larger requests. With one class, alloc pops a list and free pushes, about 3 ns each; with several
 * each takes some 10 ns more for each class that it splits or merges. `docs/formats/pools.md`
 * specifies the bytes, `native/core/src/pools/fixed/` is the implementation in Rust.
 *
 * The lists are kept apart from the blocks, in one word for each smallest block: a program that
 * writes to a freed block damages no list, and double and invalid frees are detected.
 */
import { rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import {
  attachStructure,
  constructing,
  PLACEMENT_OPTIONS,
  placementOptions,
  setTag,
} from '../region/face.js';
import { checkInteger, describe, readOptions } from '../region/options.js';
import { Region } from '../region/region.js';
import { RegionSource } from '../region/table.js';
import { shareRegion, type Token } from '../region/token.js';
import { MAX_CLASSES, MAX_SIZE, MAX_UNITS, shapeOf, WORD, writeShape } from './fixed-pool-layout.js';
import { FixedPoolTable, type FixedPoolStats } from './fixed-pool-table.js';
import { GUARD_BYTES } from './guards.js';
import type { NoRoom, Offset } from './pool-memory.js';
import { Pool, SAFETY_OPTIONS, safetyFlags, type SafetyOptions } from './pool.js';

/** The size of a FixedPool, and the sizes of its blocks. */
export type FixedPoolOptions = SafetyOptions & {
  /** Advise the system to back the pool with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /** Keep the memory on this NUMA node. Default: the node of the first write. */
  numaNode?: number;
} & (
    | {
        /** The size of each block, rounded up to a multiple of 8. */
        blockSize: number;
        /** The number of blocks. */
        blocks: number;
      }
    | {
        /**
         * Sizes of blocks, 1 to 16 of them. Each is rounded up to a multiple of 8 and of the next
         * smaller one, so that freed blocks merge into larger ones.
         */
        classes: readonly number[];
        /** Room for this many blocks of each class at once: one number for all, or one for each. */
        blocks: number | readonly number[];
      }
  );

const OPTIONS = ['blockSize', 'classes', 'blocks', ...PLACEMENT_OPTIONS, ...SAFETY_OPTIONS];

/** Header words and bits that the fast paths use. V8 folds constants of the same module only. */
const WORD_FREE = WORD.free;
const WORD_USED = WORD.used;
const WORD_PEAK = WORD.peak;
const ALLOCATED = -0x80000000;
const LINK = 0x7fffffff;

/**
 * A fixed number of blocks, allocated and freed in O(1) by one thread.
 *
 * ```ts
 * const pool = new FixedPool({ blockSize: 64, blocks: 1000 });
 * const at = pool.alloc(48);
 * pool.f64[at / 8] = 1.5;
 * pool.free(at);
 * ```
 *
 * A block begins at a multiple of the largest power of two that divides its size. Other threads
 * that {@link FixedPool.attach} see the contents of all blocks; only the pool's own thread
 * allocates and frees.
 */
export class FixedPool extends Pool {
  readonly #table: FixedPoolTable;

  static {
    setTag(this.prototype, 'FixedPool');
  }

  constructor(options: FixedPoolOptions);
  /** @internal */
  constructor(source: RegionSource);
  constructor(from: FixedPoolOptions | RegionSource) {
    const table = new FixedPoolTable(from instanceof RegionSource ? from : create(from));
    super(table);
    this.#table = table;
  }

  /**
   * A pool that another thread shared: its views and `stats()`. Allocating and freeing throw
   * `ERR_OFFHEAP_UNSUPPORTED`.
   */
  static attach(token: Token<'fixedpool'>): FixedPool {
    return attachStructure(token, 'fixedpool', constructing<FixedPool>(this, FixedPool));
  }

  /** A pool for packets and buffers: `blocks` each of 64 B, 256 B, 1 KiB, 4 KiB and 16 KiB. */
  static buffers(blocks = 256, options: SafetyOptions = {}): FixedPool {
    return new FixedPool({ classes: [64, 256, 1024, 4096, 16_384], blocks, ...options });
  }

  alloc(bytes: number): Offset {
    const offset = this.tryAlloc(bytes);
    if (offset < 0) throw this.#table.memory.fullError(bytes);
    return offset as Offset;
  }

  tryAlloc(bytes: number): Offset | NoRoom {
    const table = this.#table;
    if (typeof bytes === 'number' && bytes <= table.fastLimit && bytes >>> 0 === bytes) {
      const { words } = table;
      const head = words[WORD_FREE];
      if (head >>> 0 < table.units) {
        const at = table.unitWords + head;
        const link = words[at];
        const next = (head + 1 + link) & LINK;
        if (link >= 0 && next <= table.units) {
          words[WORD_FREE] = next;
          words[at] = ALLOCATED;
          const used = (words[WORD_USED] + 1) | 0;
          words[WORD_USED] = used;
          if (used > words[WORD_PEAK]) words[WORD_PEAK] = used;
          return (head * table.unitBytes) as Offset;
        }
      }
    }
    return table.allocSlow(bytes);
  }

  free(offset: number): void {
    const table = this.#table;
    if (table.fastLimit >= 0 && typeof offset === 'number') {
      const unit = table.shift < 32 ? offset >>> table.shift : ((offset + 0.5) * table.inverse) >>> 0;
      if (unit < table.units && unit * table.unitBytes === offset) {
        const { words } = table;
        const at = table.unitWords + unit;
        if (words[at] === ALLOCATED) {
          words[at] = (words[WORD_FREE] - unit - 1) & LINK;
          words[WORD_FREE] = unit;
          words[WORD_USED] = words[WORD_USED] - 1;
          return;
        }
      }
    }
    table.freeSlow(offset);
  }

  /** Verifies the bookkeeping; throws `ERR_OFFHEAP_CORRUPT`. O(blocks). */
  validate(): void {
    const { memory } = this.#table;
    memory.checkOpen();
    native().fixedpoolValidate(memory.region.bytes);
  }

  stats(): FixedPoolStats {
    return this.#table.stats();
  }

  /** A token for other threads, which access the pool's blocks through {@link FixedPool.attach}. */
  share(): Token<'fixedpool'> {
    const { memory } = this.#table;
    memory.checkOpen();
    return shareRegion(memory.region, 'fixedpool');
  }
}

/** The region of a new pool. */
function create(given: unknown): RegionSource {
  const options = readOptions(given, OPTIONS, 'FixedPool');
  const { blockSize, classes, blocks } = options;
  if ((blockSize === undefined) === (classes === undefined)) {
    throw typeError('FixedPool needs either blockSize or classes');
  }
  const sizes = integers(
    classes ?? [blockSize],
    classes === undefined ? 'blockSize' : 'classes',
    MAX_SIZE - GUARD_BYTES,
  );
  if (sizes.length < 1 || sizes.length > MAX_CLASSES) {
    throw rangeError(`classes must be 1 to ${MAX_CLASSES} sizes, not ${sizes.length}`);
  }
  const counts = integers(typeof blocks === 'object' ? blocks : sizes.map(() => blocks), 'blocks', MAX_UNITS);
  if (counts.length !== sizes.length) {
    throw rangeError(`blocks must be a number, or one for each of ${sizes.length} classes`);
  }
  const flags = safetyFlags(options);
  const shape = shapeOf(
    sizes.map((size, i) => ({ size, blocks: counts[i] })),
    flags,
  );
  const region = Region.fixed(shape.length, placementOptions(options));
  writeShape(new Int32Array(region.buffer, 0, shape.data / 4), shape);
  return new RegionSource(region, true, 'this FixedPool');
}

function integers(list: unknown, name: string, max: number): number[] {
  if (!Array.isArray(list)) throw typeError(`${name} must be an array of numbers, not ${describe(list)}`);
  return Array.from(list as unknown[], (item) => checkInteger(item, name, 1, max));
}
