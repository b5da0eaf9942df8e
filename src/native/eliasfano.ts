/**
 * The functions of `native/binding/eliasfano.cc`. EliasFano. `bytes` views the whole buffer;
 * values, indices and outputs are typed arrays of any type.
 */

export interface Binding {
  /**
   * `oh_eliasfano_measure`: The largest of the values. Throws unless they are ascending integers
   * from 0 on.
   */
  eliasfanoMeasure(values: ArrayBufferView): number;
  /** `oh_eliasfano_init`: Stores values in `bytes`, including the header. */
  eliasfanoInit(bytes: Uint8Array, values: ArrayBufferView, max: number): void;
  /** `oh_eliasfano_get_many` */
  eliasfanoGetMany(bytes: Uint8Array, indices: ArrayBufferView, out: ArrayBufferView): void;
  /** `oh_eliasfano_rank_many`: For each value, the number of smaller elements. */
  eliasfanoRankMany(bytes: Uint8Array, values: ArrayBufferView, out: ArrayBufferView): void;
  /** `oh_eliasfano_unpack`: Copies elements from index `from` on until `out` is full. */
  eliasfanoUnpack(bytes: Uint8Array, from: number, out: ArrayBufferView): void;
  /** `oh_eliasfano_validate` */
  eliasfanoValidate(bytes: Uint8Array): void;
}
