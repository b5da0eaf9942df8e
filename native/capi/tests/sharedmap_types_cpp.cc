// Tests of offheap::SharedMap with every type of keys and values: reads, changes, bulk calls,
// iteration, transactions, values that are refused.
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "check.h"
#include "offheap.hpp"
#include "status.hpp"

using namespace std::string_view_literals;

// Every member compiles for every type, also those that throw or refuse when they are used.
template class offheap::SharedMap<std::string_view, std::string_view>;
template class offheap::SharedMap<offheap::Bytes, offheap::Mixed>;
template class offheap::SharedMap<double, bool>;

namespace {

constexpr std::uint64_t kBytes = 1 << 20;

bool Equal(const offheap::Bytes& a, const offheap::Bytes& b) {
  return a.size == b.size && (a.size == 0 || std::memcmp(a.data, b.data, a.size) == 0);
}

// Keys of a type, distinct for distinct numbers.
template <typename K>
K Key(int i) {
  return static_cast<K>(i * 1000003);
}
std::string text_of_key;
template <>
std::string_view Key(int i) {
  return text_of_key = "key " + std::to_string(i) + std::string(static_cast<std::size_t>(i) % 90, 'x');
}
template <>
offheap::Bytes Key(int i) {
  const std::string_view text = Key<std::string_view>(i);
  return {text.data(), text.size()};
}

// A map against the standard one, through every kind of read.
template <typename K>
void Keys() {
  offheap::SharedMap<K, std::uint64_t> map(kBytes);
  std::map<int, std::uint64_t> model;
  std::uint32_t state = 7;
  for (int i = 0; i < 4000; i++) {
    state = state * 1664525 + 1013904223;
    const int key = static_cast<int>(state >> 22);
    if (state % 4 == 0) {
      CHECK(map.remove(Key<K>(key)) == (model.erase(key) == 1));
    } else {
      const auto value = static_cast<std::uint64_t>(i) << 32;
      CHECK(map.set(Key<K>(key), value) == model.insert_or_assign(key, value).second);
    }
  }
  CHECK(map.size() == model.size() && !map.empty());
  for (int key = 0; key < 1024; key++) {
    const auto known = model.find(key);
    const auto got = map.get(Key<K>(key));
    CHECK(got.has_value() == (known != model.end()) && map.contains(Key<K>(key)) == got.has_value());
    if (got) CHECK(*got == known->second && map.peek(Key<K>(key)) == got);
  }
  std::size_t seen = 0;
  std::uint64_t sum = 0, all = 0;
  for (const auto& [key, value] : map.entries()) {
    seen++;
    sum += value;
    CHECK(map.get(key) == value);
  }
  for (const auto& entry : model) all += entry.second;
  CHECK(seen == model.size() && sum == all);
  map.validate();
}

template <typename V>
void Number(V least, V most) {
  offheap::SharedMap<std::uint32_t, V> map(kBytes);
  CHECK(map.set(1, least) && map.set(2, most) && !map.set(2, most));
  CHECK(map.get(1) == least && map.get(2) == most && !map.get(3));
  V value = 5;
  CHECK(map.get(1, value) && value == least && !map.get(3, value) && value == least);
  CHECK(map.get_or_insert(4, 9) == 9 && map.get_or_insert(4, 8) == 9);
  CHECK(map.update(4, [](std::optional<V> old) { return static_cast<V>(*old + 1); }) == 10);
  CHECK(map.get_and_remove(4) == 10 && !map.get_and_remove(4));
  const std::uint32_t keys[] = {2, 3, 1};
  V values[] = {1, 2, 3};
  std::uint8_t found[3];
  CHECK(map.get_many(keys, 3, values, found) == 2 && values[0] == most && values[1] == 2);
  CHECK(found[0] == 1 && found[1] == 0 && found[2] == 1);
  values[0] = 77;
  map.set_many(keys, values, 3);
  CHECK(map.get(2) == 77 && map.get(3) == 2 && map.remove_many(keys, 2) == 2 && map.size() == 1);
  if constexpr (!std::is_same_v<V, bool>) {
    CHECK(map.increment(5) == 1 && map.increment(5, 2) == 3 && map.get(5) == 3);
    CHECK(map.increment(5, -3) == 0);
  }
  for (const auto [key, each] : map.entries()) CHECK(key == 5 || each == least);
  map.transaction([&](auto& tx) {
    tx.set(10, most);
    CHECK(tx.get(10) == most && tx.get(1) == least && !tx.contains(11) && tx.remove(1));
  });
  CHECK(map.get(10) == most && !map.contains(1));
  map.validate();
}

void Numbers() {
  Number<std::uint8_t>(0, 255);
  Number<std::int8_t>(-128, 127);
  Number<std::uint16_t>(0, 65535);
  Number<std::int16_t>(-32768, 32767);
  Number<std::uint32_t>(0, 4294967295u);
  Number<std::int32_t>(INT32_MIN, INT32_MAX);
  Number<std::uint64_t>(0, UINT64_MAX);
  Number<std::int64_t>(INT64_MIN, INT64_MAX);
  Number<float>(-1.5f, 3e38f);
  Number<double>(-1.5, 1e308);

  offheap::SharedMap<std::int32_t, bool> flags(kBytes);
  flags.set(-1, true);
  flags.set(-2, false);
  CHECK(flags.get(-1) == true && flags.get(-2) == false && !flags.get(0));
  const std::int32_t keys[] = {-1, -2};
  bool values[] = {false, true};
  CHECK(flags.get_many(keys, 2, values) == 2 && values[0] && !values[1]);
  flags.transaction([](auto& tx) { tx.set(5, !*tx.get(-1)); });
  CHECK(flags.get(5) == false);

  offheap::SharedMap<std::uint32_t, std::uint8_t> bytes(kBytes);
  bytes.set(1, 255);
  CHECK(status_of([&] { bytes.increment(1); }) == OH_ERR_RANGE && bytes.get(1) == 255);
  offheap::SharedMap<std::uint32_t, std::int64_t> integers(kBytes);
  integers.set(1, INT64_MAX);
  CHECK(status_of([&] { integers.increment(1); }) == OH_ERR_RANGE &&
        integers.increment(1, -1) == INT64_MAX - 1);

  offheap::SharedMap<double, std::uint32_t> floats(kBytes);
  floats.set(std::nan(""), 5);
  floats.set(-0.0, 1);
  CHECK(floats.get(std::nan("7")) == 5u && floats.get(0.0) == 1u && floats.size() == 2);
  floats.transaction([](auto& tx) {
    tx.set(0.0, 2);
    tx.set(-0.0, 3);
    tx.set(-std::nan("1"), 6);
    CHECK(tx.get(std::nan("")) == 6u);
  });
  CHECK(floats.get(0.0) == 3u && floats.get(std::nan("")) == 6u && floats.size() == 2);
  floats.validate();
}

void Blobs() {
  offheap::SharedMap<std::string_view, std::string_view> texts(kBytes);
  const std::string large(100000, 'y');
  CHECK(texts.set("", "") &&
        texts.set("a\0b"sv,
                  "gr\xC3\xB6\xC3\x9F"
                  "er") &&
        texts.set("large", large));
  CHECK(texts.get("") == "" && !texts.get("a") &&
        texts.get("a\0b"sv) ==
            "gr\xC3\xB6\xC3\x9F"
            "er");
  CHECK(texts.get("large") == large && texts.contains("large"));
  std::string reused = "before";
  CHECK(!texts.get("none", reused) && reused == "before");
  CHECK(texts.get("large", reused) && reused == large);
  const char* const memory = reused.data();
  CHECK(texts.get("", reused) && reused.empty() && reused.data() == memory);
  std::size_t visited = 0;
  CHECK(texts.visit("large", [&](std::string_view value) {
    // The map may be used and changed meanwhile: the value is a copy.
    texts.set("large", "short");
    CHECK(texts.get("large") == "short" &&
          texts.visit("", [&](std::string_view inner) { visited += inner.size(); }));
    visited += value.size();
    CHECK(value == large);
  }));
  CHECK(visited == large.size() && !texts.visit("none", [&](std::string_view) { CHECK(false); }));
  CHECK(texts.update("large", [](std::optional<std::string> old) { return *old + "er"; }) == "shorter");
  CHECK(texts.get_or_insert("new", "value") == "value" && texts.get_or_insert("new", "other") == "value");
  CHECK(texts.get_or_insert_with("made", [] { return "literal"; }) == "literal");
  texts.set("large", large);
  CHECK(texts.get_and_remove("large") == large && !texts.contains("large"));
  CHECK(status_of([&] { texts.set("\xFF\xFE", "x"); }) == OH_ERR_RANGE);
  CHECK(status_of([&] { texts.set("x", "\xFF"); }) == OH_ERR_RANGE && !texts.contains("x"));
  CHECK(status_of([&] { texts.set(large, "x"); }) == OH_ERR_RANGE);
  CHECK(status_of([&] { texts.set("x", std::string(2 * kBytes, 'x')); }) == OH_ERR_FULL &&
        !texts.contains("x"));
  for (const auto [key, value] : texts.entries()) texts.set(key, std::string(value) + "!");
  CHECK(texts.get("") == "!" && texts.get("made") == "literal!");

  offheap::SharedMap<offheap::Bytes, offheap::Bytes> bytes(kBytes);
  const unsigned char raw[] = {0xFF, 0, 1};
  bytes.set({raw, 3}, {raw, 2});
  CHECK(bytes.get({raw, 3}) == (std::vector<unsigned char>{0xFF, 0}) && !bytes.get({raw, 2}));
  CHECK(bytes.visit({raw, 3}, [&](offheap::Bytes value) { CHECK(Equal(value, {raw, 2})); }));
  bytes.set({}, {});
  CHECK(bytes.get({})->empty() && bytes.key_by_handle(bytes.handle_of({raw, 3}))->size() == 3);

  offheap::SharedMap<std::uint32_t, offheap::Json> documents(kBytes);
  documents.set(1, {R"({"a":[1,2]})"});
  CHECK(documents.get(1) == R"({"a":[1,2]})" &&
        status_of([&] { documents.set(1, {"\xFF"}); }) == OH_ERR_RANGE);
  offheap::SharedMap<std::uint32_t, offheap::Structured> values(kBytes);
  values.set(1, {{raw, 3}});
  CHECK(values.get(1)->size() == 3 && values.get(1)->front() == 0xFF);
  texts.validate();
  bytes.validate();
}

void MixedValues() {
  offheap::SharedMap<std::string_view, offheap::Mixed> map(kBytes);
  const unsigned char raw[] = {1, 2, 3};
  map.set("double", 1.5);
  map.set("int", 7);
  map.set("big", std::int64_t{1} << 60);
  map.set("bigger", UINT64_MAX);
  map.set("flag", true);
  map.set("text", "some text");
  map.set("json", offheap::Json{"[1]"});
  map.set("bytes", offheap::Bytes{raw, 3});
  map.set("structured", offheap::Structured{{raw, 2}});
  CHECK(map.get("double")->as<double>() == 1.5 && map.get("int")->as<double>() == 7);
  CHECK(map.get("big")->as<std::int64_t>() == std::int64_t{1} << 60);
  CHECK(map.get("bigger")->as<std::uint64_t>() == UINT64_MAX && map.get("flag")->as<bool>());
  CHECK(map.get("text")->as<std::string_view>() == "some text" && map.get("text")->is<std::string_view>());
  CHECK(map.get("json")->as<offheap::Json>().text == "[1]");
  CHECK(Equal(map.get("bytes")->as<offheap::Bytes>(), {raw, 3}));
  CHECK(map.get("structured")->as<offheap::Structured>().bytes.size == 2);
  CHECK(map.get("structured")->type() == OH_TYPE_STRUCTURED);
  CHECK(status_of([&] { map.get("text")->as<double>(); }) == OH_ERR_TYPE);
  CHECK(map.increment("int", 0.5) == 7.5 && map.increment("new") == 1);
  CHECK(status_of([&] { map.increment("text"); }) == OH_ERR_TYPE);
  CHECK(map.get_or_insert("int", "x").as<double>() == 7.5);
  const auto longer = [](std::optional<offheap::MixedValue> old) {
    return std::string(old->as<std::string_view>()) + "!";
  };
  CHECK(map.update("text", longer).as<std::string_view>() == "some text!");
  map.transaction([](auto& tx) {
    tx.set("copy", *tx.get("bytes"));
    tx.set("number", tx.get("int")->template as<double>() * 2);
  });
  CHECK(map.get("number")->as<double>() == 15 && map.get("copy")->as<offheap::Bytes>().size == 3);
  // A Mixed may be copied; a number in it is its own.
  offheap::Mixed copy = *std::make_unique<offheap::Mixed>(2.5);
  CHECK(copy.as<double>() == 2.5 && offheap::MixedValue().as<double>() == 0);
  std::size_t texts = 0;
  for (const auto& [key, value] : map.entries()) texts += value.is<std::string_view>() ? 1u : 0u;
  CHECK(texts == 1 && map.size() == 12);
  map.validate();
}

}  // namespace

int main() {
  Keys<std::uint32_t>();
  Keys<std::int32_t>();
  Keys<std::uint64_t>();
  Keys<std::int64_t>();
  Keys<double>();
  Keys<std::string_view>();
  Keys<offheap::Bytes>();
  Numbers();
  Blobs();
  MixedValues();
  return check_result();
}
