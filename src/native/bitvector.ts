/**
 * The functions of `native/binding/bitvector.cc`. BitVector. `bytes` views the whole buffer;
 * positions and outputs are typed arrays of any type.
 */

export interface Binding {
  /** `oh_bitvector_set_count` */
  bitvectorSetLength(bytes: Uint8Array, length: number): void;
  /** `oh_bitvector_set_capacity` */
  bitvectorSetCapacity(bytes: Uint8Array, capacity: number): void;
  /** `oh_bitvector_count_for`: The largest position plus one. */
  bitvectorLengthFor(positions: ArrayBufferView): number;
  /** `oh_bitvector_set_many` */
  bitvectorSetMany(bytes: Uint8Array, positions: ArrayBufferView, bit: boolean): void;
  /** `oh_bitvector_load`: Copies bytes over the first bits. */
  bitvectorLoad(bytes: Uint8Array, from: ArrayBufferView): void;
  /** `oh_bitvector_count_ones` */
  bitvectorCount(bytes: Uint8Array, from: number, to: number): number;
  /** `oh_bitvector_fill` */
  bitvectorFill(bytes: Uint8Array, from: number, to: number, bit: boolean): void;
  /** `oh_bitvector_invert` */
  bitvectorInvert(bytes: Uint8Array, from: number, to: number): void;
  /** `oh_bitvector_combine`: `op`: 1 and, 2 or, 3 xor, 4 and not. */
  bitvectorCombine(bytes: Uint8Array, op: number, other: Uint8Array, from: number, to: number): void;
  /** `oh_bitvector_next`: The first bit with this value at or after `from`; -1 if there is none. */
  bitvectorNext(bytes: Uint8Array, from: number, bit: boolean): number;
  /**
   * `oh_bitvector_ones`: The positions of ones from `from` on, as many as fit into `out`. Returns
   * their number.
   */
  bitvectorOnes(bytes: Uint8Array, from: number, out: ArrayBufferView): number;
  /** `oh_bitvector_validate` */
  bitvectorValidate(bytes: Uint8Array): void;
}
