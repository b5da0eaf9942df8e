/*
 * offheap.h: the C ABI of offheap, off-heap data structures in caller-owned memory.
 *
 * Generated from native/capi/src; edit the Rust docs there, then run `npm run header`.
 *
 * Conventions
 * - A structure is a region: `void *base` and `size_t length`, 64-byte aligned. It holds offsets,
 *   never pointers, so the same bytes can be copied, saved, mapped, and used from JavaScript.
 * - Functions are named oh_<type>_<verb> and take (self, inputs, outputs).
 * - Every function that can fail returns an `oh_status`. Outputs are written only on OH_OK, and a
 *   refused operation changes nothing. oh_last_error() gives a sentence about the last failure
 *   on the calling thread.
 * - A function whose structure is `const` may be called from many threads at once, as long as no
 *   thread calls one that is not.
 * - Strings are bytes with a length, UTF-8 where they are text; those returned as `const char *`
 *   end with a NUL and live as long as the library.
 * - Option structs begin with `size_t struct_size`, set to sizeof the struct by the caller, so that
 *   later versions can add fields.
 * - Nothing here calls back, prints, installs a signal handler, or aborts.
 */

#ifndef OFFHEAP_H
#define OFFHEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Bit of `oh_cpu_features`: SSE2.
 */
#define OH_CPU_SSE2 (1 << 0)

/**
 * Bit of `oh_cpu_features`: SSE4.2.
 */
#define OH_CPU_SSE42 (1 << 1)

/**
 * Bit of `oh_cpu_features`: POPCNT.
 */
#define OH_CPU_POPCNT (1 << 2)

/**
 * Bit of `oh_cpu_features`: BMI2.
 */
#define OH_CPU_BMI2 (1 << 3)

/**
 * Bit of `oh_cpu_features`: AVX2.
 */
#define OH_CPU_AVX2 (1 << 4)

/**
 * Bit of `oh_cpu_features`: AVX-512 F.
 */
#define OH_CPU_AVX512F (1 << 5)

/**
 * Bit of `oh_cpu_features`: AVX-512 BW.
 */
#define OH_CPU_AVX512BW (1 << 6)

/**
 * Bit of `oh_cpu_features`: AVX-512 VL.
 */
#define OH_CPU_AVX512VL (1 << 7)

/**
 * Bit of `oh_cpu_features`: AVX-512 DQ.
 */
#define OH_CPU_AVX512DQ (1 << 8)

/**
 * Bit of `oh_cpu_features`: AVX-512 VPOPCNTDQ.
 */
#define OH_CPU_AVX512VPOPCNTDQ (1 << 9)

/**
 * Bit of `oh_cpu_features`: NEON.
 */
#define OH_CPU_NEON (1 << 16)

/**
 * Bit of `oh_cpu_features`: the CRC32 instructions of ARM.
 */
#define OH_CPU_CRC (1 << 17)

/**
 * What a call came to. The numbers are fixed: they are part of the ABI.
 *
 * Every function that can fail returns one of these, and writes its outputs only when it
 * returns `OH_OK`; a refused operation changes nothing. `oh_last_error` tells more.
 */
typedef enum oh_status {
  /**
   * Done.
   */
  OH_OK = 0,
  /**
   * A number is outside the range that is allowed, or not an integer.
   */
  OH_ERR_RANGE = 1,
  /**
   * A value is of the wrong type, a pointer is null or not aligned, or an option is unknown.
   */
  OH_ERR_TYPE = 2,
  /**
   * The structure was closed.
   */
  OH_ERR_CLOSED = 3,
  /**
   * The bytes of a region or file contradict themselves.
   */
  OH_ERR_CORRUPT = 4,
  /**
   * The bytes are of a version, or a kind of structure, that this library can not read.
   */
  OH_ERR_VERSION = 5,
  /**
   * The structure can not grow any further where it lives.
   */
  OH_ERR_FULL = 6,
  /**
   * Memory was refused.
   */
  OH_ERR_OOM = 7,
  /**
   * Another writer holds the file or structure.
   */
  OH_ERR_LOCKED = 8,
  /**
   * The operating system refused a file operation.
   */
  OH_ERR_IO = 9,
  /**
   * A handle, id or offset is of something that was since removed.
   */
  OH_ERR_STALE = 10,
  /**
   * This platform, runtime or schema can not do that.
   */
  OH_ERR_UNSUPPORTED = 11,
  /**
   * A defect of this library was caught. The message says where; please report it.
   */
  OH_ERR_NATIVE = 12,
} oh_status;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The name of a status, such as `"OH_ERR_CORRUPT"`; `"unknown"` for a number that is none.
 * The string lives as long as the library.
 */
const char *oh_status_name(int32_t status);

/**
 * The version of the library that is running, such as `"0.1.0"`. Lives as long as the library.
 */
const char *oh_version(void);

/**
 * Copies the message of this thread's last failed call into `buffer`, with a closing NUL, cut to
 * `capacity` bytes in all. Returns the length of the whole message without the NUL (at most 512),
 * as `snprintf` does, so a first call with `(NULL, 0)` tells how much room is needed.
 *
 * A successful call leaves the message as it was: look at the status first.
 *
 * Requires: `buffer` is NULL, or points to `capacity` writable bytes.
 */
size_t oh_last_error(char *buffer, size_t capacity);

/**
 * What the processor can do, as `OH_CPU_…` bits: a bit is set only if the operating system
 * supports the feature too. Found at the first call; cheap after that.
 */
uint32_t oh_cpu_features(void);

/**
 * The set of vector kernels that the library chose for this processor: `"avx512"`, `"avx2"`,
 * `"sse2"`, `"neon"` or `"generic"`. Lives as long as the library.
 */
const char *oh_cpu_kernel(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* OFFHEAP_H */
