/**
 * What a vector does with many elements at once: one crossing into Rust each, at the speed of
 * memory.
 *
 * Readers of another thread's vector repeat what a rearrangement disturbed; see {@link
 * Structure.read}.
 */
import { isFloat64Array } from 'node:util/types';
import { allocating, rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { column } from '../region/arguments.js';
import { Background } from '../region/background.js';
import type { WorkOptions } from '../region/progress.js';
import { badElement, COLUMN_ARRAYS, isElement, TYPE } from '../region/element.js';
import type { AnyTypedArray } from '../region/typed-array.js';
import { describe } from '../region/options.js';
import { OWNER, READER } from '../region/table.js';
import { intrinsicLength } from '../region/typed-array.js';
import { Access } from './access.js';

/** Up to so many elements are filled without a call. */
const FILL_HERE = 256;
/** Indices beyond this many take doubles. */
const MAX_NARROW = 4_294_967_296;

/**
 * An array of one element for each type, in which single elements go to native code and come back.
 */
const ONE = COLUMN_ARRAYS.map((Column) =>
  Column === undefined ? undefined : new Column(new ArrayBuffer(8), 0, 1),
);

export abstract class Bulk extends Access {
  /** An array of one element; the next call for the type uses it again. */
  private one(value: unknown): AnyTypedArray {
    const one = ONE[this.code]!;
    (one as unknown as unknown[])[0] = value;
    return one;
  }

  /** Whether elements are bigints. */
  protected get wide(): boolean {
    return this.code === TYPE.u64 || this.code === TYPE.i64;
  }

  /**
   * Elements as a typed array of the vector's type, all checked, in memory that growth does not
   * move.
   */
  private elements(values: unknown, what: string): AnyTypedArray {
    const check = (value: unknown): void => {
      if (!isElement(value, this.code)) throw badElement(`an element of ${what}`, this.code, value);
    };
    return column(values, this.code, what, check, this.region.buffer) as AnyTypedArray;
  }

  protected appendMany(values: unknown): number {
    this.beforeWrite();
    const list = this.elements(values, 'values');
    // Reading an iterable runs user code, which may have closed or changed the vector.
    this.beforeWrite();
    // A detached array has no elements, and can not be asked for them.
    if (list.length === 0) return this.count;
    const count = this.count + list.length;
    this.grow(count);
    (this.items as Float64Array).set(list as Float64Array, this.count);
    this.setCount(count);
    return count;
  }

  protected fillRange(value: unknown, start: unknown, end: unknown): void {
    this.beforeWrite();
    this.checkElement(value);
    const from = relative(start, this.count, 0);
    const to = relative(end, this.count, this.count);
    // Conversions of the bounds may run user code.
    this.beforeWrite();
    const { items, count } = this;
    const first = Math.min(from, count);
    const last = Math.min(to, count);
    if (first < last) this.checkOpen(first);
    // V8 fills shared memory with a loop: it has begun before a call has crossed over, and is soon
    // overtaken.
    if (last - first < FILL_HERE) (items as Float64Array).fill(value as number, first, last);
    else native().vectorFill(this.region.bytes, this.one(value), first, last);
  }

  protected summed(): number | bigint {
    return this.read(() => native().vectorSum(this.region.bytes, this.wide));
  }

  protected extreme(greatest: boolean): unknown {
    return this.read(() => {
      const one = ONE[this.code]!;
      return native().vectorExtreme(this.region.bytes, greatest, one) ? one[0] : undefined;
    });
  }

  /** As `Array.prototype.indexOf`: what the type can not hold is nowhere. */
  protected find(value: unknown, from: unknown, nan: boolean): number {
    const start = relative(from, this.total(), 0);
    if (!isElement(value, this.code)) return this.nowhere();
    if (this.code === TYPE.f32 && Math.fround(value as number) !== value && value === value)
      return this.nowhere();
    return this.read(() => native().vectorIndexOf(this.region.bytes, this.one(value), start, nan));
  }

  private nowhere(): number {
    this.beforeRead();
    return -1;
  }

  /** Binary search in the order of sorting, with all NaNs equal, and −0 equal to 0. */
  protected searchFor(value: unknown): number {
    this.checkSearched(value);
    if (this.role === OWNER) return this.bisect(value as number, this.count);
    return this.read(() => this.bisect(value as number, this.countNow()));
  }

  private checkSearched(value: unknown): void {
    if (typeof value !== (this.wide ? 'bigint' : 'number')) {
      this.beforeRead();
      throw typeError(
        `this vector is searched for a ${this.wide ? 'bigint' : 'number'}, not for ${describe(value)}`,
      );
    }
  }

  private bisect(value: number, count: number): number {
    const items = this.items as Float64Array;
    let low = 0;
    let high = count;
    // NaN is after all numbers; else NaNs are not less than anything.
    const nan = value !== value;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const x = items[middle];
      if (nan ? x === x : x < value) low = middle + 1;
      else high = middle;
    }
    if (low < count) {
      const x = items[low];
      if (nan ? x !== x : x === value) return low;
    }
    return -low - 1;
  }

  protected searchForMany(values: unknown, out: unknown): Float64Array {
    this.beforeRead();
    const list = this.elements(values, 'values');
    const answers =
      out === undefined
        ? allocating('indices', list.length * 8, () => new Float64Array(list.length))
        : checkAnswers(out, list.length);
    this.read(() => native().vectorSearch(this.region.bytes, list, answers));
    return answers;
  }

  // ---- sorting

  protected sortNow(): void {
    this.beforeWrite();
    if (this.count > 0) this.checkOpen(0);
    native().vectorSort(this.region.bytes);
  }

  protected async sortLater(options: WorkOptions | undefined): Promise<void> {
    const job = Background.from(options, 'sortAsync');
    this.beforeWrite();
    if (this.count > 0) this.checkOpen(0);
    await this.inBackground(job, (bytes, control) => native().vectorSortAsync(bytes, control));
  }

  protected order(): Uint32Array | Float64Array {
    // An owner on another thread may take elements away between the count and the call.
    for (let patience = 100; ; patience--) {
      const out = indices(this.total());
      try {
        this.read(() => native().vectorArgsort(this.region.bytes, out));
        return out;
      } catch (error) {
        if (this.total() >= out.length || patience === 0) throw error;
      }
    }
  }

  protected async orderLater(options: WorkOptions | undefined): Promise<Uint32Array | Float64Array> {
    const job = Background.from(options, 'argsortAsync');
    for (;;) {
      const out = indices(this.total());
      const { bytes } = this.region;
      try {
        await this.inBackground(job, (_, control) => native().vectorArgsortAsync(bytes, out, control));
        // A file that was lost meanwhile read as zeros.
        this.beforeRead();
        return out;
      } catch (error) {
        // The owner, on another thread, may have made the region longer than was seen from here.
        if (this.role !== READER) throw error;
        this.beforeRead();
        if (this.region.bytes === bytes) throw error;
      }
    }
  }
}

/** Where the answers of a bulk search go. */
function checkAnswers(out: unknown, count: number): Float64Array {
  if (!isFloat64Array(out)) throw typeError(`out must be a Float64Array, not ${describe(out)}`);
  const length = intrinsicLength(out);
  if (length < count) throw rangeError(`out holds ${length} elements where there are ${count} values`);
  return out;
}

function indices(count: number): Uint32Array | Float64Array {
  return allocating('indices', count * (count <= MAX_NARROW ? 4 : 8), () =>
    count <= MAX_NARROW ? new Uint32Array(count) : new Float64Array(count),
  );
}

/**
 * An index that counts from the end if it is negative, within 0 to `count`; as `Array` reads them.
 */
function relative(value: unknown, count: number, absent: number): number {
  if (value === undefined) return absent;
  if (typeof value !== 'number') throw typeError(`an index must be a number, not ${describe(value)}`);
  const index = Number.isNaN(value) ? 0 : Math.trunc(value);
  return index < 0 ? Math.max(0, count + index) : Math.min(index, count);
}
