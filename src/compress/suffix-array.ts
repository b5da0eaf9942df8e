/**
 * SuffixArray: all suffixes of a text in sorted order, with which any string is found and counted
 * in O(string · log text). `docs/formats/compress.md` specifies the bytes: the text, and four bytes
 * for each byte of it.
 */
import type { PathLike } from 'node:fs';
import { inspect, TextEncoder, type InspectOptionsStylized } from 'node:util';
import { isUint8Array } from 'node:util/types';
import { rangeError, typeError } from '../errors.js';
import { native } from '../native.js';
import { Background } from '../region/background.js';
import {
  attachStructure,
  constructing,
  inspectIfOpen,
  openStructure,
  regionStats,
  setTag,
  structureFromBytes,
  type RegionStats,
} from '../region/face.js';
import type { OpenOptions } from '../region/file.js';
import { align, HEADER_BYTES } from '../region/format.js';
import { describe } from '../region/options.js';
import type { WorkOptions } from '../region/progress.js';
import { NO_PLACEMENT, Region } from '../region/region.js';
import { Structure } from '../region/structure.js';
import { RegionSource, RegionTable } from '../region/table.js';
import type { Token } from '../region/token.js';
import { intrinsicLength, refuseDetached } from '../region/typed-array.js';
import { MAX_TEXT, positionsStart, readSuffixes } from './layout.js';

/**
 * The result of {@link SuffixArray.search}: the first rank whose suffix begins with the pattern,
 * and the number of such suffixes.
 */
export interface Found {
  start: number;
  count: number;
}

/** The result of {@link SuffixArray.stats}. */
export interface SuffixArrayStats extends RegionStats {
  /** Bytes of the text. */
  length: number;
}

const NO_TEXT = new Uint8Array(0);
const NO_RANKS = new Int32Array(0);

class SuffixArrayTable extends RegionTable<'suffixarray'> {
  text: Uint8Array = NO_TEXT;
  /** The position of the suffix of each rank. */
  positions: Int32Array = NO_RANKS;

  get kind(): 'suffixarray' {
    return 'suffixarray';
  }

  get label(): string {
    return 'suffix array';
  }

  bindViews(what: string): void {
    const { region } = this;
    const length = readSuffixes(region.head, region.bytes.length, what);
    this.text = new Uint8Array(region.buffer, HEADER_BYTES, length);
    this.positions = new Int32Array(region.buffer, positionsStart(length), length);
  }

  dropViews(): void {
    this.text = NO_TEXT;
    this.positions = NO_RANKS;
  }

  check(region: Region, length: number, what: string): void {
    readSuffixes(region.head, length, what);
  }

  /**
   * The first rank whose suffix is not less than the pattern; with `past`, the first rank after
   * those that begin with it.
   */
  bound(pattern: Uint8Array, past: boolean): number {
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
    const { text } = this;
    for (let i = 0; i < pattern.length; i++) {
      // Past the end there is no byte, which is less than any. Corrupt positions can be anywhere.
      const order = (text[position + i] ?? -1) - pattern[i];
      if (order !== 0) return order;
    }
    return 0;
  }
}

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
export class SuffixArray extends Structure<'suffixarray'> {
  readonly #table: SuffixArrayTable;

  static {
    setTag(this.prototype, 'SuffixArray');
  }
  declare readonly [Symbol.toStringTag]: string;

  /** @internal Use {@link SuffixArray.build}. */
  constructor(source: RegionSource) {
    if (!(source instanceof RegionSource)) throw typeError('use SuffixArray.build or SuffixArray.open');
    const table = new SuffixArrayTable(source.region);
    table.initialize(source);
    super(table);
    this.#table = table;
  }

  /**
   * Sorts the suffixes of a text, which is copied: up to 2^31 − 2 bytes, in linear time for any
   * text. Throws `ERR_OFFHEAP_OOM`.
   */
  static build(text: Uint8Array): SuffixArray {
    const { region, length } = layOut(text);
    native().suffixarrayBuild(region.bytes, length);
    return sourceOf(this, region);
  }

  /**
   * {@link SuffixArray.build} off the main thread. The text is copied at the call. The sorting
   * cannot be interrupted: it notices an abort, and reports progress, at the end.
   */
  static async buildAsync(text: Uint8Array, options?: WorkOptions): Promise<SuffixArray> {
    const job = Background.from(options, 'buildAsync');
    const { region, length } = layOut(text);
    try {
      await job.run((control) => native().suffixarrayBuildAsync(region.bytes, length, control));
      return sourceOf(this, region);
    } catch (error) {
      region.release();
      throw error;
    }
  }

  /** The number of bytes of the text, and of suffixes. */
  get length(): number {
    this.#table.beforeRead();
    return this.#table.text.length;
  }

  /** The position of the suffix of a rank; `undefined` if there is no such rank. O(1). */
  at(rank: number): number | undefined {
    const table = this.#table;
    table.beforeRead();
    if (typeof rank !== 'number') throw typeError(`a rank is a number, not ${describe(rank)}`);
    return table.read(() => table.positions[rank]);
  }

  /**
   * Finds the suffixes that begin with a pattern: bytes, or a string, which is searched as UTF-8.
   * All suffixes begin with an empty pattern.
   */
  search(pattern: Uint8Array | string): Found {
    const table = this.#table;
    table.beforeRead();
    const wanted = typeof pattern === 'string' ? new TextEncoder().encode(pattern) : pattern;
    if (!isUint8Array(wanted))
      throw typeError(`a pattern is a Uint8Array or a string, not ${describe(pattern)}`);
    refuseDetached(wanted, 'the pattern');
    return table.read(() => {
      const start = table.bound(wanted, false);
      return { start, count: Math.max(start, table.bound(wanted, true)) - start };
    });
  }

  /** Counts and sizes. */
  stats(): SuffixArrayStats {
    const table = this.#table;
    table.beforeRead();
    return { length: table.text.length, ...regionStats(table.region) };
  }

  /**
   * Verifies the checksum, and that all suffixes are there, in order: O(n). Throws
   * `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    const table = this.#table;
    table.read(() => native().suffixarrayValidate(table.region.bytes));
  }

  /** A suffix array that another thread shared. O(1). */
  static attach(token: Token): SuffixArray {
    return attachStructure(token, 'suffixarray', constructing<SuffixArray>(this, SuffixArray));
  }

  /** Opens a saved suffix array by mapping its file. */
  static open(path: PathLike, options?: OpenOptions): SuffixArray {
    return openStructure(path, options, constructing<SuffixArray>(this, SuffixArray));
  }

  /** A suffix array from the bytes of {@link SuffixArray.toBytes}, which are copied. */
  static fromBytes(bytes: Uint8Array): SuffixArray {
    return structureFromBytes(bytes, constructing<SuffixArray>(this, SuffixArray));
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const table = this.#table;
    return inspectIfOpen('SuffixArray', table.describeState(), options, () => {
      return `SuffixArray(${table.text.length})`;
    });
  }
}

function sourceOf(called: unknown, region: Region): SuffixArray {
  return constructing<SuffixArray>(
    called,
    SuffixArray,
  )(new RegionSource(region, true, 'the new suffix array'));
}

/** A region with a copy of the text, without a header and before sorting. */
function layOut(text: unknown): { region: Region; length: number } {
  if (!isUint8Array(text)) throw typeError(`a text is a Uint8Array, not ${describe(text)}`);
  refuseDetached(text, 'the text');
  const length = intrinsicLength(text);
  if (length > MAX_TEXT) throw rangeError(`a text of ${length} bytes is longer than 2^31 - 2`);
  const region = Region.allocate(align(positionsStart(length) + length * 4), NO_PLACEMENT);
  new Uint8Array(region.buffer, HEADER_BYTES, length).set(text);
  return { region, length };
}
