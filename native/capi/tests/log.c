/* The log, and failures as JSON. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>
#define HAS_THREADS 1
#endif

#define LENGTH 65536

static uint64_t memory[LENGTH / 8];

/* What the callback received. */
typedef struct {
  uint32_t records, level, event;
  uint64_t count;
  double milliseconds;
  char message[600];
  oh_sharedmap* map;
  oh_status set_status;
} report;

static void receive(void* context, const oh_log_record* record) {
  report* to = context;
  to->records++;
  to->level = record->level;
  to->event = record->event;
  to->count = record->count;
  to->milliseconds = record->milliseconds;
  CHECK(record->message_length < sizeof to->message && strlen(record->message) == record->message_length);
  memcpy(to->message, record->message, record->message_length + 1);
  /* The callback may use the library, whose messages do not replace that of the operation. */
  if (to->map != NULL) {
    uint64_t count = 0;
    CHECK(oh_sharedmap_count(to->map, &count) == OH_OK && oh_sharedmap_count(to->map, NULL) == OH_ERR_TYPE);
  }
  to->set_status = oh_log_set(NULL, NULL, NULL);
}

static oh_log_options log_options(uint32_t level) {
  oh_log_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.level = level;
  return options;
}

static oh_sharedmap* new_map(void) {
  oh_sharedmap_options options;
  oh_sharedmap* map = NULL;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.key = OH_TYPE_U32;
  options.value = OH_TYPE_F64;
  options.max_bytes = LENGTH;
  memset(memory, 0, sizeof memory);
  CHECK(oh_sharedmap_init(memory, LENGTH, &options) == OH_OK);
  CHECK(oh_sharedmap_attach(memory, LENGTH, false, &map) == OH_OK);
  return map;
}

static oh_status set(oh_sharedmap* map, uint32_t key) {
  const double value = key;
  return oh_sharedmap_set(map, &key, sizeof key, &value, sizeof value, NULL, NULL);
}

static void writes_failures_as_json(void) {
  char json[3200];
  CHECK(oh_last_error_json(NULL, 0) == 4 && oh_last_error_json(json, sizeof json) == 4);
  CHECK(strcmp(json, "null") == 0);
  uint64_t size = 0;
  CHECK(oh_sharedmap_region_size(NULL, &size) == OH_ERR_TYPE);
  const char* expected = "{\"code\":\"ERR_OFFHEAP_TYPE\",\"status\":2,\"message\":\"options is NULL\"}";
  CHECK(oh_last_error_json(json, sizeof json) == strlen(expected) && strcmp(json, expected) == 0);
  /* All or nothing. */
  memset(json, 'x', sizeof json);
  CHECK(oh_last_error_json(json, strlen(expected)) == strlen(expected) && json[0] == 0 && json[1] == 'x');
  CHECK(oh_last_error_json(json, strlen(expected) + 1) == strlen(expected) && strcmp(json, expected) == 0);
  CHECK(oh_last_error_json(json, 0) == strlen(expected) && json[0] == '{');
  /* Characters that JSON escapes, in the path of a message. */
  const char path[] = "/nonexistent/\"\\\n\x01\x7F\xC3\xB6/file";
  oh_mappedfile* file = NULL;
  CHECK(oh_mappedfile_open(path, strlen(path), NULL, &file) == OH_ERR_IO && file == NULL);
  CHECK(oh_last_error_json(json, sizeof json) < sizeof json);
  CHECK(strstr(json, "{\"code\":\"ERR_OFFHEAP_IO\",\"status\":9,\"message\":\"") == json);
  CHECK(strstr(json, "/nonexistent/\\\"\\\\\\n\\u0001\\u007f\xC3\xB6/file") != NULL);
  /* A status with two digits, and a message of 512 bytes that all need 6. */
  char controls[600];
  memset(controls, 1, sizeof controls);
  CHECK(oh_mappedfile_open(controls, sizeof controls, NULL, &file) == OH_ERR_IO);
  const size_t length = oh_last_error_json(json, sizeof json);
  CHECK(length > 2500 && length < sizeof json && strcmp(json + length - 2, "\"}") == 0);
  oh_log_options options = log_options(0);
  options.struct_size += 8;
  uint64_t later[8];
  memset(later, 1, sizeof later);
  memcpy(later, &options, sizeof options);
  CHECK(oh_log_set(NULL, NULL, (const oh_log_options*)later) == OH_ERR_UNSUPPORTED);
  (void)oh_last_error_json(json, sizeof json);
  CHECK(strstr(json, "{\"code\":\"ERR_OFFHEAP_UNSUPPORTED\",\"status\":11,") == json);
}

static void refuses_wrong_options(void) {
  oh_log_options options = log_options(4);
  CHECK(oh_log_set(receive, NULL, &options) == OH_ERR_RANGE);
  options = log_options(OH_LOG_INFO);
  options.slow_milliseconds = -1;
  CHECK(oh_log_set(receive, NULL, &options) == OH_ERR_RANGE);
  options = log_options(OH_LOG_INFO);
  options.struct_size = 0;
  CHECK(oh_log_set(receive, NULL, &options) == OH_ERR_RANGE);
  CHECK(oh_log_set(NULL, NULL, NULL) == OH_OK);
}

static void reports_slow_operations(void) {
  report got;
  memset(&got, 0, sizeof got);
  got.map = new_map();
  oh_log_options options = log_options(OH_LOG_INFO);
  options.slow_milliseconds = 1e-6; /* everything is slow */
  CHECK(oh_log_set(receive, &got, &options) == OH_OK);
  CHECK(set(got.map, 1) == OH_OK);
  CHECK(got.records == 1 && got.level == OH_LOG_INFO && got.event == OH_LOG_EVENT_SLOW);
  CHECK(strstr(got.message, "oh_sharedmap_set took ") == got.message && got.milliseconds > 0);
  CHECK(got.set_status == OH_ERR_LOCKED);
  /* The message of a call that fails is its own, also if calls of the callback fail. */
  double value = 0;
  bool found = false;
  const uint32_t key = 1;
  char message[100];
  CHECK(oh_sharedmap_get(got.map, &key, 3, false, &value, 8, NULL, &found) == OH_ERR_TYPE);
  CHECK(got.records == 2 && oh_last_error(message, sizeof message) > 0);
  CHECK(strcmp(message, "the key has 3 bytes, but U32 has 4") == 0);
  /* Less severe than the level. */
  options.level = OH_LOG_WARNING;
  CHECK(oh_log_set(receive, &got, &options) == OH_OK);
  CHECK(set(got.map, 2) == OH_OK && got.records == 2);
  /* Not slow, and no callback. */
  options.level = OH_LOG_INFO;
  options.slow_milliseconds = 1e9;
  CHECK(oh_log_set(receive, &got, &options) == OH_OK && set(got.map, 3) == OH_OK && got.records == 2);
  CHECK(oh_log_set(NULL, NULL, NULL) == OH_OK && set(got.map, 4) == OH_OK && got.records == 2);
  oh_sharedmap_close(got.map);
}

static void reports_evictions_once_per_second(void) {
  report got;
  memset(&got, 0, sizeof got);
  oh_sharedmap* map = new_map();
  oh_log_options options = log_options(0);
  options.evictions = 10;
  CHECK(oh_log_set(receive, &got, &options) == OH_OK);
  oh_sharedmap_stats stats = {0};
  for (uint32_t key = 0; stats.evictions < 1000; key++) {
    CHECK(set(map, key) == OH_OK && oh_sharedmap_get_stats(map, &stats) == OH_OK);
  }
  /* One, unless this took longer than a second. */
  CHECK(got.records >= 1 && got.records < 10 && got.event == OH_LOG_EVENT_EVICTIONS && got.count == 10);
  CHECK(got.level == OH_LOG_WARNING && got.milliseconds <= 1000);
  CHECK(strstr(got.message, "a map of 65536 bytes evicted 10 entries within ") == got.message);
  CHECK(oh_log_set(NULL, NULL, NULL) == OH_OK);
  oh_sharedmap_close(map);
}

static void reports_takeovers(void) {
  report got;
  memset(&got, 0, sizeof got);
  oh_sharedmap* map = new_map();
  for (uint32_t key = 0; key < 5; key++) CHECK(set(map, key) == OH_OK);
  CHECK(oh_log_set(receive, &got, NULL) == OH_OK);
  /* The lock of a participant that does not exist. */
  uint32_t* words = (uint32_t*)memory;
  words[words[25] / 4 + 16] = 3 | 1 << 11;
  CHECK(set(map, 5) == OH_OK && got.records == 1 && got.event == OH_LOG_EVENT_TAKEOVER);
  CHECK(got.level == OH_LOG_WARNING && got.count == 5);
  CHECK(strcmp(got.message,
               "participant 2 terminated while it changed shard 0: repaired, 5 entries kept, 0 lost") == 0);
  CHECK(oh_log_set(NULL, NULL, NULL) == OH_OK);
  oh_sharedmap_close(map);
}

#if defined(__linux__)
static void reports_repairs_of_files(void) {
  char path[64];
  report got;
  memset(&got, 0, sizeof got);
  snprintf(path, sizeof path, "/tmp/oh-log-%ld", (long)getpid());
  oh_sharedmap_options map_options = {0};
  map_options.struct_size = sizeof map_options;
  map_options.key = OH_TYPE_U32;
  map_options.value = OH_TYPE_F64;
  map_options.max_bytes = LENGTH;
  oh_sharedmap_open_options how = {0};
  how.struct_size = sizeof how;
  how.map = &map_options;
  how.repair = true;
  oh_sharedmap* map = NULL;
  CHECK(oh_sharedmap_open(path, strlen(path), &how, NULL, &map) == OH_OK && set(map, 1) == OH_OK);
  oh_sharedmap_close(map);
  CHECK(oh_log_set(receive, &got, NULL) == OH_OK);
  CHECK(oh_sharedmap_open(path, strlen(path), &how, NULL, &map) == OH_OK);
  CHECK(got.records == 1 && got.event == OH_LOG_EVENT_REPAIR && got.count == 1);
  CHECK(strcmp(got.message, "a file was repaired: 1 entries kept, 0 lost") == 0);
  CHECK(oh_log_set(NULL, NULL, NULL) == OH_OK);
  oh_sharedmap_close(map);
  remove(path);
}
#endif

#if defined(HAS_THREADS)
static void rest(long milliseconds) {
  const struct timespec time = {0, milliseconds * 1000000};
  nanosleep(&time, NULL);
}

static void* set_one(void* map) {
  CHECK(set(map, 7) == OH_OK);
  return NULL;
}

static void reports_waits_for_locks(void) {
  report got;
  memset(&got, 0, sizeof got);
  oh_sharedmap* map = new_map();
  oh_sharedmap* other = NULL;
  CHECK(oh_sharedmap_attach_thread(map, &other) == OH_OK);
  oh_log_options options = log_options(OH_LOG_INFO);
  options.slow_milliseconds = 15;
  CHECK(oh_log_set(receive, &got, &options) == OH_OK);
  /* The other participant holds the lock for a while. */
  uint32_t slot = 0;
  CHECK(oh_sharedmap_slot(other, &slot) == OH_OK);
  _Atomic uint32_t* words = (_Atomic uint32_t*)memory;
  _Atomic uint32_t* lock = &words[words[25] / 4 + 16];
  const uint32_t state = words[words[24] / 4 + slot * 64];
  *lock = (state & ~(uint32_t)2047) | (slot + 1);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, set_one, map) == 0);
  while ((*lock & 1024) == 0) rest(1); /* until the thread sleeps */
  rest(50);
  *lock = 0;
  CHECK(pthread_join(thread, NULL) == 0);
  /* The wait, and the whole operation. */
  CHECK(got.records == 2 && got.event == OH_LOG_EVENT_SLOW && got.milliseconds >= 15);
  CHECK(strstr(got.message, "oh_sharedmap_set took ") == got.message);
  CHECK(oh_log_set(NULL, NULL, NULL) == OH_OK);
  oh_sharedmap_close(other);
  oh_sharedmap_close(map);
}

static atomic_int calls, wrong, is_over;

static void count_calls(void* context, const oh_log_record* record) {
  if (*(const int*)context != 42 || record->message_length == 0) wrong++;
  calls++;
}

static void* evict_forever(void* map) {
  for (uint32_t key = 0; !is_over; key++) (void)set(map, key);
  return NULL;
}

/* The context of a callback is not used after another one was set. */
static void is_replaced_while_threads_report(void) {
  enum { THREADS = 3 };
  oh_sharedmap* first = new_map();
  oh_sharedmap* maps[THREADS];
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) {
    CHECK(oh_sharedmap_attach_thread(first, &maps[i]) == OH_OK);
    CHECK(pthread_create(&threads[i], NULL, evict_forever, maps[i]) == 0);
  }
  oh_log_options options = log_options(OH_LOG_INFO);
  options.slow_milliseconds = 1e-6;
  for (int round = 0; round < 200; round++) {
    int context = 42;
    const int before = calls;
    CHECK(oh_log_set(count_calls, &context, &options) == OH_OK);
    while (calls < before + 5) rest(0);
    CHECK(oh_log_set(NULL, NULL, NULL) == OH_OK);
    context = 0;
  }
  is_over = 1;
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_join(threads[i], NULL) == 0);
    oh_sharedmap_close(maps[i]);
  }
  CHECK(wrong == 0 && oh_sharedmap_validate(first) == OH_OK);
  oh_sharedmap_close(first);
}
#endif

int main(void) {
  writes_failures_as_json();
  refuses_wrong_options();
  reports_slow_operations();
  reports_evictions_once_per_second();
  reports_takeovers();
#if defined(__linux__)
  reports_repairs_of_files();
#endif
#if defined(HAS_THREADS)
  reports_waits_for_locks();
  is_replaced_while_threads_report();
#endif
  return check_result();
}
