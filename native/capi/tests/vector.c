/* Vectors from C: in memory of the caller, growth, sorting with a control, searching, invalid
 * arguments, damaged bytes; and vectors that own their memory. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

static void in_memory_of_ones_own(void) {
  size_t length = 0;
  CHECK(oh_vector_region_size(OH_TYPE_F64, 8, &length) == OH_OK && length == 320);
  void* base = aligned_alloc(64, length);
  CHECK(oh_vector_init(base, length, OH_TYPE_F64) == OH_OK);
  const double values[] = {3, -1, 0.5, 2, 7, 7, 1e300, -0.0};
  CHECK(oh_vector_push(base, length, OH_TYPE_F64, values, 8) == OH_OK);
  CHECK(oh_vector_push(base, length, OH_TYPE_F64, values, 1) == OH_ERR_FULL);

  /* Enlarges the memory, and then the region in it. */
  void* larger = aligned_alloc(64, 4096);
  memcpy(larger, base, length);
  free(base);
  base = larger;
  length = 4096;
  CHECK(oh_vector_set_region(base, length, length) == OH_OK);
  CHECK(oh_vector_push(base, length, OH_TYPE_F64, values, 2) == OH_OK);
  oh_vector_info info;
  CHECK(oh_vector_get_info(base, length, &info) == OH_OK);
  CHECK(info.count == 10 && info.capacity == 480 && info.element_type == OH_TYPE_F64);
  CHECK(info.data == (char*)base + 256 && info.region_size == 4096);

  oh_sum sum;
  CHECK(oh_vector_sum(base, length, &sum) == OH_OK && sum.value == 1e300);
  double extreme = 0;
  bool found = false;
  CHECK(oh_vector_extreme(base, length, OH_TYPE_F64, false, &extreme, &found) == OH_OK);
  CHECK(found && extreme == -1);
  int64_t at = 0;
  double seven = 7;
  CHECK(oh_vector_index_of(base, length, OH_TYPE_F64, &seven, 0, false, &at) == OH_OK && at == 4);
  CHECK(oh_vector_index_of(base, length, OH_TYPE_F64, &seven, 6, false, &at) == OH_OK && at == -1);

  uint32_t order[10];
  bool finished = false;
  CHECK(oh_vector_argsort(base, length, NULL, order, 10, false, &finished) == OH_OK && finished);
  CHECK(order[0] == 1 && order[1] == 9 && order[2] == 7 && order[9] == 6);

  oh_control control;
  memset(&control, 0, sizeof control);
  control.cancel = 1;
  CHECK(oh_vector_sort(base, length, &control, &finished) == OH_OK && !finished);
  CHECK(((double*)info.data)[0] == 3);
  control.cancel = 0;
  CHECK(oh_vector_sort(base, length, &control, &finished) == OH_OK && finished);
  CHECK(control.done == control.total);
  const double* sorted = info.data;
  for (int i = 1; i < 10; i++) CHECK(sorted[i - 1] <= sorted[i]);

  const double probes[] = {7, 100, -5, 0, NAN};
  int64_t places[5];
  CHECK(oh_vector_search(base, length, OH_TYPE_F64, probes, 5, places) == OH_OK);
  CHECK(places[0] == 7 && places[1] == -10 && places[2] == -1 && places[3] == 2 && places[4] == -11);

  double nine = 9;
  CHECK(oh_vector_fill(base, length, OH_TYPE_F64, &nine, 8, 10) == OH_OK && sorted[9] == 9);
  CHECK(oh_vector_fill(base, length, OH_TYPE_F64, &nine, 8, 11) == OH_ERR_RANGE);
  CHECK(oh_vector_set_count(base, length, 3) == OH_OK);
  size_t saved = 0;
  CHECK(oh_vector_saved_size(base, length, &saved) == OH_OK && saved == 320);
  CHECK(oh_vector_set_region(base, length, saved) == OH_OK);
  CHECK(oh_vector_zero_unused(base, length) == OH_OK && sorted[3] == 0);
  CHECK(oh_vector_validate(base, length) == OH_OK);
  free(base);
}

static void exact_sums(void) {
  void* base = aligned_alloc(64, 320);
  CHECK(oh_vector_init(base, 320, OH_TYPE_I64) == OH_OK);
  const int64_t values[] = {INT64_MIN, INT64_MIN, -1};
  CHECK(oh_vector_push(base, 320, OH_TYPE_I64, values, 3) == OH_OK);
  oh_sum sum;
  CHECK(oh_vector_sum(base, 320, &sum) == OH_OK);
  CHECK(sum.high == -2 && sum.low == UINT64_MAX); /* -2^64 - 1 */
  free(base);
}

static void wrong_arguments(void) {
  void* base = aligned_alloc(64, 320);
  size_t length = 0;
  bool finished = false;
  CHECK(oh_vector_region_size(OH_TYPE_BOOL, 1, &length) == OH_ERR_TYPE);
  CHECK(oh_vector_region_size(99, 1, &length) == OH_ERR_TYPE);
  CHECK(oh_vector_region_size(OH_TYPE_U8, UINT64_MAX, &length) == OH_ERR_RANGE);
  CHECK(oh_vector_region_size(OH_TYPE_U8, 1, NULL) == OH_ERR_TYPE);
  CHECK(oh_vector_init(NULL, 320, OH_TYPE_U8) == OH_ERR_TYPE);
  CHECK(oh_vector_init(base, 255, OH_TYPE_U8) == OH_ERR_CORRUPT);
  CHECK(oh_vector_init(base, 320, OH_TYPE_STRING) == OH_ERR_TYPE);
  CHECK(oh_vector_init(base, 320, OH_TYPE_U32) == OH_OK);
  const uint32_t one[] = {1, 2};
  CHECK(oh_vector_push(base, 320, OH_TYPE_I32, one, 1) == OH_ERR_TYPE);
  CHECK(oh_vector_push(base, 320, OH_TYPE_U32, NULL, 1) == OH_ERR_TYPE);
  CHECK(oh_vector_push(base, 320, OH_TYPE_U32, (const char*)one + 1, 1) == OH_ERR_TYPE);
  CHECK(oh_vector_push(base, 320, OH_TYPE_U32, one, SIZE_MAX) == OH_ERR_RANGE);
  CHECK(oh_vector_push(base, 320, OH_TYPE_U32, NULL, 0) == OH_OK);
  CHECK(oh_vector_set_count(base, 320, 17) == OH_ERR_FULL);
  CHECK(oh_vector_set_region(base, 320, 384) == OH_ERR_FULL);
  CHECK(oh_vector_sort(base, 320, NULL, NULL) == OH_ERR_TYPE);
  CHECK(oh_vector_sort(base, 320, (oh_control*)((char*)base + 4), &finished) == OH_ERR_TYPE);
  CHECK(oh_vector_argsort(base, 320, NULL, NULL, 1, false, &finished) == OH_ERR_TYPE);
  uint32_t order[1];
  CHECK(oh_vector_argsort(base, 320, NULL, order, 1, false, &finished) == OH_ERR_RANGE);
  uint32_t extreme = 5;
  bool found = true;
  CHECK(oh_vector_extreme(base, 320, OH_TYPE_U32, true, &extreme, &found) == OH_OK && !found && extreme == 5);
  ((uint32_t*)base)[18] = 17; /* exceeds the capacity */
  CHECK(oh_vector_check(base, 320) == OH_ERR_CORRUPT);
  free(base);
}

static void that_own_their_memory(void) {
  oh_owned_vector* vec = NULL;
  CHECK(oh_owned_vector_new(OH_TYPE_BYTES, 0, &vec) == OH_ERR_TYPE && vec == NULL);
  CHECK(oh_owned_vector_new(OH_TYPE_I16, 0, &vec) == OH_OK);
  for (int i = 0; i < 100000; i++) {
    const int16_t value = (int16_t)(i * 7919);
    CHECK(oh_owned_vector_push(vec, &value, 1) == OH_OK);
  }
  CHECK(oh_owned_vector_count(vec) == 100000 && (uintptr_t)oh_owned_vector_data(vec) % 64 == 0);
  CHECK(oh_owned_vector_sort(vec) == OH_OK);
  const int16_t* data = oh_owned_vector_data(vec);
  for (int i = 1; i < 100000; i++) CHECK(data[i - 1] <= data[i]);
  CHECK(oh_owned_vector_truncate(vec, 10) == OH_OK && oh_owned_vector_count(vec) == 10);
  CHECK(oh_owned_vector_reserve(vec, 200000) == OH_OK);
  CHECK(oh_owned_vector_reserve(vec, SIZE_MAX) == OH_ERR_RANGE);
  void* base = NULL;
  size_t length = 0;
  CHECK(oh_owned_vector_region(vec, &base, &length) == OH_OK);
  oh_vector_info info;
  CHECK(oh_vector_get_info(base, length, &info) == OH_OK && info.count == 10);
  CHECK(oh_owned_vector_push(NULL, &length, 1) == OH_ERR_TYPE);
  CHECK(oh_owned_vector_push(vec, NULL, 1) == OH_ERR_TYPE);
  CHECK(oh_owned_vector_count(NULL) == 0 && oh_owned_vector_data(NULL) == NULL);
  oh_owned_vector_free(vec);
  oh_owned_vector_free(NULL);
}

int main(void) {
  in_memory_of_ones_own();
  exact_sums();
  wrong_arguments();
  that_own_their_memory();
  return check_result();
}
