/**
 * SuffixArray: all suffixes of a text in order, so that any string is found in it, and counted, in
 * O(string · log text). `docs/formats/compress.md` specifies the bytes: the text, and four bytes
 * for each of its.
 */
import { inspect, type InspectOptionsStylized } from 'node:util';
import { isUint8Array } from 'node:util/types';
import { rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { Background } from '../region/background.js';
import type { WorkOptions } from '../region/progress.js';
import { type OpenOptions } from '../region/file.js';
import { align, HEADER_BYTES } from '../region/format.js';
import { describe } from '../region/options.js';
import { NO_PLACEMENT, Region, type Origin } from '../region/region.js';
import { attachStructure, openStructure, structureFromBytes } from '../region/face.js';
import { LegacyStructure } from '../region/legacy.js';
import { RegionSource } from '../region/table.js';
import type { Token } from '../region/token.js';
import { intrinsicLength } from '../region/typed-array.js';
import { MAX_TEXT, placeOf, readSuffixes } from './layout.js';

/**
 * What {@link SuffixArray.search} finds: the first rank whose suffix begins with the pattern, and
 * how many do.
 */
export interface Found {
  start: number;
  count: number;
}

/** What {@link SuffixArray.stats} tells. */
export interface SuffixArrayStats {
  /** Bytes of the text. */
  length: number;
  byteLength: number;
  origin: Origin;
  shared: boolean;
}

const NO_TEXT = new Uint8Array(0);
const NO_RANKS = new Int32Array(0);

/**
 * The suffixes of a text, sorted by their bytes.
 *
 * ```ts
 * const array = SuffixArray.build(new TextEncoder().encode('banana'));
 * array.search('an'); // { start: 1, count: 2 }
 * array.at(1); // 3: the suffix of rank 1 is 'ana', from byte 3 on
 * ```
 *
 * Errors, of every method: `ERR_OFFHEAP_TYPE` and `ERR_OFFHEAP_RANGE` for arguments,
 * `ERR_OFFHEAP_CLOSED` after `close()`.
 */
export class SuffixArray extends LegacyStructure<'suffixarray'> {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'SuffixArray', configurable: true });
  }
  declare readonly [Symbol.toStringTag]: string;

  private bytes: Uint8Array = NO_TEXT;
  private positions: Int32Array = NO_RANKS;

  private constructor(adopted: RegionSource) {
    super(adopted.region);
    this.initialize(adopted);
  }

  /**
   * Sorts the suffixes of a text, which is copied: up to 2^31 − 2 bytes, in linear time for any
   * text. `ERR_OFFHEAP_OOM`.
   */
  static build(text: Uint8Array): SuffixArray {
    const { region, length } = laidOut(text);
    native().suffixarrayBuild(region.bytes, length);
    return make(new RegionSource(region, true, 'the new suffix array'));
  }

  /**
   * {@link SuffixArray.build} off the main thread. The text is copied at the call. The sorting can
   * not be interrupted: an abort is seen when it is done, and progress is told then.
   */
  static async buildAsync(text: Uint8Array, options?: WorkOptions): Promise<SuffixArray> {
    const job = Background.from(options, 'buildAsync');
    const { region, length } = laidOut(text);
    try {
      await job.run((control) => native().suffixarrayBuildAsync(region.bytes, length, control));
      return make(new RegionSource(region, true, 'the new suffix array'));
    } catch (error) {
      region.release();
      throw error;
    }
  }

  protected get kind(): 'suffixarray' {
    return 'suffixarray';
  }

  protected get label(): string {
    return 'suffix array';
  }

  protected bindViews(what: string): void {
    const { region } = this;
    const length = readSuffixes(region.head, region.bytes.length, what);
    this.bytes = new Uint8Array(region.buffer, HEADER_BYTES, length);
    this.positions = new Int32Array(region.buffer, placeOf(length), length);
  }

  protected dropViews(): void {
    this.bytes = NO_TEXT;
    this.positions = NO_RANKS;
  }

  protected check(region: Region, length: number, what: string): void {
    readSuffixes(region.head, length, what);
  }

  /** Bytes of the text, and suffixes. */
  get length(): number {
    this.beforeRead();
    return this.bytes.length;
  }

  /** Where the suffix of a rank begins, or `undefined` for a rank that there is none of. */
  at(rank: number): number | undefined {
    this.beforeRead();
    if (typeof rank !== 'number') throw typeError(`a rank is a number, not ${describe(rank)}`);
    return this.read(() => this.positions[rank]);
  }

  /**
   * Which suffixes begin with a pattern, bytes or a string, which is looked for as UTF-8. All begin
   * with an empty one.
   */
  search(pattern: Uint8Array | string): Found {
    this.beforeRead();
    const wanted = typeof pattern === 'string' ? new TextEncoder().encode(pattern) : pattern;
    if (!isUint8Array(wanted))
      throw typeError(`a pattern is a Uint8Array or a string, not ${describe(pattern)}`);
    return this.read(() => {
      const start = this.bound(wanted, false);
      return { start, count: Math.max(start, this.bound(wanted, true)) - start };
    });
  }

  /**
   * The first rank whose suffix is not less than the pattern; with `past`, the first that does not
   * begin with it either.
   */
  private bound(pattern: Uint8Array, past: boolean): number {
    let [from, to] = [0, this.positions.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      const order = this.compare(this.positions[middle], pattern);
      if (order < 0 || (past && order === 0)) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  private compare(position: number, pattern: Uint8Array): number {
    const { bytes } = this;
    for (let i = 0; i < pattern.length; i++) {
      // Past the end, and in damaged bytes anywhere, there is nothing, which is less.
      const order = (bytes[position + i] ?? -1) - pattern[i];
      if (order !== 0) return order;
    }
    return 0;
  }

  /** Counts and sizes. */
  stats(): SuffixArrayStats {
    this.beforeRead();
    const { region } = this;
    return {
      length: this.bytes.length,
      byteLength: region.buffer.byteLength,
      origin: region.origin,
      shared: region.shared || region.origin === 'attached',
    };
  }

  /**
   * Proves the checksum, and that all suffixes are there, in order: O(n). Throws
   * `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    this.read(() => native().suffixarrayValidate(this.region.bytes));
  }

  /** A suffix array that another thread shared. O(1). */
  static attach(token: Token): SuffixArray {
    return attachStructure(token, 'suffixarray', make);
  }

  /** Opens a saved suffix array by mapping its file. */
  static open(path: string, options?: OpenOptions): SuffixArray {
    return openStructure(path, options, make);
  }

  /** A suffix array out of what {@link SuffixArray.toBytes} gave, which is copied. */
  static fromBytes(bytes: Uint8Array): SuffixArray {
    return structureFromBytes(bytes, make);
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const state = this.describeState();
    if (state !== 'open') return `${options.stylize('SuffixArray', 'special')} { ${state} }`;
    return `SuffixArray(${this.bytes.length})`;
  }

  /** @internal */
  static adopted(adopted: RegionSource): SuffixArray {
    return new SuffixArray(adopted);
  }
}

function make(adopted: RegionSource): SuffixArray {
  return SuffixArray.adopted(adopted);
}

/**
 * A region for the suffixes of a text, which is copied to its place; not yet sorted, and without a
 * header.
 */
function laidOut(text: unknown): { region: Region; length: number } {
  if (!isUint8Array(text)) throw typeError(`a text is a Uint8Array, not ${describe(text)}`);
  const length = intrinsicLength(text);
  if (length > MAX_TEXT) throw rangeError(`a text of ${length} bytes is longer than 2^31 - 2`);
  const region = Region.allocate(align(placeOf(length) + length * 4), NO_PLACEMENT);
  new Uint8Array(region.buffer, HEADER_BYTES, length).set(text);
  return { region, length };
}
