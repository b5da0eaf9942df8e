/**
 * The functions of `native/binding/packedints.cc`. PackedInts. `bytes` views the whole buffer;
 * values, indices and outputs are typed arrays of any type.
 */

export interface Binding {
  /**
   * `oh_packedints_measure`: The number of bits that the largest value needs. Throws for a value
   * that is not an integer from 0 on.
   */
  packedintsMeasure(values: ArrayBufferView): number;
  /** `oh_packedints_init`: Packs values into `bytes`, including the header. */
  packedintsInit(bytes: Uint8Array, values: ArrayBufferView, bits: number, bigint: boolean): void;
  /** `oh_packedints_get_many`: Reads the integer at each index. */
  packedintsGetMany(bytes: Uint8Array, indices: ArrayBufferView, out: ArrayBufferView): void;
  /** `oh_packedints_unpack`: Copies integers from index `from` on until `out` is full. */
  packedintsUnpack(bytes: Uint8Array, from: number, out: ArrayBufferView): void;
  /** `oh_packedints_validate` */
  packedintsValidate(bytes: Uint8Array): void;
}
