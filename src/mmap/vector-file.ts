/**
 * The file of an {@link MmapVector} in memory: a growable buffer into which the elements are
 * mapped, after a header that exists only in memory.
 *
 * ```text
 * | ...        header | elements: pages of the file, up to the buffer's size | ... | native page |
 *   up to 2 MiB          from a page boundary on                        reserved
 * ```
 *
 * The address of the elements differs from their offset in the file by a multiple of 2 MiB, because
 * the system can use large pages only then. The part before them is address space, not memory.
 *
 * The header is that of a Vector's region (`docs/formats/vector.md`), followed by the elements, so
 * all operations of Vector, here and in Rust, work on these bytes unchanged. It is never written to
 * the file, which has a header of its own (`docs/formats/mmapvector.md`).
 *
 * Growth maps more pages after the existing ones. Past the reserved address space, the file is
 * mapped into a larger buffer; nothing is copied, because both show the same pages.
 */
import { offheapError, outOfMemory } from '../errors.js';
import { native } from '../native.js';
import { WIDTHS } from '../region/element.js';
import { withDirectoryCause } from '../region/file.js';
import { align, HEADER_BYTES, writeLong, WORD } from '../region/format.js';
import { MAX_MAPPINGS, Region } from '../region/region.js';
import { initialize } from '../elements/layout.js';

/**
 * The address space to reserve for a new buffer, or as much as the runtime allows. It costs no
 * memory.
 */
const RESERVATION = 2 ** 36;
/** The limit of Node 20, less the pages that native code uses. */
const SMALL_RESERVATION = 2 ** 32 - 2 ** 20;
/** Where the elements begin in the file. */
export const DATA_OFFSET = 65_536;
/**
 * The size of a large page. Assuming it does no harm where large pages have another size, or do not
 * exist.
 */
export const LARGE_PAGE = 2 ** 21;

let reservation = RESERVATION;

export class VectorFile {
  /** The header and the elements. */
  region: Region;

  private constructor(
    private readonly handle: object,
    readonly path: string,
    readonly writable: boolean,
    /** The type code of the elements. */
    readonly type: number,
    /** Whether opening found an incomplete flush. */
    readonly recovered: boolean,
    /** The number of elements that were committed when the file was opened. */
    readonly committed: number,
    private readonly page: number,
  ) {
    this.region = this.newRegion(0);
    initialize(this.region.head, type, HEADER_BYTES);
  }

  /** Creates a file without elements. */
  static create(path: string, type: number): VectorFile {
    return VectorFile.over(native().vectorfileCreate(path, type), path, true);
  }

  static open(path: string, writable: boolean): VectorFile {
    try {
      return VectorFile.over(native().vectorfileOpen(path, writable), path, writable);
    } catch (error) {
      throw withDirectoryCause(error, path);
    }
  }

  private static over(handle: object, path: string, writable: boolean): VectorFile {
    try {
      const { type, recovered, committed, page } = native().vectorfileInfo(handle);
      return new VectorFile(handle, path, writable, type, recovered, committed, page);
    } catch (error) {
      native().vectorfileClose(handle);
      throw error;
    }
  }

  /** The bytes of all elements that fit. */
  get elements(): Uint8Array {
    return this.region.bytes.subarray(HEADER_BYTES);
  }

  /**
   * Makes room for `count` elements, on the disk (for a writer) and in memory. It may replace
   * {@link VectorFile.region}. If it throws `ERR_OFFHEAP_FULL` or `ERR_OFFHEAP_OOM`, the elements
   * have not moved.
   */
  makeRoom(count: number): void {
    const bytes = align(count * WIDTHS[this.type]);
    const { buffer } = this.region as { buffer: SharedArrayBuffer };
    const length = elementsOf(this.region) + bytes;
    if (length > buffer.maxByteLength - 8) {
      const head = this.region.bytes.slice(0, HEADER_BYTES);
      const region = this.newRegion(bytes);
      // The old mapping stays registered until the new one exists.
      this.map(region, bytes, count);
      region.bytes.set(head);
      this.region = region;
    } else {
      lengthen(buffer, length);
      this.region.refresh();
      this.map(this.region, bytes, count);
    }
    writeLong(this.region.head, WORD.lengthLow, HEADER_BYTES + bytes);
  }

  /** A region in a new buffer, with room for this many bytes of elements. */
  private newRegion(bytes: number): Region {
    const buffer = newBuffer(LARGE_PAGE + this.page + bytes, this.page);
    const gap = native().alignmentGap(new Uint8Array(buffer, 0, 1), LARGE_PAGE);
    let start = (gap + DATA_OFFSET) % LARGE_PAGE;
    // The header is stored before the elements.
    if (start < this.page) start += LARGE_PAGE;
    lengthen(buffer, start + bytes);
    return Region.laid(buffer, start - HEADER_BYTES);
  }

  private map(region: Region, bytes: number, count: number): void {
    if (bytes === 0) return;
    const { buffer } = region as { buffer: SharedArrayBuffer };
    const start = elementsOf(region);
    const target = new Uint8Array(buffer, start, bytes);
    // The engine reserves whole pages, one more for the last 8 bytes.
    const capacity = buffer.maxByteLength - 8 + this.page - start;
    // A writer needs disk blocks for every byte that it may store to.
    native().vectorfileMap(this.handle, target, capacity, this.writable ? bytes / WIDTHS[this.type] : count);
  }

  /** Commits the first `count` elements: they survive a crash. */
  commit(count: number): void {
    native().vectorfileCommit(this.handle, count);
  }

  /** The same off this thread. Resolves to `false` if the file was closed before it began. */
  commitAsync(count: number): Promise<boolean> {
    return native().vectorfileCommitAsync(this.handle, count);
  }

  /**
   * For a writer: allows the system to forget stores after the first `count` elements, which
   * include all elements that a commit guarantees.
   */
  discard(count: number): void {
    native().vectorfileDiscard(this.handle, count);
  }

  /** For readers: the number of elements that are committed now. */
  refresh(): number {
    return native().vectorfileRefresh(this.handle);
  }

  validate(): void {
    native().vectorfileValidate(this.handle);
  }

  /** Throws `ERR_OFFHEAP_IO` if bytes that were read had been lost. */
  check(): void {
    if (native().vectorfileLost(this.handle)) {
      throw offheapError('ERR_OFFHEAP_IO', `${this.path} was truncated while it was mapped`);
    }
  }

  /** Waits for a running commit. Elements that were not committed are lost. */
  close(): void {
    native().vectorfileClose(this.handle);
  }
}

/** Where the elements begin in the buffer of a region. */
function elementsOf(region: Region): number {
  return region.bytes.byteOffset + HEADER_BYTES;
}

function lengthen(buffer: SharedArrayBuffer, length: number): void {
  try {
    if (length > buffer.byteLength) buffer.grow(length);
  } catch (cause) {
    throw outOfMemory('a vector', length, cause);
  }
}

/**
 * A buffer that can grow to at least `length` bytes, in as much address space as is available.
 */
function newBuffer(length: number, page: number): SharedArrayBuffer {
  if (!native().mappingsReserve(2, MAX_MAPPINGS)) {
    throw outOfMemory('a vector', length, new Error('the process is close to its limit of memory mappings'));
  }
  const least = Math.ceil(length / page) * page;
  for (let wanted = Math.max(least, Math.min(reservation, Math.max(RESERVATION, length * 4))); ;) {
    try {
      return new SharedArrayBuffer(page, { maxByteLength: wanted + 8 });
    } catch (cause) {
      if (wanted === least) throw outOfMemory('a vector', length, cause);
      const less = wanted > SMALL_RESERVATION ? SMALL_RESERVATION : Math.floor(wanted / 4 / page) * page;
      if (wanted > SMALL_RESERVATION) reservation = SMALL_RESERVATION;
      wanted = Math.max(least, less);
    }
  }
}
