/**
 * The functions of `native/binding/bumparena.cc`. BumpArena. `bytes` views the whole buffer of an
 * arena. All functions but the last also exist in TypeScript, and are here for tests.
 */

export interface Binding {
  /** `oh_bumparena_alloc` */
  bumparenaAlloc(bytes: Uint8Array, size: number, align: number): number;
  /** `oh_bumparena_free` */
  bumparenaFree(bytes: Uint8Array, offset: number): void;
  /** `oh_bumparena_begin` */
  bumparenaBegin(bytes: Uint8Array): Uint32Array;
  /** `oh_bumparena_release` */
  bumparenaRelease(bytes: Uint8Array, mark: Uint32Array): void;
  /** `oh_bumparena_reset` */
  bumparenaReset(bytes: Uint8Array): void;
  /** `oh_bumparena_validate` */
  bumparenaValidate(bytes: Uint8Array): void;
}
