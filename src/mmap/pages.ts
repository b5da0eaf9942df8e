/**
 * The pages of the elements of an {@link MmapVector}: their size, and when they are allocated.
 *
 * The first store to a small page of a file costs 7 µs (Linux 6.18, ext4), more than all stores to
 * it together; to a large page it costs a fifteenth of that per 4 KiB. But a large page that was
 * stored to may be written completely at each flush. So large pages are requested while much is
 * appended between flushes, and the rest of them becomes small again at the first flush of little.
 * Both are advice: file systems without large pages ignore it.
 */
import { native } from '../native.js';
import { WIDTHS } from '../region/element.js';
import { MANY_MAPPINGS } from '../region/region.js';
import type { Growth } from './growth.js';
import { ADVICE, HUGE_PAGES, SMALL_PAGES } from './pattern.js';
import { DATA_OFFSET, LARGE_PAGE, type VectorFile } from './vector-file.js';

/** Large pages pay off from this many bytes between two flushes on: half of one. */
const LARGE_FROM = 2 ** 20;
/** The size of the smallest page of any platform. */
const PAGE = 4096;

export class Pages {
  /** Where large pages end, in bytes of elements; 0 if there are none. */
  private end = 0;

  constructor(
    private readonly file: VectorFile,
    private readonly growth: Growth,
  ) {}

  /** Whether large pages pay off for this many bytes of elements between flushes. */
  isLarge(bytes: number): boolean {
    return bytes >= LARGE_FROM && this.file.writable && !this.growth.populate;
  }

  /**
   * After room was added past the first `before` bytes of elements. `unflushed` counts the bytes
   * that were not flushed, including those that will be stored soon.
   */
  added(before: number, unflushed: number): void {
    const { file, growth } = this;
    const { elements } = file;
    if (growth.pattern !== 'unknown') native().memoryAdvise(elements, ADVICE[growth.pattern]);
    // From the next large page of the file on: the one before may be allocated in part.
    const from = Math.ceil((DATA_OFFSET + before) / LARGE_PAGE) * LARGE_PAGE - DATA_OFFSET;
    // The advice splits a mapping of the process.
    const large =
      this.isLarge(unflushed) && from < elements.length && native().mappingsReserve(2, MANY_MAPPINGS);
    if (large && native().memoryAdvise(elements.subarray(from), HUGE_PAGES)) this.end = elements.length;
    if (growth.populate && file.writable) {
      // New pages, without elements so far.
      for (let at = Math.ceil(before / PAGE) * PAGE; at < elements.length; at += PAGE) elements[at] = 0;
    }
  }

  /**
   * Before a flush: `used` elements are in use or guaranteed by a commit, of which `flushed` were
   * flushed before.
   */
  beforeFlush(used: number, flushed: number): void {
    if (this.end === 0) return;
    const width = WIDTHS[this.file.type];
    if ((used - flushed) * width >= LARGE_FROM) return;
    const { elements } = this.file;
    native().memoryAdvise(elements.subarray(used * width), SMALL_PAGES);
    if (used * width < this.end) this.file.discard(used);
    this.end = 0;
  }
}
