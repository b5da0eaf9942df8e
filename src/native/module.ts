/**
 * The functions of `native/binding/module.cc`. The functions of the addon itself.
 */
import type { nativeError } from '../errors.js';

export interface Binding {
  /**
   * Gives the addon the function that creates errors; `native()` calls it once for each thread.
   */
  setErrorFactory(factory: typeof nativeError): void;
  /** `oh_version`: The version of the native code. */
  version(): string;
}
