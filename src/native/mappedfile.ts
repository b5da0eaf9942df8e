/**
 * The functions of `native/binding/mappedfile.cc`. Mapped files, which are opaque objects. `bytes`
 * and `target` are views of memory that is not garbage collected during the call.
 */

export interface Binding {
  /**
   * `oh_binding_openfile_open`: Opens a regular file; a small file opened for reading is returned
   * as its contents. `strategy` is its number, 4 for the one that suits the size; limits of 0
   * select the defaults.
   */
  openfileOpen(
    path: string,
    writable: boolean,
    strategy: number,
    bufferedUpTo: number,
    hugeFrom: number,
    room: Uint8Array,
    from: number,
    facts: Float64Array,
  ): number | Buffer | object;
  /**
   * `oh_binding_openfile_plan`: The strategy for the file; with `look`, for its current size.
   * Writes to `facts`: its size, a strategy, the alignment of its address (1 if any page will do),
   * and the size of a page.
   */
  openfilePlan(file: object, look: boolean, facts: Float64Array): void;
  /** `oh_binding_openfile_read` */
  openfileRead(file: object, bytes: Uint8Array): void;
  /** `oh_binding_openfile_write` */
  openfileWrite(file: object, bytes: Uint8Array): void;
  /**
   * `oh_binding_openfile_map`: Maps the file over `target`, which begins on a page of a buffer that
   * reserves `capacity` bytes from there on; the last page of these is used by native code. An
   * earlier mapping stays until its buffer is collected, and is forgotten here. Returns the
   * strategy obtained. `ERR_OFFHEAP_UNSUPPORTED` if this is not possible.
   */
  openfileMap(file: object, target: Uint8Array, capacity: number, advice: number): number;
  /**
   * `oh_binding_openfile_check`: Throws `ERR_OFFHEAP_IO` if the file is now shorter than its
   * mapping, or a part of the mapping could not be read.
   */
  openfileCheck(file: object): void;
  /**
   * `oh_binding_openfile_status`: Whether a part of the mapping could not be read and was replaced
   * by zeros.
   */
  openfileLost(file: object): boolean;
  /**
   * `oh_binding_openfile_forget`: Forgets the mapping, which stays until its buffer is collected.
   */
  openfileForget(file: object): void;
  /** `oh_binding_openfile_sync` */
  openfileSync(file: object): void;
  /** `oh_binding_openfile_close` */
  openfileClose(file: object): void;
  /**
   * `oh_memory_gather`: Copies `length` bytes from each of the offsets to `out`, whose size is
   * exactly their total.
   */
  memoryGather(bytes: Uint8Array, offsets: ArrayBufferView, length: number, out: Uint8Array): void;
  /** `oh_memory_lock` */
  memoryLock(bytes: Uint8Array): void;
  /** `oh_memory_unlock` */
  memoryUnlock(bytes: Uint8Array): void;
  /** `oh_memory_resident`: The number of these pages that are in memory. */
  memoryResident(bytes: Uint8Array): number;
  /** `oh_region_advise`: Gives an `OH_ADVICE_…`; `false` if the system does not accept it. */
  memoryAdvise(bytes: Uint8Array, advice: number): boolean;
}
