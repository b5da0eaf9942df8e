/* Bit vectors from C: single bits, ranges, set operations, growth, bad arguments, damaged bytes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

static void* make(uint64_t bits, uint64_t capacity, size_t* length) {
  CHECK(oh_bitvector_region_size(capacity, length) == OH_OK && *length % 64 == 0);
  void* base = aligned_alloc(64, *length);
  memset(base, 0xA5, *length);
  CHECK(oh_bitvector_init(base, *length, bits) == OH_OK);
  return base;
}

static void single_bits_and_ranges(void) {
  size_t length = 0;
  void* base = make(1000, 1000, &length);
  bool bit = true;
  CHECK(oh_bitvector_get(base, length, 999, &bit) == OH_OK && !bit);
  CHECK(oh_bitvector_set(base, length, 999, true) == OH_OK);
  CHECK(oh_bitvector_get(base, length, 999, &bit) == OH_OK && bit);
  CHECK(oh_bitvector_flip(base, length, 999, &bit) == OH_OK && !bit);
  CHECK(oh_bitvector_flip(base, length, 999, NULL) == OH_OK);
  CHECK(oh_bitvector_get(base, length, 1000, &bit) == OH_ERR_RANGE);
  CHECK(oh_bitvector_set(base, length, 1000, true) == OH_ERR_RANGE);
  CHECK(oh_bitvector_flip(base, length, UINT64_MAX, &bit) == OH_ERR_RANGE);

  uint64_t count = 7;
  CHECK(oh_bitvector_fill(base, length, 10, 20, true) == OH_OK);
  CHECK(oh_bitvector_count_ones(base, length, 0, 1000, &count) == OH_OK && count == 11);
  CHECK(oh_bitvector_count_ones(base, length, 15, 15, &count) == OH_OK && count == 0);
  CHECK(oh_bitvector_invert(base, length, 0, 64) == OH_OK);
  CHECK(oh_bitvector_count_ones(base, length, 0, 64, &count) == OH_OK && count == 54);
  CHECK(oh_bitvector_fill(base, length, 30, 30, false) == OH_OK);
  CHECK(oh_bitvector_fill(base, length, 20, 10, false) == OH_ERR_RANGE);
  CHECK(oh_bitvector_count_ones(base, length, 0, 1001, &count) == OH_ERR_RANGE && count == 54);

  uint64_t position = 0;
  CHECK(oh_bitvector_next(base, length, 0, false, &position) == OH_OK && position == 10);
  CHECK(oh_bitvector_next(base, length, 64, true, &position) == OH_OK && position == 999);
  CHECK(oh_bitvector_next(base, length, 1000, true, &position) == OH_OK && position == OH_BITVECTOR_NONE);
  uint16_t ones[8];
  size_t written = 0;
  CHECK(oh_bitvector_ones(base, length, 5, ones, OH_TYPE_U16, 8, &written) == OH_OK && written == 8);
  CHECK(ones[4] == 9 && ones[5] == 20);
  CHECK(oh_bitvector_ones(base, length, 0, ones, OH_TYPE_U8, 8, &written) == OH_ERR_RANGE);
  CHECK(oh_bitvector_ones(base, length, 999, ones, OH_TYPE_U16, 8, &written) == OH_OK && written == 1);
  free(base);
}

static void algebra(void) {
  size_t length = 0;
  size_t other_length = 0;
  void* base = make(200, 200, &length);
  void* other = make(100, 100, &other_length);
  uint64_t count = 0;
  CHECK(oh_bitvector_fill(base, length, 0, 200, true) == OH_OK);
  /* AND over 10..20 changes only these bits. */
  CHECK(oh_bitvector_combine(base, length, OH_BITVECTOR_AND, other, other_length, 10, 20) == OH_OK);
  CHECK(oh_bitvector_count_ones(base, length, 0, 200, &count) == OH_OK && count == 190);
  /* An empty range changes no bit. */
  CHECK(oh_bitvector_combine(base, length, OH_BITVECTOR_AND, other, other_length, 50, 50) == OH_OK);
  CHECK(oh_bitvector_count_ones(base, length, 0, 200, &count) == OH_OK && count == 190);
  /* Bits past the end of the other vector count as zeros. */
  CHECK(oh_bitvector_combine(base, length, OH_BITVECTOR_AND, other, other_length, 150, 160) == OH_OK);
  CHECK(oh_bitvector_count_ones(base, length, 0, 200, &count) == OH_OK && count == 180);
  CHECK(oh_bitvector_combine(base, length, OH_BITVECTOR_XOR, base, length, 0, 200) == OH_OK);
  CHECK(oh_bitvector_count_ones(base, length, 0, 200, &count) == OH_OK && count == 0);
  CHECK(oh_bitvector_combine(base, length, 9, other, other_length, 0, 1) == OH_ERR_RANGE);
  CHECK(oh_bitvector_combine(base, length, OH_BITVECTOR_OR, other, other_length, 0, 201) == OH_ERR_RANGE);
  CHECK(oh_bitvector_combine(base, length, OH_BITVECTOR_OR, NULL, 64, 0, 1) == OH_ERR_TYPE);
  free(base);
  free(other);
}

static void growth(void) {
  size_t length = 0;
  void* base = make(510, 512, &length);
  CHECK(oh_bitvector_push(base, length, true) == OH_OK && oh_bitvector_push(base, length, true) == OH_OK);
  CHECK(oh_bitvector_push(base, length, true) == OH_ERR_FULL);
  CHECK(oh_bitvector_set_count(base, length, 513) == OH_ERR_FULL);
  CHECK(oh_bitvector_set_capacity(base, length, 5000) == OH_ERR_FULL);
  size_t longer = 0;
  CHECK(oh_bitvector_region_size(5000, &longer) == OH_OK);
  void* moved = aligned_alloc(64, longer);
  memset(moved, 0xFF, longer);
  memcpy(moved, base, length);
  CHECK(oh_bitvector_set_capacity(moved, longer, 5000) == OH_OK);
  CHECK(oh_bitvector_push(moved, longer, true) == OH_OK);
  CHECK(oh_bitvector_set_count(moved, longer, 5000) == OH_OK);
  uint64_t count = 0;
  CHECK(oh_bitvector_count_ones(moved, longer, 0, 5000, &count) == OH_OK && count == 3);
  oh_bitvector_info info;
  CHECK(oh_bitvector_get_info(moved, longer, &info) == OH_OK);
  CHECK(info.count == 5000 && info.capacity == 5120 && info.region_size == longer && info.bits[7] >> 62 == 3);
  CHECK(oh_bitvector_validate(moved, longer) == OH_OK);
  free(base);
  free(moved);
}

static void many_and_refused(void) {
  size_t length = 0;
  const double positions[] = {3, 700, 64};
  const double bad[] = {5, NAN};
  const double far[] = {5, 701};
  uint64_t count = 0;
  CHECK(oh_bitvector_count_for(positions, OH_TYPE_F64, 3, &count) == OH_OK && count == 701);
  CHECK(oh_bitvector_count_for(bad, OH_TYPE_F64, 2, &count) == OH_ERR_RANGE && count == 701);
  void* base = make(701, 701, &length);
  CHECK(oh_bitvector_set_many(base, length, positions, OH_TYPE_F64, 3, true) == OH_OK);
  CHECK(oh_bitvector_count_ones(base, length, 0, 701, &count) == OH_OK && count == 3);
  CHECK(oh_bitvector_set_many(base, length, far, OH_TYPE_F64, 2, true) == OH_ERR_RANGE);
  CHECK(oh_bitvector_set_many(base, length, positions, 99, 2, true) == OH_ERR_TYPE);
  CHECK(oh_bitvector_set_many(base, length, NULL, OH_TYPE_U8, 2, true) == OH_ERR_TYPE);
  CHECK(oh_bitvector_count_ones(base, length, 0, 701, &count) == OH_OK && count == 3);
  const uint8_t bytes[] = {0xFF, 0x01};
  CHECK(oh_bitvector_load(base, length, bytes, 2) == OH_OK);
  CHECK(oh_bitvector_count_ones(base, length, 0, 16, &count) == OH_OK && count == 9);
  CHECK(oh_bitvector_load(base, length, bytes, 89) == OH_ERR_RANGE);

  CHECK(oh_bitvector_region_size((UINT64_C(1) << 40) + 1, &length) == OH_ERR_RANGE);
  CHECK(oh_bitvector_region_size(1, NULL) == OH_ERR_TYPE);
  uint64_t memory[48];
  CHECK(oh_bitvector_init(memory, 256, 1) == OH_ERR_FULL);
  CHECK(oh_bitvector_init(NULL, 320, 1) == OH_ERR_TYPE);
  CHECK(oh_bitvector_init(memory, 320, 1) == OH_OK);
  ((uint32_t*)memory)[17] = 1;
  CHECK(oh_bitvector_check(memory, 320) == OH_ERR_CORRUPT);
  CHECK(oh_bitvector_get(memory, 320, 0, &(bool){false}) == OH_ERR_CORRUPT);
  free(base);
}

int main(void) {
  single_bits_and_ranges();
  algebra();
  growth();
  many_and_refused();
  return check_result();
}
