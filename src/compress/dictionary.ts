/**
 * Dictionary: the common parts of many small records. `docs/formats/compress.md` specifies the
 * bytes and names the methods that training follows.
 *
 * Cost: training takes some 2 s for 10 MB of samples and 112 KiB, on another thread; opening some
 * 0.1 ms for 112 KiB, because it builds tables that decode a symbol with one lookup. These take
 * about 400 KiB of native memory on each thread.
 */
import type { PathLike } from 'node:fs';
import { inspect, type InspectOptionsStylized } from 'node:util';
import { typeError } from '../errors.js';
import { native } from '../native.js';
import type { DictionaryHandle } from '../native/dictionary.js';
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
import { integerOption, readOptions } from '../region/options.js';
import { readWorkOptions, type WorkOptions } from '../region/progress.js';
import { NO_PLACEMENT, Region } from '../region/region.js';
import { Structure } from '../region/structure.js';
import { RegionSource, RegionTable } from '../region/table.js';
import type { Token } from '../region/token.js';
import { readDictionary, type DictionaryShape } from './layout.js';
import { checkTexts, Sampler, untilAborted, type Packer, type Texts } from './texts.js';

/** The options of {@link Dictionary.train}. */
export interface TrainOptions extends WorkOptions {
  /**
   * The maximum size in bytes, 1,024 to 2^24; `'auto'` tries sizes from 4 to 512 KiB, and takes the
   * one after which samples that were held out hardly become smaller. Default: 112 KiB.
   */
  maxBytes?: number | 'auto';
}

/** The result of {@link Dictionary.stats}. */
export interface DictionaryStats extends RegionStats {
  /** Bytes of text that matches refer to. */
  content: number;
  /** Strings that have their own symbol. */
  phrases: number;
  /** Contexts that choose the code of a symbol. */
  contexts: number;
  /** 64 bits that distinguish it from other dictionaries. */
  identity: bigint;
}

export const MIN_BYTES = 1024;
const MAX_BYTES = 2 ** 24;
const DEFAULT_BYTES = 112 * 1024;
/** Samples beyond this many bytes are thinned out: every second one is kept, repeatedly. */
const MAX_SAMPLES = 128 * 2 ** 20;
const NO_SHAPE: DictionaryShape = { content: 0, phrases: 0, contexts: 0, bytes: 0 };

class DictionaryTable extends RegionTable<'dictionary'> {
  shape: DictionaryShape = NO_SHAPE;
  private opened: DictionaryHandle | undefined;

  get kind(): 'dictionary' {
    return 'dictionary';
  }

  get label(): string {
    return 'dictionary';
  }

  bindViews(what: string): void {
    const { region } = this;
    this.shape = readDictionary(region.head, region.bytes.length, what);
    this.opened = native().dictionaryOpen(region.bytes.subarray(0, this.shape.bytes));
  }

  dropViews(): void {
    this.opened = undefined;
  }

  check(region: Region, length: number, what: string): void {
    readDictionary(region.head, length, what);
  }

  /** The native tables. They are a copy, so a file that was lost does not matter. */
  get handle(): DictionaryHandle {
    if (this.opened === undefined) throw this.closedError();
    return this.opened;
  }
}

let getHandle: (dictionary: Dictionary) => DictionaryHandle;

/** The native tables of a dictionary, for compression. */
export function handleOf(dictionary: Dictionary): DictionaryHandle {
  return getHandle(dictionary);
}

/**
 * A trained dictionary: frequent text, strings with their own symbols, and codes for all symbols,
 * so that a compressed record needs no header.
 *
 * ```ts
 * const dictionary = await Dictionary.train(records, { maxBytes: 64 * 1024 });
 * const compressor = new Compressor(dictionary);
 * await dictionary.save('records.dictionary');
 * ```
 *
 * Errors, of every method: `ERR_OFFHEAP_TYPE` and `ERR_OFFHEAP_RANGE` for arguments,
 * `ERR_OFFHEAP_CORRUPT` and `ERR_OFFHEAP_VERSION` for bytes that are not a dictionary,
 * `ERR_OFFHEAP_CLOSED` after `close()`.
 */
export class Dictionary extends Structure<'dictionary'> {
  readonly #table: DictionaryTable;

  static {
    setTag(this.prototype, 'Dictionary');
    getHandle = (dictionary) => dictionary.#table.handle;
  }
  declare readonly [Symbol.toStringTag]: string;

  /** @internal Use {@link Dictionary.train}. */
  constructor(source: RegionSource) {
    if (!(source instanceof RegionSource)) throw typeError('use Dictionary.train or Dictionary.open');
    const table = new DictionaryTable(source.region);
    table.initialize(source);
    super(table);
    this.#table = table;
  }

  /**
   * Trains a dictionary on samples of the data to be compressed. More samples (up to some thousand)
   * and more similar ones give a better dictionary. The same samples give the same dictionary. It
   * compresses any bytes correctly; parts that no sample contained take more room.
   *
   * Reads the samples here; the rest runs on another thread. Rejects with the signal's reason when
   * that aborts.
   */
  static async train(samples: Texts, options?: TrainOptions): Promise<Dictionary> {
    const read = readOptions(options, ['maxBytes', 'signal', 'onProgress'], 'Dictionary.train');
    const most =
      read['maxBytes'] === 'auto' ? 0 : integerOption(read, 'maxBytes', MIN_BYTES, MAX_BYTES, DEFAULT_BYTES);
    const { signal, onProgress } = readWorkOptions(read);
    const job = Background.from({ signal, onProgress }, 'Dictionary.train');
    const list = checkTexts(samples, 'samples');
    const sampler = new Sampler(MAX_SAMPLES);
    for await (const sample of untilAborted(list, signal)) sampler.push(sample, 'samples');
    return trainOn(sampler.packer, most, job);
  }

  /** A copy of the dictionary as bytes, to be stored, or given to {@link Dictionary.fromBytes}. */
  get bytes(): Uint8Array {
    return this.toBytes();
  }

  /** Counts and sizes. */
  stats(): DictionaryStats {
    const table = this.#table;
    table.beforeRead();
    return { ...native().dictionaryStats(table.handle), ...regionStats(table.region) };
  }

  /**
   * Verifies what opening does not check: the checksum, and bytes that must be zero. Throws
   * `ERR_OFFHEAP_CORRUPT`. O(bytes).
   */
  validate(): void {
    const table = this.#table;
    table.read(() =>
      native().dictionaryValidate(native().dictionaryOpen(table.region.bytes.slice(0, table.shape.bytes))),
    );
  }

  /** A dictionary that another thread shared; this thread builds its own tables. */
  static attach(token: Token): Dictionary {
    return attachStructure(token, 'dictionary', constructing<Dictionary>(this, Dictionary));
  }

  /** Opens a saved dictionary. */
  static open(path: PathLike, options?: OpenOptions): Dictionary {
    return openStructure(path, options, constructing<Dictionary>(this, Dictionary));
  }

  /** A dictionary from its bytes, which are copied. */
  static fromBytes(bytes: Uint8Array): Dictionary {
    return structureFromBytes(bytes, constructing<Dictionary>(this, Dictionary));
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const table = this.#table;
    return inspectIfOpen('Dictionary', table.describeState(), options, () => {
      const { content, phrases, contexts, bytes } = table.shape;
      return `Dictionary(${bytes}) { content: ${content}, phrases: ${phrases}, contexts: ${contexts} }`;
    });
  }
}

/** Trains on packed samples; `most` is 0 for `'auto'`. */
export async function trainOn(packer: Packer, most: number, job: Background): Promise<Dictionary> {
  const made = native().dictionaryNew();
  const { text, ends } = packer.packed();
  await job.run((control) => native().dictionaryTrain(made, text, ends, most, control));
  const region = Region.allocate(native().dictionaryRegionSize(made), NO_PLACEMENT);
  native().dictionaryCopy(made, region.bytes);
  return new Dictionary(new RegionSource(region, true, 'the new dictionary'));
}
