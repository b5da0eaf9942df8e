// Tests of offheap::SmallMapArena and its view: growth, text, promotion, stale ids, bulk calls,
// moves, copies.
#include <offheap.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "check.h"
#include "status.hpp"

template <typename Body>
static bool refused(oh_status status, Body body) {
  return status_of(body) == status;
}

static void numbers() {
  offheap::SmallMapArena<std::int32_t, double> arena(1);
  std::vector<std::uint64_t> ids;
  for (int map = 0; map < 50; map++) {
    ids.push_back(arena.create());
    for (int n = 0; n < map % 14; n++) arena.set(ids.back(), -n, map + n / 2.0);
  }
  CHECK(arena.count() == 50);
  for (int map = 0; map < 50; map++) {
    CHECK(arena.size(ids[map]) == static_cast<unsigned>(map % 14));
    CHECK(arena.promoted(ids[map]) == (map % 14 > 8));
    for (int n = 0; n < 14; n++) {
      const auto value = arena.get(ids[map], -n);
      CHECK(value.has_value() == (n < map % 14) && (!value || *value == map + n / 2.0));
    }
  }
  CHECK(arena.remove(ids[5], -1) && !arena.remove(ids[5], -1) && !arena.contains(ids[5], -1));
  const auto entries = arena.entries(ids[5]);
  CHECK(entries.size() == 4 && entries[0].first == 0 && entries[1].first == -2 && entries[1].second == 6.0);
  arena.clear(ids[13]);
  CHECK(arena.size(ids[13]) == 0 && arena.entries(ids[13]).empty());
  arena.release(ids[12]);
  CHECK(refused(OH_ERR_STALE, [&] { arena.get(ids[12], 0); }));
  CHECK(refused(OH_ERR_STALE, [&] { arena.set(ids[12], 0, 0); }));

  // A bulk call that has to grow the arena.
  const std::vector<std::uint64_t> same(100, ids[13]);
  std::vector<std::int32_t> keys;
  std::vector<double> values;
  for (int n = 0; n < 100; n++) {
    keys.push_back(n * 7);
    values.push_back(n * 0.5);
  }
  arena.set_many(same.data(), keys.data(), values.data(), 100);
  std::vector<double> out(100, -1);
  std::vector<std::uint8_t> found(100);
  CHECK(arena.get_many(same.data(), keys.data(), 100, out.data(), found.data()) == 100 && out == values);
  CHECK(found[99] == 1 && arena.size(ids[13]) == 100);
  arena.validate();

  // Moves, copies, views.
  const auto moved = std::move(arena);
  CHECK(moved.count() == 49);
  const auto length = moved.region_size();
  auto copy = offheap::SmallMapArena<std::int32_t, double>::copy_of(moved.base(), length);
  copy.reserve(1000);
  copy.shrink_to_fit();
  copy.set(ids[1], 3, 4);
  CHECK(copy.get(ids[1], 3) == 4.0 && !moved.get(ids[1], 3));
  const offheap::SmallMapArenaView<std::int32_t, double> view(moved.base(), length);
  CHECK(view.get(ids[13], 7) == 0.5);
  CHECK(refused(OH_ERR_TYPE, [&] {
    const offheap::SmallMapArenaView<std::int32_t, float> other(moved.base(), length);
    (void)other;
  }));
  arena = std::move(copy);
  CHECK(arena.get(ids[1], 3) == 4.0);
}

static void text() {
  offheap::SmallMapArena<std::string_view, std::string_view> arena(1);
  const auto id = arena.create();
  const auto other = arena.create();
  for (int n = 0; n < 60; n++) {
    const std::string key = "key " + std::to_string(n);
    arena.set(n % 3 == 0 ? other : id, key, "value of " + key);
  }
  CHECK(arena.get(id, "key 31") == "value of key 31" && arena.get(other, "key 33") == "value of key 33");
  CHECK(!arena.get(id, "key 33") && !arena.get(id, "missing"));
  // Text that the arena returned, inserted into the same arena while it grows.
  for (int n = 0; n < 60; n++) {
    const auto found = arena.get(id, "key 31");
    const auto fresh = arena.create();
    arena.set(fresh, arena.entries(id).front().first, *arena.get(id, "key 31"));
    CHECK(found && arena.get(fresh, "key 1") == "value of key 31");
  }
  CHECK(arena.remove(id, "key 1") && !arena.remove(id, "key 1") && !arena.remove(id, "missing"));
  CHECK(refused(OH_ERR_STALE, [&] { arena.remove(id + (std::uint64_t{1} << 32), "missing"); }));
  CHECK(refused(OH_ERR_RANGE, [&] { arena.set(id, "\xFF", ""); }));
  arena.set(id, "", "empty");
  CHECK(arena.get(id, "") == "empty");
  arena.shrink_to_fit();
  arena.validate();
  CHECK(arena.entries(id).back().second == "empty");

  offheap::SmallMapArena<float, bool> flags;
  const auto map = flags.create();
  flags.set(map, -0.0f, true);
  flags.set(map, 1.5f, false);
  CHECK(flags.get(map, 0.0f) == true && flags.get(map, 1.5f) == false && !flags.get(map, 2.0f));
  offheap::SmallMapArena<std::int8_t, std::string_view> names;
  const auto named = names.create();
  names.set(named, -1, "minus one");
  CHECK(names.entries(named).front().first == -1 && names.get(named, -1) == "minus one");
}

int main() {
  numbers();
  text();
  return check_result();
}
