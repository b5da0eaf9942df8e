/* A check that also holds in release builds, and tells where it failed. For C11 and C++17.
 *
 * A test is a main() of CHECKs that ends with `return check_result();`: it prints how many checks
 * it made, and fails if it made none. */
#ifndef OFFHEAP_TESTS_CHECK_H
#define OFFHEAP_TESTS_CHECK_H

#include <stdio.h>

static int check_made;
static int check_failed;

#define CHECK(condition)                                                            \
  do {                                                                              \
    check_made++;                                                                   \
    if (!(condition)) {                                                             \
      check_failed++;                                                               \
      fprintf(stderr, "%s:%d: CHECK(%s) failed\n", __FILE__, __LINE__, #condition); \
    }                                                                               \
  } while (0)

static inline int check_result(void) {
  printf("%d checks, %d failed\n", check_made, check_failed);
  return check_failed != 0 || check_made == 0;
}

#endif
