// Tests of offheap::HashMap: growth, views, strings, iteration, exceptions.
#include <cmath>
#include <string>
#include <unordered_map>
#include <vector>

#include "check.h"
#include "offheap.hpp"

namespace {

void NumbersAgainstTheStandardMap() {
  offheap::HashMap<std::uint32_t, double> map;
  std::unordered_map<std::uint32_t, double> model;
  std::uint32_t state = 1;
  for (int i = 0; i < 20000; i++) {
    state = state * 1664525 + 1013904223;
    const std::uint32_t key = state >> 20;
    if (state % 4 == 0) {
      CHECK(map.remove(key) == (model.erase(key) == 1));
    } else {
      CHECK(map.set(key, i) == model.insert_or_assign(key, i).second);
    }
  }
  CHECK(map.size() == model.size());
  std::size_t seen = 0;
  for (const auto [key, value] : map) {
    seen++;
    CHECK(model.at(key) == value);
  }
  CHECK(seen == model.size());
  map.validate();

  // A view of the same bytes, and a copy that changes independently.
  const offheap::HashMapView<std::uint32_t, double> view(map.base(), map.region_size());
  auto copy = decltype(map)::copy_of(map.base(), map.region_size());
  copy.clear();
  CHECK(copy.empty() && view.size() == model.size());
  const auto& [key, value] = *model.begin();
  CHECK(view.get(key) == value && view.contains(key) && !copy.contains(key));
}

void Bulk() {
  std::vector<std::int64_t> keys;
  std::vector<float> values;
  for (int i = 0; i < 10000; i++) {
    keys.push_back(std::int64_t{i} * -1000003);
    values.push_back(static_cast<float>(i) / 4);
  }
  offheap::HashMap<std::int64_t, float> map;
  map.set_many(keys.data(), values.data(), keys.size());
  std::vector<float> out(keys.size());
  CHECK(map.get_many(keys.data(), keys.size(), out.data()) == keys.size() && out == values);
  CHECK(map.remove_many(keys.data(), 5000) == 5000);
  map.shrink_to_fit();
  CHECK(map.info().capacity == 5000 && map.size() == 5000);
  map.validate();
}

void StringsAndHandles() {
  offheap::HashMap<std::string_view, std::string_view> map(1);
  for (int i = 0; i < 500; i++)
    map.set("key " + std::to_string(i), std::string(static_cast<std::size_t>(i), 'x'));
  using namespace std::string_view_literals;
  map.set("a\0b"sv, ""sv);
  CHECK(map.get("a\0b") == std::nullopt);  // without sv the key ends at the NUL
  CHECK(map.get("a\0b"sv) == ""sv);
  CHECK(map.get("key 77")->size() == 77);
  const std::uint64_t handle = map.handle_of("key 99");
  CHECK(handle != 0 && map.handle_of("nothing") == 0);
  for (int i = 0; i < 90; i++) map.remove("key " + std::to_string(i));
  map.shrink_to_fit();
  CHECK(map.get_by_handle(handle)->first == "key 99");
  map.remove("key 99");
  CHECK(!map.get_by_handle(handle));
  map.validate();

  auto other = std::move(map);
  CHECK(other.size() == 410);
  offheap::HashMap<std::string_view, std::string_view> third;
  third = std::move(other);
  CHECK(third.size() == 410);

  offheap::HashMap<offheap::Bytes, bool> flags;
  const unsigned char bytes[] = {0xFF, 0, 1};
  flags.set({bytes, 3}, true);
  CHECK(flags.get({bytes, 3}) == true && !flags.get({bytes, 2}));

  offheap::HashMap<double, std::int8_t> floats;
  floats.set(std::nan(""), -5);
  floats.set(-0.0, 1);
  CHECK(floats.get(std::nan("7")) == -5 && floats.get(0.0) == 1);
}

template <typename F>
oh_status StatusOf(F&& body) {
  try {
    body();
  } catch (const offheap::Error& error) {
    CHECK(error.what()[0] != '\0');
    return error.status();
  }
  return OH_OK;
}

void Refusals() {
  offheap::HashMap<std::uint32_t, double> map;
  using Wrong = offheap::HashMapView<std::uint32_t, float>;
  CHECK(StatusOf([&] { Wrong(map.base(), map.region_size()); }) == OH_ERR_TYPE);
  using Right = offheap::HashMapView<std::uint32_t, double>;
  CHECK(StatusOf([&] { Right(map.base(), 256); }) == OH_ERR_CORRUPT);
  CHECK(StatusOf([&] { Right(nullptr, 4096); }) == OH_ERR_TYPE);
  CHECK(StatusOf([] { (offheap::HashMap<double, bool>(0)); }) == OH_ERR_RANGE);
  CHECK(StatusOf([&] { map.reserve(2000000000); }) == OH_ERR_RANGE);
  offheap::HashMap<std::string_view, bool> text;
  CHECK(StatusOf([&] { text.set("\xFF", true); }) == OH_ERR_RANGE);
  const auto taken = std::move(map);
  CHECK(StatusOf([&] { map.set(1, 1.0); }) == OH_ERR_TYPE);  // NOLINT(bugprone-use-after-move)
}

}  // namespace

int main() {
  NumbersAgainstTheStandardMap();
  Bulk();
  StringsAndHandles();
  Refusals();
  return check_result();
}
