/** How the file of an MmapVector grows: its options, and the steps. */
import { booleanOption, choiceOption, integerOption, type Options } from '../region/options.js';
import { MAX_CAPACITY } from '../vector/layout.js';
import { DATA_OFFSET, LARGE_PAGE } from './vector-file.js';
import { PATTERNS, type Pattern } from './pattern.js';

/** How a vector uses its file. Presets: `MmapVector.largeDataset`, `cache`, `realTime`. */
export interface MmapVectorOptions {
  /** Elements to allocate blocks of the disk for at once. */
  capacity?: number;
  /** Never grow past `capacity`: a push throws `ERR_OFFHEAP_FULL` then. */
  fixed?: boolean;
  /**
   * Bytes by which the file grows at least. Default: 64 KiB. In between it grows by half of its
   * size.
   */
  stepMin?: number;
  /** Bytes by which the file grows at most. Default: 64 MiB. */
  stepMax?: number;
  /** How it will be read. Default: unknown. */
  pattern?: Pattern;
  /** Have the pages there before they are stored to, so that no push waits for one. */
  populate?: boolean;
}

/** The names of {@link MmapVectorOptions}. */
export const GROWTH_OPTIONS = [
  'capacity',
  'fixed',
  'stepMin',
  'stepMax',
  'pattern',
  'populate',
] as const satisfies readonly (keyof MmapVectorOptions)[];
/** Bytes below which a step is not divided any more: each push would ask the disk again. */
const SMALL_STEP = 4096;

/** The options, with all defaults. */
export class Growth {
  /** Elements to make room for at once. */
  readonly capacity: number;
  /** Elements there may be. */
  readonly most: number;
  readonly pattern: Pattern;
  readonly populate: boolean;
  private readonly stepMin: number;
  private readonly stepMax: number;

  constructor(read: Options) {
    this.capacity = integerOption(read, 'capacity', 0, MAX_CAPACITY, 0);
    this.most = booleanOption(read, 'fixed', false) ? this.capacity : Infinity;
    this.stepMin = integerOption(read, 'stepMin', 1, 2 ** 40, 2 ** 16);
    this.stepMax = Math.max(this.stepMin, integerOption(read, 'stepMax', 1, 2 ** 40, 2 ** 26));
    this.pattern = read['pattern'] === undefined ? 'unknown' : choiceOption(read, 'pattern', PATTERNS);
    this.populate = booleanOption(read, 'populate', false);
  }

  /**
   * Capacities to try where there is one and `count` elements need more: half as much again, and
   * less, to just `count`. Where `much` is appended, room for whole large pages.
   */
  *steps(capacity: number, count: number, width: number, much: boolean): Generator<number> {
    const step = Math.min(Math.max((capacity * width) / 2, this.stepMin), this.stepMax);
    const end =
      much && this.stepMax >= LARGE_PAGE
        ? wholePages(capacity * width, step, count * width)
        : capacity * width + step;
    let wanted = Math.max(count, Math.min(Math.floor(end / width), this.most));
    while (wanted > count) {
      yield wanted;
      const less = Math.max(count, capacity + Math.floor((wanted - capacity) / 4));
      wanted = (less - capacity) * width < SMALL_STEP ? count : less;
    }
    yield count;
  }
}

/**
 * Where room for elements ends, in bytes, that is `capacity` long and shall be longer by `step`,
 * and at least `count`: with a large page. If it does not already, not far behind: so that no page
 * of one size comes to lie where the next large one would be.
 */
function wholePages(capacity: number, step: number, count: number): number {
  const up = (bytes: number): number =>
    Math.ceil((DATA_OFFSET + bytes) / LARGE_PAGE) * LARGE_PAGE - DATA_OFFSET;
  const next = up(capacity);
  return next > capacity && next >= count ? next : up(Math.max(capacity + step, count));
}
