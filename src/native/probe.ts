/**
 * The functions of `native/binding/probe.cc`. How native code sees memory.
 */

export interface Binding {
  /**
   * How native code sees a view: its length in bytes, the alignment of its first byte (a power of
   * two up to 4096), and the sum of its bytes. For the doctor, and for tests of argument reading.
   */
  probe(view: ArrayBufferView): { byteLength: number; alignment: number; sum: number };
  /**
   * The number of bytes from the view's first one to the next multiple of an alignment, which is a
   * power of two.
   */
  alignmentGap(view: ArrayBufferView, alignment: number): number;
}
