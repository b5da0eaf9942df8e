/**
 * The functions of `native/binding/compress.cc`. Dictionary, Compressor and RecordStore.
 */

/** A prepared dictionary: a native object that belongs to one thread, like the next two. */
export interface DictionaryHandle {
  readonly dictionary: symbol;
}
/** An open store. */
export interface RecordStoreHandle {
  readonly records: symbol;
}
/** A store that is being built. */
export interface RecordStoreBuilderHandle {
  readonly builder: symbol;
}

export interface Binding {
  /** Creates an empty handle for {@link Binding.dictionaryTrain} to fill. */
  dictionaryNew(): DictionaryHandle;
  /**
   * `oh_dictionary_train`: Trains on concatenated texts; `ends` contains the end of each.
   * `maxBytes` 0: as many bytes as help.
   */
  dictionaryTrain(
    into: DictionaryHandle,
    text: Uint8Array,
    ends: Float64Array,
    maxBytes: number,
    control: Int32Array,
  ): Promise<boolean>;
  /** `oh_dictionary_open`: Prepares a dictionary from a copy of its bytes. */
  dictionaryOpen(bytes: Uint8Array): DictionaryHandle;
  /** `oh_dictionary_get_info`: The size of the dictionary's region in bytes. */
  dictionaryRegionSize(dictionary: DictionaryHandle): number;
  /** `oh_dictionary_get_info`: Copies the dictionary's region to `out`. */
  dictionaryCopy(dictionary: DictionaryHandle, out: Uint8Array): void;
  /** `oh_dictionary_get_info` */
  dictionaryStats(dictionary: DictionaryHandle): {
    identity: bigint;
    content: number;
    phrases: number;
    contexts: number;
  };
  /** `oh_dictionary_validate` */
  dictionaryValidate(dictionary: DictionaryHandle): void;
  /**
   * `oh_compress`: Returns the number of bytes written to `out` from `at` on; -1 if it has no room
   * for one byte more than `bytes` has, or if they overlap. Further bytes of `out` may be
   * overwritten.
   */
  compress(
    dictionary: DictionaryHandle,
    level: number,
    bytes: Uint8Array,
    out: Uint8Array,
    at: number,
  ): number;
  /**
   * `oh_decompress`: Returns the number of bytes written to `out` from `at` on; -1 if they do not
   * fit, or if it overlaps `bytes`.
   */
  decompress(dictionary: DictionaryHandle, bytes: Uint8Array, out: Uint8Array, at: number): number;
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
  /** `oh_recordstore_get`: Like {@link Binding.decompress}, for one record. */
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
