/**
 * The functions of `native/binding/bloomfilter.cc`. BloomFilter. `bytes` views the whole buffer;
 * keys are a typed array of numbers, or hashes of two words each.
 */

export interface Binding {
  /** `oh_bloomfilter_add_numbers` */
  bloomfilterAddNumbers(bytes: Uint8Array, keys: ArrayBufferView): void;
  /** `oh_bloomfilter_has_numbers`: Writes 1 or 0 to `out` for each key. */
  bloomfilterHasNumbers(bytes: Uint8Array, keys: ArrayBufferView, out: Uint8Array): void;
  /** `oh_bloomfilter_add_hashed` */
  bloomfilterAddHashed(bytes: Uint8Array, keys: Uint32Array): void;
  /** `oh_bloomfilter_has_hashed` */
  bloomfilterHasHashed(bytes: Uint8Array, keys: Uint32Array, out: Uint8Array): void;
  /** `oh_bloomfilter_ones`: The number of bits that are set. */
  bloomfilterOnes(bytes: Uint8Array): number;
  /** `oh_bloomfilter_validate` */
  bloomfilterValidate(bytes: Uint8Array): void;
}
