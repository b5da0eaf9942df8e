/** How the file of an MmapVector grows: its options, and the sizes of the steps. */
import { booleanOption, choiceOption, integerOption, type Options } from '../region/options.js';
import { MAX_CAPACITY } from '../elements/layout.js';
import { DATA_OFFSET, LARGE_PAGE } from './vector-file.js';
import { PATTERNS, type Pattern } from './pattern.js';

/** How a vector uses its file. Presets: `MmapVector.largeDataset`, `cache`, `realTime`. */
export interface MmapVectorOptions {
  /** The number of elements to allocate disk blocks for at the start. */
  capacity?: number;
  /** Never grow past `capacity`; a push then throws `ERR_OFFHEAP_FULL`. */
  fixed?: boolean;
  /**
   * The least number of bytes by which the file grows. Default: 64 KiB. Between both limits it
   * grows by half of its size.
   */
  stepMin?: number;
  /** The most bytes by which the file grows. Default: 64 MiB. */
  stepMax?: number;
  /** The access pattern of reads. Default: unknown. */
  pattern?: Pattern;
  /** Allocate pages before they are stored to, so that no push waits for one. */
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
/** Steps below this many bytes are not divided: each push would ask the disk again. */
const SMALL_STEP = 4096;

/** The options with their defaults. */
export class Growth {
  /** The number of elements to make room for at the start. */
  readonly capacity: number;
  /** The most elements that the vector may contain. */
  readonly maxElements: number;
  readonly pattern: Pattern;
  readonly populate: boolean;
  private readonly stepMin: number;
  private readonly stepMax: number;

  constructor(read: Options) {
    this.capacity = integerOption(read, 'capacity', 0, MAX_CAPACITY, 0);
    this.maxElements = booleanOption(read, 'fixed', false) ? this.capacity : Infinity;
    this.stepMin = integerOption(read, 'stepMin', 1, 2 ** 40, 2 ** 16);
    this.stepMax = Math.max(this.stepMin, integerOption(read, 'stepMax', 1, 2 ** 40, 2 ** 26));
    this.pattern = read['pattern'] === undefined ? 'unknown' : choiceOption(read, 'pattern', PATTERNS);
    this.populate = booleanOption(read, 'populate', false);
  }

  /**
   * The capacities to try, in this order, when `capacity` must grow to at least `count` elements:
   * half as much again, then less, and finally `count`. If `large`, room for whole large pages.
   */
  *steps(capacity: number, count: number, width: number, large: boolean): Generator<number> {
    const step = Math.min(Math.max((capacity * width) / 2, this.stepMin), this.stepMax);
    const end =
      large && this.stepMax >= LARGE_PAGE
        ? wholePages(capacity * width, step, count * width)
        : capacity * width + step;
    let wanted = Math.max(count, Math.min(Math.floor(end / width), this.maxElements));
    while (wanted > count) {
      yield wanted;
      const less = Math.max(count, capacity + Math.floor((wanted - capacity) / 4));
      wanted = (less - capacity) * width < SMALL_STEP ? count : less;
    }
    yield count;
  }
}

/**
 * The end of the room for elements, in bytes, when `capacity` bytes are extended by `step`, to at
 * least `count`: the end of a large page. If `capacity` does not end at one already, the next end
 * is near, so that no small page takes the place of the next large one.
 */
function wholePages(capacity: number, step: number, count: number): number {
  const up = (bytes: number): number =>
    Math.ceil((DATA_OFFSET + bytes) / LARGE_PAGE) * LARGE_PAGE - DATA_OFFSET;
  const next = up(capacity);
  return next > capacity && next >= count ? next : up(Math.max(capacity + step, count));
}
