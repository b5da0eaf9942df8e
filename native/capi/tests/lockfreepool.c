/* LockFreePool and its caches from C: two handles, errors, an abandoned handle, guards, damaged
 * bytes. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

static void* make(oh_lockfreepool_options* options, size_t* length) {
  uint64_t needed = 0;
  options->struct_size = sizeof *options;
  CHECK(oh_lockfreepool_region_size(options, &needed) == OH_OK && needed % 64 == 0);
  *length = (size_t)needed;
  void* base = aligned_alloc(64, *length);
  memset(base, 0x5a, *length);
  CHECK(oh_lockfreepool_init(base, *length, options, false) == OH_OK);
  return base;
}

static void handles(void) {
  oh_lockfreepool_options options;
  memset(&options, 0, sizeof options);
  options.capacity = 65536;
  size_t length = 0;
  void* base = make(&options, &length);
  oh_lockfreepool *one = NULL, *two = NULL;
  CHECK(oh_lockfreepool_attach(base, length, &one) == OH_OK);
  CHECK(oh_lockfreepool_attach(base, length, &two) == OH_OK);
  CHECK(oh_lockfreepool_data(one) == oh_lockfreepool_data(two));
  unsigned char* data = oh_lockfreepool_data(one);

  uint64_t offsets[1024], offset = 0, room = 0;
  size_t count = 0;
  while (oh_lockfreepool_alloc(count % 2 ? one : two, 60, &offset) == OH_OK) {
    memset(data + offset, (int)count, 64);
    offsets[count++] = offset;
  }
  CHECK(count == 1024);
  oh_lockfreepool_stats stats;
  CHECK(oh_lockfreepool_get_stats(one, &stats) == OH_OK);
  CHECK(stats.blocks == count && stats.used == stats.capacity && stats.failures == 1 && stats.handles == 2);
  CHECK(oh_lockfreepool_room(two, offsets[7], &room) == OH_OK && room == 64);
  for (size_t n = 0; n < count; n++) {
    for (int i = 0; i < 64; i++) CHECK(data[offsets[n] + i] == (unsigned char)n);
    CHECK(oh_lockfreepool_free(n % 3 ? one : two, offsets[n]) == OH_OK);
    CHECK(oh_lockfreepool_free(one, offsets[n]) == OH_ERR_STALE);
  }
  CHECK(oh_lockfreepool_free(one, 63) == OH_ERR_RANGE);
  CHECK(oh_lockfreepool_free(one, 65536) == OH_ERR_RANGE);
  CHECK(oh_lockfreepool_alloc(one, 65536, &offset) == OH_OK && offset == 0);
  CHECK(oh_lockfreepool_free(two, offset) == OH_OK);
  CHECK(oh_lockfreepool_validate(base, length) == OH_OK);

  /* After a thread ended, its last block may be leaked, and the others return to the pool. */
  CHECK(oh_lockfreepool_alloc(two, 64, &offset) == OH_OK);
  oh_lockfreepool_abandon(two);
  uint64_t suspects[4];
  size_t found = 0;
  CHECK(oh_lockfreepool_suspects(one, suspects, 4, &found) == OH_OK && found == 1 && suspects[0] == offset);
  CHECK(oh_lockfreepool_free(one, suspects[0]) == OH_OK);
  CHECK(oh_lockfreepool_suspects(one, NULL, 0, &found) == OH_OK && found == 0);
  oh_lockfreepool_close(one);
  oh_lockfreepool_close(NULL);
  free(base);
}

static void caches(void) {
  oh_lockfreepool_options options;
  memset(&options, 0, sizeof options);
  options.capacity = 65536;
  options.guards = true;
  size_t length = 0;
  void* base = make(&options, &length);
  oh_lockfreepool* pool = NULL;
  oh_threadlocalpool* local = NULL;
  CHECK(oh_lockfreepool_attach(base, length, &pool) == OH_OK);
  CHECK(oh_threadlocalpool_attach(base, length, 8192, &local) == OH_OK);
  unsigned char* data = oh_lockfreepool_data(oh_threadlocalpool_handle(local));
  uint64_t offset = 0, held = 0;
  CHECK(oh_threadlocalpool_alloc(local, 40, &offset) == OH_OK);
  CHECK(oh_threadlocalpool_held(local, &held) == OH_OK && held == 1024);
  data[offset + 40] ^= 1;
  CHECK(oh_lockfreepool_free(pool, offset) == OH_ERR_CORRUPT);
  data[offset + 40] ^= 1;
  CHECK(oh_lockfreepool_free(pool, offset) == OH_OK);
  CHECK(oh_threadlocalpool_free(local, offset) == OH_ERR_STALE);
  CHECK(oh_threadlocalpool_flush(local) == OH_OK);
  CHECK(oh_threadlocalpool_held(local, &held) == OH_OK && held == 0);
  oh_threadlocalpool_close(local);
  CHECK(oh_threadlocalpool_attach(base, length, 8192, &local) == OH_OK);
  CHECK(oh_threadlocalpool_alloc(local, 40, &offset) == OH_OK);
  oh_threadlocalpool_abandon(local);
  oh_lockfreepool_stats stats;
  CHECK(oh_lockfreepool_get_stats(pool, &stats) == OH_OK && stats.cached == 0 && stats.handles == 1);
  oh_lockfreepool_close(pool);
  free(base);
}

static void refusals(void) {
  oh_lockfreepool_options options;
  memset(&options, 0, sizeof options);
  uint64_t needed = 0;
  CHECK(oh_lockfreepool_region_size(&options, &needed) == OH_ERR_RANGE);
  options.struct_size = sizeof options;
  CHECK(oh_lockfreepool_region_size(&options, &needed) == OH_ERR_RANGE);
  CHECK(oh_lockfreepool_region_size(NULL, &needed) == OH_ERR_TYPE);
  options.capacity = 4096;
  size_t length = 0;
  unsigned char* base = make(&options, &length);
  CHECK(oh_lockfreepool_init(base, length - 64, &options, true) == OH_ERR_FULL);
  oh_lockfreepool* pool = NULL;
  CHECK(oh_lockfreepool_attach(base, length - 64, &pool) == OH_ERR_CORRUPT && pool == NULL);
  CHECK(oh_lockfreepool_attach(NULL, length, &pool) == OH_ERR_TYPE);
  CHECK(oh_lockfreepool_alloc(NULL, 1, &needed) == OH_ERR_TYPE);
  CHECK(oh_threadlocalpool_free(NULL, 1) == OH_ERR_TYPE);
  CHECK(oh_lockfreepool_data(NULL) == NULL && oh_threadlocalpool_handle(NULL) == NULL);
  base[64] ^= 8;
  CHECK(oh_lockfreepool_attach(base, length, &pool) == OH_ERR_CORRUPT);
  free(base);
}

int main(void) {
  handles();
  caches();
  refusals();
  return check_result();
}
