/* Files in memory from C: each strategy, ranges, writing, growth; and files that are mapped into
 * memory of the caller.*/
#if defined(__unix__) || defined(__APPLE__)
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#include <sys/mman.h>
#include <unistd.h>
#define UNIX 1
#else
#define UNIX 0
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

static char path[512];

static void write_file(size_t length) {
  FILE* file = fopen(path, "wb");
  CHECK(file != NULL);
  for (size_t i = 0; i < length; i++) fputc((int)(i * 31 & 255), file);
  fclose(file);
}

static bool right(const unsigned char* bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (bytes[i] != (i * 31 & 255)) return false;
  }
  return true;
}

static void strategies(void) {
  write_file(300000);
  for (uint32_t strategy = OH_STRATEGY_BUFFERED; strategy <= OH_STRATEGY_AUTO; strategy++) {
    oh_mappedfile_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.strategy = strategy;
    options.pattern = OH_PATTERN_SEQUENTIAL;
    options.populate = true;
    oh_mappedfile* file = NULL;
    CHECK(oh_mappedfile_open(path, strlen(path), &options, &file) == OH_OK);
    CHECK(oh_mappedfile_size(file) == 300000 && right(oh_mappedfile_data(file), 300000));
    oh_strategy obtained = OH_STRATEGY_AUTO;
    CHECK(oh_mappedfile_strategy(file, &obtained) == OH_OK && obtained != OH_STRATEGY_AUTO);
    unsigned char bytes[10] = {0};
    CHECK(oh_mappedfile_read(file, 299990, 10, bytes) == OH_OK && bytes[9] == (299999 * 31 & 255));
    CHECK(oh_mappedfile_read(file, 299991, 10, bytes) == OH_ERR_RANGE);
    CHECK(oh_mappedfile_read(file, UINT64_MAX, 10, bytes) == OH_ERR_RANGE);
    CHECK(oh_mappedfile_read(file, 0, 10, NULL) == OH_ERR_TYPE);
    const uint32_t offsets[] = {299990, 0, 5000};
    unsigned char many[30];
    CHECK(oh_mappedfile_read_many(file, offsets, OH_TYPE_U32, 3, 10, many) == OH_OK);
    CHECK(many[9] == (299999 * 31 & 255) && right(many + 10, 10) && many[20] == (5000 * 31 & 255));
    CHECK(oh_mappedfile_read_many(file, offsets, OH_TYPE_U32, 3, 11, many) == OH_ERR_RANGE);
    CHECK(oh_mappedfile_read_many(file, offsets, OH_TYPE_U32, SIZE_MAX, 10, many) == OH_ERR_RANGE);
    CHECK(oh_mappedfile_read_many(file, offsets, 99, 3, 10, many) == OH_ERR_TYPE);
    CHECK(oh_mappedfile_read_many(file, NULL, OH_TYPE_U32, 3, 10, many) == OH_ERR_TYPE);
    CHECK(oh_mappedfile_read_many(file, offsets, OH_TYPE_U32, 3, 10, NULL) == OH_ERR_TYPE);
    CHECK(oh_mappedfile_read_many(NULL, offsets, OH_TYPE_U32, 3, 10, many) == OH_ERR_TYPE);
    CHECK(oh_mappedfile_read_many(file, NULL, OH_TYPE_U32, 0, 10, NULL) == OH_OK);
    memset(many, 0, sizeof many);
    CHECK(oh_memory_gather(oh_mappedfile_data(file), 300000, offsets, OH_TYPE_U32, 3, 10, many) == OH_OK);
    CHECK(many[9] == (299999 * 31 & 255) && right(many + 10, 10));
    CHECK(oh_memory_gather(NULL, 300000, offsets, OH_TYPE_U32, 3, 10, many) == OH_ERR_TYPE);
    CHECK(oh_mappedfile_prefetch(file, 0, 300000) == OH_OK);
    CHECK(oh_mappedfile_prefetch(file, 1, 300000) == OH_ERR_RANGE);
    CHECK(oh_mappedfile_advise(file, OH_PATTERN_RANDOM) == OH_OK);
    CHECK(oh_mappedfile_advise(file, 9) == OH_ERR_RANGE);
    CHECK(oh_mappedfile_flush(file) == OH_ERR_UNSUPPORTED && oh_mappedfile_check(file) == OH_OK);
    uint64_t size = 0;
    CHECK(oh_mappedfile_refresh(file, &size) == OH_OK && size == 300000);
    oh_mappedfile_close(file);
  }
  oh_mappedfile* file = NULL;
  CHECK(oh_mappedfile_open("/nonexistent/file", 17, NULL, &file) == OH_ERR_IO && file == NULL);
  CHECK(oh_mappedfile_open(NULL, 17, NULL, &file) == OH_ERR_TYPE);
  CHECK(oh_mappedfile_size(NULL) == 0 && oh_mappedfile_data(NULL) == NULL);
  CHECK(oh_mappedfile_check(NULL) == OH_ERR_TYPE);
  oh_mappedfile_close(NULL);
}

static void writing(void) {
  write_file(100);
  oh_mappedfile_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.strategy = OH_STRATEGY_AUTO;
  options.writable = true;
  oh_mappedfile* file = NULL;
  CHECK(oh_mappedfile_open(path, strlen(path), &options, &file) == OH_OK);
  ((unsigned char*)oh_mappedfile_data(file))[3] = 0xEE;
  CHECK(oh_mappedfile_flush(file) == OH_OK);
  oh_mappedfile_close(file);
  CHECK(oh_mappedfile_open(path, strlen(path), NULL, &file) == OH_OK);
  CHECK(((unsigned char*)oh_mappedfile_data(file))[3] == 0xEE);
  oh_mappedfile_close(file);
}

#if defined(__linux__)
/* Reserves address space, as a runtime does. */
static void* reserve(size_t bytes) {
  void* base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(base != MAP_FAILED);
  return base;
}

static void laid_into_memory(void) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), room = 1024 * page;
  write_file(300000);
  oh_binding_openfile* file = NULL;
  CHECK(oh_binding_openfile_open(path, strlen(path), false, OH_STRATEGY_AUTO, 0, 0, &file) == OH_OK);
  uint64_t size = 0;
  size_t alignment = 0;
  oh_strategy strategy = OH_STRATEGY_AUTO;
  CHECK(oh_binding_openfile_plan(file, false, &size, &strategy, &alignment) == OH_OK);
  CHECK(size == 300000 && strategy == OH_STRATEGY_MMAP && alignment == 1);
  unsigned char* base = reserve(room);
  CHECK(oh_binding_openfile_status(file) == NULL);
  CHECK(oh_binding_openfile_map(file, base + 1, room - page, 300000, &strategy) == OH_ERR_RANGE);
  CHECK(oh_binding_openfile_map(file, base, room, room, &strategy) == OH_ERR_FULL);
  CHECK(oh_binding_openfile_map(file, base, room, 300000, &strategy) == OH_OK &&
        strategy == OH_STRATEGY_MMAP);
  CHECK(right(base, 300000) && *oh_binding_openfile_status(file) == 0);
  /* At another address: the old mapping is watched until the new one exists. */
  unsigned char* other = reserve(room);
  CHECK(oh_binding_openfile_map(file, other, 2 * page, 300000, &strategy) == OH_ERR_FULL);
  CHECK(*oh_binding_openfile_status(file) == 0 && oh_binding_openfile_check(file) == OH_OK);
  CHECK(oh_binding_openfile_map(file, other, room, 300000, &strategy) == OH_OK);
  CHECK(right(other, 300000) && right(base, 300000));
  CHECK(oh_binding_openfile_map(file, base, room, 300000, &strategy) == OH_OK && right(base, 300000));
  munmap(other, room);
  base[5] = 0xFF; /* Stays in this memory. */
  unsigned char* copy = malloc(300000);
  CHECK(copy != NULL && oh_binding_openfile_read(file, copy, 300000) == OH_OK && right(copy, 300000));
  free(copy);
  CHECK(oh_binding_openfile_write(file, base, 1) == OH_ERR_UNSUPPORTED &&
        oh_binding_openfile_sync(file) == OH_ERR_UNSUPPORTED);
  uint64_t resident = 0;
  CHECK(oh_memory_resident(base, 300000, &resident) == OH_OK && resident == (300000 + page - 1) / page);
  CHECK(oh_memory_lock(base, page) == OH_OK && oh_memory_unlock(base, page) == OH_OK);
  /* Truncated, before and after the handle is closed: reads as zeros, and the process survives. */
  CHECK(truncate(path, 150000) == 0);
  CHECK(base[290000] == 0 && *oh_binding_openfile_status(file) != 0);
  oh_binding_openfile_close(file);
  CHECK(truncate(path, 0) == 0);
  CHECK(base[2 * page] == 0);
  munmap(base, room);

  remove(path);
  oh_binding_vectorfile* vector = NULL;
  CHECK(oh_binding_vectorfile_create(path, strlen(path), OH_TYPE_U64, &vector) == OH_OK);
  uint64_t* elements = reserve(room);
  CHECK(oh_binding_vectorfile_map(vector, elements, room, 1000) == OH_OK);
  for (uint64_t i = 0; i < 1000; i++) elements[i] = i * i;
  CHECK(oh_binding_vectorfile_commit(vector, 1000) == OH_OK);
  CHECK(oh_binding_vectorfile_map(vector, elements, room, room / 8) == OH_ERR_FULL);
  CHECK(oh_binding_vectorfile_map(vector, elements, room, UINT64_MAX) == OH_ERR_RANGE);
  CHECK(oh_binding_vectorfile_map(vector, elements, room, 20000) == OH_OK && elements[999] == 999 * 999);
  for (uint64_t i = 1000; i < 20000; i++) elements[i] = i * i;
  CHECK(oh_binding_vectorfile_commit(vector, 20000) == OH_OK && *oh_binding_vectorfile_status(vector) == 0);
  oh_binding_vectorfile* reader = NULL;
  CHECK(oh_binding_vectorfile_open(path, strlen(path), true, &reader) == OH_ERR_LOCKED);
  CHECK(oh_binding_vectorfile_open(path, strlen(path), false, &reader) == OH_OK);
  oh_binding_vectorfile_info info;
  CHECK(oh_binding_vectorfile_get_info(reader, &info) == OH_OK);
  CHECK(info.element_type == OH_TYPE_U64 && !info.recovered && info.committed == 20000);
  uint64_t* seen = reserve(room);
  CHECK(oh_binding_vectorfile_map(reader, seen, room, 20000) == OH_OK && seen[19999] == 19999ull * 19999);
  CHECK(oh_binding_vectorfile_validate(reader) == OH_OK &&
        oh_binding_vectorfile_commit(reader, 1) == OH_ERR_UNSUPPORTED);
  CHECK(oh_binding_vectorfile_commit(vector, 10) == OH_OK);
  uint64_t committed = 0;
  CHECK(oh_binding_vectorfile_refresh(reader, &committed) == OH_OK && committed == 10);
  oh_binding_vectorfile_forget(reader);
  oh_binding_vectorfile_close(reader);
  oh_binding_vectorfile_close(vector);
  oh_binding_vectorfile_close(NULL);
  munmap(seen, room);
  munmap(elements, room);
}
#endif

int main(void) {
  const char* folder = getenv("TMPDIR");
#if UNIX
  snprintf(path, sizeof path, "%s/oh-mappedfile-%lu", folder ? folder : "/tmp", (unsigned long)getpid());
#else
  snprintf(path, sizeof path, "%s/oh-mappedfile-%d", folder ? folder : ".", rand());
#endif
  strategies();
  writing();
#if defined(__linux__)
  laid_into_memory();
#endif
  remove(path);
  return check_result();
}
