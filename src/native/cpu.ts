/**
 * The functions of `native/binding/cpu.cc`. The processor.
 */

export interface Binding {
  /** `oh_cpu_features`: The processor's features, by their usual names. */
  cpuFeatures(): string[];
  /**
   * `oh_cpu_kernel`: The set of vector kernels in use: `'avx512'`, `'avx2'`, `'sse2'`, `'neon'` or
   * `'generic'`.
   */
  cpuKernel(): string;
}
