/**
 * The file of an {@link MmapVector} in memory: a growable buffer in which the elements are laid,
 * behind a header of memory's.
 *
 * ```text
 * | ...            header | elements: pages of the file, to where the buffer grew | ... | native code's |
 *       up to 2 MiB          from a page boundary on                         reserved      last page
 * ```
 *
 * The elements begin at an address that differs from their place in the file by a multiple of 2
 * MiB: only so can the system use large pages. What is before them is address space, not memory.
 *
 * The header is that of a Vector's region (`docs/formats/vector.md`), whose elements follow it; so
 * all that Vector does, here and in Rust, works on these bytes as they are. It never reaches the
 * file, whose own header says the rest (`docs/formats/mmapvector.md`).
 *
 * Growth lays more pages behind those that are there. Past the address space that was reserved, the
 * file is laid into a larger buffer; nothing is copied, for both show the same pages.
 */
import { offheapError, outOfMemory } from '../errors.js';
import { native } from '../native.js';
import { WIDTHS } from '../region/element.js';
import { align, HEADER_BYTES, writeLong, WORD } from '../region/format.js';
import { MAX_MAPPINGS, Region } from '../region/region.js';
import { initialize } from '../elements/layout.js';

/**
 * Address space for a new buffer: where the runtime allows it, else what it does. It costs nothing
 * but numbers.
 */
const RESERVATION = 2 ** 36;
/** What Node 20 allows, less the pages that are ours. */
const SMALL_RESERVATION = 2 ** 32 - 2 ** 20;
/** Where the elements begin in the file. */
export const DATA_OFFSET = 65_536;
/**
 * A large page. Where they are larger, or there are none, nothing is lost by taking them for this
 * size.
 */
export const LARGE_PAGE = 2 ** 21;
/** As for other buffers: see `region.ts`. */

let reservation = RESERVATION;

export class VectorFile {
  /** The header and the elements. */
  region: Region;

  private constructor(
    private readonly handle: object,
    readonly path: string,
    readonly writable: boolean,
    /** Type code of the elements. */
    readonly type: number,
    /** Whether opening met a flush that was cut short. */
    readonly recovered: boolean,
    /** Elements that were committed when it was opened. */
    readonly committed: number,
    private readonly page: number,
  ) {
    this.region = this.newRegion(0);
    initialize(this.region.head, type, HEADER_BYTES);
  }

  /** Makes a file with no elements. */
  static create(path: string, type: number): VectorFile {
    return VectorFile.over(native().vectorfileCreate(path, type), path, true);
  }

  static open(path: string, writable: boolean): VectorFile {
    return VectorFile.over(native().vectorfileOpen(path, writable), path, writable);
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

  /** The bytes of all elements that there is room for. */
  get elements(): Uint8Array {
    return this.region.bytes.subarray(HEADER_BYTES);
  }

  /**
   * Has room for `count` elements, on the disk (a writer) and in memory. {@link VectorFile.region}
   * may be another one then. `ERR_OFFHEAP_FULL` or `ERR_OFFHEAP_OOM`: the elements are where they
   * were.
   */
  makeRoom(count: number): void {
    const bytes = align(count * WIDTHS[this.type]);
    const { buffer } = this.region as { buffer: SharedArrayBuffer };
    const length = elementsOf(this.region) + bytes;
    if (length > buffer.maxByteLength - 8) {
      const head = this.region.bytes.slice(0, HEADER_BYTES);
      const region = this.newRegion(bytes);
      // What was mapped before stays watched until this is there.
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

  /** A region in a new buffer, with room for so many bytes of elements. */
  private newRegion(bytes: number): Region {
    const buffer = newBuffer(LARGE_PAGE + this.page + bytes, this.page);
    const gap = native().alignmentGap(new Uint8Array(buffer, 0, 1), LARGE_PAGE);
    let start = (gap + DATA_OFFSET) % LARGE_PAGE;
    // The header stands before the elements.
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
    // A writer has blocks on the disk for whatever it might store to.
    native().vectorfileMap(this.handle, target, capacity, this.writable ? bytes / WIDTHS[this.type] : count);
  }

  /** Makes the first `count` elements what survives a crash. */
  commit(count: number): void {
    native().vectorfileCommit(this.handle, count);
  }

  /** The same off this thread. `false` if the file was closed before it began. */
  commitAsync(count: number): Promise<boolean> {
    return native().vectorfileCommitAsync(this.handle, count);
  }

  /**
   * For a writer: what was stored behind the first `count` elements, which all that are vouched for
   * are among, may be forgotten.
   */
  discard(count: number): void {
    native().vectorfileDiscard(this.handle, count);
  }

  /** For readers: how many elements are committed now. */
  refresh(): number {
    return native().vectorfileRefresh(this.handle);
  }

  validate(): void {
    native().vectorfileValidate(this.handle);
  }

  /** Throws `ERR_OFFHEAP_IO` if bytes that were read were lost. */
  check(): void {
    if (native().vectorfileLost(this.handle)) {
      throw offheapError('ERR_OFFHEAP_IO', `${this.path} became shorter while it was mapped`);
    }
  }

  /** Waits for the commit that runs. What was not committed is gone. */
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
 * A buffer that can become `length` bytes long, and more, in as much address space as there is to
 * have.
 */
function newBuffer(length: number, page: number): SharedArrayBuffer {
  if (!native().mappingsReserve(2, MAX_MAPPINGS)) {
    throw outOfMemory('a vector', length, new Error('this process has nearly all mappings that it may have'));
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
