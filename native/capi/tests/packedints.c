/* Packed integers from C: building, single and bulk reads, invalid arguments, damaged bytes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

static void there_and_back(void) {
  uint32_t values[1000];
  for (uint32_t i = 0; i < 1000; i++) values[i] = i * 37 % 1000;
  uint32_t bits = 0;
  size_t length = 0;
  CHECK(oh_packedints_measure(values, OH_TYPE_U32, 1000, &bits) == OH_OK && bits == 10);
  CHECK(oh_packedints_region_size(1000, bits, &length) == OH_OK && length % 64 == 0 && length < 1600);
  void* base = aligned_alloc(64, length);
  memset(base, 0xA5, length);
  CHECK(oh_packedints_init(base, length, values, OH_TYPE_U32, 1000, bits, 0) == OH_OK);
  CHECK(oh_packedints_check(base, length) == OH_OK && oh_packedints_validate(base, length) == OH_OK);

  oh_packedints_info info;
  CHECK(oh_packedints_get_info(base, length, &info) == OH_OK);
  CHECK(info.count == 1000 && info.bits == 10 && info.flags == 0 && info.region_size == length);
  uint64_t value = 5;
  for (uint32_t i = 0; i < 1000; i++) {
    CHECK(oh_packedints_at(base, length, i, &value) == OH_OK && value == values[i]);
  }
  value = 5;
  CHECK(oh_packedints_at(base, length, 1000, &value) == OH_ERR_RANGE && value == 5);

  const double indices[] = {999, 0, 500};
  uint16_t out[3] = {0};
  CHECK(oh_packedints_get_many(base, length, indices, OH_TYPE_F64, 3, out, OH_TYPE_U16) == OH_OK);
  CHECK(out[0] == values[999] && out[1] == values[0] && out[2] == values[500]);
  CHECK(oh_packedints_get_many(base, length, indices, OH_TYPE_F64, 3, out, OH_TYPE_U8) == OH_ERR_RANGE);
  double all[1000];
  CHECK(oh_packedints_unpack(base, length, 0, 1000, all, OH_TYPE_F64) == OH_OK);
  for (uint32_t i = 0; i < 1000; i++) CHECK(all[i] == values[i]);
  CHECK(oh_packedints_unpack(base, length, 1, 1000, all, OH_TYPE_F64) == OH_ERR_RANGE);
  CHECK(oh_packedints_unpack(base, length, 1000, 0, NULL, OH_TYPE_F64) == OH_OK);

  /* The same bytes at another address, and damaged. */
  void* copy = aligned_alloc(64, length);
  memcpy(copy, base, length);
  CHECK(oh_packedints_at(copy, length, 77, &value) == OH_OK && value == values[77]);
  CHECK(oh_packedints_check(copy, length - 64) == OH_ERR_CORRUPT);
  ((uint32_t*)copy)[18] = 65;
  CHECK(oh_packedints_check(copy, length) == OH_ERR_CORRUPT);
  ((uint32_t*)copy)[2] = 1;
  CHECK(oh_packedints_check(copy, length) == OH_ERR_VERSION);
  free(copy);
  free(base);
}

static void what_is_refused(void) {
  const double bad[] = {1, NAN};
  const int8_t negative[] = {1, -1};
  const uint64_t large[] = {UINT64_MAX};
  uint32_t bits = 7;
  uint64_t memory[64];
  CHECK(oh_packedints_measure(bad, OH_TYPE_F64, 2, &bits) == OH_ERR_RANGE && bits == 7);
  CHECK(oh_packedints_measure(negative, OH_TYPE_I8, 2, &bits) == OH_ERR_RANGE);
  CHECK(oh_packedints_measure(NULL, OH_TYPE_I8, 2, &bits) == OH_ERR_TYPE);
  CHECK(oh_packedints_measure(NULL, OH_TYPE_I8, 0, &bits) == OH_OK && bits == 1);
  CHECK(oh_packedints_measure(bad, OH_TYPE_STRING, 2, &bits) == OH_ERR_TYPE);
  CHECK(oh_packedints_measure(bad, 99, 2, &bits) == OH_ERR_TYPE);
  CHECK(oh_packedints_measure(bad, OH_TYPE_F64, 2, NULL) == OH_ERR_TYPE);
  CHECK(oh_packedints_region_size(1, 0, &(size_t){0}) == OH_ERR_RANGE);
  CHECK(oh_packedints_region_size(1, 65, &(size_t){0}) == OH_ERR_RANGE);
  CHECK(oh_packedints_region_size(UINT64_MAX, 64, &(size_t){0}) == OH_ERR_RANGE);
  CHECK(oh_packedints_init(memory, sizeof memory, large, OH_TYPE_U64, 1, 63, 0) == OH_ERR_RANGE);
  /* JavaScript numbers are exact up to 2^53. */
  CHECK(oh_packedints_init(memory, sizeof memory, large, OH_TYPE_U64, 1, 64, 0) == OH_ERR_RANGE);
  CHECK(oh_packedints_init(memory, sizeof memory, large, OH_TYPE_U64, 1, 64, 2) == OH_ERR_RANGE);
  CHECK(oh_packedints_init(memory, 256, large, OH_TYPE_U64, 1, 64, OH_PACKEDINTS_BIGINT) == OH_ERR_FULL);
  CHECK(oh_packedints_init(NULL, 512, large, OH_TYPE_U64, 1, 64, OH_PACKEDINTS_BIGINT) == OH_ERR_TYPE);
  CHECK(oh_packedints_init(memory, sizeof memory, large, OH_TYPE_U64, 1, 64, OH_PACKEDINTS_BIGINT) == OH_OK);
  uint64_t value = 0;
  CHECK(oh_packedints_at(memory, sizeof memory, 0, &value) == OH_OK && value == UINT64_MAX);
}

int main(void) {
  there_and_back();
  what_is_refused();
  return check_result();
}
