/* The hash map from C: single and bulk calls, a full map, handles, strings with NULs, damaged
 * bytes, and a map that JavaScript wrote. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

/* Memory for a region, as a program might manage it: aligned, and enlarged when the map is full. */
typedef struct memory {
  void* base;
  size_t length;
} memory;

static memory take(size_t length) {
  memory result;
  result.length = length;
  result.base = aligned_alloc(64, length);
  return result;
}

static memory new_map(uint32_t key_type, uint32_t value_type, uint32_t capacity, uint64_t heap) {
  oh_hashmap_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.key_type = key_type;
  options.value_type = value_type;
  options.capacity = capacity;
  options.heap_capacity = heap;
  size_t length = 0;
  CHECK(oh_hashmap_region_size(&options, &length) == OH_OK && length % 64 == 0);
  memory map = take(length);
  CHECK(oh_hashmap_init(map.base, map.length, &options) == OH_OK);
  return map;
}

/* Enlarges a full map, as every program has to. */
static void grow(memory* map, uint64_t heap) {
  uint32_t capacity = 0;
  size_t needed = 0;
  CHECK(oh_hashmap_next_capacity(map->base, map->length, &capacity) == OH_OK);
  CHECK(oh_hashmap_rebuild_region_size(map->base, map->length, capacity, heap, &needed) == OH_OK);
  if (needed > map->length) {
    memory larger = take(needed);
    memcpy(larger.base, map->base, map->length);
    free(map->base);
    *map = larger;
  }
  CHECK(oh_hashmap_rebuild(map->base, map->length, capacity, heap) == OH_OK);
}

static void numbers(void) {
  memory map = new_map(OH_TYPE_U32, OH_TYPE_F64, 8, 0);
  for (uint32_t key = 0; key < 1000; key++) {
    double value = key * 0.5;
    bool inserted = false;
    oh_status status =
        oh_hashmap_set(map.base, map.length, &key, sizeof key, &value, sizeof value, &inserted);
    if (status == OH_ERR_FULL) {
      grow(&map, 0);
      status = oh_hashmap_set(map.base, map.length, &key, sizeof key, &value, sizeof value, &inserted);
    }
    CHECK(status == OH_OK && inserted);
  }
  uint32_t count = 0;
  CHECK(oh_hashmap_count(map.base, map.length, &count) == OH_OK && count == 1000);

  uint32_t key = 77;
  const void* value = NULL;
  size_t value_length = 0;
  CHECK(oh_hashmap_get(map.base, map.length, &key, sizeof key, &value, &value_length) == OH_OK);
  CHECK(value != NULL && value_length == sizeof(double) && *(const double*)value == 38.5);
  key = 5000;
  CHECK(oh_hashmap_get(map.base, map.length, &key, sizeof key, &value, &value_length) == OH_OK);
  CHECK(value == NULL && value_length == 0);
  bool there = true;
  CHECK(oh_hashmap_has(map.base, map.length, &key, sizeof key, &there) == OH_OK && !there);

  /* A handle stays valid when other entries are removed and the map is rebuilt. */
  uint64_t handle = 0;
  key = 500;
  CHECK(oh_hashmap_handle_of(map.base, map.length, &key, sizeof key, &handle) == OH_OK && handle != 0);
  for (key = 0; key < 400; key++) {
    bool removed = false;
    CHECK(oh_hashmap_remove(map.base, map.length, &key, sizeof key, &removed) == OH_OK && removed);
  }
  grow(&map, 0);
  oh_hashmap_entry entry;
  CHECK(oh_hashmap_get_by_handle(map.base, map.length, handle, &entry) == OH_OK);
  CHECK(*(const uint32_t*)entry.key == 500 && *(const double*)entry.value == 250.0);
  key = 500;
  CHECK(oh_hashmap_remove(map.base, map.length, &key, sizeof key, NULL) == OH_OK);
  CHECK(oh_hashmap_get_by_handle(map.base, map.length, handle, &entry) == OH_ERR_STALE);

  /* Entries are in insertion order, one by one and in the columns. */
  uint32_t cursor = 0, expected = 400, seen = 0;
  while (oh_hashmap_next(map.base, map.length, &cursor, &entry) == OH_OK && cursor != 0) {
    if (expected == 500) expected++;
    CHECK(*(const uint32_t*)entry.key == expected);
    expected++;
    seen++;
  }
  CHECK(seen == 599);
  oh_hashmap_columns columns;
  CHECK(oh_hashmap_get_columns(map.base, map.length, &columns) == OH_OK);
  double sum = 0;
  for (uint32_t i = 0; i < columns.used; i++) {
    if ((columns.dead[i / 32] >> (i % 32) & 1) == 0) sum += ((const double*)columns.values)[i];
  }
  CHECK(sum == (400 + 999) * 600 / 2 * 0.5 - 250.0);

  CHECK(oh_hashmap_validate(map.base, map.length) == OH_OK);
  CHECK(oh_hashmap_clear(map.base, map.length) == OH_OK);
  CHECK(oh_hashmap_count(map.base, map.length, &count) == OH_OK && count == 0);
  free(map.base);
}

static void bulk(void) {
  enum { N = 50000 };
  memory map = new_map(OH_TYPE_U64, OH_TYPE_I16, 64, 0);
  uint64_t* keys = malloc(N * sizeof *keys);
  int16_t *values = malloc(N * sizeof *values), *out = malloc(N * sizeof *out);
  uint64_t* handles = malloc(N * sizeof *handles);
  uint8_t* found = malloc(N);
  for (size_t i = 0; i < N; i++) {
    keys[i] = i * 0x9E3779B97F4A7C15u;
    values[i] = (int16_t)i;
    out[i] = -1;
  }
  size_t done = 0;
  for (;;) {
    CHECK(oh_hashmap_set_many(map.base, map.length, 0, keys, values, N, done, &done) == OH_OK);
    if (done == N) break;
    grow(&map, 0);
  }
  size_t count = 0;
  CHECK(oh_hashmap_remove_many(map.base, map.length, 0, keys, 100, &count) == OH_OK && count == 100);
  CHECK(oh_hashmap_get_many(map.base, map.length, 0, keys, N, out, found, &count) == OH_OK);
  CHECK(count == N - 100 && found[99] == 0 && found[100] == 1);
  CHECK(out[99] == -1 && out[100] == 100 && memcmp(out + 100, values + 100, (N - 100) * 2) == 0);
  CHECK(oh_hashmap_has_many(map.base, map.length, 0, keys, N, NULL, &count) == OH_OK && count == N - 100);
  CHECK(oh_hashmap_handles_of(map.base, map.length, 0, keys, N, handles, &count) == OH_OK);
  CHECK(count == N - 100 && handles[0] == 0 && handles[N - 1] != 0);
  memset(out, 0, N * sizeof *out);
  CHECK(oh_hashmap_get_many_by_handle(map.base, map.length, 0, handles, N, out, found, &count) == OH_OK);
  CHECK(count == N - 100 && out[N - 1] == values[N - 1] && found[0] == 0);

  /* Invalid arrays, and arrays for a map of other types. */
  const uint32_t schema = OH_TYPE_U64 | OH_TYPE_I16 << 8;
  CHECK(oh_hashmap_get_many(map.base, map.length, schema, keys, N, out, found, &count) == OH_OK);
  CHECK(oh_hashmap_get_many(map.base, map.length, schema + 1, keys, N, out, found, &count) == OH_ERR_TYPE);
  CHECK(oh_hashmap_get_many(map.base, map.length, 0, NULL, N, out, found, &count) == OH_ERR_TYPE);
  CHECK(oh_hashmap_get_many(map.base, map.length, 0, (char*)keys + 1, N - 1, out, found, &count) ==
        OH_ERR_TYPE);
  CHECK(oh_hashmap_get_many(map.base, map.length, 0, keys, SIZE_MAX, out, found, &count) == OH_ERR_RANGE);
  CHECK(oh_hashmap_set_many(map.base, map.length, 0, keys, values, 5, 6, &done) == OH_ERR_RANGE);
  CHECK(oh_hashmap_get_many(map.base, map.length, 0, NULL, 0, NULL, NULL, &count) == OH_OK && count == 0);
  free(keys), free(values), free(out), free(handles), free(found), free(map.base);
}

static void strings(void) {
  memory map = new_map(OH_TYPE_STRING, OH_TYPE_BYTES, 4, 64);
  const char key[] = "a\0b"; /* three bytes, without the terminating NUL */
  const unsigned char value[] = {0, 255, 0, 1};
  CHECK(oh_hashmap_set(map.base, map.length, key, 3, value, 4, NULL) == OH_OK);
  CHECK(oh_hashmap_set(map.base, map.length, "a", 1, NULL, 0, NULL) == OH_OK);
  CHECK(oh_hashmap_set(map.base, map.length, NULL, 0, value, 1, NULL) == OH_OK);
  const void* found = NULL;
  size_t length = 0;
  CHECK(oh_hashmap_get(map.base, map.length, key, 3, &found, &length) == OH_OK);
  CHECK(length == 4 && memcmp(found, value, 4) == 0);
  CHECK(oh_hashmap_get(map.base, map.length, "a", 1, &found, &length) == OH_OK && found != NULL &&
        length == 0);
  CHECK(oh_hashmap_get(map.base, map.length, "", 0, &found, &length) == OH_OK && length == 1);

  /* Invalid text, and then a full heap. */
  CHECK(oh_hashmap_set(map.base, map.length, "\xFF", 1, value, 4, NULL) == OH_ERR_RANGE);
  char long_key[1000];
  memset(long_key, 'x', sizeof long_key);
  CHECK(oh_hashmap_set(map.base, map.length, long_key, 1000, value, 4, NULL) == OH_ERR_FULL);
  grow(&map, 2048);
  CHECK(oh_hashmap_set(map.base, map.length, long_key, 1000, value, 4, NULL) == OH_OK);
  oh_hashmap_info info;
  CHECK(oh_hashmap_get_info(map.base, map.length, &info) == OH_OK);
  CHECK(info.count == 4 && info.heap_capacity == 2048 && info.heap_garbage == 0);
  CHECK(info.key_type == OH_TYPE_STRING && info.value_type == OH_TYPE_BYTES);
  CHECK(oh_hashmap_validate(map.base, map.length) == OH_OK);
  free(map.base);
}

static void misuse(void) {
  memory map = new_map(OH_TYPE_F64, OH_TYPE_BOOL, 10, 0);
  double key = -0.0, zero = 0.0;
  uint8_t yes = 7;
  CHECK(oh_hashmap_set(map.base, map.length, &key, sizeof key, &yes, 1, NULL) == OH_OK);
  const void* value = NULL;
  size_t length = 0;
  CHECK(oh_hashmap_get(map.base, map.length, &zero, sizeof zero, &value, &length) == OH_OK);
  CHECK(value != NULL && *(const uint8_t*)value == 1);

  /* Invalid sizes, null pointers and options are refused, and outputs are not written. */
  float narrow = 0;
  value = &narrow;
  CHECK(oh_hashmap_get(map.base, map.length, &narrow, sizeof narrow, &value, &length) == OH_ERR_TYPE);
  CHECK(value == &narrow);
  CHECK(oh_hashmap_get(map.base, map.length, NULL, 8, &value, &length) == OH_ERR_TYPE);
  CHECK(oh_hashmap_get(map.base, map.length, &key, 8, NULL, &length) == OH_ERR_TYPE);
  CHECK(oh_hashmap_set(map.base, map.length, &key, 8, &yes, 2, NULL) == OH_ERR_TYPE);
  CHECK(oh_hashmap_check(NULL, 1000) == OH_ERR_TYPE);
  CHECK(oh_hashmap_check((char*)map.base + 4, map.length - 4) == OH_ERR_TYPE);
  oh_hashmap_options options;
  memset(&options, 0, sizeof options);
  size_t needed = 0;
  CHECK(oh_hashmap_region_size(&options, &needed) == OH_ERR_RANGE);
  options.struct_size = sizeof options;
  CHECK(oh_hashmap_region_size(&options, &needed) == OH_ERR_TYPE);
  options.key_type = OH_TYPE_BOOL;
  options.value_type = OH_TYPE_U8;
  options.capacity = 1;
  CHECK(oh_hashmap_region_size(&options, &needed) == OH_ERR_TYPE);
  options.key_type = OH_TYPE_U32;
  options.heap_capacity = 64;
  CHECK(oh_hashmap_region_size(&options, &needed) == OH_ERR_RANGE);
  options.heap_capacity = 0;
  CHECK(oh_hashmap_init(map.base, 256, &options) == OH_ERR_FULL);

  /* Damaged bytes: check detects them in the header, validate everywhere. */
  unsigned char* bytes = map.base;
  CHECK(oh_hashmap_check(map.base, map.length - 64) == OH_ERR_CORRUPT);
  bytes[0] ^= 1;
  CHECK(oh_hashmap_check(map.base, map.length) == OH_ERR_CORRUPT);
  bytes[0] ^= 1;
  bytes[4] = 2;
  CHECK(oh_hashmap_check(map.base, map.length) == OH_ERR_VERSION);
  bytes[4] = 1;
  memset(bytes + 256, 1, 64); /* the index: every tag 1, every position 0x01010101 */
  CHECK(oh_hashmap_check(map.base, map.length) == OH_OK);
  CHECK(oh_hashmap_validate(map.base, map.length) == OH_ERR_CORRUPT);
  for (int i = 0; i < 100; i++) {
    key = i;
    CHECK(oh_hashmap_get(map.base, map.length, &key, sizeof key, &value, &length) == OH_OK);
  }
  free(map.base);
}

/* A map that JavaScript wrote: its bytes come from a file in test/golden, whose README describes
 * the contents. */
static void bytes_from_elsewhere(const char* path) {
  FILE* file = fopen(path, "rb");
  CHECK(file != NULL);
  if (file == NULL) return;
  fseek(file, 0, SEEK_END);
  memory map = take((size_t)ftell(file));
  rewind(file);
  CHECK(fread(map.base, 1, map.length, file) == map.length);
  fclose(file);
  CHECK(oh_hashmap_validate(map.base, map.length) == OH_OK);
  uint32_t key = 31u * 2654435761u, count = 0;
  const void* value = NULL;
  size_t length = 0;
  CHECK(oh_hashmap_count(map.base, map.length, &count) == OH_OK && count == 67);
  CHECK(oh_hashmap_get(map.base, map.length, &key, sizeof key, &value, &length) == OH_OK);
  CHECK(value != NULL && *(const double*)value == 31.5);
  free(map.base);
}

int main(void) {
  numbers();
  bulk();
  strings();
  misuse();
  bytes_from_elsewhere(OFFHEAP_TEST_GOLDEN "/hashmap-numbers.bin"); /* version 1 of the format */
  bytes_from_elsewhere(OFFHEAP_TEST_GOLDEN "/v2/hashmap-numbers.bin");
  return check_result();
}
