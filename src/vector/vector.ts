/**
 * Vector: numbers of one type in a row, outside the JavaScript heap, in one region of bytes that
 * can be shared with workers, saved, and opened by mapping. `docs/formats/vector.md` specifies the
 * bytes.
 *
 * Cost: `at`, `set`, `push`, `pop`: O(1), 1 to 2 ns; growth is in place and copies nothing as long
 * as the address space reserved for it lasts (64 times the capacity that it was made with, from 64
 * KiB on; at least 1 GiB once it has grown past 4 MiB). `sort`: O(n), some 10 ns an element. `sum`,
 * `min`, `max`, `indexOf`, `fill`: the speed of memory.
 */
import { native } from '../native.js';
import { TYPE, TYPE_NAMES, type JsType, type NumericType } from '../region/element.js';
import type { OpenOptions } from '../region/file.js';
import { booleanOption, choiceOption, integerOption, readOptions } from '../region/options.js';
import { Region } from '../region/region.js';
import { attachStructure, openStructure, structureFromBytes } from '../region/face.js';
import { RegionSource } from '../region/table.js';
import type { Token } from '../region/token.js';
import { Elements, type Values } from './elements.js';
import { DATA, initialise, MAX_CAPACITY, regionLength, VECTOR_TYPES, WORD } from './layout.js';

/** How much room a new vector has, and where. */
export interface VectorOptions {
  /** Elements to make room for. The vector grows past it by itself. */
  capacity?: number;
  /** Advise the system to back the vector with huge pages. Default: from 4 MiB on. */
  hugePages?: boolean;
  /** Keep the memory on this NUMA node. Default: wherever it is first written. */
  numaNode?: number;
}

/** What {@link Vector.stats} tells. Sizes are in bytes. */
export interface VectorStats {
  type: NumericType;
  /** Elements there are. */
  length: number;
  /** Elements that fit before the vector grows. */
  capacity: number;
  /** How many times the region was rearranged: sorted, or made longer or shorter. */
  rearrangements: number;
  byteLength: number;
  /** Where the bytes are: this thread's memory, another thread's, or a mapped file. */
  origin: 'heap' | 'attached' | 'file';
  shared: boolean;
}

const OPTIONS = ['capacity', 'hugePages', 'numaNode'] as const;
/** What fits a cache line with the header's. */
const FIRST_BYTES = 64;

/**
 * A growing array of numbers outside the JavaScript heap.
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
 * `argsortAsync` runs, `ERR_OFFHEAP_OOM` or `ERR_OFFHEAP_FULL` when it can not grow,
 * `ERR_OFFHEAP_IO` when a mapped file was truncated. A refused operation changes nothing.
 */
export class Vector<T extends NumericType = NumericType> extends Elements<T> {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'Vector', configurable: true });
  }

  /** An empty vector. */
  constructor(type: T, options?: VectorOptions) {
    const given: unknown = type;
    if (new.target === Vector && holdsBigints(given)) return new WideVector(type, options);
    super(given instanceof RegionSource ? given.region : create(given, options));
    if (given instanceof RegionSource) this.initialize(given);
    else this.becomeOwner('the new vector');
  }

  /** A vector with the elements of `values`. */
  static from<T extends NumericType>(type: T, values: Values<T>, options?: VectorOptions): Vector<T> {
    const vector = new Vector(type, options);
    vector.pushMany(values);
    return vector;
  }

  /**
   * Gives back the memory that the elements do not need. A shared vector keeps its address space,
   * and so its bytes.
   */
  shrinkToFit(): this {
    this.beforeWrite();
    const length = regionLength(this.code, this.count);
    native().vectorSetRegion(this.region.bytes, length);
    this.region.shrink(length);
    this.rebindViews();
    return this;
  }

  /** Plain facts about the vector, for logs and dashboards. */
  stats(): VectorStats {
    return this.read(() => ({
      type: TYPE_NAMES[this.code] as NumericType,
      ...this.facts(),
      byteLength: this.region.buffer.byteLength,
      origin: this.region.origin,
      shared: this.region.shared || this.region.origin === 'attached',
    }));
  }

  /**
   * Proves what opening does not look at: the checksum, and words that must be zero. Throws
   * `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    this.read(() => native().vectorValidate(this.region.bytes));
  }

  // ---- sharing and saving

  /**
   * A vector that another thread shared, to read from. O(1). It sees elements as they are added.
   */
  static attach<T extends NumericType = NumericType>(token: Token): Vector<T> {
    return attachStructure(token, 'vector', (adopted) => new Vector<T>(adopted as never));
  }

  /**
   * Opens a saved vector by mapping its file: nothing is read but the header, whatever the size.
   * Mode `r` is for reading; in mode `rw` the first change copies the vector to memory, and the
   * file changes with the next `save` only.
   */
  static open<T extends NumericType = NumericType>(path: string, options?: OpenOptions): Vector<T> {
    return openStructure(path, options, (adopted) => new Vector<T>(adopted as never));
  }

  /** A vector out of the bytes of {@link Vector.toBytes}, which are copied. O(bytes). */
  static fromBytes<T extends NumericType = NumericType>(bytes: Uint8Array): Vector<T> {
    return structureFromBytes(bytes, (adopted) => new Vector<T>(adopted as never), true);
  }
}

/**
 * A vector of bigints. It reads by itself, so that V8 knows that the others give numbers, and boxes
 * none: they are read five times as fast in a program that has both.
 */
class WideVector<T extends NumericType> extends Vector<T> {
  static {
    // To the outside there is one class.
    Object.defineProperty(this.prototype, 'constructor', { value: Vector });
  }

  protected override load(index: number): bigint {
    return this.loadWide(index);
  }

  override at(index: number): JsType<T> | undefined {
    const there = Number.isInteger(index) && index >= 0 && index < this.count;
    return (there ? this.load(index) : this.atElsewhere(index)) as JsType<T> | undefined;
  }
}

function holdsBigints(given: unknown): boolean {
  if (!(given instanceof RegionSource)) return given === 'u64' || given === 'i64';
  const type = given.region.head[WORD.type];
  return type === TYPE.u64 || type === TYPE.i64;
}

/** The region of a new, empty vector. */
function create(type: unknown, options: unknown): Region {
  const code = TYPE[choiceOption({ type }, 'type', VECTOR_TYPES)];
  const read = readOptions(options, OPTIONS, 'Vector');
  const capacity = integerOption(read, 'capacity', 0, MAX_CAPACITY, 0);
  const placement = {
    hugePages: booleanOption(read, 'hugePages', undefined),
    numaNode: integerOption(read, 'numaNode', 0, 1023, undefined),
  };
  const length = Math.max(regionLength(code, capacity), DATA + FIRST_BYTES);
  const region = Region.allocate(length, placement, true);
  initialise(region.head, code, length);
  return region;
}
