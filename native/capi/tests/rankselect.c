/* Rank and select from C: every variant compared with counting, bulk calls, invalid arguments,
 * damaged bytes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

enum { BITS = 20000 };

static void* some_bits(size_t* length) {
  CHECK(oh_bitvector_region_size(BITS, length) == OH_OK);
  void* base = aligned_alloc(64, *length);
  CHECK(oh_bitvector_init(base, *length, BITS) == OH_OK);
  for (uint64_t at = 0; at < BITS; at += 1 + at % 7)
    CHECK(oh_bitvector_set(base, *length, at, true) == OH_OK);
  return base;
}

static void every_variant(void) {
  size_t bits_length = 0;
  void* bits = some_bits(&bits_length);
  const uint32_t variants[] = {OH_RANKSELECT_AUTO, OH_RANKSELECT_FLAT, OH_RANKSELECT_INTERLEAVED,
                               OH_RANKSELECT_SPARSE};
  for (int v = 0; v < 4; v++) {
    oh_rankselect_info plan;
    CHECK(oh_rankselect_plan(bits, bits_length, variants[v], &plan) == OH_OK && plan.count == BITS);
    void* base = aligned_alloc(64, plan.region_size);
    memset(base, 0xA5, plan.region_size);
    const size_t length = plan.region_size;
    CHECK(oh_rankselect_build(base, length - 64, bits, bits_length, &plan) == OH_ERR_FULL);
    CHECK(oh_rankselect_build(base, length, bits, bits_length, &plan) == OH_OK);
    CHECK(oh_rankselect_check(base, length) == OH_OK && oh_rankselect_validate(base, length) == OH_OK);
    oh_rankselect_info info;
    CHECK(oh_rankselect_get_info(base, length, &info) == OH_OK && info.ones == plan.ones);
    CHECK(v == 0 || info.variant == variants[v]);

    uint64_t ones = 0;
    uint64_t value = 0;
    for (uint64_t at = 0; at < BITS; at++) {
      bool bit = false;
      CHECK(oh_rankselect_get(base, length, at, &bit) == OH_OK);
      CHECK(oh_rankselect_one(base, length, OH_RANK1, at, &value) == OH_OK && value == ones);
      CHECK(oh_rankselect_one(base, length, OH_RANK0, at, &value) == OH_OK && value == at - ones);
      const uint32_t query = bit ? OH_SELECT1 : OH_SELECT0;
      CHECK(oh_rankselect_one(base, length, query, bit ? ones : at - ones, &value) == OH_OK && value == at);
      ones += bit ? 1 : 0;
    }
    CHECK(ones == info.ones);
    CHECK(oh_rankselect_one(base, length, OH_RANK1, BITS, &value) == OH_OK && value == ones);
    value = 5;
    CHECK(oh_rankselect_one(base, length, OH_RANK1, BITS + 1, &value) == OH_ERR_RANGE);
    CHECK(oh_rankselect_one(base, length, OH_SELECT1, ones, &value) == OH_ERR_RANGE);
    CHECK(oh_rankselect_one(base, length, OH_SELECT0, BITS - ones, &value) == OH_ERR_RANGE);
    CHECK(oh_rankselect_one(base, length, 9, 0, &value) == OH_ERR_RANGE && value == 5);
    CHECK(oh_rankselect_get(base, length, BITS, &(bool){false}) == OH_ERR_RANGE);

    double questions[] = {0, 19999, 20000, 77};
    const double first = questions[0];
    uint16_t out[4];
    CHECK(oh_rankselect_many(base, length, OH_RANK1, questions, OH_TYPE_F64, 4, out, OH_TYPE_U16) == OH_OK);
    CHECK(first == 0 && out[0] == 0 && out[2] == ones);
    CHECK(oh_rankselect_many(base, length, OH_RANK1, questions, OH_TYPE_F64, 4, out, OH_TYPE_U8) ==
          OH_ERR_RANGE);
    questions[1] = 20001;
    CHECK(oh_rankselect_many(base, length, OH_RANK0, questions, OH_TYPE_F64, 4, out, OH_TYPE_U16) ==
          OH_ERR_RANGE);
    questions[1] = NAN;
    CHECK(oh_rankselect_many(base, length, OH_SELECT1, questions, OH_TYPE_F64, 4, out, OH_TYPE_U16) ==
          OH_ERR_RANGE);
    CHECK(oh_rankselect_many(base, length, OH_SELECT1, NULL, OH_TYPE_F64, 4, out, OH_TYPE_U16) ==
          OH_ERR_TYPE);
    CHECK(oh_rankselect_many(base, length, OH_SELECT1, NULL, OH_TYPE_F64, 0, NULL, OH_TYPE_U16) == OH_OK);

    ((uint32_t*)base)[20] += 1;
    CHECK(oh_rankselect_check(base, length) != OH_OK ||
          oh_rankselect_validate(base, length) == OH_ERR_CORRUPT);
    ((uint32_t*)base)[16] = 99;
    CHECK(oh_rankselect_check(base, length) == OH_ERR_CORRUPT);
    free(base);
  }
  free(bits);
}

static void what_is_refused(void) {
  size_t bits_length = 0;
  void* bits = some_bits(&bits_length);
  oh_rankselect_info plan = {0};
  CHECK(oh_rankselect_plan(bits, bits_length, OH_RANKSELECT_CONSTANT, &plan) == OH_ERR_RANGE);
  CHECK(oh_rankselect_plan(bits, bits_length, 77, &plan) == OH_ERR_RANGE);
  CHECK(oh_rankselect_plan(bits, 64, OH_RANKSELECT_FLAT, &plan) == OH_ERR_CORRUPT);
  CHECK(oh_rankselect_plan(NULL, 640, OH_RANKSELECT_FLAT, &plan) == OH_ERR_TYPE);
  CHECK(oh_rankselect_plan(bits, bits_length, OH_RANKSELECT_FLAT, &plan) == OH_OK);
  void* base = aligned_alloc(64, plan.region_size);
  CHECK(oh_rankselect_build(base, plan.region_size, bits, bits_length, NULL) == OH_ERR_TYPE);
  CHECK(oh_bitvector_flip(bits, bits_length, 5, NULL) == OH_OK);
  CHECK(oh_rankselect_build(base, plan.region_size, bits, bits_length, &plan) == OH_ERR_STALE);
  CHECK(oh_rankselect_check(base, plan.region_size) == OH_ERR_CORRUPT);

  CHECK(oh_bitvector_fill(bits, bits_length, 0, BITS, true) == OH_OK);
  CHECK(oh_rankselect_plan(bits, bits_length, OH_RANKSELECT_AUTO, &plan) == OH_OK);
  CHECK(plan.variant == OH_RANKSELECT_CONSTANT && plan.region_size == 256);
  CHECK(oh_rankselect_build(base, 256, bits, bits_length, &plan) == OH_OK);
  uint64_t value = 0;
  CHECK(oh_rankselect_one(base, 256, OH_SELECT1, BITS - 1, &value) == OH_OK && value == BITS - 1);
  free(base);
  free(bits);
}

int main(void) {
  every_variant();
  what_is_refused();
  return check_result();
}
