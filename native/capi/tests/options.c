/* Option structs: of a later version, of a wrong size, and with bools that are neither 0 nor 1. */
#include <offheap.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* Whether the message of the last error ends with `end`. */
static int said(const char* end) {
  char message[513];
  const size_t length = oh_last_error(message, sizeof message);
  return length >= strlen(end) && strcmp(message + length - strlen(end), end) == 0;
}

/* An option struct as the header of a later version would declare it. */
#define LATER(type)      \
  struct {               \
    type known;          \
    uint64_t unknown[2]; \
  }

static oh_status hashmap(const oh_hashmap_options* options) {
  size_t size = 0;
  return oh_hashmap_region_size(options, &size);
}
static oh_status arena(const oh_smallmap_arena_options* options) {
  size_t size = 0;
  return oh_smallmap_arena_region_size(options, &size);
}
static oh_status fixedpool(const oh_fixedpool_options* options) {
  uint64_t size = 0;
  return oh_fixedpool_region_size(options, &size);
}
static oh_status lockfreepool(const oh_lockfreepool_options* options) {
  uint64_t size = 0;
  return oh_lockfreepool_region_size(options, &size);
}
static oh_status numapool(const oh_numapool_options* options) {
  uint64_t size = 0;
  return oh_numapool_region_size(options, &size);
}
static _Alignas(64) unsigned char memory[1 << 16];
static oh_status bumparena(const oh_bumparena_options* options) {
  return oh_bumparena_init(memory, sizeof memory, options);
}
/* No such file: OH_ERR_IO says that the options were accepted. */
static oh_status mappedfile(const oh_mappedfile_options* options) {
  oh_mappedfile* file = NULL;
  const oh_status status = oh_mappedfile_open("/nowhere/at all", 15, options, &file);
  return status == OH_ERR_IO ? OH_OK : status;
}
static oh_status mmapvector(const oh_mmapvector_options* options) {
  oh_mmapvector* vector = NULL;
  const oh_status status = oh_mmapvector_open("/nowhere/at all", 15, false, options, &vector);
  return status == OH_ERR_IO ? OH_OK : status;
}

/* Calls a function with options of this version, of a later one, and with invalid sizes. */
#define VERSIONS(type, call, prepare)                                       \
  do {                                                                      \
    LATER(type) later;                                                      \
    memset(&later, 0, sizeof later);                                        \
    type* const options = &later.known;                                     \
    prepare;                                                                \
    options->struct_size = sizeof(type);                                    \
    CHECK(call(options) == OH_OK);                                          \
    later.unknown[1] = 1;                                                   \
    CHECK(call(options) == OH_OK);                                          \
    options->struct_size = sizeof later;                                    \
    CHECK(call(options) == OH_ERR_UNSUPPORTED);                             \
    CHECK(said("which this version does not know"));                        \
    later.unknown[1] = 0;                                                   \
    CHECK(call(options) == OH_OK);                                          \
    const size_t wrong[] = {0, sizeof(size_t), sizeof(type) - 1, SIZE_MAX}; \
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {             \
      options->struct_size = wrong[i];                                      \
      CHECK(call(options) == OH_ERR_RANGE);                                 \
      CHECK(said("set it to sizeof(" #type ")"));                           \
    }                                                                       \
  } while (0)

static void versions(void) {
  const uint64_t sizes[] = {64};
  const uint64_t blocks[] = {10};
  VERSIONS(oh_hashmap_options, hashmap,
           (options->key_type = OH_TYPE_U32, options->value_type = OH_TYPE_F64, options->capacity = 10));
  VERSIONS(oh_smallmap_arena_options, arena,
           (options->key_type = OH_TYPE_U32, options->value_type = OH_TYPE_F64, options->maps = 10));
  VERSIONS(oh_fixedpool_options, fixedpool,
           (options->sizes = sizes, options->blocks = blocks, options->classes = 1));
  VERSIONS(oh_lockfreepool_options, lockfreepool, options->capacity = 1 << 20);
  VERSIONS(oh_numapool_options, numapool, (options->policy = OH_NUMA_LOCAL, options->capacity = 1 << 20));
  VERSIONS(oh_bumparena_options, bumparena, options->align = 64);
  VERSIONS(oh_mappedfile_options, mappedfile, options->strategy = OH_STRATEGY_AUTO);
  VERSIONS(oh_mmapvector_options, mmapvector, options->capacity = 0);
}

static void room(void) {
  oh_smallmap_arena_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.key_type = OH_TYPE_U32;
  options.value_type = OH_TYPE_U32;
  options.maps = 4;
  size_t size = 0;
  CHECK(oh_smallmap_arena_region_size(&options, &size) == OH_OK);
  void* base = aligned_alloc(64, size);
  CHECK(base != NULL && oh_smallmap_arena_init(base, size, &options) == OH_OK);
  LATER(oh_smallmap_arena_room) later;
  memset(&later, 0, sizeof later);
  later.known.struct_size = sizeof later;
  size_t more = 0;
  CHECK(oh_smallmap_arena_room_region_size(base, size, &later.known, &more) == OH_OK && more >= size);
  later.unknown[0] = 1;
  CHECK(oh_smallmap_arena_room_region_size(base, size, &later.known, &more) == OH_ERR_UNSUPPORTED);
  free(base);
}

/* A bool whose byte is neither 0 nor 1 counts as true. */
static void bools(void) {
  oh_fixedpool_options options;
  memset(&options, 0, sizeof options);
  const uint64_t sizes[] = {64};
  const uint64_t blocks[] = {10};
  options.struct_size = sizeof options;
  options.sizes = sizes;
  options.blocks = blocks;
  options.classes = 1;
  uint64_t plain = 0;
  uint64_t guarded = 0;
  uint64_t odd = 0;
  CHECK(oh_fixedpool_region_size(&options, &plain) == OH_OK);
  options.guards = true;
  CHECK(oh_fixedpool_region_size(&options, &guarded) == OH_OK && guarded > plain);
  memset(&options.guards, 0xA5, 1);
  CHECK(oh_fixedpool_region_size(&options, &odd) == OH_OK && odd == guarded);

  oh_lockfreepool_options lockfree;
  memset(&lockfree, 0, sizeof lockfree);
  lockfree.struct_size = sizeof lockfree;
  lockfree.capacity = 1 << 20;
  lockfree.compact = true;
  CHECK(oh_lockfreepool_region_size(&lockfree, &plain) == OH_OK);
  memset(&lockfree.compact, 2, 1);
  CHECK(oh_lockfreepool_region_size(&lockfree, &odd) == OH_OK && odd == plain);
}

int main(void) {
  versions();
  room();
  bools();
  return check_result();
}
