// Tests of offheap/error.hpp: failures become exceptions with the library's message.
#include <cstring>

#include "check.h"
#include "offheap.hpp"

int main() {
  CHECK(std::strcmp(offheap::version(), OFFHEAP_TEST_VERSION) == 0);
  CHECK(offheap::last_error().empty());
  offheap::check(OH_OK);
  bool caught = false;
  try {
    offheap::check(OH_ERR_FULL);
  } catch (const offheap::Error& error) {
    caught = error.status() == OH_ERR_FULL && std::strcmp(error.name(), "OH_ERR_FULL") == 0 &&
             error.what() == offheap::last_error();
  }
  CHECK(caught);
  return check_result();
}
