/**
 * RecordStore: millions of small records, each compressed on its own and readable on its own.
 * `docs/formats/compress.md` specifies the bytes, which never change.
 *
 * Cost: `get` finds the position of the record in an Elias-Fano sequence, about a byte per record,
 * and decompresses the record; the call into native code is a large part of it. `getMany` reads
 * many in one call.
 */
import type { PathLike } from 'node:fs';
import { inspect, type InspectOptionsStylized } from 'node:util';
import { allocating, messageOf, offheapError, typeError } from '../errors.js';
import { native } from '../native.js';
import type { RecordStoreHandle } from '../native/recordstore.js';
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
import { HEADER_BYTES } from '../region/format.js';
import { IteratorPrototype } from '../region/iteration.js';
import type { Json } from '../region/element.js';
import { describe, integerOption, readOptions } from '../region/options.js';
import { readWorkOptions, type WorkOptions } from '../region/progress.js';
import type { Region } from '../region/region.js';
import { Structure } from '../region/structure.js';
import { RegionSource, RegionTable } from '../region/table.js';
import type { Token } from '../region/token.js';
import { MAX_LEVEL } from './compressor.js';
import { Dictionary, MIN_BYTES, type TrainOptions } from './dictionary.js';
import { indexList } from './indices.js';
import { readStore, type StoreShape } from './layout.js';
import { growing, room } from './result-buffer.js';
import { StoreBuilder } from './store-builder.js';
import { checkTexts, type Texts } from './texts.js';

/** The options of {@link RecordStore.build}. */
export interface BuildOptions extends WorkOptions {
  /** The dictionary to compress with. Default: one is trained. */
  dictionary?: Dictionary;
  /**
   * The options for training one. Default: up to 112 KiB, but no more than an eighth of the
   * records. An array is sampled from end to end. Anything else can be read only once: a dictionary
   * is trained on the first 16 MiB; if there are more, another one is trained at the end on 16 MiB
   * from all records, and if that makes the records smaller, they are compressed again.
   */
  train?: Pick<TrainOptions, 'maxBytes'>;
  /**
   * 1 (fastest) to 9 (smallest), as for `Compressor`. Default: 6, because a store is written once
   * and read often: compared with 3 it takes a sixth less memory and nearly five times as long to
   * build, and reading costs the same.
   */
  level?: number;
}

/** The result of {@link RecordStore.stats}. */
export interface RecordStoreStats extends RegionStats {
  /** The number of records. */
  length: number;
  /** Bytes of all records before compression. */
  rawBytes: number;
  /** Bytes of all records after compression. */
  compressedBytes: number;
  /** Bytes of the longest record before compression. */
  longest: number;
  /** Bytes of the dictionary. */
  dictionaryBytes: number;
}

const NO_SHAPE: StoreShape = { length: 0, payload: 0, longest: 0, total: 0, dictionary: 0, bytes: 0 };
const DEFAULT_LEVEL = 6;
/** The number of records that iteration reads at once. */
const ITERATED = 256;

class RecordStoreTable extends RegionTable<'recordstore'> {
  opened: RecordStoreHandle | undefined;
  shape: StoreShape = NO_SHAPE;

  get kind(): 'recordstore' {
    return 'recordstore';
  }

  get label(): string {
    return 'record store';
  }

  bindViews(what: string): void {
    const { region } = this;
    this.shape = readStore(region.head, region.bytes.length, what);
    this.opened = native().recordstoreOpen(region.bytes);
  }

  dropViews(): void {
    this.opened = undefined;
  }

  check(region: Region, length: number, what: string): void {
    readStore(region.head, length, what);
  }

  has(index: unknown): index is number {
    this.beforeRead();
    if (typeof index !== 'number') throw typeError(`an index is a number, not ${describe(index)}`);
    return index >= 0 && index < this.shape.length && Number.isInteger(index);
  }

  /** The size to try after `size` was too small for a record. */
  nextSize(size: number): number {
    const { longest } = this.shape;
    if (size >= longest && size > 0) tooLong();
    return Math.min(Math.max(size, 2 ** 16) * 8, longest);
  }

  getMany(list: Float64Array): Uint8Array[] {
    const ends = new Float64Array(list.length);
    const { length, total, longest } = this.shape;
    // The average size of this many records, and half as much again.
    let size = Math.ceil(Math.min(total / Math.max(1, length), longest) * list.length * 1.5) + 256;
    for (;;) {
      const out = allocating('the records', size, () => new Uint8Array(size));
      const written = native().recordstoreGetMany(this.opened!, list, ends, out);
      if (written >= 0) {
        const found = new Array<Uint8Array>(list.length);
        for (let i = 0, from = 0; i < list.length; i++) {
          found[i] = new Uint8Array(out.buffer, from, ends[i] - from);
          from = ends[i];
        }
        return found;
      }
      const most = longest * list.length;
      if (size >= most) tooLong();
      size = Math.min(size * 4, most);
    }
  }
}

/**
 * Records that are compressed one by one. A store is immutable.
 *
 * ```ts
 * const store = await RecordStore.build(records);
 * store.getString(3);
 * await store.save('records.store');
 * ```
 *
 * Errors, of every method: `ERR_OFFHEAP_TYPE` and `ERR_OFFHEAP_RANGE` for arguments,
 * `ERR_OFFHEAP_CORRUPT` if the bytes are corrupt, `ERR_OFFHEAP_CLOSED` after `close()`,
 * `ERR_OFFHEAP_IO` if a mapped file was truncated.
 */
export class RecordStore extends Structure<'recordstore'> implements Iterable<Uint8Array> {
  readonly #table: RecordStoreTable;

  static {
    setTag(this.prototype, 'RecordStore');
  }
  declare readonly [Symbol.toStringTag]: string;

  /** @internal Use {@link RecordStore.build}. */
  constructor(source: RegionSource) {
    if (!(source instanceof RegionSource)) throw typeError('use RecordStore.build or RecordStore.open');
    const table = new RecordStoreTable(source.region);
    table.initialize(source);
    super(table);
    this.#table = table;
  }

  /**
   * Builds a store of records, bytes or strings, in their order. Needs memory for the store
   * (temporarily twice) and some 64 MiB, not for the records. Compresses on another thread.
   * `onProgress` counts records; the total is the length of an array, otherwise the number so far.
   * Rejects with the signal's reason when that aborts.
   */
  static async build(records: Texts, options?: BuildOptions): Promise<RecordStore> {
    const known = ['dictionary', 'train', 'level', 'signal', 'onProgress'] as const;
    const read = readOptions(options, known, 'RecordStore.build');
    const level = integerOption(read, 'level', 1, MAX_LEVEL, DEFAULT_LEVEL);
    const { signal, onProgress } = readWorkOptions(read);
    const maxBytes = trainingOf(read['train']);
    const { dictionary } = read;
    if (dictionary !== undefined && !(dictionary instanceof Dictionary)) {
      throw typeError(`dictionary must be a Dictionary, not ${describe(dictionary)}`);
    }
    const list = checkTexts(records, 'records');
    const region = await StoreBuilder.build({ dictionary, maxBytes, level, signal, onProgress }, list);
    return constructing<RecordStore>(this, RecordStore)(new RegionSource(region, true, 'the new store'));
  }

  // ---- reading

  /** The number of records. */
  get length(): number {
    this.#table.beforeRead();
    return this.#table.shape.length;
  }

  /**
   * Record `index`, or `undefined` if there is none. The caller owns the array. A small one is a
   * view of a pool of 16 KiB that it shares with other results, as with Node's Buffers: respect
   * `byteOffset` if you use its `buffer`. The pool lives as long as one of its results; `slice()` a
   * result that is to be kept for long.
   */
  get(index: number): Uint8Array | undefined {
    const table = this.#table;
    if (!table.has(index)) return undefined;
    return table.read(() => {
      const found = growing(table.shape.longest, (out, at) =>
        native().recordstoreGet(table.opened!, index, out, at),
      );
      return found ?? tooLong();
    });
  }

  /**
   * Record `index` as a string, or `undefined` if there is none. Bytes that are not UTF-8 become
   * U+FFFD, and so does a lone surrogate of a string that `build` was given: records are UTF-8.
   */
  getString(index: number): string | undefined {
    const table = this.#table;
    if (!table.has(index)) return undefined;
    return table.read(() => {
      for (let size = 0; ; size = table.nextSize(size)) {
        const found = native().recordstoreGetString(table.opened!, index, room(size));
        if (typeof found === 'string') return found;
      }
    });
  }

  /**
   * Record `index` as the value of its JSON text, or `undefined` if there is none; a fresh value at
   * each call. Throws `ERR_OFFHEAP_TYPE` if the record is not JSON.
   */
  getJSON<T = Json>(index: number): T | undefined {
    const text = this.getString(index);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw typeError(`record ${index} is not JSON: ${messageOf(cause)}`, { cause });
    }
  }

  /**
   * The records at many indices, in one call: `result[i]` belongs to `indices[i]`. They are views
   * of one buffer, which lives as long as one of them. Throws `ERR_OFFHEAP_RANGE` for an index
   * without a record.
   */
  getMany(indices: ArrayLike<number> | Iterable<number>): Uint8Array[] {
    const table = this.#table;
    table.beforeRead();
    const list = indexList(indices);
    return table.read(() => table.getMany(list));
  }

  /** Iterates over the records in order. */
  [Symbol.iterator](): IterableIterator<Uint8Array> {
    this.#table.beforeRead();
    return new RecordIterator(this.#table) as unknown as IterableIterator<Uint8Array>;
  }

  // ---- the whole store

  /** A copy of the dictionary that the records are compressed with. */
  get dictionary(): Dictionary {
    const table = this.#table;
    table.beforeRead();
    return table.read(() => {
      const { region, shape } = table;
      return Dictionary.fromBytes(region.bytes.slice(HEADER_BYTES, HEADER_BYTES + shape.dictionary));
    });
  }

  /** Counts and sizes. */
  stats(): RecordStoreStats {
    const table = this.#table;
    table.beforeRead();
    const { shape } = table;
    return {
      length: shape.length,
      rawBytes: shape.total,
      compressedBytes: shape.payload,
      longest: shape.longest,
      dictionaryBytes: shape.dictionary,
      ...regionStats(table.region),
    };
  }

  /** Verifies the complete contents, every record: O(bytes). Throws `ERR_OFFHEAP_CORRUPT`. */
  validate(): void {
    const table = this.#table;
    table.read(() => native().recordstoreValidate(table.opened!));
  }

  /** A store that another thread shared. */
  static attach(token: Token): RecordStore {
    return attachStructure(token, 'recordstore', constructing<RecordStore>(this, RecordStore));
  }

  /**
   * Opens a saved store by mapping its file: it reads only the header and the dictionary, whatever
   * the size.
   */
  static open(path: PathLike, options?: OpenOptions): RecordStore {
    return openStructure(path, options, constructing<RecordStore>(this, RecordStore));
  }

  /** A store from the bytes of {@link RecordStore.toBytes}, which are copied. O(bytes). */
  static fromBytes(bytes: Uint8Array): RecordStore {
    return structureFromBytes(bytes, constructing<RecordStore>(this, RecordStore));
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const table = this.#table;
    return inspectIfOpen('RecordStore', table.describeState(), options, () => {
      const { length, total, bytes } = table.shape;
      return `RecordStore(${length}) { ${total} bytes in ${bytes} }`;
    });
  }
}

/** Reads records in batches. */
class RecordIterator {
  #batch: Uint8Array[] = [];
  /** The index of the first record of the batch, and the position of the next record in it. */
  #start = 0;
  #position = 0;

  readonly #table: RecordStoreTable;

  constructor(table: RecordStoreTable) {
    this.#table = table;
  }

  next(): IteratorResult<Uint8Array, undefined> {
    const table = this.#table;
    // Also for records that were read already: a closed store ends every iteration.
    table.beforeRead();
    if (this.#position === this.#batch.length) {
      this.#start += this.#batch.length;
      const count = Math.min(ITERATED, table.shape.length - this.#start);
      if (count <= 0) return { value: undefined, done: true };
      const list = Float64Array.from({ length: count }, (_, i) => this.#start + i);
      this.#batch = table.read(() => table.getMany(list));
      this.#position = 0;
    }
    return { value: this.#batch[this.#position++], done: false };
  }

  declare readonly [Symbol.toStringTag]: string;

  static {
    Object.setPrototypeOf(this.prototype, IteratorPrototype);
    setTag(this.prototype, 'RecordStore Iterator');
  }
}

function tooLong(): never {
  throw offheapError('ERR_OFFHEAP_CORRUPT', 'this store contains a record longer than its longest');
}

/** `maxBytes` of the option `train`: 0 for `'auto'`, `undefined` for the default. */
function trainingOf(train: unknown): number | undefined {
  const read = readOptions(train, ['maxBytes'], 'train');
  return read['maxBytes'] === 'auto' ? 0 : integerOption(read, 'maxBytes', MIN_BYTES, 2 ** 24, undefined);
}
