/* The basics of the ABI from C: statuses, names, messages, version. */
#include <string.h>

#include "check.h"
#include "offheap.h"

int main(void) {
  CHECK(strcmp(oh_version(), OFFHEAP_TEST_VERSION) == 0);

  /* Fixed numbers: a program that was compiled against an older header relies on them. */
  CHECK(OH_OK == 0 && OH_ERR_RANGE == 1 && OH_ERR_TYPE == 2 && OH_ERR_CLOSED == 3 && OH_ERR_CORRUPT == 4);
  CHECK(OH_ERR_VERSION == 5 && OH_ERR_FULL == 6 && OH_ERR_OOM == 7 && OH_ERR_LOCKED == 8);
  CHECK(OH_ERR_IO == 9 && OH_ERR_STALE == 10 && OH_ERR_UNSUPPORTED == 11 && OH_ERR_NATIVE == 12);
  CHECK(OH_ERR_CONFLICT == 13);
  CHECK(strcmp(oh_status_name(OH_OK), "OH_OK") == 0);
  CHECK(strcmp(oh_status_name(OH_ERR_CORRUPT), "OH_ERR_CORRUPT") == 0);
  CHECK(strcmp(oh_status_name(-5), "unknown") == 0);
  CHECK(strcmp(oh_status_name(14), "unknown") == 0);

  /* No call has failed on this thread. */
  char message[8];
  memset(message, 'x', sizeof message);
  CHECK(oh_last_error(NULL, 0) == 0);
  CHECK(oh_last_error(message, sizeof message) == 0 && message[0] == '\0' && message[1] == 'x');
  message[0] = 'x';
  CHECK(oh_last_error(message, 0) == 0 && message[0] == 'x');

  CHECK(strlen(oh_cpu_kernel()) > 0);
  CHECK(oh_cpu_features() == oh_cpu_features());
#if defined(__x86_64__)
  CHECK((oh_cpu_features() & OH_CPU_SSE2) != 0);
#endif
#if defined(__aarch64__)
  CHECK((oh_cpu_features() & OH_CPU_NEON) != 0);
#endif
  return check_result();
}
