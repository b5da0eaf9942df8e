/**
 * Vector: a contiguous array of numbers of one type outside the JavaScript heap, in one region of
 * bytes that can be shared with workers, saved, and opened by mapping. `docs/formats/vector.md`
 * specifies the bytes.
 *
 * Cost: `at`, `set`, `push`, `pop`: O(1), 1 to 2 ns; growth is in place and copies nothing as long
 * as the reserved address space lasts (64 times the initial capacity, from 64 KiB on; at least 1
 * GiB once the vector has grown past 4 MiB). `sort`: O(n), some 10 ns per element. `sum`, `min`,
 * `max`, `indexOf`, `fill`: the speed of memory.
 */
import type { PathLike } from 'node:fs';
import { atWide, Elements, vectorTableOf, type Values } from '../elements/elements.js';
import { DATA, initialize, MAX_CAPACITY, regionLength, VECTOR_TYPES, WORD } from '../elements/layout.js';
import { VectorTable } from '../elements/table.js';
import { native } from '../native.js';
import { TYPE, TYPE_NAMES, type JsType, type NumericType } from '../region/element.js';
import {
  attachStructure,
  constructing,
  openStructure,
  PLACEMENT_OPTIONS,
  placementOptions,
  regionStats,
  setTag,
  structureFromBytes,
  type RegionStats,
} from '../region/face.js';
import type { OpenOptions } from '../region/file.js';
import { choiceOption, integerOption, readOptions } from '../region/options.js';
import { Region } from '../region/region.js';
import { RegionSource } from '../region/table.js';
import type { Token } from '../region/token.js';

/** The capacity of a new vector, and the placement of its memory. */
export interface VectorOptions {
  /** Elements to make room for. The vector grows past it by itself. */
  capacity?: number;
  /** Advise the system to back the vector with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /** Keep the memory on this NUMA node. Default: the node of the first write. */
  numaNode?: number;
}

/** The result of {@link Vector.stats}. Sizes are in bytes. */
export interface VectorStats extends RegionStats {
  type: NumericType;
  /** The number of elements. */
  length: number;
  /** The number of elements that fit before the vector grows. */
  capacity: number;
  /** How many times the region was rearranged: sorted, or made longer or shorter. */
  rearrangements: number;
}

const OPTIONS = ['capacity', ...PLACEMENT_OPTIONS] as const;
/** Elements of a new vector that fit a cache line with the header's. */
const FIRST_BYTES = 64;

/**
 * A growable array of numbers outside the JavaScript heap.
 *
 * ```ts
 * const prices = new Vector('f64');
 * prices.push(3.5, 1.25);
 * prices.sort().at(-1); // 3.5
 * ```
 *
 * Types `u8 i8 u16 i16 u32 i32 f32 f64` hold numbers, `u64 i64` bigints. A value of the wrong type,
 * or out of range, throws `ERR_OFFHEAP_TYPE` or `ERR_OFFHEAP_RANGE`; `f32` takes any number and
 * rounds it, as a `Float32Array` does.
 *
 * {@link Vector.view} shows the elements as a typed array, without a copy. Other workers read the
 * same bytes ({@link Vector.share}), and see elements as they are added; a vector is saved and
 * opened without parsing ({@link Vector.save}, {@link Vector.open}).
 *
 * Errors, of every method: `ERR_OFFHEAP_CLOSED` after `close()`, `ERR_OFFHEAP_UNSUPPORTED` for a
 * change to a vector that is only read here, `ERR_OFFHEAP_LOCKED` for a change while `sortAsync` or
 * `argsortAsync` runs, `ERR_OFFHEAP_OOM` or `ERR_OFFHEAP_FULL` when it cannot grow,
 * `ERR_OFFHEAP_IO` when a mapped file was truncated. A refused operation changes nothing.
 */
export class Vector<T extends NumericType = NumericType> extends Elements<T> {
  readonly #table!: VectorTable;

  static {
    setTag(this.prototype, 'Vector');
  }

  /** An empty vector. */
  constructor(type: T, options?: VectorOptions);
  /** @internal */
  constructor(source: RegionSource);
  constructor(from: T | RegionSource, options?: VectorOptions) {
    if (new.target === Vector && holdsBigints(from)) return new WideVector<T>(from as T, options);
    const existing = from instanceof RegionSource;
    const table = new VectorTable(existing ? from.region : create(from, options));
    if (existing) table.initialize(from);
    else table.becomeOwner('the new vector');
    super(table);
    this.#table = table;
  }

  /** A vector with the elements of `values`. */
  static from<T extends NumericType>(type: T, values: Values<T>, options?: VectorOptions): Vector<T> {
    const Class = typeof this === 'function' ? this : Vector;
    const vector = new Class(type, options);
    vector.pushMany(values);
    return vector;
  }

  /**
   * Releases the memory that the elements do not need. A shared vector keeps its address space, and
   * so its bytes.
   */
  shrinkToFit(): this {
    const table = this.#table;
    table.beforeWrite();
    const length = regionLength(table.code, table.count);
    native().vectorSetRegion(table.region.bytes, length);
    table.region.shrink(length);
    table.rebindViews();
    return this;
  }

  /** Figures about the vector, for logs and dashboards. */
  stats(): VectorStats {
    const table = this.#table;
    return table.read(() => ({
      type: TYPE_NAMES[table.code] as NumericType,
      ...table.facts(),
      ...regionStats(table.region),
    }));
  }

  /**
   * Verifies what opening does not check: the checksum, and words that must be zero. Throws
   * `ERR_OFFHEAP_CORRUPT`. O(bytes).
   */
  validate(): void {
    const table = this.#table;
    table.read(() => native().vectorValidate(table.region.bytes));
  }

  // ---- sharing and saving

  /**
   * A vector that another thread shared, to read from. O(1). It sees elements as they are added.
   */
  static attach<T extends NumericType = NumericType>(token: Token): Vector<T> {
    return attachStructure(token, 'vector', constructing<Vector<T>>(this, Vector));
  }

  /**
   * Opens a saved vector by mapping its file: it reads only the header, whatever the size. Mode `r`
   * is for reading; in mode `rw` the first change copies the vector to memory, and the file changes
   * with the next `save` only.
   */
  static open<T extends NumericType = NumericType>(path: PathLike, options?: OpenOptions): Vector<T> {
    return openStructure(path, options, constructing<Vector<T>>(this, Vector));
  }

  /** A vector from the bytes of {@link Vector.toBytes}, which are copied. O(bytes). */
  static fromBytes<T extends NumericType = NumericType>(bytes: Uint8Array): Vector<T> {
    return structureFromBytes(bytes, constructing<Vector<T>>(this, Vector), true);
  }
}

/** A vector of bigints: see {@link atWide}. */
class WideVector<T extends NumericType> extends Vector<T> {
  readonly #table: VectorTable;

  static {
    // Users see one class.
    Object.defineProperty(this.prototype, 'constructor', { value: Vector });
  }

  constructor(from: T, options?: VectorOptions) {
    super(from, options);
    this.#table = vectorTableOf(this);
  }

  override at(index: number): JsType<T> | undefined {
    return atWide(this.#table, index) as JsType<T> | undefined;
  }
}

function holdsBigints(from: unknown): boolean {
  if (!(from instanceof RegionSource)) return from === 'u64' || from === 'i64';
  const type = from.region.head[WORD.type];
  return type === TYPE.u64 || type === TYPE.i64;
}

/** The region of a new, empty vector. */
function create(type: unknown, options: unknown): Region {
  const code = TYPE[choiceOption({ type }, 'type', VECTOR_TYPES)];
  const read = readOptions(options, OPTIONS, 'Vector');
  const capacity = integerOption(read, 'capacity', 0, MAX_CAPACITY, 0);
  const length = Math.max(regionLength(code, capacity), DATA + FIRST_BYTES);
  const region = Region.allocate(length, placementOptions(read), true);
  initialize(region.head, code, length);
  return region;
}
