/**
 * The functions of `native/binding/mmapvector.cc`. The files of MmapVectors, which are opaque
 * objects. Memory as for `openfileMap`.
 */

export interface Binding {
  /** `oh_binding_vectorfile_create` */
  vectorfileCreate(path: string, type: number): object;
  /** `oh_binding_vectorfile_open` */
  vectorfileOpen(path: string, writable: boolean): object;
  /** `oh_binding_vectorfile_get_info` */
  vectorfileInfo(file: object): { type: number; recovered: boolean; committed: number; page: number };
  /**
   * `oh_binding_vectorfile_map`: Makes room for `length` elements, on the disk (for a writer) and
   * from the start of `target` on.
   */
  vectorfileMap(file: object, target: Uint8Array, capacity: number, length: number): void;
  /** `oh_binding_vectorfile_status` */
  vectorfileLost(file: object): boolean;
  /** `oh_binding_vectorfile_forget` */
  vectorfileForget(file: object): void;
  /** `oh_binding_vectorfile_commit`: Makes the first `length` elements survive a crash. */
  vectorfileCommit(file: object, length: number): void;
  /**
   * `oh_binding_vectorfile_commit`: Like {@link Binding.vectorfileCommit}, off this thread.
   * Resolves to `false` if the file was closed before it began.
   */
  vectorfileCommitAsync(file: object, length: number): Promise<boolean>;
  /**
   * `oh_binding_vectorfile_discard`: Allows the system to drop data past the first `length`
   * elements; the blocks stay. No other thread may write there during the call.
   */
  vectorfileDiscard(file: object, length: number): void;
  /** `oh_binding_vectorfile_refresh`: The number of elements that are committed now. */
  vectorfileRefresh(file: object): number;
  /** `oh_binding_vectorfile_validate` */
  vectorfileValidate(file: object): void;
  /** `oh_binding_vectorfile_close`: Waits for a commit in progress, and closes the file. */
  vectorfileClose(file: object): void;
}
