/* Sorted integers from C: building, single and bulk queries, invalid arguments, damaged bytes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

enum { kCount = 5000 };

static uint64_t value_of(uint64_t i) { return i * 1000 + i % 7 + (i > 2000 ? 1u << 30 : 0); }

static void there_and_back(void) {
  uint64_t* values = malloc(kCount * sizeof *values);
  for (uint64_t i = 0; i < kCount; i++) values[i] = value_of(i);
  uint64_t max = 0;
  size_t length = 0;
  CHECK(oh_eliasfano_measure(values, OH_TYPE_U64, kCount, &max) == OH_OK && max == values[kCount - 1]);
  CHECK(oh_eliasfano_region_size(kCount, max, &length) == OH_OK && length % 64 == 0);
  void* base = aligned_alloc(64, length);
  memset(base, 0xA5, length);
  CHECK(oh_eliasfano_init(base, length, values, OH_TYPE_U64, kCount, max) == OH_OK);
  CHECK(oh_eliasfano_check(base, length) == OH_OK && oh_eliasfano_validate(base, length) == OH_OK);

  oh_eliasfano_info info;
  CHECK(oh_eliasfano_get_info(base, length, &info) == OH_OK);
  CHECK(info.count == kCount && info.max == max && info.low_bits == 17 && info.region_size == length);
  uint64_t out = 0;
  oh_eliasfano_entry entry = {0, 0};
  bool found = false;
  for (uint64_t i = 0; i < kCount; i++) {
    CHECK(oh_eliasfano_at(base, length, i, &out) == OH_OK && out == values[i]);
    CHECK(oh_eliasfano_rank(base, length, values[i], &out) == OH_OK && out == i);
    CHECK(oh_eliasfano_rank(base, length, values[i] + 1, &out) == OH_OK && out == i + 1);
    CHECK(oh_eliasfano_next_geq(base, length, values[i] - (i > 0), &entry, &found) == OH_OK);
    CHECK(found && entry.index == i && entry.value == values[i]);
  }
  out = 5;
  CHECK(oh_eliasfano_at(base, length, kCount, &out) == OH_ERR_RANGE && out == 5);
  CHECK(oh_eliasfano_rank(base, length, UINT64_MAX, &out) == OH_OK && out == kCount);
  entry.index = 7;
  CHECK(oh_eliasfano_next_geq(base, length, max + 1, &entry, &found) == OH_OK && !found && entry.index == 7);
  CHECK(oh_eliasfano_next_geq(base, length, 0, NULL, &found) == OH_ERR_TYPE);
  CHECK(oh_eliasfano_next_geq(base, length, 0, &entry, NULL) == OH_ERR_TYPE);

  const uint32_t indices[] = {kCount - 1, 0, 77};
  double some[3] = {0};
  CHECK(oh_eliasfano_get_many(base, length, indices, OH_TYPE_U32, 3, some, OH_TYPE_F64) == OH_OK);
  CHECK(some[0] == (double)max && some[1] == 0 && some[2] == 77000);
  CHECK(oh_eliasfano_get_many(base, length, indices, OH_TYPE_U32, 3, some, OH_TYPE_U16) == OH_ERR_RANGE);
  const double asked[] = {0, 77000, 1e15};
  uint16_t ranks[3] = {0};
  CHECK(oh_eliasfano_rank_many(base, length, asked, OH_TYPE_F64, 3, ranks, OH_TYPE_U16) == OH_OK);
  CHECK(ranks[0] == 0 && ranks[1] == 77 && ranks[2] == kCount);
  uint64_t* all = malloc(kCount * sizeof *all);
  CHECK(oh_eliasfano_unpack(base, length, 0, kCount, all, OH_TYPE_U64) == OH_OK);
  CHECK(memcmp(all, values, kCount * sizeof *all) == 0);
  CHECK(oh_eliasfano_unpack(base, length, 1, kCount, all, OH_TYPE_U64) == OH_ERR_RANGE);

  void* copy = aligned_alloc(64, length);
  memcpy(copy, base, length);
  CHECK(oh_eliasfano_at(copy, length, 77, &out) == OH_OK && out == values[77]);
  CHECK(oh_eliasfano_check(copy, length - 64) == OH_ERR_CORRUPT);
  ((uint32_t*)copy)[16] += 1000;
  CHECK(oh_eliasfano_check(copy, length) == OH_ERR_CORRUPT);
  ((uint32_t*)copy)[2] = 11;
  CHECK(oh_eliasfano_check(copy, length) == OH_ERR_VERSION);
  free(copy);
  free(all);
  free(base);
  free(values);
}

static void what_is_refused(void) {
  const double falling[] = {2, 1};
  const double nan[] = {1, NAN};
  const int32_t negative[] = {-1};
  uint64_t max = 7;
  uint64_t memory[128];
  CHECK(oh_eliasfano_measure(falling, OH_TYPE_F64, 2, &max) == OH_ERR_RANGE && max == 7);
  CHECK(oh_eliasfano_measure(nan, OH_TYPE_F64, 2, &max) == OH_ERR_RANGE);
  CHECK(oh_eliasfano_measure(negative, OH_TYPE_I32, 1, &max) == OH_ERR_RANGE);
  CHECK(oh_eliasfano_measure(NULL, OH_TYPE_I32, 1, &max) == OH_ERR_TYPE);
  CHECK(oh_eliasfano_measure(falling, OH_TYPE_BOOL, 2, &max) == OH_ERR_TYPE);
  CHECK(oh_eliasfano_measure(NULL, OH_TYPE_I32, 0, &max) == OH_OK && max == 0);
  CHECK(oh_eliasfano_region_size(UINT64_MAX, 5, &(size_t){0}) == OH_ERR_RANGE);
  CHECK(oh_eliasfano_region_size(0, 5, &(size_t){0}) == OH_ERR_RANGE);
  const uint8_t values[] = {1, 9};
  CHECK(oh_eliasfano_init(memory, sizeof memory, values, OH_TYPE_U8, 2, 8) == OH_ERR_RANGE);
  CHECK(oh_eliasfano_init(memory, sizeof memory, values, OH_TYPE_U8, 2, 10) == OH_ERR_RANGE);
  CHECK(oh_eliasfano_init(memory, 256, values, OH_TYPE_U8, 2, 9) == OH_ERR_FULL);
  CHECK(oh_eliasfano_init(NULL, 1024, values, OH_TYPE_U8, 2, 9) == OH_ERR_TYPE);
  CHECK(oh_eliasfano_init(memory, sizeof memory, values, OH_TYPE_U8, 2, 9) == OH_OK);
  CHECK(oh_eliasfano_at(memory, sizeof memory, 1, &max) == OH_OK && max == 9);
}

int main(void) {
  there_and_back();
  what_is_refused();
  return check_result();
}
