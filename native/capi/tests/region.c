/* Regions from C: checksums, the header's check, advice, and mapped files that shrink.
 *
 * Tests that terminate a process run in child processes, before a handler is installed. */
#if defined(__unix__) || defined(__APPLE__)
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#define UNIX 1
#else
#define UNIX 0
#endif
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "offheap.h"

static const char digits[] = "123456789";

static void checksums(void) {
  uint32_t sum = 77;
  CHECK(oh_crc32c(digits, 9, 0, &sum) == OH_OK && sum == 0xE3069283u);
  CHECK(oh_crc32c(digits, 4, 0, &sum) == OH_OK);
  CHECK(oh_crc32c(digits + 4, 5, sum, &sum) == OH_OK && sum == 0xE3069283u);
  CHECK(oh_crc32c(NULL, 0, 5, &sum) == OH_OK && sum == 5);
  CHECK(oh_crc32c(NULL, 1, 0, &sum) == OH_ERR_TYPE && sum == 5);
  CHECK(oh_crc32c(digits, (size_t)-1, 0, &sum) == OH_ERR_RANGE && sum == 5);
  CHECK(oh_crc32c(digits, 9, 0, NULL) == OH_ERR_TYPE);
}

/* A region of 320 bytes in a buffer of 512. */
static void headers(void) {
  _Alignas(64) uint32_t words[128] = {0x5048464Fu, 1, 1, 1, 320, 0};
  uint64_t length = 7;
  uint32_t kind = 7, sum = 0, again = 0;
  CHECK(oh_region_check(words, 512, &length, &kind) == OH_OK && length == 320 && kind == 1);
  CHECK(oh_region_check(words, 320, NULL, NULL) == OH_OK);
  length = kind = 7;
  CHECK(oh_region_check(words, 319, &length, &kind) == OH_ERR_CORRUPT && length == 7 && kind == 7);
  CHECK(oh_region_check(words, 255, &length, &kind) == OH_ERR_CORRUPT);
  CHECK(oh_region_check(NULL, 512, &length, &kind) == OH_ERR_TYPE);
  CHECK(oh_region_check((char*)words + 4, 500, &length, &kind) == OH_ERR_TYPE);
  CHECK(oh_region_check(words, (size_t)-1, &length, &kind) == OH_ERR_CORRUPT);
  CHECK(oh_region_check(words, 512, (uint64_t*)((char*)words + 257), &kind) == OH_ERR_TYPE && kind == 7);

  CHECK(oh_region_checksum(words, 512, &sum) == OH_OK);
  words[6] = 2;
  words[7] = 1;
  words[8] = sum;
  words[80] = 1; /* Past the end of the region. */
  CHECK(oh_region_checksum(words, 512, &again) == OH_OK && again == sum);
  words[79] = 1;
  CHECK(oh_region_checksum(words, 512, &again) == OH_OK && again != sum);
  again = 9;
  words[7] = 2;
  CHECK(oh_region_check(words, 512, NULL, NULL) == OH_ERR_STALE);
  words[7] = 0;
  words[1] = 2;
  CHECK(oh_region_checksum(words, 512, &again) == OH_ERR_VERSION && again == 9);
  words[1] = 1;
  words[0] ^= 1;
  CHECK(oh_region_checksum(words, 512, &again) == OH_ERR_CORRUPT && again == 9);
}

static void advice(void) {
  static char some[1 << 16];
  bool taken = true;
  memset(some, 7, sizeof some);
  CHECK(oh_region_advise(some, 100, OH_ADVICE_RANDOM, &taken) == OH_OK && !taken);
  taken = true;
  CHECK(oh_region_advise(some, sizeof some, 0, &taken) == OH_ERR_RANGE && taken);
  CHECK(oh_region_advise(some, sizeof some, 8, &taken) == OH_ERR_RANGE && taken);
  CHECK(oh_region_advise(NULL, 100, OH_ADVICE_RANDOM, &taken) == OH_ERR_TYPE && taken);
  CHECK(oh_region_advise(some, sizeof some, OH_ADVICE_RANDOM, NULL) == OH_ERR_TYPE);
  CHECK(oh_region_advise(NULL, 0, OH_ADVICE_DISCARD, &taken) == OH_OK && !taken);
#if UNIX
  CHECK(oh_region_advise(some, sizeof some, OH_ADVICE_WILL_NEED, &taken) == OH_OK && taken);
#endif
  oh_status bound = oh_region_bind(some, sizeof some, 0);
  CHECK(bound == OH_OK || bound == OH_ERR_UNSUPPORTED);
  bound = oh_region_bind(some, sizeof some, 4000000000u);
  CHECK(bound == OH_ERR_RANGE || bound == OH_ERR_UNSUPPORTED);
  CHECK(oh_region_bind(NULL, 1, 0) == OH_ERR_TYPE);
  CHECK(some[0] == 7 && some[sizeof some - 1] == 7);
}

#if UNIX
static char path[64];
enum { PAGE = 65536 };

static oh_status map(bool copy_on_write, oh_binding_file** file) {
  return oh_binding_file_open(path, strlen(path), copy_on_write, file);
}

static void make_file(off_t length) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  CHECK(fd >= 0 && ftruncate(fd, length) == 0 && pwrite(fd, "x", 1, 0) == 1 && close(fd) == 0);
}

/* Maps a file without the library, truncates it, and reads: a SIGBUS that does not concern us. */
static int foreign_fault(void) {
  int fd = open(path, O_RDWR);
  const volatile char* bytes = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
  if (bytes == MAP_FAILED || ftruncate(fd, 0) != 0) _exit(90);
  return bytes[100];
}

/* Truncates a file that the library mapped, and returns whether reads behave as documented. */
static bool lose_one(void) {
  oh_binding_file* file = NULL;
  make_file(PAGE);
  if (map(false, &file) != OH_OK || truncate(path, 0) != 0) return false;
  const volatile char* bytes = oh_binding_file_data(file);
  bool good = bytes[0] == 0 && oh_binding_file_lost(file);
  oh_binding_file_close(file);
  make_file(PAGE);
  return good;
}

static void leave(int signal) { _exit(signal == SIGBUS ? 42 : 91); }
static void leave_with_info(int signal, siginfo_t* info, void* context) {
  _exit(signal == SIGBUS && info->si_addr != NULL && context != NULL ? 43 : 92);
}
static void stay(int signal) { (void)signal; }

enum child { SENT, FAULT, IGNORED_SENT, IGNORED_FAULT, HANDLER, HANDLER_WITH_INFO, HANDLER_STAYS };

static void child(enum child what) {
  struct sigaction before;
  struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  memset(&before, 0, sizeof before);
  before.sa_handler = SIG_DFL;
  if (what == IGNORED_SENT || what == IGNORED_FAULT) before.sa_handler = SIG_IGN;
  if (what == HANDLER) before.sa_handler = leave;
  if (what == HANDLER_STAYS) before.sa_handler = stay;
  if (what == HANDLER_WITH_INFO) {
    before.sa_sigaction = leave_with_info;
    before.sa_flags = SA_SIGINFO;
  }
  sigaction(SIGBUS, &before, NULL);
  if (!lose_one()) _exit(93);
  if (what == SENT || what == IGNORED_SENT || what == HANDLER_STAYS) {
    kill(getpid(), SIGBUS);
    kill(getpid(), SIGBUS);
    if (!lose_one()) _exit(94);
    _exit(44);
  }
  _exit(foreign_fault() == 0 ? 95 : 96);
}

/* The exit code of the child, or the negated signal that terminated it. */
static int fate(enum child what) {
  int status = 0;
  pid_t pid = fork();
  if (pid == 0) child(what);
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return 97;
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void signals_of_others(void) {
  make_file(PAGE);
  CHECK(fate(SENT) == -SIGBUS);
  CHECK(fate(FAULT) == -SIGBUS);
  CHECK(fate(IGNORED_SENT) == 44);
  CHECK(fate(IGNORED_FAULT) == -SIGBUS);
  CHECK(fate(HANDLER) == 42);
  CHECK(fate(HANDLER_WITH_INFO) == 43);
  CHECK(fate(HANDLER_STAYS) == 44);
}

static void memory_is_refused(void) {
#if !defined(__SANITIZE_ADDRESS__) /* Which terminates the process when memory is refused. */
  make_file((off_t)1 << 40);
  int status = 0;
  pid_t pid = fork();
  if (pid == 0) {
    struct rlimit limit = {(rlim_t)1 << 36, (rlim_t)1 << 36};
    oh_binding_file* file = NULL;
    if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(OH_ERR_OOM);
    _exit((int)map(true, &file));
  }
  CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == OH_ERR_OOM);
#endif
}

static void files(void) {
  oh_binding_file* file = NULL;
  make_file(2 * PAGE);
  CHECK(oh_binding_file_mappings() == 0);
  CHECK(map(false, &file) == OH_OK && file != NULL);
  CHECK(oh_binding_file_mappings() == 1);
  CHECK(oh_binding_file_size(file) == 2 * PAGE);
  CHECK(((const char*)oh_binding_file_data(file))[0] == 'x');
  CHECK(!oh_binding_file_lost(file) && *oh_binding_file_status(file) == 0);
  CHECK(truncate(path, PAGE) == 0);
  CHECK(((const volatile char*)oh_binding_file_data(file))[PAGE] == 0);
  CHECK(oh_binding_file_lost(file) && *oh_binding_file_status(file) != 0);
  oh_binding_file_unmap(file);
  oh_binding_file_unmap(file);
  CHECK(oh_binding_file_mappings() == 0 && oh_binding_file_data(file) == NULL &&
        oh_binding_file_size(file) == 0);
  CHECK(oh_binding_file_lost(file) && *oh_binding_file_status(file) != 0);
  oh_binding_file_close(file);

  CHECK(map(true, &file) == OH_OK);
  ((char*)oh_binding_file_data(file))[0] = 'y';
  char byte = 0;
  int fd = open(path, O_RDONLY);
  CHECK(fd >= 0 && read(fd, &byte, 1) == 1 && byte == 'x' && close(fd) == 0);
  oh_binding_file_close(file);
  CHECK(oh_binding_file_mappings() == 0);

  oh_binding_file* none = NULL;
  CHECK(oh_binding_file_open(path, strlen(path), false, NULL) == OH_ERR_TYPE);
  CHECK(oh_binding_file_open(NULL, 3, false, &none) == OH_ERR_TYPE);
  CHECK(oh_binding_file_open(path, 0, false, &none) == OH_ERR_TYPE);
  CHECK(oh_binding_file_open(path, strlen(path) + 1, false, &none) == OH_ERR_TYPE); /* The NUL. */
  CHECK(oh_binding_file_open("/", 1, false, &none) == OH_ERR_IO);
  CHECK(oh_binding_file_open("/\xff", 2, false, &none) == OH_ERR_IO); /* Invalid UTF-8, and no such file. */
  make_file(100);
  CHECK(map(false, &none) == OH_ERR_CORRUPT);
  CHECK(none == NULL && oh_binding_file_mappings() == 0);
}
#endif

static void null_handles(void) {
  bool granted = false;
  CHECK(oh_binding_mappings_reserve(1, 99, &granted) == OH_OK && granted);
  CHECK(oh_binding_mappings_reserve(1, 99, NULL) == OH_ERR_TYPE);
  oh_binding_file_close(NULL);
  oh_binding_file_unmap(NULL);
  oh_binding_file_forget(NULL);
  CHECK(oh_binding_file_move(NULL, NULL, 0) == OH_ERR_TYPE);
  CHECK(oh_binding_file_data(NULL) == NULL && oh_binding_file_size(NULL) == 0);
  CHECK(!oh_binding_file_lost(NULL) && oh_binding_file_status(NULL) == NULL);
}

int main(void) {
#if UNIX
  strcpy(path, "/tmp/offheap-region-XXXXXX");
  int fd = mkstemp(path);
  CHECK(fd >= 0 && close(fd) == 0);
  signals_of_others();
  memory_is_refused();
  files();
  unlink(path);
#endif
  null_handles();
  checksums();
  headers();
  advice();
  return check_result();
}
