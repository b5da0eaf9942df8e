/* Bloom filters from C: single and bulk calls, the golden file, bad arguments, damaged bytes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

static void adding_and_asking(void) {
  size_t length = 0;
  CHECK(oh_bloomfilter_region_size(1000, 0.01, &length) == OH_OK && length % 64 == 0 && length < 2000);
  void* base = aligned_alloc(64, length);
  memset(base, 0xA5, length);
  CHECK(oh_bloomfilter_init(base, length, 1000, 0.01, 1, 2) == OH_OK);
  CHECK(oh_bloomfilter_check(base, length) == OH_OK && oh_bloomfilter_validate(base, length) == OH_OK);
  oh_bloomfilter_info info;
  CHECK(oh_bloomfilter_get_info(base, length, &info) == OH_OK);
  CHECK(info.capacity == 1000 && info.rate == 0.01 && info.region_size == length);
  CHECK(info.blocks * 64 + 256 == length);

  bool found = true;
  uint64_t ones = 7;
  CHECK(oh_bloomfilter_ones(base, length, &ones) == OH_OK && ones == 0);
  CHECK(oh_bloomfilter_has(base, length, "apple", 5, &found) == OH_OK && !found);
  CHECK(oh_bloomfilter_add(base, length, "apple", 5) == OH_OK);
  CHECK(oh_bloomfilter_has(base, length, "apple", 5, &found) == OH_OK && found);
  CHECK(oh_bloomfilter_has(base, length, "appl", 4, &found) == OH_OK && !found);
  CHECK(oh_bloomfilter_add(base, length, NULL, 0) == OH_OK);
  CHECK(oh_bloomfilter_has(base, length, "", 0, &found) == OH_OK && found);

  double keys[600];
  uint8_t answers[600];
  for (int i = 0; i < 600; i++) keys[i] = i * 0.5;
  CHECK(oh_bloomfilter_add_numbers(base, length, keys, OH_TYPE_F64, 300) == OH_OK);
  CHECK(oh_bloomfilter_has_numbers(base, length, keys, OH_TYPE_F64, 600, answers) == OH_OK);
  int yes = 0;
  for (int i = 0; i < 600; i++) {
    CHECK(i >= 300 || answers[i] == 1);
    yes += answers[i];
  }
  CHECK(yes < 330);
  /* The same numbers in another type are the same keys. */
  const uint8_t bytes[] = {0, 1, 149};
  CHECK(oh_bloomfilter_has_numbers(base, length, bytes, OH_TYPE_U8, 3, answers) == OH_OK);
  CHECK(answers[0] == 1 && answers[1] == 1 && answers[2] == 1);

  oh_bloomfilter_hashed hashed[2];
  CHECK(oh_bloomfilter_hash(base, length, "apple", 5, &hashed[0]) == OH_OK);
  CHECK(oh_bloomfilter_hash(base, length, "pear", 4, &hashed[1]) == OH_OK);
  CHECK(oh_bloomfilter_has_hashed(base, length, hashed, 2, answers) == OH_OK);
  CHECK(answers[0] == 1 && answers[1] == 0);
  CHECK(oh_bloomfilter_add_hashed(base, length, hashed, 2) == OH_OK);
  CHECK(oh_bloomfilter_has(base, length, "pear", 4, &found) == OH_OK && found);
  free(base);
}

static void golden(void) {
  FILE* file = fopen(OFFHEAP_TEST_GOLDEN "/v2/bloomfilter.bin", "rb");
  CHECK(file != NULL);
  if (file == NULL) return;
  void* base = aligned_alloc(64, 4096);
  const size_t length = fread(base, 1, 4096, file);
  fclose(file);
  CHECK(oh_bloomfilter_validate(base, length) == OH_OK);
  bool found = false;
  CHECK(oh_bloomfilter_has(base, length, "key 49", 6, &found) == OH_OK && found);
  /* Rebuilt here, the filter has the same bytes. */
  void* again = aligned_alloc(64, length);
  CHECK(oh_bloomfilter_init(again, length, 100, 0.01, 0x01234567, 0x89ABCDEF) == OH_OK);
  for (int i = 0; i < 50; i++) {
    const double number = i * 1.5;
    char text[16];
    const int size = snprintf(text, sizeof text, "key %d", i);
    CHECK(oh_bloomfilter_add_numbers(again, length, &number, OH_TYPE_F64, 1) == OH_OK);
    CHECK(oh_bloomfilter_add(again, length, text, (size_t)size) == OH_OK);
  }
  CHECK(memcmp(base, again, length) == 0);
  free(again);
  free(base);
}

static void what_is_refused(void) {
  size_t length = 5;
  const double rates[] = {0, 1, -1, NAN, INFINITY};
  for (int i = 0; i < 5; i++) CHECK(oh_bloomfilter_region_size(10, rates[i], &length) == OH_ERR_RANGE);
  CHECK(oh_bloomfilter_region_size(UINT64_MAX, 0.01, &length) == OH_ERR_RANGE && length == 5);
  CHECK(oh_bloomfilter_region_size(10, 0.01, NULL) == OH_ERR_TYPE);
  uint64_t memory[40];
  CHECK(oh_bloomfilter_init(memory, 312, 1, 0.5, 0, 0) == OH_ERR_FULL);
  CHECK(oh_bloomfilter_init(NULL, 320, 1, 0.5, 0, 0) == OH_ERR_TYPE);
  CHECK(oh_bloomfilter_init(memory, 320, 1, 0.5, 0, 0) == OH_OK);
  bool found = false;
  uint8_t out = 7;
  const uint64_t wide = 1;
  CHECK(oh_bloomfilter_add(memory, 320, NULL, 1) == OH_ERR_TYPE);
  CHECK(oh_bloomfilter_has(memory, 320, "a", 1, NULL) == OH_ERR_TYPE);
  CHECK(oh_bloomfilter_add_numbers(memory, 320, &wide, OH_TYPE_U64, 1) == OH_ERR_TYPE);
  CHECK(oh_bloomfilter_add_numbers(memory, 320, &wide, OH_TYPE_STRING, 1) == OH_ERR_TYPE);
  CHECK(oh_bloomfilter_has_numbers(memory, 320, NULL, OH_TYPE_F64, 1, &out) == OH_ERR_TYPE);
  CHECK(oh_bloomfilter_has_numbers(memory, 320, &wide, OH_TYPE_F64, 1, NULL) == OH_ERR_TYPE);
  CHECK(oh_bloomfilter_has_hashed(memory, 320, NULL, 1, &out) == OH_ERR_TYPE && out == 7);
  CHECK(oh_bloomfilter_has_hashed(memory, 320, NULL, 0, NULL) == OH_OK);

  CHECK(oh_bloomfilter_check(memory, 256) == OH_ERR_CORRUPT);
  ((uint32_t*)memory)[16] = 2;
  CHECK(oh_bloomfilter_has(memory, 320, "a", 1, &found) == OH_ERR_CORRUPT);
  ((uint32_t*)memory)[16] = 1;
  ((uint32_t*)memory)[30] = 1;
  CHECK(oh_bloomfilter_check(memory, 320) == OH_OK);
  CHECK(oh_bloomfilter_validate(memory, 320) == OH_ERR_CORRUPT);
  ((uint32_t*)memory)[2] = 16;
  CHECK(oh_bloomfilter_add(memory, 320, "a", 1) == OH_ERR_VERSION);
}

int main(void) {
  adding_and_asking();
  golden();
  what_is_refused();
  return check_result();
}
