/**
 * The functions of `native/binding/rollinghash.cc`. RollingHash.
 */

export interface Binding {
  /**
   * `oh_rollinghash_scan`: Searches for a small hash that begins after the first `window` bytes,
   * whose hash is `hash`. Writes three numbers to `out`: the bytes consumed, the hash at the end,
   * and whether the search succeeded.
   */
  rollinghashScan(bytes: Uint8Array, window: number, hash: number, bits: number, out: Float64Array): void;
}
