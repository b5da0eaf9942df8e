/**
 * The functions of `native/binding/dictionary.cc`. Dictionary.
 */

/** A prepared dictionary: a native object that belongs to one thread. */
export interface DictionaryHandle {
  readonly dictionary: symbol;
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
}
