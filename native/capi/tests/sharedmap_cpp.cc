// Tests of offheap::SharedMap in memory: conditions, expiry, handles, iteration, leases,
// transactions, events, threads, bounds, snapshots. `sharedmap_types_cpp.cc` tests the types.
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#if __cplusplus >= 202002L
#include <ranges>
#endif

#if defined(__unix__)
#include <unistd.h>
#endif

#include "check.h"
#include "offheap.hpp"
#include "status.hpp"

using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kBytes = 1 << 20;

static_assert(!std::is_copy_constructible_v<offheap::SharedMap<double, double>>, "is not copied");
static_assert(std::is_nothrow_move_constructible_v<offheap::SharedMap<double, double>>, "moves");
static_assert(std::is_nothrow_move_assignable_v<offheap::SharedMap<double, double>>, "moves");

#if __cplusplus >= 202002L
static_assert(std::ranges::input_range<offheap::SharedMapEntries<double, double>>, "is a range");
#endif

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

// A map that makes room itself: it evicts the largest of some entries.
void Choosing() {
  using Map = offheap::SharedMap<std::string_view, std::string_view>;
  auto options = Map::options(65536);
  options.reject = true;
  Map map(options);
  const auto store = [&](const std::string& key, const std::string& value) {
    for (std::uint32_t seed = 0;; seed++) {
      if (status_of([&] { map.set(key, value); }) == OH_OK) return;
      CHECK(map.fits(key.size(), value.size()));
      std::string largest;
      std::uint64_t bytes = 0, version = 0;
      map.sample(0, seed * 2654435761u, 8, [&](const Map::Candidate& candidate) {
        CHECK(std::isinf(candidate.expires_at));
        if (candidate.bytes <= bytes) return;
        largest = candidate.key;
        bytes = candidate.bytes;
        version = candidate.version;
      });
      CHECK(!map.evict(largest, version + 1) && map.evict(largest, version) && !map.evict(largest, version));
    }
  };
  for (int i = 0; i < 300; i++) store("small " + std::to_string(i), "value");
  for (int i = 0; i < 300; i++) store("large " + std::to_string(i), std::string(400, 'x'));
  CHECK(map.stats().shards == 1 && map.stats().evictions > 0 && map.contains("large 299"));
  CHECK(!map.fits(5, 70000) && status_of([&] { map.sample(1, 0, 8, [](const auto&) {}); }) == OH_ERR_RANGE);
  map.validate();
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
#if defined(__unix__)
  const std::string path = std::string(folder ? folder : "/tmp") + "/oh-snapshot-" + std::to_string(getpid());
#else
  const std::string path = std::string(folder ? folder : ".") + "/oh-snapshot-" + std::to_string(std::rand());
#endif
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
  Conditions();
  Expiries();
  Handles();
  Iteration();
  Leases();
  Transactions();
  Events();
  Threads();
  Bounds();
  Choosing();
  MemoryOfOthers();
  Snapshots();
  return check_result();
}
