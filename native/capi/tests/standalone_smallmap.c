/* The standalone small map from C: both states, every width of keys, floats, text, order, and
 * invalid arguments. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

static oh_standalone_smallmap* new_map(uint32_t key_type, uint32_t value_type) {
  oh_standalone_smallmap* map = NULL;
  CHECK(oh_standalone_smallmap_new(key_type, value_type, &map) == OH_OK && map != NULL);
  return map;
}

static size_t length_of(const oh_standalone_smallmap* map) {
  size_t length = 99999;
  CHECK(oh_standalone_smallmap_count(map, &length) == OH_OK);
  return length;
}

static bool promoted(const oh_standalone_smallmap* map) {
  bool promoted = false;
  CHECK(oh_standalone_smallmap_promoted(map, &promoted) == OH_OK);
  return promoted;
}

static const void* get(const oh_standalone_smallmap* map, const void* key, size_t key_length) {
  const void* value = map;
  size_t value_length = 77;
  CHECK(oh_standalone_smallmap_get(map, key, key_length, &value, &value_length) == OH_OK);
  CHECK((value == NULL) == (value_length == 0));
  return value;
}

static void both_states(void) {
  oh_standalone_smallmap* map = new_map(OH_TYPE_U32, OH_TYPE_F64);
  for (uint32_t key = 0; key < 20; key++) {
    CHECK(get(map, &key, sizeof key) == NULL); /* including key 0 in an empty map */
    const double value = key / 2.0;
    bool inserted = false;
    CHECK(oh_standalone_smallmap_set(map, &key, sizeof key, &value, sizeof value, &inserted) == OH_OK &&
          inserted);
    CHECK(oh_standalone_smallmap_set(map, &key, sizeof key, &value, sizeof value, &inserted) == OH_OK &&
          !inserted);
    CHECK(length_of(map) == key + 1 && promoted(map) == (key >= 8));
    for (uint32_t old = 0; old <= key; old++) {
      const double* found = (const double*)get(map, &old, sizeof old);
      CHECK(found != NULL && *found == old / 2.0);
    }
  }
  bool removed = false;
  for (uint32_t key = 1; key < 20; key += 2) {
    CHECK(oh_standalone_smallmap_remove(map, &key, sizeof key, &removed) == OH_OK && removed);
    CHECK(oh_standalone_smallmap_remove(map, &key, sizeof key, &removed) == OH_OK && !removed);
  }
  size_t cursor = 0;
  oh_standalone_smallmap_entry entry;
  uint32_t expected = 0;
  while (oh_standalone_smallmap_next(map, &cursor, &entry) == OH_OK && cursor != 0) {
    CHECK(entry.key_length == 4 && entry.value_length == 8);
    CHECK(*(const uint32_t*)entry.key == expected && *(const double*)entry.value == expected / 2.0);
    expected += 2;
  }
  CHECK(expected == 20 && promoted(map));
  CHECK(oh_standalone_smallmap_clear(map) == OH_OK && length_of(map) == 0 && !promoted(map));
  CHECK(oh_standalone_smallmap_next(map, &cursor, &entry) == OH_OK && cursor == 0);
  CHECK(oh_standalone_smallmap_reserve(map, 100) == OH_OK && promoted(map));
  CHECK(oh_standalone_smallmap_reserve(map, SIZE_MAX) == OH_ERR_FULL);
  oh_standalone_smallmap_free(map);
}

static void every_width(void) {
  const uint32_t types[] = {OH_TYPE_U8,  OH_TYPE_I8,  OH_TYPE_U16, OH_TYPE_I16, OH_TYPE_U32,
                            OH_TYPE_I32, OH_TYPE_U64, OH_TYPE_I64, OH_TYPE_F32, OH_TYPE_F64};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    oh_standalone_smallmap* map = new_map(types[i], OH_TYPE_U16);
    const size_t width = oh_type_width(types[i]);
    for (uint16_t n = 0; n < 30; n++) {
      /* As floats, these are subnormal numbers. */
      const uint64_t key = n;
      CHECK(oh_standalone_smallmap_set(map, &key, width, &n, sizeof n, NULL) == OH_OK);
    }
    for (uint16_t n = 0; n < 30; n++) {
      const uint64_t key = n;
      const uint16_t* value = (const uint16_t*)get(map, &key, width);
      CHECK(value != NULL && *value == n);
    }
    CHECK(length_of(map) == 30);
    oh_standalone_smallmap_free(map);
  }
}

static void floats(void) {
  oh_standalone_smallmap* map = new_map(OH_TYPE_F64, OH_TYPE_BOOL);
  const double keys[] = {NAN, -NAN, 0.0, -0.0, 1.5};
  const bool yes = true;
  for (int i = 0; i < 5; i++)
    CHECK(oh_standalone_smallmap_set(map, &keys[i], sizeof keys[i], &yes, 1, NULL) == OH_OK);
  CHECK(length_of(map) == 3);
  for (int i = 0; i < 5; i++) CHECK(get(map, &keys[i], sizeof keys[i]) != NULL);
  oh_standalone_smallmap_free(map);
}

static void text(void) {
  oh_standalone_smallmap* map = new_map(OH_TYPE_STRING, OH_TYPE_I64);
  const char* words[] = {"", "a", "b", "gr\xC3\xBCn", "five", "six", "seven", "eight", "nine", "ten"};
  for (int64_t i = 0; i < 10; i++) {
    CHECK(oh_standalone_smallmap_set(map, words[i], strlen(words[i]), &i, sizeof i, NULL) == OH_OK);
  }
  for (int64_t i = 0; i < 10; i++) {
    const int64_t* value = (const int64_t*)get(map, words[i], strlen(words[i]));
    CHECK(value != NULL && *value == i);
  }
  CHECK(get(map, "none", 4) == NULL);
  CHECK(oh_standalone_smallmap_set(map, "\xFF", 1, &(int64_t){1}, 8, NULL) == OH_ERR_RANGE &&
        length_of(map) == 10);
  oh_standalone_smallmap_free(map);
}

static void bad_arguments(void) {
  oh_standalone_smallmap* map = NULL;
  CHECK(oh_standalone_smallmap_new(OH_TYPE_ANY, OH_TYPE_U8, &map) == OH_ERR_TYPE);
  CHECK(oh_standalone_smallmap_new(OH_TYPE_BOOL, OH_TYPE_U8, &map) == OH_ERR_TYPE);
  CHECK(oh_standalone_smallmap_new(OH_TYPE_U8, OH_TYPE_STRING, &map) == OH_ERR_TYPE);
  CHECK(oh_standalone_smallmap_new(0, 99, &map) == OH_ERR_TYPE && map == NULL);
  CHECK(oh_standalone_smallmap_new(OH_TYPE_U8, OH_TYPE_U8, NULL) == OH_ERR_TYPE);
  map = new_map(OH_TYPE_U32, OH_TYPE_U32);
  const uint32_t number = 1;
  bool flag = false;
  size_t length = 7;
  const void* value = NULL;
  CHECK(oh_standalone_smallmap_set(map, &number, 3, &number, 4, NULL) == OH_ERR_TYPE);
  CHECK(oh_standalone_smallmap_set(map, &number, 4, &number, 8, NULL) == OH_ERR_TYPE);
  CHECK(oh_standalone_smallmap_set(map, NULL, 4, &number, 4, NULL) == OH_ERR_TYPE);
  CHECK(oh_standalone_smallmap_set(NULL, &number, 4, &number, 4, NULL) == OH_ERR_TYPE);
  CHECK(oh_standalone_smallmap_get(map, &number, 4, NULL, &length) == OH_ERR_TYPE);
  CHECK(oh_standalone_smallmap_get(NULL, &number, 4, &value, &length) == OH_ERR_TYPE);
  CHECK(oh_standalone_smallmap_remove(map, NULL, 0, &flag) == OH_ERR_TYPE);
  CHECK(oh_standalone_smallmap_next(map, NULL, NULL) == OH_ERR_TYPE);
  CHECK(oh_standalone_smallmap_clear(NULL) == OH_ERR_TYPE &&
        oh_standalone_smallmap_reserve(NULL, 1) == OH_ERR_TYPE);
  CHECK(length_of(map) == 0 && length == 7);
  oh_standalone_smallmap_free(map);
  oh_standalone_smallmap_free(NULL);
}

int main(void) {
  both_states();
  every_width();
  floats();
  text();
  bad_arguments();
  return check_result();
}
