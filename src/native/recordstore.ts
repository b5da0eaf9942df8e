/**
 * The functions of `native/binding/recordstore.cc`. RecordStore.
 */
import type { DictionaryHandle } from './dictionary.js';

/** An open store: a native object that belongs to one thread. */
export interface RecordStoreHandle {
  readonly records: symbol;
}
/** A store that is being built: a native object that belongs to one thread. */
export interface RecordStoreBuilderHandle {
  readonly builder: symbol;
}

export interface Binding {
  /** `oh_recordstore_builder_new` */
  recordstoreBuilderNew(dictionary: DictionaryHandle, level: number): RecordStoreBuilderHandle;
  /** `oh_recordstore_builder_push`: One call at a time: wait for the promise. */
  recordstoreBuilderPush(
    builder: RecordStoreBuilderHandle,
    text: Uint8Array,
    ends: Float64Array,
  ): Promise<boolean>;
  /**
   * `oh_recordstore_builder_adapt`: Resolves to whether the records were compressed again with this
   * dictionary, which happens if it makes the samples smaller.
   */
  recordstoreBuilderAdapt(
    builder: RecordStoreBuilderHandle,
    dictionary: DictionaryHandle,
    text: Uint8Array,
    ends: Float64Array,
    control: Int32Array,
  ): Promise<boolean>;
  /** `oh_recordstore_builder_region_size` */
  recordstoreBuilderRegionSize(builder: RecordStoreBuilderHandle): number;
  /** `oh_recordstore_builder_write` */
  recordstoreBuilderWrite(builder: RecordStoreBuilderHandle, bytes: Uint8Array): Promise<boolean>;
  /**
   * `oh_recordstore_builder_free`: Releases the memory of a builder, which must not be used again.
   */
  recordstoreBuilderFree(builder: RecordStoreBuilderHandle): void;
  /**
   * `oh_recordstore_open`: Opens a store in place: the region's memory must outlive every use of
   * the handle.
   */
  recordstoreOpen(bytes: Uint8Array): RecordStoreHandle;
  /**
   * `oh_recordstore_get`: Returns the number of bytes written to `out` from `at` on; -1 if they do
   * not fit.
   */
  recordstoreGet(records: RecordStoreHandle, index: number, out: Uint8Array, at: number): number;
  /** `oh_recordstore_get`: One record as a string, or -1 if it does not fit into `out`. */
  recordstoreGetString(records: RecordStoreHandle, index: number, out: Uint8Array): string | -1;
  /** `oh_recordstore_get_many`: Several records, whose ends are written to `ends`. */
  recordstoreGetMany(
    records: RecordStoreHandle,
    indices: Float64Array,
    ends: Float64Array,
    out: Uint8Array,
  ): number;
  /** `oh_recordstore_validate` */
  recordstoreValidate(records: RecordStoreHandle): void;
}
