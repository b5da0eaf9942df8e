/*
 * offheap.h: the C API of offheap, data structures outside the heap, in memory that the caller
 * owns.
 *
 * Generated from native/capi/src. Edit the Rust docs there, then run `npm run header`.
 *
 * Regions. Most structures are a region: `length` bytes at `void *base`, aligned to 64 bytes
 * unless a function says otherwise. A region contains offsets and no pointers, so its bytes can be
 * copied, saved, mapped at any address, and used from JavaScript, Rust and C++. For most kinds
 * there are
 *   oh_<kind>_region_size   the number of bytes needed
 *   oh_<kind>_init          creates an empty structure in memory of yours
 *   oh_<kind>_check         checks in constant time that bytes are safe to use
 *   oh_<kind>_validate      verifies all contents
 *   oh_<kind>_get_info      returns the parameters and sizes
 * Structures that are not regions are opaque handles, created by _new, _open or _attach, and freed
 * by _free or _close.
 *
 * Names. Functions are named oh_<type>_<verb> and take self, inputs and outputs, in this order.
 * _region_size is in bytes; _count is in entries.
 *
 * Errors. A function that can fail returns an oh_status. It writes its outputs only if it returns
 * OH_OK, and an operation that fails changes nothing unless its documentation says so.
 * oh_last_error() returns a message about the last failure on the calling thread. Nothing aborts:
 * an internal error is returned as OH_ERR_NATIVE.
 *
 * NULL. Pointers must not be NULL unless the documentation allows it; NULL is refused with
 * OH_ERR_TYPE. An empty array may be NULL. _free(NULL) and _close(NULL) do nothing.
 *
 * Ownership. Memory that the caller passes stays the caller's. Pointers that a function returns
 * point into the structure, and are valid as long as its documentation says. Strings are bytes
 * with a length, UTF-8 where they are text. Those returned as `const char *` end with a NUL and
 * are valid as long as the library is loaded.
 *
 * Threads. Functions that take a structure as `const` may be called from many threads at the same
 * time, as long as no thread calls one that takes it otherwise. An oh_sharedmap is an exception:
 * each thread has its own.
 *
 * Option structs begin with `size_t struct_size`, the sizeof of the struct. Set all fields that
 * are not needed to 0, for example with memset. Later versions can add fields, for which 0 has the
 * previous meaning. Therefore
 *   - a struct of an earlier header is accepted, with 0 for the fields that it lacks;
 *   - a struct of a later header is accepted if the fields that this version does not know are 0,
 *     and refused with OH_ERR_UNSUPPORTED otherwise;
 *   - a size that no version has is refused with OH_ERR_RANGE.
 *
 * The library does not print or exit, and calls back only the function that oh_log_set was given.
 * Opening a mapped file installs a handler for SIGBUS on Unix, which passes on all signals that do
 * not concern it; nothing else affects signals.
 */

#ifndef OFFHEAP_H
#define OFFHEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * An internal error of the library, or a repair that failed.
 */
#define OH_LOG_ERROR 1

/**
 * Something that an operator should know: a repair, or a map that evicts many entries.
 */
#define OH_LOG_WARNING 2

/**
 * Slow operations.
 */
#define OH_LOG_INFO 3

/**
 * A panic was caught; the call returned `OH_ERR_NATIVE`. Level: error.
 */
#define OH_LOG_EVENT_INTERNAL 1

/**
 * The lock of a shard was taken over from a participant whose process terminated, and the shard
 * was repaired; `count` is the number of its entries. Level: warning, or error if the repair
 * failed for want of memory.
 */
#define OH_LOG_EVENT_TAKEOVER 2

/**
 * A map in a file was repaired on request; `count` is the number of its entries. Level: warning.
 */
#define OH_LOG_EVENT_REPAIR 3

/**
 * An attachment evicted `count` entries within `milliseconds`. Reported at most once per second
 * for each attachment. Level: warning.
 */
#define OH_LOG_EVENT_EVICTIONS 4

/**
 * A thread waited `milliseconds` for the lock of a shard. Level: info.
 */
#define OH_LOG_EVENT_LOCK_WAIT 5

/**
 * A function took `milliseconds`. Level: info.
 */
#define OH_LOG_EVENT_SLOW 6

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
 * Flag of `oh_binding_sharedmap_file_open`: create the file if it does not exist.
 */
#define OH_BINDING_SHAREDMAP_CREATE 1

/**
 * Flag: the keys must have the type of the options.
 */
#define OH_BINDING_SHAREDMAP_KEY 2

/**
 * Flag: the values must have the type of the options.
 */
#define OH_BINDING_SHAREDMAP_VALUE 4

/**
 * Flag: the map must have the bound of the options.
 */
#define OH_BINDING_SHAREDMAP_BOUND 8

/**
 * Flag: open for reading.
 */
#define OH_BINDING_SHAREDMAP_READ 16

/**
 * Flag: keep only entries whose checksums are right.
 */
#define OH_BINDING_SHAREDMAP_REPAIR 32

/**
 * Store in any case.
 */
#define OH_SHAREDMAP_SET 0

/**
 * Store if the key is absent.
 */
#define OH_SHAREDMAP_ADD 1

/**
 * Store if the key is present.
 */
#define OH_SHAREDMAP_REPLACE 2

/**
 * Store if the entry has the given version.
 */
#define OH_SHAREDMAP_COMPARE 3

/**
 * The entry expires after the map's time to live.
 */
#define OH_SHAREDMAP_EXPIRY_DEFAULT 0

/**
 * The entry does not expire.
 */
#define OH_SHAREDMAP_EXPIRY_NEVER 1

/**
 * The entry expires at `expires_at`.
 */
#define OH_SHAREDMAP_EXPIRY_AT 2

/**
 * The entry expires when the one that it replaces would have.
 */
#define OH_SHAREDMAP_EXPIRY_KEEP 3

/**
 * Entries that were evicted for want of room.
 */
#define OH_SHAREDMAP_EVENT_EVICT 1

/**
 * Entries that were removed because they had expired.
 */
#define OH_SHAREDMAP_EVENT_EXPIRE 2

/**
 * Entries that were deleted.
 */
#define OH_SHAREDMAP_EVENT_DELETE 4

/**
 * Values that were stored.
 */
#define OH_SHAREDMAP_EVENT_SET 8

/**
 * The key is present: there is nothing to compute.
 */
#define OH_SHAREDMAP_LEASE_PRESENT 0

/**
 * The caller has the lease, and should store a value or give the lease up.
 */
#define OH_SHAREDMAP_LEASE_ACQUIRED 1

/**
 * Another participant has the lease.
 */
#define OH_SHAREDMAP_LEASE_HELD 2

/**
 * Result of `oh_bitvector_next` if there is no such bit.
 */
#define OH_BITVECTOR_NONE UINT64_MAX

/**
 * Flag of packed integers: JavaScript reads them as bigints, and they may have any 64-bit value.
 * Without it, all of them are below 2^53.
 */
#define OH_PACKEDINTS_BIGINT 1

/**
 * Offset of the text in the region of a suffix array, in bytes.
 */
#define OH_SUFFIXARRAY_TEXT 256

/**
 * The default level of compression.
 */
#define OH_LEVEL_DEFAULT 3

/**
 * The minimum size of a trained dictionary in bytes.
 */
#define OH_DICTIONARY_MIN_BYTES 1024

/**
 * The maximum size of a trained dictionary in bytes.
 */
#define OH_DICTIONARY_MAX_BYTES 16777216

/**
 * Policy of `oh_numa_place`: the policy of the thread or process. Reverts the other policies.
 */
#define OH_NUMA_DEFAULT 0

/**
 * Policy of `oh_numa_place`: from one node, or from its neighbors when it is full.
 */
#define OH_NUMA_NODE 1

/**
 * Policy of `oh_numa_place`: from the node of the thread that touches a page first.
 */
#define OH_NUMA_LOCAL 2

/**
 * Policy of `oh_numa_place`: from all nodes in turn, page by page.
 */
#define OH_NUMA_INTERLEAVE 3

/**
 * Result of `oh_numa_nodes_of` for a page that is not on any node, because no thread has written
 * to it yet.
 */
#define OH_NUMA_NOWHERE -1

/**
 * Advice of `oh_region_advise`: use huge pages. This reduces TLB misses of random accesses, but
 * allocates memory in large units (2 MiB on x86-64).
 */
#define OH_ADVICE_HUGE_PAGES 1

/**
 * Advice of `oh_region_advise`: use small pages only.
 */
#define OH_ADVICE_SMALL_PAGES 2

/**
 * Advice of `oh_region_advise`: accesses will be random, do not read ahead.
 */
#define OH_ADVICE_RANDOM 3

/**
 * Advice of `oh_region_advise`: accesses will go from front to back.
 */
#define OH_ADVICE_SEQUENTIAL 4

/**
 * Advice of `oh_region_advise`: no particular pattern. Reverts the previous two.
 */
#define OH_ADVICE_NORMAL 5

/**
 * Advice of `oh_region_advise`: the bytes will be accessed soon, start to read them.
 */
#define OH_ADVICE_WILL_NEED 6

/**
 * Advice of `oh_region_advise`: free the pages. CONTENTS THAT EXIST ONLY IN MEMORY ARE LOST: the
 * pages contain zeros afterward, or, in a mapped file, the contents of the file.
 */
#define OH_ADVICE_DISCARD 7

/**
 * The outcome of a call. The numbers are fixed: they are part of the ABI.
 *
 * Every function that can fail returns one of these. It writes its outputs only if it returns
 * `OH_OK`, and a refused operation changes nothing. `oh_last_error` returns a message.
 */
typedef enum oh_status {
  /**
   * Success.
   */
  OH_OK = 0,
  /**
   * A number is outside the allowed range, or not an integer.
   */
  OH_ERR_RANGE = 1,
  /**
   * A value has the wrong type, a pointer is NULL or misaligned, or an option is unknown.
   */
  OH_ERR_TYPE = 2,
  /**
   * The structure was closed.
   */
  OH_ERR_CLOSED = 3,
  /**
   * The bytes of a region or file are inconsistent.
   */
  OH_ERR_CORRUPT = 4,
  /**
   * The bytes have a version, or contain a kind of structure, that this library cannot read.
   */
  OH_ERR_VERSION = 5,
  /**
   * The structure cannot grow any further in its memory.
   */
  OH_ERR_FULL = 6,
  /**
   * Out of memory.
   */
  OH_ERR_OOM = 7,
  /**
   * Another writer has locked the file or structure.
   */
  OH_ERR_LOCKED = 8,
  /**
   * The operating system refused a file operation.
   */
  OH_ERR_IO = 9,
  /**
   * The entry of a handle, id or offset was removed.
   */
  OH_ERR_STALE = 10,
  /**
   * This platform, runtime or schema does not support the operation.
   */
  OH_ERR_UNSUPPORTED = 11,
  /**
   * An internal error of this library. The message says where; please report it.
   */
  OH_ERR_NATIVE = 12,
  /**
   * Others changed the same keys during every attempt.
   */
  OH_ERR_CONFLICT = 13,
} oh_status;

/**
 * How the bytes of a file are accessed.
 */
typedef enum oh_strategy {
  /**
   * Read into memory when the file is opened: for small files.
   */
  OH_STRATEGY_BUFFERED = 0,
  /**
   * Mapped.
   */
  OH_STRATEGY_MMAP = 1,
  /**
   * Mapped with huge pages: hugetlbfs, or tmpfs mounted with `huge=`.
   */
  OH_STRATEGY_HUGEPAGE = 2,
  /**
   * Read into memory whatever the size, so that a later truncation has no effect.
   */
  OH_STRATEGY_COPY = 3,
  /**
   * In options: choose by the size of the file.
   */
  OH_STRATEGY_AUTO = 4,
} oh_strategy;

/**
 * Operations of `oh_bitvector_combine`. The result replaces the first of two bit vectors.
 */
typedef enum oh_bitvector_op {
  /**
   * Bits that are set in both.
   */
  OH_BITVECTOR_AND = 1,
  /**
   * Bits that are set in at least one.
   */
  OH_BITVECTOR_OR = 2,
  /**
   * Bits that are set in exactly one.
   */
  OH_BITVECTOR_XOR = 3,
  /**
   * Bits that are set in the first and not in the second.
   */
  OH_BITVECTOR_AND_NOT = 4,
} oh_bitvector_op;

/**
 * The expected access pattern.
 */
typedef enum oh_pattern {
  /**
   * Unknown.
   */
  OH_PATTERN_UNKNOWN = 0,
  /**
   * From front to back.
   */
  OH_PATTERN_SEQUENTIAL = 1,
  /**
   * Random accesses.
   */
  OH_PATTERN_RANDOM = 2,
  /**
   * Sequential runs at random places.
   */
  OH_PATTERN_MIXED = 3,
} oh_pattern;

/**
 * Queries of `oh_rankselect_one` and `oh_rankselect_many`.
 */
typedef enum oh_rankselect_query {
  /**
   * The number of ones before a position.
   */
  OH_RANK1 = 1,
  /**
   * The number of zeros before a position.
   */
  OH_RANK0 = 2,
  /**
   * The position of the k-th one, counted from 0.
   */
  OH_SELECT1 = 3,
  /**
   * The position of the k-th zero, counted from 0.
   */
  OH_SELECT0 = 4,
} oh_rankselect_query;

/**
 * Layouts of bits with rank and select. The numbers are those of the format.
 */
typedef enum oh_rankselect_variant {
  /**
   * Choose one of the others by the density of ones.
   */
  OH_RANKSELECT_AUTO = 0,
  /**
   * Plain bits, and a separate index.
   */
  OH_RANKSELECT_FLAT = 1,
  /**
   * Counts and bits in the same cache line: one cache miss for a rank.
   */
  OH_RANKSELECT_INTERLEAVED = 2,
  /**
   * The positions of ones, or of zeros if there are fewer of them. For bits of which few are
   * ones, or few are zeros.
   */
  OH_RANKSELECT_SPARSE = 3,
  /**
   * All bits are equal, and none is stored.
   */
  OH_RANKSELECT_CONSTANT = 4,
} oh_rankselect_variant;

/**
 * The types of elements. The numbers are those of the file formats.
 *
 * Keys of an `oh_hashmap`: `U32`, `I32`, `F64`, `U64`, `I64`, `STRING`, `BYTES`. Values: all
 * types.
 */
typedef enum oh_type {
  /**
   * `uint8_t`
   */
  OH_TYPE_U8 = 1,
  /**
   * `int8_t`
   */
  OH_TYPE_I8 = 2,
  /**
   * `uint16_t`
   */
  OH_TYPE_U16 = 3,
  /**
   * `int16_t`
   */
  OH_TYPE_I16 = 4,
  /**
   * `uint32_t`
   */
  OH_TYPE_U32 = 5,
  /**
   * `int32_t`
   */
  OH_TYPE_I32 = 6,
  /**
   * `float`
   */
  OH_TYPE_F32 = 7,
  /**
   * `double`. As keys, all NaNs are equal, and -0.0 equals 0.0.
   */
  OH_TYPE_F64 = 8,
  /**
   * `uint64_t`
   */
  OH_TYPE_U64 = 9,
  /**
   * `int64_t`
   */
  OH_TYPE_I64 = 10,
  /**
   * One byte, 0 or 1.
   */
  OH_TYPE_BOOL = 11,
  /**
   * Text: UTF-8, or WTF-8 if it has lone surrogates. It may contain NULs.
   */
  OH_TYPE_STRING = 12,
  /**
   * Any bytes.
   */
  OH_TYPE_BYTES = 13,
  /**
   * JSON text.
   */
  OH_TYPE_JSON = 14,
  /**
   * JavaScript values, which are not stored in the region. From C, only the keys of such a map
   * can be used.
   */
  OH_TYPE_ANY = 15,
  /**
   * A JavaScript value, serialized by V8. Only values of a SharedMap have this type.
   */
  OH_TYPE_STRUCTURED = 16,
  /**
   * Each value has a type of its own. Only values of a SharedMap have this type.
   */
  OH_TYPE_MIXED = 17,
} oh_type;

/**
 * A mapped region file. Created by `oh_binding_file_open`, freed by `oh_binding_file_close`.
 */
typedef struct oh_binding_file oh_binding_file;

/**
 * An open file that a runtime maps or reads into buffers that it manages. Created by
 * `oh_binding_openfile_open`, freed by `oh_binding_openfile_close`.
 */
typedef struct oh_binding_openfile oh_binding_openfile;

/**
 * The file of a map, open and checked. Created by `oh_binding_sharedmap_file_open`, freed by
 * `oh_binding_sharedmap_file_close`.
 */
typedef struct oh_binding_sharedmap_file oh_binding_sharedmap_file;

/**
 * The file of an `oh_mmapvector`, for a runtime that maps its elements into memory that it
 * manages. Created by `oh_binding_vectorfile_create` or `oh_binding_vectorfile_open`, freed by
 * `oh_binding_vectorfile_close`. Its user must follow the rule of the format: never store to an
 * element that is covered by the latest commit or by one in progress.
 */
typedef struct oh_binding_vectorfile oh_binding_vectorfile;

/**
 * A dictionary, prepared for use. Created by `oh_dictionary_train` or `oh_dictionary_open`, freed
 * by `oh_dictionary_free`.
 */
typedef struct oh_dictionary oh_dictionary;

/**
 * A view of a pool. Created by `oh_fixedpool_attach`, freed by `oh_fixedpool_close`.
 */
typedef struct oh_fixedpool oh_fixedpool;

/**
 * A handle of a pool, for one thread. Created by `oh_lockfreepool_attach`, freed by
 * `oh_lockfreepool_close`.
 */
typedef struct oh_lockfreepool oh_lockfreepool;

/**
 * A file in memory. Created by `oh_mappedfile_open`, freed by `oh_mappedfile_close`.
 */
typedef struct oh_mappedfile oh_mappedfile;

/**
 * A vector in a file. Created by `oh_mmapvector_create` or `oh_mmapvector_open`, freed by
 * `oh_mmapvector_close`. One handle may write; others, in this process or in other ones, can read
 * the elements that it flushed.
 */
typedef struct oh_mmapvector oh_mmapvector;

/**
 * A view of a pool. Created by `oh_numapool_attach`, freed by `oh_numapool_close`.
 */
typedef struct oh_numapool oh_numapool;

/**
 * A vector that owns its memory, which is aligned to 64 bytes and grows automatically. Only one
 * thread at a time may use it.
 */
typedef struct oh_owned_vector oh_owned_vector;

/**
 * An open store of compressed records, with its prepared dictionary. Created by
 * `oh_recordstore_open`, freed by `oh_recordstore_free`.
 */
typedef struct oh_recordstore oh_recordstore;

/**
 * A store that is being built. Only one thread at a time may use it. Created by
 * `oh_recordstore_builder_new`, freed by `oh_recordstore_builder_free`.
 */
typedef struct oh_recordstore_builder oh_recordstore_builder;

/**
 * A window over a stream of bytes, and the hash of its contents. Only one thread at a time may use
 * it.
 */
typedef struct oh_rollinghash oh_rollinghash;

/**
 * An attachment of a map. One thread at a time may use it, also for functions that take it as
 * `const`; other threads need attachments of their own (`oh_sharedmap_attach_thread`). Freed by
 * `oh_sharedmap_close`.
 */
typedef struct oh_sharedmap oh_sharedmap;

/**
 * A small map. Created by `oh_standalone_smallmap_new`, freed by `oh_standalone_smallmap_free`.
 */
typedef struct oh_standalone_smallmap oh_standalone_smallmap;

/**
 * A handle of a pool with a cache, for one thread. Created by `oh_threadlocalpool_attach`, freed
 * by `oh_threadlocalpool_close`.
 */
typedef struct oh_threadlocalpool oh_threadlocalpool;

/**
 * A report to the callback of the log. Valid during the call.
 */
typedef struct oh_log_record {
  /**
   * `OH_LOG_ERROR`, `OH_LOG_WARNING` or `OH_LOG_INFO`.
   */
  uint32_t level;
  /**
   * What happened: `OH_LOG_EVENT_…`.
   */
  uint32_t event;
  /**
   * A sentence in English, UTF-8, with a NUL at the end.
   */
  const char *message;
  /**
   * Bytes of the message without the NUL.
   */
  size_t message_length;
  /**
   * How long it took; 0 for events without a duration.
   */
  double milliseconds;
  /**
   * Number of entries; 0 for events without a number.
   */
  uint64_t count;
} oh_log_record;

/**
 * The callback of the log. It receives the context of `oh_log_set`, runs on the thread whose
 * operation is reported, perhaps on several threads at the same time, and must neither throw nor
 * unwind.
 */
typedef void (*oh_log_callback)(void *context, const struct oh_log_record *record);

/**
 * What to report. Set all bytes to 0, and then `struct_size` and what differs.
 */
typedef struct oh_log_options {
  /**
   * `sizeof(oh_log_options)`
   */
  size_t struct_size;
  /**
   * Milliseconds from which on operations and waits for locks are slow; 0: 10.
   */
  double slow_milliseconds;
  /**
   * Evictions by one attachment within one second from which on they are reported; 0: 10,000.
   */
  uint64_t evictions;
  /**
   * The least severe level that is reported: `OH_LOG_ERROR`, …; 0: `OH_LOG_WARNING`.
   */
  uint32_t level;
} oh_log_options;

/**
 * Options of a new map. Initialize them with `OH_HASHMAP_OPTIONS(key, value, capacity)`, or set
 * all bytes to 0 and then `struct_size`.
 */
typedef struct oh_hashmap_options {
  /**
   * `sizeof(oh_hashmap_options)`
   */
  size_t struct_size;
  /**
   * Type of the keys, an `oh_type`.
   */
  uint32_t key_type;
  /**
   * Type of the values, an `oh_type`.
   */
  uint32_t value_type;
  /**
   * Number of entries that fit before the map must be rebuilt: 1 to 1,369,020,825.
   */
  uint32_t capacity;
  /**
   * Seed of the hash function. If both words are 0, a random seed is chosen, so that an attacker
   * cannot choose keys that collide.
   */
  uint32_t seeds[2];
  /**
   * Bytes for strings and byte sequences, at most 2^34; 0 for a map without them. Each takes its
   * length, rounded up to a multiple of 4, plus 4 bytes.
   */
  uint64_t heap_capacity;
} oh_hashmap_options;

/**
 * The types, capacities and counts of a map.
 */
typedef struct oh_hashmap_info {
  /**
   * Type of the keys, an `oh_type`.
   */
  uint32_t key_type;
  /**
   * Type of the values, an `oh_type`.
   */
  uint32_t value_type;
  /**
   * Number of entries that fit before the map must be rebuilt.
   */
  uint32_t capacity;
  /**
   * Number of entries.
   */
  uint32_t count;
  /**
   * Positions in use, including those of entries that were removed since the last rebuild.
   */
  uint32_t used;
  /**
   * How often entries changed their positions, modulo 2^32.
   */
  uint32_t moves;
  /**
   * Bytes for strings and byte sequences.
   */
  uint64_t heap_capacity;
  /**
   * Bytes of the heap in use.
   */
  uint64_t heap_used;
  /**
   * Bytes of `heap_used` that a rebuild would free.
   */
  uint64_t heap_garbage;
  /**
   * Size of the region in bytes. The memory may be longer.
   */
  uint64_t region_size;
} oh_hashmap_info;

/**
 * A key and a value in a map. Numbers are pointed to in their column (aligned), strings and byte
 * sequences in the heap, without a terminating NUL. The pointers are valid until the map is
 * rebuilt or cleared.
 */
typedef struct oh_hashmap_entry {
  /**
   * The key.
   */
  const void *key;
  /**
   * Bytes of the key.
   */
  size_t key_length;
  /**
   * The value; NULL for `OH_TYPE_ANY`.
   */
  const void *value;
  /**
   * Bytes of the value.
   */
  size_t value_length;
  /**
   * Index of the entry in the columns.
   */
  uint32_t position;
} oh_hashmap_entry;

/**
 * The columns of a map, in insertion order. Element i is an entry if bit i % 32 of `dead[i / 32]`
 * is 0. The columns of strings and byte sequences contain 32-bit references. The pointers are
 * valid until the map is rebuilt or cleared.
 */
typedef struct oh_hashmap_columns {
  /**
   * The keys.
   */
  const void *keys;
  /**
   * The values; NULL for `OH_TYPE_ANY`.
   */
  const void *values;
  /**
   * One bit for each element: 1 if the entry was removed.
   */
  const uint32_t *dead;
  /**
   * Number of elements in each column.
   */
  uint32_t used;
} oh_hashmap_columns;

/**
 * A key and a value of a small map. Numbers are aligned; strings and byte sequences have no
 * terminating NUL. The pointers are valid until the map is changed.
 */
typedef struct oh_standalone_smallmap_entry {
  /**
   * The key.
   */
  const void *key;
  /**
   * Bytes of the key.
   */
  size_t key_length;
  /**
   * The value.
   */
  const void *value;
  /**
   * Bytes of the value.
   */
  size_t value_length;
} oh_standalone_smallmap_entry;

/**
 * Options of a new arena. Set all bytes to 0, and then `struct_size`.
 */
typedef struct oh_smallmap_arena_options {
  /**
   * `sizeof(oh_smallmap_arena_options)`
   */
  size_t struct_size;
  /**
   * Type of the keys: a numeric type or `OH_TYPE_STRING`.
   */
  uint32_t key_type;
  /**
   * Type of the values: a numeric type, `OH_TYPE_BOOL` or `OH_TYPE_STRING`.
   */
  uint32_t value_type;
  /**
   * Number of maps with four entries each that fit before the arena must be rebuilt: 1 to 2^30.
   */
  uint32_t maps;
  /**
   * Seeds of the hash functions. If both words are 0, random seeds are chosen, so that an
   * attacker cannot choose keys that collide.
   */
  uint32_t seeds[2];
} oh_smallmap_arena_options;

/**
 * The types, capacities and counts of an arena.
 */
typedef struct oh_smallmap_arena_info {
  /**
   * Type of the keys, an `oh_type`.
   */
  uint32_t key_type;
  /**
   * Type of the values, an `oh_type`.
   */
  uint32_t value_type;
  /**
   * Number of maps.
   */
  uint32_t maps;
  /**
   * Number of maps whose entries are in the hash table.
   */
  uint32_t promoted;
  /**
   * Number of maps that fit.
   */
  uint32_t map_capacity;
  /**
   * Number of slots of 8 entries that fit.
   */
  uint32_t block_capacity;
  /**
   * Number of entries of large maps that fit.
   */
  uint32_t table_capacity;
  /**
   * Number of strings.
   */
  uint32_t strings;
  /**
   * Size of the region in bytes. The memory may be longer.
   */
  uint64_t region_size;
} oh_smallmap_arena_info;

/**
 * The room that an arena needs in addition to its contents; see `oh_smallmap_arena_make_room`.
 */
typedef struct oh_smallmap_arena_room {
  /**
   * `sizeof(oh_smallmap_arena_room)`
   */
  size_t struct_size;
  /**
   * Number of maps.
   */
  uint32_t maps;
  /**
   * Number of slots of 8 entries. A map of 5 to 8 entries takes one slot, a map of 3 or 4
   * entries half of one, and a map of 1 or 2 entries a quarter.
   */
  uint32_t blocks;
  /**
   * Number of entries of large maps: one for each entry, and 10 for the ninth entry of a map,
   * which moves the other 8.
   */
  uint32_t positions;
  /**
   * Number of strings.
   */
  uint32_t strings;
  /**
   * Bytes of the strings: the length of each, rounded up to a multiple of 4, plus 4.
   */
  uint64_t heap;
} oh_smallmap_arena_room;

/**
 * Options of a new map. Set all bytes to 0, and then `struct_size`, `max_bytes`, `key` and
 * `value`.
 */
typedef struct oh_sharedmap_options {
  /**
   * `sizeof(oh_sharedmap_options)`
   */
  size_t struct_size;
  /**
   * Bound in bytes, from 65,536 to 2^35: index, keys, values and all overhead.
   */
  uint64_t max_bytes;
  /**
   * Milliseconds after which an entry expires; 0: never.
   */
  double ttl;
  /**
   * Type of the keys: u32, i32, f64, u64, i64, string or bytes.
   */
  uint32_t key;
  /**
   * Type of the values: all but `OH_TYPE_ANY`.
   */
  uint32_t value;
  /**
   * Eviction policy: 0 auto, 1 s3-fifo, 2 lru, 3 lfu, 4 fifo, 5 gdsf, 6 none.
   */
  uint32_t policy;
  /**
   * Number of shards, a power of two. 0: as many as suit the bound.
   */
  uint32_t shards;
  /**
   * Refuse new values when the map is full, and evict nothing.
   */
  bool reject;
  /**
   * The map is in a file: entries get checksums.
   */
  bool file;
  /**
   * Use `seeds` as the key of the hash function instead of random numbers.
   */
  bool seeded;
  /**
   * The key of the hash function.
   */
  uint32_t seeds[2];
} oh_sharedmap_options;

/**
 * Figures about a map. Each is read at its own moment, so they may be inconsistent while others
 * write.
 */
typedef struct oh_sharedmap_stats {
  /**
   * Number of entries.
   */
  uint64_t entries;
  /**
   * Bytes in use, at most the bound.
   */
  uint64_t used_bytes;
  /**
   * The bound.
   */
  uint64_t max_bytes;
  /**
   * Bytes of keys and values.
   */
  uint64_t content_bytes;
  /**
   * Bytes of free blocks in pages that are in use.
   */
  uint64_t free_bytes;
  /**
   * Bytes of the index.
   */
  uint64_t index_bytes;
  /**
   * Values found, by the participants that are attached now.
   */
  uint64_t hits;
  /**
   * Keys not found, by the participants that are attached now.
   */
  uint64_t misses;
  /**
   * Values stored.
   */
  uint64_t sets;
  /**
   * Entries deleted.
   */
  uint64_t deletes;
  /**
   * Entries evicted.
   */
  uint64_t evictions;
  /**
   * Entries that expired.
   */
  uint64_t expirations;
  /**
   * Times that a thread waited for a lock.
   */
  uint64_t lock_waits;
  /**
   * Repairs of shards whose writer's process had terminated.
   */
  uint64_t repairs;
  /**
   * Participants.
   */
  uint64_t participants;
  /**
   * Entries that have a time of expiry.
   */
  uint64_t expiring;
  /**
   * Buckets of all shards.
   */
  uint64_t buckets;
  /**
   * Shards.
   */
  uint64_t shards;
} oh_sharedmap_stats;

/**
 * What opening a file did.
 */
typedef struct oh_sharedmap_opened {
  /**
   * Whether the file was created.
   */
  bool created;
  /**
   * Whether the map was repaired.
   */
  bool repaired;
  /**
   * Entries that a repair kept.
   */
  uint64_t kept;
  /**
   * Entries that a repair removed.
   */
  uint64_t lost;
} oh_sharedmap_opened;

/**
 * The properties of an entry.
 */
typedef struct oh_sharedmap_entry {
  /**
   * Changes with every change of the entry, and differs after it was deleted and added again.
   */
  uint64_t version;
  /**
   * Milliseconds since 1970; 0: never.
   */
  double expires_at;
  /**
   * Bytes of the entry in the map, without the index.
   */
  uint64_t bytes;
  /**
   * Bytes of the value.
   */
  size_t value_length;
  /**
   * The type of the value in a map of mixed values; otherwise 0.
   */
  uint32_t value_type;
  /**
   * The head of a value that is text or bytes: length × 4 + encoding; otherwise 0.
   */
  uint32_t value_head;
} oh_sharedmap_entry;

/**
 * How to store a value. Set all bytes to 0, and then `struct_size`.
 */
typedef struct oh_sharedmap_write {
  /**
   * `sizeof(oh_sharedmap_write)`
   */
  size_t struct_size;
  /**
   * The condition: `OH_SHAREDMAP_SET`, …
   */
  uint32_t mode;
  /**
   * When the entry expires: `OH_SHAREDMAP_EXPIRY_DEFAULT`, …
   */
  uint32_t expiry;
  /**
   * For `OH_SHAREDMAP_COMPARE`: the version; 0: the key is absent.
   */
  uint64_t version;
  /**
   * For `OH_SHAREDMAP_EXPIRY_AT`: milliseconds since 1970.
   */
  double expires_at;
  /**
   * The type of the value in a map of mixed values; otherwise 0.
   */
  uint32_t value_type;
} oh_sharedmap_write;

/**
 * The result of storing a value.
 */
typedef struct oh_sharedmap_written {
  /**
   * The version of the entry that is in the map now; 0: none.
   */
  uint64_t version;
  /**
   * Whether the value was stored.
   */
  bool stored;
  /**
   * Whether the key was present.
   */
  bool existed;
} oh_sharedmap_written;

/**
 * How to open the file of a map. Set all bytes to 0, and then `struct_size` and what differs.
 */
typedef struct oh_sharedmap_open_options {
  /**
   * `sizeof(oh_sharedmap_open_options)`
   */
  size_t struct_size;
  /**
   * The map to create if there is no file. An existing one must have the same `key`, `value` and
   * `max_bytes`, and keeps its other options. NULL: open an existing file, whatever it contains.
   */
  const struct oh_sharedmap_options *map;
  /**
   * Do not create a file, even if `map` is set.
   */
  bool existing;
  /**
   * Open for reading. The file is not changed, not even its statistics; changes are refused with
   * `OH_ERR_UNSUPPORTED`.
   */
  bool read_only;
  /**
   * Keep only entries whose checksums are right. Without it, a file that was open when the
   * machine stopped is refused with `OH_ERR_CORRUPT`.
   */
  bool repair;
} oh_sharedmap_open_options;

/**
 * The progress of a long operation, and whether to cancel it. Set it to zeros before the
 * operation. While it runs, another thread may read `done` and `total` and set `cancel`, with
 * atomic accesses.
 */
typedef struct oh_control {
  /**
   * Not 0: stop soon, with nothing changed.
   */
  uint32_t cancel;
  /**
   * Zero.
   */
  uint32_t reserved;
  /**
   * Number of completed steps.
   */
  uint64_t done;
  /**
   * Total number of steps; 0 until it is known.
   */
  uint64_t total;
} oh_control;

/**
 * The map of a snapshot.
 */
typedef struct oh_sharedmap_snapshot_info {
  /**
   * Its bound in bytes.
   */
  uint64_t max_bytes;
  /**
   * Milliseconds after which entries expire; 0: never.
   */
  double ttl;
  /**
   * Type of the keys.
   */
  uint32_t key;
  /**
   * Type of the values.
   */
  uint32_t value;
  /**
   * Eviction policy.
   */
  uint32_t policy;
  /**
   * 1 if a full map refuses new values.
   */
  uint32_t reject;
} oh_sharedmap_snapshot_info;

/**
 * A key that a transaction read.
 */
typedef struct oh_sharedmap_read {
  /**
   * The key.
   */
  const void *key;
  /**
   * Bytes of the key.
   */
  size_t key_length;
  /**
   * The version of its entry; 0: the key was absent.
   */
  uint64_t version;
} oh_sharedmap_read;

/**
 * A change of a transaction.
 */
typedef struct oh_sharedmap_change {
  /**
   * The key. Each key may be changed once.
   */
  const void *key;
  /**
   * Bytes of the key.
   */
  size_t key_length;
  /**
   * The value.
   */
  const void *value;
  /**
   * Bytes of the value.
   */
  size_t value_length;
  /**
   * For `OH_SHAREDMAP_EXPIRY_AT`: milliseconds since 1970.
   */
  double expires_at;
  /**
   * When the entry expires: `OH_SHAREDMAP_EXPIRY_DEFAULT`, …
   */
  uint32_t expiry;
  /**
   * The type of the value in a map of mixed values; otherwise 0.
   */
  uint32_t value_type;
  /**
   * Delete the key; the value is ignored.
   */
  bool remove;
} oh_sharedmap_change;

/**
 * The type, the size and the elements of a vector.
 */
typedef struct oh_vector_info {
  /**
   * Type of the elements, an `oh_type`.
   */
  uint32_t element_type;
  /**
   * The first element, 256 bytes after the start of the region.
   */
  void *data;
  /**
   * Number of elements.
   */
  uint64_t count;
  /**
   * Number of elements that fit into the region.
   */
  uint64_t capacity;
  /**
   * Size of the region in bytes. The memory may be longer.
   */
  uint64_t region_size;
} oh_vector_info;

/**
 * A sum. The sum of integers is exact, in 128 bits: `high` × 2^64 + `low`; `value` is the same as
 * a double. For floats only `value` is meaningful.
 */
typedef struct oh_sum {
  /**
   * The low 64 bits.
   */
  uint64_t low;
  /**
   * The high 64 bits.
   */
  int64_t high;
  /**
   * The sum as a double.
   */
  double value;
} oh_sum;

/**
 * The size and the bits of a bit vector.
 */
typedef struct oh_bitvector_info {
  /**
   * Number of bits.
   */
  uint64_t count;
  /**
   * Number of bits that the region has room for.
   */
  uint64_t capacity;
  /**
   * Size of the region in bytes. The memory may be longer.
   */
  uint64_t region_size;
  /**
   * The bits: `capacity / 8` bytes, of which the bits from `count` on are 0. Valid until the
   * capacity is changed.
   */
  const uint64_t *bits;
} oh_bitvector_info;

/**
 * The parameters and the size of a region with rank and select, or of a planned one.
 */
typedef struct oh_rankselect_info {
  /**
   * An `oh_rankselect_variant`.
   */
  uint32_t variant;
  /**
   * Number of bits.
   */
  uint64_t count;
  /**
   * Number of ones.
   */
  uint64_t ones;
  /**
   * Size of the region in bytes: header, bits, index and padding.
   */
  uint64_t region_size;
} oh_rankselect_info;

/**
 * The parameters and the size of a region of packed integers.
 */
typedef struct oh_packedints_info {
  /**
   * Number of integers.
   */
  uint64_t count;
  /**
   * Bits of each integer.
   */
  uint32_t bits;
  /**
   * `OH_PACKEDINTS_…` flags.
   */
  uint32_t flags;
  /**
   * Size of the region in bytes. The memory may be longer.
   */
  uint64_t region_size;
} oh_packedints_info;

/**
 * The parameters and the size of a region of sorted integers.
 */
typedef struct oh_eliasfano_info {
  /**
   * Number of values.
   */
  uint64_t count;
  /**
   * The largest value; 0 if there is none.
   */
  uint64_t max;
  /**
   * Number of low bits of each value that are stored verbatim.
   */
  uint32_t low_bits;
  /**
   * Zero.
   */
  uint32_t reserved;
  /**
   * Size of the region in bytes. The memory may be longer.
   */
  uint64_t region_size;
} oh_eliasfano_info;

/**
 * A value and its index.
 */
typedef struct oh_eliasfano_entry {
  /**
   * Its index in ascending order, from 0 on.
   */
  uint64_t index;
  /**
   * The value.
   */
  uint64_t value;
} oh_eliasfano_entry;

/**
 * A range of suffixes in the array.
 */
typedef struct oh_suffixarray_found {
  /**
   * The rank of the first suffix.
   */
  uint64_t start;
  /**
   * Number of suffixes.
   */
  uint64_t count;
} oh_suffixarray_found;

/**
 * The identity, the bytes and the sizes of a dictionary.
 */
typedef struct oh_dictionary_info {
  /**
   * 64 bits that distinguish it from other dictionaries.
   */
  uint64_t identity;
  /**
   * Its region, to be saved. Valid until the dictionary is freed.
   */
  const void *bytes;
  /**
   * Size of the region in bytes.
   */
  size_t region_size;
  /**
   * Bytes of text to which matches can refer.
   */
  size_t content;
  /**
   * Number of strings with a symbol of their own.
   */
  size_t phrases;
  /**
   * Number of contexts that select the code of a symbol.
   */
  size_t contexts;
} oh_dictionary_info;

/**
 * The sizes of a store.
 */
typedef struct oh_recordstore_info {
  /**
   * Number of records.
   */
  uint64_t count;
  /**
   * Size of the compressed records in bytes.
   */
  uint64_t payload;
  /**
   * Size of the longest record in bytes, uncompressed.
   */
  uint64_t longest;
  /**
   * Size of all records in bytes, uncompressed.
   */
  uint64_t total;
  /**
   * Size of the region in bytes.
   */
  uint64_t region_size;
  /**
   * Size of the region of its dictionary in bytes.
   */
  uint64_t dictionary_size;
  /**
   * Identity of its dictionary.
   */
  uint64_t identity;
} oh_recordstore_info;

/**
 * The parameters and the size of a Bloom filter.
 */
typedef struct oh_bloomfilter_info {
  /**
   * Number of keys that the filter was made for.
   */
  uint64_t capacity;
  /**
   * Rate of false positives once it contains that many keys.
   */
  double rate;
  /**
   * Number of blocks of 64 bytes. Each key uses one block.
   */
  uint64_t blocks;
  /**
   * Size of the region in bytes. The memory may be longer.
   */
  uint64_t region_size;
} oh_bloomfilter_info;

/**
 * The hash of a key. Valid for filters with the same seeds.
 */
typedef struct oh_bloomfilter_hashed {
  /**
   * Selects the block.
   */
  uint32_t block;
  /**
   * Selects the bits in the block.
   */
  uint32_t lanes;
} oh_bloomfilter_hashed;

/**
 * Where a search for a cut point ended.
 */
typedef struct oh_rollinghash_place {
  /**
   * Number of bytes consumed.
   */
  size_t end;
  /**
   * The hash of the window that ends there.
   */
  uint32_t hash;
  /**
   * Whether this is a cut point; otherwise the bytes ended.
   */
  bool is_cut;
} oh_rollinghash_place;

/**
 * Options of a new pool. Set all bytes to 0, and then `struct_size`.
 */
typedef struct oh_fixedpool_options {
  /**
   * `sizeof(oh_fixedpool_options)`
   */
  size_t struct_size;
  /**
   * Sizes of the blocks of each class, in bytes. Each is rounded up to a multiple of 8 and of
   * the next smaller size.
   */
  const uint64_t *sizes;
  /**
   * Number of blocks of each class that fit at the same time.
   */
  const uint64_t *blocks;
  /**
   * Number of classes, 1 to 16.
   */
  size_t classes;
  /**
   * Fill blocks with zeros when they are freed.
   */
  bool zero_on_free;
  /**
   * Put 16 known bytes after each block, and check them when it is freed.
   */
  bool guards;
} oh_fixedpool_options;

/**
 * Counters of a pool. Sizes are in bytes.
 */
typedef struct oh_fixedpool_stats {
  /**
   * Total size of the blocks that fit.
   */
  uint64_t capacity;
  /**
   * Size of the allocated blocks.
   */
  uint64_t used;
  /**
   * The largest value of `used` so far.
   */
  uint64_t peak;
  /**
   * Number of allocated blocks.
   */
  uint32_t blocks;
  /**
   * Number of requests that found no room, modulo 2^32.
   */
  uint32_t failures;
} oh_fixedpool_stats;

/**
 * Options of a new arena. Set all bytes to 0, and then `struct_size`.
 */
typedef struct oh_bumparena_options {
  /**
   * `sizeof(oh_bumparena_options)`
   */
  size_t struct_size;
  /**
   * The largest alignment of a block: a power of two from 8 to 4096; 0 means 64. The data begins
   * at a multiple of it.
   */
  uint32_t align;
  /**
   * Fill released blocks with zeros.
   */
  bool zero_on_free;
  /**
   * Put 16 known bytes after each block, and check them when it is released.
   */
  bool guards;
} oh_bumparena_options;

/**
 * The state to which `oh_bumparena_release` returns. Treat the fields as opaque.
 */
typedef struct oh_bumparena_mark {
  /**
   * Allocated granules of 8 bytes.
   */
  uint32_t top;
  /**
   * The block that was allocated last.
   */
  uint32_t last;
  /**
   * Number of allocated blocks.
   */
  uint32_t blocks;
  /**
   * Number of resets before the mark.
   */
  uint32_t resets;
  /**
   * The enclosing mark.
   */
  uint32_t floor;
} oh_bumparena_mark;

/**
 * The size and the counters of an arena. Sizes are in bytes.
 */
typedef struct oh_bumparena_info {
  /**
   * Size of the region. The memory may be longer.
   */
  uint64_t region_size;
  /**
   * Offset of the data from the start of the region.
   */
  uint64_t data;
  /**
   * Size of the data.
   */
  uint64_t capacity;
  /**
   * Allocated bytes, including alignment and guards.
   */
  uint64_t used;
  /**
   * The largest value of `used` so far.
   */
  uint64_t peak;
  /**
   * Number of allocated blocks.
   */
  uint32_t blocks;
  /**
   * Number of requests that found no room, modulo 2^32.
   */
  uint32_t failures;
  /**
   * Number of resets, modulo 2^32.
   */
  uint32_t resets;
  /**
   * The largest alignment of a block.
   */
  uint32_t align;
} oh_bumparena_info;

/**
 * Options of a new pool. Set all bytes to 0, and then `struct_size` and `capacity`.
 */
typedef struct oh_lockfreepool_options {
  /**
   * `sizeof(oh_lockfreepool_options)`
   */
  size_t struct_size;
  /**
   * Total size of the blocks in bytes, up to 2^32; rounded up to whole chunks.
   */
  uint64_t capacity;
  /**
   * Size of a chunk in bytes, a power of two from 1 KiB to 1 MiB. 0 means a 64th of the
   * capacity, within these limits.
   */
  uint64_t chunk;
  /**
   * Size of the smallest block in bytes, a power of two from 16 on. 0 means 64, or 16 if
   * `compact` is set.
   */
  uint64_t smallest;
  /**
   * Maximum number of handles at the same time, up to 1023. 0 means 128, or 32 if `compact` is
   * set.
   */
  uint32_t handles;
  /**
   * Fill blocks with zeros when they are freed.
   */
  bool zero_on_free;
  /**
   * Put 16 known bytes after each block, and check them when it is freed.
   */
  bool guards;
  /**
   * Do not spread the bookkeeping over cache lines: less memory, more contention.
   */
  bool compact;
} oh_lockfreepool_options;

/**
 * The layout of a pool's words. Fields with names that end in `_at` are indices of 32-bit words.
 */
typedef struct oh_lockfreepool_layout {
  /**
   * Offset of the data in bytes.
   */
  uint64_t data;
  /**
   * Size of the data in bytes.
   */
  uint64_t capacity;
  /**
   * The option word.
   */
  uint32_t options;
  /**
   * Logarithm to base 2 of the size of a chunk in bytes.
   */
  uint32_t chunk_shift;
  /**
   * Logarithm to base 2 of the size of the smallest block in bytes.
   */
  uint32_t min_shift;
  /**
   * Logarithm to base 2 of the number of group words of a chunk.
   */
  uint32_t group_shift;
  /**
   * Index of this handle's slot.
   */
  uint32_t slot;
  /**
   * The slot of this handle.
   */
  uint32_t slot_at;
  /**
   * Descriptors of the chunks.
   */
  uint32_t chunks_at;
  /**
   * Hints.
   */
  uint32_t hints_at;
  /**
   * Group words.
   */
  uint32_t groups_at;
  /**
   * The owner words of the groups.
   */
  uint32_t caches_at;
  /**
   * Total number of words.
   */
  uint32_t words;
} oh_lockfreepool_layout;

/**
 * Counters of a pool. Sizes are in bytes. Each counter is read at its own moment, so together they
 * may be inconsistent while other threads use the pool.
 */
typedef struct oh_lockfreepool_stats {
  /**
   * Total size of the blocks that fit.
   */
  uint64_t capacity;
  /**
   * Size of the allocated blocks.
   */
  uint64_t used;
  /**
   * Size of the free blocks in caches.
   */
  uint64_t cached;
  /**
   * Number of allocated blocks.
   */
  uint64_t blocks;
  /**
   * Number of requests that found no room, modulo 2^32.
   */
  uint32_t failures;
  /**
   * Number of handles.
   */
  uint32_t handles;
} oh_lockfreepool_stats;

/**
 * Options of a new pool. Set all bytes to 0, and then `struct_size`.
 */
typedef struct oh_numapool_options {
  /**
   * `sizeof(oh_numapool_options)`
   */
  size_t struct_size;
  /**
   * The node on which a request is served: `OH_NUMA_NODE`, the first node of the list;
   * `OH_NUMA_LOCAL`, the node on which the thread runs; `OH_NUMA_INTERLEAVE`, all nodes in turn,
   * block by block. If that node has no room, the nearest other node serves the request.
   */
  uint32_t policy;
  /**
   * The numbers of the nodes, without duplicates, at most 64.
   */
  const uint32_t *nodes;
  /**
   * Number of nodes; 0 means all nodes that have memory.
   */
  size_t node_count;
  /**
   * Size of the blocks on each node in bytes, up to 2^34; rounded up to a multiple of 64 KiB and
   * of the largest block, which has between an eighth and a half of this size.
   */
  uint64_t capacity;
  /**
   * Fill blocks with zeros when they are freed.
   */
  bool zero_on_free;
  /**
   * Put 16 known bytes after each block, and check them when it is freed.
   */
  bool guards;
} oh_numapool_options;

/**
 * Counters of a pool. Sizes are in bytes.
 */
typedef struct oh_numapool_stats {
  /**
   * Total size of the blocks that fit.
   */
  uint64_t capacity;
  /**
   * Size of the allocated blocks.
   */
  uint64_t used;
  /**
   * Number of allocated blocks.
   */
  uint64_t blocks;
  /**
   * Number of requests that were served on the preferred node.
   */
  uint64_t hits;
  /**
   * Number of requests that were served on another node, because the preferred one had no room.
   */
  uint64_t misses;
  /**
   * The largest request that can be served.
   */
  uint64_t largest;
  /**
   * Number of nodes.
   */
  uint32_t nodes;
  /**
   * Number of requests that found no room on any node, modulo 2^32.
   */
  uint32_t failures;
} oh_numapool_stats;

/**
 * Counters of one node of a pool. Sizes are in bytes.
 */
typedef struct oh_numapool_node {
  /**
   * Number of the node.
   */
  uint32_t id;
  /**
   * Number of allocated blocks.
   */
  uint32_t blocks;
  /**
   * Total size of the blocks that fit. The offsets of the node's blocks begin at `capacity`
   * times its index in the list.
   */
  uint64_t capacity;
  /**
   * Size of the allocated blocks.
   */
  uint64_t used;
  /**
   * The largest value of `used` so far.
   */
  uint64_t peak;
  /**
   * Number of requests that preferred this node and were served here.
   */
  uint64_t hits;
  /**
   * Number of requests that preferred another node and were served here, because that node had
   * no room.
   */
  uint64_t misses;
  /**
   * Number of requests that preferred this node and were served on another one.
   */
  uint64_t foreign;
  /**
   * With `placement`: number of pages of the node's blocks that are on this node.
   */
  uint64_t pages_here;
  /**
   * With `placement`: number of pages that are on another node.
   */
  uint64_t pages_elsewhere;
  /**
   * With `placement`: number of pages that no thread has written to yet.
   */
  uint64_t pages_nowhere;
} oh_numapool_node;

/**
 * How to open a file. Set all bytes to 0, and then `struct_size` and `strategy`.
 */
typedef struct oh_mappedfile_options {
  /**
   * `sizeof(oh_mappedfile_options)`
   */
  size_t struct_size;
  /**
   * An `oh_strategy`; `OH_STRATEGY_AUTO` chooses by the size of the file.
   */
  uint32_t strategy;
  /**
   * An `oh_pattern`.
   */
  uint32_t pattern;
  /**
   * Open the file for writing as well: stores reach the file.
   */
  bool writable;
  /**
   * Read all pages into memory before the function returns.
   */
  bool populate;
  /**
   * Keep all pages in memory.
   */
  bool lock;
  /**
   * Files up to this size in bytes are read instead of mapped; 0 means 64 KiB.
   */
  uint64_t buffered_up_to;
  /**
   * Huge pages are requested for files from this size in bytes on; 0 means 16 MiB.
   */
  uint64_t huge_from;
} oh_mappedfile_options;

/**
 * How a vector uses its file. Set all bytes to 0, and then `struct_size`.
 */
typedef struct oh_mmapvector_options {
  /**
   * `sizeof(oh_mmapvector_options)`
   */
  size_t struct_size;
  /**
   * Number of elements for which disk blocks are allocated at once.
   */
  uint64_t capacity;
  /**
   * Minimum growth of the file in bytes; 0 means 64 KiB. Between the limits, it grows by half of
   * its size.
   */
  uint64_t step_min;
  /**
   * Maximum growth of the file in bytes; 0 means 64 MiB.
   */
  uint64_t step_max;
  /**
   * The expected accesses: `OH_ADVICE_RANDOM`, `OH_ADVICE_SEQUENTIAL`, or 0 for no pattern.
   */
  uint32_t pattern;
  /**
   * Never grow past `capacity`: a push that exceeds it returns `OH_ERR_FULL`.
   */
  bool fixed;
  /**
   * Allocate pages before elements are stored to them, so that no push waits for one.
   */
  bool populate;
} oh_mmapvector_options;

/**
 * The type and the size of a vector in a file.
 */
typedef struct oh_mmapvector_info {
  /**
   * Type of the elements, an `oh_type`.
   */
  uint32_t element_type;
  /**
   * Whether it was opened for writing.
   */
  bool writable;
  /**
   * Whether the last flush before the file was opened was incomplete, so that the previous one
   * is in effect.
   */
  bool recovered;
  /**
   * Number of elements, including those that were not flushed yet.
   */
  uint64_t count;
  /**
   * Number of elements that would survive a crash now.
   */
  uint64_t flushed;
  /**
   * Number of elements that fit before the file grows.
   */
  uint64_t capacity;
} oh_mmapvector_info;

/**
 * A position in a sequence of bytes. Set all three fields. Every read is checked against `size`
 * first, whatever the bytes contain. A refused read does not move the position.
 *
 * Reads return `OH_ERR_RANGE` past the end, and `OH_ERR_CORRUPT` for an invalid varint or text. To
 * find out whether bytes of a mapped file were lost, call `oh_mappedfile_check`.
 */
typedef struct oh_cursor {
  /**
   * The first byte.
   */
  const void *base;
  /**
   * Number of bytes.
   */
  size_t size;
  /**
   * Offset of the next read in bytes.
   */
  size_t position;
} oh_cursor;

/**
 * A text in place: `length` bytes of UTF-8 at `data`, not terminated by a NUL.
 */
typedef struct oh_text {
  /**
   * The first byte.
   */
  const char *data;
  /**
   * Number of bytes.
   */
  size_t length;
} oh_text;

/**
 * A NUMA node. The counters are those of the kernel: pages of all processes since the machine
 * started.
 */
typedef struct oh_numa_node {
  /**
   * Number of the node. There may be gaps between the numbers.
   */
  uint32_t id;
  /**
   * Number of logical processors of the node, which may be 0. `oh_numa_cpus` lists them.
   */
  uint32_t cpu_count;
  /**
   * Total memory in bytes, which may be 0.
   */
  uint64_t memory_bytes;
  /**
   * Free memory in bytes at this moment.
   */
  uint64_t free_bytes;
  /**
   * Pages that were requested on this node and allocated on it.
   */
  uint64_t hit;
  /**
   * Pages that were requested on another node, but allocated on this one because the other was
   * full.
   */
  uint64_t miss;
  /**
   * Pages that were requested on this node, but allocated on another one.
   */
  uint64_t foreign;
  /**
   * Interleaved pages that were requested on this node and allocated on it.
   */
  uint64_t interleave_hit;
  /**
   * Pages that a thread running on this node allocated on it.
   */
  uint64_t local;
  /**
   * Pages that a thread running on another node allocated on this one.
   */
  uint64_t other;
} oh_numa_node;

/**
 * The type and the size of a vector in a file.
 */
typedef struct oh_binding_vectorfile_info {
  /**
   * Type of the elements, an `oh_type`.
   */
  uint32_t element_type;
  /**
   * Whether the last commit before the file was opened was incomplete, so that the previous one
   * is in effect.
   */
  bool recovered;
  /**
   * Number of committed elements.
   */
  uint64_t committed;
} oh_binding_vectorfile_info;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 * ---- Errors, versions, types ----
 */

/**
 * Returns the name of a status, such as `"OH_ERR_CORRUPT"`, or `"unknown"` for an invalid number.
 * The string is valid as long as the library is loaded.
 */
const char *oh_status_name(int32_t status);

/**
 * Returns the version of the loaded library, such as `"0.1.0"`. The string is valid as long as the
 * library is loaded.
 */
const char *oh_version(void);

/**
 * Copies the message of this thread's last failed call to `buffer`, terminated by a NUL and
 * truncated to `capacity` bytes in total. Returns the length of the whole message without the NUL
 * (at most 512), like `snprintf`, so that a first call with `(NULL, 0)` returns the required
 * length.
 *
 * A successful call does not change the message: check the status first.
 *
 * Requires:
 * `buffer` is NULL, or points to `capacity` writable bytes.
 */
size_t oh_last_error(char *buffer, size_t capacity);

/**
 * Writes the failure of this thread's last failed call to `buffer` as JSON, with a NUL at the end:
 * `{"code":"ERR_OFFHEAP_FULL","status":6,"message":"the map has no room"}`, or `null` if no call
 * has failed. The codes are those of the Node.js package. Returns the length without the NUL. If
 * that is not less than `capacity`, `buffer` receives an empty string instead of a part of the
 * JSON, so a first call with `(NULL, 0)` returns the required length. 3,200 bytes are enough for
 * every failure.
 *
 * A successful call does not change the failure: check the status first.
 *
 * Requires:
 * `buffer` is NULL, or points to `capacity` writable bytes.
 */
size_t oh_last_error_json(char *buffer, size_t capacity);

/**
 * Returns the size in bytes of an element of this type in a column or array: 1, 2, 4 or 8. It is 4
 * for strings and byte sequences, whose columns contain references, and 0 for `OH_TYPE_ANY` and
 * for an invalid type.
 */
size_t oh_type_width(uint32_t ty);

/**
 * Sets the callback that receives rare events of all structures in this process, or (NULL) none.
 * It is called after the operation of its thread, with no lock of a structure held, so it may use
 * the library; events of these calls are not reported. When this function returns, the former
 * callback is not running in any other thread and is not called again; so a callback must not wait
 * for a thread that sets the log. `options` may be NULL. Without a callback, a call
 * costs one load more.
 *
 * `OH_ERR_RANGE` for an option outside its range. `OH_ERR_LOCKED` if it is called by the callback.
 *
 * Requires:
 * Any thread may call `callback` with `context`, also several at the same time, until another
 * callback was set; `options` is NULL or points to as many readable bytes as its `struct_size`
 * says.
 */
enum oh_status oh_log_set(oh_log_callback callback,
                          void *context,
                          const struct oh_log_options *options);

/**
 * Returns the features of the processor, as `OH_CPU_…` bits. A bit is set only if the operating
 * system supports the feature as well. Features are detected at the first call; later calls are
 * cheap.
 */
uint32_t oh_cpu_features(void);

/**
 * Returns the name of the set of vector kernels that the library uses on this processor:
 * `"avx512"`, `"avx2"`, `"sse2"`, `"neon"` or `"generic"`. The string is valid as long as the
 * library is loaded.
 */
const char *oh_cpu_kernel(void);

/**
 * Computes the number of bytes that a map with these options needs. `OH_ERR_TYPE` for key or value
 * types that a map does not support; `OH_ERR_RANGE` for a capacity outside its range.
 *
 * Requires:
 * `options` points to as many readable bytes as its `struct_size` says; `out` is writable.
 */
enum oh_status oh_hashmap_region_size(const struct oh_hashmap_options *options, size_t *out);

/**
 * Creates an empty map in `length` bytes at `base`, overwriting them. `OH_ERR_FULL` if `length` is
 * less than `oh_hashmap_region_size`.
 *
 * The caller keeps owning the memory. It contains no pointers, so it can be copied, saved and
 * mapped at another address, and only the memory itself has to be freed.
 *
 * Requires:
 * `base` is valid for writing `length` bytes that no other thread uses; `options` as for
 * `oh_hashmap_region_size`.
 */
enum oh_status oh_hashmap_init(void *base, size_t length, const struct oh_hashmap_options *options);

/**
 * Checks in constant time that `length` bytes at `base` contain a hash map.
 *
 * After `OH_OK`, no `oh_hashmap_` function reads or writes outside these bytes, whatever their
 * contents. Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for
 * another kind of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
 *
 * Requires:
 * `base` is valid for reading `length` bytes.
 */
enum oh_status oh_hashmap_check(const void *base, size_t length);

/**
 * Verifies all entries of a map. `OH_ERR_CORRUPT` if something is wrong; `oh_last_error` describes
 * the first error found. Takes about as long as one lookup for each entry.
 *
 * Requires:
 * `base` is valid for reading `length` bytes.
 */
enum oh_status oh_hashmap_validate(const void *base, size_t length);

/**
 * Returns the types, capacities and counts of a map.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_hashmap_get_info(const void *base, size_t length, struct oh_hashmap_info *out);

/**
 * Returns the types of the keys and values of a map, each an `oh_type`. If another thread is
 * rebuilding the map, the function waits until that is done.
 *
 * Requires:
 * `base` is valid for reading `length` bytes; the outputs are writable.
 */
enum oh_status oh_hashmap_types(const void *base,
                                size_t length,
                                uint32_t *key_type,
                                uint32_t *value_type);

/**
 * Returns the number of entries in a map.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_hashmap_count(const void *base, size_t length, uint32_t *out);

/**
 * Computes the size in bytes that the region will have after `oh_hashmap_rebuild` with the same
 * arguments.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_hashmap_rebuild_region_size(const void *base,
                                              size_t length,
                                              uint32_t capacity,
                                              uint64_t heap_capacity,
                                              size_t *out);

/**
 * Rebuilds a map in place with a new capacity (to make room after `OH_ERR_FULL`), or with the same
 * capacity (to discard removed entries). If `heap_capacity` is too small for the strings and byte
 * sequences in the map, it is raised. `OH_ERR_FULL` if `length` is less than
 * `oh_hashmap_rebuild_region_size`.
 *
 * Entries keep their order and their handles; positions, and pointers into the map, become
 * invalid. A rebuild takes about 10 ns for each entry. It needs temporary memory only if entries
 * were removed or strings replaced; `OH_ERR_OOM` if there is none. A failed rebuild changes
 * nothing.
 *
 * Requires:
 * `base` is valid for reading and writing `length` bytes, and no other thread writes them.
 */
enum oh_status oh_hashmap_rebuild(void *base,
                                  size_t length,
                                  uint32_t capacity,
                                  uint64_t heap_capacity);

/**
 * Computes the capacity to which a full map should be rebuilt: the same one if at least a quarter
 * of its entries were removed, otherwise one and a half to two times as much. `OH_ERR_FULL` if the
 * map already has the largest capacity.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_hashmap_next_capacity(const void *base, size_t length, uint32_t *out);

/**
 * Removes all entries. The capacity stays the same; handles become stale.
 *
 * Requires:
 * As for `oh_hashmap_rebuild`.
 */
enum oh_status oh_hashmap_clear(void *base, size_t length);

/*
 * ---- Maps ----
 */

/**
 * Looks up `count` keys at once, which is several times faster than one by one because the cache
 * misses overlap. `keys` is an array of the map's key type, `values` one of its value type; both
 * must be numbers or booleans. If `keys[i]` is missing, `values[i]` is left unchanged. `found[i]`
 * (unless `found` is NULL) becomes 1 or 0. `*out` becomes the number of keys found.
 *
 * `schema` is 0, or key type + 256 × value type; then `OH_ERR_TYPE` is returned for a map of other
 * types. Pass it if a thread that is not trusted can write to the region: it could change the
 * types after the caller has read them.
 *
 * Any thread may call this function while the owner writes or rebuilds the map. `OH_ERR_STALE` if
 * the map outgrew `length` in the meantime; the results found so far are written.
 *
 * Requires:
 * `base` is valid for reading `length` bytes; the arrays have `count` elements, and only the
 * caller uses `values` and `found`; `out` is writable.
 */
enum oh_status oh_hashmap_get_many(const void *base,
                                   size_t length,
                                   uint32_t schema,
                                   const void *keys,
                                   size_t count,
                                   void *values,
                                   uint8_t *found,
                                   size_t *out);

/**
 * Looks up which of `count` keys a map contains. `found[i]` (unless `found` is NULL) becomes 1 or
 * 0. `*out` becomes the number of keys found. Otherwise like `oh_hashmap_get_many`, but the values
 * may have any type.
 *
 * Requires:
 * As for `oh_hashmap_get_many`.
 */
enum oh_status oh_hashmap_has_many(const void *base,
                                   size_t length,
                                   uint32_t schema,
                                   const void *keys,
                                   size_t count,
                                   uint8_t *found,
                                   size_t *out);

/**
 * Sets `keys[i]` to `values[i]` for i from `from` to `count` − 1. `*out` becomes `count`, or, if
 * the map became full, the index of the first key that was not set: rebuild the map and call the
 * function again with that index as `from`.
 *
 * Requires:
 * As for `oh_hashmap_set`; the arrays have `count` elements of the map's types; `out` is writable.
 */
enum oh_status oh_hashmap_set_many(void *base,
                                   size_t length,
                                   uint32_t schema,
                                   const void *keys,
                                   const void *values,
                                   size_t count,
                                   size_t from,
                                   size_t *out);

/**
 * Removes `count` keys. `*out` becomes the number of them that the map contained.
 *
 * Requires:
 * As for `oh_hashmap_set_many`.
 */
enum oh_status oh_hashmap_remove_many(void *base,
                                      size_t length,
                                      uint32_t schema,
                                      const void *keys,
                                      size_t count,
                                      size_t *out);

/**
 * Returns the handles of `count` keys; 0 for keys that are missing. `*out` becomes the number of
 * keys found. Only the writer may call it, as `oh_hashmap_handle_of`.
 *
 * Requires:
 * As for `oh_hashmap_set_many`; `handles` has `count` elements.
 */
enum oh_status oh_hashmap_handles_of(void *base,
                                     size_t length,
                                     uint32_t schema,
                                     const void *keys,
                                     size_t count,
                                     uint64_t *handles,
                                     size_t *out);

/**
 * Returns the values of the entries that `count` handles identify, as `oh_hashmap_get_many` does
 * for keys. `*out` becomes the number of handles that are not stale.
 *
 * Requires:
 * As for `oh_hashmap_get_many`.
 */
enum oh_status oh_hashmap_get_many_by_handle(const void *base,
                                             size_t length,
                                             uint32_t schema,
                                             const uint64_t *handles,
                                             size_t count,
                                             void *values,
                                             uint8_t *found,
                                             size_t *out);

/**
 * Looks up a key. `*value` becomes a pointer to its value in the map (see `oh_hashmap_entry`), or
 * NULL if the map does not contain the key; `*value_length` becomes its length in bytes.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `key` for `key_length`; the outputs are writable.
 */
enum oh_status oh_hashmap_get(const void *base,
                              size_t length,
                              const void *key,
                              size_t key_length,
                              const void **value,
                              size_t *value_length);

/**
 * Returns whether a map contains a key.
 *
 * Requires:
 * As for `oh_hashmap_get`.
 */
enum oh_status oh_hashmap_has(const void *base,
                              size_t length,
                              const void *key,
                              size_t key_length,
                              bool *out);

/**
 * Inserts a key, or replaces the value of an existing one. `*inserted` (unless `inserted` is NULL)
 * becomes true if the key was new. If the map is full, `OH_ERR_FULL` is returned and nothing
 * changes; the map must be rebuilt first:
 *
 * ```c
 * uint32_t capacity;
 * oh_hashmap_next_capacity(base, length, &capacity);
 * size_t needed;
 * oh_hashmap_rebuild_region_size(base, length, capacity, heap_capacity, &needed);
 * // make the memory at least `needed` bytes long (realloc, mremap), then
 * oh_hashmap_rebuild(base, needed, capacity, heap_capacity);
 * ```
 *
 * Other threads may read the map at the same time, but not write it.
 *
 * Requires:
 * `base` is valid for reading and writing `length` bytes, and no other thread writes them; `key`
 * is readable for `key_length` bytes and `value` for `value_length`.
 */
enum oh_status oh_hashmap_set(void *base,
                              size_t length,
                              const void *key,
                              size_t key_length,
                              const void *value,
                              size_t value_length,
                              bool *inserted);

/**
 * Removes a key. `*removed` (unless `removed` is NULL) becomes true if the map contained it.
 *
 * Requires:
 * As for `oh_hashmap_set`.
 */
enum oh_status oh_hashmap_remove(void *base,
                                 size_t length,
                                 const void *key,
                                 size_t key_length,
                                 bool *removed);

/**
 * Returns the handle of a key's entry: a number below 2^53 that identifies the entry until it is
 * removed, also across rebuilds. It is 0, which is never a handle, if the map does not contain the
 * key.
 *
 * Only the writer may call this function, because it records in the map that handles exist.
 *
 * Requires:
 * As for `oh_hashmap_set`; `out` is writable.
 */
enum oh_status oh_hashmap_handle_of(void *base,
                                    size_t length,
                                    const void *key,
                                    size_t key_length,
                                    uint64_t *out);

/**
 * Returns the entry that a handle identifies. `OH_ERR_STALE` if it was removed.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_hashmap_get_by_handle(const void *base,
                                        size_t length,
                                        uint64_t handle,
                                        struct oh_hashmap_entry *out);

/**
 * Returns the next entry in insertion order. Set `*cursor` to 0 before the first call. Afterward
 * it is 1 + the position of the entry, or 0 if there are no more entries. Entries may be inserted
 * and removed between calls.
 *
 * ```c
 * uint32_t cursor = 0;
 * oh_hashmap_entry entry;
 * while (oh_hashmap_next(base, length, &cursor, &entry) == OH_OK && cursor != 0) { … }
 * ```
 *
 * Requires:
 * `base` is valid for reading `length` bytes; `cursor` and `out` are writable.
 */
enum oh_status oh_hashmap_next(const void *base,
                               size_t length,
                               uint32_t *cursor,
                               struct oh_hashmap_entry *out);

/**
 * Returns the columns of a map, for loops over plain arrays.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_hashmap_get_columns(const void *base,
                                      size_t length,
                                      struct oh_hashmap_columns *out);

/**
 * Creates an empty map. Keys are numbers, `OH_TYPE_STRING` or `OH_TYPE_BYTES`; values are numbers
 * or `OH_TYPE_BOOL`; both are given as an `oh_type`. Free `*out` with
 * `oh_standalone_smallmap_free`.
 *
 * Requires:
 * `out` is writable.
 */
enum oh_status oh_standalone_smallmap_new(uint32_t key_type,
                                          uint32_t value_type,
                                          struct oh_standalone_smallmap **out);

/**
 * Frees a map. NULL is allowed.
 *
 * Requires:
 * `map` is NULL, or came from `oh_standalone_smallmap_new` and is not used again.
 */
void oh_standalone_smallmap_free(struct oh_standalone_smallmap *map);

/**
 * Returns the number of entries.
 *
 * Requires:
 * `map` is a map that no other thread changes; `out` is writable.
 */
enum oh_status oh_standalone_smallmap_count(const struct oh_standalone_smallmap *map, size_t *out);

/**
 * Returns whether the entries are in a hash table. A map moves to a hash table when it gets a
 * ninth entry, and back on `oh_standalone_smallmap_clear`.
 *
 * Requires:
 * As for `oh_standalone_smallmap_count`.
 */
enum oh_status oh_standalone_smallmap_promoted(const struct oh_standalone_smallmap *map, bool *out);

/**
 * Looks up a key. `*value` becomes a pointer to its value in the map, through which the value may
 * be changed, or NULL if the map does not contain the key. The pointer is valid until the map is
 * changed.
 *
 * Requires:
 * As for `oh_standalone_smallmap_count`; `key` is valid for `key_length` bytes; the outputs are
 * writable.
 */
enum oh_status oh_standalone_smallmap_get(const struct oh_standalone_smallmap *map,
                                          const void *key,
                                          size_t key_length,
                                          const void **value,
                                          size_t *value_length);

/**
 * Inserts a key, or replaces the value of an existing one. `*inserted` (unless `inserted` is NULL)
 * becomes true if the key was new. If memory runs out, `OH_ERR_OOM` is returned and nothing
 * changes.
 *
 * Requires:
 * `map` is a map that no other thread uses; `key` is readable for `key_length` bytes and `value`
 * for `value_length`.
 */
enum oh_status oh_standalone_smallmap_set(struct oh_standalone_smallmap *map,
                                          const void *key,
                                          size_t key_length,
                                          const void *value,
                                          size_t value_length,
                                          bool *inserted);

/**
 * Removes a key. `*removed` (unless `removed` is NULL) becomes true if the map contained it. The
 * order of the other entries stays the same.
 *
 * Requires:
 * As for `oh_standalone_smallmap_set`.
 */
enum oh_status oh_standalone_smallmap_remove(struct oh_standalone_smallmap *map,
                                             const void *key,
                                             size_t key_length,
                                             bool *removed);

/**
 * Reserves memory for `entries` entries in total, so that insertions up to that number cannot
 * fail. More than 8 move the map to a hash table.
 *
 * Requires:
 * `map` is a map that no other thread uses.
 */
enum oh_status oh_standalone_smallmap_reserve(struct oh_standalone_smallmap *map, size_t entries);

/**
 * Removes all entries and frees the hash table, if there is one.
 *
 * Requires:
 * As for `oh_standalone_smallmap_reserve`.
 */
enum oh_status oh_standalone_smallmap_clear(struct oh_standalone_smallmap *map);

/**
 * Returns the next entry in insertion order. Set `*cursor` to 0 before the first call; it is 0
 * again when there are no more entries. The values of the map may be changed between calls, but no
 * key may be inserted or removed.
 *
 * ```c
 * size_t cursor = 0;
 * oh_standalone_smallmap_entry entry;
 * while (oh_standalone_smallmap_next(map, &cursor, &entry) == OH_OK && cursor != 0) { … }
 * ```
 *
 * Requires:
 * As for `oh_standalone_smallmap_count`; `cursor` and `out` are writable.
 */
enum oh_status oh_standalone_smallmap_next(const struct oh_standalone_smallmap *map,
                                           size_t *cursor,
                                           struct oh_standalone_smallmap_entry *out);

/**
 * Computes the number of bytes that an arena with these options needs. `OH_ERR_TYPE` for types
 * that an arena does not support; `OH_ERR_RANGE` for a number of maps outside its range.
 *
 * Requires:
 * `options` points to as many readable bytes as its `struct_size` says; `out` is writable.
 */
enum oh_status oh_smallmap_arena_region_size(const struct oh_smallmap_arena_options *options,
                                             size_t *out);

/**
 * Creates an empty arena in `length` bytes at `base`, overwriting them. `OH_ERR_FULL` if `length`
 * is less than `oh_smallmap_arena_region_size`. The caller keeps owning the memory, and only the
 * memory itself has to be freed.
 *
 * Requires:
 * `base` is valid for writing `length` bytes that no other thread uses; `options` as for
 * `oh_smallmap_arena_region_size`.
 */
enum oh_status oh_smallmap_arena_init(void *base,
                                      size_t length,
                                      const struct oh_smallmap_arena_options *options);

/**
 * Checks in constant time that `length` bytes at `base` contain an arena of small maps.
 *
 * After `OH_OK`, no `oh_smallmap_arena_` function reads or writes outside these bytes, whatever
 * their contents. Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION`
 * for another kind of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
 *
 * Requires:
 * `base` is valid for reading `length` bytes.
 */
enum oh_status oh_smallmap_arena_check(const void *base, size_t length);

/**
 * Verifies all maps and strings of an arena. `OH_ERR_CORRUPT` if something is wrong;
 * `oh_last_error` describes the first error found. Takes about as long as one lookup for each
 * entry.
 *
 * Requires:
 * `base` is valid for reading `length` bytes.
 */
enum oh_status oh_smallmap_arena_validate(const void *base, size_t length);

/**
 * Returns the types, capacities and counts of an arena. If another thread is rearranging the
 * arena, the function waits until that is done.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_smallmap_arena_get_info(const void *base,
                                          size_t length,
                                          struct oh_smallmap_arena_info *out);

/**
 * Computes the size in bytes that the region will have after `oh_smallmap_arena_make_room` with
 * the same `room`.
 *
 * Requires:
 * `base` is valid for reading `length` bytes; `room` is NULL, or points to as many readable bytes
 * as its `struct_size` says; `out` is writable.
 */
enum oh_status oh_smallmap_arena_room_region_size(const void *base,
                                                  size_t length,
                                                  const struct oh_smallmap_arena_room *room,
                                                  size_t *out);

/**
 * Makes room in an arena, in place: packs slots, drops strings that no entry refers to, and gives
 * sections larger capacities. If `room` is NULL, it shrinks the arena to its contents instead.
 * `OH_ERR_FULL` if `length` is less than `oh_smallmap_arena_room_region_size`. A refused call
 * changes nothing. The ids of maps, and of strings that an entry refers to, stay valid.
 *
 * Requires:
 * `base` is valid for reading and writing `length` bytes, and no other thread writes them; `room`
 * as for `oh_smallmap_arena_room_region_size`.
 */
enum oh_status oh_smallmap_arena_make_room(void *base,
                                           size_t length,
                                           const struct oh_smallmap_arena_room *room);

/**
 * Creates an empty map and returns its id, a number below 2^53. `OH_ERR_FULL` if there is no room.
 *
 * Requires:
 * As for `oh_smallmap_arena_make_room`; `out` is writable.
 */
enum oh_status oh_smallmap_arena_create(void *base, size_t length, uint64_t *out);

/**
 * Deletes a map and its entries. Its id becomes stale. `OH_ERR_STALE` if it already was.
 *
 * Requires:
 * As for `oh_smallmap_arena_make_room`.
 */
enum oh_status oh_smallmap_arena_release(void *base, size_t length, uint64_t id);

/**
 * Removes all entries of a map, and moves it out of the hash table.
 *
 * Requires:
 * As for `oh_smallmap_arena_make_room`.
 */
enum oh_status oh_smallmap_arena_clear(void *base, size_t length, uint64_t id);

/**
 * Moves the entries of a map of exactly 8 entries to the hash table, as a ninth entry would.
 * `OH_ERR_FULL` if there is no room for 10 positions.
 *
 * Requires:
 * As for `oh_smallmap_arena_make_room`.
 */
enum oh_status oh_smallmap_arena_promote(void *base, size_t length, uint64_t id);

/**
 * Looks up `count` keys at once, `keys[i]` in the map with the id `ids[i]`. This is several times
 * faster than one by one, because the cache misses overlap. `ids` is an array of `id_type`:
 * `OH_TYPE_U32`, `OH_TYPE_U64` or `OH_TYPE_F64`. `keys` and `values` are arrays of the arena's
 * types; strings are 32-bit ids. If `keys[i]` is missing, `values[i]` is left unchanged.
 * `found[i]` (unless `found` is NULL) becomes 1 or 0. `*out` becomes the number of keys found.
 *
 * `schema` is 0, or key type + 256 × value type; then `OH_ERR_TYPE` is returned for an arena of
 * other types.
 *
 * Any thread may call this function while the owner writes. `OH_ERR_STALE` at the first id without
 * a map, or if the arena outgrew `length` in the meantime; the results found so far are written.
 *
 * Requires:
 * `base` is valid for reading `length` bytes; the arrays have `count` elements, and only the
 * caller uses `values` and `found`; `out` is writable.
 */
enum oh_status oh_smallmap_arena_get_many(const void *base,
                                          size_t length,
                                          uint32_t schema,
                                          const void *ids,
                                          uint32_t id_type,
                                          const void *keys,
                                          size_t count,
                                          void *values,
                                          uint8_t *found,
                                          size_t *out);

/**
 * Sets `keys[i]` to `values[i]` in the map with the id `ids[i]`, for i from `from` to `count` − 1.
 * `*out` becomes `count`, or, if the arena became full, the index of the first key that was not
 * set: make room and call the function again with that index as `from`. `OH_ERR_STALE`, with
 * nothing changed, if there is no map with one of the ids, or no string with an id that is passed
 * as key or value.
 *
 * Requires:
 * As for `oh_smallmap_arena_make_room`; the arrays as for `oh_smallmap_arena_get_many`; `out` is
 * writable.
 */
enum oh_status oh_smallmap_arena_set_many(void *base,
                                          size_t length,
                                          uint32_t schema,
                                          const void *ids,
                                          uint32_t id_type,
                                          const void *keys,
                                          const void *values,
                                          size_t count,
                                          size_t from,
                                          size_t *out);

/**
 * Copies the entries of a map, in insertion order, into arrays of `capacity` elements of the
 * arena's types. `*out` becomes the number of entries of the map, which may be more than were
 * copied.
 *
 * Requires:
 * `base` is valid for reading `length` bytes; the arrays have `capacity` elements; `out` is
 * writable.
 */
enum oh_status oh_smallmap_arena_entries(const void *base,
                                         size_t length,
                                         uint64_t id,
                                         void *keys,
                                         void *values,
                                         size_t capacity,
                                         size_t *out);

/**
 * Returns the number of entries of a map, and whether they are in the hash table.
 *
 * Requires:
 * `base` is valid for reading `length` bytes; the outputs are writable.
 */
enum oh_status oh_smallmap_arena_count(const void *base,
                                       size_t length,
                                       uint64_t id,
                                       uint32_t *size,
                                       bool *promoted);

/**
 * Looks up a key in a map. `*found` becomes true if the map contains it; otherwise `*value` is not
 * written.
 *
 * Requires:
 * `base` is valid for reading `length` bytes; the outputs are writable.
 */
enum oh_status oh_smallmap_arena_get(const void *base,
                                     size_t length,
                                     uint64_t id,
                                     uint64_t key,
                                     uint64_t *value,
                                     bool *found);

/**
 * Inserts a key, or replaces the value of an existing one. `OH_ERR_FULL` if there is no room: make
 * room for a block, and for 10 positions if the map has 8 entries or more, and call the function
 * again. `OH_ERR_STALE` if there is no map with this id, or no string with an id that is passed as
 * key or value.
 *
 * Requires:
 * As for `oh_smallmap_arena_make_room`.
 */
enum oh_status oh_smallmap_arena_set(void *base,
                                     size_t length,
                                     uint64_t id,
                                     uint64_t key,
                                     uint64_t value);

/**
 * Removes a key. `*removed` becomes true if the map contained it. `OH_ERR_FULL` if removing it
 * needs a slot and there is none: make room for a block, and call the function again.
 *
 * Requires:
 * As for `oh_smallmap_arena_make_room`; `removed` is writable.
 */
enum oh_status oh_smallmap_arena_remove(void *base,
                                        size_t length,
                                        uint64_t id,
                                        uint64_t key,
                                        bool *removed);

/**
 * Returns the id of a string (UTF-8, or WTF-8 if it has lone surrogates), which is added if the
 * arena does not contain it. The id is valid until the next `oh_smallmap_arena_make_room`, and,
 * once an entry refers to the string, as long as one does. `OH_ERR_FULL` if there is no room.
 *
 * Requires:
 * As for `oh_smallmap_arena_make_room`; `text` has `text_length` bytes; `out` is writable.
 */
enum oh_status oh_smallmap_arena_intern(void *base,
                                        size_t length,
                                        const void *text,
                                        size_t text_length,
                                        uint32_t *out);

/**
 * Looks up the id of a string. `*found` becomes true if the arena contains it; otherwise `*out` is
 * not written.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `text` has `text_length` bytes; the outputs are
 * writable.
 */
enum oh_status oh_smallmap_arena_find_string(const void *base,
                                             size_t length,
                                             const void *text,
                                             size_t text_length,
                                             uint32_t *out,
                                             bool *found);

/**
 * Returns the bytes of a string, which are in the region and not followed by a NUL. They are valid
 * until `oh_smallmap_arena_make_room`. `OH_ERR_STALE` if there is no string with this id.
 *
 * Requires:
 * `base` is valid for reading `length` bytes; the outputs are writable.
 */
enum oh_status oh_smallmap_arena_string(const void *base,
                                        size_t length,
                                        uint32_t id,
                                        const void **text,
                                        size_t *text_length);

/**
 * Computes the number of bytes that a map with these options needs, at most `max_bytes`.
 * `OH_ERR_RANGE` or `OH_ERR_UNSUPPORTED` for an option outside its range.
 *
 * Requires:
 * `options` points to as many readable bytes as its `struct_size` says; `out` is writable.
 */
enum oh_status oh_sharedmap_region_size(const struct oh_sharedmap_options *options, uint64_t *out);

/**
 * Creates an empty map in `length` bytes at `base`, a multiple of 8, all of which are 0.
 * `OH_ERR_FULL` if `length` is less than `oh_sharedmap_region_size`.
 *
 * Requires:
 * `base` is valid for writing `length` bytes, which are 0 and which no other thread uses;
 * `options` as for `oh_sharedmap_region_size`.
 */
enum oh_status oh_sharedmap_init(void *base,
                                 size_t length,
                                 const struct oh_sharedmap_options *options);

/**
 * Attaches to the map in `length` bytes at `base`, memory that only threads of this process use.
 * The header is checked in constant time; after `OH_OK` no function reads or writes outside these
 * bytes, whatever their contents. `OH_ERR_FULL` if all participants' slots are in use. `discard`
 * allows the library to return pages that became free to the system (Linux, private anonymous
 * memory only). Close the attachment with `oh_sharedmap_close`.
 *
 * Requires:
 * `base` is valid for reading and writing `length` bytes until the attachment is closed; other
 * threads use them only through attachments; `out` is writable.
 */
enum oh_status oh_sharedmap_attach(void *base,
                                   size_t length,
                                   bool discard,
                                   struct oh_sharedmap **out);

/**
 * Attaches another thread to the map of `map`, in memory or in a file. Any thread may call it,
 * also while another uses `map`. For a file, the new attachment has the mode of `map`. Errors as
 * for `oh_sharedmap_attach` and `oh_sharedmap_open`.
 *
 * Requires:
 * `map` is an attachment that is not closed meanwhile; memory that was passed to
 * `oh_sharedmap_attach` remains valid until the new attachment is closed; `out` is writable.
 */
enum oh_status oh_sharedmap_attach_thread(const struct oh_sharedmap *map,
                                          struct oh_sharedmap **out);

/**
 * Closes an attachment. The map and its entries remain. NULL is allowed.
 *
 * Requires:
 * `map` is NULL, or an attachment that is not used again.
 */
void oh_sharedmap_close(struct oh_sharedmap *map);

/**
 * Returns the types of keys and values.
 *
 * Requires:
 * `map` is an attachment; the outputs are writable.
 */
enum oh_status oh_sharedmap_types(const struct oh_sharedmap *map, uint32_t *key, uint32_t *value);

/**
 * Returns the slot of the participant: the index of its words in the region.
 *
 * Requires:
 * `map` is an attachment; `out` is writable.
 */
enum oh_status oh_sharedmap_slot(const struct oh_sharedmap *map, uint32_t *out);

/**
 * Returns the number of entries. Entries that have expired count until they are removed.
 *
 * Requires:
 * `map` is an attachment; `out` is writable.
 */
enum oh_status oh_sharedmap_count(const struct oh_sharedmap *map, uint64_t *out);

/**
 * Returns figures about the map.
 *
 * Requires:
 * `map` is an attachment; `out` is writable.
 */
enum oh_status oh_sharedmap_get_stats(const struct oh_sharedmap *map,
                                      struct oh_sharedmap_stats *out);

/**
 * Verifies the whole map, shard by shard, under their locks. `OH_ERR_CORRUPT` if something is
 * wrong; `oh_last_error` describes the first error found. `OH_ERR_UNSUPPORTED` if the map was
 * opened for reading.
 *
 * Requires:
 * `map` is an attachment.
 */
enum oh_status oh_sharedmap_validate(const struct oh_sharedmap *map);

/**
 * Removes all entries.
 *
 * Requires:
 * `map` is an attachment.
 */
enum oh_status oh_sharedmap_clear(struct oh_sharedmap *map);

/**
 * Removes entries that have expired, of about `buckets` buckets (20 entries each); `SIZE_MAX`: of
 * all. `*out` becomes their number.
 *
 * Requires:
 * `map` is an attachment; `out` is writable.
 */
enum oh_status oh_sharedmap_purge_expired(struct oh_sharedmap *map, size_t buckets, size_t *out);

/*
 * ---- Maps with many writers ----
 */

/**
 * Opens or creates the file of a map, as `oh_sharedmap_open` does, without mapping it. `flags` are
 * bits `OH_BINDING_SHAREDMAP_…`.
 *
 * Requires:
 * `path_length` bytes at `path` are readable; `options` as for `oh_sharedmap_region_size`; `out`
 * is writable.
 */
enum oh_status oh_binding_sharedmap_file_open(const char *path,
                                              size_t path_length,
                                              const struct oh_sharedmap_options *options,
                                              uint32_t flags,
                                              struct oh_binding_sharedmap_file **out);

/**
 * Returns the number of bytes of the map; 0 for NULL.
 *
 * Requires:
 * `file` is NULL or open.
 */
size_t oh_binding_sharedmap_file_length(const struct oh_binding_sharedmap_file *file);

/**
 * Maps the file at `base`, replacing whatever is mapped there. `capacity` is that of
 * `oh_binding_openfile_map`, with room for a page more than the file takes. Attach with
 * `oh_binding_sharedmap_attach` before the file is closed; from the first attachment to the last
 * in this process, other threads can attach in the same way. `OH_ERR_CLOSED` if it was mapped
 * before.
 *
 * Requires:
 * As for `oh_binding_openfile_map`; the memory exists until the last attachment was closed.
 */
enum oh_status oh_binding_sharedmap_file_map(struct oh_binding_sharedmap_file *file,
                                             void *base,
                                             size_t capacity);

/**
 * Returns what opening the file, and the first attachment, did.
 *
 * Requires:
 * `file` is open; `out` is writable.
 */
enum oh_status oh_binding_sharedmap_file_get_opened(const struct oh_binding_sharedmap_file *file,
                                                    struct oh_sharedmap_opened *out);

/**
 * Closes the handle. Attachments, and the memory, remain. NULL is allowed.
 *
 * Requires:
 * `file` is NULL, or open and not used again.
 */
void oh_binding_sharedmap_file_close(struct oh_binding_sharedmap_file *file);

/**
 * Attaches to the map in `length` bytes at `base`: as `oh_sharedmap_attach` does, or, if a file is
 * mapped there, as a participant of the file. `OH_ERR_CLOSED` if the map belongs to a file that
 * has no attachment in this process any more.
 *
 * Requires:
 * As for `oh_sharedmap_attach`.
 */
enum oh_status oh_binding_sharedmap_attach(void *base,
                                           size_t length,
                                           bool discard,
                                           struct oh_sharedmap **out);

/**
 * Looks up `count` keys, an array of the map's key type. `values`, an array of its value type, or
 * NULL; if `keys[i]` is absent, `values[i]` is left unchanged. `found[i]` (unless `found` is NULL)
 * becomes 1 or 0. `*out` becomes the number of keys found.
 *
 * Requires:
 * `map` is an attachment; the arrays have `count` elements, and only the caller uses `values` and
 * `found`; `out` is writable.
 */
enum oh_status oh_sharedmap_get_many(const struct oh_sharedmap *map,
                                     const void *keys,
                                     size_t count,
                                     void *values,
                                     uint8_t *found,
                                     size_t *out);

/**
 * Stores `count` values with the map's time to live. `*out` becomes the number of values stored:
 * all, or the index of the first that was refused, together with the status of its refusal.
 *
 * Requires:
 * `map` is an attachment; the arrays, of the map's types, have `count` elements; `out` is
 * writable.
 */
enum oh_status oh_sharedmap_set_many(struct oh_sharedmap *map,
                                     const void *keys,
                                     const void *values,
                                     size_t count,
                                     size_t *out);

/**
 * Deletes `count` keys, an array of the map's key type. `*out` becomes the number of keys that
 * were present.
 *
 * Requires:
 * `map` is an attachment; `keys` has `count` elements; `out` is writable.
 */
enum oh_status oh_sharedmap_remove_many(struct oh_sharedmap *map,
                                        const void *keys,
                                        size_t count,
                                        size_t *out);

/**
 * Whether an entry of this size can be stored in the map if others make room. The lengths are in
 * bytes.
 *
 * Requires:
 * `map` is an attachment; `fits` is writable.
 */
enum oh_status oh_sharedmap_fits(const struct oh_sharedmap *map,
                                 size_t key_length,
                                 size_t value_length,
                                 bool *fits);

/**
 * Writes up to `limit` live entries of a shard to `buffer`, from a bucket that `seed` selects;
 * pass random numbers for random entries. `shard` is below the number of shards
 * (`oh_sharedmap_get_stats`); the lowest bits of a handle are the shard of its key. Each entry
 * consists of two words (head of the key, 0), the bytes of the entry as `uint64_t`, the time of
 * expiry as `double` (0: never), the version as `uint64_t`, and the key, padded with zeros to a
 * multiple of 8 bytes. The head is length × 4 + encoding, or 0 for keys of fixed size. `*length`
 * becomes the number of bytes written, and `*count` the number of entries. If they need more than
 * `capacity` bytes, nothing is written, `*count` becomes 0, and `*length` the number of bytes
 * needed.
 *
 * Requires:
 * `map` is an attachment; `buffer` is valid for writing `capacity` bytes; the other pointers are
 * writable.
 */
enum oh_status oh_sharedmap_sample(const struct oh_sharedmap *map,
                                   uint32_t shard,
                                   uint32_t seed,
                                   size_t limit,
                                   void *buffer,
                                   size_t capacity,
                                   size_t *length,
                                   size_t *count);

/**
 * Removes a key if its entry has this version, which counts and is reported as an eviction.
 * `*evicted` becomes whether it was removed.
 *
 * Requires:
 * `map` is an attachment; `key` is valid for reading `key_length` bytes; `evicted` is writable.
 */
enum oh_status oh_sharedmap_evict(struct oh_sharedmap *map,
                                  const void *key,
                                  size_t key_length,
                                  uint64_t version,
                                  bool *evicted);

/**
 * Looks up a key. `*found` becomes true, and `*entry` (unless NULL) its properties, if it is
 * present. The value is copied to `buffer` if it has at most `capacity` bytes; otherwise nothing
 * is copied, and `entry->value_length` tells how many bytes are needed. With `peek` the lookup
 * affects neither eviction nor statistics. Takes no lock, and may be called while others write.
 *
 * Requires:
 * `map` is an attachment; `key` is valid for reading `key_length` bytes and `buffer` for writing
 * `capacity`; `entry` is NULL or writable; `found` is writable.
 */
enum oh_status oh_sharedmap_get(const struct oh_sharedmap *map,
                                const void *key,
                                size_t key_length,
                                bool peek,
                                void *buffer,
                                size_t capacity,
                                struct oh_sharedmap_entry *entry,
                                bool *found);

/**
 * Stores a value. `options` may be NULL: store in any case, with the map's time to live. `*out`
 * may be NULL. A condition that does not hold is not an error: `out->stored` is false then.
 * `OH_ERR_FULL` if the map has no room and may not evict, or if the value never fits;
 * `OH_ERR_RANGE` if the key is too long. After an error the map is unchanged.
 *
 * Requires:
 * `map` is an attachment; `key` and `value` are valid for reading `key_length` and `value_length`
 * bytes; `options` is NULL or points to as many readable bytes as its `struct_size` says; `out` is
 * NULL or writable.
 */
enum oh_status oh_sharedmap_set(struct oh_sharedmap *map,
                                const void *key,
                                size_t key_length,
                                const void *value,
                                size_t value_length,
                                const struct oh_sharedmap_write *options,
                                struct oh_sharedmap_written *out);

/**
 * Deletes a key. `*removed` becomes whether it was present.
 *
 * Requires:
 * `map` is an attachment; `key` is valid for reading `key_length` bytes; `removed` is writable.
 */
enum oh_status oh_sharedmap_remove(struct oh_sharedmap *map,
                                   const void *key,
                                   size_t key_length,
                                   bool *removed);

/**
 * Copies the value of a key to `buffer`, as `oh_sharedmap_get`, and deletes the key. If the value
 * has more than `capacity` bytes, the key is not deleted, and `entry->value_length` tells how many
 * are needed.
 *
 * Requires:
 * As for `oh_sharedmap_get`.
 */
enum oh_status oh_sharedmap_take(struct oh_sharedmap *map,
                                 const void *key,
                                 size_t key_length,
                                 void *buffer,
                                 size_t capacity,
                                 struct oh_sharedmap_entry *entry,
                                 bool *found);

/**
 * Adds to the number of a key, which counts as 0 if the key is absent, as one step. `*sum` becomes
 * the sum. For values of the types up to 32 bits, `f64`, and `mixed`; the entry keeps its time of
 * expiry. `OH_ERR_RANGE`, and nothing changed, if the type cannot represent the sum; `OH_ERR_TYPE`
 * if the value is not such a number.
 *
 * Requires:
 * `map` is an attachment; `key` is valid for reading `key_length` bytes; `sum` is writable.
 */
enum oh_status oh_sharedmap_increment(struct oh_sharedmap *map,
                                      const void *key,
                                      size_t key_length,
                                      double by,
                                      double *sum);

/**
 * As `oh_sharedmap_increment`, for values of the types `u64` and `i64`. A sum of a `u64` map is
 * returned as its bits.
 *
 * Requires:
 * As for `oh_sharedmap_increment`.
 */
enum oh_status oh_sharedmap_increment_integer(struct oh_sharedmap *map,
                                              const void *key,
                                              size_t key_length,
                                              int64_t by,
                                              int64_t *sum);

/**
 * Gives an entry a new time of expiry, in milliseconds since 1970; 0: never. `*found` becomes
 * whether the key is present. The entry gets a new version.
 *
 * Requires:
 * `map` is an attachment; `key` is valid for reading `key_length` bytes; `found` is writable.
 */
enum oh_status oh_sharedmap_touch(struct oh_sharedmap *map,
                                  const void *key,
                                  size_t key_length,
                                  double expires_at,
                                  bool *found);

/**
 * Records events of these types (bits `OH_SHAREDMAP_EVENT_…`) from now on, for
 * `oh_sharedmap_poll`; 0: none. Other participants may cause further types to be recorded. While
 * someone subscribes, changes cost about 20 ns more.
 *
 * Requires:
 * `map` is an attachment that no other thread uses at the same time.
 */
enum oh_status oh_sharedmap_subscribe(struct oh_sharedmap *map, uint32_t events);

/**
 * Writes the events since the last call to `buffer`: for each four words (length of the record,
 * type, head of the key, 0), and the key, padded with zeros to a multiple of 8 bytes. `*length`
 * becomes the number of bytes, and `*dropped` the number of events that were overwritten before
 * this call: each shard keeps the last ones only. If there are more bytes than `capacity`, nothing
 * is written, the events remain, and `*length` becomes the number of bytes needed.
 *
 * Requires:
 * `map` is an attachment that no other thread uses at the same time; `buffer` is valid for writing
 * `capacity` bytes; the outputs are writable.
 */
enum oh_status oh_sharedmap_poll(struct oh_sharedmap *map,
                                 void *buffer,
                                 size_t capacity,
                                 size_t *length,
                                 uint64_t *dropped);

/**
 * Opens the map in the file at `path` (`path_length` bytes, UTF-8 on Windows), or creates it, and
 * attaches the calling thread. Each thread opens the file on its own. The file appears whole or
 * not at all; if several processes create it, one does and the others open it. `options` may be
 * NULL: open an existing file for reading and writing. `opened` may be NULL.
 *
 * Processes that end in whatever way lose nothing that was acknowledged, and leave no locks. If
 * the machine stops, the file is either whole or refused. Closing the last attachment writes
 * everything to the disk, and waits for it.
 *
 * `OH_ERR_IO` if there is no file and none is to be created, or if it is not a regular file;
 * `OH_ERR_CORRUPT` if it is not a map, or was open when the machine stopped; `OH_ERR_VERSION` for
 * another structure or version; `OH_ERR_TYPE` or `OH_ERR_RANGE` if it has other types or another
 * bound; `OH_ERR_FULL` if the disk is full, or all participants' slots are in use;
 * `OH_ERR_LOCKED` if another process has been opening or closing it for 30 seconds;
 * `OH_ERR_UNSUPPORTED` on systems other than Linux, and on file systems without locks of open file
 * descriptions.
 *
 * Requires:
 * `path_length` bytes at `path` are readable; `options` is NULL, or points to as many readable
 * bytes as its `struct_size` says, and so does its `map`; `opened` is NULL or writable; `out` is
 * writable.
 */
enum oh_status oh_sharedmap_open(const char *path,
                                 size_t path_length,
                                 const struct oh_sharedmap_open_options *options,
                                 struct oh_sharedmap_opened *opened,
                                 struct oh_sharedmap **out);

/**
 * Returns the handle of a key; 0 if it is absent.
 *
 * Requires:
 * `map` is an attachment; `key` is valid for reading `key_length` bytes; `out` is writable.
 */
enum oh_status oh_sharedmap_handle_of(const struct oh_sharedmap *map,
                                      const void *key,
                                      size_t key_length,
                                      uint64_t *out);

/**
 * As `oh_sharedmap_get`, for the entry of a handle. `*found` is false if the handle is stale.
 *
 * Requires:
 * As for `oh_sharedmap_get`.
 */
enum oh_status oh_sharedmap_get_by_handle(const struct oh_sharedmap *map,
                                          uint64_t handle,
                                          void *buffer,
                                          size_t capacity,
                                          struct oh_sharedmap_entry *entry,
                                          bool *found);

/**
 * Copies the key of a handle to `buffer` if it has at most `capacity` bytes. `*key_length` becomes
 * its length, and `*found` is false if the handle is stale.
 *
 * Requires:
 * `map` is an attachment; `buffer` is valid for writing `capacity` bytes; the outputs are
 * writable.
 */
enum oh_status oh_sharedmap_key_by_handle(const struct oh_sharedmap *map,
                                          uint64_t handle,
                                          void *buffer,
                                          size_t capacity,
                                          size_t *key_length,
                                          bool *found);

/**
 * Stores a value in the entry of a handle. `options->mode` is ignored. `out->existed` is false,
 * and nothing changed, if the handle is stale.
 *
 * Requires:
 * As for `oh_sharedmap_set`.
 */
enum oh_status oh_sharedmap_set_by_handle(struct oh_sharedmap *map,
                                          uint64_t handle,
                                          const void *value,
                                          size_t value_length,
                                          const struct oh_sharedmap_write *options,
                                          struct oh_sharedmap_written *out);

/**
 * Deletes the entry of a handle. `*removed` is false if the handle is stale.
 *
 * Requires:
 * `map` is an attachment; `removed` is writable.
 */
enum oh_status oh_sharedmap_remove_by_handle(struct oh_sharedmap *map,
                                             uint64_t handle,
                                             bool *removed);

/**
 * Asks for the lease of an absent key for `duration` milliseconds, which must be positive. `*out`
 * becomes one of `OH_SHAREDMAP_LEASE_…`. The key remains absent. The lease ends when a value is
 * stored, when it is given up, when its time is over, and when its holder's process terminates.
 * `OH_ERR_FULL` if the map has no room for the lease.
 *
 * Requires:
 * `map` is an attachment; `key` is valid for reading `key_length` bytes; `out` is writable.
 */
enum oh_status oh_sharedmap_lease(struct oh_sharedmap *map,
                                  const void *key,
                                  size_t key_length,
                                  double duration,
                                  uint32_t *out);

/**
 * Gives up the lease of a key. Does nothing if this attachment does not have it.
 *
 * Requires:
 * `map` is an attachment; `key` is valid for reading `key_length` bytes.
 */
enum oh_status oh_sharedmap_end_lease(struct oh_sharedmap *map, const void *key, size_t key_length);

/**
 * Visits some entries. `*cursor` is 0 at the start, and becomes the position to continue at, or 0
 * at the end. The entries are written to `buffer`: for each four words (key head, value head, type
 * of the value in a map of mixed values, 0), the time of expiry as `double`, the key, and with
 * `with_values` the value, both padded with zeros to a multiple of 8 bytes. A head is length × 4 +
 * encoding, or 0 for a type of fixed size, which takes 4 or 8 bytes. Steps are made while `buffer`
 * has room and fewer than `limit` entries were written. `*length` becomes the number of bytes
 * written, and `*count` the number of entries. If one step needs more than `capacity` bytes,
 * nothing is written, `*count` becomes 0, `*cursor` stays, and `*length` becomes the number of
 * bytes needed.
 *
 * A key that is present throughout is visited exactly once, whatever others change meanwhile.
 *
 * Requires:
 * `map` is an attachment; `buffer` is valid for writing `capacity` bytes; the other pointers are
 * writable.
 */
enum oh_status oh_sharedmap_scan(const struct oh_sharedmap *map,
                                 uint64_t *cursor,
                                 bool with_values,
                                 size_t limit,
                                 void *buffer,
                                 size_t capacity,
                                 size_t *length,
                                 size_t *count);

/**
 * Writes a snapshot to the file at `path`, which is created or emptied first, and syncs it. To
 * replace a snapshot, write another file in its directory, and rename it. The snapshot contains
 * the entries of one instant, except those that are evicted while it is written. Others may write
 * meanwhile, and wait for microseconds at most. `*finished` becomes false, and the file is
 * incomplete, if `control` (NULL is allowed) was told to stop.
 *
 * `OH_ERR_LOCKED` if another participant is saving the map; `OH_ERR_IO` or `OH_ERR_FULL` if the
 * file cannot be written.
 *
 * Requires:
 * `map` is an attachment that no other thread uses at the same time; `path_length` bytes at `path`
 * are readable; `control` is NULL or valid; `finished` is writable.
 */
enum oh_status oh_sharedmap_save(struct oh_sharedmap *map,
                                 const char *path,
                                 size_t path_length,
                                 struct oh_control *control,
                                 bool *finished);

/**
 * Stores the entries of the snapshot at `path`, apart from those that have expired. `*out` becomes
 * their number. The map must have the types of the snapshot (`oh_sharedmap_snapshot_get_info`).
 * `OH_ERR_CORRUPT` if the file is damaged; entries before the damage have been stored then.
 *
 * Requires:
 * `map` is an attachment; `path_length` bytes at `path` are readable; `out` is writable.
 */
enum oh_status oh_sharedmap_restore(struct oh_sharedmap *map,
                                    const char *path,
                                    size_t path_length,
                                    uint64_t *out);

/**
 * Returns the types and options of the map of a snapshot.
 *
 * Requires:
 * `path_length` bytes at `path` are readable; `out` is writable.
 */
enum oh_status oh_sharedmap_snapshot_get_info(const char *path,
                                              size_t path_length,
                                              struct oh_sharedmap_snapshot_info *out);

/**
 * Makes up to 64 changes, all of them or none, if all keys read have their versions still. `*out`
 * becomes whether it did. If the process is terminated meanwhile, others see all changes or none.
 * `OH_ERR_RANGE` for too many changes or two of the same key, `OH_ERR_FULL` if there is no room.
 *
 * Requires:
 * `map` is an attachment; `reads` and `changes` have that many elements, whose pointers are valid
 * for reading the bytes that they name; `out` is writable.
 */
enum oh_status oh_sharedmap_commit(struct oh_sharedmap *map,
                                   const struct oh_sharedmap_read *reads,
                                   size_t read_count,
                                   const struct oh_sharedmap_change *changes,
                                   size_t change_count,
                                   bool *out);

/*
 * ---- Vectors ----
 */

/**
 * Computes the number of bytes that a vector of `capacity` elements of a type needs.
 *
 * Requires:
 * `out` is writable.
 */
enum oh_status oh_vector_region_size(uint32_t ty, uint64_t capacity, size_t *out);

/**
 * Creates an empty vector in `length` bytes at `base`: at least 256, and a multiple of 8. It uses
 * them up to the last multiple of 64. The caller keeps owning the memory.
 *
 * Requires:
 * `base` is valid for writing `length` bytes that no other thread uses.
 */
enum oh_status oh_vector_init(void *base, size_t length, uint32_t ty);

/**
 * Checks in constant time that `length` bytes at `base` contain a vector.
 *
 * After `OH_OK`, no `oh_vector_` function reads or writes outside these bytes, whatever their
 * contents. Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for
 * another kind of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
 *
 * Requires:
 * `base` is valid for reading `length` bytes.
 */
enum oh_status oh_vector_check(const void *base, size_t length);

/**
 * Verifies the checksum (if there is one), and that unused words of the header are zero.
 * `OH_ERR_CORRUPT` if something is wrong; `oh_last_error` describes the first error found. Takes
 * time proportional to the size of the region.
 *
 * Requires:
 * `base` is valid for reading `length` bytes.
 */
enum oh_status oh_vector_validate(const void *base, size_t length);

/**
 * Returns the type, the size and the address of the elements of a vector.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_vector_get_info(const void *base, size_t length, struct oh_vector_info *out);

/**
 * Appends `count` elements. If they do not fit, `OH_ERR_FULL` is returned and nothing changes:
 * enlarge the memory, call `oh_vector_set_region`, and append again.
 *
 * Other threads may read the vector at the same time, but not write it.
 *
 * Requires:
 * `base` is valid for reading and writing `length` bytes, and no other thread writes them;
 * `values` points to `count` readable elements.
 */
enum oh_status oh_vector_push(void *base,
                              size_t length,
                              uint32_t ty,
                              const void *values,
                              size_t count);

/**
 * Changes the number of elements, up to the capacity. New elements have whatever value the memory
 * contains.
 *
 * Requires:
 * As for `oh_vector_push`.
 */
enum oh_status oh_vector_set_count(void *base, size_t length, uint64_t len);

/**
 * Changes the size of the region to `bytes`, a multiple of 64 that is large enough for the
 * elements: to use memory after it was enlarged, or to give memory up.
 *
 * Requires:
 * As for `oh_vector_push`.
 */
enum oh_status oh_vector_set_region(void *base, size_t length, size_t bytes);

/**
 * Sets the elements from `from` up to, but not including, `to` to the one at `value`.
 *
 * Requires:
 * As for `oh_vector_push`; an element is readable at `value`.
 */
enum oh_status oh_vector_fill(void *base,
                              size_t length,
                              uint32_t ty,
                              const void *value,
                              uint64_t from,
                              uint64_t to);

/**
 * Returns the sum of all elements. Integers are summed exactly, and floats as if in twice the
 * precision of a double. Limited by memory bandwidth.
 *
 * This function, and the following ones that only read, wait while another thread rearranges the
 * vector, and repeat their work if it was disturbed.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_vector_sum(const void *base, size_t length, struct oh_sum *out);

/**
 * Writes the least element, or the greatest, to `out`. The result is NaN if there is one; −0 is
 * less than 0. If the vector is empty, `*found` becomes false, and `out` is not written.
 *
 * Requires:
 * `base` is valid for reading `length` bytes; `out` is writable for an element, `found` for a
 * boolean.
 */
enum oh_status oh_vector_extreme(const void *base,
                                 size_t length,
                                 uint32_t ty,
                                 bool greatest,
                                 void *out,
                                 bool *found);

/**
 * Returns the index of the first element from `from` on that equals the one at `value`, or −1.
 * Floats are compared like `==` does; if `nan` is true, NaN equals NaN.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `value` for an element; `out` is writable.
 */
enum oh_status oh_vector_index_of(const void *base,
                                  size_t length,
                                  uint32_t ty,
                                  const void *value,
                                  uint64_t from,
                                  bool nan,
                                  int64_t *out);

/**
 * Sorts the elements in ascending order: −0 before 0, and NaN last. NaNs may lose their signs.
 * Takes O(n).
 *
 * If `control` is NULL, it sorts in place where memory for a copy is refused, so it does not fail
 * for lack of memory. Otherwise it works on a copy, and another thread can cancel it: then
 * `*finished` becomes false, and the vector is unchanged. Other threads may read the vector at the
 * same time.
 *
 * Requires:
 * As for `oh_vector_push`; `control` is NULL, or lives until this returns; `finished` is writable.
 */
enum oh_status oh_vector_sort(void *base,
                              size_t length,
                              struct oh_control *control,
                              bool *finished);

/**
 * Writes the indices of the first `count` elements to `out`, in the order in which
 * `oh_vector_sort` would sort them; equal elements keep their order. The indices are `uint32_t`,
 * or doubles if `wide` is true, for vectors of more than 2^32 elements. `OH_ERR_OOM` if there is
 * no temporary memory (16 to 32 bytes for each element).
 *
 * Requires:
 * `base` is valid for reading `length` bytes; `out` is writable for `count` indices; `control` and
 * `finished` as for `oh_vector_sort`.
 */
enum oh_status oh_vector_argsort(const void *base,
                                 size_t length,
                                 struct oh_control *control,
                                 void *out,
                                 size_t count,
                                 bool wide,
                                 bool *finished);

/**
 * Searches a vector that is sorted as by `oh_vector_sort` for `count` elements at `values`, by
 * binary search. `out[i]` becomes the index of the first element that equals `values[i]`, or −(j +
 * 1), where j is the index at which to insert it. Here −0 equals 0, and NaN equals NaN.
 *
 * Requires:
 * `base` is valid for reading `length` bytes; `values` has `count` elements, and `out` room for as
 * many answers.
 */
enum oh_status oh_vector_search(const void *base,
                                size_t length,
                                uint32_t ty,
                                const void *values,
                                size_t count,
                                int64_t *out);

/**
 * Returns the size of the smallest region that contains the elements: the number of bytes to save.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_vector_saved_size(const void *base, size_t length, size_t *out);

/**
 * Overwrites the region past the elements with zeros. Otherwise it may contain any bytes.
 *
 * Requires:
 * As for `oh_vector_push`.
 */
enum oh_status oh_vector_zero_unused(void *base, size_t length);

/**
 * Creates an empty vector with room for `capacity` elements. Free it with `oh_owned_vector_free`.
 *
 * Requires:
 * `out` is writable.
 */
enum oh_status oh_owned_vector_new(uint32_t ty, size_t capacity, struct oh_owned_vector **out);

/**
 * Appends `count` elements.
 *
 * Requires:
 * `vec` is from `oh_owned_vector_new` and used by no other thread at the same time; `values`
 * points to `count` readable elements of its type, which are not in the vector.
 */
enum oh_status oh_owned_vector_push(struct oh_owned_vector *vec, const void *values, size_t count);

/**
 * Removes the elements from index `len` on. Does nothing if there are fewer.
 *
 * Requires:
 * As for `oh_owned_vector_push`.
 */
enum oh_status oh_owned_vector_truncate(struct oh_owned_vector *vec, size_t len);

/**
 * Reserves room for `capacity` elements in total.
 *
 * Requires:
 * As for `oh_owned_vector_push`.
 */
enum oh_status oh_owned_vector_reserve(struct oh_owned_vector *vec, size_t capacity);

/**
 * Sorts, as `oh_vector_sort` does.
 *
 * Requires:
 * As for `oh_owned_vector_push`.
 */
enum oh_status oh_owned_vector_sort(struct oh_owned_vector *vec);

/**
 * Returns the number of elements; 0 for NULL.
 *
 * Requires:
 * As for `oh_owned_vector_push`, or NULL.
 */
size_t oh_owned_vector_count(const struct oh_owned_vector *vec);

/**
 * Returns the first element, aligned to 64 bytes; NULL for NULL. It moves when the vector grows.
 *
 * Requires:
 * As for `oh_owned_vector_count`.
 */
void *oh_owned_vector_data(struct oh_owned_vector *vec);

/**
 * Returns the region of the vector, for `oh_vector_*` functions and to save it. Valid until the
 * vector is changed; those functions must not change its length.
 *
 * Requires:
 * As for `oh_owned_vector_push`; the outputs are writable.
 */
enum oh_status oh_owned_vector_region(struct oh_owned_vector *vec, void **base, size_t *length);

/**
 * Frees a vector. NULL is allowed.
 *
 * Requires:
 * `vec` is NULL, or from `oh_owned_vector_new`, and is not used again.
 */
void oh_owned_vector_free(struct oh_owned_vector *vec);

/*
 * ---- Bits and sorted data ----
 */

/**
 * Computes the number of bytes that a bit vector with room for `capacity` bits needs.
 * `OH_ERR_RANGE` for more than 2^40.
 *
 * Requires:
 * `out` is writable.
 */
enum oh_status oh_bitvector_region_size(uint64_t capacity, size_t *out);

/**
 * Creates a bit vector of `bits` zeros in `length` bytes at `base`, overwriting them.
 * `OH_ERR_FULL` if `length` is less than `oh_bitvector_region_size`.
 *
 * The caller keeps owning the memory. It contains no pointers, so it can be copied, saved and
 * mapped at another address.
 *
 * Requires:
 * `base` is valid for writing `length` bytes that no other thread uses.
 */
enum oh_status oh_bitvector_init(void *base, size_t length, uint64_t bits);

/**
 * Checks in constant time that `length` bytes at `base` contain a bit vector.
 *
 * After `OH_OK`, no `oh_bitvector_` function reads or writes outside these bytes, whatever their
 * contents. Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for
 * another kind of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
 *
 * Requires:
 * `base` is valid for reading `length` bytes.
 */
enum oh_status oh_bitvector_check(const void *base, size_t length);

/**
 * Verifies the header, the checksum (if there is one) and the unused bits. `OH_ERR_CORRUPT` if
 * something is wrong; `oh_last_error` describes the first error found. Takes time proportional to
 * the size of the region.
 *
 * Requires:
 * `base` is valid for reading `length` bytes.
 */
enum oh_status oh_bitvector_validate(const void *base, size_t length);

/**
 * Returns the size of a bit vector and the address of its bits.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_bitvector_get_info(const void *base,
                                     size_t length,
                                     struct oh_bitvector_info *out);

/**
 * Returns one bit. `OH_ERR_RANGE` past the end.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_bitvector_get(const void *base, size_t length, uint64_t index, bool *out);

/**
 * Sets one bit to `bit`. `OH_ERR_RANGE` past the end.
 *
 * Requires:
 * `base` is valid for reading and writing `length` bytes that no other thread writes.
 */
enum oh_status oh_bitvector_set(void *base, size_t length, uint64_t index, bool bit);

/**
 * Inverts one bit. `*out` (unless `out` is NULL) becomes its new value. `OH_ERR_RANGE` past the
 * end.
 *
 * Requires:
 * As for `oh_bitvector_set`; `out` is writable or NULL.
 */
enum oh_status oh_bitvector_flip(void *base, size_t length, uint64_t index, bool *out);

/**
 * Appends one bit. `OH_ERR_FULL` if the region has no room: enlarge it with
 * `oh_bitvector_set_capacity`.
 *
 * Requires:
 * As for `oh_bitvector_set`.
 */
enum oh_status oh_bitvector_push(void *base, size_t length, bool bit);

/**
 * Changes the number of bits. New bits are 0. `OH_ERR_FULL` if the region has no room for them.
 *
 * Requires:
 * As for `oh_bitvector_set`.
 */
enum oh_status oh_bitvector_set_count(void *base, size_t length, uint64_t len);

/**
 * Changes the capacity of the region to at least `capacity` bits, which must not be less than the
 * number of bits. `OH_ERR_FULL` if `length` is less than `oh_bitvector_region_size(capacity)`:
 * copy the region to longer memory first, or `realloc` it.
 *
 * Requires:
 * As for `oh_bitvector_set`.
 */
enum oh_status oh_bitvector_set_capacity(void *base, size_t length, uint64_t capacity);

/**
 * Returns the number of bits of the shortest bit vector that contains all of these positions: one
 * more than the largest. `type` is the numeric `oh_type` of the array's elements.
 *
 * Requires:
 * `positions` points to `count` elements of the type, `out` is writable.
 */
enum oh_status oh_bitvector_count_for(const void *positions,
                                      uint32_t type,
                                      size_t count,
                                      uint64_t *out);

/**
 * Sets the bits at `count` positions to `bit`. `type` is the numeric `oh_type` of the array's
 * elements. `OH_ERR_RANGE`, with nothing changed, if an element is not a position of the vector.
 *
 * Requires:
 * As for `oh_bitvector_set`; `positions` points to `count` elements of the type.
 */
enum oh_status oh_bitvector_set_many(void *base,
                                     size_t length,
                                     const void *positions,
                                     uint32_t type,
                                     size_t count,
                                     bool bit);

/**
 * Copies `count` bytes over the first `8 * count` bits. The lowest bit of each byte comes first.
 *
 * Requires:
 * As for `oh_bitvector_set`; `bytes` points to `count` bytes.
 */
enum oh_status oh_bitvector_load(void *base, size_t length, const void *bytes, size_t count);

/**
 * Returns the number of ones in the positions from `from` up to, but not including, `to`.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_bitvector_count_ones(const void *base,
                                       size_t length,
                                       uint64_t from,
                                       uint64_t to,
                                       uint64_t *out);

/**
 * Sets the bits in the positions from `from` up to, but not including, `to` to `bit`.
 *
 * Requires:
 * As for `oh_bitvector_set`.
 */
enum oh_status oh_bitvector_fill(void *base, size_t length, uint64_t from, uint64_t to, bool bit);

/**
 * Inverts the bits in the positions from `from` up to, but not including, `to`.
 *
 * Requires:
 * As for `oh_bitvector_set`.
 */
enum oh_status oh_bitvector_invert(void *base, size_t length, uint64_t from, uint64_t to);

/**
 * Combines the bits in the positions from `from` up to, but not including, `to` with the bits of
 * another bit vector at the same positions, by the operation `op`, an `oh_bitvector_op`. No other
 * bit changes. Bits past the end of the other vector count as zeros. It may be the same region.
 *
 * Requires:
 * As for `oh_bitvector_set`; `other` is valid for reading `other_length` bytes.
 */
enum oh_status oh_bitvector_combine(void *base,
                                    size_t length,
                                    uint32_t op,
                                    const void *other,
                                    size_t other_length,
                                    uint64_t from,
                                    uint64_t to);

/**
 * Returns the position of the first one (if `bit` is true) or zero at or after `from`, or
 * `OH_BITVECTOR_NONE`.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_bitvector_next(const void *base,
                                 size_t length,
                                 uint64_t from,
                                 bool bit,
                                 uint64_t *out);

/**
 * Writes the positions of ones from `from` on, in ascending order, up to `room` of them.
 * `*written` becomes their number. `out_type` is a numeric `oh_type` that can represent every
 * position.
 *
 * Requires:
 * `base` is valid for reading `length` bytes; `out` points to `room` elements of its type,
 * writable and used by no other thread; `written` is writable.
 */
enum oh_status oh_bitvector_ones(const void *base,
                                 size_t length,
                                 uint64_t from,
                                 void *out,
                                 uint32_t out_type,
                                 size_t room,
                                 size_t *written);

/**
 * Plans rank and select for a bit vector: counts its ones, chooses a variant for
 * `OH_RANKSELECT_AUTO`, and computes the number of bytes needed (`region_size`). `OH_ERR_RANGE` if
 * the bits cannot be stored in the variant.
 *
 * Requires:
 * `bits` is valid for reading `bits_length` bytes, `out` is writable.
 */
enum oh_status oh_rankselect_plan(const void *bits,
                                  size_t bits_length,
                                  uint32_t variant,
                                  struct oh_rankselect_info *out);

/**
 * Builds a planned region in `length` bytes at `base`, overwriting them. `OH_ERR_FULL` if `length`
 * is less than the plan's `region_size`; `OH_ERR_STALE` if the bit vector was changed since it was
 * planned. After an error the memory is not a valid region.
 *
 * Requires:
 * `base` is valid for writing `length` bytes that no other thread uses; `bits` is valid for
 * reading `bits_length` bytes, which do not overlap them; `planned` points to the result of
 * `oh_rankselect_plan`.
 */
enum oh_status oh_rankselect_build(void *base,
                                   size_t length,
                                   const void *bits,
                                   size_t bits_length,
                                   const struct oh_rankselect_info *planned);

/**
 * Checks in constant time that `length` bytes at `base` contain bits with rank and select.
 *
 * After `OH_OK`, no `oh_rankselect_` function reads outside these bytes, whatever their contents.
 * Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for another kind
 * of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
 *
 * Requires:
 * `base` is valid for reading `length` bytes.
 */
enum oh_status oh_rankselect_check(const void *base, size_t length);

/**
 * Verifies the bits, the index and the checksum (if there is one). `OH_ERR_CORRUPT` if something
 * is wrong; `oh_last_error` describes the first error found. Counts all bits again.
 *
 * Requires:
 * `base` is valid for reading `length` bytes.
 */
enum oh_status oh_rankselect_validate(const void *base, size_t length);

/**
 * Returns the parameters and the size of a region with rank and select.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_rankselect_get_info(const void *base,
                                      size_t length,
                                      struct oh_rankselect_info *out);

/**
 * Returns one bit. `OH_ERR_RANGE` past the end.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_rankselect_get(const void *base, size_t length, uint64_t position, bool *out);

/**
 * Answers one query, an `oh_rankselect_query`. `OH_ERR_RANGE` for a rank at a position greater
 * than the number of bits, and for a select of a one (or zero) that does not exist.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_rankselect_one(const void *base,
                                 size_t length,
                                 uint32_t query,
                                 uint64_t question,
                                 uint64_t *out);

/**
 * Answers `count` queries of one kind, an `oh_rankselect_query`: `out[i]` for `questions[i]`. This
 * is faster than one by one, because the cache misses overlap and the header is checked once. Both
 * types are numeric `oh_type`s, and that of `out` must be able to represent every position.
 * `OH_ERR_RANGE`, with nothing written, as for `oh_rankselect_one`.
 *
 * Requires:
 * `base` is valid for reading `length` bytes; `questions` points to `count` elements of its type,
 * and so does `out`, which is writable and used by no other thread. They may be the same array.
 */
enum oh_status oh_rankselect_many(const void *base,
                                  size_t length,
                                  uint32_t query,
                                  const void *questions,
                                  uint32_t question_type,
                                  size_t count,
                                  void *out,
                                  uint32_t out_type);

/**
 * Returns the number of bits that the largest of `count` integers needs, at least 1. `type` is the
 * numeric `oh_type` of the array's elements. `OH_ERR_RANGE` for an element that is negative,
 * fractional, NaN, or a float of 2^53 or more.
 *
 * Requires:
 * `values` points to `count` elements of the type, `out` is writable.
 */
enum oh_status oh_packedints_measure(const void *values,
                                     uint32_t type,
                                     size_t count,
                                     uint32_t *out);

/**
 * Computes the number of bytes that `count` integers of `bits` bits (1 to 64) need.
 *
 * Requires:
 * `out` is writable.
 */
enum oh_status oh_packedints_region_size(uint64_t count, uint32_t bits, size_t *out);

/**
 * Packs `count` integers into `length` bytes at `base`, overwriting them. `OH_ERR_FULL` if
 * `length` is less than `oh_packedints_region_size`. After `OH_ERR_RANGE` (an integer is negative,
 * fractional, or needs more bits) the memory is not a valid region.
 *
 * Requires:
 * `base` is valid for writing `length` bytes that no other thread uses; `values` points to `count`
 * elements of the type.
 */
enum oh_status oh_packedints_init(void *base,
                                  size_t length,
                                  const void *values,
                                  uint32_t type,
                                  size_t count,
                                  uint32_t bits,
                                  uint32_t flags);

/**
 * Checks in constant time that `length` bytes at `base` contain packed integers.
 *
 * After `OH_OK`, no `oh_packedints_` function reads outside these bytes, whatever their contents.
 * Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for another kind
 * of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
 *
 * Requires:
 * `base` is valid for reading `length` bytes.
 */
enum oh_status oh_packedints_check(const void *base, size_t length);

/**
 * Verifies the header, the checksum (if there is one) and the unused bits. `OH_ERR_CORRUPT` if
 * something is wrong; `oh_last_error` describes the first error found. Takes time proportional to
 * the size of the region.
 *
 * Requires:
 * `base` is valid for reading `length` bytes.
 */
enum oh_status oh_packedints_validate(const void *base, size_t length);

/**
 * Returns the parameters and the size of a region of packed integers.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_packedints_get_info(const void *base,
                                      size_t length,
                                      struct oh_packedints_info *out);

/**
 * Returns the integer at an index. `OH_ERR_RANGE` past the end.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_packedints_at(const void *base, size_t length, uint64_t index, uint64_t *out);

/**
 * Returns the integers at `count` indices: `out[i]` for `indices[i]`. Both types are numeric
 * `oh_type`s, and that of `out` must be able to represent integers of that many bits.
 * `OH_ERR_RANGE`, with nothing written, for an index past the end.
 *
 * Requires:
 * `base` is valid for reading `length` bytes; `indices` points to `count` elements of its type,
 * and so does `out`, which is writable and used by no other thread.
 */
enum oh_status oh_packedints_get_many(const void *base,
                                      size_t length,
                                      const void *indices,
                                      uint32_t index_type,
                                      size_t count,
                                      void *out,
                                      uint32_t out_type);

/**
 * Returns the `count` integers from index `from` on, unpacked with vector instructions. `out_type`
 * is a numeric `oh_type` that can represent integers of that many bits. `OH_ERR_RANGE`, with
 * nothing written, if there are fewer.
 *
 * Requires:
 * `base` is valid for reading `length` bytes; `out` points to `count` elements of its type,
 * writable, and used by no other thread.
 */
enum oh_status oh_packedints_unpack(const void *base,
                                    size_t length,
                                    uint64_t from,
                                    size_t count,
                                    void *out,
                                    uint32_t out_type);

/**
 * Returns the largest of `count` values; 0 if there is none. `type` is the numeric `oh_type` of
 * the array's elements. `OH_ERR_RANGE` unless all values are integers from 0 on in ascending order
 * (equal values are allowed).
 *
 * Requires:
 * `values` points to `count` elements of the type, `out` is writable.
 */
enum oh_status oh_eliasfano_measure(const void *values, uint32_t type, size_t count, uint64_t *out);

/**
 * Computes the number of bytes that `count` values need, the largest of which is `max`.
 *
 * Requires:
 * `out` is writable.
 */
enum oh_status oh_eliasfano_region_size(uint64_t count, uint64_t max, size_t *out);

/**
 * Stores `count` ascending values, the largest of which is `max`, in `length` bytes at `base`,
 * overwriting them. `OH_ERR_FULL` if `length` is less than `oh_eliasfano_region_size`. After
 * `OH_ERR_RANGE` (see `oh_eliasfano_measure`) the memory is not a valid region.
 *
 * Requires:
 * `base` is valid for writing `length` bytes that no other thread uses; `values` points to `count`
 * elements of the type.
 */
enum oh_status oh_eliasfano_init(void *base,
                                 size_t length,
                                 const void *values,
                                 uint32_t type,
                                 size_t count,
                                 uint64_t max);

/**
 * Checks in constant time that `length` bytes at `base` contain sorted integers.
 *
 * After `OH_OK`, no `oh_eliasfano_` function reads outside these bytes, whatever their contents.
 * Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for another kind
 * of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
 *
 * Requires:
 * `base` is valid for reading `length` bytes.
 */
enum oh_status oh_eliasfano_check(const void *base, size_t length);

/**
 * Verifies all values. `OH_ERR_CORRUPT` if something is wrong; `oh_last_error` describes the first
 * error found. Takes time proportional to the size of the region.
 *
 * Requires:
 * `base` is valid for reading `length` bytes.
 */
enum oh_status oh_eliasfano_validate(const void *base, size_t length);

/**
 * Returns the parameters and the size of a region of sorted integers.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_eliasfano_get_info(const void *base,
                                     size_t length,
                                     struct oh_eliasfano_info *out);

/**
 * Returns the value at an index, in ascending order. `OH_ERR_RANGE` past the end.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_eliasfano_at(const void *base, size_t length, uint64_t index, uint64_t *out);

/**
 * Returns the number of values that are less than `value`, which is the index of the first value
 * that is not.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_eliasfano_rank(const void *base, size_t length, uint64_t value, uint64_t *out);

/**
 * Returns the first value that is greater than or equal to `value`, and its index. `*found`
 * becomes whether there is one; `out` is written only then.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, `out` and `found` are writable.
 */
enum oh_status oh_eliasfano_next_geq(const void *base,
                                     size_t length,
                                     uint64_t value,
                                     struct oh_eliasfano_entry *out,
                                     bool *found);

/**
 * Returns the values at `count` indices: `out[i]` for `indices[i]`. Both types are numeric
 * `oh_type`s, and that of `out` must be able to represent the largest value. `OH_ERR_RANGE`, with
 * nothing written, for an index past the end.
 *
 * Requires:
 * `base` is valid for reading `length` bytes; `indices` points to `count` elements of its type,
 * and so does `out`, which is writable and used by no other thread.
 */
enum oh_status oh_eliasfano_get_many(const void *base,
                                     size_t length,
                                     const void *indices,
                                     uint32_t index_type,
                                     size_t count,
                                     void *out,
                                     uint32_t out_type);

/**
 * Like `oh_eliasfano_rank` for `count` values. `OH_ERR_RANGE`, with nothing written, for a value
 * that is not an integer from 0 on.
 *
 * Requires:
 * As for `oh_eliasfano_get_many`.
 */
enum oh_status oh_eliasfano_rank_many(const void *base,
                                      size_t length,
                                      const void *values,
                                      uint32_t value_type,
                                      size_t count,
                                      void *out,
                                      uint32_t out_type);

/**
 * Returns the `count` values from index `from` on. `OH_ERR_RANGE`, with nothing written, if there
 * are fewer.
 *
 * Requires:
 * `base` is valid for reading `length` bytes; `out` points to `count` elements of its type,
 * writable, and used by no other thread.
 */
enum oh_status oh_eliasfano_unpack(const void *base,
                                   size_t length,
                                   uint64_t from,
                                   size_t count,
                                   void *out,
                                   uint32_t out_type);

/**
 * Computes the number of bytes that the suffix array of a text of `text_length` bytes needs,
 * including the text. `OH_ERR_RANGE` for more than 2^31 - 2 bytes.
 *
 * Requires:
 * `out` is writable.
 */
enum oh_status oh_suffixarray_region_size(size_t text_length, size_t *out);

/**
 * Builds the suffix array of a text in `length` bytes at `base`, overwriting them. The text is
 * copied. `OH_ERR_FULL` if `length` is less than `oh_suffixarray_region_size`; `OH_ERR_OOM` if
 * there is no temporary memory. Takes time proportional to `text_length`. After an error the
 * memory is not a valid region.
 *
 * Requires:
 * `base` is valid for writing `length` bytes that no other thread uses; `text` points to
 * `text_length` readable bytes, which do not overlap them.
 */
enum oh_status oh_suffixarray_build(void *base,
                                    size_t length,
                                    const void *text,
                                    size_t text_length);

/**
 * Like `oh_suffixarray_build`, for a text that is already at `base + OH_SUFFIXARRAY_TEXT`.
 * `control` may be NULL. Sorting cannot be interrupted: if the control is canceled, it continues
 * to the end, `*finished` becomes false, and the memory is not a valid region.
 *
 * Requires:
 * `base` is valid for writing `length` bytes that no other thread uses; `control` is NULL, or
 * lives until this returns; `finished` is writable.
 */
enum oh_status oh_suffixarray_build_in_place(void *base,
                                             size_t length,
                                             size_t text_length,
                                             struct oh_control *control,
                                             bool *finished);

/**
 * Checks in constant time that `length` bytes at `base` contain a suffix array.
 *
 * After `OH_OK`, no `oh_suffixarray_` function reads outside these bytes, whatever their contents.
 * Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for another kind
 * of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
 *
 * Requires:
 * `base` is valid for reading `length` bytes.
 */
enum oh_status oh_suffixarray_check(const void *base, size_t length);

/**
 * Verifies that all suffixes are present and in order, and the checksum (if there is one).
 * `OH_ERR_CORRUPT` if something is wrong; `oh_last_error` describes the first error found. Takes
 * time proportional to the size of the region, and temporary memory of 4 bytes for each byte of
 * the text.
 *
 * Requires:
 * As for `oh_suffixarray_check`.
 */
enum oh_status oh_suffixarray_validate(const void *base, size_t length);

/**
 * Returns the number of bytes in the text, which is the number of suffixes.
 *
 * Requires:
 * As for `oh_suffixarray_check`; `out` is writable.
 */
enum oh_status oh_suffixarray_count(const void *base, size_t length, uint64_t *out);

/**
 * Returns the offset at which the suffix of a rank begins. `OH_ERR_RANGE` for a rank that does not
 * exist. In damaged memory the result may be any number.
 *
 * Requires:
 * As for `oh_suffixarray_check`; `out` is writable.
 */
enum oh_status oh_suffixarray_at(const void *base, size_t length, uint64_t rank, uint64_t *out);

/**
 * Finds the suffixes that begin with a pattern. If there are none, `start` is the rank at which
 * they would be. All suffixes begin with an empty pattern. Takes O(`pattern_length` × log n).
 *
 * Requires:
 * As for `oh_suffixarray_check`; `pattern` points to `pattern_length` bytes that no thread writes,
 * `out` is writable.
 */
enum oh_status oh_suffixarray_search(const void *base,
                                     size_t length,
                                     const void *pattern,
                                     size_t pattern_length,
                                     struct oh_suffixarray_found *out);

/*
 * ---- Compression and hashing ----
 */

/**
 * Compresses `length` bytes, fewer than 2^31, into `out`. `capacity` must be at least `length` +
 * 1, which is the maximum that the result can take. `level` is 1 (fastest) to 9 (smallest).
 * `*written` becomes the size of the result in bytes. `OH_ERR_RANGE` if `capacity` is too small or
 * the level invalid.
 *
 * Requires:
 * `dictionary` was not freed; `text` is readable for `length` bytes, and `out` writable for
 * `capacity`; they do not overlap; `written` is writable.
 */
enum oh_status oh_compress(const struct oh_dictionary *dictionary,
                           uint32_t level,
                           const uint8_t *text,
                           size_t length,
                           uint8_t *out,
                           size_t capacity,
                           size_t *written);

/**
 * Decompresses a result of `oh_compress` with the same dictionary. `*written` becomes the size of
 * the text in bytes. `OH_ERR_CORRUPT` for damaged bytes or another dictionary; `OH_ERR_FULL` if
 * the text is longer than `capacity`.
 *
 * Memory outside the arguments is never read or written, whatever the bytes are, and memory is
 * allocated only as it is needed. Any byte of `out` may be overwritten, even past the result and
 * after an error. It is fastest if `capacity` exceeds the size of the text by 64 bytes.
 *
 * Requires:
 * `dictionary` was not freed; `bytes` is readable for `length` bytes, and `out` writable for
 * `capacity`; they do not overlap; `written` is writable.
 */
enum oh_status oh_decompress(const struct oh_dictionary *dictionary,
                             const uint8_t *bytes,
                             size_t length,
                             uint8_t *out,
                             size_t capacity,
                             size_t *written);

/**
 * Trains a dictionary on `count` samples, which are stored one after another in `text`: sample i
 * ends before byte `ends[i]`, an integer. `max_bytes` is the maximum size of its region, at least
 * `OH_DICTIONARY_MIN_BYTES`; 0 lets the function choose. The same samples result in the same
 * dictionary. There may be no samples at all.
 *
 * With a `control`, another thread can cancel the training; then `*out` becomes NULL. `control`
 * may be NULL.
 *
 * Requires:
 * `text` is readable for `length` bytes, `ends` for `count` numbers; `control` is NULL, or lives
 * until this returns; `out` is writable.
 */
enum oh_status oh_dictionary_train(const uint8_t *text,
                                   size_t length,
                                   const double *ends,
                                   size_t count,
                                   size_t max_bytes,
                                   struct oh_control *control,
                                   struct oh_dictionary **out);

/**
 * Opens a dictionary from the bytes of its region, which are copied. `OH_ERR_CORRUPT` or
 * `OH_ERR_VERSION` for invalid bytes. Takes about 0.1 ms for 112 KiB.
 *
 * Requires:
 * `base` is readable for `length` bytes; `out` is writable.
 */
enum oh_status oh_dictionary_open(const void *base, size_t length, struct oh_dictionary **out);

/**
 * Frees a dictionary. NULL is allowed.
 *
 * Requires:
 * `dictionary` is NULL, or was not freed and is not used again.
 */
void oh_dictionary_free(struct oh_dictionary *dictionary);

/**
 * Returns the identity, the bytes and the sizes of a dictionary.
 *
 * Requires:
 * `dictionary` was not freed; `out` is writable.
 */
enum oh_status oh_dictionary_get_info(const struct oh_dictionary *dictionary,
                                      struct oh_dictionary_info *out);

/**
 * Verifies what `oh_dictionary_open` does not: the checksum, if there is one, and that unused
 * bytes are zero. `OH_ERR_CORRUPT` if something is wrong.
 *
 * Requires:
 * `dictionary` was not freed.
 */
enum oh_status oh_dictionary_validate(const struct oh_dictionary *dictionary);

/**
 * Creates a builder of a store. Its records are compressed with a copy of the dictionary, at a
 * `level` as for `oh_compress`.
 *
 * Requires:
 * `dictionary` was not freed; `out` is writable.
 */
enum oh_status oh_recordstore_builder_new(const struct oh_dictionary *dictionary,
                                          uint32_t level,
                                          struct oh_recordstore_builder **out);

/**
 * Adds `count` records, which are stored one after another in `text`: record i ends before byte
 * `ends[i]`, an integer. If the function fails, the records before the faulty one were added. The
 * text is not referenced after the call.
 *
 * Requires:
 * `builder` was not freed, and no other thread uses it; `text` is readable for `length` bytes, and
 * `ends` for `count` numbers.
 */
enum oh_status oh_recordstore_builder_push(struct oh_recordstore_builder *builder,
                                           const uint8_t *text,
                                           size_t length,
                                           const double *ends,
                                           size_t count);

/**
 * Compresses all records that were added so far again, with a copy of another dictionary, if that
 * reduces the size of `count` samples by at least a thirty-second; `*changed` becomes whether it
 * did. The samples are stored in `text` as for `oh_recordstore_builder_push`. For records that
 * arrive one by one: begin with a dictionary trained on the first records, collect samples of all
 * of them, and finally train on those. Needs memory for the records, compressed twice.
 *
 * With a `control`, another thread can cancel the work. After a cancellation or an error, nothing
 * has changed. `control` may be NULL.
 *
 * Requires:
 * As for `oh_recordstore_builder_push`; `dictionary` was not freed; `control` is NULL, or lives
 * until this returns; `changed` is writable.
 */
enum oh_status oh_recordstore_builder_adapt(struct oh_recordstore_builder *builder,
                                            const struct oh_dictionary *dictionary,
                                            const uint8_t *text,
                                            size_t length,
                                            const double *ends,
                                            size_t count,
                                            struct oh_control *control,
                                            bool *changed);

/**
 * Computes the number of bytes that the store needs for the records that were added so far.
 *
 * Requires:
 * `builder` was not freed; `out` is writable.
 */
enum oh_status oh_recordstore_builder_region_size(const struct oh_recordstore_builder *builder,
                                                  uint64_t *out);

/**
 * Writes the store to `length` bytes at `base`. `OH_ERR_FULL` if `length` is less than
 * `oh_recordstore_builder_region_size`. Afterward, more records can be added, and a larger store
 * written.
 *
 * Requires:
 * `builder` was not freed; `base` is writable for `length` bytes that no other thread uses.
 */
enum oh_status oh_recordstore_builder_write(const struct oh_recordstore_builder *builder,
                                            void *base,
                                            size_t length);

/**
 * Frees a builder. NULL is allowed.
 *
 * Requires:
 * `builder` is NULL, or was not freed and is not used again.
 */
void oh_recordstore_builder_free(struct oh_recordstore_builder *builder);

/**
 * Opens a store in place: checks its header, and prepares a copy of its dictionary. The records
 * are not checked.
 *
 * Requires:
 * `base` is readable for `length` bytes until the store is freed; `out` is writable.
 */
enum oh_status oh_recordstore_open(const void *base, size_t length, struct oh_recordstore **out);

/**
 * Closes a store. The caller keeps owning the memory. NULL is allowed.
 *
 * Requires:
 * `records` is NULL, or was not freed and is not used again.
 */
void oh_recordstore_free(struct oh_recordstore *records);

/**
 * Returns the sizes of a store.
 *
 * Requires:
 * `records` was not freed; `out` is writable.
 */
enum oh_status oh_recordstore_get_info(const struct oh_recordstore *records,
                                       struct oh_recordstore_info *out);

/**
 * Decompresses the record at `index` to `out`. `*written` becomes its size in bytes.
 * `OH_ERR_RANGE` past the end; `OH_ERR_FULL` if the record is longer than `capacity` (none is
 * longer than `longest`); `OH_ERR_CORRUPT` if it is damaged. Any byte of `out` may be overwritten,
 * as by `oh_decompress`.
 *
 * Requires:
 * `records` was not freed, and its memory is still readable; `out` is writable for `capacity`
 * bytes; `written` is writable.
 */
enum oh_status oh_recordstore_get(const struct oh_recordstore *records,
                                  uint64_t index,
                                  uint8_t *out,
                                  size_t capacity,
                                  size_t *written);

/**
 * Decompresses the records at `count` indices to `out`, one after another; `ends[i]` becomes the
 * offset at which the record at `indices[i]` ends. The errors are those of `oh_recordstore_get`;
 * `ends` may be overwritten even after an error.
 *
 * Requires:
 * As for `oh_recordstore_get`; `indices` is readable and `ends` writable for `count` numbers.
 */
enum oh_status oh_recordstore_get_many(const struct oh_recordstore *records,
                                       const double *indices,
                                       size_t count,
                                       double *ends,
                                       uint8_t *out,
                                       size_t capacity,
                                       size_t *written);

/**
 * Verifies a store: its checksum, its dictionary, the offsets of the records, and that each record
 * can be decompressed. `OH_ERR_CORRUPT` if something is wrong. Takes time proportional to the
 * total size of the records.
 *
 * Requires:
 * `records` was not freed, and its memory is still readable.
 */
enum oh_status oh_recordstore_validate(const struct oh_recordstore *records);

/**
 * Computes the number of bytes that a filter for `capacity` keys needs at a false positive rate of
 * `rate`, which is greater than 0 and less than 1. `OH_ERR_RANGE` for more than 4 GiB.
 *
 * Requires:
 * `out` is writable.
 */
enum oh_status oh_bloomfilter_region_size(uint64_t capacity, double rate, size_t *out);

/**
 * Creates an empty filter in `length` bytes at `base`, overwriting them. `OH_ERR_FULL` if `length`
 * is less than `oh_bloomfilter_region_size`. The hashes depend on the seeds, which are any two
 * words; use random ones if an attacker may choose the keys.
 *
 * Requires:
 * `base` is valid for writing `length` bytes that no other thread uses.
 */
enum oh_status oh_bloomfilter_init(void *base,
                                   size_t length,
                                   uint64_t capacity,
                                   double rate,
                                   uint32_t seed0,
                                   uint32_t seed1);

/**
 * Checks in constant time that `length` bytes at `base` contain a Bloom filter.
 *
 * After `OH_OK`, no `oh_bloomfilter_` function reads or writes outside these bytes, whatever their
 * contents. Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for
 * another kind of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
 *
 * Requires:
 * `base` is valid for reading `length` bytes.
 */
enum oh_status oh_bloomfilter_check(const void *base, size_t length);

/**
 * Verifies the header and the checksum (if there is one). `OH_ERR_CORRUPT` if something is wrong;
 * `oh_last_error` describes the first error found. Takes time proportional to the size of the
 * region.
 *
 * Requires:
 * As for `oh_bloomfilter_check`.
 */
enum oh_status oh_bloomfilter_validate(const void *base, size_t length);

/**
 * Returns the parameters and the size of a filter.
 *
 * Requires:
 * As for `oh_bloomfilter_check`; `out` is writable.
 */
enum oh_status oh_bloomfilter_get_info(const void *base,
                                       size_t length,
                                       struct oh_bloomfilter_info *out);

/**
 * Returns the number of bits that are set, of `512 * blocks`. Takes time proportional to the size
 * of the region.
 *
 * Requires:
 * As for `oh_bloomfilter_check`; `out` is writable.
 */
enum oh_status oh_bloomfilter_ones(const void *base, size_t length, uint64_t *out);

/**
 * Hashes a key of `key_length` bytes. A string is hashed as UTF-8.
 *
 * Requires:
 * As for `oh_bloomfilter_check`; `key` points to `key_length` bytes, `out` is writable.
 */
enum oh_status oh_bloomfilter_hash(const void *base,
                                   size_t length,
                                   const void *key,
                                   size_t key_length,
                                   struct oh_bloomfilter_hashed *out);

/**
 * Adds a key of `key_length` bytes. A string is added as UTF-8.
 *
 * Requires:
 * `base` is valid for reading and writing `length` bytes, which no other thread writes; `key`
 * points to `key_length` bytes.
 */
enum oh_status oh_bloomfilter_add(void *base, size_t length, const void *key, size_t key_length);

/**
 * Returns whether a key of `key_length` bytes was added. For keys that were not added, the answer
 * is true at the filter's rate of false positives.
 *
 * Requires:
 * As for `oh_bloomfilter_hash`.
 */
enum oh_status oh_bloomfilter_has(const void *base,
                                  size_t length,
                                  const void *key,
                                  size_t key_length,
                                  bool *out);

/**
 * Adds `count` numbers as doubles; −0 equals 0, and all NaNs are equal. `type` is the numeric
 * `oh_type` of the array's elements. `OH_ERR_TYPE` for `OH_TYPE_U64` and `OH_TYPE_I64`, because
 * not all of them can be represented as doubles.
 *
 * Requires:
 * As for `oh_bloomfilter_add`; `keys` points to `count` elements of the type.
 */
enum oh_status oh_bloomfilter_add_numbers(void *base,
                                          size_t length,
                                          const void *keys,
                                          uint32_t type,
                                          size_t count);

/**
 * Like `oh_bloomfilter_has` for `count` numbers: `out[i]` becomes 1 or 0 for `keys[i]`.
 *
 * Requires:
 * As for `oh_bloomfilter_check`; `keys` points to `count` elements of the type, and `out` to as
 * many bytes, writable, that no other thread uses.
 */
enum oh_status oh_bloomfilter_has_numbers(const void *base,
                                          size_t length,
                                          const void *keys,
                                          uint32_t type,
                                          size_t count,
                                          uint8_t *out);

/**
 * Adds `count` keys that were hashed by `oh_bloomfilter_hash`.
 *
 * Requires:
 * As for `oh_bloomfilter_add`; `keys` points to `count` hashes that no thread writes.
 */
enum oh_status oh_bloomfilter_add_hashed(void *base,
                                         size_t length,
                                         const struct oh_bloomfilter_hashed *keys,
                                         size_t count);

/**
 * Like `oh_bloomfilter_has` for `count` keys that were hashed by `oh_bloomfilter_hash`: `out[i]`
 * becomes 1 or 0 for `keys[i]`.
 *
 * Requires:
 * As for `oh_bloomfilter_check`; `keys` points to `count` hashes that no thread writes, and `out`
 * to as many bytes, writable, that no other thread uses.
 */
enum oh_status oh_bloomfilter_has_hashed(const void *base,
                                         size_t length,
                                         const struct oh_bloomfilter_hashed *keys,
                                         size_t count,
                                         uint8_t *out);

/**
 * Creates an empty window of `window` bytes, 1 to 2^24. Free it with `oh_rollinghash_free`.
 *
 * Requires:
 * `out` is writable.
 */
enum oh_status oh_rollinghash_new(size_t window, struct oh_rollinghash **out);

/**
 * Appends `length` bytes to the stream; the oldest bytes leave the window. `*out` becomes the hash
 * after the last one. Takes O(`window`) at most.
 *
 * Requires:
 * `hash` is from `oh_rollinghash_new`, used by no other thread at the same time; `bytes` points to
 * `length` bytes that no thread writes; `out` is writable.
 */
enum oh_status oh_rollinghash_update(struct oh_rollinghash *hash,
                                     const void *bytes,
                                     size_t length,
                                     uint32_t *out);

/**
 * Appends bytes up to the next cut point: until the window is full and the `bits` highest bits of
 * its hash (1 to 32) are zero, which is the case at one of 2^bits positions. Appends all bytes if
 * there is none.
 *
 * Requires:
 * As for `oh_rollinghash_update`.
 */
enum oh_status oh_rollinghash_find(struct oh_rollinghash *hash,
                                   const void *bytes,
                                   size_t length,
                                   uint32_t bits,
                                   struct oh_rollinghash_place *out);

/**
 * Like `oh_rollinghash_find`, for callers that keep the window themselves: `hash` is the hash of
 * the first `window` bytes, and the search begins with the byte after them. `OH_ERR_RANGE` if
 * there are fewer bytes.
 *
 * Requires:
 * `length` bytes at `bytes` are readable; if another thread writes them, the result is
 * meaningless. `out` is writable.
 */
enum oh_status oh_rollinghash_scan(const void *bytes,
                                   size_t length,
                                   size_t window,
                                   uint32_t hash,
                                   uint32_t bits,
                                   struct oh_rollinghash_place *out);

/**
 * Returns the hash of the bytes in the window; 0 for NULL.
 *
 * Requires:
 * As for `oh_rollinghash_update`, or NULL.
 */
uint32_t oh_rollinghash_value(const struct oh_rollinghash *hash);

/**
 * Returns whether the window is full; false for NULL.
 *
 * Requires:
 * As for `oh_rollinghash_value`.
 */
bool oh_rollinghash_is_full(const struct oh_rollinghash *hash);

/**
 * Empties the window.
 *
 * Requires:
 * As for `oh_rollinghash_update`.
 */
enum oh_status oh_rollinghash_reset(struct oh_rollinghash *hash);

/**
 * Returns the hash of a window that contains exactly these bytes.
 *
 * Requires:
 * `bytes` points to `length` bytes that no thread writes, `out` is writable.
 */
enum oh_status oh_rollinghash_of(const void *bytes, size_t length, uint32_t *out);

/**
 * Frees a rolling hash. NULL is allowed.
 *
 * Requires:
 * `hash` is NULL, or from `oh_rollinghash_new`, and is not used again.
 */
void oh_rollinghash_free(struct oh_rollinghash *hash);

/*
 * ---- Pools ----
 */

/**
 * Computes the number of bytes that a pool with these options needs. `OH_ERR_RANGE` for sizes or
 * numbers outside their range.
 *
 * Requires:
 * `options` points to as many readable bytes as its `struct_size` says, and its arrays have
 * `classes` elements; `out` is writable.
 */
enum oh_status oh_fixedpool_region_size(const struct oh_fixedpool_options *options, uint64_t *out);

/**
 * Creates an empty pool in `length` bytes at `base`, overwriting them with zeros. `OH_ERR_FULL` if
 * `length` is less than `oh_fixedpool_region_size`.
 *
 * Requires:
 * `base` is valid for writing `length` bytes that no other thread uses; `options` as for
 * `oh_fixedpool_region_size`.
 */
enum oh_status oh_fixedpool_init(void *base,
                                 size_t length,
                                 const struct oh_fixedpool_options *options);

/**
 * Checks in constant time that `length` bytes at `base` contain a fixed pool.
 *
 * After `OH_OK`, no `oh_fixedpool_` function reads or writes outside these bytes, whatever their
 * contents. Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for
 * another kind of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
 *
 * Requires:
 * `base` is valid for reading `length` bytes.
 */
enum oh_status oh_fixedpool_check(const void *base, size_t length);

/**
 * Verifies the bookkeeping of a pool. `OH_ERR_CORRUPT` if something is wrong; `oh_last_error`
 * describes the first error found.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, and no other thread allocates or frees in the pool.
 */
enum oh_status oh_fixedpool_validate(const void *base, size_t length);

/**
 * Creates a view of the pool in `length` bytes at `base`, and checks it as `oh_fixedpool_check`
 * does. Close it with `oh_fixedpool_close`.
 *
 * Requires:
 * `base` is valid for reading and writing `length` bytes until the view is closed; `out` is
 * writable.
 */
enum oh_status oh_fixedpool_attach(void *base, size_t length, struct oh_fixedpool **out);

/**
 * Frees a view. The pool does not change. NULL is allowed.
 *
 * Requires:
 * `pool` is NULL, or a view that is not used again.
 */
void oh_fixedpool_close(struct oh_fixedpool *pool);

/**
 * Returns the address of the pool's data; NULL for NULL. A block with offset `o` begins `o` bytes
 * after it.
 *
 * Requires:
 * `pool` is NULL or a view that was not closed.
 */
void *oh_fixedpool_data(const struct oh_fixedpool *pool);

/**
 * Allocates a block of at least `bytes` bytes. `*out` becomes its offset from `oh_fixedpool_data`.
 * `OH_ERR_FULL` if there is no room. Only one thread at a time may change a pool.
 *
 * Requires:
 * `pool` is a view that was not closed, and used by this thread only; `out` is writable.
 */
enum oh_status oh_fixedpool_alloc(struct oh_fixedpool *pool, uint64_t bytes, uint64_t *out);

/**
 * Frees a block. `OH_ERR_STALE` if it is free already; `OH_ERR_RANGE` for an offset at which no
 * block begins; `OH_ERR_CORRUPT` if its guard was overwritten, in which case it stays allocated.
 * Only one thread at a time may change a pool.
 *
 * Requires:
 * As for `oh_fixedpool_alloc`.
 */
enum oh_status oh_fixedpool_free(struct oh_fixedpool *pool, uint64_t offset);

/**
 * Returns the usable size of the allocated block at `offset`, in bytes. The errors are those of
 * `oh_fixedpool_free`.
 *
 * Requires:
 * As for `oh_fixedpool_alloc`.
 */
enum oh_status oh_fixedpool_room(const struct oh_fixedpool *pool, uint64_t offset, uint64_t *out);

/**
 * Returns the counters of a pool.
 *
 * Requires:
 * `pool` is a view that was not closed; `out` is writable.
 */
enum oh_status oh_fixedpool_get_stats(const struct oh_fixedpool *pool,
                                      struct oh_fixedpool_stats *out);

/**
 * Creates an empty arena in `length` bytes at `base`, a multiple of 8. Blocks are aligned if
 * `base` is a multiple of the largest alignment. The arena can be enlarged later
 * (`oh_bumparena_extend`). New blocks contain whatever the memory contained before. `options` may
 * be NULL.
 *
 * `OH_ERR_FULL` if `length` is too small (the header takes 256 bytes and the alignment);
 * `OH_ERR_RANGE` for an invalid alignment.
 *
 * Requires:
 * `base` is valid for reading and writing `length` bytes that no other thread uses; `options` is
 * NULL, or points to as many readable bytes as its `struct_size` says.
 */
enum oh_status oh_bumparena_init(void *base,
                                 size_t length,
                                 const struct oh_bumparena_options *options);

/**
 * Checks in constant time that `length` bytes at `base` contain a bump arena.
 *
 * After `OH_OK`, no `oh_bumparena_` function reads or writes outside these bytes, whatever their
 * contents. Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for
 * another kind of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
 *
 * Requires:
 * `length` bytes at `base` are readable.
 */
enum oh_status oh_bumparena_check(const void *base, size_t length);

/**
 * Tells the arena that its memory is `length` bytes long now, and may have moved to another
 * address with the same contents. Offsets and marks stay valid. `OH_ERR_RANGE` if the memory
 * became shorter.
 *
 * Requires:
 * `base` is valid for reading and writing `length` bytes, and no other thread uses the arena.
 */
enum oh_status oh_bumparena_extend(void *base, size_t length);

/**
 * Allocates a block of `bytes` bytes at a multiple of `align`, a power of two; values below 8
 * count as 8. `*offset` becomes its offset from the address that `oh_bumparena_data` returns. A
 * block of 0 bytes has its own offset, too.
 *
 * `OH_ERR_FULL` if there is no room; `OH_ERR_RANGE` for an alignment that is not a power of two,
 * or greater than the largest of the arena.
 *
 * Requires:
 * `base` is valid for reading and writing `length` bytes, and no other thread uses the arena;
 * `offset` is writable.
 */
enum oh_status oh_bumparena_alloc(void *base,
                                  size_t length,
                                  uint64_t bytes,
                                  uint32_t align,
                                  uint64_t *offset);

/**
 * Returns the address of offset 0. It is valid as long as the region stays at its address.
 *
 * Requires:
 * `length` bytes at `base` are readable; `data` is writable.
 */
enum oh_status oh_bumparena_data(const void *base, size_t length, void **data);

/**
 * Frees a block, if it is the last one that was allocated since the innermost mark. Other blocks
 * stay allocated until they are released.
 *
 * `OH_ERR_STALE` for a block that was released already; `OH_ERR_RANGE` for an offset at which no
 * block can begin. With guards, every block is checked: `OH_ERR_STALE` for a block that was freed
 * before; `OH_ERR_CORRUPT` for one that was overrun, which stays allocated. Without guards, an
 * offset in the middle of a block is not detected.
 *
 * Requires:
 * As for `oh_bumparena_extend`.
 */
enum oh_status oh_bumparena_free(void *base, size_t length, uint64_t offset);

/**
 * Begins a scope: `*mark` becomes the current state of the arena. Scopes can be nested.
 *
 * Requires:
 * As for `oh_bumparena_extend`; `mark` is writable.
 */
enum oh_status oh_bumparena_begin(void *base, size_t length, struct oh_bumparena_mark *mark);

/**
 * Ends a scope: releases all blocks that were allocated since the mark was made. End nested scopes
 * in reverse order, or only the outer one. Takes O(1), or time proportional to the released bytes
 * with guards or zeros.
 *
 * `OH_ERR_STALE` for a mark that was made before a reset, or inside a scope that ended.
 * `OH_ERR_CORRUPT` if guards show that a block was overrun; everything is released nevertheless.
 *
 * Requires:
 * As for `oh_bumparena_extend`; `mark` is readable.
 */
enum oh_status oh_bumparena_release(void *base,
                                    size_t length,
                                    const struct oh_bumparena_mark *mark);

/**
 * Releases all blocks. Takes O(1), or time proportional to the released bytes with guards or
 * zeros. `OH_ERR_CORRUPT` as for `oh_bumparena_release`.
 *
 * Requires:
 * As for `oh_bumparena_extend`.
 */
enum oh_status oh_bumparena_reset(void *base, size_t length);

/**
 * Returns the size and the counters of an arena.
 *
 * Requires:
 * `length` bytes at `base` are readable; `info` is writable.
 */
enum oh_status oh_bumparena_get_info(const void *base,
                                     size_t length,
                                     struct oh_bumparena_info *info);

/**
 * Verifies the counters of an arena and, with guards, every block. `OH_ERR_CORRUPT` if something
 * is wrong; `oh_last_error` describes the first error found.
 *
 * Requires:
 * `length` bytes at `base` are readable.
 */
enum oh_status oh_bumparena_validate(const void *base, size_t length);

/**
 * Computes the number of bytes that a pool with these options needs. `OH_ERR_RANGE` for an option
 * outside its range.
 *
 * Requires:
 * `options` points to as many readable bytes as its `struct_size` says; `out` is writable.
 */
enum oh_status oh_lockfreepool_region_size(const struct oh_lockfreepool_options *options,
                                           uint64_t *out);

/**
 * Creates an empty pool in `length` bytes at `base`, a multiple of 8 (preferably of 64). They are
 * overwritten with zeros, unless the caller guarantees with `zeroed` that they are zero already.
 * `OH_ERR_FULL` if `length` is less than `oh_lockfreepool_region_size`.
 *
 * Requires:
 * `base` is valid for writing `length` bytes that no other thread uses; `options` as for
 * `oh_lockfreepool_region_size`.
 */
enum oh_status oh_lockfreepool_init(void *base,
                                    size_t length,
                                    const struct oh_lockfreepool_options *options,
                                    bool zeroed);

/**
 * Verifies the bookkeeping of a pool. `OH_ERR_CORRUPT` if something is wrong; `oh_last_error`
 * describes the first error found.
 *
 * Requires:
 * `base` is valid for reading `length` bytes. If another thread allocates or frees at the same
 * time, a valid pool may appear to be corrupt.
 */
enum oh_status oh_lockfreepool_validate(const void *base, size_t length);

/**
 * Creates a handle of this thread for the pool in `length` bytes at `base`, whose header is
 * checked in constant time. After `OH_OK`, no `oh_lockfreepool_` function reads or writes outside
 * these bytes, whatever their contents. `OH_ERR_FULL` if there are too many handles. Close it with
 * `oh_lockfreepool_close`.
 *
 * Requires:
 * `base` is valid for reading and writing `length` bytes until the handle is closed; `out` is
 * writable.
 */
enum oh_status oh_lockfreepool_attach(void *base, size_t length, struct oh_lockfreepool **out);

/**
 * Frees a handle. The pool does not change. NULL is allowed.
 *
 * Requires:
 * `pool` is NULL, or a handle that is not used again.
 */
void oh_lockfreepool_close(struct oh_lockfreepool *pool);

/**
 * Frees the handle of a thread that ended without closing it. Any thread may call this function.
 * If the block that the thread allocated last is still allocated, `oh_lockfreepool_suspects` lists
 * it from then on. NULL is allowed.
 *
 * Requires:
 * `pool` is NULL, or a handle that is not used again.
 */
void oh_lockfreepool_abandon(struct oh_lockfreepool *pool);

/**
 * Returns the address of the pool's data; NULL for NULL. A block with offset `o` begins `o` bytes
 * after it.
 *
 * Requires:
 * `pool` is NULL or a handle that was not closed.
 */
void *oh_lockfreepool_data(const struct oh_lockfreepool *pool);

/**
 * Returns the layout of the pool's words, for code that implements the protocol of
 * `docs/formats/pools.md` itself.
 *
 * Requires:
 * `pool` is a handle that was not closed; `out` is writable.
 */
enum oh_status oh_lockfreepool_get_layout(const struct oh_lockfreepool *pool,
                                          struct oh_lockfreepool_layout *out);

/**
 * Allocates a block of at least `bytes` bytes. `*out` becomes its offset from
 * `oh_lockfreepool_data`. `OH_ERR_FULL` if there is no room.
 *
 * Requires:
 * `pool` is a handle that was not closed, and used by this thread only; `out` is writable.
 */
enum oh_status oh_lockfreepool_alloc(const struct oh_lockfreepool *pool,
                                     uint64_t bytes,
                                     uint64_t *out);

/**
 * Frees a block, which may have been allocated through another handle. `OH_ERR_STALE` if it is
 * free already; `OH_ERR_RANGE` for an offset at which no block begins; `OH_ERR_CORRUPT` if its
 * guard was overwritten, in which case it stays allocated.
 *
 * Requires:
 * As for `oh_lockfreepool_alloc`.
 */
enum oh_status oh_lockfreepool_free(const struct oh_lockfreepool *pool, uint64_t offset);

/**
 * Returns the usable size of the allocated block at `offset`, in bytes. The errors are those of
 * `oh_lockfreepool_free`.
 *
 * Requires:
 * As for `oh_lockfreepool_alloc`.
 */
enum oh_status oh_lockfreepool_room(const struct oh_lockfreepool *pool,
                                    uint64_t offset,
                                    uint64_t *out);

/**
 * Returns the counters of a pool. Takes O(blocks / 16).
 *
 * Requires:
 * `pool` is a handle that was not closed; `out` is writable.
 */
enum oh_status oh_lockfreepool_get_stats(const struct oh_lockfreepool *pool,
                                         struct oh_lockfreepool_stats *out);

/**
 * Lists blocks that may have leaked: blocks that were the last allocation of a thread that ended
 * without closing its handle, and that are still allocated. Writes up to `capacity` offsets;
 * `*count` becomes the total number.
 *
 * Requires:
 * `pool` is a handle that was not closed; `offsets` is valid for writing `capacity` numbers;
 * `count` is writable.
 */
enum oh_status oh_lockfreepool_suspects(const struct oh_lockfreepool *pool,
                                        uint64_t *offsets,
                                        size_t capacity,
                                        size_t *count);

/**
 * Like `oh_lockfreepool_attach`, with a cache of up to `cache` bytes.
 *
 * Requires:
 * As for `oh_lockfreepool_attach`.
 */
enum oh_status oh_threadlocalpool_attach(void *base,
                                         size_t length,
                                         uint64_t cache,
                                         struct oh_threadlocalpool **out);

/**
 * Returns the cached blocks to the pool, and frees the handle. NULL is allowed.
 *
 * Requires:
 * `pool` is NULL, or a handle that is not used again.
 */
void oh_threadlocalpool_close(struct oh_threadlocalpool *pool);

/**
 * Like `oh_lockfreepool_abandon`. The cached blocks are returned to the pool, too.
 *
 * Requires:
 * `pool` is NULL, or a handle that is not used again.
 */
void oh_threadlocalpool_abandon(struct oh_threadlocalpool *pool);

/**
 * Allocates a block, like `oh_lockfreepool_alloc`.
 *
 * Requires:
 * `pool` is a handle that was not closed, and used by this thread only; `out` is writable.
 */
enum oh_status oh_threadlocalpool_alloc(struct oh_threadlocalpool *pool,
                                        uint64_t bytes,
                                        uint64_t *out);

/**
 * Frees a block, like `oh_lockfreepool_free`.
 *
 * Requires:
 * As for `oh_threadlocalpool_alloc`.
 */
enum oh_status oh_threadlocalpool_free(struct oh_threadlocalpool *pool, uint64_t offset);

/**
 * Returns all cached blocks to the pool.
 *
 * Requires:
 * As for `oh_threadlocalpool_alloc`.
 */
enum oh_status oh_threadlocalpool_flush(struct oh_threadlocalpool *pool);

/**
 * Returns the size of the largest request that the cache serves, in bytes; larger ones go to the
 * pool. 0 if it serves none.
 *
 * Requires:
 * `pool` is a handle that was not closed; `out` is writable.
 */
enum oh_status oh_threadlocalpool_largest(const struct oh_threadlocalpool *pool, uint64_t *out);

/**
 * Returns the number of bytes, in allocated and free blocks, that the cache keeps from other
 * threads.
 *
 * Requires:
 * As for `oh_threadlocalpool_largest`.
 */
enum oh_status oh_threadlocalpool_held(const struct oh_threadlocalpool *pool, uint64_t *out);

/**
 * Returns the handle without the cache, for counters and sizes; NULL for NULL. It is closed
 * together with the cache.
 *
 * Requires:
 * `pool` is NULL or a handle that was not closed.
 */
const struct oh_lockfreepool *oh_threadlocalpool_handle(const struct oh_threadlocalpool *pool);

/**
 * Computes the number of bytes that a pool with these options needs. If nodes are hot-plugged,
 * `oh_numapool_init` may need more a moment later; pass `nodes` to prevent that. `OH_ERR_RANGE`
 * for an option outside its range.
 *
 * Requires:
 * `options` points to as many readable bytes as its `struct_size` says, and its array has
 * `node_count` elements; `out` is writable.
 */
enum oh_status oh_numapool_region_size(const struct oh_numapool_options *options, uint64_t *out);

/**
 * Creates an empty pool in `length` bytes at `base`. They are overwritten with zeros, unless the
 * caller guarantees with `zeroed` that they are zero already, as fresh memory of the system is;
 * then pages without bookkeeping are not touched. Call `oh_numapool_place` to put the pool on its
 * nodes. `base` should be a multiple of 64 KiB, because a page belongs to one node. `OH_ERR_FULL`
 * if `length` is less than `oh_numapool_region_size`.
 *
 * Requires:
 * `base` is valid for writing `length` bytes that no other thread uses; `options` as for
 * `oh_numapool_region_size`.
 */
enum oh_status oh_numapool_init(void *base,
                                size_t length,
                                const struct oh_numapool_options *options,
                                bool zeroed);

/**
 * Checks in constant time that `length` bytes at `base` contain a NUMA pool.
 *
 * After `OH_OK`, no `oh_numapool_` function reads or writes outside these bytes, whatever their
 * contents. Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for
 * another kind of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
 *
 * Requires:
 * `base` is valid for reading `length` bytes.
 */
enum oh_status oh_numapool_check(const void *base, size_t length);

/**
 * Verifies the bookkeeping of a pool. `OH_ERR_CORRUPT` if something is wrong; `oh_last_error`
 * describes the first error found.
 *
 * Requires:
 * `base` is valid for reading `length` bytes, and no other thread allocates or frees in the pool.
 */
enum oh_status oh_numapool_validate(const void *base, size_t length);

/**
 * Creates a view of the pool in `length` bytes at `base`, and checks it as `oh_numapool_check`
 * does. Close it with `oh_numapool_close`.
 *
 * Requires:
 * `base` is valid for reading and writing `length` bytes until the view is closed; `out` is
 * writable.
 */
enum oh_status oh_numapool_attach(void *base, size_t length, struct oh_numapool **out);

/**
 * Frees a view. The pool does not change. NULL is allowed.
 *
 * Requires:
 * `pool` is NULL, or a view that is not used again.
 */
void oh_numapool_close(struct oh_numapool *pool);

/**
 * Puts the blocks of each node on that node: pages that exist are moved, and others are allocated
 * there when they are touched. (Fresh memory is best: a huge page that was touched before, and
 * contains blocks of two nodes, moves as a whole.) With `populate`, all pages are allocated now.
 * The errors are those of `oh_numa_place`; `OH_ERR_RANGE` names a node that the machine does not
 * have. On a machine with one node there is nothing to place.
 *
 * Requires:
 * `pool` is a view that was not closed.
 */
enum oh_status oh_numapool_place(const struct oh_numapool *pool, bool populate);

/**
 * Returns the address of the pool's data; NULL for NULL. A block with offset `o` begins `o` bytes
 * after it.
 *
 * Requires:
 * `pool` is NULL or a view that was not closed.
 */
void *oh_numapool_data(const struct oh_numapool *pool);

/**
 * Allocates a block of at least `bytes` bytes, on the node that the policy prefers or on the
 * nearest one that has room. `*out` becomes its offset from `oh_numapool_data`. `OH_ERR_FULL` if
 * no node has room. Only one thread at a time may change a pool.
 *
 * Requires:
 * `pool` is a view that was not closed, and used by this thread only; `out` is writable.
 */
enum oh_status oh_numapool_alloc(struct oh_numapool *pool, uint64_t bytes, uint64_t *out);

/**
 * Like `oh_numapool_alloc`, but prefers a given node, whatever the policy. `OH_ERR_RANGE` if the
 * pool has no memory of that node.
 *
 * Requires:
 * As for `oh_numapool_alloc`.
 */
enum oh_status oh_numapool_alloc_on(struct oh_numapool *pool,
                                    uint32_t node,
                                    uint64_t bytes,
                                    uint64_t *out);

/**
 * Frees a block. `OH_ERR_STALE` if it is free already; `OH_ERR_RANGE` for an offset at which no
 * block begins; `OH_ERR_CORRUPT` if its guard was overwritten, in which case it stays allocated.
 * Only one thread at a time may change a pool.
 *
 * Requires:
 * As for `oh_numapool_alloc`.
 */
enum oh_status oh_numapool_free(struct oh_numapool *pool, uint64_t offset);

/**
 * Returns the usable size of the allocated block at `offset`, in bytes. The errors are those of
 * `oh_numapool_free`.
 *
 * Requires:
 * As for `oh_numapool_alloc`.
 */
enum oh_status oh_numapool_room(const struct oh_numapool *pool, uint64_t offset, uint64_t *out);

/**
 * Returns the number of the node to which the memory at an offset belongs. `OH_ERR_RANGE` past the
 * end of the data.
 *
 * Requires:
 * `pool` is a view that was not closed; `out` is writable.
 */
enum oh_status oh_numapool_node_of(const struct oh_numapool *pool, uint64_t offset, uint32_t *out);

/**
 * Returns the index, in the pool's list, of the node on which this thread runs, or of the nearest
 * one. The policy `OH_NUMA_LOCAL` asks for it every 256 requests.
 *
 * Requires:
 * As for `oh_numapool_node_of`.
 */
enum oh_status oh_numapool_near(const struct oh_numapool *pool, uint32_t *out);

/**
 * Returns the counters of a pool.
 *
 * Requires:
 * `pool` is a view that was not closed; `out` is writable.
 */
enum oh_status oh_numapool_get_stats(const struct oh_numapool *pool, struct oh_numapool_stats *out);

/**
 * Returns the counters of the node at index `at` of the list. With `placement`, the kernel is
 * asked where the node's pages are, which takes about 0.1 µs for each page. `OH_ERR_RANGE` if
 * there is no such node; `OH_ERR_UNSUPPORTED` if the kernel does not tell.
 *
 * Requires:
 * `pool` is a view that was not closed; `out` is writable.
 */
enum oh_status oh_numapool_node_at(const struct oh_numapool *pool,
                                   size_t at,
                                   bool placement,
                                   struct oh_numapool_node *out);

/*
 * ---- Files ----
 */

/**
 * Opens the regular file at `path` (`path_length` bytes; UTF-8 on Windows) and makes its bytes
 * accessible, in the way that suits its size. `options` may be NULL.
 *
 * If another process truncates a mapped file, the lost bytes read as zeros, and
 * `oh_mappedfile_check` fails from then on. For that, the first call installs a handler for SIGBUS
 * on Unix, which passes all other signals on to the previous handler.
 *
 * `OH_ERR_IO` if the system refuses, or the file is not a regular one; `OH_ERR_OOM` if there is no
 * memory or address space; `OH_ERR_FULL` if it is to be locked and the limit does not allow it, or
 * if it is to be written and the disk has no room for its holes.
 *
 * Requires:
 * `path_length` bytes at `path` are readable; `options` is NULL, or points to as many readable
 * bytes as its `struct_size` says; `out` is writable.
 */
enum oh_status oh_mappedfile_open(const char *path,
                                  size_t path_length,
                                  const struct oh_mappedfile_options *options,
                                  struct oh_mappedfile **out);

/**
 * Returns the address of the bytes; NULL for NULL. It is valid until `oh_mappedfile_refresh` or
 * `oh_mappedfile_close`. Store to them only if the file was opened for writing.
 *
 * Requires:
 * `file` is NULL or open.
 */
void *oh_mappedfile_data(const struct oh_mappedfile *file);

/**
 * Returns the number of bytes; 0 for NULL.
 *
 * Requires:
 * `file` is NULL or open.
 */
size_t oh_mappedfile_size(const struct oh_mappedfile *file);

/**
 * Returns how the bytes are actually accessed, which may differ from the requested strategy.
 *
 * Requires:
 * `file` is open, `out` is writable.
 */
enum oh_status oh_mappedfile_strategy(const struct oh_mappedfile *file, enum oh_strategy *out);

/**
 * Checks that no bytes were lost. `OH_ERR_IO` if the file was truncated or could not be read, so
 * that some bytes were replaced by zeros. This is a system call: check before and after work on
 * many bytes.
 *
 * Requires:
 * `file` is open.
 */
enum oh_status oh_mappedfile_check(const struct oh_mappedfile *file);

/**
 * Copies `length` bytes from `offset` on to `target`. `OH_ERR_RANGE` if there are fewer;
 * `OH_ERR_IO` if some of them were lost.
 *
 * Requires:
 * `file` is open; `length` bytes at `target` are writable and not the file's own.
 */
enum oh_status oh_mappedfile_read(const struct oh_mappedfile *file,
                                  uint64_t offset,
                                  size_t length,
                                  void *target);

/**
 * Copies `length` bytes from each of `count` offsets to `target`, one after another. `offset_type`
 * is the numeric `oh_type` of the offsets. This is many times faster than one by one, because the
 * cache misses overlap. `OH_ERR_RANGE`, with nothing written, if fewer than `length` bytes follow
 * an offset; `OH_ERR_IO` if the file was truncated before or during the call.
 *
 * Requires:
 * `file` is open; `count` elements at `offsets` are readable; `count * length` bytes at `target`
 * are writable and not the file's own.
 */
enum oh_status oh_mappedfile_read_many(const struct oh_mappedfile *file,
                                       const void *offsets,
                                       uint32_t offset_type,
                                       size_t count,
                                       size_t length,
                                       void *target);

/**
 * Tells the system how the file will be accessed from now on, by an `oh_pattern`.
 *
 * Requires:
 * `file` is open.
 */
enum oh_status oh_mappedfile_advise(const struct oh_mappedfile *file, uint32_t pattern);

/**
 * Starts to read a part of the file into memory, without waiting. `OH_ERR_RANGE` past the end of
 * the file.
 *
 * Requires:
 * `file` is open.
 */
enum oh_status oh_mappedfile_prefetch(const struct oh_mappedfile *file,
                                      uint64_t offset,
                                      uint64_t length);

/**
 * Keeps the bytes in memory. `OH_ERR_FULL` if that exceeds the limit, which the message names.
 *
 * Requires:
 * `file` is open.
 */
enum oh_status oh_mappedfile_lock(const struct oh_mappedfile *file);

/**
 * Reverts `oh_mappedfile_lock`.
 *
 * Requires:
 * `file` is open.
 */
enum oh_status oh_mappedfile_unlock(const struct oh_mappedfile *file);

/**
 * Writes all changes to the disk, and waits for it. `OH_ERR_UNSUPPORTED` if the file was opened
 * for reading.
 *
 * Requires:
 * `file` is open, and no thread stores to its bytes at the same time.
 */
enum oh_status oh_mappedfile_flush(const struct oh_mappedfile *file);

/**
 * Maps or reads the file again after it became longer or was rewritten. `*size` becomes its size.
 *
 * Requires:
 * `file` is open and used by no other thread at the same time; `size` is writable.
 */
enum oh_status oh_mappedfile_refresh(struct oh_mappedfile *file, uint64_t *size);

/**
 * Closes the file and frees its memory. NULL is allowed.
 *
 * Requires:
 * `file` is NULL, or open and not used again.
 */
void oh_mappedfile_close(struct oh_mappedfile *file);

/**
 * Creates a file with an empty vector of numbers (`OH_TYPE_U8` to `OH_TYPE_I64`) at `path`
 * (`path_length` bytes), atomically. `options` may be NULL.
 *
 * `OH_ERR_IO` if there is a file at `path` already, or the system refuses; `OH_ERR_FULL` if the
 * disk is full.
 *
 * Requires:
 * `path_length` bytes at `path` are readable; `options` is NULL, or points to as many readable
 * bytes as its `struct_size` says; `out` is writable.
 */
enum oh_status oh_mmapvector_create(const char *path,
                                    size_t path_length,
                                    uint32_t element_type,
                                    const struct oh_mmapvector_options *options,
                                    struct oh_mmapvector **out);

/**
 * Opens the file of a vector, for reading the flushed elements or for writing. `options` may be
 * NULL.
 *
 * `OH_ERR_LOCKED` if `writable` is true and another handle writes the file; `OH_ERR_CORRUPT` or
 * `OH_ERR_VERSION` for an invalid file; `OH_ERR_IO` if the system refuses.
 *
 * Requires:
 * As for `oh_mmapvector_create`.
 */
enum oh_status oh_mmapvector_open(const char *path,
                                  size_t path_length,
                                  bool writable,
                                  const struct oh_mmapvector_options *options,
                                  struct oh_mmapvector **out);

/**
 * Returns the type and the size of a vector.
 *
 * Requires:
 * `vector` is open, `out` is writable.
 */
enum oh_status oh_mmapvector_get_info(const struct oh_mmapvector *vector,
                                      struct oh_mmapvector_info *out);

/**
 * Returns the address of the elements, aligned to 64 bytes; NULL for NULL. It is valid until the
 * vector grows, is refreshed or closed. Do not store to elements that were flushed.
 *
 * If another process truncates the file, lost elements read as zeros; call `oh_mmapvector_check`
 * after reading to detect that.
 *
 * Requires:
 * `vector` is NULL or open.
 */
void *oh_mmapvector_data(const struct oh_mmapvector *vector);

/**
 * Checks that no elements were lost. `OH_ERR_IO` if the file was truncated or could not be read,
 * so that some elements were replaced by zeros. Check after reading, not before.
 *
 * Requires:
 * `vector` is open.
 */
enum oh_status oh_mmapvector_check(const struct oh_mmapvector *vector);

/**
 * Copies the element at `index` to `element`. `OH_ERR_RANGE` past the end.
 *
 * Requires:
 * `vector` is open; an element can be written at `element`.
 */
enum oh_status oh_mmapvector_get(const struct oh_mmapvector *vector, uint64_t index, void *element);

/**
 * Changes an element that was not flushed yet. `OH_ERR_RANGE` past the end; `OH_ERR_UNSUPPORTED`
 * for a flushed element, because those cannot change.
 *
 * Requires:
 * `vector` is open and used by no other thread at the same time; an element can be read at
 * `element`.
 */
enum oh_status oh_mmapvector_set(struct oh_mmapvector *vector, uint64_t index, const void *element);

/**
 * Appends `count` elements, all or none. `OH_ERR_FULL` if the disk is full, or the vector has a
 * fixed size.
 *
 * Requires:
 * `vector` is open and used by no other thread at the same time; `count` elements at `elements`
 * are readable, and not in the vector.
 */
enum oh_status oh_mmapvector_push(struct oh_mmapvector *vector, const void *elements, size_t count);

/**
 * Removes all elements from index `length` on. Does nothing if there are fewer. The removal of
 * flushed elements takes effect with the next flush; the first push after it flushes
 * automatically.
 *
 * Requires:
 * `vector` is open and used by no other thread at the same time.
 */
enum oh_status oh_mmapvector_truncate(struct oh_mmapvector *vector, uint64_t length);

/**
 * Makes room for `additional` more elements, so that pushing them does not allocate.
 *
 * Requires:
 * `vector` is open and used by no other thread at the same time.
 */
enum oh_status oh_mmapvector_reserve(struct oh_mmapvector *vector, uint64_t additional);

/**
 * Writes all elements to the disk, and waits for it. Afterward they survive a crash of the
 * process, and a power failure if the device honors a sync.
 *
 * `OH_ERR_IO` if the disk refuses. The handle is unusable then; open the file again to see which
 * elements were saved.
 *
 * Requires:
 * `vector` is open and used by no other thread at the same time.
 */
enum oh_status oh_mmapvector_flush(struct oh_mmapvector *vector);

/**
 * Makes the elements visible that the writer flushed since, in a handle that reads. `*length`
 * becomes their number.
 *
 * Requires:
 * `vector` is open and used by no other thread at the same time; `length` is writable.
 */
enum oh_status oh_mmapvector_refresh(struct oh_mmapvector *vector, uint64_t *length);

/**
 * Compares the flushed elements with their checksum. `OH_ERR_CORRUPT` if it does not match. Takes
 * time proportional to the size of the file.
 *
 * Requires:
 * `vector` is open.
 */
enum oh_status oh_mmapvector_validate(const struct oh_mmapvector *vector);

/**
 * Closes the file and frees the handle. Elements that were not flushed are discarded. NULL is
 * allowed.
 *
 * Requires:
 * `vector` is NULL, or open and not used again.
 */
void oh_mmapvector_close(struct oh_mmapvector *vector);

/**
 * Skips `count` bytes and returns their address. To read a number, copy it from there, because it
 * may be misaligned.
 *
 * Requires:
 * `cursor` is valid and used by no other thread at the same time; its bytes are readable; `bytes`
 * is writable.
 */
enum oh_status oh_cursor_take(struct oh_cursor *cursor, size_t count, const void **bytes);

/**
 * Reads an unsigned LEB128 varint of up to 64 bits.
 *
 * Requires:
 * As for `oh_cursor_take`; `value` is writable.
 */
enum oh_status oh_cursor_varint(struct oh_cursor *cursor, uint64_t *value);

/**
 * Reads a text after its length in bytes, a varint. The text is checked to be UTF-8, and not
 * copied.
 *
 * Requires:
 * As for `oh_cursor_take`; no thread writes the bytes while the text is used; `text` is writable.
 */
enum oh_status oh_cursor_text(struct oh_cursor *cursor, struct oh_text *text);

/**
 * Reads a text of `length` bytes. The text is checked to be UTF-8, and not copied.
 *
 * Requires:
 * As for `oh_cursor_text`.
 */
enum oh_status oh_cursor_text_of(struct oh_cursor *cursor, size_t length, struct oh_text *text);

/*
 * ---- Regions and memory of any kind ----
 */

/**
 * Computes the CRC-32C (Castagnoli; RFC 3720) of `length` bytes. `seed` is 0, or the result for
 * the preceding bytes, so that a checksum can be computed in pieces. Uses CRC instructions of the
 * processor if it has them.
 *
 * If another thread writes the bytes at the same time, the result is meaningless.
 *
 * Requires:
 * `length` bytes at `base` are readable.
 */
enum oh_status oh_crc32c(const void *base, size_t length, uint32_t seed, uint32_t *out);

/**
 * Computes the checksum of the region at `base`, as stored in word 8 of its header: the CRC-32C of
 * all its bytes, in which the words `sequence`, `flags` and `checksum` count as zero. `length` may
 * be longer than the region. Checks the header first, like `oh_region_check`.
 *
 * Requires:
 * `length` bytes at `base` are readable.
 */
enum oh_status oh_region_checksum(const void *base, size_t length, uint32_t *out);

/**
 * Checks the common part of a region's header in constant time: magic, version and flags, and that
 * the length of the region is valid and not greater than `length`. `*region_size` becomes the
 * length, and `*kind` the kind of structure (1 is a hash map). The check function of the
 * structure, such as `oh_hashmap_check`, checks more.
 *
 * `OH_ERR_CORRUPT`; `OH_ERR_VERSION`; or `OH_ERR_STALE` if the owner moved the region to a larger
 * buffer.
 *
 * Requires:
 * `length` bytes at `base` are readable; `region_size` and `kind` are writable or NULL.
 */
enum oh_status oh_region_check(const void *base,
                               size_t length,
                               uint64_t *region_size,
                               uint32_t *kind);

/**
 * Gives the kernel advice, an `OH_ADVICE_…`, for the whole pages inside `length` bytes at `base`.
 * Bytes outside whole pages are not affected. `*taken` becomes false if there is no whole page, or
 * the system does not support the advice. `OH_ERR_RANGE` for an invalid advice.
 *
 * Requires:
 * The bytes are mapped. With `OH_ADVICE_DISCARD` they are writable, and no thread relies on their
 * contents.
 */
enum oh_status oh_region_advise(void *base, size_t length, uint32_t advice, bool *taken);

/**
 * Puts the whole pages inside `length` bytes at `base` on one NUMA node: pages that exist are
 * moved, and others are allocated there when they are touched. The node is preferred, not
 * enforced: when it is full, pages come from its neighbors. It is not an error if there is no
 * whole page.
 *
 * `OH_ERR_RANGE` if the node does not exist or has no memory (without NUMA, only node 0 exists);
 * `OH_ERR_UNSUPPORTED` if the system forbids it (as some containers do). `oh_numa_place` offers
 * more policies.
 *
 * Requires:
 * The bytes are mapped.
 */
enum oh_status oh_region_bind(void *base, size_t length, uint32_t node);

/**
 * Keeps the pages of `length` bytes at `base` in memory. `OH_ERR_FULL` if that exceeds the limit,
 * which the message names.
 *
 * Requires:
 * The bytes are mapped.
 */
enum oh_status oh_memory_lock(const void *base, size_t length);

/**
 * Reverts `oh_memory_lock`.
 *
 * Requires:
 * The bytes are mapped.
 */
enum oh_status oh_memory_unlock(const void *base, size_t length);

/**
 * Returns how many of the pages that contain `length` bytes at `base` are in memory.
 *
 * Requires:
 * The bytes are mapped, `resident` is writable.
 */
enum oh_status oh_memory_resident(const void *base, size_t length, uint64_t *resident);

/**
 * Copies `length` bytes from each of `count` offsets into the `size` bytes at `base` to `target`,
 * like `oh_mappedfile_read_many`.
 *
 * Requires:
 * The bytes are mapped, and may be written by other threads; `count` elements at `offsets` are
 * readable; `count * length` bytes at `target` are writable.
 */
enum oh_status oh_memory_gather(const void *base,
                                size_t size,
                                const void *offsets,
                                uint32_t offset_type,
                                size_t count,
                                size_t length,
                                void *target);

/**
 * Returns whether the system supports NUMA and this process may use it; also true on a machine
 * with one node. Where it is false, the other functions report one node, 0, with all memory and
 * processors.
 */
bool oh_numa_available(void);

/**
 * Returns the number of nodes that are online, at least 1. Nodes can be hot-plugged, so
 * `oh_numa_node_at` may fail nevertheless.
 *
 * Requires:
 * `count` is writable.
 */
enum oh_status oh_numa_node_count(size_t *count);

/**
 * Returns the current memory and counters of the node at `index`, from 0, in the order of their
 * numbers. `OH_ERR_RANGE` if there are fewer nodes.
 *
 * Requires:
 * `node` is writable.
 */
enum oh_status oh_numa_node_at(size_t index, struct oh_numa_node *node);

/**
 * Returns the logical processors of the node at `index`, in ascending order, up to `capacity` of
 * them. `*count` becomes the total number.
 *
 * Requires:
 * `cpus` has room for `capacity` numbers, or `capacity` is 0; `count` is writable.
 */
enum oh_status oh_numa_cpus(size_t index, uint32_t *cpus, size_t capacity, size_t *count);

/**
 * Returns the distances of all nodes, in their order, from the node at `index`: 10 for itself, 20
 * for twice as far. Writes up to `capacity` of them; `*count` becomes the total number.
 *
 * Requires:
 * `distances` has room for `capacity` numbers, or `capacity` is 0; `count` is writable.
 */
enum oh_status oh_numa_distances(size_t index, uint32_t *distances, size_t capacity, size_t *count);

/**
 * Returns the node on which this thread runs at this moment. It may move to another one at any
 * time.
 */
uint32_t oh_numa_current_node(void);

/**
 * Sets where the whole pages inside `length` bytes at `base` are allocated: by an `OH_NUMA_…`
 * policy, and, for `OH_NUMA_NODE`, on `node` (otherwise 0). With `OH_NUMA_NODE` and
 * `OH_NUMA_INTERLEAVE`, pages that exist already are moved. With `populate`, all pages are
 * allocated now.
 *
 * `OH_ERR_RANGE` for an invalid policy, or a node that does not exist or has no memory;
 * `OH_ERR_UNSUPPORTED` if the system forbids it (as some containers do); `OH_ERR_OOM` if there is
 * not enough memory. Without NUMA, every policy and node 0 are accepted, and nothing moves.
 *
 * Requires:
 * The bytes are mapped, and with `populate` writable.
 */
enum oh_status oh_numa_place(void *base,
                             size_t length,
                             uint32_t policy,
                             uint32_t node,
                             bool populate_now);

/**
 * Returns the node of each page of the `length` bytes at `base`, in order; `OH_NUMA_NOWHERE` for a
 * page that no thread has written to yet. Pages that contain only some of the bytes count as well.
 * Writes up to `capacity` of them; `*count` becomes the total number of pages. Takes about 0.1 µs
 * for each page.
 *
 * `OH_ERR_UNSUPPORTED` if the system forbids it. Without NUMA, every page is on node 0.
 *
 * Requires:
 * The bytes are mapped; `nodes` has room for `capacity` numbers, or `capacity` is 0; `count` is
 * writable.
 */
enum oh_status oh_numa_nodes_of(const void *base,
                                size_t length,
                                int32_t *nodes,
                                size_t capacity,
                                size_t *count);

/**
 * Counts the pages of the `length` bytes at `base` by node: adds 1 to `counts[n]` for each page on
 * node n. `*nowhere` becomes the number of pages that are not on any node yet. `OH_ERR_RANGE` if a
 * page is on a node n ≥ `capacity`; 1,024 is always enough.
 *
 * Requires:
 * The bytes are mapped; `counts` has `capacity` numbers; `nowhere` is writable.
 */
enum oh_status oh_numa_count_pages(const void *base,
                                   size_t length,
                                   uint64_t *counts,
                                   size_t capacity,
                                   uint64_t *nowhere);

/*
 * ---- For language bindings, which map files into buffers of their runtime ----
 */

/**
 * Maps the whole regular file at `path` (`path_length` bytes; UTF-8 on Windows) at its current
 * size. Pages are read when they are touched, so opening takes the same time for any size. The
 * file may be renamed or removed while it is mapped.
 *
 * Without `copy_on_write` the bytes are read-only: a store is a segmentation fault. With it they
 * can be written, but changes stay in this mapping: the file never changes.
 *
 * If the file shrinks while it is mapped, lost bytes read as zeros and `oh_binding_file_lost`
 * becomes true, where otherwise SIGBUS would terminate the process. For that, the first call
 * installs a handler for SIGBUS on Unix. It passes all signals that do not concern a mapped file
 * on to the previous handler. Install your own handler before the first call, or pass signals on,
 * too.
 *
 * `OH_ERR_IO` if the file cannot be opened or is not a regular one; `OH_ERR_CORRUPT` if it is
 * empty, shorter than a region's header, or its size is not a multiple of 64; `OH_ERR_OOM` if
 * there is no memory or address space.
 *
 * Requires:
 * `path_length` bytes at `path` are readable; `out` is writable.
 */
enum oh_status oh_binding_file_open(const char *path,
                                    size_t path_length,
                                    bool copy_on_write,
                                    struct oh_binding_file **out);

/**
 * Returns the address of the mapping, a multiple of the page size; NULL for NULL and after
 * `oh_binding_file_unmap`. Store to the bytes only if the file was opened with `copy_on_write`.
 *
 * Requires:
 * `file` is NULL, or a file that is open.
 */
void *oh_binding_file_data(const struct oh_binding_file *file);

/**
 * Returns the size of the file in bytes when it was opened; 0 for NULL and after
 * `oh_binding_file_unmap`.
 *
 * Requires:
 * `file` is NULL, or a file that is open.
 */
size_t oh_binding_file_size(const struct oh_binding_file *file);

/**
 * Returns whether the file shrank, or could not be read, while it was mapped, so that some bytes
 * were replaced by zeros. Check after reading, not before.
 *
 * Requires:
 * `file` is NULL, or a file that is open.
 */
bool oh_binding_file_lost(const struct oh_binding_file *file);

/**
 * Returns the address of the word that `oh_binding_file_lost` reads, which becomes non-zero when
 * bytes are lost; NULL for NULL. Read it atomically. It is readable until `oh_binding_file_close`.
 *
 * Requires:
 * `file` is NULL, or a file that is open.
 */
const int32_t *oh_binding_file_status(const struct oh_binding_file *file);

/**
 * Moves the mapping to `target`, replacing whatever is mapped there, in one step. In this way a
 * file can appear in memory that a runtime manages, such as a JavaScript buffer. From then on the
 * bytes belong to the owner of that memory, which frees them by unmapping all of it;
 * `oh_binding_file_unmap` replaces them by zeros, and `oh_binding_file_close` does not touch them.
 *
 * If `capacity` has room for one page more than the file takes, the last page is replaced too, by
 * zeros except for its last 8 bytes, which indicate later whether the memory still exists. Do not
 * write to these. In return, lost bytes of the file read as zeros for as long as the memory
 * exists; otherwise only until `oh_binding_file_close` or `oh_binding_file_forget`.
 *
 * `OH_ERR_RANGE` if `target` is not a multiple of the page size, or `capacity` is less than the
 * length in whole pages; `OH_ERR_UNSUPPORTED` on systems other than Linux. After an error nothing
 * has changed.
 *
 * Requires:
 * `file` is open, with `copy_on_write`; no thread uses its bytes at the same time, or the old
 * address afterward; `capacity` bytes at `target` are mapped and writable, and their owner does
 * not use their previous contents.
 */
enum oh_status oh_binding_file_move(struct oh_binding_file *file, void *target, size_t capacity);

/**
 * Detaches the handle from the bytes of a file that was moved, without touching them: when the
 * owner of their memory frees it, has freed it, or keeps it. Unmaps the bytes if they were not
 * moved. Calling it twice is allowed, and so is NULL.
 *
 * Requires:
 * As for `oh_binding_file_unmap`.
 */
void oh_binding_file_forget(struct oh_binding_file *file);

/**
 * Unmaps the bytes but keeps the handle, so that its status can still be read. Calling it twice is
 * allowed, and so is NULL.
 *
 * Requires:
 * `file` is NULL, or a file that is open; no other thread uses its bytes or the handle at the same
 * time.
 */
void oh_binding_file_unmap(struct oh_binding_file *file);

/**
 * Unmaps the bytes and frees the handle. NULL is allowed.
 *
 * Requires:
 * `file` is NULL, or a file that is open, and is not used again.
 */
void oh_binding_file_close(struct oh_binding_file *file);

/**
 * Returns whether this process may make `count` more memory mappings without exceeding `percent`
 * hundredths of the system's limit (Linux: `vm.max_map_count`, 65,530 by default). If so, they
 * count as made. For programs that keep many small mappings next to a library that cannot handle a
 * refused one. Always true if the system has no such limit, or does not tell it. Each mapped file
 * takes one mapping.
 *
 * Requires:
 * `granted` is writable.
 */
enum oh_status oh_binding_mappings_reserve(size_t count, uint32_t percent, bool *granted);

/**
 * Returns how many files are mapped in this process. For tests that detect leaks.
 */
size_t oh_binding_file_mappings(void);

/**
 * Opens the regular file at `path`. `strategy` and the limits are those of
 * `oh_mappedfile_options`; the errors are those of `oh_mappedfile_open`.
 *
 * Requires:
 * `path_length` bytes at `path` are readable; `out` is writable.
 */
enum oh_status oh_binding_openfile_open(const char *path,
                                        size_t path_length,
                                        bool writable,
                                        uint32_t strategy,
                                        uint64_t buffered_up_to,
                                        uint64_t huge_from,
                                        struct oh_binding_openfile **out);

/**
 * Returns how to access the file: its size in bytes, a strategy (`OH_STRATEGY_HUGEPAGE` is only a
 * request), and the alignment that the address of a mapping should have for huge pages; 1 if any
 * page is suitable. With `look`, the size is read from the system again.
 *
 * Requires:
 * `file` is open and used by no other thread at the same time; `size`, `strategy` and `alignment`
 * are writable.
 */
enum oh_status oh_binding_openfile_plan(struct oh_binding_openfile *file,
                                        bool look,
                                        uint64_t *size,
                                        enum oh_strategy *strategy,
                                        size_t *alignment);

/**
 * Reads the first `length` bytes of the file to `target`. `OH_ERR_IO` if the file became shorter.
 *
 * Requires:
 * `file` is open; `length` bytes at `target` are writable.
 */
enum oh_status oh_binding_openfile_read(const struct oh_binding_openfile *file,
                                        void *target,
                                        size_t length);

/**
 * Writes `length` bytes to the beginning of the file. `OH_ERR_UNSUPPORTED` if it was opened for
 * reading.
 *
 * Requires:
 * `file` is open; `length` bytes at `source` are readable, and no thread writes them at the same
 * time.
 */
enum oh_status oh_binding_openfile_write(const struct oh_binding_openfile *file,
                                         const void *source,
                                         size_t length);

/**
 * Maps the first `length` bytes of the file at `base`, replacing whatever is mapped there, and
 * returns the strategy obtained. A second call with the same base and a larger `length` maps the
 * missing part. A call with another base maps everything there, and detaches the previous mapping
 * once that succeeded. If the file is not open for writing, stores stay in this memory.
 *
 * `capacity` bytes, whole pages, belong to the file from then on. Their last page is replaced by
 * zeros except for its last 8 bytes, which indicate whether the memory still exists: do not write
 * to these. In return, lost bytes of the file read as zeros for as long as the memory exists.
 *
 * `OH_ERR_UNSUPPORTED` if the system cannot do it; `OH_ERR_RANGE` for a base that is not a
 * multiple of the page size; `OH_ERR_FULL` past `capacity`, or if the disk has no room for holes.
 * After an error, the previous mapping is unchanged.
 *
 * Requires:
 * `file` is open and used by no other thread at the same time; `capacity` bytes at `base` are
 * mapped, and their owner does not use their previous contents and frees them by unmapping all of
 * them.
 */
enum oh_status oh_binding_openfile_map(struct oh_binding_openfile *file,
                                       void *base,
                                       size_t capacity,
                                       size_t length,
                                       enum oh_strategy *strategy);

/**
 * Returns the address of a word that becomes non-zero when a part of the mapping could not be
 * read; NULL for NULL, and before the file is mapped. Read it atomically. It stays readable until
 * the file is closed.
 *
 * Requires:
 * `file` is NULL or open.
 */
const int32_t *oh_binding_openfile_status(const struct oh_binding_openfile *file);

/**
 * Checks that no bytes were lost. `OH_ERR_IO` if the file is shorter now than its mapped part, or
 * some of that could not be read, so that zeros replaced it. This is a system call: check before
 * and after work on many bytes.
 *
 * Requires:
 * `file` is open.
 */
enum oh_status oh_binding_openfile_check(const struct oh_binding_openfile *file);

/**
 * Detaches the mapping, which stays as it is until its owner frees it.
 *
 * Requires:
 * `file` is NULL, or open and used by no other thread at the same time.
 */
void oh_binding_openfile_forget(struct oh_binding_openfile *file);

/**
 * Writes all changes to the disk, and waits for it. `OH_ERR_UNSUPPORTED` if the file was opened
 * for reading.
 *
 * Requires:
 * `file` is open.
 */
enum oh_status oh_binding_openfile_sync(const struct oh_binding_openfile *file);

/**
 * Closes the file. Its mapping stays. NULL is allowed.
 *
 * Requires:
 * `file` is NULL, or open and not used again.
 */
void oh_binding_openfile_close(struct oh_binding_openfile *file);

/**
 * Like `oh_mmapvector_create`, without mapping the elements.
 *
 * Requires:
 * `path_length` bytes at `path` are readable; `out` is writable.
 */
enum oh_status oh_binding_vectorfile_create(const char *path,
                                            size_t path_length,
                                            uint32_t element_type,
                                            struct oh_binding_vectorfile **out);

/**
 * Like `oh_mmapvector_open`, without mapping the elements.
 *
 * Requires:
 * `path_length` bytes at `path` are readable; `out` is writable.
 */
enum oh_status oh_binding_vectorfile_open(const char *path,
                                          size_t path_length,
                                          bool writable,
                                          struct oh_binding_vectorfile **out);

/**
 * Returns the type and the size of the vector.
 *
 * Requires:
 * `file` is open, `out` is writable.
 */
enum oh_status oh_binding_vectorfile_get_info(const struct oh_binding_vectorfile *file,
                                              struct oh_binding_vectorfile_info *out);

/**
 * Allocates disk blocks for `length` elements in total (a writer only), and maps them at `base`,
 * replacing whatever is mapped there. A second call with the same base and a larger `length` maps
 * the missing part. `capacity` is that of `oh_binding_openfile_map`. Stores of a reader stay in
 * its memory.
 *
 * `OH_ERR_FULL` if the disk is full or `capacity` too small; then nothing has changed.
 *
 * Requires:
 * As for `oh_binding_openfile_map`; other threads may commit at the same time.
 */
enum oh_status oh_binding_vectorfile_map(struct oh_binding_vectorfile *file,
                                         void *base,
                                         size_t capacity,
                                         uint64_t length);

/**
 * Like `oh_binding_openfile_status`.
 *
 * Requires:
 * `file` is NULL or open.
 */
const int32_t *oh_binding_vectorfile_status(const struct oh_binding_vectorfile *file);

/**
 * Like `oh_binding_openfile_forget`.
 *
 * Requires:
 * As for `oh_binding_openfile_forget`; other threads may commit at the same time.
 */
void oh_binding_vectorfile_forget(struct oh_binding_vectorfile *file);

/**
 * Makes the first `length` elements durable, and waits for it: they survive a crash. Any thread
 * may call it, one at a time. No thread may store to these elements at the same time.
 *
 * `OH_ERR_IO` if the disk refuses, or the file was truncated. The handle is unusable then; open
 * the file again to see which elements were saved.
 *
 * Requires:
 * `file` is open.
 */
enum oh_status oh_binding_vectorfile_commit(const struct oh_binding_vectorfile *file,
                                            uint64_t length);

/**
 * Tells the system that the contents past the first `length` elements are not needed, so that it
 * can reuse their pages; the disk blocks stay allocated. For a writer. This is only a request,
 * whose outcome is not reported.
 *
 * Requires:
 * `file` is open; no commit, past or in progress, covers more than `length` elements; no thread
 * stores to later elements at the same time.
 */
enum oh_status oh_binding_vectorfile_discard(const struct oh_binding_vectorfile *file,
                                             uint64_t length);

/**
 * Looks for newer commits of the writer. For a reader. `*committed` becomes the number of
 * committed elements.
 *
 * Requires:
 * `file` is open, `committed` is writable.
 */
enum oh_status oh_binding_vectorfile_refresh(const struct oh_binding_vectorfile *file,
                                             uint64_t *committed);

/**
 * Compares the committed elements with their checksum. `OH_ERR_CORRUPT` if it does not match.
 * Takes time proportional to the size of the file.
 *
 * Requires:
 * `file` is open.
 */
enum oh_status oh_binding_vectorfile_validate(const struct oh_binding_vectorfile *file);

/**
 * Closes the file. Its mapping stays. NULL is allowed.
 *
 * Requires:
 * `file` is NULL, or open and not used again, by this thread or another.
 */
void oh_binding_vectorfile_close(struct oh_binding_vectorfile *file);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* OFFHEAP_H */
