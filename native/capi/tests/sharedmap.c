/* SharedMap from C, in memory: every function, with right and wrong arguments, and small regions.
 * `sharedmap_hostile.c` tests regions whose bytes are hostile, `sharedmap_file.c` maps in files. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

#define LENGTH 65536

static uint64_t memory[LENGTH / 8 + 1];

static oh_sharedmap_options map_options(uint32_t key, uint32_t value) {
  oh_sharedmap_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.key = key;
  options.value = value;
  options.max_bytes = LENGTH;
  return options;
}

/* A new map in `memory`. */
static oh_sharedmap* new_map(uint32_t key, uint32_t value) {
  const oh_sharedmap_options options = map_options(key, value);
  oh_sharedmap* map = NULL;
  memset(memory, 0, sizeof memory);
  CHECK(oh_sharedmap_init(memory, LENGTH, &options) == OH_OK);
  CHECK(oh_sharedmap_attach(memory, LENGTH, false, &map) == OH_OK && map != NULL);
  return map;
}

static bool set(oh_sharedmap* map, uint32_t key, double value) {
  return oh_sharedmap_set(map, &key, sizeof key, &value, sizeof value, NULL, NULL) == OH_OK;
}

static double get(const oh_sharedmap* map, uint32_t key) {
  double value = -1;
  bool found = false;
  CHECK(oh_sharedmap_get(map, &key, sizeof key, false, &value, sizeof value, NULL, &found) == OH_OK);
  return found ? value : -1;
}

static void creates(void) {
  oh_sharedmap_options options = map_options(OH_TYPE_U32, OH_TYPE_F64);
  uint64_t size = 0;
  oh_sharedmap* map = NULL;
  CHECK(oh_sharedmap_region_size(&options, &size) == OH_OK && size > 0 && size <= LENGTH);
  CHECK(oh_sharedmap_region_size(NULL, &size) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_region_size(&options, NULL) == OH_ERR_TYPE);
  /* Too small, misaligned, and no memory. */
  memset(memory, 0, sizeof memory);
  CHECK(oh_sharedmap_init(memory, (size_t)size - 1, &options) == OH_ERR_FULL);
  CHECK(oh_sharedmap_init(memory, 0, &options) == OH_ERR_FULL);
  CHECK(oh_sharedmap_init((char*)memory + 4, LENGTH, &options) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_init(NULL, LENGTH, &options) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_init(memory, LENGTH, NULL) == OH_ERR_TYPE);
  /* Each refused call left the memory as it was. */
  for (size_t i = 0; i < LENGTH / 8; i++) {
    if (memory[i] != 0) CHECK(false);
  }
  CHECK(oh_sharedmap_attach(memory, LENGTH, false, &map) == OH_ERR_CORRUPT && map == NULL);
  /* Options outside their ranges. */
  options.max_bytes = LENGTH - 1;
  CHECK(oh_sharedmap_region_size(&options, &size) == OH_ERR_RANGE);
  options.max_bytes = UINT64_MAX;
  CHECK(oh_sharedmap_region_size(&options, &size) == OH_ERR_RANGE);
  options = map_options(OH_TYPE_U8, OH_TYPE_F64);
  CHECK(oh_sharedmap_region_size(&options, &size) != OH_OK);
  options = map_options(99, OH_TYPE_F64);
  CHECK(oh_sharedmap_region_size(&options, &size) == OH_ERR_RANGE);
  options = map_options(OH_TYPE_U32, OH_TYPE_ANY);
  CHECK(oh_sharedmap_region_size(&options, &size) != OH_OK);
  options = map_options(OH_TYPE_U32, OH_TYPE_F64);
  options.policy = 7;
  CHECK(oh_sharedmap_region_size(&options, &size) != OH_OK);
  options = map_options(OH_TYPE_U32, OH_TYPE_F64);
  options.shards = 3;
  CHECK(oh_sharedmap_region_size(&options, &size) == OH_ERR_RANGE);
  options = map_options(OH_TYPE_U32, OH_TYPE_F64);
  options.ttl = -1;
  CHECK(oh_sharedmap_region_size(&options, &size) == OH_ERR_RANGE);
  options = map_options(OH_TYPE_U32, OH_TYPE_F64);
  options.struct_size = 7;
  CHECK(oh_sharedmap_region_size(&options, &size) == OH_ERR_RANGE);

  map = new_map(OH_TYPE_U32, OH_TYPE_F64);
  uint32_t key = 0, value = 0, slot = 99, second_slot = 99;
  CHECK(oh_sharedmap_types(map, &key, &value) == OH_OK && key == OH_TYPE_U32 && value == OH_TYPE_F64);
  CHECK(oh_sharedmap_types(NULL, &key, &value) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_types(map, NULL, &value) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_types(map, &key, NULL) == OH_ERR_TYPE);
  oh_sharedmap* other = NULL;
  CHECK(oh_sharedmap_attach_thread(NULL, &other) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_attach_thread(map, NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_attach_thread(map, &other) == OH_OK && other != NULL);
  CHECK(oh_sharedmap_slot(map, &slot) == OH_OK && oh_sharedmap_slot(other, &second_slot) == OH_OK);
  CHECK(slot != second_slot && oh_sharedmap_slot(NULL, &slot) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_slot(map, NULL) == OH_ERR_TYPE);
  CHECK(set(map, 1, 1.5) && get(other, 1) == 1.5);
  /* The other attachment remains when the first one is closed. */
  oh_sharedmap_close(map);
  CHECK(set(other, 2, 2.5) && get(other, 1) == 1.5);
  oh_sharedmap_close(other);
  oh_sharedmap_close(NULL);
  CHECK(oh_sharedmap_attach(memory, LENGTH, false, NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_attach(NULL, LENGTH, false, &map) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_attach(memory, 64, false, &map) == OH_ERR_CORRUPT);
  CHECK(oh_sharedmap_attach(memory, LENGTH / 2, false, &map) == OH_ERR_CORRUPT);
  /* More participants than slots. */
  oh_sharedmap* all[1001];
  size_t count = 0;
  while (count < 1001 && oh_sharedmap_attach(memory, LENGTH, false, &all[count]) == OH_OK) count++;
  CHECK(count >= 16 && count < 1001);
  CHECK(oh_sharedmap_attach_thread(all[0], &other) == OH_ERR_FULL);
  CHECK(get(all[count - 1], 2) == 2.5);
  while (count > 0) oh_sharedmap_close(all[--count]);
}

static void changes(void) {
  oh_sharedmap* map = new_map(OH_TYPE_U32, OH_TYPE_F64);
  const uint32_t key = 7;
  double value = 1.5;
  oh_sharedmap_entry entry;
  oh_sharedmap_written written;
  bool found = true, removed = true;
  CHECK(oh_sharedmap_get(map, &key, 4, false, &value, 8, &entry, &found) == OH_OK && !found && value == 1.5);
  CHECK(oh_sharedmap_set(map, &key, 4, &value, 8, NULL, &written) == OH_OK);
  CHECK(written.stored && !written.existed && written.version != 0);
  CHECK(oh_sharedmap_get(map, &key, 4, true, NULL, 0, &entry, &found) == OH_OK && found);
  CHECK(entry.version == written.version && entry.value_length == 8 && entry.expires_at == 0);
  CHECK(entry.bytes > 0 && entry.value_type == 0 && entry.value_head == 0);
  value = 0;
  CHECK(oh_sharedmap_get(map, &key, 4, false, &value, 7, &entry, &found) == OH_OK && found && value == 0);
  CHECK(oh_sharedmap_get(map, &key, 4, false, &value, 8, NULL, &found) == OH_OK && value == 1.5);

  /* Wrong arguments. */
  CHECK(oh_sharedmap_get(NULL, &key, 4, false, &value, 8, &entry, &found) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_get(map, NULL, 4, false, &value, 8, &entry, &found) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_get(map, &key, 3, false, &value, 8, &entry, &found) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_get(map, &key, 8, false, &value, 8, &entry, &found) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_get(map, &key, 4, false, NULL, 8, &entry, &found) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_get(map, &key, 4, false, &value, 8, &entry, NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_set(NULL, &key, 4, &value, 8, NULL, NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_set(map, NULL, 4, &value, 8, NULL, NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_set(map, &key, 4, NULL, 8, NULL, NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_set(map, &key, 4, &value, 4, NULL, NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_set(map, &key, 5, &value, 8, NULL, NULL) == OH_ERR_TYPE);

  /* Conditions. */
  oh_sharedmap_write how;
  memset(&how, 0, sizeof how);
  how.struct_size = sizeof how;
  how.mode = OH_SHAREDMAP_ADD;
  CHECK(oh_sharedmap_set(map, &key, 4, &value, 8, &how, &written) == OH_OK && !written.stored &&
        written.existed);
  how.mode = OH_SHAREDMAP_COMPARE;
  how.version = written.version;
  value = 2.5;
  CHECK(oh_sharedmap_set(map, &key, 4, &value, 8, &how, &written) == OH_OK && written.stored);
  CHECK(oh_sharedmap_set(map, &key, 4, &value, 8, &how, &written) == OH_OK && !written.stored);
  how.mode = OH_SHAREDMAP_REPLACE;
  const uint32_t absent = 8;
  CHECK(oh_sharedmap_set(map, &absent, 4, &value, 8, &how, &written) == OH_OK && !written.stored);
  how.mode = 4;
  CHECK(oh_sharedmap_set(map, &key, 4, &value, 8, &how, &written) == OH_ERR_RANGE);
  how.mode = OH_SHAREDMAP_SET;
  how.expiry = 4;
  CHECK(oh_sharedmap_set(map, &key, 4, &value, 8, &how, &written) == OH_ERR_RANGE);
  how.expiry = OH_SHAREDMAP_EXPIRY_AT;
  CHECK(oh_sharedmap_set(map, &key, 4, &value, 8, &how, &written) == OH_ERR_RANGE);
  how.expires_at = 1;
  how.struct_size = 3;
  CHECK(oh_sharedmap_set(map, &key, 4, &value, 8, &how, &written) == OH_ERR_RANGE);
  how.struct_size = sizeof how;
  value = 3.5;
  CHECK(oh_sharedmap_set(map, &key, 4, &value, 8, NULL, (void*)((char*)&written + 1)) == OH_ERR_TYPE);
  CHECK(get(map, 7) == 2.5);
  /* Expired at once. */
  CHECK(oh_sharedmap_set(map, &absent, 4, &value, 8, &how, &written) == OH_OK && get(map, 8) == -1);
  size_t purged = 0;
  CHECK(oh_sharedmap_purge_expired(map, SIZE_MAX, &purged) == OH_OK && purged == 1);
  CHECK(oh_sharedmap_purge_expired(NULL, SIZE_MAX, &purged) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_purge_expired(map, SIZE_MAX, NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_touch(map, &key, 4, 4e12, &found) == OH_OK && found);
  CHECK(oh_sharedmap_get(map, &key, 4, true, NULL, 0, &entry, &found) == OH_OK && entry.expires_at == 4e12);
  CHECK(oh_sharedmap_touch(map, &key, 4, 0, &found) == OH_OK && found);
  CHECK(oh_sharedmap_touch(map, &absent, 4, 0, &found) == OH_OK && !found);
  CHECK(oh_sharedmap_touch(map, &key, 4, -1, &found) == OH_ERR_RANGE);
  CHECK(oh_sharedmap_touch(NULL, &key, 4, 0, &found) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_touch(map, &key, 4, 0, NULL) == OH_ERR_TYPE);

  double sum = 0;
  int64_t integer = 0;
  CHECK(oh_sharedmap_increment(map, &key, 4, 1, &sum) == OH_OK && sum == 3.5);
  CHECK(oh_sharedmap_increment(map, &key, 4, 1, NULL) == OH_ERR_TYPE && get(map, 7) == 3.5);
  CHECK(oh_sharedmap_increment(NULL, &key, 4, 1, &sum) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_increment_integer(map, &key, 4, 1, &integer) != OH_OK && get(map, 7) == 3.5);
  CHECK(oh_sharedmap_increment_integer(NULL, &key, 4, 1, &integer) == OH_ERR_TYPE);

  CHECK(oh_sharedmap_take(map, &key, 4, &value, 4, &entry, &found) == OH_OK && found);
  CHECK(entry.value_length == 8 && get(map, 7) == 3.5);
  CHECK(oh_sharedmap_take(NULL, &key, 4, &value, 8, &entry, &found) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_take(map, &key, 4, NULL, 8, &entry, &found) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_take(map, &key, 4, &value, 8, &entry, NULL) == OH_ERR_TYPE && get(map, 7) == 3.5);
  CHECK(oh_sharedmap_take(map, &key, 4, &value, 8, &entry, &found) == OH_OK && found && value == 3.5);
  CHECK(oh_sharedmap_take(map, &key, 4, &value, 8, &entry, &found) == OH_OK && !found);
  CHECK(oh_sharedmap_remove(map, &key, 4, &removed) == OH_OK && !removed);
  CHECK(oh_sharedmap_remove(NULL, &key, 4, &removed) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_remove(map, &key, 4, NULL) == OH_ERR_TYPE);
  CHECK(set(map, 7, 1) && oh_sharedmap_remove(map, &key, 4, &removed) == OH_OK && removed);

  uint64_t count = 9;
  CHECK(set(map, 1, 1) && set(map, 2, 2) && oh_sharedmap_count(map, &count) == OH_OK && count == 2);
  CHECK(oh_sharedmap_count(NULL, &count) == OH_ERR_TYPE && oh_sharedmap_count(map, NULL) == OH_ERR_TYPE);
  oh_sharedmap_stats stats;
  CHECK(oh_sharedmap_get_stats(map, &stats) == OH_OK && stats.entries == 2 && stats.participants == 1);
  CHECK(stats.max_bytes == LENGTH && stats.used_bytes <= LENGTH && stats.sets > 0 && stats.hits > 0);
  CHECK(oh_sharedmap_get_stats(NULL, &stats) == OH_ERR_TYPE &&
        oh_sharedmap_get_stats(map, NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_validate(map) == OH_OK && oh_sharedmap_validate(NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_clear(map) == OH_OK && oh_sharedmap_clear(NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_count(map, &count) == OH_OK && count == 0);
  oh_sharedmap_close(map);
}

static void stores_text_and_mixed_values(void) {
  oh_sharedmap* map = new_map(OH_TYPE_STRING, OH_TYPE_MIXED);
  oh_sharedmap_write how;
  oh_sharedmap_entry entry;
  bool found = false;
  char buffer[16];
  const double number = 2.5;
  memset(&how, 0, sizeof how);
  how.struct_size = sizeof how;
  CHECK(oh_sharedmap_set(map, "a", 1, "text", 4, &how, NULL) == OH_ERR_TYPE);
  how.value_type = OH_TYPE_U8;
  CHECK(oh_sharedmap_set(map, "a", 1, "t", 1, &how, NULL) == OH_ERR_TYPE);
  how.value_type = OH_TYPE_STRING;
  CHECK(oh_sharedmap_set(map, "a", 1, "text", 4, &how, NULL) == OH_OK);
  CHECK(oh_sharedmap_set(map, "a", 1, "\xFF", 1, &how, NULL) == OH_ERR_RANGE);
  CHECK(oh_sharedmap_set(map, "\xFF", 1, "text", 4, &how, NULL) == OH_ERR_RANGE);
  CHECK(oh_sharedmap_set(map, "a", SIZE_MAX, "text", 4, &how, NULL) == OH_ERR_RANGE);
  CHECK(oh_sharedmap_set(map, "a", 1, "text", SIZE_MAX, &how, NULL) == OH_ERR_RANGE);
  CHECK(oh_sharedmap_set(map, "", 0, "", 0, &how, NULL) == OH_OK);
  CHECK(oh_sharedmap_set(map, NULL, 0, NULL, 0, &how, NULL) == OH_OK);
  how.value_type = OH_TYPE_F64;
  CHECK(oh_sharedmap_set(map, "b", 1, &number, 4, &how, NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_set(map, "b", 1, &number, 8, &how, NULL) == OH_OK);
  CHECK(oh_sharedmap_get(map, "a", 1, false, buffer, 3, &entry, &found) == OH_OK && found);
  CHECK(entry.value_length == 4 && entry.value_type == OH_TYPE_STRING && entry.value_head >> 2 == 4);
  CHECK(oh_sharedmap_get(map, "a", 1, false, buffer, sizeof buffer, &entry, &found) == OH_OK);
  CHECK(memcmp(buffer, "text", 4) == 0);
  CHECK(oh_sharedmap_get(map, NULL, 0, false, buffer, sizeof buffer, &entry, &found) == OH_OK && found);
  CHECK(entry.value_length == 0);
  CHECK(oh_sharedmap_get(map, "b", 1, false, buffer, sizeof buffer, &entry, &found) == OH_OK && found);
  CHECK(entry.value_type == OH_TYPE_F64 && memcmp(buffer, &number, 8) == 0);
  double sum = 0;
  CHECK(oh_sharedmap_increment(map, "b", 1, 1, &sum) == OH_OK && sum == 3.5);
  CHECK(oh_sharedmap_increment(map, "a", 1, 1, &sum) == OH_ERR_TYPE);
  /* A value that is in several chunks, and one that never fits. */
  static char large[2 * LENGTH];
  memset(large, 'x', sizeof large);
  how.value_type = OH_TYPE_BYTES;
  CHECK(oh_sharedmap_set(map, "large", 5, large, 20000, &how, NULL) == OH_OK);
  static char copy[20000];
  CHECK(oh_sharedmap_get(map, "large", 5, false, copy, sizeof copy, &entry, &found) == OH_OK && found);
  CHECK(entry.value_length == 20000 && memcmp(copy, large, 20000) == 0);
  CHECK(oh_sharedmap_set(map, "large", 5, large, sizeof large, &how, NULL) == OH_ERR_FULL);
  CHECK(oh_sharedmap_set(map, large, 20000, "x", 1, &how, NULL) == OH_ERR_RANGE);
  CHECK(oh_sharedmap_validate(map) == OH_OK);
  oh_sharedmap_close(map);
}

static void uses_handles(void) {
  oh_sharedmap* map = new_map(OH_TYPE_STRING, OH_TYPE_U64);
  uint64_t handle = 1, value = 5;
  size_t length = 0;
  bool found = false;
  char buffer[16];
  oh_sharedmap_written written;
  CHECK(oh_sharedmap_handle_of(map, "key", 3, &handle) == OH_OK && handle == 0);
  CHECK(oh_sharedmap_set(map, "key", 3, &value, 8, NULL, NULL) == OH_OK);
  CHECK(oh_sharedmap_handle_of(map, "key", 3, &handle) == OH_OK && handle != 0 && handle >> 53 == 0);
  CHECK(oh_sharedmap_handle_of(NULL, "key", 3, &handle) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_handle_of(map, "key", 3, NULL) == OH_ERR_TYPE);
  value = 0;
  CHECK(oh_sharedmap_get_by_handle(map, handle, &value, 8, NULL, &found) == OH_OK && found && value == 5);
  CHECK(oh_sharedmap_get_by_handle(NULL, handle, &value, 8, NULL, &found) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_get_by_handle(map, handle, NULL, 8, NULL, &found) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_get_by_handle(map, handle, &value, 8, NULL, NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_key_by_handle(map, handle, buffer, 2, &length, &found) == OH_OK && found && length == 3);
  CHECK(oh_sharedmap_key_by_handle(map, handle, buffer, 16, &length, &found) == OH_OK && found);
  CHECK(length == 3 && memcmp(buffer, "key", 3) == 0);
  CHECK(oh_sharedmap_key_by_handle(map, handle, buffer, 16, NULL, &found) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_key_by_handle(NULL, handle, buffer, 16, &length, &found) == OH_ERR_TYPE);
  value = 6;
  CHECK(oh_sharedmap_set_by_handle(map, handle, &value, 8, NULL, &written) == OH_OK && written.stored);
  CHECK(oh_sharedmap_set_by_handle(map, handle, &value, 4, NULL, &written) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_set_by_handle(NULL, handle, &value, 8, NULL, &written) == OH_ERR_TYPE);
  int64_t sum = 0;
  CHECK(oh_sharedmap_increment_integer(map, "key", 3, -1, &sum) == OH_OK && sum == 5);
  CHECK(oh_sharedmap_increment_integer(map, "key", 3, -6, &sum) == OH_ERR_RANGE);
  CHECK(oh_sharedmap_remove_by_handle(map, handle, &found) == OH_OK && found);
  CHECK(oh_sharedmap_remove_by_handle(map, handle, &found) == OH_OK && !found);
  CHECK(oh_sharedmap_remove_by_handle(NULL, handle, &found) == OH_ERR_TYPE);
  const uint64_t stale[] = {handle, 0, UINT64_MAX, handle ^ 1, handle + ((uint64_t)1 << 31)};
  for (size_t i = 0; i < sizeof stale / sizeof *stale; i++) {
    CHECK(oh_sharedmap_get_by_handle(map, stale[i], &value, 8, NULL, &found) == OH_OK && !found);
    CHECK(oh_sharedmap_key_by_handle(map, stale[i], buffer, 16, &length, &found) == OH_OK && !found);
    CHECK(oh_sharedmap_set_by_handle(map, stale[i], &value, 8, NULL, &written) == OH_OK && !written.existed);
    CHECK(oh_sharedmap_remove_by_handle(map, stale[i], &found) == OH_OK && !found);
  }
  oh_sharedmap_close(map);
}

static void handles_many_at_once(void) {
  oh_sharedmap* map = new_map(OH_TYPE_U32, OH_TYPE_U16);
  uint32_t keys[500];
  uint16_t values[500], out[500];
  uint8_t found[500];
  size_t count = 0;
  for (uint32_t i = 0; i < 500; i++) {
    keys[i] = i * 3;
    values[i] = (uint16_t)(i + 1);
    out[i] = 9;
  }
  CHECK(oh_sharedmap_set_many(map, keys, values, 400, &count) == OH_OK && count == 400);
  CHECK(oh_sharedmap_get_many(map, keys, 500, out, found, &count) == OH_OK && count == 400);
  CHECK(out[399] == 400 && found[399] == 1 && out[400] == 9 && found[400] == 0);
  CHECK(oh_sharedmap_get_many(map, keys, 500, NULL, NULL, &count) == OH_OK && count == 400);
  CHECK(oh_sharedmap_get_many(map, NULL, 0, NULL, NULL, &count) == OH_OK && count == 0);
  CHECK(oh_sharedmap_remove_many(map, keys, 500, &count) == OH_OK && count == 400);
  CHECK(oh_sharedmap_get_many(NULL, keys, 1, out, found, &count) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_get_many(map, NULL, 1, out, found, &count) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_get_many(map, (char*)keys + 1, 1, out, found, &count) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_get_many(map, keys, SIZE_MAX, out, found, &count) == OH_ERR_RANGE);
  CHECK(oh_sharedmap_get_many(map, keys, 1, out, found, NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_set_many(NULL, keys, values, 1, &count) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_set_many(map, keys, NULL, 1, &count) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_set_many(map, keys, values, SIZE_MAX / 2, &count) == OH_ERR_RANGE);
  CHECK(oh_sharedmap_set_many(map, keys, values, 1, NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_remove_many(NULL, keys, 1, &count) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_remove_many(map, keys, 1, NULL) == OH_ERR_TYPE);
  oh_sharedmap_close(map);
  map = new_map(OH_TYPE_STRING, OH_TYPE_U16);
  CHECK(oh_sharedmap_get_many(map, keys, 1, out, found, &count) == OH_ERR_UNSUPPORTED);
  CHECK(oh_sharedmap_set_many(map, keys, values, 1, &count) == OH_ERR_UNSUPPORTED);
  CHECK(oh_sharedmap_remove_many(map, keys, 1, &count) == OH_ERR_UNSUPPORTED);
  oh_sharedmap_close(map);
}

static void iterates(void) {
  oh_sharedmap* map = new_map(OH_TYPE_U32, OH_TYPE_F64);
  for (uint32_t key = 0; key < 500; key++) CHECK(set(map, key, key));
  static unsigned char seen[500];
  uint64_t cursor = 0, rows[1024];
  size_t length = 0, count = 0, all = 0;
  memset(seen, 0, sizeof seen);
  do {
    CHECK(oh_sharedmap_scan(map, &cursor, true, 10, rows, sizeof rows, &length, &count) == OH_OK);
    CHECK(length == count * 40);
    for (size_t at = 0; at < length / 8; at += 5) {
      uint32_t key = 0;
      double value = 0;
      memcpy(&key, &rows[at + 3], sizeof key);
      memcpy(&value, &rows[at + 4], sizeof value);
      if (key < 500 && value == key) seen[key]++;
    }
    all += count;
  } while (cursor != 0);
  CHECK(all == 500);
  for (size_t key = 0; key < 500; key++) {
    if (seen[key] != 1) CHECK(false);
  }
  /* A buffer that is too small. */
  CHECK(oh_sharedmap_scan(map, &cursor, false, 10, NULL, 0, &length, &count) == OH_OK);
  CHECK(count == 0 && cursor == 0 && length > 0);
  CHECK(oh_sharedmap_scan(NULL, &cursor, true, 10, rows, sizeof rows, &length, &count) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_scan(map, NULL, true, 10, rows, sizeof rows, &length, &count) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_scan(map, &cursor, true, 10, NULL, sizeof rows, &length, &count) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_scan(map, &cursor, true, 10, rows, sizeof rows, NULL, &count) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_scan(map, &cursor, true, 10, rows, sizeof rows, &length, NULL) == OH_ERR_TYPE);
  /* Any number is a valid cursor. */
  cursor = UINT64_MAX;
  CHECK(oh_sharedmap_scan(map, &cursor, true, 10, rows, sizeof rows, &length, &count) == OH_OK && count == 0);
  oh_sharedmap_close(map);
}

static void leases(void) {
  oh_sharedmap* map = new_map(OH_TYPE_U32, OH_TYPE_F64);
  oh_sharedmap* other = NULL;
  CHECK(oh_sharedmap_attach_thread(map, &other) == OH_OK);
  const uint32_t key = 3;
  uint32_t outcome = 99;
  CHECK(oh_sharedmap_lease(map, &key, 4, 60000, &outcome) == OH_OK && outcome == OH_SHAREDMAP_LEASE_ACQUIRED);
  CHECK(oh_sharedmap_lease(other, &key, 4, 60000, &outcome) == OH_OK && outcome == OH_SHAREDMAP_LEASE_HELD);
  CHECK(get(other, 3) == -1 && oh_sharedmap_end_lease(other, &key, 4) == OH_OK);
  CHECK(oh_sharedmap_lease(other, &key, 4, 60000, &outcome) == OH_OK && outcome == OH_SHAREDMAP_LEASE_HELD);
  CHECK(oh_sharedmap_end_lease(map, &key, 4) == OH_OK);
  CHECK(oh_sharedmap_lease(other, &key, 4, 60000, &outcome) == OH_OK &&
        outcome == OH_SHAREDMAP_LEASE_ACQUIRED);
  /* A participant that closes its attachment gives its leases up. */
  oh_sharedmap_close(other);
  CHECK(oh_sharedmap_lease(map, &key, 4, 60000, &outcome) == OH_OK && outcome == OH_SHAREDMAP_LEASE_ACQUIRED);
  CHECK(set(map, 3, 1));
  CHECK(oh_sharedmap_lease(map, &key, 4, 60000, &outcome) == OH_OK && outcome == OH_SHAREDMAP_LEASE_PRESENT);
  CHECK(oh_sharedmap_lease(map, &key, 4, 0, &outcome) == OH_ERR_RANGE);
  CHECK(oh_sharedmap_lease(map, &key, 3, 1, &outcome) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_lease(NULL, &key, 4, 1, &outcome) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_lease(map, &key, 4, 1, NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_end_lease(NULL, &key, 4) == OH_ERR_TYPE &&
        oh_sharedmap_end_lease(map, &key, 4) == OH_OK);
  CHECK(get(map, 3) == 1 && oh_sharedmap_validate(map) == OH_OK);
  oh_sharedmap_close(map);
}

static void commits(void) {
  oh_sharedmap* map = new_map(OH_TYPE_U32, OH_TYPE_F64);
  const uint32_t keys[] = {1, 2};
  const double values[] = {1.5, 2.5};
  oh_sharedmap_read reads[1];
  oh_sharedmap_change changes[66];
  bool done = false;
  memset(changes, 0, sizeof changes);
  for (size_t i = 0; i < 2; i++) {
    changes[i].key = &keys[i];
    changes[i].key_length = 4;
    changes[i].value = &values[i];
    changes[i].value_length = 8;
  }
  reads[0].key = &keys[0];
  reads[0].key_length = 4;
  reads[0].version = 0;
  CHECK(oh_sharedmap_commit(map, reads, 1, changes, 2, &done) == OH_OK && done);
  CHECK(get(map, 1) == 1.5 && get(map, 2) == 2.5);
  /* The key is present now. */
  changes[1].remove = true;
  CHECK(oh_sharedmap_commit(map, reads, 1, changes, 2, &done) == OH_OK && !done && get(map, 2) == 2.5);
  CHECK(oh_sharedmap_commit(map, NULL, 0, changes, 2, &done) == OH_OK && done && get(map, 2) == -1);
  CHECK(oh_sharedmap_commit(map, NULL, 0, NULL, 0, &done) == OH_OK && done);
  /* Two changes of one key. */
  changes[1].remove = false;
  changes[1].key = &keys[0];
  CHECK(oh_sharedmap_commit(map, NULL, 0, changes, 2, &done) == OH_ERR_RANGE);
  uint64_t count = 0;
  CHECK(oh_sharedmap_count(map, &count) == OH_OK && count == 1 && get(map, 1) == 1.5);
  /* Too many, and invalid ones. */
  uint32_t many[66];
  for (uint32_t i = 0; i < 66; i++) {
    many[i] = i + 100;
    changes[i] = changes[0];
    changes[i].key = &many[i];
  }
  CHECK(oh_sharedmap_commit(map, NULL, 0, changes, 65, &done) == OH_ERR_RANGE);
  CHECK(oh_sharedmap_commit(map, NULL, 0, changes, 64, &done) == OH_OK && done);
  CHECK(oh_sharedmap_count(map, &count) == OH_OK && count == 65);
  changes[1].value_length = 3;
  CHECK(oh_sharedmap_commit(map, NULL, 0, changes, 2, &done) == OH_ERR_TYPE);
  changes[1].value_length = 8;
  changes[1].expiry = 9;
  CHECK(oh_sharedmap_commit(map, NULL, 0, changes, 2, &done) == OH_ERR_RANGE);
  CHECK(oh_sharedmap_commit(NULL, NULL, 0, NULL, 0, &done) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_commit(map, NULL, 1, NULL, 0, &done) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_commit(map, NULL, 0, NULL, 1, &done) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_commit(map, NULL, 0, NULL, 0, NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_validate(map) == OH_OK);
  oh_sharedmap_close(map);
}

static void reports_events(void) {
  oh_sharedmap* map = new_map(OH_TYPE_U32, OH_TYPE_F64);
  uint32_t words[64];
  size_t length = 9;
  uint64_t dropped = 9;
  bool removed = false;
  CHECK(oh_sharedmap_poll(map, words, sizeof words, &length, &dropped) == OH_OK && length == 0 &&
        dropped == 0);
  CHECK(oh_sharedmap_subscribe(map, OH_SHAREDMAP_EVENT_SET | OH_SHAREDMAP_EVENT_DELETE) == OH_OK);
  const uint32_t key = 77;
  CHECK(set(map, key, 1) && oh_sharedmap_remove(map, &key, 4, &removed) == OH_OK);
  CHECK(oh_sharedmap_poll(map, NULL, 0, &length, &dropped) == OH_OK && length == 48 && dropped == 0);
  CHECK(oh_sharedmap_poll(map, words, sizeof words, &length, &dropped) == OH_OK && length == 48);
  CHECK(words[0] == 24 && words[1] == OH_SHAREDMAP_EVENT_SET && words[2] == 0 && words[4] == 77);
  CHECK(words[6] == 24 && words[7] == OH_SHAREDMAP_EVENT_DELETE && words[10] == 77);
  CHECK(oh_sharedmap_poll(map, words, sizeof words, &length, &dropped) == OH_OK && length == 0);
  CHECK(oh_sharedmap_subscribe(map, 16) == OH_ERR_RANGE && oh_sharedmap_subscribe(NULL, 1) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_poll(NULL, words, sizeof words, &length, &dropped) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_poll(map, NULL, 8, &length, &dropped) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_poll(map, words, sizeof words, NULL, &dropped) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_poll(map, words, sizeof words, &length, NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_subscribe(map, 0) == OH_OK);
  oh_sharedmap_close(map);
}

static void saves(void) {
  char path[256];
  const char* folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/oh-sharedmap-%p", folder ? folder : "/tmp", (void*)memory);
  oh_sharedmap* map = new_map(OH_TYPE_U32, OH_TYPE_F64);
  for (uint32_t key = 0; key < 100; key++) CHECK(set(map, key, key));
  bool finished = false;
  uint64_t count = 0;
  oh_sharedmap_snapshot_info info;
  oh_control stop = {1, 0, 0, 0};
  CHECK(oh_sharedmap_save(map, path, strlen(path), &stop, &finished) == OH_OK && !finished);
  CHECK(oh_sharedmap_save(map, path, strlen(path), NULL, &finished) == OH_OK && finished);
  CHECK(oh_sharedmap_save(NULL, path, strlen(path), NULL, &finished) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_save(map, NULL, 1, NULL, &finished) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_save(map, "/nonexistent/file", 17, NULL, &finished) == OH_ERR_IO);
  CHECK(oh_sharedmap_save(map, path, strlen(path), NULL, NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_snapshot_get_info(path, strlen(path), &info) == OH_OK);
  CHECK(info.max_bytes == LENGTH && info.key == OH_TYPE_U32 && info.value == OH_TYPE_F64 && info.ttl == 0);
  CHECK(oh_sharedmap_snapshot_get_info(path, strlen(path), NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_snapshot_get_info(NULL, 0, &info) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_snapshot_get_info("/nonexistent/file", 17, &info) == OH_ERR_IO);
  oh_sharedmap_close(map);
  map = new_map(OH_TYPE_U32, OH_TYPE_F64);
  CHECK(oh_sharedmap_restore(map, path, strlen(path), &count) == OH_OK && count == 100 && get(map, 99) == 99);
  CHECK(oh_sharedmap_restore(NULL, path, strlen(path), &count) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_restore(map, path, strlen(path), NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_restore(map, "/nonexistent/file", 17, &count) == OH_ERR_IO);
  oh_sharedmap_close(map);
  map = new_map(OH_TYPE_U32, OH_TYPE_F32);
  CHECK(oh_sharedmap_restore(map, path, strlen(path), &count) == OH_ERR_TYPE);
  oh_sharedmap_close(map);

  /* A snapshot that is cut short, and one that is damaged. */
  static unsigned char bytes[LENGTH];
  FILE* file = fopen(path, "rb");
  const size_t length = file == NULL ? 0 : fread(bytes, 1, sizeof bytes, file);
  CHECK(length > 100 && fclose(file) == 0);
  map = new_map(OH_TYPE_U32, OH_TYPE_F64);
  for (size_t at = 0; at <= length; at += length / 20 + 1) {
    bytes[at % length] ^= 0x40;
    file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(bytes, 1, at % length, file) == at % length && fclose(file) == 0);
    CHECK(oh_sharedmap_restore(map, path, strlen(path), &count) != OH_OK);
    file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(bytes, 1, length, file) == length && fclose(file) == 0);
    CHECK(oh_sharedmap_restore(map, path, strlen(path), &count) != OH_OK);
    bytes[at % length] ^= 0x40;
  }
  CHECK(oh_sharedmap_validate(map) == OH_OK);
  oh_sharedmap_close(map);
  remove(path);
}

int main(void) {
  creates();
  changes();
  stores_text_and_mixed_values();
  uses_handles();
  handles_many_at_once();
  iterates();
  leases();
  commits();
  reports_events();
  saves();
  return check_result();
}
