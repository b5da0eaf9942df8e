// Tests of offheap::SharedMap in memory: types, conditions, expiry, handles, bulk, iteration,
// leases, transactions, events, threads, snapshots, exceptions.
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__unix__)
#include <unistd.h>
#endif

#include "check.h"
#include "offheap.hpp"
#include "status.hpp"

using namespace std::chrono_literals;
using namespace std::string_view_literals;

// Every member compiles for every type, also those that throw or refuse when they are used.
template class offheap::SharedMap<std::string_view, std::string_view>;
template class offheap::SharedMap<offheap::Bytes, offheap::Mixed>;
template class offheap::SharedMap<double, bool>;

namespace {

constexpr std::uint64_t kBytes = 1 << 20;

static_assert(!std::is_copy_constructible_v<offheap::SharedMap<double, double>>, "is not copied");
static_assert(std::is_nothrow_move_constructible_v<offheap::SharedMap<double, double>>, "moves");
static_assert(std::is_nothrow_move_assignable_v<offheap::SharedMap<double, double>>, "moves");

#if defined(__cpp_lib_ranges)
static_assert(std::ranges::input_range<offheap::SharedMapEntries<double, double>>, "is a range");
#endif

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

void Conditions() {
  offheap::SharedMap<std::string_view, std::uint32_t> map(kBytes);
  CHECK(map.add("a", 1) && !map.add("a", 2) && map.get("a") == 1u);
  CHECK(map.replace("a", 3) && !map.replace("b", 3) && !map.contains("b"));
  const auto entry = map.entry("a");
  CHECK(entry && entry->value == 3 && std::isinf(entry->expires_at) && entry->bytes > 0);
  CHECK(map.compare_and_set("a", entry->version, 4) && !map.compare_and_set("a", entry->version, 5));
  CHECK(map.compare_and_set("b", 0, 1) && !map.compare_and_set("a", 0, 1) && !map.entry("none"));
  const oh_sharedmap_written written = map.write("a", 6, OH_SHAREDMAP_SET);
  CHECK(written.stored && written.existed && map.entry("a")->version == written.version);
  CHECK(status_of([&] { map.write("a", 7, 99); }) == OH_ERR_RANGE && map.get("a") == 6u);
  CHECK(map.remove("a") && !map.remove("a"));
  // An update that changes its own key never ends by itself.
  CHECK(status_of([&] {
          map.update("b", [&](std::optional<std::uint32_t> old) {
            map.set("b", 0);
            return *old + 1;
          });
        }) == OH_ERR_CONFLICT);
  map.clear();
  CHECK(map.empty());
}

void Expiries() {
  auto options = offheap::SharedMap<std::uint32_t, std::uint32_t>::options(kBytes);
  options.ttl = 50000;
  offheap::SharedMap<std::uint32_t, std::uint32_t> map(options);
  map.set(1, 1);
  map.set(2, 2, 20s);
  map.set(3, 3, offheap::Expiry::never());
  map.set(4, 4, offheap::Expiry::at(std::chrono::system_clock::now() + 1h));
  map.set(5, 5, offheap::Expiry::at(std::chrono::system_clock::now() - 1s));
  const auto within = [&](std::uint32_t key, double least, double most) {
    const auto left = map.remaining_ttl(key);
    return left && left->count() > least && left->count() <= most;
  };
  CHECK(within(1, 40000, 50001) && within(2, 10000, 20001) && std::isinf(map.remaining_ttl(3)->count()));
  CHECK(within(4, 3500000, 3600001) && !map.remaining_ttl(5) && !map.contains(5) && !map.remaining_ttl(9));
  map.set(2, 22, offheap::Expiry::keep());
  CHECK(within(2, 10000, 20001) && map.touch(2, 100s) && within(2, 90000, 100001));
  CHECK(map.touch(2, offheap::Expiry::never()) && std::isinf(map.remaining_ttl(2)->count()));
  CHECK(!map.touch(9, 1s) && status_of([&] { map.touch(2, {}); }) == OH_ERR_RANGE);
  CHECK(map.increment(4, 1) == 5 && within(4, 3500000, 3600001));
  CHECK(status_of([&] { map.set(1, 1, 0ms); }) == OH_ERR_RANGE);
  CHECK(status_of([&] { map.set(1, 1, -5ms); }) == OH_ERR_RANGE);
  map.set(6, 6, 1ms);
  while (map.contains(6)) std::this_thread::sleep_for(1ms);
  CHECK(map.purge_expired() >= 1 && map.stats().expirations >= 1 && map.size() == 4);
}

void Handles() {
  offheap::SharedMap<std::string_view, std::string_view> map(kBytes);
  const std::string key(200, 'k');
  map.set(key, "one");
  const std::uint64_t handle = map.handle_of(key);
  CHECK(handle != 0 && handle < std::uint64_t{1} << 53 && map.handle_of("none") == 0);
  CHECK(map.get_by_handle(handle) == "one" && map.key_by_handle(handle) == key);
  CHECK(map.set_by_handle(handle, "two") && map.get(key) == "two");
  CHECK(map.remove_by_handle(handle) && !map.remove_by_handle(handle) && !map.set_by_handle(handle, "x"));
  CHECK(!map.get_by_handle(handle) && !map.key_by_handle(handle) && !map.get_by_handle(0));
}

void Iteration() {
  offheap::SharedMap<std::uint64_t, std::string_view> map(8 << 20);
  for (std::uint64_t i = 0; i < 20000; i++) map.set(i, std::string(i % 50, 'v'));
  std::set<std::uint64_t> seen;
  for (const auto [key, value] : map.entries()) {
    CHECK(seen.insert(key).second && value.size() == (key < 20000 ? key % 50 : 5));
    if (key >= 20000) continue;
    // Changes of this and other entries meanwhile.
    if (key % 3 == 0) map.remove(key);
    map.set(1000000 + key, "later");
  }
  std::size_t original = 0;
  for (const std::uint64_t key : seen) original += key < 20000 ? 1u : 0u;
  CHECK(original == 20000);
  offheap::SharedMap<std::uint64_t, std::string_view> none(kBytes);
  for ([[maybe_unused]] const auto& entry : none.entries()) CHECK(false);
  // One value that is longer than the buffer of an iteration.
  none.set(1, std::string(100000, 'x'));
  for (const auto [key, value] : none.entries()) CHECK(key == 1 && value.size() == 100000);
}

void Leases() {
  offheap::SharedMap<std::string_view, std::uint32_t> map(kBytes);
  int calls = 0;
  const auto compute = [&] { return ++calls; };
  CHECK(map.get_or_compute("a", compute) == 1 && map.get_or_compute("a", compute) == 1 && calls == 1);
  struct Failed {};
  try {
    map.get_or_compute("b", []() -> std::uint32_t { throw Failed(); });
    CHECK(false);
  } catch (const Failed&) {
    CHECK(!map.contains("b"));
  }
  CHECK(map.get_or_compute("b", compute, 10s) == 2 && map.remaining_ttl("b")->count() <= 10000);
  CHECK(status_of([&] { map.get_or_compute("c", compute, {}, -1ms); }) == OH_ERR_RANGE);

  // Of four threads one computes, and all get its value.
  std::atomic<int> computed{0};
  std::atomic<std::uint32_t> sum{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([own = map.attach(), &computed, &sum]() mutable {
      sum += own.get_or_compute("slow", [&]() -> std::uint32_t {
        computed++;
        std::this_thread::sleep_for(20ms);
        return 7;
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(computed == 1 && sum == 28);

  // A lease that is over: the value that was stored meanwhile stays.
  auto other = map.attach();
  const std::uint32_t late = map.get_or_compute(
      "late",
      [&]() -> std::uint32_t {
        std::this_thread::sleep_for(5ms);
        other.set("late", 1);
        return 2;
      },
      {}, 1ms);
  CHECK(late == 2 && map.get("late") == 1u);
}

void Transactions() {
  offheap::SharedMap<std::string_view, std::int64_t> map(kBytes);
  map.set("a", 100);
  const std::int64_t moved = map.transaction([](auto& tx) {
    tx.set("a", *tx.get("a") - 30);
    tx.set("b", tx.get("b").value_or(0) + 30);
    CHECK(tx.get("a") == 70 && tx.contains("b"));
    return std::int64_t{30};
  });
  CHECK(moved == 30 && map.get("a") == 70 && map.get("b") == 30);
  // What the function throws ends the transaction.
  struct Stop {};
  try {
    map.transaction([](auto& tx) {
      tx.set("a", 0);
      throw Stop();
    });
    CHECK(false);
  } catch (const Stop&) {
    CHECK(map.get("a") == 70);
  }
  CHECK(status_of([&] {
          map.transaction([](auto& tx) {
            for (int i = 0; i < 65; i++) tx.set(std::to_string(i), i);
          });
        }) == OH_ERR_RANGE);
  map.transaction([](auto& tx) {
    for (int i = 0; i < 64; i++) tx.set(std::to_string(i), i);
    tx.set("63", 630, 1h);
  });
  CHECK(map.get("63") == 630 && map.size() == 66 && map.remaining_ttl("63")->count() > 0);
  // Another participant changes a key that was read: the function runs again.
  auto other = map.attach();
  int runs = 0;
  map.transaction([&](auto& tx) {
    const std::int64_t before = *tx.get("a");
    if (runs++ == 0) other.set("a", 1000);
    tx.set("a", before + 1);
  });
  CHECK(runs == 2 && map.get("a") == 1001);
  CHECK(status_of([&] {
          map.transaction(
              [&](auto& tx) {
                tx.remove("a");
                other.increment("a");
              },
              2);
        }) == OH_ERR_CONFLICT);
  CHECK(map.get("a") == 1004);
  map.transaction([](auto&) {});
  map.validate();
}

void Events() {
  offheap::SharedMap<std::string_view, std::uint32_t> map(kBytes);
  auto other = map.attach();
  std::vector<std::pair<std::uint32_t, std::string>> events;
  const auto collect = [&](const auto& event) { events.emplace_back(event.type, event.key); };
  CHECK(map.poll(collect) == 0 && events.empty());
  map.subscribe(OH_SHAREDMAP_EVENT_SET | OH_SHAREDMAP_EVENT_DELETE);
  other.set("some key", 1);
  other.remove("some key");
  CHECK(map.poll(collect) == 0 && events.size() == 2);
  CHECK(events[0].first == OH_SHAREDMAP_EVENT_SET && events[0].second == "some key");
  CHECK(events[1].first == OH_SHAREDMAP_EVENT_DELETE);
  CHECK(map.poll(collect) == 0 && events.size() == 2);
  std::uint64_t received = 0;
  for (int i = 0; i < 20000; i++) other.set("key " + std::to_string(i % 100), 1);
  const std::uint64_t dropped = map.poll([&](const auto& event) {
    received++;
    map.contains(event.key);  // the map may be used
  });
  CHECK(dropped > 0 && received + dropped == 20000);
  map.subscribe(0);
  other.set("x", 1);
  CHECK(map.poll(collect) == 0 && events.size() == 2);
  CHECK(status_of([&] { map.subscribe(99); }) == OH_ERR_RANGE);
}

void Threads() {
  constexpr std::uint32_t kThreads = 4, kKeys = 500, kRounds = 5000;
  offheap::SharedMap<std::uint32_t, std::string_view> map(4 << 20);
  offheap::SharedMap<std::uint32_t, double> counts(kBytes);
  std::atomic<std::uint32_t> wrong{0};
  std::vector<std::thread> threads;
  for (std::uint32_t id = 0; id < kThreads; id++) {
    threads.emplace_back([id, own = map.attach(), count = counts.attach(), &wrong]() mutable {
      std::uint32_t state = id;
      std::string value;
      for (std::uint32_t i = 0; i < kRounds; i++) {
        state = state * 1664525 + 1013904223;
        const std::uint32_t key = (state >> 16) % kKeys;
        // A value names its key, so a torn or misplaced one is noticed.
        const std::string text =
            std::to_string(key) + std::string((state >> 8) % 300, static_cast<char>('a' + key % 26));
        if (state % 8 == 0) {
          own.remove(key);
        } else if (state % 2 == 0) {
          own.set(key, text);
        } else if (own.get(key, value)) {
          const std::string name = std::to_string(key);
          const std::string rest(value.size() < name.size() ? 0 : value.size() - name.size(),
                                 static_cast<char>('a' + key % 26));
          if (value != name + rest) wrong++;
        }
        count.increment(key % 10);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  double sum = 0;
  for (const auto [key, count] : counts.entries()) sum += count;
  CHECK(wrong == 0 && sum == double{kThreads} * kRounds);
  map.validate();
  counts.validate();
  CHECK(map.stats().participants == 1 && map.stats().shards >= 1);

  // The memory lives as long as the last attachment.
  auto last = counts.attach();
  counts.close();
  counts.close();
  CHECK(last.get(0) > 0 && status_of([&] { counts.get(0); }) == OH_ERR_TYPE);
  CHECK(status_of([&] { counts.attach(); }) == OH_ERR_TYPE);
  last = std::move(last);
  CHECK(last.get(0) > 0);
  last = offheap::SharedMap<std::uint32_t, double>(kBytes);
  CHECK(last.empty());
}

void Bounds() {
  using Map = offheap::SharedMap<std::uint32_t, std::string_view>;
  Map evicting(65536);
  const std::string value(100, 'v');
  for (std::uint32_t i = 0; i < 5000; i++) evicting.set(i, value);
  CHECK(evicting.stats().evictions > 0 && evicting.stats().used_bytes <= 65536 &&
        evicting.get(4999) == value);
  auto options = Map::options(65536);
  options.reject = true;
  Map rejecting(options);
  std::uint32_t stored = 0;
  CHECK(status_of([&] {
          for (;; stored++) rejecting.set(stored, value);
        }) == OH_ERR_FULL);
  CHECK(stored > 50 && rejecting.size() == stored && rejecting.get(0) == value);
  CHECK(status_of([] { Map(1000); }) == OH_ERR_RANGE && status_of([] { Map(UINT64_MAX); }) == OH_ERR_RANGE);
  options.policy = 99;
  CHECK(status_of([&] { Map map(options); }) != OH_OK);
  options = Map::options(65536);
  options.key = OH_TYPE_F64;
  CHECK(status_of([&] { Map map(options); }) == OH_ERR_TYPE);
}

void MemoryOfOthers() {
  using Map = offheap::SharedMap<std::uint32_t, double>;
  std::vector<std::uint64_t> memory(65536 / 8);
  Map map = Map::create_at(memory.data(), 65536, Map::options(65536));
  map.set(1, 1.5);
  Map other = Map::attach_at(memory.data(), 65536);
  CHECK(other.get(1) == 1.5 && map.stats().participants == 2);
  using Wrong = offheap::SharedMap<std::uint32_t, float>;
  CHECK(status_of([&] { Wrong::attach_at(memory.data(), 65536); }) == OH_ERR_TYPE);
  CHECK(map.stats().participants == 2);
  std::vector<std::uint64_t> small(1024);
  CHECK(status_of([&] { Map::create_at(small.data(), 8192, Map::options(65536)); }) == OH_ERR_FULL);
  CHECK(status_of([&] { Map::attach_at(small.data(), 8192); }) == OH_ERR_CORRUPT);
  CHECK(status_of([&] { Map::create_at(nullptr, 65536, Map::options(65536)); }) == OH_ERR_TYPE);
}

void Snapshots() {
  using Map = offheap::SharedMap<std::string_view, offheap::Mixed>;
  const char* folder = std::getenv("TMPDIR");
  const std::string path = std::string(folder ? folder : "/tmp") + "/oh-snapshot-" + std::to_string(getpid());
  auto options = Map::options(kBytes);
  options.ttl = 1e6;
  options.reject = true;
  Map map(options);
  for (int i = 0; i < 1000; i++) map.set(std::to_string(i), i);
  map.set("text", "value");
  CHECK(map.save(path));
  oh_control stop = {};
  stop.cancel = 1;
  CHECK(!map.save(path + "-stopped", &stop));
  Map restored = Map::from_snapshot(path);
  CHECK(restored.size() == 1001 && restored.get("text")->as<std::string_view>() == "value");
  CHECK(restored.get("999")->as<double>() == 999 && restored.remaining_ttl("999")->count() <= 1e6);
  Map smaller(kBytes / 2);
  smaller.set("own", 1);
  CHECK(smaller.restore(path) == 1001 && smaller.size() == 1002);
  using Wrong = offheap::SharedMap<std::string_view, double>;
  CHECK(status_of([&] { Wrong::from_snapshot(path); }) == OH_ERR_TYPE);
  CHECK(status_of([&] { Map::from_snapshot(path + "-none"); }) == OH_ERR_IO);
  std::remove(path.c_str());
  std::remove((path + "-stopped").c_str());
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
  Conditions();
  Expiries();
  Handles();
  Iteration();
  Leases();
  Transactions();
  Events();
  Threads();
  Bounds();
  MemoryOfOthers();
  Snapshots();
  return check_result();
}
