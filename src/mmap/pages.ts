/**
 * The pages behind the elements of an {@link MmapVector}: of which size they are, and when they are
 * made.
 *
 * The first store to a small page of a file costs 7 µs (Linux 6.18, ext4), more than all stores to
 * it together; to a large one, a fifteenth of that for each 4 KiB. But of a large page that was
 * stored to all may be written, at each flush. So large ones are asked for while much is appended
 * between flushes, and what is left of them becomes small again with the first flush of little.
 * Advice: file systems without large pages ignore it.
 */
import { native } from '../native.js';
import { WIDTHS } from '../region/element.js';
import type { Growth } from './growth.js';
import { ADVICE, HUGE_PAGES, SMALL_PAGES } from './pattern.js';
import { DATA_OFFSET, LARGE_PAGE, type VectorFile } from './vector-file.js';

/** Bytes between two flushes from which on large pages are worth it: half of one. */
const MUCH = 2 ** 20;
/** The smallest page there is. */
const PAGE = 4096;

export class Pages {
  /** Where large pages end, in bytes of elements; 0 where there are none. */
  private end = 0;

  constructor(
    private readonly file: VectorFile,
    private readonly growth: Growth,
  ) {}

  /** Whether so many bytes of elements are much, for a vector of these options. */
  isMuch(bytes: number): boolean {
    return bytes >= MUCH && this.file.writable && !this.growth.populate;
  }

  /**
   * There is room behind the first `before` bytes of elements now. What was not flushed, and what
   * will be stored soon, are `unflushed` bytes.
   */
  laid(before: number, unflushed: number): void {
    const { file, growth } = this;
    const { elements } = file;
    if (growth.pattern !== 'unknown') native().memoryAdvise(elements, ADVICE[growth.pattern]);
    // From the next large page of the file on: of the one before a part may be there already.
    const from = Math.ceil((DATA_OFFSET + before) / LARGE_PAGE) * LARGE_PAGE - DATA_OFFSET;
    const much = this.isMuch(unflushed) && from < elements.length;
    if (much && native().memoryAdvise(elements.subarray(from), HUGE_PAGES)) this.end = elements.length;
    if (growth.populate && file.writable) {
      // New pages, which hold no elements yet.
      for (let at = Math.ceil(before / PAGE) * PAGE; at < elements.length; at += PAGE) elements[at] = 0;
    }
  }

  /**
   * Before a flush: `used` elements are in use, or vouched for; `flushed` of them were flushed
   * before.
   */
  beforeFlush(used: number, flushed: number): void {
    if (this.end === 0) return;
    const width = WIDTHS[this.file.type];
    if ((used - flushed) * width >= MUCH) return;
    const { elements } = this.file;
    native().memoryAdvise(elements.subarray(used * width), SMALL_PAGES);
    if (used * width < this.end) this.file.discard(used);
    this.end = 0;
  }
}
