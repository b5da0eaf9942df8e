/* BumpArena from C: scopes, growth, guards, zeroing, invalid arguments. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

enum { LENGTH = 8192 };

static _Alignas(64) unsigned char memory[2 * LENGTH];

static uint64_t alloc(uint64_t bytes, uint32_t align) {
  uint64_t offset = UINT64_MAX;
  CHECK(oh_bumparena_alloc(memory, LENGTH, bytes, align, &offset) == OH_OK);
  CHECK(offset % (align < 8 ? 8 : align) == 0);
  return offset;
}

static oh_bumparena_info info(void) {
  oh_bumparena_info info;
  CHECK(oh_bumparena_get_info(memory, LENGTH, &info) == OH_OK);
  return info;
}

static void scopes(void) {
  CHECK(oh_bumparena_init(memory, LENGTH, NULL) == OH_OK);
  void* data = NULL;
  CHECK(oh_bumparena_data(memory, LENGTH, &data) == OH_OK && data == memory + info().data);
  const uint64_t kept = alloc(40, 8);
  memset((unsigned char*)data + kept, 1, 40);
  oh_bumparena_mark outer, inner;
  CHECK(oh_bumparena_begin(memory, LENGTH, &outer) == OH_OK);
  const uint64_t first = alloc(100, 64);
  CHECK(((uintptr_t)data + first) % 64 == 0 && first >= kept + 40);
  CHECK(oh_bumparena_begin(memory, LENGTH, &inner) == OH_OK);
  CHECK(alloc(1, 1) >= first + 100);
  CHECK(oh_bumparena_release(memory, LENGTH, &inner) == OH_OK);
  CHECK(info().blocks == 2 && info().used == first + 104);
  CHECK(oh_bumparena_release(memory, LENGTH, &outer) == OH_OK);
  CHECK(info().blocks == 1 && info().used == 40 && info().peak == first + 112);
  CHECK(oh_bumparena_release(memory, LENGTH, &inner) == OH_ERR_STALE);
  CHECK(oh_bumparena_free(memory, LENGTH, first) == OH_ERR_STALE);
  CHECK(oh_bumparena_free(memory, LENGTH, 4) == OH_ERR_RANGE);
  const uint64_t last = alloc(8, 8);
  CHECK(oh_bumparena_free(memory, LENGTH, last) == OH_OK && info().used == 40);
  CHECK(oh_bumparena_reset(memory, LENGTH) == OH_OK);
  CHECK(info().used == 0 && info().blocks == 0 && info().resets == 1);
  CHECK(oh_bumparena_release(memory, LENGTH, &outer) == OH_ERR_STALE);
  CHECK(alloc(8, 8) == 0);
}

static void growth(void) {
  CHECK(oh_bumparena_init(memory, LENGTH, NULL) == OH_OK);
  const uint64_t capacity = info().capacity;
  alloc(capacity, 8);
  uint64_t offset = 99;
  CHECK(oh_bumparena_alloc(memory, LENGTH, 1, 1, &offset) == OH_ERR_FULL && offset == 99);
  CHECK(oh_bumparena_alloc(memory, LENGTH, UINT64_MAX, 1, &offset) == OH_ERR_FULL && offset == 99);
  CHECK(info().failures == 2);
  CHECK(oh_bumparena_extend(memory, 2 * LENGTH) == OH_OK);
  CHECK(oh_bumparena_alloc(memory, 2 * LENGTH, LENGTH, 64, &offset) == OH_OK && offset == capacity);
  CHECK(oh_bumparena_check(memory, LENGTH) == OH_ERR_CORRUPT);
  CHECK(oh_bumparena_validate(memory, 2 * LENGTH) == OH_OK);
}

static void safety(void) {
  oh_bumparena_options options = {0};
  options.struct_size = sizeof options;
  options.align = 4096;
  options.guards = true;
  CHECK(oh_bumparena_init(memory, LENGTH, &options) == OH_OK);
  CHECK(info().align == 4096 && info().data == 4096);
  unsigned char* data = NULL;
  CHECK(oh_bumparena_data(memory, LENGTH, (void**)&data) == OH_OK);
  const uint64_t block = alloc(13, 8);
  alloc(13, 8);
  CHECK(oh_bumparena_free(memory, LENGTH, block) == OH_OK);
  CHECK(oh_bumparena_free(memory, LENGTH, block) == OH_ERR_STALE);
  const uint64_t overrun = alloc(13, 8);
  CHECK(oh_bumparena_validate(memory, LENGTH) == OH_OK);
  data[overrun + 13] ^= 1;
  CHECK(oh_bumparena_validate(memory, LENGTH) == OH_ERR_CORRUPT);
  CHECK(oh_bumparena_free(memory, LENGTH, overrun) == OH_ERR_CORRUPT);
  CHECK(oh_bumparena_reset(memory, LENGTH) == OH_ERR_CORRUPT && info().used == 0);
  CHECK(data[overrun] == 0xDB);

  options.guards = false;
  options.zero_on_free = true;
  options.align = 0;
  CHECK(oh_bumparena_init(memory, LENGTH, &options) == OH_OK);
  CHECK(oh_bumparena_data(memory, LENGTH, (void**)&data) == OH_OK);
  memset(data + alloc(64, 8), 7, 64);
  CHECK(oh_bumparena_reset(memory, LENGTH) == OH_OK && data[0] == 0 && data[63] == 0);
}

static void refusals(void) {
  oh_bumparena_options options = {0};
  CHECK(oh_bumparena_init(memory, LENGTH, &options) == OH_ERR_RANGE);
  options.struct_size = sizeof options;
  options.align = 24;
  CHECK(oh_bumparena_init(memory, LENGTH, &options) == OH_ERR_RANGE);
  CHECK(oh_bumparena_init(NULL, LENGTH, NULL) == OH_ERR_TYPE);
  CHECK(oh_bumparena_init(memory, 256, NULL) == OH_ERR_FULL);
  CHECK(oh_bumparena_init(memory + 4, LENGTH, NULL) == OH_ERR_TYPE);
  CHECK(oh_bumparena_init(memory, LENGTH, NULL) == OH_OK);
  uint64_t offset = 99;
  CHECK(oh_bumparena_alloc(memory, LENGTH, 8, 3, &offset) == OH_ERR_RANGE && offset == 99);
  CHECK(oh_bumparena_alloc(memory, LENGTH, 8, 128, &offset) == OH_ERR_RANGE && offset == 99);
  CHECK(oh_bumparena_alloc(memory, LENGTH, 8, 8, NULL) == OH_ERR_TYPE);
  CHECK(oh_bumparena_begin(memory, LENGTH, NULL) == OH_ERR_TYPE);
  CHECK(oh_bumparena_release(memory, LENGTH, NULL) == OH_ERR_TYPE);
  CHECK(oh_bumparena_get_info(memory, LENGTH, NULL) == OH_ERR_TYPE);
  CHECK(oh_bumparena_data(memory, LENGTH, NULL) == OH_ERR_TYPE);
  CHECK(oh_bumparena_extend(memory, 512) == OH_ERR_CORRUPT);
  CHECK(oh_hashmap_check(memory, LENGTH) == OH_ERR_VERSION);
  memory[0] ^= 1;
  CHECK(oh_bumparena_check(memory, LENGTH) == OH_ERR_CORRUPT);
  CHECK(oh_bumparena_reset(memory, LENGTH) == OH_ERR_CORRUPT);
}

int main(void) {
  scopes();
  growth();
  safety();
  refusals();
  return check_result();
}
