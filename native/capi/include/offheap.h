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
 * - Option structs begin with `size_t struct_size`, which the caller sets to the sizeof of the struct;
 *   set every field that you do not need to 0, for example with memset. Later versions can add fields.
 *   A struct of an earlier header is accepted, with 0 for the fields that it lacks. A struct of a later
 *   header is accepted if the fields that this version does not know are 0, and refused with
 *   OH_ERR_UNSUPPORTED otherwise. A size that no version has is refused with OH_ERR_RANGE.
 * - Nothing here calls back, prints, or aborts. oh_binding_file_open installs a handler for SIGBUS, which
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
 * Advice for `oh_region_advise`: back this with huge pages. Fewer TLB misses under random access,
 * at the price of memory in whole pieces (2 MiB on x86-64).
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
 * What `oh_bitvector_next` gives where there is no such bit.
 */
#define OH_BITVECTOR_NONE UINT64_MAX

/**
 * The level where nothing else is asked for.
 */
#define OH_LEVEL_DEFAULT 3

/**
 * The least bytes that a dictionary can be trained to.
 */
#define OH_DICTIONARY_MIN_BYTES 1024

/**
 * The most.
 */
#define OH_DICTIONARY_MAX_BYTES 16777216

/**
 * Policy for `oh_numa_place`: what the thread or the process has set; undoes the others.
 */
#define OH_NUMA_DEFAULT 0

/**
 * Policy for `oh_numa_place`: from one node, and from its neighbours when it is full.
 */
#define OH_NUMA_NODE 1

/**
 * Policy for `oh_numa_place`: from the node on which the thread runs that touches a page first.
 */
#define OH_NUMA_LOCAL 2

/**
 * Policy for `oh_numa_place`: from all nodes in turns, page by page.
 */
#define OH_NUMA_INTERLEAVE 3

/**
 * What `oh_numa_nodes_of` gives for a page that is nowhere: nobody has written to it yet.
 */
#define OH_NUMA_NOWHERE -1

/**
 * Flag of packed integers: JavaScript sees them as bigints, so they may be of any 64-bit value.
 * Without it all are below 2^53.
 */
#define OH_PACKEDINTS_BIGINT 1

/**
 * Where the text of a suffix array lies in its region.
 */
#define OH_SUFFIXARRAY_TEXT 256

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
 * How the bytes of a file are reached.
 */
typedef enum oh_strategy {
  /**
   * Read at once: small files.
   */
  OH_STRATEGY_BUFFERED = 0,
  /**
   * Mapped.
   */
  OH_STRATEGY_MMAP = 1,
  /**
   * Mapped, in huge pages: hugetlbfs, or tmpfs mounted with `huge=`.
   */
  OH_STRATEGY_HUGEPAGE = 2,
  /**
   * Read at once on request: no truncation can touch it.
   */
  OH_STRATEGY_COPY = 3,
  /**
   * In options: choose by size.
   */
  OH_STRATEGY_AUTO = 4,
} oh_strategy;

/**
 * Set algebra: what `oh_bitvector_combine` leaves in the first of two bit vectors.
 */
typedef enum oh_bitvector_op {
  /**
   * What is in both.
   */
  OH_BITVECTOR_AND = 1,
  /**
   * What is in either.
   */
  OH_BITVECTOR_OR = 2,
  /**
   * What is in one of them only.
   */
  OH_BITVECTOR_XOR = 3,
  /**
   * What is in the first and not in the second.
   */
  OH_BITVECTOR_AND_NOT = 4,
} oh_bitvector_op;

/**
 * How a file will be read.
 */
typedef enum oh_pattern {
  /**
   * Nothing is known.
   */
  OH_PATTERN_UNKNOWN = 0,
  /**
   * From front to back.
   */
  OH_PATTERN_SEQUENTIAL = 1,
  /**
   * Here and there.
   */
  OH_PATTERN_RANDOM = 2,
  /**
   * Runs of some length, here and there.
   */
  OH_PATTERN_MIXED = 3,
} oh_pattern;

/**
 * A question, for `oh_rankselect_many`.
 */
typedef enum oh_rankselect_query {
  /**
   * How many ones are before a position.
   */
  OH_RANK1 = 1,
  /**
   * How many zeros are before a position.
   */
  OH_RANK0 = 2,
  /**
   * Where the k-th one is, from 0.
   */
  OH_SELECT1 = 3,
  /**
   * Where the k-th zero is, from 0.
   */
  OH_SELECT0 = 4,
} oh_rankselect_query;

/**
 * How bits, and what helps to find them, are laid out. The numbers are the format's.
 */
typedef enum oh_rankselect_variant {
  /**
   * One of the others, by density.
   */
  OH_RANKSELECT_AUTO = 0,
  /**
   * Plain bits, and an index beside them.
   */
  OH_RANKSELECT_FLAT = 1,
  /**
   * Counts and bits in one cache line: one miss for a rank.
   */
  OH_RANKSELECT_INTERLEAVED = 2,
  /**
   * The positions of ones, or of zeros if those are fewer: for few of either.
   */
  OH_RANKSELECT_SPARSE = 3,
  /**
   * All bits are alike, and not stored.
   */
  OH_RANKSELECT_CONSTANT = 4,
} oh_rankselect_variant;

/**
 * The type of an element. The numbers are those in the formats.
 *
 * Keys of an `oh_hashmap`: `U32`, `I32`, `F64`, `U64`, `I64`, `STRING`, `BYTES`. Its values: all.
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
   * `double`. As keys, all NaNs are one key, and -0.0 is 0.0.
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
   * Text: UTF-8, or WTF-8 where it has lone surrogates. NULs may occur.
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
   * JavaScript values, which are not in the region: from C only keys can be used.
   */
  OH_TYPE_ANY = 15,
} oh_type;

/**
 * A mapped file: made by `oh_binding_file_open`, freed by `oh_binding_file_close`.
 */
typedef struct oh_binding_file oh_binding_file;

/**
 * A file that a runtime brings into buffers of its own: made by `oh_binding_openfile_open`, freed
 * by `oh_binding_openfile_close`.
 */
typedef struct oh_binding_openfile oh_binding_openfile;

/**
 * The file of an `oh_mmapvector`, for a runtime that lays its elements into memory of its own:
 * made by `oh_binding_vectorfile_create` or `oh_binding_vectorfile_open`, freed by
 * `oh_binding_vectorfile_close`. Who uses it keeps the rule of the format: never store to an
 * element that the latest commit, or one under way, vouches for.
 */
typedef struct oh_binding_vectorfile oh_binding_vectorfile;

/**
 * A dictionary, prepared for use. Opaque.
 */
typedef struct oh_dictionary oh_dictionary;

/**
 * A view of a pool: made by `oh_fixedpool_attach`, freed by `oh_fixedpool_close`.
 */
typedef struct oh_fixedpool oh_fixedpool;

/**
 * One thread's handle: made by `oh_lockfreepool_attach`, freed by `oh_lockfreepool_close`.
 */
typedef struct oh_lockfreepool oh_lockfreepool;

/**
 * A file in memory: made by `oh_mappedfile_open`, freed by `oh_mappedfile_close`.
 */
typedef struct oh_mappedfile oh_mappedfile;

/**
 * A vector in a file: made by `oh_mmapvector_create` or `oh_mmapvector_open`, freed by
 * `oh_mmapvector_close`. One handle may write; others, in this process or in others, may read what
 * it flushed.
 */
typedef struct oh_mmapvector oh_mmapvector;

/**
 * A view of a pool: made by `oh_numapool_attach`, freed by `oh_numapool_close`.
 */
typedef struct oh_numapool oh_numapool;

/**
 * A vector that owns its memory, which is aligned to 64 bytes and grows by itself. One thread at a
 * time may use it.
 */
typedef struct oh_owned_vector oh_owned_vector;

/**
 * A store of records in memory of yours, with its dictionary prepared. Opaque.
 */
typedef struct oh_recordstore oh_recordstore;

/**
 * Records that are being compressed into a store. Opaque; for one thread at a time.
 */
typedef struct oh_recordstore_builder oh_recordstore_builder;

/**
 * A window over bytes, and its hash. Opaque; one thread at a time may use it.
 */
typedef struct oh_rollinghash oh_rollinghash;

/**
 * A small map. Made by `oh_standalone_smallmap_new`, freed by `oh_standalone_smallmap_free`.
 */
typedef struct oh_standalone_smallmap oh_standalone_smallmap;

/**
 * One thread's handle with a cache: made by `oh_threadlocalpool_attach`, freed by
 * `oh_threadlocalpool_close`.
 */
typedef struct oh_threadlocalpool oh_threadlocalpool;

/**
 * What the file of a vector is and holds.
 */
typedef struct oh_binding_vectorfile_info {
  /**
   * Type of the elements, an `oh_type`.
   */
  uint32_t element_type;
  /**
   * Whether opening met a commit that was cut short, and fell back to the one before.
   */
  bool recovered;
  /**
   * Elements committed.
   */
  uint64_t committed;
} oh_binding_vectorfile_info;

/**
 * What a bit vector holds.
 */
typedef struct oh_bitvector_info {
  /**
   * How many bits.
   */
  uint64_t count;
  /**
   * How many the region has room for.
   */
  uint64_t capacity;
  /**
   * Bytes of the region. The memory it lies in may be longer.
   */
  uint64_t region_size;
  /**
   * The bits: `capacity / 8` bytes, those from `len` on zero. Good until the region is made
   * longer.
   */
  const uint64_t *bits;
} oh_bitvector_info;

/**
 * What a Bloom filter was made for, and how large that made it.
 */
typedef struct oh_bloomfilter_info {
  /**
   * For how many keys.
   */
  uint64_t capacity;
  /**
   * At which rate of wrong answers, once there are so many.
   */
  double rate;
  /**
   * Blocks of 64 bytes, one of which is a key's.
   */
  uint64_t blocks;
  /**
   * Bytes of the region. The memory it lies in may be longer.
   */
  uint64_t region_size;
} oh_bloomfilter_info;

/**
 * A key, hashed. Good for filters with the same seeds.
 */
typedef struct oh_bloomfilter_hashed {
  /**
   * Chooses the block.
   */
  uint32_t block;
  /**
   * Chooses the bits in it.
   */
  uint32_t lanes;
} oh_bloomfilter_hashed;

/**
 * How an arena is made. Set `struct_size` to `sizeof(oh_bumparena_options)`, and what you do not
 * need to zero.
 */
typedef struct oh_bumparena_options {
  /**
   * `sizeof(oh_bumparena_options)`: so that later versions can add to the end.
   */
  size_t struct_size;
  /**
   * The largest alignment that will be asked for: a power of two from 8 to 4096; 0 means 64. The
   * data begins at a multiple of it.
   */
  uint32_t align;
  /**
   * Fill what is released with zeros.
   */
  bool zero_on_free;
  /**
   * Put 16 known bytes behind each block, and look at them when it is released.
   */
  bool guards;
} oh_bumparena_options;

/**
 * How far an arena was filled: what `oh_bumparena_release` goes back to. Its fields are the
 * library's.
 */
typedef struct oh_bumparena_mark {
  /**
   * Granules of 8 bytes taken.
   */
  uint32_t top;
  /**
   * The block allocated last.
   */
  uint32_t last;
  /**
   * Allocated blocks.
   */
  uint32_t blocks;
  /**
   * Resets before it.
   */
  uint32_t resets;
  /**
   * The mark around it.
   */
  uint32_t floor;
} oh_bumparena_mark;

/**
 * What an arena holds. Sizes are in bytes.
 */
typedef struct oh_bumparena_info {
  /**
   * Of the whole region: what would be saved. The memory may be longer.
   */
  uint64_t region_size;
  /**
   * Where the data begins, from the region's start: the address of offset 0.
   */
  uint64_t data;
  /**
   * Bytes that blocks can have in all.
   */
  uint64_t capacity;
  /**
   * Bytes taken, with what alignment and guards cost.
   */
  uint64_t used;
  /**
   * The most that has been.
   */
  uint64_t peak;
  /**
   * Allocated blocks.
   */
  uint32_t blocks;
  /**
   * Requests that found no room, modulo 2^32.
   */
  uint32_t failures;
  /**
   * How often it was reset, modulo 2^32.
   */
  uint32_t resets;
  /**
   * The largest alignment.
   */
  uint32_t align;
} oh_bumparena_info;

/**
 * How far a long operation has come, and whether it is to stop: begin with zeros. Another thread
 * may read `done` and `total`, and set `cancel`, while it runs (atomically, where its language
 * asks for that).
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
   * Steps done.
   */
  uint64_t done;
  /**
   * Steps in all; 0 before they are counted.
   */
  uint64_t total;
} oh_control;

/**
 * What a dictionary has.
 */
typedef struct oh_dictionary_info {
  /**
   * 64 bits that tell it from other dictionaries.
   */
  uint64_t identity;
  /**
   * Its region, which lives as long as the dictionary: what to write to a file.
   */
  const void *bytes;
  /**
   * Bytes of the region.
   */
  size_t region_size;
  /**
   * Bytes of text that matches refer to.
   */
  size_t content;
  /**
   * Strings that have a symbol of their own.
   */
  size_t phrases;
  /**
   * Contexts that choose the code of a symbol.
   */
  size_t contexts;
} oh_dictionary_info;

/**
 * What a store has.
 */
typedef struct oh_recordstore_info {
  /**
   * How many records.
   */
  uint64_t count;
  /**
   * Bytes of the compressed records.
   */
  uint64_t payload;
  /**
   * Bytes of the longest record, not compressed.
   */
  uint64_t longest;
  /**
   * Bytes of all records, not compressed.
   */
  uint64_t total;
  /**
   * Bytes of the region.
   */
  uint64_t region_size;
  /**
   * Bytes of its dictionary's region.
   */
  uint64_t dictionary_size;
  /**
   * The identity of its dictionary.
   */
  uint64_t identity;
} oh_recordstore_info;

/**
 * A position in bytes: set all three. Every read is checked against `size` first, whatever a
 * length in the bytes says; one that is refused leaves the position where it was.
 *
 * Reads give `OH_ERR_RANGE` past the end, and `OH_ERR_CORRUPT` for a varint or text that is none.
 * Whether a mapped file is still whole, `oh_mappedfile_check` tells.
 */
typedef struct oh_cursor {
  /**
   * The first byte.
   */
  const void *base;
  /**
   * How many bytes there are.
   */
  size_t size;
  /**
   * The position of the next read, in bytes from the first.
   */
  size_t position;
} oh_cursor;

/**
 * Text, where it lies: `length` bytes of UTF-8 at `data`, not ended by a NUL.
 */
typedef struct oh_text {
  /**
   * The first byte.
   */
  const char *data;
  /**
   * How many there are.
   */
  size_t length;
} oh_text;

/**
 * What a region of sorted integers holds.
 */
typedef struct oh_eliasfano_info {
  /**
   * How many values.
   */
  uint64_t count;
  /**
   * The largest; 0 if there is none.
   */
  uint64_t max;
  /**
   * Bits of each value that are stored as they are.
   */
  uint32_t low_bits;
  /**
   * Zero.
   */
  uint32_t reserved;
  /**
   * Bytes of the region. The memory it lies in may be longer.
   */
  uint64_t region_size;
} oh_eliasfano_info;

/**
 * A value and its index.
 */
typedef struct oh_eliasfano_entry {
  /**
   * Which it is, from 0 on, in ascending order.
   */
  uint64_t index;
  /**
   * The value.
   */
  uint64_t value;
} oh_eliasfano_entry;

/**
 * What a new pool is to be. Zero it and set `struct_size`.
 */
typedef struct oh_fixedpool_options {
  /**
   * `sizeof(oh_fixedpool_options)`
   */
  size_t struct_size;
  /**
   * Sizes of blocks, in bytes; rounded up to a multiple of 8 and of the next smaller size.
   */
  const uint64_t *sizes;
  /**
   * Room for so many blocks of each size at once.
   */
  const uint64_t *blocks;
  /**
   * How many sizes there are, 1 to 16.
   */
  size_t classes;
  /**
   * Fill blocks with zeros when they are freed.
   */
  bool zero_on_free;
  /**
   * Put 16 known bytes behind each block, and look at them when it is freed.
   */
  bool guards;
} oh_fixedpool_options;

/**
 * What a pool holds. Sizes are in bytes.
 */
typedef struct oh_fixedpool_stats {
  /**
   * Room for blocks in all.
   */
  uint64_t capacity;
  /**
   * In allocated blocks now.
   */
  uint64_t used;
  /**
   * The most that was ever in allocated blocks.
   */
  uint64_t peak;
  /**
   * How many blocks are allocated.
   */
  uint32_t blocks;
  /**
   * How many requests found no room, modulo 2^32.
   */
  uint32_t failures;
} oh_fixedpool_stats;

/**
 * A key and a value in a map. Numbers are pointed to in their column (aligned), strings and byte
 * sequences in the heap, without a closing NUL. Good until the map is rebuilt or cleared.
 */
typedef struct oh_hashmap_entry {
  /**
   * The key.
   */
  const void *key;
  /**
   * Its bytes.
   */
  size_t key_length;
  /**
   * The value; NULL for `OH_TYPE_ANY`.
   */
  const void *value;
  /**
   * Its bytes.
   */
  size_t value_length;
  /**
   * Index of the entry in the columns.
   */
  uint32_t position;
} oh_hashmap_entry;

/**
 * The columns of a map, in insertion order. Element i is an entry if bit i % 32 of `dead[i / 32]`
 * is 0. For strings and byte sequences the columns hold references of 32 bits. Good until the map
 * is rebuilt or cleared.
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
   * One bit for each entry: 1 if it was deleted.
   */
  const uint32_t *dead;
  /**
   * How many elements the columns have.
   */
  uint32_t used;
} oh_hashmap_columns;

/**
 * What a new map is to be. Begin with `OH_HASHMAP_OPTIONS(key, value, capacity)`, or zero it and
 * set `struct_size`.
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
   * Entries it can hold before it must be rebuilt: 1 to 1,369,020,825.
   */
  uint32_t capacity;
  /**
   * Key of the hash function. Both 0: random, so that nobody can choose keys that collide.
   */
  uint32_t seeds[2];
  /**
   * Bytes for strings and byte sequences, at most 2^34; 0 for a map that has neither. Each takes
   * its length, rounded up to a multiple of 4, and 4 more.
   */
  uint64_t heap_capacity;
} oh_hashmap_options;

/**
 * What a map is and holds.
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
   * Entries it can hold before it must be rebuilt.
   */
  uint32_t capacity;
  /**
   * Entries it holds.
   */
  uint32_t count;
  /**
   * Positions in use: those of the entries, and of deleted ones, until the next rebuild.
   */
  uint32_t used;
  /**
   * How many times entries changed their positions, modulo 2^32.
   */
  uint32_t moves;
  /**
   * Bytes for strings and byte sequences.
   */
  uint64_t heap_capacity;
  /**
   * How many of them are used.
   */
  uint64_t heap_used;
  /**
   * How many of those a rebuild would free.
   */
  uint64_t heap_garbage;
  /**
   * Bytes of the region. The memory it lies in may be longer.
   */
  uint64_t region_size;
} oh_hashmap_info;

/**
 * What a new pool is to be. Zero it, then set `struct_size` and `capacity`.
 */
typedef struct oh_lockfreepool_options {
  /**
   * `sizeof(oh_lockfreepool_options)`
   */
  size_t struct_size;
  /**
   * Bytes for blocks, up to 2^32; rounded up to whole chunks.
   */
  uint64_t capacity;
  /**
   * Bytes of a chunk, a power of two from 1 KiB to 1 MiB; 0: a 64th of the capacity, within
   * those limits.
   */
  uint64_t chunk;
  /**
   * Bytes of the smallest block, a power of two from 16 on; 0: 64, or 16 if compact.
   */
  uint64_t smallest;
  /**
   * How many handles there can be at once, up to 1023; 0: 128, or 32 if compact.
   */
  uint32_t handles;
  /**
   * Fill blocks with zeros when they are freed.
   */
  bool zero_on_free;
  /**
   * Put 16 known bytes behind each block, and look at them when it is freed.
   */
  bool guards;
  /**
   * Do not spread bookkeeping over cache lines: less memory, more contention.
   */
  bool compact;
} oh_lockfreepool_options;

/**
 * Where the words of a pool are. Those whose name ends in `_at` are indices of 32-bit words.
 */
typedef struct oh_lockfreepool_layout {
  /**
   * Where the data begins, in bytes.
   */
  uint64_t data;
  /**
   * Bytes of data.
   */
  uint64_t capacity;
  /**
   * The option word.
   */
  uint32_t options;
  /**
   * Bytes of a chunk: 2 to this.
   */
  uint32_t chunk_shift;
  /**
   * Bytes of the smallest block: 2 to this.
   */
  uint32_t min_shift;
  /**
   * Group words of a chunk: 2 to this.
   */
  uint32_t group_shift;
  /**
   * The number of this handle's slot.
   */
  uint32_t slot;
  /**
   * That slot.
   */
  uint32_t slot_at;
  /**
   * Descriptors of chunks.
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
   * Words of the groups' owners.
   */
  uint32_t caches_at;
  /**
   * How many words there are in all.
   */
  uint32_t words;
} oh_lockfreepool_layout;

/**
 * What a pool holds. Sizes are in bytes. Each number was right at a moment, not all at the same.
 */
typedef struct oh_lockfreepool_stats {
  /**
   * Room for blocks in all.
   */
  uint64_t capacity;
  /**
   * In allocated blocks.
   */
  uint64_t used;
  /**
   * In free blocks that caches hold.
   */
  uint64_t cached;
  /**
   * How many blocks are allocated.
   */
  uint64_t blocks;
  /**
   * How many requests found no room, modulo 2^32.
   */
  uint32_t failures;
  /**
   * How many handles there are.
   */
  uint32_t handles;
} oh_lockfreepool_stats;

/**
 * How a file is opened. Zero it, and set `struct_size` and `strategy`.
 */
typedef struct oh_mappedfile_options {
  /**
   * `sizeof(oh_mappedfile_options)`
   */
  size_t struct_size;
  /**
   * An `oh_strategy`; `OH_STRATEGY_AUTO` chooses by size.
   */
  uint32_t strategy;
  /**
   * An `oh_pattern`.
   */
  uint32_t pattern;
  /**
   * Open it for writing as well: what is stored reaches the file.
   */
  bool writable;
  /**
   * Have all pages in memory before it returns.
   */
  bool populate;
  /**
   * Keep them there.
   */
  bool lock;
  /**
   * Files up to this many bytes are read rather than mapped; 0: 64 KiB.
   */
  uint64_t buffered_up_to;
  /**
   * Files from this many bytes on are asked to use huge pages; 0: 16 MiB.
   */
  uint64_t huge_from;
} oh_mappedfile_options;

/**
 * How a vector uses its file. Zero it, set `struct_size`, and what you want to change.
 */
typedef struct oh_mmapvector_options {
  /**
   * `sizeof(oh_mmapvector_options)`
   */
  size_t struct_size;
  /**
   * Elements to allocate blocks of the disk for at once.
   */
  uint64_t capacity;
  /**
   * Bytes by which the file grows at least; 0: 64 KiB. In between it grows by half of its size.
   */
  uint64_t step_min;
  /**
   * Bytes by which it grows at most; 0: 64 MiB.
   */
  uint64_t step_max;
  /**
   * `OH_ADVICE_RANDOM`, `OH_ADVICE_SEQUENTIAL`, or 0 for no pattern.
   */
  uint32_t pattern;
  /**
   * Never grow past `capacity`: a push gives `OH_ERR_FULL` then.
   */
  bool fixed;
  /**
   * Have the pages there before they are stored to, so that no push waits for one.
   */
  bool populate;
} oh_mmapvector_options;

/**
 * What a vector is and holds.
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
   * Whether opening met a flush that was cut short, and fell back to the one before.
   */
  bool recovered;
  /**
   * Elements, those that were not flushed yet included.
   */
  uint64_t count;
  /**
   * Elements that would be there after a crash now.
   */
  uint64_t flushed;
  /**
   * Elements that fit before the file grows.
   */
  uint64_t capacity;
} oh_mmapvector_info;

/**
 * A NUMA node. The counters are the kernel's, in pages, of all processes since the machine
 * started.
 */
typedef struct oh_numa_node {
  /**
   * Its number. Numbers may have gaps.
   */
  uint32_t id;
  /**
   * How many logical processors are near. A node may have none: `oh_numa_cpus` lists them.
   */
  uint32_t cpu_count;
  /**
   * Bytes of memory in all. A node may have none.
   */
  uint64_t memory_bytes;
  /**
   * Bytes that are free at this moment.
   */
  uint64_t free_bytes;
  /**
   * Pages that were wanted here, and taken from here.
   */
  uint64_t hit;
  /**
   * Pages that were wanted elsewhere, and taken from here, for lack of room there.
   */
  uint64_t miss;
  /**
   * Pages that were wanted here, and taken from elsewhere.
   */
  uint64_t foreign;
  /**
   * Pages that were interleaved, wanted here, and taken from here.
   */
  uint64_t interleave_hit;
  /**
   * Pages taken from here by a thread that ran here.
   */
  uint64_t local;
  /**
   * Pages taken from here by a thread that ran elsewhere.
   */
  uint64_t other;
} oh_numa_node;

/**
 * What a new pool is to be. Zero it and set `struct_size`.
 */
typedef struct oh_numapool_options {
  /**
   * `sizeof(oh_numapool_options)`
   */
  size_t struct_size;
  /**
   * Where a request goes first: `OH_NUMA_NODE`, to the first node of the list; `OH_NUMA_LOCAL`,
   * to the node where the thread runs; `OH_NUMA_INTERLEAVE`, to all nodes in turns, block by
   * block. If there is no room, it goes to the nearest of the others.
   */
  uint32_t policy;
  /**
   * The numbers of the nodes, each once, 64 at most.
   */
  const uint32_t *nodes;
  /**
   * How many there are; 0: all that have memory.
   */
  size_t node_count;
  /**
   * Bytes of blocks on each node, up to 2^34; rounded up to a multiple of 64 KiB and of the
   * largest block, which has an eighth of it at least, and half at most.
   */
  uint64_t capacity;
  /**
   * Fill blocks with zeros when they are freed.
   */
  bool zero_on_free;
  /**
   * Put 16 known bytes behind each block, and look at them when it is freed.
   */
  bool guards;
} oh_numapool_options;

/**
 * What a pool holds. Sizes are in bytes.
 */
typedef struct oh_numapool_stats {
  /**
   * Room for blocks in all.
   */
  uint64_t capacity;
  /**
   * In allocated blocks now.
   */
  uint64_t used;
  /**
   * How many blocks are allocated.
   */
  uint64_t blocks;
  /**
   * Requests that were served where they were to be.
   */
  uint64_t hits;
  /**
   * Requests that were served on another node, for lack of room there.
   */
  uint64_t misses;
  /**
   * The largest request that can be served.
   */
  uint64_t largest;
  /**
   * How many nodes there are.
   */
  uint32_t nodes;
  /**
   * How many requests found no room on any of them, modulo 2^32.
   */
  uint32_t failures;
} oh_numapool_stats;

/**
 * What one node of a pool holds. Sizes are in bytes.
 */
typedef struct oh_numapool_node {
  /**
   * Its number.
   */
  uint32_t id;
  /**
   * How many blocks are allocated.
   */
  uint32_t blocks;
  /**
   * Room for blocks. The node's blocks have the offsets from `capacity` times its place in the
   * list on.
   */
  uint64_t capacity;
  /**
   * In allocated blocks now.
   */
  uint64_t used;
  /**
   * The most that was ever in allocated blocks.
   */
  uint64_t peak;
  /**
   * Requests that were to be served here, and were.
   */
  uint64_t hits;
  /**
   * Requests that were to be served elsewhere, and were served here, for lack of room there.
   */
  uint64_t misses;
  /**
   * Requests that were to be served here, and were served elsewhere.
   */
  uint64_t foreign;
  /**
   * If asked for: pages of the node's blocks that are on this node.
   */
  uint64_t pages_here;
  /**
   * Pages that are on another node.
   */
  uint64_t pages_elsewhere;
  /**
   * Pages that nobody has written to yet.
   */
  uint64_t pages_nowhere;
} oh_numapool_node;

/**
 * What a region of packed integers holds.
 */
typedef struct oh_packedints_info {
  /**
   * How many integers.
   */
  uint64_t count;
  /**
   * Bits of each.
   */
  uint32_t bits;
  /**
   * `OH_PACKEDINTS_…` flags.
   */
  uint32_t flags;
  /**
   * Bytes of the region. The memory it lies in may be longer.
   */
  uint64_t region_size;
} oh_packedints_info;

/**
 * What a region is, or is going to be.
 */
typedef struct oh_rankselect_info {
  /**
   * An `oh_rankselect_variant`.
   */
  uint32_t variant;
  /**
   * How many bits.
   */
  uint64_t count;
  /**
   * How many of them are ones.
   */
  uint64_t ones;
  /**
   * Bytes of the region: the bits, what helps to find them, header and padding.
   */
  uint64_t region_size;
} oh_rankselect_info;

/**
 * Where a search for a small hash ended.
 */
typedef struct oh_rollinghash_place {
  /**
   * How many of the bytes were taken in.
   */
  size_t end;
  /**
   * The hash of the window that ends there.
   */
  uint32_t hash;
  /**
   * Whether the search was for this hash; otherwise the bytes ended.
   */
  bool is_cut;
} oh_rollinghash_place;

/**
 * What a new arena is to be. Zero it and set `struct_size`.
 */
typedef struct oh_smallmap_arena_options {
  /**
   * `sizeof(oh_smallmap_arena_options)`
   */
  size_t struct_size;
  /**
   * Type of the keys: a number, or `OH_TYPE_STRING`.
   */
  uint32_t key_type;
  /**
   * Type of the values: a number, `OH_TYPE_BOOL` or `OH_TYPE_STRING`.
   */
  uint32_t value_type;
  /**
   * Maps it can hold before it must be rebuilt, if they have four entries each: 1 to 2^30.
   */
  uint32_t maps;
  /**
   * Key of the hash functions. Both 0: random, so that nobody can choose keys that collide.
   */
  uint32_t seeds[2];
} oh_smallmap_arena_options;

/**
 * What an arena is and holds.
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
   * Maps there are.
   */
  uint32_t maps;
  /**
   * How many of them have their entries in the table.
   */
  uint32_t promoted;
  /**
   * Maps it can hold.
   */
  uint32_t map_capacity;
  /**
   * Slots of 8 entries it can hold.
   */
  uint32_t block_capacity;
  /**
   * Entries of large maps it can hold.
   */
  uint32_t table_capacity;
  /**
   * Strings there are.
   */
  uint32_t strings;
  /**
   * Bytes of the region. The memory it lies in may be longer.
   */
  uint64_t region_size;
} oh_smallmap_arena_info;

/**
 * What must fit into an arena that is not in it yet; see `oh_smallmap_arena_make_room`.
 */
typedef struct oh_smallmap_arena_room {
  /**
   * `sizeof(oh_smallmap_arena_room)`
   */
  size_t struct_size;
  /**
   * Maps.
   */
  uint32_t maps;
  /**
   * Slots of 8 entries: what 1 map of 5 to 8 entries takes, or 2 of 3 or 4, or 4 of 1 or 2.
   */
  uint32_t blocks;
  /**
   * Entries of large maps: one for each, and 10 for the ninth entry of a map, which moves the
   * other 8.
   */
  uint32_t positions;
  /**
   * Strings.
   */
  uint32_t strings;
  /**
   * Their bytes: the length of each, rounded up to a multiple of 4, and 4 more.
   */
  uint64_t heap;
} oh_smallmap_arena_room;

/**
 * A key and a value of a small map: numbers aligned, strings and byte sequences without a closing
 * NUL. Good until the map is changed.
 */
typedef struct oh_standalone_smallmap_entry {
  /**
   * The key.
   */
  const void *key;
  /**
   * Its bytes.
   */
  size_t key_length;
  /**
   * The value.
   */
  const void *value;
  /**
   * Its bytes.
   */
  size_t value_length;
} oh_standalone_smallmap_entry;

/**
 * Suffixes that follow one another in the array.
 */
typedef struct oh_suffixarray_found {
  /**
   * The rank of the first.
   */
  uint64_t start;
  /**
   * How many.
   */
  uint64_t count;
} oh_suffixarray_found;

/**
 * What a vector is and holds.
 */
typedef struct oh_vector_info {
  /**
   * Type of the elements, an `oh_type`.
   */
  uint32_t element_type;
  /**
   * The first element; 256 bytes into the region.
   */
  void *data;
  /**
   * How many elements there are.
   */
  uint64_t count;
  /**
   * How many fit into the region.
   */
  uint64_t capacity;
  /**
   * Bytes of the region. The memory it lies in may be longer.
   */
  uint64_t region_size;
} oh_vector_info;

/**
 * A sum. Of integers it is exact, in 128 bits: `high` × 2^64 + `low`; `value` is that as a double.
 * Of floats only `value` has a meaning.
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
   * As a double.
   */
  double value;
} oh_sum;

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
 * The CRC-32C (Castagnoli; RFC 3720) of `length` bytes. `seed` is 0, or the result for the bytes
 * before these: so a checksum can be made in pieces. Uses the processor's instructions where it
 * has them.
 *
 * Another thread may write the bytes meanwhile; the result is then of no use.
 *
 * Requires: `length` bytes at `base` are readable.
 */
enum oh_status oh_crc32c(const void *base, size_t length, uint32_t seed, uint32_t *out);

/**
 * The checksum of the region at `base`, as word 8 of its header holds it: CRC-32C of all its
 * bytes, with the words `sequence`, `flags` and `checksum` taken as zero. `length` may be more
 * than the region uses. Checks what the header of every region has first, as `oh_region_check`
 * does.
 *
 * Requires: `length` bytes at `base` are readable.
 */
enum oh_status oh_region_checksum(const void *base, size_t length, uint32_t *out);

/**
 * Checks the common part of a region's header in constant time: magic, version, flags, and that
 * the region's own length is possible and not more than `length`. Gives the length, and the kind
 * of structure that lives there (1 is a HashMap), whose own check, `oh_hashmap_check` say, goes
 * further.
 *
 * `OH_ERR_CORRUPT`, `OH_ERR_VERSION`, or `OH_ERR_STALE` if its owner moved it to a larger buffer.
 *
 * Requires: `length` bytes at `base` are readable; `region_size` and `kind` are writable or NULL.
 */
enum oh_status oh_region_check(const void *base,
                               size_t length,
                               uint64_t *region_size,
                               uint32_t *kind);

/**
 * Gives the kernel one `OH_ADVICE_…` for the whole pages inside `length` bytes at `base`; bytes
 * outside whole pages are left alone. `taken` tells whether it was taken: no where there is no
 * whole page, or the system does not know the advice. `OH_ERR_RANGE` for a number that is no
 * advice.
 *
 * Requires: The bytes are mapped. With `OH_ADVICE_DISCARD` they are writable, and nobody minds that they
 * change.
 */
enum oh_status oh_region_advise(void *base, size_t length, uint32_t advice, bool *taken);

/**
 * Puts the whole pages inside `length` bytes at `base` on one NUMA node, those that are there now
 * and those that come when they are touched. The node is preferred, not forced: when it is full,
 * pages come from its neighbours. Less than a page has nothing to place, and is fine.
 *
 * `OH_ERR_RANGE` if there is no such node with memory (where the system has no NUMA, there is node
 * 0 only); `OH_ERR_UNSUPPORTED` where this is forbidden (as some containers do). `oh_numa_place`
 * can do more.
 *
 * Requires: The bytes are mapped.
 */
enum oh_status oh_region_bind(void *base, size_t length, uint32_t node);

/**
 * Maps the whole regular file at `path` (`path_length` bytes; UTF-8 on Windows), at the size it
 * has now. Pages are read when they are touched, so any size opens equally fast. The file may be
 * renamed or removed while it is mapped.
 *
 * Without `copy_on_write` the bytes are read-only: a store is a segmentation fault. With it they
 * can be written, and what is written stays in this mapping: the file never changes.
 *
 * If the file shrinks while it is mapped, reads of what is gone give zeros and
 * `oh_binding_file_lost` turns true, where otherwise SIGBUS would end the process. For that the
 * first call installs a handler for SIGBUS, on Unix; it passes every signal that does not concern
 * a mapped file on to the handler that was there before. Install your own before the first call,
 * or pass signals on too.
 *
 * `OH_ERR_IO` if it can not be opened or is no regular file; `OH_ERR_CORRUPT` if it is empty,
 * shorter than a region's header, or its size is not a multiple of 64; `OH_ERR_OOM` if it can not
 * be mapped for lack of memory or address space.
 *
 * Requires: `path_length` bytes at `path` are readable.
 */
enum oh_status oh_binding_file_open(const char *path,
                                    size_t path_length,
                                    bool copy_on_write,
                                    struct oh_binding_file **out);

/**
 * The first byte of the mapping; NULL after `oh_binding_file_unmap`. Page-aligned. Write to it
 * only if it was opened with `copy_on_write`.
 *
 * Requires: `file` is NULL, or a file that is open.
 */
void *oh_binding_file_data(const struct oh_binding_file *file);

/**
 * The number of bytes: that of the file when it was opened. 0 after `oh_binding_file_unmap`.
 *
 * Requires: `file` is NULL, or a file that is open.
 */
size_t oh_binding_file_size(const struct oh_binding_file *file);

/**
 * Whether the file shrank, or could not be read, while it was mapped: then some of the bytes are
 * zeros that were never in the file. Look after reading, not before.
 *
 * Requires: `file` is NULL, or a file that is open.
 */
bool oh_binding_file_lost(const struct oh_binding_file *file);

/**
 * The word behind `oh_binding_file_lost`: non-zero once it is lost. Read it atomically. It stays
 * where it is, and readable, until `oh_binding_file_close`. NULL for NULL.
 *
 * Requires: `file` is NULL, or a file that is open.
 */
const int32_t *oh_binding_file_status(const struct oh_binding_file *file);

/**
 * Moves the bytes to `target`, in the place of what is mapped there, in one step: so a file can
 * appear in memory that something else manages, a JavaScript buffer say. From then on they belong
 * to the owner of that memory, who frees them by unmapping the whole of it;
 * `oh_binding_file_unmap` puts zeros in their place, and `oh_binding_file_close` leaves them
 * alone.
 *
 * If `capacity` has room for a page more than the file takes, the last page is replaced too, by
 * zeros but for its last 8 bytes, which tell later whether the memory is still there. Do not write
 * to those. In return, reads of what the file loses give zeros for as long as the memory is there;
 * otherwise only until `oh_binding_file_close` or `oh_binding_file_forget`.
 *
 * `OH_ERR_RANGE` if `target` is no multiple of the page size, or `capacity` less than the length
 * in whole pages; `OH_ERR_UNSUPPORTED` where the system can not do it (all but Linux). Nothing has
 * changed then.
 *
 * Requires: `file` is open, with `copy_on_write`, and nobody uses its bytes meanwhile, or the old address
 * ever again. `capacity` bytes at `target` are mapped, writable, and given up by their owner.
 */
enum oh_status oh_binding_file_move(struct oh_binding_file *file, void *target, size_t capacity);

/**
 * Lets go of the bytes of a file that was moved, without touching them: for when the owner of
 * their memory frees it, has freed it, or keeps it for others. Unmaps them if it was not moved.
 * Twice is fine, and so is NULL.
 *
 * Requires: As for `oh_binding_file_unmap`.
 */
void oh_binding_file_forget(struct oh_binding_file *file);

/**
 * Unmaps the bytes and keeps the handle, for those who still look at its status. Twice is fine,
 * and so is NULL.
 *
 * Requires: `file` is NULL, or a file that is open; no thread uses its bytes, or the handle, meanwhile.
 */
void oh_binding_file_unmap(struct oh_binding_file *file);

/**
 * Unmaps the bytes and frees the handle. NULL is fine.
 *
 * Requires: `file` is NULL, or a file that is open, and is not used again.
 */
void oh_binding_file_close(struct oh_binding_file *file);

/**
 * Whether this process may make `count` more memory mappings and then have no more than `percent`
 * hundredths of what the system allows one (Linux: `vm.max_map_count`, 65,530 by default). If so
 * they count as made. For programs that keep many small mappings beside a library that can not
 * bear to be refused one. Always true where the system has no such limit, or does not say. Each
 * mapped file takes one.
 *
 * Requires: `granted` is writable.
 */
enum oh_status oh_binding_mappings_reserve(size_t count, uint32_t percent, bool *granted);

/**
 * How many files are mapped in this process: for tests that look for leaks.
 */
size_t oh_binding_file_mappings(void);

/**
 * Maps the whole regular file at `path` (`path_length` bytes; UTF-8 on Windows), at the size it
 * has now. Pages are read when they are touched, so any size opens equally fast. The file may be
 * renamed or removed while it is mapped.
 *
 * Without `copy_on_write` the bytes are read-only: a store is a segmentation fault. With it they
 * can be written, and what is written stays in this mapping: the file never changes.
 *
 * If the file shrinks while it is mapped, reads of what is gone give zeros and
 * `oh_binding_file_lost` turns true, where otherwise SIGBUS would end the process. For that the
 * first call installs a handler for SIGBUS, on Unix; it passes every signal that does not concern
 * a mapped file on to the handler that was there before. Install your own before the first call,
 * or pass signals on too.
 *
 * `OH_ERR_IO` if it can not be opened or is no regular file; `OH_ERR_CORRUPT` if it is empty,
 * shorter than a region's header, or its size is not a multiple of 64; `OH_ERR_OOM` if it can not
 * be mapped for lack of memory or address space.
 *
 * Requires: `path_length` bytes at `path` are readable.
 */
enum oh_status oh_binding_file_open(const char *path,
                                    size_t path_length,
                                    bool copy_on_write,
                                    struct oh_binding_file **out);

/**
 * The first byte of the mapping; NULL after `oh_binding_file_unmap`. Page-aligned. Write to it
 * only if it was opened with `copy_on_write`.
 *
 * Requires: `file` is NULL, or a file that is open.
 */
void *oh_binding_file_data(const struct oh_binding_file *file);

/**
 * The number of bytes: that of the file when it was opened. 0 after `oh_binding_file_unmap`.
 *
 * Requires: `file` is NULL, or a file that is open.
 */
size_t oh_binding_file_size(const struct oh_binding_file *file);

/**
 * Whether the file shrank, or could not be read, while it was mapped: then some of the bytes are
 * zeros that were never in the file. Look after reading, not before.
 *
 * Requires: `file` is NULL, or a file that is open.
 */
bool oh_binding_file_lost(const struct oh_binding_file *file);

/**
 * The word behind `oh_binding_file_lost`: non-zero once it is lost. Read it atomically. It stays
 * where it is, and readable, until `oh_binding_file_close`. NULL for NULL.
 *
 * Requires: `file` is NULL, or a file that is open.
 */
const int32_t *oh_binding_file_status(const struct oh_binding_file *file);

/**
 * Moves the bytes to `target`, in the place of what is mapped there, in one step: so a file can
 * appear in memory that something else manages, a JavaScript buffer say. From then on they belong
 * to the owner of that memory, who frees them by unmapping the whole of it;
 * `oh_binding_file_unmap` puts zeros in their place, and `oh_binding_file_close` leaves them
 * alone.
 *
 * If `capacity` has room for a page more than the file takes, the last page is replaced too, by
 * zeros but for its last 8 bytes, which tell later whether the memory is still there. Do not write
 * to those. In return, reads of what the file loses give zeros for as long as the memory is there;
 * otherwise only until `oh_binding_file_close` or `oh_binding_file_forget`.
 *
 * `OH_ERR_RANGE` if `target` is no multiple of the page size, or `capacity` less than the length
 * in whole pages; `OH_ERR_UNSUPPORTED` where the system can not do it (all but Linux). Nothing has
 * changed then.
 *
 * Requires: `file` is open, with `copy_on_write`, and nobody uses its bytes meanwhile, or the old address
 * ever again. `capacity` bytes at `target` are mapped, writable, and given up by their owner.
 */
enum oh_status oh_binding_file_move(struct oh_binding_file *file, void *target, size_t capacity);

/**
 * Lets go of the bytes of a file that was moved, without touching them: for when the owner of
 * their memory frees it, has freed it, or keeps it for others. Unmaps them if it was not moved.
 * Twice is fine, and so is NULL.
 *
 * Requires: As for `oh_binding_file_unmap`.
 */
void oh_binding_file_forget(struct oh_binding_file *file);

/**
 * Unmaps the bytes and keeps the handle, for those who still look at its status. Twice is fine,
 * and so is NULL.
 *
 * Requires: `file` is NULL, or a file that is open; no thread uses its bytes, or the handle, meanwhile.
 */
void oh_binding_file_unmap(struct oh_binding_file *file);

/**
 * Unmaps the bytes and frees the handle. NULL is fine.
 *
 * Requires: `file` is NULL, or a file that is open, and is not used again.
 */
void oh_binding_file_close(struct oh_binding_file *file);

/**
 * Whether this process may make `count` more memory mappings and then have no more than `percent`
 * hundredths of what the system allows one (Linux: `vm.max_map_count`, 65,530 by default). If so
 * they count as made. For programs that keep many small mappings beside a library that can not
 * bear to be refused one. Always true where the system has no such limit, or does not say. Each
 * mapped file takes one.
 *
 * Requires: `granted` is writable.
 */
enum oh_status oh_binding_mappings_reserve(size_t count, uint32_t percent, bool *granted);

/**
 * How many files are mapped in this process: for tests that look for leaks.
 */
size_t oh_binding_file_mappings(void);

/**
 * Opens the regular file at `path`. `strategy` and the limits are those of
 * `oh_mappedfile_options`.
 *
 * Requires: `path_length` bytes at `path` are readable, `out` is writable.
 */
enum oh_status oh_binding_openfile_open(const char *path,
                                        size_t path_length,
                                        bool writable,
                                        uint32_t strategy,
                                        uint64_t buffered_up_to,
                                        uint64_t huge_from,
                                        struct oh_binding_openfile **out);

/**
 * What there is and what to do with it: the size in bytes, a strategy (`OH_STRATEGY_HUGEPAGE` is a
 * wish), and what the address of a mapping should be a multiple of, for huge pages; 1 where any
 * page will do. With `look`, the file's size is asked for again.
 *
 * Requires: `file` is open and used by no one else meanwhile; the outputs are writable.
 */
enum oh_status oh_binding_openfile_plan(struct oh_binding_openfile *file,
                                        bool look,
                                        uint64_t *size,
                                        enum oh_strategy *strategy,
                                        size_t *alignment);

/**
 * Reads the first `length` bytes to `target`. `OH_ERR_IO` if the file has become shorter.
 *
 * Requires: `file` is open; `length` bytes at `target` are writable.
 */
enum oh_status oh_binding_openfile_read(const struct oh_binding_openfile *file,
                                        void *target,
                                        size_t length);

/**
 * Writes `length` bytes to the beginning of the file. `OH_ERR_UNSUPPORTED` if it was opened to be
 * read.
 *
 * Requires: `file` is open; `length` bytes at `source` are readable, and nobody writes them meanwhile.
 */
enum oh_status oh_binding_openfile_write(const struct oh_binding_openfile *file,
                                         const void *source,
                                         size_t length);

/**
 * Lays the first `length` bytes of the file at `base`, in place of what is mapped there, and tells
 * which strategy came of it. Called again with the same base and a larger `length`, it lays what
 * is missing. With another base, it lays all of it there, and forgets the mapping of before once
 * that was done. If the file is not open for writing, stores stay in this memory. `capacity`
 * bytes, whole pages, belong to the file from then on. The last page of them is replaced by zeros
 * but for its last 8 bytes, which tell whether the memory is still there: do not write to those.
 * In return, reads of what the file loses give zeros for as long as the memory is there.
 *
 * `OH_ERR_UNSUPPORTED` where the system can not do it; `OH_ERR_RANGE` for a base that is no
 * multiple of the page size; `OH_ERR_FULL` past `capacity`, or where the disk has no room for
 * holes. A mapping of before is as it was then.
 *
 * Requires: `file` is open and used by no one else meanwhile. `capacity` bytes at `base` are mapped, and
 * given up by their owner, who frees them by unmapping the whole.
 */
enum oh_status oh_binding_openfile_map(struct oh_binding_openfile *file,
                                       void *base,
                                       size_t capacity,
                                       size_t length,
                                       enum oh_strategy *strategy);

/**
 * The word that becomes non-zero once a part of the mapping could not be read: read it atomically.
 * It stays where it is until the file is closed. NULL before it is mapped.
 *
 * Requires: `file` is NULL or open.
 */
const int32_t *oh_binding_openfile_status(const struct oh_binding_openfile *file);

/**
 * `OH_ERR_IO` if the file is shorter now than what is mapped of it, or some of that could not be
 * read, so that zeros take its place. It asks the system for the file's size: look before and
 * after work on many bytes.
 *
 * Requires: `file` is open.
 */
enum oh_status oh_binding_openfile_check(const struct oh_binding_openfile *file);

/**
 * Forgets the mapping, which stays as it is: its owner frees it.
 *
 * Requires: `file` is NULL, or open and used by no one else meanwhile.
 */
void oh_binding_openfile_forget(struct oh_binding_openfile *file);

/**
 * Returns when what was stored is on the disk. `OH_ERR_UNSUPPORTED` if the file was opened to be
 * read.
 *
 * Requires: `file` is open.
 */
enum oh_status oh_binding_openfile_sync(const struct oh_binding_openfile *file);

/**
 * Closes the file. Its mapping stays. NULL is fine.
 *
 * Requires: `file` is NULL, or open and not used again.
 */
void oh_binding_openfile_close(struct oh_binding_openfile *file);

/**
 * As `oh_mmapvector_create`, without memory.
 *
 * Requires: `path_length` bytes at `path` are readable, `out` is writable.
 */
enum oh_status oh_binding_vectorfile_create(const char *path,
                                            size_t path_length,
                                            uint32_t element_type,
                                            struct oh_binding_vectorfile **out);

/**
 * As `oh_mmapvector_open`, without memory.
 *
 * Requires: `path_length` bytes at `path` are readable, `out` is writable.
 */
enum oh_status oh_binding_vectorfile_open(const char *path,
                                          size_t path_length,
                                          bool writable,
                                          struct oh_binding_vectorfile **out);

/**
 * What the file is and holds.
 *
 * Requires: `file` is open, `out` is writable.
 */
enum oh_status oh_binding_vectorfile_get_info(const struct oh_binding_vectorfile *file,
                                              struct oh_binding_vectorfile_info *out);

/**
 * Allocates blocks for `length` elements in all (a writer), and lays them at `base`, in place of
 * what is mapped there. Called again with the same base and a larger length, it lays what is
 * missing. `capacity` as in `oh_binding_openfile_map`. A reader's stores stay in its memory.
 *
 * `OH_ERR_FULL` if the disk is full, or `capacity` too small; nothing has changed then.
 *
 * Requires: As for `oh_binding_openfile_map`; other threads may commit meanwhile.
 */
enum oh_status oh_binding_vectorfile_map(struct oh_binding_vectorfile *file,
                                         void *base,
                                         size_t capacity,
                                         uint64_t length);

/**
 * As `oh_binding_openfile_status`.
 *
 * Requires: `file` is NULL or open.
 */
const int32_t *oh_binding_vectorfile_status(const struct oh_binding_vectorfile *file);

/**
 * As `oh_binding_openfile_forget`.
 *
 * Requires: As for `oh_binding_openfile_forget`; other threads may commit meanwhile.
 */
void oh_binding_vectorfile_forget(struct oh_binding_vectorfile *file);

/**
 * Makes the first `length` elements what survives a crash; returns when they do. From any thread,
 * one call at a time. Nobody may store to them meanwhile.
 *
 * `OH_ERR_IO` if the disk refuses, or the file was cut short: then the handle is of no more use,
 * and opening anew tells what is there.
 *
 * Requires: `file` is open.
 */
enum oh_status oh_binding_vectorfile_commit(const struct oh_binding_vectorfile *file,
                                            uint64_t length);

/**
 * For a writer: what was stored behind the first `length` elements may be forgotten, so that the
 * system can take other pages for it; the blocks of the disk stay. A wish: nothing tells whether
 * it was granted.
 *
 * Requires: `file` is open. No commit, made or under way, vouches for more than `length` elements, and
 * nobody stores behind them meanwhile.
 */
enum oh_status oh_binding_vectorfile_discard(const struct oh_binding_vectorfile *file,
                                             uint64_t length);

/**
 * For readers: looks whether the writer committed since. Gives the elements committed.
 *
 * Requires: `file` is open, `committed` is writable.
 */
enum oh_status oh_binding_vectorfile_refresh(const struct oh_binding_vectorfile *file,
                                             uint64_t *committed);

/**
 * Compares the committed elements with their checksum: O(bytes).
 *
 * Requires: `file` is open.
 */
enum oh_status oh_binding_vectorfile_validate(const struct oh_binding_vectorfile *file);

/**
 * Closes the file. Its mapping stays. NULL is fine.
 *
 * Requires: `file` is NULL, or open and not used again, by this thread or another.
 */
void oh_binding_vectorfile_close(struct oh_binding_vectorfile *file);

/**
 * Opens the regular file at `path`. `strategy` and the limits are those of
 * `oh_mappedfile_options`.
 *
 * Requires: `path_length` bytes at `path` are readable, `out` is writable.
 */
enum oh_status oh_binding_openfile_open(const char *path,
                                        size_t path_length,
                                        bool writable,
                                        uint32_t strategy,
                                        uint64_t buffered_up_to,
                                        uint64_t huge_from,
                                        struct oh_binding_openfile **out);

/**
 * What there is and what to do with it: the size in bytes, a strategy (`OH_STRATEGY_HUGEPAGE` is a
 * wish), and what the address of a mapping should be a multiple of, for huge pages; 1 where any
 * page will do. With `look`, the file's size is asked for again.
 *
 * Requires: `file` is open and used by no one else meanwhile; the outputs are writable.
 */
enum oh_status oh_binding_openfile_plan(struct oh_binding_openfile *file,
                                        bool look,
                                        uint64_t *size,
                                        enum oh_strategy *strategy,
                                        size_t *alignment);

/**
 * Reads the first `length` bytes to `target`. `OH_ERR_IO` if the file has become shorter.
 *
 * Requires: `file` is open; `length` bytes at `target` are writable.
 */
enum oh_status oh_binding_openfile_read(const struct oh_binding_openfile *file,
                                        void *target,
                                        size_t length);

/**
 * Writes `length` bytes to the beginning of the file. `OH_ERR_UNSUPPORTED` if it was opened to be
 * read.
 *
 * Requires: `file` is open; `length` bytes at `source` are readable, and nobody writes them meanwhile.
 */
enum oh_status oh_binding_openfile_write(const struct oh_binding_openfile *file,
                                         const void *source,
                                         size_t length);

/**
 * Lays the first `length` bytes of the file at `base`, in place of what is mapped there, and tells
 * which strategy came of it. Called again with the same base and a larger `length`, it lays what
 * is missing. With another base, it lays all of it there, and forgets the mapping of before once
 * that was done. If the file is not open for writing, stores stay in this memory. `capacity`
 * bytes, whole pages, belong to the file from then on. The last page of them is replaced by zeros
 * but for its last 8 bytes, which tell whether the memory is still there: do not write to those.
 * In return, reads of what the file loses give zeros for as long as the memory is there.
 *
 * `OH_ERR_UNSUPPORTED` where the system can not do it; `OH_ERR_RANGE` for a base that is no
 * multiple of the page size; `OH_ERR_FULL` past `capacity`, or where the disk has no room for
 * holes. A mapping of before is as it was then.
 *
 * Requires: `file` is open and used by no one else meanwhile. `capacity` bytes at `base` are mapped, and
 * given up by their owner, who frees them by unmapping the whole.
 */
enum oh_status oh_binding_openfile_map(struct oh_binding_openfile *file,
                                       void *base,
                                       size_t capacity,
                                       size_t length,
                                       enum oh_strategy *strategy);

/**
 * The word that becomes non-zero once a part of the mapping could not be read: read it atomically.
 * It stays where it is until the file is closed. NULL before it is mapped.
 *
 * Requires: `file` is NULL or open.
 */
const int32_t *oh_binding_openfile_status(const struct oh_binding_openfile *file);

/**
 * `OH_ERR_IO` if the file is shorter now than what is mapped of it, or some of that could not be
 * read, so that zeros take its place. It asks the system for the file's size: look before and
 * after work on many bytes.
 *
 * Requires: `file` is open.
 */
enum oh_status oh_binding_openfile_check(const struct oh_binding_openfile *file);

/**
 * Forgets the mapping, which stays as it is: its owner frees it.
 *
 * Requires: `file` is NULL, or open and used by no one else meanwhile.
 */
void oh_binding_openfile_forget(struct oh_binding_openfile *file);

/**
 * Returns when what was stored is on the disk. `OH_ERR_UNSUPPORTED` if the file was opened to be
 * read.
 *
 * Requires: `file` is open.
 */
enum oh_status oh_binding_openfile_sync(const struct oh_binding_openfile *file);

/**
 * Closes the file. Its mapping stays. NULL is fine.
 *
 * Requires: `file` is NULL, or open and not used again.
 */
void oh_binding_openfile_close(struct oh_binding_openfile *file);

/**
 * As `oh_mmapvector_create`, without memory.
 *
 * Requires: `path_length` bytes at `path` are readable, `out` is writable.
 */
enum oh_status oh_binding_vectorfile_create(const char *path,
                                            size_t path_length,
                                            uint32_t element_type,
                                            struct oh_binding_vectorfile **out);

/**
 * As `oh_mmapvector_open`, without memory.
 *
 * Requires: `path_length` bytes at `path` are readable, `out` is writable.
 */
enum oh_status oh_binding_vectorfile_open(const char *path,
                                          size_t path_length,
                                          bool writable,
                                          struct oh_binding_vectorfile **out);

/**
 * What the file is and holds.
 *
 * Requires: `file` is open, `out` is writable.
 */
enum oh_status oh_binding_vectorfile_get_info(const struct oh_binding_vectorfile *file,
                                              struct oh_binding_vectorfile_info *out);

/**
 * Allocates blocks for `length` elements in all (a writer), and lays them at `base`, in place of
 * what is mapped there. Called again with the same base and a larger length, it lays what is
 * missing. `capacity` as in `oh_binding_openfile_map`. A reader's stores stay in its memory.
 *
 * `OH_ERR_FULL` if the disk is full, or `capacity` too small; nothing has changed then.
 *
 * Requires: As for `oh_binding_openfile_map`; other threads may commit meanwhile.
 */
enum oh_status oh_binding_vectorfile_map(struct oh_binding_vectorfile *file,
                                         void *base,
                                         size_t capacity,
                                         uint64_t length);

/**
 * As `oh_binding_openfile_status`.
 *
 * Requires: `file` is NULL or open.
 */
const int32_t *oh_binding_vectorfile_status(const struct oh_binding_vectorfile *file);

/**
 * As `oh_binding_openfile_forget`.
 *
 * Requires: As for `oh_binding_openfile_forget`; other threads may commit meanwhile.
 */
void oh_binding_vectorfile_forget(struct oh_binding_vectorfile *file);

/**
 * Makes the first `length` elements what survives a crash; returns when they do. From any thread,
 * one call at a time. Nobody may store to them meanwhile.
 *
 * `OH_ERR_IO` if the disk refuses, or the file was cut short: then the handle is of no more use,
 * and opening anew tells what is there.
 *
 * Requires: `file` is open.
 */
enum oh_status oh_binding_vectorfile_commit(const struct oh_binding_vectorfile *file,
                                            uint64_t length);

/**
 * For a writer: what was stored behind the first `length` elements may be forgotten, so that the
 * system can take other pages for it; the blocks of the disk stay. A wish: nothing tells whether
 * it was granted.
 *
 * Requires: `file` is open. No commit, made or under way, vouches for more than `length` elements, and
 * nobody stores behind them meanwhile.
 */
enum oh_status oh_binding_vectorfile_discard(const struct oh_binding_vectorfile *file,
                                             uint64_t length);

/**
 * For readers: looks whether the writer committed since. Gives the elements committed.
 *
 * Requires: `file` is open, `committed` is writable.
 */
enum oh_status oh_binding_vectorfile_refresh(const struct oh_binding_vectorfile *file,
                                             uint64_t *committed);

/**
 * Compares the committed elements with their checksum: O(bytes).
 *
 * Requires: `file` is open.
 */
enum oh_status oh_binding_vectorfile_validate(const struct oh_binding_vectorfile *file);

/**
 * Closes the file. Its mapping stays. NULL is fine.
 *
 * Requires: `file` is NULL, or open and not used again, by this thread or another.
 */
void oh_binding_vectorfile_close(struct oh_binding_vectorfile *file);

/**
 * Bytes of memory that a bit vector with room for so many bits takes. `OH_ERR_RANGE` above 2^40.
 *
 * Requires: `out` is writable.
 */
enum oh_status oh_bitvector_region_size(uint64_t capacity, size_t *out);

/**
 * Makes a bit vector of `bits` zeros in `length` bytes at `base`, at least
 * `oh_bitvector_region_size`. What they held is overwritten.
 *
 * The memory stays yours: it has no pointers in it, so it can be copied, saved and mapped
 * elsewhere.
 *
 * Requires: `base` is valid for writing `length` bytes that no other thread uses.
 */
enum oh_status oh_bitvector_init(void *base, size_t length, uint64_t bits);

/**
 * Checks in constant time that the memory holds a bit vector. After `OH_OK` no function here reads
 * or writes outside it, whatever else it holds; and each checks the same again by itself.
 *
 * Requires: `base` is valid for reading `length` bytes.
 */
enum oh_status oh_bitvector_check(const void *base, size_t length);

/**
 * Proves that all contents are sound. O(bytes). `OH_ERR_CORRUPT` says, through `oh_last_error`,
 * what is wrong first.
 *
 * Requires: `base` is valid for reading `length` bytes.
 */
enum oh_status oh_bitvector_validate(const void *base, size_t length);

/**
 * What the region holds.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_bitvector_get_info(const void *base,
                                     size_t length,
                                     struct oh_bitvector_info *out);

/**
 * Whether a bit is set. `OH_ERR_RANGE` past the end.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_bitvector_get(const void *base, size_t length, uint64_t index, bool *out);

/**
 * Sets a bit to a value. `OH_ERR_RANGE` past the end.
 *
 * Requires: `base` is valid for reading and writing `length` bytes that no other thread writes.
 */
enum oh_status oh_bitvector_set(void *base, size_t length, uint64_t index, bool bit);

/**
 * Inverts a bit; `out`, unless it is NULL, tells what it is then. `OH_ERR_RANGE` past the end.
 *
 * Requires: As for `oh_bitvector_set`; `out` is writable or NULL.
 */
enum oh_status oh_bitvector_flip(void *base, size_t length, uint64_t index, bool *out);

/**
 * Appends a bit. `OH_ERR_FULL` where the region has no room: give it more with
 * `oh_bitvector_set_capacity`.
 *
 * Requires: As for `oh_bitvector_set`.
 */
enum oh_status oh_bitvector_push(void *base, size_t length, bool bit);

/**
 * Makes the vector longer, by zeros, or shorter. `OH_ERR_FULL` if its region has no room for that.
 *
 * Requires: As for `oh_bitvector_set`.
 */
enum oh_status oh_bitvector_set_count(void *base, size_t length, uint64_t len);

/**
 * Gives the region room for so many bits, at least as many as there are. `length` must be at least
 * `oh_bitvector_region_size(capacity)` then (else `OH_ERR_FULL`): so copy the region to longer
 * memory first, or `realloc` it.
 *
 * Requires: As for `oh_bitvector_set`.
 */
enum oh_status oh_bitvector_set_capacity(void *base, size_t length, uint64_t capacity);

/**
 * The length of the shortest bit vector that has all of these positions: one more than the
 * largest. `type` is an `oh_type`.
 *
 * Requires: `positions` points to `count` elements of the type, `out` is writable.
 */
enum oh_status oh_bitvector_count_for(const void *positions,
                                      uint32_t type,
                                      size_t count,
                                      uint64_t *out);

/**
 * Gives the bits at `count` positions one value. `type` is an `oh_type`, any numeric one.
 * `OH_ERR_RANGE`, with nothing changed, if one is no position.
 *
 * Requires: As for `oh_bitvector_set`; `positions` points to `count` elements of the type.
 */
enum oh_status oh_bitvector_set_many(void *base,
                                     size_t length,
                                     const void *positions,
                                     uint32_t type,
                                     size_t count,
                                     bool bit);

/**
 * Copies bytes over the first bits, eight bits from each, the lowest first.
 *
 * Requires: As for `oh_bitvector_set`; `bytes` points to `count` bytes.
 */
enum oh_status oh_bitvector_load(void *base, size_t length, const void *bytes, size_t count);

/**
 * How many ones there are from position `from` to before `to`.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_bitvector_count_ones(const void *base,
                                       size_t length,
                                       uint64_t from,
                                       uint64_t to,
                                       uint64_t *out);

/**
 * Gives all bits from position `from` to before `to` one value.
 *
 * Requires: As for `oh_bitvector_set`.
 */
enum oh_status oh_bitvector_fill(void *base, size_t length, uint64_t from, uint64_t to, bool bit);

/**
 * Inverts all bits from position `from` to before `to`.
 *
 * Requires: As for `oh_bitvector_set`.
 */
enum oh_status oh_bitvector_invert(void *base, size_t length, uint64_t from, uint64_t to);

/**
 * Combines the bits from position `from` to before `to` with those of another bit vector at the
 * same positions, by an `oh_bitvector_op`, and changes no other bit. Past its end the other one
 * counts as zeros. It may be the same region.
 *
 * Requires: As for `oh_bitvector_set`; `other` is valid for reading `other_length` bytes.
 */
enum oh_status oh_bitvector_combine(void *base,
                                    size_t length,
                                    uint32_t op,
                                    const void *other,
                                    size_t other_length,
                                    uint64_t from,
                                    uint64_t to);

/**
 * The position of the first one (`bit` true) or zero at `from` or after it; `OH_BITVECTOR_NONE` if
 * there is none.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_bitvector_next(const void *base,
                                 size_t length,
                                 uint64_t from,
                                 bool bit,
                                 uint64_t *out);

/**
 * Writes the positions of ones, in order, from `from` on: `room` at the most. `written` tells how
 * many. `out_type` is an `oh_type`, a numeric one that holds every position.
 *
 * Requires: `base` is valid for reading `length` bytes; `out` points to `room` elements of its type,
 * writable and used by nobody else; `written` is writable.
 */
enum oh_status oh_bitvector_ones(const void *base,
                                 size_t length,
                                 uint64_t from,
                                 void *out,
                                 uint32_t out_type,
                                 size_t room,
                                 size_t *written);

/**
 * Bytes of memory for a filter of `capacity` keys, at a rate of wrong answers of more than 0 and
 * less than 1. `OH_ERR_RANGE` where they are more than 4 GiB.
 *
 * Requires: `out` is writable.
 */
enum oh_status oh_bloomfilter_region_size(uint64_t capacity, double rate, size_t *out);

/**
 * Makes an empty filter in `length` bytes at `base`, at least `oh_bloomfilter_region_size`, else
 * `OH_ERR_FULL`. What they held is overwritten. Hashes depend on the seeds: any two words; random
 * ones where keys may come from strangers.
 *
 * Requires: `base` is valid for writing `length` bytes that no other thread uses.
 */
enum oh_status oh_bloomfilter_init(void *base,
                                   size_t length,
                                   uint64_t capacity,
                                   double rate,
                                   uint32_t seed0,
                                   uint32_t seed1);

/**
 * Checks in constant time that the memory holds a Bloom filter. After `OH_OK` no function here
 * reads or writes outside it, whatever else it holds; and each checks the same again by itself.
 *
 * Requires: `base` is valid for reading `length` bytes.
 */
enum oh_status oh_bloomfilter_check(const void *base, size_t length);

/**
 * Proves what `oh_bloomfilter_check` does not: the checksum, if there is one, and the header.
 * O(bytes).
 *
 * Requires: As for `oh_bloomfilter_check`.
 */
enum oh_status oh_bloomfilter_validate(const void *base, size_t length);

/**
 * What the filter was made for.
 *
 * Requires: As for `oh_bloomfilter_check`; `out` is writable.
 */
enum oh_status oh_bloomfilter_get_info(const void *base,
                                       size_t length,
                                       struct oh_bloomfilter_info *out);

/**
 * How many bits are set, of `512 * blocks`. O(bytes).
 *
 * Requires: As for `oh_bloomfilter_check`; `out` is writable.
 */
enum oh_status oh_bloomfilter_ones(const void *base, size_t length, uint64_t *out);

/**
 * Hashes a key of bytes; a string is its UTF-8.
 *
 * Requires: As for `oh_bloomfilter_check`; `key` points to `key_length` bytes, `out` is writable.
 */
enum oh_status oh_bloomfilter_hash(const void *base,
                                   size_t length,
                                   const void *key,
                                   size_t key_length,
                                   struct oh_bloomfilter_hashed *out);

/**
 * Adds a key of bytes; a string is its UTF-8.
 *
 * Requires: `base` is valid for reading and writing `length` bytes, which no other thread writes; `key`
 * points to `key_length` bytes.
 */
enum oh_status oh_bloomfilter_add(void *base, size_t length, const void *key, size_t key_length);

/**
 * Whether a key of bytes was added; at the filter's rate also where it was not.
 *
 * Requires: As for `oh_bloomfilter_hash`.
 */
enum oh_status oh_bloomfilter_has(const void *base,
                                  size_t length,
                                  const void *key,
                                  size_t key_length,
                                  bool *out);

/**
 * Adds `count` numbers, as the doubles that they are; −0 is 0, and all NaNs are one. `type` is the
 * `oh_type` of the array's elements: a numeric one but `OH_TYPE_U64` and `OH_TYPE_I64`
 * (`OH_ERR_TYPE`), of which not all are doubles.
 *
 * Requires: As for `oh_bloomfilter_add`; `keys` points to `count` elements of the type.
 */
enum oh_status oh_bloomfilter_add_numbers(void *base,
                                          size_t length,
                                          const void *keys,
                                          uint32_t type,
                                          size_t count);

/**
 * `oh_bloomfilter_has` of `count` numbers: `out[i]` is 1 or 0 for `keys[i]`.
 *
 * Requires: As for `oh_bloomfilter_check`; `keys` points to `count` elements of the type, and `out` to as
 * many bytes, writable, that nobody else uses.
 */
enum oh_status oh_bloomfilter_has_numbers(const void *base,
                                          size_t length,
                                          const void *keys,
                                          uint32_t type,
                                          size_t count,
                                          uint8_t *out);

/**
 * Adds `count` keys that `oh_bloomfilter_hash` hashed.
 *
 * Requires: As for `oh_bloomfilter_add`; `keys` points to `count` hashes that nobody writes.
 */
enum oh_status oh_bloomfilter_add_hashed(void *base,
                                         size_t length,
                                         const struct oh_bloomfilter_hashed *keys,
                                         size_t count);

/**
 * `oh_bloomfilter_has` of `count` keys that `oh_bloomfilter_hash` hashed: `out[i]` is 1 or 0 for
 * `keys[i]`.
 *
 * Requires: As for `oh_bloomfilter_check`; `keys` points to `count` hashes that nobody writes, and `out` to
 * as many bytes, writable, that nobody else uses.
 */
enum oh_status oh_bloomfilter_has_hashed(const void *base,
                                         size_t length,
                                         const struct oh_bloomfilter_hashed *keys,
                                         size_t count,
                                         uint8_t *out);

/**
 * Makes an empty arena in `length` bytes at `base`, a multiple of 8: offsets are aligned addresses
 * where `base` is a multiple of the largest alignment. It can be made longer later: see
 * `oh_bumparena_extend`. Blocks hold what was in the memory before. `options` may be NULL.
 *
 * `OH_ERR_FULL` if the bytes are too few (256 and the alignment are for the header);
 * `OH_ERR_RANGE` for an alignment that can not be.
 *
 * Requires: `length` bytes at `base` are writable, and nobody else uses them; `options` is NULL, or points
 * to as many bytes as its `struct_size` says.
 */
enum oh_status oh_bumparena_init(void *base,
                                 size_t length,
                                 const struct oh_bumparena_options *options);

/**
 * The check that every call here makes: in constant time, that there is an arena in these bytes.
 *
 * Requires: `length` bytes at `base` are readable.
 */
enum oh_status oh_bumparena_check(const void *base, size_t length);

/**
 * Takes in that the memory behind the arena is `length` bytes long now, perhaps at another
 * address, with the same bytes: blocks, offsets and marks stay. `OH_ERR_RANGE` if it would get
 * shorter.
 *
 * Requires: `length` bytes at `base` are writable; one thread at a time changes an arena.
 */
enum oh_status oh_bumparena_extend(void *base, size_t length);

/**
 * A block of `bytes` bytes at a multiple of `align` (a power of two; less than 8 is as good as 8):
 * its offset from the arena's data, which `oh_bumparena_data` tells. A block of 0 bytes has an
 * offset of its own, too.
 *
 * `OH_ERR_FULL` where there is no room; `OH_ERR_RANGE` for an alignment that is no power of two,
 * or more than the arena was made for.
 *
 * Requires: `length` bytes at `base` are writable; one thread at a time changes an arena; `offset` is
 * writable.
 */
enum oh_status oh_bumparena_alloc(void *base,
                                  size_t length,
                                  uint64_t bytes,
                                  uint32_t align,
                                  uint64_t *offset);

/**
 * The address of offset 0. It stays while the region does.
 *
 * Requires: `length` bytes at `base` are readable; `data` is writable.
 */
enum oh_status oh_bumparena_data(const void *base, size_t length, void **data);

/**
 * Gives the block back that was allocated last, since the innermost mark; any other one stays
 * until it is released.
 *
 * `OH_ERR_STALE` for one that was released already, `OH_ERR_RANGE` for an offset where no block
 * can begin. With guards every block is checked: `OH_ERR_STALE` for one that was freed before,
 * `OH_ERR_CORRUPT` for one that was overrun, which stays. Without them an offset in the middle of
 * a block is not noticed.
 *
 * Requires: As for `oh_bumparena_extend`.
 */
enum oh_status oh_bumparena_free(void *base, size_t length, uint64_t offset);

/**
 * How far the arena is filled now: a scope begins. Scopes nest.
 *
 * Requires: As for `oh_bumparena_extend`; `mark` is writable.
 */
enum oh_status oh_bumparena_begin(void *base, size_t length, struct oh_bumparena_mark *mark);

/**
 * Gives back everything that was allocated since the mark was made. Scopes end in the opposite
 * order, or only the outer one does. O(1); with zeros or guards O(bytes).
 *
 * `OH_ERR_STALE` for a mark from before a reset, or inside one that was released. `OH_ERR_CORRUPT`
 * where guards show that a block was overrun: everything is released all the same.
 *
 * Requires: As for `oh_bumparena_extend`; `mark` is readable.
 */
enum oh_status oh_bumparena_release(void *base,
                                    size_t length,
                                    const struct oh_bumparena_mark *mark);

/**
 * Gives everything back. O(1); with zeros or guards O(bytes). `OH_ERR_CORRUPT` as for
 * `oh_bumparena_release`.
 *
 * Requires: As for `oh_bumparena_extend`.
 */
enum oh_status oh_bumparena_reset(void *base, size_t length);

/**
 * Counts and sizes.
 *
 * Requires: `length` bytes at `base` are readable; `info` is writable.
 */
enum oh_status oh_bumparena_get_info(const void *base,
                                     size_t length,
                                     struct oh_bumparena_info *info);

/**
 * Proves that the arena's words can be, and with guards that every record and guard is whole.
 * `OH_ERR_CORRUPT`.
 *
 * Requires: `length` bytes at `base` are readable.
 */
enum oh_status oh_bumparena_validate(const void *base, size_t length);

/**
 * Compresses `length` bytes into `out`, which has room for at least one byte more: that is the
 * most they can take. `level` is 1 (fastest) to 9 (smallest). Less than 2^31 bytes.
 *
 * Requires: `dictionary` is one that was not freed; `text` is readable for `length` bytes, `out` writable
 * for `capacity`; they do not overlap; `written` is writable.
 */
enum oh_status oh_compress(const struct oh_dictionary *dictionary,
                           uint32_t level,
                           const uint8_t *text,
                           size_t length,
                           uint8_t *out,
                           size_t capacity,
                           size_t *written);

/**
 * Decompresses what `oh_compress` made with the same dictionary. `OH_ERR_CORRUPT` for bytes of
 * another dictionary, or damaged ones, `OH_ERR_FULL` where they take more than `capacity`. Never
 * reads or writes outside, whatever the bytes are, and takes memory as it is needed. Of `out` any
 * byte may be written, behind the result and where it fails, too; it is fastest with 64 bytes more
 * than the result has.
 *
 * Requires: `dictionary` is one that was not freed; `bytes` is readable for `length` bytes, `out` writable
 * for `capacity`; they do not overlap; `written` is writable.
 */
enum oh_status oh_decompress(const struct oh_dictionary *dictionary,
                             const uint8_t *bytes,
                             size_t length,
                             uint8_t *out,
                             size_t capacity,
                             size_t *written);

/**
 * Trains a dictionary on `count` samples, which lie in `text` one after another: sample i ends
 * before byte `ends[i]`, a whole number. `max_bytes` is the most that its region may have, from
 * `OH_DICTIONARY_MIN_BYTES` on; 0 finds out by itself how much helps. The same samples give the
 * same dictionary. Any samples will do, none included.
 *
 * With a `control` it can be stopped from another thread; then `*out` is NULL.
 *
 * Requires: `text` is readable for `length` bytes, `ends` for `count` numbers; `control` is NULL, or lives
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
 * A dictionary out of its region's bytes, which are copied. `OH_ERR_CORRUPT` or `OH_ERR_VERSION`
 * for other bytes. Some 0.1 ms for 112 KiB.
 *
 * Requires: `base` is readable for `length` bytes; `out` is writable.
 */
enum oh_status oh_dictionary_open(const void *base, size_t length, struct oh_dictionary **out);

/**
 * Gives a dictionary back. `NULL` is nothing.
 *
 * Requires: `dictionary` is not used again.
 */
void oh_dictionary_free(struct oh_dictionary *dictionary);

/**
 * What a dictionary has, and where its region lies.
 *
 * Requires: `dictionary` is one that was not freed; `out` is writable.
 */
enum oh_status oh_dictionary_get_info(const struct oh_dictionary *dictionary,
                                      struct oh_dictionary_info *out);

/**
 * Proves what opening does not: the checksum, if there is one, and that what has no meaning is
 * zero.
 *
 * Requires: `dictionary` is one that was not freed.
 */
enum oh_status oh_dictionary_validate(const struct oh_dictionary *dictionary);

/**
 * Compresses `length` bytes into `out`, which has room for at least one byte more: that is the
 * most they can take. `level` is 1 (fastest) to 9 (smallest). Less than 2^31 bytes.
 *
 * Requires: `dictionary` is one that was not freed; `text` is readable for `length` bytes, `out` writable
 * for `capacity`; they do not overlap; `written` is writable.
 */
enum oh_status oh_compress(const struct oh_dictionary *dictionary,
                           uint32_t level,
                           const uint8_t *text,
                           size_t length,
                           uint8_t *out,
                           size_t capacity,
                           size_t *written);

/**
 * Decompresses what `oh_compress` made with the same dictionary. `OH_ERR_CORRUPT` for bytes of
 * another dictionary, or damaged ones, `OH_ERR_FULL` where they take more than `capacity`. Never
 * reads or writes outside, whatever the bytes are, and takes memory as it is needed. Of `out` any
 * byte may be written, behind the result and where it fails, too; it is fastest with 64 bytes more
 * than the result has.
 *
 * Requires: `dictionary` is one that was not freed; `bytes` is readable for `length` bytes, `out` writable
 * for `capacity`; they do not overlap; `written` is writable.
 */
enum oh_status oh_decompress(const struct oh_dictionary *dictionary,
                             const uint8_t *bytes,
                             size_t length,
                             uint8_t *out,
                             size_t capacity,
                             size_t *written);

/**
 * Trains a dictionary on `count` samples, which lie in `text` one after another: sample i ends
 * before byte `ends[i]`, a whole number. `max_bytes` is the most that its region may have, from
 * `OH_DICTIONARY_MIN_BYTES` on; 0 finds out by itself how much helps. The same samples give the
 * same dictionary. Any samples will do, none included.
 *
 * With a `control` it can be stopped from another thread; then `*out` is NULL.
 *
 * Requires: `text` is readable for `length` bytes, `ends` for `count` numbers; `control` is NULL, or lives
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
 * A dictionary out of its region's bytes, which are copied. `OH_ERR_CORRUPT` or `OH_ERR_VERSION`
 * for other bytes. Some 0.1 ms for 112 KiB.
 *
 * Requires: `base` is readable for `length` bytes; `out` is writable.
 */
enum oh_status oh_dictionary_open(const void *base, size_t length, struct oh_dictionary **out);

/**
 * Gives a dictionary back. `NULL` is nothing.
 *
 * Requires: `dictionary` is not used again.
 */
void oh_dictionary_free(struct oh_dictionary *dictionary);

/**
 * What a dictionary has, and where its region lies.
 *
 * Requires: `dictionary` is one that was not freed; `out` is writable.
 */
enum oh_status oh_dictionary_get_info(const struct oh_dictionary *dictionary,
                                      struct oh_dictionary_info *out);

/**
 * Proves what opening does not: the checksum, if there is one, and that what has no meaning is
 * zero.
 *
 * Requires: `dictionary` is one that was not freed.
 */
enum oh_status oh_dictionary_validate(const struct oh_dictionary *dictionary);

/**
 * Begins a store, whose records are compressed with a copy of the dictionary. `level` as for
 * `oh_compress`.
 *
 * Requires: `dictionary` is one that was not freed; `out` is writable.
 */
enum oh_status oh_recordstore_builder_new(const struct oh_dictionary *dictionary,
                                          uint32_t level,
                                          struct oh_recordstore_builder **out);

/**
 * Adds `count` records, which lie in `text` one after another: record i ends before byte
 * `ends[i]`, a whole number. Where it fails, those before the one at fault were added. Nothing of
 * `text` is kept.
 *
 * Requires: `builder` is one that was not freed, and no other thread uses it; `text` is readable for
 * `length` bytes, `ends` for `count` numbers.
 */
enum oh_status oh_recordstore_builder_push(struct oh_recordstore_builder *builder,
                                           const uint8_t *text,
                                           size_t length,
                                           const double *ends,
                                           size_t count);

/**
 * Compresses all records that were added so far anew, with a copy of another dictionary, if that
 * makes `count` samples of them, which lie in `text` as for `oh_recordstore_builder_push`, at
 * least a thirty-second smaller; `*changed` says whether. For records that come one by one: begin
 * with a dictionary of the first, keep some of all, and in the end train on those. Takes memory
 * for the records, compressed twice.
 *
 * With a `control` it can be stopped from another thread; then, and where it fails, nothing has
 * changed.
 *
 * Requires: As for `oh_recordstore_builder_push`; `dictionary` is one that was not freed; `control` is NULL,
 * or lives until this returns; `changed` is writable.
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
 * Bytes that the store takes with the records that were added so far.
 *
 * Requires: `builder` is one that was not freed; `out` is writable.
 */
enum oh_status oh_recordstore_builder_region_size(const struct oh_recordstore_builder *builder,
                                                  uint64_t *out);

/**
 * Writes the store into `length` bytes at `base`, at least `oh_recordstore_builder_region_size`.
 * More records can be added, and a larger store written, afterwards.
 *
 * Requires: `builder` is one that was not freed; `base` is writable for `length` bytes that no other thread
 * uses.
 */
enum oh_status oh_recordstore_builder_write(const struct oh_recordstore_builder *builder,
                                            void *base,
                                            size_t length);

/**
 * Gives a builder back. `NULL` is nothing.
 *
 * Requires: `builder` is not used again.
 */
void oh_recordstore_builder_free(struct oh_recordstore_builder *builder);

/**
 * Opens a store where it lies: checks its header and prepares its dictionary, of which it keeps a
 * copy. No record is looked at.
 *
 * Requires: `base` is readable for `length` bytes until the store is freed; `out` is writable.
 */
enum oh_status oh_recordstore_open(const void *base, size_t length, struct oh_recordstore **out);

/**
 * Closes a store. `NULL` is nothing. The memory stays yours.
 *
 * Requires: `records` is not used again.
 */
void oh_recordstore_free(struct oh_recordstore *records);

/**
 * What a store has.
 *
 * Requires: `records` is one that was not freed; `out` is writable.
 */
enum oh_status oh_recordstore_get_info(const struct oh_recordstore *records,
                                       struct oh_recordstore_info *out);

/**
 * Writes record `index` to `out`. `OH_ERR_RANGE` past the end, `OH_ERR_FULL` where it has more
 * bytes than `capacity` (none has more than `longest`), `OH_ERR_CORRUPT` where it is damaged. Of
 * `out` any byte may be written, as by `oh_decompress`.
 *
 * Requires: `records` is one that was not freed, and its memory is still there; `out` is writable for
 * `capacity` bytes, `written` too.
 */
enum oh_status oh_recordstore_get(const struct oh_recordstore *records,
                                  uint64_t index,
                                  uint8_t *out,
                                  size_t capacity,
                                  size_t *written);

/**
 * Writes the records at `count` indices to `out`, one after another; `ends[i]` says where the one
 * at `indices[i]` ends. All as for `oh_recordstore_get`; `ends` may be written where it fails.
 *
 * Requires: As for `oh_recordstore_get`; `indices` is readable and `ends` writable for `count` numbers.
 */
enum oh_status oh_recordstore_get_many(const struct oh_recordstore *records,
                                       const double *indices,
                                       size_t count,
                                       double *ends,
                                       uint8_t *out,
                                       size_t capacity,
                                       size_t *written);

/**
 * Proves all of a store: checksum, dictionary, where records begin, and that each decompresses.
 * O(bytes).
 *
 * Requires: `records` is one that was not freed, and its memory is still there.
 */
enum oh_status oh_recordstore_validate(const struct oh_recordstore *records);

/**
 * Begins a store, whose records are compressed with a copy of the dictionary. `level` as for
 * `oh_compress`.
 *
 * Requires: `dictionary` is one that was not freed; `out` is writable.
 */
enum oh_status oh_recordstore_builder_new(const struct oh_dictionary *dictionary,
                                          uint32_t level,
                                          struct oh_recordstore_builder **out);

/**
 * Adds `count` records, which lie in `text` one after another: record i ends before byte
 * `ends[i]`, a whole number. Where it fails, those before the one at fault were added. Nothing of
 * `text` is kept.
 *
 * Requires: `builder` is one that was not freed, and no other thread uses it; `text` is readable for
 * `length` bytes, `ends` for `count` numbers.
 */
enum oh_status oh_recordstore_builder_push(struct oh_recordstore_builder *builder,
                                           const uint8_t *text,
                                           size_t length,
                                           const double *ends,
                                           size_t count);

/**
 * Compresses all records that were added so far anew, with a copy of another dictionary, if that
 * makes `count` samples of them, which lie in `text` as for `oh_recordstore_builder_push`, at
 * least a thirty-second smaller; `*changed` says whether. For records that come one by one: begin
 * with a dictionary of the first, keep some of all, and in the end train on those. Takes memory
 * for the records, compressed twice.
 *
 * With a `control` it can be stopped from another thread; then, and where it fails, nothing has
 * changed.
 *
 * Requires: As for `oh_recordstore_builder_push`; `dictionary` is one that was not freed; `control` is NULL,
 * or lives until this returns; `changed` is writable.
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
 * Bytes that the store takes with the records that were added so far.
 *
 * Requires: `builder` is one that was not freed; `out` is writable.
 */
enum oh_status oh_recordstore_builder_region_size(const struct oh_recordstore_builder *builder,
                                                  uint64_t *out);

/**
 * Writes the store into `length` bytes at `base`, at least `oh_recordstore_builder_region_size`.
 * More records can be added, and a larger store written, afterwards.
 *
 * Requires: `builder` is one that was not freed; `base` is writable for `length` bytes that no other thread
 * uses.
 */
enum oh_status oh_recordstore_builder_write(const struct oh_recordstore_builder *builder,
                                            void *base,
                                            size_t length);

/**
 * Gives a builder back. `NULL` is nothing.
 *
 * Requires: `builder` is not used again.
 */
void oh_recordstore_builder_free(struct oh_recordstore_builder *builder);

/**
 * Opens a store where it lies: checks its header and prepares its dictionary, of which it keeps a
 * copy. No record is looked at.
 *
 * Requires: `base` is readable for `length` bytes until the store is freed; `out` is writable.
 */
enum oh_status oh_recordstore_open(const void *base, size_t length, struct oh_recordstore **out);

/**
 * Closes a store. `NULL` is nothing. The memory stays yours.
 *
 * Requires: `records` is not used again.
 */
void oh_recordstore_free(struct oh_recordstore *records);

/**
 * What a store has.
 *
 * Requires: `records` is one that was not freed; `out` is writable.
 */
enum oh_status oh_recordstore_get_info(const struct oh_recordstore *records,
                                       struct oh_recordstore_info *out);

/**
 * Writes record `index` to `out`. `OH_ERR_RANGE` past the end, `OH_ERR_FULL` where it has more
 * bytes than `capacity` (none has more than `longest`), `OH_ERR_CORRUPT` where it is damaged. Of
 * `out` any byte may be written, as by `oh_decompress`.
 *
 * Requires: `records` is one that was not freed, and its memory is still there; `out` is writable for
 * `capacity` bytes, `written` too.
 */
enum oh_status oh_recordstore_get(const struct oh_recordstore *records,
                                  uint64_t index,
                                  uint8_t *out,
                                  size_t capacity,
                                  size_t *written);

/**
 * Writes the records at `count` indices to `out`, one after another; `ends[i]` says where the one
 * at `indices[i]` ends. All as for `oh_recordstore_get`; `ends` may be written where it fails.
 *
 * Requires: As for `oh_recordstore_get`; `indices` is readable and `ends` writable for `count` numbers.
 */
enum oh_status oh_recordstore_get_many(const struct oh_recordstore *records,
                                       const double *indices,
                                       size_t count,
                                       double *ends,
                                       uint8_t *out,
                                       size_t capacity,
                                       size_t *written);

/**
 * Proves all of a store: checksum, dictionary, where records begin, and that each decompresses.
 * O(bytes).
 *
 * Requires: `records` is one that was not freed, and its memory is still there.
 */
enum oh_status oh_recordstore_validate(const struct oh_recordstore *records);

/**
 * Passes over `count` bytes, and gives where they are: for numbers, copy them from there.
 *
 * Requires: `cursor` is valid and used by no one else meanwhile; its bytes are readable; `bytes` is
 * writable.
 */
enum oh_status oh_cursor_take(struct oh_cursor *cursor, size_t count, const void **bytes);

/**
 * Reads an unsigned LEB128 varint of up to 64 bits.
 *
 * Requires: As for `oh_cursor_take`; `value` is writable.
 */
enum oh_status oh_cursor_varint(struct oh_cursor *cursor, uint64_t *value);

/**
 * Reads text whose length in bytes is a varint before it. It is checked to be UTF-8, and not
 * copied.
 *
 * Requires: As for `oh_cursor_take`, and nobody writes the bytes meanwhile; `text` is writable.
 */
enum oh_status oh_cursor_text(struct oh_cursor *cursor, struct oh_text *text);

/**
 * Reads text of `length` bytes. It is checked to be UTF-8, and not copied.
 *
 * Requires: As for `oh_cursor_text`.
 */
enum oh_status oh_cursor_text_of(struct oh_cursor *cursor, size_t length, struct oh_text *text);

/**
 * The largest of `count` values, 0 if there is none. `type` is the `oh_type` of the array's
 * elements, any numeric one. `OH_ERR_RANGE` unless they ascend (equal ones may follow each other)
 * and all are integers from 0 on.
 *
 * Requires: `values` points to `count` elements of the type, `out` is writable.
 */
enum oh_status oh_eliasfano_measure(const void *values, uint32_t type, size_t count, uint64_t *out);

/**
 * Bytes of memory that `count` values take of which `max` is the largest.
 *
 * Requires: `out` is writable.
 */
enum oh_status oh_eliasfano_region_size(uint64_t count, uint64_t max, size_t *out);

/**
 * Stores `count` values that ascend, `max` the largest, in `length` bytes at `base`, at least
 * `oh_eliasfano_region_size`. What they held is overwritten. With `OH_ERR_RANGE` (see
 * `oh_eliasfano_measure`) the memory is no region.
 *
 * Requires: `base` is valid for writing `length` bytes that no other thread uses; `values` points to `count`
 * elements of the type.
 */
enum oh_status oh_eliasfano_init(void *base,
                                 size_t length,
                                 const void *values,
                                 uint32_t type,
                                 size_t count,
                                 uint64_t max);

/**
 * Checks in constant time that the memory holds sorted integers. After `OH_OK` no function here
 * reads outside it, whatever else it holds; and each checks the same again by itself.
 *
 * Requires: `base` is valid for reading `length` bytes.
 */
enum oh_status oh_eliasfano_check(const void *base, size_t length);

/**
 * Proves that all contents are sound. O(bytes). `OH_ERR_CORRUPT` says, through `oh_last_error`,
 * what is wrong first.
 *
 * Requires: `base` is valid for reading `length` bytes.
 */
enum oh_status oh_eliasfano_validate(const void *base, size_t length);

/**
 * What the region holds.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_eliasfano_get_info(const void *base,
                                     size_t length,
                                     struct oh_eliasfano_info *out);

/**
 * The value at an index, in ascending order. `OH_ERR_RANGE` past the end.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_eliasfano_at(const void *base, size_t length, uint64_t index, uint64_t *out);

/**
 * How many values are less than `value`: the index of the first that is not.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_eliasfano_rank(const void *base, size_t length, uint64_t value, uint64_t *out);

/**
 * The first value that is not less than `value`, with its index. `found` tells whether there is
 * one; `out` is written if there is.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` and `found` are writable.
 */
enum oh_status oh_eliasfano_next_geq(const void *base,
                                     size_t length,
                                     uint64_t value,
                                     struct oh_eliasfano_entry *out,
                                     bool *found);

/**
 * The values at `count` indices: `out[i]` belongs to `indices[i]`. Both types are `oh_type`s,
 * numeric ones; those of `out` must hold the largest value. `OH_ERR_RANGE`, with nothing written,
 * for an index past the end.
 *
 * Requires: `base` is valid for reading `length` bytes; `indices` points to `count` elements of its type,
 * and so does `out`, which is writable and used by nobody else.
 */
enum oh_status oh_eliasfano_get_many(const void *base,
                                     size_t length,
                                     const void *indices,
                                     uint32_t index_type,
                                     size_t count,
                                     void *out,
                                     uint32_t out_type);

/**
 * `oh_eliasfano_rank` of `count` values. `OH_ERR_RANGE`, with nothing written, for one that is no
 * integer from 0 on.
 *
 * Requires: As for `oh_eliasfano_get_many`.
 */
enum oh_status oh_eliasfano_rank_many(const void *base,
                                      size_t length,
                                      const void *values,
                                      uint32_t value_type,
                                      size_t count,
                                      void *out,
                                      uint32_t out_type);

/**
 * The `count` values from index `from` on. `OH_ERR_RANGE`, with nothing written, if there are
 * fewer.
 *
 * Requires: `base` is valid for reading `length` bytes; `out` points to `count` elements of its type,
 * writable, and used by nobody else.
 */
enum oh_status oh_eliasfano_unpack(const void *base,
                                   size_t length,
                                   uint64_t from,
                                   size_t count,
                                   void *out,
                                   uint32_t out_type);

/**
 * Bytes of memory that a pool with these options takes.
 *
 * Requires: `options` points to a struct of the size it says, whose arrays have `classes` elements; `out` is
 * writable.
 */
enum oh_status oh_fixedpool_region_size(const struct oh_fixedpool_options *options, uint64_t *out);

/**
 * Makes an empty pool in `length` bytes at `base`, at least `oh_fixedpool_region_size`. What they
 * held is overwritten with zeros. `OH_ERR_FULL` if they are too few.
 *
 * Requires: `base` is valid for writing `length` bytes that no other thread uses; `options` as for
 * `oh_fixedpool_region_size`.
 */
enum oh_status oh_fixedpool_init(void *base,
                                 size_t length,
                                 const struct oh_fixedpool_options *options);

/**
 * Checks in constant time that the memory holds a pool.
 *
 * Requires: `base` is valid for reading `length` bytes.
 */
enum oh_status oh_fixedpool_check(const void *base, size_t length);

/**
 * Proves that a pool's bookkeeping is sound. `OH_ERR_CORRUPT` says, through `oh_last_error`, what
 * is wrong first.
 *
 * Requires: `base` is valid for reading `length` bytes, and no other thread allocates or frees in the pool.
 */
enum oh_status oh_fixedpool_validate(const void *base, size_t length);

/**
 * Makes a view of the pool in `length` bytes at `base`, which is checked. After `OH_OK` no
 * function here reads or writes outside it, whatever else it holds.
 *
 * Requires: `base` is valid for reading and writing `length` bytes until the view is closed; `out` is
 * writable.
 */
enum oh_status oh_fixedpool_attach(void *base, size_t length, struct oh_fixedpool **out);

/**
 * Frees a view. The pool stays as it is. NULL is fine.
 *
 * Requires: `pool` is NULL, or a view that is not used again.
 */
void oh_fixedpool_close(struct oh_fixedpool *pool);

/**
 * The first byte of the pool's data: a block at offset `o` begins `o` bytes behind it. NULL for
 * NULL.
 *
 * Requires: `pool` is NULL or a view that was not closed.
 */
void *oh_fixedpool_data(const struct oh_fixedpool *pool);

/**
 * Allocates a block of at least `bytes` bytes: its offset from `oh_fixedpool_data`. `OH_ERR_FULL`
 * where there is no room. One thread at a time.
 *
 * Requires: `pool` is a view that was not closed, and used by this thread only; `out` is writable.
 */
enum oh_status oh_fixedpool_alloc(struct oh_fixedpool *pool, uint64_t bytes, uint64_t *out);

/**
 * Gives a block back. `OH_ERR_STALE` for one that is free already, `OH_ERR_RANGE` for an offset
 * where none begins, `OH_ERR_CORRUPT` for one whose guard was overwritten; it stays allocated. One
 * thread at a time.
 *
 * Requires: As for `oh_fixedpool_alloc`.
 */
enum oh_status oh_fixedpool_free(struct oh_fixedpool *pool, uint64_t offset);

/**
 * How many bytes the allocated block at `offset` has for its user. Errors as for
 * `oh_fixedpool_free`.
 *
 * Requires: As for `oh_fixedpool_alloc`.
 */
enum oh_status oh_fixedpool_room(const struct oh_fixedpool *pool, uint64_t offset, uint64_t *out);

/**
 * Counts and sizes.
 *
 * Requires: `pool` is a view that was not closed; `out` is writable.
 */
enum oh_status oh_fixedpool_get_stats(const struct oh_fixedpool *pool,
                                      struct oh_fixedpool_stats *out);

/**
 * Looks `count` keys up at once: several times faster than one by one, because their waits for
 * memory overlap. `keys` is an array of the map's key type, `values` one of its value type:
 * numbers or booleans both. `values[i]` is left as it was where `keys[i]` is missing; `found[i]`,
 * unless `found` is NULL, is then 0 and otherwise 1. `*out` is how many were found.
 *
 * `schema` is 0, or key type + 256 × value type: then a map of other types is `OH_ERR_TYPE`. To
 * ask for the types and to call this are two looks at the region, so give it if anyone who is not
 * trusted can write there meanwhile.
 *
 * Any thread may call it while the owner writes, rebuilds included. `OH_ERR_STALE` if the map
 * meanwhile outgrew `length`: what was found so far is written.
 *
 * Requires: `base` is valid for reading `length` bytes; the arrays have `count` elements, and only the
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
 * Tells which of `count` keys are there: `found[i]`, unless `found` is NULL, is 1 or 0. `*out` is
 * how many are. Otherwise as `oh_hashmap_get_many`; values may have any type.
 *
 * Requires: As for `oh_hashmap_get_many`.
 */
enum oh_status oh_hashmap_has_many(const void *base,
                                   size_t length,
                                   uint32_t schema,
                                   const void *keys,
                                   size_t count,
                                   uint8_t *found,
                                   size_t *out);

/**
 * Sets `keys[i]` to `values[i]` for i from `from` to `count` − 1. `*out` is the index of the first
 * that was not set because the map must be rebuilt first (then call it again with that as `from`),
 * else `count`.
 *
 * Requires: As for `oh_hashmap_set`; the arrays have `count` elements of the map's types; `out` is writable.
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
 * Deletes `count` keys. `*out` is how many of them were there.
 *
 * Requires: As for `oh_hashmap_set_many`.
 */
enum oh_status oh_hashmap_remove_many(void *base,
                                      size_t length,
                                      uint32_t schema,
                                      const void *keys,
                                      size_t count,
                                      size_t *out);

/**
 * The handles of `count` keys; 0, which is no handle, for those that are missing. `*out` is how
 * many are there. For the writer, as `oh_hashmap_handle_of`.
 *
 * Requires: As for `oh_hashmap_set_many`; `handles` has `count` elements.
 */
enum oh_status oh_hashmap_handles_of(void *base,
                                     size_t length,
                                     uint32_t schema,
                                     const void *keys,
                                     size_t count,
                                     uint64_t *handles,
                                     size_t *out);

/**
 * The values of the entries that `count` handles name, as `oh_hashmap_get_many` does for keys.
 * `*out` is how many are alive.
 *
 * Requires: As for `oh_hashmap_get_many`.
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
 * Looks a key up. `*value` points to its value in the map (see `oh_hashmap_entry`), and is NULL if
 * the key is not there.
 *
 * Requires: `base` is valid for reading `length` bytes, `key` for `key_length`; the outputs are writable.
 */
enum oh_status oh_hashmap_get(const void *base,
                              size_t length,
                              const void *key,
                              size_t key_length,
                              const void **value,
                              size_t *value_length);

/**
 * Whether a key is in a map.
 *
 * Requires: As for `oh_hashmap_get`.
 */
enum oh_status oh_hashmap_has(const void *base,
                              size_t length,
                              const void *key,
                              size_t key_length,
                              bool *out);

/**
 * Inserts a key or gives it a new value. `*inserted`, unless it is NULL, tells whether the key was
 * new. `OH_ERR_FULL`, and nothing is changed, if the map must be rebuilt first:
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
 * Threads that only read may go on meanwhile. Other threads that write may not.
 *
 * Requires: `base` is valid for reading and writing `length` bytes, and no other thread writes them; `key`
 * and `value` are valid for as many bytes as is said.
 */
enum oh_status oh_hashmap_set(void *base,
                              size_t length,
                              const void *key,
                              size_t key_length,
                              const void *value,
                              size_t value_length,
                              bool *inserted);

/**
 * Deletes a key. `*removed`, unless it is NULL, tells whether it was there.
 *
 * Requires: As for `oh_hashmap_set`.
 */
enum oh_status oh_hashmap_remove(void *base,
                                 size_t length,
                                 const void *key,
                                 size_t key_length,
                                 bool *removed);

/**
 * The handle of a key's entry: a number below 2^53 that names the entry until it is deleted, also
 * across rebuilds. 0, which is no handle, if the key is not there.
 *
 * A function for the writer: it notes in the map that handles exist.
 *
 * Requires: As for `oh_hashmap_set`; `out` is writable.
 */
enum oh_status oh_hashmap_handle_of(void *base,
                                    size_t length,
                                    const void *key,
                                    size_t key_length,
                                    uint64_t *out);

/**
 * The entry that a handle names. `OH_ERR_STALE` if it was deleted.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_hashmap_get_by_handle(const void *base,
                                        size_t length,
                                        uint64_t handle,
                                        struct oh_hashmap_entry *out);

/**
 * The next entry in insertion order. `*cursor` is 0 to begin with; afterwards it is 1 + the
 * entry's position, or 0 again if there was none left. Entries may be inserted and deleted
 * meanwhile.
 *
 * ```c
 * uint32_t cursor = 0;
 * oh_hashmap_entry entry;
 * while (oh_hashmap_next(base, length, &cursor, &entry) == OH_OK && cursor != 0) { … }
 * ```
 *
 * Requires: `base` is valid for reading `length` bytes; `cursor` and `out` are writable.
 */
enum oh_status oh_hashmap_next(const void *base,
                               size_t length,
                               uint32_t *cursor,
                               struct oh_hashmap_entry *out);

/**
 * The columns, for loops over plain arrays.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_hashmap_get_columns(const void *base,
                                      size_t length,
                                      struct oh_hashmap_columns *out);

/**
 * Bytes of memory that a map with these options takes.
 *
 * Requires: `options` points to a struct of the size it says, `out` is writable.
 */
enum oh_status oh_hashmap_region_size(const struct oh_hashmap_options *options, size_t *out);

/**
 * Makes an empty map in `length` bytes at `base`, at least `oh_hashmap_region_size`. What they
 * held is overwritten. `OH_ERR_FULL` if they are too few.
 *
 * The memory stays yours: it has no pointers in it, so it can be copied, saved and mapped
 * elsewhere, and there is nothing to free but the memory itself.
 *
 * Requires: `base` is valid for writing `length` bytes that no other thread uses; `options` as for
 * `oh_hashmap_region_size`.
 */
enum oh_status oh_hashmap_init(void *base, size_t length, const struct oh_hashmap_options *options);

/**
 * Checks in constant time that the memory holds a map. After `OH_OK` no function here reads or
 * writes outside it, whatever else it holds; and each checks the same again by itself.
 *
 * Requires: `base` is valid for reading `length` bytes.
 */
enum oh_status oh_hashmap_check(const void *base, size_t length);

/**
 * Proves that all contents of a map are sound; takes about one lookup for each entry.
 * `OH_ERR_CORRUPT` says, through `oh_last_error`, what is wrong first.
 *
 * Requires: `base` is valid for reading `length` bytes.
 */
enum oh_status oh_hashmap_validate(const void *base, size_t length);

/**
 * What a map is and holds.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_hashmap_get_info(const void *base, size_t length, struct oh_hashmap_info *out);

/**
 * The types of a map's keys and values, each an `oh_type`. While the owner rebuilds the map it
 * waits.
 *
 * Requires: `base` is valid for reading `length` bytes; the outputs are writable.
 */
enum oh_status oh_hashmap_types(const void *base,
                                size_t length,
                                uint32_t *key_type,
                                uint32_t *value_type);

/**
 * How many entries a map holds.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_hashmap_count(const void *base, size_t length, uint32_t *out);

/**
 * Bytes that the region will have after `oh_hashmap_rebuild` with these numbers.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_hashmap_rebuild_region_size(const void *base,
                                              size_t length,
                                              uint32_t capacity,
                                              uint64_t heap_capacity,
                                              size_t *out);

/**
 * Rebuilds a map in place, for another capacity (to make room after `OH_ERR_FULL`) or the same (to
 * squeeze out deleted entries). `heap_capacity` is raised to what the strings and byte sequences
 * in it need. `length` is what `oh_hashmap_rebuild_region_size` said, or more: `OH_ERR_FULL` if it
 * is less.
 *
 * Entries keep their order and their handles; positions and pointers into the map are void.
 * It takes about 10 ns for each entry, and needs temporary memory only if entries were deleted or
 * strings replaced. `OH_ERR_OOM` if that is refused. A failed rebuild changes nothing.
 *
 * Requires: `base` is valid for reading and writing `length` bytes, and no other thread writes them.
 */
enum oh_status oh_hashmap_rebuild(void *base,
                                  size_t length,
                                  uint32_t capacity,
                                  uint64_t heap_capacity);

/**
 * The capacity that a full map should be rebuilt to: the same if a quarter of its entries or more
 * was deleted, else one and a half times to twice as much. `OH_ERR_FULL` at the largest.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_hashmap_next_capacity(const void *base, size_t length, uint32_t *out);

/**
 * Empties a map. Its capacity stays; handles become stale.
 *
 * Requires: As for `oh_hashmap_rebuild`.
 */
enum oh_status oh_hashmap_clear(void *base, size_t length);

/**
 * Looks `count` keys up at once: several times faster than one by one, because their waits for
 * memory overlap. `keys` is an array of the map's key type, `values` one of its value type:
 * numbers or booleans both. `values[i]` is left as it was where `keys[i]` is missing; `found[i]`,
 * unless `found` is NULL, is then 0 and otherwise 1. `*out` is how many were found.
 *
 * `schema` is 0, or key type + 256 × value type: then a map of other types is `OH_ERR_TYPE`. To
 * ask for the types and to call this are two looks at the region, so give it if anyone who is not
 * trusted can write there meanwhile.
 *
 * Any thread may call it while the owner writes, rebuilds included. `OH_ERR_STALE` if the map
 * meanwhile outgrew `length`: what was found so far is written.
 *
 * Requires: `base` is valid for reading `length` bytes; the arrays have `count` elements, and only the
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
 * Tells which of `count` keys are there: `found[i]`, unless `found` is NULL, is 1 or 0. `*out` is
 * how many are. Otherwise as `oh_hashmap_get_many`; values may have any type.
 *
 * Requires: As for `oh_hashmap_get_many`.
 */
enum oh_status oh_hashmap_has_many(const void *base,
                                   size_t length,
                                   uint32_t schema,
                                   const void *keys,
                                   size_t count,
                                   uint8_t *found,
                                   size_t *out);

/**
 * Sets `keys[i]` to `values[i]` for i from `from` to `count` − 1. `*out` is the index of the first
 * that was not set because the map must be rebuilt first (then call it again with that as `from`),
 * else `count`.
 *
 * Requires: As for `oh_hashmap_set`; the arrays have `count` elements of the map's types; `out` is writable.
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
 * Deletes `count` keys. `*out` is how many of them were there.
 *
 * Requires: As for `oh_hashmap_set_many`.
 */
enum oh_status oh_hashmap_remove_many(void *base,
                                      size_t length,
                                      uint32_t schema,
                                      const void *keys,
                                      size_t count,
                                      size_t *out);

/**
 * The handles of `count` keys; 0, which is no handle, for those that are missing. `*out` is how
 * many are there. For the writer, as `oh_hashmap_handle_of`.
 *
 * Requires: As for `oh_hashmap_set_many`; `handles` has `count` elements.
 */
enum oh_status oh_hashmap_handles_of(void *base,
                                     size_t length,
                                     uint32_t schema,
                                     const void *keys,
                                     size_t count,
                                     uint64_t *handles,
                                     size_t *out);

/**
 * The values of the entries that `count` handles name, as `oh_hashmap_get_many` does for keys.
 * `*out` is how many are alive.
 *
 * Requires: As for `oh_hashmap_get_many`.
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
 * Looks a key up. `*value` points to its value in the map (see `oh_hashmap_entry`), and is NULL if
 * the key is not there.
 *
 * Requires: `base` is valid for reading `length` bytes, `key` for `key_length`; the outputs are writable.
 */
enum oh_status oh_hashmap_get(const void *base,
                              size_t length,
                              const void *key,
                              size_t key_length,
                              const void **value,
                              size_t *value_length);

/**
 * Whether a key is in a map.
 *
 * Requires: As for `oh_hashmap_get`.
 */
enum oh_status oh_hashmap_has(const void *base,
                              size_t length,
                              const void *key,
                              size_t key_length,
                              bool *out);

/**
 * Inserts a key or gives it a new value. `*inserted`, unless it is NULL, tells whether the key was
 * new. `OH_ERR_FULL`, and nothing is changed, if the map must be rebuilt first:
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
 * Threads that only read may go on meanwhile. Other threads that write may not.
 *
 * Requires: `base` is valid for reading and writing `length` bytes, and no other thread writes them; `key`
 * and `value` are valid for as many bytes as is said.
 */
enum oh_status oh_hashmap_set(void *base,
                              size_t length,
                              const void *key,
                              size_t key_length,
                              const void *value,
                              size_t value_length,
                              bool *inserted);

/**
 * Deletes a key. `*removed`, unless it is NULL, tells whether it was there.
 *
 * Requires: As for `oh_hashmap_set`.
 */
enum oh_status oh_hashmap_remove(void *base,
                                 size_t length,
                                 const void *key,
                                 size_t key_length,
                                 bool *removed);

/**
 * The handle of a key's entry: a number below 2^53 that names the entry until it is deleted, also
 * across rebuilds. 0, which is no handle, if the key is not there.
 *
 * A function for the writer: it notes in the map that handles exist.
 *
 * Requires: As for `oh_hashmap_set`; `out` is writable.
 */
enum oh_status oh_hashmap_handle_of(void *base,
                                    size_t length,
                                    const void *key,
                                    size_t key_length,
                                    uint64_t *out);

/**
 * The entry that a handle names. `OH_ERR_STALE` if it was deleted.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_hashmap_get_by_handle(const void *base,
                                        size_t length,
                                        uint64_t handle,
                                        struct oh_hashmap_entry *out);

/**
 * The next entry in insertion order. `*cursor` is 0 to begin with; afterwards it is 1 + the
 * entry's position, or 0 again if there was none left. Entries may be inserted and deleted
 * meanwhile.
 *
 * ```c
 * uint32_t cursor = 0;
 * oh_hashmap_entry entry;
 * while (oh_hashmap_next(base, length, &cursor, &entry) == OH_OK && cursor != 0) { … }
 * ```
 *
 * Requires: `base` is valid for reading `length` bytes; `cursor` and `out` are writable.
 */
enum oh_status oh_hashmap_next(const void *base,
                               size_t length,
                               uint32_t *cursor,
                               struct oh_hashmap_entry *out);

/**
 * The columns, for loops over plain arrays.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_hashmap_get_columns(const void *base,
                                      size_t length,
                                      struct oh_hashmap_columns *out);

/**
 * Bytes of memory that a pool with these options takes.
 *
 * Requires: `options` points to a struct of the size it says; `out` is writable.
 */
enum oh_status oh_lockfreepool_region_size(const struct oh_lockfreepool_options *options,
                                           uint64_t *out);

/**
 * Makes an empty pool in `length` bytes at `base`, a multiple of 8 (better of 64), at least
 * `oh_lockfreepool_region_size`. If they are not `zeroed` already, they are overwritten with
 * zeros. `OH_ERR_FULL` if they are too few.
 *
 * Requires: `base` is valid for writing `length` bytes that no other thread uses; `options` as for
 * `oh_lockfreepool_region_size`.
 */
enum oh_status oh_lockfreepool_init(void *base,
                                    size_t length,
                                    const struct oh_lockfreepool_options *options,
                                    bool zeroed);

/**
 * Proves that a pool's bookkeeping is sound. `OH_ERR_CORRUPT` says, through `oh_last_error`, what
 * is wrong first.
 *
 * Requires: `base` is valid for reading `length` bytes. If another thread allocates or frees meanwhile a
 * sound pool can look wrong.
 */
enum oh_status oh_lockfreepool_validate(const void *base, size_t length);

/**
 * Makes this thread's handle on the pool in `length` bytes at `base`, which is checked in constant
 * time. After `OH_OK` no function here reads or writes outside, whatever else it holds.
 * `OH_ERR_FULL` if there are too many handles.
 *
 * Requires: `base` is valid for reading and writing `length` bytes until the handle is closed; `out` is
 * writable.
 */
enum oh_status oh_lockfreepool_attach(void *base, size_t length, struct oh_lockfreepool **out);

/**
 * Frees a handle. The pool stays as it is. NULL is fine.
 *
 * Requires: `pool` is NULL, or a handle that is not used again.
 */
void oh_lockfreepool_close(struct oh_lockfreepool *pool);

/**
 * Frees the handle of a thread that ended without doing so, from any thread. The block that it
 * took last, if it is allocated still, is a suspect from then on. NULL is fine.
 *
 * Requires: `pool` is NULL, or a handle that is not used again.
 */
void oh_lockfreepool_abandon(struct oh_lockfreepool *pool);

/**
 * The first byte of the pool's data: a block at offset `o` begins `o` bytes behind it. NULL for
 * NULL.
 *
 * Requires: `pool` is NULL or a handle that was not closed.
 */
void *oh_lockfreepool_data(const struct oh_lockfreepool *pool);

/**
 * Where a pool's words are, for code that takes part in the protocol of `docs/formats/pools.md` by
 * itself.
 *
 * Requires: `pool` is a handle that was not closed; `out` is writable.
 */
enum oh_status oh_lockfreepool_get_layout(const struct oh_lockfreepool *pool,
                                          struct oh_lockfreepool_layout *out);

/**
 * Allocates a block of at least `bytes` bytes: its offset from `oh_lockfreepool_data`.
 * `OH_ERR_FULL` where there is no room.
 *
 * Requires: `pool` is a handle that was not closed, and used by this thread only; `out` is writable.
 */
enum oh_status oh_lockfreepool_alloc(const struct oh_lockfreepool *pool,
                                     uint64_t bytes,
                                     uint64_t *out);

/**
 * Gives a block back, whichever handle allocated it. `OH_ERR_STALE` for one that is free already,
 * `OH_ERR_RANGE` for an offset where none begins, `OH_ERR_CORRUPT` for one whose guard was
 * overwritten; it stays allocated.
 *
 * Requires: As for `oh_lockfreepool_alloc`.
 */
enum oh_status oh_lockfreepool_free(const struct oh_lockfreepool *pool, uint64_t offset);

/**
 * How many bytes the allocated block at `offset` has for its user. Errors as for
 * `oh_lockfreepool_free`.
 *
 * Requires: As for `oh_lockfreepool_alloc`.
 */
enum oh_status oh_lockfreepool_room(const struct oh_lockfreepool *pool,
                                    uint64_t offset,
                                    uint64_t *out);

/**
 * Counts and sizes. O(blocks / 16).
 *
 * Requires: `pool` is a handle that was not closed; `out` is writable.
 */
enum oh_status oh_lockfreepool_get_stats(const struct oh_lockfreepool *pool,
                                         struct oh_lockfreepool_stats *out);

/**
 * Blocks that may have been lost to threads that ended without closing their handles: those that
 * they had taken last, and that are allocated still. Writes up to `capacity` offsets, and to
 * `count` how many there are.
 *
 * Requires: `pool` is a handle that was not closed; `offsets` is valid for writing `capacity` numbers;
 * `count` is writable.
 */
enum oh_status oh_lockfreepool_suspects(const struct oh_lockfreepool *pool,
                                        uint64_t *offsets,
                                        size_t capacity,
                                        size_t *count);

/**
 * As `oh_lockfreepool_attach`, with a cache of up to `cache` bytes before the pool.
 *
 * Requires: As for `oh_lockfreepool_attach`.
 */
enum oh_status oh_threadlocalpool_attach(void *base,
                                         size_t length,
                                         uint64_t cache,
                                         struct oh_threadlocalpool **out);

/**
 * Gives the cache back, and frees the handle. NULL is fine.
 *
 * Requires: `pool` is NULL, or a handle that is not used again.
 */
void oh_threadlocalpool_close(struct oh_threadlocalpool *pool);

/**
 * As `oh_lockfreepool_abandon`; the cache is given back, too.
 *
 * Requires: `pool` is NULL, or a handle that is not used again.
 */
void oh_threadlocalpool_abandon(struct oh_threadlocalpool *pool);

/**
 * As `oh_lockfreepool_alloc`.
 *
 * Requires: `pool` is a handle that was not closed, and used by this thread only; `out` is writable.
 */
enum oh_status oh_threadlocalpool_alloc(struct oh_threadlocalpool *pool,
                                        uint64_t bytes,
                                        uint64_t *out);

/**
 * As `oh_lockfreepool_free`.
 *
 * Requires: As for `oh_threadlocalpool_alloc`.
 */
enum oh_status oh_threadlocalpool_free(struct oh_threadlocalpool *pool, uint64_t offset);

/**
 * Gives all cached blocks back to the pool.
 *
 * Requires: As for `oh_threadlocalpool_alloc`.
 */
enum oh_status oh_threadlocalpool_flush(struct oh_threadlocalpool *pool);

/**
 * The largest request that the cache serves; larger ones go to the pool. 0 if it serves none.
 *
 * Requires: `pool` is a handle that was not closed; `out` is writable.
 */
enum oh_status oh_threadlocalpool_largest(const struct oh_threadlocalpool *pool, uint64_t *out);

/**
 * Bytes of the blocks, allocated or not, that the cache keeps other threads from allocating.
 *
 * Requires: As for `oh_threadlocalpool_largest`.
 */
enum oh_status oh_threadlocalpool_held(const struct oh_threadlocalpool *pool, uint64_t *out);

/**
 * The handle behind the cache, for counts and sizes; it is closed with the cache. NULL for NULL.
 *
 * Requires: `pool` is NULL or a handle that was not closed.
 */
const struct oh_lockfreepool *oh_threadlocalpool_handle(const struct oh_threadlocalpool *pool);

/**
 * As `oh_lockfreepool_attach`, with a cache of up to `cache` bytes before the pool.
 *
 * Requires: As for `oh_lockfreepool_attach`.
 */
enum oh_status oh_threadlocalpool_attach(void *base,
                                         size_t length,
                                         uint64_t cache,
                                         struct oh_threadlocalpool **out);

/**
 * Gives the cache back, and frees the handle. NULL is fine.
 *
 * Requires: `pool` is NULL, or a handle that is not used again.
 */
void oh_threadlocalpool_close(struct oh_threadlocalpool *pool);

/**
 * As `oh_lockfreepool_abandon`; the cache is given back, too.
 *
 * Requires: `pool` is NULL, or a handle that is not used again.
 */
void oh_threadlocalpool_abandon(struct oh_threadlocalpool *pool);

/**
 * As `oh_lockfreepool_alloc`.
 *
 * Requires: `pool` is a handle that was not closed, and used by this thread only; `out` is writable.
 */
enum oh_status oh_threadlocalpool_alloc(struct oh_threadlocalpool *pool,
                                        uint64_t bytes,
                                        uint64_t *out);

/**
 * As `oh_lockfreepool_free`.
 *
 * Requires: As for `oh_threadlocalpool_alloc`.
 */
enum oh_status oh_threadlocalpool_free(struct oh_threadlocalpool *pool, uint64_t offset);

/**
 * Gives all cached blocks back to the pool.
 *
 * Requires: As for `oh_threadlocalpool_alloc`.
 */
enum oh_status oh_threadlocalpool_flush(struct oh_threadlocalpool *pool);

/**
 * The largest request that the cache serves; larger ones go to the pool. 0 if it serves none.
 *
 * Requires: `pool` is a handle that was not closed; `out` is writable.
 */
enum oh_status oh_threadlocalpool_largest(const struct oh_threadlocalpool *pool, uint64_t *out);

/**
 * Bytes of the blocks, allocated or not, that the cache keeps other threads from allocating.
 *
 * Requires: As for `oh_threadlocalpool_largest`.
 */
enum oh_status oh_threadlocalpool_held(const struct oh_threadlocalpool *pool, uint64_t *out);

/**
 * The handle behind the cache, for counts and sizes; it is closed with the cache. NULL for NULL.
 *
 * Requires: `pool` is NULL or a handle that was not closed.
 */
const struct oh_lockfreepool *oh_threadlocalpool_handle(const struct oh_threadlocalpool *pool);

/**
 * Brings the regular file at `path` into memory, in the way that suits its size. `options` may be
 * NULL.
 *
 * If someone else cuts a mapped file short, what is gone reads as zeros (a handler for SIGBUS sees
 * to that, as for `oh_binding_file_open`), and `oh_mappedfile_check` fails from then on.
 *
 * `OH_ERR_IO` if the system refuses or it is no regular file; `OH_ERR_OOM`; `OH_ERR_FULL` if it is
 * to be locked and the limit does not allow it, or to be written and the disk has no room for its
 * holes.
 *
 * Requires: `path_length` bytes at `path` are readable, `options` is NULL or valid, `out` is writable.
 */
enum oh_status oh_mappedfile_open(const char *path,
                                  size_t path_length,
                                  const struct oh_mappedfile_options *options,
                                  struct oh_mappedfile **out);

/**
 * The bytes: good until `oh_mappedfile_refresh` or `oh_mappedfile_close`. Store to them only if
 * the file was opened for writing.
 *
 * Requires: `file` is NULL or open.
 */
void *oh_mappedfile_data(const struct oh_mappedfile *file);

/**
 * How many bytes there are. 0 for NULL.
 *
 * Requires: `file` is NULL or open.
 */
size_t oh_mappedfile_size(const struct oh_mappedfile *file);

/**
 * How the bytes are reached: what was obtained, not what was asked for.
 *
 * Requires: `file` is open, `out` is writable.
 */
enum oh_status oh_mappedfile_strategy(const struct oh_mappedfile *file, enum oh_strategy *out);

/**
 * `OH_ERR_IO` if the file was cut short, or could not be read, so that zeros take the place of
 * some bytes. It asks the system for the file's size: look before and after work on many bytes.
 *
 * Requires: `file` is open.
 */
enum oh_status oh_mappedfile_check(const struct oh_mappedfile *file);

/**
 * Copies `length` bytes from `offset` on. `OH_ERR_RANGE` if there are not so many; `OH_ERR_IO` if
 * some of them are gone.
 *
 * Requires: `file` is open; `length` bytes at `target` are writable and not the file's own.
 */
enum oh_status oh_mappedfile_read(const struct oh_mappedfile *file,
                                  uint64_t offset,
                                  size_t length,
                                  void *target);

/**
 * Copies `length` bytes from each of `count` offsets, of an `oh_type`, one after another to
 * `target`: many times as fast as one by one, because their waits for memory overlap.
 * `OH_ERR_RANGE`, with nothing written, for an offset that has fewer bytes behind it; `OH_ERR_IO`
 * if the file was cut short before or meanwhile.
 *
 * Requires: `file` is open; `count` elements at `offsets` are readable; `count * length` bytes at `target`
 * are writable and not the file's own.
 */
enum oh_status oh_mappedfile_read_many(const struct oh_mappedfile *file,
                                       const void *offsets,
                                       uint32_t offset_type,
                                       size_t count,
                                       size_t length,
                                       void *target);

/**
 * Tells the system how the file will be read from now on, an `oh_pattern`.
 *
 * Requires: `file` is open.
 */
enum oh_status oh_mappedfile_advise(const struct oh_mappedfile *file, uint32_t pattern);

/**
 * Has the system begin to read a part of the file. `OH_ERR_RANGE` past its end.
 *
 * Requires: `file` is open.
 */
enum oh_status oh_mappedfile_prefetch(const struct oh_mappedfile *file,
                                      uint64_t offset,
                                      uint64_t length);

/**
 * Keeps the bytes in memory. `OH_ERR_FULL` past the limit, which the message names.
 *
 * Requires: `file` is open.
 */
enum oh_status oh_mappedfile_lock(const struct oh_mappedfile *file);

/**
 * Undoes `oh_mappedfile_lock`.
 *
 * Requires: `file` is open.
 */
enum oh_status oh_mappedfile_unlock(const struct oh_mappedfile *file);

/**
 * Returns when what was stored is on the disk. `OH_ERR_UNSUPPORTED` if the file was opened to be
 * read.
 *
 * Requires: `file` is open, and nobody stores to it meanwhile.
 */
enum oh_status oh_mappedfile_flush(const struct oh_mappedfile *file);

/**
 * Takes in that the file became longer, or was written anew. Gives the size.
 *
 * Requires: `file` is open and used by no one else meanwhile; `size` is writable.
 */
enum oh_status oh_mappedfile_refresh(struct oh_mappedfile *file, uint64_t *size);

/**
 * Frees the handle and its memory. NULL is fine.
 *
 * Requires: `file` is NULL, or open and not used again.
 */
void oh_mappedfile_close(struct oh_mappedfile *file);

/**
 * Keeps the pages of `length` bytes at `base` in memory. `OH_ERR_FULL` past the limit, which the
 * message names.
 *
 * Requires: The bytes are mapped.
 */
enum oh_status oh_memory_lock(const void *base, size_t length);

/**
 * Undoes `oh_memory_lock`.
 *
 * Requires: The bytes are mapped.
 */
enum oh_status oh_memory_unlock(const void *base, size_t length);

/**
 * How many of the pages that `length` bytes at `base` lie on are in memory.
 *
 * Requires: The bytes are mapped, `resident` is writable.
 */
enum oh_status oh_memory_resident(const void *base, size_t length, uint64_t *resident);

/**
 * Copies `length` bytes from each of `count` offsets into the `size` bytes at `base`: as
 * `oh_mappedfile_read_many`.
 *
 * Requires: The bytes are mapped, also where others write them; `count` elements at `offsets` are readable;
 * `count * length` bytes at `target` are writable.
 */
enum oh_status oh_memory_gather(const void *base,
                                size_t size,
                                const void *offsets,
                                uint32_t offset_type,
                                size_t count,
                                size_t length,
                                void *target);

/**
 * Makes a file with an empty vector of numbers (`OH_TYPE_U8` to `OH_TYPE_I64`) at `path`
 * (`path_length` bytes). It appears there whole or not at all. `options` may be NULL.
 *
 * `OH_ERR_IO` if something is there already, or the system refuses; `OH_ERR_FULL` if the disk is
 * full.
 *
 * Requires: `path_length` bytes at `path` are readable, `options` is NULL or valid, `out` is writable.
 */
enum oh_status oh_mmapvector_create(const char *path,
                                    size_t path_length,
                                    uint32_t element_type,
                                    const struct oh_mmapvector_options *options,
                                    struct oh_mmapvector **out);

/**
 * Opens the file of a vector, to read what was flushed, or to write. `options` may be NULL.
 *
 * `OH_ERR_LOCKED` if it is to be written and another handle writes it; `OH_ERR_CORRUPT` or
 * `OH_ERR_VERSION` for a file that makes no sense; `OH_ERR_IO` if the system refuses.
 *
 * Requires: As for `oh_mmapvector_create`.
 */
enum oh_status oh_mmapvector_open(const char *path,
                                  size_t path_length,
                                  bool writable,
                                  const struct oh_mmapvector_options *options,
                                  struct oh_mmapvector **out);

/**
 * What the vector is and holds.
 *
 * Requires: `vector` is open, `out` is writable.
 */
enum oh_status oh_mmapvector_get_info(const struct oh_mmapvector *vector,
                                      struct oh_mmapvector_info *out);

/**
 * The elements, one after another: aligned to 64 bytes, good until the vector grows, is refreshed
 * or closed. Elements that were flushed must not be written. NULL for NULL.
 *
 * If the file is cut short by someone else, reads give zeros; `oh_mmapvector_check` tells
 * afterwards.
 *
 * Requires: `vector` is NULL or open.
 */
void *oh_mmapvector_data(const struct oh_mmapvector *vector);

/**
 * `OH_ERR_IO` if the file was cut short, or could not be read, so that zeros took the place of
 * some elements. Look after reading, not before.
 *
 * Requires: `vector` is open.
 */
enum oh_status oh_mmapvector_check(const struct oh_mmapvector *vector);

/**
 * Copies element `index` to `element`. `OH_ERR_RANGE` past the end.
 *
 * Requires: `vector` is open; an element can be written at `element`.
 */
enum oh_status oh_mmapvector_get(const struct oh_mmapvector *vector, uint64_t index, void *element);

/**
 * Changes an element that was not flushed. `OH_ERR_RANGE` past the end, `OH_ERR_UNSUPPORTED` for a
 * flushed one: those do not change.
 *
 * Requires: `vector` is open and used by no one else meanwhile; an element can be read at `element`.
 */
enum oh_status oh_mmapvector_set(struct oh_mmapvector *vector, uint64_t index, const void *element);

/**
 * Appends `count` elements that lie one after another: all of them or none. `OH_ERR_FULL` if the
 * disk is full, or the vector of fixed size.
 *
 * Requires: `vector` is open and used by no one else meanwhile; so many elements at `elements` are readable,
 * and not the vector's own.
 */
enum oh_status oh_mmapvector_push(struct oh_mmapvector *vector, const void *elements, size_t count);

/**
 * Drops all elements from `length` on; nothing if there are fewer. Flushed ones are gone for good
 * with the next flush, and the first push in their place flushes by itself.
 *
 * Requires: `vector` is open and used by no one else meanwhile.
 */
enum oh_status oh_mmapvector_truncate(struct oh_mmapvector *vector, uint64_t length);

/**
 * Makes room for `additional` elements more, so that pushing them allocates nothing.
 *
 * Requires: `vector` is open and used by no one else meanwhile.
 */
enum oh_status oh_mmapvector_reserve(struct oh_mmapvector *vector, uint64_t additional);

/**
 * Returns when all elements are on the disk, and will be found there after the process is killed,
 * or the power fails as far as the device honours a sync.
 *
 * `OH_ERR_IO` if the disk refuses. Then this handle is of no more use; opening anew tells what is
 * there.
 *
 * Requires: `vector` is open and used by no one else meanwhile.
 */
enum oh_status oh_mmapvector_flush(struct oh_mmapvector *vector);

/**
 * For a handle that reads: takes in what the writer flushed since. Gives the length.
 *
 * Requires: `vector` is open and used by no one else meanwhile; `length` is writable.
 */
enum oh_status oh_mmapvector_refresh(struct oh_mmapvector *vector, uint64_t *length);

/**
 * Compares the flushed elements with their checksum: O(bytes). `OH_ERR_CORRUPT` if they differ.
 *
 * Requires: `vector` is open.
 */
enum oh_status oh_mmapvector_validate(const struct oh_mmapvector *vector);

/**
 * Closes the file and frees the handle. What was not flushed is discarded. NULL is fine.
 *
 * Requires: `vector` is NULL, or open and not used again.
 */
void oh_mmapvector_close(struct oh_mmapvector *vector);

/**
 * Whether the system knows about NUMA nodes and this process may ask; true on a machine with one
 * node, too. Where it is false, the functions below see one node, 0, with everything.
 */
bool oh_numa_available(void);

/**
 * How many nodes are online. At least 1. Nodes may come and go (hot-plugging), so
 * `oh_numa_node_at` can still fail.
 *
 * Requires: `count` is writable.
 */
enum oh_status oh_numa_node_count(size_t *count);

/**
 * The node at `index` (from 0, in the order of their numbers), its memory and its counters, as
 * they are now. `OH_ERR_RANGE` if there are not so many.
 *
 * Requires: `node` is writable.
 */
enum oh_status oh_numa_node_at(size_t index, struct oh_numa_node *node);

/**
 * The logical processors of the node at `index`, ascending: as many as `capacity` has room for.
 * `count` is how many there are in all.
 *
 * Requires: `cpus` has room for `capacity` numbers, or `capacity` is 0; `count` is writable.
 */
enum oh_status oh_numa_cpus(size_t index, uint32_t *cpus, size_t capacity, size_t *count);

/**
 * How far the nodes are from the node at `index`, in their order: 10 for itself, 20 for twice as
 * far. As many as `capacity` has room for; `count` is how many there are in all.
 *
 * Requires: `distances` has room for `capacity` numbers, or `capacity` is 0; `count` is writable.
 */
enum oh_status oh_numa_distances(size_t index, uint32_t *distances, size_t capacity, size_t *count);

/**
 * The node on which this thread runs at this moment. It may run elsewhere at the next.
 */
uint32_t oh_numa_current_node(void);

/**
 * Says where the whole pages inside `length` bytes at `base` come from: an `OH_NUMA_…` policy, and
 * for `OH_NUMA_NODE` which node (otherwise 0). Pages that are there already move, under
 * `OH_NUMA_NODE` and `OH_NUMA_INTERLEAVE`. With `populate` all of them are brought in now, so that
 * their places are settled.
 *
 * `OH_ERR_RANGE` if there is no such policy, or no such node with memory; `OH_ERR_UNSUPPORTED`
 * where the system forbids it (as some containers do); `OH_ERR_OOM` where there is not so much
 * memory. Where there is no NUMA, every policy and node 0 are fine, and nothing moves.
 *
 * Requires: The bytes are mapped, and with `populate` writable.
 */
enum oh_status oh_numa_place(void *base,
                             size_t length,
                             uint32_t policy,
                             uint32_t node,
                             bool populate_now);

/**
 * On which node each page of the `length` bytes at `base` is, in order; `OH_NUMA_NOWHERE` for a
 * page that nobody has written to yet. A page that belongs to the bytes only in part counts, too.
 * As many as `capacity` has room for; `count` is how many pages there are in all. About 0.1 µs a
 * page.
 *
 * `OH_ERR_UNSUPPORTED` where the system forbids asking. Where there is no NUMA, every page is on
 * node 0.
 *
 * Requires: The bytes are mapped; `nodes` has room for `capacity` numbers, or `capacity` is 0; `count` is
 * writable.
 */
enum oh_status oh_numa_nodes_of(const void *base,
                                size_t length,
                                int32_t *nodes,
                                size_t capacity,
                                size_t *count);

/**
 * Counts the pages of the `length` bytes at `base`: adds to `counts[n]` for each that is on node
 * n, and gives how many are nowhere yet. `OH_ERR_RANGE` if a page is on a node for which there is
 * no count; 1,024 counts are always enough.
 *
 * Requires: The bytes are mapped; `counts` has `capacity` numbers; `nowhere` is writable.
 */
enum oh_status oh_numa_count_pages(const void *base,
                                   size_t length,
                                   uint64_t *counts,
                                   size_t capacity,
                                   uint64_t *nowhere);

/**
 * Bytes of memory that a pool with these options takes. Where nodes come and go,
 * `oh_numapool_init` may need more a moment later; name the nodes if that matters.
 *
 * Requires: `options` points to a struct of the size it says, with `node_count` nodes; `out` is writable.
 */
enum oh_status oh_numapool_region_size(const struct oh_numapool_options *options, uint64_t *out);

/**
 * Makes an empty pool in `length` bytes at `base`, at least `oh_numapool_region_size`. What they
 * held is overwritten with zeros, unless the caller says that they are `zeroed`, as fresh memory
 * of the system is; then pages that hold no bookkeeping stay untouched. The pool is on its nodes
 * only after `oh_numapool_place`. `base` is best a multiple of 64 KiB: pages belong to a node
 * whole. `OH_ERR_FULL` if the bytes are too few.
 *
 * Requires: `base` is valid for writing `length` bytes that no other thread uses; `options` as for
 * `oh_numapool_region_size`.
 */
enum oh_status oh_numapool_init(void *base,
                                size_t length,
                                const struct oh_numapool_options *options,
                                bool zeroed);

/**
 * Checks in constant time that the memory holds a pool.
 *
 * Requires: `base` is valid for reading `length` bytes.
 */
enum oh_status oh_numapool_check(const void *base, size_t length);

/**
 * Proves that a pool's bookkeeping is sound. `OH_ERR_CORRUPT` says, through `oh_last_error`, what
 * is wrong first.
 *
 * Requires: `base` is valid for reading `length` bytes, and no other thread allocates or frees in the pool.
 */
enum oh_status oh_numapool_validate(const void *base, size_t length);

/**
 * Makes a view of the pool in `length` bytes at `base`, which is checked. After `OH_OK` no
 * function here reads or writes outside it, whatever else it holds.
 *
 * Requires: `base` is valid for reading and writing `length` bytes until the view is closed; `out` is
 * writable.
 */
enum oh_status oh_numapool_attach(void *base, size_t length, struct oh_numapool **out);

/**
 * Frees a view. The pool stays as it is. NULL is fine.
 *
 * Requires: `pool` is NULL, or a view that is not used again.
 */
void oh_numapool_close(struct oh_numapool *pool);

/**
 * Puts each node's blocks on that node: pages that are there already move, others go there when
 * they are touched. (Best is fresh memory: a huge page that was touched before, and lies in two
 * nodes' blocks, moves as a whole.) With `populate` all of them are brought in now. Errors as for
 * `oh_numa_place`; `OH_ERR_RANGE` names a node that the machine has not. Where there is one node
 * there is nothing to place.
 *
 * Requires: `pool` is a view that was not closed.
 */
enum oh_status oh_numapool_place(const struct oh_numapool *pool, bool populate);

/**
 * The first byte of the pool's data: a block at offset `o` begins `o` bytes behind it. NULL for
 * NULL.
 *
 * Requires: `pool` is NULL or a view that was not closed.
 */
void *oh_numapool_data(const struct oh_numapool *pool);

/**
 * Allocates a block of at least `bytes` bytes, on the node that the policy says or the nearest
 * that has room: its offset from `oh_numapool_data`. `OH_ERR_FULL` where none has. One thread at a
 * time.
 *
 * Requires: `pool` is a view that was not closed, and used by this thread only; `out` is writable.
 */
enum oh_status oh_numapool_alloc(struct oh_numapool *pool, uint64_t bytes, uint64_t *out);

/**
 * As `oh_numapool_alloc`, but on this node first, whatever the policy. `OH_ERR_RANGE` if the pool
 * has none of its memory.
 *
 * Requires: As for `oh_numapool_alloc`.
 */
enum oh_status oh_numapool_alloc_on(struct oh_numapool *pool,
                                    uint32_t node,
                                    uint64_t bytes,
                                    uint64_t *out);

/**
 * Gives a block back. `OH_ERR_STALE` for one that is free already, `OH_ERR_RANGE` for an offset
 * where none begins, `OH_ERR_CORRUPT` for one whose guard was overwritten; it stays allocated. One
 * thread at a time.
 *
 * Requires: As for `oh_numapool_alloc`.
 */
enum oh_status oh_numapool_free(struct oh_numapool *pool, uint64_t offset);

/**
 * How many bytes the allocated block at `offset` has for its user. Errors as for
 * `oh_numapool_free`.
 *
 * Requires: As for `oh_numapool_alloc`.
 */
enum oh_status oh_numapool_room(const struct oh_numapool *pool, uint64_t offset, uint64_t *out);

/**
 * The number of the node to which the memory at an offset belongs. `OH_ERR_RANGE` behind the data.
 *
 * Requires: `pool` is a view that was not closed; `out` is writable.
 */
enum oh_status oh_numapool_node_of(const struct oh_numapool *pool, uint64_t offset, uint32_t *out);

/**
 * Which node of the list is where this thread runs, or nearest to that: its place, from 0 on. What
 * the policy `OH_NUMA_LOCAL` asks every 256 requests.
 *
 * Requires: As for `oh_numapool_node_of`.
 */
enum oh_status oh_numapool_near(const struct oh_numapool *pool, uint32_t *out);

/**
 * Counts and sizes.
 *
 * Requires: `pool` is a view that was not closed; `out` is writable.
 */
enum oh_status oh_numapool_get_stats(const struct oh_numapool *pool, struct oh_numapool_stats *out);

/**
 * Counts and sizes of the node that is `at` in the list, from 0 on. With `placement` the kernel is
 * asked where its pages are, which costs about 0.1 µs a page. `OH_ERR_RANGE` if there is no such
 * node; `OH_ERR_UNSUPPORTED` where the kernel does not say.
 *
 * Requires: `pool` is a view that was not closed; `out` is writable.
 */
enum oh_status oh_numapool_node_at(const struct oh_numapool *pool,
                                   size_t at,
                                   bool placement,
                                   struct oh_numapool_node *out);

/**
 * Makes an empty vector with room for `capacity` elements. Free it with `oh_owned_vector_free`.
 *
 * Requires: `out` is writable.
 */
enum oh_status oh_owned_vector_new(uint32_t ty, size_t capacity, struct oh_owned_vector **out);

/**
 * Appends `count` elements.
 *
 * Requires: `vec` is from `oh_owned_vector_new`, used by no other thread meanwhile; `values` has `count`
 * elements of its type, which are not in it.
 */
enum oh_status oh_owned_vector_push(struct oh_owned_vector *vec, const void *values, size_t count);

/**
 * Removes the elements from `len` on. Does nothing if there are no more.
 *
 * Requires: As for `oh_owned_vector_push`.
 */
enum oh_status oh_owned_vector_truncate(struct oh_owned_vector *vec, size_t len);

/**
 * Makes room for `capacity` elements in all.
 *
 * Requires: As for `oh_owned_vector_push`.
 */
enum oh_status oh_owned_vector_reserve(struct oh_owned_vector *vec, size_t capacity);

/**
 * Sorts, as `oh_vector_sort` does.
 *
 * Requires: As for `oh_owned_vector_push`.
 */
enum oh_status oh_owned_vector_sort(struct oh_owned_vector *vec);

/**
 * How many elements there are. 0 for NULL.
 *
 * Requires: As for `oh_owned_vector_push`, or NULL.
 */
size_t oh_owned_vector_count(const struct oh_owned_vector *vec);

/**
 * The first element, at a multiple of 64; NULL for NULL. It moves when the vector grows.
 *
 * Requires: As for `oh_owned_vector_count`.
 */
void *oh_owned_vector_data(struct oh_owned_vector *vec);

/**
 * The region of a vector, for the functions `oh_vector_*`, and to save. Good until the vector is
 * changed; those functions must not change its length.
 *
 * Requires: As for `oh_owned_vector_push`; the outputs are writable.
 */
enum oh_status oh_owned_vector_region(struct oh_owned_vector *vec, void **base, size_t *length);

/**
 * Frees a vector. NULL is fine.
 *
 * Requires: `vec` is NULL, or from `oh_owned_vector_new`, and is not used again.
 */
void oh_owned_vector_free(struct oh_owned_vector *vec);

/**
 * How many bits the largest of `count` integers needs, at least 1. `type` is the `oh_type` of the
 * array's elements, any numeric one. `OH_ERR_RANGE` for an element that is negative, fractional,
 * NaN, or a float from 2^53 on.
 *
 * Requires: `values` points to `count` elements of the type, `out` is writable.
 */
enum oh_status oh_packedints_measure(const void *values,
                                     uint32_t type,
                                     size_t count,
                                     uint32_t *out);

/**
 * Bytes of memory that `count` integers of `bits` bits take, 1 to 64.
 *
 * Requires: `out` is writable.
 */
enum oh_status oh_packedints_region_size(uint64_t count, uint32_t bits, size_t *out);

/**
 * Packs `count` integers into `length` bytes at `base`, at least `oh_packedints_region_size`. What
 * they held is overwritten. With `OH_ERR_RANGE` (an integer is negative, fractional, or needs more
 * bits) the memory is no region.
 *
 * Requires: `base` is valid for writing `length` bytes that no other thread uses; `values` points to `count`
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
 * Checks in constant time that the memory holds packed integers. After `OH_OK` no function here
 * reads outside it, whatever else it holds; and each checks the same again by itself.
 *
 * Requires: `base` is valid for reading `length` bytes.
 */
enum oh_status oh_packedints_check(const void *base, size_t length);

/**
 * Proves that all contents are sound. O(bytes). `OH_ERR_CORRUPT` says, through `oh_last_error`,
 * what is wrong first.
 *
 * Requires: `base` is valid for reading `length` bytes.
 */
enum oh_status oh_packedints_validate(const void *base, size_t length);

/**
 * What the region holds.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_packedints_get_info(const void *base,
                                      size_t length,
                                      struct oh_packedints_info *out);

/**
 * The integer at an index. `OH_ERR_RANGE` past the end.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_packedints_at(const void *base, size_t length, uint64_t index, uint64_t *out);

/**
 * The integers at `count` indices: `out[i]` belongs to `indices[i]`. Both types are `oh_type`s,
 * numeric ones; those of `out` must hold integers of so many bits. `OH_ERR_RANGE`, with nothing
 * written, for an index past the end.
 *
 * Requires: `base` is valid for reading `length` bytes; `indices` points to `count` elements of its type,
 * and so does `out`, which is writable and used by nobody else.
 */
enum oh_status oh_packedints_get_many(const void *base,
                                      size_t length,
                                      const void *indices,
                                      uint32_t index_type,
                                      size_t count,
                                      void *out,
                                      uint32_t out_type);

/**
 * The `count` integers from index `from` on, unpacked with vector instructions. `out_type` is an
 * `oh_type`, a numeric one that holds integers of so many bits. `OH_ERR_RANGE`, with nothing
 * written, if there are fewer.
 *
 * Requires: `base` is valid for reading `length` bytes; `out` points to `count` elements of its type,
 * writable, and used by nobody else.
 */
enum oh_status oh_packedints_unpack(const void *base,
                                    size_t length,
                                    uint64_t from,
                                    size_t count,
                                    void *out,
                                    uint32_t out_type);

/**
 * Plans rank and select for a bit vector: counts its ones, picks a variant if it is to
 * (`OH_RANKSELECT_AUTO`), and tells through `region_size` how much memory it takes.
 * `OH_ERR_RANGE` if the bits can not be stored in the variant.
 *
 * Requires: `bits` is valid for reading `bits_length` bytes, `out` is writable.
 */
enum oh_status oh_rankselect_plan(const void *bits,
                                  size_t bits_length,
                                  uint32_t variant,
                                  struct oh_rankselect_info *out);

/**
 * Builds what was planned for a bit vector, in `length` bytes at `base`. What they held is
 * overwritten. `OH_ERR_FULL` if they are too few, `OH_ERR_STALE` if the bit vector was changed
 * since; there is no region then.
 *
 * Requires: `base` is valid for writing `length` bytes that no other thread uses; `bits` is valid for
 * reading `bits_length` others; `planned` is what `oh_rankselect_plan` gave.
 */
enum oh_status oh_rankselect_build(void *base,
                                   size_t length,
                                   const void *bits,
                                   size_t bits_length,
                                   const struct oh_rankselect_info *planned);

/**
 * Checks in constant time that the memory holds bits with rank and select. After `OH_OK` no
 * function here reads outside it, whatever else it holds; and each checks the same again by
 * itself.
 *
 * Requires: `base` is valid for reading `length` bytes.
 */
enum oh_status oh_rankselect_check(const void *base, size_t length);

/**
 * Proves that all contents are sound: counts everything anew. `OH_ERR_CORRUPT` says, through
 * `oh_last_error`, what is wrong first.
 *
 * Requires: `base` is valid for reading `length` bytes.
 */
enum oh_status oh_rankselect_validate(const void *base, size_t length);

/**
 * What the region holds.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_rankselect_get_info(const void *base,
                                      size_t length,
                                      struct oh_rankselect_info *out);

/**
 * Whether a bit is set. `OH_ERR_RANGE` past the end.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_rankselect_get(const void *base, size_t length, uint64_t position, bool *out);

/**
 * Answers one question, an `oh_rankselect_query`. `OH_ERR_RANGE` for a rank at a position above
 * the number of bits, and a select where there are not more ones (or zeros) than `question`.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_rankselect_one(const void *base,
                                 size_t length,
                                 uint32_t query,
                                 uint64_t question,
                                 uint64_t *out);

/**
 * Answers `count` questions of one kind, an `oh_rankselect_query`: `out[i]` belongs to
 * `questions[i]`. The waits for memory overlap, so this is faster than one by one even where the
 * header's check would not matter. Both types are `oh_type`s, numeric ones; those of `out` must
 * hold every position. `OH_ERR_RANGE`, with nothing written, as for `oh_rankselect_one`.
 *
 * Requires: `base` is valid for reading `length` bytes; `questions` points to `count` elements of its type,
 * and so does `out`, which is writable and used by nobody else. They may be the same array.
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
 * A window of 1 to 2^24 bytes, of which none was seen. Free it with `oh_rollinghash_free`.
 *
 * Requires: `out` is writable.
 */
enum oh_status oh_rollinghash_new(size_t window, struct oh_rollinghash **out);

/**
 * Takes in `length` bytes; the oldest leave the window. `out` is the hash after the last.
 * O(window) at most.
 *
 * Requires: `hash` is from `oh_rollinghash_new`, used by no other thread meanwhile; `bytes` points to
 * `length` bytes that nobody writes; `out` is writable.
 */
enum oh_status oh_rollinghash_update(struct oh_rollinghash *hash,
                                     const void *bytes,
                                     size_t length,
                                     uint32_t *out);

/**
 * Takes in bytes up to where the window is full and the `bits` highest bits of its hash (1 to 32)
 * are zeros, which is in one of 2^bits places; or all of them.
 *
 * Requires: As for `oh_rollinghash_update`.
 */
enum oh_status oh_rollinghash_find(struct oh_rollinghash *hash,
                                   const void *bytes,
                                   size_t length,
                                   uint32_t bits,
                                   struct oh_rollinghash_place *out);

/**
 * `oh_rollinghash_find` for who keeps the window: `hash` is that of the first `window` bytes, and
 * the search begins with the one behind them. `OH_ERR_RANGE` where there are fewer.
 *
 * Requires: `length` bytes at `bytes` are readable; another thread may write them, and then the answer is of
 * no use. `out` is writable.
 */
enum oh_status oh_rollinghash_scan(const void *bytes,
                                   size_t length,
                                   size_t window,
                                   uint32_t hash,
                                   uint32_t bits,
                                   struct oh_rollinghash_place *out);

/**
 * The hash of the bytes in the window. 0 for NULL.
 *
 * Requires: As for `oh_rollinghash_update`, or NULL.
 */
uint32_t oh_rollinghash_value(const struct oh_rollinghash *hash);

/**
 * Whether as many bytes were seen as the window holds. Not for NULL.
 *
 * Requires: As for `oh_rollinghash_value`.
 */
bool oh_rollinghash_is_full(const struct oh_rollinghash *hash);

/**
 * Forgets all bytes.
 *
 * Requires: As for `oh_rollinghash_update`.
 */
enum oh_status oh_rollinghash_reset(struct oh_rollinghash *hash);

/**
 * The hash of bytes that fill a window of their length.
 *
 * Requires: `bytes` points to `length` bytes that nobody writes, `out` is writable.
 */
enum oh_status oh_rollinghash_of(const void *bytes, size_t length, uint32_t *out);

/**
 * Frees a rolling hash. NULL is fine.
 *
 * Requires: `hash` is NULL, or from `oh_rollinghash_new`, and is not used again.
 */
void oh_rollinghash_free(struct oh_rollinghash *hash);

/**
 * Looks `count` keys up at once, `keys[i]` in the map with id `ids[i]`: several times faster than
 * one by one, because their waits for memory overlap. `ids` is an array of `id_type`:
 * `OH_TYPE_U32`, `OH_TYPE_U64` or `OH_TYPE_F64`. `keys` and `values` are arrays of the arena's
 * types (ids of strings are 32 bits). `values[i]` is left as it was where `keys[i]` is missing;
 * `found[i]`, unless `found` is NULL, is then 0 and otherwise 1. `*out` is how many were found.
 *
 * `schema` is 0, or key type + 256 × value type: then an arena of other types is `OH_ERR_TYPE`.
 *
 * Any thread may call it while the owner writes. `OH_ERR_STALE` at the first id that names no map,
 * or if the arena meanwhile outgrew `length`: what was found so far is written.
 *
 * Requires: `base` is valid for reading `length` bytes; the arrays have `count` elements, and only the
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
 * Sets `keys[i]` to `values[i]` in the map with id `ids[i]`, for i from `from` to `count` − 1.
 * `*out` is the index of the first that was not set because the arena is full (then make room for
 * it, and call it again with that as `from`), else `count`. `OH_ERR_STALE`, with nothing changed,
 * if an id names no map, or a key or value of that type no string.
 *
 * Requires: As for `oh_smallmap_arena_make_room`; the arrays as for `oh_smallmap_arena_get_many`; `out` is
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
 * Copies a map's entries, in the order of insertion, into arrays of `capacity` elements of the
 * arena's types. `*out` is how many entries there are, which may be more than were copied.
 *
 * Requires: `base` is valid for reading `length` bytes; the arrays have `capacity` elements; `out` is
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
 * How many entries a map has, and whether they are in the table.
 *
 * Requires: `base` is valid for reading `length` bytes; the outputs are writable.
 */
enum oh_status oh_smallmap_arena_count(const void *base,
                                       size_t length,
                                       uint64_t id,
                                       uint32_t *size,
                                       bool *promoted);

/**
 * The value of a key. `*found` says whether it is there; if not, `*value` is not written.
 *
 * Requires: `base` is valid for reading `length` bytes; the outputs are writable.
 */
enum oh_status oh_smallmap_arena_get(const void *base,
                                     size_t length,
                                     uint64_t id,
                                     uint64_t key,
                                     uint64_t *value,
                                     bool *found);

/**
 * Gives a key a value. `OH_ERR_FULL` if there is no room: make room for a block, and for 10
 * positions if the map has 8 entries or more, and call it again. `OH_ERR_STALE` if `id` names no
 * map, or a key or value of that type no string.
 *
 * Requires: As for `oh_smallmap_arena_make_room`.
 */
enum oh_status oh_smallmap_arena_set(void *base,
                                     size_t length,
                                     uint64_t id,
                                     uint64_t key,
                                     uint64_t value);

/**
 * Removes a key. `*removed` says whether it was there. `OH_ERR_FULL` if that needs a slot and
 * there is none: make room for a block, and call it again.
 *
 * Requires: As for `oh_smallmap_arena_make_room`; `removed` is writable.
 */
enum oh_status oh_smallmap_arena_remove(void *base,
                                        size_t length,
                                        uint64_t id,
                                        uint64_t key,
                                        bool *removed);

/**
 * The id of a string (UTF-8, or WTF-8 if it has lone surrogates), which is made if the arena does
 * not have it. An id is good until the next `oh_smallmap_arena_make_room`, and from when an entry
 * refers to it for as long as one does. `OH_ERR_FULL` if there is no room.
 *
 * Requires: As for `oh_smallmap_arena_make_room`; `text` has `text_length` bytes; `out` is writable.
 */
enum oh_status oh_smallmap_arena_intern(void *base,
                                        size_t length,
                                        const void *text,
                                        size_t text_length,
                                        uint32_t *out);

/**
 * The id of a string that the arena has. `*found` says whether it has; if not, `*out` is not
 * written.
 *
 * Requires: `base` is valid for reading `length` bytes, `text` has `text_length` bytes; the outputs are
 * writable.
 */
enum oh_status oh_smallmap_arena_find_string(const void *base,
                                             size_t length,
                                             const void *text,
                                             size_t text_length,
                                             uint32_t *out,
                                             bool *found);

/**
 * The bytes of a string, in the region; no NUL follows them. They are good until
 * `oh_smallmap_arena_make_room`. `OH_ERR_STALE` if there is no string with this id.
 *
 * Requires: `base` is valid for reading `length` bytes; the outputs are writable.
 */
enum oh_status oh_smallmap_arena_string(const void *base,
                                        size_t length,
                                        uint32_t id,
                                        const void **text,
                                        size_t *text_length);

/**
 * Bytes of memory that an arena with these options takes.
 *
 * Requires: `options` points to a struct of the size it says, `out` is writable.
 */
enum oh_status oh_smallmap_arena_region_size(const struct oh_smallmap_arena_options *options,
                                             size_t *out);

/**
 * Makes an empty arena in `length` bytes at `base`, at least `oh_smallmap_arena_region_size`. What
 * they held is overwritten. `OH_ERR_FULL` if they are too few. The memory stays yours, and there
 * is nothing to free but it.
 *
 * Requires: `base` is valid for writing `length` bytes that no other thread uses; `options` as for
 * `oh_smallmap_arena_region_size`.
 */
enum oh_status oh_smallmap_arena_init(void *base,
                                      size_t length,
                                      const struct oh_smallmap_arena_options *options);

/**
 * Checks in constant time that the memory holds an arena. After `OH_OK` no function here reads or
 * writes outside it, whatever else it holds; and each checks the same again by itself.
 *
 * Requires: `base` is valid for reading `length` bytes.
 */
enum oh_status oh_smallmap_arena_check(const void *base, size_t length);

/**
 * Proves that all contents of an arena are sound; takes about one lookup for each entry.
 * `OH_ERR_CORRUPT` says, through `oh_last_error`, what is wrong first.
 *
 * Requires: `base` is valid for reading `length` bytes.
 */
enum oh_status oh_smallmap_arena_validate(const void *base, size_t length);

/**
 * What an arena is and holds. While the owner rearranges it, it waits.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_smallmap_arena_get_info(const void *base,
                                          size_t length,
                                          struct oh_smallmap_arena_info *out);

/**
 * Bytes that the region will have after `oh_smallmap_arena_make_room` with the same `room`.
 *
 * Requires: `base` is valid for reading `length` bytes, `room` is NULL or points to a struct of the size it
 * says, `out` is writable.
 */
enum oh_status oh_smallmap_arena_room_region_size(const void *base,
                                                  size_t length,
                                                  const struct oh_smallmap_arena_room *room,
                                                  size_t *out);

/**
 * Makes room in an arena where one is full: packs slots, drops strings that nothing refers to,
 * gives sections larger capacities, in place. With `room` NULL it gives up all that is not in use
 * instead. `OH_ERR_FULL` if `length` is below `oh_smallmap_arena_room_region_size`; a call that is
 * refused changes nothing. Ids of maps, and of strings that an entry refers to, stay.
 *
 * Requires: `base` is valid for writing `length` bytes, and nobody else writes the region; `room` as for
 * `oh_smallmap_arena_room_region_size`.
 */
enum oh_status oh_smallmap_arena_make_room(void *base,
                                           size_t length,
                                           const struct oh_smallmap_arena_room *room);

/**
 * Makes an empty map: its id, below 2^53. `OH_ERR_FULL` if there is no room.
 *
 * Requires: As for `oh_smallmap_arena_make_room`; `out` is writable.
 */
enum oh_status oh_smallmap_arena_create(void *base, size_t length, uint64_t *out);

/**
 * Gives a map back: its entries are gone, and its id is stale. `OH_ERR_STALE` if it is so already.
 *
 * Requires: As for `oh_smallmap_arena_make_room`.
 */
enum oh_status oh_smallmap_arena_release(void *base, size_t length, uint64_t id);

/**
 * Removes all entries of a map, and demotes it.
 *
 * Requires: As for `oh_smallmap_arena_make_room`.
 */
enum oh_status oh_smallmap_arena_clear(void *base, size_t length, uint64_t id);

/**
 * Moves the entries of a map that has 8 in line to the table, as a ninth would. `OH_ERR_FULL` if
 * there are not 10 positions.
 *
 * Requires: As for `oh_smallmap_arena_make_room`.
 */
enum oh_status oh_smallmap_arena_promote(void *base, size_t length, uint64_t id);

/**
 * Looks `count` keys up at once, `keys[i]` in the map with id `ids[i]`: several times faster than
 * one by one, because their waits for memory overlap. `ids` is an array of `id_type`:
 * `OH_TYPE_U32`, `OH_TYPE_U64` or `OH_TYPE_F64`. `keys` and `values` are arrays of the arena's
 * types (ids of strings are 32 bits). `values[i]` is left as it was where `keys[i]` is missing;
 * `found[i]`, unless `found` is NULL, is then 0 and otherwise 1. `*out` is how many were found.
 *
 * `schema` is 0, or key type + 256 × value type: then an arena of other types is `OH_ERR_TYPE`.
 *
 * Any thread may call it while the owner writes. `OH_ERR_STALE` at the first id that names no map,
 * or if the arena meanwhile outgrew `length`: what was found so far is written.
 *
 * Requires: `base` is valid for reading `length` bytes; the arrays have `count` elements, and only the
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
 * Sets `keys[i]` to `values[i]` in the map with id `ids[i]`, for i from `from` to `count` − 1.
 * `*out` is the index of the first that was not set because the arena is full (then make room for
 * it, and call it again with that as `from`), else `count`. `OH_ERR_STALE`, with nothing changed,
 * if an id names no map, or a key or value of that type no string.
 *
 * Requires: As for `oh_smallmap_arena_make_room`; the arrays as for `oh_smallmap_arena_get_many`; `out` is
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
 * Copies a map's entries, in the order of insertion, into arrays of `capacity` elements of the
 * arena's types. `*out` is how many entries there are, which may be more than were copied.
 *
 * Requires: `base` is valid for reading `length` bytes; the arrays have `capacity` elements; `out` is
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
 * How many entries a map has, and whether they are in the table.
 *
 * Requires: `base` is valid for reading `length` bytes; the outputs are writable.
 */
enum oh_status oh_smallmap_arena_count(const void *base,
                                       size_t length,
                                       uint64_t id,
                                       uint32_t *size,
                                       bool *promoted);

/**
 * The value of a key. `*found` says whether it is there; if not, `*value` is not written.
 *
 * Requires: `base` is valid for reading `length` bytes; the outputs are writable.
 */
enum oh_status oh_smallmap_arena_get(const void *base,
                                     size_t length,
                                     uint64_t id,
                                     uint64_t key,
                                     uint64_t *value,
                                     bool *found);

/**
 * Gives a key a value. `OH_ERR_FULL` if there is no room: make room for a block, and for 10
 * positions if the map has 8 entries or more, and call it again. `OH_ERR_STALE` if `id` names no
 * map, or a key or value of that type no string.
 *
 * Requires: As for `oh_smallmap_arena_make_room`.
 */
enum oh_status oh_smallmap_arena_set(void *base,
                                     size_t length,
                                     uint64_t id,
                                     uint64_t key,
                                     uint64_t value);

/**
 * Removes a key. `*removed` says whether it was there. `OH_ERR_FULL` if that needs a slot and
 * there is none: make room for a block, and call it again.
 *
 * Requires: As for `oh_smallmap_arena_make_room`; `removed` is writable.
 */
enum oh_status oh_smallmap_arena_remove(void *base,
                                        size_t length,
                                        uint64_t id,
                                        uint64_t key,
                                        bool *removed);

/**
 * The id of a string (UTF-8, or WTF-8 if it has lone surrogates), which is made if the arena does
 * not have it. An id is good until the next `oh_smallmap_arena_make_room`, and from when an entry
 * refers to it for as long as one does. `OH_ERR_FULL` if there is no room.
 *
 * Requires: As for `oh_smallmap_arena_make_room`; `text` has `text_length` bytes; `out` is writable.
 */
enum oh_status oh_smallmap_arena_intern(void *base,
                                        size_t length,
                                        const void *text,
                                        size_t text_length,
                                        uint32_t *out);

/**
 * The id of a string that the arena has. `*found` says whether it has; if not, `*out` is not
 * written.
 *
 * Requires: `base` is valid for reading `length` bytes, `text` has `text_length` bytes; the outputs are
 * writable.
 */
enum oh_status oh_smallmap_arena_find_string(const void *base,
                                             size_t length,
                                             const void *text,
                                             size_t text_length,
                                             uint32_t *out,
                                             bool *found);

/**
 * The bytes of a string, in the region; no NUL follows them. They are good until
 * `oh_smallmap_arena_make_room`. `OH_ERR_STALE` if there is no string with this id.
 *
 * Requires: `base` is valid for reading `length` bytes; the outputs are writable.
 */
enum oh_status oh_smallmap_arena_string(const void *base,
                                        size_t length,
                                        uint32_t id,
                                        const void **text,
                                        size_t *text_length);

/**
 * Makes an empty map. Keys: numbers, `OH_TYPE_STRING` or `OH_TYPE_BYTES`; values: numbers or
 * `OH_TYPE_BOOL` (both an `oh_type`). `*out` must be given to `oh_standalone_smallmap_free`.
 *
 * Requires: `out` is writable.
 */
enum oh_status oh_standalone_smallmap_new(uint32_t key_type,
                                          uint32_t value_type,
                                          struct oh_standalone_smallmap **out);

/**
 * Frees a map. NULL is allowed.
 *
 * Requires: `map` is NULL, or came from `oh_standalone_smallmap_new` and is not used again.
 */
void oh_standalone_smallmap_free(struct oh_standalone_smallmap *map);

/**
 * How many entries there are.
 *
 * Requires: `map` is a map that no other thread changes; `out` is writable.
 */
enum oh_status oh_standalone_smallmap_count(const struct oh_standalone_smallmap *map, size_t *out);

/**
 * Whether the entries are in a hash table: since there were more than 8, until
 * `oh_standalone_smallmap_clear`.
 *
 * Requires: As for `oh_standalone_smallmap_count`.
 */
enum oh_status oh_standalone_smallmap_promoted(const struct oh_standalone_smallmap *map, bool *out);

/**
 * Looks a key up. `*value` points to its value in the map, which may be written there, and is NULL
 * if the key is not there. Good until the map is changed.
 *
 * Requires: As for `oh_standalone_smallmap_count`; `key` is valid for `key_length` bytes; the outputs are
 * writable.
 */
enum oh_status oh_standalone_smallmap_get(const struct oh_standalone_smallmap *map,
                                          const void *key,
                                          size_t key_length,
                                          const void **value,
                                          size_t *value_length);

/**
 * Inserts a key or gives it a new value. `*inserted`, unless it is NULL, tells whether the key was
 * new. `OH_ERR_OOM`, and nothing is changed, if it can not grow.
 *
 * Requires: `map` is a map that no other thread uses; `key` and `value` are valid for as many bytes as is
 * said.
 */
enum oh_status oh_standalone_smallmap_set(struct oh_standalone_smallmap *map,
                                          const void *key,
                                          size_t key_length,
                                          const void *value,
                                          size_t value_length,
                                          bool *inserted);

/**
 * Removes a key. `*removed`, unless it is NULL, tells whether it was there. The order of the
 * others stays.
 *
 * Requires: As for `oh_standalone_smallmap_set`.
 */
enum oh_status oh_standalone_smallmap_remove(struct oh_standalone_smallmap *map,
                                             const void *key,
                                             size_t key_length,
                                             bool *removed);

/**
 * Makes room for so many entries in all, so that insertions do not fail until there are more. More
 * than 8 promote the map.
 *
 * Requires: `map` is a map that no other thread uses.
 */
enum oh_status oh_standalone_smallmap_reserve(struct oh_standalone_smallmap *map, size_t entries);

/**
 * Removes all entries and gives up the hash table, if there is one.
 *
 * Requires: As for `oh_standalone_smallmap_reserve`.
 */
enum oh_status oh_standalone_smallmap_clear(struct oh_standalone_smallmap *map);

/**
 * The next entry in insertion order. `*cursor` is 0 to begin with, and 0 again when there was none
 * left. The map must not be changed meanwhile, except for values.
 *
 * ```c
 * size_t cursor = 0;
 * oh_standalone_smallmap_entry entry;
 * while (oh_standalone_smallmap_next(map, &cursor, &entry) == OH_OK && cursor != 0) { … }
 * ```
 *
 * Requires: As for `oh_standalone_smallmap_count`; `cursor` and `out` are writable.
 */
enum oh_status oh_standalone_smallmap_next(const struct oh_standalone_smallmap *map,
                                           size_t *cursor,
                                           struct oh_standalone_smallmap_entry *out);

/**
 * Bytes of memory that the suffix array of a text of so many bytes takes, with the text.
 * `OH_ERR_RANGE` for more than 2^31 - 2 bytes.
 *
 * Requires: `out` is writable.
 */
enum oh_status oh_suffixarray_region_size(size_t text_length, size_t *out);

/**
 * Sorts the suffixes of a text into `length` bytes at `base`, at least
 * `oh_suffixarray_region_size`, else `OH_ERR_FULL`. The text is copied. O(text_length). With an
 * error the memory is no region: `OH_ERR_OOM` where temporary memory is refused.
 *
 * Requires: `base` is valid for writing `length` bytes that no other thread uses; `text` points to
 * `text_length` other bytes.
 */
enum oh_status oh_suffixarray_build(void *base,
                                    size_t length,
                                    const void *text,
                                    size_t text_length);

/**
 * `oh_suffixarray_build` for a text that lies at `base + OH_SUFFIXARRAY_TEXT` already. `control`
 * is NULL, or says when it is done. Sorting can not be interrupted: with a control that was
 * cancelled it goes on to the end, `*finished` is false then, and the memory no region.
 *
 * Requires: `base` is valid for writing `length` bytes that no other thread uses; `control` is NULL, or
 * lives until this returns; `finished` is writable.
 */
enum oh_status oh_suffixarray_build_in_place(void *base,
                                             size_t length,
                                             size_t text_length,
                                             struct oh_control *control,
                                             bool *finished);

/**
 * Checks in constant time that the memory holds a suffix array. After `OH_OK` no function here
 * reads outside it, whatever else it holds; and each checks the same again by itself.
 *
 * Requires: `base` is valid for reading `length` bytes.
 */
enum oh_status oh_suffixarray_check(const void *base, size_t length);

/**
 * Proves that all suffixes are there, in order, and the checksum, if there is one. O(bytes); takes
 * 4 bytes of memory for each of the text.
 *
 * Requires: As for `oh_suffixarray_check`.
 */
enum oh_status oh_suffixarray_validate(const void *base, size_t length);

/**
 * Bytes of the text, and suffixes.
 *
 * Requires: As for `oh_suffixarray_check`; `out` is writable.
 */
enum oh_status oh_suffixarray_count(const void *base, size_t length, uint64_t *out);

/**
 * Where the suffix of a rank begins. `OH_ERR_RANGE` for a rank that there is none of. In damaged
 * memory any number.
 *
 * Requires: As for `oh_suffixarray_check`; `out` is writable.
 */
enum oh_status oh_suffixarray_at(const void *base, size_t length, uint64_t rank, uint64_t *out);

/**
 * Which suffixes begin with a pattern; `start` is where they would be if there are none.
 * O(pattern_length * log n). All begin with an empty one.
 *
 * Requires: As for `oh_suffixarray_check`; `pattern` points to `pattern_length` bytes that nobody writes,
 * `out` is writable.
 */
enum oh_status oh_suffixarray_search(const void *base,
                                     size_t length,
                                     const void *pattern,
                                     size_t pattern_length,
                                     struct oh_suffixarray_found *out);

/**
 * Bytes of an element of this type in a column or array: 1, 2, 4 or 8; 4 for strings and byte
 * sequences, of which columns hold references; 0 for `OH_TYPE_ANY` and for a number that is no
 * type.
 */
size_t oh_type_width(uint32_t ty);

/**
 * Bytes of memory for a vector of `capacity` elements.
 *
 * Requires: `out` is writable.
 */
enum oh_status oh_vector_region_size(uint32_t ty, uint64_t capacity, size_t *out);

/**
 * Makes an empty vector in `length` bytes at `base`: 256 at least, and a multiple of 8. It uses
 * them up to the last multiple of 64. The memory stays yours.
 *
 * Requires: `base` is valid for writing `length` bytes that no other thread uses.
 */
enum oh_status oh_vector_init(void *base, size_t length, uint32_t ty);

/**
 * Checks in constant time that the memory holds a vector. After `OH_OK` no function here reads or
 * writes outside it, whatever else it holds; and each checks the same again by itself.
 *
 * Requires: `base` is valid for reading `length` bytes.
 */
enum oh_status oh_vector_check(const void *base, size_t length);

/**
 * Proves the rest: the checksum, if there is one, and that words without a meaning are zero.
 *
 * Requires: `base` is valid for reading `length` bytes.
 */
enum oh_status oh_vector_validate(const void *base, size_t length);

/**
 * What a vector is and holds.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_vector_get_info(const void *base, size_t length, struct oh_vector_info *out);

/**
 * Appends `count` elements. `OH_ERR_FULL`, and nothing is changed, if they do not fit: then make
 * the memory longer, call `oh_vector_set_region`, and append again.
 *
 * Threads that only read may go on meanwhile. Other threads that write may not.
 *
 * Requires: `base` is valid for reading and writing `length` bytes, and no other thread writes them;
 * `values` has `count` elements.
 */
enum oh_status oh_vector_push(void *base,
                              size_t length,
                              uint32_t ty,
                              const void *values,
                              size_t count);

/**
 * Sets the number of elements, at most the capacity. New ones are whatever the memory holds.
 *
 * Requires: As for `oh_vector_push`.
 */
enum oh_status oh_vector_set_count(void *base, size_t length, uint64_t len);

/**
 * Makes the region `bytes` long, in memory that is: to use memory that was made longer, or to give
 * some up. A multiple of 64, and enough for the elements.
 *
 * Requires: As for `oh_vector_push`.
 */
enum oh_status oh_vector_set_region(void *base, size_t length, size_t bytes);

/**
 * Sets the elements from `from` up to `to`, which is not set, to the one at `value`.
 *
 * Requires: As for `oh_vector_push`; an element is readable at `value`.
 */
enum oh_status oh_vector_fill(void *base,
                              size_t length,
                              uint32_t ty,
                              const void *value,
                              uint64_t from,
                              uint64_t to);

/**
 * The sum. Integers are summed exactly, floats as if in twice the precision of a double. At the
 * speed of memory.
 *
 * This and the functions below that only read wait for a rearrangement of another thread to end,
 * and repeat what one disturbed.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_vector_sum(const void *base, size_t length, struct oh_sum *out);

/**
 * The least element, or the greatest, written to `out`. NaN if there is one; −0 is less than 0.
 * `*found` is false, and `out` as it was, if the vector is empty.
 *
 * Requires: `base` is valid for reading `length` bytes; `out` is writable for an element, `found` for a
 * boolean.
 */
enum oh_status oh_vector_extreme(const void *base,
                                 size_t length,
                                 uint32_t ty,
                                 bool greatest,
                                 void *out,
                                 bool *found);

/**
 * The index of the first element from `from` on that is equal to the one at `value`, or −1. Floats
 * are compared as `==` does; with `nan`, NaN is found besides.
 *
 * Requires: `base` is valid for reading `length` bytes, `value` for an element; `out` is writable.
 */
enum oh_status oh_vector_index_of(const void *base,
                                  size_t length,
                                  uint32_t ty,
                                  const void *value,
                                  uint64_t from,
                                  bool nan,
                                  int64_t *out);

/**
 * Sorts: ascending, −0 before 0, NaN last. NaNs may lose their signs. O(n).
 *
 * With `control` NULL it works in place where memory for a copy is refused, so it does not fail
 * for that. Otherwise it works on a copy, and can be stopped from another thread: `*finished` is
 * then false, and the vector as it was. Other threads may read meanwhile.
 *
 * Requires: As for `oh_vector_push`; `control` is NULL, or lives until this returns; `finished` is writable.
 */
enum oh_status oh_vector_sort(void *base,
                              size_t length,
                              struct oh_control *control,
                              bool *finished);

/**
 * Writes the indices of the elements, in the order that `oh_vector_sort` would give them, to
 * `out`; equal elements keep their order. `count` is the number of elements, or of the first ones
 * that are to be looked at. The indices are `uint32_t`, or, with `wide`, doubles: for vectors
 * beyond 2^32. `OH_ERR_OOM` where temporary memory (16 to 32 bytes an element) is refused.
 *
 * Requires: `base` is valid for reading `length` bytes; `out` is writable for `count` indices; `control` and
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
 * Binary search, in a vector sorted as `oh_vector_sort` does, for `count` elements at `values`:
 * `out[i]` is the index of the first element equal to `values[i]`, or −(j + 1), where j is the
 * index to insert it at. −0 is 0 here, and NaN is NaN.
 *
 * Requires: `base` is valid for reading `length` bytes; `values` has `count` elements, and `out` room for as
 * many answers.
 */
enum oh_status oh_vector_search(const void *base,
                                size_t length,
                                uint32_t ty,
                                const void *values,
                                size_t count,
                                int64_t *out);

/**
 * Bytes of a region that holds just the elements: what to save.
 *
 * Requires: `base` is valid for reading `length` bytes, `out` is writable.
 */
enum oh_status oh_vector_saved_size(const void *base, size_t length, size_t *out);

/**
 * Writes zeros over the region's bytes past the elements, which otherwise are whatever was there.
 *
 * Requires: As for `oh_vector_push`.
 */
enum oh_status oh_vector_zero_unused(void *base, size_t length);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* OFFHEAP_H */
