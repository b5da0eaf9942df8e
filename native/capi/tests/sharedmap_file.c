/* A map in a file from C: two attachments, a child process, options, and invalid arguments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

#ifdef __linux__
#include <sys/wait.h>
#include <unistd.h>

static char path[64];

static oh_sharedmap_options map_options(void) {
  oh_sharedmap_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.key = OH_TYPE_U32;
  options.value = OH_TYPE_F64;
  options.max_bytes = 1 << 20;
  return options;
}

static oh_sharedmap_open_options open_options(const oh_sharedmap_options* map) {
  oh_sharedmap_open_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.map = map;
  return options;
}

static oh_status open_it(const oh_sharedmap_open_options* options, oh_sharedmap_opened* opened,
                         oh_sharedmap** map) {
  return oh_sharedmap_open(path, strlen(path), options, opened, map);
}

static void set(oh_sharedmap* map, uint32_t key, double value) {
  CHECK(oh_sharedmap_set(map, &key, sizeof key, &value, sizeof value, NULL, NULL) == OH_OK);
}

static double get(const oh_sharedmap* map, uint32_t key) {
  double value = -1;
  bool found = false;
  CHECK(oh_sharedmap_get(map, &key, sizeof key, false, &value, sizeof value, NULL, &found) == OH_OK);
  return found ? value : -1;
}

static void shares(void) {
  const oh_sharedmap_options map = map_options();
  const oh_sharedmap_open_options options = open_options(&map);
  oh_sharedmap* first = NULL;
  oh_sharedmap* second = NULL;
  oh_sharedmap_opened opened;
  CHECK(open_it(NULL, NULL, &first) == OH_ERR_IO && first == NULL);
  CHECK(open_it(&options, &opened, &first) == OH_OK && opened.created && !opened.repaired);
  CHECK(open_it(NULL, &opened, &second) == OH_OK && !opened.created);
  for (uint32_t key = 0; key < 1000; key++) set(key % 2 ? first : second, key, key / 4.0);
  for (uint32_t key = 0; key < 1000; key++) CHECK(get(key % 2 ? second : first, key) == key / 4.0);
  const pid_t child = fork();
  if (child == 0) {
    /* The child opens the file again: a participant belongs to one process. */
    const uint32_t key = 5000;
    const double value = 5;
    oh_sharedmap* own = NULL;
    const bool right =
        oh_sharedmap_set(first, &key, sizeof key, &value, sizeof value, NULL, NULL) == OH_ERR_LOCKED &&
        open_it(NULL, NULL, &own) == OH_OK &&
        oh_sharedmap_set(own, &key, sizeof key, &value, sizeof value, NULL, NULL) == OH_OK;
    oh_sharedmap_close(own);
    _exit(right ? 0 : 1);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  CHECK(get(first, 5000) == 5);
  CHECK(oh_sharedmap_validate(second) == OH_OK);
  oh_sharedmap_close(first);
  CHECK(get(second, 999) == 999 / 4.0);
  oh_sharedmap_close(second);
}

static void checks_options(void) {
  oh_sharedmap_options map = map_options();
  oh_sharedmap_open_options options = open_options(&map);
  oh_sharedmap* reader = NULL;
  options.read_only = true;
  CHECK(open_it(&options, NULL, &reader) == OH_OK);
  CHECK(get(reader, 8) == 2);
  const uint32_t key = 1;
  const double value = 5;
  CHECK(oh_sharedmap_set(reader, &key, sizeof key, &value, sizeof value, NULL, NULL) == OH_ERR_UNSUPPORTED);
  oh_sharedmap_close(reader);

  oh_sharedmap* none = NULL;
  options = open_options(&map);
  map.value = OH_TYPE_U64;
  CHECK(open_it(&options, NULL, &none) == OH_ERR_TYPE);
  map = map_options();
  map.max_bytes *= 2;
  CHECK(open_it(&options, NULL, &none) == OH_ERR_RANGE);
  map = map_options();
  options.struct_size = 1;
  CHECK(open_it(&options, NULL, &none) == OH_ERR_RANGE);
  options = open_options(&map);
  CHECK(oh_sharedmap_open(NULL, 4, &options, NULL, &none) == OH_ERR_TYPE);
  CHECK(open_it(&options, NULL, NULL) == OH_ERR_TYPE);
  CHECK(remove(path) == 0);
  options.existing = true;
  CHECK(open_it(&options, NULL, &none) == OH_ERR_IO);
  CHECK(none == NULL);
}

/* A file that was open when the machine stopped, with a value that is damaged. */
static void repairs(void) {
  const oh_sharedmap_options map = map_options();
  oh_sharedmap_open_options options = open_options(&map);
  oh_sharedmap* opened_map = NULL;
  CHECK(open_it(&options, NULL, &opened_map) == OH_OK);
  for (uint32_t key = 0; key < 100; key++) set(opened_map, key, 12345.678 + key);
  oh_sharedmap_close(opened_map);
  static unsigned char bytes[1 << 20];
  FILE* file = fopen(path, "r+b");
  CHECK(file != NULL);
  const size_t length = fread(bytes, 1, sizeof bytes, file);
  bytes[256] = 1;
  bytes[264] ^= 1;
  const double value = 12345.678;
  for (size_t at = 0; at + 8 <= length; at += 4) {
    if (memcmp(bytes + at, &value, 8) == 0) bytes[at] ^= 1;
  }
  rewind(file);
  CHECK(fwrite(bytes, 1, length, file) == length && fclose(file) == 0);
  oh_sharedmap_opened opened;
  CHECK(open_it(&options, &opened, &opened_map) == OH_ERR_CORRUPT);
  options.repair = true;
  CHECK(open_it(&options, &opened, &opened_map) == OH_OK);
  CHECK(opened.repaired && !opened.created && opened.kept == 99 && opened.lost == 1);
  oh_sharedmap_close(opened_map);
  CHECK(remove(path) == 0);
}

int main(void) {
  snprintf(path, sizeof path, "/tmp/offheap-map-%ld", (long)getpid());
  remove(path);
  shares();
  checks_options();
  repairs();
  return check_result();
}
#else
int main(void) {
  oh_sharedmap* map = NULL;
  CHECK(oh_sharedmap_open("map", 3, NULL, NULL, &map) == OH_ERR_UNSUPPORTED && map == NULL);
  return check_result();
}
#endif
