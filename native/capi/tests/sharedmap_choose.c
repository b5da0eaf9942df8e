/* Custom eviction in C: a map that evicts nothing, and a caller that makes room in it. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

enum { kBound = 1 << 18, kValue = 200 };

static oh_sharedmap* map;
static uint32_t shards;
static uint8_t value[kValue];

static oh_status set(uint32_t key) {
  return oh_sharedmap_set(map, &key, sizeof key, value, sizeof value, NULL, NULL);
}

static bool has(uint32_t key) {
  bool found = false;
  CHECK(oh_sharedmap_get(map, &key, sizeof key, true, NULL, 0, NULL, &found) == OH_OK);
  return found;
}

static uint64_t count(void) {
  uint64_t entries = 0;
  CHECK(oh_sharedmap_count(map, &entries) == OH_OK);
  return entries;
}

/* An entry of a sample with a key of 4 bytes. */
typedef struct candidate {
  uint32_t head, zero;
  uint64_t bytes;
  double expires_at;
  uint64_t version;
  uint32_t key, padding;
} candidate;

static void evicts_the_smallest_keys(void) {
  uint32_t next = 0;
  while (set(next) == OH_OK) next++;
  CHECK(next > 500 && set(next) == OH_ERR_FULL && count() == next);
  bool fits = false;
  CHECK(oh_sharedmap_fits(map, 4, kValue, &fits) == OH_OK && fits);
  CHECK(oh_sharedmap_fits(map, 4, kBound, &fits) == OH_OK && !fits);
  CHECK(oh_sharedmap_fits(map, SIZE_MAX, SIZE_MAX, &fits) == OH_OK && !fits);
  const uint32_t last = next + 300;
  uint32_t evictions = 0;
  for (uint32_t attempt = 0; next < last && attempt < 5000; attempt++) {
    if (set(next) == OH_OK) {
      CHECK(has(next));
      next++;
      continue;
    }
    candidate found[16];
    size_t length = 0, entries = 0;
    CHECK(oh_sharedmap_sample(map, attempt % shards, attempt * 2654435769u, 16, found, sizeof found, &length,
                              &entries) == OH_OK);
    CHECK(entries > 0 && entries <= 16 && length == entries * sizeof(candidate));
    const candidate* least = &found[0];
    for (size_t i = 0; i < entries; i++) {
      CHECK(found[i].head == 0 && found[i].bytes > kValue && found[i].expires_at == 0 &&
            found[i].version > 0);
      if (found[i].key < least->key) least = &found[i];
    }
    bool evicted = true;
    CHECK(oh_sharedmap_evict(map, &least->key, 4, least->version + 1, &evicted) == OH_OK && !evicted);
    CHECK(has(least->key));
    CHECK(oh_sharedmap_evict(map, &least->key, 4, least->version, &evicted) == OH_OK && evicted);
    CHECK(!has(least->key));
    CHECK(oh_sharedmap_evict(map, &least->key, 4, least->version, &evicted) == OH_OK && !evicted);
    evictions++;
  }
  CHECK(next == last && count() == last - evictions);
  oh_sharedmap_stats stats;
  CHECK(oh_sharedmap_get_stats(map, &stats) == OH_OK && stats.evictions == evictions);
  CHECK(oh_sharedmap_validate(map) == OH_OK);
}

static void refuses_invalid_arguments(void) {
  candidate found[1];
  const uint32_t key = 1;
  size_t length = 7, entries = 7;
  bool flag = true;
  CHECK(oh_sharedmap_sample(map, shards, 0, 1, found, sizeof found, &length, &entries) == OH_ERR_RANGE);
  CHECK(oh_sharedmap_sample(NULL, 0, 0, 1, found, sizeof found, &length, &entries) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_sample(map, 0, 0, 1, NULL, 8, &length, &entries) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_sample(map, 0, 0, 1, found, sizeof found, NULL, &entries) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_sample(map, 0, 0, 1, found, sizeof found, &length, NULL) == OH_ERR_TYPE);
  CHECK(length == 7 && entries == 7);
  CHECK(oh_sharedmap_sample(map, 0, 0, 0, found, sizeof found, &length, &entries) == OH_OK);
  CHECK(length == 0 && entries == 0);
  /* Nothing is written to a buffer that is too short. */
  memset(found, 0xAB, sizeof found);
  CHECK(oh_sharedmap_sample(map, 0, 0, 1, found, sizeof found - 1, &length, &entries) == OH_OK);
  CHECK(length == sizeof found && entries == 0 && found[0].head == 0xABABABAB);
  CHECK(oh_sharedmap_evict(map, &key, 3, 1, &flag) == OH_ERR_TYPE && flag);
  CHECK(oh_sharedmap_evict(map, NULL, 4, 1, &flag) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_evict(map, &key, 4, 1, NULL) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_evict(NULL, &key, 4, 1, &flag) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_fits(NULL, 4, 1, &flag) == OH_ERR_TYPE);
  CHECK(oh_sharedmap_fits(map, 4, 1, NULL) == OH_ERR_TYPE);
}

int main(void) {
  oh_sharedmap_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.key = OH_TYPE_U32;
  options.value = OH_TYPE_BYTES;
  options.max_bytes = kBound;
  options.policy = 6;
  options.reject = 1;
  options.shards = 1;
  uint64_t size = 0;
  CHECK(oh_sharedmap_region_size(&options, &size) == OH_OK);
  uint64_t* memory = (uint64_t*)calloc(size / 8, 8);
  CHECK(memory != NULL);
  CHECK(oh_sharedmap_init(memory, size, &options) == OH_OK);
  CHECK(oh_sharedmap_attach(memory, size, false, &map) == OH_OK);
  oh_sharedmap_stats stats;
  CHECK(oh_sharedmap_get_stats(map, &stats) == OH_OK);
  shards = (uint32_t)stats.shards;
  evicts_the_smallest_keys();
  refuses_invalid_arguments();
  oh_sharedmap_close(map);
  free(memory);
  return check_result();
}
