// Tests that a moved-from object of every C++ class is empty and safe, after construction and after
// assignment: it has no elements, and its calls throw instead of accessing memory that now belongs
// to another object.
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "check.h"
#include "offheap.hpp"
#include "status.hpp"

namespace {

// Moves `one` out and back. After each move, checks the source with `empty` and the target with
// `full`.
template <typename T, typename Empty, typename Full>
void Moved(T one, T other, Empty empty, Full full) {
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>,
                "moves do not throw");
  static_assert(!std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>, "is not copied");
  T two(std::move(one));
  CHECK(full(two));
  CHECK(empty(one));
  other = std::move(two);
  CHECK(full(other));
  CHECK(empty(two));
  // A moved-from object can be assigned to.
  one = std::move(other);
  CHECK(full(one));
  CHECK(empty(other));
  two = std::move(other);
  CHECK(empty(two));
  CHECK(empty(other));
}

template <typename Work>
bool throws(Work work) {
  return status_of(work) != OH_OK;
}

const std::uint32_t kValues[] = {1, 5, 9, 12};
const std::uint32_t kOthers[] = {7, 7};

void Integers() {
  Moved(
      offheap::PackedInts(kValues, 4), offheap::PackedInts(kOthers, 2),
      [](auto& one) {
        std::uint32_t out[1];
        return one.empty() && one.size() == 0 && one.bits() == 0 && one.base() == nullptr &&
               one.region_size() == 0 && throws([&] { one.at(0); }) &&
               throws([&] { one.unpack(0, 1, out); }) && throws([&] { one.get_many(kValues, 1, out); }) &&
               throws([&] { one.validate(); });
      },
      [](auto& one) { return one.size() == 4 && one.at(3) == 12; });
  Moved(
      offheap::EliasFano(kValues, 4), offheap::EliasFano(kOthers, 2),
      [](auto& one) {
        return one.empty() && one.max() == 0 && one.base() == nullptr && one.region_size() == 0 &&
               throws([&] { one.at(0); }) && throws([&] { one.rank(1); }) &&
               throws([&] { one.next_geq(0); }) && throws([&] { one.validate(); });
      },
      [](auto& one) { return one.size() == 4 && one.rank(9) == 2; });
}

void Bits() {
  const offheap::BitVector bits = offheap::BitVector::from_indices(kValues, 4);
  Moved(
      offheap::RankSelect(bits), offheap::RankSelect(offheap::BitVector(5)),
      [](auto& one) {
        return one.size() == 0 && one.ones() == 0 && one.base() == nullptr && throws([&] { one.get(0); }) &&
               throws([&] { one.rank1(0); }) && throws([&] { one.select1(0); }) &&
               throws([&] { one.validate(); });
      },
      [](auto& one) { return one.ones() == 4 && one.select1(3) == 12; });
  Moved(
      offheap::BitVector::from_indices(kValues, 4), offheap::BitVector(5),
      [](auto& one) {
        return one.base() == nullptr && throws([&] { one.get(0); }) && throws([&] { one.push(true); }) &&
               throws([&] { one.size(); }) && throws([&] { one.resize(100); });
      },
      [](auto& one) { return one.count() == 4 && one[12]; });
}

void Text() {
  Moved(
      offheap::BloomFilter(100, 0.01), offheap::BloomFilter(200, 0.01),
      [](auto& one) {
        return one.capacity() == 0 && one.base() == nullptr && throws([&] { one.has("a"); }) &&
               throws([&] { one.add("a"); }) && throws([&] { one.validate(); });
      },
      [](auto& one) {
        one.add("key");
        return one.capacity() == 100 && one.has("key");
      });
  Moved(
      offheap::SuffixArray("banana"), offheap::SuffixArray("x"),
      [](auto& one) {
        return one.empty() && one.text().empty() && one.base() == nullptr && throws([&] { one.at(0); }) &&
               throws([&] { one.search("a"); });
      },
      [](auto& one) { return one.size() == 6 && one.text() == "banana" && one.search("an").count == 2; });
  Moved(
      offheap::RollingHash(8), offheap::RollingHash(16),
      [](auto& one) {
        return !one.full() && throws([&] { one.update("a"); }) && throws([&] { one.reset(); });
      },
      [](auto& one) {
        one.update("12345678");
        return one.full();
      });

  const std::vector<std::string> samples(50, "{\"town\":\"Springfield\"}");
  const auto train = [&] { return offheap::Dictionary::train(samples, 2048); };
  Moved(
      train(), train(),
      [](auto& one) {
        return one.get() == nullptr && throws([&] { one.info(); }) && throws([&] { one.compress("a"); }) &&
               throws([&] { one.decompress("a"); }) &&
               throws([&] { offheap::RecordStoreBuilder builder(one); });
      },
      [&](auto& one) { return one.decompress(one.compress(samples[0])) == samples[0]; });
  const offheap::Dictionary dictionary = train();
  const auto builder = [&](std::size_t count) {
    offheap::RecordStoreBuilder made(dictionary);
    for (std::size_t i = 0; i < count; i++) made.push(samples[i]);
    return made;
  };
  Moved(
      builder(3), builder(1),
      [](auto& one) {
        return throws([&] { one.push("a"); }) && throws([&] { one.length(); }) &&
               throws([&] { offheap::RecordStore store(one); });
      },
      [](auto& one) { return offheap::RecordStore(one).size() == 3; });
  const auto no_records = [](auto& one) {
    std::string out;
    return one.empty() && one.size() == 0 && one.info().longest == 0 && one.base() == nullptr &&
           one.region_size() == 0 && throws([&] { one.at(0); }) && throws([&] { one.validate(); });
  };
  const auto records = [&](auto& one) { return one.size() == 3 && one.at(2) == samples[2]; };
  Moved(offheap::RecordStore(builder(3)), offheap::RecordStore(builder(1)), no_records, records);
  const offheap::RecordStore store(builder(3));
  const auto view = [&] { return offheap::RecordStoreView(store.base(), store.region_size()); };
  Moved(view(), view(), no_records, records);
}

void Maps() {
  const auto map = [](int count) {
    offheap::HashMap<std::uint32_t, double> made;
    for (int i = 0; i < count; i++) made.set(static_cast<std::uint32_t>(i), i * 0.5);
    return made;
  };
  Moved(
      map(100), map(3),
      [](auto& one) {
        return one.base() == nullptr && throws([&] { one.size(); }) && throws([&] { one.get(1); }) &&
               throws([&] { one.set(1, 1); }) && throws([&] { one.begin(); }) && throws([&] { one.clear(); });
      },
      [](auto& one) { return one.size() == 100 && one.get(99) == 49.5; });
  const auto small = [](int count) {
    offheap::SmallMap<std::uint32_t, double> made;
    for (int i = 0; i < count; i++) made.set(static_cast<std::uint32_t>(i), i * 0.5);
    return made;
  };
  Moved(
      small(5), small(20),
      [](auto& one) {
        return one.handle() == nullptr && throws([&] { one.size(); }) && throws([&] { one.get(1); }) &&
               throws([&] { one.set(1, 1); }) && throws([&] { one.begin(); });
      },
      [](auto& one) { return one.size() == 5 && one.get(4) == 2.0; });
  offheap::SmallMapArena<std::uint32_t, double> arena;
  const auto id = arena.create();
  arena.set(id, 42, 9.5);
  Moved(
      std::move(arena), offheap::SmallMapArena<std::uint32_t, double>(),
      [&](auto& one) {
        return one.base() == nullptr && throws([&] { one.create(); }) && throws([&] { one.set(id, 1, 1); }) &&
               throws([&] { one.get(id, 42); });
      },
      [&](auto& one) { return one.get(id, 42) == 9.5; });
}

void SharedMaps() {
  using Map = offheap::SharedMap<std::uint32_t, double>;
  const auto map = [](double value) {
    Map made(1 << 16);
    made.set(1, value);
    return made;
  };
  Moved(
      map(5), map(6),
      [](auto& one) {
        return one.handle() == nullptr && throws([&] { one.get(1); }) && throws([&] { one.set(1, 1); }) &&
               throws([&] { one.size(); }) && throws([&] { one.attach(); }) &&
               throws([&] { one.entries().begin(); }) && throws([&] { one.subscribe(1); }) &&
               throws([&] { one.transaction([](auto& tx) { tx.set(1, 1); }); });
      },
      [](auto& one) { return one.get(1) == 5 && one.attach().get(1) == 5; });
}

void Vectors() {
  const auto vector = [](std::size_t count) {
    offheap::Vector<double> made;
    for (std::size_t i = 0; i < count; i++) made.push_back(static_cast<double>(i));
    return made;
  };
  Moved(
      vector(1000), vector(2),
      [](auto& one) {
        return one.empty() && one.begin() == one.end() && throws([&] { one.push_back(1); }) &&
               throws([&] { one.sort(); }) && throws([&] { one.sum(); });
      },
      [](auto& one) { return one.size() == 1000 && one.sum() == 499500; });
}

void Pools() {
  offheap::BumpArena arena;
  const auto block = arena.alloc(100);
  Moved(
      std::move(arena), offheap::BumpArena(),
      [&](auto& one) {
        return one.base() == nullptr && one.length() == 0 && throws([&] { one.alloc(1); }) &&
               throws([&] { one.at(block, 1); }) && throws([&] { one.reset(); });
      },
      [&](auto& one) { return one.at(block, 100) != nullptr; });
  const offheap::LockFreePool pool(1 << 16);
  Moved(
      pool.handle(), pool.handle(),
      [](auto& one) {
        return one.get() == nullptr && one.data() == nullptr && throws([&] { one.alloc(1); }) &&
               throws([&] { one.try_alloc(1); }) && throws([&] { one.free(0); }) &&
               throws([&] { one.stats(); });
      },
      [](auto& one) { return one.stats().used == 0 && one.data() != nullptr; });
}

}  // namespace

int main() {
  Integers();
  Bits();
  Text();
  Maps();
  SharedMaps();
  Vectors();
  Pools();
  return check_result();
}
