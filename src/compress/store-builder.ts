/**
 * The steps of {@link RecordStore.build}: sample records, train a dictionary, compress the records
 * in pieces, perhaps adapt them to a second dictionary, and write the region.
 *
 * Records of an array are sampled from end to end before the first is compressed. Anything else can
 * be read only once: the first dictionary is trained on the first records, while all are sampled
 * for a second one, to which the store is adapted at the end where that makes it smaller.
 */
import { native } from '../native.js';
import type { RecordStoreBuilderHandle } from '../native/recordstore.js';
import { Background } from '../region/background.js';
import { NO_PLACEMENT, Region } from '../region/region.js';
import type { Progress } from '../region/progress.js';
import { handleOf, MIN_BYTES, trainOn, type Dictionary } from './dictionary.js';
import { Packer, Sampler, untilAborted, type Texts } from './texts.js';

/** The most bytes of records that a dictionary is trained on. */
const TRAINED_ON = 16 * 2 ** 20;
/** Bytes of records that are compressed in one piece of background work. */
const CHUNK = 2 ** 20;
const DEFAULT_DICTIONARY = 112 * 1024;
const NAME = 'RecordStore.build';

export interface StorePlan {
  /** The dictionary to compress with; otherwise one is trained. */
  dictionary: Dictionary | undefined;
  /** The most bytes of a trained dictionary, 0 for `'auto'`, `undefined` for the default. */
  maxBytes: number | undefined;
  level: number;
  signal: AbortSignal | undefined;
  onProgress: ((progress: Progress) => void) | undefined;
}

export class StoreBuilder {
  private readonly plan: StorePlan;
  private builder: RecordStoreBuilderHandle | undefined;
  /** Samples all records, if the first dictionary saw only the first of them. */
  private sampler: Sampler | undefined;
  private readonly packer = new Packer();
  private done = 0;
  private readonly total: number | undefined;

  constructor(plan: StorePlan, records: Texts) {
    this.plan = plan;
    this.total = Array.isArray(records) ? records.length : undefined;
  }

  /** Builds the store, and releases everything that it needed, also after an error or an abort. */
  static async build(plan: StorePlan, records: Texts): Promise<Region> {
    const builder = new StoreBuilder(plan, records);
    try {
      return await builder.run(records);
    } finally {
      builder.release();
    }
  }

  private async run(records: Texts): Promise<Region> {
    const { dictionary, level, signal } = this.plan;
    signal?.throwIfAborted();
    if (dictionary !== undefined) this.builder = native().recordstoreBuilderNew(handleOf(dictionary), level);
    else await this.sample(records);
    for await (const record of untilAborted(records, signal)) {
      this.packer.push(record, 'records');
      this.sampler?.push(record, 'records');
      if (this.packer.length >= (this.builder === undefined ? TRAINED_ON : CHUNK)) await this.flush();
    }
    // If there were few records, the first dictionary is trained on all of them.
    const few = this.builder === undefined;
    if (this.packer.count > 0 || few) await this.flush();
    if (this.sampler !== undefined && !few) await this.adapt(this.sampler.packer);
    return this.write();
  }

  private async sample(records: Texts): Promise<void> {
    const sampler = new Sampler(TRAINED_ON);
    if (!Array.isArray(records)) {
      this.sampler = sampler;
      return;
    }
    for (const record of records as unknown[]) sampler.push(record, 'records');
    await this.begin(sampler.packer);
  }

  private async train(samples: Packer): Promise<Dictionary> {
    const most =
      this.plan.maxBytes ?? Math.max(MIN_BYTES, Math.min(DEFAULT_DICTIONARY, samples.length >>> 3));
    return trainOn(samples, most, Background.from({ signal: this.plan.signal }, NAME));
  }

  private async begin(samples: Packer): Promise<void> {
    const dictionary = await this.train(samples);
    try {
      this.builder = native().recordstoreBuilderNew(handleOf(dictionary), this.plan.level);
    } finally {
      dictionary.close();
    }
  }

  /** Compresses the records that were packed so far. */
  private async flush(): Promise<void> {
    const { packer, plan } = this;
    if (this.builder === undefined) await this.begin(packer);
    const { text, ends } = packer.packed();
    await native().recordstoreBuilderPush(this.builder!, text, ends);
    this.done += packer.count;
    packer.clear();
    plan.signal?.throwIfAborted();
    plan.onProgress?.({ done: this.done, total: this.total ?? this.done });
  }

  /** Compresses all records again with a dictionary for all of them, if that makes them smaller. */
  private async adapt(samples: Packer): Promise<void> {
    const builder = this.builder!;
    const dictionary = await this.train(samples);
    try {
      const { text, ends } = samples.packed();
      const job = Background.from({ signal: this.plan.signal }, NAME);
      await job.run((control) =>
        native().recordstoreBuilderAdapt(builder, handleOf(dictionary), text, ends, control),
      );
    } finally {
      dictionary.close();
    }
  }

  private async write(): Promise<Region> {
    const region = Region.allocate(native().recordstoreBuilderRegionSize(this.builder!), NO_PLACEMENT);
    try {
      await native().recordstoreBuilderWrite(this.builder!, region.bytes);
    } catch (error) {
      region.release();
      throw error;
    }
    return region;
  }

  private release(): void {
    if (this.builder !== undefined) native().recordstoreBuilderFree(this.builder);
    this.builder = undefined;
    this.packer.clear();
  }
}
