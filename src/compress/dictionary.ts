/**
 * Dictionary: what many small records have in common. `docs/formats/compress.md` specifies the
 * bytes and names the methods it follows.
 *
 * Cost: training takes some 2 s for 10 MB of samples and 112 KiB, on another thread; opening some
 * 0.1 ms for 112 KiB, because tables are made that decode a symbol with one look. Those take about
 * 400 KiB of native memory on each thread.
 */
import { inspect, type InspectOptionsStylized } from 'node:util';
import { native, type DictionaryHandle } from '../native.js';
import { Background } from '../region/background.js';
import { readWorkOptions, type WorkOptions } from '../region/progress.js';
import type { OpenOptions } from '../region/file.js';
import { integerOption, readOptions } from '../region/options.js';
import { NO_PLACEMENT, Region, type Origin } from '../region/region.js';
import { attachStructure, openStructure, structureFromBytes } from '../region/face.js';
import { LegacyStructure } from '../region/legacy.js';
import { RegionSource } from '../region/table.js';
import type { Token } from '../region/token.js';
import { readDictionary, type DictionaryShape } from './layout.js';
import { checkTexts, Sampler, untilAborted, type Packer, type Texts } from './texts.js';

/** How a dictionary is trained. */
export interface TrainOptions extends WorkOptions {
  /**
   * The most bytes that it may have, 1,024 to 2^24; `'auto'` tries sizes from 4 to 512 KiB, and
   * takes the one after which samples that were held out hardly got smaller. Default: 112 KiB.
   */
  maxBytes?: number | 'auto';
}

/** What {@link Dictionary.stats} tells. */
export interface DictionaryStats {
  /** Bytes of text that matches refer to. */
  content: number;
  /** Strings that have a symbol of their own. */
  phrases: number;
  /** Contexts that choose the code of a symbol. */
  contexts: number;
  /** 64 bits that tell it from other dictionaries. */
  identity: bigint;
  byteLength: number;
  origin: Origin;
  shared: boolean;
}

export const MIN_BYTES = 1024;
const MAX_BYTES = 2 ** 24;
const DEFAULT_BYTES = 112 * 1024;
/** More samples than this are thinned out: every second one is kept, and again. */
const MOST_SAMPLES = 128 * 2 ** 20;
const NO_SHAPE: DictionaryShape = { content: 0, phrases: 0, contexts: 0, bytes: 0 };

/**
 * A trained dictionary: text that often comes up, strings with symbols of their own, and codes for
 * all symbols, so that a compressed record carries no header.
 *
 * ```ts
 * const dictionary = await Dictionary.train(records, { maxBytes: 64 * 1024 });
 * const compressor = new Compressor(dictionary);
 * await dictionary.save('records.dictionary');
 * ```
 *
 * Errors, of every method: `ERR_OFFHEAP_TYPE` and `ERR_OFFHEAP_RANGE` for arguments,
 * `ERR_OFFHEAP_CORRUPT` and `ERR_OFFHEAP_VERSION` for bytes that are no dictionary,
 * `ERR_OFFHEAP_CLOSED` after `close()`.
 */
export class Dictionary extends LegacyStructure<'dictionary'> {
  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'Dictionary', configurable: true });
  }
  declare readonly [Symbol.toStringTag]: string;

  private prepared: DictionaryHandle | undefined;
  private shape: DictionaryShape = NO_SHAPE;

  private constructor(adopted: RegionSource) {
    super(adopted.region);
    this.initialize(adopted);
  }

  /**
   * Trains a dictionary on samples of what is to be compressed: the more alike those are, and the
   * more there are of them (up to some thousand), the better. The same samples give the same
   * dictionary. It is as good as its samples, and right for any bytes: what no sample showed takes
   * more room.
   *
   * Samples are read here; the rest runs on another thread. Rejects with the signal's reason when
   * that aborts.
   */
  static async train(samples: Texts, options?: TrainOptions): Promise<Dictionary> {
    const read = readOptions(options, ['maxBytes', 'signal', 'onProgress'], 'Dictionary.train');
    const most =
      read['maxBytes'] === 'auto' ? 0 : integerOption(read, 'maxBytes', MIN_BYTES, MAX_BYTES, DEFAULT_BYTES);
    const { signal, onProgress } = readWorkOptions(read);
    const job = Background.from({ signal, onProgress }, 'Dictionary.train');
    const list = checkTexts(samples, 'samples');
    const sampler = new Sampler(MOST_SAMPLES);
    for await (const sample of untilAborted(list, signal)) sampler.push(sample, 'samples');
    return trainOn(sampler.packer, most, job);
  }

  protected get kind(): 'dictionary' {
    return 'dictionary';
  }

  protected get label(): string {
    return 'dictionary';
  }

  protected bindViews(what: string): void {
    const { region } = this;
    this.shape = readDictionary(region.head, region.bytes.length, what);
    this.prepared = native().dictionaryOpen(region.bytes.subarray(0, this.shape.bytes));
  }

  protected dropViews(): void {
    this.prepared = undefined;
  }

  protected check(region: Region, length: number, what: string): void {
    readDictionary(region.head, length, what);
  }

  /**
   * What compresses with it. Its tables are a copy, so a file that was lost does not matter.
   * @internal
   */
  get handle(): DictionaryHandle {
    return this.prepared ?? this.refuse();
  }

  private refuse(): never {
    throw this.closedError();
  }

  /** The dictionary as bytes, to be kept, or given to {@link Dictionary.fromBytes}: a copy. */
  get bytes(): Uint8Array {
    return this.toBytes();
  }

  /** Counts and sizes. */
  stats(): DictionaryStats {
    this.beforeRead();
    const { region } = this;
    return {
      ...native().dictionaryStats(this.handle),
      byteLength: region.buffer.byteLength,
      origin: region.origin,
      shared: region.shared || region.origin === 'attached',
    };
  }

  /**
   * Proves what opening does not: the checksum, and that what has no meaning is zero. Throws
   * `ERR_OFFHEAP_CORRUPT`.
   */
  validate(): void {
    this.read(() =>
      native().dictionaryValidate(native().dictionaryOpen(this.region.bytes.slice(0, this.shape.bytes))),
    );
  }

  /** A dictionary that another thread shared; this thread makes tables of its own. */
  static attach(token: Token): Dictionary {
    return attachStructure(token, 'dictionary', make);
  }

  /** Opens a saved dictionary. */
  static open(path: string, options?: OpenOptions): Dictionary {
    return openStructure(path, options, make);
  }

  /** A dictionary out of its bytes, which are copied. */
  static fromBytes(bytes: Uint8Array): Dictionary {
    return structureFromBytes(bytes, make);
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const state = this.describeState();
    if (state !== 'open') return `${options.stylize('Dictionary', 'special')} { ${state} }`;
    const { content, phrases, contexts, bytes } = this.shape;
    return `Dictionary(${bytes}) { content: ${content}, phrases: ${phrases}, contexts: ${contexts} }`;
  }

  /** @internal */
  static adopted(adopted: RegionSource): Dictionary {
    return new Dictionary(adopted);
  }
}

function make(adopted: RegionSource): Dictionary {
  return Dictionary.adopted(adopted);
}

/** Trains on what was packed; `most` is 0 for `'auto'`. */
export async function trainOn(packer: Packer, most: number, job: Background): Promise<Dictionary> {
  const made = native().dictionaryNew();
  const { text, ends } = packer.packed();
  await job.run((control) => native().dictionaryTrain(made, text, ends, most, control));
  const region = Region.allocate(native().dictionaryRegionSize(made), NO_PLACEMENT);
  native().dictionaryCopy(made, region.bytes);
  return make(new RegionSource(region, true, 'the new dictionary'));
}
