/**
 * The functions of `native/binding/compressor.cc`. Compressor.
 */
import type { DictionaryHandle } from './dictionary.js';

export interface Binding {
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
}
