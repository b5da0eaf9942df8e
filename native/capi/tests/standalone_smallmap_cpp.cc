// Tests of offheap::SmallMap, the standalone small map.
#include <offheap.hpp>

#include <string_view>
#include <utility>

#include "check.h"
#include "status.hpp"

int main() {
  offheap::SmallMap<std::uint32_t, double> map;
  CHECK(map.empty() && !map.get(0));
  for (std::uint32_t key = 0; key < 20; key++) CHECK(map.set(key, key * 0.5) && map.promoted() == (key >= 8));
  CHECK(!map.set(3, 4.5) && map.get(3) == 4.5 && map.size() == 20);
  CHECK(map.remove(0) && !map.remove(0) && !map.contains(0));
  std::uint32_t expected = 1;
  for (const auto& [key, value] : map) {
    CHECK(key == expected && value == (key == 3 ? 4.5 : key * 0.5));
    expected++;
  }
  CHECK(expected == 20);

  offheap::SmallMap<std::uint32_t, double> moved = std::move(map);
  CHECK(moved.size() == 19);
  moved.clear();
  CHECK(moved.empty() && !moved.promoted() && moved.begin() == moved.end());
  moved.reserve(9);
  CHECK(moved.promoted());

  offheap::SmallMap<std::string_view, bool> words;
  words.set("yes", true);
  words.set("no", false);
  CHECK(words.get("yes") == true && words.get("no") == false && !words.get("perhaps"));
  CHECK((*words.begin()).first == "yes");
  CHECK(status_of([&] { words.set("\xFF", true); }) == OH_ERR_RANGE && words.size() == 2);
  return check_result();
}
