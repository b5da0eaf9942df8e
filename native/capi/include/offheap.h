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
 * - Nothing here calls back, prints, or aborts. oh_file_open installs a handler for SIGBUS, which
 *   passes on what does not concern it; nothing else touches signals.
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
 * Advice for `oh_region_advise`: back this with huge pages. Fewer TLB misses under random access, at the
 * price of memory in whole pieces (2 MiB on x86-64).
 */
#define OH_ADVICE_HUGE_PAGES 1

/**
 * Advice for `oh_region_advise`: back this with small pages only.
 */
#define OH_ADVICE_SMALL_PAGES 2

/**
 * Advice for `oh_region_advise`: reads will jump around, do not read ahead.
 */
#define OH_ADVICE_RANDOM 3

/**
 * Advice for `oh_region_advise`: reads go from front to back.
 */
#define OH_ADVICE_SEQUENTIAL 4

/**
 * Advice for `oh_region_advise`: no pattern; undoes the two above.
 */
#define OH_ADVICE_NORMAL 5

/**
 * Advice for `oh_region_advise`: this will be read soon, start now.
 */
#define OH_ADVICE_WILL_NEED 6

/**
 * Advice for `oh_region_advise`: give the pages back. What stood only in memory IS GONE: a page
 * reads as zero afterwards, or, in a mapped file, as the file has it.
 */
#define OH_ADVICE_DISCARD 7

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

/**
 * A mapped file: made by `oh_file_open`, freed by `oh_file_close`.
 */
typedef struct oh_file oh_file;

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

/**
 * The CRC-32C (Castagnoli; RFC 3720) of `length` bytes. `seed` is 0, or the result for the bytes before
 * these: so a checksum can be made in pieces. Uses the processor's instructions where it has them.
 *
 * Another thread may write the bytes meanwhile; the result is then of no use.
 *
 * Requires: `length` bytes at `base` are readable.
 */
enum oh_status oh_crc32c(const void *base,
                         size_t length,
                         uint32_t seed,
                         uint32_t *out);

/**
 * The checksum of the region at `base`, as word 8 of its header holds it: CRC-32C of all its bytes,
 * with the words `sequence`, `flags` and `checksum` taken as zero. `length` may be more than the
 * region uses. Checks what the header of every region has first, as `oh_region_check` does.
 *
 * Requires: `length` bytes at `base` are readable.
 */
enum oh_status oh_region_checksum(const void *base, size_t length, uint32_t *out);

/**
 * Checks the common part of a region's header in constant time: magic, version, flags, and that the
 * region's own length is possible and not more than `length`. Gives the length, and the kind of
 * structure that lives there (1 is a HashMap), whose own check, `oh_hashmap_check` say, goes further.
 *
 * `OH_ERR_CORRUPT`, `OH_ERR_VERSION`, or `OH_ERR_STALE` if its owner moved it to a larger buffer.
 *
 * Requires: `length` bytes at `base` are readable; `region_length` and `kind` are writable or NULL.
 */
enum oh_status oh_region_check(const void *base,
                               size_t length,
                               uint64_t *region_length,
                               uint32_t *kind);

/**
 * Gives the kernel one `OH_ADVICE_…` for the whole pages inside `length` bytes at `base`; bytes outside
 * whole pages are left alone. `taken` tells whether it was taken: no where there is no whole page, or
 * the system does not know the advice. `OH_ERR_RANGE` for a number that is no advice.
 *
 * Requires: The bytes are mapped. With `OH_ADVICE_DISCARD` they are writable, and nobody minds that they change.
 */
enum oh_status oh_region_advise(void *base,
                                size_t length,
                                uint32_t advice,
                                bool *taken);

/**
 * Puts the whole pages inside `length` bytes at `base` on one NUMA node, those that are there now and
 * those that come when they are touched. The node is preferred, not forced: when it is full, pages
 * come from its neighbours. Less than a page has nothing to place, and is fine.
 *
 * `OH_ERR_RANGE` if there is no such node with memory; `OH_ERR_UNSUPPORTED` where the system has no
 * NUMA, or forbids this (as some containers do).
 *
 * Requires: The bytes are mapped.
 */
enum oh_status oh_region_bind(void *base,
                              size_t length,
                              uint32_t node);

/**
 * Maps the whole regular file at `path` (`path_length` bytes; UTF-8 on Windows), at the size it has now.
 * Pages are read when they are touched, so any size opens equally fast. The file may be renamed or
 * removed while it is mapped.
 *
 * Without `copy_on_write` the bytes are read-only: a store is a segmentation fault. With it they can be
 * written, and what is written stays in this mapping: the file never changes.
 *
 * If the file shrinks while it is mapped, reads of what is gone give zeros and `oh_file_lost` turns
 * true, where otherwise SIGBUS would end the process. For that the first call installs a handler
 * for SIGBUS, on Unix; it passes every signal that does not concern a mapped file on to the
 * handler that was there before. Install your own before the first call, or pass signals on too.
 *
 * `OH_ERR_IO` if it can not be opened or is no regular file; `OH_ERR_CORRUPT` if it is empty, shorter than
 * a region's header, or its size is not a multiple of 64; `OH_ERR_OOM` if it can not be mapped for
 * lack of memory or address space.
 *
 * Requires: `path_length` bytes at `path` are readable.
 */
enum oh_status oh_file_open(const char *path,
                            size_t path_length,
                            bool copy_on_write,
                            struct oh_file **out);

/**
 * The first byte of the mapping; NULL after `oh_file_unmap`. Page-aligned. Write to it only if it
 * was opened with `copy_on_write`.
 *
 * Requires: `file` is NULL, or a file that is open.
 */
void *oh_file_data(const struct oh_file *file);

/**
 * The number of bytes: that of the file when it was opened. 0 after `oh_file_unmap`.
 *
 * Requires: `file` is NULL, or a file that is open.
 */
size_t oh_file_length(const struct oh_file *file);

/**
 * Whether the file shrank, or could not be read, while it was mapped: then some of the bytes are zeros
 * that were never in the file. Look after reading, not before.
 *
 * Requires: `file` is NULL, or a file that is open.
 */
bool oh_file_lost(const struct oh_file *file);

/**
 * The word behind `oh_file_lost`: non-zero once it is lost. Read it atomically. It stays where it is, and
 * readable, until `oh_file_close`. NULL for NULL.
 *
 * Requires: `file` is NULL, or a file that is open.
 */
const int32_t *oh_file_status(const struct oh_file *file);

/**
 * Unmaps the bytes and keeps the handle, for those who still look at its status. Twice is fine, and
 * so is NULL.
 *
 * Requires: `file` is NULL, or a file that is open; no thread uses its bytes, or the handle, meanwhile.
 */
void oh_file_unmap(struct oh_file *file);

/**
 * Unmaps the bytes and frees the handle. NULL is fine.
 *
 * Requires: `file` is NULL, or a file that is open, and is not used again.
 */
void oh_file_close(struct oh_file *file);

/**
 * How many files are mapped in this process: for tests that look for leaks.
 */
size_t oh_file_mappings(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* OFFHEAP_H */
