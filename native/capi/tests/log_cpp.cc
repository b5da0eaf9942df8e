// Tests of offheap::Log, and of failures as JSON.
#include <atomic>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "check.h"
#include "offheap.hpp"
#include "status.hpp"

namespace {

static_assert(!std::is_copy_constructible_v<offheap::Log>, "is not copied");

using Map = offheap::SharedMap<std::uint32_t, double>;

void Reports() {
  Map map(1 << 16);
  auto options = offheap::Log::options();
  options.level = OH_LOG_INFO;
  options.slow_milliseconds = 1e-6;
  std::string message;
  int calls = 0;
  {
    offheap::Log log(
        [&, other = map.attach()](const oh_log_record& record) {
          message = record.message;
          calls++;
          other.size();
        },
        options);
    map.set(1, 1);
    CHECK(calls == 1 && message.rfind("oh_sharedmap_set took ", 0) == 0);
    const offheap::Log moved(std::move(log));
    map.get(1);
    CHECK(calls == 2 && message.rfind("oh_sharedmap_get took ", 0) == 0);
  }
  map.set(2, 2);
  CHECK(calls == 2);
  // What the function throws stays there.
  {
    const offheap::Log log([&](const oh_log_record&) { throw std::runtime_error(std::to_string(calls++)); },
                           options);
    map.set(3, 3);
    CHECK(calls == 3 && status_of([&] { map.set(3, 3, offheap::Expiry::at({})); }) == OH_ERR_RANGE);
  }
  options.level = 9;
  CHECK(status_of([&] { offheap::Log([](const oh_log_record&) {}, options); }) == OH_ERR_RANGE);
  map.set(4, 4);
  CHECK(calls == 4);
}

void Json() {
  CHECK(status_of([] { Map map(1); }) == OH_ERR_RANGE);
  const std::string json = offheap::last_error_json();
  CHECK(json.rfind("{\"code\":\"ERR_OFFHEAP_RANGE\",\"status\":1,\"message\":\"", 0) == 0);
  CHECK(json.find(offheap::last_error()) != std::string::npos && json.back() == '}');
}

}  // namespace

int main() {
  CHECK(offheap::last_error_json() == "null");
  Reports();
  Json();
  return check_result();
}
