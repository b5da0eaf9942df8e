/* A vector in a file from C: durability, a second writer, invalid arguments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

#if defined(__unix__) || defined(__APPLE__)
#include <sys/wait.h>
#include <unistd.h>
#define UNIX 1
#else
#define UNIX 0
#endif

static char path[L_tmpnam + 32];

static oh_mmapvector* open_it(bool writable) {
  oh_mmapvector* vector = NULL;
  CHECK(oh_mmapvector_open(path, strlen(path), writable, NULL, &vector) == OH_OK);
  return vector;
}

static oh_mmapvector_info info_of(const oh_mmapvector* vector) {
  oh_mmapvector_info info;
  memset(&info, 0, sizeof info);
  CHECK(oh_mmapvector_get_info(vector, &info) == OH_OK);
  return info;
}

static void survives(void) {
  oh_mmapvector* vector = NULL;
  CHECK(oh_mmapvector_create(path, strlen(path), OH_TYPE_F64, NULL, &vector) == OH_OK && vector != NULL);
  for (int i = 0; i < 10000; i++) {
    const double value = i / 4.0;
    CHECK(oh_mmapvector_push(vector, &value, 1) == OH_OK);
  }
  const double more[3] = {1, 2, 3};
  CHECK(oh_mmapvector_push(vector, more, 3) == OH_OK);
  CHECK(oh_mmapvector_push(vector, NULL, 0) == OH_OK);
  CHECK(oh_mmapvector_set(vector, 10000, &more[2]) == OH_OK);
  CHECK(oh_mmapvector_flush(vector) == OH_OK);
  CHECK(oh_mmapvector_set(vector, 10000, &more[0]) == OH_ERR_UNSUPPORTED);
  CHECK(oh_mmapvector_set(vector, 10003, &more[0]) == OH_ERR_RANGE);
  CHECK(oh_mmapvector_push(vector, more, 1) == OH_OK);
  oh_mmapvector_info info = info_of(vector);
  CHECK(info.element_type == OH_TYPE_F64 && info.writable && !info.recovered);
  CHECK(info.count == 10004 && info.flushed == 10003 && info.capacity >= 10004);

  oh_mmapvector* second = (oh_mmapvector*)&path;
  CHECK(oh_mmapvector_open(path, strlen(path), true, NULL, &second) == OH_ERR_LOCKED);
  CHECK(second == (oh_mmapvector*)&path);
  CHECK(oh_mmapvector_create(path, strlen(path), OH_TYPE_F64, NULL, &second) == OH_ERR_IO);
  oh_mmapvector* reader = open_it(false);
  double value = 0;
  CHECK(oh_mmapvector_get(reader, 10000, &value) == OH_OK && value == 3);
  CHECK(oh_mmapvector_get(reader, 10003, &value) == OH_ERR_RANGE && value == 3);
  CHECK(((const double*)oh_mmapvector_data(reader))[8] == 2);
  CHECK(oh_mmapvector_push(reader, more, 1) == OH_ERR_UNSUPPORTED);
  uint64_t length = 0;
  CHECK(oh_mmapvector_flush(vector) == OH_OK);
  CHECK(oh_mmapvector_refresh(reader, &length) == OH_OK && length == 10004);
  CHECK(oh_mmapvector_validate(reader) == OH_OK && oh_mmapvector_check(reader) == OH_OK);
  oh_mmapvector_close(reader);
  CHECK(oh_mmapvector_truncate(vector, 5) == OH_OK);
  CHECK(oh_mmapvector_reserve(vector, 1000000) == OH_OK);
  CHECK(oh_mmapvector_reserve(vector, UINT64_MAX) == OH_ERR_RANGE);
  CHECK(oh_mmapvector_push(vector, more, 1) == OH_OK);
  CHECK(oh_mmapvector_flush(vector) == OH_OK);
  oh_mmapvector_close(vector);
  vector = open_it(true);
  CHECK(info_of(vector).count == 6);
  oh_mmapvector_close(vector);
  oh_mmapvector_close(NULL);
}

static void bad_arguments(void) {
  oh_mmapvector* vector = NULL;
  CHECK(oh_mmapvector_create(NULL, 4, OH_TYPE_U8, NULL, &vector) == OH_ERR_TYPE);
  CHECK(oh_mmapvector_create("", 0, OH_TYPE_U8, NULL, &vector) == OH_ERR_TYPE);
  CHECK(oh_mmapvector_create(path, strlen(path), OH_TYPE_STRING, NULL, &vector) == OH_ERR_TYPE);
  CHECK(oh_mmapvector_create(path, strlen(path), 99, NULL, &vector) == OH_ERR_TYPE);
  CHECK(oh_mmapvector_create(path, strlen(path), OH_TYPE_U8, NULL, NULL) == OH_ERR_TYPE);
  oh_mmapvector_options options;
  memset(&options, 0, sizeof options);
  CHECK(oh_mmapvector_open(path, strlen(path), true, &options, &vector) == OH_ERR_RANGE);
  options.struct_size = sizeof options;
  options.pattern = 77;
  CHECK(oh_mmapvector_open(path, strlen(path), true, &options, &vector) == OH_ERR_RANGE);
  options.pattern = OH_ADVICE_SEQUENTIAL;
  options.capacity = UINT64_MAX / 2;
  CHECK(oh_mmapvector_open(path, strlen(path), true, &options, &vector) == OH_ERR_RANGE);
  options.capacity = 100;
  options.fixed = options.populate = true;
  CHECK(oh_mmapvector_open(path, strlen(path), true, &options, &vector) == OH_OK);
  const double value = 1;
  for (int i = 6; i < 100; i++) CHECK(oh_mmapvector_push(vector, &value, 1) == OH_OK);
  CHECK(oh_mmapvector_push(vector, &value, 1) == OH_ERR_FULL);
  CHECK(oh_mmapvector_push(vector, NULL, 2) == OH_ERR_TYPE);
  CHECK(oh_mmapvector_push(vector, &value, (size_t)-1) == OH_ERR_RANGE);
  CHECK(oh_mmapvector_get(vector, 0, NULL) == OH_ERR_TYPE);
  CHECK(oh_mmapvector_refresh(vector, NULL) == OH_ERR_TYPE);
  oh_mmapvector_close(vector);
  CHECK(oh_mmapvector_flush(NULL) == OH_ERR_TYPE);
  CHECK(oh_mmapvector_check(NULL) == OH_ERR_TYPE);
  CHECK(oh_mmapvector_data(NULL) == NULL);
}

/* A child process inherits the file and the lock of a writer, and must not write as well. */
static void forks(void) {
#if UNIX
  oh_mmapvector* vector = open_it(true);
  const double value = 7;
  const pid_t child = fork();
  if (child == 0) {
    const bool refused = oh_mmapvector_push(vector, &value, 1) == OH_ERR_LOCKED &&
                         oh_mmapvector_flush(vector) == OH_ERR_LOCKED &&
                         oh_mmapvector_truncate(vector, 0) == OH_ERR_LOCKED;
    oh_mmapvector_close(vector);
    _exit(refused ? 0 : 1);
  }
  int status = -1;
  CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
  CHECK(oh_mmapvector_push(vector, &value, 1) == OH_OK && oh_mmapvector_flush(vector) == OH_OK);
  oh_mmapvector_close(vector);
#endif
}

int main(void) {
  const char* folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/oh-mmapvector-%lu", folder ? folder : "/tmp", (unsigned long)rand());
#if UNIX
  snprintf(path, sizeof path, "%s/oh-mmapvector-%lu", folder ? folder : "/tmp", (unsigned long)getpid());
#endif
  remove(path);
  survives();
  bad_arguments();
  forks();
  remove(path);
  return check_result();
}
