/**
 * The functions of `native/binding/region.cc`. Regions, and the files that they are saved to.
 */

export interface Binding {
  /** `oh_crc32c`: CRC-32C of the bytes; `seed` is 0, or the result for the preceding bytes. */
  crc32c(bytes: ArrayBufferView, seed: number): number;
  /**
   * `oh_region_check`: Checks the common header of a region, in constant time; returns the region's
   * length.
   */
  regionCheck(bytes: ArrayBufferView): number;
  /**
   * `oh_region_checksum`: The correct value of word 8 of the region's header. The buffer may be
   * longer than the region.
   */
  regionChecksum(bytes: ArrayBufferView): number;
  /**
   * `oh_region_advise`: Requests huge pages, or only small ones; `false` if the system does not
   * accept the advice.
   */
  regionAdvise(bytes: ArrayBufferView, hugePages: boolean): boolean;
  /** `oh_region_bind`: Prefers a NUMA node for the pages, including those that exist already. */
  regionBind(bytes: ArrayBufferView, node: number): void;
  /**
   * Tells the engine that a buffer has this many bytes of memory that it does not count itself:
   * growable and shared buffers. Replaces the number of the last call for the same buffer object.
   * When the object is collected, the number becomes 0. The call can collect garbage.
   */
  memoryCount(buffer: SharedArrayBuffer, bytes: number): void;
  /**
   * The limit of the address space of this process (`ulimit -v`), and how much of it is left, in
   * bytes. Both are `Infinity` without a limit.
   */
  addressSpace(): [limit: number, left: number];
  /**
   * `oh_binding_file_open`: Maps a file. The bytes can be read and written, but writes stay in this
   * mapping and never reach the file; `copyOnWrite` only declares the intention to write.
   * `status[0]` becomes non-zero if a part of the file could not be read and was replaced by zeros:
   * check it after the reads that depend on it.
   *
   * The buffer is a SharedArrayBuffer if the file can be mapped into one (`'shared'`), otherwise an
   * external ArrayBuffer or, if the runtime does not allow those, a copy, in which case `copied` is
   * true. `strategy` names the first of these to try.
   */
  fileMap(
    path: string,
    copyOnWrite: boolean,
    strategy?: 'shared' | 'external' | 'copy',
  ): { buffer: ArrayBuffer | SharedArrayBuffer; status: Int32Array<ArrayBuffer>; copied: boolean };
  /**
   * `oh_binding_file_unmap`: Releases the file of a buffer returned by {@link Binding.fileMap}; may
   * be called twice. A SharedArrayBuffer then reads as zeros, and its memory is released when it is
   * collected. An ArrayBuffer is detached, its views have length 0, and the file is unmapped in the
   * next turn of the event loop.
   */
  fileUnmap(buffer: ArrayBuffer | SharedArrayBuffer): void;
  /** `oh_binding_file_mappings`: The number of files that are mapped in this process. */
  fileMappings(): number;
  /**
   * `oh_binding_mappings_reserve`: Whether the process may create `count` more memory mappings
   * without exceeding `percent` hundredths of the limit of the system. If so, they are counted as
   * created.
   */
  mappingsReserve(count: number, percent: number): boolean;
}
