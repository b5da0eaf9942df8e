// Prints the version of the linked library. run.cmake compares the output.
#include <offheap.hpp>

#include <cstdio>

int main() {
  std::printf("offheap %s %s\n", offheap::version(), oh_status_name(OH_ERR_CORRUPT));
  return 0;
}
