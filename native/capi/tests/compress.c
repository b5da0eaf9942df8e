/* Dictionaries, compression and stores of records through the C ABI. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

enum { COUNT = 500, SIZE = 80 };

static char text[COUNT * SIZE];
static double ends[COUNT];

static void make_records(void) {
  size_t at = 0;
  for (int i = 0; i < COUNT; i++) {
    at += (size_t)snprintf(text + at, SIZE, "{\"id\":%d,\"town\":\"Town %d\",\"open\":%s}", i, i * 37 % 91,
                           i % 3 ? "true" : "false");
    ends[i] = (double)at;
  }
}

static void compresses(const oh_dictionary* dictionary) {
  uint8_t packed[200], back[200];
  size_t written = 0, length = 0;
  const char* record = "{\"id\":7777,\"town\":\"Town 12\",\"open\":true}";
  CHECK(oh_compress(dictionary, OH_LEVEL_DEFAULT, (const uint8_t*)record, strlen(record), packed,
                    sizeof packed, &length) == OH_OK);
  CHECK(length * 2 < strlen(record));
  CHECK(oh_decompress(dictionary, packed, length, back, sizeof back, &written) == OH_OK);
  CHECK(written == strlen(record) && memcmp(back, record, written) == 0);
  CHECK(oh_decompress(dictionary, packed, length, back, written - 1, &written) == OH_ERR_FULL);
  CHECK(oh_decompress(dictionary, packed, length - 1, back, sizeof back, &written) == OH_ERR_CORRUPT);
  CHECK(oh_decompress(dictionary, NULL, 0, back, sizeof back, &written) == OH_ERR_CORRUPT);
  CHECK(oh_compress(dictionary, 0, packed, 1, back, sizeof back, &written) == OH_ERR_RANGE);
  CHECK(oh_compress(dictionary, 3, packed, 10, back, 10, &written) == OH_ERR_RANGE);
  CHECK(oh_compress(NULL, 3, packed, 1, back, sizeof back, &written) == OH_ERR_TYPE);
  /* Arbitrary bytes are refused without harm. */
  unsigned state = 1;
  for (int i = 0; i < 20000; i++) {
    for (size_t j = 0; j < 20; j++) packed[j] = (uint8_t)((state = state * 1103515245u + 12345u) >> 16);
    const oh_status status = oh_decompress(dictionary, packed, (size_t)i % 20, back, sizeof back, &written);
    CHECK(status == OH_OK || status == OH_ERR_CORRUPT || status == OH_ERR_FULL);
  }
}

static void stores(const oh_dictionary* dictionary) {
  oh_recordstore_builder* builder = NULL;
  CHECK(oh_recordstore_builder_new(dictionary, 5, &builder) == OH_OK);
  CHECK(oh_recordstore_builder_push(builder, (const uint8_t*)text, (size_t)ends[COUNT - 1], ends, COUNT) ==
        OH_OK);
  /* The dictionary in use is no improvement over itself. */
  bool changed = true;
  CHECK(oh_recordstore_builder_adapt(builder, dictionary, (const uint8_t*)text, (size_t)ends[COUNT - 1], ends,
                                     COUNT, NULL, &changed) == OH_OK);
  CHECK(!changed);
  CHECK(oh_recordstore_builder_adapt(builder, NULL, (const uint8_t*)text, 0, ends, 0, NULL, &changed) ==
        OH_ERR_TYPE);
  uint64_t length = 0;
  CHECK(oh_recordstore_builder_region_size(builder, &length) == OH_OK);
  void* base = aligned_alloc(64, (size_t)length);
  CHECK(oh_recordstore_builder_write(builder, base, (size_t)length - 64) == OH_ERR_RANGE);
  CHECK(oh_recordstore_builder_write(builder, base, (size_t)length) == OH_OK);
  oh_recordstore_builder_free(builder);

  oh_recordstore* records = NULL;
  CHECK(oh_recordstore_open(base, (size_t)length - 64, &records) == OH_ERR_CORRUPT);
  CHECK(oh_recordstore_open(base, (size_t)length, &records) == OH_OK);
  oh_recordstore_info info;
  CHECK(oh_recordstore_get_info(records, &info) == OH_OK);
  CHECK(info.count == COUNT && info.region_size == length && info.longest < SIZE);
  CHECK(oh_recordstore_validate(records) == OH_OK);
  uint8_t out[COUNT * SIZE];
  size_t written = 0;
  for (int i = 0; i < COUNT; i++) {
    const size_t from = i ? (size_t)ends[i - 1] : 0;
    CHECK(oh_recordstore_get(records, (uint64_t)i, out, SIZE, &written) == OH_OK);
    CHECK(written == (size_t)ends[i] - from && memcmp(out, text + from, written) == 0);
  }
  CHECK(oh_recordstore_get(records, COUNT, out, SIZE, &written) == OH_ERR_RANGE);
  CHECK(oh_recordstore_get(records, 0, out, 1, &written) == OH_ERR_FULL);
  const double indices[] = {499, 0, 7};
  double found[3];
  CHECK(oh_recordstore_get_many(records, indices, 3, found, out, sizeof out, &written) == OH_OK);
  CHECK(found[2] == (double)written && memcmp(out + (size_t)found[0], text, (size_t)ends[0]) == 0);
  oh_recordstore_free(records);
  free(base);
}

int main(void) {
  make_records();
  oh_dictionary *dictionary = NULL, *copy = NULL;
  CHECK(oh_dictionary_train((const uint8_t*)text, (size_t)ends[COUNT - 1], ends, COUNT, 10, NULL,
                            &dictionary) == OH_ERR_RANGE);
  CHECK(oh_dictionary_train((const uint8_t*)text, (size_t)ends[COUNT - 1], ends, COUNT, 4096, NULL,
                            &dictionary) == OH_OK);
  /* Ends that decrease, or exceed the text. */
  const double bad[] = {5, 3};
  CHECK(oh_dictionary_train((const uint8_t*)text, 10, bad, 2, 4096, NULL, &copy) == OH_ERR_RANGE);
  CHECK(oh_dictionary_train((const uint8_t*)text, 4, bad, 1, 4096, NULL, &copy) == OH_ERR_RANGE);
  oh_dictionary_info info;
  CHECK(oh_dictionary_get_info(dictionary, &info) == OH_OK);
  CHECK(info.region_size <= 4096);
  CHECK(oh_dictionary_open(info.bytes, info.region_size, &copy) == OH_OK);
  CHECK(oh_dictionary_validate(copy) == OH_OK);
  compresses(dictionary);
  compresses(copy);
  stores(copy);
  CHECK(oh_dictionary_open(text, 300, &copy) == OH_ERR_CORRUPT);
  oh_dictionary_free(copy);
  oh_dictionary_free(dictionary);
  oh_dictionary_free(NULL);
  oh_recordstore_free(NULL);
  oh_recordstore_builder_free(NULL);
  return check_result();
}
