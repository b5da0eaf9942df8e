/* SharedMap from C over regions whose bytes are hostile: no call accesses memory outside the
 * region, waits forever, or returns what C cannot represent. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

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

/* A bool of a hostile region is still a C bool. */
static void reads_bools(void) {
  oh_sharedmap* map = new_map(OH_TYPE_U32, OH_TYPE_BOOL);
  const uint32_t key = 0x12345678;
  bool value = true, found = false;
  size_t hits = 0;
  CHECK(oh_sharedmap_set(map, &key, 4, &value, 1, NULL, NULL) == OH_OK);
  uint32_t* words = (uint32_t*)memory;
  for (size_t i = 1; i < LENGTH / 4; i++) {
    if (words[i] == key && words[i - 1] == 1) words[i - 1] = 0x0706;
  }
  unsigned char byte = 0;
  CHECK(oh_sharedmap_get(map, &key, 4, false, &byte, 1, NULL, &found) == OH_OK && found && byte == 1);
  byte = 0;
  CHECK(oh_sharedmap_get_many(map, &key, 1, &byte, NULL, &hits) == OH_OK && hits == 1 && byte == 1);
  uint64_t handle = 0;
  byte = 0;
  CHECK(oh_sharedmap_handle_of(map, &key, 4, &handle) == OH_OK);
  CHECK(oh_sharedmap_get_by_handle(map, handle, &byte, 1, NULL, &found) == OH_OK && byte == 1);
  byte = 0;
  CHECK(oh_sharedmap_take(map, &key, 4, &byte, 1, NULL, &found) == OH_OK && found && byte == 1);
  oh_sharedmap_close(map);
}

/* A lock whose word names the participant that waits for it. */
static void takes_over_a_lock_of_its_own(void) {
  oh_sharedmap* map = new_map(OH_TYPE_U32, OH_TYPE_F64);
  CHECK(set(map, 1, 1.5));
  uint32_t* words = (uint32_t*)memory;
  const uint32_t participant = words[24] / 4, shard = words[25] / 4;
  CHECK((words[participant] & 1) == 1 && words[shard + 16] == 0);
  words[shard + 16] = (words[participant] & ~(uint32_t)2047) | 1;
  CHECK(set(map, 2, 2.5) && get(map, 1) == 1.5 && get(map, 2) == 2.5);
  oh_sharedmap_stats stats;
  CHECK(oh_sharedmap_get_stats(map, &stats) == OH_OK && stats.repairs == 1);
  CHECK(oh_sharedmap_validate(map) == OH_OK);
  oh_sharedmap_close(map);
}

#if defined(__linux__)
static uint32_t state = 12345;
static uint32_t random_word(void) {
  state = state * 1664525 + 1013904223;
  return state >> 8;
}

/* Any bytes: no function accesses memory outside the region, which ends at a page that is not
 * accessible, and every call returns. */
static void survives_hostile_bytes(void) {
  unsigned char* region = mmap(NULL, LENGTH + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(region != MAP_FAILED && mprotect(region, LENGTH, PROT_READ | PROT_WRITE) == 0);
  static unsigned char buffer[LENGTH];
  const uint32_t types[] = {OH_TYPE_U32, OH_TYPE_STRING};
  size_t attached = 0;
  for (int round = 0; round < 400; round++) {
    const uint32_t type = types[round % 2];
    const size_t width = 4;
    const oh_sharedmap_options options =
        map_options(type, type == OH_TYPE_U32 ? OH_TYPE_F64 : OH_TYPE_STRING);
    oh_sharedmap* map = NULL;
    memset(region, 0, LENGTH);
    CHECK(oh_sharedmap_init(region, LENGTH, &options) == OH_OK);
    CHECK(oh_sharedmap_attach(region, LENGTH, false, &map) == OH_OK);
    for (uint32_t i = 0; i < 300; i++) {
      char key[8];
      snprintf(key, sizeof key, "%04u", i);
      CHECK(oh_sharedmap_set(map, key, width, "12345678", 8, NULL, NULL) == OH_OK);
    }
    oh_sharedmap_close(map);
    /* In the first rounds only after the part that is checked when a map is attached. */
    const size_t from = round % 4 < 2 ? 256 : 0;
    const uint32_t damage = 1 + random_word() % 64;
    for (uint32_t i = 0; i < damage; i++) {
      const size_t at = from + random_word() % (LENGTH - from);
      const uint32_t how = random_word() % 3;
      region[at] = how == 0 ? 0xFF : how == 1 ? 0 : (unsigned char)random_word();
    }
    map = NULL;
    if (oh_sharedmap_attach(region, LENGTH, false, &map) != OH_OK) continue;
    attached++;
    bool flag = false;
    uint64_t number = 0, cursor = 0;
    size_t length = 0, count = 0;
    uint32_t outcome = 0;
    double sum = 0;
    oh_sharedmap_entry entry;
    oh_sharedmap_stats stats;
    (void)oh_sharedmap_get_stats(map, &stats);
    (void)oh_sharedmap_subscribe(map, 15);
    for (uint32_t i = 0; i < 300; i += 7) {
      char key[8];
      snprintf(key, sizeof key, "%04u", i);
      (void)oh_sharedmap_get(map, key, width, false, buffer, sizeof buffer, &entry, &flag);
      (void)oh_sharedmap_handle_of(map, key, width, &number);
      (void)oh_sharedmap_key_by_handle(map, number, buffer, sizeof buffer, &length, &flag);
      (void)oh_sharedmap_set(map, key, width, "abcdefgh", 8, NULL, NULL);
      (void)oh_sharedmap_touch(map, key, width, 4e12, &flag);
      (void)oh_sharedmap_increment(map, key, width, 1, &sum);
      (void)oh_sharedmap_take(map, key, width, buffer, sizeof buffer, &entry, &flag);
      (void)oh_sharedmap_lease(map, key, width, 1000, &outcome);
      const oh_sharedmap_read read = {key, width, 0};
      const oh_sharedmap_change change = {key, width, "ABCDEFGH", 8, 0, 0, 0, 0};
      (void)oh_sharedmap_commit(map, &read, 1, &change, 1, &flag);
      (void)oh_sharedmap_remove(map, key, width, &flag);
    }
    for (int step = 0; step < 1000; step++) {
      if (oh_sharedmap_scan(map, &cursor, true, 100, buffer, sizeof buffer, &length, &count) != OH_OK) break;
      if (cursor == 0) break;
    }
    (void)oh_sharedmap_sample(map, 0, random_word(), 50, buffer, sizeof buffer, &length, &count);
    (void)oh_sharedmap_poll(map, buffer, sizeof buffer, &length, &number);
    (void)oh_sharedmap_validate(map);
    (void)oh_sharedmap_purge_expired(map, SIZE_MAX, &count);
    (void)oh_sharedmap_count(map, &number);
    (void)oh_sharedmap_clear(map);
    oh_sharedmap_close(map);
  }
  CHECK(attached > 200);
  CHECK(munmap(region, LENGTH + 4096) == 0);
}
#endif

int main(void) {
  reads_bools();
  takes_over_a_lock_of_its_own();
#if defined(__linux__)
  survives_hostile_bytes();
#endif
  return check_result();
}
