/* FixedPool from C: blocks of several sizes, errors, guards, a second view, damaged bytes. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

static oh_fixedpool* make(const oh_fixedpool_options* options, void** base, size_t* length) {
  uint64_t needed = 0;
  CHECK(oh_fixedpool_region_size(options, &needed) == OH_OK && needed % 64 == 0);
  *length = (size_t)needed;
  *base = aligned_alloc(64, *length);
  memset(*base, 0x5a, *length);
  CHECK(oh_fixedpool_init(*base, *length, options) == OH_OK);
  oh_fixedpool* pool = NULL;
  CHECK(oh_fixedpool_attach(*base, *length, &pool) == OH_OK && pool != NULL);
  return pool;
}

static void classes(void) {
  const uint64_t sizes[] = {64, 256, 1024}, blocks[] = {8, 4, 2};
  oh_fixedpool_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.sizes = sizes;
  options.blocks = blocks;
  options.classes = 3;
  void* base = NULL;
  size_t length = 0;
  oh_fixedpool* pool = make(&options, &base, &length);
  unsigned char* data = oh_fixedpool_data(pool);

  uint64_t offsets[64], count = 0, offset = 0;
  while (oh_fixedpool_alloc(pool, 64, &offset) == OH_OK) {
    for (int i = 0; i < 64; i++) CHECK(data[offset + i] == 0);
    memset(data + offset, (int)count + 1, 64);
    offsets[count++] = offset;
  }
  oh_fixedpool_stats stats;
  CHECK(oh_fixedpool_get_stats(pool, &stats) == OH_OK);
  CHECK(stats.blocks == count && stats.used == stats.capacity && stats.failures == 1);
  for (uint64_t n = 0; n < count; n++) {
    for (int i = 0; i < 64; i++) CHECK(data[offsets[n] + i] == n + 1);
    CHECK(oh_fixedpool_free(pool, offsets[n]) == OH_OK);
    CHECK(oh_fixedpool_free(pool, offsets[n]) == OH_ERR_STALE);
  }
  CHECK(oh_fixedpool_free(pool, 63) == OH_ERR_RANGE);
  CHECK(oh_fixedpool_free(pool, stats.capacity) == OH_ERR_RANGE);
  CHECK(oh_fixedpool_alloc(pool, 1000, &offset) == OH_OK);
  uint64_t room = 0;
  CHECK(oh_fixedpool_room(pool, offset, &room) == OH_OK && room == 1024);
  CHECK(oh_fixedpool_validate(base, length) == OH_OK);

  /* A copy of the bytes is a pool too, and a second view sees the same blocks. */
  void* copy = aligned_alloc(64, length);
  memcpy(copy, base, length);
  oh_fixedpool* other = NULL;
  CHECK(oh_fixedpool_attach(copy, length, &other) == OH_OK);
  CHECK(oh_fixedpool_free(other, offset) == OH_OK);
  CHECK(oh_fixedpool_free(pool, offset) == OH_OK);
  oh_fixedpool_close(other);
  free(copy);
  oh_fixedpool_close(pool);
  free(base);
}

static void guards(void) {
  const uint64_t size = 64, blocks = 4;
  oh_fixedpool_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.sizes = &size;
  options.blocks = &blocks;
  options.classes = 1;
  options.guards = true;
  options.zero_on_free = true;
  void* base = NULL;
  size_t length = 0;
  oh_fixedpool* pool = make(&options, &base, &length);
  unsigned char* data = oh_fixedpool_data(pool);
  uint64_t offset = 0;
  CHECK(oh_fixedpool_alloc(pool, 10, &offset) == OH_OK);
  data[offset + 10] ^= 1;
  CHECK(oh_fixedpool_free(pool, offset) == OH_ERR_CORRUPT);
  data[offset + 10] ^= 1;
  data[offset] = 9;
  CHECK(oh_fixedpool_free(pool, offset) == OH_OK && data[offset] == 0);
  oh_fixedpool_close(pool);
  free(base);
}

static void mistakes(void) {
  uint64_t size = 64, blocks = 4, out = 0;
  oh_fixedpool_options options;
  memset(&options, 0, sizeof options);
  CHECK(oh_fixedpool_region_size(&options, &out) == OH_ERR_RANGE);
  CHECK(oh_fixedpool_region_size(NULL, &out) == OH_ERR_TYPE);
  options.struct_size = sizeof options;
  CHECK(oh_fixedpool_region_size(&options, &out) == OH_ERR_RANGE);
  options.classes = 1;
  CHECK(oh_fixedpool_region_size(&options, &out) == OH_ERR_TYPE);
  options.sizes = &size;
  options.blocks = &blocks;
  CHECK(oh_fixedpool_region_size(&options, NULL) == OH_ERR_TYPE);
  CHECK(oh_fixedpool_region_size(&options, &out) == OH_OK);
  uint64_t memory[64] = {0};
  oh_fixedpool* pool = NULL;
  CHECK(oh_fixedpool_init(memory, sizeof memory, &options) == OH_ERR_FULL);
  CHECK(oh_fixedpool_check(memory, sizeof memory) == OH_ERR_CORRUPT);
  CHECK(oh_fixedpool_attach(memory, sizeof memory, &pool) == OH_ERR_CORRUPT && pool == NULL);
  CHECK(oh_fixedpool_attach(NULL, 512, &pool) == OH_ERR_TYPE);
  CHECK(oh_fixedpool_alloc(NULL, 8, &out) == OH_ERR_TYPE);
  CHECK(oh_fixedpool_free(NULL, 0) == OH_ERR_TYPE);
  CHECK(oh_fixedpool_data(NULL) == NULL);
  oh_fixedpool_close(NULL);
}

int main(void) {
  classes();
  guards();
  mistakes();
  return check_result();
}
