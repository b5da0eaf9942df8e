/* The arena of small maps from C: growth, numbers and text, both states, stale ids, bulk calls,
 * damaged bytes and invalid arguments. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

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

static memory new_arena(uint32_t key_type, uint32_t value_type, uint32_t maps) {
  oh_smallmap_arena_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.key_type = key_type;
  options.value_type = value_type;
  options.maps = maps;
  size_t length = 0;
  CHECK(oh_smallmap_arena_region_size(&options, &length) == OH_OK && length % 64 == 0);
  memory arena = take(length);
  CHECK(oh_smallmap_arena_init(arena.base, arena.length, &options) == OH_OK);
  CHECK(oh_smallmap_arena_check(arena.base, arena.length) == OH_OK);
  return arena;
}

/* Makes room in a full arena. */
static void grow(memory* arena, uint32_t strings, uint64_t heap) {
  oh_smallmap_arena_room room;
  memset(&room, 0, sizeof room);
  room.struct_size = sizeof room;
  room.maps = 1;
  room.blocks = 1;
  room.positions = 10;
  room.strings = strings;
  room.heap = heap;
  size_t needed = 0;
  CHECK(oh_smallmap_arena_room_region_size(arena->base, arena->length, &room, &needed) == OH_OK);
  if (needed > arena->length) {
    CHECK(oh_smallmap_arena_make_room(arena->base, arena->length, &room) == OH_ERR_FULL);
    memory larger = take(needed);
    memcpy(larger.base, arena->base, arena->length);
    free(arena->base);
    *arena = larger;
  }
  CHECK(oh_smallmap_arena_make_room(arena->base, arena->length, &room) == OH_OK);
}

static uint64_t create(memory* arena) {
  uint64_t id = 0;
  oh_status status = oh_smallmap_arena_create(arena->base, arena->length, &id);
  if (status == OH_ERR_FULL) {
    grow(arena, 0, 0);
    status = oh_smallmap_arena_create(arena->base, arena->length, &id);
  }
  CHECK(status == OH_OK);
  return id;
}

static void set(memory* arena, uint64_t id, uint64_t key, uint64_t value) {
  oh_status status = oh_smallmap_arena_set(arena->base, arena->length, id, key, value);
  if (status == OH_ERR_FULL) {
    grow(arena, 0, 0);
    status = oh_smallmap_arena_set(arena->base, arena->length, id, key, value);
  }
  CHECK(status == OH_OK);
}

static bool get(const memory* arena, uint64_t id, uint64_t key, uint64_t* value) {
  bool found = false;
  CHECK(oh_smallmap_arena_get(arena->base, arena->length, id, key, value, &found) == OH_OK);
  return found;
}

static void numbers(void) {
  memory arena = new_arena(OH_TYPE_U32, OH_TYPE_U64, 1);
  uint64_t ids[40];
  for (uint32_t map = 0; map < 40; map++) {
    ids[map] = create(&arena);
    for (uint32_t n = 0; n < map % 14; n++) set(&arena, ids[map], n * 7, map * 100 + n);
  }
  CHECK(oh_smallmap_arena_validate(arena.base, arena.length) == OH_OK);
  for (uint32_t map = 0; map < 40; map++) {
    uint32_t size = 0;
    bool promoted = false;
    CHECK(oh_smallmap_arena_count(arena.base, arena.length, ids[map], &size, &promoted) == OH_OK);
    CHECK(size == map % 14 && promoted == (size > 8));
    for (uint32_t n = 0; n < 14; n++) {
      uint64_t value = 1;
      const bool found = get(&arena, ids[map], n * 7, &value);
      CHECK(found == (n < map % 14) && (!found || value == map * 100 + n));
    }
  }
  /* Removal keeps the order, in both states. */
  for (uint32_t map = 6; map <= 12; map += 6) {
    bool removed = false;
    CHECK(oh_smallmap_arena_remove(arena.base, arena.length, ids[map], 7, &removed) == OH_OK && removed);
    CHECK(oh_smallmap_arena_remove(arena.base, arena.length, ids[map], 7, &removed) == OH_OK && !removed);
    uint32_t keys[14];
    uint64_t values[14];
    size_t count = 0;
    CHECK(oh_smallmap_arena_entries(arena.base, arena.length, ids[map], keys, values, 14, &count) == OH_OK);
    CHECK(count == map - 1 && keys[0] == 0 && keys[1] == 14 && values[1] == map * 100 + 2);
  }
  CHECK(oh_smallmap_arena_clear(arena.base, arena.length, ids[12]) == OH_OK);
  CHECK(oh_smallmap_arena_release(arena.base, arena.length, ids[13]) == OH_OK);
  uint64_t value = 0;
  bool found = true;
  CHECK(oh_smallmap_arena_get(arena.base, arena.length, ids[13], 0, &value, &found) == OH_ERR_STALE);
  CHECK(oh_smallmap_arena_set(arena.base, arena.length, ids[13], 0, 0) == OH_ERR_STALE);
  CHECK(create(&arena) == ids[13] + ((uint64_t)1 << 32)); /* the next generation */
  oh_smallmap_arena_info info;
  CHECK(oh_smallmap_arena_get_info(arena.base, arena.length, &info) == OH_OK);
  CHECK(info.maps == 40 && info.key_type == OH_TYPE_U32 && info.promoted > 0 &&
        info.region_size <= arena.length);
  CHECK(oh_smallmap_arena_make_room(arena.base, arena.length, NULL) == OH_OK); /* fits */
  CHECK(oh_smallmap_arena_validate(arena.base, arena.length) == OH_OK);
  CHECK(get(&arena, ids[39], 14, &value) && value == 3902);
  free(arena.base);
}

static void text(void) {
  memory arena = new_arena(OH_TYPE_STRING, OH_TYPE_BOOL, 2);
  const uint64_t id = create(&arena);
  uint32_t word = 99;
  bool found = true;
  CHECK(oh_smallmap_arena_find_string(arena.base, arena.length, "gr\xC3\xBCn", 5, &word, &found) == OH_OK &&
        !found);
  for (uint32_t i = 0; i < 50; i++) {
    char name[16];
    const size_t length = (size_t)snprintf(name, sizeof name, "name %u", i);
    oh_status status = oh_smallmap_arena_intern(arena.base, arena.length, name, length, &word);
    if (status == OH_ERR_FULL) {
      grow(&arena, 1, 24);
      status = oh_smallmap_arena_intern(arena.base, arena.length, name, length, &word);
    }
    CHECK(status == OH_OK);
    set(&arena, id, word, i % 2);
  }
  CHECK(oh_smallmap_arena_find_string(arena.base, arena.length, "name 31", 7, &word, &found) == OH_OK &&
        found);
  uint64_t value = 0;
  CHECK(get(&arena, id, word, &value) && value == 1);
  const void* bytes = NULL;
  size_t length = 0;
  CHECK(oh_smallmap_arena_string(arena.base, arena.length, word, &bytes, &length) == OH_OK);
  CHECK(length == 7 && memcmp(bytes, "name 31", 7) == 0);
  CHECK(oh_smallmap_arena_intern(arena.base, arena.length, "\xFF", 1, &word) != OH_OK); /* invalid UTF-8 */
  CHECK(oh_smallmap_arena_set(arena.base, arena.length, id, word, 2) != OH_OK);         /* invalid bool */
  /* Invalid ids of strings are refused as keys, also in bulk, where nothing is set. Looking one up
   * is allowed. */
  CHECK(oh_smallmap_arena_set(arena.base, arena.length, id, 1000, 1) == OH_ERR_STALE);
  CHECK(oh_smallmap_arena_set(arena.base, arena.length, id, UINT32_MAX, 1) == OH_ERR_STALE);
  CHECK(oh_smallmap_arena_set(arena.base, arena.length, id, (uint64_t)1 << 32, 1) == OH_ERR_RANGE);
  CHECK(!get(&arena, id, 1000, &value));
  const uint64_t maps[2] = {id, id};
  const uint32_t words[2] = {word, 1000};
  const uint8_t flags[2] = {0, 0};
  size_t set_count = 0;
  CHECK(oh_smallmap_arena_set_many(arena.base, arena.length, 0, maps, OH_TYPE_U64, words, flags, 2, 0,
                                   &set_count) == OH_ERR_STALE);
  CHECK(get(&arena, id, word, &value) && value == 1);
  CHECK(oh_smallmap_arena_set_many(arena.base, arena.length, 0, maps, OH_TYPE_U64, words, flags, 1, 0,
                                   &set_count) == OH_OK &&
        set_count == 1);
  CHECK(get(&arena, id, word, &value) && value == 0);
  CHECK(oh_smallmap_arena_validate(arena.base, arena.length) == OH_OK);
  free(arena.base);

  /* And as values: an id that never existed, and one whose string was dropped. */
  arena = new_arena(OH_TYPE_U8, OH_TYPE_STRING, 1);
  const uint64_t named = create(&arena);
  uint32_t name = 0;
  CHECK(oh_smallmap_arena_set(arena.base, arena.length, named, 1, 0) == OH_ERR_STALE);
  CHECK(oh_smallmap_arena_intern(arena.base, arena.length, "x", 1, &name) == OH_OK);
  CHECK(oh_smallmap_arena_make_room(arena.base, arena.length, NULL) == OH_OK); /* drops it */
  CHECK(oh_smallmap_arena_set(arena.base, arena.length, named, 1, name) == OH_ERR_STALE);
  CHECK(oh_smallmap_arena_validate(arena.base, arena.length) == OH_OK);
  free(arena.base);
}

static void damage(void) {
  memory arena = new_arena(OH_TYPE_U32, OH_TYPE_F64, 4);
  const uint64_t id = create(&arena);
  for (uint32_t n = 0; n < 12; n++) set(&arena, id, n, 0);
  memory copy = take(arena.length);
  for (size_t bit = 0; bit < 256 * 8; bit++) {
    memcpy(copy.base, arena.base, arena.length);
    ((unsigned char*)copy.base)[bit / 8] ^= (unsigned char)(1 << bit % 8);
    /* An odd sequence number indicates a writer, for which a reader would wait. */
    if (bit / 32 == 6) continue;
    uint64_t value = 0;
    bool found = false;
    (void)oh_smallmap_arena_validate(copy.base, copy.length);
    (void)oh_smallmap_arena_get(copy.base, copy.length, id, 3, &value, &found);
    (void)oh_smallmap_arena_set(copy.base, copy.length, id, 99, 1);
    (void)oh_smallmap_arena_remove(copy.base, copy.length, id, 5, &found);
    (void)oh_smallmap_arena_release(copy.base, copy.length, id);
    (void)oh_smallmap_arena_make_room(copy.base, copy.length, NULL);
  }
  for (size_t length = 0; length < arena.length; length += 8) {
    CHECK(oh_smallmap_arena_check(arena.base, length) != OH_OK);
  }
  CHECK(oh_smallmap_arena_check(NULL, 4096) != OH_OK);
  CHECK(oh_smallmap_arena_get(arena.base, arena.length, id, 3, NULL, NULL) != OH_OK);
  CHECK(oh_smallmap_arena_create(arena.base, arena.length, NULL) != OH_OK);
  CHECK(oh_smallmap_arena_region_size(NULL, NULL) != OH_OK);
  CHECK(oh_smallmap_arena_promote(arena.base, arena.length, id) != OH_OK); /* already promoted */
  free(copy.base);
  free(arena.base);
}

int main(void) {
  numbers();
  text();
  damage();
  return check_result();
}
