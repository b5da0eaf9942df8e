/**
 * RecordStore: millions of small records, each compressed on its own and readable on its own.
 * `docs/formats/compress.md` specifies the bytes, which never change.
 *
 * Cost: `get` finds where the record is in an Elias-Fano sequence, about a byte a record, and
 * decompresses it; the call into native code is a good part of it. `getMany` does the same for many
 * in one call.
 */
import { inspect, type InspectOptionsStylized } from 'node:util';
import { allocating, offheapError, typeError } from '../errors.js';
import { native, type RecordStoreBuilderHandle, type RecordStoreHandle } from '../native.js';
import { Background } from '../region/background.js';
import { readWorkOptions, type WorkOptions } from '../region/progress.js';
import type { OpenOptions } from '../region/file.js';
import { HEADER_BYTES } from '../region/format.js';
import { describe, integerOption, readOptions } from '../region/options.js';
import { NO_PLACEMENT, Region, type Origin } from '../region/region.js';
import { attachStructure, openStructure, structureFromBytes } from '../region/face.js';
import { LegacyStructure } from '../region/legacy.js';
import { RegionSource } from '../region/table.js';
import type { Token } from '../region/token.js';
import { MAX_LEVEL } from './compressor.js';
import { Dictionary, MIN_BYTES, trainOn, type TrainOptions } from './dictionary.js';
import { indexList } from './indices.js';
import { readStore, type StoreShape } from './layout.js';
import { growing, room } from './scratch.js';
import { checkTexts, Packer, Sampler, untilAborted, type Text, type Texts } from './texts.js';

/** How a store is built. */
export interface BuildOptions extends WorkOptions {
  /** The dictionary to compress with. Default: one is trained. */
  dictionary?: Dictionary;
  /**
   * How to train one. Default: up to 112 KiB, but no more than an eighth of the records. An array
   * is sampled from end to end. Anything else can be gone through only once: a dictionary is
   * trained on the first 16 MiB, and where there are more, another one, in the end, on 16 MiB from
   * all of them; where that makes records smaller, they are compressed anew.
   */
  train?: Pick<TrainOptions, 'maxBytes'>;
  /**
   * 1 (fastest) to 9 (smallest), as for `Compressor`. Default: 6, because a store is written once
   * and read often: it takes a sixth less than at 3, nearly five times as long to build, and
   * reading is the same.
   */
  level?: number;
}

/** What {@link RecordStore.stats} tells. */
export interface RecordStoreStats {
  /** How many records. */
  length: number;
  /** Bytes of all records, not compressed. */
  rawBytes: number;
  /** Bytes of all records, compressed. */
  compressedBytes: number;
  /** Bytes of the longest record, not compressed. */
  longest: number;
  /** Bytes of the dictionary. */
  dictionaryBytes: number;
  byteLength: number;
  origin: Origin;
  shared: boolean;
}

const NO_SHAPE: StoreShape = { length: 0, payload: 0, longest: 0, total: 0, dictionary: 0, bytes: 0 };
const DEFAULT_LEVEL = 6;
/** Bytes of records that a dictionary is trained on. */
const TRAINED_ON = 16 * 2 ** 20;
/** Records that are compressed in one piece of work. */
const CHUNK = 2 ** 20;
const DEFAULT_DICTIONARY = 112 * 1024;
/** Records that iteration reads at once. */
const ITERATED = 256;

/**
 * Records, compressed one by one. They are read, not changed.
 *
 * ```ts
 * const store = await RecordStore.build(records);
 * store.getString(3);
 * await store.save('records.store');
 * ```
 *
 * Errors, of every method: `ERR_OFFHEAP_TYPE` and `ERR_OFFHEAP_RANGE` for arguments,
 * `ERR_OFFHEAP_CORRUPT` where bytes were damaged, `ERR_OFFHEAP_CLOSED` after `close()`,
 * `ERR_OFFHEAP_IO` when a mapped file was truncated.
 */
export class RecordStore extends LegacyStructure<'recordstore'> implements Iterable<Uint8Array> {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'RecordStore', configurable: true });
  }
  declare readonly [Symbol.toStringTag]: string;

  private opened: RecordStoreHandle | undefined;
  private shape: StoreShape = NO_SHAPE;

  private constructor(adopted: RegionSource) {
    super(adopted.region);
    this.initialize(adopted);
  }

  /**
   * Builds a store of records, bytes or strings, in their order. Needs memory for the store (twice
   * for a moment) and some 64 MiB, not for the records. Compresses on another thread. `onProgress`
   * counts records; the total is that of an array, else what there was so far. Rejects with the
   * signal's reason when that aborts.
   */
  static async build(records: Texts, options?: BuildOptions): Promise<RecordStore> {
    const known = ['dictionary', 'train', 'level', 'signal', 'onProgress'] as const;
    const read = readOptions(options, known, 'RecordStore.build');
    const level = integerOption(read, 'level', 1, MAX_LEVEL, DEFAULT_LEVEL);
    const { signal, onProgress } = readWorkOptions(read);
    const wanted = trainingOf(read['train']);
    const given = read['dictionary'];
    if (given !== undefined && !(given instanceof Dictionary)) {
      throw typeError(`dictionary must be a Dictionary, not ${describe(given)}`);
    }
    const list = checkTexts(records, 'records');
    const total = Array.isArray(list) ? list.length : undefined;
    signal?.throwIfAborted();

    const train = async (samples: Packer): Promise<Dictionary> => {
      const most = wanted ?? Math.max(MIN_BYTES, Math.min(DEFAULT_DICTIONARY, samples.length >>> 3));
      return trainOn(samples, most, Background.from({ signal }, 'RecordStore.build'));
    };
    const begin = async (samples: Packer): Promise<RecordStoreBuilderHandle> => {
      const dictionary = await train(samples);
      const begun = native().recordstoreBuilderNew(dictionary.handle, level);
      dictionary.close();
      return begun;
    };
    let builder = given === undefined ? undefined : native().recordstoreBuilderNew(given.handle, level);
    // Some of all records, where the first dictionary has to do with the first of them.
    let sampler: Sampler | undefined;
    if (builder === undefined) {
      sampler = new Sampler(TRAINED_ON);
      if (Array.isArray(list)) {
        for (const record of list as Text[]) sampler.push(record, 'records');
        builder = await begin(sampler.packer);
        sampler = undefined;
      }
    }
    const packer = new Packer();
    let done = 0;
    const flush = async (): Promise<void> => {
      builder ??= await begin(packer);
      const { text, ends } = packer.packed();
      await native().recordstoreBuilderPush(builder, text, ends);
      done += packer.count;
      packer.clear();
      signal?.throwIfAborted();
      onProgress?.({ done, total: total ?? done });
    };
    for await (const record of untilAborted(list, signal)) {
      packer.push(record, 'records');
      sampler?.push(record, 'records');
      if (packer.length >= (builder === undefined ? TRAINED_ON : CHUNK)) await flush();
    }
    const many = sampler !== undefined && builder !== undefined;
    if (packer.count > 0 || builder === undefined) await flush();
    const finished = builder!;
    if (many) {
      const dictionary = await train(sampler!.packer);
      const { text, ends } = sampler!.packer.packed();
      const job = Background.from({ signal }, 'RecordStore.build');
      await job.run((control) =>
        native().recordstoreBuilderAdapt(finished, dictionary.handle, text, ends, control),
      );
      dictionary.close();
    }
    const region = Region.allocate(native().recordstoreBuilderRegionSize(finished), NO_PLACEMENT);
    await native().recordstoreBuilderWrite(finished, region.bytes);
    native().recordstoreBuilderFree(finished);
    return make(new RegionSource(region, true, 'the new store'));
  }

  protected get kind(): 'recordstore' {
    return 'recordstore';
  }

  protected get label(): string {
    return 'record store';
  }

  protected bindViews(what: string): void {
    const { region } = this;
    this.shape = readStore(region.head, region.bytes.length, what);
    this.opened = native().recordstoreOpen(region.bytes);
  }

  protected dropViews(): void {
    this.opened = undefined;
  }

  protected check(region: Region, length: number, what: string): void {
    readStore(region.head, length, what);
  }

  // ---- reading

  /** How many records there are. */
  get length(): number {
    this.beforeRead();
    return this.shape.length;
  }

  /**
   * Record `index`, or `undefined` if there is none. It is yours to change. A small one is a view
   * of a piece of memory that others share, as it is with Node's Buffers: mind `byteOffset` where
   * you use its `buffer`. That piece, 16 KiB, lives as long as one of them; `slice()` one that is
   * to be kept for long.
   */
  get(index: number): Uint8Array | undefined {
    if (!this.has(index)) return undefined;
    return this.read(() => {
      const found = growing(this.shape.longest, (out, at) =>
        native().recordstoreGet(this.opened!, index, out, at),
      );
      return found ?? tooLong();
    });
  }

  /**
   * Record `index` as a string, or `undefined` if there is none. Bytes that are no UTF-8 become
   * U+FFFD.
   */
  getString(index: number): string | undefined {
    if (!this.has(index)) return undefined;
    return this.read(() => {
      for (let size = 0; ; size = this.more(size)) {
        const found = native().recordstoreGetString(this.opened!, index, room(size));
        if (typeof found === 'string') return found;
      }
    });
  }

  private has(index: unknown): index is number {
    this.beforeRead();
    if (typeof index !== 'number') throw typeError(`an index is a number, not ${describe(index)}`);
    return index >= 0 && index < this.shape.length && Number.isInteger(index);
  }

  /** More room, because what was tried was too little for a record. */
  private more(size: number): number {
    const { longest } = this.shape;
    if (size >= longest && size > 0) tooLong();
    return Math.min(Math.max(size, 2 ** 16) * 8, longest);
  }

  /**
   * The records at many indices, in one call: `result[i]` belongs to `indices[i]`. They are views
   * of one piece of memory, which lives as long as one of them. Throws `ERR_OFFHEAP_RANGE` for an
   * index of no record.
   */
  getMany(indices: ArrayLike<number> | Iterable<number>): Uint8Array[] {
    this.beforeRead();
    const list = indexList(indices);
    return this.read(() => this.fetch(list));
  }

  private fetch(list: Float64Array): Uint8Array[] {
    const ends = new Float64Array(list.length);
    const { length, total, longest } = this.shape;
    // What so many records take on the average, and half as much again.
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

  /** The records in order. */
  *[Symbol.iterator](): IterableIterator<Uint8Array> {
    for (let from = 0; from < this.length; from += ITERATED) {
      const count = Math.min(ITERATED, this.length - from);
      yield* this.getMany(Float64Array.from({ length: count }, (_, i) => from + i));
    }
  }

  // ---- the whole

  /** A copy of the dictionary that the records are compressed with. */
  get dictionary(): Dictionary {
    this.beforeRead();
    const { bytes } = this.region;
    return this.read(() =>
      Dictionary.fromBytes(bytes.slice(HEADER_BYTES, HEADER_BYTES + this.shape.dictionary)),
    );
  }

  /** Counts and sizes. */
  stats(): RecordStoreStats {
    this.beforeRead();
    const { region, shape } = this;
    return {
      length: shape.length,
      rawBytes: shape.total,
      compressedBytes: shape.payload,
      longest: shape.longest,
      dictionaryBytes: shape.dictionary,
      byteLength: region.buffer.byteLength,
      origin: region.origin,
      shared: region.shared || region.origin === 'attached',
    };
  }

  /** Proves the whole contents, every record: O(bytes). Throws `ERR_OFFHEAP_CORRUPT`. */
  validate(): void {
    this.read(() => native().recordstoreValidate(this.opened!));
  }

  /** A store that another thread shared. */
  static attach(token: Token): RecordStore {
    return attachStructure(token, 'recordstore', make);
  }

  /**
   * Opens a saved store by mapping its file: nothing is read but header and dictionary, whatever
   * the size.
   */
  static open(path: string, options?: OpenOptions): RecordStore {
    return openStructure(path, options, make);
  }

  /** A store out of what {@link RecordStore.toBytes} gave, which is copied. O(bytes). */
  static fromBytes(bytes: Uint8Array): RecordStore {
    return structureFromBytes(bytes, make);
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const state = this.describeState();
    if (state !== 'open') return `${options.stylize('RecordStore', 'special')} { ${state} }`;
    const { length, total, bytes } = this.shape;
    return `RecordStore(${length}) { ${total} bytes in ${bytes} }`;
  }

  /** @internal */
  static adopted(adopted: RegionSource): RecordStore {
    return new RecordStore(adopted);
  }
}

function tooLong(): never {
  throw offheapError('ERR_OFFHEAP_CORRUPT', 'this store has a record longer than its longest');
}

function make(adopted: RegionSource): RecordStore {
  return RecordStore.adopted(adopted);
}

/** `maxBytes` of the option `train`: 0 for `'auto'`, `undefined` for what is usual. */
function trainingOf(train: unknown): number | undefined {
  const read = readOptions(train, ['maxBytes'], 'train');
  return read['maxBytes'] === 'auto' ? 0 : integerOption(read, 'maxBytes', MIN_BYTES, 2 ** 24, undefined);
}

export type { Text, Texts };
