// Exchanges maps in files with Node.js: test/sharedmap/cpp.test.ts runs this program, and computes
// the same keys and values.
//
//   sharedmap create FOLDER   creates a map for each type of keys and of values
//   sharedmap check FOLDER    fails unless the maps in the folder are those of `create`
//   sharedmap copy PATH       copies each structured value to another key, byte by byte
//   sharedmap churn PATH N    adds and writes N times, while others do; fails at a wrong value
//   sharedmap wait PATH       computes a value while others wait for it
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include "offheap.hpp"

namespace {

constexpr int kCount = 200;
constexpr std::uint64_t kBytes = 1 << 20;

std::string folder;
int failures = 0;

void Expect(bool condition, const std::string& what) {
  if (condition) return;
  if (failures++ < 10) std::fprintf(stderr, "wrong: %s\n", what.c_str());
}

std::string Repeat(std::string_view text, int count) {
  std::string all;
  for (int i = 0; i < count; i++) all += text;
  return all;
}

// Text and bytes that views refer to.
std::string key_text, value_text;

template <typename K>
K KeyOf(int i) {
  if constexpr (std::is_same_v<K, std::uint32_t>) {
    return static_cast<std::uint32_t>(i * 7);
  } else if constexpr (std::is_same_v<K, std::int32_t>) {
    return i * 7 - 500;
  } else if constexpr (std::is_same_v<K, double>) {
    return i / 4.0 - 10;
  } else if constexpr (std::is_same_v<K, std::uint64_t>) {
    return (std::uint64_t{1} << 63) + static_cast<std::uint64_t>(i);
  } else if constexpr (std::is_same_v<K, std::int64_t>) {
    return -(std::int64_t{1} << 40) - i;
  } else if constexpr (std::is_same_v<K, std::string_view>) {
    return key_text = "key " + std::to_string(i) + Repeat("\xC3\xB6", i % 40);
  } else {
    key_text = {static_cast<char>(i), static_cast<char>(i >> 8)};
    key_text.append(static_cast<std::size_t>(i % 30), '\xFF');
    return K{key_text.data(), key_text.size()};
  }
}

template <typename V>
V ValueOf(int i) {
  if constexpr (std::is_same_v<V, std::uint8_t>) {
    return static_cast<V>(i);
  } else if constexpr (std::is_same_v<V, std::int8_t>) {
    return static_cast<V>(i - 100);
  } else if constexpr (std::is_same_v<V, std::uint16_t>) {
    return static_cast<V>(i * 300);
  } else if constexpr (std::is_same_v<V, std::int16_t>) {
    return static_cast<V>(i * 150 - 15000);
  } else if constexpr (std::is_same_v<V, std::uint32_t>) {
    return static_cast<V>(i) * 20000000u;
  } else if constexpr (std::is_same_v<V, std::int32_t>) {
    return i * 10000000 - 1000000000;
  } else if constexpr (std::is_same_v<V, float>) {
    return static_cast<float>(i) / 8;
  } else if constexpr (std::is_same_v<V, double>) {
    return i / 3.0;
  } else if constexpr (std::is_same_v<V, std::uint64_t>) {
    return (std::uint64_t{1} << 63) + static_cast<std::uint64_t>(i);
  } else if constexpr (std::is_same_v<V, std::int64_t>) {
    return -(std::int64_t{1} << 62) - i;
  } else if constexpr (std::is_same_v<V, bool>) {
    return i % 3 == 0;
  } else if constexpr (std::is_same_v<V, std::string_view>) {
    return value_text = "value " + std::to_string(i) + Repeat("\xC3\xA9", i == 7 ? 50000 : i * 10 % 500);
  } else if constexpr (std::is_same_v<V, offheap::Bytes>) {
    value_text = std::string(static_cast<std::size_t>(i == 7 ? 50000 : i * 3), static_cast<char>(i));
    return V{value_text.data(), value_text.size()};
  } else if constexpr (std::is_same_v<V, offheap::Json>) {
    value_text = "{\"i\":" + std::to_string(i) + ",\"text\":\"\xC3\xA9\",\"list\":[null,true,1.5]}";
    return V{value_text};
  } else {
    static_assert(std::is_same_v<V, offheap::Mixed>, "all types are listed");
    switch (i % 6) {
      case 0:
        return i / 2.0;
      case 1:
        return ValueOf<std::string_view>(i);
      case 2:
        return i % 4 == 0;
      case 3:
        return std::int64_t{-i};
      case 4:
        return UINT64_MAX - static_cast<std::uint64_t>(i);
      default:
        return ValueOf<offheap::Bytes>(i);
    }
  }
}

std::string PathOf(const char* key, const char* value) { return folder + "/" + key + "-" + value; }

template <typename K, typename V>
void Create(const char* key, const char* value) {
  auto map = offheap::SharedMap<K, V>::open_or_create(PathOf(key, value), kBytes);
  for (int i = 0; i < kCount; i++) map.set(KeyOf<K>(i), ValueOf<V>(i));
}

template <typename V>
std::string BytesOf(const V& value) {
  using Values = offheap::internal::SharedValue<V>;
  return std::to_string(Values::type(value)) + ":" +
         (Values::size(value) == 0
              ? std::string()
              : std::string(static_cast<const char*>(Values::data(value)), Values::size(value)));
}

template <typename K, typename V>
void Check(const char* key, const char* value) {
  const auto map = offheap::SharedMap<K, V>::open(PathOf(key, value));
  const std::string name = std::string(key) + " to " + value;
  Expect(map.size() == kCount, name + ": the number of entries");
  for (int i = 0; i < kCount; i++) {
    bool right = false;
    map.visit(KeyOf<K>(i), [&](const V& found) { right = BytesOf(found) == BytesOf(ValueOf<V>(i)); });
    Expect(right, name + ": value " + std::to_string(i));
  }
  int seen = 0;
  for ([[maybe_unused]] const auto& entry : map.entries()) seen++;
  Expect(seen == kCount, name + ": the number of entries visited");
  map.validate();
}

#define EACH_TYPE(WORK)                                         \
  WORK<std::uint32_t, double>("u32", "f64");                    \
  WORK<std::int32_t, double>("i32", "f64");                     \
  WORK<double, double>("f64", "f64");                           \
  WORK<std::uint64_t, double>("u64", "f64");                    \
  WORK<std::int64_t, double>("i64", "f64");                     \
  WORK<offheap::Bytes, double>("bytes", "f64");                 \
  WORK<std::string_view, std::uint8_t>("string", "u8");         \
  WORK<std::string_view, std::int8_t>("string", "i8");          \
  WORK<std::string_view, std::uint16_t>("string", "u16");       \
  WORK<std::string_view, std::int16_t>("string", "i16");        \
  WORK<std::string_view, std::uint32_t>("string", "u32");       \
  WORK<std::string_view, std::int32_t>("string", "i32");        \
  WORK<std::string_view, float>("string", "f32");               \
  WORK<std::string_view, double>("string", "f64");              \
  WORK<std::string_view, std::uint64_t>("string", "u64");       \
  WORK<std::string_view, std::int64_t>("string", "i64");        \
  WORK<std::string_view, bool>("string", "bool");               \
  WORK<std::string_view, std::string_view>("string", "string"); \
  WORK<std::string_view, offheap::Bytes>("string", "bytes");    \
  WORK<std::string_view, offheap::Json>("string", "json");      \
  WORK<std::string_view, offheap::Mixed>("string", "mixed")

void Copy(const std::string& path) {
  auto map = offheap::SharedMap<std::string_view, offheap::Structured>::open(path);
  std::vector<std::string> keys;
  for (const auto& entry : map.entries()) keys.emplace_back(entry.first);
  std::vector<unsigned char> value;
  for (const std::string& key : keys) {
    Expect(map.get(key, value), key);
    map.set("copy of " + key, {{value.data(), value.size()}}, std::chrono::hours(1));
  }
}

// Keys are "counter 0" to "counter 9", whose values are numbers, and "text 0" to "text 99", whose
// texts begin with their key.
void Churn(const std::string& path, int rounds) {
  auto map = offheap::SharedMap<std::string_view, offheap::Mixed>::open(path);
  std::uint32_t state = 1;
  for (int i = 0; i < rounds; i++) {
    state = state * 1664525 + 1013904223;
    map.increment("counter " + std::to_string(i % 10));
    const std::string key = "text " + std::to_string((state >> 16) % 100);
    if (state % 4 == 0) {
      map.remove(key);
    } else if (state % 4 == 1) {
      map.set(key, key + Repeat("!", static_cast<int>((state >> 8) % 100)));
    } else {
      map.visit(key, [&](const offheap::Mixed& value) {
        const auto text = value.as<std::string_view>();
        Expect(text.substr(0, key.size()) == key &&
                   text.find_first_not_of('!', key.size()) == std::string_view::npos,
               key);
      });
    }
    if (i % 100 == 0) {
      map.transaction([](auto& tx) {
        tx.set("left", tx.get("left")->template as<double>() + 1);
        tx.set("right", tx.get("right")->template as<double>() - 1);
      });
    }
  }
}

void Wait(const std::string& path) {
  auto map = offheap::SharedMap<std::string_view, offheap::Mixed>::open(path);
  const auto value = map.get_or_compute("computed", [&] {
    map.set("computing", true);
    while (!map.contains("waiting")) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return "by C++";
  });
  Expect(value.as<std::string_view>() == "by C++", "computed");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string_view work = argv[1];
  folder = argv[2];
  try {
    if (work == "create") {
      EACH_TYPE(Create);
    } else if (work == "check") {
      EACH_TYPE(Check);
    } else if (work == "copy") {
      Copy(folder);
    } else if (work == "churn" && argc == 4) {
      Churn(folder, std::atoi(argv[3]));
    } else if (work == "wait") {
      Wait(folder);
    } else {
      return 2;
    }
  } catch (const offheap::Error& error) {
    std::fprintf(stderr, "%s: %s\n", error.name(), error.what());
    return 1;
  }
  return failures == 0 ? 0 : 1;
}
