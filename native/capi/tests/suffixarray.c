/* Suffix arrays from C: building, searching, the golden file, invalid arguments, damaged bytes. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

static const char text[] = "she sells sea shells by the sea shore";

static void building_and_searching(void) {
  size_t length = 0;
  CHECK(oh_suffixarray_region_size(sizeof text - 1, &length) == OH_OK && length == 256 + 64 + 192);
  void* base = aligned_alloc(64, length);
  memset(base, 0xA5, length);
  CHECK(oh_suffixarray_build(base, length, text, sizeof text - 1) == OH_OK);
  CHECK(oh_suffixarray_check(base, length) == OH_OK && oh_suffixarray_validate(base, length) == OH_OK);
  uint64_t size = 0;
  CHECK(oh_suffixarray_count(base, length, &size) == OH_OK && size == sizeof text - 1);
  oh_suffixarray_found found;
  CHECK(oh_suffixarray_search(base, length, "sea", 3, &found) == OH_OK && found.count == 2);
  for (uint64_t i = 0; i < found.count; i++) {
    uint64_t at = 0;
    CHECK(oh_suffixarray_at(base, length, found.start + i, &at) == OH_OK && memcmp(text + at, "sea", 3) == 0);
  }
  CHECK(oh_suffixarray_search(base, length, NULL, 0, &found) == OH_OK && found.count == size);
  CHECK(oh_suffixarray_search(base, length, "x", 1, &found) == OH_OK && found.count == 0);
  uint64_t at = 5;
  CHECK(oh_suffixarray_at(base, length, size, &at) == OH_ERR_RANGE && at == 5);

  /* Built in place: the same bytes. Canceled: no region. */
  void* place = aligned_alloc(64, length);
  memset(place, 0x5A, length);
  memcpy((char*)place + OH_SUFFIXARRAY_TEXT, text, sizeof text - 1);
  bool finished = true;
  oh_control control = {0};
  control.cancel = 1;
  CHECK(oh_suffixarray_build_in_place(place, length, sizeof text - 1, &control, &finished) == OH_OK);
  CHECK(!finished && oh_suffixarray_check(place, length) == OH_ERR_CORRUPT);
  CHECK(oh_suffixarray_build_in_place(place, length, sizeof text - 1, NULL, &finished) == OH_OK && finished);
  CHECK(memcmp(place, base, length) == 0);

  FILE* file = fopen(OFFHEAP_TEST_GOLDEN "/suffixarray.bin", "rb");
  CHECK(file != NULL);
  if (file != NULL) {
    CHECK(fread(place, 1, length, file) == length && memcmp(place, base, length) == 0);
    fclose(file);
  }
  free(place);
  free(base);
}

static void what_is_refused(void) {
  size_t length = 5;
  CHECK(oh_suffixarray_region_size((size_t)1 << 31, &length) == OH_ERR_RANGE && length == 5);
  CHECK(oh_suffixarray_region_size(1, NULL) == OH_ERR_TYPE);
  uint64_t memory[64];
  CHECK(oh_suffixarray_build(memory, 320, "ab", 2) == OH_ERR_FULL);
  CHECK(oh_suffixarray_build(NULL, 512, "ab", 2) == OH_ERR_TYPE);
  CHECK(oh_suffixarray_build(memory, 512, NULL, 2) == OH_ERR_TYPE);
  CHECK(oh_suffixarray_build(memory, 512, NULL, 0) == OH_OK);
  CHECK(oh_suffixarray_build(memory, 512, "ab", 2) == OH_OK && oh_suffixarray_validate(memory, 512) == OH_OK);
  oh_suffixarray_found found;
  CHECK(oh_suffixarray_search(memory, 512, NULL, 1, &found) == OH_ERR_TYPE);
  CHECK(oh_suffixarray_search(memory, 512, "a", 1, NULL) == OH_ERR_TYPE);
  /* Positions outside the text are detected by validate, and harmless before. */
  ((uint32_t*)memory)[80] = 0xFFFFFFFF;
  CHECK(oh_suffixarray_search(memory, 512, "a", 1, &found) == OH_OK);
  CHECK(oh_suffixarray_validate(memory, 512) == OH_ERR_CORRUPT);
  CHECK(oh_suffixarray_check(memory, 320) == OH_ERR_CORRUPT);
  ((uint32_t*)memory)[16] = 100;
  CHECK(oh_suffixarray_check(memory, 512) == OH_ERR_CORRUPT);
  ((uint32_t*)memory)[2] = 15;
  CHECK(oh_suffixarray_check(memory, 512) == OH_ERR_VERSION);
}

int main(void) {
  building_and_searching();
  what_is_refused();
  return check_result();
}
